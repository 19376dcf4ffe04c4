"""Edits of a worksheet: each is a change of its text, which is then read and checked as any is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from chalkgrad.core.errors import ArgumentError, nearest
from chalkgrad.studio.asked import Asked, finite, said
from chalkgrad.studio.choices import settings_of
from chalkgrad.studio.drawing import drawn, fan_ins
from chalkgrad.studio.limits import MOST_LAYERS, WIDEST_LAYER
from chalkgrad.studio.structure import Structure
from chalkgrad.worksheet import Worksheet
from chalkgrad.worksheet.activations import ACTIVATIONS
from chalkgrad.worksheet.losses import RULES as LOSSES
from chalkgrad.worksheet.updates import RULES as OPTIMIZERS

CHANGES = ("set", "update", "activation", "loss", "units", "layers", "worksheet", "seed")


class Edit(NamedTuple):
    """What to do to the parsed text of a worksheet."""

    write: Callable[[Any], None]
    seed: int | None = None  # that all weights are drawn from


def read(change: Asked, worksheet: Worksheet, record: int | None) -> Edit | str:
    """The edit that a request asks for; a whole text where it brings one."""
    change.only(*CHANGES)
    if len(change.fields) != 1:
        raise ArgumentError(f"a change has one part, one of {', '.join(CHANGES)}")
    (kind,) = change.fields
    if kind == "worksheet":
        return change.text("worksheet")
    if worksheet.formulas and kind not in ("set", "update"):
        raise ArgumentError(f"{kind} cannot be changed: a worksheet of formulas has no layers")
    return _READERS[kind](change, worksheet, record)


# Numbers.
def _set(change: Asked, worksheet: Worksheet, record: int | None) -> Edit:
    numbers = change.part("set").fields
    places = {name: _place(str(name), worksheet, record) for name in numbers}
    values = {name: finite(value, str(name)) for name, value in numbers.items()}
    if not values:
        raise ArgumentError("set names nothing to change: {name: number}")

    def write(document: Any) -> None:
        for name, value in values.items():
            _write_number(document, places[name], value)

    return Edit(write)


class Place(NamedTuple):
    """Where a number stands: a table, its key there, and in a column which record (from 0)."""

    tables: tuple[str, ...]
    key: str
    record: int | None = None


def _place(name: str, worksheet: Worksheet, record: int | None) -> Place:
    if name in worksheet.parameters:
        return Place(("values",) if worksheet.formulas else ("parameters",), name)
    data, known = worksheet.data, list(worksheet.parameters)
    if data is not None:
        stem, _, rest = name.partition("[")
        number = int(rest[:-1]) if rest[:-1].isdecimal() and rest.endswith("]") else record
        targets = dict(zip(worksheet.names.targets, data.targets, strict=True))
        known += [*data.inputs, *targets]
        if stem in data.inputs or stem in targets:
            where = "inputs" if stem in data.inputs else "targets"
            if data.records > 1 and number is None:
                raise ArgumentError(f"{name} has {data.records} records: select one, then set it")
            if number is not None and not 1 <= number <= data.records:
                raise ArgumentError(f"there is no record {number}; there are {data.records}")
            return Place(("data", where), targets.get(stem, stem), (number or 1) - 1)
    raise ArgumentError(
        f"{said(name)} is no parameter, input or target of this worksheet.{nearest(name, known)}"
    )


def _write_number(document: Any, place: Place, value: float) -> None:
    table = document
    for key in place.tables:
        table = table[key]
    if isinstance(table[place.key], list):
        table[place.key][place.record] = value
    else:
        table[place.key] = value


# Settings.
def _update(change: Asked, worksheet: Worksheet, record: int | None) -> Edit:
    asked = change.part("update")
    known = worksheet.update
    rule = asked.choice("rule", OPTIMIZERS, known.rule.lower() if known else "sgd")
    asked.only("rule", *settings_of(rule))
    same = known is not None and known.rule.lower() == rule
    given = {key: value for key, value in asked.fields.items() if key != "rule"}
    if not given and same:
        raise ArgumentError("update changes nothing: give a rule or a setting, as learning_rate")

    def write(document: Any) -> None:
        table = document.setdefault("update", {})
        table["rule"] = rule
        allowed = settings_of(rule)
        if not same:
            for key in [k for k in table if k not in ("rule", "steps", "frozen", *allowed)]:
                if key != "lr":
                    del table[key]
        if "learning_rate" in given:
            table.pop("lr", None)
        table.update(given)

    return Edit(write)


def _activation(change: Asked, worksheet: Worksheet, record: int | None) -> Edit:
    asked = change.part("activation")
    asked.only("layer", "to")
    layer = asked.whole("layer", 1, len(worksheet.layers))
    name = asked.choice("to", ACTIVATIONS)

    def write(document: Any) -> None:
        document["layer"][layer - 1]["activation"] = name

    return Edit(write)


def _loss(change: Asked, worksheet: Worksheet, record: int | None) -> Edit:
    asked = change.part("loss")
    asked.only("kind", "over_records")
    assert worksheet.loss is not None
    kind = asked.choice("kind", LOSSES, worksheet.loss.kind)
    over = asked.choice("over_records", ("sum", "mean"), worksheet.loss.over_records)

    def write(document: Any) -> None:
        document["loss"]["kind"] = kind
        if "over_records" in asked or "over_records" in document["loss"]:
            document["loss"]["over_records"] = over

    return Edit(write)


# Structure.
def _units(change: Asked, worksheet: Worksheet, record: int | None) -> Edit:
    asked = change.part("units")
    asked.only("layer", "count")
    layer = asked.whole("layer", 1, len(worksheet.layers))
    count = asked.whole("count", 1, WIDEST_LAYER)
    if layer == len(worksheet.layers):
        raise ArgumentError(
            f"the last layer has a unit for each target, {len(worksheet.layers[-1].units)}; "
            "change the number of units of a layer before it"
        )
    return Edit(lambda document: Structure(document, worksheet).resize(layer, count))


def _layers(change: Asked, worksheet: Worksheet, record: int | None) -> Edit:
    asked = change.part("layers")
    asked.only("add", "remove")
    last = len(worksheet.layers)
    if ("add" in asked) == ("remove" in asked):
        raise ArgumentError('layers takes either {"add": place} or {"remove": place}')
    if "add" in asked:
        if last >= MOST_LAYERS:
            raise ArgumentError(f"there are {last} layers, and no more than {MOST_LAYERS}")
        place = asked.whole("add", 1, last)
        return Edit(lambda document: Structure(document, worksheet).add_layer(place))
    place = asked.whole("remove", 1, last)
    if place == last:
        raise ArgumentError("the last layer gives the outputs; remove a layer before it")
    return Edit(lambda document: Structure(document, worksheet).remove_layer(place))


def _seed(change: Asked, worksheet: Worksheet, record: int | None) -> Edit:
    seed = change.whole("seed", 0, 2**31 - 1)
    fans = fan_ins(worksheet)

    def write(document: Any) -> None:
        for name, value in drawn(fans, seed).items():
            document["parameters"][name] = value

    return Edit(write, seed)


_READERS: dict[str, Callable[[Asked, Worksheet, int | None], Edit]] = {
    "set": _set, "update": _update, "activation": _activation, "loss": _loss, "units": _units,
    "layers": _layers, "seed": _seed,
}  # fmt: skip
