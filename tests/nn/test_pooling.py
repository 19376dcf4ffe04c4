"""Where a maximum is: inside of the input, and at a NaN if there is one."""

from __future__ import annotations

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.nn import functional as F

EXECUTORS = [None, "numpy", "native"]


def gradient(x: cg.Tensor, executor: str | None, *window: int) -> np.ndarray:
    def function(x: cg.Tensor) -> cg.Tensor:
        x = x.detach().requires_grad_()
        (found,) = cg.autograd.grad(F.max_pool2d(x, *window).sum(), x)
        return found

    run = function if executor is None else cg.compile(function, executor=executor)
    return run(x).numpy()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_window_of_nothing_but_minus_infinity(executor: str | None) -> None:
    x = cg.zeros(2, 1, 4, 4)
    x[1] = -float("inf")
    one = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    found = gradient(x, executor, 3, 2, 1)
    np.testing.assert_array_equal(found.sum((1, 2, 3)), [4, 4])
    places = F.max_pool2d(x, 3, 2, 1, return_indices=True)[1].numpy()
    assert places.tolist() == [[[[0, 1], [4, 5]]]] * 2
    np.testing.assert_array_equal(found, [[one], [one]])


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_gradient_of_a_window_with_nan_is_at_the_nan(executor: str | None) -> None:
    x = cg.arange(16.0).reshape(1, 1, 4, 4)
    x[0, 0, 1, 0] = float("nan")
    wanted = np.zeros((1, 1, 4, 4))
    wanted[0, 0, [1, 1, 3, 3], [0, 3, 1, 3]] = 1
    np.testing.assert_array_equal(gradient(x, executor, 2), wanted)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_two_derivatives_with_nan(executor: str | None) -> None:
    x = cg.arange(16.0).reshape(1, 1, 4, 4)
    x[0, 0, 1, 0] = float("nan")

    def function(x: cg.Tensor, g: cg.Tensor) -> cg.Tensor:
        x, g = x.detach().requires_grad_(), g.detach().requires_grad_()
        (first,) = cg.autograd.grad((F.max_pool2d(x, 2) * g).sum(), x, create_graph=True)
        (second,) = cg.autograd.grad((first * cg.arange(16.0).reshape(1, 1, 4, 4)).sum(), g)
        return second

    run = function if executor is None else cg.compile(function, executor=executor)
    assert run(x, cg.ones(1, 1, 2, 2)).tolist() == [[[[4, 7], [13, 15]]]]
