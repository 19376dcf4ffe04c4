"""Every number of the lectures' 2-2-2 network, and of J = 3 (x + y z), from `explain`.

What is expected is worked out below in plain Python, weight by weight, as on the lecture's page.
"""

from __future__ import annotations

import re
from math import exp, prod
from pathlib import Path
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad.explain import Derivation

LECTURES = Path(__file__).parents[2] / "examples" / "lectures"
I1, I2 = 0.1, 0.5
T1, T2 = 0.05, 0.95
W = {f"w{k}": k / 10 for k in range(1, 9)}
B1, B2 = 0.25, 0.35
RATE = 0.6
table = pytest.mark.parametrize


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z))


def passed_forward(w: dict[str, float]) -> dict[str, float]:
    """The forward pass, line by line."""
    q: dict[str, float] = {}
    q["sum_h1"] = w["w1"] * I1 + w["w3"] * I2 + B1
    q["sum_h2"] = w["w2"] * I1 + w["w4"] * I2 + B1
    q["output_h1"], q["output_h2"] = sigmoid(q["sum_h1"]), sigmoid(q["sum_h2"])
    q["sum_o1"] = w["w5"] * q["output_h1"] + w["w6"] * q["output_h2"] + B2
    q["sum_o2"] = w["w7"] * q["output_h1"] + w["w8"] * q["output_h2"] + B2
    q["output_o1"], q["output_o2"] = sigmoid(q["sum_o1"]), sigmoid(q["sum_o2"])
    q["E_1"], q["E_2"] = (T1 - q["output_o1"]) ** 2 / 2, (T2 - q["output_o2"]) ** 2 / 2
    q["E_total"] = q["E_1"] + q["E_2"]
    return q


Q = passed_forward(W)
ERROR = {1: Q["output_o1"] - T1, 2: Q["output_o2"] - T2}  # ∂E/∂output
SLOPE = {n: Q[n] * (1 - Q[n]) for n in ("output_h1", "output_h2", "output_o1", "output_o2")}


def factors(weight: str, k: int) -> list[tuple[str, str, float]]:
    """The chain from E_total through E_k to a weight: of, by, ∂of/∂by."""
    out = [("E_total", f"E_{k}", 1.0), (f"E_{k}", f"output_o{k}", ERROR[k]),
           (f"output_o{k}", f"sum_o{k}", SLOPE[f"output_o{k}"])]  # fmt: skip
    number = int(weight[1])
    if number >= 5:
        h = 1 if number % 2 else 2
        return [*out, (f"sum_o{k}", weight, Q[f"output_h{h}"])]
    h = 1 if number in (1, 3) else 2
    way = {(1, 1): "w5", (2, 1): "w6", (1, 2): "w7", (2, 2): "w8"}[h, k]
    return [
        *out, (f"sum_o{k}", f"output_h{h}", W[way]),
        (f"output_h{h}", f"sum_h{h}", SLOPE[f"output_h{h}"]),
        (f"sum_h{h}", weight, I1 if number <= 2 else I2),
    ]  # fmt: skip


def errors_above(weight: str) -> list[int]:
    return {"w5": [1], "w6": [1], "w7": [2], "w8": [2]}.get(weight, [1, 2])


def contribution(weight: str, k: int) -> float:
    return prod(value for _, _, value in factors(weight, k))


GRADIENTS = {w: sum(contribution(w, k) for k in errors_above(w)) for w in W}
NEW = {w: W[w] - RATE * GRADIENTS[w] for w in W}
AFTER = passed_forward(NEW)


@pytest.fixture(scope="module")
def derivation() -> Derivation:
    return cg.explain(LECTURES / "lecture_001.toml")


@pytest.fixture(scope="module")
def data(derivation: Derivation) -> dict[str, Any]:
    return derivation.to_dict()


@pytest.fixture(scope="module")
def page(derivation: Derivation) -> str:
    return one_line(derivation.to_text())


def one_line(text: str) -> str:
    """The text without line breaks and the numbers of its steps."""
    return " ".join(re.sub(r"  step \d+$", "", text, flags=re.MULTILINE).split())


def rounded(value: float) -> str:
    """Five decimals, three digits at least: what the page shows."""
    decimals = 5
    while abs(value) < 1 and abs(value) * 10**decimals < 99.5:
        decimals += 1
    return f"{value:.{decimals}f}".replace("-", "−")


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-14, abs=1e-16)


# As data.
def test_the_forward_pass(data: dict[str, Any]) -> None:
    found = {q["name"]: q["value"] for q in data["quantities"]}
    given = W | {"b1": B1, "b2": B2, "i1": I1, "i2": I2, "target_1": T1, "target_2": T2}
    assert set(found) == set(given) | set(Q)
    for name, value in (given | Q).items():
        assert found[name] == near(value)
    formulas = {q["name"]: q["formula"] for q in data["quantities"]}
    assert formulas["sum_h1"] == "i1 · w1 + i2 · w3 + b1"
    assert formulas["output_o2"] == "σ(sum_o2)"
    assert formulas["E_1"] == "½ · (target_1 − output_o1)²"
    assert formulas["E_total"] == "E_1 + E_2"


def test_there_are_the_eight_gradients(data: dict[str, Any]) -> None:
    assert [g["wrt"] for g in data["gradients"]] == list(W)
    for gradient in data["gradients"]:
        assert gradient["name"] == f"∂E_total/∂{gradient['wrt']}"
        assert gradient["value"] == near(GRADIENTS[gradient["wrt"]])


@table("weight", W)
def test_every_path_with_its_chain(data: dict[str, Any], weight: str) -> None:
    (gradient,) = [g for g in data["gradients"] if g["wrt"] == weight]
    assert len(gradient["paths"]) == len(errors_above(weight))
    for path, k in zip(gradient["paths"], errors_above(weight), strict=True):
        chain = factors(weight, k)
        assert [(f["of"], f["by"]) for f in path["factors"]] == [(of, by) for of, by, _ in chain]
        assert [f["value"] for f in path["factors"]] == [near(value) for _, _, value in chain]
        assert path["through"] == [by for _, by, _ in chain[:-1]]
        assert path["value"] == near(contribution(weight, k))


def test_the_two_ways_to_w1_are_the_lectures(data: dict[str, Any]) -> None:
    first, second = data["gradients"][0]["paths"]
    assert f"{first['value']:.7f}" == "0.0015997"
    assert f"{second['value']:.7f}" == "-0.0004916"
    assert first["value"] + second["value"] == near(GRADIENTS["w1"])


def test_local_derivatives_are_the_lectures_formulas(data: dict[str, Any]) -> None:
    found = {
        (f["of"], f["by"]): f["formula"]
        for g in data["gradients"] for p in g["paths"] for f in p["factors"]
    }  # fmt: skip
    for k in (1, 2):
        assert found[f"E_{k}", f"output_o{k}"] == f"output_o{k} − target_{k}"
        assert found[f"output_o{k}", f"sum_o{k}"] == f"output_o{k} · (1 − output_o{k})"
    assert found["sum_o1", "output_h2"] == "w6"
    assert found["sum_o2", "w7"] == "output_h1"
    assert found["sum_h2", "w4"] == "i2"


def test_the_update(data: dict[str, Any]) -> None:
    assert [u["name"] for u in data["updates"]] == list(W)
    for update in data["updates"]:
        name = update["name"]
        assert update["old"] == W[name]
        assert update["gradient"] == near(GRADIENTS[name])
        assert update["new"] == near(NEW[name])


def test_the_pass_after_the_update(data: dict[str, Any]) -> None:
    found = {entry["name"]: entry["value"] for entry in data["after"]}
    assert set(found) == set(Q)
    for name, value in AFTER.items():
        assert found[name] == near(value)
    assert found["E_total"] < Q["E_total"]


def test_the_biases_rest_and_can_still_be_asked_for() -> None:
    derivation = cg.explain(LECTURES / "lecture_001.toml", ["b1", "b2"])
    delta = {k: ERROR[k] * SLOPE[f"output_o{k}"] for k in (1, 2)}
    through = {1: delta[1] * W["w5"] + delta[2] * W["w7"],
               2: delta[1] * W["w6"] + delta[2] * W["w8"]}  # fmt: skip
    b1 = sum(through[h] * SLOPE[f"output_h{h}"] for h in (1, 2))
    assert [g.value for g in derivation.gradients] == [near(b1), near(delta[1] + delta[2])]
    assert [len(g.paths) for g in derivation.gradients] == [4, 2]


# As a page.
@table("name", Q)
def test_every_forward_value_is_on_the_page(page: str, name: str) -> None:
    shown = {"sum_h1": "0.41", "sum_h2": "0.47"}.get(name, rounded(Q[name]))
    sign = "=" if name in ("sum_h1", "sum_h2") else "≈"
    assert re.search(rf" {name} = [^=≈]+([=≈] [^=≈]+)? {sign} {shown} ", page)


@table("weight", W)
def test_every_chain_is_on_the_page(page: str, weight: str) -> None:
    for k in errors_above(weight):
        chain = factors(weight, k)
        words = "; ".join(f"{of} depends on {by}" for of, by, _ in chain)
        assert f"{words}." in page
        product = " · ".join(f"∂{of}/∂{by}" for of, by, _ in chain[1:])
        whole = f"∂E_{k}/∂{weight}" if len(errors_above(weight)) > 1 else f"∂E_total/∂{weight}"
        assert f"{whole} = {product}" in page
        value = contribution(weight, k)
        assert f"≈ {rounded(value)}" in page.split(f"{whole} = {product}", 1)[1]
        for of, by, slope in chain[1:]:
            assert re.search(rf"∂{of}/∂{by} (=|≈) [^∂]*{rounded_or_exact(slope)}", page)


def rounded_or_exact(value: float) -> str:
    return f"{value:g}" if abs(value * 10 - round(value * 10)) < 1e-12 else rounded(value)


def test_the_contributions_are_put_together(page: str) -> None:
    for weight in ("w1", "w2", "w3", "w4"):
        first, second = (rounded(contribution(weight, k)) for k in (1, 2))
        assert (
            f"∂E_total/∂{weight} = ∂E_1/∂{weight} + ∂E_2/∂{weight} ≈ {first} + ({second}) "
            f"≈ {rounded(GRADIENTS[weight])}"
        ) in page


def test_the_update_and_what_follows_are_on_the_page(page: str) -> None:
    for weight in W:
        gradient = rounded(GRADIENTS[weight])
        gradient = f"({gradient})" if gradient.startswith("−") else gradient
        assert (
            f"new {weight} = {weight} − η · ∂E_total/∂{weight} ≈ {W[weight]:g} − 0.6 · {gradient} "
            f"≈ {rounded(NEW[weight])}"
        ) in page
    for name in Q:
        assert re.search(rf"{name} +[\d.]+ +{rounded(AFTER[name])}", page)
    assert f"The loss has fallen by {rounded(Q['E_total'] - AFTER['E_total'])}." in page


def test_the_paths_view_has_every_product(derivation: Derivation) -> None:
    page = one_line(derivation.to_text(view="paths"))
    for weight in W:
        for k in errors_above(weight):
            assert rounded(contribution(weight, k)) in page
        assert rounded(GRADIENTS[weight]) in page


def test_the_layer_view_has_the_recursion_of_delta(derivation: Derivation) -> None:
    page = one_line(derivation.to_text(view="layer"))
    delta = [ERROR[k] * SLOPE[f"output_o{k}"] for k in (1, 2)]
    assert f"({rounded(delta[0])}, {rounded(delta[1])})" in page
    assert "δ⁽¹⁾ = ∂E_total/∂Z⁽¹⁾ = (δ⁽²⁾ @ W⁽²⁾) ⊙" in page


# J = 3 (x + y z).
@pytest.fixture(scope="module")
def expression() -> Derivation:
    return cg.explain(LECTURES / "lecture_004.toml")


def test_the_gradient_of_j(expression: Derivation) -> None:
    x, y, z = 4.0, 3.0, 2.0
    values = {"x": x, "y": y, "z": z, "u": y * z, "v": x + y * z, "J": 3 * (x + y * z)}
    assert expression.board.values == values
    assert {g.wrt.text: g.value for g in expression.gradients} == {"x": 3.0, "y": 3 * z, "z": 3 * y}
    text = one_line(expression.to_text())
    assert "∇J = (∂J/∂x, ∂J/∂y, ∂J/∂z) = (3, 6, 9)" in text


def test_the_picture_bears_the_local_derivatives(expression: Derivation) -> None:
    picture = expression.picture()
    assert {v.key for v in picture.vertices} == {"x", "y", "z", "u", "v", "J"}
    labels = {(edge.source, edge.target): edge.below for edge in picture.edges}
    assert labels == {
        ("y", "u"): "∂u/∂y = 2", ("z", "u"): "∂u/∂z = 3", ("x", "v"): "∂v/∂x = 1",
        ("u", "v"): "∂v/∂u = 1", ("v", "J"): "∂J/∂v = 3",
    }  # fmt: skip


def test_an_expression_in_tensors_is_explained_alike() -> None:
    x, y, z = (cg.tensor(k, requires_grad=True) for k in (4.0, 3.0, 2.0))
    derivation = cg.explain(3 * (x + y * z), [x, y, z])
    assert [g.value for g in derivation.gradients] == [3.0, 6.0, 9.0]
