"""[names]: what each quantity is called, and that no two are called the same.

weighted_sum = "sum_{unit}"    {unit}: the unit, {n}: its place from 1, {layer}: the layer's
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from chalkgrad.formulas.spelling import canonical
from chalkgrad.worksheet.parts import Data, Layer, Loss, Names
from chalkgrad.worksheet.source import Section, said

DEFAULTS = {
    "weighted_sum": "z_{unit}", "activation": "a_{unit}", "target": "target_{unit}",
    "loss_term": "L_{unit}",
}  # fmt: skip
_PLACE = re.compile(r"\{(\w*)\}")
_KNOWN = ("unit", "n", "layer")


class Roll:
    """Every name of a worksheet, and what it is the name of."""

    def __init__(self) -> None:
        self.taken: dict[str, tuple[str, str]] = {}

    def add(self, section: Section, name: str, what: str) -> None:
        """Enter a name; refuse one that is there already, in this or another spelling."""
        key = canonical(name)
        if key in self.taken:
            other, owner = self.taken[key]
            clash = (
                f"{name} is {owner} and {what}"
                if other == name
                else f"{other} ({owner}) and {name} ({what}) are two spellings of one name"
            )
            fix = "rename one of them, or change the pattern under [names]"
            raise section.error(f"{clash}; {fix}", name)
        self.taken[key] = name, what

    def second(self, alias: str, name: str, into: dict[str, str]) -> None:
        """Another name for a quantity, unless something is called that."""
        if canonical(alias) not in self.taken:
            self.taken[canonical(alias)] = alias, f"another name of {name}"
            into[alias] = name


def read_names(
    section: Section, sections: Sequence[Section], layers: Sequence[Layer], data: Data, loss: Loss,
    parameters: Mapping[str, float],
) -> Names:  # fmt: skip
    """The names of all quantities of a network."""
    section.only(*DEFAULTS, "loss", "delta")
    patterns = {key: section.string(key, default) for key, default in DEFAULTS.items()}
    roll, aliases = Roll(), dict[str, str]()
    for name in parameters:
        roll.add(Section(section.source, "parameters", {}), name, "a parameter")
    for name in data.inputs:
        roll.add(Section(section.source, "data", {}), name, "an input")
    outputs = layers[-1].units
    targets = _filled(section, "target", patterns["target"], outputs, len(layers))
    _enter(roll, section, targets, [f"the target of {unit}" for unit in outputs])
    sums, activations = [], []
    for inner, layer in zip(sections, layers, strict=True):
        first, second = _layer_names(inner, layer, patterns, roll, aliases)
        sums.append(first)
        activations.append(second)
    name = section.name(section.string("loss", "L"), "loss")
    roll.add(section, name, "the loss")
    terms = _loss_terms(section, patterns["loss_term"], layers, data, loss)
    if len(terms) == 1 and data.records == 1:
        roll.second(terms[0], name, aliases)
        terms = ()
    _enter(roll, section, terms, [f"the loss of {unit}" for unit in outputs])
    delta = section.choice("delta", ("positive", "negative"), "positive")
    return Names(tuple(sums), tuple(activations), targets, terms, name, delta, aliases)


def _layer_names(
    section: Section, layer: Layer, patterns: Mapping[str, str], roll: Roll, aliases: dict[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    own = section.inner("names")
    own.only("weighted_sum", "activation")
    k = (section.index or 0) + 1
    both = [
        _filled(own, key, own.string(key, patterns[key]), layer.units, k)
        for key in ("weighted_sum", "activation")
    ]
    sums, activations = both
    if layer.activation == "identity":
        _enter(roll, own, activations, [f"the output of {unit}" for unit in layer.units])
        for alias, name in zip(sums, activations, strict=True):
            roll.second(alias, name, aliases)
        return activations, activations
    _enter(roll, own, sums, [f"the weighted sum of {unit}" for unit in layer.units])
    _enter(roll, own, activations, [f"the activation of {unit}" for unit in layer.units])
    return sums, activations


def _loss_terms(
    section: Section, pattern: str, layers: Sequence[Layer], data: Data, loss: Loss
) -> tuple[str, ...]:
    """A name for the loss of each output. Cross-entropy on logits has one term a record."""
    names = _filled(section, "loss_term", pattern, layers[-1].units, len(layers))
    logits = loss.kind == "cross_entropy" and layers[-1].activation == "identity"
    return () if logits else names


def _filled(
    section: Section, key: str, pattern: str, units: Sequence[str], layer: int
) -> tuple[str, ...]:
    """The pattern for each unit."""
    for word in _PLACE.findall(pattern):
        if word not in _KNOWN:
            known = "it may have {unit}, {n} and {layer}"
            raise section.error(f"{key} = {said(pattern)} has {{{word}}}; {known}", key)
    if len(units) > 1 and not re.search(r"\{(unit|n)\}", pattern):
        raise section.error(
            f"{key} = {said(pattern)} gives {', '.join(units[:3])} one name; add {{unit}} or {{n}}",
            key,
        )
    found = []
    for n, unit in enumerate(units, 1):
        values = {"unit": unit, "n": str(n), "layer": str(layer)}
        name = _PLACE.sub(lambda m, v=values: v[m[1]], pattern)  # type: ignore[misc]
        found.append(section.name(name, key))
    return tuple(found)


def _enter(roll: Roll, section: Section, names: Iterable[str], what: Iterable[str]) -> None:
    for name, owner in zip(names, what, strict=False):
        roll.add(section, name, owner)
