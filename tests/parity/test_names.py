"""Every public name is PyTorch's or declared our own; the table of names is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.parity

TOOLS = Path(__file__).parents[2] / "tools"
sys.path.insert(0, str(TOOLS))
pytest.importorskip("torch")
names = pytest.importorskip("names")
sys.path.remove(str(TOOLS))


@pytest.fixture(scope="module", params=names.NAMESPACES, ids=lambda namespace: namespace.torch)
def comparison(request: pytest.FixtureRequest) -> names.Comparison:
    return names.compare(request.param)


def test_a_name_that_pytorch_has_not_is_declared(comparison: names.Comparison) -> None:
    declared = names.OWN.get(comparison.namespace.torch, {})
    assert sorted(set(comparison.own) - set(declared)) == []


def test_a_declared_name_is_there(comparison: names.Comparison) -> None:
    declared = names.OWN.get(comparison.namespace.torch, {})
    assert sorted(set(declared) - set(comparison.own)) == []


def test_a_parameter_is_missing_only_for_a_reason(comparison: names.Comparison) -> None:
    lacking = {name for name, differs in comparison.shared.items() if "without" in differs}
    assert sorted(lacking) == sorted(names.LACKS.get(comparison.namespace.torch, {}))


def test_the_table_is_what_would_be_written() -> None:
    assert names.PAGE.read_text("utf-8") == names.page(), "run `python tools/names.py`"


def test_a_difference_is_seen() -> None:
    def ours(input, dim=0, *, axis=None): ...  # type: ignore[no-untyped-def]
    def theirs(input, dim=1, keepdim=False): ...  # type: ignore[no-untyped-def]

    signatures = [names.python_signature(f, method=False) for f in (ours, theirs)]
    assert names.difference(*signatures) == "without `keepdim`; `dim` is `0`, PyTorch `1`"


def test_overloads_are_read_from_the_stubs() -> None:
    found = names.stub_signature("torch", "max")
    assert {"input", "dim", "keepdim", "other"} <= set(found.parameters)
