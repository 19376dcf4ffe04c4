"""Measure chalkgrad and its peers: `python -m benchmarks.run [--quick] [--json FILE]`.

All engines of a case are alive at once and take turns, in another order each round, so that a
slow moment of the machine hits them alike. What is printed are medians over the rounds; a ratio
is the median of the rounds' own ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

from benchmarks import first, limit, page, profile, startup
from benchmarks.cases import CASES, Case
from benchmarks.engines import ENGINES, Engine
from benchmarks.machine import describe, machine
from benchmarks.worker import EngineFailed, Worker

AGREEMENT = 1e-3  # relative: float32 losses after one chunk of the same batches


@dataclass(frozen=True)
class Effort:
    rounds: int
    seconds: float  # of one engine in one round
    processes: int  # fresh ones, of each kind


FULL, QUICK = Effort(9, 0.3, 7), Effort(3, 0.1, 2)


def main(arguments: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = parser().parse_args(words)
    effort = QUICK if options.quick else FULL
    effort = replace(effort, rounds=options.rounds or effort.rounds)
    effort = replace(effort, seconds=options.seconds or effort.seconds)
    report = Report(effort, words)
    print(describe(report.document["machine"]), flush=True)
    cases = [CASES[name] for name in options.cases]
    engines = [engine for engine in ENGINES.values() if engine.name in options.engines]
    for threads in options.threads:
        print(f"\n{threads} thread{'s' if threads > 1 else ''}", flush=True)
        for case in cases:
            report.measure(case, engines, threads)
            print(table(case, report.results(threads, case), options.baseline), flush=True)
        report.limits(cases, threads)
    if options.startup:
        report.beginnings(cases, max(options.threads))
    print(f"\n{page.summary(report.document)}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report.document, indent=1, ensure_ascii=False)
        options.json.write_text(page.compact(text) + "\n", encoding="utf-8")
        print(f"{page.COMMAND} {options.json}   writes these numbers to {page.WHERE}")
    return 1 if report.document["faults"] else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__.split("\n")[0])
    made.add_argument("--quick", action="store_true", help="fewer, shorter rounds")
    made.add_argument("--rounds", type=int, help="of each case (default 9, quick 3)")
    made.add_argument("--seconds", type=float, help="of an engine in a round (0.3, quick 0.1)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write every round's time")
    threads = "of every engine; for several numbers, a run each (default 1 2)"
    made.add_argument("--threads", type=int, nargs="+", default=[1, 2], help=threads)
    made.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    made.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    made.add_argument("--baseline", choices=ENGINES, default="torch eager", help="of the ratios")
    fresh = "without the fresh processes: first results, whole programs"
    made.add_argument("--no-startup", dest="startup", action="store_false", help=fresh)
    return made


class Report:
    """What was measured, as JSON has it, and what went wrong, which is printed as it happens.

    document ::= {command, date, effort, machine, faults,
                  steps:   {threads: {case: {engine: {microseconds, rounds, first_chunk_seconds,
                                                      loss}}}},
                  limits:  {threads: {gflops, gigabytes: {case: GB/s}, floors: {case: µs}}},
                  first:   {case: {cold | cached: {part: seconds}}},
                  profiles: {case: {step: µs, kernels: [{writes, microseconds, flops}]}},
                  programs: {name: seconds}, startup: {name: seconds}}
    """

    def __init__(self, effort: Effort, words: Sequence[str] = ()) -> None:
        self.effort = effort
        self.document: dict[str, Any] = {
            "command": shlex.join(["python", "-m", "benchmarks.run", *words]),
            "date": date.today().isoformat(),
            "effort": {"rounds": effort.rounds, "seconds": effort.seconds},
            "machine": machine(),
            "faults": [],
            "steps": {},
            "limits": {},
            "first": {},
            "profiles": {},
            "programs": {},
            "startup": {},
        }

    def results(self, threads: int, case: Case) -> dict[str, Any]:
        """Of every engine; none where one of them has failed."""
        found: dict[str, Any] = self.document["steps"].get(str(threads), {}).get(case.name, {})
        return found

    def fault(self, text: str) -> None:
        self.document["faults"].append(text)
        print(f"FAULT {text}", file=sys.stderr)

    def measure(self, case: Case, engines: list[Engine], threads: int) -> None:
        """Every engine's steps; compiled ones begin with an empty cache."""
        with TemporaryDirectory() as empty:
            os.environ["CHALKGRAD_CACHE"] = empty
            workers = self._start(case, engines, threads)
            try:
                rounds = self._rounds(workers)
            except EngineFailed as failure:
                self.fault(f"{case.name}, {threads} threads: {failure}")
                return
            finally:
                for worker in workers.values():
                    worker.close()
                del os.environ["CHALKGRAD_CACHE"]
        self.document["steps"].setdefault(str(threads), {})[case.name] = {
            name: {
                "microseconds": significant(median(rounds[name])),
                "rounds": [significant(time) for time in rounds[name]],
                "first_chunk_seconds": round(worker.ready.seconds, 3),
                "loss": significant(worker.ready.loss, 8),
            }
            for name, worker in workers.items()
        }
        self.compare_losses(case, self.results(threads, case))

    def _start(self, case: Case, engines: list[Engine], threads: int) -> dict[str, Worker]:
        workers: dict[str, Worker] = {}
        for engine in engines:
            if not engine.installed:
                print(f"skipped {engine.name}: {engine.package} is not installed", file=sys.stderr)
            elif engine.handles(case):
                try:
                    workers[engine.name] = Worker(engine.name, case.name, threads)
                except EngineFailed as failure:
                    self.fault(f"{engine.name} on {case.name}: {failure}")
        return workers

    def _rounds(self, workers: dict[str, Worker]) -> dict[str, list[float]]:
        rounds: dict[str, list[float]] = {name: [] for name in workers}
        steps = {name: w.steps_lasting(self.effort.seconds) for name, w in workers.items()}
        for turn in range(self.effort.rounds):
            for name in rotated(list(workers), turn):
                sleep(0.02)  # lets the last engine's threads stop spinning
                rounds[name].append(1e6 * workers[name].seconds(steps[name]) / steps[name])
        return rounds

    def compare_losses(self, case: Case, results: dict[str, Any]) -> None:
        """Same first weights and same batches: every engine must have trained the same network."""
        known = {name: r["loss"] for name, r in results.items() if ENGINES[name].same_batches}
        if not known:
            return
        middle = median(known.values())
        for name, loss in known.items():
            if not abs(loss - middle) <= AGREEMENT * middle:
                self.fault(f"{name} on {case.name}: loss {loss:.6f}, the others {middle:.6f}")

    def limits(self, cases: Sequence[Case], threads: int) -> None:
        """What the processor could do, and so the least time of each case's step."""
        found = self._tried(partial(limit.measure, threads))
        if found:
            floors = {case.name: significant(limit.floor(case, found)) for case in cases}
            self.document["limits"][str(threads)] = found | {"floors": floors}

    def beginnings(self, cases: Sequence[Case], threads: int) -> None:
        """Everything that needs fresh processes."""
        count = self.effort.processes
        for case in cases:
            found = self._tried(partial(first.measure, case.name, threads, count))
            if found:
                self.document["first"][case.name] = found
            if found := self._tried(partial(profile.measure, case.name)):
                self.document["profiles"][case.name] = found
        self.document["programs"] = self._tried(partial(startup.programs, count, threads))
        self.document["startup"] = self._tried(partial(startup.measure, count))

    def _tried(self, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return run()
        except CalledProcessError as failure:
            message = failure.stderr.decode().strip().split("\n")[-1]
            self.fault(f"{' '.join(failure.cmd)}: {message}")
            return {}


def rotated(names: list[str], turn: int) -> list[str]:
    start = turn % len(names) if names else 0
    return names[start:] + names[:start]


def significant(value: float, count: int = 5) -> float:
    """The number with so many significant digits: more would be noise in a file."""
    return float(f"{value:.{count}g}")


def table(case: Case, results: dict[str, Any], baseline: str) -> str:
    """Fastest first; × is the time relative to the baseline's."""
    lines = [f"\n{case.name}, batch {case.batch}", f"{'':<18}{'µs/step':>10}{'×':>8}{'first s':>9}"]
    for name, result in sorted(results.items(), key=lambda item: item[1]["microseconds"]):
        base = results.get(baseline)
        ratio = page.digits(page.ratio(result, base)) if base else ""
        time, start = page.digits(result["microseconds"]), f"{result['first_chunk_seconds']:.2f}"
        lines.append(f"{name:<18}{time:>10}{ratio:>8}{start:>9}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
