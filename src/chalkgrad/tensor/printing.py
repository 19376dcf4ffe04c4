"""The text of a tensor, character by character as PyTorch 2.13 writes it, from a NumPy array.

    tensor(<numbers>, <suffix>, <suffix>)

One notation and one width serve the whole tensor.  Both are chosen from the numbers that will be
seen: all of them or, beyond `threshold`, those at the edges.  For floats, zeros and what is not
finite have no say, and the notation is the first that applies:

    scientific   1.0000e-05   largest > 1e8, largest / smallest > 1000, or smallest < 1e-4
    whole        1.           all are integers
    fixed        0.5000
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["format_tensor", "get_printoptions", "printoptions", "set_printoptions"]

Array: TypeAlias = npt.NDArray[Any]

PREFIX = "tensor("


@dataclass(frozen=True)
class PrintOptions:
    """What `set_printoptions` sets; ``sci_mode=None`` lets the numbers decide."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}

_options = PROFILES["default"]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors are printed; what is not given stays as it is.

    As in PyTorch, the exception is ``sci_mode``: left out, it returns to None, which chooses
    between 0.0001 and 1e-4 by the numbers.

    Args:
        precision: digits after the point (4).
        threshold: the number of elements beyond which only the edges are printed (1000).
        edgeitems: how many at each edge, in each dimension (3).
        linewidth: characters in a line (80).
        profile: "default", "short" or "full", which the other arguments then refine.
        sci_mode: whether to write floats as 1.0000e-04.

    Raises:
        ValueError: there is no such profile.

    >>> set_printoptions(precision=2)
    >>> format_tensor(np.array([1.2345]), default_dtype=np.dtype(float))
    'tensor([1.23])'
    >>> set_printoptions(profile="default")
    """
    global _options
    if profile is not None and profile not in PROFILES:
        raise ValueError(f"profile is {profile!r}; it can be 'default', 'short' or 'full'")
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    start = _options if profile is None else PROFILES[profile]
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _options = replace(start, **changes, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """The options as a dictionary, which `set_printoptions` takes as ``**keywords``.

    >>> get_printoptions()["linewidth"]
    80
    """
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """`set_printoptions` for the duration of a ``with`` block.

    >>> with printoptions(sci_mode=True, precision=1):
    ...     print(format_tensor(np.array(0.25), default_dtype=np.dtype(float)))
    tensor(2.5e-01)
    """
    global _options
    before = _options
    set_printoptions(**options)
    try:
        yield
    finally:
        _options = before


def format_tensor(
    value: Array, *, default_dtype: np.dtype[Any], suffix: str = "", dtype_prefix: str = "torch"
) -> str:
    """What ``repr(torch.tensor(value))`` is.

    Args:
        value: booleans, integers or floats of any shape.
        default_dtype: the float dtype that goes without saying, as int64 and bool do.
        suffix: what to say at the end, such as ``requires_grad=True``.
        dtype_prefix: what stands before the dot in ``dtype=torch.float64``.

    >>> print(format_tensor(np.eye(2), default_dtype=np.dtype("float32"), suffix="grad_fn=<F>"))
    tensor([[1., 0.],
            [0., 1.]], dtype=torch.float64, grad_fn=<F>)
    """
    suffixes = [suffix] if suffix else []
    if _needs_dtype(value, default_dtype):
        suffixes.insert(0, f"dtype={dtype_prefix}.{value.dtype.name}")
    if _needs_size(value):
        suffixes.insert(0, f"size={value.shape}")
    return _with_suffixes(PREFIX + _numbers(value), suffixes) + ")"


def _needs_dtype(value: Array, default_dtype: np.dtype[Any]) -> bool:
    if value.dtype == default_dtype:
        return False
    # Without a number to see, not even int64 and bool go without saying.
    return value.size == 0 or value.dtype not in (np.dtype(np.int64), np.dtype(np.bool_))


def _needs_size(value: Array) -> bool:
    if value.size == 0:
        return value.ndim != 1
    return _options.edgeitems == 0


def _with_suffixes(text: str, suffixes: list[str]) -> str:
    """Append each suffix to the last line if it fits there, or to a line of its own."""
    # PyTorch counts two characters too many for the line on which the numbers end.
    column = len(text.rsplit("\n", 1)[-1]) + 2
    for suffix in suffixes:
        if column + len(", ") + len(suffix) > _options.linewidth:
            text += ",\n" + " " * len(PREFIX) + suffix
            column = len(PREFIX) + len(suffix)
        else:
            text += ", " + suffix
            column += len(", ") + len(suffix)
    return text


def _numbers(value: Array) -> str:
    """The numbers in their brackets, indented to stand behind the prefix."""
    if value.size == 0:
        return "[]"
    cut = [False] * value.ndim
    if value.size > _options.threshold:
        cut = [length > 2 * _options.edgeitems for length in value.shape]
    visible = _edges(value, cut)
    return _nested(visible, cut, _Cell.fitting(visible.ravel()), len(PREFIX))


def _edges(value: Array, cut: list[bool]) -> Array:
    """The value with only the first and last `edgeitems` along every axis that is cut."""
    if not any(cut):
        return value
    edge = _options.edgeitems
    shown = [
        [*range(edge), *range(length - edge, length)] if is_cut else list(range(length))
        for length, is_cut in zip(value.shape, cut, strict=True)
    ]
    return value[np.ix_(*shown)]


@dataclass(frozen=True)
class _Cell:
    """How a number is written: a format specification, a bare point after it, and a width."""

    specification: str = ""
    point: bool = False
    width: int = 1

    @staticmethod
    def fitting(numbers: Array) -> _Cell:
        """The cell for these numbers, as narrow as they allow."""
        cell = _Cell()
        if numbers.dtype.kind == "f":
            numbers = numbers[np.isfinite(numbers) & (numbers != 0)]
            cell = _notation(numbers.astype(np.float64))
        widths = [len(cell.text(number)) for number in numbers.tolist()]
        return replace(cell, width=max(widths, default=1))

    def text(self, number: float) -> str:
        text = format(number, self.specification)
        if self.point and math.isfinite(number):
            text += "."
        return text.rjust(self.width)


def _notation(numbers: npt.NDArray[np.float64]) -> _Cell:
    """The notation for these numbers, all finite and none of them 0."""
    whole = _Cell(".0f", point=True)
    if numbers.size == 0:
        return whole
    if _is_scientific(np.abs(numbers)):
        return _Cell(f".{_options.precision}e")
    if (numbers == np.ceil(numbers)).all():
        return whole
    return _Cell(f".{_options.precision}f")


def _is_scientific(magnitudes: npt.NDArray[np.float64]) -> bool:
    if _options.sci_mode is not None:
        return _options.sci_mode
    smallest, largest = float(magnitudes.min()), float(magnitudes.max())
    with np.errstate(over="ignore"):
        spread = np.divide(largest, smallest)
    return bool(spread > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4)


def _nested(visible: Array, cut: list[bool], cell: _Cell, indent: int) -> str:
    """The brackets of one dimension, which are preceded by `indent` characters."""
    if visible.ndim == 0:
        return cell.text(visible.item())
    if visible.ndim == 1:
        return _row([cell.text(number) for number in visible.tolist()], cut[0], cell.width, indent)
    parts = [_nested(part, cut[1:], cell, indent + 1) for part in visible]
    if cut[0]:
        parts.insert(_options.edgeitems, "...")
    separator = "," + "\n" * (visible.ndim - 1) + " " * (indent + 1)
    return "[" + separator.join(parts) + "]"


def _row(texts: list[str], cut: bool, width: int, indent: int) -> str:
    """One dimension's numbers, broken into lines that fit."""
    if cut:
        texts.insert(_options.edgeitems, " ..." if _options.edgeitems else "...")
    per_line = max(1, (_options.linewidth - indent) // (width + len(", ")))
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
