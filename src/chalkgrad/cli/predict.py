"""`chalkgrad predict` and `chalkgrad evaluate`"""

from __future__ import annotations

import json as json_format
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from chalkgrad.cli.messages import Flag, Messages
from chalkgrad.data.tables import labelled
from chalkgrad.training.table_run import Settings, load_run, predictions_csv, write_text

Output = Annotated[Path | None, Parameter(name=["--output", "-o"])]


def predict(
    run: Path, data: str, /, *, output: Output = None, json: Flag = False, quiet: Flag = False
) -> int:
    """Predict the target of each row of a table with a saved run.

    Parameters
    ----------
    run
        The folder that `chalkgrad train --save` wrote.
    data
        A CSV or Parquet file with the columns that the run was trained on.
    output
        The file to write; stdout without it.
    json
        Write JSON, one object a row, in place of CSV.
    quiet
        Say nothing on stderr but errors.
    """
    messages = Messages(quiet)
    model = load_run(run)
    table = Settings.from_toml(run / "settings.toml").read(data)
    predicted, notes = model.predict(table)
    messages.notes((*table.notes, *notes))
    if json:
        text = "".join(json_format.dumps(_record(model.classes, row)) + "\n" for row in predicted)
    else:
        text = predictions_csv(model, predicted)
    if output is None:
        sys.stdout.write(text)
    else:
        write_text(output, text)
        messages.say(f"{len(predicted)} predictions written to {output}")
    return 0


def _record(classes: tuple[str, ...], row: Any) -> dict[str, object]:
    if not classes:
        return {"prediction": float(row)}
    shares = {label: float(p) for label, p in zip(classes, row, strict=True)}
    return {"prediction": classes[int(row.argmax())], "probabilities": shares}


def evaluate(run: Path, data: str, /, *, json: Flag = False, quiet: Flag = False) -> int:
    """Score a saved run on a table that has the target.

    Parameters
    ----------
    run
        The folder that `chalkgrad train --save` wrote.
    data
        A CSV or Parquet file with the run's columns and its target.
    json
        Print the scores as JSON.
    quiet
        Say nothing on stderr but errors.
    """
    messages = Messages(quiet)
    model = load_run(run)
    table = Settings.from_toml(run / "settings.toml").read(data)
    rows, left_out = labelled(table, model.schema.target.name)
    scores, notes = model.scores(rows)
    messages.notes((*table.notes, *left_out, *notes))
    if json:
        print(json_format.dumps({"rows": len(rows), **scores}))
    else:
        print("\n".join(f"{key} {value:.6g}" for key, value in scores.items()))
    return 0
