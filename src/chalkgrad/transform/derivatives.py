"""Derivatives of functions: from a function to the function that computes its derivative.

    grad        x ↦ ∂f/∂x                      f has one number as its value
    vjp         x ↦ f(x), u ↦ uᵀ J             one pass back
    jvp         x, v ↦ f(x), J v               the derivative of uᵀ J towards u, along v
    jacobian    x ↦ J,  J[i, j] = ∂fᵢ/∂xⱼ      one pass back for each element of f(x)
    hessian     x ↦ H = the Jacobian of ∂f/∂x

The function runs on copies of its arguments, recorded; the reverse pass goes back to the copies. A
derivative is again made of recorded operations where something outside differentiates it, so that
these compose: grad(grad(f)) is f″. Arguments are tensors, numbers, or lists, tuples and dicts of
them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from math import prod
from typing import Any

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import ArgumentError, GradientError, TypeMismatch
from chalkgrad.core.graph import NO_PARAMS, Node, ancestors, equation, leaf
from chalkgrad.core.scope import current, recording
from chalkgrad.primitives import elementwise as e
from chalkgrad.tensor.creation import zeros_like
from chalkgrad.tensor.joining import stack
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.grad import pullback
from chalkgrad.transform.nested import mapped

Function = Callable[..., Any]
Places = int | Sequence[int]


def grad(function: Function, argnums: Places = 0, has_aux: bool = False) -> Function:
    """The function that computes ∂f/∂x, in the shape of x, for f with one number as its value.

    `argnums` says towards which argument; with several, the gradients come as a tuple. With
    `has_aux`, f returns (value, anything), and the result is (gradient, anything).
    Raises RuntimeError if f's value has several elements, or the argument is of whole numbers.

    >>> import chalkgrad as cg
    >>> slope = cg.grad(lambda x: x**3)
    >>> slope(2.0), cg.grad(slope)(2.0)
    (tensor(12.), tensor(12.))
    """
    both = value_and_grad(function, argnums, has_aux)

    @wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, slopes = both(*args, **kwargs)
        return (slopes, value[1]) if has_aux else slopes

    return gradient


def value_and_grad(function: Function, argnums: Places = 0, has_aux: bool = False) -> Function:
    """The function that computes (f(x), ∂f/∂x); with `has_aux`, ((f(x), anything), ∂f/∂x).

    >>> import chalkgrad as cg
    >>> cg.value_and_grad(lambda p: p["a"] * p["b"])({"a": 2.0, "b": 5.0})
    (tensor(10.), {'a': tensor(5.), 'b': tensor(2.)})
    """

    @wraps(function)
    def both(*args: Any, **kwargs: Any) -> Any:
        run = _Run.of(function, args, kwargs, argnums, has_aux)
        out = run.single("grad")
        slopes = run.back([out], [out.literal(1).broadcasted(out.node.shape)])
        value = run.handed(run.value)
        return ((value, run.handed(run.aux)) if has_aux else value), run.shaped(slopes)

    return both


def vjp(function: Function, *primals: Any, has_aux: bool = False) -> Any:
    """f(x) and the function u ↦ uᵀ J, which gives a tuple: one entry for each argument of f.

    >>> import chalkgrad as cg
    >>> value, back = cg.vjp(lambda x, y: x * y, cg.tensor([1.0, 2.0]), cg.tensor([3.0, 4.0]))
    >>> back(cg.ones(2))
    (tensor([3., 4.]), tensor([1., 2.]))
    """
    run = _Run.of(function, primals, {}, range(len(primals)), has_aux)

    def back(cotangent: Any) -> Any:
        return run.shaped(run.back(run.outputs, _matching(run.outputs, cotangent, "cotangent")))

    value = run.handed(run.value)
    return (value, back, run.handed(run.aux)) if has_aux else (value, back)


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """f(x) and J v: how f changes as x moves along v.

    uᵀ J is linear in u, so its derivative towards u, along v, is J v.

    >>> import chalkgrad as cg
    >>> cg.jvp(lambda x: x * x, (cg.tensor([1.0, 2.0]),), (cg.tensor([1.0, 0.0]),))
    (tensor([1., 4.]), tensor([2., 0.]))
    """
    run = _Run.of(function, tuple(primals), {}, range(len(primals)), False)
    along = _matching(run.copies, list(tangents), "tangent")
    with recording(True):
        free = [_variable(zeros_like(out.detach())) for out in run.outputs]
        rows = run.found(run.outputs, free)
    pairs = [(row, v) for row, v in zip(rows, along, strict=True) if row is not None]
    moved: dict[Node, Tensor] = {}
    if pairs:
        with recording(run.inside or any(v.node.tracked for v in along)):
            roots, seeds = zip(*pairs, strict=True)
            moved = pullback(roots, seeds, [u.node for u in free])
    found = [moved.get(u.node) for u in free]
    answers = [
        zeros_like(out) if v is None else v for v, out in zip(found, run.outputs, strict=True)
    ]
    remaining = iter(answers)
    return run.handed(run.value), _mapped(run.value, lambda _: next(remaining))


def jacobian(function: Function, argnums: Places = 0) -> Function:
    """The function that computes J, in shape (*f(x), *x): J[i, j] = ∂fᵢ/∂xⱼ.

    >>> import chalkgrad as cg
    >>> cg.jacobian(lambda x: x * x)(cg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @wraps(function)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = _Run.of(function, args, kwargs, argnums, False)
        return _mapped(run.value, lambda out: run.shaped(_rows(run, out)))

    return matrix


def hessian(function: Function, argnums: Places = 0) -> Function:
    """The function that computes H, in shape (*x, *x): H[i, j] = ∂²f/∂xᵢ∂xⱼ, for f one number.

    >>> import chalkgrad as cg
    >>> cg.hessian(lambda x: (x**3).sum())(cg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacobian(grad(function, argnums), argnums)


@dataclass(frozen=True)
class _Run:
    """A function's value at some arguments, recorded from copies of them."""

    value: Any
    aux: Any
    outputs: list[Tensor]  # the tensors in the value
    copies: list[Tensor]  # of the tensors in the arguments
    chosen: Any  # the arguments, with the copies in place: one, or a tuple of several
    inside: bool  # does something outside differentiate through this?

    @classmethod
    def of(
        cls, function: Function, args: tuple[Any, ...], kwargs: Any, argnums: Any, has_aux: bool
    ) -> _Run:
        places = [argnums] if isinstance(argnums, int) else [*argnums]
        if any(not -len(args) <= k < len(args) for k in places):
            raise ArgumentError(
                f"argnums={argnums} of a function that is given {len(args)} arguments"
            )
        copies: list[Tensor] = []

        def fresh(x: Tensor) -> Tensor:
            copies.append(_variable(x))
            return copies[-1]

        given = list(args)
        for k in places:
            given[k] = _mapped(args[k], fresh)
        chosen = given[argnums] if isinstance(argnums, int) else tuple(given[k] for k in places)
        outer = current().recording
        with recording(True):
            value = function(*given, **kwargs)
        value, aux = _with_aux(value) if has_aux else (value, None)
        outputs: list[Tensor] = []
        _mapped(value, outputs.append)
        inside = outer and _has_other_sources(outputs, copies)
        return cls(value, aux, outputs, copies, chosen, inside)

    def single(self, name: str) -> Tensor:
        """The value, where it must be one number."""
        value = self.value
        if not isinstance(value, Tensor):
            raise TypeMismatch(f"{name} needs a function that returns a tensor, not {_kind(value)}")
        if prod(value.node.shape) != 1:
            raise GradientError(
                f"{name} can be created only for scalar outputs; the function returned a tensor of "
                f"shape {list(value.node.shape)}. Reduce it (mean or sum), or ask for the jacobian."
            )
        return value

    def found(self, roots: Sequence[Tensor], cotangents: Sequence[Tensor]) -> list[Tensor | None]:
        gradients = pullback(roots, cotangents, [x.node for x in self.copies])
        return [gradients.get(x.node) for x in self.copies]

    def back(self, roots: Sequence[Tensor], cotangents: Sequence[Tensor]) -> list[Tensor]:
        """The gradients towards the arguments: recorded only for who differentiates them again."""
        with recording(self.inside):
            found = self.found(roots, cotangents)
            return [
                zeros_like(x) if g is None else g for g, x in zip(found, self.copies, strict=True)
            ]

    def shaped(self, gradients: Sequence[Tensor]) -> Any:
        """One tensor for each in the arguments, nested as they are."""
        remaining = iter(gradients)
        return _mapped(self.chosen, lambda _: next(remaining))

    def handed(self, value: Any) -> Any:
        return value if self.inside else _mapped(value, lambda x: x.detach())


def _rows(run: _Run, out: Tensor) -> list[Tensor]:
    """The Jacobian of one output towards each argument."""
    shape, rows = out.node.shape, []
    for place in np.ndindex(*shape):
        start = np.zeros(shape, out.node.dtype)
        start[place] = 1
        rows.append(run.back([out], [out.wrap(leaf(start))]))
    if not rows:
        return [out.wrap(leaf(np.zeros(shape + x.node.shape, x.node.dtype))) for x in run.copies]
    with recording(run.inside):
        columns = zip(run.copies, zip(*rows, strict=True), strict=True)
        return [stack(column).reshaped(shape + x.node.shape) for x, column in columns]


def _variable(x: Tensor) -> Tensor:
    """A copy that the reverse pass goes back to; from that of a tracked tensor it can go on."""
    node = x.node
    if node.dtype.kind != "f":
        raise GradientError(
            f"a derivative is towards floating-point arguments; this one is {x.dtype} of shape "
            f"{list(node.shape)}. Convert it with .float(), or choose others with argnums."
        )
    copy = equation(e.copy, (node,), NO_PARAMS, node.value, node.shape, node.dtype, True)
    return x.wrap(copy)


def _has_other_sources(outputs: Sequence[Tensor], copies: Sequence[Tensor]) -> bool:
    """Do the outputs depend on a tracked tensor that is none of our copies?"""
    own = {x.node for x in copies}
    order = ancestors([x.node for x in outputs if x.node.tracked], tracked_only=True)
    sources = (node for node in order if not any(i.tracked for i in node.inputs))
    return any(node not in own for node in sources)


def _with_aux(returned: Any) -> tuple[Any, Any]:
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise TypeMismatch(
            "with has_aux=True the function returns a pair (value, anything), not "
            f"{_kind(returned)}"
        )
    return returned


def _matching(tensors: Sequence[Tensor], given: Any, name: str) -> list[Tensor]:
    """The tensors in a nested argument, one of the same shape for each of ours."""
    found: list[Tensor] = []
    _mapped(given, found.append)
    if len(found) != len(tensors):
        raise ArgumentError(f"{len(found)} {name}s are given for {len(tensors)} tensors")
    for mine, wanted in zip(found, tensors, strict=True):
        if mine.node.shape != wanted.node.shape:
            raise ArgumentError(
                f"a {name} of shape {list(mine.node.shape)} is given for a tensor of shape "
                f"{list(wanted.node.shape)}"
            )
    return [x.cast(y.node.dtype) for x, y in zip(found, tensors, strict=True)]


def _mapped(tree: Any, change: Callable[[Tensor], Any]) -> Any:
    """Apply to every tensor and every number, which becomes a tensor."""

    def number(value: Any) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return change(Tensor().wrap(leaf(np.asarray(value, dtypes.default.dtype))))
        return value

    return mapped(tree, change, number)


def _kind(value: Any) -> str:
    return type(value).__name__
