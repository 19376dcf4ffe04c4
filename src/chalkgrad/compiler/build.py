"""From a program's nodes to a native function.

    native = build(Signature(inputs, states, outputs, after))
    native.load(arrays)                    the states' values
    outputs = native.run(inputs)           one step; the states have changed in place
    outputs = native.run(inputs, 1000)     a thousand; a moving input has a row for each
    arrays = native.states()               what the states hold by now

What is compiled is kept in the cache under a fingerprint of the graph, of the processor and of the
compiler itself, so that a second process does not even lower it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache as remembered
from hashlib import sha256
from pathlib import Path

import numpy as np

from chalkgrad.compiler import cache, jit, memory, threads
from chalkgrad.compiler.fuse import fuse
from chalkgrad.compiler.host import Host, detect
from chalkgrad.compiler.lower import NotCompilable, lower
from chalkgrad.compiler.memory import Plan
from chalkgrad.compiler.native import OUTSIDE, Layout, Native, Signature
from chalkgrad.compiler.program import Text, generate
from chalkgrad.compiler.verify import verify
from chalkgrad.core.graph import Node
from chalkgrad.transform.simplify import equations

ENTRY = "program"  # the function that is called


def build(
    signature: Signature, *, host: Host | None = None, members: int | None = None,
    timed: bool = False,
) -> Native:  # fmt: skip
    """Compile a program, or find it in the cache; `timed`: with a clock for each kernel."""
    host = host or detect()
    payload, _ = compiled(signature, host, timed)
    length, _, rest = payload.partition(b"\n")
    head, code = rest[: int(length)], rest[int(length) :]
    constants = _constants(signature)
    return Native(
        signature, Layout(**json.loads(head)), constants, jit.load(code, [ENTRY]), ENTRY,
        members or threads.default_size(),
    )  # fmt: skip


def compiled(signature: Signature, host: Host, timed: bool = False) -> tuple[bytes, bool]:
    """The program's layout and its object file, and whether the cache had them."""

    def make() -> bytes:
        made, text = translated(signature, host, timed)
        head = json.dumps(asdict(layout(signature, made, text))).encode()
        return b"%d\n" % len(head) + head + jit.compile_text(text.text, host)

    key = repr((_compiler(), host, timed)).encode() + fingerprint(signature)
    return cache.fetch(key, make)


def translated(signature: Signature, host: Host, timed: bool = False) -> tuple[Plan, Text]:
    """The planned program and its text."""
    arguments, results = signature.arguments, signature.results
    low = lower(arguments, equations(arguments, results))
    for node in results:
        if node not in low.number:
            low.number[node] = len(low.nodes)
            low.nodes.append(node)
    pairs = list(zip(signature.states, signature.after, strict=True))
    if any(new.primitive is None or new in arguments for old, new in pairs if old is not new):
        raise NotCompilable("a state takes over the value of another one")
    changed = {old for old, new in pairs if old is not new}
    if changed & set(signature.outputs):
        raise NotCompilable("the value of a state before its update is a result")
    fused = fuse(low, [low.number[node] for node in results if low.number[node] in low.body])
    states = [(low.number[old], low.number[new]) for old, new in pairs]
    outputs = [low.number[node] for node in signature.outputs if low.number[node] in low.body]
    made = memory.plan(fused, states, outputs)
    verify(made)
    used = {b for k in made.kernels for b in (*made.sources(k), *k.written)}
    roots = {made.root(b) for b in used}
    outside = [b for b in sorted(roots | set(outputs)) if b not in low.body or b in outputs]
    moving = frozenset(low.number[node] for node in signature.moving)
    return made, generate(made, outside, moving, host, timed)


def layout(signature: Signature, made: Plan, text: Text) -> Layout:
    """What running the program has to know of its plan."""
    number = made.low.number

    def places(nodes: Sequence[Node]) -> list[int]:
        return [text.slots.get(number[node], 0) for node in nodes]

    found = zip(signature.outputs, places(signature.outputs), strict=True)
    outputs = [place if number[node] in made.low.body else 0 for node, place in found]
    constants = [text.slots.get(number.get(node, -1), 0) for node in _constants(signature)]
    return Layout(
        places(signature.inputs), places(signature.states), outputs, constants,
        [number[node] in made.strides for node in signature.states], OUTSIDE + len(text.slots),
        text.arena, text.scratch, len(text.jobs), text.shared,
    )  # fmt: skip


def _constants(signature: Signature) -> list[Node]:
    """The arrays that stand in the program, in the order of their first use."""
    given, order = set(signature.arguments), equations(signature.arguments, signature.results)
    leaves = (source for node in order for source in node.inputs)
    return list(dict.fromkeys(n for n in leaves if n.primitive is None and n not in given))


def fingerprint(signature: Signature) -> bytes:
    """What decides the program: equations, shapes, types, and the numbers that are written in."""
    number: dict[Node, int] = {}
    lines: list[object] = []
    for node in signature.arguments:
        number[node] = len(number)
        lines.append((node.shape, node.dtype.str, node in signature.moving))
    for node in _constants(signature):
        number[node] = len(number)
        value = np.asarray(node.value)
        lines.append((node.shape, node.dtype.str, value.tobytes() if value.size == 1 else b""))
    for node in equations(signature.arguments, signature.results):
        number[node] = len(number)
        sources = [number[source] for source in node.inputs]
        assert node.primitive is not None
        name = node.primitive.name, node.primitive.custom  # a person's own one may be an "exp"
        lines.append((name, sources, [*node.params.items()], node.shape, node.dtype.str))
    results = [(number.get(node, -1), node in signature.moving) for node in signature.outputs]
    lines.append((results, [number.get(node, -1) for node in signature.after]))
    return sha256(repr(lines).encode()).digest()


@remembered
def _compiler() -> str:
    """A digest of the texts that decide what is made of a graph."""
    digest = sha256()
    for path in _sources():
        digest.update(path.read_bytes())
    import llvmlite

    return f"{digest.hexdigest()} llvmlite {llvmlite.__version__}"


def _sources() -> Iterator[Path]:
    house = Path(__file__).parent.parent
    yield house / "core" / "index.py"
    for room in ("compiler", "primitives"):
        yield from sorted((house / room).glob("*.py"))
