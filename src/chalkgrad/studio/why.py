"""Why is this gradient what it is: the derivation of one quantity, as a reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalkgrad.explain import Derivation, Gradient
from chalkgrad.explain.board import Path
from chalkgrad.formulas import Partial, latex, text
from chalkgrad.studio.blocks import Lighten, blocks_of, forward_blocks
from chalkgrad.studio.numbers import number
from chalkgrad.studio.places import Lights

Json = dict[str, Any]


def why_of(derivation: Derivation, lights: Lighten, between: Any) -> Json:
    """The reply: blocks, the derivation as data, and the paths one by one."""
    (gradient,) = derivation.gradients
    symbol = Partial(gradient.of, gradient.wrt)
    return {
        "name": text(symbol),
        "value": number(gradient.value),
        "title": latex(symbol),
        "blocks": blocks_of(derivation.document(), lights),
        "derivation": derivation.to_dict(),
        "paths": [_path(path, gradient, between) for path in gradient.paths],
    }


def forward_of(derivation: Derivation, lights: Lighten) -> Json:
    """The reply of who asks why the loss is what it is: the forward pass."""
    board = derivation.board
    loss = board.quantities[board.loss]
    return {
        "name": loss.name.text,
        "value": number(loss.value),
        "title": latex(loss.name),
        "blocks": forward_blocks(derivation.document("board"), lights),
        "derivation": derivation.to_dict(),
        "paths": [],
    }


def _path(path: Path, gradient: Gradient, between: Any) -> Json:
    whole = sum(abs(other.value) for other in gradient.paths)
    pairs: Sequence[tuple[str, str]] = [(ln.of.text, ln.by.text) for ln in path.locals]
    lights: Lights = between(pairs)
    return {
        "through": [name.text for name in path.through],
        "value": number(path.value),
        "share": number(abs(path.value) / whole) if whole else 0.0,
        "lights": lights,
    }
