"""Edits: everything follows, undo goes back, and a refused edit changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.worksheet import Worksheet
from tests.studio.engine import LECTURES, Talk, opened, parameters, shown


def test_a_set_weight_moves_everything_behind_it() -> None:
    talk, before = opened("lecture_001")
    after = talk.ask("edit", change={"set": {"w5": 0.9}})
    assert after["version"] > before["version"]
    assert parameters(after)["w5"]["value"] == 0.9
    assert after["loss"]["value"] != before["loss"]["value"]
    assert Worksheet.from_text(after["worksheet"]).parameters["w5"] == 0.9
    assert after["undo"]
    assert not after["redo"]
    assert after["updates"] == 0


def test_inputs_and_targets_of_the_selected_record_are_set() -> None:
    talk, _ = opened("xor")
    talk.ask("select", record=3)
    state = talk.ask("edit", change={"set": {"x2": 0.25, "target_o": 0.75}})
    data = Worksheet.from_text(state["worksheet"]).data
    assert data is not None
    assert data.inputs["x2"] == (0.0, 1.0, 0.25, 1.0)
    assert data.targets["o"] == (0.0, 1.0, 0.75, 0.0)
    assert state["record"] == 3


def test_the_authors_text_stays_as_it_was() -> None:
    talk, before = opened("lecture_002")
    after = talk.ask("edit", change={"set": {"w3": 0.75}})
    old, new = before["worksheet"].splitlines(), after["worksheet"].splitlines()
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert changed == [("w3 = 0.2", "w3 = 0.75")]
    after = talk.ask("edit", change={"update": {"learning_rate": 0.25, "momentum": 0.5}})
    assert "# w2 three times, as the lecture computes it" in after["worksheet"]
    assert after["settings"]["update"]["momentum"] == 0.5


def test_rule_activation_and_loss_change() -> None:
    talk, _ = opened("lecture_001")
    state = talk.ask("edit", change={"update": {"rule": "adam", "betas": [0.5, 0.9]}})
    assert state["settings"]["update"]["rule"] == "adam"
    assert state["settings"]["update"]["betas"] == [0.5, 0.9]
    assert state["settings"]["update"]["learning_rate"] == 0.6  # it stays
    state = talk.ask("edit", change={"activation": {"layer": 1, "to": "relu"}})
    assert state["scene"]["layers"][1]["title"] == "layer 1: relu"
    state = talk.ask("edit", change={"loss": {"kind": "mean_squared_error"}})
    assert state["settings"]["loss"] == {"kind": "mean_squared_error", "over_records": "sum"}
    assert state["loss"]["value"] == pytest.approx(
        sum((u["value"] - u["target"]["value"]) ** 2 for u in state["scene"]["layers"][2]["units"])
        / 2
    )


def test_a_rules_own_settings_go_with_it() -> None:
    talk, _ = opened("lecture_001")
    talk.ask("edit", change={"update": {"rule": "sgd", "momentum": 0.9}})
    state = talk.ask("edit", change={"update": {"rule": "adam", "learning_rate": 0.01}})
    assert "momentum" not in state["worksheet"]


@pytest.mark.parametrize("key", ["lecture_001", "lecture_002", "xor", "circles", "curve"])
def test_units_are_added_and_taken_away(key: str) -> None:
    talk, before = opened(key)
    count = before["settings"]["layers"][0]["units"]
    more = talk.ask("edit", change={"units": {"layer": 1, "count": count + 2}})
    assert more["settings"]["layers"][0]["units"] == count + 2
    kept = {name: p["value"] for name, p in parameters(before).items()}
    assert {n: parameters(more)[n]["value"] for n in kept} == kept
    fewer = talk.ask("edit", change={"units": {"layer": 1, "count": count}})
    assert fewer["worksheet"] == before["worksheet"]
    one = talk.ask("edit", change={"units": {"layer": 1, "count": 1}})
    assert len(one["scene"]["layers"][1]["units"]) == 1


@pytest.mark.parametrize("key", ["lecture_001", "lecture_002", "xor", "circles"])
def test_layers_are_added_and_removed(key: str) -> None:
    talk, before = opened(key)
    layers = len(before["settings"]["layers"])
    for place in (1, layers):
        more = talk.ask("edit", change={"layers": {"add": place}})
        assert len(more["settings"]["layers"]) == layers + 1
        less = talk.ask("edit", change={"layers": {"remove": place}})
        assert [e["units"] for e in less["settings"]["layers"]] == [
            e["units"] for e in before["settings"]["layers"]
        ]
    only = before
    while len(only["settings"]["layers"]) > 1:
        only = talk.ask("edit", change={"layers": {"remove": 1}})
    assert "the last layer" in talk.refused("edit", change={"layers": {"remove": 1}})


def test_a_seed_draws_all_weights_again_and_the_same() -> None:
    talk, _ = opened("circles")
    first = talk.ask("edit", change={"seed": 5})
    other = talk.ask("edit", change={"seed": 6})
    again = talk.ask("edit", change={"seed": 5})
    assert parameters(first) == parameters(again) != parameters(other)
    assert (first["settings"]["seed"], other["settings"]["seed"]) == (5, 6)


def test_the_whole_text_may_be_edited() -> None:
    talk, before = opened("lecture_004")
    text = before["worksheet"].replace("x = 4", "x = 5  # more")
    state = talk.ask("edit", change={"worksheet": text})
    assert state["worksheet"] == text
    assert state["loss"]["value"] == 33


def test_a_drag_is_one_entry_of_the_history() -> None:
    talk, before = opened("lecture_001")
    for value in (0.2, 0.3, 0.4):
        talk.ask("edit", change={"set": {"w1": value}}, gesture="a")
    talk.ask("edit", change={"set": {"w2": 0.9}}, gesture="b")
    assert parameters(talk.ask("undo"))["w1"]["value"] == 0.4
    assert shown(talk.ask("undo")) == shown(before)
    assert talk.refused("undo") == "there is nothing to undo"
    assert parameters(talk.ask("redo"))["w1"]["value"] == 0.4


REFUSED = [
    ("lecture_001", {"set": {"w99": 1.0}}, "w99"),
    ("lecture_001", {"set": {"w1": "1.0"}}, "must be a number"),
    ("lecture_001", {"set": {"w1": True}}, "must be a number"),
    ("lecture_001", {"set": {"w1": 1e400}}, "finite"),
    ("lecture_001", {"set": {"w1": 10**400}}, "finite"),
    ("lecture_001", {"set": {}}, "nothing to change"),
    ("lecture_001", {"set": {"sum_h1": 1.0}}, "no parameter, input or target"),
    ("lecture_001", {"set": {"w1": 0.5, "w99": 1.0}}, "w99"),
    ("lecture_001", {"update": {"rule": "sgdd"}}, "Did you mean sgd"),
    ("lecture_001", {"update": {"learning_rate": -1}}, "Invalid learning rate"),
    ("lecture_001", {"update": {"learning_rate": "fast"}}, "must be a number"),
    ("lecture_001", {"update": {"frozen": ["w1"]}}, "frozen"),
    ("lecture_001", {"activation": {"layer": 3, "to": "tanh"}}, "from 1 to 2"),
    ("lecture_001", {"activation": {"layer": 1, "to": "tan"}}, "Did you mean tanh"),
    ("lecture_001", {"loss": {"kind": "cross_entropy"}}, "softmax"),
    ("lecture_001", {"loss": {"over_records": "max"}}, "sum, mean"),
    ("lecture_001", {"units": {"layer": 2, "count": 3}}, "a unit for each target"),
    ("lecture_001", {"units": {"layer": 1, "count": 0}}, "from 1 to"),
    ("lecture_001", {"units": {"layer": 1, "count": 10**9}}, "from 1 to"),
    ("lecture_001", {"units": {"layer": 1, "count": 2.5}}, "whole number"),
    ("lecture_001", {"layers": {"add": 9}}, "from 1 to 2"),
    ("lecture_001", {"layers": {"add": 1, "remove": 1}}, "either"),
    ("lecture_001", {"layers": {}}, "either"),
    ("lecture_001", {"worksheet": "x = = 1"}, "no TOML"),
    ("lecture_001", {"worksheet": "[expression]\nJ = 'import os'\n"}, "J"),
    ("lecture_001", {"seed": -1}, "whole number"),
    ("lecture_001", {"seed": 1, "set": {"w1": 1}}, "one part"),
    ("lecture_001", {}, "one part"),
    ("lecture_001", {"weights": 3}, "no field"),
    ("lecture_001", [], "must be an object"),
    ("lecture_001", None, "needs the field"),
    ("lecture_004", {"units": {"layer": 1, "count": 3}}, "formulas"),
    ("lecture_004", {"seed": 3}, "formulas"),
    ("xor", {"set": {"x1[7]": 1.0}}, "no record 7"),
    ("xor", {"set": {"target_o": 1.5}}, "from 0 to 1"),
    ("digits", {"layers": {"add": 1}}, "cannot be changed"),
    ("digits", {"set": {"0.weight[0,99]": 1.0}}, "no parameter"),
    ("digits", {"set": {"0.weight[0]": 1.0}}, "no parameter"),
    ("digits", {"update": {"betas": [1]}}, "no field"),
    ("digits", {"update": {"learning_rate": -1}}, "refuses"),
    ("digits", {"units": {"layer": 2, "count": 3}}, "a unit for each target"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "change", "words"), REFUSED)
def test_a_refused_edit_says_why_and_changes_nothing(key: str, change: Any, words: str) -> None:
    talk, before = opened(key)
    message = talk.refused("edit", change=change)
    assert words in message
    assert "\n" not in message
    assert len(message) < 400
    assert talk.ask("hello", version=1)["state"] == before


def test_an_edited_text_is_refused_with_its_line() -> None:
    talk, before = opened("lecture_001")
    text = before["worksheet"].replace('activation = "sigmoid"', 'activation = "sigmod"', 1)
    reply = talk.reply("edit", change={"worksheet": text})
    line = text[: text.index('"sigmod"')].count("\n") + 1
    assert reply["error"]["line"] == line


NUMBERS = st.floats(-5, 5, allow_nan=False)
CHANGES = st.one_of(
    st.dictionaries(st.sampled_from(["w1", "w2", "w9", "b1"]), NUMBERS, min_size=1).map(
        lambda values: {"set": values}
    ),
    st.sampled_from(["sgd", "adam", "rprop"]).map(lambda rule: {"update": {"rule": rule}}),
    st.floats(1e-4, 1).map(lambda rate: {"update": {"learning_rate": rate}}),
    st.tuples(st.integers(1, 3), st.sampled_from(["tanh", "relu", "sigmoid", "softmax"])).map(
        lambda pair: {"activation": {"layer": pair[0], "to": pair[1]}}
    ),
    st.tuples(st.integers(1, 3), st.integers(1, 4)).map(
        lambda pair: {"units": {"layer": pair[0], "count": pair[1]}}
    ),
    st.tuples(st.sampled_from(["add", "remove"]), st.integers(1, 3)).map(
        lambda pair: {"layers": {pair[0]: pair[1]}}
    ),
    st.sampled_from(["half_squared_error", "binary_cross_entropy", "cross_entropy"]).map(
        lambda kind: {"loss": {"kind": kind}}
    ),
    st.integers(0, 9).map(lambda seed: {"seed": seed}),
)


@settings(max_examples=12)
@given(st.sampled_from(["lecture_001", "lecture_002", "xor"]), st.lists(CHANGES, max_size=5))
def test_undoing_everything_is_the_beginning_and_redoing_the_end(
    key: str, changes: list[dict[str, Any]]
) -> None:
    talk, beginning = opened(key)
    states = [beginning]
    for change in changes:
        reply = talk.reply("edit", change=change)
        if "ok" in reply:
            states.append(reply["ok"])
        else:
            assert "the studio failed" not in reply["error"]["message"]
    for state in reversed(states[:-1]):
        assert shown(talk.ask("undo")) == shown(state)
    assert "nothing to undo" in talk.refused("undo")
    for state in states[1:]:
        assert shown(talk.ask("redo")) == shown(state)
    assert "nothing to redo" in talk.refused("redo")


@pytest.mark.parametrize("key", [*LECTURES, "xor", "circles"])
def test_what_an_edit_leaves_is_a_worksheet(key: str) -> None:
    talk, before = opened(key)
    name = next(iter(parameters(before)))
    state = talk.ask("edit", change={"set": {name: 0.125}})
    again = Talk().ask("open", worksheet=state["worksheet"])
    assert again["loss"]["value"] == state["loss"]["value"]
    assert parameters(again) == parameters(state)


def test_the_history_of_a_large_network_is_as_long_as_there_is_room() -> None:
    from chalkgrad.studio import session as sessions
    from chalkgrad.studio.history import History

    history = History(0)
    for k in range(1, 50):
        history.enter(k, most=7)
    for k in range(49, 42, -1):
        assert history.now == k
        history.undo()
    assert not history.can_undo
    assert sessions._ROOM // (3 * 235_146) > 20  # 784-256-128-10 with Adam


@pytest.mark.parametrize("key", ["lecture_001", "lecture_002", "circles", "digits"])
def test_the_numbers_of_an_edit_come_before_its_reply(key: str) -> None:
    talk, before = opened(key)
    name = next(w["name"] for w in before["scene"]["weights"] if w["name"])
    talk.events.clear()
    after = talk.ask("edit", change={"set": {name: 0.625}})
    (event,) = talk.events
    assert event["event"] == "numbers"
    assert event["version"] == after["version"]
    assert _numbers(event["scene"]) == _numbers(after["scene"]) != _numbers(before["scene"])


def test_a_graph_comes_whole_with_its_reply() -> None:
    talk, _ = opened("lecture_004")
    talk.ask("edit", change={"set": {"x": 0.625}})
    assert talk.events == []


def _numbers(part: object) -> object:
    """A scene without its formulas."""
    if isinstance(part, dict):
        return {k: _numbers(v) for k, v in part.items() if k not in ("formula", "latex")}
    return [_numbers(each) for each in part] if isinstance(part, list) else part
