"""`autograd.grad`, `backward`, the switches, and the checks of derivatives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import autograd


def float64(value: Any, **options: Any) -> cg.Tensor:
    return cg.tensor(value, dtype=cg.float64, **options)


def variable(value: Any) -> cg.Tensor:
    return float64(value, requires_grad=True)


def test_grad_gives_gradients_back_and_leaves_the_leaves_alone() -> None:
    x, y = variable([1.0, 2.0]), variable(3.0)
    found = autograd.grad((x * y).sum(), [x, y])
    np.testing.assert_array_equal(found[0].numpy(), [3.0, 3.0])
    assert found[1].item() == 3.0
    assert x.grad is None
    assert y.grad is None


def test_grad_towards_a_tensor_on_the_way_and_towards_the_output() -> None:
    x = variable(2.0)
    middle = x * x
    out = middle * 5
    assert [g.item() for g in autograd.grad(out, [middle, x, out])] == [5.0, 20.0, 1.0]


def test_grad_outputs_weigh_the_outputs() -> None:
    x = variable([1.0, 2.0])
    weights = float64([10.0, 1.0])
    found = autograd.grad([x * x, x.sum()], x, [weights, None])[0]
    np.testing.assert_array_equal(found.numpy(), [21.0, 5.0])


def test_a_tracked_grad_output_is_part_of_the_graph() -> None:
    x, weight = variable(3.0), variable(2.0)
    (slope,) = autograd.grad(x * x, x, weight, create_graph=True)
    assert autograd.grad(slope, weight)[0].item() == 6.0


def test_create_graph_and_second_derivatives() -> None:
    x = variable([1.0, 2.0])
    (slope,) = autograd.grad((x**3).sum(), x, create_graph=True)
    (curve,) = autograd.grad(slope.sum(), x)
    np.testing.assert_array_equal(curve.numpy(), [6.0, 12.0])


def test_unused_inputs() -> None:
    x, other = variable(2.0), variable([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"index 1.*Set allow_unused=True"):
        autograd.grad(x * x, [x, other])
    assert autograd.grad(x * x, [x, other], allow_unused=True)[1] is None
    zeros = autograd.grad(x * x, [x, other], materialize_grads=True)[1]
    np.testing.assert_array_equal(zeros.numpy(), [0.0, 0.0])
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed"):
        autograd.grad(x * x, x, allow_unused=False, materialize_grads=True)


def test_the_graph_is_spent_unless_retained() -> None:
    x = variable(2.0)
    y = x * x
    autograd.grad(y, x, retain_graph=True)
    autograd.grad(y, x)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        autograd.grad(y, x)


def test_many_calls_agree_bit_for_bit() -> None:
    x = variable(np.linspace(-1, 1, 7))
    wanted = None
    for _ in range(4):
        (found,) = autograd.grad((x.sin() * x.exp()).sum(), x)
        wanted = found.numpy().tobytes() if wanted is None else wanted
        assert found.numpy().tobytes() == wanted


def test_backward_of_several_tensors_towards_chosen_inputs() -> None:
    x, y = variable(2.0), variable(3.0)
    autograd.backward([x * y, x * x], [float64(10.0), None], inputs=[x])
    assert x.grad is not None
    assert x.grad.item() == 34.0
    assert y.grad is None


MISTAKES: list[tuple[Any, type[Exception], str]] = [
    (lambda x: autograd.grad(x * x, []), RuntimeError, "cannot be empty"),
    (lambda x: autograd.backward(x.sum(), inputs=[]), RuntimeError, "cannot be empty"),
    (lambda x: autograd.grad(x * x, x), RuntimeError, "only for scalar outputs"),
    (lambda x: autograd.grad(x * x, x, cg.ones(3)), RuntimeError, "Mismatch in shape"),
    (lambda x: autograd.grad(x.sum(), cg.ones(2)), RuntimeError, "not require grad: index 0"),
    (lambda x: autograd.grad(x.detach().sum(), x), RuntimeError, "require grad and does not"),
    (lambda x: autograd.grad(3.0, x), TypeError, "outputs must be tensors, not float"),
    (lambda x: autograd.grad(x.sum(), 3.0), TypeError, "inputs must be tensors, not float"),
    (lambda x: autograd.grad([x.sum()], x, [None, None]), RuntimeError, "1 tensors and 2 grad"),
]


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES)
def test_mistakes_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(variable([1.0, 2.0]))


# Switches.
def test_no_grad_as_region_function_and_generator() -> None:
    x = variable(2.0)
    with cg.no_grad():
        assert not cg.is_grad_enabled()
        assert not (x * x).requires_grad
        with cg.enable_grad():
            assert (x * x).requires_grad
        assert not (x * x).requires_grad
    assert cg.is_grad_enabled()

    @cg.no_grad()
    def called(depth: int) -> bool:
        return cg.is_grad_enabled() if depth == 0 else called(depth - 1)

    @cg.no_grad
    def bare() -> bool:
        return cg.is_grad_enabled()

    @cg.no_grad()
    def steps() -> Iterator[bool]:
        yield cg.is_grad_enabled()
        yield cg.is_grad_enabled()

    assert not called(2)
    assert not bare()
    for inside in steps():
        assert not inside
        assert cg.is_grad_enabled()
    assert called.__name__ == "called"


def test_one_switch_object_may_be_used_again_and_nested() -> None:
    switch = cg.no_grad()
    with switch, switch:
        assert not cg.is_grad_enabled()
    assert cg.is_grad_enabled()
    with switch:
        assert not cg.is_grad_enabled()


def test_an_error_inside_leaves_recording_as_it_was() -> None:
    with pytest.raises(KeyError), cg.no_grad():
        raise KeyError
    assert cg.is_grad_enabled()


def test_set_grad_enabled_acts_at_once_or_for_a_region() -> None:
    cg.set_grad_enabled(False)
    assert not cg.is_grad_enabled()
    cg.set_grad_enabled(True)
    with cg.set_grad_enabled(False):
        assert not cg.is_grad_enabled()
    assert cg.is_grad_enabled()

    @cg.set_grad_enabled(False)
    def called() -> bool:
        return cg.is_grad_enabled()

    assert cg.is_grad_enabled()
    assert not called()
    assert cg.is_grad_enabled()


def test_inference_mode() -> None:
    with cg.inference_mode():
        assert not cg.is_grad_enabled()
        with cg.inference_mode(False):
            assert cg.is_grad_enabled()
    assert not cg.inference_mode(lambda: cg.is_grad_enabled())()
    assert not cg.inference_mode()(lambda: cg.is_grad_enabled())()


def test_threads_switch_for_themselves() -> None:
    seen: list[bool] = []
    with cg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(cg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


# Checks.
def test_gradcheck_finds_a_wrong_derivative() -> None:
    class Wrong(autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0].cos() * 1.01

    x = variable([0.3, -0.4])
    with pytest.raises(
        autograd.GradcheckError, match="Jacobian mismatch for output 0 with respect"
    ):
        autograd.gradcheck(Wrong.apply, (x,))
    assert autograd.gradcheck(Wrong.apply, x, raise_exception=False) is False
    assert autograd.gradcheck(lambda x: (x.sin(), x.sum()), x)


def test_gradgradcheck_finds_a_derivative_that_forgets_its_graph() -> None:
    class Detached(autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (3 * ctx.saved_tensors[0].detach() ** 2)

    x = variable([0.3, -0.4])
    assert autograd.gradcheck(Detached.apply, x)
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        autograd.gradgradcheck(Detached.apply, x)


def test_gradcheck_asks_for_a_gradient_and_for_float64() -> None:
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        autograd.gradcheck(cg.sin, float64([1.0]))
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double"):
        autograd.gradcheck(cg.sin, cg.tensor([1.0], requires_grad=True), eps=1e-2)


def test_gradcheck_of_arrays_without_elements() -> None:
    x = variable(np.zeros((0, 3)))
    assert autograd.gradcheck(lambda x: x.sin(), x)
    assert autograd.gradcheck(lambda x: x.sum(), x)


def test_strict_jacobians_refuse_what_does_not_depend() -> None:
    x = float64([1.0, 2.0])
    free = lambda x: float64([1.0, 2.0])  # noqa: E731
    assert autograd.functional.jacobian(free, x).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(RuntimeError, match="does not require gradients"):
        autograd.functional.jacobian(free, x, strict=True)
    with pytest.raises(RuntimeError, match="independent of input 1"):
        autograd.functional.jacobian(lambda x, y: x * x, (x, x), strict=True)
    with pytest.raises(RuntimeError, match="twice differentiable"):
        autograd.functional.hessian(lambda x: x.sum(), x, strict=True)
