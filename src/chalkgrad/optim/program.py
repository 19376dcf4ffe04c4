"""The eager step: the updates of all parameters as one NumPy program, made once and run at every
step.

The arguments of a program are the arrays of parameters, gradients and states, then every number
among the options, so that a schedule does not make a new program. Its key is what else decides the
equations: shapes and types, which parameters have a gradient, which options are on, and which
states are one array (the count of steps is, so what follows from it is computed once and not for
every parameter).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from math import prod
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chalkgrad.compiler.build import build
from chalkgrad.compiler.native import Signature
from chalkgrad.core import dtypes
from chalkgrad.core.errors import NotCompilable
from chalkgrad.core.graph import NO_PARAMS, Array, ArrayType, Node, equation, placeholder
from chalkgrad.core.scope import current, recording
from chalkgrad.executors import numpy as executor
from chalkgrad.machine.host import available
from chalkgrad.optim.settings import Settings, numbers, structure
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.simplify import simplify

if TYPE_CHECKING:
    from chalkgrad.optim.optimizer import Optimizer

_CAPACITY = 32  # plans kept
_LARGE = 50_000  # numbers that an update makes, from which it is native code


class Plan(NamedTuple):
    """A compiled step."""

    program: executor.Program
    places: list[int]  # for every handle, which of the results it takes
    shared: list[int]  # results that several handles take


class _Call(NamedTuple):
    """What one step works on."""

    handles: list[Tensor]  # each parameter that has a gradient, then its states
    arrays: list[Array]  # the same, with the gradient after the parameter
    key: list[Any]


class Program:
    """The plans of an optimizer, and the running of them."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.plans: dict[Any, Plan] = {}
        self.read = _reader(tuple(optimizer.defaults))
        self.options: list[tuple[Any, ...]] = []  # as they were at the last step
        self.numbers: list[Array] = []  # all numbers among them
        self.structure: Any = None
        self.key: list[Any] = []  # of the last step
        self.plan: Plan | None = None

    def run(self) -> bool:
        """One step. False if there was no gradient."""
        call = self._gather()
        if call.key != self.key or self.plan is None:
            if not call.handles:
                return False
            call = self._prepare(call)
        plan = self.plan
        assert plan is not None
        values = plan.program(*call.arrays, *self.numbers)
        for k in plan.shared:
            values[k].flags.writeable = False
        for handle, place in zip(call.handles, plan.places, strict=True):
            # What Tensor.assign does, without its questions: a fresh leaf, so that the graphs of
            # earlier passes keep the numbers that they were computed with.
            old = handle.node
            node = equation(None, (), NO_PARAMS, values[place], old.shape, old.dtype, old.tracked)
            node.name = old.name
            node.owner = old.owner
            handle.node = node
        return True

    def _gather(self) -> _Call:
        groups, states = self.optimizer.param_groups, self.optimizer.state
        options = [self.read(group) for group in groups]
        if options != self.options:
            self._reread(options)
        handles: list[Tensor] = []
        arrays: list[Any] = []
        key: list[Any] = [self.structure]
        seen: dict[int, int] = {}
        for group in groups:
            key.append(len(group["params"]))
            for parameter in group["params"]:
                if parameter._grad is None:
                    key.append(None)
                    continue
                node, gradient = parameter.node, parameter._grad.node
                gradient.spent = True  # whoever adds to it after this step forgot zero_grad()
                handles.append(parameter)
                arrays += node.value, gradient.value
                key += node.shape, node.dtype, gradient.shape, gradient.dtype
                if parameter in states:
                    for name, state in states[parameter].items():
                        value = state.node.value
                        handles.append(state)
                        arrays.append(value)
                        key += name, seen.setdefault(id(value), len(seen))
        return _Call(handles, arrays, key)

    def _reread(self, options: list[tuple[Any, ...]]) -> None:
        found = [number for values in options for value in values for number in numbers(value)]
        self.numbers = [np.array(number) for number in found]
        self.structure = tuple(structure(values) for values in options)
        self.options = options

    def _prepare(self, call: _Call) -> _Call:
        """Find the plan, or make it, after the states that are missing."""
        plan = self.plans.get(tuple(call.key))
        if plan is None:
            self.optimizer.begin()
            call = self._gather()
            plan = _compile(self.optimizer)
            if len(self.plans) >= _CAPACITY:
                self.plans.pop(next(iter(self.plans)))
            self.plans[tuple(call.key)] = plan
        self.key, self.plan = call.key, plan
        return call


def _reader(names: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """What reads the options of a group, in this order."""
    return itemgetter(*names) if len(names) > 1 else lambda group: tuple(group[n] for n in names)


def _compile(optimizer: Optimizer) -> Plan:
    mode = current()
    mode.abstract, before = True, mode.abstract
    try:
        with recording(False):
            arguments, results = _equations(optimizer)
    finally:
        mode.abstract = before
    results = simplify(results, arguments)
    takers = Counter(results)
    place = {node: k for k, node in enumerate(takers)}
    shared = [place[node] for node, count in takers.items() if count > 1]
    program = _runner(arguments, list(takers))
    return Plan(program, [place[node] for node in results], shared)


def _runner(arguments: list[Node], results: list[Node]) -> executor.Program:
    """One pass over each parameter where that is a large one, else NumPy: a native call costs some
    microseconds, and making it a fifth of a second once."""
    numbers = sum(prod(node.shape) for node in results)
    if numbers >= _LARGE and not available():
        with suppress(NotCompilable):
            native = build(Signature(tuple(arguments), (), tuple(results), ()))
            return lambda *arrays: tuple(native.run(arrays))
    return executor.compile(arguments, results)


def _equations(optimizer: Optimizer) -> tuple[list[Node], list[Node]]:
    """The arguments and results of the update of every parameter that has a gradient."""
    arrays, options, results = _Inputs(), _Inputs(), list[Node]()
    moved: dict[Tensor, tuple[Tensor, dict[str, Tensor]]] = {}
    for group in optimizer.param_groups:
        setting = _settings(group, tuple(optimizer.defaults), options)
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            given, gradient = arrays.of(parameter), arrays.of(parameter.grad)
            given.node.name = parameter.name  # for messages
            held = optimizer.state.get(parameter, {})
            state = {name: arrays.of(tensor, share=True) for name, tensor in held.items()}
            if parameter in moved:  # it stands twice in the list, so it moves twice
                given, state = moved[parameter]
            new, after = moved[parameter] = optimizer.apply(given, gradient, state, setting)
            results += new.node, *(value.node for value in after.values())
    return arrays.nodes + options.nodes, results


def _settings(group: dict[str, Any], names: tuple[str, ...], options: _Inputs) -> Settings:
    """The numbers of a group as arguments, in the order of `Program.numbers`."""
    places = [(name, k) for name in names for k in range(len(numbers(group[name])))]
    made = {place: options.number() for place in places}
    return Settings(group, lambda name, k: made[name, k])


class _Inputs:
    """Placeholders, in the order of the arguments."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.seen: dict[int, Node] = {}

    def of(self, tensor: Tensor, *, share: bool = False) -> Tensor:
        """The argument for a tensor: one placeholder for states that are one array."""
        node = self._placeholder(ArrayType(tensor.node.shape, tensor.node.dtype))
        return tensor.wrap(self.seen.setdefault(id(tensor.node.value), node) if share else node)

    def number(self) -> Tensor:
        return Tensor().wrap(self._placeholder(ArrayType((), dtypes.float64.numpy)))

    def _placeholder(self, kind: ArrayType) -> Node:
        self.nodes.append(placeholder(kind))
        return self.nodes[-1]
