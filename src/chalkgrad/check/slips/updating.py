"""Slips of an update, as formulas over what was known: old, gradient, rate and next.

right    old − rate · gradient (or `next`, what another rule makes of the gradient)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalkgrad.check.slips import catalogue as known
from chalkgrad.check.slips.slip import Slip
from chalkgrad.formulas import Expression, Name, Number

OLD, GRADIENT, RATE, NEXT = Name("old"), Name("gradient"), Name("rate"), Name("next")
MANY = 40


def update_slips(
    parameter: str, old: Mapping[str, float], gradients: Mapping[str, float], has_rate: bool
) -> Iterator[Slip]:
    """Every slip of the update of one parameter; `gradients` are those of all parameters."""
    step = OLD - NEXT
    yield made(known.ADDED, "adds the step; gradient descent subtracts it", OLD + step)
    if has_rate:
        yield made(known.NO_RATE, "leaves out the learning rate", OLD - step / RATE)
        yield made(known.NO_RATE, "leaves out the learning rate and adds", OLD + step / RATE)
        yield made(known.NO_RATE, "divides by the learning rate", OLD - step / RATE / RATE)
    yield made(known.NO_OLD, f"leaves out the old {parameter}", NEXT - OLD)
    yield made(known.NO_OLD, f"is the step alone, without the old {parameter}", step)
    for other in list(gradients)[:MANY]:
        if other != parameter and has_rate:
            words = f"uses the gradient of {other} in place of that of {parameter}"
            yield made(known.OTHER_GRADIENT, words, OLD - RATE * Number(gradients[other]))
    for other in list(gradients)[:MANY]:
        if other != parameter:
            words = f"starts from {other} in place of {parameter}"
            yield made(known.OTHER_OLD, words, Number(old[other]) - step)
    yield made(known.FACTOR, f"is the old {parameter}: nothing was subtracted", OLD)


def made(kind: str, why: str, formula: Expression) -> Slip:
    return Slip(kind, why, update=formula)
