"""A derivation's document as JSON: every formula in LaTeX and in Unicode, its factors with lights.

What a person asks about stands open; the passes around it are folded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalkgrad.explain.document import (
    Block,
    Document,
    Equation,
    Fold,
    Heading,
    Link,
    Part,
    Picture,
    Prose,
    Table,
)
from chalkgrad.formulas import (
    Expression,
    Name,
    Partial,
    factors,
    factors_shown,
    latex,
    names_in,
    parts,
    text,
)
from chalkgrad.studio.places import Lights

Json = dict[str, Any]
_MAIN = ("Backward", "Paths")
Lighten = Callable[[Sequence[str]], Lights]


def blocks_of(document: Document, lights: Lighten) -> list[Json]:
    """The blocks of a document, with its main part first and open."""
    writer = _Writer(document.digits, lights)
    sections = _sections(document.blocks)
    titles = [title for title, _ in sections]
    main = next((k for k, title in enumerate(titles) if title.startswith(_MAIN)), len(titles) - 1)
    before = [block for _, part in sections[:main] for block in part]
    folded = [("What is given, and the forward pass", before)] if before else []
    folded += sections[main + 1 :]
    return writer.open(sections[main][1]) + [
        {"kind": "fold", "summary": title, "blocks": [writer.block(b) for b in part]}
        for title, part in folded
    ]


def forward_blocks(document: Document, lights: Lighten) -> list[Json]:
    """The forward pass of a document, and what is given before it."""
    writer = _Writer(document.digits, lights)
    sections = dict(_sections(document.blocks))
    given = [writer.block(block) for block in sections.get("", ())]
    folded = [{"kind": "fold", "summary": "What is given", "blocks": given}] if given else []
    return writer.open(sections.get("Forward pass", ())) + folded


def _sections(blocks: Sequence[Block]) -> list[tuple[str, list[Block]]]:
    """The blocks by headings of the first level; what stands before the first has no title."""
    found: list[tuple[str, list[Block]]] = [("", [])]
    for block in blocks:
        if isinstance(block, Heading) and block.level == 1:
            found.append((block.text, []))
        else:
            found[-1][1].append(block)
    return [(title, part) for title, part in found if part]


class _Writer:
    def __init__(self, digits: int, lights: Lighten) -> None:
        self.digits, self.lights = digits, lights
        self.chains: dict[Expression, tuple[Expression, ...]] = {}  # ∂E/∂w as ∂E/∂o · ∂o/∂w

    def open(self, blocks: Sequence[Block]) -> list[Json]:
        """What stands open; the page has a picture of its own."""
        return [self.block(block) for block in blocks if not isinstance(block, Picture)]

    def block(self, block: Block) -> Json:
        match block:
            case Heading(level, words, symbol):
                shown = None if symbol is None else latex(symbol, self.digits)
                return {"kind": "heading", "level": level, "text": words, "latex": shown}
            case Prose(several):
                return {"kind": "prose", "parts": [self.part(part) for part in several]}
            case Equation():
                return self.equation(block)
            case Table(headings, rows):
                cells = [[self.cell(cell) for cell in row] for row in rows]
                return {"kind": "table", "headings": list(headings), "rows": cells}
            case Picture(svg, words):
                return {"kind": "picture", "svg": svg, "text": words}
            case Fold(summary, inside):
                folded = [self.block(b) for b in inside]
                return {"kind": "fold", "summary": summary, "blocks": folded}

    def formula(self, expression: Expression) -> Json:
        return {"text": text(expression, self.digits), "latex": latex(expression, self.digits)}

    def part(self, part: Part) -> Json:
        if isinstance(part, str):
            return {"text": part}
        return self.formula(part) | {"lights": self.lights(named(part))}

    def cell(self, cell: Part) -> Json:
        return {"text": cell, "latex": None} if isinstance(cell, str) else self.formula(cell)

    def equation(self, block: Equation) -> Json:
        first = factors(block.links[0].body) if block.links else ()
        if first and all(isinstance(factor, Partial) for factor in first):
            self.chains[block.left] = first
        chains = (first, self.chains.get(block.left, ()))
        links = [self.link(link, chains) for link in block.links]
        return {
            "kind": "equation", "label": block.label, "left": self.formula(block.left),
            "links": links,
        }  # fmt: skip

    def link(self, link: Link, chains: Sequence[Sequence[Expression]]) -> Json:
        """A link; numbers of a product are those of a chain's factors, one by one."""
        own = factors(link.body)
        fitting = [chain for chain in chains if len(chain) == len(own)]
        meant = fitting[0] if fitting else own
        words = factors_shown(link.body, self.digits)
        shown = factors_shown(link.body, self.digits, latex=True)
        return {
            "relation": link.relation,
            **self.formula(link.body),
            "remark": link.remark,
            "factors": [
                {"text": word, "latex": tex, "name": text(of), "lights": self.lights(named(of))}
                for word, tex, of in zip(words, shown, meant, strict=True)
            ],
        }


def named(expression: Expression) -> list[str]:
    """The quantities that a formula is about; of a derivative both."""
    found: list[str] = [name.text for name in names_in(expression)]
    for part in parts(expression):
        if isinstance(part, Partial):
            found += [part.of.text, part.by.text]
    if isinstance(expression, Name):
        found = [expression.text]
    return list(dict.fromkeys(found))
