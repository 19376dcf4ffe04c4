"""A worksheet: read, checked at the door, and from then on trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from chalkgrad.formulas.expression import Expression, names_in
from chalkgrad.worksheet.activations import PROBABILITIES
from chalkgrad.worksheet.data import read_data
from chalkgrad.worksheet.layers import layer_sections, read_layer, read_parameters
from chalkgrad.worksheet.lines import depends, loss_line, read_lines
from chalkgrad.worksheet.losses import RULES
from chalkgrad.worksheet.naming import read_names
from chalkgrad.worksheet.parts import Data, Layer, Loss, Names, Update
from chalkgrad.worksheet.source import TABLES, Section, Source, read_text
from chalkgrad.worksheet.updates import read_update


@dataclass(frozen=True, eq=False)
class Worksheet:
    """A problem as a lecture states it: a network with data and a loss, or lines of formulas.

    Raises WorksheetError with the file, the line, what clashes and the fix.

    >>> sheet = Worksheet.from_text('''
    ... [expression]
    ... u = "y * z"
    ... J = "3 * (x + u)"
    ... [values]
    ... x = 4
    ... y = 3
    ... z = 2
    ... ''')
    >>> sheet.names.loss, sheet.parameters
    ('J', {'x': 4.0, 'y': 3.0, 'z': 2.0})
    """

    file: str
    title: str
    source: str
    parameters: Mapping[str, float]  # of formulas: their values
    layers: tuple[Layer, ...] = ()
    data: Data | None = None
    loss: Loss | None = None
    update: Update | None = None
    names: Names = field(default_factory=Names)
    formulas: Mapping[str, Expression] = field(default_factory=dict)  # in computing order
    notes: tuple[str, ...] = ()  # what is no error and worth a word
    text: str = ""  # as its author wrote it

    @classmethod
    def of(cls, what: Worksheet | str | PathLike[str]) -> Worksheet:
        """A worksheet as it is, in a file, or in a text of several lines."""
        if isinstance(what, Worksheet):
            return what
        if isinstance(what, str) and "\n" in what:
            return cls.from_text(what)
        return cls.read(what)

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Worksheet:
        """The worksheet in a file."""
        path = Path(path)
        return cls.from_text(read_text(path), path.parent, path.name)

    @classmethod
    def from_text(
        cls, text: str, folder: str | PathLike[str] | None = None, name: str = "worksheet"
    ) -> Worksheet:
        """The worksheet in a text. Its CSV file is in `folder`, and errors call it `name`."""
        source = Source(name, text, None if folder is None else Path(folder))
        tables = source.tables()
        top = Section(source, "", tables)
        _check_tables(source, tables)
        title, origin = top.string("title", ""), top.string("source", "")
        parts = _formulas(source, tables) if "expression" in tables else _network(source, tables)
        return cls(name, title, origin, **parts, text=text)


def _check_tables(source: Source, tables: Mapping[str, Any]) -> None:
    section = Section(source, "", tables)
    for key in tables:
        if key not in (*TABLES, "title", "source"):
            raise section.unknown(key, ("title", "source", *TABLES), "a worksheet has no")
    formulas = [key for key in ("expression", "values") if key in tables]
    network = [key for key in ("layer", "parameters", "data", "loss") if key in tables]
    if formulas and network:
        raise source.error(
            f"[{formulas[0]}] and [{network[0]}] do not go together: a worksheet has formulas "
            "([expression], [values]) or a network ([parameters], [[layer]], [data], [loss])",
            formulas[0],
        )
    if "layer" not in tables and "expression" not in tables:
        raise source.error("there is nothing to compute: write [[layer]]s or an [expression]")


def _formulas(source: Source, tables: Mapping[str, Any]) -> dict[str, Any]:
    section = Section.of(source, tables, "expression")
    values = Section.of(source, tables, "values")
    parameters = read_parameters(source, tables, "values")
    if not section.table:
        raise section.error('[expression] is empty: write a line such as J = "3 * x"')
    lines = read_lines(section, values, parameters)
    titles = Section.of(source, tables, "names")
    titles.only("loss")
    loss = titles.choice("loss", lines, loss_line(lines, list(section.table)))
    if not depends(loss, lines, parameters):
        raise section.error(
            f"{loss} depends on no value, so it has no gradient; see [values]", loss
        )
    used = {name.text for line in lines.values() for name in names_in(line)}
    return {
        "parameters": parameters,
        "update": _update(source, tables, parameters, used),
        "names": Names(loss=loss),
        "formulas": lines,
        "notes": _unused(source, "values", parameters, used),
    }


def _network(source: Source, tables: Mapping[str, Any]) -> dict[str, Any]:
    parameters = read_parameters(source, tables, "parameters")
    sections = layer_sections(source, tables)
    if not sections:
        raise source.error("there is nothing to compute: write a [[layer]]")
    data = read_data(Section.of(source, tables, "data"), _outputs(sections[-1]))
    layers: list[Layer] = []
    inputs: Sequence[str] = tuple(data.inputs)
    for section in sections:
        layers.append(read_layer(section, inputs, parameters))
        inputs = layers[-1].units
    loss = _loss(Section.of(source, tables, "loss"), layers[-1], data)
    named = read_names(
        Section.of(source, tables, "names"), sections, layers, data, loss, parameters
    )
    used = {w for layer in layers for row in (*layer.weights, layer.bias or ()) for w in row}
    return {
        "parameters": parameters,
        "layers": tuple(layers),
        "data": data,
        "loss": loss,
        "update": _update(source, tables, parameters, used),
        "names": named,
        "notes": _unused(source, "parameters", parameters, used),
    }


def _outputs(section: Section) -> list[str]:
    """The units of the last layer, as far as they are text; `read_layer` checks them."""
    units = section.listed("units")
    if not units or not all(isinstance(unit, str) for unit in units):
        raise section.error(f"{section.where} needs its units' names in quotes", "units")
    return units


def _loss(section: Section, last: Layer, data: Data) -> Loss:
    section.only("kind", "over_records")
    kind = section.choice("kind", RULES)
    over = section.choice("over_records", ("sum", "mean"), RULES[kind].over_records)
    if kind == "binary_cross_entropy" and last.activation not in PROBABILITIES:
        raise section.error(
            f"{kind} takes outputs between 0 and 1; the last layer's activation is "
            f"{last.activation}: make it sigmoid", "kind",
        )  # fmt: skip
    if kind == "cross_entropy" and last.activation not in ("softmax", "identity"):
        raise section.error(
            f"{kind} takes the outputs of a softmax, or of identity (then it does the softmax "
            f"itself); the last layer's activation is {last.activation}", "kind",
        )  # fmt: skip
    if kind == "binary_cross_entropy":
        for unit, column in data.targets.items():
            wrong = [value for value in column if not 0 <= value <= 1]
            if wrong:
                raise section.source.error(
                    f"the target of {unit} is {wrong[0]:g}; {kind} takes targets from 0 to 1",
                    "data", unit,
                )  # fmt: skip
    return Loss(kind, over)


def _update(
    source: Source, tables: Mapping[str, Any], parameters: Mapping[str, float], used: set[Any]
) -> Update | None:
    section = Section.of(source, tables, "update")
    update = read_update(section, parameters)
    if update is not None and not (used & set(parameters)) - set(update.frozen):
        raise section.error("[update] has nothing to move: no parameter is used and not frozen")
    return update


def _unused(
    source: Source, table: str, parameters: Mapping[str, float], used: set[Any]
) -> tuple[str, ...]:
    found = []
    for name in parameters:
        if name not in used:
            line = source.line(table, name)
            place = f"{source.name}, line {line}" if line else source.name
            found.append(f"{place}: {name} is used nowhere")
    return tuple(found)
