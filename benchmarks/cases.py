"""What is trained: the networks, their data, their first weights and the order of their batches.

Everything here is NumPy and drawn from fixed seeds, so that every engine starts from the same
weights and sees the same batches, and their losses after one chunk can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Order = NDArray[np.int64]  # (steps, batch): the records of each step

CHANNELS = (1, 16, 32)  # of the small CNN: two 3×3 convolutions, each halved by max pooling
SIDE = 28
CLASSES = 10


@dataclass(frozen=True)
class Case:
    """One network to train; `chunk` steps are one epoch (or one scan, for a full batch)."""

    name: str
    kind: Literal["dense", "cnn"]
    widths: tuple[int, ...]
    activation: Literal["relu", "sigmoid"]
    loss: Literal["bce", "cross_entropy", "mse"]
    optimizer: Literal["sgd", "adam"]
    learning_rate: float
    records: int
    batch: int
    chunk: int

    @property
    def shuffled(self) -> bool:
        """Whether a step gathers a part of the records by a shuffled index."""
        return self.batch < self.records


def _adam(name: str, widths: tuple[int, ...], loss: Literal["cross_entropy", "mse"], batch: int,
          *, kind: Literal["dense", "cnn"] = "dense", chunk: int = 64) -> Case:  # fmt: skip
    return Case(name, kind, widths, "relu", loss, "adam", 1e-3, chunk * batch, batch, chunk)


CASES = {
    case.name: case
    for case in (
        Case("xor", "dense", (2, 2, 1), "sigmoid", "bce", "sgd", 0.1, 4, 4, 1000),
        _adam("digits 64-32-10", (64, 32, 10), "cross_entropy", 32),
        _adam("table 13-64-64-1", (13, 64, 64, 1), "mse", 32),
        _adam("image 784-128-10", (784, 128, 10), "cross_entropy", 64),
        _adam("image 784-256-128-10", (784, 256, 128, 10), "cross_entropy", 128),
        _adam("wide 1024-1024-1024-10", (1024, 1024, 1024, 10), "cross_entropy", 256, chunk=8),
        _adam("cnn 28x28", (SIDE * SIDE, CLASSES), "cross_entropy", 64, kind="cnn", chunk=8),
    )
}


def data(case: Case) -> tuple[Floats, NDArray[np.float32] | NDArray[np.int64]]:
    """The records (one a row; images are (1, 28, 28)) and what is to be learned of them."""
    if case.name == "xor":
        x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        return x, np.array([[0], [1], [1], [0]], np.float32)
    random = np.random.default_rng(1)
    flat = random.standard_normal((case.records, case.widths[0]), np.float32)
    teacher = random.standard_normal((case.widths[0], case.widths[-1]), np.float32)
    answer = flat @ teacher / np.float32(np.sqrt(case.widths[0]))
    x = flat.reshape(-1, 1, SIDE, SIDE) if case.kind == "cnn" else flat
    return x, answer.argmax(axis=1) if case.loss == "cross_entropy" else answer


def weight_shapes(case: Case) -> list[tuple[int, ...]]:
    """The weights' shapes in PyTorch's layout: (out, in) and (out, in, 3, 3)."""
    if case.kind == "dense":
        return [(out, fan) for fan, out in pairwise(case.widths)]
    kernels = [(out, fan, 3, 3) for fan, out in pairwise(CHANNELS)]
    return [*kernels, (CLASSES, CHANNELS[-1] * (SIDE // 4) ** 2)]


def first_weights(case: Case) -> list[Floats]:
    """Weight, bias, weight, bias, …: uniform within ±1/√fan-in, as PyTorch draws them."""
    random = np.random.default_rng(2)
    arrays: list[Floats] = []
    for shape in weight_shapes(case):
        bound = 1 / np.sqrt(np.prod(shape[1:]))
        for size in (shape, shape[:1]):
            arrays.append(random.uniform(-bound, bound, size).astype(np.float32))
    return arrays


def epochs(case: Case) -> Iterator[Order]:
    """One shuffled order after the other, without end."""
    random = np.random.default_rng(3)
    while True:
        yield random.permutation(case.records).reshape(case.chunk, case.batch)
