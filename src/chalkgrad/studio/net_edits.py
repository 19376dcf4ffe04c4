"""Edits of a model: single numbers, the optimizer, a seed, an activation, the units of a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from chalkgrad.core.errors import ArgumentError, nearest
from chalkgrad.core.graph import Array
from chalkgrad.optim import Optimizer
from chalkgrad.studio.asked import Asked, finite
from chalkgrad.studio.choices import settings_of
from chalkgrad.studio.limits import SHOWN_UNITS, WIDEST_LAYER
from chalkgrad.studio.network import Network, Stage, drawn_network
from chalkgrad.worksheet.activations import ACTIVATIONS
from chalkgrad.worksheet.updates import RULES as OPTIMIZERS

Update = Mapping[str, Any]


class Trained(NamedTuple):
    """What of a model can be edited."""

    network: Network
    update: Update  # the rule of the optimizer, and its settings
    seed: int


def edited(change: Asked, network: Network, update: Update, seed: int) -> Trained:
    """A model after an edit."""
    if len(change.fields) != 1:
        raise ArgumentError("a change has one part, such as set or update")
    (kind,) = change.fields
    if kind not in _EDITS:
        raise ArgumentError(
            f"{str(kind)[:40]!r} cannot be changed of a model; what can is {', '.join(_EDITS)}"
        )
    return _EDITS[kind](change, Trained(network, update, seed))


def optimizer_of(update: Update, parameters: list[Any]) -> Optimizer:
    """The optimizer of these settings, over parameters."""
    settings = {("lr" if k == "learning_rate" else k): v for k, v in update.items()}
    rule = settings.pop("rule")
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
    return OPTIMIZERS[rule](parameters, **plain)


# Numbers.
def _set(change: Asked, now: Trained) -> Trained:
    values = dict(now.network.values)
    copied = set[str]()
    for name, value in change.part("set").fields.items():
        base, index = _element(str(name), values)
        if base not in copied:
            values[base] = np.array(values[base])
            copied.add(base)
        with np.errstate(over="ignore"):
            values[base][index] = finite(value, str(name)[:40])
        if not np.isfinite(values[base][index]):
            raise ArgumentError(f"{value!r} is too large for {name}, of {values[base].dtype}")
    return now._replace(network=replace(now.network, values=values))


def _element(name: str, values: Mapping[str, Array]) -> tuple[str, tuple[int, ...]]:
    base, _, rest = name.partition("[")
    places = rest[:-1].split(",")
    if base in values and rest.endswith("]") and all(place.isdecimal() for place in places):
        index = tuple(int(place[:9]) for place in places)
        shape = values[base].shape
        if len(index) == len(shape) and all(k < n for k, n in zip(index, shape, strict=True)):
            return base, index
    raise ArgumentError(
        f"{name[:40]!r} is no parameter of this network, such as 0.weight[0,1]."
        f"{nearest(base[:40], values)}"
    )


# Settings.
def _updated(change: Asked, now: Trained) -> Trained:
    asked = change.part("update")
    rule = asked.choice("rule", OPTIMIZERS, now.update["rule"])
    asked.only("rule", *settings_of(rule))
    kept = now.update if rule == now.update["rule"] else {}
    rate = {"learning_rate": now.update["learning_rate"]}
    update = {**rate, **kept, **asked.fields, "rule": rule}
    try:
        optimizer_of(update, list(now.network.reading.parameters()))
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"{rule} refuses its settings: {error}") from None
    return now._replace(update=update)


def _seeded(change: Asked, now: Trained) -> Trained:
    seed = change.whole("seed", 0, 2**31 - 1)
    sizes = [now.network.width, *(stage.units for stage in now.network.stages)]
    drawn = drawn_network(sizes, now.network.stages, seed)
    return now._replace(network=drawn, seed=seed)


# Layers.
def _activated(change: Asked, now: Trained) -> Trained:
    asked = change.part("activation")
    asked.only("layer", "to")
    layer = asked.whole("layer", 1, len(now.network.stages))
    kind = asked.choice("to", ACTIVATIONS)
    if layer == len(now.network.stages):
        raise ArgumentError("the last layer's activation belongs to the loss of this model")
    return _with_stage(now, layer, replace(now.network.stages[layer - 1], activation=kind))


def _resized(change: Asked, now: Trained) -> Trained:
    asked = change.part("units")
    asked.only("layer", "count")
    layer = asked.whole("layer", 1, len(now.network.stages))
    count = asked.whole("count", 1, max(WIDEST_LAYER, 4 * SHOWN_UNITS))
    if layer == len(now.network.stages):
        raise ArgumentError("the last layer has a unit for each target")
    return _with_stage(now, layer, replace(now.network.stages[layer - 1], units=count))


def _with_stage(now: Trained, layer: int, stage: Stage) -> Trained:
    """Another stage in place of one; numbers stay where there is a place for them."""
    old = now.network
    stages = [*old.stages]
    stages[layer - 1] = stage
    sizes = [old.width, *(each.units for each in stages)]
    fresh = drawn_network(sizes, stages, now.seed + 1)
    values = dict(fresh.values)
    for before, after in zip(old.places, fresh.places, strict=True):
        for kind in ("weight", "bias"):
            if f"{before}.{kind}" in old.values:
                new = fresh.values[f"{after}.{kind}"]
                values[f"{after}.{kind}"] = _kept(old.values[f"{before}.{kind}"], new)
    return now._replace(network=replace(fresh, values=values, notes=old.notes))


def _kept(old: Array, new: Array) -> Array:
    made = new.astype(old.dtype)
    inside = tuple(slice(min(a, b)) for a, b in zip(old.shape, new.shape, strict=True))
    made[inside] = old[inside]
    return made


_EDITS: dict[str, Callable[[Asked, Trained], Trained]] = {
    "set": _set, "update": _updated, "seed": _seeded, "activation": _activated, "units": _resized,
}  # fmt: skip
