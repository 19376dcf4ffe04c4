"""Trains."""

from __future__ import annotations

from tests.studio.browser.studio import Studio, number
from tests.studio.engine import opened


def figure(studio: Studio, name: str) -> float:
    """One of the figures above the curve."""
    return number(studio.page.locator(f"[data-figure={name}]").text_content())


def test_one_step_one_epoch_and_reset(studio: Studio) -> None:
    studio.tab("train")
    page = studio.page
    talk, before = opened("lecture_001")
    after = talk.ask("step", count=1)
    page.get_by_role("button", name="Step", exact=True).click()
    studio.until("() => document.querySelector('[data-figure=updates]').textContent === '1'")
    assert abs(figure(studio, "loss") - after["loss"]["value"]) < 1e-5
    page.get_by_role("button", name="Epoch").click()
    studio.until("() => document.querySelector('[data-figure=updates]').textContent === '2'")
    page.get_by_role("button", name="Reset").click()
    studio.until("() => document.querySelector('[data-figure=updates]').textContent === '0'")
    assert abs(figure(studio, "loss") - before["loss"]["value"]) < 1e-5


def test_it_trains_live_and_the_page_stays_responsive_and_pauses(studio: Studio) -> None:
    page = studio.page
    studio.start("circles")
    studio.tab("train")
    before = figure(studio, "loss")
    page.get_by_role("button", name="Train", exact=True).click()
    studio.until(
        """(before) => before / 2 >
            parseFloat(document.querySelector('[data-figure=loss]').textContent)""",
        before,
    )
    assert page.locator(".uplot canvas").count() == 1
    # The page answers while it goes.
    studio.tab("change")
    studio.tab("train")
    page.get_by_role("button", name="Pause", exact=True).last.click()
    page.get_by_role("button", name="Train", exact=True).wait_for()
    stood = figure(studio, "updates")
    assert stood > 20
    page.wait_for_timeout(400)
    assert figure(studio, "updates") == stood


def test_the_decision_boundary_and_the_gradients_and_the_health(studio: Studio) -> None:
    studio.start("circles")
    studio.tab("train")
    plane = opened("circles")[1]["view"]["plane"]
    assert studio.page.locator(".cg-plane .cg-record").count() == len(plane["points"])
    old = studio.page.locator(".cg-boundary").get_attribute("d")
    studio.page.get_by_role("button", name="Train", exact=True).click()
    studio.until("(old) => document.querySelector('.cg-boundary').getAttribute('d') !== old", old)
    studio.page.get_by_role("button", name="Pause", exact=True).last.click()
    assert studio.page.locator(".cg-bars li").count() >= 2
    assert studio.page.locator(".cg-health li").count() >= 1


def test_the_fitted_curve_moves(studio: Studio) -> None:
    studio.start("curve")
    studio.tab("train")
    old = studio.page.locator(".cg-fit").get_attribute("d")
    studio.page.get_by_role("button", name="Step", exact=True).click()
    studio.until("(old) => document.querySelector('.cg-fit').getAttribute('d') !== old", old)


def test_t_trains_and_pauses(studio: Studio) -> None:
    studio.start("xor")
    studio.page.keyboard.press("t")
    studio.page.get_by_text("Every update has passes of its own").wait_for()
    studio.page.keyboard.press("t")
    studio.page.locator(".cg-count").wait_for()
