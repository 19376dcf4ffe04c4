"""One program, run by chalkgrad and by PyTorch: do they agree?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg

Program = Callable[..., Any]


def pair(array: Any, requires_grad: bool = False) -> tuple[Any, Any]:
    """The same numbers as a tensor of each library, in memory of their own."""
    array = np.asarray(array)
    tracked = requires_grad and array.dtype.kind == "f"
    ours, theirs = cg.tensor(array), torch.tensor(array)
    return (ours.requires_grad_(), theirs.requires_grad_()) if tracked else (ours, theirs)


def listed(result: Any) -> list[Any]:
    """The tensors of a result, which may be one or a tuple of them."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def assert_same(ours: Any, theirs: Any, rtol: float = 1e-6) -> None:
    """Equal values, types and shapes."""
    found, wanted = ours.detach().numpy(), theirs.detach().numpy()
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    assert ours.requires_grad == theirs.requires_grad
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol)


def assert_agree(program: Program, *arrays: Any, rtol: float = 1e-6) -> None:
    """Equal results of `program(library, *tensors)`, and equal gradients for random cotangents."""
    pairs = [pair(array, requires_grad=True) for array in arrays]
    ours = listed(program(cg, *(a for a, _ in pairs)))
    theirs = listed(program(torch, *(b for _, b in pairs)))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert_same(a, b, rtol)
    rng = np.random.default_rng(len(arrays))
    both = zip(ours, theirs, strict=True)
    tracked = [(a, b, rng.normal(size=b.shape)) for a, b in both if b.requires_grad]
    for k, (a, b, cotangent) in enumerate(tracked):
        more = k + 1 < len(tracked)
        ours_seed, theirs_seed = pair(cotangent.astype(b.detach().numpy().dtype))
        a.backward(ours_seed, retain_graph=more)
        b.backward(theirs_seed, retain_graph=more)
    for ours_in, theirs_in in pairs:
        assert_same_gradient(ours_in, theirs_in, rtol)


def assert_same_gradient(ours: Any, theirs: Any, rtol: float = 1e-6) -> None:
    """Equal gradients, or none on both sides. Zeros count as none: they have no effect."""
    if theirs.grad is None or ours.grad is None:
        for grad in (ours.grad, theirs.grad):
            assert grad is None or not grad.numpy().any()
        return
    assert_same(ours.grad, theirs.grad, rtol)


def assert_both_raise(program: Program, *arrays: Any) -> None:
    """Both refuse, and ours with an error that a handler for PyTorch's would catch."""
    with pytest.raises(Exception) as theirs:  # noqa: PT011  (whatever PyTorch says)
        program(torch, *(torch.tensor(np.asarray(a)) for a in arrays))
    with pytest.raises(theirs.type):
        program(cg, *(cg.tensor(np.asarray(a)) for a in arrays))


def normal(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=shape)
