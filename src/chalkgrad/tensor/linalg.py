"""Matrix products and the parts of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self, TypeVar

import numpy as np

from chalkgrad.core.errors import DtypeError, NotAvailable, ShapeError, TypeMismatch
from chalkgrad.core.graph import Shape, leaf
from chalkgrad.core.primitive import bind
from chalkgrad.core.scope import scope
from chalkgrad.primitives import indexing, linalg
from chalkgrad.tensor.arguments import dimension
from chalkgrad.tensor.operand import Operand, common_shape
from chalkgrad.tensor.reductions import Reductions

T = TypeVar("T", bound="Linalg")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Linalg(Reductions):
    """Matrix products and the parts of matrices."""

    __slots__ = ()

    def __matmul__(self, other: Any) -> Any:
        return self.matmul(other) if isinstance(other, Operand) else NotImplemented

    def matmul(input, other: Any) -> Self:
        """input @ other: (…, n, k) @ (…, k, m) = (…, n, m); leading dimensions broadcast.

        >>> import chalkgrad as torch
        >>> torch.ones(2, 3) @ torch.ones(3)
        tensor([3., 3.])
        """
        left, right = input.node.shape, other.node.shape
        if input.node.dtype != other.node.dtype:
            raise DtypeError(
                f"expected m1 and m2 to have the same dtype, but got: {input.node.dtype} != "
                f"{other.node.dtype}. Convert one of them with .to(dtype)."
            )
        if len(left) == 2 == len(right):
            product: Self = bind(linalg.matmul, (input, other))
            return product
        return _product(input, other, left, right)

    def mm(input, mat2: Any) -> Self:
        """The product of two matrices."""
        _ranked("mm", (input, 2), (mat2, 2))
        return input.matmul(mat2)

    def bmm(input, mat2: Any) -> Self:
        """The products of two batches of matrices.

        >>> import chalkgrad as torch
        >>> torch.ones(5, 2, 3).bmm(torch.ones(5, 3, 4)).shape
        torch.Size([5, 2, 4])
        """
        _ranked("bmm", (input, 3), (mat2, 3))
        if input.node.shape[0] != mat2.node.shape[0]:
            raise ShapeError(
                f"bmm of {input.node.shape[0]} and {mat2.node.shape[0]} matrices: there must be "
                "as many in both batches. Use matmul, which broadcasts."
            )
        return input.matmul(mat2)

    def mv(input, vec: Any) -> Self:
        """Matrix times vector."""
        _ranked("mv", (input, 2), (vec, 1))
        return input.matmul(vec)

    def dot(input, tensor: Any) -> Self:
        """Σ aᵢ bᵢ of two vectors of one length.

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 2.0]).dot(torch.tensor([3.0, 4.0]))
        tensor(11.)
        """
        _ranked("dot", (input, 1), (tensor, 1))
        if input.node.shape != tensor.node.shape:
            raise ShapeError(
                f"inconsistent tensor size, expected tensor {list(input.node.shape)} and src "
                f"{list(tensor.node.shape)} to have the same number of elements"
            )
        return input.matmul(tensor)

    def vdot(input, other: Any) -> Self:
        """`dot`; they differ for complex numbers."""
        return input.dot(other)

    def inner(input, other: Any) -> Self:
        """Σ over the last dimension of both: out[…i, …j] = Σₖ a[…i, k] b[…j, k]."""
        if not input.node.shape or not other.node.shape:
            return input.mul(other)
        return input.tensordot(other, dims=([-1], [-1]))

    def outer(input, vec2: Any) -> Self:
        """out[i, j] = aᵢ bⱼ

        >>> import chalkgrad as torch
        >>> torch.tensor([1.0, 2.0]).outer(torch.tensor([3.0, 4.0]))
        tensor([[3., 4.],
                [6., 8.]])
        """
        _ranked("outer", (input, 1), (vec2, 1))
        return input.reshaped((*input.node.shape, 1)).mul(vec2)

    ger = outer

    def tensordot(input, other: Any, dims: Any = 2) -> Self:
        """Σ over pairs of dimensions: the last ones with the first ones, or two lists of them.

        >>> import chalkgrad as torch
        >>> torch.ones(2, 3, 4).tensordot(torch.ones(3, 4, 5)).shape
        torch.Size([2, 5])
        """
        ours, theirs = _pairs(dims, len(input.node.shape), len(other.node.shape))
        return _contracted(input, other, ours, theirs)

    def addmm(input, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Self:
        """β · input + α · mat1 @ mat2

        >>> import chalkgrad as torch
        >>> torch.ones(2, 2).addmm(torch.eye(2), torch.eye(2), alpha=2)
        tensor([[3., 1.],
                [1., 3.]])
        """
        return _sum_with(input, mat1.mm(mat2), beta, alpha)

    def addmv(input, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Self:
        """β · input + α · mat @ vec"""
        return _sum_with(input, mat.mv(vec), beta, alpha)

    def addr(input, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Self:
        """β · input + α · vec1 ⊗ vec2"""
        return _sum_with(input, vec1.outer(vec2), beta, alpha)

    def baddbmm(input, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Self:
        """β · input + α · batch1 @ batch2"""
        return _sum_with(input, batch1.bmm(batch2), beta, alpha)

    def addbmm(input, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Self:
        """β · input + α · Σ over the batch of batch1 @ batch2"""
        return _sum_with(input, batch1.bmm(batch2).sum(0), beta, alpha)

    def kron(input, other: Any) -> Self:
        """The Kronecker product: every element of `input` times the whole of `other`."""
        rank = max(len(input.node.shape), len(other.node.shape))
        a = (1,) * (rank - len(input.node.shape)) + input.node.shape
        b = (1,) * (rank - len(other.node.shape)) + other.node.shape
        pairs = list(zip(a, b, strict=True))
        left = input.reshaped(tuple(size for n, _ in pairs for size in (n, 1)))
        right: Self = other.reshaped(tuple(size for _, m in pairs for size in (1, m)))
        return (left * right).reshaped(tuple(n * m for n, m in pairs))

    def cross(input, other: Any, dim: int | None = None) -> Self:
        """a × b of vectors of three numbers along `dim` (by default the first of size 3)."""
        shape: Shape = common_shape("cross", input.node.shape, other.node.shape)
        axis = (
            dimension(dim, len(shape)) if dim is not None else shape.index(3) if 3 in shape else 0
        )
        if not shape or shape[axis] != 3:
            raise ShapeError(f"cross: no dimension of size 3 in shape {list(shape)}")
        a: Self = input.broadcasted(shape)
        b: Self = other.broadcasted(shape)
        return a.roll(-1, axis) * b.roll(-2, axis) - a.roll(-2, axis) * b.roll(-1, axis)

    # Parts of matrices.
    def tril(input, diagonal: int = 0) -> Self:
        """The lower triangle, zeros above the k-th diagonal.

        >>> import chalkgrad as torch
        >>> torch.ones(2, 2).tril()
        tensor([[1., 0.],
                [1., 1.]])
        """
        return _kept(input, "tril", lambda row, column: column - row <= diagonal)

    def triu(input, diagonal: int = 0) -> Self:
        """The upper triangle, zeros below the k-th diagonal.

        >>> import chalkgrad as torch
        >>> torch.ones(2, 2).triu(1)
        tensor([[0., 1.],
                [0., 0.]])
        """
        return _kept(input, "triu", lambda row, column: column - row >= diagonal)

    def diagonal(input, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Self:
        """The elements x[…, i, i + offset] of two dimensions, as the last dimension.

        >>> import chalkgrad as torch
        >>> torch.arange(4).reshape(2, 2).diagonal()
        tensor([0, 3])
        """
        rank = len(input.node.shape)
        first, second = dimension(dim1, rank), dimension(dim2, rank)
        if first == second:
            raise ShapeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
        others = tuple(k for k in range(rank) if k not in (first, second))
        return _diagonal(input.transposed((*others, first, second)), offset)

    def diag(input, diagonal: int = 0) -> Self:
        """The diagonal of a matrix; or the matrix that has a vector as its diagonal.

        >>> import chalkgrad as torch
        >>> torch.tensor([1, 2]).diag()
        tensor([[1, 0],
                [0, 2]])
        """
        if len(input.node.shape) == 2:
            return _diagonal(input, diagonal)
        if len(input.node.shape) == 1:
            return input.diag_embed(diagonal)
        raise ShapeError(f"diag(): Supports 1D or 2D tensors. Got {len(input.node.shape)}D")

    def diag_embed(input, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Self:
        """Matrices whose k-th diagonals are the last dimension; zeros elsewhere.

        The rows and columns of the matrices are dimensions `dim1` and `dim2` of the result.
        """
        size = input.node.shape[-1] + abs(offset)
        row, column = np.indices((size, size))
        place = np.minimum(row, column).clip(0, max(input.node.shape[-1] - 1, 0))
        repeated = _taken(input, place.reshape(-1))
        matrix = repeated.reshaped((*input.node.shape[:-1], size, size))
        out = _kept(matrix, "diag", lambda row, column: column - row == offset)
        return out if (dim1, dim2) == (-2, -1) else out.movedim((-2, -1), (dim1, dim2))

    def trace(input) -> Self:
        """Σ xᵢᵢ of a matrix.

        >>> import chalkgrad as torch
        >>> torch.eye(3).trace()
        tensor(3.)
        """
        if len(input.node.shape) != 2:
            raise ShapeError(
                f"trace: expected a matrix, but got tensor with dim {len(input.node.shape)}"
            )
        return _diagonal(input, 0).sum()


def _product(a: T, b: Any, left: Shape, right: Shape) -> T:
    """a @ b for vectors and batches."""
    if not left or not right:
        raise ShapeError(
            "both arguments to matmul need to be at least 1D, but they are "
            f"{len(left)}D and {len(right)}D"
        )
    x = a.reshaped((1, *left)) if len(left) == 1 else a
    y: T = b.reshaped((*right, 1)) if len(right) == 1 else b
    rows, columns = x.node.shape[-2:], y.node.shape[-2:]
    if rows[1] == columns[0]:
        batch = common_shape("matmul", x.node.shape[:-2], y.node.shape[:-2])
        x, y = x.broadcasted((*batch, *rows)), y.broadcasted((*batch, *columns))
    out = bind(linalg.matmul, (x, y))
    kept = out.node.shape[:-2] + rows[:1] * (len(left) > 1) + columns[1:] * (len(right) > 1)
    return out.reshaped(kept)


def _ranked(name: str, *expected: tuple[Any, int]) -> None:
    for tensor, rank in expected:
        if not isinstance(tensor, Operand):
            raise TypeMismatch(f"{name}() takes tensors, not {type(tensor).__name__}")
        if len(tensor.node.shape) != rank:
            raise ShapeError(
                f"{name} takes a {rank}-D tensor here, but this one has shape "
                f"{list(tensor.node.shape)}"
            )


def _sum_with(x: T, product: Any, beta: float, alpha: float) -> T:
    scaled: T = product if alpha == 1 else product * alpha
    shape = product.node.shape
    if common_shape("addmm", x.node.shape, shape) != shape:
        raise ShapeError(
            f"shape {list(x.node.shape)} cannot be expanded to the product's {list(shape)}"
        )
    if beta == 0:  # then x, NaN included, does not count
        return scaled
    return (x if beta == 1 else x * beta) + scaled


def _pairs(dims: Any, left: int, right: int) -> tuple[list[int], list[int]]:
    if isinstance(dims, int):
        if not 0 <= dims <= min(left, right):
            raise ShapeError(f"tensordot over {dims} dimensions of tensors with {left} and {right}")
        return list(range(left - dims, left)), list(range(dims))
    ours, theirs = ([side] if isinstance(side, int) else side for side in dims)
    if len(ours) != len(theirs):
        raise ShapeError(
            f"both dimension lists should have same length, not {len(ours)} and {len(theirs)}"
        )
    return _distinct(ours, left), _distinct(theirs, right)


def _distinct(dims: Sequence[int], rank: int) -> list[int]:
    found = [dimension(d, rank) for d in dims]
    repeated = next((d for d in found if found.count(d) > 1), None)
    if repeated is not None:
        raise ShapeError(f"dim {repeated} appears multiple times in the list of dims {list(dims)}")
    return found


def _contracted(a: T, b: Any, ours: list[int], theirs: list[int]) -> T:
    left, right = a.node.shape, b.node.shape
    if [left[k] for k in ours] != [right[k] for k in theirs]:
        raise ShapeError(
            f"contracted dimensions need to match, but they are {[left[k] for k in ours]} of "
            f"{list(left)} and {[right[k] for k in theirs]} of {list(right)}"
        )
    rows = [k for k in range(len(left)) if k not in ours]
    columns = [k for k in range(len(right)) if k not in theirs]
    out = (*(left[k] for k in rows), *(right[k] for k in columns))
    folded = math.prod(left[k] for k in ours)
    x = a.transposed((*rows, *ours)).reshaped((math.prod(left[k] for k in rows), folded))
    y: T = b.transposed((*theirs, *columns)).reshaped(
        (folded, math.prod(right[k] for k in columns))
    )
    return bind(linalg.matmul, (x, y)).reshaped(out)


def _kept(x: T, name: str, keep: Any) -> T:
    """The elements of the last two dimensions whose (row, column) is kept; zeros elsewhere."""
    shape = x.node.shape
    if len(shape) < 2:
        raise ShapeError(f"{name}: input tensor must have at least 2 dimensions")
    row, column = np.ogrid[: shape[-2], : shape[-1]]
    dropped = x.wrap(leaf(~keep(row, column)))
    with scope(name):
        return x.masked_fill(dropped, 0)


def _diagonal(x: T, offset: int) -> T:
    """The k-th diagonals of the last two dimensions."""
    rows, columns = x.node.shape[-2:]
    first, second = max(-offset, 0), max(offset, 0)
    count = max(min(rows - first, columns - second), 0)
    place = (np.arange(count) + first) * columns + np.arange(count) + second
    flat = x.reshaped((*x.node.shape[:-2], rows * columns))
    return _taken(flat, place)


def _taken(x: T, place: Any) -> T:
    """Elements of the last dimension."""
    index = x.wrap(leaf(place.astype(np.int64, copy=False)))
    return bind(indexing.take, (x, index), {"axis": len(x.node.shape) - 1})


# einsum
def einsum(equation: str, *operands: Any) -> Any:
    """Sums of products by letters: "ij,jk->ik" is a matrix product.

    Without "->", the letters that stand once come out, in alphabetical order. "..." are dimensions
    without a letter, which broadcast.

    >>> import chalkgrad as torch
    >>> torch.einsum("i,i->", torch.ones(3), torch.ones(3))
    tensor(3.)
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not isinstance(equation, str):
        raise NotAvailable("einsum takes an equation in letters, such as 'ij,jk->ik'")
    inputs, output = _letters(equation.replace(" ", ""), operands)
    operands = tuple(_unrepeated(x, k, inputs) for k, x in enumerate(operands))
    operands, inputs = _broadcast_named(equation, operands, inputs)
    if any(x.node.dtype != operands[0].node.dtype for x in operands):
        raise DtypeError("einsum of " + " and ".join(sorted({str(x.node.dtype) for x in operands})))
    return bind(linalg.einsum, operands, {"equation": f"{','.join(inputs)}->{output}"})


def _letters(equation: str, operands: Sequence[Any]) -> tuple[list[str], str]:
    """The letters of each operand and of the output, those that "..." stands for included."""
    left, arrow, output = equation.partition("->")
    parts = left.split(",")
    if len(parts) != len(operands):
        raise ShapeError(
            f"einsum {equation!r} names {len(parts)} operands, and {len(operands)} are given"
        )
    free = [c for c in reversed(_LETTERS) if c not in equation]
    ranks = [len(x.node.shape) for x in operands]
    widths = [rank - len(part.replace("...", "")) for part, rank in zip(parts, ranks, strict=True)]
    rest = "".join(
        reversed(free[: max([0, *(w for w, p in zip(widths, parts, strict=True) if "..." in p)])])
    )
    for part, width, x in zip(parts, widths, operands, strict=True):
        if width < 0 or (width and "..." not in part):
            raise ShapeError(
                f"einsum: the number of subscripts in {part!r} of {equation!r} does not match the "
                f"dimensions of its operand, of shape {list(x.node.shape)}"
            )
    inputs = [p.replace("...", rest[len(rest) - w :]) for p, w in zip(parts, widths, strict=True)]
    if not arrow:
        given = "".join(parts).replace(".", "")
        output = "..." + "".join(sorted(c for c in set(given) if given.count(c) == 1))
    output = output.replace("...", rest)
    _check_letters(equation, inputs, output)
    return inputs, output


def _check_letters(equation: str, inputs: list[str], output: str) -> None:
    unknown = [c for c in "".join(inputs) + output if c not in _LETTERS]
    if unknown:
        raise ShapeError(f"einsum {equation!r}: {unknown[0]!r} is not a letter")
    for c in output:
        if output.count(c) > 1:
            raise ShapeError(f"einsum {equation!r}: output subscript {c!r} appears more than once")
        if not any(c in letters for letters in inputs):
            raise ShapeError(
                f"einsum {equation!r}: output subscript {c!r} does not appear in any input"
            )


def _unrepeated(x: Any, k: int, inputs: list[str]) -> Any:
    """A letter that stands twice in one operand means its diagonal."""
    letters = inputs[k]
    for c in dict.fromkeys(letters):
        while letters.count(c) > 1:
            first = letters.index(c)
            second = letters.index(c, first + 1)
            if x.node.shape[first] != x.node.shape[second]:
                raise ShapeError(
                    f"einsum: subscript {c!r} is repeated for operand {k} but the sizes don't "
                    f"match, {x.node.shape[second]} != {x.node.shape[first]}"
                )
            x = x.diagonal(0, first, second)
            letters = letters[:first] + letters[first + 1 : second] + letters[second + 1 :] + c
    inputs[k] = letters
    return x


def _broadcast_named(
    equation: str, operands: Sequence[Any], inputs: list[str]
) -> tuple[tuple[Any, ...], list[str]]:
    """Dimensions of size 1 that meet a larger one go: a factor without a letter repeats."""
    sizes: dict[str, int] = {}
    for x, letters in zip(operands, inputs, strict=True):
        for c, n in zip(letters, x.node.shape, strict=True):
            if sizes.setdefault(c, n) == 1:
                sizes[c] = n
            elif n not in (1, sizes[c]):
                raise ShapeError(f"einsum {equation!r}: '{c}' is {sizes[c]} and {n}")
    thin = []
    for k, (x, letters) in enumerate(zip(operands, inputs, strict=True)):
        kept = [(c, n) for c, n in zip(letters, x.node.shape, strict=True) if n == sizes[c]]
        thin.append(x.reshaped(tuple(n for _, n in kept)))
        inputs[k] = "".join(c for c, _ in kept)
    return tuple(thin), inputs
