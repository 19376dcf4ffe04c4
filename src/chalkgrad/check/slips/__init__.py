"""Known slips, replayed: which of them gives the number, or the formula, that a person has?"""

from chalkgrad.check.slips.question import Mistake, Question, Ratio
from chalkgrad.check.slips.ratio import explain_ratio
from chalkgrad.check.slips.replay import mistakes
from chalkgrad.check.slips.symbolic import formula_mistakes

__all__ = ["Mistake", "Question", "Ratio", "explain_ratio", "formula_mistakes", "mistakes"]
