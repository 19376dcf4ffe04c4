"""`chalkgrad compile`"""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Shell

EXAMPLES = Path(__file__).parents[2] / "examples" / "lectures"


def test_the_command(shell: Shell) -> None:
    sheet = str(EXAMPLES / "lecture_001.toml")
    said = shell("compile", sheet)
    assert said.code == 0
    assert said.out.startswith("7 kernels, ")
    shown = shell("compile", sheet, "--show", "--time").out
    assert "→ in place of w5" in shown
    assert "µs a step, 1 thread" in shown
    data = json.loads(shell("compile", sheet, "--json", "--time").out)
    assert all(kernel["microseconds"] >= 0 for kernel in data["kernels"])


def test_a_worksheet_without_an_update_is_refused(shell: Shell, tmp_path: Path) -> None:
    text = (EXAMPLES / "lecture_002.toml").read_text(encoding="utf-8")
    (tmp_path / "sheet.toml").write_text(text.split("[update]")[0], encoding="utf-8")
    said = shell("compile", str(tmp_path / "sheet.toml"))
    assert said.code == 2
    assert "says nothing of an update" in said.err
