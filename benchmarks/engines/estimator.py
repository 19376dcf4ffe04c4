"""scikit-learn's multi-layer perceptron: its own first weights and shuffling, no penalty."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.cases import Case, data


def prepare(case: Case) -> Estimator:
    return Estimator(case)


class Estimator:
    """One call of fit for all epochs, continued with warm_start; never stopped early."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.x, y = data(case)
        self.y = y.ravel()
        kind = MLPRegressor if case.loss == "mse" else MLPClassifier
        self.model: Any = kind(**options(case))

    def __call__(self, steps: int) -> None:
        self.model.max_iter = steps * self.case.batch // self.case.records
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "has not converged yet": it is not meant to
            self.model.fit(self.x, self.y)

    def loss(self) -> float:
        return float(self.model.loss_)


def options(case: Case) -> dict[str, Any]:
    return {
        "hidden_layer_sizes": case.widths[1:-1],
        "activation": "relu" if case.activation == "relu" else "logistic",
        "solver": case.optimizer,
        "learning_rate_init": case.learning_rate,
        "batch_size": case.batch,
        "momentum": 0.0,
        "alpha": 0.0,
        "tol": 0.0,
        "n_iter_no_change": sys.maxsize,
        "warm_start": True,
        "random_state": 0,
    }
