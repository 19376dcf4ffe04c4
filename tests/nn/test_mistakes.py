"""Common mistakes: each message names the layer, the facts that clash and the fix."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.core.errors import DimensionError, DtypeError, NameMissing, ShapeError


def message(kind: type[Exception], module: nn.Module, *inputs: Any) -> str:
    with pytest.raises(kind) as caught:
        module(*inputs)
    return str(caught.value)


class Net(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Any) -> Any:
        return self.layers(x)


def test_wrong_width_between_layers() -> None:
    net = Net(nn.Linear(8, 32), nn.Linear(64, 10))
    assert message(ShapeError, net, cg.ones(4, 8)) == (
        "layers.1 (Linear 64→10) got width 32; its input is layers.0 (…→32). "
        "Make layers.1 take 32, or layers.0 give 64."
    )


def test_wrong_width_without_a_graph() -> None:
    net = Net(nn.Linear(8, 32), nn.Linear(64, 10))
    with cg.no_grad():
        assert "its input is layers.0 (…→32)" in message(ShapeError, net, cg.ones(4, 8))


def test_what_keeps_the_width_is_passed_over() -> None:
    keeping = nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5)
    net = Net(nn.Linear(8, 32), *keeping, nn.Linear(64, 10))
    text = message(ShapeError, net, cg.ones(4, 8))
    assert text.startswith("layers.4 (Linear 64→10) got width 32; its input is layers.0 (…→32)")


def test_wrong_width_after_flattening() -> None:
    net = Net(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(100, 10))
    text = message(ShapeError, net, cg.ones(2, 1, 8, 8))
    assert text.startswith("layers.3 (Linear 100→10) got width 144; its input is layers.2 (…→144)")


def test_wrong_width_in_a_nested_sequential() -> None:
    net = Net(nn.Linear(8, 32), nn.Sequential(nn.ReLU(), nn.Linear(64, 10)))
    text = message(ShapeError, net, cg.ones(4, 8))
    assert text.startswith("layers.1.1 (Linear 64→10) got width 32; its input is layers.0 (…→32)")


def test_wrong_width_of_the_models_own_input() -> None:
    net = Net(nn.Linear(8, 32), nn.Linear(32, 10))
    assert message(ShapeError, nn.Sequential(net, nn.ReLU()), cg.ones(4, 7)).startswith(
        "0.layers.0 (Linear 8→32) got width 7."
    )
    assert message(ShapeError, nn.Sequential(nn.Linear(8, 3)), cg.ones(4, 7)) == (
        "0 (Linear 8→3) got width 7; its input is the model's own, of shape [4, 7]. "
        "Make 0 take 7, or give it width 8."
    )


def test_wrong_width_in_a_forward_of_ones_own() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(2, 3)
            self.act = nn.Tanh()
            self.output = nn.Linear(4, 1)

        def forward(self, x: Any) -> Any:
            return self.output(self.act(self.hidden(x)).relu() * 2)

    text = message(ShapeError, Own(), cg.ones(4, 2))
    assert text.startswith("output (Linear 4→1) got width 3; its input is hidden (…→3).")
    with pytest.raises(ShapeError, match=r"output \(Linear 4→1\) got width 3; its input is hidden"):
        cg.trace(Own(), cg.ones(4, 2))
    text = message(ShapeError, Own(), cg.ones(4, 5))
    assert text == "hidden (Linear 2→3) got width 5. Make hidden take 5, or give it width 2."


def test_wrong_channels() -> None:
    net = Net(nn.Conv2d(1, 4, 3), nn.Conv2d(3, 8, 3))
    text = message(ShapeError, net, cg.ones(2, 1, 8, 8))
    assert text.startswith("layers.1 (Conv2d 3→8) got 4 channels; its input is layers.0 (…→4).")
    net = Net(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(3))
    text = message(ShapeError, net, cg.ones(2, 1, 8, 8))
    assert text.startswith("layers.1 (BatchNorm2d 3→3) got 4 channels; its input is layers.0")


def test_a_layer_by_itself() -> None:
    text = message(ShapeError, nn.Linear(3, 2), cg.ones(4, 5))
    assert text == "Linear 3→2 got width 5. Make it take 5, or give it width 3."


def test_whole_numbers_into_linear() -> None:
    net = nn.Sequential(OrderedDict(hidden=nn.Linear(2, 2)))
    assert message(DtypeError, net, cg.tensor([[0, 1]])) == (
        "hidden (Linear 2→2) got int64 numbers; its weight is float32. Convert the input: "
        "x.float(), "
        "or write tensor([1.0, 2.0])"
    )
    text = message(DtypeError, net, cg.ones(1, 2, dtype=cg.float64))
    assert "got float64 numbers; its weight is float32" in text


def test_any_error_inside_of_a_layer_names_it() -> None:
    net = Net(nn.Unflatten(1, (3, 3)))
    assert message(RuntimeError, net, cg.ones(4, 8)).startswith("layers.0 (Unflatten): ")
    net = nn.Sequential(OrderedDict(words=nn.Embedding(5, 2)))
    text = message(DimensionError, net, cg.tensor([1, 7]))
    assert text == "words (Embedding): index out of range in self: 7; the table has 5 rows, 0–4"


def test_errors_are_located_once() -> None:
    net = nn.Sequential(nn.Sequential(nn.Sequential(nn.Unflatten(1, (3, 3)))))
    assert message(RuntimeError, net, cg.ones(4, 8)).count("Unflatten") == 1


def test_other_errors_pass_untouched() -> None:
    class Own(nn.Module):
        def forward(self, x: Any) -> Any:
            return x["nothing"] if isinstance(x, dict) else {}["key"]

    with pytest.raises(KeyError, match="key"):
        nn.Sequential(Own())(cg.ones(1))


def test_target_of_another_shape_warns_at_the_users_line() -> None:
    for loss in (nn.MSELoss(), nn.functional.mse_loss, nn.HalfSquaredError(), nn.L1Loss()):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss(cg.ones(4, 1), cg.ones(4))
        assert [w.category for w in caught] == [UserWarning]
        text = str(caught[0].message)
        assert "Using a target size (torch.Size([4])) that is different to the input size" in text
        assert text.endswith("Here target.reshape(4, 1) does that.")
        assert caught[0].filename == __file__


def test_class_out_of_range() -> None:
    text = message(DimensionError, nn.CrossEntropyLoss(), cg.ones(4, 5), cg.tensor([0, 1, 7, 2]))
    assert text == (
        "Target 7 is out of bounds. It stands at position 2 of the target; the input has 5 "
        "columns, "
        "for the classes 0–4."
    )
    text = message(IndexError, nn.CrossEntropyLoss(), cg.ones(4, 5), cg.tensor([0, -1, 7, 2]))
    assert text.startswith("Target -1 is out of bounds. It stands at position 1")
    text = message(IndexError, nn.CrossEntropyLoss(), cg.ones(1, 5, 2), cg.tensor([[0, 9]]))
    assert "at position (0, 1)" in text


def test_column_of_classes() -> None:
    text = message(
        RuntimeError, nn.CrossEntropyLoss(), cg.ones(4, 5), cg.tensor([[0], [1], [2], [3]])
    )
    assert "0D or 1D target tensor expected, multi-target not supported" in text
    assert "target.squeeze(1) fits" in text


def test_probabilities_outside_of_0_and_1() -> None:
    text = message(RuntimeError, nn.BCELoss(), cg.tensor([0.5, 1.25]), cg.tensor([0.0, 1.0]))
    assert text == (
        "all elements of input should be between 0 and 1; one is 1.25. Put a sigmoid before "
        "BCELoss, "
        "or use BCEWithLogitsLoss, which contains one."
    )
    for reduction in ("mean", "sum", "none"):
        for p in (-0.5, 2.0, float("nan"), float("inf")):
            for y in (0.0, 1.0, 0.5):
                with pytest.raises(RuntimeError, match="between 0 and 1"):
                    nn.BCELoss(reduction=reduction)(cg.tensor([0.5, p]), cg.tensor([0.0, y]))


def test_a_target_changed_in_place_is_checked_again() -> None:
    p, y = cg.tensor([0.5]), cg.tensor([1.0])
    nn.BCELoss()(p, y)
    y.fill_(3.0)
    with pytest.raises(RuntimeError, match="all elements of target should be between 0 and 1"):
        nn.BCELoss()(p, y)


def test_forgotten_init() -> None:
    class Forgot(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

    with pytest.raises(NameMissing, match=r"write super\(\).__init__\(\) first in Forgot"):
        Forgot()

    class Empty(nn.Module):
        def __init__(self) -> None:
            pass

    with pytest.raises(NameMissing, match=r"Empty.__init__ does not call super\(\).__init__\(\)"):
        Empty()(cg.ones(1))


def test_names_that_are_not_there() -> None:
    with pytest.raises(AttributeError, match=r"chalkgrad.nn has no 'Linaer'. Did you mean Linear"):
        nn.Linaer  # noqa: B018
    with pytest.raises(AttributeError, match=r"chalkgrad.nn has no 'LSTM'"):
        nn.LSTM  # noqa: B018
    with pytest.raises(AttributeError, match=r"has no 'rellu'. Did you mean relu"):
        nn.functional.rellu  # noqa: B018
    with pytest.raises(AttributeError, match=r"chalkgrad.nn.utils has no 'spectral_norm'"):
        nn.utils.spectral_norm  # noqa: B018
    with pytest.raises(AttributeError, match="hooks are not part of chalkgrad"):
        nn.Linear(1, 1).register_forward_hook(print)
    with pytest.raises(AttributeError, match=r"no attribute 'wieght'. Did you mean weight"):
        nn.Linear(1, 1).wieght  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute `layer`. Did you mean layers"):
        Net(nn.ReLU()).get_submodule("layer.0")


def test_what_is_refused_says_what_to_do() -> None:
    with pytest.raises(NotImplementedError, match=r"nn.functional.pad\(x, ..., mode='reflect'\)"):
        nn.Conv2d(1, 1, 3, padding_mode="reflect")
    with pytest.raises(NotImplementedError, match="no max_norm"):
        nn.Embedding(3, 2, max_norm=1.0)
    with pytest.raises(NotImplementedError, match="leave"):
        nn.Linear(2, 2, device="cuda")
    with pytest.raises(NotImplementedError, match="CPU"):
        nn.Linear(2, 2).to("cuda")
    with pytest.raises(NotImplementedError, match="CPU"):
        nn.Linear(2, 2).cuda()
