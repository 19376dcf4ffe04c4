"""Names for quantities: the worksheet's own, or one of three customs.

lecture    the names that the worksheet gives, or the program (layers.0.weight[1,0])
indexed    w⁽²⁾₁₂ into unit 1 from unit 2 of the layer below, z⁽²⁾₁, a⁽²⁾₁, x₁, y₁, L
nielsen    the same with the layer as a plain superscript, and the cost C: w²₁₂, z²₁, a²₁
pytorch    layers.0.weight[0,1], layers.0[0,0]: counted from 0, as in the program
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, nearest
from chalkgrad.core.graph import Node, ancestors
from chalkgrad.explain.elements import At, Elements, Index
from chalkgrad.formulas.labels import (
    ACTIVATION,
    INPUT,
    LOSS,
    LOSS_TERM,
    PARAMETER,
    TARGET,
    WEIGHTED_SUM,
    Label,
)
from chalkgrad.formulas.names import subscript, superscript

PRESETS = ("lecture", "indexed", "nielsen", "pytorch")
_LETTERS = {
    INPUT: "x", TARGET: "y", WEIGHTED_SUM: "z", ACTIVATION: "a", LOSS_TERM: "L", LOSS: "L",
}  # fmt: skip
Named = tuple[str, str]  # text and LaTeX
Use = tuple[str, int, Index]  # w or b, the layer, the place


def check(preset: str) -> None:
    """ValueError for a preset that there is not."""
    if preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise ArgumentError(
            f"there are no names {preset!r}: names is {known}.{nearest(str(preset), PRESETS)}"
        )


def renamed(root: Node, labels: Mapping[Node, Label], preset: str) -> dict[Node, Label]:
    """The labels with names by a preset. A parameter that is used twice keeps its own name."""
    if preset == "lecture":
        return dict(labels)
    places = _places(root, labels)
    write = _Writer(preset)
    return {node: _relabelled(node, label, places, write) for node, label in labels.items()}


def _relabelled(node: Node, label: Label, places: _Places, write: _Writer) -> Label:
    def named(index: Index) -> Named:
        if label.kind == PARAMETER:
            uses = places.uses(At(node, index))
            found = write.parameter(*uses[0]) if len(uses) == 1 else None
        else:
            found = write.quantity(label, index, node.shape)
        return found or (label.name(index), "")

    texts: Any = _Names(lambda index: named(index)[0])
    latex: Any = _Names(lambda index: named(index)[1])
    return replace(label, names=texts, latex=latex)


@dataclass(frozen=True)
class _Names:
    """An array's names. Each is written when it is asked for: of a large network few are."""

    named: Callable[[Index], str]

    def __getitem__(self, index: Index) -> str:
        return self.named(index)


class _Writer:
    """How a preset writes a letter, a layer and places."""

    def __init__(self, preset: str) -> None:
        self.preset = preset

    def parameter(self, letter: str, layer: int, index: Index) -> Named:
        if self.preset == "pytorch":
            kind = "weight" if letter == "w" else "bias"
            return f"layers.{layer - 1}.{kind}[{','.join(map(str, index))}]", ""
        return self._indexed(letter, layer, index)

    def quantity(self, label: Label, index: Index, shape: Index) -> Named | None:
        letter = _LETTERS.get(label.kind)
        if letter is None:
            return None
        if self.preset == "nielsen" and letter == "L":
            letter = "C"
        place = index[1:] if label.records else index
        several = label.records and shape[0] > 1
        if self.preset == "pytorch":
            base = {
                "z": f"layers.{(label.layer or 1) - 1}",
                "a": f"activation.{(label.layer or 1) - 1}",
            }
            stem = base.get(letter, "loss" if letter == "L" else letter)
            return f"{stem}[{','.join(map(str, index))}]" if index else stem, ""
        layer = label.layer if letter in ("z", "a") else None
        text, latex = self._indexed(letter, layer, place)
        if several:
            return f"{text}[{index[0] + 1}]", rf"{latex}[{index[0] + 1}]"
        return text, latex

    def _indexed(self, letter: str, layer: int | None, place: Index) -> Named:
        numbers = [k + 1 for k in place]
        comma = "," if any(n > 9 for n in numbers) else ""
        low = comma.join(map(subscript, numbers))
        below = f"_{{{comma.join(map(str, numbers))}}}" if numbers else ""
        if layer is None:
            return f"{letter}{low}", f"{letter}{below}"
        level = str(layer) if self.preset == "nielsen" else f"({layer})"
        return f"{letter}{superscript(level)}{low}", f"{letter}^{{{level}}}{below}"


@dataclass
class _Places:
    """Where parameters stand: in which layer's weights or biases, and where in them."""

    whole: dict[Node, list[tuple[str, int]]] = field(default_factory=dict)
    single: dict[At, list[Use]] = field(default_factory=dict)

    def uses(self, at: At) -> list[Use]:
        """Every place of an element."""
        direct = [(letter, layer, at.index) for letter, layer in self.whole.get(at.node, ())]
        return direct + self.single.get(at, [])


def _places(root: Node, labels: Mapping[Node, Label]) -> _Places:
    elements = Elements(lambda node: np.asarray(node.value))
    found, layer = _Places(), 0
    for node in ancestors([root]):
        label = labels.get(node)
        if label is None or label.kind != WEIGHTED_SUM:
            continue
        layer = label.layer or layer + 1
        for letter, source in _operands(node, labels):
            if source in labels and labels[source].kind == PARAMETER:
                found.whole.setdefault(source, []).append((letter, layer))
                continue
            for index in np.ndindex(*source.shape):
                at = _resolved(At(source, index), elements, labels)
                if at is not None:
                    found.single.setdefault(at, []).append((letter, layer, index))
    return found


def _operands(node: Node, labels: Mapping[Node, Label]) -> list[tuple[str, Node]]:
    """The weight matrix and the bias of a weighted sum."""
    found, work = [], [node]
    while work:
        part = work.pop()
        if part.primitive is None or (part is not node and part in labels):
            continue
        if part.primitive.name == "matmul":
            turned = part.inputs[1]
            transposed = turned.primitive is not None and turned.primitive.name == "transpose"
            found.append(("w", turned.inputs[0] if transposed else turned))
        elif part.primitive.name == "broadcast":
            found.append(("b", part.inputs[0]))
        else:
            work += part.inputs
    return found


def _resolved(at: At, elements: Elements, labels: Mapping[Node, Label]) -> At | None:
    """The labelled element that this one is, past what only moves it."""
    while at.node not in labels:
        if at.node.primitive is None:
            return None
        inner = elements.formula(at)
        if not isinstance(inner, At):
            return None
        at = inner
    return at if labels[at.node].kind == PARAMETER else None
