"""From a program's nodes to its text: lowered, fused, given memory, written in LLVM's language."""

from __future__ import annotations

from collections.abc import Sequence

from chalkgrad.compiler import memory
from chalkgrad.compiler.fuse import fuse
from chalkgrad.compiler.lower import lower
from chalkgrad.compiler.memory import Plan
from chalkgrad.compiler.native import OUTSIDE, Layout, Signature, constants_of
from chalkgrad.compiler.program import Text, generate
from chalkgrad.compiler.verify import verify
from chalkgrad.core.errors import NotCompilable
from chalkgrad.core.graph import Node
from chalkgrad.machine.host import Host
from chalkgrad.transform.simplify import equations


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
    constants = [text.slots.get(number.get(node, -1), 0) for node in constants_of(signature)]
    return Layout(
        places(signature.inputs), places(signature.states), outputs, constants,
        [number[node] in made.strides for node in signature.states], OUTSIDE + len(text.slots),
        text.arena, text.scratch, len(text.jobs), text.shared,
    )  # fmt: skip
