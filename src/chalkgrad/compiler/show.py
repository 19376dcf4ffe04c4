"""A compiled program as loops to read, beside the equations that they implement, and timed.

kernel 0: 32 × 32, a product over 64, one thread
  %19 = transpose(0.weight)   %20 = matmul(x, %19)   %21 = broadcast(0.bias)
  %22 = add(%20, %21)   %23 = relu(%22)
  for i in 32, j in 32:
    %20[i,j] = Σ_k x[i,k] · 0.weight[j,k]
    %23[i,j] = relu(%20[i,j] + 0.bias[j])   → memory
  because relu (%23) joins matmul (%20): it reads it at the same point
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from chalkgrad.compiler.build import build, translated
from chalkgrad.compiler.host import available, detect
from chalkgrad.compiler.loops import Convolution, Kernel, Product, Scatter, Store
from chalkgrad.compiler.lower import Lowered, NotCompilable
from chalkgrad.compiler.memory import Plan
from chalkgrad.compiler.native import Signature
from chalkgrad.compiler.program import Job, Text
from chalkgrad.core.graph import Array, Graph, Node
from chalkgrad.core.index import Apply, Axis, Const, Read, Reduce, Term
from chalkgrad.transform.simplify import one_state, simplify

_INFIX = {"add": (" + ", 1), "subtract": (" − ", 1), "multiply": (" · ", 2), "divide": (" / ", 2),
          "floor_divide": (" // ", 2), "remainder": (" mod ", 2), "equal": (" = ", 0),
          "not_equal": (" ≠ ", 0), "less": (" < ", 0), "less_equal": (" ≤ ", 0),
          "greater": (" > ", 0), "greater_equal": (" ≥ ", 0), "logical_and": (" and ", 0),
          "logical_or": (" or ", 0)}  # fmt: skip
_FOLDS = {"sum": "Σ", "prod": "Π"}
_WIDTH = 96


@dataclass(frozen=True)
class Kernels:
    """The kernels of a program; `str` is the text, `time` measures each."""

    signature: Signature
    plan: Plan
    text: Text

    def __str__(self) -> str:
        return "\n".join(_program(self.plan, self.text))

    def rows(self) -> list[dict[str, Any]]:
        """Each kernel as data: its name, equations, loops, reasons."""
        names = _Names(self.plan.low)
        return [_row(self.plan, names, number, job) for number, job in enumerate(self.text.jobs)]

    def time(self, arrays: Mapping[Node, Array] | None = None, steps: int = 0) -> Times:
        """Run steps, and measure each kernel.

        `arrays`: the numbers of inputs; those that are missing are drawn at random, and states
        begin from what they hold. `steps`: how many; 0: as many as take a fifth of a second.
        """
        native = build(self.signature, timed=True)
        rng = np.random.default_rng(0)
        given = dict(arrays or {})
        inputs = [given.get(node, _drawn(node, rng)) for node in self.signature.inputs]
        states = [_drawn(n, rng) if n.value is None else n.value for n in self.signature.states]
        native.load(states)
        native.run(inputs)
        began = time.perf_counter()
        native.run(inputs)
        count = steps or max(1, min(100_000, int(0.2 / (time.perf_counter() - began + 1e-9))))
        native.clocks[:] = 0
        began = time.perf_counter()
        native.run(inputs, count)
        each = (time.perf_counter() - began) / count * 1e6
        shares = tuple(each * share for share in native.times())
        return Times(self, each, shares, native.members)


@dataclass(frozen=True)
class Times:
    """Microseconds a step, and of each kernel."""

    kernels: Kernels
    step: float
    each: tuple[float, ...]
    threads: int

    def __str__(self) -> str:
        lines = [f"{self.step:.2f} µs a step, {self.threads} thread{'s'[: self.threads > 1]}"]
        names = _Names(self.kernels.plan.low)
        for number, (job, spent) in enumerate(zip(self.kernels.text.jobs, self.each, strict=True)):
            share = 100 * spent / max(self.step, 1e-12)
            line = f"{spent:10.2f} µs {share:5.1f} %  kernel {number}: {_title(names, job)}"
            flops = _flops(self.kernels.plan.low, job)
            lines.append(line + (f", {flops / spent / 1e3:.0f} GFLOP/s" if flops else ""))
        return "\n".join(lines)


def kernels(graph: Graph) -> Kernels:
    """The program that a graph becomes. Raises NotCompilable where it has no native code."""
    missing = available()
    if missing:
        raise NotCompilable(f"there is no native code here: {missing}")
    same = one_state(graph)
    states = [state for state in graph.states if state.before not in same]
    results = [*graph.outputs, *(state.after for state in states)]
    arguments = [*graph.inputs, *(state.before for state in states)]
    found = simplify(results, arguments, same)
    count = len(graph.outputs)
    signature = Signature(
        graph.inputs, tuple(s.before for s in states), tuple(found[:count]), tuple(found[count:])
    )
    return Kernels(signature, *translated(signature, detect()))


def _drawn(node: Node, rng: np.random.Generator) -> Array:
    if node.dtype.kind != "f":
        return np.zeros(node.shape, node.dtype)
    if not node.shape:  # a setting, such as a rate: any moderate number
        return np.asarray(0.5, node.dtype)
    return rng.normal(size=node.shape).astype(node.dtype)


def _flops(low: Lowered, job: Job) -> float:
    core = job.kernel.core
    if not isinstance(core, Product):
        return 0.0
    return 2.0 * prod(low.extents[axis] for axis in (core.i, core.j, core.k))


# Names.
class _Names:
    """What buffers and axes are called: names of the program's own, else %number and a letter."""

    def __init__(self, low: Lowered) -> None:
        self.low = low
        self.letters: dict[int, str] = {}

    def buffer(self, number: int) -> str:
        return self.low.nodes[number].name or f"%{number}"

    def axis(self, axis: int) -> str:
        if axis not in self.letters:
            letters = "ijklmnopqrstuvw"
            count = len(self.letters)
            self.letters[axis] = letters[count % 15] + "′" * (count // 15)
        return self.letters[axis]

    def term(self, term: Term, binds: int = 0) -> str:
        """A term as a formula, in brackets where it binds less tightly than its place."""
        match term:
            case Const(value):
                return _number(value)
            case Axis(id):
                return "0" if self.low.extents[id] == 1 else self.axis(id)
            case Read(buffer, indices):
                where = ",".join(self.term(i) for i in indices)
                return f"{self.buffer(buffer)}[{where}]" if indices else self.buffer(buffer)
            case Reduce(kind, axes, body):
                runs = ",".join(self.axis(a) for a, _ in axes)
                mark = _FOLDS.get(kind, kind)
                text = f"{mark}_{runs} {self.term(body, 2)}"
                return f"({text})" if binds > 1 else text
            case Apply(function, arguments):
                return self.call(function, arguments, binds)
        return repr(term)

    def call(self, function: str, arguments: Sequence[Term], binds: int) -> str:
        name = function.replace(":", " ")
        if name in ("clamp", "index"):  # what keeps memory safe says nothing to a reader
            return self.term(arguments[0], binds)
        if name == "negative":
            return f"−{self.term(arguments[0], 3)}"
        if name == "square":
            return f"{self.term(arguments[0], 4)}²"
        if name == "select":
            test, then, other = (self.term(a) for a in arguments)
            return f"({then} if {test} else {other})"
        if function not in _INFIX or len(arguments) != 2:
            return f"{name}({', '.join(self.term(a) for a in arguments)})"
        sign, own = _INFIX[function]
        left, right = self.term(arguments[0], own), self.term(arguments[1], own + 1)
        text = f"{left}{sign}{right}"
        return f"({text})" if own < binds else text


def _number(value: Any) -> str:
    return "none" if value is None else f"{value:g}"


# The text.
def _program(made: Plan, text: Text) -> Iterator[str]:
    names = _Names(made.low)
    meetings = f", {text.barriers} meetings of threads a step" if text.barriers else ""
    yield f"{len(text.jobs)} kernels{meetings}; {made.arena} bytes of memory between them"
    for reason in made.reasons:
        yield f"  {reason}"
    for number, job in enumerate(text.jobs):
        yield ""
        yield from _kernel(made, names, number, job)


def _row(made: Plan, names: _Names, number: int, job: Job) -> dict[str, Any]:
    names.letters = {}
    return {
        "kernel": number, "title": _title(names, job), "shared": job.shared,
        "equations": list(_equations(made, names, job.kernel)),
        "loops": list(_loops(made, names, job.kernel)), "because": job.kernel.reasons,
    }  # fmt: skip


def _kernel(made: Plan, names: _Names, number: int, job: Job) -> Iterator[str]:
    row = _row(made, names, number, job)
    who = "shared among threads" if job.shared else "one thread"
    yield f"kernel {number}: {row['title']}, {who}"
    yield from _wrapped(row["equations"])
    for line in row["loops"]:
        yield f"  {line}"
    for reason in job.kernel.reasons:
        yield f"  because {reason}"


def _title(names: _Names, job: Job) -> str:
    kernel = job.kernel
    low = names.low
    shape = " × ".join(str(low.extents[a]) for a in kernel.axes if low.extents[a] != 1) or "1"
    core = kernel.core
    if isinstance(core, Product):
        return f"{shape}, a product over {low.extents[core.k]}"
    if isinstance(core, Convolution):
        return f"{shape}, {'the sum of its parts' if job.sums else core.name.replace('_', ' ')}"
    return f"{shape}, added at places" if isinstance(core, Scatter) else shape


def _wrapped(parts: Sequence[str]) -> Iterator[str]:
    """Equations side by side, as far as a line has room."""
    line = ""
    for part in parts:
        if line and len(line) + len(part) + 5 > _WIDTH:
            yield f"  {line}"
            line = ""
        line = f"{line}   {part}" if line else part
    if line:
        yield f"  {line}"


def _equations(made: Plan, names: _Names, kernel: Kernel) -> Iterator[str]:
    """The graph's equations that a kernel computes, those that vanished into others included."""
    low = made.low
    kept = {buffer for other in made.kernels for buffer in other.defined}
    mine = set(kernel.defined)
    stack = list(mine)
    while stack:
        for source in low.nodes[stack.pop()].inputs:
            number = low.number.get(source, -1)
            if number in low.body and number not in kept and number not in mine:
                mine.add(number)
                stack.append(number)
    for number in sorted(mine & set(low.body)):
        node = low.nodes[number]
        assert node.primitive is not None
        given = ", ".join(_operand(names, source) for source in node.inputs)
        yield f"{names.buffer(number)} = {node.primitive.name}({given})"


def _operand(names: _Names, node: Node) -> str:
    number = names.low.number.get(node)
    single = node.primitive is None and node.value is not None and node.value.size == 1
    if number is None or single:
        return node.name or _number(node.value.item())
    return names.buffer(number)


def _loops(made: Plan, names: _Names, kernel: Kernel) -> Iterator[str]:
    low = made.low
    axes = [axis for axis in kernel.axes if low.extents[axis] != 1]
    for axis in axes:
        names.axis(axis)
    indent = ""
    if axes:
        runs = ", ".join(f"{names.axis(a)} in {low.extents[a]}" for a in axes)
        yield f"for {runs}:"
        indent = "  "
    core = kernel.core
    if isinstance(core, Product):
        k = names.axis(core.k)
        product = f"{names.term(core.a)} · {names.term(core.b)}"
        yield f"{indent}{names.term(core.c)} = Σ_{k} {product}"
    elif isinstance(core, Convolution):
        given = ", ".join(names.buffer(b) for b in core.operands)
        yield f"{indent}{names.buffer(core.buffer)} = {core.name}({given})"
    elif isinstance(core, Scatter):
        target = names.term(Read(core.buffer, core.indices))
        yield f"{indent}{target} += {names.term(core.value)}"
    for store in kernel.stores:
        yield from (f"{indent}{line}" for line in _store(made, names, store))


def _store(made: Plan, names: _Names, store: Store) -> Iterator[str]:
    own = store.value == store.target
    where = ""
    if store.kept:
        home = made.home.get(store.buffer)
        where = "   → memory" if home is None else f"   → in place of {names.buffer(home)}"
    if not own:
        yield f"{names.term(store.target)} = {names.term(store.value)}{where}"
    elif store.kept:
        yield f"{names.term(store.target)}{where}"
