"""Programs made of single nodes, run natively and by NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chalkgrad.compiler.build import build, translated
from chalkgrad.compiler.host import Host, detect
from chalkgrad.compiler.native import Signature
from chalkgrad.core.graph import Array, ArrayType, Node, equation, placeholder
from tests.primitives.table import Case

BOUND = {"float32": 2e-6, "float64": 1e-12}  # relative to the largest element


def argument(array: Array) -> Node:
    return placeholder(ArrayType(array.shape, array.dtype))


def node_of(case: Case, inputs: Sequence[Node]) -> Node:
    kind = case.primitive.type(*case.types, **case.params)
    return equation(case.primitive, tuple(inputs), case.params, None, kind.shape, kind.dtype, False)


def compilable(inputs: Sequence[Node], outputs: Sequence[Node]) -> None:
    """Raises NotCompilable if these have no native code."""
    translated(Signature(tuple(inputs), (), tuple(outputs), ()), detect())


def run(
    inputs: Sequence[Node], outputs: Sequence[Node], arrays: Sequence[Array],
    host: Host | None = None, members: int = 1,
) -> list[Array]:  # fmt: skip
    made = build(Signature(tuple(inputs), (), tuple(outputs), ()), host=host, members=members)
    return made.run(arrays)


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


def check(cases: Sequence[Case], together: int = 12, host: Host | None = None) -> None:
    """Cases natively against NumPy, several in one program."""
    for start in range(0, len(cases), together):
        part = cases[start : start + together]
        inputs = [[argument(a) for a in case.arrays] for case in part]
        outputs = [node_of(case, nodes) for case, nodes in zip(part, inputs, strict=True)]
        flat = [node for nodes in inputs for node in nodes]
        arrays = [array for case in part for array in case.arrays]
        found = run(flat, outputs, arrays, host)
        for case, got in zip(part, found, strict=True):
            assert_close(got, case.run(), case)


def each(cases: Sequence[Case], refused: Callable[[Case], bool]) -> list[Case]:
    """The cases that have native code; those that are refused must be the expected ones."""
    from chalkgrad.compiler.lower import NotCompilable

    kept = []
    for case in cases:
        inputs = [argument(a) for a in case.arrays]
        try:
            compilable(inputs, [node_of(case, inputs)])
        except NotCompilable:
            assert refused(case), case
        else:
            kept.append(case)
    return kept
