"""`chalkgrad diagnose`: what a gradient suffers from, and what the exit code says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

LECTURES = Path(__file__).parents[2] / "examples" / "lectures"
HEALTHY = LECTURES / "lecture_001.toml"
DEAD = """\
[parameters]
w1 = 0.5
w2 = 0.4
b1 = -9.0
[[layer]]
units = ["h"]
weights = [["w1"]]
bias = ["b1"]
activation = "relu"
[[layer]]
units = ["o"]
weights = [["w2"]]
activation = "identity"
[data]
inputs = { x = 1.0 }
targets = { o = 1.0 }
[loss]
kind = "squared_error"
"""
table = pytest.mark.parametrize


@pytest.fixture
def dead(tmp_path: Path) -> Path:
    (tmp_path / "dead.toml").write_text(DEAD)
    return tmp_path / "dead.toml"


def test_a_healthy_network(shell: Shell) -> None:
    said = shell("diagnose", HEALTHY)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("loss = 0.24909: every gradient looks healthy\n")
    for name in ("w1", "w8", "b2"):
        assert f"\n{name} " in said.out
    assert said.out.endswith("\n")
    assert not said.out.endswith("\n\n")


def test_a_dead_unit_is_named_and_the_exit_code_is_1(shell: Shell, dead: Path) -> None:
    said = shell("diagnose", dead)
    assert (said.code, said.err) == (1, "")
    assert "h" in said.out
    assert "dead" in said.out
    data = json.loads(shell("diagnose", dead, "--json").out)
    assert data["healthy"] is False
    assert {row["name"]: row["gradient"] for row in data["parameters"]}["w1"] == 0


def test_json_is_data_alone(shell: Shell, dead: Path) -> None:
    for sheet, code in ((HEALTHY, 0), (dead, 1)):
        said = shell("diagnose", sheet, "--json")
        assert (said.code, said.err) == (code, "")
        data = json.loads(said.out)
        assert data["schema"] == "chalkgrad/diagnosis/1"
        assert {"healthy", "loss", "findings", "parameters", "layers"} <= set(data)


def test_a_network_that_has_learned_is_looked_at(shell: Shell) -> None:
    loss = [
        json.loads(shell("diagnose", HEALTHY, "--json", "--steps", str(steps)).out)["loss"]
        for steps in (0, 1, 50)
    ]
    assert loss == sorted(loss, reverse=True)


def test_notes_go_to_stderr_unless_quiet(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "sheet.toml").write_text(
        HEALTHY.read_text().replace("w8 = 0.8", "w8 = 0.8\nw9 = 0.9")
    )
    said = shell("diagnose", "sheet.toml")
    assert said.err.startswith("note: ")
    assert "w9" in said.err
    assert shell("diagnose", "sheet.toml", "--quiet").err == ""


@table(
    ("arguments", "words"),
    [
        ([], "WORKSHEET requires an argument"),
        (["none.toml"], "none.toml is not there"),
        (["."], ". is a directory"),
        ([HEALTHY, "--steps", "-1"], "steps must be between 0 and"),
        ([HEALTHY, "--steps", "many"], "unable to convert"),
        (
            [LECTURES / "lecture_004.toml", "--steps", "3"],
            "says nothing of an update; add [update]",
        ),
        ([HEALTHY, "--jsn"], "--json"),
    ],
    ids=lambda value: " ".join(Path(str(v)).name for v in value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(shell: Shell, arguments: list[str | Path], words: str) -> None:
    said = shell("diagnose", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("chalkgrad: ")
    assert len(said.err.splitlines()) == 1
    assert words in said.err
