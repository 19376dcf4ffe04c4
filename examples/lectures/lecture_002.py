"""Lecture 002, the program: only its import lines are changed."""

import chalkgrad as torch
import chalkgrad.nn as nn
import chalkgrad.optim as optim

# XOR data: input and target output
X = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float32)
y = torch.tensor([[0], [1], [1], [0]], dtype=torch.float32)


# Define the neural network class
class XORModel(nn.Module):
    def __init__(self):
        super(XORModel, self).__init__()
        self.hidden = nn.Linear(2, 2)  # One hidden layer with 2 nodes
        self.output = nn.Linear(2, 1)  # Output layer with 1 node

    def forward(self, x):
        x = torch.sigmoid(self.hidden(x))
        x = torch.sigmoid(self.output(x))
        return x


# Create an instance of the XORModel
model = XORModel()

# Define the loss function (Binary Cross Entropy) and the optimizer
criterion = nn.BCELoss()
optimizer = optim.SGD(model.parameters(), lr=0.1)

# Training loop
epochs = 10000
for epoch in range(epochs):
    optimizer.zero_grad()
    outputs = model(X)
    loss = criterion(outputs, y)
    loss.backward()
    optimizer.step()

    if epoch % 1000 == 0:
        print(f"Epoch {epoch}, Loss: {loss.item():.4f}")

# Make predictions
with torch.no_grad():
    predictions = model(X)
    rounded_predictions = torch.round(predictions)

print("Predictions:")
print(rounded_predictions)
