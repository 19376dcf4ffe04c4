"""A compiled program as loops to read, beside the equations that they implement, and timed.

    kernel 0   %25   [0, 1]
      %21 = transpose(0.weight); %22 = matmul(x, %21); %23 = broadcast(0.bias); …
      32 × 32 elements, each a sum of 64 products; in tiles of 4 × 16
      for i in 0..32, j in 0..32:
        let %22 = Σ[k<64] x[i,k] · 0.weight[j,k]
        %25[i,j] = max(%22 + 0.bias[j], 0)
      because relu %25 joins matmul %22: it reads it at the same point

`let` makes a value that stays in registers; everything else is written to memory. A state's new
value has a prime. Numbers and names are those of `print(graph)`.
"""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chalkgrad.compiler import convolve, gemm
from chalkgrad.compiler.affine import walk
from chalkgrad.compiler.build import build, compiled
from chalkgrad.compiler.loops import Convolution, Kernel, Product, Scatter
from chalkgrad.compiler.lower import Lowered
from chalkgrad.compiler.memory import Plan
from chalkgrad.compiler.native import Signature
from chalkgrad.compiler.nest import Nest
from chalkgrad.compiler.program import SHARED, Job, Text
from chalkgrad.compiler.spelling import Speller
from chalkgrad.compiler.translate import translated
from chalkgrad.core.errors import NotCompilable
from chalkgrad.core.graph import Array, Because, Graph, Node, labels, show_type
from chalkgrad.core.index import Read, Reduce
from chalkgrad.machine.host import Host, available, detect
from chalkgrad.transform.simplify import one_state, simplify

_WIDTH = 100
_LONG = 0.2  # seconds that are measured
_MOST = 100_000  # steps


@dataclass(frozen=True)
class Shown:
    """One kernel in words."""

    number: int
    writes: tuple[str, ...]
    origin: tuple[str, ...]  # the scopes that its equations come from; ∂ for their gradients
    equations: tuple[str, ...]
    how: str  # it is run: how many elements, how many at a time, by whom
    loops: tuple[str, ...]
    reasons: tuple[str, ...]
    shared: bool  # among threads
    meeting: bool  # do threads meet before it?
    jobs: tuple[int, ...]  # the native functions that it consists of
    flops: float  # of a product or a convolution, else 0

    @property
    def title(self) -> str:
        origin = f"   [{', '.join(self.origin)}]" if self.origin else ""
        return f"kernel {self.number}   {', '.join(self.writes)}{origin}"

    def lines(self) -> Iterator[str]:
        """The kernel as text."""
        if self.meeting:
            yield "(threads meet)"
        yield from _wrapped(self.title, "", "    ")
        yield from _listed(self.equations)
        yield from _wrapped(self.how, "  ", "    ")
        for line in self.loops:
            yield from _wrapped(line, "  ", "      ")
        for reason in self.reasons:
            yield from _wrapped(f"because {reason}", "  ", "    ")


@dataclass(frozen=True)
class Compiled:
    """How the machine code came to be."""

    seconds: float
    cached: bool
    code: int  # bytes of its object file

    def __str__(self) -> str:
        how = "taken from the cache" if self.cached else "compiled"
        return f"machine code: {size(self.code)}, {how} in {1e3 * self.seconds:.1f} ms"


@dataclass(frozen=True)
class Kernels:
    """The kernels of a program: `print` them, `time` them, take them as data with `rows`."""

    signature: Signature
    plan: Plan
    text: Text
    host: Host
    called: Mapping[Node, str]
    states: Mapping[int, str]  # names of states by the buffers of their old values
    after: Mapping[int, int]  # from the new value of a state to its old one

    def __str__(self) -> str:
        lines = list(self.head())
        for kernel in self.shown():
            lines += ["", *kernel.lines()]
        return "\n".join(lines)

    def __len__(self) -> int:
        return len(self.plan.kernels)

    def shown(self) -> list[Shown]:
        """Every kernel in words, in the order in which they run."""
        return [_Reader(self, k, kernel).shown() for k, kernel in enumerate(self.plan.kernels)]

    def rows(self) -> list[dict[str, Any]]:
        """Every kernel as data."""
        return [
            {
                "kernel": s.number, "writes": list(s.writes), "origin": list(s.origin),
                "equations": list(s.equations), "how": s.how, "loops": list(s.loops),
                "reasons": list(s.reasons), "shared": s.shared, "threads_meet_before": s.meeting,
                "flops": s.flops,
            }
            for s in self.shown()
        ]  # fmt: skip

    def memory(self) -> dict[str, Any]:
        """The program's memory as data: bytes, and what became of the states."""
        made = self.plan
        changed = [new for new, old in self.after.items() if new != old]
        return {
            "arena": made.arena, "scratch": self.text.scratch, "arrays": len(made.offset),
            "states": len(self.states), "changed": len(changed), "in_place": len(made.home),
            "layouts": [self.plain(reason) for reason in made.reasons],
            "same": [f"{self.name(a)} is {self.name(b)}" for a, b in made.alias.items()],
        }  # fmt: skip

    def head(self) -> Iterator[str]:
        """What is to be said of the program as a whole."""
        facts, meetings = self.memory(), sum(self.text.meetings)
        together = sum(s.shared for s in self.shown())
        yield f"{_count(len(self), 'kernel')} a step, {together or 'none'} shared among threads" + (
            f", which meet {_count(meetings, 'time')}" if meetings else ""
        )
        scratch = f"; {size(facts['scratch'])} for each thread" if facts["scratch"] else ""
        yield (
            f"memory: {size(facts['arena'])} for {_count(facts['arrays'], 'array')} between "
            f"kernels{scratch}"
        )
        if facts["changed"]:
            yield f"in place: {facts['in_place']} of {_count(facts['changed'], 'changing state')}"
        for reason in facts["layouts"]:
            yield from _wrapped(f"layout: {reason}", "", "  ")
        for constant in self._constants():
            yield f"constant: {constant}"
        if facts["same"]:
            yield from _wrapped(f"the same memory: {'; '.join(facts['same'])}", "", "  ")

    def _constants(self) -> Iterator[str]:
        """Arrays that the program reads and that nobody gives it or computes in it."""
        low = self.plan.low
        read = {b for kernel in self.plan.kernels for b in kernel.sources()}
        given = {*self.signature.inputs, *self.signature.states}
        for buffer in sorted(read - set(low.body)):
            node = low.nodes[buffer]
            if node not in given:
                value = np.asarray(node.value)
                same = value.size and bool((value == value.flat[0]).all())
                what = f" = {value.flat[0]:g} throughout" if same else ""
                yield f"{self.name(buffer)}: {show_type(node)}{what}"

    def name(self, buffer: int) -> str:
        """What the graph calls a buffer; the new value of a state has a prime."""
        if buffer in self.after:
            return f"{self.states[self.after[buffer]]}′"
        return self.states.get(buffer) or self.equated(self.plan.low.nodes[buffer])

    def equated(self, node: Node) -> str:
        """What the graph calls a node."""
        single = node.primitive is None and node.value is not None and node.value.size == 1
        given = node in self.signature.inputs or node in self.signature.states
        if single and not given and not node.name:
            return f"{node.value.item():g}"
        return self.called.get(node) or node.name or f"#{node.seq}"

    def plain(self, reason: str) -> str:
        """A sentence of the compiler, with the graph's names for its buffers."""
        low = self.plan.low
        for number in {int(n) for n in re.findall(r"\(%(\d+)\)", reason)}:
            node = low.nodes[number]
            word = node.name or (node.primitive.name if node.primitive else "")
            new = self.name(number) if node.name else f"{word} {self.name(number)}"
            reason = reason.replace(f"{word} (%{number})", new)
        return reason

    def compile(self) -> Compiled:
        """Make the machine code, or take it from the cache."""
        (payload, cached), seconds = _clocked(lambda: compiled(self.signature, self.host))
        head = int(payload.partition(b"\n")[0])
        return Compiled(seconds, cached, len(payload) - head - len(str(head)) - 1)

    def time(self, arrays: Mapping[str, Array] | None = None, steps: int = 0) -> Times:
        """Run steps, and measure each kernel by the processor's clock.

        arrays: numbers of inputs, by name. Missing ones are drawn at random: whole numbers are 0,
            settings such as the learning rate 0.5. States begin from what they hold.
        steps: how many; 0: as many as take a fifth of a second.
        """
        native = build(self.signature, timed=True)
        draw = np.random.default_rng(0)
        given = dict(arrays or {})
        inputs = [given.get(n.name or "", _drawn(n, draw)) for n in self.signature.inputs]
        native.load([_drawn(n, draw) if n.value is None else n.value
                     for n in self.signature.states])  # fmt: skip
        _, once = _clocked(lambda: native.run(inputs))
        _, once = _clocked(lambda: native.run(inputs))
        count = steps or max(1, min(_MOST, int(_LONG / (once + 1e-9))))
        native.clocks[:] = 0
        _, whole = _clocked(lambda: native.run(inputs, count))
        step = whole / count * 1e6
        each = [step * share for share in native.times()]
        shown = tuple(self.shown())
        spent = tuple(sum(each[j] for j in kernel.jobs) for kernel in shown)
        return Times(shown, step, spent, count, native.members)


@dataclass(frozen=True)
class Times:
    """Microseconds of a step and of each of its kernels, with the waiting at its end."""

    kernels: tuple[Shown, ...]
    step: float
    spent: tuple[float, ...]
    steps: int
    threads: int

    def __str__(self) -> str:
        who = _count(self.threads, "thread")
        lines = [f"{self.step:.2f} µs a step, the mean of {_count(self.steps, 'step')} by {who}"]
        for row, kernel in zip(self.rows(), self.kernels, strict=True):
            rate = f"{row['gflops']:6.1f} GFLOP/s" if kernel.flops else " " * 14
            left = f"{row['microseconds']:10.2f} µs {100 * row['share']:5.1f} % {rate}   "
            lines.append(textwrap.shorten(kernel.title, _WIDTH - len(left), placeholder=" …"))
            lines[-1] = left + lines[-1]
        return "\n".join(lines)

    def rows(self) -> list[dict[str, Any]]:
        """Each kernel's time as data."""
        return [
            {
                "kernel": kernel.number, "microseconds": spent,
                "share": spent / self.step if self.step else 0.0,
                "gflops": kernel.flops / spent / 1e3 if spent and kernel.flops else None,
            }
            for kernel, spent in zip(self.kernels, self.spent, strict=True)
        ]  # fmt: skip


def kernels(graph: Graph, host: Host | None = None) -> Kernels:
    """The program that a graph becomes, on this processor or on one that is described.

    Raises NotCompilable where it has no native code.
    """
    if host is None:
        missing = available()
        if missing:
            raise NotCompilable(f"there is no native code here: {missing}")
        host = detect()
    same = one_state(graph)
    states = [state for state in graph.states if state.before not in same]
    states.sort(key=lambda state: state.after is state.before)  # what only is read comes last
    arguments = [*graph.inputs, *(state.before for state in states)]
    results = [*graph.outputs, *(state.after for state in states)]
    names = labels(graph)
    found = simplify([*results, *names], arguments, same)
    count = len(graph.outputs)
    before, after = tuple(s.before for s in states), tuple(found[count : len(results)])
    signature = Signature(graph.inputs, before, tuple(found[:count]), after)
    made, text = translated(signature, host)
    number = made.low.number
    pairs = zip(before, after, strict=True)
    news = {number[new]: number[old] for old, new in pairs if new is not old}
    called: dict[Node, str] = {}
    for node, name in zip(found[len(results) :], names.values(), strict=True):
        called.setdefault(node, name)  # several that are one are called as the first
    last = max((int(name[1:]) for name in called.values() if name[1:].isdigit()), default=0)
    made_new = [n for n in made.low.nodes if n.primitive and n not in called]
    called |= {node: f"%{last + k}" for k, node in enumerate(made_new, 1)}
    old = {number[s.before]: s.name if s.before.name else names[s.before] for s in states}
    return Kernels(signature, made, text, host, called, old, news)


class _Reader:
    """Puts one kernel into words."""

    def __init__(self, program: Kernels, number: int, kernel: Kernel) -> None:
        self.program, self.number, self.kernel = program, number, kernel
        self.low: Lowered = program.plan.low
        self.jobs = [k for k, job in enumerate(program.text.jobs) if job.kernel is kernel]
        kept = {store.buffer for store in kernel.stores if store.kept}
        self.kept = kept | ({kernel.core.buffer} if isinstance(kernel.core, Scatter) else set())
        local = set(kernel.defined) - self.kept
        self.speller = Speller(program.name, self.low.extents, kernel.axes, local)

    def shown(self) -> Shown:
        program, text = self.program, self.program.text
        covered = self._covered()
        return Shown(
            self.number, tuple(program.name(b) for b in sorted(self.kept)), self._origin(covered),
            tuple(self._equations(covered)), self._how(), tuple(self._loops()),
            tuple(_together([program.plain(reason) for reason in self.kernel.reasons])),
            any(text.jobs[k].shared for k in self.jobs), text.meetings[self.jobs[0]],
            tuple(self.jobs), self._flops(),
        )  # fmt: skip

    # Equations.
    def _covered(self) -> list[int]:
        """The buffers whose equations the kernel computes, those put into others included."""
        low, plan = self.low, self.program.plan
        elsewhere = {b for kernel in plan.kernels for b in kernel.defined} | set(plan.alias)
        mine = set(self.kernel.defined) & set(low.body)
        stack = list(mine)
        while stack:
            for source in low.nodes[stack.pop()].inputs:
                number = low.number.get(source, -1)
                if number in low.body and number not in elsewhere and number not in mine:
                    mine.add(number)
                    stack.append(number)
        return sorted(mine)

    def _equations(self, covered: Sequence[int]) -> Iterator[str]:
        program = self.program
        for number in covered:
            node = self.low.nodes[number]
            assert node.primitive is not None
            given = ", ".join(program.equated(source) for source in node.inputs)
            yield f"{program.equated(node)} = {node.primitive.name}({given})"
            if number in program.after:
                yield f"{program.states[program.after[number]]} <- {program.equated(node)}"

    def _origin(self, covered: Sequence[int]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for number in covered:
            node = self.low.nodes[number]
            if node.scope is not None:
                found[str(node.scope)] = None
            elif isinstance(node.because, Because) and node.because.node.scope is not None:
                found[f"∂ {node.because.node.scope}"] = None
        return tuple(found)

    # How it runs.
    def _how(self) -> str:
        jobs = [self.program.text.jobs[k] for k in self.jobs]
        job, core = jobs[0], self.kernel.core
        if isinstance(core, Product):
            what = self._product(job)
        elif isinstance(job.shape, convolve.Convolution):
            what = self._convolution(job.shape, len(jobs) > 1)
        elif isinstance(core, Scatter):
            what = f"{_sizes(self._extents())} additions, one by one and in order"
        else:
            assert isinstance(job.shape, Nest)
            what = self._nest(job.shape)
        return f"{what}; {_whose(jobs)}" if self.program.text.shared else what

    def _extents(self) -> list[int]:
        return [n for axis in self.kernel.axes if (n := self.low.extents[axis]) != 1]

    def _product(self, job: Job) -> str:
        shape = job.shape
        assert isinstance(shape, gemm.Product)
        rows, columns = gemm.tile(shape, self.program.host)
        return (
            f"{_sizes([shape.m, shape.n])} elements, each a sum of {shape.k} products; in tiles of "
            f"{rows} × {columns}"
        )

    def _convolution(self, form: convolve.Convolution, parts: bool) -> str:
        name = form.name.replace("_", " of the ")
        way = "read as it lies" if form.plain else (
            "read in a frame of zeros" if form.from_frame else "copied into columns")  # fmt: skip
        groups = f" in {form.groups} groups" if form.groups > 1 else ""
        added = f"; in {convolve.PARTS} parts, added at the end" if parts else ""
        return (
            f"{name.replace('of the input', 'backward, of the input')}: "
            f"{_count(form.images, 'image')} of {_sizes(form.size)}, {form.into} → {form.out} "
            f"channels{groups}, {_sizes(form.kernel)} window; {way}{added}"
        )

    def _nest(self, shape: Nest) -> str:
        if not shape.axes:
            return "once"
        whole = _sizes(self._extents())
        run = "" if len(shape.extents) == len(self._extents()) else (
            f" in one run of {shape.extents[0]}" if len(shape.extents) == 1
            else f" as {_sizes(shape.extents)}")  # fmt: skip
        folds = any(isinstance(p, Reduce) for s in shape.stores for p in walk(s.value))
        lanes = f"{shape.lanes} at a time" if shape.lanes > 1 else (
            "one after the other" if folds else "one at a time")  # fmt: skip
        return f"{whole} elements{run}, {lanes}"

    def _flops(self) -> float:
        shape = self.program.text.jobs[self.jobs[0]].shape
        if isinstance(shape, gemm.Product):
            return 2.0 * shape.m * shape.n * shape.k
        if isinstance(shape, convolve.Convolution):
            return 2.0 * shape.images * shape.groups * shape.out * shape.depth * shape.places
        return 0.0

    # Loops.
    def _loops(self) -> Iterator[str]:
        wide = [axis for axis in self.kernel.axes if self.low.extents[axis] != 1]
        spell, indent = self.speller, "  " if wide else ""
        if wide:
            runs = (f"{spell.letters[a]} in 0..{self.low.extents[a]}" for a in wide)
            yield f"for {', '.join(runs)}:"
        stores = [s for s in self.kernel.stores if s.value != s.target]
        scatter = self.kernel.core if isinstance(self.kernel.core, Scatter) else None
        spell.share([s.value for s in stores] + ([scatter.value] if scatter else []))
        for line in self._core():
            yield indent + line
        for store in stores:
            for line in spell.parts(store.value):
                yield indent + line
            place = self._in_place(store.buffer) if store.kept else ""
            left = spell.target(store.target, store.kept)
            yield f"{indent}{left} = {spell.write(store.value)}{place}"

    def _core(self) -> Iterator[str]:
        core, spell = self.kernel.core, self.speller
        if isinstance(core, Product):
            place = self._in_place(core.c.argnum)
            yield spell.product(core.c, core.a, core.b, core.k, core.c.argnum in self.kept) + place
        elif isinstance(core, Convolution):
            left = spell.target(self.kernel.stores[0].target, core.buffer in self.kept)
            yield f"{left} = {spell.write(self.low.body[core.buffer])}"
        elif isinstance(core, Scatter):
            yield from spell.parts(core.value)
            left = spell.target(Read(core.buffer, core.indices), kept=True)
            yield f"{left} += {spell.write(core.value)}"

    def _in_place(self, buffer: int) -> str:
        home = self.program.plan.home.get(buffer)
        return "" if home is None else "   (in place)"


def _whose(jobs: Sequence[Job]) -> str:
    if any(job.shared for job in jobs):
        return "shared among threads"
    small = all(job.work < SHARED for job in jobs)
    return f"the first thread alone{'' if small else ': it cannot be divided'}"


def _drawn(node: Node, draw: np.random.Generator) -> Array:
    if node.dtype.kind != "f":
        return np.zeros(node.shape, node.dtype)
    if not node.shape:
        return np.asarray(0.5, node.dtype)
    return draw.normal(size=node.shape).astype(node.dtype)


def _clocked(run: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return run(), time.perf_counter() - began


# Words.
def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _sizes(extents: Sequence[int]) -> str:
    return " × ".join(map(str, extents)) or "1"


def size(number: int) -> str:
    """Bytes in words."""
    return f"{number} bytes" if number < 10_000 else f"{number / 1e3:,.0f} kB"


def _listed(parts: Sequence[str]) -> Iterator[str]:
    """Equations side by side, as far as a line has room."""
    line = ""
    for part in parts:
        if line and len(line) + len(part) + 5 > _WIDTH:
            yield f"  {line};"
            line = ""
        line = f"{line}; {part}" if line else part
    yield from _wrapped(line, "  ", "    ")


def _together(reasons: Sequence[str]) -> Iterator[str]:
    """The compiler's sentences, those that differ in their subject alone as one."""
    subjects: dict[str, list[str]] = {}
    for reason in reasons:
        subject, word, rest = reason.partition(" joins ")
        subjects.setdefault(f"{word}{rest}", []).append(subject)
    for rest, found in subjects.items():
        if found[1:]:
            rest = rest.replace(" joins ", " join ").replace(": it reads it", ": they read it")
        yield f"{', '.join(found)}{rest}"


def _wrapped(text: str, first: str, then: str) -> list[str]:
    """Lines of at most a hundred columns; a line's own indentation stays."""
    own = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(
        text.lstrip(), _WIDTH, initial_indent=first + own, subsequent_indent=then + own,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
