"""A whole program as LLVM text: one function a kernel, and one that runs the steps, in a module or
two.

    program(table, member, members, barrier)

is entered by every thread of a team at once. `table` holds pointers: the number of steps, the
arena, the threads' scratch, then one for each buffer that comes from outside. A buffer that has
another part for each step (the records' order in, the losses out) moves on by its size. Between two
kernels, threads meet at a barrier if one writes what the other one touches, unless both are so
small that the first thread does them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chalkgrad.compiler import convolve, gemm, nest
from chalkgrad.compiler.fuse import cost
from chalkgrad.compiler.loops import Convolution, Kernel, Product, Scatter, Store
from chalkgrad.compiler.memory import ALIGN, Plan
from chalkgrad.compiler.native import ARENA, CLOCKS, OUTSIDE, SCRATCH, STEPS
from chalkgrad.compiler.nest import Nest
from chalkgrad.compiler.terms import Memory, Terms, Value
from chalkgrad.core.index import Read
from chalkgrad.machine import functions, threads, vectormath
from chalkgrad.machine.functions import Library
from chalkgrad.machine.host import Host
from chalkgrad.machine.text import Function, vector_of

_MEMCPY = "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1 immarg)"
_LITTLE = 4  # additions behind a product
_LARGE = 50_000  # characters of kernels, of which LLVM compiles about a thousand in a millisecond
SHARED = 30_000  # additions from which a kernel is shared among threads


class Job(NamedTuple):
    """A kernel and how it is run."""

    kernel: Kernel
    name: str
    units: int  # pieces that threads can share
    scratch: int  # bytes of each thread
    work: float  # in additions
    shape: Nest | gemm.Product | convolve.Convolution | None
    sums: bool = False  # the second half of a weight's gradient: the sum of its parts

    @property
    def shared(self) -> bool:
        return self.work >= SHARED and self.units > 1


@dataclass
class Text:
    """The program's text and what running it needs."""

    modules: tuple[str, ...]  # one, or two that are compiled at once
    jobs: list[Job]
    slots: dict[int, int]  # of the buffers that come from outside
    arena: int
    scratch: int  # bytes of each thread
    moving: frozenset[int]
    meetings: tuple[bool, ...]  # of threads: before each job, and at the end of a step
    name: str = field(default="program")

    @property
    def shared(self) -> bool:
        """Is there anything that a second thread could do?"""
        return any(job.shared for job in self.jobs)


def generate(
    made: Plan, outside: Sequence[int], moving: frozenset[int], host: Host, timed: bool = False
) -> Text:
    """The text of a planned program. `outside`: buffers whose memory is given; `moving`: those of
    which each step has a part of its own; `timed`: with a clock for each kernel."""
    library = Library(host.fma)
    slots = {buffer: OUTSIDE + k for k, buffer in enumerate(outside)}
    jobs = [job for k, kernel in enumerate(made.kernels) for job in _jobs(made, kernel, k, host)]
    scratch = max([job.scratch for job in jobs], default=0)
    scratch = -(-scratch // ALIGN) * ALIGN
    writer = _Writer(made, host, library, slots, moving)
    bodies = [writer.kernel(job) for job in jobs]
    meetings = _meetings(made, jobs)
    steps = [threads.barrier_text(host.triple), _steps(jobs, meetings, scratch, timed)]
    if timed:
        library.declared.add("declare i64 @llvm.readcyclecounter()")
    modules = _modules(library, dict(zip((job.name for job in jobs), bodies, strict=True)), steps)
    return Text(modules, jobs, slots, made.arena, scratch, moving, tuple(meetings))


def _modules(library: Library, kernels: dict[str, str], steps: Sequence[str]) -> tuple[str, ...]:
    """The text in one module, or in two of like size, if that is worth a second thread."""
    first, other = list(kernels), list[str]()
    if sum(map(len, kernels.values())) > _LARGE:
        first, other = _halves({name: len(text) for name, text in kernels.items()})
    called = [f"declare hidden void @{name}(ptr, i64, i64, i64, ptr)" for name in other]
    texts = [[*called, *(kernels[name] for name in first), *steps]]
    if other:
        texts.append([kernels[name] for name in other])
    common, made = library.text(), []
    for parts in texts:
        text = "\n".join([*common, *parts, "!0 = !{}"])
        made.append("\n".join([*vectormath.declarations(text), text]))
    return tuple(made)


def _halves(sizes: dict[str, int]) -> tuple[list[str], list[str]]:
    """Names in two groups of about the same size."""
    groups: tuple[list[str], list[str]] = [], []
    totals = [0, 0]
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        k = int(totals[1] < totals[0])
        groups[k].append(name)
        totals[k] += sizes[name]
    return groups


def _jobs(made: Plan, kernel: Kernel, number: int, host: Host) -> list[Job]:
    name, core = f"kernel{number}", kernel.core
    if not isinstance(core, Convolution):
        return [_job(made, kernel, name, host)]
    form = convolve.of(core.node)
    size, effort = convolve.scratch(form, host), convolve.work(form)
    jobs = [Job(kernel, name, convolve.units(form), size, effort, form)]
    if convolve.shared_scratch(form):
        made.parts[core.buffer] = made.arena
        made.arena += -(-convolve.shared_scratch(form) // ALIGN) * ALIGN
        channels = form.groups * form.out
        effort = 2.0 * convolve.PARTS * channels * form.depth
        jobs.append(Job(kernel, f"{name}b", channels, 0, effort, form, sums=True))
    return jobs


def _job(made: Plan, kernel: Kernel, name: str, host: Host) -> Job:
    core = kernel.core
    if isinstance(core, Product):
        turned = _oriented(made, kernel, core)
        kernel.core = turned
        shape = _gemm(made, turned)
        flops = 2.0 * shape.m * shape.n * shape.k / 8
        return Job(kernel, name, gemm.units(shape, host), gemm.scratch(shape, host), flops, shape)
    if isinstance(core, Scatter):
        outer, _ = nest.scatter_axes(made, kernel)
        units = made.low.extents[outer] if outer is not None else 1
        work = 4.0 * made.low.size(core.buffer)
        return Job(kernel, name, units, 0, work, None)
    loops = nest.nest(made, kernel, host.vector)
    return Job(kernel, name, loops.units, 0, loops.work, loops)


# Products.
def _oriented(made: Plan, kernel: Kernel, core: Product) -> Product:
    """Which operand gives the rows, and which the vectors: contiguous ones, if possible."""
    other = Product(core.c, core.b, core.a, core.j, core.i, core.k)

    def score(option: Product) -> int:
        stores = [made.place(s.target).of(option.j) == 1 for s in kernel.stores if s.kept]
        return 2 * (made.place(option.b).of(option.j) == 1) + sum(stores)

    return other if score(other) > score(core) else core


def _gemm(made: Plan, core: Product) -> gemm.Product:
    extents = made.low.extents
    a, b = made.place(core.a), made.place(core.b)
    kind = functions.OF_DTYPE[made.low.nodes[core.c.argnum].dtype.name]
    return gemm.Product(
        kind, extents[core.i], extents[core.j], extents[core.k],
        (a.of(core.i), a.of(core.k)), (b.of(core.k), b.of(core.j)),
    )  # fmt: skip


class _Writer:
    """Writes kernels as functions (table, step, first unit, last unit, scratch)."""

    def __init__(
        self, made: Plan, host: Host, library: Library, slots: dict[int, int],
        moving: frozenset[int],
    ) -> None:  # fmt: skip
        self.made, self.host, self.library = made, host, library
        self.slots, self.moving = slots, moving

    def kernel(self, job: Job) -> str:
        parameters = ["ptr %table", "i64 %step", "i64 %first", "i64 %last", "ptr %scratch"]
        f = Function(job.name, parameters, prefix="define hidden")
        memory = self._memory(f, job.kernel)
        terms = Terms(f, self.made.low.extents, memory, self.library, self.host.vector)
        core = job.kernel.core
        if isinstance(core, Product):
            assert isinstance(job.shape, gemm.Product)
            self._product(terms, job.kernel, core, job.shape)
        elif isinstance(core, Convolution):
            self._convolution(terms, job, core)
        elif isinstance(core, Scatter):
            nest.scatter(terms, self.made, job.kernel, "%first", "%last")
        else:
            assert isinstance(job.shape, Nest)
            whole = not job.shared
            first, last = ("0", str(job.units)) if whole else ("%first", "%last")
            nest.write(terms, job.shape, first, last)
        return f.render()

    def _memory(self, f: Function, kernel: Kernel) -> dict[int, Memory]:
        """A pointer to each buffer that the kernel touches."""
        found: dict[int, Memory] = {}
        made = self.made
        for buffer in sorted(kernel.sources() | set(kernel.defined)):
            root = made.root(buffer)
            kind = functions.OF_DTYPE[made.low.nodes[buffer].dtype.name]
            if root in self.slots:
                pointer = self._outside(f, root)
            elif root in made.offset:
                arena = _entry(f, ARENA)
                pointer = f.let(f"getelementptr i8, ptr {arena}, i64 {made.offset[root]}")
            else:
                pointer = "poison"  # it lives in registers alone
            found[buffer] = Memory(pointer, kind)
        return found

    def _outside(self, f: Function, buffer: int) -> str:
        pointer = _entry(f, self.slots[buffer])
        if buffer not in self.moving:
            return pointer
        gone = f.let(f"mul i64 %step, {self.made.bytes(buffer)}")
        return f.let(f"getelementptr i8, ptr {pointer}, i64 {gone}")

    def _pointer(self, terms: Terms, read: Read) -> str:
        """The first element that an operand's strides start from."""
        memory = terms.memory[read.argnum]
        offset = self.made.place(read).constant
        if not offset:
            return memory.pointer
        return terms.f.let(f"getelementptr {memory.kind}, ptr {memory.pointer}, i64 {offset}")

    def _product(self, terms: Terms, kernel: Kernel, core: Product, shape: gemm.Product) -> None:
        c, stores = self._flat(kernel, core.c)
        a, b = self._pointer(terms, core.a), self._pointer(terms, core.b)

        def epilogue(f: Function, tile: gemm.Tile) -> None:
            self._tile(terms, tile, core.i, core.j, c, stores, shape.kind)

        self.library.declared.add(_MEMCPY)
        gemm.emit(terms.f, shape, self.host, a, b, "%scratch", "%first", "%last", epilogue)

    def _flat(self, kernel: Kernel, c: Read) -> tuple[Read, list[Store]]:
        made = self.made
        flat = made.flattened(c)
        assert isinstance(flat, Read)
        stores = []
        for s in kernel.stores:
            target = made.flattened(s.target)
            assert isinstance(target, Read)
            stores.append(Store(s.buffer, target.indices, made.flattened(s.value), s.kept))
        return flat, stores

    def _tile(
        self, terms: Terms, tile: gemm.Tile, row: int, column: int, c: Read,
        stores: Sequence[Store], kind: str,
    ) -> None:  # fmt: skip
        """What follows a product: the stores, on one finished tile of it. Where they are little
        more than that, all rows are written out, so that the tile need not leave its registers."""
        f, size = terms.f, functions.BITS[kind] // 8
        width = min(self.host.vector // size, tile.columns)

        def one(r: str) -> None:
            if terms.extents[row] != 1:
                terms.open(row, f.let(f"add nsw i64 {tile.row}, {r}"))
            terms.prepare([store.value for store in stores])
            start = gemm.scaled(f, r, tile.stride)
            first = f.let(f"getelementptr {kind}, ptr {tile.pointer}, i64 {start}")
            for begin in range(0, tile.columns, width):
                count = min(width, tile.columns - begin)
                with terms.scope():
                    terms.across(column, f.let(f"add nsw i64 {tile.column}, {begin}"), count)
                    where = f.let(f"getelementptr {kind}, ptr {first}, i64 {begin}")
                    text = f.let(f"load {vector_of(kind, count)}, ptr {where}, align {size}")
                    terms.define(c, Value(text, kind, count, f.level))
                    nest.points_at(terms, stores)

        if sum(cost(store.value) for store in stores) <= _LITTLE:
            for n in range(tile.rows):
                with terms.scope():
                    one(str(n))
        else:
            with terms.scope(), f.loop("0", str(tile.rows)) as r:
                one(r)

    def _convolution(self, terms: Terms, job: Job, core: Convolution) -> None:
        form, f = job.shape, terms.f
        assert isinstance(form, convolve.Convolution)
        first, second = (terms.memory[operand].pointer for operand in core.operands)
        out = terms.memory[core.buffer].pointer
        self.library.declared |= {_MEMCPY, nest.MEMSET}
        if form.name == "convolution_weight":
            arena = _entry(f, ARENA)
            parts = f.let(f"getelementptr i8, ptr {arena}, i64 {self.made.parts[core.buffer]}")
            if job.sums:
                convolve.emit_sum(f, form, parts, out, "%first", "%last")
            else:
                convolve.emit_weight(
                    f, form, self.host, first, second, parts, "%scratch", "%first", "%last"
                )
            return
        image: list[str] = []
        epilogue = self._after_convolution(terms, job.kernel, core, form, image)
        convolve.emit(
            f, form, self.host, first, second, out, "%scratch", "%first", "%last", epilogue, image
        )

    def _after_convolution(
        self, terms: Terms, kernel: Kernel, core: Convolution, form: convolve.Convolution,
        image: list[str],
    ) -> gemm.Epilogue:  # fmt: skip
        """What follows a convolution, on tiles of channels × places of one image."""
        low = self.made.low
        c, stores = self._flat(kernel, Read(core.buffer, kernel.stores[0].indices))
        axes = [axis for axis in kernel.axes[2:] if low.extents[axis] != 1]
        whole = [Store(core.buffer, c.indices, c), *stores]
        axes, whole = nest.merged(low, axes, whole)
        place = axes[0] if axes else low.fresh(1)
        c, stores = whole[0].target, whole[1:]

        def epilogue(f: Function, tile: gemm.Tile) -> None:
            n, group = image
            with terms.scope():
                if low.extents[kernel.axes[0]] != 1:
                    terms.open(kernel.axes[0], n)
                before = f.let(f"mul nsw i64 {group}, {form.out}")
                row = f.let(f"add nsw i64 {before}, {tile.row}")
                shifted = tile._replace(row=row)
                self._tile(terms, shifted, kernel.axes[1], place, c, stores, form.kind)

        return epilogue


def _tick(f: Function, kernel: int, alone: str) -> None:
    """Add the clock to a kernel's counter: the sum over steps of the times at which it began."""
    clocks = _entry(f, CLOCKS)
    with f.when(alone):
        now = f.let("call i64 @llvm.readcyclecounter()")
        place = f.let(f"getelementptr i64, ptr {clocks}, i64 {kernel}")
        held = f.let(f"load i64, ptr {place}")
        f.do(f"store i64 {f.let(f'add i64 {held}, {now}')}, ptr {place}")


def _entry(f: Function, slot: int, kind: str = "ptr") -> str:
    """What stands in the table."""
    where = f.let(f"getelementptr ptr, ptr %table, i64 {slot}")
    return f.let(f"load {kind}, ptr {where}, align 8, !invariant.load !0")


# The steps.
def _meetings(made: Plan, jobs: Sequence[Job]) -> list[bool]:
    """Before which kernels threads must meet; one more for the end of a step."""
    found: list[bool] = []
    read: set[object] = set()
    written: set[object] = set()
    parallel = False  # has anything been shared since threads met?
    for job in jobs:
        mine_read, mine_written = _spans(made, job)
        clash = _overlap(mine_read, written) or _overlap(mine_written, written | read)
        meet = clash and (parallel or job.shared)
        if meet:
            read, written, parallel = set(), set(), False
        found.append(meet)
        read |= mine_read
        written |= mine_written
        parallel |= job.shared
    return [*found, parallel or any(found)]


def _spans(made: Plan, job: Job) -> tuple[set[object], set[object]]:
    """Memory read and written: a buffer from outside by number, the arena by its bytes."""

    def span(root: int) -> object:
        start = made.offset.get(root)
        return root if start is None else (start, start + max(made.bytes(root), 1))

    reads, writes = made.touched(job.kernel)
    core = job.kernel.core
    if isinstance(core, Convolution) and core.buffer in made.parts:
        assert isinstance(job.shape, convolve.Convolution)
        start = made.parts[core.buffer]
        parts = {(start, start + convolve.shared_scratch(job.shape))}
        if job.sums:
            return set(parts), {span(b) for b in writes}
        return {span(b) for b in reads}, set(parts)
    return {span(b) for b in reads}, {span(b) for b in writes}


def _overlap(one: set[object], other: set[object]) -> bool:
    for a in one:
        for b in other:
            if isinstance(a, tuple) and isinstance(b, tuple):
                if a[0] < b[1] and b[0] < a[1]:
                    return True
            elif a == b:
                return True
    return False


def _steps(jobs: Sequence[Job], meetings: Sequence[bool], scratch: int, timed: bool) -> str:
    parameters = ["ptr %table", "i64 %member", "i64 %members", "ptr %barrier"]
    f = Function("program", parameters, prefix="define")
    steps = _entry(f, STEPS, "i64")
    base = _entry(f, SCRATCH)
    offset = f.let(f"mul i64 %member, {scratch}")
    mine = f.let(f"getelementptr i8, ptr {base}, i64 {offset}")
    alone = f.let("icmp eq i64 %member, 0")
    with f.loop("0", steps) as step:
        for k, (job, meet) in enumerate(zip(jobs, meetings[:-1], strict=True)):
            if meet:
                f.do("call void @cg.barrier(ptr %barrier, i64 %members)")
            if timed:
                _tick(f, k, alone)
            given = f"ptr %table, i64 {step}, i64 {{}}, i64 {{}}, ptr {mine}"
            if not job.shared:
                with f.when(alone):
                    f.do(f"call void @{job.name}({given.format(0, job.units)})")
                continue
            first = f.let(f"mul i64 %member, {job.units}")
            first = f.let(f"udiv i64 {first}, %members")
            after = f.let("add i64 %member, 1")
            last = f.let(f"mul i64 {after}, {job.units}")
            last = f.let(f"udiv i64 {last}, %members")
            f.do(f"call void @{job.name}({given.format(first, last)})")
        if meetings[-1]:
            f.do("call void @cg.barrier(ptr %barrier, i64 %members)")
        if timed:
            _tick(f, len(jobs), alone)
    return f.render()
