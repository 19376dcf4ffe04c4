"""A shell: the command line run in this process, or in one of its own."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chalkgrad import cli, data

TABLES = Path(__file__).parents[2] / "examples" / "tables"


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: Any
    out: str
    err: str


Shell = Callable[..., Answer]


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Shell:
    """chalkgrad ARGUMENTS, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Answer:
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit:
            cli.main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Answer(exit.value.code, out, err)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Shell:
    """python -m chalkgrad ARGUMENTS, in a process of its own."""

    def run(*arguments: str | Path, **environment: str) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "chalkgrad", *map(str, arguments)], cwd=tmp_path,
            capture_output=True, text=True, env={**os.environ, **environment}, check=False,
        )  # fmt: skip
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


def write_csv(path: Path, header: list[str], rows: list[list[Any]]) -> Path:
    """A CSV file of these rows."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    """One of the data sets that come with the package, as a CSV file."""

    def made(name: str) -> Path:
        found = data.load(name)
        classes = found.task == "classification"
        rows = [
            [*map(str, x), found.target_names[y] if classes else str(y)]
            for x, y in zip(found.x, found.y, strict=True)
        ]
        return write_csv(tmp_path / f"{name}.csv", [*found.feature_names, "target"], rows)

    return made
