"""Copies a whole casebook: a backup is a casebook in one SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.tables import metadata, sessions
from cardwatch.errors import CardwatchError
from cardwatch.vocabulary import LANES

if TYPE_CHECKING:
    from cardwatch.casebook.database import Casebook

ROWS_PER_BATCH = 10_000
FILES_PER_BATCH = 10
"""Rows of a table with files at a time: an attachment may have ten megabytes."""


def copy_casebook(source: Casebook, target: Casebook) -> int:
    """Copy everything into an empty casebook; return how many rows that were.

    The source is read as it stood at one moment, the target is written together or not at all.
    Either may be SQLite or PostgreSQL.

    Raises:
        CardwatchError: the target is not empty.
    """
    if target.organisations():
        raise CardwatchError("The target casebook is not empty. Choose an empty one.")
    owners = [row["organisation_id"] for row in source.organisations()]
    count = 0
    with source.snapshot() as reading, target.engine.begin() as writing:
        for owner in owners:
            source.set_tenant(reading, owner, LANES)
            target.set_tenant(writing, owner, LANES)
            for table in metadata.sorted_tables:
                if table is sessions:  # nobody is signed in where it is restored
                    continue
                count += _copy(reading, writing, table, owner)
    return count


def _copy(reading: sa.Connection, writing: sa.Connection, table: sa.Table, owner: str) -> int:
    """Copy an organisation's rows of one table; return how many."""
    question = sa.select(table).where(table.c.organisation_id == owner)
    if "lane" in table.c:
        question = question.where(table.c.lane.in_(LANES))
    question = question.order_by(*table.primary_key.columns)
    has_files = any(isinstance(column.type, sa.LargeBinary) for column in table.c)
    batch = FILES_PER_BATCH if has_files else ROWS_PER_BATCH
    cursor = reading.execute(question.execution_options(yield_per=batch))
    count = 0
    for part in cursor.mappings().partitions():
        writing.execute(sa.insert(table), [dict(row) for row in part])
        count += len(part)
    return count
