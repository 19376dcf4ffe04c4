"""A traced function made runnable: numbers in, program, numbers out, states written back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array, leaf
from chalkgrad.executors import numpy as executor
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.simplify import simplify
from chalkgrad.transform.trace import Capture, capture


@dataclass(frozen=True)
class Program:
    """One specialisation: a graph compiled for the shapes of its inputs."""

    traced: Capture
    run: executor.Program

    @classmethod
    def of(cls, function: Callable[..., Any], *examples: Any) -> Program:
        traced = capture(function, *examples)
        arguments = traced.graph.arguments
        return cls(traced, executor.compile(arguments, simplify(traced.graph.results, arguments)))

    def arguments(self, *arrays: Array) -> tuple[Array, ...]:
        """Everything the program takes: the inputs, the settings now, the states now."""
        settings = [np.asarray(float(read())) for read in self.traced.settings]
        return (*arrays, *settings, *[tensor.node.value for tensor in self.traced.tensors])

    def finish(self, results: tuple[Array, ...]) -> Any:
        """Write the states back, and give the function's return value."""
        traced = self.traced
        count = len(traced.graph.outputs)
        for tensor, value, state in zip(
            traced.tensors, results[count:], traced.graph.states, strict=True
        ):
            if state.after is not state.before:
                fresh = leaf(value, tracked=tensor.node.tracked, name=tensor.node.name)
                tensor._become(fresh)
        return traced.rebuild([_tensor(value) for value in results[:count]])


def _tensor(value: Array) -> Tensor:
    return Tensor.__new__(Tensor).wrap(leaf(value))


class Specialised:
    """A function that is traced and compiled once for each combination of input types."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.programs: dict[Any, Program] = {}
        # The last two calls, oldest first: what is needed to find where a number went wrong.
        self.recent: deque[tuple[Program, tuple[Array, ...]]] = deque(maxlen=2)

    def prepare(self, *tensors: Tensor) -> Program:
        """The program for inputs like these."""
        key = tuple([(t.node.shape, t.node.dtype, t.node.tracked) for t in tensors])
        program = self.programs.get(key)
        if program is None:
            program = self.programs[key] = Program.of(self.function, *tensors)
        return program

    def __call__(self, *tensors: Tensor) -> Any:
        program = self.prepare(*tensors)
        arguments = program.arguments(*[tensor.node.value for tensor in tensors])
        self.recent.append((program, arguments))
        return program.finish(program.run(*arguments))
