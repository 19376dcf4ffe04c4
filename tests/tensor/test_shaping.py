"""Shaping by itself: padding, traces, messages, and how a graph reads."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chalkgrad as cg
from chalkgrad.core.errors import DimensionError, NotAvailable, ShapeError
from chalkgrad.executors import numpy as executor
from chalkgrad.tensor.shaping import padded


def primitives(x: cg.Tensor) -> list[str]:
    """The primitives from a result back to its leaf, each with one input."""
    names, node = [], x.node
    while node.primitive is not None:
        names.append(node.primitive.name)
        node = node.inputs[0]
    return names[::-1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(-1, 2), st.integers(-1, 2)), min_size=1, max_size=3
    ),
    st.sampled_from([0.0, 1.5, -np.inf]),
)
def test_padded(sides: list[tuple[int, int, int]], value: float) -> None:
    assume(all(n + min(low, 0) + min(high, 0) >= 0 for n, low, high in sides))
    shape = tuple(n for n, _, _ in sides)
    array = np.random.default_rng(0).normal(size=shape)
    x = cg.tensor(array, requires_grad=True)
    out = padded(x, [low for _, low, _ in sides], [high for _, _, high in sides], value)
    cut = array[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, a, b in sides)]
    wanted = np.pad(cut, [(max(a, 0), max(b, 0)) for _, a, b in sides], constant_values=value)
    np.testing.assert_array_equal(out.detach().numpy(), wanted)
    inside = np.pad(np.ones_like(cut), [(max(a, 0), max(b, 0)) for _, a, b in sides])
    (cg.where(cg.tensor(inside == 1), out, 0.0) * 3).sum().backward()
    gradient = np.zeros(shape)
    gradient[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, a, b in sides)] = 3
    np.testing.assert_array_equal(x.grad.numpy() if x.grad is not None else 0 * array, gradient)


def test_a_trace_shapes_without_numbers() -> None:
    def program(x: cg.Tensor) -> tuple[cg.Tensor, ...]:
        y = cg.cat([x.t().reshape(2, 3), x.view(-1, 3).flip(1)], dim=1)
        return (
            y.unfold(1, 2, 2),
            y.roll(1, 0),
            y.repeat(1, 2),
            x.repeat_interleave(2, 0),
            x.T.contiguous(),
        )

    x = cg.arange(6.0).reshape(2, 3)
    graph = cg.trace(program, x)
    for found, wanted in zip(executor.run(graph, x.numpy()), program(x), strict=True):
        np.testing.assert_array_equal(found, wanted.numpy())


def test_a_matrix_transposes_in_one_node() -> None:
    w = cg.ones(2, 3, requires_grad=True)
    assert primitives(w.t()) == primitives(w.T) == primitives(w.mT) == ["transpose"]
    assert primitives(w.flatten(1)) == []  # nothing to fold
    assert primitives(w[0]) == ["slice", "reshape"]
    assert primitives(w[:, :1]) == ["slice"]


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        (lambda x: x.reshape(4), ShapeError, r"shape '\[4\]' is invalid for input of size 6"),
        (lambda x: x.unsqueeze(3), DimensionError, r"range of \[-3, 2\], but got 3"),
        (lambda x: x.flatten(2), DimensionError, r"range of \[-2, 1\], but got 2"),
        (
            lambda x: x.expand(2, 4),
            ShapeError,
            r"\(4\) must match the existing size \(3\) at non-si",
        ),
        (lambda x: x.t().view(6), ShapeError, r"Use \.reshape\(\.\.\.\) instead"),
        (lambda x: x.view(cg.int32), NotAvailable, r"to\(torch\.int32\)"),
        (lambda x: cg.cat([x, x.t()]), ShapeError, r"\[2, 3\] and \[3, 2\] along dimension 0"),
        (lambda x: cg.stack([x, x[0]]), ShapeError, r"\[2, 3\] at entry 0 and \[3\] at entry 1"),
        (lambda x: cg.cat([x[0, 0]]), ShapeError, r"use stack"),
    ],
)
def test_message(program: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        program(cg.zeros(2, 3))  # type: ignore[operator]


def test_computed_layouts_do_not_stop_view() -> None:
    # PyTorch's results lie row by row here; where ours do not, view copies.
    x = cg.zeros(2, 3).t().exp()
    assert x.view(6).shape == (6,)


def test_views_hold_no_tensor_for_ever() -> None:
    w = cg.ones(3, requires_grad=True)
    base = w * 2
    views = [base[k] for k in range(3)]
    gone = weakref.ref(base)
    del base
    gc.collect()
    assert gone() is not None  # its views may still change it
    del views
    gc.collect()
    assert gone() is None
