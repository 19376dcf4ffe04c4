"""A person's lines, read as claims.

    Line    ::= [after N steps:] Claim (; Claim)*  [# comment]
    Claim   ::= [words] Subject Link+                  what stands before the subject is prose
    Link    ::= (= | ≈ | ~ | :=) formula [words]
    Subject ::= quantity | derivative | new parameter | ∇loss | formula | a name of the person's own

A line without a relation is prose, and so is one whose left side is no more than words. A line
that begins with a relation goes on with the claim before it. What cannot be read is reported with
its column, a name that nobody knows with the names that are like it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from re import compile

from chalkgrad.check.called import NEW, Called, with_primes
from chalkgrad.check.lines import (
    LONGEST,
    Text,
    bare,
    claims_in,
    entries_in,
    has_relation,
    hidden,
    lines_of,
    links_in,
    with_points,
    with_products,
)
from chalkgrad.core.errors import FormulaError
from chalkgrad.formulas import Expression, Name, Partial, parts
from chalkgrad.formulas.labels import PARAMETER
from chalkgrad.formulas.parse import canonical, parse

_AFTER = compile(
    r"\s*after\s+(?P<n>\d[\d,_ ]*|one|an?)\s+(?:more\s+)?(?:step|update|epoch|iteration)s?"
    r"(?:\s+of\s+training)?\s*[:,]?\s*(?=\S)"
)
_BULLET = compile(r"\s*(?:[-*•★·]\s+|\(?\d{1,2}[.)]\s+|\(?[a-z]\)\s+)")
_NABLA = compile(r"(?:∇|\\nabla\s*|grad\s+)_?\{?(?P<of>\w+)\}?")
_WORD_START = compile(r"(?:(?<=[\s,:(])|^)(?=[^\s,:)])")
_PROSE_BEFORE = compile(r"[^*/^+=<>|\\]*[\w.,:)'’–-]\s*")
_PROSE_AFTER = compile(r"[\s,.;:!?]*(?:[(\[]?[^\W\d_]{2,}(?![\w'])[^=*/^+\\|]*)?[.,;:!?]?")
_ONLY_WORDS = compile(r"[^\W\d_][^\W\d_'’,.-]*(?:[\s,.:'’-]+[^\W\d_][^\W\d_'’,.-]*)+[\s.,:!?]*")
_NOTHING = compile(r"[\s?_….]*")
MOST_OWN = 100  # names that a person may give
_FUNCTION_WORDS = {"sin", "cos", "tan", "tanh", "exp", "log", "ln", "sqrt", "max", "min", "abs"}


@dataclass(frozen=True)
class Subject:
    """What a claim is about."""

    kind: str  # "quantity" | "derivative" | "new" | "formula" | "own"
    name: str = ""  # of the quantity, of what is derived, of the parameter, of the person's own
    by: str = ""
    negated: bool = False  # a δ that is minus the gradient
    formula: Expression | None = None  # of "formula"; of the other kinds the symbol itself


@dataclass(frozen=True)
class Link:
    """One side of an equality."""

    text: str
    column: int
    formula: Expression


@dataclass(frozen=True)
class Claim:
    """A chain of equalities about one thing."""

    line: int  # counted from 1
    column: int
    text: str
    left: str  # the left side as the person wrote it
    subject: Subject
    links: tuple[Link, ...]
    after: int | None = None  # of how many updates
    goes_on: bool = False  # with the claim before it

    @property
    def short(self) -> str:
        """The left side and what is claimed for it last."""
        return f"{self.left} = {self.links[-1].text}"


@dataclass(frozen=True)
class Unjudged:
    """A claim that cannot be judged, and why."""

    line: int
    column: int
    text: str
    verdict: str  # "unreadable" | "unknown" | "blank"
    message: str


Item = Claim | Unjudged


class _Cannot(Exception):
    """This claim cannot be judged. `surely`: also if some of it is taken for prose."""

    def __init__(self, verdict: str, column: int, message: str, *, surely: bool = False) -> None:
        super().__init__(message)
        self.verdict, self.column, self.message = verdict, column, message
        self.surely = surely


@dataclass
class _Prose(Exception):
    """This is no claim."""


def read(text: str, called: Called) -> list[Item]:
    """The claims of a whole file, in order. DataError for a file that is too large."""
    return list(Reader(called).items(text))


class Reader:
    """Reads lines in order: a later one may use names that an earlier one gave."""

    def __init__(self, called: Called) -> None:
        self.called = called
        self.last: Claim | None = None

    def items(self, text: str) -> Iterator[Item]:
        for number, line in enumerate(lines_of(text), 1):
            if has_relation(line) or "\\approx" in line or "\\simeq" in line:
                yield from self._line(number, line)

    def _line(self, number: int, line: str) -> Iterator[Item]:
        found = hidden(line)
        if found is not None:
            message = f"column {found[0]} has {found[1]}, which hides or reorders text; remove it"
            yield Unjudged(number, found[0], line.strip(), "unreadable", message)
            return
        if len(line) > LONGEST:
            message = f"the line has {len(line):,} characters; at most {LONGEST:,} are read"
            yield Unjudged(number, 1, line[:60] + "…", "unreadable", message)
            return
        text, after = self._after(bare(line))
        for part in claims_in(text):
            yield from self._part(number, part, after)

    def _after(self, text: Text) -> tuple[Text, int | None]:
        """The line without `after 3 steps:`, and the 3."""
        found = _AFTER.match(text.letters.casefold())
        if found is None:
            return text, None
        word = found["n"].strip()
        digits = "".join(c for c in word if c.isdigit())
        steps = int(digits) if digits and len(digits) < 10 else 1 if not digits else 10**9
        return text[found.end() :].stripped(), steps

    def _part(self, number: int, text: Text, after: int | None) -> Iterator[Item]:
        sides = links_in(text)
        if len(sides) < 2:
            return
        try:
            for claim in self._claims(number, text, sides, after):
                self.last = claim
                yield claim
        except _Cannot as problem:
            yield Unjudged(number, problem.column, text.letters, problem.verdict, problem.message)
        except _Prose:
            return

    def _claims(
        self, number: int, text: Text, sides: list[tuple[Text, str]], after: int | None
    ) -> Iterator[Claim]:
        left, sign = sides[0]
        rights = [side for side, _ in sides[1:]]
        while len(rights) > 1 and not rights[-1].letters:
            rights.pop()  # `a = 0.41 =` stops there
        if not left.letters:
            yield self._continued(number, text, rights)
            return
        nabla = _NABLA.fullmatch(left.letters)
        of = self.called.quantity(nabla["of"]) if nabla else None
        if of is not None and self.called.truth.board.quantities[of].kind != PARAMETER:
            yield from self._gradient(number, text, of, rights, after)
            return
        try:
            subject, start = self._subject(left)
        except _Cannot as problem:
            self._leave_prose(left, rights, problem)
            raise
        if all(_NOTHING.fullmatch(side.letters) for side in rights):
            raise _Cannot("blank", text.column, "nothing is claimed here")
        links = self._links(rights)
        subject, links = self._sorted_out(subject, links, left[start:], sign)
        shown = text.letters[start:] if start else text.letters
        if after is not None:
            shown = f"after {after} step{'' if after == 1 else 's'}: {shown}"
        words = left[start:].letters
        yield Claim(number, left.column_of(start), shown, words, subject, links, after)

    def _continued(self, number: int, text: Text, rights: list[Text]) -> Claim:
        """`= 0.0809` below the line that it goes on with."""
        if self.last is None or any(not side.letters for side in rights):
            raise _Prose
        links = self._links(rights)
        last = self.last
        return Claim(
            number, text.column, text.letters, last.left, last.subject, links, last.after, True
        )

    def _gradient(
        self, number: int, text: Text, of: str, rights: list[Text], after: int | None
    ) -> Iterator[Claim]:
        """∇J = (3, 6, 9): a claim for each entry."""
        wrt = [name for name in self.called.truth.wrt if name != of]
        if all(_NOTHING.fullmatch(side.letters) for side in rights):
            raise _Cannot("blank", text.column, "nothing is claimed here")
        rows = []
        for side in rights:
            entries = entries_in(side) or [side]
            if len(entries) != len(wrt):
                raise _Cannot(
                    "unreadable", side.column,
                    f"∇{of} has {len(wrt)} entries ({', '.join(wrt)}), and here stand "
                    f"{len(entries)}",
                )  # fmt: skip
            rows.append(self._links(entries))
        for k, by in enumerate(wrt):
            links = tuple(row[k] for row in rows)
            left = f"∂{of}/∂{by}"
            shown = f"{left} = {' = '.join(link.text for link in links)}"
            subject = Subject("derivative", of, by, formula=Partial(Name(of), Name(by)))
            yield Claim(number, text.column, shown, left, subject, links, after)

    # The left side.
    def _subject(self, left: Text) -> tuple[Subject, int]:
        """What the left side is about, and where that begins after the prose before it."""
        bullet = _BULLET.match(left.letters)
        starts = [*([bullet.end()] if bullet else []), 0]
        starts += [m.start() for m in _WORD_START.finditer(left.letters) if m.start()][-12:]
        problem: _Cannot | None = None
        for start in dict.fromkeys(starts):
            before = left.letters[:start]
            if (
                start
                and not (bullet and start == bullet.end())
                and not _PROSE_BEFORE.fullmatch(before)
            ):
                continue
            try:
                alone = start == 0 or (bullet is not None and start == bullet.end())
                return self._read_subject(left[start:], alone=alone), start
            except _Cannot as error:
                if error.surely:
                    raise
                problem = problem or error
        assert problem is not None
        raise problem

    def _read_subject(self, text: Text, *, alone: bool) -> Subject:
        formula, unknown = self._formula(text)
        board = self.called.truth.board
        if isinstance(formula, Name) and not unknown:
            name = formula.text
            if name.startswith(NEW):
                return self._new(name.removeprefix(NEW), text)
            if name in board.quantities:
                return Subject("quantity", name, formula=formula)
            return Subject("own", name, formula=formula)
        if isinstance(formula, Name) and alone:
            return Subject("own", canonical(formula.text), formula=formula)
        if unknown:
            raise self._unknown(unknown, text)
        negated = formula.arguments[0] if _is_negated_symbol(formula) else None  # type: ignore[attr-defined]
        symbol = negated or formula
        if isinstance(symbol, Partial):
            return Subject(
                "derivative", symbol.of.text, symbol.by.text, negated is not None, symbol
            )
        if not alone:
            raise _Cannot("unreadable", text.column, "no quantity stands before the equals sign")
        return Subject("formula", formula=formula)

    def _new(self, name: str, text: Text) -> Subject:
        truth = self.called.truth
        if truth.board.quantities[name].kind == PARAMETER or name in truth.new:
            return Subject("new", name, formula=Name(NEW + name))
        raise _Cannot(
            "unreadable", text.column,
            f"{name} is no parameter, so no update changes it; "
            f"its value after one is written “after 1 step: {name} = …”", surely=True,
        )  # fmt: skip

    def _leave_prose(self, left: Text, rights: list[Text], problem: _Cannot) -> None:
        """Is the line prose with an equals sign in it?"""
        if _ONLY_WORDS.fullmatch(left.letters) and problem.verdict != "blank":
            raise _Prose
        if "λ" not in left.letters and _is_word(left.letters):
            try:
                self._links(rights)
            except _Cannot:
                raise _Prose from None

    # The right side.
    def _links(self, rights: list[Text]) -> tuple[Link, ...]:
        links = []
        for place, side in enumerate(rights):
            if _NOTHING.fullmatch(side.letters):
                raise _Cannot("unreadable", side.column, "nothing stands between two equals signs")
            formula, end, unknown = self._right(side, last=place == len(rights) - 1)
            if unknown:
                raise self._unknown(unknown, side)
            links.append(Link(side.letters[:end].strip(), side.column, formula))
        return tuple(links)

    def _right(self, side: Text, *, last: bool) -> tuple[Expression, int, list[str]]:
        """The formula of a right side, where prose begins, and the names that nobody knows."""
        problem, found = None, None
        try:
            found = self._formula(side)
        except _Cannot as error:
            problem = error
        if last and (found is None or found[1]):
            shorter = self._without_prose(side)
            if shorter is not None:
                return *shorter, []
        if found is None:
            assert problem is not None
            raise problem
        return found[0], len(side.letters), found[1]

    def _without_prose(self, side: Text) -> tuple[Expression, int] | None:
        """The formula before words that come after it, and where it ends."""
        letters = side.letters
        spaces = [k for k, letter in enumerate(letters) if letter in " ,.;:!?"]
        for end in sorted({*spaces, len(letters.rstrip(" .,;:!?"))}, reverse=True)[:40]:
            rest = letters[end:]
            if not end or not _PROSE_AFTER.fullmatch(rest) or self._is_mathematics(rest):
                continue
            try:
                formula, unknown = self._formula(side[:end])
            except _Cannot:
                continue
            if not unknown:
                return formula, end
        return None

    def _is_mathematics(self, rest: str) -> bool:
        """Does what looks like prose begin with a name or a function?"""
        words = rest.split()
        first = words[0].strip("([,.;:!?") if words else ""
        return (
            first in _FUNCTION_WORDS or self.called.meaning(first) is not None if first else False
        )

    def _formula(self, text: Text) -> tuple[Expression, list[str]]:
        prepared = with_points(replace(text, letters=with_primes(text.letters)))
        prepared = with_products(prepared, lambda name: canonical(name) in self.called.known)
        try:
            activation = self.called.truth.activation or None
            written = parse(prepared.letters, self.called.known, activation=activation)
        except FormulaError as error:
            column = prepared.column_of(error.column - 1)
            message = str(error).partition("”: ")[2] or str(error)
            raise _Cannot("unreadable", column, f"column {column}: {message}") from None
        return self.called.resolved(written)

    def _unknown(self, names: list[str], text: Text) -> _Cannot:
        name = names[0]
        offered = self.called.nearest(name)
        hint = f" Did you mean {', '.join(offered)}?" if offered else ""
        place = max(0, text.letters.find(name))
        return _Cannot("unknown", text.column_of(place), f"nobody here is called {name}.{hint}")

    # What a claim is about after all.
    def _sorted_out(
        self, subject: Subject, links: tuple[Link, ...], left: Text, sign: str
    ) -> tuple[Subject, tuple[Link, ...]]:
        if subject.kind == "quantity" and self._is_update(subject.name, links, sign):
            return Subject("new", subject.name, formula=Name(NEW + subject.name)), links
        if subject.kind == "own":
            self._introduce(subject, links, left)
        return subject, links

    def _is_update(self, name: str, links: tuple[Link, ...], sign: str) -> bool:
        """Is `w5 = w5 - eta * dE/dw5` meant as the new w5?"""
        if self.called.truth.board.quantities[name].kind != PARAMETER:
            return False
        first = links[0].formula
        return sign in (":=", "←") or (
            any(part == Name(name) for part in parts(first)) and first != Name(name)
        )

    def _introduce(self, subject: Subject, links: tuple[Link, ...], left: Text) -> None:
        """A name of the person's own: it needs a formula, and no known name that it misspells."""
        key, formula = subject.name, links[0].formula
        if key in self.called.own:
            return
        misspelt = [n for n in self.called.nearest(left.letters) if _much_alike(key, canonical(n))]
        is_number = (
            len(links) == 1 and not isinstance(formula, Name | Partial) and _is_plain(formula)
        )
        if misspelt or is_number:
            raise self._unknown([left.letters], left)
        if any(part == subject.formula for part in parts(formula)):
            raise _Cannot("unreadable", left.column, f"{left.letters} is explained by itself")
        if len(self.called.own) == MOST_OWN:
            message = f"at most {MOST_OWN} names of your own are kept"
            raise _Cannot("unreadable", left.column, message)
        self.called.introduce(key, formula)


def _is_negated_symbol(formula: Expression) -> bool:
    return (
        getattr(formula, "function", "") == "negative"
        and isinstance(formula.arguments[0], Partial)  # type: ignore[attr-defined]
    )  # fmt: skip


def _is_plain(formula: Expression) -> bool:
    """Is it one number?"""
    return len([*parts(formula)]) <= 2 and not any(
        isinstance(p, Name | Partial) for p in parts(formula)
    )


def _is_word(text: str) -> bool:
    return text.strip().isalpha() and len(text.strip()) > 2


def _much_alike(one: str, other: str) -> bool:
    """Two long names that differ in a letter or two, or any that differ only in case."""
    if one.casefold() == other.casefold():
        return True
    if min(len(one), len(other)) < 6 or abs(len(one) - len(other)) > 1:
        return False
    return _edits(one, other) <= (2 if min(len(one), len(other)) > 8 else 1)


def _edits(one: str, other: str) -> int:
    """How many letters must change, come or go."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row, before = [i], row
        for j, b in enumerate(other, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b)))
    return row[-1]
