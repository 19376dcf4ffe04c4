"""What the checker said of the corpus, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from benchmarks.marking.people import Case

GOALS = {"flagged": 0.99, "named": 0.90}


@dataclass
class Said:
    """What was said of one working: the lines called wrong, and the names of their mistakes."""

    wrong: list[int]  # counted from 0, among the lines of the working
    trivial: list[int]  # called wrong because a wrong number before them makes them trivial
    names: dict[int, list[str]]
    other: list[str]  # verdicts that are neither correct nor follows nor wrong
    seconds: float


@dataclass
class Tally:
    """The corpus so far."""

    count: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    slowest: int = 0

    def add(self, case: Case, said: Said) -> None:
        self.count["workings"] += 1
        self.count[case.category] += 1
        self.count["lines"] += case.text.count("\n")
        self.slowest = case.index if said.seconds > max(self.seconds, default=0) else self.slowest
        self.seconds.append(said.seconds)
        if said.other:
            self.count["not judged"] += len(said.other)
            self.fault("not judged", case, said)
        if not case.planted:
            self.count["right workings"] += 1
            self.count["right lines called wrong"] += len(said.wrong)
            if said.wrong:
                self.count["right workings called wrong"] += 1
                self.fault("right called wrong", case, said)
            return
        planted = {slip.line for slip in case.planted}
        extra = [line for line in said.wrong if line not in planted and line not in said.trivial]
        self.count["lines without credit"] += len(set(said.trivial) - planted)
        if extra and all(slip.visible for slip in case.planted):
            self.count["workings with further lines called wrong"] += 1
            self.fault("further lines called wrong", case, said)
        for slip in case.planted:
            self._add_slip(case, said, slip.line, slip.kind, slip.visible, slip.identifiable)

    def _add_slip(
        self, case: Case, said: Said, line: int, kind: str, visible: bool, alone: bool
    ) -> None:
        row = self.kinds.setdefault(kind, Counter())
        row["planted"] += 1
        if not visible:
            row["hidden"] += 1  # it reproduces the right answer, as far as the digits show
            return
        row["visible"] += 1
        if line not in said.wrong:
            self.fault(f"missed {kind!r} in line {line + 1}", case, said)
            return
        row["flagged"] += 1
        if alone:
            row["identifiable"] += 1
            if kind in said.names.get(line, [])[:2]:
                row["named"] += 1
            else:
                self.fault(f"{kind!r} in line {line + 1} not named", case, said)

    def fault(self, what: str, case: Case, said: Said) -> None:
        text = case.text.splitlines()
        shown = [f"    {k + 1:3} {line}" for k, line in enumerate(text)]
        names = {k + 1: v[:4] for k, v in said.names.items()}
        wrong = [k + 1 for k in said.wrong]
        self.faults.append(
            f"{what} (working {case.index})\n{case.habits}\n{case.planted}\n"
            f"wrong: {wrong} {names} {said.other}\n"
            f"{case.net.toml()}\n" + "\n".join(shown)
        )

    def rate(self, over: str, under: str) -> float:
        below = sum(row[under] for row in self.kinds.values())
        return sum(row[over] for row in self.kinds.values()) / below if below else 1.0

    @property
    def reached(self) -> bool:
        return (
            not self.count["right workings called wrong"]
            and self.rate("flagged", "visible") >= GOALS["flagged"]
            and self.rate("named", "identifiable") >= GOALS["named"]
        )

    def __str__(self) -> str:
        counted = self.count
        total = Counter[str]()
        for row in self.kinds.values():
            total.update(row)
        ordered = sorted(self.seconds)
        lines = [
            f"{counted['workings']} workings of {counted['lines']} lines; "
            f"{1000 * ordered[len(ordered) // 2]:.0f} ms each (median), "
            f"{ordered[-1]:.1f} s at most (working {self.slowest})",
            f"right workings: {counted['right workings']}, "
            f"called wrong: {counted['right workings called wrong']} "
            f"({counted['right lines called wrong']} lines)",
            f"planted slips: {total['planted']}, of which {total['hidden']} "
            "reproduce the right number as far as its digits show",
            f"flagged on their line: {total['flagged']} of {total['visible']} "
            f"= {100 * self.rate('flagged', 'visible'):.2f} %",
            f"named among the first two: {total['named']} of {total['identifiable']} identifiable "
            f"= {100 * self.rate('named', 'identifiable'):.2f} %",
            f"workings in which further lines are called wrong: "
            f"{counted['workings with further lines called wrong']}",
            f"lines that earn nothing, after a slip that makes them trivial: "
            f"{counted['lines without credit']}",
            f"lines that could not be judged: {counted['not judged']}",
            "",
            f"{'slip':40} planted hidden flagged identifiable named",
        ]
        for kind in sorted(self.kinds):
            row = self.kinds[kind]
            lines.append(
                f"{kind:40} {row['planted']:7} {row['hidden']:6} {row['flagged']:7} "
                f"{row['identifiable']:12} {row['named']:5}"
            )
        return "\n".join(lines)
