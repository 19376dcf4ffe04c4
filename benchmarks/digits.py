"""How well `fit` learns the handwritten digits: mean test accuracy over five seeds.

    python -m benchmarks.digits

A seed decides the split (25 % held out, by class), the initial weights, the order of the batches
and dropout. The epoch is chosen by a validation share of the training part; the held-out part is
looked at once, at the end.
"""

from __future__ import annotations

import statistics
import sys
import time

from chalkgrad.cli.demo import CONVOLUTIONAL, DENSE, learn

SEEDS = range(5)
FLOORS = {DENSE: 0.97, CONVOLUTIONAL: 0.985}


def main() -> int:
    """Print each network's accuracies; 1 if a mean is below its floor."""
    reached = []
    for design, floor in FLOORS.items():
        started = time.perf_counter()
        scores = [learn(design, seed).accuracy for seed in SEEDS]
        mean, deviation = statistics.mean(scores), statistics.stdev(scores)
        seconds = (time.perf_counter() - started) / len(scores)
        print(
            f"{design.name}: {mean:.2%} ± {deviation:.2%} over seeds 0-4 (at least {floor:.1%}), "
            f"{seconds:.1f} s each: {', '.join(f'{score:.2%}' for score in scores)}"
        )
        reached.append(mean >= floor)
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
