"""Turns any tabular file into one table of text cells, and refuses what is not one."""

from cardwatch.tabular.child import Nursery, read_tables
from cardwatch.tabular.headings import normalise_heading
from cardwatch.tabular.limits import LIMITS, Limits
from cardwatch.tabular.table import Table

__all__ = ["LIMITS", "Limits", "Nursery", "Table", "normalise_heading", "read_tables"]
