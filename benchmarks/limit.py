"""What this processor could do at most, and the least time that a case's step can take.

    floor = (products' floating-point operations) / peak + (optimizer's memory traffic) / bandwidth

The peak is that of multiplications and additions in registers alone; the bandwidth is that of
multiplying an array in place which is as large as the case's optimizer state, so that it lies in
the same level of cache. Both run through the compiler's own machinery, on one thread or several:

    python -m benchmarks.limit --threads 2

Not counted are what follows a product (activations, losses), the arithmetic of the update, and
whatever a step must wait for. So no program reaches its floor, and a tiny network, whose step
waits from one operation to the next, comes nowhere near.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.cases import CASES, CHANNELS, SIDE, Case, weight_shapes
from benchmarks.machine import bind, with_threads
from chalkgrad.machine import host, jit
from chalkgrad.machine.text import Function
from chalkgrad.machine.threads import team

ROOT = Path(__file__).parents[1]
# The best of many short measurements counts: on a machine with other guests, a long one never has
# every processor for itself.
_SECONDS = 0.004
_RUNS = 100
_SPREAD = 4  # vectors of the array in one turn of the loop


# What a step needs.
def operations(case: Case) -> float:
    """Of the products of one step: forward, towards the weights and, but for the first layer,
    towards the input; a multiplication and an addition are two."""
    total = 0.0
    for layer, shape in enumerate(weight_shapes(case)):
        places = SIDE**2 // 4**layer if case.kind == "cnn" and layer < len(CHANNELS) - 1 else 1
        passes = 2 if layer == 0 else 3
        total += passes * 2.0 * case.batch * places * float(np.prod(shape))
    return total


def parameters(case: Case) -> int:
    """Weights and biases."""
    return sum(int(np.prod(shape)) + shape[0] for shape in weight_shapes(case))


def state_bytes(case: Case) -> int:
    """What an update reads, and writes again: the parameters and, for Adam, two moments each."""
    return 4 * parameters(case) * (3 if case.optimizer == "adam" else 1)


def floor(case: Case, limits: dict[str, Any]) -> float:
    """The least time of a step in µs, by what `measure` found."""
    arithmetic: float = operations(case) / (1e3 * limits["gflops"])
    traffic: float = 2 * state_bytes(case) / (1e3 * limits["gigabytes"][case.name])
    return arithmetic + traffic


# What the processor gives.
def measure(threads: int) -> dict[str, Any]:
    """Peak in GFLOP/s, of all threads and of one, and for each case GB/s read and written."""
    command = [sys.executable, "-m", "benchmarks.limit", "--threads", str(threads)]
    run = subprocess.run(
        command, check=True, cwd=ROOT, env=with_threads(threads), capture_output=True
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def main() -> None:
    made = argparse.ArgumentParser(prog="benchmarks.limit")
    made.add_argument("--threads", type=int, default=1)
    threads: int = made.parse_args().threads
    bind(threads)
    kernels = Kernels(threads)
    sizes = {name: state_bytes(case) for name, case in CASES.items()}
    found = {
        "gflops": round(kernels.gflops(), 1),
        "gflops_of_one": round(Kernels(1).gflops(), 1),
        "gigabytes": {name: round(kernels.gigabytes(size), 1) for name, size in sizes.items()},
    }
    print(json.dumps(found))


class Kernels:
    """Two loops as machine code, which every thread of a team runs at once."""

    def __init__(self, threads: int) -> None:
        self.host, self.threads, self.team = host.detect(), threads, team(threads)
        self.lanes = self.host.vector // 4
        self.accumulators = self.host.registers - 4  # two hold the operands
        made = "\n".join([self._multiply(), self._scale()])
        self.loaded = jit.load(jit.compile_text(made, self.host), ["multiply", "scale"])

    def gflops(self) -> float:
        """y ← y·x + 1 on as many registers as hide the latency; nothing touches memory."""
        each = 2.0 * self.accumulators * self.lanes * self.threads
        sink = np.zeros(self.lanes * self.threads, np.float32)
        return each * self._turns("multiply", 0, sink) / 1e9

    def gigabytes(self, size: int) -> float:
        """x ← x·1 on `size` bytes, each of which is read and written; the threads share them.

        No less than 16 KiB a thread: below, the loop's beginning and end would be measured."""
        block = _SPREAD * self.host.vector
        share = -(-max(size // self.threads, 16 << 10) // block) * block
        array = np.zeros(share * self.threads // 4 + 16, np.float32)
        start = -array.__array_interface__["data"][0] % 64 // 4
        return 2.0 * share * self.threads * self._turns("scale", share // 4, array[start:]) / 1e9

    def _turns(self, name: str, count: int, array: Any) -> float:
        """Turns a second: the best of several runs."""
        table = np.array([1, count, array.__array_interface__["data"][0]], np.int64)
        best, turns = 0.0, 1
        for _ in range(_RUNS):
            seconds = self._seconds(name, table, turns)
            while seconds < _SECONDS:
                turns = max(2 * turns, int(1.2 * turns * _SECONDS / seconds))
                seconds = self._seconds(name, table, turns)
            best = max(best, turns / seconds)
        return best

    def _seconds(self, name: str, table: Any, turns: int) -> float:
        table[0] = turns
        start = perf_counter()
        self.team.run(self.loaded.address(name), table.__array_interface__["data"][0], 0)
        return perf_counter() - start

    def _multiply(self) -> str:
        """for turn in range(table[0]): every accumulator ← accumulator·x + 1"""
        wide, count = f"<{self.lanes} x float>", self.accumulators
        f = _entered("multiply")
        rooms = [f.room(wide) for _ in range(count)]  # registers, once LLVM has seen them
        x = _hidden(f, wide, "0.5")
        for room in rooms:
            f.do(f"store {wide} zeroinitializer, ptr {room}, align 64")
        one = "splat (float 1.0)"
        with f.loop("0", "%turns"):
            for room in rooms:
                y = f.let(f"load {wide}, ptr {room}, align 64")
                if self.host.fma:
                    of = f"{wide} {y}, {wide} {x}, {wide} {one}"
                    y = f.let(f"call {wide} @llvm.fma.v{self.lanes}f32({of})")
                else:
                    y = f.let(f"fadd {wide} {f.let(f'fmul {wide} {y}, {x}')}, {one}")
                f.do(f"store {wide} {y}, ptr {room}, align 64")
        total = f.let(f"load {wide}, ptr {rooms[0]}, align 64")
        for room in rooms[1:]:
            y = f.let(f"load {wide}, ptr {room}, align 64")
            total = f.let(f"fadd {wide} {total}, {y}")
        sink = f.let(f"getelementptr {wide}, ptr %array, i64 %member")
        f.do(f"store {wide} {total}, ptr {sink}, align 4")
        declared = f"declare {wide} @llvm.fma.v{self.lanes}f32({wide}, {wide}, {wide})"
        return f"{declared}\n{f.render()}"

    def _scale(self) -> str:
        """for turn in range(table[0]): my part of the array ← my part · 1"""
        wide = f"<{self.lanes} x float>"
        f = _entered("scale")
        first = f.let("mul i64 %member, %count")
        mine = f.let(f"getelementptr float, ptr %array, i64 {first}")
        one = _hidden(f, wide, "1.0")
        with f.loop("0", "%turns"), f.loop("0", "%count", _SPREAD * self.lanes) as i:
            for part in range(_SPREAD):
                at = f.let(f"add nsw i64 {i}, {part * self.lanes}")
                place = f.let(f"getelementptr float, ptr {mine}, i64 {at}")
                value = f.let(f"load {wide}, ptr {place}, align 64")
                f.do(f"store {wide} {f.let(f'fmul {wide} {value}, {one}')}, ptr {place}, align 64")
        return f.render()


def _hidden(f: Function, kind: str, number: str) -> str:
    """A constant that the optimizer takes for a variable."""
    room = f.room(kind)
    f.do(f"store volatile {kind} splat (float {number}), ptr {room}, align 64")
    return f.let(f"load volatile {kind}, ptr {room}, align 64")


def _entered(name: str) -> Function:
    """A function of a team; its table holds the turns, a count and an array."""
    entry = ["ptr %table", "i64 %member", "i64 %members", "ptr %barrier"]
    f = Function(name, entry, prefix="define")
    f.do("%turns = load i64, ptr %table")
    f.do("%at1 = getelementptr i64, ptr %table, i64 1")
    f.do("%count = load i64, ptr %at1")
    f.do("%at2 = getelementptr i64, ptr %table, i64 2")
    f.do("%array = load ptr, ptr %at2")
    return f


if __name__ == "__main__":
    main()
