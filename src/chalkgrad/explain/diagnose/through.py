"""How much of a parameter's gradient comes through each unit of the next layer.

The gradient G of a parameter is a sum Σₖ Gₖ over the units k of the next layer. The share of a unit
is ⟨Gₖ, G⟩ / ‖G‖², so that the shares of one parameter add up to 1. With z the next layer's weighted
sums, ⟨Gₖ, G⟩ = Σ ∂L/∂zₖ · (∂zₖ/∂θ · G): a derivative of z along G, which two reverse passes give.
"""

from __future__ import annotations

import numpy as np

from chalkgrad.core.errors import ChalkgradError
from chalkgrad.core.graph import Node, leaf
from chalkgrad.core.scope import recording
from chalkgrad.explain.diagnose.flow import Flow, norm
from chalkgrad.explain.diagnose.names import Names, by_unit
from chalkgrad.explain.diagnose.report import Share
from chalkgrad.transform.grad import pullback

TOP = 3  # units that are named


def through(names: Names, parameter: Node) -> tuple[Share, ...]:
    """The largest shares, or nothing where no single layer follows."""
    following = _next(names, parameter)
    size = norm(names.flow.gradients[parameter])
    if following is None or not 0 < size < np.inf:
        return ()
    station = names.stations[following]
    if following.shape[station.axis] < 2:
        return ()
    try:
        moves = _along(names.flow, following, parameter)
    except ChalkgradError:  # a person's own rule that cannot be differentiated again
        return ()
    products = by_unit(moves * names.flow.gradients[following], station.axis)
    shares = products.sum(1, dtype=np.float64) / size**2
    top = np.argsort(-np.abs(shares), kind="stable")[:TOP]
    known = names.sum_of(following)
    return tuple(Share(names.unit(known, int(k)), float(shares[k])) for k in top)


def _next(names: Names, parameter: Node) -> Node | None:
    """The weighted sum of the next layer, if every path to the loss goes through that one."""
    first, stack, seen = set[Node](), [parameter], {parameter}
    while stack:
        for edge in names.flow.users[stack.pop()]:
            station = names.stations.get(edge.user)
            if station is not None and edge.source is not station.weight:
                first.add(edge.user)
            elif edge.user is names.flow.loss:
                return None
            elif edge.user not in seen:
                seen.add(edge.user)
                stack.append(edge.user)
    return first.pop() if len(first) == 1 else None


def _along(flow: Flow, node: Node, parameter: Node) -> np.ndarray:
    """The derivative of a node along a parameter's gradient: the vjp is linear in its cotangent,
    and the derivative towards the cotangent is this."""
    wrap = flow.handle.wrap
    cotangent = wrap(leaf(flow.gradients[node], tracked=True))
    with recording(True):
        found = pullback([wrap(node)], [cotangent], [parameter])[parameter]
        product = (found * wrap(leaf(flow.gradients[parameter]))).sum()
        back = pullback([product], [product.literal(1)], [cotangent.node])
    return np.asarray(back[cotangent.node].node.value)
