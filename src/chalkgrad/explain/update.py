"""How an optimizer moves one number, read from the equation that it runs.

The optimizer's own `update` is called once on single numbers, recorded, and the graph is read: what
it returns as the parameter and as its state (Adam's two moments) becomes a line each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad.core.graph import Node, leaf
from chalkgrad.core.scope import recording
from chalkgrad.explain.elements import At, Elements
from chalkgrad.explain.fold import tidy
from chalkgrad.explain.steps import Line, Update
from chalkgrad.formulas import Expression, Name, Number, Partial, parts, replaced
from chalkgrad.formulas.names import latex_of
from chalkgrad.optim import Optimizer
from chalkgrad.optim.settings import Settings, numbers
from chalkgrad.tensor.tensor import Tensor

_SYMBOLS = {
    "lr": ("η", r"\eta"), "momentum": ("μ", r"\mu"), "dampening": ("τ", r"\tau"),
    "weight_decay": ("λ", r"\lambda"), "betas1": ("β₁", r"\beta_{1}"),
    "betas2": ("β₂", r"\beta_{2}"), "eps": ("ε", r"\epsilon"), "alpha": ("α", r"\alpha"),
    "rho": ("ρ", r"\rho"), "exp_avg": ("m", "m"), "exp_avg_sq": ("v", "v"), "step": ("t", "t"),
    "momentum_buffer": ("b", "b"), "square_avg": ("v", "v"), "sum": ("s", "s"),
    "max_exp_avg_sq": ("v_max", r"v_{\mathit{max}}"), "acc_delta": ("u", "u"),
    "exp_inf": ("u", "u"), "grad_avg": ("m", "m"),
}  # fmt: skip


class Recorder:
    """Single numbers that are recorded under names."""

    def __init__(self) -> None:
        self.names: dict[Node, Expression] = {}
        self.values: dict[str, float] = {}
        self.elements = Elements(lambda node: np.asarray(node.value))

    def number(self, name: Expression, value: float) -> Tensor:
        node = leaf(np.array(value, np.float64), tracked=True)
        self.names[node] = name
        if isinstance(name, Name):
            self.values[name.text] = value
        return Tensor().wrap(node)

    def formula(self, node: Node) -> Expression:
        """The formula of a recorded result, over names."""

        def inside(part: Expression) -> Expression | None:
            if not isinstance(part, At):
                return None
            if part.node in self.names:
                return self.names[part.node]
            if part.node.primitive is None:
                return Number(part.number)
            return replaced(self.elements.formula(part), inside)

        return tidy(replaced(self.elements.formula(At(node, ())), inside))


def update_of(
    optimizer: Optimizer, parameter: Tensor, at: At, name: Name, loss: Name, gradient: float,
) -> Update | None:  # fmt: skip
    """The update of one element of a parameter; None if the optimizer does not move it."""
    groups = [g for g in optimizer.param_groups if any(p is parameter for p in g["params"])]
    if not groups:
        return None
    group, recorder = groups[0], Recorder()
    old = at.number
    state = optimizer.start(parameter, group) | dict(optimizer.state.get(parameter, {}))
    before = {k: _element(v, at.index) for k, v in state.items()}
    with recording(True):
        given = {k: recorder.number(_symbol(k), v) for k, v in before.items()}
        setting = Settings(group, _reader(group, recorder))
        new, after = optimizer.update(
            recorder.number(name, old), recorder.number(Partial(loss, name), gradient), given,
            setting,
        )  # fmt: skip
    return _read(recorder, name, old, gradient, new, after)


def _read(
    recorder: Recorder, name: Name, old: float, gradient: float, new: Tensor,
    after: dict[str, Tensor],
) -> Update:  # fmt: skip
    lines = []
    for key, tensor in after.items():
        symbol = _symbol(key)
        fresh = _after(symbol, f"{symbol.text}′")
        if tensor.node.primitive is not None:
            lines.append(Line(fresh, recorder.formula(tensor.node), _number(tensor)))
            recorder.names[tensor.node] = fresh
            recorder.values[fresh.text] = _number(tensor)
    fresh = _after(name, f"new {name.text}")
    lines.append(Line(fresh, recorder.formula(new.node), _number(new)))
    used = {p.text for line in lines for p in parts(line.formula) if isinstance(p, Name)}
    values = tuple((text, value) for text, value in recorder.values.items() if text in used)
    return Update(name, old, gradient, _number(new), tuple(lines), values)


def _after(name: Name, text: str) -> Name:
    """What a step makes of a number."""
    return Name(text, rf"{{{name.latex or latex_of(name.text)}}}^{{\text{{new}}}}")


def _reader(group: dict[str, Any], recorder: Recorder) -> Callable[[str, int], Tensor]:
    made: dict[tuple[str, int], Tensor] = {}

    def read(name: str, k: int) -> Tensor:
        if (name, k) not in made:
            several = len(numbers(group[name])) > 1
            symbol = _symbol(f"{name}{k + 1}" if several else name)
            made[name, k] = recorder.number(symbol, numbers(group[name])[k])
        return made[name, k]

    return read


def _symbol(key: str) -> Name:
    return Name(*_SYMBOLS.get(key, (key, "")))


def _element(state: Tensor, index: tuple[int, ...]) -> float:
    array = np.asarray(state.node.value)
    return float(array[index] if array.shape else array)


def _number(tensor: Tensor) -> float:
    return float(np.asarray(tensor.node.value))
