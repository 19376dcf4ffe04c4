"""The page of performance, from a run's JSON: docs/performance.md.

    python -m benchmarks.page                  write the page again, from benchmarks/results.json
    python -m benchmarks.page times.json       keep this run as benchmarks/results.json, and write
    python -m benchmarks.page --check          fail when the page is not what would be written

No number of the page is typed: the last section, too, is computed from the run.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cases import CASES
from benchmarks.engines import ENGINES
from benchmarks.goals import CACHED, COLD, GOALS, PROCESS
from benchmarks.machine import busy

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results.json"
PAGE = ROOT / "docs/performance.md"
COMMAND, WHERE = "python -m benchmarks.page", "docs/performance.md"
NATIVE, FIT = "chalkgrad native", "chalkgrad fit"
TORCH, JAX = ("torch eager", "torch fused"), ("jax scan", "jax step")
COLD_PROGRAM = f"{NATIVE}, empty cache"

PARTS = "steps", "limits", "first", "profiles", "programs", "startup"  # of a whole run
PART = 0.05  # of a step, from which a kernel has a line of its own
SOUND = 0.8  # of threads times the peak of one: less, and something else was running

Document = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="benchmarks.page", description=__doc__.split("\n")[0])
    made.add_argument("run", type=Path, nargs="?", help="the JSON of a whole run, to be kept")
    made.add_argument("--check", action="store_true", help="write nothing")
    options = made.parse_args(arguments)
    if options.run and (missing := lacking(json.loads(options.run.read_text("utf-8")))):
        print(f"{options.run} is no whole run: {missing}", file=sys.stderr)
        return 1
    if options.run and options.run.resolve() != RESULTS:
        shutil.copyfile(options.run, RESULTS)
    text = page(json.loads(RESULTS.read_text("utf-8")))
    if options.check:
        current = PAGE.exists() and PAGE.read_text("utf-8") == text
        print(f"{WHERE} is {'up to date' if current else f'stale: run `{COMMAND}`'}")
        return 0 if current else 1
    PAGE.write_text(text, encoding="utf-8")
    print(f"wrote {WHERE}")
    return 0


def lacking(run: Document) -> str:
    """What a run lacks for a page; empty if nothing."""
    if run["faults"]:
        return f"it had a fault, {run['faults'][0]}"
    for threads, cases in run["steps"].items():
        for name in CASES:
            absent = [e for e in (NATIVE, FIT, *JAX, "torch eager") if e not in cases.get(name, {})]
            if absent:
                return f"{name} on {threads} threads has no {absent[0]}"
    parts = [part for part in PARTS if not run[part]]
    return f"it has no {parts[0]}" if parts else ""


# The numbers.
def ratio(result: Document, base: Document) -> float:
    """How many times as long as the base's a step takes: the median of the rounds' own ratios."""
    pairs = zip(result["rounds"], base["rounds"], strict=True)
    return float(median([a / b for a, b in pairs]))


def best(results: Document, names: Sequence[str], of: str = NATIVE) -> tuple[str, float] | None:
    """The fastest of some peers, and its time over ours."""
    if of not in results:
        return None
    found = [(ratio(results[name], results[of]), name) for name in names if name in results]
    return (min(found)[1], min(found)[0]) if found else None


def scaling(run: Document, threads: str) -> float:
    """How many times the peak of one thread these threads reach, as a share of their number."""
    found = run["limits"][threads]
    one = found.get("gflops_of_one") or run["limits"].get("1", found)["gflops"]
    return float(found["gflops"] / (int(threads) * one))


def least(run: Document, threads: str, case: str) -> float | None:
    """The floor of a step in µs; None where the limit was not measured on processors of our own.

    A peak that is too low makes a floor that is too high, and would call goals out of reach that
    are not.
    """
    if threads not in run["limits"] or scaling(run, threads) < SOUND:
        return None
    floor: float | None = run["limits"][threads]["floors"].get(case)
    return floor


def reached(run: Document, threads: str, case: str) -> float | None:
    """The share of the processor's limit that the native step reaches."""
    floor = least(run, threads, case)
    result = run["steps"][threads].get(case, {}).get(NATIVE)
    return floor / result["microseconds"] if floor and result else None


def digits(value: float) -> str:
    """Three significant digits, and no exponent."""
    places = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 4
    return f"{value:.{places}f}"


def percent(value: float | None) -> str:
    """A share in per cent, two digits where it is small."""
    if value is None:
        return ""
    return f"{100 * value:.2g} %" if value < 0.1 else f"{100 * value:.0f} %"


def seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def several(threads: str) -> str:
    return "one thread" if threads == "1" else f"{threads} threads"


# The page.
INTRO = """# Performance

Written by `{command}` from [`results.json`](../benchmarks/results.json), the document of one run;
every number here, and the list of what we lose, is computed from it. How it was measured, and what
makes the numbers comparable: [Benchmarks](../benchmarks/README.md).

| | |
|---|---|
| command | `{run}` |
| date | {date} |
| machine | {processor}, {processors} processors, {system}, Python {python} |
| packages | {packages} |
| effort | {rounds} rounds of {seconds} s for each engine and case |
{load}
```sh
make bench                                    # measures, and prints what stands here
{command} build/benchmarks.json   # writes the page
```
"""


def page(run: Document) -> str:
    """The whole page."""
    machine = run["machine"]
    load = ""
    if busy(machine):
        load = (
            f"\n**The machine was busy before the run began (load {machine['load_before']:.1f}), "
            "so these times are no measure of anything.**\n"
        )
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    intro = INTRO.format(
        command=COMMAND, run=run["command"], date=run["date"], processor=machine["processor"],
        processors=machine["processors"], system=machine["system"], python=machine["python"],
        packages=versions, load=load, **run["effort"],
    )  # fmt: skip
    return intro + "\n" + summary(run)


def summary(run: Document) -> str:
    """Every section with numbers, as far as the run has them."""
    sections = [
        *(goals(run, threads) for threads in run["steps"]),
        limits(run),
        *(everything(run, threads) for threads in run["steps"]),
        first_results(run),
        programs(run),
        profiles(run),
        losses(run),
    ]
    return "\n".join(section for section in sections if section)


def goals(run: Document, threads: str) -> str:
    """Against JAX and PyTorch, beside the goals."""
    rows = []
    for case, results in run["steps"][threads].items():
        if NATIVE not in results:
            continue
        row = [case, digits(results[NATIVE]["microseconds"])]
        for peers, goal in zip((JAX, TORCH), GOALS[case], strict=True):
            row += _against(results, peers, goal)
        floor = least(run, threads, case)
        row += [digits(floor) if floor else "", percent(reached(run, threads, case))]
        rows.append(row)
    heads = ["case", "native", "JAX's time", "×", "goal", "PyTorch's", "×", "goal", "floor",
             "of the limit"]  # fmt: skip
    text = (
        "µs a step; × is the peer's time over ours, above 1 where we are faster. JAX is the better "
        "of\na scan and single steps, PyTorch the better of its plain and its fused Adam."
    )
    return section(f"Against JAX and PyTorch, {several(threads)}", text, grid(heads, rows))


def _against(results: Document, peers: Sequence[str], goal: float) -> list[str]:
    found = best(results, peers)
    if found is None:
        return ["", "", f"{goal:g}"]
    name, times = found
    mark = "" if times >= goal else " ✗"
    return [digits(results[name]["microseconds"]), f"**{times:.3g}**{mark}", f"{goal:g}"]


def limits(run: Document) -> str:
    """What the processor could do."""
    if not run["limits"]:
        return ""
    rows = []
    for threads, found in run["limits"].items():
        slowest, fastest = min(found["gigabytes"].values()), max(found["gigabytes"].values())
        rows.append([several(threads), f"{found['gflops']:.0f}", f"{slowest:.0f} – {fastest:.0f}"])
    text = (
        "A floor is what a step's products take at this peak, and reading and writing the "
        "optimizer's\nstate at the bandwidth of memory of its size; activations, losses and the "
        "update's arithmetic\nare not in it. It bounds large networks; a tiny one's step waits for "
        "one operation after the other,\nand is nowhere near a limit of throughput."
    )
    for threads in run["limits"]:
        if scaling(run, threads) < SOUND:
            times = int(threads) * scaling(run, threads)
            text += (
                f"\n\n**{several(threads)} together reached {times:.2f} times the peak of one: "
                "something else was running, or the\nprocessors share a core. So no floors are "
                "shown for them, and their times are doubtful.**"
            )
    heads = ["", "GFLOP/s, float32", "GB/s read and written, largest to smallest state"]
    return section("What this processor can do", text, grid(heads, rows))


def everything(run: Document, threads: str) -> str:
    """Each engine on each case."""
    cases = run["steps"][threads]
    engines = list(dict.fromkeys(name for results in cases.values() for name in results))
    rows = [
        [name, *(digits(r[name]["microseconds"]) if name in r else "–" for r in cases.values())]
        for name in engines
    ]
    text = "µs a step, the median over the rounds."
    return section(f"Every engine, {several(threads)}", text, grid(["", *cases], rows))


def first_results(run: Document) -> str:
    """How long a first call takes beyond its step."""
    if not run["first"]:
        return ""
    heads = ["case", "llvmlite", "trace", "lower", "LLVM", "load", "rest", "**cold**",
             "**from the cache**"]  # fmt: skip
    rows = []
    for case, found in run["first"].items():
        cold, cached = found["cold"], found["cached"]
        parts = ("llvmlite", "trace", "lower", "llvm", "load", "rest")
        totals = [marked(cold["total"], COLD), marked(cached["total"], CACHED)]
        rows.append([case, *(seconds(cold[part]) for part in parts), *totals])
    text = (
        "Seconds of a first call in a fresh process beyond the step itself; the parts are those of "
        f"the\ncold one, which finds an empty cache. Goals: {COLD:g} s cold, {CACHED:g} s from the "
        "cache."
    )
    return section("Until the first result", text, grid(heads, rows))


def programs(run: Document) -> str:
    """Whole processes."""
    if not run["programs"]:
        return ""
    rows = [
        [name, marked(value, PROCESS) if name.startswith(NATIVE) else seconds(value)]
        for name, value in run["programs"].items()
    ]
    rows += [[f"`{name}`" if "help" in name else name, seconds(value)]
             for name, value in run["startup"].items()]  # fmt: skip
    text = (
        "Seconds of a fresh process that starts, trains XOR for 10,000 epochs, and exits (goal: "
        f"{PROCESS:g} s);\nthen of processes that only begin."
    )
    return section("Whole processes", text, grid(["", "seconds"], rows))


def profiles(run: Document) -> str:
    """What a step's time is spent on, beside what its products would take at the peak."""
    if not run.get("profiles"):
        return ""
    peak = run["limits"]["1"]["gflops"] if "1" in run["limits"] else None
    parts = []
    for case, found in run["profiles"].items():
        large = [k for k in found["kernels"] if k["microseconds"] >= PART * found["step"]]
        rest = found["step"] - sum(k["microseconds"] for k in large)
        rows = [
            [k["writes"], digits(k["microseconds"]), _at_peak(k, peak)]
            for k in sorted(large, key=lambda k: -k["microseconds"])
        ]
        count = len(found["kernels"]) - len(large)
        if count:
            rows.append([f"{count} smaller ones, and what is between them", digits(rest), ""])
        heads = [f"{case}: {digits(found['step'])} µs", "µs", "its products at the peak"]
        parts.append(grid(heads, rows))
    text = (
        "One thread, a batch at hand, the fastest of several runs, by the processor's clock. A "
        "kernel that\nwrites a weight with its moments is a product and the update in one pass: "
        "what is above the product\nis reading and writing the state, and Adam's root and two "
        "divisions for each number."
    )
    return section("Where a step's time goes", text, "\n\n".join(parts))


def _at_peak(kernel: Document, peak: float | None) -> str:
    return digits(kernel["flops"] / peak / 1e3) if peak and kernel["flops"] else ""


def marked(value: float, goal: float) -> str:
    return f"{seconds(value)}{'' if value <= goal else ' ✗'}"


def section(title: str, text: str, body: str) -> str:
    return f"## {title}\n\n{text}\n\n{body}\n"


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown, in columns of one width, so that it can be read as it is."""
    widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        words = [cells[0].ljust(widths[0])]
        words += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join(words)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(heads), line(rule), *map(line, rows)])


# Where we lose.
def losses(run: Document) -> str:
    """Every case and number of threads where a peer is faster or a goal is missed."""
    parts = [
        ("A peer's step is faster than the native one", list(faster(run, NATIVE))),
        ("A peer's step is faster than `fit`'s", list(faster(run, FIT))),
        ("A goal against JAX or PyTorch is missed", list(missed(run))),
        ("A beginning takes longer than its goal", list(late(run))),
    ]
    text = "Every case and number of threads where a peer is faster, or a goal is missed."
    measured = {name for _, _, results in _measured(run) for name in results}
    if absent := [name for name in ENGINES if name not in measured]:
        text += f" Not in this\nrun, and so not compared: {', '.join(absent)}."
    lists = [
        f"{title}:\n\n" + "\n".join(f"- {x}" for x in found) for title, found in parts if found
    ]
    return section("Where we lose", text, "\n\n".join(lists) or "Nowhere in this run.")


def faster(run: Document, ours: str) -> Iterator[str]:
    """The peers that need less time than we do."""
    for threads, case, results in _measured(run):
        if ours not in results:
            continue
        peers = {n: ratio(results[ours], r) for n, r in results.items() if "chalkgrad" not in n}
        for name, times in sorted(peers.items(), key=lambda item: -item[1]):
            if times > 1:
                yield (
                    f"{case}, {several(threads)}: {name} by {times:.3g} times, "
                    f"{digits(results[name]['microseconds'])} µs to our "
                    f"{digits(results[ours]['microseconds'])} µs"
                )


def missed(run: Document) -> Iterator[str]:
    """The goals that are missed, and whether arithmetic allows them."""
    for threads, case, results in _measured(run):
        for peer, names, goal in zip(("JAX", "PyTorch"), (JAX, TORCH), GOALS[case], strict=True):
            found = best(results, names)
            if found is None or found[1] >= goal:
                continue
            line = f"{case}, {several(threads)}: {found[1]:.3g} times {peer}'s speed, not {goal:g}"
            share = reached(run, threads, case)
            yield line if share is None else f"{line}; {_arithmetic(share, goal / found[1])}"


def _arithmetic(share: float, lacking: float) -> str:
    """What the goal asks of the processor."""
    needed = share * lacking
    if needed > 1:
        return f"out of reach: it would take {percent(needed)} of the processor's limit"
    return f"it would take {percent(needed)} of the processor's limit, we are at {percent(share)}"


def late(run: Document) -> Iterator[str]:
    """What begins too late, and the part that takes longest."""
    for case, found in run["first"].items():
        for kind, goal in (("cold", COLD), ("cached", CACHED)):
            parts = dict(found[kind])
            total = parts.pop("total")
            if total > goal:
                longest = max(parts, key=lambda part: parts[part])
                name = {"lower": "the way to LLVM's text", "llvm": "LLVM"}.get(longest, longest)
                yield (
                    f"{case}, {'from the cache' if kind == 'cached' else kind}: "
                    f"{seconds(total)} s, not {goal:g} s; {name} takes {seconds(parts[longest])} s"
                )
    for name in (NATIVE, COLD_PROGRAM):
        value = run["programs"].get(name, 0.0)
        if value > PROCESS:
            yield f"the XOR process, {name}: {seconds(value)} s, not {PROCESS:g} s"


def _measured(run: Document) -> Iterator[tuple[str, str, Document]]:
    for threads, cases in run["steps"].items():
        for case, results in cases.items():
            yield threads, case, results


def compact(text: str) -> str:
    """JSON with a list of numbers on one line."""
    return re.sub(r"\[[\d\s.,e+-]*\]", lambda found: " ".join(found[0].split()), text)


if __name__ == "__main__":
    sys.exit(main())
