"""Texts of tensors as PyTorch 2.13 printed them, so that they hold where it is not installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from chalkgrad.tensor.printing import (
    format_tensor,
    get_printoptions,
    printoptions,
    set_printoptions,
)

FLOAT32 = np.dtype(np.float32)
NAN, INF = np.nan, np.inf


def text(value: Any, dtype: npt.DTypeLike = np.float32, suffix: str = "") -> str:
    return format_tensor(np.array(value, dtype), default_dtype=FLOAT32, suffix=suffix)


def lines(*given: str) -> str:
    return "\n".join(given)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.5, "tensor(2.5000)"),
        (3, "tensor(3.)"),
        (0, "tensor(0.)"),
        (-0.0, "tensor(-0.)"),
        (NAN, "tensor(nan)"),
        ([1, -2], "tensor([ 1., -2.])"),
        ([0.5, 10], "tensor([ 0.5000, 10.0000])"),
        ([0, 0.25], "tensor([0.0000, 0.2500])"),
        ([NAN, INF, -INF], "tensor([nan, inf, -inf])"),
        ([1, NAN, -INF], "tensor([1., nan, -inf])"),
        ([0.5, NAN, INF, 0], "tensor([0.5000,    nan,    inf, 0.0000])"),
        ([1e-5, NAN], "tensor([1.0000e-05,        nan])"),
        ([1, 1000], "tensor([   1., 1000.])"),
        ([1, 1001], "tensor([1.0000e+00, 1.0010e+03])"),
        ([0, 1000, NAN], "tensor([   0., 1000.,   nan])"),
        ([1e8], "tensor([100000000.])"),
        ([1.1e8], "tensor([1.1000e+08])"),
        ([0.0002], "tensor([0.0002])"),
        ([0.00009], "tensor([9.0000e-05])"),
    ],
)
def test_notation_of_floats(value: Any, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        ([True, False], np.bool_, "tensor([ True, False])"),
        ([1, -20], np.int64, "tensor([  1, -20])"),
        ([1, -20], np.int32, "tensor([  1, -20], dtype=torch.int32)"),
        (7, np.int64, "tensor(7)"),
        ([2**62], np.int64, "tensor([4611686018427387904])"),
        (0.5, np.float64, "tensor(0.5000, dtype=torch.float64)"),
        ([1e-4], np.float64, "tensor([0.0001], dtype=torch.float64)"),
        ([1e300, 1e-300], np.float64, "tensor([1.0000e+300, 1.0000e-300], dtype=torch.float64)"),
    ],
)
def test_other_dtypes(value: Any, dtype: npt.DTypeLike, expected: str) -> None:
    assert text(value, dtype) == expected


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((0,), np.float32, "tensor([])"),
        ((0,), np.int64, "tensor([], dtype=torch.int64)"),
        ((0, 3), np.float32, "tensor([], size=(0, 3))"),
        ((2, 0), np.bool_, "tensor([], size=(2, 0), dtype=torch.bool)"),
    ],
)
def test_empty(shape: tuple[int, ...], dtype: npt.DTypeLike, expected: str) -> None:
    assert text(np.zeros(shape), dtype) == expected


def test_the_default_dtype_goes_without_saying() -> None:
    value = np.array([0.5])
    assert format_tensor(value, default_dtype=np.dtype(np.float64)) == "tensor([0.5000])"
    value = value.astype(np.float32)
    expected = "tensor([0.5000], dtype=torch.float32)"
    assert format_tensor(value, default_dtype=np.dtype(np.float64)) == expected


def test_another_prefix_for_dtypes() -> None:
    shown = format_tensor(np.array([1], np.int32), default_dtype=FLOAT32, dtype_prefix="chalkgrad")
    assert shown == "tensor([1], dtype=chalkgrad.int32)"


def test_lines_break_where_the_next_number_would_not_fit() -> None:
    assert text(np.arange(20), np.int64) == lines(
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,",
        "        18, 19])",
    )


def test_dimensions_are_separated_by_empty_lines() -> None:
    assert text(np.arange(24).reshape(2, 3, 4) / 3) == lines(
        "tensor([[[0.0000, 0.3333, 0.6667, 1.0000],",
        "         [1.3333, 1.6667, 2.0000, 2.3333],",
        "         [2.6667, 3.0000, 3.3333, 3.6667]],",
        "",
        "        [[4.0000, 4.3333, 4.6667, 5.0000],",
        "         [5.3333, 5.6667, 6.0000, 6.3333],",
        "         [6.6667, 7.0000, 7.3333, 7.6667]]])",
    )


def test_only_the_edges_of_large_tensors() -> None:
    assert text(np.arange(1000), np.int64).count(",") == 999
    shown = "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    assert text(np.arange(1001), np.int64) == shown
    assert text(np.arange(1002).reshape(501, 2), np.int64) == lines(
        "tensor([[   0,    1],",
        "        [   2,    3],",
        "        [   4,    5],",
        "        ...,",
        "        [ 996,  997],",
        "        [ 998,  999],",
        "        [1000, 1001]])",
    )


def test_numbers_that_are_not_shown_have_no_say_in_the_notation() -> None:
    value = np.ones(1001)
    value[500] = 0.00001
    assert text(value) == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"


def test_suffix_follows_the_dtype_on_the_last_line() -> None:
    assert text(np.full((2, 2), 2 / 3), np.float64, "grad_fn=<MulBackward0>") == lines(
        "tensor([[0.6667, 0.6667],",
        "        [0.6667, 0.6667]], dtype=torch.float64, grad_fn=<MulBackward0>)",
    )


def test_suffix_that_does_not_fit_gets_a_line() -> None:
    fits = "tensor([0.3333, 0.3333, 0.3333, 0.3333, 0.3333], grad_fn=<AddBackward0>)"
    assert text([1 / 3] * 5, suffix="grad_fn=<AddBackward0>") == fits
    assert text([1 / 3] * 6, suffix="grad_fn=<AddBackward0>") == lines(
        "tensor([0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333],",
        "       grad_fn=<AddBackward0>)",
    )
    assert text([1 / 3] * 12, suffix="requires_grad=True") == lines(
        "tensor([0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333,",
        "        0.3333, 0.3333, 0.3333], requires_grad=True)",
    )


def test_two_suffixes_that_do_not_share_a_line() -> None:
    with printoptions(linewidth=40):
        assert text([1 / 3] * 2, np.float64, "requires_grad=True") == lines(
            "tensor([0.3333, 0.3333],",
            "       dtype=torch.float64,",
            "       requires_grad=True)",
        )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"precision": 2}, "tensor([0.12, 2.00, 3.00, 4.00])"),
        ({"precision": 0}, "tensor([0, 2, 3, 4])"),
        ({"sci_mode": True}, "tensor([1.2346e-01, 2.0000e+00, 3.0000e+00, 4.0000e+00])"),
        ({"threshold": 3, "edgeitems": 1}, "tensor([0.1235,  ..., 4.0000])"),
        ({"threshold": 3, "edgeitems": 0}, "tensor([...], size=(4,))"),
        ({"profile": "short"}, "tensor([0.12, 2.00, 3.00, 4.00])"),
        ({"linewidth": 20}, "tensor([0.1235,\n        2.0000,\n        3.0000,\n        4.0000])"),
    ],
)
def test_options(options: dict[str, Any], expected: str) -> None:
    with printoptions(**options):
        assert text([0.123456, 2, 3, 4]) == expected
    assert text([0.123456, 2, 3, 4]) == "tensor([0.1235, 2.0000, 3.0000, 4.0000])"


def test_sci_mode_returns_to_automatic_unless_repeated() -> None:
    with printoptions(sci_mode=True):
        set_printoptions(precision=2)
        assert get_printoptions()["sci_mode"] is None
        set_printoptions(profile="full", linewidth=10)
        assert get_printoptions() == {
            "precision": 4,
            "threshold": INF,
            "edgeitems": 3,
            "linewidth": 10,
            "sci_mode": None,
        }


def test_options_are_restored_after_an_error() -> None:
    before = get_printoptions()
    with pytest.raises(RuntimeError, match="inside"), printoptions(precision=1):
        raise RuntimeError("inside")
    assert get_printoptions() == before


def test_unknown_profile() -> None:
    expected = "profile is 'tiny'; it can be 'default', 'short' or 'full'"
    with pytest.raises(ValueError, match=expected):
        set_printoptions(profile="tiny")


def test_huge_tensors_are_cut_before_they_are_read() -> None:
    virtual = np.broadcast_to(np.float32(0.5), (10**6, 10**6))
    shown = format_tensor(virtual, default_dtype=FLOAT32)
    assert shown.startswith("tensor([[0.5000, 0.5000, 0.5000,  ..., 0.5000,")
