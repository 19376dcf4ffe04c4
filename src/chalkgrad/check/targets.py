"""What a claim should say: the true value, and what follows from the person's own lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalkgrad.check.answers import Subject
from chalkgrad.check.known import (
    Found,
    Key,
    View,
    World,
    new_key,
    quantity_key,
    slope_key,
)
from chalkgrad.formulas import ONE, Call, Expression, Name, Partial

_LARGEST = 20_000  # parts of a formula that is put together from the person's own


@dataclass(frozen=True)
class Target:
    """What a claim is judged against.

    truth      the true value; None for a formula of the person's own, which only has to agree
    symbol     the right side as a formula: the quantity's name, the derivative as a symbol, …
    right      values that follow from the person's right lines, one for each way to compute it
    mine       values that follow from all of the person's lines
    formula    the right formula with the person's wrong formulas in it, where that differs
    """

    key: Key | None
    truth: float | None
    symbol: Expression
    right: tuple[Found, ...]
    mine: tuple[Found, ...]
    formula: Expression | None = None
    negated: bool = False
    kind: str = field(default="")

    @property
    def used(self) -> bool:
        """Do the person's wrong lines change what is expected here?"""
        return any(found.used for found in self.mine)


def target(subject: Subject, world: World) -> Target:
    """What a claim about this subject should say."""
    if subject.kind == "quantity":
        return _quantity(subject.name, world)
    if subject.kind == "derivative":
        return _derivative(subject, world)
    if subject.kind == "new":
        return _new(subject.name, world)
    assert subject.formula is not None
    views = world.right_only, world.everything
    right, mine = ((view.value(subject.formula),) for view in views)
    key = quantity_key(subject.name) if subject.kind == "own" else None
    return Target(key, None, subject.formula, right, mine, kind=subject.kind)


def _quantity(name: str, world: World) -> Target:
    key = quantity_key(name)
    quantity = world.board.quantities[name]

    def ways(view: View) -> tuple[Found, ...]:
        formula = quantity.formula
        computed = view.value(formula) if formula is not None else view.given(name)
        return _with_own(view, key, computed)

    return Target(
        key, quantity.value, Name(name), ways(world.right_only), ways(world.everything),
        _own_formula(world, key), kind=quantity.kind,
    )  # fmt: skip


def _derivative(subject: Subject, world: World) -> Target:
    of, by = subject.name, subject.by
    key = slope_key(of, by)

    def ways(view: View) -> tuple[Found, ...]:
        upward = view.slope_upward(of, by)
        computed = (view.slope_computed(of, by), *((upward,) if upward else ()))
        return _with_own(view, key, *computed)

    right, mine = ways(world.right_only), ways(world.everything)
    truth, symbol = world.gradient(of, by), subject.formula or Partial(Name(of), Name(by))
    formula = _own_formula(world, key) or _derivative_from_own(world, of, by)
    if subject.negated:
        truth, symbol = -truth, Call("negative", (symbol,))
        right, mine = (tuple(found.negated() for found in ways) for ways in (right, mine))
        formula = Call("negative", (formula,)) if formula is not None else None
    return Target(key, truth, symbol, right, mine, formula, subject.negated, "derivative")


def _new(name: str, world: World) -> Target:
    key = new_key(name)

    def ways(view: View) -> tuple[Found, ...]:
        loss = world.board.loss
        upward = view.slope_upward(loss, name)
        gradients = (view.slope(loss, name), *((upward,) if upward else ()))
        return _with_own(view, key, *(view.updated(name, gradient) for gradient in gradients))

    return Target(
        key, world.truth.new_value(name), Name(f"new {name}"), ways(world.right_only),
        ways(world.everything), _own_formula(world, key), kind="new",
    )  # fmt: skip


def _with_own(view: View, key: Key, *computed: Found) -> tuple[Found, ...]:
    """The computed values, and what the person claimed before for the same thing."""
    own = view.own(key)
    return (*computed, own) if own is not None else computed


def _own_formula(world: World, key: Key) -> Expression | None:
    own = world.own.get(key)
    return own.formula if own is not None else None


def _derivative_from_own(world: World, of: str, by: str) -> Expression | None:
    """∂of/∂by by the chain rule through the person's own formulas, if some of them are wrong."""
    own = {key: claim.formula for key, claim in world.own.items() if claim.formula is not None}
    useful = world.leads_to(of)
    if not any(len(key) == 2 and key[1] in useful for key in own):
        return None
    known: dict[str, tuple[Expression, int, bool]] = {of: (ONE, 1, False)}
    for name in reversed(world.board.quantities):
        if name not in useful or name == of:
            continue
        claimed = own.get(slope_key(of, name)) if name != by else None
        if claimed is not None:
            known[name] = claimed, 1, True
            continue
        terms, size, changed = [], 1, False
        for user in world.board.users[name]:
            if user not in known:
                continue
            outer, count, different = known[user]
            inner = own.get(slope_key(user, name))
            changed = changed or different or inner is not None
            terms.append(outer * (inner or world.board.locals[user, name].formula))
            size += count + 8
        known[name] = Call("sum", tuple(terms)), size, changed
        if size > _LARGEST:
            return None
    found = known.get(by)
    return found[0] if found is not None and found[2] else None
