"""Memory: where every buffer lies, which states change in place, and in which order kernels run.

- A state is written over its old value where every reader of the old one can run first, or reads
  the very element that is written. Otherwise its new value goes to the arena and is copied last.
- A weight that is multiplied from the right as Wᵀ lies with its axes exchanged as long as the
  program runs, so that the product reads whole vectors of it. Its moments lie the same way.
- What lives only within a step has a place in one arena; places are used again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chalkgrad.compiler.affine import Linear, flat, linear, mapped, walk, written
from chalkgrad.compiler.fuse import Fused
from chalkgrad.compiler.loops import Kernel, Product, Store
from chalkgrad.compiler.lower import Lowered, row_major
from chalkgrad.core.index import Axis, Read, Reduce, Term

ALIGN = 64


@dataclass
class Plan:
    """A program with its memory."""

    low: Lowered
    kernels: list[Kernel]
    alias: dict[int, int]
    strides: dict[int, tuple[int, ...]]  # of the buffers that are not row-major
    home: dict[int, int] = field(default_factory=dict)  # state's new value -> its old one's buffer
    offset: dict[int, int] = field(default_factory=dict)  # bytes into the arena
    arena: int = 0  # bytes
    parts: dict[int, int] = field(default_factory=dict)  # of sums over images: bytes into the arena
    reasons: list[str] = field(default_factory=list)
    _sources: dict[int, set[int]] = field(default_factory=dict)

    def sources(self, kernel: Kernel) -> set[int]:
        """What a kernel reads; kernels no longer change when they are planned."""
        found = self._sources.get(id(kernel))
        if found is None:
            found = self._sources[id(kernel)] = kernel.sources()
        return found

    def root(self, buffer: int) -> int:
        """The buffer whose memory this one is."""
        while buffer in self.alias or buffer in self.home:
            buffer = self.alias.get(buffer, self.home.get(buffer, buffer))
        return buffer

    def strides_of(self, buffer: int) -> tuple[int, ...]:
        found = self.strides.get(self.home.get(buffer, buffer))
        return row_major(self.low.nodes[buffer].shape) if found is None else found

    def place(self, read: Read) -> Linear:
        """Where a read finds its element, in elements."""
        extents = self.low.extents
        return flat([linear(i, extents) for i in read.indices], self.strides_of(read.argnum))

    def flattened(self, term: Term) -> Term:
        """The term with one index, the place in memory, for each read."""

        def change(part: Term) -> Term | None:
            if not isinstance(part, Read):
                return None
            indices = tuple([self.flattened(index) for index in part.indices])
            return Read(part.argnum, (written(self.place(Read(part.argnum, indices))),))

        return mapped(term, change)

    def bytes(self, buffer: int) -> int:
        return self.low.size(buffer) * self.low.nodes[buffer].dtype.itemsize

    def touched(self, kernel: Kernel) -> tuple[set[int], set[int]]:
        """The memory that a kernel reads and writes, by its buffers' roots."""
        reads = {self.root(b) for b in self.sources(kernel)}
        return reads, {self.root(b) for b in kernel.written}


def plan(fused: Fused, states: Sequence[tuple[int, int]], outputs: Sequence[int]) -> Plan:
    """Order the kernels and place the buffers. `states` pairs each old value with its new one;
    `outputs` have memory of their own."""
    low = fused.low
    made = Plan(low, list(fused.kernels), dict(fused.alias), {})
    _exchange(made, {before for before, _ in states})
    copies = []
    for before, after in states:
        if after == before:
            continue
        if not _in_place(made, before, after, fused.results, states):
            copies.append((before, after))
    made.kernels = _ordered(made)
    for before, after in copies:
        made.kernels.append(_copy(low, before, after))
    _place(made, set(outputs))
    return made


# States in place.
def _in_place(
    made: Plan, before: int, after: int, results: Sequence[int], states: Sequence[tuple[int, int]]
) -> bool:
    writers = [k for k in made.kernels if after in {s.buffer for s in k.stores if s.kept}]
    if len(writers) != 1 or results.count(after) > 1 or after in made.home:
        return False
    if any(after == old for old, _ in states) or before in made.alias.values():
        return False
    writer = writers[0]
    if writer.core is not None and not isinstance(writer.core, Product):
        return False
    if not _same_element(made, writer, before, after):
        return False
    made.home[after] = before
    if _ordered(made, check=True):
        return True
    del made.home[after]
    return False


def _same_element(made: Plan, writer: Kernel, before: int, after: int) -> bool:
    """Does the kernel read of the old value only the element that it writes?"""
    store = next(s for s in writer.stores if s.buffer == after)
    made.home[after] = before
    target = made.place(store.target)
    del made.home[after]
    core = writer.core
    if isinstance(core, Product) and before in (core.a.argnum, core.b.argnum):
        return False
    for term in (s.value for s in writer.stores):
        folded = {r.argnum for part in walk(term) if isinstance(part, Reduce)
                  for r in walk(part.body) if isinstance(r, Read)}  # fmt: skip
        if before in folded:
            return False
        for part in walk(term):
            if isinstance(part, Read) and part.argnum == before and made.place(part) != target:
                return False
    return True


def _copy(low: Lowered, before: int, after: int) -> Kernel:
    axes = tuple(low.fresh(n) for n in low.nodes[before].shape)
    where: tuple[Term, ...] = tuple([Axis(a) for a in axes])
    store = Store(before, where, Read(after, where))
    name = low.nodes[before].name or f"%{before}"
    return Kernel(
        axes, [store], None, [f"{name} is still read where its new value is made: a copy"]
    )


# The order.
def _ordered(made: Plan, check: bool = False) -> list[Kernel]:
    """Kernels so that each runs after what it reads, and before what it reads is written over."""
    kernels = made.kernels
    producer = {b: k for k, kernel in enumerate(kernels) for b in kernel.written}
    after: list[set[int]] = [set() for _ in kernels]  # which must run before each
    for k, kernel in enumerate(kernels):
        for source in made.sources(kernel):
            base = source
            while base in made.alias:
                base = made.alias[base]
            if base in producer:
                after[k].add(producer[base])
            for new, old in made.home.items():
                if old == base and new in producer:
                    after[producer[new]].add(k)  # it reads the old value
        after[k].discard(k)
    order: list[int] = []
    waiting = list(range(len(kernels)))
    while waiting:
        ready = next((k for k in waiting if after[k] <= set(order)), None)
        if ready is None:
            assert check, "kernels wait for each other"
            return []
        order.append(ready)
        waiting.remove(ready)
    return [kernels[k] for k in order]


# Weights with their axes exchanged.
def _exchange(made: Plan, states: set[int]) -> None:
    low = made.low
    for kernel in made.kernels:
        core = kernel.core
        if not isinstance(core, Product):
            continue
        c, b = low.place(core.c), low.place(core.b)
        weight = low.nodes[core.b.argnum]
        matrix = core.b.argnum in states and len(weight.shape) == 2
        if matrix and c.of(core.j) == 1 and b.of(core.k) == 1 and b.of(core.j) > 1:
            made.strides[core.b.argnum] = (1, weight.shape[0])
            made.reasons.append(
                f"{weight.name or core.b.argnum} lies with its axes exchanged: "
                "a product reads whole vectors of it"
            )
    if made.strides:
        _follow(made, states)


def _follow(made: Plan, states: set[int]) -> None:
    """States that are read beside an exchanged weight, element by element, lie like it."""
    low = made.low
    for kernel in made.kernels:
        reads = {read for read in kernel.reads() if read.argnum in states}
        turned = [r for r in reads if r.argnum in made.strides and len(_axes(r)) == 2]
        if isinstance(kernel.core, Product):
            turned = [r for r in turned if r not in (kernel.core.a, kernel.core.b)]
        for model in turned:
            for read in reads:
                same = _axes(read) == _axes(model)
                if same and low.nodes[read.argnum].shape == low.nodes[model.argnum].shape:
                    made.strides[read.argnum] = made.strides[model.argnum]


def _axes(read: Read) -> list[int]:
    return [index.id for index in read.indices if isinstance(index, Axis)]


# The arena.
def _place(made: Plan, outputs: set[int]) -> None:
    """First fit: the lowest place that no buffer has which lives at the same time."""
    life: dict[int, tuple[int, int]] = {}
    low = made.low
    for k, kernel in enumerate(made.kernels):
        for buffer in kernel.written | made.sources(kernel):
            root = made.root(buffer)
            if root in low.body and root not in outputs:
                first, _ = life.get(root, (k, k))
                life[root] = (first, k)
    taken: list[tuple[int, int, tuple[int, int]]] = []  # start, end, life
    for buffer, (first, last) in sorted(life.items(), key=lambda item: -made.bytes(item[0])):
        size = -(-max(made.bytes(buffer), 1) // ALIGN) * ALIGN
        start = 0
        for low_end, high_end, (begin, end) in sorted(taken):
            if end < first or begin > last:
                continue
            if start + size <= low_end:
                break
            start = max(start, high_end)
        taken.append((start, start + size, (first, last)))
        made.offset[buffer] = start
        made.arena = max(made.arena, start + size)
