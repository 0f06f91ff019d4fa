"""The rows that the casebook answers with; alerts are in `alert_rows`.

Each class names the columns that a function returns, and what is added to them. The API answers
with many of them as they are, so a class that has a secret is not one of these.
"""

from __future__ import annotations

from typing import Any, Literal, Required

from typing_extensions import TypedDict

from cardwatch.vocabulary import (
    ApprovalKind,
    ApprovalState,
    ComplaintKind,
    GroupRole,
    Lane,
    Role,
    State,
    SubjectKind,
)


class Organisation(TypedDict):
    """An organisation."""

    organisation_id: str
    name: str
    made_at: str
    keeps: str
    person_keys: str
    secret: str


class Assignee(TypedDict):
    """Whom an alert can be assigned to."""

    name: str
    email: str


class Person(Assignee):
    """Somebody who has access, or had it."""

    person_id: str
    role: Role
    holder_id: str
    holds_no_card: bool
    made_at: str
    ended_at: str | None
    identity: str | None


class ListedPerson(Person):
    """Somebody who has access, or had it, as a keeper of people is shown them.

    Attributes:
        holds_no_card: whether it is stated that they hold no card.
        is_like_cardholder: whether they are stated to hold no card, and the card register
            names a cardholder or approver like them, or a statement a cardholder.
    """

    is_like_cardholder: bool


class Session(TypedDict):
    """A session, as its owner is shown it."""

    session_id: str
    made_at: str
    seen_at: str
    browser: str


class Key(TypedDict):
    """An API key without its secret.

    Attributes:
        can_decide: whether it may record decisions.
        scope: what it is for alone; empty where its role says it all.
        owner: the person who answers for it, or the key if the installation.
        used_on: the day of its last use.
    """

    key_id: str
    name: str
    role: Role
    can_decide: bool
    scope: str
    made_by: str
    made_at: str
    expires_on: str
    ended_at: str | None
    used_on: str | None
    owner: str


class DirectoryUser(TypedDict):
    """A user whom an identity provider keeps here.

    Attributes:
        email: the person they are here; empty if the provider names none.
        is_active: false once the provider has deactivated them.
        role: what their groups call for.
        waits_for: what the role cannot be given without; empty if nothing is missing.
    """

    user_id: str
    user_name: str
    email: str
    name: str
    employee_number: str
    is_active: bool
    role: GroupRole
    waits_for: Literal["", "an email address", "a cardholder"]
    made_at: str
    changed_at: str


class StoredDirectoryUser(DirectoryUser):
    """The same with what the provider has sent, as JSON."""

    content: str


class DirectoryGroup(TypedDict):
    """A group of an identity provider, the role that it gives, and who is in it.

    Attributes:
        members: ids of its users.
    """

    group_id: str
    name: str
    external_id: str
    role: GroupRole
    made_at: str
    changed_at: str
    members: list[str]


class ActiveDocument(TypedDict):
    """An activated document, from the day on which it holds."""

    kind: str
    seq: int
    sha256: str
    effective_from: str
    activated_by: str
    activated_at: str


class Layout(TypedDict):
    """A remembered column profile, for files of people of a role.

    `agreed_by` saved the same before `made_by` did; it is None while it is for `made_by` alone.
    """

    name: str
    content: str
    role: str
    made_by: str
    made_at: str
    agreed_by: str | None


class Proposal(TypedDict):
    """A document that somebody proposed."""

    lane: Lane
    proposal_id: str
    kind: str
    sha256: str
    effective_from: str
    reason: str
    made_by: str
    made_at: str
    state: Literal["open", "agreed", "refused"]
    decided_by: str | None
    decided_at: str | None


class ApprovalScope(TypedDict, total=False):
    """The one act that somebody asks to do; which fields it has depends on its kind.

    Attributes:
        export_of: case, list or alerts.
        alert_id: the alert that was exported first.
        alert_versions: of the decisions of each alert, in their order.
        case_version: of the case's last entry: alerts, notes, files, owner, outcome.
        ends: whether the person's access is to end.
        retention: the class of data to keep for `days`.
        keeps: days by class of data.
        sha256: the hash of the file.
        rows: rows that give somebody the name of somebody else.
        register: which register it is.
        content_sha256: the hash of the register as it was read.
        replaces: whether entries that the file lacks are used no more.
        follows: the version that was the newest; empty for the first.
    """

    export_of: str
    case_id: str
    alert_id: str
    alert_ids: list[str]
    alert_versions: list[int]
    case_version: int
    attachment_ids: list[str]
    statement_ids: list[str]
    lanes: list[str]
    purpose: str
    recipient: str
    reason: str
    person_id: str
    email: str
    name: str
    role: str
    holder_id: str
    holds_no_card: bool
    ends: bool
    retention: str
    days: int
    keeps: dict[str, int]
    file: str
    sha256: str
    rows: list[int]
    register: str
    content_sha256: str
    known_from: str
    replaces: bool
    follows: str


class ApprovalRow(TypedDict):
    """A request for approval, and the other person's decision."""

    lane: Lane
    approval_id: str
    kind: ApprovalKind
    scope: ApprovalScope
    state: ApprovalState
    made_by: str
    made_at: str
    expires_at: str
    decided_by: str | None
    decided_at: str | None
    used_at: str | None


class FieldChangeRow(TypedDict):
    """One field of an entry of a register, before and after."""

    heading: str
    before: str
    after: str


class EntryChangeRow(TypedDict):
    """Change of one entry by a version of a register: `services.EntryChange` as JSON."""

    effect: str
    subject: str
    name: str
    day: str
    version_id: str
    row: int
    fields: list[FieldChangeRow]


class Approval(ApprovalRow, total=False):
    """A request that another person has to approve before it can be done, once.

    Attributes:
        changes: of a register that waits: entries it leaves out, changes and adds, without those
            about the caller; the first 500.
        change_counts: how many there are of each.
    """

    changes: list[EntryChangeRow]
    change_counts: dict[str, int]


class StatementName(TypedDict):
    """By what a statement is known."""

    statement_id: str
    label: str


class Statement(StatementName):
    """A statement received; `report` and `made_with` are JSON.

    `window_from`, `input_sha256` and `made_with` are None where it was kept and not scored.
    """

    seq: int
    sha256: str
    received_by: str
    received_at: str
    corrects: str | None
    superseded_seq: int | None
    first_on: str
    last_on: str
    transactions: int
    pence: int
    duplicate_count: int
    rows_sha256: str
    report: str
    is_scored: bool
    window_from: str | None
    input_sha256: str | None
    made_with: str | None
    erased_at: str | None


class PaymentColumns(TypedDict):
    """A transaction as it is shown, with the label of its statement."""

    statement_id: str
    label: str
    row: int
    date: str
    posting_date: str | None
    transaction_id: str
    merchant: str
    mcc: str
    category: str
    cost_centre: str
    unit: str
    amount_pence: int
    currency: str
    kind: str
    card_last4: str
    vat: str


class StoredPayment(PaymentColumns):
    """A transaction with the id of its holder; its line items as they are kept."""

    holder_id: str
    line_items: str


class PlacedPayment(StoredPayment):
    """A transaction of a page, with the place after which the next page begins."""

    place: list[float | str]


class PaymentAlert(TypedDict):
    """An alert that a payment is evidence of."""

    alert_id: str
    lane: Lane
    state: State
    last_on: str


class StoredComplaint(TypedDict):
    """A complaint or objection as it is stored."""

    complaint_id: str
    kind: ComplaintKind
    person: str
    subject: str
    received_on: str
    acknowledged_on: str | None
    answered_on: str | None
    answer: str
    made_by: str
    made_at: str


class Complaint(StoredComplaint):
    """A complaint or objection with the next step, and the day by which the law asks for it."""

    next_step: Literal["acknowledge", "answer", "none"]
    due_on: str | None
    is_overdue: bool


class HolderAlert(TypedDict):
    """An alert and one cardholder it is about, by the key by which people are compared."""

    alert_id: str
    state: str
    subject_id: str
    is_queried: bool


class Look(TypedDict):
    """How often on a day a role did something with some alerts."""

    on: str
    role: str
    action: str
    times: int


class Export(TypedDict):
    """A list that was handed over."""

    lane: Lane
    disclosure_id: str
    statement_id: str
    purpose: str
    recipient: str
    made_by: str
    made_at: str


class Webhook(TypedDict):
    """The webhook of a lane: where its notices are sent, without the secret."""

    lane: Lane
    url: str
    made_by: str
    made_at: str


class MailNotice(TypedDict):
    """A notice that is due by e-mail."""

    lane: str
    notice_id: str
    kind: str
    made_at: str
    sent_at: str | None
    tries: int
    next_attempt_at: str


class Notice(MailNotice):
    """A notice that is due, with its address and its sealed secret."""

    url: str
    secret: str


class JobState(TypedDict):
    """A job and how far it has come."""

    job_id: str
    kind: str
    made_at: str
    state: str
    percent: int


class JobAnswer(JobState):
    """A job with its answer as JSON: as its kind gives it, or why it failed; None before that."""

    answer: Any


class WaitingUpload(TypedDict):
    """A file that waits until its columns are checked, without its content; options are JSON."""

    upload_id: str
    file: str
    size_bytes: int
    expires_at: str
    options: str


class FailedJob(TypedDict, total=False):
    """When a job failed, and what was said of it."""

    made_at: str
    code: str
    detail: str
    file: str
    error_number: str


class RefusedFile(TypedDict):
    """A file that arrived in a watched folder and was refused, and that nobody has dealt with."""

    refusal_id: str
    file: str
    size_bytes: int
    received_at: str
    code: str
    reason: str
    has_content: bool


class StoredRegister(TypedDict):
    """A version of a register, without its content."""

    lane: str
    version_id: str
    kind: str
    seq: int
    file: str
    sha256: str
    known_from: str | None
    replaces: bool
    entries: int
    unreadable: int
    content_sha256: str
    received_by: str
    received_at: str


class StoredRegisterContent(StoredRegister):
    """A version of a register with its content."""

    content: bytes


class LaterList(TypedDict):
    """A list that was made again after a register came; `registers` and `made_with` are JSON."""

    lane: str
    seq: int
    registers: str
    known_by: str
    made_with: str


class MatchDecision(TypedDict):
    """Decision of a person about a name in a register and a merchant."""

    lane: str
    seq: int
    organisation: str
    merchant: str
    decision: str
    reason: str
    decided_by: str
    decided_at: str


class Access(TypedDict):
    """Access to an alert: the action, and by whom."""

    at: str
    actor: str
    role: str
    action: str
    object: str
    outcome: str


class Event(Access, total=False):
    """An event of an audit chain. Of their own events a cardholder is given fewer fields.

    Attributes:
        seq: its number in the chain.
        id: of the object.
        counts: how many rows were changed, by kind.
        entries: entries of registers that were shown.
        sealed: seals of rows that were written.
        unsealed: seals of rows changed or erased.
    """

    seq: Required[int]
    id: str
    purpose: str
    counts: dict[str, int]
    entries: list[str]
    sealed: list[str]
    unsealed: list[str]


class QueryReply(TypedDict):
    """A reply to a query, as somebody recorded it."""

    seq: int
    replied_by: str
    replied_on: str
    text: str
    recorded_by: str
    recorded_at: str


class SentQuery(TypedDict):
    """A query that was sent; open until a reply is recorded or each of its alerts is answered.

    Attributes:
        reminders: how many reminders were sent.
        age_days: days since it was sent.
        overdue_days: days since its due day, 0 before it.
    """

    query_id: str
    lane: Lane
    recipient: str
    email: str
    reply_to: str
    due_on: str | None
    sent_by: str
    sent_at: str
    next_reminder_on: str | None
    reminders: int
    alert_ids: list[str]
    replies: list[QueryReply]
    is_open: bool
    age_days: int
    overdue_days: int


class FirstPayment(TypedDict):
    """The first day on which a merchant was paid, under one of its printed names."""

    merchant: str
    day: str


class AlertSubject(TypedDict):
    """A cardholder, merchant or unit that an alert is about."""

    kind: SubjectKind
    subject_id: str
    name: str
