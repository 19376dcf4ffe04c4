"""How the name of a quantity is set in type.

w5          w₅ is written w_{5}            sum_h1      \\mathit{sum}_{h1}
E_total     E_{\\mathit{total}}             o1[2]       o_{1}^{(2)}, record 2
alpha_1     \\alpha_{1}                     layers.0.weight[1,0]    \\mathtt{layers.0.weight}_{1,0}
"""

from __future__ import annotations

from functools import lru_cache
from re import fullmatch, sub

GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
    "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma",
    "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
)  # fmt: skip
_SIGNS = {"\\": r"\textbackslash ", "^": r"\textasciicircum ", "~": r"\textasciitilde "}
_SUPERSCRIPTS = str.maketrans("0123456789()-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁻")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def superscript(number: int | str) -> str:
    return str(number).translate(_SUPERSCRIPTS)


def subscript(number: int) -> str:
    return str(number).translate(_SUBSCRIPTS)


def plain(text: str) -> str:
    """With ordinary digits in place of subscript ones."""
    return text.translate(_PLAIN)


@lru_cache(maxsize=4096)  # a page of derivations names the same few quantities again and again
def latex_of(text: str) -> str:
    """A quantity's name in LaTeX.

    >>> latex_of("w5"), latex_of("o1[2]"), latex_of("50%")
    ('w_{5}', 'o_{1}^{(2)}', '\\\\text{50\\\\%}')
    """
    if not fullmatch(r"[\w.\[\],]+", text):
        return rf"\text{{{_escaped(text)}}}"
    found = fullmatch(r"(.*?)\[([^\]]*)\]", text)
    stem, place = (found[1], found[2]) if found else (text, "")
    if "." in stem:
        shown = rf"\mathtt{{{_escaped(stem)}}}"
        return f"{shown}_{{{place}}}" if place else shown
    base, _, index = stem.partition("_")
    if not index:
        digits = fullmatch(r"(\D+)(\d+)", base)
        if digits:
            base, index = digits[1], digits[2]
    shown = _word(base) or "x"
    if index:
        shown += f"_{{{_index(index)}}}"
    return f"{shown}^{{({place})}}" if place else shown


def _word(text: str) -> str:
    if text in GREEK:
        return f"\\{text}"
    return text if len(text) <= 1 else rf"\mathit{{{_escaped(text)}}}"


def _index(text: str) -> str:
    pieces = [piece for piece in text.split("_") if piece]
    return ",".join(p if fullmatch(r"[A-Za-z]?\d*", p) else _letters(p) for p in pieces)


def _letters(text: str) -> str:
    return f"\\{text}" if text in GREEK else rf"\mathit{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    return sub(r"[\\^~_&%$#{}]", lambda found: _SIGNS.get(found[0], f"\\{found[0]}"), text)
