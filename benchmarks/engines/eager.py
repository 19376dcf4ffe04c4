"""The program that everybody writes, for PyTorch and, word for word, for chalkgrad.

`torch` below is either of the two modules.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.cases import CHANNELS, Case, data, epochs, first_weights, weight_shapes


def prepare(case: Case, package: str, fused: bool = False) -> Eager:
    return Eager(import_module(package), case, fused)


class Eager:
    """Forward, loss, backward, step: one Python line each."""

    def __init__(self, torch: Any, case: Case, fused: bool) -> None:
        self.torch, self.case = torch, case
        self.x, self.y = (torch.tensor(array) for array in data(case))
        self.model = build(torch, case)
        self.criterion = criterion(torch, case)
        self.optimizer = optimizer(torch, case, self.model, fused)
        self.orders = epochs(case)

    def __call__(self, steps: int) -> None:
        if not self.case.shuffled:
            for _ in range(steps):
                self.step(self.x, self.y)
            return
        for _ in range(steps // self.case.chunk):
            for index in self.torch.tensor(next(self.orders)):
                self.step(self.x[index], self.y[index])

    def step(self, x: Any, y: Any) -> Any:
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def loss(self) -> float:
        with self.torch.no_grad():
            return float(self.criterion(self.model(self.x), self.y).item())


def build(torch: Any, case: Case) -> Any:
    """The case's network as a Sequential, with the case's first weights."""
    model = torch.nn.Sequential(*(cnn(torch) if case.kind == "cnn" else dense(torch, case)))
    names = list(model.state_dict())
    values = (torch.tensor(array) for array in first_weights(case))
    model.load_state_dict(dict(zip(names, values, strict=True)))
    return model


def dense(torch: Any, case: Case) -> list[Any]:
    nn = torch.nn
    activation = nn.ReLU if case.activation == "relu" else nn.Sigmoid
    layers: list[Any] = []
    for out, fan in weight_shapes(case):
        layers += [nn.Linear(fan, out), activation()]
    return layers if case.loss == "bce" else layers[:-1]


def cnn(torch: Any) -> list[Any]:
    nn, (image, first, second) = torch.nn, CHANNELS
    return [
        nn.Conv2d(image, first, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(second * 7 * 7, 10),
    ]  # fmt: skip


def criterion(torch: Any, case: Case) -> Any:
    nn = torch.nn
    losses = {"bce": nn.BCELoss, "cross_entropy": nn.CrossEntropyLoss, "mse": nn.MSELoss}
    return losses[case.loss]()


def optimizer(torch: Any, case: Case, model: Any, fused: bool = False) -> Any:
    if case.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), lr=case.learning_rate)
    options = {"fused": True} if fused else {}
    return torch.optim.Adam(model.parameters(), lr=case.learning_rate, **options)
