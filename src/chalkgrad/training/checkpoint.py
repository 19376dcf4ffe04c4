"""Everything that a stopped run needs to go on as if it had not stopped."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chalkgrad.core.errors import DataError
from chalkgrad.core.graph import Array
from chalkgrad.tensor.saving import load, save


@dataclass
class Place:
    """Where a run is, between two steps."""

    epoch: int = 1
    batch: int = 0  # batches of this epoch that are done
    seconds: float = 0.0
    loss_sum: float = 0.0  # over those batches, each loss as often as it has records
    outputs: list[Any] = field(default_factory=list)  # of those batches, for the epoch's metrics
    ended: str = ""  # why the run is over, if it is
    epochs: int = 0  # how many it was to have


@dataclass
class Best:
    """The best epoch so far and its weights."""

    epoch: int = 0
    value: float = float("inf")
    weights: dict[str, Any] = field(default_factory=dict)


def fingerprint(arrays: Sequence[Array]) -> str:
    """What tells data apart: shapes, types and a checksum."""
    check = 0
    for array in arrays:
        check = zlib.crc32(np.ascontiguousarray(array).tobytes(), check)
    shapes = ", ".join(f"{array.dtype}{list(array.shape)}" for array in arrays)
    return f"{shapes} with checksum {check:08x}"


def save_checkpoint(path: Path, parts: dict[str, Any], place: Place, best: Best) -> None:
    """Write a checkpoint, whole or not at all."""
    save({**parts, "place": dict(vars(place)), "best": dict(vars(best))}, path)


def load_checkpoint(path: Path, expected: dict[str, Any]) -> dict[str, Any]:
    """The parts of a checkpoint, refused where it belongs to another run."""
    parts = load(path)
    if not isinstance(parts, dict) or "identity" not in parts:
        raise DataError(f"{path} holds tensors but is no checkpoint of a training run")
    saved = parts["identity"]
    for key, value in expected.items():
        if saved.get(key) != value:
            raise DataError(
                f"{path} cannot be resumed here: its {key} is {_short(saved.get(key))}, this run's "
                f"is {_short(value)}. Give the same data and settings, or start anew with another "
                "checkpoint path."
            )
    parts["place"] = Place(**parts["place"])
    parts["best"] = Best(**parts["best"])
    return parts


def _short(value: Any) -> str:
    return " ".join(str(value).split())
