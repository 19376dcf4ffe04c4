"""How long until the first result: a case's step compiled by a fresh process.

    python -m benchmarks.first "xor"        one process; CHALKGRAD_CACHE says where it looks

Once with an empty cache folder, then with what that left there. Counted is everything between the
person's call and its answer but the step itself, which a second call tells: llvmlite's import
(where it is needed), tracing the Python function, the way from the graph to LLVM's text, LLVM,
loading the machine code, and what is left (looking into the cache, memory for the program).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.cases import CASES, epochs
from benchmarks.engines import native
from benchmarks.machine import bind, with_threads

ROOT = Path(__file__).parents[1]
PARTS = {  # what is watched: a module's attribute, and what it is part of
    "llvmlite": ("chalkgrad.machine.host", "library"),
    "trace": ("chalkgrad.executors.compiled", "Prepared.of"),
    "lower": ("chalkgrad.compiler.build", "written"),
    "llvm": ("chalkgrad.machine.jit", "compile_modules"),
    "load": ("chalkgrad.machine.jit", "load"),
}


def measure(case: str, threads: int, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds, cold and cached: medians over rounds, part by part, and of the total."""
    found: dict[str, list[dict[str, float]]] = {"cold": [], "cached": []}
    for _ in range(rounds):
        with TemporaryDirectory() as folder:
            for kind in found.values():
                kind.append(_process(case, threads, folder))
    return {
        name: {part: round(median(one[part] for one in runs), 5) for part in runs[0]}
        for name, runs in found.items()
    }


def _process(case: str, threads: int, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.first", case, "--threads", str(threads)]
    environment = with_threads(threads) | {"CHALKGRAD_CACHE": folder}
    run = subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True)
    found: dict[str, float] = json.loads(run.stdout)
    return found


def main() -> None:
    made = argparse.ArgumentParser(prog="benchmarks.first")
    made.add_argument("case", choices=CASES)
    made.add_argument("--threads", type=int, default=2)
    options = made.parse_args()
    bind(options.threads)
    print(json.dumps(parts(options.case)))


def parts(name: str) -> dict[str, float]:
    """Where the time of a first call goes, in this process."""
    case = CASES[name]
    training = native.prepare(case, scan=True)
    form: dict[str, Any] = {"rows": next(epochs(case))[:1]} if case.shuffled else {"steps": 1}
    seconds = {part: _watched(*place) for part, place in PARTS.items()}

    def call() -> None:
        training.program.scan(training.x, training.y, **form)

    whole = _seconds(call)
    spent = {part: sum(times) for part, times in seconds.items()}
    step = min(_seconds(call) for _ in range(3))
    total = whole - step
    return {**spent, "rest": total - sum(spent.values()), "total": total}


def _seconds(run: Callable[[], object]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start


def _watched(module: str, path: str) -> list[float]:
    """The seconds that each call of a function will take."""
    times: list[float] = []
    owner: Any = import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    run = getattr(owner, name)

    def timed(*arguments: Any, **options: Any) -> Any:
        start = perf_counter()
        try:
            return run(*arguments, **options)
        finally:
            times.append(perf_counter() - start)

    setattr(owner, name, timed)
    return times


if __name__ == "__main__":
    main()
