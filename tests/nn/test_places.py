"""A module's place in its model: names of parameters, scopes of equations."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.core.graph import ancestors


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(2, 3)
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())])

    def forward(self, x: Any) -> Any:
        x = self.hidden(x).relu()
        for layer in self.layers:
            x = layer(x)
        return x


def names(module: nn.Module) -> list[str | None]:
    return [p.name for p in module.parameters()]


def scopes(out: cg.Tensor) -> dict[str, str]:
    """The scope of each kind of equation, the last one of its kind."""
    return {n.primitive.name: str(n.scope) for n in ancestors([out.node]) if n.primitive}


def test_the_first_call_names_parameters() -> None:
    net = Net()
    assert names(net) == [None] * 6
    net(cg.ones(1, 2))
    assert names(net) == [name for name, _ in net.named_parameters()]
    assert net.hidden.weight.name == "hidden.weight"
    assert net.layers[1][0].weight.name == "layers.1.0.weight"


def test_buffers_have_names_too_and_keep_them() -> None:
    model = nn.Sequential(nn.BatchNorm1d(2))
    for _ in range(2):
        model(cg.randn(4, 2))
        assert [b.name for b in model.buffers()] == [n for n, _ in model.named_buffers()]


def test_names_ride_through_a_step() -> None:
    model = nn.Sequential(nn.Linear(2, 1))
    model(cg.ones(1, 2)).sum().backward()
    weight = model[0].weight
    weight.assign(weight - 0.1 * weight.grad)
    assert weight.name == "0.weight"
    model.double()
    assert weight.name == "0.weight"


def test_a_changed_structure_is_named_again() -> None:
    model = nn.Sequential(OrderedDict(a=nn.Linear(2, 2)))
    model(cg.ones(1, 2))
    model.add_module("b", nn.Linear(2, 2))
    model(cg.ones(1, 2))
    assert names(model) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    whole = nn.Sequential(OrderedDict(body=model, head=nn.Linear(2, 1)))
    whole(cg.ones(1, 2))
    assert whole.body.a.weight.name == "body.a.weight"


def test_a_part_called_by_itself_keeps_the_names_of_the_whole() -> None:
    net = Net()
    net.hidden(cg.ones(1, 2))
    assert net.hidden.weight.name == "weight"
    net(cg.ones(1, 2))
    assert net.hidden.weight.name == "hidden.weight"
    net.hidden(cg.ones(1, 2))
    assert net.hidden.weight.name == "hidden.weight"


def test_a_name_that_somebody_gave_stays() -> None:
    layer = nn.Linear(2, 1)
    layer.weight.name = "w"
    nn.Sequential(layer)(cg.ones(1, 2))
    assert layer.weight.name == "w"
    assert layer.bias.name == "0.bias"


def test_a_copy_has_a_place_of_its_own() -> None:
    net = Net()
    net(cg.ones(1, 2))
    last = copy.deepcopy(net.layers[1])
    last(cg.ones(1, 3))
    assert names(last) == ["0.weight", "0.bias"]
    assert names(net.layers[1]) == ["layers.1.0.weight", "layers.1.0.bias"]
    part = copy.deepcopy(net.layers)
    alone = nn.Sequential(*part)
    alone(cg.ones(1, 3))
    assert names(alone)[0] == "0.weight"
    assert names(net)[0] == "hidden.weight"


def test_equations_know_their_module() -> None:
    net = Net()
    out = net(cg.ones(1, 2))
    found = [(n.primitive.name, str(n.scope)) for n in ancestors([out.node]) if n.primitive]
    assert ("matmul", "hidden") in found
    assert ("relu", "None") in found
    assert ("matmul", "layers.0") in found
    assert ("matmul", "layers.1.0") in found
    assert ("sigmoid", "layers.1.1") in found


def test_scopes_inside_of_scopes() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def forward(self, x: Any) -> Any:
            with cg.scope("attention"):
                return self.inner(x).softmax(-1)

    model = nn.Sequential(OrderedDict(block=Block()))
    with cg.scope("step 1"):
        out = model(cg.ones(1, 2))
    found = scopes(out)
    assert found["matmul"] == "step 1.block.attention.inner"
    assert found["exp"] == "step 1.block.attention.softmax"
    assert scopes(model(cg.ones(1, 2)))["matmul"] == "block.attention.inner"


def test_losses_are_regions() -> None:
    x, y = cg.ones(2, 3, requires_grad=True), cg.zeros(2, 3)
    assert scopes(nn.MSELoss()(x, y))["mean"] == "mean squared error"
    assert scopes(nn.BCELoss()(x, y))["bounded_log"] == "binary cross-entropy"
    crossed = scopes(nn.CrossEntropyLoss()(x, cg.tensor([0, 1])))
    assert crossed["mean"] == "cross-entropy"
    assert crossed["exp"].startswith("cross-entropy.")
    with cg.scope("loss"):
        assert scopes(nn.MSELoss()(x, y))["mean"] == "loss.mean squared error"


def test_the_scope_ends_with_the_call_also_when_it_fails() -> None:
    net = Net()
    with pytest.raises(RuntimeError):
        net(cg.ones(1, 5))
    assert scopes(cg.ones(2, requires_grad=True) * 2)["multiply"] == "None"


def test_the_weights_of_a_loss_have_its_name() -> None:
    loss = nn.CrossEntropyLoss(cg.ones(3))
    loss(cg.ones(2, 3), cg.tensor([0, 1]))
    assert loss.weight.name == "CrossEntropyLoss.weight"


def test_shared_layers_are_named_once() -> None:
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, nn.ReLU(), layer)
    model(cg.ones(1, 2))
    assert names(model) == ["0.weight", "0.bias"]
