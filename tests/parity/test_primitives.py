"""Every primitive, and random graphs, against PyTorch: outputs and gradients, at kinks too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from chalkgrad.core.graph import Array
from tests.primitives import judges
from tests.primitives.programs import Program, programs
from tests.primitives.table import CASES, EMPTY_CASES, RECORDS, Case

torch = pytest.importorskip("torch")
functional = torch.nn.functional
pytestmark = pytest.mark.parity


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axes, keepdims: function(x, axes, keepdims) if axes else x.clone()


def _prod(x: Any, axes: Any, keepdims: bool) -> Any:
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdims)
    return x


def _cumsum(x: Any, axis: int, reverse: bool) -> Any:
    return x.flip(axis).cumsum(axis).flip(axis) if reverse else x.cumsum(axis)


def _slice(x: Any, start: Any, stop: Any, step: Any) -> Any:
    return x[tuple(slice(*part) for part in zip(start, stop, step, strict=True))]


def _pad(x: Any, low: Any, high: Any, between: Any) -> Any:
    for axis, (before, after, gap) in enumerate(zip(low, high, between, strict=True)):
        n, shape = x.shape[axis], list(x.shape)
        shape[axis] = before + n + max(n - 1, 0) * gap + after
        places = before + torch.arange(n) * (gap + 1)
        x = x.new_zeros(shape).index_copy(axis, places, x)
    return x


def _take(x: Any, index: Any, axis: int) -> Any:
    flat = x.index_select(axis, index.reshape(-1))
    return flat.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def _add_at(x: Any, index: Any, axis: int, extent: int) -> Any:
    after = x.shape[axis + index.ndim :]
    rows = x.reshape(*x.shape[:axis], index.numel(), *after)
    out = x.new_zeros(*x.shape[:axis], extent, *after)
    return out.index_add(axis, index.reshape(-1), rows)


_CONVOLUTIONS = {1: "conv1d", 2: "conv2d", 3: "conv3d"}


def _convolution(x: Any, w: Any, **p: Any) -> Any:
    return getattr(functional, _CONVOLUTIONS[x.ndim - 2])(x, w, None, **p)


def _convolution_input(g: Any, w: Any, size: Any, stride: Any, padding: Any, dilation: Any,
                       groups: int) -> Any:  # fmt: skip
    kernel, out = w.shape[2:], g.shape[2:]
    parts = zip(out, stride, padding, dilation, kernel, strict=True)
    least = [(o - 1) * s - 2 * p + d * (k - 1) + 1 for o, s, p, d, k in parts]
    more = tuple(n - m for n, m in zip(size, least, strict=True))
    transposed = getattr(functional, _CONVOLUTIONS[g.ndim - 2].replace("conv", "conv_transpose"))
    return transposed(g, w, None, stride, padding, more, groups, dilation)


def _convolution_weight(x: Any, g: Any, kernel: Any, stride: Any, padding: Any, dilation: Any,
                        groups: int) -> Any:  # fmt: skip
    name = _CONVOLUTIONS[x.ndim - 2] + "_weight"
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    return getattr(torch.nn.grad, name)(x, shape, g, stride, padding, dilation, groups)


def _pooled(x: Any, out: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    name = {1: "max_pool1d", 2: "max_pool2d"}[len(kernel)]
    ceil = out != tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(x.shape[2:], padding, dilation, kernel, stride, strict=True)
    )
    return getattr(functional, name + "_with_indices")(x, kernel, stride, padding, dilation, ceil)


def _pool_scatter(g: Any, places: Any, size: Any, **_: Any) -> Any:
    flat = g.new_zeros((*g.shape[:2], int(np.prod(size))))
    added = flat.scatter_add(2, places.flatten(2).long(), g.flatten(2))
    return added.reshape((*g.shape[:2], *size))


def _window_sum(x: Any, out: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    one = x.new_ones(x.shape[1], 1, *kernel)
    parts = zip(out, stride, kernel, x.shape[2:], padding, strict=True)
    room = [(o - 1) * s + k - n - p for o, s, k, n, p in parts]
    sides = [
        side for p, r in zip(reversed(padding), reversed(room), strict=True) for side in (p, r)
    ]
    return _convolution(functional.pad(x, sides), one, stride=stride, groups=x.shape[1])


def _window_spread(g: Any, size: Any, kernel: Any, **p: Any) -> Any:
    x = torch.zeros(*g.shape[:2], *size, dtype=g.dtype, requires_grad=True)
    out = _window_sum(x, g.shape[2:], kernel, **p)
    return torch.autograd.grad(out, x, g, create_graph=True)[0]


COUNTERPARTS: dict[str, Callable[..., Any]] = {
    "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.true_divide,
    "negative": torch.neg, "power": torch.pow, "reciprocal": torch.reciprocal,
    "square": torch.square, "remainder": torch.remainder, "fmod": torch.fmod,
    "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "arctan2": torch.atan2, "equal": torch.eq,
    "not_equal": torch.ne, "less": torch.lt, "less_equal": torch.le, "greater": torch.gt,
    "greater_equal": torch.ge, "logical_and": torch.logical_and, "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor, "logical_not": torch.logical_not, "select": torch.where,
    "exp": torch.exp, "expm1": torch.expm1, "log": torch.log, "log1p": torch.log1p,
    "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan,
    "arcsin": torch.asin, "arccos": torch.acos, "arctan": torch.atan, "sinh": torch.sinh,
    "cosh": torch.cosh, "tanh": torch.tanh, "arcsinh": torch.asinh, "arccosh": torch.acosh,
    "arctanh": torch.atanh, "sigmoid": torch.sigmoid, "erf": torch.erf, "erfc": torch.erfc,
    "erfinv": torch.erfinv, "relu": torch.relu, "absolute": torch.abs, "sign": torch.sign,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "trunc": torch.trunc,
    "minimum": torch.minimum, "maximum": torch.maximum,
    "bounded_log": lambda x: torch.log(x).clamp(-100),
    "clip": lambda x, low, high: torch.clamp(x, low, high),
    "cast": lambda x, dtype: x.to(getattr(torch, str(dtype))),
    "copy": torch.clone,
    "sum": _reduced(torch.sum), "mean": _reduced(torch.mean), "max": _reduced(torch.amax),
    "min": _reduced(torch.amin), "prod": _prod, "cumsum": _cumsum,
    "cumprod": lambda x, axis: x.cumprod(axis),
    "argmax": lambda x, axis: x.argmax(axis), "argmin": lambda x, axis: x.argmin(axis),
    "argsort": lambda x, axis, descending: torch.sort(
        x, dim=axis, descending=descending, stable=True)[1],
    "broadcast": lambda x, shape: x.expand(shape), "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, axes: x.permute(axes), "slice": _slice, "pad": _pad,
    "concatenate": lambda *parts, axis: torch.cat(parts, axis),
    "flip": lambda x, axes: torch.flip(x, axes), "take": _take, "add_at": _add_at,
    "take_along": lambda x, index, axis: x.gather(axis, index),
    "add_along": lambda x, index, axis, shape: x.new_zeros(shape).scatter_add(axis, index, x),
    "matmul": torch.matmul,
    "einsum": lambda *operands, equation: torch.einsum(equation, *operands),
    "convolution": _convolution, "convolution_input": _convolution_input,
    "convolution_weight": _convolution_weight,
    "window_sum": _window_sum, "window_spread": _window_spread,
    "max_pool": lambda x, **p: _pooled(x, **p)[0],
    "pool_argmax": lambda x, dtype, **p: _pooled(x, **p)[1].to(getattr(torch, str(dtype))),
    "pool_scatter": _pool_scatter,
}  # fmt: skip
OWN = {"random_bits", "uniform"}  # PyTorch draws other numbers


def test_every_primitive_has_a_counterpart() -> None:
    assert set(COUNTERPARTS) == set(RECORDS) - OWN


def torch_gradients(case: Case, out: Any, inputs: list[Any], cotangent: Array) -> list[Array]:
    smooth = [inputs[k] for k in case.smooth]
    if not out.requires_grad:
        return [np.zeros(x.shape) for x in smooth]
    seed = torch.from_numpy(np.array(cotangent)).to(out.dtype)
    found = torch.autograd.grad(out, smooth, seed, allow_unused=True)
    pairs = zip(found, smooth, strict=True)
    return [np.zeros(x.shape) if g is None else g.detach().numpy() for g, x in pairs]


# PyTorch has no convolution or pooling without channels, and torch.nn.grad no kernel that fits once
# more than there are outputs.
REFUSED = {"convolution-empty1", "max_pool-empty1", "convolution_weight-2"}
COMPARED = [
    c for c in [*CASES, *EMPTY_CASES] if c.primitive.name not in OWN if str(c) not in REFUSED
]


@pytest.mark.parametrize("case", COMPARED, ids=str)
def test_output_and_gradient_are_pytorchs(case: Case) -> None:
    inputs = [torch.from_numpy(np.array(a)) for a in case.arrays]
    for k in case.smooth:
        inputs[k].requires_grad_()
    out = COUNTERPARTS[case.primitive.name](*inputs, **case.params)
    mine = case.run()
    assert tuple(out.shape) == mine.shape
    assert str(out.dtype) == f"torch.{mine.dtype}"
    np.testing.assert_allclose(mine, out.detach().numpy(), rtol=1e-11, atol=1e-14)
    if not case.smooth or mine.dtype.kind != "f":
        return
    cotangent = np.random.default_rng(5).normal(size=mine.shape).astype(mine.dtype)
    function = judges.applied(case.primitive, case.params)
    smooth = [k for k in case.smooth if case.arrays[k].shape == mine.shape or not mine.shape
              or case.primitive.domain.samples is not None]  # fmt: skip
    found = judges.reverse(function, case.arrays, cotangent, smooth)
    wanted = dict(zip(case.smooth, torch_gradients(case, out, inputs, cotangent), strict=True))
    for k in smooth:
        np.testing.assert_allclose(found[k], wanted[k], rtol=1e-9, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_a_random_graph_has_pytorchs_value_and_gradient(program: Program) -> None:
    inputs = [torch.tensor(array, requires_grad=True) for array in program.arrays]
    out = program.torch(torch, *inputs)
    mine = program.chalkgrad(*[judges.tensor(array) for array in program.arrays])
    np.testing.assert_allclose(mine.node.value, out.detach().numpy(), rtol=1e-9, atol=1e-11)
    cotangent = np.random.default_rng(5).normal(size=(2, 3))
    found = judges.reverse(program.chalkgrad, program.arrays, cotangent, range(len(inputs)))
    wanted = torch.autograd.grad(out, inputs, torch.tensor(cotangent), allow_unused=True)
    for a, b in zip(found, wanted, strict=True):
        size = 1.0 if b is None else float(b.abs().max())
        np.testing.assert_allclose(
            a, 0 if b is None else b.numpy(), rtol=0, atol=1e-9 * max(size, 1)
        )


# Where a function has a kink or a pole, or its inputs tie.
INFINITY = float("inf")
FIRST = {"stride": (2,), "padding": (0,), "dilation": (1,)}
KINKS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("relu", [[0.0, -0.0, 1.0, -1.0]], {}),
    ("absolute", [[0.0, -0.0, 2.0]], {}),
    ("sign", [[0.0, 1.0]], {}),
    ("sqrt", [[0.0, 4.0]], {}),
    ("rsqrt", [[0.0, 4.0]], {}),
    ("log", [[0.0, 1.0, INFINITY]], {}),
    ("log1p", [[-1.0, 0.0]], {}),
    ("reciprocal", [[0.0, -0.0]], {}),
    ("divide", [[0.0, 1.0, -1.0], [0.0, 0.0, INFINITY]], {}),
    ("arcsin", [[1.0, -1.0]], {}),
    ("arccos", [[1.0, -1.0]], {}),
    ("arctanh", [[1.0, -1.0]], {}),
    ("arccosh", [[1.0]], {}),
    ("erfinv", [[1.0, -1.0]], {}),
    ("arctan2", [[0.0, 0.0, 1.0], [1.0, -1.0, 0.0]], {}),
    ("sigmoid", [[800.0, -800.0, 0.0]], {}),
    ("tanh", [[800.0, -800.0, 0.0]], {}),
    ("exp", [[800.0, -800.0]], {}),
    ("floor", [[1.0, 1.5]], {}),
    ("round", [[0.5, 1.5, 2.5]], {}),
    ("clip", [[-1.0, 0.5, 2.0, 3.0]], {"low": -1.0, "high": 2.0}),
    ("clip", [[-1.0, -2.0]], {"low": -1.0, "high": None}),
    ("minimum", [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], {}),
    ("maximum", [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], {}),
    ("remainder", [[3.0, -3.0, 1.5], [1.5, 1.5, -1.0]], {}),
    ("fmod", [[3.0, -3.0, 1.5], [1.5, 1.5, -1.0]], {}),
    ("power", [[0.0, 0.0, 0.0, 0.0, 2.0], [0.0, 1.0, 2.0, 0.5, 0.0]], {}),
    ("power", [[0.0, 2.0, -1.0], 0.0], {}),
    ("power", [[0.0, 2.0, -1.0], 1.0], {}),
    ("power", [[0.0, 2.0, -1.0], 2.0], {}),
    ("power", [[0.0, 2.0], 0.5], {}),
    ("power", [[0.0, 2.0], -1.0], {}),
    ("power", [0.0, [0.0, 2.0, 0.5]], {}),
    ("max", [[[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]], {"axes": (1,), "keepdims": False}),
    ("max", [[[1.0, 3.0, 3.0], [2.0, 3.0, 2.0]]], {"axes": (0, 1), "keepdims": False}),
    ("min", [[[1.0, 1.0, 3.0], [2.0, 2.0, 2.0]]], {"axes": (1,), "keepdims": True}),
    ("prod", [[0.0, 2.0, 3.0]], {"axes": (0,), "keepdims": False}),
    ("prod", [[0.0, 0.0, 3.0]], {"axes": (0,), "keepdims": False}),
    ("cumprod", [[2.0, 0.0, 3.0, 0.0, 4.0]], {"axis": 0}),
    ("argmax", [[1.0, 3.0, 3.0]], {"axis": 0}),
    ("argmin", [[1.0, 3.0, 1.0]], {"axis": 0}),
    ("argsort", [[2.0, 1.0, 2.0, 1.0]], {"axis": 0, "descending": False}),
    ("argsort", [[2.0, 1.0, 2.0, 1.0]], {"axis": 0, "descending": True}),
    ("max_pool", [[[[1.0, 1.0, 2.0, 2.0]]]], {"out": (2,), "kernel": (2,), **FIRST}),
    (
        "pool_argmax",
        [[[[1.0, 1.0, 2.0, 2.0]]]],
        {"out": (2,), "kernel": (2,), "dtype": np.dtype(np.int64), **FIRST},
    ),
]


@pytest.mark.parametrize(("name", "values", "params"), KINKS)
def test_the_gradient_at_a_kink_is_pytorchs(name: str, values: list[Any], params: Any) -> None:
    case = Case(RECORDS[name], tuple(np.asarray(v) for v in values), params, "kink")
    literal = any(a.shape for a in case.arrays)
    smooth = [k for k in case.smooth if case.arrays[k].shape or not literal]
    inputs = [torch.tensor(v, dtype=torch.float64, requires_grad=k in smooth)
              for k, v in enumerate(values)]  # fmt: skip
    # PyTorch sees a plain number as a number, not as a tensor.
    operands = [x if np.shape(v) else v for x, v in zip(inputs, values, strict=True)]
    out = COUNTERPARTS[name](*operands, **params)
    np.testing.assert_array_equal(case.run(), out.detach().numpy())
    if smooth and out.requires_grad:
        cotangent = np.arange(1.0, 1.0 + out.numel()).reshape(tuple(out.shape))
        found = judges.reverse(
            judges.applied(case.primitive, params), case.arrays, cotangent, smooth
        )
        seed = torch.tensor(cotangent)
        wanted = torch.autograd.grad(out, [inputs[k] for k in smooth], seed)
        for k, gradient in zip(smooth, wanted, strict=True):
            np.testing.assert_allclose(found[k], gradient.numpy(), rtol=1e-12)


def test_the_bounded_log_is_that_of_pytorchs_binary_cross_entropy() -> None:
    x = torch.tensor([0.0, 1e-50, 1e-30, 1e-13, 0.5], dtype=torch.float64, requires_grad=True)
    out = -functional.binary_cross_entropy(x, torch.ones_like(x), reduction="none")
    (wanted,) = torch.autograd.grad(out, x, torch.ones_like(x))
    case = Case(RECORDS["bounded_log"], (x.detach().numpy(),), {}, "bounds")
    np.testing.assert_allclose(case.run(), out.detach().numpy(), rtol=1e-15)
    (found,) = judges.reverse(RECORDS["bounded_log"], case.arrays, np.ones(5), [0])
    np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-8)  # its 1e-12 is a float32
