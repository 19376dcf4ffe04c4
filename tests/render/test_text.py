"""Documents in a terminal, as exact strings."""

from __future__ import annotations

from io import StringIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from chalkgrad.explain.document import Document, Equation, Fold, Link, Picture, Prose, Table
from chalkgrad.explain.render import Terminal, to_text
from chalkgrad.formulas import Call, Name, Number
from tests.render.sample import HOSTILE, document

SMALL = """\
A small network
═══════════════
a lecture

Forward
───────

The sum z of two inputs.

  z = w1 · x1 + w2 · x2 = 0.3                                             step 1
  a = σ(z) ≈ 0.57444                                                      step 2

  ∂E_total/∂w1 = ∂E_total/∂output_o1 · ∂output_o1/∂sum_o1                 step 3
                 · ∂sum_o1/∂output_h1 · ∂output_h1/∂sum_h1
                 · ∂sum_h1/∂w1
               ≈ 0.08020  (used in step 4)

name   old
────  ────
w1     0.1
w2    0.25

▸ Details

  It is so.

    z = 0.3

    A graph: x → z.
"""


def small() -> Document:
    from chalkgrad.formulas import Partial

    made = Document("A small network", source="a lecture")
    made.heading(1, "Forward")
    made.prose("The sum ", Name("z"), " of two inputs.")
    products = Call("sum", (Name("w1") * Name("x1"), Name("w2") * Name("x2")))
    made.equation(Name("z"), [Link(products), Link(Number(0.3))], "step 1")
    made.equation(
        Name("a"), [Link(Call("sigmoid", (Name("z"),))), Link(Number(0.574443), "≈")], "step 2"
    )
    chain = ["E_total", "output_o1", "sum_o1", "output_h1", "sum_h1", "w1"]
    links = [Partial(Name(a), Name(b)) for a, b in pairwise(chain)]
    result = Link(Number(0.080199), "≈", "used in step 4")
    made.equation(
        Partial(Name("E_total"), Name("w1")), [Link(Call("prod", tuple(links))), result], "step 3"
    )
    rows = ((Name("w1"), Number(0.1)), (Name("w2"), Number(0.25)))
    made.blocks.append(Table(("name", "old"), rows))
    inner = (
        Prose(("It is so.",)),
        Equation(Name("z"), (Link(Number(0.3)),)),
        Picture("<svg/>", "A graph: x → z."),
    )
    made.blocks.append(Fold("Details", inner))
    return made


def test_a_document_at_eighty_columns() -> None:
    assert to_text(small(), 80) == SMALL


def test_rich_prints_the_same_lines() -> None:
    file = StringIO()
    Console(file=file, width=80, color_system=None).print(Terminal(small()))
    assert file.getvalue() == SMALL


def test_colours_change_no_letter() -> None:
    from rich.text import Text

    colored = to_text(small(), 80, color=True)
    assert "\x1b[1m" in colored
    assert Text.from_ansi(colored).plain.rstrip() == SMALL.rstrip()


@given(st.integers(50, 120))
def test_no_line_is_wider_than_asked(width: int) -> None:
    assert max(cell_len(line) for line in to_text(document(), width).splitlines()) <= width


def test_nothing_is_wider_than_eighty() -> None:
    assert max(cell_len(line) for line in to_text(document()).splitlines()) <= 80


def test_a_table_that_is_too_wide_becomes_a_list() -> None:
    table = Table(("parameter", "gradient"), (("a" * 15, Number(0.25)), ("b" * 15, Number(2.0))))
    shown = to_text(Document("T", [table]), 20)
    assert shown.endswith(
        "parameter: aaaaaaaaaaaaaaa\ngradient: 0.25\n\nparameter: bbbbbbbbbbbbbbb\ngradient: 2\n"
    )


def test_typed_text_is_neither_markup_nor_a_command_of_the_terminal() -> None:
    made = Document(HOSTILE)
    made.equation(Name(HOSTILE), [Link(Number(1.0))], HOSTILE)
    plain = to_text(made, 200)
    assert "[red]boo[/red]" in plain
    assert "\x1b" not in plain
    assert "\u202e" not in plain
    file = StringIO()
    Console(file=file, width=200, color_system="truecolor", force_terminal=True).print(
        Terminal(made)
    )
    assert "[red]boo[/red]" in file.getvalue()
    assert "\x1b[31m" not in file.getvalue()


@pytest.mark.parametrize("digits", [3, 7])
def test_digits_are_the_documents(digits: int) -> None:
    made = Document("T", digits=digits)
    made.equation(Name("x"), [Link(Number(1 / 3), "≈")])
    assert f"x ≈ {1 / 3:.{digits}f}\n" in to_text(made)
