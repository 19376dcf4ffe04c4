"""Writing LLVM's language: functions of lines in SSA form, with structured loops.

    f = Function("double_all", ["ptr %x", "i64 %n"])
    with f.loop("0", "%n") as i:
        place = f.let(f"getelementptr float, ptr %x, i64 {i}")
        value = f.let(f"load float, ptr {place}, align 4")
        twice = f.let(f"fadd float {value}, {value}")
        f.do(f"store float {twice}, ptr {place}, align 4")
    print(f.render())

Text is written, and not built from objects, because that takes a tenth of the time. A line may
also go in front of a loop that is open: `let(…, level=0)` writes before the outermost one, level 1
before the second one, and so on; what does not change in a loop is computed once, whatever LLVM can
prove.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

FLOATS = ("float", "double")
_Lines = list[Any]  # of text, and of lists of lines that are still written to


def vector_of(kind: str, lanes: int) -> str:
    """The type of a value."""
    return kind if lanes == 1 else f"<{lanes} x {kind}>"


def literal(value: float | bool, kind: str, lanes: int = 1) -> str:
    """A constant. LLVM takes floating-point numbers as the bits of a double."""
    if kind in FLOATS:
        number = float(value)
        if kind == "float":
            number = _rounded(number)
        text = f"0x{struct.unpack('>Q', struct.pack('>d', number))[0]:016X}"
    elif kind == "i1":
        text = "true" if value else "false"
    else:
        text = str(int(value))
    return text if lanes == 1 else f"splat ({kind} {text})"


def _rounded(number: float) -> float:
    """The nearest float32, as a double; beyond the largest one, infinity."""
    try:
        return float(struct.unpack(">f", struct.pack(">f", number))[0])
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


class Function:
    """One function. Every value is text: `%5`, `0`, `1.0`."""

    def __init__(
        self,
        name: str,
        parameters: Sequence[str] = (),
        *,
        result: str = "void",
        prefix: str = "define internal",
        suffix: str = "nounwind",
    ) -> None:
        self.name, self.parameters, self.result = name, tuple(parameters), result
        self.prefix, self.suffix = prefix, suffix
        self._entry: _Lines = []
        self._lines: _Lines = []
        self._before: list[_Lines] = [self._lines]  # where a line of each level goes
        self._count = 0
        self.block = "entry"  # the label of the block that is written to

    @property
    def level(self) -> int:
        """How many loops are open."""
        return len(self._before) - 1

    def name_of(self, stem: str = "v") -> str:
        """A fresh name, without the leading % of a value."""
        self._count += 1
        return f"{stem}{self._count}"

    def let(self, expression: str, level: int | None = None) -> str:
        """A new value; at a level, before the loops that were opened after it."""
        value = f"%{self.name_of()}"
        self.do(f"{value} = {expression}", level)
        return value

    def do(self, line: str, level: int | None = None) -> None:
        """A line without a value."""
        where = self._before[-1] if level is None else self._before[level]
        where.append(f"  {line}")

    def room(self, kind: str, align: int = 64) -> str:
        """Memory on the stack, for as long as the function runs."""
        value = f"%{self.name_of('room')}"
        self._entry.append(f"  {value} = alloca {kind}, align {align}")
        return value

    @contextmanager
    def loop(self, start: str, stop: str, step: int | str = 1) -> Iterator[str]:
        """Run while the index, from `start` on, is less than `stop`. All are i64."""
        name = self.name_of("L")
        index, following, more = f"%{name}.i", f"%{name}.next", f"%{name}.more"
        outside = self._before[-1]
        hoisted: _Lines = []
        outside.append(hoisted)
        origin = self.block
        outside.append(f"  br label %{name}.head")
        outside.append(f"{name}.head:")
        phi = len(outside)
        outside.append("")  # the index, once it is known where the body ends
        outside.append(f"  {more} = icmp slt i64 {index}, {stop}")
        outside.append(f"  br i1 {more}, label %{name}.body, label %{name}.end")
        outside.append(f"{name}.body:")
        inside: _Lines = []
        outside.append(inside)
        self._before[-1] = hoisted
        self._before.append(inside)
        self.block = f"{name}.body"
        yield index
        self.do(f"{following} = add nsw i64 {index}, {step}")
        self.do(f"br label %{name}.head")
        outside[phi] = f"  {index} = phi i64 [ {start}, %{origin} ], [ {following}, %{self.block} ]"
        self._before.pop()
        after: _Lines = []
        outside.append(f"{name}.end:")
        outside.append(after)
        self._before[-1] = after
        self.block = f"{name}.end"

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Run once if the condition, an i1, holds. Nothing made inside may be used outside."""
        name = self.name_of("W")
        here = self._before[-1]
        here.append(f"  br i1 {condition}, label %{name}.then, label %{name}.end")
        here.append(f"{name}.then:")
        inside: _Lines = []
        here.append(inside)
        self._before[-1] = inside
        self.block = f"{name}.then"
        yield
        self._before[-1].append(f"  br label %{name}.end")
        after: _Lines = []
        here.append(f"{name}.end:")
        here.append(after)
        self._before[-1] = after
        self.block = f"{name}.end"

    def render(self, ending: str = "ret void") -> str:
        """The function's text."""
        head = f"{self.prefix} {self.result} @{self.name}({', '.join(self.parameters)})"
        lines = [f"{head} {self.suffix} {{", "entry:", *self._entry, *_flat(self._lines)]
        return "\n".join([*lines, f"  {ending}", "}"])


def _flat(lines: _Lines) -> Iterator[str]:
    for line in lines:
        if isinstance(line, str):
            yield line
        else:
            yield from _flat(line)
