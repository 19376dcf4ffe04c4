"""A document as an article in LaTeX. It compiles with pdflatex and with lualatex."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from re import sub

from chalkgrad.draw.measure import clean
from chalkgrad.explain.document import (
    Block,
    Document,
    Equation,
    Fold,
    Heading,
    Part,
    Picture,
    Prose,
    Table,
)
from chalkgrad.explain.render.formulas import HANG, Row, rows, tree
from chalkgrad.explain.render.words import cleaned, told, unknown
from chalkgrad.formulas import Number, typeset
from chalkgrad.formulas.typeset import LETTERS

ROOM = 33.0  # em of the text's width, less what a label needs
_PREAMBLE = r"""\documentclass[11pt,fleqn]{article}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[utf8]{inputenc}
  \usepackage[T1]{fontenc}
\fi
\usepackage{amsmath}
\usepackage{array}
\usepackage{longtable}
\usepackage[margin=25mm]{geometry}
\setlength{\mathindent}{1.5em}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6em plus 0.2em}
\AtBeginDocument{\abovedisplayskip=0.8em plus 0.3em \belowdisplayskip=\abovedisplayskip}
\setlength{\emergencystretch}{3em}
\setcounter{secnumdepth}{0}
\allowdisplaybreaks[1]
"""
_LEVELS = ("section", "subsection", "subsubsection", "paragraph")
_WORDS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "�": "?",  # lualatex takes it for a fault of the file
}  # fmt: skip
# What pdflatex's fonts have not as a letter, and mathematics has.
_SIGNS = {
    **LETTERS,
    "∂": "partial", "∇": "nabla", "∞": "infty", "·": "cdot", "×": "times", "−": "-", "≤": "le",
    "≥": "ge", "≠": "ne", "≈": "approx", "→": "to", "←": "gets", "⊙": "odot", "…": "dots",
    "∗": "ast", "⋆": "star", "∈": "in", "√": "surd", "′": "prime", "∏": "prod", "∑": "sum",
    "ᵀ": "^{\\top}", "½": "\\tfrac12", "⁻": "^{-}", "⁽": "^{(}", "⁾": "^{)}",
    **{letter: f"^{{{k}}}" for k, letter in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{letter: f"_{{{k}}}" for k, letter in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}  # fmt: skip


def to_latex(document: Document) -> str:
    """The document as a complete article.

    >>> from chalkgrad.explain.document import Document
    >>> "section*{50\\\\% of it}" in to_latex(Document("50% of it"))
    True
    """
    body = [rf"\section*{{{escaped(document.title).strip()}}}"]
    if document.source:
        body.append(rf"\emph{{{escaped(document.source).strip()}}}")
    text = "\n\n".join([*body, _Writer(document.digits).all(document.blocks)])
    return f"{_PREAMBLE}{_declared(text)}\\begin{{document}}\n\n{text}\n\n\\end{{document}}\n"


def escaped(text: str) -> str:
    """Words in which nothing is a command.

    >>> print(escaped("x_1 → 50%"))
    x\\_1 \\ensuremath{\\to} 50\\%
    """
    return "".join(_letter(letter) for letter in cleaned(text))


def _letter(letter: str) -> str:
    if letter in _WORDS:
        return _WORDS[letter]
    sign = _SIGNS.get(letter)
    if sign is None:
        return letter
    return rf"\ensuremath{{\{sign}}}" if sign.isalpha() else rf"\ensuremath{{{sign}}}"


def _declared(text: str) -> str:
    """For pdflatex, which stops at letters that its fonts have not: their numbers instead."""
    strange = sorted({letter for letter in text if ord(letter) > 0x17F and letter not in "–—‘’“”"})
    lines = [rf"  \DeclareUnicodeCharacter{{{ord(s):04X}}}{{[U+{ord(s):04X}]}}" for s in strange]
    return "\n".join([r"\ifPDFTeX", *lines, r"\fi", ""]) if lines else ""


class _Writer:
    def __init__(self, digits: int) -> None:
        self.digits = digits

    def all(self, blocks: Sequence[Block]) -> str:
        """Every block. No empty line stands before a display: it would be one on paper, too."""
        text = ""
        for k, block in enumerate(blocks):
            close = (
                isinstance(block, Equation) and k and isinstance(blocks[k - 1], Equation | Prose)
            )
            text += ("\n" if close else "\n\n" if k else "") + "\n\n".join(self.block(block))
        return text

    def block(self, block: Block) -> Iterator[str]:
        if isinstance(block, Heading):
            level = _LEVELS[min(block.level, 3)]
            yield rf"\{level}*{{{self.heading(block)}}}"
        elif isinstance(block, Prose):
            words = "".join(self.part(part) for part in block.parts).strip()
            yield words.replace("$ = $", "$~=~$")  # no line ends between a name and its number
        elif isinstance(block, Equation):
            yield self.equation(block)
        elif isinstance(block, Table):
            yield self.table(block)
        elif isinstance(block, Picture):
            yield _listing(block)
        elif isinstance(block, Fold):
            yield rf"\paragraph{{{escaped(block.summary).strip()}}}\mbox{{}}"
            yield self.all(block.blocks)
        else:
            raise unknown(block)

    def heading(self, block: Heading) -> str:
        if block.symbol is None:
            return escaped(block.text).strip()
        return rf"$\displaystyle {_mathematics(tree(block.symbol, self.digits))}$"

    def part(self, part: Part) -> str:
        if isinstance(part, str):
            return escaped(part)
        return f"${_mathematics(tree(part, self.digits))}$"

    def equation(self, block: Equation) -> str:
        label = clean(block.label)
        lines = []
        for k, row in enumerate(rows(block, self.digits, ROOM)):
            tag = rf" \tag*{{\small {escaped(label)}}}" if label and not k else ""
            lines += _rows(row, tag)
        return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"

    def table(self, block: Table) -> str:
        count = max(len(block.headings), 1)
        kinds = "".join(_column(block, k, count) for k in range(count))
        head = " & ".join(rf"\textbf{{{escaped(heading).strip()}}}" for heading in block.headings)
        body = [" & ".join(self.part(cell).strip() for cell in row) + r" \\" for row in block.rows]
        return "\n".join(
            [rf"\begin{{longtable}}[l]{{{kinds}}}", head + r" \\ \hline \endhead", *body,
             r"\end{longtable}"]
        )  # fmt: skip


def _listing(block: Picture) -> str:
    """A picture in words: what is moved in stays so, what stands apart stays apart."""
    lines = []
    for indent, words in told(block):
        columns = [escaped(column).strip() for column in words.split("    ")]
        shown = r"\quad ".join(columns)
        lines.append(f"\\hspace*{{{indent / 2:g}em}}{shown}" if indent else shown or "~")
    inner = " \\\\\n".join(lines)
    return f"\\begin{{quote}}\n\\small\\raggedright\n{inner}\n\\end{{quote}}"


def _column(block: Table, k: int, count: int) -> str:
    """Numbers to the right; words wrap where they are long."""
    cells = [row[k] for row in block.rows if k < len(row)]
    if cells and all(isinstance(cell, Number) for cell in cells):
        return "r"
    longest = max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
    return (
        rf">{{\raggedright\arraybackslash}}p{{{0.9 / count:.2f}\linewidth}}"
        if longest > 30
        else "l"
    )


def _rows(row: Row, tag: str) -> list[str]:
    indent = f"\\hspace{{{row.indent * HANG:g}em}}" if row.indent else ""
    sign = f"{row.relation} " if row.relation else r"\phantom{{}={}} "
    body = _mathematics(row.body)
    starts = body.startswith(("+", "-", r"\cdot")) and not row.relation
    line = f"{_mathematics(row.left)} &{sign}{indent}{'{}' if starts else ''}{body}".strip()
    if not row.remark:
        return [line + tag]
    remark = escaped(row.remark)
    if row.width + len(row.remark) * 0.45 < ROOM:
        return [rf"{line} \qquad \text{{\small {remark}}}{tag}"]
    box = rf"\parbox[t]{{0.6\linewidth}}{{\raggedright\small {remark}}}"
    return [line + tag, rf"&\phantom{{{{}}={{}}}} {box}"]


def _mathematics(row: typeset.Row) -> str:
    r"""A tree as LaTeX, letters that no font has by their commands."""
    return sub(r"[^\x00-\x7f]", lambda found: _letter(found[0]), typeset.write(row))
