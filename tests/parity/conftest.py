"""Tests that compare with PyTorch: none where it is not installed (`make parity` installs it)."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["*"]
