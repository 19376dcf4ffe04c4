"""Asks why."""

from __future__ import annotations

import pytest

from tests.studio.browser.studio import Studio, number
from tests.studio.engine import opened


def test_clicking_a_weight_derives_it(studio: Studio) -> None:
    studio.page.locator("[data-label='w5'] .cg-label").click()
    studio.page.wait_for_selector(".cg-answer-head")
    why = opened("lecture_001")[0].ask("why", wrt="w5", view="board", names="lecture", digits=5)
    assert number(studio.page.locator(".cg-answer-value").text_content()) == pytest.approx(
        why["value"], abs=5e-6
    )
    text = studio.page.locator(".cg-answer").inner_text()
    assert "depends on" in text
    assert "Putting them together" in text
    assert "w5" in str(studio.part("w5").get_attribute("data-name"))
    assert studio.part("w5").get_attribute("aria-pressed") == "true"


def test_clicking_a_unit_and_a_bias_derives_them(studio: Studio) -> None:
    studio.part("output_h1").click()
    studio.page.wait_for_selector(".cg-answer[aria-label='Why output_h1'] .cg-answer-head")
    studio.part("b1").locator("text").click()
    studio.page.wait_for_selector(".cg-answer[aria-label='Why b1'] .cg-answer-head")


def test_clicking_an_edge_shows_its_local_derivative(studio: Studio) -> None:
    studio.start("lecture_004")
    studio.page.locator(".cg-edge[data-id='y→u'] .cg-edge-label").click()
    sought = studio.page.locator(".cg-equation.is-sought")
    sought.wait_for()
    assert sought.locator(".cg-left [role=math]").get_attribute("aria-label") == "∂u/∂y"


def test_hovering_a_factor_lights_its_place_and_hovering_the_place_lights_the_factor(
    studio: Studio,
) -> None:
    studio.ask("w1")
    factor = studio.page.locator(".cg-factor .cg-hot[data-name='∂sum_o1/∂output_h1']").first
    factor.hover()
    assert studio.lit() >= {"o1", "h1"}
    assert "w1" not in studio.lit()
    assert "is-dimmed" in studio.page.locator(".cg-svg").get_attribute("class")
    studio.page.mouse.move(5, 5)
    assert "is-dimmed" not in studio.page.locator(".cg-svg").get_attribute("class")
    studio.page.locator("[data-label='w1']").hover()
    on = studio.page.locator(".cg-hot.is-on [role=math]").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('aria-label'))"
    )
    assert "w1" in on
    assert "output_o1" not in on


def test_the_paths_have_shares_and_light_one_by_one(studio: Studio) -> None:
    studio.ask("w1")
    paths = studio.page.locator(".cg-path")
    assert paths.count() == 2
    values = [number(path.locator(".cg-path-value").text_content()) for path in paths.all()]
    total = number(studio.page.locator(".cg-answer-value").text_content())
    assert sum(values) == pytest.approx(total, abs=2e-5)
    paths.nth(0).hover()
    first = studio.lit()
    paths.nth(1).hover()
    second = studio.lit()
    assert first != second
    assert {"w1"} <= first & second
    assert paths.nth(0).locator(".cg-share-bar").bounding_box()["width"] > 0


def test_views_names_and_digits_change_how_it_is_written(studio: Studio) -> None:
    page = studio.page
    studio.ask("w5")
    answer = page.locator(".cg-answer")
    board = answer.inner_text()
    page.get_by_role("button", name="Layer").click()
    studio.until("(old) => document.querySelector('.cg-answer').innerText !== old", board)
    assert page.locator(".cg-answer [role=math][aria-label*='δ']").count() > 0
    page.get_by_role("button", name="Paths").click()
    page.get_by_role("button", name="Board").click()
    studio.until("(old) => document.querySelector('.cg-answer').innerText === old", board)
    page.get_by_label("Digits").select_option("9")
    page.wait_for_selector(".cg-answer [role=math][aria-label='0.080203124']")
    page.get_by_label("Names").select_option("nielsen")
    page.wait_for_selector(".cg-answer-head [role=math][aria-label*='w']")
    studio.until("() => !document.querySelector('.cg-answer').innerText.includes('output')")


def test_a_decimal_comma_is_written_everywhere(studio: Studio) -> None:
    page = studio.page
    studio.ask("w5")
    page.get_by_role("button", name="Help and settings").click()
    page.get_by_label("Decimal comma").check()
    page.keyboard.press("Escape")
    assert page.locator(".cg-answer-value").text_content() == "0,08020"
    assert "," in studio.value("output_h1")
    shown = page.locator(".cg-answer .katex-html").all_text_contents()
    assert any("0,73493" in text for text in shown)
    assert not any("0.73493" in text for text in shown)


def test_a_derivation_reads_as_text(studio: Studio) -> None:
    studio.ask("w5")
    labels = studio.page.locator(".cg-answer [role=math]").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('aria-label'))"
    )
    assert {"output_o1", "(1 − output_o1)", "≈", "0.08020"} <= set(labels)
    assert all(label and "\\" not in label for label in labels)
