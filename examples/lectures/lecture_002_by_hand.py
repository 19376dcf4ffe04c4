"""Lecture 002, the part by hand: XOR with two hidden nodes and shared weights, one update.

The network uses w2 three times and b1 twice: a shared parameter's gradient is the sum over its
uses. The lecture's own numbers go astray at the output: it has sigmoid(0.30901) = 0.5762 for the
sum 0.5987 * 0.2 + 0.6457 * 0.4 + 0.6, which is 0.97800; and it leaves out w2 as used in h2.
"""

import chalkgrad as torch

names = ("w1", "w2", "b1", "w3", "w4", "b2")
values = (0.3, 0.5, 0.1, 0.2, 0.4, 0.6)
parameters = {
    name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
    for name, value in zip(names, values, strict=True)
}
learning_rate = 0.1


def forward(x1: float, x2: float) -> dict[str, torch.Tensor]:
    w1, w2, b1, w3, w4, b2 = parameters.values()
    a_h1 = torch.sigmoid(x1 * w1 + x2 * w2 + b1)
    a_h2 = torch.sigmoid(x1 * w2 + x2 * w2 + b1)
    a_o = torch.sigmoid(a_h1 * w3 + a_h2 * w4 + b2)
    return {"a_h1": a_h1, "a_h2": a_h2, "a_o": a_o}


def loss_of(a_o: torch.Tensor, target: float) -> torch.Tensor:
    return 0.5 * (target - a_o) ** 2


computed = forward(1.0, 0.0)
loss = loss_of(computed["a_o"], 1.0)
print("Input (1, 0), target 1")
for name, value in computed.items():
    print(f"  {name} = {value.item():.6f}")
print(f"  loss = {loss.item():.6f}")
loss.backward()
print("Update with learning rate 0.1")
with torch.no_grad():
    for name, parameter in parameters.items():
        old = parameter.item()
        parameter -= learning_rate * parameter.grad
        print(
            f"  dL/d{name} = {parameter.grad.item():9.6f}   "
            f"{name}: {old:.1f} -> {parameter.item():.6f}"
        )
print(f"Forward again: loss = {loss_of(forward(1.0, 0.0)['a_o'], 1.0).item():.6f}")
print("(The lecture writes a_o = 0.5762, the sigmoid of 0.30901; the sum is 0.97800.)")
