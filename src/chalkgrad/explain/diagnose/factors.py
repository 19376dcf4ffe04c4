"""The responsible factor: why so little, or so much, of a gradient comes through one edge.

By the chain rule a gradient is a product of local derivatives. A factor names the one in which the
product collapses, in the words of its primitive and with its number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chalkgrad.core.graph import LITERAL, Array, Node
from chalkgrad.explain.diagnose.flow import Edge, Masks, norm, total
from chalkgrad.explain.diagnose.limits import MANY
from chalkgrad.explain.diagnose.names import MOVES, Index, Names, by_unit, listed, region
from chalkgrad.primitives.elementwise import EVERYWHERE

# Smooth steps: how each reads, and its steepest slope.
SMOOTH = {"sigmoid": ("σ", 0.25), "tanh": ("tanh", 1.0), "erf": ("erf", 2 / np.sqrt(np.pi)),
          "arctan": ("arctan", 1.0)}  # fmt: skip
FLAT = {"relu", "clip"}  # no slope at all on one side
STEPS = {"ceil", "floor", "floor_divide", "round", "sign", "trunc"}
CHOICES = {
    "max", "max_pool", "maximum", "min", "minimum", "prod", "select", "slice", "take", "take_along",
}  # fmt: skip
SUMS = {"mean", "sum", *MOVES}

_RANDOM_WEIGHTS = "draw the weights at random (nn.init), so that no factor is 0"
_ALIVE = "a smaller learning rate, a larger bias, leaky_relu, or inputs that are scaled"
_UNSATURATED = "smaller weights or scaled inputs, so that the sum stays within ±4"


@dataclass(frozen=True)
class Factor:
    """Where a product collapses or explodes, the factor with its number, and one remedy."""

    node: Node
    where: str
    because: str
    remedy: str = ""
    harmless: bool = False
    key: str = ""  # what else comes from the same cause


def number(value: float) -> str:
    """Three digits, and no zeros in the exponent: 3.07e-9."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else ("∞" if value > 0 else "−∞")
    mantissa, e, exponent = f"{float(value):.3g}".partition("e")
    return (f"{mantissa}e{int(exponent)}" if e else mantissa).replace("-", "−")


def small(names: Names, edge: Edge, masks: Masks) -> Factor:
    """Why (next to) nothing comes through an edge."""
    name = edge.name
    if name in SMOOTH:
        return _saturated(names, edge, masks)
    if name in FLAT:
        return inactive(names, edge, masks.get(edge.source))
    if name in STEPS:
        what = f"{name}{region(edge.user)} has slope 0 everywhere: no gradient passes it"
        return Factor(edge.user, _where(names, edge), what, "leave it out of what is trained")
    if is_error(edge):
        return _error(names, edge, masks)
    if name in ("multiply", "divide"):
        return _multiplied(names, edge, masks)
    if name in CHOICES:
        return _not_chosen(names, edge)
    if edge.user in names.stations or name in ("matmul", "einsum", "convolution"):
        return _product(names, edge, masks)
    if name in EVERYWHERE:
        return _slope(names, edge, masks)
    return _left(names, edge, masks)


# Functions of single elements.
def _most(edge: Edge, names: Names, masks: Masks) -> Index:
    """The element through which most comes; where nothing does, the one to which most came."""
    given = _masked(np.abs(names.flow.gradients[edge.user]), masks.get(edge.user))
    through = given * np.abs(names.flow.slope(edge))
    best = through if through.any() else given
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(best)), best.shape))


def _masked(array: Array, mask: Array | None) -> Array:
    return array if mask is None else np.where(mask, array, 0)


def _concerned(names: Names, node: Node, mask: Array | None) -> list[int]:
    """The units that have an element in a mask."""
    if mask is None or mask.shape != node.shape:
        mask = np.ones(node.shape, bool)
    return np.flatnonzero(by_unit(mask, names.axis(node)).any(1)).tolist()


def _saturated(names: Names, edge: Edge, masks: Masks) -> Factor:
    place = _most(edge, names, masks)
    return saturated(names, edge, place, _concerned(names, edge.source, masks.get(edge.source)))


def saturated(names: Names, edge: Edge, place: Index, units: list[int]) -> Factor:
    """As in σ′(z) = 3.07e-9: unit 2 of layers.0 is saturated at z = 19.6."""
    z, (symbol, _) = edge.source, SMOOTH[edge.name]
    slope = float(np.abs(names.flow.slope(edge)[place]))
    name, who = names.element(z, place, "z"), names.units(z, units)
    most = " at most" if z.value.size > 1 and not (len(units) == 1 and _alone(names, z)) else ""
    verb = "is" if len(units) == 1 else "are"
    value = number(z.value[place])
    because = f"{symbol}′({name}) = {number(slope)}{most}: {who} {verb} saturated at {name} = "
    return Factor(edge.user, who, because + value, _UNSATURATED)


def _alone(names: Names, node: Node) -> bool:
    """Is there one element a unit?"""
    axis = names.axis(node)
    return bool(node.value.size == (1 if axis is None else node.shape[axis]))


def inactive(names: Names, edge: Edge, mask: Array | None) -> Factor:
    """As in relu′(z) = 0: unit 2 of layers.0 is never active: z ≤ 0 for all 12 records."""
    z, units = edge.source, _concerned(names, edge.source, mask)
    values = by_unit(z.value, names.axis(z))[units]
    who, count = names.units(z, units), values.shape[1]
    verb = "is" if len(units) == 1 else "are"
    where = tuple(0 if k != names.axis(z) else units[0] for k in range(len(z.shape)))
    name = names.element(z, where, "z") if values.size == 1 else "z"
    if edge.name != "relu":
        low, high = number(values.min()), number(values.max())
        said = f"{who} {verb} outside of its bounds for every record ({name} from {low} to {high})"
    elif values.size == 1:
        said = f"{who} {verb} not active at {name} = {number(values.max())}"
    else:
        said = (f"{who} {verb} never active: {name} ≤ 0 for all {count} records (at most "
                f"{number(values.max())})")  # fmt: skip
    return Factor(edge.user, who, f"{edge.name}′({name}) = 0: {said}", _ALIVE)


def _slope(names: Names, edge: Edge, masks: Masks) -> Factor:
    place = _most(edge, names, masks)
    slope = names.flow.slope(edge)[place]
    source = edge.source
    at = place if source.shape else ()
    because = (
        f"the slope of {edge.name}{region(edge.user)} is {number(slope)} at "
        f"{names.element(source, at, 'x')} = {number(source.value[at])}"
    )
    return Factor(edge.user, _where(names, edge), because)


# Errors: x² and |x|, whose slope goes to 0 with x.
def is_error(edge: Edge) -> bool:
    """Is this x², |x|, x·x or a power of x?"""
    user = edge.user
    return edge.name in ("square", "absolute") or (
        edge.name == "power" and edge.argnum == 0
    ) or (edge.name == "multiply" and user.inputs[0] is user.inputs[1])  # fmt: skip


def is_difference(node: Node) -> bool:
    """Is it one quantity minus another?"""
    return node.primitive is not None and node.primitive.name == "subtract"


def _error(names: Names, edge: Edge, masks: Masks) -> Factor:
    source = edge.source
    largest = number(np.abs(_masked(source.value, masks.get(source))).max(initial=0.0))
    last = not any(node in names.stations for node in names.flow.above(edge.user))
    what = "output − target" if is_difference(source) and last else names.node(source)
    bound = "= 0" if largest == "0" else f"is at most {largest}"
    said = f"{what} {bound}{'' if source.value.size == 1 else ' for every element'}"
    if last:
        because = f"{said}: the loss is at its minimum"
        return Factor(edge.user, "the loss", because, harmless=True)
    return Factor(edge.user, _where(names, edge), f"{said}, a factor of the slope of {edge.name}")


# Products.
def _multiplied(names: Names, edge: Edge, masks: Masks) -> Factor:
    other = edge.user.inputs[1 - edge.argnum]
    if edge.name == "divide" and edge.argnum == 0:
        least = number(np.abs(other.value).min())
        because = f"it is divided by {names.node(other)}, which is at least {least}"
        return Factor(edge.user, _where(names, edge), because)
    mask = masks.get(edge.user)
    value = other.value if other.value.shape != edge.user.shape else _masked(other.value, mask)
    return _by_operand(names, edge, other, np.abs(value).max(initial=0.0), [])


def _product(names: Names, edge: Edge, masks: Masks) -> Factor:
    """A matrix product or a convolution: is the other operand 0 where it counts?"""
    if len(edge.user.inputs) != 2:
        return _left(names, edge, masks)
    other, mask, places = edge.user.inputs[1 - edge.argnum], masks.get(edge.source), list[int]()
    value = np.abs(other.value)
    if edge.name == "matmul" and mask is not None:
        folded = mask.ndim - 1 if edge.argnum == 0 else mask.ndim - 2
        places = np.flatnonzero(by_unit(mask, folded).any(1)).tolist()
        axis = other.value.ndim - 2 if edge.argnum == 0 else other.value.ndim - 1
        value = by_unit(value, axis)[places]
    largest = float(value.max(initial=0.0))
    came = norm(names.flow.gradients[edge.user], masks.get(edge.user))
    left = norm(names.flow.contribution(edge), mask)
    if largest and left < 0.1 * came * largest:  # no factor is that small: the sum is
        return _left(names, edge, masks)
    return _by_operand(names, edge, other, largest, places)


def _by_operand(
    names: Names, edge: Edge, other: Node, largest: float, places: list[int]
) -> Factor:  # fmt: skip
    made = other.primitive.name if other.primitive is not None else ""
    if not largest and made in FLAT and other.inputs[0].tracked:
        return inactive(names, Edge(other, 0), names.mask(other, places))
    every = "" if other.value.size == 1 else " everywhere"
    size = f"is 0{every}" if not largest else f"is at most {number(largest)}"
    where = _where(names, edge)
    if other in names.weights:
        return Factor(edge.user, where, f"the factor {weights(other)} {size}", _RANDOM_WEIGHTS)
    if other.params is LITERAL:
        return Factor(edge.user, where, f"its factor is the number {number(other.value)}")
    if other.tracked and other not in names.data:
        what = names.units(other, places) if other in names.labels and places else names.node(other)
        return Factor(edge.user, where, f"the factor {what} {size}")
    column = f"column {listed(map(str, places))} of " if places and other.shape else ""
    if other in names.labels and places:
        what = names.units(other, places)
    else:
        what = f"{column if len(places) < other.shape[-1:][0] else ''}" if column else ""
        what += f"the input {other.name}" if other.name else "the input"
    because = f"its factor, {what}, {size} for these records"
    return Factor(edge.user, where, because, "scaled inputs", harmless=not largest)


def weights(node: Node) -> str:
    """The parameters that an array of weights is made of."""
    found, stack = list[Node](), [node]
    while stack:
        here = stack.pop()
        found += [here] if here.primitive is None and here.tracked else []
        stack += here.inputs[::-1]
    names = dict.fromkeys(leaf.name or f"a parameter of shape {list(leaf.shape)}" for leaf in found)
    return listed(names)


# Choices and sums.
def _not_chosen(names: Names, edge: Edge) -> Factor:
    reads = {"take": "an index", "take_along": "an index", "max_pool": "max pooling"}
    who = reads.get(edge.name, edge.name)
    because = f"{who}{region(edge.user)} chooses no element of {names.node(edge.source)}"
    others = [s for s in edge.user.inputs if s.params is LITERAL]
    if edge.name == "select" and others:
        because = (
            f"select{region(edge.user)} takes {names.node(others[0])} and not "
            f"{names.node(edge.source)}, for every element"
        )
    return Factor(edge.user, _where(names, edge), because)


def cancelled(names: Names, node: Node, before: float, after: float, how: str) -> Factor:
    """Terms that add up to (next to) nothing."""
    sums = f"Σ|·| = {number(before)}, |Σ| = {number(after)}"
    by = _centred(names, node)
    if by is not None:
        because = (
            f"{how} cancel ({sums}): {by} subtracts the mean, so a constant before it has no effect"
        )
        return Factor(node, "", because, "bias=False there", harmless=True)
    if "softmax" in str(node.scope or "") and node.shape[-1:] == (1,):
        because = "a softmax of one number is 1 whatever the number is"
        return Factor(node, "", because, "a sigmoid for one output")
    if "softmax" in str(node.scope or ""):
        because = f"softmax − target is {number(after)}: the loss is at its minimum"
        return Factor(node, "the loss", because, harmless=True)
    if _before_softmax(names, node):
        because = (
            f"{how} cancel ({sums}): a softmax does not change when all that enters it changes "
            "alike"
        )
        return Factor(node, "", because, "bias=False there", harmless=True)
    because = f"{how} cancel ({sums}): a stationary point of the loss"
    return Factor(node, "", because, harmless=True)


def _left(names: Names, edge: Edge, masks: Masks) -> Factor:
    """Nothing is left of a sum."""
    mask = masks.get(edge.source)
    before = total(names.flow.contribution(edge, np.abs(names.flow.gradients[edge.user])), mask)
    after = total(names.flow.contribution(edge), mask)
    many = "the contributions of the records and places" if edge.user.value.size > MANY else (
        "the contributions")  # fmt: skip
    if before == 0 or after > before * 0.5:
        what = f"{edge.name}{region(edge.user)} lets nothing through to {names.node(edge.source)}"
        return Factor(edge.user, _where(names, edge), what)
    return cancelled(names, edge.source, before, after, many)


def _centred(names: Names, node: Node) -> str | None:
    """The normalization after a node that subtracts the node's own mean."""
    for user in _reached(names, node, MOVES | {"add", "mean", "subtract"}):
        if user.primitive is None or user.primitive.name != "subtract":
            continue
        mean = user.inputs[1]
        while mean.primitive is not None and mean.primitive.name in MOVES:
            mean = mean.inputs[0]
        is_mean = mean.primitive is not None and mean.primitive.name == "mean"
        if is_mean and mean.inputs[0] is user.inputs[0]:
            return str(user.scope or "a later layer")
    return None


def _before_softmax(names: Names, node: Node) -> bool:
    """Does a node come to a softmax through sums and products alone?"""
    ways = MOVES | {"add", "subtract", "multiply", "matmul", "max", "select"}
    return any(
        user.scope is not None and user.scope.name == "softmax"
        for user in _reached(names, node, ways)
    )


def _reached(names: Names, node: Node, primitives: set[str]) -> list[Node]:
    """What is computed from a node by these primitives alone."""
    found, stack = dict[Node, None](), [node]
    while stack:
        for edge in names.flow.users[stack.pop()]:
            if edge.user not in found and edge.name in primitives:
                found[edge.user] = None
                stack.append(edge.user)
    return [*found]


def _where(names: Names, edge: Edge) -> str:
    layer = names.layer(edge.user)
    return layer or names.node(edge.source)
