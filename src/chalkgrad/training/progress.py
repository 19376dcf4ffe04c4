"""Progress, on stderr: a bar on a terminal, one line an epoch elsewhere, one row in a notebook."""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from chalkgrad.training.history import History, sparkline

_HIDDEN = ("seconds", "learning_rate")


def describe(row: dict[str, float]) -> str:
    """'loss 0.1234  accuracy 0.97'"""
    return "  ".join(f"{key} {value:.4g}" for key, value in row.items() if key not in _HIDDEN)


class Silent:
    """verbose=0"""

    def start(self, epochs: int, done: int) -> None: ...
    def epoch(self, number: int, history: History) -> None: ...
    def end(self, message: str) -> None: ...


class Lines(Silent):
    """One line an epoch. `every` thins the lines of long runs; the last epoch is always shown."""

    def __init__(self, every: float = 0.0) -> None:
        self.every = every
        self.shown_at = -1e9
        self.pending = ""
        self.epochs = 0

    def start(self, epochs: int, done: int) -> None:
        self.epochs = epochs

    def epoch(self, number: int, history: History) -> None:
        line = f"epoch {number}/{self.epochs}  {describe(history.row(number))}"
        now = time.monotonic()
        if now - self.shown_at >= self.every:
            print(line, file=sys.stderr, flush=True)
            self.shown_at, self.pending = now, ""
        else:
            self.pending = line

    def end(self, message: str) -> None:
        if self.pending:
            print(self.pending, file=sys.stderr)
        if message:
            print(message, file=sys.stderr, flush=True)


class Bar(Silent):
    """A bar that Rich redraws at most five times a second."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
            BarColumn(bar_width=24),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=5,
        )

    def start(self, epochs: int, done: int) -> None:
        self.progress.start()
        self.task = self.progress.add_task("", total=epochs, completed=done)

    def epoch(self, number: int, history: History) -> None:
        text = f"{describe(history.row(number))}  {sparkline(history['loss'], 12)}"
        self.progress.update(self.task, completed=number, description=text)

    def end(self, message: str) -> None:
        self.progress.stop()
        if message:
            self.progress.console.print(message, highlight=False)


class Row(Silent):
    """One row of a notebook's output, rewritten in place at most five times a second."""

    def __init__(self, display: Any) -> None:
        self.handle = display
        self.shown_at = -1e9
        self.epochs = 0

    def start(self, epochs: int, done: int) -> None:
        self.epochs = epochs
        self.handle.display({"text/plain": "training …"}, raw=True)

    def epoch(self, number: int, history: History) -> None:
        self.text = f"epoch {number}/{self.epochs}  {describe(history.row(number))}  {sparkline(history['loss'])}"
        if time.monotonic() - self.shown_at >= 0.2:
            self.handle.update({"text/plain": self.text}, raw=True)
            self.shown_at = time.monotonic()

    def end(self, message: str) -> None:
        self.handle.update({"text/plain": f"{getattr(self, 'text', '')}\n{message}".strip()}, raw=True)


def reporter(verbose: int) -> Silent:
    """What `verbose` asks for in this place: 0 nothing, 1 a bar, lines or a row, 2 every epoch's line."""
    if verbose <= 0:
        return Silent()
    notebook = _notebook()
    if notebook is not None and verbose == 1:
        return Row(notebook)
    console = Console(stderr=True)
    if verbose == 1 and console.is_terminal:
        return Bar(console)
    return Lines()


def _notebook() -> Any:
    """A display handle, inside a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return sys.modules["IPython"].display.DisplayHandle()
