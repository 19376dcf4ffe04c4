"""Fusion: which nodes are kept in memory, and which are computed where they are used.

1. `_kept` decides node by node, from the results backwards. A node that only moves elements is
   always read through. One that computes stays where its single reader needs it, unless it would
   be computed more often than it has elements. What a product or a scatter reads has memory.
2. `_joined` puts the stores into kernels, in order: a store joins the kernel that computes what it
   reads, if it reads that at the same point; so do siblings over the same axes and inputs.
3. What only its own kernel reads is not written to memory at all.

Every decision leaves a line in `Kernel.reasons`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from chalkgrad.compiler.affine import free_axes, mapped, walk
from chalkgrad.compiler.loops import Convolution, Kernel, Product, Scatter, Store
from chalkgrad.compiler.lower import (
    LIMIT,
    Lowered,
    iterations,
    resolved,
    same_place,
)
from chalkgrad.core.errors import NotCompilable
from chalkgrad.core.index import Apply, Axis, Const, Read, Reduce, Term

# What an operation costs, in additions: an estimate that decides between computing twice and
# storing once.
COSTS = {
    "divide": 4, "sqrt": 5, "rsqrt": 8, "power": 40, "remainder": 8, "fmod": 8, "bits": 40,
    "floor_divide": 8, "exp": 12, "log": 14, "tanh": 16, "sigmoid": 14, "maximum": 1, "minimum": 1,
    "add": 1, "subtract": 1, "multiply": 1, "negative": 1, "square": 1, "select": 1, "relu": 1,
    "absolute": 1, "copy": 0, "clamp": 2, "index": 4, "clip": 2, "reciprocal": 4, "bounded_log": 16,
    "logical_and": 1, "logical_or": 1, "logical_not": 1, "equal": 1, "not_equal": 1, "less": 1,
    "less_equal": 1, "greater": 1, "greater_equal": 1, "sign": 2,
}  # fmt: skip
_UNKNOWN = 30
_CHEAP = 2  # additions: computed twice rather than stored
_STORES = 24  # in one kernel: more would not fit the registers
_SCATTERS = {"add_at", "add_along"}
_CONVOLUTIONS = {"convolution", "convolution_input", "convolution_weight"}
_LEAST_PRODUCT = 256  # multiplications: a smaller product is an ordinary loop


@dataclass
class Fused:
    """The kernels, in an order that respects what each reads."""

    low: Lowered
    kernels: list[Kernel]
    alias: dict[int, int]  # buffers that are another buffer's memory under another shape
    results: tuple[int, ...]


def fuse(low: Lowered, results: Sequence[int]) -> Fused:
    """Group the equations of a program into kernels."""
    products = {n: core for n in low.body if (core := _product(low, n)) is not None}
    special = {n for n in low.body if _is_special(low, n)}
    needed = _needed(low, products, special)
    kept = _kept(low, set(results), needed, set(products) | special)
    alias = {}
    for n in kept & set(low.body):
        source = same_place(low, n) if n not in results else None
        if source is not None and (source not in low.body or source in kept):
            alias[n] = source
    kernels: list[Kernel] = []
    for n in sorted(kept & set(low.body)):
        if n not in alias:
            _place(low, kernels, n, products.get(n), n in special, kept)
    _forget(kernels, set(results), alias)
    return Fused(low, kernels, alias, tuple(results))


def cost(term: Term) -> float:
    """About how many additions one element takes."""
    match term:
        case Apply(function, arguments):
            own = COSTS.get(function.split(":")[0], _UNKNOWN)
            own = 1 if function.startswith("cast") else own
            return own + sum(cost(a) for a in arguments)
        case Reduce(_, axes, body):
            return prod(n for _, n in axes) * (1 + cost(body))
        case Read(_, indices):
            return sum(cost(i) for i in indices if not isinstance(i, (Axis, Const)))
    return 0


# What has kernels of its own.
def _is_special(low: Lowered, n: int) -> bool:
    node = low.nodes[n]
    assert node.primitive is not None
    if node.primitive.name in _CONVOLUTIONS:
        return node.shape != () and 0 not in node.shape and iterations(low, low.body[n]) > 1
    many = iterations(low, low.body[n])
    if node.primitive.name in _SCATTERS and many > 8 and 0 not in node.inputs[0].shape:
        return True
    if many * low.size(n) > LIMIT and node.primitive.name in ("argsort", "cumsum", "cumprod"):
        raise NotCompilable(f"{node.primitive.name} of {low.size(n)} elements has no native code")
    return False


def _product(low: Lowered, n: int) -> Product | None:
    """The node as a matrix product, if its formula is one."""
    match low.body[n]:
        case Reduce("sum", ((k, depth),), Apply("multiply", (Read() as a, Read() as b))):
            pass
        case _:
            return None
    if low.nodes[n].dtype.kind != "f":
        return None
    a, b = resolved(low, a), resolved(low, b)
    places = low.place(a), low.place(b)
    if not all(isinstance(atom, Axis) for place in places for atom in place.atoms):
        return None
    domain = {axis for axis in low.axes[n] if low.extents[axis] != 1}
    in_a, in_b = ({axis for axis in (*domain, k) if p.of(axis)} for p in places)
    left, right = in_a - in_b, in_b - in_a
    whole = left | right == domain and k in in_a & in_b
    if not whole or len(left) != 1 or len(right) != 1:
        return None
    (i,), (j,) = left, right
    sides = low.extents[i], low.extents[j]
    if prod(sides) * depth < _LEAST_PRODUCT or min(sides) < 2 or max(sides) < 4 or depth < 2:
        return None
    return Product(low.own(n), a, b, i, j, k)


def _needed(low: Lowered, products: dict[int, Product], special: set[int]) -> set[int]:
    """What must be in memory because a kernel reads it from there."""
    found = {read.argnum for core in products.values() for read in (core.a, core.b)}
    for n in special:
        node = low.nodes[n]
        assert node.primitive is not None
        if node.primitive.name in _CONVOLUTIONS:
            found |= {low.number[source] for source in node.inputs}
    return found


# 1. What is kept.
def _kept(low: Lowered, results: set[int], needed: set[int], own: set[int]) -> set[int]:
    kept = set(results) | needed | own
    wanted = dict.fromkeys(low.body, 0.0)  # how often each would be computed if it were inlined
    costs: dict[int, float] = {}
    for n in low.body:
        inner = sum(costs.get(p.argnum, 0.0) for p in _reads(low.body[n])) if n not in own else 0.0
        costs[n] = cost(low.body[n]) + inner
        if n in kept:
            costs[n] = 0.0
    for n in reversed(low.body):
        often = wanted[n] / max(low.size(n), 1)
        if n not in kept and _stays(low, n, often, costs[n]):
            kept.add(n)
        times = float(low.size(n)) if n in kept else wanted[n]
        if n not in own or low.nodes[n].primitive.name in _SCATTERS:  # type: ignore[union-attr]
            for source, count in _counted(low.body[n], times):
                if source in wanted:
                    wanted[source] += count
    return kept


def _stays(low: Lowered, n: int, often: float, price: float) -> bool:
    """Is this node worth memory of its own?"""
    body = low.body[n]
    if isinstance(body, Read) and not any(
        isinstance(p, Read) for i in body.indices for p in walk(i)
    ):
        return False
    if often <= 1 and not isinstance(body, Reduce):
        return False
    return price > _CHEAP or often > 64 or isinstance(body, Reduce)


def _reads(term: Term) -> Iterator[Read]:
    return (part for part in walk(term) if isinstance(part, Read))


def _counted(term: Term, times: float) -> Iterator[tuple[int, float]]:
    """Each read of a term, and how often it runs."""
    match term:
        case Reduce(_, axes, body):
            yield from _counted(body, times * prod(n for _, n in axes))
        case Read(source, indices):
            yield source, times
            for index in indices:
                yield from _counted(index, times)
        case Apply(_, arguments):
            for argument in arguments:
                yield from _counted(argument, times)


# 2. Which kernel.
def _place(
    low: Lowered, kernels: list[Kernel], n: int, core: Product | None, special: bool, kept: set[int]
) -> None:
    name = _label(low, n)
    if core is not None:
        store = Store(n, core.c.indices, core.c)
        kernels.append(Kernel(low.axes[n], [store], core, [f"{name} is a matrix product"]))
        return
    if special:
        kernels.append(_special(low, n, kept))
        return
    value = low.tidy(low.inlined(low.body[n], lambda m: m in low.body and m not in kept))
    store = Store(n, low.own(n).indices, value)
    if not _joined(low, kernels, store, name):
        kernels.append(Kernel(low.axes[n], [store], None, [f"{name} begins a loop"]))


def _special(low: Lowered, n: int, kept: set[int]) -> Kernel:
    node = low.nodes[n]
    assert node.primitive is not None
    if node.primitive.name in _CONVOLUTIONS:
        first, second = (low.number[source] for source in node.inputs)
        core = Convolution(n, node, (first, second))
        stores = [Store(n, low.own(n).indices, low.own(n))]
        return Kernel(low.axes[n], stores, core, [f"{_label(low, n)} is a convolution"])
    axis, index = node.params["axis"], low.number[node.inputs[1]]
    shape, places = node.inputs[0].shape, node.inputs[1].shape
    own = [low.fresh(size) for size in shape]
    here: list[Term] = [Axis(a) for a in own]
    along = node.primitive.name == "add_along"
    at = tuple(here) if along else tuple(here[axis : axis + len(places)])
    after = axis + 1 if along else axis + len(places)
    where = (*here[:axis], Read(index, at), *here[after:])
    value: Term = Read(low.number[node.inputs[0]], tuple(here))
    terms = [low.tidy(low.inlined(low.tidy(t), lambda m: m in low.body and m not in kept))
             for t in (value, Read(n, where))]  # fmt: skip
    target = terms[1]
    assert isinstance(target, Read)
    scatter = Scatter(n, target.indices, terms[0])
    return Kernel(tuple(own), [], scatter, [f"{_label(low, n)} adds at places that are data"])


def _joined(low: Lowered, kernels: list[Kernel], store: Store, name: str) -> bool:
    """Does the store fit into a kernel that is there?"""
    sources = {read.argnum for read in _reads(store.value)}
    sibling: tuple[Kernel, dict[int, int]] | None = None
    for kernel in reversed(kernels):
        read_here = sources & set(kernel.defined)
        if read_here:
            if not isinstance(kernel.core, (Scatter, Convolution)) or _tiles(kernel):
                turn = _same_point(low, kernel, store, read_here)
                if turn is not None and _runs_on(low, kernel, store, turn):
                    _add(low, kernel, store, turn)
                    first = _label(low, min(read_here))
                    kernel.reasons.append(f"{name} joins {first}: it reads it at the same point")
                    return True
            break
        if sibling is None and kernel.core is None:
            turn = _siblings(low, kernel, store, sources)
            sibling = None if turn is None else (kernel, turn)
    if sibling is None:
        return False
    kernel, turn = sibling
    _add(low, kernel, store, turn)
    kernel.reasons.append(f"{name} joins a loop over the same elements")
    return True


def _tiles(kernel: Kernel) -> bool:
    """Does a convolution hand out its result tile by tile?"""
    core = kernel.core
    if not isinstance(core, Convolution) or core.node.primitive is None:
        return False
    return core.node.primitive.name == "convolution"


def _runs_on(low: Lowered, kernel: Kernel, store: Store, turn: dict[int, int]) -> bool:
    """After a convolution: does the store walk through every image's places as one run?"""
    if not isinstance(kernel.core, Convolution):
        return True
    back = {own: mine for mine, own in turn.items()}
    spatial = [back.get(axis, axis) for axis in kernel.axes[2:]]
    for read in (*_reads(store.value), store.target):
        place = low.place(read)
        if any(not isinstance(atom, Axis) for atom in place.atoms):
            return False
        for outer, inner in pairwise(spatial):
            if place.of(outer) != place.of(inner) * low.extents[inner]:
                return False
    return not any(isinstance(part, Reduce) for part in walk(store.value))


def _wide(low: Lowered, axes: Sequence[int]) -> list[int]:
    return [axis for axis in axes if low.extents[axis] != 1]


def _same_point(
    low: Lowered, kernel: Kernel, store: Store, read_here: set[int]
) -> dict[int, int] | None:
    """The kernel's axis for each of the store's, if it reads what is made there at one point."""
    if len(kernel.stores) >= _STORES:
        return None
    inside = {r.argnum for part in walk(store.value) if isinstance(part, Reduce)
              for r in _reads(part.body)}  # fmt: skip
    if inside & read_here:
        return None
    turn: dict[int, int] = {}
    defined = kernel.defined
    for read in _reads(store.value):
        if read.argnum not in read_here:
            continue
        for mine, own in zip(read.indices, defined[read.argnum], strict=True):
            if isinstance(own, Axis) and low.extents[own.id] != 1:
                if not isinstance(mine, Axis) or turn.setdefault(mine.id, own.id) != own.id:
                    return None
                if low.extents[mine.id] != low.extents[own.id]:  # it reads a part of it
                    return None
            elif not (isinstance(mine, Const) or _single(low, mine)):
                return None
    same = set(turn) == set(_wide(low, low.axes[store.buffer]))
    onto = set(turn.values()) == set(_wide(low, kernel.axes))
    return turn if same and onto and len(set(turn.values())) == len(turn) else None


def _single(low: Lowered, index: Term) -> bool:
    return isinstance(index, Axis) and low.extents[index.id] == 1


def _siblings(
    low: Lowered, kernel: Kernel, store: Store, sources: set[int]
) -> dict[int, int] | None:
    """The same, for a loop that merely runs over the same axes and shares an input."""
    mine, own = _wide(low, low.axes[store.buffer]), _wide(low, kernel.axes)
    if [low.extents[a] for a in mine] != [low.extents[a] for a in own]:
        return None
    if len(kernel.stores) >= _STORES or _folds(store.value) != _folds(kernel.stores[0].value):
        return None
    small = prod(low.extents[a] for a in own) <= 64
    shared = sources & {read.argnum for read in kernel.reads()}
    return dict(zip(mine, own, strict=True)) if shared or small else None


def _folds(term: Term) -> bool:
    return any(isinstance(part, Reduce) for part in walk(term))


def _add(low: Lowered, kernel: Kernel, store: Store, turn: dict[int, int]) -> None:
    """Put a store into a kernel, in terms of the kernel's axes."""

    def change(part: Term) -> Term | None:
        return Axis(turn.get(part.id, part.id)) if isinstance(part, Axis) else None

    indices = tuple([mapped(i, change) for i in store.indices])
    kernel.stores.append(store._replace(indices=indices, value=mapped(store.value, change)))
    assert free_axes(kernel.stores[-1].value) <= set(kernel.axes) | set(turn)


# 3. What needs no memory.
def _forget(kernels: list[Kernel], results: set[int], alias: dict[int, int]) -> None:
    outside = set(results) | set(alias.values())
    for kernel in kernels:
        outside |= kernel.sources()
    for kernel in kernels:
        kernel.stores = [s._replace(kept=s.buffer in outside) for s in kernel.stores]


def _label(low: Lowered, n: int) -> str:
    node = low.nodes[n]
    assert node.primitive is not None
    return f"{node.name or node.primitive.name} (%{n})"
