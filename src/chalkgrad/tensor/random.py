"""Random numbers: generators, and the functions that draw from them.

A generator's state is a tensor (key, counter). Drawing n numbers reads the state and moves the counter
on by n, so a traced program carries it like any other state, and every executor draws the same numbers.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.errors import DtypeError, ShapeError, TypeMismatch
from chalkgrad.core.graph import Shape
from chalkgrad.core.primitive import Primitive, bind
from chalkgrad.core.scope import recording, scope
from chalkgrad.primitives import random as keyed
from chalkgrad.tensor.arguments import check_device, check_options
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.joining import cat
from chalkgrad.tensor.operand import Operand
from chalkgrad.tensor.sizes import sizes
from chalkgrad.tensor.tensor import Tensor

DEFAULT_SEED = 67280421310721  # PyTorch's, for a generator without a seed


class Generator:
    """A stream of random numbers. Equal seeds give equal streams.

    >>> import chalkgrad as torch
    >>> first = torch.Generator().manual_seed(1)
    >>> second = torch.Generator().manual_seed(1)
    >>> torch.equal(torch.rand(3, generator=first), torch.rand(3, generator=second))
    True
    """

    def __init__(self, device: Any = "cpu") -> None:
        check_device(device)
        self.state = holding(np.zeros(2, np.int64))
        self.manual_seed(DEFAULT_SEED)

    @property
    def device(self) -> str:
        return "cpu"

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of a seed."""
        seed = int(seed)
        if not -(2**63) <= seed < 2**64:
            raise DtypeError(f"a seed has 64 bits; {seed} is beyond")
        self._seed = seed % 2**64
        self.set_state(holding(np.array([keyed.stream_key(self._seed), 0])))
        return self

    def initial_seed(self) -> int:
        """The seed that this stream started from."""
        return self._seed

    def seed(self) -> int:
        """Start a stream that nobody can foresee, and say its seed."""
        self.manual_seed(secrets.randbits(63))
        return self._seed

    def get_state(self) -> Tensor:
        """Where the stream stands: (key, counter) as int64."""
        return self.state.clone()

    def set_state(self, new_state: Tensor) -> None:
        """Go on from where another stream stood."""
        node = new_state.node
        if node.shape != (2,) or node.dtype != np.int64:
            raise TypeMismatch("a generator's state is an int64 tensor of two numbers, as from get_state()")
        self.state.assign(new_state)

    def draw(self, primitive: Primitive, shape: Shape, **params: Any) -> Tensor:
        """One random number for each element of a shape."""
        numbers: Tensor = bind(primitive, (self.state,), {"shape": shape, **params})
        self.state.assign(self.state + holding(np.array([0, math.prod(shape)])))
        return numbers

    def uniform(self, shape: Shape, kind: np.dtype[Any]) -> Tensor:
        """Numbers in [0, 1)."""
        if kind.kind != "f":
            raise DtypeError(f"random numbers with fractions need a floating dtype, not {kind}")
        return self.draw(keyed.uniform, shape, dtype=kind)

    def normal(self, shape: Shape, kind: np.dtype[Any]) -> Tensor:
        """Numbers with mean 0 and variance 1 (G. E. P. Box and M. E. Muller 1958): two for two uniforms,
        a radius √(−2 ln u) and an angle."""
        count = math.prod(shape)
        half = (count + 1) // 2
        with scope("normal"):
            first, angle = self.uniform((2, half), kind).unbind(0)
            radius = ((1 - first).log() * -2).sqrt()  # 1 − u is never 0
            angle = angle * (2 * math.pi)
            both = cat([radius * angle.cos(), radius * angle.sin()])
            return (both.narrow(0, 0, count) if count < 2 * half else both).reshaped(shape)

    def below(self, bound: int, shape: Shape) -> Tensor:
        """Whole numbers in [0, bound), each as likely as the others up to one part in 2⁶³ / bound."""
        return self.draw(keyed.random_bits, shape) % bound


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Start the default stream of a seed: from here on, a program draws the same numbers every time."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start a default stream that nobody can foresee, and say its seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default stream started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Where the default stream stands."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Go on from where the default stream once stood."""
    default_generator.set_state(new_state)


def _source(generator: Generator | None) -> Generator:
    return default_generator if generator is None else generator


def _kind(dtype: Any) -> np.dtype[Any]:
    return dtypes.default.dtype if dtype is None else dtypes.as_numpy(dtype)


def _shape(given: tuple[Any, ...], named: Any) -> Shape:
    shape = sizes(given, named) if given or named is not None else ()
    if min(shape, default=0) < 0:
        raise ShapeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape


def _finished(out: Tensor, requires_grad: bool) -> Tensor:
    return out.requires_grad_() if requires_grad else out


def rand(
    *shape: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers in [0, 1), all equally likely."""
    check_options(layout=layout, device=device, pin_memory=pin_memory)
    return _finished(_source(generator).uniform(_shape(shape, size), _kind(dtype)), requires_grad)


def randn(
    *shape: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers of the normal distribution with mean 0 and variance 1."""
    check_options(layout=layout, device=device, pin_memory=pin_memory)
    return _finished(_source(generator).normal(_shape(shape, size), _kind(dtype)), requires_grad)


def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Whole numbers from `low` to below `high`: randint(high, size) or randint(low, high, size)."""
    check_device(device)
    if isinstance(high, (tuple, list)):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        raise TypeMismatch("randint() misses the size, as in randint(10, (3,))")
    if low >= high:
        raise DtypeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    numbers = _source(generator).below(high - low, _shape((), size)) + low
    kind = dtypes.int64.numpy if dtype is None else dtypes.as_numpy(dtype)
    return _finished(numbers.cast(kind), requires_grad)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The whole numbers below n in random order: the order of n random numbers."""
    check_options(device=device, pin_memory=pin_memory)
    order = _source(generator).draw(keyed.random_bits, _shape((), (n,))).argsort()
    kind = dtypes.int64.numpy if dtype is None else dtypes.as_numpy(dtype)
    return _finished(order.cast(kind), requires_grad)


def rand_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """`rand` in the shape and dtype of another tensor."""
    return rand(size=input.node.shape, generator=generator, dtype=dtype or input.dtype, device=device,
                requires_grad=requires_grad)  # fmt: skip


def randn_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """`randn` in the shape and dtype of another tensor."""
    return randn(size=input.node.shape, generator=generator, dtype=dtype or input.dtype, device=device,
                 requires_grad=requires_grad)  # fmt: skip


def randint_like(
    input: Any, low: int, high: int | None = None, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """`randint` in the shape and dtype of another tensor."""
    bounds = (0, low) if high is None else (low, high)
    return randint(*bounds, input.node.shape, generator=generator, dtype=dtype or input.dtype,
                   device=device, requires_grad=requires_grad)  # fmt: skip


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None,
           dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """mean + std · z with z normal; one number for each element of `mean` and `std`, or of `size`."""
    check_device(device)
    operands = [x for x in (mean, std) if isinstance(x, Operand)]
    if not operands and size is None:
        raise TypeMismatch("normal() with two numbers needs a size")
    if not isinstance(std, Operand) and std < 0:
        raise DtypeError(f"normal expects std >= 0.0, but found std {std}")
    with recording(False):
        like = mean + std if operands else None
        shape = _shape((), size) if like is None else like.node.shape
        kind = _kind(dtype) if like is None or like.node.dtype.kind != "f" else like.node.dtype
        out = _source(generator).normal(shape, kind) * std + mean
    return _finished(out, requires_grad)


def bernoulli(input: Any, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that stands in each element (or with probability p), else 0."""
    node = input.node
    if node.dtype.kind != "f" and p is None:
        raise DtypeError(f"bernoulli takes probabilities in floating point, not {node.dtype}")
    with recording(False):
        chance = input if p is None else p
        _check_chance(chance)
        kind = node.dtype if node.dtype.kind == "f" else dtypes.default.dtype
        drawn: Tensor = _source(generator).uniform(node.shape, kind) < chance
        return drawn.cast(node.dtype)


def _check_chance(p: Any) -> None:
    value = p.node.value if isinstance(p, Operand) else p
    if value is not None and not np.all((np.asarray(value) >= 0) & (np.asarray(value) <= 1)):
        raise DtypeError("a probability must lie in [0, 1]: bernoulli expects 0 <= p <= 1")


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Places drawn with probabilities in proportion to the weights in each row."""
    shape = input.node.shape
    if len(shape) not in (1, 2) or input.node.dtype.kind != "f":
        raise ShapeError("multinomial takes a vector or a matrix of weights in floating point")
    if num_samples <= 0 or (not replacement and num_samples > shape[-1]):
        raise ShapeError(
            f"cannot sample {num_samples} of {shape[-1]} places"
            + ("" if replacement else " without replacement")
        )
    _check_weights(input)
    with recording(False):
        if replacement:
            return _with_replacement(input, num_samples, _source(generator))
        # Exponential clocks that run at the speed of the weights: the first to ring are the sample.
        clock = -(1 - _source(generator).uniform(shape, np.dtype(np.float64))).log() / input
        places: Tensor = clock.argsort().narrow(-1, 0, num_samples)
        return places


def _with_replacement(weights: Any, count: int, generator: Generator) -> Tensor:
    edges = np.cumsum(weights.values("multinomial"), -1, np.float64).reshape(-1, weights.node.shape[-1])
    drawn = generator.uniform((len(edges), count), np.dtype(np.float64)).values("multinomial")
    rows = [np.searchsorted(e, u * e[-1], side="right") for e, u in zip(edges, drawn, strict=True)]
    return holding(np.array(rows, np.int64).reshape(*weights.node.shape[:-1], count))


def _check_weights(weights: Any) -> None:
    value = weights.node.value
    if value is None:
        return
    if not np.isfinite(value).all() or (value < 0).any():
        raise DtypeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (value.sum(-1) <= 0).any():
        raise DtypeError("invalid multinomial distribution (sum of probabilities <= 0)")


# In place: the tensor's numbers are replaced by random ones.
def uniform_(self: Any, a: float = 0, b: float = 1, *, generator: Generator | None = None, **bounds: float) -> Any:
    """Numbers in [from, to), all equally likely."""
    low, high = bounds.get("from", a), bounds.get("to", b)
    if low > high:
        raise DtypeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
    return _filled(self, "uniform_", lambda kind: low + (high - low) * _source(generator).uniform(self.node.shape, kind))


def normal_(self: Any, mean: float = 0, std: float = 1, *, generator: Generator | None = None) -> Any:
    """mean + std · z with z normal."""
    if std < 0:
        raise DtypeError(f"normal expects std >= 0.0, but found std {std}")
    return _filled(self, "normal_", lambda kind: mean + std * _source(generator).normal(self.node.shape, kind))


def exponential_(self: Any, lambd: float = 1, *, generator: Generator | None = None) -> Any:
    """Waiting times of an event that comes λ times per unit of time: density λ e^(−λx)."""
    if lambd <= 0:
        raise DtypeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return _filled(
        self, "exponential_",
        lambda kind: (1 - _source(generator).uniform(self.node.shape, kind)).log() / -lambd,
    )  # fmt: skip


def bernoulli_(self: Any, p: Any = 0.5, *, generator: Generator | None = None) -> Any:
    """1 with probability p, else 0."""
    with recording(False):
        _check_chance(p)
        drawn = _source(generator).uniform(self.node.shape, dtypes.default.dtype) < p
        return self.write(drawn.cast(self.node.dtype), operation="bernoulli_")


def random_(self: Any, low: int = 0, high: int | None = None, *, generator: Generator | None = None) -> Any:
    """Whole numbers: random_() as far as the dtype goes, random_(high), random_(low, high)."""
    if high is None:
        low, high = 0, low or _largest(self.node.dtype)
    if low >= high:
        raise DtypeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    numbers = _source(generator).below(high - low, self.node.shape) + low
    return self.write(numbers.cast(self.node.dtype), operation="random_")


def _largest(kind: np.dtype[Any]) -> int:
    """One more than the largest whole number up to which a type holds every one."""
    if kind.kind == "f":
        return 2 ** (np.finfo(kind).nmant + 1)
    return 2 if kind.kind == "b" else int(np.iinfo(kind).max)


def _filled(tensor: Any, name: str, numbers: Callable[[np.dtype[Any]], Any]) -> Any:
    if tensor.node.dtype.kind != "f":
        raise DtypeError(f"{name} needs a floating-point tensor; this one is {tensor.node.dtype}")
    return tensor.write(numbers(tensor.node.dtype), operation=name)


# What the tensor takes over as methods.
METHODS = {
    "bernoulli": bernoulli, "bernoulli_": bernoulli_, "exponential_": exponential_,
    "multinomial": multinomial, "normal_": normal_, "random_": random_, "uniform_": uniform_,
}  # fmt: skip
