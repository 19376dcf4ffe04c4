"""A request, read field by field: what is not right is refused with a sentence."""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite
from typing import Any

from chalkgrad.core.errors import ArgumentError, nearest
from chalkgrad.studio.limits import LARGEST_TEXT


class Asked:
    """The fields of a request, or of a part of one, which errors call `what`."""

    def __init__(self, fields: Any, what: str) -> None:
        if not isinstance(fields, dict):
            raise ArgumentError(f"{what} must be an object with named fields, not {said(fields)}")
        self.fields, self.what = fields, what

    def only(self, *allowed: str) -> None:
        """Refuse any other field."""
        for key in self.fields:
            if key not in allowed:
                offer = nearest(key, allowed) if isinstance(key, str) else ""
                raise ArgumentError(
                    f"{self.what} has no field {said(key)}; it takes {', '.join(allowed)}.{offer}"
                )

    def __contains__(self, key: str) -> bool:
        return self.fields.get(key) is not None

    def text(self, key: str, default: str | None = None, most: int = LARGEST_TEXT) -> str:
        """A field that is text."""
        value = self._given(key, default)
        if not isinstance(value, str):
            raise ArgumentError(f"{key} must be text, not {said(value)}")
        if len(value) > most:
            raise ArgumentError(f"{key} has {len(value):,} characters; at most {most:,} are taken")
        return value

    def choice(self, key: str, options: Collection[str], default: str | None = None) -> str:
        """A field that is one of some words."""
        value = self.text(key, default)
        if value not in options:
            raise ArgumentError(
                f"there is no {key} {said(value)}: it is one of {', '.join(options)}."
                f"{nearest(value[:100], options)}"
            )
        return value

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A field that is a whole number between two others."""
        value = self._given(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON does not tell 2 from 2.0
        if type(value) is not int or not low <= value <= high:
            raise ArgumentError(
                f"{key} must be a whole number from {low:,} to {high:,}, not {said(value)}"
            )
        return value

    def numbers(self, key: str, count: int, low: float, high: float) -> list[float]:
        """A field that is a list of so many numbers."""
        value = self._given(key, None)
        if not isinstance(value, list) or len(value) != count:
            found = f"{len(value)} numbers" if isinstance(value, list) else said(value)
            raise ArgumentError(f"{key} must be a list of {count} numbers, not {found}")
        found_numbers = [finite(part, key) for part in value]
        if any(not low <= part <= high for part in found_numbers):
            raise ArgumentError(f"{key} must be numbers from {low:g} to {high:g}")
        return found_numbers

    def part(self, key: str) -> Asked:
        """A field that has fields of its own."""
        return Asked(self._given(key, None), key)

    def _given(self, key: str, default: Any) -> Any:
        value = self.fields.get(key)
        if value is None:
            value = default
        if value is None:
            raise ArgumentError(f"{self.what} needs the field {key}")
        return value


def finite(value: Any, what: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError(f"{what} must be a number, not {said(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        raise ArgumentError(f"{what} must be a finite number, not {said(value)}")
    return number


def said(value: Any) -> str:
    """A value as an error shows it: short."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "a value without end"
    return text if len(text) <= 40 else f"{text[:39]}…"
