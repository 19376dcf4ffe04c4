"""`chalkgrad train`"""

from __future__ import annotations

import json as json_format
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from chalkgrad.cli.messages import Flag, Messages
from chalkgrad.core.errors import ArgumentError
from chalkgrad.training.table_run import Prepared, Result, Settings

Names = Annotated[
    tuple[str, ...], Parameter(negative=(), consume_multiple=False, show_default=False)
]
Text = Annotated[str, Parameter(show_default=False)]
USE = "chalkgrad train DATA.csv --target COLUMN"


def train(
    data: str | None = None, /, *, target: str | None = None, hidden: str = "64,32",
    epochs: int | None = None, batch_size: int = 32, learning_rate: float = 1e-3,
    weight_decay: float = 1e-2, dropout: float = 0.0, patience: int = 30, validation: float = 0.15,
    test: float = 0.2, seed: int = 0, task: Text = "", number: Names = (), category: Names = (),
    drop: Names = (), delimiter: Text = "", decimal: str = ".", missing: Names = (),
    save: Path | None = None, resume: Path | None = None, json: Flag = False, quiet: Flag = False,
) -> int:  # fmt: skip
    """Train a network on a table.

    Reads the file, says what each column was taken for and why, chooses classification or
    regression, trains with part of the rows held out, and reports scores on them beside a baseline.

    Every option may also stand in chalkgrad.toml, under [train].

    Parameters
    ----------
    data
        A CSV or Parquet file with a header row.
    target
        The column to predict.
    hidden
        Widths of the hidden layers, such as 64,32; "" for none.
    epochs
        Passes over the training rows, at most (200).
    batch_size
        Rows in a training step.
    learning_rate
        The step size of AdamW.
    weight_decay
        How strongly weights are drawn to zero.
    dropout
        The share of hidden outputs dropped while training.
    patience
        Epochs without a better validation loss before training stops.
    validation
        The share of rows that chooses the best epoch.
    test
        The share of rows held out for the report.
    seed
        What every random choice follows from.
    task
        classification or regression, where the choice from the target is not yours.
    number
        A column to treat as a number (repeat for more).
    category
        A column to treat as categories (repeat for more).
    drop
        A column to leave out (repeat for more).
    delimiter
        What separates fields, where it is not found by itself.
    decimal
        "," where numbers are written 1,5.
    missing
        Text that stands for a missing cell, besides NA, null and ? (repeat for more).
    save
        The folder to save the run in.
    resume
        A saved run to go on with, from its checkpoint; only --epochs can be changed.
    json
        Print the report as JSON on stdout.
    quiet
        Say nothing on stderr but errors.
    """
    messages = Messages(quiet)
    asked = Settings(
        data=data or "", target=target or "", task=task, number=number, category=category,
        drop=drop, delimiter=delimiter, decimal=decimal, missing=missing, hidden=_widths(hidden),
        epochs=epochs or 200, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, dropout=dropout, patience=patience, validation=validation,
        test=test, seed=seed,
    )  # fmt: skip
    if resume is not None:
        settings = Settings.from_toml(resume / "settings.toml")
        _check_unchanged(asked, settings)
        settings = replace(settings, epochs=epochs or settings.epochs)
        return _run(settings, resume, True, messages, json)
    if data is None or target is None:
        lacking = "a data file" if data is None else "--target COLUMN"
        raise ArgumentError(f"train needs {lacking}: {USE}")
    if save is not None and (save / "settings.toml").exists():
        raise ArgumentError(
            f"{save} already holds a run: choose another --save folder, or --resume {save}"
        )
    return _run(replace(asked, data=str(Path(data).resolve())), save, False, messages, json)


def _check_unchanged(asked: Settings, saved: Settings) -> None:
    """Refuse an option that the run to go on with was not started with."""
    for one in fields(Settings):
        value, had = getattr(asked, one.name), getattr(saved, one.name)
        given = value != ("" if one.name in ("data", "target") else one.default)
        if given and one.name != "epochs" and value != had:
            option = "the data file" if one.name == "data" else f"--{one.name.replace('_', '-')}"
            raise ArgumentError(
                f"--resume goes on with the run as it was started: {option} is {_shown(value)}, "
                f"the run's is {_shown(had)}. Leave it out; only --epochs can be changed."
            )


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _run(
    settings: Settings, folder: Path | None, resume: bool, messages: Messages, as_json: bool
) -> int:
    prepared = Prepared.of(settings)
    messages.schema(prepared.schema)
    messages.notes(prepared.parts.notes)
    counts = [len(part) for part in prepared.parts[:3]]
    messages.say(
        f"{counts[0]} rows train, {counts[1]} choose the epoch, {counts[2]} are held out "
        f"(seed {settings.seed})"
    )
    try:
        result = prepared.train(folder, resume=resume, verbose=0 if messages.console.quiet else 1)
    except KeyboardInterrupt:
        if folder is None:
            messages.say("nothing was saved; with --save RUN it could go on")
        elif (folder / "checkpoint.safetensors").exists():
            messages.say(f"checkpoint saved; go on with: chalkgrad train --resume {folder}")
        raise
    _report(result, folder, messages, as_json)
    return 0


def _report(result: Result, folder: Path | None, messages: Messages, as_json: bool) -> None:
    classifies = bool(result.model.classes)
    baseline = "class shares" if classifies else "mean"
    messages.scores(result.scores, result.baseline, result.measured, f"baseline ({baseline})")
    if folder is None:
        messages.say("the network is not kept; to use it later, train with --save RUN")
    else:
        messages.say(f"saved in {folder}; use it with: chalkgrad predict {folder} NEW.csv")
    if as_json:
        print(json_format.dumps(_summary(result)))
        return
    key = "accuracy" if classifies else "r2"
    print(
        f"{result.settings.target}: {key} {result.scores[key]:.4f} on {result.measured} "
        f"(baseline {result.baseline[key]:.4f})"
    )


def _summary(result: Result) -> dict[str, Any]:
    target = result.model.schema.target
    return {
        "target": target.name,
        "task": target.task,
        "classes": list(target.classes),
        "rows": result.rows,
        "epochs": len(result.history),
        "best_epoch": result.history.best_epoch,
        "stopped": result.history.stopped,
        "executor": result.history.executor,
        "measured_on": result.measured,
        "scores": result.scores,
        "baseline": result.baseline,
    }


def _widths(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ArgumentError(f"--hidden {text!r}: give widths such as 64,32")
    return tuple(int(part) for part in parts)
