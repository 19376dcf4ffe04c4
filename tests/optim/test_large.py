"""An update of many numbers runs as native code: the same numbers, and fresh arrays."""

from __future__ import annotations

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad.optim import program


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "NAdam"])
def test_a_large_update_is_the_small_one(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for limit in (program._LARGE, 10**9):
        monkeypatch.setattr(program, "_LARGE", limit)
        rng = np.random.default_rng(0)
        weight = cg.tensor(rng.normal(size=(300, 200)), requires_grad=True)
        kept = weight.node.value
        before = kept.copy()
        optimizer = getattr(cg.optim, kind)([weight], lr=0.01)
        for _ in range(3):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()
        np.testing.assert_array_equal(kept, before)  # the graph keeps the numbers of its pass
        found.append(weight.detach().numpy())
    # The update is of about 0.01; where it takes a weight next to 0, its last bit stands out.
    np.testing.assert_allclose(found[0], found[1], rtol=1e-13, atol=1e-17)
