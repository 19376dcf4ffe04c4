"""What happened, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

from chalkgrad.core.errors import ArgumentError, MissingExtra, nearest
from chalkgrad.training.metrics import falls

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: list[float], width: int = 24) -> str:
    """A curve in one line of text.

    >>> sparkline([3.0, 2.0, 1.0, 0.0])
    '█▆▃▁'
    """
    finite = [value for value in values if value == value and abs(value) != float("inf")]
    if not finite:
        return ""
    step = max(1, -(-len(finite) // width))
    shown = [finite[min(k + step - 1, len(finite) - 1)] for k in range(0, len(finite), step)]
    low, high = min(shown), max(shown)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((value - low) * scale)] for value in shown)


@dataclass
class History:
    """One row an epoch: `history["loss"]` is a list.

    Keys: `loss`, `val_loss` with validation data, every metric and `val_` metric, `seconds` since
    the start, `learning_rate`.
    """

    columns: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0  # from 1; whose weights the model has now
    monitor: str = "loss"
    stopped: str = ""  # why the run ended
    executor: str = ""  # what ran the steps, and why

    def __getitem__(self, key: str) -> list[float]:
        if key not in self.columns:
            raise ArgumentError(
                f"no {key!r} in this history.{nearest(key, self.columns)} There are "
                f"{', '.join(self.columns)}."
            )
        return self.columns[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def append(self, row: dict[str, float]) -> None:
        """Add an epoch."""
        for key, value in row.items():
            self.columns.setdefault(key, []).append(float(value))

    def cost(self, row: dict[str, float]) -> float:
        """The monitored number of an epoch, so that smaller is better."""
        return row[self.monitor] if falls(self.monitor) else -row[self.monitor]

    def row(self, epoch: int) -> dict[str, float]:
        """The numbers of one epoch, counted from 1."""
        return {key: values[epoch - 1] for key, values in self.columns.items()}

    @property
    def best(self) -> dict[str, float]:
        """The row of the epoch whose weights were kept."""
        return self.row(self.best_epoch) if self.best_epoch else {}

    def table(self, rows: int = 10) -> str:
        """The first and last epochs as text."""
        keys = list(self.columns)
        count = len(self)
        shown = (
            list(range(count))
            if count <= rows
            else [*range(rows // 2), *range(count - rows // 2, count)]
        )
        lines = ["epoch  " + "  ".join(f"{key:>13}" for key in keys)]
        for previous, k in zip([-1, *shown], shown, strict=False):
            if k != previous + 1:
                lines.append("  …")
            mark = "*" if k + 1 == self.best_epoch else " "
            lines.append(
                f"{k + 1:>5}{mark} " + "  ".join(f"{self.columns[key][k]:>13.6g}" for key in keys)
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        if not self.columns:
            return "<History: no epochs>"
        losses = self.columns["loss"]
        best = self.best
        parts = [f"loss {losses[0]:.4g} {sparkline(losses)} {losses[-1]:.4g}"]
        parts += [
            f"{key} {best[key]:.4g}"
            for key in best
            if key not in ("loss", "seconds", "learning_rate")
        ]
        return (
            f"<History: {len(self)} epochs, {'; '.join(parts)}; best {self.monitor} at epoch "
            f"{self.best_epoch}{'; ' + self.stopped if self.stopped else ''}>"
        )

    def _repr_html_(self) -> str:
        best = self.best
        rows = "".join(
            f"<tr><td>{escape(key)}</td><td>{values[-1]:.6g}</td>"
            f"<td>{best.get(key, float('nan')):.6g}</td><td>{sparkline(values)}</td></tr>"
            for key, values in self.columns.items()
        )
        head = "".join(f"<th>{text}</th>" for text in ("", "last", "best epoch", "curve"))
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"<p>{len(self)} epochs. {escape(self.stopped)}</p>"
        )

    def plot(self, *keys: str, ax: Any = None) -> Any:
        """Curves over the epochs (loss and val_loss unless named), on Matplotlib axes."""
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise MissingExtra(
                'plotting needs Matplotlib: pip install "chalkgrad[plot]"'
            ) from error
        ax = ax or pyplot.subplots()[1]
        for key in keys or [key for key in ("loss", "val_loss") if key in self.columns]:
            ax.plot(range(1, len(self) + 1), self[key], label=key)
        if self.best_epoch:
            ax.axvline(
                self.best_epoch, color="0.7", linestyle=":", label=f"best epoch {self.best_epoch}"
            )
        ax.set_xlabel("epoch")
        ax.legend()
        return ax
