"""Changes things, and takes it back."""

from __future__ import annotations

import pytest

from tests.studio.browser.studio import Studio, number
from tests.studio.engine import opened


def changed(*changes: dict[str, object]) -> float:
    """The first lecture's loss after such changes, from the engine."""
    talk, state = opened("lecture_001")
    for change in changes:
        state = talk.ask("edit", change=change)
    return float(state["loss"]["value"])


def drag(studio: Studio, name: str, way: int) -> None:
    """Drag a weight's number sideways."""
    box = studio.page.locator(f"[data-label='{name}'] .cg-number").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    studio.page.mouse.move(x, y)
    studio.page.mouse.down()
    studio.page.mouse.move(x + way, y, steps=12)
    studio.page.mouse.up()


def settled(studio: Studio, loss: float) -> None:
    """Wait until the picture shows a loss."""
    studio.until(
        """(loss) => Math.abs(parseFloat(
            document.querySelector('.cg-unit.is-loss .cg-value').textContent) - loss) < 6e-5""",
        loss,
    )


def test_a_weight_is_dragged_and_everything_follows_and_one_undo_takes_it_back(
    studio: Studio,
) -> None:
    before = studio.loss()
    drag(studio, "w5", 80)
    studio.until(
        "(old) => document.querySelector('[data-label=w5] .cg-number').textContent !== old", "0.5"
    )
    studio.page.wait_for_timeout(300)
    assert studio.weight("w5") == pytest.approx(0.7)
    settled(studio, changed({"set": {"w5": 0.7}}))
    studio.page.get_by_role("button", name="Undo").click()
    settled(studio, before)
    assert studio.weight("w5") == 0.5
    studio.page.keyboard.press("Control+Shift+z")
    settled(studio, changed({"set": {"w5": 0.7}}))


def test_a_weight_an_input_and_a_target_are_typed(studio: Studio) -> None:
    studio.tab("change")
    for name, typed in (("w5", "0,7"), ("i1", "0.3"), ("target_1", "0.5")):
        studio.page.get_by_role("spinbutton", name=name, exact=True).fill(typed)
    settled(studio, changed({"set": {"w5": 0.7}}, {"set": {"i1": 0.3}}, {"set": {"target_1": 0.5}}))


def test_arrow_keys_step_a_number(studio: Studio) -> None:
    studio.tab("change")
    field = studio.page.get_by_role("spinbutton", name="w5", exact=True)
    field.focus()
    field.press("ArrowUp")
    settled(studio, changed({"set": {"w5": 0.51}}))


def test_the_slider_beside_the_derivation_moves_the_weight_and_the_derivation(
    studio: Studio,
) -> None:
    studio.ask("w5")
    before = studio.page.locator(".cg-answer-value").text_content()
    studio.page.get_by_label("w5, slider").fill("0.9")
    settled(studio, changed({"set": {"w5": 0.9}}))
    studio.until("(old) => document.querySelector('.cg-answer-value').textContent !== old", before)


def test_learning_rate_rule_loss_and_activation(studio: Studio) -> None:
    page = studio.page
    studio.tab("change")
    page.get_by_label("Activation of layer 1").select_option("tanh")
    settled(studio, changed({"activation": {"layer": 1, "to": "tanh"}}))
    page.get_by_label("Loss", exact=True).select_option("squared_error")
    settled(
        studio,
        changed({"activation": {"layer": 1, "to": "tanh"}}, {"loss": {"kind": "squared_error"}}),
    )
    page.get_by_role("spinbutton", name="learning rate").fill("0.1")
    studio.until("() => document.querySelector('.cg-code').value.includes('learning_rate = 0.1')")
    page.get_by_label("Update rule").select_option("adam")
    studio.until("() => document.querySelector('.cg-code').value.includes('adam')")


def test_units_and_layers_come_and_go(studio: Studio) -> None:
    page = studio.page
    studio.tab("change")
    page.get_by_role("button", name="One unit more in layer 1").click()
    studio.until("() => document.querySelectorAll('.cg-unit.is-unit').length === 5")
    page.get_by_role("button", name="One unit fewer in layer 1").click()
    studio.until("() => document.querySelectorAll('.cg-unit.is-unit').length === 4")
    page.get_by_role("button", name="Hidden layer").click()
    studio.until("() => document.querySelectorAll('.cg-layers li').length === 3")
    page.get_by_role("button", name="Remove layer 2").click()
    studio.until("() => document.querySelectorAll('.cg-layers li').length === 2")


def test_the_worksheet_is_edited_as_text_and_a_mistake_names_its_line(studio: Studio) -> None:
    page = studio.page
    studio.tab("change")
    code = page.locator(".cg-code")
    text = code.input_value()
    code.fill(text.replace("w5 = 0.5", "w5 = = 0.5"))
    page.get_by_role("button", name="Apply").click()
    problem = page.locator(".cg-change .cg-problem")
    problem.wait_for()
    assert "ine" in problem.text_content()
    assert studio.weight("w5") == 0.5
    code.fill(text.replace("w5 = 0.5", "w5 = 0.7"))
    page.get_by_role("button", name="Apply").click()
    settled(studio, changed({"set": {"w5": 0.7}}))


def test_what_is_no_number_is_marked_and_not_sent(studio: Studio) -> None:
    studio.tab("change")
    field = studio.page.get_by_role("spinbutton", name="w5", exact=True)
    before = studio.loss()
    field.fill("0.5.5")
    assert field.get_attribute("aria-invalid") == "true"
    studio.page.wait_for_timeout(200)
    assert studio.loss() == before
    field.blur()
    assert number(field.input_value()) == 0.5


def test_an_edit_reaches_the_picture_at_once(studio: Studio) -> None:
    """From the key to the new number in the picture, as the page's own clock has it."""
    studio.tab("change")
    studio.page.evaluate(
        """() => {
            window.times = [];
            const input = document.querySelector('input[aria-label=w5]');
            const label = document.querySelector('[data-label=w5] .cg-number');
            let began = 0;
            input.addEventListener('input', () => { began = performance.now(); });
            new MutationObserver(() => window.times.push(performance.now() - began))
                .observe(label, { characterData: true, subtree: true, childList: true });
        }"""
    )
    field = studio.page.get_by_role("spinbutton", name="w5", exact=True)
    for value in range(1, 11):
        field.fill(f"{0.6 + 0.01 * value:.2f}")
        studio.until("(value) => window.times.length === value", value)
    times = sorted(studio.page.evaluate("window.times"))
    # A generous bound for a machine that does other things; the benchmark measures it.
    assert times[len(times) // 2] < 250


@pytest.mark.parametrize("key", ["lecture_004", "lecture_004_neuron"])
def test_a_formula_is_changed_and_given_an_update_rule(studio: Studio, key: str) -> None:
    """It has no loss of a kind to choose, and no layers."""
    page = studio.page
    studio.start(key)
    studio.tab("change")
    page.get_by_role("spinbutton").first.fill("2.5")
    studio.until(
        """() => [...document.querySelectorAll('.cg-unit .cg-value')]
            .some((one) => one.textContent === '2.5')"""
    )
    assert page.get_by_label("Loss").count() == 0
    page.get_by_label("Update rule").select_option("sgd")
    studio.tab("train")
    page.get_by_role("button", name="Step", exact=True).click()
    studio.until("() => document.querySelector('[data-figure=updates]').textContent === '1'")
