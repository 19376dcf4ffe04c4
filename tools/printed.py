"""A block of a source file that a program prints: shown, checked, or put into its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def main(arguments: list[str], source: Path, begin: str, end: str, block: Callable[[], str]) -> int:
    """Without arguments print the block; with --write put it between the two marker lines; with
    --check compare. Returns the exit status."""
    if not arguments:
        print(block(), end="")
        return 0
    text = source.read_text(encoding="utf-8")
    head, rest = text.split(begin)
    old, tail = rest.split(end, 1)
    new = block()
    if arguments == ["--write"]:
        source.write_text(head + begin + new + end + tail, encoding="utf-8")
        return 0
    if old != new:
        print(f"{source.name} differs from the fits; run with --write")
    return int(old != new)
