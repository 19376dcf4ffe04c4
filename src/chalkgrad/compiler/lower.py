"""Lowering: every node's index expression, over the buffers of one program.

In a primitive's formula, axes and inputs are numbered for that primitive alone. Here each node's
axes get numbers of their own, and each node is a buffer, so that one term may stand in another:
`inlined` puts a producer's formula where a consumer reads it. That is the whole of fusion; which
reads are replaced is decided in `fuse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from chalkgrad.compiler.affine import Linear, bounds, flat, linear, mapped, plus, walk, written
from chalkgrad.core.errors import NotCompilable
from chalkgrad.core.graph import ArrayType, Node
from chalkgrad.core.index import Apply, Axis, Const, Read, Reduce, Term

KINDS = ("bool", "int32", "int64", "float32", "float64")
_TRUTHS = {
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_xor", "logical_not",
}  # fmt: skip
LIMIT = 1 << 24  # iterations of one formula: more than this is a sort or a scan written as sums


@dataclass
class Lowered:
    """The nodes of a program as formulas over numbered buffers."""

    nodes: list[Node]  # arguments, constants and equations; the place is the buffer's number
    number: dict[Node, int]
    axes: dict[int, tuple[int, ...]] = field(default_factory=dict)  # of each equation
    body: dict[int, Term] = field(default_factory=dict)
    extents: dict[int, int] = field(default_factory=dict)  # of every axis

    def fresh(self, extent: int) -> int:
        """A new axis."""
        axis = len(self.extents)
        self.extents[axis] = extent
        return axis

    def own(self, buffer: int) -> Read:
        """A buffer's element at its own axes."""
        return Read(buffer, tuple([Axis(a) for a in self.axes[buffer]]))

    def size(self, buffer: int) -> int:
        return prod(self.nodes[buffer].shape)

    def place(self, read: Read) -> Linear:
        """Where a read finds its element in a row-major buffer."""
        indices = [linear(i, self.extents) for i in read.indices]
        return flat(indices, row_major(self.nodes[read.argnum].shape))

    def tidy(self, term: Term) -> Term:
        """The same term, each index in its one form and in range, and no axis of one step."""
        return mapped(term, self._tidy)

    def _tidy(self, term: Term) -> Term | None:
        if isinstance(term, Axis) and self.extents.get(term.id) == 1:
            return Const(0)
        if isinstance(term, Apply):
            return self._chosen(term)
        if not isinstance(term, Read):
            return None
        shape = self.nodes[term.argnum].shape
        pairs = zip(term.indices, shape, strict=True)
        return Read(term.argnum, tuple([self._within(self.tidy(i), n) for i, n in pairs]))

    def _chosen(self, term: Apply) -> Term | None:
        """Of a selection by an index alone, the branch that every index chooses: a window that
        never reaches over the edge has no edge."""
        match term:
            case Apply("select", (condition, then, otherwise)):
                found = self._holds(condition)
                if found is None:
                    return None
                chosen = self.tidy(then if found else otherwise)
                kind = kind_of(self, term)  # which a bare 0 does not have
                return _typed(self, chosen, kind) if kind else chosen
            case Apply("logical_and", (a, b)) if self._holds(a):
                return self.tidy(b)
            case Apply("logical_and", (a, b)) if self._holds(b):
                return self.tidy(a)
        return None

    def _holds(self, condition: Term) -> bool | None:
        """Whether a comparison of an index is true of every index, or of none."""
        match condition:
            case Apply("logical_and", (a, b)):
                both = self._holds(a), self._holds(b)
                return False if False in both else None if None in both else True
            case Apply("less" | "greater_equal" as name, (index, Const(int(limit)))):
                if any(isinstance(part, Read) for part in walk(index)):
                    return None  # of data nothing is known, and 0 · NaN is not 0
                low, high = bounds(linear(index, self.extents), self.extents)
                if low >= limit or high < limit:
                    return (low >= limit) == (name == "greater_equal")
        return None

    def _within(self, index: Term, size: int) -> Term:
        # A guarded read (padding) may stand out of range, and so may a datum: memory stays safe.
        found = linear(index, self.extents)
        low, high = bounds(found, self.extents)
        if low >= 0 and high < size:
            return written(found)
        # In a primitive's own formula an index that is read itself is a datum, and out of range a
        # fault. Where it comes to stand in a guarded read later on, it has its bounds already.
        word = "index" if isinstance(index, Read) else "clamp"
        return Apply(word, (written(found), Const(0), Const(max(size - 1, 0))))

    def inlined(self, term: Term, chosen: Callable[[int], bool]) -> Term:
        """The term with the formulas of the chosen buffers in place of reads of them."""

        def change(part: Term) -> Term | None:
            if not isinstance(part, Read) or not chosen(part.argnum):
                return None
            where = [self.inlined(index, chosen) for index in part.indices]
            return self.inlined(self.at(part.argnum, where), chosen)

        return mapped(term, change)

    def at(self, buffer: int, where: Sequence[Term]) -> Term:
        """A buffer's formula at given indices, its running axes renamed to new ones."""
        bound = dict(zip(self.axes[buffer], where, strict=True))
        return self.renamed(self.body[buffer], bound)

    def renamed(self, term: Term, bound: Mapping[int, Term]) -> Term:
        """A term with terms in place of its axes; axes that it runs over itself become new ones."""

        def change(part: Term) -> Term | None:
            match part:
                case Axis(id):
                    return bound.get(id)
                case Reduce(kind, axes, body):
                    new = {id: self.fresh(n) for id, n in axes}
                    inner = {**bound, **{id: Axis(a) for id, a in new.items()}}
                    runs = tuple((new[id], n) for id, n in axes)
                    return Reduce(kind, runs, self.renamed(body, inner))
            return None

        return mapped(term, change)


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array in elements."""
    return tuple(prod(shape[k + 1 :]) for k in range(len(shape)))


def lower(arguments: Sequence[Node], order: Iterable[Node]) -> Lowered:
    """The formulas of all equations in `order`."""
    given = set(arguments)
    low = Lowered([], {})
    for node in arguments:
        _numbered(low, node)
    for node in order:
        for source in node.inputs:
            if source not in low.number:
                _numbered(low, source)
        _equation(low, node, given)
    return low


def _numbered(low: Lowered, node: Node) -> int:
    if node.dtype.name not in KINDS:
        raise NotCompilable(f"numbers of type {node.dtype} have no native code")
    number = low.number[node] = len(low.nodes)
    low.nodes.append(node)
    return number


def _equation(low: Lowered, node: Node, given: set[Node]) -> None:
    primitive = node.primitive
    assert primitive is not None
    if primitive.custom:
        raise NotCompilable(f"{primitive.name} is a person's own function, not a formula")
    try:
        kinds = [ArrayType(source.shape, source.dtype) for source in node.inputs]
        formula = primitive.index(*kinds, **node.params)
    except (TypeError, NotImplementedError) as error:
        raise NotCompilable(f"{primitive.name} has no formula: {error}") from error
    number = _numbered(low, node)
    low.axes[number] = tuple(low.fresh(n) for n in formula.axes)
    operands = [_operand(low, source, given) for source in node.inputs]
    where = {k: Axis(a) for k, a in enumerate(low.axes[number])}
    body = mapped(formula.body, lambda part: _source(part, operands))
    body = _typed(low, _thin(low.renamed(body, where)), node.dtype.name)
    # Only small results of no nodes are left without axes: their count of iterations is 1.
    low.body[number] = low.tidy(body)


def _operand(low: Lowered, node: Node, given: set[Node]) -> int | Const:
    """The number of an input's buffer, or its value if it is a single constant."""
    single = node.value is not None and node.value.size == 1
    if node.primitive is None and node not in given and single:
        return Const(node.value.item())
    return low.number[node]


def _source(part: Term, operands: Sequence[int | Const]) -> Term | None:
    if not isinstance(part, Read):
        return None
    found = operands[part.argnum]
    if isinstance(found, Const):
        return found
    return Read(found, tuple([mapped(i, lambda p: _source(p, operands)) for i in part.indices]))


def _thin(term: Term) -> Term:
    """Without running axes of one step."""

    def change(part: Term) -> Term | None:
        if not isinstance(part, Reduce):
            return None
        one = {id: Const(0) for id, n in part.axes if n == 1}
        if not one:
            return None
        body = mapped(part.body, lambda p: one.get(p.id) if isinstance(p, Axis) else None)
        runs = tuple((id, n) for id, n in part.axes if n != 1)
        if not runs:
            return Const(0) if part.kind.startswith("arg") else _thin(body)
        return Reduce(part.kind, runs, _thin(body))

    return mapped(term, change)


# The kind of number. A literal has none of its own, so that a formula made of literals alone has to
# be told: where it stands in another one, 1.0 / 3.0 must not become a division of whole numbers.
def kind_of(low: Lowered, term: Term) -> str | None:
    """The type that a term's value has, or None if it takes the one that is asked for."""
    match term:
        case Read(buffer, _):
            return str(low.nodes[buffer].dtype.name)
        case Axis():
            return "int64"
        case Reduce(kind, _, body):
            return "int64" if kind.startswith("arg") else kind_of(low, body)
        case Apply(function, arguments):
            name, _, suffix = function.partition(":")
            if suffix or name in _TRUTHS:
                return suffix or "bool"
            parts = arguments[1:] if name == "select" else arguments
            kinds = [found for part in parts if (found := kind_of(low, part))]
            return max(kinds, key=KINDS.index, default=None)
    return None


def _typed(low: Lowered, term: Term, dtype: str) -> Term:
    """A formula whose value has this type, wherever it stands."""
    kind = kind_of(low, term)
    if kind is None and dtype != "int64":  # which is what a literal is anyway
        return _literals(low, term, dtype)
    return term if kind in (None, dtype) else Apply(f"cast:{dtype}", (term,))


def _literals(low: Lowered, term: Term, dtype: str) -> Term:
    match term:
        case Const(value) if value is not None:
            return Apply(f"cast:{dtype}", (term,))
        case Apply(function, arguments):
            parts = [_literals(low, a, dtype) if kind_of(low, a) is None else a for a in arguments]
            return Apply(function, tuple(parts))
        case Reduce(kind, axes, body):
            return Reduce(kind, axes, _literals(low, body, dtype))
    return term


def iterations(low: Lowered, term: Term) -> int:
    """How often the innermost part of a term runs for one element."""
    inner = [iterations(low, part.body) * prod(n for _, n in part.axes)
             for part in _outermost(term)]  # fmt: skip
    return max(inner, default=1)


def _outermost(term: Term) -> list[Reduce]:
    if isinstance(term, Reduce):
        return [term]
    match term:
        case Read(_, parts) | Apply(_, parts):
            return [found for part in parts for found in _outermost(part)]
    return []


def resolved(low: Lowered, read: Read) -> Read:
    """A read seen through the nodes that only move elements, down to who computed them."""
    while read.argnum in low.body:
        body = low.body[read.argnum]
        if not isinstance(body, Read) or any(isinstance(p, Read) for i in body.indices
                                             for p in walk(i)):  # fmt: skip
            break
        found = low.tidy(low.at(read.argnum, read.indices))
        assert isinstance(found, Read)
        read = found
    return read


def same_place(low: Lowered, buffer: int) -> int | None:
    """The buffer that holds the same elements in the same order, if moving them changes nothing."""
    if not isinstance(low.body.get(buffer), Read):
        return None
    source = resolved(low, low.own(buffer))
    if source.argnum == buffer or low.size(source.argnum) != low.size(buffer):
        return None
    difference = plus(low.place(source), low.place(low.own(buffer)), -1)
    return source.argnum if not difference.parts and not difference.constant else None
