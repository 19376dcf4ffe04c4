"""Twenty steps of every optimizer follow PyTorch's trajectory; states travel both ways."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from chalkgrad import optim
from chalkgrad.core import dtypes
from chalkgrad.core.graph import leaf
from chalkgrad.tensor.tensor import Tensor
from tests.optim.cases import CASES, IDS

pytestmark = pytest.mark.parity

SHAPES = [(3, 2), (4,), (), (2, 1, 3)]
STEPS = 20
EXACT = 1e-12


@pytest.fixture
def _float64() -> Iterator[None]:
    """Counters and products of the state in float64 too: both follow one trajectory."""
    before = dtypes.default.dtype, torch.get_default_dtype()
    dtypes.default.dtype = np.dtype("float64")
    torch.set_default_dtype(torch.float64)
    yield
    dtypes.default.dtype = before[0]
    torch.set_default_dtype(before[1])


def start(seed: int = 0, kind: str = "float64") -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.normal(size=shape)).astype(kind) for shape in SHAPES]


def ours(array: np.ndarray) -> Tensor:
    made = Tensor()
    made.node = leaf(np.array(array))
    return made


def parameters(arrays: list[np.ndarray]) -> tuple[list[Tensor], list[torch.Tensor]]:
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return [ours(a).requires_grad_() for a in arrays], theirs


def gradient(k: int, value: np.ndarray, step: int, rng: np.random.Generator) -> np.ndarray:
    """A bumpy bowl with noise: signs change, and no gradient is like the one before."""
    noise = np.asarray(rng.normal(size=value.shape))
    return (value * (k + 0.5) + np.sin(3 * value) + 0.3 * noise).astype(value.dtype)


def run(
    pair: Any, mine: list[Tensor], theirs: list[torch.Tensor], steps: int, skip: Any = None
) -> None:
    """The same gradients, computed from PyTorch's parameters, go to both."""
    rng = np.random.default_rng(7)
    for step in range(steps):
        for k, (m, t) in enumerate(zip(mine, theirs, strict=True)):
            g = gradient(k, t.detach().numpy(), step, rng)
            missing = skip is not None and skip(step, k)
            m.grad = None if missing else ours(g)
            t.grad = None if missing else torch.tensor(g)
        for optimizer in pair:
            optimizer.step()


def agree(mine: list[Tensor], theirs: list[torch.Tensor], tolerance: float = EXACT) -> None:
    for m, t in zip(mine, theirs, strict=True):
        assert m.dtype.name == str(t.dtype).removeprefix("torch.")
        np.testing.assert_allclose(
            m.detach().numpy(), t.detach().numpy(), rtol=tolerance, atol=tolerance
        )


def states_agree(mine: Any, theirs: Any, tolerance: float = EXACT) -> None:
    assert sorted(mine["state"]) == sorted(theirs["state"])
    for k, state in theirs["state"].items():
        assert set(mine["state"][k]) - {"step"} == set(state) - {"step"}
        for name, value in state.items():
            got = mine["state"][k][name].numpy()
            assert got.dtype.name == str(value.dtype).removeprefix("torch.")
            np.testing.assert_allclose(got, value.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_twenty_steps(name: str, options: dict[str, Any]) -> None:
    mine, theirs = parameters(start())
    pair = getattr(optim, name)(mine, **options), getattr(torch.optim, name)(theirs, **options)
    run(pair, mine, theirs, STEPS)
    assert not np.allclose(theirs[0].detach().numpy(), start()[0], atol=1e-4)
    agree(mine, theirs)
    states_agree(pair[0].state_dict(), pair[1].state_dict())


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_in_float32(name: str, options: dict[str, Any]) -> None:
    mine, theirs = parameters(start(kind="float32"))
    pair = getattr(optim, name)(mine, **options), getattr(torch.optim, name)(theirs, **options)
    run(pair, mine, theirs, STEPS)
    agree(mine, theirs, 2e-5)
    states_agree(pair[0].state_dict(), pair[1].state_dict(), 2e-4)


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_parameters_without_gradient_stand_still(name: str, options: dict[str, Any]) -> None:
    mine, theirs = parameters(start())
    pair = getattr(optim, name)(mine, **options), getattr(torch.optim, name)(theirs, **options)
    run(
        pair,
        mine,
        theirs,
        STEPS,
        skip=lambda step, k: k == 3 or (k == 1 and step % 3) or (k == 2 and step < 5),
    )
    assert np.array_equal(mine[3].detach().numpy(), start()[3])
    agree(mine, theirs)
    states_agree(pair[0].state_dict(), pair[1].state_dict())


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_groups_with_options_of_their_own(name: str, options: dict[str, Any]) -> None:
    mine, theirs = parameters(start())
    extra = {} if name == "Rprop" else {"weight_decay": 0.05}

    def groups(p: list[Any]) -> list[dict[str, Any]]:
        return [{"params": p[:2]}, {"params": p[2:], "lr": 0.003, **extra}]

    pair = (
        getattr(optim, name)(groups(mine), **options),
        getattr(torch.optim, name)(groups(theirs), **options),
    )
    run(pair, mine, theirs, STEPS)
    agree(mine, theirs)
    assert repr(pair[0]) == repr(pair[1])


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_state_travels_both_ways(name: str, options: dict[str, Any]) -> None:
    mine, theirs = parameters(start())
    run(
        (
            getattr(optim, name)(mine, **options),
            first := getattr(torch.optim, name)(theirs, **options),
        ),
        mine,
        theirs,
        5,
    )
    saved = plain(first.state_dict())
    pair = getattr(optim, name)(mine, **options), getattr(torch.optim, name)(theirs, **options)
    pair[0].load_state_dict(saved)
    back = plain(pair[0].state_dict())
    pair[1].load_state_dict(torch_numbers(back))
    states_agree(pair[0].state_dict(), first.state_dict())
    run(pair, mine, theirs, STEPS)
    agree(mine, theirs)
    assert repr(pair[0]) == repr(pair[1])


def plain(value: Any) -> Any:
    """A state dict as plain arrays and numbers."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.detach().numpy().copy() if hasattr(value, "detach") else value


def torch_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: torch_numbers(item) for key, item in value.items()}
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


def test_a_schedule_moves_both_the_same_way() -> None:
    mine, theirs = parameters(start())
    for p in (*mine, *theirs):
        p.grad = None
    pair = optim.Adam(mine, lr=0.1), torch.optim.Adam(theirs, lr=0.1)
    rng = np.random.default_rng(3)
    for step in range(STEPS):
        for k, (m, t) in enumerate(zip(mine, theirs, strict=True)):
            g = gradient(k, t.detach().numpy(), step, rng)
            m.grad, t.grad = ours(g), torch.tensor(g)
        for optimizer in pair:
            optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)
            optimizer.param_groups[0]["betas"] = (0.9 - 0.01 * step, 0.999)
            optimizer.param_groups[0]["weight_decay"] = 0.1 * (step > 10)
            optimizer.step()
    agree(mine, theirs)


# L-BFGS: the loss is computed by each engine itself.
LBFGS_CASES: list[dict[str, Any]] = [
    {"lr": 0.1},
    {"lr": 0.5, "max_iter": 7, "history_size": 3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 4, "max_iter": 5, "lr": 0.7},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "max_eval": 6, "tolerance_change": 1e-3},
]


def valley_ours(x: Tensor, y: Tensor) -> Tensor:
    a, b = x * x, 1.0 - x
    return ((y - a) * (y - a) * 10.0 + b * b + (x + y) * (x + y) * 0.1).sum()


def valley_theirs(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    a, b = x * x, 1.0 - x
    return ((y - a) * (y - a) * 10.0 + b * b + (x + y) * (x + y) * 0.1).sum()


@pytest.mark.parametrize("options", LBFGS_CASES, ids=str)
def test_lbfgs(options: dict[str, Any]) -> None:
    points = [np.array([-1.2, 0.4, 2.0]), np.array([1.0, -0.5, 0.3])]
    mine, theirs = parameters(points)
    a, b = optim.LBFGS(mine, **options), torch.optim.LBFGS(theirs, **options)
    ours_closure, theirs_closure = closure(a, valley_ours, mine), closure(b, valley_theirs, theirs)
    for _ in range(STEPS):
        first, second = a.step(ours_closure), b.step(theirs_closure)
        np.testing.assert_allclose(first.item(), second.item(), rtol=1e-6, atol=1e-12)
        agree(mine, theirs, 1e-6)
    one, two = a.state_dict(), b.state_dict()
    for name in ("func_evals", "n_iter"):
        assert one["state"][0][name] == two["state"][0][name]
    assert one["param_groups"] == two["param_groups"]


def closure(optimizer: Any, loss_of: Any, parameters: list[Any]) -> Any:
    def evaluate() -> Any:
        optimizer.zero_grad()
        loss = loss_of(*parameters)
        loss.backward()
        return loss

    return evaluate


def bumpy(rng: np.random.Generator) -> Any:
    a, b, c, shift = rng.normal(size=4)
    return lambda x: 0.05 * (x - shift) ** 4 + 0.1 * a * x**3 + b * (3 * x).sin() + c * (x * x)


def kinked(rng: np.random.Generator) -> Any:
    shift, steep = rng.normal(), 10.0 ** rng.uniform(0.5, 3)
    return lambda x: (shift - x).relu() + steep * (x - shift).relu() + 1e-3 * x * x


def bent(rng: np.random.Generator) -> Any:
    shift, steep = rng.normal(), 10.0 ** rng.uniform(0.5, 3)
    return lambda x: (shift - x).relu() + steep * (x - shift).relu() ** 2 + 1e-3 * x * x


@pytest.mark.parametrize("family", [bumpy, kinked, bent])
@pytest.mark.parametrize("seed", range(25))
def test_line_search(seed: int, family: Any) -> None:
    """First steps that are much too short or too long, and functions that mislead a cubic."""
    rng = np.random.default_rng(seed)
    loss, lr = family(rng), 10.0 ** rng.uniform(-4, 1)
    options = {"lr": lr, "line_search_fn": "strong_wolfe", "max_iter": 3}
    mine, theirs = parameters([rng.normal(size=1) * 3])
    pair = optim.LBFGS(mine, **options), torch.optim.LBFGS(theirs, **options)
    for _ in range(2):
        pair[0].step(closure(pair[0], loss, mine))
        pair[1].step(closure(pair[1], loss, theirs))
    agree(mine, theirs, 1e-6)
    evaluations = [o.state_dict()["state"][0]["func_evals"] for o in pair]
    assert evaluations[0] == evaluations[1]


def test_lbfgs_state_from_pytorch() -> None:
    points = [np.array([-1.2, 0.4, 2.0]), np.array([1.0, -0.5, 0.3])]
    mine, theirs = parameters(points)
    options = {"line_search_fn": "strong_wolfe", "max_iter": 3}
    b = torch.optim.LBFGS(theirs, **options)
    for _ in range(3):
        b.step(closure(b, valley_theirs, theirs))
    mine = [ours(t.detach().numpy()).requires_grad_() for t in theirs]
    a = optim.LBFGS(mine, **options)
    a.load_state_dict(b.state_dict())
    for _ in range(3):
        a.step(closure(a, valley_ours, mine))
        b.step(closure(b, valley_theirs, theirs))
    agree(mine, theirs, 1e-6)


# The same refusals.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("SGD", {"lr": -1}, "Invalid learning rate: -1"),
    ("SGD", {"momentum": -0.5}, "Invalid momentum value: -0.5"),
    ("SGD", {"weight_decay": -0.5}, "Invalid weight_decay value: -0.5"),
    ("SGD", {"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
    ("Adam", {"lr": -1}, "Invalid learning rate: -1"),
    ("Adam", {"eps": -1}, "Invalid epsilon value: -1"),
    ("Adam", {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
    ("AdamW", {"betas": (0.9, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
    ("RMSprop", {"alpha": -1}, "Invalid alpha value: -1"),
    ("Adagrad", {"lr_decay": -1}, "Invalid lr_decay value: -1"),
    ("Adagrad", {"initial_accumulator_value": -1}, "Invalid initial_accumulator_value value: -1"),
    ("Adadelta", {"rho": 1.5}, "Invalid rho value: 1.5"),
    ("Adamax", {"weight_decay": -1}, "Invalid weight_decay value: -1"),
    ("NAdam", {"momentum_decay": -1}, "Invalid momentum_decay value: -1"),
    ("RAdam", {"betas": (0.9, 2.0)}, "Invalid beta parameter at index 1: 2.0"),
    ("Rprop", {"etas": (1.0, 1.2)}, "Invalid eta values: 1.0, 1.2"),
    ("LBFGS", {"lr": -1}, "Invalid learning rate: -1"),
]


@pytest.mark.parametrize(("name", "options", "words"), REFUSED, ids=lambda v: str(v))
def test_refusals(name: str, options: dict[str, Any], words: str) -> None:
    mine, theirs = parameters(start())
    with pytest.raises(ValueError, match=words):
        getattr(torch.optim, name)(theirs, **options)
    with pytest.raises(ValueError, match=words):
        getattr(optim, name)(mine, **options)


BAD_PARAMETERS: list[tuple[Any, Any]] = [
    (lambda p: [], ValueError),
    (lambda p: p[0], TypeError),
    (lambda p: [3.0], TypeError),
    (lambda p: [p[0] * 2], ValueError),
    (lambda p: [{"params": set(p)}], TypeError),
    (lambda p: [{"params": p}, {"params": p[:1]}], ValueError),
    (lambda p: [("a", p[0]), p[1]], ValueError),
    (lambda p: [{"params": [("a", p[0])]}, {"params": [p[1]]}], ValueError),
    (lambda p: 7, TypeError),
]


@pytest.mark.parametrize(("made", "error"), BAD_PARAMETERS, ids=range(len(BAD_PARAMETERS)))
def test_bad_parameters(made: Any, error: type[Exception]) -> None:
    mine, theirs = parameters(start())
    with pytest.raises(error) as theirs_error:
        torch.optim.SGD(made(theirs))
    with pytest.raises(error) as ours_error:
        optim.SGD(made(mine))
    if error is ValueError:
        assert str(ours_error.value)[:30] == str(theirs_error.value)[:30]


def test_duplicates_warn_and_move_twice() -> None:
    mine, theirs = parameters(start()[:1])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pair = (
            optim.SGD([mine[0], mine[0]], lr=0.1),
            torch.optim.SGD([theirs[0], theirs[0]], lr=0.1, foreach=False),
        )
    assert len(caught) == 2
    assert all("duplicate parameters" in str(w.message) for w in caught)
    run(pair, mine, theirs, 3)
    agree(mine, theirs)


def test_named_parameters() -> None:
    mine, theirs = parameters(start()[:2])
    a = optim.SGD([("w", mine[0]), ("b", mine[1])], lr=0.1)
    b = torch.optim.SGD([("w", theirs[0]), ("b", theirs[1])], lr=0.1)
    assert a.state_dict()["param_groups"] == b.state_dict()["param_groups"]
    assert repr(a) == repr(b)


def test_load_state_dict_refusals() -> None:
    mine, theirs = parameters(start())
    for library, p in ((optim, mine), (torch.optim, theirs)):
        optimizer = library.SGD(p, lr=0.1)
        other = library.SGD([{"params": p[:1]}, {"params": p[1:]}], lr=0.1)
        with pytest.raises(ValueError, match="different number of parameter groups"):
            optimizer.load_state_dict(other.state_dict())
        with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
            optimizer.load_state_dict(library.SGD(p[:1], lr=0.1).state_dict())
