"""Slips of adding up: paths, terms of the loss, records and uses of a parameter left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.places import MANY, Places
from chalkgrad.check.slips.question import Pair
from chalkgrad.check.slips.slip import Slip
from chalkgrad.check.slips.slopes import signed_terms
from chalkgrad.formulas import ZERO, Expression, text
from chalkgrad.formulas.labels import PARAMETER


class Paths(Places):
    """Slips of adding up: paths, terms of the loss, records and uses of a parameter left out."""

    def paths(self) -> Iterator[Slip]:
        """At a quantity that several others use: one of them left out, or all but one."""
        for name, users in self.chain.users.items():
            if len(users) > 1 and not (
                name == self.chain.by and self.network.kind(name) == PARAMETER
            ):
                yield from self.partly(name, users)
        yield from self.terms()
        yield from self.single()

    def partly(self, name: str, users: Sequence[str]) -> Iterator[Slip]:
        for user in users:
            yield self.dropped(
                known.PATH, f"leaves out the path from {name} through {user}", [(user, name)]
            )
        if len(users) > 2:
            for user in users:
                others = [(other, name) for other in users if other != user]
                yield self.dropped(
                    known.PATH, f"counts only the path from {name} through {user}", others
                )

    def terms(self) -> Iterator[Slip]:
        """The terms of a loss: one left out, or one only; those of a record together."""
        children = [pair for pair in self.chain.edges if pair[0] == self.chain.of]
        if len(children) < 2:
            return
        records = {self.network.record(by) for _, by in children}
        for _, by in children:
            yield self.without(known.PATH, f"leaves out {by}", [(self.chain.of, by)])
            others = [pair for pair in children if pair[1] != by]
            if len(others) > 1:
                yield self.without(known.PATH, f"counts {by} only", others)
        if len(records) > 1:
            yield from self.by_record(known.RECORDS_NOT_SUMMED, children)

    def by_record(self, kind: str, pairs: Sequence[Pair]) -> Iterator[Slip]:
        """The edges of one record only; last first, as `=` for `+=` leaves it."""
        ends = {pair: self._record_of(pair) for pair in pairs}
        records = sorted({record for record in ends.values() if record is not None}, reverse=True)
        if len(records) < 2:
            return
        for record in records:
            others = [pair for pair in pairs if ends[pair] != record]
            yield self.without(kind, f"counts record {record} only", others)
        if len(records) > 2:
            for record in records:
                mine = [pair for pair in pairs if ends[pair] == record]
                yield self.without(kind, f"leaves out record {record}", mine)

    def _record_of(self, pair: Pair) -> int | None:
        record = self.network.record(pair[0])
        return record if record is not None else self.network.record(pair[1])

    def single(self) -> Iterator[Slip]:
        """One path alone, where paths part more than once."""
        branching = [name for name, users in self.chain.users.items() if len(users) > 1]
        if not 2 <= len(branching) <= MANY:
            return
        for path in self.chains(self.chain.by, MANY):
            on = set(path)
            away = {
                (user, name): ZERO
                for name in on - {self.chain.of}
                for user in self.chain.users[name]
                if user not in on
            }  # fmt: skip
            through = ", ".join(path[1:-1])
            yield Slip(known.PATH, f"counts only the path through {through}", away)

    def chains(self, start: str, most: int) -> Iterator[list[str]]:
        """Paths upwards, as lists of names."""
        work, found = [[start]], 0
        while work and found < most:
            path = work.pop()
            if path[-1] == self.chain.of:
                found += 1
                yield path
                continue
            work += [[*path, user] for user in reversed(self.chain.users[path[-1]])]

    def uses(self) -> Iterator[Slip]:
        """A parameter that is used several times: by one unit, in one record, or averaged."""
        by = self.chain.by
        users = self.chain.users.get(by, [])
        if self.network.kind(by) != PARAMETER:
            return
        yield from self.places_in_sums(by, users)
        if len(users) < 2:
            return
        pairs = [(user, by) for user in users]
        yield from self.by_record(known.RECORDS_NOT_SUMMED, pairs)
        stems = list(dict.fromkeys(self.network.stem(user) for user in users))
        bias = all(self.network.is_bias(pair) for pair in pairs)
        kind = known.BIAS_NOT_SUMMED if bias else known.ASSIGNED
        for stem in reversed(stems) if len(stems) > 1 else ():
            others = [pair for pair in pairs if self.network.stem(pair[0]) != stem]
            why = f"counts the use of {by} in {stem} only; it is also in " + ", ".join(
                other for other in stems if other != stem
            )
            yield self.without(kind, why, others)
        if len(stems) > 1 and len(pairs) > len(stems):
            for pair in reversed(pairs):
                others = [other for other in pairs if other != pair]
                yield self.without(
                    known.ASSIGNED, f"counts the use of {by} in {pair[0]} only", others
                )
        if bias and len(pairs) > 1:
            count = len(pairs)
            yield Slip(
                known.MEAN_FOR_SUM, f"averages over the {count} uses of {by}; they are summed",
                factor=1 / count,
            )  # fmt: skip

    def places_in_sums(self, by: str, users: Sequence[str]) -> Iterator[Slip]:
        """A weight that stands more than once in one sum: w·x1 + w·x2, of which one is counted."""
        board = self.network.board
        terms = {
            (user, by): signed_terms(board.locals[user, by].formula)
            for user in users
            if (user, by) in board.locals
        }
        if all(len(several) == 1 for several in terms.values()):
            return
        for pair, several in terms.items():
            for term in several[:MANY]:
                only: dict[Pair, Expression] = dict.fromkeys(terms, ZERO)
                why = f"counts one use of {by} only, the one with {text(term)} in {pair[0]}"
                yield Slip(known.ASSIGNED, why, {**only, pair: term})
