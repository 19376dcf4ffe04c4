"""One training step and one evaluation, as an executor runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, TraceError
from chalkgrad.core.graph import Array, leaf
from chalkgrad.core.scope import recording
from chalkgrad.executors.compiled import Specialised
from chalkgrad.optim.lbfgs import LBFGS
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.training.faults import locate

_CHUNK = 1024  # records evaluated at once


class Steps:
    """How batches become losses.

    Traced, a whole step (forward, loss, backward, update) is one graph, run as one program. A model whose
    Python code looks at numbers (`if x.sum() > 0`, `.item()`) cannot be traced and runs eagerly.
    """

    def __init__(self, model: Any, loss: Callable[..., Any], optimizer: Any, executor: str) -> None:
        if executor not in ("auto", "numpy", "eager"):
            raise ArgumentError(f"executor={executor!r}: there are 'auto', 'numpy' (traced) and 'eager'")
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.wanted = executor
        self.traced = executor != "eager"
        self.reason = "as asked" if executor != "auto" else ""
        self.recent: list[tuple[Any, tuple[Array, ...]]] = []
        self._step: Callable[..., Any] = Specialised(self._train)
        self._test: Callable[..., Any] = Specialised(self._forward)

    @property
    def executor(self) -> str:
        """Which executor runs the steps, and why."""
        name = "numpy, one program a step" if self.traced else "numpy, eagerly"
        return f"{name} ({self.reason})"

    def prepare(self, x: Array, y: Array) -> None:
        """Settle how steps run: trace one for these examples, or find that it cannot be traced."""
        if self.traced and isinstance(self.optimizer, LBFGS):
            self._eagerly("LBFGS looks at the loss while it steps")
        elif self.traced:
            try:
                self.model.train()
                self._step.prepare(_tensor(x), _tensor(y))  # type: ignore[attr-defined]
                self.reason = self.reason or "no faster executor for this step"
            except TraceError as error:
                if self.wanted == "numpy":
                    raise
                self._eagerly(f"the step cannot be traced: {error}")

    def _eagerly(self, reason: str) -> None:
        self.traced, self.reason = False, reason
        self._step, self._test = self._train, self._forward

    def train(self, x: Array, y: Array) -> tuple[float, Array]:
        """One step on a batch: its loss before the update, and the outputs."""
        loss, output = self._step(_tensor(x), _tensor(y))
        return float(loss.node.value), output.node.value

    def evaluate(self, x: Array, y: Array) -> tuple[float, Array]:
        """The mean loss over records, and all outputs, without training."""
        self.model.eval()
        total, outputs = 0.0, []
        with recording(False):
            for start in range(0, len(x), _CHUNK):
                part = slice(start, start + _CHUNK)
                loss, output = self._test(_tensor(x[part]), _tensor(y[part]))
                total += float(loss.node.value) * len(x[part])
                outputs.append(output.node.value)
        return total / max(len(x), 1), np.concatenate(outputs)

    def _train(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if isinstance(self.optimizer, LBFGS):
            return self._closed(x, y)
        output = self.model(x)
        loss = self.loss(output, y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss, output

    def _closed(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        seen: list[tuple[Tensor, Tensor]] = []

        def closure() -> Tensor:
            self.optimizer.zero_grad()
            output = self.model(x)
            loss: Tensor = self.loss(output, y)
            loss.backward()
            seen.append((loss, output))
            return loss

        self.optimizer.step(closure)
        return seen[0]

    def _forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        with recording(False):
            output = self.model(x)
            return self.loss(output, y), output

    def fault(self) -> str:
        """Where in the last step, or in the one before it, a number stopped being finite."""
        if not isinstance(self._step, Specialised):
            bad = [n for n, p in self.model.named_parameters() if not np.isfinite(p.node.value).all()]
            return f"Not finite: {', '.join(bad)}." if bad else ""
        for program, arguments in self._step.recent:
            found = locate(program.traced.graph, arguments)
            if found:
                return f"It began where {found}."
        return ""


def _tensor(array: Array) -> Tensor:
    return Tensor().wrap(leaf(array))
