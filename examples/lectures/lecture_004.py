"""Lecture 004: the chain rule on J = 3(x + yz), and one neuron that learns AND."""

import chalkgrad as torch

x, y, z = (torch.tensor(v, requires_grad=True) for v in (4.0, 3.0, 2.0))
u = y * z
v = x + u
J = 3 * v
for between in (u, v):
    between.retain_grad()
J.backward()
print("J = 3v, v = x + u, u = yz at x = 4, y = 3, z = 2")
print(f"  u = {u.item():g}, v = {v.item():g}, J = {J.item():g}")
print(f"  dJ/dv = {v.grad.item():g}, dJ/du = {u.grad.item():g}")
gradient = ", ".join(f"{t.grad.item():g}" for t in (x, y, z))
print(f"  the gradient of J: (dJ/dx, dJ/dy, dJ/dz) = ({gradient})")

points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
labels = torch.tensor([0.0, 0.0, 0.0, 1.0])
w = torch.zeros(2, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
print("\nA neuron a = sigmoid(w1 x1 + w2 x2 + b) learns AND, L = sum of (y - a)^2, learning rate 1")
for step in range(1001):
    a = torch.sigmoid(points @ w + b)
    loss = ((labels - a) ** 2).sum()
    if step in (0, 1, 10, 100, 1000):
        weights = [round(i, 3) for i in w.tolist()]
        print(f"  step {step:4d}  L {loss.item():.5f}  w {weights}  b {b.item():.3f}")
    loss.backward()
    with torch.no_grad():
        w -= w.grad
        b -= b.grad
    w.grad = b.grad = None
print(f"  outputs {[round(i, 3) for i in a.tolist()]} for labels {labels.int().tolist()}")
