"""Sharing: a link brings back what it was made of, and nothing else comes out of any other text."""

from __future__ import annotations

import tracemalloc
import zlib
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad.core.errors import DataError
from chalkgrad.studio.limits import LARGEST_TEXT, LONGEST_SHARE
from chalkgrad.studio.share import packed, unpacked
from tests.studio.engine import GALLERY, LECTURES, Talk, opened, parameters


@pytest.mark.parametrize("key", [*LECTURES, *GALLERY])
def test_a_link_brings_the_network_back(key: str) -> None:
    talk, state = opened(key)
    if state["settings"]["update"]:
        state = talk.ask("step", count=3)
    assert len(state["share"]) <= LONGEST_SHARE
    assert state["share"].replace("-", "").replace("_", "").isalnum()
    again = Talk().ask("open", share=state["share"])
    assert again["worksheet"] == state["worksheet"]
    assert again["loss"] == state["loss"]
    assert parameters(again) == parameters(state)


@given(st.text(max_size=2000).filter(lambda text: all(not 0xD800 <= ord(c) < 0xE000 for c in text)))
def test_any_text_survives_the_way(text: str) -> None:
    shared = packed(text)
    assert shared is None or unpacked(shared) == text


def test_what_is_too_long_for_an_address_is_not_shared() -> None:
    assert packed(" ".join(repr(k**0.5) for k in range(2000))) is None


def _coded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


HOSTILE = [
    "", "=", "a", "AAAA", "not base64!", "../../etc/passwd", "A" * 5999, "ü" * 50, "%00",
    _coded(b"plain"), _coded(zlib.compress(b"text")[:-2]),  # cut short
    _coded(zlib.compress(b"text") + b"more"), _coded(zlib.compress(b"\xff\xfe")),
    "A" * (LONGEST_SHARE + 1),
]  # fmt: skip


@pytest.mark.parametrize("shared", HOSTILE)
def test_a_damaged_link_is_refused_with_one_sentence(shared: str) -> None:
    talk, before = opened("lecture_001")
    message = talk.refused("open", share=shared)
    assert "\n" not in message
    assert talk.ask("hello", version=1)["state"] == before


def test_a_bomb_takes_no_memory() -> None:
    bomb = _coded(zlib.compress(b"\0" * (4 << 20), 9))
    assert len(bomb) <= LONGEST_SHARE
    tracemalloc.start()
    with pytest.raises(DataError, match="damaged"):
        unpacked(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * LARGEST_TEXT


@given(st.text(alphabet="ABCDEFabcdef0123456789-_=", max_size=300))
def test_garbage_never_gets_through(shared: str) -> None:
    try:
        text = unpacked(shared)
    except DataError:
        return
    assert packed(text) is not None


def test_a_link_with_a_text_that_is_no_worksheet_is_refused() -> None:
    shared = packed("import os\nos.system('true')\n")
    assert "no TOML" in Talk().refused("open", share=shared)


def test_a_shared_worksheet_reads_no_file() -> None:
    text = """
[parameters]
w = 0.5
[[layer]]
units = ["o"]
weights = [["w"]]
[data]
csv = "records.csv"
[loss]
kind = "squared_error"
"""
    assert "has no folder" in Talk().refused("open", share=packed(text))
    assert "has no folder" in Talk().refused("open", worksheet=text, name="/etc/x.toml")
