"""Everything that a stopped run needs to go on as if it had not stopped."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, field
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
    loss_sum: float = 0.0  # Σ loss · records over those batches
    outputs: list[Any] = field(default_factory=list)  # of those batches, for the epoch's metrics


@dataclass
class Best:
    """The best epoch so far and its weights."""

    epoch: int = 0
    value: float = float("inf")
    weights: dict[str, Any] = field(default_factory=dict)


def fingerprint(x: Array, y: Array, **settings: Any) -> dict[str, Any]:
    """What must be the same when a run is resumed."""
    data = zlib.crc32(np.ascontiguousarray(y).tobytes(), zlib.crc32(np.ascontiguousarray(x).tobytes()))
    return {"records": len(x), "data": data, **settings}


def save_checkpoint(path: Path, parts: dict[str, Any], place: Place, best: Best) -> None:
    save({**parts, "place": asdict(place), "best": asdict(best)}, path)


def load_checkpoint(path: Path, expected: dict[str, Any]) -> dict[str, Any]:
    """The parts of a checkpoint, refused where it belongs to another run."""
    parts = load(path)
    if not isinstance(parts, dict) or "fingerprint" not in parts:
        raise DataError(f"{path} holds tensors but is no checkpoint of a training run")
    saved = parts["fingerprint"]
    for key, value in expected.items():
        if saved.get(key) != value:
            raise DataError(
                f"{path} cannot be resumed here: its {key} is {saved.get(key)}, this run's is {value}. "
                "Give the same data and settings, or start anew with another checkpoint path."
            )
    parts["place"] = Place(**parts["place"])
    parts["best"] = Best(**parts["best"])
    return parts  # type: ignore[no-any-return]
