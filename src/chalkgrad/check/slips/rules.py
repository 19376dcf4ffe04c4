"""Slips of calculus: a rule of differentiation broken, a factor of the chain left out."""

from __future__ import annotations

from collections.abc import Iterator

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.places import Places
from chalkgrad.check.slips.question import Pair
from chalkgrad.check.slips.slip import Slip
from chalkgrad.check.slips.slopes import broken, signed_terms
from chalkgrad.formulas import ONE, Expression, Name, Partial, text
from chalkgrad.formulas.labels import WEIGHTED_SUM


class Rules(Places):
    """Slips of calculus: a rule of differentiation broken, a factor of the chain left out."""

    def rules(self) -> Iterator[Slip]:
        """A rule of differentiation broken in the formula of a quantity."""
        for pair in self.one_a_place(self.edges):
            of, by = pair
            quantity = self.network.quantity(of)
            if quantity.formula is None or (quantity.kind == WEIGHTED_SUM and quantity.layer):
                continue
            for words, formula in broken(quantity.formula, Name(by)):
                yield self.at(pair, known.LOCAL, formula, f"{words}, in ∂{of}/∂{by}")
            for words, formula in self.one_term(pair):
                yield self.at(pair, known.LOCAL, formula, words)

    def one_term(self, pair: Pair) -> Iterator[tuple[str, Expression]]:
        """A sum of two terms in a loss, one of them left out: −y/a without (1 − y)/(1 − a)."""
        formula = self.network.board.locals[pair].formula
        terms = signed_terms(formula)
        if (
            self.network.is_error(pair)
            and len(terms) == 2
            and self.network.has(pair[0], "log", "bounded_log")
        ):
            for term in terms:
                yield f"has only {text(term)} in ∂{pair[0]}/∂{pair[1]}", term
            yield f"has the sign of one term of ∂{pair[0]}/∂{pair[1]} wrong", terms[0] - terms[1]
            yield f"has the sign of one term of ∂{pair[0]}/∂{pair[1]} wrong", terms[1] - terms[0]

    def factors(self) -> Iterator[Slip]:
        """Any factor forgotten; everything before the last one forgotten."""
        count = len(self.chain.order)
        pairs = list(self.chain.edges)
        for pair in self.one_a_place(pairs):
            if count > 1:
                yield self.single_factor(pair)
        by = self.chain.by
        users = self.chain.users.get(by, [])
        if len(users) == 1 and users[0] != self.chain.of:
            above = Partial(Name(self.chain.of), Name(users[0]))
            yield Slip(
                known.LAST_FACTOR, f"is ∂{users[0]}/∂{by} alone, without what comes before it",
                {(users[0], by): self.formula((users[0], by)) / above},
            )  # fmt: skip

    def single_factor(self, pair: Pair) -> Slip:
        formula = self.formula(pair)
        number = "" if isinstance(formula, Partial) else f" = {text(formula)}"
        why = f"leaves out the factor ∂{pair[0]}/∂{pair[1]}{number}"
        changes: dict[Pair, Expression] = {
            other: ONE for other in self.chain.edges if self.place(other) == self.place(pair)
        }
        return Slip(known.FACTOR, why, changes)
