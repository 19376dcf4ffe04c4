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
from collections.abc import Iterator
from functools import cache as remembered
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import numpy as np

from chalkgrad.compiler.native import Layout, Native, Signature, constants_of
from chalkgrad.core.graph import Node
from chalkgrad.machine import cache, jit, threads
from chalkgrad.machine.host import Host, detect, release
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
    constants = constants_of(signature)
    return Native(
        signature, Layout(**json.loads(head)), constants, jit.load(code, [ENTRY]), ENTRY,
        members or threads.default_size(),
    )  # fmt: skip


def compiled(signature: Signature, host: Host, timed: bool = False) -> tuple[bytes, bool]:
    """The program's layout and its machine code, and whether the cache had them."""

    def make() -> bytes:
        head, modules = written(signature, host, timed)
        return b"%d\n" % len(head) + head + jit.compile_modules(modules, host)

    key = repr((_compiler(), host, timed)).encode() + fingerprint(signature)
    return cache.fetch(key, make)


def written(signature: Signature, host: Host, timed: bool) -> tuple[bytes, tuple[str, ...]]:
    """The program's layout as JSON, and its modules in LLVM's language."""
    # Loaded only here: the way from a graph to text is most of the compiler, and importing it takes
    # as long as loading a program from the cache.
    translate = import_module("chalkgrad.compiler.translate")
    made, text = translate.translated(signature, host, timed)
    return json.dumps(translate.layout(signature, made, text)._asdict()).encode(), text.modules


def fingerprint(signature: Signature) -> bytes:
    """What decides the program: equations, shapes, types, and the numbers that are written in."""
    number: dict[Node, int] = {}
    lines: list[object] = []
    for node in signature.arguments:
        number[node] = len(number)
        lines.append((node.shape, node.dtype.str, node in signature.moving))
    for node in constants_of(signature):
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
    return f"{digest.hexdigest()} {release()}"


def _sources() -> Iterator[Path]:
    house = Path(__file__).parent.parent
    yield house / "core" / "index.py"
    for room in ("compiler", "machine", "primitives"):
        yield from sorted((house / room).glob("*.py"))
