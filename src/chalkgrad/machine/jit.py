"""From LLVM text to machine code in memory.

The text arrives with its vectors, its hoisting and its common terms done. What is left to do before
code generation is to put functions where they are called, registers in the place of stack
variables, and to test loops at their end. Nothing more was worth its time, on programs small (XOR:
0.12 µs a step) and large: to combine instructions, too, is a sixth of compiling, code generation's
second level a tenth, LLVM's usual pipeline as much as all of it, and none of them makes a step
faster by more than measurements vary. Each use of the usual one also keeps 90 kB for ever.

A large program comes as two modules, which two threads compile at once, each in a context and with
a target machine of its own: so LLVM may be used by many. llvmlite lets one thread at a time into
any of its functions; the two that take long are called around that lock.

What comes out is bytes: the cache keeps them. Where `image` can link them, they are loaded without
LLVM, whose import takes longer than all else of a program that is in the cache. Elsewhere MCJIT
loads them: ORC's linker takes half a millisecond less for each, but keeps 10 kB of every one that
is dropped.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from ctypes import string_at
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from chalkgrad.machine.host import Host, library, release
from chalkgrad.machine.image import Image, is_image, linked

_PASSES = (
    "always_inliner", "global_dead_code_eliminate", "sroa", "simplify_cfg", "loop_rotate",
    "simplify_cfg",
)  # fmt: skip
_LOCK = threading.RLock()  # LLVM's global state is not for two threads
if hasattr(os, "register_at_fork"):  # a child begins with the lock free and LLVM at rest
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )


@cache
def _machine(host: Host, worker: int) -> Any:
    target = library().Target.from_triple(host.triple)
    model = "small" if host.triple.startswith("x86_64") else "jitdefault"
    return target.create_target_machine(
        cpu=host.cpu, features=host.features, opt=1, jit=True, reloc="pic", codemodel=model
    )


@cache
def _pipeline(host: Host, worker: int) -> tuple[Any, Any]:
    """The passes, and the builder that they run with. One for all modules: making them leaks."""
    llvm = library()
    tuning = llvm.create_pipeline_tuning_options()
    builder = llvm.create_pass_builder(_machine(host, worker), tuning)
    passes = llvm.create_new_module_pass_manager()
    for name in _PASSES:
        getattr(passes, f"add_{name}_pass")()
    return passes, builder


def compile_text(text: str, host: Host) -> bytes:
    """The machine code of a module: an image, or else an object file."""
    return compile_modules([text], host)


def compile_modules(texts: Sequence[str], host: Host) -> bytes:
    """The machine code of modules that may call each other, each compiled by a thread."""
    with _LOCK:
        first, *others = [_Work(text, host, worker) for worker, text in enumerate(texts)]
        for work in others:
            work.start()
        try:
            first.run()
        finally:
            for work in others:
                work.join()
    codes = [work.result() for work in (first, *others)]
    return linked(codes) or _packed(codes)


class _Work(threading.Thread):
    """One module on its way through LLVM."""

    def __init__(self, text: str, host: Host, worker: int) -> None:
        super().__init__(name=f"chalkgrad compiler {worker}")
        self._given = text, host, worker
        self._made = b""
        self._wrong: Exception | None = None

    def run(self) -> None:
        """Compile it, in this thread or another one."""
        try:
            self._made = _object(*self._given)
        except Exception as error:  # whoever asks for the result gets it
            self._wrong = error

    def result(self) -> bytes:
        """The object file."""
        if self._wrong is not None:
            raise self._wrong
        return self._made


def _object(text: str, host: Host, worker: int) -> bytes:
    # A function of its own, so that its module and context go while the lock is held.
    llvm = library()
    machine = _machine(host, worker)
    module = llvm.parse_assembly(text, llvm.create_context())  # types go with the module
    module.triple = host.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    passes, builder = _pipeline(host, worker)
    _unlocked("LLVMPY_RunNewModulePassManager")(passes, module, builder)
    with llvm.ffi.OutputString() as said:
        memory = _unlocked("LLVMPY_TargetMachineEmitToMemory")(machine, module, 1, said)
        if not memory:
            raise RuntimeError(str(said))
    try:
        lib = llvm.ffi.lib
        return string_at(lib.LLVMPY_GetBufferStart(memory), lib.LLVMPY_GetBufferSize(memory))
    finally:
        lib.LLVMPY_DisposeMemoryBuffer(memory)


def _unlocked(name: str) -> Any:
    """A function of llvmlite without its lock; with it, if it has it elsewhere than today."""
    function = getattr(library().ffi.lib, name)
    return getattr(function, "_cfn", function)


def _packed(codes: Sequence[bytes]) -> bytes:
    return b" ".join(b"%d" % len(code) for code in codes) + b"\n" + b"".join(codes)


def _unpacked(packed: bytes) -> Iterator[bytes]:
    sizes, _, rest = packed.partition(b"\n")
    for size in map(int, sizes.split()):
        yield rest[:size]
        rest = rest[size:]


@cache
def maker() -> bytes:
    """What decides the bytes of a text: LLVM's release, and what is done with it here."""
    texts = [Path(__file__).read_bytes(), Path(__file__).with_name("image.py").read_bytes()]
    return sha256(b"".join([release().encode(), *texts])).digest()


class Loaded(Protocol):
    """Machine code in memory, for as long as this object lives."""

    def address(self, name: str) -> int:
        """Where a function begins."""
        ...


class _Objects:
    """Object files, loaded by LLVM."""

    def __init__(self, codes: Iterable[bytes], names: Sequence[str]) -> None:
        with _LOCK:
            llvm = library()
            shell = llvm.parse_assembly("")
            self._engine = llvm.create_mcjit_compiler(shell, _machine_for_loading())
            for code in codes:
                self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()
            self._addresses = {name: self._engine.get_function_address(name) for name in names}

    def address(self, name: str) -> int:
        """Where a function begins."""
        return int(self._addresses[name])


def load(code: bytes, names: Sequence[str]) -> Loaded:
    """Put machine code into memory and resolve what it calls."""
    return Image(code) if is_image(code) else _Objects(_unpacked(code), names)


def _machine_for_loading() -> Any:
    # An engine owns its machine, so each gets one of its own; nothing is compiled with it.
    return library().Target.from_default_triple().create_target_machine(jit=True)
