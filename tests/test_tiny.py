"""The product in one page: PyTorch's program learns, its graph reads, its gradients are right."""

from __future__ import annotations

import numpy as np
import pytest

import chalkgrad as torch
from chalkgrad import nn, optim
from chalkgrad.core.graph import Because, Meeting


def test_a_gradient_is_the_chain_rule() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    y = torch.tanh(x) * x
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == pytest.approx((1 - np.tanh(2) ** 2) * 2 + np.tanh(2), rel=1e-6)


def test_four_hidden_nodes_learn_xor() -> None:
    torch.manual_seed(0)
    x = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float32)
    y = torch.tensor([[0], [1], [1], [0]], dtype=torch.float32)
    model = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid())
    criterion = nn.BCELoss()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    for _ in range(3000):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        assert torch.round(model(x)).flatten().tolist() == [0, 1, 1, 0]


def test_a_training_step_is_one_graph() -> None:
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    before = model.weight.detach().clone()
    graph = torch.trace(step, torch.zeros(4, 2), torch.zeros(4, 1))
    assert {state.name for state in graph.states} == {"weight", "bias"}
    assert torch.equal(model.weight, before)  # tracing changes nothing
    assert model.weight.grad is None
    assert "matmul(x, " in str(graph)
    assert "mean(" in str(graph)
    stamps = [node.because for node in graph.nodes if node.because is not None]
    assert any(isinstance(stamp, Because) for stamp in stamps)


def test_where_paths_meet_the_sum_says_so() -> None:
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * x

    graph = torch.trace(torch.grad(twice), torch.tensor(3.0))
    assert any(isinstance(node.because, Meeting) for node in graph.nodes)


def test_a_network_reads_digits() -> None:
    digits = torch.data.load("digits")
    x, y, x_test, y_test = digits.split(test=0.25, seed=0)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    torch.fit(model, x / 16, y, loss="cross_entropy", optimizer="adam", epochs=30, verbose=0)
    assert torch.metrics.accuracy(torch.predict(model, x_test / 16), y_test) > 0.95
