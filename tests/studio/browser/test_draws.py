"""Draws a digit, and teaches it."""

from __future__ import annotations

from tests.studio.browser.studio import Studio, number


def best(studio: Studio) -> str:
    """The digit that the network says."""
    return str(studio.page.locator(".is-best .cg-bar-name").text_content())


def test_a_drawn_two_is_judged_and_taught_in_one_step(studio: Studio) -> None:
    page = studio.page
    studio.start("digits")
    studio.tab("digit")
    page.get_by_role("button", name="Clear").click()
    pad = page.locator(".cg-pad").bounding_box()
    corners = [(2.2, 1.8), (4, 0.8), (5.6, 2), (5, 3.6), (2.2, 6.6), (6, 6.7)]
    at = [(pad["x"] + x / 8 * pad["width"], pad["y"] + y / 8 * pad["height"]) for x, y in corners]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    assert page.locator(".cg-pad .cg-ink").count() > 10
    bars = page.locator(".is-outputs li")
    bars.nth(9).wait_for()
    page.wait_for_timeout(500)
    before = number(bars.nth(2).locator(".cg-bar-value").text_content())
    page.locator(".cg-labels button").nth(2).click()
    page.wait_for_selector(".is-outputs .is-before")
    old, new = bars.nth(2).locator(".cg-bar-value").text_content().split("→")
    assert abs(number(old) - before) < 1e-3
    assert number(new) >= number(old)
    assert "this is 2" in page.locator(".cg-digit [role=status]").text_content()


def test_it_is_drawn_with_the_keyboard(studio: Studio) -> None:
    studio.start("digits")
    studio.tab("digit")
    page = studio.page
    page.get_by_role("button", name="Clear").click()
    pad = page.locator(".cg-pad")
    pad.focus()
    for key in ("ArrowUp", "Space", "ArrowDown", "Space", "ArrowDown", "Space"):
        pad.press(key)
    assert page.locator(".cg-pad .cg-ink").count() == 3


def test_other_networks_have_no_canvas(studio: Studio) -> None:
    assert studio.page.locator("[data-tab=digit]").count() == 0
