"""Random numbers: generators, and the functions that draw from them.

A generator's state is a tensor (key, counter). Drawing n numbers reads the state and moves the
counter on by n, so a traced program carries it like any other state, and every executor draws the
same numbers.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from chalkgrad.core import dtypes
from chalkgrad.core.device import CPU
from chalkgrad.core.device import device as Device
from chalkgrad.core.errors import ArgumentError, DtypeError, NotAvailable, ShapeError, TypeMismatch
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

__all__ = [
    "Generator", "bernoulli", "default_generator", "get_rng_state", "initial_seed", "manual_seed",
    "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "randperm", "seed", "set_rng_state",
]  # fmt: skip

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
    def device(self) -> Device:
        return CPU

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of a seed."""
        try:
            seed = int(seed)
        except (TypeError, ValueError):
            raise DtypeError(f"manual_seed expected a whole number, not {seed!r:.40}") from None
        if not -(2**63) <= seed < 2**64:
            raise ArgumentError(
                f"Overflow when unpacking long long: a seed has 64 bits; {seed} is beyond"
            )
        self._seed = seed % 2**64
        self.set_state(holding(np.array([keyed.stream_key(self._seed), 0])))
        return self

    def initial_seed(self) -> int:
        """The seed that this stream started from."""
        return self._seed

    def seed(self) -> int:
        """Start a stream that nobody can foresee, and say its seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little") >> 1)
        return self._seed

    def get_state(self) -> Tensor:
        """Where the stream stands: (key, counter) as int64."""
        return self.state.clone()

    def set_state(self, new_state: Tensor) -> None:
        """Go on from where another stream stood."""
        node = new_state.node
        if node.shape != (2,) or node.dtype != np.int64:
            raise TypeMismatch(
                "a generator's state is an int64 tensor of two numbers, as from get_state()"
            )
        self.state.assign(new_state)

    def draw(self, primitive: Primitive, shape: Shape, **params: Any) -> Tensor:
        """One random number for each element of a shape."""
        numbers: Tensor = bind(primitive, (self.state,), {"shape": shape, **params})
        self.state.assign(self.state + holding(np.array([0, math.prod(shape)])))
        return numbers

    def uniform(self, shape: Shape, kind: np.dtype[Any]) -> Tensor:
        """Numbers in [0, 1)."""
        if kind.kind != "f":
            raise NotAvailable(f"random numbers with fractions need a floating dtype, not {kind}")
        return self.draw(keyed.uniform, shape, dtype=kind)

    def normal(self, shape: Shape, kind: np.dtype[Any]) -> Tensor:
        """Numbers with mean 0 and variance 1 (G. E. P. Box and M. E. Muller 1958).

        Two for two uniforms, which are a radius √(−2 ln u) and an angle.
        """
        count = math.prod(shape)
        half = (count + 1) // 2
        with scope("normal"):
            first, angle = self.uniform((2, half), kind).unbind(0)
            radius = ((1 - first).log() * -2).sqrt()  # 1 − u is never 0
            angle = angle * (2 * math.pi)
            both: Tensor = cat([radius * angle.cos(), radius * angle.sin()])
            return (both.narrow(0, 0, count) if count < 2 * half else both).reshaped(shape)

    def below(self, bound: int, shape: Shape) -> Tensor:
        """Whole numbers in [0, bound), equally likely up to one part in 2⁶³ / bound."""
        return self.draw(keyed.random_bits, shape) % bound


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Start the default stream of a seed: from here on, every run draws the same numbers.

    >>> import chalkgrad as torch
    >>> _ = torch.manual_seed(0)
    >>> first = torch.rand(2)
    >>> _ = torch.manual_seed(0)
    >>> torch.equal(first, torch.rand(2))
    True
    """
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
        raise ShapeError(
            f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}"
        )
    return shape


def _finished(out: Tensor, requires_grad: bool) -> Tensor:
    return out.requires_grad_() if requires_grad else out


def rand(
    *shape: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers in [0, 1), all equally likely.

    >>> import chalkgrad as torch
    >>> torch.rand(2, 3).shape
    torch.Size([2, 3])
    """
    check_options(layout=layout, device=device, pin_memory=pin_memory)
    return _finished(_source(generator).uniform(_shape(shape, size), _kind(dtype)), requires_grad)


def randn(
    *shape: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers of the normal distribution with mean 0 and variance 1.

    >>> import chalkgrad as torch
    >>> torch.randn(2, dtype=torch.float64).dtype
    torch.float64
    """
    check_options(layout=layout, device=device, pin_memory=pin_memory)
    return _finished(_source(generator).normal(_shape(shape, size), _kind(dtype)), requires_grad)


def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None,
    dtype: Any = None, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Whole numbers from `low` to below `high`: randint(high, size) or randint(low, high, size).

    >>> import chalkgrad as torch
    >>> bool((torch.randint(1, 7, (100,)) <= 6).all())
    True
    """
    check_device(device)
    if isinstance(high, (tuple, list)):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        raise TypeMismatch("randint() misses the size, as in randint(10, (3,))")
    if low >= high:
        raise DtypeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    numbers = _source(generator).below(high - low, _shape((), size)) + low
    kind = dtypes.int64.numpy if dtype is None else dtypes.as_numpy(dtype)
    return _finished(numbers.cast(kind), requires_grad)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The whole numbers below n in random order: the order of n random numbers.

    >>> import chalkgrad as torch
    >>> torch.randperm(4).sort().values
    tensor([0, 1, 2, 3])
    """
    check_options(device=device, pin_memory=pin_memory)
    order = _source(generator).draw(keyed.random_bits, _shape((), (n,))).argsort()
    kind = dtypes.int64.numpy if dtype is None else dtypes.as_numpy(dtype)
    return _finished(order.cast(kind), requires_grad)


def rand_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """`rand` in the shape and dtype of another tensor."""
    return rand(size=input.node.shape, generator=generator, dtype=dtype or input.dtype,
                device=device, requires_grad=requires_grad)  # fmt: skip


def randn_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """`randn` in the shape and dtype of another tensor."""
    return randn(size=input.node.shape, generator=generator, dtype=dtype or input.dtype,
                 device=device, requires_grad=requires_grad)  # fmt: skip


def randint_like(
    input: Any, low: int, high: int | None = None, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """`randint` in the shape and dtype of another tensor."""
    bounds = (0, low) if high is None else (low, high)
    return randint(*bounds, input.node.shape, generator=generator, dtype=dtype or input.dtype,
                   device=device, requires_grad=requires_grad)  # fmt: skip


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None,
    dtype: Any = None, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """mean + std · z with z normal, for each element of `mean` and `std`, or of `size`."""
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
    """1 with the probability that stands in each element (or with probability p), else 0.

    >>> import chalkgrad as torch
    >>> torch.bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    node = input.node
    if node.dtype.kind != "f" and p is None:
        raise NotAvailable(f"bernoulli takes probabilities in floating point, not {node.dtype}")
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
    """Places drawn with probabilities in proportion to the weights in each row.

    >>> import chalkgrad as torch
    >>> torch.multinomial(torch.tensor([0.0, 1.0]), 3, replacement=True)
    tensor([1, 1, 1])
    """
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
    edges = np.cumsum(weights.array_for("multinomial"), -1, np.float64).reshape(
        -1, weights.node.shape[-1]
    )
    drawn = generator.uniform((len(edges), count), np.dtype(np.float64)).array_for("multinomial")
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
def uniform_(
    self: Any, from_: float = 0, to: float = 1, *, generator: Generator | None = None,
    **named: float,
) -> Any:  # fmt: skip
    """Numbers in [from, to), all equally likely."""
    kind, low, high = _real_kind(self, "uniform_"), named.get("from", from_), to
    if low > high:
        raise DtypeError(
            f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}"
        )
    numbers = _source(generator).uniform(self.node.shape, kind) * (high - low) + low
    return self.write(numbers, operation="uniform_")


def normal_(
    self: Any, mean: float = 0, std: float = 1, *, generator: Generator | None = None
) -> Any:
    """mean + std · z with z normal."""
    kind = _real_kind(self, "normal_")
    if std < 0:
        raise DtypeError(f"normal expects std >= 0.0, but found std {std}")
    numbers = _source(generator).normal(self.node.shape, kind) * std + mean
    return self.write(numbers, operation="normal_")


def exponential_(self: Any, lambd: float = 1, *, generator: Generator | None = None) -> Any:
    """Waiting times of an event that comes λ times per unit of time: density λ e^(−λx)."""
    kind = _real_kind(self, "exponential_")
    if lambd <= 0:
        raise DtypeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    numbers = (1 - _source(generator).uniform(self.node.shape, kind)).log() / -lambd
    return self.write(numbers, operation="exponential_")


def bernoulli_(self: Any, p: Any = 0.5, *, generator: Generator | None = None) -> Any:
    """1 with probability p, else 0."""
    _check_chance(p)
    drawn = _source(generator).uniform(self.node.shape, dtypes.default.dtype) < p
    return self.write(drawn.cast(self.node.dtype), operation="bernoulli_")


def random_(
    self: Any, from_: int = 0, to: int | None = None, *, generator: Generator | None = None,
    **named: int,
) -> Any:  # fmt: skip
    """Whole numbers: random_() as far as the dtype goes, random_(to), random_(from, to)."""
    low, high = named.get("from", from_), to
    if high is None:
        low, high = 0, low or _largest(self.node.dtype)
    if low >= high:
        raise DtypeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    numbers = _source(generator).below(high - low, self.node.shape) + low
    return self.write(numbers.cast(self.node.dtype), operation="random_")


def _largest(kind: np.dtype[Any]) -> int:
    """One more than the largest whole number up to which a type holds every one."""
    if kind.kind == "f":
        return int(2 ** (np.finfo(kind).nmant + 1))
    return 2 if kind.kind == "b" else int(np.iinfo(kind).max)


def _real_kind(tensor: Any, name: str) -> np.dtype[Any]:
    kind: np.dtype[Any] = tensor.node.dtype
    if kind.kind != "f":
        raise NotAvailable(f"{name} needs a floating-point tensor; this one is {kind}")
    return kind


# The tensor's own methods that need a generator.
for _method in (
    bernoulli, bernoulli_, exponential_, multinomial, normal_, random_, uniform_
):  # fmt: skip
    setattr(Tensor, _method.__name__, _method)
