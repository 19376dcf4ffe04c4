"""Break one derivative rule: the derivation must change, and the gradient check must notice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.core.graph import leaf
from chalkgrad.core.primitive import Primitive, bind
from chalkgrad.explain import explain
from tests.primitives import judges
from tests.primitives.table import SMOOTH, Case

table = pytest.mark.parametrize


def _broken(primitive: Primitive, k: int) -> Primitive:
    """The record with one rule scaled by 1.1."""

    def rule(argnum: int) -> Any:
        right = primitive.rule(argnum)
        if argnum != k:
            return right
        return lambda *operands, **params: right(*operands, **params) * 1.1

    return replace(primitive, vjp=rule)


def _derivation(case: Case, primitive: Primitive, k: int) -> Any:
    handle = cg.Tensor()
    inputs = [
        handle.wrap(leaf(np.array(a), tracked=a.dtype.kind == "f", name=f"in{j}"))
        for j, a in enumerate(case.arrays)
    ]
    out = bind(primitive, inputs, case.params)
    weights = np.linspace(0.5, 1.5, int(np.prod(out.node.shape))).reshape(out.node.shape)
    loss = (out * cg.tensor(weights)).sum()
    slopes = np.asarray(cg.autograd.grad(loss, [inputs[k]], retain_graph=True)[0].node.value)
    place = np.unravel_index(np.abs(slopes).argmax(), slopes.shape)
    return explain(loss, (inputs[k], tuple(int(i) for i in place))).to_dict(), slopes


def _one_of_each() -> list[tuple[Case, int]]:
    found: dict[tuple[str, int], Case] = {}
    for case in SMOOTH:
        for k in case.smooth:
            given = case.arrays[k]
            if given.size and (given.shape or not case.run().shape):
                found.setdefault((case.primitive.name, k), case)
    return [(case, k) for (_, k), case in found.items()]


@table(("case", "k"), _one_of_each(), ids=str)
def test_a_broken_rule_shows(case: Case, k: int) -> None:
    right, slopes = _derivation(case, case.primitive, k)
    broken = _broken(case.primitive, k)
    wrong, _ = _derivation(case, broken, k)
    if not np.any(slopes):
        return  # floor, sign and their like have a gradient of 0, and 1.1 · 0 is as right
    assert wrong["gradients"] != right["gradients"]
    factors = [f for g in wrong["gradients"] for p in g["paths"] for f in p["factors"]]
    before = [f for g in right["gradients"] for p in g["paths"] for f in p["factors"]]
    assert [f["formula"] for f in factors] != [f["formula"] for f in before]
    with pytest.raises(AssertionError):
        judges.assert_gradient(judges.applied(broken, case.params), case.arrays, [k])
