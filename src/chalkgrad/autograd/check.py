"""Derivatives checked against central differences: `gradcheck` and `gradgradcheck`.

∂outⱼ/∂xᵢ ≈ (outⱼ(x + ε·eᵢ) − outⱼ(x − ε·eᵢ)) / 2ε
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chalkgrad.autograd.gradients import as_tuple, grad
from chalkgrad.autograd.switches import enable_grad
from chalkgrad.core.errors import ArgumentError, ChalkgradError, NotAvailable
from chalkgrad.core.graph import Array, leaf
from chalkgrad.tensor.tensor import Tensor

Function = Callable[..., Any]


class GradcheckError(ChalkgradError, RuntimeError):
    """A derivative that does not agree with finite differences."""


def gradcheck(
    func: Function,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare func's derivatives towards the inputs that require one with central differences.

    Use float64: in float32 the differences themselves are not good to 1e-3. Raises GradcheckError
    (a RuntimeError) with both Jacobians, or returns False with `raise_exception=False`. Every
    element is checked, so `fast_mode` changes nothing; an unused output's gradient is always zeros
    and a gradient's type always its input's, so there is nothing more to check of these.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([0.5, -1.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sigmoid, (x,))
    True
    """
    if check_batched_grad or check_batched_forward_grad or check_forward_ad:
        raise NotAvailable("gradcheck of forward mode or of batched gradients: there are none")
    given = as_tuple(inputs)
    _check_inputs(given)
    if not check_backward_ad:
        return True
    try:
        _compare(func, given, eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Function,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check the derivatives of func's derivatives, towards the inputs and the grad_outputs.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([0.5, -1.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.tanh, (x,))
    True
    """
    if check_batched_grad or check_fwd_over_rev:
        raise NotAvailable("gradgradcheck of forward mode or of batched gradients: there are none")
    given = as_tuple(inputs)
    outputs = _differentiable(func(*given))
    seeds = _random_like(outputs) if grad_outputs is None else as_tuple(grad_outputs)
    count = len(seeds)

    def slopes(*args: Any) -> tuple[Tensor, ...]:
        arguments, cotangents = args[:-count], args[-count:]
        wanted = [x for x in arguments if isinstance(x, Tensor) and x.requires_grad]
        with enable_grad():
            roots = _differentiable(func(*arguments))
            found = grad(roots, wanted, cotangents, create_graph=True, allow_unused=True)
        return tuple(gradient for gradient in found if gradient is not None)

    return gradcheck(
        slopes, (*given, *seeds), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
    )  # fmt: skip


def _check_inputs(given: Sequence[Any]) -> None:
    tracked = [k for k, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    if not tracked:
        raise ArgumentError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for k in tracked:
        if given[k].node.dtype != np.float64:
            warnings.warn(
                f"Input #{k} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                stacklevel=3,
            )


def _differentiable(returned: Any) -> tuple[Tensor, ...]:
    return tuple(x for x in as_tuple(returned) if isinstance(x, Tensor) and x.requires_grad)


def _random_like(outputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(-1, 1, x.node.shape).astype(x.node.dtype) for x in outputs]
    return tuple(x.wrap(leaf(a, tracked=True)) for x, a in zip(outputs, arrays, strict=True))


def _compare(
    func: Function, given: tuple[Any, ...], eps: float, atol: float, rtol: float, nondet_tol: float
) -> None:
    outputs = [x for x in as_tuple(func(*given)) if isinstance(x, Tensor)]
    places = [k for k, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    numerical = {k: _numerical(func, given, k, eps) for k in places}
    for j, out in enumerate(outputs):
        if out.node.dtype.kind != "f":
            continue
        analytical = _analytical(out, [given[k] for k in places])
        again = _analytical(out, [given[k] for k in places])
        for k, found, repeated in zip(places, analytical, again, strict=True):
            wanted = numerical[k][j]
            if not out.requires_grad and not np.allclose(wanted, 0, rtol, atol):
                raise GradcheckError("Numerical gradient for function expected to be zero")
            if not np.allclose(found, wanted, rtol, atol, equal_nan=True):
                raise GradcheckError(
                    f"Jacobian mismatch for output {j} with respect to input {k},\n"
                    f"numerical:{wanted}\nanalytical:{found}\n"
                )
            if not np.allclose(found, repeated, 0, nondet_tol, equal_nan=True):
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and "
                    "grad_output multiple times gives different values, although analytical "
                    "gradient matches numerical gradient. The tolerance for nondeterminism was "
                    f"{nondet_tol}."
                )


def _numerical(func: Function, given: tuple[Any, ...], k: int, eps: float) -> list[Array]:
    """The Jacobian of each output towards input k: one row an element of the input."""
    x = given[k]
    array = x.array_for("gradcheck")
    rows: list[list[Array]] = []
    for place in np.ndindex(*array.shape):
        sides = []
        for step in (eps, -eps):
            moved = array.copy()
            moved[place] += step
            argument = x.wrap(leaf(moved, tracked=True))
            returned = as_tuple(func(*given[:k], argument, *given[k + 1 :]))
            sides.append(
                [y.detach().array_for("gradcheck") for y in returned if isinstance(y, Tensor)]
            )
        pairs = zip(*sides, strict=True)
        rows.append([((up - down) / (2 * eps)).reshape(-1) for up, down in pairs])
    if not rows:
        outputs = [y for y in as_tuple(func(*given)) if isinstance(y, Tensor)]
        return [np.zeros((0, y.numel())) for y in outputs]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _analytical(out: Tensor, inputs: list[Tensor]) -> list[Array]:
    """The same by the reverse pass, one column an element of the output."""
    columns: list[list[Array]] = [[] for _ in inputs]
    for place in np.ndindex(*out.node.shape):
        seed = np.zeros(out.node.shape, out.node.dtype)
        seed[place] = 1
        found: Sequence[Any] = [None] * len(inputs)
        if out.requires_grad:
            start = out.wrap(leaf(seed))
            found = grad(out, inputs, start, retain_graph=True, allow_unused=True)
        for column, gradient, x in zip(columns, found, inputs, strict=True):
            empty = np.zeros(x.numel())
            column.append(
                empty if gradient is None else gradient.array_for("gradcheck").reshape(-1)
            )
    return [
        np.stack(column, axis=1) if column else np.zeros((x.numel(), 0))
        for column, x in zip(columns, inputs, strict=True)
    ]
