"""`cg.explain`: the worked derivation of a gradient."""

from __future__ import annotations

from os import PathLike
from typing import Any

from chalkgrad.core.errors import ArgumentError, TypeMismatch
from chalkgrad.explain.derivation import Derivation
from chalkgrad.explain.graph import Problem, Wanted, explain_graph
from chalkgrad.explain.sheets import explain_sheet
from chalkgrad.explain.views import check
from chalkgrad.formulas import DIGITS
from chalkgrad.optim import Optimizer
from chalkgrad.worksheet import Worksheet


def explain(
    what: Any, wrt: Wanted = None, *, optimizer: Optimizer | None = None, names: str = "lecture",
    view: str = "board", digits: int = DIGITS, title: str = "",
) -> Derivation:  # fmt: skip
    """The derivation of ∂loss/∂wrt: forward pass, backward pass by the chain rule, and update.

    `what` is a loss (a tensor of one number) or a worksheet: a `Worksheet`, its path, or its text.
    `wrt` is a parameter, (parameter, index), the name of a quantity, or a list of these; without it
    every parameter that is to be updated. Of a tensor with more than 16 elements the one with the
    largest gradient is explained, and in a large network long sums show their largest terms and
    count and add up the rest. `optimizer` adds its update and the forward pass that follows.

    `names` is lecture (the worksheet's or program's own), indexed (w⁽²⁾₁₂), nielsen or pytorch;
    `view` is board (scalars), layer (arrays and δ) or paths; `digits` are the decimals shown.
    The numbers are those of the pass that computed the loss, also after the optimizer has stepped.

    Raises ValueError for a name that there is not, RuntimeError for a loss of several numbers or
    one that depends on nothing, and what a worksheet's reading raises.

    >>> import chalkgrad as cg
    >>> w = cg.tensor(3.0, requires_grad=True)
    >>> derivation = cg.explain((w * w - 5) ** 2, wrt=w)
    >>> derivation.gradients[0].value
    48.0
    """
    check(view, digits)
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeMismatch(f"optimizer is one of chalkgrad.optim, not {type(optimizer).__name__}")
    if isinstance(what, str | PathLike | Worksheet):
        if optimizer is not None:
            raise ArgumentError("the update of a worksheet stands in its [update]: no optimizer=")
        return explain_sheet(Worksheet.of(what), wrt, names, view, digits)
    problem = Problem(title) if title else Problem()
    return explain_graph(what, wrt, optimizer, names, view, digits, problem)
