"""Slips that mix up units: a dot product for an elementwise one, activations sent back."""

from __future__ import annotations

from collections.abc import Iterator

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.places import Places
from chalkgrad.check.slips.slip import Slip
from chalkgrad.check.slips.slopes import call
from chalkgrad.formulas import Expression, Name, Partial


class Units(Places):
    """Slips that mix up units: a dot product for an elementwise one, activations sent back."""

    def mixed_units(self) -> Iterator[Slip]:
        """A dot product where each unit has its own factor; activations sent back."""
        network = self.network
        pairs = [pair for pair in self.edges if network.is_activation(pair)]
        board = network.board.locals
        inside = {of for of, _ in self.chain.edges} | {by for _, by in self.chain.edges}
        for pair in self.one_a_place(pairs):
            units = [name for name in network.siblings(pair[0]) if name in network.board.quantities]
            if len(units) < 2:
                continue
            total: list[Expression] = []
            for unit in units:
                own = [p for p in board if p[0] == unit and network.is_activation(p)]
                if not own:
                    break
                error = self.error_formula(unit, inside)
                if error is None:
                    break
                total.append(error * board[own[0]].formula)
            if len(total) == len(units):
                mine = Partial(Name(self.chain.of), Name(pair[0]))
                dotted = call("sum", *total) / mine
                why = f"adds up the products of all units of the layer: {pair[1]} has its own alone"
                yield self.at(pair, known.DOT, dotted, why)
        weighted = [pair for pair in self.edges if network.weight_of(pair)]
        for pair in self.one_a_place(weighted):
            output = self.output_of(pair[0])
            if output is not None and (self.chain.of, pair[0]) != pair:
                weight = Name(network.weight_of(pair) or "")
                back = weight * Name(output) / Partial(Name(self.chain.of), Name(pair[0]))
                why = f"sends {output} back in place of the gradient of {pair[0]}"
                yield self.at(pair, known.ACTIVATION_FOR_DELTA, back, why)

    def output_of(self, name: str) -> str | None:
        """The activation of a sum."""
        users = self.network.board.users[name]
        return next((user for user in users if self.network.is_activation((user, name))), None)

    def error_formula(self, unit: str, inside: set[str]) -> Expression | None:
        """∂of/∂unit as a formula: for a unit beside the chain, by one step of the chain rule."""
        of = Name(self.chain.of)
        if unit in self.chain.users:
            return Partial(of, Name(unit))
        terms = [
            Partial(of, Name(user)) * self.network.board.locals[user, unit].formula
            for user in self.network.board.users[unit]
            if user in inside and (user == self.chain.of or user in self.chain.users)
        ]
        return call("sum", *terms) if terms else None
