"""The machine that is measured: what a table of times means nothing without."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

BUSY = 0.5  # a mean load above this before we begin: other programs' threads would meet ours
PACKAGES = ("chalkgrad", "numpy", "llvmlite", "torch", "jax", "scikit-learn")
THREAD_SETTINGS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CHALKGRAD_THREADS",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Processor, system, versions, and the load before we begin."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def describe(facts: dict[str, Any]) -> str:
    """The facts in two or three lines."""
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    text = f"{facts['processor']}, {facts['processors']} processors\n{versions}"
    if busy(facts):
        text += f"\nThe machine is busy (load {facts['load_before']:.1f}): engines with threads"
        text += " suffer most."
    return text


def busy(facts: dict[str, Any]) -> bool:
    return (facts["load_before"] or 0.0) > BUSY


def bind(threads: int) -> None:
    """No more processors for this process than it has threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def with_threads(threads: int) -> dict[str, str]:
    """The environment of a process whose engine uses so many threads.

    Python keeps what it compiles of an imported file, as it does of an installed package: where
    that is switched off, every process would compile our files and none of the peers'.
    """
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | dict.fromkeys(THREAD_SETTINGS, str(threads))
