"""Turns any tabular file into one table of text cells, and refuses what is not one."""

from cardwatch.tabular.child import Nursery, read_tables
from cardwatch.tabular.headings import normalise_heading, without_pound_mark
from cardwatch.tabular.limits import LIMITS, Limits
from cardwatch.tabular.table import Part, Table

__all__ = [
    "LIMITS",
    "Limits",
    "Nursery",
    "Part",
    "Table",
    "normalise_heading",
    "read_tables",
    "without_pound_mark",
]
