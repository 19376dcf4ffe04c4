"""Two shapes: broadcasting is a node, and every gradient comes back in its operand's shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chalkgrad.core.graph import Shape, leaf
from chalkgrad.primitives.elementwise import EVERYWHERE
from chalkgrad.tensor.operand import binary
from tests.primitives import judges
from tests.primitives.table import RECORDS, arity

SMOOTH = [
    record
    for record in EVERYWHERE.values()
    if arity(record) == 2 and not callable(record.vjp) and None not in record.vjp
]
SHAPES: list[tuple[Shape, Shape]] = [
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((1, 1), (2, 3)),
    ((2, 3), (1,)),
    ((), (2, 3)),
    ((2, 1, 3), (4, 1)),
]
EMPTY: list[tuple[Shape, Shape]] = [((0, 3), (3,)), ((2, 1), (2, 0)), ((), (0,)), ((0, 1), (1, 3))]


def sampled(record: Any, shapes: tuple[Shape, Shape]) -> list[Any]:
    rng = np.random.default_rng(4)
    return [rng.uniform(record.domain.low, record.domain.high, shape) for shape in shapes]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("record", SMOOTH, ids=lambda r: r.name)
def test_a_broadcast_operand_gets_the_sum(record: Any, shapes: tuple[Shape, Shape]) -> None:
    judges.assert_gradient(lambda a, b: binary(record, a, b), sampled(record, shapes), [0, 1])


@pytest.mark.parametrize("shapes", EMPTY, ids=str)
@pytest.mark.parametrize("record", SMOOTH, ids=lambda r: r.name)
def test_broadcasting_to_nothing_gives_zeros(record: Any, shapes: tuple[Shape, Shape]) -> None:
    arrays = sampled(record, shapes)
    out = np.broadcast_shapes(*shapes)
    for gradient, array in zip(
        judges.reverse(lambda a, b: binary(record, a, b), arrays, np.ones(out), [0, 1]),
        arrays,
        strict=True,
    ):
        np.testing.assert_array_equal(gradient, np.zeros_like(array))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("record", SMOOTH, ids=lambda r: r.name)
def test_a_number_beside_an_array_is_no_node_of_its_own(record: Any, place: int) -> None:
    array = sampled(record, ((2, 3), (2, 3)))[0]
    operands = [judges.tensor(array, tracked=True), judges.Handle(leaf(np.asarray(0.7)))]
    out = binary(record, *(operands if place else reversed(operands)))
    assert [node.shape for node in out.node.inputs] == ([(2, 3), ()] if place else [(), (2, 3)])
    function = lambda x: binary(record, *((x, operands[1]) if place else (operands[1], x)))  # noqa: E731
    judges.assert_gradient(function, [array], [0])


def test_the_broadcast_is_seen_and_its_derivative_is_a_sum() -> None:
    bias, x = judges.tensor(np.ones(3), tracked=True), judges.tensor(np.ones((2, 3)), tracked=True)
    out = binary(RECORDS["add"], x, bias)
    assert out.node.inputs[1].primitive is RECORDS["broadcast"]
    (found,) = judges.reverse(
        lambda b: binary(RECORDS["add"], x, b), [np.ones(3)], np.ones((2, 3)), [0]
    )
    np.testing.assert_array_equal(found, [2.0, 2.0, 2.0])
