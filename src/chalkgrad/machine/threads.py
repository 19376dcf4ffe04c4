"""Threads that enter one native function together and share each of its loops.

A call is one native function: it hands the job out, takes part, and waits for the others. An
interrupt (Ctrl-C) can therefore come before it or after it, and never while a member still runs. A
member without a job looks for the next one for some 50 µs, then it sleeps: steps that follow one
another find the team awake, and an idle one takes no processor. Members stay in native code for
good, so that none of this waits for Python's lock.

Inside a call they meet at spin barriers: a third of a microsecond on a quiet machine. Whoever waits
long lets others run.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple
from weakref import WeakSet

from chalkgrad.machine import cache as objects
from chalkgrad.machine import jit
from chalkgrad.machine.host import detect

_POINTER, _NUMBER = ctypes.c_void_p, ctypes.c_int64
_MOST = 16
SPINS = 2000  # looks at the barrier before the processor is offered to others
_CROWDED = 20  # the same where there are more members than processors

BARRIER = f"""
declare i32 @sched_yield()
define internal void @cg.barrier(ptr %barrier, i64 %members) noinline nounwind {{
entry:
  %alone = icmp sle i64 %members, 1
  br i1 %alone, label %done, label %arrive
arrive:
  %turn = getelementptr i8, ptr %barrier, i64 64
  %before = load atomic i64, ptr %turn acquire, align 8
  %own = getelementptr i8, ptr %barrier, i64 72
  %given = load i64, ptr %own, align 8
  %unset = icmp eq i64 %given, 0
  %spins.most = select i1 %unset, i64 {SPINS}, i64 %given
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
  %long = icmp sgt i64 %more, %spins.most
  br i1 %long, label %yield, label %again
yield:
  %0 = call i32 @sched_yield()
  br label %again
again:
  br label %wait
done:
  ret void
}}"""


# A team's memory, in cache lines: the number of the call (written last, read by all); how many have
# finished; the job; a mutex; a condition. The job is function, table, barrier, members.
_BYTES = 384
_LOOKS = 2000  # for the next call, before a member sleeps
_FIELDS = """\
  %finished = getelementptr i8, ptr %team, i64 64
  %job = getelementptr i8, ptr %team, i64 128
  %job.table = getelementptr i8, ptr %team, i64 136
  %job.barrier = getelementptr i8, ptr %team, i64 144
  %job.members = getelementptr i8, ptr %team, i64 152
  %mutex = getelementptr i8, ptr %team, i64 192
  %condition = getelementptr i8, ptr %team, i64 256
"""
TEAM = f"""
declare i32 @sched_yield()
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)

define void @prepare(ptr %team) nounwind {{
{_FIELDS}  %1 = call i32 @pthread_mutex_init(ptr %mutex, ptr null)
  %2 = call i32 @pthread_cond_init(ptr %condition, ptr null)
  ret void
}}

define void @serve(ptr %team, i64 %member) nounwind {{
entry:
{_FIELDS}  br label %next
next:
  %seen = phi i64 [ 0, %entry ], [ %call, %work ]
  br label %look
look:
  %looks = phi i64 [ 0, %next ], [ %more, %pause ], [ %more, %polite ]
  %now = load atomic i64, ptr %team acquire, align 8
  %none = icmp eq i64 %now, %seen
  br i1 %none, label %idle, label %work
idle:
  %more = add i64 %looks, 1
  %long = icmp sgt i64 %more, {_LOOKS}
  br i1 %long, label %sleep, label %pause
pause:
  PAUSE
  %part = and i64 %more, 63
  %turn = icmp eq i64 %part, 0
  br i1 %turn, label %polite, label %look
polite:
  %0 = call i32 @sched_yield()
  br label %look
sleep:
  %1 = call i32 @pthread_mutex_lock(ptr %mutex)
  br label %check
check:
  %then = load atomic i64, ptr %team acquire, align 8
  %same = icmp eq i64 %then, %seen
  br i1 %same, label %doze, label %awake
doze:
  %2 = call i32 @pthread_cond_wait(ptr %condition, ptr %mutex)
  br label %check
awake:
  %3 = call i32 @pthread_mutex_unlock(ptr %mutex)
  br label %work
work:
  %call = add i64 %seen, 1
  %function = load ptr, ptr %job, align 8
  %table = load ptr, ptr %job.table, align 8
  %barrier = load ptr, ptr %job.barrier, align 8
  %members = load i64, ptr %job.members, align 8
  call void %function(ptr %table, i64 %member, i64 %members, ptr %barrier)
  %4 = atomicrmw add ptr %finished, i64 1 release
  br label %next
}}

define void @call(
  ptr %team, ptr %function, ptr %table, ptr %barrier, i64 %members, i64 %patience
) nounwind {{
entry:
{_FIELDS}  store ptr %function, ptr %job, align 8
  store ptr %table, ptr %job.table, align 8
  store ptr %barrier, ptr %job.barrier, align 8
  store i64 %members, ptr %job.members, align 8
  store atomic i64 0, ptr %finished monotonic, align 8
  %absent = icmp eq ptr %barrier, null
  br i1 %absent, label %publish, label %set
set:
  %own = getelementptr i8, ptr %barrier, i64 72
  store i64 %patience, ptr %own, align 8
  br label %publish
publish:
  %0 = call i32 @pthread_mutex_lock(ptr %mutex)
  %before = load atomic i64, ptr %team monotonic, align 8
  %number = add i64 %before, 1
  store atomic i64 %number, ptr %team release, align 8
  %1 = call i32 @pthread_cond_broadcast(ptr %condition)
  %2 = call i32 @pthread_mutex_unlock(ptr %mutex)
  call void %function(ptr %table, i64 0, i64 %members, ptr %barrier)
  %others = sub i64 %members, 1
  br label %wait
wait:
  %looks = phi i64 [ 0, %publish ], [ %more, %pause ], [ %more, %yield ]
  %count = load atomic i64, ptr %finished acquire, align 8
  %all = icmp eq i64 %count, %others
  br i1 %all, label %done, label %pause
pause:
  PAUSE
  %more = add i64 %looks, 1
  %long = icmp sgt i64 %more, %patience
  br i1 %long, label %yield, label %wait
yield:
  %3 = call i32 @sched_yield()
  br label %wait
done:
  ret void
}}"""


def barrier_text(triple: str) -> str:
    """The barrier as LLVM text.

    Its memory, zero at first, is two cache lines: a count; a generation, and how many looks to take
    (0: SPINS).
    """
    return _with_pause(BARRIER, triple)


def _with_pause(text: str, triple: str) -> str:
    """The text with the processor's hint that a loop waits for another one."""
    arm = triple.startswith(("aarch64", "arm64"))
    name, given = ("llvm.aarch64.hint", "i32 1") if arm else ("llvm.x86.sse2.pause", "")
    declared = f"declare void @{name}({'i32' if arm else ''})\n"
    return declared + text.replace("PAUSE", f"call void @{name}({given})")


def default_size() -> int:
    """CHALKGRAD_THREADS, or OMP_NUM_THREADS, or as many processors as this process may use."""
    for name in ("CHALKGRAD_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "")
        if text.isdigit() and int(text) > 0:
            return min(int(text), _MOST)
    return max(1, min(_processors(), _MOST))


def _processors() -> int:
    """How many processors this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return usable or 1


class _Native(NamedTuple):
    """The functions of TEAM, and what holds them in memory."""

    code: jit.Loaded
    prepare: Callable[..., Any]
    serve: Callable[..., Any]
    call: Callable[..., Any]


@cache
def _native() -> _Native:
    host = detect()
    text = _with_pause(TEAM, host.triple)
    key = repr((text, host)).encode() + jit.maker()
    payload, _ = objects.fetch(key, lambda: jit.compile_text(text, host))
    code = jit.load(payload, ["prepare", "serve", "call"])
    kinds: dict[str, list[Any]] = {
        "prepare": [_POINTER],
        "serve": [_POINTER, _NUMBER],
        "call": [_POINTER, _POINTER, _POINTER, _POINTER, _NUMBER, _NUMBER],
    }
    made = {n: ctypes.CFUNCTYPE(None, *kind)(code.address(n)) for n, kind in kinds.items()}
    return _Native(code, made["prepare"], made["serve"], made["call"])


@lru_cache(256)
def _function(address: int) -> Callable[..., Any]:
    return ctypes.CFUNCTYPE(None, _POINTER, _NUMBER, _NUMBER, _POINTER)(address)


class Team:
    """Threads that run one native function at a time, together with the thread that calls."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.forget()
        _TEAMS.add(self)

    def forget(self) -> None:
        """Begin anew with the next call: in a forked process the threads are gone."""
        self._busy = threading.Lock()
        self._place = 0

    def run(self, address: int, table: int, barrier: int) -> None:
        """Every member calls `void f(table, member, members, barrier)`; back when all are."""
        if self.size == 1:
            _function(address)(table, 0, 1, barrier)
            return
        with self._busy:
            place = self._place or self._start()
            patience = SPINS if self.size <= _processors() else _CROWDED
            _native().call(place, address, table, barrier, self.size, patience)

    def _start(self) -> int:
        """Make the members' threads. They exist for this team only once all do."""
        native = _native()
        memory = ctypes.create_string_buffer(_BYTES + 64)
        place = (ctypes.addressof(memory) + 63) & -64
        native.prepare(place)
        for member in range(1, self.size):
            threading.Thread(
                target=_serve, args=(native, memory, place, member), name=f"chalkgrad-{member}",
                daemon=True,
            ).start()  # fmt: skip
        self._place = place
        return place


def _serve(native: _Native, memory: object, place: int, member: int) -> None:
    """A member's life. Its frame holds the code and the memory that it waits in."""
    native.serve(place, member)


_TEAMS: WeakSet[Team] = WeakSet()


def _after_fork() -> None:
    for each in list(_TEAMS):
        each.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@cache
def team(size: int) -> Team:
    """The team of a size."""
    return Team(size)
