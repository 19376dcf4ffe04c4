"""The gallery's data sets of points: made from a seed, written down as worksheets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chalkgrad.core.graph import Array
from chalkgrad.studio.writing import Design


def xor() -> Design:
    """The four records of exclusive or."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    return Design(
        "Exclusive or", "the smallest problem that needs a hidden layer",
        {"x1": x[:, 0], "x2": x[:, 1]}, {"o": np.array([0, 1, 1, 0], float)}, [2], "tanh",
        "sigmoid", "binary_cross_entropy", {"rule": "sgd", "learning_rate": 0.5}, seed=2,
    )  # fmt: skip


def circles() -> Design:
    """Points within a ring of others."""
    draw = np.random.default_rng(1)
    count = 100
    radius = np.concatenate([draw.uniform(0, 0.9, count), draw.uniform(1.3, 2.1, count)])
    return _points(
        "A disc in a ring", *_around(radius, draw.uniform(0, 2 * np.pi, 2 * count)), [4], 0.5, 3
    )


def spirals() -> Design:
    """Two spirals, one in the other."""
    draw = np.random.default_rng(2)
    count = 100
    along = np.linspace(0.25, 1, count)
    angle = np.concatenate([along * 3 * np.pi, along * 3 * np.pi + np.pi])
    angle += draw.normal(0, 0.08, 2 * count)
    return _points(
        "Two spirals", *_around(2 * np.concatenate([along, along]), angle), [8, 6], 0.02, 1,
        rule="adam",
    )  # fmt: skip


def curve() -> Design:
    """A curve to be fitted: one input, one output."""
    draw = np.random.default_rng(3)
    x = np.linspace(-2, 2, 60)
    y = np.sin(2.2 * x) * 0.8 + draw.normal(0, 0.06, len(x))
    return Design(
        "A curve through points", "a sine with noise", {"x": x}, {"y": y}, [6], "tanh", "identity",
        "mean_squared_error", {"rule": "adam", "learning_rate": 0.03}, seed=1,
    )  # fmt: skip


def _around(radius: Array, angle: Array) -> tuple[Array, Array]:
    return radius * np.cos(angle), radius * np.sin(angle)


def _points(
    title: str, x: Array, y: Array, hidden: list[int], rate: float, seed: int, rule: str = "sgd"
) -> Design:
    half = len(x) // 2
    target = np.repeat([1.0, 0.0], half)
    order = np.random.default_rng(4).permutation(len(x))
    return Design(
        title, f"{len(x)} points", {"x1": x[order], "x2": y[order]}, {"o": target[order]}, hidden,
        "tanh", "sigmoid", "binary_cross_entropy", {"rule": rule, "learning_rate": rate}, seed=seed,
    )  # fmt: skip


PUZZLES: dict[str, tuple[Callable[[], Design], str]] = {
    "xor": (xor, "four records, 2-2-1"),
    "circles": (circles, "200 points, 2-4-1: which are inside?"),
    "spirals": (spirals, "200 points, 2-8-6-1: it takes patience"),
    "curve": (curve, "60 points, 1-6-1: a curve fitted"),
}
