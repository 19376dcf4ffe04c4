"""The widget in a real notebook server: JupyterLab, its kernel, and what a person does there."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("jupyterlab")
LECTURE = Path(__file__).parents[3] / "examples" / "lectures" / "lecture_001.toml"
CELLS = (
    f"import chalkgrad as cg\ncg.studio({str(LECTURE)!r})",
    "import numpy as np\ncg.manual_seed(0)\n"
    "net = cg.nn.Sequential(cg.nn.Linear(2, 3), cg.nn.Tanh(), cg.nn.Linear(3, 1))\n"
    "x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])\n"
    "y = np.array([[0.0], [1.0], [1.0], [0.0]])\n"
    "shown = cg.studio(net, x, y, title='Mine')\nshown",
    "print('updates', shown.session.state()['updates'])",
)


class Lab:
    """JupyterLab in a folder of its own, with a notebook of the cells."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        _notebook(folder / "studio.ipynb")
        own = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                    f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0",
                    f"--IdentityProvider.token={self.token}", "--LabApp.news_url=None",
                    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                ],
                cwd=folder, stdout=log, stderr=log,
                env={**os.environ, **own, "IPYTHONDIR": str(folder / "ipython")},
            )  # fmt: skip
        self._ready(folder / "log")

    def _ready(self, log: Path) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/api").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise AssertionError(log.read_text()[-2000:])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/lab/tree/studio.ipynb?token={self.token}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def _notebook(path: Path) -> None:
    cells = [
        {"cell_type": "code", "id": f"c{k}", "metadata": {}, "source": source, "outputs": [],
         "execution_count": None}
        for k, source in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    found = {
        "cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    path.write_text(json.dumps(found))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def notebook(lab: Lab, chromium: Any) -> Iterator[Any]:
    """The notebook, with every cell run."""
    context = chromium.new_context(viewport={"width": 1280, "height": 2200})
    context.add_init_script("try { localStorage['chalkgrad-seen'] = '1' } catch {}")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(lab.address)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_selector(".cg-studio .cg-svg")
    yield page
    context.close()


def test_a_worksheet_and_a_model_are_shown_and_do_what_they_do_in_the_page(notebook: Any) -> None:
    widgets = notebook.locator(".cg-studio.is-widget")
    notebook.wait_for_function("() => document.querySelectorAll('.cg-studio .cg-svg').length === 2")
    first = widgets.first
    first.get_by_label("Quantity").select_option("w5")
    first.locator(".cg-answer-head").wait_for()
    assert "∂" in first.locator(".cg-answer-head").inner_text()

    first.locator("[data-tab=change]").click()
    before = first.locator(".cg-unit.is-loss .cg-value").text_content()
    first.get_by_role("spinbutton", name="w5", exact=True).fill("0.9")
    notebook.wait_for_function(
        "(before) => document.querySelector('.cg-unit.is-loss .cg-value').textContent !== before",
        arg=before,
    )
    assert first.locator("[data-label=w5] .cg-number").text_content() == "0.9"


def test_training_runs_beside_the_notebook_in_the_kernel(notebook: Any) -> None:
    second = notebook.locator(".cg-studio.is-widget").nth(1)
    second.locator("[data-tab=train]").click()
    second.get_by_role("button", name="Train", exact=False).first.click()
    notebook.wait_for_timeout(1500)
    cells = notebook.locator(".jp-CodeCell")
    cells.nth(2).locator(".cm-content").click()
    notebook.keyboard.press("Control+Enter")
    made = notebook.locator(".jp-OutputArea-output", has_text=re.compile(r"updates [1-9]"))
    made.wait_for()


def test_keys_inside_the_widget_are_not_commands_of_the_notebook(notebook: Any) -> None:
    first = notebook.locator(".cg-studio.is-widget").first
    cells = notebook.locator(".jp-CodeCell").count()
    first.focus()
    for key in ("ArrowRight", "ArrowRight", "a", "b", "d", "d"):
        notebook.keyboard.press(key)
    assert notebook.locator(".jp-CodeCell").count() == cells
