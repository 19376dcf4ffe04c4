"""Lecture 001: the 2-2-2 sigmoid network with every number: forward, backward, update; then on.

E_total = sum of 1/2 (target - output)^2. The lecture updates the eight weights and leaves the
biases.
"""

import chalkgrad as torch
from chalkgrad import nn, optim

inputs = torch.tensor([0.1, 0.5], dtype=torch.float64)
targets = torch.tensor([0.05, 0.95], dtype=torch.float64)

hidden = nn.Linear(2, 2).double()
output = nn.Linear(2, 2).double()
with torch.no_grad():
    hidden.weight.copy_(torch.tensor([[0.1, 0.3], [0.2, 0.4]]))  # w1 w3 into h1, w2 w4 into h2
    hidden.bias.fill_(0.25)  # b1
    output.weight.copy_(torch.tensor([[0.5, 0.6], [0.7, 0.8]]))  # w5 w6 into o1, w7 w8 into o2
    output.bias.fill_(0.35)  # b2
weights = {
    "w1": (hidden, 0, 0), "w2": (hidden, 1, 0), "w3": (hidden, 0, 1), "w4": (hidden, 1, 1),
    "w5": (output, 0, 0), "w6": (output, 0, 1), "w7": (output, 1, 0), "w8": (output, 1, 1),
}  # fmt: skip
criterion = nn.HalfSquaredError()
optimizer = optim.SGD([hidden.weight, output.weight], lr=0.6)


def forward(show: bool = False) -> torch.Tensor:
    sums = hidden(inputs)
    hidden_outputs = torch.sigmoid(sums)
    output_sums = output(hidden_outputs)
    outputs = torch.sigmoid(output_sums)
    if show:
        print("Forward")
        for layer, total, activation in (("h", sums, hidden_outputs), ("o", output_sums, outputs)):
            for k in (0, 1):
                unit = f"{layer}{k + 1}"
                print(
                    f"  sum_{unit} = {total[k].item():.5f}   "
                    f"output_{unit} = {activation[k].item():.5f}"
                )
        errors = 0.5 * (targets - outputs) ** 2
        print(f"  E_1 = {errors[0].item():.5f}   E_2 = {errors[1].item():.5f}")
    return criterion(outputs, targets)


loss = forward(show=True)
print(f"  E_total = {loss.item():.5f}")
loss.backward()
old = {name: layer.weight[i, j].item() for name, (layer, i, j) in weights.items()}
optimizer.step()
print("Backward and update: new w = w - 0.6 * dE_total/dw")
for name, (layer, i, j) in weights.items():
    gradient, new = layer.weight.grad[i, j].item(), layer.weight[i, j].item()
    print(
        f"  dE_total/d{name} = {gradient:9.6f}   "
        f"new {name} = {old[name]:.1f} - 0.6 * {gradient:9.6f} = {new:.6f}"
    )
print(f"Forward again: E_total = {forward().item():.6f}")

step, before = 1, float("inf")
print("Trained on, until a thousand steps no longer lower the error by a millionth")
while True:
    loss = forward()
    if step % 1000 == 1:
        print(f"  after {step:6d} steps: E_total = {loss.item():.3e}")
        if before - loss.item() < 1e-6:
            break
        before = loss.item()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    step += 1
outputs = torch.sigmoid(output(torch.sigmoid(hidden(inputs))))
print(f"Converged: outputs {outputs[0].item():.5f}, {outputs[1].item():.5f} for targets 0.05, 0.95")
