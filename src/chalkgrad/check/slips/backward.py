"""Every slip of a derivative, the commoner kinds first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalkgrad.check.slips.activations import Activations
from chalkgrad.check.slips.chain import Chain
from chalkgrad.check.slips.errors import Errors
from chalkgrad.check.slips.inputs import Inputs
from chalkgrad.check.slips.network import Network
from chalkgrad.check.slips.paths import Paths
from chalkgrad.check.slips.rules import Rules
from chalkgrad.check.slips.slip import Slip
from chalkgrad.check.slips.units import Units
from chalkgrad.check.slips.weights import Weights


def backward_slips(
    chain: Chain, network: Network, values: Mapping[str, float], updated: Mapping[str, float]
) -> Iterator[Slip]:
    """The slips of ∂of/∂by along a chain."""
    facts = chain, network, values, updated
    paths, weights, rules = Paths(*facts), Weights(*facts), Rules(*facts)
    yield from weights.updated_weights()
    yield from paths.paths()
    yield from Errors(*facts).errors()
    yield from Activations(*facts).slopes()
    yield from Errors(*facts).multiples()
    yield from Inputs(*facts).inputs()
    yield from paths.uses()
    yield from weights.weights()
    yield from Units(*facts).mixed_units()
    yield from rules.factors()
    yield from rules.rules()
