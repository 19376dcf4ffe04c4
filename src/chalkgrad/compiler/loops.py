"""The loop language: what a compiled program does, kernel by kernel.

    Program ::= buffers, kernels in the order in which they run
    Kernel  ::= for axes: Store*                     a loop nest; its iterations are independent
              | for axes: Core, Store*               the stores take the core's result, element by
                                                     element, while it is in registers or cache
              | for axes: buffer[index*] += Term     Scatter: in order along what it adds over
    Core    ::= Product: c[i,j] = Σₖ a · b           register-tiled, `gemm`
              | Convolution                          as products, `convolve`
    Store   ::= buffer[index*] = Term                `kept` if it is written to memory, else local

Terms are those of `core.index`, over buffers' numbers instead of argument numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chalkgrad.compiler.affine import walk
from chalkgrad.core.graph import Node
from chalkgrad.core.index import Axis, Read, Term


class Store(NamedTuple):
    """buffer[indices] = value, at each point of the kernel's axes."""

    buffer: int
    indices: tuple[Term, ...]
    value: Term
    kept: bool = True

    @property
    def target(self) -> Read:
        return Read(self.buffer, self.indices)


class Product(NamedTuple):
    """c[i,j] = Σₖ a[i,k] · b[k,j], where c, a and b are reads at the axes i, j and k."""

    c: Read
    a: Read
    b: Read
    i: int
    j: int
    k: int


class Convolution(NamedTuple):
    """One of the three convolutions, by the name and the parameters of its primitive."""

    buffer: int
    node: Node
    operands: tuple[int, int]

    @property
    def name(self) -> str:
        """The primitive's name."""
        return self.node.primitive.name if self.node.primitive else ""


class Scatter(NamedTuple):
    """buffer[indices] += value over the kernel's axes; every other element is 0."""

    buffer: int
    indices: tuple[Term, ...]
    value: Term


@dataclass
class Kernel:
    """One loop nest, and why its stores are together."""

    axes: tuple[int, ...]
    stores: list[Store]
    core: Product | Convolution | Scatter | None = None
    reasons: list[str] = field(default_factory=list)

    @property
    def defined(self) -> dict[int, tuple[Term, ...]]:
        """The buffers that come to be here, and at which indices."""
        found = {store.buffer: store.indices for store in self.stores}
        if isinstance(self.core, Product):
            found[self.core.c.argnum] = self.core.c.indices
        elif self.core is not None:
            found.setdefault(self.core.buffer, ())
        return found

    @property
    def written(self) -> set[int]:
        """The buffers in memory that are written."""
        found = {store.buffer for store in self.stores if store.kept}
        if isinstance(self.core, Scatter):
            found.add(self.core.buffer)
        return found

    def reads(self) -> Iterator[Read]:
        """Every read of a buffer from memory."""
        local = self.defined
        for term in self.terms():
            for part in walk(term):
                if isinstance(part, Read) and part.argnum not in local:
                    yield part

    def terms(self) -> Iterator[Term]:
        """Everything that is evaluated."""
        yield from (store.value for store in self.stores)
        if isinstance(self.core, Product):
            yield from (self.core.a, self.core.b)
        elif isinstance(self.core, Scatter):
            yield from (self.core.value, *self.core.indices)

    def sources(self) -> set[int]:
        """The buffers that must be complete before it runs."""
        found = {read.argnum for read in self.reads()}
        if isinstance(self.core, Convolution):
            found |= set(self.core.operands)
        return found


def plain(indices: Sequence[Term]) -> dict[int, int]:
    """Which axis stands at which place, of indices that are axes (or 0)."""
    return {index.id: k for k, index in enumerate(indices) if isinstance(index, Axis)}
