"""What the update of a worksheet makes of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalkgrad.core.errors import WorksheetError
from chalkgrad.executors.compiled import Specialised
from chalkgrad.optim import Optimizer
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.worksheet.problem import built, parameters_of
from chalkgrad.worksheet.sheet import Worksheet
from chalkgrad.worksheet.updates import RULES, check_steps


def optimizer_of(worksheet: Worksheet, parameters: Mapping[str, Tensor]) -> Optimizer:
    """The optimizer of [update], over the parameters that are not frozen."""
    update = worksheet.update
    if update is None:
        raise WorksheetError(
            f"{worksheet.file} says nothing of an update; add [update] with a rule, as in "
            'rule = "sgd" and learning_rate = 0.1'
        )
    moving = [tensor for name, tensor in parameters.items() if name not in update.frozen]
    return RULES[update.rule.lower()](moving, **update.settings)


def training_step(
    worksheet: Worksheet, parameters: dict[str, Tensor] | None = None,
    optimizer: Optimizer | None = None,
) -> Callable[[], Tensor]:  # fmt: skip
    """Forward pass, loss, backward pass and update of a worksheet, as a function of nothing."""
    moving = parameters_of(worksheet) if parameters is None else parameters
    update = optimizer_of(worksheet, moving) if optimizer is None else optimizer

    def step() -> Tensor:
        update.zero_grad()
        loss = built(worksheet, moving, data_tracked=False).loss
        loss.backward()
        update.step()
        return loss

    return step


def learned(worksheet: Worksheet, steps: int) -> dict[str, float]:
    """The parameters after so many steps of the worksheet's update.

    A step is one program of NumPy lines: 10,000 steps of a network of nine parameters take about a
    second.
    """
    check_steps(steps)
    parameters = parameters_of(worksheet)
    program = Specialised(training_step(worksheet, parameters))
    for _ in range(steps):
        program()
    program.write_back()
    return {name: float(tensor.node.value) for name, tensor in parameters.items()}
