"""Operations with a derivative of one's own, as `torch.autograd.Function`.

An application adds one node to the graph,

    out = Name(value, x₀, x₁, …)     value = forward(x₀, x₁, …), computed without a gradient

which passes `value` on and carries the derivative rule: towards each xₖ, the k-th result of the
person's `backward`. So the graph shows what forward computed, and that its derivative was given.
Several outputs travel through one such node as one flat tensor, so that `backward` is called once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

from chalkgrad.core.errors import GradientError, NotAvailable, TypeMismatch
from chalkgrad.core.graph import NO_PARAMS, ArrayType, Node, Shape, equation
from chalkgrad.core.index import Formula, Read, axes
from chalkgrad.core.primitive import Notation, Primitive
from chalkgrad.core.scope import current, recording
from chalkgrad.primitives import shaping
from chalkgrad.tensor.creation import zeros
from chalkgrad.tensor.tensor import Tensor, marks


class Context:
    """What `forward` leaves for `backward`: tensors by `save_for_backward`, all else by name."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._saved: list[tuple[Tensor, Node] | None] = []
        self._constant: set[Node] = set()
        self._node: Node | None = None  # the application's node, while backward runs
        self._results: dict[Node, Tensor] = {}  # and what apply returned for a result of forward

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs; `backward` finds them in `saved_tensors`."""
        for k, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeMismatch(
                    f"save_for_backward can only save variables, but argument {k} is of type "
                    f"{type(tensor).__name__}: keep it as ctx.name = … instead"
                )
        self._saved = [None if tensor is None else (tensor, tensor.node) for tensor in tensors]

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What was saved, as part of the graph, so that backward can be differentiated again."""
        if self._node is not None and self._node.spent:
            raise GradientError(
                "Trying to backward through the graph a second time: the first backward() has let "
                "its saved tensors go. Pass retain_graph=True to the first one."
            )
        return tuple(None if kept is None else self._restored(*kept) for kept in self._saved)

    def _restored(self, tensor: Tensor, node: Node) -> Tensor:
        time = self._node.seq if self._node is not None else node.seq
        if node.value is not None and marks.changed_after(node.value, time):
            raise GradientError(
                "one of the variables needed for gradient computation has been modified by an "
                "inplace operation, after a custom function had saved it for backward"
            )
        found = self._results.get(node)
        return tensor.wrap(node) if found is None else found

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """These outputs have no gradient."""
        self._constant.update(output.node for output in outputs)

    def set_materialize_grads(self, value: bool) -> None:
        """Gradients of unused outputs are zeros; nothing else is there."""
        if not value:
            raise NotAvailable("set_materialize_grads(False): an unused output's gradient is zeros")

    def mark_dirty(self, *_: Tensor) -> None:
        """Not there: return a new tensor from forward."""
        raise NotAvailable("a custom function cannot change its input: return a new tensor")


class Function:
    """The base of operations with their own derivative, used by `apply`, never by an instance.

    >>> import chalkgrad as torch
    >>> class Exp(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         out = x.exp()
    ...         ctx.save_for_backward(out)
    ...         return out
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (out,) = ctx.saved_tensors
    ...         return g * out
    >>> x = torch.tensor(0.0, requires_grad=True)
    >>> Exp.apply(x).backward()
    >>> x.grad
    tensor(1.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """`forward(ctx, *args)`; or `forward(*args)` beside a `setup_context`."""
        raise NotAvailable("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what `backward` needs, where `forward` takes no ctx."""
        raise NotAvailable("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """A gradient for each argument of forward, None for those that have none."""
        raise NotAvailable(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise GradientError(
            f"a custom function is not called but applied: {type(self).__name__}.apply(…), and its "
            "forward and backward are static methods"
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward on the arguments, and record backward as its derivative."""
        tracked = tuple(isinstance(a, Tensor) and a.node.tracked for a in args)
        ctx = Context(tracked)
        with recording(False):
            if cls.setup_context is Function.setup_context:
                returned = cls.forward(ctx, *args)
            else:
                returned = cls.forward(*args)
                cls.setup_context(ctx, args, returned)
        if not (current().recording and any(tracked)):
            return returned
        outputs = returned if isinstance(returned, tuple) else (returned,)
        recorded = _Application.of(cls, ctx, args, outputs).record(outputs)
        return recorded if isinstance(returned, tuple) else recorded[0]


@dataclass
class _Application:
    """One application of a function: what its node's derivative rule knows."""

    function: type[Function]
    ctx: Context
    operands: dict[int, Tensor]  # the tensors among the arguments, by their place
    count: int  # of arguments
    types: list[ArrayType | None]  # of the outputs; None for one that is no tensor
    smooth: list[int]  # the outputs that have a gradient
    nodes: list[Node]  # what forward computed for them
    latest: tuple[Any, tuple[Any, ...]] | None = None  # the last cotangent, and what backward said

    @classmethod
    def of(
        cls, function: type[Function], ctx: Context, args: tuple[Any, ...], outputs: tuple[Any, ...]
    ) -> _Application:
        operands = {k: a for k, a in enumerate(args) if isinstance(a, Tensor)}
        types = [_type(out) if isinstance(out, Tensor) else None for out in outputs]
        floats = [k for k, kind in enumerate(types) if kind is not None and kind.dtype.kind == "f"]
        smooth = [k for k in floats if outputs[k].node not in ctx._constant]
        nodes = [outputs[k].node for k in smooth]
        return cls(function, ctx, operands, len(args), types, smooth, nodes)

    def record(self, outputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The outputs, as results of one node that carries the derivative."""
        if not self.smooth:
            return outputs
        if len({node.dtype for node in self.nodes}) > 1:
            raise NotAvailable(f"{self.function.__name__}.forward returned floats of two types")
        with recording(False):
            values = [
                outputs[k].detach() if outputs[k].node.tracked else outputs[k] for k in self.smooth
            ]
            value = values[0] if len(values) == 1 else _flat(values)
        mode, source = current(), value.node
        inputs = (source, *(x.node for x in self.operands.values()))
        node = equation(
            self._primitive(), inputs, NO_PARAMS, source.value, source.shape, source.dtype,
            True, mode.scope, mode.because,
        )  # fmt: skip
        made = dict(zip(self.smooth, self._split(value.wrap(node)), strict=True))
        return tuple(made.get(k, output) for k, output in enumerate(outputs))

    def _primitive(self) -> Primitive:
        name = self.function.__name__
        shown = ", ".join(f"{{{k + 1}}}" for k in range(len(self.operands)))
        return Primitive(
            name,
            lambda value, *operands: value.copy(),
            lambda value, *operands: value,
            lambda argnum: partial(self._rule, argnum - 1),
            Notation(f"{name}({shown})", rf"\operatorname{{{{{name}}}}}({shown})"),
            lambda value, *operands: Formula(value.shape, Read(0, axes(len(value.shape)))),
            custom=True,
        )

    def _split(self, joined: Tensor) -> list[Tensor]:
        """The outputs in the tensor that the node holds."""
        if len(self.smooth) == 1:
            return [joined]
        shapes = [node.shape for node in self.nodes]
        ends = [sum(map(prod, shapes[: k + 1])) for k in range(len(shapes))]
        return [
            _piece(joined, end - prod(shape), end).reshaped(shape)
            for end, shape in zip(ends, shapes, strict=True)
        ]

    def _rule(self, place: int, g: Tensor, out: Tensor, _value: Tensor, *operands: Tensor) -> Any:
        if self.latest is None or self.latest[0] is not g:
            self.latest = (g, self._pulled(g, out))
        argument = [*self.operands][place]
        return self._fitted(argument, self.latest[1][argument], operands[place].node)

    def _pulled(self, g: Tensor, out: Tensor) -> tuple[Any, ...]:
        """What the person's backward says."""
        ctx, parts = self.ctx, dict(zip(self.smooth, self._split(g), strict=True))
        cotangents = [
            parts[k]
            if k in parts
            else None
            if kind is None
            else zeros(kind.shape, dtype=kind.dtype)
            for k, kind in enumerate(self.types)
        ]
        ctx._node = out.node
        if any(kept is not None and kept[1] in self.nodes for kept in ctx._saved):
            ctx._results = dict(zip(self.nodes, self._split(out), strict=True))
        try:
            said = self.function.backward(ctx, *cotangents)
        finally:
            ctx._node, ctx._results = None, {}
        answers = said if isinstance(said, tuple) else (said,)
        while len(answers) > self.count and answers[-1] is None:
            answers = answers[:-1]
        if len(answers) != self.count:
            raise GradientError(
                f"function {self.function.__name__}Backward returned an incorrect number of "
                f"gradients (expected {self.count}, got {len(answers)})"
            )
        for k, answer in enumerate(answers):
            if answer is not None and k not in self.operands:
                raise GradientError(
                    f"function {self.function.__name__}Backward returned a gradient different "
                    f"from None at position {k + 1}, but the corresponding forward input was not "
                    "a Variable"
                )
        return answers

    def _fitted(self, argument: int, answer: Any, source: Node) -> Tensor | None:
        """The answer in the type and shape of the input that it is the gradient of."""
        if answer is None:
            return None
        if not isinstance(answer, Tensor):
            raise TypeMismatch(f"expected Variable or None (got {type(answer).__name__})")
        cast: Tensor = answer.cast(source.dtype)
        if cast.node.shape == source.shape:
            return cast
        if not _spreads(source.shape, answer.node.shape):
            raise GradientError(
                f"Function {self.function.__name__}Backward returned an invalid gradient at index "
                f"{argument} - got {list(answer.node.shape)} but expected shape compatible with "
                f"{list(source.shape)}"
            )
        reduced: Tensor = shaping.sum_to(cast, source.shape)
        return reduced


def _type(tensor: Tensor) -> ArrayType:
    return ArrayType(tensor.node.shape, tensor.node.dtype)


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    rows = [x.reshaped((prod(x.node.shape),)) for x in tensors]
    joined: Tensor = shaping.concatenate(*rows, axis=0)
    return joined


def _piece(x: Tensor, start: int, stop: int) -> Tensor:
    piece: Tensor = shaping.slice_(x, start=(start,), stop=(stop,), step=(1,))
    return piece


def _spreads(small: Shape, large: Shape) -> bool:
    """Does the small shape broadcast to the large one?"""
    offset = len(large) - len(small)
    return offset >= 0 and all(n in (1, m) for n, m in zip(small, large[offset:], strict=True))
