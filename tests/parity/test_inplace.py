"""In-place methods against PyTorch: memory and its views, the graph, the rules about leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from tests.parity.agreement import (
    Program,
    assert_agree,
    assert_both_raise,
    assert_same,
    normal,
    pair,
)

pytestmark = pytest.mark.parity

# Each changes its tensor, whose elements are positive and below 1.
CHANGES: dict[str, Program] = {
    "add_": lambda t, x: x.add_(2),
    "add_ alpha": lambda t, x: x.add_(x, alpha=3),
    "sub_": lambda t, x: x.sub_(t.ones(3)),
    "mul_": lambda t, x: x.mul_(t.ones(3) * 1.5),
    "div_": lambda t, x: x.div_(2),
    "div_ rounding": lambda t, x: x.div_(0.3, rounding_mode="floor"),
    "pow_": lambda t, x: x.pow_(2),
    "remainder_": lambda t, x: x.remainder_(0.3),
    "fmod_": lambda t, x: x.fmod_(0.3),
    "neg_": lambda t, x: x.neg_(),
    "abs_": lambda t, x: x.abs_(),
    "square_": lambda t, x: x.square_(),
    "reciprocal_": lambda t, x: x.reciprocal_(),
    "addcmul_": lambda t, x: x.addcmul_(x + 1, x - 1, value=2),
    "addcdiv_": lambda t, x: x.addcdiv_(t.ones(2, 3), x + 1),
    "lerp_": lambda t, x: x.lerp_(x[0] * 2, 0.25),
    "cumsum_": lambda t, x: x.cumsum_(1),
    "cumprod_": lambda t, x: x.cumprod_(0),
    "exp_": lambda t, x: x.exp_(),
    "exp2_": lambda t, x: x.exp2_(),
    "expm1_": lambda t, x: x.expm1_(),
    "log_": lambda t, x: x.log_(),
    "log2_": lambda t, x: x.log2_(),
    "log10_": lambda t, x: x.log10_(),
    "log1p_": lambda t, x: x.log1p_(),
    "sqrt_": lambda t, x: x.sqrt_(),
    "rsqrt_": lambda t, x: x.rsqrt_(),
    "sin_": lambda t, x: x.sin_(),
    "cos_": lambda t, x: x.cos_(),
    "tan_": lambda t, x: x.tan_(),
    "asin_": lambda t, x: x.asin_(),
    "acos_": lambda t, x: x.acos_(),
    "atan_": lambda t, x: x.atan_(),
    "sinh_": lambda t, x: x.sinh_(),
    "cosh_": lambda t, x: x.cosh_(),
    "tanh_": lambda t, x: x.tanh_(),
    "asinh_": lambda t, x: x.asinh_(),
    "atanh_": lambda t, x: x.atanh_(),
    "sigmoid_": lambda t, x: x.sigmoid_(),
    "logit_": lambda t, x: x.logit_(),
    "relu_": lambda t, x: x.relu_(),
    "erf_": lambda t, x: x.erf_(),
    "erfc_": lambda t, x: x.erfc_(),
    "erfinv_": lambda t, x: x.erfinv_(),
    "round_": lambda t, x: x.round_(),
    "floor_": lambda t, x: x.floor_(),
    "ceil_": lambda t, x: x.ceil_(),
    "trunc_": lambda t, x: x.trunc_(),
    "frac_": lambda t, x: x.frac_(),
    "sign_": lambda t, x: x.sign_(),
    "clamp_": lambda t, x: x.clamp_(0.4, 0.6),
    "clamp_ min": lambda t, x: x.clamp_(min=0.5),
    "clamp_min_": lambda t, x: x.clamp_min_(0.5),
    "clamp_max_": lambda t, x: x.clamp_max_(0.5),
    "nan_to_num_": lambda t, x: x.nan_to_num_(),
    "tril_": lambda t, x: x.tril_(),
    "triu_": lambda t, x: x.triu_(1),
    "masked_fill_": lambda t, x: x.masked_fill_(x > 0.5, 9),
    "masked_scatter_": lambda t, x: x.masked_scatter_(x > 0.5, 2 * x),
    "index_fill_": lambda t, x: x.index_fill_(1, t.tensor([0, 2]), 5),
    "index_add_": lambda t, x: x.index_add_(0, t.tensor([1]), x[:1] * 2),
    "index_copy_": lambda t, x: x.index_copy_(0, t.tensor([1]), x[:1] * 2),
    "index_put_": lambda t, x: x.index_put_((t.tensor([1]),), x[0, 0] * 2),
    "scatter_": lambda t, x: x.scatter_(1, t.tensor([[0], [2]]), 7),
    "scatter_ src": lambda t, x: x.scatter_(1, t.tensor([[0], [2]]), x[:, :1] * 2),
    "scatter_add_": lambda t, x: x.scatter_add_(1, t.tensor([[1, 1]]), x[:1, :2] * 2),
    "zero_": lambda t, x: x.zero_(),
    "fill_": lambda t, x: x.fill_(3),
    "fill_ tensor": lambda t, x: x.fill_(x[0, 0] * 2),
    "copy_": lambda t, x: x.copy_(t.ones(3)),
    "copy_ number": lambda t, x: x.copy_(3),
    "copy_ own": lambda t, x: x.copy_(x[0] * 2),
    "copy_ cast": lambda t, x: x.copy_(t.ones(2, 1, dtype=t.int64)),
    "fill_diagonal_": lambda t, x: x.fill_diagonal_(4),
    "t_": lambda t, x: x.t_(),
    "transpose_": lambda t, x: x.transpose_(0, 1),
    "swapaxes_": lambda t, x: x.swapaxes_(0, 1),
    "squeeze_": lambda t, x: x.squeeze_(),
    "unsqueeze_": lambda t, x: x.unsqueeze_(1),
    "chain": lambda t, x: x.mul_(2).add_(1).sqrt_(),
}  # fmt: skip
SAMPLE = np.random.default_rng(7).uniform(0.1, 0.9, (2, 3))


def on_a_copy(change: Program) -> Program:
    """The change of a tensor computed in the graph, whose old elements are used as well."""

    def program(t: Any, x: Any) -> Any:
        y = x * 1
        returned = change(t, y)
        assert returned is y
        return y

    return program


NO_GRADIENT_IN_PYTORCH = ("asinh_", "atanh_")


@pytest.mark.parametrize("name", [name for name in CHANGES if name not in NO_GRADIENT_IN_PYTORCH])
def test_in_the_graph(name: str) -> None:
    assert_agree(on_a_copy(CHANGES[name]), SAMPLE)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_in_memory(name: str, kind: type) -> None:
    ours, theirs = pair(SAMPLE.astype(kind))
    aliases = ours.detach(), theirs.detach()
    rows = ours[1], theirs[1]
    assert CHANGES[name](cg, ours) is ours
    assert CHANGES[name](torch, theirs) is theirs
    for a, b in ((ours, theirs), aliases, rows):
        assert_same(a, b)


WHOLE = ("add_", "mul_", "neg_", "abs_", "square_", "relu_", "sign_", "masked_fill_", "index_fill_",
         "scatter_", "zero_", "fill_", "copy_", "fill_diagonal_", "t_", "cumsum_", "clamp_max_",
         "round_", "tril_", "index_add_")  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("kind", [np.int64, np.int32])
def test_whole_numbers(name: str, kind: type) -> None:
    array = np.array([[3, -1, 4], [1, -5, 9]], kind)
    ours, theirs = pair(array)
    try:
        CHANGES[name](torch, theirs)
    except RuntimeError:
        assert_both_raise(CHANGES[name], array)
        return
    assert_same(CHANGES[name](cg, ours), theirs)


LOGIC: dict[str, Program] = {
    "eq_": lambda t, x: x.eq_(1),
    "ne_": lambda t, x: x.ne_(1),
    "lt_": lambda t, x: x.lt_(1),
    "le_": lambda t, x: x.le_(1),
    "gt_": lambda t, x: x.gt_(1),
    "ge_": lambda t, x: x.ge_(1),
    "logical_and_": lambda t, x: x.logical_and_(t.tensor([0, 1, 2])),
    "logical_or_": lambda t, x: x.logical_or_(t.tensor([0, 1, 2])),
    "logical_xor_": lambda t, x: x.logical_xor_(t.tensor([0, 1, 2])),
    "logical_not_": lambda t, x: x.logical_not_(),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGIC)
@pytest.mark.parametrize("kind", [np.float32, np.int64, np.bool_])
def test_logic(name: str, kind: type) -> None:
    ours, theirs = pair(np.array([[0, 1, 2], [2, 1, 0]]).astype(kind))
    assert_same(LOGIC[name](cg, ours), LOGIC[name](torch, theirs))


def augmented(operator: str, t: Any, x: Any, other: Any) -> Any:
    names = {"x": x, "other": other}
    exec(f"x {operator} other", names)
    assert names["x"] is x
    return x


@pytest.mark.parametrize("operator", ["+=", "-=", "*=", "/=", "//=", "%=", "**="])
def test_augmented_assignment(operator: str) -> None:
    for other in (2, 0.7):
        if operator != "//=":  # PyTorch has no derivative for it
            assert_agree(on_a_copy(lambda t, x, o=other: augmented(operator, t, x, o)), SAMPLE)
        ours, theirs = pair(SAMPLE)
        assert_same(augmented(operator, cg, ours, other), augmented(operator, torch, theirs, other))


@pytest.mark.parametrize("operator", ["&=", "|=", "^="])
def test_augmented_logic(operator: str) -> None:
    pairs = [pair(np.array(values).astype(bool)) for values in ([0, 1, 6, 0], [3, 0, 1, 0])]
    (ours, theirs), (our_other, their_other) = pairs
    assert_same(
        augmented(operator, cg, ours, our_other), augmented(operator, torch, theirs, their_other)
    )


ERRORS: dict[str, Program] = {
    "shape": lambda t, x: x.add_(t.ones(4, 2, 3)),
    "float into int": lambda t, x: t.tensor([1, 2]).add_(1.5),
    "quotient into int": lambda t, x: t.tensor([1, 2]).div_(2),
    "int into bool": lambda t, x: t.tensor([True]).add_(1),
    "exp of int": lambda t, x: t.tensor([1, 2]).exp_(),
    "copy_ shape": lambda t, x: x.copy_(t.ones(2)),
    "copy_ text": lambda t, x: x.copy_("a"),
    "fill_ vector": lambda t, x: x.fill_(t.ones(2)),
    "fill_diagonal_ vector": lambda t, x: x[0].fill_diagonal_(1),
    "fill_diagonal_ cube": lambda t, x: t.zeros(2, 3, 2).fill_diagonal_(1),
    "masked_fill_ type": lambda t, x: x.masked_fill_(x, 1),
    "index": lambda t, x: x.index_fill_(0, t.tensor([7]), 1),
    "t_": lambda t, x: t.zeros(1, 1, 1).t_(),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_error_class(name: str) -> None:
    assert_both_raise(ERRORS[name], SAMPLE)


@pytest.mark.parametrize("shape", [(5, 3), (7, 2), (3, 5), (2, 2, 2)], ids=str)
@pytest.mark.parametrize("wrap", [False, True])
def test_fill_diagonal(shape: tuple[int, ...], wrap: bool) -> None:
    ours, theirs = pair(normal(*shape))
    assert_same(ours.fill_diagonal_(9, wrap), theirs.fill_diagonal_(9, wrap))


LEAF_CHANGES = [name for name in CHANGES if name != "chain"]


@pytest.mark.parametrize("name", LEAF_CHANGES)
def test_a_leaf_with_a_gradient_refuses(name: str) -> None:
    for t, w in zip((cg, torch), pair(SAMPLE, requires_grad=True), strict=True):
        before = w.tolist()
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
            CHANGES[name](t, w)
        assert w.tolist() == before


@pytest.mark.parametrize("name", CHANGES)
def test_a_leaf_under_no_grad_stays_a_leaf(name: str) -> None:
    ours, theirs = pair(SAMPLE, requires_grad=True)
    for t, w in ((cg, ours), (torch, theirs)):
        with t.no_grad():
            CHANGES[name](t, w)
        assert w.is_leaf
        assert w.requires_grad
        (w * w).sum().backward()
    assert_same(ours, theirs)
    assert_same(ours.grad, theirs.grad)


# Programs that change something in the graph, then use it and what it is a view of.
GRAPHS: dict[str, Program] = {
    "the example": lambda t, w: (w * 2).add_(1).sum(),
    "twice": lambda t, w: (w * 2).mul_(w).add_(w).sin_(),
    "old elements first": lambda t, w: used_before(w * 2),
    "row of the result": lambda t, w: after(w * 2, lambda y: y[0].mul_(3)),
    "column": lambda t, w: after(w * 2, lambda y: y[:, 1].add_(w[:, 0])),
    "every second": lambda t, w: after(w * 2, lambda y: y[:, ::2].exp_()),
    "number": lambda t, w: after(w * 2, lambda y: y[1, 2].neg_()),
    "transpose": lambda t, w: after(w * 2, lambda y: y.t().mul_(t.ones(2).cumsum(0))),
    "permute": lambda t, w: after(w * 2, lambda y: y[None].permute(2, 0, 1).cumsum_(0)),
    "view": lambda t, w: after(w * 2, lambda y: y.view(-1).cumsum_(0)),
    "flatten": lambda t, w: after(w * 2, lambda y: y.flatten().cumsum_(0)),
    "chain of views": lambda t, w: after(w * 2, lambda y: y.t()[1:].reshape(-1)[::3].mul_(7)),
    "view of a view": lambda t, w: after(w * 2, lambda y: y.view(3, 2)[1].view(2, 1)[0].sin_()),
    "None": lambda t, w: after(w * 2, lambda y: y[:, None, 1].fill_(5)),
    "narrow": lambda t, w: after(w * 2, lambda y: y.narrow(1, 1, 2).zero_()),
    "first columns": lambda t, w: after(w * 2, lambda y: y[:, :2].tanh_()),
    "copied into a view": lambda t, w: after(w * 2, lambda y: y[:, 2].copy_(w[:, 0])),
    "select": lambda t, w: after(w * 2, lambda y: y.select(1, 0).add_(1)),
    "squeeze": lambda t, w: after(w * 2, lambda y: y[:1].squeeze(0).add_(w[1])),
    "copies are not views": lambda t, w: after(w * 2, lambda y: y[[0]].mul_(3)),
    "flipped are not views": lambda t, w: after(w * 2, lambda y: y.flip(0).mul_(3)),
    "cloned are not views": lambda t, w: after(w * 2, lambda y: y.t().reshape(-1).mul_(3)),
    "views follow": lambda t, w: followed(w * 2, lambda y: y.mul_(w)),
    "views follow a view": lambda t, w: followed(w * 2, lambda y: y[1].mul_(w[0])),
    "an untracked one": lambda t, w: t.zeros(2, 3, dtype=t.float64).add_(w).mul_(w),
    "an untracked one by view": lambda t, w: after(
        t.ones(2, 3, dtype=t.float64), lambda y: y.view(-1).mul_(w.view(-1))),
    "copied into": lambda t, w: copied_into(t, w),
    "augmented": lambda t, w: augmented("+=", t, w * 2, w),
    "no_grad": lambda t, w: without_recording(t, w),
    "activation": lambda t, w: (w - 0.5).relu_() @ (w.t() * 2).tanh_(),
}  # fmt: skip


def after(y: Any, change: Callable[[Any], Any]) -> list[Any]:
    """A tensor, and one of its views, after a change of the view; and what the change returned."""
    changed = change(y)
    return [y, changed, y * y]


def used_before(y: Any) -> list[Any]:
    z = y + 1
    y.add_(z)
    return [y, z]


def followed(y: Any, change: Callable[[Any], Any]) -> list[Any]:
    views = [y[0], y[:, 1], y.t(), y.view(-1), y.t()[2], y.view(3, 2)[1:]]
    change(y)
    return [y, *views, views[0] * views[2][1:].sum()]


def copied_into(t: Any, w: Any) -> list[Any]:
    x = t.zeros(2, 3, dtype=t.float64)
    x.copy_(w)
    y = x * 1
    x.mul_(3)  # leaves w and y as they are
    return [x, y]


def without_recording(t: Any, w: Any) -> Any:
    y = w * 2
    with t.no_grad():
        y.add_(1)  # the memory changes, and the gradient passes as before
    return y + 1


@pytest.mark.parametrize("name", GRAPHS)
def test_graph(name: str) -> None:
    assert_agree(GRAPHS[name], SAMPLE)


def test_a_view_of_a_leaf_refuses() -> None:
    for t, w in zip((cg, torch), pair(SAMPLE, requires_grad=True), strict=True):
        for view in (w[0], w.t(), w.view(-1), w.t()[1:], w[None]):
            with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
                view.add_(1)
        with t.no_grad():
            w.view(-1)[0] = 5
        assert w[0, 0] == 5


def test_an_expanded_tensor_refuses_in_the_graph() -> None:
    for w in pair(SAMPLE, requires_grad=True):
        wide = (w * 2).expand(4, 2, 3)
        with pytest.raises(RuntimeError, match="single memory location"):
            wide.add_(1)


# What a rule needs was changed in memory: the gradient would be wrong.
STALE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "product": lambda t, w, x: w * x,
    "power": lambda t, w, x: (w + x) ** 2 * x,
    "matrix": lambda t, w, x: w @ x.t(),
    "division": lambda t, w, x: w / x,
}  # fmt: skip


@pytest.mark.parametrize("name", STALE)
@pytest.mark.parametrize("by", ["itself", "a view", "an alias"])
def test_a_number_that_is_needed_was_changed(name: str, by: str) -> None:
    for t in (cg, torch):
        w, x = t.ones(2, 3, requires_grad=True), t.ones(2, 3)
        loss = STALE[name](t, w, x).sum()
        {"itself": x, "a view": x[0], "an alias": x.detach()}[by].add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_a_number_that_is_not_needed_may_change() -> None:
    for t in (cg, torch):
        w, x = t.ones(2, requires_grad=True), t.ones(2)
        loss = (w + x).sum()
        x.add_(5)
        loss.backward()
        assert w.grad.tolist() == [1, 1]


def test_changed_before_is_not_stale() -> None:
    for t in (cg, torch):
        w, x = t.ones(2, requires_grad=True), t.ones(2)
        x.add_(5)
        (w * x).sum().backward()
        assert w.grad.tolist() == [6, 6]
        x.zero_()
        (w * x).sum().backward()
        assert w.grad.tolist() == [6, 6]


def test_the_output_of_a_rule_was_changed() -> None:
    for t in (cg, torch):
        w = t.ones(2, requires_grad=True)
        y = w.exp()
        y.detach().mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()
