"""What a worksheet consists of, after it was read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Weight = str | float  # a parameter's name, or a number
Column = tuple[float, ...]  # a number for each record


@dataclass(frozen=True)
class Layer:
    units: tuple[str, ...]
    weights: tuple[tuple[Weight, ...], ...]  # a row per unit, a column per input
    bias: tuple[Weight, ...] | None
    activation: str


@dataclass(frozen=True)
class Data:
    """Inputs by their names and targets by their units: a number for each record."""

    inputs: Mapping[str, Column]
    targets: Mapping[str, Column]
    records: int


@dataclass(frozen=True)
class Loss:
    kind: str
    over_records: str  # sum or mean


@dataclass(frozen=True)
class Update:
    rule: str  # the name of a class of chalkgrad.optim
    settings: Mapping[str, Any]  # its arguments
    steps: int
    frozen: tuple[str, ...]  # parameters that are left alone


@dataclass(frozen=True)
class Names:
    """What the author calls each quantity. (With several records a name gets [1], [2], …)"""

    sums: tuple[tuple[str, ...], ...] = ()  # by layer and unit
    activations: tuple[tuple[str, ...], ...] = ()
    targets: tuple[str, ...] = ()  # by output
    loss_terms: tuple[str, ...] = ()  # by output; none, where the loss is one term
    loss: str = "L"
    delta: str = "positive"  # negative: what the author calls delta is −∂loss/∂sum
    aliases: Mapping[str, str] = field(default_factory=dict)  # second names


def numbered(name: str, record: int, records: int) -> str:
    """The name in one record, counted from 0: with several, o1[2] is the second."""
    return f"{name}[{record + 1}]" if records > 1 else name
