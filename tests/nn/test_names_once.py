"""Names are given once, and again only when the structure has changed."""

from __future__ import annotations

import chalkgrad as cg
from chalkgrad import nn


def test_names_are_not_given_again() -> None:
    model = nn.Sequential(*(nn.Linear(1, 1) for _ in range(50)))
    model(cg.ones(1, 1))
    place = model[0]._place
    model(cg.ones(1, 1))
    assert model[0]._place is place
