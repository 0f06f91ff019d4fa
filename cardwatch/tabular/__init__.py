"""Turns any tabular file into one table of text cells, and refuses what is not one."""

from cardwatch.tabular.headings import normalise_heading, without_pound_mark
from cardwatch.tabular.limits import LIMITS, Limits
from cardwatch.tabular.sandbox import ReaderPool, read_tables
from cardwatch.tabular.table import Part, Table

__all__ = [
    "LIMITS",
    "Limits",
    "Part",
    "ReaderPool",
    "Table",
    "normalise_heading",
    "read_tables",
    "without_pound_mark",
]
