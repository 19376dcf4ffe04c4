"""Matrix products in register tiles: C[i,j] = Σₖ A[i,k] · B[k,j].

    for each tile of rows × columns of C:
        for k:  for each row: accumulators += A[row,k] · B[k, columns]        (all in registers)
        epilogue(tile)

A tile is a few rows of two vectors: as many accumulators as the registers hold, beside two of B and
one element of A. Each element is summed in the order of k, whoever computes it, so results do not
depend on the number of threads. Operands are read where they lie; a panel of B (all k, the columns
of one tile) is copied together first if its columns are not contiguous, or if it is large, read by
many tiles, and its rows lie so far apart that they would push each other out of the cache. A large
B is worked through in groups of panels that stay in the cache together: rows of A are read once a
group. A may be no matrix but the windows of an image: then a table has the places of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product as pairs
from math import prod
from typing import NamedTuple

from chalkgrad.machine.functions import BITS
from chalkgrad.machine.host import Host
from chalkgrad.machine.text import Function, literal, vector_of

_UNROLL = 2  # steps of k in one turn of the loop
_LONG_TURN = 8  # of a run that is begun again and again
_SHORT = 5  # a run that is written out
_SQUARE = 4  # numbers of a side that is turned in registers
_REUSE = 4  # tiles that must read a panel before copying it pays
_BUSY = 8  # accumulators that keep the multipliers busy: two of them, each with 4 cycles of latency
_TURNED = 40  # steps of k for each row, from which lanes along k beat turning B
_SMALL = 64  # rows of a product in which a rest would be a large part
_FEW = 24  # rows up to which turning a panel would cost as much as the product
_FAR = 512  # bytes between rows of B from which they meet in few sets of the cache


class Product(NamedTuple):
    """The shape of a product, and the strides of its operands in elements."""

    kind: str  # "float" or "double"
    m: int
    n: int
    k: int
    a: tuple[int, int]  # along i and along k
    b: tuple[int, int]  # along k and along j
    # Where A is no matrix: i and k as the indices of some axes, each with its extent and the
    # elements between two of its indices.
    rows: tuple[tuple[int, int], ...] = ()
    depth: tuple[tuple[int, int], ...] = ()
    turned: bool = False  # tiles are handed on with their axes exchanged


class Tile(NamedTuple):
    """A finished piece of C, on the stack, row-major."""

    pointer: str
    stride: int  # elements between its rows
    row: str  # where its first element is in C
    column: str
    rows: int
    columns: int


Epilogue = Callable[[Function, Tile], None]


class _Tiling(NamedTuple):
    """How a product is cut into tiles."""

    rows: int  # of a whole tile
    columns: int
    down: int  # tiles along i
    across: int  # tiles along j
    group: int  # tiles along j that are computed for one block of rows before the next one
    packed: bool
    left: bool = False  # a tile's rows of A are copied together, too
    dots: bool = False  # lanes run along k

    def kinds(self, extent: int, size: int) -> list[tuple[int, bool]]:
        """The sizes of tiles along an axis: the whole ones, and the rest."""
        found = [(size, True)] if extent >= size else []
        return found + ([(extent % size, False)] if extent % size else [])


def _tiling(p: Product, host: Host) -> _Tiling:
    lanes, size = _lanes(p, host), BITS[p.kind] // 8
    dots = _better_along_k(p, lanes)
    rows, columns = _tile_of_dots(p, host) if dots else _tile(p, host, lanes)
    down, across = -(-p.m // rows), -(-p.n // columns)
    group = _group(p, host, columns, across)
    if dots:
        return _Tiling(rows, columns, down, across, group, False, dots=True)
    far = p.b[0] * size >= _FAR and p.k * columns * size >= host.l1 // 2
    packed = p.b[1] != 1 or (far and down >= _REUSE)
    left = p.a[0] == 1 and p.a[1] * size >= _FAR and group >= _REUSE
    return _Tiling(rows, columns, down, across, group, packed, left)


def _tile(p: Product, host: Host, lanes: int) -> tuple[int, int]:
    """As many accumulators as fit beside two vectors of B and an element of A. Fewer than eight
    would wait for each other, so few rows get more vectors."""
    wide = min(2 if p.m >= 4 else _BUSY // p.m, -(-p.n // lanes))
    if p.turned:
        return min(_SQUARE * (host.registers // 16), p.m), min(wide * lanes, p.n)
    most = min((host.registers - 1) // 2 - 1, 12) if wide > 1 else _BUSY
    return _rows(p.m, most), min(wide * lanes, p.n)


def _rows(m: int, most: int) -> int:
    """Rows of a tile: as many as there are registers for; of a small product down to two thirds of
    that, if no rest is left, which would be code of its own."""
    for rows in range(most, -(-2 * most // 3) - 1, -1):
        if m % rows == 0 and m <= _SMALL:
            return rows
    return -(-m // -(-m // most))


def _tile_of_dots(p: Product, host: Host) -> tuple[int, int]:
    """As many sums of vectors as fit beside a row's and some columns' vectors."""
    most, columns = (12, 4) if host.registers < 32 else (24, 6)
    rows = min(most // min(columns, p.n), p.m)
    return rows, min(most // rows, p.n)


def _better_along_k(p: Product, lanes: int) -> bool:
    """Do lanes along k pay? Where both operands are contiguous along k, and either so few columns
    that vectors along j would be empty, or so few rows that turning B would cost as much."""
    if p.a[1] != 1 or p.b[0] != 1 or p.k < 2 * lanes:
        return False
    return p.n <= 2 or (p.b[1] != 1 and p.m * _TURNED <= p.k and p.m < _FEW)


def _group(p: Product, host: Host, columns: int, across: int) -> int:
    """A flat B stays in the cache whole, so that C is written row by row; of a tall one as many
    panels as fit into half of the cache. Of one whose tiles are turned, C's columns are contiguous.
    """
    if p.turned:
        return 1
    size = BITS[p.kind] // 8
    if p.k * p.n * size <= (host.l2 // 2 if p.k > p.m else 4 * host.l2):
        return across
    return min(across, max(1, host.l2 // 2 // max(p.k * columns * size, 1)))


def _lanes(p: Product, host: Host) -> int:
    return host.vector * 8 // BITS[p.kind]


def units(p: Product, host: Host) -> int:
    """Into how many pieces it can be shared: its tiles."""
    t = _tiling(p, host)
    return t.down * t.across


def scratch(p: Product, host: Host) -> int:
    """Bytes that each thread needs for copies of panels of B and of rows of A."""
    t = _tiling(p, host)
    elements = t.packed * t.group * p.k * t.columns + t.left * p.k * t.rows
    return elements * BITS[p.kind] // 8


def tile(p: Product, host: Host) -> tuple[int, int]:
    """Rows and columns of a whole tile."""
    t = _tiling(p, host)
    return t.rows, t.columns


def emit(
    f: Function, p: Product, host: Host, a: str, b: str, scratch: str, first: str, last: str,
    epilogue: Epilogue, table: str = "",
) -> None:  # fmt: skip
    """Write the loops that compute the tiles first … last − 1, and hand each to the epilogue.
    `table` has the places of rows that are no matrix's."""
    t = _tiling(p, host)
    kinds = list(pairs(t.kinds(p.m, t.rows), t.kinds(p.n, t.columns)))
    stride = -(-t.rows // _SQUARE) * _SQUARE if p.turned else t.columns
    room = f.room(f"[{stride * max(t.rows, t.columns)} x {p.kind}]")
    with f.loop(first, last) as unit:
        i, j, inside, fresh_rows, fresh_panels = _place(f, t, unit, first)
        rows_of_a = _left(f, p, t, a, scratch, i, fresh_rows)
        panel = _right(f, p, t, b, scratch, j, inside, fresh_panels)
        for (rows, whole_rows), (columns, whole_columns) in kinds:
            tests = [(i, t.down, whole_rows, p.m % t.rows), (j, t.across, whole_columns,
                                                             p.n % t.columns)]  # fmt: skip
            with _only(f, tests):
                tile = Tile(room, stride, _times(f, i, t.rows), _times(f, j, t.columns),
                            rows, columns)  # fmt: skip
                if t.dots:
                    _dots(f, p, host, t, tile, rows_of_a, panel)
                else:
                    _multiply(f, p, host, t, tile, rows_of_a, panel, table)
                epilogue(f, _exchanged(tile) if p.turned else tile)


def _exchanged(tile: Tile) -> Tile:
    return tile._replace(row=tile.column, column=tile.row, rows=tile.columns, columns=tile.rows)


def tabulate(f: Function, p: Product, table: str) -> None:
    """The places of A's rows, as the product needs them."""

    def each(axes: Sequence[tuple[int, int]], number: str, place: str) -> None:
        if not axes:
            f.do(f"store i64 {place}, ptr {_at(f, 'i64', table, number)}")
            return
        (extent, step), inner = axes[0], axes[1:]
        with f.loop("0", str(extent)) as i:
            here = f.let(f"add nsw i64 {place}, {scaled(f, i, step)}")
            size = prod(n for n, _ in inner)
            each(inner, f.let(f"add nsw i64 {number}, {scaled(f, i, size)}"), here)

    each(p.rows, "0", "0")


def _place(f: Function, t: _Tiling, unit: str, first: str) -> tuple[str, str, str, str, str]:
    """A tile's place, its number in the group, and whether rows and panels are other ones than
    before. Groups follow each other; in a group rows are outside."""
    enters = f.let(f"icmp eq i64 {unit}, {first}")
    of_group = t.down * t.group
    begin, place, count = "0", unit, str(t.group)
    if t.group < t.across:
        number = f.let(f"udiv i64 {unit}, {of_group}")
        place = f.let(f"urem i64 {unit}, {of_group}")
        begin = f.let(f"mul nsw i64 {number}, {t.group}")
        if t.across % t.group:  # the last group is smaller
            rest = f.let(f"sub nsw i64 {t.across}, {begin}")
            fewer = f.let(f"icmp slt i64 {rest}, {t.group}")
            count = f.let(f"select i1 {fewer}, i64 {rest}, i64 {t.group}")
    i = f.let(f"udiv i64 {place}, {count}")
    inside = f.let(f"urem i64 {place}, {count}")
    j = f.let(f"add nsw i64 {begin}, {inside}")
    new_row = f.let(f"icmp eq i64 {inside}, 0")
    new_group = f.let(f"icmp eq i64 {place}, 0")
    rows, panels = (f.let(f"or i1 {enters}, {new}") for new in (new_row, new_group))
    return i, j, inside, rows, panels


def _left(f: Function, p: Product, t: _Tiling, a: str, scratch: str, i: str, fresh: str) -> str:
    """Where a tile's rows of A are; copied together, if they have to be, when they are fresh."""
    if not t.left:
        return a
    target = _panel(f, p, t, scratch, str(t.packed * t.group))
    with f.when(fresh):
        _pack_left(f, p, t, a, target, i)
    return target


def _right(
    f: Function, p: Product, t: _Tiling, b: str, scratch: str, j: str, inside: str, fresh: str
) -> str:
    """Where a tile's panel of B is; a group's panels are copied when it is entered."""
    if not t.packed:
        return b
    with f.when(fresh):
        begin = f.let(f"sub nsw i64 {j}, {inside}")
        rest = f.let(f"sub nsw i64 {t.across}, {begin}")
        fewer = f.let(f"icmp slt i64 {rest}, {t.group}")
        count = f.let(f"select i1 {fewer}, i64 {rest}, i64 {t.group}")
        if p.b[1] == 1:
            _pack_rows(f, p, t, b, scratch, begin, count)
        else:
            with f.loop("0", count) as n:
                number = f.let(f"add nsw i64 {begin}, {n}")
                _pack(f, p, t, b, _panel(f, p, t, scratch, n), number)
    return _panel(f, p, t, scratch, inside)


def _times(f: Function, index: str, size: int) -> str:
    return "0" if index == "0" else f.let(f"mul nsw i64 {index}, {size}")


class _only:
    """Run what is inside for one kind of tile only, where there are several."""

    def __init__(self, f: Function, tests: list[tuple[str, int, bool, int]]) -> None:
        conditions = []
        for index, count, whole, rest in tests:
            if rest and count > 1:  # the last tile along this axis is smaller
                relation = "slt" if whole else "eq"
                conditions.append(f.let(f"icmp {relation} i64 {index}, {count - 1}"))
        condition = conditions[0] if conditions else ""
        for other in conditions[1:]:
            condition = f.let(f"and i1 {condition}, {other}")
        self._inner = f.when(condition) if condition else None

    def __enter__(self) -> None:
        if self._inner:
            self._inner.__enter__()

    def __exit__(self, *reason: object) -> None:
        if self._inner:
            self._inner.__exit__(None, None, None)


def _panel(f: Function, p: Product, t: _Tiling, scratch: str, j: str) -> str:
    start = f.let(f"mul nsw i64 {j}, {p.k * t.columns}")
    return f.let(f"getelementptr {p.kind}, ptr {scratch}, i64 {start}")


def _pack(f: Function, p: Product, t: _Tiling, b: str, panel: str, j: str) -> None:
    """panel[k, c] = B[k, columns · j + c]; columns past the end are left as they are."""
    size = BITS[p.kind] // 8
    column = f.let(f"mul nsw i64 {j}, {t.columns}")
    left = f.let(f"sub nsw i64 {p.n}, {column}")
    less = f.let(f"icmp slt i64 {left}, {t.columns}")
    count = f.let(f"select i1 {less}, i64 {left}, i64 {t.columns}")
    start = f.let(f"mul nsw i64 {column}, {p.b[1]}")
    corner = f.let(f"getelementptr {p.kind}, ptr {b}, i64 {start}")

    def copy(k: str, c: str) -> None:
        there = f.let(f"add i64 {scaled(f, k, p.b[0])}, {scaled(f, c, p.b[1])}")
        source = f.let(f"getelementptr {p.kind}, ptr {corner}, i64 {there}")
        value = f.let(f"load {p.kind}, ptr {source}, align {size}")
        here = f.let(f"add i64 {scaled(f, k, t.columns)}, {c}")
        target = f.let(f"getelementptr {p.kind}, ptr {panel}, i64 {here}")
        f.do(f"store {p.kind} {value}, ptr {target}, align {size}")

    lanes = t.columns & -t.columns  # the largest power of two that divides them
    start = "0"
    if p.b[0] == 1 and lanes >= 4 and p.k >= lanes:
        whole = f.let(f"icmp sge i64 {left}, {t.columns}")
        start = f.let(f"select i1 {whole}, i64 {p.k - p.k % lanes}, i64 0")
        with f.when(whole):
            _pack_turned(f, p, t, corner, panel, lanes)
    with f.loop("0", count) as c, f.loop(start, str(p.k)) as k:
        copy(k, c)


def _pack_turned(f: Function, p: Product, t: _Tiling, corner: str, panel: str, lanes: int) -> None:
    """A panel whose columns are contiguous in B, in square blocks that are turned in registers."""
    lanes, size = min(lanes, 8), BITS[p.kind] // 8
    wide = vector_of(p.kind, lanes)
    with f.loop("0", str(t.columns), lanes) as c:
        first = f.let(f"getelementptr {p.kind}, ptr {corner}, i64 {scaled(f, c, p.b[1])}")
        with f.loop("0", str(p.k - p.k % lanes), lanes) as k:
            source = _at(f, p.kind, first, k)
            rows = []
            for n in range(lanes):
                place = _at(f, p.kind, source, str(n * p.b[1]))
                rows.append(f.let(f"load {wide}, ptr {place}, align {size}"))
            here = f.let(f"add i64 {scaled(f, k, t.columns)}, {c}")
            for n, row in enumerate(_turned(f, wide, rows, 16 // size)):
                there = f.let(f"add i64 {here}, {n * t.columns}")
                f.do(f"store {wide} {row}, ptr {_at(f, p.kind, panel, there)}, align {size}")


def _turned(f: Function, wide: str, rows: list[str], per: int) -> list[str]:
    """A square of numbers with its axes exchanged, in steps that are one instruction each: inside
    of 16 bytes, which hold `per` numbers, elements of two rows alternate; then 16 bytes at a time
    change places."""
    lanes = len(rows)

    def pair(a: str, b: str, order: list[int]) -> str:
        mask = ", ".join(f"i32 {k}" for k in order)
        return f.let(f"shufflevector {wide} {a}, {wide} {b}, <{lanes} x i32> <{mask}>")

    apart = 1
    while apart < lanes:
        if apart < per:
            low = [k - k % per + k % per // (2 * apart) * apart + k % apart + k // apart % 2 * lanes
                   for k in range(lanes)]  # fmt: skip
            high = [k + per // 2 for k in low]
        else:
            low = [k - apart + lanes if k & apart else k for k in range(lanes)]
            high = [k + apart for k in low]
        new = list(rows)
        for n in (n for n in range(lanes) if not n & apart):
            new[n] = pair(rows[n], rows[n + apart], low)
            new[n + apart] = pair(rows[n], rows[n + apart], high)
        rows, apart = new, 2 * apart
    # Alternating leaves the columns of 16 bytes in the order of their numbers' bits from behind.
    bits = min(per, lanes).bit_length() - 1
    back = [int(f"{n:0{bits}b}"[::-1], 2) if bits else 0 for n in range(1 << bits)]
    return [rows[n - n % len(back) + back[n % len(back)]] for n in range(lanes)]


def _pack_left(f: Function, p: Product, t: _Tiling, a: str, target: str, i: str) -> None:
    """target[k, r] = A[rows · i + r, k], where rows of A are contiguous; the last tile's as far as
    there are rows."""
    size = BITS[p.kind] // 8
    row = f.let(f"mul nsw i64 {i}, {t.rows}")
    corner = f.let(f"getelementptr {p.kind}, ptr {a}, i64 {row}")
    left = f.let(f"sub nsw i64 {p.m}, {row}")

    def copied(rows: int) -> None:
        wide = vector_of(p.kind, rows)
        with f.loop("0", str(p.k)) as k:
            source = _at(f, p.kind, corner, scaled(f, k, p.a[1]))
            value = f.let(f"load {wide}, ptr {source}, align {size}")
            place = _at(f, p.kind, target, scaled(f, k, t.rows))
            f.do(f"store {wide} {value}, ptr {place}, align {size}")

    for rows, whole in t.kinds(p.m, t.rows):
        relation = "sge" if whole else "slt"
        with f.when(f.let(f"icmp {relation} i64 {left}, {t.rows}")):
            copied(rows)


def _pack_rows(
    f: Function, p: Product, t: _Tiling, b: str, scratch: str, begin: str, count: str
) -> None:
    """Panels of a B with contiguous rows, row by row: each of B's pages is visited once a group."""
    size, rest = BITS[p.kind] // 8, p.n % t.columns
    corner = _at(f, p.kind, b, scaled(f, begin, t.columns))

    def copied(k: str, n: str, columns: int) -> None:
        wide = vector_of(p.kind, columns)
        row = _at(f, p.kind, corner, scaled(f, k, p.b[0]))
        source = _at(f, p.kind, row, scaled(f, n, t.columns))
        target = _at(f, p.kind, _panel(f, p, t, scratch, n), scaled(f, k, t.columns))
        value = f.let(f"load {wide}, ptr {source}, align {size}")
        f.do(f"store {wide} {value}, ptr {target}, align {size}")

    whole = count
    if rest:
        end = f.let(f"add nsw i64 {begin}, {count}")
        last = f.let(f"icmp eq i64 {end}, {t.across}")
        whole = f.let(f"sub nsw i64 {count}, {f.let(f'zext i1 {last} to i64')}")
        with f.when(last), f.loop("0", str(p.k)) as k:
            copied(k, whole, rest)
    with f.loop("0", str(p.k)) as k, f.loop("0", whole) as n:
        copied(k, n, t.columns)


def scaled(f: Function, index: str, step: int) -> str:
    """index · step; of a number that is known, without an instruction."""
    if index.isdigit():
        return str(int(index) * step)
    return index if step == 1 else f.let(f"mul nsw i64 {index}, {step}")


def _widths(columns: int, lanes: int) -> Iterator[tuple[int, int]]:
    """Where each vector of a tile's row begins, and how many lanes it has."""
    for start in range(0, columns, lanes):
        yield start, min(lanes, columns - start)


def _multiply(
    f: Function, p: Product, host: Host, t: _Tiling, tile: Tile, a: str, b: str, table: str
) -> None:
    """All k for one tile, in registers; then the tile goes to the stack."""
    kind, size = p.kind, BITS[p.kind] // 8
    vectors = list(_widths(tile.columns, _lanes(p, host)))
    rooms = {(r, s): f.room(vector_of(kind, w)) for r in range(tile.rows) for s, w in vectors}
    for (_, s), room in rooms.items():
        w = dict(vectors)[s]
        f.do(f"store {vector_of(kind, w)} {literal(0, kind, w)}, ptr {room}")
    stride, corner = (t.columns, b) if t.packed else (p.b[0], _at(f, kind, b, tile.column))
    left = _rows_of_a(f, p, t, tile, a, table)

    def step(k: str, of_a: str) -> None:
        row, loaded = _at(f, kind, corner, scaled(f, k, stride)), []
        for s, w in vectors:
            where = _at(f, kind, row, str(s))
            loaded.append((s, w, f.let(f"load {vector_of(kind, w)}, ptr {where}, align {size}")))
        for r, start in enumerate(left):
            value = f.let(f"load {kind}, ptr {_at(f, kind, start, of_a)}, align {size}")
            for s, w, vector in loaded:
                _accumulate(f, host, kind, w, rooms[r, s], _spread(f, kind, w, value), vector)

    depth = p.depth or ((p.k, t.rows if t.left else p.a[1]),)
    _steps(f, depth, _unrolled(p, depth[-1][0]), step)
    for s, w in vectors:
        wide = vector_of(kind, w)
        totals = [f.let(f"load {wide}, ptr {rooms[r, s]}") for r in range(tile.rows)]
        if p.turned:
            _store_turned(f, kind, tile, s, w, totals)
            continue
        for r, total in enumerate(totals):
            target = _at(f, kind, tile.pointer, str(r * tile.stride + s))
            f.do(f"store {wide} {total}, ptr {target}, align {size}")


def _store_turned(f: Function, kind: str, tile: Tile, s: int, w: int, rows: list[str]) -> None:
    """Vectors of a tile's rows, from column s on, as rows of what the epilogue gets."""
    size, wide, short = BITS[kind] // 8, vector_of(kind, w), vector_of(kind, _SQUARE)
    for r in range(0, len(rows), _SQUARE):
        for c in range(0, w, _SQUARE):
            picked = ", ".join(f"i32 {min(c + n, w - 1)}" for n in range(_SQUARE))
            cut = f"shufflevector {wide} {{}}, {wide} poison, <{_SQUARE} x i32> <{picked}>"
            if w == 1:
                cut = f"insertelement {short} poison, {kind} {{}}, i64 0"
            block = [f.let(cut.format(row)) for row in rows[r : r + _SQUARE]]
            block += ["zeroinitializer"] * (_SQUARE - len(block))
            for n, column in enumerate(_turned(f, short, block, 16 // size)[: w - c]):
                target = _at(f, kind, tile.pointer, str((s + c + n) * tile.stride + r))
                f.do(f"store {short} {column}, ptr {target}, align {size}")


def _unrolled(p: Product, extent: int) -> int:
    """Steps of k in one turn: of short runs the more, since each of them ends with a guess."""
    shares = (n for n in range(_LONG_TURN, _UNROLL, -1) if extent % n == 0)
    return next(shares, _UNROLL) if p.depth else _UNROLL


def _rows_of_a(f: Function, p: Product, t: _Tiling, tile: Tile, a: str, table: str) -> list[str]:
    """Where each of a tile's rows begins in A."""
    if not p.rows:
        first = a if t.left else _at(f, p.kind, a, scaled(f, tile.row, p.a[0]))
        return [_at(f, p.kind, first, str(r * (1 if t.left else p.a[0]))) for r in range(tile.rows)]
    found, first = [], _at(f, "i64", table, tile.row)
    for r in range(tile.rows):
        place = f.let(f"load i64, ptr {_at(f, 'i64', first, str(r))}")
        found.append(_at(f, p.kind, a, place))
    return found


def _steps(
    f: Function, depth: Sequence[tuple[int, int]], unroll: int, step: Callable[[str, str], None]
) -> None:
    """All k, each with its place in a row of A: a few in each turn of the innermost loop, and of a
    short run in another one all."""

    def run(axis: int, k: str, of_a: str) -> None:
        extent, moved = depth[axis]
        size, innermost = prod(n for n, _ in depth[axis + 1 :]), axis == len(depth) - 1
        times = unroll if innermost else 1
        whole = 0 if axis and extent <= _SHORT else extent - extent % times

        def one(i: str) -> None:
            here = f.let(f"add nsw i64 {k}, {scaled(f, i, size)}")
            there = f.let(f"add nsw i64 {of_a}, {scaled(f, i, moved)}")
            if innermost:
                step(here, there)
            else:
                run(axis + 1, here, there)

        if whole:
            with f.loop("0", str(whole), times) as i:
                for n in range(times):
                    one(i if n == 0 else f.let(f"add nuw nsw i64 {i}, {n}"))
        for rest in range(whole, extent):
            one(str(rest))

    run(0, "0", "0")


def _filled(f: Function, kind: str, lanes: int, pointer: str, k: str, count: int) -> str:
    """So many elements along k, and 0 in the other lanes."""
    wide, short = vector_of(kind, lanes), vector_of(kind, count)
    value = f.let(f"load {short}, ptr {_at(f, kind, pointer, k)}, align {BITS[kind] // 8}")
    if count == lanes:
        return value
    if count == 1:
        return f.let(f"insertelement {wide} zeroinitializer, {kind} {value}, i64 0")
    picked = ", ".join(f"i32 {min(n, count)}" for n in range(lanes))
    mask = f"<{lanes} x i32> <{picked}>"
    return f.let(f"shufflevector {short} {value}, {short} zeroinitializer, {mask}")


def _dots(f: Function, p: Product, host: Host, t: _Tiling, tile: Tile, a: str, b: str) -> None:
    """One tile of scalar products of rows of A with columns of B, both contiguous along k."""
    kind, size, lanes = p.kind, BITS[p.kind] // 8, _lanes(p, host)
    wide = vector_of(kind, lanes)
    left = _at(f, kind, a, scaled(f, tile.row, p.a[0]))
    right = _at(f, kind, b, scaled(f, tile.column, p.b[1]))
    rooms = {(r, c): f.room(wide) for r in range(tile.rows) for c in range(tile.columns)}
    for room in rooms.values():
        f.do(f"store {wide} zeroinitializer, ptr {room}")

    def step(k: str, count: int) -> None:
        columns = [_filled(f, kind, lanes, _at(f, kind, right, str(c * p.b[1])), k, count)
                   for c in range(tile.columns)]  # fmt: skip
        for r in range(tile.rows):
            row = _filled(f, kind, lanes, _at(f, kind, left, str(r * p.a[0])), k, count)
            for c, column in enumerate(columns):
                _accumulate(f, host, kind, lanes, rooms[r, c], row, column)

    whole = p.k - p.k % lanes
    with f.loop("0", str(whole), lanes) as k:
        step(k, lanes)
    if p.k % lanes:
        step(str(whole), p.k % lanes)
    for (r, c), room in rooms.items():
        total = _sum_of_lanes(f, kind, lanes, f.let(f"load {wide}, ptr {room}"))
        target = _at(f, kind, tile.pointer, str(r * tile.stride + c))
        f.do(f"store {kind} {total}, ptr {target}, align {size}")


def _sum_of_lanes(f: Function, kind: str, lanes: int, text: str) -> str:
    """Halves together, until one is left."""
    while lanes > 1:
        wide, half = vector_of(kind, lanes), lanes // 2
        parts = []
        for start in (0, half):
            picked = ", ".join(f"i32 {n}" for n in range(start, start + half))
            mask = f"<{half} x i32> <{picked}>"
            parts.append(f.let(f"shufflevector {wide} {text}, {wide} poison, {mask}"))
        lanes, text = half, f.let(f"fadd {vector_of(kind, half) if half > 1 else f'<1 x {kind}>'} "
                                  f"{parts[0]}, {parts[1]}")  # fmt: skip
    return f.let(f"extractelement <1 x {kind}> {text}, i64 0")


def _at(f: Function, kind: str, pointer: str, index: str) -> str:
    return pointer if index == "0" else f.let(f"getelementptr {kind}, ptr {pointer}, i64 {index}")


def _spread(f: Function, kind: str, lanes: int, one: str) -> str:
    if lanes == 1:
        return one
    wide = vector_of(kind, lanes)
    start = f.let(f"insertelement {wide} poison, {kind} {one}, i64 0")
    return f.let(f"shufflevector {wide} {start}, {wide} poison, <{lanes} x i32> zeroinitializer")


def _accumulate(
    f: Function, host: Host, kind: str, lanes: int, room: str, one: str, vector: str
) -> None:
    wide = vector_of(kind, lanes)
    held = f.let(f"load {wide}, ptr {room}")
    if host.fma:
        suffix = ("" if lanes == 1 else f"v{lanes}") + ("f32" if kind == "float" else "f64")
        total = f.let(
            f"call {wide} @llvm.fma.{suffix}({wide} {one}, {wide} {vector}, {wide} {held})"
        )
    else:
        total = f.let(f"fadd {wide} {held}, {f.let(f'fmul {wide} {one}, {vector}')}")
    f.do(f"store {wide} {total}, ptr {room}")
