"""PyTorch's place for `utils.data`."""

from chalkgrad.utils import data

__all__ = ["data"]
