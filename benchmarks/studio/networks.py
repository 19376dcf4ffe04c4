"""The networks that are shown, and `python -m benchmarks.studio.networks NAME`, a server of one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import numpy as np

import chalkgrad as cg
from chalkgrad.nn import Linear, ReLU, Sequential
from chalkgrad.optim import Adam
from chalkgrad.studio.gallery import Gallery
from chalkgrad.studio.models import of_model
from chalkgrad.studio.serving import Place, serve
from chalkgrad.studio.session import Session
from chalkgrad.studio.subject import Subject
from chalkgrad.studio.visits import Visits


def _large() -> Subject:
    """784-256-128-10, on random images."""
    cg.manual_seed(0)
    random = np.random.default_rng(0)
    model = Sequential(Linear(784, 256), ReLU(), Linear(256, 128), ReLU(), Linear(128, 10))
    x = random.random((2000, 784), np.float32)
    optimizer = Adam(model.parameters(), lr=1e-3)
    title = "Three layers on random images"
    return of_model(model, x, random.integers(0, 10, 2000), optimizer=optimizer, title=title)


NETWORKS: dict[str, Callable[[], Subject]] = {
    "2-2-1": partial(Gallery().open, "lecture_002"),
    "64-32-10": partial(Gallery().open, "digits"),
    "784-256-128-10": _large,
}


def main() -> None:
    """Serve one network until interrupted, and print the address."""
    subject = NETWORKS[sys.argv[1]]()
    place = Place.taken(port=0)
    print(place.address, flush=True)
    serve(place, Visits(partial(Session, subject)))


if __name__ == "__main__":
    main()
