"""Fresh processes: what it costs to begin, and whole programs that train XOR."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.engines import ENGINES
from benchmarks.machine import with_threads

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "numpy": [sys.executable, "-c", "import numpy"],
    "chalkgrad": [sys.executable, "-c", "import numpy, chalkgrad"],
    "help": [str(Path(sys.executable).with_name("chalkgrad")), "--help"],
}
NATIVE = "chalkgrad native"
COLD = f"{NATIVE}, empty cache"
PROGRAMS = (NATIVE, "torch eager", "jax scan", "scikit-learn")


def seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    start = perf_counter()
    subprocess.run(
        command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    return perf_counter() - start


def measure(rounds: int) -> dict[str, float]:
    """Medians of interleaved fresh processes, the first round (cold files) left out."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command, with_threads(1)))
    warm = {name: values[1:] for name, values in times.items()}
    beyond = [c - n for c, n in zip(warm["chalkgrad"], warm["numpy"], strict=True)]
    return {
        "import numpy": round(median(warm["numpy"]), 4),
        "import chalkgrad, beyond numpy": round(median(beyond), 4),
        "chalkgrad --help": round(median(warm["help"]), 4),
    }


def programs(rounds: int, threads: int) -> dict[str, float]:
    """The same for `benchmarks.whole`, by engine; ours with an empty cache, too."""
    names = [name for name in PROGRAMS if ENGINES[name].installed]
    times: dict[str, list[float]] = {name: [] for name in [NATIVE, COLD, *names]}
    with TemporaryDirectory() as kept:
        for _ in range(rounds + 1):
            for name in names:
                times[name].append(_program(name, threads, kept))
            with TemporaryDirectory() as empty:
                times[COLD].append(_program(NATIVE, threads, empty))
    return {name: round(median(values[1:]), 4) for name, values in times.items()}


def _program(engine: str, threads: int, cache: str) -> float:
    command = [sys.executable, "-m", "benchmarks.whole", engine]
    return seconds(command, with_threads(threads) | {"CHALKGRAD_CACHE": cache})
