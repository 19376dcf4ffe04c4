"""Many updates in one native call: the step is compiled once, and goes on from given numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chalkgrad.core.graph import Array, leaf
from chalkgrad.executors.compiling import CompiledFunction
from chalkgrad.optim import Optimizer
from chalkgrad.studio.subject import Memory, Values
from chalkgrad.tensor.tensor import Tensor


class Held(NamedTuple):
    """Where training stands: parameters, and the optimizer's state."""

    values: Values
    memory: Memory


class Advance(NamedTuple):
    """What some updates have come to."""

    losses: Array  # before each update
    finite: bool  # False: the update after these would have left the finite numbers


@dataclass
class Trainer:
    """A training step with its parameters. `rows(update)` are the records of an update."""

    parameters: Mapping[str, Tensor]
    optimizer: Optimizer
    step: CompiledFunction
    data: tuple[Tensor, ...] = ()
    rows: Callable[[int, int], Array] | None = None

    def begin(self, values: Values, memory: Memory | None) -> None:
        """Go on from these numbers; without a memory the optimizer starts afresh."""
        for name, tensor in self.parameters.items():
            tensor.assign(_tensor(np.asarray(values[name], tensor.node.dtype)))
        for name, tensor in self._moving():
            state = self.optimizer.state.get(tensor)
            fresh = self.optimizer.start(tensor, self.optimizer.param_groups[0])
            given = {key: _tensor(array) for key, array in (memory or {}).get(name, {}).items()}
            for key, value in ({**fresh, **given}).items():
                if state is None or key not in state:
                    self.optimizer.state[tensor][key] = value
                else:
                    state[key].assign(value)

    def held(self) -> Held:
        """Copies of the numbers as they are."""
        values = {name: np.array(t.node.value) for name, t in self.parameters.items()}
        memory = {
            name: {k: np.array(v.node.value) for k, v in self.optimizer.state[tensor].items()}
            for name, tensor in self._moving()
            if tensor in self.optimizer.state
        }
        return Held(values, memory)

    def advance(self, done: int, steps: int) -> Advance:
        """So many updates after `done` ones, or as many as leave a loss that is a finite number."""
        before = self.held()
        losses = self._run(done, steps)
        if np.isfinite(losses).all() and self._goes_on(done + steps):
            return Advance(losses, True)
        finite = np.isfinite(losses)
        good = max(0, (steps if finite.all() else int(np.argmin(finite))) - 1)
        self.begin(before.values, before.memory)
        if good:
            self._run(done, good)
        return Advance(losses[:good], False)

    def _goes_on(self, done: int) -> bool:
        """Is everything finite, and the loss as well? One more update tells it, and is undone."""
        if not all(np.isfinite(t.node.value).all() for t in self.parameters.values()):
            return False
        now = self.held()
        (loss,) = self._run(done, 1)
        self.begin(now.values, now.memory)
        return bool(np.isfinite(loss))

    def _run(self, done: int, steps: int) -> Array:
        if self.rows is None:
            found = self.step.scan(*self.data, steps=steps)
        else:
            found = self.step.scan(*self.data, rows=self.rows(done, steps))
        return np.asarray(found.node.value, np.float64)

    def _moving(self) -> list[tuple[str, Tensor]]:
        moving = {p for group in self.optimizer.param_groups for p in group["params"]}
        return [(name, tensor) for name, tensor in self.parameters.items() if tensor in moving]


def _tensor(value: Any) -> Tensor:
    return Tensor().wrap(leaf(np.array(value)))


def batches(records: int, size: int, seed: int) -> Callable[[int, int], Array]:
    """Which records each update takes: every epoch all of them, in an order of its own."""
    per_epoch = records // size

    def rows(done: int, steps: int) -> Array:
        first, last = done // per_epoch, (done + steps - 1) // per_epoch
        orders = [
            np.random.default_rng((seed, epoch)).permutation(records)[: per_epoch * size]
            for epoch in range(first, last + 1)
        ]
        order = np.concatenate(orders).reshape(-1, size)
        start = done - first * per_epoch
        return order[start : start + steps]

    return rows
