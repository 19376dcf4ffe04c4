"""Why a line is not right: what it follows from, which slip explains it, what is expected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from chalkgrad.check.judge import Case, Side
from chalkgrad.check.known import Own, World
from chalkgrad.check.slips import Mistake as Slip
from chalkgrad.check.slips import (
    Question,
    Ratio,
    explain_ratio,
    formula_mistakes,
    mistakes,
)
from chalkgrad.check.slips.catalogue import OF_DIGITS
from chalkgrad.check.verdicts import Judged, Mistake, Status, Verdict
from chalkgrad.check.working import in_one_line, working
from chalkgrad.formulas import Number, text

SECONDS = 30.0  # for the slips of all lines together
LONG = 1.0  # seconds that a line took to judge, after which no slips are tried on it
TRIVIAL = "nothing to follow from"
UNJUDGED = "cannot be judged"
NO_SLIP = "no known slip"


@dataclass
class Reasons:
    """Explains judged lines, one after the other, and then ranks what explains several of them."""

    digits: int
    left: float = SECONDS
    updated: dict[str, float] | None = None
    slips: list[tuple[Judged, list[Slip]]] = field(default_factory=list)

    def explain(self, case: Case) -> None:
        """Fill in what is said of a line that is not right."""
        judged = case.judged
        judged.working = tuple(working(case.claim.subject, case.world, self.digits))
        judged.right = in_one_line(judged.working)
        if judged.verdict is Verdict.FOLLOWS:
            judged.reason = self._follows(case)
        elif judged.verdict is Verdict.UNREADABLE:
            judged.reason = f"it {UNJUDGED}: with these digits its value may be anything"
        elif case.trivial is not None:
            self._trivial(case, case.trivial)
        else:
            self._wrong(case)

    def rank(self) -> None:
        """Of several slips that fit a line, those come first that explain other lines, too."""
        lines = Counter(
            kind for _, slips in self.slips for kind in {k for s in slips for k in s.kinds}
        )

        def order(slip: Slip) -> tuple[int, bool, int]:
            pen = any(kind in OF_DIGITS for kind in slip.kinds)
            return len(slip.kinds), pen, -min((lines[kind] for kind in slip.kinds), default=0)

        for judged, slips in self.slips:
            judged.mistakes = [_told(slip) for slip in sorted(slips, key=order)]

    # What is said.
    def _follows(self, case: Case) -> str:
        source = self._source(case)
        if source is None:
            return "it follows from what is not right"
        right = self._shown(case.target.truth)
        return f"it follows from line {source.line} ({source.claim}); the right value is {right}"

    def _source(self, case: Case) -> Own | None:
        used = {key for side in case.sides if side.followed for key in side.followed.used}
        owns = [case.world.own[key] for key in used if key in case.world.own]
        return min(owns, key=lambda own: own.line, default=None)

    def _trivial(self, case: Case, own: Own) -> None:
        why = (
            f"nothing is earned by following from line {own.line} ({own.claim}): "
            "it is not right and makes this line trivial"
        )
        case.judged.reason = why
        case.judged.mistakes = [Mistake(TRIVIAL, why, own.number.point, case.judged.right)]

    def _wrong(self, case: Case) -> None:
        side = next(side for side in case.sides if side.status is Status.WRONG)
        case.judged.reason = self._expected(case, side)
        subject = case.claim.subject
        if subject.kind == "new" and subject.name in case.world.truth.frozen:
            case.judged.reason += f" (the update leaves {subject.name} alone)"
            return
        question = self._question(case, side)
        if question is None:
            return
        found, ratio = self._explained(case, side, question)
        if found:
            self.slips.append((case.judged, found))
            case.judged.mistakes = [_told(slip) for slip in found]
        elif ratio is not None and ratio.factor:
            why = f"it is the right one but for a factor: {ratio.factor}"
            case.judged.mistakes = [Mistake("factor", why, case.judged.claimed, case.judged.right)]

    def _expected(self, case: Case, side: Side) -> str:
        judged, truth = case.judged, case.target.truth
        which = f"“{side.link.text}” is not right: " if len(case.sides) > 1 else ""
        if truth is None:
            left = case.target.right[0].number.point
            mine = self._shown(judged.claimed)
            return f"{which}the left side is {self._shown(left)}, this is {mine}"
        said = f"{which}expected {self._shown(truth)}"
        yours = judged.expected_from_yours
        if yours is not None and not math.isclose(yours, truth, rel_tol=1e-9):
            said += f", or {self._shown(yours)} from your earlier lines"
        basis = yours if yours is not None else truth
        claimed = side.ratio * truth if side.ratio is not None and truth else judged.claimed
        if claimed is None:
            return f"{which}its value is no number; {said.removeprefix(which)}"
        if side.ratio is not None and math.isclose(side.ratio, 1.0, rel_tol=1e-7):
            return f"{which}it has the right value here and is another function"
        said += f"; this is {self._shown(claimed)}"
        if basis and claimed:
            said += f", {text(Number(claimed / basis), 3)} times that"
        return said

    def _shown(self, value: float | None) -> str:
        return "no number" if value is None else text(Number(value), self.digits)

    # The slips.
    def _explained(
        self, case: Case, side: Side, question: Question
    ) -> tuple[list[Slip], Ratio | None]:
        if self.left <= 0 or case.seconds > LONG:
            return [], None
        began, negated = monotonic(), case.target.negated
        try:
            if side.ratio is not None or side.method:
                formula = side.link.formula
                formula = -formula if negated else formula
                found = formula_mistakes(question, formula)
                return found, None if found else explain_ratio(question, formula)
            found = mistakes(question, self._accepts(case, side))
            return found, None if found else explain_ratio(question)
        finally:
            self.left -= monotonic() - began

    def _accepts(self, case: Case, side: Side) -> Callable[[float], bool]:
        """Is this a number that the line may stand for?"""
        sign = -1.0 if case.target.negated else 1.0
        if side.number is not None:
            spans = case.digits.intervals(side.number)
            return lambda value: any(low <= sign * value <= high for low, high in spans)
        number = side.mine.number
        return lambda value: number.holds(sign * value)

    def _question(self, case: Case, side: Side) -> Question | None:
        subject, world = case.claim.subject, case.world
        if subject.kind not in ("quantity", "derivative", "new") or case.target.truth is None:
            return None
        sign = -1.0 if case.target.negated else 1.0
        yours = case.judged.expected_from_yours
        expected = case.target.truth if yours is None else yours
        own = {key: claim for key, claim in world.own.items() if claim.number.is_finite}
        values = {
            key[0]: claim.number.point
            for key, claim in own.items()
            if len(key) == 1 and key[0] in world.board.quantities
        }
        partials = {(key[0], key[1]): o.number.point for key, o in own.items() if len(key) == 2}
        return Question(
            world.board, subject.name, subject.by or None, subject.kind == "new",
            sign * expected, self._written(case, side), values, partials,
            {_name(key): _spread(claim) for key, claim in own.items() if len(key) < 3},
            self._updated(world), world.truth.learning_rate,
            None if world.truth.is_plain(subject.name) else world.truth.step,
        )  # fmt: skip

    def _written(self, case: Case, side: Side) -> str:
        """The number as it stands there, or as it would; a δ that is negative, turned round."""
        number = side.number or next((s.number for s in case.sides if s.number is not None), None)
        value = side.mine.number.point
        shown = number.text if number is not None else f"{value:.{self.digits}f}"
        if not case.target.negated:
            return shown
        return shown[1:] if shown.startswith(("-", "−")) else f"-{shown}"

    def _updated(self, world: World) -> dict[str, float]:
        """Every parameter after its update, the person's where they claimed it."""
        if self.updated is None:
            truth = world.truth
            names = [q.name.text for q in truth.board.parameters]
            found = {name: truth.new_value(name) for name in names}
            self.updated = {name: value for name, value in found.items() if value is not None}
        mine = {key[1]: own.number.point for key, own in world.own.items() if len(key) == 3}
        return self.updated | mine


def _name(key: tuple[str, ...]) -> str | tuple[str, str]:
    return key[0] if len(key) == 1 else (key[0], key[1])


def _spread(own: Own) -> float:
    number = own.number
    return max(number.high - number.point, number.point - number.low, 0.0)


def _told(slip: Slip) -> Mistake:
    return Mistake(slip.name, slip.why, slip.value, slip.right)
