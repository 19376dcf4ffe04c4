"""What the elements of an array are called on the board, and what part they play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

INPUT, TARGET, PARAMETER = "input", "target", "parameter"
WEIGHTED_SUM, ACTIVATION = "weighted sum", "activation"
LOSS_TERM, LOSS, VALUE = "loss term", "loss", "value"
GIVEN = (INPUT, TARGET, PARAMETER)


@dataclass(frozen=True, eq=False)
class Label:
    """The names of one array's elements.

    Either `names` has them, an array of strings in the array's shape, or they are `base` with the
    place in brackets: layers.0.weight[1,0].
    """

    kind: str  # one of the words above
    names: NDArray[Any] | None
    layer: int | None = None  # counted from 1, at the input side
    records: bool = False  # does the first axis count records?
    latex: NDArray[Any] | None = None  # in the same shape, where the names do not say it
    base: str = ""

    def name(self, index: tuple[int, ...]) -> str:
        """The name of one element."""
        if self.names is not None:
            return str(self.names[index])
        return f"{self.base}[{','.join(map(str, index))}]" if index else self.base
