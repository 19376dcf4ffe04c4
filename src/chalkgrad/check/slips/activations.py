"""Slips of an activation's derivative: left out, taken elsewhere, or where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.network import SLOPED
from chalkgrad.check.slips.places import MANY, Places
from chalkgrad.check.slips.question import Pair
from chalkgrad.check.slips.slip import Slip
from chalkgrad.check.slips.slopes import NoRule, call, derivative, squared
from chalkgrad.formulas import ONE, ZERO, Expression, Name, Partial, replaced
from chalkgrad.formulas.labels import ACTIVATION, WEIGHTED_SUM


class Activations(Places):
    """Slips of an activation's derivative: left out, taken elsewhere, or where there is none."""

    def slopes(self) -> Iterator[Slip]:
        """σ′ left out, taken elsewhere, or where there is none."""
        network = self.network
        pairs = [pair for pair in self.edges if network.is_activation(pair)]
        yield from self.everywhere(
            known.NO_SLOPE, pairs, lambda pair: ONE,
            lambda pair: f"leaves out the derivative of {pair[0]} by {pair[1]}",
        )  # fmt: skip
        yield from self.everywhere(
            known.NO_SLOPE, self.edges, self.joint_slope,
            lambda pair: f"leaves out the derivatives of {pair[0]} by the sums of its layer",
        )  # fmt: skip
        yield from self.everywhere(
            known.SLOPE_OF_OUTPUT, pairs, lambda pair: self.slope_at(pair, Name(pair[0])),
            lambda pair: f"takes the activation's derivative at {pair[0]}, not at {pair[1]}",
        )  # fmt: skip
        for turned in (False, True):
            yield from self.everywhere(
                known.SLOPE_OF_ERROR, pairs, partial(self.slope_of_error, turned=turned),
                lambda pair: f"applies the derivative of the activation of {pair[0]} to its error",
            )  # fmt: skip
        yield from self.everywhere(
            known.EXTRA_SLOPE, pairs, self.slope_twice,
            lambda pair: f"multiplies by the derivative of {pair[0]} by {pair[1]} twice",
        )  # fmt: skip
        yield from self.added_slopes()
        yield from self.other_slopes(pairs)

    def joint_slope(self, pair: Pair) -> Expression | None:
        """Of an activation of a whole layer, a softmax, left out: 1 to a unit's own sum, else 0."""
        of, by = pair
        network = self.network
        if network.kind(of) != ACTIVATION or network.kind(by) != WEIGHTED_SUM:
            return None
        outputs, sums = network.siblings(of), network.siblings(by)
        same = network.quantity(of).layer == network.quantity(by).layer
        if network.activation(of) is not None or not same or len(outputs) != len(sums):
            return None
        return ONE if outputs.index(of) == sums.index(by) else ZERO

    def slope_of_error(self, pair: Pair, turned: bool) -> Expression | None:
        error = -self.error(pair) if turned else self.error(pair)
        return over_output(self.network.activation(pair[0]) or "", error)

    def slope_twice(self, pair: Pair) -> Expression:
        return squared(self.network.board.locals[pair].formula)

    def slope_at(self, pair: Pair, where: Expression, like: str | None = None) -> Expression | None:
        """The derivative of a unit's activation (or of `like`'s) at another argument."""
        name = like or pair[0]
        formula, own = self.network.quantity(name).formula, Name(pair[1])
        if formula is None or self.network.activation(name) is None:
            return None
        function = self.network.activation(name) or ""
        try:
            general = derivative(call(function, own), own)
        except NoRule:
            return None
        return replaced(general, lambda part: where if part == own else None)

    def error(self, pair: Pair) -> Expression:
        """What people call a unit's error: output − target, or what was propagated to it."""
        output = pair[0]
        for user in self.chain.users.get(output, ()):
            if self.network.is_error((user, output)):
                target = self.network.target_of((user, output))
                if target is not None:
                    return Name(output) - Name(target)
        return Partial(Name(self.chain.of), Name(output))

    def added_slopes(self) -> Iterator[Slip]:
        """A derivative at a unit that has no activation."""
        network = self.network
        used = {network.activation(name) for name in network.board.quantities} & set(SLOPED[:2])
        for function in sorted(f for f in used if f) or ["sigmoid"]:
            words = f"multiplies by a derivative of {function} at {{}}, which has no activation"
            yield from self.everywhere(
                known.EXTRA_SLOPE, self.edges, partial(self.with_slope, function=function),
                lambda pair, words=words: words.format(pair[1]),  # type: ignore[misc]
            )  # fmt: skip

    def with_slope(self, pair: Pair, function: str) -> Expression | None:
        """The factor at the output of a unit that has no activation, times a derivative of one."""
        network, by = self.network, pair[1]
        if network.is_activation(pair) or network.kind(by) not in (WEIGHTED_SUM, ACTIVATION):
            return None
        if network.kind(by) == ACTIVATION and network.activation(by) is not None:
            return None
        extra = over_output(function, Name(by))
        return None if extra is None else network.board.locals[pair].formula * extra

    def other_slopes(self, pairs: Sequence[Pair]) -> Iterator[Slip]:
        """The derivative at another unit's sum, or of another layer's function."""
        network = self.network
        functions = {network.activation(name) for name in network.board.quantities} - {None}
        for pair in self.one_a_place(pairs):
            for other in network.same_record(WEIGHTED_SUM, pair[1])[:MANY]:
                new = self.slope_at(pair, Name(other))
                if new is not None:
                    why = f"takes the derivative of {pair[0]} at {other} in place of {pair[1]}"
                    yield self.at(pair, known.OTHER_SUM, new, why)
            for output in network.same_record(ACTIVATION, pair[0])[:MANY]:
                value = over_output(network.activation(pair[0]) or "", Name(output))
                if value is not None:
                    why = f"takes the derivative of {pair[0]} at {output}"
                    yield self.at(pair, known.OTHER_SUM, value, why)
            for function in sorted(str(f) for f in {*functions, *SLOPED[:2]}):
                if function != network.activation(pair[0]):
                    yield from self.of_function(pair, function)

    def of_function(self, pair: Pair, function: str) -> Iterator[Slip]:
        own = Name(pair[1])
        why = f"uses the derivative of {function} for {pair[0]}"
        written = over_output(function, Name(pair[0]))
        if written is not None:
            yield self.at(pair, known.OTHER_FUNCTION, written, why)
        try:
            yield self.at(pair, known.OTHER_FUNCTION, derivative(call(function, own), own), why)
        except NoRule:
            return


def over_output(function: str, out: Expression) -> Expression | None:
    """σ′ as it is written over the output: a (1 − a), 1 − a²."""
    if function == "sigmoid":
        return out * (ONE - out)
    if function == "tanh":
        return ONE - squared(out)
    return None
