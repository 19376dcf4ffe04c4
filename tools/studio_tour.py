"""The walk through the studio, docs/studio.md, with its pictures: `python tools/studio_tour.py`.

A real studio in a real Chromium is driven through a lesson; what is looked at is photographed, and
numbers in the text are read off the page. It needs Chromium and the packages of the browser tests.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
LECTURE = ROOT / "examples/lectures/lecture_001.toml"
ANSWERS = ROOT / "examples/lectures/lecture_002.answers"
TEXT = Path(__file__).with_suffix(".md")
PAGE, PICTURES = ROOT / "docs/studio.md", ROOT / "docs/studio"
COMMAND = "python tools/studio_tour.py"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
SEEN = "try { localStorage['chalkgrad-seen'] = '1' } catch {}"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
MARKED = slice(7, 20)  # the answers' lines up to the one with the mistake
TWO = ((2.2, 1.8), (4, 0.8), (5.6, 2), (5, 3.6), (2.2, 6.6), (6, 6.7))  # a 2, in pixels of 8 × 8


class Tour:
    """What the text says of the page, gathered while it is driven."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.facts: dict[str, str] = {}

    def picture(self, name: str) -> None:
        """Photograph the page as it stands."""
        self.page.mouse.move(4, 4)
        self.page.wait_for_timeout(400)  # until what fades has faded
        self.page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def end(self) -> None:
        """Show all of the passes."""
        self.page.keyboard.press("End")

    def tab(self, key: str) -> None:
        self.page.click(f"[data-tab={key}]")

    def start(self, key: str) -> None:
        """Begin with an entry of the list."""
        self.click("Start from")
        self.page.click(f"[data-start='{key}']")
        self.page.wait_for_selector("dialog", state="detached")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.text_content()).strip()

    def ask(self, name: str) -> None:
        self.tab("why")
        self.page.select_option(".cg-chooser select", name)
        self.page.wait_for_selector(f".cg-answer h2 [aria-label$='∂{name}']")


def stepping(tour: Tour) -> None:
    """The passes of lecture 001."""
    page = tour.page
    tour.click("To the start")
    for _ in range(3):
        tour.click("One step forward")
    tour.facts["step"] = tour.text(".cg-words")
    tour.picture("forward")
    scrubber = page.get_by_label("Place in the passes")
    last = int(str(scrubber.get_attribute("max")))
    for place in range(last):
        scrubber.fill(str(place))
        if "w5" in tour.text(".cg-words"):
            break
    tour.facts["backward"] = tour.text(".cg-words")
    tour.picture("backward")


def asking(tour: Tour) -> None:
    """Why a gradient is what it is."""
    tour.end()
    tour.ask("w5")
    tour.facts["w5"] = tour.text(".cg-answer-value")
    tour.picture("why")
    tour.ask("w1")
    tour.facts["w1"] = tour.text(".cg-answer-value")
    tour.page.get_by_role("button", name="Paths", exact=True).click()
    paths = tour.page.locator(".cg-paths li")
    paths.first.wait_for()
    tour.facts["paths"] = str(paths.count())
    tour.picture("paths")
    tour.page.get_by_role("button", name="Board", exact=True).click()


def changing(tour: Tour) -> None:
    """Another weight, and the loss that follows."""
    tour.facts["loss"] = tour.text(".cg-unit.is-loss .cg-value")
    tour.ask("w5")
    field = tour.page.locator(".cg-inspector input[role=spinbutton]")
    field.fill("-1.5")
    field.press("Enter")
    tour.page.wait_for_function(
        "(old) => document.querySelector('.cg-unit.is-loss .cg-value').textContent.trim() !== old",
        arg=tour.facts["loss"],
    )
    tour.facts["changed"] = tour.text(".cg-unit.is-loss .cg-value")
    tour.tab("change")
    tour.picture("change")
    tour.click("Undo")


def marking(tour: Tour) -> None:
    """A person's working, with a mistake in it."""
    tour.start("lecture_002")
    tour.end()
    tour.tab("mark")
    lines = ANSWERS.read_text("utf-8").splitlines()
    area = tour.page.locator(".cg-sheet textarea")
    area.fill("\n".join(lines[MARKED]).strip())
    area.press("Home")
    mistake = tour.page.locator(".cg-mistake").first
    mistake.wait_for()
    tour.facts["mistake"] = tour.text(".cg-mistake")
    tour.picture("mark")


def training(tour: Tour) -> None:
    """A boundary that is learned while one looks."""
    tour.start("circles")
    tour.end()
    tour.tab("train")
    tour.click("Train")
    tour.page.wait_for_function(
        "() => parseFloat(document.querySelector('[data-figure=loss]').textContent) < 0.05",
        timeout=60_000,
    )
    tour.page.set_viewport_size({"width": 1280, "height": 960})  # the boundary is below the curve
    tour.picture("train")
    tour.page.set_viewport_size(WIDE)
    tour.click("Pause")


def drawing(tour: Tour) -> None:
    """A 2 that is drawn, and taught."""
    page = tour.page
    tour.start("digits")
    tour.tab("digit")
    tour.click("Clear")
    pad: Any = page.locator(".cg-pad").bounding_box()
    at = [(pad["x"] + x / 8 * pad["width"], pad["y"] + y / 8 * pad["height"]) for x, y in TWO]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    page.locator(".is-outputs li").nth(9).wait_for()
    page.wait_for_timeout(500)
    page.locator(".cg-labels button").nth(2).click()
    page.wait_for_selector(".is-outputs .is-before")
    tour.facts["taught"] = re.sub(r"\s+", " ", tour.text(".is-outputs li:nth-child(3)"))[1:]
    tour.picture("digit")


def taking(tour: Tour) -> None:
    """What can be taken away."""
    tour.start("lecture_001")
    tour.end()
    tour.click("Take away")
    tour.page.locator("dialog").wait_for()
    tour.picture("take")


STOPS: tuple[Callable[[Tour], None], ...] = (
    stepping, asking, changing, marking, training, drawing, taking,
)  # fmt: skip


def main() -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        sys.exit("there is no chromium: apt-get install chromium")
    PICTURES.mkdir(exist_ok=True)
    with studio() as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=FLAGS)
        tour = Tour(_opened(chromium, address, viewport=WIDE))
        for stop in STOPS:
            stop(tour)
        telephone = Tour(_opened(chromium, address, viewport=NARROW, color_scheme="dark"))
        telephone.end()
        telephone.picture("telephone")
        chromium.close()
    PAGE.write_text(TEXT.read_text("utf-8").format(command=COMMAND, **tour.facts), encoding="utf-8")


def _opened(chromium: Any, address: str, **options: Any) -> Page:
    """The page, as somebody sees it who has been here before."""
    context = chromium.new_context(**options)
    context.add_init_script(SEEN)
    page: Page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(address)
    page.wait_for_selector(".cg-svg .cg-unit")
    return page


@contextmanager
def studio() -> Iterator[str]:
    """A studio with lecture 001, at an address."""
    command = [sys.executable, "-m", "chalkgrad", "studio", "--no-open", str(LECTURE)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


if __name__ == "__main__":
    main()
