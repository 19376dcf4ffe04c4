"""The engines. Each module has `prepare(case, ...)`, which gives a `Training`; calling that with a
number of steps (a multiple of the case's chunk) takes them. A module is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from benchmarks.cases import Case


class Training(Protocol):
    """A network on its way: it takes steps, and tells the loss over all records when asked."""

    def __call__(self, steps: int) -> None: ...

    def loss(self) -> float: ...


def _always(case: Case) -> bool:
    return True


def _dense(case: Case) -> bool:
    return case.kind == "dense"


def _adam(case: Case) -> bool:
    return case.optimizer == "adam"


@dataclass(frozen=True)
class Engine:
    """A way to train a case, the package that it needs, and the cases that it can train."""

    name: str
    package: str
    module: str
    options: Mapping[str, object] = field(default_factory=dict)
    handles: Callable[[Case], bool] = _always
    same_batches: bool = True  # starts from our weights and takes our batches: its loss is known

    @property
    def installed(self) -> bool:
        return find_spec(self.package) is not None

    def prepare(self, case: Case) -> Training:
        module = import_module(f"benchmarks.engines.{self.module}")
        training: Training = module.prepare(case, **self.options)
        return training


_CHALKGRAD = {"package": "chalkgrad"}
_TORCH = {"package": "torch"}
_FUSED = {"package": "torch", "fused": True}

ENGINES = {
    engine.name: engine
    for engine in (
        Engine("chalkgrad native", "chalkgrad", "native", {"scan": True}),
        Engine("chalkgrad step", "chalkgrad", "native", {"scan": False}),
        Engine("chalkgrad fit", "chalkgrad", "chalk", same_batches=False),
        Engine("chalkgrad numpy", "chalkgrad", "native", {"scan": True, "executor": "numpy"}),
        Engine("chalkgrad eager", "chalkgrad", "eager", _CHALKGRAD),
        Engine("torch eager", "torch", "eager", _TORCH),
        Engine("torch fused", "torch", "eager", _FUSED, _adam),
        Engine("jax scan", "jax", "jitted", {"scan": True}),
        Engine("jax step", "jax", "jitted", {"scan": False}),
        Engine("scikit-learn", "sklearn", "estimator", handles=_dense, same_batches=False),
        Engine("numpy by hand", "numpy", "handwritten"),
    )
}
