"""Formulas in the mathematics of Typst, translated from their LaTeX.

The records say once, in LaTeX, how each function is set; names do, too. This is the same formula in
Typst's spelling. A command that the vocabulary has not is refused (`typeset.read`).
"""

from __future__ import annotations

from re import sub

from chalkgrad.formulas.expression import Expression
from chalkgrad.formulas.names import GREEK
from chalkgrad.formulas.typeset import (
    ACCENTS,
    Atom,
    Built,
    Fence,
    Group,
    Half,
    Node,
    Row,
    Scripts,
    Words,
    read,
)
from chalkgrad.formulas.writing import DIGITS, latex

SYMBOLS = {
    **{f"\\{name}": name for name in GREEK},
    r"\partial": "partial", r"\nabla": "nabla", r"\infty": "infinity", r"\ldots": "dots.h",
    r"\dots": "dots.h", r"\cdots": "dots.h.c", r"\neg": "not", r"\top": "top", r"\prime": "prime",
    r"\lceil": r"\⌈", r"\rceil": r"\⌉", r"\lfloor": r"\⌊", r"\rfloor": r"\⌋", r"\vert": r"\|",
    r"\ell": "ell", r"\varepsilon": "epsilon", r"\circ": "compose", "-": "-", r"\pm": "plus.minus",
    r"\cdot": "dot.op", r"\times": "times", r"\odot": "dot.o", r"\div": "div",
    r"\ast": "ast.op", r"\star": "star.op", r"\bmod": 'op("mod")', r"\oplus": "plus.o",
    r"\le": "lt.eq", r"\ge": "gt.eq", r"\ne": "eq.not", r"\approx": "approx", r"\wedge": "and",
    r"\vee": "or", r"\to": "arrow.r", r"\gets": "arrow.l", r"\leftarrow": "arrow.l",
    r"\mapsto": "arrow.r.bar", r"\in": "in", r"\equiv": "equiv", r"\propto": "prop",
    r"\sum": "sum", r"\prod": "product", r"\log": "log", r"\ln": "ln", r"\exp": "exp",
    r"\sin": "sin", r"\cos": "cos", r"\tan": "tan", r"\sinh": "sinh", r"\cosh": "cosh",
    r"\tanh": "tanh", r"\max": "max", r"\min": "min", r"\arg": "arg", r"\,": "thin",
    r"\;": "med", r"\ ": "space", r"\quad": "quad", r"\qquad": "wide",
}  # fmt: skip
FONTS = {
    r"\text": "{0}", r"\mathit": "italic({0})", r"\mathtt": "mono({0})",
    r"\mathrm": "upright({0})", r"\mathbf": "bold({0})", r"\operatorname": "op({0})",
}  # fmt: skip
_ACCENTS = {r"\hat": "hat", r"\bar": "macron", r"\tilde": "tilde", r"\dot": "dot"}
_BUILT = {r"\frac": "frac", r"\dfrac": "frac", r"\tfrac": "frac", r"\sqrt": "sqrt"}


def typst(expression: Expression, digits: int = DIGITS) -> str:
    """The formula as it stands between Typst's dollar signs.

    >>> from chalkgrad.formulas import Name, Number
    >>> typst(Name("sum_h1") / (Number(1.0) - Name("w5")))
    'frac(italic("sum")_(h 1), 1 - w_(5))'
    """
    return translated(read(latex(expression, digits)))


def translated(row: Row) -> str:
    """A tree in Typst's spelling."""
    return " ".join(_node(node) for node in row)


def quoted(text: str) -> str:
    """Text as a string of Typst: nothing in it is markup.

    >>> quoted('say "#x"')
    '"say \\\\"#x\\\\""'
    """
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def _node(node: Node) -> str:
    if isinstance(node, Atom):
        return _atom(node.text)
    if isinstance(node, Words):
        return FONTS[node.font].format(quoted(node.text))
    if isinstance(node, Fence):
        return _fence(node)
    if isinstance(node, Half):
        return "" if node.bracket == "." else f"\\{node.bracket}"
    if isinstance(node, Group):
        return translated(node.inner)
    if isinstance(node, Built):
        name = _ACCENTS[node.command] if node.command in ACCENTS else _BUILT[node.command]
        return f"{name}({', '.join(translated(operand) or '#none' for operand in node.operands)})"
    return _scripts(node)


def _fence(node: Fence) -> str:
    """Brackets that match grow with what they hold; others must be told to."""
    inner = translated(node.inner)
    pair = node.left + node.right
    if pair == "||":
        return f"abs({inner})"
    if pair in ("()", "[]"):
        return f"{node.left} {inner} {node.right}"
    left, right = ("" if end == "." else f"\\{end}" for end in pair)
    return f"lr({left} {inner} {right})"


def _atom(text: str) -> str:
    if text in SYMBOLS:
        return SYMBOLS[text]
    text = text.removeprefix("\\")
    # A bracket or a comma by itself neither grows nor parts the operands of a function.
    return text if text.isalnum() or text in "+-=<>" else sub(r"^([^\w\s.][\s\S]*)$", r"\\\1", text)


def _scripts(node: Scripts) -> str:
    base = translated(node.base)
    parts = node.base[0].inner if node.base and isinstance(node.base[0], Group) else node.base
    if not base:
        base = '""'
    elif any(isinstance(part, Scripts) for part in parts):
        base = f'class("normal", {base})'  # or its own scripts would be written over
    below = "" if node.below is None else f"_({translated(node.below)})"
    above = "" if node.above is None else f"^({translated(node.above)})"
    return base + below + above
