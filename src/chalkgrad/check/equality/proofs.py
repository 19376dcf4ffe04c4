"""Proofs by sympy, in a process of its own that is used again and ended where it is too slow."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from chalkgrad.check.equality.precise import written
from chalkgrad.formulas import Call, Expression, Name, Number

PROGRAM = Path(__file__).with_name("prover.py")
SECONDS, START_SECONDS = 1.0, 20.0
LONGEST = 2000  # tokens of a question
FAILURES = 2  # starts that fail before nothing more is tried

# What the other end understands; a formula with another function is not asked about.
FUNCTIONS = frozenset((
    "add", "subtract", "multiply", "divide", "negative", "reciprocal", "square", "power", "sum",
    "prod", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "sigmoid", "erf", "relu", "absolute", "max", "min", "maximum", "minimum",
))  # fmt: skip


class Prover:
    """The process, and the conversation with it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.answers: SimpleQueue[str] = SimpleQueue()
        self.failures = 0
        self.lock = Lock()

    def proves_zero(self, formula: Expression, seconds: float = SECONDS) -> bool:
        """Does the formula vanish everywhere? False: no proof was found in time."""
        tokens = postfix(formula)
        if tokens is None:
            return False
        with self.lock:
            return self.started() and self.ask(json.dumps(tokens), seconds) == "true"

    def ask(self, question: str, seconds: float) -> str:
        assert self.process is not None
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(question + "\n")
            self.process.stdin.flush()
            return self.answers.get(timeout=seconds)
        except (Empty, OSError):
            self.stop()
            return ""

    def started(self) -> bool:
        if self.process is not None and self.process.poll() is None:
            return True
        self.stop()
        if self.failures >= FAILURES or not sys.executable:
            return False
        self.answers = SimpleQueue()
        with suppress(OSError):
            self.process = subprocess.Popen(
                [sys.executable, "-P", str(PROGRAM)],  # -P: its folder is not searched for modules
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True,
            )  # fmt: skip
            Thread(target=listen, args=(self.process, self.answers), daemon=True).start()
            with suppress(Empty):
                if self.answers.get(timeout=START_SECONDS) == "ready":
                    return True
        self.failures += 1
        self.stop()
        return False

    def stop(self) -> None:
        """End the process, if there is one."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()


def listen(process: subprocess.Popen[str], answers: SimpleQueue[str]) -> None:
    """Lines of the process, as they come; an empty one when it has ended."""
    assert process.stdout is not None
    with suppress(OSError, ValueError):
        for line in process.stdout:
            answers.put(line.strip())
    answers.put("")


def postfix(formula: Expression) -> list[list[Any]] | None:
    """The formula as the other end reads it, or None where it is too long or not known there."""
    tokens: list[list[Any]] = []
    symbols: dict[str, int] = {}
    work: list[tuple[Expression, bool]] = [(formula, False)]
    while work:
        part, ready = work.pop()
        if isinstance(part, Number):
            tokens.append(["n", _fraction(written(part))])
        elif isinstance(part, Name):
            tokens.append(["x", symbols.setdefault(part.text, len(symbols))])
        elif isinstance(part, Call) and part.function in FUNCTIONS:
            if ready:
                tokens.append(["c", part.function, len(part.arguments)])
            else:
                work.append((part, True))
                work += [(argument, False) for argument in reversed(part.arguments)]
        else:
            return None
        if len(tokens) + len(work) > LONGEST:
            return None
    return tokens


def _fraction(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


PROVER = Prover()
atexit.register(PROVER.stop)
