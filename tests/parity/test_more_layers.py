"""Padding, resizing and instance normalization, buffers, dicts of parameters: as PyTorch."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from tests.parity.judge import same

pytestmark = pytest.mark.parity

rng = np.random.default_rng(1)
ROWS, SIGNAL, IMAGE = (rng.normal(size=s) for s in ((3, 5), (2, 3, 5), (2, 3, 5, 4)))
PADS = [
    f"{kind}Pad{n}d"
    for kind in ("Zero", "Constant", "Reflection", "Replication", "Circular")
    for n in (1, 2)
]


@pytest.mark.parametrize(
    "padding", [0, 1, 2, (1, 2), (2, 0, 1, 3), (3, 3, 3, 3), (-1, 1), (1, 2, 3), 5], ids=str
)
@pytest.mark.parametrize("name", PADS)
def test_padding(name: str, padding: Any) -> None:
    more = (2.5,) if name.startswith("Constant") else ()

    def layer(lib: Any) -> Any:
        return getattr(lib.nn, name)(padding, *more)

    same(lambda lib: [repr(layer(lib)), str(layer(lib).padding)])
    for x in (ROWS, SIGNAL, IMAGE, IMAGE[0]):
        if name.startswith(("Zero", "Constant")) or len(x.shape) > int(name[-2]):
            same(lambda lib, x: layer(lib)(x), x)


SIZES: list[dict[str, Any]] = [
    {"size": 7},
    {"size": 2},
    {"size": 1},
    {"size": 5},
    {"scale_factor": 2},
    {"scale_factor": 0.6},
    {"scale_factor": 1.7},
    {"scale_factor": 1.7, "recompute_scale_factor": True},
    {"size": 0},
    {"scale_factor": 0.1},
    {"size": 3, "scale_factor": 2},
    {},
    {"size": 2.5},
    {"size": 3, "recompute_scale_factor": True},
    {"size": (2, 3, 4)},
    {"scale_factor": (1, 2, 3)},
]


@pytest.mark.parametrize("options", SIZES, ids=str)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_interpolate(kind: str, options: dict[str, Any]) -> None:
    for x, line in ((SIGNAL, "linear"), (IMAGE, "bilinear")):
        for mode, align in [
            *itertools.product((line,), (None, False, True)),
            ("nearest", None),
            ("nearest-exact", None),
            ("area", None),
        ]:
            same(
                lambda lib, x, m=mode, a=align: lib.nn.functional.interpolate(
                    x, mode=m, align_corners=a, **options
                ),
                x.astype(kind),
            )


@pytest.mark.parametrize("old", range(1, 14))
def test_nearest_takes_the_same_elements_at_every_size(old: int) -> None:
    x = np.arange(float(old)).reshape(1, 1, old).astype(np.float32)
    for new in range(1, 40):
        for mode in ("nearest", "nearest-exact", "linear"):
            same(
                lambda lib, x, n=new, m=mode: lib.nn.functional.interpolate(x, size=n, mode=m),
                x,
                grad=False,
            )
    for factor in np.linspace(0.3, 4, 30):
        if int(old * factor):
            same(
                lambda lib, x, f=float(factor): lib.nn.functional.interpolate(x, scale_factor=f),
                x,
                grad=False,
            )


REFUSED: list[Callable[[Any], Any]] = [
    lambda lib: lib.nn.functional.interpolate(lib.ones(1, 1, 2, 2), size=3, mode="linear"),
    lambda lib: lib.nn.functional.interpolate(lib.ones(1, 1, 2, 2), size=3, mode="foo"),
    lambda lib: lib.nn.functional.interpolate(lib.ones(1, 1, 2, 2), size=3, align_corners=True),
    lambda lib: lib.nn.functional.interpolate(lib.ones(2, 2), size=3),
    lambda lib: lib.nn.functional.interpolate(lib.ones(1, 1, 2, dtype=lib.int64), size=3),
    lambda lib: lib.nn.functional.interpolate(lib.ones(1, 1, 2, 2), size=(3,)),
    lambda lib: lib.nn.functional.interpolate(lib.ones(0, 1, 2), size=3, mode="linear"),
]


@pytest.mark.parametrize("call", REFUSED)
def test_interpolate_at_its_edges(call: Callable[[Any], Any]) -> None:
    same(call)


UPSAMPLERS: list[Callable[[Any], Any]] = [
    lambda lib: lib.nn.Upsample(scale_factor=2),
    lambda lib: lib.nn.Upsample(size=(3, 4), mode="bilinear"),
    lambda lib: lib.nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=True),
    lambda lib: lib.nn.UpsamplingBilinear2d(scale_factor=2),
    lambda lib: lib.nn.UpsamplingNearest2d(size=7),
]


@pytest.mark.parametrize("make", UPSAMPLERS)
def test_upsampling(make: Callable[[Any], Any]) -> None:
    same(lambda lib: repr(make(lib)))
    same(lambda lib, x: make(lib)(x), IMAGE)


NORMS: list[dict[str, Any]] = [
    {},
    {"affine": True},
    {"track_running_stats": True},
    {"momentum": 0.5, "eps": 0.1},
    {"affine": True, "track_running_stats": True, "momentum": 0.3},
    {"affine": True, "bias": False},
]


@pytest.mark.parametrize("options", NORMS, ids=str)
@pytest.mark.parametrize(("name", "x"), [("InstanceNorm1d", SIGNAL), ("InstanceNorm2d", IMAGE)])
def test_instance_norm(name: str, x: np.ndarray, options: dict[str, Any]) -> None:
    def passes(lib: Any, x: Any) -> Any:
        layer = getattr(lib.nn, name)(3, dtype=lib.float64, **options)
        out = [layer(x), layer(x * 2 + 1), layer(x[0])]
        state = [str(list(layer.state_dict())), repr(layer)]
        buffers = [b for b in (layer.running_mean, layer.running_var) if b is not None]
        return [*out, *state, *(b.detach().clone() for b in buffers), layer.eval()(x)]

    same(passes, x, close=10)


WRONG: list[Callable[[Any], Any]] = [
    lambda lib: lib.nn.InstanceNorm1d(3)(lib.ones(2, 3, 4, 5)),
    lambda lib: lib.nn.InstanceNorm2d(3)(lib.ones(2, 3)),
    lambda lib: lib.nn.InstanceNorm2d(4, affine=True)(lib.ones(2, 3, 4, 5)),
    lambda lib: lib.nn.InstanceNorm1d(3)(lib.ones(2, 3, 1)),
]


@pytest.mark.parametrize("call", WRONG)
def test_instance_norm_refuses(call: Callable[[Any], Any]) -> None:
    same(call)


def holding(lib: Any) -> Any:
    class Counting(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = lib.nn.Buffer(lib.zeros(2))
            self.cache = lib.nn.Buffer(lib.ones(1), persistent=False)
            self.plain = lib.ones(3)

    return Counting()


def test_buffers() -> None:
    same(lambda lib: [repr(lib.nn.Buffer(lib.zeros(2))), repr(lib.nn.Buffer())])
    same(
        lambda lib: [
            isinstance(lib.nn.Buffer(lib.zeros(2)), k)
            for k in (lib.Tensor, lib.nn.Buffer, lib.nn.Parameter)
        ]
    )
    same(lambda lib: isinstance(lib.zeros(2), lib.nn.Buffer))
    same(
        lambda lib: [list(holding(lib).state_dict()), [n for n, _ in holding(lib).named_buffers()]]
    )
    same(lambda lib: [str(b.dtype) for b in holding(lib).double().buffers()])

    def replaced(lib: Any) -> Any:
        model = holding(lib)
        model.count = lib.nn.Buffer(lib.ones(1), persistent=False)
        first = [str(list(model.state_dict())), model.count]
        model.cache = lib.zeros(2)
        model.count = lib.nn.Parameter(lib.ones(1))
        return [*first, model.cache, str(list(model.state_dict())), len(list(model.parameters()))]

    same(replaced)
    assert type(holding(cg).count * 2) is cg.Tensor


def test_a_buffer_does_not_take_a_name_that_is_taken() -> None:
    same(lambda lib: setattr(holding(lib), "plain", lib.nn.Buffer(lib.ones(1))))

    def over(lib: Any, value: Any) -> None:
        model = lib.nn.Module()
        model.name = value
        model.name = lib.nn.Buffer(lib.ones(1))

    same(lambda lib: over(lib, lib.nn.Linear(1, 1)))
    same(lambda lib: over(lib, lib.nn.Parameter(lib.ones(1))))


def test_a_traced_step_carries_a_buffer() -> None:
    model = holding(cg)

    def step(x: Any) -> Any:
        with cg.no_grad():
            model.count += x
        return model.count * 1

    graph = cg.trace(step, cg.ones(2))
    assert "count" in str(graph) or len(graph.states) == 1


DICTS: list[Callable[[Any, Any], Any]] = [
    lambda lib, d: repr(d),
    lambda lib, d: [n for n, _ in d.named_parameters()],
    lambda lib, d: [len(d), list(d), list(d.keys()), list(reversed(d)), "b" in d, "z" in d],
    lambda lib, d: [k for k, _ in d.items()],
    lambda lib, d: next(iter(d.values())).requires_grad,
    lambda lib, d: [
        d["n"],
        d.get("z", 5),
        d.get("n"),
        d.setdefault("n", 9),
        d.setdefault("m", 4),
        len(d),
    ],
    lambda lib, d: [d.pop("b").shape, list(d), [n for n, _ in d.named_parameters()]],
    lambda lib, d: [d.popitem()[0], list(d)],
    lambda lib, d: [d.clear(), len(d), len(list(d.parameters()))],
    lambda lib, d: list((d | {"z": lib.ones(1)}).keys()) + list(d),
    lambda lib, d: [d.__ior__({"z": lib.ones(1)}) is d, list(d)],
    lambda lib, d: [d.copy()["a"] is d["a"], list(d.fromkeys(["p", "q"], 1).items())],
    lambda lib, d: [d.update([("z", lib.ones(2)), ["c", 1]]), list(d), list(d.state_dict())],
    lambda lib, d: d.update(3),
    lambda lib, d: d.update([3]),
    lambda lib, d: d.update([(1, 2, 3)]),
    lambda lib, d: d["z"],
    lambda lib, d: d[1],
    lambda lib, d: d(1),
    lambda lib, d: d.pop("z"),
    lambda lib, d: d.__delitem__("z"),
    lambda lib, d: [d.clear(), d.popitem()],
    lambda lib, d: [str(p.dtype) for p in d.double().parameters()],
]


@pytest.mark.parametrize("call", DICTS)
def test_dicts_of_parameters(call: Callable[[Any, Any], Any]) -> None:
    def made(lib: Any) -> Any:
        return lib.nn.ParameterDict(
            {"b": lib.zeros(2), "a": lib.nn.Parameter(lib.ones(3, 1)), "n": 7}
        )

    same(lambda lib: call(lib, made(lib)))
