"""`chalkgrad check`: marks on stdout, messages on stderr, and what the exit code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, Shell

LECTURES = Path(__file__).parents[2] / "examples" / "lectures"
SHEET = LECTURES / "lecture_001.toml"
RIGHT = "sum_h1 = 0.1*0.1 + 0.5*0.3 + 0.25 = 0.41\noutput_h1 = 1/(1+e^-0.41) = 0.60109\n"
WRONG = RIGHT.replace("= 0.60109", "= 0.61109")
table = pytest.mark.parametrize


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    (tmp_path / "right").write_text(RIGHT)
    (tmp_path / "wrong").write_text(WRONG)
    (tmp_path / "prose").write_text("I have not begun.\n")
    return tmp_path


def complaint(said: Answer) -> str:
    assert said.code == 2
    assert said.err.startswith("chalkgrad: ")
    assert len(said.err.splitlines()) == 1
    return said.err


# Exit codes.
@table(("file", "code"), [("right", 0), ("wrong", 1), ("prose", 1)])
@table("options", [[], ["--json"], ["--quiet"], ["--html", "page.html"]], ids=" ".join)
def test_the_exit_code_is_the_verdict(
    shell: Shell, answers: Path, file: str, code: int, options: list[str]
) -> None:
    said = shell("check", SHEET, file, *options)
    assert said.code == code
    assert said.out
    assert said.err == ("written to page.html\n" if "--html" in options else "")


def test_what_a_lecture_says_is_right(shell: Shell) -> None:
    said = shell("check", SHEET, LECTURES / "lecture_001.answers", "--json")
    assert said.code == 0
    assert json.loads(said.out)["score"]["wrong"] == 0


# What is said.
def test_the_marks_are_on_stdout(shell: Shell, answers: Path) -> None:
    said = shell("check", SHEET, "wrong")
    assert "✓   1  sum_h1 = " in said.out
    assert "✗   2  output_h1 = " in said.out
    assert "right: output_h1 = σ(sum_h1) = σ(0.41) = 0.60109" in said.out
    assert "2 claims: 1 correct, 1 wrong." in said.out


def test_json_has_the_contract(shell: Shell, answers: Path) -> None:
    data = json.loads(shell("check", SHEET, "wrong", "--json").out)
    assert {"lines", "score"} <= set(data)
    first, second = data["lines"]
    for line in (first, second):
        assert {
            "line", "text", "verdict", "claimed", "expected", "expected_from_yours", "mistakes",
        } <= set(line)  # fmt: skip
    assert (first["line"], first["verdict"]) == (1, "correct")
    assert (second["line"], second["verdict"], second["claimed"]) == (2, "wrong", 0.61109)
    assert all({"name", "why", "value"} <= set(m) for m in second["mistakes"])
    assert data["score"]["total"] == 2
    names = {"correct", "follows", "wrong", "unreadable", "unknown"}
    assert sum(data["score"][name] for name in names) + data["score"].get("blank", 0) == 2


def test_a_page_holds_all_it_needs(shell: Shell, answers: Path) -> None:
    assert shell("check", SHEET, "wrong", "--html", "page.html").code == 1
    page = (answers / "page.html").read_text(encoding="utf-8")
    assert "output_h1" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", page)
    assert not re.search(r"url\((?!['\"]?data:)", page)
    assert "<script" not in page


def test_a_persons_text_is_not_markup(shell: Shell, answers: Path) -> None:
    (answers / "hostile").write_text("sum_h1 = 0.41 <script>alert(1)</script>\n")
    shell("check", SHEET, "hostile", "--html", "page.html")
    assert "<script>alert" not in (answers / "page.html").read_text(encoding="utf-8")


# Refusals.
@table(
    ("arguments", "words"),
    [
        ([SHEET], "ANSWERS requires an argument"),
        ([SHEET, "none"], "none is not there"),
        ([SHEET, "."], "name the file with the answers"),
        (["none.toml", "right"], "none.toml is not there"),
        ([".", "right"], ". is a directory"),
        ([SHEET, "right", "--htlm", "page"], "Did you mean --html?"),
        ([SHEET, "right", "more"], "more"),
    ],
    ids=lambda value: " ".join(Path(str(v)).name for v in value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(
    shell: Shell, answers: Path, arguments: list[str | Path], words: str
) -> None:
    said = shell("check", *arguments)
    assert said.out == ""
    assert words in complaint(said)


def test_bad_files_are_refused(shell: Shell, answers: Path) -> None:
    (answers / "bad.toml").write_text("a = [1")
    assert "bad.toml, line 1: it is no TOML" in complaint(shell("check", "bad.toml", "right"))
    (answers / "binary").write_bytes(b"\xff\xfe\x00")
    assert "binary is not text in UTF-8" in complaint(shell("check", SHEET, "binary"))


def test_a_page_that_cannot_be_written_is_said(shell: Shell, answers: Path) -> None:
    said = shell("check", SHEET, "right", "--html", "no_folder/page.html")
    assert "cannot write" in complaint(said)


def test_hostile_lines_are_read_and_refused(shell: Shell, answers: Path) -> None:
    lines = [
        "sum_h1 = 9^9^9^9",
        f"sum_h1 = {'(' * 5000}1{')' * 5000}",
        "sum_h1 = \u202e14.0",
        "\x07",
    ]
    (answers / "hostile").write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = shell("check", SHEET, "hostile")
    assert said.code == 1
    assert "Traceback" not in said.err
    assert "\u202e" not in said.out
    assert "\x07" not in said.out
