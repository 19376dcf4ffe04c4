"""How a function in a formula reads and what it computes: its primitive's own record.

`sum`, `prod`, `max` and `min` of any number of terms stand beside them: they are what index
notation's folds become when they are written out.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from chalkgrad import primitives
from chalkgrad.core.primitive import Notation, Primitive
from chalkgrad.core.scope import current


def _sum(terms: list[float]) -> float:
    """The sum without rounding on the way; as floats have it where it is not finite."""
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):  # past the largest number, or ∞ − ∞
        return sum(terms)


FOLDS: dict[str, Callable[[list[Any]], Any]] = {
    "sum": _sum, "prod": math.prod, "max": max, "min": min,
}  # fmt: skip


@cache
def records() -> dict[str, Primitive]:
    """Every primitive by its name."""
    found: dict[str, Primitive] = {}
    for module in pkgutil.iter_modules(primitives.__path__, f"{primitives.__name__}."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, Primitive):
                found[thing.name] = thing
    return found


# Of arrays: the product element by element, and folds over all elements, over the records (n), over
# the units (j) or over other axes.
_OVER = {"": ("", ""), "_records": ("ₙ", "_n"), "_units": ("ⱼ", "_j"), "_some": ("", "")}
_SIGNS = {"sum": ("Σ", r"\sum"), "prod": ("Π", r"\prod"), "max": ("max", r"\max"),
          "min": ("min", r"\min")}  # fmt: skip
_ARRAYS = {
    "hadamard": Notation("{0} ⊙ {1}", r"{0} \odot {1}", 2),
    "tuple": Notation("({0})", r"\left({0}\right)"),
} | {
    f"array_{fold}{over}": Notation(f"{sign}{low} {{0}}", f"{latex}{under} {{0}}", 2)
    for fold, (sign, latex) in _SIGNS.items()
    for over, (low, under) in _OVER.items()
}


def notation(function: str) -> Notation:
    """How a function reads. A suffix, as in `cast:float32`, does not count."""
    if function in _ARRAYS:
        return _ARRAYS[function]
    return records()[function.partition(":")[0]].notation


@cache
def meaning(function: str) -> Callable[..., Any]:
    """What a function computes of single numbers, in double precision."""
    if function in FOLDS:
        fold = FOLDS[function]
        return lambda *terms: fold(list(terms))
    name = function.partition(":")[0]
    if name in ("cast", "copy"):
        return lambda x: x
    compute = records()[name].numpy

    def run(*arguments: Any) -> Any:
        return current().run(
            compute, *(np.float64(x) if isinstance(x, float) else np.asarray(x) for x in arguments)
        )

    return run
