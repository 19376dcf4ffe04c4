"""Random programs: chains and graphs of 3 to 25 smooth operations, with sharing and broadcasting.

Every value stays between about -3 and 3, and every shape broadcasts to (2, 3), so that any
operation may follow any other. An operation is written once for chalkgrad's primitives and once for
PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from chalkgrad.core.graph import Array, Shape, leaf
from chalkgrad.primitives import (
    convolution,
    indexing,
    linalg,
    reductions,
    shaping,
    transcendental,
)
from chalkgrad.primitives import elementwise as e

SHAPES: list[Shape] = [(), (3,), (1, 3), (2, 1), (2, 3)]
FULL = (2, 3)


@dataclass(frozen=True)
class Operation:
    chalkgrad: Callable[..., Any]
    torch: Callable[..., Any]  # (torch, *tensors)
    operands: int = 1


def full(x: Any) -> Any:
    return x.broadcasted(FULL)


def _sum(x: Any) -> Any:
    return reductions.sum(full(x), axes=(0,), keepdims=False) / 2


def _mean(x: Any) -> Any:
    return reductions.mean(x, axes=tuple(range(len(x.node.shape)))[-1:], keepdims=True)


def _swapped(x: Any) -> Any:
    return full(x).transposed((1, 0))


def _window(x: Any) -> Any:
    pool: dict[str, Any] = {"stride": (1,), "padding": (1,), "dilation": (1,)}
    return convolution.window_sum(full(x).reshaped((1, 2, 3)), out=(3,), kernel=(3,), **pool)


def _index(x: Any) -> Any:
    return x.wrap(leaf(np.array([0, 2, 2])))


OPERATIONS: dict[str, Operation] = {
    "tanh": Operation(e.tanh, lambda t, x: t.tanh(x)),
    "sin": Operation(transcendental.sin, lambda t, x: t.sin(x)),
    "sigmoid": Operation(e.sigmoid, lambda t, x: t.sigmoid(x)),
    "erf": Operation(transcendental.erf, lambda t, x: t.erf(x)),
    "exp": Operation(lambda x: e.exp(e.tanh(x)), lambda t, x: t.exp(t.tanh(x))),
    "root": Operation(lambda x: e.sqrt(x * x + 1), lambda t, x: t.sqrt(x * x + 1)),
    "power": Operation(lambda x: e.tanh(x) ** 3, lambda t, x: t.tanh(x) ** 3),
    "log": Operation(lambda x: e.log(x * x + 0.5), lambda t, x: t.log(x * x + 0.5)),
    "negative": Operation(lambda x: -x, lambda t, x: -x),
    "mean of two": Operation(lambda a, b: (a + b) / 2, lambda t, a, b: (a + b) / 2, 2),
    "difference": Operation(lambda a, b: (a - b) / 2, lambda t, a, b: (a - b) / 2, 2),
    "product": Operation(lambda a, b: e.tanh(a) * b, lambda t, a, b: t.tanh(a) * b, 2),
    "quotient": Operation(lambda a, b: a / (b * b + 1), lambda t, a, b: a / (b * b + 1), 2),
    "square": Operation(lambda x: transcendental.sin(x * x), lambda t, x: t.sin(x * x)),
    "sum": Operation(_sum, lambda t, x: x.expand(FULL).sum(0) / 2),
    "mean": Operation(_mean, lambda t, x: x.mean(-1, keepdim=True) if x.ndim else x),
    "flip": Operation(
        lambda x: shaping.flip(x, axes=tuple(range(len(x.node.shape)))),
        lambda t, x: t.flip(x, tuple(range(x.ndim))),
    ),
    "gram": Operation(
        lambda a, b: e.tanh(linalg.matmul(linalg.matmul(full(a), _swapped(b)), full(a))),
        lambda t, a, b: t.tanh(a.expand(FULL) @ b.expand(FULL).T @ a.expand(FULL)),
        2,
    ),
    "cumsum": Operation(
        lambda x: transcendental.sin(reductions.cumsum(full(x), axis=1, reverse=False)),
        lambda t, x: t.sin(t.cumsum(x.expand(FULL), 1)),
    ),
    "take": Operation(
        lambda x: indexing.take(full(x), _index(x), axis=1),
        lambda t, x: t.index_select(x.expand(FULL), 1, t.tensor([0, 2, 2])),
    ),
    "window": Operation(
        lambda x: _window(x).reshaped(FULL) / 3,
        lambda t, x: t.nn.functional.avg_pool1d(x.expand(FULL)[None], 3, 1, 1)[0],
    ),
    "halves": Operation(
        lambda a, b: shaping.concatenate(
            *(shaping.slice_(full(x), start=(k, 0), stop=(k + 1, 3), step=(1, 1))
              for k, x in enumerate((a, b))), axis=0),
        lambda t, a, b: t.cat([a.expand(FULL)[:1], b.expand(FULL)[1:]]),
        2,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Program:
    """Inputs, then steps; a step names an operation and the earlier values that it reads."""

    arrays: tuple[Array, ...]
    steps: tuple[tuple[str, tuple[int, ...]], ...]

    def chalkgrad(self, *inputs: Any) -> Any:
        return self._run(
            inputs, lambda name, *operands: OPERATIONS[name].chalkgrad(*operands), full
        )

    def torch(self, torch: Any, *inputs: Any) -> Any:
        apply = lambda name, *operands: OPERATIONS[name].torch(torch, *operands)  # noqa: E731
        return self._run(inputs, apply, lambda x: x.expand(FULL))

    def _run(self, inputs: Sequence[Any], apply: Any, spread: Any) -> Any:
        values = list(inputs)
        for name, places in self.steps:
            values.append(apply(name, *(values[k] for k in places)))
        return spread(values[-1]) * spread(values[-2])


@st.composite
def programs(draw: st.DrawFn) -> Program:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    steps = []
    for k in range(draw(st.integers(3, 25))):
        name = draw(st.sampled_from(sorted(OPERATIONS)))
        known = len(shapes) + k
        # The latest values more often, so that chains grow deep; any, so that values are shared.
        place = st.one_of(st.integers(max(known - 2, 0), known - 1), st.integers(0, known - 1))
        steps.append((name, tuple(draw(place) for _ in range(OPERATIONS[name].operands))))
    return Program(tuple(rng.uniform(-1.5, 1.5, s) for s in shapes), tuple(steps))
