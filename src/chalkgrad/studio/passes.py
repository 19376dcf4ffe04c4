"""One forward and backward pass of a worksheet: every quantity's number and gradient, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from chalkgrad.explain.board import Board
from chalkgrad.explain.derive import Derive
from chalkgrad.explain.edges import adjoints
from chalkgrad.explain.graph import all_given
from chalkgrad.worksheet import Data, Names, Problem, Worksheet


@dataclass(frozen=True, eq=False)
class Pass:
    """The graph that ran, and what it says of each quantity."""

    problem: Problem

    @classmethod
    def of(cls, worksheet: Worksheet) -> Pass:
        return cls(Problem.of(worksheet))

    @property
    def loss(self) -> float:
        return float(self.problem.loss.node.value)

    @cached_property
    def values(self) -> dict[str, float]:
        """Every quantity's number."""
        return {
            label.name(index): float(np.asarray(node.value)[index])
            for node, label in self.problem.labels.items()
            for index in np.ndindex(*node.shape)
        }

    @cached_property
    def gradients(self) -> dict[str, float]:
        """∂loss/∂quantity, as the reverse pass computes it; 0 where the loss does not depend."""
        found = adjoints(self.problem.loss.node)
        return {
            label.name(index): float(found[node][index]) if node in found else 0.0
            for node, label in self.problem.labels.items()
            for index in np.ndindex(*node.shape)
        }

    @cached_property
    def board(self) -> Board:
        """Every quantity with its formula, every edge with its derivative."""
        labels = self.problem.labels
        return Derive(self.problem.loss.node, labels).board(all_given(labels))


def alone(worksheet: Worksheet, record: int) -> Worksheet:
    """The worksheet with one of its records (counted from 1), whose loss is L[record]."""
    data = worksheet.data
    if data is None or data.records == 1:
        return worksheet
    return replace(worksheet, data=_only(data, record), names=_named(worksheet.names, record))


def _only(data: Data, record: int) -> Data:
    def column(columns: Mapping[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        return {name: (numbers[record - 1],) for name, numbers in columns.items()}

    return Data(column(data.inputs), column(data.targets), 1)


def _named(names: Names, record: int) -> Names:
    loss, terms = f"{names.loss}[{record}]", names.loss_terms
    aliases = {**names.aliases, names.loss: loss}
    if len(terms) == 1:  # the loss of the only output is the loss of the record
        aliases[terms[0]] = loss
        terms = ()
    return replace(names, loss=loss, loss_terms=terms, aliases=aliases)
