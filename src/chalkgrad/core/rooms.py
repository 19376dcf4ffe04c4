"""Rooms that are named like their main function: `chalkgrad.explain` is a package that is called.

Python puts a package under its name into its parent as soon as anything imports it. So that
`chalkgrad.explain(loss)` works whoever came first, the package itself passes a call on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def callable_as(room: str, function: Callable[..., Any]) -> None:
    """Let calling the package `room` call the function."""

    class Room(ModuleType):
        __call__ = staticmethod(function)

    sys.modules[room].__class__ = Room
