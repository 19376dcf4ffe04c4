"""A change at one edge of a chain, in all records, in a layer, wherever it can be made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from chalkgrad.check.slips.chain import Chain
from chalkgrad.check.slips.network import Network
from chalkgrad.check.slips.question import Pair
from chalkgrad.check.slips.slip import Slip
from chalkgrad.formulas import ZERO, Expression, Name, Number, replaced

MANY = 40  # alternatives of one kind at one place
Changed = Callable[[Pair], Expression | None]


@dataclass
class Places:
    """Slips of one chain; `updated` has the parameters after their update."""

    chain: Chain
    network: Network
    values: Mapping[str, float]
    updated: Mapping[str, float]

    def everywhere(
        self, kind: str, pairs: Iterable[Pair], change: Changed, why: Callable[[Pair], str]
    ) -> Iterator[Slip]:
        """A change at each edge (in all records), in each layer, and wherever it can be made."""
        changes = {pair: new for pair in pairs if (new := change(pair)) is not None}
        levels = (self.place, self.layer, lambda pair: "", lambda pair: str(pair))
        seen: set[frozenset[Pair]] = set()
        for level in levels:
            for _, several in groupby(sorted(changes, key=level), level):
                group = list(several)
                if frozenset(group) in seen:
                    continue
                seen.add(frozenset(group))
                likewise = " (and likewise the others)" if len(group) > 1 else ""
                yield Slip(kind, why(group[0]) + likewise, {pair: changes[pair] for pair in group})

    def place(self, pair: Pair) -> str:
        return f"{self.network.stem(pair[0])} {self.network.stem(pair[1])}"

    def layer(self, pair: Pair) -> str:
        return f"{self.network.quantity(pair[0]).layer}"

    @property
    def edges(self) -> list[Pair]:
        """The edges of the board that the chain has."""
        return [pair for pair in self.chain.edges if pair in self.network.board.locals]

    def one_a_place(self, pairs: Iterable[Pair]) -> list[Pair]:
        """One of the edges that differ in their record only."""
        found: dict[str, Pair] = {}
        for pair in pairs:
            found.setdefault(self.place(pair), pair)
        return list(found.values())

    def at(self, pair: Pair, kind: str, new: Expression, why: str) -> Slip:
        """A change at one place, in all records: names of its record become those of the others."""
        mine, changes = self.network.record(pair[0]), {}
        for other in self.edges:
            if self.place(other) == self.place(pair):
                record = self.network.record(other[0])
                changes[other] = new if record == mine else self.moved(new, mine, record)
        return Slip(kind, why, changes)

    def moved(self, formula: Expression, mine: int | None, record: int | None) -> Expression:
        """The same of another record."""

        def change(part: Expression) -> Expression | None:
            if not isinstance(part, Name) or self.network.kind(part.text) == "":
                return None
            if self.network.record(part.text) != mine:
                return None
            other = f"{self.network.stem(part.text)}[{record}]"
            return Name(other) if other in self.network.board.quantities else None

        return replaced(formula, change)

    def without(self, kind: str, why: str, pairs: Iterable[Pair]) -> Slip:
        return Slip(kind, why, dict.fromkeys(pairs, ZERO))

    def dropped(self, kind: str, why: str, pairs: Iterable[Pair]) -> Slip:
        """Without some edges, in all records."""
        places = {self.place(pair) for pair in pairs}
        same = {pair: ZERO for pair in self.chain.edges if self.place(pair) in places}
        return Slip(kind, why, same)

    def formula(self, pair: Pair) -> Expression:
        if pair in self.chain.claimed:
            return Number(self.chain.claimed[pair])
        return self.network.board.locals[pair].formula
