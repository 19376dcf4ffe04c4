"""What a history says: keys, rows, table, curve."""

from __future__ import annotations

import builtins
import sys
import types
from typing import Any

import pytest

from chalkgrad.core.errors import ArgumentError, MissingExtra
from chalkgrad.training import History
from chalkgrad.training.history import sparkline


def history(epochs: int = 3) -> History:
    made = History(best_epoch=2, monitor="val_loss", stopped="all epochs done")
    for k in range(epochs):
        made.append(
            {
                "loss": 1 / (k + 1),
                "val_loss": [0.9, 0.4, 0.5][min(k, 2)],
                "seconds": k,
                "learning_rate": 0.1,
            }
        )
    return made


def test_columns_rows_and_length() -> None:
    made = history()
    assert list(made) == ["loss", "val_loss", "seconds", "learning_rate"]
    assert made["val_loss"] == [0.9, 0.4, 0.5]
    assert len(made) == 3
    assert made.row(1)["loss"] == 1.0
    assert made.best == made.row(2)
    assert (len(History()), History().best) == (0, {})


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(
        ArgumentError, match=r"no 'val_los' in this history\. Did you mean val_loss"
    ):
        history()["val_los"]


def test_repr() -> None:
    assert repr(history()) == (
        "<History: 3 epochs, loss 1 █▃▁ 0.3333; val_loss 0.4; best val_loss at epoch 2; "
        "all epochs done>"
    )
    assert repr(History()) == "<History: no epochs>"


def test_table() -> None:
    lines = history().table().split("\n")
    assert lines[0].split() == ["epoch", "loss", "val_loss", "seconds", "learning_rate"]
    assert lines[2].split() == ["2*", "0.5", "0.4", "1", "0.1"]
    long = history(100).table(rows=4).split("\n")
    assert [line.split()[0] for line in long] == ["epoch", "1", "2*", "…", "99", "100"]


def test_html_escapes_and_shows_the_best_epoch() -> None:
    made = History({"val_loss": [0.4, 0.5], "a<b": [1.0, 1.0]}, best_epoch=1)
    page = made._repr_html_()
    assert "<td>val_loss</td><td>0.5</td><td>0.4</td>" in page
    assert "a&lt;b" in page


@pytest.mark.parametrize(
    ("values", "curve"),
    [
        ([], ""),
        ([float("nan")], ""),
        ([2.0, 2.0], "▁▁"),
        ([0.0, 7.0, float("inf")], "▁█"),
        ([3.0, 2.0, 1.0, 0.0], "█▆▃▁"),
    ],
)
def test_sparkline(values: list[float], curve: str) -> None:
    assert sparkline(values) == curve


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    curve = sparkline([*range(1000)], width=10)
    assert len(curve) <= 10
    assert curve[-1] == "█"


def test_plot_draws_the_losses_and_the_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, Any]] = []

    class Axes:
        def __getattr__(self, name: str) -> Any:
            return lambda *args, **kwargs: calls.append((name, kwargs.get("label") or args))

    pyplot = types.SimpleNamespace(subplots=lambda: (None, Axes()))
    monkeypatch.setitem(sys.modules, "matplotlib", types.SimpleNamespace(pyplot=pyplot))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    assert isinstance(history().plot(), Axes)
    assert [label for name, label in calls if name == "plot"] == ["loss", "val_loss"]
    assert ("axvline", "best epoch 2") in calls
    with pytest.raises(ArgumentError, match="no 'accuracy'"):
        history().plot("accuracy")


def test_plot_without_matplotlib_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtra, match=r'pip install "chalkgrad\[plot\]"'):
        history().plot()
