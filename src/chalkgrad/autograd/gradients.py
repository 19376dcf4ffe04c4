"""Gradients on demand: `grad` gives them back, `backward` adds them to the leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalkgrad.core.errors import ArgumentError, GradientError, NotAvailable, TypeMismatch
from chalkgrad.executors.eager import EagerEngine
from chalkgrad.tensor.creation import zeros_like
from chalkgrad.tensor.tensor import Tensor

Tensors = Tensor | Sequence[Tensor]


def as_tuple(given: Any) -> tuple[Any, ...]:
    """One tensor or several, as several."""
    return tuple(given) if isinstance(given, (tuple, list)) else (given,)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients ∂(Σ grad_outputsᵢ · outputsᵢ) / ∂inputsₖ, one for each input, in its shape.

    With `create_graph` the gradients are part of the graph and can be differentiated again. An
    input that the outputs do not depend on is an error, unless `allow_unused` (its gradient is then
    None) or `materialize_grads` (it is then zeros).

    Raises RuntimeError for an output that does not require a gradient, an output of several
    elements without its grad_output, an unused input, and a graph gone through before.

    >>> import chalkgrad as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (slope,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> slope
    tensor(27., grad_fn=<MulBackward0>)
    >>> torch.autograd.grad(slope, x)
    (tensor(18.),)
    """
    if materialize_grads and allow_unused is False:
        raise ArgumentError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    if is_grads_batched or not only_inputs:
        raise NotAvailable("is_grads_batched=True and only_inputs=False are not there")
    roots, wanted = as_tuple(outputs), as_tuple(inputs)
    seeds = _seeds(roots, grad_outputs)
    _check_inputs(wanted)
    retain = create_graph if retain_graph is None else retain_graph
    found = _engine().gradients([*roots], seeds, [*wanted], retain, create_graph)
    if materialize_grads:
        return tuple(zeros_like(x) if g is None else g for g, x in zip(found, wanted, strict=True))
    for k, (gradient, tensor) in enumerate(zip(found, wanted, strict=True)):
        if gradient is None and not allow_unused:
            raise GradientError(
                f"The differentiated Tensor at index {k}{_named(tensor)} appears to not have been "
                "used in the graph. Set allow_unused=True if this is the desired behavior."
            )
    return tuple(found)


def backward(
    tensors: Tensors,
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Tensor | Sequence[Tensor | None] | None = None,
    inputs: Tensors | None = None,
) -> None:
    """Add the gradient of Σ grad_tensorsᵢ · tensorsᵢ to every leaf (or to `inputs` only).

    >>> import chalkgrad as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward([x.sum(), (x * x).sum()])
    >>> x.grad
    tensor([3., 5.])
    """
    roots = as_tuple(tensors)
    seeds = _seeds(roots, grad_tensors if grad_variables is None else grad_variables)
    wanted = None if inputs is None else [*as_tuple(inputs)]
    retain = create_graph if retain_graph is None else retain_graph
    _engine().backward([*roots], seeds, retain, create_graph, wanted)


def _named(tensor: Tensor) -> str:
    return f" ({tensor.name})" if tensor.name else ""


def _engine() -> EagerEngine:
    engine = Tensor.engine
    assert isinstance(engine, EagerEngine)
    return engine


def _seeds(roots: Sequence[Tensor], given: Any) -> list[Tensor | None]:
    for root in roots:
        if not isinstance(root, Tensor):
            raise TypeMismatch(f"the outputs must be tensors, not {type(root).__name__}")
    seeds = [None] * len(roots) if given is None else [*as_tuple(given)]
    if len(seeds) != len(roots):
        raise GradientError(f"got {len(roots)} tensors and {len(seeds)} gradients")
    return seeds


def _check_inputs(wanted: Sequence[Tensor]) -> None:
    if not wanted:
        raise GradientError("`inputs` argument to `grad()` cannot be empty.")
    for k, tensor in enumerate(wanted):
        if not isinstance(tensor, Tensor):
            raise TypeMismatch(f"the inputs must be tensors, not {type(tensor).__name__}")
        if not tensor.requires_grad:
            raise GradientError(
                "One of the differentiated Tensors does not require grad: index "
                f"{k}{_named(tensor)}. Create it with requires_grad=True, before the outputs are "
                "computed from it."
            )
