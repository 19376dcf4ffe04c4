"""IDX files: whole ones come back as they were; broken ones are refused in one sentence."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from chalkgrad.core.errors import DataError
from chalkgrad.data.idx import idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
LABELS = bytes([0, 0, 0x08, 1, 0, 0, 0, 3, 7, 2, 1])


def written(array: NDArray[Any]) -> bytes:
    """An IDX file as the format's description has it."""
    magic = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim])
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return magic + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def refused(tmp_path: Path, content: bytes, **options: int) -> str:
    path = tmp_path / "train-images"
    path.write_bytes(content)
    with pytest.raises(DataError, match="train-images") as caught:
        idx(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


arrays = st.sampled_from(sorted(CODES)).flatmap(
    lambda code: hnp.arrays(code, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
)


@settings(max_examples=150, deadline=None)
@given(arrays, st.booleans())
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[Any], zipped: bool
) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(written(array)) if zipped else written(array))
    read = idx(path)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    assert read.flags.writeable
    assert np.array_equal(read, array, equal_nan=array.dtype.kind == "f")
    assert read.shape == array.shape


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=40) | st.binary(max_size=40).map(LABELS[:4].__add__))
def test_random_bytes_never_escape_as_another_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        idx(path)


def test_foreign_file(tmp_path: Path) -> None:
    text = refused(tmp_path, b"<!DOCTYPE html>")
    assert text.startswith("train-images is not an IDX file: it starts with b'<!DO'")
    assert "not an IDX file: it starts with b''" in refused(tmp_path, b"")


def test_unknown_type_and_dimensions(tmp_path: Path) -> None:
    assert "is not an IDX file" in refused(tmp_path, bytes([0, 0, 0x0A, 1, 0, 0, 0, 0]))
    assert "says that it has 0 dimensions" in refused(tmp_path, bytes([0, 0, 8, 0]))
    assert "says that it has 200 dimensions" in refused(tmp_path, bytes([0, 0, 8, 200]))


def test_cut_short_and_too_long(tmp_path: Path) -> None:
    assert (
        refused(tmp_path, LABELS[:-1])
        == "train-images has shape (3,), so 3 bytes should follow its header, but 2 do; download "
        "it again"
    )
    assert "but more do" in refused(tmp_path, LABELS + b"\0")
    assert "ends inside its header: 1 sizes take 4 bytes, and 2 are there" in refused(
        tmp_path, LABELS[:6]
    )


def test_a_header_that_lies_costs_no_memory(tmp_path: Path) -> None:
    huge = bytes([0, 0, 0x0E, 3]) + b"\xff\xff\xff\xff" * 3
    assert "more than max_bytes=2,147,483,648; raise max_bytes" in refused(tmp_path, huge)
    claimed = bytes([0, 0, 8, 1]) + (2**31 - 1).to_bytes(4, "big")
    assert "2,147,483,647 bytes should follow its header, but 0 do" in refused(tmp_path, claimed)


def test_a_bomb_is_not_inflated_beyond_its_header(tmp_path: Path) -> None:
    assert "but more do" in refused(tmp_path, gzip.compress(LABELS + bytes(1 << 24)))


def test_damaged_gzip(tmp_path: Path) -> None:
    whole = gzip.compress(LABELS)
    assert "is a damaged gzip file" in refused(tmp_path, whole[:-6])
    assert "is a damaged gzip file" in refused(tmp_path, whole[:12] + b"\xff" * 8 + whole[20:])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent cannot be read: No such file or directory"):
        idx(tmp_path / "absent")
    with pytest.raises(DataError, match="cannot be read: "):
        idx(tmp_path)
