"""Mark a generated corpus: `python -m benchmarks.marking [--count N] [--seed S]`.

Random layered networks are worked by hand, in plain numbers, rightly or with planted slips; the
person goes on from the number that they wrote. The report says how many right workings are called
wrong, and how many slips are flagged on their line and named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from time import perf_counter

from benchmarks.marking.people import Case, case
from benchmarks.marking.report import Said, Tally
from chalkgrad.check import check

TRIVIAL = "nothing to follow from"
FINE = ("correct", "follows", "wrong")


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    tally = Tally()
    work = partial(marked, options.seed)
    if options.workers > 1:
        with ProcessPoolExecutor(options.workers) as pool:
            results = list(pool.map(work, range(options.count), chunksize=16))
    else:
        results = [work(index) for index in range(options.count)]
    for one, said in results:
        tally.add(one, said)
    print(tally)
    for fault in tally.faults[: options.show]:
        print("\n" + fault)
    return 0 if tally.reached else 1


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="benchmarks.marking", description=__doc__.split("\n")[0])
    made.add_argument("--count", type=int, default=2000, help="workings (default 2000)")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--workers", type=int, default=1, help="processes")
    made.add_argument("--show", type=int, default=0, help="so many faults in full")
    return made


def marked(seed: int, index: int) -> tuple[Case, Said]:
    """One working, generated and checked."""
    one = case(seed, index)
    began = perf_counter()
    report = check(one.net.toml(), one.text)
    seconds = perf_counter() - began
    made = Said([], [], {}, [], seconds)
    for judged in report.lines:
        verdict = judged.verdict.value
        if verdict == "wrong":
            made.wrong.append(judged.line - 1)
            made.names[judged.line - 1] = [mistake.name for mistake in judged.mistakes]
            if TRIVIAL in made.names[judged.line - 1]:
                made.trivial.append(judged.line - 1)
        elif verdict not in FINE:
            made.other.append(f"{judged.text}: {verdict}")
    return one, made


if __name__ == "__main__":
    sys.exit(main())
