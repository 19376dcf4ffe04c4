"""Every error that a person meets. Each names their thing, the facts that clash, and the fix.

The classes also inherit the built-in class that PyTorch raises in the same place, so that
`except RuntimeError` in a program written for PyTorch still catches what it should.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ChalkgradError(Exception):
    """The base of all of them."""


class ShapeError(ChalkgradError, RuntimeError):
    """Shapes that do not fit together."""


class DimensionError(ChalkgradError, IndexError):
    """A dimension or an index that is out of range."""


class DtypeError(ChalkgradError, RuntimeError):
    """Types of numbers that do not fit together."""


class DeviceError(ChalkgradError, RuntimeError):
    """A device that is none, or that this machine has not."""


class ArgumentError(ChalkgradError, ValueError):
    """An argument whose value cannot be used."""


class TypeMismatch(ChalkgradError, TypeError):
    """An argument of the wrong type."""


class NameMissing(ChalkgradError, AttributeError):
    """A name that is not there: an attribute, a parameter, a submodule."""


class NameClash(ChalkgradError, KeyError):
    """A name that cannot be registered: taken already, empty, or with a dot in it."""

    __str__ = Exception.__str__  # KeyError would show the message in quotes


class StateMismatch(ChalkgradError, RuntimeError):
    """A state dict that does not fit what it is loaded into."""


class GradientError(ChalkgradError, RuntimeError):
    """A gradient that cannot be computed as asked."""


class TraceError(ChalkgradError, RuntimeError):
    """Something that a traced program cannot do, because its numbers are not known yet."""


class NotCompilable(ChalkgradError):
    """This program cannot become native code; the NumPy executor runs it."""


class NotAvailable(ChalkgradError, NotImplementedError):
    """Something that PyTorch has and chalkgrad has not."""


class DataError(ChalkgradError, ValueError):
    """A file or table that cannot be used as it is."""


class MissingFile(DataError, FileNotFoundError):
    """A file that is not there."""


class FormulaError(DataError):
    """A formula that cannot be read; `column` counts from 1."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.column = column


class WorksheetError(DataError):
    """A worksheet that cannot be used: where, what clashes, and the fix."""


class MissingExtra(ChalkgradError, ImportError):
    """An optional package that is not installed; the message has the command that installs it."""


class TrainingError(ChalkgradError, RuntimeError):
    """A training run that cannot go on."""


class NotFinite(TrainingError):
    """A loss or gradient that became NaN or infinite."""


def nearest(name: str, known: Iterable[str]) -> str:
    """' Did you mean a, b?' for the names like this one, or nothing. One that differs in its
    capitals alone is meant."""
    names = list(known)
    same = [other for other in names if other.casefold() == name.casefold()]
    found = same or get_close_matches(name, names, n=3, cutoff=0.5)
    return f" Did you mean {', '.join(found)}?" if found else ""
