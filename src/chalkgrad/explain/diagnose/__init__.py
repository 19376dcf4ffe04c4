"""Why is this gradient zero, tiny, huge, NaN or None? The responsible factor, by name.

A gradient is a product of local derivatives, summed over paths. `flow` holds every number of the
pass; `walks` goes from a parameter up to the loss and finds the edge where the product collapses;
`factors` says what that edge is, in the words of its primitive; `units`, `missing`, `not_finite`,
`steps` and `through` look for what else goes wrong. `report` is what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalkgrad.core.errors import TypeMismatch
from chalkgrad.core.graph import Node
from chalkgrad.explain.diagnose.examine import Examination
from chalkgrad.explain.diagnose.flow import flow
from chalkgrad.explain.diagnose.missing import without_history
from chalkgrad.explain.diagnose.report import Diagnosis, Finding, Layer, Row, Share
from chalkgrad.formulas.labels import Label
from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.tensor.tensor import Tensor

__all__ = ["Diagnosis", "Finding", "Layer", "Row", "Share", "diagnose"]


def diagnose(
    loss: Tensor, *, optimizer: Optimizer | None = None,
    wrt: Tensor | Sequence[Tensor] | None = None, labels: Mapping[Node, Label] | None = None,
    shares: bool = True,
) -> Diagnosis:  # fmt: skip
    """What the gradients of a loss look like, and the factor to blame where one is at fault.

    `loss` is an eager tensor of one number, before or after backward(). With `wrt`, only these
    tensors are looked at; else every parameter that the loss depends on, and every one of the
    `optimizer`, whose next update is set beside the values (‖update‖/‖value‖; about 1e-3 is usual:
    general practice, as in the course notes of CS231n). Without one the update is that of SGD with
    a learning rate of 1e-3. `labels` are an author's names for the elements of nodes. Without
    `shares` it is not said through which units each gradient comes, which takes half of the time.

    Nothing changes: no `.grad`, no value, no random state, and backward() may follow.

    Raises RuntimeError for a loss of more than one number, for one inside of a trace, and where
    numbers that the pass needs were changed in place; TypeError for what is no tensor.

    >>> import chalkgrad as cg
    >>> w = cg.tensor(19.6, dtype=cg.float64, requires_grad=True)
    >>> w.name = "w"
    >>> print(cg.diagnose((w.sigmoid() - 0.0) ** 2))
    loss = 1: 1 fault
    <BLANKLINE>
    FAULT      w: the gradient is tiny (6.15e−9)
      because  σ′(w) = 3.07e−9: it is saturated at w = 19.6
          try  smaller weights or scaled inputs, so that the sum stays within ±4
    ...
    """
    wanted = None if wrt is None else [wrt] if isinstance(wrt, Tensor) else [*wrt]
    for tensor in (loss, *(wanted or ())):
        if not isinstance(tensor, Tensor):
            raise TypeMismatch(f"diagnose() takes tensors, not {type(tensor).__name__}")
    if not loss.node.tracked:
        value = loss.array_for("diagnose()")
        finding = without_history(loss)
        return Diagnosis(float(value.reshape(-1)[0]) if value.size else 0.0, (finding,), ())
    return Examination(flow(loss), labels, optimizer, wanted, shares).diagnosis()
