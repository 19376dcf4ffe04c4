"""`chalkgrad compile`"""

from __future__ import annotations

import json as json_format
from pathlib import Path
from time import perf_counter

from chalkgrad.cli.messages import Flag, Messages
from chalkgrad.compiler.build import build
from chalkgrad.transform.trace import trace
from chalkgrad.worksheet import Worksheet
from chalkgrad.worksheet.learning import training_step


def compile_(
    worksheet: Path, /, *, show: Flag = False, time: Flag = False, json: Flag = False,
    quiet: Flag = False,
) -> int:  # fmt: skip
    """Compile one training step of a worksheet, and say what became of it.

    Parameters
    ----------
    worksheet
        The problem, a TOML file with an [update].
    show
        Print the program: each kernel's equations, its loops, and why they are one kernel.
    time
        Run it, and say where the time goes.
    json
        Print the same as JSON.
    quiet
        Say nothing on stderr but errors.
    """
    sheet = Worksheet.read(worksheet)
    Messages(quiet).notes(sheet.notes)
    found = trace(training_step(sheet)).kernels()
    began = perf_counter()
    build(found.signature)
    seconds = perf_counter() - began
    times = found.time() if time else None
    if json:
        rows = found.rows()
        for row, spent in zip(rows, times.each if times else [], strict=False):
            row["microseconds"] = spent
        print(json_format.dumps({"kernels": rows, "compiled in": seconds}, ensure_ascii=False))
        return 0
    if show or times is None:
        print(found if show else _summary(len(found.text.jobs), found.plan.arena, seconds))
    if times is not None:
        print(times)
    return 0


def _summary(kernels: int, memory: int, seconds: float) -> str:
    return (
        f"{kernels} kernels, {memory} bytes of memory between them, ready after "
        f"{1000 * seconds:.0f} ms. --show prints them, --time measures them."
    )
