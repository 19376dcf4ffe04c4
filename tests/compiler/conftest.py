"""Where the compiler's tests keep programs, and how they make small ones worth two threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalkgrad.compiler import program


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hundreds of random programs do not belong into a person's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHALKGRAD_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def everything_shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Threads share every kernel, however small, of programs that two threads compile anew."""
    monkeypatch.setattr(program, "SHARED", 1)
    monkeypatch.setattr(program, "_LARGE", 0)
    monkeypatch.setenv("CHALKGRAD_CACHE", str(tmp_path))
