"""`cg.check`: a person's working of a worksheet, marked line by line."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from chalkgrad.check.marking import check as marked
from chalkgrad.check.report import Report
from chalkgrad.check.truth import Truth
from chalkgrad.core.errors import DataError
from chalkgrad.explain.board import Board
from chalkgrad.explain.sheets import board_of, explain_sheet
from chalkgrad.formulas import DIGITS
from chalkgrad.worksheet import Worksheet, learned

_LARGEST = 1 << 20  # bytes


def check(worksheet: Worksheet | str | PathLike[str], answers: str | PathLike[str]) -> Report:
    """Mark a person's lines: which are right, which follow from an earlier slip, which are wrong.

    `worksheet` is a `Worksheet`, its path, or its text; `answers` is the text of the lines, or a
    `Path` to it. Each line is judged from the digits that it shows, and from the person's own
    earlier lines; a wrong one comes with the slips that it is consistent with.

    Raises WorksheetError for a bad worksheet and DataError for answers that are not there or too
    large (10,000 lines, 1 MiB).

    >>> import chalkgrad as cg
    >>> sheet = '''
    ... [expression]
    ... J = "3 * (x + y * z)"
    ... [values]
    ... x = 4
    ... y = 3
    ... z = 2
    ... '''
    >>> report = cg.check(sheet, "J = 30; dJ/dy = 3*z = 6; dJ/dz = y")
    >>> [str(line.verdict) for line in report.lines]
    ['correct', 'correct', 'wrong']
    """
    text = answers if isinstance(answers, str) else _read(Path(answers))
    return marked(truth_of(Worksheet.of(worksheet)), text)


def truth_of(worksheet: Worksheet) -> Truth:
    """The right solution of a worksheet, from the engine."""
    update, names = worksheet.update, worksheet.names
    derivation = explain_sheet(worksheet, None, "lecture", "board", DIGITS)

    def after(steps: int) -> Board:
        return board_of(worksheet, learned(worksheet, steps))

    return Truth(
        board=board_of(worksheet),  # the whole of it, also where a derivation would be folded
        learning_rate=None if update is None else update.settings.get("lr"),
        new={u.name.text: u.new for u in derivation.updates},
        updates={u.name.text: u for u in derivation.updates},
        frozen=frozenset(() if update is None else update.frozen),
        after=None if update is None else after,
        aliases=dict(names.aliases),
        units={
            unit: name
            for layer, sums in zip(worksheet.layers, names.sums, strict=True)
            for unit, name in zip(layer.units, sums, strict=True)
        },
        order=tuple(worksheet.parameters),
        delta_negative=True if names.delta == "negative" else None,
        activation=_activation(worksheet),
        title=worksheet.title or worksheet.file,
    )


def _activation(worksheet: Worksheet) -> str:
    """The activation that all layers have, but for linear ones."""
    kinds = {layer.activation for layer in worksheet.layers} - {"identity"}
    return kinds.pop() if len(kinds) == 1 else ""


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{path} has more than 1 MiB; answers are at most 10,000 lines")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8 (byte {error.start}); save it so") from error
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there; check the path") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; name the file with the answers") from error
