"""Host, object code, cache and threads."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.machine import cache, host, jit, threads
from chalkgrad.machine.text import Function

ADD = """
define void @program(ptr %table, i64 %member, i64 %members, ptr %barrier) {
  %place = getelementptr i64, ptr %table, i64 %member
  %old = load i64, ptr %place
  %new = add i64 %old, %members
  store i64 %new, ptr %place
  ret void
}"""


def test_the_host_is_described() -> None:
    found = host.detect()
    assert found.vector in (16, 32, 64)
    assert found.l1 < found.l2 < found.l3
    narrow = host.narrowed(found, 16)
    assert (narrow.vector, narrow.fma) == (16, False)
    assert "+avx" not in narrow.features
    assert host.narrowed(narrow, 32) is narrow


def test_native_code_can_be_switched_off() -> None:
    code = (
        "import chalkgrad as cg; from chalkgrad.machine.host import available;"
        "print(available()); f = cg.compile(lambda x: x * 2); print(f(cg.ones(2)), f.executor)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "CHALKGRAD_NATIVE": "0"},
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "it is switched off by CHALKGRAD_NATIVE=0",
        "tensor([2., 2.]) numpy, one program a step (it is switched off by CHALKGRAD_NATIVE=0)",
    ]


def test_programs_let_go_of_their_memory() -> None:
    def resident() -> int:
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    code = jit.compile_text(ADD, host.detect())
    for _ in range(50):
        jit.load(code, ["program"])
    gc.collect()
    before = resident()
    for _ in range(400):
        jit.load(code, ["program"])
    gc.collect()
    assert resident() - before < 8 << 20


# The cache.
@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHALKGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_made_is_found(own_cache: Path) -> None:
    assert cache.fetch(b"key", lambda: b"made") == (b"made", False)
    assert cache.fetch(b"key", lambda: b"again") == (b"made", True)
    assert cache.size() > 4
    cache.clear()
    assert cache.fetch(b"key", lambda: b"again") == (b"again", False)


@pytest.mark.parametrize("damage", [b"", b"chalkgrad 1\n", b"nothing of ours" * 9])
def test_a_damaged_entry_is_made_again(own_cache: Path, damage: bytes) -> None:
    cache.fetch(b"key", lambda: b"made")
    (entry,) = own_cache.iterdir()
    whole = entry.read_bytes()
    for broken in (damage, whole[:-1], whole[:-1] + b"?"):
        entry.write_bytes(broken)
        assert cache.fetch(b"key", lambda: b"made") == (b"made", False)
        assert cache.fetch(b"key", lambda: b"not made") == (b"made", True)


def test_a_place_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CHALKGRAD_CACHE", str(tmp_path / "file"))
    assert cache.fetch(b"key", lambda: b"made") == (b"made", False)


def test_the_oldest_go_when_there_are_too_many(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LIMIT", 3000)
    for k in range(6):
        cache.fetch(bytes([k]), lambda: b"x" * 1000)
        entries = sorted(own_cache.iterdir(), key=lambda e: e.stat().st_mtime_ns)
        os.utime(entries[-1], ns=(k * 10**9, k * 10**9))
    assert len(list(own_cache.iterdir())) == 2
    assert cache.fetch(bytes([5]), lambda: b"")[1]


def _fetch_many(_: int) -> bool:
    return all(cache.fetch(bytes([k]), lambda k=k: bytes([k]) * 99)[0] == bytes([k]) * 99
               for k in range(40))  # fmt: skip


def test_processes_may_write_at_once(own_cache: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert all(pool.map(_fetch_many, range(3)))
    assert not list(own_cache.glob("*.part"))


# Threads.
def counting(meetings: int) -> jit.Loaded:
    """Each member adds to a counter of its own, and after a barrier checks all the others'."""
    f = Function(
        "program", ["ptr %table", "i64 %member", "i64 %members", "ptr %barrier"], prefix="define"
    )
    mine = f.let("getelementptr i64, ptr %table, i64 %member")
    fault = f.let("getelementptr i64, ptr %table, i64 32")
    with f.loop("0", str(meetings)) as i:
        turn = f.let(f"add i64 {i}, 1")
        f.do(f"store atomic i64 {turn}, ptr {mine} monotonic, align 8")
        f.do("call void @cg.barrier(ptr %barrier, i64 %members)")
        with f.loop("0", "%members") as other:
            theirs = f.let(f"getelementptr i64, ptr %table, i64 {other}")
            seen = f.let(f"load atomic i64, ptr {theirs} monotonic, align 8")
            with f.when(f.let(f"icmp ne i64 {seen}, {turn}")):
                f.do(f"store atomic i64 1, ptr {fault} monotonic, align 8")
        f.do("call void @cg.barrier(ptr %barrier, i64 %members)")
    text = threads.barrier_text(host.detect().triple) + "\n" + f.render()
    return jit.load(jit.compile_text(text, host.detect()), ["program"])


@pytest.mark.parametrize("members", [1, 2, 4, 16])
def test_members_meet_at_barriers(members: int) -> None:
    code = counting(500)
    table, barrier = np.zeros(33, np.int64), np.zeros(16, np.int64)
    threads.Team(members).run(code.address("program"), table.ctypes.data, barrier.ctypes.data)
    assert table.tolist() == [500] * members + [0] * (33 - members)


def test_a_team_serves_many_callers() -> None:
    code = jit.load(jit.compile_text(ADD, host.detect()), ["program"])
    team, table = threads.Team(3), np.zeros(3, np.int64)

    def call() -> None:
        for _ in range(200):
            team.run(code.address("program"), table.ctypes.data, 0)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert table.tolist() == [3 * 800] * 3


def test_a_forked_process_has_a_team_of_its_own() -> None:
    code = jit.load(jit.compile_text(ADD, host.detect()), ["program"])
    team, table = threads.Team(2), np.zeros(2, np.int64)
    team.run(code.address("program"), table.ctypes.data, 0)
    child = os.fork()
    if child == 0:
        team.run(code.address("program"), table.ctypes.data, 0)
        os._exit(0 if table.tolist() == [4, 4] else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(("value", "size"), [("3", 3), ("99", 16), ("none", None)])
def test_the_number_of_threads_is_set_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str, size: int | None
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("CHALKGRAD_THREADS", value)
    assert threads.default_size() == (size or len(os.sched_getaffinity(0)))


def test_text_hoists_and_nests() -> None:
    f = Function("sums", ["ptr %x", "i64 %n"], prefix="define")
    with f.loop("0", "%n") as i:
        with f.loop("0", "4") as j:
            early = f.let("mul i64 %n, 3", level=0)
            late = f.let(f"add i64 {i}, {early}", level=1)
            place = f.let(f"getelementptr i64, ptr %x, i64 {j}")
            held = f.let(f"load i64, ptr {place}")
            f.do(f"store i64 {f.let(f'add i64 {held}, {late}')}, ptr {place}")
        with f.when(f.let(f"icmp eq i64 {i}, 1")):
            f.do("store i64 -1, ptr %x")
    code = jit.load(jit.compile_text(f.render(), host.detect()), ["sums"])
    x = np.zeros(4, np.int64)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(code.address("sums"))(x.ctypes.data, 3)
    assert x.tolist() == [10, 30, 30, 30]


def test_compiled_steps_notice_what_is_changed_outside() -> None:
    weight = cg.ones(2, requires_grad=True)
    optimizer = cg.optim.SGD([weight], lr=1.0)

    @cg.compile
    def step(x: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = (weight * x).sum()
        loss.backward()
        optimizer.step()
        return loss

    x = cg.ones(2)
    assert (step(x).item(), step(x).item()) == (2.0, 0.0)
    with cg.no_grad():
        weight.fill_(5.0)
    assert step(x).item() == 10.0
    optimizer.param_groups[0]["lr"] = 2.0
    step(x)
    assert weight.tolist() == [2.0, 2.0]
    assert "ran 4 times" in step.report()
    assert step.executor == "native, one program a step"


@pytest.mark.parametrize("index", [[1, 7], [5, 0, 0, 0, 0, 0, 0, 0, 0]])
def test_an_index_out_of_range_is_numpy_s_error_and_changes_nothing(index: list[int]) -> None:
    table = cg.nn.Embedding(5, 3)
    optimizer = cg.optim.SGD(table.parameters(), lr=1.0)

    @cg.compile
    def step(rows: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = table(rows).sum()
        loss.backward()
        optimizer.step()
        return loss

    step(cg.tensor([0, 1]))
    before = table.weight.detach().clone()
    with pytest.raises(IndexError, match="out of bounds"):
        step(cg.tensor(index))
    assert cg.equal(table.weight, before)
    step(cg.tensor([4, 4]))
    assert step.executor == "native, one program a step"


def dropping() -> tuple[cg.nn.Module, cg.optim.Optimizer, cg.Tensor]:
    cg.manual_seed(0)
    model = cg.nn.Sequential(cg.nn.Linear(3, 4), cg.nn.Dropout(0.5), cg.nn.Linear(4, 1))
    return model, cg.optim.Adam(model.parameters(), lr=0.1), cg.ones(5, 3)


@pytest.mark.parametrize("executor", ["native", "numpy"])
def test_a_step_begins_anew_with_the_optimizer_s_state(executor: str) -> None:
    model, optimizer, x = dropping()
    model.eval()
    begin = {name: value.clone() for name, value in model.state_dict().items()}
    fresh = optimizer.state_dict()

    @partial(cg.compile, executor=executor)
    def step(x: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    first = step.scan(x, steps=5)
    model.load_state_dict(begin)
    optimizer.load_state_dict(fresh)
    assert cg.equal(step.scan(x, steps=5), first)
    assert "(traced again: the state of Adam has changed)" in step.report()
    assert len(optimizer.state) == 4


def test_training_and_evaluating_are_two_programs() -> None:
    model, _, x = dropping()
    outputs = cg.compile(lambda x: model(x))
    model.train()
    assert not cg.equal(outputs(x), outputs(x))
    model.eval()
    assert cg.allclose(outputs(x), model(x))
    model.train()
    assert not cg.equal(outputs(x), outputs(x))
    assert outputs.report().splitlines() == [
        "1. float32[5, 3]: ran 4 times",
        "2. float32[5, 3]: ran once (traced again: training of Sequential has changed)",
    ]
    model[1].p = 0.0
    assert cg.allclose(outputs(x), model(x))


def test_a_module_is_refused_with_what_to_write() -> None:
    with pytest.raises(TypeError, match="takes a function, and no module such as Linear"):
        cg.compile(cg.nn.Linear(2, 1))
