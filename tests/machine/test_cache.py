"""What is kept on disk: nothing that goes wrong there may reach the caller."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from chalkgrad.machine import cache


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHALKGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_where_the_folder_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/ada")
    monkeypatch.setenv("CHALKGRAD_CACHE", "~/kept")
    assert cache.folder() == Path("/home/ada/kept")
    monkeypatch.delenv("CHALKGRAD_CACHE")
    assert cache.folder() == Path("/var/ada/chalkgrad")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.folder() == Path("/home/ada/.cache/chalkgrad")


def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("CHALKGRAD_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", homeless)
    assert cache.folder() is None
    assert cache.fetch(b"key", lambda: b"made") == (b"made", False)
    assert cache.size() == 0
    cache.clear()


def test_a_folder_is_for_its_owner_alone(own: Path) -> None:
    cache.fetch(b"key", lambda: b"made")
    assert stat.S_IMODE(own.stat().st_mode) == 0o700


def test_what_is_not_found_in_a_folder_is_not_removed(own: Path) -> None:
    cache.fetch(b"key", lambda: b"made")
    (own / "letter.txt").write_text("dear")
    cache.clear()
    assert [entry.name for entry in own.iterdir()] == ["letter.txt"]


def test_a_folder_in_the_place_of_an_entry_is_no_error(own: Path) -> None:
    cache.fetch(b"key", lambda: b"made")
    (entry,) = own.iterdir()
    entry.unlink()
    entry.mkdir()
    assert cache.fetch(b"key", lambda: b"made") == (b"made", False)
    assert [e.name for e in own.iterdir()] == [entry.name]


def test_what_a_killed_process_left_goes(own: Path) -> None:
    own.mkdir()
    old, new = own / "old.part", own / "new.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    cache.fetch(b"key", lambda: b"made")
    assert (old.exists(), new.exists()) == (False, True)


def test_an_entry_that_is_used_stays(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 2500)
    for k in range(2):
        cache.fetch(bytes([k]), lambda: b"x" * 1000)
    for age, entry in enumerate(sorted(own.iterdir())):
        os.utime(entry, (1000 + age, 1000 + age))
    assert cache.fetch(bytes([0]), lambda: b"")[1]  # now it is the newer one of the two
    cache.fetch(bytes([2]), lambda: b"x" * 1000)
    assert cache.fetch(bytes([0]), lambda: b"again")[1]
    assert not cache.fetch(bytes([1]), lambda: b"again")[1]


def test_errors_of_the_maker_are_the_caller_s(own: Path) -> None:
    def fails() -> bytes:
        raise ValueError("no code")

    with pytest.raises(ValueError, match="no code"):
        cache.fetch(b"key", fails)
    assert cache.fetch(b"key", lambda: b"made") == (b"made", False)
