"""A person's answers, marked: read, judged, explained.

Two things are read from the whole text, since no single line says them: whether the person rounds
or truncates, and whether their δ is the gradient or minus it. Both are tried, and the reading under
which more of the lines are right is taken, and said.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from chalkgrad.check.alike import Alike, Budget
from chalkgrad.check.answers import Claim, Item, read
from chalkgrad.check.called import Called
from chalkgrad.check.digits import Digits
from chalkgrad.check.equality import Equality
from chalkgrad.check.judge import Judge
from chalkgrad.check.reasons import Reasons
from chalkgrad.check.report import Report
from chalkgrad.check.shown import Style, shown, usual_decimals
from chalkgrad.check.truth import Truth
from chalkgrad.check.verdicts import Judged, Verdict

_TRUNCATED = "Decimals are cut off here, not rounded; they are judged so."
_NEGATIVE = "δ is minus the gradient of the loss ({why}), so an update adds η·δ."
_POSITIVE = "δ is the gradient of the loss by the weighted sum."


def check(truth: Truth, answers: str) -> Report:
    """Judge a person's lines against the right solution.

    Raises DataError for a text that is too large: more than 10,000 lines or 1 MiB.
    """
    return Marking(truth, answers).report()


@dataclass
class Reading:
    """The text, read and judged one way."""

    negative: bool
    style: Style
    called: Called
    items: list[Item]
    usual: int | None
    lines: list[Judged]
    rounded_only: int = 0  # numbers that truncation does not explain

    @property
    def correct(self) -> int:
        return sum(line.verdict is Verdict.CORRECT for line in self.lines)

    @property
    def explained(self) -> int:
        """Lines that are right, if only from an earlier wrong value."""
        return self.correct + sum(line.verdict is Verdict.FOLLOWS for line in self.lines)


@dataclass
class Marking:
    """One text, and the ways in which it can be read."""

    truth: Truth
    text: str
    budget: Budget = field(default_factory=Budget)
    memory: dict[tuple[object, ...], Equality] = field(default_factory=dict)

    def report(self) -> Report:
        """The best reading, explained."""
        best = self.styled(self.signed())
        digits = min(max(best.usual or 0, 5), 12)
        reasons = Reasons(digits)
        lines = self._judge(best, reasons)
        reasons.rank()
        return Report(self.text, tuple(lines), tuple(self._notes(best)), self.truth.title, digits)

    def signed(self) -> Reading:
        """With the sign of δ that the problem declares, or that more lines have."""
        declared = self.truth.delta_negative
        plain = self.reading(bool(declared), Style.ROUNDED)
        if (
            declared is not None
            or not plain.called.deltas_used
            or plain.correct == len(plain.lines)
        ):
            return plain
        turned = self.reading(True, Style.ROUNDED)
        better = (turned.correct, turned.explained) > (plain.correct, plain.explained)
        return turned if better else plain

    def styled(self, rounded: Reading) -> Reading:
        """As rounded or as truncated, whichever explains more lines that the other does not."""
        if rounded.correct == len(rounded.lines):
            return rounded
        cut = replace(rounded, style=Style.TRUNCATED)
        cut.lines = self._judge(cut, None)
        return cut if cut.explained - rounded.explained > cut.rounded_only else rounded

    def reading(self, negative: bool, style: Style) -> Reading:
        called = Called(self.truth, negative)
        items = read(self.text, called)
        links = [link for item in items if isinstance(item, Claim) for link in item.links]
        numbers = [number for link in links if (number := shown(link.formula)) is not None]
        found = Reading(negative, style, called, items, usual_decimals(numbers), [])
        found.lines = self._judge(found, None)
        return found

    def _judge(self, reading: Reading, reasons: Reasons | None) -> list[Judged]:
        digits = Digits.of(self.truth, reading.style, reading.usual)
        alike = Alike(reading.called, self.truth, self.budget, self.memory)
        judge = Judge(self.truth, digits, alike, reasons.explain if reasons else None)
        lines = judge.judge(reading.items)
        reading.rounded_only = judge.rounded_only
        return lines

    def _notes(self, best: Reading) -> list[str]:
        notes = [_TRUNCATED] if best.style is Style.TRUNCATED else []
        if best.called.deltas_used:
            declared = self.truth.delta_negative is not None
            why = "as the worksheet declares" if declared else "as more of the lines have it"
            notes.append(_NEGATIVE.format(why=why) if best.negative else _POSITIVE)
        return notes
