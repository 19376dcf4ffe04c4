"""Every record of `chalkgrad.primitives`, and the inputs on which all judges try it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chalkgrad import primitives
from chalkgrad.core.graph import Array, ArrayType, Params
from chalkgrad.core.primitive import Primitive

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)
Sampler = Callable[[np.random.Generator], tuple[list[Array], Params]]


def records() -> dict[str, Primitive]:
    found: dict[str, Primitive] = {}
    for module in pkgutil.iter_modules(primitives.__path__, "chalkgrad.primitives."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, Primitive):
                assert found.setdefault(thing.name, thing) is thing, f"two records: {thing.name}"
    return found


RECORDS = records()


@dataclass(frozen=True)
class Case:
    """One primitive on one set of inputs."""

    primitive: Primitive
    arrays: tuple[Array, ...]
    params: Params
    label: str

    def __str__(self) -> str:
        return f"{self.primitive.name}-{self.label}"

    @property
    def types(self) -> list[ArrayType]:
        return [ArrayType(array.shape, array.dtype) for array in self.arrays]

    def run(self) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(self.primitive.numpy(*self.arrays, **self.params))

    def cast(self, dtype: np.dtype[Any]) -> Case:
        """The same case with its floating-point inputs (and parameter) in another type."""
        arrays = tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in self.arrays)
        params = {k: dtype if v == FLOAT64 and k == "dtype" else v for k, v in self.params.items()}
        return replace(self, arrays=arrays, params=params, label=f"{self.label}-{dtype}")

    @property
    def smooth(self) -> list[int]:
        """The inputs that have a derivative."""
        vjp = self.primitive.vjp
        floats = [k for k, array in enumerate(self.arrays) if array.dtype.kind == "f"]
        return [k for k in floats if callable(vjp) or vjp[k] is not None]


def arity(primitive: Primitive) -> int:
    return 2 if callable(primitive.vjp) else len(primitive.vjp)


def _uniform(primitive: Primitive, *shapes: tuple[int, ...], **params: Any) -> Sampler:
    low, high, _ = primitive.domain

    def sample(rng: np.random.Generator) -> tuple[list[Array], Params]:
        arrays = [rng.uniform(low, high, shape) for shape in shapes]
        if primitive.name == "select":
            arrays[0] = arrays[0] > 0
        return arrays, params

    return sample


def normal(*sources: tuple[int, ...], **params: Any) -> Sampler:
    return lambda rng: ([rng.normal(size=source) for source in sources], params)


def distinct(shape: tuple[int, ...], **params: Any) -> Sampler:
    """Numbers without ties, of both signs."""
    count = int(np.prod(shape))
    return lambda rng: ([(rng.permutation(count).reshape(shape) + 0.5) / 7.0 - 1.6], params)


def given(*arrays: Any, **params: Any) -> Sampler:
    return lambda rng: ([np.asarray(array) for array in arrays], params)


def indexed(source: tuple[int, ...], index: Any, **params: Any) -> Sampler:
    return lambda rng: ([rng.normal(size=source), np.asarray(index, np.int64)], params)


def placed(source: tuple[int, ...], **params: Any) -> Sampler:
    """A number for each window of an image, and the place of the window's largest element."""

    def sample(rng: np.random.Generator) -> tuple[list[Array], Params]:
        x = rng.permutation(int(np.prod(source))).reshape(source)
        places = RECORDS["pool_argmax"].numpy(x, dtype=INT32, **params)
        others = {name: value for name, value in params.items() if name != "out"}
        return [rng.normal(size=places.shape), places], {"size": source[2:], **others}

    return sample


def geometry(stride: Any, padding: Any, dilation: Any, **params: Any) -> dict[str, Any]:
    return {"stride": stride, "padding": padding, "dilation": dilation, **params}


# Beside the sample of each record's own domain: other signs, other axes, other ranks.
SIGNED = [1.7, -1.7, 1.1, -2.6], [0.7, 0.6, -0.9, -0.8]
MORE: dict[str, list[Sampler]] = {
    "divide": [given(*SIGNED)],
    "reciprocal": [given(SIGNED[0])],
    "remainder": [given(*SIGNED)],
    "fmod": [given(*SIGNED)],
    "floor_divide": [given(*SIGNED)],
    "arctan2": [given(*SIGNED)],
    "power": [
        given([-1.3, 1.2], 2.0), given([-1.3, 1.2], 3.0), given([0.4, 1.2], 1.0),
        given([0.4, 1.2], 0.0), given([0.4, 1.2], -0.5), given(2.0, [0.3, -1.2]),
    ],
    "clip": [
        given([-1.4, 0.2, 0.9], low=-1.0, high=0.5), given([-1.4, 0.2, 0.9], low=None, high=0.5),
        given([-1.4, 0.2, 0.9], low=-1.0, high=None),
    ],
    "cast": [given([1.5, -0.5], dtype=FLOAT32), given([1.5, -0.5], dtype=np.dtype(np.int64))],
    "sum": [normal((2, 3), axes=(), keepdims=False), normal((2, 3), axes=(0, 1), keepdims=True),
            normal((2, 3), axes=(0, 1), keepdims=False), normal((), axes=(), keepdims=False)],
    "mean": [normal((2, 3), axes=(0, 1), keepdims=False), normal((2, 3), axes=(), keepdims=True)],
    "max": [distinct((2, 3), axes=(0, 1), keepdims=False),
            distinct((2, 3), axes=(), keepdims=True)],
    "min": [distinct((2, 3), axes=(1,), keepdims=False), distinct((2, 3), axes=(), keepdims=True)],
    "prod": [
        distinct((2, 3), axes=(0, 1), keepdims=True), distinct((2, 3), axes=(), keepdims=False),
        given([[0.0, 2.0, -1.5], [0.5, 2.0, 3.0]], axes=(1,), keepdims=False),
        given([0.0, 2.0, 0.0, 1.5], axes=(0,), keepdims=True),
        given([0.0, 0.0, 0.0, 1.5], axes=(0,), keepdims=False),
    ],
    "cumsum": [normal((2, 3), axis=0, reverse=True)],
    "cumprod": [normal((2, 3), axis=0), given([0.5, 0.0, 2.0, 1.5], axis=0)],
    "argmax": [distinct((4,), axis=0), given([[1.0, 1.0], [1.0, 2.0]], axis=0)],
    "argmin": [distinct((4,), axis=0), given([[1.0, 1.0], [1.0, 2.0]], axis=1)],
    "argsort": [distinct((2, 5), axis=1, descending=True),
                given([2.0, 1.0, 2.0, 1.0], axis=0, descending=True),
                given([2.0, 1.0, 2.0, 1.0], axis=0, descending=False)],
    "broadcast": [normal((), shape=(2, 3)), normal((1, 3), shape=(4, 3)), normal((3,), shape=(3,))],
    "reshape": [normal((2, 3, 4), shape=(4, 6)), normal((1,), shape=()), normal((), shape=(1, 1)),
                normal((6,), shape=(2, 1, 3))],
    "transpose": [normal((2, 3), axes=(1, 0)), normal((), axes=())],
    "slice": [normal((7,), start=(1,), stop=(6,), step=(3,)),
              normal((), start=(), stop=(), step=()),
              normal((5,), start=(2,), stop=(2,), step=(1,))],
    "pad": [normal((3,), low=(2,), high=(1,), between=(2,)),
            normal((), low=(), high=(), between=())],
    "concatenate": [normal((2, 3), axis=0), normal((2,), (0,), (3,), axis=0)],
    "flip": [normal((3, 4), axes=(0, 1)), normal((3, 4), axes=())],
    "take": [indexed((4, 3), 2, axis=0), indexed((4, 3), [0, 0, 2], axis=1)],
    "add_at": [indexed((3,), 2, axis=0, extent=4), indexed((4, 3), [0, 0, 2], axis=1, extent=3)],
    "take_along": [indexed((4, 3), [[1, 0], [3, 3]], axis=0)],
    "add_along": [indexed((2, 2), [[1, 0], [3, 3]], axis=0, shape=(4, 3))],
    "matmul": [normal((2, 3), (3, 4)), normal((2, 2, 1, 3), (2, 2, 3, 2))],
    "einsum": [
        normal((2, 3), equation="ij->ji"), normal((2, 3), equation="ij->"),
        normal((2, 3), (3,), (2,), equation="ij,j,i->i"), normal((2,), (3,), equation="i,j->ij"),
        normal((2, 3), (2, 4), equation="ij,ik->ij"),
    ],
    "convolution": [
        normal((2, 3, 8), (4, 3, 3), **geometry((2,), (2,), (2,), groups=1)),
        normal((1, 2, 4, 4), (2, 2, 1, 1), **geometry((1, 1), (0, 0), (1, 1), groups=1)),
        normal((1, 2, 2, 3, 3), (2, 2, 2, 2, 2), **geometry(*[(1,) * 3] * 3, groups=1)),
    ],
    "convolution_input": [
        normal((2, 4, 4), (4, 3, 3), size=(8,), **geometry((2,), (2,), (2,), groups=1)),
        normal((1, 4, 4), (4, 1, 3), size=(8,), **geometry((2,), (1,), (1,), groups=2)),
        # An output_padding of 1: the kernel fits into 9 once more than there are inputs.
        normal((1, 2, 4), (2, 1, 3), size=(9,), **geometry((1,), (0,), (2,), groups=1)),
    ],
    "convolution_weight": [
        normal((2, 3, 8), (2, 4, 4), kernel=(3,), **geometry((2,), (2,), (2,), groups=1)),
        normal((1, 2, 9), (1, 1, 4), kernel=(3,), **geometry((1,), (0,), (2,), groups=1)),
    ],
    "window_sum": [normal((2, 1, 7), out=(3,), kernel=(3,), **geometry((2,), (0,), (1,)))],
    "window_spread": [normal((2, 1, 3), size=(8,), kernel=(3,), **geometry((2,), (0,), (1,)))],
    "max_pool": [
        distinct((2, 1, 7), out=(3,), kernel=(3,), **geometry((2,), (0,), (1,))),
        distinct((1, 2, 6), out=(3,), kernel=(2,), **geometry((2,), (1,), (2,))),
    ],
    "pool_argmax": [
        distinct((2, 1, 7), out=(3,), kernel=(3,), dtype=INT64, **geometry((2,), (0,), (1,))),
        given(np.ones((1, 1, 4)), out=(2,), kernel=(2,), dtype=INT32,
              **geometry((2,), (0,), (1,))),
    ],
    "pool_scatter": [
        placed((2, 1, 7), out=(3,), kernel=(3,), **geometry((2,), (0,), (1,))),
        placed((1, 2, 6), out=(3,), kernel=(2,), **geometry((2,), (1,), (2,))),
        placed((2, 2, 5, 19), out=(2, 9), kernel=(2, 2), **geometry((2, 2), (0, 0), (1, 1))),
        placed((1, 2, 7, 33), out=(4, 17), kernel=(2, 2), **geometry((2, 2), (1, 1), (1, 1))),
        placed((1, 1, 9, 9), out=(4, 4), kernel=(3, 3), **geometry((2, 2), (0, 0), (1, 1))),
        placed((1, 1, 33), out=(8,), kernel=(4,), **geometry((4,), (0,), (1,))),
        placed((1, 1, 27), out=(9,), kernel=(3,), **geometry((3,), (0,), (1,))),
    ],
    "uniform": [given(np.array([12345678901234567, 3]), shape=(5,), dtype=FLOAT32)],
}  # fmt: skip
_PARAMS: dict[str, dict[str, Any]] = {
    "clip": {"low": -0.7, "high": 1.1},
    "cast": {"dtype": FLOAT64},
}

# Arrays without elements: no batch, no features, nothing at all.
_POOL1 = {"kernel": (2,), **geometry((1,), (0,), (1,))}
_CONV1 = geometry((1,), (1,), (1,), groups=1)
EMPTY: dict[str, list[Sampler]] = {
    "sum": [normal((0, 3), axes=(0,), keepdims=False), normal((2, 0), axes=(0,), keepdims=True)],
    "mean": [normal((2, 0), axes=(0,), keepdims=True)],
    "prod": [normal((0, 3), axes=(0,), keepdims=False), normal((2, 0), axes=(0,), keepdims=True)],
    "max": [normal((2, 0), axes=(0,), keepdims=False)],
    "min": [normal((2, 0), axes=(0,), keepdims=True)],
    "cumsum": [normal((0, 3), axis=0, reverse=False), normal((0, 3), axis=1, reverse=True)],
    "cumprod": [normal((0, 3), axis=0), normal((0, 3), axis=1)],
    "argmax": [normal((2, 0), axis=0)],
    "argmin": [normal((0, 2), axis=1)],
    "argsort": [normal((0, 2), axis=0, descending=True), normal((0, 2), axis=1, descending=False)],
    "broadcast": [normal((0,), shape=(2, 0)), normal((1,), shape=(0,)), normal((), shape=(3, 0))],
    "reshape": [normal((0, 3), shape=(3, 0)), normal((2, 0), shape=(0,))],
    "transpose": [normal((0, 3), axes=(1, 0))],
    "slice": [normal((0, 3), start=(0, 1), stop=(0, 2), step=(1, 1))],
    "pad": [normal((0, 3), low=(1, 0), high=(1, 0), between=(0, 0)),
            normal((0, 3), low=(0, 0), high=(0, 1), between=(1, 0))],
    "concatenate": [normal((0, 3), (0, 2), axis=1), normal((0, 3), (0, 3), axis=0)],
    "flip": [normal((0, 3), axes=(0,))],
    "take": [indexed((4, 3), np.zeros((0, 2)), axis=0), indexed((0, 3), [1, 2], axis=1)],
    "add_at": [indexed((0, 3), np.zeros(0), axis=0, extent=4),
               indexed((0, 3), [1, 2, 0], axis=1, extent=3)],
    "take_along": [indexed((4, 3), np.zeros((0, 3)), axis=0)],
    "add_along": [indexed((0, 3), np.zeros((0, 3)), axis=0, shape=(4, 3))],
    "matmul": [normal((0, 3), (3, 4)), normal((2, 0), (0, 4)), normal((2, 3), (3, 0)),
               normal((0, 2, 3), (0, 3, 4))],
    "einsum": [normal((0, 3), (3, 2), equation="ij,jk->ik"), normal((2, 0), equation="ij->i")],
    "convolution": [normal((0, 2, 5), (4, 2, 3), **_CONV1), normal((2, 0, 5), (4, 0, 3), **_CONV1)],
    "convolution_input": [normal((0, 4, 5), (4, 2, 3), size=(5,), **_CONV1)],
    "convolution_weight": [normal((0, 2, 5), (0, 4, 5), kernel=(3,), **_CONV1)],
    "window_sum": [normal((0, 2, 5), out=(4,), **_POOL1)],
    "window_spread": [normal((0, 2, 4), size=(5,), **_POOL1)],
    "max_pool": [normal((0, 2, 5), out=(4,), **_POOL1), normal((2, 0, 5), out=(4,), **_POOL1)],
    "pool_argmax": [normal((0, 2, 5), out=(4,), dtype=INT64, **_POOL1)],
    "pool_scatter": [placed((0, 2, 5), out=(4,), **_POOL1)],
    "random_bits": [given(np.array([5, 0]), shape=(0, 3))],
    "uniform": [given(np.array([5, 0]), shape=(2, 0), dtype=FLOAT64)],
}  # fmt: skip


def own_sampler(primitive: Primitive, *shapes: tuple[int, ...]) -> Sampler:
    """A record's own domain."""
    if primitive.domain.samples is not None:
        return primitive.domain.samples  # type: ignore[return-value]
    shapes = shapes or ((3, 4),) * arity(primitive)
    return _uniform(primitive, *shapes, **_PARAMS.get(primitive.name, {}))


def samplers(primitive: Primitive) -> Iterator[Sampler]:
    yield own_sampler(primitive)
    if primitive.domain.samples is None:
        yield own_sampler(primitive, *((),) * arity(primitive))
    yield from MORE.get(primitive.name, ())


def empty_samplers(primitive: Primitive) -> Iterator[Sampler]:
    if primitive.domain.samples is None:
        for shape in ((0,), (0, 3), (2, 0, 3)):
            yield own_sampler(primitive, *(shape,) * arity(primitive))
    yield from EMPTY.get(primitive.name, ())


def build(primitive: Primitive, sampler: Sampler, label: str, seed: int = 0) -> Case:
    arrays, params = sampler(np.random.default_rng(seed + 17 * len(label)))
    return Case(primitive, tuple(np.asarray(a) for a in arrays), params, label)


CASES = [build(p, s, str(k)) for p in RECORDS.values() for k, s in enumerate(samplers(p))]
EMPTY_CASES = [
    build(p, s, f"empty{k}") for p in RECORDS.values() for k, s in enumerate(empty_samplers(p))
]
SMOOTH = [case for case in CASES if case.smooth and case.run().dtype == FLOAT64]


# Records that mean something for whole numbers, and for truth values.
_MOVES = {"broadcast", "reshape", "transpose", "slice", "pad", "concatenate", "flip"}
_MOVES |= {"take", "take_along", "copy", "cast", "select"}
_COMPARES = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
_COMPARES |= {"logical_and", "logical_or", "logical_xor", "logical_not"}
_CHOOSES = {"max", "min", "argmax", "argmin", "argsort", "maximum", "minimum"}
FOR_BOOLS = _MOVES | _COMPARES | _CHOOSES
FOR_INTEGERS = FOR_BOOLS | {
    "add", "subtract", "multiply", "negative", "square", "remainder", "fmod", "floor_divide",
    "absolute", "sign", "clip", "relu", "sum", "prod", "cumsum", "cumprod", "add_at", "add_along",
    "matmul",
    "einsum", "window_sum", "window_spread", "max_pool", "pool_argmax",
    "pool_scatter", "power",
}  # fmt: skip


def whole(case: Case, dtype: np.dtype[Any]) -> Case:
    """The case with whole numbers (or truth values) in place of floating-point ones."""
    arrays = [np.rint(a * 2) if a.dtype.kind == "f" else a for a in case.arrays]
    if case.primitive.name in ("remainder", "fmod", "floor_divide", "power"):
        arrays[1] = np.abs(arrays[1]) + 1
    if dtype.kind == "b":
        arrays = [a > 0 if a.dtype.kind == "f" else a for a in arrays]
    cast = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
    params = case.params
    if case.primitive.name == "clip":
        params = {k: None if v is None else round(v * 2) for k, v in params.items()}
    return replace(case, arrays=tuple(cast), params=params, label=f"{case.label}-{dtype}")


WHOLE = [whole(c, np.dtype(t)) for c in CASES if c.primitive.name in FOR_INTEGERS
         for t in (np.int32, np.int64)]  # fmt: skip
TRUTHS = [whole(c, np.dtype(bool)) for c in CASES if c.primitive.name in FOR_BOOLS]
