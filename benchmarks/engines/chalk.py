"""chalkgrad's own way to train: `cg.fit`, which traces the step once and runs whole epochs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.cases import Case, data
from benchmarks.engines import eager


def prepare(case: Case) -> Fit:
    return Fit(import_module("chalkgrad"), case)


class Fit:
    """One call of fit for all epochs; what the call itself costs is part of the time."""

    def __init__(self, cg: Any, case: Case) -> None:
        self.cg, self.case = cg, case
        self.x, self.y = (cg.tensor(array) for array in data(case))
        self.model = eager.build(cg, case)
        self.criterion = eager.criterion(cg, case)
        self.optimizer = eager.optimizer(cg, case, self.model)

    def __call__(self, steps: int) -> None:
        self.cg.fit(
            self.model,
            self.x,
            self.y,
            loss=self.criterion,
            optimizer=self.optimizer,
            epochs=steps * self.case.batch // self.case.records,
            batch_size=self.case.batch,
            shuffle=self.case.shuffled,
            metrics=(),
            verbose=0,
        )

    def loss(self) -> float:
        with self.cg.no_grad():
            return float(self.criterion(self.model(self.x), self.y).item())
