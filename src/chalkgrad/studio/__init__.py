"""The studio: step through the passes of a network in a page, a notebook or a file."""

from importlib.util import find_spec

from chalkgrad.core.errors import MissingExtra
from chalkgrad.core.rooms import callable_as

if find_spec("tomlkit") is None:  # every edit of a worksheet is written with it
    raise MissingExtra('the studio needs its extra: pip install "chalkgrad[studio]"')

from chalkgrad.studio.widget import studio

__all__ = ["studio"]

callable_as(__name__, studio)
