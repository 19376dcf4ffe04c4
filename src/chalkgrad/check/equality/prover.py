"""The other end of proofs: a program that reads formulas and says whether they vanish everywhere.

It runs in a process of its own, which is ended where it thinks too long. A question is one line of
JSON, a formula in postfix order: ["n", "1/2"] a number, ["x", 3] a name, ["c", "add", 2] a
function of so many operands. The answer is "true", "false" (not found) or "error".
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

try:
    import resource
except ImportError:  # not on every system
    resource = None  # type: ignore[assignment]


def limit_memory(megabytes: int) -> None:
    """Where the system can: more memory is refused, and the question with it."""
    if resource is not None:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


def functions(sympy: Any) -> dict[str, Callable[..., Any]]:
    """What each function is to sympy."""
    one, half = sympy.Integer(1), sympy.Rational(1, 2)
    return {
        "add": lambda a, b: a + b, "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b, "divide": lambda a, b: a / b, "negative": lambda a: -a,
        "reciprocal": lambda a: one / a, "square": lambda a: a**2, "power": lambda a, b: a**b,
        "sum": lambda *terms: sympy.Add(*terms), "prod": lambda *terms: sympy.Mul(*terms),
        "exp": sympy.exp, "expm1": lambda a: sympy.exp(a) - one, "log": sympy.log,
        "log1p": lambda a: sympy.log(one + a), "sqrt": sympy.sqrt, "rsqrt": lambda a: a**-half,
        "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan, "sinh": sympy.sinh,
        "cosh": sympy.cosh, "tanh": sympy.tanh, "sigmoid": lambda a: one / (one + sympy.exp(-a)),
        "erf": sympy.erf, "relu": lambda a: sympy.Max(0, a), "absolute": sympy.Abs,
        "max": sympy.Max, "min": sympy.Min, "maximum": sympy.Max, "minimum": sympy.Min,
    }  # fmt: skip


def built(sympy: Any, table: dict[str, Callable[..., Any]], tokens: list[list[Any]]) -> Any:
    """The formula, built by calls: no text of it is ever parsed by sympy."""
    stack: list[Any] = []
    for token in tokens:
        if token[0] == "n":
            over, _, under = token[1].partition("/")
            stack.append(sympy.Rational(int(over), int(under or 1)))
        elif token[0] == "x":
            stack.append(sympy.Symbol(f"x{int(token[1])}", real=True))
        else:
            count = token[2]
            operands = stack[len(stack) - count :]
            del stack[len(stack) - count :]
            stack.append(table[token[1]](*operands))
    return stack[0]


def vanishes(sympy: Any, formula: Any) -> bool:
    if formula == 0 or sympy.expand(formula) == 0:
        return True
    return bool(sympy.simplify(formula) == 0 or sympy.simplify(formula.rewrite(sympy.exp)) == 0)


def main() -> None:
    limit_memory(2048)
    import sympy  # here and nowhere else: its import takes longer than most questions

    table = functions(sympy)
    x = sympy.Symbol("x", real=True)
    vanishes(sympy, sympy.sin(x) ** 2 + sympy.cos(x) ** 2 - 1)  # loads what a first proof needs
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            print(json.dumps(vanishes(sympy, built(sympy, table, json.loads(line)))), flush=True)
        except Exception:
            print("error", flush=True)


if __name__ == "__main__":
    main()
