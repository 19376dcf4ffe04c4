"""The verifier of planned programs finds what is broken on purpose."""

from __future__ import annotations

import pytest

import chalkgrad as cg
from chalkgrad.compiler.memory import Plan
from chalkgrad.compiler.verify import Broken, verify
from chalkgrad.core.index import Axis, Const


def plan() -> Plan:
    nn = cg.nn
    model = nn.Sequential(nn.Linear(8, 20), nn.Tanh(), nn.Linear(20, 8))
    optimizer = cg.optim.SGD(model.parameters(), lr=0.1)

    def step(x: cg.Tensor) -> cg.Tensor:
        loss = (model(x) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    made: Plan = cg.trace(step, cg.zeros(16, 8)).kernels().plan
    return made


def test_a_sound_plan_passes() -> None:
    verify(plan())


def test_a_kernel_that_runs_too_early() -> None:
    made = plan()
    made.kernels.reverse()
    with pytest.raises(Broken, match=r"before it is there|which \d+ wrote over"):
        verify(made)


def test_a_state_that_is_read_after_it_was_written_over() -> None:
    made = plan()
    writer = next(k for k in made.kernels if any(b in made.home for b in k.written))
    made.kernels.remove(writer)
    old = {made.home[buffer] for buffer in writer.written if buffer in made.home}
    readers = [n for n, kernel in enumerate(made.kernels) if old & kernel.sources()]
    made.kernels.insert(readers[0], writer)
    with pytest.raises(Broken):
        verify(made)


def test_an_axis_that_does_not_run() -> None:
    made = plan()
    kernel = made.kernels[0]
    loose = made.low.fresh(5)
    kernel.stores[-1] = kernel.stores[-1]._replace(value=Axis(loose) + Const(1))
    with pytest.raises(Broken, match="do not run"):
        verify(made)


def test_two_buffers_at_one_place() -> None:
    made = plan()
    for buffer in made.offset:
        made.offset[buffer] = 0
    with pytest.raises(Broken, match="at one place"):
        verify(made)
