"""Training: `fit`, its history, stop rules, checkpoints and metrics."""

from chalkgrad.training import metrics
from chalkgrad.training.callbacks import Callback
from chalkgrad.training.fit import fit, predict
from chalkgrad.training.history import History
from chalkgrad.training.stopping import Stop, converged, no_improvement

__all__ = [
    "Callback",
    "History",
    "Stop",
    "converged",
    "fit",
    "metrics",
    "no_improvement",
    "predict",
]
