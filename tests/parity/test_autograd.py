"""autograd against PyTorch's: one program, run with both libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

Program = Callable[[Any], Any]


def variable(library: Any, value: Any) -> Any:
    return library.tensor(value, dtype=library.float64, requires_grad=True)


def constant(library: Any, value: Any) -> Any:
    return library.tensor(value, dtype=library.float64)


def numbers(value: Any) -> Any:
    """Any result as arrays, truth values and None."""
    if isinstance(value, (tuple, list)):
        return [numbers(item) for item in value]
    if isinstance(value, (cg.Tensor, torch.Tensor)):
        return value.detach().numpy(), value.requires_grad, str(value.dtype)
    return value


def assert_same(mine: Any, wanted: Any) -> None:
    if isinstance(wanted, list):
        assert isinstance(mine, list)
        assert len(mine) == len(wanted)
        for a, b in zip(mine, wanted, strict=True):
            assert_same(a, b)
    elif isinstance(wanted, tuple):
        assert mine[0].shape == wanted[0].shape
        np.testing.assert_allclose(mine[0], wanted[0], rtol=1e-12, atol=1e-14)
        assert mine[1:] == wanted[1:]
    else:
        assert mine == wanted


def outcome(program: Program, library: Any) -> Any:
    """What the program returns, or the built-in class of what it raises."""
    try:
        return numbers(program(library))
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        classes = (NotImplementedError, RuntimeError, ValueError, TypeError)
        return next(kind.__name__ for kind in classes if isinstance(error, kind))


POINT = [0.3, -0.7, 1.1]
MATRIX = [[1.0, 0.5, -0.2], [0.3, -1.0, 0.8]]


def wave(library: Any) -> Program:
    matrix = constant(library, MATRIX)
    return lambda x: (matrix @ x).tanh() * x.exp().sum()


def bowl(library: Any) -> Program:
    return lambda x: (x[0] * x[1] ** 2 * x.exp().sum()).sin()


def pair(library: Any) -> Program:
    return lambda x, y: (x * y.sum(), (x.sum() * y).exp())


def functional(
    name: str, function: Any, *args: Any, several: bool = False, **options: Any
) -> Program:
    def program(library: Any) -> Any:
        given: Any = constant(library, POINT)
        if several:
            given = (given, constant(library, [0.2, -0.4]))
        made = [
            tuple(constant(library, v) for v in a) if isinstance(a, tuple) else constant(library, a)
            for a in args
        ]
        return getattr(library.autograd.functional, name)(
            function(library), given, *made, **options
        )

    return program


def double(library: Any) -> Any:
    class Double(library.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            return x * y, (x * x).sum()

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            x, y = ctx.saved_tensors
            return g * y + 2 * h * x, g * x

    return Double


def custom(library: Any) -> Any:
    x, y = variable(library, POINT), variable(library, [1.0, 2.0, 3.0])
    product, square = double(library).apply(x, y)
    first = library.autograd.grad((product * y).sum() * square, [x, y], create_graph=True)
    second = library.autograd.grad((first[0] * first[1]).sum(), [x, y])
    return product, square, first, second


def unused(library: Any, **options: Any) -> Any:
    x, y = variable(library, POINT), variable(library, 2.0)
    return library.autograd.grad(x.sum(), [x, y], **options)


def twice(library: Any, function: Program, **options: Any) -> Any:
    x = variable(library, POINT)
    y = function(x).sum()
    return library.autograd.grad(y, x, **options), library.autograd.grad(y, x)


def accumulated(library: Any) -> Any:
    x, y = variable(library, POINT), variable(library, 2.0)
    z = x * y
    library.autograd.backward([z.sum(), z.exp().sum()], retain_graph=True)
    z.backward(constant(library, [1.0, 2.0, 3.0]))
    return x.grad, y.grad


def changed(library: Any, operation: str) -> Any:
    x, factor = variable(library, POINT), constant(library, [1.0, 2.0, 3.0])
    y = getattr(x, operation)(factor).sum()
    factor.add_(1)
    y.backward()
    return x.grad


PROGRAMS: dict[str, Program] = {
    "grad": lambda t: t.autograd.grad(wave(t)(x := variable(t, POINT)).sum(), x),
    "grad of two": lambda t: t.autograd.grad(
        [(x := variable(t, POINT)).sum(), x.exp()], x, [None, constant(t, [1.0, 2.0, 3.0])]),
    "grad of grad": lambda t: t.autograd.grad(
        t.autograd.grad(bowl(t)(x := variable(t, POINT)), x, create_graph=True)[0].sum(), x),
    "create_graph is tracked": lambda t: t.autograd.grad(
        bowl(t)(x := variable(t, POINT)), x, create_graph=True),
    "unused": unused,
    "unused, allowed": lambda t: unused(t, allow_unused=True),
    "unused, zeros": lambda t: unused(t, materialize_grads=True),
    "unused, contradiction": lambda t: unused(t, materialize_grads=True, allow_unused=False),
    "twice": lambda t: twice(t, t.exp),
    "twice, retained": lambda t: twice(t, t.exp, retain_graph=True),
    "twice, create_graph": lambda t: twice(t, t.exp, create_graph=True),
    "twice, times a number": lambda t: twice(t, lambda x: x * 2),
    "twice, plus a number": lambda t: twice(t, lambda x: x - 2),
    "twice, power": lambda t: twice(t, lambda x: x**2),
    "twice, mean": lambda t: twice(t, lambda x: (x + 3).mean()),
    "twice, shapes": lambda t: twice(t, lambda x: -x.reshape(3, 1).expand(3, 2)[:2].sum(0)),
    "twice, relu": lambda t: twice(t, t.relu),
    "twice, max": lambda t: twice(t, lambda x: x.amax()),
    "twice, matrix": lambda t: twice(t, lambda x: constant(t, MATRIX) @ x),
    "not a scalar": lambda t: t.autograd.grad(variable(t, POINT) * 2, variable(t, 1.0)),
    "no gradient": lambda t: t.autograd.grad(constant(t, 2.0), variable(t, 1.0)),
    "input without gradient": lambda t: t.autograd.grad(variable(t, 2.0) * 2, constant(t, 1.0)),
    "no inputs": lambda t: t.autograd.grad(variable(t, 2.0) * 2, []),
    "wrong shape": lambda t: t.autograd.grad(
        (x := variable(t, POINT)) * 2, x, constant(t, [1.0, 2.0])),
    "accumulated": accumulated,
    "changed, read": lambda t: changed(t, "mul"),
    "changed, not read": lambda t: changed(t, "add"),
    "custom": custom,
    "gradcheck": lambda t: t.autograd.gradcheck(bowl(t), variable(t, POINT)),
    "gradgradcheck": lambda t: t.autograd.gradgradcheck(bowl(t), variable(t, POINT)),
    "gradcheck, custom": lambda t: t.autograd.gradcheck(
        double(t).apply, (variable(t, POINT), variable(t, POINT))),
    "gradcheck, no input": lambda t: t.autograd.gradcheck(t.sin, constant(t, 1.0)),
    "gradcheck, wrong": lambda t: t.autograd.gradcheck(
        lambda x: x.detach() * x, variable(t, POINT)),
    "vjp": functional("vjp", wave, [1.0, 2.0]),
    "vjp, create_graph": functional("vjp", wave, [1.0, 2.0], create_graph=True),
    "vjp of several": functional("vjp", pair, ([1.0, 2.0, 3.0], [4.0, 5.0]), several=True),
    "vjp without v": functional("vjp", bowl),
    "vjp without v, refused": functional("vjp", wave),
    "vjp, wrong v": functional("vjp", wave, [1.0, 2.0, 3.0]),
    "vjp, too many v": functional("vjp", wave, ([1.0, 2.0], [1.0])),
    "jvp": functional("jvp", wave, POINT),
    "jvp, create_graph": functional("jvp", wave, POINT, create_graph=True),
    "jvp of several": functional("jvp", pair, (POINT, [4.0, 5.0]), several=True),
    "jvp without v": functional("jvp", wave),
    "jacobian": functional("jacobian", wave),
    "jacobian, strict": functional("jacobian", wave, strict=True),
    "jacobian, create_graph": functional("jacobian", wave, create_graph=True),
    "jacobian of several": functional("jacobian", pair, several=True),
    "jacobian, vectorized": functional("jacobian", pair, several=True, vectorize=True),
    "jacobian of a constant": functional("jacobian", lambda t: lambda x: constant(t, [1.0, 2.0])),
    "jacobian of a constant, strict": functional(
        "jacobian", lambda t: lambda x: constant(t, [1.0, 2.0]), strict=True),
    "jacobian of no tensor": functional("jacobian", lambda t: lambda x: 3.0),
    "hessian": functional("hessian", bowl),
    "hessian, strict": functional("hessian", bowl, strict=True),
    "hessian, create_graph": functional("hessian", bowl, create_graph=True),
    "hessian of several": functional(
        "hessian", lambda t: lambda x, y: (x.sum() * y).exp().sum(), several=True),
    "hessian of a line": functional("hessian", lambda t: lambda x: x.sum()),
    "hessian of a line, strict": functional("hessian", lambda t: lambda x: x.sum(), strict=True),
    "hessian of a vector": functional("hessian", wave),
    "vhp": functional("vhp", bowl, POINT),
    "vhp of several": functional(
        "vhp", lambda t: lambda x, y: (x.sum() * y).exp().sum(), (POINT, [1.0, 2.0]), several=True),
    "hvp": functional("hvp", bowl, POINT),
    "hvp, create_graph": functional("hvp", bowl, POINT, create_graph=True),
    "hvp without v": functional("hvp", bowl),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_outcome_is_pytorchs(name: str) -> None:
    assert_same(outcome(PROGRAMS[name], cg), outcome(PROGRAMS[name], torch))


def test_create_graph_results_go_on_to_the_inputs() -> None:
    def program(library: Any) -> Any:
        x = variable(library, POINT)
        rows = library.autograd.functional.jacobian(wave(library), x, create_graph=True)
        curve = library.autograd.functional.hvp(bowl(library), x, x, create_graph=True)[1]
        return library.autograd.grad(rows.exp().sum() + (curve * curve).sum(), x)

    assert_same(outcome(program, cg), outcome(program, torch))
