"""How far to go along a direction: the strong Wolfe conditions.

With φ(t) = L(θ + t d), a step t is accepted where

    φ(t) ≤ φ(0) + c₁ t φ′(0)        it goes down enough (Armijo)
    |φ′(t)| ≤ c₂ |φ′(0)|            the slope is nearly level

Source: Nocedal and Wright, "Numerical optimization" (2006), algorithms 3.5 (bracket) and 3.6
(zoom), with cubic interpolation (equation 3.59).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chalkgrad.core.graph import Array

_C1, _C2 = 1e-4, 0.9


class Point(NamedTuple):
    """A place on the line."""

    t: float
    loss: float
    gradient: Array


class _Trial(NamedTuple):
    """A point with the slope φ′(t)."""

    t: Any
    loss: float
    gradient: Array
    slope: Any


class _Line:
    """φ, and a budget of evaluations."""

    def __init__(
        self, evaluate: Callable[[float], Point], start: Point, direction: Array, budget: int
    ) -> None:
        self.evaluate, self.direction, self.budget = evaluate, direction, budget
        self.start = _Trial(0, start.loss, start.gradient, start.gradient @ direction)
        self.tries = 0  # beyond the first

    def at(self, t: float) -> _Trial:
        point = self.evaluate(t)
        return _Trial(t, point.loss, point.gradient, point.gradient @ self.direction)

    def again(self, t: float) -> _Trial:
        self.tries += 1
        return self.at(t)

    def too_high(self, trial: _Trial) -> bool:
        return bool(trial.loss > self.start.loss + _C1 * trial.t * self.start.slope)

    def level(self, trial: _Trial) -> bool:
        return bool(abs(trial.slope) <= -_C2 * self.start.slope)


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, direction: Array, t: float,
    tolerance: float, budget: int,
) -> tuple[Point, int]:  # fmt: skip
    """The best point found, and how many were evaluated. `t` is the first guess."""
    line = _Line(evaluate, start, direction, budget)
    bracket, found = _bracket(line, t)
    low = 0 if bracket[0].loss <= bracket[-1].loss else 1
    if not found:
        low = _zoom(line, bracket, low, tolerance)
    best = bracket[low]
    return Point(best.t, best.loss, best.gradient), 1 + line.tries


def _bracket(line: _Line, t: float) -> tuple[list[_Trial], bool]:
    """Go further until a step is acceptable, or two steps have one between them."""
    before, trial = line.start, line.at(t)
    while line.tries < line.budget:
        if line.too_high(trial) or (line.tries > 1 and trial.loss >= before.loss):
            return [before, trial], False
        if line.level(trial):
            return [trial], True
        if trial.slope >= 0:
            return [before, trial], False
        bounds = (trial.t + 0.01 * (trial.t - before.t), trial.t * 10)
        before, trial = trial, line.again(_cubic_minimum(before, trial, bounds))
    return [line.start, trial], False


def _zoom(line: _Line, bracket: list[_Trial], low: int, tolerance: float) -> int:
    """Narrow the bracket until its lower end is acceptable. Returns which end that is."""
    reach = np.abs(line.direction).max()
    stuck = False
    while line.tries < line.budget and not abs(bracket[1].t - bracket[0].t) * reach < tolerance:
        t, stuck = _inside(bracket, _cubic_minimum(bracket[0], bracket[1]), stuck)
        trial = line.again(t)
        if line.too_high(trial) or trial.loss >= bracket[low].loss:
            bracket[1 - low] = trial
            low = 0 if bracket[0].loss <= bracket[1].loss else 1
            continue
        done = line.level(trial)
        if not done and trial.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = trial
        if done:
            break
    return low


def _inside(bracket: list[_Trial], t: Any, stuck: bool) -> tuple[Any, bool]:
    """Keep a trial away from the ends, if it lies on one or came near one twice in a row."""
    left, right = sorted(trial.t for trial in bracket)
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not stuck and left < t < right:
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def _cubic_minimum(a: _Trial, b: _Trial, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic through two values and slopes is lowest, within the bounds."""
    a, b = (a, b) if a.t <= b.t else (b, a)
    lowest, highest = bounds or (a.t, b.t)
    middle = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = middle**2 - a.slope * b.slope
    if not square >= 0:
        return (lowest + highest) / 2.0
    root = np.sqrt(square)
    t = b.t - (b.t - a.t) * ((b.slope + root - middle) / (b.slope - a.slope + 2 * root))
    return min(max(t, lowest), highest)
