"""The ordinary small names of PyTorch programs: constants, limits, switches, arguments by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from tests.parity.judge import same

pytestmark = pytest.mark.parity

PLAIN: list[Callable[[Any], Any]] = [
    lambda lib: [lib.pi, lib.e, lib.inf, lib.nan, lib.newaxis],
    lambda lib: lib.arange(3)[:, lib.newaxis],
    lambda lib: lib.tensor([lib.inf, lib.pi]),
    lambda lib: lib.Size([2, 3])[1:],
    lambda lib: lib.zeros(2, 3).shape[:-1] + (5,),  # noqa: RUF005
    lambda lib: (5,) + lib.zeros(2, 3).shape,  # noqa: RUF005
    lambda lib: lib.zeros(2, 3).shape + lib.zeros(4).shape,
    lambda lib: lib.zeros(2).shape * 2,
    lambda lib: lib.Size((2, 3)).numel(),
    lambda lib: [lib.Size([2]) == (2,), lib.Size([2, 3])[-1], lib.Size([])],
    lambda lib: lib.broadcast_shapes((2, 1), 3, (1,)),
    lambda lib: lib.broadcast_shapes(),
    lambda lib: lib.broadcast_shapes(lib.Size([2]), [2]),
    lambda lib: lib.broadcast_shapes((0,), (1,)),
    lambda lib: lib.broadcast_shapes((0,), (2,)),
    lambda lib: lib.broadcast_shapes((2,), (3,)),
    lambda lib: lib.broadcast_shapes((-1,)),
    lambda lib: lib.broadcast_shapes("a"),
    lambda lib: lib.is_nonzero(lib.tensor([0.0])),
    lambda lib: lib.is_nonzero(lib.tensor(3)),
    lambda lib: lib.tensor([[0.5]]).is_nonzero(),
    lambda lib: lib.is_nonzero(lib.zeros(2)),
    lambda lib: lib.is_nonzero(1.0),
    lambda lib: [lib.zeros(2, 3).nelement(), lib.zeros(2, 3).ndimension()],
    lambda lib: [lib.zeros(1).is_signed(), lib.is_signed(lib.zeros(1, dtype=lib.bool))],
    lambda lib: lib.set_num_threads(0),
    lambda lib: lib.set_num_threads(1.5),
    lambda lib: lib.use_deterministic_algorithms(1),
    lambda lib: lib.zeros(2, 2).new_zeros(size=(1, 2)),
    lambda lib: lib.zeros(2, 2, dtype=lib.int64).new_ones(size=(2,)),
    lambda lib: lib.zeros(2).new_empty(size=(2, 0)),
    lambda lib: lib.zeros(2).new_ones(2, 3),
    lambda lib: lib.result_type(tensor=lib.tensor([1]), other=1.5),
    lambda lib: lib.result_type(tensor=lib.tensor([1]), other=lib.tensor(1.0)),
    lambda lib: lib.result_type(scalar=2, tensor=lib.tensor([1.0])),
    lambda lib: lib.result_type(scalar1=2, scalar2=1.5),
    lambda lib: lib.result_type(lib.tensor([1], dtype=lib.int32), 3),
    lambda lib: lib.result_type(lib.tensor([1])),
    lambda lib: lib.zeros(50).random_(**{"from": 3, "to": 4}),
    lambda lib: lib.zeros(50).random_(1),
    lambda lib: lib.zeros(5).random_(4, 4),
    lambda lib: lib.zeros(5).uniform_(**{"from": 2.0, "to": 2.0}),
    lambda lib: lib.tensordot(a=lib.ones(2, 3), b=lib.ones(3, 2), dims=1),
    lambda lib: lib.vdot(lib.ones(2), other=lib.ones(2)),
    lambda lib: lib.ones(2).vdot(other=lib.ones(2)),
    lambda lib: lib.no_grad()(lambda: lib.ones(1, requires_grad=True) * 2)().requires_grad,
    lambda lib: lib.no_grad()(lib.is_grad_enabled)(),
]


@pytest.mark.parametrize("call", PLAIN)
def test_the_same_as_pytorch(call: Callable[[Any], Any]) -> None:
    same(call)


@pytest.mark.parametrize(
    "dims", [(0, 1), (1, 0), (-1, -2), (0, -1), (2, 0), (1, 1), (5, 0)], ids=str
)
@pytest.mark.parametrize("offset", [0, 1, -2])
def test_diag_embed_between_any_two_dimensions(offset: int, dims: tuple[int, int]) -> None:
    x = np.arange(6.0).reshape(2, 3)
    same(lambda lib, x: lib.diag_embed(x, offset, *dims), x)
    same(lambda lib, x: x.diag_embed(offset=offset, dim1=dims[0], dim2=dims[1]), x)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_the_limits_of_floating_types(kind: str) -> None:
    def facts(lib: Any) -> Any:
        limits = lib.finfo(getattr(lib, kind))
        names = ["bits", "dtype", "eps", "max", "min", "tiny", "smallest_normal", "resolution"]
        return [
            repr(limits),
            limits == lib.finfo(getattr(lib, kind)),
            *(getattr(limits, n) for n in names),
        ]

    same(facts)


@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_the_limits_of_whole_numbers(kind: str) -> None:
    def facts(lib: Any) -> Any:
        limits = lib.iinfo(getattr(lib, kind))
        return [repr(limits), limits.bits, limits.dtype, limits.max, limits.min]

    same(facts)


@pytest.mark.parametrize(
    "call",
    [
        lambda lib: lib.finfo(lib.int32),
        lambda lib: lib.iinfo(lib.float32),
        lambda lib: lib.iinfo(lib.bool),
        lambda lib: lib.iinfo(),
        lambda lib: repr(lib.finfo()),
    ],
)
def test_the_limits_of_the_wrong_type(call: Callable[[Any], Any]) -> None:
    same(call)


def test_switches_that_are_kept() -> None:
    for lib in (cg, torch):
        before = lib.get_num_threads()
        lib.set_num_threads(1)
        assert lib.get_num_threads() == 1
        lib.set_num_threads(before)
        assert lib.get_num_interop_threads() >= 1
        lib.use_deterministic_algorithms(True, warn_only=True)
        assert lib.are_deterministic_algorithms_enabled()
        assert lib.is_deterministic_algorithms_warn_only_enabled()
        lib.use_deterministic_algorithms(False)
        assert not lib.are_deterministic_algorithms_enabled()
        assert not lib.is_deterministic_algorithms_warn_only_enabled()


def test_random_numbers_between_two() -> None:
    drawn = cg.zeros(1000).random_(**{"from": 5, "to": 8})
    assert sorted(set(drawn.tolist())) == [5.0, 6.0, 7.0]
    drawn = cg.zeros(1000).uniform_(**{"from": 2.0, "to": 3.0})
    assert 2.0 <= drawn.min().item() < 2.01
    assert 2.99 < drawn.max().item() < 3.0


def test_the_old_typed_classes_say_what_to_write() -> None:
    assert not hasattr(cg, "FloatTensor")
    with pytest.raises(AttributeError, match=r"tensor\(data, dtype=int64\)"):
        cg.LongTensor([1])


rng = np.random.default_rng(0)
IMAGE, SIGNAL = rng.normal(size=(2, 4, 6, 6)), rng.normal(size=(2, 4, 6))
ROW = rng.normal(size=4)
TOP: list[tuple[str, Callable[..., Any], list[np.ndarray]]] = [
    ("conv1d", lambda lib, x, w: lib.conv1d(x, w, stride=2), [SIGNAL, rng.normal(size=(3, 4, 2))]),
    (
        "conv2d",
        lambda lib, x, w: lib.conv2d(x, w, padding=1),
        [IMAGE, rng.normal(size=(3, 4, 2, 2))],
    ),
    (
        "conv_transpose1d",
        lambda lib, x, w: lib.conv_transpose1d(x, w),
        [SIGNAL, rng.normal(size=(4, 3, 2))],
    ),
    (
        "conv_transpose2d",
        lambda lib, x, w: lib.conv_transpose2d(x, w, stride=2),
        [IMAGE, rng.normal(size=(4, 3, 2, 2))],
    ),
    ("max_pool1d", lambda lib, x: lib.max_pool1d(x, 2), [SIGNAL]),
    ("max_pool2d", lambda lib, x: lib.max_pool2d(x, 2, stride=1), [IMAGE]),
    ("avg_pool1d", lambda lib, x: lib.avg_pool1d(x, 2), [SIGNAL]),
    ("adaptive_avg_pool1d", lambda lib, x: lib.adaptive_avg_pool1d(x, 2), [SIGNAL]),
    (
        "bilinear",
        lambda lib, x, y, w: lib.bilinear(x, y, w, None),
        [rng.normal(size=(3, 2)), rng.normal(size=(3, 4)), rng.normal(size=(5, 2, 4))],
    ),
    ("celu", lambda lib, x: lib.celu(x, 0.5), [SIGNAL]),
    ("selu", lambda lib, x: lib.selu(x), [SIGNAL]),
    ("hardshrink", lambda lib, x: lib.hardshrink(x), [SIGNAL]),
    ("threshold", lambda lib, x: lib.threshold(x, 0.1, 2.0), [SIGNAL]),
    ("prelu", lambda lib, x, w: lib.prelu(x, w), [SIGNAL, ROW]),
    ("rms_norm", lambda lib, x: lib.rms_norm(x, (6,)), [SIGNAL]),
    ("cosine_similarity", lambda lib, x, y: lib.cosine_similarity(x, y), [SIGNAL, SIGNAL + 1]),
    ("pairwise_distance", lambda lib, x, y: lib.pairwise_distance(x, y), [SIGNAL, SIGNAL + 1]),
    ("pixel_shuffle", lambda lib, x: lib.pixel_shuffle(x, 2), [IMAGE]),
    ("pixel_unshuffle", lambda lib, x: lib.pixel_unshuffle(x, 2), [IMAGE]),
    ("dropout", lambda lib, x: [lib.dropout(x, 0.5, False), lib.dropout(x, 1.0, True)], [SIGNAL]),
    ("embedding", lambda lib, w: lib.embedding(w, lib.tensor([1, 0, 1])), [SIGNAL[0]]),
    (
        "embedding with padding",
        lambda lib, w: lib.embedding(w, lib.tensor([1, 0, 1]), 1),
        [SIGNAL[0]],
    ),
    (
        "batch_norm",
        lambda lib, x, w, b: lib.batch_norm(x, w, b, None, None, True, 0.1, 1e-5, False),
        [IMAGE, ROW, ROW + 1],
    ),
    ("group_norm", lambda lib, x, w, b: lib.group_norm(x, 2, w, b, 1e-3), [IMAGE, ROW, ROW + 1]),
    ("layer_norm", lambda lib, x: lib.layer_norm(x, (4, 6)), [SIGNAL]),
    (
        "instance_norm",
        lambda lib, x, w, b: lib.instance_norm(x, w, b, None, None, True, 0.1, 1e-5, False),
        [IMAGE, ROW, ROW + 1],
    ),
]


@pytest.mark.parametrize(("name", "call", "arrays"), TOP, ids=[name for name, _, _ in TOP])
def test_functions_of_networks_at_the_top(name: str, call: Any, arrays: list[np.ndarray]) -> None:
    same(call, *arrays, close=10)


def samplers(lib: Any) -> dict[str, Callable[..., Any]]:
    data = lib.utils.data
    names = ["Sequential", "Random", "SubsetRandom", "WeightedRandom", "Batch"]
    return {name: getattr(data, f"{name}Sampler") for name in names}


SAMPLERS: list[Callable[[Any], Any]] = [
    lambda lib: list(samplers(lib)["Sequential"](range(4))),
    lambda lib: len(samplers(lib)["Sequential"](range(4))),
    lambda lib: sorted(samplers(lib)["Random"](range(7))),
    lambda lib: len(list(samplers(lib)["Random"](range(7), num_samples=3))),
    lambda lib: sorted(list(samplers(lib)["Random"](range(4), num_samples=11))[:8]),
    lambda lib: len(samplers(lib)["Random"](range(7), True, 40)),
    lambda lib: sorted(set(samplers(lib)["Random"](range(3), True, 400))),
    lambda lib: samplers(lib)["Random"](range(0)),
    lambda lib: samplers(lib)["Random"](range(3), num_samples=0),
    lambda lib: samplers(lib)["Random"](range(3), replacement=1),
    lambda lib: sorted(samplers(lib)["SubsetRandom"]([3, 5, 8])),
    lambda lib: len(samplers(lib)["SubsetRandom"]([3, 5, 8])),
    lambda lib: list(samplers(lib)["WeightedRandom"]([0.0, 1.0, 0.0], 4)),
    lambda lib: sorted(samplers(lib)["WeightedRandom"]([0.2, 1.0, 0.3], 3, replacement=False)),
    lambda lib: list(samplers(lib)["WeightedRandom"]([0.2, 1.0], 3, replacement=False)),
    lambda lib: samplers(lib)["WeightedRandom"]([0.2], True),
    lambda lib: samplers(lib)["WeightedRandom"]([[0.2]], 1),
    lambda lib: samplers(lib)["WeightedRandom"]([0.2], 1, 1),
    lambda lib: list(samplers(lib)["Batch"](range(7), 3, False)),
    lambda lib: list(samplers(lib)["Batch"](range(7), 3, True)),
    lambda lib: [len(samplers(lib)["Batch"](range(7), 3, drop)) for drop in (True, False)],
    lambda lib: samplers(lib)["Batch"](range(7), 0, True),
    lambda lib: samplers(lib)["Batch"](range(7), 2, 1),
]


@pytest.mark.parametrize("call", SAMPLERS)
def test_samplers(call: Callable[[Any], Any]) -> None:
    same(call)


def test_samplers_in_a_loader_and_with_a_generator() -> None:
    for lib in (cg, torch):
        data = lib.utils.data
        records = data.TensorDataset(lib.arange(10))
        batches = data.BatchSampler(data.SubsetRandomSampler([1, 3, 5]), 2, drop_last=False)
        loader = data.DataLoader(records, batch_sampler=batches)
        assert len(loader) == 2
        assert sorted(n for (batch,) in loader for n in batch.tolist()) == [1, 3, 5]
        sampler = data.RandomSampler(range(30), generator=lib.Generator().manual_seed(3))
        again = data.RandomSampler(range(30), generator=lib.Generator().manual_seed(3))
        assert list(sampler) == list(again) != list(sampler)
        assert issubclass(data.RandomSampler, data.Sampler)


CYCLES: list[dict[str, Any]] = [
    {}, {"step_size_down": 3}, {"mode": "triangular2"}, {"mode": "exp_range", "gamma": 0.9},
    {"scale_fn": lambda x: 0.5**x}, {"scale_fn": lambda x: 0.9**x, "scale_mode": "iterations"},
    {"cycle_momentum": False}, {"base_momentum": 0.7, "max_momentum": 0.95}, {"mode": "foo"},
    {"base_lr": [0.1, 0.2]}, {"base_lr": [0.1, 0.2, 0.3]},
]  # fmt: skip


@pytest.mark.parametrize("options", CYCLES)
@pytest.mark.parametrize("kind", ["SGD", "Adam", "Adagrad"])
def test_cyclic_rates(kind: str, options: dict[str, Any]) -> None:
    def course(lib: Any) -> Any:
        w, v = (lib.nn.Parameter(lib.zeros(1)) for _ in range(2))
        more = {"momentum": 0.9} if kind == "SGD" else {}
        w.grad, v.grad = lib.ones(1), lib.ones(1)
        optimizer = getattr(lib.optim, kind)([{"params": [w]}, {"params": [v]}], lr=0.5, **more)
        given = {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 5, **options}
        scheduler = lib.optim.lr_scheduler.CyclicLR(optimizer, **given)
        seen = []
        for _ in range(25):
            optimizer.step()
            scheduler.step()
            groups = optimizer.param_groups
            seen += scheduler.get_last_lr()
            seen += [group.get("momentum", group.get("betas", (0,))) for group in groups]
        return [str(number) for number in seen]

    same(course)


def cycle(optimizer: Any) -> Any:
    return cg.optim.lr_scheduler.CyclicLR(optimizer, 0.1, 1.0, 4, mode="triangular2")


def test_a_cycle_goes_on_from_its_state() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rates = []
        for resume in (False, True):
            optimizer = cg.optim.SGD([cg.nn.Parameter(cg.zeros(1))], lr=0.1, momentum=0.9)
            scheduler = cycle(optimizer)
            for k in range(20):
                if resume and k == 7:
                    state = scheduler.state_dict()
                    scheduler = cycle(optimizer)
                    scheduler.load_state_dict(state)
                scheduler.step()
            rates.append(scheduler.get_last_lr())
    assert rates[0] == rates[1]


def test_a_file_that_is_not_there() -> None:
    for library in (cg, torch):
        with pytest.raises(FileNotFoundError):
            library.load("no such file")
