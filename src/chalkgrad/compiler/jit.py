"""From LLVM text to machine code in memory.

The text arrives with its vectors, its hoisting and its common terms done. What is left to do before
code generation is to put registers in the place of stack variables and to combine instructions; all
that LLVM's usual pipeline does beyond takes two thirds of the time, and gains nothing that could be
measured. A small program is worth it: there a few nanoseconds count, and they are spent soon. An
object is bytes: the cache keeps it.

Objects are loaded by MCJIT. ORC's linker takes half a millisecond less for each, but keeps 10 kB of
every one that is dropped.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

from chalkgrad.compiler.host import Host

_SMALL = 60_000  # characters of text
_LOCK = threading.RLock()  # LLVM's global state is not for two threads
if hasattr(os, "register_at_fork"):  # a child begins with the lock free and LLVM at rest
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _machine(host: Host) -> Any:
    target = _llvm().Target.from_triple(host.triple)
    return target.create_target_machine(
        cpu=host.cpu, features=host.features, opt=2, jit=True, reloc="pic", codemodel="jitdefault"
    )


def compile_text(text: str, host: Host) -> bytes:
    """The object file of a module."""
    with _LOCK:
        llvm = _llvm()
        machine = _machine(host)
        module = llvm.parse_assembly(text, llvm.create_context())  # types go with the module
        module.triple = host.triple
        module.data_layout = str(machine.target_data)
        module.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = options.slp_vectorization = False
        options.loop_interleaving = options.loop_unrolling = False
        builder = llvm.create_pass_builder(machine, options)
        if len(text) < _SMALL:
            passes = builder.getModulePassManager()
        else:
            passes = llvm.create_new_module_pass_manager()
            passes.add_always_inliner_pass()
            passes.add_sroa_pass()
            passes.add_instruction_combine_pass()
            passes.add_simplify_cfg_pass()
        passes.run(module, builder)
        return bytes(machine.emit_object(module))


class Loaded:
    """Machine code in memory, for as long as this object lives."""

    def __init__(self, code: bytes, names: Sequence[str]) -> None:
        with _LOCK:
            llvm = _llvm()
            shell = llvm.parse_assembly("")
            self._engine = llvm.create_mcjit_compiler(shell, _machine_for_loading())
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()
            self._addresses = {name: self._engine.get_function_address(name) for name in names}

    def address(self, name: str) -> int:
        """Where a function begins."""
        return int(self._addresses[name])


def load(code: bytes, names: Sequence[str]) -> Loaded:
    """Put an object file into memory and resolve what it calls."""
    return Loaded(code, names)


def _machine_for_loading() -> Any:
    # An engine owns its machine, so each gets one of its own; nothing is compiled with it.
    return _llvm().Target.from_default_triple().create_target_machine(jit=True)
