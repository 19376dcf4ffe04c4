"""The pages about worksheets and marking list what is there, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from chalkgrad.check.slips.catalogue import ORDER
from chalkgrad.check.verdicts import Verdict
from chalkgrad.worksheet.activations import ACTIVATIONS
from chalkgrad.worksheet.losses import RULES
from chalkgrad.worksheet.naming import DEFAULTS

DOCS = Path(__file__).parents[2] / "docs"
WORKSHEETS = DOCS.joinpath("worksheets.md").read_text("utf-8")
MARKING = DOCS.joinpath("check.md").read_text("utf-8")


def test_every_activation_is_listed() -> None:
    (listed,) = re.findall(r"\*\*Activations\*\*: `([^`]*)`", WORKSHEETS)
    assert listed.split() == list(ACTIVATIONS)


def test_every_loss_is_listed_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (sum|mean) \|$", WORKSHEETS, re.MULTILINE)
    assert rows == [(kind, rule.over_records) for kind, rule in RULES.items()]


def test_every_pattern_of_names_is_listed_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]* \| `([^`]*)` \|$", WORKSHEETS, re.MULTILINE)
    assert dict(rows) == {**DEFAULTS, "loss": "L", "delta": '"positive"'}


def test_every_slip_is_listed() -> None:
    named = MARKING.partition("## The slips it knows")[2]
    listed = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", named, re.MULTILINE)
    listed += re.findall(r"\*\*Of the pen\*\*: ([^\n]*\n[^\n]+)", named)
    names = [" ".join(n.split()) for row in listed for n in re.split(r", | · ", row)]
    assert sorted(set(names) - {"name"}) == sorted(ORDER)


def test_every_verdict_is_listed() -> None:
    listed = re.findall(r"^\| [✓→✗?·] \| `(\w+)` \|", MARKING, re.MULTILINE)
    assert listed == [str(verdict) for verdict in Verdict]
