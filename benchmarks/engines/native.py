"""chalkgrad, compiled: the step of `eager`, word for word, under `cg.compile`.

`scan` hands over a whole chunk of steps at once; without it, Python calls the program once a step
and gathers each batch by itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.cases import Case
from benchmarks.engines.eager import Eager


def prepare(case: Case, scan: bool, executor: str = "native") -> Compiled:
    return Compiled(case, scan, executor)


class Compiled(Eager):
    """A training step as one program; the executor is asked for, so it cannot be another one."""

    def __init__(self, case: Case, scan: bool, executor: str) -> None:
        cg = import_module("chalkgrad")
        super().__init__(cg, case, fused=False)
        self.scan = scan
        self.program = cg.compile(super().step, executor=executor)

    def step(self, x: Any, y: Any) -> Any:
        return self.program(x, y)

    def __call__(self, steps: int) -> None:
        if not self.scan:
            super().__call__(steps)
        elif not self.case.shuffled:
            self.program.scan(self.x, self.y, steps=steps)
        else:
            for _ in range(steps // self.case.chunk):
                self.program.scan(self.x, self.y, rows=next(self.orders))
