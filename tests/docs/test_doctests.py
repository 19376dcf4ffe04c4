"""Every example in a docstring runs and prints what it shows."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import chalkgrad

MODULES = [
    module.name
    for module in pkgutil.walk_packages(chalkgrad.__path__, "chalkgrad.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", ["chalkgrad", *MODULES])
def test_the_examples_of_a_module_run(name: str) -> None:
    module = importlib.import_module(name)
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(module, optionflags=options)
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples fail"
