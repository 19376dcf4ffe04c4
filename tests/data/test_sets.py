"""The data sets that come with the package: the numbers, their papers, and the splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.core.errors import DataError
from chalkgrad.data import sets
from chalkgrad.data.sets import load, names
from chalkgrad.data.splits import split

FILES = Path(sets.__file__).parent / "files"
SHAPES = {
    "breast_cancer": (569, 30, 2),
    "diabetes": (442, 10, 0),
    "digits": (1797, 64, 10),
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
}


def test_every_set_is_named() -> None:
    assert names() == list(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_shape_types_and_papers(name: str) -> None:
    data = load(name)
    rows, columns, classes = SHAPES[name]
    assert data.x.shape == (rows, columns)
    assert data.x.dtype == np.float32
    assert data.y.shape == (rows,)
    assert len(data.feature_names) == columns
    if classes:
        assert data.task == "classification"
        assert data.y.dtype == np.int64
        assert (
            sorted(set(data.y.tolist())) == list(range(classes)) == [*range(len(data.target_names))]
        )
    else:
        assert data.task == "regression"
        assert data.y.dtype == np.float32
        assert data.target_names == ("progression",)
    assert str(rows) in data.description
    assert "doi:" in data.source


@pytest.mark.parametrize("name", SHAPES)
def test_numbers_are_those_of_scikit_learn(name: str) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    options = {"scaled": False} if name == "diabetes" else {}
    theirs = getattr(datasets, f"load_{name}")(**options)
    ours = load(name)
    assert np.array_equal(ours.x, theirs.data.astype(np.float32))
    assert np.array_equal(ours.y, theirs.target.astype(ours.y.dtype))
    if ours.task == "classification":
        assert [str(each) for each in theirs.target_names] == list(ours.target_names)
    if name != "diabetes":  # whose columns have the study's names, not s1 to s6
        assert [str(each) for each in theirs.feature_names] == list(ours.feature_names)


@pytest.mark.parametrize("name", SHAPES)
def test_sources_has_the_origin_and_licence_of_every_file(name: str) -> None:
    text = (FILES / "SOURCES.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| `{name}.csv.gz`"))
    doi = load(name).source.partition("doi:")[2].split()[0]
    assert doi in row
    assert ("CC BY 4.0" in row) == load(name).licence.startswith("CC BY 4.0")


def test_no_file_without_a_record_and_no_record_without_a_file() -> None:
    assert sorted(file.name for file in FILES.iterdir()) == sorted(
        ["SOURCES.md", *(f"{name}.csv.gz" for name in names())]
    )


def test_diabetes_does_not_claim_a_licence() -> None:
    assert load("diabetes").licence.startswith("none stated by its authors")


def test_digits_are_pictures() -> None:
    digits = load("digits")
    assert digits.images.shape == (1797, 8, 8)
    assert digits.images.min() == 0
    assert digits.images.max() == 16
    assert np.array_equal(digits.images[3].ravel(), digits.x[3])
    with pytest.raises(DataError, match=r"^iris has no images; only 'digits' has"):
        _ = load("iris").images


def test_repr_says_what_it_is() -> None:
    assert repr(load("digits")) == "DataSet(digits: 1797 rows × 64 features, 10 classes)"
    assert (
        repr(load("diabetes"))
        == "DataSet(diabetes: 442 rows × 10 features, regression of progression)"
    )


def test_unknown_name_says_the_nearest() -> None:
    with pytest.raises(DataError, match=r"no data set 'digit'; there are .*\. Did you mean digits"):
        load("digit")


def test_two_loads_share_no_memory() -> None:
    first = load("iris")
    first.x[:] = 0
    assert load("iris").x[0, 0] == np.float32(5.1)


# ---------------------------------------------------------------------------------- splits


def test_split_is_stratified_shuffled_and_seeded() -> None:
    data = load("breast_cancer")
    x_train, y_train, x_test, y_test = data.split(test=0.25, seed=3)
    assert len(x_train) + len(x_test) == 569
    assert abs(y_train.mean() - y_test.mean()) < 0.01
    assert len(set(y_train[:20].tolist())) == 2, "class after class is not shuffled"
    again = data.split(test=0.25, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(again, data.split(seed=3), strict=True))
    assert not np.array_equal(y_test, data.split(test=0.25, seed=4)[3])


def test_split_keeps_rows_and_targets_together() -> None:
    data = load("diabetes")
    x_train, y_train, _, _ = data.split()
    for x, y in zip(x_train[:5], y_train[:5], strict=True):
        assert any(
            np.array_equal(x, row) and y == goal for row, goal in zip(data.x, data.y, strict=True)
        )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=3, max_size=60),
    st.sampled_from([0.0, 0.1, 0.34, 0.6]),
    st.sampled_from([0.0, 0.1, 0.34]),
    st.integers(0, 99),
)
def test_every_row_lands_in_exactly_one_part(
    classes: list[int], validation: float, test: float, seed: int
) -> None:
    ids = np.array(classes)
    parts = split(len(ids), classes=ids, validation=validation, test=test, seed=seed)
    together = np.concatenate(parts[:3])
    assert sorted(together.tolist()) == list(range(len(ids)))
    assert len(parts.train) > 0
    assert (len(parts.validation) > 0) == (validation > 0)
    assert (len(parts.test) > 0) == (test > 0)
    counts = np.unique(ids, return_counts=True)[1]
    if counts.min() >= 1 + (validation > 0) + (test > 0):
        assert parts.notes == ()
        for part in (p for p in parts[:3] if len(p)):
            assert set(ids[part].tolist()) == set(classes)
    else:
        assert parts.notes[0].startswith("not stratified: class ")


def test_a_class_too_small_to_divide_is_said_by_name() -> None:
    parts = split(9, classes=np.array([0] * 8 + [1]), names=("cat", "gnu"))
    assert parts.notes == (
        "not stratified: class 'gnu' has 1 row, and one for each of 3 parts is needed; the rows "
        "were divided at random",
    )


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.2), (0, 1)])
def test_fractions_that_leave_nothing(validation: float, test: float) -> None:
    with pytest.raises(DataError, match="so that rows are left to train on"):
        split(10, validation=validation, test=test)


def test_fewer_rows_than_parts() -> None:
    with pytest.raises(DataError, match=r"^2 rows cannot be divided in 3 parts; give at least 3$"):
        split(2)
