"""What is shown beside the network: the plane of two inputs, the curve of one, and its health."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array
from chalkgrad.explain.diagnose import Diagnosis, Finding
from chalkgrad.studio.numbers import number

Json = dict[str, Any]
Outputs = Callable[[Array], Array]  # (points, inputs) to (points, outputs)
_SIZE = 40  # points along each side of the plane
_ALONG = 121  # points of the curve
_MARGIN = 0.15  # of the data's width, on either side
_MOST_POINTS = 400
_WORDS = ("saturated", "dead", "alike")


def plane(names: Sequence[str], x: Array, y: Array, outputs: Outputs) -> Json | None:
    """What the network says at every point of a plane; of several outputs, which is largest."""
    if x.shape[1] != 2:
        return None
    (left, right), (low, high) = (_range(x[:, k]) for k in range(2))
    across, up = np.linspace(left, right, _SIZE), np.linspace(high, low, _SIZE)
    grid = np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)
    found, wanted = _one(outputs(grid)), _one(y)
    return {
        "x": [names[0], left, right],
        "y": [names[1], low, high],
        "size": _SIZE,
        "values": [_short(value) for value in found],
        "low": number(min(found.min(), wanted.min())),
        "high": number(max(found.max(), wanted.max())),
        "level": number((wanted.min() + wanted.max()) / 2) if y.shape[1] == 1 else None,
        "classes": y.shape[1] if y.shape[1] > 1 else 1,
        "points": _points(x[:, 0], x[:, 1], wanted),
    }


def curve(names: Sequence[str], x: Array, y: Array, outputs: Outputs) -> Json | None:
    """What the network says along its only input."""
    if x.shape[1] != 1:
        return None
    low, high = _range(x[:, 0])
    along = np.linspace(low, high, _ALONG)
    return {
        "x": [names[0], low, high],
        "xs": [_short(value) for value in along],
        "ys": [_short(value) for value in outputs(along[:, None])[:, 0]],
        "points": _points(x[:, 0], y[:, 0]),
    }


def _one(outputs: Array) -> Array:
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs.argmax(1).astype(np.float64)


def _range(column: Array) -> tuple[float, float]:
    low, high = float(column.min()), float(column.max())
    margin = _MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def _short(value: float) -> float | str:
    """Five digits are more than a picture shows."""
    return number(float(f"{value:.5g}"))


def _points(*columns: Array) -> list[list[float | str]]:
    """The records, or every so many-th of them."""
    step = -(-len(columns[0]) // _MOST_POINTS)
    return [[_short(v) for v in row] for row in zip(*(c[::step] for c in columns), strict=True)]


def health(diagnosis: Diagnosis, layers: Sequence[tuple[str, Sequence[str]]]) -> list[Json]:
    """What deserves a look, worst first; then each layer's update beside its size.

    `layers` are their names and the names of their parameters.
    """
    found = [_finding(finding) for finding in diagnosis.findings if finding.severity != "note"]
    ratios = {row.name: row.ratio for row in diagnosis.parameters}
    for name, parameters in layers:
        known = [ratios[p] for p in parameters if ratios.get(p) is not None]
        if known and known[0] is not None:
            say = f"an update changes it by {100 * known[0]:.3g} % of its size"
            found.append({"name": name, "what": "fine", "value": number(known[0]), "say": say})
    return found


def _finding(finding: Finding) -> Json:
    words = f"{finding.what} {finding.because}"
    word = next((word for word in _WORDS if word in words), "gradient")
    what = "update ratio" if "changes the layer" in finding.what else word
    remedy = f"; try {finding.remedy}" if finding.remedy else ""
    say = f"{finding.what}: {finding.because}{remedy}"
    return {"name": finding.where, "what": what, "value": None, "say": say,
            "severity": finding.severity}  # fmt: skip
