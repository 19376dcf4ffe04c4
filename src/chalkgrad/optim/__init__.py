"""Optimizers: update equations written in tensors, and schedules of their learning rates."""

from chalkgrad.optim import lr_scheduler
from chalkgrad.optim.adadelta import Adadelta
from chalkgrad.optim.adagrad import Adagrad
from chalkgrad.optim.adam import Adam, AdamW
from chalkgrad.optim.adamax import Adamax
from chalkgrad.optim.lbfgs import LBFGS
from chalkgrad.optim.nadam import NAdam
from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.radam import RAdam
from chalkgrad.optim.rmsprop import RMSprop
from chalkgrad.optim.rprop import Rprop
from chalkgrad.optim.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
]
