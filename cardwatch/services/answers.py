"""Types of what services return beside the casebook's own rows."""

from __future__ import annotations

from typing import Any, Literal, Required

from typing_extensions import TypedDict

from cardwatch.casebook.alert_rows import (
    AlertDetail,
    AlertTitle,
    Hold,
    HolderYear,
    ListedAlert,
    MerchantYear,
    Reveal,
    SuppressionRow,
)
from cardwatch.casebook.case_rows import Attachment, Case, ChronologyRow
from cardwatch.casebook.precision import OrderBackTest
from cardwatch.casebook.rows import (
    Access,
    PaymentAlert,
    PaymentColumns,
    Proposal,
    RefusedFile,
    StatementName,
)
from cardwatch.policy import Policy
from cardwatch.records import AlertList, LineItem, ReadingReport
from cardwatch.services.policy_figures import PolicyChange
from cardwatch.vocabulary import Lane, Role, State


class DocumentVersion(TypedDict):
    """A document that made an alert, and whether it is active."""

    kind: str
    sha256: str
    is_active: bool


class ShownAlert(AlertDetail):
    """An alert with the clause of the card policy it rests on; empty where none is given.

    `authority` alone decides it, since it is about a chief officer or their office; empty for any
    other.
    """

    clause: str
    authority: str


class AlertHistory(ShownAlert):
    """An alert with the year behind it; `names` gives the name shown for each person."""

    facts: list[str]
    holder: HolderYear
    merchant: MerchantYear
    seen: list[Access]
    identity_reveals: list[Reveal]
    compared: list[tuple[str, str, str]]
    versions: list[DocumentVersion]
    places: dict[str, str]
    hold: Hold | None
    suppression: SuppressionRow | None
    answer: SuppressionRow | None
    is_named: bool
    names: dict[str, str]


class TitledAlert(ListedAlert, AlertTitle):
    """An alert of a list with its title and leading fact."""


class InboxSummary(StatementName):
    """Summary above a list of alerts; see `inbox_summary`."""

    by_chance: str

    alerts: int
    pence: int
    earlier: int
    answered_before: int
    not_asked: int
    rules: dict[str, str]
    statements: dict[str, str]


class Scores(TypedDict):
    """Ranked, explained alerts of some transactions; nothing is stored.

    Attributes:
        lists: one list for each lane that the caller sees.
        report: what happened to every row.
        made_with: hashes of all inputs.
    """

    lists: dict[Lane, AlertList]
    report: ReadingReport
    made_with: dict[str, str]


class ChangedAlert(TypedDict):
    """An alert that a change adds or removes."""

    alert_id: str
    title: str
    holders: tuple[str, ...]
    approvers: tuple[str, ...]
    last_on: str
    at_stake_pence: int
    tier: str
    merchant: str
    fact: str
    cost_centres: tuple[str, ...]


class UnitChange(TypedDict):
    """Alerts that a change adds and removes in one unit.

    Attributes:
        unit: empty for all units together.
    """

    unit: str
    newly_asked: int
    no_longer_asked: int
    holders_newly_asked: int


class ListChange(TypedDict):
    """Changes to one list of a statement.

    Attributes:
        before: how many alerts the list shows today.
        after: how many it would show.
    """

    before: int
    after: int
    newly_asked: list[ChangedAlert]
    no_longer_asked: list[ChangedAlert]


class StatementChange(StatementName, total=False):
    """Changes to the lists of a statement that the actor sees."""

    last_on: Required[str]
    finance: ListChange
    psd: ListChange


class BackTest(TypedDict):
    """Past statements scored with the active settings, and with those that are tested.

    Attributes:
        document: what was tested, as it can be proposed.
    """

    kind: str
    sha256: str
    document: str
    statements: list[StatementChange]
    units: dict[str, list[UnitChange]]


class PackFacts(TypedDict):
    """Description of a policy pack.

    Attributes:
        fingerprint: of the owner's key. Confirm it with the owner.
    """

    name: str
    owner: str
    version: str
    published_on: str
    review_on: str
    fingerprint: str
    sha256: str


class RuleChanges(TypedDict):
    """Ids of rules that are added, removed and changed, of the lists that you see."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class ActivePack(TypedDict):
    """The pack behind the active policy, and what differs from it here.

    Attributes:
        own_figures: the pack's figure before, the organisation's own after.
    """

    pack: PackFacts
    is_review_due: bool
    own_figures: list[PolicyChange]
    own_rules: RuleChanges


class PackPreview(TypedDict):
    """Changes that a pack would make here.

    Attributes:
        before_after: of the active policy.
        own_figures: own figures that stay on top.
    """

    pack: PackFacts
    before_after: list[PolicyChange]
    own_figures: list[PolicyChange]
    rules: RuleChanges
    notes: list[str]


class DiffLine(TypedDict):
    """A line of a change: added, removed, same or skipped, and its text."""

    what: str
    text: str


class FileChange(TypedDict):
    """Changes in one file of a document."""

    file: str
    lines: list[DiffLine]


class OwnEvaluation(TypedDict):
    """The fields of `evaluation.benchmark.Evaluation`, as JSON."""

    facts: dict[str, Any]
    rows: list[dict[str, Any]]
    quiet: list[dict[str, Any]]
    chance: list[dict[str, Any]]
    volume: list[dict[str, float]]
    stability: dict[str, float]
    kinds: list[dict[str, Any]]


class ImportedStatement(StatementName):
    """A stored statement.

    Attributes:
        layout: the column profile it was read with.
    """

    sha256: str
    received_at: str
    received_by: str
    corrects: str | None
    superseded_by: str | None
    first_on: str
    last_on: str
    transactions: int
    pence: int
    duplicate_count: int
    is_scored: bool
    erased_at: str | None
    layout: str


class RefusedArrival(RefusedFile):
    """A file that arrived in a watched folder and was refused, and that nobody has dealt with.

    Attributes:
        reason: in the words of the reading report, without any cell.
        has_content: whether it can be read here with its columns stated.
        advice: what to do.
    """

    advice: str


class StatementDetail(ImportedStatement):
    """A statement with its reading report, and sentences on how it lies beside others.

    The report is None once the statement is erased.
    """

    report: ReadingReport | None
    beside: list[str]


class ExpiredStatement(TypedDict):
    """A statement whose payments are past their time."""

    label: str
    last_on: str
    transactions: int


class CasebookHealth(TypedDict):
    """Whether the installation is well."""

    cardwatch: str
    tables: str
    database: str
    model: str
    findings: list[dict[str, Any]]


class ShownPayment(PaymentColumns):
    """A payment as lists show it.

    Attributes:
        label: name of its statement's file.
        row: its row there, the first line being 1.
        holder: its cardholder, as the caller is shown them.
        merchant: as printed.
        transaction_id: the source's own reference.
        vat: VAT in the amount, in pounds; empty where it is not said.
        line_items: line items, where the statement has them.
    """

    holder: str
    line_items: list[LineItem]


class ListedPayment(ShownPayment):
    """A transaction of a page, with the place after which the next page begins."""

    place: list[float | str]


class PaymentDetail(ShownPayment):
    """One payment with the alerts it is evidence of.

    Attributes:
        label: name of its statement's file.
        row: its row there, the first line being 1.
        holder: its cardholder, as the caller is shown them.
        merchant: as printed.
        transaction_id: the source's own reference.
        vat: VAT in the amount, in pounds; empty where it is not said.
        line_items: line items, where the statement has them.
    """

    alerts: list[PaymentAlert]


class Sample(TypedDict):
    """A sample of payments or alerts that was drawn."""

    population: int
    pence: int
    population_sha256: str
    drawn: list[dict[str, Any]]


class PolicyInForce(TypedDict):
    """The active policy on a day: its text and every figure."""

    sha256: str
    is_shipped: bool
    text: str
    figures: Policy


class ModelInForce(TypedDict, total=False):
    """The active anomaly model; only `status` and `sha256` where there is none.

    Attributes:
        features: the columns it reads, in order.
    """

    status: Required[Literal["loaded", "none", "refused"]]
    sha256: Required[str]
    why: str
    features: tuple[str, ...]
    rows: int
    holders: int
    first_on: str
    last_on: str
    data_sha256: str


class ProposedChange(Proposal):
    """A proposal with its changes against what is active, those of a policy in words too."""

    changes: list[FileChange]
    before_after: list[PolicyChange]


class UpheldRate(TypedDict):
    """The rate by which alerts of a rule and band of evidence are ordered."""

    rule: str
    band: str
    rate: float


class AlertOrder(TypedDict):
    """Active order of a lane's alerts, and the one that the answers would give.

    An empty list of rates is evidence alone. `back_test` is null where answers are too few.
    """

    in_force: list[UpheldRate]
    by_answers: list[UpheldRate]
    back_test: OrderBackTest | None


class ImportOptions(TypedDict):
    """How a statement that waits is imported."""

    corrects: str | None
    is_history: bool


class CurrentUser(TypedDict):
    """Who asks: an id, a role and the lanes they see."""

    organisation_id: str
    actor_id: str
    role: Role
    lanes: list[Lane]


class CasePayment(TypedDict):
    """A payment of an alert in a case.

    Attributes:
        person: its cardholder, as the caller is shown them.
    """

    date: str
    person: str
    merchant: str
    amount_pence: int
    reference: str


class ShownCaseAlert(TypedDict):
    """An alert of a case; a copy of it once it is erased.

    Attributes:
        people: whom it is about, as the caller is shown them.
    """

    alert_id: str
    lane: Lane
    state: State
    is_erased: bool
    title: str
    facts: list[str]
    first_on: str
    last_on: str
    at_stake_pence: int
    people: list[str]
    payments: list[CasePayment]


class CasePerson(TypedDict):
    """Somebody whom alerts of a case are about, as the caller is shown them."""

    name: str
    alerts_count: int


class CaseDetail(Case):
    """A case whole.

    Attributes:
        number: of its year; some numbers are left out by chance.
        owner: email address of who is to see to it; empty for nobody.
        outcome: empty while it is open.
        version: the number of its last entry; also its ETag.
        chronology: everything dated in it, oldest first.
        is_named: whether the caller asked to see the names in all alerts.
    """

    alerts: list[ShownCaseAlert]
    people: list[CasePerson]
    attachments: list[Attachment]
    chronology: list[ChronologyRow]
    is_named: bool
