"""Steps without end: random networks, shapes, optimizers and thread counts, natively.

    python -m benchmarks.stress --seconds 7200

Each network is trained by both executors for some steps, and must agree; then natively for many
more, in two Python threads at once now and then. The memory of the process must not grow after the
first networks: whatever a program held is given back when it goes. Exits with 1 at a fault.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import chalkgrad as cg
from chalkgrad.core.graph import Array
from chalkgrad.executors.compiled import Specialised
from chalkgrad.executors.native import NativeFunction
from chalkgrad.training.steps import Task

WARM = 30  # networks until the memory of the process is what it stays at
GROWTH = 96 << 20  # bytes: the allocator keeps some of what large networks gave back
SAME = 1e-7  # relative to the largest element, float64, after the compared steps
COMPARED, LONG = 4, 400  # steps
OPTIMIZERS = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adamax")


def network(rng: np.random.Generator) -> tuple[Any, Array, Array]:
    """A random network in float64, with records and classes."""
    nn, classes = cg.nn, int(rng.integers(2, 11))
    batch, width = int(rng.integers(1, 70)), int(rng.integers(1, 90))
    layers: list[Any] = []
    for _ in range(rng.integers(1, 4)):
        out = int(rng.integers(1, 140))
        kind = rng.choice(["ReLU", "Tanh", "Sigmoid", "GELU", "SiLU"])
        layers += [nn.Linear(width, out), getattr(nn, str(kind))()]
        width = out
    layers.append(nn.Linear(width, classes))
    x = rng.normal(size=(batch, layers[0].in_features))
    return nn.Sequential(*layers).double(), x, rng.integers(0, classes, batch)


def task(seed: int) -> tuple[Task, Array, Array]:
    """The same network, optimizer and data for a seed."""
    rng = np.random.default_rng(seed)
    cg.manual_seed(seed)
    model, x, y = network(rng)
    optimizer = getattr(cg.optim, str(rng.choice(OPTIMIZERS)))(model.parameters(), lr=1e-3)
    return Task(model, cg.nn.CrossEntropyLoss(), optimizer), x, y


def trained(seed: int, members: int, steps: int) -> list[Array]:
    """The parameters after so many native steps."""
    made, x, y = task(seed)
    native = NativeFunction(lambda a, b: made.train(a, b), members)
    native.run([x, y], steps=steps)
    native.write_back()
    return [p.detach().numpy() for p in made.model.parameters()]


def by_numpy(seed: int, steps: int) -> list[Array]:
    """The same by the NumPy executor."""
    made, x, y = task(seed)
    numpy = Specialised(lambda a, b: made.train(a, b))
    for _ in range(steps):
        numpy(x, y)
    numpy.write_back()
    return [p.detach().numpy() for p in made.model.parameters()]


def difference(found: list[Array], wanted: list[Array]) -> float:
    """The largest, relative to the largest element of each array."""
    pairs = zip(found, wanted, strict=True)
    return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-300)) for a, b in pairs)


def resident() -> int:
    """Bytes of memory that the process has."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def one(seed: int) -> str:
    """One network; what is wrong with it, or ''."""
    members = (1, 2, 4)[seed % 3]
    apart = difference(trained(seed, members, COMPARED), by_numpy(seed, COMPARED))
    if not apart <= SAME:
        return f"network {seed} on {members} threads: {apart:.2g} apart from NumPy"
    if seed % 5:
        trained(seed, members, LONG)
        return ""
    found: list[list[Array]] = [[], []]

    def run(into: list[Array]) -> None:
        into += trained_from(made, members)

    made = [task(seed) for _ in found]
    workers = [threading.Thread(target=run, args=(into,)) for into in found]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    same = all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
    return "" if same else f"network {seed}: two threads at once give two results"


def trained_from(made: list[tuple[Task, Array, Array]], members: int) -> list[Array]:
    """Train one of the tasks that are there: random numbers were drawn before threads began."""
    own, x, y = made.pop()
    native = NativeFunction(lambda a, b: own.train(a, b), members)
    native.run([x, y], steps=LONG)
    native.write_back()
    return [p.detach().numpy() for p in own.model.parameters()]


def main() -> int:
    """Run for as long as asked."""
    parser = argparse.ArgumentParser(prog="benchmarks.stress", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=7200.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    end, seed, base = time.monotonic() + options.seconds, options.seed, 0
    while time.monotonic() < end:
        fault = one(seed)
        seed += 1
        gc.collect()
        if seed - options.seed == WARM:
            base = resident()
        if base and resident() - base > GROWTH:
            fault = f"after {seed - options.seed} networks {resident() - base} bytes more are held"
        if fault:
            print(fault, file=sys.stderr)
            return 1
    grown = (resident() - base) / 2**20 if base else 0.0
    count = seed - options.seed
    print(f"{count} networks agree; memory grew by {grown:.1f} MB after the first {WARM}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
