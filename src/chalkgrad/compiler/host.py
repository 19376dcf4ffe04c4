"""The processor: what decides the shapes of vectors and tiles."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_NATIVE = {"x86_64", "amd64", "aarch64", "arm64"}


@dataclass(frozen=True)
class Host:
    """A processor, as far as code is made for it."""

    triple: str
    cpu: str
    features: str
    vector: int  # bytes of a vector register: 16 (SSE2, NEON), 32 (AVX2) or 64 (AVX-512)
    registers: int  # vector registers
    fma: bool
    l1: int  # bytes of cache for data, of one core
    l2: int
    l3: int

    @property
    def name(self) -> str:
        """Processor and vector width, in words."""
        return f"{self.cpu}, vectors of {8 * self.vector} bits{' with FMA' if self.fma else ''}"


@cache
def available() -> str:
    """Why there is no native code here; empty if there is."""
    if os.environ.get("CHALKGRAD_NATIVE") == "0":
        return "it is switched off by CHALKGRAD_NATIVE=0"
    if os.name != "posix":
        return f"it is made for Linux and macOS, and this system is {os.name}"
    try:
        import llvmlite.binding as llvm

        triple = llvm.get_process_triple()
    except ImportError:
        return "llvmlite is not installed: pip install llvmlite"
    except (OSError, RuntimeError) as error:
        return f"llvmlite does not work here: {error}"
    kind = triple.split("-")[0]
    return "" if kind in _NATIVE else f"there is no code generator for {kind}"


@cache
def detect() -> Host:
    """This machine's processor. CHALKGRAD_VECTOR=16 or 32 keeps to narrower vectors."""
    import llvmlite.binding as llvm

    found = dict(llvm.get_host_cpu_features())
    triple = llvm.get_process_triple()
    arm = triple.startswith(("aarch64", "arm64"))
    vector = 64 if found.get("avx512f") else 32 if found.get("avx2") else 16
    flags = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(found.items()))
    host = Host(
        triple, llvm.get_host_cpu_name(), flags, vector,
        32 if vector == 64 or arm else 16, bool(arm or found.get("fma")),
        _cache_size(1, 32 << 10), _cache_size(2, 512 << 10), _cache_size(3, 8 << 20),
    )  # fmt: skip
    asked = os.environ.get("CHALKGRAD_VECTOR", "")
    return narrowed(host, int(asked)) if asked in ("16", "32") else host


def narrowed(host: Host, vector: int) -> Host:
    """The same processor with only vectors up to this many bytes; as it is, if it has no wider.

    LLVM reads the features in order. One that is on brings what it builds on (vaes: avx2), and one
    that is off takes along what builds on it (avx: fma, vaes), so what is off has to come last.
    """
    if vector >= host.vector:
        return host
    off = "avx512f" if vector == 32 else "avx"
    wide = "+avx512" if vector == 32 else "+avx"
    kept = [flag for flag in host.features.split(",") if not flag.startswith(wide)]
    flags = ",".join([*kept, f"-{off}"])
    return replace(host, features=flags, vector=vector, registers=16, fma=host.fma and vector == 32)


def _cache_size(level: int, otherwise: int) -> int:
    """Bytes of the data cache of a level, where the system tells it."""
    try:
        for folder in _CACHES.glob("index*"):
            kind = (folder / "type").read_text().strip()
            if int((folder / "level").read_text()) == level and kind != "Instruction":
                text = (folder / "size").read_text().strip()
                scale = {"K": 1 << 10, "M": 1 << 20}.get(text[-1:], 1)
                return int(text.rstrip("KM")) * scale
    except (OSError, ValueError):
        pass
    return otherwise
