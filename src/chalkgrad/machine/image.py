"""Machine code as it lies in memory: object files linked once, and loaded without LLVM.

    image ::= magic, JSON of (functions, outside, size), "\\n", the bytes of all sections, the table

Sections keep their distances wherever the image is put, so that whatever refers from one to another
is settled when it is made. What is outside (memset, say) is reached through the table behind them,
of which each entry is a jump to the address beside it; loading fills in those addresses.

Only what LLVM writes for a processor of the x86-64 family, in the small code model, and in ELF is
linked here. Any other object is loaded by LLVM itself.
"""

from __future__ import annotations

import ctypes
import json
import mmap
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from chalkgrad.core.graph import Array

_MAGIC = b"chalkgrad image\n"
_ELF, _X86_64 = b"\x7fELF\x02\x01", 62  # of 64 bits, least significant byte first; the machine
_HEAD = np.dtype([
    ("kind", "S16"), ("type", "<u2"), ("machine", "<u2"), ("version", "<u4"), ("entry", "<u8"),
    ("programs", "<u8"), ("sections", "<u8"), ("flags", "<u4"), ("sizes", "<u2", 3),
    ("size", "<u2"), ("count", "<u2"), ("names", "<u2"),
])  # fmt: skip
_SECTION = np.dtype([
    ("name", "<u4"), ("type", "<u4"), ("flags", "<u8"), ("address", "<u8"), ("offset", "<u8"),
    ("size", "<u8"), ("link", "<u4"), ("info", "<u4"), ("align", "<u8"), ("entry", "<u8"),
])  # fmt: skip
_SYMBOL = np.dtype([
    ("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"),
    ("size", "<u8"),
])  # fmt: skip
_PATCH = np.dtype([("offset", "<u8"), ("type", "<u4"), ("symbol", "<u4"), ("add", "<i8")])
_CODE, _SYMBOLS, _PATCHES = 1, 2, 4  # types of sections: bytes, symbols, and places to be patched
_WRITTEN, _LOADED = 1, 2  # flags of sections
_FUNCTION = 2  # a type of symbols
_GLOBAL = 1  # a binding of symbols: other files know them
_FROM_HERE = {2, 4}  # PC32, PLT32: the distance to a symbol
_FROM_TABLE = {9, 41, 42}  # GOTPCREL, GOTPCRELX, REX_GOTPCRELX: the distance to its address
_JUMP = b"\xff\x25\x02\x00\x00\x00\x90\x90"  # jmp [rip + 2], to what is written behind it
_ENTRY = 16  # bytes of the table for each symbol outside


class _Foreign(Exception):
    """Something that is not linked here."""


def linked(codes: Sequence[bytes]) -> bytes | None:
    """The image of object files that may call each other; None where only LLVM can load them."""
    try:
        return _Linker([_File(code) for code in codes]).image()
    except _Foreign:
        return None


class _File:
    """An object file, taken apart."""

    def __init__(self, code: bytes) -> None:
        head = np.frombuffer(code, _HEAD, 1)[0]
        if not code.startswith(_ELF) or head["machine"] != _X86_64:
            raise _Foreign
        self.code = code
        self.sections = np.frombuffer(code, _SECTION, head["count"], int(head["sections"]))
        (symbols,) = self.sections[self.sections["type"] == _SYMBOLS]
        self.symbols = self.table(symbols, _SYMBOL)
        self._names = int(self.sections[symbols["link"]]["offset"])
        held = self.sections[self.sections["flags"] & _LOADED != 0]
        if held["size"][held["flags"] & _WRITTEN != 0].any():
            raise _Foreign
        self.places: dict[int, int] = {}  # where each section of code or constants is to lie

    def table(self, section: Array, kind: np.dtype[Any]) -> Array:
        """The entries of a section."""
        count = int(section["size"]) // kind.itemsize
        return np.frombuffer(self.code, kind, count, int(section["offset"]))

    def name(self, symbol: Array) -> str:
        start = self._names + int(symbol["name"])
        return self.code[start : self.code.index(b"\0", start)].decode()

    def put(self, end: int) -> int:
        """Give sections their places from there on; where the next file's may lie."""
        for k, section in enumerate(self.sections):
            if section["type"] == _CODE and section["flags"] & _LOADED and section["size"]:
                align = max(int(section["align"]), 1)
                self.places[k] = -(-end // align) * align
                end = self.places[k] + int(section["size"])
        return end

    def functions(self) -> Iterator[tuple[str, int]]:
        """What others may call, and where it lies."""
        for symbol in self.symbols:
            section, info = int(symbol["section"]), int(symbol["info"])
            if info == _GLOBAL << 4 | _FUNCTION and section in self.places:
                yield self.name(symbol), self.places[section] + int(symbol["value"])


class _Linker:
    """Puts files behind one another, and settles what refers to what."""

    def __init__(self, files: Sequence[_File]) -> None:
        self.files = files
        end = 0
        for file in files:
            end = file.put(end)
        self.size = -(-end // _ENTRY) * _ENTRY
        self.functions = dict(pair for file in files for pair in file.functions())
        self.outside: dict[str, int] = {}  # where the table has what is in no file

    def image(self) -> bytes:
        memory = np.zeros(self.size, np.uint8)
        for file in self.files:
            for k, place in file.places.items():
                bytes_ = file.table(file.sections[k], np.dtype(np.uint8))
                memory[place : place + len(bytes_)] = bytes_
            for section in file.sections[file.sections["type"] == _PATCHES]:
                start = file.places.get(int(section["info"]))
                if start is None:  # how to unwind the stack, which nobody does
                    continue
                for patch in file.table(section, _PATCH):
                    here = start + int(patch["offset"])
                    target = self._target(file, patch) + int(patch["add"])
                    memory[here : here + 4].view("<i4")[0] = target - here
        if not all(map(_outside, self.outside)):
            raise _Foreign
        head = json.dumps([self.functions, [*self.outside], self.size]).encode()
        return _MAGIC + head + b"\n" + memory.tobytes() + bytes(_ENTRY * len(self.outside))

    def _target(self, file: _File, patch: Array) -> int:
        """Where in the image that is what a place refers to."""
        kind, symbol = int(patch["type"]), file.symbols[int(patch["symbol"])]
        section = int(symbol["section"])
        if kind in _FROM_HERE and section in file.places:
            return file.places[section] + int(symbol["value"])
        if section or kind not in _FROM_HERE | _FROM_TABLE:
            raise _Foreign
        name = file.name(symbol)
        if kind in _FROM_HERE and name in self.functions:
            return self.functions[name]
        entry = self.outside.setdefault(name, self.size + _ENTRY * len(self.outside))
        return entry if kind in _FROM_HERE else entry + len(_JUMP)


def is_image(code: bytes) -> bool:
    """Is it one that `linked` has made?"""
    return code.startswith(_MAGIC)


class Image:
    """An image in memory, for as long as this object lives."""

    def __init__(self, code: bytes) -> None:
        head, _, body = code[len(_MAGIC) :].partition(b"\n")
        self._functions, outside, table = json.loads(head)
        # Either written to or run, at no time both.
        own = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self._memory = mmap.mmap(-1, len(body), own, mmap.PROT_READ | mmap.PROT_WRITE)
        self._memory[:] = body
        for k, name in enumerate(outside):
            entry = table + _ENTRY * k
            self._memory[entry : entry + _ENTRY] = _JUMP + _outside(name).to_bytes(8, "little")
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        protection = mmap.PROT_READ | mmap.PROT_EXEC
        if _system().mprotect(self._start, len(body), protection):
            number = ctypes.get_errno()
            raise OSError(number, "memory cannot be made executable")

    def address(self, name: str) -> int:
        """Where a function begins."""
        return self._start + int(self._functions[name])


@cache
def _system() -> ctypes.CDLL:
    """What is in this process: the C library, and Python itself."""
    system = ctypes.CDLL(None, use_errno=True)
    system.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return system


@cache
def _outside(name: str) -> int:
    """The address of a function of the system; 0 where there is none."""
    found = getattr(_system(), name, None)
    return 0 if found is None else ctypes.cast(found, ctypes.c_void_p).value or 0
