"""The SVG is well formed, complete, the same every time, and inert whatever names people give."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf, isfinite, nan
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad.draw import Edge, Picture, Vertex, folded, svg, text
from chalkgrad.draw.measure import clean, elided
from chalkgrad.draw.palette import DARK, LIGHT
from tests.draw.pictures import lecture, network

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
GEOMETRY = ("x", "y", "width", "height", "d", "viewBox", "rx", "stroke-width", "transform")
HOSTILE = (
    "<script>alert(1)</script>",
    "a & b",
    "\"'>",
    "]]>",
    "w" * 200,
    "שלום",
    "\u202eevil\u2066",
    "\x00\x1b[31m\x7f\x85",
    "\ud800",
    "\ufffe\U0001ffff",
    "two\nlines\tand tabs",
    "&#x41;&lt;",
    "",
)
names = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=()), max_size=30)
numbers = st.none() | st.floats() | st.sampled_from([0.0, inf, -inf, nan, 1e300, -1e-300])


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """Any graph without circles, with any names."""
    count = draw(st.integers(0, 9))
    kinds = st.sampled_from(["input", "parameter", "target", "loss", "value", "anything"])
    columns = st.none() | st.integers(0, 5)
    vertices = tuple(
        Vertex(str(i), draw(names), draw(numbers), draw(kinds), draw(columns), draw(names))
        for i in range(count)
    )
    pairs = [(a, b) for a in range(count) for b in range(a + 1, count)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=15)) if pairs else []
    edges = tuple(Edge(str(a), str(b), draw(names), draw(names), draw(numbers)) for a, b in chosen)
    kind = draw(st.sampled_from(["graph", "layers"]))
    return Picture(vertices, edges, draw(names), draw(names), layout=kind)


def groups(drawn: str, kind: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(drawn)
    return [group for group in root.iter(f"{SVG}g") if group.get("class") == kind]


@given(pictures(), st.booleans())
def test_any_picture_is_well_formed_complete_and_inert(picture: Picture, dark: bool) -> None:
    drawn = svg(picture, dark=dark)
    root = ElementTree.fromstring(drawn)
    assert len(groups(drawn, "vertex")) == len(picture.vertices)
    assert len(groups(drawn, "edge")) == len(picture.edges)
    allowed = {"svg", "title", "desc", "style", "g", "rect", "path", "text"}
    assert {element.tag for element in root.iter()} <= {SVG + tag for tag in allowed}
    for element in root.iter():
        assert not any("href" in name or name.startswith("on") for name in element.attrib)
        for name in GEOMETRY:
            written = element.get(name, "")
            assert "nan" not in written
            assert "inf" not in written
            assert all(isfinite(float(found)) for found in NUMBER.findall(written))
    assert drawn == svg(picture, dark=dark)


@given(pictures())
def test_any_picture_can_be_told(picture: Picture) -> None:
    told = text(picture)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", told)
    assert len(told.split("\n")) >= len(picture.vertices)


@given(pictures(), st.integers(1, 4))
def test_any_picture_can_be_folded(picture: Picture, most: int) -> None:
    few = folded(picture, most)
    hidden = sum(int(v.label.split()[1]) for v in few.vertices if v.kind == "rest")
    shown = sum(v.kind != "rest" for v in few.vertices)
    assert shown + hidden == len(picture.vertices)
    svg(few)


@given(names)
def test_clean_text_is_what_xml_allows(name: str) -> None:
    ElementTree.fromstring(f"<a>{escape(clean(name))}</a>")
    assert "\n" not in clean(name)


def test_a_long_name_is_shortened_in_the_picture_and_whole_in_its_title() -> None:
    name = "begin" + "m" * 200 + "end"
    (vertex,) = groups(svg(Picture((Vertex("x", name, 1.0),))), "vertex")
    assert vertex[0].text == f"{name} = 1"
    shown = vertex.findall(f"{SVG}text")[0].text
    assert shown == elided(name, 28)
    assert shown.startswith("beginm")
    assert shown.endswith("mend")
    assert len(shown) == 28


def test_names_numbers_and_derivatives_of_the_lecture_are_in_the_picture() -> None:
    root = ElementTree.fromstring(svg(lecture()))
    written = [element.text for element in root.iter(f"{SVG}text")]
    for expected in ("u", "= y·z", "6", "∂u/∂z = 3", "∂J/∂v = 3", "30"):
        assert expected in written


def test_a_screen_reader_is_told_what_it_is() -> None:
    root = ElementTree.fromstring(svg(lecture()))
    title, description = root[0], root[1]
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == "J = 3(x + yz)"
    assert description.text == "Local derivatives are on the arrows. 6 quantities, 5 arrows."


def test_sign_is_colour_and_dash_and_size_is_width() -> None:
    vertices = (Vertex("a", "a"), Vertex("b", "b"))
    weights = (4.0, -1.0, 0.25, None, nan, inf)
    edges = tuple(Edge("a", "b", weight=weight) for weight in weights)
    lines = [group[1] for group in groups(svg(Picture(vertices, edges)), "edge")]
    colours = [line.get("class") for line in lines]
    assert colours == [f"s-{c}" for c in ("positive", "negative", "positive", "line", "line")] + [
        "s-positive"
    ]
    assert [line.get("stroke-dasharray") is not None for line in lines][:3] == [False, True, False]
    widths = [float(line.get("stroke-width", "")) for line in lines]
    assert widths[0] == widths[5] > widths[1] > widths[2]


def test_colours_follow_the_reader_in_a_browser_and_are_light_elsewhere() -> None:
    drawn = svg(network(2, 2, 1))
    style = ElementTree.fromstring(drawn)[2].text or ""
    assert style.startswith("@media screen{")
    assert "prefers-color-scheme:dark" in style
    assert LIGHT["positive"] in drawn
    dark = svg(network(2, 2, 1), dark=True)
    assert "<style>" not in dark
    assert f'fill="{DARK["paper"]}"' in dark


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(colours: dict[str, str]) -> None:
    for ground in ("paper", "plain", "cool", "warm"):
        for ink in ("ink", "muted"):
            assert contrast(colours[ink], colours[ground]) >= 4.5
    for ink in ("forward", "backward"):
        assert contrast(colours[ink], colours["paper"]) >= 4.5
    for line in ("line", "positive", "negative"):
        assert contrast(colours[line], colours["paper"]) >= 3


def test_what_finds_no_room_is_said() -> None:
    drawn = svg(network(30, 30))
    assert "900 labels found no room" in drawn
    assert not groups(drawn, "plate")
    assert len(groups(drawn, "edge")) == 900


def test_text_of_the_lecture() -> None:
    picture = lecture()
    local = tuple(replace(edge, above="") for edge in picture.edges)
    assert text(replace(picture, edges=local)).splitlines() == [
        "J = 3(x + yz)",
        "Local derivatives are on the arrows.",
        "",
        "x = 4",
        "y = 3",
        "z = 2",
        "u = y·z = 6    ∂u/∂y = 2, ∂u/∂z = 3",
        "v = x + u = 10    ∂v/∂x = 1, ∂v/∂u = 1",
        "J = 3·v = 30    ∂J/∂v = 3",
    ]


def test_text_says_weights_that_have_no_text_and_breaks_long_lines() -> None:
    vertices = (Vertex("a", "a", 1.0), Vertex("b", "b"), Vertex("c", "c", 2.0))
    edges = (Edge("a", "c", weight=-0.5), Edge("b", "c"))
    assert text(Picture(vertices, edges)).splitlines()[-1] == "c = 2    from a (−0.5), b"
    assert max(map(len, text(network(6, 2)).splitlines())) <= 80
