"""Matrix products: matmul, with batches, and einsum."""

from __future__ import annotations

from typing import Any

import numpy as np

from chalkgrad.core.errors import DtypeError, ShapeError
from chalkgrad.core.graph import Array, ArrayType, Shape
from chalkgrad.core.index import Axis, Formula, Read, Reduce, Term
from chalkgrad.core.primitive import Domain, Notation, Primitive, Rule


# matmul: out[…, i, j] = Σₖ a[…, i, k] · b[…, k, j]. The leading axes are equal: a broadcast node
# has seen to it.
def _matmul_type(a: ArrayType, b: ArrayType) -> ArrayType:
    if a.dtype != b.dtype:
        raise DtypeError(f"a matrix product of {a.dtype} and {b.dtype}: give both one type")
    if len(a.shape) < 2 or a.shape[:-2] != b.shape[:-2] or a.shape[-1] != b.shape[-2]:
        columns, rows = a.shape[-1:] or ("no",), b.shape[-2:-1] or ("no",)
        raise ShapeError(
            f"a matrix product of shapes {list(a.shape)} and {list(b.shape)}: the first has "
            f"{columns[0]} columns, the second {rows[0]} rows"
        )
    return ArrayType((*a.shape[:-1], b.shape[-1]), a.dtype)


def _matmul(a: Array, b: Array) -> Any:
    # For two matrices np.dot is the same product at half of np.matmul's overhead.
    return np.dot(a, b) if a.ndim == 2 else np.matmul(a, b)


def _matmul_index(a: ArrayType, b: ArrayType) -> Formula:
    shape = _matmul_type(a, b).shape
    rank = len(shape)
    batch = tuple(Axis(k) for k in range(rank - 2))
    left = Read(0, (*batch, Axis(rank - 2), Axis(rank)))
    right = Read(1, (*batch, Axis(rank), Axis(rank - 1)))
    return Formula(shape, Reduce("sum", ((rank, a.shape[-1]),), left * right))


def turned(x: Any) -> Any:
    """The last two axes exchanged."""
    rank = len(x.node.shape)
    return x.transposed((*range(rank - 2), rank - 1, rank - 2))


matmul: Primitive = Primitive(
    "matmul", _matmul, _matmul_type,
    [lambda g, out, a, b: matmul(g, turned(b)), lambda g, out, a, b: matmul(turned(a), g)],
    Notation("{0} @ {1}", "{0} {1}", 2), _matmul_index,
    Domain(samples=lambda rng: ([rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 4, 5))], {})),
)  # fmt: skip


# einsum, with explicit letters: "ij,jk->ik". No letter stands twice in one operand.
def parse(equation: str) -> tuple[list[str], str]:
    inputs, output = equation.split("->")
    return inputs.split(","), output


def _einsum_type(*operands: ArrayType, equation: str) -> ArrayType:
    inputs, output = parse(equation)
    sizes: dict[str, int] = {}
    for letters, operand in zip(inputs, operands, strict=True):
        for letter, n in zip(letters, operand.shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ShapeError(f"einsum {equation}: '{letter}' is {sizes[letter]} and {n}")
    if len({o.dtype for o in operands}) > 1:
        raise DtypeError("einsum of " + " and ".join(sorted({str(o.dtype) for o in operands})))
    return ArrayType(tuple(sizes[letter] for letter in output), operands[0].dtype)


def _einsum_index(*operands: ArrayType, equation: str) -> Formula:
    inputs, output = parse(equation)
    sizes: dict[str, int] = {}
    for letters, operand in zip(inputs, operands, strict=True):
        sizes.update(zip(letters, operand.shape, strict=True))
    folded = [c for c in sizes if c not in output]
    ids = {c: k for k, c in enumerate([*output, *folded])}
    body: Term | None = None
    for k, letters in enumerate(inputs):
        read = Read(k, tuple(Axis(ids[c]) for c in letters))
        body = read if body is None else body * read
    assert body is not None
    if folded:
        body = Reduce("sum", tuple((ids[c], sizes[c]) for c in folded), body)
    return Formula(tuple(sizes[c] for c in output), body)


def _einsum_rule(argnum: int) -> Rule:
    def rule(g: Any, out: Any, *operands: Any, equation: str) -> Any:
        inputs, output = parse(equation)
        wanted = inputs[argnum]
        others = [k for k in range(len(inputs)) if k != argnum]
        known = set(output).union(*(inputs[k] for k in others))
        kept = "".join(c for c in wanted if c in known)
        letters = ",".join([output, *(inputs[k] for k in others)])
        part = einsum(g, *(operands[k] for k in others), equation=f"{letters}->{kept}")
        # A letter of this operand alone was summed over: its gradient is the same all along it.
        shape: Shape = operands[argnum].node.shape
        thin = tuple(n if c in known else 1 for c, n in zip(wanted, shape, strict=True))
        return part if kept == wanted else part.reshaped(thin).broadcasted(shape)

    return rule


einsum: Primitive = Primitive(
    "einsum",
    lambda *operands, equation: np.einsum(equation, *operands, optimize=len(operands) > 1),
    _einsum_type, _einsum_rule, Notation("einsum({0})", r"\operatorname{{einsum}}({0})"),
    _einsum_index,
    Domain(samples=lambda rng: ([rng.normal(size=(2, 3)), rng.normal(size=(3, 4, 2))],
                                {"equation": "ij,jki->ik"})),
    variadic=True,
)  # fmt: skip
