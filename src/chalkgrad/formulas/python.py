"""Formulas as plain Python, for the reader who wants to recompute them: `math` and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from keyword import iskeyword
from math import isfinite
from re import sub

from chalkgrad.core.errors import ArgumentError
from chalkgrad.formulas.expression import Call, Expression, Name, Number, Partial, Rest, parts
from chalkgrad.formulas.names import GREEK

_OR, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _CALL = range(1, 8)

# How tightly each form binds, and the form. Operands stand in brackets where they bind less.
INFIX = {
    "add": (_SUM, "+"), "subtract": (_SUM, "-"), "multiply": (_PRODUCT, "*"),
    "divide": (_PRODUCT, "/"), "floor_divide": (_PRODUCT, "//"), "remainder": (_PRODUCT, "%"),
    "power": (_POWER, "**"),
    "equal": (_COMPARISON, "=="), "not_equal": (_COMPARISON, "!="), "less": (_COMPARISON, "<"),
    "less_equal": (_COMPARISON, "<="), "greater": (_COMPARISON, ">"),
    "greater_equal": (_COMPARISON, ">="), "logical_and": (_OR, "and"), "logical_or": (_OR, "or"),
    "logical_xor": (_COMPARISON, "!="),
}  # fmt: skip
CALLS = {
    **{name: f"math.{name}" for name in (
        "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh",
        "erf", "erfc", "floor", "ceil", "trunc", "fmod")},
    "arcsin": "math.asin", "arccos": "math.acos", "arctan": "math.atan", "arctan2": "math.atan2",
    "arcsinh": "math.asinh", "arccosh": "math.acosh", "arctanh": "math.atanh",
    "absolute": "abs", "round": "round", "maximum": "max", "minimum": "min", "max": "max",
    "min": "min", "sigmoid": "sigmoid", "relu": "relu", "sign": "sign", "clip": "clip",
    "bounded_log": "bounded_log",
}  # fmt: skip
SAME = {"cast", "copy", "broadcast", "reshape"}  # one element of them is that element

# What plain Python has not. Each is the line that chalkgrad's record computes with NumPy.
HELPERS = {
    "sigmoid": """\
def sigmoid(x):
    e = math.exp(-abs(x))
    return 1 / (1 + e) if x >= 0 else e / (1 + e)""",
    "relu": """\
def relu(x):
    return max(x, 0.0)""",
    "sign": """\
def sign(x):
    return (x > 0) - (x < 0)""",
    "clip": """\
def clip(x, low=-math.inf, high=math.inf):
    return min(max(x, low), high)""",
    "bounded_log": """\
def bounded_log(x):
    return max(math.log(x), -100.0) if x > 0 else -100.0""",
}
RESERVED = {
    "math", "abs", "round", "max", "min", "float", "print", "True", "False", "None", "check",
    *HELPERS,
}  # fmt: skip


class Identifiers:
    """A Python name for each quantity: its own where that is one, and never one name for two.

    >>> known = Identifiers(["w5", "sum_h1[2]", "sum_h1_2", "lambda"])
    >>> [known[name] for name in ("w5", "sum_h1[2]", "sum_h1_2", "lambda")]
    ['w5', 'sum_h1_2_', 'sum_h1_2', 'lambda_']
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._found: dict[str, str] = {}
        wanted = list(dict.fromkeys(texts))
        for text in wanted:  # those that can stay as they are come first, so that they do
            if text.isascii() and text.isidentifier() and not _taken(text):
                self._found[text] = text
        self._used = set(self._found.values())
        for text in wanted:
            self[text]

    def __getitem__(self, text: str) -> str:
        if text not in self._found:
            name = _similar(text)
            while name in self._used or _taken(name):
                name += "_"
            self._found[text] = name
            self._used.add(name)
        return self._found[text]


def _taken(name: str) -> bool:
    return iskeyword(name) or name in RESERVED


def _similar(text: str) -> str:
    letters = {"∂": "d", "′": "_new"} | {chr(8320 + k): str(k) for k in range(10)}
    letters |= dict(zip("αβγδεζηθικλμνξ", GREEK, strict=False))
    spelled = "".join(letters.get(letter, letter) for letter in text)
    name = sub(r"[^A-Za-z0-9]+", "_", spelled).strip("_") or "x"
    return f"x_{name}" if name[0].isdigit() else name


@dataclass(frozen=True)
class PythonStyle:
    """How formulas are written in Python."""

    name: Callable[[str], str]  # from a quantity's name to an identifier

    def write(self, expression: Expression) -> str:
        """The formula as an expression of Python.

        Raises ArgumentError where a function has no meaning in plain Python (it is one of arrays).
        """
        return self._written(expression)[0]

    def _written(self, part: Expression) -> tuple[str, int]:
        if isinstance(part, (Number, Rest)):
            return number(part.value), _SIGN if part.value < 0 else _CALL
        if isinstance(part, Name):
            return self.name(part.text), _CALL
        if isinstance(part, Partial):
            return self.name(partial_name(part.of.text, part.by.text)), _CALL
        assert isinstance(part, Call)
        return self._call(part.function.partition(":")[0], part.arguments)

    def _call(self, function: str, arguments: tuple[Expression, ...]) -> tuple[str, int]:
        if function in SAME or (function in ("max", "min") and len(arguments) == 1):
            return self._written(arguments[0])
        if function in INFIX:
            return self._infix(function, arguments)
        if function in ("sum", "prod"):
            return self._fold(function, arguments)
        if function in CALLS:
            inner = ", ".join(self.write(argument) for argument in arguments)
            return f"{CALLS[function]}({inner})", _CALL
        return self._special(function, arguments)

    def _infix(self, function: str, arguments: tuple[Expression, ...]) -> tuple[str, int]:
        binds, sign = INFIX[function]
        chains = function in ("add", "subtract", "multiply", "divide")
        left = self._inside(arguments[0], binds if chains else binds + 1)
        right = self._inside(arguments[1], binds if function in ("add", "multiply") else binds + 1)
        return f"{left} {sign} {right}", binds

    def _fold(self, function: str, arguments: tuple[Expression, ...]) -> tuple[str, int]:
        binds, sign, empty = (_SUM, "+", "0.0") if function == "sum" else (_PRODUCT, "*", "1.0")
        if len(arguments) < 2:
            return self._written(arguments[0]) if arguments else (empty, _CALL)
        return f" {sign} ".join(self._inside(argument, binds) for argument in arguments), binds

    def _special(self, function: str, arguments: tuple[Expression, ...]) -> tuple[str, int]:
        if function == "negative":
            return f"-{self._inside(arguments[0], _SIGN)}", _SIGN
        if function == "reciprocal":
            return f"1 / {self._inside(arguments[0], _SIGN)}", _PRODUCT
        if function == "rsqrt":
            return f"1 / math.sqrt({self.write(arguments[0])})", _PRODUCT
        if function == "square":
            return f"{self._inside(arguments[0], _CALL)} ** 2", _POWER
        if function == "logical_not":
            return f"(not {self._inside(arguments[0], _COMPARISON)})", _CALL
        if function == "select":
            condition, yes, no = (self.write(argument) for argument in arguments)
            return f"({yes} if {condition} else {no})", _CALL
        raise ArgumentError(
            f"{function} cannot be written in plain Python: it is not a function of single "
            "numbers; write the formula over its elements"
        )

    def _inside(self, part: Expression, binds: int) -> str:
        text, own = self._written(part)
        return f"({text})" if own < binds else text


def number(value: float) -> str:
    """A number, in full: it reads back as the same bits.

    >>> number(0.1 + 0.2), number(float("inf"))
    ('0.30000000000000004', 'math.inf')
    """
    if isfinite(value):
        return repr(float(value))
    return {"inf": "math.inf", "-inf": "-math.inf"}.get(str(float(value)), "math.nan")


def partial_name(of: str, by: str) -> str:
    """What `Identifiers` knows the derivative ∂of/∂by as."""
    return f"d{of}\0d{by}"


def python(expression: Expression, name: Callable[[str], str] = str) -> str:
    """The formula as an expression of Python; `name` gives the identifier of a quantity.

    >>> from chalkgrad.formulas import Name, Number
    >>> python(Name("out") * (Number(1.0) - Name("out")))
    'out * (1.0 - out)'
    """
    return PythonStyle(name).write(expression)


def helpers(expressions: Iterable[Expression]) -> list[str]:
    """The definitions that these formulas need beside `math`."""
    used = {
        part.function for whole in expressions for part in parts(whole) if isinstance(part, Call)
    }
    return [text for name, text in HELPERS.items() if name in used]
