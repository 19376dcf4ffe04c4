"""Gradients on demand, custom derivatives and checks of them, with PyTorch's names."""

from __future__ import annotations

from chalkgrad.autograd import functional
from chalkgrad.autograd.check import GradcheckError, gradcheck, gradgradcheck
from chalkgrad.autograd.function import Function
from chalkgrad.autograd.gradients import backward, grad
from chalkgrad.autograd.switches import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)

__all__ = [
    "Function",
    "GradcheckError",
    "backward",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]
