"""How a person writes a working down: digits, what they go on with, and where they slip."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from random import Random

from benchmarks.marking.networks import Network, random_network
from benchmarks.marking.working import Line, Slip, State, lines, start

PEN = ("digits swapped", "decimal point shifted", "digit dropped")


@dataclass(frozen=True)
class Habits:
    digits: int
    truncates: bool
    significant: bool  # digits that count, or decimals
    keeps_full: bool  # goes on with full precision, not with what is shown

    def decimals(self, value: float) -> int:
        if not self.significant or value == 0 or not math.isfinite(value):
            return self.digits
        return max(self.digits - 1 - math.floor(math.log10(abs(value))), 0)

    def show(self, value: float) -> str:
        places = self.decimals(value)
        mode = ROUND_DOWN if self.truncates else ROUND_HALF_EVEN
        # Twelve digits: 0.64 is not to be cut off to 0.6399 for the sake of a double's last bit.
        number = Decimal(f"{value:.12g}").quantize(Decimal(1).scaleb(-places), rounding=mode)
        return f"{number:f}"

    def spread(self, text: str) -> float:
        """What a shown number leaves open."""
        places = len(text.partition(".")[2])
        return 10.0**-places * (1.0 if self.truncates else 0.5)


@dataclass
class Planted:
    """A slip in one line."""

    line: int
    kind: str
    visible: bool  # does it change what is shown beyond what rounding leaves open?
    identifiable: bool  # does no other slip give the same number?


@dataclass
class Case:
    """One working, and the truth about it."""

    net: Network
    text: str
    habits: Habits
    category: str
    index: int = 0
    planted: list[Planted] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)


@dataclass
class Person:
    """Writes lines down one after the other."""

    net: Network
    habits: Habits
    state: State
    shown: dict[str, float] = field(default_factory=dict)  # by key, with what each leaves open
    out: list[str] = field(default_factory=list)

    def write(self, line: Line, value: float, text: str | None = None) -> None:
        text = text or self.habits.show(value)
        self.out.append(f"{line.symbol} = {text}")
        goes_on = (
            value if self.habits.keeps_full and text == self.habits.show(value) else float(text)
        )
        self.state[line.key] = goes_on
        self.shown[line.key] = self.habits.spread(text)

    def slip(self, line: Line, kind: str, compute: Slip | None, random: Random) -> Planted | None:
        """Write a line with a slip; None where it has none of this kind there."""
        right = line.right(self.state)
        if compute is None:
            text = misspelt(self.habits.show(right), kind, random)
            if text is None:
                return None
            value = float(text)
            if not self.can_go_on(line, value):
                return None
        else:
            value = compute[1](self.state)
            if not math.isfinite(value) or not self.can_go_on(line, value):
                return None
            text = self.habits.show(value)
        planted = Planted(len(self.out), kind, self.differs(line, text, right), True)
        planted.identifiable = self.is_alone(line, kind, text)
        self.write(line, value, text)
        return planted

    def can_go_on(self, line: Line, value: float) -> bool:
        """Cross-entropy has no logarithm of an output outside of (0, 1)."""
        outputs = [f"a_{unit}" for unit in self.net.layers[-1].units]
        is_output = line.key.partition("[")[0] in outputs
        return self.net.loss != "binary_cross_entropy" or not is_output or 0.01 < value < 0.99

    def differs(self, line: Line, text: str, right: float) -> bool:
        """Is the number shown outside of what it and rounding before this line leave open?"""
        radius = self.habits.spread(text)
        for key, spread in self.shown.items():
            moved = {**self.state, key: self.state[key] + spread}
            radius += abs(line.right(moved) - right)
        return abs(float(text) - right) > 1.1 * radius

    def is_alone(self, line: Line, kind: str, text: str) -> bool:
        """Does no slip of another kind show the same number, a slip of the pen included?"""
        for other, compute in line.slips:
            if other != kind and self.habits.show(compute(self.state)) == text:
                return False
        right = self.habits.show(line.right(self.state))
        spellings = {t for other in PEN if other != kind for t in all_misspelt(right, other)}
        return float(text) not in {float(t) for t in spellings}


def misspelt(right: str, kind: str, random: Random) -> str | None:
    options = [t for t in all_misspelt(right, kind) if float(t) != float(right)]
    return random.choice(options) if options else None


def all_misspelt(right: str, kind: str) -> Iterator[str]:
    """A number with a slip of the pen in it."""
    places = [k for k, letter in enumerate(right) if letter.isdigit()]
    point = right.find(".")
    if kind == "digits swapped":
        for i, j in pairwise(places):
            if right[i] != right[j] and point >= 0:
                yield right[:i] + right[j] + right[i + 1 : j] + right[i] + right[j + 1 :]
    elif kind == "decimal point shifted":
        for power in (1, -1):
            yield f"{Decimal(right).scaleb(power):f}"
    elif kind == "digit dropped" and point >= 0:
        for k in places:
            if k > point and len(right) - point > 2:
                yield right[:k] + right[k + 1 :]


CATEGORIES = ("right", "right", "one", "one", "one", "one", "one", "two", "negative δ", "pen")


def case(seed: int, index: int) -> Case:
    """One working of the corpus."""
    random = Random(f"{seed} {index}")
    category = CATEGORIES[index % len(CATEGORIES)]
    net = random_network(random)
    while category == "negative δ" and net.records > 1:
        net = random_network(random)
    if category == "negative δ":
        net = Network(**{**net.__dict__, "negative_delta": random.random() < 0.5})
    digits = random.choice([2, 3, 4, 5, 6]) if category.startswith(("right", "neg")) else (
        random.choice([3, 4, 4, 5, 6])
    )  # fmt: skip
    habits = Habits(digits, random.random() < 0.35, random.random() < 0.5, random.random() < 0.4)
    layout = "delta" if category == "negative δ" else random.choice(["full", "full", "short"])
    made = written(net, habits, category, layout, random)
    made.index = index
    return made


def written(net: Network, habits: Habits, category: str, layout: str, random: Random) -> Case:
    person = Person(net, habits, start(net))
    all_lines = lines(net, layout)
    where = slips_at(all_lines, category, random)
    made = Case(net, "", habits, category)
    for k, line in enumerate(all_lines):
        planted = plant(person, line, where[k], random) if k in where else None
        if planted is None:
            person.write(line, line.right(person.state))
        else:
            made.planted.append(planted)
    made.text = "\n".join(person.out) + "\n"
    made.computed = [person.state[line.key] for line in all_lines]
    return made


def slips_at(all_lines: list[Line], category: str, random: Random) -> dict[int, str]:
    """Which lines get a slip, and of which kind: every kind that there is is as likely."""
    found: dict[int, str] = {}
    count = {"one": 1, "two": 2, "pen": 1}.get(category, 0)
    places: dict[str, list[int]] = {}
    for k, line in enumerate(all_lines):
        for kind, _ in line.slips:
            places.setdefault(kind, []).append(k)
        for kind in PEN if category == "pen" else ():
            places.setdefault(kind, []).append(k)
    kinds = sorted(set(PEN) if category == "pen" else places)
    while len(found) < min(count, len(all_lines) // 2):
        kind = random.choice(kinds)
        found.setdefault(random.choice(places[kind]), kind)
    return found


def plant(person: Person, line: Line, kind: str, random: Random) -> Planted | None:
    if kind in PEN:
        return person.slip(line, kind, None, random)
    compute = random.choice([slip for slip in line.slips if slip[0] == kind])
    return person.slip(line, kind, compute, random)
