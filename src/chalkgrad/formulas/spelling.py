"""How a quantity's name may be spelled, and which spellings are one name.

w5   w_5   w_{5}   w₅                 one name
δ_o1   delta_o1   \\delta_{o1}         one name
output_h1[2]                          record 2; the bracket touches the name
w5'                                   the new w5
"""

from __future__ import annotations

from re import VERBOSE, Match, compile
from unicodedata import name, normalize

from chalkgrad.formulas.names import GREEK, plain

# A word holds letters, digits, `_`, lowered digits and accents, but no raised digits: those are
# powers. Its first character is a letter.
_LETTER = r"(?:(?![_⁰¹²³⁴-⁹₀-₉½¼¾])[^\W\d])"
_REST = r"(?:(?![⁰¹²³⁴-⁹½¼¾])[\w\u0300-\u036f])*"
_GREEK = "|".join(sorted(GREEK, key=len, reverse=True))
_FONT = r"\\(?:mathit|mathrm|mathbf|text|operatorname)"

NAME = rf"""(?:
    (?: {_LETTER}{_REST}
      | \\(?:{_GREEK})(?![A-Za-z])(?:_{_REST})?
      | (?:\\(?:hat|bar|tilde)|{_FONT})\{{\s*{_LETTER}(?:{_REST}|\\_)*\s*\}}(?:_{_REST})?
    )
    (?: (?<=_)\{{(?:{_FONT}\{{(?:\w|\\_)+\}}|[\w,\s])+\}} )?
    (?: \[\d+\] )?
    ['′’]*
)"""
_WHOLE = compile(NAME, VERBOSE)
_WRAPPED = compile(rf"{_FONT}\{{\s*((?:[^{{}}\\]|\\_)*?)\s*\}}")
_ACCENT = compile(r"\\(hat|bar|tilde)\{\s*(\w+)\s*\}")
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
_LOWERED = compile(r"(?<=[^\W\d_])_(?=\d+(?:\[\d+\])?'*$)")


def is_name(text: str) -> bool:
    """Can a formula use this name?

    >>> is_name("output_h1[2]"), is_name("2nd"), is_name("a b")
    (True, False, False)
    """
    return _WHOLE.fullmatch(normalize("NFC", text)) is not None


def canonical(text: str) -> str:
    """One key for all spellings of a name.

    >>> [canonical(name) for name in ("w5", "w_5", "w_{5}", "w₅")]
    ['w5', 'w5', 'w5', 'w5']
    >>> canonical(r"\\delta_{o1}"), canonical("δ_o1"), canonical("output_o1[2]")
    ('delta_o1', 'delta_o1', 'output_o1[2]')
    """
    text = normalize("NFC", plain(text)).replace("′", "'").replace("’", "'")
    text = _ACCENT.sub(_accented, text)
    text = _WRAPPED.sub(r"\1", text)
    text = "".join(_spelled(letter) for letter in text if letter not in "{}\\ \t")
    return _LOWERED.sub("", text)


def _accented(found: Match[str]) -> str:
    return normalize("NFC", found[2] + _ACCENTS[found[1]])


def _spelled(letter: str) -> str:
    """A Greek letter as its English name; any other as it is."""
    if not "\u0391" <= letter <= "\u03c9":
        return letter
    words = name(letter, "").split()
    word = {"LAMDA": "lambda"}.get(words[-1], words[-1].lower()) if len(words) == 4 else ""
    if word not in GREEK:
        return letter
    return word.capitalize() if words[1] == "CAPITAL" and word.capitalize() in GREEK else word
