r"""LaTeX of our own vocabulary as a tree: checked, measured, and written again.

    Row    ::= Node*
    Node   ::= Atom(text)                        a letter, a number, a sign, or a command alone
             | Words(font, text)                 \text{…}, \mathit{…}: letters set as one word
             | Built(command, Row*)              \frac{…}{…}, \sqrt{…}
             | Scripts(base, below, above)       x_{1}^{(2)}
             | Fence(left, Row, right)           \left( … \right)
             | Half(bracket, left, tall)         one end of a Fence that lines have parted
             | Group(Row)                        {…}

A formula in LaTeX is read into this tree before any page shows it. A command that is not in the
vocabulary is refused, so nothing that a person has typed can become a command.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chalkgrad.core.errors import ArgumentError
from chalkgrad.formulas.names import GREEK


@dataclass(frozen=True, slots=True)
class Atom:
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    font: str
    text: str  # as it reads, without escapes


@dataclass(frozen=True, slots=True)
class Built:
    command: str
    operands: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Scripts:
    base: Row
    below: Row | None
    above: Row | None


@dataclass(frozen=True, slots=True)
class Fence:
    left: str
    inner: Row
    right: str


@dataclass(frozen=True, slots=True)
class Half:
    bracket: str
    left: bool
    tall: bool


@dataclass(frozen=True, slots=True)
class Group:
    inner: Row


Node = Atom | Words | Built | Scripts | Fence | Half | Group
Row = tuple[Node, ...]

SUMS = {"+", "-", r"\pm"}
PRODUCTS = {r"\cdot", r"\times", r"\odot", r"\div", r"\ast", r"\star", r"\bmod", r"\oplus"}
RELATIONS = {
    "=", "<", ">", r"\le", r"\ge", r"\ne", r"\approx", r"\wedge", r"\vee", r"\to", r"\gets",
    r"\leftarrow", r"\mapsto", r"\in", r"\equiv", r"\propto",
}  # fmt: skip
FUNCTIONS = {
    r"\log", r"\ln", r"\exp", r"\sin", r"\cos", r"\tan", r"\sinh", r"\cosh", r"\tanh", r"\max",
    r"\min", r"\arg",
}  # fmt: skip
LARGE = {r"\sum", r"\prod"}
SIGNS = {
    r"\partial", r"\nabla", r"\infty", r"\ldots", r"\cdots", r"\dots", r"\neg", r"\top", r"\prime",
    r"\lceil", r"\rceil", r"\lfloor", r"\rfloor", r"\vert", r"\ell", r"\varepsilon", r"\circ",
}  # fmt: skip
SPACES = {r"\,": 0.17, r"\;": 0.28, r"\ ": 0.33, r"\quad": 1.0, r"\qquad": 2.0}
ACCENTS = {r"\hat", r"\bar", r"\tilde", r"\dot"}
BUILT = {r"\frac": 2, r"\dfrac": 2, r"\tfrac": 2, r"\sqrt": 1, **dict.fromkeys(ACCENTS, 1)}
FONTS = {r"\text", r"\mathit", r"\mathtt", r"\mathrm", r"\mathbf", r"\operatorname"}
ALONE = SUMS | PRODUCTS | RELATIONS | FUNCTIONS | LARGE | SIGNS | {"\\" + name for name in GREEK}
SPELLED = {"textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^"}
ESCAPED = "_&%$#{}"
_CAPITALS = dict(zip("ΓΔΘΛΞΠΣΦΨΩ", GREEK[23:], strict=True))
LETTERS = dict(zip("αβγδεζηθικλμνξπρστυφχψω", GREEK[:23], strict=True)) | _CAPITALS
BRACKETS = "()[]|."  # . is none


def read(latex: str) -> Row:
    r"""The tree of a formula.

    >>> read("w_{5}")
    (Scripts(base=(Atom(text='w'),), below=(Atom(text='5'),), above=None),)

    Raises ArgumentError where a command is not in the vocabulary or brackets do not match.
    """
    reader = _Reader(latex)
    row = reader.row("")
    if reader.place < len(latex):
        raise reader.refusal(f"{latex[reader.place]!r} that closes nothing")
    return row


@dataclass
class _Reader:
    latex: str
    place: int = 0

    def refusal(self, what: str) -> ArgumentError:
        return ArgumentError(
            f"the formula {self.latex!r} has {what} at character {self.place + 1}; formulas are "
            "written with the commands of chalkgrad.formulas.typeset alone"
        )

    def row(self, end: str) -> Row:
        """Up to `end`, a closing brace or \\right, which is not taken."""
        nodes: list[Node] = []
        while True:
            self.spaces()
            ahead = self.latex[self.place : self.place + 1]
            if not ahead or (end and self.latex.startswith(end, self.place)) or ahead == "}":
                return tuple(nodes)
            nodes.append(self.scripted())

    def spaces(self) -> None:
        while self.latex[self.place : self.place + 1].isspace():
            self.place += 1

    def scripted(self) -> Node:
        """A node with what stands below and above it."""
        base: Row = () if self.latex[self.place] in "_^" else (self.node(),)
        found: dict[str, Row] = {}
        while (sign := self.latex[self.place : self.place + 1]) and sign in "_^":
            if sign in found:  # x^{(2)}^2, which TeX refuses, is the square of x^{(2)}
                base = (Group((_scripts(base, found),)),)
                found = {}
            self.place += 1
            self.spaces()
            found[sign] = self.operand()
        return _scripts(base, found) if found else base[0]

    def operand(self) -> Row:
        if self.place >= len(self.latex) or self.latex[self.place] in "_^}":
            raise self.refusal("nothing where something must stand")
        node = self.node()
        return node.inner if isinstance(node, Group) else (node,)

    def node(self) -> Node:
        letter = self.latex[self.place]
        if letter == "\\":
            return self.command()
        if letter == "{":
            return Group(self.braced())
        if letter.isdigit() and letter.isascii():
            return self.number()
        if letter in "%#$&~_^}":
            raise self.refusal(f"a bare {letter!r}")
        self.place += 1
        return (
            Words(r"\text", letter) if letter.isalpha() and not letter.isascii() else Atom(letter)
        )

    def number(self) -> Atom:
        start = self.place
        while self.latex[self.place : self.place + 1].isdigit() or (
            self.latex[self.place : self.place + 1] == "."
            and self.latex[self.place + 1 : self.place + 2].isdigit()
        ):
            self.place += 1
        return Atom(self.latex[start : self.place])

    def braced(self) -> Row:
        self.place += 1
        row = self.row("}")
        if self.place >= len(self.latex):
            raise self.refusal("no closing brace")
        self.place += 1
        return row

    def command(self) -> Node:
        name = self.name()
        if name == r"\left":
            return self.fence()
        if name in FONTS:
            return Words(name, self.words())
        if name in BUILT:
            operands = []
            for _ in range(BUILT[name]):
                self.spaces()
                operands.append(self.operand())
            return Built(name, tuple(operands))
        if name in ALONE or name in SPACES or (len(name) == 2 and name[1] in ESCAPED):
            return Atom(name)
        self.place -= len(name)
        raise self.refusal(f"the command {name}")

    def name(self) -> str:
        start, self.place = self.place, self.place + 2
        if self.latex[start + 1 : start + 2].isalpha():
            while self.latex[self.place : self.place + 1].isalpha():
                self.place += 1
        return self.latex[start : self.place]

    def words(self) -> str:
        r"""The letters between braces, with \_ and the like read as what they show."""
        self.spaces()
        if self.latex[self.place : self.place + 1] != "{":
            raise self.refusal("no brace after the name of a font")
        self.place += 1
        letters = ""
        while (letter := self.latex[self.place : self.place + 1]) != "}":
            if letter == "\\":
                letters += self.escape()
            elif not letter or letter in "{%#$&~^":
                raise self.refusal(f"a bare {letter!r}" if letter else "no closing brace")
            else:
                letters += letter
                self.place += 1
        self.place += 1
        return letters

    def escape(self) -> str:
        name = self.name()[1:]
        if name in SPELLED and self.latex.startswith("{}", self.place):
            self.place += 2
            return SPELLED[name]
        if len(name) == 1 and name in ESCAPED:
            return name
        raise self.refusal(f"the command \\{name}")

    def fence(self) -> Fence:
        left = self.bracket()
        inner = self.row(r"\right")
        if not self.latex.startswith(r"\right", self.place):
            raise self.refusal(r"a \left without its \right")
        self.place += len(r"\right")
        return Fence(left, inner, self.bracket())

    def bracket(self) -> str:
        self.spaces()
        if self.latex[self.place : self.place + 1] not in set(BRACKETS):
            raise self.refusal("no bracket")
        self.place += 1
        return self.latex[self.place - 1]


def _scripts(base: Row, found: dict[str, Row]) -> Scripts:
    return Scripts(base, found.get("_"), found.get("^"))


def escaped(text: str) -> str:
    r"""Words for between the braces of \text{…}.

    >>> escaped("50% of {x_1}")
    '50\\% of \\{x\\_1\\}'
    """
    spelled = {letter: f"\\{name}{{}}" for name, letter in SPELLED.items()}
    return "".join(
        f"\\{letter}" if letter in ESCAPED else spelled.get(letter, letter) for letter in text
    )


def is_infix(row: Row, k: int) -> bool:
    """Does the sign at `k` stand between two operands (and not before one, as in −x)?"""
    if k == 0:
        return False
    before = row[k - 1]
    return not (
        isinstance(before, Atom) and before.text in SUMS | PRODUCTS | RELATIONS | {"(", ","}
    )


def nodes(row: Row) -> Iterator[Node]:
    """Every node of a tree."""
    for node in row:
        yield node
        if isinstance(node, (Fence, Group)):
            yield from nodes(node.inner)
        elif isinstance(node, Built):
            for operand in node.operands:
                yield from nodes(operand)
        elif isinstance(node, Scripts):
            for part in (node.base, node.below or (), node.above or ()):
                yield from nodes(part)


def is_tall(row: Row) -> bool:
    """Does it need brackets larger than a letter: is there a fraction, a root or a sum in it?"""
    return any(
        isinstance(node, Built) or (isinstance(node, Atom) and node.text in LARGE)
        for node in nodes(row)
    )


# -------------------------------------------------------------------------------------- measured

_LETTERS = {".": 0.28, ",": 0.45, "(": 0.39, ")": 0.39, "[": 0.28, "]": 0.28, "|": 0.28, "/": 0.5}
_WIDE = {"+": 1.22, "-": 1.22, r"\cdot": 0.72, r"\ldots": 1.17, r"\cdots": 1.17, r"\dots": 1.17}


def width(row: Row) -> float:
    """How wide a formula is set, in em: near enough to choose where to break its lines."""
    return sum(_node_width(node) for node in row)


def _node_width(node: Node) -> float:
    if isinstance(node, Atom):
        return _atom_width(node.text)
    if isinstance(node, Words):
        return len(node.text) * (0.525 if node.font == r"\mathtt" else 0.5)
    if isinstance(node, (Fence, Half)):
        inner = width(node.inner) if isinstance(node, Fence) else -0.45
        return inner + 0.9
    if isinstance(node, Group):
        return width(node.inner)
    if isinstance(node, Scripts):
        return width(node.base) + 0.72 * max(width(node.below or ()), width(node.above or ()))
    widest = max(width(operand) for operand in node.operands)
    return widest + (0.85 if node.command == r"\sqrt" else 0.24)


def _atom_width(text: str) -> float:
    if text in _WIDE or text in _LETTERS or text in SPACES:
        return _WIDE.get(text) or _LETTERS.get(text) or SPACES[text]
    if text[0].isdigit():
        return 0.5 * len(text) - (0.22 if "." in text else 0)
    if text in RELATIONS or text in PRODUCTS:
        return 1.33
    if text in FUNCTIONS or text in LARGE:
        return 0.5 * len(text)
    return 0.57


# --------------------------------------------------------------------------------------- written


def write(row: Row) -> str:
    r"""A tree as LaTeX again.

    >>> write(read(r"\frac{y}{1 -w_5}"))
    '\\frac{y}{1 - w_{5}}'
    """
    text = ""
    for k, node in enumerate(row):
        piece = _written(node)
        if isinstance(node, Atom) and node.text in SUMS | PRODUCTS | RELATIONS:
            infix = is_infix(row, k) or (k == 0 and len(row) > 1 and node.text not in SUMS)
            piece = f" {piece} " if infix else piece
        if _command_ends(text) and (piece[:1].isalpha() or piece[:1] == " " == text[-1:]):
            text += " "
        text += piece
    return " ".join(text.split())


def _command_ends(text: str) -> bool:
    letters = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return letters != text and letters.endswith("\\")


def _written(node: Node) -> str:
    if isinstance(node, Atom):
        return node.text
    if isinstance(node, Words):
        return f"{node.font}{{{escaped(node.text)}}}"
    if isinstance(node, Fence):
        inner = write(node.inner)
        if node.left in "([" and not is_tall(node.inner):
            return f"{node.left}{inner}{node.right}"  # \left would move away from a function's name
        return rf"\left{node.left}{inner}\right{node.right}"
    if isinstance(node, Half):
        return f"\\{'B' if node.tall else 'b'}ig{'l' if node.left else 'r'}{node.bracket}"
    if isinstance(node, Group):
        return f"{{{write(node.inner)}}}"
    if isinstance(node, Built):
        return node.command + "".join(f"{{{write(operand)}}}" for operand in node.operands)
    below = "" if node.below is None else f"_{{{write(node.below)}}}"
    above = "" if node.above is None else f"^{{{write(node.above)}}}"
    return write(node.base) + below + above
