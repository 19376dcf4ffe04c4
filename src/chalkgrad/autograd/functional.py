"""Derivatives of functions of tensors, with the signatures of `torch.autograd.functional`.

vjp       vᵀ J            one pass back
jvp       J v             the derivative of uᵀ J towards u, along v: two passes back
jacobian  J               one pass back for each element of the output
hessian   H               the Jacobian of the Jacobian
vhp       vᵀ H            two passes back
hvp       H v             vhp, and the trick of jvp
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalkgrad.autograd import gradients
from chalkgrad.autograd.switches import Switch, enable_grad, is_grad_enabled
from chalkgrad.core.errors import ArgumentError, GradientError, NotAvailable, TypeMismatch
from chalkgrad.tensor.creation import zeros, zeros_like
from chalkgrad.tensor.joining import stack
from chalkgrad.tensor.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function = Callable[..., Any]
Tensors = tuple[Tensor, ...]
Found = tuple[Tensor | None, ...]


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func's value and vᵀ J, in the shapes of the outputs and of the inputs.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.vjp(lambda x: x * x, x, torch.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    with enable_grad():
        several, given = _tensors(inputs, "inputs", "vjp")
        given = _fresh(given, create_graph, tracked=True)
        several_out, outputs = _called(func, given, "vjp", strict)
        v = _vector(v, outputs, several_out, create_graph, "vjp", (
            "The vector v can only be None if the user-provided function returns a single Tensor "
            "with a single element."))  # fmt: skip
    with Switch(create_graph or is_grad_enabled()):
        found = _filled(_grad(outputs, given, v, create_graph), given, strict, create_graph, "back")
    return _handed(outputs, several_out, create_graph), _handed(found, several, create_graph)


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func's value and J v, both in the shapes of the outputs.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.jvp(lambda x: (x * x).sum(), x, torch.ones(2))
    (tensor(5.), tensor(6.))
    """
    with enable_grad():
        _, given = _tensors(inputs, "inputs", "jvp")
        several = isinstance(inputs, tuple)
        given = _fresh(given, create_graph, tracked=True)
        v = _vector(v, given, several, create_graph, "jvp", _ONE_INPUT)
        several_out, outputs = _called(func, given, "jvp", strict)
        free = tuple(zeros_like(out, requires_grad=True) for out in outputs)
        rows = _grad(outputs, given, free, create_graph=True)
        _check_tracked(rows, "grad_inputs", strict)
    with Switch(create_graph or is_grad_enabled()):
        found = _grad(rows, free, v, create_graph)
        along = _filled(found, outputs, strict, create_graph, "back_trick")
    return _handed(outputs, several_out, create_graph), _handed(along, several_out, create_graph)


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """∂outputᵢ / ∂inputⱼ for every pair of elements: shape (*output, *input).

    Tuples in, tuple out; with a tuple of outputs, the first index says which output. `vectorize` is
    accepted and changes nothing.

    >>> import chalkgrad as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _check_strategy(strategy)
    with enable_grad():
        several, given = _tensors(inputs, "inputs", "jacobian")
        given = _fresh(given, create_graph, tracked=True)
        several_out, outputs = _called(func, given, "jacobian", strict)
        blocks = [_rows(k, outputs, given, create_graph, strict) for k in range(len(outputs))]
    rows = [_handed(block, several, create_graph) for block in blocks]
    return tuple(rows) if several_out else rows[0]


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """∂²output / ∂inputᵢ ∂inputⱼ of a function with one number as output.

    >>> import chalkgrad as torch
    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    _check_strategy(outer_jacobian_strategy)
    several, given = _tensors(inputs, "inputs", "hessian")

    def scalar(*args: Tensor) -> Tensor:
        out = func(*args)
        several_out, outputs = _tensors(out, "outputs of the user-provided function", "hessian")
        _check_tracked(outputs, "outputs", strict)
        return _single("hessian", several_out, outputs).reshaped(())

    def slopes(*args: Tensor) -> Any:
        found = jacobian(scalar, args, create_graph=True)
        _check_tracked(found, "jacobian", strict)
        return found

    found = jacobian(slopes, given, create_graph, strict, vectorize)
    return found if several else found[0][0]


def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func's value (one number) and vᵀ H, in the shapes of the inputs.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.vhp(lambda x: (x**3).sum(), x, torch.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    several, given, outputs, slopes, v = _slopes(func, inputs, v, create_graph, strict, "vhp")
    with Switch(create_graph or is_grad_enabled()):
        found = _grad(slopes, given, v, create_graph)
        product = _filled(found, given, strict, create_graph, "double_back")
    return _handed(outputs, False, create_graph), _handed(product, several, create_graph)


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """func's value (one number) and H v, in the shapes of the inputs.

    >>> import chalkgrad as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.hvp(lambda x: (x**3).sum(), x, torch.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    several, given, outputs, slopes, v = _slopes(func, inputs, v, create_graph, strict, "hvp")
    with enable_grad():
        free = tuple(zeros_like(x, requires_grad=True) for x in given)
        rows = _grad(slopes, given, free, create_graph=True)
    with Switch(create_graph or is_grad_enabled()):
        found = _grad(rows, free, v, create_graph)
        product = _filled(found, given, strict, create_graph, "double_back_trick")
    return _handed(outputs, False, create_graph), _handed(product, several, create_graph)


_ONE_INPUT = (
    "The vector v can only be None if the input to the user-provided function is a single Tensor "
    "with a single element."
)
_STRICT = "This is not allowed in strict mode"


def _tensors(given: Any, what: str, name: str) -> tuple[bool, Tensors]:
    several = isinstance(given, tuple)
    tensors = given if several else (given,)
    for k, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            place = f"value at index {k}" if several else f"given {what}"
            raise TypeMismatch(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the "
                f"{place} has type {type(tensor)}."
            )
    return several, tensors


def _fresh(tensors: Tensors, create_graph: bool, *, tracked: bool) -> Tensors:
    """Tensors of our own, so that the same ones, captured by the function, are told apart."""
    return tuple(
        x.clone() if create_graph and x.requires_grad else x.detach().requires_grad_(tracked)
        for x in tensors
    )


def _called(func: Function, given: Tensors, name: str, strict: bool) -> tuple[bool, Tensors]:
    several, outputs = _tensors(func(*given), "outputs of the user-provided function", name)
    _check_tracked(outputs, "outputs", strict)
    return several, outputs


def _vector(
    v: Any, other: Tensors, several: bool, create_graph: bool, name: str, needed: str
) -> Tensors | None:
    if v is None:
        if len(other) != 1 or other[0].numel() != 1:
            raise GradientError(needed)
        return None
    _, vectors = _tensors(v, "v", name)
    vectors = _fresh(vectors, create_graph, tracked=False)
    if len(vectors) != len(other):
        raise GradientError(
            f"v is a tuple of invalid length: should be {len(other)} but got {len(vectors)}."
            if several
            else "The given v should contain a single Tensor."
        )
    for k, (mine, wanted) in enumerate(zip(vectors, other, strict=True)):
        if mine.shape != wanted.shape:
            entry = f"Entry {k} in " if several else ""
            raise GradientError(
                f"{entry}v has invalid size: should be {wanted.shape} but got {mine.shape}."
            )
    return vectors


def _slopes(
    func: Function, inputs: Any, v: Any, create_graph: bool, strict: bool, name: str
) -> tuple[bool, Tensors, Tensors, Found, Tensors | None]:
    """What vhp and hvp begin with: the inputs, the value and its gradient, and v."""
    with enable_grad():
        several, given = _tensors(inputs, "inputs", name)
        given = _fresh(given, create_graph, tracked=True)
        v = _vector(v, given, several, create_graph, name, _ONE_INPUT)
        several_out, outputs = _called(func, given, name, strict)
        _single(name, several_out, outputs)
        slopes = _grad(outputs, given, None, create_graph=True)
        _check_tracked(slopes, "jacobian", strict)
    return several, given, outputs, slopes, v


def _single(name: str, several: bool, outputs: Tensors) -> Tensor:
    if several:
        raise GradientError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise GradientError(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )
    return outputs[0]


def _grad(
    outputs: Sequence[Tensor | None],
    inputs: Tensors,
    v: Sequence[Tensor] | None,
    create_graph: bool,
) -> Found:
    """The gradients; outputs without a graph add nothing to them."""
    seeds = [None] * len(outputs) if v is None else v
    pairs = [
        (out, seed) for out, seed in zip(outputs, seeds, strict=True)
        if out is not None and out.requires_grad
    ]  # fmt: skip
    if not pairs:
        return (None,) * len(inputs)
    roots, starts = zip(*pairs, strict=True)
    return gradients.grad(
        roots, inputs, starts, retain_graph=True, create_graph=create_graph, allow_unused=True
    )


def _rows(
    place: int, outputs: Tensors, given: Tensors, create_graph: bool, strict: bool
) -> Tensors:
    """The Jacobian of one output towards every input."""
    out = outputs[place]
    flat = out.reshape(-1)
    columns: list[list[Tensor]] = [[] for _ in given]
    for element in range(out.numel()):
        row = _grad((flat[element],), given, None, create_graph)
        for k, (found, x) in enumerate(zip(row, given, strict=True)):
            if strict and found is None:
                raise GradientError(
                    f"Output {place} of the user-provided function is independent of input {k}. "
                    f"{_STRICT}."
                )
            if strict and create_graph and found is not None and not found.requires_grad:
                raise GradientError(
                    f"The jacobian of the user-provided function is independent of input {place}. "
                    f"{_STRICT} when create_graph=True."
                )
            columns[k].append(zeros_like(x) if found is None else found)
    shapes = [out.node.shape + x.node.shape for x in given]
    return tuple(
        stack(column).reshaped(shape) if column else zeros(shape, dtype=out.dtype)
        for column, shape in zip(columns, shapes, strict=True)
    )


_INDEPENDENT = {
    "back": "The output of the user-provided function is independent of input {k}. ",
    "back_trick": (
        "The gradient with respect to the input is independent of entry {k} in the grad_outputs "
        "when using the double backward trick to compute forward mode gradients. "
    ),
    "double_back": "The jacobian of the user-provided function is independent of input {k}. ",
    "double_back_trick": (
        "The hessian of the user-provided function is independent of entry {k} in the "
        "grad_jacobian: the double backward trick cannot be used. "
    ),
}


def _filled(
    found: Found, references: Tensors, strict: bool, create_graph: bool, stage: str
) -> Tensors:
    """Zeros where there is no gradient; in strict mode, an error."""
    for k, gradient in enumerate(found):
        if strict and gradient is None:
            raise GradientError(_INDEPENDENT[stage].format(k=k) + _STRICT + ".")
        if strict and create_graph and gradient is not None and not gradient.requires_grad:
            order = "hessian" if "double" in stage else "jacobian"
            raise GradientError(
                f"The {order} of the user-provided function is independent of input {k}. "
                f"{_STRICT} when create_graph=True."
            )
    return tuple(zeros_like(x) if g is None else g for g, x in zip(found, references, strict=True))


_UNTRACKED = {
    "outputs": (
        "Output {k} of the user-provided function does not require gradients. The outputs must be "
        "computed in a differentiable manner from the input when running in strict mode."
    ),
    "grad_inputs": (
        "The gradient with respect to input {k} is independent of the inputs of the user-provided "
        "function. This is not allowed in strict mode."
    ),
    "jacobian": (
        "While computing the hessian, found that the jacobian of the user-provided function with "
        "respect to input {k} is independent of the input. This is not allowed in strict mode. You "
        "should ensure that your function is twice differentiable and that the jacobian depends on "
        "the inputs (this would be violated by a linear function for example)."
    ),
}


def _check_tracked(tensors: Found, kind: str, strict: bool) -> None:
    for k, tensor in enumerate(tensors if strict else ()):
        if tensor is None:
            raise GradientError(_INDEPENDENT["back"].format(k=k) + _STRICT + ".")
        if not tensor.requires_grad:
            raise GradientError(_UNTRACKED[kind].format(k=k))


def _check_strategy(strategy: str) -> None:
    if strategy == "forward-mode":
        raise NotAvailable('strategy="forward-mode": the Jacobian is computed in reverse mode')
    if strategy != "reverse-mode":
        raise ArgumentError(f'Expected strategy to be "reverse-mode", not {strategy!r}')


def _handed(tensors: Tensors, several: bool, create_graph: bool) -> Any:
    """The results: without history unless asked, and alone if they came alone."""
    given = tensors if create_graph else tuple(x.detach() for x in tensors)
    return given if several else given[0]
