"""What all optimizers share: groups of parameters, their state, and the step that applies an update.

An optimizer is its update equation. A class states

    start(parameter, group)                        the state of a parameter before the first step
    update(parameter, gradient, state, setting)    -> the parameter and the state after a step

in tensors, so the update is part of a traced training step. Outside of a trace the updates of all
parameters are compiled into one NumPy program (`program.py`).
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import ArgumentError, TypeMismatch
from chalkgrad.core.graph import leaf
from chalkgrad.core.scope import current, recording, scope
from chalkgrad.optim.program import Program
from chalkgrad.optim.settings import Group, Settings, traced
from chalkgrad.tensor.tensor import Tensor

State = dict[str, Tensor]


class Optimizer:
    """The base of all optimizers.

    `params` is an iterable of tensors, of (name, tensor) pairs, or of dicts: each dict is a group with
    a `params` entry and options of its own. `defaults` holds the options of groups that do not say.

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
        for group in _as_groups(params):
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
        """Move every parameter that has a gradient. `closure` computes the loss and its gradients again."""
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

    def _assign(self, parameter: Tensor, setting: Settings) -> None:
        state = self.state[parameter] if parameter in self.state else {}
        new, after = self.apply(parameter, parameter.grad, state, setting)
        parameter.assign(new)
        for name, value in after.items():
            state[name].assign(value)

    def apply(
        self, parameter: Tensor, gradient: Tensor | None, state: State, setting: Settings
    ) -> tuple[Tensor, State]:
        """`update`, with what has no dimensions in float64 and every result in the type of its origin."""
        assert gradient is not None
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
        have = self.state[parameter] if parameter in self.state else {}
        lacking = self.complete(parameter, group, have)
        for name, tensor in lacking.items():
            if parameter.name is not None:
                tensor.name = f"{parameter.name}.{name}"
            self.state[parameter][name] = tensor

    def _warn_without_gradients(self) -> None:
        if not self._warned and any(group["params"] for group in self.param_groups):
            self._warned = True
            warnings.warn(
                "optimizer.step() found no gradient: every parameter's grad is None, so nothing moved. "
                "Call loss.backward() before step(), and zero_grad() before backward(), not after.",
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
        tensors, names = _unzipped(_listed(param_group["params"]))
        for tensor in tensors:
            _check_leaf(tensor)
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
                "optimizer contains a parameter group with duplicate parameters; each of them would "
                "be updated twice in a step",
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
        number: dict[Tensor, int] = {}
        for k, parameter in enumerate(self._parameters()):
            number.setdefault(parameter, k)
        groups = [
            {**group, "params": [number[p] for p in group["params"]]} for group in self.param_groups
        ]
        state = {number.get(key, key): value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the options and a copy of the state of `state_dict()`, chalkgrad's or PyTorch's."""
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ArgumentError(
                f"loaded state dict has a different number of parameter groups: {len(saved)}, and this "
                f"optimizer has {len(self.param_groups)}"
            )
        for k, (group, new) in enumerate(zip(self.param_groups, saved, strict=True)):
            if len(group["params"]) != len(new["params"]):
                raise ArgumentError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    f"optimizer's group: group {k} has {len(new['params'])} parameters there and "
                    f"{len(group['params'])} here"
                )
        numbers = list(chain.from_iterable(group["params"] for group in saved))
        parameters = dict(zip(numbers, self._parameters(), strict=True))
        shared: dict[Any, np.ndarray] = {}
        loaded = {
            parameters.get(k, k): _loaded(parameters.get(k), state, shared)
            for k, state in state_dict["state"].items()
        }
        for group, new in zip(self.param_groups, saved, strict=True):
            group.update({k: _option(v, group.get(k)) for k, v in new.items() if k not in _OWN})
        self._take(loaded)

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
            self.state[key] = new

    def _parameters(self) -> Iterator[Tensor]:
        return chain.from_iterable(group["params"] for group in self.param_groups)


# What group options a loaded state does not change: the parameters, and PyTorch's choice of an
# implementation, which is not made here.
_OWN = frozenset({"params", "foreach", "fused", "capturable", "differentiable"})

_COUNTS = frozenset({"step", "mu_product"})  # numbers that are tensors here


# Building blocks of start() and update().
_SHARED: dict[tuple[float, np.dtype[Any]], Any] = {}


def number(value: float) -> Tensor:
    """A state that is one number, such as the count of steps."""
    # Equal numbers share one read-only array: what is computed from them is then computed once.
    key = (value, dtypes.default.dtype)
    if key not in _SHARED:
        _SHARED[key] = np.array(value, dtypes.default.dtype)
        _SHARED[key].flags.writeable = False
    return _tensor(_SHARED[key])


def filled(parameter: Tensor, value: float) -> Tensor:
    """A state in the shape of a parameter."""
    return _tensor(np.full(parameter.node.shape, value, parameter.node.dtype))


def penalized(parameter: Tensor, gradient: Tensor, setting: Settings) -> Tensor:
    """The gradient of what is minimized: −g where g is to be climbed, plus weight_decay · θ."""
    if setting.on("maximize"):
        gradient = -gradient
    if setting.on("weight_decay"):
        gradient = gradient + setting("weight_decay") * parameter
    return gradient


def decayed(parameter: Tensor, gradient: Tensor, setting: Settings) -> tuple[Tensor, Tensor]:
    """Decoupled weight decay: θ − lr · weight_decay · θ, and the gradient as it is (−g to maximize)."""
    if setting.on("weight_decay"):
        parameter = (1 - setting("lr") * setting("weight_decay")) * parameter
    return parameter, -gradient if setting.on("maximize") else gradient


def _tensor(array: Any) -> Tensor:
    made = Tensor()
    made.node = leaf(array)
    return made


def _widened(tensor: Tensor) -> Tensor:
    return tensor if tensor.node.shape else tensor.cast(dtypes.float64.numpy)


def _zero(gradient: Tensor) -> None:
    if current().abstract:
        gradient.assign(gradient.literal(0).broadcasted(gradient.node.shape))
    else:
        gradient.detach_().mutate(lambda array: array.fill(0))


# The door: what may be given as parameters.
def _as_groups(params: Any) -> list[Group]:
    if isinstance(params, Tensor):
        raise TypeMismatch(
            "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
            "a Tensor. Put it in a list: [tensor]."
        )
    if not isinstance(params, Iterable):
        call = " Pass its parameters()." if hasattr(params, "parameters") else ""
        raise TypeMismatch(
            "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
            f"{type(params).__name__}.{call}"
        )
    given = list(params)
    if not given:
        reason = (
            "An iterator gives its tensors once: if this one was used before, call model.parameters() again. "
            if isinstance(params, Iterator)
            else ""
        )
        raise ArgumentError(
            f"optimizer got an empty parameter list. {reason}Pass model.parameters(). A model finds the "
            "layers that are its attributes; layers in a plain list or dict are not found: use ModuleList "
            "or ModuleDict."
        )
    return given if isinstance(given[0], dict) else [{"params": given}]


def _listed(params: Any) -> list[Any]:
    if isinstance(params, Tensor):
        return [params]
    if isinstance(params, set):
        raise TypeMismatch(
            "optimizer parameters need to be organized in ordered collections, but the ordering of "
            "tensors in sets will change between runs. Please use a list instead."
        )
    return list(params)


def _unzipped(given: list[Any]) -> tuple[list[Tensor], list[str]]:
    """The tensors, and the names where (name, tensor) pairs are given."""
    names = [item[0] for item in given if isinstance(item, tuple)]
    if names and len(names) != len(given):
        raise ArgumentError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return [item[1] if isinstance(item, tuple) else item for item in given], names


def _check_leaf(tensor: Any) -> None:
    if not isinstance(tensor, Tensor):
        call = " Pass the parameters() of the model." if hasattr(tensor, "parameters") else ""
        raise TypeMismatch(
            f"optimizer can only optimize Tensors, but one of the params is {type(tensor).__name__}.{call}"
        )
    node = tensor.node
    if node.primitive is not None and node.owner is None:
        raise ArgumentError(
            f"can't optimize a non-leaf Tensor: {node.name or 'one of shape ' + str(list(node.shape))} is "
            f"the result of {node.primitive.name}. Optimize what it was computed from, or make it a leaf "
            "with x.detach().requires_grad_()."
        )


def _option(value: Any, known: Any) -> Any:
    return tuple(value) if isinstance(known, tuple) and isinstance(value, list) else value


def _loaded(parameter: Tensor | None, state: Any, shared: dict[Any, Any]) -> Any:
    """A copy of one parameter's saved state; numbers that are equal share one array."""
    return {name: _copied(parameter, name, value, shared) for name, value in state.items()}


def _copied(parameter: Tensor | None, name: str, value: Any, shared: dict[Any, Any]) -> Any:
    if value is None or (isinstance(value, (int, float)) and name not in _COUNTS):
        return value
    if isinstance(value, (list, tuple)):
        return [_copied(parameter, name, item, shared) for item in value]
    array = np.array(value.detach().numpy() if hasattr(value, "detach") else value)
    kind = array.dtype if array.dtype.kind == "f" else dtypes.default.dtype
    if parameter is not None and name != "step" and parameter.node.dtype.kind == "f":
        kind = parameter.node.dtype
    array = array.astype(kind)
    if not array.shape:
        array.flags.writeable = False
        array = shared.setdefault((name, array.item(), kind), array)
    return _tensor(array)
