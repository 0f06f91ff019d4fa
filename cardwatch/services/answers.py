"""What the services answer beside the casebook's own rows, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Required, TypedDict

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
from cardwatch.casebook.rows import (
    Access,
    PaymentAlert,
    PaymentColumns,
    Proposal,
    RefusedFile,
    StatementName,
)

if TYPE_CHECKING:
    from cardwatch.casebook.precision import OrderBackTest
    from cardwatch.policy import Policy
    from cardwatch.records import AlertList, ReadingReport
    from cardwatch.services.policy_figures import PolicyChange


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
    """What stands around a list of alerts; see `inbox_summary`."""

    by_chance: str

    alerts: int
    pence: int
    earlier: int
    answered_before: int
    not_asked: int
    rules: dict[str, str]
    statements: dict[str, str]


class Scores(TypedDict):
    """A scoring that nothing is kept of.

    `lists` has a list for each lane that the caller sees.
    """

    lists: dict[str, AlertList]
    report: ReadingReport
    made_with: dict[str, str]


class AlertSummary(TypedDict):
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


class UnitCounts(TypedDict):
    """What a change adds and removes in one unit; `unit` is empty for all units together."""

    unit: str
    newly_asked: int
    no_longer_asked: int
    holders_newly_asked: int


class ListChange(TypedDict):
    """How many alerts a list shows before and after a change, and those that differ."""

    before: int
    after: int
    newly_asked: list[AlertSummary]
    no_longer_asked: list[AlertSummary]


class StatementChange(StatementName, total=False):
    """What a change does to the lists of a statement that the actor sees."""

    last_on: Required[str]
    finance: ListChange
    psd: ListChange


class BackTest(TypedDict):
    """Past statements scored as today and with a changed document; `units` by lane."""

    kind: str
    sha256: str
    document: str
    statements: list[StatementChange]
    units: dict[str, list[UnitCounts]]


class PackFacts(TypedDict):
    """What a policy pack says of itself; `fingerprint` is that of its owner's key."""

    name: str
    owner: str
    version: str
    published_on: str
    review_on: str
    fingerprint: str
    sha256: str


class RuleChanges(TypedDict):
    """The ids of rules that one set has and another has not, and of those that differ."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class ActivePack(TypedDict):
    """The pack behind the active policy, and what differs from it: the pack's, then the own."""

    pack: PackFacts
    is_review_due: bool
    own_figures: list[PolicyChange]
    own_rules: RuleChanges


class PackChange(TypedDict):
    """What a pack would change: of the active policy, of its own figures, and of the rules."""

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
    """What changes in one file of a document."""

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
    """A statement and what is known of its reading."""

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
    """A refused file of a watched folder, and what to do about it."""

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


class LineItemRow(TypedDict):
    """A line item of a payment."""

    description: str
    amount_pence: int | None
    vat_pence: int | None


class ShownPayment(PaymentColumns):
    """A transaction with its cardholder as the reader is shown them, and its line items."""

    holder: str
    line_items: list[LineItemRow]


class ListedPayment(ShownPayment):
    """A transaction of a page, with the place after which the next page begins."""

    place: list[float | str]


class PaymentDetail(ShownPayment):
    """A transaction with the alerts it is evidence of."""

    alerts: list[PaymentAlert]


class Sample(TypedDict):
    """A sample of payments or alerts that was drawn."""

    population: int
    pence: int
    population_sha256: str
    drawn: list[dict[str, Any]]


class PolicyInForce(TypedDict):
    """The active policy: its text and its figures."""

    sha256: str
    is_shipped: bool
    text: str
    figures: Policy


class ModelInForce(TypedDict, total=False):
    """Facts about the active model; only `status` and `sha256` where there is none."""

    status: str
    sha256: str
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
    """What orders a lane's alerts now, what the answers would make of it, and a test of that."""

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
    role: str
    lanes: list[str]


class CasePayment(TypedDict):
    """A payment of an alert in a case, its cardholder as the reader is shown them."""

    date: str
    person: str
    merchant: str
    amount_pence: int
    reference: str


class ShownCaseAlert(TypedDict):
    """An alert of a case, its people as the reader is shown them."""

    alert_id: str
    lane: str
    state: str
    is_erased: bool
    title: str
    facts: list[str]
    first_on: str
    last_on: str
    at_stake_pence: int
    people: list[str]
    payments: list[CasePayment]


class CasePerson(TypedDict):
    """Somebody whom alerts of a case are about, as the reader is shown them."""

    name: str
    alerts_count: int


class CaseDetail(Case):
    """A case whole; `is_named` once the reader has asked to see the names in all of its alerts."""

    alerts: list[ShownCaseAlert]
    people: list[CasePerson]
    attachments: list[Attachment]
    chronology: list[ChronologyRow]
    is_named: bool
