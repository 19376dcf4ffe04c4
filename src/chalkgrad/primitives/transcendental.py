"""Functions of one element each: trigonometric, hyperbolic, and the error function."""

from __future__ import annotations

import numpy as np

from chalkgrad.core import special
from chalkgrad.core.primitive import Domain, Notation, Primitive, called
from chalkgrad.primitives.elementwise import AWAY, elementwise, exp, rsqrt

OPEN = Domain(-0.9, 0.9)

# fmt: off
cos = elementwise("cos", np.cos, lambda g, out, x: -g * sin(x), reads=called("cos", r"\cos"))
sin: Primitive = elementwise("sin", np.sin, lambda g, out, x: g * cos(x),
                             reads=called("sin", r"\sin"))
tan = elementwise("tan", np.tan, lambda g, out, x: g * (1 + out * out), domain=Domain(-1.2, 1.2),
                  reads=called("tan", r"\tan"))
arcsin = elementwise("arcsin", np.arcsin, lambda g, out, x: g * rsqrt(1 - x * x), domain=OPEN)
arccos = elementwise("arccos", np.arccos, lambda g, out, x: -g * rsqrt(1 - x * x), domain=OPEN)
arctan = elementwise("arctan", np.arctan, lambda g, out, x: g / (1 + x * x))
cosh = elementwise("cosh", np.cosh, lambda g, out, x: g * sinh(x))
sinh: Primitive = elementwise("sinh", np.sinh, lambda g, out, x: g * cosh(x))
arcsinh = elementwise("arcsinh", np.arcsinh, lambda g, out, x: g * rsqrt(x * x + 1))
arccosh = elementwise("arccosh", np.arccosh, lambda g, out, x: g * rsqrt(x * x - 1),
                      domain=Domain(1.2, 3.0))
arctanh = elementwise("arctanh", np.arctanh, lambda g, out, x: g / (1 - x * x), domain=OPEN)
arctan2 = elementwise("arctan2", np.arctan2, lambda g, out, a, b: g * b / (a * a + b * b),
                      lambda g, out, a, b: -g * a / (a * a + b * b), domain=AWAY,
                      reads=Notation("atan2({0}, {1})", r"\operatorname{{atan2}}({0}, {1})"))

# The error function, the rest of it up to 1, and its inverse.
erf = elementwise("erf", special.erf, lambda g, out, x: g * (2 / np.pi**0.5) * exp(-(x * x)))
erfc = elementwise("erfc", special.erfc, lambda g, out, x: g * (-2 / np.pi**0.5) * exp(-(x * x)))
erfinv = elementwise("erfinv", special.erfinv,
                     lambda g, out, x: g * (np.pi**0.5 / 2) * exp(out * out), domain=OPEN)
# fmt: on
