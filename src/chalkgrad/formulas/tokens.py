"""A formula's text into tokens: what the grammar in `parse.py` reads.

Four things need more than a grammar sees, and are decided here: whether `dE/dw` is a derivative or
a division of two names; whether `|` opens or closes; where a multiplication is left out (`2x`);
and which bracket closes which. Text that is too long, too deep or not what it seems is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple
from unicodedata import category, name, normalize

from lark import Token

from chalkgrad.core.errors import FormulaError, nearest
from chalkgrad.formulas.spelling import NAME, canonical

LONGEST, DEEPEST, MOST = 2000, 100, 500  # characters, brackets in brackets, tokens

FUNCTIONS = {
    "exp": "exp", "log": "log", "ln": "log", "sqrt": "sqrt", "sin": "sin", "cos": "cos",
    "tan": "tan", "tanh": "tanh", "sigmoid": "sigmoid", "sigma": "sigmoid", "relu": "relu",
    "abs": "absolute", "max": "max", "min": "min", "sum": "sum", "softplus": "softplus",
    "leaky_relu": "leaky_relu", "atan": "arctan",
} | {
    name: name for name in (
        "expm1", "log1p", "sinh", "cosh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh",
        "arctanh", "erf", "erfc", "sign",
    )
}  # fmt: skip
ACTIVATION_LETTERS = ("f", "g", "phi", "varphi")  # a lecture's letters for "the activation"
QUARTERS = {"¼": (1, 4), "¾": (3, 4)}
CLOSES = {")": "(", "]": "[", "}": "{", "|": "|"}

BARE = set(FUNCTIONS) - {"sigma"}  # these words are nothing but functions, unless they are known

_WORDS = "|".join(sorted((*FUNCTIONS, "σ", "√"), key=len, reverse=True))
_D = r"(?:∂|\\partial(?![A-Za-z])|d)\s*"
_CALLED = r"(?=(?:\s|\\left)*(?:[²³]|\^\s*\d+)?(?:\s|\\left)*[(\[{])"
_NAME = re.compile(NAME, re.VERBOSE)
_OPENS = re.compile(r"(?:\s|\\left)*[(\[]")
_TOKEN = re.compile(
    rf"""(?P<SPACE> \s+ | \\(?:left|right)(?![A-Za-z]) | \\[,;:!\ ] )
    | (?P<NUMBER> (?:\d+\.?\d*|\.\d+)(?:[eE][+\-−]?\d+)? )
    | (?P<HALF> [½¼¾] )
    | (?P<QUOTIENT> {_D}(?P<of>{NAME})\s*/\s*{_D}(?P<by>{NAME})
        | (?:∂|\\partial)\s*/\s*{_D}(?P<alone>{NAME})
        | \\[dt]?frac\s*\{{\s*{_D}(?P<over>{NAME})\s*\}}\s*\{{\s*{_D}(?P<under>{NAME})\s*\}} )
    | (?P<GRAD> grad\s+(?P<wrt>{NAME}) )
    | (?P<FRAC> \\[dt]?frac(?![A-Za-z]) )
    | (?P<CALL> (?:\\operatorname\{{(?P<operator>{_WORDS})\}}
        | \\?(?P<function>{_WORDS}))(?P<prime>['′’]?){_CALLED} )
    | (?P<NAME> {NAME} )
    | (?P<CARET> \*\*|\^ )
    | (?P<TIMES> [*·×⋅∗•]|\\(?:cdot|times)(?![A-Za-z]) )
    | (?P<SLASH> [/÷∕] )
    | (?P<PLUS> \+ )
    | (?P<MINUS> [-−–] )
    | (?P<RELATION> [<>]=?|[≤≥] )
    | (?P<RAISED> ⁻?[⁰¹²³⁴-⁹]+ )
    | (?P<OPEN> [(\[{{] )
    | (?P<CLOSE> [)\]}}] )
    | (?P<BAR> \| )
    | (?P<COMMA> , )""",
    re.VERBOSE,
)
OPERANDS = {"NUMBER", "HALF", "PARTIAL", "FUNCTION", "NAME", "EULER", "OPEN", "FRAC"}
_ENDS = {"NUMBER", "HALF", "PARTIAL", "NAME", "EULER", "CLOSE", "RAISED", "CLOSE_BAR"}
LIMITS = f"at most {LONGEST} characters, {MOST} symbols and {DEEPEST} brackets in brackets"


class Piece(NamedTuple):
    """A token's type, what the grammar's rules are given of it, and where it ends."""

    kind: str
    value: object
    end: int


@dataclass
class _Bracket:
    sign: str
    column: int
    fraction: int  # 1: the upper part of a fraction, 2: the lower, 0: neither


@dataclass
class Reader:
    """One pass over a formula. `known` holds the canonical names that are there."""

    text: str
    known: Collection[str]
    activation: str | None = None  # what f and g stand for
    place: int = 0
    found: list[Token] = field(default_factory=list)
    brackets: list[_Bracket] = field(default_factory=list)
    fraction: int = 0  # the part of a fraction that must open next
    number: bool = False  # may a multiplication be left out here?

    def tokens(self) -> list[Token]:
        """All tokens; FormulaError where there are none."""
        while self.place < len(self.text):
            match = _TOKEN.match(self.text, self.place)
            if match is None:
                raise self.error(f"{self.text[self.place]} has no meaning in a formula")
            if match.lastgroup == "SPACE":
                self.place = match.end()
                continue
            piece = self._piece(match)
            self._take(piece, self.text[self.place : piece.end])
            self.place = piece.end
            if len(self.found) > MOST:
                raise self.error(f"the formula is too long: {LIMITS}")
        if self.brackets:
            left = self.brackets[-1]
            raise self.error(f"the {left.sign} of this column is never closed", left.column)
        return self.found

    def error(self, message: str, column: int | None = None) -> FormulaError:
        return complaint(self.text, self.place + 1 if column is None else column, message)

    def _take(self, piece: Piece, text: str) -> None:
        if piece.kind in OPERANDS and self.number and not self._is_power_of_function(piece):
            if piece.kind in ("NUMBER", "HALF"):
                raise self.error(f"{text[:20]} follows a number; write an operator between them")
            self._append("TIMES", "*")
        self.number = piece.kind in ("NUMBER", "HALF")
        if self.fraction and text != "{":
            raise self.error(r"expected { after \frac, as in \frac{1}{2}")
        if piece.kind in ("OPEN", "OPEN_BAR"):
            self._open(text)
        elif piece.kind in ("CLOSE", "CLOSE_BAR"):
            self._close(text)
        elif piece.kind == "FRAC":
            self.fraction = 1
        self._append(piece.kind, piece.value)

    def _is_power_of_function(self, piece: Piece) -> bool:
        """Does a bracket follow sin^2?"""
        before = [token.type for token in self.found[-3:]]
        return piece.kind == "OPEN" and before == ["FUNCTION", "CARET", "NUMBER"]

    def _append(self, kind: str, value: object) -> None:
        token = Token(kind, str(value), start_pos=self.place)
        token.value = value
        self.found.append(token)

    def _piece(self, match: re.Match[str]) -> Piece:
        kind, end = match.lastgroup or "", match.end()
        if kind == "QUOTIENT":
            return self._quotient(match)
        if kind == "GRAD" and "grad" not in self.known:
            return Piece("PARTIAL", ("", tidy(match["wrt"])), end)
        if kind == "CALL":
            word = match["operator"] or match["function"]
            function = {"σ": "sigmoid", "√": "sqrt"}.get(word) or FUNCTIONS[word]
            return Piece("FUNCTION", (function, bool(match["prime"])), end)
        if kind in ("NAME", "GRAD"):
            return self._name()
        if kind == "BAR":
            inside = bool(self.brackets) and self.brackets[-1].sign == "|"
            closes = inside and self.found[-1].type in _ENDS
            return Piece("CLOSE_BAR" if closes else "OPEN_BAR", "|", end)
        return Piece(kind, match[0], end)

    def _quotient(self, match: re.Match[str]) -> Piece:
        if match["alone"]:
            return Piece("PARTIAL", ("", tidy(match["alone"])), match.end())
        of, by = match["of"] or match["over"], match["by"] or match["under"]
        if match["of"] is not None and self._is_division(match[0], of, by):
            return self._name()
        return Piece("PARTIAL", (tidy(of), tidy(by)), match.end())

    def _is_division(self, text: str, of: str, by: str) -> bool:
        """Is this a quotient of names that begin with d? Known names say so first."""
        words = [part.strip() for part in text.split("/")]
        whole = [canonical(word) in self.known for word in words]
        if all(whole):
            return True
        if self._knows(of) and self._knows(by):
            return False
        return any(whole) or any(word.startswith("delta") for word in words)

    def _knows(self, text: str) -> bool:
        key = canonical(text)
        return key in self.known or key.partition("[")[0] in self.known

    def _name(self) -> Piece:
        match = _NAME.match(self.text, self.place)
        assert match is not None  # what the token's own pattern has found there
        text, end = tidy(match[0]), match.end()
        if canonical(text) in self.known:
            return Piece("NAME", text, end)
        if text in ("if", "else"):
            return Piece(text.upper(), text, end)
        if text == "e":
            return Piece("EULER", text, end)
        if text.lstrip("\\").rstrip("'") in BARE:
            raise self.error(f"{text} is a function: write {text}(…)")
        if _OPENS.match(self.text, end):
            return self._called(canonical(text), end)
        return Piece("NAME", text, end)

    def _called(self, key: str, end: int) -> Piece:
        stem, primed = key.rstrip("'"), key.endswith("'")
        if stem in ACTIVATION_LETTERS and self.activation is not None:
            return Piece("FUNCTION", (self.activation, primed), end)
        offer = nearest(stem, FUNCTIONS) if len(stem) > 2 else ""
        raise self.error(f"{stem[:60]} is not a function here; write * to multiply.{offer}")

    def _open(self, sign: str) -> None:
        if len(self.brackets) == DEEPEST:
            raise self.error(f"too many brackets: {LIMITS}")
        self.brackets.append(_Bracket(sign, self.place + 1, self.fraction))
        self.fraction = 0

    def _close(self, sign: str) -> None:
        if not self.brackets:
            raise self.error(f"nothing is open that {sign} could close")
        left = self.brackets.pop()
        if left.sign != CLOSES[sign]:
            raise self.error(f"{sign} closes the {left.sign} of column {left.column}")
        self.fraction = 2 if left.fraction == 1 else 0
        self.number = left.fraction == 2  # \frac{1}{2}(a − b)


def tidy(text: str) -> str:
    """A name as its author wrote it, without spaces inside, its primes upright."""
    return "".join(text.split()).replace("′", "'").replace("’", "'")


def cleaned(text: str) -> str:
    """The text with accents joined to their letters; characters that hide or reorder are refused.

    Raises FormulaError for more than 2,000 characters, too.
    """
    if len(text) > LONGEST:
        raise FormulaError(f"the formula has {len(text)} characters; {LIMITS}")
    for place, letter in enumerate(text):
        if letter != "\t" and (category(letter)[0] == "C" or category(letter) in ("Zl", "Zp")):
            called = name(letter, "a control character")
            message = f"U+{ord(letter):04X} ({called}) cannot stand in a formula; remove it"
            raise complaint(text, place + 1, message)
    return normalize("NFC", text)


def complaint(text: str, column: int, message: str) -> FormulaError:
    """An error with its column and the text around it: at most 60 characters of it."""
    start = max(0, min(column - 31, len(text) - 60))
    part = text[start : start + 60]
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in part)
    dots = "…" if start else "", "…" if start + 60 < len(text) else ""
    return FormulaError(f"column {column} of “{dots[0]}{shown}{dots[1]}”: {message}", column)
