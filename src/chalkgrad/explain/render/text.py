"""A document in a terminal: Unicode, at any width, equations aligned after their relation signs.

Line ::= Span*      Span ::= (text, style)      styles are names of Rich's, never markup
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import groupby
from operator import itemgetter
from re import sub

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from chalkgrad.draw.measure import clean
from chalkgrad.explain.document import (
    Block,
    Document,
    Equation,
    Fold,
    Heading,
    Part,
    Picture,
    Prose,
    Table,
)
from chalkgrad.explain.render.breaking import DEEPER, PRODUCT, RELATION, SUM, WORD, Piece, broken
from chalkgrad.explain.render.words import sentence, told, unknown
from chalkgrad.formulas import Expression, Number, text

Line = list[tuple[str, str]]
_RANKS = (
    dict.fromkeys("=<>≤≥≠≈", RELATION) | dict.fromkeys("+−", SUM)
    | dict.fromkeys(["·", "/", "//", "@", "∗", "∗ᵀ", "⋆", "mod", "fmod"], PRODUCT)
    | dict.fromkeys(["and", "or", "xor", "if", "else"], WORD)
)  # fmt: skip
_HANG = 2
_GLUE = "\u00a0"  # a space where no line is broken: within a short formula, around a relation
_UNBROKEN = 24  # cells of a formula in a paragraph that stay on one line


def to_text(document: Document, width: int = 80, *, color: bool = False) -> str:
    """The document in lines of at most `width` cells, unless a single word is wider.

    With `color`, in a terminal's own codes.

    >>> from chalkgrad.explain.document import Document, Link
    >>> from chalkgrad.formulas import Name, Number
    >>> document = Document("One step")
    >>> document.equation(Name("y"), [Link(Name("a") * Name("b")), Link(Number(6.0))], "step 1")
    >>> print(to_text(document, 40))
    One step
    ════════
    <BLANKLINE>
      y = a · b = 6                   step 1
    """
    made = laid_out(document, width)
    if not color:
        return "".join("".join(span for span, _ in line).rstrip() + "\n" for line in made)
    file = StringIO()
    console = Console(
        file=file, width=width, force_terminal=True, color_system="standard", _environ={}
    )
    for line in made:
        console.print(_rich(line), soft_wrap=True)
    return file.getvalue()


class Terminal:
    """The document as something that a Rich console prints, at the console's width."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in laid_out(self.document, options.max_width):
            yield _rich(line)


def _rich(line: Line) -> Text:
    made = Text(no_wrap=False, overflow="fold")
    for span, style in line:
        made.append(span, style)
    made.rstrip()
    return made


def laid_out(document: Document, width: int) -> Iterator[Line]:
    """The lines of a document."""
    title = clean(document.title)
    for piece in _wrapped(title, width):
        yield [(piece, "bold")]
    yield [("═" * min(cell_len(title), width), "dim")]
    if document.source:
        yield from ([(piece, "dim")] for piece in _wrapped(clean(document.source), width))
    yield []
    yield from list(_Writer(document.digits).blocks(document.blocks, width, 0))[:-1]


class _Writer:
    def __init__(self, digits: int) -> None:
        self.digits = digits

    def blocks(self, blocks: Sequence[Block], width: int, indent: int) -> Iterator[Line]:
        """Every block and an empty line after it; short equations stand close together."""
        for k, block in enumerate(blocks):
            made = list(self.block(block, width - indent))
            yield from ([(" " * indent, ""), *line] for line in made)
            close = len(made) == 1 and isinstance(block, Equation)
            if not (close and k + 1 < len(blocks) and self._close(blocks[k + 1], width - indent)):
                yield []

    def _close(self, block: Block, width: int) -> bool:
        return isinstance(block, Equation) and len(list(self.block(block, width))) == 1

    def block(self, block: Block, width: int) -> Iterator[Line]:
        if isinstance(block, Heading):
            yield from _heading(block, width)
        elif isinstance(block, Prose):
            words = "".join(self.word(part) for part in sentence(block.parts))
            yield from ([(piece, "")] for piece in _wrapped(words.strip(), width))
        elif isinstance(block, Equation):
            yield from ([("  ", ""), *line] for line in self.equation(block, width - 2))
        elif isinstance(block, Table):
            yield from self.table(block, width)
        elif isinstance(block, Picture):
            for indent, words in _paragraphs(told(block), width - 2):
                before = " " * (2 + indent)
                kept = sub(r" ([=≈]) ", rf"{_GLUE}\1{_GLUE}", words)
                pieces = _wrapped(kept, width - len(before))
                yield from ([(before + piece, "italic")] for piece in pieces)
        elif isinstance(block, Fold):
            yield from ([(piece, "bold")] for piece in _wrapped(f"▸ {clean(block.summary)}", width))
            yield []
            yield from list(self.blocks(block.blocks, width, 2))[:-1]
        else:
            raise unknown(block)

    def formula(self, expression: Expression) -> str:
        return clean(text(expression, self.digits))

    def word(self, part: Part) -> str:
        if isinstance(part, str):
            return sub(r" ([=≈]) ", rf"{_GLUE}\1{_GLUE}", part)
        shown = self.formula(part)
        return shown.replace(" ", _GLUE) if cell_len(shown) <= _UNBROKEN else shown

    # ------------------------------------------------------------------------------- equations

    def equation(self, block: Equation, width: int) -> Iterator[Line]:
        label = clean(block.label)
        room = width - cell_len(label) - 2 if label else width
        lines = self._one_line(block, room) or self._aligned(block, room)
        first, *others = lines
        if label:
            used = sum(cell_len(span) for span, _ in first)
            first += [(" " * max(width - used - cell_len(label), 2), ""), (label, "dim")]
        yield first
        yield from others

    def _one_line(self, block: Equation, room: int) -> list[Line] | None:
        if any(link.remark for link in block.links[:-1]):
            return None
        line: Line = [(self.formula(block.left), "")]
        for k, link in enumerate(block.links):
            style = _value_style(block, k)
            line += [(f" {clean(link.relation)} ", ""), (self.formula(link.body), style)]
        if block.links and block.links[-1].remark:
            line.append((f"  ({clean(block.links[-1].remark)})", "dim italic"))
        return [line] if sum(cell_len(span) for span, _ in line) <= room else None

    def _aligned(self, block: Equation, room: int) -> list[Line]:
        """Each link on a line of its own, or on several, which begin where its body does."""
        left = self.formula(block.left)
        column = cell_len(left) + 1
        lines: list[Line] = []
        start = left + " "
        if column > room // 2:
            lines = [[(piece, "")] for piece in self._broken(left, room)]
            start, column = " " * 4, 4
        for k, link in enumerate(block.links):
            sign = clean(link.relation)
            inner = column + cell_len(sign) + 1
            shown = self._broken(self.formula(link.body), max(room - inner, 1))
            head = start if k == 0 else " " * column
            style = _value_style(block, k)
            made: list[Line] = [[(f"{head}{sign} ", ""), (shown[0], style)]]
            made += [[(" " * inner, ""), (piece, style)] for piece in shown[1:]]
            lines += _remarked(made, clean(link.remark), inner, room)
        return lines or [[(left, "")]]

    def _broken(self, formula: str, room: int) -> list[str]:
        found = broken(list(_pieces(formula)), room, _HANG)
        return [
            " " * (_HANG * indent) + "".join(piece.content for piece in line).strip()
            for indent, line in found
        ]

    # ---------------------------------------------------------------------------------- tables

    def table(self, block: Table, width: int) -> Iterator[Line]:
        headings = [clean(heading) for heading in block.headings]
        cells = [[self.cell(part) for part in row] for row in block.rows]
        widths = _column_widths([headings, *cells], width)
        if widths is None:
            yield from _records(headings, cells, width)
            return
        right = [
            bool(block.rows) and all(isinstance(row[k], Number) for row in block.rows)
            for k in range(len(headings))
        ]
        yield from _table_row(headings, widths, right, "bold")
        yield [("  ".join("─" * wide for wide in widths), "dim")]
        for row in cells:
            yield from _table_row(row, widths, right, "")

    def cell(self, part: Part) -> str:
        return clean(part) if isinstance(part, str) else self.formula(part)


def _value_style(block: Equation, k: int) -> str:
    last = k == len(block.links) - 1
    return "bold" if last and isinstance(block.links[k].body, Number) else ""


def _heading(block: Heading, width: int) -> Iterator[Line]:
    pieces = _wrapped(clean(block.text), width)
    yield from ([(piece, "bold")] for piece in pieces)
    if block.level <= 2 and pieces:
        yield [(("─" if block.level == 1 else "╌") * max(map(cell_len, pieces)), "dim")]


def _remarked(lines: list[Line], remark: str, column: int, room: int) -> list[Line]:
    """With a remark behind the last line, or below it where there is no room."""
    if not remark:
        return lines
    used = sum(cell_len(span) for span, _ in lines[-1])
    if used + cell_len(remark) + 4 <= room:
        lines[-1].append((f"  ({remark})", "dim italic"))
        return lines
    below = _wrapped(f"({remark})", max(room - column, 1))
    return lines + [[(" " * column, ""), (piece, "dim italic")] for piece in below]


def _pieces(formula: str) -> Iterator[Piece[str]]:
    depth, before = 0, ""
    for k, word in enumerate(formula.split(" ")):
        rank = WORD if before.endswith(",") else _RANKS.get(word) if k else None
        content = f" {word}" if k else word
        yield Piece(content, cell_len(content), None if rank is None else rank + DEEPER * depth)
        for letter in word:
            depth = max(depth + (letter in "([{⌈⌊") - (letter in ")]}⌉⌋"), 0)
        before = word


def _paragraphs(lines: Iterable[tuple[int, str]], width: int) -> Iterator[tuple[int, str]]:
    """Lines that are moved in alike are one paragraph: they were broken for another width.

    Where its columns do not fit on a line, the second is such a paragraph.
    """
    for indent, group in groupby(lines, key=itemgetter(0)):
        if indent:
            yield indent, " ".join(words for _, words in group)
            continue
        for _, words in group:
            first, *others = [words] if cell_len(words) <= width else words.split(" " * 4)
            yield 0, first
            yield from ((4, other) for other in others)


def _wrapped(words: str, width: int) -> list[str]:
    """Lines of whole words."""
    lines: list[str] = []
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line.replace(_GLUE, " ") for line in lines]


def _column_widths(rows: list[list[str]], width: int) -> list[int] | None:
    """As wide as the contents; where that is too wide, the widest give way. None: not enough."""
    columns = list(zip(*rows, strict=True))
    if not columns:
        return []
    widths = [max(map(cell_len, column), default=0) for column in columns]
    least = [max(cell_len(w) for cell in column for w in cell.split(" ")) for column in columns]
    excess = sum(widths) + 2 * (len(widths) - 1) - width
    while excess > 0:
        able = [k for k in range(len(widths)) if widths[k] > least[k]]
        if not able:
            return None
        widths[max(able, key=widths.__getitem__)] -= 1
        excess -= 1
    return widths


def _table_row(
    cells: list[str], widths: list[int], right: list[bool], style: str
) -> Iterator[Line]:
    wrapped = [_wrapped(cell, wide) for cell, wide in zip(cells, widths, strict=True)]
    for k in range(max(map(len, wrapped), default=0)):
        line = ""
        for pieces, wide, is_right in zip(wrapped, widths, right, strict=True):
            piece = pieces[k] if k < len(pieces) else ""
            gap = " " * (wide - cell_len(piece))
            line += (gap + piece if is_right else piece + gap) + "  "
        yield [(line.rstrip(), style)]


def _records(headings: list[str], cells: list[list[str]], width: int) -> Iterator[Line]:
    """A table that is too wide for its columns: each row as a list of what is in it."""
    for number, row in enumerate(cells):
        if number:
            yield []
        for heading, cell in zip(headings, row, strict=True):
            first, *others = _wrapped(cell, max(width - cell_len(heading) - 2, 1))
            yield [(f"{heading}: ", "bold"), (first, "")]
            yield from ([("  " + piece, "")] for piece in others)
