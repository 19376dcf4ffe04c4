"""Numbers as a reply holds them."""

from __future__ import annotations

from math import isfinite

Value = float | str  # "nan", "inf", "-inf" where JSON has no number


def number(value: float) -> Value:
    """A number for JSON, which has none for what is not finite."""
    value = float(value)
    return value if isfinite(value) else str(value)
