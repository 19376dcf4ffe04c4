"""Colours. Blue and orange differ for every kind of colour blindness; text has contrast ≥ 4.5."""

from __future__ import annotations

from chalkgrad.draw.picture import REST
from chalkgrad.formulas.labels import (
    ACTIVATION,
    INPUT,
    LOSS,
    LOSS_TERM,
    PARAMETER,
    TARGET,
    VALUE,
    WEIGHTED_SUM,
)

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b2330",
    "muted": "#566072",
    "line": "#7c8798",
    "faint": "#b4bdca",
    "plain": "#f4f6f9",
    "cool": "#e6f0fb",
    "warm": "#fdeedd",
    "positive": "#1f6fb8",
    "negative": "#c85a00",
    "forward": "#175a99",
    "backward": "#ad4c00",
}
DARK = {
    "paper": "#12161d",
    "ink": "#e8ecf2",
    "muted": "#a3adbd",
    "line": "#7f8a9b",
    "faint": "#515c6d",
    "plain": "#1c222c",
    "cool": "#15304c",
    "warm": "#43290c",
    "positive": "#5aa9ee",
    "negative": "#f08c2e",
    "forward": "#7dbcf5",
    "backward": "#f7a456",
}
# By kind: the tint, the border, whether it is dashed.
TINTS = {
    INPUT: ("plain", "line", False),
    TARGET: ("plain", "line", True),
    PARAMETER: ("paper", "line", False),
    WEIGHTED_SUM: ("paper", "positive", False),
    ACTIVATION: ("cool", "positive", False),
    VALUE: ("cool", "positive", False),
    LOSS_TERM: ("warm", "negative", False),
    LOSS: ("warm", "negative", False),
    REST: ("paper", "faint", True),
}


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--draw-{name}:{value}" for name, value in colours.items())


# Programs that know no variables skip @media rules too, and keep the attributes.
SCREEN = (
    f"@media screen{{.chalkgrad-draw{{{_variables(LIGHT)}}}"
    + "".join(
        f".chalkgrad-draw .f-{name}{{fill:var(--draw-{name})}}"
        f".chalkgrad-draw .s-{name}{{stroke:var(--draw-{name})}}"
        for name in LIGHT
    )
    + "}@media screen and (prefers-color-scheme:dark)"
    + f"{{.chalkgrad-draw{{{_variables(DARK)}}}}}"
)
