"""A worksheet as a short string that an address can hold."""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

from chalkgrad.core.errors import DataError
from chalkgrad.studio.limits import LARGEST_TEXT, LONGEST_SHARE

_SPELLING = re.compile(r"[A-Za-z0-9_-]+")
_DAMAGED = "this link is damaged: copy it again, whole, or open the worksheet itself"


def packed(text: str) -> str | None:
    """The text, compressed and URL-safe; None where it is too long for an address."""
    squeezed = zlib.compress(text.encode(), 9)
    shared = urlsafe_b64encode(squeezed).decode().rstrip("=")
    return shared if len(shared) <= LONGEST_SHARE else None


def unpacked(shared: str) -> str:
    """The text again. DataError for anything that `packed` has not made; memory is bounded."""
    if len(shared) > LONGEST_SHARE or not _SPELLING.fullmatch(shared):
        raise DataError(_DAMAGED)
    try:
        squeezed = urlsafe_b64decode(shared + "=" * (-len(shared) % 4))
        stream = zlib.decompressobj()
        content = stream.decompress(squeezed, LARGEST_TEXT)
        if not stream.eof or stream.unused_data:
            raise DataError(_DAMAGED)
        return content.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        raise DataError(_DAMAGED) from None
