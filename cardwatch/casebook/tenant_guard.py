"""Rejects SQL that lacks an organisation or lane condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import operators

from cardwatch.casebook.tables import organisations

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYBODY = "*"
"""In place of an organisation where their names are listed."""


def _parts(statement: sa.ClauseElement) -> Iterator[sa.ClauseElement]:
    """Every part of a statement; an aliased table counts as its alias alone."""
    parts = [statement]
    while parts:
        part = parts.pop()
        yield part
        if not (isinstance(part, sa.Alias) and isinstance(part.element, sa.Table)):
            parts += part.get_children()


def check_owner(
    connection: sa.Connection,
    statement: Any,  # noqa: ANN401  any statement
    multiparams: Any,  # noqa: ANN401, ARG001  as SQLAlchemy calls it
    params: Any,  # noqa: ANN401, ARG001
    options: Any,  # noqa: ANN401, ARG001
) -> None:
    """Refuse a question or change that does not name its organisation, or a lane it may touch.

    It guards SQLite, which has no row-level security, against a forgotten condition.
    """
    if "owner" not in connection.info or not isinstance(
        statement, sa.Select | sa.Update | sa.Delete
    ):
        return
    owner, lanes = connection.info["owner"]
    owned: set[sa.FromClause] = set()
    scoped_tables: dict[str, set[sa.FromClause]] = {"organisation_id": set(), "lane": set()}
    for part in _parts(statement):
        if isinstance(part, sa.Table | sa.Alias):
            owned.add(part)
        elif isinstance(part, sa.Column) and part.table is not None:
            owned.add(part.table)
        elif isinstance(part, sa.BinaryExpression) and isinstance(part.left, sa.Column):
            right, column = part.right, part.left
            values = getattr(right, "value", None)
            fits = part.operator is operators.eq and values == owner
            if column.name == "lane":
                lane_values = {values} if isinstance(values, str) else set(values or ())
                fits = part.operator in {operators.eq, operators.in_op} and lane_values <= lanes
            if column.name in scoped_tables and fits:
                scoped_tables[column.name].add(column.table)
    for table in owned:
        missing = [n for n in scoped_tables if n in table.c and table not in scoped_tables[n]]
        if missing and not (owner == EVERYBODY and table is organisations):
            raise AssertionError(f"a statement about {table} does not say whose: {missing}")
