"""What a person writes as a formula, read into an Expression.

The grammar is below; nothing that a person writes is ever executed. A formula is at most 2,000
characters, 500 symbols and 100 brackets in brackets, and is read in time proportional to that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedToken, v_args
from lark.lexer import Lexer

from chalkgrad.core.errors import FormulaError
from chalkgrad.formulas.expression import ONE, ZERO, Call, Expression, Name, Number, Partial
from chalkgrad.formulas.spelling import canonical, is_name
from chalkgrad.formulas.tokens import FUNCTIONS, OPERANDS, QUARTERS, Reader, cleaned, complaint

__all__ = ["FUNCTIONS", "canonical", "is_name", "parse"]

GRAMMAR = r"""
?start: choice
?choice: sum
       | sum IF sum RELATION sum ELSE choice        -> chosen
?sum: product
    | sum PLUS product                              -> add
    | sum MINUS product                             -> subtract
?product: signed
        | product TIMES signed                      -> multiply
        | product SLASH signed                      -> divide
?signed: power
       | MINUS signed                               -> negative
       | PLUS signed                                -> positive
?power: raised
      | raised CARET signed                         -> power
?raised: operand
       | operand RAISED                             -> superscript
?operand: NUMBER                                    -> number
        | HALF                                      -> half
        | NAME                                      -> name
        | EULER                                     -> euler
        | PARTIAL                                   -> partial
        | OPEN choice CLOSE                         -> bracket
        | OPEN_BAR choice CLOSE_BAR                 -> absolute
        | FRAC OPEN choice CLOSE OPEN choice CLOSE  -> fraction
        | FUNCTION OPEN choice (COMMA choice)* CLOSE                    -> call
        | FUNCTION RAISED OPEN choice (COMMA choice)* CLOSE             -> call_superscript
        | FUNCTION CARET NUMBER OPEN choice (COMMA choice)* CLOSE       -> call_power
%declare NUMBER HALF NAME EULER PARTIAL FUNCTION FRAC OPEN CLOSE OPEN_BAR CLOSE_BAR COMMA
%declare PLUS MINUS TIMES SLASH CARET RAISED RELATION IF ELSE
"""
DEEPEST = 120  # operations inside operations
_MANY = ("max", "min", "sum")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_RELATIONS = {
    ">": "greater", "<": "less", ">=": "greater_equal", "≥": "greater_equal",
    "<=": "less_equal", "≤": "less_equal",
}  # fmt: skip
_E = Call("exp", (ONE,))
_TWO = Number(2.0, "2")


def _apply(function: str, *arguments: Expression) -> Expression:
    """A function of the grammar: the primitive of that name, or what it is short for."""
    x = arguments[0]
    if function == "softplus":
        return Call("log", (ONE + Call("exp", (x,)),))
    if function == "leaky_relu":
        return Call("select", (_positive(x), x, Number(0.01) * x))
    return x if function == "identity" else Call(function, arguments)


def _positive(x: Expression) -> Expression:
    return Call("greater", (x, ZERO))


def _of(function: str) -> Callable[[Expression], Expression]:
    return lambda x: Call(function, (x,))


_sigmoid, _tanh, _tan, _square = _of("sigmoid"), _of("tanh"), _of("tan"), _of("square")
SLOPES: dict[str, Callable[[Expression], Expression]] = {
    "exp": _of("exp"),
    "log": lambda x: ONE / x,
    "sqrt": lambda x: ONE / (_TWO * Call("sqrt", (x,))),
    "sin": _of("cos"),
    "cos": lambda x: -Call("sin", (x,)),
    "tan": lambda x: ONE + _square(_tan(x)),
    "tanh": lambda x: ONE - _square(_tanh(x)),
    "sigmoid": lambda x: _sigmoid(x) * (ONE - _sigmoid(x)),
    "relu": lambda x: Call("select", (_positive(x), ONE, ZERO)),
    "leaky_relu": lambda x: Call("select", (_positive(x), ONE, Number(0.01))),
    "absolute": _of("sign"),
    "softplus": _sigmoid,
    "identity": lambda x: ONE,
}  # what a prime says: sigmoid'(z)


class _Problem(Exception):
    """What a rule found wrong, and the token where."""

    def __init__(self, token: Token, message: str) -> None:
        super().__init__(message)
        self.token, self.message = token, message


@v_args(inline=True)
class _Builder(Transformer[Token, Expression]):
    """A rule of the grammar into a part of the Expression."""

    def add(self, a: Expression, _: Token, b: Expression) -> Expression:
        return a + b

    def subtract(self, a: Expression, _: Token, b: Expression) -> Expression:
        return a - b

    def multiply(self, a: Expression, _: Token, b: Expression) -> Expression:
        return a * b

    def divide(self, a: Expression, _: Token, b: Expression) -> Expression:
        return a / b

    def negative(self, _: Token, x: Expression) -> Expression:
        if isinstance(x, Number):
            written = x.written or ""
            return Number(-x.value, written[1:] if written.startswith("-") else f"-{written}")
        if isinstance(x, Call) and x.function == "negative":
            return x.arguments[0]
        return -x

    def positive(self, _: Token, x: Expression) -> Expression:
        return x

    def power(self, base: Expression, _: Token, exponent: Expression) -> Expression:
        if base is _E:
            return Call("exp", (exponent,))
        if exponent == _TWO:
            return Call("square", (base,))
        return Call("power", (base, exponent))

    def superscript(self, base: Expression, raised: Token) -> Expression:
        digits = str(raised.value).translate(_RAISED)
        return self.power(base, raised, Number(_float(raised, digits), digits))

    def number(self, token: Token) -> Expression:
        text = str(token.value).replace("−", "-")
        return Number(_float(token, text), text)

    def half(self, token: Token) -> Expression:
        if token.value == "½":
            return Number(0.5, "½")
        over, under = QUARTERS[token.value]
        return Number(over, str(over)) / Number(under, str(under))

    def name(self, token: Token) -> Expression:
        return Name(token.value)

    def euler(self, _: Token) -> Expression:
        return _E

    def partial(self, token: Token) -> Expression:
        of, by = token.value
        return Partial(Name(of), Name(by))

    def bracket(self, _: Token, inner: Expression, __: Token) -> Expression:
        return inner

    def absolute(self, _: Token, inner: Expression, __: Token) -> Expression:
        return Call("absolute", (inner,))

    def fraction(self, *found: Any) -> Expression:
        over, under = (part for part in found if not isinstance(part, Token))
        return self.divide(over, found[0], under)

    def chosen(self, a: Expression, _: Token, *found: Any) -> Expression:
        left, relation, right, _, b = found
        condition = Call(_RELATIONS[relation.value], (left, right))
        return Call("select", (condition, a, b))

    def call(self, function: Token, *found: Any) -> Expression:
        arguments = [part for part in found if not isinstance(part, Token)]
        name, primed = function.value
        if len(arguments) > 1 and (primed or name not in _MANY):
            word = f"{name}'" if primed else name
            raise _Problem(function, f"{word} takes one number, not {len(arguments)}")
        if not primed:
            return _apply(name, *arguments)
        if name not in SLOPES:
            raise _Problem(function, f"{name} has no derivative here")
        return SLOPES[name](arguments[0])

    def call_superscript(self, function: Token, raised: Token, *found: Any) -> Expression:
        return self.superscript(self.call(function, *found), raised)

    def call_power(self, function: Token, _: Token, exponent: Token, *found: Any) -> Expression:
        return self.power(self.call(function, *found), _, self.number(exponent))


def _float(token: Token, text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _Problem(token, f"{text[:20]} is too large for a number")
    return value


class _Given(Lexer):
    """Hands the grammar the tokens of `tokens.py`."""

    def __init__(self, _: object) -> None: ...

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]
        return iter(data)


@cache
def _grammar() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer=_Given, transformer=_Builder())


def parse(
    text: str, known: Iterable[str] = frozenset(), *, activation: str | None = None
) -> Expression:
    """The formula that a person wrote.

    `known` are names that are there: where `dw` is one of them, `a/dw` is a division. `activation`
    is what f, g and φ stand for, as in f'(z); by itself `sigmoid'(z)` is a derivative, too.

    Raises FormulaError with the column, what was found and what was expected.

    >>> from chalkgrad.formulas.writing import text
    >>> text(parse("2(x + 1) - y^2"))
    '2 · (x + 1) − y²'
    >>> parse("dE/dw5")
    Partial(of=Name(text='E', latex=''), by=Name(text='w5', latex=''))
    >>> text(parse("tanh'(z)"))
    '1 − tanh(z)²'
    """
    keys = known if isinstance(known, frozenset) else frozenset(known)
    text = cleaned(text)
    tokens = Reader(text, _canonical_names(keys), activation).tokens()
    if not tokens:
        raise FormulaError("the formula is empty")
    try:
        expression: Any = _grammar().parse(tokens)
    except UnexpectedToken as error:
        raise _unexpected(text, error, tokens) from None
    except _Problem as problem:
        raise complaint(text, (problem.token.start_pos or 0) + 1, problem.message) from None
    _check_depth(expression)
    return expression  # type: ignore[no-any-return]


@lru_cache(maxsize=64)
def _canonical_names(known: frozenset[str]) -> frozenset[str]:
    return frozenset(map(canonical, known))


def _check_depth(expression: Expression) -> None:
    """Refuse a formula that is too deep for those that walk it."""
    work = [(expression, 1)]
    while work:
        part, depth = work.pop()
        if depth > DEEPEST:
            raise FormulaError(
                f"the formula has more than {DEEPEST} operations inside each other; give parts of "
                "it names of their own"
            )
        if isinstance(part, Call):
            work += [(argument, depth + 1) for argument in part.arguments]


def _unexpected(text: str, error: UnexpectedToken, tokens: list[Token]) -> FormulaError:
    token, kinds = error.token, {token.type for token in tokens}
    column, found = len(text) + 1, "the end of the formula"
    if token.type != "$END":
        column, found = (token.start_pos or 0) + 1, _shown(text, token, tokens)
    if token.type == "COMMA":
        message = "a comma has no place here; 0.5 is written with a point"
    elif "NAME" in error.expected:
        message = f"expected a number, a name or a bracket, found {found}"
    elif token.type in OPERANDS:
        message = f"{found} follows without an operator; write * to multiply"
    elif "IF" in kinds or token.type == "RELATION":
        message = f"a choice is written (a if x > 0 else b), found {found}"
    else:
        message = f"expected an operator, found {found}"
    return complaint(text, column, message)


def _shown(text: str, token: Token, tokens: list[Token]) -> str:
    """The token as its author wrote it."""
    start = token.start_pos or 0
    later = [other.start_pos or 0 for other in tokens if (other.start_pos or 0) > start]
    return text[start : min(later, default=len(text))].strip()[:30]
