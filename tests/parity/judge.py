"""One judge for many tables: the same call in PyTorch and in chalkgrad, compared in full."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg

EPSILON = {"float32": 4e-6, "float64": 1e-11}


def ours(array: np.ndarray, grad: bool = False) -> Any:
    return cg.tensor(array, requires_grad=grad and array.dtype.kind == "f")


def theirs(array: np.ndarray, grad: bool = False) -> Any:
    return torch.tensor(array).requires_grad_(grad and array.dtype.kind == "f")


def same(
    call: Callable[..., Any], *arrays: np.ndarray, grad: bool = True, close: float = 1.0
) -> None:
    """`call(library, *tensors)` gives the same values, dtypes, shapes, gradients, or error."""
    wanted_in = [theirs(a, grad) for a in arrays]
    found_in = [ours(a, grad) for a in arrays]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = call(torch, *wanted_in)
    except Exception as error:
        refused(call, found_in, error)
        return
    found = call(cg, *found_in)
    pairs = list(zip(parts(wanted), parts(found), strict=True))
    for expected, got in pairs:
        equal(expected, got, close)
    if grad:
        same_gradients([(w, f) for w, f in pairs if floats(w)], wanted_in, found_in, close)


def refused(call: Callable[..., Any], operands: Sequence[Any], error: Exception) -> None:
    with pytest.raises(type(error), match=r"."):  # of that class, and not without a word
        call(cg, *operands)


def parts(result: Any) -> list[Any]:
    """The tensors and numbers of a result."""
    if isinstance(result, (list, tuple)) and not isinstance(result, (torch.Size, cg.Size)):
        return [part for item in result for part in parts(item)]
    return [result]


def floats(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and x.is_floating_point() and x.requires_grad


def equal(wanted: Any, found: Any, close: float = 1.0) -> None:
    if not isinstance(wanted, torch.Tensor):
        assert type(found).__name__ == type(wanted).__name__
        assert str(found) == str(wanted)
        return
    assert isinstance(found, cg.Tensor)
    assert tuple(found.shape) == tuple(wanted.shape)
    assert str(found.dtype) == str(wanted.dtype)
    numbers_agree(wanted.detach().numpy(), found.detach().numpy(), close)


def numbers_agree(wanted: np.ndarray, found: np.ndarray, close: float = 1.0) -> None:
    if wanted.dtype.kind != "f":
        np.testing.assert_array_equal(found, wanted)
        return
    size = np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)
    relative = EPSILON[wanted.dtype.name] * close
    np.testing.assert_allclose(
        found, wanted, rtol=relative, atol=relative * min(size, 1e6), equal_nan=True
    )


def same_gradients(
    pairs: list[tuple[Any, Any]], wanted_in: Sequence[Any], found_in: Sequence[Any], close: float
) -> None:
    """The gradients towards every operand, for random gradients of the outputs."""
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=tuple(w.shape)).astype(str(w.dtype)[6:]) for w, _ in pairs]
    try:
        for (wanted, _), weight in zip(pairs, weights, strict=True):
            wanted.backward(torch.tensor(weight), retain_graph=True)
    except (NotImplementedError, RuntimeError):  # PyTorch has no derivative here
        return
    for (_, found), weight in zip(pairs, weights, strict=True):
        assert found.requires_grad
        found.backward(cg.tensor(weight), retain_graph=True)
    for w, f in zip(wanted_in, found_in, strict=True):
        wanted = None if w.grad is None else w.grad.numpy(force=True)
        if f.grad is None:  # PyTorch writes out a gradient of zeros in some places
            assert wanted is None or not wanted.any(), "no gradient"
        elif wanted is None:
            assert not f.grad.numpy().any()
        else:
            assert str(f.grad.dtype) == str(w.grad.dtype)
            numbers_agree(wanted, f.grad.numpy(), close * 4)
