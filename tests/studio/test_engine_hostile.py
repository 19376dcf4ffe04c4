"""Whatever a page sends, there is a reply, and a refusal changes nothing."""

from __future__ import annotations

import json
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalkgrad.studio.session import Session
from tests.studio.engine import Talk, opened, shown

VERBS = [
    "hello", "open", "edit", "undo", "redo", "select", "why", "step", "epoch", "train", "pause",
    "reset", "draw", "teach", "mark", "unfold", "export",
]  # fmt: skip
NO_REQUESTS = [
    None, 3, "hello", [], [1, 2], {}, {"id": 1}, {"do": 3}, {"do": None}, {"do": "__class__"},
    {"do": "close"}, {"do": "HELLO"}, {"do": ""}, {"do": "x" * 10_000}, {"do": ["hello"]},
    {"do": {"hello": 1}},
]  # fmt: skip


@pytest.mark.parametrize("message", NO_REQUESTS, ids=repr)
def test_what_is_no_request_gets_an_error(message: Any) -> None:
    reply = Session().handle(message)
    assert set(reply) == {"id", "error"}
    assert "the studio failed" not in reply["error"]["message"]
    assert len(json.dumps(reply)) < 1500


@pytest.mark.parametrize("verb", [v for v in VERBS if v not in ("hello", "open")])
def test_before_anything_is_open_there_is_nothing_to_do(verb: str) -> None:
    fields = {"edit": {"change": {"seed": 1}}, "why": {"wrt": "w"}, "mark": {"answers": "x = 1"},
              "draw": {"pixels": []}, "teach": {"pixels": [], "label": 1},
              "unfold": {"layer": 1, "from": 1}, "export": {"format": "text"}}  # fmt: skip
    assert "nothing is open" in Talk().refused(verb, **fields.get(verb, {}))


@pytest.mark.parametrize("id", [None, [], {}, 1.5, True])
def test_ids_that_are_none_do_not_come_back(id: Any) -> None:
    reply = Session().handle({"id": id, "do": "hello"})
    assert reply["id"] in (None, True, 1)


WRONG = [
    ("open", {}), ("open", {"start": "nothing"}), ("open", {"start": 3}),
    ("open", {"start": "../lecture_001"}), ("open", {"start": "lecture_001", "share": "x"}),
    ("open", {"worksheet": "w" * (1 << 21)}), ("open", {"worksheet": "[[layer]]"}),
    ("open", {"csv": 3}), ("open", {"file": "/etc/passwd"}),
    ("select", {"record": 0}), ("select", {"record": -1}), ("select", {"record": 10**30}),
    ("select", {"record": 1.5}), ("select", {"record": "1"}), ("select", {"record": True}),
    ("why", {}), ("why", {"wrt": "w1", "view": "x"}), ("why", {"wrt": "w1", "names": "mine"}),
    ("why", {"wrt": "w1", "digits": 13}), ("why", {"wrt": "w1", "digits": -1}),
    ("why", {"wrt": "w1", "digits": "5"}), ("why", {"wrt": "w" * 1000}), ("why", {"wrt": ["w1"]}),
    ("why", {"wrt": "__import__('os')"}), ("why", {"wrt": "w1", "more": 1}),
    ("step", {"count": 0}), ("step", {"count": -5}), ("step", {"count": 10**9}),
    ("step", {"count": 1e300}), ("step", {"count": float("nan")}), ("step", {"count": "many"}),
    ("train", {"until": 0}), ("train", {"until": 10**12}), ("train", {"until": "ever"}),
    ("unfold", {}), ("unfold", {"layer": -1, "from": 1}), ("unfold", {"layer": 1, "from": 0}),
    ("unfold", {"layer": 10**9, "from": 1}), ("mark", {}), ("mark", {"answers": 5}),
    ("mark", {"answers": "x" * (1 << 21)}), ("export", {}), ("export", {"format": "exe"}),
    ("export", {"format": "text", "wrt": "../../x"}), ("draw", {}), ("draw", {"pixels": [0] * 9}),
    ("draw", {"pixels": {}}), ("teach", {"pixels": [0, 0]}), ("undo", {}), ("redo", {}),
    ("undo", {"count": 3}), ("reset", {"to": 1}), ("edit", {}), ("edit", {"change": {"set": 3}}),
    ("edit", {"change": {"set": {"w1": [1]}}}), ("edit", {"change": {"units": "more"}}),
    ("edit", {"change": {"set": {"w1": 1}}, "gesture": 5}), ("hello", {"version": "1"}),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "fields"), WRONG, ids=lambda part: str(part)[:40])
def test_a_wrong_request_is_refused_with_a_sentence_and_changes_nothing(
    verb: str, fields: dict[str, Any]
) -> None:
    talk, before = opened("lecture_001")
    message = talk.refused(verb, **fields)
    assert 0 < len(message) < 600
    assert "\n" not in message
    state = talk.ask("hello", version=1)["state"]
    assert shown(state) == shown(before)
    assert (state["undo"], state["redo"]) == (False, False)


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8),
        st.sampled_from(["w1", "tanh", "sgd", "lecture_004", "board", "text", "set", "layer"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([
            "set", "update", "activation", "loss", "units", "layers", "worksheet", "seed", "layer",
            "count", "to", "add", "remove", "rule", "learning_rate", "kind", "w1", "i1", "betas",
        ]), inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip
FIELDS = st.dictionaries(
    st.sampled_from([
        "start", "worksheet", "csv", "share", "name", "target", "change", "gesture", "record",
        "wrt", "view", "names", "digits", "count", "pixels", "label", "answers", "layer", "from",
        "format",
    ]), JSON, max_size=3,
)  # fmt: skip
QUIET = [verb for verb in VERBS if verb not in ("train",)]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(QUIET), FIELDS), min_size=1, max_size=4))
def test_whatever_is_sent_there_is_a_reply_in_json(requests: list[tuple[str, Any]]) -> None:
    talk, _ = opened("lecture_002")
    for verb, fields in requests:
        session = talk.session
        before = session.situation, session.look, session.version
        reply = session.handle({**fields, "id": 7, "do": verb})
        json.dumps(reply, allow_nan=False)
        assert reply["id"] == 7
        assert ("ok" in reply) != ("error" in reply)
        if "error" in reply:
            assert "the studio failed" not in reply["error"]["message"]
            assert (session.situation, session.look, session.version) == before


EXTREME = [1e300, -1e308, 5e-324, 1e20, -745.0]


@pytest.mark.parametrize("value", EXTREME)
@pytest.mark.parametrize("key", ["lecture_000", "lecture_001", "lecture_003_regression",
                                 "lecture_004", "xor", "digits"])  # fmt: skip
def test_extreme_numbers_are_shown_or_refused(key: str, value: float) -> None:
    talk, state = opened(key)
    scene = state["scene"]
    names = [w["name"] for w in scene["weights"]] if "weights" in scene else ["x", "z"]
    for name in (names[0], names[-1]):
        reply = talk.reply("edit", change={"set": {name: value}})
        json.dumps(reply, allow_nan=False)
        if "error" in reply:
            assert "the studio failed" not in reply["error"]["message"]
        for verb, fields in (("why", {"wrt": name}), ("step", {"count": 2}), ("undo", {})):
            reply = talk.reply(verb, **fields)
            json.dumps(reply, allow_nan=False)
            if "error" in reply:
                assert "the studio failed" not in reply["error"]["message"]


def test_requests_from_several_threads_are_answered_one_by_one() -> None:
    talk, _ = opened("xor")
    replies: list[dict[str, Any]] = []

    def ask(k: int) -> None:
        for n in range(3):
            replies.append(talk.reply("edit", change={"set": {"w1": k + n / 10}}))
            replies.append(talk.reply("step", count=3))
            replies.append(talk.reply("train"))
            replies.append(talk.reply("undo"))

    threads = [Thread(target=ask, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    talk.session.close()
    assert len(replies) == 36
    faults = [r["error"]["message"] for r in replies if "error" in r]
    assert not [fault for fault in faults if "the studio failed" in fault]
    json.dumps(talk.ask("hello", version=1), allow_nan=False)
