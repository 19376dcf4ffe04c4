"""From terms to LLVM values: loads, arithmetic, and the loops of a reduction.

A value has a level: how many of the open loops it depends on. It is written in front of the others,
and remembered there, so that each term is computed once and as early as it can be. Where a term
depends on the vector axis it is a vector of lanes; what does not stays a scalar until it meets one.

A reduction runs in one of two ways: its running axes as loops around lanes of the kernel's vector
axis, or its own innermost axis in lanes, which are folded at the end. Either way several partial
results run side by side, because an addition takes four clock cycles and two can begin in each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple

from chalkgrad.compiler.affine import (
    Linear,
    bounds,
    children,
    free_axes,
    linear,
    mapped,
    plus,
    walk,
)
from chalkgrad.compiler.native import FAULT
from chalkgrad.core.errors import NotCompilable
from chalkgrad.core.index import Apply, Axis, Const, Read, Reduce, Term
from chalkgrad.machine import functions, vectormath
from chalkgrad.machine.functions import COMPARISONS, LOGIC, Library, Operands
from chalkgrad.machine.text import FLOATS, Function, literal, vector_of

_PARTIAL = 4  # results side by side
_STRIDE = 4  # elements apart: up to this one long load is better than one for each lane
_DEAR = {*vectormath.FUNCTIONS, "bounded_log"}
_UNROLLED = 16  # steps of a reduction that are written out
_ORDER = {"i1": 0, "i32": 1, "i64": 2, "float": 3, "double": 4}
START: dict[str, float] = {"sum": 0, "prod": 1}


class Value(NamedTuple):
    """A value, or (kind None) a number that takes the type of what it meets."""

    text: str
    kind: str | None
    lanes: int
    level: int
    number: float = 0


class Memory(NamedTuple):
    """A buffer where it can be reached: the pointer to its element 0, and that pointer's level."""

    pointer: str
    kind: str
    level: int = 0


@dataclass
class Lanes:
    """The vector axis, its first index, which `step` divides, and how many follow side by side."""

    axis: int
    first: str
    count: int
    level: int
    step: int


class Terms:
    """Writes values of terms into a function. Every read has one index: the place in memory."""

    def __init__(
        self, f: Function, extents: dict[int, int], memory: Mapping[int, Memory],
        library: Library, vector: int,
    ) -> None:  # fmt: skip
        self.f, self.extents, self.memory = f, extents, memory
        self.library, self.vector = library, vector
        self.axes: dict[int, Value] = {}
        self.lanes: Lanes | None = None
        self.known: dict[object, Value] = {}

    # Where things are known.
    @contextmanager
    def scope(self) -> Iterator[None]:
        """What becomes known inside is forgotten afterwards, and no axis stays open."""
        known, axes, lanes = dict(self.known), dict(self.axes), self.lanes
        yield
        self.known, self.axes, self.lanes = known, axes, lanes

    def open(self, axis: int, index: str) -> None:
        """A running axis has this index in the innermost loop."""
        self.axes[axis] = Value(index, "i64", 1, self.f.level)

    def across(self, axis: int, first: str, count: int, step: int = 1) -> None:
        """An axis runs in lanes from here."""
        self.lanes = Lanes(axis, first, count, self.f.level, step) if count > 1 else None
        self.open(axis, first)

    def varies(self, term: Term) -> bool:
        """Does a term differ from lane to lane?"""
        return self.lanes is not None and self.lanes.axis in free_axes(term)

    def bound(self, term: Term) -> bool:
        return all(axis in self.axes or self.extents[axis] == 1 for axis in free_axes(term))

    def prepare(self, terms: Sequence[Term]) -> None:
        """Compute every reduction whose axes are open: a loop cannot move in front of another."""
        for term in terms:
            if isinstance(term, Reduce) and self.bound(term):
                self.emit(term)
            elif not isinstance(term, (Axis, Const)):
                self.prepare(children(term))

    def define(self, read: Read, value: Value) -> None:
        """From here on a read has this value, without a load."""
        self.known[read] = value

    # Values.
    def emit(self, term: Term) -> Value:
        """The value of a term."""
        found = self.known.get(term)
        if found is None:
            found = self._new(term)
            self.known[term] = found
        return found

    def typed(self, term: Term, kind: str) -> Value:
        """The value of a term, whose kind is known; a bare number takes it."""
        return self.of_kind(self.emit(term), kind)

    def of_kind(self, value: Value, kind: str) -> Value:
        if value.kind is None:
            return Value(literal(value.number, kind), kind, 1, 0)
        return value

    def widened(self, value: Value, count: int) -> str:
        """The text of a value in as many lanes."""
        if value.lanes == count:
            return value.text
        kind = value.kind or "i64"
        key = ("lanes", value.text, kind, count)
        if key not in self.known:
            if not value.text.startswith("%"):
                return f"splat ({kind} {value.text})"
            wide, level = vector_of(kind, count), value.level
            one = self.f.let(f"insertelement {wide} poison, {kind} {value.text}, i64 0", level)
            zeros = f"<{count} x i32> zeroinitializer"
            text = self.f.let(f"shufflevector {wide} {one}, {wide} poison, {zeros}", level)
            self.known[key] = Value(text, kind, count, level)
        return self.known[key].text

    def _new(self, term: Term) -> Value:
        match term:
            case Const(value):
                return Value("", None, 1, 0, value)
            case Axis(id):
                return self._axis(id)
            case Read(buffer, (place,)):
                return self.load(self.memory[buffer], linear(place, self.extents))
            case Reduce():
                return self._reduce(term)
            case Apply(function, arguments):
                return self._apply(function, arguments)
        raise NotCompilable(f"no native code for {term!r}")

    def _axis(self, axis: int) -> Value:
        if self.extents[axis] == 1:
            return Value("0", "i64", 1, 0)
        if self.lanes is None or self.lanes.axis != axis:
            return self.axes[axis]
        count, level = self.lanes.count, self.lanes.level
        steps = ", ".join(f"i64 {k}" for k in range(count))
        base = self.widened(self.axes[axis], count)
        return Value(
            self.f.let(f"add <{count} x i64> {base}, <{steps}>", level), "i64", count, level
        )

    # Loads.
    def index(self, place: Linear) -> Value:
        """A place in memory as a scalar; of a vector, that of its first lane."""
        total = Value(str(place.constant), "i64", 1, 0)
        parts = [(self._first(atom), c) for atom, c in place.parts]
        for value, c in sorted(parts, key=lambda part: part[0].level):
            level = max(value.level, total.level)
            text = value.text
            if c != 1:
                text = self._once(f"mul i64 {text}, {c}", value.level)
            if total.text != "0":
                text = self._once(f"add i64 {total.text}, {text}", level)
            total = Value(text, "i64", 1, level)
        return total

    def _first(self, atom: Term) -> Value:
        if isinstance(atom, Axis):
            return self.axes[atom.id] if self.extents[atom.id] != 1 else Value("0", "i64", 1, 0)
        return self._whole(atom)

    def _whole(self, term: Term) -> Value:
        value = self.typed(term, "i64")
        if value.kind == "i64":
            return value
        wide = vector_of("i64", value.lanes)
        text = f"sext {vector_of(value.kind or 'i64', value.lanes)} {value.text} to {wide}"
        return Value(self._once(text, value.level), "i64", value.lanes, value.level)

    def _once(self, expression: str, level: int) -> str:
        """A value, written once at a level."""
        key = ("text", expression)
        if key not in self.known:
            self.known[key] = Value(self.f.let(expression, level), None, 1, level)
        return self.known[key].text

    def load(self, memory: Memory, place: Linear) -> Value:
        """The element, or one for each lane."""
        axis = self.lanes.axis if self.lanes else -1
        if self.lanes is None or all(axis not in free_axes(atom) for atom in place.atoms):
            return self._load_run(memory, self.index(place), 1)
        count = self.lanes.count
        if any(axis in free_axes(atom) for atom in place.atoms if atom != Axis(axis)):
            found = self._repeated(memory, place, self.lanes)
            return found or self._gather(memory, self._places(place), count)
        step, first = place.of(axis), self.index(place)
        if step == 1:
            return self._load_run(memory, first, count)
        if 1 < step <= _STRIDE:
            return self._picked(memory, first, [k * step for k in range(count)])
        places = [
            self._once(f"add i64 {first.text}, {k * step}", first.level) for k in range(count)
        ]
        return self._collect(memory, places, first.level)

    def _repeated(self, memory: Memory, place: Linear, lanes: Lanes) -> Value | None:
        """Each element several times, as where a window's number goes back to all of its places:
        one short load, and its lanes spread out. That is at ⌊(axis + c) / s⌋, if it is known which
        lanes begin a new element."""
        parts = [(a, c) for a, c in place.parts if lanes.axis in free_axes(a)]
        match parts:
            case [(Apply("floor_divide", (inner, Const(int(times)))), 1)]:
                offset = plus(linear(inner, self.extents), Linear(((Axis(lanes.axis), 1),), 0), -1)
            case _:
                return None
        if offset.parts or lanes.step % times or offset.constant < 0:
            return None
        others = Linear(tuple(p for p in place.parts if p not in parts), place.constant)
        whole, begun = divmod(offset.constant, times)
        base = self.index(plus(others, Linear((), whole)))
        first = self._once(f"udiv exact i64 {lanes.first}, {times}", lanes.level)
        level = max(base.level, lanes.level)
        start = Value(self._once(f"add i64 {base.text}, {first}", level), "i64", 1, level)
        picked = [(begun + k) // times for k in range(lanes.count)]
        return self._picked(memory, start, picked)

    def _picked(self, memory: Memory, first: Value, picked: Sequence[int]) -> Value:
        """One long load, or two that meet or overlap, and the lanes picked out of them."""
        long, lanes = picked[-1] + 1, self.vector * 8 // max(functions.BITS[memory.kind], 32)
        if long == 1:
            return self._load_run(memory, first, 1)
        if lanes < long <= 2 * lanes:
            start = Value(self._once(f"add i64 {first.text}, {long - lanes}", first.level),
                          "i64", 1, first.level)  # fmt: skip
            one, two = (self._load_run(memory, at, lanes) for at in (first, start))
            picked = [k if k < lanes else k - long + 2 * lanes for k in picked]
        else:
            one = self._load_run(memory, first, long)
            two = one._replace(text="poison")
        wide, order = vector_of(memory.kind, one.lanes), ", ".join(f"i32 {k}" for k in picked)
        text = (
            f"shufflevector {wide} {one.text}, {wide} {two.text}, <{len(picked)} x i32> <{order}>"
        )
        return Value(self.f.let(text, one.level), memory.kind, len(picked), one.level)

    def address(self, memory: Memory, index: Value) -> str:
        """Where an element is."""
        level = max(index.level, memory.level)
        stored = "i8" if memory.kind == "i1" else memory.kind
        return self._once(f"getelementptr {stored}, ptr {memory.pointer}, i64 {index.text}", level)

    def _load_run(self, memory: Memory, index: Value, count: int) -> Value:
        level = max(index.level, memory.level)
        where = self.address(memory, index)
        stored = "i8" if memory.kind == "i1" else memory.kind
        size = max(functions.BITS[memory.kind] // 8, 1)
        wide = vector_of(stored, count)
        text = self.f.let(f"load {wide}, ptr {where}, align {size}", level)
        if memory.kind == "i1":
            zero = "0" if count == 1 else "zeroinitializer"
            text = self.f.let(f"icmp ne {wide} {text}, {zero}", level)
        return Value(text, memory.kind, count, level)

    def _places(self, place: Linear) -> Value:
        total = Value(str(place.constant), "i64", 1, 0)
        assert self.lanes is not None
        count = self.lanes.count
        wide = f"<{count} x i64>"
        for atom, c in place.parts:
            value = self._whole(atom)
            level = max(value.level, total.level)
            part = self.widened(value, count)
            if c != 1:
                part = self.f.let(f"mul {wide} {part}, splat (i64 {c})", level)
            text = self.f.let(f"add {wide} {self.widened(total, count)}, {part}", level)
            total = Value(text, "i64", count, level)
        return total

    def _gather(self, memory: Memory, places: Value, count: int) -> Value:
        level = places.level
        each = [self.f.let(f"extractelement <{count} x i64> {places.text}, i64 {k}", level)
                for k in range(count)]  # fmt: skip
        return self._collect(memory, each, level)

    def _collect(self, memory: Memory, places: Sequence[str], level: int) -> Value:
        count, text = len(places), "poison"
        for k, place in enumerate(places):
            one = self._load_run(memory, Value(place, "i64", 1, level), 1)
            text = self.f.let(
                f"insertelement {vector_of(memory.kind, count)} {text}, "
                f"{memory.kind} {one.text}, i64 {k}", one.level,
            )  # fmt: skip
        return Value(text, memory.kind, count, max(level, memory.level))

    # Functions.
    def _apply(self, function: str, arguments: Sequence[Term]) -> Value:
        name, _, kind = function.partition(":")
        if name == "cast":
            value = self._narrow(arguments[0]) if kind == "int32" else None
            return value or self.converted(self.emit(arguments[0]), functions.OF_DTYPE[kind])
        if name in ("bits", "uniform"):
            return self._random(kind, arguments)
        if name == "clip":
            return self._clip(arguments)
        values = [self.emit(a) for a in arguments]
        if name in ("clamp", "index"):
            return self._clamp(values, name == "index")
        if name == "select":
            return self._select(values)
        if name == "floor_divide" and self._counts(*arguments):
            o = self.operands([self._whole(a) for a in arguments])
            return Value(o.op("udiv", *o.values), "i64", o.lanes, o.level)
        if name == "divide" and values[1].kind in FLOATS and _uniform(*arguments):
            return self._divided(*values)
        return self._together(name, values)

    def _counts(self, index: Term, divisor: Term) -> bool:
        """Is the quotient one of whole numbers, the first never below 0 and the other above?"""
        if not isinstance(divisor, Const) or self.kind_of(index) != "i64":
            return False
        whole = isinstance(divisor.value, int) and divisor.value > 0
        return whole and bounds(linear(index, self.extents), self.extents)[0] >= 0

    def _narrow(self, index: Term) -> Value | None:
        """An index as numbers of 32 bits: the first lane's, and the steps to the others."""
        place = linear(index, self.extents)
        if (
            self.lanes is None
            or not self.varies(index)
            or not all(isinstance(atom, Axis) for atom in place.atoms)
        ):
            return None
        count, step = self.lanes.count, place.of(self.lanes.axis)
        first = self.index(Linear(place.parts, 0))
        one = Value(
            self._once(f"trunc i64 {first.text} to i32", first.level), "i32", 1, first.level
        )
        steps = ", ".join(f"i32 {place.constant + k * step}" for k in range(count))
        text = f"add <{count} x i32> {self.widened(one, count)}, <{steps}>"
        return Value(self.f.let(text, first.level), "i32", count, first.level)

    def _divided(self, a: Value, b: Value) -> Value:
        """a / b, where b is one number for all elements: two multiplications are a fraction of a
        division. That depends on the term alone, so that every element is computed alike."""
        kind = max(a.kind or "i1", b.kind or "i1", key=_ORDER.__getitem__)
        keys = [("reciprocal", b.text, kind, k) for k in range(2)]
        if keys[0] not in self.known:
            o = self.operands([self.converted(b, kind)])
            for key, text in zip(keys, functions.reciprocal(o), strict=True):
                self.known[key] = Value(text, kind, o.lanes, o.level)
        for key in keys:
            a = self._together("multiply", [a, self.known[key]])
        return a

    def _together(self, name: str, values: Sequence[Value]) -> Value:
        """A function whose operands have one kind."""
        kinds = [v.kind for v in values if v.kind is not None]
        default = "i64" if all(float(v.number).is_integer() for v in values) else "double"
        kind = max(kinds, key=_ORDER.__getitem__, default=default)
        if name in LOGIC or name == "logical_not":
            return self._logic(name, values)
        # A number of another kind beside (an index with a whole literal) keeps the wider one.
        same = [v if v.kind in (None, kind) else self.converted(v, kind) for v in values]
        o = self.operands([self.of_kind(v, kind) for v in same])
        if name in COMPARISONS:
            return Value(o.test(name, *o.values), "i1", o.lanes, o.level)
        return Value(functions.write(name, o), kind, o.lanes, o.level)

    def operands(self, values: Sequence[Value]) -> Operands:
        """Values of one kind, in as many lanes as the widest, at the level of the innermost."""
        count = max(v.lanes for v in values)
        level = max(v.level for v in values)
        texts = tuple([self.widened(v, count) for v in values])
        return Operands(self.f, level, values[0].kind or "i64", count, texts, self.library)

    def _logic(self, name: str, values: Sequence[Value]) -> Value:
        o = self.operands([self.converted(self.of_kind(v, "i1"), "i1") for v in values])
        if name == "logical_not":
            return Value(o.op("xor", o.values[0], o.number(1)), "i1", o.lanes, o.level)
        return Value(o.op(LOGIC[name], *o.values), "i1", o.lanes, o.level)

    def _select(self, values: Sequence[Value]) -> Value:
        condition = self.converted(self.of_kind(values[0], "i1"), "i1")
        kinds = [v.kind for v in values[1:] if v.kind is not None]
        whole = all(float(v.number).is_integer() for v in values[1:])
        kind = max(kinds, key=_ORDER.__getitem__, default="i64" if whole else "double")
        a, b = (self.converted(self.of_kind(v, kind), kind) for v in values[1:])
        count = max(condition.lanes, a.lanes, b.lanes)
        level = max(condition.level, a.level, b.level)
        wide = vector_of(kind, count)
        one, two = self.widened(a, count), self.widened(b, count)
        if condition.lanes == 1:  # one answer for all lanes
            test = f"i1 {condition.text}"
        else:
            test = f"{vector_of('i1', count)} {self.widened(condition, count)}"
        text = self.f.let(f"select {test}, {wide} {one}, {wide} {two}", level)
        return Value(text, kind, count, level)

    def _clip(self, arguments: Sequence[Term]) -> Value:
        value, (low, high) = self.emit(arguments[0]), arguments[1:]
        for name, end in (("maximum", low), ("minimum", high)):
            if isinstance(end, Const) and end.value is not None:
                value = self._together(name, [value, Value("", None, 1, 0, end.value)])
        return value

    def _clamp(self, values: Sequence[Value], data: bool) -> Value:
        value = self._together("maximum", [values[0], values[1]])
        value = self._together("minimum", [value, values[2]])
        if data:  # a datum that had to be moved is a fault; what a guard rules out is none
            self._noted(self._together("not_equal", [values[0], value]))
        return value

    def _noted(self, wrong: Value) -> None:
        """Remember that a condition held in any lane: a store without a branch, for any thread."""
        f, level, text = self.f, wrong.level, wrong.text
        if wrong.lanes > 1:
            bits = f.let(f"bitcast <{wrong.lanes} x i1> {text} to i{wrong.lanes}", level)
            text = f.let(f"icmp ne i{wrong.lanes} {bits}, 0", level)
        slot = self._once(f"getelementptr ptr, ptr %table, i64 {FAULT}", 0)
        fault = self._once(f"load ptr, ptr {slot}, align 8", 0)
        spare = self._once(f"getelementptr i64, ptr {fault}, i64 1", 0)
        where = f.let(f"select i1 {text}, ptr {fault}, ptr {spare}", level)
        f.do(f"store i64 1, ptr {where}, align 8", level)

    def _random(self, kind: str, arguments: Sequence[Term]) -> Value:
        o = self.operands([self._whole(a) for a in arguments])
        bits = functions.squares(o)
        if not kind:
            return Value(o.op("lshr", bits, o.number(1)), "i64", o.lanes, o.level)
        digits = 24 if kind == "float32" else 53
        whole = Value(o.op("lshr", bits, o.number(64 - digits)), "i64", o.lanes, o.level)
        number = self.converted(whole, functions.OF_DTYPE[kind])
        return self._together("multiply", [number, Value("", None, 1, 0, 2.0**-digits)])

    def converted(self, value: Value, kind: str) -> Value:
        """The value in another kind of number."""
        if value.kind is None:
            return self.of_kind(value, kind)
        if value.kind == kind:
            return value
        o = self.operands([value])
        source, target = o.type, vector_of(kind, value.lanes)
        if kind == "i1":
            nonzero = o.test("not_equal", value.text, o.number(0))
            return Value(nonzero, "i1", value.lanes, value.level)
        text = self._conversion(value.kind, kind, value.text, source, target, value.level)
        return Value(text, kind, value.lanes, value.level)

    def _conversion(
        self, old: str, kind: str, text: str, source: str, target: str, level: int
    ) -> str:
        if old in FLOATS and kind in FLOATS:
            word = "fpext" if kind == "double" else "fptrunc"
        elif old in FLOATS:
            lanes = "" if source == old else f"v{source.split()[0][1:]}"
            suffix = f"{lanes}{kind}.{lanes}{'f32' if old == 'float' else 'f64'}"
            name = f"llvm.fptosi.sat.{suffix}"
            self.library.declared.add(f"declare {target} @{name}({source})")
            return self.f.let(f"call {target} @{name}({source} {text})", level)
        elif kind in FLOATS:
            word = "uitofp" if old == "i1" else "sitofp"
        elif old == "i1":
            word = "zext"
        else:
            word = "sext" if kind == "i64" else "trunc"
        return self.f.let(f"{word} {source} {text} to {target}", level)

    # Reductions.
    def _reduce(self, term: Reduce) -> Value:
        runs = [axis for axis, _ in term.axes]
        kind = self.kind_of(term.body)
        if any(n == 0 for _, n in term.axes):
            return Value(literal(START[term.kind], kind), kind, 1, 0)
        if term.kind.startswith("arg"):
            return self._first_best(term, runs[0], kind)
        axis = self._vector_axis(term)
        short = prod(n for _, n in term.axes) <= _UNROLLED
        if short and (axis is None or not _is_dear(term.body)):
            return self._written_out(term, kind)
        if axis is not None:
            return self._folded(term, [a for a in runs if a != axis], axis, kind)
        return self._run(term, runs, kind)

    def kind_of(self, term: Term) -> str:
        """The kind of number that a term is, without writing it."""
        match term:
            case Read(buffer, _):
                known = self.known.get(term)
                return known.kind if known and known.kind else self.memory[buffer].kind
            case Reduce(kind, _, body):
                return "i64" if kind.startswith("arg") else self.kind_of(body)
            case Axis():
                return "i64"
            case Apply(function, arguments):
                return self._kind_of_call(function, arguments)
        return "i64"

    def _kind_of_call(self, function: str, arguments: Sequence[Term]) -> str:
        name, _, kind = function.partition(":")
        if kind:
            return functions.OF_DTYPE[kind]
        if name in COMPARISONS or name in LOGIC or name == "logical_not":
            return "i1"
        parts = arguments[1:] if name == "select" else arguments
        kinds = [self.kind_of(p) for p in parts if not isinstance(p, Const)]
        if not kinds:
            whole = all(float(p.value).is_integer() for p in parts if isinstance(p, Const))
            return "i64" if whole else "double"
        return max(kinds, key=_ORDER.__getitem__)

    def _vector_axis(self, term: Reduce) -> int | None:
        """Which of its own axes runs in lanes, if that is better than the kernel's."""
        if self.varies(term):
            return None
        best, score = None, 0
        reads = [part for part in walk(term.body) if isinstance(part, Read) and part.indices]
        for axis, extent in term.axes:
            steps = [linear(read.indices[0], self.extents) for read in reads]
            even = sum(p.of(axis) == 1 for p in steps)
            odd = sum(any(axis in free_axes(a) for a in p.atoms) for p in steps) - even
            if extent >= 4 and (even > score or not reads) and odd <= even:
                best, score = axis, even
        return best

    def _combined(
        self, kind: str, values: Sequence[str], number: str, lanes: int, level: int | None = None
    ) -> str:
        level = self.f.level if level is None else level
        o = Operands(self.f, level, number, lanes, tuple(values), self.library)
        name = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}[kind]
        return functions.write(name, o)

    def _worth_partials(self, extent: int) -> int:
        return _PARTIAL if extent >= 2 * _PARTIAL else 1

    def _run(self, term: Reduce, runs: list[int], kind: str) -> Value:
        """Loops over the running axes; lanes, if any, are those of the kernel."""
        lanes = self.lanes.count if self.lanes is not None and self.varies(term) else 1
        inner, extent = runs[-1], self.extents[runs[-1]]
        partial = self._worth_partials(extent)
        rooms = [self._room(term, kind, lanes) for _ in range(partial)]

        def step(room: str, index: str) -> None:
            with self.scope():
                self.open(inner, index)
                self._one_more(term, room, kind, lanes)

        self._nested(runs[:-1], term.body, lambda: self._steps(extent, partial, rooms, step))
        text = self._gathered(term, rooms, kind, lanes)
        return Value(text, kind, lanes, self.f.level)

    def _written_out(self, term: Reduce, kind: str) -> Value:
        """A short reduction without a loop: what its steps share is computed once."""
        total: Value | None = None
        for steps in product(*(range(n) for _, n in term.axes)):
            at = {id: Const(k) for (id, _), k in zip(term.axes, steps, strict=True)}
            body = mapped(term.body, lambda part, at=at: _placed(part, at))  # type: ignore[misc]
            value = self.converted(self.typed(body, kind), kind)
            if total is None:
                total = value
                continue
            o = self.operands([total, value])
            text = self._combined(term.kind, o.values, kind, o.lanes, o.level)
            total = Value(text, kind, o.lanes, o.level)
        assert total is not None
        return total

    def _one_more(self, term: Reduce, room: str, kind: str, lanes: int) -> None:
        """Take one more element, or one for each lane, into a partial result."""
        wide = vector_of(kind, lanes)
        self.prepare([term.body])
        value = self.converted(self.typed(term.body, kind), kind)
        held = self.f.let(f"load {wide}, ptr {room}")
        total = self._combined(term.kind, [held, self.widened(value, lanes)], kind, lanes)
        self.f.do(f"store {wide} {total}, ptr {room}")

    def _steps(
        self, extent: int, partial: int, rooms: list[str], step: Callable[[str, str], None]
    ) -> None:
        whole = extent - extent % partial
        with self.scope(), self.f.loop("0", str(whole), partial) as i:
            for k in range(partial):
                index = i if k == 0 else self.f.let(f"add nuw nsw i64 {i}, {k}")
                step(rooms[k], index)
        for k in range(whole, extent):
            step(rooms[k - whole], str(k))

    def _room(self, term: Reduce, kind: str, lanes: int) -> str:
        """Memory for one partial result, holding what changes nothing."""
        number = START.get(term.kind)
        if number == 0 and kind in FLOATS:
            number = -0.0  # which adds nothing even to -0
        if number is None:
            low = float("-inf") if term.kind == "max" else float("inf")
            width = functions.BITS[kind]
            ends = {"i1": (0, 1)}.get(kind, (-(2 ** (width - 1)), 2 ** (width - 1) - 1))
            number = low if kind in FLOATS else ends[term.kind == "min"]
        wide = vector_of(kind, lanes)
        room = self.f.room(wide)
        self.f.do(f"store {wide} {literal(number, kind, lanes)}, ptr {room}")
        return room

    def _gathered(self, term: Reduce, rooms: Sequence[str], kind: str, lanes: int) -> str:
        """Partial results as one: neighbours first."""
        wide = vector_of(kind, lanes)
        held = [self.f.let(f"load {wide}, ptr {room}") for room in rooms]
        while len(held) > 1:
            pairs = [self._combined(term.kind, held[k : k + 2], kind, lanes)
                     for k in range(0, len(held) - 1, 2)]  # fmt: skip
            held = pairs + held[len(pairs) * 2 :]
        return held[0]

    def _nested(self, axes: list[int], body: Term, inside: Callable[[], None]) -> None:
        """Loops over axes, around what `inside` writes."""
        self.prepare([body])
        if not axes:
            inside()
            return
        with self.scope(), self.f.loop("0", str(self.extents[axes[0]])) as i:
            self.open(axes[0], i)
            self._nested(axes[1:], body, inside)

    def _folded(self, term: Reduce, outer: list[int], axis: int, kind: str) -> Value:
        """The innermost axis in lanes, folded at the end."""
        extent = self.extents[axis]
        width = max(self.vector * 8 // max(functions.BITS[kind], 32), 1)
        width = min(width, extent)
        whole = extent // width
        partial = _PARTIAL if whole >= _PARTIAL else 1
        rooms = [self._room(term, kind, width) for _ in range(partial)]
        rest = extent % width
        spare = self._room(term, kind, rest) if rest else ""

        def step(room: str, first: str, count: int) -> None:
            with self.scope():
                self.across(axis, first, count)
                self._one_more(term, room, kind, count)

        def inside() -> None:
            blocks = whole - whole % partial
            with self.scope(), self.f.loop("0", str(blocks * width), partial * width) as i:
                for k in range(partial):
                    first = i if k == 0 else self.f.let(f"add nuw nsw i64 {i}, {k * width}")
                    step(rooms[k], first, width)
            for k in range(blocks, whole):
                step(rooms[k - blocks], str(k * width), width)
            if rest:
                step(spare, str(whole * width), rest)

        with self.scope():
            self.lanes = None
            self._nested(outer, term.body, inside)
        total = self._across(term.kind, self._gathered(term, rooms, kind, width), kind, width)
        if rest:
            wide = vector_of(kind, rest)
            last = self._across(term.kind, self.f.let(f"load {wide}, ptr {spare}"), kind, rest)
            total = self._combined(term.kind, [total, last], kind, 1)
        return Value(total, kind, 1, self.f.level)

    def _across(self, fold: str, text: str, kind: str, lanes: int) -> str:
        """One number from all lanes: halves together, until one is left."""
        odd: list[str] = []
        while lanes > 1:
            if lanes % 2:
                lanes -= 1
                wide = vector_of(kind, lanes + 1)
                odd.append(self.f.let(f"extractelement {wide} {text}, i64 {lanes}"))
                kept = ", ".join(f"i32 {k}" for k in range(lanes))
                text = self.f.let(
                    f"shufflevector {wide} {text}, {wide} poison, <{lanes} x i32> <{kept}>"
                )
            wide, half = vector_of(kind, lanes), lanes // 2
            parts = []
            for start in (0, half):
                picked = ", ".join(f"i32 {k}" for k in range(start, start + half))
                parts.append(self.f.let(
                    f"shufflevector {wide} {text}, {wide} poison, <{half} x i32> <{picked}>"
                ))  # fmt: skip
            lanes = half
            if half == 1:
                parts = [self.f.let(f"extractelement <1 x {kind}> {p}, i64 0") for p in parts]
            text = self._combined(fold, parts, kind, half)
        for one in odd:
            text = self._combined(fold, [text, one], kind, 1)
        return text

    def _first_best(self, term: Reduce, axis: int, kind: str) -> Value:
        """argmax or argmin: the first of the best, and a NaN before all."""
        lanes = self.lanes.count if self.lanes is not None and self.varies(term) else 1
        wide, places = vector_of(kind, lanes), vector_of("i64", lanes)
        best, place = self.f.room(wide), self.f.room(places)
        self.f.do(f"store {places} {literal(-1, 'i64', lanes)}, ptr {place}")
        self.f.do(f"store {wide} {literal(0, kind, lanes)}, ptr {best}")
        self.prepare([term.body])
        with self.scope(), self.f.loop("0", str(self.extents[axis])) as i:
            if self.lanes is not None and not self.varies(term):
                self.lanes = None
            self.open(axis, i)
            self.prepare([term.body])
            value = self.widened(self.converted(self.typed(term.body, kind), kind), lanes)
            held = self.f.let(f"load {wide}, ptr {best}")
            at = self.f.let(f"load {places}, ptr {place}")
            o = Operands(self.f, self.f.level, kind, lanes, (), self.library)
            wins = o.test("greater" if term.kind == "argmax" else "less", value, held)
            test = vector_of("i1", lanes)
            if kind in FLOATS:
                fresh = o.let(
                    f"xor {test} {o.op('fcmp uno', held, held)}, {literal(True, 'i1', lanes)}"
                )
                nan = o.let(f"and {test} {o.op('fcmp uno', value, value)}, {fresh}")
                wins = o.let(f"or {test} {wins}, {nan}")
            none = o.let(f"icmp slt {places} {at}, {literal(0, 'i64', lanes)}")
            wins = o.let(f"or {test} {wins}, {none}")
            self.f.do(f"store {wide} {o.choose(wins, value, held)}, ptr {best}")
            here = self.widened(Value(i, "i64", 1, self.f.level), lanes)
            chosen = self.f.let(f"select {test} {wins}, {places} {here}, {places} {at}")
            self.f.do(f"store {places} {chosen}, ptr {place}")
        return Value(self.f.let(f"load {places}, ptr {place}"), "i64", lanes, self.f.level)


def _is_dear(term: Term) -> bool:
    """Does it take an elementary function, so that lanes are worth their sum at the end?"""
    return any(isinstance(p, Apply) and p.function in _DEAR for p in walk(term))


def _placed(part: Term, at: Mapping[int, Const]) -> Term | None:
    return at.get(part.id) if isinstance(part, Axis) else None


def _uniform(term: Term, other: Term) -> bool:
    """Is the other one a single number for all elements of a term?"""
    return bool(free_axes(term)) and not free_axes(other)
