"""Measure chalkgrad and its peers: `python -m benchmarks.run [--quick] [--json FILE]`.

All engines of a case are alive at once and take turns, in another order each round, so that a
slow moment of the machine hits them alike. What is printed are medians over the rounds; a ratio
is the median of the rounds' own ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError
from time import sleep
from typing import Any

from benchmarks import startup
from benchmarks.cases import CASES, Case
from benchmarks.engines import ENGINES, Engine
from benchmarks.worker import EngineFailed, Worker

AGREEMENT = 1e-3  # relative: float32 losses after one chunk of the same batches


@dataclass(frozen=True)
class Effort:
    rounds: int
    seconds: float  # of one engine in one round


FULL, QUICK = Effort(9, 0.3), Effort(3, 0.1)
BUSY = 0.5  # a mean load above this before we begin: other programs' threads would meet ours


@dataclass(frozen=True)
class Result:
    """One engine on one case."""

    rounds: tuple[float, ...]  # µs per step
    first_chunk_seconds: float  # building, tracing and compiling included
    loss: float  # over all records, after the first chunk

    @property
    def microseconds(self) -> float:
        return median(self.rounds)

    def ratio(self, baseline: Result) -> float:
        return median(a / b for a, b in zip(self.rounds, baseline.rounds, strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    effort = QUICK if options.quick else FULL
    engines = [engine for engine in ENGINES.values() if engine.name in options.engines]
    report = Report(options.threads)
    print(describe_machine(options.threads), flush=True)
    for case in (CASES[name] for name in options.cases):
        results = report.measure(case, engines, effort)
        print(table(case, results, options.baseline), flush=True)
        report.compare_losses(case, results)
    if options.startup:
        print(report.measure_startup(effort))
    if options.json:
        options.json.write_text(json.dumps(report.document(), indent=1) + "\n", encoding="utf-8")
    return 1 if report.faults else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__.split("\n")[0])
    made.add_argument("--quick", action="store_true", help="fewer, shorter rounds")
    made.add_argument("--json", type=Path, metavar="FILE", help="write every round's time")
    made.add_argument("--threads", type=int, default=2, help="of every engine (default 2)")
    made.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    made.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    made.add_argument("--baseline", choices=ENGINES, default="torch eager", help="of the ratios")
    made.add_argument("--no-startup", dest="startup", action="store_false")
    return made


class Report:
    """What was measured, and what went wrong, which is printed as it happens."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.cases: dict[str, dict[str, Result]] = {}
        self.startup: dict[str, float] = {}
        self.faults: list[str] = []

    def fault(self, text: str) -> None:
        self.faults.append(text)
        print(f"FAULT {text}", file=sys.stderr)

    def measure(self, case: Case, engines: list[Engine], effort: Effort) -> dict[str, Result]:
        workers = self._start(case, engines)
        rounds: dict[str, list[float]] = {name: [] for name in workers}
        try:
            steps = {name: w.steps_lasting(effort.seconds) for name, w in workers.items()}
            for turn in range(effort.rounds):
                for name in rotated(list(workers), turn):
                    sleep(0.02)  # lets the last engine's threads stop spinning
                    seconds = workers[name].seconds(steps[name])
                    rounds[name].append(1e6 * seconds / steps[name])
        finally:
            for worker in workers.values():
                worker.close()
        self.cases[case.name] = {
            name: Result(tuple(rounds[name]), worker.ready.seconds, worker.ready.loss)
            for name, worker in workers.items()
        }
        return self.cases[case.name]

    def _start(self, case: Case, engines: list[Engine]) -> dict[str, Worker]:
        workers: dict[str, Worker] = {}
        for engine in engines:
            if not engine.installed:
                print(f"skipped {engine.name}: {engine.package} is not installed", file=sys.stderr)
            elif engine.handles(case):
                try:
                    workers[engine.name] = Worker(engine.name, case.name, self.threads)
                except EngineFailed as failure:
                    self.fault(f"{engine.name} on {case.name}: {failure}")
        return workers

    def compare_losses(self, case: Case, results: dict[str, Result]) -> None:
        """Same first weights and same batches: every engine must have trained the same network."""
        known = {name: r.loss for name, r in results.items() if ENGINES[name].same_batches}
        if not known:
            return
        middle = median(known.values())
        for name, loss in known.items():
            if not abs(loss - middle) <= AGREEMENT * middle:
                self.fault(f"{name} on {case.name}: loss {loss:.6f}, the others {middle:.6f}")

    def measure_startup(self, effort: Effort) -> str:
        try:
            self.startup = startup.measure(effort.rounds)
        except CalledProcessError as failure:
            message = failure.stderr.decode().strip().split("\n")[-1]
            self.fault(f"{' '.join(failure.cmd)}: {message}")
        return "".join(f"{name:<32}{value:8.3f} s\n" for name, value in self.startup.items())

    def document(self) -> dict[str, object]:
        cases = {
            case: {name: asdict(r) | {"microseconds": r.microseconds} for name, r in rs.items()}
            for case, rs in self.cases.items()
        }
        facts = machine() | {"threads": self.threads}
        return {
            "machine": facts,
            "cases": cases,
            "startup_seconds": self.startup,
            "faults": self.faults,
        }


def rotated(names: list[str], turn: int) -> list[str]:
    start = turn % len(names) if names else 0
    return names[start:] + names[:start]


def table(case: Case, results: dict[str, Result], baseline: str) -> str:
    """Fastest first; × is the time relative to the baseline's."""
    lines = [f"\n{case.name}, batch {case.batch}", f"{'':<18}{'µs/step':>10}{'×':>8}{'first s':>9}"]
    for name, result in sorted(results.items(), key=lambda item: item[1].microseconds):
        ratio = digits(result.ratio(results[baseline])) if baseline in results else ""
        first = f"{result.first_chunk_seconds:.2f}"
        lines.append(f"{name:<18}{digits(result.microseconds):>10}{ratio:>8}{first:>9}")
    return "\n".join(lines)


def digits(value: float) -> str:
    """Three significant digits, and no exponent."""
    places = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 4
    return f"{value:.{places}f}"


def machine() -> dict[str, Any]:
    versions = {}
    for package in ("chalkgrad", "numpy", "torch", "jax", "scikit-learn"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def describe_machine(threads: int) -> str:
    facts = machine()
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    text = f"{facts['processor']}, {threads} threads\n{versions}"
    load = facts["load_before"] or 0.0
    if load > BUSY:
        text += f"\nThe machine is busy (load {load:.1f}): engines with threads suffer most."
    return text


if __name__ == "__main__":
    sys.exit(main())
