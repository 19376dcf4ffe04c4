"""A CSV dropped on the page: a worksheet with a small network, or one sentence on what is wrong."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.core.errors import ChalkgradError
from chalkgrad.studio.csv_file import from_csv
from chalkgrad.studio.limits import LARGEST_CSV
from chalkgrad.worksheet import Worksheet
from tests.studio.engine import Talk, opened

IRIS = "examples/tables/iris.csv"


def test_classes_become_outputs_and_the_network_learns_them() -> None:
    with open(IRIS) as stream:
        text = stream.read()
    talk = Talk()
    state = talk.ask("open", csv=text, name="iris.csv", target="species")
    sheet = Worksheet.from_text(state["worksheet"])
    assert sheet.data is not None
    assert sheet.loss is not None
    assert (len(sheet.data.inputs), sheet.loss.kind) == (4, "cross_entropy")
    assert list(sheet.layers[-1].units) == [
        "species_setosa", "species_versicolor", "species_virginica",
    ]  # fmt: skip
    for column in sheet.data.inputs.values():
        assert np.mean(column) == pytest.approx(0, abs=1e-3)
        assert np.std(column) == pytest.approx(1, abs=1e-3)
    learned = talk.ask("step", count=500)
    assert learned["loss"]["value"] < 0.1 < state["loss"]["value"]


def test_two_classes_are_one_output_and_amounts_are_scaled() -> None:
    rows = "".join(f"{k},{k % 3},{'yes' if k > 10 else 'no'},{k * 2.5}\n" for k in range(20))
    state = Talk().ask("open", csv=f"a,b,late,cost\n{rows}", target="late")
    assert state["settings"]["loss"]["kind"] == "binary_cross_entropy"
    assert any("late is 1 for 'yes' and 0 for 'no'" in note for note in state["notes"])
    assert len(state["scene"]["layers"][0]["units"]) == 3
    state = Talk().ask("open", csv=f"a,b,late,cost\n{rows}")
    assert state["settings"]["loss"]["kind"] == "mean_squared_error"
    assert any("left out" in note and "late" in note for note in state["notes"])
    assert any(note.startswith("cost is (cost −") for note in state["notes"])


def test_missing_cells_quotes_and_semicolons() -> None:
    text = '\ufeff"x, wide";y\n1,5;2\n;3\n2,5;"4"\nNA;5\n3;6\n'
    sheet = from_csv(text, "t.csv")
    assert sheet.records == 3
    assert list(sheet.worksheet.data.inputs) == ["x_wide"]  # type: ignore[union-attr]
    assert "2 rows with missing cells are left out" in sheet.notes


def test_many_rows_are_sampled_and_said() -> None:
    text = "x,y\n" + "".join(f"{k},{k * k % 97}\n" for k in range(5000))
    sheet = from_csv(text, "t.csv")
    assert sheet.records == 300
    assert any("300 of 5,000 rows" in note for note in sheet.notes)


def test_too_many_rows_stop_in_time() -> None:
    text = "x,y\n" + "1,2\n3,5\n" * 200_000
    started = time.process_time()
    sheet = from_csv(text, "t.csv")
    assert time.process_time() - started < 5
    assert any("100,000 rows are read" in note for note in sheet.notes)


def test_strange_headings_get_names_that_formulas_know() -> None:
    text = "w1,exp,2nd,größe (cm),größe [cm],L\n" + "".join(
        f"{k},{k * 2},{k % 5},{k + 1},{k % 7},{k % 4 + 0.5}\n" for k in range(30)
    )
    sheet = from_csv(text, "t.csv")
    assert list(sheet.worksheet.data.inputs) == [  # type: ignore[union-attr]
        "x_w1", "x_exp", "x_2nd", "größe_cm", "größe_cm_2",
    ]  # fmt: skip


REFUSED = {
    "nothing": ("", "fewer than 2 records"),
    "a header only": ("a,b\n", "fewer than 2 records"),
    "one column": ("a\n1\n2\n3\n", "one column"),
    "a ragged row": ("a,b\n1,2\n3\n4,5\n", "row 3 has 1 cells"),
    "two alike": ("a,a\n1,2\n3,4\n5,6\n", "two columns"),
    "no name": ("a,\n1,2\n3,4\n5,6\n", "without a name"),
    "no numbers": ("a,b\nx,1\ny,2\nz,1\n", "no column of numbers"),
    "one class": ("a,b\n1,x\n2,x\n3,x\n", "nothing to learn"),
    "many classes": ("a,b\n" + "".join(f"{k},c{k}\n" for k in range(30)), "30 different words"),
    "an open quote": ('a,b\n1,"2\n3,4\n', "no CSV"),
    "zero bytes": ("a,b\n1,\0\n3,4\n", "zero byte"),
    "a huge cell": ("a,b\n" + "1" * 5000 + ",2\n3,4\n", "no CSV"),
    "huge numbers": ("a,b\n1e308,2.5\n-1e308,4.5\n1e308,1.5\n", "too large"),
    "equal amounts": ("a,b\n1,0.5\n2,0.5\n3,0.5\n", "nothing to learn"),
    "all missing": ("a,b\n,0.5\n,1.5\nNA,2.5\n", "no column of numbers"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused_with_one_sentence(text: str, words: str) -> None:
    talk, before = opened("lecture_004")
    message = talk.refused("open", csv=text or " ", name="my.csv")
    assert words in message
    assert "\n" not in message
    assert talk.ask("hello", version=1)["state"] == before


def test_a_target_that_is_not_there_and_a_file_that_is_too_large() -> None:
    talk = Talk()
    assert "Did you mean b" in talk.refused("open", csv="a,b\n1,2\n3,4\n", target="bb")
    assert "characters" in talk.refused("open", csv="a" * (LARGEST_CSV + 1))


CELLS = st.one_of(
    st.integers(-5, 5).map(str), st.floats(-1e3, 1e3).map(repr), st.sampled_from(
        ["", "NA", "x", "y", "1e999", "nan", "inf", "-inf", "0x10", "1_000", "½", "'", "=1+1"]
    ),
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=2, max_size=12))
def test_whatever_the_cells_are_there_is_a_worksheet_or_a_sentence(rows: list[list[str]]) -> None:
    text = "a,b,c\n" + "".join(",".join(row) + "\n" for row in rows)
    try:
        sheet = from_csv(text, "t.csv")
    except ChalkgradError:
        return
    assert np.isfinite(sheet.loss())
