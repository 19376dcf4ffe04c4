"""The slips that are known, by their names, the commoner ones first.

The order follows how often each is seen in published worked examples, questions and answers: see
the table of mistakes in the documentation of the checker. It decides between slips that give the
same number; it is no claim about any one person.
"""

from __future__ import annotations

# Of a derivative.
UPDATED = "updated weight used"
PATH = "path forgotten"
SIGN = "sign"
NO_SLOPE = "activation derivative forgotten"
SLOPE_OF_OUTPUT = "derivative taken at the activation"
SLOPE_OF_ERROR = "derivative taken at the error"
EXTRA_SLOPE = "activation derivative added"
TWO_MISSING, TWO_EXTRA = "factor 2 missing", "factor 2 too many"
MEAN_MISSING, MEAN_TWICE, MEAN_FOR_SUM = "1/n missing", "1/n twice", "mean for sum"
NO_INPUT = "input forgotten"
BIAS_NOT_SUMMED = "bias gradient not summed"
RECORDS_NOT_SUMMED = "records not summed"
ASSIGNED = "assigned in place of added"
NOT_TRANSPOSED = "weights not transposed"
OTHER_WEIGHT = "another weight"
OTHER_SUM = "derivative at another sum"
OTHER_FUNCTION = "another function"
LOCAL = "local derivative"
OTHER_INPUT = "another input"
NO_WEIGHT = "weight forgotten"
DOT = "dot for elementwise"
ACTIVATION_FOR_DELTA = "activation in place of its gradient"
NO_ERROR = "error not subtracted"
FACTOR = "factor forgotten"
LAST_FACTOR = "only the last factor"

# Of a quantity.
NO_BIAS = "bias forgotten"
NO_ACTIVATION = "activation forgotten"
NO_HALF, HALF_EXTRA = "½ forgotten", "½ too many"
NO_SQUARE = "square forgotten"
SWAPPED = "inputs swapped"
NO_TERM = "term forgotten"
OTHER_LOGARITHM = "logarithm to another base"

# Of an update.
ADDED = "added in place of subtracted"
NO_RATE = "learning rate forgotten"
OTHER_GRADIENT = "gradient of another parameter"
NO_OLD = "old weight forgotten"
OTHER_OLD = "another old weight"

# Of the number as it stands there.
ROUNDED_EARLY = "rounded early"
ROUNDED_WRONGLY = "rounded wrongly"
POINT_SHIFTED = "decimal point shifted"
DIGITS_SWAPPED = "digits swapped"
DIGIT_DROPPED = "digit dropped"
DIGIT_MISCOPIED = "digit miscopied"

ORDER = (
    UPDATED, ADDED, NO_RATE, PATH, SIGN, NO_SLOPE, SLOPE_OF_OUTPUT, SLOPE_OF_ERROR, EXTRA_SLOPE,
    NO_BIAS, NO_ACTIVATION, NO_HALF, NO_SQUARE,
    TWO_MISSING, TWO_EXTRA, HALF_EXTRA, MEAN_MISSING, MEAN_TWICE, MEAN_FOR_SUM, NO_INPUT,
    BIAS_NOT_SUMMED, RECORDS_NOT_SUMMED, ASSIGNED, NOT_TRANSPOSED, SWAPPED, OTHER_WEIGHT, OTHER_SUM,
    OTHER_GRADIENT, NO_OLD, OTHER_FUNCTION, OTHER_INPUT, NO_TERM, NO_WEIGHT, DOT,
    ACTIVATION_FOR_DELTA, NO_ERROR, OTHER_LOGARITHM, FACTOR, LOCAL, LAST_FACTOR, OTHER_OLD,
    ROUNDED_EARLY, ROUNDED_WRONGLY, DIGITS_SWAPPED, POINT_SHIFTED, DIGIT_DROPPED, DIGIT_MISCOPIED,
)  # fmt: skip
# What names a slip less well than another that gives the same number.
GENERAL = frozenset((LOCAL, FACTOR, LAST_FACTOR))
OF_DIGITS = frozenset(ORDER[ORDER.index(ROUNDED_EARLY) :])
RANK = {kind: rank for rank, kind in enumerate(ORDER)}
