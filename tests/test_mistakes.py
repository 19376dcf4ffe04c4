"""The ten commonest mistakes: each gives one message with the thing, the facts and the fix."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import chalkgrad as torch
from chalkgrad import nn, optim


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x: Any) -> Any:
        return self.layers(x)


def wrong_width() -> None:
    Network()(torch.ones(4, 8))


def backward_on_a_vector() -> None:
    (torch.ones(3, requires_grad=True) * 2).backward()


def backward_twice() -> None:
    loss = (torch.ones(3, requires_grad=True) ** 2).sum()
    loss.backward()
    loss.backward()


def whole_numbers() -> None:
    nn.Linear(2, 1)(torch.tensor([[1, 2]]))


def class_out_of_range() -> None:
    nn.CrossEntropyLoss()(torch.zeros(2, 3), torch.tensor([0, 3]))


def no_probability() -> None:
    nn.BCELoss()(torch.tensor([1.5]), torch.tensor([1.0]))


def changed_leaf() -> None:
    weight = torch.ones(3, requires_grad=True)
    weight += 1


def nothing_to_optimize() -> None:
    optim.SGD(nn.ReLU().parameters(), lr=0.1)


ERRORS: dict[Callable[[], None], tuple[type[Exception], list[str]]] = {
    wrong_width: (
        RuntimeError,
        ["layers.2 (Linear 64→10) got width 32; its input is layers.0 (…→32)"],
    ),
    backward_on_a_vector: (
        RuntimeError,
        ["grad can be implicitly created only for scalar outputs", "[3]", "loss.mean()"],
    ),
    backward_twice: (
        RuntimeError,
        ["Trying to backward through the graph a second time", "retain_graph=True"],
    ),
    whole_numbers: (
        RuntimeError,
        ["Linear 2→1 got int64 numbers; its weight is float32", "x.float()"],
    ),
    class_out_of_range: (
        IndexError,
        ["Target 3 is out of bounds", "position 1", "classes 0–2"],
    ),
    no_probability: (
        RuntimeError,
        ["should be between 0 and 1; one is 1.5", "BCEWithLogitsLoss"],
    ),
    changed_leaf: (RuntimeError, ["a leaf Variable that requires grad", "+=", "no_grad()"]),
    nothing_to_optimize: (
        ValueError,
        ["optimizer got an empty parameter list", "model.parameters()"],
    ),
}


@pytest.mark.parametrize("mistake", ERRORS, ids=lambda mistake: mistake.__name__)
def test_a_mistake_gives_one_clear_error(mistake: Callable[[], None]) -> None:
    kind, phrases = ERRORS[mistake]
    with pytest.raises(kind) as caught:
        mistake()
    for phrase in phrases:
        assert phrase in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_target_of_another_shape_keeps_pytorchs_meaning_and_warns() -> None:
    message = re.escape("Using a target size (torch.Size([4])) that is different to the input size")
    with pytest.warns(UserWarning, match=message) as caught:
        loss = nn.MSELoss()(torch.ones(4, 1), torch.zeros(4))
    assert loss.item() == 1.0
    assert "target.reshape(4, 1)" in str(caught[0].message)


def test_a_forgotten_zero_grad_keeps_pytorchs_meaning_and_warns() -> None:
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    with pytest.warns(UserWarning, match=r"zero_grad") as caught:
        layer(torch.ones(1, 2)).sum().backward()
    assert re.search("weight|bias", str(caught[0].message))
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [[2.0, 2.0]]


def test_accumulating_before_a_step_is_no_mistake(recwarn: pytest.WarningsRecorder) -> None:
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(2):
        layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    layer(torch.ones(1, 2)).sum().backward()
    assert not recwarn
