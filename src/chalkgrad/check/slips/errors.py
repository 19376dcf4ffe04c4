"""Slips at the loss: output minus target, and the multiples 2, ½, n and 1/n."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.network import LOSSES
from chalkgrad.check.slips.places import Places
from chalkgrad.check.slips.question import Pair
from chalkgrad.check.slips.slip import Slip
from chalkgrad.formulas import Expression, Name


class Errors(Places):
    """Slips at the loss: output minus target, and the multiples 2, ½, n and 1/n."""

    def errors(self) -> Iterator[Slip]:
        """Output minus target, and what becomes of it."""
        network = self.network
        pairs = [pair for pair in self.edges if network.is_error(pair)]
        yield Slip(known.SIGN, self.sign_words(pairs), factor=-1.0)
        if len(pairs) > 1:
            for pair in self.one_a_place(pairs):
                local = network.board.locals[pair].formula
                yield self.at(
                    pair, known.SIGN, -local, f"has the sign of ∂{pair[0]}/∂{pair[1]} wrong"
                )
        for kind, words, change in (
            (known.EXTRA_SLOPE, "takes the loss for a squared error, whose derivative by {by} is "
             "{by} − {target}", lambda out, target: out - target),
            (known.NO_ERROR, "uses {by} in place of its difference from {target}",
             lambda out, target: out),
            (known.NO_ERROR, "uses {target} in place of the difference from it",
             lambda out, target: target),
        ):  # fmt: skip
            yield from self.error_replaced(kind, pairs, words, change)
        for pair in self.one_a_place(pairs):
            for loss in {pair[0], self.chain.of}:
                yield self.at(
                    pair, known.NO_ERROR, Name(loss),
                    f"uses {loss} itself in place of its derivative by {pair[1]}",
                )  # fmt: skip

    def sign_words(self, pairs: Sequence[Pair]) -> str:
        for pair in pairs:
            target = self.network.target_of(pair)
            if target and self.network.has(pair[0], "square", "power"):
                return f"has {target} − {pair[1]} where the derivative has {pair[1]} − {target}"
        return "has the wrong sign"

    def error_replaced(
        self, kind: str, pairs: Sequence[Pair], words: str,
        change: Callable[[Expression, Expression], Expression],
    ) -> Iterator[Slip]:  # fmt: skip
        targets = {pair: self.network.target_of(pair) for pair in pairs}

        def new(pair: Pair) -> Expression | None:
            target = targets[pair]
            if target is None or (
                kind == known.EXTRA_SLOPE and not self.network.has(pair[0], "log", "bounded_log")
            ):
                return None
            return change(Name(pair[1]), Name(target))

        yield from self.everywhere(
            kind, pairs, new, lambda pair: words.format(by=pair[1], target=targets[pair])
        )

    def multiples(self) -> Iterator[Slip]:
        """2, ½, n and 1/n, where a loss is in the chain and its derivative was not claimed."""
        open_edges = (pair for pair in self.chain.edges if pair not in self.chain.claimed)
        if not any(self.network.kind(of) in LOSSES for of, _ in open_edges):
            return
        halves = self.network.halves
        yield Slip(known.TWO_EXTRA, self.two_words(halves), factor=2.0)
        half = (
            "keeps the ½ of the loss, which the 2 of the square cancels" if halves
            else "leaves out the 2 that the derivative of a square brings down"
        )  # fmt: skip
        yield Slip(known.TWO_MISSING, half, factor=0.5)
        for count, what in self.network.counts.items():
            if self.network.averages:
                yield Slip(
                    known.MEAN_MISSING, f"leaves out the 1/{count} of the mean over the {what}",
                    factor=float(count),
                )  # fmt: skip
            kind = known.MEAN_TWICE if self.network.averages else known.MEAN_FOR_SUM
            words = (
                "divides by {n} twice" if self.network.averages else "divides by {n}; the loss sums"
            )
            yield Slip(kind, words.format(n=count) + f" ({what})", factor=1 / count)

    def two_words(self, halves: bool) -> str:
        if halves:
            return "leaves out the ½ of the loss: its derivative has no 2"
        return "has a factor 2 too many"
