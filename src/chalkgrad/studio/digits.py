"""The digits of the gallery: a 64-32-10 network that has seen the real images a few times."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from chalkgrad.data.sets import load
from chalkgrad.studio.net import Image, Net
from chalkgrad.studio.network import Records, Stage, drawn_network

_HIDDEN, _EPOCHS, _SEED = 32, 4, 0
_DARKEST = 16  # of a pixel


@cache  # half a second of reading, compiling and training, once in a process
def digits() -> Net:
    """The network, trained on the native executor when it is first opened."""
    data = load("digits")
    stages = (Stage(_HIDDEN, "tanh"), Stage(10, "identity"))
    network = drawn_network([64, _HIDDEN, 10], stages, _SEED)
    records = Records(data.x / _DARKEST, np.asarray(data.y), "cross_entropy")
    made = Net(
        "Handwritten digits", data.source, network, records,
        update={"rule": "sgd", "learning_rate": 0.2}, seed=_SEED,
        image=Image(8, 8, tuple(data.target_names)),
    )  # fmt: skip
    trainer = made.trainer()
    trainer.begin(made.values, None)
    trainer.advance(0, _EPOCHS * made.updates_an_epoch)
    note = (
        f"trained on the images for {_EPOCHS} epochs already; draw all weights anew to see it learn"
    )
    trained = made.with_values(trainer.held().values)
    return replace(trained, network=replace(trained.network, notes=(note,)))
