"""As a web page should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.studio.browser.conftest import Server, Windows
from tests.studio.browser.studio import Studio

AXE = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def test_a_first_visit_moves_within_ten_seconds_and_the_tour_is_shown_once(
    windows: Windows, studio_server: Server
) -> None:
    studio = windows.open(studio_server.address, seen=False)
    page = studio.page
    tour = page.get_by_role("dialog", name="Tour")
    tour.wait_for(timeout=10_000)
    studio.until(
        "() => parseInt(document.querySelector('.cg-count').textContent) >= 2", timeout=10_000
    )
    for place in range(1, 5):
        assert f"{place} of 5" in tour.get_attribute("aria-label")
        tour.get_by_role("button", name="Next").click()
    tour.get_by_role("button", name="Close").click()
    assert tour.count() == 0
    page.reload()
    page.wait_for_selector(".cg-svg .cg-unit")
    page.wait_for_timeout(500)
    assert tour.count() == 0


def test_the_tour_is_skipped_for_good(windows: Windows, studio_server: Server) -> None:
    studio = windows.open(studio_server.address, seen=False)
    studio.page.get_by_role("button", name="Skip").click()
    again = windows.tab(studio.page.context, studio_server.address)
    again.page.wait_for_timeout(500)
    assert again.page.get_by_role("dialog", name="Tour").count() == 0


def test_the_shell_shows_within_a_second(studio: Studio) -> None:
    """From the answer of the server to the first paint."""
    paint = studio.page.evaluate(
        """() => performance.getEntriesByName('first-contentful-paint')[0].startTime
            - performance.getEntriesByType('navigation')[0].responseStart"""
    )
    assert paint < 1_000


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm ci in web/")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_any_tab(
    windows: Windows, studio_server: Server, scheme: str
) -> None:
    # axe is the test's own script, which the page's policy would rightly refuse.
    studio = windows.open(studio_server.address, color_scheme=scheme, bypass_csp=True)
    page = studio.page
    page.evaluate(AXE.read_text("utf-8"))
    faults: list[str] = []

    def look(where: str) -> None:
        page.wait_for_timeout(250)  # colours that are still changing have no contrast of their own
        result = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        faults.extend(
            f"{where}: {fault['id']}: {fault['nodes'][0]['target']}"
            for fault in result["violations"]
            if fault["impact"] in ("serious", "critical")
        )

    look("at first")
    studio.ask("w1")
    look("why")
    for tab in ("change", "train", "mark"):
        studio.tab(tab)
        look(tab)
    page.locator(".cg-sheet textarea").fill("sum_h1 = 0.41\noutput_h1 = 0.7")
    page.wait_for_selector(".cg-gutter .is-wrong")
    look("marked")
    for opener in ("[data-tour=start]", "[data-tour=take]", "[aria-label='Help and settings']"):
        page.click(opener)
        look(opener)
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")
    studio.start("lecture_004")
    look("a graph")
    studio.start("circles")
    studio.tab("train")
    look("circles")
    studio.start("digits")
    studio.tab("digit")
    page.wait_for_selector(".is-outputs li")
    look("digit")
    assert not faults


def test_a_phone_shows_all_of_it(windows: Windows, studio_server: Server) -> None:
    studio = windows.open(studio_server.address, **PHONE)
    page = studio.page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    frame = page.locator(".cg-svg").bounding_box()
    for unit in page.locator(".cg-unit").all():
        box = unit.bounding_box()
        assert box["x"] >= -1
        assert box["x"] + box["width"] <= 391
        assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1
    assert page.get_by_role("button", name="Play").bounding_box()["y"] < 790
    tabs = page.locator(".cg-tabs").bounding_box()
    assert tabs["y"] + tabs["height"] == pytest.approx(844, abs=1)
    studio.ask("w5")
    for tab in ("change", "train", "mark"):
        studio.tab(tab)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, tab


def test_the_keyboard_alone_is_enough(studio: Studio) -> None:
    """Tab reaches the picture, Enter asks, arrows change tabs, and what has the focus shows it."""
    page = studio.page
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('data-name')") == "w1":
            break
    assert page.evaluate("document.activeElement.getAttribute('data-name')") == "w1"
    stroke = page.evaluate(
        "getComputedStyle(document.activeElement.querySelector('.cg-catch')).stroke"
    )
    assert stroke not in ("rgba(0, 0, 0, 0)", "none", "transparent")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cg-answer[aria-label='Why w1']")
    page.locator("[data-tab=why]").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.tab") == "change"
    assert page.locator("[data-tab=change]").get_attribute("aria-selected") == "true"
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_what_is_computed_is_said(studio: Studio) -> None:
    words = studio.page.locator(".cg-words")
    assert words.get_attribute("aria-live") == "polite"
    studio.page.keyboard.press("Home")
    studio.page.keyboard.press("ArrowRight")
    assert "weighted sum" in words.text_content()


def test_reduced_motion_moves_nothing(windows: Windows, studio_server: Server) -> None:
    studio = windows.open(studio_server.address, reduced_motion="reduce")
    studio.page.keyboard.press("Home")
    studio.page.keyboard.press("ArrowRight")
    moving = "(element) => getComputedStyle(element).animationName"
    assert studio.page.locator(".cg-pulse").first.evaluate(moving) == "none"


def test_a_page_in_motion_moves(studio: Studio) -> None:
    studio.page.keyboard.press("Home")
    studio.page.keyboard.press("ArrowRight")
    moving = "(element) => getComputedStyle(element).animationName"
    assert studio.page.locator(".cg-pulse").first.evaluate(moving) == "cg-run"


def paper(studio: Studio) -> str:
    """The background."""
    return str(studio.page.evaluate(
        "getComputedStyle(document.querySelector('.cg-studio')).backgroundColor"
    ))  # fmt: skip


def test_dark_follows_the_system_or_the_person(windows: Windows, studio_server: Server) -> None:
    studio = windows.open(studio_server.address, color_scheme="dark")
    dark = paper(studio)
    studio.page.get_by_role("button", name="Light colours").click()
    light = paper(studio)
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(18, 22, 29)")
    studio.page.reload()
    studio.page.wait_for_selector(".cg-svg .cg-unit")
    assert paper(studio) == light


def change(studio: Studio, value: str) -> None:
    """Give w5 a value."""
    studio.tab("change")
    studio.page.get_by_role("spinbutton", name="w5", exact=True).fill(value)
    studio.until(
        "(value) => document.querySelector('[data-label=w5] .cg-number').textContent === value",
        value,
    )


def test_two_tabs_do_not_disturb_each_other(windows: Windows, studio_server: Server) -> None:
    one = windows.open(studio_server.address)
    two = windows.tab(one.page.context, studio_server.address)
    change(one, "0.7")
    change(two, "0.9")
    assert (one.weight("w5"), two.weight("w5")) == (0.7, 0.9)
    one.page.get_by_role("button", name="Undo").click()
    one.until("() => document.querySelector('[data-label=w5] .cg-number').textContent === '0.5'")
    assert two.weight("w5") == 0.9


def test_a_duplicated_tab_is_another_session(windows: Windows, studio_server: Server) -> None:
    """The browser copies the tab's memory, and with it the key of its session."""
    one = windows.open(studio_server.address)
    change(one, "0.7")
    memory = one.page.evaluate("JSON.stringify(sessionStorage)")
    context = one.page.context
    context.add_init_script(f"if (!sessionStorage.length) Object.assign(sessionStorage, {memory})")
    two = windows.tab(context, one.page.url)
    change(two, "0.9")
    assert one.page.locator(".cg-connection p").count() == 0
    assert one.weight("w5") == 0.7


def test_refreshing_loses_nothing(studio: Studio) -> None:
    page = studio.page
    change(studio, "0.7")
    studio.ask("w5")
    page.get_by_role("button", name="To the start").click()
    page.get_by_role("button", name="One step forward").click()
    page.reload()
    page.wait_for_selector(".cg-answer[aria-label='Why w5']")
    assert studio.weight("w5") == 0.7
    assert studio.count() == 1
    page.get_by_role("button", name="Undo").click()
    studio.until("() => document.querySelector('[data-label=w5] .cg-number').textContent === '0.5'")


def test_a_lost_connection_is_said_and_joined_again(windows: Windows) -> None:
    server = Server()
    port = server.address.split(":")[2].split("/")[0]
    studio = windows.open(server.address)
    page = studio.page
    page.wait_for_url("**#s=*")
    before = page.url
    change(studio, "0.7")
    page.wait_for_url(lambda url: url != before)  # the change is in the address
    server.stop()
    said = page.locator(".cg-connection p")
    said.wait_for()
    assert "lost" in said.text_content() or "end" in said.text_content()
    assert studio.weight("w5") == 0.7
    # Another server knows neither the session nor the token: the page says so.
    other = Server("--port", port)
    try:
        page.goto(other.address)
        page.wait_for_selector(".cg-svg .cg-unit")
        studio.until(
            "() => document.querySelector('[data-label=w5] .cg-number')?.textContent === '0.7'"
        )
    finally:
        other.stop()


def test_a_connection_that_breaks_is_joined_again_by_itself(studio: Studio) -> None:
    page = studio.page
    change(studio, "0.7")
    page.context.set_offline(True)
    page.evaluate("() => window.dispatchEvent(new Event('offline'))")
    page.context.set_offline(False)
    change(studio, "0.9")
    assert page.locator(".cg-connection p").count() == 0
