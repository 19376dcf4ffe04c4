"""A real server, a real Chromium, and a page of the studio in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.studio.browser.studio import Studio

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("uvicorn")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these drive a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Server:
    """`chalkgrad studio`, running."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chalkgrad", "studio", "--no-open", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.address = self._address()

    def _address(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"http://\S+", line):
                return found[0]
        raise AssertionError("the server ended without an address")

    def stop(self) -> None:
        """End it, and wait for that."""
        self.process.terminate()
        self.process.wait(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="session")
def studio_server() -> Iterator[Server]:
    """One server for all tests of a worker: sessions do not disturb each other."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Windows:
    """Opens windows, each a person's own, and notes what goes wrong in them."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.contexts: list[Any] = []
        self.faults: list[str] = []

    def open(self, address: str, *, seen: bool = True, **options: Any) -> Studio:
        """A window of a person who has (not) been here before."""
        context = self.browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "accept_downloads": True, **options}
        )
        self.contexts.append(context)
        if seen:
            context.add_init_script("try { localStorage['chalkgrad-seen'] = '1' } catch {}")
        return self.tab(context, address)

    def tab(self, context: Any, address: str) -> Studio:
        """One more tab of the same person."""
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.faults.append(f"{error}"))
        page.on("console", self._listen)
        page.goto(address)
        page.wait_for_selector(".cg-svg .cg-unit")
        return Studio(page)

    def _listen(self, message: Any) -> None:
        # A test may stop the server or take the network away, and the browser says so by itself.
        expected = "ERR_CONNECTION_REFUSED", "ERR_INTERNET_DISCONNECTED"
        if message.type == "error" and not any(word in message.text for word in expected):
            self.faults.append(message.text)


@pytest.fixture
def windows(chromium: Any) -> Iterator[Windows]:
    """Windows whose pages may report no error at all: neither a fault nor a blocked script."""
    windows = Windows(chromium)
    yield windows
    for context in windows.contexts:
        context.close()
    assert not windows.faults


@pytest.fixture
def studio(windows: Windows, studio_server: Server) -> Studio:
    """The studio at 1280 × 800, with the first lecture open."""
    return windows.open(studio_server.address)


@pytest.fixture
def page(studio: Studio) -> Any:
    """Playwright's page of it."""
    return studio.page
