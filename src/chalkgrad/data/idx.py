"""IDX: the file format of MNIST and Fashion-MNIST, plain or gzip-compressed.

    File  ::= 0 0 type:byte dimensions:byte size:uint32* number*      everything big-endian

The format is Y. LeCun's, described beside the MNIST files. A file is read only if it is exactly
as long as its header says.
"""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalkgrad.core.errors import DataError
from chalkgrad.data.streams import DAMAGED, Stream, opened

NUMBERS = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMENSIONS = 32  # the format allows 255, NumPy 64; no real file has more than 4
CHUNK = 1 << 20


def idx(path: str | PathLike[str], *, max_bytes: int = 1 << 31) -> NDArray[Any]:
    """Read one IDX file as an array of the file's shape, in the machine's own byte order.

    Memory is bounded by what the file really holds, whatever its header claims, and by
    `max_bytes`. Raises DataError for a file that is missing, foreign, cut short or too long.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels-idx1-ubyte"
    ...     _ = path.write_bytes(bytes([0, 0, 0x08, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    path = Path(path)
    try:
        with opened(path) as stream:
            dtype, shape = _header(stream, path.name)
            return _body(stream, path.name, dtype, shape, max_bytes)
    except DAMAGED as broken:
        raise DataError(
            f"{path.name} is a damaged gzip file ({broken}); download it again"
        ) from broken
    except OSError as refused:
        raise DataError(f"{path} cannot be read: {refused.strerror or refused}") from refused


def _header(stream: Stream, name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in NUMBERS:
        raise DataError(
            f"{name} is not an IDX file: it starts with {magic!r}, and an IDX file with two zero "
            "bytes and a type from 0x08 to 0x0e; is it the file that you meant, fully downloaded?"
        )
    count = magic[3]
    if not 1 <= count <= MAX_DIMENSIONS:
        raise DataError(
            f"{name} says that it has {count} dimensions; 1 to {MAX_DIMENSIONS} can be read"
        )
    sizes = stream.read(4 * count)
    if len(sizes) < 4 * count:
        raise DataError(
            f"{name} ends inside its header: {count} sizes take {4 * count} bytes, and "
            f"{len(sizes)} are there; download it again"
        )
    return np.dtype(NUMBERS[magic[2]]), tuple(np.frombuffer(sizes, ">u4").tolist())


def _body(
    stream: Stream, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], max_bytes: int
) -> NDArray[Any]:
    expected = math.prod(shape) * dtype.itemsize  # Python's integers: this cannot overflow
    if expected > max_bytes:
        raise DataError(
            f"{name} says that it holds {expected:,} bytes of shape {shape}, more than "
            f"max_bytes={max_bytes:,}; raise max_bytes if the file is right"
        )
    content = _at_most(stream, expected + 1)
    if len(content) != expected:
        found = "more" if len(content) > expected else f"{len(content):,}"
        raise DataError(
            f"{name} has shape {shape}, so {expected:,} bytes should follow its header, but "
            f"{found} do; download it again"
        )
    # A copy in native order: it is writable, and it no longer hangs on the bytes read.
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _at_most(stream: Stream, limit: int) -> bytearray:
    content = bytearray()
    while len(content) < limit:
        chunk = stream.read(min(CHUNK, limit - len(content)))
        if not chunk:
            break
        content += chunk
    return content
