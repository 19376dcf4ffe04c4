"""What is taken away: programs that run and print the same loss, and every format."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from chalkgrad.worksheet import Worksheet
from tests.studio.engine import LECTURES, Talk, opened

FORMULAS = """
[expression]
a = "max(x, 2) + relu(-y) * |y|"
b = "exp(-a / 10) + log(z) ^ 2 + tanh(x) + sqrt(z) / sigmoid(y)"
lambda = "sin(b) * 2 + cos(0) + min(x, y, z)"
[values]
x = 3
y = -0.5
z = 1.5
[update]
rule = "adam"
learning_rate = 0.05
steps = 7
"""
SPECIAL = """
[parameters]
x = 0.3
loss = 0.2
F = -0.4
import = 0.5
b = 0.1
[[layer]]
units = ["h1", "h2"]
weights = [["x", "loss"], ["F", 0.25]]
bias = 0.5
activation = "leaky_relu"
[[layer]]
units = ["o1", "o2"]
weights = [["import", "import"], ["b", "x"]]
[data]
inputs = { u = [1.0, 2.0, -1.0], v = [0.5, 0.1, 0.2] }
targets = { o1 = [1.0, 0.0, 1.0], o2 = [0.0, 1.0, 0.0] }
[loss]
kind = "cross_entropy"
[update]
rule = "rmsprop"
learning_rate = 0.05
momentum = 0.9
frozen = ["F"]
steps = 5
"""


def ran(program: str, folder: Path) -> list[float]:
    """The numbers that a program prints."""
    path = folder / "program.py"
    path.write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)], capture_output=True, text=True, cwd=folder,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [float(line.rpartition("=")[2]) for line in done.stdout.splitlines()]


def sources() -> list[Any]:
    known = [*LECTURES, "xor", "curve"]
    return [*[pytest.param({"start": key}, id=key) for key in known],
            pytest.param({"worksheet": FORMULAS}, id="formulas"),
            pytest.param({"worksheet": SPECIAL}, id="special")]  # fmt: skip


def expected(text: str) -> list[float]:
    """The losses before and after the worksheet's updates, by the engine."""
    talk = Talk()
    state = talk.ask("open", worksheet=text)
    update = Worksheet.from_text(text).update
    if update is None:
        return [state["loss"]["value"]]
    after = talk.ask("step", count=update.steps)
    return [state["loss"]["value"], after["loss"]["value"]]


def programs(format: str, source: dict[str, str], folder: Path) -> None:
    talk = Talk()
    talk.ask("open", **source)
    if talk.ask("hello", version=1)["state"]["settings"]["update"]:
        talk.ask("step", count=3)  # the numbers as they are now
    state = talk.ask("hello", version=1)["state"]
    exported = talk.ask("export", format=format)
    assert re.fullmatch(r"\w+\.py", exported["name"])
    if format == "pytorch":
        assert "chalkgrad" not in exported["text"]
    found = ran(exported["text"], folder)
    wanted = expected(state["worksheet"])
    assert found[: len(wanted)] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("source", sources())
def test_the_python_program_prints_the_same_loss(source: dict[str, str], tmp_path: Path) -> None:
    programs("python", source, tmp_path)


@pytest.mark.parity
@pytest.mark.parametrize("source", sources())
def test_the_program_for_pytorch_prints_the_same_loss(
    source: dict[str, str], tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    programs("pytorch", source, tmp_path)


def test_a_model_is_a_program_of_the_record_that_is_shown(tmp_path: Path) -> None:
    talk, _ = opened("digits")
    state = talk.ask("select", record=5)
    found = ran(talk.ask("export", format="python")["text"], tmp_path)
    assert found[0] == pytest.approx(state["scene"]["loss"]["value"], rel=1e-5)


FORMATS = {
    "worksheet": ".toml", "svg": ".svg", "html": ".html", "text": ".txt", "markdown": ".md",
    "latex": ".tex", "typst": ".typ", "json": ".json", "notebook": ".ipynb", "pdf": ".pdf",
}  # fmt: skip


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("key", ["lecture_001", "lecture_004", "xor"])
def test_every_format_is_a_file(key: str, format: str) -> None:
    talk, _ = opened(key)
    found = talk.ask("export", format=format)
    assert found["name"].endswith(FORMATS[format])
    assert re.fullmatch(r"[\w.]+", found["name"])
    content = found["text"].encode() if "text" in found else b64decode(found["base64"])
    assert len(content) > 100
    if format == "svg":
        assert ElementTree.fromstring(content).tag.endswith("svg")
    if format == "pdf":
        assert content.startswith(b"%PDF")


def test_a_derivation_of_one_gradient_is_named_after_it() -> None:
    talk, _ = opened("lecture_001")
    found = talk.ask("export", format="text", wrt="w5", digits=3, view="paths")
    assert found["name"] == "lecture_001_w5.txt"
    assert "∂E_total/∂w5" in found["text"]
    assert "∂E_total/∂w6" not in found["text"]
    assert "Did you mean" in talk.refused("export", format="text", wrt="w55")


def test_the_interactive_page_holds_its_replies() -> None:
    talk, _ = opened("lecture_004")
    page = talk.ask("export", format="studio")
    assert page["name"].endswith(".html")
    assert 'id="chalkgrad-recording"' in page["text"]
    assert "∂J/∂x" in page["text"]
