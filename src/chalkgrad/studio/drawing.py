"""Weights drawn from a seed, as `nn.Linear` draws them: evenly within ±1/√(inputs of the unit)."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np

from chalkgrad.worksheet import Worksheet

_DECIMALS = 3  # enough to differ, few enough to be read


def fan_ins(worksheet: Worksheet) -> dict[str, int]:
    """How many inputs the unit has that a parameter belongs to; of several the first."""
    found: dict[str, int] = {}
    for layer in worksheet.layers:
        for row in layer.weights:
            named = [weight for weight in row if isinstance(weight, str)]
            found = dict.fromkeys(named, len(row)) | found
        named = [weight for weight in layer.bias or () if isinstance(weight, str)]
        found = dict.fromkeys(named, len(layer.weights[0])) | found
    return {name: found[name] for name in worksheet.parameters if name in found}


def drawn(fans: Mapping[str, int], seed: int) -> dict[str, float]:
    """A number for each parameter."""
    generator = np.random.default_rng(seed)
    return {
        name: round(float(generator.uniform(-1, 1)) / sqrt(fan), _DECIMALS)
        for name, fan in fans.items()
    }
