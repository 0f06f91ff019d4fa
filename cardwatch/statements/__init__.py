"""Reads card statements of any layout into transactions, and accounts for every row."""

from cardwatch.statements.cells import redact_cards
from cardwatch.statements.collection import (
    holder_ids,
    list_files,
    name_holders,
    read_each,
    read_statements,
)
from cardwatch.statements.profiles import (
    DATE_ORDERS,
    FIELDS,
    HOLDER_FIELDS,
    Profile,
    checked_profile,
    guess_columns,
    known_headings,
    load_profile,
    missing_fields,
    nearest_headings,
    parse_profile,
    profile_text,
    profile_toml,
    shipped_profiles,
)
from cardwatch.statements.reading import (
    ReadingChoices,
    order_by_dates,
    order_unknown,
    read_rows,
)

__all__ = [
    "DATE_ORDERS",
    "FIELDS",
    "HOLDER_FIELDS",
    "Profile",
    "ReadingChoices",
    "checked_profile",
    "guess_columns",
    "holder_ids",
    "known_headings",
    "list_files",
    "load_profile",
    "missing_fields",
    "name_holders",
    "nearest_headings",
    "order_by_dates",
    "order_unknown",
    "parse_profile",
    "profile_text",
    "profile_toml",
    "read_each",
    "read_rows",
    "read_statements",
    "redact_cards",
    "shipped_profiles",
]
