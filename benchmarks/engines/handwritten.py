"""Back-propagation by hand in NumPy: what the lecture's formulas cost without an engine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchmarks.cases import Case, data, epochs, first_weights

Array = NDArray[Any]  # all float32


def prepare(case: Case) -> Handwritten:
    return Handwritten(case)


class Handwritten:
    """Forward, δ of the output, backward, update: for these networks and no other."""

    def __init__(self, case: Case) -> None:
        self.case, self.orders = case, epochs(case)
        self.x, self.y = data(case)
        self.weights = first_weights(case)
        self.means = [np.zeros_like(weight) for weight in self.weights]
        self.squares = [np.zeros_like(weight) for weight in self.weights]
        self.count = 0
        self.network = Cnn() if case.kind == "cnn" else Dense(case.activation)

    def __call__(self, steps: int) -> None:
        if not self.case.shuffled:
            for _ in range(steps):
                self.step(self.x, self.y)
            return
        for _ in range(steps // self.case.chunk):
            for index in next(self.orders):
                self.step(self.x[index], self.y[index])

    def step(self, x: Array, y: Array) -> None:
        out = self.network.forward(self.weights, x)
        gradients = self.network.backward(self.weights, delta(out, y, self.case))
        if self.case.optimizer == "sgd":
            for weight, gradient in zip(self.weights, gradients, strict=True):
                weight -= self.case.learning_rate * gradient
        else:
            self.adam(gradients)

    def adam(self, gradients: list[Array]) -> None:
        """Kingma and Ba, algorithm 1, in place."""
        self.count += 1
        rate = self.case.learning_rate / (1 - 0.9**self.count)
        second = 1 - 0.999**self.count
        moments = zip(self.weights, self.means, self.squares, gradients, strict=True)
        for weight, mean, square, gradient in moments:
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            step = rate * mean / (np.sqrt(square / second) + 1e-8)
            weight -= step

    def loss(self) -> float:
        out = self.network.forward(self.weights, self.x)
        if self.case.loss == "mse":
            return float(np.mean((out - self.y) ** 2))
        if self.case.loss == "bce":
            p = sigmoid(out)
            return float(-np.mean(self.y * np.log(p) + (1 - self.y) * np.log(1 - p)))
        return float(-np.mean(np.log(softmax(out)[np.arange(len(out)), self.y])))


def sigmoid(z: Array) -> Array:
    p: Array = 1 / (1 + np.exp(-z))
    return p


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p: Array = e / e.sum(axis=1, keepdims=True)
    return p


def delta(out: Array, y: Array, case: Case) -> Array:
    """∂loss/∂z of the output layer, for each pair of activation and loss that we train."""
    if case.loss == "mse":
        return 2 * (out - y) / out.size
    if case.loss == "bce":
        return (sigmoid(out) - y) / out.size
    p = softmax(out)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)


class Dense:
    """z = a·Wᵀ + b, a = f(z); the output layer is left linear (its f belongs to `delta`)."""

    def __init__(self, activation: str) -> None:
        self.relu = activation == "relu"
        self.inputs: list[Array] = []

    def forward(self, weights: list[Array], x: Array) -> Array:
        self.inputs = []
        for i in range(0, len(weights), 2):
            self.inputs.append(x)
            z = x @ weights[i].T + weights[i + 1]
            x = np.maximum(z, 0) if self.relu else sigmoid(z)
        return z

    def backward(self, weights: list[Array], d: Array) -> list[Array]:
        gradients: list[Array] = []
        for i in reversed(range(0, len(weights), 2)):
            a = self.inputs[i // 2]
            gradients = [d.T @ a, d.sum(axis=0), *gradients]
            if i:
                d = (d @ weights[i]) * ((a > 0) if self.relu else a * (1 - a))
        return gradients


class Cnn:
    """Convolution, ReLU and 2×2 max pooling, twice; then a linear layer.

    A convolution is a matrix product over its patches; the images lie channels last inside.
    """

    def __init__(self) -> None:
        self.stages = (Stage(), Stage())
        self.flat: Array = np.empty((0, 0), np.float32)

    def forward(self, weights: list[Array], x: Array) -> Array:
        a = x.transpose(0, 2, 3, 1)
        for stage, kernel, bias in zip(self.stages, weights[0:4:2], weights[1:4:2], strict=True):
            a = stage.forward(kernel, bias, a)
        self.flat = a.transpose(0, 3, 1, 2).reshape(len(x), -1)  # PyTorch flattens channels first
        out: Array = self.flat @ weights[4].T + weights[5]
        return out

    def backward(self, weights: list[Array], d: Array) -> list[Array]:
        gradients = [d.T @ self.flat, d.sum(axis=0)]
        da = (d @ weights[4]).reshape(len(d), -1, 7, 7).transpose(0, 2, 3, 1)
        for i, stage in ((2, self.stages[1]), (0, self.stages[0])):
            dkernel, dbias, dz = stage.backward(da)
            gradients = [dkernel, dbias, *gradients]
            if i:
                da = stage.towards_input(weights[i], dz)
        return gradients


class Stage:
    """One convolution with its ReLU and its pooling."""

    def forward(self, kernel: Array, bias: Array, a: Array) -> Array:
        n, height, width, _ = a.shape
        self.columns = patches(a)
        z = self.columns @ kernel.reshape(len(kernel), -1).T + bias
        z = np.maximum(z, 0).reshape(n, height // 2, 2, width // 2, 2, -1)
        self.blocks, self.peaks = z, z.max(axis=(2, 4), keepdims=True)
        pooled: Array = self.peaks[:, :, 0, :, 0]
        return pooled

    def backward(self, da: Array) -> tuple[Array, Array, Array]:
        """Towards the kernel, the bias and z; of equal peaks in a block each gets the gradient."""
        reached = (self.blocks == self.peaks) & (self.blocks > 0)
        blocks = np.where(reached, da[:, :, None, :, None], np.float32(0))
        n, rows, _, cols, _, out = blocks.shape
        d = blocks.reshape(-1, out)
        dkernel = (d.T @ self.columns).reshape(out, -1, 3, 3)
        return dkernel, d.sum(axis=0), blocks.reshape(n, 2 * rows, 2 * cols, out)

    def towards_input(self, kernel: Array, dz: Array) -> Array:
        """The convolution of dz with the kernel turned round and its channels exchanged."""
        turned = kernel[:, :, ::-1, ::-1].transpose(1, 0, 2, 3).reshape(kernel.shape[1], -1)
        out: Array = (patches(dz) @ turned.T).reshape(*dz.shape[:3], -1)
        return out


def patches(a: Array) -> Array:
    """(n·height·width, channels·9): the 3×3 surroundings of each pixel, with a border of zeros."""
    padded = np.pad(a, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(padded, (3, 3), axis=(1, 2))
    return windows.reshape(-1, a.shape[3] * 9)
