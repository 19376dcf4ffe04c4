"""[update]: the optimizer, by the name and the settings of `chalkgrad.optim`."""

from __future__ import annotations

from collections.abc import Collection
from inspect import signature
from typing import Any

from chalkgrad import optim
from chalkgrad.core.errors import ArgumentError, ChalkgradError, nearest
from chalkgrad.optim import Optimizer
from chalkgrad.tensor.creation import scalar_tensor
from chalkgrad.worksheet.parts import Update
from chalkgrad.worksheet.source import Section, said

MOST_STEPS = 1_000_000
# LBFGS tries several points a step, so it has no update equation to show.
RULES: dict[str, type[Optimizer]] = {
    name.lower(): getattr(optim, name)
    for name in optim.__all__
    if name not in ("LBFGS", "Optimizer", "lr_scheduler")
}
NOT_SETTINGS = ("self", "params", "foreach", "capturable", "differentiable", "fused")


def read_update(section: Section, parameters: Collection[str]) -> Update | None:
    """The optimizer, or None where a worksheet says nothing of one."""
    if not section.table:
        return None
    word = section.string("rule", "sgd")
    if word.lower() not in RULES:
        options = [kind.__name__ for kind in RULES.values()]
        offer = nearest(word.lower(), RULES) or f" It is one of {', '.join(options)}."
        raise section.error(f"rule = {said(word)} is no optimizer known here.{offer}", "rule")
    kind = RULES[word.lower()]
    settings = _settings(section, kind)
    try:
        kind([scalar_tensor(0.0, requires_grad=True)], **settings)
    except (ChalkgradError, ValueError, TypeError, OverflowError) as error:
        raise section.error(f"{kind.__name__} refuses its settings: {error}") from None
    return Update(kind.__name__, settings, _steps(section), _frozen(section, parameters))


def _settings(section: Section, kind: type[Optimizer]) -> dict[str, Any]:
    known = {
        name: parameter.default
        for name, parameter in signature(kind.__init__).parameters.items()
        if name not in NOT_SETTINGS
    }
    section.only("rule", "steps", "frozen", "learning_rate", *known)
    if "lr" in section.table and "learning_rate" in section.table:
        raise section.error("[update] has both lr and learning_rate; keep one of them", "lr")
    found: dict[str, Any] = {}
    for key, value in section.table.items():
        name = "lr" if key == "learning_rate" else key
        if name in known:
            found[name] = _setting(section, key, value, known[name])
    return found


def _setting(section: Section, key: str, value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise section.error(f"{key} must be true or false, not {said(value)}", key)
        return value
    if isinstance(default, tuple):
        if not isinstance(value, list) or len(value) != len(default):
            raise section.error(f"{key} must be {len(default)} numbers in [ ]", key)
        return tuple(section.number(number, key) for number in value)
    return section.number(value, key)


def _steps(section: Section) -> int:
    steps = section.table.get("steps", 1)
    if isinstance(steps, bool) or not isinstance(steps, int) or not 0 <= steps <= MOST_STEPS:
        raise section.error(f"steps must be a whole number up to {MOST_STEPS}", "steps")
    return steps


def _frozen(section: Section, parameters: Collection[str]) -> tuple[str, ...]:
    frozen = section.listed("frozen", [])
    for name in frozen:
        if not isinstance(name, str) or name not in parameters:
            offer = nearest(name, parameters) if isinstance(name, str) else ""
            word = name if isinstance(name, str) else "frozen"
            raise section.error(f"frozen has {said(name)}, which is no parameter.{offer}", word)
    return tuple(dict.fromkeys(frozen))


def check_steps(steps: int) -> None:
    """Refuse a number of steps that is none."""
    if not 0 <= steps <= MOST_STEPS:
        raise ArgumentError(f"steps must be between 0 and {MOST_STEPS}, not {steps}")
