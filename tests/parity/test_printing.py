"""The text of random tensors, character by character against PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.tensor.printing import (
    format_tensor,
    get_printoptions,
    printoptions,
    set_printoptions,
)

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

Array = npt.NDArray[Any]

NOT_COUNTED = st.sampled_from([0.0, -0.0, float("nan"), float("inf"), float("-inf")])
# At and around each threshold of the notation.
TURNING_POINTS = [0.5, 1.0, 1000.0, 1000.5, 1e8, 1.0000001e8, 1e-4, 9.99e-5, 0.1, 99999.99995]

SHAPES = st.one_of(
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
    st.sampled_from([(1000,), (1001,), (7, 150), (150, 7), (2, 600), (8, 9, 20), (3, 7, 7, 8)]),
)


def kinds(dtype: np.dtype[Any]) -> list[st.SearchStrategy[Any]]:
    """What the elements of one array can be: each kind brings out a notation of its own."""
    if dtype.kind != "f":
        return [hnp.from_dtype(dtype)]
    width: Literal[32, 64] = 32 if dtype == np.float32 else 64
    return [
        st.sampled_from([float(dtype.type(x)) for x in TURNING_POINTS]),
        st.sampled_from([1.0, 2.0, 1000.0, -30.0]) | NOT_COUNTED,
        st.sampled_from([1.0, 1000.0]),
        st.sampled_from([1e8, 1e8 - 8]),
        st.floats(-10, 10, width=width) | NOT_COUNTED,
        st.floats(width=width),
        NOT_COUNTED,
    ]


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    dtype = np.dtype(draw(st.sampled_from(["float32", "float64", "int32", "int64", "bool"])))
    shape = draw(SHAPES)
    if dtype.kind != "f" or draw(st.booleans()):
        return draw(hnp.arrays(dtype, shape, elements=draw(st.sampled_from(kinds(dtype)))))
    generator = np.random.default_rng(draw(st.integers(0, 1000)))
    magnitude = 10.0 ** draw(st.integers(-8, 10))
    return np.asarray(generator.normal(scale=magnitude, size=shape), dtype)


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 8),
        "threshold": st.sampled_from([0, 5, 50, 1000, float("inf")]),
        "edgeitems": st.integers(0, 5),
        "linewidth": st.sampled_from([1, 20, 40, 80, 200]),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.booleans(),
    },
)


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    """Leave both libraries as they were found."""
    yield
    for library in (torch.set_printoptions, set_printoptions):
        library(profile="default")
    torch.set_default_dtype(torch.float32)


def texts(value: Array, recorded: str, default: str) -> tuple[str, str]:
    """chalkgrad's text and PyTorch's, of a constant, a parameter or a result."""
    torch.set_default_dtype(getattr(torch, default))
    tensor = torch.tensor(value)
    if not tensor.is_floating_point():
        recorded = ""
    if recorded:
        tensor.requires_grad_()
    if recorded.startswith("grad_fn"):
        tensor = tensor.clone()
    return format_tensor(value, default_dtype=np.dtype(default), suffix=recorded), repr(tensor)


RECORDED = st.sampled_from(["", "requires_grad=True", "grad_fn=<CloneBackward0>"])
DEFAULTS = st.sampled_from(["float32", "float32", "float64"])


@settings(max_examples=200, deadline=None)
@given(value=arrays(), recorded=RECORDED, default=DEFAULTS)
def test_text(value: Array, recorded: str, default: str) -> None:
    ours, theirs = texts(value, recorded, default)
    assert ours == theirs


@settings(max_examples=100, deadline=None)
@given(value=arrays(), recorded=RECORDED, options=OPTIONS)
def test_text_under_other_options(value: Array, recorded: str, options: dict[str, Any]) -> None:
    with printoptions(profile="default"):
        torch.set_printoptions(profile="default")
        set_printoptions(**options)
        torch.set_printoptions(**options)
        ours, theirs = texts(value, recorded, "float32")
    assert ours == theirs


@settings(max_examples=50, deadline=None)
@given(calls=st.lists(OPTIONS, max_size=4))
def test_options_change_as_pytorch_changes_them(calls: list[dict[str, Any]]) -> None:
    with printoptions(profile="default"):
        torch.set_printoptions(profile="default")
        for options in calls:
            set_printoptions(**options)
            torch.set_printoptions(**options)
        assert get_printoptions() == torch._tensor_str.get_printoptions()
