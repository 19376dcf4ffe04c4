"""What must hold of the loop language between the stages: a fault here is one of the compiler.

- An axis that a term depends on runs in its kernel.
- A read has an index for each axis of its buffer.
- A buffer comes to be in one kernel, and before any other reads it.
- An old value of a state is not read after the kernel that writes over it.
- Two buffers that live at one time do not share memory.
"""

from __future__ import annotations

from itertools import combinations

from chalkgrad.compiler.affine import free_axes, walk
from chalkgrad.compiler.loops import Kernel, Product
from chalkgrad.compiler.lower import Lowered
from chalkgrad.compiler.memory import Plan
from chalkgrad.core.index import Read


class Broken(AssertionError):
    """The compiler has made a program that means nothing."""


def verify(made: Plan) -> None:
    """Check a planned program. Raises Broken."""
    for number, kernel in enumerate(made.kernels):
        _terms(made.low, number, kernel)
    _order(made)
    _memory(made)


def _terms(low: Lowered, number: int, kernel: Kernel) -> None:
    running = set(kernel.axes)
    if isinstance(kernel.core, Product):
        running |= {kernel.core.i, kernel.core.j, kernel.core.k}
    for term in kernel.terms():
        loose = {axis for axis in free_axes(term) - running if low.extents[axis] != 1}
        if loose:
            raise Broken(f"kernel {number}: the axes {sorted(loose)} do not run in {term}")
        for part in walk(term):
            if isinstance(part, Read):
                rank = len(low.nodes[part.argnum].shape)
                if len(part.indices) != rank:
                    raise Broken(f"kernel {number}: {part} reads a buffer of {rank} axes")


def _order(made: Plan) -> None:
    computed = set(made.low.body) - set(made.alias)
    seen: set[int] = set()
    gone: dict[int, int] = {}  # states that are written over, and by which kernel
    for number, kernel in enumerate(made.kernels):
        for source in kernel.sources():
            while source in made.alias:
                source = made.alias[source]
            if source in computed and source not in seen:
                raise Broken(f"kernel {number} reads buffer {source} before it is there")
            if source in gone:
                raise Broken(f"kernel {number} reads {source}, which {gone[source]} wrote over")
        twice = kernel.written & seen
        if twice:
            raise Broken(f"kernel {number} writes {sorted(twice)} again")
        seen |= kernel.written
        gone |= {made.home[b]: number for b in kernel.written if b in made.home}


def _memory(made: Plan) -> None:
    life: dict[int, tuple[int, int]] = {}
    for number, kernel in enumerate(made.kernels):
        reads, writes = made.touched(kernel)
        for root in reads | writes:
            first, _ = life.get(root, (number, number))
            life[root] = (first, number)
    placed = [(made.offset[b], made.offset[b] + made.bytes(b), life[b], b) for b in made.offset]
    for (start, end, own, one), (begin, stop, other, two) in combinations(placed, 2):
        together = own[0] <= other[1] and other[0] <= own[1]
        if together and start < stop and begin < end:
            raise Broken(f"buffers {one} and {two} live at one time at one place")
