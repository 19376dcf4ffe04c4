"""[parameters] and [[layer]]: the network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chalkgrad.core.errors import nearest
from chalkgrad.worksheet.activations import ACTIVATIONS
from chalkgrad.worksheet.parts import Layer, Weight
from chalkgrad.worksheet.source import Section, Source, said, said_name

_UNIT = re.compile(r"\w{1,40}")


def read_parameters(source: Source, tables: Mapping[str, Any], title: str) -> dict[str, float]:
    """The numbers of [parameters], or of [values]."""
    section = Section.of(source, tables, title)
    word = "parameter" if title == "parameters" else "value"
    return {
        section.name(key, word): section.number(value, key) for key, value in section.table.items()
    }


def layer_sections(source: Source, tables: Mapping[str, Any]) -> list[Section]:
    """A section for each [[layer]]."""
    found = tables.get("layer", [])
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise source.error("layers are written [[layer]], with two brackets", "", "layer")
    return [Section(source, "layer", table, k) for k, table in enumerate(found)]


def read_layer(
    section: Section, inputs: Sequence[str], parameters: Mapping[str, float]
) -> Layer:  # fmt: skip
    """A layer, whose width is that of what it reads."""
    section.only("units", "weights", "bias", "activation", "names")
    units = _units(section)
    activation = section.choice("activation", ACTIVATIONS, "identity")
    rows = section.listed("weights")
    if len(rows) != len(units):
        raise section.error(
            f"{section.where} has {len(rows)} rows of weights for {len(units)} units "
            f"({_few(units)}); write one row for each unit", "weights",
        )  # fmt: skip
    weights = tuple(
        _row(section, unit, row, inputs, parameters) for unit, row in zip(units, rows, strict=True)
    )
    return Layer(units, weights, _bias(section, units, parameters), activation)


def _units(section: Section) -> tuple[str, ...]:
    units = section.listed("units")
    if not units:
        raise section.error(f"{section.where} has no units", "units")
    for unit in units:
        if not isinstance(unit, str) or not _UNIT.fullmatch(unit):
            raise section.error(
                f"the unit {said(unit)} needs a name in quotes of letters, digits and _", "units"
            )
        if units.count(unit) > 1:
            raise section.error(f"{section.where} has two units called {unit}", unit)
    return tuple(units)


def _row(
    section: Section, unit: str, row: Any, inputs: Sequence[str], parameters: Mapping[str, float]
) -> tuple[Weight, ...]:
    if not isinstance(row, list):
        raise section.error(f"the weights of {unit} must be a list in [ ], not {said(row)}")
    if len(row) != len(inputs):
        first = next((name for name in row if isinstance(name, str)), "weights")
        raise section.error(
            f"the row of {unit} has {len(row)} weights; it needs {len(inputs)}, one for each of "
            f"{_few(inputs)}", first,
        )  # fmt: skip
    return tuple(_weight(section, f"a weight of {unit}", value, parameters) for value in row)


def _bias(
    section: Section, units: Sequence[str], parameters: Mapping[str, float]
) -> tuple[Weight, ...] | None:
    bias = section.table.get("bias")
    if bias is None:
        return None
    row = bias if isinstance(bias, list) else [bias] * len(units)
    if len(row) != len(units):
        raise section.error(
            f"bias has {len(row)} entries for {len(units)} units ({_few(units)}); write one for "
            "each unit", "bias",
        )  # fmt: skip
    return tuple(
        _weight(section, f"the bias of {unit}", value, parameters)
        for unit, value in zip(units, row, strict=True)
    )


def _weight(section: Section, what: str, value: Any, parameters: Mapping[str, float]) -> Weight:
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise section.error(f"{what} must be a parameter's name or a number, not {said(value)}")
        return section.number(value, what)
    if value not in parameters:
        offer = nearest(value, parameters)
        raise section.error(
            f"{what}, {said_name(value)}, has no value: write it under [parameters].{offer}", value
        )
    return value


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])}, … {names[-1]}"
