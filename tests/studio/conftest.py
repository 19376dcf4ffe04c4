"""Where a browser is needed, and there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.studio.hosts import Running, running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """CHALKGRAD_BROWSER: "required" where Chromium must be there, "apart" for a run without it."""
    if item.get_closest_marker("browser") is None:
        return
    wanted = os.environ.get("CHALKGRAD_BROWSER", "")
    if wanted == "apart":
        pytest.skip("make browser runs this one")
    if CHROMIUM is None:
        (pytest.fail if wanted == "required" else pytest.skip)("needs Chromium")


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """A server whose sessions echo."""
    with running() as found:
        yield found
