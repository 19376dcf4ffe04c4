"""A compiled program with its memory: what it is called with, and what it keeps between calls."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple
from weakref import ref

import numpy as np

from chalkgrad.core.graph import Array, Node
from chalkgrad.machine import threads
from chalkgrad.machine.jit import Loaded
from chalkgrad.transform.simplify import equations

ALIGN = 64
_LINE = 16  # numbers of a state with its axes exchanged that are copied at a time


class Signature(NamedTuple):
    """A program's arguments and results. `moving` ones have a part for each step."""

    inputs: tuple[Node, ...]
    states: tuple[Node, ...]
    outputs: tuple[Node, ...]
    after: tuple[Node, ...]
    moving: frozenset[Node] = frozenset()

    @property
    def arguments(self) -> tuple[Node, ...]:
        """What is given: the inputs, then every state's value before."""
        return (*self.inputs, *self.states)

    @property
    def results(self) -> tuple[Node, ...]:
        """What is computed: the outputs, then every state's value after."""
        return (*self.outputs, *self.after)


def constants_of(signature: Signature) -> list[Node]:
    """The arrays that stand in the program, in the order of their first use."""
    given, order = set(signature.arguments), equations(signature.arguments, signature.results)
    leaves = (source for node in order for source in node.inputs)
    return list(dict.fromkeys(n for n in leaves if n.primitive is None and n not in given))


class Layout(NamedTuple):
    """Where a program expects what: places in its table (0: it has no use for it), and sizes."""

    inputs: list[int]
    states: list[int]
    outputs: list[int]  # 0: an argument or a constant, handed on
    constants: list[int]  # of every constant, in the order of their first use
    turned: list[bool]  # which states lie with their axes exchanged
    table: int  # entries
    arena: int  # bytes
    scratch: int  # bytes of each thread
    jobs: int
    shared: bool  # is there anything that a second thread could do?


STEPS, ARENA, SCRATCH, CLOCKS, FAULT, OUTSIDE = range(6)  # places in the table


class OutOfRange(IndexError):
    """An index among the data of a native program was out of range."""


class Native:
    """A compiled program with its states, its arena and its team of threads."""

    def __init__(
        self, signature: Signature, layout: Layout, constants: Sequence[Node], loaded: Loaded,
        name: str, members: int,
    ) -> None:  # fmt: skip
        self.signature, self.layout, self.loaded = signature, layout, loaded
        self.address = loaded.address(name)
        self.members = members if layout.shared else 1
        self._lock = threading.Lock()
        self._table = np.zeros(layout.table, np.uint64)
        self._arena = aligned(layout.arena)
        self._scratch = aligned(layout.scratch * self.members)
        self._barrier = aligned(128)
        self._empty = aligned(ALIGN)
        self._placed = [ref(self._empty) for _ in signature.inputs]  # the last run's; weakly
        self._held: list[Array] = []
        self._block = self._empty  # the states' memory, of which each holds a part
        self._spare: list[Array] = []  # blocks of dead snapshots: fresh memory would cost more
        self.clocks = np.zeros(layout.jobs + 1, np.uint64)
        self._fault = np.zeros(2, np.int64)  # was an index out of range? and a place for "no"
        for place, array in (
            (CLOCKS, self.clocks), (ARENA, self._arena), (SCRATCH, self._scratch),
            (FAULT, self._fault),
        ):  # fmt: skip
            self._table[place] = pointer(array)
        self._places = pointer(self._table), pointer(self._barrier)
        self._constants = [np.ascontiguousarray(node.value) for node in constants]
        for place, array in zip(layout.constants, self._constants, strict=True):
            self._put(place, array)

    def _put(self, place: int, array: Array) -> None:
        if place:
            self._table[place] = pointer(array) if array.size else pointer(self._empty)

    # States.
    @property
    def count(self) -> int:
        """How many states there are."""
        return len(self.signature.states)

    def load(self, arrays: Sequence[Array]) -> None:
        """Take over the states' values."""
        turned = zip(arrays, self.layout.turned, strict=True)
        laid = [array.T if exchanged else array for array, exchanged in turned]
        self._block = aligned(sum(map(_room, laid)))
        self._held, self._spare = _parts(self._block, laid), []
        for place, held, array in zip(self.layout.states, self._held, laid, strict=True):
            # An optimizer's states begin as zeros, which the block is: every bit of one, since -0
            # is another number.
            if array.view(f"u{array.itemsize}").any():
                _copy(array, held)
            self._put(place, held)

    def state(self, k: int) -> Array:
        """What a state holds, in memory of its own."""
        return _upright(self._held[k], self.layout.turned[k])

    def snapshot(self) -> Snapshot:
        """The states as they are now, to be looked at later."""
        memory = self._spare.pop() if self._spare else np.empty_like(self._block)
        memory[...] = self._block
        return Snapshot(memory, self._held, self.layout.turned, self._spare)

    def restore(self, snapshot: Snapshot) -> None:
        """Hold what a snapshot holds, also one of another program of the same states."""
        if not snapshot.put_back(self._block, self._held):
            self.load([snapshot.state(k, False) for k in range(len(self._held))])

    def renew(self, snapshot: Snapshot) -> bool:
        """Bring a snapshot of which nothing was asked up to now; False if the states have moved."""
        return snapshot.renew(self._block, self._held)

    def states(self) -> list[Array]:
        """What the states hold, in memory of their own."""
        return [self.state(k) for k in range(len(self._held))]

    def peek(self, k: int) -> Array:
        """The memory of a state itself: to look at, not to keep."""
        return self._held[k]

    def adopt(self, other: Native) -> None:
        """Go on from where another program of the same states is: in its memory, if it fits."""
        if self.layout.turned != other.layout.turned:
            self.load(other.states())
            return
        self._held, self._block, self._spare = other._held, other._block, other._spare
        for place, held in zip(self.layout.states, self._held, strict=True):
            self._put(place, held)

    def release(self) -> list[Array]:
        """The states' values; the program lets go of their memory."""
        found = self.states()
        self._held, self._block, self._spare = [], self._empty, []
        return found

    # Running.
    def run(self, arrays: Sequence[Array], steps: int = 1) -> list[Array]:
        """Run steps. A moving output gets a leading axis of that length.

        Raises OutOfRange if an index among the data was; the states are of no use then.
        """
        with self._lock:
            self._fault[0] = 0
            inputs = self._taken(arrays)  # alive until the run is over
            results = self._outputs(steps, inputs)
            self._table[STEPS] = steps
            threads.team(self.members).run(self.address, *self._places)
            if self._fault[0]:
                raise OutOfRange("an index among the data is out of range")
        found, seen = [], set()
        for node in self.signature.outputs:  # what is given twice has two arrays
            found.append(results[node].copy() if node in seen else results[node])
            seen.add(node)
        return found

    def _taken(self, arrays: Sequence[Array]) -> list[Array]:
        """The inputs of a run; of those of the last one it is known where they lie."""
        taken = []
        for k, (place, array) in enumerate(zip(self.layout.inputs, arrays, strict=True)):
            given = array
            if given is not self._placed[k]():
                given = np.asarray(array, order="C")
                self._put(place, given)
                self._placed[k] = ref(given)
            taken.append(given)
        return taken

    def _outputs(self, steps: int, inputs: Sequence[Array]) -> dict[Node, Array]:
        made = {}
        for place, node in zip(self.layout.outputs, self.signature.outputs, strict=True):
            shape = (steps, *node.shape) if node in self.signature.moving else node.shape
            if place:
                made[node] = np.empty(shape, node.dtype)
                self._put(place, made[node])
            else:
                made[node] = np.array(np.broadcast_to(self._handed_on(node, inputs), shape))
        return made

    def _handed_on(self, node: Node, inputs: Sequence[Array]) -> Array:
        s = self.signature
        if node in s.inputs:
            return inputs[s.inputs.index(node)]
        return self.state(s.states.index(node)) if node in s.states else np.asarray(node.value)

    def times(self) -> list[float]:
        """Of a timed program: each kernel's share of the time since it was made."""
        with np.errstate(over="ignore"):  # counters wrap around; their differences do not mind
            spans = np.diff(self.clocks).astype(float)
        return list(spans / max(spans.sum(), 1.0))


class Snapshot:
    """The states as they were once, in one block of memory. Each is given out as a copy, so that a
    tensor that somebody keeps does not keep the others."""

    def __init__(
        self, memory: Array, like: Sequence[Array], turned: Sequence[bool], spare: list[Array]
    ) -> None:
        self._memory, self._like, self._turned, self._spare = memory, like, turned, spare
        self._given: dict[int, Array] = {}
        self._lock = threading.Lock()

    def state(self, k: int, shared: bool) -> Array:
        """What a state was; always the same array. One for several tensors is not to be changed."""
        with self._lock:
            if k not in self._given:
                held = _parts(self._memory, self._like)[k]
                self._given[k] = _upright(held, self._turned[k])
                self._given[k].flags.writeable = not shared
            return self._given[k]

    def renew(self, block: Array, like: Sequence[Array]) -> bool:
        """Hold these numbers instead; False where they do not lie as those before."""
        with self._lock:
            if like is not self._like or self._given:
                return False
            self._memory[...] = block
            return True

    def put_back(self, block: Array, like: Sequence[Array]) -> bool:
        """Copy everything to where it was; False where the states do not lie as they did then."""
        if like is self._like:
            block[...] = self._memory
        return like is self._like

    def __del__(self) -> None:
        if not self._spare:  # of many that were kept and let go together, one is enough
            self._spare.append(self._memory)


def _parts(block: Array, like: Sequence[Array]) -> list[Array]:
    """A block as arrays of these shapes and types, one behind the other."""
    found, start = [], 0
    for array in like:
        found.append(block[start : start + array.nbytes].view(array.dtype).reshape(array.shape))
        start += _room(array)
    return found


def _upright(held: Array, turned: bool) -> Array:
    """A copy in row-major order, whichever way the state lies."""
    if not turned:
        return held.copy()
    made = np.empty(held.T.shape, held.dtype)
    _copy(held.T, made)
    return made


def _copy(source: Array, target: Array) -> None:
    """All numbers of an array. One that lies across is read as wide as a cache line: NumPy reads a
    line for each number, which takes five times as long for 1024 × 1024."""
    if source.flags.c_contiguous:
        target[...] = source
        return
    for k in range(0, source.shape[-1], _LINE):
        target[..., k : k + _LINE] = source[..., k : k + _LINE]


def _room(array: Array) -> int:
    """Bytes of a state, up to the next cache line."""
    return -(-array.nbytes // ALIGN) * ALIGN


def aligned(size: int) -> Array:
    """Zeroed bytes at the start of a cache line, one at least."""
    raw = np.zeros(size + ALIGN + 1, np.uint8)
    start = -raw.ctypes.data % ALIGN
    return raw[start : start + max(size, 1)]


def pointer(array: Array) -> int:
    """Where an array's numbers begin."""
    where: int = array.__array_interface__["data"][0]
    return where
