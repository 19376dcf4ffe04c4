"""`fit` as a person uses it: what may be given, what is refused, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.core.errors import (
    ArgumentError,
    ChalkgradError,
    ShapeError,
    TraceError,
    TypeMismatch,
)
from chalkgrad.training import Stop, converged
from chalkgrad.training.loop import Run

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
AMOUNTS = (X @ [1.0, -2.0, 0.5, 0.0] + 3).astype(np.float32)
CLASSES = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 1)


def network(outputs: int = 1, *last: nn.Module) -> nn.Sequential:
    cg.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, outputs), *last)


def fit(model: Any = None, x: Any = X, y: Any = AMOUNTS, **options: Any) -> cg.training.History:
    options = {"loss": "mse", "epochs": 3, "verbose": 0, **options}
    return cg.fit(network() if model is None else model, x, y, **options)


def weights(model: nn.Module) -> bytes:
    return b"".join(t.detach().numpy().tobytes() for t in model.state_dict().values())


# Names and objects.
@pytest.mark.parametrize("name", ["mse", "l1", "smooth_l1", "huber", "half_squared_error"])
def test_losses_of_amounts_by_name(name: str) -> None:
    history = fit(loss=name, epochs=30, optimizer=lambda p: optim.Adam(p, lr=0.01))
    assert history["loss"][-1] < 0.7 * history["loss"][0]


@pytest.mark.parametrize("optimizer", [
    "sgd", "rmsprop", "adam", "adamw", "adagrad", "adadelta", "adamax", "nadam", "radam", "rprop",
    "LBFGS",
])  # fmt: skip
def test_optimizers_by_name(optimizer: str) -> None:
    history = fit(optimizer=optimizer, epochs=4)
    assert history["loss"][-1] < history["loss"][0]


def test_a_name_means_the_object_with_its_defaults() -> None:
    models = network(), network(), network()
    given: list[tuple[Any, Any]] = [
        ("mse", "adam"),
        (nn.MSELoss(), optim.Adam(models[1].parameters())),
        (lambda output, target: ((output - target) ** 2).mean(), optim.Adam),
    ]
    curves = [
        fit(model, loss=loss, optimizer=optimizer)["loss"]
        for model, (loss, optimizer) in zip(models, given, strict=True)
    ]
    assert curves[0] == curves[1] == curves[2]


def test_unknown_names_say_the_nearest() -> None:
    with pytest.raises(
        ArgumentError, match=r"no loss 'crossentropy'\. Did you mean cross_entropy\?"
    ):
        fit(loss="crossentropy")
    with pytest.raises(ArgumentError, match=r"no optimizer 'adan'\. Did you mean adam"):
        fit(optimizer="adan")
    with pytest.raises(ArgumentError, match=r"executor='gpu': there are 'auto', 'native'"):
        fit(executor="gpu")
    with pytest.raises(ArgumentError, match=r"no metric 'acc'\."):
        fit(metrics=["acc"])


def test_an_optimizer_of_another_model_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"none of this model's parameters"):
        fit(optimizer=optim.Adam(network().parameters()))
    with pytest.raises(ArgumentError, match="ReLU has no parameters to train"):
        fit(nn.ReLU(), optimizer=lambda p: None)
    with pytest.raises(TypeMismatch, match="made a NoneType and no optimizer"):
        fit(optimizer=lambda p: None)
    with pytest.raises(TypeMismatch, match="optimizer must be a name"):
        fit(optimizer=3)
    with pytest.raises(TypeMismatch, match="loss must be a name or a function"):
        fit(loss=3)


@pytest.mark.parametrize(
    "options", [{"epochs": 0}, {"batch_size": 0}, {"epochs": 2.5}, {"epochs": True}]
)
def test_counts_are_whole_and_positive(options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="must both be whole numbers from 1 on"):
        fit(**options)


# Numbers and shapes.
@pytest.mark.parametrize("cast", [np.float64, np.int32, np.uint8, bool, list, cg.tensor])
def test_numbers_are_cast_to_the_models_type(cast: Any) -> None:
    x = np.abs(np.round(X))
    given = cast(x.tolist()) if cast in (list, cg.tensor) else x.astype(cast)
    same = np.asarray(given).astype(np.float32)
    assert fit(x=given)["loss"] == fit(x=same)["loss"]
    model = network().double()
    fit(model, x=given)
    assert model[0].weight.dtype == cg.float64


def test_targets_meet_the_outputs_shape() -> None:
    curves = [
        fit(y=y)["loss"] for y in (AMOUNTS, AMOUNTS[:, None], AMOUNTS.astype(np.float64).tolist())
    ]
    assert curves[0] == curves[1] == curves[2]
    flat = nn.Sequential(*network(), nn.Flatten(0))
    assert fit(flat, y=AMOUNTS[:, None])["loss"] == pytest.approx(curves[0], rel=1e-6)


@pytest.mark.parametrize(
    "cast",
    [
        lambda y: y,
        lambda y: y[:, None],
        lambda y: y.astype(np.float64),
        lambda y: y.astype(np.int32),
        list,
    ],
)
def test_class_numbers_in_any_form(cast: Callable[[Any], Any]) -> None:
    wanted = fit(network(3), y=CLASSES, loss="cross_entropy")["loss"]
    assert fit(network(3), y=cast(CLASSES), loss="cross_entropy")["loss"] == wanted


def test_class_probabilities_are_targets_too() -> None:
    shares = np.eye(3)[CLASSES]
    assert fit(network(3), y=shares, loss="cross_entropy")["loss"] == pytest.approx(
        fit(network(3), y=CLASSES, loss="cross_entropy")["loss"], rel=1e-5
    )


def test_whole_numbers_stay_whole_where_they_are_looked_up() -> None:
    cg.manual_seed(0)
    model = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 1))
    words = RNG.integers(0, 5, (40, 2))
    history = fit(model, words, words.sum(1), epochs=40, optimizer=lambda p: optim.Adam(p, lr=0.05))
    assert history["loss"][-1] < 0.2 * history["loss"][0]
    assert cg.predict(model, words).shape == (40, 1)


@pytest.mark.parametrize(
    ("x", "y", "options", "words"),
    [
        (X, AMOUNTS[:-1], {}, "x has 60 records and y has 59 targets"),
        (X[:0], AMOUNTS[:0], {}, "x has no records"),
        (X, np.float32(3), {}, "y is one number"),
        (X, ["a"] * 60, {}, "y is of type <U1; fit takes numbers"),
        (X.astype(object), AMOUNTS, {}, "x is of type object"),
        (X[:, :3], AMOUNTS, {}, r"0 \(Linear 4→8\) got width 3"),
        (X, CLASSES + 0.5, {"loss": "cross_entropy"}, "y holds .* at record 0.* class numbers"),
        (
            X,
            CLASSES,
            {"loss": "cross_entropy"},
            r"Target 1 is out of bounds.*record .*model has 1 outputs",
        ),
        (X, CLASSES - 1, {"loss": "cross_entropy"}, "Target -1 is out of bounds"),
        (
            X,
            AMOUNTS,
            {"validation": (X, AMOUNTS[:3])},
            "validation x has 60 records and validation y",
        ),
        (X, AMOUNTS, {"validation": 1.0}, "lies between 0 and 1"),
        (X, AMOUNTS, {"validation": 2}, "lies between 0 and 1"),
        (X, AMOUNTS, {"validation": 0.001}, "leaves 0 to validate on and 60 to train on"),
        (X, AMOUNTS, {"validation": "0.2"}, "validation is a share, or"),
        (X, AMOUNTS, {"loss": "bce"}, "should be between 0 and 1"),
    ],
)
def test_what_does_not_fit_is_said(x: Any, y: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ChalkgradError, match=words):
        fit(x=x, y=y, **options)


def test_outputs_that_are_no_probabilities_are_refused_by_bce() -> None:
    model = network()
    with cg.no_grad():
        model[2].bias += 5
    with pytest.raises(ChalkgradError, match="all elements of input should be between 0 and 1"):
        fit(model, y=(AMOUNTS > 0), loss="bce")


def test_a_model_that_returns_no_tensor_is_refused() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 1)

        def forward(self, x: cg.Tensor) -> Any:
            return self.layer(x), x

    with pytest.raises(TypeMismatch, match="returns a tuple; fit needs one tensor"):
        fit(Two())


# Validation and the best weights.
def test_a_share_is_held_out_of_every_class() -> None:
    seen: list[Run] = []

    class Look:
        def epoch_ended(self, run: Run, history: Any) -> None:
            seen.append(run)

    fit(network(3), y=CLASSES, loss="cross_entropy", validation=0.25, callbacks=[Look()], epochs=1)
    run = seen[0]
    assert run.validation is not None
    held, kept = run.validation[1], run.data[1]
    for label in range(3):
        count = (label == CLASSES).sum()
        assert (held == label).sum() == round(count * 0.25)
    assert len(held) + len(kept) == 60
    every = np.concatenate([run.data[0], run.validation[0]])
    assert {tuple(row) for row in every} == {tuple(row) for row in X}


def test_the_best_weights_are_restored_and_the_epoch_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = network()
    # A rate that rises until the loss does: the best epoch is somewhere in the middle.
    history = fit(
        model, epochs=30, validation=(X, AMOUNTS), verbose=1,
        optimizer=lambda p: optim.SGD(p, lr=0.01), batch_size=60,
        scheduler=lambda o: optim.lr_scheduler.ExponentialLR(o, 1.25),
    )  # fmt: skip
    assert 1 < history.best_epoch < 30
    assert history.best["val_loss"] == min(history["val_loss"])
    assert history.best_epoch == int(np.argmin(history["val_loss"])) + 1
    again = float(np.mean((cg.predict(model, X)[:, 0] - AMOUNTS) ** 2))
    assert again == pytest.approx(min(history["val_loss"]), rel=1e-5)
    said = capsys.readouterr().err.splitlines()[-1]
    best = f"{history.best_epoch} (val_loss {min(history['val_loss']):.4g})"
    wanted = f"the model has the weights of epoch {best}"
    assert said == f"all 30 epochs done; {wanted}"


def test_running_statistics_are_evaluated_as_they_are_now_and_restored() -> None:
    cg.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 1))
    history = fit(model, X + 5, epochs=6, validation=(X + 5, AMOUNTS))
    assert len(set(history["val_loss"])) == 6
    assert model[0].num_batches_tracked.item() == 2 * history.best_epoch
    again = np.mean((cg.predict(model, X + 5)[:, 0] - AMOUNTS) ** 2)
    assert again == pytest.approx(history.best["val_loss"], rel=1e-5)


def test_modules_train_or_evaluate_as_before() -> None:
    model = nn.Sequential(*network(), nn.Dropout(0.5))
    model[3].eval()
    fit(model, validation=0.2)
    cg.predict(model, X)
    assert [m.training for m in model.modules()] == [True, True, True, True, False]


def test_predict_leaves_dropout_out_and_takes_any_numbers() -> None:
    model = nn.Sequential(nn.Dropout(0.5), *network())
    outputs = cg.predict(model, X.astype(np.float64).tolist())
    assert outputs.dtype == np.float32
    assert np.array_equal(outputs, cg.predict(model, cg.tensor(X)))
    assert cg.predict(model, np.zeros((0, 4))).shape == (0, 1)
    many = np.concatenate([X] * 20)
    np.testing.assert_allclose(cg.predict(model, many)[-60:], outputs, rtol=1e-6)


# When it ends.
def test_converged_stops_at_a_minimum() -> None:
    model = nn.Linear(4, 1)
    history = fit(model, stop="converged", epochs=1000, optimizer=lambda p: optim.Adam(p, lr=0.05))
    assert len(history) < 1000
    assert history["loss"][-1] < 1e-5
    assert history.stopped.startswith(
        "loss converged: no value better by more than 0.0001 of it in 10"
    )


def test_validation_stops_when_it_no_longer_improves() -> None:
    y = RNG.normal(size=60)  # nothing to learn: the validation loss soon rises
    history = fit(
        y=y,
        stop="validation",
        validation=0.3,
        epochs=500,
        optimizer=lambda p: optim.Adam(p, lr=0.02),
    )
    assert len(history) == history.best_epoch + 10 < 500
    assert "val_loss stopped improving" in repr(history)


def test_a_score_can_decide_about_the_end_and_the_best_epoch() -> None:
    rule = Stop("val_accuracy", patience=3)
    history = fit(
        network(3), y=CLASSES, loss="cross_entropy", validation=0.3, stop=rule, epochs=200,
        optimizer=lambda p: optim.Adam(p, lr=0.01),
    )  # fmt: skip
    assert history.monitor == "val_accuracy"
    assert history.best["val_accuracy"] == max(history["val_accuracy"])
    assert rule.waited == 0  # the rule given is an example and stays as it was


def test_a_rule_that_cannot_watch_is_refused() -> None:
    with pytest.raises(
        ArgumentError, match=r"stop watches 'val_loss'; this run has loss\. For a valid"
    ):
        fit(stop="validation")
    with pytest.raises(ArgumentError, match="stop watches 'r2'; this run has loss, mae"):
        fit(stop=Stop("r2"), metrics=["mae"])


def test_callbacks_see_the_history_and_may_end_the_run() -> None:
    lengths: list[int] = []

    def every(history: cg.training.History) -> None:
        lengths.append(len(history))

    def enough(history: cg.training.History) -> str:
        return "good enough" if len(history) == 4 else ""

    history = fit(callbacks=[every, enough], epochs=10)
    assert lengths == [1, 2, 3, 4]
    assert history.stopped == "good enough"
    assert fit(callbacks=[lambda h: True]).stopped == "a callback ended the run"


@pytest.mark.parametrize("executor", ["numpy", "eager"])
def test_what_a_callback_changes_is_trained_with(executor: str) -> None:
    def unfreeze(history: cg.training.History) -> None:
        if len(history) == 2:
            model[0].requires_grad_(True)

    def slower(history: cg.training.History) -> None:
        optimizer.param_groups[0]["lr"] = 0.1 / len(history)

    def other_weights(history: cg.training.History) -> None:
        with cg.no_grad():
            model[2].bias.data.add_(1.0)

    model = network()
    model[0].requires_grad_(False)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    history = fit(
        model,
        optimizer=optimizer,
        callbacks=[unfreeze, slower, other_weights],
        epochs=4,
        executor=executor,
    )
    assert history["learning_rate"] == [0.1, 0.1, 0.05, 0.1 / 3]
    frozen = network()[0].weight
    assert not np.array_equal(model[0].weight.detach().numpy(), frozen.detach().numpy())
    GOLDEN.setdefault("callbacks", history["loss"])
    assert history["loss"] == GOLDEN["callbacks"]


GOLDEN: dict[str, Any] = {}


# Metrics.
def test_accuracy_is_reported_for_classes() -> None:
    history = fit(network(3), y=CLASSES, loss="cross_entropy", validation=0.2)
    assert list(history) == [
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "seconds",
        "learning_rate",
    ]
    assert "accuracy" in fit(network(1, nn.Sigmoid()), y=CLASSES > 0, loss="bce")
    assert list(fit()) == ["loss", "seconds", "learning_rate"]
    assert list(fit(metrics=[])) == list(fit())


def test_metrics_by_name_and_function() -> None:
    def largest(outputs: np.ndarray, targets: np.ndarray) -> float:
        assert outputs.shape == targets.shape
        return float(np.abs(outputs - targets).max())

    model = network()
    history = fit(model, metrics=["mae", "r2", largest], validation=(X, AMOUNTS), epochs=1)
    outputs = cg.predict(model, X)[:, 0]
    assert history["val_mae"][0] == pytest.approx(np.abs(outputs - AMOUNTS).mean(), rel=1e-5)
    assert history["val_largest"][0] == pytest.approx(np.abs(outputs - AMOUNTS).max(), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "model"),
    [
        ("cross_entropy", lambda: network(3)),
        ("nll", lambda: network(3, nn.LogSoftmax(1))),
    ],
)
def test_a_named_metric_gets_the_probabilities(loss: str, model: Callable[[], Any]) -> None:
    history = fit(model(), y=CLASSES, loss=loss, metrics=["log_loss"], validation=(X, CLASSES))
    assert history["val_log_loss"] == pytest.approx(history["val_loss"], rel=1e-5)


def test_a_named_metric_gets_the_probabilities_of_two_classes() -> None:
    options = {
        "y": CLASSES > 0,
        "metrics": ["log_loss", "accuracy"],
        "validation": (X, CLASSES > 0),
    }
    logits = fit(network(), loss="bce_with_logits", **options)
    shares = fit(network(1, nn.Sigmoid()), loss="bce", **options)
    assert logits["val_log_loss"] == pytest.approx(logits["val_loss"], rel=1e-5)
    assert logits["val_accuracy"] == shares["val_accuracy"]


def test_the_training_metric_is_of_the_outputs_seen_while_training() -> None:
    model = network(3)
    before = cg.metrics.accuracy(cg.predict(model, X), CLASSES)
    history = fit(model, y=CLASSES, loss="cross_entropy", epochs=1, batch_size=60)
    assert history["accuracy"] == [before]


# Executors.
def dropped() -> nn.Sequential:
    cg.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)
    )


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "rprop"])
def test_executors_agree(optimizer: str) -> None:
    found, losses = [], []
    for executor in ("numpy", "eager", "native"):
        model = dropped()
        history = fit(
            model, y=CLASSES, loss="cross_entropy", optimizer=optimizer, validation=0.2, epochs=3,
            executor=executor, scheduler=lambda o: optim.lr_scheduler.StepLR(o, 1, 0.5),
        )  # fmt: skip
        found.append((history["loss"], history["val_loss"], weights(model)))
        losses.append(history["loss"] + history["val_loss"])
    assert found[0] == found[1]
    # Rounding grows from step to step, fastest where Adam divides by a gradient of almost nothing.
    np.testing.assert_allclose(losses[2][:1], losses[0][:1], rtol=2e-6)


def test_a_model_that_looks_at_numbers_runs_eagerly_and_says_why() -> None:
    class Looks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = network()

        def forward(self, x: cg.Tensor) -> cg.Tensor:
            return self.layer(x) if x.abs().sum() > 0 else self.layer(-x)

    cg.manual_seed(0)
    history = fit(Looks())
    assert history.executor.startswith("numpy, eagerly (the step cannot be traced: ")
    assert "a condition (if, while, and, or) needs the numbers" in history.executor
    assert history["loss"][-1] < history["loss"][0]
    with pytest.raises(TraceError, match="needs the numbers"):
        fit(Looks(), executor="numpy")


def test_the_executor_says_itself() -> None:
    assert fit().executor == "native, whole epochs (it can be compiled)"
    assert fit(executor="native").executor == "native, whole epochs (as asked)"
    assert fit(executor="numpy").executor == "numpy, one program a step (as asked)"
    assert fit(executor="eager").executor == "numpy, eagerly (as asked)"
    assert (
        fit(optimizer="lbfgs").executor == "numpy, eagerly (LBFGS looks at the loss while it steps)"
    )
    with pytest.raises(ArgumentError, match="LBFGS looks at the loss"):
        fit(optimizer="lbfgs", executor="numpy")


def test_a_run_is_a_function_of_its_seed() -> None:
    assert fit(seed=1)["loss"] == fit(seed=1)["loss"] != fit(seed=2)["loss"]
    assert fit(seed=1, shuffle=False)["loss"] == fit(seed=2, shuffle=False)["loss"]


def test_training_goes_on_from_where_another_fit_ended() -> None:
    model, whole = network(), network()
    optimizer = optim.Adam(model.parameters())
    first = fit(model, optimizer=optimizer, shuffle=False, epochs=2)
    second = fit(model, optimizer=optimizer, shuffle=False, epochs=2)
    every = fit(whole, shuffle=False, epochs=4)
    assert first["loss"] + second["loss"] == every["loss"]


def test_a_scheduler_given_as_an_object_changes_the_rate() -> None:
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    assert fit(model, optimizer=optimizer, scheduler=schedule)["learning_rate"] == [
        0.1,
        0.05,
        0.025,
    ]


def test_stop_rules_can_be_chosen() -> None:
    history = fit(stop=converged(tolerance=10.0, patience=2), epochs=50)
    assert len(history) == 3


def test_bad_shapes_name_the_facts() -> None:
    with pytest.raises(ShapeError, match="x has 60 records"):
        fit(y=AMOUNTS[:5])
