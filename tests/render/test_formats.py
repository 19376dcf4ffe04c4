"""What holds in every format: every block is there, and what people typed stays text."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from chalkgrad.core.errors import ArgumentError, MissingExtra
from chalkgrad.explain.document import Document, Fold, Link, Picture, Prose, Table
from chalkgrad.explain.render import (
    fragment,
    to_html,
    to_latex,
    to_markdown,
    to_pdf,
    to_text,
    to_typst,
)
from chalkgrad.explain.render import typst as typst_door
from chalkgrad.formulas import Name, Number, Partial
from tests.render.sample import HOSTILE, document

FORMATS: list[Callable[[Document], str]] = [
    to_text, to_markdown, to_latex, to_typst, to_html, fragment,
]  # fmt: skip
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def hostile() -> Document:
    """What a person typed, in every place where text can stand."""
    made = Document(HOSTILE, source=HOSTILE)
    for name in (
        HOSTILE,
        "\\input{x}",
        "%",
        "$",
        "x_{",
        "a\\",
        "x[\\input{y}]",
        "ŷ",
        "η",
        "名",
        "a|b",
    ):
        made.equation(Name(name), [Link(Name(name) * Number(2.0), remark=HOSTILE)], HOSTILE)
        made.prose(HOSTILE, Partial(Name("E"), Name(name)), HOSTILE)
    made.heading(1, HOSTILE)
    made.heading(2, "= heading\n- list\n1. list")
    made.blocks.append(Table((HOSTILE, "b"), ((HOSTILE, Name(HOSTILE)), ("a|b", Name("a|b")))))
    made.blocks.append(Picture(SVG, HOSTILE))
    made.blocks.append(Fold(HOSTILE, (Prose((HOSTILE,)),)))
    return made


@pytest.mark.parametrize("render", FORMATS)
def test_every_block_is_rendered(render: Callable[[Document], str]) -> None:
    shown = render(document())
    for words in (
        "A 2-2-2 network learns", "a lecture, page 3", "Forward pass", "Two paths lead from",
        "step 12", "the chain rule", "parameter", "x leads to y.", "All local derivatives",
        "Each is used in some path.", "0.27481",
    ):  # fmt: skip
        assert words in shown.replace("2\\-2\\-2", "2-2-2")


@pytest.mark.parametrize("render", FORMATS)
def test_an_empty_document_is_rendered(render: Callable[[Document], str]) -> None:
    assert "Nothing" in render(Document("Nothing"))


@pytest.mark.parametrize("render", FORMATS)
def test_a_block_of_no_kind_is_refused(render: Callable[[Document], str]) -> None:
    with pytest.raises(ArgumentError, match="holds a str; its blocks are Heading, Prose"):
        render(Document("T", ["a paragraph"]))  # type: ignore[list-item]


@pytest.mark.parametrize("render", FORMATS)
def test_no_control_character_passes(render: Callable[[Document], str]) -> None:
    shown = render(hostile())
    assert not {"\x1b", "\u202e"} & set(shown)


def test_html_holds_typed_text_as_text() -> None:
    page = to_html(hostile())
    assert page.count("<script>") == 1  # the page's own
    assert "&lt;script&gt;alert(1)" in page


def test_markdown_escapes_its_marks() -> None:
    shown = re.sub(r"(?ms)^```text\n.*?^```$", "", to_markdown(hostile()))
    assert "<script" not in shown
    words = re.sub(r"(?s)\$\$.*?\n\$\$|(?<!\\)\$.*?(?<!\\)\$", "", shown)
    assert not re.search(r"(?<!\\)\*b\*", words)
    assert "\\*b\\*" in words
    assert "\\$x\\$" in shown
    assert "\n\\= heading" not in shown
    assert "### \\= heading - list 1. list" in shown


def test_a_picture_in_words_keeps_its_lines_and_cannot_end_its_fence() -> None:
    shown = to_markdown(Document("T", [Picture(SVG, "a\n\nx = 1    from y\n    ````z")]))
    assert shown.endswith("\n`````text\na\n\nx = 1    from y\n    ````z\n`````\n")


@pytest.mark.parametrize("render", FORMATS)
def test_a_heading_that_is_a_symbol_is_typeset(render: Callable[[Document], str]) -> None:
    made, symbol = Document("T"), Partial(Name("E"), Name("w1"))
    made.heading(2, "∂E/∂w1", symbol)
    latex = r"\displaystyle \frac{\partial E}{\partial w_{1}}"
    expected = {
        to_text: "\n∂E/∂w1\n",
        to_markdown: f"### ${latex}$",
        to_latex: rf"\subsubsection*{{${latex}$}}",
        to_typst: "#heading(level: 2)[#symbol($display(frac(partial E, partial w_(1)))$)]",
        to_html: f'<h3 id="part-1"><span class="m" data-tex="{latex}">∂E/∂w1</span></h3>',
        fragment: "&lt;h3 id=&quot;part-1&quot;&gt;&lt;span class=&quot;m&quot;",
    }
    assert expected[render] in render(made)


def test_no_line_ends_between_a_name_and_its_number() -> None:
    made = Document("T")
    made.prose("given: ", Name("x"), " = ", Number(2.0), ", ", Name("y"), " = ", Number(3.0))
    assert "$x$~=~$2$, $y$~=~$3$" in to_latex(made)
    assert r"$x$~\=~$2$, $y$~\=~$3$" in to_typst(made)
    assert to_html(made).count('<span class="tied"><span class="m"') == 2


def test_markdown_tables_have_no_bars_inside_cells() -> None:
    table = Table(("a", "b"), (("x|y", Name("p|q")),))
    last = to_markdown(Document("T", [table])).splitlines()[-1]
    assert last.count("|") == 3


def unescaped(text: str, letter: str) -> int:
    return len(re.findall(rf"(?<!\\)(?:\\\\)*{re.escape(letter)}", text))


@pytest.mark.parametrize("made", [document(), hostile()])
def test_latex_is_balanced(made: Document) -> None:
    text = to_latex(made)
    assert unescaped(text, "{") == unescaped(text, "}")
    assert unescaped(text, "$") % 2 == 0
    assert text.count(r"\left") == text.count(r"\right")
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert r"\input" not in text.replace(r"\textbackslash{}input", "").replace(
        r"\usepackage[utf8]{inputenc}", ""
    )


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
@pytest.mark.parametrize("made", [document(), hostile()], ids=["usual", "hostile"])
def test_latex_compiles(tmp_path: Path, engine: str, made: Document) -> None:
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    (tmp_path / "it.tex").write_text(to_latex(made), "utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "it.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


@pytest.mark.parametrize("made", [document(), hostile()], ids=["usual", "hostile"])
def test_typst_compiles(made: Document) -> None:
    pytest.importorskip("typst")
    assert to_pdf(made).startswith(b"%PDF")


def test_typst_escapes_its_marks() -> None:
    text = to_typst(hostile())
    body = text.split("#text(size: 1.6em", 1)[1]
    assert "#import" not in re.sub(r'"(?:[^"\\]|\\.)*"', "", body).replace("\\#import", "")


def test_a_pdf_without_the_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(typst_door, "import_module", missing)
    with pytest.raises(MissingExtra, match=r'pip install "chalkgrad\[pdf\]"'):
        to_pdf(Document("T"))
