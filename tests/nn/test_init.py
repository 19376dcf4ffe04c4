"""Initial weights: the distributions are PyTorch's, by their formulas and by many draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn

DRAWS = 40_000


@pytest.fixture(autouse=True)
def _seeded() -> None:
    cg.manual_seed(12345)


def distance(sample: np.ndarray[Any, Any], distribution: Any) -> float:
    """Kolmogorov and Smirnov's: the largest gap between a sample and a distribution function."""
    x = np.sort(sample.reshape(-1).astype(np.float64))
    n = len(x)
    expected = distribution(x)
    steps = np.arange(n + 1) / n
    return float(max(np.max(steps[1:] - expected), np.max(expected - steps[:-1])))


def close(sample: np.ndarray[Any, Any], distribution: Any) -> None:
    # A sample of the right distribution exceeds this gap once in 10^6 seeds.
    assert distance(sample, distribution) < math.sqrt(math.log(2e6) / 2 / sample.size)


def uniform(bound: float) -> Any:
    return lambda x: np.clip((x + bound) / (2 * bound), 0, 1)


def normal(std: float, mean: float = 0.0) -> Any:
    return lambda x: np.array([0.5 * math.erfc(-(v - mean) / std / math.sqrt(2)) for v in x])


def test_the_judge_judges() -> None:
    sample = np.random.default_rng(0).uniform(-1, 1, DRAWS)
    close(sample, uniform(1.0))
    with pytest.raises(AssertionError):
        close(sample, uniform(1.03))
    with pytest.raises(AssertionError):
        close(sample, normal(1 / math.sqrt(3)))


LAYERS = {
    "Linear": (lambda: nn.Linear(16, 2500), 1 / 4),
    "Bilinear": (lambda: nn.Bilinear(25, 4, 400), 1 / 5),
    "Conv1d": (lambda: nn.Conv1d(4, 2500, 4), 1 / 4),
    "Conv2d": (lambda: nn.Conv2d(8, 1000, 2, groups=2), 1 / 4),
    # PyTorch counts a transposed convolution's fan-in along its second axis.
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(2500, 4, 4), 1 / 4),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2500, 4, 2), 1 / 4),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_start_uniform(name: str) -> None:
    build, bound = LAYERS[name]
    layer = build()
    weight = layer.weight.detach().numpy()
    assert np.abs(weight).max() <= bound
    close(weight, uniform(bound))
    biases = [build().bias.detach().numpy() for _ in range(max(1, 2000 // layer.bias.numel()))]
    bias = np.concatenate(biases)
    close(bias, uniform(bound))
    assert 0.99 * bound < np.abs(bias).max() <= bound


def test_other_layers() -> None:
    close(nn.Embedding(200, 200).weight.detach().numpy(), normal(1.0))
    for layer in (nn.BatchNorm1d(3), nn.LayerNorm(3), nn.GroupNorm(1, 3)):
        assert layer.weight.tolist() == [1.0] * 3
        assert layer.bias.tolist() == [0.0] * 3
    assert nn.PReLU().weight.tolist() == [0.25]


# fan_in 50, fan_out 800.
WEIGHTS = {
    "uniform_": (lambda w: nn.init.uniform_(w, -2.0, 2.0), uniform(2.0)),
    "normal_": (lambda w: nn.init.normal_(w, 1.0, 3.0), normal(3.0, 1.0)),
    "xavier_uniform_": (lambda w: nn.init.xavier_uniform_(w, 2.0), uniform(2 * math.sqrt(6 / 850))),
    "xavier_normal_": (lambda w: nn.init.xavier_normal_(w), normal(math.sqrt(2 / 850))),
    "kaiming_uniform_": (lambda w: nn.init.kaiming_uniform_(w), uniform(math.sqrt(6 / 50))),
    "kaiming_uniform_ out": (
        lambda w: nn.init.kaiming_uniform_(w, mode="fan_out", nonlinearity="tanh"),
        uniform(5 / 3 * math.sqrt(3 / 800)),
    ),
    "kaiming_normal_": (
        lambda w: nn.init.kaiming_normal_(w, a=1.0),
        normal(math.sqrt(1 / 50)),
    ),
    "kaiming_normal_ relu": (
        lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
        normal(math.sqrt(2 / 50)),
    ),
}


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("dtype", [cg.float32, cg.float64])
def test_distribution(name: str, dtype: Any) -> None:
    fill, distribution = WEIGHTS[name]
    weight = nn.Parameter(cg.zeros(800, 50, dtype=dtype))
    assert fill(weight) is weight
    assert weight.requires_grad
    assert weight.is_leaf
    close(weight.detach().numpy(), distribution)


@pytest.mark.parametrize(("mean", "std", "a", "b"), [(0, 1, -2, 2), (1, 2, 0, 1.5), (0, 1, 0.5, 9)])
def test_truncated_normal(mean: float, std: float, a: float, b: float) -> None:
    weight = nn.init.trunc_normal_(cg.zeros(DRAWS), mean, std, a, b).numpy()
    assert weight.min() >= a
    assert weight.max() <= b
    cut = normal(std, mean)
    low, high = cut([a])[0], cut([b])[0]
    close(weight, lambda x: np.clip((cut(x) - low) / (high - low), 0, 1))


def test_truncated_normal_warns_far_from_the_mean() -> None:
    with pytest.warns(UserWarning, match="mean is more than 2 std from"):
        nn.init.trunc_normal_(cg.zeros(10), 9.0, 1.0, -2.0, 2.0)


def test_constants() -> None:
    w = cg.empty(2, 3)
    assert nn.init.ones_(w).tolist() == [[1.0] * 3] * 2
    assert nn.init.zeros_(w).tolist() == [[0.0] * 3] * 2
    assert nn.init.constant_(w, 0.5).tolist() == [[0.5] * 3] * 2
    assert nn.init.eye_(w).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def test_dirac_passes_its_input_on() -> None:
    x = cg.randn(1, 4, 7, 7)
    for groups in (1, 2):
        weight = nn.init.dirac_(cg.empty(4, 4 // groups, 3, 3), groups)
        assert cg.equal(nn.functional.conv2d(x, weight, padding=1, groups=groups), x)


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (4, 2, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    w = nn.init.orthogonal_(cg.empty(*shape, dtype=cg.float64), gain=2.0).numpy()
    w = w.reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)


def test_orthogonal_is_uniform() -> None:
    # A rotation's first column is uniform on the circle: its angle is uniform.
    angles = []
    for _ in range(2000):
        w = nn.init.orthogonal_(cg.empty(2, 2, dtype=cg.float64)).numpy()
        angles.append(math.atan2(w[1, 0], w[0, 0]))
    close(np.array(angles), uniform(math.pi))


def test_sparse() -> None:
    w = nn.init.sparse_(cg.empty(200, 100), sparsity=0.3, std=2.0).numpy()
    assert ((w == 0).sum(0) == 60).all()
    assert len({tuple(column == 0) for column in w.T}) > 90
    close(w[w != 0], normal(2.0))


def test_gains() -> None:
    gain = nn.init.calculate_gain
    assert [gain(n) for n in ("linear", "conv2d", "sigmoid", "selu")] == [1, 1, 1, 0.75]
    assert gain("relu") == math.sqrt(2)
    assert gain("leaky_relu", 1) == 1.0
    with pytest.raises(ValueError, match="Unsupported nonlinearity softmax"):
        gain("softmax")
    with pytest.raises(ValueError, match="not a valid number"):
        gain("leaky_relu", True)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="fewer than 2 dimensions"):
        nn.init.xavier_uniform_(cg.empty(3))
    with pytest.raises(ValueError, match="Mode fan_both not supported"):
        nn.init.kaiming_uniform_(cg.empty(3, 3), mode="fan_both")
    with pytest.raises(ValueError, match="Only tensors with 2 dimensions"):
        nn.init.eye_(cg.empty(3))
    with pytest.raises(ValueError, match="2 or more dimensions"):
        nn.init.orthogonal_(cg.empty(3))
    with pytest.raises(ValueError, match="divisible by groups"):
        nn.init.dirac_(cg.empty(3, 3, 3), groups=2)
    with pytest.warns(UserWarning, match="zero-element tensors"):
        nn.init.kaiming_uniform_(cg.empty(0, 3))


def test_a_generator_repeats_its_draws() -> None:
    draws = []
    for _ in range(2):
        generator = cg.Generator().manual_seed(3)
        w = cg.empty(4, 4)
        draws.append(
            [
                nn.init.uniform_(w, generator=generator).tolist(),
                nn.init.kaiming_normal_(w, generator=generator).tolist(),
                nn.init.orthogonal_(w, generator=generator).tolist(),
                nn.init.trunc_normal_(w, generator=generator).tolist(),
                nn.init.sparse_(w, 0.5, generator=generator).tolist(),
            ]
        )
    assert draws[0] == draws[1]


def test_seeds_repeat_layers() -> None:
    cg.manual_seed(7)
    first = nn.Linear(3, 3).weight.tolist()
    second = nn.Linear(3, 3).weight.tolist()
    cg.manual_seed(7)
    assert nn.Linear(3, 3).weight.tolist() == first != second


def test_dropout_drops_its_share() -> None:
    x = cg.ones(DRAWS)
    for p in (0.1, 0.5, 0.9):
        out = nn.Dropout(p)(x).numpy()
        share = (out == 0).mean()
        assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / DRAWS)
        np.testing.assert_allclose(out[out != 0], 1 / (1 - p), rtol=1e-6)


def test_dropout_ends_with_training() -> None:
    for module, shape in (
        (nn.Dropout(), (9,)),
        (nn.Dropout1d(), (2, 3, 4)),
        (nn.Dropout2d(), (2, 3, 4, 5)),
    ):
        x = cg.ones(*shape)
        assert not cg.equal(module(x), x)
        assert cg.equal(module.eval()(x), x)


def test_channel_dropout_drops_whole_channels() -> None:
    for module, shape in ((nn.Dropout1d(0.5), (50, 40, 3)), (nn.Dropout2d(0.5), (50, 40, 3, 2))):
        out = module(cg.ones(*shape)).numpy().reshape(50 * 40, -1)
        assert (out.min(1) == out.max(1)).all()
        assert abs((out[:, 0] == 0).mean() - 0.5) < 5 * 0.5 / math.sqrt(2000)


def test_dropouts_gradient_is_what_it_kept() -> None:
    x = cg.ones(100, requires_grad=True)
    out = nn.Dropout(0.5)(x)
    out.sum().backward()
    assert cg.equal(x.grad, out.detach())
