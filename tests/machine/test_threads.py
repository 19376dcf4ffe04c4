"""Teams: barriers hold, and interrupts, forks and crowds do no harm."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from chalkgrad.machine import jit, threads
from chalkgrad.machine.host import detect
from tests.machine.test_machinery import counting

# Each member is busy for a few milliseconds, then it counts that it has finished.
SLOW = """
define void @program(ptr %table, i64 %member, i64 %members, ptr %barrier) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %more, %loop ]
  %more = add i64 %i, 1
  %clock = getelementptr i64, ptr %table, i64 8
  store volatile i64 %i, ptr %clock
  %go = icmp slt i64 %more, 1000000
  br i1 %go, label %loop, label %done
done:
  %own = getelementptr i64, ptr %table, i64 %member
  %old = load i64, ptr %own
  %new = add i64 %old, 1
  store i64 %new, ptr %own
  ret void
}"""
START = f"""
import os, signal, threading, time
import numpy as np
from chalkgrad.machine import jit, threads
from chalkgrad.machine.host import detect
code = jit.load(jit.compile_text({SLOW!r}, detect()), ["program"])
team, table = threads.Team(3), np.zeros(16, np.int64)
def call(): team.run(code.address("program"), table.ctypes.data, 0)
call()
"""


def said(code: str) -> str:
    """What a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START + code], capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def test_an_interrupt_leaves_no_member_behind() -> None:
    """Whenever Ctrl-C comes, a call has been made by all members or by none."""
    code = """
stop = False
def poke():
    for _ in range(60):
        time.sleep(0.004)
        os.kill(os.getpid(), signal.SIGINT)
    global stop
    stop = True
poker = threading.Thread(target=poke)
hits = uneven = 0
poker.start()
while not stop:
    try:
        call()
    except KeyboardInterrupt:
        hits += 1
        counts = table[:3].copy()
        uneven += len(set(counts)) > 1
signal.signal(signal.SIGINT, signal.SIG_IGN)
poker.join()
call()
print(hits > 5, uneven, len(set(table[:3])))
"""
    assert said(code) == "True 0 1\n"


def test_a_process_forked_during_a_call_has_a_team() -> None:
    code = """
stop = False
def work():
    while not stop: call()
worker = threading.Thread(target=work)
worker.start()
ended = []
for _ in range(5):
    time.sleep(0.003)
    child = os.fork()
    if not child:
        signal.alarm(20)
        table[:] = 0
        call()
        os._exit(0 if table[:3].tolist() == [1, 1, 1] else 1)
    ended.append(os.waitpid(child, 0)[1])
stop = True
worker.join()
print(ended)
"""
    assert said(code) == "[0, 0, 0, 0, 0]\n"


def test_a_process_ends_while_its_team_waits() -> None:
    assert said("call()\nprint('ended')") == "ended\n"


def test_an_idle_team_takes_no_processor() -> None:
    code = jit.load(jit.compile_text(SLOW, detect()), ["program"])
    team, table = threads.Team(4), np.zeros(16, np.int64)
    team.run(code.address("program"), table.ctypes.data, 0)
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.1  # three members that look take up to a second


@pytest.mark.parametrize("pause", [0.0, 0.0002, 0.005])
def test_members_come_from_looking_and_from_sleep(pause: float) -> None:
    code = counting(3)
    team = threads.Team(2)
    for _ in range(60):
        table, barrier = np.zeros(33, np.int64), np.zeros(16, np.int64)
        team.run(code.address("program"), table.ctypes.data, barrier.ctypes.data)
        assert table[:2].tolist() == [3, 3]
        assert table[32] == 0
        time.sleep(pause)


def test_a_crowd_does_not_stall() -> None:
    """Sixteen members at 2000 barriers on few processors: each offers its own to the others."""
    code = counting(1000)
    table, barrier = np.zeros(33, np.int64), np.zeros(16, np.int64)
    start = time.perf_counter()
    threads.Team(16).run(code.address("program"), table.ctypes.data, barrier.ctypes.data)
    assert table.tolist() == [1000] * 16 + [0] * 17
    assert time.perf_counter() - start < 20


def test_members_of_one_team_are_made_once() -> None:
    assert threads.team(2) is threads.team(2)
    assert threads.team(2).size == 2


@pytest.mark.parametrize(
    ("triple", "hint"),
    [("x86_64-unknown-linux-gnu", "@llvm.x86.sse2.pause()"),
     ("arm64-apple-darwin24.1.0", "@llvm.aarch64.hint(i32 1)")],
)  # fmt: skip
def test_waiting_is_told_to_the_processor(triple: str, hint: str) -> None:
    assert f"call void {hint}" in threads.barrier_text(triple)
    assert "PAUSE" not in threads.barrier_text(triple)


def test_what_is_made_otherwise_is_made_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A release that makes other bytes of the same text does not take those of the one before."""
    monkeypatch.setenv("CHALKGRAD_CACHE", str(tmp_path))
    for name in (b"one", b"one", b"another"):
        monkeypatch.setattr(jit, "maker", lambda name=name: name)
        assert threads._native.__wrapped__().code.address("serve")
    assert len([*tmp_path.glob("*.bin")]) == 2
