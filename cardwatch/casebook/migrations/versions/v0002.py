"""All that a holder paid, or that a merchant was paid, is found without reading everything."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cardwatch import __version__
from cardwatch.merchants import canonical_name

revision, down_revision = "0002", "0001"

TEXT = sa.Text()
KEYS = ("holder_id", "employee_id", "account", "cardholder", "card_number")


def upgrade() -> None:
    """Index what the pages of holders and merchants ask for, and name the merchants held."""
    op.create_index("transactions_by_merchant", "transactions", ["organisation_id", "merchant"])
    for key in KEYS:
        is_there = sa.text(f"key_{key} IS NOT NULL")
        op.create_index(
            f"transactions_by_key_{key}", "transactions", ["organisation_id", f"key_{key}", "date"],
            sqlite_where=is_there, postgresql_where=is_there,
        )  # fmt: skip
    merchants = op.create_table(
        "merchants",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("printed", TEXT, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("made_with", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "printed"),
        sqlite_strict=True,
    )
    op.create_index("merchants_by_name", "merchants", ["organisation_id", "name"])
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute("ALTER TABLE merchants ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE merchants FORCE ROW LEVEL SECURITY")
        rule = "organisation_id = current_setting('app.organisation_id', true)"
        op.execute(f"CREATE POLICY owner ON merchants USING ({rule})")
    _name_merchants(merchants, is_postgresql=is_postgresql)


def _name_merchants(merchants: sa.Table, *, is_postgresql: bool) -> None:
    """Keep every merchant of the transactions held, organisation by organisation."""
    bind = op.get_bind()

    def own(organisation_id: str) -> None:
        if is_postgresql:
            setting = sa.text("SELECT set_config('app.organisation_id', :owner, true)")
            bind.execute(setting, {"owner": organisation_id})

    own("*")
    for owner in bind.scalars(sa.text("SELECT organisation_id FROM organisations")).all():
        own(owner)
        printed = "SELECT DISTINCT merchant FROM transactions WHERE organisation_id = :owner"
        rows = [
            {"organisation_id": owner, "printed": one, "name": canonical_name(one).name,
             "made_with": __version__}
            for one in bind.scalars(sa.text(printed), {"owner": owner})
        ]  # fmt: skip
        if rows:
            bind.execute(sa.insert(merchants), rows)
    own("")
