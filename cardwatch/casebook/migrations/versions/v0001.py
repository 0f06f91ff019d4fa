"""The first tables: made once, changed by later migrations only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

revision, down_revision = "0001", None

TEXT = sa.Text()
INTEGER: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
APPEND_ONLY = ("audit_events", "alert_snapshots", "case_entries")
"""Tables whose rows are never changed; those of `events` are never removed either."""


def upgrade() -> None:
    """Make every table, forbid changing what is append-only, and bind rows to their owners."""
    _make_tables()
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


def _make_tables() -> None:  # noqa: PLR0915  one for each table
    op.create_table(
        "accounts",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("person_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("password", TEXT, nullable=True),
        sa.Column("totp", TEXT, nullable=True),
        sa.Column("totp_step", INTEGER, nullable=False),
        sa.Column("invited_sha256", TEXT, nullable=True),
        sa.Column("invited_until", TEXT, nullable=True),
        sa.Column("invited_by", TEXT, nullable=True),
        sa.Column("taken_at", TEXT, nullable=True),
        sa.Column("inviters", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "person_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "alert_subjects",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("alert_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, autoincrement=False, nullable=False),
        sa.Column("subject_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "alert_id", "kind", "subject_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "alert_subjects_by_subject",
        "alert_subjects",
        ["organisation_id", "subject_id"],
        unique=False,
    )
    op.create_table(
        "alerts",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("alert_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("statement_id", TEXT, nullable=False),
        sa.Column("raised_at", TEXT, nullable=False),
        sa.Column("tier", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("band", TEXT, nullable=False),
        sa.Column("is_fact", INTEGER, nullable=False),
        sa.Column("first_on", TEXT, nullable=False),
        sa.Column("last_on", TEXT, nullable=False),
        sa.Column("at_stake_pence", INTEGER, nullable=False),
        sa.Column("strength", REAL, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("is_second_look", INTEGER, nullable=False),
        sa.Column("assigned_to", TEXT, nullable=False),
        sa.Column("due_on", TEXT, nullable=False),
        sa.Column("snoozed_until", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("recovered_pence", INTEGER, nullable=False),
        sa.Column("source_corrected_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "alert_id"),
        sqlite_strict=True,
    )
    op.create_index("alerts_by_state", "alerts", ["organisation_id", "lane", "state"], unique=False)
    op.create_table(
        "complaints",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("complaint_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("received_on", TEXT, nullable=False),
        sa.Column("acknowledged_on", TEXT, nullable=True),
        sa.Column("answered_on", TEXT, nullable=True),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "complaint_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "cases",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("case_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("reference", TEXT, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("closed_by", TEXT, nullable=True),
        sa.Column("closed_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "case_id"),
        sa.UniqueConstraint("organisation_id", "lane", "reference"),
        sqlite_strict=True,
    )
    op.create_table(
        "case_entries",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("case_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("object_id", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "case_id", "version"),
        sqlite_strict=True,
    )
    op.create_table(
        "approvals",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("approval_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("expires_at", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=True),
        sa.Column("decided_at", TEXT, nullable=True),
        sa.Column("used_at", TEXT, nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "approval_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "case_alerts",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("case_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("alert_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("alert_lane", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "case_id", "alert_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "case_alerts_by_alert", "case_alerts", ["organisation_id", "alert_id"], unique=False
    )
    op.create_table(
        "case_subjects",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("case_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("alert_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, autoincrement=False, nullable=False),
        sa.Column("subject_id", TEXT, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "organisation_id", "lane", "case_id", "alert_id", "kind", "subject_id"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "case_attachments",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("attachment_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("case_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "attachment_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "case_attachments_by_case", "case_attachments", ["organisation_id", "case_id"], unique=False
    )
    op.create_table(
        "referrals",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("referral_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("alert_id", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "referral_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "referral_answers",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("referral_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("case_id", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "referral_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "decisions",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("alert_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("assigned_to", TEXT, nullable=False),
        sa.Column("due_on", TEXT, nullable=False),
        sa.Column("snoozed_until", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("recovered_pence", INTEGER, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("decided_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "alert_id", "version"),
        sqlite_strict=True,
    )
    op.create_table(
        "exports",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("disclosure_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("statement_id", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "disclosure_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "queries",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("query_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("reply_to", TEXT, nullable=False),
        sa.Column("due_on", TEXT, nullable=True),
        sa.Column("sent_by", TEXT, nullable=False),
        sa.Column("sent_at", TEXT, nullable=False),
        sa.Column("next_reminder_on", TEXT, nullable=True),
        sa.Column("reminders", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "query_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "query_alerts",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("query_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("alert_id", TEXT, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "query_id", "alert_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "query_replies",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("query_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("replied_by", TEXT, nullable=False),
        sa.Column("replied_on", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("recorded_by", TEXT, nullable=False),
        sa.Column("recorded_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "query_id", "seq"),
        sqlite_strict=True,
    )
    op.create_table(
        "directory_groups",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("group_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("changed_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "group_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "directory_members",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("group_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("user_id", TEXT, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "group_id", "user_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "directory_members_by_user",
        "directory_members",
        ["organisation_id", "user_id"],
        unique=False,
    )
    op.create_table(
        "directory_users",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("user_name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("employee_number", TEXT, nullable=False),
        sa.Column("is_active", INTEGER, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("waits_for", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("changed_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "user_id"),
        sa.UniqueConstraint("organisation_id", "user_name"),
        sqlite_strict=True,
    )
    op.create_table(
        "documents",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "sha256"),
        sqlite_strict=True,
    )
    op.create_table(
        "audit_events",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("seq", INTEGER, autoincrement=False, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "seq"),
        sqlite_strict=True,
    )
    op.create_table(
        "alert_transactions",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("alert_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("statement_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "alert_id", "statement_id", "row"),
        sqlite_strict=True,
    )
    op.create_index(
        "alert_transactions_by_row",
        "alert_transactions",
        ["organisation_id", "statement_id", "row"],
        unique=False,
    )
    op.create_table(
        "register_versions",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("version_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("file", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("known_from", TEXT, nullable=True),
        sa.Column("replaces", INTEGER, nullable=False),
        sa.Column("entries", INTEGER, nullable=False),
        sa.Column("unreadable", INTEGER, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_sha256", TEXT, nullable=False),
        sa.Column("received_by", TEXT, nullable=False),
        sa.Column("received_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "version_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "match_decisions",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organisation", TEXT, nullable=False),
        sa.Column("merchant", TEXT, nullable=False),
        sa.Column("decision", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("decided_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "seq"),
        sqlite_strict=True,
    )
    op.create_table(
        "legal_holds",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("hold_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("alert_id", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("ended_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "hold_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "active_documents",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("effective_from", TEXT, nullable=False),
        sa.Column("activated_by", TEXT, nullable=False),
        sa.Column("activated_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "kind", "seq"),
        sqlite_strict=True,
    )
    op.create_table(
        "import_requests",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("request_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("made_by", TEXT, autoincrement=False, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "request_id", "made_by"),
        sqlite_strict=True,
    )
    op.create_table(
        "jobs",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("job_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("percent", INTEGER, nullable=False),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("leased_until", TEXT, nullable=True),
        sa.Column("file", TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("mark", TEXT, nullable=False),
        sa.Column("answer", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "job_id"),
        sqlite_strict=True,
    )
    op.create_index("jobs_by_state", "jobs", ["organisation_id", "state"], unique=False)
    op.create_table(
        "key_checks",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("name", TEXT, autoincrement=False, nullable=False),
        sa.Column("fingerprint", TEXT, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "name", "fingerprint"),
        sqlite_strict=True,
    )
    op.create_table(
        "key_uses",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("key_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("used_on", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "key_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "keys",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("key_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("secret_sha256", TEXT, nullable=False),
        sa.Column("can_decide", INTEGER, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("expires_on", TEXT, nullable=False),
        sa.Column("ended_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "key_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "column_profiles",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("name", TEXT, autoincrement=False, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("agreed_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "name"),
        sqlite_strict=True,
    )
    op.create_table(
        "uploads",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("upload_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("expires_at", TEXT, nullable=False),
        sa.Column("file", TEXT, nullable=False),
        sa.Column("options", TEXT, nullable=False),
        sa.Column("size_bytes", INTEGER, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "upload_id"),
        sqlite_strict=True,
    )
    op.create_index("uploads_by_expiry", "uploads", ["organisation_id", "expires_at"], unique=False)
    op.create_table(
        "refused_files",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("refusal_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("file", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size_bytes", INTEGER, nullable=False),
        sa.Column("received_at", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("settled_at", TEXT, nullable=True),
        sa.Column("settled_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "refusal_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "refused_files_by_sha256", "refused_files", ["organisation_id", "sha256"], unique=False
    )
    op.create_table(
        "alert_lists",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("statement_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("alerts_sha256", TEXT, nullable=False),
        sa.Column("registers", TEXT, nullable=False),
        sa.Column("known_by", TEXT, nullable=True),
        sa.Column("made_with", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "statement_id", "seq"),
        sqlite_strict=True,
    )
    op.create_table(
        "merchants",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("printed", TEXT, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("made_with", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "printed"),
        sqlite_strict=True,
    )
    op.create_index("merchants_by_name", "merchants", ["organisation_id", "name"], unique=False)
    op.create_table(
        "organisations",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("keeps", TEXT, nullable=False),
        sa.Column("person_keys", TEXT, nullable=False),
        sa.Column("secret", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "outbox",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("notice_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("sent_at", TEXT, nullable=True),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("next_attempt_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "notice_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "people",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("person_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("holder_id", TEXT, nullable=False),
        sa.Column("holds_no_card", INTEGER, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("ended_at", TEXT, nullable=True),
        sa.Column("identity", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "person_id"),
        sa.UniqueConstraint("organisation_id", "email"),
        sa.UniqueConstraint("organisation_id", "identity"),
        sqlite_strict=True,
    )
    op.create_table(
        "proposals",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("proposal_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("effective_from", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=True),
        sa.Column("decided_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "proposal_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "alert_snapshots",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("statement_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("alert_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("list_seq", INTEGER, nullable=False),
        sa.Column("rank", INTEGER, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "statement_id", "alert_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "reminders",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("sent_on", TEXT, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "sent_on"),
        sqlite_strict=True,
    )
    op.create_table(
        "holder_names",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("names_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("field", TEXT, autoincrement=False, nullable=False),
        sa.Column("subject_id", TEXT, nullable=False),
        sa.Column("visible_to_psd_only", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "names_id", "field"),
        sqlite_strict=True,
    )
    op.create_index(
        "holder_names_by_subject", "holder_names", ["organisation_id", "subject_id"], unique=False
    )
    op.create_table(
        "provider_logouts",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("jti_sha256", TEXT, autoincrement=False, nullable=False),
        sa.Column("expires_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "jti_sha256"),
        sqlite_strict=True,
    )
    op.create_table(
        "daily_uses",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("person_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("kind", TEXT, autoincrement=False, nullable=False),
        sa.Column("used_on", TEXT, nullable=False),
        sa.Column("amount", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "person_id", "kind"),
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("session_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("seen_at", TEXT, nullable=False),
        sa.Column("verified_at", TEXT, nullable=False),
        sa.Column("mark", TEXT, nullable=False),
        sa.Column("browser", TEXT, nullable=False),
        sa.Column("provider_session", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "session_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "sessions_by_person", "sessions", ["organisation_id", "person_id"], unique=False
    )
    op.create_table(
        "statements",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("statement_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("received_by", TEXT, nullable=False),
        sa.Column("received_at", TEXT, nullable=False),
        sa.Column("corrects", TEXT, nullable=True),
        sa.Column("superseded_seq", INTEGER, nullable=True),
        sa.Column("first_on", TEXT, nullable=False),
        sa.Column("last_on", TEXT, nullable=False),
        sa.Column("transactions", INTEGER, nullable=False),
        sa.Column("pence", INTEGER, nullable=False),
        sa.Column("duplicate_count", INTEGER, nullable=False),
        sa.Column("rows_sha256", TEXT, nullable=False),
        sa.Column("report", TEXT, nullable=False),
        sa.Column("is_scored", INTEGER, nullable=False),
        sa.Column("window_from", TEXT, nullable=True),
        sa.Column("input_sha256", TEXT, nullable=True),
        sa.Column("made_with", TEXT, nullable=True),
        sa.Column("erased_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "statement_id"),
        sa.UniqueConstraint("organisation_id", "label"),
        sa.UniqueConstraint("organisation_id", "seq"),
        sqlite_strict=True,
    )
    op.create_index(
        "statements_by_sha256", "statements", ["organisation_id", "sha256"], unique=False
    )
    op.create_table(
        "suppressions",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("suppression_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("holders", TEXT, nullable=False),
        sa.Column("merchants", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("alert_id", TEXT, nullable=True),
        sa.Column("most_pence", INTEGER, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("expires_on", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.Column("ended_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "suppression_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "identity_reveals",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("alert_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("made_by", TEXT, autoincrement=False, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane", "alert_id", "made_by"),
        sqlite_strict=True,
    )
    op.create_table(
        "webhooks",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("lane", TEXT, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("secret", TEXT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "lane"),
        sqlite_strict=True,
    )
    op.create_table(
        "transactions",
        sa.Column("organisation_id", TEXT, nullable=False),
        sa.Column("statement_id", TEXT, autoincrement=False, nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("transaction_id", TEXT, nullable=False),
        sa.Column("date", TEXT, nullable=False),
        sa.Column("posting_date", TEXT, nullable=True),
        sa.Column("card_last4", TEXT, nullable=False),
        sa.Column("card_token", TEXT, nullable=False),
        sa.Column("merchant", TEXT, nullable=False),
        sa.Column("mcc", TEXT, nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("cost_centre", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("original_amount", TEXT, nullable=False),
        sa.Column("original_currency", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("vat", TEXT, nullable=False),
        sa.Column("line_items", TEXT, nullable=False),
        sa.Column("amount_pence", INTEGER, nullable=False),
        sa.Column("day_doubled", INTEGER, nullable=False),
        sa.Column("key_holder_id", TEXT, nullable=True),
        sa.Column("key_employee_id", TEXT, nullable=True),
        sa.Column("key_account", TEXT, nullable=True),
        sa.Column("key_cardholder", TEXT, nullable=True),
        sa.Column("key_card_number", TEXT, nullable=True),
        sa.Column("visible_to_psd_only", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "statement_id"],
            ["statements.organisation_id", "statements.statement_id"],
        ),
        sa.PrimaryKeyConstraint("organisation_id", "statement_id", "row"),
        sqlite_strict=True,
    )
    op.create_index(
        "transactions_by_day", "transactions", ["organisation_id", "date"], unique=False
    )
    op.create_index(
        "transactions_by_identity", "transactions", ["organisation_id", "identity"], unique=False
    )
    op.create_index(
        "transactions_by_merchant", "transactions", ["organisation_id", "merchant"], unique=False
    )
    for key in ("holder_id", "employee_id", "account", "cardholder", "card_number"):
        is_named = sa.text(f"key_{key} IS NOT NULL")
        op.create_index(
            f"transactions_by_key_{key}",
            "transactions",
            ["organisation_id", f"key_{key}", "date"],
            unique=False,
            sqlite_where=is_named,
            postgresql_where=is_named,
        )
