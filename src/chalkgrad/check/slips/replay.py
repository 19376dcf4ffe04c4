"""Which slips give the number that a person has?

Each slip is replayed on the person's own earlier numbers: as they wrote them down, as they may have
had them before rounding, and as if they had gone back to the right ones. Single slips come before
pairs, slips of the derivation before slips of the pen, common ones before rare ones; pairs are
tried only where the digits that are shown can tell so many of them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from math import isfinite

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.backward import backward_slips
from chalkgrad.check.slips.digits import decimals_of, digit_slips
from chalkgrad.check.slips.forward import Forward
from chalkgrad.check.slips.question import Mistake, Question, claimed_number
from chalkgrad.check.slips.right import right_line
from chalkgrad.check.slips.slip import Slip
from chalkgrad.check.slips.updating import update_slips
from chalkgrad.check.slips.views import View, Views

MOST = 8  # mistakes that are returned
SINGLES, PAIRS = 2000, 3000  # that are replayed at most
EFFORT = 3_000_000  # edges that are walked for them
NEAR = 0.05  # relative: farther off, rounding before the line is no explanation
Accepts = Callable[[float], bool]


@dataclass(frozen=True)
class Hit:
    """A slip that gives the number."""

    slips: tuple[Slip, ...]
    value: float
    loose: bool = False  # only within the rounding of earlier numbers
    afresh: bool = False  # not from the derivatives that the person claimed

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(slip.kind for slip in self.slips)


def mistakes(question: Question, accepts: Accepts, seen: Sequence[str] = ()) -> list[Mistake]:
    """The known slips that give a number which `accepts`, the likeliest first.

    `seen` are kinds of slips that neighbouring lines have: of several that fit, they come first.
    """
    replay = Replay(question, accepts)
    hits = list(replay.singles())
    structural = [hit for hit in hits if hit.kinds[0] not in known.OF_DIGITS]
    if not structural:
        hits += replay.pairs()
    return [replay.mistake(hit) for hit in ranked(hits, question, seen)[:MOST]]


def ranked(hits: Iterable[Hit], question: Question, seen: Sequence[str]) -> list[Hit]:
    """In the order in which they are told; of one kind (or pair of kinds) the best."""
    claimed = claimed_number(question)

    def order(hit: Hit) -> tuple[object, ...]:
        ranks = [known.RANK[kind] for kind in hit.kinds]
        pen = any(kind in known.OF_DIGITS for kind in hit.kinds)
        new = not any(kind in seen for kind in hit.kinds)
        off = 0.0 if claimed is None else abs(hit.value - claimed)
        return len(hit.slips), pen, hit.loose, new, hit.afresh, sum(ranks), off

    best: dict[tuple[str, ...], Hit] = {}
    values: set[float] = set()
    for hit in sorted(hits, key=order):
        value = float(f"{hit.value:.10e}")
        if known.GENERAL.isdisjoint(hit.kinds) or value not in values:
            best.setdefault(tuple(sorted(hit.kinds)), hit)
            values.add(value)
    return list(best.values())


@dataclass
class Replay:
    """All slips of one question."""

    question: Question
    accepts: Accepts
    every: bool = False  # also slips of one kind that give the same number at this point
    ways: Views = field(init=False)

    def __post_init__(self) -> None:
        self.ways = Views(self.question)

    # ------------------------------------------------------------------------------------- slips

    def slips(self, view: View) -> Iterator[Slip]:
        values, updated = view.worlds[0].values, self.question.updated
        forward = Forward(self.ways.network, values, updated)
        if view.chain is not None:
            yield from backward_slips(view.chain, self.ways.network, values, updated)
        else:
            yield from forward.slips(self.question.of)
            yield Slip(known.SIGN, "has the wrong sign", factor=-1.0)
        if self.question.new:
            gradients = self.ways.gradients
            yield from update_slips(
                self.question.of, values, gradients, self.question.learning_rate is not None
            )
        yield from self.upstream(forward, view)

    def upstream(self, forward: Forward, view: View) -> Iterator[Slip]:
        """Slips in quantities that the person did not write down."""
        board = self.question.board
        needed = board.leads_to(self.ways.of)
        hidden = [
            name for name, quantity in board.quantities.items()
            if quantity.formula is not None and name in needed
            and name != self.question.of and name not in self.question.values
        ]  # fmt: skip
        if len(board.quantities) > 200:
            return
        if view.chain is None or not view.chain.claimed:
            for name in hidden[:12]:
                yield from islice(forward.slips(name), 30)

    # -------------------------------------------------------------------------------------- hits

    @cached_property
    def replayed(self) -> list[tuple[Slip, View, float]]:
        """Single slips with what they give in the person's own world, each value once a kind."""
        found: list[tuple[Slip, View, float]] = []
        for view in self.ways.views:
            right = self.ways.value(Slip("", ""), view, view.worlds[0])
            values: set[tuple[str, float, str]] = set()
            for slip in islice(self.slips(view), min(SINGLES, EFFORT // view.size)):
                value = self.ways.value(slip, view, view.worlds[0])
                key = slip.kind, float(f"{value:.12e}"), slip.why if self.every else ""
                if isfinite(value) and value != right and key not in values:
                    values.add(key)
                    found.append((slip, view, value))
        return found

    def singles(self) -> Iterator[Hit]:
        for slip, view, value in self.replayed:
            yield from self.hits((slip,), slip, view, value)
        yield from self.rounding()
        for right in self.right_numbers():
            for kind, why, value in digit_slips(right, self.question.shown):
                if self.accepts(value):
                    yield Hit((Slip(kind, why),), value)

    def right_numbers(self) -> list[float]:
        """The expected number, and what the person's own digits make of it."""
        own = [self.ways.value(Slip("", ""), view, view.worlds[0]) for view in self.ways.views]
        found = [self.question.expected, *(value for value in own if isfinite(value))]
        return list(dict.fromkeys(found))

    def hits(self, slips: tuple[Slip, ...], slip: Slip, view: View, value: float) -> Iterator[Hit]:
        """The slip in the worlds in which it gives the number."""
        afresh = view is not self.ways.views[0]
        if self.is_right(value):
            return
        if self.accepts(value):
            yield Hit(slips, value, afresh=afresh)
            return
        for world in view.worlds[1:]:
            other = self.ways.value(slip, view, world)
            if self.accepts(other) and not self.is_right(other):
                yield Hit(slips, other, afresh=afresh)
                return
        if self.question.spreads and self.is_near(value):
            closest = self.spread_out(slip, view, value)
            if closest is not None and self.accepts(closest):
                yield Hit(slips, value, loose=True, afresh=afresh)

    def is_right(self, value: float) -> bool:
        """Does the slip change nothing?"""
        expected = self.question.expected
        return abs(value - expected) <= 1e-9 * max(abs(value), abs(expected))

    def is_near(self, value: float) -> bool:
        claimed = claimed_number(self.question)
        return claimed is not None and abs(value - claimed) <= NEAR * abs(claimed)

    def spread_out(self, slip: Slip, view: View, value: float) -> float | None:
        """The number nearest to the claimed one that rounding before the line can have given."""
        claimed = claimed_number(self.question)
        radius = sum(
            abs(self.ways.value(slip, other, other.worlds[0]) - value)
            for other in self.ways.shaken(view)
        )
        if claimed is None or not isfinite(radius):
            return None
        return min(max(claimed, value - radius), value + radius)

    def rounding(self) -> Iterator[Hit]:
        """Numbers rounded on the way, and the last digit wrong."""
        decimals = decimals_of(self.question.shown)
        if decimals is None:
            return
        for places, view, world in self.ways.rounded_worlds(min(decimals, 6)):
            value = self.ways.value(Slip("", ""), view, world)
            if self.accepts(value) and not self.is_right(value):
                why = f"rounds to {places} decimal{'s' if places > 1 else ''} on the way"
                yield Hit((Slip(known.ROUNDED_EARLY, why),), value)
                return
        claimed, unit = claimed_number(self.question), 10.0**-decimals
        if claimed is not None and abs(claimed) >= 9 * unit:
            off = abs(claimed - self.question.expected)
            if off <= 2.5 * unit:
                why = "is off in the last digit that is shown"
                yield Hit((Slip(known.ROUNDED_WRONGLY, why),), self.question.expected)

    # ------------------------------------------------------------------------------------- pairs

    def pairs(self) -> list[Hit]:
        """Two slips at once, as many as the digits shown can tell apart."""
        most = self.most_pairs()
        singles = sorted(self.replayed, key=lambda found: known.RANK[found[0].kind])
        hits: list[Hit] = []
        for first, second, view in islice(_couples(singles), most):
            both = first.joined(second)
            if both is None:
                continue
            value = self.ways.value(both, view, view.worlds[0])
            if isfinite(value):
                hits += self.hits((first, second), both, view, value)
        return hits

    def most_pairs(self) -> int:
        """So many that chance would hit the number about once in four questions.

        The numbers that pairs give lie over about a decade; the claimed one covers one unit of its
        last digit.
        """
        decimals, claimed = decimals_of(self.question.shown), claimed_number(self.question)
        most = min(PAIRS, EFFORT // max((view.size for view in self.ways.views), default=1))
        if decimals is None or not claimed:
            return most
        width = 10.0**-decimals / abs(claimed)
        return min(most, int(0.5 / width))

    def mistake(self, hit: Hit) -> Mistake:
        name = " and ".join(hit.kinds)
        why = "; and ".join(slip.why for slip in hit.slips)
        line = right_line(self.question, self.ways.own)
        return Mistake(name, why, hit.value, line, hit.kinds)


def _couples(
    singles: Sequence[tuple[Slip, View, float]],
) -> Iterator[tuple[Slip, Slip, View]]:
    """Pairs, those of common kinds first."""
    for total in range(1, 2 * len(singles)):
        for i in range(max(0, total - len(singles) + 1), (total + 1) // 2):
            (first, view, _), (second, other, _) = singles[i], singles[total - i]
            if view is other:
                yield first, second, view
