"""Reads card statements of any layout into transactions, and accounts for every row."""

from cardwatch.statements.cells import redact_cards
from cardwatch.statements.collection import list_files, read_each, read_statements
from cardwatch.statements.corpus import Outcome, differences, load_expectations, read_corpus
from cardwatch.statements.date_orders import order_by_dates, order_unknown
from cardwatch.statements.guesses import BY_CONTENT, guess_fields
from cardwatch.statements.holder_keys import holder_ids, name_holders, no_transactions
from cardwatch.statements.preview import (
    StatementPreview,
    open_table,
    plain_headings,
    preview_statement,
    preview_table,
)
from cardwatch.statements.profiles import (
    CHOICES,
    DATE_ORDERS,
    FIELDS,
    HOLDER_FIELDS,
    Profile,
    changed_profile,
    checked_profile,
    known_headings,
    load_profile,
    missing_fields,
    nearest_headings,
    needed_headings,
    parse_profile,
    profile_text,
    profile_toml,
    shipped_profiles,
    unused_profile,
)
from cardwatch.statements.reading import read_rows
from cardwatch.statements.sheet import ReadingChoices
from cardwatch.statements.table_headings import check_headings, distinct_headings

__all__ = [
    "BY_CONTENT",
    "CHOICES",
    "DATE_ORDERS",
    "FIELDS",
    "HOLDER_FIELDS",
    "Outcome",
    "Profile",
    "ReadingChoices",
    "StatementPreview",
    "changed_profile",
    "check_headings",
    "checked_profile",
    "differences",
    "distinct_headings",
    "guess_fields",
    "holder_ids",
    "known_headings",
    "list_files",
    "load_expectations",
    "load_profile",
    "missing_fields",
    "name_holders",
    "nearest_headings",
    "needed_headings",
    "no_transactions",
    "open_table",
    "order_by_dates",
    "order_unknown",
    "parse_profile",
    "plain_headings",
    "preview_statement",
    "preview_table",
    "profile_text",
    "profile_toml",
    "read_corpus",
    "read_each",
    "read_rows",
    "read_statements",
    "redact_cards",
    "shipped_profiles",
    "unused_profile",
]
