"""nn's modules against PyTorch: signatures, repr, state dicts, outputs, gradients, buffers."""

from __future__ import annotations

import copy
import inspect
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from tests.parity.agreement import (
    assert_both_raise,
    assert_same,
    assert_same_gradient,
    normal,
    pair,
)

pytestmark = pytest.mark.parity

# What PyTorch has for old programs, and keeps warning about.
DEPRECATED = {"size_average", "reduce"}
ACTIVATIONS = {
    "ReLU": (), "ReLU6": (), "LeakyReLU": (0.2,), "PReLU": (3,), "ELU": (2.0,), "SELU": (),
    "CELU": (1.5,), "GELU": ("tanh",), "SiLU": (), "Mish": (), "Sigmoid": (), "LogSigmoid": (),
    "Tanh": (), "Hardtanh": (-0.5, 2.0), "Hardsigmoid": (), "Hardswish": (), "Hardshrink": (0.3,),
    "Softshrink": (0.3,), "Tanhshrink": (), "Softplus": (2.0, 1.0), "Softsign": (),
    "Threshold": (0.1, 2.0), "GLU": (-1,), "Softmax": (1,), "LogSoftmax": (1,), "Softmin": (1,),
    "Identity": (7,),
}  # fmt: skip

# name, arguments, keywords, shapes of the inputs.
LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any], list[tuple[int, ...]]]] = [
    ("Linear", (3, 5), {}, [(4, 3)]),
    ("Linear", (3, 5, False), {}, [(2, 4, 3)]),
    ("Bilinear", (3, 2, 5), {}, [(4, 3), (4, 2)]),
    ("Bilinear", (3, 2, 5), {"bias": False}, [(3,), (2,)]),
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}, [(2, 4, 9)]),
    ("Conv1d", (4, 6, 3), {"padding": "same", "bias": False}, [(4, 9)]),
    ("Conv2d", (3, 4, 3), {}, [(2, 3, 6, 7)]),
    ("Conv2d", (3, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 0), "groups": 3}, [(2, 3, 6, 7)]),
    ("Conv2d", (3, 4, 3), {"padding": "valid"}, [(3, 6, 7)]),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "output_padding": 1, "groups": 2}, [(2, 4, 5)]),
    ("ConvTranspose2d", (4, 6, 3), {"stride": 2, "padding": 1, "dilation": 2}, [(2, 4, 5, 3)]),
    ("ConvTranspose2d", (4, 6, 3, 2, 1, 1), {"bias": False}, [(4, 5, 3)]),
    ("MaxPool1d", (2,), {"padding": 1, "dilation": 2}, [(2, 3, 9)]),
    ("MaxPool2d", (3, 2), {"padding": 1, "ceil_mode": True}, [(2, 3, 6, 7)]),
    ("MaxPool2d", ((2, 3),), {"return_indices": True}, [(2, 3, 6, 7)]),
    ("AvgPool1d", (2,), {"stride": 1, "padding": 1, "count_include_pad": False}, [(2, 3, 9)]),
    ("AvgPool2d", (3, 2), {"ceil_mode": True}, [(2, 3, 6, 7)]),
    ("AvgPool2d", (2,), {"divisor_override": 3}, [(3, 6, 7)]),
    ("AdaptiveAvgPool1d", (4,), {}, [(2, 3, 9)]),
    ("AdaptiveAvgPool2d", ((2, None),), {}, [(2, 3, 6, 7)]),
    ("AdaptiveMaxPool1d", (4,), {}, [(2, 3, 9)]),
    ("AdaptiveMaxPool2d", (3,), {"return_indices": True}, [(2, 3, 6, 7)]),
    ("Flatten", (), {}, [(2, 3, 4)]),
    ("Flatten", (0, 1), {}, [(2, 3, 4)]),
    ("Unflatten", (1, (2, 3)), {}, [(4, 6)]),
    ("Dropout", (0.0,), {}, [(4, 3)]),
    ("Dropout1d", (1.0,), {}, [(2, 4, 3)]),
    ("Dropout2d", (), {"p": 0.0, "inplace": False}, [(2, 4, 3, 3)]),
    ("BatchNorm1d", (3,), {}, [(5, 3)]),
    ("BatchNorm1d", (3,), {"momentum": None, "eps": 1e-3}, [(5, 3, 2)]),
    ("BatchNorm1d", (3,), {"track_running_stats": False}, [(5, 3)]),
    ("BatchNorm2d", (3,), {"momentum": 0.5, "bias": False}, [(2, 3, 4, 4)]),
    ("BatchNorm2d", (3,), {"affine": False}, [(2, 3, 4, 4)]),
    ("LayerNorm", (4,), {}, [(2, 3, 4)]),
    ("LayerNorm", ((3, 4),), {"bias": False, "eps": 1e-3}, [(2, 3, 4)]),
    ("LayerNorm", ([4],), {"elementwise_affine": False}, [(2, 3, 4)]),
    ("GroupNorm", (2, 4), {}, [(3, 4, 5)]),
    ("GroupNorm", (4, 4), {"affine": False}, [(3, 4, 5, 5)]),
    ("RMSNorm", (4,), {}, [(2, 4)]),
    ("PixelShuffle", (2,), {}, [(1, 8, 3, 4)]),
    ("PixelUnshuffle", (2,), {}, [(1, 2, 4, 6)]),
    ("CosineSimilarity", (), {"dim": 0}, [(4, 3), (4, 3)]),
    ("PairwiseDistance", (3.0,), {"keepdim": True}, [(4, 3), (4, 3)]),
    *((name, arguments, {}, [(2, 3, 4)]) for name, arguments in ACTIVATIONS.items()),
]  # fmt: skip
IDS = [f"{name}{arguments}{options or ''}" for name, arguments, options, _ in LAYERS]

SHAPE = (4, 3)
LOSSES: list[tuple[str, dict[str, Any], list[tuple[int, ...]], Any]] = [
    ("MSELoss", {}, [SHAPE], normal(*SHAPE, seed=5)),
    ("L1Loss", {}, [SHAPE], normal(*SHAPE, seed=5)),
    ("SmoothL1Loss", {"beta": 0.5}, [SHAPE], normal(*SHAPE, seed=5)),
    ("HuberLoss", {"delta": 0.5}, [SHAPE], normal(*SHAPE, seed=5)),
    ("PoissonNLLLoss", {"full": True, "eps": 1e-3}, [SHAPE], np.abs(normal(*SHAPE, seed=5))),
    ("SoftMarginLoss", {}, [SHAPE], np.sign(normal(*SHAPE, seed=5))),
    ("MultiLabelSoftMarginLoss", {}, [SHAPE], np.abs(np.sign(normal(*SHAPE, seed=5)))),
    ("BCEWithLogitsLoss", {}, [SHAPE], np.abs(np.sign(normal(*SHAPE, seed=5)))),
    ("CrossEntropyLoss", {"label_smoothing": 0.1, "ignore_index": 1}, [SHAPE], np.array([0, 1, 2,
    2])), ("NLLLoss", {"ignore_index": 2}, [SHAPE], np.array([0, 1, 2, 2])),
    ("KLDivLoss", {"log_target": True}, [SHAPE], normal(*SHAPE, seed=5)),
    ("HingeEmbeddingLoss", {"margin": 0.5}, [SHAPE], np.sign(normal(*SHAPE, seed=5))),
    ("CosineEmbeddingLoss", {"margin": 0.1}, [SHAPE, SHAPE], np.array([1.0, -1.0, 1.0, -1.0])),
    ("MarginRankingLoss", {"margin": 0.1}, [SHAPE, SHAPE], np.sign(normal(*SHAPE, seed=5))),
]  # fmt: skip


def built(name: str, *arguments: Any, **options: Any) -> tuple[Any, Any]:
    """The same module of each library, with the same random state, in float64."""
    theirs = getattr(torch.nn, name)(*arguments, **options).double()
    ours = getattr(cg.nn, name)(*arguments, **options).double()
    state = {key: normal(*value.shape, seed=len(key)) for key, value in theirs.state_dict().items()}
    for key, value in state.items():
        if key == "running_var":
            state[key] = np.abs(value) + 0.5
        if key == "num_batches_tracked":
            state[key] = np.array(3)
    load(theirs, torch, state)
    load(ours, cg, state)
    return ours, theirs


def load(module: Any, library: Any, state: dict[str, Any]) -> None:
    result = module.load_state_dict({key: library.tensor(value) for key, value in state.items()})
    assert str(result) == "<All keys matched successfully>"


def assert_same_state(ours: Any, theirs: Any, rtol: float = 1e-12) -> None:
    found, wanted = ours.state_dict(), theirs.state_dict()
    assert list(found) == list(wanted)
    for key in wanted:
        assert_same(found[key], wanted[key], rtol)


def results(out: Any) -> list[Any]:
    return list(out) if isinstance(out, tuple) else [out]


def assert_same_pass(
    ours: Any, theirs: Any, *shapes: tuple[int, ...], seed: int = 0, rtol: float = 1e-10
) -> None:
    """One forward and backward pass: outputs, gradients of inputs and parameters, buffers."""
    inputs = [
        pair(normal(*shape, seed=seed + k), requires_grad=True) for k, shape in enumerate(shapes)
    ]
    found = results(ours(*(a for a, _ in inputs)))
    wanted = results(theirs(*(b for _, b in inputs)))
    for a, b in zip(found, wanted, strict=True):
        assert_same(a, b, 1e-10)
    a, b = found[0], wanted[0]
    weights = pair(normal(*b.shape, seed=9))
    (a * weights[0]).sum().backward()
    (b * weights[1]).sum().backward()
    for a, b in inputs:
        assert_same_gradient(a, b, rtol)
    for (key, a), (other, b) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert key == other
        assert_same_gradient(a, b, 1e-10)
    assert_same_state(ours, theirs)


@pytest.mark.parametrize(("name", "arguments", "options", "shapes"), LAYERS, ids=IDS)
def test_layer(
    name: str, arguments: tuple[Any, ...], options: dict[str, Any], shapes: list[tuple[int, ...]]
) -> None:
    ours, theirs = built(name, *arguments, **options)
    rtol = 1e-7 if name == "Hardsigmoid" else 1e-10  # PyTorch's slope there is a float32 number
    for seed in (0, 10):
        ours.zero_grad(), theirs.zero_grad()
        assert_same_pass(ours, theirs, *shapes, seed=seed, rtol=rtol)
    ours.eval(), theirs.eval()
    ours.zero_grad(), theirs.zero_grad()
    assert_same_pass(ours, theirs, *shapes, rtol=rtol)


@pytest.mark.parametrize(("name", "arguments", "options", "shapes"), LAYERS, ids=IDS)
def test_repr_and_state_of_layer(
    name: str, arguments: tuple[Any, ...], options: dict[str, Any], shapes: list[tuple[int, ...]]
) -> None:
    ours, theirs = (
        getattr(cg.nn, name)(*arguments, **options),
        getattr(torch.nn, name)(*arguments, **options),
    )
    assert repr(ours) == repr(theirs)
    found, wanted = ours.state_dict(), theirs.state_dict()
    assert {k: (tuple(v.shape), str(v.dtype)) for k, v in found.items()} == {
        k: (tuple(v.shape), str(v.dtype)) for k, v in wanted.items()
    }


@pytest.mark.parametrize("inplace", [False, True])
def test_repr_in_place(inplace: bool) -> None:
    for name in ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardsigmoid", "Hardswish", "ELU", "CELU",
                 "LeakyReLU", "Hardtanh", "Dropout", "Dropout2d"):  # fmt: skip
        ours = getattr(cg.nn, name)(inplace=inplace)
        assert repr(ours) == repr(getattr(torch.nn, name)(inplace=inplace))
    assert repr(cg.nn.Threshold(1.0, 2.0, inplace)) == repr(torch.nn.Threshold(1.0, 2.0, inplace))


@pytest.mark.parametrize(
    ("name", "options", "shapes", "target"), LOSSES, ids=[x[0] for x in LOSSES]
)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
def test_loss(
    name: str, options: dict[str, Any], shapes: list[tuple[int, ...]], target: Any, reduction: str
) -> None:
    for given in ({}, options):
        ours, theirs = built(name, reduction=reduction, **given)
        assert repr(ours) == repr(theirs)
        assert_same_loss(ours, theirs, shapes, cg.tensor(target), torch.tensor(target))


def assert_same_loss(ours: Any, theirs: Any, shapes: list[tuple[int, ...]], a: Any, b: Any) -> None:
    inputs = [pair(normal(*shape, seed=k), requires_grad=True) for k, shape in enumerate(shapes)]
    found, wanted = ours(*(x for x, _ in inputs), a), theirs(*(x for _, x in inputs), b)
    assert_same(found, wanted, 1e-10)
    found.sum().backward()
    wanted.sum().backward()
    for x, y in inputs:
        assert_same_gradient(x, y, 1e-10)


def test_losses_of_other_forms() -> None:
    p, y = np.random.default_rng(0).uniform(0.01, 0.99, (2, 4, 3))
    weights = np.array([0.5, 1.0, 2.0])
    for name, options in (("BCELoss", {"weight": weights}), ("BCELoss", {})):
        modules = [
            getattr(t.nn, name)(**{k: t.tensor(v) for k, v in options.items()}) for t in (cg, torch)
        ]
        assert modules[0].state_dict().keys() == modules[1].state_dict().keys()
        inputs = pair(p, requires_grad=True)
        found, wanted = (
            m(x, t.tensor(y)) for m, x, t in zip(modules, inputs, (cg, torch), strict=True)
        )
        assert_same(found, wanted, 1e-12)
        found.backward(), wanted.backward()
        assert_same_gradient(*inputs, 1e-10)


def test_weights_of_losses_are_buffers() -> None:
    for t in (cg, torch):
        loss = t.nn.CrossEntropyLoss(weight=t.ones(3)).double()
        assert list(loss.state_dict()) == ["weight"]
        assert loss.weight.dtype == t.float64
        loss = t.nn.BCEWithLogitsLoss(pos_weight=t.ones(3))
        assert list(loss.state_dict()) == ["pos_weight"]
        assert list(t.nn.BCELoss().state_dict()) == []


def test_gaussian_and_triplet_modules() -> None:
    a, b, c = (normal(4, 3, seed=k) for k in range(3))
    for name, options, arrays in (
        ("GaussianNLLLoss", {"full": True, "reduction": "sum"}, (a, b, np.abs(c))),
        ("TripletMarginLoss", {"margin": 2.0, "p": 1.0, "swap": True}, (a, b, c)),
    ):
        ours, theirs = getattr(cg.nn, name)(**options), getattr(torch.nn, name)(**options)
        assert repr(ours) == repr(theirs)
        assert_same_pass(ours, theirs, (4, 3), (4, 3), (4, 3)) if name.startswith("Tri") else None
        assert_same(ours(*map(cg.tensor, arrays)), theirs(*map(torch.tensor, arrays)), 1e-12)


@pytest.mark.parametrize("padding_idx", [None, 1, -1])
def test_embedding(padding_idx: int | None) -> None:
    ours, theirs = built("Embedding", 5, 3, padding_idx=padding_idx)
    assert repr(ours) == repr(theirs)
    index = np.array([[0, 1, 4], [4, 2, 2]])
    found, wanted = ours(cg.tensor(index)), theirs(torch.tensor(index))
    assert_same(found, wanted, 1e-12)
    (found * found).sum().backward()
    (wanted * wanted).sum().backward()
    assert_same_gradient(ours.weight, theirs.weight, 1e-12)
    fresh = cg.nn.Embedding(5, 3, padding_idx=padding_idx)
    zero = [k for k in range(5) if not fresh.weight[k].abs().sum().item()]
    assert zero == ([] if padding_idx is None else [padding_idx % 5])


def test_embedding_from_pretrained() -> None:
    for t in (cg, torch):
        rows = t.ones(4, 2)
        assert not t.nn.Embedding.from_pretrained(rows).weight.requires_grad
        assert t.nn.Embedding.from_pretrained(rows, freeze=False).weight.requires_grad


# Every module and function: the arguments are PyTorch's, in its order, with its defaults.
def described(parameter: inspect.Parameter) -> tuple[str, Any]:
    default = parameter.default
    known = inspect.Parameter.empty if default is inspect.Parameter.empty else default
    return parameter.name, known


def assert_same_signature(ours: Any, theirs: Any, name: str) -> None:
    found = list(inspect.signature(ours).parameters.values())
    wanted = list(inspect.signature(theirs).parameters.values())
    variadic = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    if any(p.kind in variadic for p in wanted):
        return
    kept = [p for p in wanted if p.name not in DEPRECATED]
    assert [described(p) for p in found] == [described(p) for p in kept], name
    # A place that PyTorch gives to a deprecated argument must not mean another one here.
    for place, parameter in enumerate(wanted):
        if parameter.name in DEPRECATED:
            assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in found[place:]), name


def test_signatures_of_modules() -> None:
    names = [n for n in cg.nn.__all__ if isinstance(getattr(cg.nn, n), type)]
    for name in set(names) - {"HalfSquaredError", "Module", "Parameter"}:
        assert_same_signature(getattr(cg.nn, name), getattr(torch.nn, name), name)


BUILT_IN = {
    # PyTorch's C functions have no signature that Python can read; these are its documented ones.
    "linear": "input, weight, bias=None",
    "bilinear": "input1, input2, weight, bias=None",
    "conv1d": "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1",
    "conv2d": "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1",
    "conv_transpose2d":
        "input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1",
    "avg_pool2d":
        "input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, "
        "divisor_override=None",
    "max_pool2d":
        "input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, "
        "return_indices=False",
    "gelu": "input, *, approximate='none'",
    "softplus": "input, beta=1.0, threshold=20.0",
    "softshrink": "input, lambd=0.5",
    "cosine_similarity": "x1, x2, dim=1, eps=1e-08",
    "pairwise_distance": "x1, x2, p=2.0, eps=1e-06, keepdim=False",
    "one_hot": "tensor, num_classes=-1",
    "pixel_shuffle": "input, upscale_factor",
    "prelu": "input, weight",
    "scaled_dot_product_attention":
        "query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, "
        "enable_gqa=False",
}  # fmt: skip


def test_signatures_of_functions() -> None:
    ours, theirs = cg.nn.functional, torch.nn.functional
    for name in set(ours.__all__) - {"half_squared_error", "normalize", *BUILT_IN}:
        try:
            inspect.signature(getattr(theirs, name))
        except ValueError:
            continue
        assert_same_signature(getattr(ours, name), getattr(theirs, name), name)
    for name, text in BUILT_IN.items():
        found = inspect.signature(getattr(ours, name))
        bare = [p.replace(annotation=p.empty) for p in found.parameters.values()]
        assert str(inspect.Signature(bare))[1:-1] == text
    for module in (cg.nn.init, cg.nn.utils):
        other = getattr(torch.nn, module.__name__.rsplit(".", 1)[1])
        for name in [n for n in dir(other) if hasattr(module, n) and n.endswith("_")]:
            if not name.startswith("_"):
                assert_same_signature(getattr(module, name), getattr(other, name), name)


def test_every_name_is_pytorchs() -> None:
    # 'half_squared_error' is the lectures' own loss.
    assert [n for n in cg.nn.__all__ if not hasattr(torch.nn, n)] == ["HalfSquaredError"]
    missing = [n for n in cg.nn.functional.__all__ if not hasattr(torch.nn.functional, n)]
    assert missing == ["half_squared_error"]
    assert all(hasattr(torch.nn.utils, n) for n in cg.nn.utils.__all__)


# A model.
def model(t: Any) -> Any:
    nn = t.nn

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self, width: int) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(width)
            self.inner = nn.Sequential(OrderedDict(first=nn.Linear(width, 8), act=nn.Tanh()))
            self.scale = nn.Parameter(t.ones(8))
            self.register_parameter("absent", None)
            self.register_buffer("shift", t.zeros(8))
            self.register_buffer("hidden", t.zeros(3), persistent=False)

        def forward(self, x: Any) -> Any:
            return self.inner(self.norm(x)) * self.scale + self.shift

    class Model(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([Block(4), Block(8)])
            self.heads = nn.ModuleDict({"a": nn.Linear(8, 2), "b": nn.Linear(8, 2, bias=False)})
            self.mixture = nn.ParameterList([t.ones(2), t.zeros(2)])
            self.tied = self.heads["a"]
            self.dropout = nn.Dropout(0.0)

        def forward(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            a, b = self.heads["a"](x), self.heads["b"](self.dropout(x))
            return a * self.mixture[0] + b * self.mixture[1] + self.tied(x)

    return Model()


def both_models() -> tuple[Any, Any]:
    ours, theirs = model(cg).double(), model(torch).double()
    state = {k: np.abs(normal(*v.shape, seed=len(k))) + 0.1 for k, v in theirs.state_dict().items()}
    state |= {k: np.array(0) for k in state if k.endswith("tracked")}
    load(ours, cg, state)
    load(theirs, torch, state)
    return ours, theirs


def test_model() -> None:
    ours, theirs = both_models()
    assert_same_pass(ours, theirs, (6, 4))
    ours.eval(), theirs.eval()
    assert_same_pass(ours, theirs, (6, 4))


def test_walks_of_a_model() -> None:
    ours, theirs = both_models()
    assert repr(ours) == repr(theirs)
    for walk in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [n for n, _ in getattr(ours, walk)()] == [n for n, _ in getattr(theirs, walk)()]
    for walk in ("parameters", "buffers", "modules", "children"):
        assert len(list(getattr(ours, walk)())) == len(list(getattr(theirs, walk)()))
    for options in ({"recurse": False}, {"prefix": "net"}, {"remove_duplicate": False}):
        for walk in ("named_parameters", "named_buffers"):
            found = [n for n, _ in getattr(ours, walk)(**options)]
            assert found == [n for n, _ in getattr(theirs, walk)(**options)]
    for m in (ours, theirs):
        assert m.get_submodule("blocks.0.inner.first").out_features == 8
        assert m.get_parameter("blocks.1.scale").shape == (8,)
        assert m.get_buffer("blocks.1.shift").shape == (8,)
    for wrong in ("blocks.2", "blocks.0.scale", "nothing"):
        assert_both_raise(lambda t, p=wrong: (ours if t is cg else theirs).get_submodule(p))
    for wrong in ("blocks.0.inner", "blocks.0.nothing", "nothing.weight"):
        assert_both_raise(lambda t, p=wrong: (ours if t is cg else theirs).get_parameter(p))


def test_modes_and_gradients_of_a_model() -> None:
    for m in both_models():
        assert all(x.training for x in m.modules())
        assert m.eval() is m
        assert not any(x.training for x in m.modules())
        m.train()
        assert m.blocks[0].norm.training
        m.requires_grad_(False)
        assert not any(p.requires_grad for p in m.parameters())
        m.requires_grad_()
        with pytest.raises(ValueError, match="training mode is expected to be boolean"):
            m.train("yes")
        seen: list[str] = []
        assert m.apply(lambda x, seen=seen: seen.append(type(x).__name__)) is m
        assert seen[-1] == "Model"
        assert seen[0] == "BatchNorm1d"


def test_zero_grad() -> None:
    for t in (cg, torch):
        layer = t.nn.Linear(2, 1)
        layer(t.ones(1, 2)).sum().backward()
        layer.zero_grad(set_to_none=False)
        assert layer.weight.grad.abs().sum().item() == 0.0
        layer.zero_grad()
        assert layer.weight.grad is None


def test_deepcopy_is_independent() -> None:
    for m in both_models():
        other = copy.deepcopy(m)
        before = m.blocks[0].scale.detach().numpy().copy()
        other.blocks[0].scale.data = other.blocks[0].scale.data * 3
        np.testing.assert_array_equal(m.blocks[0].scale.detach().numpy(), before)
        assert other.tied is other.heads["a"]
        assert other.blocks[0].scale.requires_grad


def test_types_of_a_model() -> None:
    ours, theirs = model(cg), model(torch)
    for convert in ("float", "double", "float"):
        for t, m in ((cg, ours), (torch, theirs)):
            assert getattr(m, convert)() is m
            assert m.blocks[0].norm.num_batches_tracked.dtype == t.int64
        found = {k: str(v.dtype) for k, v in ours.state_dict().items()}
        assert found == {k: str(v.dtype) for k, v in theirs.state_dict().items()}
    for t, m in ((cg, ours), (torch, theirs)):
        for target in (t.float64, "cpu", t.zeros(1)):
            assert m.to(target) is m
        assert m.to(dtype=t.float64, device="cpu").blocks[0].scale.dtype == t.float64
        with pytest.raises(TypeError, match="only accepts floating point or complex dtypes"):
            m.to(t.int64)


def test_conversion_keeps_gradients_and_identity() -> None:
    for t in (cg, torch):
        layer = t.nn.Linear(2, 1)
        weight = layer.weight
        layer(t.ones(1, 2)).sum().backward()
        layer.double()
        assert layer.weight is weight
        assert weight.requires_grad
        assert weight.grad.dtype == t.float64


# State dicts.
def test_errors_of_load_state_dict() -> None:
    texts = []
    for t in (cg, torch):
        m = t.nn.Sequential(t.nn.Linear(2, 3), t.nn.BatchNorm1d(3))
        state = m.state_dict()
        state["0.weight"] = t.zeros(4, 2)
        state["extra"] = t.zeros(1)
        del state["1.running_mean"]
        del state["0.bias"]
        with pytest.raises(RuntimeError) as caught:
            m.load_state_dict(state)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_load_without_strict() -> None:
    for t in (cg, torch):
        m = t.nn.Linear(2, 3)
        result = m.load_state_dict({"weight": t.ones(3, 2), "extra": t.ones(1)}, strict=False)
        assert result.missing_keys == ["bias"]
        assert result.unexpected_keys == ["extra"]
        assert repr(result) == "_IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['extra'])"
        assert m.weight.sum().item() == 6.0
        with pytest.raises(RuntimeError, match="size mismatch for weight"):
            m.load_state_dict({"weight": t.ones(3)}, strict=False)
        with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
            m.load_state_dict([1])
        with pytest.raises(RuntimeError, match=r"expected torch\.Tensor or Tensor-like object"):
            m.load_state_dict({"weight": np.ones((3, 2)), "bias": t.ones(3)})


def test_loading_copies_and_casts() -> None:
    for t in (cg, torch):
        m, given = t.nn.Linear(2, 3), t.ones(3, 2, dtype=t.float64)
        m.load_state_dict({"weight": given, "bias": t.zeros(3)})
        given.zero_()
        assert m.weight.sum().item() == 6.0
        bias = t.ones(3)
        m.load_state_dict({"weight": given, "bias": bias})
        bias.zero_()
        assert m.bias.sum().item() == 3.0
        given.fill_(1.0)
        m.load_state_dict({"weight": given, "bias": bias})
        assert m.weight.dtype == t.float32
        assert m.weight.requires_grad
        assert m.weight.is_leaf
        m(t.ones(1, 2)).sum().backward()
        assert m.weight.grad is not None
        m.load_state_dict({"weight": given, "bias": t.zeros(3)}, assign=True)
        assert m.weight.dtype == t.float64


def test_state_dict_options() -> None:
    for t in (cg, torch):
        m = t.nn.Linear(2, 3)
        assert list(m.state_dict(prefix="net.")) == ["net.weight", "net.bias"]
        assert not m.state_dict()["weight"].requires_grad
        assert m.state_dict(keep_vars=True)["weight"] is m.weight
        assert isinstance(m.state_dict(), OrderedDict)


# Registration.
def test_attributes_are_registered() -> None:
    for t in (cg, torch):
        nn = t.nn
        m = nn.Module()
        m.a = nn.Linear(1, 1)
        m.p = nn.Parameter(t.ones(1))
        m.register_buffer("b", t.ones(1))
        m.plain = t.ones(1)
        m.a = nn.ReLU()
        m.p = None
        m.b = t.zeros(2)
        assert [n for n, _ in m.named_modules()] == ["", "a"]
        assert list(m.parameters()) == []
        assert [tuple(b.shape) for b in m.buffers()] == [(2,)]
        m.a = nn.Parameter(t.ones(3))  # a module becomes a parameter
        assert [n for n, _ in m.named_parameters()] == ["a"]
        assert list(m.children()) == []
        m.plain = nn.Parameter(t.ones(1))
        assert [n for n, _ in m.named_parameters()] == ["a", "plain"]
        del m.a, m.b
        assert not hasattr(m, "a")
        assert [n for n, _ in m.named_parameters()] == ["plain"]
        assert list(m.buffers()) == []


def test_an_attribute_of_the_class_may_become_a_module() -> None:
    for t in (cg, torch):

        class Model(t.nn.Module):  # type: ignore[misc, name-defined]
            layer = None
            weight = None

            def __init__(self) -> None:
                super().__init__()
                self.layer = type(self).kind(1, 1)

            kind = t.nn.Linear

        model = Model()
        assert [name for name, _ in model.named_children()] == ["layer"]
        with pytest.raises(KeyError, match="attribute 'weight' already exists"):
            model.weight = t.nn.Parameter(t.ones(1))


REFUSED = {
    "a tensor as parameter": lambda t, m: setattr(m, "weight", t.ones(1)),
    "a number as module": lambda t, m: setattr(m, "child", 3),
    "a number as buffer": lambda t, m: setattr(m, "buffer", 3),
    "taken": lambda t, m: m.register_parameter("forward", t.nn.Parameter(t.ones(1))),
    "taken buffer": lambda t, m: m.register_buffer("weight", t.ones(1)),
    "a dot": lambda t, m: m.add_module("a.b", t.nn.ReLU()),
    "empty": lambda t, m: m.add_module("", t.nn.ReLU()),
    "no module": lambda t, m: m.add_module("x", 3),
    "no parameter": lambda t, m: m.register_parameter("x", t.ones(1)),
    "no tensor": lambda t, m: m.register_buffer("x", 3),
    "no name": lambda t, m: m.add_module(3, t.nn.ReLU()),
    "no attribute": lambda t, m: m.nothing,
    "no attribute to delete": lambda t, m: delattr(m, "nothing"),
    "no forward": lambda t, m: t.nn.Module()(1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_registration_refuses(name: str) -> None:
    def program(t: Any) -> None:
        m = t.nn.Linear(1, 1)
        m.child = t.nn.ReLU()
        m.register_buffer("buffer", t.ones(1))
        REFUSED[name](t, m)

    assert_both_raise(program)


def test_init_must_come_first() -> None:
    for t in (cg, torch):

        class Early(t.nn.Module):  # type: ignore[misc, name-defined]
            def __init__(self, value: Any) -> None:
                self.early = value

        for value in (t.nn.ReLU(), t.nn.Parameter(t.ones(1))):
            with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
                Early(value)
        with pytest.raises(AttributeError):
            list(Early(3).parameters())


def test_parameter() -> None:
    for t in (cg, torch):
        p = t.nn.Parameter(t.tensor([1.0, 2.0]))
        assert repr(p) == "Parameter containing:\ntensor([1., 2.], requires_grad=True)"
        assert isinstance(p, t.Tensor)
        assert p.is_leaf
        assert type(p * 2) is t.Tensor
        assert not t.nn.Parameter(t.tensor([1]), requires_grad=False).requires_grad
        assert t.nn.Parameter().shape == (0,)
        with pytest.raises(RuntimeError, match="Only Tensors of floating point and complex dtype"):
            t.nn.Parameter(t.tensor([1]))
        q = copy.deepcopy(p)
        assert isinstance(q, t.nn.Parameter)
        (q * q).sum().backward()
        assert p.grad is None
        assert q.grad is not None


# Containers.
def test_sequential() -> None:
    for t in (cg, torch):
        nn = t.nn
        s = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        assert len(s) == 3
        assert isinstance(s[1], nn.ReLU)
        assert s[-1].out_features == 1
        assert list(s[1:].state_dict()) == ["2.weight", "2.bias"]
        assert s[1:](t.ones(1, 3)).shape == (1, 1)
        assert s.append(nn.Tanh()) is s
        s.insert(1, nn.Sigmoid())
        assert [type(m).__name__ for m in s] == ["Linear", "Sigmoid", "ReLU", "Linear", "Tanh"]
        assert [n for n, _ in s.named_children()] == ["0", "1", "2", "3", "4"]
        s.extend([nn.ReLU()])
        del s[1]
        assert isinstance(s.pop(-1), nn.ReLU)
        s[1] = nn.Sigmoid()
        assert [type(m).__name__ for m in s] == ["Linear", "Sigmoid", "Linear", "Tanh"]
        assert len(s + s) == 8
        assert len(s * 2) == 8
        s += nn.Sequential(nn.ReLU())
        del s[3:]
        assert list(s.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
        assert s(t.ones(1, 2)).shape == (1, 1)
        for wrong in (5, -6):
            with pytest.raises(IndexError):
                s[wrong]
        with pytest.raises(IndexError):
            s.insert(9, nn.ReLU())
        with pytest.raises(ValueError, match="add operator supports only"):
            s + list(s)
        with pytest.raises(TypeError):
            nn.Sequential(3)
        named = nn.Sequential(OrderedDict([("hidden", nn.Linear(2, 2)), ("act", nn.ReLU())]))
        assert named.hidden is named[0]


def test_lists_and_dicts() -> None:
    for t in (cg, torch):
        nn = t.nn
        many = nn.ModuleList([nn.Linear(2, 2)])
        many.append(nn.ReLU()).extend([nn.Tanh(), nn.Tanh()])
        many.insert(1, nn.Sigmoid())
        many += [nn.GELU()]
        assert [type(m).__name__ for m in many] == [
            "Linear",
            "Sigmoid",
            "ReLU",
            "Tanh",
            "Tanh",
            "GELU",
        ]
        assert isinstance(many[1:3], nn.ModuleList)
        assert isinstance(many.pop(1), nn.Sigmoid)
        del many[1:3]
        many[-1] = nn.ELU()
        assert [n for n, _ in many.named_children()] == ["0", "1", "2"]
        assert len(many + list(many)) == 6
        for wrong in (3, -4):
            with pytest.raises(IndexError):
                many[wrong]
        with pytest.raises(TypeError):
            many.extend(3)
        with pytest.raises(NotImplementedError):
            many(1)

        chosen = nn.ModuleDict({"a": nn.Linear(1, 1)})
        chosen["b"] = nn.ReLU()
        chosen.update([("c", nn.Tanh())])
        assert list(chosen) == ["a", "b", "c"] == list(chosen.keys())
        assert "b" in chosen
        assert len(chosen.values()) == len(chosen.items()) == 3
        assert isinstance(chosen.pop("b"), nn.ReLU)
        del chosen["c"]
        for missing in (
            lambda d: d["z"],
            lambda d: d.pop("z"),
            lambda d, relu=nn.ReLU: d.__setitem__("keys", relu()),
        ):
            with pytest.raises(KeyError):
                missing(chosen)
        chosen.clear()
        assert len(chosen) == 0
        with pytest.raises(TypeError):
            chosen.update(3)

        weights = nn.ParameterList([t.ones(2), nn.Parameter(t.zeros(3))])
        weights.append(t.ones(1)).extend([t.ones(4)])
        weights[0] = t.zeros(5)
        assert [n for n, _ in weights.named_parameters()] == ["0", "1", "2", "3"]
        assert len(weights) == 4
        assert all(isinstance(w, nn.Parameter) for w in weights)
        assert len(weights[1:3]) == 2
        with pytest.raises(IndexError):
            weights[4]
        with pytest.raises(RuntimeError, match="should not be called"):
            weights(1)
        with pytest.raises(TypeError):
            weights.extend(t.ones(2))


def test_reprs_of_containers() -> None:
    texts = []
    for t in (cg, torch):
        nn = t.nn
        texts.append(
            "\n".join(
                repr(m)
                for m in (
                    nn.Sequential(), nn.ModuleList(), nn.ModuleDict(), nn.ParameterList(),
                    nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Sequential())),
                    nn.ModuleList([nn.Linear(2, 2)] * 3 + [nn.ReLU()] + [nn.Sequential(nn.ReLU())]
                    * 2), nn.ModuleDict({"a": nn.ModuleList([nn.ReLU()])}),
                    nn.Sequential(nn.ParameterList([t.ones(2, 3), t.ones(4)])),
                )
            )
        )  # fmt: skip
    assert texts[0] == texts[1]


CONSTRUCTION = {
    "groups": lambda nn: nn.Conv2d(3, 4, 3, groups=2),
    "no groups": lambda nn: nn.Conv2d(3, 4, 3, groups=0),
    "padding": lambda nn: nn.Conv2d(3, 4, 3, padding="half"),
    "same and stride": lambda nn: nn.Conv2d(3, 4, 3, padding="same", stride=2),
    "padding mode": lambda nn: nn.Conv2d(3, 4, 3, padding_mode="mirror"),
    "transposed padding mode": lambda nn: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"),
    "dropout": lambda nn: nn.Dropout(1.5),
    "group norm": lambda nn: nn.GroupNorm(3, 4),
    "triplet": lambda nn: nn.TripletMarginLoss(margin=0.0),
    "dtype": lambda nn: nn.Linear(2, 2, dtype=cg.int64 if nn is cg.nn else torch.int64),
}


@pytest.mark.parametrize("name", CONSTRUCTION)
def test_construction_refuses(name: str) -> None:
    assert_both_raise(lambda t: CONSTRUCTION[name](t.nn))


CALLS = {
    "BatchNorm1d of 4 dimensions": lambda t: t.nn.BatchNorm1d(3)(t.ones(2, 3, 4, 4)),
    "BatchNorm2d of 2 dimensions": lambda t: t.nn.BatchNorm2d(3)(t.ones(2, 3)),
    "BatchNorm1d of one record": lambda t: t.nn.BatchNorm1d(3)(t.ones(1, 3)),
    "BatchNorm1d of other channels": lambda t: t.nn.BatchNorm1d(3)(t.ones(4, 2)),
    "GroupNorm of other channels": lambda t: t.nn.GroupNorm(2, 4)(t.ones(4, 6)),
    "LayerNorm of another width": lambda t: t.nn.LayerNorm(3)(t.ones(4, 2)),
    "Conv2d of other channels": lambda t: t.nn.Conv2d(3, 4, 3)(t.ones(1, 2, 5, 5)),
    "Linear of another width": lambda t: t.nn.Linear(3, 4)(t.ones(1, 2)),
    "Linear of whole numbers": lambda t: t.nn.Linear(2, 4)(t.ones(1, 2).long()),
    "PReLU of other channels": lambda t: t.nn.PReLU(3)(t.ones(4, 2)),
    "Embedding of floats": lambda t: t.nn.Embedding(3, 2)(t.ones(2)),
    "two arguments": lambda t: t.nn.ReLU()(t.ones(1), t.ones(1)),
}


@pytest.mark.parametrize("name", CALLS)
def test_call_refuses(name: str) -> None:
    assert_both_raise(CALLS[name])


# Utilities.
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("max_norm", [0.1, 100.0])
def test_clipping(norm_type: float, max_norm: float) -> None:
    ours, theirs = built("Linear", 3, 2)
    x = pair(normal(5, 3))
    for m, data in zip((ours, theirs), x, strict=True):
        (m(data) ** 2).sum().backward()
    found = cg.nn.utils.clip_grad_norm_(ours.parameters(), max_norm, norm_type)
    wanted = torch.nn.utils.clip_grad_norm_(theirs.parameters(), max_norm, norm_type)
    assert_same(found, wanted, 1e-12)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_same_gradient(a, b, 1e-12)
    cg.nn.utils.clip_grad_value_(ours.parameters(), 0.05)
    torch.nn.utils.clip_grad_value_(theirs.parameters(), 0.05)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_same_gradient(a, b, 1e-12)


def test_clipping_is_in_place_and_refuses_nan() -> None:
    for t in (cg, torch):
        p = t.nn.Parameter(t.ones(2))
        p.grad = t.tensor([3.0, 4.0])
        held = p.grad
        t.nn.utils.clip_grad_norm_(p, 1.0)
        assert held is p.grad
        np.testing.assert_allclose(held.numpy(), [0.6, 0.8], rtol=1e-6)
        p.grad = t.tensor([float("nan"), 1.0])
        with pytest.raises(RuntimeError, match="is non-finite, so it cannot be clipped"):
            t.nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)
        assert t.nn.utils.clip_grad_norm_([t.nn.Parameter(t.ones(1))], 1.0).item() == 0.0


def test_parameters_as_a_vector() -> None:
    ours, theirs = built("Linear", 3, 2)
    found = cg.nn.utils.parameters_to_vector(ours.parameters())
    wanted = torch.nn.utils.parameters_to_vector(theirs.parameters())
    assert_same(found, wanted, 1e-12)
    cg.nn.utils.vector_to_parameters(cg.arange(8.0, dtype=cg.float64), ours.parameters())
    torch.nn.utils.vector_to_parameters(torch.arange(8.0, dtype=torch.float64), theirs.parameters())
    assert_same_state(ours, theirs)
    assert all(p.requires_grad for p in ours.parameters())
