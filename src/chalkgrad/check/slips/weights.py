"""Slips of the weights on the way down: updated, mirrored, another one, none."""

from __future__ import annotations

from collections.abc import Iterator

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.places import MANY, Places
from chalkgrad.check.slips.question import Pair
from chalkgrad.check.slips.slip import Slip
from chalkgrad.formulas import ONE, Expression, Name, Number, shown


class Weights(Places):
    """Slips of the weights on the way down: updated, mirrored, another one, none."""

    def updated_weights(self) -> Iterator[Slip]:
        """The output layer's weights after their update, for the hidden layer."""

        def new(pair: Pair) -> Expression | None:
            weight = self.network.weight_of(pair)
            if weight is None or weight not in self.updated:
                return None
            return Number(self.updated[weight])

        def why(pair: Pair) -> str:
            weight = self.network.weight_of(pair) or ""
            return (
                f"uses {weight} after its update ({shown(self.updated[weight])}) in place of "
                f"{shown(self.values[weight])}"
            )

        yield from self.everywhere(known.UPDATED, self.edges, new, why)

    def weights(self) -> Iterator[Slip]:
        """The mirrored weight, another one, none."""
        network = self.network

        def mirrored(pair: Pair) -> Expression | None:
            if network.weight_of(pair) is None:
                return None
            other = network.transposed(*pair)
            return Name(other) if other else None

        def why(pair: Pair) -> str:
            other = network.transposed(*pair)
            mine = network.weight_of(pair)
            return f"uses {other} in place of {mine}: the weights are not transposed"

        yield from self.everywhere(known.NOT_TRANSPOSED, self.edges, mirrored, why)
        weighted = [pair for pair in self.edges if network.weight_of(pair) is not None]
        for pair in self.one_a_place(weighted):
            mine = network.weight_of(pair) or ""
            for other in network.weights[:MANY]:
                if other != mine:
                    yield self.at(
                        pair, known.OTHER_WEIGHT, Name(other), f"uses {other} in place of {mine}"
                    )
        yield from self.everywhere(
            known.NO_WEIGHT, weighted, lambda pair: ONE,
            lambda pair: f"leaves out the weight {network.weight_of(pair)}",
        )  # fmt: skip
