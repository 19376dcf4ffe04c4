"""Are two formulas the same function? By proof, or else at many points at high precision."""

from chalkgrad.check.equality.functions import Equality, same_function

__all__ = ["Equality", "same_function"]
