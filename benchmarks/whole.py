"""A whole program: start Python, train XOR for 10,000 epochs, exit.

python -m benchmarks.whole "chalkgrad native"
"""

from __future__ import annotations

import argparse

from benchmarks.cases import CASES
from benchmarks.engines import ENGINES

EPOCHS = 10_000


def main() -> None:
    """Train, and print the loss."""
    made = argparse.ArgumentParser(prog="benchmarks.whole")
    made.add_argument("engine", choices=ENGINES)
    training = ENGINES[made.parse_args().engine].prepare(CASES["xor"])
    training(EPOCHS)
    print(f"{training.loss():.6f}")


if __name__ == "__main__":
    main()
