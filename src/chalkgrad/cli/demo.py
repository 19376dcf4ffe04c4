"""`chalkgrad demo`: a classifier of real handwritten digits, then the systems of the five
lectures."""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from chalkgrad import nn
from chalkgrad.core.errors import DataError
from chalkgrad.data import sets
from chalkgrad.tensor.random import manual_seed
from chalkgrad.training import metrics
from chalkgrad.training.fit import fit, predict


def demo(*, lectures: Annotated[bool, Parameter(negative="--no-lectures")] = True) -> int:
    """Train a classifier on real handwritten digits, then run the five lectures' systems.

    Parameters
    ----------
    lectures
        Run the lectures too.
    """
    digits()
    if lectures:
        for path in lecture_files():
            _heading(path.stem)
            started = time.perf_counter()
            runpy.run_path(str(path), run_name="__main__")
            print(f"({time.perf_counter() - started:.1f} s: python {_short(path)})")
    return 0


def digits(epochs: int = 40) -> float:
    """Train [64, 64, 10] on three quarters of the 1,797 digits; the accuracy on the rest."""
    _heading("handwritten digits")
    data = sets.load("digits")
    x, y, x_test, y_test = data.split(test=0.25, seed=0)
    print(f"{len(x)} images of 8x8 to learn from, {len(x_test)} held out ({data.source})")
    manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    history = fit(
        model, x / 16, y, loss="cross_entropy", optimizer="adam", epochs=epochs, validation=0.1
    )
    outputs = predict(model, x_test / 16)
    score = metrics.accuracy(outputs, y_test)
    print(history)
    print(f"accuracy on the {len(x_test)} images it never saw: {score:.2%}")
    wrong = (outputs.argmax(1) != y_test).nonzero()[0][:3]
    for k in wrong:
        _draw(x_test[k], f"a {y_test[k]} taken for a {outputs[k].argmax()}")
    return score


def lecture_files() -> list[Path]:
    """The lectures' programs: in the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (
        package / "examples" / "lectures",
        package.parent.parent / "examples" / "lectures",
    ):
        if found := sorted(folder.glob("lecture_*.py")):
            return found
    raise DataError("the lectures' files (examples/lectures/lecture_*.py) are not installed")


def _draw(image: object, title: str) -> None:
    print(f"  {title}:")
    for row in image.reshape(8, 8):  # type: ignore[attr-defined]
        print("    " + "".join(" ░▒▓█"[min(4, int(value * 5 / 17))] * 2 for value in row))


def _heading(text: str) -> None:
    print(f"\n━━ {text} {'━' * max(2, 74 - len(text))}", flush=True)
    sys.stderr.flush()


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
