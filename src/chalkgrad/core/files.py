"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from chalkgrad.core.errors import DataError


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file atomically: a temporary file beside it, fsync, read back, rename.

    An existing file keeps its content until the new one is safely on the disk. DataError says why
    it could not be written.
    """
    path = Path(os.path.realpath(path))  # a link stays a link
    try:
        _write(path, content)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def _write(path: Path, content: bytes) -> None:
    tempfile = import_module("tempfile")  # it brings much along, and most processes write nothing

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if Path(temporary).read_bytes() != content:
            raise DataError(
                f"{path} reads back with other bytes than were written; it was not kept"
            )
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def clear_remains(path: Path) -> None:
    """Remove what a process that was killed while it wrote `path` has left."""
    for remains in path.parent.glob(f".{path.name}.*.part"):
        remains.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced, or what the process gives a new one."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)  # the new name, too, survives a power cut
    finally:
        os.close(handle)


def lecture_files(pattern: str) -> list[Path]:
    """The lectures' files whose names match: in the package when installed, beside it in a
    checkout. DataError if there are none."""
    package = Path(__file__).resolve().parent.parent
    for base in (package, package.parent.parent):
        if found := sorted((base / "examples" / "lectures").glob(pattern)):
            return found
    raise DataError(f"the lectures' files (examples/lectures/{pattern}) are not installed")
