"""The processor's description, judged by the instructions that LLVM makes for it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from chalkgrad.machine import host, jit

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


@pytest.fixture
def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in the first process of all: nothing is known of the processor."""
    monkeypatch.setenv("CHALKGRAD_CACHE", str(tmp_path))
    known = host.available, host.detect, host.processor, host.library, host.release
    for each in known:
        each.cache_clear()
    yield
    for each in known:
        each.cache_clear()


@pytest.mark.parametrize(
    ("change", "reason"),
    [("missing", "llvmlite is not installed: pip install llvmlite"),
     ("half", "llvmlite is not installed: pip install llvmlite"),
     ("broken", "llvmlite does not work here: no such library"),
     ("off", "it is switched off by CHALKGRAD_NATIVE=0"),
     ("windows", "it is made for Linux and macOS, and this system is nt"),
     ("riscv", "there is no code generator for riscv64")],
)  # fmt: skip
def test_why_there_is_no_native_code(
    change: str, reason: str, monkeypatch: pytest.MonkeyPatch, forgetful: None
) -> None:
    import llvmlite.binding as llvm

    if change == "missing":
        monkeypatch.setitem(sys.modules, "llvmlite", None)
    elif change == "half":
        monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    elif change == "broken":
        monkeypatch.setattr(llvm, "initialize_native_target", _fails)
    elif change == "off":
        monkeypatch.setenv("CHALKGRAD_NATIVE", "0")
    elif change == "windows":
        monkeypatch.setattr(host, "os", SimpleNamespace(name="nt", environ={}))
    else:
        monkeypatch.setattr(llvm, "get_process_triple", lambda: "riscv64-unknown-linux-gnu")
    assert host.available() == reason


def _fails() -> None:
    raise OSError("no such library")


def test_what_llvm_says_of_a_processor_is_kept_under_what_the_system_says_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgetful: None
) -> None:
    asked = []
    answer = host._asked()
    monkeypatch.setattr(host, "_asked", lambda: asked.append(1) or answer)
    described = tmp_path / "cpuinfo"
    monkeypatch.setattr(host, "_DESCRIPTION", described)

    def processor(text: str | None) -> tuple[host.Host, int]:
        described.unlink(missing_ok=True)
        if text is not None:
            described.write_text(text)
        host.processor.cache_clear()
        return host.processor(), len(asked)

    one = "vendor_id\t: Maker\ncpu MHz\t: 2400\nflags\t: avx2 fma\n\nprocessor\t: 1\n"
    assert processor(one) == (answer, 1)
    assert processor(one.replace("2400", "3100")) == (answer, 1)  # of the moment
    assert processor(one.replace("avx2 fma", "avx2")) == (answer, 2)
    assert processor(one) == (answer, 2)
    for nothing in (None, "", "cpu MHz\t: 2400\n"):
        before = len(asked)
        assert processor(nothing) == (answer, before + 1)
        assert processor(nothing) == (answer, before + 2)
