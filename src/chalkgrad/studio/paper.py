"""The text of a worksheet as its author wrote it: edits keep the comments and the layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from chalkgrad.core.errors import WorksheetError
from chalkgrad.worksheet import Data

Change = Callable[[Any], None]  # of a tomlkit document


class Paper:
    """A worksheet's text. The parsed form goes on to the next text: parsing is what takes time."""

    def __init__(self, text: str, parsed: Any = None) -> None:
        self.text = text
        self._parsed = parsed

    def changed(self, change: Change) -> Paper:
        """The text after a change of its document."""
        document, self._parsed = self._document(), None
        change(document)
        return Paper(tomlkit.dumps(document), document)

    def _document(self) -> Any:
        if self._parsed is not None:
            return self._parsed
        try:
            return tomlkit.parse(self.text)
        except TOMLKitError as error:
            raise WorksheetError(f"the worksheet is no TOML: {error}") from None

    def with_values(self, values: Mapping[str, float]) -> Paper:
        """The text with these numbers for its parameters."""
        self._parsed = document = self._document()
        title = "values" if "values" in document else "parameters"
        other = {name: v for name, v in values.items() if float(document[title][name]) != v}
        return self.changed(lambda document: document[title].update(other)) if other else self

    def with_data(self, data: Data) -> Paper:
        """The text with its records in it, where it names a file that has them."""

        def write(document: Any) -> None:
            table = document["data"]
            if "csv" in table:
                del table["csv"]
                for key, columns in (("inputs", data.inputs), ("targets", data.targets)):
                    table[key] = {name: list(column) for name, column in columns.items()}

        return self.changed(write)
