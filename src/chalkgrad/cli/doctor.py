"""`chalkgrad doctor`"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json as json_format
import os
import platform
from typing import Any

from chalkgrad import nn
from chalkgrad.cli.messages import Flag
from chalkgrad.core.errors import ChalkgradError
from chalkgrad.machine import cache, threads
from chalkgrad.machine.host import available, detect
from chalkgrad.training.fit import fit
from chalkgrad.training.steps import EXECUTORS
from chalkgrad.version import __version__

_REQUIRED = ("numpy", "safetensors", "rich", "cyclopts")
_EXTRAS = {
    "tables": ("pyarrow", "scikit-learn", "skops"),
    "plot": ("matplotlib",),
    "studio": ("starlette", "uvicorn", "websockets", "anywidget", "tomlkit"),
    "jax": ("jax", "jaxlib"),
}
_MODULES = {"scikit-learn": "sklearn"}


def doctor(*, json: Flag = False) -> int:
    """Say what is installed, which executors run here, and what a missing part would take.

    Parameters
    ----------
    json
        Print the findings as JSON.
    """
    found = findings()
    if json:
        print(json_format.dumps(found, indent=2))
        return 0
    version, python = found["chalkgrad"], found["python"]
    print(f"chalkgrad {version}, Python {python}, {found['machine']}, {found['cores']} cores")
    for name, version in found["packages"].items():
        print(f"  {name:<15} {version}")
    for extra, part in found["extras"].items():
        absent = ", ".join(part["missing"])
        state = f"missing {absent}: {part['install']}" if absent else "installed"
        print(f"  {f'[{extra}]':<15} {state}")
    for executor, state in found["executors"].items():
        print(f"  {executor:<15} {state}")
    for fact, state in found["native"].items():
        print(f"  {fact:<15} {state}")
    return 0


def findings() -> dict[str, Any]:
    """What this machine has."""
    extras = {}
    for extra, packages in _EXTRAS.items():
        missing = [p for p in packages if importlib.util.find_spec(_MODULES.get(p, p)) is None]
        extras[extra] = {"missing": missing, "install": f'pip install "chalkgrad[{extra}]"'}
    return {
        "chalkgrad": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": {name: importlib.metadata.version(name) for name in _REQUIRED},
        "extras": extras,
        "native": _native(),
        "executors": {f"executor {name}": _tried(name) for name in EXECUTORS},
    }


def _native() -> dict[str, str]:
    """What machine code is made for, and where it is kept."""
    missing = available()
    if missing:
        return {"native code": f"none: {missing}"}
    return {
        "native code": detect().name,
        "threads": f"{threads.default_size()} (CHALKGRAD_THREADS sets another number)",
        "compiled code": _kept(),
    }


def _kept() -> str:
    folder = cache.folder()
    return (
        "not kept: there is no home folder"
        if folder is None
        else (f"{folder}, {cache.size() / 1e6:.1f} MB")
    )


def _tried(executor: str) -> str:
    """Train two steps of a small network, and say what ran them."""
    try:
        history = fit(
            nn.Linear(2, 1), [[0.0, 1.0], [1.0, 0.0]], [1.0, 2.0],
            loss="mse", epochs=2, executor=executor, verbose=0,
        )  # fmt: skip
    except ChalkgradError as error:
        return f"does not run: {error}"
    return f"runs: {history.executor.partition(' (')[0]}"
