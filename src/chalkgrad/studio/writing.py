"""A worksheet's text for a network that has none yet: names, weights from a seed, and data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array
from chalkgrad.formulas.spelling import canonical, is_name
from chalkgrad.formulas.tokens import BARE
from chalkgrad.studio.drawing import drawn

_WIDTH = 96


@dataclass(frozen=True)
class Design:
    """A network with its data, to be written down as a worksheet."""

    title: str
    source: str
    inputs: Mapping[str, Array]
    targets: Mapping[str, Array]  # by output unit
    hidden: Sequence[int]
    activation: str
    output: str  # the activation of the last layer
    loss: str
    update: Mapping[str, Any]
    seed: int = 0
    weights: Sequence[Array | None] = ()  # W, b, W, b … in place of drawn ones; None: no bias
    decimals: int | None = 4  # of the data; None: all
    activations: Sequence[str] = ()  # of every layer, where they are not alike


def worksheet_text(design: Design) -> str:
    """The worksheet."""
    layers = list(_layers(design))
    parameters = _parameters(design, layers)
    parts = [f"title = {_quoted(design.title)}", f"source = {_quoted(design.source)}", ""]
    parts += ["[parameters]", *(f"{name} = {value!r}" for name, value in parameters.items())]
    for layer in layers:
        parts += ["", "[[layer]]", _listed("units", map(_quoted, layer.units))]
        parts += ["weights = ["]
        parts += [_wrapped(f"    [{', '.join(map(_quoted, row))}],") for row in layer.weights]
        parts += ["]"]
        parts += [_listed("bias", map(_quoted, layer.bias))] if layer.bias else []
        parts += [f"activation = {_quoted(layer.activation)}"]
    for kind, columns in (("inputs", design.inputs), ("targets", design.targets)):
        parts += ["", f"[data.{kind}]"]
        for name, column in columns.items():
            shown = column if design.decimals is None else np.round(column, design.decimals)
            parts += [_listed(name, (repr(float(value)) for value in shown))]
    parts += ["", "[loss]", f"kind = {_quoted(design.loss)}", "", "[update]"]
    parts += [f"{key} = {json.dumps(value)}" for key, value in design.update.items()]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True)
class _Layer:
    units: Sequence[str]
    weights: Sequence[Sequence[str]]
    bias: Sequence[str]
    activation: str


def _layers(design: Design) -> Iterable[_Layer]:
    names = _Names([*design.inputs, *design.targets])
    below = len(design.inputs)
    widths = [*design.hidden, len(design.targets)]
    for k, width in enumerate(widths, 1):
        last = k == len(widths)
        letter = "h" if len(widths) == 2 else "hgkmnpqr"[(k - 1) % 8]
        units = list(design.targets) if last else [f"{letter}{n + 1}" for n in range(width)]
        weights = [[names.next("w") for _ in range(below)] for _ in range(width)]
        has_bias = not design.weights or design.weights[2 * k - 1] is not None
        bias = [names.next("b") for _ in range(width)] if has_bias else []
        activation = design.output if last else design.activation
        if design.activations:
            activation = design.activations[k - 1]
        yield _Layer(units, weights, bias, activation)
        below = width


def _parameters(design: Design, layers: Sequence[_Layer]) -> dict[str, float]:
    found: dict[str, float] = {}
    for k, layer in enumerate(layers):
        names = [name for row in layer.weights for name in row] + list(layer.bias)
        if design.weights:
            arrays = [a.ravel() for a in design.weights[2 * k : 2 * k + 2] if a is not None]
            given = np.concatenate(arrays)
            found |= {name: float(value) for name, value in zip(names, given, strict=True)}
        else:
            fans = dict.fromkeys(names, len(layer.weights[0]))
            found |= drawn(fans, design.seed * 100 + k)
    return found


class _Names:
    """w1, w2, …, past the names that are taken."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = {canonical(name) for name in taken}
        self.last: dict[str, int] = {}

    def next(self, letter: str) -> str:
        number = self.last.get(letter, 0) + 1
        while canonical(f"{letter}{number}") in self.taken:
            number += 1
        self.last[letter] = number
        return f"{letter}{number}"


def speakable(words: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names for a worksheet, as like these as can be: each another, none a function's.

    >>> speakable(["sepal length (cm)", "sepal length [cm]", "2nd", "exp"])
    ['sepal_length_cm', 'sepal_length_cm_2', 'x_2nd', 'x_exp']
    """
    used = {canonical(name) for name in taken}
    found = []
    for word in words:
        stem = re.sub(r"\W+", "_", word).strip("_")[:30].rstrip("_")
        if not stem or not is_name(stem) or stem in BARE or re.fullmatch(r"[wb]\d+|L\w*", stem):
            stem = f"x_{stem}" if stem else "x"
        stem = stem if is_name(stem) else "x"
        name, k = stem, 2
        while canonical(name) in used:
            name, k = f"{stem}_{k}", k + 1
        used.add(canonical(name))
        found.append(name)
    return found


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _listed(name: str, items: Iterable[str]) -> str:
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)
    return _wrapped(f"{key} = [{', '.join(items)}]")


def _wrapped(text: str) -> str:
    """The line, broken between the entries of its list."""
    if len(text) <= _WIDTH:
        return text
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) >= _WIDTH:
            lines.append(line)
            line = "    "
        line += word if line.strip() == "" else f" {word}"
    return "\n".join([*lines, line])
