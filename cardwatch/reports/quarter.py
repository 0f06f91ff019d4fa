"""Computes the figures of a quarter from its own records: payments, alerts, and answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from cardwatch.features import purchase_rows, refund_rows
from cardwatch.vocabulary import ANSWERED, AUTOMATIC, CLOSED_BY_PERSON, UNANSWERED, UPHELD

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cardwatch.records import AlertRecord, StateChange

SMALL_PENCE = 500_000
"""£5,000: below it forces hardly checked what was bought (Without fear or favour, 2011)."""

OPTIONAL_COLUMNS = {
    "mcc": "merchant category",
    "card_token": "card number",
    "holder_id": "cardholder",
}
"""Columns that a statement may leave empty, and what each holds."""


@dataclass(frozen=True)
class Spending:
    """Card spending in a period.

    Attributes:
        period: a month such as `2026-10`, or a quarter such as `2026-Q4`.
        purchases, purchases_pence: of more than nothing, before refunds.
        small, small_pence: those purchases that were each below `SMALL_PENCE`.
        refunds, refunds_pence: what merchants paid back, as positive pence.
        others, others_pence: cash, fees and payments to the account.
        cards, holders: how many were used, as far as statements name them.
    """

    period: str
    purchases: int
    purchases_pence: int
    small: int
    small_pence: int
    refunds: int
    refunds_pence: int
    others: int
    others_pence: int
    cards: int
    holders: int

    @property
    def net_pence(self) -> int:
        """Purchases less refunds."""
        return self.purchases_pence - self.refunds_pence


@dataclass(frozen=True)
class Outcomes:
    """How many alerts of one kind about a quarter's payments there are, by what became of them."""

    kind: str
    awaiting: int = 0
    explained: int = 0
    upheld: int = 0
    data_errors: int = 0
    not_asked: int = 0

    @property
    def count(self) -> int:
        """How many alerts there are."""
        closed = self.explained + self.upheld + self.data_errors + self.not_asked
        return self.awaiting + closed


@dataclass(frozen=True)
class Answers:
    """How many of some answered alerts were upheld: outside policy, or confirmed."""

    answered: int
    upheld: int


@dataclass(frozen=True)
class Quarter:
    """The figures of one quarter.

    Attributes:
        name: such as `2026-Q4`.
        first_on, last_on: its first day; its last, or the day of the report if that is earlier.
        is_over: whether all of its days have passed.
        spending, months: of the quarter, and of each month with a payment.
        outcomes: alerts whose last payment lies in it, by kind, as they stand now.
        answers: alerts answered by a person in it, as they stood on its last day.
        answers_by_rule: the same by rule.
        second_looks: the same of those reopened at random after they were closed automatically.
        data_errors: alerts closed in it by a person because the data was wrong.
        recovered_pence: money recorded in it as recovered, less what was put right.
        answer_days: days from raising to answering of each alert closed in it by a person.
        awaiting_days: days for which each alert without an answer on its last day had waited.
        uncovered_days: its days so far that no statement covers.
        rows_not_read: rows that could not be read of the statements of these days.
        payments_without: payments that lack what statements do not always give, by what it is.
    """

    name: str
    first_on: str
    last_on: str
    is_over: bool
    spending: Spending
    months: tuple[Spending, ...]
    outcomes: tuple[Outcomes, ...]
    answers: Answers
    answers_by_rule: dict[str, Answers]
    second_looks: Answers
    data_errors: int
    recovered_pence: int
    answer_days: tuple[int, ...]
    awaiting_days: tuple[int, ...]
    uncovered_days: int
    rows_not_read: int
    payments_without: dict[str, int]

    @property
    def span(self) -> Span:
        """Its days."""
        return Span(self.name, self.first_on, self.last_on, self.is_over)

    @property
    def days(self) -> int:
        """How many days it has so far."""
        return _days_between(self.first_on, self.last_on) + 1

    @property
    def has_records(self) -> bool:
        """Whether a statement covers one of its days, or an alert of it was answered in it."""
        return self.uncovered_days < self.days or bool(self.answer_days)


@dataclass(frozen=True)
class Coverage:
    """How far statements cover a quarter; see `Quarter`."""

    uncovered_days: int
    rows_not_read: int


@dataclass(frozen=True)
class Span:
    """The days of a quarter; see `Quarter`."""

    name: str
    first_on: str
    last_on: str
    is_over: bool


def quarter_figures(
    span: Span, payments: pd.DataFrame, alerts: Sequence[AlertRecord], coverage: Coverage
) -> Quarter:
    """The figures of one quarter.

    Args:
        span: the quarter.
        payments: that count, each once, with date, amount_pence, kind, card_token and holder_id;
            those of other days are left out.
        alerts: all of finance's alerts.
        coverage: how far statements cover it.
    """
    quarter_payments = payments[payments["date"].between(span.first_on, span.last_on)]
    closed = _closed_in(span, alerts)
    answered = [(alert, change) for alert, change in closed if change.state in ANSWERED]
    awaiting = [
        alert
        for alert in alerts
        if alert.raised_on <= span.last_on and _state_on(alert, span.last_on) in UNANSWERED
    ]
    rules = sorted({alert.rule for alert, _ in answered})
    return Quarter(
        **vars(span),
        **vars(coverage),
        spending=_spending(span.name, quarter_payments),
        months=tuple(
            _spending(str(m), part)
            for m, part in quarter_payments.groupby(quarter_payments["date"].str[:7])
        ),
        outcomes=_outcomes([a for a in alerts if span.first_on <= a.last_on <= span.last_on]),
        payments_without={
            words: int((quarter_payments[name].fillna("") == "").sum())
            for name, words in OPTIONAL_COLUMNS.items()
        },
        answers=_answers(answered),
        answers_by_rule={
            rule: _answers([pair for pair in answered if pair[0].rule == rule]) for rule in rules
        },
        second_looks=_answers([pair for pair in answered if pair[0].is_second_look]),
        data_errors=len(closed) - len(answered),
        recovered_pence=sum(
            pence
            for alert in alerts
            for day, pence in alert.recovered
            if span.first_on <= day <= span.last_on
        ),
        answer_days=tuple(
            sorted(_days_between(alert.raised_on, change.on) for alert, change in closed)
        ),
        awaiting_days=tuple(
            sorted(_days_between(alert.raised_on, span.last_on) for alert in awaiting)
        ),
    )


def _spending(period: str, payments: pd.DataFrame) -> Spending:
    """Card spending in one period."""
    pence = payments["amount_pence"]
    is_purchase, is_refund = purchase_rows(payments), refund_rows(payments)
    is_small = is_purchase & (pence < SMALL_PENCE).to_numpy()
    is_other = ~is_purchase & ~is_refund
    purchases = payments[is_purchase]
    return Spending(
        period=period,
        purchases=int(is_purchase.sum()),
        purchases_pence=int(pence[is_purchase].sum()),
        small=int(is_small.sum()),
        small_pence=int(pence[is_small].sum()),
        refunds=int(is_refund.sum()),
        refunds_pence=-int(pence[is_refund].sum()),
        others=int(is_other.sum()),
        others_pence=int(pence[is_other].sum()),
        cards=int(purchases.loc[purchases["card_token"] != "", "card_token"].nunique()),
        holders=int(purchases.loc[purchases["holder_id"] != "", "holder_id"].nunique()),
    )


def _outcomes(alerts: Sequence[AlertRecord]) -> tuple[Outcomes, ...]:
    """The states of some alerts, by kind."""
    outcomes = []
    for kind in sorted({alert.kind for alert in alerts}):
        kind_alerts = [alert for alert in alerts if alert.kind == kind]
        states = Counter(alert.state for alert in kind_alerts)
        outcomes.append(
            Outcomes(
                kind=kind,
                awaiting=sum(states[state] for state in UNANSWERED),
                explained=states["explained"],
                upheld=sum(states[state] for state in UPHELD),
                data_errors=states["data-error"],
                not_asked=sum(states[state] for state in AUTOMATIC),
            )
        )
    return tuple(outcomes)


def _closed_in(span: Span, alerts: Sequence[AlertRecord]) -> list[tuple[AlertRecord, StateChange]]:
    """The alerts that a person closed in a quarter and that stood so on its last day."""
    closed = []
    for alert in alerts:
        change = _last_change(alert, span.last_on)
        if change is None or change.on < span.first_on:
            continue
        if change.by_person and change.state in CLOSED_BY_PERSON:
            closed.append((alert, change))
    return closed


def _last_change(alert: AlertRecord, day: str) -> StateChange | None:
    """The last change of an alert's state up to a day, if any."""
    return next((change for change in reversed(alert.changes) if change.on <= day), None)


def _state_on(alert: AlertRecord, day: str) -> str:
    """The state of an alert on a day after it was raised."""
    change = _last_change(alert, day)
    return change.state if change else "open"


def _answers(answered: Sequence[tuple[AlertRecord, StateChange]]) -> Answers:
    """How many of some answers upheld the alert."""
    upheld = sum(change.state in UPHELD for _, change in answered)
    return Answers(answered=len(answered), upheld=upheld)


def _days_between(earlier: str, later: str) -> int:
    """Whole days from one day to another."""
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days
