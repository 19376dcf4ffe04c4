"""Opening a file that may be gzip-compressed, told by its first bytes and not by its name."""

from __future__ import annotations

import gzip
import zlib
from io import BufferedReader
from pathlib import Path

Stream = gzip.GzipFile | BufferedReader

# What reading a damaged gzip file raises, beside OSError.
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


def opened(path: Path) -> Stream:
    """The file's bytes, decompressed as they are read if they are compressed."""
    with open(path, "rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path) if compressed else open(path, "rb")
