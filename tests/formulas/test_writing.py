"""How formulas are written, and what sums are worth at the edges of floating point."""

from __future__ import annotations

import math

from chalkgrad.formulas import Call, Name, Number, float_value, latex, text


def test_an_index_behind_brackets_belongs_to_all_of_it() -> None:
    scores, chosen = Name("Z"), Name("Y")
    difference = scores - Call("log", (Name("S"),))
    assert text(Call("take_along", (difference, chosen))) == "(Z − log(S))[Y]"
    assert text(-Call("take_along", (difference, chosen))) == "−(Z − log(S))[Y]"
    assert text(Call("take_along", (scores, chosen))) == "Z[Y]"
    assert latex(Call("take", (-scores, chosen))) == r"\left(-Z\right)[Y]"


def test_what_is_added_at_places_stands_in_brackets() -> None:
    placed = Call("add_along", (Name("g"), Name("Y")))
    assert text(Name("a") * placed) == "a · add(g along Y)"


def test_a_sum_past_the_largest_number_is_infinite() -> None:
    large = Number(1e308)
    assert float_value(Call("sum", (large, large)), {}) == math.inf
    opposite = Call("sum", (Number(math.inf), Number(-math.inf)))
    assert math.isnan(float_value(opposite, {}))
