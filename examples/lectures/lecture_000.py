"""Lecture 000: training seen from outside, on two networks.

First a 2-2-1 network that tells a person's height from weight and shoulder width; then a
three-class network that is shown one handwritten 2: its outputs before and after one
back-propagation. (Its random start is one that takes the 2 for a 1, as the lecture's does.)
"""

import chalkgrad as torch
from chalkgrad import data, nn, optim

# Part 1: weight and shoulder width -> height.
x = torch.tensor([[68.0, 14.0], [89.0, 18.0]])
y = torch.tensor([[5.7], [6.0]])
mean, deviation = x.mean(dim=0), x.std(dim=0)
scaled = (x - mean) / deviation  # raw numbers near 80 would saturate the sigmoids

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1))
criterion = nn.HalfSquaredError()  # L = 1/2 (Y - Y_pred)^2, summed over the records
optimizer = optim.SGD(model.parameters(), lr=0.1)

print("Height from weight and shoulder width (2-2-1, sigmoid, half squared error)")
for epoch in range(501):
    loss = criterion(model(scaled), y)
    optimizer.zero_grad()
    loss.backward()
    if epoch in (0, 1, 10, 100, 500):
        gradient = model[2].weight.grad[0].tolist()
        print(
            f"  epoch {epoch:3d}  loss {loss.item():9.6f}  "
            f"dL/dW5, dL/dW6 = {gradient[0]:9.6f}, {gradient[1]:9.6f}"
        )
    optimizer.step()
for record, height, answer in zip(x.tolist(), y.tolist(), model(scaled).tolist(), strict=True):
    weight, shoulder = record
    print(
        f"  weight {weight:.0f}, shoulder {shoulder:.0f}: "
        f"height {height[0]:.1f}, predicted {answer[0]:.4f}"
    )

# Part 2: show one digit 2 to a network that knows nothing.
digits = data.load("digits")
image = torch.tensor(digits.x[digits.y == 2][:1] / 16)  # the first 2 among the handwritten digits
label = torch.tensor([2])

torch.manual_seed(11)
picture = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3))
loss_of = nn.CrossEntropyLoss()
step = optim.SGD(picture.parameters(), lr=0.3)


def bars(outputs: torch.Tensor) -> None:
    for name, share in enumerate(torch.softmax(outputs, dim=1)[0].tolist()):
        print(f"    {name}  {share:.3f}  {'█' * round(40 * share)}")


print("\nA handwritten 2 is fed to a three-class network (0, 1, 2) with random weights")
for row in image.reshape(8, 8).tolist():
    print("    " + "".join(" ░▒▓█"[min(4, int(5 * value))] * 2 for value in row))
print("  outputs before back-propagation:")
before = picture(image)
bars(before)
loss = loss_of(before, label)
loss.backward()
step.step()
print(f"  one back-propagation of the label 2 (loss {loss.item():.4f}); outputs after:")
after = picture(image)
bars(after)
print(f"  loss now {loss_of(after, label).item():.4f}")
