"""The compiler shows its work: kernels as text and as data, timed, and as it is documented."""

from __future__ import annotations

import pytest

import chalkgrad as cg
from tools.kernels import PAGE, page


def test_the_page_shows_the_program_as_it_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "make pages writes it again"


def test_a_program_reads_as_equations_loops_and_reasons() -> None:
    weight, bias = cg.ones(6, 8, requires_grad=True), cg.zeros(6, requires_grad=True)

    def layer(x: cg.Tensor) -> cg.Tensor:
        return cg.relu(x @ weight.T + bias)

    found = cg.trace(layer, cg.zeros(16, 8)).kernels()
    text = str(found)
    assert "matmul(x, %" in text
    assert "= Σ_k x[i,k] · " in text
    assert "because relu (%" in text
    assert max(map(len, text.splitlines())) <= 100
    (row,) = found.rows()
    assert row["title"] == "16 × 6, a product over 8"
    times = found.time(steps=10)
    assert len(times.each) == 1
    assert "GFLOP/s" in str(times)


def test_what_has_no_native_code_says_why() -> None:
    class Double(cg.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: cg.Tensor) -> cg.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: object, g: cg.Tensor) -> cg.Tensor:
            return g * 2

    x = cg.zeros(3, requires_grad=True)
    graph = cg.trace(Double.apply, x)
    with pytest.raises(cg.ChalkgradError, match="a person's own function"):
        graph.kernels()
