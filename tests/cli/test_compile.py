"""`chalkgrad compile`"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalkgrad.core.errors import NotCompilable
from tests.cli.conftest import Shell

LECTURE = Path(__file__).parents[2] / "examples" / "lectures" / "lecture_001.toml"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHALKGRAD_CACHE", str(tmp_path / "cache"))


def test_what_was_made_of_a_worksheet(shell: Shell) -> None:
    said = shell("compile", LECTURE)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("7 kernels a step, none shared among threads\nmemory: ")
    assert "in place: 8 of 8 changing states\n" in said.out
    assert "\nmachine code: " in said.out
    assert ", compiled in " in said.out
    assert "kernel 0" not in said.out
    assert ", taken from the cache in " in shell("compile", LECTURE).out


def test_the_program_as_loops(shell: Shell) -> None:
    said = shell("compile", LECTURE, "--show")
    assert said.code == 0
    assert "(in place)" in said.out
    assert "w5′" in said.out
    assert "kernel 6   " in said.out
    assert "kernel 7   " not in said.out
    assert "µs a step" not in said.out


def test_where_the_time_goes(shell: Shell) -> None:
    said = shell("compile", "--time")
    assert said.code == 0
    assert said.err.startswith("an example: 32 records of 64 numbers")
    line = next(line for line in said.out.splitlines() if "kernel 0" in line)
    assert "µs" in line
    assert "GFLOP/s" in line
    assert "let " not in said.out


def test_the_same_as_data(shell: Shell) -> None:
    data = json.loads(shell("compile", LECTURE, "--json").out)
    assert data["kernels"] == 7
    assert "program" not in data
    assert data["memory"]["in_place"] == 8
    assert not data["cached"]
    data = json.loads(shell("compile", LECTURE, "--json", "--show", "--time").out)
    assert data["cached"]
    assert [row["kernel"] for row in data["program"]] == list(range(7))
    assert all(row["loops"] and row["microseconds"] >= 0 for row in data["program"])
    assert sum(row["microseconds"] for row in data["program"]) == pytest.approx(
        data["microseconds"], rel=1e-3
    )


def test_a_saved_run_and_its_checkpoint(shell: Shell, table: Callable[[str], Path]) -> None:
    shell("train", table("iris"), "--target", "target", "--epochs", "1", "--save", "run", "--quiet")
    said = shell("compile", "run", "--show")
    assert (said.code, said.err) == (0, "")
    assert "32 × 64 elements, each a sum of 4 products" in said.out  # the run's batch and columns
    assert "[∂ 4, AdamW]" in said.out
    again = shell("compile", "run/checkpoint.safetensors", "--json", "--show")
    assert json.loads(again.out)["cached"]


# What cannot be compiled.
def test_a_worksheet_without_an_update_is_refused(shell: Shell, tmp_path: Path) -> None:
    text = LECTURE.read_text(encoding="utf-8")
    (tmp_path / "sheet.toml").write_text(text.split("[update]")[0], encoding="utf-8")
    said = shell("compile", "sheet.toml")
    assert (said.code, said.out) == (2, "")
    assert "says nothing of an update" in said.err


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("gone.toml", "gone.toml is not there"),
        (".", "is not a run folder: it has no settings.toml"),
        ("gone/checkpoint.safetensors", "gone is not a run folder: it has no settings.toml"),
    ],
)
def test_what_is_not_there(shell: Shell, what: str, message: str) -> None:
    said = shell("compile", what)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("chalkgrad: ")
    assert message in said.err


def test_a_step_without_native_code_is_the_answer_no(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(graph: Any) -> None:
        raise NotCompilable("cumsum of 20000000 elements has no native code")

    monkeypatch.setattr("chalkgrad.cli.compile.kernels", refused)
    said = shell("compile", LECTURE, "--quiet")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "no native code, so NumPy runs this step: cumsum of 20000000 elements has no native code\n"
    )
