"""The State: what is shown is what the engine computes."""

from __future__ import annotations

import json
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad.studio.passes import alone
from chalkgrad.worksheet import Problem, Worksheet
from tests.studio.engine import GALLERY, LECTURES, Talk, opened, parameters

KEYS = {
    "version", "title", "source", "kind", "loss", "updates", "losses", "records", "record",
    "record_names", "settings", "scene", "steps", "undo", "redo", "worksheet", "share", "view",
    "notes",
}  # fmt: skip


def test_hello_says_what_there_is_to_start_from_and_to_choose() -> None:
    hello = Talk().ask("hello", version=1)
    assert hello["version"] == 1
    assert hello["state"] is None
    assert {start["key"] for start in hello["starts"]} >= {*LECTURES, *GALLERY, "digits"}
    rules = {rule["name"]: rule["settings"] for rule in hello["choices"]["rules"]}
    assert rules["adam"]["betas"] == [0.9, 0.999]
    assert "tanh" in hello["choices"]["activations"]
    assert "cross_entropy" in hello["choices"]["losses"]


def test_hello_after_a_lost_connection_shows_the_state_again() -> None:
    talk, state = opened("lecture_001")
    assert talk.ask("hello", version=1)["state"] == state


def test_an_old_page_is_told_to_load_again() -> None:
    assert "load the page again" in Talk().refused("hello", version=2)


@pytest.mark.parametrize("key", [*LECTURES, *GALLERY, "digits"])
def test_every_start_opens_with_a_whole_state(key: str) -> None:
    _, state = opened(key)
    assert set(state) == KEYS
    assert len(json.dumps(state, allow_nan=False)) < 2 << 20
    assert state["updates"] == 0
    assert state["losses"] == [[0, state["loss"]["value"]]]
    assert not state["undo"]


@pytest.mark.parametrize("key", [*LECTURES, "xor"])
@pytest.mark.parametrize("record", [1, None])
def test_gradients_agree_with_finite_differences(key: str, record: int | None) -> None:
    talk, state = opened(key)
    if state["records"] > 1:
        state = talk.ask("select", record=record)
    sheet = Worksheet.from_text(state["worksheet"])
    if record is not None and state["records"] > 1:
        sheet = alone(sheet, record)
    step = 1e-6
    for name, found in parameters(state).items():
        at = sheet.parameters[name]
        up, down = (Problem.of(sheet, {name: at + d}).loss.item() for d in (step, -step))
        assert found["gradient"] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("key", [*LECTURES, "xor", "circles"])
def test_steps_cover_every_quantity_with_the_numbers_of_explain(key: str) -> None:
    _, state = opened(key)
    sheet = Worksheet.from_text(state["worksheet"])
    shown = alone(sheet, 1)
    derivation = cg.explain(shown)
    board = derivation.board
    computed = {n: q.value for n, q in board.quantities.items() if q.formula is not None}
    steps: dict[str, dict[str, float]] = {"forward": {}, "backward": {}, "update": {}}
    for step in state["steps"]:
        steps[step["phase"]][step["name"]] = step["value"]
    assert steps["forward"] == pytest.approx(computed)
    gradients = {g.wrt.text: g.value for g in derivation.gradients}
    for name, value in gradients.items():
        assert steps["backward"][f"∂{board.loss}/∂{name}"] == pytest.approx(value)
    inner = {f"∂{board.loss}/∂{n}": v for n, v in board.gradients(board.loss).items()}
    assert steps["backward"] == pytest.approx({n: inner[n] for n in steps["backward"]})
    wanted = set(computed) - {board.loss} | set(gradients)
    assert {f"∂{board.loss}/∂{name}" for name in wanted} <= set(steps["backward"])
    whole = cg.explain(sheet) if sheet.update else None
    new = {f"new {u.name.text}": u.new for u in whole.updates} if whole else {}
    assert steps["update"] == pytest.approx(new)


@pytest.mark.parametrize("key", [*LECTURES, "xor"])
def test_steps_come_in_an_order_in_which_they_can_be_computed(key: str) -> None:
    _, state = opened(key)
    order = [step["name"] for step in state["steps"]]
    assert len(order) == len(set(order))
    phases = [step["phase"] for step in state["steps"]]
    assert phases == sorted(phases, key=["forward", "backward", "update"].index)
    sheet = alone(Worksheet.from_text(state["worksheet"]), 1)
    board = cg.explain(sheet).board
    loss = board.loss
    for of, by in board.locals:
        if {of, by} <= set(order):
            assert order.index(by) < order.index(of)
        names = [f"∂{loss}/∂{of}", f"∂{loss}/∂{by}"]
        if set(names) <= set(order):
            assert order.index(names[0]) < order.index(names[1])


@pytest.mark.parametrize("key", [*LECTURES, *GALLERY])
def test_lights_are_parts_of_the_picture(key: str) -> None:
    _, state = opened(key)
    scene = state["scene"]
    if scene["layout"] == "graph":
        units = {vertex["id"] for vertex in scene["vertices"]}
        lines = {edge["id"] for edge in scene["edges"]}
    else:
        units = {unit["id"] for column in scene["layers"] for unit in column["units"]}
        lines = {weight["id"] for weight in scene["weights"]}
    for step in state["steps"]:
        lights = step["lights"]
        assert set(lights["units"]) <= units
        assert set(lights["weights"] + lights["edges"]) <= lines
        assert lights["units"] or lights["weights"] or lights["loss"]
        assert step["words"].count("\n") == 0


def test_a_step_lights_up_what_it_computes() -> None:
    _, state = opened("lecture_001")
    steps = {step["name"]: step["lights"] for step in state["steps"]}
    assert steps["sum_h1"]["weights"] == ["w1", "w3"]
    assert set(steps["sum_h1"]["units"]) == {"h1", "i1", "i2"}
    assert steps["output_h1"]["units"] == ["h1"]
    assert set(steps["∂E_total/∂output_h1"]["weights"]) == {"w5", "w7"}
    assert steps["∂E_total/∂w5"]["weights"] == ["w5"]
    assert set(steps["∂E_total/∂b1"]["units"]) == {"h1", "h2"}


def test_a_shared_weight_stands_at_each_of_its_places() -> None:
    _, state = opened("lecture_002")
    ids = [weight["id"] for weight in state["scene"]["weights"]]
    assert ids == ["w1", "w2", "w2·2", "w2·3", "w3", "w4"]
    (step,) = [s for s in state["steps"] if s["name"] == "z_h1"]
    assert step["lights"]["weights"] == ["w1", "w2"]
    (step,) = [s for s in state["steps"] if s["name"].endswith("/∂w2")]
    assert step["lights"]["weights"] == ["w2", "w2·2", "w2·3"]


def test_fixed_and_frozen_parameters_say_so() -> None:
    talk = Talk()
    sheet = """
[parameters]
w = 0.5
v = 1.5
[[layer]]
units = ["h"]
weights = [["w", 0.25]]
bias = 1.0
activation = "tanh"
[[layer]]
units = ["o"]
weights = [["v"]]
[data]
inputs = { x1 = 1.0, x2 = 2.0 }
targets = { o = 1.0 }
[loss]
kind = "squared_error"
[update]
learning_rate = 0.1
frozen = ["v"]
"""
    state = talk.ask("open", worksheet=sheet)
    weights = {w["id"]: w for w in state["scene"]["weights"]}
    assert not weights["w"]["fixed"]
    assert weights["v"]["fixed"]
    assert weights["x2→h"] == {
        "id": "x2→h", "from": "x2", "to": "h", "layer": 1, "name": None, "value": 0.25,
        "gradient": None, "fixed": True,
    }  # fmt: skip
    assert state["scene"]["layers"][1]["units"][0]["bias"]["fixed"]


def test_one_record_or_all_of_them() -> None:
    talk, state = opened("xor")
    assert (state["records"], state["record"]) == (4, 1)
    assert state["scene"]["loss"]["name"] == "L[1]"
    second = talk.ask("select", record=2)
    every = talk.ask("select", record=None)
    losses = [talk.ask("select", record=k)["scene"]["loss"]["value"] for k in (1, 2, 3, 4)]
    assert sum(losses) / 4 == pytest.approx(every["loss"]["value"])
    assert every["loss"] == second["loss"] == state["loss"]
    unit = every["scene"]["layers"][1]["units"][0]
    assert unit["value"] is None
    assert unit["values"][1] == second["scene"]["layers"][1]["units"][0]["value"]


def test_many_records_are_shown_one_at_a_time() -> None:
    talk, state = opened("circles")
    assert state["records"] == 200
    assert "select one" in talk.refused("select", record=None)
    assert "from 1 to 200" in talk.refused("select", record=201)


def test_the_plane_is_what_the_network_says() -> None:
    _, state = opened("circles")
    plane = state["view"]["plane"]
    size, values = plane["size"], plane["values"]
    assert len(values) == size * size
    (_, left, right), (_, low, high) = plane["x"], plane["y"]
    sheet = Worksheet.from_text(state["worksheet"])
    for column, row in ((0, 0), (size - 1, 0), (0, size - 1), (7, 11)):
        x = left + (right - left) * column / (size - 1)
        y = high - (high - low) * row / (size - 1)
        one = _with_record(sheet, {"x1": x, "x2": y})
        found = Problem.of(one).outputs
        assert found is not None
        assert values[row * size + column] == pytest.approx(found.item(), rel=1e-4)
    assert len(plane["points"]) == 200
    assert plane["level"] == 0.5


def _with_record(sheet: Worksheet, inputs: dict[str, float]) -> Worksheet:
    from dataclasses import replace

    from chalkgrad.worksheet import Data

    targets = dict.fromkeys(sheet.layers[-1].units, (0.0,))
    data = Data({name: (value,) for name, value in inputs.items()}, targets, 1)
    return replace(sheet, data=data)


def test_the_curve_is_what_the_network_says() -> None:
    _, state = opened("curve")
    curve = state["view"]["curve"]
    sheet = Worksheet.from_text(state["worksheet"])
    for k in (0, 50, 120):
        found = Problem.of(_with_record(sheet, {"x": curve["xs"][k]})).outputs
        assert found is not None
        assert curve["ys"][k] == pytest.approx(found.item(), rel=1e-3, abs=1e-4)


def test_health_names_a_saturated_unit_first() -> None:
    talk, state = opened("lecture_001")
    assert {entry["what"] for entry in state["view"]["health"]} == {"fine"}
    state = talk.ask("edit", change={"set": {"w1": 500.0}})
    first: dict[str, Any] = state["view"]["health"][0]
    assert first["what"] == "saturated"
    assert "h1" in first["name"] + first["say"]


def test_a_large_worksheet_is_folded_and_answers_why() -> None:
    width = 70
    rows = "\n".join(f'["w{k}"],' for k in range(width))
    units = ", ".join(f'"h{k}"' for k in range(width))
    values = "\n".join(f"w{k} = 0.{k + 1}\nv{k} = 0.1" for k in range(width))
    out = ", ".join(f'"v{k}"' for k in range(width))
    talk = Talk()
    state = talk.ask(
        "open",
        worksheet=f"""
[parameters]
{values}
[[layer]]
units = [{units}]
weights = [{rows}]
activation = "tanh"
[[layer]]
units = ["o"]
weights = [[{out}]]
[data]
inputs = {{ x = 1.0 }}
targets = {{ o = 1.0 }}
[loss]
kind = "squared_error"
""",
    )
    assert state["steps"] == []
    column = state["scene"]["layers"][1]
    assert (column["count"], column["first"], column["folded"]) == (70, 1, True)
    assert len(column["units"]) == 16
    column = talk.ask("unfold", layer=1, **{"from": 60})["scene"]["layers"][1]
    assert (column["first"], column["units"][-1]["name"]) == (55, "h69")
    assert talk.ask("why", wrt="w3")["name"] == "∂L/∂w3"
