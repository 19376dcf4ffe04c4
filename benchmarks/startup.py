"""What it costs to begin: `import chalkgrad` beyond NumPy, and `--help`, in fresh processes."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

COMMANDS = {
    "numpy": [sys.executable, "-c", "import numpy"],
    "chalkgrad": [sys.executable, "-c", "import numpy, chalkgrad"],
    "help": [str(Path(sys.executable).with_name("chalkgrad")), "--help"],
}


def seconds(command: list[str]) -> float:
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return perf_counter() - start


def measure(rounds: int) -> dict[str, float]:
    """Medians of interleaved fresh processes, the first round (cold files) left out."""
    if find_spec("chalkgrad") is None:
        return {}
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    warm = {name: values[1:] for name, values in times.items()}
    beyond = [c - n for c, n in zip(warm["chalkgrad"], warm["numpy"], strict=True)]
    return {
        "import numpy": median(warm["numpy"]),
        "import chalkgrad, beyond numpy": median(beyond),
        "chalkgrad --help": median(warm["help"]),
    }
