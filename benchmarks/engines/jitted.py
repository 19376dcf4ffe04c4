"""JAX, jitted: a whole epoch as one `lax.scan` over the shuffled order, or step by step.

The scan has no Python inside, and is what dense networks want; on a CPU XLA runs convolutions
slower inside a loop than outside one, so there the single step is faster.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases import Case, data, epochs, first_weights


def prepare(case: Case, scan: bool) -> Jitted:
    return Jitted(case, scan)


class Jitted:
    """Weights, Adam's moments and the step counter travel through the steps as one state."""

    def __init__(self, case: Case, scan: bool) -> None:
        self.case, self.scan, self.orders = case, scan, epochs(case)
        self.records = tuple(jnp.asarray(array) for array in data(case))
        weights = [jnp.asarray(array) for array in first_weights(case)]
        zeros = [jnp.zeros_like(weight) for weight in weights]
        self.state = (weights, zeros, [zero.copy() for zero in zeros], jnp.float32(0))

        def step(state: Any, index: Any, x: Any, y: Any) -> Any:
            batch = (x[index], y[index]) if case.shuffled else (x, y)
            return update(state, jax.grad(loss)(state[0], *batch, case), case)

        def epoch(state: Any, order: Any, x: Any, y: Any) -> Any:
            return jax.lax.scan(lambda s, index: (step(s, index, x, y), None), state, order)[0]

        self.step = jax.jit(step, donate_argnums=0)
        self.epoch = jax.jit(epoch, donate_argnums=0)
        self.whole_loss = jax.jit(lambda weights, x, y: loss(weights, x, y, case))

    def __call__(self, steps: int) -> None:
        unshuffled = np.zeros((self.case.chunk, 0), np.int64)
        for _ in range(steps // self.case.chunk):
            order = next(self.orders) if self.case.shuffled else unshuffled
            if self.scan:
                self.state = self.epoch(self.state, order, *self.records)
            else:
                for index in order:
                    self.state = self.step(self.state, index, *self.records)
        jax.block_until_ready(self.state)

    def loss(self) -> float:
        return float(self.whole_loss(self.state[0], *self.records))


def loss(weights: Any, x: Any, y: Any, case: Case) -> Any:
    out = forward(weights, x, case)
    if case.loss == "mse":
        return jnp.mean((out - y) ** 2)
    if case.loss == "bce":
        p = jax.nn.sigmoid(out)
        return -jnp.mean(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))
    rows = jnp.arange(len(y))
    return -jnp.mean(jax.nn.log_softmax(out)[rows, y])


def forward(weights: Any, x: Any, case: Case) -> Any:
    if case.kind == "cnn":
        return cnn(weights, x)
    activation = jax.nn.relu if case.activation == "relu" else jax.nn.sigmoid
    for weight, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = activation(x @ weight.T + bias)
    return x @ weights[-2].T + weights[-1]


def cnn(weights: Any, x: Any) -> Any:
    for kernel, bias in (weights[0:2], weights[2:4]):
        x = jax.lax.conv(x, kernel, (1, 1), "SAME") + bias[:, None, None]
        x = jax.nn.relu(x)
        x = jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    return x.reshape(len(x), -1) @ weights[4].T + weights[5]


def update(state: Any, gradients: Any, case: Case) -> Any:
    """SGD, or Adam with bias correction: Kingma and Ba, algorithm 1."""
    weights, means, squares, count = state
    rate, tree = case.learning_rate, jax.tree.map
    count = count + 1
    if case.optimizer == "sgd":
        return tree(lambda w, g: w - rate * g, weights, gradients), means, squares, count
    means = tree(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
    squares = tree(lambda v, g: 0.999 * v + 0.001 * g * g, squares, gradients)
    first, second = 1 - 0.9**count, 1 - 0.999**count

    def moved(w: Any, m: Any, v: Any) -> Any:
        return w - rate * (m / first) / (jnp.sqrt(v / second) + 1e-8)

    return tree(moved, weights, means, squares), means, squares, count
