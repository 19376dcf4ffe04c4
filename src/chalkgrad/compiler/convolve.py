"""The three convolutions as matrix products, image by image.

An image stands in a frame of zeros, so that each window is inside. A product whose left operand is
given by the places of its elements reads windows from there, and copies none:

    out[n, o, p]    = Σ over c, k of frame[c, p·stride + k·dilation] · w[o, c, k]
    input gradient  = Σ over o, k of frame[o, q + reach − k·dilation] · w[o, c, k], g in the frame
    weight gradient = Σ over n, p of frame[c, p·stride + k·dilation] · g[n, o, p]

The lanes run along o, c and o, whatever the size of the image; of the first two the weight is
turned for that once, and each tile of the result is turned back while it is in registers. Few
channels would leave lanes empty, few places would not be worth turning a weight, and an input
gradient with a stride has no frame. There

    columns[c·k, p] = x[n, c, p·stride + k·dilation − padding]      one image and group, in scratch
    out[n]          = w · columns                                   (o × ck) · (ck × p)
    input gradient  = columns⁺ of wᵀ · g[n], added back to where each element was taken

One image is one unit of work. The sum over images of a weight's gradient is cut into eight parts,
which are added up in their order at the end: it does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product as places
from math import prod
from typing import NamedTuple

from chalkgrad.compiler import gemm
from chalkgrad.core.graph import Node, Shape
from chalkgrad.machine.functions import BITS, OF_DTYPE
from chalkgrad.machine.host import Host
from chalkgrad.machine.text import Function, literal

_Move = Callable[[Function, "Convolution", tuple[str, str], tuple[str, str], int, int], None]
_Body = Callable[..., None]
PARTS = 8  # of a sum over images
_CHANNELS = 5  # of the result, from which lanes run along them
_OFTEN = 256  # places of a batch, from which turning the weight for that pays


class _Frame(NamedTuple):
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


class Convolution(NamedTuple):
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
    def channels(self) -> int:
        """Of the result, in a group."""
        return self.into if self.name == "convolution_input" else self.out

    @property
    def by_channel(self) -> bool:
        """Do lanes run along the channels of the result, which is turned back?"""
        if self.name == "convolution_weight" or self.plain or self.channels < _CHANNELS:
            return False
        if self.images * prod(self.frame.out) < _OFTEN:
            return False
        stays = self.name == "convolution" or set(self.stride) == {1}
        return stays and min(self.frame.margin, default=0) >= 0

    @property
    def from_frame(self) -> bool:
        """Are windows read from the image in its frame, or copied together first?"""
        return self.by_channel or self.name == "convolution_weight"

    def product(self) -> gemm.Product:
        """The product of one image and group."""
        o, d, p = self.out, self.depth, self.places
        if self.by_channel:
            return self._by_channel()
        if self.name == "convolution":
            return gemm.Product(self.kind, o, p, d, (d, 1), (p, 1))
        if self.name == "convolution_input":
            return gemm.Product(self.kind, d, p, o, (1, d), (p, 1))
        inside, over = self._inside(), self._over()
        return gemm.Product(self.kind, d, o, p, (0, 0), (1, p), rows=inside, depth=over)

    def _by_channel(self) -> gemm.Product:
        inside, over, n = self._inside(), self._over(), self.channels
        m, k = (prod(extent for extent, _ in axes) for axes in (over, inside))
        return gemm.Product(self.kind, m, n, k, (0, 0), (n, 1), over, inside, turned=True)

    def _inside(self) -> tuple[tuple[int, int], ...]:
        """The axes of a window in the frame: channels, and places of the kernel."""
        frame, back = self.frame, -1 if self.name == "convolution_input" else 1
        steps = zip(self.kernel, self.dilation, frame.strides, strict=True)
        return ((frame.channels, prod(frame.framed)), *((k, back * d * s) for k, d, s in steps))

    def _over(self) -> tuple[tuple[int, int], ...]:
        """The axes along which windows follow each other."""
        frame = self.frame
        stride = (1,) * len(self.size) if self.name == "convolution_input" else self.stride
        return tuple((w, n * s) for w, n, s in zip(frame.out, stride, frame.strides, strict=True))

    @property
    def corner(self) -> int:
        """Where the first window's first place is in the frame."""
        steps = zip(self.kernel, self.dilation, self.frame.strides, strict=True)
        back = self.name == "convolution_input"
        return sum((k - 1) * d * s for k, d, s in steps) if back else 0


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
    """Bytes that each thread needs: those of `_Room`, and what the product itself needs."""
    return sum(_sizes(c)) + gemm.scratch(c.product(), host)


def _sizes(c: Convolution) -> list[int]:
    """Bytes of an image's frame or columns, of its rows' places, and of turned weights."""
    p, image = c.product(), c.depth * c.places
    if c.from_frame:
        image = c.frame.channels * prod(c.frame.framed)
    table = 8 * p.m if p.rows else 0
    turned = c.groups * p.k * p.n * c.bytes if c.by_channel else 0
    return [-(-size // 64) * 64 for size in (image * c.bytes, table, turned)]


class _Room(NamedTuple):
    """What lies in a thread's scratch."""

    image: str  # the frame or the columns of one
    table: str
    weight: str
    rest: str


def _room(f: Function, c: Convolution, scratch: str) -> _Room:
    """The scratch, with all in it that is the same for each image."""
    pointers, start = [scratch], 0
    for size in _sizes(c):
        start += size
        pointers.append(f.let(f"getelementptr i8, ptr {scratch}, i64 {start}"))
    room = _Room(*pointers)
    if c.from_frame:
        gemm.tabulate(f, c.product(), room.table)
    if c.from_frame and not _in_place(c):  # images are put into it, and its margin stays
        size = c.frame.channels * prod(c.frame.framed) * c.bytes
        f.do(f"call void @llvm.memset.p0.i64(ptr {room.image}, i8 0, i64 {size}, i1 false)")
    return room


def shared_scratch(c: Convolution) -> int:
    """Bytes that all threads share: the parts of a sum over images."""
    return PARTS * c.groups * c.out * c.depth * c.bytes if c.name == "convolution_weight" else 0


def emit(
    f: Function, c: Convolution, host: Host, first: str, second: str, out: str, scratch: str,
    start: str, stop: str, epilogue: gemm.Epilogue, image: list[str],
) -> None:  # fmt: skip
    """Forward and input gradient of the images start … stop − 1. `image` gets the image's index
    before the epilogue of the forward pass is written; the input gradient goes to `out`."""
    room, forward = _room(f, c, scratch), c.name == "convolution"
    if c.by_channel:
        _turn(f, c, second, room.weight)
    with f.loop(start, stop) as n, f.loop("0", str(c.groups)) as group:
        channel = f.let(f"add i64 {f.let(f'mul i64 {n}, {c.groups}')}, {group}")
        image[:] = [n, group]
        size = c.into * prod(c.size) if forward else c.out * c.places
        source = _step(f, c, first, channel, size)
        target = "" if forward else _step(f, c, out, channel, c.into * prod(c.size))
        if c.by_channel:
            weight = _step(f, c, room.weight, group, c.product().k * c.channels)
            after = epilogue if forward else _stored(c, target, prod(c.size))
            _windows(f, c, host, source, weight, room, after)
        else:
            weight = _step(f, c, second, group, c.out * c.depth)
            _by_columns(f, c, host, source, weight, target, room, epilogue)


def _windows(
    f: Function, c: Convolution, host: Host, source: str, right: str, room: _Room,
    after: gemm.Epilogue,
) -> None:  # fmt: skip
    """The product of an image's windows, where they lie."""
    framed, p = _framed(f, c, source, room.image), c.product()
    corner = f.let(f"getelementptr {c.kind}, ptr {framed}, i64 {c.corner}")
    whole = str(gemm.units(p, host))
    gemm.emit(f, p, host, corner, right, room.rest, "0", whole, after, room.table)


def _by_columns(
    f: Function, c: Convolution, host: Host, source: str, weight: str, target: str, room: _Room,
    epilogue: gemm.Epilogue,
) -> None:  # fmt: skip
    """The product with an image's windows, copied together."""
    p = c.product()
    whole = str(gemm.units(p, host))
    if c.name == "convolution":
        columns = source if c.plain else room.image
        if not c.plain:
            _gather(f, c, source, columns)
        gemm.emit(f, p, host, weight, columns, room.rest, "0", whole, epilogue)
    else:
        after = _stored(c, room.image, c.places)
        gemm.emit(f, p, host, weight, source, room.rest, "0", whole, after)
        _scatter(f, c, room.image, target)


def _turn(f: Function, c: Convolution, weight: str, turned: str) -> None:
    """The weight with the channels of the result last, behind those that are summed over."""
    taps, n, group = prod(c.kernel), c.channels, c.out * c.depth
    # Of the result's and of the summed channels: how many, and how far apart in the weight.
    result, summed = (c.out, c.depth), (c.into, taps)
    if c.name == "convolution_input":
        result, summed = summed, result
    _rearranged(f, c, (weight, turned), [
        (c.groups, group, group), (*summed, taps * n), (taps, 1, n), (*result, 1)
    ])  # fmt: skip


def _rearranged(
    f: Function, c: Convolution, pointers: tuple[str, str], axes: list[tuple[int, int, int]],
    here: str = "0", there: str = "0",
) -> None:  # fmt: skip
    """Copy elements, each axis given by its extent and its steps in the source and the target."""
    if not axes:
        place = f.let(f"getelementptr {c.kind}, ptr {pointers[1]}, i64 {there}")
        f.do(f"store {c.kind} {_load(f, c, pointers[0], here)}, ptr {place}, align {c.bytes}")
        return
    extent, *steps = axes[0]
    with f.loop("0", str(extent)) as i:
        moved = [f.let(f"add nsw i64 {start}, {gemm.scaled(f, i, step)}")
                 for start, step in zip((here, there), steps, strict=True)]  # fmt: skip
        _rearranged(f, c, pointers, axes[1:], *moved)


def _in_place(c: Convolution) -> bool:
    """Is the image its own frame?"""
    return not any(c.frame.margin)


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


def emit_weight(
    f: Function, c: Convolution, host: Host, x: str, g: str, parts: str, scratch: str, start: str,
    stop: str,
) -> None:  # fmt: skip
    """The parts start … stop − 1 of a weight's gradient, each a sum over its images in order."""
    size, room = c.groups * c.out * c.depth, _room(f, c, scratch)
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
            here = _step(f, c, total, group, c.out * c.depth)
            _windows(f, c, host, source, gradient, room, _added(c, here))


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


def _stored(c: Convolution, target: str, width: int) -> gemm.Epilogue:
    def epilogue(f: Function, tile: gemm.Tile) -> None:
        def body(value: str, wide: str, index: str) -> None:
            place = f.let(f"getelementptr {c.kind}, ptr {target}, i64 {index}")
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
