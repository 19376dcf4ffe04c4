"""What an optimizer says when it is used wrongly."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import optim
from chalkgrad.core.errors import ChalkgradError, NotAvailable, TraceError


def weight() -> cg.Tensor:
    return cg.tensor([1.0, 2.0], requires_grad=True)


def message(error: type[Exception], *parts: str) -> Any:
    """Expect an error of ours whose text has these parts in this order."""
    return pytest.raises(error, match=".*".join(map(re.escape, parts)))


def test_no_parameters() -> None:
    with message(
        ValueError, "optimizer got an empty parameter list", "model.parameters()", "ModuleList"
    ):
        optim.SGD([])


def test_an_iterator_that_is_used_up() -> None:
    given = iter([weight()])
    optim.SGD(given)
    with message(ValueError, "empty parameter list", "An iterator gives its tensors once"):
        optim.Adam(given)


class _Model:
    def parameters(self) -> list[cg.Tensor]:
        return [weight()]


class _Layers(_Model):
    def __iter__(self) -> Any:
        return iter([_Model()])


def test_a_model_instead_of_its_parameters() -> None:
    with message(TypeError, "got _Model", "Pass its parameters()"):
        optim.SGD(_Model())
    with message(TypeError, "one of the params is _Model", "Pass the parameters() of the model"):
        optim.SGD(_Layers())


def test_a_result_instead_of_a_leaf() -> None:
    with message(ValueError, "can't optimize a non-leaf Tensor", "the result of multiply"):
        optim.SGD([weight() * 2])


@pytest.mark.parametrize("name", ["foreach", "fused", "differentiable"])
def test_options_of_the_implementation(name: str) -> None:
    optim.SGD([weight()], **{name: False})
    with message(NotAvailable, f"{name}=True chooses one of PyTorch's implementations"):
        optim.SGD([weight()], **{name: True})


def test_options_that_are_no_numbers() -> None:
    with message(TypeError, "is a number here, not a Tensor", "lr=float(lr)"):
        optim.SGD([weight()], lr=cg.tensor(0.1))
    with message(TypeError, "momentum must be a number, not None"):
        optim.SGD([weight()], momentum=None)
    optim.SGD([weight()], lr=np.float32(0.5))


@pytest.mark.parametrize("mode", ["eager", "traced"])
def test_a_step_without_gradients_warns_once(mode: str) -> None:
    optimizer = optim.Adam([weight()])
    with pytest.warns(UserWarning, match="found no gradient.*Call loss.backward"):
        optimizer.step() if mode == "eager" else cg.trace(optimizer.step)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()


def test_lbfgs_needs_a_closure_and_numbers() -> None:
    optimizer = optim.LBFGS([weight()])
    with message(TypeError, "LBFGS.step() missing a closure"):
        optimizer.step()
    with message(TraceError, "cannot be part of a traced program"):
        cg.trace(lambda: optimizer.step(lambda: 0.0))
    with message(ValueError, "parameter groups", "Here are 2 groups"):
        optim.LBFGS([{"params": [weight()]}, {"params": [weight()]}])
    with message(ValueError, "only 'strong_wolfe' is supported"):
        optim.LBFGS([weight()], line_search_fn="weak")


def test_a_state_of_another_model() -> None:
    optimizer = optim.Adam([weight()])
    other = optim.Adam([cg.zeros(3, requires_grad=True)])
    other.param_groups[0]["params"][0].grad = cg.ones(3)
    other.step()
    with message(ChalkgradError, "exp_avg of shape [3] for a parameter of shape [2]"):
        optimizer.load_state_dict(other.state_dict())
    assert not optimizer.state


def test_a_gradient_of_another_shape() -> None:
    w = weight()
    w.name = "layers.0.bias"
    w.grad = cg.ones(2)
    w.data = cg.ones(3)
    with message(RuntimeError, "the gradient of layers.0.bias has shape [2], the parameter [3]"):
        optim.SGD([w]).step()


def test_a_class_without_an_equation() -> None:
    w = weight()
    w.grad = cg.ones(2)
    with pytest.raises(NotImplementedError, match="Optimizer has neither update"):
        optim.Optimizer([w], {"lr": 0.1}).step()


def test_a_schedule_of_something_else() -> None:
    with message(TypeError, "str is not an Optimizer", "StepLR(optimizer"):
        optim.lr_scheduler.StepLR("Adam", 3)
