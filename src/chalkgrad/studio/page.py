"""The page itself: served as a shell with its files, or saved as one file that holds everything.

Either runs the scripts of the built front end and no other: the served one because only its own
address may give scripts, the saved one because the policy in it names the hash of what is inside.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

SCRIPT, STYLE = "studio.js", "studio.css"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self' data:; "
    "img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_NO_SCRIPT = "The studio draws and computes with JavaScript, which is off in this browser."


class File(NamedTuple):
    """What is served at an address."""

    kind: str
    content: bytes


@cache
def asset(name: str) -> str:
    """A file of the built front end."""
    return (files("chalkgrad.studio") / "static" / name).read_text("utf-8")


@cache
def served() -> dict[str, File]:
    """Everything that has an address, beside the socket and the upload."""
    html, css, js, svg = (
        f"{kind}; charset=utf-8"
        for kind in ("text/html", "text/css", "text/javascript", "image/svg+xml")
    )
    return {
        "/": File(html, _shell().encode()),
        "/static/shell.css": File(css, asset("shell.css").encode()),
        f"/static/{STYLE}": File(css, asset(STYLE).encode()),
        f"/static/{SCRIPT}": File(js, asset(SCRIPT).encode()),
        "/static/icon.svg": File(svg, asset("icon.svg").encode()),
    }


def page_of(recording: dict[str, Any]) -> str:
    """A file that shows a recording (see `chalkgrad.studio.recording`) in any browser, offline."""
    style, script = asset("shell.css") + asset(STYLE), asset(SCRIPT)
    data = json.dumps(recording, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    icon = b64encode(asset("icon.svg").encode()).decode()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "font-src data:; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<link rel="icon" href="data:image/svg+xml;base64,{icon}">\n<style>{style}</style>\n'
    )
    # "<" inside a JSON text stands in its strings only: written so, no text ends the element.
    inside = data.replace("<", "\\u003c")
    tail = (
        f'<script type="application/json" id="chalkgrad-recording">{inside}</script>\n'
        f'<script type="module">{script}</script>\n'
    )
    return _html(recording["hello"]["state"]["title"], "recording", head, tail)


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"


def _shell() -> str:
    head = (
        '<link rel="icon" href="/static/icon.svg">\n'
        '<link rel="stylesheet" href="/static/shell.css">\n'
        f'<link rel="stylesheet" href="/static/{STYLE}">\n'
        f'<script type="module" src="/static/{SCRIPT}"></script>\n'
    )
    return _html("chalkgrad studio", "server", head, "")


def _html(title: str, host: str, head: str, tail: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n{head}</head>\n<body>\n"
        f'<div data-chalkgrad-studio="{host}"><p class="shell">Loading the studio …</p></div>\n'
        f'<noscript><p class="shell">{_NO_SCRIPT}</p></noscript>\n{tail}</body>\n</html>\n'
    )
