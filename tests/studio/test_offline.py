"""The page that needs no engine: one file, its policy, and what is recorded in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad.studio.page import page_of
from tests.cli.conftest import Shell, shell

__all__ = ["shell"]
FORMULA = """
[expression]
u = "y * z"
J = "3 * (x + u)"
[values]
x = 4
y = 3
z = 2
"""
LECTURES = Path(__file__).parents[2] / "examples" / "lectures"


def recording_in(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="chalkgrad-recording">(.*?)</script>',
                      page, re.DOTALL)  # fmt: skip
    assert found
    return json.loads(found[1])


def replies(recording: Any, do: str) -> list[Any]:
    return [reply for reply in recording["replies"] if reply["request"]["do"] == do]


def looked_at(page: str) -> None:
    """Everything is inside, and runs by the policy."""
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    scripts = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert len(scripts) == len(styles) == 1
    for directive, (content,) in (("script-src", scripts), ("style-src", styles)):
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy[1]
    assert policy[1].startswith("default-src 'none';")
    assert "unsafe" not in policy[1]
    assert "connect-src" not in policy[1]
    markup = page.replace(scripts[0], "").replace(styles[0], "")
    assert not re.search(r'(src|href)="(?!data:)', markup)
    assert len(re.findall("<script", markup)) == len(re.findall("</script>", markup)) == 2


def test_a_worksheet_has_its_network_and_why_for_every_quantity() -> None:
    derivation = cg.explain(LECTURES / "lecture_001.toml")
    page = derivation.to_html(interactive=True)
    looked_at(page)
    recording = recording_in(page)
    assert recording["hello"]["live"] is False
    state = recording["hello"]["state"]
    assert state["title"] == derivation.title
    assert state["scene"]["layout"] == "layers"
    assert {step["phase"] for step in state["steps"]} == {"forward", "backward", "update"}
    known = {
        (r["request"]["wrt"], r["request"]["view"]): r["ok"] for r in replies(recording, "why")
    }
    for gradient in derivation.gradients:
        for view in ("board", "layer", "paths"):
            assert known[gradient.wrt.text, view]["value"] == gradient.value
    assert ("output_h1", "board") in known


def test_several_records_can_be_gone_through() -> None:
    recording = recording_in(cg.explain(LECTURES / "lecture_002.toml").to_html(interactive=True))
    assert len(replies(recording, "select")) in (0, recording["hello"]["state"]["records"] + 1)


def test_names_and_digits_are_those_of_the_derivation() -> None:
    derivation = cg.explain(FORMULA, names="indexed", digits=3)
    asked = replies(recording_in(derivation.to_html(interactive=True, view="layer")), "why")
    assert {(r["request"]["names"], r["request"]["digits"]) for r in asked} == {("indexed", 3)}
    asked = replies(recording_in(derivation.to_html(interactive=True, digits=1)), "why")
    assert {r["request"]["digits"] for r in asked} == {1}


def network() -> tuple[Any, Any]:
    cg.manual_seed(0)
    net = cg.nn.Sequential(cg.nn.Linear(2, 2), cg.nn.Tanh(), cg.nn.Linear(2, 1))
    loss = cg.nn.functional.mse_loss(net(cg.tensor([[1.0, 2.0]])), cg.tensor([[1.0]]))
    return net, loss


def test_any_program_has_its_graph() -> None:
    net, loss = network()
    optimizer = cg.optim.SGD(net.parameters(), lr=0.1)
    derivation = cg.explain(loss, optimizer=optimizer)
    page = derivation.to_html(interactive=True)
    looked_at(page)
    recording = recording_in(page)
    state = recording["hello"]["state"]
    assert state["scene"]["layout"] == "graph"
    assert state["loss"]["value"] == loss.item()
    ids = {vertex["id"] for vertex in state["scene"]["vertices"]}
    assert {gradient.wrt.text for gradient in derivation.gradients} <= ids
    for edge in state["scene"]["edges"]:
        assert {edge["from"], edge["to"]} <= ids
    lit = {unit for step in state["steps"] for unit in step["lights"]["units"]}
    assert lit <= ids
    known = {
        (r["request"]["wrt"], r["request"]["view"]): r["ok"] for r in replies(recording, "why")
    }
    loss.backward()
    for gradient in derivation.gradients:
        assert known[gradient.wrt.text, "board"]["value"] == gradient.value
    assert {step["phase"] for step in state["steps"]} == {"forward", "backward", "update"}
    moved = [step for step in state["steps"] if step["phase"] == "update"]
    optimizer.step()
    assert moved[-1]["value"] == pytest.approx(net[2].bias.item(), rel=1e-6)


def test_the_page_keeps_the_numbers_of_its_pass() -> None:
    net, loss = network()
    derivation = cg.explain(loss)
    loss.backward()
    cg.optim.SGD(net.parameters(), lr=1.0).step()
    recording = recording_in(derivation.to_html(interactive=True))
    assert recording["hello"]["state"]["loss"]["value"] == loss.item()


def test_names_that_look_like_markup_stay_names() -> None:
    title = "</script><script>alert(1)</script><!-- <b>&amp; \u2028"
    recording: dict[str, Any] = {"version": 1, "hello": {"state": {"title": title}}, "replies": []}
    page = page_of(recording)
    looked_at(page)
    assert recording_in(page) == recording
    assert "<title>&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_command_writes_it(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "sheet.toml").write_text(FORMULA)
    said = shell("explain", "sheet.toml", "--format", "studio", "-o", "page.html")
    assert (said.code, said.out) == (0, "")
    looked_at((tmp_path / "page.html").read_text("utf-8"))


@pytest.mark.parametrize("layout", [{"digits": -1}, {"view": "blackboard"}])
def test_an_argument_that_there_is_not_is_refused(layout: dict[str, Any]) -> None:
    _, loss = network()
    with pytest.raises(ValueError, match=next(iter(layout))):
        cg.explain(loss).to_html(interactive=True, **layout)


def test_explaining_loads_the_studio_only_for_such_a_page() -> None:
    code = (
        "import sys, chalkgrad as cg\n"
        "w = cg.tensor(3.0, requires_grad=True)\n"
        "d = cg.explain((w * w - 5) ** 2)\n"
        "d.to_html(); print('chalkgrad.studio' in sys.modules)\n"
        "d.to_html(interactive=True); print('chalkgrad.studio' in sys.modules)\n"
        "print([m for m in ('starlette', 'uvicorn', 'anywidget') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "[]"]
