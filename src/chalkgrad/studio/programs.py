"""A worksheet as a program: with chalkgrad, or the same with PyTorch.

Both programs are one text. chalkgrad has PyTorch's names, so only the import differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from chalkgrad.formulas import Call, Expression, Number
from chalkgrad.formulas.python import Identifiers, PythonStyle, number
from chalkgrad.worksheet import Layer, Loss, Worksheet
from chalkgrad.worksheet.losses import RULES

_OWN = ("sigmoid", "tanh", "relu")  # PyTorch has them outside of nn.functional
_TERMS = {
    "half_squared_error": "0.5 * (target - output) ** 2",
    "squared_error": "(output - target) ** 2",
    "mean_squared_error": "(output - target) ** 2",
    "binary_cross_entropy": 'F.binary_cross_entropy(output, target, reduction="none")',
    "cross_entropy": "-(target * output.log())",
}
_LOGITS = 'F.cross_entropy(output, target, reduction="none")'
_WIDTH = 92


def program(worksheet: Worksheet, module: str) -> str:
    """A program that computes the loss, makes the worksheet's updates and prints both losses."""
    writer = _Program(worksheet, module)
    return "\n".join(writer.lines()) + "\n"


class _Program:
    def __init__(self, worksheet: Worksheet, module: str) -> None:
        self.sheet, self.module = worksheet, module
        reserved = ("torch", "F", "x", "target", "output", "loss", "optimizer", "step", "compute")
        texts = list(worksheet.parameters)
        self.names = Identifiers([*reserved, *texts])
        self.own = {name: self._own(name, reserved) for name in texts}

    def _own(self, name: str, reserved: Sequence[str]) -> str:
        """A parameter's identifier; none is called like something else of the program."""
        found = self.names[name]
        return f"{found}_" if name in reserved else found

    def lines(self) -> Iterator[str]:
        title = " ".join((self.sheet.title or "a worksheet").split())
        yield f"# {title}"
        if self.module == "torch":
            yield "import torch"
        else:
            yield f"import {self.module} as torch  # it has PyTorch's names"
        if self.sheet.layers:
            yield (
                "import torch.nn.functional as F"
                if self.module == "torch"
                else ("F = torch.nn.functional")
            )
        yield ""
        yield "torch.set_default_dtype(torch.float64)"
        yield ""
        yield from self._parameters()
        yield from self._formulas() if self.sheet.formulas else self._network()
        yield from self._updates()

    # Parameters: a matrix where each number is a weight of its own, else number by number.
    def _parameters(self) -> Iterator[str]:
        for name in self._single():
            yield f"{self.own[name]} = {self._leaf(number(self.sheet.parameters[name]))}"
        for k, layer in enumerate(self.sheet.layers, 1):
            if self._is_whole(layer.weights):
                yield from self._matrix(f"W{k}", layer.weights)
            if layer.bias is not None and self._is_whole((layer.bias,)):
                yield from self._matrix(f"B{k}", layer.bias)

    @property
    def _frozen(self) -> tuple[str, ...]:
        return () if self.sheet.update is None else self.sheet.update.frozen

    def _leaf(self, text: str) -> str:
        return f"torch.tensor({text}, requires_grad=True)"

    def _uses(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for layer in self.sheet.layers:
            for row in (*layer.weights, layer.bias or ()):
                found.update(weight for weight in row if isinstance(weight, str))
        return found

    def _is_whole(self, rows: Sequence[Sequence[Any]]) -> bool:
        """Are all of its entries parameters of their own, which move?"""
        uses = self._uses()
        return all(
            isinstance(weight, str) and uses[weight] == 1 and weight not in self._frozen
            for row in rows
            for weight in row
        )

    def _single(self) -> list[str]:
        whole = set[str]()
        for layer in self.sheet.layers:
            for rows in (layer.weights, (layer.bias,) if layer.bias is not None else ()):
                if self._is_whole(rows):
                    whole |= {weight for row in rows for weight in row if isinstance(weight, str)}
        return [name for name in self.sheet.parameters if name not in whole]

    def _matrix(self, name: str, weights: Sequence[Any]) -> Iterator[str]:
        if weights and isinstance(weights[0], tuple):
            yield f"{name} = torch.tensor(["
            for row in weights:
                words = ", ".join(row) if len(row) <= 6 else f"{row[0]} … {row[-1]}"
                yield f"    [{self._numbers(row)}],  # {words}"
            yield "], requires_grad=True)"
        else:
            words = f"  # {', '.join(weights)}" if len(weights) <= 6 else ""
            yield f"{name} = {self._leaf(f'[{self._numbers(weights)}]')}{words}"

    def _numbers(self, row: Sequence[Any]) -> str:
        values = (self.sheet.parameters[w] if isinstance(w, str) else w for w in row)
        return ", ".join(map(number, values))

    # The network.
    def _network(self) -> Iterator[str]:
        data = self.sheet.data
        assert data is not None
        assert self.sheet.loss is not None
        yield ""
        yield from self._data("x", list(data.inputs.values()), list(data.inputs))
        yield from self._data("target", list(data.targets.values()), list(data.targets))
        yield ""
        yield ""
        yield "def compute():"
        yield "    output = x"
        for k, layer in enumerate(self.sheet.layers, 1):
            yield from (f"    {line}" for line in self._layer(k, layer))
        yield f"    terms = {self._terms(self.sheet.loss)}"
        yield f"    return {self._reduced(self.sheet.loss, data.records)}"

    def _data(self, name: str, columns: list[Any], names: list[str]) -> Iterator[str]:
        yield f"{name} = torch.tensor([  # {', '.join(names)[:_WIDTH]}"
        for row in zip(*columns, strict=True):
            yield f"    [{', '.join(map(number, row))}],"
        yield "])"

    def _layer(self, k: int, layer: Layer) -> Iterator[str]:
        weight = f"W{k}" if self._is_whole(layer.weights) else self._stack(layer.weights)
        bias = "None"
        if layer.bias is not None:
            bias = f"B{k}" if self._is_whole((layer.bias,)) else self._row(layer.bias)
        yield f"output = F.linear(output, {weight}, {bias})"
        kind = layer.activation
        if kind == "softmax":
            yield "output = F.softmax(output, dim=-1)"
        elif kind != "identity":
            yield f"output = {'torch' if kind in _OWN else 'F'}.{kind}(output)"

    def _stack(self, rows: Sequence[Sequence[Any]]) -> str:
        return f"torch.stack([{', '.join(self._row(row) for row in rows)}])"

    def _row(self, row: Sequence[Any]) -> str:
        parts = (self.own[w] if isinstance(w, str) else f"torch.tensor({number(w)})" for w in row)
        return f"torch.stack([{', '.join(parts)}])"

    def _terms(self, loss: Loss) -> str:
        logits = loss.kind == "cross_entropy" and self.sheet.layers[-1].activation == "identity"
        return _LOGITS if logits else _TERMS[loss.kind]

    def _reduced(self, loss: Loss, records: int) -> str:
        averaged, mean = RULES[loss.kind].averaged, loss.over_records == "mean"
        outputs = len(self.sheet.layers[-1].units)
        if mean and averaged:
            return "terms.mean()"
        count = (records if mean else 1) * (outputs if averaged else 1)
        return f"terms.sum() / {count}" if count > 1 else "terms.sum()"

    # Formulas.
    def _formulas(self) -> Iterator[str]:
        lines = self.sheet.formulas
        known = {name: self.names[name] for name in lines if name not in self.own} | self.own
        style = _Tensors(known.__getitem__)
        yield ""
        yield ""
        yield "def compute():"
        for name, line in lines.items():
            yield f"    {known[name]} = {style.write(line)}"
        yield f"    return {known[self.sheet.names.loss]}"

    # Training.
    def _updates(self) -> Iterator[str]:
        name, update = self.sheet.names.loss, self.sheet.update
        yield ""
        yield ""
        if update is None:
            yield "loss = compute()"
            yield "loss.backward()"
            yield f"print({f'{name} ='!r}, loss.item())"
            for parameter in self._single():
                yield f"print({f'd{name}/d{parameter} ='!r}, {self.own[parameter]}.grad.item())"
            return
        settings = "".join(f", {key}={value!r}" for key, value in update.settings.items())
        yield f"optimizer = torch.optim.{update.rule}([{', '.join(self._moving())}]{settings})"
        yield f"print({f'{name} ='!r}, compute().item())"
        yield f"for step in range({update.steps}):"
        yield "    optimizer.zero_grad()"
        yield "    loss = compute()"
        yield "    loss.backward()"
        yield "    optimizer.step()"
        yield f"print({f'after the updates: {name} ='!r}, compute().item())"

    def _moving(self) -> Iterator[str]:
        yield from (self.own[name] for name in self._single() if name not in self._frozen)
        for k, layer in enumerate(self.sheet.layers, 1):
            if self._is_whole(layer.weights):
                yield f"W{k}"
            if layer.bias is not None and self._is_whole((layer.bias,)):
                yield f"B{k}"


class _Tensors(PythonStyle):
    """Formulas of tensors: the functions are PyTorch's."""

    def _call(self, function: str, arguments: tuple[Expression, ...]) -> tuple[str, int]:
        plain = function.partition(":")[0]
        binds = 7  # as tightly as a call does
        if plain in ("max", "min") and len(arguments) > 1:
            inner = ", ".join(self._tensor(argument) for argument in arguments)
            return f"torch.stack([{inner}]).{plain}()", binds
        if plain == "select":
            condition, yes, no = arguments
            parts = [self.write(condition), self._tensor(yes), self._tensor(no)]
            return f"torch.where({', '.join(parts)})", binds
        if plain in _FUNCTIONS:
            inner = ", ".join(self._tensor(argument) for argument in arguments)
            return f"torch.{_FUNCTIONS[plain]}({inner})", binds
        return super()._call(function, arguments)

    def _tensor(self, part: Expression) -> str:
        """An operand of a function that takes tensors only."""
        return self.write(part) if not _is_number(part) else f"torch.tensor({self.write(part)})"


def _is_number(part: Expression) -> bool:
    """Is it made of numbers alone?"""
    if isinstance(part, Call):
        return all(_is_number(argument) for argument in part.arguments)
    return isinstance(part, Number)


_SAME = (
    "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "erf", "erfc", "floor", "ceil", "trunc", "fmod", "round", "sigmoid", "relu", "sign",
    "maximum", "minimum",
)  # fmt: skip
_FUNCTIONS = {name: name for name in _SAME} | {
    "absolute": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
}  # fmt: skip
