"""`chalkgrad.nn.utils`: gradients held within bounds, and all parameters as one vector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NoReturn

from chalkgrad.core.errors import NameMissing, NotFinite, ShapeError, nearest
from chalkgrad.core.scope import recording
from chalkgrad.tensor.creation import zeros
from chalkgrad.tensor.joining import cat, stack
from chalkgrad.tensor.tensor import Tensor

Tensors = Tensor | Iterable[Tensor]

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm",
    "parameters_to_vector", "vector_to_parameters",
]  # fmt: skip


def _gradients(parameters: Tensors) -> list[Tensor]:
    many = [parameters] if isinstance(parameters, Tensor) else parameters
    return [parameter.grad for parameter in many if parameter.grad is not None]


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors taken as one long vector: (Σ |x|ᵖ)^(1/p).

    >>> import chalkgrad as torch
    >>> torch.nn.utils.get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])])
    tensor(5.)
    """
    many: Sequence[Tensor] = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not many:
        return zeros(())
    with recording(False):
        parts = [tensor.norm(float(norm_type)) for tensor in many]
        total: Tensor = stack(parts).norm(float(norm_type))
        if error_if_nonfinite and not total.isfinite().item():
            raise NotFinite(
                f"The total norm of order {float(norm_type)} for gradients from `parameters` is "
                "non-finite, so it cannot be clipped. To disable this error and scale the "
                "gradients by the "
                "non-finite norm anyway, set `error_if_nonfinite=False`"
            )
    return total


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """grad ← grad · min(1, max_norm / (total_norm + 1e-6)), in place."""
    with recording(False):
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp_max(1.0)
        for gradient in _gradients(parameters):
            gradient.write(gradient * factor, operation="mul_")


def clip_grad_norm_(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:  # fmt: skip
    """Shorten all gradients by one factor, so that their common norm is at most max_norm.

    Returns the norm that they had. RuntimeError for a norm that is NaN or infinite, if asked for.

    >>> import chalkgrad as torch
    >>> w = torch.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> torch.nn.utils.clip_grad_norm_([w], max_norm=1.0), w.grad
    (tensor(10.), tensor([0.6000, 0.8000]))
    """
    many = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_gradients(many), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(many, max_norm, total, foreach)
    return total


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Keep every element of every gradient within ±clip_value, in place.

    >>> import chalkgrad as torch
    >>> w = torch.tensor([3.0, 0.25], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> torch.nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([1.0000, 0.5000])
    """
    bound = float(clip_value)
    with recording(False):
        for gradient in _gradients(parameters):
            gradient.write(gradient.clamp(-bound, bound), operation="clamp_")


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, one after the other, as one vector.

    >>> import chalkgrad as torch
    >>> torch.nn.utils.parameters_to_vector([torch.ones(1, 2), torch.zeros(1)])
    tensor([1., 1., 0.])
    """
    return cat([parameter.reshape(-1) for parameter in parameters])  # type: ignore[no-any-return]


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give the parameters the numbers of one vector, in order."""
    start = 0
    for parameter in parameters:
        count = parameter.numel()
        if start + count > vec.numel():
            raise ShapeError(f"the vector has {vec.numel()} elements; the parameters have more")
        part = vec.detach().narrow(0, start, count)
        parameter.data = part.reshape(parameter.node.shape).clone()
        start += count


def __getattr__(name: str) -> NoReturn:
    raise NameMissing(f"chalkgrad.nn.utils has no {name!r}.{nearest(name, __all__)}")
