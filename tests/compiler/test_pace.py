"""How many threads run a program: all, or one where that was faster lately."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from chalkgrad.compiler import native, threads
from chalkgrad.compiler.build import build
from chalkgrad.compiler.native import Pace, Signature
from chalkgrad.primitives import linalg
from tests.compiler.programs import apply, inputs


def chosen(pace: Pace, seconds: Callable[[int], float], runs: int) -> list[int]:
    """The choices of so many runs, each of which takes what it takes."""
    found = []
    for _ in range(runs):
        count = pace.choice()
        pace.took(count, seconds(count))
        found.append(count)
    return found


def test_one_thread_is_one_thread() -> None:
    assert set(chosen(Pace([1]), lambda _: 1.0, 50)) == {1}


def test_both_are_tried_the_faster_stays_and_the_slower_is_tried_ever_more_seldom() -> None:
    pace = Pace([4, 1])
    assert chosen(pace, lambda count: 1 / count, 3) == [4, 4, 1]  # the first run does not count
    found = chosen(pace, lambda count: 1 / count, 3000)
    places = [k for k, count in enumerate(found) if count == 1]
    gaps = np.diff(places)
    assert np.all(gaps[1:] >= gaps[:-1])
    assert gaps[-1] == native._LONGEST
    assert len(places) < 0.01 * len(found)


@pytest.mark.parametrize("slow", [1.2, 3.0])
def test_when_threads_disturb_each_other_one_goes_on_and_they_come_back(slow: float) -> None:
    pace = Pace([2, 1])
    chosen(pace, lambda count: 1 / count, 100)
    found = chosen(pace, lambda count: {1: 1.0, 2: slow}[count], 600)
    assert set(found[100:]) <= {1, 2}
    assert found[100:].count(2) < 20
    back = chosen(pace, lambda count: 1 / count, 1100)
    assert back[-400:].count(1) <= 2


def test_the_first_run_of_all_is_not_held_against_its_number_of_threads() -> None:
    pace = Pace([2, 1])
    times = iter([100.0, 0.5, 1.0])
    assert chosen(pace, lambda _: next(times), 3) == [2, 2, 1]
    assert chosen(pace, lambda count: 1 / count, 5) == [2] * 5


def test_what_is_computed_does_not_depend_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(200, 150)), rng.normal(size=(150, 170))]
    nodes = inputs(*arrays)
    signature = Signature(tuple(nodes), (), (apply(linalg.matmul, *nodes),), ())
    made = build(signature, members=3)
    used = []
    monkeypatch.setattr(
        threads, "team", lambda size, team=threads.team: used.append(size) or team(size)
    )
    results = {made.run(arrays)[0].tobytes() for _ in range(12)}
    assert len(results) == 1
    assert {1, 3} == set(used)
