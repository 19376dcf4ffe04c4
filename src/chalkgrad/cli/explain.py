"""`chalkgrad explain`"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from chalkgrad.cli.messages import Messages
from chalkgrad.core.errors import ArgumentError
from chalkgrad.core.files import write_whole
from chalkgrad.explain import Derivation
from chalkgrad.explain import explain as derivation_of
from chalkgrad.formulas import DIGITS
from chalkgrad.worksheet import Worksheet

Format = Literal["text", "markdown", "latex", "typst", "html", "studio", "json", "pdf", "notebook"]
_WRITERS: dict[str, Callable[[Derivation, int, bool], str]] = {
    "text": lambda d, width, color: d.to_text(width, color=color),
    "markdown": lambda d, width, color: d.to_markdown(),
    "latex": lambda d, width, color: d.to_latex(),
    "typst": lambda d, width, color: d.to_typst(),
    "html": lambda d, width, color: d.to_html(),
    "studio": lambda d, width, color: d.to_html(interactive=True),
    "json": lambda d, width, color: d.to_json() + "\n",
    "notebook": lambda d, width, color: d.to_notebook(),
}


def explain(
    worksheet: Path, /, *,
    wrt: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    view: Literal["board", "layer", "paths"] = "board",
    names: Literal["lecture", "indexed", "nielsen", "pytorch"] = "lecture",
    format: Format = "text",
    digits: int = DIGITS,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
) -> int:  # fmt: skip
    """Derive every gradient of a worksheet's network, with every number.

    Parameters
    ----------
    worksheet
        A worksheet in TOML: parameters, layers or formulas, data, loss and update.
    wrt
        The parameters to derive by; without it those that the worksheet updates.
    view
        board: scalars with the author's names; layer: arrays and δ; paths: path by path.
    names
        lecture: the worksheet's own; indexed: w⁽²⁾₁₂; nielsen: w²₁₂; pytorch: layers.1.weight[0,1].
    format
        What to write. studio is a page to click and step through; it needs the extra `studio`, as
        pdf needs the extra `pdf`.
    digits
        The decimals that are shown; nothing else depends on it.
    output
        The file to write; stdout without it.
    """
    messages = Messages(quiet=False)
    sheet = Worksheet.read(worksheet)
    for note in sheet.notes:
        messages.say(f"note: {note}")
    derivation = derivation_of(sheet, wrt, names=names, view=view, digits=digits)
    if format == "pdf":
        _write_bytes(derivation.to_pdf(), output)
        return 0
    width = messages.console.width if sys.stdout.isatty() else 80
    color = output is None and sys.stdout.isatty() and not messages.console.no_color
    text = _WRITERS[format](derivation, width, color)
    if output is None:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    else:
        write_whole(output, text.encode())
        messages.say(f"written to {output}")
    return 0


def _write_bytes(content: bytes, output: Path | None) -> None:
    if output is not None:
        write_whole(output, content)
    elif sys.stdout.isatty():
        raise ArgumentError("a PDF is not for a terminal: name a file with -o")
    else:
        sys.stdout.buffer.write(content)
