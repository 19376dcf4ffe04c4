"""One kernel as LLVM loops: which axis runs in lanes, which is shared among threads.

Adjacent axes that every access walks through as one become one, so that a small matrix is one run
of vectors. The innermost axis is the one along which the first store's memory is contiguous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from chalkgrad.compiler.affine import Linear, free_axes, linear, mapped, plus, walk, written
from chalkgrad.compiler.fuse import cost
from chalkgrad.compiler.loops import Kernel, Scatter, Store
from chalkgrad.compiler.lower import Lowered
from chalkgrad.compiler.memory import Plan
from chalkgrad.compiler.terms import Memory, Terms, Value
from chalkgrad.core.index import Axis, Read, Reduce, Term
from chalkgrad.machine import functions
from chalkgrad.machine.text import FLOATS, vector_of

MEMSET = "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1 immarg)"
_BLOCK = 8  # vectors in a unit of work of a single loop


@dataclass
class Nest:
    """A loop nest ready to be written: its places in memory are flat."""

    axes: list[int]  # outermost first; the last one runs in lanes
    stores: list[Store]
    lanes: int
    extents: list[int]

    @property
    def units(self) -> int:
        """Into how many pieces it can be shared."""
        if not self.axes:
            return 1
        if len(self.axes) == 1:
            return -(-self.extents[0] // (self.lanes * _BLOCK))
        return self.extents[0]

    @property
    def work(self) -> float:
        """About how many additions it takes."""
        return prod(self.extents) * sum(1 + cost(store.value) for store in self.stores)


def nest(made: Plan, kernel: Kernel, vector: int) -> Nest:
    """Order and merge the axes of a kernel, and choose its lanes."""
    low = made.low
    stores = [
        Store(s.buffer, (written(made.place(s.target)),), made.flattened(s.value), s.kept)
        for s in kernel.stores
    ]
    axes = [axis for axis in kernel.axes if low.extents[axis] != 1]
    first = next((s for s in stores if s.kept), stores[0])
    place = linear(first.indices[0], low.extents)
    axes.sort(key=lambda axis: -abs(place.of(axis)))
    axes, stores = merged(low, axes, stores)
    stores = [s._replace(value=mapped(s.value, lambda t: _in_one_run(low, t))) for s in stores]
    lanes = _lanes(low, made, stores, axes, vector)
    return Nest(axes, stores, lanes, [low.extents[axis] for axis in axes])


# Axes that are one.
def merged(low: Lowered, axes: list[int], stores: list[Store]) -> tuple[list[int], list[Store]]:
    """The axes with neighbours made one wherever that is possible."""
    k = 0
    while k < len(axes) - 1:
        outer, inner = axes[k], axes[k + 1]
        if _walks_as_one(low, outer, inner, [t for s in stores for t in (s.value, s.target)]):
            new = low.fresh(low.extents[outer] * low.extents[inner])
            stores = [_moved(low, store, outer, inner, new) for store in stores]
            axes[k : k + 2] = [new]
            k = max(k - 1, 0)
        else:
            k += 1
    return axes, stores


def _moved(low: Lowered, store: Store, outer: int, inner: int, new: int) -> Store:
    value, target = (_with_one(low, t, outer, inner, new) for t in (store.value, store.target))
    assert isinstance(target, Read)
    return Store(store.buffer, target.indices, value, store.kept)


def _in_one_run(low: Lowered, term: Term) -> Term | None:
    """A reduction whose last two axes are walked through as one, so that its runs are longer."""
    match term:
        case Reduce(kind, (*others, (outer, m), (inner, n)), body) if not kind.startswith("arg"):
            if not _walks_as_one(low, outer, inner, [body]):
                return None
            new = low.fresh(m * n)
            body = _with_one(low, body, outer, inner, new)
            return mapped(
                Reduce(kind, (*others, (new, m * n)), body), lambda t: _in_one_run(low, t)
            )
    return None


def _walks_as_one(low: Lowered, outer: int, inner: int, terms: Sequence[Term]) -> bool:
    pair = {outer, inner}

    def fits(term: Term) -> bool:
        match term:
            case Axis(id):
                return id not in pair
            case Read(_, (index,)):
                place = linear(index, low.extents)
                inside = all(fits(a) for a in place.atoms if not isinstance(a, Axis))
                return inside and place.of(outer) == place.of(inner) * low.extents[inner]
            case Reduce(_, _, body):
                return fits(body)
        return all(fits(part) for part in getattr(term, "arguments", ()))

    return all(fits(term) for term in terms)


def _with_one(low: Lowered, term: Term, outer: int, inner: int, new: int) -> Term:
    def change(part: Term) -> Term | None:
        if not isinstance(part, Read):
            return None
        place = linear(part.indices[0], low.extents)
        kept = [(a, c) for a, c in place.parts if a not in (Axis(outer), Axis(inner))]
        parts = tuple([(mapped(a, change), c) for a, c in kept])
        step = place.of(inner)
        rest = Linear(parts, place.constant)
        whole = plus(rest, Linear(((Axis(new), 1),), 0), step) if step else rest
        return Read(part.argnum, (written(whole),))

    return mapped(term, change)


def _lanes(
    low: Lowered, made: Plan, stores: Sequence[Store], axes: Sequence[int], vector: int
) -> int:
    """How many elements of the innermost axis are worked on at once."""
    if not axes or not _even(low, stores, axes[-1]):
        return 1
    sizes = [made.low.nodes[store.buffer].dtype.itemsize for store in stores]
    width = max(vector // max(max(sizes), 4), 1)
    return max(min(width, low.extents[axes[-1]]), 1)  # an axis without elements runs in lanes of 1


def _even(low: Lowered, stores: Sequence[Store], axis: int) -> bool:
    """Do the reductions inside read along this axis, and not along one of their own?"""
    for store in stores:
        for part in walk(store.value):
            if not isinstance(part, Reduce) or axis not in free_axes(part):
                continue
            own = {a for a, n in part.axes if n >= 4}
            places = [linear(r.indices[0], low.extents) for r in walk(part.body)
                      if isinstance(r, Read)]  # fmt: skip
            along = sum(p.of(axis) == 1 for p in places)
            across = sum(any(p.of(a) == 1 for a in own) for p in places)
            if across > along:
                return False
    return True


# Writing.
def write(terms: Terms, job: Nest, first: str, last: str) -> None:
    """The loops that do the units first … last − 1."""
    with terms.scope():
        values = [store.value for store in job.stores]
        terms.prepare(values)
        if not job.axes:
            points_at(terms, job.stores)
        elif len(job.axes) == 1:
            _single(terms, job, first, last)
        else:
            with terms.scope(), terms.f.loop(first, last) as i:
                terms.open(job.axes[0], i)
                terms.prepare(values)
                _inner(terms, job, 1)


def _inner(terms: Terms, job: Nest, depth: int) -> None:
    axis = job.axes[depth]
    if depth == len(job.axes) - 1:
        run(terms, axis, job.lanes, job.stores, "0", str(job.extents[depth]))
        return
    with terms.scope(), terms.f.loop("0", str(job.extents[depth])) as i:
        terms.open(axis, i)
        terms.prepare([store.value for store in job.stores])
        _inner(terms, job, depth + 1)


def _single(terms: Terms, job: Nest, first: str, last: str) -> None:
    extent, block = job.extents[0], job.lanes * _BLOCK
    if (first, last) == ("0", str(job.units)):
        run(terms, job.axes[0], job.lanes, job.stores, "0", str(extent))
        return
    start = terms.f.let(f"mul i64 {first}, {block}")
    end = terms.f.let(f"mul i64 {last}, {block}")
    over = terms.f.let(f"icmp sgt i64 {end}, {extent}")
    stop = terms.f.let(f"select i1 {over}, i64 {extent}, i64 {end}")
    run(terms, job.axes[0], job.lanes, job.stores, start, stop, extent)


def run(
    terms: Terms, axis: int, lanes: int, stores: Sequence[Store], start: str, stop: str,
    extent: int | None = None,
) -> None:  # fmt: skip
    """The innermost loop, from start to stop. `extent` is given if they are not known here."""
    f = terms.f

    def points(first: str, count: int) -> None:
        with terms.scope():
            terms.across(axis, first, count, lanes)
            terms.prepare([store.value for store in stores])
            points_at(terms, stores)

    if extent is None:
        extent = int(stop)
        whole = extent - extent % lanes
        if whole == lanes:
            points("0", lanes)
        elif whole:
            with terms.scope(), f.loop("0", str(whole), lanes) as i:
                points(i, lanes)
        if extent % lanes:
            points(str(whole), extent % lanes)
        return
    whole = extent - extent % lanes
    over = f.let(f"icmp sgt i64 {stop}, {whole}")
    until = f.let(f"select i1 {over}, i64 {whole}, i64 {stop}")
    with terms.scope(), f.loop(start, until, lanes) as i:
        points(i, lanes)
    if extent % lanes:
        with terms.scope(), f.when(over):
            points(str(whole), extent % lanes)


def points_at(terms: Terms, stores: Sequence[Store]) -> None:
    """Evaluate everything, then write: a state's old value is read before it goes."""
    values = []
    for store in stores:
        kind = terms.memory[store.buffer].kind
        value = terms.converted(terms.typed(store.value, kind), kind)
        terms.define(store.target, value)
        values.append(value)
    for store, value in zip(stores, values, strict=True):
        if store.kept:
            _written(terms, store, value)


def _written(terms: Terms, store: Store, value: Value) -> None:
    memory = terms.memory[store.buffer]
    place = linear(store.indices[0], terms.extents)
    count = terms.lanes.count if terms.lanes else 1
    text = terms.widened(value, count)
    step = place.of(terms.lanes.axis) if terms.lanes else 1
    index = terms.index(place)
    if step == 1 or count == 1:
        put(terms, memory, index, text, count)
        return
    wide = vector_of(memory.kind, count)
    for k in range(count):
        one = terms.f.let(f"extractelement {wide} {text}, i64 {k}")
        there = terms.f.let(f"add i64 {index.text}, {k * step}")
        put(terms, memory, Value(there, "i64", 1, terms.f.level), one, 1)


def put(terms: Terms, memory: Memory, index: Value, text: str, count: int) -> None:
    """Write one run of elements."""
    where = terms.address(memory, index)
    kind = memory.kind
    if kind == "i1":
        byte = vector_of("i8", count)
        text = terms.f.let(f"zext {vector_of('i1', count)} {text} to {byte}")
        kind = "i8"
    size = max(functions.BITS.get(kind, 8) // 8, 1)
    terms.f.do(f"store {vector_of(kind, count)} {text}, ptr {where}, align {size}")


# Scatter.
def scatter(terms: Terms, made: Plan, kernel: Kernel, first: str, last: str) -> None:
    """Clear the output, then add element by element, in order."""
    core = kernel.core
    assert isinstance(core, Scatter)
    low, f = made.low, terms.f
    outer, inner = scatter_axes(made, kernel)
    memory = terms.memory[core.buffer]
    place = made.flattened(Read(core.buffer, core.indices))
    assert isinstance(place, Read)
    value = made.flattened(core.value)
    size = functions.BITS[memory.kind] // 8
    share = low.size(core.buffer) // (low.extents[outer] if outer is not None else 1)
    with terms.scope(), f.loop(first, last) as i:
        start = f.let(f"mul i64 {i}, {share * size}")
        room = f.let(f"getelementptr i8, ptr {memory.pointer}, i64 {start}")
        terms.library.declared.add(MEMSET)
        f.do(f"call void @llvm.memset.p0.i64(ptr {room}, i8 0, i64 {share * size}, i1 false)")
        if outer is not None:
            terms.open(outer, i)
        _added(terms, inner, [low.extents[a] for a in inner], value, place, memory)


def scatter_axes(made: Plan, kernel: Kernel) -> tuple[int | None, list[int]]:
    """An outermost axis that keeps pieces of the output apart, if there is one, and the others."""
    core = kernel.core
    assert isinstance(core, Scatter)
    extents = made.low.extents
    axes = [a for a in kernel.axes if extents[a] != 1]
    shape = made.low.nodes[core.buffer].shape
    apart = bool(axes) and core.indices[0] == Axis(axes[0]) and shape[0] == extents[axes[0]]
    return (axes[0], axes[1:]) if apart else (None, axes)


def _added(
    terms: Terms, axes: list[int], extents: list[int], value: Term, place: Read, memory: Memory
) -> None:
    if axes:
        terms.prepare([value])
        with terms.scope(), terms.f.loop("0", str(extents[0])) as i:
            terms.open(axes[0], i)
            _added(terms, axes[1:], extents[1:], value, place, memory)
        return
    number = terms.converted(terms.typed(value, memory.kind), memory.kind)
    index = terms.index(linear(place.indices[0], terms.extents))
    where = terms.address(memory, index)
    held = terms.f.let(f"load {memory.kind}, ptr {where}")
    word = "fadd" if memory.kind in FLOATS else "add"
    total = terms.f.let(f"{word} {memory.kind} {held}, {number.text}")
    terms.f.do(f"store {memory.kind} {total}, ptr {where}")
