"""The first tables: those of `casebook.tables`, until the first release writes them out here.

From then on they are made as that release had them, and changed by later migrations only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cardwatch.casebook import tables

revision, down_revision = "0001", None

APPEND_ONLY = ("audit_events", "alert_snapshots", "case_entries")
"""Tables whose rows are never changed; those of `events` are never removed either."""


def upgrade() -> None:
    """Make every table, forbid changing what is append-only, and bind rows to their owners."""
    tables.metadata.create_all(op.get_bind(), checkfirst=False)
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table, change in (*((name, "UPDATE") for name in APPEND_ONLY), ("audit_events", "DELETE")):
        op.execute(
            f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END"
        )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION never_changed() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% are never changed', TG_TABLE_NAME; END $$"
    )
    for table, change in (*((name, "UPDATE") for name in APPEND_ONLY), ("audit_events", "DELETE")):
        op.execute(
            f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION never_changed()"
        )
    inspector = sa.inspect(op.get_bind())
    for table in inspector.get_table_names():
        columns = {column["name"] for column in inspector.get_columns(table)}
        if "organisation_id" not in columns:
            continue
        rule = "organisation_id = current_setting('app.organisation_id', true)"
        if "lane" in columns:
            rule += " AND lane = ANY (string_to_array(current_setting('app.lanes', true), ','))"
        if table == "organisations":
            rule += " OR current_setting('app.organisation_id', true) = '*'"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY owner ON {table} USING ({rule})")
