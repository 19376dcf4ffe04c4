"""One engine training one case in a process of its own: the far end of a pipe.

The threads' number has to be set before an engine is imported, and engines disturb each other
within one process; so `Worker` starts a fresh interpreter, which serves until it is told to stop.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from benchmarks.cases import CASES
from benchmarks.engines import ENGINES
from benchmarks.machine import bind, with_threads


@dataclass(frozen=True)
class Ready:
    """One chunk is trained: what that took, compiling included, and the loss after it."""

    seconds: float
    loss: float


class EngineFailed(Exception):
    """The engine's process raised; the message is what it said."""


def _serve(pipe: Connection, engine: str, case: str, threads: int) -> None:
    """Reply to each number of steps with the seconds that they took; stop at 0."""
    bind(threads)
    try:
        start = perf_counter()
        training = ENGINES[engine].prepare(CASES[case])
        training(CASES[case].chunk)
        pipe.send(Ready(perf_counter() - start, training.loss()))
        while steps := pipe.recv():
            start = perf_counter()
            training(steps)
            pipe.send(perf_counter() - start)
    except Exception as error:
        pipe.send(EngineFailed(f"{type(error).__name__}: {error}"))


class Worker:
    """The near end: start an engine, ask it for seconds, close it."""

    def __init__(self, engine: str, case: str, threads: int) -> None:
        os.environ.update(with_threads(threads))
        context = get_context("spawn")
        self._pipe, far = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(far, engine, case, threads), daemon=True
        )
        self._process.start()
        far.close()
        self.chunk = CASES[case].chunk
        try:
            self.ready: Ready = self._receive()
        except EngineFailed:
            self.close()
            raise

    def seconds(self, steps: int) -> float:
        with suppress(BrokenPipeError):  # that it died is what _receive says
            self._pipe.send(steps)
        answer: float = self._receive()
        return answer

    def steps_lasting(self, seconds: float) -> int:
        """How many steps, in whole chunks, take about so long."""
        self.seconds(self.chunk)  # warm
        each = min(self.seconds(self.chunk) for _ in range(2))
        return self.chunk * max(1, round(seconds / each))

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self._pipe.send(0)
        self._process.join(timeout=10)

    def _receive(self) -> Any:
        try:
            answer = self._pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join(timeout=10)
            raise EngineFailed(f"its process died (exit {self._process.exitcode})") from None
        if isinstance(answer, EngineFailed):
            raise answer
        return answer
