"""One training step and one evaluation, as an executor runs them.

Traced, a whole step (forward, loss, backward, update) is one graph, run as one program. A model
whose Python code looks at numbers (`if x.sum() > 0`, `.item()`) cannot be traced and runs eagerly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, NotCompilable, TraceError
from chalkgrad.core.graph import Array, ancestors, leaf
from chalkgrad.core.scope import recording
from chalkgrad.executors.compiled import Specialised, all_finite
from chalkgrad.executors.native import NativeFunction
from chalkgrad.machine.host import available
from chalkgrad.optim.lbfgs import LBFGS
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.training import faults

EXECUTORS = ("auto", "native", "numpy", "eager")
CHUNK = 256  # records evaluated at once: more would cost a convolution's memory and save no time

Where = Callable[[Array], str]  # which record an element of a batch belongs to, in words


class Task:
    """What is trained: a model, a loss and an optimizer, and the equations of a step."""

    def __init__(self, model: Any, loss: Callable[..., Any], optimizer: Any) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.totals = (
            getattr(loss, "reduction", "mean") == "sum"
        )  # is a loss a sum over its records?

    def train(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
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

    def test(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        with recording(False):
            output = self.model(x)
            return self.loss(output, y), output


class Eager:
    """Steps operation by operation."""

    name = "numpy, eagerly"

    def __init__(self, task: Task) -> None:
        self.task = task
        self.loss: Tensor | None = None

    def begin(self) -> None:
        """An epoch begins."""
        self.task.model.train()

    def train(self, x: Array, y: Array) -> tuple[float, Array]:
        """One step on a batch: its loss before the update, and the outputs."""
        self.loss, output = self.task.train(_tensor(x, "x"), _tensor(y, "y"))
        return self.loss.item(), output.node.value

    def test(self, x: Array, y: Array) -> tuple[float, Array]:
        """Loss and outputs, without training."""
        loss, output = self.task.test(_tensor(x, "x"), _tensor(y, "y"))
        return loss.item(), output.node.value

    def healthy(self) -> bool:
        """Are the parameters finite after the last step?"""
        return all_finite([p.node.value for p in self.task.model.parameters()])

    def fault(self, where: Where) -> str:
        """The equation of the last step that made what is not finite."""
        if self.loss is None:
            return ""
        for result in (self.loss.node, *faults.gradients(self.loss)):
            values = {node: node.value for node in ancestors([result])}
            found = faults.origin(result, values)
            if found is not None:
                return faults.describe(found, values[found], where)
        bad = [
            name
            for name, p in self.task.model.named_parameters()
            if not faults.finite(p.node.value)
        ]
        return f"the update of {', '.join(bad)} by {type(self.task.optimizer).__name__} overflows"

    def value(self, tensor: Tensor) -> Array:
        """What a parameter or buffer holds by now."""
        held: Array = tensor.node.value
        return held

    def write_back(self) -> None:
        """Nothing to do: the tensors hold the numbers."""

    retrace = write_back


class Traced:
    """Steps as programs."""

    name = "numpy, one program a step"

    def __init__(self, task: Task, x: Array, y: Array) -> None:
        self.task = task
        self.step = Specialised(self._train)
        self.evaluation = Specialised(task.test)
        self.step.prepare(x, y)

    def _train(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        self.task.model.train()  # this runs when it is traced
        return self.task.train(x, y)

    def begin(self) -> None:
        """An epoch begins."""

    def train(self, x: Array, y: Array) -> tuple[float, Array]:
        """One step on a batch: its loss before the update, and the outputs."""
        loss, output = self.step(x, y)
        return loss.item(), output

    def test(self, x: Array, y: Array) -> tuple[float, Array]:
        """Loss and outputs, without training."""
        loss, output = self.evaluation(x, y)
        return loss.item(), output

    def healthy(self) -> bool:
        """Are the parameters finite after the last step?"""
        return all_finite(self.step.learned())

    def fault(self, where: Where) -> str:
        """The equation of the last step that made what is not finite."""
        if self.step.last is None:
            return ""
        program, arguments = self.step.last
        results = program.traced.graph.results
        values = faults.recompute(results, program.unfused(arguments))
        for result in results:
            found = faults.origin(result, values)
            if found is not None:
                return faults.describe(found, values[found], where)
        return ""

    def value(self, tensor: Tensor) -> Array:
        """What a parameter or buffer holds by now."""
        return self.step.value(tensor)

    def write_back(self) -> None:
        """The tensors take over what the programs have changed."""
        self.step.write_back()
        self.evaluation.write_back()

    def retrace(self) -> None:
        """Forget the programs: the model is no longer what was traced."""
        self.write_back()
        self.step.programs.clear()
        self.evaluation.programs.clear()


class Compiled(Traced):
    """Steps as native programs, many in one call. NumPy has the last word on what is not finite."""

    name = "native, whole epochs"

    def __init__(self, task: Task, x: Array, y: Array) -> None:
        self.task = task
        self.step = Specialised(self._train)  # runs again what has gone wrong
        self.native = NativeFunction(self._train)
        self.tested = NativeFunction(task.test)
        self.native.prepare([x, y])

    def train(self, x: Array, y: Array) -> tuple[float, Array]:
        """One step on a batch: its loss before the update, and the outputs."""
        self.step.write_back()
        loss, output = self.native.run([x, y])
        return loss.item(), output

    def ready(self, x: Array, y: Array, rows: Array, outputs: bool) -> None:
        """Compile what `many` needs for these."""
        self.native.prepare([x, y], rows, (0, 1) if outputs else (0,))

    def many(
        self, x: Array, y: Array, rows: Array, outputs: bool = False
    ) -> tuple[Array, Array | None]:
        """A step for each row of records: the losses and, if they are wanted, the outputs."""
        self.step.write_back()
        found = self.native.run([x, y], rows=rows, chosen=(0, 1) if outputs else (0,))
        return found[0], found[1] if outputs else None

    def test(self, x: Array, y: Array) -> tuple[float, Array]:
        """Loss and outputs, without training."""
        loss, output = self.tested.run([x, y])
        return loss.item(), output

    def again(self, x: Array, y: Array) -> tuple[float, Array]:
        """The same step by the NumPy executor, which finds out what happens in it."""
        self.native.write_back()
        return super().train(x, y)

    def healthy(self) -> bool:
        """Are the parameters finite after the last step?"""
        return all_finite(self.native.learned() or self.step.learned())

    def value(self, tensor: Tensor) -> Array:
        """What a parameter or buffer holds by now."""
        return self.native.value(tensor) if self.native.unit else self.step.value(tensor)

    def write_back(self) -> None:
        """The tensors take over what the programs have changed."""
        self.native.write_back()
        self.step.write_back()
        self.tested.write_back()

    def retrace(self) -> None:
        """Forget the programs: the model is no longer what was traced."""
        self.write_back()
        self.native.forget()
        self.tested.forget()
        self.step.programs.clear()


class Steps:
    """How batches become losses, and which executor makes them so."""

    def __init__(self, task: Task, executor: str, x: Array, y: Array) -> None:
        if executor not in EXECUTORS:
            raise ArgumentError(
                f"executor={executor!r}: there are 'auto', 'native' (machine code), 'numpy' (a "
                "step is one program) and 'eager'"
            )
        self.task = task
        self.way, self.reason = _settle(task, executor, x, y)
        self.traced = isinstance(self.way, Traced)

    @property
    def executor(self) -> str:
        """Which executor runs the steps, and why."""
        return f"{self.way.name} ({self.reason})"

    def evaluate(self, x: Array, y: Array) -> tuple[float, Array]:
        """The loss over records (their mean, or their sum if it is a sum) and all outputs."""
        self.way.write_back()
        total, outputs = 0.0, []
        with evaluating(self.task.model):
            for start in range(0, len(x), CHUNK):
                part = slice(start, start + CHUNK)
                loss, output = self.way.test(x[part], y[part])
                total += loss * (1 if self.task.totals else len(x[part]) / len(x))
                outputs.append(output)
        self.way.write_back()
        return total, np.concatenate(outputs)

    def signature(self) -> list[Any]:
        """What a program was traced from, beside numbers: where it changes, trace again."""
        # Not the mode: a step trains and an evaluation does not, whatever it is between them.
        parts = [fact for module in self.task.model.modules() for fact in module._facts()
                 if fact[0] != "training"]  # fmt: skip
        return [*parts, *self.task.optimizer._facts()]


def _settle(task: Task, executor: str, x: Array, y: Array) -> tuple[Eager | Traced, str]:
    if executor == "eager":
        return Eager(task), "as asked"
    if isinstance(task.optimizer, LBFGS):
        if executor != "auto":
            raise ArgumentError(
                "LBFGS looks at the loss while it steps: use executor='eager' or 'auto'"
            )
        return Eager(task), "LBFGS looks at the loss while it steps"
    try:
        if executor == "numpy":
            return Traced(task, x, y), "as asked"
        return _native(task, x, y, executor)
    except TraceError as error:
        if executor != "auto":
            raise
        return Eager(task), f"the step cannot be traced: {error}"


def _native(task: Task, x: Array, y: Array, executor: str) -> tuple[Traced, str]:
    missing = available()
    if not missing:
        try:
            made = Compiled(task, x, y)
            return made, "as asked" if executor == "native" else "it can be compiled"
        except NotCompilable as error:
            missing = str(error)
    if executor == "native":
        raise ArgumentError(f"executor='native' cannot run this: {missing}")
    return Traced(task, x, y), f"no native code: {missing}"


@contextmanager
def as_it_was(model: Any) -> Iterator[None]:
    """Afterwards every module trains or evaluates as before."""
    before = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """The model in evaluation mode; afterwards every module is as it was."""
    with as_it_was(model):
        model.eval()
        yield


def _tensor(array: Array, name: str) -> Tensor:
    return Tensor.__new__(Tensor).wrap(leaf(array, name=name))
