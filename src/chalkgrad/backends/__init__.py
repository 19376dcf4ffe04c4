"""`torch.backends`: what PyTorch could compute with, and chalkgrad has not."""

from chalkgrad.backends import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "mps"]
