"""The tables of the casebook, and the values of their columns.

Every row belongs to an organisation, and most to a lane; both stand first in every key. Days are
text such as `2026-10-01`, moments `2026-10-01T09:30:00Z`, money whole pence, so that both databases
keep the same and sort alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from cardwatch.statements import HOLDER_FIELDS
from cardwatch.vocabulary import LANES, Lane

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.types import TypeEngine

FINANCE: Final = "finance"
PSD: Final = "psd"
ROLES: dict[str, tuple[Lane, ...]] = {
    "finance": (FINANCE,),
    "auditor": (FINANCE,),
    "psd": LANES,
    "admin": (),
}
"""Roles, and the lanes whose alerts each may see. Admin sees no alert at all."""
MANAGES, RECEIVES = ("admin",), ("finance", "psd")
"""Who keeps people, keys and times; who receives statements and settings. Decisions are recorded
by the role that has a lane's name."""
OVERSEES = ("auditor",)
"""Who acts for the data protection officer: they see finance's alerts and decide none."""
READS = (*RECEIVES, *OVERSEES)
"""Who reads settings and registers, as far as their lanes go."""
STATES: dict[str, str] = {
    "open": "nobody has decided yet",
    "asked": "the cardholder's line manager has been asked",
    "explained": "a good explanation was given and checked",
    "policy-breach": "it was outside policy, and was explained or repaid",
    "confirmed": "the concern was right, and further action is needed",
    "data-error": "the data was wrong, so there is nothing to ask",
    "suppressed": "closed automatically, as alerts like it are suppressed",
    "answered-before": "closed automatically, as the same was explained before",
    "not-asked": "closed automatically, as there are more alerts than the policy's budget",
}
"""States of an alert. The last three are given by the casebook itself, never by a person."""
KEEPS_DAYS = {
    "transactions": 2_557,
    "alerts": 2_557,
    "cases": 2_557,
    "registers": 2_557,
    "notices": 90,
    "complaints": 2_557,
}
"""Seven years, as most forces keep financial records; an organisation sets its own."""
DOCUMENT_KINDS = ("policy", "rules", "model", "cards")
"""Kinds of document that make alerts; each is kept by its hash."""
POLICY_PACK = "pack"
"""A policy pack as its owner signed it; approved, it makes a policy and rules."""
ORDER_KINDS = {"finance": "finance-order", "psd": "psd-order"}
"""Kinds of document that order each lane's alerts: rates at which people have upheld them."""

metadata = MetaData()
Pence: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
Real: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
"""Whole pence, and strengths: 64 bits on both databases."""


class Flag(TypeDecorator[bool]):
    """Whether something is so: 0 or 1 in both databases, a boolean in Python."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """Return the type of the column: SQLite's strict tables know no boolean."""
        return dialect.type_descriptor(Pence)

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:  # noqa: ARG002, FBT001  as SQLAlchemy calls it
        """Return what is stored."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:  # noqa: ARG002
        """Return what was stored; another number, written by hand, as it is: no seal fits it."""
        return bool(value) if value in {0, 1} else cast("bool | None", value)


def _table(name: str, *parts: SchemaItem, lane: bool = False) -> Table:
    """Return a table whose rows belong to an organisation, and to a lane where that is said."""
    owner: list[SchemaItem] = [Column("organisation_id", Text, primary_key=True)]
    if lane:
        owner.append(Column("lane", Text, primary_key=True))
    return Table(name, metadata, *owner, *parts, sqlite_strict=True)


def _key(name: str, kind: object = Text) -> Column[object]:
    return Column(name, kind, primary_key=True, autoincrement=False)  # type: ignore[arg-type]


def _text(name: str, *, missing: bool = False) -> Column[str]:
    return Column(name, Text, nullable=missing)


def _number(name: str, *, missing: bool = False) -> Column[int]:
    return Column(name, Pence, nullable=missing)


def _flag(name: str) -> Column[bool]:
    return Column(name, Flag, nullable=False)


organisations = _table(
    "organisations",
    _text("name"),
    _text("made_at"),
    _text("keeps"),  # days for which each class of data is kept, as JSON
    _text("person_keys"),  # version of the keys by which people are known; see `registers`
    _text("secret"),  # keys its seals and ids: without it they say nothing of what they are made of
)
people = _table(
    "people",
    _key("person_id"),
    _text("name"),
    _text("email"),
    _text("role"),
    _text("holder_id"),  # who they are in statements: they never see alerts about themselves
    _flag("holds_no_card"),  # whether it is stated that they are in no statement
    _text("made_at"),
    _text("ended_at", missing=True),
    _text("identity", missing=True),  # issuer and subject of who signs in elsewhere
    UniqueConstraint("organisation_id", "email"),
    UniqueConstraint("organisation_id", "identity"),
)
accounts = _table(
    "accounts",
    _key("person_id"),
    _text("password", missing=True),  # argon2id; missing until somebody has taken their account
    _text("totp", missing=True),  # sealed with a key that lies outside the database
    _number("totp_step"),  # of the code used last: no code is taken twice
    _text("invited_sha256", missing=True),
    _text("invited_until", missing=True),
    _text("invited_by", missing=True),  # the invitation ends with their access
    _text("taken_at", missing=True),
    _text("inviters", missing=True),  # who invited them, who had invited those, and so on: ids
)
"""How people sign in who have no account elsewhere."""
sessions = _table(
    "sessions",
    _key("session_id"),  # a hash of what the browser holds
    _text("person_id"),
    _text("made_at"),
    _text("seen_at"),
    _text("verified_at"),  # when its person last gave a code, or the provider asked them to sign in
    _text("mark"),  # what makes it one of this installation's: see `casebook.sessions`
    _text("browser"),
    _text("provider_session"),  # its `sid` at the identity provider; empty where there is none
    Index("sessions_by_person", "organisation_id", "person_id"),
)
provider_logouts = _table(
    "provider_logouts",
    _key("jti_sha256"),  # of the token's own id
    _text("expires_at"),
)
"""Logout tokens of the identity provider that were taken, as long as each holds: none is twice."""
keys = _table(
    "keys",
    _key("key_id"),
    _text("name"),
    _text("role"),
    _text("secret_sha256"),
    _flag("can_decide"),  # whether it may record decisions
    _text("scope"),  # `directory` where it serves an identity provider alone; else empty
    _text("made_by"),
    _text("made_at"),
    _text("expires_on"),
    _text("ended_at", missing=True),
)
key_uses = _table("key_uses", _key("key_id"), _text("used_on"))
"""The day on which each key was used last."""
directory_users = _table(
    "directory_users",
    _key("user_id"),
    _text("user_name"),
    _text("email"),  # the person they are here; empty where the provider names none
    _text("name"),
    _text("employee_number"),  # who they are in statements, if the card register names it
    _flag("is_active"),
    _text("content"),  # what the provider has sent and reads again, as JSON
    _text("role"),  # that their groups called for last; empty for none
    _text("waits_for"),  # what the role could not be given without
    _text("made_at"),
    _text("changed_at"),
    UniqueConstraint("organisation_id", "user_name"),
)
"""Users whom an identity provider keeps here; it reads these rows alone, never `people`."""
directory_groups = _table(
    "directory_groups",
    _key("group_id"),
    _text("name"),
    _text("external_id"),
    _text("role"),  # that admin gives its members; empty for none
    _text("made_at"),
    _text("changed_at"),
)
directory_members = _table(
    "directory_members",
    _key("group_id"),
    _key("user_id"),
    Index("directory_members_by_user", "organisation_id", "user_id"),
)
daily_uses = _table(
    "daily_uses",
    _key("person_id"),
    _key("kind"),  # one of `QuotaKind`
    _text("used_on"),
    _number("amount"),
)
"""Use by each person on the newest day of any, keys included; nobody else reads it."""
key_checks = _table("key_checks", _key("name"), _key("fingerprint"))
"""Which keys of the installation the casebook needs, by file: none is in it."""
documents = _table(
    "documents",
    _key("sha256"),
    _text("kind"),
    Column("content", LargeBinary, nullable=False),
    _text("made_at"),
)
active_documents = _table(
    "active_documents",
    _key("kind"),
    _key("seq", Integer),
    _text("sha256"),
    _text("effective_from"),
    _text("activated_by"),
    _text("activated_at"),
)
column_profiles = _table(
    "column_profiles",
    _key("name"),
    _text("content"),
    _text("role"),  # for whose files alone it is used
    _text("made_by"),
    _text("made_at"),
    _text("agreed_by", missing=True),  # who saved the same before; missing while nobody has
)
"""Column profiles of statements, remembered for files with their headings."""
uploads = _table(
    "uploads",
    _key("upload_id"),
    _text("made_by"),  # nobody else sees it
    _text("made_at"),
    _text("expires_at"),
    _text("file"),
    _text("options"),  # what was chosen for it, as JSON
    _number("size_bytes"),
    Column("content", LargeBinary, nullable=False),  # sealed with a key outside the database
    Index("uploads_by_expiry", "organisation_id", "expires_at"),
)
"""Files that wait until somebody has checked their columns, for an hour at most; the content of a
refused file, for a month at most."""
refused_files = _table(
    "refused_files",
    _key("refusal_id"),
    _text("file"),
    _text("sha256"),  # of its bytes, after decryption where that succeeded
    _number("size_bytes"),
    _text("received_at"),
    _text("code"),
    _text("reason"),
    _text("settled_at", missing=True),  # when somebody dealt with it
    _text("settled_by", missing=True),
    Index("refused_files_by_sha256", "organisation_id", "sha256"),
    lane=True,
)
"""Files that arrived in a watched folder and were refused, in the lane of who received them."""
proposals = _table(
    "proposals",
    _key("proposal_id"),
    _text("kind"),
    _text("sha256"),
    _text("effective_from"),
    _text("reason"),
    _text("made_by"),
    _text("made_at"),
    _text("state"),
    _text("decided_by", missing=True),
    _text("decided_at", missing=True),
    lane=True,
)
"""Documents that one person has proposed, until another approves."""
approvals = _table(
    "approvals",
    _key("approval_id"),
    _text("kind"),
    _text("scope"),  # the one act that is asked for, as JSON
    _text("state"),
    _text("made_by"),  # the person, also where their key asked
    _text("made_at"),
    _text("expires_at"),
    _text("decided_by", missing=True),
    _text("decided_at", missing=True),
    _text("used_at", missing=True),
    Column("content", LargeBinary),  # a register as it was read, until the request is settled
    lane=True,
)
"""Requests of one person, until another has approved them and they are done."""
statements = _table(
    "statements",
    _key("statement_id"),
    _number("seq"),  # in the order received: 1, 2, ...
    _text("sha256"),
    _text("label"),
    _text("received_by"),
    _text("received_at"),
    _text("corrects", missing=True),
    _number("superseded_seq", missing=True),  # the statement that took its place
    _text("first_on"),
    _text("last_on"),
    _number("transactions"),
    _number("pence"),
    _number("duplicate_count"),  # rows that an earlier statement holds
    _text("rows_sha256"),
    _text("report"),
    _flag("is_scored"),
    _text("window_from", missing=True),
    _text("input_sha256", missing=True),
    _text("made_with", missing=True),  # documents by kind, and the version of the code, as JSON
    _text("erased_at", missing=True),
    UniqueConstraint("organisation_id", "seq"),
    UniqueConstraint("organisation_id", "label"),
    Index("statements_by_sha256", "organisation_id", "sha256"),
)
import_requests = _table(
    "import_requests",
    _key("request_id"),
    _key("made_by"),
    _text("role"),
    _text("made_at"),
)
"""Imports that one person has asked for, until another asks for the same."""
TRANSACTION_TEXTS = (
    "transaction_id", "date", "posting_date", "card_last4", "card_token", "merchant", "mcc",
    "category", "cost_centre", "unit", "currency", "original_amount", "original_currency", "kind",
    "description", "vat", "line_items",
)  # fmt: skip
HOLDER_KEYS = tuple(f"key_{field}" for field in HOLDER_FIELDS)
"""Ways in which a statement names a holder; missing where it has no such column."""
transactions = _table(
    "transactions",
    _key("statement_id"),
    _key("row", Integer),
    _text("identity"),
    *(_text(name, missing=name == "posting_date") for name in TRANSACTION_TEXTS),
    _number("amount_pence"),
    _flag("day_doubled"),
    *(_text(name, missing=True) for name in HOLDER_KEYS),
    _flag("visible_to_psd_only"),  # past its time, and seen by professional standards alone
    ForeignKeyConstraint(
        ["organisation_id", "statement_id"],
        ["statements.organisation_id", "statements.statement_id"],
    ),
    Index("transactions_by_day", "organisation_id", "date"),
    Index("transactions_by_identity", "organisation_id", "identity"),
    Index("transactions_by_merchant", "organisation_id", "merchant"),
    *(
        Index(
            f"transactions_by_{name}",
            "organisation_id",
            name,
            "date",
            sqlite_where=text(f"{name} IS NOT NULL"),
            postgresql_where=text(f"{name} IS NOT NULL"),
        )
        for name in HOLDER_KEYS
    ),
)
holder_names = _table(
    "holder_names",
    _key("names_id"),  # of the names that stand together, a hash
    _key("field"),  # one of `HOLDER_KEYS`
    _text("subject_id"),  # as `person_key`
    _flag("visible_to_psd_only"),
    Index("holder_names_by_subject", "organisation_id", "subject_id"),
)
"""The ways in which payments name cardholders: what is about one name is about all beside it."""
merchants = _table(
    "merchants",
    _key("printed"),
    _text("name"),  # by which it is compared with others
    _text("made_with"),  # version of the code that named it
    Index("merchants_by_name", "organisation_id", "name"),
)
"""Merchants as statements print them, so that all that one was paid is found by its name."""
alert_lists = _table(
    "alert_lists",
    _key("statement_id"),
    _key("seq", Integer),  # 0 as it was scored; 1, 2 ... for what registers received later raised
    _text("content"),  # everything of the list but its alerts, as JSON
    _text("alerts_sha256"),
    _text("registers"),  # versions of registers it was made with, and decisions on names, as JSON
    _text("known_by", missing=True),  # a later list's day: all that was known by then counts
    _text("made_with", missing=True),  # a later list's documents, as those of its statement
    lane=True,
)
alert_snapshots = _table(
    "alert_snapshots",
    _key("statement_id"),
    _key("alert_id"),
    _number("list_seq"),
    _number("rank"),
    _text("content"),  # the alert as it was raised, as JSON, never changed
    lane=True,
)
alerts = _table(
    "alerts",
    _key("alert_id"),
    _text("statement_id"),
    _text("raised_at"),
    _text("tier"),
    _text("kind"),
    _text("rule"),
    _text("band"),
    _flag("is_fact"),  # against a stated limit or list, and no question of how unusual it is
    _text("first_on"),
    _text("last_on"),
    _number("at_stake_pence"),
    Column("strength", Real, nullable=False),
    _text("state"),
    _number("version"),  # of its decisions, for who decides to say what they have seen
    _flag("is_second_look"),
    _text("assigned_to"),
    _text("due_on"),
    _text("snoozed_until"),
    _text("tags"),
    _number("recovered_pence"),
    _text("source_corrected_by", missing=True),  # statement in place of one with its payments
    Index("alerts_by_state", "organisation_id", "lane", "state"),
    lane=True,
)
alert_transactions = _table(
    "alert_transactions",
    _key("alert_id"),
    _key("statement_id"),
    _key("row", Integer),
    Index("alert_transactions_by_row", "organisation_id", "statement_id", "row"),
    lane=True,
)
alert_subjects = _table(
    "alert_subjects",
    _key("alert_id"),
    _key("kind"),  # one of `SubjectKind`
    _key("subject_id"),  # a person as `person_key`, a merchant by the name it is compared under
    _text("name"),  # as the alert names them
    Index("alert_subjects_by_subject", "organisation_id", "subject_id"),
    lane=True,
)
"""Whom and what an alert is about: several holders or merchants are several rows."""
decisions = _table(
    "decisions",
    _key("alert_id"),
    _key("version", Integer),
    _text("state"),
    _text("reason"),
    _text("assigned_to"),
    _text("due_on"),
    _text("snoozed_until"),
    _text("tags"),
    _number("recovered_pence"),
    _text("decided_by"),
    _text("decided_at"),
    lane=True,
)
identity_reveals = _table(
    "identity_reveals",
    _key("alert_id"),
    _key("made_by"),
    _text("reason"),
    _text("made_at"),
    lane=True,
)
"""Requests to see the name of the person an alert is about, with the reason."""
suppressions = _table(
    "suppressions",
    _key("suppression_id"),
    _text("holders"),  # of the alerts it closes, as a JSON array in order
    _text("merchants"),  # names by which they are compared, as a JSON array in order
    _text("kind"),
    _text("rule"),
    _text("alert_id", missing=True),  # the alert whose answer it is; missing where made by hand
    _number("most_pence", missing=True),  # an answer's: larger alerts are asked about again
    _text("reason"),
    _text("expires_on"),
    _text("made_by"),
    _text("made_at"),
    _text("ended_at", missing=True),
    lane=True,
)
"""Which later alerts are closed unasked: by hand, and by the answer "explained" to an alert."""
register_versions = _table(
    "register_versions",
    _key("version_id"),
    _text("kind"),
    _number("seq"),  # in the order received, of its lane: 1, 2, ...
    _text("file"),
    _text("sha256"),  # of the file's bytes
    _text("known_from", missing=True),  # from which entries count that say no day of their own
    _flag("replaces"),  # whether entries of earlier versions that it lacks are used no more
    _number("entries"),
    _number("unreadable"),  # rows that could not be read
    Column("content", LargeBinary, nullable=False),
    _text("content_sha256"),
    _text("received_by"),
    _text("received_at"),
    lane=True,
)
"""Versions of registers as they were read, each in the lane that its kind belongs to."""
match_decisions = _table(
    "match_decisions",
    _key("seq", Integer),
    _text("organisation"),  # as a register names it
    _text("merchant"),  # the name by which it is compared
    _text("decision"),
    _text("reason"),
    _text("decided_by"),
    _text("decided_at"),
    lane=True,
)
"""Decisions about a name in a register and a merchant; the last of a pair counts."""
legal_holds = _table(
    "legal_holds",
    _key("hold_id"),
    _text("alert_id"),
    _text("reason"),
    _text("made_by"),
    _text("made_at"),
    _text("ended_at", missing=True),
    lane=True,
)
exports = _table(
    "exports",
    _key("disclosure_id"),
    _text("statement_id"),
    _text("purpose"),
    _text("recipient"),
    _text("made_by"),
    _text("made_at"),
    lane=True,
)
"""Lists that were handed over: why, to whom, by whom."""
queries = _table(
    "queries",
    _key("query_id"),
    _text("recipient"),  # name of the line manager
    _text("email"),
    _text("reply_to"),  # address of who asks
    _text("due_on", missing=True),
    _text("sent_by"),
    _text("sent_at"),
    _text("next_reminder_on", missing=True),  # missing where none is to be sent
    _number("reminders"),  # how many were sent
    lane=True,
)
"""Queries that were sent to line managers by e-mail."""
query_alerts = _table("query_alerts", _key("query_id"), _key("alert_id"), lane=True)
"""The alerts that each query asks about."""
query_replies = _table(
    "query_replies",
    _key("query_id"),
    _key("seq", Integer),
    _text("replied_by"),  # name of who answered
    _text("replied_on"),
    _text("text"),
    _text("recorded_by"),
    _text("recorded_at"),
    lane=True,
)
"""Replies to queries, as somebody recorded them."""
complaints = _table(
    "complaints",
    _key("complaint_id"),
    _text("kind"),  # complaint or objection
    _text("person"),  # who complains, and how to answer them
    _text("subject"),  # what it is about
    _text("received_on"),
    _text("acknowledged_on", missing=True),
    _text("answered_on", missing=True),
    _text("answer"),
    _text("made_by"),
    _text("made_at"),
)
"""Complaints and objections about the use of personal data, for who oversees data protection."""
outbox = _table(
    "outbox",
    _key("notice_id"),
    _text("kind"),
    _text("made_at"),
    _text("sent_at", missing=True),
    _number("tries"),
    _text("next_attempt_at"),
    lane=True,
)
"""Notices to be sent, written with what they tell of; they name a kind and nothing else."""
webhooks = _table(
    "webhooks",
    _text("url"),
    _text("secret"),  # sealed with a key that lies outside the database
    _text("made_by"),
    _text("made_at"),
    lane=True,
)
"""Where a lane's notices are sent: one address a lane."""
reminders = _table("reminders", _key("sent_on"))
"""Days on which everybody was reminded by e-mail."""
jobs = _table(
    "jobs",
    _key("job_id"),
    _text("kind"),
    _text("fingerprint"),  # of what was asked for, by which the same is known again
    _text("made_by"),
    _text("role"),
    _text("made_at"),
    _text("state"),
    _number("percent"),
    _number("tries"),
    _text("leased_until", missing=True),
    _text("file"),  # name of the statement's file while the job is not over
    Column("content", LargeBinary, nullable=False),
    _text("mark"),  # what was asked for, sealed with a key outside the database
    _text("answer", missing=True),  # as JSON
    Index("jobs_by_state", "organisation_id", "state"),
)
"""Work that takes longer than somebody would wait."""
cases = _table(
    "cases",
    _key("case_id"),
    _text("reference"),  # such as C-2026-0001
    _number("number"),  # of its year
    _text("title"),
    _text("owner"),  # email of who is to see to it; empty for nobody
    _text("state"),
    _text("outcome"),
    _number("version"),  # of its last entry
    _text("made_by"),
    _text("made_at"),
    _text("closed_by", missing=True),
    _text("closed_at", missing=True),
    UniqueConstraint("organisation_id", "lane", "reference"),
    lane=True,
)
"""Cases of professional standards."""
case_entries = _table(
    "case_entries",
    _key("case_id"),
    _key("version", Integer),
    _text("kind"),  # one of `CaseEntryKind`
    _text("object_id"),  # the alert or attachment it is about, if any
    _text("text"),  # the reason, or the note
    _text("title"),  # of the case, its owner and outcome, as they are since
    _text("owner"),
    _text("outcome"),
    _text("made_by"),
    _text("made_at"),
    lane=True,
)
"""Everything that was done in a case, in order; never changed."""
case_alerts = _table(
    "case_alerts",
    _key("case_id"),
    _key("alert_id"),
    _text("alert_lane"),
    _text("content"),  # a copy, for when the alert is erased, as JSON
    Index("case_alerts_by_alert", "organisation_id", "alert_id"),
    lane=True,
)
"""The alerts of a case."""
case_subjects = _table(
    "case_subjects",
    _key("case_id"),
    _key("alert_id"),
    _key("kind"),  # one of `SubjectKind`
    _key("subject_id"),
    lane=True,
)
"""A copy of whom the alerts of a case are about, for when they are erased."""
case_attachments = _table(
    "case_attachments",
    _key("attachment_id"),
    _text("case_id"),
    _text("name"),
    _text("media_type"),  # as its content says
    _number("size"),
    _text("sha256"),
    Column("content", LargeBinary, nullable=False),
    _text("made_by"),
    _text("made_at"),
    Index("case_attachments_by_case", "organisation_id", "case_id"),
    lane=True,
)
referrals = _table(
    "referrals",
    _key("referral_id"),
    _text("alert_id"),
    _number("version"),  # of the alert when it was referred
    _text("reason"),
    _text("made_by"),
    _text("made_at"),
    lane=True,
)
"""Alerts that finance refers to professional standards: finance's own rows."""
referral_answers = _table(
    "referral_answers",
    _key("referral_id"),
    _text("case_id", missing=True),  # missing where it was declined
    _text("reason"),
    _text("made_by"),
    _text("made_at"),
    lane=True,
)
"""Answers of professional standards to referrals: their own rows, which finance never sees."""
RIGHTS = {
    "audit_events": "SELECT, INSERT",
    "alert_snapshots": "SELECT, INSERT, DELETE",
    "case_entries": "SELECT, INSERT, DELETE",
}
"""Rights of a serving PostgreSQL role on append-only tables."""
PASSING = ("sessions", "outbox", "jobs", "uploads", "reminders", "key_uses", "key_checks",
           "provider_logouts", "daily_uses")  # fmt: skip
"""Machinery: it may be changed without an event."""
audit_events = _table(
    "audit_events",
    _key("seq", Pence),
    _text("body"),
    _text("hash"),
    lane=True,
)
"""The audit chains, one a lane: each hash covers its body and the hash before it."""
