"""docs/derivation.schema.json holds for what `Derivation.to_dict` gives.

The judge is a small reading of JSON Schema: the words that this schema uses, and no others.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(ROOT.joinpath("docs/derivation.schema.json").read_text("utf-8"))
ADAM = """
[parameters]
w = 0.3
v = -0.2
[[layer]]
units = ["h"]
weights = [["w"]]
activation = "tanh"
[[layer]]
units = ["o"]
weights = [["v"]]
[data]
inputs = { x = [0.5, 1.5] }
targets = { o = [1.0, 0.0] }
[loss]
kind = "mean_squared_error"
[update]
rule = "adam"
learning_rate = 0.01
"""


def faults(value: Any, schema: dict[str, Any], place: str = "$") -> Iterator[str]:
    """Where a value does not fit, and why."""
    for word, wanted in schema.items():
        yield from _WORDS[word](value, wanted, schema, place)


def _type(value: Any, wanted: Any, schema: Any, place: str) -> Iterator[str]:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if not any(_is(value, kind) for kind in kinds):
        yield f"{place} is {value!r}, not {' or '.join(kinds)}"


def _is(value: Any, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "object": isinstance(value, dict), "array": isinstance(value, list),
        "string": isinstance(value, str), "null": value is None, "number": number,
        "integer": number and float(value).is_integer(),
    }[kind]  # fmt: skip


def _properties(value: Any, wanted: Any, schema: Any, place: str) -> Iterator[str]:
    for key, inner in wanted.items():
        if isinstance(value, dict) and key in value:
            yield from faults(value[key], inner, f"{place}.{key}")


def _required(value: Any, wanted: Any, schema: Any, place: str) -> Iterator[str]:
    yield from (f"{place} has no {key}" for key in wanted if key not in value)


def _additional(value: Any, wanted: Any, schema: Any, place: str) -> Iterator[str]:
    for key in set(value) - set(schema.get("properties", {})):
        if wanted is False:
            yield f"{place} has {key}, of which the schema says nothing"
        else:
            yield from faults(value[key], wanted, f"{place}.{key}")


def _items(value: Any, wanted: Any, schema: Any, place: str) -> Iterator[str]:
    for k, item in enumerate(value if isinstance(value, list) else ()):
        yield from faults(item, wanted, f"{place}[{k}]")


def _reference(value: Any, wanted: Any, schema: Any, place: str) -> Iterator[str]:
    yield from faults(value, SCHEMA["$defs"][wanted.removeprefix("#/$defs/")], place)


def _any(value: Any, wanted: Any, schema: Any, place: str) -> Iterator[str]:
    if all(any(faults(value, inner, place)) for inner in wanted):
        yield f"{place} is {value!r}, which fits none of its kinds"


def _enum(value: Any, wanted: Any, schema: Any, place: str) -> Iterator[str]:
    if value not in wanted:
        yield f"{place} is {value!r}, not one of {wanted}"


def _says_nothing(value: Any, wanted: Any, schema: Any, place: str) -> Iterator[str]:
    yield from ()


_WORDS: dict[str, Callable[[Any, Any, Any, str], Iterator[str]]] = {
    "type": _type, "properties": _properties, "required": _required, "items": _items,
    "additionalProperties": _additional, "$ref": _reference, "anyOf": _any, "enum": _enum,
    "const": lambda value, wanted, schema, place: _enum(value, [wanted], schema, place),
    "minimum": lambda value, wanted, schema, place: iter(
        [f"{place} is {value}, below {wanted}"] if value is not None and value < wanted else []
    ),
    "minItems": lambda value, wanted, schema, place: iter(
        [f"{place} has fewer than {wanted}"] if len(value) < wanted else []
    ),
} | dict.fromkeys(("$schema", "$id", "$defs", "title", "description"), _says_nothing)  # fmt: skip


# What is explained.
def lecture(number: str) -> cg.explain.Derivation:
    return cg.explain(ROOT / f"examples/lectures/lecture_{number}.toml")


def large() -> cg.explain.Derivation:
    """More paths than are listed."""
    cg.manual_seed(0)
    model = cg.nn.Sequential(
        cg.nn.Linear(20, 30), cg.nn.ReLU(), cg.nn.Linear(30, 20), cg.nn.Tanh(), cg.nn.Linear(20, 5)
    )
    x = cg.tensor(np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32))
    return cg.explain(model(x).square().mean(), wrt=(model[0].weight, (3, 4)))


def endless() -> cg.explain.Derivation:
    """A value that JSON has no number for."""
    w = cg.tensor(1000.0, dtype=cg.float64, requires_grad=True)
    return cg.explain(cg.exp(w), wrt=w)


CASES: dict[str, Callable[[], cg.explain.Derivation]] = {
    "lecture 000": lambda: lecture("000"), "lecture 001": lambda: lecture("001"),
    "shared weights": lambda: lecture("002"),
    "cross-entropy": lambda: lecture("003_classification"),
    "an expression": lambda: lecture("004"), "Adam, two records": lambda: cg.explain(ADAM),
    "a large network": large, "an infinite value": endless,
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_schema_holds(case: str) -> None:
    data = json.loads(CASES[case]().to_json())
    assert list(faults(data, SCHEMA)) == []


def test_the_cases_show_what_the_schema_offers() -> None:
    assert json.loads(large().to_json())["gradients"][0]["hidden"]["value"] != 0
    assert json.loads(endless().to_json())["gradients"][0]["value"] == "inf"
    data = json.loads(cg.explain(ADAM).to_json())
    assert len(data["updates"][0]["lines"]) > 1
    assert {q["record"] for q in data["quantities"]} == {1, 2, None}


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "$ has no gradients": lambda d: d.pop("gradients"),
    "$.schema is 'other'": lambda d: d.update(schema="other"),
    "$ has extra": lambda d: d.update(extra=1),
    "$.quantities[0].value is '0.1'": lambda d: d["quantities"][0].update(value="0.1"),
    "$.quantities[0].kind is 'weight'": lambda d: d["quantities"][0].update(kind="weight"),
    "$.gradients[0].paths[0].factors has fewer": lambda d: d["gradients"][0]["paths"][0].update(
        factors=[]
    ),
    "$.gradients[0].paths[1].through[0] is 3": lambda d: d["gradients"][0]["paths"][1].update(
        through=[3]
    ),
    "$.quantities[0].layer is 0": lambda d: d["quantities"][0].update(layer=0),
    "$.after[0] has no name": lambda d: d["after"][0].pop("name"),
    "$.conventions.loss is 1": lambda d: d["conventions"].update(loss=1),
}


@pytest.fixture(scope="module")
def right() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(lecture("001").to_json())
    return data


@pytest.mark.parametrize("expected", CHANGES)
def test_what_does_not_fit_is_noticed(right: dict[str, Any], expected: str) -> None:
    data = copy.deepcopy(right)
    CHANGES[expected](data)
    (fault,) = faults(data, SCHEMA)
    assert fault.startswith(expected)


def test_the_numbers_of_the_contract_belong_together(right: dict[str, Any]) -> None:
    for gradient in right["gradients"]:
        total = sum(path["value"] for path in gradient["paths"])
        assert gradient["value"] == pytest.approx(total, rel=1e-12)
        for path in gradient["paths"]:
            product = np.prod([factor["value"] for factor in path["factors"]])
            assert path["value"] == pytest.approx(float(product), rel=1e-12)
