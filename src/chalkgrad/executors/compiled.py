"""A traced function made runnable: arrays in, arrays out, its states kept in between.

    step = Specialised(function)     traced and compiled once for each combination of input types
    loss, outputs = step(x, y)       runs; what the function changes stays here, as arrays
    step.write_back()                the tensors take over what has changed

Between two calls nobody looks at the tensors, so a loop pays for the program alone. Whoever reads
or changes a parameter, a moment or the random state calls `write_back` first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import isfinite, vdot

from chalkgrad.core.graph import Array, Node, leaf
from chalkgrad.executors import numpy as executor
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.simplify import one_state, simplify
from chalkgrad.transform.trace import Capture, capture

Handles = tuple[Tensor, ...]


@dataclass(frozen=True)
class Prepared:
    """A traced function with its states told apart and its results simplified."""

    traced: Capture
    changed: tuple[Node, ...]  # states' values before; several tensors have one if always equal
    read: tuple[Node, ...]
    handles: dict[Node, Handles]  # the tensors of each state
    results: tuple[Node, ...]  # the outputs, then the changed states' values after

    @classmethod
    def of(cls, function: Callable[..., Any], examples: Sequence[Array]) -> Prepared:
        traced = capture(function, *[_tensor(array) for array in examples])
        graph = traced.graph
        same = one_state(graph)
        first = [state.before for state in graph.states if same.get(state.before) is None]
        handles = {node: _handles(traced, node, same) for node in first}
        after = {state.before: state.after for state in graph.states}
        changed = tuple([node for node in first if after[node] is not node])
        read = tuple([node for node in first if after[node] is node])
        arguments = [*graph.inputs, *changed, *read]
        results = simplify([*graph.outputs, *(after[node] for node in changed)], arguments, same)
        return cls(traced, changed, read, handles, tuple(results))

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The function's inputs, then the settings."""
        return self.traced.graph.inputs

    def settings(self) -> list[Array]:
        """The numbers that are read again now and then, such as the learning rate."""
        return [np.asarray(float(read())) for read in self.traced.settings]

    def read_settings(self, into: Sequence[Array]) -> None:
        """The same, into the arrays that `settings` has made."""
        for array, read in zip(into, self.traced.settings, strict=True):
            array[...] = read()

    def states(self) -> list[Array] | None:
        """What the tensors hold now; None if two hold different numbers that were one state."""
        groups = [self.handles[node] for node in (*self.changed, *self.read)]
        for handles in groups:
            if any(not _equal(handles[0], other) for other in handles[1:]):
                return None
        return [handles[0].node.value for handles in groups]


@dataclass(frozen=True)
class Program:
    """One specialisation: a graph compiled for the shapes of its inputs."""

    traced: Capture
    run: executor.Program  # (inputs, settings, changed states, read states) -> (outputs, changed)
    prepared: Prepared
    changed: tuple[Handles, ...]  # the tensors of each state; several where they are always equal
    read: tuple[Handles, ...]
    learned: tuple[int, ...]  # which of the changed states are parameters
    place: dict[Tensor, int]  # which of the changed states a tensor takes over

    @classmethod
    def of(cls, function: Callable[..., Any], examples: Sequence[Array]) -> Program:
        made = Prepared.of(function, examples)
        arguments = [*made.inputs, *made.changed, *made.read]
        handles = made.handles
        return cls(
            made.traced,
            executor.compile(arguments, made.results),
            made,
            tuple(handles[node] for node in made.changed),
            tuple(handles[node] for node in made.read),
            tuple(k for k, node in enumerate(made.changed) if node.tracked),
            {tensor: k for k, node in enumerate(made.changed) for tensor in handles[node]},
        )

    @property
    def outputs(self) -> int:
        return len(self.traced.graph.outputs)

    def unfused(self, arguments: Sequence[Array]) -> dict[Node, Array]:
        """The arguments of the traced graph, where every state has its own, from those of `run`."""
        graph = self.traced.graph
        count = len(graph.inputs)
        held = zip((*self.changed, *self.read), arguments[count:], strict=True)
        value = {tensor: array for handles, array in held for tensor in handles}
        states = zip(graph.states, self.traced.tensors, strict=True)
        given = dict(zip(graph.inputs, arguments, strict=False))
        return given | {state.before: value[tensor] for state, tensor in states}


class Specialised:
    """A function of arrays that is traced and compiled once for each combination of their types."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.programs: dict[Any, Program] = {}
        self.key: Any = None
        self.program: Program | None = None  # the one that has the states, if any
        self.states: list[Array] = []
        self.settings: list[Array] = []
        self.last: tuple[Program, tuple[Array, ...]] | None = None

    def prepare(self, *arrays: Array) -> Program:
        """The program for inputs like these."""
        key = types(arrays)
        if key not in self.programs:
            self.programs[key] = Program.of(self.function, arrays)
        return self.programs[key]

    def __call__(self, *arrays: Array) -> tuple[Array, ...]:
        if self.program is None or types(arrays) != self.key:
            self._open(arrays)
        program = self.program
        assert program is not None
        arguments = (*arrays, *self.settings, *self.states)
        self.last = program, arguments
        results = program.run(*arguments)
        count = program.outputs
        self.states[: len(program.changed)] = results[count:]
        return results[:count]

    def _open(self, arrays: Sequence[Array]) -> None:
        self.write_back()
        program = self.prepare(*arrays)
        states = program.prepared.states()
        if states is None:  # somebody has set apart what was one state when it was compiled
            del self.programs[types(arrays)]
            program = self.prepare(*arrays)
            states = program.prepared.states()
        assert states is not None
        self.key, self.program, self.states = types(arrays), program, states
        self.settings = program.prepared.settings()

    def write_back(self) -> None:
        """Give every tensor the number that it has by now, on a fresh leaf."""
        program, self.program = self.program, None
        if program is None:
            return
        for handles, value in zip(program.changed, self.states, strict=False):
            take_over(handles, value)

    def learned(self) -> list[Array]:
        """The parameters, as the last call has left them."""
        return [] if self.program is None else [self.states[k] for k in self.program.learned]

    def value(self, tensor: Tensor) -> Array:
        """What a tensor will hold once it is written back."""
        place = None if self.program is None else self.program.place.get(tensor)
        return tensor.node.value if place is None else self.states[place]


def take_over(handles: Handles, value: Array) -> None:
    """Give tensors that are one state its value, on fresh leaves."""
    if len(handles) > 1:
        value.flags.writeable = False  # one array for several tensors
    for tensor in handles:
        node = tensor.node
        tensor._become(leaf(value, tracked=node.tracked, name=node.name))


def all_finite(arrays: Sequence[Array]) -> bool:
    """Is every number finite? A dot product says so in a third of the time of isfinite().all()."""
    # Where the product overflows, the numbers themselves decide.
    return all(math.isfinite(vdot(a, a)) or bool(isfinite(a).all()) for a in arrays)


def _handles(traced: Capture, first: Node, same: dict[Node, Node]) -> Handles:
    pairs = zip(traced.graph.states, traced.tensors, strict=True)
    return tuple(
        [tensor for state, tensor in pairs if same.get(state.before, state.before) is first]
    )


def types(arrays: Sequence[Array]) -> Any:
    """What a program is specialised to: shapes and types."""
    return tuple([(array.shape, array.dtype) for array in arrays])


def _equal(one: Tensor, other: Tensor) -> bool:
    return bool(one.node.value.tobytes() == other.node.value.tobytes())


def _tensor(array: Array) -> Tensor:
    return Tensor.__new__(Tensor).wrap(leaf(array))
