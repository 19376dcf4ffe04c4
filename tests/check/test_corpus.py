"""The generated corpus: its arithmetic against finite differences, and a sample of it marked."""

from __future__ import annotations

import math
from random import Random

import pytest

from benchmarks.marking.__main__ import marked
from benchmarks.marking.networks import Network, random_network
from benchmarks.marking.people import Habits, Person, all_misspelt, case
from benchmarks.marking.report import Tally
from benchmarks.marking.working import forward, lines, losses, start
from chalkgrad.worksheet import Worksheet

SEED = 20


def loss_at(net: Network, **changed: float) -> float:
    state = start(net) | changed
    for line in (*forward(net), *losses(net)):
        state[line.key] = line.right(state)
    return state["L"]


@pytest.mark.parametrize("layout", ["full", "short"])
def test_gradients_of_the_corpus(layout: str) -> None:
    """Central differences of the corpus's own forward pass."""
    for seed in range(40):
        net = random_network(Random(f"{layout} {seed}"))
        state = start(net)
        for line in lines(net, layout):
            state[line.key] = line.right(state)
        step = 1e-5
        for name, value in net.parameters.items():
            above, below = (loss_at(net, **{name: value + h}) for h in (step, -step))
            slope = (above - below) / (2 * step)
            assert state[f"g {name}"] == pytest.approx(slope, rel=1e-5, abs=1e-8), (seed, name)
            assert state[f"new {name}"] == pytest.approx(value - net.rate * slope, abs=1e-6)


def test_worksheets_of_the_corpus_are_read() -> None:
    for seed in range(20):
        net = random_network(Random(seed))
        sheet = Worksheet.from_text(net.toml())
        assert dict(sheet.parameters) == net.parameters


def test_a_person_rounds_or_cuts_off() -> None:
    rounds, cuts = (Habits(3, truncates, False, False) for truncates in (False, True))
    assert (rounds.show(0.60151), cuts.show(0.60151)) == ("0.602", "0.601")
    assert cuts.show(-0.6399999999999999) == "-0.640"  # 0.64, but for a double's last bit
    assert Habits(3, False, True, False).show(0.00123456) == "0.00123"


def test_slips_of_the_pen() -> None:
    assert set(all_misspelt("0.123", "digits swapped")) == {"1.023", "0.213", "0.132"}
    assert set(all_misspelt("0.123", "decimal point shifted")) == {"1.23", "0.0123"}
    assert set(all_misspelt("0.123", "digit dropped")) == {"0.23", "0.13", "0.12"}


def test_a_person_goes_on_from_what_they_wrote() -> None:
    net = random_network(Random(3))
    all_lines = lines(net, "full")
    person = Person(net, Habits(2, False, False, False), start(net))
    first = all_lines[0]
    person.write(first, 0.5, "0.77")
    assert person.state[first.key] == 0.77
    value = all_lines[1].right(person.state)
    assert math.isfinite(value)


@pytest.mark.slow
def test_a_sample_is_marked_as_it_should_be() -> None:
    """The whole corpus is `python -m benchmarks.marking`."""
    tally = Tally()
    for index in range(50):
        tally.add(*marked(SEED, index))
    assert tally.count["right workings called wrong"] == 0
    assert tally.rate("flagged", "visible") >= 0.99
    assert tally.rate("named", "identifiable") >= 0.85


def test_the_corpus_is_the_same_each_time() -> None:
    assert case(5, 7).text == case(5, 7).text
    assert case(5, 7).text != case(6, 7).text
