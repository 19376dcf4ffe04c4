"""Local derivatives, read from the rules that the reverse pass runs.

The rule of a node towards one input takes the gradient g of its output, and is linear in g. Written
for a symbol g, it is a small graph; one element of its result, expanded by index notation, is
Σ g[i] · cᵢ, and cᵢ is the derivative of output element i towards that input element.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chalkgrad.core.errors import NotAvailable
from chalkgrad.core.graph import Array, ArrayType, Because, Node, ancestors, leaf, placeholder
from chalkgrad.core.scope import current, recording
from chalkgrad.executors import numpy as executor
from chalkgrad.explain.elements import At, Elements, is_zero
from chalkgrad.formulas import ONE, ZERO, Call, Expression, Number
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.grad import pullback

_SMALL = 1024  # elements of the output of a person's own function that are tried one by one
Coefficients = dict[At, Expression]


class Edges:
    """The derivatives along the edges of one forward graph."""

    def __init__(self, root: Node) -> None:
        self.forward = set(ancestors([root]))
        self.elements = Elements(self.value)
        self.rules: dict[tuple[Node, int], tuple[Node, Node] | None] = {}
        self.known: dict[Node, Array] = {}
        self.users: dict[Node, list[tuple[Node, int]]] = {}
        for node in ancestors([root], tracked_only=True):
            for argnum, source in enumerate(node.inputs):
                if source.tracked:
                    self.users.setdefault(source, []).append((node, argnum))

    def value(self, node: Node) -> Array:
        """A node's numbers; those of a derivative rule are computed when first asked for."""
        if node.value is not None:
            return np.asarray(node.value)
        if node not in self.known:
            given = [n for n in ancestors([node]) if n.value is not None]
            (self.known[node],) = executor.interpret(given, [node], [n.value for n in given])
        return self.known[node]

    def towards(self, at: At, user: Node, argnum: int) -> Coefficients:
        """For each element of `user` that reads this one, its derivative towards it."""
        key = (user, argnum)
        if key not in self.rules:
            self.rules[key] = _rule(user, argnum)
        rule = self.rules[key]
        if rule is None:
            return self._tried(at, user, argnum)
        g, result = rule
        terms = _linear(self._opened(At(result, at.index), g), g)
        return {At(user, out.index): c for out, c in terms.items() if not is_zero(c)}

    def _opened(self, at: At, g: Node) -> Expression:
        """An element of a rule's result, over elements of g and of the forward graph."""
        if at.node is g:
            return at
        if at.node in self.forward or at.node.primitive is None:
            return at if at.node in self.forward else Number(float(self.value(at.node)[at.index]))
        return _deep(self.elements.formula(at), lambda inner: self._opened(inner, g))

    def _tried(self, at: At, user: Node, argnum: int) -> Coefficients:
        """A person's own derivative is code: it is run for one element of its output at a time."""
        if int(np.prod(user.shape)) > _SMALL:
            raise NotAvailable(
                f"{user.primitive} has a derivative of its own and {list(user.shape)} outputs; "
                f"such functions are explained up to {_SMALL} elements"
            )
        found: Coefficients = {}
        handle = Tensor()
        operands = [handle.wrap(n) for n in (user, *user.inputs)]
        for index in np.ndindex(*user.shape):
            seed = np.zeros(user.shape, user.dtype)
            seed[index] = 1
            assert user.primitive is not None
            with recording(False):
                rule = user.primitive.rule(argnum)
                back = rule(handle.wrap(leaf(seed)), *operands, **user.params)
            number = 0.0 if back is None else float(back.node.value[at.index])
            if number:
                found[At(user, index)] = Number(number)
        return found


def _rule(node: Node, argnum: int) -> tuple[Node, Node] | None:
    """The symbol g and the rule's result; None for a person's own function."""
    assert node.primitive is not None
    if node.primitive.custom:
        return None
    mode, handle = current(), Tensor()
    g = placeholder(ArrayType(node.shape, node.dtype), name="g")
    operands = [handle.wrap(source) for source in (g, node, *node.inputs)]
    abstract, because = mode.abstract, mode.because
    mode.abstract, mode.because = True, Because(node, argnum)
    try:
        with recording(False):
            result: Any = node.primitive.rule(argnum)(*operands, **node.params)
    finally:
        mode.abstract, mode.because = abstract, because
    return g, result.node


def _deep(expression: Expression, opened: Any) -> Expression:
    """The formula with every element opened."""
    if isinstance(expression, At):
        found: Expression = opened(expression)
        return found
    if isinstance(expression, Call):
        return Call(expression.function, tuple(_deep(a, opened) for a in expression.arguments))
    return expression


def _linear(expression: Expression, g: Node) -> Coefficients:
    """The coefficients of the elements of g in an expression that is linear in them."""
    if isinstance(expression, At):
        return {expression: ONE} if expression.node is g else {}
    if not isinstance(expression, Call):
        return {}
    function, arguments = expression.function, expression.arguments
    inner = [_linear(argument, g) for argument in arguments]
    if not any(inner):
        return {}
    if function in ("add", "sum"):
        return _added(inner)
    if function == "subtract":
        return _added([inner[0], {at: -c for at, c in inner[1].items()}])
    if function == "negative":
        return {at: -c for at, c in inner[0].items()}
    if function in ("multiply", "prod"):
        return _scaled(arguments, inner)
    if function == "divide" and not inner[1]:
        return {at: c / arguments[1] for at, c in inner[0].items()}
    if function == "select" and not inner[0]:
        condition, (_, then, otherwise) = arguments[0], inner
        return {
            at: Call("select", (condition, then.get(at, ZERO), otherwise.get(at, ZERO)))
            for at in then | otherwise
        }
    if function.partition(":")[0] in ("cast", "copy"):
        return inner[0]
    raise NotAvailable(f"a derivative rule puts its gradient into {function}: that is not linear")


def _added(parts: list[Coefficients]) -> Coefficients:
    total: dict[At, list[Expression]] = {}
    for part in parts:
        for at, coefficient in part.items():
            total.setdefault(at, []).append(coefficient)
    return {at: c[0] if len(c) == 1 else Call("sum", tuple(c)) for at, c in total.items()}


def _scaled(arguments: tuple[Expression, ...], inner: list[Coefficients]) -> Coefficients:
    """A product: one factor has the elements of g, the others are their coefficients."""
    (place,) = [k for k, part in enumerate(inner) if part]

    def product(coefficient: Expression) -> Expression:
        factors = [*arguments]
        factors[place] = coefficient
        if coefficient == ONE and len(factors) > 1:
            del factors[place]
        return factors[0] if len(factors) == 1 else Call("prod", tuple(factors))

    return {at: product(c) for at, c in inner[place].items()}


def adjoints(root: Node) -> dict[Node, Array]:
    """∂root/∂node for every node, by the reverse pass itself."""
    handle = Tensor().wrap(root)
    with recording(False):
        found = pullback([handle], [handle.literal(1).broadcasted(root.shape)])
    return {node: np.asarray(gradient.node.value) for node, gradient in found.items()}
