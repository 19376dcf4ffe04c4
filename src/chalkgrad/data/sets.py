"""Five real data sets that come with the package: small enough to read, old enough to be known.

Where each is from, who gave it and under which licence stands in files/SOURCES.md.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalkgrad.core.errors import DataError, nearest
from chalkgrad.data.splits import split
from chalkgrad.data.task import Task

Parts = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


@dataclass(frozen=True)
class About:
    """What is known of a set before its file is opened. `classes` is empty for a regression."""

    description: str
    source: str
    licence: str
    classes: tuple[str, ...] = ()


CC_BY = "CC BY 4.0 (Creative Commons Attribution 4.0 International)"

ABOUT = {
    "breast_cancer": About(
        "569 breast masses, 30 measurements of the cell nuclei in a needle sample, "
        "malignant or benign",
        "W. H. Wolberg, W. N. Street, O. L. Mangasarian: Breast Cancer Wisconsin (Diagnostic), "
        "UCI Machine Learning Repository, 1995, doi:10.24432/C5DW2B",
        CC_BY,
        ("malignant", "benign"),
    ),
    "diabetes": About(
        "442 patients: age, sex, body mass index, blood pressure, six blood serum measurements, "
        "and the progression of diabetes after one year",
        "B. Efron, T. Hastie, I. Johnstone, R. Tibshirani: Least Angle Regression, "
        "Annals of Statistics 32(2), 2004, doi:10.1214/009053604000000067",
        "none stated by its authors; published with their paper, redistributed by scikit-learn "
        "(BSD-3-Clause)",
    ),
    "digits": About(
        "1797 handwritten digits, 8×8 pixels of 0 (white) to 16 (black)",
        "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (its test part), "
        "UCI Machine Learning Repository, 1998, doi:10.24432/C50P49",
        CC_BY,
        tuple("0123456789"),
    ),
    "iris": About(
        "150 irises of three species: length and width of sepal and petal in centimetres",
        "R. A. Fisher: Iris, UCI Machine Learning Repository, 1936, doi:10.24432/C56C76 "
        "(with two rows as in Fisher's paper)",
        CC_BY,
        ("setosa", "versicolor", "virginica"),
    ),
    "wine": About(
        "178 wines from three growers in one region of Italy: 13 chemical measurements",
        "S. Aeberhard, M. Forina: Wine, UCI Machine Learning Repository, 1992, doi:10.24432/C5PC7J",
        CC_BY,
        ("class_0", "class_1", "class_2"),
    ),
}


@dataclass(frozen=True, eq=False, repr=False)
class DataSet:
    """A data set in plain NumPy.

    x: float32, one row per example, in the units of the source (nothing is scaled).
    y: int64 class ids into `target_names`, or float32 targets of a regression.
    """

    name: str
    x: NDArray[np.float32]
    y: NDArray[np.int64] | NDArray[np.float32]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    task: Task
    description: str
    source: str
    licence: str

    @property
    def images(self) -> NDArray[np.float32]:
        """The digits as pictures, shape (1797, 8, 8); DataError for any other set."""
        if self.name != "digits":
            raise DataError(f"{self.name} has no images; only 'digits' has: load('digits').images")
        return self.x.reshape(-1, 8, 8)

    def split(self, test: float = 0.25, seed: int = 0, stratify: bool = True) -> Parts:
        """Shuffle and divide: x_train, y_train, x_test, y_test.

        `stratify` keeps the proportion of each class in both parts; it says nothing to a
        regression, whose targets have no classes.

        >>> x_train, y_train, x_test, y_test = load("iris").split(test=0.2)
        >>> x_train.shape, x_test.shape, np.bincount(y_test).tolist()
        ((120, 4), (30, 4), [10, 10, 10])
        """
        classes = self.y if stratify and self.task == "classification" else None
        parts = split(len(self.y), classes=classes, validation=0, test=test, seed=seed)
        return self.x[parts.train], self.y[parts.train], self.x[parts.test], self.y[parts.test]

    def __repr__(self) -> str:
        rows, columns = self.x.shape
        return f"DataSet({self.name}: {rows} rows × {columns} features, {self._goal()})"

    def _goal(self) -> str:
        if self.task == "regression":
            return f"regression of {self.target_names[0]}"
        if len(self.target_names) > 4:
            return f"{len(self.target_names)} classes"
        return f"classes {', '.join(self.target_names)}"


def names() -> list[str]:
    """The sets that `load` knows.

    >>> names()
    ['breast_cancer', 'diabetes', 'digits', 'iris', 'wine']
    """
    return sorted(ABOUT)


def load(name: str) -> DataSet:
    """Load one of the sets that come with the package; nothing is downloaded.

    Raises DataError for a name that is not in `names()`.

    >>> load("iris")
    DataSet(iris: 150 rows × 4 features, classes setosa, versicolor, virginica)
    """
    if name not in ABOUT:
        raise DataError(
            f"there is no data set {name!r}; there are {', '.join(names())}.{nearest(name, ABOUT)}"
        )
    about = ABOUT[name]
    header, *rows = _rows(name)
    y: NDArray[np.int64] | NDArray[np.float32]
    if about.classes:
        ids = {each: number for number, each in enumerate(about.classes)}
        y = np.array([ids[row[-1]] for row in rows], np.int64)
    else:
        y = np.array([row[-1] for row in rows]).astype(np.float32)
    return DataSet(
        name=name,
        x=np.array([row[:-1] for row in rows]).astype(np.float32),
        y=y,
        feature_names=tuple(header[:-1]),
        target_names=about.classes or (header[-1],),
        task="classification" if about.classes else "regression",
        description=about.description,
        source=about.source,
        licence=about.licence,
    )


def _rows(name: str) -> list[list[str]]:
    file = files("chalkgrad.data") / "files" / f"{name}.csv.gz"
    text = gzip.decompress(file.read_bytes()).decode("utf-8")
    return list(csv.reader(text.splitlines()))
