"""A kernel's terms as formulas to read.

Σ[k<64] x[i,k] · 0.weight[j,k]      a sum over an axis of its own
%25[i,j]                            an element in memory
%23                                 a value of this point that stays in registers
t₁                                  a part that stands in several places, computed once
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from chalkgrad.compiler.affine import Linear, children, free_axes, linear, walk
from chalkgrad.core.index import Apply, Axis, Const, Read, Reduce, Term

# Notation, and how tightly it binds; calls and names bind most tightly.
_INFIX = {
    "logical_or": ("or", 1), "logical_and": ("and", 2), "logical_xor": ("xor", 2),
    "equal": ("==", 3), "not_equal": ("≠", 3), "less": ("<", 3), "less_equal": ("≤", 3),
    "greater": (">", 3), "greater_equal": ("≥", 3), "add": ("+", 4), "subtract": ("−", 4),
    "multiply": ("·", 6), "divide": ("/", 6), "floor_divide": ("//", 6), "remainder": ("mod", 6),
}  # fmt: skip
_CHOICE, _FOLD, _SIGN, _POWER, _WHOLE = 0, 4, 7, 8, 9
_CALLED = {"maximum": "max", "minimum": "min", "absolute": "abs"}
_FOLDS = {"sum": "Σ", "prod": "Π"}
_SAFE = ("clamp", "index")  # an index that is kept, or checked to be, in range
_LETTERS = "ijkmnpqrsuvw"
_ARITHMETIC = ("add", "subtract", "multiply", "floor_divide", "remainder")
_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

Names = Callable[[int], str]


class Speller:
    """The formulas of one kernel: its axes get letters, and parts that it shares get names."""

    def __init__(
        self, names: Names, extents: Mapping[int, int], axes: Iterable[int], local: set[int]
    ) -> None:
        self.names, self.extents, self.local = names, extents, local
        wide = [axis for axis in axes if extents[axis] != 1]
        self.letters = {axis: letter(k) for k, axis in enumerate(wide)}
        self.known: dict[Term, str] = {}
        self.shared: set[Term] = set()

    def share(self, terms: Iterable[Term]) -> None:
        """Find what stands in several places of these."""
        uses: Counter[Term] = Counter()
        order = [part for term in terms for part in _parts_first(term, uses)]
        mine = set(self.letters)
        self.shared = {
            part for part in order
            if uses[part] > 1 and _worth(part) and free_axes(part) - self._single(part) <= mine
        }  # fmt: skip

    def _single(self, term: Term) -> set[int]:
        return {axis for axis in free_axes(term) if self.extents[axis] == 1}

    def parts(self, term: Term) -> Iterator[str]:
        """The lines of what the term shares with others and what is not yet named."""
        for part in children(term):
            yield from self.parts(part)
        if term in self.shared and term not in self.known:
            text = self.write(term)
            name = self.known[term] = f"t{len(self.known) + 1}".translate(_DIGITS)
            yield f"let {name} = {text}"

    def write(self, term: Term) -> str:
        """The formula."""
        return self._written(term, self.letters, 0)

    def target(self, read: Read, kept: bool) -> str:
        """The left side of a store."""
        return self._element(read, self.letters) if kept else f"let {self.names(read.argnum)}"

    def product(self, c: Read, a: Read, b: Read, k: int, kept: bool) -> str:
        """c = Σ a · b"""
        scope = {**self.letters, k: letter(len(self.letters))}
        left, right = self._written(a, scope, 6), self._written(b, scope, 6)
        return f"{self.target(c, kept)} = Σ[{scope[k]}<{self.extents[k]}] {left} · {right}"

    def _written(self, term: Term, scope: Mapping[int, str], binds: int) -> str:
        text, own = self._bound(term, scope)
        return f"({text})" if own < binds else text

    def _bound(self, term: Term, scope: Mapping[int, str]) -> tuple[str, int]:
        """The text, and how tightly it binds."""
        if term in self.known:
            return self.known[term], _WHOLE
        match term:
            case Const(value):
                text = _number(value)
                return text, _SIGN if text.startswith("−") else _WHOLE
            case Axis(id):
                return "0" if self.extents[id] == 1 else scope[id], _WHOLE
            case Read():
                return self._element(term, scope), _WHOLE
            case Reduce(kind, axes, body):
                return self._fold(kind, axes, body, scope), _FOLD
            case Apply(function, arguments):
                if _is_index(term):
                    return self._index(linear(term, self.extents), scope)
                return self._call(function, arguments, scope)
        return repr(term), _WHOLE

    def _index(self, index: Linear, scope: Mapping[int, str]) -> tuple[str, int]:
        """2 · i + j − 1"""
        pieces: list[tuple[bool, str]] = []  # to subtract? and what
        for atom, c in sorted(index.parts, key=lambda part: part[1] < 0):
            text, own = self._atom(atom, scope)
            size = f"{abs(c)} · " if abs(c) != 1 else ""
            loose = own < _SIGN and (size or (c < 0 and not pieces))
            pieces.append((c < 0, f"{size}({text})" if loose else f"{size}{text}"))
        if index.constant or not pieces:
            piece = (index.constant < 0, str(abs(index.constant)))
            pieces.insert(0 if pieces and pieces[0][0] else len(pieces), piece)
        text = "".join(f" {'−' if minus else '+'} {piece}" for minus, piece in pieces)
        text = text[3:] if text.startswith(" + ") else f"−{text[3:]}"
        bare = len(pieces) == 1 and text.isalnum()
        return text, _WHOLE if bare else _INFIX["add"][1]

    def _atom(self, atom: Term, scope: Mapping[int, str]) -> tuple[str, int]:
        match atom:
            case Apply(function, arguments) if _is_index(atom):  # a division that remains
                return self._call(function, arguments, scope)
        return self._bound(atom, scope)

    def _element(self, read: Read, scope: Mapping[int, str]) -> str:
        name = self.names(read.argnum)
        if read.argnum in self.local or not read.indices:
            return name
        return f"{name}[{','.join(self._written(i, scope, 0) for i in read.indices)}]"

    def _fold(
        self, kind: str, axes: tuple[tuple[int, int], ...], body: Term, scope: Mapping[int, str]
    ) -> str:
        inner = dict(scope)
        for axis, _ in axes:
            inner[axis] = letter(len(inner))
        runs = ",".join(f"{inner[axis]}<{extent}" for axis, extent in axes)
        return f"{_FOLDS.get(kind, kind)}[{runs}] {self._written(body, inner, _FOLD + 1)}"

    def _call(
        self, function: str, arguments: tuple[Term, ...], scope: Mapping[int, str]
    ) -> tuple[str, int]:
        """The text, and how tightly it binds."""
        name, _, kind = function.partition(":")

        def part(k: int, binds: int) -> str:
            return self._written(arguments[k], scope, binds)

        bare = name == "cast" and isinstance(arguments[0], Const)
        if bare or name in _SAFE or name == "copy":
            return self._bound(arguments[0], scope)
        if name == "negative":
            return f"−{part(0, _SIGN)}", _SIGN
        if name == "square":
            return f"{part(0, _WHOLE)}²", _POWER
        if name == "relu":
            return f"max({part(0, 0)}, 0)", _WHOLE
        if name == "power":
            return f"{part(0, _WHOLE)}^{part(1, _WHOLE)}", _POWER
        if name == "select":
            return f"{part(1, 1)} if {part(0, 1)} else {part(2, 0)}", _CHOICE
        if name in _INFIX and len(arguments) == 2:
            sign, own = _INFIX[name]
            chained = own == _INFIX["equal"][1]  # (a < b) < c is no chain
            return f"{part(0, own + chained)} {sign} {part(1, own + 1)}", own
        given = ", ".join(part(k, 0) for k in range(len(arguments)))
        return f"{kind if name == 'cast' else _CALLED.get(name, name)}({given})", _WHOLE


def letter(k: int) -> str:
    """The k-th running index: i, j, k, m, …"""
    again, place = divmod(k, len(_LETTERS))
    return _LETTERS[place] + "′" * again


def _number(value: float | bool | None) -> str:
    if value is None:  # no number: what an empty selection reads
        return "none"
    return (
        str(value).replace("-", "−") if isinstance(value, int) else f"{value:.6g}".replace("-", "−")
    )


def _is_index(term: Term) -> bool:
    """Is it arithmetic of axes alone?"""
    parts = list(walk(term))
    plain = all(isinstance(p, Axis | Const) or
                (isinstance(p, Apply) and p.function in _ARITHMETIC) for p in parts)  # fmt: skip
    return plain and any(isinstance(p, Axis) for p in parts)


def _parts_first(term: Term, uses: Counter[Term]) -> Iterator[Term]:
    uses[term] += 1
    if uses[term] == 1:
        for part in children(term):
            yield from _parts_first(part, uses)
        yield term


def _worth(term: Term) -> bool:
    """Is a part long enough for a name of its own?"""
    if isinstance(term, Reduce):
        return True
    if not isinstance(term, Apply) or term.function in _SAFE:
        return False
    return any(isinstance(p, Reduce | Apply) for p in term.arguments)
