"""Marking of hand-worked answers: which line is wrong, and why.

`check(truth, answers)` reads a person's lines (`answers`), judges each from the digits that it
shows and from the person's own earlier lines (`judge`, `known`, `affine`), compares formulas as
functions (`equality`) and replays known slips on what is wrong (`slips`).
"""

from chalkgrad.check.check import check, truth_of
from chalkgrad.check.report import Report
from chalkgrad.check.truth import Truth
from chalkgrad.check.verdicts import Judged, JudgedLink, Mistake, Score, Status, Verdict
from chalkgrad.core.rooms import callable_as

__all__ = [
    "Judged",
    "JudgedLink",
    "Mistake",
    "Report",
    "Score",
    "Status",
    "Truth",
    "Verdict",
    "check",
    "truth_of",
]

callable_as(__name__, check)
