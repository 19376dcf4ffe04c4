"""Devices against PyTorch on a machine without a GPU, and what a program that wants one is told."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from tests.parity.judge import same

pytestmark = pytest.mark.parity

GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("cpu",), {}), (("cpu:0",), {}), (("cpu", 1), {}), (("cuda:1",), {}), (("cuda", 2), {}),
    (("mps",), {}), (("meta",), {}), (("xpu:10",), {}), ((), {"type": "cuda", "index": 2}),
    (("cpu", None), {}), (("foo",), {}), (("CPU",), {}), (("",), {}), (("cpu:x",), {}),
    (("cpu:-1",), {}), (("cpu:01",), {}), (("cpu:",), {}), (("cpu:0", 1), {}), ((0,), {}),
    ((1.5,), {}), ((None,), {}), ((), {}),
]  # fmt: skip


@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_a_device_has_a_name_and_a_number(given: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    args, options = given

    def facts(lib: Any) -> Any:
        device = lib.device(*args, **options)
        again = lib.device(device)
        return [repr(device), str(device), device.type, device.index, repr(again), device == again]

    same(facts)


def test_devices_are_compared_and_hashed_by_what_they_name() -> None:
    pairs = [("cpu", "cpu"), ("cpu", "cpu:0"), ("cuda:1", "cuda:1"), ("cuda", "cpu")]
    for a, b in pairs:
        same(lambda lib, a=a, b=b: [lib.device(a) == lib.device(b), lib.device(a) == b])
        same(lambda lib, a=a, b=b: len({lib.device(a), lib.device(b)}))
    same(lambda lib: repr(copy.deepcopy(lib.device("cuda:3"))))
    with pytest.raises(AttributeError):
        cg.device("cpu").type = "cuda"


ON_THE_CPU: list[Callable[[Any], Any]] = [
    lambda lib: repr(lib.zeros(2).device),
    lambda lib: lib.zeros(2).device == lib.device("cpu"),
    lambda lib: repr(lib.nn.Linear(2, 1).weight.device),
    lambda lib: repr(lib.Generator().device),
    lambda lib: repr(lib.Generator(lib.device("cpu")).device),
    lambda lib: repr(lib.get_default_device()),
    lambda lib: lib.set_default_device("cpu"),
    lambda lib: lib.set_default_device(lib.device("cpu")),
    lambda lib: lib.set_default_device(None),
    lambda lib: lib.ones(2, device=lib.device("cpu")),
    lambda lib: lib.tensor([1.0], device="cpu"),
    lambda lib: lib.arange(3, device=lib.device("cpu", 0)),
    lambda lib: lib.ones(2).to(lib.device("cpu")),
    lambda lib: lib.ones(2).to(lib.device("cpu"), lib.float64),
    lambda lib: lib.ones(2).to(lib.device("cpu"), non_blocking=True),
    lambda lib: lib.ones(2).to(device="cpu", dtype=lib.int64, non_blocking=True),
    lambda lib: lib.ones(2).to(tensor=lib.zeros(1, dtype=lib.float64)),
    lambda lib: lib.ones(2).cpu(),
    lambda lib: lib.ones(2).type(lib.float64, non_blocking=True),
    lambda lib: lib.ones(2).is_pinned(),
    lambda lib: lib.ones(2).get_device(),
    lambda lib: [
        lib.ones(2).is_cuda,
        lib.ones(2).is_cpu,
        lib.ones(2).is_mps,
        lib.ones(2).is_sparse,
    ],
    lambda lib: lib.nn.Linear(2, 1).to(lib.device("cpu")).cpu().weight.shape,
    lambda lib: (
        lib.nn.Linear(2, 1, device=lib.device("cpu")).to("cpu", non_blocking=True).in_features
    ),
    lambda lib: lib.cuda.is_available(),
    lambda lib: lib.cuda.device_count(),
    lambda lib: [lib.cuda.manual_seed(1), lib.cuda.manual_seed_all(1), lib.cuda.empty_cache()],
    lambda lib: lib.cuda.is_initialized(),
    lambda lib: lib.backends.mps.is_available(),
    lambda lib: lib.backends.mps.is_built(),
    lambda lib: lib.backends.cuda.is_built(),
    lambda lib: lib.backends.cudnn.is_available(),
    lambda lib: lib.accelerator.is_available(),
    lambda lib: lib.accelerator.current_accelerator(),
    lambda lib: lib.accelerator.device_count(),
    lambda lib: lib.zeros(2, device="foo"),
    lambda lib: lib.zeros(2, device=1.5),
    lambda lib: lib.zeros(2, device=0),
    lambda lib: lib.zeros(2).to("foo"),
    lambda lib: lib.zeros(2).to(0),
    lambda lib: lib.nn.Linear(1, 1).to("foo"),
]


@pytest.mark.parametrize("call", ON_THE_CPU)
def test_on_the_cpu(call: Callable[[Any], Any]) -> None:
    same(call)


def test_a_tensor_that_is_there_already_stays_itself() -> None:
    x, model = cg.ones(2, requires_grad=True), cg.nn.Linear(2, 1)
    for moved in (x.cpu(), x.to("cpu"), x.to(cg.device("cpu"), non_blocking=True), x.pin_memory()):
        assert moved is x
    assert model.to(cg.device("cpu")) is model.cpu() is model


def test_the_way_that_programs_choose() -> None:
    for lib in (cg, torch):
        device = lib.device(
            "cuda" if lib.cuda.is_available()
            else "mps" if lib.backends.mps.is_available()
            else "cpu"
        )  # fmt: skip
        with device:
            x = lib.randn(4, 3).to(device)
        assert lib.nn.Linear(3, 2).to(device)(x).device == device
    lib.backends.cudnn.deterministic = cg.backends.cudnn.deterministic = True
    lib.backends.cudnn.deterministic = cg.backends.cudnn.deterministic = False


def test_loading_comes_to_the_cpu(tmp_path: Any) -> None:
    path = tmp_path / "w.safetensors"
    cg.save({"w": cg.ones(2)}, path)
    anywhere: list[Any] = [
        None,
        "cpu",
        cg.device("cpu"),
        lambda storage, place: storage,
        {"cuda": "cpu"},
    ]
    for place in anywhere:
        assert cg.load(path, map_location=place)["w"].tolist() == [1.0, 1.0]
    with pytest.raises(NotImplementedError, match="chalkgrad computes on the CPU"):
        cg.load(path, map_location="cuda:0")


USES: list[Callable[[], Any]] = [
    lambda: cg.zeros(2, device="cuda"),
    lambda: cg.tensor([1.0], device=cg.device("mps")),
    lambda: cg.randn(2, device="cuda:1"),
    lambda: cg.ones(2).to("cuda"),
    lambda: cg.ones(2).to(cg.device("cuda")),
    lambda: cg.ones(2).cuda(),
    lambda: cg.nn.Linear(1, 1).to("cuda"),
    lambda: cg.nn.Linear(1, 1).cuda(),
    lambda: cg.nn.Linear(1, 1, device="mps"),
    lambda: cg.Generator("cuda"),
    lambda: cg.set_default_device("cuda"),
    lambda: cg.device("cuda").__enter__(),
]


@pytest.mark.parametrize("use", USES)
def test_a_gpu_can_be_named_and_not_used(use: Callable[[], Any]) -> None:
    with pytest.raises(NotImplementedError, match="chalkgrad computes on the CPU; leave the"):
        use()


def test_what_else_cuda_has_says_how_to_ask_first() -> None:
    assert not hasattr(cg.cuda, "synchronize")
    with pytest.raises(AttributeError, match=r"torch.cuda.is_available\(\) first"):
        cg.cuda.synchronize()


def test_the_numbers_of_bytes() -> None:
    for kind in ("float32", "float64", "int32", "int64", "bool"):
        x = np.zeros((2, 3), kind)
        same(lambda lib, x: [x.element_size(), x.itemsize, x.nbytes], x, grad=False)
    same(lambda lib: [lib.zeros(0, 3).nbytes, lib.zeros(()).nbytes])
