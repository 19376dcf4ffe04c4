"""The record of a primitive, and `bind`, which applies one.

Everything that is known of a primitive stands in its record: what it computes (NumPy), the type of
its output, its derivative towards each input (written in tensors, so that it runs, prints, compiles
and differentiates again), how it reads, what one output element is, and where tests sample it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from chalkgrad.core.errors import ChalkgradError, GradientError, ShapeError, TraceError
from chalkgrad.core.graph import NO_PARAMS, Array, ArrayType, Node, Params, equation, leaf
from chalkgrad.core.index import Formula
from chalkgrad.core.scope import current


class Handle(Protocol):
    """What `bind` works on: something that holds a node and can wrap another one."""

    node: Node

    def wrap(self, node: Node) -> Self: ...


H = TypeVar("H", bound=Handle)

# A derivative rule: (g, out, *inputs, **params) -> the gradient of one input. Its operands are
# handles with operators, so it stays untyped here: primitives never import Tensor.
Rule = Callable[..., Any]


class Notation(NamedTuple):
    """How a primitive reads: text and LaTeX, with {0}, {1} for its inputs (of a variadic primitive,
    {0} is all of them, with commas), and how tightly it binds."""

    text: str
    latex: str
    binds: int = 9  # 1 sum, 2 product, 3 sign, 4 power, 9 a call: brackets follow from it


def called(name: str, latex: str | None = None) -> Notation:
    """name(x)"""
    return Notation(
        f"{name}({{0}})", (latex or rf"\operatorname{{{{{name}}}}}") + r"\left({0}\right)"
    )


class Domain(NamedTuple):
    """Where a primitive's inputs are sampled by tests, away from kinks and poles."""

    low: float = -2.0
    high: float = 2.0
    samples: Callable[[np.random.Generator], tuple[Sequence[Array], Params]] | None = None


@dataclass(frozen=True, eq=False)
class Primitive:
    """One record. A rule that is missing is a field that is missing."""

    name: str
    numpy: Callable[..., Any]  # (*arrays, **params) -> array
    type: Callable[..., ArrayType]  # (*ArrayTypes, **params) -> ArrayType; refuses what clashes
    vjp: Sequence[Rule | None] | Callable[[int], Rule]  # a rule an input; None: not differentiable
    notation: Notation
    index: Callable[..., Formula]  # (*ArrayTypes, **params) -> Formula
    domain: Domain = Domain()
    variadic: bool = False  # operands come as one list
    custom: bool = False  # made for one application, with a person's own derivative

    def __call__(self, *operands: Any, **params: Any) -> Any:
        return bind(self, operands, params or NO_PARAMS)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def rule(self, argnum: int) -> Rule:
        """The derivative rule towards input `argnum`."""
        rule = self.vjp(argnum) if callable(self.vjp) else self.vjp[argnum]
        if rule is None:
            raise GradientError(f"{self.name} has no derivative towards its input {argnum}")
        return rule


def bind(primitive: Primitive, operands: Sequence[H], params: Params = NO_PARAMS) -> H:
    """Apply a primitive: compute its value (or only its type, in a trace) and record the node."""
    mode, compute = current(), primitive.numpy
    try:
        # `run` calls a function in this thread's context, without NumPy's warnings. The commonest
        # cases are written out: packing and unpacking arguments costs as much as a small addition.
        if len(operands) == 2 and not params:
            a, b = operands[0].node, operands[1].node
            nodes: tuple[Node, ...] = (a, b)
            tracked = a.tracked or b.tracked
            value = None if mode.abstract else mode.run(compute, a.value, b.value)
        elif len(operands) == 1:
            a = operands[0].node
            nodes = (a,)
            tracked = a.tracked
            value = None if mode.abstract else mode.run(compute, a.value, **params)
        else:
            nodes = tuple([operand.node for operand in operands])
            tracked = True in [node.tracked for node in nodes]
            values = [node.value for node in nodes]
            value = None if mode.abstract else mode.run(compute, *values, **params)
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise _better(error, primitive, [operand.node for operand in operands], params) from error
    kind: Any
    if type(value) is np.ndarray:
        kind = value
    elif value is None:
        kind = primitive.type(*(ArrayType(node.shape, node.dtype) for node in nodes), **params)
    else:  # NumPy returns scalars for arrays without dimensions
        value = kind = np.asarray(value)
    tracked = tracked and mode.recording and kind.dtype.kind == "f"
    if not tracked and value is not None:
        return operands[0].wrap(leaf(value))  # no gradient flows through it: its history can go
    facts = (kind.shape, kind.dtype, tracked, mode.scope, mode.because)
    return operands[0].wrap(equation(primitive, nodes, params, value, *facts))


def _better(
    error: Exception, primitive: Primitive, nodes: Sequence[Node], params: Params
) -> Exception:
    """NumPy's error in the words of the primitive's own type rule."""
    if any(node.value is None for node in nodes):
        return TraceError(
            f"{primitive.name} got a tensor of a traced program outside of the trace: it has a "
            "shape and no numbers. Return it from the traced function instead."
        )
    try:
        primitive.type(*(ArrayType(node.shape, node.dtype) for node in nodes), **params)
    except ChalkgradError as clear:
        return clear
    shapes = ", ".join(str(list(node.shape)) for node in nodes)
    return ShapeError(f"{primitive.name} of shapes {shapes}: {error}")
