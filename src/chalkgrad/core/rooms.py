"""Rooms that are named like their main function, and functions of rooms above.

`chalkgrad.explain` is a package that is called. Python puts a package under its name into its
parent as soon as anything imports it. So that `chalkgrad.explain(loss)` works whoever came first,
the package itself passes a call on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

_offered: dict[str, str] = {}


def callable_as(room: str, function: Callable[..., Any]) -> None:
    """Let calling the package `room` call the function."""

    class Room(ModuleType):
        __call__ = staticmethod(function)

    sys.modules[room].__class__ = Room


def offer(need: str, place: str) -> None:
    """Say which function, as "module:name", meets a need of a room that may not import it."""
    _offered[need] = place


def above(need: str) -> Callable[..., Any]:
    """The function that meets a need. Its module is imported now."""
    module, _, name = _offered[need].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
