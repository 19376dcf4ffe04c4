"""What follows from a person's own numbers.

A `View` computes any quantity, derivative or new parameter as the person would, who goes on from
what they wrote down before:

    quantity       the person's number, else its formula at the person's numbers
    ∂A/∂B          the person's number, else Σ (∂A/∂Q)·(∂Q/∂B) over the quantities Q that use B
    new w          the person's number, else the update's rule at the person's gradient

One view goes on from every earlier line, another only from those that were right: what agrees with
the second is correct, what agrees with the first alone follows from a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chalkgrad.check.affine import Affine, Affines, add, exact, multiply, negative, subtract
from chalkgrad.check.truth import Truth
from chalkgrad.explain.board import Board
from chalkgrad.formulas import Expression, Name, Number, Partial, evaluate, names_in
from chalkgrad.formulas.labels import PARAMETER

Key = tuple[str, ...]  # ("sum_h1",), ("E_total", "w5"), ("new", "w5", "")
Read = Callable[[Number], Affine]
NO_KEYS: frozenset[Key] = frozenset()


def quantity_key(name: str) -> Key:
    return (name,)


def slope_key(of: str, by: str) -> Key:
    return (of, by)


def new_key(name: str) -> Key:
    return ("new", name, "")


@dataclass(frozen=True)
class Own:
    """What a person claimed for something."""

    number: Affine
    right: bool
    claim: str  # "output_h1 = 0.7"
    line: int
    formula: Expression | None = None  # where it was claimed as a wrong formula
    trivial: bool = False  # does it make later work trivial?

    def is_as(self, other: Own) -> bool:
        """Does the same follow from both?"""
        one, two = self.number, other.number
        return self.right == other.right and one.low == two.low and one.high == two.high


@dataclass(frozen=True)
class Found:
    """A number, and the wrong claims that it follows from."""

    number: Affine
    used: frozenset[Key] = NO_KEYS

    def negated(self) -> Found:
        return Found(negative(self.number), self.used)


@dataclass
class World:
    """A board, and what the person has claimed of it so far."""

    truth: Truth
    board: Board
    own: dict[Key, Own] = field(default_factory=dict)
    before: World | None = None  # the world one update earlier
    later: list[World] = field(default_factory=list)  # worlds that go on from this one
    rank: Mapping[str, int] = field(init=False)
    inputs: dict[str, list[str]] = field(init=False)
    everything: View = field(init=False)
    right_only: View = field(init=False)
    _between: dict[str, set[str]] = field(default_factory=dict)
    _gradients: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.before is not None:
            self.before.later.append(self)
        self.rank = {name: k for k, name in enumerate(self.board.quantities)}
        self.inputs = {name: [] for name in self.board.quantities}
        for of, by in self.board.locals:
            self.inputs[of].append(by)
        self.everything, self.right_only = View(self, False), View(self, True)

    def learn(self, key: Key, own: Own | None) -> None:
        """Remember a claim, in place of an earlier one of the same thing."""
        known = self.own.get(key)
        if own is None:
            self.own.pop(key, None)
        else:
            self.own[key] = own
        if own is not None and known is not None and own.is_as(known):
            return
        for view in (self.everything, self.right_only):
            view.forget(key)
        for world in self.later:
            world.everything.forget()
            world.right_only.forget()

    def gradient(self, of: str, by: str) -> float:
        """The true ∂of/∂by."""
        if of not in self._gradients:
            self._gradients[of] = self.board.gradients(of)
        return self._gradients[of].get(by, 0.0)

    def leads_to(self, of: str) -> set[str]:
        if of not in self._between:
            self._between[of] = self.board.leads_to(of)
        return self._between[of]


class View:
    """Computes from the person's claims: all of them, or the right ones only."""

    def __init__(self, world: World, right_only: bool) -> None:
        self.world, self.right_only = world, right_only
        self.forget()

    def forget(self, key: Key | None = None) -> None:
        """Forget what was computed; where a derivative was claimed, quantities stay."""
        if key is not None and len(key) > 1:
            self._locals.pop(key, None)
            return
        self._quantities: dict[str, Found] = {}
        self._locals: dict[Key, Found] = {}

    def own(self, key: Key) -> Found | None:
        """What the person claimed."""
        own = self.world.own.get(key)
        if own is None or (self.right_only and not own.right):
            return None
        return Found(own.number, NO_KEYS if own.right else frozenset({key}))

    def value(self, formula: Expression, read: Read | None = None) -> Found:
        """A formula at the person's numbers; `read` says what the numbers in it stand for."""
        used: set[Key] = set()

        def number(part: Expression) -> Affine:
            found = self._part(part)
            used.update(found.used)
            return found.number

        result = evaluate(formula, number, Affines(read))
        return Found(result, frozenset(used))

    def _part(self, part: Expression) -> Found:
        if isinstance(part, Partial):
            return self.slope(part.of.text, part.by.text)
        assert isinstance(part, Name)
        if part.text.startswith("new "):
            return self.new(part.text.removeprefix("new "))
        return self.quantity(part.text)

    # Quantities.
    def quantity(self, name: str) -> Found:
        """The value of a quantity. (Without recursion: a network may be deep.)"""
        work = [(name, False)]
        while work:
            name_, ready = work.pop()
            if name_ in self._quantities:
                continue
            given = self._given(name_)
            if given is not None:
                self._quantities[name_] = given
            elif ready:
                self._quantities[name_] = self.value(self._formula(name_))
            else:
                work.append((name_, True))
                work += [(needed.text, False) for needed in names_in(self._formula(name_))]
        return self._quantities[name]

    def _formula(self, name: str) -> Expression:
        quantity = self.world.board.quantities[name]
        formula = quantity.formula
        assert formula is not None
        return formula

    def _given(self, name: str) -> Found | None:
        """What is not computed: the person's number, or what the problem gives."""
        own = self.own(quantity_key(name))
        if own is not None:
            return own
        quantity = self.world.board.quantities.get(name)
        return self.given(name) if quantity is None or quantity.formula is None else None

    def given(self, name: str) -> Found:
        """What the problem gives, or the update before."""
        quantity = self.world.board.quantities.get(name)
        if quantity is None:  # a name of the person's own that has no number
            return Found(Affine(float("nan"), 0.0, {}, float("inf")))
        if quantity.kind == PARAMETER and self.world.before is not None:
            before = self.world.before
            return (before.right_only if self.right_only else before.everything).new(name)
        return Found(exact(quantity.value))

    # Derivatives.
    def slope(self, of: str, by: str) -> Found:
        """∂of/∂by: the person's number, or what is computed."""
        return self.own(slope_key(of, by)) or self.slope_computed(of, by)

    def slope_computed(self, of: str, by: str) -> Found:
        """∂of/∂by through the quantities that use `by`, whatever was claimed for it itself."""
        known: dict[str, Found] = {of: Found(exact(1.0))}
        for name in self._from(of, by, known):
            terms = []
            for user in self.world.board.users[name]:
                if user in known:
                    itself = (user, name) == (of, by)
                    edge = self.local_computed(of, by) if itself else self.local(user, name)
                    terms.append(_product(known[user], edge))
            known[name] = _total([*terms, *self._rest(of, name)])
        return known.get(by, Found(exact(0.0)))

    def _from(self, of: str, by: str, known: dict[str, Found]) -> list[str]:
        """What lies between the two and is not claimed, from `of` down to `by`."""
        useful, between, work = self.world.leads_to(of), set(), [by]
        while work:
            name = work.pop()
            if name in known or name in between or name not in useful:
                continue
            own = self.own(slope_key(of, name)) if name != by else None
            if own is not None:
                known[name] = own
                continue
            between.add(name)
            work += self.world.board.users[name]
        return sorted(between, key=self.world.rank.__getitem__, reverse=True)

    def slope_upward(self, of: str, by: str) -> Found | None:
        """∂of/∂by from claimed ∂Q/∂by of what lies between, as ∂E₁/∂w + ∂E₂/∂w; None without."""
        if not any(len(key) == 2 and key[1] == by and key[0] != of for key in self.world.own):
            return None
        useful, known = self.world.leads_to(of), {by: Found(exact(1.0))}
        above, work = {by}, [by]
        while work:
            for user in self.world.board.users[work.pop()]:
                if user in useful and user not in above:
                    above.add(user)
                    work.append(user)
        claimed = False
        for name in sorted(above - {by}, key=self.world.rank.__getitem__):
            own = self.own(slope_key(name, by)) if name != of else None
            if own is not None:
                claimed = claimed or self.world.inputs[name] != [by]
                known[name] = own
                continue
            known[name] = _total(
                [
                    _product(self.local(name, needed), known[needed])
                    for needed in self.world.inputs[name]
                    if needed in known
                ]
            )
        return known.get(of) if claimed else None

    def _rest(self, of: str, name: str) -> list[Found]:
        board = self.world.board
        if of != board.loss or name not in board.rest:
            return []
        return [Found(exact(board.rest[name].value))]

    def local(self, of: str, by: str) -> Found:
        """The derivative along one edge."""
        key = slope_key(of, by)
        if key not in self._locals:
            self._locals[key] = self.own(key) or self.local_computed(of, by)
        return self._locals[key]

    def local_computed(self, of: str, by: str) -> Found:
        return self.value(self.world.board.locals[of, by].formula)

    # The update.
    def new(self, name: str) -> Found:
        return self.own(new_key(name)) or self.updated(name, self.slope(self._loss, name))

    @property
    def _loss(self) -> str:
        return self.world.board.loss

    def updated(self, name: str, gradient: Found) -> Found:
        """A parameter after the update with this gradient."""
        truth, old = self.world.truth, self.quantity(name)
        if name in truth.frozen:
            return old
        if name in truth.updates:
            return self._by_rule(name, gradient, old)
        rate = exact(truth.learning_rate if truth.learning_rate is not None else float("nan"))
        moved = subtract(old.number, multiply(rate, gradient.number))
        return Found(moved, old.used | gradient.used)

    def _by_rule(self, name: str, gradient: Found, old: Found) -> Found:
        update = self.world.truth.updates[name]
        numbers = {text: exact(value) for text, value in update.values} | {name: old.number}

        def number(part: Expression) -> Affine:
            if isinstance(part, Partial):
                return gradient.number
            assert isinstance(part, Name)
            return numbers[part.text]

        for line in update.lines:
            numbers[line.name.text] = evaluate(line.formula, number, Affines())
        return Found(numbers[update.lines[-1].name.text], old.used | gradient.used)


def _product(a: Found, b: Found) -> Found:
    return Found(multiply(a.number, b.number), a.used | b.used)


def _total(terms: list[Found]) -> Found:
    if not terms:
        return Found(exact(0.0))
    total = terms[0]
    for term in terms[1:]:
        total = Found(add(total.number, term.number), total.used | term.used)
    return total
