"""Messages for people, on stderr; `NO_COLOR` and pipes are respected by Rich."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from chalkgrad.data.tables import HEADINGS, Schema

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


class Messages:
    """What a command says beside its data."""

    def __init__(self, quiet: bool) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)

    def say(self, text: str) -> None:
        """One message."""
        self.console.print(text, markup=False, soft_wrap=True)

    def notes(self, notes: Sequence[str]) -> None:
        """What had to be said about the data."""
        for note in notes:
            self.say(f"note: {note}")

    def schema(self, schema: Schema) -> None:
        """Each column, what it was taken for, and why."""
        self.say(schema.source)
        table = Table(box=None, pad_edge=False)
        for heading in HEADINGS:
            table.add_column(heading, overflow="fold")
        for row in schema.rows():
            table.add_row(*[_plain(cell) for cell in row])
        self.console.print(table)
        self.notes(schema.notes)

    def scores(
        self, scores: dict[str, float], baseline: dict[str, float], rows: str, what: str
    ) -> None:
        """Scores beside a baseline's."""
        table = Table(box=None, pad_edge=False)
        table.add_column(rows)
        for heading in ("network", what):
            table.add_column(heading, justify="right")
        for key, value in scores.items():
            table.add_row(key, f"{value:.4g}", f"{baseline[key]:.4g}")
        self.console.print(table)


def _plain(text: object) -> str:
    """A cell as it stands: a column called [red] is no colour."""
    return str(text).replace("[", r"\[")
