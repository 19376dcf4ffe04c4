"""chalkgrad: back-propagation that shows its work.

`import chalkgrad as torch` runs ordinary PyTorch programs for dense and convolutional networks; a
name that exists means what it means in PyTorch 2.13.

>>> import chalkgrad as torch
>>> x = torch.tensor([1.0, 2.0], requires_grad=True)
>>> (x**2).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

from __future__ import annotations

import importlib
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

import chalkgrad.executors.eager  # the engine behind backward()
from chalkgrad.core.device import device
from chalkgrad.core.dtypes import bool_ as bool
from chalkgrad.core.dtypes import dtype, float32, float64, int32, int64
from chalkgrad.core.errors import ChalkgradError
from chalkgrad.core.errors import nearest as _nearest
from chalkgrad.core.graph import Graph
from chalkgrad.core.limits import finfo, iinfo
from chalkgrad.core.rooms import offer
from chalkgrad.core.scope import scope
from chalkgrad.tensor.creation import *
from chalkgrad.tensor.functions import *
from chalkgrad.tensor.printing import set_printoptions
from chalkgrad.tensor.random import *
from chalkgrad.tensor.saving import load, save
from chalkgrad.tensor.settings import *
from chalkgrad.tensor.tensor import Size, Tensor
from chalkgrad.transform.trace import trace
from chalkgrad.version import __version__

if TYPE_CHECKING:
    from chalkgrad import accelerator, autograd, backends, cuda, data, nn, optim, training, utils
    from chalkgrad.autograd import (
        enable_grad,
        inference_mode,
        is_grad_enabled,
        no_grad,
        set_grad_enabled,
    )
    from chalkgrad.check import check as check  # type: ignore[no-redef]
    from chalkgrad.executors.compiling import compile as compile
    from chalkgrad.explain import explain as explain  # type: ignore[no-redef]
    from chalkgrad.explain.diagnose import diagnose as diagnose
    from chalkgrad.nn.functional import (
        adaptive_avg_pool1d,
        avg_pool1d,
        bilinear,
        celu,
        conv1d,
        conv2d,
        conv_transpose1d,
        conv_transpose2d,
        cosine_similarity,
        hardshrink,
        max_pool1d,
        max_pool2d,
        pairwise_distance,
        pixel_shuffle,
        pixel_unshuffle,
        prelu,
        rms_norm,
        selu,
        threshold,
    )
    from chalkgrad.nn.functional.top import (
        batch_norm,
        dropout,
        embedding,
        group_norm,
        instance_norm,
        layer_norm,
    )
    from chalkgrad.studio import studio as studio
    from chalkgrad.training import metrics
    from chalkgrad.training.fit import fit as fit
    from chalkgrad.training.fit import predict
    from chalkgrad.transform.derivatives import grad, hessian, jacobian, jvp, value_and_grad, vjp

float = float32
double = float64
int = int32
long = int64
newaxis = None

# Imported when first used: what not every program needs.
_LAZY: dict[str, str | None] = {
    **dict.fromkeys(
        (
            "accelerator",
            "autograd",
            "backends",
            "cuda",
            "check",
            "data",
            "draw",
            "explain",
            "nn",
            "optim",
            "studio",
            "training",
            "utils",
        ),
        None,
    ),
    **dict.fromkeys(
        ("enable_grad", "inference_mode", "is_grad_enabled", "no_grad", "set_grad_enabled"),
        "autograd",
    ),
    **dict.fromkeys(
        (
            "adaptive_avg_pool1d",
            "avg_pool1d",
            "bilinear",
            "celu",
            "conv1d",
            "conv2d",
            "conv_transpose1d",
            "conv_transpose2d",
            "cosine_similarity",
            "hardshrink",
            "max_pool1d",
            "max_pool2d",
            "pairwise_distance",
            "pixel_shuffle",
            "pixel_unshuffle",
            "prelu",
            "rms_norm",
            "selu",
            "threshold",
        ),
        "nn.functional",
    ),
    **dict.fromkeys(
        (
            "batch_norm",
            "dropout",
            "embedding",
            "group_norm",
            "instance_norm",
            "layer_norm",
        ),
        "nn.functional.top",
    ),
    **dict.fromkeys(("fit", "metrics", "predict"), "training"),
    "compile": "executors.compiling",
    "diagnose": "explain.diagnose",
    "Worksheet": "worksheet",
    **dict.fromkeys(
        ("grad", "hessian", "jacobian", "jvp", "value_and_grad", "vjp"), "transform.derivatives"
    ),
}


_TYPED = {
    "BoolTensor": "bool", "DoubleTensor": "float64", "FloatTensor": "float32",
    "IntTensor": "int32", "LongTensor": "int64",
}  # fmt: skip


offer("kernels", "chalkgrad.compiler.show:kernels")
offer("interactive page", "chalkgrad.studio.offline:interactive")


def __getattr__(name: str) -> Any:
    if name in _TYPED:
        raise AttributeError(
            f"chalkgrad has no {name}: write tensor(data, dtype={_TYPED[name]}), or "
            f"zeros(sizes, dtype={_TYPED[name]})"
        )
    if name not in _LAZY:
        known = [*globals(), *_LAZY]
        raise AttributeError(
            f"module 'chalkgrad' has no attribute {name!r}.{_nearest(name, known)}"
        )
    home = _LAZY[name]
    if home is None:
        return importlib.import_module(f"chalkgrad.{name}")
    value = getattr(importlib.import_module(f"chalkgrad.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    hidden = {"annotations", "importlib", "offer", "TYPE_CHECKING", "Any"}
    return sorted({*globals(), *_LAZY} - hidden)
