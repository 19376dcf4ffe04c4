"""How wide a text is, without a font: as in a wide one, so that it fits in every other."""

from __future__ import annotations

from unicodedata import category, combining, east_asian_width

# Advances of a wide sans-serif (DejaVu's), in sizes; the fonts of other systems are narrower.
_ADVANCES = {
    "iljIJ'|": 0.31,
    " .,/:;·-": 0.37,
    "ft()[]!r": 0.42,
    'csxvyzk_*"?∂': 0.6,
    "ABEFKLPRSTVXYZ′": 0.7,
    "CDGHNOQU&": 0.79,
    "=+<>×÷≈→−w~#": 0.84,
    "mWM@%—…Σ∞": 1.0,
}
_ADVANCE = {letter: width for letters, width in _ADVANCES.items() for letter in letters}
_BIDI = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}


def clean(text: str) -> str:
    """On one line, and without what XML forbids, a terminal obeys, or that reorders its neighbours.

    >>> clean("a\\tb\\x1b[31m")
    'a b�[31m'
    """
    return "".join("�" if _forbidden(letter) else letter for letter in " ".join(text.split()))


def _forbidden(letter: str) -> bool:
    code = ord(letter)
    return code in _BIDI or code & 0xFFFE == 0xFFFE or category(letter) in ("Cc", "Cs")


def elided(text: str, most: int) -> str:
    """At most that many characters, the end kept: names differ at both ends."""
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - 1 - tail]}…{text[-tail:]}"


def text_width(text: str, size: float) -> float:
    """The width of a text that is set at a size."""
    return size * sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if combining(letter) or category(letter) in ("Mn", "Me", "Cf"):
        return 0.0
    if letter in _ADVANCE:
        return _ADVANCE[letter]
    if east_asian_width(letter) in "WF":
        return 1.05
    if letter.isascii() or letter.isdigit():
        return 0.64
    return 0.8
