"""Slips of what a parameter is multiplied by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.places import MANY, Places
from chalkgrad.check.slips.question import Pair
from chalkgrad.check.slips.slip import Slip
from chalkgrad.formulas import ONE, Name


class Inputs(Places):
    """Slips of what a parameter is multiplied by."""

    def inputs(self) -> Iterator[Slip]:
        """What a weight is multiplied by: forgotten, another one, the weight itself."""
        network, by = self.network, self.chain.by
        pairs = [pair for pair in self.edges if pair[1] == by and network.input_of(pair)]
        yield from self.everywhere(
            known.NO_INPUT, pairs, lambda pair: ONE,
            lambda pair: f"leaves out the factor {network.input_of(pair)}",
        )  # fmt: skip
        for pair in self.one_a_place(pairs):
            source = network.input_of(pair) or ""
            others = [
                name for name in network.all_sources(network.record(pair[0])) if name != source
            ]
            for other in others[:MANY]:
                words = f"multiplies by {other} in place of {source}"
                yield self.at(pair, known.OTHER_INPUT, Name(other), words)
            yield self.at(
                pair, known.OTHER_INPUT, Name(by), f"multiplies by {by} itself, not by {source}"
            )
        yield from self.bias_as_weight([p for p in self.edges if p[1] == by and network.is_bias(p)])

    def bias_as_weight(self, pairs: Sequence[Pair]) -> Iterator[Slip]:
        """The factor of a bias, which is 1, taken for an input or for the bias itself."""
        rows, by = self.network.rows, self.chain.by
        for column in range(min(MANY, max((len(rows.get(of, ())) for of, _ in pairs), default=0))):

            def source(pair: Pair, column: int = column) -> str | None:
                sources = list(rows.get(pair[0], ()))
                return sources[column] if column < len(sources) else None

            yield from self.everywhere(
                known.OTHER_INPUT, pairs,
                lambda pair, source=source: Name(source(pair)) if source(pair) else None,  # type: ignore[misc]
                lambda pair, source=source: (  # type: ignore[misc]
                    f"multiplies by {source(pair)}, but {by} is a bias: its factor is 1"
                ),
            )  # fmt: skip
        yield from self.everywhere(
            known.OTHER_INPUT, pairs, lambda pair: Name(by),
            lambda pair: f"multiplies by {by} itself; its factor is 1",
        )  # fmt: skip
