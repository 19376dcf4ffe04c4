"""The text of an answers file: its lines, and what on them is no mathematics.

Typesetting around a formula (`$`, `&`, `\\\\`, `\\begin{aligned}`) and a comment after `#` are
taken off; every letter that is left knows its column in what the person wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import Match, Pattern, compile
from unicodedata import category, name

from chalkgrad.core.errors import DataError

MOST_LINES, MOST_BYTES, LONGEST = 10_000, 1 << 20, 2_000

_RELATION = compile(r":=|==|←|≈|≃|≅|≐|~|(?<![<>!=])=(?![=>])")
_NEXT = compile(r"⇒|→|∴|=>|->|;|\\implies|\\Rightarrow|\\therefore")
_TYPESETTING = compile(
    r"\$+|\\[()\[\]]|(?<!\\)&|\\\\|\\(?:begin|end)\{(?:aligned|align|equation|split|gathered|array)"
    r"\*?\}|\\q?quad(?![A-Za-z])|\\(?:displaystyle|textstyle|,|;|!|:)(?![A-Za-z])|`"
)
_ABOUT = compile(r"\\(?:approx|simeq)(?![A-Za-z])")
_UNDERSCORE = compile(r"\\_")
_WORDS = compile(r"\\(?:text|mbox|textrm)\{([^{}]*\s[^{}]*)\}")
_JOINED = compile(r"([^\W\d]\w*(?:\{[^{}]*\})?(?:\[\d+\])?|[)\]])(?=\s*[(\[])(?!\[\d+\])")
_COMMA = compile(r"(?<![\w.,])(\d+),(\d+)(?![\d.,])")
_OPENS, _CLOSES = "([{", ")]}"


@dataclass(frozen=True)
class Text:
    """Part of a line, and the column of each of its letters (counted from 1)."""

    letters: str
    columns: tuple[int, ...]
    at: int = 1  # the column of a text without letters

    def __getitem__(self, part: slice) -> Text:
        return Text(self.letters[part], self.columns[part], self.column_of(part.start or 0))

    def stripped(self) -> Text:
        left = len(self.letters) - len(self.letters.lstrip())
        right = len(self.letters.rstrip())
        return self[left : max(left, right)]

    @property
    def column(self) -> int:
        return self.columns[0] if self.columns else self.at

    def column_of(self, place: int) -> int:
        """The column of a letter, counted from 0; beyond the end, the column after the last."""
        if place < len(self.columns):
            return self.columns[place]
        return self.columns[-1] + 1 if self.columns else self.at

    def changed(self, pattern: Pattern[str], by: Callable[[Match[str]], str]) -> Text:
        """With one thing in place of another; it keeps the column of its first letter."""
        letters, done = "", 0
        columns: list[int] = []
        for found in pattern.finditer(self.letters):
            put = by(found)
            letters += self.letters[done : found.start()] + put
            columns += self.columns[done : found.start()]
            columns += [self.columns[found.start()]] * len(put)
            done = found.end()
        columns += self.columns[done:]
        return Text(letters + self.letters[done:], tuple(columns))


def lines_of(text: str) -> list[str]:
    """The lines of a file. DataError for one that is too large to be anybody's working."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise DataError(
            f"the answers have {size:,} bytes; at most {MOST_BYTES:,} are read. "
            "Check them in several files."
        )
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    count = len(lines) if lines[-1] else len(lines) - 1
    if count > MOST_LINES:
        raise DataError(
            f"the answers have {count:,} lines; at most {MOST_LINES:,} are read. "
            "Check them in several files."
        )
    return lines


def hidden(line: str) -> tuple[int, str] | None:
    """The first character that hides or reorders what stands there: its column and what it is."""
    for place, letter in enumerate(line):
        kind = category(letter)
        if letter != "\t" and (kind[0] == "C" or kind in ("Zl", "Zp")):
            return place + 1, f"U+{ord(letter):04X} ({name(letter, 'a control character')})"
    return None


def bare(line: str) -> Text:
    """The line without comment and typesetting."""
    line = line.partition("#")[0]
    text = Text(line, tuple(range(1, len(line) + 1)))
    text = text.changed(_WORDS, lambda found: f" {found[1]} ")
    text = text.changed(_TYPESETTING, lambda _: " ")
    text = text.changed(_ABOUT, lambda _: "≈").changed(_UNDERSCORE, lambda _: "_")
    return text.stripped()


def has_relation(line: str) -> bool:
    return _RELATION.search(line) is not None


def claims_in(text: Text) -> list[Text]:
    """The claims on a line: what `;` or an arrow parts, outside of brackets."""
    return [part.stripped() for part, _ in _parted(text, _NEXT) if part.stripped().letters]


def links_in(text: Text) -> list[tuple[Text, str]]:
    """What stands between the equals signs of a claim, each with the sign after it."""
    return [(part.stripped(), sign) for part, sign in _parted(text, _RELATION)]


def entries_in(text: Text) -> list[Text] | None:
    """The entries of `(3, 6, 9)` or `[3, 6, 9]` or `3, 6, 9`; None where it is no list."""
    inner = text
    if text.letters[:1] in ("(", "[") and _closes_at_end(text.letters):
        inner = text[1 : len(text.letters) - 1]
    parts = [part.stripped() for part, _ in _parted(inner, compile(r"[,;]"))]
    return parts if len(parts) > 1 else None


def _closes_at_end(letters: str) -> bool:
    """Does the bracket that opens the text close with its last letter?"""
    depth = 0
    for place, letter in enumerate(letters):
        depth += (letter in _OPENS) - (letter in _CLOSES)
        if depth == 0:
            return place == len(letters) - 1
    return False


def _parted(text: Text, sign: Pattern[str]) -> Iterator[tuple[Text, str]]:
    """The parts of a text between signs that stand outside of all brackets."""
    start = 0
    for found in _outside(text.letters, sign):
        yield text[start : found.start()], found[0]
        start = found.end()
    yield text[start:], ""


def _outside(letters: str, sign: Pattern[str]) -> Iterator[Match[str]]:
    depth, place = 0, 0
    for found in sign.finditer(letters):
        between = letters[place : found.start()]
        depth = max(0, depth + sum((c in _OPENS) - (c in _CLOSES) for c in between))
        place = found.start()
        if depth == 0:
            yield found


def with_points(text: Text) -> Text:
    """Decimal commas as points: `0,41`, unless the comma stands between a function's arguments.

    >>> with_points(bare("0,41 + max(1,2)")).letters
    '0.41 + max(1,2)'
    """
    letters = list(text.letters)
    for found in _COMMA.finditer(text.letters):
        if not _in_call(text.letters, found.start()):
            letters[found.end(1)] = "."
    return Text("".join(letters), text.columns)


def with_products(text: Text, is_name: Callable[[str], bool]) -> Text:
    """With the multiplication that is left out in `output_o1(1 - output_o1)` and `(a)(b)`."""

    def joined(found: Match[str]) -> str:
        return f"{found[0]}*" if found[0] in (")", "]") or is_name(found[0]) else found[0]

    return text.changed(_JOINED, joined)


def _in_call(letters: str, place: int) -> bool:
    """Is the innermost open bracket at this place that of a function?"""
    depth = 0
    for at in range(place - 1, -1, -1):
        if letters[at] in _CLOSES:
            depth += 1
        elif letters[at] in _OPENS:
            if depth == 0:
                before = letters[:at].rstrip()
                return before[-1:].isalpha()
            depth -= 1
    return False
