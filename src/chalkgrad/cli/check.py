"""`chalkgrad check`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from chalkgrad.check import check as marked
from chalkgrad.cli.messages import Flag, Messages
from chalkgrad.core.files import write_whole
from chalkgrad.worksheet import Worksheet


def check(
    worksheet: Path, answers: Path, /, *,
    json: Flag = False,
    html: Annotated[Path | None, Parameter(show_default=False)] = None,
    quiet: Flag = False,
) -> int:  # fmt: skip
    """Mark a hand-worked answer line by line, carry errors forward, and name the mistakes.

    Exit code 0 where all is right, 1 where something is wrong, 2 where a file cannot be used.

    Parameters
    ----------
    worksheet
        The problem, in TOML.
    answers
        What a person wrote, one claim a line; prose between the lines is passed over.
    json
        Print the marks as JSON.
    html
        Also write a page: the text with marks in the margin, and the right working.
    quiet
        Say nothing on stderr but errors.
    """
    messages = Messages(quiet)
    sheet = Worksheet.read(worksheet)
    messages.notes(sheet.notes)
    report = marked(sheet, answers)
    if json:
        print(report.to_json())
    else:
        print(report)
    if html is not None:
        write_whole(html, report.to_html().encode())
        messages.say(f"written to {html}")
    return report.exit_code
