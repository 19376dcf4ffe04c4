"""Native training for hours: `python -m benchmarks.stress [--seconds 7200 | --quick]`.

A trial draws a network, a loss, an optimizer, shapes, a type and a number of threads, compiles the
training step, and compares a few steps with the NumPy executor, from the same weights, moments and
random state. Then it trains for a while, and compares again from where that led. Every tenth trial
runs two fits in two Python threads at once, which must give the bits that one gives alone.

Memory: what the process holds after the warm-up, a fifth of the time, may grow by GROWTH at most.
A trial is known by its number: `--seed 0 --begin 17 --trials 1` runs the seventeenth again.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

import chalkgrad as cg
from chalkgrad import nn, optim

GROWTH = 96 << 20  # bytes; trials differ in size, and what malloc keeps differs with them
FULL, QUICK = 7200.0, 60.0  # seconds
COMPARED = 4  # steps, each time
LONG = 1.0  # seconds of training between two comparisons
THREADS = (1, 2, 4)
TOGETHER = 10  # every so many trials, two fits at once
# Of losses, relative to the largest one; of states, to the largest number of each. In float32 a
# bias in front of a normalization has a gradient of rounding alone, which Adam makes large: there
# the losses decide.
BOUNDS = {"float64": (1e-9, 1e-6), "float32": (2e-3, np.inf)}
# A normalized batch of two is ±1, whatever the numbers: what gradients are left in front of it is
# rounding, which an optimizer that divides by it makes large. How large, NumPy's own steps tell,
# from weights that are one rounding away.
CHAOS = 8.0
OPTIMIZERS: tuple[Callable[[Any], Any], ...] = (
    lambda p: optim.SGD(p, lr=1e-3),
    lambda p: optim.SGD(p, lr=1e-3, momentum=0.9, nesterov=True, weight_decay=1e-4),
    lambda p: optim.Adam(p, lr=1e-3),
    lambda p: optim.AdamW(p, lr=1e-3, amsgrad=True),
    lambda p: optim.NAdam(p, lr=1e-3),
    lambda p: optim.RAdam(p, lr=1e-3),
    lambda p: optim.Adamax(p, lr=1e-3),
    lambda p: optim.RMSprop(p, lr=1e-3, momentum=0.5, centered=True),
    lambda p: optim.Adagrad(p, lr=1e-3),
    lambda p: optim.Adadelta(p),
)
ACTIVATIONS: tuple[Callable[[], Any], ...] = (
    nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.Softplus, nn.LeakyReLU,
)  # fmt: skip
# A loss that has come down to this share of what it was is a difference of numbers as large as the
# first one, and rounding: a classifier that is sure of everything has one of 2e-8 in float32.
LEARNED = 1e-4

Array = NDArray[Any]
Random = np.random.Generator


class Disagreement(Exception):
    """Two ways to the same number have given two numbers."""


@dataclass
class Trial:
    """What is trained in one trial."""

    model: Any
    loss: Any
    optimizer: Any
    x: Array
    y: Array
    batch: int
    threads: int
    text: str = field(init=False)

    def __post_init__(self) -> None:
        layers = ", ".join(repr(layer) for layer in self.model)
        name = type(self.optimizer).__name__
        self.text = f"[{layers}], {name}, {self.x.dtype}{list(self.x.shape)} by {self.batch}, "
        self.text += f"{self.threads} threads"

    def step(self, x: Any, y: Any) -> Any:
        """One training step."""
        self.optimizer.zero_grad()
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss


# Drawing a trial.
def drawn(random: Random) -> Trial:
    """A network with its records: dense layers, or convolutions of images."""
    records = int(random.integers(8, 200))
    dtype = str(random.choice(["float32", "float64"]))
    classes = int(random.integers(2, 12))
    make = images if random.random() < 0.35 else rows
    shape, layers = make(random, classes)
    model = nn.Sequential(*layers)
    model = model.double() if dtype == "float64" else model
    loss, y = target(random, records, classes, dtype)
    x = random.normal(size=(records, *shape)).astype(dtype)
    optimizer = OPTIMIZERS[int(random.integers(len(OPTIMIZERS)))](model.parameters())
    batch, threads = int(random.integers(2, records + 1)), int(random.choice(THREADS))
    return Trial(model, loss, optimizer, x, y, batch, threads)


def rows(random: Random, classes: int) -> tuple[tuple[int, ...], list[Any]]:
    """Dense layers, with a normalization or dropout here and there."""
    depth = int(random.integers(1, 5))
    widths = [int(2 ** random.uniform(0, 8.5)) for _ in range(depth)]
    layers: list[Any] = []
    for fan, out in pairwise(widths):
        layers.append(nn.Linear(fan, out, bias=bool(random.random() < 0.9)))
        norms = [lambda n: nn.BatchNorm1d(n), lambda n: nn.LayerNorm(n)]
        # Normalized, one number is a constant: all records are the same behind it, and what a
        # BatchNorm makes of their differences is rounding.
        layers += extras(random, norms[: 2 if out > 1 else 1], out)
        layers.append(activation(random))
    return (widths[0],), [*layers, nn.Linear(widths[-1], classes)]


def images(random: Random, classes: int) -> tuple[tuple[int, ...], list[Any]]:
    """A convolution or two, each pooled or not; then a dense layer."""
    channels, side = int(random.integers(1, 5)), int(random.integers(8, 22))
    shape, layers = (channels, side, side), list[Any]()
    for _ in range(int(random.integers(1, 3))):
        out, kernel = int(random.integers(1, 17)), int(random.choice([1, 3, 5]))
        stride, padding = int(random.integers(1, 3)), kernel // 2
        layers.append(nn.Conv2d(channels, out, kernel, stride=stride, padding=padding))
        layers += extras(random, (lambda n: nn.BatchNorm2d(n),), out)
        layers.append(activation(random))
        channels, side = out, (side + 2 * padding - kernel) // stride + 1
        if random.random() < 0.6 and side > 3:
            layers.append(nn.MaxPool2d(2) if random.random() < 0.6 else nn.AvgPool2d(2))
            side //= 2
    return shape, [*layers, nn.Flatten(), nn.Linear(channels * side * side, classes)]


def activation(random: Random) -> Any:
    return ACTIVATIONS[int(random.integers(len(ACTIVATIONS)))]()


def extras(random: Random, norms: Sequence[Callable[[int], Any]], width: int) -> Iterator[Any]:
    """Perhaps a normalization, perhaps dropout."""
    if random.random() < 0.3:
        yield norms[int(random.integers(len(norms)))](width)
    if random.random() < 0.2:
        yield nn.Dropout(0.25)


def target(random: Random, records: int, classes: int, dtype: str) -> tuple[Any, Array]:
    """A loss, and what is to be learned."""
    kind = random.integers(3)
    if kind == 0:
        return nn.CrossEntropyLoss(), random.integers(0, classes, records)
    if kind == 1:
        return nn.MSELoss(), random.normal(size=(records, classes)).astype(dtype)
    marks = random.random((records, classes)) < 0.5
    return nn.BCEWithLogitsLoss(), marks.astype(dtype)


# Running it.
def run(trial: Trial, random: Random) -> int:
    """Compare, train, compare; the number of native steps."""
    os.environ["CHALKGRAD_THREADS"] = str(trial.threads)
    x, y = cg.tensor(trial.x), cg.tensor(trial.y)
    first = cg.tensor(order(trial, random, 1)[0])
    trial.step(x[first], y[first])  # eagerly: from now on the optimizer has its state
    native = cg.compile(trial.step, executor="native")
    numpy = cg.compile(trial.step, executor="numpy")
    scale = compare(trial, native, numpy, x, y, random)
    steps = COMPARED
    end = monotonic() + LONG
    while monotonic() < end:
        losses = native.scan(x, y, rows=order(trial, random, 50)).numpy()
        steps += 50
        if not np.isfinite(losses).all():  # it diverges: nothing to compare any more
            return steps
    compare(trial, native, numpy, x, y, random, LEARNED * scale)
    return steps + COMPARED


def order(trial: Trial, random: Random, steps: int) -> Array:
    return random.integers(0, len(trial.x), (steps, trial.batch))


def compare(
    trial: Trial, native: Any, numpy: Any, x: Any, y: Any, random: Random, least: float = 0.0
) -> float:
    """The same steps by both executors, from the same state; the largest loss. Losses below
    `least` count as that."""
    chosen, seed = order(trial, random, COMPARED), int(random.integers(1 << 31))
    weights = {name: value.clone() for name, value in trial.model.state_dict().items()}
    moments = deepcopy(trial.optimizer.state_dict())

    def outcome(program: Any, first: dict[str, Any]) -> tuple[Array, dict[str, Array]]:
        trial.model.load_state_dict(first)
        trial.optimizer.load_state_dict(moments)
        cg.manual_seed(seed)
        losses = program.scan(x, y, rows=chosen).numpy()
        state = trial.model.state_dict()
        return losses, {k: v.detach().numpy().copy() for k, v in state.items()}

    wanted, expected = outcome(numpy, weights)
    found, states = outcome(native, weights)
    of_losses, of_states = BOUNDS[str(trial.x.dtype)]
    agree("losses", off(found, wanted, least), of_losses)
    errors = {name: off(state, expected[name]) for name, state in states.items()}
    if not all(
        error <= of_states for error in errors.values()
    ):  # is that more than a rounding makes of itself?
        _, moved = outcome(numpy, {name: nudged(value) for name, value in weights.items()})
        outcome(native, weights)
        for name, error in errors.items():
            agree(name, error, max(of_states, CHAOS * off(moved[name], expected[name])))
    return float(np.abs(wanted).max())


def nudged(value: Any) -> Any:
    """The next larger numbers."""
    return cg.tensor(np.nextafter(value.numpy(), np.inf)) if value.is_floating_point() else value


def off(found: Array, wanted: Array, least: float = 0.0) -> float:
    """How far two arrays are apart, as a share of the largest number."""
    if wanted.dtype.kind != "f":
        return float((found != wanted).any())
    largest = max(float(np.abs(wanted).max(initial=0)), least, 1e-30)
    return float(np.abs(found.astype(float) - wanted).max(initial=0)) / largest


def agree(name: str, error: float, bound: float) -> None:
    if not error <= bound:
        raise Disagreement(f"{name}: native is {error:.2g} off, relative to the largest number")


def together(random: Random) -> None:
    """Two fits at once, in two Python threads, and one alone: the same losses, bit by bit."""
    seed, width = int(random.integers(1 << 31)), int(random.integers(2, 150))
    x = random.normal(size=(128, width)).astype(np.float32)
    y = random.integers(0, 10, 128)

    def made() -> Any:
        cg.manual_seed(seed)
        return nn.Sequential(nn.Linear(width, 130), nn.ReLU(), nn.Linear(130, 10))

    def fitted(model: Any, into: list[float]) -> None:
        history = cg.fit(
            model, x, y, loss="cross_entropy", epochs=10, executor="native", verbose=0, seed=seed
        )
        into += history["loss"]

    found: list[list[float]] = [[], [], []]
    models = [made() for _ in found]
    fitted(models[0], found[0])
    pairs = zip(models[1:], found[1:], strict=True)
    workers = [threading.Thread(target=fitted, args=pair) for pair in pairs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if not found[0] == found[1] == found[2]:
        raise Disagreement("two fits at once: their losses are not those of one alone")


# Memory.
def resident() -> int:
    """Bytes that this process holds in memory now; 0 where the system does not tell."""
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Memory:
    """The largest size while warming up, and the size now."""

    warm: int = 0
    now: int = 0

    def look(self, warming: bool) -> None:
        self.now = resident()
        if warming:
            self.warm = max(self.warm, self.now)

    @property
    def growth(self) -> int:
        return self.now - self.warm

    def __str__(self) -> str:
        return f"{self.now >> 20} MiB, {self.growth / 2**20:+.0f} since the warm-up"


# The run.
def main(arguments: Sequence[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="benchmarks.stress", description=__doc__.split("\n")[0])
    made.add_argument("--seconds", type=float, default=FULL, help="(default 7200)")
    made.add_argument("--quick", action="store_true", help="a minute")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--begin", type=int, default=1, help="the first trial's number")
    made.add_argument("--trials", type=int, default=sys.maxsize, help="no more than these")
    options = made.parse_args(arguments)
    seconds = QUICK if options.quick else options.seconds
    with TemporaryDirectory() as cache:
        os.environ["CHALKGRAD_CACHE"] = cache
        return _trials(seconds, options.seed, options.begin, options.trials)


def _trials(seconds: float, seed: int, begin: int, most: int) -> int:
    memory, started, steps, spoken = Memory(), monotonic(), 0, 0.0
    number = begin
    while number < begin + most and (gone := monotonic() - started) < seconds:
        random = np.random.default_rng([seed, number])
        cg.manual_seed(int(random.integers(1 << 31)))
        text = "two fits at once"
        try:
            if number % TOGETHER == 0:
                together(random)
            else:
                trial = drawn(random)
                text = trial.text
                steps += run(trial, random)
                del trial
        except Exception as error:
            print(f"FAULT trial {number} (seed {seed}): {text}\n{type(error).__name__}: {error}")
            return 1
        memory.look(warming=gone < seconds / 5)
        if memory.growth > GROWTH:
            print(f"FAULT trial {number}: {memory}, the bound is {GROWTH >> 20}")
            return 1
        if gone - spoken > 60:
            print(f"{gone:6.0f} s  trial {number}, {steps} native steps, {memory}", flush=True)
            spoken = gone
        number += 1
    print(f"{number - begin} trials, {steps} native steps, {memory}: no fault")
    return 0


if __name__ == "__main__":
    sys.exit(main())
