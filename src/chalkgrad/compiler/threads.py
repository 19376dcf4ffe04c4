"""Threads that enter one native function together and share each of its loops.

A team's members sleep between calls, each on a lock of its own. Inside a call they meet at spin
barriers: a third of a microsecond on a quiet machine. Whoever waits long lets others run.
"""

from __future__ import annotations

import ctypes
import os
import threading
from functools import cache

_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
_MOST = 16
SPINS = 2000  # looks at the barrier before the processor is offered to others

BARRIER = f"""
declare i32 @sched_yield()
define internal void @cg.barrier(ptr %barrier, i64 %members) noinline nounwind {{
entry:
  %alone = icmp sle i64 %members, 1
  br i1 %alone, label %done, label %arrive
arrive:
  %turn = getelementptr i8, ptr %barrier, i64 64
  %before = load atomic i64, ptr %turn acquire, align 8
  %count = atomicrmw add ptr %barrier, i64 1 acq_rel
  %mine = add i64 %count, 1
  %last = icmp eq i64 %mine, %members
  br i1 %last, label %open, label %wait
open:
  store atomic i64 0, ptr %barrier monotonic, align 8
  %next = add i64 %before, 1
  store atomic i64 %next, ptr %turn release, align 8
  br label %done
wait:
  %spins = phi i64 [ 0, %arrive ], [ %more, %again ]
  %now = load atomic i64, ptr %turn acquire, align 8
  %still = icmp eq i64 %now, %before
  br i1 %still, label %pause, label %done
pause:
  PAUSE
  %more = add i64 %spins, 1
  %long = icmp sgt i64 %more, {SPINS}
  br i1 %long, label %yield, label %again
yield:
  %0 = call i32 @sched_yield()
  br label %again
again:
  br label %wait
done:
  ret void
}}"""


def barrier_text(triple: str) -> str:
    """The barrier as LLVM text: its memory is two cache lines, a count and a generation."""
    arm = triple.startswith(("aarch64", "arm64"))
    name, given = ("llvm.aarch64.hint", "i32 1") if arm else ("llvm.x86.sse2.pause", "")
    declared = f"declare void @{name}({'i32' if arm else ''})\n"
    return declared + BARRIER.replace("PAUSE", f"call void @{name}({given})")


def default_size() -> int:
    """CHALKGRAD_THREADS, or OMP_NUM_THREADS, or as many processors as this process may use."""
    for name in ("CHALKGRAD_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "")
        if text.isdigit() and int(text) > 0:
            return min(int(text), _MOST)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(usable or 1, _MOST))


class Team:
    """Threads that run one native function at a time, together with the thread that calls."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._busy = threading.Lock()
        self._wake: list[threading.Lock] = []
        self._done: list[threading.Lock] = []
        self._job: tuple[int, int, int] = (0, 0, 0)
        self._process = 0

    def run(self, address: int, table: int, barrier: int) -> None:
        """Every member calls `void f(table, member, members, barrier)`; back when all are."""
        if self.size == 1:
            _FUNCTION(address)(table, 0, 1, barrier)
            return
        with self._busy:
            if self._process != os.getpid():
                self._start()
            self._job = address, table, barrier
            for lock in self._wake:
                lock.release()
            _FUNCTION(address)(table, 0, self.size, barrier)
            for lock in self._done:
                lock.acquire()

    def _start(self) -> None:
        """The members' threads; after a fork they are gone and begin anew."""
        self._process = os.getpid()
        self._wake = [_held() for _ in range(self.size - 1)]
        self._done = [_held() for _ in range(self.size - 1)]
        for member in range(1, self.size):
            threading.Thread(
                target=self._serve, args=(member,), name=f"chalkgrad-{member}", daemon=True
            ).start()

    def _serve(self, member: int) -> None:
        wake, done = self._wake[member - 1], self._done[member - 1]
        while True:
            wake.acquire()
            address, table, barrier = self._job
            _FUNCTION(address)(table, member, self.size, barrier)
            done.release()


def _held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@cache
def team(size: int) -> Team:
    """The team of a size."""
    return Team(size)
