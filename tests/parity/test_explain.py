"""Derivations of random networks have PyTorch's gradients, and its updates."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalkgrad.explain import explain
from chalkgrad.worksheet import Worksheet
from tests.explain.networks import Network, networks

pytestmark = pytest.mark.parity
F = torch.nn.functional
SLOW = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
ACTIVATIONS: dict[str, Any] = {
    "identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu,
    "leaky_relu": F.leaky_relu, "softplus": F.softplus, "softmax": lambda z: torch.softmax(z, 1),
}  # fmt: skip


def _loss(network: Network, parameters: dict[str, torch.Tensor]) -> torch.Tensor:
    a = torch.tensor(network.inputs, dtype=torch.float64)
    for weights, bias, name in zip(
        network.weights, network.biases, network.activations, strict=True
    ):
        matrix = torch.stack([torch.stack([parameters[n] for n in row]) for row in weights])
        vector = None if bias is None else torch.stack([parameters[n] for n in bias])
        a = ACTIVATIONS[name](F.linear(a, matrix, vector))
    return _over_records(network, _terms(network, a))


def _terms(network: Network, a: torch.Tensor) -> torch.Tensor:
    """The loss of each record."""
    y = torch.tensor(network.targets, dtype=torch.float64)
    if network.loss == "half_squared_error":
        return (0.5 * (y - a) ** 2).sum(1)
    if network.loss == "squared_error":
        return ((y - a) ** 2).sum(1)
    if network.loss == "mean_squared_error":
        return F.mse_loss(a, y, reduction="none").mean(1)
    if network.loss == "binary_cross_entropy":
        return F.binary_cross_entropy(a, y, reduction="none").mean(1)
    if network.activations[-1] == "softmax":
        return -(y * a.log()).sum(1)
    return F.cross_entropy(a, y, reduction="none")


def _over_records(network: Network, terms: torch.Tensor) -> torch.Tensor:
    return terms.sum() if network.over_records == "sum" else terms.mean()


def _parameters(network: Network) -> dict[str, torch.Tensor]:
    return {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in network.parameters.items()
    }


@SLOW
@given(networks())
def test_the_paths_add_up_to_pytorchs_gradient(network: Network) -> None:
    parameters = _parameters(network)
    loss = _loss(network, parameters)
    loss.backward()
    derivation = explain(Worksheet.from_text(network.toml()))
    board = derivation.board
    assert board.quantities[board.loss].value == pytest.approx(loss.item(), rel=1e-12, abs=1e-12)
    for gradient in derivation.gradients:
        wanted = parameters[gradient.wrt.text].grad
        number = 0.0 if wanted is None else wanted.item()
        total = sum(path.value for path in gradient.paths) + gradient.hidden_value
        assert total == pytest.approx(number, rel=1e-9, abs=1e-12)
        assert gradient.value == pytest.approx(number, rel=1e-9, abs=1e-12)


RULES: dict[str, tuple[Any, dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    "adam": (torch.optim.Adam, {"learning_rate": 0.05}),
    "adamw": (torch.optim.AdamW, {"learning_rate": 0.05, "weight_decay": 0.1}),
    "rmsprop": (torch.optim.RMSprop, {"learning_rate": 0.05}),
    "adagrad": (torch.optim.Adagrad, {"learning_rate": 0.05}),
    "adadelta": (torch.optim.Adadelta, {"learning_rate": 0.5}),
    "adamax": (torch.optim.Adamax, {"learning_rate": 0.05}),
    "nadam": (torch.optim.NAdam, {"learning_rate": 0.05}),
    "radam": (torch.optim.RAdam, {"learning_rate": 0.05}),
    "rprop": (torch.optim.Rprop, {"learning_rate": 0.05}),
}


@SLOW
@given(networks(), st.sampled_from(sorted(RULES)))
def test_the_update_is_pytorchs(network: Network, rule: str) -> None:
    kind, settings_ = RULES[rule]
    network.rule, network.settings = rule, settings_
    parameters = _parameters(network)
    _loss(network, parameters).backward()
    options = {"lr" if k == "learning_rate" else k: v for k, v in settings_.items()}
    kind(list(parameters.values()), **options).step()
    derivation = explain(Worksheet.from_text(network.toml()))
    assert derivation.after is not None
    for update in derivation.updates:
        wanted = parameters[update.name.text].item()
        # NAdam keeps its product of momenta, one number, in float32; what is written on the board
        # is the equation in float64.
        assert update.new == pytest.approx(wanted, rel=1e-7, abs=1e-8 if rule == "nadam" else 1e-10)
        assert update.lines[-1].value == update.new
        after = derivation.after.quantities[update.name.text].value
        assert after == pytest.approx(wanted, rel=1e-9, abs=1e-10)
    loss = _loss(network, parameters).item()
    found = derivation.after.quantities[derivation.after.loss].value
    assert found == pytest.approx(loss, rel=1e-7, abs=1e-9)
