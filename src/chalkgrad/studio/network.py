"""A network as arrays: what a model of `chalkgrad.nn` is, as far as the studio shows one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from chalkgrad import nn
from chalkgrad.core.errors import ArgumentError, DataError, TypeMismatch
from chalkgrad.core.graph import Array, leaf
from chalkgrad.core.scope import recording
from chalkgrad.nn import functional
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.worksheet import Loss
from chalkgrad.worksheet.losses import RULES, loss_of

MODULES: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU,
    "softplus": nn.Softplus, "softmax": nn.Softmax, "elu": nn.ELU, "selu": nn.SELU,
    "gelu": nn.GELU, "silu": nn.SiLU, "mish": nn.Mish, "softsign": nn.Softsign,
    "relu6": nn.ReLU6, "hardtanh": nn.Hardtanh, "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish, "logsigmoid": nn.LogSigmoid,
}  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """One layer: how wide it is, and what follows it. Without a bias it has none."""

    units: int
    activation: str
    bias: bool = True


@dataclass(frozen=True, eq=False)
class Network:
    """Stages and their numbers, by the names of the parameters: 0.weight, 0.bias, 2.weight, …"""

    stages: tuple[Stage, ...]
    values: Mapping[str, Array]
    notes: tuple[str, ...] = ()
    places: tuple[int, ...] = field(init=False)  # of the stages in an nn.Sequential

    def __post_init__(self) -> None:
        places, place = [], 0
        for stage in self.stages:
            places.append(place)
            place += 1 + (stage.activation != "identity")
        object.__setattr__(self, "places", tuple(places))

    @classmethod
    def of(cls, model: Any) -> Network:
        """The network of an `nn.Sequential` of linear layers and activations."""
        if not isinstance(model, nn.Sequential):
            raise TypeMismatch(
                f"the studio shows an nn.Sequential of Linear layers and activations, not a "
                f"{type(model).__name__}"
            )
        stages: list[Stage] = []
        arrays: list[Array | None] = []
        notes: list[str] = []
        for k, module in enumerate(model):
            if isinstance(module, nn.Linear):
                bias = module.bias
                stages.append(Stage(module.out_features, "identity", bias is not None))
                arrays += [module.weight.node.value, None if bias is None else bias.node.value]
            elif isinstance(module, nn.Dropout):
                notes.append(f"layer {k}, {module!r}, is left out: the studio trains without it")
            elif not isinstance(module, nn.Identity):
                _add_activation(stages, k, module)
        if not stages:
            raise DataError("the model has no Linear layer, so there is nothing to show")
        empty = cls(tuple(stages), {}, tuple(notes))
        names = [f"{p}.{kind}" for p in empty.places for kind in ("weight", "bias")]
        values = {n: np.array(a) for n, a in zip(names, arrays, strict=True) if a is not None}
        return replace(empty, values=values)

    @property
    def width(self) -> int:
        """How many inputs it has."""
        return int(self.values["0.weight"].shape[1])

    @property
    def size(self) -> int:
        """How many parameters it has."""
        return sum(value.size for value in self.values.values())

    @cached_property
    def reading(self) -> nn.Sequential:
        """It, as a module that is read and never changed."""
        return self.module()

    def module(self) -> nn.Sequential:
        """It, as a module of its own."""
        modules: list[nn.Module] = []
        below = self.width
        for stage in self.stages:
            modules.append(nn.Linear(below, stage.units, bias=stage.bias))
            if stage.activation == "softmax":
                modules.append(nn.Softmax(dim=-1))
            elif stage.activation != "identity":
                modules.append(MODULES[stage.activation]())
            below = stage.units
        made = nn.Sequential(*modules)
        for name, parameter in made.named_parameters():
            parameter._become(leaf(self.values[name], tracked=True))
        return made

    def outputs(self, x: Array) -> Array:
        """What it gives for these inputs."""
        with recording(False):
            found: Tensor = self.reading(tensor(x.astype(self.values["0.weight"].dtype)))
        return np.asarray(found.node.value)


def _add_activation(stages: list[Stage], k: int, module: nn.Module) -> None:
    kind = next((name for name, made in MODULES.items() if type(module) is made), None)
    if kind is None:
        raise DataError(
            f"layer {k} of the model is {type(module).__name__}; the studio shows Linear layers "
            "and activations"
        )
    usual = kind == "softmax" or repr(module) == repr(MODULES[kind]())
    if not usual:
        raise DataError(f"layer {k}, {module!r}, has settings of its own; the studio shows none")
    if not stages or stages[-1].activation != "identity":
        raise DataError(f"layer {k}, {module!r}, does not follow a Linear layer")
    stages[-1] = replace(stages[-1], activation=kind)


def drawn_network(sizes: Sequence[int], stages: Sequence[Stage], seed: int) -> Network:
    """A network with numbers from a seed, as `nn.Linear` draws them."""
    draw = np.random.default_rng(seed)
    made = Network(tuple(stages), {})
    values: dict[str, Array] = {}
    for place, stage, below in zip(made.places, stages, sizes, strict=False):
        bound = 1 / np.sqrt(below)
        weight = draw.uniform(-bound, bound, (stage.units, below))
        values[f"{place}.weight"] = weight.astype(np.float32)
        if stage.bias:
            values[f"{place}.bias"] = draw.uniform(-bound, bound, stage.units).astype(np.float32)
    return replace(made, values=values)


def tensor(array: Array) -> Tensor:
    """An array as a tensor that nothing tracks."""
    return Tensor().wrap(leaf(array))


@dataclass(frozen=True, eq=False)
class Records:
    """Data: a row for each record; targets are class numbers, or rows of numbers."""

    x: Array
    y: Array
    loss: str

    def __post_init__(self) -> None:
        if self.loss not in RULES:
            raise ArgumentError(f"there is no loss {self.loss!r}: it is one of {', '.join(RULES)}")
        if self.x.ndim != 2 or len(self.x) != len(self.y) or not len(self.x):
            raise DataError(
                f"inputs of shape {list(self.x.shape)} and targets of shape {list(self.y.shape)}: "
                "both need a row for each record"
            )

    def only(self, record: int) -> Records:
        """One record, counted from 1."""
        return Records(self.x[record - 1 : record], self.y[record - 1 : record], self.loss)

    def first(self, count: int) -> Records:
        """The first ones."""
        return Records(self.x[:count], self.y[:count], self.loss)

    def loss_of(self, output: Tensor, y: Tensor, *, logits: bool) -> Tensor:
        """The mean of the records' losses, for outputs and targets as tensors."""
        if self.y.ndim == 1:  # class numbers
            if not logits:
                return functional.nll_loss(output.log(), y)
            return functional.cross_entropy(output, y)
        return loss_of(Loss(self.loss, "mean"), output, y, logits=logits)[0]
