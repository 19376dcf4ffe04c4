"""The processor's description, judged by the instructions that LLVM makes for it."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from chalkgrad.compiler import host, jit

SQUARE = """
define void @square(ptr %x) {
  %a = load <16 x float>, ptr %x, align 4
  %b = fmul <16 x float> %a, %a
  store <16 x float> %b, ptr %x, align 4
  ret void
}"""
X86 = pytest.mark.skipif(
    not host.detect().triple.startswith("x86_64"), reason="registers of x86"
)  # fmt: skip
# A processor with everything that hides wide vectors: each of these features implies AVX.
WIDE = dataclasses.replace(
    host.detect(), cpu="sapphirerapids", vector=64, registers=32, fma=True,
    features="+avx,+avx2,+avx512bf16,+avx512bw,+avx512f,+avx512vl,+avxvnni,+f16c,+fma,+sse4.2,"
    "+vaes,+vpclmulqdq",
)  # fmt: skip


def assembly(described: host.Host) -> str:
    """What LLVM makes of SQUARE for a processor, which need not be this one."""
    import llvmlite.binding as llvm

    jit.compile_text(SQUARE, host.detect())  # LLVM is initialised
    target = llvm.Target.from_triple(described.triple)
    machine = target.create_target_machine(described.cpu, described.features, opt=2)
    module = llvm.parse_assembly(SQUARE)
    return str(machine.emit_assembly(module))


@X86
@pytest.mark.parametrize("described", [host.detect(), WIDE], ids=["this", "wide"])
@pytest.mark.parametrize(
    ("vector", "registers"), [(16, ("%xmm",)), (32, ("%xmm", "%ymm")), (64, ("%ymm", "%zmm"))]
)
def test_a_narrowed_processor_has_no_wider_registers(
    described: host.Host, vector: int, registers: tuple[str, ...]
) -> None:
    if vector > described.vector:
        pytest.skip("has no such vectors")
    text = assembly(host.narrowed(described, vector))
    used = {name for name in ("%xmm", "%ymm", "%zmm") if name in text}
    assert used <= set(registers)
    assert registers[-1] in used
    assert ("vmulps" in text) == (vector > 16)  # without AVX there is no three-operand form


@X86
def test_narrowing_keeps_to_what_there_is() -> None:
    narrow = host.narrowed(WIDE, 32)
    assert (narrow.vector, narrow.registers, narrow.fma) == (32, 16, True)
    narrower = host.narrowed(narrow, 16)
    assert (narrower.vector, narrower.registers, narrower.fma) == (16, 16, False)
    assert host.narrowed(narrower, 64) is narrower


def test_caches_are_read_or_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, (level, kind, size) in enumerate(
        [(1, "Instruction", "99K"), (1, "Data", "48K"), (2, "Unified", "2M"), (3, "Unified", "odd")]
    ):
        folder = tmp_path / f"index{number}"
        folder.mkdir()
        for name, text in (("level", str(level)), ("type", kind), ("size", size)):
            (folder / name).write_text(f"{text}\n")
    monkeypatch.setattr(host, "_CACHES", tmp_path)
    assert host._cache_size(1, 7) == 48 << 10
    assert host._cache_size(2, 7) == 2 << 20
    assert host._cache_size(3, 7) == 7
    assert host._cache_size(4, 7) == 7


@pytest.mark.parametrize(
    ("change", "reason"),
    [("missing", "llvmlite is not installed: pip install llvmlite"),
     ("off", "it is switched off by CHALKGRAD_NATIVE=0"),
     ("windows", "it is made for Linux and macOS, and this system is nt"),
     ("riscv", "there is no code generator for riscv64")],
)  # fmt: skip
def test_why_there_is_no_native_code(
    change: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import llvmlite.binding as llvm

    if change == "missing":
        monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    elif change == "off":
        monkeypatch.setenv("CHALKGRAD_NATIVE", "0")
    elif change == "windows":
        monkeypatch.setattr(host, "os", SimpleNamespace(name="nt", environ={}))
    else:
        monkeypatch.setattr(llvm, "get_process_triple", lambda: "riscv64-unknown-linux-gnu")
    assert host.available.__wrapped__() == reason
