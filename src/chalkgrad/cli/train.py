"""`chalkgrad train`"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from chalkgrad.cli.messages import Messages
from chalkgrad.core.errors import ArgumentError
from chalkgrad.training.table_run import Prepared, Result, Settings

_LIST = Parameter(negative=(), consume_multiple=False)
Names = Annotated[tuple[str, ...], _LIST]


def train(
    data: str | None = None, /, *, target: str | None = None, hidden: str = "64,32",
    epochs: int | None = None, batch_size: int = 32, learning_rate: float = 1e-3,
    weight_decay: float = 1e-4, dropout: float = 0.0, patience: int = 30, validation: float = 0.15,
    test: float = 0.2, seed: int = 0, task: str = "", number: Names = (), category: Names = (),
    drop: Names = (), delimiter: str = "", decimal: str = ".", missing: Names = (), save: Path | None = None,
    resume: Path | None = None, json: bool = False, quiet: bool = False,
) -> int:  # fmt: skip
    """Train a network on a table.

    Reads the file, says what each column was taken for and why, chooses classification or regression,
    trains with part of the rows held out, and reports scores on them beside a baseline.

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
    if resume is not None:
        if data is not None or target is not None:
            raise ArgumentError("--resume goes on with a saved run: give no data and no --target with it")
        settings = Settings.from_toml(resume / "settings.toml")
        settings = replace(settings, epochs=epochs or settings.epochs)
        return _run(settings, resume, True, messages, json)
    if data is None or target is None:
        missing = "a data file" if data is None else "--target COLUMN"
        raise ArgumentError(f"train needs {missing}: chalkgrad train DATA.csv --target COLUMN")
    settings = Settings(
        data=str(Path(data).resolve()), target=target, task=task, number=number, category=category,
        drop=drop, delimiter=delimiter, decimal=decimal, missing=missing, hidden=_widths(hidden), epochs=epochs or 200,
        batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay, dropout=dropout,
        patience=patience, validation=validation, test=test, seed=seed,
    )  # fmt: skip
    if save is not None and (save / "settings.toml").exists():
        raise ArgumentError(f"{save} already holds a run: choose another --save folder, or --resume {save}")
    return _run(settings, save, False, messages, json)


def _run(settings: Settings, folder: Path | None, resume: bool, messages: Messages, as_json: bool) -> int:
    prepared = Prepared.of(settings)
    messages.schema(prepared.schema)
    messages.notes(prepared.parts.notes)
    counts = [len(part) for part in prepared.parts[:3]]
    messages.say(
        f"{counts[0]} rows train, {counts[1]} choose the epoch, {counts[2]} are held out (seed {settings.seed})"
    )
    try:
        result = prepared.train(folder, resume=resume, verbose=0 if messages.console.quiet else 1)
    except KeyboardInterrupt:
        if folder is not None:
            messages.say(f"checkpoint saved; go on with: chalkgrad train --resume {folder}")
        raise
    _report(result, folder, messages, as_json)
    return 0


def _report(result: Result, folder: Path | None, messages: Messages, as_json: bool) -> None:
    classifies = bool(result.model.classes)
    rows = result.rows["test"] or result.rows["train"]
    messages.scores(result.test, result.baseline, rows, "class shares" if classifies else "mean")
    if folder is not None:
        messages.say(f"saved in {folder}; use it with: chalkgrad predict {folder} NEW.csv")
    report = _summary(result)
    if as_json:
        print(json.dumps(report))
    else:
        key = "accuracy" if classifies else "r2"
        print(f"{result.settings.target}: {key} {result.test[key]:.4f} (baseline {result.baseline[key]:.4f})")


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
        "test": result.test,
        "baseline": result.baseline,
    }


def _widths(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise ArgumentError(f"--hidden {text!r}: give widths such as 64,32")
    return tuple(int(part) for part in parts)
