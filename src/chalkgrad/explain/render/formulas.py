"""Equations as rows of trees: what Markdown, LaTeX, Typst and the page have in common.

Row ::= left, relation, body, indent, remark       a row continues the one above where it has
                                                   no relation
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from chalkgrad.core.errors import ArgumentError
from chalkgrad.draw.measure import clean
from chalkgrad.explain.document import Equation
from chalkgrad.explain.render.breaking import DEEPER, PRODUCT, RELATION, SUM, WORD, Piece, broken
from chalkgrad.formulas import Call, Expression, Name, Partial, latex
from chalkgrad.formulas import typeset as ts
from chalkgrad.formulas.names import latex_of

HANG = 2.0  # em
_RANKS = (
    dict.fromkeys(ts.RELATIONS, RELATION) | dict.fromkeys(ts.SUMS, SUM)
    | dict.fromkeys(ts.PRODUCTS, PRODUCT)
)  # fmt: skip
RELATION_WIDTH = 1.4
_OPENING, _CLOSING = (ts.Atom("("), ts.Atom("[")), (ts.Atom(")"), ts.Atom("]"))


@dataclass(frozen=True)
class Row:
    left: ts.Row
    relation: str  # in LaTeX; "" continues
    body: ts.Row
    indent: int = 0
    remark: str = ""

    @property
    def width(self) -> float:
        relation = RELATION_WIDTH if self.relation else 0
        return ts.width(self.left) + relation + HANG * self.indent + ts.width(self.body)


def tree(expression: Expression, digits: int) -> ts.Row:
    """A formula, read from its LaTeX. Names that LaTeX could misread are set as words."""
    return ts.read(latex(_safe(expression), digits))


def _safe(part: Expression) -> Expression:
    """With LaTeX in every name. (Names are equal by their text: `replaced` would change none.)"""
    if isinstance(part, Name):
        return part if part.latex else replace(part, latex=_name(part.text))
    if isinstance(part, Partial):
        named = (part.of, part.by)
        of, by = (Name(name.text, name.latex or _name(name.text)) for name in named)
        return Partial(of, by)
    if isinstance(part, Call):
        return Call(part.function, tuple(_safe(argument) for argument in part.arguments))
    return part


@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    text = clean(text)
    try:
        written = latex_of(text)
        ts.read(written)
    except ArgumentError:
        return rf"\text{{{ts.escaped(text)}}}"
    return written


def relation(sign: str) -> str:
    """How a relation is written in LaTeX."""
    signs = {"≈": r"\approx", "≤": r"\le", "≥": r"\ge", "→": r"\to", "←": r"\gets", "≠": r"\ne"}
    return signs.get(sign, sign)


def lines(row: ts.Row, room: float) -> list[tuple[int, ts.Row]]:
    """A formula on as many lines as it needs, each with how far it is moved in."""
    return [
        (indent, _joined([piece.content for piece in pieces]))
        for indent, pieces in broken(list(_pieces(row, 0)), room, HANG)
    ]


def in_one_line(equation: Equation, digits: int) -> ts.Row:
    """left = body = body, as one formula."""
    row = tree(equation.left, digits)
    for link in equation.links:
        row += (ts.Atom(relation(link.relation)), *tree(link.body, digits))
    return row


def rows(equation: Equation, digits: int, room: float) -> list[Row]:
    """The rows of an equation that are `room` em wide: one where it fits, or each link its own."""
    left, found = tree(equation.left, digits), list[Row]()
    remarks = [clean(link.remark) for link in equation.links]
    bodies = [tree(link.body, digits) for link in equation.links]
    short = sum(map(ts.width, bodies)) + RELATION_WIDTH * len(bodies) + ts.width(left) <= room
    if short and not any(remarks[:-1]) and bodies:
        whole = in_one_line(equation, digits)[len(left) + 1 :]
        return [Row(left, relation(equation.links[0].relation), whole, 0, remarks[-1])]
    inner = max(room - ts.width(left) - RELATION_WIDTH, room / 3)
    for link, body, remark in zip(equation.links, bodies, remarks, strict=True):
        shown = lines(body, inner)
        for k, (indent, line) in enumerate(shown):
            found.append(
                Row(
                    left if not found else (),
                    "" if k else relation(link.relation),
                    line,
                    indent,
                    remark if k == len(shown) - 1 else "",
                )
            )
    return found or [Row(left, "", ())]


@dataclass(frozen=True)
class _End:
    """One end of a pair of brackets, on its way through the lines."""

    fence: ts.Fence
    left: bool


def _pieces(row: ts.Row, depth: int) -> list[Piece[ts.Node | _End]]:
    found: list[Piece[ts.Node | _End]] = []
    for k, node in enumerate(row):
        if isinstance(node, ts.Fence):
            found.append(Piece(_End(node, True), 0.45, _rank(row, k, depth)))
            found += _pieces(node.inner, depth + 1)
            found.append(Piece(_End(node, False), 0.45))
            continue
        depth -= node in _CLOSING
        found.append(Piece(node, ts.width((node,)), _rank(row, k, depth)))
        depth += node in _OPENING
    return found


def _rank(row: ts.Row, k: int, depth: int) -> int | None:
    """How readily a line begins with this node: with a sign, or with what follows a comma."""
    node = row[k]
    if k and row[k - 1] == ts.Atom(","):
        return WORD + DEEPER * depth
    rank = _RANKS.get(node.text) if isinstance(node, ts.Atom) else None
    return rank + DEEPER * depth if rank is not None and ts.is_infix(row, k) else None


def _joined(contents: list[ts.Node | _End]) -> ts.Row:
    """The tree of one line. Brackets whose other end stands on another line are set by size."""
    stack: list[list[ts.Node]] = [[]]
    opened: list[ts.Fence] = []
    for content in contents:
        if not isinstance(content, _End):
            stack[-1].append(content)
        elif content.left:
            opened.append(content.fence)
            stack.append([])
        elif opened:
            fence, inner = opened.pop(), stack.pop()
            stack[-1].append(ts.Fence(fence.left, tuple(inner), fence.right))
        else:
            stack[-1].append(_half(content.fence, left=False))
    while opened:
        inner = stack.pop()
        stack[-1] += [_half(opened.pop(), left=True), *inner]
    return tuple(stack[0])


def _half(fence: ts.Fence, *, left: bool) -> ts.Half:
    return ts.Half(fence.left if left else fence.right, left, ts.is_tall(fence.inner))
