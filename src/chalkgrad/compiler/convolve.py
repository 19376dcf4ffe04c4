"""The three convolutions as matrix products, image by image.

Where windows lie side by side (a stride of 1), one row of them is a product over channels and
places of the kernel whose right operand is the image itself, in a frame of zeros:

    out[n, o, y, :] = Σ over c, k of w[o, c, k] · frame[c, y + k₁, k₂ :]

and the input gradient is the same with g in the frame and the kernel turned around. Otherwise

    columns[c·k, p] = x[n, c, p·stride + k·dilation − padding]      one image and group, in scratch
    out[n]          = w · columns                                   (o × ck) · (ck × p)
    input gradient  = columns⁺ of wᵀ · g[n], added back to where each element was taken

The weight's gradient reads the frame at any stride: its left operand is given element by element.

    weight gradient = Σₙ of frame[c, p·stride + k·dilation] · g[n]ᵀ, turned at the end

One image is one unit of work. The sum over images of a weight's gradient is cut into eight parts,
which are added up in their order at the end: it does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product as places
from math import prod

from chalkgrad.compiler import gemm
from chalkgrad.core.graph import Node, Shape
from chalkgrad.machine.functions import BITS, OF_DTYPE
from chalkgrad.machine.host import Host
from chalkgrad.machine.text import Function, literal

_Move = Callable[[Function, "Convolution", tuple[str, str], tuple[str, str], int, int], None]
_Body = Callable[..., None]
PARTS = 8  # of a sum over images
_TAPS = 32  # places of a kernel that are written out


@dataclass(frozen=True)
class _Frame:
    """An image of some channels in a margin of zeros, and the sizes of what is made of it."""

    channels: int
    size: Shape
    margin: Shape
    out: Shape

    @property
    def framed(self) -> Shape:
        return tuple(n + 2 * m for n, m in zip(self.size, self.margin, strict=True))

    @property
    def strides(self) -> tuple[int, ...]:
        return tuple(prod(self.framed[k + 1 :]) for k in range(len(self.framed)))


@dataclass(frozen=True)
class Convolution:
    """A convolution's shapes; x (N, C, *size), w (O, C/groups, *kernel), out (N, O, *windows)."""

    name: str
    kind: str
    images: int
    groups: int
    into: int  # channels of x in a group
    out: int  # channels of the output in a group
    size: Shape
    kernel: Shape
    windows: Shape
    stride: Shape
    padding: Shape
    dilation: Shape

    @property
    def depth(self) -> int:
        return self.into * prod(self.kernel)

    @property
    def places(self) -> int:
        return prod(self.windows)

    @property
    def bytes(self) -> int:
        return BITS[self.kind] // 8

    @property
    def plain(self) -> bool:
        """Are the columns the image itself?"""
        same = prod(self.kernel) == 1 and set(self.stride) <= {1} and set(self.padding) <= {0}
        return same and self.windows == self.size

    @property
    def frame(self) -> _Frame:
        """What windows are read from, where they are not copied together."""
        if self.name != "convolution_input":
            return _Frame(self.into, self.size, self.padding, self.windows)
        reach = [d * (k - 1) for d, k in zip(self.dilation, self.kernel, strict=True)]
        margin = tuple(r - p for r, p in zip(reach, self.padding, strict=True))
        return _Frame(self.out, self.windows, margin, self.size)

    @property
    def direct(self) -> bool:
        """Is a row of windows a product without copies?"""
        if self.name == "convolution_weight" or set(self.stride) != {1}:
            return False
        frame, taps = self.frame, prod(self.kernel)
        fits = min(frame.margin) >= 0 and self._rows_fit(frame)
        return fits and 1 < taps <= _TAPS and frame.out[-1] >= 8

    @property
    def from_frame(self) -> bool:
        """Are windows read from the image in its frame, or copied together first?"""
        return self.direct or self.name == "convolution_weight"

    def _rows_fit(self, frame: _Frame) -> bool:
        reach = [d * (k - 1) for d, k in zip(self.dilation, self.kernel, strict=True)]
        inner = zip(frame.framed, reach, frame.out, strict=True)
        return all(n - r == o for n, r, o in inner)

    def product(self) -> gemm.Product:
        """The product of one image and group, or of one row of its windows."""
        o, d, p = self.out, self.depth, self.places
        if self.direct:
            return self._row()
        if self.name == "convolution":
            return gemm.Product(self.kind, o, p, d, (d, 1), (p, 1))
        if self.name == "convolution_input":
            return gemm.Product(self.kind, d, p, o, (1, d), (p, 1))
        return gemm.Product(self.kind, d, o, p, (0, 0), (1, p), **self._windows_as_rows())

    def _windows_as_rows(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """A row for each channel and place of the kernel, whose elements are those of all windows:
        all of them lie in the frame."""
        frame = self.frame
        axes = list(zip(self.kernel, self.dilation, self.windows, self.stride, frame.strides,
                        strict=True))  # fmt: skip
        rows = ((self.into, prod(frame.framed)), *((k, d * step) for k, d, _, _, step in axes))
        return {"rows": rows, "depth": tuple((w, s * step) for _, _, w, s, step in axes)}

    def _row(self) -> gemm.Product:
        frame, count = self.frame, prod(self.kernel)
        steps = frame.strides
        forward = self.name == "convolution"
        taps = []
        for number, at in enumerate(places(*map(range, self.kernel))):
            inside = sum(k * d * s for k, d, s in zip(at, self.dilation, steps, strict=True))
            taps.append((number if forward else count - 1 - number, inside))
        rows = self.out if forward else self.into
        a = (self.depth, count) if forward else (count, self.depth)
        b = (prod(frame.framed), 1)
        return gemm.Product(self.kind, rows, frame.out[-1], frame.channels, a, b, tuple(taps))


def of(node: Node) -> Convolution:
    """The shapes of a convolution's node."""
    assert node.primitive is not None
    first, second = (source.shape for source in node.inputs)
    name, p = node.primitive.name, node.params
    if name == "convolution":
        x, w, out = first, second, node.shape
    elif name == "convolution_input":
        x, w, out = node.shape, second, first
    else:
        x, w, out = first, node.shape, second
    groups = p["groups"]
    return Convolution(
        name, OF_DTYPE[node.dtype.name], x[0], groups, w[1], w[0] // groups, x[2:], w[2:], out[2:],
        p["stride"], p["padding"], p["dilation"],
    )  # fmt: skip


def units(c: Convolution) -> int:
    """Pieces of work: images, or parts of the sum over them."""
    return PARTS if c.name == "convolution_weight" else c.images


def work(c: Convolution) -> float:
    """About how many additions it takes."""
    return c.images * c.groups * c.out * c.depth * c.places / 4


def scratch(c: Convolution, host: Host) -> int:
    """Bytes that each thread needs: one image's columns, and what the product itself needs."""
    return _columns_bytes(c) + gemm.scratch(c.product(), host)


def _columns_bytes(c: Convolution) -> int:
    if c.from_frame:
        return -(-c.frame.channels * prod(c.frame.framed) * c.bytes // 64) * 64 + 64
    return -(-c.depth * c.places * c.bytes // 64) * 64


def shared_scratch(c: Convolution) -> int:
    """Bytes that all threads share: the parts of a sum over images."""
    return PARTS * c.groups * c.out * c.depth * c.bytes if c.name == "convolution_weight" else 0


def emit(
    f: Function, c: Convolution, host: Host, first: str, second: str, out: str, scratch: str,
    start: str, stop: str, epilogue: gemm.Epilogue, image: list[str],
) -> None:  # fmt: skip
    """Forward and input gradient of the images start … stop − 1. `image` gets the image's index
    before the epilogue of the forward pass is written; the input gradient goes to `out`."""
    p = c.product()
    more = f.let(f"getelementptr i8, ptr {scratch}, i64 {_columns_bytes(c)}")
    whole = str(gemm.units(p, host))
    forward = c.name == "convolution"
    _cleared(f, c, scratch)
    with f.loop(start, stop) as n, f.loop("0", str(c.groups)) as group:
        channel = f.let(f"add i64 {f.let(f'mul i64 {n}, {c.groups}')}, {group}")
        image[:] = [n, group, "0"]
        size = c.into * prod(c.size) if forward else c.out * c.places
        source = _step(f, c, first, channel, size)
        weight = _step(f, c, second, group, c.out * c.depth)
        target = "" if forward else _step(f, c, out, channel, c.into * prod(c.size))
        if c.direct:
            framed = _framed(f, c, source, scratch)

            def row(at: str, offset: str) -> None:
                image[2] = offset
                place = f.let(f"getelementptr {c.kind}, ptr {framed}, i64 {at}")
                after = epilogue if forward else _stored(c, target, prod(c.size), offset)
                gemm.emit(f, p, host, weight, place, more, "0", whole, after)

            _each_window_row(f, c.frame, 0, "0", "0", row)
        elif forward:
            columns = source if c.plain else scratch
            if not c.plain:
                _gather(f, c, source, scratch)
            gemm.emit(f, p, host, weight, columns, more, "0", whole, epilogue)
        else:
            after = _stored(c, scratch, c.places, "0")
            gemm.emit(f, p, host, weight, source, more, "0", whole, after)
            _scatter(f, c, scratch, target)


def _in_place(c: Convolution) -> bool:
    """Is the image its own frame? Where vectors may be read on past a row's end, there is room."""
    whole = c.name == "convolution_weight" or c.frame.out[-1] % 16 == 0
    return whole and not any(c.frame.margin)


def _cleared(f: Function, c: Convolution, scratch: str) -> None:
    """An empty frame: images are put into it one after the other, and its margin stays."""
    size = c.frame.channels * prod(c.frame.framed) * c.bytes
    if c.from_frame and not _in_place(c):
        f.do(f"call void @llvm.memset.p0.i64(ptr {scratch}, i8 0, i64 {size}, i1 false)")


def _framed(f: Function, c: Convolution, source: str, scratch: str) -> str:
    """The image in its frame."""
    if _in_place(c):
        return source
    frame = c.frame
    begin = sum(m * s for m, s in zip(frame.margin, frame.strides, strict=True))

    def copied(axis: int, here: str, there: str) -> None:
        if axis == len(frame.size) - 1:
            _copied(f, c, (source, scratch), (here, there), frame.size[-1], 1)
            return
        with f.loop("0", str(frame.size[axis])) as i:
            inner = prod(frame.size[axis + 1 :])
            row = f.let(f"add nsw i64 {here}, {f.let(f'mul nsw i64 {i}, {inner}')}")
            moved = f.let(f"mul nsw i64 {i}, {frame.strides[axis]}")
            copied(axis + 1, row, f.let(f"add nsw i64 {there}, {moved}"))

    with f.loop("0", str(frame.channels)) as channel:
        here = f.let(f"mul nsw i64 {channel}, {prod(frame.size)}")
        moved = f.let(f"mul nsw i64 {channel}, {prod(frame.framed)}")
        copied(0, here, f.let(f"add nsw i64 {moved}, {begin}"))
    return scratch


def _each_window_row(
    f: Function, frame: _Frame, axis: int, at: str, offset: str, row: Callable[[str, str], None]
) -> None:
    """Where each row of windows begins, in the frame and in the output."""
    if axis == len(frame.out) - 1:
        row(at, offset)
        return
    with f.loop("0", str(frame.out[axis])) as i:
        moved = f.let(f"mul nsw i64 {i}, {frame.strides[axis]}")
        inner = prod(frame.out[axis + 1 :])
        at = f.let(f"add nsw i64 {at}, {moved}")
        offset = f.let(f"add nsw i64 {offset}, {f.let(f'mul nsw i64 {i}, {inner}')}")
        _each_window_row(f, frame, axis + 1, at, offset, row)


def emit_weight(
    f: Function, c: Convolution, host: Host, x: str, g: str, parts: str, scratch: str, start: str,
    stop: str,
) -> None:  # fmt: skip
    """The parts start … stop − 1 of a weight's gradient, each a sum over its images in order."""
    p = c.product()
    more = f.let(f"getelementptr i8, ptr {scratch}, i64 {_columns_bytes(c)}")
    whole = str(gemm.units(p, host))
    size = c.groups * c.out * c.depth
    _cleared(f, c, scratch)
    with f.loop(start, stop) as part:
        total = _step(f, c, parts, part, size)
        f.do(f"call void @llvm.memset.p0.i64(ptr {total}, i8 0, i64 {size * c.bytes}, i1 false)")
        begin = f.let(f"udiv i64 {f.let(f'mul i64 {part}, {c.images}')}, {PARTS}")
        after = f.let(f"mul i64 {f.let(f'add i64 {part}, 1')}, {c.images}")
        end = f.let(f"udiv i64 {after}, {PARTS}")
        with f.loop(begin, end) as n, f.loop("0", str(c.groups)) as group:
            channel = f.let(f"add i64 {f.let(f'mul i64 {n}, {c.groups}')}, {group}")
            source = _step(f, c, x, channel, c.into * prod(c.size))
            gradient = _step(f, c, g, channel, c.out * c.places)
            framed = _framed(f, c, source, scratch)
            here = _step(f, c, total, group, c.out * c.depth)
            gemm.emit(f, p, host, framed, gradient, more, "0", whole, _added(c, here))


def emit_sum(f: Function, c: Convolution, parts: str, target: str, start: str, stop: str) -> None:
    """Output channel by output channel, the sum of the parts, in their order."""
    size, block = c.groups * c.out * c.depth, c.out * c.depth
    with f.loop(start, stop) as channel, f.loop("0", str(c.depth)) as d:
        group = f.let(f"udiv i64 {channel}, {c.out}")
        inside = f.let(f"urem i64 {channel}, {c.out}")
        begin = f.let(f"add i64 {f.let(f'mul i64 {group}, {block}')}, {inside}")
        held = f.let(f"add i64 {begin}, {f.let(f'mul i64 {d}, {c.out}')}")
        total = literal(0, c.kind)
        for part in range(PARTS):
            place = f.let(f"add i64 {held}, {part * size}")
            total = f.let(f"fadd {c.kind} {total}, {_load(f, c, parts, place)}")
        here = f.let(f"add i64 {f.let(f'mul i64 {channel}, {c.depth}')}, {d}")
        where = f.let(f"getelementptr {c.kind}, ptr {target}, i64 {here}")
        f.do(f"store {c.kind} {total}, ptr {where}, align {c.bytes}")


def _step(f: Function, c: Convolution, pointer: str, count: str, size: int) -> str:
    moved = f.let(f"mul nsw i64 {count}, {size}")
    return f.let(f"getelementptr {c.kind}, ptr {pointer}, i64 {moved}")


def _load(f: Function, c: Convolution, pointer: str, place: str) -> str:
    where = f.let(f"getelementptr {c.kind}, ptr {pointer}, i64 {place}")
    return f.let(f"load {c.kind}, ptr {where}, align {c.bytes}")


# Columns.
def _ranges(c: Convolution, at: Shape) -> list[tuple[int, int]]:
    """The windows along each axis in which this place of the kernel is inside of the image."""
    found = []
    for axis, k in enumerate(at):
        offset = k * c.dilation[axis] - c.padding[axis]
        s, n = c.stride[axis], c.size[axis]
        low = max(0, -(offset // s)) if offset < 0 else 0
        high = min(c.windows[axis], (n - 1 - offset) // s + 1) if offset < n else 0
        found.append((min(low, max(high, 0)), max(high, 0)))
    return found


def _gather(f: Function, c: Convolution, image: str, columns: str) -> None:
    """Copy an image's windows together; what lies outside of it is 0."""
    size = c.depth * c.places * c.bytes
    if any(c.padding) or any(_short(c, at) for at in places(*map(range, c.kernel))):
        f.do(f"call void @llvm.memset.p0.i64(ptr {columns}, i8 0, i64 {size}, i1 false)")
    _each_row(f, c, image, columns, _copied)


def _short(c: Convolution, at: Shape) -> bool:
    return any((a, b) != (0, w) for (a, b), w in zip(_ranges(c, at), c.windows, strict=True))


def _scatter(f: Function, c: Convolution, columns: str, image: str) -> None:
    """Add every element of the columns back to the place in the image that it was taken from."""
    size = c.into * prod(c.size) * c.bytes
    f.do(f"call void @llvm.memset.p0.i64(ptr {image}, i8 0, i64 {size}, i1 false)")
    _each_row(f, c, image, columns, _given_back)


def _each_row(f: Function, c: Convolution, image: str, columns: str, move: _Move) -> None:
    """Every row of windows: channel by channel, place by place of the kernel."""
    with f.loop("0", str(c.into)) as channel:
        pixels = _step(f, c, image, channel, prod(c.size))
        block = _step(f, c, columns, channel, prod(c.kernel) * c.places)
        for number, at in enumerate(places(*map(range, c.kernel))):
            ranges = _ranges(c, at)
            if any(a >= b for a, b in ranges):
                continue
            row = f.let(f"getelementptr {c.kind}, ptr {block}, i64 {number * c.places}")
            _rows(f, c, at, ranges, 0, ("0", "0"), (pixels, row), move)


def _rows(
    f: Function, c: Convolution, at: Shape, ranges: list[tuple[int, int]], axis: int,
    where: tuple[str, str], pointers: tuple[str, str], move: _Move,
) -> None:  # fmt: skip
    """The loops over all axes of the windows but the last, then one run along that."""
    low, high = ranges[axis]
    source = c.stride[axis]
    offset = at[axis] * c.dilation[axis] - c.padding[axis]
    after, beyond = prod(c.size[axis + 1 :]), prod(c.windows[axis + 1 :])
    pixel, window = where
    if axis == len(ranges) - 1:
        begin = f.let(f"add nsw i64 {pixel}, {low * source + offset}")
        first = f.let(f"add nsw i64 {window}, {low}")
        move(f, c, pointers, (begin, first), high - low, source)
        return
    with f.loop(str(low), str(high)) as i:
        inside = f.let(f"add nsw i64 {f.let(f'mul nsw i64 {i}, {source}')}, {offset}")
        pixel = f.let(f"add nsw i64 {pixel}, {f.let(f'mul nsw i64 {inside}, {after}')}")
        window = f.let(f"add nsw i64 {window}, {f.let(f'mul nsw i64 {i}, {beyond}')}")
        _rows(f, c, at, ranges, axis + 1, (pixel, window), pointers, move)


def _run(f: Function, count: int, lanes: int, body: _Body) -> None:
    """A run of elements as vectors, and the rest as one shorter vector."""
    whole = count - count % lanes
    if whole:
        with f.loop("0", str(whole), lanes) as i:
            body(i, lanes)
    if count % lanes:
        body(str(whole), count % lanes)


def _copied(
    f: Function, c: Convolution, pointers: tuple[str, str], where: tuple[str, str], count: int,
    stride: int,
) -> None:  # fmt: skip
    def body(i: str, lanes: int) -> None:
        value, _ = _taken(f, c, pointers[0], where[0], i, lanes, stride)
        _put(f, c, pointers[1], where[1], i, lanes, value)

    _run(f, count, 8 if stride == 1 else 1, body)


def _given_back(
    f: Function, c: Convolution, pointers: tuple[str, str], where: tuple[str, str], count: int,
    stride: int,
) -> None:  # fmt: skip
    def body(i: str, lanes: int) -> None:
        wide = f"<{lanes} x {c.kind}>"
        held, place = _taken(f, c, pointers[0], where[0], i, lanes, stride)
        more, _ = _taken(f, c, pointers[1], where[1], i, lanes, 1)
        total = f.let(f"fadd {wide} {held}, {more}")
        f.do(f"store {wide} {total}, ptr {place}, align {c.bytes}")

    _run(f, count, 8 if stride == 1 else 1, body)


def _taken(
    f: Function, c: Convolution, pointer: str, start: str, i: str, lanes: int, stride: int
) -> tuple[str, str]:
    moved = i if stride == 1 else f.let(f"mul nsw i64 {i}, {stride}")
    index = f.let(f"add nsw i64 {start}, {moved}")
    place = f.let(f"getelementptr {c.kind}, ptr {pointer}, i64 {index}")
    return f.let(f"load <{lanes} x {c.kind}>, ptr {place}, align {c.bytes}"), place


def _put(
    f: Function, c: Convolution, pointer: str, start: str, i: str, lanes: int, value: str
) -> None:
    index = f.let(f"add nsw i64 {start}, {i}")
    place = f.let(f"getelementptr {c.kind}, ptr {pointer}, i64 {index}")
    f.do(f"store <{lanes} x {c.kind}> {value}, ptr {place}, align {c.bytes}")


# What follows a product here.
def _each_vector(f: Function, c: Convolution, tile: gemm.Tile, width: int, body: _Body) -> None:
    """Each vector of a tile: its place in the tile, and its place in a matrix of that width."""
    first = f.let(f"add nsw i64 {f.let(f'mul nsw i64 {tile.row}, {width}')}, {tile.column}")
    for r in range(tile.rows):
        there = f.let(f"add nsw i64 {first}, {r * width}")
        for start in range(0, tile.columns, 8):
            lanes = min(8, tile.columns - start)
            spot = r * tile.stride + start
            place = f.let(f"getelementptr {c.kind}, ptr {tile.pointer}, i64 {spot}")
            wide = f"<{lanes} x {c.kind}>"
            value = f.let(f"load {wide}, ptr {place}, align {c.bytes}")
            body(value, wide, f.let(f"add nsw i64 {there}, {start}"))


def _stored(c: Convolution, target: str, width: int, offset: str) -> gemm.Epilogue:
    def epilogue(f: Function, tile: gemm.Tile) -> None:
        def body(value: str, wide: str, index: str) -> None:
            moved = f.let(f"add nsw i64 {index}, {offset}")
            place = f.let(f"getelementptr {c.kind}, ptr {target}, i64 {moved}")
            f.do(f"store {wide} {value}, ptr {place}, align {c.bytes}")

        _each_vector(f, c, tile, width, body)

    return epilogue


def _added(c: Convolution, target: str) -> gemm.Epilogue:
    def epilogue(f: Function, tile: gemm.Tile) -> None:
        def body(value: str, wide: str, index: str) -> None:
            place = f.let(f"getelementptr {c.kind}, ptr {target}, i64 {index}")
            held = f.let(f"load {wide}, ptr {place}, align {c.bytes}")
            total = f.let(f"fadd {wide} {held}, {value}")
            f.do(f"store {wide} {total}, ptr {place}, align {c.bytes}")

        _each_vector(f, c, tile, c.out, body)

    return epilogue
