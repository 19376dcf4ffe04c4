"""`chalkgrad diagnose`"""

from __future__ import annotations

import json as json_format
import shutil
from pathlib import Path

from chalkgrad.cli.messages import Flag, Messages
from chalkgrad.explain.diagnose import diagnose as examined
from chalkgrad.worksheet import Problem, Worksheet, learned, optimizer_of

_NARROW, _WIDE = 60, 120  # columns between which a report follows the terminal


def diagnose(
    worksheet: Path, /, *, steps: int = 0, json: Flag = False, quiet: Flag = False
) -> int:  # fmt: skip
    """Say why a gradient of a worksheet is zero, tiny, huge, NaN or None.

    Exit code 1 where one is.

    Parameters
    ----------
    worksheet
        The problem, a TOML file.
    steps
        Look at it after so many steps of its update.
    json
        Print the diagnosis as JSON.
    quiet
        Say nothing on stderr but errors.
    """
    messages = Messages(quiet)
    sheet = Worksheet.read(worksheet)
    messages.notes(sheet.notes)
    problem = Problem.of(sheet, learned(sheet, steps) if steps else None)
    optimizer = None if sheet.update is None else optimizer_of(sheet, problem.parameters)
    found = examined(problem.loss, optimizer=optimizer, labels=problem.labels)
    if json:
        print(json_format.dumps(found.to_json(), ensure_ascii=False))
    else:
        width = shutil.get_terminal_size((80, 24)).columns
        print(found.to_text(min(max(width, _NARROW), _WIDE)))
    return int(found.faulty)
