"""How large things may be: what a page sends, what is stepped whole, what is shown at once."""

from __future__ import annotations

PROTOCOL = 1  # the version of PROTOCOL.md
MOST_UNITS = 64  # of a network that is stepped whole, inputs not counted
MOST_PARAMETERS = 400
MOST_UPDATES = 40  # parameters whose updates are steps
MOST_RECORDS_AT_ONCE = 8  # that one picture and one derivation can show
SHOWN_UNITS = 16  # of a folded layer
MOST_LOSSES = 500  # points of the curve
MOST_STEPS = 100_000  # updates that one request asks for
LARGEST_TEXT = 1 << 20  # characters of a worksheet, of answers, of a shared string
LARGEST_CSV = 20 * (1 << 20)
LONGEST_SHARE = 6000  # characters of an address that everything takes
MOST_UNDO = 200
MOST_LAYERS = 12
WIDEST_LAYER = 40  # units that a page can add up to
