"""The derivatives of functions: right, composable, and clear about what they cannot do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.core.verify import verify


def float64(value: Any, **options: Any) -> cg.Tensor:
    return cg.tensor(value, dtype=cg.float64, **options)


def difference(function: Any, at: float, step: float = 1e-5) -> float:
    up, down = function(float64(at + step)), function(float64(at - step))
    return float((up - down).item() / (2 * step))


def wave(x: Any) -> Any:
    return (x * x).sin() * x.exp()


def test_each_order_is_the_slope_of_the_one_before() -> None:
    function = wave
    for _ in range(4):
        slope = cg.grad(function)
        assert slope(float64(0.7)).item() == pytest.approx(difference(function, 0.7), rel=1e-6)
        function = slope


def test_lecture_four() -> None:
    value, slopes = cg.value_and_grad(lambda x, y, z: 3 * (x + y * z), argnums=(0, 1, 2))(1, 2, 4)
    assert value.item() == 27
    assert [slope.item() for slope in slopes] == [3, 12, 6]


def test_results_have_no_history_of_their_own() -> None:
    x = float64([1.0, 2.0])
    value, slope = cg.value_and_grad(lambda x: (x * x).sum())(x)
    assert not value.requires_grad
    assert not slope.requires_grad
    assert not cg.jacobian(wave)(x).requires_grad
    assert not cg.jvp(wave, (x,), (x,))[1].requires_grad


def test_parameters_outside_can_be_trained_through_a_derivative() -> None:
    weight = float64(3.0, requires_grad=True)
    slope = cg.grad(lambda x: weight * x**2)(float64(2.0))
    assert slope.item() == 12.0
    slope.backward()
    assert weight.grad is not None
    assert weight.grad.item() == 4.0


def test_the_derivative_of_a_tracked_tensor_goes_on_to_it() -> None:
    x = float64(2.0, requires_grad=True)
    (cg.grad(lambda y: y**3)(x * 2)).backward()
    assert x.grad is not None
    assert x.grad.item() == 48.0  # d/dx 3·(2x)² = 24x


def test_a_derivative_is_taken_inside_no_grad() -> None:
    with cg.no_grad():
        slope = cg.grad(lambda x: x**3)(float64(2.0))
    assert slope.item() == 12.0
    assert not slope.requires_grad


def test_the_inner_variable_is_not_confused_with_the_outer_one() -> None:
    # d/dx (x · d/dy (x + y)) = 1, a classic of perturbation confusion
    inner = lambda x: x * cg.grad(lambda y: x + y)(float64(1.0))  # noqa: E731
    assert cg.grad(inner)(float64(5.0)).item() == 1.0


def test_arguments_may_be_nested_and_come_back_nested() -> None:
    parameters = {"w": [float64([1.0, 2.0]), 3.0], "b": (float64(0.5),)}
    loss = lambda p: (p["w"][0] * p["w"][1]).sum() * p["b"][0]  # noqa: E731
    found = cg.grad(loss)(parameters)
    np.testing.assert_allclose(found["w"][0].numpy(), [1.5, 1.5])
    assert found["w"][1].item() == 1.5
    assert found["b"][0].item() == 9.0


def test_aux_comes_along() -> None:
    function = lambda x: (x**2, {"double": x * 2})  # noqa: E731
    slope, aux = cg.grad(function, has_aux=True)(float64(3.0))
    assert (slope.item(), aux["double"].item()) == (6.0, 6.0)
    assert not aux["double"].requires_grad
    (value, aux), slope = cg.value_and_grad(function, has_aux=True)(float64(3.0))
    assert (value.item(), aux["double"].item(), slope.item()) == (9.0, 6.0, 6.0)


def test_an_argument_that_does_not_matter_has_a_gradient_of_zeros() -> None:
    found = cg.grad(lambda x, y: x.sum(), argnums=(0, 1))(float64([1.0]), float64([1.0, 2.0]))
    np.testing.assert_array_equal(found[1].numpy(), [0.0, 0.0])
    constant = cg.grad(lambda x: float64(3.0))(float64([1.0, 2.0]))
    np.testing.assert_array_equal(constant.numpy(), [0.0, 0.0])


def test_vjp_and_jvp_are_the_two_sides_of_the_jacobian() -> None:
    rng = np.random.default_rng(0)
    x, weight = float64(rng.normal(size=3)), float64(rng.normal(size=(4, 3)))
    function = lambda x: (weight @ x).tanh() * x.sum()  # noqa: E731
    matrix = cg.jacobian(function)(x).numpy()
    u, v = float64(rng.normal(size=4)), float64(rng.normal(size=3))
    value, back = cg.vjp(function, x)
    along_value, along = cg.jvp(function, (x,), (v,))
    np.testing.assert_array_equal(value.numpy(), along_value.numpy())
    np.testing.assert_allclose(back(u)[0].numpy(), u.numpy() @ matrix, rtol=1e-12)
    np.testing.assert_allclose(along.numpy(), matrix @ v.numpy(), rtol=1e-12)
    numeric = (function(x + v * 1e-6) - function(x - v * 1e-6)) / 2e-6
    np.testing.assert_allclose(along.numpy(), numeric.numpy(), rtol=1e-7)


def test_jvp_of_a_function_that_does_not_depend_on_its_input_is_zero() -> None:
    x = float64([1.0, 2.0])
    value, along = cg.jvp(lambda x: cg.ones(3), (x,), (x,))
    assert value.shape == along.shape == (3,)
    np.testing.assert_array_equal(along.numpy(), np.zeros(3))


def test_the_hessian_is_symmetric_and_right() -> None:
    x = float64([0.3, -0.8, 1.2])
    found = cg.hessian(lambda x: (x[0] * x[1] ** 2 * x[2].exp() + x.sum() ** 3).sin())(x).numpy()
    np.testing.assert_allclose(found, found.T, rtol=1e-12)
    slope = cg.grad(lambda x: (x[0] * x[1] ** 2 * x[2].exp() + x.sum() ** 3).sin())
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-5
        numeric = (slope(x + float64(step)) - slope(x - float64(step))) / 2e-5
        np.testing.assert_allclose(found[k], numeric.numpy(), rtol=1e-6, atol=1e-8)


def test_the_hessian_of_a_product_at_zero() -> None:
    found = cg.hessian(lambda x: x.prod())(float64([0.0, 2.0, 3.0])).numpy()
    np.testing.assert_array_equal(found, [[0, 3, 2], [3, 0, 0], [2, 0, 0]])


def test_the_jacobian_of_several_outputs_and_arguments_is_nested() -> None:
    function = lambda x, y: (x * y, {"s": x.sum()})  # noqa: E731
    found = cg.jacobian(function, argnums=(0, 1))(float64([1.0, 2.0]), float64([3.0, 4.0]))
    np.testing.assert_array_equal(found[0][0].numpy(), np.diag([3.0, 4.0]))
    np.testing.assert_array_equal(found[0][1].numpy(), np.diag([1.0, 2.0]))
    np.testing.assert_array_equal(found[1]["s"][0].numpy(), [1.0, 1.0])
    empty = cg.jacobian(lambda x: x[:0])(float64([1.0, 2.0]))
    assert empty.shape == (0, 2)


def test_a_derivative_can_be_traced() -> None:
    slope = cg.grad(lambda x: (x**3).sum())
    graph = cg.trace(slope, cg.zeros(3))
    verify(graph)
    assert graph.outputs[0].shape == (3,)


def test_mistakes_are_named() -> None:
    with pytest.raises(RuntimeError, match=r"shape \[2\].*jacobian"):
        cg.grad(lambda x: x * 2)(float64([1.0, 2.0]))
    with pytest.raises(RuntimeError, match=r"floating-point arguments; this one is torch.int64"):
        cg.grad(lambda x: x.sum())(cg.tensor([1, 2]))
    with pytest.raises(ValueError, match="argnums=2 of a function that is given 1 arguments"):
        cg.grad(lambda x: x, argnums=2)(1.0)
    with pytest.raises(TypeError, match="returns a tensor, not float"):
        cg.grad(lambda x: 3.0)(1.0)
    with pytest.raises(TypeError, match="returns a pair"):
        cg.grad(lambda x: x, has_aux=True)(1.0)
    with pytest.raises(ValueError, match=r"cotangent of shape \[3\] .* shape \[2\]"):
        cg.vjp(lambda x: x, float64([1.0, 2.0]))[1](cg.ones(3))
    with pytest.raises(ValueError, match="2 tangents are given for 1 tensors"):
        cg.jvp(lambda x: x, (float64(1.0),), (1.0, 2.0))
