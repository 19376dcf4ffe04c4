"""Progress, on stderr: a bar on a terminal, one line an epoch elsewhere, one row in a notebook."""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from chalkgrad.training.history import History, sparkline

_HIDDEN = ("seconds", "learning_rate")
_PAUSE = 0.1  # seconds between two drawings: an epoch of a small model takes 50 µs


def describe(row: dict[str, float]) -> str:
    """'loss 0.1234  accuracy 0.97'"""
    return "  ".join(f"{key} {value:.4g}" for key, value in row.items() if key not in _HIDDEN)


class Silent:
    """verbose=0"""

    def start(self, epochs: int, done: int) -> None:
        """A run of so many epochs begins, or goes on after some that are done."""

    def epoch(self, number: int, history: History) -> None:
        """An epoch has ended."""

    def end(self, message: str) -> None:
        """The run is over; `message` is '' where it was broken off."""


class Lines(Silent):
    """One line an epoch."""

    def start(self, epochs: int, done: int) -> None:
        self.epochs = epochs

    def epoch(self, number: int, history: History) -> None:
        line = f"epoch {number}/{self.epochs}  {describe(history.row(number))}"
        print(line, file=sys.stderr, flush=True)

    def end(self, message: str) -> None:
        if message:
            print(message, file=sys.stderr, flush=True)


class Drawing(Silent):
    """Something that is drawn again and again in one place."""

    def __init__(self) -> None:
        self.drawn_at = -_PAUSE
        self.latest: tuple[int, History] | None = None

    def draw(self, number: int, history: History) -> None:
        """Show an epoch."""

    def epoch(self, number: int, history: History) -> None:
        self.latest = number, history
        now = time.monotonic()
        if now - self.drawn_at >= _PAUSE:
            self.drawn_at = now
            self.draw(number, history)

    def end(self, message: str) -> None:
        if self.latest is not None:
            self.draw(*self.latest)


class Bar(Drawing):
    """A bar of Rich."""

    def __init__(self, console: Console) -> None:
        super().__init__()
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

    def draw(self, number: int, history: History) -> None:
        text = f"{describe(history.row(number))}  {sparkline(history['loss'], 12)}"
        self.progress.update(self.task, completed=number, description=text)

    def end(self, message: str) -> None:
        super().end(message)
        self.progress.stop()
        if message:
            self.progress.console.print(message, highlight=False, markup=False, soft_wrap=True)


class Row(Drawing):
    """One row of a notebook's output."""

    def __init__(self, handle: Any) -> None:
        super().__init__()
        self.handle = handle
        self.text = "training …"

    def start(self, epochs: int, done: int) -> None:
        self.epochs = epochs
        self.handle.display({"text/plain": self.text}, raw=True)

    def draw(self, number: int, history: History) -> None:
        row = describe(history.row(number))
        self.text = f"epoch {number}/{self.epochs}  {row}  {sparkline(history['loss'])}"
        self.handle.update({"text/plain": self.text}, raw=True)

    def end(self, message: str) -> None:
        super().end(message)
        if message:
            self.handle.update({"text/plain": f"{self.text}\n{message}"}, raw=True)


def reporter(verbose: int) -> Silent:
    """What `verbose` asks for here: 0 nothing, 1 a bar, lines or a row, 2 every epoch's line."""
    if verbose <= 0:
        return Silent()
    if verbose == 1:
        handle = _notebook()
        if handle is not None:
            return Row(handle)
        console = Console(stderr=True)
        if console.is_terminal:
            return Bar(console)
    return Lines()


def _notebook() -> Any:
    """A display handle, inside a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return sys.modules["IPython.display"].DisplayHandle()
