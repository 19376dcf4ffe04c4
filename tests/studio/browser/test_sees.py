"""Sees the network."""

from __future__ import annotations

import pytest

from tests.studio.browser.studio import Studio, number
from tests.studio.engine import opened


def test_every_unit_and_weight_stands_there_with_the_engines_numbers(studio: Studio) -> None:
    scene = opened("lecture_001")[1]["scene"]
    for weight in scene["weights"]:
        assert studio.weight(weight["name"]) == pytest.approx(weight["value"], abs=5e-5)
        shown = studio.page.locator(f"[data-label='{weight['name']}'] .cg-gradient").text_content()
        assert number(shown) == pytest.approx(weight["gradient"], abs=5e-5)
    for unit in (unit for column in scene["layers"] for unit in column["units"]):
        name = unit["quantities"][-1]
        assert number(studio.value(name)) == pytest.approx(unit["value"], abs=5e-5)
        assert number(studio.gradient(name)) == pytest.approx(unit["gradient"], abs=5e-5)
    assert studio.loss() == pytest.approx(scene["loss"]["value"], abs=5e-5)


def test_a_weights_sign_shows_by_colour_and_by_dash_and_its_size_by_width(studio: Studio) -> None:
    studio.start("xor")
    weights = opened("xor")[1]["scene"]["weights"]
    drawn = {weight["name"]: studio.part(weight["name"]).locator(".cg-line") for weight in weights}
    for weight in weights:
        negative = weight["value"] < 0
        line = drawn[weight["name"]]
        assert ("is-negative" in line.get_attribute("class")) == negative
        assert (line.get_attribute("stroke-dasharray") is not None) == negative
    assert len({weight["value"] < 0 for weight in weights}) == 2
    by_size = sorted(weights, key=lambda weight: abs(weight["value"]))
    widths = [float(drawn[weight["name"]].get_attribute("stroke-width")) for weight in by_size]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_a_formula_is_a_graph_with_local_derivatives_on_its_edges(studio: Studio) -> None:
    studio.start("lecture_004")
    edges = opened("lecture_004")[1]["scene"]["edges"]
    for edge in edges:
        text = studio.page.locator(
            f".cg-edge[data-id='{edge['id']}'] .cg-edge-label"
        ).text_content()
        assert text.startswith(edge["name"])
        assert number(text.removeprefix(edge["name"])) == edge["value"]
    assert studio.page.locator(".cg-edge").count() == len(edges) == 5


def test_a_large_layer_is_folded_and_opens_on_click(studio: Studio) -> None:
    studio.start("digits")
    fold = studio.page.locator(".cg-fold").first
    assert "1–16 of 64" in fold.text_content()
    studio.page.get_by_role("button", name="later units of inputs").click()
    studio.until("() => document.querySelector('.cg-fold').textContent.includes('17–32 of 64')")


def test_pan_zoom_and_fit(studio: Studio) -> None:
    page = studio.page
    group = page.locator(".cg-svg > g")
    fitted = group.get_attribute("transform")
    page.get_by_role("button", name="Zoom in").click()
    zoomed = group.get_attribute("transform")
    assert zoomed != fitted
    box = page.locator(".cg-svg").bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 130, box["y"] + 60, steps=4)
    page.mouse.up()
    assert group.get_attribute("transform") != zoomed
    page.mouse.wheel(0, 400)
    page.get_by_role("button", name="Fit the picture").click()
    assert group.get_attribute("transform") == fitted


WIDE = """
title = "Forty units and very long names"
[parameters]
{parameters}
[[layer]]
units = [{units}]
weights = [{weights}]
activation = "tanh"
[[layer]]
units = ["answer"]
weights = [[{back}]]
[data]
inputs = {{ temperature_of_the_water_in_the_north_basin = 0.4 }}
targets = {{ answer = 1 }}
[loss]
kind = "half_squared_error"
"""


def wide(count: int = 40) -> str:
    """A worksheet with so many hidden units."""
    ups = [f"w_from_the_water_to_{k}" for k in range(count)]
    backs = [f"v{k}" for k in range(count)]
    return WIDE.format(
        parameters="\n".join(
            f"{name} = {0.01 * (k - count)}" for k, name in enumerate(ups + backs)
        ),
        units=", ".join(f'"hidden_unit_number_{k}"' for k in range(count)),
        weights=", ".join(f'["{name}"]' for name in ups),
        back=", ".join(f'"{name}"' for name in backs),
    )


def test_long_names_and_forty_units_do_not_break_it(studio: Studio) -> None:
    page = studio.page
    page.click("[data-tour=start]")
    page.fill("dialog textarea", wide())
    page.click("dialog button:has-text('Open it')")
    page.wait_for_selector("dialog", state="detached")
    assert page.locator(".cg-unit.is-unit").count() == 41
    frame = page.locator(".cg-svg").bounding_box()
    for unit in page.locator(".cg-unit").all():
        box = unit.bounding_box()
        assert box["x"] >= frame["x"] - 1
        assert box["y"] >= frame["y"] - 1
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
        assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    studio.ask("w_from_the_water_to_7")
    for tab in ("why", "change", "mark"):
        studio.tab(tab)
        body = page.locator(".cg-tab-body")
        assert body.evaluate("(body) => body.scrollWidth <= body.clientWidth"), tab


def test_all_records_at_once_show_a_bar_each(studio: Studio) -> None:
    studio.start("xor")
    studio.page.get_by_label("Record").select_option("")
    studio.page.wait_for_selector(".cg-part .cg-tint", state="attached")
    unit = studio.page.locator(".cg-unit.is-unit").first
    assert unit.locator(".cg-tint").count() == 4
