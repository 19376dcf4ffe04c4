"""The processor: what decides the shapes of vectors and tiles.

LLVM knows it. Importing LLVM takes longer than all else of loading a compiled program, so what it
says of a processor is kept in the cache under the system's own description of that processor.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from chalkgrad.core.errors import NotCompilable
from chalkgrad.machine.cache import fetch

_DESCRIPTION = Path("/proc/cpuinfo")
_DESCRIBES = {  # lines that tell one kind of processor from another, and not its state right now
    "vendor_id", "cpu family", "model", "model name", "stepping", "cache size", "flags",
    "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features",
}  # fmt: skip
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
        kind = processor().triple.split("-")[0]
    except NotCompilable as error:
        return str(error)
    return "" if kind in _NATIVE else f"there is no code generator for {kind}"


@cache
def library() -> Any:
    """LLVM, ready to generate code. NotCompilable says why it is not here."""
    try:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
    except ImportError:
        raise NotCompilable("llvmlite is not installed: pip install llvmlite") from None
    except (OSError, RuntimeError) as error:
        raise NotCompilable(f"llvmlite does not work here: {error}") from error
    return llvm


@cache
def release() -> str:
    """Which LLVM generates the code. NotCompilable where there is none."""
    try:
        import llvmlite  # its number only: the library itself is in `llvmlite.binding`
    except ImportError:
        raise NotCompilable("llvmlite is not installed: pip install llvmlite") from None
    return f"llvmlite {llvmlite.__version__}"


@cache
def detect() -> Host:
    """This machine's processor. CHALKGRAD_VECTOR=16 or 32 keeps to narrower vectors."""
    host, asked = processor(), os.environ.get("CHALKGRAD_VECTOR", "")
    return narrowed(host, int(asked)) if asked in ("16", "32") else host


@cache
def processor() -> Host:
    """This machine's processor, with all that it has."""
    version, described = release(), _described()
    if not described:
        return _asked()
    key = repr((described, version)).encode() + Path(__file__).read_bytes()
    payload, _ = fetch(key, lambda: json.dumps(asdict(_asked())).encode())
    return Host(**json.loads(payload))


def _described() -> list[str]:
    """The system's description of the first processor; empty where it gives none."""
    try:
        with open(_DESCRIPTION) as stream:  # of hundreds of processors; only the start is read
            lines = [*islice(stream, 64)]
    except OSError:
        return []
    first = lines[: lines.index("\n")] if "\n" in lines else lines
    return [line for line in first if line.partition(":")[0].strip() in _DESCRIBES]


def _asked() -> Host:
    """What LLVM says."""
    llvm = library()
    found = dict(llvm.get_host_cpu_features())
    triple = llvm.get_process_triple()
    arm = triple.startswith(("aarch64", "arm64"))
    vector = 64 if found.get("avx512f") else 32 if found.get("avx2") else 16
    flags = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(found.items()))
    return Host(
        triple, llvm.get_host_cpu_name(), flags, vector,
        32 if vector == 64 or arm else 16, bool(arm or found.get("fma")),
        _cache_size(1, 32 << 10), _cache_size(2, 512 << 10), _cache_size(3, 8 << 20),
    )  # fmt: skip


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
