"""What an explanation costs: `python -m benchmarks.explaining`.

Times are medians of several runs in one process, after a first one that imports and warms up.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.explain import Derivation, explain

LECTURES = Path(__file__).parent.parent / "examples" / "lectures"
_RUNS = 7


def median_seconds(run: Callable[[], object]) -> float:
    """The median time of a call."""
    run()
    times = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def one_weight(batch: int) -> Callable[[], Derivation]:
    """The derivation of one weight of a [784, 256, 128, 10] network, with Adam's update."""
    cg.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    images, labels = cg.rand(batch, 784), cg.randint(0, 10, (batch,))
    optimizer = cg.optim.Adam(model.parameters(), lr=1e-3)
    loss = nn.CrossEntropyLoss()(model(images), labels)
    return lambda: explain(loss, (model[0].weight, (3, 100)), optimizer=optimizer)


def main() -> None:
    """Print a line for each case."""
    print(f"{'case':44} {'derive':>9} {'as text':>9} {'lines':>6}")
    cases: dict[str, Callable[[], Derivation]] = {
        "lecture 001, eight weights": lambda: explain(LECTURES / "lecture_001.toml"),
        "J = 3(x + yz)": lambda: explain(LECTURES / "lecture_004.toml"),
        "one weight of [784,256,128,10], batch 1": one_weight(1),
        "one weight of [784,256,128,10], batch 128": one_weight(128),
    }
    for name, run in cases.items():
        seconds, derivation = median_seconds(run), run()
        text = derivation.to_text()
        writing = median_seconds(derivation.to_text)
        print(f"{name:44} {seconds:7.3f} s {writing:7.3f} s {text.count(chr(10)):6}")


if __name__ == "__main__":
    main()
