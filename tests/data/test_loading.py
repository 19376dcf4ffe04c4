"""What PyTorch has no word for: what loaders leave out, and that a loop over batches trains."""

from __future__ import annotations

import pytest

import chalkgrad as cg
from chalkgrad.core.errors import NotAvailable, ShapeError
from chalkgrad.utils.data import DataLoader, TensorDataset


def test_loading_is_in_this_process() -> None:
    with pytest.raises(NotAvailable, match=r"num_workers=2.*in this process; pass 0"):
        DataLoader(TensorDataset(cg.ones(3)), num_workers=2)


def test_tensors_of_different_lengths_are_named() -> None:
    with pytest.raises(ShapeError, match="Size mismatch between tensors: they have 2, 3 records"):
        TensorDataset(cg.ones(2), cg.ones(3))


def test_batches_are_gathered_in_one_piece_and_carry_no_gradient() -> None:
    data = TensorDataset(cg.arange(6.0).reshape(6, 1), cg.arange(6))
    x, y = next(iter(DataLoader(data, batch_size=4)))
    assert (tuple(x.shape), y.tolist()) == ((4, 1), [0, 1, 2, 3])
    x += 1
    assert data.tensors[0][0].item() == 0.0  # a batch is a copy


def test_a_pytorch_loop_trains() -> None:
    cg.manual_seed(0)
    x = cg.randn(64, 3)
    y = x @ cg.tensor([[1.0], [-2.0], [0.5]]) + 3
    model = cg.nn.Linear(3, 1)
    optimizer = cg.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
    for _ in range(40):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = cg.nn.functional.mse_loss(model(inputs), targets)
            loss.backward()
            optimizer.step()
    assert loss.item() < 1e-4
    assert model.weight.flatten().tolist() == pytest.approx([1.0, -2.0, 0.5], abs=1e-2)
