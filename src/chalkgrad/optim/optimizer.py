"""What all optimizers share: groups of parameters, their state, and the step that applies an
update.

An optimizer is its update equation. A class states

    start(parameter, group)                        the state of a parameter before the first step
    update(parameter, gradient, state, setting)    -> the parameter and the state after a step

in tensors, so the update is part of a traced training step. Outside of a trace the updates of all
parameters are compiled into one NumPy program (`program.py`).
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from chalkgrad.core import dtypes
from chalkgrad.core.errors import ArgumentError, ShapeError, TypeMismatch
from chalkgrad.core.scope import current, recording, scope
from chalkgrad.optim.parameters import as_groups, check_leaf, unzipped
from chalkgrad.optim.program import Program
from chalkgrad.optim.saving import Copies, check_groups, load_options, packed
from chalkgrad.optim.settings import Group, Settings, structure, traced
from chalkgrad.optim.terms import State
from chalkgrad.tensor.tensor import Tensor


class Optimizer:
    """The base of all optimizers.

    `params` is an iterable of tensors, of (name, tensor) pairs, or of dicts: each dict is a group
    with a `params` entry and options of its own. `defaults` holds the options of groups that do not
    say.

    Raises ValueError for an empty list and for a tensor that is not a leaf.

    A new optimizer is its equation. Here θ ← θ − lr · sign(g):

    >>> import chalkgrad as torch
    >>> class SignDescent(torch.optim.Optimizer):
    ...     def update(self, parameter, gradient, state, setting):
    ...         return parameter - setting("lr") * gradient.sign(), state
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = SignDescent([w], {"lr": 0.5})
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.__setstate__({"defaults": defaults, "state": defaultdict(dict), "param_groups": []})
        for group in as_groups(params):
            self.add_param_group(group)

    def __getstate__(self) -> dict[str, Any]:
        return {key: self.__dict__[key] for key in ("defaults", "state", "param_groups")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.defaults: dict[str, Any] = state["defaults"]
        self.state: defaultdict[Tensor, Any] = state["state"]
        self.param_groups: list[Group] = state["param_groups"]
        self._program = Program(self)
        self._warned = False  # that there was no gradient
        self._opt_called = False  # a schedule asks whether the optimizer went first

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for k, group in enumerate(self.param_groups):
            lines = [f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params"]
            text += f"\nParameter Group {k}\n{''.join(lines)}"
        return f"{text})"

    # The equation.
    def start(self, parameter: Tensor, group: Group) -> State:
        """The state of a parameter before the first step: none, unless the equation has memory."""
        return {}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        """The parameter and its state after one step.

        It runs on tensors whose numbers may not be known yet. Operands without dimensions come in
        float64; what is returned goes back to the type of what it replaces.
        """
        raise NotImplementedError(f"{type(self).__name__} has neither update() nor step()")

    def complete(self, parameter: Tensor, group: Group, state: dict[str, Any]) -> State:
        """What the state of a parameter lacks, as when momentum is switched on in the middle."""
        return {k: v for k, v in self.start(parameter, group).items() if k not in state}

    # The step.
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient. `closure` first computes loss and gradients."""
        loss = None
        if closure is not None:
            with recording(True):
                loss = closure()
        self._opt_called = True
        if current().abstract:
            self._trace()
        elif not self._program.run():
            self._warn_without_gradients()
        return loss

    def _trace(self) -> None:
        """Record the update of every parameter in the running trace."""
        self.begin()
        watch = current().trace
        if watch is not None:
            watch.rests_on(type(self).__name__, self._facts)
        moved = False
        with recording(False), scope(type(self).__name__):
            for k, group in enumerate(self.param_groups):
                setting = traced(group, f"group{k}." if k else "")
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        moved = True
                        self._assign(parameter, setting)
        if not moved:
            self._warn_without_gradients()

    def _facts(self) -> list[tuple[Any, ...]]:
        """What decides the traced update beside numbers: options, parameters, their states."""
        found: list[tuple[Any, ...]] = []
        for group in self.param_groups:
            found += [(name, structure(v)) for name, v in group.items() if name != "params"]
            for parameter in group["params"]:
                held = self.state.get(parameter, {})
                found.append(("the state", id(parameter), *map(id, held.values())))
        return found

    def _assign(self, parameter: Tensor, setting: Settings) -> None:
        state = self.state.get(parameter, {})
        new, after = self.apply(parameter, parameter.grad, state, setting)
        parameter.assign(new)
        for name, value in after.items():
            state[name].assign(value)

    def apply(
        self, parameter: Tensor, gradient: Tensor | None, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        """`update`, in float64 where there are no dimensions; each result in its old type."""
        assert gradient is not None
        if gradient.node.shape != parameter.node.shape:
            name = parameter.name or "a parameter"
            raise ShapeError(
                f"the gradient of {name} has shape {list(gradient.node.shape)}, the parameter "
                f"{list(parameter.node.shape)}: its data was replaced after backward(). Call "
                "zero_grad() and backward() again."
            )
        wide = {name: _widened(value) for name, value in state.items()}
        new, after = self.update(_widened(parameter), _widened(gradient), wide, setting)
        kind = parameter.node.dtype
        return new.cast(kind), {k: after.get(k, v).cast(v.node.dtype) for k, v in state.items()}

    def begin(self) -> None:
        """Give a state to every parameter that has a gradient and lacks (a part of) its state."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._begin(parameter, group)

    def _begin(self, parameter: Tensor, group: Group) -> None:
        have = self.state.get(parameter, {})
        lacking = self.complete(parameter, group, have)
        for name, tensor in lacking.items():
            _christen(tensor, parameter, name)
            self.state[parameter][name] = tensor

    def _warn_without_gradients(self) -> None:
        if not self._warned and any(group["params"] for group in self.param_groups):
            self._warned = True
            warnings.warn(
                "optimizer.step() found no gradient: every parameter's grad is None, so nothing "
                "moved. Call loss.backward() before step(), and zero_grad() before backward(), "
                "not after.",
                UserWarning,
                stacklevel=4,
            )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or set them to 0 in place with `set_to_none=False`."""
        traced = current().trace is not None  # a trace must know, to put the gradients back
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter._grad is None:
                    continue
                if not set_to_none:
                    _zero(parameter._grad)
                elif traced:
                    parameter.grad = None
                else:
                    parameter._grad = None

    # Groups of parameters.
    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with options of their own: {"params": [...], "lr": 0.1}."""
        if not isinstance(param_group, dict):
            raise TypeMismatch(f"param_group must be a dict, but got {type(param_group)}")
        tensors, names = unzipped(param_group["params"])
        for tensor in tensors:
            check_leaf(tensor)
        self._check_new(tensors, bool(names))
        param_group["params"] = tensors
        if names:
            param_group["param_names"] = names
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        self.param_groups.append(param_group)

    def _check_new(self, tensors: list[Tensor], named: bool) -> None:
        if len(set(tensors)) != len(tensors):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; each of them "
                "would be updated twice in a step",
                UserWarning,
                stacklevel=4,
            )
        for group in self.param_groups:
            if not set(group["params"]).isdisjoint(tensors):
                raise ArgumentError("some parameters appear in more than one parameter group")
            if ("param_names" in group) != named:
                raise ArgumentError(
                    "all optimizer param groups should be with/without names: this one is given "
                    f"{'with' if named else 'without'} names, an earlier one is not."
                )

    # Saving and loading, in PyTorch's format.
    def state_dict(self) -> dict[str, Any]:
        """{"state": {0: {"step": …}, …}, "param_groups": [{"lr": …, "params": [0, …]}, …]}

        Parameters are numbered in the order of the groups. The tensors are the live ones.
        """
        return packed(self.param_groups, self.state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the options and a copy of the state of `state_dict()`, chalkgrad's or
        PyTorch's.

        Raises ValueError where the groups, or a shape, do not match.
        """
        saved = state_dict["param_groups"]
        check_groups(self.param_groups, saved)
        places = [(p, group) for group in self.param_groups for p in group["params"]]
        found = dict(zip(chain.from_iterable(g["params"] for g in saved), places, strict=True))
        copies, loaded = Copies(), dict[Any, Any]()
        for key, state in state_dict["state"].items():
            parameter, group = found.get(key, (None, {}))
            new = {name: copies.of(value, name, parameter) for name, value in state.items()}
            if parameter is not None:
                self._check_state(parameter, group, new)
            loaded[key if parameter is None else parameter] = new
        load_options(self.param_groups, saved)
        self._take(loaded)

    def _check_state(self, parameter: Tensor, group: Group, new: dict[str, Any]) -> None:
        for name, expected in self.start(parameter, group).items():
            if name in new and new[name].node.shape != expected.node.shape:
                raise ArgumentError(
                    f"loaded state dict has {name} of shape {list(new[name].node.shape)} for a "
                    f"parameter of shape {list(parameter.node.shape)}"
                    f"{': ' + parameter.name if parameter.name else ''}. It belongs to another "
                    "model."
                )

    def _take(self, loaded: dict[Any, Any]) -> None:
        # A tensor that is there already stays the same handle: a compiled step holds on to it.
        for key in [key for key in self.state if key not in loaded]:
            del self.state[key]
        for key, new in loaded.items():
            old = self.state.get(key, {})
            for name, value in new.items():
                held = old.get(name)
                if isinstance(held, Tensor) and isinstance(value, Tensor):
                    new[name] = held.assign(value)
                elif isinstance(key, Tensor):
                    _christen(value, key, name)
            self.state[key] = new


def _widened(tensor: Tensor) -> Tensor:
    return tensor if tensor.node.shape else tensor.cast(dtypes.float64.numpy)


def _zero(gradient: Tensor) -> None:
    if current().abstract:
        gradient.assign(gradient.literal(0).broadcasted(gradient.node.shape))
    else:
        gradient.detach_().mutate(lambda array: array.fill(0))


def _christen(state: Any, parameter: Tensor, name: str) -> None:
    if isinstance(state, Tensor) and parameter.name is not None:
        state.name = f"{parameter.name}.{name}"
