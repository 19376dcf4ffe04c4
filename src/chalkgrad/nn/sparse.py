"""Embedding: a table of learned rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from chalkgrad.core.errors import ArgumentError, NotAvailable, ShapeError
from chalkgrad.nn import init
from chalkgrad.nn.functional.layers import embedding
from chalkgrad.nn.module import Module
from chalkgrad.nn.parameter import Parameter, constant
from chalkgrad.tensor.creation import holding
from chalkgrad.tensor.tensor import Tensor


class Embedding(Module):
    """One learned row for each number: (…) of whole numbers to (…, embedding_dim).

    The rows start normal, with mean 0 and variance 1. The row `padding_idx` starts as zeros and
    gets no gradient. IndexError for a number that has no row.

    >>> import chalkgrad as torch
    >>> torch.nn.Embedding(10, 3)(torch.tensor([[1, 2], [4, 4]])).shape
    torch.Size([2, 2, 3])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, _weight: Tensor | None = None, _freeze: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if max_norm is not None or scale_grad_by_freq or sparse:
            raise NotAvailable(
                "Embedding has no max_norm, scale_grad_by_freq or sparse; leave them out"
            )
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ArgumentError(
                f"Padding_idx must be within num_embeddings: {padding_idx} and {num_embeddings}"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        shape = (num_embeddings, embedding_dim)
        if _weight is None:
            self.weight = constant(shape, 0.0, device, dtype)
            self.reset_parameters()
        elif _weight.node.shape == shape:
            self.weight = Parameter(_weight)
        else:
            raise ShapeError("Shape of weight does not match num_embeddings and embedding_dim")
        self.weight.requires_grad_(not _freeze)

    def reset_parameters(self) -> None:
        """Draw new rows."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            rows = np.array(self.weight.array_for("Embedding"))
            rows[self.padding_idx] = 0
            self.weight.data = holding(rows)

    def forward(self, input: Tensor) -> Tensor:
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None
    ) -> Self:
        """A table with given rows, fixed unless freeze=False."""
        if embeddings.dim() != 2:
            raise ShapeError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.node.shape
        return cls(rows, columns, padding_idx, _weight=embeddings, _freeze=freeze)
