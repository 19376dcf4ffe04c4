"""Turns of phrase that every message about a table shares."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def listed(items: Sequence[str], limit: int = 5) -> str:
    """The first few, and how many more.

    >>> listed(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    shown = ", ".join(items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit} more"


def times(item: str, count: int) -> str:
    """What, and how often.

    >>> times("NA", 3)
    'NA ×3'
    """
    return f"{item} ×{count}"


def flag(option: str, column: str) -> str:
    """The command line's way to say it, ready to paste.

    >>> flag("drop", "petal width")
    "--drop 'petal width'"
    """
    return f"--{option} {shlex.quote(column)}"
