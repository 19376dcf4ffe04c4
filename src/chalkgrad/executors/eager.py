"""What happens behind `backward()`.

The forward graph is walked once. Its structure (primitives, parameters, types, and who uses whom)
is the key of a cache: the first time, the backward graph is built and interpreted; from the second
time on, the same backward graph runs as one compiled NumPy function. A training loop repeats one
structure forever, so it pays for differentiation twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chalkgrad.core.errors import GradientError, TypeMismatch
from chalkgrad.core.graph import Array, ArrayType, Because, Node, ancestors, leaf, placeholder
from chalkgrad.core.scope import current, recording
from chalkgrad.executors import numpy as executor
from chalkgrad.tensor.operand import literal
from chalkgrad.tensor.tensor import Tensor, marks
from chalkgrad.transform.grad import pullback
from chalkgrad.transform.simplify import simplify

_LARGEST = 5000  # nodes of a forward graph whose backward pass is worth compiling
_CAPACITY = 256  # plans kept


@dataclass(slots=True)
class Plan:
    """How to compute the gradients of one structure of forward graph."""

    program: executor.Program
    reads: list[int]  # places in the walk whose values are arguments, in order
    saves: frozenset[tuple[int, int]]  # an equation, and a forward number that its rules read
    rules: frozenset[int]  # the equations among them that read more than literals
    targets: list[int]  # places whose gradients come out
    seeded: list[int]  # roots whose cotangent is an argument


@dataclass(slots=True)
class _Walk:
    """The forward graph of some roots, numbered."""

    nodes: list[Node]  # tracked nodes, oldest first, then the constants that they read
    place: dict[Node, int]
    tracked: int

    @classmethod
    def of(cls, roots: Sequence[Node]) -> _Walk:
        nodes = ancestors(roots, tracked_only=True)
        place = {node: k for k, node in enumerate(nodes)}
        tracked = len(nodes)
        for node in nodes[:tracked]:
            for source in node.inputs:
                if source not in place:
                    place[source] = len(nodes)
                    nodes.append(source)
        return cls(nodes, place, tracked)

    def key(self, roots: Sequence[Node], seeds: Sequence[bool], targets: Sequence[int]) -> Any:
        place = self.place
        parts: list[Any] = [tuple([place[root] for root in roots]), tuple(seeds), tuple(targets)]
        for node in self.nodes:
            parts.append((node.primitive, node.shape, node.dtype, node.tracked))
            if node.inputs:
                parts.append(tuple([place[source] for source in node.inputs]))
                if node.params:
                    parts.append(tuple(node.params.values()))
            elif not node.shape and not node.tracked:
                parts.append(
                    node if node.owner is None else None
                )  # a literal is part of the structure
        return tuple(parts)


@dataclass
class EagerEngine:
    """The engine of eager tensors."""

    plans: dict[Any, Plan | None] = field(default_factory=dict)

    def backward(
        self, roots: list[Tensor], gradients: list[Tensor | None], retain: bool, create: bool,
        inputs: list[Tensor] | None,
    ) -> None:  # fmt: skip
        seeds = [_seed(root, g) for root, g in zip(roots, gradients, strict=True)]
        if create or current().abstract or any(g is not None and g.node.tracked for g in seeds):
            self._recorded(roots, seeds, retain, create, inputs)
            return
        walk = _Walk.of([root.node for root in roots])
        wanted = None if inputs is None else {tensor.node for tensor in inputs}
        targets = [
            k for k, node in enumerate(walk.nodes[: walk.tracked])
            if (node.owner is not None if wanted is None else node in wanted)
        ]  # fmt: skip
        if wanted is not None:
            for tensor in inputs or ():
                tensor.node.owner = tensor.node.owner or _owner(tensor)
        results = self.run(
            walk,
            [root.node for root in roots],
            [None if g is None else g.node.value for g in seeds],
            targets,
            retain,
        )
        for k, value in zip(targets, results, strict=True):
            _accumulate(walk.nodes[k], value)

    def run(
        self,
        walk: _Walk,
        roots: list[Node],
        seeds: Sequence[Array | None],
        targets: list[int],
        retain: bool,
    ) -> Sequence[Array]:
        """The gradients of the walk's nodes at the places `targets`."""
        cacheable = len(walk.nodes) < _LARGEST
        key = walk.key(roots, [s is None for s in seeds], targets) if cacheable else None
        plan = self.plans.get(key) if cacheable else None
        if plan is None:
            plan = _plan(walk, roots, seeds, targets, compiled=key in self.plans)
            if cacheable:
                self._remember(key, plan)
        _check(walk, plan)
        arguments = [walk.nodes[k].value for k in plan.reads]
        arguments += [seeds[k] for k in plan.seeded]
        results = plan.program(*arguments)
        if not retain:
            for node in walk.nodes[: walk.tracked]:
                node.spent = True
        return results

    def _remember(self, key: Any, plan: Plan) -> None:
        # The first sight leaves only a note: most graphs are never seen again.
        if key not in self.plans:
            if len(self.plans) >= _CAPACITY:
                self.plans.pop(next(iter(self.plans)), None)
            self.plans[key] = None
        else:
            self.plans[key] = plan

    def _recorded(
        self, roots: list[Tensor], seeds: list[Tensor | None], retain: bool, create: bool,
        inputs: list[Tensor] | None,
    ) -> None:  # fmt: skip
        found = differentiate(
            roots, seeds, create, None if inputs is None else [t.node for t in inputs]
        )
        wanted = {t.node: t for t in inputs} if inputs is not None else {}
        for node, gradient in found.items():
            owner = wanted.get(node) or (node.owner() if node.owner and inputs is None else None)
            if owner is not None:
                owner.grad = gradient if owner.grad is None else _sum(owner.grad, gradient, create)


def _sum(old: Tensor, new: Tensor, create: bool) -> Tensor:
    with recording(create):
        if current().abstract:
            old.assign(old + new)
            return old
        return old + new


def differentiate(
    roots: list[Tensor], seeds: list[Tensor | None], create: bool, wanted: list[Node] | None
) -> dict[Node, Tensor]:
    """Gradients computed by tensors: recorded when `create`, or as part of a running trace."""
    with recording(create):
        cotangents = [
            _ones(root) if seed is None else seed for root, seed in zip(roots, seeds, strict=True)
        ]
        return pullback(roots, cotangents, wanted)


def _ones(root: Tensor) -> Tensor:
    return root.literal(1).broadcasted(root.node.shape)


def _seed(root: Tensor, gradient: Tensor | None) -> Tensor | None:
    node = root.node
    if not node.tracked:
        raise GradientError(
            "element 0 of tensors does not require grad and does not have a grad_fn: nothing that "
            "it was computed from has requires_grad=True, or it was computed inside no_grad() or "
            "after detach()."
        )
    if gradient is None:
        if node.shape and int(np.prod(node.shape)) != 1:
            raise GradientError(
                f"grad can be implicitly created only for scalar outputs; this tensor has shape "
                f"{list(node.shape)}. Reduce it first (loss.mean() or loss.sum()), or pass "
                "backward(gradient=…)."
            )
        return None
    if not isinstance(gradient, Tensor):
        raise TypeMismatch(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    if gradient.node.shape != node.shape:
        raise GradientError(
            f"Mismatch in shape: the gradient has shape {list(gradient.node.shape)} and the tensor "
            f"{list(node.shape)}"
        )
    return gradient


def _owner(tensor: Tensor) -> Any:
    tensor.node.owner = None
    tensor.retain_grad()
    return tensor.node.owner


def _plan(
    walk: _Walk,
    roots: list[Node],
    seeds: Sequence[Array | None],
    targets: list[int],
    *,
    compiled: bool,
) -> Plan:
    mode = current()
    mode.abstract, before = True, mode.abstract
    handle = Tensor()
    try:
        with recording(False):
            given = [
                None if seed is None else placeholder(ArrayType(root.shape, root.dtype))
                for root, seed in zip(roots, seeds, strict=True)
            ]
            cotangents = [
                handle.wrap(literal(1, root.dtype)).broadcasted(root.shape)
                if seed is None
                else handle.wrap(seed)
                for root, seed in zip(roots, given, strict=True)
            ]
            gradients = pullback(
                [handle.wrap(r) for r in roots], cotangents, [walk.nodes[k] for k in targets]
            )
    finally:
        mode.abstract = before
    results = [_gradient_node(gradients, walk.nodes[k]) for k in targets]
    saves = _saves(walk, results)
    arguments = [*walk.nodes, *(node for node in given if node is not None)]
    literals = {n for n in walk.nodes[walk.tracked :] if not n.shape and n.owner is None}
    results = simplify(results, [n for n in arguments if n not in literals])
    seeds_given = [n for n in given if n is not None]
    return _assemble(walk, seeds_given, given, results, targets, literals, saves, compiled)


def _gradient_node(gradients: dict[Node, Tensor], node: Node) -> Node:
    found = gradients.get(node)
    return found.node if found is not None else leaf(np.zeros(node.shape, node.dtype))


def _assemble(
    walk: _Walk, seeds: list[Node], given: list[Node | None], results: list[Node],
    targets: list[int], literals: set[Node], saves: frozenset[tuple[int, int]], compiled: bool,
) -> Plan:  # fmt: skip
    backward = executor.equations([*walk.nodes, *seeds], results)
    used = {source for node in backward for source in node.inputs} | set(results)
    reads = [k for k, node in enumerate(walk.nodes) if node in used and node not in literals]
    arguments = [*(walk.nodes[k] for k in reads), *seeds]
    if compiled:
        program = executor.compile(arguments, results)
    else:
        program = lambda *arrays: executor.interpret(arguments, results, arrays)  # noqa: E731
    seeded = [k for k, node in enumerate(given) if node is not None]
    places = {walk.place[node] for node in literals}
    rules = frozenset(k for k, read in saves if read not in places)
    return Plan(program, reads, saves, rules, targets, seeded)


def _saves(walk: _Walk, results: list[Node]) -> frozenset[tuple[int, int]]:
    """What the rules read, as they stand: a product by 1 that simplify drops was read too."""
    return frozenset(
        (walk.place[node.because.node], walk.place[source])
        for node in executor.equations(walk.nodes, results)
        if isinstance(node.because, Because)
        for source in node.inputs
        if source in walk.place
    )


def _check(walk: _Walk, plan: Plan) -> None:
    for k in plan.rules:
        if walk.nodes[k].spent:
            raise GradientError(
                "Trying to backward through the graph a second time: the first backward() has let "
                "its numbers go. Compute the loss again before each backward(), or pass "
                "retain_graph=True to the first one."
            )
    if marks.times:
        _check_mutations(walk, plan)


def _check_mutations(walk: _Walk, plan: Plan) -> None:
    """A number that a rule needs must still be what the forward pass saw."""
    for k, read in plan.saves:
        node, source = walk.nodes[k], walk.nodes[read]
        if source.value is not None and marks.changed_after(source.value, node.seq):
            name = source.name or f"a tensor of shape {list(source.shape)}"
            raise GradientError(
                "one of the variables needed for gradient computation has been modified by an "
                f"inplace operation: {name}, which "
                f"{node.primitive.name if node.primitive else 'a leaf'} has read. Compute a new tensor instead, or clone() it first."
            )


def _accumulate(node: Node, value: Array) -> None:
    owner = node.owner() if node.owner is not None else None
    if owner is None:
        return
    if owner._grad is None:
        owner._grad = owner.wrap(leaf(value))
    else:
        owner._grad.mutate(lambda array: np.add(array, value, out=array))


Tensor.engine = EagerEngine()
