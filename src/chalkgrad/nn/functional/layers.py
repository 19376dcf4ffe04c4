"""Layers with weights, dropout, and attention."""

from __future__ import annotations

import math
from math import prod
from typing import Any

import numpy as np

from chalkgrad.core.errors import (
    ArgumentError,
    DimensionError,
    DtypeError,
    NotAvailable,
    ShapeError,
)
from chalkgrad.core.graph import Params
from chalkgrad.core.primitive import bind
from chalkgrad.executors.replay import replayed
from chalkgrad.nn.functional.regions import named
from chalkgrad.primitives import elementwise as e
from chalkgrad.primitives import indexing, linalg, shaping
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.linalg import einsum
from chalkgrad.tensor.random import default_generator
from chalkgrad.tensor.tensor import Tensor

_TURNED: Params = {"axes": (1, 0)}


@replayed
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b: input (…, in), weight (out, in), bias (out), result (…, out).

    RuntimeError where the widths, or the types of the numbers, do not fit together.

    >>> import chalkgrad as torch
    >>> x, W, b = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]), torch.tensor([5.0])
    >>> torch.nn.functional.linear(x, W, b)
    tensor([[16.]])
    """
    x, w = input.node, weight.node
    if len(x.shape) != 2 or x.dtype is not w.dtype or x.shape[1] != w.shape[-1]:
        _check_linear(input, weight)
        if len(x.shape) != 2:
            rows = linear(input.reshaped((prod(x.shape[:-1]), x.shape[-1])), weight, bias)
            return rows.reshaped((*x.shape[:-1], *rows.node.shape[1:]))
    out: Tensor = bind(linalg.matmul, (input, bind(shaping.transpose, (weight,), _TURNED)))
    if bias is None:
        return out
    if bias.node.shape != w.shape[:1]:
        raise ShapeError(
            f"linear got a bias of shape {list(bias.node.shape)}; it needs [{w.shape[0]}]"
        )
    return bind(e.add, (out, bind(shaping.broadcast, (bias,), {"shape": out.node.shape})))


def _check_linear(input: Tensor, weight: Tensor) -> None:
    x, w = input.node, weight.node
    if len(w.shape) != 2:
        raise ShapeError(f"linear takes a weight of shape (out, in), not {list(w.shape)}")
    if not x.shape:
        raise ShapeError("both arguments to linear need to be at least 1D, but they are 0D and 2D")
    if x.dtype != w.dtype:
        raise DtypeError(
            f"mat1 and mat2 must have the same dtype: linear got {input.dtype} numbers, its "
            f"weight is {weight.dtype}. Convert one of them, as in x.float()."
        )
    if x.shape[-1] != w.shape[1]:
        raise ShapeError(
            f"mat1 and mat2 shapes cannot be multiplied ({prod(x.shape[:-1])}x{x.shape[-1]} and "
            f"{w.shape[1]}x{w.shape[0]}): linear got width {x.shape[-1]}, its weight takes "
            f"{w.shape[1]}"
        )


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """aᵀ W_k b + c_k for every output k: weight (out, in1, in2), bias (out).

    >>> import chalkgrad as torch
    >>> a, b, W = torch.ones(1, 2), torch.ones(1, 3), torch.ones(4, 2, 3)
    >>> torch.nn.functional.bilinear(a, b, W)
    tensor([[6., 6., 6., 6.]])
    """
    _check_bilinear(input1, input2, weight)
    out: Tensor = einsum("...i,kij,...j->...k", input1, weight, input2)
    return out if bias is None else out + bias


def _check_bilinear(first: Tensor, second: Tensor, weight: Tensor) -> None:
    for word, x, size in (
        ("input1", first, weight.node.shape[1]),
        ("input2", second, weight.node.shape[2]),
    ):
        if x.node.shape[-1] != size:
            raise ShapeError(
                f"bilinear(): {word} size does not match weight size: got {x.node.shape[-1]} but "
                f"expected {size}"
            )
    if first.node.shape[:-1] != second.node.shape[:-1]:
        raise ShapeError(
            "bilinear(): input batch dimensions do not match: got "
            f"{list(first.node.shape[:-1])} and {list(second.node.shape[:-1])}"
        )


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """The rows of a table: out[…, :] = weight[input[…], :].

    No gradient reaches the row `padding_idx`. IndexError for a row that is not there.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.embedding(torch.tensor([1, 0]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    if max_norm is not None or scale_grad_by_freq or sparse:
        raise NotAvailable(
            "embedding has no max_norm, scale_grad_by_freq or sparse; leave them out"
        )
    index = _rows(input, weight.node.shape[0])
    out: Tensor = bind(indexing.take, (weight, index), {"axis": 0})
    if padding_idx is None:
        return out
    rows = weight.node.shape[0]
    if not -rows <= padding_idx < rows:
        raise ArgumentError(f"Padding_idx must be within num_embeddings: {padding_idx} and {rows}")
    padded = (index == padding_idx % rows).unsqueeze(-1).broadcasted(out.node.shape)
    return e.select(padded, out.detach(), out)  # type: ignore[no-any-return]


def _rows(input: Tensor, count: int) -> Tensor:
    if input.node.dtype.kind != "i":
        raise DtypeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {input.dtype} instead: row numbers are whole; input.long() "
            "converts "
            "them."
        )
    numbers = input.node.value
    if numbers is not None and numbers.size and (numbers.min() < 0 or numbers.max() >= count):
        wrong = numbers.min() if numbers.min() < 0 else numbers.max()
        raise DimensionError(
            f"index out of range in self: {wrong}; the table has {count} rows, 0–{count - 1}"
        )
    return input.cast(np.dtype(np.int64))


# Dropout.
def _dropped(input: Tensor, shape: tuple[int, ...], p: float, training: bool) -> Tensor:
    """x / (1 − p) with probability 1 − p, else 0; one draw for each element of `shape`."""
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0.0:
        return input
    if p == 1.0:
        return input * 0.0
    drawn = default_generator.uniform(shape, input.node.dtype)
    kept: Tensor = e.greater_equal(drawn, drawn.literal(p)).cast(input.node.dtype) / (1.0 - p)
    return input * kept


@named("dropout")
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element is 0 with probability p, else x / (1 − p), so that its mean stays x.

    >>> import chalkgrad as torch
    >>> torch.nn.functional.dropout(torch.ones(2), training=False)
    tensor([1., 1.])
    """
    out = _dropped(input, input.node.shape, p, training)
    return input.write(out, operation="dropout_") if inplace and out is not input else out


@named("dropout")
def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Whole channels are 0 with probability p: input (N, C, L) or (C, L)."""
    rank = len(input.node.shape)
    if rank not in (2, 3):
        raise ShapeError(f"dropout1d: Expected 2D or 3D input, but received a {rank}D input.")
    out = _dropped(input, (*input.node.shape[:-1], 1), p, training)
    return input.write(out, operation="dropout1d_") if inplace and out is not input else out


@named("dropout")
def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Whole channels are 0 with probability p: input (N, C, H, W)."""
    shape = input.node.shape
    if len(shape) != 4:
        raise ShapeError(
            f"dropout2d: Expected 4D input (N, C, H, W), but received a {len(shape)}D input; for "
            "(N, C, L) use dropout1d."
        )
    out = _dropped(input, (*shape[:2], 1, 1), p, training)
    return input.write(out, operation="dropout2d_") if inplace and out is not input else out


@named("attention")
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """softmax(Q Kᵀ / √d + mask) V: query (…, L, d), key (…, S, d), value (…, S, v).

    A bool mask says where to look, a floating one is added. `is_causal` looks back only.

    >>> import chalkgrad as torch
    >>> q = torch.ones(1, 2, 4)
    >>> torch.nn.functional.scaled_dot_product_attention(q, q, q).shape
    torch.Size([1, 2, 4])
    """
    if enable_gqa:
        raise NotAvailable(
            "scaled_dot_product_attention has no enable_gqa: repeat key and value instead"
        )
    if is_causal and attn_mask is not None:
        raise ShapeError("Explicit attn_mask should not be set when is_causal=True")
    scores = (query * (scale or 1 / math.sqrt(query.node.shape[-1]))) @ key.transpose(-2, -1)
    if is_causal:
        attn_mask = holding(np.tri(*scores.node.shape[-2:], dtype=bool))
    if attn_mask is not None:
        scores = _masked(scores, attn_mask)
    weights = dropout(scores.softmax(-1), dropout_p) if dropout_p else scores.softmax(-1)
    out: Tensor = weights @ value
    return out


def _masked(scores: Any, mask: Tensor) -> Any:
    if mask.node.dtype.kind == "b":
        return scores.masked_fill(mask.logical_not(), -math.inf)
    return scores + mask
