"""Compiled programs on disk, so that the second process begins at once.

    entry ::= "chalkgrad 1\\n", SHA-256 of the payload, payload       named by SHA-256 of its key

An entry is written beside its place and renamed, so that processes may write the same one at once;
one that is damaged is made again. Where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from importlib import import_module
from pathlib import Path

_MAGIC = b"chalkgrad 1\n"
LIMIT = 256 << 20  # bytes; beyond, what was used longest ago goes
_STALE = 3600  # seconds after which a file that is still being written belongs to nobody


def folder() -> Path | None:
    """CHALKGRAD_CACHE, or chalkgrad in XDG_CACHE_HOME, or in ~/.cache; None without a home."""
    own = os.environ.get("CHALKGRAD_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(own or f"{base}/chalkgrad").expanduser()
    except RuntimeError:  # no home; a folder that all may write to is no place for machine code
        return None


def fetch(key: bytes, make: Callable[[], bytes]) -> tuple[bytes, bool]:
    """The payload of a key, and whether it was there; else it is made, and kept."""
    where = folder()
    if where is None:
        return make(), False
    place = where / f"{sha256(key).hexdigest()}.bin"
    found = _read(place)
    if found is not None:
        with suppress(OSError):
            os.utime(place)  # it was used now
        return found, True
    payload = make()
    with suppress(OSError):
        _write(place, payload)
    return payload, False


def _read(place: Path) -> bytes | None:
    try:
        text = place.read_bytes()
    except OSError:
        return None
    start = len(_MAGIC) + 32
    digest, payload = text[len(_MAGIC) : start], text[start:]
    sound = text.startswith(_MAGIC) and sha256(payload).digest() == digest
    return payload if sound else None


def _write(place: Path, payload: bytes) -> None:
    tempfile = import_module("tempfile")  # it brings much along, and most processes write nothing

    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=place.parent, suffix=".part")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(_MAGIC + sha256(payload).digest() + payload)
        os.replace(name, place)
    except OSError:
        with suppress(OSError):
            os.unlink(name)
        raise
    _shrink(place.parent)


def size() -> int:
    """Bytes on disk."""
    return sum(size for _, size, _ in _facts(folder(), "*.bin"))


def clear() -> None:
    """Remove every entry."""
    for _, _, entry in _facts(folder(), "*.bin"):
        with suppress(OSError):
            entry.unlink()


def _facts(place: Path | None, pattern: str) -> list[tuple[float, int, Path]]:
    """Files with the time of their last use and their size; another process may remove some."""
    facts: list[tuple[float, int, Path]] = []
    for entry in place.glob(pattern) if place else ():
        with suppress(OSError):
            stat = entry.stat()
            facts.append((stat.st_mtime, stat.st_size, entry))
    return facts


def _shrink(place: Path) -> None:
    """Remove what was used longest ago, and what a killed process has begun to write."""
    for used, _, entry in _facts(place, "*.part"):
        if time.time() - used > _STALE:
            with suppress(OSError):
                entry.unlink()
    facts = _facts(place, "*.bin")
    total = sum(size for _, size, _ in facts)
    for _, bytes_, entry in sorted(facts):
        if total <= LIMIT:
            return
        with suppress(OSError):
            entry.unlink()
        total -= bytes_
