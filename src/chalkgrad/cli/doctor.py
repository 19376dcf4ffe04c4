"""`chalkgrad doctor`"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json as json_format
import os
import platform
from typing import Any

from chalkgrad.version import __version__

_REQUIRED = ("numpy", "safetensors", "rich", "cyclopts")
_EXTRAS = {
    "tables": ("pyarrow", "scikit-learn", "skops"),
    "plot": ("matplotlib",),
    "jax": ("jax", "jaxlib"),
}
_MODULES = {"scikit-learn": "sklearn"}


def doctor(*, json: bool = False) -> int:
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
    print(f"chalkgrad {found['chalkgrad']}, Python {found['python']}, {found['machine']}, {found['cores']} cores")
    for name, version in found["packages"].items():
        print(f"  {name:<13} {version}")
    for extra, part in found["extras"].items():
        state = "installed" if not part["missing"] else f'missing {", ".join(part["missing"])}: {part["install"]}'
        print(f"  [{extra}]".ljust(16) + state)
    for executor, state in found["executors"].items():
        print(f"  executor {executor:<6} {state}")
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
        "executors": {
            "numpy": "runs: a traced step is one program of NumPy calls",
            "eager": "runs: operation by operation, for steps that look at numbers",
        },
    }
