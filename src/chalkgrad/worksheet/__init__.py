"""Worksheets: a problem as a lecture states it, read from TOML and made a graph."""

from chalkgrad.core.errors import WorksheetError
from chalkgrad.worksheet.learning import learned, optimizer_of
from chalkgrad.worksheet.parts import Data, Layer, Loss, Names, Update, numbered
from chalkgrad.worksheet.problem import Problem
from chalkgrad.worksheet.sheet import Worksheet

__all__ = [
    "Data",
    "Layer",
    "Loss",
    "Names",
    "Problem",
    "Update",
    "Worksheet",
    "WorksheetError",
    "learned",
    "numbered",
    "optimizer_of",
]
