"""From a program's nodes to a native function, and the memory that it runs on.

native = build(inputs, states, outputs, after)
native.load(arrays)                    the states' values
outputs = native.run(inputs)           one step; the states have changed in place
outputs = native.run(inputs, 1000)     a thousand; a moving input has a row for each
arrays = native.states()               what the states hold by now
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chalkgrad.compiler import cache, jit, memory, threads
from chalkgrad.compiler.fuse import fuse
from chalkgrad.compiler.host import Host, detect
from chalkgrad.compiler.lower import NotCompilable, lower
from chalkgrad.compiler.memory import Plan
from chalkgrad.compiler.program import ARENA, CLOCKS, OUTSIDE, SCRATCH, STEPS, Text, generate
from chalkgrad.core.graph import Array, Node

ALIGN = 64
VERSION = 1  # of what the compiler makes: a change of it makes cached objects void


@dataclass(frozen=True)
class Signature:
    """A program's arguments and results. `moving` ones have a part for each step."""

    inputs: tuple[Node, ...]
    states: tuple[Node, ...]
    outputs: tuple[Node, ...]
    after: tuple[Node, ...]
    moving: frozenset[Node] = frozenset()


class Native:
    """A compiled program with its states, its arena and its team of threads."""

    def __init__(
        self, signature: Signature, made: Plan, text: Text, loaded: Any, members: int
    ) -> None:
        self.signature, self.plan, self.text = signature, made, text
        self.loaded = loaded
        self.address = loaded.address(text.name)
        self.members = members if text.shared else 1
        self._lock = threading.Lock()
        self._numbers = {
            node: made.low.number[node] for node in self._nodes() if node in made.low.number
        }
        self._table = np.zeros(OUTSIDE + len(text.slots), np.uint64)
        self._arena = aligned(text.arena)
        self._scratch = aligned(max(text.scratch * self.members, 1))
        self._barrier = aligned(128)
        self._empty = aligned(ALIGN)
        self._held: list[Array] = []
        self.clocks = np.zeros(len(text.jobs) + 1, np.uint64)
        self._table[CLOCKS] = pointer(self.clocks)
        self._table[ARENA], self._table[SCRATCH] = pointer(self._arena), pointer(self._scratch)
        self._constants = [self._constant(node) for node in made.low.nodes]

    def _nodes(self) -> list[Node]:
        s = self.signature
        return [*s.inputs, *s.states, *s.outputs, *s.after]

    def _constant(self, node: Node) -> Array | None:
        number = self.plan.low.number[node]
        given = node in self.signature.inputs or node in self.signature.states
        if node.primitive is not None or given or number not in self.text.slots:
            return None
        array = np.ascontiguousarray(node.value)
        self._put(number, array)
        return array

    def _put(self, number: int, array: Array) -> None:
        where = pointer(array) if array.size else pointer(self._empty)
        self._table[self.text.slots[number]] = where

    def load(self, arrays: Sequence[Array]) -> None:
        """Take over the states' values."""
        self._held = []
        for node, array in zip(self.signature.states, arrays, strict=True):
            number = self.plan.low.number[node]
            held = aligned(max(array.nbytes, 1))[: array.nbytes].view(array.dtype)
            turned = number in self.plan.strides
            held = held.reshape(array.shape[::-1] if turned else array.shape)
            held[...] = array.T if turned else array
            self._held.append(held)
            if number in self.text.slots:
                self._put(number, held)

    def state(self, k: int) -> Array:
        """What a state holds, in memory of its own."""
        number = self.plan.low.number[self.signature.states[k]]
        held = self._held[k]
        return np.array(held.T if number in self.plan.strides else held, order="C")

    @property
    def count(self) -> int:
        """How many states there are."""
        return len(self.signature.states)

    def peek(self, k: int) -> Array:
        """The memory of a state itself: to look at, not to keep."""
        return self._held[k]

    def adopt(self, other: Native) -> None:
        """Go on from where another program of the same states is: in its memory, if it fits."""
        numbers = [self.plan.low.number[node] for node in self.signature.states]
        theirs = [other.plan.low.number[node] for node in other.signature.states]
        turned = [n in self.plan.strides for n in numbers]
        if turned != [n in other.plan.strides for n in theirs]:
            self.load(other.states())
            return
        self._held = other._held
        for number, held in zip(numbers, self._held, strict=True):
            if number in self.text.slots:
                self._put(number, held)

    def release(self) -> list[Array]:
        """The states' values; the program lets go of their memory."""
        numbers = [self.plan.low.number[node] for node in self.signature.states]
        held, self._held = self._held, []
        return [h.T if n in self.plan.strides else h for n, h in zip(numbers, held, strict=True)]

    def states(self) -> list[Array]:
        """What the states hold, in memory of their own."""
        return [self.state(k) for k in range(len(self._held))]

    def run(self, arrays: Sequence[Array], steps: int = 1) -> list[Array]:
        """Run steps. A moving output gets a leading axis of that length."""
        with self._lock:
            kept = [np.ascontiguousarray(array) for array in arrays]
            for node, array in zip(self.signature.inputs, kept, strict=True):
                number = self.plan.low.number[node]
                if number in self.text.slots:
                    self._put(number, array)
            made = {node: self._output(node, steps, kept) for node in self.signature.outputs}
            self._table[STEPS] = steps
            threads.team(self.members).run(
                self.address, pointer(self._table), pointer(self._barrier)
            )
            seen: set[Node] = set()
            return [_once(made[node], node, seen) for node in self.signature.outputs]

    def times(self) -> list[float]:
        """Of a timed program: each kernel's share of the time since it was made."""
        with np.errstate(over="ignore"):  # counters wrap around; their differences do not mind
            spans = np.diff(self.clocks).astype(float)
        return list(spans / max(spans.sum(), 1.0))

    def _output(self, node: Node, steps: int, inputs: Sequence[Array]) -> Array:
        number = self.plan.low.number[node]
        shape = (steps, *node.shape) if node in self.signature.moving else node.shape
        if number not in self.plan.low.body:
            return np.array(np.broadcast_to(self._passed_on(node, inputs), shape))
        array = np.empty(shape, node.dtype)
        self._put(number, array)
        return array

    def _passed_on(self, node: Node, inputs: Sequence[Array]) -> Array:
        """An output that is an argument or a constant."""
        s = self.signature
        if node in s.inputs:
            return inputs[s.inputs.index(node)]
        return self.state(s.states.index(node)) if node in s.states else np.asarray(node.value)


def build(
    signature: Signature, *, host: Host | None = None, members: int | None = None,
    timed: bool = False,
) -> Native:  # fmt: skip
    """Compile a program, or find it in the cache; `timed`: with a clock for each kernel."""
    host = host or detect()
    made, text = translated(signature, host, timed)
    key = repr((VERSION, host, text.text)).encode()
    payload, _ = cache.fetch(key, lambda: jit.compile_text(text.text, host))
    loaded = jit.load(payload, [text.name])
    return Native(signature, made, text, loaded, members or threads.default_size())


def translated(signature: Signature, host: Host, timed: bool = False) -> tuple[Plan, Text]:
    """The planned program and its text."""
    arguments = [*signature.inputs, *signature.states]
    results = [*signature.outputs, *signature.after]
    low = lower(arguments, _equations(arguments, results))
    for node in results:
        if node not in low.number:
            low.number[node] = len(low.nodes)
            low.nodes.append(node)
    pairs = list(zip(signature.states, signature.after, strict=True))
    if any(new.primitive is None or new in arguments for old, new in pairs if old is not new):
        raise NotCompilable("a state takes over the value of another one")
    changed = {old for old, new in pairs if old is not new}
    if changed & set(signature.outputs):
        raise NotCompilable("the value of a state before its update is a result")
    equations = [low.number[node] for node in results if low.number[node] in low.body]
    fused = fuse(low, equations)
    states = [(low.number[old], low.number[new]) for old, new in pairs]
    outputs = [low.number[node] for node in signature.outputs if low.number[node] in low.body]
    made = memory.plan(fused, states, outputs)
    used = {b for k in made.kernels for b in (*k.sources(), *k.written)}
    roots = {made.root(b) for b in used}
    outside = [b for b in sorted(roots | set(outputs)) if b not in low.body or b in outputs]
    moving = frozenset(low.number[node] for node in signature.moving)
    return made, generate(made, outside, moving, host, timed)


def _once(array: Array, node: Node, seen: set[Node]) -> Array:
    """A result that is given twice has two arrays."""
    again = node in seen
    seen.add(node)
    return array.copy() if again else array


def _equations(arguments: Sequence[Node], results: Sequence[Node]) -> list[Node]:
    given = set(arguments)
    wanted = [node for node in results if node not in given]
    found: set[Node] = set()
    stack = wanted
    while stack:
        node = stack.pop()
        if node in found or node in given or node.primitive is None:
            continue
        found.add(node)
        stack.extend(node.inputs)
    return sorted(found, key=lambda node: node.seq)


def aligned(size: int) -> Array:
    """Zeroed bytes at the start of a cache line."""
    raw = np.zeros(size + ALIGN, np.uint8)
    start = -raw.ctypes.data % ALIGN
    return raw[start : start + size]


def pointer(array: Array) -> int:
    """Where an array's numbers begin."""
    where: int = array.__array_interface__["data"][0]
    return where
