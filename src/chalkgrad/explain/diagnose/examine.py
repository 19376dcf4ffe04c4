"""All questions put to one pass, and the answers in one report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import hypot

from chalkgrad.core.graph import LITERAL, Array, Node, ancestors
from chalkgrad.explain.diagnose import limits, walks
from chalkgrad.explain.diagnose.factors import Factor, number
from chalkgrad.explain.diagnose.flow import Flow, finite, norm
from chalkgrad.explain.diagnose.missing import missing
from chalkgrad.explain.diagnose.names import Names, by_unit, listed
from chalkgrad.explain.diagnose.not_finite import first_in_the_loss, first_on_the_way_back
from chalkgrad.explain.diagnose.report import (
    FAULT,
    HEALTHY,
    LARGE,
    NONE,
    NOT_FINITE,
    NOTE,
    SMALL,
    WARNING,
    ZERO,
    Diagnosis,
    Finding,
    Layer,
    Row,
    ordered,
)
from chalkgrad.explain.diagnose.steps import described, moves, out_of_range, ratios
from chalkgrad.explain.diagnose.through import through
from chalkgrad.explain.diagnose.units import Idle, alike, idle, lost
from chalkgrad.formulas.labels import PARAMETER, Label
from chalkgrad.nn.parameter import Parameter
from chalkgrad.optim.optimizer import Optimizer
from chalkgrad.tensor.tensor import Tensor

_MOST_SHARES = 16  # parameters whose paths are told apart
_MOST_WALKS = 64  # parameters whose reasons are looked for, the rest are counted


class Examination:
    """One pass under examination."""

    def __init__(
        self, flow: Flow, labels: Mapping[Node, Label] | None, optimizer: Optimizer | None,
        wrt: Sequence[Tensor] | None, shares: bool = True,
    ) -> None:  # fmt: skip
        self.flow, self.names, self.optimizer = flow, Names(flow, labels), optimizer
        self.wrt, self.shares = wrt, shares
        self.tensors = _tensors(self.names, optimizer, wrt)
        leaves = sorted(self.names.parameters, key=lambda leaf: flow.users[leaf][0].user.seq)
        reached = leaves if wrt is None else [_node_of(t, flow) for t in wrt]
        self.reached = [n for n in dict.fromkeys(reached) if n in flow.gradients]
        self.titles = self._titles()
        self.absent = [(self._named(t), t) for t in self.tensors if _node_of(t, flow) not in
                       flow.gradients]  # fmt: skip
        self.blamed: set[Node] = set()

    def _titles(self) -> dict[Node, str]:
        """Each parameter's name; two of one name are told apart."""
        found, used = dict[Node, str](), dict[str, int]()
        for node in self.reached:
            name = self.names.node(node)
            used[name] = used.get(name, 0) + 1
            found[node] = name if used[name] == 1 else f"{name} ({used[name]})"
        return found

    def _named(self, tensor: Tensor) -> str:
        return tensor.name or f"a tensor of shape {list(tensor.node.shape)}"

    def diagnosis(self) -> Diagnosis:
        """The report."""
        flow = self.flow
        gradients = {node: flow.gradients[node] for node in self.reached}
        groups = dict[str, list[Node]]()
        for node in self.reached:
            groups.setdefault(self.names.home(node), []).append(node)
        owners = {_node_of(tensor, flow): tensor for tensor in self.tensors}
        ratio = ratios(groups, moves(self.optimizer, gradients, owners))
        status = self._statuses(gradients, groups)
        resting = [*idle(self.names)]
        findings = [
            *missing(self.names, self.absent, self.wrt is not None),
            *self._of_parameters(status),
        ]
        if NOT_FINITE not in status.values():
            findings += self._of_the_whole(resting)
            findings += out_of_range(
                {k: r for k, r in ratio.items() if self._is_ordinary(groups[k], status)},
                self.optimizer is not None,
            )
        rows = self._rows(status, groups, ratio)
        loss = float(flow.loss.value.reshape(()))
        layers = () if self.wrt is not None else self._layers(resting)
        return Diagnosis(loss, ordered(findings), rows, layers, described(self.optimizer))

    # Parameters.
    def _statuses(
        self, gradients: Mapping[Node, Array], groups: Mapping[str, list[Node]]
    ) -> dict[Node, str]:
        scale = dict[Node, float]()
        for nodes in groups.values():
            count = sum(node.value.size for node in nodes)
            size = hypot(*(norm(node.value) for node in nodes))
            least = limits.SMALLEST_WEIGHT * count**0.5
            scale |= dict.fromkeys(nodes, max(size, least))
        return {node: _status(g, scale[node]) for node, g in gradients.items()}

    def _is_ordinary(self, nodes: Sequence[Node], status: Mapping[Node, str]) -> bool:
        return all(status[node] == HEALTHY for node in nodes)

    def _of_parameters(self, status: Mapping[Node, str]) -> list[Finding]:
        """A finding for each factor, with all the parameters that it ruins."""
        found: dict[tuple[str, str], tuple[Factor, list[Node]]] = {}
        sick = [node for node in self.reached if status[node] not in (HEALTHY, NOT_FINITE)]
        walk: dict[str, Callable[[Names, Node], Factor]] = {
            ZERO: walks.zero, SMALL: walks.tiny, LARGE: walks.huge,
        }  # fmt: skip
        for node in sick[:_MOST_WALKS]:
            factor = walk[status[node]](self.names, node)
            self.blamed.add(factor.node)
            cause = (status[node], factor.key or factor.because)
            found.setdefault(cause, (factor, []))[1].append(node)
        findings = [self._finding(s, factor, nodes) for (s, _), (factor, nodes) in found.items()]
        if len(sick) > _MOST_WALKS:
            rest = listed([self.titles[node] for node in sick[_MOST_WALKS:]])
            because = "the first ones are explained here; ask for one with wrt="
            findings.append(Finding(NOTE, rest, "more gradients like these", because))
        return self._not_finite(status) + findings

    def _not_finite(self, status: Mapping[Node, str]) -> list[Finding]:
        bad = [node for node in self.reached if status[node] == NOT_FINITE]
        forward = first_in_the_loss(self.names)
        factor = forward or (first_on_the_way_back(self.names) if bad else None)
        if factor is None:
            return []
        where = listed([self.titles[node] for node in bad])
        what = "the gradient is not finite"
        if forward is not None:
            is_now = f"is {number(float(self.flow.loss.value.reshape(())))}"
            what = f"the loss {is_now}, and the gradient is not finite" if bad else is_now
        return [Finding(FAULT, where or "the loss", what, factor.because, factor.remedy)]

    def _finding(self, status: str, factor: Factor, nodes: Sequence[Node]) -> Finding:
        sizes = [norm(self.flow.gradients[node]) for node in nodes]
        largest = "" if status == ZERO else f" ({number(max(sizes))})"
        what = f"the gradient is {status}{largest}"
        where = listed([self.titles[node] for node in nodes])
        severity = NOTE if factor.harmless else FAULT
        return Finding(severity, where, what, _placed(factor, where), factor.remedy)

    # Layers and units.
    def _of_the_whole(self, resting: Sequence[Idle]) -> list[Finding]:
        if self.wrt is not None:
            return []
        found = list[Finding]()
        for activation in resting:
            if activation.edge.user not in self.blamed:
                told = lost(self.names, activation)
                found += [told[0]] if told else []
        found += alike(self.names)
        path = walks.deepest(self.names)
        left = walks.depth(self.names, path)
        if left < limits.VANISHED:
            found += self._depth(walks.shrinking(self.names, path), "vanishes", left)
        elif left > limits.EXPLODED:
            found += self._depth(walks.growing(self.names, path), "explodes", left)
        return found

    def _depth(self, factor: Factor, word: str, left: float) -> list[Finding]:
        if factor.node in self.blamed or factor.harmless:
            return []
        again = walks.recurrent(self.names, walks.deepest(self.names))
        far = "the first step" if again else "the first layer"
        what = f"the gradient {word} on its way to {far} (× {number(left)})"
        # Weights that are used at every step still learn from the last ones.
        severity = WARNING if again else FAULT
        return [Finding(severity, factor.where, what, factor.because, factor.remedy)]

    def _layers(self, resting: Sequence[Idle]) -> tuple[Layer, ...]:
        """One for each name: a layer that is used several times rests if it does so every time."""
        sizes, units = dict[str, list[float]](), dict[str, int]()
        for station in self.names.stations.values():
            name = self.names.station(station)
            gradient = self.flow.gradients.get(station.node)
            sizes.setdefault(name, []).append(0.0 if gradient is None else norm(gradient))
            units[name] = by_unit(station.node.value, station.axis).shape[0]
        dead, saturated = _resting(self.names, resting, True), _resting(self.names, resting, False)
        return tuple(
            Layer(name, hypot(*size), units[name],
                  len(dead.get(name, ())), len(saturated.get(name, ())))
            for name, size in sizes.items()
        )  # fmt: skip

    def _rows(
        self, status: Mapping[Node, str], groups: Mapping[str, list[Node]],
        ratio: Mapping[str, float],
    ) -> tuple[Row, ...]:  # fmt: skip
        layer = {node: name for name, nodes in groups.items() for node in nodes}
        few = self.shares and len(self.reached) <= _MOST_SHARES
        told = set(self.reached) if few else set()
        rows = [
            Row(
                title, node.shape, norm(node.value), norm(self.flow.gradients[node]),
                ratio.get(layer[node]), status[node],
                through(self.names, node) if node in told else (),
            )
            for node, title in self.titles.items()
        ]  # fmt: skip
        rows += [
            Row(name, t.node.shape, norm(t.node.value), None, None, NONE) for name, t in self.absent
        ]
        return tuple(rows)


def _resting(names: Names, activations: Sequence[Idle], dead: bool) -> dict[str, set[int]]:
    found = dict[str, set[int]]()
    for activation in activations:
        below = names.below(activation.edge.source)
        if below is not None and activation.dead == dead:
            name, units = names.station(below), set(activation.units)
            found[name] = found.get(name, units) & units
    return found


def _placed(factor: Factor, where: str) -> str:
    """The factor, and its layer where the words do not name that yet."""
    known = factor.key or factor.where in (where, "the loss", "it", "")
    if known or factor.where in factor.because:
        return factor.because
    return f"{factor.because} (in {factor.where})"


def _status(gradient: Array, scale: float) -> str:
    if not finite(gradient):
        return NOT_FINITE
    size = norm(gradient)
    if size == 0 and not gradient.any():
        return ZERO
    if size < limits.TINY:
        return SMALL
    return LARGE if size > limits.HUGE * scale else HEALTHY


def _node_of(tensor: Tensor, flow: Flow) -> Node:
    """The node that stands for a tensor in this pass, also after an optimizer's step."""
    if tensor.node in flow.users:
        return tensor.node
    for node in flow.leaves:
        if node.owner is not None and node.owner() is tensor:
            return node
    return tensor.node


def _tensors(
    names: Names, optimizer: Optimizer | None, wrt: Sequence[Tensor] | None
) -> list[Tensor]:  # fmt: skip
    """Whose gradients are asked for, as handles."""
    if wrt is not None:
        return [*wrt]
    found = dict[Tensor, None]()
    stated = [node for node, label in names.labels.items() if label.kind == PARAMETER]
    for node in (*ancestors([names.flow.loss]), *stated):
        owner = node.owner() if node.owner is not None else None
        plain = node.primitive is None and node.params is not LITERAL and node not in names.data
        if plain and owner is not None and (node.tracked or isinstance(owner, Parameter)):
            found[owner] = None
    if optimizer is not None:
        found |= {p: None for group in optimizer.param_groups for p in group["params"]}
    return [*found]
