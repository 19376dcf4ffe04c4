"""Nothing covers anything else, arrows end where vertices begin, and few of them cross."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from time import perf_counter

import pytest

from chalkgrad.core.errors import ArgumentError
from chalkgrad.draw import Edge, Picture, Vertex, folded, layout
from chalkgrad.draw.columns import Grid, columns, grid
from chalkgrad.draw.layout import Layout
from chalkgrad.draw.shapes import Box
from chalkgrad.draw.spacing import apart_at_least
from tests.draw.pictures import lecture, network, scattered

PICTURES = {
    "lecture": lecture(),
    "2-2-1": network(2, 2, 1, gradients=False),
    "2-2-2": network(2, 2, 2),
    "4-6-3": network(4, 6, 3),
    "random": scattered(),
    "long arrows": scattered(12, 40, seed=7),
    "folded": folded(network(30, 20, 4, gradients=False), 3),
}


@pytest.fixture(params=PICTURES)
def drawn(request: pytest.FixtureRequest) -> Layout:
    return layout(PICTURES[request.param])


def covers(one: Box, other: Box) -> bool:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    return across > 0 and down > 0


def test_no_box_covers_another(drawn: Layout) -> None:
    assert not drawn.left_out
    boxes = [placed.box for placed in drawn.vertices]
    boxes += [route.plate.box for route in drawn.routes if route.plate]
    assert not [pair for pair in combinations(boxes, 2) if covers(*pair)]


def test_everything_is_on_the_sheet(drawn: Layout) -> None:
    boxes = [placed.box for placed in drawn.vertices]
    boxes += [route.plate.box for route in drawn.routes if route.plate]
    assert min(box.left for box in boxes) >= 0
    assert min(box.top for box in boxes) >= 0
    assert max(box.right for box in boxes) <= drawn.width
    assert max(box.bottom for box in boxes) <= drawn.height


def test_arrows_go_from_border_to_border_and_through_no_vertex(drawn: Layout) -> None:
    """The borders are those of vertices that the edge names; on the way are all the others."""
    for route in drawn.routes:
        (first, start), *_, (last, end) = route.points
        ends = [
            p for p in drawn.vertices if abs(p.box.right - first) < 4 and covers_y(p.box, start)
        ]
        ends += [p for p in drawn.vertices if abs(p.box.left - last) < 4 and covers_y(p.box, end)]
        assert len(ends) == 2
        others = [placed.box for placed in drawn.vertices if placed not in ends]
        for (a, b), box in product(pairwise(route.points), others):
            for share in (i / 40 for i in range(41)):
                x, y = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
                assert not (box.left < x < box.right and box.top < y < box.bottom)


def covers_y(box: Box, y: float) -> bool:
    return box.top <= y <= box.bottom


def test_a_plate_lies_on_its_arrow(drawn: Layout) -> None:
    for route in drawn.routes:
        if not route.plate:
            continue
        box, near = route.plate.box, []
        for a, b in pairwise(route.points):
            for share in (i / 400 for i in range(401)):
                x, y = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
                near.append(box.left < x < box.right and abs(y - box.y) < 2)
        assert any(near)


def test_columns_are_longest_paths_and_hints_hold() -> None:
    assert columns(lecture()) == {"x": 0, "y": 0, "z": 0, "u": 1, "v": 2, "J": 3}
    vertices = (Vertex("a", "a", column=1), Vertex("b", "b"), Vertex("c", "c", column=4))
    assert columns(Picture((*vertices, Vertex("d", "d", column=0)), (Edge("a", "b"),))) == {
        "a": 1,
        "b": 2,
        "c": 3,  # a column in which nothing stands takes no room
        "d": 0,
    }


def test_a_parameter_stands_before_its_first_use() -> None:
    vertices = (*map(vertex, "abc"), Vertex("w", "w", kind="parameter"))
    edges = (Edge("a", "b"), Edge("b", "c"), Edge("w", "c"))
    assert columns(Picture(vertices, edges))["w"] == 1


def vertex(name: str) -> Vertex:
    return Vertex(name, name)


def crossings(made: Grid) -> int:
    """Counted pair by pair."""
    count = 0
    for left, right in pairwise(made.columns):
        links = [(left.index(a), right.index(b)) for a in left for b in made.after[a]]
        count += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(links, 2))
    return count


def test_crossings_are_taken_out() -> None:
    """a, b, c lead to f, e, d: three crossings as given, none when sorted."""
    edges = tuple(Edge(a, b) for a, b in zip("abc", "fed", strict=True))
    picture = Picture(tuple(map(vertex, "abcdef")), edges)
    assert crossings(grid(picture)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_crossings_are_counted(seed: int) -> None:
    made = grid(scattered(20, 40, seed))
    assert made.crossings() == crossings(made)


def test_layers_keep_the_order_in_which_they_are_given() -> None:
    edges = tuple(Edge(a, b) for a, b in zip("abc", "fed", strict=True))
    drawn = layout(Picture(tuple(map(vertex, "abcdef")), edges, layout="layers"))
    heights = [placed.box.y for placed in drawn.vertices]
    assert heights[:3] == sorted(heights[:3])
    assert heights[3:] == sorted(heights[3:])


def test_spacing_is_the_nearest_that_is_allowed() -> None:
    """Against a search over a grid of all allowed places."""
    wanted, weights, apart = [0.0, 1.0, 0.0], [1.0, 1.0, 2.0], [2.0, 1.0]
    found = apart_at_least(wanted, weights, apart)

    def distance(y: list[float]) -> float:
        return sum(w * (a - b) ** 2 for w, a, b in zip(weights, y, wanted, strict=True))

    steps = [i / 10 for i in range(-40, 41)]
    allowed = [y for y in product(steps, repeat=3) if y[1] - y[0] >= 2 and y[2] - y[1] >= 1]
    best = min(distance(list(y)) for y in allowed)
    assert distance(found) <= best
    assert found[1] - found[0] >= 2 - 1e-12
    assert found[2] - found[1] >= 1 - 1e-12


def test_folding_keeps_the_largest_and_counts_the_rest() -> None:
    picture = network(12, 5, 1)
    few = folded(picture, most=3)
    sizes = sorted((abs(v.value or 0) for v in picture.vertices if v.column == 0), reverse=True)
    kept = [abs(v.value) for v in few.vertices if v.column == 0 and v.value is not None]
    assert sorted(kept, reverse=True) == sizes[:3]
    assert [v.label for v in few.vertices if v.kind == "rest"] == ["… 9 more", "… 2 more"]
    assert len(few.edges) == 4 * 4 + 4 * 1


def test_folding_by_the_callers_ranking() -> None:
    picture = network(12, 1)
    few = folded(picture, most=2, ranking={"0,7": 2.0, "0,3": 1.0})
    assert [v.key for v in few.vertices if v.column == 0 and v.kind != "rest"] == ["0,3", "0,7"]


def test_what_is_short_is_not_folded() -> None:
    picture = network(9, 4)
    assert {v.label for v in folded(picture, 8).vertices} == {v.label for v in picture.vertices}


def test_two_hundred_vertices_take_a_moment() -> None:
    start = perf_counter()
    drawn = layout(scattered(200, 400))
    assert perf_counter() - start < 10  # measured: half a second
    assert not drawn.left_out


def test_more_texts_than_anyone_reads_are_counted() -> None:
    drawn = layout(network(30, 30))
    assert drawn.left_out == 30 * 30
    assert len(drawn.routes) == 30 * 30


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ((Edge("alpha", "alpa"),), r"has no vertex 'alpa' in the picture. Did you mean alpha"),
        ((Edge("alpha", "b"), Edge("b", "alpha")), r"run in a circle: 'alpha' → 'b' → 'alpha'"),
        ((Edge("b", "b"),), r"run in a circle: 'b' → 'b'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(edges: tuple[Edge, ...], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Picture((vertex("alpha"), vertex("b")), edges)


def test_a_key_is_used_once() -> None:
    with pytest.raises(ArgumentError, match="two vertices of the picture have the key 'a'"):
        Picture((vertex("a"), vertex("a")))
