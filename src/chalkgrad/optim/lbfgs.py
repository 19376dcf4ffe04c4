"""L-BFGS: Newton's direction from the last few gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from chalkgrad.core.errors import ArgumentError, TraceError, TypeMismatch
from chalkgrad.core.graph import Array
from chalkgrad.core.scope import current, recording
from chalkgrad.optim.line_search import Point, strong_wolfe
from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.optim.settings import check
from chalkgrad.optim.terms import tensor_of
from chalkgrad.tensor.tensor import Tensor

Closure = Callable[[], Any]

_START: dict[str, Any] = {
    "func_evals": 0, "n_iter": 0, "old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1.0,
}  # fmt: skip


class LBFGS(Optimizer):
    """Limited-memory BFGS: several moves in one step, each along an estimate of Newton's direction.

        d ← −H g,   H from the pairs s = θₖ₊₁ − θₖ, y = gₖ₊₁ − gₖ of the last `history_size` moves:
            q ← g;            for each pair, newest first:  αᵢ = (sᵢ·q) / (yᵢ·sᵢ),  q ← q − αᵢ yᵢ
            r ← (y·s)/(y·y) q for each pair, oldest first:  r ← r + sᵢ (αᵢ − (yᵢ·r) / (yᵢ·sᵢ))
        θ ← θ + t d

    with t = lr (min(1, 1/‖g‖₁) · lr in the very first move), or from a line search that meets the
    strong Wolfe conditions. `step` takes a closure that computes the loss and its gradients anew,
    and moves up to `max_iter` times. It reads numbers to decide how to go on, so it cannot be
    traced. Source: Nocedal and Wright, "Numerical optimization" (2006), algorithm 7.4.

    Raises ValueError for more than one parameter group.

    >>> import chalkgrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> torch.allclose(w, torch.tensor([3.0, 3.0]))
    True
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        check(lr=lr)
        if line_search_fn not in (None, "strong_wolfe"):
            raise ArgumentError(
                f"only 'strong_wolfe' is supported as line_search_fn, not {line_search_fn!r}"
            )
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
            "history_size": history_size, "line_search_fn": line_search_fn,
        })  # fmt: skip
        if len(self.param_groups) != 1:
            raise ArgumentError(
                "LBFGS doesn't support per-parameter options (parameter groups): it moves all "
                f"parameters along one direction. Here are {len(self.param_groups)} groups; pass "
                "one list."
            )

    def step(self, closure: Closure | None = None) -> Any:
        """Move up to `max_iter` times. Returns the loss before."""
        if closure is None:
            raise TypeMismatch(
                "LBFGS.step() missing a closure: a function that clears the gradients, computes "
                "the loss, calls backward() and returns the loss. It is called several times in "
                "one step."
            )
        if current().abstract:
            raise TraceError(
                "LBFGS decides from the numbers of the loss how to go on, so its step cannot be "
                "part of a traced program. Call it outside, or use another optimizer."
            )
        self._opt_called = True
        with recording(False), np.errstate(all="ignore"):
            return self._minimize(closure)

    def _minimize(self, closure: Closure) -> Any:
        group, state = self.param_groups[0], self._state()
        loss = _evaluated(closure)
        point = Point(0.0, float(loss), self._gradient())
        state["func_evals"] += 1
        evaluations = 1
        if _largest(point.gradient) <= group["tolerance_grad"]:
            return loss
        for iteration in range(1, group["max_iter"] + 1):
            direction = self._direction(point.gradient)
            first, last = state["n_iter"] == 1, iteration == group["max_iter"]
            length = group["lr"] * (min(1.0, 1.0 / np.abs(point.gradient).sum()) if first else 1.0)
            slope = point.gradient @ direction
            before = state["prev_loss"] = point.loss
            state["prev_flat_grad"] = tensor_of(point.gradient)
            state["t"] = float(length)
            if slope > -group["tolerance_change"]:
                break
            point, used = self._move(closure, point, direction, length, evaluations, last)
            state["t"] = float(point.t)
            state["func_evals"] += used
            evaluations += used
            if (
                last
                or evaluations >= group["max_eval"]
                or self._converged(point, direction, before)
            ):
                break
        return loss

    def _state(self) -> dict[str, Any]:
        """The state: there is one for all parameters, kept with the first."""
        state: dict[str, Any] = self.state[self.param_groups[0]["params"][0]]
        for name, value in _START.items():
            if name not in state:
                state[name] = value.copy() if isinstance(value, list) else value
        return state

    def _direction(self, gradient: Array) -> Array:
        """−H g, after the last move has entered H."""
        state = self._state()
        state["n_iter"] += 1
        if state["n_iter"] > 1:
            self._remember(gradient)
        moves = [_array(s) for s in state["old_stps"]]
        changes = [_array(y) for y in state["old_dirs"]]
        curvatures = [float(rho) for rho in state["ro"]]
        pairs = list(zip(moves, changes, curvatures, strict=True))
        direction, weights = -gradient, []
        for s, y, rho in reversed(pairs):
            weights.append((s @ direction) * rho)
            direction = direction - weights[-1] * y
        direction = direction * float(state["H_diag"])
        for (s, y, rho), weight in zip(pairs, reversed(weights), strict=True):
            direction = direction + (weight - (y @ direction) * rho) * s
        state["d"] = tensor_of(direction)
        return direction

    def _remember(self, gradient: Array) -> None:
        """Take the last move s and the change y of the gradient along it into the history."""
        state = self._state()
        y = gradient - _array(state["prev_flat_grad"])
        s = _array(state["d"]) * float(state["t"])
        curvature = y @ s
        if curvature <= 1e-10:  # H must stay positive definite
            return
        if len(state["ro"]) == self.param_groups[0]["history_size"]:
            for name in ("old_dirs", "old_stps", "ro"):
                state[name].pop(0)
        state["old_dirs"].append(tensor_of(y))
        state["old_stps"].append(tensor_of(s))
        state["ro"].append(float(1.0 / curvature))
        state["H_diag"] = float(curvature / (y @ y))

    def _move(
        self, closure: Closure, point: Point, direction: Array, length: float, evaluations: int,
        last: bool,
    ) -> tuple[Point, int]:  # fmt: skip
        """Go along a direction: where that leads, and how often the closure was called."""
        group, origin = self.param_groups[0], self._parameters_flat()

        def evaluate(t: float) -> Point:
            self._place(origin + t * direction)
            return Point(t, float(_evaluated(closure)), self._gradient())

        if group["line_search_fn"] is None:
            self._place(origin + length * direction)
            # The last point is not evaluated: the next step begins with that, on its own data.
            return (Point(length, point.loss, point.gradient), 0) if last else (evaluate(length), 1)
        found, used = strong_wolfe(
            evaluate,
            point,
            direction,
            length,
            group["tolerance_change"],
            group["max_eval"] - evaluations,
        )
        self._place(origin + found.t * direction)
        return found, used

    def _converged(self, point: Point, direction: Array, before: float) -> bool:
        group = self.param_groups[0]
        return bool(
            _largest(point.gradient) <= group["tolerance_grad"]
            or _largest(direction * point.t) <= group["tolerance_change"]
            or abs(point.loss - before) < group["tolerance_change"]
        )

    # All parameters as one vector.
    def _gradient(self) -> Array:
        parts = [
            np.zeros(p.numel(), p.node.dtype) if p.grad is None else _array(p.grad).reshape(-1)
            for p in self.param_groups[0]["params"]
        ]
        return np.concatenate(parts)

    def _parameters_flat(self) -> Array:
        return np.concatenate([_array(p).reshape(-1) for p in self.param_groups[0]["params"]])

    def _place(self, vector: Array) -> None:
        start = 0
        for p in self.param_groups[0]["params"]:
            part = vector[start : start + p.numel()].reshape(p.node.shape)
            p.assign(tensor_of(part.astype(p.node.dtype)))
            start += p.numel()


def _evaluated(closure: Closure) -> Any:
    with recording(True):
        return closure()


def _largest(vector: Array) -> Any:
    return np.abs(vector).max(initial=0.0)


def _array(tensor: Tensor) -> Array:
    return tensor.array_for("LBFGS")
