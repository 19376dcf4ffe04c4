"""A run on a table: from a file to a trained network in a folder, and from the folder to
predictions.

RUN/
  settings.toml         everything the run was asked to do, defaults included
  preprocessing.skops   what the training rows taught: medians, scales, categories
  model.safetensors     the weights
  checkpoint.safetensors  what `--resume` goes on from
  history.csv           one row an epoch
  metrics.json          held-out scores beside a baseline's
  README.md             the model card
"""

from __future__ import annotations

import csv
import io
import json
import platform
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chalkgrad import nn, optim
from chalkgrad.core.errors import DataError
from chalkgrad.core.files import write_whole
from chalkgrad.core.graph import Array
from chalkgrad.data.tables import (
    Preprocessor,
    Schema,
    Split,
    Table,
    TargetScaler,
    infer,
    labelled,
    read,
    split,
)
from chalkgrad.tensor.random import manual_seed
from chalkgrad.tensor.saving import load, save
from chalkgrad.training import metrics
from chalkgrad.training.fit import fit, predict
from chalkgrad.training.history import History
from chalkgrad.training.stopping import no_improvement
from chalkgrad.version import __version__


@dataclass(frozen=True)
class Settings:
    """Everything that a run on a table can be told. It is saved as `settings.toml`."""

    data: str
    target: str
    task: str = ""  # classification or regression; '' chooses from the target
    number: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    delimiter: str = ""
    decimal: str = "."
    missing: tuple[str, ...] = ()
    hidden: tuple[int, ...] = (64, 32)
    epochs: int = 200
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    dropout: float = 0.0
    patience: int = 30
    validation: float = 0.15
    test: float = 0.2
    seed: int = 0

    def read(self, path: str) -> Table:
        """A table in the form that this run's own data had."""
        return read(
            path, delimiter=self.delimiter or None, decimal=self.decimal, missing=self.missing
        )

    def to_toml(self) -> str:
        """As the text of a TOML file."""
        return "".join(f"{key} = {_toml(value)}\n" for key, value in asdict(self).items())

    @classmethod
    def from_toml(cls, path: Path) -> Settings:
        """Read what `to_toml` wrote."""
        try:
            content = tomllib.loads(path.read_text("utf-8")).items()
            values: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in content}
            return cls(**values)
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(f"{path.parent} is not a run folder: it has no {path.name}") from None
        except (ValueError, TypeError) as error:
            raise DataError(f"{path} cannot be read: {error}") from error


def _toml(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)  # a JSON string, number or bool is a TOML one


@dataclass(frozen=True)
class Model:
    """A trained network with what it needs to read a table and to name its answers."""

    schema: Schema
    preprocessor: Preprocessor
    network: nn.Module
    scaler: TargetScaler | None

    @property
    def classes(self) -> tuple[str, ...]:
        return self.schema.target.classes

    def predict(self, table: Table) -> tuple[Array, list[str]]:
        """Class probabilities (rows, classes) or amounts (rows,), and what had to be said."""
        x, notes = self.preprocessor.transform(table)
        outputs = predict(self.network, x).astype(np.float64)
        if self.scaler is not None:
            return self.scaler.inverse(outputs[:, 0]), notes
        shifted = np.exp(outputs - outputs.max(1, keepdims=True))
        return shifted / shifted.sum(1, keepdims=True), notes

    def scores(self, table: Table) -> tuple[dict[str, float], list[str]]:
        """How good the predictions for labelled rows are."""
        predicted, notes = self.predict(table)
        truth = self.schema.target.encode(table)
        return _scores(predicted, truth, bool(self.classes)), notes


@dataclass(frozen=True)
class Result:
    """What a finished run reports."""

    model: Model
    settings: Settings
    history: History
    scores: dict[str, float]
    baseline: dict[str, float]
    rows: dict[str, int]

    @property
    def measured(self) -> str:
        """The rows that the scores are of."""
        held = self.rows["test"]
        return f"{held} held-out rows" if held else f"{self.rows['train']} training rows"


def _scores(predicted: Array, truth: Array, classifies: bool) -> dict[str, float]:
    if not classifies:
        return {
            "rmse": metrics.mse(predicted, truth) ** 0.5,
            "mae": metrics.mae(predicted, truth),
            "r2": metrics.r2(predicted, truth),
        }
    return {
        "accuracy": metrics.accuracy(predicted, truth),
        "f1": metrics.precision_recall_f1(predicted.argmax(1), truth, "macro")[2],
        "log_loss": metrics.log_loss(predicted, truth),
    }


def _baseline(train: Array, test: Array, classes: Sequence[str]) -> dict[str, float]:
    """Scores of always answering the commonest class (with the classes' shares), or the mean."""
    if not classes:
        return _scores(np.full(len(test), train.mean()), test, False)
    shares = np.bincount(train, minlength=len(classes)) / len(train)
    return _scores(np.tile(shares, (len(test), 1)), test, True)


@dataclass
class Prepared:
    """A table read, understood and split, before training."""

    settings: Settings
    schema: Schema
    table: Table
    parts: Split

    @classmethod
    def of(cls, settings: Settings) -> Prepared:
        table = settings.read(settings.data)
        schema = infer(
            table, settings.target, task=settings.task or None, number=settings.number,
            category=settings.category, drop=settings.drop,
        )  # fmt: skip
        rows, _ = labelled(table, settings.target)
        target = schema.target
        parts = split(
            len(rows), classes=target.encode(rows) if target.classes else None,
            names=target.classes, validation=settings.validation, test=settings.test,
            seed=settings.seed,
        )  # fmt: skip
        return cls(settings, schema, rows, parts)

    def train(self, folder: Path | None, *, resume: bool, verbose: int) -> Result:
        """Fit preprocessing and network on the training rows, score the held-out ones, save."""
        settings, parts, target = self.settings, self.parts, self.schema.target
        preprocessor = Preprocessor.fit(self.table.take(parts.train), self.schema)
        x, _ = preprocessor.transform(self.table)
        y = target.encode(self.table)
        scaler = None if target.classes else TargetScaler.fit(y[parts.train])
        goal = y if scaler is None else scaler.transform(y)
        manual_seed(settings.seed)
        network = build(x.shape[1], len(target.classes) or 1, settings)
        if folder is not None:
            _write_start(folder, settings, preprocessor)
        history = self._fit(network, x, goal, folder, resume=resume, verbose=verbose)
        model = Model(self.schema, preprocessor, network, scaler)
        held = parts.test if len(parts.test) else parts.train
        scores, _ = model.scores(self.table.take(held))
        baseline = _baseline(y[parts.train], y[held], target.classes)
        rows = {name: len(getattr(parts, name)) for name in ("train", "validation", "test")}
        result = Result(model, settings, history, scores, baseline, rows)
        if folder is not None:
            _write_end(folder, result)
        return result

    def _fit(
        self,
        network: nn.Module,
        x: Array,
        y: Array,
        folder: Path | None,
        *,
        resume: bool,
        verbose: int,
    ) -> History:
        settings, train, held = self.settings, self.parts.train, self.parts.validation
        rate, decay = settings.learning_rate, settings.weight_decay
        return fit(
            network, x[train], y[train], loss="cross_entropy" if y.dtype.kind == "i" else "mse",
            optimizer=lambda p: optim.AdamW(p, lr=rate, weight_decay=decay),
            epochs=settings.epochs, batch_size=settings.batch_size, seed=settings.seed,
            validation=(x[held], y[held]) if len(held) else None,
            stop=no_improvement(settings.patience) if len(held) else "converged",
            checkpoint=None if folder is None else folder / "checkpoint.safetensors",
            resume=resume, verbose=verbose,
        )  # fmt: skip


def build(width: int, outputs: int, settings: Settings) -> nn.Sequential:
    """Linear and ReLU layers of the hidden widths, and a linear output layer."""
    layers: list[nn.Module] = []
    for size in settings.hidden:
        layers += [nn.Linear(width, size), nn.ReLU()]
        layers += [nn.Dropout(settings.dropout)] if settings.dropout else []
        width = size
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def load_run(folder: Path) -> Model:
    """The model in a run folder."""
    settings = Settings.from_toml(folder / "settings.toml")
    if not (folder / "model.safetensors").exists():
        raise DataError(
            f"{folder} has no trained model yet: finish it with chalkgrad train --resume {folder}"
        )
    preprocessor = Preprocessor.load(folder / "preprocessing.skops")
    schema = preprocessor.schema
    saved = load(folder / "model.safetensors")
    network = build(len(preprocessor.feature_names), len(schema.target.classes) or 1, settings)
    network.load_state_dict(saved["weights"])
    scaler = TargetScaler(**saved["scaler"]) if saved["scaler"] else None
    return Model(schema, preprocessor, network, scaler)


def write_text(path: Path, text: str) -> None:
    write_whole(path, text.encode())


def _write_start(folder: Path, settings: Settings, preprocessor: Preprocessor) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "settings.toml", settings.to_toml())
    preprocessor.save(folder / "preprocessing.skops")


def _write_end(folder: Path, result: Result) -> None:
    model = result.model
    scaler = model.scaler.to_dict() if model.scaler else None
    save({"weights": model.network.state_dict(), "scaler": scaler}, folder / "model.safetensors")
    write_text(folder / "history.csv", _history_csv(result.history))
    report = {
        "measured_on": result.measured, "scores": result.scores, "baseline": result.baseline,
        "rows": result.rows,
    }  # fmt: skip
    write_text(folder / "metrics.json", json.dumps(report, indent=2) + "\n")
    write_text(folder / "README.md", card(folder, result))


def _history_csv(history: History) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *history.columns])
    for epoch in range(1, len(history) + 1):
        writer.writerow([epoch, *history.row(epoch).values()])
    return text.getvalue()


def card(folder: Path, result: Result) -> str:
    """The model card: what was trained on what, how well, and how to use it."""
    model, target, history = result.model, result.model.schema.target, result.history
    rows = result.rows
    parameters = sum(p.numel() for p in model.network.parameters())
    answer = "training classes in their shares" if target.classes else "training mean"
    seen = "training never saw them" if rows["test"] else "training saw them: none were held out"
    return f"""# {target.name} from {Path(result.settings.data).name}

A {target.task} network, trained with chalkgrad {__version__} (Python {platform.python_version()}, \
NumPy {np.__version__}).

| {result.measured} | network | baseline |
|---|---|---|
{
        _rows(
            [key, f"{value:.4g}", f"{result.baseline[key]:.4g}"]
            for key, value in result.scores.items()
        )
    }

The baseline always answers the {answer}. The scores are of {result.measured}; {seen}.
{rows["train"]} rows trained the network and {rows["validation"]} chose the epoch: \
{history.best_epoch} of {len(history)} ({history.stopped}).

## The network

{parameters:,} parameters, seed {result.settings.seed}:

```
{model.network!r}
```

## The columns

| column | kind | used | missing | why |
|---|---|---|---|---|
{_rows(model.schema.rows())}

## Use

```
chalkgrad predict {folder.name} NEW.csv -o predictions.csv
chalkgrad evaluate {folder.name} LABELLED.csv
```

Rows are expected to come from the same source as the training rows. A category that training did
not have is reported and counts as none of the known ones.
"""


def _rows(rows: Iterable[Sequence[Any]]) -> str:
    """The rows of a Markdown table."""
    return "\n".join(
        f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in rows
    )


def predictions_csv(model: Model, predicted: Array) -> str:
    """One line a row: the predicted class and every class's probability, or the amount."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    name = model.schema.target.name
    if not model.classes:
        writer.writerow([name])
        writer.writerows([f"{value:.8g}"] for value in predicted)
        return text.getvalue()
    writer.writerow([name, *(f"p({label})" for label in model.classes)])
    for row in predicted:
        writer.writerow([model.classes[int(row.argmax())], *(f"{p:.6g}" for p in row)])
    return text.getvalue()
