"""Which records are in which batch: a function of seed, epoch and batch, and of nothing else.

A run that stops after any batch is resumed by its place alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chalkgrad.core.graph import Array
from chalkgrad.primitives.random import squares, stream_key


@dataclass(frozen=True)
class Sampler:
    """The batches of `count` records.

    >>> [batch.tolist() for batch in Sampler(5, 2, shuffle=False, seed=0).batches(epoch=1)]
    [[0, 1], [2, 3], [4]]
    """

    count: int
    batch_size: int
    shuffle: bool
    seed: int

    @property
    def size(self) -> int:
        """Records in a whole batch."""
        return min(self.batch_size, max(self.count, 1))

    @property
    def length(self) -> int:
        """Batches in an epoch; the last may be smaller."""
        return -(-self.count // self.batch_size)

    def order(self, epoch: int) -> Array:
        """The records in the order of an epoch (from 1); shuffled, that of random numbers."""
        if not self.shuffle:
            return np.arange(self.count)
        key = np.int64(stream_key(self.seed * 1_000_003 + epoch)).astype(np.uint64)
        return np.argsort(squares(key, np.arange(self.count, dtype=np.uint64)), kind="stable")

    def whole(self, epoch: int) -> Array:
        """The records of the whole batches, (batches, batch size)."""
        count = self.count // self.size
        return self.order(epoch)[: count * self.size].reshape(count, self.size)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Array]:
        """The records of each batch, from batch `start` on."""
        order = self.order(epoch)
        for k in range(start, self.length):
            yield order[k * self.batch_size : (k + 1) * self.batch_size]
