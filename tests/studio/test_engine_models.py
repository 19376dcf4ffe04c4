"""A person's own model, and the digits: shown, trained, drawn on and taught."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.studio.digits import digits
from chalkgrad.studio.models import of_model
from chalkgrad.studio.net import Net
from chalkgrad.studio.recording import recorded
from chalkgrad.studio.session import Session
from chalkgrad.studio.sheet import Sheet
from tests.studio.engine import Talk, opened, parameters, shown

nn = cg.nn


def small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))


def large(classes: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Linear(5, 70), nn.ReLU(), nn.Linear(70, classes))


def data(inputs: int, count: int = 40, classes: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(count, inputs))
    return x, draw.integers(0, classes, count) if classes else draw.normal(size=(count, 1))


def test_a_small_model_becomes_a_worksheet_with_its_loss() -> None:
    model, (x, y) = small(), data(2)
    adam = cg.optim.Adam(model.parameters(), lr=0.02, betas=(0.8, 0.9))
    subject = of_model(model, x, y, optimizer=adam)
    assert isinstance(subject, Sheet)
    wanted = nn.MSELoss()(model(cg.tensor(x, dtype=cg.float32)), cg.tensor(y, dtype=cg.float32))
    assert subject.loss() == pytest.approx(wanted.item(), rel=1e-5)
    state = Talk(subject).ask("hello", version=1)["state"]
    assert state["settings"]["update"]["betas"] == [0.8, 0.9]
    assert state["settings"]["update"]["learning_rate"] == 0.02
    assert len(state["steps"]) > 30


def test_a_model_without_a_bias_keeps_having_none() -> None:
    model = nn.Sequential(nn.Linear(2, 3, bias=False), nn.Sigmoid(), nn.Linear(3, 2))
    x, y = data(2, classes=2)
    subject = of_model(model, x, y)
    assert isinstance(subject, Sheet)
    assert subject.worksheet.layers[0].bias is None
    wanted = nn.CrossEntropyLoss()(model(cg.tensor(x, dtype=cg.float32)), cg.tensor(y))
    assert subject.loss() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize("end", [None, "softmax", "sigmoid"])
def test_gradients_of_a_folded_model_are_those_of_backward(end: str | None) -> None:
    model, (x, y) = large(), data(5, classes=3)
    criterion = nn.CrossEntropyLoss()
    targets: object = y
    if end == "softmax":
        model.append(nn.Softmax(dim=-1))
        criterion = lambda out, t: nn.NLLLoss()(out.log(), t)  # noqa: E731
    if end == "sigmoid":
        model.append(nn.Sigmoid())
        targets = np.eye(3)[y]
        criterion = lambda out, t: nn.BCELoss()(out, t.float())  # noqa: E731
    talk = Talk(of_model(model, x, targets))
    state = talk.ask("select", record=4)
    one = cg.tensor(np.asarray(targets)[3:4])
    loss = criterion(model(cg.tensor(x[3:4], dtype=cg.float32)), one)
    loss.backward()
    assert state["scene"]["loss"]["value"] == pytest.approx(loss.item(), rel=1e-4)
    for name, found in parameters(state).items():
        base, _, place = name.partition("[")
        index = tuple(int(k) for k in place[:-1].split(","))
        parameter = dict(model.named_parameters())[base]
        assert found["value"] == pytest.approx(parameter[index].item())
        assert parameter.grad is not None
        assert found["gradient"] == pytest.approx(parameter.grad[index].item(), rel=1e-3, abs=1e-7)


def test_the_model_itself_is_left_alone() -> None:
    model, (x, y) = large(), data(5, classes=3)
    before = [p.detach().numpy().copy() for p in model.parameters()]
    talk = Talk(of_model(model, x, y))
    talk.ask("step", count=5)
    talk.ask("edit", change={"set": {"0.bias[0]": 9.0}})
    for old, parameter in zip(before, model.parameters(), strict=True):
        assert (parameter.detach().numpy() == old).all()
        assert parameter.grad is None


def test_steps_of_a_model_are_those_of_its_optimizer() -> None:
    model, (x, y) = large(), data(5, count=20, classes=3)
    optimizer = cg.optim.SGD(model.parameters(), lr=0.3, momentum=0.5)
    talk = Talk(of_model(model, x, y, optimizer=optimizer))
    state = talk.ask("step", count=3)  # 20 records are one batch
    for _ in range(3):
        loss = nn.CrossEntropyLoss()(model(cg.tensor(x, dtype=cg.float32)), cg.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for name, found in parameters(state).items():
        base, _, place = name.partition("[")
        index = tuple(int(k) for k in place[:-1].split(","))
        wanted = dict(model.named_parameters())[base][index].item()
        assert found["value"] == pytest.approx(wanted, rel=1e-3, abs=1e-6)


REFUSED = [
    (lambda: nn.Linear(2, 1), "an nn.Sequential"),
    (lambda: nn.Sequential(nn.Conv2d(1, 1, 1)), "layer 0 of the model is Conv2d"),
    (lambda: nn.Sequential(nn.Tanh()), "does not follow a Linear"),
    (lambda: nn.Sequential(nn.Linear(2, 1), nn.LeakyReLU(0.3)), "settings of its own"),
    (lambda: nn.Sequential(), "no Linear layer"),
    (lambda: nn.Sequential(nn.Linear(3, 1)), "2 numbers each; the network takes 3"),
    (lambda: nn.Sequential(nn.Linear(2, 4)), "do not fit"),
    (lambda: "model", "an nn.Sequential"),
]


@pytest.mark.parametrize(("build", "words"), REFUSED)
def test_what_cannot_be_shown_is_refused(build: object, words: str) -> None:
    x, y = data(2)
    with pytest.raises((TypeError, ValueError), match=words):
        of_model(build(), x, y)  # type: ignore[operator]


def test_data_that_cannot_be_used_is_refused() -> None:
    x, y = data(2)
    for wrong, words in (
        (x[:3], "a row for each record"),
        (np.full_like(x, np.nan), "not finite"),
        (x.astype(str), "array of numbers"),
        (x[None], "array of numbers"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            of_model(small(), wrong, y)
    with pytest.raises(TypeError, match="the studio shows a worksheet"):
        Session(3)


def test_edits_of_a_model() -> None:
    talk, before = opened("digits")
    state = talk.ask("edit", change={"set": {"0.weight[3,5]": 2.5}})
    assert parameters(state)["0.weight[3,5]"]["value"] == 2.5
    state = talk.ask("edit", change={"units": {"layer": 1, "count": 20}})
    assert state["settings"]["layers"][0]["units"] == 20
    assert parameters(state)["0.weight[3,5]"]["value"] == 2.5
    state = talk.ask("edit", change={"activation": {"layer": 1, "to": "identity"}})
    assert [layer["activation"] for layer in state["settings"]["layers"]] == ["identity"] * 2
    state = talk.ask("edit", change={"update": {"rule": "adam", "learning_rate": 0.01}})
    assert state["settings"]["update"]["betas"] == [0.9, 0.999]
    state = talk.ask("edit", change={"seed": 7})
    assert 2 < state["loss"]["value"] < 4
    for _ in range(5):
        state = talk.ask("undo")
    assert shown(state) == shown(before)


def test_digits_open_within_a_second_and_know_the_images() -> None:
    digits.cache_clear()
    started = time.process_time()
    talk, state = opened("digits")
    assert time.process_time() - started < 2  # half a second, where nothing else runs
    view = state["view"]["digits"]
    assert (view["width"], view["height"], view["labels"]) == (8, 8, list("0123456789"))
    right = 0
    for record in range(1, 41):
        image = talk.ask("select", record=record)["view"]["digits"]
        drawn = talk.ask("draw", pixels=image["pixels"])
        bars = [bar["value"] for bar in drawn["outputs"]]
        assert sum(bars) == pytest.approx(1, abs=1e-5)
        right += int(np.argmax(bars)) == image["label"]
    assert right >= 34


def test_one_step_of_teaching_moves_the_outputs() -> None:
    talk, before = opened("digits")
    pixels = before["view"]["digits"]["pixels"]
    for label in (2, 7):
        answer = talk.ask("teach", pixels=pixels, label=label)
        old, new = (answer[k]["outputs"][label]["value"] for k in ("before", "after"))
        assert new > old
        assert talk.ask("draw", pixels=pixels) == answer["after"]
    assert answer["state"]["updates"] == 2
    talk.ask("undo")
    assert shown(talk.ask("undo")) == shown(before)


def test_only_images_are_drawn() -> None:
    talk, _ = opened("digits")
    assert "a list of 64 numbers" in talk.refused("draw", pixels=[0.0])
    assert "from 0 to 1" in talk.refused("draw", pixels=[2.0] * 64)
    assert "must be a number" in talk.refused("draw", pixels=["1"] * 64)
    assert "no label number 10" in talk.refused("teach", pixels=[0.5] * 64, label=10)
    talk, _ = opened("xor")
    assert "no image" in talk.refused("draw", pixels=[0.0, 1.0])
    assert "no image" in talk.refused("teach", pixels=[0.0, 1.0], label=0)


def test_a_run_folder_opens_with_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("skops")
    from chalkgrad.training.table_run import Prepared, Settings

    settings = Settings("examples/tables/iris.csv", "species", hidden=(4,), epochs=3, patience=3)
    Prepared.of(settings).train(tmp_path / "run", resume=False, verbose=0)
    state = Talk(tmp_path / "run").ask("hello", version=1)["state"]
    assert state["title"] == "species from iris.csv"
    assert state["records"] == 150
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"iris\.csv, which is not there"):
        Session(tmp_path / "run")


def test_a_worksheet_with_a_table_beside_it_takes_the_records_in(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("x,o\n1,2\n3,4\n")
    (tmp_path / "s.toml").write_text("""
# mine
[parameters]
w = 0.5
[[layer]]
units = ["o"]
weights = [["w"]]
[data]
csv = "r.csv"
[loss]
kind = "squared_error"
""")
    state = Talk(tmp_path / "s.toml").ask("hello", version=1)["state"]
    assert "# mine" in state["worksheet"]
    assert "csv" not in state["worksheet"]
    again = Talk().ask("open", share=state["share"])
    assert again["loss"] == state["loss"]
    assert again["records"] == 2


@pytest.mark.parametrize("key", ["lecture_004", "xor"])
def test_a_recording_holds_what_a_page_asks(key: str) -> None:
    talk, state = opened(key)
    recording = recorded(Session(talk.session.gallery.open(key)))
    assert recording["hello"]["live"] is False
    assert shown(recording["hello"]["state"]) == shown(state)
    asked = [reply["request"] for reply in recording["replies"]]
    names = list(parameters(state))[:5]
    for name in names:
        for view in ("board", "layer", "paths"):
            found = [r for r in asked if r["do"] == "why" and (r["wrt"], r["view"]) == (name, view)]
            assert len(found) == 1


def test_a_net_is_no_worksheet() -> None:
    assert isinstance(digits(), Net)
    talk, state = opened("digits")
    assert state["worksheet"] is None
    assert "too large" in talk.refused("mark", answers="L = 3")
