"""Progress goes to stderr: lines, a bar on a terminal, a row in a notebook, or nothing."""

from __future__ import annotations

import io
import os
import pty
import select
import sys
import types
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import chalkgrad as cg
from chalkgrad.training import progress
from chalkgrad.training.history import History

X = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]


def fit(verbose: int = 1, epochs: int = 3, **options: Any) -> History:
    cg.manual_seed(0)
    return cg.fit(
        cg.nn.Linear(1, 1), X, 2 * X, loss="mse", epochs=epochs, verbose=verbose, **options
    )


@pytest.mark.parametrize("verbose", [1, 2])
def test_one_line_an_epoch(capsys: pytest.CaptureFixture[str], verbose: int) -> None:
    history = fit(verbose, validation=0.2, metrics=["mae"])
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 4
    row = history.row(2)
    shown = "  ".join(f"{key} {row[key]:.4g}" for key in ("loss", "mae", "val_loss", "val_mae"))
    assert lines[1] == f"epoch 2/3  {shown}"
    assert lines[3].startswith("all 3 epochs done; the model has the weights of epoch 3 (val_loss")


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    fit(verbose=0)
    assert capsys.readouterr() == ("", "")


def test_a_run_that_goes_on_counts_on(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    fit(checkpoint=tmp_path / "c")
    capsys.readouterr()
    fit(checkpoint=tmp_path / "c", resume=True, epochs=5)
    assert [line.split("  ")[0] for line in capsys.readouterr().err.splitlines()[:-1]] == [
        "epoch 4/5", "epoch 5/5",
    ]  # fmt: skip


def bar(epochs: int, message: str = "done [really]") -> str:
    screen = io.StringIO()
    shown = progress.Bar(Console(file=screen, force_terminal=True, width=100))
    history = History()
    shown.start(epochs, 0)
    for k in range(epochs):
        history.append({"loss": 1 / (k + 1), "seconds": 0.0})
        shown.epoch(k + 1, history)
    shown.end(message)
    return screen.getvalue()


def test_a_bar_on_a_terminal_ends_with_the_last_epoch() -> None:
    text = bar(500)
    assert "epoch 500/500" in text
    assert "loss 0.002" in text
    assert text.rstrip().endswith("done [really]")


def test_a_bar_costs_little_where_epochs_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(progress.Bar, "draw", lambda self, number, history: drawn.append(number))
    monkeypatch.setattr(progress.time, "monotonic", iter(np.arange(0, 1, 0.001)).__next__)
    bar(500)
    assert len(drawn) == 6  # ten a second, and the last one
    assert drawn[-1] == 500


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
def test_a_real_terminal_gets_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    main, side = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with os.fdopen(side, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert isinstance(progress.reporter(1), progress.Bar)
        assert isinstance(progress.reporter(2), progress.Lines)
        fit()
        terminal.flush()
        shown = ""
        while select.select([main], [], [], 0)[0]:
            shown += os.read(main, 100_000).decode()
    os.close(main)
    assert "epoch 3/3" in shown
    assert "all 3 epochs done; the model has the weights of epoch 3" in shown


def test_a_notebook_gets_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, str]] = []

    class Handle:
        def display(self, data: dict[str, str], raw: bool) -> None:
            calls.append(("display", data["text/plain"]))

        def update(self, data: dict[str, str], raw: bool) -> None:
            calls.append(("update", data["text/plain"]))

    display = types.SimpleNamespace(DisplayHandle=Handle)
    shell = types.SimpleNamespace(kernel=object())
    ipython = types.SimpleNamespace(get_ipython=lambda: shell, display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    fit(epochs=30)
    assert calls[0] == ("display", "training …")
    assert [kind for kind, _ in calls[1:]] == ["update"] * (len(calls) - 1)
    row, message = calls[-1][1].split("\n")
    assert row.startswith("epoch 30/30  loss ")
    assert message.startswith("all 30 epochs done; the model has the weights of epoch 30")
    calls.clear()
    shell.__dict__.clear()  # IPython in a terminal is no notebook
    assert isinstance(progress.reporter(1), progress.Lines)


def test_a_run_that_fails_leaves_the_terminal_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=90)
    )

    def fail(history: History) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fit(callbacks=[fail])
    assert (
        screen.getvalue().endswith("\x1b[?25h") or "\x1b[?25h" in screen.getvalue()
    )  # cursor back
