"""The three convolutions natively, against their definition in float64."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product as places
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chalkgrad.compiler import convolve
from chalkgrad.core.graph import Array, Node
from chalkgrad.machine.host import detect, narrowed
from chalkgrad.primitives.convolution import (
    convolution,
    convolution_input,
    convolution_weight,
    output_size,
)
from tests.compiler.programs import apply, compare, inputs, run

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Geometry:
    """x (images, groups·into, *size), w (groups·out, into, *kernel)."""

    size: Shape
    kernel: Shape
    images: int = 3
    groups: int = 1
    into: int = 2
    out: int = 5
    stride: Shape = ()
    padding: Shape = ()
    dilation: Shape = ()

    @property
    def params(self) -> dict[str, Any]:
        rank = len(self.size)
        return {
            "stride": self.stride or (1,) * rank,
            "padding": self.padding or (0,) * rank,
            "dilation": self.dilation or (1,) * rank,
            "groups": self.groups,
        }

    def arrays(self, dtype: str) -> tuple[Array, Array, Array]:
        rng, p = np.random.default_rng(1), self.params
        steps = (p["stride"], p["padding"], p["dilation"])
        windows = output_size(self.size, self.kernel, *steps)
        shapes = (
            (self.images, self.groups * self.into, *self.size),
            (self.groups * self.out, self.into, *self.kernel),
            (self.images, self.groups * self.out, *windows),
        )
        x, w, g = (rng.normal(size=shape).astype(dtype) for shape in shapes)
        return x, w, g


@pytest.fixture(autouse=True)
def small_ones_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A weight is turned however few places there are, in programs that are made anew."""
    monkeypatch.setattr(convolve, "_OFTEN", 1)
    monkeypatch.setenv("CHALKGRAD_CACHE", str(tmp_path))


# The forward pass reads windows in the frame if the result has five channels or more; so does the
# input gradient, but for strides, and padding beyond the kernel's reach.
BOTH = [
    Geometry((9, 16), (3, 3), padding=(1, 1), into=6),
    Geometry((7, 7), (3, 3), padding=(1, 1), images=17, into=8, out=16),
    Geometry((5, 14), (3, 3), padding=(1, 1), into=7, out=13, images=1),
    Geometry((4, 17), (2, 2), into=17, out=33),
    Geometry((33,), (5,), padding=(2,), dilation=(2,), into=5),
    Geometry((3, 4, 9), (2, 1, 3), padding=(1, 0, 1), into=9, out=8),
    Geometry((6, 12), (3, 2), padding=(2, 1), groups=2, into=6, out=5, dilation=(2, 2)),
    Geometry((12, 20), (5, 5), padding=(4, 4), images=9, into=5),
    Geometry((20, 20), (3, 3), padding=(0, 1), into=8, out=24),
    Geometry((1, 1), (3, 3), padding=(1, 1), images=8, into=5, out=7),
    Geometry((9, 30), (7, 7), padding=(3, 3), into=5),
]
FORWARD = [
    Geometry((9, 16), (3, 3), padding=(1, 1)),
    Geometry((5, 28), (3, 3), padding=(1, 1), into=1, out=16),
    Geometry((8, 9), (3, 2), stride=(2, 3), padding=(1, 1), into=6, out=8),
    Geometry((16, 16), (3, 3), stride=(1, 2), padding=(1, 0), groups=2, into=5, out=7),
    Geometry((10,), (3,), stride=(3,), padding=(1,), dilation=(2,), into=8, out=32),
    Geometry((4, 5, 6), (3, 2, 3), stride=(1, 2, 2), padding=(1, 1, 2), into=6),
    Geometry((3, 12), (2, 2), padding=(3, 2), into=6, out=9),
    Geometry((5, 5), (1, 1), stride=(2, 2), groups=3),
]
COLUMNS = [
    Geometry((16, 16), (1, 1), into=4),  # which are the image itself
    Geometry((8, 9), (3, 2), stride=(2, 3), padding=(1, 1), out=4),
    Geometry((6, 12), (3, 3), padding=(1, 1), groups=6, into=1, out=1),
    Geometry((6, 6), (3, 3), groups=4, into=1, out=1, images=2),
    Geometry((12, 20), (3, 3), padding=(1, 1), into=3, out=2),
]
ALL = BOTH + FORWARD + COLUMNS


def defined(geometry: Geometry, x: Array, w: Array, g: Array) -> tuple[Array, Array, Array]:
    """Place k of the kernel multiplies what lies at p·stride + k·dilation − padding."""
    p, groups = geometry.params, geometry.groups
    pads = [(0, 0), (0, 0), *((n, n) for n in p["padding"])]
    frame = np.pad(x.astype(float), pads).reshape(len(x), groups, geometry.into, -1)
    framed = [n + 2 * m for n, m in zip(x.shape[2:], p["padding"], strict=True)]
    weight = w.astype(float).reshape(groups, geometry.out, geometry.into, -1)
    gradient = g.astype(float).reshape(len(x), groups, geometry.out, -1)
    out, into_frame = np.zeros_like(gradient), np.zeros_like(frame)
    into_weight = np.zeros_like(weight)
    corners = np.stack(np.meshgrid(*map(np.arange, g.shape[2:]), indexing="ij"))
    for number, k in enumerate(places(*map(range, w.shape[2:]))):
        where = [c * s + i * d for c, s, i, d in
                 zip(corners, p["stride"], k, p["dilation"], strict=True)]  # fmt: skip
        flat = np.ravel_multi_index(where, framed).ravel()
        out += np.einsum("goc,ngcp->ngop", weight[..., number], frame[..., flat])
        back = np.einsum("goc,ngop->ngcp", weight[..., number], gradient)
        into_frame[..., flat] += back
        into_weight[..., number] = np.einsum("ngop,ngcp->goc", gradient, frame[..., flat])
    inner = tuple(slice(m, m + n) for m, n in zip(p["padding"], x.shape[2:], strict=True))
    into_image = into_frame.reshape(*x.shape[:2], *framed)[(..., *inner)]
    return out.reshape(g.shape), into_image, into_weight.reshape(w.shape)


def nodes(geometry: Geometry, x: Array, w: Array, g: Array) -> tuple[list[Node], list[Node]]:
    """The arguments x, w, g and the three convolutions of them."""
    arguments, p = inputs(x, w, g), geometry.params
    image, weight, gradient = arguments
    return arguments, [
        apply(convolution, image, weight, **p),
        apply(convolution_input, gradient, weight, size=geometry.size, **p),
        apply(convolution_weight, image, gradient, kernel=geometry.kernel, **p),
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("vector", [16, 0, 64])
def test_convolutions(vector: int, dtype: str) -> None:
    host = detect()
    if vector:
        wide = replace(host, vector=64, registers=32)
        host = narrowed(host, 16) if vector == 16 else wide
    for geometry in ALL:
        arrays = geometry.arrays(dtype)
        arguments, outputs = nodes(geometry, *arrays)
        wanted = defined(geometry, *arrays)
        for found, right in zip(run(arguments, outputs, arrays, host), wanted, strict=True):
            compare(found, right.astype(dtype), (geometry, vector))


@pytest.mark.usefixtures("everything_shared")
def test_the_number_of_threads_changes_no_bit() -> None:
    for geometry in (BOTH[0], BOTH[9], FORWARD[2], COLUMNS[1]):
        arrays = geometry.arrays("float32")
        arguments, outputs = nodes(geometry, *arrays)
        alone = run(arguments, outputs, arrays)
        for members in (2, 5):
            shared = run(arguments, outputs, arrays, members=members)
            for one, other in zip(alone, shared, strict=True):
                assert one.tobytes() == other.tobytes(), (geometry, members)


def test_which_convolutions_need_no_copies() -> None:
    def in_frame(geometry: Geometry) -> tuple[bool, bool]:
        made = nodes(geometry, *geometry.arrays("float32"))[1]
        forward, backward = (convolve.of(node).from_frame for node in made[:2])
        return forward, backward

    assert {in_frame(geometry) for geometry in BOTH} == {(True, True)}
    assert {in_frame(geometry) for geometry in FORWARD} == {(True, False)}
    assert {in_frame(geometry) for geometry in COLUMNS} == {(False, False)}


def test_a_weight_is_turned_for_many_places_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolve, "_OFTEN", 2 * 17 * 49)
    for images, turned in ((33, False), (34, True)):
        geometry = replace(BOTH[1], images=images)
        made = nodes(geometry, *geometry.arrays("float32"))[1]
        assert [convolve.of(node).by_channel for node in made[:2]] == [turned, turned]


def test_what_is_not_finite_stays_in_its_windows() -> None:
    geometry = BOTH[0]
    x, w, g = geometry.arrays("float32")
    x[1, 0, 4, 8] = np.nan
    arguments, outputs = nodes(geometry, x, w, g)
    out, _, into_weight = run(arguments, outputs, (x, w, g))
    touched = np.zeros(out.shape, bool)
    touched[1, :, 3:6, 7:10] = True
    np.testing.assert_array_equal(np.isnan(out), touched)
    assert np.isnan(into_weight[:, 0]).all()
    assert np.isfinite(into_weight[:, 1]).all()
