"""Where a native step's time goes, kernel by kernel, on one thread: `python -m benchmarks.profile`.

A kernel's arithmetic is what its products' floating-point operations take at the processor's peak
(`benchmarks.limit`). What is above it is memory, the update's divisions and roots (Adam has three
for each parameter, which no unit starts more often than every few cycles), and waiting. The batch
is at hand: gathering records is in the long runs of `benchmarks.run`, and not in these.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES
from benchmarks.engines import native
from benchmarks.machine import bind, with_threads
from chalkgrad.transform.trace import trace

ROOT = Path(__file__).parents[1]
RUNS = 5  # of which the fastest counts: other guests of the machine only make it slower


def measure(case: str) -> dict[str, Any]:
    """µs a step, and of each kernel: what it writes, µs, and operations of products."""
    command = [sys.executable, "-m", "benchmarks.profile", "--json", "--cases", case]
    run = subprocess.run(command, check=True, cwd=ROOT, env=with_threads(1), capture_output=True)
    found: dict[str, Any] = json.loads(run.stdout)[case]
    return found


def profile(case: str) -> dict[str, Any]:
    """The same, in this process."""
    training = native.prepare(CASES[case], scan=False)
    batch = slice(CASES[case].batch)
    x, y = training.x[batch], training.y[batch]
    kernels = trace(training.program.function, x, y).kernels()
    arrays = {"x": x.numpy(), "y": y.numpy()}
    times = min((kernels.time(arrays) for _ in range(RUNS)), key=lambda found: found.step)
    return {
        "step": round(times.step, 3),
        "kernels": [
            {"writes": _what(shown.title), "microseconds": round(spent, 3), "flops": shown.flops}
            for shown, spent in zip(times.kernels, times.spent, strict=True)
        ],
    }


def _what(title: str) -> str:
    """`kernel 2   %36   [3.conv2d]` without its number."""
    return " ".join(title.split()[2:])


def main() -> None:
    made = argparse.ArgumentParser(prog="benchmarks.profile")
    made.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    made.add_argument("--json", action="store_true")
    options = made.parse_args()
    bind(1)
    found = {case: profile(case) for case in options.cases}
    if options.json:
        print(json.dumps(found))
        return
    for case, one in found.items():
        print(f"\n{case}: {one['step']:.2f} µs a step")
        for kernel in one["kernels"]:
            print(f"{kernel['microseconds']:10.2f} µs   {kernel['writes']}")


if __name__ == "__main__":
    main()
