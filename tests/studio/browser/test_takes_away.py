"""Takes it away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.studio.browser.conftest import Server, Windows
from tests.studio.browser.studio import Studio

BEGINS = {
    "worksheet": "title", "python": "# A 2-2-2", "pytorch": "# A 2-2-2", "svg": "<",
    "text": "A 2-2-2",
    "markdown": "#", "latex": "\\documentclass", "typst": "#", "html": "<!",
    "notebook": "{", "json": "{",
}  # fmt: skip


def take(studio: Studio, form: str) -> Path:
    """Download one form of it."""
    if studio.page.locator("dialog").count() == 0:
        studio.page.click("[data-tour=take]")
    with studio.page.expect_download(timeout=60_000) as waiting:
        studio.page.click(f"[data-format={form}]")
    return Path(waiting.value.path())


@pytest.mark.parametrize("form", BEGINS)
def test_every_text_form_is_what_it_says(studio: Studio, form: str) -> None:
    studio.ask("w5")
    text = take(studio, form).read_text("utf-8")
    assert text.lstrip().startswith(BEGINS[form]), text[:60]
    if form in ("json", "notebook"):
        assert json.loads(text)


def test_the_picture_is_painted_as_png_and_a_pdf_is_one(studio: Studio) -> None:
    png = take(studio, "png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) > 5_000
    assert take(studio, "pdf").read_bytes().startswith(b"%PDF")


def test_a_copied_link_shows_the_same_state_to_somebody_else(
    windows: Windows, studio_server: Server
) -> None:
    studio = windows.open(studio_server.address)
    studio.tab("change")
    studio.page.get_by_role("spinbutton", name="w5", exact=True).fill("0.7")
    studio.until("() => document.querySelector('[data-label=w5] .cg-number').textContent === '0.7'")
    studio.page.click("[data-tour=take]")
    link = studio.page.get_by_label("Link to this state").input_value()
    assert "token" not in link
    assert "#s=" in link
    loss = studio.loss()
    other = windows.open(studio_server.address + "#" + link.split("#")[1])
    other.until("() => document.querySelector('[data-label=w5] .cg-number')?.textContent === '0.7'")
    assert other.loss() == loss


def test_the_address_follows_the_state(studio: Studio) -> None:
    studio.until("() => location.hash.startsWith('#s=')")
    old = studio.page.evaluate("location.hash")
    studio.tab("change")
    studio.page.get_by_role("spinbutton", name="w5", exact=True).fill("0.7")
    studio.until("(old) => location.hash !== old", old)


def test_the_page_that_is_taken_away_steps_and_explains_without_a_server(
    studio: Studio, chromium: Any, tmp_path: Path
) -> None:
    saved = tmp_path / "page.html"
    saved.write_bytes(take(studio, "studio").read_bytes())
    context = chromium.new_context(offline=True)
    context.add_init_script("try { localStorage['chalkgrad-seen'] = '1' } catch {}")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda note: faults.append(note.text) if note.type == "error" else None)
    page.goto(saved.as_uri())
    page.wait_for_selector(".cg-svg .cg-unit")
    offline = Studio(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert offline.count() == 1
    assert offline.value("sum_h1") == "0.41"
    offline.ask("w5")
    assert page.locator(".cg-answer-value").text_content() == "0.08020"
    page.get_by_role("button", name="Layer").click()
    page.wait_for_selector(".cg-answer [role=math][aria-label*='δ']")
    assert page.locator("[data-tour=start]").count() == 0
    offline.tab("change")
    assert "was saved" in page.locator(".cg-tab-body").inner_text()
    context.close()
    assert not faults
