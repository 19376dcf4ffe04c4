"""The page wears the colours of the pictures."""

from __future__ import annotations

import re
from importlib.resources import files

from chalkgrad.draw.palette import DARK, LIGHT


def test_the_style_sheet_has_the_palettes_colours_light_and_dark() -> None:
    sheet = (files("chalkgrad.studio") / "static" / "studio.css").read_text("utf-8")

    def named(name: str) -> set[str]:
        """What a variable is in the sheet; #ffffff is written #fff there."""
        found = re.findall(rf"--{name}:\s*#([0-9a-f]+)", sheet)
        return {"#" + (text if len(text) == 6 else "".join(c * 2 for c in text)) for text in found}

    for name in LIGHT:
        assert named(name) == {LIGHT[name], DARK[name]}, name
