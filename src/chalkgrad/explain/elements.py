"""One element of an array as a formula over the elements that it is computed from.

A primitive's record says in index notation what one element of its output is. `Elements.formula`
reads that for one place: index terms become whole numbers, a fold becomes its terms, written out,
and what padding or an index excludes drops out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from chalkgrad.core.graph import Array, ArrayType, Node
from chalkgrad.core.index import Apply, Axis, Const, Formula, Read, Reduce, Term
from chalkgrad.formulas import ZERO, Call, Expression, Number

Index = tuple[int, ...]
_COMPARE: dict[str, Callable[[int, int], bool | int]] = {
    "equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b,
    "less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b, "greater_equal": lambda a, b: a >= b,
    "logical_and": lambda a, b: bool(a and b), "logical_or": lambda a, b: bool(a or b),
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "floor_divide": lambda a, b: a // b, "remainder": lambda a, b: a % b,
}  # fmt: skip
_CASTS = {"cast:int32", "cast:int64"}  # of an index, which stays what it is


@dataclass(frozen=True, slots=True)
class At(Expression):
    """One element of a node's array."""

    node: Node
    index: Index

    @property
    def number(self) -> float:
        return float(self.node.value[self.index])


class Elements:
    """Reads formulas of elements. `value` gives a node's array, for indices that are data."""

    def __init__(self, value: Callable[[Node], Array]) -> None:
        self.value = value
        self.formulas: dict[Node, Formula] = {}

    def formula(self, at: At) -> Expression:
        """What this element is computed from, over elements of the node's inputs."""
        node = at.node
        assert node.primitive is not None
        found = self.formulas.get(node)
        if found is None:
            kinds = [ArrayType(source.shape, source.dtype) for source in node.inputs]
            found = self.formulas[node] = node.primitive.index(*kinds, **node.params)
        return self._expanded(found.body, dict(enumerate(at.index)), node.inputs)

    def _expanded(self, term: Term, places: dict[int, int], inputs: tuple[Node, ...]) -> Expression:
        match term:
            case Const(value):
                return Number(float(value))
            case Axis(id):
                return Number(float(places[id]))
            case Read(argnum, indices):
                index = tuple(self._whole(i, places, inputs) for i in indices)
                return self._element(inputs[argnum], index)
            case Apply("select", (condition, then, otherwise)):
                known = self._decided(condition, places, inputs)
                if known is not None:
                    return self._expanded(then if known else otherwise, places, inputs)
                branches = (condition, then, otherwise)
                return Call("select", tuple(self._expanded(b, places, inputs) for b in branches))
            case Apply("clip", (x, low, high)):
                bounds = [b.value if isinstance(b, Const) else None for b in (low, high)]
                return clipped(self._expanded(x, places, inputs), *bounds)
            case Apply(function, arguments):
                given = tuple(self._expanded(a, places, inputs) for a in arguments)
                return Call(function, given)
            case Reduce(kind, axes, body):
                return self._fold(kind, axes, body, places, inputs)
        raise TypeError(f"no such term: {term!r}")

    def _fold(
        self, kind: str, axes: tuple[tuple[int, int], ...], body: Term, places: dict[int, int],
        inputs: tuple[Node, ...],
    ) -> Expression:  # fmt: skip
        ids = [id for id, _ in axes]
        terms = []
        for running in product(*(range(extent) for _, extent in axes)):
            term = self._expanded(body, places | dict(zip(ids, running, strict=True)), inputs)
            if kind != "sum" or not is_zero(term):
                terms.append(term)
        return terms[0] if len(terms) == 1 else Call(kind, tuple(terms))

    def _element(self, node: Node, index: Index) -> Expression:
        if node.dtype.kind != "f":
            known = self._data(node)
            if known is not None:
                return Number(float(known[index]))
        return At(node, index)

    def _data(self, node: Node) -> Array | None:
        """The numbers of an array that is an index; what compares numbers stays a formula."""
        return self.value(node) if node.dtype.kind == "i" or node.primitive is None else None

    def _whole(self, term: Term, places: dict[int, int], inputs: tuple[Node, ...]) -> int:
        """An index, which is always known."""
        match term:
            case Axis(id):
                return places[id]
            case Const(value):
                return int(value)
            case Apply(function, (a,)) if function in _CASTS:
                return self._whole(a, places, inputs)
            case Apply(function, (a, b)):
                first, second = self._whole(a, places, inputs), self._whole(b, places, inputs)
                return int(_COMPARE[function](first, second))
            case Read(argnum, indices):
                where = tuple(self._whole(i, places, inputs) for i in indices)
                return int(self.value(inputs[argnum])[where])
        raise TypeError(f"no index: {term!r}")

    def _decided(
        self, condition: Term, places: dict[int, int], inputs: tuple[Node, ...]
    ) -> bool | None:
        """Is the condition true? None where it depends on numbers that are not indices."""
        match condition:
            case Apply("logical_and", (a, b)):
                first = self._decided(a, places, inputs)
                return first and self._decided(b, places, inputs)
            case Apply():
                if self._depends_on_places(condition, inputs):
                    return bool(self._whole(condition, places, inputs))
            case Const(value):
                return bool(value)
        return None

    def _depends_on_places(self, term: Term, inputs: tuple[Node, ...]) -> bool:
        """Are indices all that it depends on?"""
        match term:
            case Axis() | Const():
                return True
            case Apply(function, arguments):
                known = function in _COMPARE or function in _CASTS
                return known and all(self._depends_on_places(a, inputs) for a in arguments)
            case Read(argnum, _):
                return inputs[argnum].dtype.kind == "i"
        return False


def clipped(x: Expression, low: Any, high: Any) -> Expression:
    """max(x, low), min(x, high), or both; a bound that is None is none."""
    for name, bound in (("max", low), ("min", high)):
        if isinstance(bound, int | float):
            x = Call(name, (x, Number(float(bound))))
    return x


def is_zero(term: Expression) -> bool:
    """Is it 0, whatever the numbers are?"""
    if isinstance(term, Call) and term.function == "multiply":
        return any(is_zero(factor) for factor in term.arguments)
    return term == ZERO
