"""The built front end: is it what its sources say, and can it stand in a page?"""

from __future__ import annotations

import gzip
import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from chalkgrad.studio.page import SCRIPT, STYLE, asset

WEB = Path(__file__).parents[2] / "web"


def fingerprint() -> str:
    """As web/build.mjs computes it."""
    inside = [path for path in (WEB / "src").rglob("*") if path.is_file()]
    own = [WEB / name for name in ("build.mjs", "package.json", "package-lock.json")]
    named = sorted((path.relative_to(WEB).as_posix(), path) for path in [*inside, *own])
    found = sha256()
    for name, path in named:
        found.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


@pytest.mark.parametrize("name", [SCRIPT, STYLE])
def test_the_bundle_is_built_from_these_sources(name: str) -> None:
    """If this fails: `make studio`, and commit what it writes."""
    banner = asset(name).partition("\n")[0]
    assert banner == f"/*! chalkgrad studio, sources sha256:{fingerprint()} */"


def test_the_bundle_is_small_and_asks_no_network() -> None:
    script, style = asset(SCRIPT), asset(STYLE)
    assert sum(len(gzip.compress(part.encode())) for part in (script, style)) <= 250_000
    assert "</script" not in script.lower()
    assert "</style" not in style.lower()
    assert not re.search(r"url\((?!data:)", style)
    assert "@import" not in style
    addresses = set(re.findall(r"https?://[a-z0-9.-]+", script + style))
    assert addresses <= {"http://www.w3.org"}  # the names of SVG and MathML
    assert "eval(" not in script
    assert "new Function" not in script


def test_the_bundle_carries_the_licences_of_what_is_in_it() -> None:
    """A saved page is a copy of them, too."""
    asked = json.loads((WEB / "package.json").read_text("utf-8"))["dependencies"]
    for name, part in ((SCRIPT, "script"), (STYLE, "style")):
        notices = asset(name).rpartition("/*! This file contains:")[2]
        contained = {word for word, version in asked.items() if f"{word} {version}\n" in notices}
        assert contained == (set(asked) if part == "script" else {"katex", "uplot"})
        assert notices.count("Copyright") >= len(contained)
