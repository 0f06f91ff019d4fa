"""Reads card statements of any layout into transactions, and accounts for every row."""

from cardwatch.statements.cells import redact_cards
from cardwatch.statements.collection import list_files, read_statements
from cardwatch.statements.profiles import (
    Profile,
    known_headings,
    load_profile,
    nearest_headings,
    profile_text,
    shipped_profiles,
)
from cardwatch.statements.reading import ReadingChoices, order_by_dates, order_unknown

__all__ = [
    "Profile",
    "ReadingChoices",
    "known_headings",
    "list_files",
    "load_profile",
    "nearest_headings",
    "order_by_dates",
    "order_unknown",
    "profile_text",
    "read_statements",
    "redact_cards",
    "shipped_profiles",
]
