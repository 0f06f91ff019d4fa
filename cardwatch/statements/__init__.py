"""Reads card statements of any layout into transactions, and accounts for every row."""

from cardwatch.statements.cells import redact_cards
from cardwatch.statements.collection import list_files, name_holders, read_each, read_statements
from cardwatch.statements.profiles import (
    HOLDER_FIELDS,
    Profile,
    known_headings,
    load_profile,
    nearest_headings,
    profile_text,
    shipped_profiles,
)
from cardwatch.statements.reading import ReadingChoices, order_by_dates, order_unknown

__all__ = [
    "HOLDER_FIELDS",
    "Profile",
    "ReadingChoices",
    "known_headings",
    "list_files",
    "load_profile",
    "name_holders",
    "nearest_headings",
    "order_by_dates",
    "order_unknown",
    "profile_text",
    "read_each",
    "read_statements",
    "redact_cards",
    "shipped_profiles",
]
