"""The functions of the public face: a tensor's methods behind a check of the first argument."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from chalkgrad.core import dtypes
from chalkgrad.core.errors import ArgumentError, TypeMismatch
from chalkgrad.core.graph import Shape
from chalkgrad.tensor.elementwise import chosen
from chalkgrad.tensor.joining import (
    broadcast_tensors,
    cat,
    column_stack,
    concat,
    concatenate,
    dstack,
    hstack,
    row_stack,
    stack,
    vstack,
)
from chalkgrad.tensor.linalg import einsum
from chalkgrad.tensor.operand import Operand, common_shape, same_type
from chalkgrad.tensor.searching import bucketize, searchsorted
from chalkgrad.tensor.sizes import sizes
from chalkgrad.tensor.tensor import Size, Tensor

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addbmm", "addcdiv", "addcmul", "addmm", "addmv",
    "addr", "all", "allclose", "amax", "amin", "aminmax", "any", "arccos", "arccosh", "arcsin",
    "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argsort", "argwhere",
    "asin", "asinh", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d",
    "baddbmm", "bincount", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "bmm",
    "broadcast_shapes", "broadcast_tensors", "broadcast_to", "bucketize", "can_cast", "cat",
    "ceil", "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone", "column_stack",
    "concat", "concatenate", "copysign", "cos", "cosh", "count_nonzero", "cross", "cumprod",
    "cumsum", "deg2rad", "detach", "diag", "diag_embed", "diagonal", "div", "divide", "dot",
    "dstack", "einsum", "eq", "equal", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "fix",
    "flatten", "flip", "fliplr", "flipud", "float_power", "floor", "floor_divide", "fmax",
    "fmin", "fmod", "frac", "gather", "ge", "ger", "greater", "greater_equal", "gt",
    "heaviside", "histc", "hstack", "hypot", "index_add", "index_copy", "index_fill",
    "index_put", "index_select", "inner", "is_complex", "is_floating_point", "is_nonzero",
    "is_signed", "is_tensor", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf",
    "kron", "kthvalue", "le", "lerp", "less", "less_equal", "log", "log1p", "log2", "log10",
    "log_softmax", "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor",
    "logit", "logsumexp", "lt", "masked_fill", "masked_scatter", "masked_select", "matmul",
    "max", "maximum", "mean", "median", "min", "minimum", "mm", "moveaxis", "movedim", "mul",
    "multiply", "mv", "nan_to_num", "nanmean", "nansum", "narrow", "ne", "neg", "negative",
    "nonzero", "norm", "not_equal", "numel", "outer", "permute", "positive", "pow", "prod",
    "promote_types", "rad2deg", "ravel", "reciprocal", "relu", "remainder", "repeat_interleave",
    "reshape", "result_type", "roll", "rot90", "round", "row_stack", "rsqrt", "rsub", "scatter",
    "scatter_add", "searchsorted", "select", "sgn", "sigmoid", "sign", "signbit", "sin", "sinc",
    "sinh", "softmax", "sort", "split", "sqrt", "square", "squeeze", "stack", "std", "std_mean",
    "sub", "subtract", "sum", "swapaxes", "swapdims", "t", "take", "take_along_dim", "tan",
    "tanh", "tensor_split", "tensordot", "tile", "topk", "transpose", "tril", "triu",
    "true_divide", "trunc", "unbind", "unflatten", "unique", "unsqueeze", "var", "var_mean",
    "vdot", "vstack", "where", "xlogy",
]  # fmt: skip

P = ParamSpec("P")
R = TypeVar("R")


def function(method: Callable[P, R], parameter: str = "input") -> Callable[P, R]:
    """A method as a function that says so when its first argument is not a tensor."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if args and isinstance(args[0], Tensor):
            return method(*args, **kwargs)
        if args or not isinstance(kwargs.get(parameter), Tensor):
            raise _stranger(method.__name__, parameter, args, kwargs)
        return method(kwargs.pop(parameter), **kwargs)  # type: ignore[arg-type]

    return call


def arithmetic(method: Callable[P, R]) -> Callable[P, R]:
    """The same, where the first operand may be a number if the second is a tensor."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if args and isinstance(args[0], Tensor):
            return method(*args, **kwargs)
        first, *rest = args or (kwargs.pop("input", None),)
        second = rest[0] if rest else kwargs.get("other", kwargs.get("exponent"))
        if isinstance(second, Tensor) and isinstance(first, (bool, int, float)):
            first = second.operand(first)
        if not isinstance(first, Tensor):
            raise _stranger(method.__name__, "input", args, kwargs)
        return method(first, *rest, **kwargs)  # type: ignore[arg-type]

    return call


def _stranger(
    name: str, parameter: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> TypeMismatch:
    if not args and parameter not in kwargs:
        return TypeMismatch(f'{name}() missing 1 required positional argument: "{parameter}"')
    kind = type(args[0] if args else kwargs[parameter]).__name__
    return TypeMismatch(f"{name}(): argument '{parameter}' (position 1) must be Tensor, not {kind}")


# Arithmetic.
add = arithmetic(Tensor.add)
addcdiv = function(Tensor.addcdiv)
addcmul = function(Tensor.addcmul)
div = divide = arithmetic(Tensor.div)
float_power = arithmetic(Tensor.float_power)
floor_divide = arithmetic(Tensor.floor_divide)
fmod = function(Tensor.fmod)
lerp = function(Tensor.lerp)
mul = multiply = arithmetic(Tensor.mul)
neg = negative = function(Tensor.neg)
positive = function(Tensor.positive)
pow = arithmetic(Tensor.pow)
reciprocal = function(Tensor.reciprocal)
remainder = arithmetic(Tensor.remainder)
rsub = function(Tensor.rsub)
square = function(Tensor.square)
sub = subtract = arithmetic(Tensor.sub)
true_divide = arithmetic(Tensor.true_divide)

# Comparison and logic.
allclose = function(Tensor.allclose)
bitwise_and = function(Tensor.bitwise_and)
bitwise_not = function(Tensor.bitwise_not)
bitwise_or = function(Tensor.bitwise_or)
bitwise_xor = function(Tensor.bitwise_xor)
eq = function(Tensor.eq)
equal = function(Tensor.equal)
ge = greater_equal = function(Tensor.ge)
gt = greater = function(Tensor.gt)
isclose = function(Tensor.isclose)
isfinite = function(Tensor.isfinite)
isinf = function(Tensor.isinf)
isnan = function(Tensor.isnan)
isneginf = function(Tensor.isneginf)
isposinf = function(Tensor.isposinf)
le = less_equal = function(Tensor.le)
logical_and = function(Tensor.logical_and)
logical_not = function(Tensor.logical_not)
logical_or = function(Tensor.logical_or)
logical_xor = function(Tensor.logical_xor)
lt = less = function(Tensor.lt)
ne = not_equal = function(Tensor.ne)
signbit = function(Tensor.signbit)

# Exponentials, roots and logarithms.
exp = function(Tensor.exp)
exp2 = function(Tensor.exp2)
expm1 = function(Tensor.expm1)
log = function(Tensor.log)
log10 = function(Tensor.log10)
log1p = function(Tensor.log1p)
log2 = function(Tensor.log2)
logaddexp = function(Tensor.logaddexp)
rsqrt = function(Tensor.rsqrt)
sqrt = function(Tensor.sqrt)
xlogy = arithmetic(Tensor.xlogy)

# Trigonometric and hyperbolic functions.
acos = arccos = function(Tensor.acos)
acosh = arccosh = function(Tensor.acosh)
asin = arcsin = function(Tensor.asin)
asinh = arcsinh = function(Tensor.asinh)
atan = arctan = function(Tensor.atan)
atan2 = arctan2 = function(Tensor.atan2)
atanh = arctanh = function(Tensor.atanh)
cos = function(Tensor.cos)
cosh = function(Tensor.cosh)
deg2rad = function(Tensor.deg2rad)
hypot = function(Tensor.hypot)
rad2deg = function(Tensor.rad2deg)
sin = function(Tensor.sin)
sinc = function(Tensor.sinc)
sinh = function(Tensor.sinh)
tan = function(Tensor.tan)
tanh = function(Tensor.tanh)

# Pieces, signs and rounding.
abs = absolute = function(Tensor.abs)
ceil = function(Tensor.ceil)
clamp = clip = function(Tensor.clamp)
clamp_max = function(Tensor.clamp_max)
clamp_min = function(Tensor.clamp_min)
copysign = function(Tensor.copysign)
erf = function(Tensor.erf)
erfc = function(Tensor.erfc)
erfinv = function(Tensor.erfinv)
floor = function(Tensor.floor)
fmax = function(Tensor.fmax)
fmin = function(Tensor.fmin)
frac = function(Tensor.frac)
heaviside = function(Tensor.heaviside)
logit = function(Tensor.logit)
masked_fill = function(Tensor.masked_fill)
maximum = function(Tensor.maximum)
minimum = function(Tensor.minimum)
nan_to_num = function(Tensor.nan_to_num)
relu = function(Tensor.relu)
round = function(Tensor.round)
sgn = function(Tensor.sign)
sigmoid = function(Tensor.sigmoid)
sign = function(Tensor.sign)
trunc = fix = function(Tensor.trunc)

# Reductions and order.
all = function(Tensor.all)
amax = function(Tensor.amax)
amin = function(Tensor.amin)
aminmax = function(Tensor.aminmax)
any = function(Tensor.any)
argmax = function(Tensor.argmax)
argmin = function(Tensor.argmin)
argsort = function(Tensor.argsort)
bincount = function(Tensor.bincount)
count_nonzero = function(Tensor.count_nonzero)
cumprod = function(Tensor.cumprod)
cumsum = function(Tensor.cumsum)
histc = function(Tensor.histc)
kthvalue = function(Tensor.kthvalue)
log_softmax = function(Tensor.log_softmax)
logsumexp = function(Tensor.logsumexp)
max = function(Tensor.max)
mean = function(Tensor.mean)
median = function(Tensor.median)
min = function(Tensor.min)
nanmean = function(Tensor.nanmean)
nansum = function(Tensor.nansum)
norm = function(Tensor.norm)
prod = function(Tensor.prod)
softmax = function(Tensor.softmax)
sort = function(Tensor.sort)
std = function(Tensor.std)
std_mean = function(Tensor.std_mean)
sum = function(Tensor.sum)
topk = function(Tensor.topk)
unique = function(Tensor.unique)
var = function(Tensor.var)
var_mean = function(Tensor.var_mean)

# Linear algebra.
addbmm = function(Tensor.addbmm)
addmm = function(Tensor.addmm)
addmv = function(Tensor.addmv)
addr = function(Tensor.addr)
baddbmm = function(Tensor.baddbmm)
bmm = function(Tensor.bmm)
cross = function(Tensor.cross)
diag = function(Tensor.diag)
diag_embed = function(Tensor.diag_embed)
diagonal = function(Tensor.diagonal)
dot = function(Tensor.dot)
inner = function(Tensor.inner)
kron = function(Tensor.kron)
matmul = function(Tensor.matmul)
mm = function(Tensor.mm)
mv = function(Tensor.mv)
outer = ger = function(Tensor.outer)
tril = function(Tensor.tril)
triu = function(Tensor.triu)
vdot = function(Tensor.vdot)

# Shape.
atleast_1d = function(Tensor.atleast_1d)
atleast_2d = function(Tensor.atleast_2d)
atleast_3d = function(Tensor.atleast_3d)
broadcast_to = function(Tensor.broadcast_to)
chunk = function(Tensor.chunk)
flatten = function(Tensor.flatten)
flip = function(Tensor.flip)
fliplr = function(Tensor.fliplr)
flipud = function(Tensor.flipud)
movedim = moveaxis = function(Tensor.movedim)
narrow = function(Tensor.narrow)
permute = function(Tensor.permute)
ravel = function(Tensor.ravel)
repeat_interleave = function(Tensor.repeat_interleave)
reshape = function(Tensor.reshape)
roll = function(Tensor.roll)
rot90 = function(Tensor.rot90)
split = function(Tensor.split, "tensor")
squeeze = function(Tensor.squeeze)
swapaxes = function(Tensor.swapaxes)
t = function(Tensor.t)
tensor_split = function(Tensor.tensor_split)
tile = function(Tensor.tile)
transpose = swapdims = function(Tensor.transpose)
unbind = function(Tensor.unbind)
unflatten = function(Tensor.unflatten)
unsqueeze = function(Tensor.unsqueeze)

# Indexing.
argwhere = function(Tensor.argwhere)
gather = function(Tensor.gather)
index_add = function(Tensor.index_add)
index_copy = function(Tensor.index_copy)
index_fill = function(Tensor.index_fill)
index_put = function(Tensor.index_put)
index_select = function(Tensor.index_select)
masked_scatter = function(Tensor.masked_scatter)
masked_select = function(Tensor.masked_select)
nonzero = function(Tensor.nonzero)
scatter = function(Tensor.scatter)
scatter_add = function(Tensor.scatter_add)
select = function(Tensor.select)
take = function(Tensor.take)
take_along_dim = function(Tensor.take_along_dim)

# The tensor itself.
clone = function(Tensor.clone)
detach = function(Tensor.detach)
is_complex = function(Tensor.is_complex)
is_floating_point = function(Tensor.is_floating_point)
is_nonzero = function(Tensor.is_nonzero)
is_signed = function(Tensor.is_signed)
numel = function(Tensor.numel)


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """input where the condition holds, elsewhere other; alone, the places where it holds.

    >>> import chalkgrad as torch
    >>> torch.where(torch.tensor([True, False]), 1.0, 0.0)
    tensor([1., 0.])
    """
    if not isinstance(condition, Tensor):
        raise _stranger("where", "condition", (condition,), {})
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    return chosen(condition, input, other)


def is_tensor(obj: Any) -> bool:
    """Is this a tensor?"""
    return isinstance(obj, Tensor)


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Σ over pairs of dimensions: the last of a with the first of b, or two lists of them.

    >>> import chalkgrad as torch
    >>> torch.tensordot(torch.ones(2, 3, 4), torch.ones(3, 4, 5)).shape
    torch.Size([2, 5])
    """
    for name, operand in (("a", a), ("b", b)):
        if not isinstance(operand, Tensor):
            raise _stranger("tensordot", name, (operand,), {})
    return a.tensordot(b, dims)


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape to which all of these broadcast.

    >>> import chalkgrad as torch
    >>> torch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    out: Shape = ()
    for shape in shapes:
        wanted = sizes((shape,))
        if [n for n in wanted if n < 0]:
            raise ArgumentError(f"cannot broadcast a dimension with negative length: {wanted}")
        out = common_shape("broadcast_shapes", out, wanted)
    return Size(out)


def result_type(
    tensor: Any = None, other: Any = None, *, scalar: Any = None, scalar1: Any = None,
    scalar2: Any = None,
) -> dtypes.dtype:  # fmt: skip
    """The dtype that two operands, tensors or numbers, are computed in.

    >>> import chalkgrad as torch
    >>> torch.result_type(torch.tensor([1, 2]), 1.5)
    torch.float32
    """
    given = [x for x in (scalar, tensor, other, scalar1, scalar2) if x is not None]
    if len(given) != 2:
        raise TypeMismatch(f"result_type() takes two operands, not {len(given)}")
    like = next((x for x in given if isinstance(x, Operand)), Tensor([0.0]).bool())
    first, _ = same_type(like.operand(given[0]), like.operand(given[1]))
    return dtypes.OF_NUMPY[first.node.dtype]


def promote_types(type1: Any, type2: Any) -> dtypes.dtype:
    """The smallest dtype that holds the numbers of both."""
    return dtypes.OF_NUMPY[dtypes.promote(dtypes.as_numpy(type1), dtypes.as_numpy(type2))]


def can_cast(from_: Any, to: Any) -> bool:
    """May one dtype's numbers be stored as another's? Not real ones as whole, nor any as bools."""
    return dtypes.category(dtypes.as_numpy(from_)) <= dtypes.category(dtypes.as_numpy(to))
