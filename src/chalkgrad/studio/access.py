"""Who may speak to the studio: a token, the Host that was asked for, the page that asks.

A browser sends a request to 127.0.0.1 for any page that says so. Three things tell the studio's own
page from another one: the token, which only the printed address has; the Host header, which names
another site after DNS rebinding; and the Origin header, which a page cannot choose.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from ipaddress import ip_address

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[0-9a-z_-][0-9a-z_.-]{0,252})(?::(\d{1,5}))?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Access:
    """What a request must bring along.

    `names` are the hosts, beside the loopback ones, that it may be sent to. Where the studio is
    `open` to other machines that is any address, too: rebinding needs a name.
    """

    names: frozenset[str] = frozenset()
    open: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def knows_host(self, header: str | None) -> bool:
        """Is this Host header one of this studio's names?"""
        found = _HOST.fullmatch((header or "").lower())
        if found is None:
            return False
        name = found[1].strip("[]")
        return name in _LOOPBACK | self.names or (self.open and _is_address(name))

    def admits(self, *tokens: str | None) -> bool:
        """Is one of these the token? In a time that does not depend on what is given."""
        known = self.token.encode()
        return any(compare_digest(known, (given or "").encode()) for given in tokens)


def same_origin(headers: Mapping[str, str]) -> bool:
    """Does this come from a page of this very host? A request without an Origin does not."""
    scheme, _, rest = headers.get("origin", "").partition("://")
    return scheme in ("http", "https") and rest != "" and rest == headers.get("host")


def is_loopback(address: str) -> bool:
    """Can only this machine reach the address?"""
    return _is_address(address) and ip_address(address).is_loopback


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
