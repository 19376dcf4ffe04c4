"""Custom functions: their own derivative, in every way that a graph is used."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.core.verify import verify
from chalkgrad.executors import numpy as executor


def float64(value: Any, **options: Any) -> cg.Tensor:
    return cg.tensor(value, dtype=cg.float64, **options)


class Cube(cg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class Exp(cg.autograd.Function):
    """In the style of a separate context, saving its output."""

    @staticmethod
    def forward(x: Any) -> Any:
        return x.exp()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (out,) = ctx.saved_tensors
        return g * out


class Parts(cg.autograd.Function):
    """Two inputs, a plain number, three outputs of which one is whole."""

    calls = 0

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, factor: float) -> Any:
        ctx.factor = factor
        ctx.save_for_backward(x, y)
        order = x.argsort()
        return x * y * factor, (x + y).sum(), order

    @staticmethod
    def backward(ctx: Any, product: Any, total: Any, order: Any) -> Any:
        Parts.calls += 1
        assert product.shape == (2,)
        assert total.shape == ()
        assert order.dtype == cg.int64
        x, y = ctx.saved_tensors
        return product * y * ctx.factor + total, product * x * ctx.factor + total, None


class Reverse(cg.autograd.Function):
    """The identity forward; the sign turned on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return -g


@pytest.mark.parametrize("function", [Cube, Exp])
def test_a_custom_derivative_is_differentiated_to_any_order(function: Any) -> None:
    x = float64([0.5, -1.2], requires_grad=True)
    assert cg.autograd.gradcheck(function.apply, (x,))
    assert cg.autograd.gradgradcheck(function.apply, (x,))
    third = cg.grad(cg.grad(cg.grad(lambda x: function.apply(x))))(float64(0.5))
    assert third.item() == pytest.approx(6.0 if function is Cube else np.exp(0.5))


def test_several_outputs_share_one_call_of_backward() -> None:
    x, y = float64([3.0, 2.0], requires_grad=True), float64([5.0, 7.0], requires_grad=True)
    product, total, order = Parts.apply(x, y, 2.0)
    np.testing.assert_array_equal(order.numpy(), [1, 0])
    assert not order.requires_grad
    Parts.calls = 0
    (product.sum() + total * 10).backward()
    assert Parts.calls == 1
    np.testing.assert_array_equal(x.grad.numpy(), [20.0, 24.0])
    np.testing.assert_array_equal(y.grad.numpy(), [16.0, 14.0])
    assert cg.autograd.gradgradcheck(lambda x, y: Parts.apply(x, y, 2.0)[:2], (x, y))


def test_an_unused_output_counts_as_zeros() -> None:
    x, y = float64([3.0, 2.0], requires_grad=True), float64([5.0, 7.0], requires_grad=True)
    Parts.apply(x, y, 2.0)[1].backward()
    np.testing.assert_array_equal(x.grad.numpy(), [1.0, 1.0])


def test_the_identity_with_another_derivative() -> None:
    x = float64([1.0, 2.0], requires_grad=True)
    y = x * 3
    out = Reverse.apply(y)
    np.testing.assert_array_equal(out.detach().numpy(), [3.0, 6.0])
    (out * out + y).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [-18.0 + 3, -36.0 + 3])


def test_repeated_steps_use_their_own_numbers_and_leave_no_plans() -> None:
    plans = cg.Tensor.engine.plans
    before = len(plans)
    for k in range(1, 6):
        x = float64(float(k), requires_grad=True)
        Cube.apply(x).backward()
        assert x.grad.item() == 3 * k**2
    assert len(plans) == before


def test_backward_may_read_numbers_and_write_in_place() -> None:
    class Positive(cg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            g = g.clone()
            g[x < 0] = 0
            return g

    x = float64([-1.0, 2.0], requires_grad=True)
    Positive.apply(x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0.0, 1.0])


def test_needs_input_grad_and_none() -> None:
    class Watch(cg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any, z: Any) -> Any:
            ctx.seen = ctx.needs_input_grad
            return x + y + z

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            assert ctx.needs_input_grad == ctx.seen == (True, False, True)
            return g, None, None

    x, z = float64(1.0, requires_grad=True), float64(1.0, requires_grad=True)
    Watch.apply(x, float64(2.0), z).backward()
    assert x.grad.item() == 1.0
    assert z.grad is None


def test_gradients_are_fitted_to_the_input() -> None:
    class Wide(cg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.expand(2, 3) * 1.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g.double()

    x = cg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    Wide.apply(x).sum().backward()
    assert x.grad.dtype == cg.float32
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0, 2.0])


def test_marked_outputs_have_no_gradient() -> None:
    class Split(cg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            mask = (x > 0).double()
            ctx.mark_non_differentiable(mask)
            ctx.save_for_backward(mask)
            return x * mask, mask

        @staticmethod
        def backward(ctx: Any, g: Any, unused: Any) -> Any:
            np.testing.assert_array_equal(unused.numpy(), [0.0, 0.0])
            return g * ctx.saved_tensors[0]

    x = float64([-1.0, 2.0], requires_grad=True)
    out, mask = Split.apply(x)
    assert out.requires_grad
    assert not mask.requires_grad
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0.0, 1.0])


def test_without_a_gradient_nothing_is_recorded() -> None:
    x = float64(2.0, requires_grad=True)
    with cg.no_grad():
        assert not Cube.apply(x).requires_grad
    assert not Cube.apply(float64(2.0)).requires_grad


def test_a_second_backward_is_refused_unless_retained() -> None:
    x = float64(2.0, requires_grad=True)
    y = Cube.apply(x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 24.0
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_a_saved_tensor_that_changed_is_refused() -> None:
    x, factor = float64([1.0, 2.0], requires_grad=True), float64([3.0, 4.0])

    class Times(cg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, factor: Any) -> Any:
            ctx.save_for_backward(factor)
            return x * factor

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0], None

    y = Times.apply(x, factor).sum()
    factor.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_the_graph_is_freed_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        x = float64([1.0, 2.0], requires_grad=True)
        out = Exp.apply(x)
        alive = weakref.ref(out)
        out.sum().backward()
        del out
        assert alive() is None
    finally:
        gc.enable()


def test_a_custom_function_in_a_trace() -> None:
    def slope(x: Any) -> Any:
        return cg.grad(lambda x: Cube.apply(x).sum())(x)

    numbers = np.array([1.0, -2.0, 0.5], np.float32)
    graph = cg.trace(slope, cg.zeros(3))
    verify(graph)
    np.testing.assert_allclose(executor.run(graph, numbers)[0], 3 * numbers**2)
    forward = cg.trace(lambda x: Cube.apply(x) * 2, cg.zeros(3, requires_grad=True))
    verify(forward)
    assert "= Cube(" in str(forward)
    np.testing.assert_allclose(executor.run(forward, numbers)[0], 2 * numbers**3)


def bad(gradient: Any) -> Any:
    class Bad(cg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, factor: Any) -> Any:
            return x * factor

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return gradient(g)

    return Bad


def test_mistakes_are_named() -> None:
    x = float64([1.0, 2.0], requires_grad=True)
    cases: list[tuple[Any, type[Exception], str]] = [
        (lambda g: g, RuntimeError, r"incorrect number of gradients \(expected 2, got 1\)"),
        (lambda g: (g, g), RuntimeError, "different from None at position 2"),
        (lambda g: (g.sum().expand(3), None), RuntimeError, r"index 0 - got \[3\]"),
        (lambda g: (3.0, None), TypeError, r"expected Variable or None \(got float\)"),
    ]
    for gradient, error, message in cases:
        with pytest.raises(error, match=message):
            bad(gradient).apply(x, 2.0).sum().backward()
    bad(lambda g: (g, None, None)).apply(x, 2.0).sum().backward()  # more Nones are no matter
    with pytest.raises(RuntimeError, match=r"not called but applied: Cube\.apply"):
        Cube()(x)
    with pytest.raises(NotImplementedError, match="must implement the forward"):
        cg.autograd.Function.apply(x)
    with pytest.raises(NotImplementedError, match="must implement either the backward"):
        type(
            "Half", (cg.autograd.Function,), {"forward": staticmethod(lambda ctx, x: x * 1)}
        ).apply(x).sum().backward()
    with pytest.raises(TypeError, match="argument 0 is of type float"):
        type(
            "Saves", (cg.autograd.Function,),
            {"forward": staticmethod(lambda ctx, x: ctx.save_for_backward(1.0))},
        ).apply(x)  # fmt: skip
