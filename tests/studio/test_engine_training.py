"""Training: the engine's own updates, at once or in the background, and back again."""

from __future__ import annotations

import time

import numpy as np
import pytest

from chalkgrad.studio.limits import MOST_LOSSES
from chalkgrad.studio.losses import extended, thinned
from chalkgrad.studio.trainer import batches
from chalkgrad.worksheet import Worksheet, learned
from tests.studio.engine import LECTURES, Talk, opened, parameters, shown

TRAINED = [key for key in LECTURES if key != "lecture_004"]


@pytest.mark.parametrize("key", [*TRAINED, "xor", "curve"])
def test_steps_are_the_updates_of_the_worksheet(key: str) -> None:
    talk, before = opened(key)
    if before["settings"]["update"] is None:
        talk.ask("edit", change={"update": {"rule": "sgd", "learning_rate": 0.1}})
        before = talk.ask("hello", version=1)["state"]
    talk.ask("step", count=1)
    after = talk.ask("step", count=40)
    wanted = learned(Worksheet.from_text(before["worksheet"]), 41)
    found = Worksheet.from_text(after["worksheet"]).parameters
    assert dict(found) == pytest.approx(wanted, rel=1e-10, abs=1e-14)
    assert after["updates"] == 41
    assert after["losses"][0] == pytest.approx([0, before["loss"]["value"]])
    assert after["losses"][-1] == [41, after["loss"]["value"]]


@pytest.mark.parametrize("rule", ["adam", "rmsprop", "rprop", "adagrad"])
def test_a_rule_remembers_between_steps(rule: str) -> None:
    talk, _ = opened("lecture_001")
    before = talk.ask("edit", change={"update": {"rule": rule, "learning_rate": 0.05}})
    for _ in range(3):
        after = talk.ask("step", count=2)
    wanted = learned(Worksheet.from_text(before["worksheet"]), 6)
    found = Worksheet.from_text(after["worksheet"]).parameters
    assert dict(found) == pytest.approx(wanted, rel=1e-9, abs=1e-13)


def test_undo_takes_a_step_and_what_the_rule_remembers_back() -> None:
    talk, _ = opened("lecture_001")
    talk.ask("edit", change={"update": {"rule": "adam", "learning_rate": 0.05}})
    first = talk.ask("step", count=2)
    second = talk.ask("step", count=2)
    assert shown(talk.ask("undo")) == shown(first)
    again = talk.ask("step", count=2)
    assert parameters(again) == parameters(second)


def test_update_steps_are_what_the_next_step_does() -> None:
    for key in ("lecture_001", "xor"):
        talk, _ = opened(key)
        talk.ask("edit", change={"update": {"rule": "adam", "learning_rate": 0.05}})
        state = talk.ask("step", count=3)
        said = {s["name"]: s["value"] for s in state["steps"] if s["phase"] == "update"}
        after = talk.ask("step", count=1)
        for name, part in parameters(after).items():
            if part["fixed"]:
                assert f"new {name}" not in said
                continue
            assert said[f"new {name}"] == pytest.approx(part["value"], rel=1e-9)


def test_reset_goes_back_to_the_last_edit() -> None:
    talk, _ = opened("lecture_001")
    edited = talk.ask("edit", change={"set": {"w1": 0.7}})
    talk.ask("step", count=5)
    back = talk.ask("reset")
    assert shown(back) == shown(edited)
    assert talk.ask("undo")["updates"] == 5


def test_an_edit_keeps_what_was_learned_and_counts_anew() -> None:
    talk, _ = opened("lecture_001")
    learned_ = talk.ask("step", count=5)
    edited = talk.ask("edit", change={"update": {"learning_rate": 0.1}})
    values = {n: p["value"] for n, p in parameters(learned_).items()}
    assert {n: p["value"] for n, p in parameters(edited).items()} == values
    assert edited["updates"] == 0


def test_training_runs_in_the_background_and_pauses() -> None:
    talk, before = opened("xor")
    assert talk.ask("train") == {}
    talk.wait(lambda: len(talk.events) >= 3)
    state = talk.ask("pause")
    last = talk.events[-1]
    assert (last["event"], last["why"]) == ("trained", "paused")
    assert last["state"] == state
    assert state["updates"] >= 3
    counts = [event["updates"] for event in talk.events[:-1]]
    assert counts == sorted(set(counts))
    for event in talk.events[:-1]:
        assert event["event"] == "training"
        assert event["scene"]["layout"] == "layers"
        assert event["view"]["plane"]["size"] == 40
        assert event["losses"][-1] == [event["updates"], event["loss"]]
    assert shown(talk.ask("undo")) == shown(before)  # one entry
    time.sleep(0.15)
    assert len(talk.events) == len(counts) + 1  # nothing comes after the end


def test_events_are_at_most_ten_a_second() -> None:
    talk, _ = opened("xor")
    started = time.monotonic()
    talk.ask("train")
    talk.wait(lambda: len(talk.events) >= 12)
    passed = time.monotonic() - started
    talk.ask("pause")
    assert passed >= 1.0


def test_training_reaches_the_count_that_was_asked_for() -> None:
    talk, before = opened("xor")
    talk.ask("step", count=10)
    talk.ask("train", until=500)
    talk.wait(lambda: bool(talk.events) and talk.events[-1]["event"] == "trained")
    end = talk.events[-1]
    assert (end["why"], end["state"]["updates"]) == ("reached", 500)
    wanted = learned(Worksheet.from_text(before["worksheet"]), 500)
    found = Worksheet.from_text(end["state"]["worksheet"]).parameters
    assert dict(found) == pytest.approx(wanted, rel=1e-8, abs=1e-12)
    assert "500 updates are made already" in talk.refused("train", until=500)


def test_an_edit_pauses_training_first() -> None:
    talk, _ = opened("xor")
    talk.ask("train")
    talk.wait(lambda: bool(talk.events))
    state = talk.ask("edit", change={"set": {"w1": 0.5}})
    assert [event["event"] for event in talk.events[-2:]] == ["trained", "numbers"]
    assert parameters(state)["w1"]["value"] == 0.5
    assert talk.ask("hello", version=1)["state"] == state


def test_questions_are_answered_while_training_runs() -> None:
    talk, _ = opened("xor")
    talk.ask("train")
    assert talk.ask("why", wrt="w1")["name"] == "∂L[1]/∂w1"
    assert talk.ask("select", record=2)["record"] == 2
    talk.wait(lambda: len(talk.events) >= 2)
    assert "training" in {event["event"] for event in talk.events}
    talk.session.close()


EXPLODING = """
[parameters]
w = 1.0
[[layer]]
units = ["o"]
weights = [["w"]]
[data]
inputs = { x = 10.0 }
targets = { o = 1.0 }
[loss]
kind = "squared_error"
[update]
learning_rate = 10.0
"""


def test_a_step_that_leaves_the_numbers_is_not_taken() -> None:
    talk = Talk()
    talk.ask("open", worksheet=EXPLODING)
    state = talk.ask("step", count=1000)
    assert 1 < state["updates"] < 1000
    assert "smaller learning rate" in state["notes"][-1]
    assert isinstance(state["loss"]["value"], float)
    assert np.isfinite(list(Worksheet.from_text(state["worksheet"]).parameters.values())).all()
    stuck = talk.ask("step", count=1000)
    assert stuck["updates"] == state["updates"]


def test_where_it_stops_does_not_depend_on_how_updates_are_counted_out() -> None:
    ends = []
    for count in (1, 2, 7, 1000):
        talk = Talk()
        state = talk.ask("open", worksheet=EXPLODING)
        while not state["notes"]:
            state = talk.ask("step", count=count)
        assert isinstance(state["loss"]["value"], float)
        ends.append((state["updates"], state["loss"]["value"]))
    assert len(set(ends)) == 1


def test_training_stops_with_a_sentence_where_numbers_end() -> None:
    talk = Talk()
    talk.ask("open", worksheet=EXPLODING)
    talk.ask("train")
    talk.wait(lambda: bool(talk.events) and talk.events[-1]["event"] == "trained")
    end = talk.events[-1]
    assert end["why"] == "not finite"
    assert "smaller learning rate" in end["say"]
    assert isinstance(end["state"]["loss"]["value"], float)


def test_training_ends_where_the_loss_has_come_to_rest() -> None:
    talk = Talk()
    talk.ask("open", worksheet=EXPLODING.replace("10.0", "0.1"))
    talk.ask("edit", change={"set": {"x": 1.0}})
    talk.ask("train")
    talk.wait(lambda: bool(talk.events) and talk.events[-1]["event"] == "trained", 20)
    assert talk.events[-1]["why"] == "converged"


def test_without_an_update_there_is_no_training() -> None:
    talk, before = opened("lecture_004")
    for verb in ("step", "epoch", "train"):
        assert "add [update]" in talk.refused(verb)
    assert talk.ask("hello", version=1)["state"] == before
    talk.ask("edit", change={"update": {"rule": "sgd", "learning_rate": 0.1}})
    state = talk.ask("step", count=1)
    assert {n: p["value"] for n, p in parameters(state).items()} == pytest.approx(
        {"x": 3.7, "y": 2.4, "z": 1.1}
    )


def test_an_epoch_of_digits_takes_every_record_once() -> None:
    rows = batches(10, 3, seed=1)
    epoch = np.concatenate([rows(0, 2), rows(2, 1)])
    assert len(np.unique(epoch)) == 9
    assert (rows(0, 7)[3:6] == rows(3, 3)).all()
    assert (rows(3, 3) != rows(0, 3)).any()
    talk, before = opened("digits")
    state = talk.ask("epoch")
    assert state["updates"] == 1797 // 32
    assert state["loss"]["value"] != before["loss"]["value"]


def test_the_curve_of_the_loss_is_thinned_evenly() -> None:
    points = tuple((k, float(k)) for k in range(5000))
    kept = thinned(points)
    assert len(kept) <= MOST_LOSSES
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    gaps = np.diff([k for k, _ in kept])
    assert gaps.max() <= 12
    more = extended(kept, [(k, 0.0) for k in range(5000, 20_000)])
    assert len(more) <= MOST_LOSSES
    assert np.diff([k for k, _ in more]).max() <= 60
