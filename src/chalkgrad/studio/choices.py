"""What a page offers to choose from, read from the rooms that define it."""

from __future__ import annotations

from inspect import signature
from typing import Any

from chalkgrad.worksheet.activations import ACTIVATIONS
from chalkgrad.worksheet.losses import RULES as LOSSES
from chalkgrad.worksheet.updates import NOT_SETTINGS
from chalkgrad.worksheet.updates import RULES as OPTIMIZERS


def choices() -> dict[str, Any]:
    """Activations, losses, and the rules of updates with their settings."""
    return {
        "activations": list(ACTIVATIONS),
        "losses": list(LOSSES),
        "rules": [
            {"name": name, "title": kind.__name__, "settings": settings_of(name)}
            for name, kind in OPTIMIZERS.items()
        ],
    }


def settings_of(rule: str) -> dict[str, Any]:
    """The settings of a rule and what they are if nothing is said; lr is the learning rate."""
    parameters = signature(OPTIMIZERS[rule].__init__).parameters
    return {
        "learning_rate" if name == "lr" else name: list(given)
        if isinstance(given, tuple)
        else given
        for name, given in ((name, p.default) for name, p in parameters.items())
        if name not in NOT_SETTINGS and isinstance(given, bool | int | float | tuple)
    }
