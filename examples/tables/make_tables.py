"""Writes the two example tables from the data sets that come with chalkgrad. See README.md."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from chalkgrad.data.sets import load

HERE = Path(__file__).parent
BANDS = ((80, "low"), (100, "middle"), (np.inf, "high"))  # of mean blood pressure, in mmHg
GAPS = {"bmi": 12, "hdl": 21, "pressure": 9, "progression": 3}  # cells emptied, by column


def iris() -> Iterable[dict[str, str]]:
    """Fisher's irises, as they are."""
    flowers = load("iris")
    names = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]
    for x, y in zip(flowers.x, flowers.y, strict=True):
        yield dict(zip(names, map(str, x), strict=True)) | {"species": flowers.target_names[y]}


def diabetes() -> Iterable[dict[str, str]]:
    """The patients, with blood pressure in three bands, a number for each, and some cells empty."""
    patients = load("diabetes")
    generator = np.random.default_rng(2004)
    emptied = {
        name: set(generator.choice(len(patients.y), count, replace=False).tolist())
        for name, count in GAPS.items()
    }
    for place, (x, y) in enumerate(zip(patients.x, patients.y, strict=True)):
        row = dict(zip(patients.feature_names, (f"{value:g}" for value in x), strict=True))
        row = {
            "patient": f"P{place + 1:03}",
            "age": row["age"],
            "sex": f"code {row['sex']}",
            "bmi": row["bmi"],
            "pressure": next(band for limit, band in BANDS if float(row["bp"]) < limit),
            **{name: row[name] for name in patients.feature_names[4:]},
            "progression": f"{y:g}",
        }
        yield {name: "" if place in emptied.get(name, ()) else row[name] for name in row}


def write(path: Path, rows: Iterable[dict[str, str]]) -> None:
    """One CSV file, header first."""
    rows = list(rows)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write(HERE / "iris.csv", iris())
    write(HERE / "diabetes.csv", diabetes())
