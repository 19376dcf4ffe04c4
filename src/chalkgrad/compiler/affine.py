"""Index arithmetic: an index as Σ cₐ·a + c, over axes and over what cannot be taken apart.

    Linear ::= (atom: int)*, constant     an atom is an axis, or a term like `idx[i]`, `i // 3`

A reshape reads its input at `(4·i + j) // 8`, `(4·i + j) % 8`; with the extents of i and j known,
most of that is affine again. What stays is an atom of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import is_

from chalkgrad.core.index import Apply, Axis, Const, Read, Reduce, Term

Extents = Mapping[int, int]
UNKNOWN = (-(2**62), 2**62)


@dataclass(frozen=True, slots=True)
class Linear:
    """Σ coefficient · atom + constant."""

    parts: tuple[tuple[Term, int], ...]  # (atom, coefficient), none of them 0
    constant: int

    def of(self, axis: int) -> int:
        """The coefficient of an axis."""
        return next((c for atom, c in self.parts if atom == Axis(axis)), 0)

    @property
    def atoms(self) -> tuple[Term, ...]:
        return tuple(atom for atom, _ in self.parts)


def constant(value: int) -> Linear:
    return Linear((), value)


def plus(a: Linear, b: Linear, times: int = 1) -> Linear:
    """a + times · b"""
    parts = dict(a.parts)
    for atom, coefficient in b.parts:
        parts[atom] = parts.get(atom, 0) + times * coefficient
    kept = tuple((atom, c) for atom, c in parts.items() if c)
    return Linear(kept, a.constant + times * b.constant)


def linear(term: Term, extents: Extents) -> Linear:
    """An index term, taken apart. What is no index stays whole: data, and numbers that are none of
    places."""
    match term:
        case Const(int(value)):
            return constant(int(value))
        case Axis(id) if extents.get(id) == 1:
            return constant(0)
        case Apply("add", (a, b)):
            return plus(linear(a, extents), linear(b, extents))
        case Apply("subtract", (a, b)):
            return plus(linear(a, extents), linear(b, extents), -1)
        case Apply("multiply", (a, Const(int(n)))):
            return plus(constant(0), linear(a, extents), n)
        case Apply("multiply", (Const(int(n)), a)):
            return plus(constant(0), linear(a, extents), n)
        case Apply("floor_divide", (a, Const(int(n)))) if n > 0:
            return _divided(linear(a, extents), n, extents)
        case Apply("remainder", (a, Const(int(n)))) if n > 0:
            index = linear(a, extents)
            return plus(index, _divided(index, n, extents), -n)
    return Linear(((term, 1),), 0)


def _divided(index: Linear, size: int, extents: Extents) -> Linear:
    """⌊index / size⌋: what `size` divides comes out, and the rest is 0 if it stays below it."""
    if size == 1:
        return index
    whole = tuple((atom, c // size) for atom, c in index.parts if c % size == 0)
    rest = tuple((atom, c) for atom, c in index.parts if c % size)
    outside, inside = Linear(whole, index.constant // size), Linear(rest, index.constant % size)
    low, high = bounds(inside, extents)
    if low >= 0 and high < size:
        return outside
    match inside:  # ⌊⌊a / m⌋ / n⌋ = ⌊a / mn⌋
        case Linear(((Apply("floor_divide", (a, Const(m))), 1),), 0):
            return plus(outside, _divided(linear(a, extents), int(m) * size, extents))
    atom = Apply("floor_divide", (written(inside), Const(size)))
    return plus(outside, Linear(((atom, 1),), 0))


def bounds(index: Linear, extents: Extents) -> tuple[int, int]:
    """The least and the greatest value that an index can have."""
    low = high = index.constant
    parts = dict(index.parts)
    for atom, size in _remainders(parts):
        high += size * parts.pop(atom)
    for atom, c in parts.items():
        ends = [c * end for end in _range(atom, extents)]
        low, high = low + min(ends), high + max(ends)
    return low, high


def _remainders(parts: dict[Term, int]) -> list[tuple[Term, int]]:
    """Pairs c·⌊x/m⌋ − c·n·⌊x/mn⌋, which are c times a remainder from 0 to n − 1: the first of each
    pair, and n − 1. The second is taken out."""
    found: dict[Term, int] = {}
    for whole in [atom for atom, c in parts.items() if c < 0]:
        match whole:
            case Apply("floor_divide", (x, Const(divisor))):
                for atom, c in parts.items():
                    step = _divisor(atom, x) if atom not in found else 0
                    ratio = int(divisor) // step if step else 0
                    if step and ratio * step == divisor and parts[whole] == -c * ratio:
                        del parts[whole]
                        found[atom] = ratio - 1
                        break
    return list(found.items())


def _divisor(atom: Term, x: Term) -> int:
    """m, if an atom is ⌊x / m⌋."""
    match atom:
        case Apply("floor_divide", (inner, Const(m))) if inner == x:
            return int(m)
    return int(atom == x)


def _range(atom: Term, extents: Extents) -> tuple[int, int]:
    match atom:
        case Axis(id) if id in extents:
            return 0, extents[id] - 1
        case Apply("floor_divide", (a, Const(n))):
            low, high = bounds(linear(a, extents), extents)
            return int(low // n), int(high // n)
        case Apply("clamp" | "index", (_, Const(low), Const(high))):
            return int(low), int(high)
    return UNKNOWN


def written(index: Linear) -> Term:
    """The same index as a term, in one form for one value."""
    total: Term | None = None
    for atom, c in index.parts:
        part = atom if c == 1 else atom * c
        total = part if total is None else total + part
    if total is None:
        return Const(index.constant)
    return total + index.constant if index.constant else total


def flat(indices: Iterable[Linear], strides: Iterable[int]) -> Linear:
    """The place in memory, in elements."""
    total = constant(0)
    for index, stride in zip(indices, strides, strict=True):
        total = plus(total, index, stride)
    return total


def mapped(term: Term, change: Callable[[Term], Term | None]) -> Term:
    """A term with some of its parts replaced; `change` answers None for what is to be kept."""
    found = change(term)
    if found is not None:
        return found
    old = children(term)
    new = tuple([mapped(part, change) for part in old])
    if all(map(is_, new, old)):
        return term
    if isinstance(term, Read):
        return Read(term.argnum, new)
    if isinstance(term, Apply):
        return Apply(term.function, new)
    assert isinstance(term, Reduce)
    return Reduce(term.kind, term.axes, new[0])


def children(term: Term) -> tuple[Term, ...]:
    """The parts of a term."""
    # By type and not by pattern: this is most of what a compilation does before LLVM.
    kind = type(term)
    if kind is Apply:
        return term.arguments  # type: ignore[attr-defined,no-any-return]
    if kind is Read:
        return term.indices  # type: ignore[attr-defined,no-any-return]
    return (term.body,) if kind is Reduce else ()  # type: ignore[attr-defined]


def walk(term: Term) -> Iterator[Term]:
    """A term and all its parts, each before those inside of it."""
    stack = [term]
    while stack:
        part = stack.pop()
        yield part
        stack.extend(children(part))


def free_axes(term: Term) -> frozenset[int]:
    """The axes that a term depends on, without those that it runs over itself."""
    match term:
        case Axis(id):
            return frozenset((id,))
        case Reduce(_, axes, body):
            return free_axes(body) - {id for id, _ in axes}
    return frozenset().union(*(free_axes(part) for part in children(term)))
