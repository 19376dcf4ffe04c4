"""`chalkgrad explain`: formats, files, exit codes; stdout is data, stderr is messages."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from chalkgrad import explain
from tests.cli.conftest import Answer, Shell

LECTURES = Path(__file__).parents[2] / "examples" / "lectures"
NETWORK, EXPRESSION = LECTURES / "lecture_001.toml", LECTURES / "lecture_004.toml"
FORMATS = ("text", "markdown", "latex", "typst", "html", "json", "notebook")
STARTS = {
    "text": "J = 3(x + yz) and its gradient\n═", "markdown": "# J = 3(x + yz)",
    "latex": r"\documentclass", "typst": "#set document(", "html": "<!doctype html>",
    "json": '{\n  "schema": "chalkgrad/derivation/1",', "notebook": "{",
}  # fmt: skip
table = pytest.mark.parametrize
needs_typst = pytest.mark.skipif(find_spec("typst") is None, reason="typst is not installed")


def complaint(said: Answer) -> str:
    """The one line of a refusal."""
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("chalkgrad: ")
    assert len(said.err.splitlines()) == 1
    return said.err


# What is written, and where.
@table("format", FORMATS)
def test_every_format_goes_to_stdout(shell: Shell, format: str) -> None:
    said = shell("explain", EXPRESSION, "--format", format)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(STARTS[format])
    assert said.out.endswith("\n")
    assert not said.out.endswith("\n\n")


@table("format", FORMATS)
def test_a_file_gets_what_stdout_would(shell: Shell, tmp_path: Path, format: str) -> None:
    said = shell("explain", EXPRESSION, "--format", format, "-o", "page")
    assert (said.code, said.out, said.err) == (0, "", "written to page\n")
    written = (tmp_path / "page").read_text(encoding="utf-8")
    assert written.rstrip("\n") == shell("explain", EXPRESSION, "--format", format).out.rstrip("\n")


def test_text_is_the_default_and_80_columns_wide(shell: Shell) -> None:
    said = shell("explain", NETWORK)
    assert said.out == explain(NETWORK).to_text()
    assert max(map(len, said.out.splitlines())) <= 80
    assert "\x1b" not in said.out


@needs_typst
def test_a_pdf_goes_to_stdout_or_a_file(process: Shell, shell: Shell, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chalkgrad", "explain", EXPRESSION, "--format", "pdf"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(b"%PDF-")
    assert done.stderr == b""
    assert shell("explain", EXPRESSION, "--format", "pdf", "--output", "page.pdf").code == 0
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")


def test_a_pdf_without_typst_names_the_command_to_install(process: Shell, tmp_path: Path) -> None:
    (tmp_path / "typst.py").write_text("raise ImportError('not here')\n")
    said = process("explain", EXPRESSION, "--format", "pdf", PYTHONPATH=str(tmp_path))
    assert 'pip install "chalkgrad[pdf]"' in complaint(said)


def test_json_has_the_contract(shell: Shell) -> None:
    data = json.loads(shell("explain", NETWORK, "--format", "json", "--digits", "2").out)
    assert list(data)[:8] == [
        "schema", "title", "source", "conventions", "quantities", "gradients", "updates", "after",
    ]  # fmt: skip
    assert {"name", "formula", "latex", "substitution", "value"} <= set(data["quantities"][0])
    (gradient, *_) = data["gradients"]
    assert {"name", "wrt", "value", "formula", "latex", "substitution", "paths"} <= set(gradient)
    assert set(gradient["paths"][0]) == {"through", "factors", "value"}
    assert {"of", "by", "formula", "value"} <= set(gradient["paths"][0]["factors"][0])
    assert {"name", "old", "gradient", "new"} <= set(data["updates"][0])
    assert set(data["after"][0]) == {"name", "value"}
    assert gradient["value"] == explain(NETWORK).gradients[0].value  # whole, whatever the digits


def test_an_html_page_holds_all_it_needs(shell: Shell, tmp_path: Path) -> None:
    shell("explain", NETWORK, "--format", "html", "-o", "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"<script[^>]+src", page)
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)  # KaTeX
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", page)
    assert not re.search(r"url\((?!['\"]?data:)", page)
    assert "@import" not in page
    assert "<link" not in page
    assert page.endswith("</html>\n")


# Options.
def test_parameters_can_be_chosen(shell: Shell) -> None:
    said = shell("explain", NETWORK, "--wrt", "w5", "b1", "--format", "json")
    assert [g["wrt"] for g in json.loads(said.out)["gradients"]] == ["w5", "b1"]
    said = shell("explain", NETWORK, "--wrt", "w5", "--wrt", "w6", "--format", "json")
    assert [g["wrt"] for g in json.loads(said.out)["gradients"]] == ["w5", "w6"]


@table(
    ("options", "words"),
    [
        (["--view", "paths"], "Paths from the loss to each parameter"),
        (["--view", "layer"], "δ⁽²⁾ = ∂E_total/∂Z⁽²⁾"),
        (["--names", "indexed"], "z⁽²⁾₁ = a⁽¹⁾₁ · w⁽²⁾₁₁"),
        (["--names", "nielsen"], "∂C/∂w¹₁₁"),
        (["--names", "pytorch"], "layers.1.weight[0,1]"),
        (["--digits", "8"], "≈ 0.60108788"),
        (["--digits", "3"], "≈ 0.601 "),
    ],
)
def test_options_change_the_page(shell: Shell, options: list[str], words: str) -> None:
    said = shell("explain", NETWORK, *options)
    assert (said.code, said.err) == (0, "")
    assert words in " ".join(said.out.split()) + " "


def test_notes_about_a_worksheet_go_to_stderr(shell: Shell, tmp_path: Path) -> None:
    text = NETWORK.read_text().replace("w8 = 0.8", "w8 = 0.8\nw9 = 0.9")
    (tmp_path / "sheet.toml").write_text(text)
    said = shell("explain", "sheet.toml", "--format", "json")
    assert said.code == 0
    assert said.err.startswith("note: ")
    assert "w9" in said.err
    assert json.loads(said.out)["title"]


# Refusals.
@table(
    ("arguments", "words"),
    [
        ([], "WORKSHEET requires an argument"),
        (["there_is_none.toml"], "there_is_none.toml is not there"),
        (["."], ". is a directory; name a file in it"),
        ([NETWORK, "more"], "more"),
        ([NETWORK, "--wrt", "w1", "w9"], "no quantity 'w9' in this pass. Did you mean w8"),
        ([NETWORK, "--wrt"], "wrt names nothing"),
        ([NETWORK, "--wrt", "E_total"], "or the loss itself"),
        ([NETWORK, "--view", "bord"], 'Did you mean "board"?'),
        ([NETWORK, "--names", "nilsen"], 'Did you mean "nielsen"?'),
        ([NETWORK, "--format", "pfd"], 'Did you mean "pdf"?'),
        ([NETWORK, "--fromat", "json"], "Did you mean --format?"),
        ([NETWORK, "--digits", "-1"], "digits=-1: it is between 0 and 15"),
        ([NETWORK, "--digits", "99"], "digits=99"),
        ([NETWORK, "--digits", "many"], 'unable to convert "many" into int'),
        ([NETWORK, "-o", "no_folder/page"], "cannot write"),
        ([NETWORK, "-o", "."], "Is a directory"),
    ],
    ids=lambda value: " ".join(Path(str(v)).name for v in value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(shell: Shell, arguments: list[str | Path], words: str) -> None:
    assert words in complaint(shell("explain", *arguments))


@table(
    ("content", "words"),
    [
        (b"a = [1", "sheet.toml, line 1: it is no TOML"),
        (b"\xff\xfe", "sheet.toml, line 1: it is not UTF-8"),
        (b"", "there is nothing to compute"),
        (b"[parameters]\nw = 'x'\n[[layer]]\nunits = ['h']", "sheet.toml, line 2: w must be"),
        (b'[expression]\nJ = "x +"\n[values]\nx = 1', "sheet.toml, line 2"),
    ],
)
def test_bad_worksheets_are_refused(
    shell: Shell, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "sheet.toml").write_bytes(content)
    assert words in complaint(shell("explain", "sheet.toml"))


def test_a_refusal_leaves_no_file(shell: Shell, tmp_path: Path) -> None:
    assert shell("explain", NETWORK, "--wrt", "w9", "-o", "page").code == 2
    assert not (tmp_path / "page").exists()


# Pipes and terminals.
def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-m", "chalkgrad", "explain", NETWORK, "--format", "html"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.read(15) == b"<!doctype html>"
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == 0


def _on_a_terminal(*arguments: str | Path, **environment: str) -> tuple[int, str, str]:
    """The exit code, what a terminal of 80 columns shows, and stderr."""
    ours, theirs = pty.openpty()
    given = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    given |= {"TERM": "xterm", "COLUMNS": "80", **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "chalkgrad", *map(str, arguments)],
        stdout=theirs, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=given,
    ) as running:  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        assert running.stderr is not None
        complaint = running.stderr.read().decode()
        return running.wait(60), shown.decode(), complaint


@needs_typst
def test_a_pdf_is_not_for_a_terminal() -> None:
    code, shown, said = _on_a_terminal("explain", EXPRESSION, "--format", "pdf")
    assert (code, shown) == (2, "")
    assert "a PDF is not for a terminal: name a file with -o" in said


def test_a_terminal_gets_colours_unless_they_are_not_wanted() -> None:
    code, shown, _ = _on_a_terminal("explain", EXPRESSION)
    assert code == 0
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert _on_a_terminal("explain", EXPRESSION, NO_COLOR="1")[1] == plain
    assert "∇J = (∂J/∂x, ∂J/∂y, ∂J/∂z) = (3, 6, 9)" in plain
