"""Messages for people, on stderr; `NO_COLOR` and pipes are respected by Rich."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from chalkgrad.data.tables import HEADINGS, Schema


class Messages:
    """What a command says beside its data."""

    def __init__(self, quiet: bool) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)

    def notes(self, notes: list[str] | tuple[str, ...]) -> None:
        for note in notes:
            self.say(f"note: {note}")

    def schema(self, schema: Schema) -> None:
        """Each column, what it was taken for, and why."""
        table = Table(title=f"{schema.source}", title_justify="left", box=None, pad_edge=False)
        for heading in HEADINGS:
            table.add_column(heading, overflow="fold")
        for row in schema.rows():
            table.add_row(*row)
        self.console.print(table)
        self.notes(schema.notes)

    def scores(self, scores: dict[str, float], baseline: dict[str, float], rows: int, what: str) -> None:
        """Scores beside a baseline's."""
        table = Table(box=None, pad_edge=False)
        for heading in (f"{rows} held-out rows", "network", what):
            table.add_column(heading, justify="left" if heading.endswith("rows") else "right")
        for key, value in scores.items():
            table.add_row(key, f"{value:.4g}", f"{baseline[key]:.4g}")
        self.console.print(table)
