"""The saved page, opened from a file with the network off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import chalkgrad as cg
from tests.studio.browser.conftest import Windows
from tests.studio.browser.studio import Studio

LECTURES = Path(__file__).parents[3] / "examples" / "lectures"
Saved = Callable[[Any], Studio]


@pytest.fixture
def saved(windows: Windows, tmp_path: Path) -> Iterator[Saved]:
    """Opens the interactive page of a derivation. It may ask for nothing but itself."""
    asked: list[str] = []

    def opened(derivation: Any) -> Studio:
        path = tmp_path / "page.html"
        path.write_text(derivation.to_html(interactive=True), "utf-8")
        studio = windows.open(path.as_uri(), offline=True)
        studio.page.on("request", lambda request: asked.append(request.url))
        return studio

    yield opened
    assert not [url for url in asked if not url.startswith(("data:", "blob:", "file:"))]


def test_a_worksheet_is_stepped_and_explained_without_an_engine(saved: Saved) -> None:
    studio = saved(cg.explain(LECTURES / "lecture_001.toml"))
    studio.page.keyboard.press("Home")
    start = studio.count()
    for _ in range(3):
        studio.page.keyboard.press("ArrowRight")
    assert studio.count() == start + 3
    studio.page.keyboard.press("End")
    assert studio.value("output_o1") != "·"
    studio.ask("w5")
    assert "∂" in studio.page.locator(".cg-answer-head").inner_text()
    board = studio.page.locator(".cg-answer").inner_text()
    studio.page.get_by_role("radio", name="Paths").or_(
        studio.page.get_by_text("Paths", exact=True)
    ).first.click()
    studio.until("(before) => document.querySelector('.cg-answer').innerText !== before", board)


def test_a_quantity_is_clicked_in_the_graph_of_a_program(saved: Saved) -> None:
    cg.manual_seed(0)
    net = cg.nn.Sequential(cg.nn.Linear(2, 2), cg.nn.Tanh(), cg.nn.Linear(2, 1))
    loss = cg.nn.functional.mse_loss(net(cg.tensor([[1.0, 2.0]])), cg.tensor([[1.0]]))
    studio = saved(cg.explain(loss))
    studio.part("0.weight[0,0]").click()
    studio.page.wait_for_selector(".cg-answer-head")
    assert "0.weight[0,0]" in studio.page.locator(".cg-answer-head").inner_text().replace(" ", "")
