"""One slip, as a change of the derivation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chalkgrad.check.slips.question import Pair
from chalkgrad.formulas import Expression


@dataclass(frozen=True)
class Slip:
    """What is changed where it happens.

    edges      other formulas of edges, and edges that are none of the board
    formulas   other formulas of quantities
    factor     of the whole
    update     another formula of the new parameter, over `old`, `gradient`, `rate` and `next`
    """

    kind: str
    why: str
    edges: Mapping[Pair, Expression] = field(default_factory=dict)
    formulas: Mapping[str, Expression] = field(default_factory=dict)
    factor: float = 1.0
    update: Expression | None = None

    def joined(self, other: Slip) -> Slip | None:
        """Both at once; None where they are of one kind, or change the same thing."""
        if self.kind == other.kind:
            return None
        if not self.edges.keys().isdisjoint(other.edges):
            return None
        if not self.formulas.keys().isdisjoint(other.formulas):
            return None
        if self.update is not None and other.update is not None:
            return None
        return replace(
            self,
            edges={**self.edges, **other.edges},
            formulas={**self.formulas, **other.formulas},
            factor=self.factor * other.factor,
            update=self.update if self.update is not None else other.update,
        )
