"""What every format does with words: clean them, and find the parts of a paragraph."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, takewhile
from re import split

from chalkgrad.core.errors import ArgumentError
from chalkgrad.draw.measure import clean
from chalkgrad.explain.document import Block, Document, Fold, Heading, Part, Picture


def cleaned(text: str) -> str:
    """A part of a paragraph, clean, with the spaces at its ends.

    >>> cleaned(" so  that\\n")
    ' so that '
    """
    inner = clean(text)
    if not inner:
        return " " if text else ""
    return " " * text[0].isspace() + inner + " " * text[-1].isspace()


def caption(picture: Picture) -> str:
    """What a picture is and how it is read: the lines above its list."""
    lines = takewhile(str.strip, picture.text.splitlines())
    return " · ".join(clean(line) for line in islice(lines, 2))


def told(picture: Picture) -> Iterator[tuple[int, str]]:
    """The lines of a picture in words, each with the spaces before it; columns stay apart."""
    for line in picture.text.splitlines() or [""]:
        columns = [clean(column) for column in split(" {4,}", line.strip())]
        yield len(line) - len(line.lstrip(" ")), (" " * 4).join(columns)


def headings(document: Document) -> Iterator[Heading]:
    """Every heading that is not folded away."""
    return (block for block in document.blocks if isinstance(block, Heading))


def flat(blocks: list[Block] | tuple[Block, ...]) -> Iterator[Block]:
    """Every block, and those in folds."""
    for block in blocks:
        yield block
        if isinstance(block, Fold):
            yield from flat(block.blocks)


def sentence(parts: tuple[Part, ...]) -> Iterator[Part]:
    """A paragraph's parts, its words clean."""
    return (cleaned(part) if isinstance(part, str) else part for part in parts)


def unknown(block: object) -> ArgumentError:
    """A block that no format knows."""
    return ArgumentError(
        f"a document holds a {type(block).__name__}; its blocks are Heading, Prose, Equation, "
        "Table, Picture and Fold"
    )
