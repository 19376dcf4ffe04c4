"""The native executor: a traced function as one compiled program, for one step or for many.

    step = NativeFunction(function)
    loss, outputs = step.run([x, y])                    one step
    losses, _ = step.run([x, y], rows=order)            step k on the records order[k] of x and y
    losses, _ = step.run([x, y], steps=1000)            the same records again and again
    step.write_back()                                   the tensors take over what has changed

A program is made for each combination of types and for each way to run. Between two runs the states
stay in the program's own memory; a program that takes over from another one gets its states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from sys import getrefcount
from typing import Any

import numpy as np

from chalkgrad.compiler.build import build
from chalkgrad.compiler.native import Native, OutOfRange, Signature, Snapshot
from chalkgrad.core.errors import ShapeError
from chalkgrad.core.graph import Array, ArrayType, Node, equation, placeholder
from chalkgrad.core.late import late_leaf
from chalkgrad.executors.compiled import Prepared, take_over, types
from chalkgrad.primitives.indexing import take
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.simplify import simplify

INT64 = np.dtype(np.int64)
_FETCH = attrgetter("fetch")


@dataclass
class Unit:
    """One compiled program of a function."""

    prepared: Prepared
    native: Native
    tensors: tuple[Tensor, ...] = field(init=False)  # that hold its states

    def __post_init__(self) -> None:
        states = (*self.prepared.changed, *self.prepared.read)
        self.tensors = tuple([t for node in states for t in self.prepared.handles[node]])

    def nodes(self) -> list[Node]:
        """The leaves that its tensors are on."""
        return [tensor.node for tensor in self.tensors]

    def load(self) -> bool:
        """Take the tensors' values; False if they are no longer what was compiled."""
        states = self.prepared.states()
        if states is None:
            return False
        self.native.load(states)
        return True


class NativeFunction:
    """A function of arrays as native programs."""

    def __init__(self, function: Callable[..., Any], members: int | None = None) -> None:
        self.function, self.members = function, members
        self.units: dict[Any, Unit] = {}
        self.prepared: dict[Any, Prepared] = {}
        self.unit: Unit | None = None  # the one that has the states, if any
        self.settings: list[Array] = []
        self.published: list[Node] = []  # the leaves that the tensors are on since then
        self.given: list[Node] = []  # those of them that were made for it
        self.holders: list[int] = []  # how many hold each of these
        self.snapshot: Snapshot | None = None  # that they read

    def prepare(
        self, arrays: Sequence[Array], rows: Array | None = None,
        chosen: tuple[int, ...] | None = None,
    ) -> Unit:  # fmt: skip
        """The program for inputs like these. Raises NotCompilable or TraceError."""
        batch = None if rows is None else rows.shape[1:]
        key = (types(arrays), batch, chosen)
        if key not in self.units:
            self.units[key] = self._made(arrays, batch, chosen)
        return self.units[key]

    def _made(
        self, arrays: Sequence[Array], batch: tuple[int, ...] | None, chosen: tuple[int, ...] | None
    ) -> Unit:
        examples = list(arrays)
        if batch is not None:
            examples = [np.empty((*batch, *a.shape[1:]), a.dtype) for a in arrays]
        kind = types(examples)
        prepared = self.prepared.get(kind)
        if prepared is None:
            prepared = self.prepared[kind] = Prepared.of(self.function, examples)
        count = len(prepared.traced.graph.outputs)
        chosen = tuple(range(count)) if chosen is None else chosen
        signature = _signature(prepared, arrays, batch, chosen)
        return Unit(prepared, build(signature, members=self.members))

    def run(
        self, arrays: Sequence[Array], *, rows: Array | None = None, steps: int | None = None,
        chosen: tuple[int, ...] | None = None,
    ) -> list[Array]:  # fmt: skip
        """The outputs; of many steps, with a leading axis for the steps."""
        unit = self.prepare(arrays, rows, chosen)
        self._open(unit, (arrays, rows, chosen))
        unit = self.unit or unit
        inputs = [*arrays] if rows is None else [*arrays, np.ascontiguousarray(rows, INT64)]
        if rows is not None:
            steps = len(rows)
        try:
            results = unit.native.run([*inputs, *self.settings], 1 if steps is None else steps)
        except OutOfRange:
            self.unit = None  # the tensors still hold what they were last given
            raise
        return results if steps is not None else [array[0] for array in results]

    def _open(self, unit: Unit, request: Any) -> None:
        if unit is self.unit:
            return
        before = self.unit
        if before is not None and before.prepared is unit.prepared:
            unit.native.adopt(before.native)
        else:
            self.write_back()
            if not unit.load():  # somebody has set apart what was one state when it was compiled
                self.forget()
                unit = self.prepare(*request)
                unit.load()
            self.settings = unit.prepared.settings()
        self.unit = unit

    def write_back(self) -> None:
        """Give every tensor the number that it has by now, on a fresh leaf."""
        unit, self.unit = self.unit, None
        if unit is None:
            return
        values = unit.native.release()
        for node, value in zip(unit.prepared.changed, values, strict=False):
            take_over(unit.prepared.handles[node], value)

    def keep(self) -> Snapshot | None:
        """The states as they are, to go `back` to; None if the tensors hold them."""
        return None if self.unit is None else self.unit.native.snapshot()

    def back(self, kept: Snapshot | None) -> None:
        """The states as they were."""
        if kept is None or self.unit is None:
            self.unit = None
        else:
            self.unit.native.restore(kept)

    def publish(self) -> None:
        """Give every tensor the number that it has by now, and keep the states for the next run."""
        unit = self.unit
        assert unit is not None
        if self.given and self.snapshot and self._unseen() and unit.native.renew(self.snapshot):
            return
        snapshot = unit.native.snapshot()
        self.given, self.snapshot = [], snapshot
        for k, node in enumerate(unit.prepared.changed):
            handles = unit.prepared.handles[node]
            fetch = partial(snapshot.state, k, len(handles) > 1)
            for tensor in handles:
                tensor._become(late_leaf(tensor.node, fetch))
                self.given.append(tensor.node)
        self.published = unit.nodes()
        self.holders = [*map(getrefcount, self.given)]

    def _unseen(self) -> bool:
        """Has nobody read, or taken hold of, what was given? Then nobody can tell those leaves from
        fresh ones."""
        unread = all(map(_FETCH, self.given))
        return unread and [*map(getrefcount, self.given)] == self.holders

    def resume(self) -> None:
        """Before a run: begin from the tensors, if one has changed since `publish`."""
        unit = self.unit
        if unit is None:
            return
        if unit.nodes() != self.published:
            self.unit = None
        else:
            unit.prepared.read_settings(self.settings)

    def forget(self) -> None:
        """Drop every program: what was traced is no longer what would be traced."""
        self.write_back()
        self.units.clear()
        self.prepared.clear()

    def value(self, tensor: Tensor) -> Array:
        """What a tensor will hold once it is written back."""
        unit = self.unit
        if unit is not None:
            for k, node in enumerate(unit.prepared.changed):
                if any(tensor is other for other in unit.prepared.handles[node]):
                    return unit.native.state(k)
        return tensor.node.value  # type: ignore[no-any-return]

    def learned(self) -> list[Array]:
        """The parameters, as the last run has left them, for looking at only."""
        if self.unit is None:
            return []
        native = self.unit.native
        return [native.peek(k) for k, n in enumerate(self.unit.prepared.changed) if n.tracked]


def _signature(
    prepared: Prepared, arrays: Sequence[Array], batch: tuple[int, ...] | None,
    chosen: tuple[int, ...],
) -> Signature:  # fmt: skip
    """The program's arguments and results; with a batch, its records are taken from all."""
    outputs = len(prepared.traced.graph.outputs)
    wanted = [prepared.results[k] for k in chosen]
    after = list(prepared.results[outputs:])
    states = (*prepared.changed, *prepared.read)
    inputs = list(prepared.inputs)
    moving: set[Node] = set()
    if batch is not None:
        rows = placeholder(ArrayType(batch, INT64), name="rows")
        data = [placeholder(ArrayType(a.shape, a.dtype), name=f"{node.name} of all records")
                for a, node in zip(arrays, inputs, strict=False)]  # fmt: skip
        if any(node.shape[:1] != data[0].shape[:1] for node in data):
            sizes = " and ".join(str(len(a)) for a in arrays)
            raise ShapeError(f"rows choose records of all inputs, which have {sizes} of them")
        taken = {old: _taken(new, rows, old) for old, new in zip(inputs, data, strict=False)}
        changed = simplify([*wanted, *after], [*inputs, *states], taken)
        wanted, after = changed[: len(wanted)], changed[len(wanted) :]
        inputs = [*data, rows, *inputs[len(data) :]]
        moving.add(rows)
    moving |= set(wanted)
    return Signature(
        tuple(inputs), states, tuple(wanted), (*after, *prepared.read), frozenset(moving)
    )


def _taken(data: Node, rows: Node, batch: Node) -> Node:
    made = equation(take, (data, rows), {"axis": 0}, None, batch.shape, batch.dtype, batch.tracked)
    made.name = batch.name
    return made


__all__ = ["NativeFunction", "OutOfRange", "Unit"]
