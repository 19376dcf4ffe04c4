"""What an error offers instead of a name that there is not."""

from __future__ import annotations

import pytest

from chalkgrad.core.errors import nearest


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("w1", " Did you mean W1?"),  # and not b1 and Z1, which differ in one letter, too
        ("learning_rat", " Did you mean learning_rate?"),
        ("nothing", ""),
    ],
)
def test_the_likeliest_names_are_offered(name: str, offered: str) -> None:
    assert nearest(name, ["b1", "Z1", "X1", "W1", "learning_rate"]) == offered
