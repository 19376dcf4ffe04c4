"""Are two formulas the same function of inputs, targets and parameters?

1. Equal normal forms, before or after names are expanded: a proof.
2. Random points: one at which they differ is a refutation.
3. No difference: sympy is asked for a proof, and if it finds none the points have to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException, Overflow
from hashlib import sha256
from random import Random
from time import monotonic

from chalkgrad.check.equality.expansion import Expansion
from chalkgrad.check.equality.precise import CONTEXT, DIGITS, Precise, Undefined, Unjudged
from chalkgrad.check.equality.proofs import LONGEST, PROVER
from chalkgrad.check.equality.quotients import Quotient, Quotients, TooLarge, atom
from chalkgrad.explain.board import Board
from chalkgrad.formulas import Call, Expression, Name, Number, parts
from chalkgrad.formulas.floats import Floats

POINTS, TRIES, ENOUGH = 24, 96, 6  # wanted, tried, and the fewest that count
SECONDS = 1.0  # for all points together
TRUSTED, OF_DOUBLES = (
    DIGITS - 10,
    12,
)  # digits: of all that there are, and where a double stands for 1/3
VISIBLE = Decimal(10) ** -30  # of it: smaller values have too few digits left to compare


@dataclass(frozen=True)
class Equality:
    """A verdict on two formulas.

    same        None where it cannot be judged: they overflow, or are real nowhere
    method      "exact", "at 24 random points to 50 digits", "they differ at a random point", …
    ratio       claimed / truth where this is one number at all points, or else at the present one
    constant    is the ratio the same at all points?
    """

    same: bool | None
    method: str
    ratio: float | None = None
    constant: bool = False


def same_function(
    claimed: Expression, truth: Expression, board: Board, values: Mapping[str, float] | None = None
) -> Equality:
    """Judge a claimed formula against the right one, over a board's names and derivatives.

    Names that the board does not have are independent quantities of their own. `values` are those
    of the present point, of which the ratio is told; by default the board's.
    """
    if claimed == truth or _equal_forms(claimed, truth, board):
        return Equality(True, "exact")
    trusted = _trusted(claimed, truth)
    points = list(_compared(claimed, truth, board))
    pairs = [point for point in points if isinstance(point, Pair)]
    if any(pair.differ(trusted) for pair in pairs):
        ratio, constant = _ratio(pairs, claimed, truth, board, values)
        return Equality(False, "they differ at a random point", ratio, constant)
    if len(pairs) < ENOUGH:
        return _unjudged(points)
    if _proved(claimed, truth, board):
        return Equality(True, "exact")
    return Equality(True, f"at {len(pairs)} random points to {trusted} digits")


@dataclass(frozen=True)
class Pair:
    """Both formulas at one point, and the largest number on the way to them."""

    claimed: Decimal
    truth: Decimal
    scale: Decimal

    def differ(self, digits: int) -> bool:
        rounding = CONTEXT.multiply(Decimal(10) ** -digits, self.scale)
        return CONTEXT.subtract(self.claimed, self.truth).copy_abs() > rounding


@dataclass(frozen=True)
class Failure:
    """A point at which one of them has no value."""

    reason: str
    truth_has_one: bool


def _trusted(*formulas: Expression) -> int:
    """The digits in which equal formulas agree: few where one has a rounded double, as 0.333…3."""
    rounded = any(
        isinstance(part, Number) and len(f"{part.value!r}".strip("-0.").replace(".", "")) >= 15
        for formula in formulas
        for part in parts(formula)
    )
    return OF_DOUBLES if rounded else TRUSTED


def _unjudged(points: list[Pair | Failure]) -> Equality:
    failures = [point for point in points if isinstance(point, Failure)]
    if (
        failures
        and all(failure.truth_has_one for failure in failures)
        and len(failures) == len(points)
    ):
        reason = failures[0].reason
        return Equality(None if reason == "it overflows" else False, f"{reason} at every point")
    reason = failures[0].reason if failures else "there was no time to compute it"
    return Equality(None, f"cannot be judged: {reason}")


# ------------------------------------------------------------------------------ normal forms


def _equal_forms(claimed: Expression, truth: Expression, board: Board) -> bool:
    """First over the names as they stand, then with every computed quantity expanded."""
    return any(_equal_expanded(claimed, truth, board, through) for through in (False, True))


def _equal_expanded(claimed: Expression, truth: Expression, board: Board, through: bool) -> bool:
    expansion: Expansion[Quotient] = Expansion(board, Quotients(), atom, through)
    try:
        return expansion.value(claimed).equals(expansion.value(truth))
    except TooLarge:
        return False


# ---------------------------------------------------------------------------- random points


def _compared(claimed: Expression, truth: Expression, board: Board) -> Iterator[Pair | Failure]:
    """The two formulas at points, until there are enough or the time is over."""
    random = Random(sha256(repr((claimed, truth)).encode()).digest())
    began, found = monotonic(), 0
    for k in range(TRIES):
        point = _point(claimed, truth, board, REGIONS[k % len(REGIONS)], random)
        if point is not None:
            yield point
            found += isinstance(point, Pair)
        if found >= POINTS or monotonic() - began > SECONDS:
            return


def _point(
    claimed: Expression, truth: Expression, board: Board, region: Region, random: Random
) -> Pair | Failure | None:
    """None where the values are too small beside what they were computed from."""
    arithmetic = Precise()

    def independent(name: str) -> Decimal:
        quantity = board.quantities.get(name)
        return Decimal(repr(region(random, quantity.value if quantity else 1.0)))

    expansion: Expansion[Decimal] = Expansion(board, arithmetic, independent)
    right = _computed(truth, expansion)
    mine = _computed(claimed, expansion)
    if isinstance(mine, str) or isinstance(right, str):
        reason = mine if isinstance(mine, str) else right
        assert isinstance(reason, str)
        return Failure(reason, not isinstance(right, str))
    if max(mine.copy_abs(), right.copy_abs()) < CONTEXT.multiply(VISIBLE, arithmetic.scale):
        return None if mine or right else Pair(mine, right, arithmetic.scale)
    return Pair(mine, right, arithmetic.scale)


def _computed(formula: Expression, expansion: Expansion[Decimal]) -> Decimal | str:
    """The value, or why there is none."""
    try:
        return expansion.value(formula)
    except Overflow:
        return "it overflows"
    except Undefined:
        return "it is not a real number"
    except (Unjudged, DecimalException) as error:
        return str(error) or "it is not a real number"


Region = Callable[[Random, float], float]


def _near(random: Random, present: float) -> float:
    return present * random.uniform(0.5, 1.5) if present else random.uniform(-0.5, 0.5)


def _around_zero(random: Random, present: float) -> float:
    return random.uniform(-2.0, 2.0)


def _positive(random: Random, present: float) -> float:
    return random.uniform(0.1, 3.0)


# Logarithms and roots are real near the worksheet's own values, or where everything is positive;
# kinks have both of their sides around zero.
REGIONS: tuple[Region, ...] = (_near, _around_zero, _positive, _around_zero)


def _ratio(
    pairs: list[Pair], claimed: Expression, truth: Expression, board: Board,
    values: Mapping[str, float] | None,
) -> tuple[float | None, bool]:  # fmt: skip
    """One ratio for all points, or that of the present point."""
    if all(pair.truth for pair in pairs):
        ratios = [CONTEXT.divide(pair.claimed, pair.truth) for pair in pairs]
        spread = CONTEXT.subtract(max(ratios), min(ratios))
        if spread <= Decimal(10) ** -25 * max(ratio.copy_abs() for ratio in ratios):
            return float(ratios[0]), True
    try:
        here = board.values | dict(values or {})
        present = present_value(claimed, board, here) / present_value(truth, board, here)
    except (KeyError, ArithmeticError, ValueError, TypeError):
        return None, False
    return (present, False) if abs(present) < float("inf") else (None, False)


def present_value(formula: Expression, board: Board, values: Mapping[str, float]) -> float:
    """A formula, derivatives included, in double precision. Raises KeyError for unknown names."""
    expansion = Expansion(board, Floats(), lambda name: values[name], through=False)
    return expansion.value(formula)


# ------------------------------------------------------------------------------------ proofs


def _proved(claimed: Expression, truth: Expression, board: Board) -> bool:
    """By sympy, of the difference over independent quantities."""
    try:
        expansion: Expansion[Expression] = Expansion(board, _Trees(), Name)
        difference = expansion.value(claimed) - expansion.value(truth)
    except TooLarge:
        return False
    return PROVER.proves_zero(difference)


class _Trees:
    """Formulas of formulas. They stay within what is worth asking about."""

    def __init__(self) -> None:
        self.sizes: dict[
            int, tuple[Expression, int]
        ] = {}  # by identity: shared parts are walked once

    def number(self, number: Number) -> Expression:
        return number

    def apply(self, function: str, arguments: Sequence[Expression]) -> Expression:
        made = Call(function, tuple(arguments))
        size = 1 + sum(self.sizes.get(id(a), (a, 1))[1] for a in arguments)
        if size > LONGEST:
            raise TooLarge
        self.sizes[id(made)] = made, size
        return made
