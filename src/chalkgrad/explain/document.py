"""A derivation laid out for reading: the few kinds of blocks that every format renders.

Document ::= title, Block*
Block    ::= Heading(level, text)       words, or a symbol that formats typeset
           | Prose(part*)              a paragraph: words, and formulas among them
           | Equation(left, Link*)     left = body = body, each link on a line where it is long
           | Table(headings, row*)     cells of words or formulas
           | Picture(svg, text)        a drawing, and what it shows in words
           | Fold(summary, Block*)     what a page shows on request and paper shows at once
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chalkgrad.formulas import DIGITS, Expression

Part = str | Expression


@dataclass(frozen=True)
class Heading:
    level: int  # 1: a pass; 2: one quantity or gradient; 3: a part of it
    text: str
    symbol: Expression | None = None  # what `text` writes out, where that is a formula


@dataclass(frozen=True)
class Prose:
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Link:
    """One `= body` of a chain of equalities, and a remark beside it."""

    body: Expression
    relation: str = "="  # or "≈" where the digits that are shown are not all
    remark: str = ""


@dataclass(frozen=True)
class Equation:
    left: Expression
    links: tuple[Link, ...]
    label: str = ""  # "step 4"


@dataclass(frozen=True)
class Table:
    headings: tuple[str, ...]
    rows: tuple[tuple[Part, ...], ...]


@dataclass(frozen=True)
class Picture:
    svg: str
    text: str  # its title, its description, an empty line, and what is in it line by line


@dataclass(frozen=True)
class Fold:
    summary: str
    blocks: tuple[Block, ...]


Block = Heading | Prose | Equation | Table | Picture | Fold


@dataclass
class Document:
    """What is rendered. `digits` says how many decimals are shown; numbers are kept whole."""

    title: str
    blocks: list[Block] = field(default_factory=list)
    digits: int = DIGITS
    source: str = ""  # where the problem is from

    def heading(self, level: int, text: str, symbol: Expression | None = None) -> None:
        self.blocks.append(Heading(level, text, symbol))

    def prose(self, *parts: Part) -> None:
        self.blocks.append(Prose(parts))

    def equation(self, left: Expression, links: Sequence[Link], label: str = "") -> None:
        self.blocks.append(Equation(left, tuple(links), label))
