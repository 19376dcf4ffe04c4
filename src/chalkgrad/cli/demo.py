"""`chalkgrad demo`: classifiers of real digits, the lectures' systems, a derivation, a marking."""

from __future__ import annotations

import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from cyclopts import Parameter

from chalkgrad import nn, optim
from chalkgrad.check import check
from chalkgrad.core.files import lecture_files
from chalkgrad.core.graph import Array
from chalkgrad.data import sets
from chalkgrad.explain import explain
from chalkgrad.tensor.random import manual_seed
from chalkgrad.training import metrics
from chalkgrad.training.fit import fit, predict
from chalkgrad.training.history import History


def demo(*, lectures: Annotated[bool, Parameter(negative="--no-lectures")] = True) -> int:
    """Learn real handwritten digits, run the systems of five lectures, derive and mark.

    Parameters
    ----------
    lectures
        Run the lectures too.
    """
    digits()
    if lectures:
        programs = lecture_files("lecture_*.py")
        for path in programs:
            _heading(path.stem)
            started = time.perf_counter()
            runpy.run_path(str(path), run_name="__main__")
            print(f"({time.perf_counter() - started:.1f} s: python {_short(path)})")
        shown_work(programs[0].parent)
    _heading("what next")
    print(
        "chalkgrad studio     step through all of this in a page of your browser\n"
        '                     (pip install "chalkgrad[studio]")\n'
        "chalkgrad --help     your own table, worksheet or working"
    )
    return 0


def shown_work(folder: Path) -> None:
    """A gradient derived as on the board, and a lecture's own working marked."""
    sheet = folder / "lecture_001.toml"
    _heading("a gradient, derived from the graph that ran")
    print(f"chalkgrad explain {_short(sheet)} --wrt w5\n")
    print(explain(sheet, ["w5"]).to_text())
    sheet = folder / "lecture_002.toml"
    _heading("a lecture's working, marked")
    print(f"chalkgrad check {_short(sheet)} {_short(sheet.with_suffix('.answers'))}\n")
    print(check(sheet, sheet.with_suffix(".answers")))


class Design(NamedTuple):
    """A network for the digits, and how long it is trained."""

    name: str
    build: Callable[[], nn.Sequential]
    epochs: int


def dense() -> nn.Sequential:
    """64 pixels, 128 hidden units, 10 classes."""
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))


def convolutional() -> nn.Sequential:
    """Two layers of 3x3 filters on the 8x8 image, then 10 classes."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 10),
    )  # fmt: skip


DENSE = Design("a dense network, 64-128-10", dense, 60)
CONVOLUTIONAL = Design("a small convolutional network", convolutional, 15)


class Learned(NamedTuple):
    """A trained network's answers for the images that it never saw."""

    history: History
    images: Array
    labels: Array
    outputs: Array

    @property
    def accuracy(self) -> float:
        return metrics.accuracy(self.outputs, self.labels)


def learn(design: Design, seed: int) -> Learned:
    """Train on three quarters of the digits, 15 % of which choose the epoch; test on the rest."""
    x, y, x_test, y_test = sets.load("digits").split(test=0.25, seed=seed)
    manual_seed(seed)
    model = design.build()
    history = fit(
        model, x / 16, y, loss="cross_entropy", epochs=design.epochs, validation=0.15, seed=seed,
        optimizer=lambda parameters: optim.AdamW(parameters, lr=3e-3), verbose=0,
        scheduler=lambda optimizer: optim.lr_scheduler.CosineAnnealingLR(optimizer, design.epochs),
    )  # fmt: skip
    return Learned(history, x_test, y_test, predict(model, x_test / 16))


def digits() -> None:
    """Train both networks and say how well they do."""
    _heading("handwritten digits")
    data = sets.load("digits")
    print(f"{data.description}. Source: {data.source}")
    for design in (DENSE, CONVOLUTIONAL):
        started = time.perf_counter()
        found = learn(design, seed=0)
        seconds = time.perf_counter() - started
        trained = len(data.y) - len(found.labels)
        print(f"\n{design.name}, trained on {trained} images in {seconds:.1f} s ", end="")
        print(f"(best of {design.epochs} epochs: {found.history.best_epoch})")
        print(f"  loss {_curve(found.history)}")
        print(f"  right on {found.accuracy:.1%} of {len(found.labels)} images it never saw")
        answers = found.outputs.argmax(1)
        wrong = np.flatnonzero(answers != found.labels)[:3]
        titles = [f"{_digit(found.labels[k])} taken for {_digit(answers[k])}" for k in wrong]
        _draw([found.images[k].reshape(8, 8) for k in wrong], titles)


def _curve(history: History) -> str:
    return repr(history).partition("loss ")[2].partition(";")[0]


def _draw(images: list[Array], titles: list[str]) -> None:
    """Images side by side."""
    for row in range(8):
        lines = ["".join(" ░▒▓█"[min(4, int(v * 5 / 17))] * 2 for v in im[row]) for im in images]
        print("    " + "      ".join(lines))
    print("    " + "".join(f"{title:<22}" for title in titles).rstrip())


def _digit(label: int) -> str:
    return f"an {label}" if label == 8 else f"a {label}"


def _heading(text: str) -> None:
    print(f"\n━━ {text} {'━' * max(2, 74 - len(text))}", flush=True)
    sys.stderr.flush()


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
