"""From LLVM text to machine code in memory.

The text arrives with its vectors, its hoisting and its common terms done. What is left to do before
code generation is to put functions where they are called, registers in the place of stack
variables, and to test loops at their end. Nothing more was worth its time, on programs small (XOR:
0.12 µs a step) and large: to combine instructions, too, is a sixth of compiling, code generation's
second level a tenth, LLVM's usual pipeline as much as all of it, and none of them makes a step
faster by more than measurements vary. Each use of the usual one also keeps 90 kB for ever.

What comes out is bytes: the cache keeps them. Where `image` can link them, they are loaded without
LLVM, whose import takes longer than all else of a program that is in the cache. Elsewhere MCJIT
loads them: ORC's linker takes half a millisecond less for each, but keeps 10 kB of every one that
is dropped.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

from chalkgrad.machine.host import Host, library
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
def _machine(host: Host) -> Any:
    target = library().Target.from_triple(host.triple)
    model = "small" if host.triple.startswith("x86_64") else "jitdefault"
    return target.create_target_machine(
        cpu=host.cpu, features=host.features, opt=1, jit=True, reloc="pic", codemodel=model
    )


@cache
def _pipeline(host: Host) -> tuple[Any, Any]:
    """The passes, and the builder that they run with. One for all modules: making them leaks."""
    llvm = library()
    builder = llvm.create_pass_builder(_machine(host), llvm.create_pipeline_tuning_options())
    passes = llvm.create_new_module_pass_manager()
    for name in _PASSES:
        getattr(passes, f"add_{name}_pass")()
    return passes, builder


def compile_text(text: str, host: Host) -> bytes:
    """The machine code of a module: an image, or else an object file."""
    with _LOCK:
        code = _object(text, host)
    return linked(code) or code


def _object(text: str, host: Host) -> bytes:
    # A function of its own, so that its module and context go while the lock is held.
    llvm = library()
    machine = _machine(host)
    module = llvm.parse_assembly(text, llvm.create_context())  # types go with the module
    module.triple = host.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    passes, builder = _pipeline(host)
    passes.run(module, builder)
    return bytes(machine.emit_object(module))


class Loaded(Protocol):
    """Machine code in memory, for as long as this object lives."""

    def address(self, name: str) -> int:
        """Where a function begins."""
        ...


class _Object:
    """An object file, loaded by LLVM."""

    def __init__(self, code: bytes, names: Sequence[str]) -> None:
        with _LOCK:
            llvm = library()
            shell = llvm.parse_assembly("")
            self._engine = llvm.create_mcjit_compiler(shell, _machine_for_loading())
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()
            self._addresses = {name: self._engine.get_function_address(name) for name in names}

    def address(self, name: str) -> int:
        """Where a function begins."""
        return int(self._addresses[name])


def load(code: bytes, names: Sequence[str]) -> Loaded:
    """Put machine code into memory and resolve what it calls."""
    return Image(code) if is_image(code) else _Object(code, names)


def _machine_for_loading() -> Any:
    # An engine owns its machine, so each gets one of its own; nothing is compiled with it.
    return library().Target.from_default_triple().create_target_machine(jit=True)
