"""The rows that a scan works through: any kind of whole number, and within the records."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.core.errors import ArgumentError

TOTAL = cg.compile(lambda x: x.sum())


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i4", ">i4", ">u2", "i8"])
def test_whole_numbers_of_any_kind_choose_records(dtype: str) -> None:
    rows = np.array([[0, 1], [2, 3]], dtype)
    assert TOTAL.scan(cg.arange(4.0), rows=rows).tolist() == [1.0, 5.0]
    assert TOTAL.scan(cg.arange(4.0), rows=rows.T).tolist() == [2.0, 4.0]
    assert TOTAL.scan(cg.arange(4.0), rows=rows[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.array([[0, -1]], "i1"), "rows go from -1 to 0; there are 4 records"),
        (np.array([[4]], ">i2"), "rows go from 4 to 4; there are 4 records"),
        (np.array([[0, 255]], "u1"), "rows go from 0 to 255; there are 4 records"),
        (np.array([0, 1]), "they are (steps, batch) whole numbers"),
        (np.array([[0.0]]), "they are (steps, batch) whole numbers"),
    ],
)
def test_others_are_refused_before_anything_runs(rows: Any, said: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        TOTAL.scan(cg.arange(4.0), rows=rows)
    assert said in str(refused.value)
