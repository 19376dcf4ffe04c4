"""Every layer and loss in a trace: no numbers are read, and the result is that of eager use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.executors import numpy as executor

F = nn.functional
IMAGE, ROWS = (2, 4, 6, 6), (5, 4)
LAYERS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "Linear": (lambda: nn.Linear(4, 3), ROWS),
    "Conv1d": (lambda: nn.Conv1d(4, 2, 3, padding="same"), (2, 4, 6)),
    "Conv2d": (lambda: nn.Conv2d(4, 2, 2, padding="same", groups=2), IMAGE),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 2, 3, stride=2), IMAGE),
    "MaxPool2d": (lambda: nn.MaxPool2d(2, ceil_mode=True), IMAGE),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), IMAGE),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((4, 2)), IMAGE),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d(4), IMAGE),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), ROWS),
    "BatchNorm1d cumulative": (lambda: nn.BatchNorm1d(4, momentum=None), ROWS),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), IMAGE),
    "LayerNorm": (lambda: nn.LayerNorm(4), ROWS),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), IMAGE),
    "RMSNorm": (lambda: nn.RMSNorm(4), ROWS),
    "Flatten": (lambda: nn.Flatten(), IMAGE),
    "Softmax": (lambda: nn.Softmax(1), ROWS),
    "GLU": (lambda: nn.GLU(), ROWS),
    "PReLU": (lambda: nn.PReLU(4), ROWS),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), IMAGE),
    **{
        name: (getattr(nn, name), ROWS)
        for name in (
            "ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid",
            "LogSigmoid", "Tanh", "Hardtanh", "Hardsigmoid", "Hardswish", "Hardshrink",
            "Softshrink", "Tanhshrink", "Softplus", "Softsign",
        )
    },
}  # fmt: skip

CLASSES, SIGNS = cg.tensor([0, 1, 2, 3, 1]), cg.tensor([1.0, -1, 1, -1, 1])
LOSSES: dict[str, tuple[Any, Any]] = {
    "MSELoss": (nn.MSELoss(), cg.zeros(5, 4)),
    "HalfSquaredError": (nn.HalfSquaredError(), cg.zeros(5, 4)),
    "L1Loss": (nn.L1Loss(), cg.zeros(5, 4)),
    "SmoothL1Loss": (nn.SmoothL1Loss(), cg.zeros(5, 4)),
    "HuberLoss": (nn.HuberLoss(), cg.zeros(5, 4)),
    "PoissonNLLLoss": (nn.PoissonNLLLoss(full=True), cg.ones(5, 4) * 3),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), cg.ones(5, 4)),
    "CrossEntropyLoss": (nn.CrossEntropyLoss(), CLASSES),
    "CrossEntropyLoss that ignores": (nn.CrossEntropyLoss(ignore_index=1), CLASSES),
    "CrossEntropyLoss with weights": (nn.CrossEntropyLoss(cg.arange(4.0)), CLASSES),
    "CrossEntropyLoss smoothed": (nn.CrossEntropyLoss(label_smoothing=0.1), CLASSES),
    "CrossEntropyLoss of probabilities": (nn.CrossEntropyLoss(), cg.ones(5, 4) / 4),
    "NLLLoss": (nn.NLLLoss(), CLASSES),
    "KLDivLoss": (nn.KLDivLoss(reduction="batchmean"), cg.ones(5, 4) / 4),
    "SoftMarginLoss": (nn.SoftMarginLoss(), cg.ones(5, 4)),
    "MultiLabelSoftMarginLoss": (nn.MultiLabelSoftMarginLoss(), cg.ones(5, 4)),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss(), SIGNS.reshape(5, 1)),
    "BCELoss": (lambda x, y: nn.BCELoss()(x.sigmoid(), y), cg.ones(5, 4)),
    "GaussianNLLLoss": (lambda x, y: nn.GaussianNLLLoss()(x, y, x * x), cg.ones(5, 4)),
    "CosineEmbeddingLoss": (lambda x, y: nn.CosineEmbeddingLoss()(x, x * x, y), SIGNS),
    "TripletMarginLoss": (lambda x, y: nn.TripletMarginLoss()(x, y, x * x), cg.ones(5, 4)),
}


def run(graph: cg.Graph, *inputs: cg.Tensor) -> list[Any]:
    states = [np.array(state.before.value) for state in graph.states]
    return list(executor.run(graph, *(x.detach().numpy() for x in inputs), *states))


def assert_traced_as_eager(function: Any, *inputs: cg.Tensor) -> None:
    found = run(cg.trace(function, *inputs), *inputs)
    wanted = function(*inputs)
    np.testing.assert_allclose(found[0], wanted.detach().numpy(), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("training", [False, True])
def test_layer(name: str, training: bool) -> None:
    build, shape = LAYERS[name]
    cg.manual_seed(0)
    assert_traced_as_eager(build().train(training), cg.randn(*shape))


@pytest.mark.parametrize("name", LOSSES)
def test_loss(name: str) -> None:
    loss, target = LOSSES[name]
    cg.manual_seed(0)
    assert_traced_as_eager(lambda x, y: loss(x, y), cg.randn(5, 4), target)


def test_running_statistics_are_states() -> None:
    norm = nn.Sequential(nn.BatchNorm1d(2))
    x = cg.randn(6, 2)
    graph = cg.trace(norm, x)
    names = {state.name for state in graph.states}
    assert names == {
        "0.weight",
        "0.bias",
        "0.running_mean",
        "0.running_var",
        "0.num_batches_tracked",
    }
    after = run(graph, x)[1:]
    norm(x)
    for state, value in zip(graph.states, after, strict=True):
        np.testing.assert_allclose(value, norm.state_dict()[state.name].numpy(), rtol=1e-6)


def test_buffers_are_read_anew_in_every_run() -> None:
    class Shift(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("by", cg.ones(2) * 3)

        def forward(self, x: Any) -> Any:
            return x + self.by

    shift, x = Shift(), cg.zeros(2)
    graph = cg.trace(shift, x)
    assert [state.name for state in graph.states] == ["Shift.by"]
    shift.load_state_dict({"by": cg.ones(2)})
    graph = cg.trace(shift, x)
    assert len(graph.states) == 1


def test_dropout_draws_anew_in_every_run() -> None:
    cg.manual_seed(1)
    x = cg.ones(1000)
    graph = cg.trace(nn.Dropout(0.25), x)
    (state,) = graph.states
    source = cg.get_rng_state().numpy()
    first, moved = executor.run(graph, x.numpy(), source)
    second, _ = executor.run(graph, x.numpy(), moved)
    assert (first != second).any()
    np.testing.assert_array_equal(first, F.dropout(x, 0.25).numpy())
    assert set(np.unique(first)) == {np.float32(0), np.float32(4 / 3)}
    assert state.before.shape == (2,)


def test_embedding_in_a_trace() -> None:
    table = nn.Embedding(5, 2, padding_idx=1)
    assert_traced_as_eager(table, cg.tensor([[0, 1], [4, 4]]))
