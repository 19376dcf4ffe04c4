"""Object code: right, resolved, and let go of."""

from __future__ import annotations

import ctypes
import gc
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from chalkgrad.machine import image, jit
from chalkgrad.machine.host import detect, library


def resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def constant(number: int) -> str:
    """A function that gives a number, with a type of its own that LLVM must remember."""
    return f"""
define i64 @give() {{
  %room = alloca [{number + 1} x i64]
  %last = getelementptr [{number + 1} x i64], ptr %room, i64 0, i64 {number}
  store i64 {number}, ptr %last
  %held = load i64, ptr %last
  ret i64 %held
}}"""


def given(code: jit.Loaded) -> int:
    return int(ctypes.CFUNCTYPE(ctypes.c_int64)(code.address("give"))())


@pytest.mark.parametrize("name", ["sin", "tan", "exp", "log", "erf", "tgamma"])
@pytest.mark.parametrize("kind", ["float", "double"])
def test_the_library_of_mathematics_is_found(name: str, kind: str) -> None:
    own = name + ("f" if kind == "float" else "")
    text = f"""
declare {kind} @{own}({kind})
define {kind} @f({kind} %x) {{
  %y = call {kind} @{own}({kind} %x)
  ret {kind} %y
}}"""
    code = jit.load(jit.compile_text(text, detect()), ["f"])
    number = ctypes.c_float if kind == "float" else ctypes.c_double
    wanted = getattr(math, "gamma" if name == "tgamma" else name)(0.75)
    found = ctypes.CFUNCTYPE(number, number)(code.address("f"))(0.75)
    assert found == pytest.approx(wanted, rel=2e-7 if kind == "float" else 1e-15)


def test_programs_of_the_same_name_live_side_by_side() -> None:
    codes = [jit.load(jit.compile_text(constant(k), detect()), ["give"]) for k in (3, 5)]
    assert [given(code) for code in codes] == [3, 5]
    del codes[0]
    gc.collect()
    assert given(codes[0]) == 5


@pytest.mark.parametrize("text", ["define void @f() { ret i32 0 }", "nonsense"])
def test_text_that_is_wrong_is_an_error(text: str) -> None:
    with pytest.raises(RuntimeError, match="error"):
        jit.compile_text(text, detect())


def own(name: str, factor: float) -> str:
    """A function of the C library, times a constant: as one that is a module's own."""
    return f"""
declare double @{name}(double)
define internal double @own(double %x) noinline {{
  %y = call double @{name}(double %x)
  %z = fmul double %y, {factor}
  ret double %z
}}"""


# Two that call each other, each with a function of the same name.
MODULES = [
    own("cos", 3.25)
    + """
declare hidden double @second(double)
define hidden double @third(double %x) {
  %y = call double @own(double %x)
  ret double %y
}
define double @first(double %x) {
  %y = call double @second(double %x)
  %z = fadd double %y, 0.75
  ret double %z
}""",
    own("sin", 7.5)
    + """
declare hidden double @third(double)
define hidden double @second(double %x) {
  %y = call double @own(double %x)
  %z = call double @third(double %x)
  %w = fsub double %y, %z
  ret double %w
}""",
]
COUNT = """
@count = internal global i64 3
define void @counted() {
  %n = load i64, ptr @count
  %m = add i64 %n, 1
  store i64 %m, ptr @count
  ret void
}"""


@pytest.mark.parametrize("more", ["", COUNT])  # data that is written to is for LLVM's loader
@pytest.mark.parametrize("order", [1, -1])
def test_modules_call_each_other(more: str, order: int) -> None:
    texts = [MODULES[0] + more, MODULES[1]][::order]
    code = jit.load(jit.compile_modules(texts, detect()), ["first"])
    possible = image.is_image(jit.compile_text(constant(1), detect()))
    assert isinstance(code, image.Image) == (possible and not more)
    found = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(code.address("first"))(0.5)
    assert found == pytest.approx(7.5 * math.sin(0.5) - 3.25 * math.cos(0.5) + 0.75, rel=1e-15)


@pytest.mark.parametrize("wrong", [0, 1])
def test_an_error_in_either_module_is_the_caller_s(wrong: int) -> None:
    texts = [MODULES[0], MODULES[1]]
    texts[wrong] += "nonsense"
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="error"):
        jit.compile_modules(texts, detect())
    assert threading.active_count() == before
    assert jit.compile_modules(MODULES, detect())


def test_two_threads_at_once_make_what_one_makes() -> None:
    """Of text that keeps LLVM busy for long enough that both are in it together."""
    texts = [large(f"f{k}", 300 + 20 * k) for k in range(6)]
    alone = [jit.compile_text(text, detect()) for text in texts]
    for k in (0, 2, 4):
        both = [jit._object(text, detect(), worker) for worker, text in enumerate(texts[k : k + 2])]
        for _ in range(5):
            found = jit.compile_modules(texts[k : k + 2], detect())
            assert found == (image.linked(both) or jit._packed(both))
    assert [jit.compile_text(text, detect()) for text in texts] == alone


def large(name: str, count: int) -> str:
    lines = [f"define double @{name}(ptr %p) {{", "  %v0 = load double, ptr %p"]
    for k in range(1, count):
        lines.append(f"  %a{k} = getelementptr double, ptr %p, i64 {k}")
        lines.append(f"  %w{k} = load double, ptr %a{k}")
        lines.append(f"  %v{k} = fmul double %v{k - 1}, %w{k}")
    return "\n".join([*lines, f"  ret double %v{count - 1}", "}"])


@pytest.mark.parametrize(
    "name", ["LLVMPY_RunNewModulePassManager", "LLVMPY_TargetMachineEmitToMemory"]
)
def test_what_takes_long_is_called_around_the_lock(name: str) -> None:
    locked = getattr(library().ffi.lib, name)
    assert jit._unlocked(name) is not locked


def test_compiling_keeps_no_memory() -> None:
    for k in range(40):
        jit.compile_modules([constant(k), large("f", 9)], detect())
    gc.collect()
    before = resident()
    for k in range(40, 240):
        jit.compile_modules([constant(k), large("f", 9)], detect())
    gc.collect()
    assert resident() - before < 6 << 20  # LLVM's own pipeline keeps 18 MB here


def test_threads_compile_at_once() -> None:
    found: dict[int, int] = {}

    def work(number: int) -> None:
        for k in range(8):
            code = jit.load(jit.compile_text(constant(8 * number + k), detect()), ["give"])
            found[8 * number + k] = given(code)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == {k: k for k in range(32)}


def test_a_process_forked_while_another_thread_compiles_can_compile() -> None:
    code = f"""
import os, signal, threading
from chalkgrad.machine import image, jit
from chalkgrad.machine.host import detect, library
text = {constant(2)!r}
jit.compile_text(text, detect())
done = False
def work():
    while not done: jit.compile_text(text, detect())
worker = threading.Thread(target=work)
worker.start()
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        signal.alarm(20)
        jit.load(jit.compile_text(text, detect()), ["give"])
        os._exit(0)
    children.append(os.waitpid(child, 0)[1])
done = True
worker.join()
print(children)
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=100,
        check=True,
    )  # fmt: skip
    assert run.stdout == "[0, 0, 0]\n"


def test_llvm_is_not_imported_before_it_is_used() -> None:
    code = "import sys, chalkgrad.machine.threads; print('llvmlite' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
