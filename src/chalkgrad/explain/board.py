"""The board: a pass through a network as the scalars that a lecturer writes down.

    Board    ::= Quantity*, Local*                       a graph of single numbers, inputs first
    Quantity ::= name = formula = value                  `sum_h1 = i1·w1 + i2·w3 + b1 = 0.41`
    Local    ::= ∂of/∂by = formula = value               the derivative along one edge of that graph

Everything else follows from it by the chain rule: a path is a chain of edges, its product a
contribution, and the gradient of a parameter the sum over all paths to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from chalkgrad.formulas import Expression, Name, Partial, Rest
from chalkgrad.formulas.labels import PARAMETER


@dataclass(frozen=True)
class Quantity:
    """One number with a name."""

    name: Name
    kind: str  # one of the words of formulas.labels
    value: float
    formula: Expression | None = None  # over other quantities; None for what is given
    layer: int | None = None  # counted from 1, at the input side
    record: int | None = None  # counted from 1; None where all records share it


@dataclass(frozen=True)
class Rewrite:
    """One step of algebra: the rule, and the formula after it."""

    rule: str
    formula: Expression


@dataclass(frozen=True)
class Local:
    """∂of/∂by where `of` is computed from `by` directly."""

    of: Name
    by: Name
    raw: Expression  # as the derivative rules of the graph's nodes say it
    steps: tuple[Rewrite, ...]  # from there to `formula`
    formula: Expression
    value: float
    plain_term: bool = False  # a loss towards one of the terms that it adds up: 1, without a word

    @property
    def symbol(self) -> Partial:
        return Partial(self.of, self.by)


@dataclass(frozen=True)
class Path:
    """A chain of edges from a quantity down to another, and its product."""

    locals: tuple[Local, ...]
    value: float

    @property
    def through(self) -> tuple[Name, ...]:
        return tuple(local.by for local in self.locals[:-1])


@dataclass
class Board:
    """A pass, as scalars. `quantities` are in an order in which they can be computed."""

    quantities: dict[str, Quantity]
    locals: dict[tuple[str, str], Local]  # by (of, by)
    loss: str
    rest: dict[str, Rest] = field(default_factory=dict)  # edges left out: count, part of ∂loss/∂q
    collapsed: dict[str, float] = field(default_factory=dict)  # ∂loss/∂q, its paths not followed
    users: dict[str, list[str]] = field(init=False)  # what is computed directly from a quantity

    def __post_init__(self) -> None:
        self.users = {name: [] for name in self.quantities}
        for of, by in self.locals:
            self.users[by].append(of)

    @property
    def values(self) -> dict[str, float]:
        return {name: quantity.value for name, quantity in self.quantities.items()}

    @property
    def parameters(self) -> list[Quantity]:
        return [q for q in self.quantities.values() if q.kind == PARAMETER]

    def leads_to(self, of: str) -> set[str]:
        """Every quantity that `of` depends on, itself included."""
        found = {of} | (set(self.collapsed) if of == self.loss else set())
        for name in reversed(self.quantities):
            if not found.isdisjoint(self.users.get(name, ())):
                found.add(name)
        return found

    def gradient(self, of: str, by: str) -> float:
        """∂of/∂by: the sum over all paths, by the recursion of back-propagation."""
        return self.gradients(of).get(by, 0.0)

    def gradients(self, of: str) -> dict[str, float]:
        """∂of/∂q for every quantity q that `of` depends on."""
        useful, found = self.leads_to(of), {of: 1.0}
        for name in reversed(self.quantities):
            if name in useful and name != of:
                found[name] = sum(
                    found[user] * self.locals[user, name].value
                    for user in self.users[name]
                    if user in useful
                )
                if of == self.loss:
                    rest = self.rest[name].value if name in self.rest else 0.0
                    found[name] += rest + self.collapsed.get(name, 0.0)
        return found

    def paths(self, of: str, by: str) -> Iterator[Path]:
        """Every path from `of` down to `by`, in the order of the quantities."""
        useful = self.leads_to(of)
        work: list[tuple[str, tuple[Local, ...], float]] = [(by, (), 1.0)]
        while work:
            name, chain, value = work.pop()
            if name == of:
                yield Path(chain, value)
                continue
            for user in reversed([u for u in self.users[name] if u in useful]):
                local = self.locals[user, name]
                work.append((user, (local, *chain), local.value * value))
