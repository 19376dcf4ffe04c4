"""Matrix products on every kind of tile, judged in float64.

Each epilogue adds its tile to C, which is 0 at first: an element that is left out or finished twice
is wrong. Behind C and behind the scratch lie numbers that nobody may touch.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chalkgrad.compiler import gemm
from chalkgrad.compiler.gemm import Product
from chalkgrad.core.graph import Array
from chalkgrad.machine import jit, vectormath
from chalkgrad.machine.host import Host, detect, narrowed
from chalkgrad.machine.text import Function, vector_of

HERE = detect()
# Wider vectors than the processor's are cut by LLVM: slow, and right. A small cache makes groups of
# panels, and copies of them, out of small products.
HOSTS = {
    "here": HERE,
    "narrow": narrowed(HERE, 16),
    "wide": replace(HERE, vector=64, registers=32),
    "small cache": replace(HERE, l1=1 << 9, l2=1 << 14),
}
DTYPES = {"float": np.float32, "double": np.float64}
SHAPES = [
    (1, 1, 1), (1, 33, 40), (2, 70, 9), (3, 17, 64), (4, 10, 33), (5, 16, 7), (6, 32, 50),
    (7, 9, 130), (13, 15, 31), (25, 63, 24), (32, 10, 32), (33, 100, 65), (9, 1, 196),
    (40, 2, 33), (64, 3, 20), (8, 24, 1), (3, 60, 700), (1, 30, 300), (5, 7, 0),
    (40, 70, 50),  # in a small cache groups of two panels, the last one of one
]  # fmt: skip
GUARD = 64
Run = Any


def strides(m: int, n: int, k: int, number: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Plain, transposed and spread operands in turn, some with room between their rows."""
    gap = (0, 3, 200)[number % 3]
    a = [(k + gap, 1), (1, m + gap), (2 * k + gap + 1, 2)][number % 3]
    b = [(n + gap, 1), (1, k + gap), (n + gap, 1), (2 * n + gap, 2)][number % 4]
    return (max(a[0], 1), max(a[1], 1)), (max(b[0], 1), max(b[1], 1))


def added(p: Product) -> gemm.Epilogue:
    """C += tile."""
    size, across = DTYPES[p.kind]().itemsize, p.m if p.turned else p.n

    def epilogue(f: Function, tile: gemm.Tile) -> None:
        wide = vector_of(p.kind, tile.columns)
        with f.loop("0", str(tile.rows)) as r:
            row = f.let(f"mul i64 {f.let(f'add i64 {tile.row}, {r}')}, {across}")
            at = f.let(f"add i64 {row}, {tile.column}")
            there = f.let(f"getelementptr {p.kind}, ptr %c, i64 {at}")
            inside = f.let(f"mul i64 {r}, {tile.stride}")
            here = f.let(f"getelementptr {p.kind}, ptr {tile.pointer}, i64 {inside}")
            held = f.let(f"load {wide}, ptr {there}, align {size}")
            more = f.let(f"load {wide}, ptr {here}, align {size}")
            total = f.let(f"fadd {wide} {held}, {more}")
            f.do(f"store {wide} {total}, ptr {there}, align {size}")

    return epilogue


def compiled(products: Sequence[Product], host: Host) -> list[Run]:
    """A native function of each: (a, b, c, scratch, first, last)."""
    parts, names = ["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1 immarg)"], []
    for number, p in enumerate(products):
        names.append(f"product{number}")
        parameters = ["ptr %a", "ptr %b", "ptr %c", "ptr %scratch", "i64 %first", "i64 %last"]
        f = Function(names[-1], parameters, prefix="define")
        table = f.room(f"[{p.m} x i64]")
        if p.rows:
            gemm.tabulate(f, p, table)
        gemm.emit(f, p, host, "%a", "%b", "%scratch", "%first", "%last", added(p), table)
        parts.append(f.render())
    text = "\n".join(parts)
    text = "\n".join([*vectormath.declarations(text), text])
    loaded = jit.load(jit.compile_text(text, host), names)
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, *[ctypes.c_int64] * 2)
    runs = [kind(loaded.address(name)) for name in names]
    for run in runs:
        run.loaded = loaded
    return runs


def operands(p: Product, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """The memory of A and B, and both as matrices. Between their elements lies NaN."""
    found: list[Array] = []
    for rows, columns, (down, across) in ((p.m, p.k, p.a), (p.k, p.n, p.b)):
        inside = rows and columns
        extent = (rows - 1) * down + (columns - 1) * across + 1 if inside else 1
        memory = np.full(extent, np.nan, DTYPES[p.kind])
        steps = (down * memory.itemsize, across * memory.itemsize)
        matrix = np.lib.stride_tricks.as_strided(memory, (rows, columns), steps)
        matrix[...] = rng.normal(size=(rows, columns))
        found += [memory, matrix]
    return found[0], found[2], found[1], found[3]


def result(run: Run, p: Product, host: Host, a: Array, b: Array, cuts: Sequence[int]) -> Array:
    """C from the units between the cuts, one call each."""
    c = np.zeros(p.m * p.n + GUARD, a.dtype)
    c[p.m * p.n :] = -7
    room = gemm.scratch(p, host)
    for first, last in itertools.pairwise(cuts):
        scratch = np.full(room + GUARD, 99, np.uint8)
        run(a.ctypes.data, b.ctypes.data, c.ctypes.data, scratch.ctypes.data, first, last)
        assert (scratch[room:] == 99).all(), p
    assert (c[p.m * p.n :] == -7).all(), p
    found = c[: p.m * p.n]
    return found.reshape(p.n, p.m).T if p.turned else found.reshape(p.m, p.n)


def each(kind: str, host: Host, shift: int) -> Iterator[tuple[Product, Run]]:
    products = [
        Product(kind, m, n, k, *strides(m, n, k, number + shift))
        for number, (m, n, k) in enumerate(SHAPES)
    ]
    return zip(products, compiled(products, host), strict=True)


@pytest.mark.parametrize("kind", ["float", "double"])
@pytest.mark.parametrize("name", HOSTS)
def test_products(name: str, kind: str) -> None:
    """|C − A·B| ≤ (k + 2) ε |A|·|B|: what k additions and products may lose, and the judge too."""
    host, rng = HOSTS[name], np.random.default_rng(3)
    for shift in range(4 if name in ("here", "small cache") else 1):
        for p, run in each(kind, host, shift):
            a, b, left, right = operands(p, rng)
            units = gemm.units(p, host)
            found = result(run, p, host, a, b, [0, units])
            wanted = left.astype(float) @ right.astype(float)
            size = np.abs(left).astype(float) @ np.abs(right).astype(float)
            error = np.abs(found - wanted)
            assert (error <= (p.k + 2) * np.finfo(a.dtype).eps * size).all(), (p, error.max())
            for cuts in ([0, units // 3, units // 2, units], [*range(min(units, 9)), units]):
                apart = result(run, p, host, a, b, cuts)
                assert apart.tobytes() == found.tobytes(), (p, cuts)


def test_two_threads_find_the_same_bits() -> None:
    p = Product("float", 200, 150, 300, (300, 1), (150, 1))
    (run,), rng = compiled([p], HERE), np.random.default_rng(4)
    a, b, *_ = operands(p, rng)
    units = gemm.units(p, HERE)
    alone = result(run, p, HERE, a, b, [0, units])
    c = np.zeros_like(alone)
    rooms = [np.zeros(gemm.scratch(p, HERE) + 1, np.uint8) for _ in range(2)]

    def share(member: int) -> None:
        first, last = units * member // 2, units * (member + 1) // 2
        run(a.ctypes.data, b.ctypes.data, c.ctypes.data, rooms[member].ctypes.data, first, last)

    team = [threading.Thread(target=share, args=(member,)) for member in range(2)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    assert c.tobytes() == alone.tobytes()


def test_an_element_is_summed_in_the_order_of_k() -> None:
    """Without FMA every step is a rounding of its own, so NumPy can do the same."""
    host = replace(narrowed(HERE, 16), fma=False)
    p = Product("float", 7, 21, 50, (50, 1), (21, 1))
    (run,) = compiled([p], host)
    a, b, left, right = operands(p, np.random.default_rng(5))
    total = np.zeros((p.m, p.n), np.float32)
    for k in range(p.k):
        total += left[:, k, None] * right[None, k]
    found = result(run, p, host, a, b, [0, gemm.units(p, host)])
    assert found.tobytes() == total.tobytes()


@pytest.mark.parametrize("shape", [(7, 20, 19), (3, 40, 700), (9, 1, 64)])
def test_what_is_not_finite_stays_in_its_row_and_column(shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    turned = (1, k) if k > 19 else (n, 1)  # with lanes along k, too
    p = Product("float", m, n, k, (k, 1), turned)
    (run,) = compiled([p], HERE)
    a, b, left, right = operands(p, np.random.default_rng(6))
    left[1, k - 1], right[2, n - 1] = np.nan, np.inf
    found = result(run, p, HERE, a, b, [0, gemm.units(p, HERE)])
    with np.errstate(invalid="ignore"):
        wanted = left.astype(float) @ right.astype(float)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    np.testing.assert_array_equal(np.isinf(found), np.isinf(wanted))
    assert np.isfinite(found).any() == (n > 1)


@pytest.mark.parametrize("kind", ["float", "double"])
@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("turned", [False, True])
def test_rows_that_are_no_matrix(name: str, kind: str, turned: bool) -> None:
    """Windows of an image, as rows: they overlap, and run forwards and backwards."""
    host, rng = HOSTS[name], np.random.default_rng(7)
    image = rng.normal(size=(3, 11, 12)).astype(DTYPES[kind])
    for (high, wide), n, back in itertools.product([(1, 1), (2, 5), (7, 10)], (1, 6, 37), (-1, 1)):
        rows = ((high, 12), (wide, 1))
        depth = ((3, 132), (4, back * 12), (2, back * 1))
        p = Product(kind, high * wide, n, 24, (0, 0), (n, 1), rows, depth, turned)
        (run,) = compiled([p], host)
        corner = 0 if back == 1 else 3 * 12 + 1
        windows = np.lib.stride_tricks.sliding_window_view(image, (4, 2), (1, 2))[:, :high, :wide]
        left = windows[..., ::back, ::back].transpose(1, 2, 0, 3, 4).reshape(p.m, p.k)
        b = rng.normal(size=(p.k, n)).astype(DTYPES[kind])
        found = result(run, p, host, image.reshape(-1)[corner:], b, [0, gemm.units(p, host)])
        wanted = left.astype(float) @ b.astype(float)
        np.testing.assert_allclose(found, wanted, atol=40 * np.finfo(b.dtype).eps)


@pytest.mark.parametrize(
    ("m", "k", "n"),
    [(64, 784, 128), (784, 64, 128), (128, 256, 128), (32, 144, 196), (1024, 256, 1024)],
)
def test_work_is_shared_evenly(m: int, k: int, n: int) -> None:
    """Of 2 to 16 threads none has a tenth more than its share."""
    count = gemm.units(Product("float", m, n, k, (k, 1), (n, 1)), HERE)
    for members in range(2, 17):
        assert -(-count // members) <= 1.1 * count / members, (count, members)
