"""Programs for the native executor's tests, and their judge: the NumPy executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from chalkgrad.compiler.build import build
from chalkgrad.compiler.native import Signature
from chalkgrad.core.graph import Array, ArrayType, Node, equation, leaf, placeholder
from chalkgrad.core.primitive import Primitive
from chalkgrad.core.scope import current
from chalkgrad.executors import numpy as judge
from chalkgrad.machine.host import Host
from chalkgrad.tensor.tensor import Tensor
from chalkgrad.transform.grad import pullback
from tests.primitives.table import Case

TOLERANCE = {"float32": 2e-6, "float64": 1e-12}  # of the largest element


def inputs(*arrays: Array) -> list[Node]:
    """Arguments of the types of some arrays."""
    return [placeholder(ArrayType(a.shape, a.dtype), tracked=a.dtype.kind == "f") for a in arrays]


def apply(primitive: Primitive, *nodes: Node, **params: Any) -> Node:
    """An equation without a value."""
    kind = primitive.type(*[ArrayType(n.shape, n.dtype) for n in nodes], **params)
    return equation(primitive, nodes, params, None, kind.shape, kind.dtype, False)


def of_case(case: Case) -> tuple[list[Node], Node]:
    """A case as a program: its arguments and its result."""
    arguments = inputs(*case.arrays)
    return arguments, apply(case.primitive, *arguments, **case.params)


def handle(node: Node) -> Tensor:
    """A tensor around a node."""
    return Tensor.__new__(Tensor).wrap(node)


def with_gradients(arguments: Sequence[Node], function: Callable[..., Any]) -> list[Node]:
    """What a function of tensors gives, then the gradients by its inputs of Σ s[k]·out[k].

    The seeds s[k] go from 1 to 1¾, so that no two neighbours can be exchanged unseen.
    """
    with abstract():
        made = function(*[handle(node) for node in arguments])
        outs = list(made) if isinstance(made, tuple) else [made]
        found = gradients(outs)
    return [out.node for out in outs] + [found[n].node for n in arguments if n in found]


@contextmanager
def abstract() -> Iterator[None]:
    """Equations have types and no values here."""
    mode = current()
    mode.abstract = True
    try:
        yield
    finally:
        mode.abstract = False


def gradients(outs: Sequence[Tensor]) -> dict[Node, Any]:
    """The gradients of Σ s[k]·out[k]."""
    smooth = [out for out in outs if out.node.tracked]
    seeds = [handle(leaf(_seed(out.node))) for out in smooth]
    return pullback(smooth, seeds) if smooth else {}


def _seed(node: Node) -> Array:
    count = int(np.prod(node.shape))
    return (1 + np.arange(count).reshape(node.shape) % 7 / 8).astype(node.dtype)


def run(
    arguments: Sequence[Node], results: Sequence[Node], arrays: Sequence[Array],
    host: Host | None = None, members: int = 1,
) -> list[Array]:  # fmt: skip
    """The results by native code."""
    signature = Signature(tuple(arguments), (), tuple(results), ())
    return build(signature, host=host, members=members).run(arrays)


def compare(
    found: Array, wanted: Array, label: object, tolerance: float | None = None, least: float = 0
) -> None:
    """Whole numbers and places of NaN and ±inf equal, the rest to the tolerance of its type.

    It is relative to the largest element, or to `least` if that is larger: 1 − tanh² of a unit that
    is saturated is small, and has an error in relation to 1.
    """
    assert found.shape == wanted.shape, label
    assert found.dtype == wanted.dtype, label
    if wanted.dtype.kind != "f":
        np.testing.assert_array_equal(found, wanted, err_msg=str(label))
        return
    ordinary = np.isfinite(wanted)
    np.testing.assert_array_equal(found[~ordinary], wanted[~ordinary], err_msg=str(label))
    if ordinary.any():
        tiny = float(np.finfo(wanted.dtype).tiny)
        largest = max(float(np.abs(wanted[ordinary]).max()), least, tiny)
        error = np.abs(found[ordinary].astype(float) - wanted[ordinary]).max() / largest
        limit = TOLERANCE[str(wanted.dtype)] if tolerance is None else tolerance
        assert error <= limit, f"{label}: off by {error:.2g} of the largest element"


def check(
    arguments: Sequence[Node], results: Sequence[Node], arrays: Sequence[Array],
    labels: Sequence[object] | None = None, host: Host | None = None,
    tolerance: float | None = None, least: float = 0,
) -> list[Array]:  # fmt: skip
    """Run by native code and by NumPy, and compare."""
    found = run(arguments, results, arrays, host)
    wanted = judge.interpret(arguments, results, arrays)
    for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
        compare(a, np.asarray(b), labels[k] if labels else f"result {k}", tolerance, least)
    return found


def check_cases(cases: Sequence[Case], host: Host | None = None) -> None:
    """Several cases in one program."""
    made = [of_case(case) for case in cases]
    arguments = [node for nodes, _ in made for node in nodes]
    arrays = [array for case in cases for array in case.arrays]
    check(arguments, [out for _, out in made], arrays, cases, host)
