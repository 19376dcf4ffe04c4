"""Where ordinary ends. Each number has its reason; the norms are Euclidean unless they say Σ|·|."""

from __future__ import annotations

# The gradient of the loss towards itself is 1. What is left of it below this is no more than what
# float32 rounds away from a sum of some ten terms of size 1.
TINY = 1e-6

# ‖g‖/‖w‖ of a layer beyond which a step with a learning rate of 1e-3 changes it by a tenth.
HUGE = 100.0
# Weights that are (nearly) all 0 measure nothing: they count as if they were of this size.
SMALLEST_WEIGHT = 0.1

# Initialisations are made to keep the gradient's size from layer to layer (Glorot and Bengio 2010,
# He et al. 2015): four powers of ten between the first and the last one are not ordinary.
VANISHED, EXPLODED = 1e-4, 1e4

# Of the steepest slope: σ′ has it beyond |z| = 8.3, tanh′ beyond |z| = 4.1.
SATURATED = 1e-3
# A unit whose incoming gradient is less than this part of its layer's largest is not wanted to
# change: that it is saturated or dead does no harm.
WANTED = 1e-3
# A share of a wide layer's units may rest in any one batch; half of them is a layer that is lost.
# In a layer of up to FEW units each one counts.
MOST, FEW = 0.5, 8

# |Σ c| / Σ|c| below which terms cancel: no more than what rounding leaves of them.
CANCELLED = 1e-5

# Sizes that make a gradient huge: standardised inputs are around 1, errors of scaled targets too.
LARGE_INPUT, LARGE_ERROR, LARGE_SLOPE, MANY = 10.0, 100.0, 1e3, 100

# The update-to-weight ratio of a layer is usually about 1e-3, a rule of thumb of general practice
# (course notes of CS231n, "Ratio of weights:updates"). Two powers of ten off it deserve a look.
RATIO_HIGH, RATIO_LOW = 1e-1, 1e-5
DEFAULT_RATE = 1e-3  # of torch.optim.SGD and Adam, where no optimizer is given
