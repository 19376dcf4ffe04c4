"""Lecture 003: a linear regression and a classifier, both started from w = 1, b = 0.

Raw features (iq 50-80, cgpa 5-8) make the loss a long narrow valley: at an ordinary learning rate
the weights overshoot further every step. Scaling each feature to mean 0 and deviation 1 cures it.
"""

import chalkgrad as torch
from chalkgrad import nn, optim

features = torch.tensor([[80.0, 8.0], [70.0, 7.0], [60.0, 6.0], [50.0, 5.0]], dtype=torch.float64)
package = torch.tensor([[8.0], [7.0], [6.0], [5.0]], dtype=torch.float64)
placed = torch.tensor([[1.0], [1.0], [0.0], [0.0]], dtype=torch.float64)
scaled = (features - features.mean(dim=0)) / features.std(dim=0, correction=0)


def network(*last: nn.Module) -> nn.Sequential:
    """2-2-1 with linear hidden units, every weight 1 and every bias 0, as the lecture starts."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1), *last).double()
    for parameter in model.parameters():
        (nn.init.ones_ if parameter.dim() > 1 else nn.init.zeros_)(parameter)
    return model


def rounded(numbers: torch.Tensor) -> list[float]:
    return [round(number, 3) for number in numbers.flatten().tolist()]


def train(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, criterion: nn.Module, steps: int
) -> None:
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for step in range(steps + 1):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        if step in (0, 1, 2, 3, 10, 100, 500, steps):
            size = max(p.grad.abs().max().item() for p in model.parameters())
            print(f"    step {step:4d}  loss {loss.item():11.5g}  largest |gradient| {size:.3g}")
        if not loss.isfinite():
            print("    the loss is no longer a number")
            return
        if size == 0:
            print("    every gradient is exactly 0: nothing will ever change")
            return
        optimizer.step()


print("Linear regression: package from iq and cgpa, mean squared error, learning rate 0.01")
print("  raw features:")
train(network(), features, package, nn.MSELoss(), 10)
print("  each feature scaled to mean 0, deviation 1:")
model = network()
train(model, scaled, package, nn.MSELoss(), 500)
print(f"    predicted {rounded(model(scaled))}, true [8, 7, 6, 5]")
first, second = (rounded(unit) for unit in model[0].weight)
print(f"    both hidden units started alike and stay alike: weights {first} and {second}")

print("\nPlacement: yes or no, sigmoid output, binary cross-entropy, learning rate 0.01")
print("  raw features (each output is sigmoid(110) or more, which is 1; a wrong 1 costs 100):")
train(network(nn.Sigmoid()), features, placed, nn.BCELoss(), 10)
print("  scaled features:")
model = network(nn.Sigmoid())
train(model, scaled, placed, nn.BCELoss(), 2000)
print(f"    probability of placement {rounded(model(scaled))}, true [1, 1, 0, 0]")
