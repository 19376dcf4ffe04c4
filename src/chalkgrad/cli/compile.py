"""`chalkgrad compile`"""

from __future__ import annotations

import json as json_format
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from chalkgrad import nn, optim
from chalkgrad.cli.messages import Flag, Messages
from chalkgrad.compiler.show import Compiled, Kernels, Times, kernels
from chalkgrad.core.errors import NotCompilable
from chalkgrad.core.graph import Array, Graph
from chalkgrad.data.tables import Preprocessor
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.random import manual_seed
from chalkgrad.training.steps import Task
from chalkgrad.training.table_run import Settings, build
from chalkgrad.transform.trace import trace
from chalkgrad.worksheet import Worksheet
from chalkgrad.worksheet.learning import training_step

EXAMPLE = "an example: 32 records of 64 numbers, layers of 32 and 10, cross-entropy, Adam"


def compile_(
    what: Path | None = None, /, *, show: Flag = False, time: Flag = False, json: Flag = False,
    quiet: Flag = False,
) -> int:  # fmt: skip
    """Compile one training step, and show it as the loops of its machine code.

    Exit code 1 where the step has no native code.

    Parameters
    ----------
    what
        A worksheet with an [update], or a run that `chalkgrad train --save` wrote (its folder, or
        its checkpoint); without it a small example.
    show
        Print the program: each kernel's equations, its loops, and why they are one kernel.
    time
        Run it, and say where the time goes.
    json
        Print the same as JSON.
    quiet
        Say nothing on stderr but errors.
    """
    messages = Messages(quiet)
    step, arrays = _step(what, messages)
    try:
        found = kernels(_traced(step, arrays))
    except NotCompilable as error:
        messages.console.quiet = False
        messages.say(f"no native code, so NumPy runs this step: {error}")
        return 1
    made = found.compile()
    times = found.time(arrays) if time else None
    if json:
        print(json_format.dumps(_data(found, made, times, show), ensure_ascii=False))
        return 0
    print("\n".join([str(found)] if show else found.head()))
    if show:
        print()
    print(made)
    if times is not None:
        print(f"\n{times}")
    return 0


def _data(
    found: Kernels, made: Compiled, times: Times | None, show: bool
) -> dict[str, Any]:  # fmt: skip
    data: dict[str, Any] = {
        "kernels": len(found), "memory": found.memory(), "seconds": made.seconds,
        "cached": made.cached, "code_bytes": made.code,
    }  # fmt: skip
    rows = found.rows() if show or times else []
    if times is not None:
        data |= {"microseconds": times.step, "steps": times.steps, "threads": times.threads}
        rows = [row | spent for row, spent in zip(rows, times.rows(), strict=True)]
    return data | {"program": rows} if rows else data


# The step.
Step = Callable[..., Any]


def _traced(step: Step, arrays: dict[str, Array]) -> Graph:
    return trace(step, *(holding(array, False) for array in arrays.values()))


def _step(what: Path | None, messages: Messages) -> tuple[Step, dict[str, Array]]:
    """A training step, and numbers for its arguments."""
    if what is None:
        messages.say(EXAMPLE)
        manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        return _of_model(model, optim.Adam(model.parameters()), (32, 64), classes=True)
    folder = what if what.is_dir() else what.parent
    if what.is_dir() or what.suffix == ".safetensors":
        return _of_run(folder)
    sheet = Worksheet.read(what)
    messages.notes(sheet.notes)
    return training_step(sheet), {}


def _of_run(folder: Path) -> tuple[Step, dict[str, Array]]:
    settings = Settings.from_toml(folder / "settings.toml")
    preprocessor = Preprocessor.load(folder / "preprocessing.skops")
    classes = preprocessor.schema.target.classes
    width = len(preprocessor.feature_names)
    model = build(width, len(classes) or 1, settings)
    optimizer = optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    return _of_model(model, optimizer, (settings.batch_size, width), classes=bool(classes))


def _of_model(
    model: nn.Module, optimizer: optim.Optimizer, shape: tuple[int, int], *, classes: bool
) -> tuple[Step, dict[str, Array]]:
    """A step on records that are drawn: how long it takes does not depend on them."""
    loss = nn.CrossEntropyLoss() if classes else nn.MSELoss()
    draw = np.random.default_rng(0)
    x = draw.normal(size=shape).astype(np.float32)
    y = np.zeros(shape[0], np.int64) if classes else x[:, :1].copy()
    return Task(model, loss, optimizer).train, {"x": x, "y": y}
