"""Files to take away: the worksheet, programs, the picture, and the derivation in every format."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from chalkgrad.core.errors import ArgumentError
from chalkgrad.draw import svg
from chalkgrad.explain import Derivation, explain
from chalkgrad.studio.programs import program
from chalkgrad.studio.subject import Manner
from chalkgrad.worksheet import Worksheet

Json = dict[str, Any]
DERIVATIONS: dict[str, tuple[str, str, Callable[[Derivation], str]]] = {
    "text": ("txt", "text/plain", lambda d: d.to_text()),
    "markdown": ("md", "text/markdown", lambda d: d.to_markdown()),
    "latex": ("tex", "application/x-tex", lambda d: d.to_latex()),
    "typst": ("typ", "text/plain", lambda d: d.to_typst()),
    "html": ("html", "text/html", lambda d: d.to_html()),
    "json": ("json", "application/json", lambda d: d.to_json() + "\n"),
    "notebook": ("ipynb", "application/x-ipynb+json", lambda d: d.to_notebook()),
    "svg": ("svg", "image/svg+xml", lambda d: svg(d.picture())),
}
FORMATS = ("worksheet", "python", "pytorch", "studio", "pdf", *DERIVATIONS)
_PROGRAMS = {"python": "chalkgrad", "pytorch": "torch"}


def exported(
    format: str, text: str, shown: Worksheet, whole: Worksheet, wrt: str | None, manner: Manner
) -> Json:
    """The file: of the worksheet as a `text`, of all its records, or of those that are shown."""
    stem = file_stem(whole.file)
    if format == "worksheet":
        return {"name": f"{stem}.toml", "type": "application/toml", "text": text}
    if format in _PROGRAMS:
        name = f"{stem}_{format}.py" if format == "pytorch" else f"{stem}.py"
        written = program(whole, _PROGRAMS[format])
        return {"name": name, "type": "text/x-python", "text": written}
    view, names, digits = manner
    derivation = explain(shown, wrt, view=view, names=names, digits=digits)
    return derived(format, derivation, stem if wrt is None else f"{stem}_{file_stem(wrt)}")


def derived(format: str, derivation: Derivation, stem: str) -> Json:
    """A derivation as a file."""
    if format == "pdf":
        content = b64encode(derivation.to_pdf()).decode()
        return {"name": f"{stem}.pdf", "type": "application/pdf", "base64": content}
    if format not in DERIVATIONS:
        raise ArgumentError(f"there is no format {format!r}: it is one of {', '.join(FORMATS)}")
    ending, kind, write = DERIVATIONS[format]
    return {"name": f"{stem}.{ending}", "type": kind, "text": write(derivation)}


def file_stem(name: str) -> str:
    """What a file may be called on every system."""
    stem = re.sub(r"\.(toml|csv)$", "", name)
    return re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_")[:60] or "worksheet"
