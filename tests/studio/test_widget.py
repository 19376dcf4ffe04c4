"""The notebook widget, without a notebook: what it is given, what it says, what it sends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.studio import widget as room
from chalkgrad.studio.page import SCRIPT, STYLE, asset
from tests.studio.hosts import until

LECTURE = Path(__file__).parents[2] / "examples" / "lectures" / "lecture_001.toml"


class Page:
    """What a notebook's page does with a widget: sends, and hears."""

    def __init__(self, widget: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.heard: list[Any] = []
        monkeypatch.setattr(
            widget, "send", lambda message, buffers=None: self.heard.append(message)
        )
        widget.session.emit = widget.send

    def ask(self, **request: Any) -> Any:
        self.widget._handle_custom_msg(request, [])
        return self.heard[-1]


@pytest.fixture
def lecture(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(cg.studio(LECTURE), monkeypatch)


def test_it_is_the_same_module_as_the_page(lecture: Page) -> None:
    assert lecture.widget._esm == asset(SCRIPT)
    assert lecture.widget._css == asset(STYLE)


def test_requests_are_answered_and_events_follow(lecture: Page) -> None:
    hello = lecture.ask(id="a:1", do="hello", version=1)
    assert hello["id"] == "a:1"
    assert hello["ok"]["state"]["loss"]["name"] == "E_total"
    assert "ok" in lecture.ask(id=2, do="edit", change={"set": {"w5": 0.25}})
    lecture.widget._handle_custom_msg({"id": 3, "do": "train", "until": 20}, [])
    until(lambda: lecture.heard[-1].get("event") == "trained")
    assert lecture.heard[-1]["state"]["updates"] == 20
    assert "error" in lecture.ask(id=4, do="nothing of the kind")


def test_closing_it_stops_what_runs(lecture: Page) -> None:
    lecture.ask(id=1, do="hello", version=1)
    lecture.ask(id=2, do="train")
    lecture.widget.close()
    assert lecture.widget.session.training is None


def test_a_model_comes_with_its_data_and_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    cg.manual_seed(0)
    model = cg.nn.Sequential(cg.nn.Linear(2, 3), cg.nn.Tanh(), cg.nn.Linear(3, 1))
    before = {name: value.tolist() for name, value in model.state_dict().items()}
    x, y = np.eye(2), np.array([[0.0], [1.0]])
    page = Page(cg.studio(model, x, y, loss="mean_squared_error", title="Mine"), monkeypatch)
    state = page.ask(id=1, do="hello", version=1)["ok"]["state"]
    assert state["title"] == "Mine"
    assert "ok" in page.ask(id=2, do="step", count=5)
    assert {name: value.tolist() for name, value in model.state_dict().items()} == before


def test_without_anything_a_start_is_chosen_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hello = Page(cg.studio(), monkeypatch).ask(id=1, do="hello", version=1)["ok"]
    assert hello["state"] is None
    assert len(hello["starts"]) >= 5


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        ((cg.nn.Linear(1, 1),), {}, "a model is shown with its data: cg.studio(model, x, y)"),
        ((LECTURE, np.eye(2), np.eye(2)), {}, "are given with a model only"),
        ((LECTURE,), {"loss": "mse"}, "are given with a model only"),
        ((LECTURE,), {"title": "Mine"}, "are given with a model only"),
        ((3.5,), {}, "a saved run, or a model with data, not float"),
        (("nothing.toml",), {}, "nothing.toml"),
    ],
)
def test_what_cannot_be_shown_is_said(
    arguments: tuple[Any, ...], settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(cg.ChalkgradError) as error:
        cg.studio(*arguments, **settings)
    assert words in str(error.value)


def test_without_anywidget_the_command_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    room._widget.cache_clear()
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r'pip install "chalkgrad\[studio\]"'):
        cg.studio(LECTURE)
    room._widget.cache_clear()


def test_the_room_is_called_whoever_came_first() -> None:
    import chalkgrad.studio
    import chalkgrad.studio.session

    assert callable(cg.studio)
    assert cg.studio.session is chalkgrad.studio.session
