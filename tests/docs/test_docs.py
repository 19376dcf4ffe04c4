"""The documents are true: their Python prints what stands there, their links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(
        page
        for room in ("docs", "src", "examples", "benchmarks")
        for page in ROOT.joinpath(room).rglob("*.md")
    ),
]
PROGRAMS = [ROOT / "README.md", ROOT / "docs/tutorial.md"]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A piece of Python, and what the page says that it prints (None: the page does not say)."""

    line: int
    code: str
    output: str | None


def blocks(text: str) -> Iterator[Block]:
    """Every ```python block; a ```text or bare block right after it is its output."""
    fences = list(_FENCE.finditer(text))
    for fence, following in zip(fences, [*fences[1:], None], strict=True):
        if fence[1] != "python":
            continue
        adjacent = following is not None and not text[fence.end() : following.start()].strip()
        shown = following[2] if following and adjacent and following[1] in ("text", "") else None
        yield Block(text.count("\n", 0, fence.start(2)), fence[2], shown)


def run(page: Path, text: str) -> Iterator[tuple[Block, str]]:
    """Execute a page's blocks in order as one program; each with what it printed."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(text):
        printed = io.StringIO()
        code = compile(
            "\n" * block.line + block.code, str(page), "exec"
        )  # errors name the page's line
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        yield block, printed.getvalue()


@pytest.mark.parametrize("page", PROGRAMS, ids=lambda page: page.name)
def test_the_programs_of_a_page_print_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # what a page saves must not land in the repository
    checked = 0
    for block, printed in run(page, page.read_text("utf-8")):
        if block.output is not None:
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
