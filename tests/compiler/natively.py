"""The executors' contract."""

from __future__ import annotations

from typing import Any

import numpy as np

from chalkgrad.core.graph import Array

BOUND = {"float32": 2e-6, "float64": 1e-12}  # relative to the largest element


def assert_close(found: Array, wanted: Array, label: Any, slack: float = 1) -> None:
    """The executors' contract: equal specials, numbers equal to a share of the largest."""
    assert found.shape == wanted.shape, label
    assert found.dtype == wanted.dtype, label
    if wanted.dtype.kind != "f":
        np.testing.assert_array_equal(found, wanted, err_msg=str(label))
        return
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(found[~finite], wanted[~finite], err_msg=str(label))
    if finite.any():
        largest = max(float(np.abs(wanted[finite]).max()), np.finfo(wanted.dtype).tiny)
        error = float(np.abs(found[finite].astype(float) - wanted[finite]).max()) / largest
        assert error <= slack * BOUND[wanted.dtype.name], (str(label), error)
