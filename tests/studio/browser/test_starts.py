"""Starts from lectures, the gallery, a worksheet, a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.studio.browser.studio import Studio
from tests.studio.engine import GALLERY, LECTURES

EXAMPLES = Path(__file__).parents[3] / "examples" / "lectures"
TABLE = "width,height,kind\n" + "\n".join(
    f"{0.1 * k},{0.3 * (k % 5)},{'wide' if k > 10 else 'narrow'}" for k in range(20)
)


@pytest.mark.parametrize("key", [*LECTURES, *GALLERY, "digits"])
def test_every_start_opens(studio: Studio, key: str) -> None:
    studio.start(key)
    assert studio.page.locator(".cg-trouble p").count() == 0
    assert studio.page.locator(".cg-svg .cg-unit").count() >= 3


def test_a_worksheet_is_pasted(studio: Studio) -> None:
    text = (EXAMPLES / "lecture_002.toml").read_text("utf-8")
    page = studio.page
    page.click("[data-tour=start]")
    page.fill("dialog textarea", text.replace("0.", "0.", 1))
    page.click("dialog button:has-text('Open it')")
    page.wait_for_selector("dialog", state="detached")
    assert "XOR" in page.inner_text("h1")


def test_a_worksheet_that_cannot_be_read_says_where(studio: Studio) -> None:
    page = studio.page
    page.click("[data-tour=start]")
    page.fill("dialog textarea", "title = ")
    page.click("dialog button:has-text('Open it')")
    assert page.locator("dialog .cg-problem").text_content()
    assert "sigmoid" in page.inner_text("h1")


def test_a_file_is_opened(studio: Studio) -> None:
    studio.page.click("[data-tour=start]")
    studio.page.set_input_files("dialog input[type=file]", EXAMPLES / "lecture_004.toml")
    studio.page.wait_for_selector(".cg-svg.is-graph")


def drop(studio: Studio, name: str, text: str) -> None:
    """Drop a file on the page."""
    studio.page.evaluate(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name));
            const place = document.querySelector('.cg-picture');
            for (const type of ['dragover', 'drop']) {
                place.dispatchEvent(new DragEvent(type,
                    { dataTransfer: data, bubbles: true, cancelable: true }));
            }
        }""",
        [name, text],
    )


def test_a_table_is_dropped_on_the_page(studio: Studio) -> None:
    drop(studio, "things.csv", TABLE)
    studio.until("() => document.querySelector('h1').textContent.includes('things')")
    assert studio.page.locator(".cg-unit.is-input").count() == 2
    studio.tab("train")
    assert studio.page.locator(".cg-plane .cg-record").count() == 20


def test_a_table_that_is_none_says_why_and_changes_nothing(studio: Studio) -> None:
    drop(studio, "things.csv", "only,a,header\n")
    studio.page.wait_for_selector(".cg-trouble p")
    assert len(studio.trouble()) > 10
    assert "sigmoid" in studio.page.inner_text("h1")
