"""Reads card statements of any layout into transactions, and accounts for every row."""

from cardwatch.statements.cells import redact_cards
from cardwatch.statements.collection import list_files, read_each, read_statements
from cardwatch.statements.corpus import Outcome, differences, load_expectations, read_corpus
from cardwatch.statements.date_orders import order_by_dates, order_unknown
from cardwatch.statements.holder_keys import holder_ids, name_holders
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
    needed_headings,
    parse_profile,
    profile_text,
    profile_toml,
    shipped_profiles,
)
from cardwatch.statements.reading import read_rows
from cardwatch.statements.sheet import ReadingChoices, check_headings

__all__ = [
    "DATE_ORDERS",
    "FIELDS",
    "HOLDER_FIELDS",
    "Outcome",
    "Profile",
    "ReadingChoices",
    "check_headings",
    "checked_profile",
    "differences",
    "guess_columns",
    "holder_ids",
    "known_headings",
    "list_files",
    "load_expectations",
    "load_profile",
    "missing_fields",
    "name_holders",
    "nearest_headings",
    "needed_headings",
    "order_by_dates",
    "order_unknown",
    "parse_profile",
    "profile_text",
    "profile_toml",
    "read_corpus",
    "read_each",
    "read_rows",
    "read_statements",
    "redact_cards",
    "shipped_profiles",
]
