"""Has working marked, as it is typed."""

from __future__ import annotations

from tests.studio.browser.studio import Studio


def test_marks_appear_in_the_margin_as_lines_are_typed(studio: Studio) -> None:
    studio.tab("mark")
    area = studio.page.locator(".cg-sheet textarea")
    area.fill("sum_h1 = 0.41\noutput_h1 = 0.7")
    studio.page.wait_for_selector(".cg-gutter .is-wrong")
    signs = studio.page.locator(".cg-gutter span").all_text_contents()
    assert signs[:2] == ["✓", "✗"]
    area.fill("sum_h1 = 0.41\noutput_h1 = 0.601")
    studio.until("() => document.querySelectorAll('.cg-gutter .is-right').length === 2")
    assert "2 of 2" in studio.page.locator(".cg-score").text_content()


def test_a_known_mistake_is_named_and_its_place_lit(studio: Studio) -> None:
    """The derivative of the sigmoid, taken at its own value, in lecture 002."""
    studio.start("lecture_002")
    studio.tab("mark")
    studio.page.locator(".cg-sheet textarea").fill(
        "delta_o = (target_o - a_o) * sigmoid'(a_o) = (1 - 0.5762) * sigmoid'(0.5762) = 0.1444"
    )
    mistake = studio.page.locator(".cg-mistake")
    mistake.wait_for()
    assert "activation" in mistake.text_content()
    studio.page.locator(".cg-verdicts li").first.hover()
    assert studio.lit()
    assert "is-dimmed" in studio.page.locator(".cg-svg").get_attribute("class")


def test_the_working_is_kept_while_another_tab_is_shown(studio: Studio) -> None:
    studio.tab("mark")
    studio.page.locator(".cg-sheet textarea").fill("sum_h1 = 0.41")
    studio.tab("why")
    studio.tab("mark")
    assert studio.page.locator(".cg-sheet textarea").input_value() == "sum_h1 = 0.41"
