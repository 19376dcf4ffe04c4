"""The documents are true: their Python prints what stands there, their links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chalkgrad.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(
        page
        for room in ("docs", "src", "examples", "benchmarks")
        for page in ROOT.joinpath(room).rglob("*.md")
    ),
]
PROGRAMS = [
    ROOT / "README.md",
    *(
        ROOT / f"docs/{name}.md"
        for name in ("tutorial", "explain", "worksheets", "check", "compile")
    ),
]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_COMMANDS = re.compile(r"(chalkgrad .*\n)+")
_FILE = re.compile(r"# ([\w-]+\.\w+)\n")
_SKIPPED = "⋮"  # a line of it in an output: here are lines that the page leaves out


class Block(NamedTuple):
    """What a page wants done, and what it says that is printed (None: the page does not say)."""

    line: int
    code: str
    output: str | None
    kind: str = "python"  # | "sh" commands of chalkgrad | "file" whose name is in its first line


def blocks(text: str) -> Iterator[Block]:
    """Python, commands, and files; a ```text or bare block right after one is its output."""
    fences = list(_FENCE.finditer(text))
    for fence, following in zip(fences, [*fences[1:], None], strict=True):
        kind = _kind(fence)
        if not kind:
            continue
        adjacent = following is not None and not text[fence.end() : following.start()].strip()
        shown = following[2] if following and adjacent and following[1] in ("text", "") else None
        yield Block(text.count("\n", 0, fence.start(2)), fence[2], shown, kind)


def _kind(fence: re.Match[str]) -> str:
    if fence[1] == "python":
        return "python"
    if fence[1] == "sh" and _COMMANDS.fullmatch(fence[2]):
        return "sh"
    return "file" if fence[1] in ("toml", "answers") and _FILE.match(fence[2]) else ""


def run(page: Path, text: str) -> Iterator[tuple[Block, str]]:
    """Do what a page says, in order, as one program; each block with what it printed."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(text):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if block.kind == "python":
                # errors name the page's line
                exec(compile("\n" * block.line + block.code, str(page), "exec"), names)
            elif block.kind == "sh":
                command(block.code)
            else:
                name = _FILE.match(block.code)
                assert name is not None
                Path(name[1]).write_text(block.code, "utf-8")
        yield block, printed.getvalue()


def command(lines: str) -> None:
    """Run commands of chalkgrad; a terminal shows stdout and stderr."""
    for line in lines.splitlines():
        with contextlib.redirect_stderr(sys.stdout), pytest.raises(SystemExit):
            main(shlex.split(line)[1:])


def agree(shown: str, printed: str) -> bool:
    """Is it what was printed? Lines are left out where the page says so."""
    pieces = [piece.strip("\n") for piece in re.split(rf"^{_SKIPPED}$", shown, flags=re.MULTILINE)]
    if len(pieces) == 1:
        return shown == printed
    place = 0
    for k, piece in enumerate(pieces):
        last = k == len(pieces) - 1
        found = _place(piece, printed, place, first=k == 0, last=last)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def _place(piece: str, printed: str, start: int, *, first: bool, last: bool) -> int:
    """Where these whole lines stand; at the beginning, or the end, where nothing is left out."""
    lines = re.compile(rf"^{re.escape(piece)}$", re.MULTILINE)
    found = [m.start() for m in lines.finditer(printed, start)]
    if not piece:
        return start
    if first:
        return 0 if 0 in found else -1
    if last:
        return found[-1] if found and not printed[found[-1] + len(piece) :].strip() else -1
    return found[0] if found else -1


@pytest.mark.parametrize("page", PROGRAMS, ids=lambda page: page.name)
def test_the_programs_of_a_page_print_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # what a page saves must not land in the repository
    monkeypatch.setenv("COLUMNS", "80")
    Path("examples").symlink_to(ROOT / "examples")
    checked = 0
    for block, printed in run(page, page.read_text("utf-8")):
        if block.output is not None:
            if not agree(block.output, printed):
                assert printed == block.output, f"{page.name}, the block at line {block.line + 1}"
            checked += 1
    assert checked > 0


def test_a_wrong_output_is_noticed() -> None:
    page = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    ((block, printed),) = run(Path("page.md"), page)
    assert (block.output, printed) == ("3\n", "2\n")


def test_an_output_belongs_to_the_block_right_before_it() -> None:
    page = "```python\nx = 1\n```\nwords\n```text\nnot an output\n```\n```sh\nls\n```\n"
    assert [block.output for block in blocks(page)] == [None]


def test_commands_are_run_and_files_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (
        '```toml\n# it.toml\n[expression]\nJ = "x*x"\n[values]\nx = 3\n```\n'
        "```answers\n# it.answers\ndJ/dx = 6\n```\n"
        "```sh\nchalkgrad check it.toml it.answers\n```\n```text\n⋮\n1 claim: 1 correct.\n```\n"
        "```sh\nchalkgrad explain gone.toml\n```\n"
    )
    *_, (block, printed), (_, message) = run(Path("page.md"), page)
    assert block.output is not None
    assert agree(block.output, printed)
    assert "chalkgrad: gone.toml is not there" in message


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("a\nb\nc\n", True), ("a\nb\n", False), ("a\n⋮\nc\n", True), ("⋮\nb\n⋮\n", True),
        ("⋮\nb\n", False), ("b\n⋮\n", False), ("a\n⋮\nd\n", False), ("c\n⋮\na\n", False),
        ("⋮\nb\nc\n", True), ("a\nb\n⋮\n", True),
    ],
)  # fmt: skip
def test_an_output_may_leave_lines_out_and_nothing_else(shown: str, expected: bool) -> None:
    assert agree(shown, "a\nb\nc\n") == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    prose = _FENCE.sub("", page.read_text("utf-8"))
    for target in _LINK.findall(prose):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        found = (page.parent / path) if path else page
        assert found.exists(), f"{page.relative_to(ROOT)} links to {target}, which is not there"
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found), f"{page.relative_to(ROOT)}: no heading for #{anchor}"


def anchors(page: Path) -> set[str]:
    """The names that a page's headings can be linked by."""
    prose = _FENCE.sub("", page.read_text("utf-8"))
    titles = re.findall(r"^#+ +(.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_design_note_is_listed() -> None:
    index = ROOT.joinpath("docs/README.md").read_text("utf-8")
    notes = [note.name for note in ROOT.joinpath("docs/design").glob("*.md")]
    assert [name for name in notes if f"design/{name}" not in index] == []


def test_the_architecture_names_files_that_exist() -> None:
    text = ROOT.joinpath("docs/architecture.md").read_text("utf-8")
    named = re.findall(r"`((?:\w+/)+\w+\.py|\w+/)`", text)
    package = ROOT / "src/chalkgrad"
    assert len(named) > 20
    assert [n for n in named if not (package / n).exists() and not (ROOT / n).exists()] == []
