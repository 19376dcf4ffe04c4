"""Where a long formula is broken into lines: at its outermost signs, sums before products.

a formula ::= Piece*            each piece knows how wide it is, and whether a line may begin
a line    ::= (indent, Piece*)  with it: `rank` says how readily, the smallest first
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
DEEPER = 10  # what one pair of brackets adds to a rank
RELATION, SUM, PRODUCT, WORD = range(4)


@dataclass(frozen=True)
class Piece(Generic[T]):
    content: T
    width: float
    rank: int | None = None  # None: no line begins here


Line = tuple[int, Sequence[Piece[T]]]


def broken(pieces: Sequence[Piece[T]], room: float, hang: float) -> list[Line[T]]:
    """Lines that are no wider than `room`, unless one piece is. `hang` is how far a line moves in
    that continues a part of the line above it."""
    if sum(piece.width for piece in pieces) <= room:
        return [(0, pieces)]
    ranks = [piece.rank for piece in pieces[1:] if piece.rank is not None]
    if not ranks:
        return [(0, pieces)]
    if min(ranks) < DEEPER:
        return _filled(list(_parts(pieces, min(ranks))), room, hang)
    return _continued(pieces, min(ranks), room, hang)  # all of it stands in brackets


def _continued(pieces: Sequence[Piece[T]], rank: int, room: float, hang: float) -> list[Line[T]]:
    """Lines of which all but the first are moved in."""
    first, *others = _filled(list(_parts(pieces, rank)), room - hang, hang)
    return [first, *((indent + 1, line) for indent, line in others)]


def _parts(pieces: Sequence[Piece[T]], rank: int) -> Iterator[Sequence[Piece[T]]]:
    start = 0
    for k in range(1, len(pieces)):
        if pieces[k].rank == rank:
            yield pieces[start:k]
            start = k
    yield pieces[start:]


def _filled(parts: list[Sequence[Piece[T]]], room: float, hang: float) -> list[Line[T]]:
    """As many parts on a line as fit; a part that fits on none is broken by itself."""
    lines: list[Line[T]] = []
    current: list[Piece[T]] = []
    used = 0.0
    for part in parts:
        wide = sum(piece.width for piece in part)
        if current and used + wide > room:
            lines.append((0, current))
            current, used = [], 0.0
        if wide <= room:
            current += part
            used += wide
            continue
        ranks = [piece.rank for piece in part[1:] if piece.rank is not None]
        lines += _continued(part, min(ranks), room, hang) if ranks else [(0, part)]
    return [*lines, (0, current)] if current else lines
