"""A rewrite changes no bit, and does what it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import chalkgrad as cg
from chalkgrad.core.graph import Array, Graph
from chalkgrad.executors.numpy import run
from chalkgrad.nn import functional as F
from chalkgrad.transform.simplify import simplify

SIDE = 7
NUMBERS = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 2.0, 2.5, np.inf, -np.inf, np.nan])


def gradient(kernel: int, stride: int, padding: int, dilation: int) -> Graph:
    """Of a ReLU in front of a pooling, towards its input."""

    def function(x: cg.Tensor, g: cg.Tensor) -> cg.Tensor:
        x.requires_grad_()
        y = F.max_pool2d(F.relu(x), kernel, stride, padding, dilation)
        (found,) = cg.autograd.grad((y * g[:, :, : y.shape[2], : y.shape[3]]).sum(), x)
        return found

    return cg.trace(function, *[cg.zeros(1, 2, n, n, dtype=cg.float64) for n in (SIDE, SIDE + 2)])


@given(
    arrays(np.float64, (1, 2, SIDE, SIDE), elements=NUMBERS),
    arrays(np.float64, (1, 2, SIDE + 2, SIDE + 2), elements=NUMBERS),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 1), st.integers(1, 2)).filter(
        lambda g: 2 * g[2] <= g[0]
    ),
)
def test_the_mask_of_a_relu_goes_through_a_pooling(
    x: Array, g: Array, geometry: tuple[int, int, int, int]
) -> None:
    graph = gradient(*geometry)
    simple = Graph(graph.inputs, (), tuple(simplify(graph.outputs, graph.inputs)))
    (wanted,), (found,) = run(graph, x, g), run(simple, x, g)
    np.testing.assert_array_equal(found, wanted)
    assert (np.signbit(found) == np.signbit(wanted))[~np.isnan(wanted)].all()


def test_what_is_chosen_before_a_pooling_has_its_size() -> None:
    graph = gradient(2, 2, 0, 1)
    simple = Graph(graph.inputs, (), tuple(simplify(graph.outputs, graph.inputs)))
    assert [str(n.primitive) for n in simple.nodes].count("<primitive max_pool>") == 1
    masks = [n.shape for n in simple.nodes if n.primitive and n.primitive.name == "greater"]
    assert masks == [(1, 2, 3, 3)]


def test_another_condition_stays_where_it_is() -> None:
    def function(x: cg.Tensor, other: cg.Tensor) -> cg.Tensor:
        x.requires_grad_()
        (found,) = cg.autograd.grad(F.max_pool2d(x, 2).sum(), x)
        return cg.where(other > 0, found, 0.0)

    graph = cg.trace(function, *[cg.zeros(1, 2, SIDE, SIDE)] * 2)
    (result,) = simplify(graph.outputs, graph.inputs)
    assert result.primitive is not None
    assert result.primitive.name == "select"
