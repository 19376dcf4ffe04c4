"""nn.functional against PyTorch: outputs, gradients, kinks, extreme values, error classes."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import chalkgrad as cg
from tests.parity.agreement import assert_agree, assert_both_raise, normal, pair

pytestmark = pytest.mark.parity
agree = partial(assert_agree, rtol=1e-10)

INF = float("inf")
EDGES = np.array([-1000.0, -40.0, -3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0, 20.0, 1000.0])

ACTIVATIONS = {
    "relu": lambda F, x: F.relu(x),
    "relu6": lambda F, x: F.relu6(x),
    "leaky_relu": lambda F, x: F.leaky_relu(x),
    "leaky_relu 0.2": lambda F, x: F.leaky_relu(x, negative_slope=0.2),
    "elu": lambda F, x: F.elu(x),
    "elu 2": lambda F, x: F.elu(x, alpha=2.0),
    "selu": lambda F, x: F.selu(x),
    "celu": lambda F, x: F.celu(x),
    "celu 2": lambda F, x: F.celu(x, 2.0),
    "gelu": lambda F, x: F.gelu(x),
    "gelu tanh": lambda F, x: F.gelu(x, approximate="tanh"),
    "silu": lambda F, x: F.silu(x),
    "mish": lambda F, x: F.mish(x),
    "sigmoid": lambda F, x: F.sigmoid(x),
    "logsigmoid": lambda F, x: F.logsigmoid(x),
    "tanh": lambda F, x: F.tanh(x),
    "hardtanh": lambda F, x: F.hardtanh(x),
    "hardtanh bounds": lambda F, x: F.hardtanh(x, -3.0, 0.5),
    "hardsigmoid": lambda F, x: F.hardsigmoid(x),
    "hardswish": lambda F, x: F.hardswish(x),
    "hardshrink": lambda F, x: F.hardshrink(x),
    "hardshrink 1": lambda F, x: F.hardshrink(x, 1.0),
    "softshrink": lambda F, x: F.softshrink(x),
    "softshrink 1": lambda F, x: F.softshrink(x, 1.0),
    "tanhshrink": lambda F, x: F.tanhshrink(x),
    "softplus": lambda F, x: F.softplus(x),
    "softplus beta": lambda F, x: F.softplus(x, beta=2.0, threshold=1.0),
    "softsign": lambda F, x: F.softsign(x),
    "threshold": lambda F, x: F.threshold(x, 0.5, -7.0),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name: str) -> None:
    activation = ACTIVATIONS[name]
    # PyTorch's slope of hardsigmoid is 1/6 rounded to float32.
    rtol = 1e-7 if name == "hardsigmoid" else 1e-10
    for x in (EDGES, normal(3, 4), np.array(0.3), np.empty((0, 2))):
        assert_agree(lambda t, x: activation(t.nn.functional, x), x, rtol=rtol)


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if n not in ("gelu", "gelu tanh")])
def test_activation_of_nan_and_infinity(name: str) -> None:
    activation = ACTIVATIONS[name]
    agree(lambda t, x: activation(t.nn.functional, x).detach(), np.array([np.nan, INF, -INF]))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_in_float32(name: str) -> None:
    activation = ACTIVATIONS[name]
    x = normal(20).astype(np.float32) * 5
    assert_agree(lambda t, x: activation(t.nn.functional, x), x, rtol=3e-6)


IN_PLACE = """
    relu relu6 leaky_relu elu selu celu silu mish hardtanh hardsigmoid hardswish
"""


@pytest.mark.parametrize("name", IN_PLACE.split())
def test_activation_in_place(name: str) -> None:
    def program(t: Any, x: Any) -> Any:
        y = x * 1.0
        z = getattr(t.nn.functional, name)(y, inplace=True)
        return z, y

    assert_agree(program, normal(6), rtol=1e-7 if name == "hardsigmoid" else 1e-10)


def test_in_place_on_a_leaf_is_refused() -> None:
    def program(t: Any, x: Any) -> Any:
        return t.nn.functional.relu(x.requires_grad_(), inplace=True)

    assert_both_raise(program, normal(3))


ALONG = {
    "softmax 0": lambda F, x: F.softmax(x, 0),
    "softmax last": lambda F, x: F.softmax(x, dim=-1),
    "log_softmax": lambda F, x: F.log_softmax(x, 1),
    "softmin": lambda F, x: F.softmin(x, 1),
    "glu": lambda F, x: F.glu(x),
    "glu 0": lambda F, x: F.glu(x, 0),
    "normalize": lambda F, x: F.normalize(x),
    "normalize 0 1": lambda F, x: F.normalize(x, p=1.0, dim=0),
}


@pytest.mark.parametrize("name", ALONG)
def test_function_along_a_dimension(name: str) -> None:
    program = ALONG[name]
    agree(lambda t, x: program(t.nn.functional, x), normal(4, 6))
    agree(lambda t, x: program(t.nn.functional, x), 300 * normal(2, 4, 3, seed=1)[..., :2])


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_softmax_without_a_dimension_warns_and_chooses(name: str, shape: tuple[int, ...]) -> None:
    def program(t: Any, x: Any) -> Any:
        with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name} has been"):
            return getattr(t.nn.functional, name)(x)

    agree(program, normal(*shape))


def test_softmax_converts_first() -> None:
    x = normal(5).astype(np.float32)
    agree(lambda t, x: t.nn.functional.softmax(x, 0, dtype=t.float64), x)


def test_prelu() -> None:
    for slope, x in ((1, normal(5)), (1, normal(2, 3)), (3, normal(2, 3)), (3, normal(2, 3, 4, 5))):
        agree(lambda t, x, a: t.nn.functional.prelu(x, a), x, normal(slope, seed=3))
    agree(lambda t, x, a: t.nn.functional.prelu(x, a), EDGES, np.array([0.25]))


# Losses of an output and a target of one shape.
LOSSES = {
    "mse_loss": {},
    "l1_loss": {},
    "smooth_l1_loss": {},
    "smooth_l1_loss beta": {"beta": 0.3},
    "smooth_l1_loss 0": {"beta": 0.0},
    "huber_loss": {},
    "huber_loss delta": {"delta": 0.3},
    "poisson_nll_loss": {},
    "soft_margin_loss": {},
    "binary_cross_entropy_with_logits": {},
    "multilabel_soft_margin_loss": {},
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_elementwise_loss(name: str, reduction: str) -> None:
    options = {**LOSSES[name], "reduction": reduction}

    def program(t: Any, x: Any, y: Any) -> Any:
        return getattr(t.nn.functional, name.split()[0])(x, y, **options)

    def of_input(y: Any) -> Any:
        return lambda t, x: program(t, x, t.tensor(y))

    for shape in ((5, 3), (4,), (2, 3, 4)):
        agree(of_input(normal(*shape, seed=1)), normal(*shape))
        if not name.startswith("soft_margin"):
            agree(program, normal(*shape), normal(*shape, seed=1))
    # Ties, and the edges of the pieces.
    agree(of_input(np.array([0.0, 0.0, 0.0, -1.0])), np.array([0.0, 0.3, 1.0, -2.0]))


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_regression_with_weights(name: str, reduction: str) -> None:
    def program(t: Any, x: Any, y: Any, w: Any) -> Any:
        return getattr(t.nn.functional, name)(x, y, weight=w, reduction=reduction)

    agree(program, normal(3, 2), normal(3, 2, seed=1), np.abs(normal(3, 2, seed=2)))


def test_broadcasting_loss_warns() -> None:
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):

        def program(t: Any, x: Any, y: Any, name: str = name) -> Any:
            with pytest.warns(
                UserWarning, match=r"Using a target size \(torch.Size\(\[4\]\)\) that is"
            ):
                return getattr(t.nn.functional, name)(x, y)

        agree(program, normal(4, 1), normal(4, seed=1))


def test_half_squared_error_is_half_of_the_sum_of_squares() -> None:
    for name in ("sum", "mean", "none"):

        def program(t: Any, x: Any, y: Any, name: str = name) -> Any:
            if t is cg:
                return t.nn.functional.half_squared_error(x, y, reduction=name)
            return t.nn.functional.mse_loss(x, y, reduction=name) / 2

        agree(program, normal(3, 2), normal(3, 2, seed=1))


@pytest.mark.parametrize(
    "options", [{"full": True}, {"log_input": False}, {"log_input": False, "full": True}]
)
def test_poisson(options: dict[str, Any]) -> None:
    counts = np.array([0.0, 1.0, 2.0, 5.0])
    rates = np.array([0.3, 1.0, 4.0, 2.0])
    agree(lambda t, x: t.nn.functional.poisson_nll_loss(x, t.tensor(counts), **options), rates)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_gaussian(full: bool, reduction: str) -> None:
    def program(t: Any, x: Any, y: Any, v: Any) -> Any:
        return t.nn.functional.gaussian_nll_loss(x, y, v, full=full, reduction=reduction)

    x, y = normal(4, 3), normal(4, 3, seed=1)
    for variance in (np.abs(normal(4, 3)), np.array([[0.5], [1e-9], [0.0], [2.0]]), np.ones(4)):
        agree(program, x, y, variance)
    agree(lambda t, x, y: t.nn.functional.gaussian_nll_loss(x, y, 0.5), x, y)
    assert_both_raise(program, x, y, -np.ones((4, 3)))
    assert_both_raise(program, x, y, np.ones((2, 2)))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "batchmean"])
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div(reduction: str, log_target: bool) -> None:
    y = np.array([[0.0, 0.25, 0.75], [0.2, 0.3, 0.5]])
    y = np.log(y + 0.1) if log_target else y

    def program(t: Any, x: Any, y: Any) -> Any:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            out = t.nn.functional.kl_div(x, y, reduction=reduction, log_target=log_target)
        assert [str(w.message)[:17] for w in caught] == ["reduction: 'mean'"] * (
            reduction == "mean"
        )
        return out

    agree(lambda t, x: program(t, x, t.tensor(y)), normal(2, 3))
    agree(program, normal(2, 3), np.abs(y) + 0.1)


# Binary cross-entropy.
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_binary_cross_entropy(reduction: str) -> None:
    def program(t: Any, p: Any, y: Any, w: Any = None) -> Any:
        return t.nn.functional.binary_cross_entropy(p, y, w, reduction=reduction)

    p, y = np.random.default_rng(0).uniform(0.01, 0.99, (2, 5, 3))
    agree(program, p, y)
    agree(program, p, (y > 0.5).astype(float))
    agree(lambda t, p, y: program(t, p, y, t.tensor(np.arange(3.0))), p, y)
    certain = np.array([0.0, 1.0, 0.0, 1.0])
    agree(
        lambda t, p: program(t, p, t.tensor([0.0, 1.0, 1.0, 0.0], dtype=t.float64)).detach(),
        certain,
    )
    # Where p is wrong and certain, PyTorch's slope is 1e12; that is what it is here.
    # (It is 1e12 rounded to float32 there.)
    wrong = lambda t, p: program(t, p, t.tensor([1.0, 0.0], dtype=t.float64))  # noqa: E731
    assert_agree(wrong, np.array([0.0, 1.0]), rtol=1e-8)


def test_binary_cross_entropy_refuses() -> None:
    def program(t: Any, p: Any, y: Any) -> Any:
        return t.nn.functional.binary_cross_entropy(p, y)

    for wrong in (1.5, -0.1, np.nan, INF):
        assert_both_raise(program, np.array([0.5, wrong]), np.array([0.0, 1.0]))
        assert_both_raise(program, np.array([0.0, 1.0]), np.array([0.5, wrong]))
    assert_both_raise(program, np.full((4, 1), 0.5), np.full(4, 0.5))
    assert_both_raise(program, np.full(4, 0.5), np.ones(4, np.int64))
    assert_both_raise(program, np.full(4, 0.5), np.ones(4, np.float32))
    with pytest.raises(
        RuntimeError, match=r"all elements of input should be between 0 and 1; one is 1\.5"
    ):
        program(cg, cg.tensor([0.5, 1.5]), cg.tensor([0.0, 1.0]))
    none = cg.nn.functional.binary_cross_entropy
    with pytest.raises(RuntimeError, match="between 0 and 1; one is -2"):
        none(cg.tensor([[0.5, -2.0]]), cg.tensor([[0.0, 1.0]]), reduction="none")


def test_a_weight_that_is_nan_is_no_wrong_probability() -> None:
    def program(t: Any, p: Any, y: Any) -> Any:
        w = t.tensor([1.0, np.nan], dtype=t.float64)
        return t.nn.functional.binary_cross_entropy(p, y, w).detach()

    agree(program, np.array([0.5, 0.25]), np.array([0.0, 1.0]))


def test_binary_cross_entropy_with_logits() -> None:
    def program(t: Any, x: Any, y: Any) -> Any:
        F, w = t.nn.functional, t.tensor([0.5, 1.0, 2.0], dtype=t.float64)
        return (
            F.binary_cross_entropy_with_logits(x, y, pos_weight=w),
            F.binary_cross_entropy_with_logits(x, y, w, reduction="sum"),
            F.binary_cross_entropy_with_logits(x, y, w, pos_weight=w),
        )

    agree(program, normal(4, 3), np.abs(normal(4, 3, seed=1)))
    agree(
        lambda t, x: t.nn.functional.binary_cross_entropy_with_logits(
            x, t.ones(13, dtype=t.float64) * 0.3
        ),
        EDGES,
    )
    assert_both_raise(
        lambda t, x, y: t.nn.functional.binary_cross_entropy_with_logits(x, y),
        normal(4, 1),
        normal(4),
    )


# Classes.
def targets(classes: int, *shape: int, ignore: int | None = None) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(7)
    out = rng.integers(0, classes, shape)
    if ignore is not None and out.size:
        out.flat[0] = ignore
    return out


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignore_index", [-100, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("shape", [(6, 4), (4,), (3, 4, 2), (2, 4, 3, 5)])
def test_cross_entropy_of_classes(
    shape: tuple[int, ...], smoothing: float, weighted: bool, ignore_index: int, reduction: str
) -> None:
    records = shape[:0] if len(shape) == 1 else (shape[0], *shape[2:])
    options = {"reduction": reduction, "ignore_index": ignore_index, "label_smoothing": smoothing}
    for y in (targets(4, *records), targets(4, *records, ignore=ignore_index)):

        def program(t: Any, x: Any, y: Any, w: Any = None) -> Any:
            return t.nn.functional.cross_entropy(x, y, w, **options)

        if weighted:
            agree(
                lambda t, x, y: program(t, x, y, t.tensor([0.5, 1.0, 2.0, 0.25], dtype=t.float64)),
                normal(*shape),
                y,
            )
        else:
            agree(program, normal(*shape), y)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("shape", [(6, 4), (4,), (3, 4, 2)])
def test_cross_entropy_of_probabilities(
    shape: tuple[int, ...], smoothing: float, weighted: bool, reduction: str
) -> None:
    def program(t: Any, x: Any, y: Any) -> Any:
        w = t.tensor([0.5, 1.0, 2.0, 0.25], dtype=t.float64) if weighted else None
        return t.nn.functional.cross_entropy(
            x, y, w, reduction=reduction, label_smoothing=smoothing
        )

    agree(program, normal(*shape), np.abs(normal(*shape, seed=2)))


def test_cross_entropy_of_extreme_scores() -> None:
    y = targets(3, 4)
    for scores in (1e4 * normal(4, 3), np.zeros((4, 3)), np.array([[INF, 0.0, 0.0]] * 4)):
        agree(lambda t, x: t.nn.functional.cross_entropy(x, t.tensor(y)).detach(), scores)
    agree(lambda t, x: t.nn.functional.cross_entropy(x, t.tensor(y)), 1e4 * normal(4, 3))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_nll_loss(weighted: bool, reduction: str) -> None:
    def program(t: Any, x: Any, y: Any) -> Any:
        w = t.tensor([0.5, 1.0, 2.0], dtype=t.float64) if weighted else None
        return t.nn.functional.nll_loss(x, y, w, ignore_index=1, reduction=reduction)

    agree(program, normal(6, 3), targets(3, 6))
    agree(program, normal(3), targets(3))
    agree(program, normal(2, 3, 4), targets(3, 2, 4))
    agree(program, normal(2, 3), np.ones(2, np.int64))  # all ignored: 0 / 0
    agree(program, np.empty((0, 3)), np.empty(0, np.int64))


WRONG_TARGETS = {
    "batch": targets(5, 3),
    "column": targets(5, 4, 1),
    "too large": np.array([1, 2, 3, 7]),
    "negative": np.array([1, 2, 3, -1]),
    "float": np.array([1.0, 2, 3, 1]),
    "int32": np.array([1, 2, 3, 1], np.int32),
    "one-hot of whole numbers": np.ones((4, 5), np.int64),
}


@pytest.mark.parametrize("name", WRONG_TARGETS)
def test_cross_entropy_refuses(name: str) -> None:
    assert_both_raise(
        lambda t, x, y: t.nn.functional.cross_entropy(x, y), normal(4, 5), WRONG_TARGETS[name]
    )


def test_cross_entropy_refuses_more() -> None:
    F = lambda t: t.nn.functional  # noqa: E731
    x, y = normal(4, 5), targets(5, 4)
    assert_both_raise(lambda t, x, y: F(t).cross_entropy(x, y), normal(4, 5, 3), targets(5, 4, 2))
    assert_both_raise(
        lambda t, x, y: F(t).cross_entropy(x, y), normal(4, 5, 3, 3), targets(5, 4, 2, 3)
    )
    assert_both_raise(lambda t, x, y: F(t).cross_entropy(x, y, t.ones(4)), x, y)
    assert_both_raise(lambda t, x, y: F(t).cross_entropy(x, y, label_smoothing=2.0), x, y)
    assert_both_raise(lambda t, x, y: F(t).cross_entropy(x, y, reduction="average"), x, y)
    assert_both_raise(lambda t, x: F(t).cross_entropy(x, x, ignore_index=1), x)
    assert_both_raise(lambda t, x, y: F(t).nll_loss(x, y), x, np.array([0, 1, 2, 9]))
    assert_both_raise(lambda t, x, y: F(t).nll_loss(x, y), np.array(0.3), np.array(1))


# Distances and the losses made of them.
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, INF])
def test_distances(p: float) -> None:
    def program(t: Any, a: Any, b: Any) -> Any:
        F = t.nn.functional
        return (
            F.pairwise_distance(a, b, p=p),
            F.pairwise_distance(a, b, p, keepdim=True),
            F.cosine_similarity(a, b),
            F.cosine_similarity(a, b, dim=0),
        )

    agree(program, normal(4, 3), normal(4, 3, seed=1))
    agree(program, normal(4, 3), normal(1, 3, seed=1))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_margin_losses(reduction: str) -> None:
    y = np.array([1.0, -1.0, 1.0, -1.0])

    def program(t: Any, a: Any, b: Any, c: Any) -> Any:
        F, sign = t.nn.functional, t.tensor(y)
        return (
            F.hinge_embedding_loss(a[:, 0], sign, reduction=reduction),
            F.hinge_embedding_loss(a[:, 0], sign, margin=0.3, reduction=reduction),
            F.cosine_embedding_loss(a, b, sign, reduction=reduction),
            F.cosine_embedding_loss(a, b, sign, margin=0.2, reduction=reduction),
            F.cosine_embedding_loss(a[0], b[0], sign[0], reduction=reduction),
            F.margin_ranking_loss(a[:, 0], b[:, 0], sign, reduction=reduction),
            F.margin_ranking_loss(a[:, 0], b[:, 0], sign, margin=0.5, reduction=reduction),
            F.triplet_margin_loss(a, b, c, reduction=reduction),
            F.triplet_margin_loss(a, b, c, margin=3.0, p=1, swap=True, reduction=reduction),
        )

    agree(program, normal(4, 3), normal(4, 3, seed=1), normal(4, 3, seed=2))


def test_margin_losses_refuse() -> None:
    x = normal(3)
    assert_both_raise(lambda t, a: t.nn.functional.cosine_embedding_loss(a, a, t.ones(3)), x)
    assert_both_raise(lambda t, a: t.nn.functional.triplet_margin_loss(a, a, a, margin=0), x)


# Layers.
@pytest.mark.parametrize("lead", [(4,), (), (2, 3), (0,), (1, 2, 3)])
@pytest.mark.parametrize("with_bias", [False, True])
def test_linear(lead: tuple[int, ...], with_bias: bool) -> None:
    b = [normal(2, seed=2)] if with_bias else []
    agree(
        lambda t, x, w, *b: t.nn.functional.linear(x, w, *b),
        normal(*lead, 3),
        normal(2, 3, seed=1),
        *b,
    )


def test_linear_refuses() -> None:
    def program(t: Any, x: Any, w: Any, *b: Any) -> Any:
        return t.nn.functional.linear(x, w, *b)

    assert_both_raise(program, normal(4, 3), normal(2, 2))
    assert_both_raise(program, np.ones((4, 3), np.int64), normal(2, 3))
    assert_both_raise(program, normal(4, 3).astype(np.float32), normal(2, 3))
    assert_both_raise(program, np.array(1.0), normal(2, 2))
    assert_both_raise(program, normal(4, 3), normal(2, 3), normal(4))


@pytest.mark.parametrize("lead", [(4,), (), (2, 3)])
def test_bilinear(lead: tuple[int, ...]) -> None:
    agree(
        lambda t, a, b, w, c: (t.nn.functional.bilinear(a, b, w), t.nn.functional.bilinear(a, b, w,
        c)), normal(*lead, 3), normal(*lead, 2, seed=1), normal(5, 3, 2, seed=2), normal(5, seed=3),
    )  # fmt: skip


def test_embedding() -> None:
    for index in (np.array([1, 0, 3, 3]), np.array(2), np.array([[0, 1], [1, 1]], np.int32)):
        agree(lambda t, w, i=index: t.nn.functional.embedding(t.tensor(i), w), normal(4, 3))
        agree(
            lambda t, w, i=index: t.nn.functional.embedding(t.tensor(i), w, padding_idx=1),
            normal(4, 3),
        )
        agree(
            lambda t, w, i=index: t.nn.functional.embedding(t.tensor(i), w, padding_idx=-1),
            normal(4, 3),
        )
    for wrong in (np.array([1, 9]), np.array([-1]), np.array([1.0])):
        assert_both_raise(lambda t, i, w: t.nn.functional.embedding(i, w), wrong, normal(4, 3))


@pytest.mark.parametrize("mask", [None, "bool", "float", "causal"])
def test_attention(mask: str | None) -> None:
    def program(t: Any, q: Any, k: Any, v: Any) -> Any:
        options: dict[str, Any] = {"is_causal": mask == "causal"}
        if mask == "bool":
            options["attn_mask"] = t.tensor([[True, False, True], [True, True, True]])
        if mask == "float":
            options["attn_mask"] = t.tensor(normal(2, 3))
        return t.nn.functional.scaled_dot_product_attention(q, k, v, **options)

    agree(program, normal(2, 4, 2, 5), normal(2, 4, 3, 5, seed=1), normal(2, 4, 3, 6, seed=2))


def test_dropout_in_evaluation_and_at_the_ends() -> None:
    for name, shape in (("dropout", (4, 3)), ("dropout1d", (2, 3, 4)), ("dropout2d", (2, 3, 4, 5))):

        def program(t: Any, x: Any, name: str = name) -> Any:
            drop = getattr(t.nn.functional, name)
            return drop(x, training=False) * 1.0, drop(x, p=0.0), drop(x, p=1.0)

        agree(program, normal(*shape))
        for p in (-0.1, 1.1):
            assert_both_raise(
                lambda t, x, p=p, name=name: getattr(t.nn.functional, name)(x, p), normal(*shape)
            )


# Convolutions.
CONVOLUTIONS = [
    {},
    {"stride": 2},
    {"padding": 1},
    {"padding": "same"},
    {"padding": "valid"},
    {"padding": "same", "dilation": 3},
    {"dilation": 2, "padding": 3},
    {"groups": 2},
    {"groups": 4, "stride": 3, "padding": 2, "dilation": 2},
]


@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_convolutions(kernel: int, options: dict[str, Any]) -> None:
    groups = options.get("groups", 1)
    quiet = "error" if kernel % 2 else "ignore"  # PyTorch warns of its own copy for an even kernel

    def program(axes: int) -> Any:
        def run(t: Any, x: Any, w: Any, b: Any) -> Any:
            conv = getattr(t.nn.functional, f"conv{axes}d")
            return conv(x, w, b, **options), conv(x[0], w, **options)

        return run

    with warnings.catch_warnings():
        warnings.simplefilter(quiet)
        agree(
            program(1), normal(2, 4, 9), normal(4, 4 // groups, kernel, seed=1), normal(4, seed=2)
        )
        agree(
            program(2),
            normal(2, 4, 7, 9),
            normal(4, 4 // groups, kernel, 3, seed=1),
            normal(4, seed=2),
        )


def test_convolution_with_a_size_for_each_axis() -> None:
    def program(t: Any, x: Any, w: Any) -> Any:
        return t.nn.functional.conv2d(x, w, stride=(2, 1), padding=(0, 2), dilation=(1, 2))

    agree(program, normal(1, 3, 6, 8), normal(2, 3, 3, 2, seed=1))


def test_convolution_refuses() -> None:
    def program(t: Any, x: Any, w: Any, **options: Any) -> Any:
        return t.nn.functional.conv2d(x, w, **options)

    w = normal(2, 3, 3, 3)
    for x in (
        normal(1, 2, 5, 5),
        normal(5, 5),
        normal(1, 3, 2, 2),
        np.ones((1, 3, 5, 5), np.int64),
    ):
        assert_both_raise(program, x, w)
    x = normal(1, 3, 5, 5)
    assert_both_raise(partial(program, padding="same", stride=2), x, w)
    assert_both_raise(
        lambda t, x, w: t.nn.functional.conv2d(x, w, t.ones(3, dtype=t.float64)), x, w
    )


@pytest.mark.parametrize(
    "options",
    [
        {}, {"stride": 2}, {"stride": 2, "padding": 1}, {"stride": 3, "output_padding": 1},
        {"groups": 2}, {"dilation": 2}, {"stride": 2, "padding": 2, "output_padding": 1, "groups":
        2, "dilation": 3},
    ],
    ids=str,
)  # fmt: skip
def test_transposed_convolutions(options: dict[str, Any]) -> None:
    groups = options.get("groups", 1)

    def program(axes: int) -> Any:
        def run(t: Any, x: Any, w: Any, b: Any) -> Any:
            conv = getattr(t.nn.functional, f"conv_transpose{axes}d")
            return conv(x, w, b, **options), conv(x[0], w, **options)

        return run

    bias = normal(2 * groups, seed=2)
    agree(program(1), normal(2, 4, 5), normal(4, 2, 3, seed=1), bias)
    agree(program(2), normal(2, 4, 5, 3), normal(4, 2, 3, 2, seed=1), bias)


def test_transposed_convolution_refuses() -> None:
    def program(t: Any, x: Any, w: Any, **options: Any) -> Any:
        return t.nn.functional.conv_transpose2d(x, w, **options)

    assert_both_raise(program, normal(1, 2, 5, 5), normal(3, 1, 2, 2))
    assert_both_raise(partial(program, output_padding=1), normal(1, 3, 5, 5), normal(3, 1, 2, 2))


# Pooling.
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_pooling_of_any_geometry(data: st.DataObject) -> None:
    size = data.draw(st.integers(3, 9)), data.draw(st.integers(3, 9))
    kernel = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    options = {
        "stride": data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
        "padding": tuple(data.draw(st.integers(0, k // 2)) for k in kernel),
        "ceil_mode": data.draw(st.booleans()),
    }
    x = np.random.default_rng(0).permutation(6 * size[0] * size[1]).reshape(2, 3, *size) / 7.0
    include = data.draw(st.booleans())

    def program(t: Any, x: Any) -> Any:
        F = t.nn.functional
        average = F.avg_pool2d(x, kernel, **options, count_include_pad=include)
        divided = F.avg_pool2d(x, kernel, **options, divisor_override=5)
        best, places = F.max_pool2d(x, kernel, **options, return_indices=True)
        return average, divided, best, places

    agree(program, x)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"stride": 1}, {"stride": 3, "ceil_mode": True}, {"padding": 1},
        {"dilation": 2}, {"dilation": 3, "padding": 1, "stride": 2, "ceil_mode": True},
    ],
    ids=str,
)  # fmt: skip
def test_pooling_along_one_axis(options: dict[str, Any]) -> None:
    def program(t: Any, x: Any) -> Any:
        F = t.nn.functional
        out = [F.max_pool1d(x, 2, **options), *F.max_pool1d(x, 2, **options, return_indices=True)]
        out += [F.max_pool1d(x[0], 2, **options), F.max_pool2d(x, 2, **options)]
        if "dilation" not in options:
            out += [F.avg_pool1d(x, 2, **options), F.avg_pool1d(x[0], 2, **options)]
            out += [F.avg_pool1d(x, 2, **options, count_include_pad=False)]
        return out

    agree(program, np.random.default_rng(3).permutation(2 * 3 * 10).reshape(2, 3, 10) / 7)


def test_ties_and_nan_in_max_pooling() -> None:
    agree(lambda t, x: t.nn.functional.max_pool2d(x, 2), np.ones((1, 1, 4, 4)))
    x = np.array([[[1.0, np.nan, 3.0, 2.0, -INF, -INF]]])
    agree(lambda t, x: t.nn.functional.max_pool1d(x, 2, return_indices=True)[0].detach(), x)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 9), st.integers(1, 9))
def test_adaptive_pooling(height: int, width: int, rows: int, columns: int) -> None:
    x = np.random.default_rng(1).permutation(2 * height * width).reshape(1, 2, height, width) / 3.0

    def program(t: Any, x: Any) -> Any:
        F = t.nn.functional
        best, places = F.adaptive_max_pool2d(x, (rows, columns), return_indices=True)
        flat, flat_places = F.adaptive_max_pool1d(x[0], columns, return_indices=True)
        return (
            F.adaptive_avg_pool2d(x, (rows, columns)), best, places,
            F.adaptive_avg_pool1d(x[0], columns), flat, flat_places,
        )  # fmt: skip

    agree(program, x)


def test_adaptive_pooling_reads_its_sizes() -> None:
    x = normal(2, 3, 6, 8)
    for size in (1, 3, (2, None), (None, 4), (None, None)):
        agree(lambda t, x, size=size: t.nn.functional.adaptive_avg_pool2d(x, size), x)
        agree(lambda t, x, size=size: t.nn.functional.adaptive_max_pool2d(x, size), x)


def test_pooling_refuses() -> None:
    x = normal(1, 1, 3, 3)
    assert_both_raise(lambda t, x: t.nn.functional.max_pool2d(x, 4), x)
    assert_both_raise(lambda t, x: t.nn.functional.max_pool2d(x, 2, padding=2), x)
    assert_both_raise(lambda t, x: t.nn.functional.max_pool2d(x[0, 0], 2), x)
    assert_both_raise(lambda t, x: t.nn.functional.adaptive_avg_pool2d(x[0, 0], 2), x)
    assert_both_raise(lambda t, x: t.nn.functional.avg_pool2d(x, 2, divisor_override=0), x)


# Normalizations.
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("momentum", [0.1, 0.7])
def test_batch_norm(shape: tuple[int, ...], training: bool, momentum: float) -> None:
    def program(t: Any, x: Any, w: Any, b: Any) -> Any:
        mean, variance = t.zeros(3, dtype=t.float64) + 0.5, t.ones(3, dtype=t.float64) * 2
        F = t.nn.functional
        out = F.batch_norm(x, mean, variance, w, b, training=training, momentum=momentum, eps=1e-3)
        return (
            out,
            mean,
            variance,
            F.batch_norm(x, mean, variance),
            F.batch_norm(x, None, None, training=True),
        )

    agree(program, normal(*shape), normal(3, seed=1), normal(3, seed=2))


def test_other_normalizations() -> None:
    def program(t: Any, x: Any, w: Any, b: Any, g: Any) -> Any:
        F = t.nn.functional
        return (
            F.layer_norm(x, (4, 5)), F.layer_norm(x, (4, 5), w, b, 1e-2), F.layer_norm(x, [5]),
            F.group_norm(x, 3), F.group_norm(x, 2, g, g), F.group_norm(x, 6, g),
            F.rms_norm(x, (4, 5)), F.rms_norm(x, (4, 5), w), F.rms_norm(x, (5,), eps=1e-2),
        )  # fmt: skip

    agree(
        program, normal(2, 6, 4, 5), normal(4, 5, seed=1), normal(4, 5, seed=2), normal(6, seed=3)
    )


def test_normalizations_refuse() -> None:
    x = normal(1, 3)
    F = lambda t: t.nn.functional  # noqa: E731
    assert_both_raise(lambda t, x: F(t).batch_norm(x, None, None, training=True), x)
    assert_both_raise(lambda t, x: F(t).batch_norm(x, None, None, training=False), x)
    assert_both_raise(lambda t, x: F(t).layer_norm(x, (2,)), x)
    for shape, groups in (((1, 3), 3), ((1, 3), 2), ((4, 3), 2), ((3,), 3)):
        assert_both_raise(lambda t, x, g=groups: F(t).group_norm(x, g), normal(*shape))


# Elements put elsewhere.
PADS = {
    "one axis": ((1, 2), {}),
    "two axes": ((1, 2, 0, 3), {}),
    "a value": ((1, 2, 0, 3), {"value": 1.5}),
    "cut": ((-1, 2), {}),
    "cut and fill": ((-1, -1, 2, -1), {"value": -2.0}),
    "nothing": ((0, 0), {}),
    "reflect": ((1, 2), {"mode": "reflect"}),
    "replicate": ((1, 2), {"mode": "replicate"}),
    "circular": ((1, 2), {"mode": "circular"}),
    "replicate far": ((7, 5), {"mode": "replicate"}),
}


@pytest.mark.parametrize("name", PADS)
def test_pad(name: str) -> None:
    sides, options = PADS[name]
    agree(lambda t, x: t.nn.functional.pad(x, sides, **options), normal(2, 3, 4))


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_pad_of_images(mode: str) -> None:
    agree(lambda t, x: t.nn.functional.pad(x, (1, 2, 3, 0), mode=mode), normal(2, 2, 4, 5))
    agree(lambda t, x: t.nn.functional.pad(x[0], (1, 2, 3, 0), mode=mode), normal(2, 2, 4, 5))


def test_pad_refuses() -> None:
    F = lambda t: t.nn.functional  # noqa: E731
    assert_both_raise(lambda t, x: F(t).pad(x, (4, 0), mode="reflect"), normal(1, 2, 4))
    assert_both_raise(lambda t, x: F(t).pad(x, (1, 1, 1, 1)), normal(3))
    assert_both_raise(lambda t, x: F(t).pad(x, (1, 1), mode="reflect"), normal(3))
    assert_both_raise(lambda t, x: F(t).pad(x, (1,)), normal(3))
    assert_both_raise(lambda t, x: F(t).pad(x, (-2, -2)), normal(3))
    assert_both_raise(lambda t, x: F(t).pad(x, (1, 1), mode="mirror"), normal(1, 3))


def test_one_hot() -> None:
    for y in (targets(4, 5), targets(4, 2, 3), np.array(2)):
        agree(lambda t, y: t.nn.functional.one_hot(y), y)
        agree(lambda t, y: t.nn.functional.one_hot(y, 6), y)
        agree(lambda t, y: t.nn.functional.one_hot(y, num_classes=4), y)
    F = lambda t: t.nn.functional  # noqa: E731
    assert_both_raise(lambda t, y: F(t).one_hot(y, 3), np.array([1, 5]))
    assert_both_raise(lambda t, y: F(t).one_hot(y), np.array([1, -5]))
    assert_both_raise(lambda t, y: F(t).one_hot(y), np.array([1.0]))


def test_pixel_shuffle() -> None:
    agree(lambda t, x: t.nn.functional.pixel_shuffle(x, 2), normal(2, 12, 3, 4))
    agree(lambda t, x: t.nn.functional.pixel_unshuffle(x, 3), normal(2, 2, 6, 9))
    assert_both_raise(lambda t, x: t.nn.functional.pixel_shuffle(x, 2), normal(1, 3, 2, 2))


def test_losses_of_two_types_are_promoted_as_in_pytorch() -> None:
    ours, theirs = pair(normal(4).astype(np.float32))
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss"):
        a = getattr(cg.nn.functional, name)(ours, cg.arange(4))
        b = getattr(torch.nn.functional, name)(theirs, torch.arange(4))
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
        assert str(a.dtype) == str(b.dtype)
