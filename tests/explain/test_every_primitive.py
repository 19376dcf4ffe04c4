"""Every primitive explains itself: on the board, in arrays, and along paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.core.graph import leaf
from chalkgrad.core.primitive import bind
from chalkgrad.explain import explain
from tests.primitives.table import CASES, Case


def _programs() -> list[tuple[Case, int]]:
    return [(case, k) for case in CASES for k in case.smooth if _flows(case, k)]


def _flows(case: Case, k: int) -> bool:
    """Is there a gradient? (None flows to whole numbers, nor to a number that a formula holds.)"""
    out, given = case.run(), case.arrays[k]
    return out.dtype.kind == "f" and bool(given.size) and (bool(given.shape) or not out.shape)


def _loss(case: Case) -> tuple[Any, list[Any]]:
    """Σ out · weights of one primitive, its floating-point inputs tracked."""
    handle = cg.Tensor()
    inputs = [
        handle.wrap(leaf(np.array(a), tracked=a.dtype.kind == "f", name=f"in{k}"))
        for k, a in enumerate(case.arrays)
    ]
    for tensor in inputs:
        tensor.node.owner = None
    out = bind(case.primitive, inputs, case.params)
    weights = cg.tensor(np.linspace(0.5, 1.5, int(np.prod(out.node.shape))).reshape(out.node.shape))
    return (out * weights).sum(), inputs


@pytest.mark.parametrize(("case", "argnum"), _programs(), ids=str)
def test_it_explains_itself(case: Case, argnum: int) -> None:
    loss, inputs = _loss(case)
    (gradient,) = cg.autograd.grad(loss, [inputs[argnum]])
    numbers = np.asarray(gradient.node.value)
    index = tuple(int(k) for k in np.unravel_index(np.abs(numbers).argmax(), numbers.shape))
    derivation = explain(loss, (inputs[argnum], index))
    (found,) = derivation.gradients
    assert found.value == pytest.approx(numbers[index], rel=1e-9, abs=1e-12)
    total = sum(path.value for path in found.paths) + found.hidden_value
    assert total == pytest.approx(numbers[index], rel=1e-9, abs=1e-12)
    for view in ("board", "layer", "paths"):
        assert derivation.document(view).blocks
