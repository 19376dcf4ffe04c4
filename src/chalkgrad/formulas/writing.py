"""Formulas as text and as LaTeX, by the notation in the records.

Brackets follow from how tightly a notation binds: an operand that binds less tightly than the
operation around it is put in brackets, where the notation does not enclose it already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10

from chalkgrad.core.primitive import Notation
from chalkgrad.formulas.expression import Call, Expression, Name, Number, Partial, Rest
from chalkgrad.formulas.names import latex_of
from chalkgrad.formulas.records import notation

DIGITS = 5  # decimals that are shown, unless asked otherwise
_CALL, _SUM, _PRODUCT, _SIGN = 9, 1, 2, 3
_ENCLOSING = {"divide", "reciprocal", "sqrt", "rsqrt", "exp"}  # in LaTeX they hold their operand
_TIGHT = {"power", "square", "transpose", "reciprocal"}  # x² of a sum, of a product, of a sign
_INDEXED = {"take", "take_along", "slice"}  # (a − b)[y]: what stands behind belongs to all of it
_STRICT = {"subtract", "divide", "remainder", "fmod", "floor_divide"}  # a − (b + c), a / (b / c)


def shown(value: float, digits: int = DIGITS) -> str:
    """A number for reading: `digits` decimals, and never fewer than three digits that count.

    >>> shown(0.080199), shown(-0.00049123), shown(0.5), shown(3.0), shown(3.2e-9)
    ('0.08020', '-0.000491', '0.5', '3', '3.20e-9')
    """
    if not isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    size = floor(log10(abs(value)))
    if -5 <= size < 9:
        decimals = max(digits, 2 - size) if size < 0 else digits
        text = f"{value:.{decimals}f}"
        return f"{value:.10g}" if is_exact(value, text) else text
    mantissa, _, exponent = f"{value:.{max(digits - 3, 2)}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def is_exact(value: float, text: str) -> bool:
    """Is the shown number the number? (A last bit of rounding in binary does not count.)"""
    return abs(float(text) - value) <= 4e-16 * abs(value)


@dataclass(frozen=True)
class Style:
    """How formulas are written down."""

    digits: int = DIGITS
    latex: bool = False

    def write(self, expression: Expression) -> str:
        """The formula in this style."""
        return self._written(expression)[0]

    def number(self, number: Number) -> str:
        text = number.written or shown(number.value, self.digits)
        if not self.latex:
            return text.replace("-", "−")
        if number.written and ("/" in text or text == "½"):
            above, _, below = text.replace("½", "1/2").partition("/")
            return rf"\frac{{{above}}}{{{below}}}"
        mantissa, e, exponent = text.partition("e")
        special = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\text{NaN}"}.get(text)
        return special or (rf"{mantissa} \cdot 10^{{{exponent}}}" if e else text)

    def _written(self, part: Expression) -> tuple[str, int]:
        """The text, and how tightly it binds."""
        if isinstance(part, Number):
            binds = _SIGN if part.value < 0 else _CALL
            return self.number(part), _PRODUCT if "cdot" in self.number(part) else binds
        if isinstance(part, Name):
            return (part.latex or latex_of(part.text)) if self.latex else part.text, _CALL
        if isinstance(part, Partial):
            return self._partial(part)
        if isinstance(part, Rest):
            return self._rest(part), _CALL
        assert isinstance(part, Call)
        if part.function in ("sum", "prod"):
            return self._joined(part)
        if part.function in ("max", "min"):
            inner = ", ".join(self.write(argument) for argument in part.arguments)
            name = f"\\{part.function}" if self.latex else part.function
            return f"{name}({inner})", _CALL
        return self._call(part)

    def _partial(self, part: Partial) -> tuple[str, int]:
        of, by = self._written(part.of)[0], self._written(part.by)[0]
        if self.latex:
            return rf"\frac{{\partial {of}}}{{\partial {by}}}", _CALL
        return f"∂{of}/∂{by}", _SIGN

    def _rest(self, part: Rest) -> str:
        words = f"{part.count} more term{'' if part.count == 1 else 's'}: "
        value = self.number(Number(part.value))
        return rf"(\text{{{words}}} {{{value}}})" if self.latex else f"({words}{value})"

    def _joined(self, part: Call) -> tuple[str, int]:
        """Terms or factors of any number, side by side."""
        total = part.function == "sum"
        if not part.arguments:
            return ("0" if total else "1"), _CALL
        if len(part.arguments) == 1:
            return self._written(part.arguments[0])
        binds = _SUM if total else _PRODUCT
        text = ""
        for k, argument in enumerate(part.arguments):
            negated = total and isinstance(argument, Call) and argument.function == "negative"
            if negated and k:
                assert isinstance(argument, Call)
                inner = self._inside(argument.arguments[0], _PRODUCT, first=False)
                text += f" {self._minus} {inner}"
                continue
            sign = " + " if total else f" {self._times} "
            text += (sign if k else "") + self._inside(argument, binds, first=k == 0)
        return text, binds

    def operands(self, factors: Sequence[Expression]) -> list[str]:
        """Each factor as it stands in a product."""
        return [self._inside(factor, _PRODUCT, first=k == 0) for k, factor in enumerate(factors)]

    @property
    def _minus(self) -> str:
        return "-" if self.latex else "−"

    @property
    def _times(self) -> str:
        return r"\cdot" if self.latex else "·"

    def _inside(self, part: Expression, binds: int, *, first: bool = True) -> str:
        """An operand, in brackets where it binds less tightly. (A sign in the middle does, too.)"""
        return self._bracketed(*self._written(part), binds, first=first)

    def _bracketed(self, text: str, own: int, binds: int, *, first: bool) -> str:
        if own < binds or (not first and text.startswith(("-", "−"))):
            return rf"\left({text}\right)" if self.latex else f"({text})"
        return text

    def _call(self, part: Call) -> tuple[str, int]:
        reads: Notation = notation(part.function)
        template, binds = (reads.latex if self.latex else reads.text), reads.binds
        written = [self._written(argument) for argument in part.arguments]
        if template == "{0}":
            return written[0]
        holds = binds == _CALL or part.function == "exp"
        if holds or (self.latex and part.function in _ENCLOSING):
            operands = [text for text, _ in written]
        else:
            operands = [self._operand(part, k, *pair, binds) for k, pair in enumerate(written)]
        if part.function in _INDEXED:
            operands[0] = self._bracketed(*written[0], _CALL, first=True)
        if "{1}" not in template and "{0}" in template and len(operands) > 1:
            operands = [", ".join(operands)]  # a call of several operands
        text = template.format(*operands)
        if part.function == "negative":
            binds = min(binds, written[0][1])
        return text, _CALL if self.latex and part.function in _ENCLOSING else binds

    def _operand(self, part: Call, k: int, text: str, own: int, binds: int) -> str:
        if part.function == "power" and k == 1 and self.latex:
            return text  # it stands above
        tight = binds
        if (part.function in _STRICT and k == 1) or part.function in _TIGHT:
            tight = binds + 1
        elif part.function == "negative":
            tight = _PRODUCT
        elif part.function == "hadamard" and _is_matmul(part.arguments[k]):
            tight = _PRODUCT + 1  # (δ W) ⊙ σ′(z): two kinds of product, kept apart
        return self._bracketed(text, own, tight, first=k == 0)


def _is_matmul(part: Expression) -> bool:
    return isinstance(part, Call) and part.function == "matmul"


def text(expression: Expression, digits: int = DIGITS) -> str:
    """The formula in a line of Unicode.

    >>> from chalkgrad.formulas import Name, Number
    >>> text(Name("out") * (Number(1.0) - Name("out")))
    'out · (1 − out)'
    """
    return Style(digits).write(expression)


def latex(expression: Expression, digits: int = DIGITS) -> str:
    r"""The formula in LaTeX.

    >>> from chalkgrad.formulas import Name, Number
    >>> latex(Name("y") / (Number(1.0) - Name("w5")))
    '\\frac{y}{1 - w_{5}}'
    """
    return Style(digits, latex=True).write(expression)


def factors(product: Expression) -> tuple[Expression, ...]:
    """What a product multiplies, products in it taken apart; nothing of what is no product."""
    if not (isinstance(product, Call) and product.function in ("prod", "multiply")):
        return ()
    return tuple(inner for part in product.arguments for inner in factors(part) or (part,))


def factors_shown(product: Expression, digits: int = DIGITS, *, latex: bool = False) -> list[str]:
    """The factors as they stand in the product, with their brackets.

    >>> from chalkgrad.formulas import Name, Number
    >>> factors_shown(Name("out") * (Number(1.0) - Name("out")))
    ['out', '(1 − out)']
    """
    return Style(digits, latex).operands(factors(product))
