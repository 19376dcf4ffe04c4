"""The layer view by numbers: each equation of arrays, computed with NumPy, gives its array.

The interpreter below is all that knows what the signs mean: @ is a matrix product, ⊙ goes element
by element, ᵀ turns, Σₙ adds up records (rows) and Σⱼ units (columns).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.explain import Derivation
from chalkgrad.explain.steps import Matrix
from chalkgrad.formulas import Call, Expression, Name, Number, Partial, parts, text
from tests.explain.networks import Network, networks

table = pytest.mark.parametrize
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _sum_of(*terms: Any) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _product_of(*factors: Any) -> Any:
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def _softplus(x: Any) -> Any:
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def _bounded_log(x: Any) -> Any:
    return np.maximum(np.log(x), -100)


def _placed(x: Any, index: Any) -> Any:
    """Zeros of three columns, but for x in the columns that the index names."""
    out = np.zeros((len(x), 3))
    np.put_along_axis(out, index.astype(int), x, 1)
    return out


MEANING: dict[str, Callable[..., Any]] = {
    "matmul": lambda a, b: a @ b, "transpose": np.transpose, "hadamard": lambda a, b: a * b,
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "divide": lambda a, b: a / b,
    "negative": lambda a: -a, "reciprocal": lambda a: 1 / a, "square": lambda a: a * a,
    "power": lambda a, b: a**b, "sum": _sum_of, "prod": _product_of,
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "bounded_log": _bounded_log, "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "softplus": _softplus, "sqrt": np.sqrt,
    "relu": lambda x: np.maximum(x, 0), "absolute": np.abs, "maximum": np.maximum,
    "minimum": np.minimum, "max": np.maximum, "min": np.minimum,
    "greater": lambda a, b: a > b, "greater_equal": lambda a, b: a >= b, "less": lambda a, b: a < b,
    "select": np.where, "mean": np.mean,
    "array_sum": np.sum, "array_sum_records": lambda x: x.sum(0, keepdims=True),
    "array_sum_units": lambda x: x.sum(-1, keepdims=True),
    "take_along": lambda x, index: np.take_along_axis(x, index.astype(int), 1),
    "add_along": _placed,
}  # fmt: skip


def computed(formula: Expression, arrays: dict[str, Any]) -> Any:
    """The array that an equation says."""
    if isinstance(formula, Number):
        return np.float64(formula.value)
    if isinstance(formula, Name | Partial):
        return arrays[text(formula)]
    assert isinstance(formula, Call)
    name, _, kind = formula.function.partition(":")
    operands = [computed(argument, arrays) for argument in formula.arguments]
    if name in ("cast", "copy"):
        return operands[0].astype(kind or float)
    return MEANING[name](*operands)


def arrays_of(derivation: Derivation) -> dict[str, Any]:
    """Every named array and every gradient, by what it is called."""
    found: dict[str, Any] = {}
    for matrix in (*derivation.forward, *derivation.backward):
        assert matrix.rows is not None, text(matrix.symbol)
        array = np.array(matrix.rows).reshape(matrix.shape)
        of_records = (
            text(matrix.symbol).rpartition("∂")[2] == "E"
        )  # a loss for each record: a column
        array = array[:, None] if of_records and array.ndim == 1 else array
        for name in (matrix.symbol, matrix.also):
            if name is not None:
                assert text(name) not in found, "two arrays of one name"
                found[text(name)] = array
    return found


def assert_every_equation_holds(derivation: Derivation) -> int:
    arrays, checked = arrays_of(derivation), 0
    loss = Name(derivation.board.loss)
    arrays[text(Partial(loss, loss))] = np.float64(1)
    for matrix in (*derivation.forward, *derivation.backward):
        for formula in (matrix.formula, matrix.shorter):
            if formula is not None:
                _holds(matrix, formula, arrays)
                checked += 1
    return checked


def _holds(matrix: Matrix, formula: Expression, arrays: dict[str, Any]) -> None:
    with np.errstate(all="ignore"):
        value = np.asarray(computed(formula, arrays))
    if value.size != int(np.prod(matrix.shape)):
        value = np.broadcast_to(value, matrix.shape)
    value = value.reshape(matrix.shape)
    expected = np.array(matrix.rows).reshape(matrix.shape)
    said = f"{text(matrix.also or matrix.symbol)} = {text(formula)}"
    np.testing.assert_allclose(value, expected, rtol=1e-8, atol=1e-11, err_msg=said)


@SLOW
@given(networks())
def test_every_equation_gives_its_array(network: Network) -> None:
    derivation = cg.explain(network.toml())
    assert assert_every_equation_holds(derivation) >= 2


@SLOW
@given(networks())
def test_deltas_are_the_gradients_towards_weighted_sums(network: Network) -> None:
    """Element by element, they are the board's derivatives."""
    derivation = cg.explain(network.toml())
    gradients = derivation.board.gradients(derivation.board.loss)
    places = {  # the quantities of each layer's weighted sums, by record
        quantity.layer: [
            q.name.text for q in derivation.board.quantities.values()
            if q.layer == quantity.layer and q.kind == quantity.kind
        ]
        for quantity in derivation.board.quantities.values() if quantity.kind == "weighted sum"
    }  # fmt: skip
    for matrix in derivation.backward:
        if matrix.also is None:
            continue
        layer = int(matrix.also.text.strip("δ⁽⁾").translate(str.maketrans("¹²³⁴", "1234")))
        values = [gradients.get(name, 0.0) for name in places[layer]]
        assert matrix.rows is not None
        np.testing.assert_allclose(np.ravel(matrix.rows), values, rtol=1e-9, atol=1e-13)


@table("view", ["layer"])
@SLOW
@given(network=networks())
def test_the_page_has_every_equation_and_shape(network: Network, view: str) -> None:
    derivation = cg.explain(network.toml())
    page = " ".join(derivation.to_text(view=view, width=1000).split())
    for matrix in (*derivation.forward, *derivation.backward):
        if matrix.formula is not None:
            shape = "×".join(map(str, matrix.shape)) or "one number"
            assert f"{text(matrix.formula)} ({shape})" in page


# Models.
def _numbers(*shape: int) -> cg.Tensor:
    return cg.tensor(np.random.default_rng(sum(shape)).normal(size=shape))


def classes() -> cg.Tensor:
    layers = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 3)).double()
    return nn.CrossEntropyLoss()(layers(_numbers(2, 2)), cg.tensor([2, 0]))


def residual() -> cg.Tensor:
    first, second = nn.Linear(3, 3).double(), nn.Linear(3, 1).double()
    x = _numbers(2, 3)
    return nn.MSELoss()(second(cg.tanh(first(x)) + x), _numbers(2, 1))


def shared_layer() -> cg.Tensor:
    layer = nn.Linear(2, 2).double()
    return (cg.sigmoid(layer(cg.tanh(layer(_numbers(2, 2))))) ** 2).mean()


def dropout() -> cg.Tensor:
    layers = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 1)).double()
    return nn.MSELoss()(layers(_numbers(2, 2)), _numbers(2, 1))


def batch_norm() -> cg.Tensor:
    layers = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 1)).double()
    return nn.MSELoss()(layers(_numbers(3, 2)), _numbers(3, 1))


def layer_norm() -> cg.Tensor:
    layers = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 1)).double()
    return nn.MSELoss()(layers(_numbers(2, 2)), _numbers(2, 1))


def attention() -> cg.Tensor:
    queries, keys, readings = (nn.Linear(2, 2, bias=False).double() for _ in range(3))
    x = _numbers(3, 2)
    out = nn.functional.softmax(queries(x) @ keys(x).T / 2**0.5, dim=-1) @ readings(x)
    return (out * out).sum()


def single_numbers() -> cg.Tensor:
    x, y, z = (cg.tensor(np.float64(k), requires_grad=True) for k in (4.0, 3.0, 2.0))
    return (3 * (x + y * z)).tanh() * x


@table(
    "make",
    [classes, residual, shared_layer, dropout, batch_norm, layer_norm, attention, single_numbers],
)
def test_every_equation_of_a_model(make: Callable[[], cg.Tensor]) -> None:
    cg.manual_seed(2)
    derivation = cg.explain(make())
    assert assert_every_equation_holds(derivation) >= 4


def test_bounds_that_something_reaches_are_written() -> None:
    """Of σ(z) = 1 in floating-point numbers, the loss and its slope are bounded."""
    sheet = """
    [parameters]
    w1 = 60.0
    [[layer]]
    units = ["o"]
    weights = [["w1"]]
    activation = "sigmoid"
    [data]
    inputs = { x = [1.0, 0.01] }
    targets = { o = [0.1, 0.1] }
    [loss]
    kind = "binary_cross_entropy"
    """
    derivation = cg.explain(sheet)
    assert assert_every_equation_holds(derivation) >= 4
    shown = [text(m.formula) for m in derivation.backward if m.formula is not None]
    assert any("max(1 − A⁽¹⁾, 1.00e−12)" in formula for formula in shown)


def test_classes_are_looked_up_by_name() -> None:
    derivation = cg.explain(classes())
    (terms,) = [m for m in derivation.forward if text(m.symbol) == "E"]
    assert terms.formula is not None
    assert "Y" in {part.text for part in parts(terms.formula) if isinstance(part, Name)}


def test_single_numbers_are_arrays_too() -> None:
    page = " ".join(cg.explain(single_numbers()).to_text(view="layer").split())
    assert "∂loss/∂parameter1" in page


def test_a_textbooks_recursion() -> None:
    """δ⁽¹⁾ = (δ⁽²⁾ W⁽²⁾) ⊙ σ′, and the gradients of weights and biases."""
    sheet = """
    [parameters]
    w1 = 0.3
    w2 = 0.5
    w3 = 0.2
    w4 = 0.4
    b1 = 0.1
    b2 = 0.6
    [[layer]]
    units = ["h1", "h2"]
    weights = [["w1"], ["w2"]]
    bias = ["b1", "b1"]
    activation = "sigmoid"
    [[layer]]
    units = ["o"]
    weights = [["w3", "w4"]]
    bias = ["b2"]
    activation = "sigmoid"
    [data]
    inputs = { x = [1.0, 0.5] }
    targets = { o = [1.0, 0.0] }
    [loss]
    kind = "half_squared_error"
    """
    shown = {
        text(m.also or m.symbol): text(m.formula)
        for m in cg.explain(sheet).backward if m.formula is not None
    }  # fmt: skip
    assert shown["δ⁽¹⁾"] == "(δ⁽²⁾ @ W⁽²⁾) ⊙ A⁽¹⁾ ⊙ (1 − A⁽¹⁾)"
    assert shown["∂L/∂W⁽²⁾"] == "δ⁽²⁾ᵀ @ A⁽¹⁾"
    assert shown["∂L/∂W⁽¹⁾"] == "δ⁽¹⁾ᵀ @ X"
    assert shown["∂L/∂b⁽²⁾"] == "Σₙ δ⁽²⁾"


def test_the_gradient_of_a_pooling_goes_to_the_maximum_alone() -> None:
    cg.manual_seed(0)
    layers = nn.Conv2d(1, 1, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1, 1)
    x = cg.arange(9.0).reshape(1, 1, 3, 3) / 9
    loss = nn.MSELoss()(nn.Sequential(*layers)(x), cg.ones(1, 1))
    loss.backward()
    said = str(cg.explain(loss))
    assert "∂2.max pooling[0,0,0,0]/∂1.out[0,0,0,0] = 1" in said
    for other in ("[0,0,0,1]", "[0,0,1,0]", "[0,0,1,1]"):
        assert f"∂2.max pooling[0,0,0,0]/∂1.out{other}" not in said
