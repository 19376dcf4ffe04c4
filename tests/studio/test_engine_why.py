"""Why: the derivation of one gradient, with the lights of its factors; and a person's lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad.core.files import lecture_files
from chalkgrad.studio.passes import alone
from chalkgrad.worksheet import Worksheet
from tests.studio.engine import LECTURES, Talk, opened, parameters

VIEWS = ("board", "layer", "paths")


def flat(blocks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        yield block
        yield from flat(block.get("blocks", []))


@pytest.mark.parametrize("key", [*LECTURES, "xor", "circles"])
@pytest.mark.parametrize("view", VIEWS)
def test_why_is_the_derivation_of_explain(key: str, view: str) -> None:
    talk, state = opened(key)
    sheet = alone(Worksheet.from_text(state["worksheet"], name=f"{key}.toml"), 1)
    for name in list(parameters(state))[:3]:
        why = talk.ask("why", wrt=name, view=view)
        derivation = cg.explain(sheet, name, view=view)
        assert why["value"] == pytest.approx(derivation.gradients[0].value)
        assert why["name"].endswith(f"/∂{name}")
        written = json.dumps(why["blocks"], ensure_ascii=False)
        wanted = {"equation": 0, "table": 0, "heading": 0}
        for block in flat(why["blocks"]):
            assert block["kind"] in ("heading", "prose", "equation", "table", "picture", "fold")
            wanted[block["kind"]] = wanted.get(block["kind"], 0) + 1
        assert wanted["equation"] > 2
        assert "NaN" not in written
        assert why["derivation"]["schema"] == "chalkgrad/derivation/1"
        assert sum(p["value"] for p in why["paths"]) == pytest.approx(why["value"])
        shares = sum(path["share"] for path in why["paths"])
        assert shares == pytest.approx(1.0 if any(p["value"] for p in why["paths"]) else 0.0)


@pytest.mark.parametrize("names", ["lecture", "indexed", "nielsen", "pytorch"])
def test_lights_are_the_same_whatever_things_are_called(names: str) -> None:
    talk, state = opened("lecture_001")
    for wrt in [*list(parameters(state))[::3], "sum_h1", "output_o2", "i1"]:
        own = talk.ask("why", wrt=wrt)
        other = talk.ask("why", wrt=wrt, names=names)
        assert other["value"] == pytest.approx(own["value"], rel=1e-12)
        lights = [[path["lights"] for path in why["paths"]] for why in (own, other)]
        assert lights[0] == lights[1]


def test_factors_stand_as_they_do_in_the_product_and_light_up_what_they_are() -> None:
    talk, _ = opened("lecture_001")
    why = talk.ask("why", wrt="w5")
    links = [link for b in flat(why["blocks"]) if b["kind"] == "equation" for link in b["links"]]
    products = [link for link in links if link["factors"]]
    assert len(products) > 4
    for link in products:
        assert " · ".join(factor["text"] for factor in link["factors"]) == link["text"]
        assert r" \cdot ".join(factor["latex"] for factor in link["factors"]) == link["latex"]
    chain = next(link for link in products if link["text"].startswith("∂E_1"))
    assert [f["name"] for f in chain["factors"]] == [
        "∂E_1/∂output_o1", "∂output_o1/∂sum_o1", "∂sum_o1/∂w5",
    ]  # fmt: skip
    assert chain["factors"][2]["lights"]["weights"] == ["w5"]
    assert chain["factors"][0]["lights"]["loss"]
    numbers = next(link for link in products if link["text"] == "0.68493 · 0.19481 · 0.60109")
    assert numbers["factors"][2]["lights"]["weights"] == ["w5"]  # ∂sum_o1/∂w5, by its number


def test_digits_are_a_matter_of_display() -> None:
    talk, _ = opened("lecture_001")
    assert "0.0802031243" in json.dumps(talk.ask("why", wrt="w5", digits=10))
    assert "0.08 " not in json.dumps(talk.ask("why", wrt="w5", digits=2)["blocks"][0])


def test_who_asks_why_the_loss_is_what_it_is_sees_the_forward_pass() -> None:
    for key, loss in (("lecture_001", "E_total"), ("xor", "L[1]"), ("digits", "loss")):
        talk, _ = opened(key)
        why = talk.ask("why", wrt=loss)
        assert why["name"] == loss
        assert any(block["kind"] == "equation" for block in why["blocks"])
        assert why["value"] == talk.ask("hello", version=1)["state"]["scene"]["loss"]["value"]


def test_paths_are_told_one_by_one() -> None:
    talk, _ = opened("lecture_001")
    first, second = talk.ask("why", wrt="w1")["paths"]
    assert first["through"] == ["E_1", "output_o1", "sum_o1", "output_h1", "sum_h1"]
    assert first["lights"]["weights"] == ["w5", "w1"]
    assert second["value"] < 0 < first["value"]


def test_a_name_that_is_not_there_gets_a_proposal() -> None:
    talk, _ = opened("lecture_001")
    assert "Did you mean w5" in talk.refused("why", wrt="w55")


@pytest.mark.parametrize("key", ["lecture_001", "lecture_002", "lecture_004"])
def test_marks_are_those_of_check(key: str) -> None:
    talk, state = opened(key)
    answers = lecture_files(f"{key}.answers")[0].read_text()
    marks = talk.ask("mark", answers=answers)
    report = cg.check(Worksheet.from_text(state["worksheet"]), answers)
    assert marks["score"] == report.to_dict()["score"]
    words = {"correct": "right", "follows": "carried"}
    for mark, line in zip(marks["lines"], report.lines, strict=True):
        verdict = line.verdict.value
        assert (mark["line"], mark["status"]) == (line.line, words.get(verdict, verdict))


def test_a_marked_line_lights_up_its_place() -> None:
    talk, _ = opened("lecture_001")
    marks = talk.ask("mark", answers="sum_h1 = 0.42\ndE_total/dw5 = 0.0802\nnew w5 = 0.45188\n"
                     "delta_o1 = 0.13343\nprose\nthing = 3")  # fmt: skip
    lines = {line["line"]: line for line in marks["lines"]}
    assert lines[1]["status"] == "wrong"
    assert lines[1]["expected"] == pytest.approx(0.41)
    assert lines[1]["lights"]["units"] == ["h1"]
    assert lines[2]["lights"]["weights"] == lines[3]["lights"]["weights"] == ["w5"]
    assert lines[4]["lights"]["units"] == ["o1"]
    assert lines[2]["say"] == ""


def test_many_records_are_marked_one_at_a_time() -> None:
    talk = Talk()
    state = talk.ask("open", start="circles")
    unit = state["scene"]["layers"][1]["units"][0]
    marks = talk.ask("mark", answers=f"z_h1 = {unit['sum']!r}")
    assert [line["status"] for line in marks["lines"]] == ["right"]
