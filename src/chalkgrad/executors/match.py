"""Recognising a forward graph: has this root the structure of a plan that is compiled already?

The answer is one straight-line function, made with the plan. It goes down from the root by the
inputs that the plan has, compares each node on the way, and hands out what the plan reads:

    def program(n0, retain):
        if n0.primitive is not p0: return None
        n1, n2 = n0.inputs
        ...
        return (n1.value, n5.value), (n7.owner, n9.owner)

It answers None where anything differs; then the graph is walked and looked up by its structure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any

from chalkgrad.core.graph import LITERAL, Array, Node
from chalkgrad.executors.numpy import define

Found = tuple[tuple[Array, ...], tuple[Any, ...]]  # the values that are read, the gradients' owners
Match = Callable[[Node, bool], Found | None]


def matcher(
    nodes: Sequence[Node], reads: Sequence[int], rules: Collection[int], targets: Collection[int]
) -> Match:
    """The function that recognises these nodes, root first, each after the one that uses it.

    `reads` are the nodes whose values are handed out, `rules` those that may not be spent, and
    `targets` exactly those whose gradient some tensor receives.
    """
    place = {node: k for k, node in enumerate(nodes)}
    names: dict[str, Any] = {"LITERAL": LITERAL}
    lines = ["def program(n0, retain):"]
    seen = {nodes[0]}
    for k, node in enumerate(nodes):
        tests = _tests(node, k, names, k in rules, k in targets)
        lines.append(f"    if {' or '.join(tests)}: return None")
        if not _followed(node):
            continue
        given = [f"n{place[i]}" if i not in seen else f"t{j}" for j, i in enumerate(node.inputs)]
        lines.append(f"    {', '.join(given)}, = n{k}.inputs")
        again = [
            f"t{j} is not n{place[i]}" for j, i in enumerate(node.inputs) if given[j] == f"t{j}"
        ]
        if again:
            lines.append(f"    if {' or '.join(again)}: return None")
        seen.update(node.inputs)
    lines += _apart(nodes)
    spent = [f"n{k}.spent" for k, node in enumerate(nodes) if _followed(node)]
    if spent:  # a leaf that is its own loss has nothing to let go
        lines.append(f"    if not retain: {' = '.join(spent)} = True")
    values = "".join(f"n{k}.value, " for k in reads)
    owners = "".join(f"n{k}.owner, " for k in targets)
    lines.append(f"    return ({values}), ({owners})")
    return define(lines, names)


def _followed(node: Node) -> bool:
    return node.primitive is not None and node.tracked


def _tests(node: Node, k: int, names: dict[str, Any], rule: bool, target: bool) -> list[str]:
    """What must not hold for node k."""
    if node.params is LITERAL:
        names[f"l{k}"] = node
        return [f"n{k} is not l{k}"]
    owner = f"n{k}.owner is None" if target else f"n{k}.owner is not None"
    if not _followed(node):
        names |= {f"s{k}": node.shape, f"d{k}": node.dtype}
        tests = [f"n{k}.tracked is not {node.tracked}", f"n{k}.shape != s{k}"]
        tests += [f"n{k}.dtype is not d{k}", f"n{k}.params is LITERAL"]
        return [*tests, owner, f"n{k}.primitive is not None"] if node.tracked else tests
    names[f"p{k}"] = node.primitive
    tests = [f"n{k}.primitive is not p{k}", f"len(n{k}.inputs) != {len(node.inputs)}", owner]
    if node.params:
        names[f"m{k}"] = node.params
        tests.append(f"n{k}.params != m{k}")
    return [*tests, f"n{k}.spent"] if rule else tests


def _apart(nodes: Sequence[Node]) -> list[str]:
    """Nodes of one kind that the plan takes for two must be two."""
    groups: dict[Any, list[str]] = defaultdict(list)
    for k, node in enumerate(nodes):
        if node.params is not LITERAL:
            kind = node.primitive if _followed(node) else (node.shape, node.dtype, node.tracked)
            groups[kind].append(f"n{k}")
    several = [names for names in groups.values() if len(names) > 1]
    return [f"    if len({{{', '.join(n)}}}) != {len(n)}: return None" for n in several]
