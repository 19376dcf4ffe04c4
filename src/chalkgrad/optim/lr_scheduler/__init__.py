"""Schedules of the learning rate: each is a formula for ηₜ, applied at every `step()`."""

from chalkgrad.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from chalkgrad.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from chalkgrad.optim.lr_scheduler.cyclic import CyclicLR
from chalkgrad.optim.lr_scheduler.decay import (
    ConstantLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from chalkgrad.optim.lr_scheduler.lambdas import LambdaLR, MultiplicativeLR
from chalkgrad.optim.lr_scheduler.one_cycle import OneCycleLR
from chalkgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from chalkgrad.optim.lr_scheduler.scheduler import LRScheduler

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
