"""Steps forward and back."""

from __future__ import annotations

from tests.studio.browser.studio import Studio, number
from tests.studio.engine import opened


def test_forward_one_quantity_shows_its_number_and_what_it_is_made_of(studio: Studio) -> None:
    page = studio.page
    page.get_by_role("button", name="To the start").click()
    assert studio.value("sum_h1") == "·"
    assert studio.gradient("output_o1") is None
    page.get_by_role("button", name="One step forward").click()
    step = opened("lecture_001")[1]["steps"][0]
    assert studio.value(step["reveals"]) == "0.41"
    assert studio.value("output_h1") == "·"
    assert studio.lit() >= {"h1", "w1", "w3"}
    assert "w2" not in studio.lit()
    assert page.locator(".cg-words").text_content() == step["words"]
    formula = page.locator(".cg-formula [role=math]")
    assert formula.get_attribute("aria-label") == f"{step['name']} {step['text']}"
    assert formula.locator(".katex").count() == 1


def test_back_hides_it_again(studio: Studio) -> None:
    page = studio.page
    page.get_by_role("button", name="To the start").click()
    page.get_by_role("button", name="One step forward").click()
    page.get_by_role("button", name="One step back").click()
    assert studio.count() == 0
    assert studio.value("sum_h1") == "·"


def test_to_the_end_shows_the_updates(studio: Studio) -> None:
    steps = opened("lecture_001")[1]["steps"]
    studio.page.get_by_role("button", name="To the end").click()
    assert studio.count() == len(steps)
    new = studio.page.locator("[data-label='w8'] .cg-new").text_content()
    assert abs(number(new.removeprefix("→ ")) - steps[-1]["value"]) < 5e-5


def test_backward_runs_against_the_arrows_and_shows_gradients_one_by_one(studio: Studio) -> None:
    steps = opened("lecture_001")[1]["steps"]
    place = next(k for k, step in enumerate(steps) if step["name"] == "∂E_total/∂w5")
    scrubber = studio.page.get_by_label("Place in the passes")
    scrubber.fill(str(place))
    label = studio.page.locator("[data-label='w5'] .cg-gradient")
    assert label.count() == 0
    studio.page.get_by_role("button", name="One step forward").click()
    assert label.count() == 1
    assert studio.page.locator("[data-label='w1'] .cg-gradient").count() == 0
    assert "is-backward" in studio.page.locator(".cg-current").get_attribute("class")
    assert "w5" in studio.lit()


def test_play_goes_on_by_itself_pauses_and_is_faster_when_asked(studio: Studio) -> None:
    page = studio.page
    page.get_by_label("Speed").select_option("8")
    page.get_by_role("button", name="To the start").click()
    page.get_by_role("button", name="Play").click()
    studio.until(
        "() => parseInt(document.querySelector('.cg-count').textContent) >= 3", timeout=8_000
    )
    page.get_by_role("button", name="Pause").click()
    stood = studio.count()
    page.wait_for_timeout(500)
    assert studio.count() == stood


def test_the_keyboard_steps_and_plays(studio: Studio) -> None:
    press = studio.page.keyboard.press
    press("Home")
    assert studio.count() == 0
    press("ArrowRight")
    press("ArrowRight")
    assert studio.count() == 2
    press("ArrowLeft")
    assert studio.count() == 1
    press("End")
    assert studio.count() == len(opened("lecture_001")[1]["steps"])
    press("Home")
    press("Space")
    studio.until("() => parseInt(document.querySelector('.cg-count').textContent) >= 1")
    press("Space")


def test_keys_that_are_typed_into_a_field_do_not_step(studio: Studio) -> None:
    studio.tab("mark")
    before = studio.count()
    studio.page.locator(".cg-sheet textarea").press_sequentially("a b")
    studio.page.keyboard.press("ArrowLeft")
    assert studio.count() == before
    assert studio.page.locator(".cg-sheet textarea").input_value() == "a b"


def test_another_record_has_another_pass(studio: Studio) -> None:
    studio.start("xor")
    page = studio.page
    first = studio.value("x1")
    page.get_by_label("Record", exact=True).select_option("4")
    studio.until(
        """(first) => first !==
            document.querySelector('.cg-part[data-name=x1] .cg-value').textContent""",
        first,
    )
    assert (first, studio.value("x1")) == ("0", "1")
