"""The rows that the casebook answers with about alerts; see `rows`."""

from __future__ import annotations

from typing_extensions import TypedDict

from cardwatch.casebook.case_rows import AlertReferral
from cardwatch.records import Alert
from cardwatch.vocabulary import Lane, State


class SubjectNames(TypedDict):
    """Whom and what an alert is about."""

    holders: list[str]
    approvers: list[str]
    merchants: list[str]
    cost_centres: list[str]


class DecidedAlert(TypedDict):
    """An alert and the number of its last decision."""

    alert_id: str
    version: int


class AlertRow(SubjectNames, DecidedAlert):
    """An alert with its state, which is that of its last decision."""

    lane: Lane
    statement_id: str
    raised_at: str
    tier: str
    kind: str
    rule: str
    band: str
    is_fact: bool
    first_on: str
    last_on: str
    at_stake_pence: int
    strength: float
    state: State
    is_second_look: bool
    assigned_to: str
    due_on: str
    snoozed_until: str
    tags: str
    recovered_pence: int
    source_corrected_by: str | None


class ListedAlert(AlertRow):
    """An alert of a list, with the place after which the next page begins."""

    expected_precision: float
    place: list[float | str]


class RelatedAlert(SubjectNames):
    """An alert that shares a person or a merchant with another; when it was decided last."""

    alert_id: str
    lane: Lane
    state: State
    rule: str
    tier: str
    last_on: str
    at_stake_pence: int
    decided_at: str | None


class DecisionMade(TypedDict):
    """A decision or note on an alert, as it was recorded."""

    version: int
    state: State
    reason: str
    assigned_to: str
    due_on: str
    snoozed_until: str
    tags: str
    recovered_pence: int
    decided_by: str
    decided_at: str


class NewDecision(DecisionMade):
    """A decision with the alert it is about."""

    lane: str
    alert_id: str


class Neighbour(TypedDict):
    """Another payment on an alert's days, to its merchants or by its cardholders.

    Attributes:
        shares: what it shares with the alert: merchant, holder or both.
    """

    statement_id: str
    row: int
    date: str
    merchant: str
    amount_pence: int
    holder_id: str | None
    shares: str


class AlertDetail(AlertRow):
    """An alert whole.

    `raised` is the alert as it was raised; `registers` the versions of registers that its list was
    made with.
    """

    raised: Alert
    made_by: dict[str, str] | None
    registers: list[dict[str, str]]
    related: list[RelatedAlert]
    neighbours: list[Neighbour]
    referrals: list[AlertReferral]
    decisions: list[DecisionMade]


class AlertTitle(TypedDict):
    """Title of an alert as it was raised, for lists."""

    title: str
    fact: str
    scope: str
    payments_count: int
    merchant: str
    authority: str
    """Who alone decides it, being about a chief officer or their office; empty for any other."""


class Month(TypedDict):
    """Payments in a month, and whether a statement of it was uploaded."""

    month: str
    pence: int
    payments: int
    has_statement: bool


class ComparedMonth(Month):
    """Payments of everybody to a merchant in a month, and those of an alert's holders."""

    own_pence: int


class MerchantSum(TypedDict):
    """Payments of a holder to a merchant in a year."""

    merchant: str
    pence: int
    payments: int
    since: str


class HolderSum(TypedDict):
    """Payments to a merchant by a holder in a year."""

    holder_id: str
    pence: int
    payments: int
    since: str


class HolderYear(TypedDict):
    """The year of an alert's holders."""

    months: list[Month]
    merchants: list[MerchantSum]


class MerchantYear(TypedDict):
    """The year of an alert's merchants."""

    months: list[ComparedMonth]
    holders: list[HolderSum]
    holders_count: int
    payments_count: int


class Answered(TypedDict):
    """How many alerts of a rule and band were answered in one way."""

    rule: str
    band: str
    state: State
    count: int


class AnsweredAlert(TypedDict):
    """One answered alert: what it was ordered by, its answer and when it was given."""

    alert_id: str
    rule: str
    band: str
    strength: float
    state: State
    decided_at: str


class SuppressionFields(TypedDict):
    """Fields of a suppression, without whom it is about."""

    lane: Lane
    suppression_id: str
    kind: str
    rule: str
    alert_id: str | None
    most_pence: int | None
    reason: str
    expires_on: str
    made_by: str
    made_at: str
    ended_at: str | None


class SuppressionRow(SuppressionFields):
    """A suppression as it is stored: holders and merchants as JSON."""

    holders: str
    merchants: str


class Suppression(SuppressionFields):
    """Alerts of the same cardholders and merchants that close automatically until a day.

    Of one rule where somebody suppressed them; of one kind, up to a sum, where one was explained.
    """

    holders: list[str]
    merchants: list[str]


class Hold(TypedDict):
    """A legal hold on an alert and its payments."""

    lane: Lane
    hold_id: str
    alert_id: str
    reason: str
    made_by: str
    made_at: str
    ended_at: str | None


class Reveal(TypedDict):
    """Who asked to see by name whom an alert is about, and why."""

    lane: Lane
    alert_id: str
    made_by: str
    reason: str
    made_at: str
