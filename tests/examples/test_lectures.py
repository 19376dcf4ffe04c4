"""The lectures' programs print what an independent computation in float64 gives."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.cli import demo
from chalkgrad.core.files import lecture_files

LECTURES = Path(__file__).parents[2] / "examples" / "lectures"
NUMBER = r"-?\d+\.?\d*(?:e[+-]?\d+)?"


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """The lines that a lecture's program prints."""

    def run(name: str) -> list[str]:
        runpy.run_path(str(LECTURES / f"lecture_{name}.py"), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


def said(lines: list[str], label: str, k: int = 0) -> float:
    """The k-th number that follows `label =`, to the digits printed."""
    found = re.findall(rf"(?<![\w/]){re.escape(label)} =\s*({NUMBER})", "\n".join(lines))
    return float(found[k])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def close(found: float, wanted: float, digits: int) -> bool:
    return abs(found - wanted) <= 0.5000001 * 10.0**-digits


def test_every_lecture_has_a_program() -> None:
    names = [path.stem.removeprefix("lecture_") for path in lecture_files("lecture_*.py")]
    assert names == ["000", "001", "002", "002_by_hand", "002_starts", "003", "004"]
    readme = (LECTURES / "README.md").read_text()
    assert all(f"lecture_{name}.py" in readme for name in names)


def test_001_every_number_of_the_first_step(printed: Any) -> None:
    x, target, rate = np.array([0.1, 0.5]), np.array([0.05, 0.95]), 0.6
    first = np.array([[0.1, 0.3], [0.2, 0.4]])  # w1 w3 / w2 w4
    second = np.array([[0.5, 0.6], [0.7, 0.8]])  # w5 w6 / w7 w8
    sums_h = first @ x + 0.25
    h = sigmoid(sums_h)
    sums_o = second @ h + 0.35
    o = sigmoid(sums_o)
    errors = 0.5 * (target - o) ** 2
    delta_o = (o - target) * o * (1 - o)
    delta_h = (second.T @ delta_o) * h * (1 - h)
    gradients = {"5": delta_o[0] * h[0], "6": delta_o[0] * h[1], "7": delta_o[1] * h[0]}
    gradients |= {"8": delta_o[1] * h[1], "1": delta_h[0] * x[0], "2": delta_h[1] * x[0]}
    gradients |= {"3": delta_h[0] * x[1], "4": delta_h[1] * x[1]}
    old = {str(k): k / 10 for k in range(1, 9)}

    lines = printed("001")
    for k in (0, 1):
        assert close(said(lines, f"sum_h{k + 1}"), sums_h[k], 5)
        assert close(said(lines, f"output_h{k + 1}"), h[k], 5)
        assert close(said(lines, f"sum_o{k + 1}"), sums_o[k], 5)
        assert close(said(lines, f"output_o{k + 1}"), o[k], 5)
        assert close(said(lines, f"E_{k + 1}"), errors[k], 5)
    assert close(said(lines, "E_total"), errors.sum(), 5)
    for name, gradient in gradients.items():
        assert close(said(lines, f"dE_total/dw{name}"), gradient, 6)
        line = next(line for line in lines if f"new w{name} =" in line)
        assert close(float(line.rpartition("= ")[2]), old[name] - rate * gradient, 6)
    # The lecture's own numbers, which it cuts off after five places.
    assert close(said(lines, "dE_total/dw5"), 0.08020, 4)
    assert close(said(lines, "E_total"), 0.24908, 4)

    step = rate * np.outer(delta_o, h), rate * np.outer(delta_h, x)
    again = sigmoid((second - step[0]) @ sigmoid((first - step[1]) @ x + 0.25) + 0.35)
    assert close(said(lines, "Forward again: E_total"), 0.5 * ((target - again) ** 2).sum(), 6)
    final = [float(v) for v in re.findall(r"0\.\d{5}", lines[-1])]
    assert final == pytest.approx([0.05, 0.95], abs=5e-4)


def test_002_the_update_by_hand(printed: Any) -> None:
    w1, w2, b1, w3, w4, b2 = 0.3, 0.5, 0.1, 0.2, 0.4, 0.6
    h1, h2 = sigmoid(w1 + b1), sigmoid(w2 + b1)  # the input (1, 0); w2 is both weights of h2
    o = sigmoid(h1 * w3 + h2 * w4 + b2)
    delta = (o - 1) * o * (1 - o)
    d1, d2 = delta * w3 * h1 * (1 - h1), delta * w4 * h2 * (1 - h2)
    gradients = {"w1": d1, "w2": d2, "b1": d1 + d2, "w3": delta * h1, "w4": delta * h2, "b2": delta}
    old = {"w1": w1, "w2": w2, "b1": b1, "w3": w3, "w4": w4, "b2": b2}
    lines = printed("002_by_hand")
    for name, value in (("a_h1", h1), ("a_h2", h2), ("a_o", o), ("loss", 0.5 * (1 - o) ** 2)):
        assert close(said(lines, name), float(value), 6)
    for name, gradient in gradients.items():
        assert close(said(lines, f"dL/d{name}"), float(gradient), 6)
        line = next(line for line in lines if f"dL/d{name} " in line)
        assert close(float(line.rpartition("-> ")[2]), old[name] - 0.1 * float(gradient), 6)
    assert said(lines, "Forward again: loss") < said(lines, "loss")


@pytest.mark.parametrize(("seed", "learned"), [(0, True), (2, False)])
def test_002_the_program_prints_in_pytorchs_form(printed: Any, seed: int, learned: bool) -> None:
    cg.manual_seed(seed)
    lines = printed("002")
    pattern = re.compile(r"Epoch (\d+), Loss: \d\.\d{4}")
    epochs = [int(match[1]) for match in map(pattern.fullmatch, lines) if match]
    assert epochs == list(range(0, 10000, 1000))
    assert lines[10] == "Predictions:"
    right = ["tensor([[0.],", "        [1.],", "        [1.],", "        [0.]])"]
    assert (lines[11:] == right) == learned
    source = (LECTURES / "lecture_002.py").read_text()
    assert "super(XORModel, self).__init__()" in source  # only the import lines are changed


def test_003_raw_features_diverge_and_scaled_ones_learn(printed: Any) -> None:
    x = np.array([[80.0, 8], [70, 7], [60, 6], [50, 5]])
    y = np.array([8.0, 7, 6, 5])
    lines = printed("003")
    losses = [float(v) for v in re.findall(rf"loss\s+({NUMBER})", "\n".join(lines))]

    def first_losses(features: np.ndarray) -> list[float]:
        """Two steps of the mean squared error by hand, from w = 1, b = 0."""
        hidden, out, b, c = np.ones((2, 2)), np.ones(2), np.zeros(2), 0.0
        found = []
        for _ in range(2):
            h = features @ hidden.T + b
            error = h @ out + c - y
            found.append(float(np.mean(error**2)))
            g = 2 * error / 4
            step = np.outer(out, g @ features), g @ h, out * g.sum(), g.sum()
            hidden, out = hidden - 0.01 * step[0], out - 0.01 * step[1]
            b, c = b - 0.01 * step[2], c - 0.01 * step[3]
        return found

    assert losses[:2] == pytest.approx(first_losses(x), rel=1e-4)
    scaled = (x - x.mean(0)) / x.std(0)
    start = losses.index(next(v for v in losses[2:] if v < 100))
    assert losses[start : start + 2] == pytest.approx(first_losses(scaled), rel=1e-4)
    text = "\n".join(lines)
    assert "the loss is no longer a number" in text
    assert "predicted [8.0, 7.0, 6.0, 5.0], true [8, 7, 6, 5]" in text
    assert "every gradient is exactly 0" in text
    shares = re.search(r"probability of placement \[(.*?)\]", text)
    assert shares is not None
    assert [round(float(v)) for v in shares[1].split(",")] == [1, 1, 0, 0]


def test_004_the_gradient_of_j_and_the_gate(printed: Any) -> None:
    lines = printed("004")
    assert "  u = 6, v = 10, J = 30" in lines
    assert "  the gradient of J: (dJ/dx, dJ/dy, dJ/dz) = (3, 6, 9)" in lines
    points, labels = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 0, 0, 1])
    w, b = np.zeros(2), 0.0
    for _ in range(1000):
        a = sigmoid(points @ w + b)
        delta = -2 * (labels - a) * a * (1 - a)
        w, b = w - delta @ points, b - delta.sum()
    loss = ((labels - sigmoid(points @ w + b)) ** 2).sum()
    last = next(line for line in lines if line.startswith("  step 1000"))
    found = [float(v) for v in re.findall(NUMBER, last)]
    assert found[1:] == pytest.approx([loss, *w, b], abs=2e-3)
    assert "outputs [0.0, 0.038, 0.038, 0.955] for labels [0, 0, 0, 1]" in lines[-1]


def test_000_the_height_and_the_digit(printed: Any) -> None:
    lines = printed("000")
    assert "  weight 68, shoulder 14: height 5.7, predicted 5.7000" in lines
    assert "  weight 89, shoulder 18: height 6.0, predicted 6.0000" in lines
    shares = [
        [float(line.split()[1]) for line in lines[k + 1 : k + 4]]
        for k, line in enumerate(lines)
        if "outputs" in line
    ]
    assert np.argmax(shares[0]) == 1  # taken for a 1
    assert np.argmax(shares[1]) == 2
    assert sum(shares[0]) == pytest.approx(1, abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "floor"), [(demo.DENSE, 0.965), (demo.CONVOLUTIONAL, 0.98)], ids=["dense", "conv"]
)
def test_the_digits_are_learned(design: demo.Design, floor: float) -> None:
    assert demo.learn(design, seed=0).accuracy >= floor


def test_the_demo_shows_the_digits_and_every_lecture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "DENSE", demo.DENSE._replace(epochs=2))
    monkeypatch.setattr(demo, "CONVOLUTIONAL", demo.CONVOLUTIONAL._replace(epochs=1))
    ran: list[str] = []
    monkeypatch.setattr(demo.runpy, "run_path", lambda path, run_name: ran.append(Path(path).stem))
    assert demo.demo() == 0
    out = capsys.readouterr().out
    assert "━━ handwritten digits ━" in out
    assert out.count("images it never saw") == 2
    assert "taken for a" in out
    assert len(ran) == 7
    assert all(f"━━ {name} ━" in out for name in ran)
    demo.demo(lectures=False)
    assert len(ran) == 7
