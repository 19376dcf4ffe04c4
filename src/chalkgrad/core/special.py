"""The error function, its complement and its inverse, for whole NumPy arrays.

NumPy has none of the three.  Near the origin and far from it, each follows an elementary function
that NumPy does have, and a polynomial P (a different one in each line) corrects the ratio:

    erf(x)    = x (1 + P(x²))                                 |x| < 1
              = sign(x) (1 - erfc(|x|))                       beyond
    erfc(x)   = 1 - erf(x)                                    |x| < 1/2
              = exp(-x²) (1 + P(t)) / (x + f)                 x ≥ 1/2,   t = (x - f) / (x + f)
              = 2 - erfc(-x)                                  x ≤ -1/2
    erfinv(y) = y (1 + P(y²))                                 |y| < 0.7
              = sign(y) s (1 + P(t)),  s = sqrt(-log(1 - |y|)),  t = (s - f) / (s + f)

The fold t turns a long interval with a slow decay into a short one about 0, on which 26
coefficients reach float64.  (M. M. Shepherd and J. G. Laframboise expand ``exp(x²) erfc(x)`` in
the same way: Math. Comp. 36, 1981, 249-253.)  They are fitted by ``tools/fit_special.py``, and
each dtype has its own, so that float32 is computed in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["erf", "erfc", "erfinv"]

Float = TypeVar("Float", np.float32, np.float64)
Array: TypeAlias = npt.NDArray[Any]
Coefficients: TypeAlias = tuple[float, ...]

# Some thirty to sixty passes are made over each block, so a block and its temporaries have to stay
# in the L2 cache, and still be long enough to hide the cost of a call: blocks of 1,024 elements
# took four times as long, and 100,000 float64 elements in one block twice as long.
BLOCK = 16384

# Printed by tools/fit_special.py, as far as the formatter is off.
# fmt: off
ERF_NEAR = 1.0  # erf(x) has a polynomial of its own up to here, then is 1 - erfc(x)
ERFC_NEAR = 0.5  # erfc(x) is 1 - erf(x) up to here; beyond, that would cancel
ERFC_FOLD = 1.5  # of t = (x - f) / (x + f): [0.5, 28] becomes [-0.5, 0.9]
ERFC_END_32 = 10.25  # erfc(x) rounds to 0 in float32 from here
ERFC_END_64 = 28.0  # and in float64
ERFINV_NEAR = 0.7  # erfinv(y) follows y up to here, then sqrt(-log(1 - y))
ERFINV_FOLD = 2.0  # of t = (s - f) / (s + f): [1.09, 6.1] becomes [-0.3, 0.5]
# erf(x)/x - 1 in x²: relative error 1.3e-09
ERF_32 = (
    7.875875e-05, -0.00080168643, 0.0051890872, -0.026854211, 0.11283594, -0.37612626, 0.12837917,
)
# erfc(x) exp(x²) (x + ERFC_FOLD) - 1 in t: relative error 7.2e-10
ERFC_32 = (
    -0.00029210557, -0.000116884294, 0.00090719183, 0.0017873034, -0.00081509806, -0.00946282,
    -0.00811943, 0.047768418, 0.0756218, -0.50785, -0.03524375,
)
# erfinv(y)/y - 1 in y²: relative error 7.1e-09
ERFINV_32 = (
    0.35856697, -0.39257726, 0.29593655, -0.029325599, 0.07965172, 0.085090354, 0.12762785,
    0.23201233, -0.11377307,
)
# erfinv(y)/s - 1 in t, where s = sqrt(-log(1 - y)): relative error 2.4e-09
ERFINV_TAIL_32 = (
    0.062504776, -0.030567564, -0.07000958, 0.13909401, -0.1283041, 0.006681167, 0.2019438,
    -0.4237627, 0.4309177, -0.16590585,
)
# erf(x)/x - 1 in x²: relative error 1.4e-19
ERF_64 = (
    5.957176147748911e-11, -1.1372848856791674e-09, 1.4659775274047436e-08, -1.6350312701054695e-07,
    1.6461000484121368e-06, -1.4925595266831182e-05, 0.0001205533111164271, -0.000854832698083379,
    0.0052239776248180145, -0.026866170645076792, 0.11283791670954879, -0.3761263890318375,
    0.1283791670955126,
)
# erfc(x) exp(x²) (x + ERFC_FOLD) - 1 in t: relative error 2.9e-18
ERFC_64 = (
    2.658738554278607e-07, -3.4705794296829417e-07, -1.201441940074251e-06, 1.4371608288639418e-06,
    1.4631874791824082e-06, -5.034223025381776e-07, 4.550403685670586e-08, -1.4612147051863445e-06,
    -5.323641546683624e-06, -5.20086019665263e-06, 4.606036020171618e-06, 2.4860254534580844e-05,
    3.854472857110614e-05, 8.864135973085137e-07, -0.0001263591464258782, -0.0002568279310484453,
    -4.627874554749709e-05, 0.0008841759298912531, 0.0017718764724815627, -0.0008103169119976453,
    -0.009461374774514624, -0.008119797884967797, 0.047768369612931676, 0.07562180627476128,
    -0.5078500102300881, -0.035243750637047495,
)
# erfinv(y)/y - 1 in y²: relative error 8.5e-18
ERFINV_64 = (
    4.204213998121544, -16.215297739384447, 29.780421487788228, -33.87763828706502,
    26.659111654350998, -15.248553469135903, 6.592415344490574, -2.1432006090295945,
    0.5715978254999686, -0.0824893574891324, 0.04415918748879335, 0.029837738474981557,
    0.036624259867770195, 0.04282685655659256, 0.05173171317152396, 0.06495960523292446,
    0.08655212946282363, 0.12755617530353336, 0.23201366653466213, -0.11377307454724199,
)
# erfinv(y)/s - 1 in t, where s = sqrt(-log(1 - y)): relative error 1.8e-18
ERFINV_TAIL_64 = (
    0.0055671954315712, -0.015202462980983019, 0.010294951707138298, 0.014938558052214737,
    -0.038383076774432465, 0.037207125465339906, -0.009884450396558449, -0.027778035702526505,
    0.053172669992338197, -0.0485900522856364, 0.011315722621638031, 0.04099660860914988,
    -0.07798861829767864, 0.07119893378567586, -0.013667034213685036, -0.07264412174273636,
    0.13776537373194095, -0.12811413059564666, 0.006724927245941937, 0.2019390574845356,
    -0.4237632183630609, 0.4309177302835981, -0.16590584197075176,
)
# fmt: on


@dataclass(frozen=True)
class _Fits:
    """What one dtype needs: its polynomials, the end of its erfc, and how to halve its numbers.

    Coefficients have the highest power first. ``splitter`` is ``2**k + 1``, where
    k is half the bits of the significand, rounded up.
    """

    erf: Coefficients
    erfc: Coefficients
    erfinv: Coefficients
    erfinv_tail: Coefficients
    erfc_end: float
    splitter: float


_FITS = {
    np.dtype(np.float32): _Fits(
        ERF_32, ERFC_32, ERFINV_32, ERFINV_TAIL_32, erfc_end=ERFC_END_32, splitter=2.0**12 + 1
    ),
    np.dtype(np.float64): _Fits(
        ERF_64, ERFC_64, ERFINV_64, ERFINV_TAIL_64, erfc_end=ERFC_END_64, splitter=2.0**27 + 1
    ),
}


def erf(x: npt.NDArray[Float]) -> npt.NDArray[Float]:
    """The error function, ``2/√π ∫₀ˣ exp(-t²) dt``, elementwise.

    Takes float32 or float64 of any shape, and returns the same; never warns. Measured
    errors stay below 1.5 ulp in either dtype.

    >>> erf(np.array([-np.inf, 0.0, 0.5]))
    array([-1.        ,  0.        ,  0.52049988])
    """
    return _by_blocks(_erf_block, x)


def erfc(x: npt.NDArray[Float]) -> npt.NDArray[Float]:
    """The complement ``1 - erf(x)``, elementwise, accurate where that difference would vanish.

    Takes float32 or float64 of any shape, and returns the same; never warns. Measured
    errors stay below 4.2 ulp in float32 and 4 ulp in float64, as far as erfc(27) = 5e-319.

    >>> erfc(np.array([0.0, 6.0, np.inf]))
    array([1.00000000e+00, 2.15197367e-17, 0.00000000e+00])
    """
    return _by_blocks(_erfc_block, x)


def erfinv(y: npt.NDArray[Float]) -> npt.NDArray[Float]:
    """The x with ``erf(x) = y``, elementwise: ±inf at ±1, nan outside [-1, 1].

    Takes float32 or float64 of any shape, and returns the same; never warns. Measured
    errors stay below 3.2 ulp in either dtype.

    >>> erfinv(np.array([0.0, 0.5, 1.0, 2.0]))
    array([0.        , 0.47693628,        inf,        nan])
    """
    return _by_blocks(_erfinv_block, y)


def _by_blocks(block: Callable[[Array, _Fits], Array], x: npt.NDArray[Float]) -> npt.NDArray[Float]:
    """Apply ``block`` to the elements of ``x``, a cacheful at a time."""
    fits = _FITS[x.dtype]
    flat = x.ravel()
    out = np.empty_like(flat)
    # The near polynomial is evaluated on far elements too, and then overwritten: it may overflow.
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, BLOCK):
            out[start : start + BLOCK] = block(flat[start : start + BLOCK], fits)
    return out.reshape(x.shape)


def _erf_block(x: Array, fits: _Fits) -> Array:
    out = _corrected(x, fits.erf, x * x)
    magnitude = np.abs(x)
    far = np.flatnonzero(magnitude >= ERF_NEAR)
    if far.size:
        out[far] = 1 - _erfc_far(magnitude[far], fits)
    return np.copysign(out, x)


def _erfc_block(x: Array, fits: _Fits) -> Array:
    out = 1 - _corrected(x, fits.erf, x * x)
    magnitude = np.abs(x)
    far = np.flatnonzero(magnitude >= ERFC_NEAR)
    if far.size:
        tail = _erfc_far(magnitude[far], fits)
        out[far] = np.where(x[far] < 0, 2 - tail, tail)
    return out


def _erfinv_block(y: Array, fits: _Fits) -> Array:
    out = _corrected(y, fits.erfinv, y * y)
    magnitude = np.abs(y)
    far = np.flatnonzero(magnitude >= ERFINV_NEAR)
    if far.size:
        out[far] = _erfinv_far(magnitude[far], fits)
    return np.copysign(out, y)  # of -0 too, which the correction loses


def _erfc_far(x: Array, fits: _Fits) -> Array:
    """``erfc(x)`` for x ≥ 1/2.

    ``exp`` turns the rounding of x² into a relative error of up to x² ulp, so the rounding is
    computed too, exactly, and multiplied back in: ``exp(-x²) = exp(-square) (1 - lost)``.
    """
    x = np.minimum(x, fits.erfc_end)
    square = x * x
    lost = _lost_in_square(x, square, fits.splitter)
    reciprocal = 1 / (x + ERFC_FOLD)
    out = _corrected(reciprocal, fits.erfc, (x - ERFC_FOLD) * reciprocal)
    out -= out * lost
    # In float64 because NumPy's float32 exp alone is off by 2 ulp.
    np.multiply(out, np.exp(-square, dtype=np.float64), out=out)
    return out


def _erfinv_far(y: Array, fits: _Fits) -> Array:
    """``erfinv(y)`` for y ≥ 0.7. Beyond 1, the logarithm is nan and stays so."""
    s = np.sqrt(-np.log(1 - y))
    out = _corrected(s, fits.erfinv_tail, (s - ERFINV_FOLD) / (s + ERFINV_FOLD))
    out[y == 1] = np.inf
    return out


def _lost_in_square(x: Array, square: Array, splitter: float) -> Array:
    """``x² - square`` exactly, where ``square`` is x² rounded.

    T. J. Dekker splits x into two halves whose products are exact (Numer. Math. 18, 1971, 224-242).
    """
    scaled = x * splitter
    high = scaled - (scaled - x)
    low = x - high
    return (high * high - square) + 2 * high * low + low * low


def _corrected(guide: Array, coefficients: Coefficients, t: Array) -> Array:
    """``guide + guide P(t)``, with P by Horner's rule, highest power first.

    As P is small, its rounding errors are too: what remains is mostly that of the last sum.
    """
    out = np.full_like(t, coefficients[0])
    for coefficient in coefficients[1:]:
        out *= t
        out += coefficient
    out *= guide
    out += guide
    return out
