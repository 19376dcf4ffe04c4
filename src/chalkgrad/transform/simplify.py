"""Named rewrites that drop work without changing one bit of the result.

ones      1 · x = x, x · 1 = x, x / 1 = x
copies    copy(x) = x
fold      a node whose inputs are all constants is that constant
pooled    what is chosen behind a max pooling, where x > c or else 0, is chosen before it, where the
          maximum is > c: of its window a maximum is the only one that has a gradient
share     two nodes with one primitive, inputs and parameters are one node
live      a node that no result depends on goes (a consequence of walking from the results)
states    two states with one value before and one equation after are one state
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from chalkgrad.core.graph import (
    LITERAL,
    ArrayType,
    Graph,
    Node,
    Params,
    ancestors,
    by_age,
    equation,
    leaf,
)
from chalkgrad.core.primitive import Primitive
from chalkgrad.core.scope import current
from chalkgrad.primitives.convolution import max_pool, pool_argmax, pool_scatter
from chalkgrad.primitives.elementwise import select

_NONE: Mapping[Node, Node] = {}
_SMALL = 4096  # elements: a folded constant larger than this costs more memory than it saves time


def simplify(
    results: Sequence[Node], arguments: Sequence[Node], same: Mapping[Node, Node] = _NONE
) -> list[Node]:
    """The same results from fewer nodes. Arguments, and every leaf, stay as they are, except that
    `same` says which of them stands for which other node."""
    given = set(arguments)
    new: dict[Node, Node] = {}
    shared: dict[object, Node] = {}
    for node in ancestors([*results]):
        if node.primitive is None or node in given:
            new[node] = same.get(node, node)
            continue
        inputs = tuple(new[source] for source in node.inputs)
        key = (node.primitive, inputs, tuple(node.params.items()))
        found = shared.get(key)
        if found is None:
            found = shared[key] = (
                _trivial(node, inputs)
                or _fold(node, inputs, given)
                or _pooled(node, inputs, shared)
                or _kept(node, inputs)
            )
        new[node] = found
    return [new[node] for node in results]


def equations(arguments: Sequence[Node], results: Sequence[Node]) -> list[Node]:
    """What has to be computed of the results once the arguments are given, in an order for it."""
    given = set(arguments)
    stack, seen = [node for node in results if node not in given], set(results)
    while stack:  # an argument ends the walk, even where it was itself computed
        for source in stack.pop().inputs:
            if source not in seen and source not in given:
                seen.add(source)
                stack.append(source)
    return sorted((n for n in seen if n.primitive and n not in given), key=by_age)


def one_state(graph: Graph) -> dict[Node, Node]:
    """Which numbers among the states always equal another one: they do so now, and one equation
    gives them all, as Adam's count of steps for each parameter. Maps each to the first."""
    classes: dict[object, list[int]] = {}
    for k, state in enumerate(graph.states):
        value = state.before.value
        if not state.before.shape and value is not None:
            key = (state.before.dtype, state.before.tracked, value.tobytes())
            classes.setdefault(key, []).append(k)
    groups = [places for places in classes.values() if len(places) > 1]
    before = [state.before for state in graph.states]
    while True:  # a group that falls apart may have held another one together
        same = {before[k]: before[places[0]] for places in groups for k in places[1:]}
        after = simplify([state.after for state in graph.states], before, same)
        kept = [places for places in groups if len({after[k] for k in places}) == 1]
        if len(kept) == len(groups):
            return same
        groups = kept


def _is_one(node: Node) -> bool:
    # A number written in a formula. Data that happen to be 1 now may be something else next time.
    return node.params is LITERAL and bool(node.value == 1)


def _trivial(node: Node, inputs: tuple[Node, ...]) -> Node | None:
    assert node.primitive is not None
    name = node.primitive.name
    if name == "copy":
        return inputs[0]
    if name in ("multiply", "divide") and _is_one(inputs[1]) and inputs[0].shape == node.shape:
        return inputs[0]
    if name == "multiply" and _is_one(inputs[0]) and inputs[1].shape == node.shape:
        return inputs[1]
    return None


def _fold(node: Node, inputs: tuple[Node, ...], given: set[Node]) -> Node | None:
    if not all(_constant(source, given) for source in inputs) or prod(node.shape) > _SMALL:
        return None
    assert node.primitive is not None
    compute: Callable[..., object] = node.primitive.numpy
    value = current().run(compute, *[source.value for source in inputs], **node.params)
    return leaf(np.asarray(value))


def _constant(node: Node, given: set[Node]) -> bool:
    if node.primitive is not None or node in given or node.owner is not None:
        return False
    return node.value is not None and node.value.size <= _SMALL


def _pooled(node: Node, inputs: tuple[Node, ...], shared: dict[object, Node]) -> Node | None:
    # select(x > c, pool_scatter(g, pool_argmax(x)), 0), as of a ReLU in front of a pooling
    names = [source.primitive.name if source.primitive else "" for source in inputs]
    if node.primitive is not select or names[:2] != ["greater", "pool_scatter"]:
        return None
    (condition, scattered, zero), (x, limit) = inputs, inputs[0].inputs
    g, places = scattered.inputs
    if places.primitive is not pool_argmax or places.inputs[0] is not x:
        return None
    if limit.shape or zero.params is not LITERAL or any(zero.value.tobytes()):  # 0, and not -0
        return None

    def made(primitive: Primitive, parts: tuple[Node, ...], params: Params, like: Node) -> Node:
        key = (primitive, parts, tuple(params.items()))
        if key not in shared:
            kind = primitive.type(*[ArrayType(n.shape, n.dtype) for n in parts], **params)
            shared[key] = equation(
                primitive, parts, params, None, kind.shape, kind.dtype, like.tracked, like.scope,
                like.because,
            )  # fmt: skip
        return shared[key]

    windows = {name: value for name, value in places.params.items() if name != "dtype"}
    largest = made(max_pool, (x,), windows, places)
    assert condition.primitive is not None
    chosen = made(condition.primitive, (largest, limit), condition.params, condition)
    kept = made(select, (chosen, g, zero), node.params, node)
    return made(pool_scatter, (kept, places), scattered.params, scattered)


def _kept(node: Node, inputs: tuple[Node, ...]) -> Node:
    if inputs == node.inputs and node.value is None:
        return node
    made = equation(
        node.primitive, inputs, node.params, None, node.shape, node.dtype, node.tracked,
        node.scope, node.because,
    )  # fmt: skip
    made.name = node.name
    return made
