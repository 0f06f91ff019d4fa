"""Turns any tabular file into one table of text cells, and refuses what is not one."""

from cardwatch.tabular.headings import (
    DATE_MARKS,
    POUND_MARKS,
    SHARE_WORDS,
    Headings,
    normalise_heading,
    without_pound_mark,
)
from cardwatch.tabular.limits import LIMITS, MIB, Limits
from cardwatch.tabular.pgp import PgpKeys, check_private, decrypted, is_encrypted, load_keys
from cardwatch.tabular.reader_pool import ReaderPool, read_tables
from cardwatch.tabular.table import Part, Table

__all__ = [
    "DATE_MARKS",
    "LIMITS",
    "MIB",
    "POUND_MARKS",
    "SHARE_WORDS",
    "Headings",
    "Limits",
    "Part",
    "PgpKeys",
    "ReaderPool",
    "Table",
    "check_private",
    "decrypted",
    "is_encrypted",
    "load_keys",
    "normalise_heading",
    "read_tables",
    "without_pound_mark",
]
