"""Machine code that is loaded without LLVM, judged by LLVM's own loader."""

from __future__ import annotations

import ctypes
import gc
import json
import math
from pathlib import Path

import numpy as np
import pytest

from chalkgrad.machine import image, jit
from chalkgrad.machine.host import detect, library

pytestmark = pytest.mark.skipif(
    not detect().triple.startswith("x86_64") or "linux" not in detect().triple,
    reason="images are made of ELF files for x86-64",
)

# Constants of several sizes, a table to jump by, a call within, calls outside, and one through an
# address that is looked up.
TEXT = """
declare double @cos(double)
declare ptr @memset(ptr, i32, i64)
define internal double @inner(double %x) noinline {
  %y = call double @cos(double %x)
  %z = fmul double %y, 3.25
  ret double %z
}
define double @outer(double %x, i64 %k) {
entry:
  %room = alloca [4096 x i8]
  %r = call ptr @memset(ptr %room, i32 7, i64 4096)
  switch i64 %k, label %other [ i64 0, label %zero
    i64 1, label %one
    i64 2, label %two
    i64 3, label %three
    i64 4, label %four ]
zero:
  ret double 0.5
one:
  %inside = call double @inner(double %x)
  ret double %inside
two:
  %v = load <4 x i8>, ptr %room
  %w = uitofp <4 x i8> %v to <4 x double>
  %s = fmul <4 x double> %w, <double 1.0, double 2.0, double 3.0, double 4.0>
  %last = extractelement <4 x double> %s, i64 3
  ret double %last
three:
  %f = fptrunc double %x to float
  %g = fadd float %f, 0.25
  %h = fpext float %g to double
  ret double %h
four:
  %given = ptrtoint ptr @cos to i64
  %number = uitofp i64 %given to double
  ret double %number
other:
  ret double -1.0
}"""
DATA = """
@count = global i64 3
define i64 @f() {
  %n = load i64, ptr @count
  %m = add i64 %n, 1
  store i64 %m, ptr @count
  ret i64 %m
}"""
OUTER = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_int64)


def test_an_image_computes_what_llvm_s_own_loader_does() -> None:
    code = jit.compile_text(TEXT, detect())
    assert image.is_image(code)
    loaded = jit.load(code, ["outer"])
    assert isinstance(loaded, image.Image)
    outer = OUTER(loaded.address("outer"))
    found = [outer(0.75, k) for k in range(6)]
    cosine = ctypes.cast(ctypes.CDLL(None).cos, ctypes.c_void_p).value
    wanted = [0.5, math.cos(0.75) * 3.25, 28.0, 1.0, float(cosine or 0), -1.0]
    assert found == pytest.approx(wanted, rel=1e-15)


def spans() -> list[tuple[int, int, str]]:
    """First and last address, and permissions, of all memory that belongs to no file."""
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    ends = [(*line[0].split("-"), line[1]) for line in lines if len(line) == 5]
    return [(int(low, 16), int(high, 16), how) for low, high, how in ends]


def executable() -> int:
    return sum(high - low for low, high, how in spans() if "x" in how)


def test_the_image_is_never_both_written_to_and_run_and_goes_with_its_owner() -> None:
    code = jit.compile_text(TEXT, detect())
    gc.collect()
    before = executable()
    held = [jit.load(code, ["outer"]) for _ in range(20)]
    for one in held:
        at = one.address("outer")
        assert [how for low, high, how in spans() if low <= at < high] == ["r-xp"]
    assert executable() >= before + 20 * 4096
    del held, one
    for _ in range(300):
        jit.load(code, ["outer"])
    gc.collect()
    assert executable() == before


def test_what_is_not_linked_here_is_loaded_by_llvm() -> None:
    code = jit.compile_text(DATA, detect())
    assert not image.is_image(code)
    loaded = jit.load(code, ["f"])
    count = ctypes.CFUNCTYPE(ctypes.c_int64)(loaded.address("f"))
    assert [count(), count()] == [4, 5]


@pytest.mark.parametrize(
    ("triple", "model"), [("aarch64-unknown-linux-gnu", "small"), ("x86_64-apple-darwin", "small")]
)
def test_other_machines_and_files_are_left_to_llvm(triple: str, model: str) -> None:
    llvm = library()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    made = llvm.Target.from_triple(triple).create_target_machine(reloc="pic", codemodel=model)
    module = llvm.parse_assembly("define i64 @f() {\n  ret i64 3\n}")
    module.triple = triple
    assert image.linked([bytes(made.emit_object(module))]) is None


def test_a_function_that_the_system_does_not_have_is_left_to_llvm() -> None:
    text = "declare void @no_such_function()\ndefine void @f() {\n"
    text += "  call void @no_such_function()\n  ret void\n}"
    assert not image.is_image(jit.compile_text(text, detect()))


def test_every_distance_is_within_the_image() -> None:
    code = jit.compile_text(TEXT, detect())
    head, _, body = code[len(image._MAGIC) :].partition(b"\n")
    functions, outside, size = json.loads(head)
    assert set(functions) == {"outer"}  # what is internal is nobody else's
    assert {"cos", "memset"} == set(outside)
    assert len(body) == size + 16 * len(outside)
    assert not np.frombuffer(body, np.uint8)[size:].any()  # addresses are of one process only
