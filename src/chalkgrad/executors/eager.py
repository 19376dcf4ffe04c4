"""What happens behind `backward()`.

The forward graph is walked once. Its structure (primitives, parameters, types, and who uses whom)
is the key of a cache: the first time, the backward graph is built and interpreted; from the second
time on, the same backward graph runs as one compiled NumPy function. A training loop repeats one
structure forever, so it pays for differentiation twice.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from chalkgrad.core.errors import GradientError, TypeMismatch
from chalkgrad.core.graph import (
    LITERAL,
    Array,
    ArrayType,
    Because,
    Node,
    ancestors,
    leaf,
    placeholder,
)
from chalkgrad.core.scope import current, recording
from chalkgrad.executors import numpy as executor
from chalkgrad.executors.match import Match, matcher
from chalkgrad.tensor.operand import literal
from chalkgrad.tensor.tensor import Tensor, marks
from chalkgrad.transform.grad import pullback
from chalkgrad.transform.simplify import equations, simplify

_LARGEST = 5000  # nodes of a forward graph whose backward pass is worth compiling
_CAPACITY = 256  # plans kept
_RECENT = 4  # structures that are looked for before the graph is walked


@dataclass(slots=True)
class Plan:
    """How to compute the gradients of one structure of forward graph."""

    program: executor.Program
    reads: list[int]  # places in the walk whose values are arguments, in order
    saves: frozenset[tuple[int, int]]  # an equation, and a forward number that its rules read
    rules: frozenset[int]  # these equations
    targets: list[int]  # places whose gradients come out
    seeded: list[int]  # roots whose cotangent is an argument


class _Walk:
    """The forward graph of some roots, numbered, and its structure."""

    __slots__ = ("nodes", "owned", "place", "structure")

    def __init__(self, roots: Sequence[Node]) -> None:
        # One pass over plain lists, once per training step: here every allocation shows.
        self.nodes = nodes = list(dict.fromkeys(roots))
        self.place = place = {node: k for k, node in enumerate(nodes)}
        self.owned: list[int] = []  # places of the nodes whose gradient some tensor receives
        parts: list[Any] = [place[root] for root in roots] if len(roots) > 1 else []
        for node in nodes:  # the list grows while we walk it
            primitive = node.primitive
            if node.owner is not None and node.tracked:
                self.owned.append(place[node])
            if primitive is None or not node.tracked:
                # A literal is part of the structure; of data only the type is.
                parts += (node,) if _is_literal(node) else (node.shape, node.dtype, node.tracked)
                continue
            parts.append(primitive)
            for source in node.inputs:
                number = place.get(source)
                if number is None:
                    number = place[source] = len(nodes)
                    nodes.append(source)
                parts.append(number)
            if node.params:
                parts += node.params.values()
        self.structure = parts

    def key(self, seeds: Sequence[bool], targets: Sequence[int]) -> Any:
        return (*self.structure, None, *seeds, None, *targets)


def _is_literal(node: Node) -> bool:
    return node.params is LITERAL  # its number is part of what the graph says


@dataclass
class EagerEngine:
    """The engine of eager tensors."""

    plans: dict[Any, Plan | None] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)
    recent: list[tuple[Match, executor.Program]] = field(default_factory=list)

    def backward(
        self, roots: list[Tensor], gradients: list[Tensor | None], retain: bool, create: bool,
        inputs: list[Tensor] | None,
    ) -> None:  # fmt: skip
        if inputs is not None and not inputs:
            raise GradientError("`inputs` argument to `backward()` cannot be empty.")
        plain = len(roots) == 1 and gradients[0] is None and inputs is None and not create
        if plain and self._recognised(roots[0].node, retain):
            return
        seeds = [_seed(root, g) for root, g in zip(roots, gradients, strict=True)]
        if create or current().abstract or any(g is not None and g.node.tracked for g in seeds):
            self._recorded(roots, seeds, retain, create, inputs)
            return
        walk = _Walk([root.node for root in roots])
        targets = walk.owned if inputs is None else self._wanted(walk, inputs)
        results = self.run(
            walk,
            [root.node for root in roots],
            [None if g is None else g.node.value for g in seeds],
            targets,
            retain,
        )
        for k, value in zip(targets, results, strict=True):
            owner = walk.nodes[k].owner
            if value is not None and owner is not None:
                _accumulate(owner(), value)

    def _recognised(self, root: Node, retain: bool) -> bool:
        """The common case: a scalar loss whose graph has the structure of one of the last."""
        if marks.times or root.value is None:
            return False
        for match, program in self.recent:
            found = match(root, retain)
            if found is not None:
                values, owners = found
                for owner, value in zip(owners, program(*values), strict=True):
                    _accumulate(owner(), value)
                return True
        return False

    def _wanted(self, walk: _Walk, inputs: list[Tensor]) -> list[int]:
        for tensor in inputs:
            tensor.node.owner = tensor.node.owner or _owner(tensor)
        return sorted({walk.place[t.node] for t in inputs if t.node in walk.place})

    def gradients(
        self, roots: list[Tensor], gradients: list[Tensor | None], wanted: list[Tensor],
        retain: bool, create: bool,
    ) -> list[Tensor | None]:  # fmt: skip
        """The gradients towards `wanted`, given back, added to nothing; None where none flows."""
        seeds = [_seed(root, g) for root, g in zip(roots, gradients, strict=True)]
        nodes = [tensor.node for tensor in wanted]
        if create or current().abstract or any(g is not None and g.node.tracked for g in seeds):
            found = differentiate(roots, seeds, create, nodes)
            if not retain:
                _spend(ancestors([root.node for root in roots], tracked_only=True))
            return [found.get(node) for node in nodes]
        walk = _Walk([root.node for root in roots])
        places = [walk.place.get(node) if node.tracked else None for node in nodes]
        targets = sorted({k for k in places if k is not None})
        arrays = [None if g is None else g.node.value for g in seeds]
        results = self.run(walk, [root.node for root in roots], arrays, targets, retain)
        values = dict(zip(targets, results, strict=True))
        found_values = [None if k is None else values.get(k) for k in places]
        return [None if v is None else roots[0].wrap(leaf(v)) for v in found_values]

    def run(
        self,
        walk: _Walk,
        roots: list[Node],
        seeds: Sequence[Array | None],
        targets: list[int],
        retain: bool,
    ) -> Sequence[Array | None]:
        """The gradients of the walk's nodes at the places `targets`."""
        cacheable = len(walk.nodes) < _LARGEST
        key = walk.key([s is None for s in seeds], targets) if cacheable else None
        plan = self.plans.get(key) if cacheable else None
        if plan is None and any(n.primitive and n.primitive.custom for n in walk.nodes):
            results = _computed(walk, roots, seeds, targets)
            if not retain:
                _spend(walk.nodes)
            return results
        if plan is None:
            again = key in self.plans
            plan = _plan(walk, roots, seeds, targets, compiled=again)
            if cacheable:
                self._remember(key, plan)
            if again and len(roots) == 1 and seeds[0] is None and targets is walk.owned:
                match = matcher(walk.nodes, plan.reads, plan.rules, targets)
                self.recent = [(match, plan.program), *self.recent[: _RECENT - 1]]
        _check(walk, plan)
        arguments = [walk.nodes[k].value for k in plan.reads]
        arguments += [seeds[k] for k in plan.seeded]
        results = plan.program(*arguments)
        if not retain:
            _spend(walk.nodes)
        return results

    def _remember(self, key: Any, plan: Plan) -> None:
        # The first sight leaves only a note: most graphs are never seen again.
        with self.lock:
            if key in self.plans:
                self.plans[key] = plan
                return
            if len(self.plans) >= _CAPACITY:
                self.plans.pop(next(iter(self.plans)))
            self.plans[key] = None

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
        if not retain:
            _spend(ancestors([root.node for root in roots], tracked_only=True))


def _spend(nodes: Iterable[Node]) -> None:
    for node in nodes:
        node.spent = True


def _computed(
    walk: _Walk, roots: list[Node], seeds: Sequence[Array | None], targets: list[int]
) -> Sequence[Array | None]:
    """The gradients without a plan: a custom rule is a person's code, and may read numbers."""
    handle = Tensor()
    starts = [handle.wrap(root) for root in roots]
    given = [None if seed is None else handle.wrap(leaf(seed)) for seed in seeds]
    found = differentiate(starts, given, False, [walk.nodes[k] for k in targets])
    gradients = [found.get(walk.nodes[k]) for k in targets]
    return [None if g is None else np.array(g.node.value) for g in gradients]


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
    literals = {node for node in walk.nodes if _is_literal(node)}
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
    backward = equations([*walk.nodes, *seeds], results)
    used = {source for node in backward for source in node.inputs} | set(results)
    reads = [k for k, node in enumerate(walk.nodes) if node in used and node not in literals]
    arguments = [*(walk.nodes[k] for k in reads), *seeds]
    if compiled:
        program = executor.compile(arguments, results)
    else:
        program = lambda *arrays: executor.interpret(arguments, results, arrays)  # noqa: E731
    seeded = [k for k, node in enumerate(given) if node is not None]
    rules = frozenset(k for k, _ in saves)
    return Plan(program, reads, saves, rules, targets, seeded)


def _saves(walk: _Walk, results: list[Node]) -> frozenset[tuple[int, int]]:
    """What the rules read, as they stand: a product by 1 that simplify drops was read too."""
    saved = set()
    for node in equations(walk.nodes, results):
        if isinstance(node.because, Because):
            equation = node.because.node
            known = {*node.inputs} & {equation, *equation.inputs}
            saved |= {(walk.place[equation], walk.place[number]) for number in known}
    return frozenset(saved)


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
                f"inplace operation: {name}, which {node.primitive.name if node.primitive else ''} "
                "has read. Compute a new tensor instead, or clone() it first."
            )


def _accumulate(owner: Tensor | None, value: Array) -> None:
    if owner is None:  # nobody holds the tensor any more
        return
    if owner._grad is None:
        owner._grad = owner.wrap(leaf(value))
    else:
        if owner._grad.node.spent:
            _warn_of_old_gradient(owner.node)
        owner._grad.mutate(lambda array: np.add(array, value, out=array))


def _warn_of_old_gradient(node: Node) -> None:
    name = node.name or f"a tensor of shape {list(node.shape)}"
    warnings.warn(
        f"backward() adds to the gradient of {name}, which an optimizer's step has used already: "
        "call optimizer.zero_grad() before each backward()",
        stacklevel=6,
    )


Tensor.engine = EagerEngine()
