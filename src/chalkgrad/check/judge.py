"""Every link of every claim, judged: is it right, does it follow, is it wrong?

    formula       right if it is the right one as a function
    numbers       right if their value, between what the digits allow, can be the true one
    a number      right if what it stands for can be the true value, or what follows from the
                  person's right lines and from the link before it

What agrees only with the person's own wrong lines follows from them. Nothing follows from a value
that makes later work trivial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic

from chalkgrad.check.affine import Affine, negative
from chalkgrad.check.alike import NEAR, Alike
from chalkgrad.check.answers import Claim, Item, Link, Unjudged
from chalkgrad.check.digits import Digits, carried
from chalkgrad.check.known import Found, Own, World
from chalkgrad.check.shown import Shown, shown
from chalkgrad.check.targets import Target, target
from chalkgrad.check.truth import Truth
from chalkgrad.check.verdicts import Judged, JudgedLink, Status, Verdict
from chalkgrad.core.errors import ChalkgradError
from chalkgrad.explain.board import Board
from chalkgrad.formulas import Expression, Name, Number, Partial, evaluate, parts
from chalkgrad.formulas.floats import Floats
from chalkgrad.formulas.labels import ACTIVATION

MOST_STEPS = 100_000  # updates that a claim may be about
_SATURATED = 1e-3  # this near to the end of its range, an activation passes next to nothing on
_ZERO = 1e-14


@dataclass(frozen=True)
class Side:
    """One link with what it is worth."""

    link: Link
    status: Status
    right: Found  # its value, from the person's right lines
    mine: Found  # from all of them
    number: Shown | None = None
    method: str = ""
    followed: Found | None = None  # what it follows from
    ratio: float | None = None  # of a wrong formula to the right one, at the problem's numbers


@dataclass
class Case:
    """A judged claim, with everything that was known when it was judged."""

    claim: Claim
    world: World
    target: Target
    sides: list[Side]
    judged: Judged
    digits: Digits
    seconds: float = 0.0  # that judging it took
    trivial: Own | None = None  # the earlier claim that gave this line away


Explain = Callable[[Case], None]


@dataclass
class Judge:
    """Judges claims in order; each is judged in the light of those before it."""

    truth: Truth
    digits: Digits
    alike: Alike
    explain: Explain | None = None
    worlds: dict[int, World] = field(default_factory=dict)
    last: Case | None = None
    rounded_only: int = 0  # right numbers that somebody who truncates would not write

    def judge(self, items: Iterable[Item]) -> list[Judged]:
        """A verdict on each."""
        return list(self._verdicts(items))

    def _verdicts(self, items: Iterable[Item]) -> Iterator[Judged]:
        for item in items:
            if isinstance(item, Unjudged):
                yield Judged(
                    item.line, item.column, item.text, Verdict(item.verdict), reason=item.message
                )
                continue
            try:
                yield self.case(item).judged
            except ChalkgradError as error:  # of the passes after so many updates
                yield Judged(
                    item.line, item.column, item.text, Verdict.UNREADABLE, reason=str(error)
                )

    def world(self, after: int) -> World:
        """The board after a number of updates, and what was claimed of it."""
        if after not in self.worlds:
            if after == 0:
                self.worlds[0] = World(self.truth, self.truth.board)
            else:
                before = self.world(0) if after == 1 else None
                self.worlds[after] = World(self.truth, self._board(after), before=before)
        return self.worlds[after]

    def _board(self, after: int) -> Board:
        if after > MOST_STEPS:
            raise ChalkgradError(f"at most {MOST_STEPS:,} steps are made here")
        if self.truth.after is None:
            raise ChalkgradError("the worksheet has no update, so nothing can be said after a step")
        return self.truth.after(after)

    def case(self, claim: Claim) -> Case:
        """Judge one claim, and remember it."""
        began = monotonic()
        self.alike.budget.next_line()
        world = self.world(claim.after or 0)
        aim = target(claim.subject, world)
        sides: list[Side] = []
        before = self.last.sides[-1] if claim.goes_on and self.last is not None else None
        for link in claim.links:
            sides.append(self._side(link, aim, world, sides[-1] if sides else before))
        case = Case(claim, world, aim, sides, self._judged(claim, aim, sides), self.digits)
        self._trivialities(case)
        case.seconds = monotonic() - began
        if self.explain is not None and case.judged.verdict is not Verdict.CORRECT:
            self.explain(case)
        self._remember(case)
        self.last = case
        return case

    # One link.
    def _side(self, link: Link, aim: Target, world: World, before: Side | None) -> Side:
        number = shown(link.formula)
        if number is not None:
            return self._number(link, number, aim, before)
        reader = self.digits.reader()
        right = world.right_only.value(link.formula, reader)
        mine = world.everything.value(link.formula, reader)
        if _has_names(link.formula):
            found = self._formula(link, aim, world, before, right, mine)
            if found is not None:
                return found
        return self._arithmetic(link, aim, before, right, mine)

    def _number(self, link: Link, number: Shown, aim: Target, before: Side | None) -> Side:
        """A number alone: what can its digits stand for?"""
        status, followed, interval = Status.WRONG, None, self.digits.intervals(number)[0]
        for tried, (low, high) in enumerate(self.digits.intervals(number)):
            status, followed = self._of_interval(low, high, aim, before)
            if status is not Status.WRONG:
                interval = low, high
                self.rounded_only += tried
                break
        ways = [found.number for found in aim.mine] + ([before.mine.number] if before else [])
        value = carried(number.value, *interval, ways, aim.truth)
        return Side(link, status, Found(value), Found(value), number, followed=followed)

    def _of_interval(
        self, low: float, high: float, aim: Target, before: Side | None
    ) -> tuple[Status, Found | None]:
        if aim.truth is not None and low <= aim.truth <= high:
            return Status.CORRECT, None
        if any(found.number.overlaps(low, high) and found.number.is_finite for found in aim.right):
            return Status.CORRECT, None
        return _from_before(before, aim, lambda x: x.overlaps(low, high))

    def _arithmetic(
        self, link: Link, aim: Target, before: Side | None, right: Found, mine: Found
    ) -> Side:
        """Numbers, or a formula with numbers filled in: can its value be the right one?"""
        if not mine.number.is_finite:
            status = Status.UNJUDGED if math.isnan(mine.number.point) else Status.WRONG
            return Side(link, status, right, mine)
        truth = [] if aim.truth is None else [aim.truth]
        if any(_is_near(right.number, value, value) for value in truth) or any(
            _is_near(right.number, found.number.low, found.number.high)
            for found in aim.right
            if found.number.is_finite
        ):
            return Side(link, Status.CORRECT, right, mine)
        status, followed = _from_before(before, aim, lambda x: _is_near(mine.number, x.low, x.high))
        return Side(link, status, right, mine, followed=followed)

    def _formula(
        self, link: Link, aim: Target, world: World, before: Side | None, right: Found, mine: Found
    ) -> Side | None:
        """A formula, as a function; None where numbers filled in decide by their value."""
        at_hand = self._at_hand(link.formula, world)
        truth = self._at_hand(aim.symbol, world) if aim.truth is None else aim.truth
        differs = _differ(at_hand, truth)
        found = None if differs else self.alike.compared(link.formula, aim.symbol, world)
        if found is not None and (found.same or (found.same is None and not _is_nan(at_hand))):
            return Side(link, Status.CORRECT, right, mine, method=found.method)
        if _has_rounded(link.formula, self.digits):
            return None
        if differs is None and found is not None and found.same is None:
            return Side(link, Status.UNJUDGED, right, mine, method=found.method)
        status, followed = Status.WRONG, None
        if aim.formula is not None and self._is(link.formula, aim.formula, world):
            used = [found for found in aim.mine if found.used]
            status, followed = Status.FOLLOWS, used[0] if used else aim.mine[0]
        elif self._goes_on(link, before, world):
            assert before is not None
            status = Status.FOLLOWS if before.status is Status.FOLLOWS else Status.AFTER
            followed = before.followed
        ratio = at_hand / truth if truth and not _is_nan(at_hand) else None
        return Side(link, status, right, mine, None, "as functions", followed, ratio)

    def _goes_on(self, link: Link, before: Side | None, world: World) -> bool:
        """Is it the link before it, which is not right, in another form?"""
        if before is None or before.status is Status.CORRECT:
            return False
        return self._is(link.formula, before.link.formula, world)

    def _is(self, one: Expression, other: Expression, world: World) -> bool:
        """Are two formulas one function? (First a look at the problem's own numbers.)"""
        if _differ(self._at_hand(one, world), self._at_hand(other, world)):
            return False
        return bool(self.alike.compared(one, other, world).same)

    def _at_hand(self, formula: Expression, world: World) -> float:
        """The value of a formula at the problem's own numbers."""
        board = world.board

        def value(part: Expression) -> float:
            if isinstance(part, Partial):
                return world.gradient(part.of.text, part.by.text)
            assert isinstance(part, Name)
            return board.quantities[part.text].value if part.text in board.quantities else math.nan

        try:
            return evaluate(self.alike.plain(formula, world), value, Floats())
        except (ArithmeticError, ValueError):
            return math.nan

    # The claim.
    def _judged(self, claim: Claim, aim: Target, sides: list[Side]) -> Judged:
        decisive = _decisive(sides)
        followed = next((side.followed for side in sides if side.followed), None)
        yours = followed or (aim.mine[0] if aim.used else None)
        links = tuple(
            JudgedLink(side.link.text, side.status, _point(side.mine), side.method)
            for side in sides
        )
        return Judged(
            claim.line, claim.column, claim.text, _verdict(sides), _point(decisive.mine), aim.truth,
            None if yours is None else _point(yours), links=links,
        )  # fmt: skip

    def _trivialities(self, case: Case) -> None:
        """No credit for what an earlier 0 or 1 gives away."""
        if case.judged.verdict is not Verdict.FOLLOWS:
            return
        used = {key for side in case.sides if side.followed for key in side.followed.used}
        owns = [case.world.own[key] for key in used if key in case.world.own]
        case.trivial = next((own for own in owns if own.trivial), None)
        if case.trivial is None and _gives_away(case):
            case.trivial = max(owns, key=lambda own: own.line, default=None)
        if case.trivial is not None:
            case.judged.verdict = Verdict.WRONG

    def _remember(self, case: Case) -> None:
        """What later lines may go on with."""
        key, side, claim = case.target.key, _carrier(case.sides), case.claim
        if key is None:
            return
        right = case.judged.verdict is Verdict.CORRECT or (
            side.number is not None and side.status is Status.CORRECT
        )
        world, negated = case.world, case.target.negated
        number = side.mine.number
        if side.number is not None:
            self.digits.learn(side.number.value, number)
        elif right and claim.subject.kind != "own":
            if key in world.own and world.own[key].formula is not None:
                world.learn(key, None)  # a wrong formula was put right
            return
        formula = side.link.formula if side.number is None and not right else None
        if negated:
            number, formula = negative(number), -formula if formula is not None else None
        trivial = not right and _gives_away(case)
        world.learn(key, Own(number, right, claim.short, claim.line, formula, trivial))


def _verdict(sides: list[Side]) -> Verdict:
    statuses = [side.status for side in sides]
    if Status.WRONG in statuses:
        return Verdict.WRONG
    if Status.UNJUDGED in statuses:
        return Verdict.UNREADABLE
    return Verdict.FOLLOWS if Status.FOLLOWS in statuses else Verdict.CORRECT


def _decisive(sides: list[Side]) -> Side:
    """The link that the verdict is about: the first wrong one, or the last."""
    wrong = [side for side in sides if side.status in (Status.WRONG, Status.UNJUDGED)]
    return wrong[0] if wrong else sides[-1]


def _carrier(sides: list[Side]) -> Side:
    """The link whose value a person goes on with: the last number, or the last link."""
    numbers = [side for side in sides if side.number is not None]
    return numbers[-1] if numbers else sides[-1]


def _from_before(
    before: Side | None, aim: Target, agrees: Callable[[Affine], bool]
) -> tuple[Status, Found | None]:
    """Does it come from the link before it, or from the person's earlier lines?"""
    if before is not None and before.mine.number.is_finite:
        if before.status is Status.CORRECT and agrees(before.right.number):
            return Status.CORRECT, None
        if before.status is Status.FOLLOWS and agrees(before.mine.number):
            return Status.FOLLOWS, before.followed
    for found in aim.mine:
        if found.used and found.number.is_finite and agrees(found.number):
            return Status.FOLLOWS, found
    if before is not None and before.mine.number.is_finite and agrees(before.mine.number):
        if before.status in (Status.WRONG, Status.AFTER):
            return Status.AFTER, None
        if before.mine.used:
            return Status.FOLLOWS, before.mine
    return Status.WRONG, None


def _is_near(number: Affine, low: float, high: float) -> bool:
    """Do they overlap, if two doubles that are one number are taken for one?"""
    slack = NEAR * max(abs(low), abs(high)) + _ZERO
    return number.overlaps(low - slack, high + slack)


def _is_nan(value: float) -> bool:
    return not math.isfinite(value)


def _differ(a: float, b: float | None) -> bool | None:
    """Do two formulas differ at the problem's numbers already? None where one has no value."""
    if math.isinf(a) and b is not None and math.isfinite(b):
        return True
    if b is None or _is_nan(a) or _is_nan(b):
        return None
    return not math.isclose(a, b, rel_tol=1e-7, abs_tol=1e-12)


def _point(found: Found) -> float | None:
    """The value at the person's digits."""
    value = found.number.point
    return value if math.isfinite(value) else None


def _has_names(formula: Expression) -> bool:
    return any(isinstance(part, Name | Partial) for part in parts(formula))


def _has_rounded(formula: Expression, digits: Digits) -> bool:
    """Are there numbers in a formula that somebody may have rounded?"""
    numbers = [part for part in parts(formula) if isinstance(part, Number)]
    return any(
        (read := shown(number)) is not None
        and (read.has_point or read.value in digits.own)
        and not digits.is_given(read)
        for number in numbers
    )


def _gives_away(case: Case) -> bool:
    """Is the claim's value, which is not the right one, one that makes later work trivial?

    What follows from another value does not where that is no more than rounded to 0.00.
    """
    side = _carrier(case.sides)
    if side.status is Status.CORRECT:
        return False
    if side.followed is None:
        return _is_trivial(case, side.mine.number.point)
    number = side.followed.number
    return all(_is_trivial(case, value) for value in (number.low, number.high, number.point))


def _is_trivial(case: Case, value: float) -> bool:
    """Is it 0 or 1, or the end of an activation's range, where the right value is not?"""
    truth = case.target.truth
    if truth is None or not math.isfinite(value):
        return False
    if abs(value) <= _SATURATED * abs(truth) or (abs(value) == 1 and abs(truth) != 1):
        return True
    bounded = case.target.kind == ACTIVATION and abs(truth) <= 1
    ends = (0.0, 1.0, -1.0) if bounded else ()
    return any(abs(value - end) < _SATURATED <= abs(truth - end) for end in ends)
