"""What a name in an answer stands for.

sum_h1, sum_{h1}            a quantity of the board, in any spelling
E, loss                     the loss, where nothing else is called so
dE/dw5, grad w5             a derivative
delta_o1, δ_w5              ± the derivative of the loss by a unit's weighted sum, by a parameter
new w5, w5', w5_new         a parameter after the update
eta, lr, learning_rate      the learning rate: a number
t                           a name that the person gave to something on an earlier line
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from re import compile, sub

from chalkgrad.check.truth import Truth
from chalkgrad.formulas import Call, Expression, Name, Number, Partial, names_in, parts, replaced
from chalkgrad.formulas.labels import ACTIVATION, WEIGHTED_SUM
from chalkgrad.formulas.parse import canonical

NEW = "new "  # how the new value of a parameter is called in a formula: Name("new w5")
LOSS_WORDS = (
    "L", "E", "J", "C", "loss", "Loss", "cost", "Cost", "E_total", "Etotal", "L_total",
)  # fmt: skip
RATES = ("eta", "lr", "learning_rate")
_NEW = compile(r"(?<![\w.'])(?:new|updated)[\s_]+([^\W\d]\w*(?:\{\w+\})?(?:\[\d+\])?)")
_BEFORE = compile(r"(?:new|updated)_?(.+)")
_AFTER = compile(r"(.+?)(?:'|_?new|_?updated|\^new|\^\{new\})")


class Called:
    """The names of a problem, and those that the person gives."""

    def __init__(self, truth: Truth, delta_negative: bool) -> None:
        self.truth, self.delta_negative = truth, delta_negative
        board = truth.board
        self.quantities = {canonical(name): name for name in board.quantities}
        for spelling, name in truth.aliases.items():
            self.quantities.setdefault(canonical(spelling), name)
        self.units = {canonical(unit): name for unit, name in truth.units.items()}
        self.own: dict[str, Expression] = {}  # by canonical name
        self.deltas_used = False
        self._known: frozenset[str] | None = None

    @property
    def known(self) -> frozenset[str]:
        """Every canonical name that a formula may use, for the parser."""
        if self._known is None:
            self._known = frozenset(self.quantities) | frozenset(self.own)
        return self._known

    def introduce(self, key: str, formula: Expression) -> None:
        """Let a name of the person's own stand for a formula."""
        self.own[key] = formula
        self._known = None

    def meaning(self, text: str) -> Expression | None:
        """What a name stands for; None for one that nobody knows."""
        key = canonical(text)
        if key in self.quantities:
            return Name(self.quantities[key])
        if key in self.own:
            return Name(key)
        if key in RATES and self.truth.learning_rate is not None:
            return Number(self.truth.learning_rate)
        return self._updated(key) or self._delta(key) or self._loss(key)

    def quantity(self, text: str) -> str | None:
        """The quantity of the board that a name means."""
        found = self.meaning(text)
        if isinstance(found, Name) and found.text in self.truth.board.quantities:
            return found.text
        return None

    def resolved(self, expression: Expression) -> tuple[Expression, list[str]]:
        """The formula over the board's names; and the names in it that nobody knows."""
        unknown: list[str] = []

        def meaning(part: Expression) -> Expression | None:
            if isinstance(part, Name):
                found = self.meaning(part.text)
                if found is None:
                    unknown.append(part.text)
                return found or part
            if isinstance(part, Partial):
                return self._partial(part, unknown)
            return None

        return replaced(expression, meaning), unknown

    def nearest(self, text: str) -> list[str]:
        """Known names like this one, the likeliest first."""
        spelled = {canonical(name): name for name in self.truth.board.quantities}
        spelled |= {key: name for key, name in self.quantities.items() if key not in spelled}
        spelled |= {
            f"delta{'' if unit.isdigit() else '_'}{unit}": f"delta_{unit}" for unit in self.units
        }
        close = get_close_matches(canonical(text), list(spelled), n=3, cutoff=0.5)
        return list(dict.fromkeys(spelled[key] for key in close))

    def without_own(self, expression: Expression) -> Expression:
        """With what the person's own names stand for in their place."""

        def defined(part: Expression) -> Expression | None:
            return self.own.get(part.text) if isinstance(part, Name) else None

        for _ in range(8):  # a name may be defined by another one
            if not any(defined(part) for part in parts(expression)):
                break
            expression = replaced(expression, defined)
        return expression

    def own_names(self, expression: Expression) -> Iterator[str]:
        return (name.text for name in names_in(expression) if name.text in self.own)

    # The forms that a name may have.
    def _updated(self, key: str) -> Name | None:
        for pattern in (_AFTER, _BEFORE):
            found = pattern.fullmatch(key)
            name = self.quantities.get(canonical(found[1])) if found else None
            if name is not None:
                return Name(NEW + name)
        return None

    def _delta(self, key: str) -> Expression | None:
        found = sub(r"^delta_?", "", key) if key.startswith("delta") else ""
        name = self.by_of_delta(found) if found else None
        if name is None:
            return None
        self.deltas_used = True
        slope = Partial(Name(self.truth.board.loss), Name(name))
        return Call("negative", (slope,)) if self.delta_negative else slope

    def by_of_delta(self, index: str) -> str | None:
        """The quantity that δ_index derives the loss by: a unit's weighted sum, or itself."""
        if index in self.units:
            return self.units[index]
        for kind in (WEIGHTED_SUM, ACTIVATION):
            for name, quantity in self.truth.board.quantities.items():
                if quantity.kind == kind and _unit_of(canonical(name), index):
                    return name
        return self.quantities.get(index)

    def _loss(self, key: str) -> Name | None:
        return Name(self.truth.board.loss) if key in map(canonical, LOSS_WORDS) else None

    def _partial(self, part: Partial, unknown: list[str]) -> Expression:
        of = self.truth.board.loss if not part.of.text else self.quantity(part.of.text)
        by = self.quantity(part.by.text)
        unknown += [
            name.text for name, found in ((part.of, of), (part.by, by)) if found is None
        ]  # fmt: skip
        return part if of is None or by is None else Partial(Name(of), Name(by))


def with_primes(letters: str) -> str:
    """`new w5` inside of a formula as `w5'   `, which is as long and which a formula can hold."""
    return _NEW.sub(lambda found: f"{found[1]}'".ljust(len(found[0])), letters)


def _unit_of(name: str, index: str) -> bool:
    """Does a quantity's name end with this unit's? sum_h1 is that of h1, Z1 that of 1."""
    if not name.endswith(index):
        return False
    before = name.removesuffix(index)
    return before.endswith("_") or (before.isalpha() and index.isdigit())
