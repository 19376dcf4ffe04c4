"""A program for test_checkpoint: train, be killed at a random moment, go on, and compare.

It forks for each run, so that chalkgrad is imported once. Prints one JSON line a trial.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

import numpy as np

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.training import loop

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0.5)


def train(folder: Path) -> None:
    """A run in which everything that has a state takes part; its result goes to a file."""
    cg.manual_seed(3)
    model = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.4), nn.Linear(8, 3)
    )
    history = cg.fit(
        model, X, Y, loss="cross_entropy", optimizer=lambda p: optim.Adam(p, lr=0.02), epochs=6,
        batch_size=9, validation=0.2, seed=1, stop="validation", verbose=0,
        scheduler=lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 6),
        checkpoint=folder / "run.safetensors", checkpoint_every=0.0, resume=True,
    )  # fmt: skip
    columns = {key: history[key] for key in history if key != "seconds"}
    result = {"weights": model.state_dict(), "columns": columns, "best": history.best_epoch}
    cg.save({**result, "after": cg.rand(3)}, folder / "result.safetensors")


def run(folder: Path, kill_at: int | None = None) -> bool:
    """In a process of its own, killed during or soon after a checkpoint; was it, before its end?"""
    reports, tell = os.pipe()
    child = os.fork()
    if child == 0:
        save = loop.save_checkpoint
        loop.save_checkpoint = lambda *parts: (os.write(tell, b"."), save(*parts))[1]
        try:
            train(folder)
        finally:
            os._exit(0)
    os.close(tell)
    for _ in range(kill_at or 0):
        os.read(reports, 1)
    if kill_at is not None:
        time.sleep(random.uniform(0, 0.004))  # a step and its checkpoint take about as long
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    os.close(reports)
    return os.WIFSIGNALED(status)


def main(folder: Path, seed: int, trials: int) -> None:
    random.seed(seed)
    whole = folder / "whole"
    whole.mkdir()
    run(whole)
    wanted = (whole / "result.safetensors").read_bytes()
    for trial in range(trials):
        place = folder / str(trial)
        place.mkdir()
        kills = sum(run(place, random.randint(1, 15)) for _ in range(1 + trial % 3))
        checkpoint = place / "run.safetensors"
        reached = cg.load(checkpoint)["place"] if checkpoint.exists() else {"epoch": 0, "batch": 0}
        run(place)
        same = (place / "result.safetensors").read_bytes() == wanted
        left = sorted(path.name for path in place.iterdir())
        moment = [reached["epoch"], reached["batch"]]
        print(json.dumps({"killed": kills, "moment": moment, "same": same, "left": left}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
