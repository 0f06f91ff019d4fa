"""Finds payments that count by filters, the newest first, a page at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from cardwatch.casebook.alerts import not_about
from cardwatch.casebook.counting import counting_payments, is_visible
from cardwatch.casebook.pseudonyms import pseudonym
from cardwatch.casebook.rows import (
    AlertSubject,
    FirstPayment,
    PaymentAlert,
    PlacedPayment,
    StoredPayment,
)
from cardwatch.casebook.tables import (
    HOLDER_KEYS,
    PSD,
    alert_subjects,
    alert_transactions,
    alerts,
    merchants,
    statements,
    transactions,
)
from cardwatch.errors import CardwatchError, NotFound
from cardwatch.merchants import canonical_name
from cardwatch.vocabulary import ASKED_ABOUT, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.casebook.unit_of_work import Select, UnitOfWork

HOLDER_ORDER = (
    "key_holder_id", "key_employee_id", "key_cardholder", "key_account", "key_card_number",
)  # fmt: skip
"""How a payment's cardholder is named: by the first of these that its statement says."""
STORED_COLUMNS = ("statement_id", "row", "date", "posting_date", "merchant", "mcc", "category",
         "cost_centre", "unit", "amount_pence", "currency", "kind", "transaction_id",
         "card_last4", "vat", "line_items")  # fmt: skip
PLACE = re.compile(r"([0-9a-f]{12}):([0-9]{1,9})")
"""A payment in an address: its statement's id, and its row there."""


@dataclass(frozen=True)
class PaymentFilters:
    """Which payments somebody asks for; empty is any.

    Attributes:
        unit: the unit, or the code of who bears the cost.
        since, until: first and last day.
        least_pence, most_pence: bounds of the amount; none for no bound.
        text: words of a cardholder, merchant, unit or reference.
        same_holder_as, same_merchant_as: an alert whose cardholders or merchants they have, or the
            place of a payment, `statement:row`.
        holders: names of a cardholder as statements print them; of none nothing fits.
        merchants: names under which merchants are compared.
        units: codes that bear the cost.
        references: the source's own references, as they are compared.
    """

    statement_id: str = ""
    unit: str = ""
    since: str = ""
    until: str = ""
    least_pence: int | None = None
    most_pence: int | None = None
    text: str = ""
    same_holder_as: str = ""
    same_merchant_as: str = ""
    holders: tuple[str, ...] | None = None
    merchants: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    def conditions(self, uow: UnitOfWork) -> list[sa.ColumnElement[bool]]:
        """The conditions that a row of transactions fulfils."""
        columns = transactions.c
        bounds = [
            (self.statement_id, columns.statement_id == self.statement_id),
            (self.unit, (columns.unit == self.unit) | (columns.cost_centre == self.unit)),
            (self.since, columns.date >= self.since),
            (self.until, columns.date <= self.until),
        ]
        clauses = [condition for value, condition in bounds if value]
        if self.least_pence is not None:
            clauses.append(columns.amount_pence >= self.least_pence)
        if self.most_pence is not None:
            clauses.append(columns.amount_pence <= self.most_pence)
        if self.same_holder_as:
            clauses.append(_has_holder_of(uow, self.same_holder_as))
        if self.same_merchant_as:
            clauses.append(_has_merchant_of(uow, self.same_merchant_as))
        if self.holders is not None:
            clauses.append(holder_column().in_(self.holders))
        if self.merchants:
            clauses.append(_printed(uow, merchants.c.name.in_(self.merchants)))
        if self.units:
            clauses.append(columns.cost_centre.in_(self.units))
        if self.references:
            clauses.append(sa.func.lower(columns.transaction_id).in_(self.references))
        return [*clauses, _matches_text(uow, self.text)] if self.text.strip() else clauses


def find_payments(
    uow: UnitOfWork,
    filters: PaymentFilters,
    *,
    after: Sequence[float | str] = (),
    offset: int = 0,
    limit: int,
) -> list[PlacedPayment]:
    """Return payments that count and fit, each once, the newest first.

    Args:
        filters: which of them.
        after: the `place` of the payment after which they begin.
        offset: how many are left out before them.
        limit: the most that are given.

    Raises:
        CardwatchError: the place is none.
    """
    by = [transactions.c.date, statements.c.seq, transactions.c.row]
    question = _visible(uow, filters, [*_columns(), statements.c.seq])
    if after:
        if [type(value) for value in after] != [str, int, int]:
            raise CardwatchError("Invalid cursor. Begin at the first page.", field="cursor")
        place = sa.tuple_(*(sa.literal(value) for value in after))
        question = question.where(sa.tuple_(*by) < place)
    newest = question.order_by(None).order_by(*(part.desc() for part in by))
    rows = uow.fetch_all(newest.offset(offset).limit(limit))
    for row in rows:
        row["place"] = [row["date"], row.pop("seq"), row["row"]]
    return cast("list[PlacedPayment]", rows)


def count_payments(uow: UnitOfWork, filters: PaymentFilters) -> tuple[int, int]:
    """Return how many payments count and fit, and their pence together."""
    fitting = _visible(uow, filters, [transactions.c.amount_pence]).order_by(None).subquery()
    pence = sa.func.coalesce(sa.func.sum(fitting.c.amount_pence), 0)
    row = uow.fetch_one(sa.select(sa.func.count().label("payments"), pence.label("pence")))
    assert row is not None
    return int(row["payments"]), int(row["pence"])


def first_payments(uow: UnitOfWork) -> list[FirstPayment]:
    """Return each merchant as printed, with the first day on which it was paid."""
    columns = [transactions.c.merchant, sa.func.min(transactions.c.date).label("day")]
    question = counting_payments(uow, columns, with_psd_holds=uow.actor.role == PSD)
    return uow.fetch_all(question.order_by(None).group_by(transactions.c.merchant), FirstPayment)


def get_payment(uow: UnitOfWork, statement_id: str, number: int) -> StoredPayment:
    """Return one payment, whether its statement still counts or not.

    Raises:
        NotFound: there is none that the actor may see.
    """
    same = statements.c.statement_id == transactions.c.statement_id
    question = (
        sa.select(*_columns())
        .join(statements, uow.scope(statements) & same)
        .where(uow.scope(transactions), is_visible(with_psd_holds=uow.actor.role == PSD))
        .where(transactions.c.statement_id == statement_id, transactions.c.row == number)
    )
    row = uow.fetch_one(question, StoredPayment)
    if row is None:
        raise NotFound("There is no such payment.")
    return row


def card_token_of(uow: UnitOfWork, statement_id: str, number: int) -> str:
    """Return the keyed hash of the card of a payment; empty where its statement names none."""
    same = (transactions.c.statement_id == statement_id) & (transactions.c.row == number)
    question = sa.select(transactions.c.card_token).where(uow.scope(transactions), same)
    row = uow.fetch_one(question)
    return str(row["card_token"] or "") if row else ""


def _columns() -> list[sa.ColumnElement[Any]]:
    """The columns of a payment as it is shown, with the label of its statement."""
    names = [transactions.c[name] for name in STORED_COLUMNS]
    return [*names, statements.c.label, holder_column().label("holder_id")]


def holder_column() -> sa.ColumnElement[str]:
    """The best name of a payment's cardholder."""
    names = (sa.func.nullif(transactions.c[name], "") for name in HOLDER_ORDER)
    return sa.func.coalesce(*names, transactions.c.card_last4)


def _visible(
    uow: UnitOfWork, filters: PaymentFilters, columns: Sequence[sa.ColumnElement[Any]]
) -> Select:
    """Question for payments that count and fit; of one that two statements hold, the earlier."""
    with_psd_holds = uow.actor.role == PSD
    other, holding = transactions.alias(), statements.alias()
    earlier = sa.exists().where(
        uow.scope(other, holding),
        other.c.identity == transactions.c.identity,
        other.c.statement_id == holding.c.statement_id,
        holding.c.superseded_seq.is_(None),
        holding.c.seq < statements.c.seq,
        is_visible(other, with_psd_holds=with_psd_holds),
    )
    question = counting_payments(uow, columns, with_psd_holds=with_psd_holds)
    return question.where(~earlier, *filters.conditions(uow))


def _has_holder_of(uow: UnitOfWork, same_as: str) -> sa.ColumnElement[bool]:
    """The condition that a payment is by a cardholder of an alert, or by that of a payment."""
    if place := PLACE.fullmatch(same_as):
        row = get_payment(uow, place[1], int(place[2]))
        return holder_column() == row["holder_id"]
    names = sorted({row["name"] for row in subjects_of_alert(uow, same_as, ASKED_ABOUT)})
    return sa.or_(sa.false(), *(transactions.c[key].in_(names) for key in HOLDER_KEYS))


def _has_merchant_of(uow: UnitOfWork, same_as: str) -> sa.ColumnElement[bool]:
    """The condition that a payment is to a merchant of an alert, or to that of a payment."""
    if place := PLACE.fullmatch(same_as):
        row = get_payment(uow, place[1], int(place[2]))
        names = [canonical_name(row["merchant"]).name]
    else:
        subjects = subjects_of_alert(uow, same_as, (SubjectKind.MERCHANT,))
        names = sorted({row["subject_id"] for row in subjects})
    return _printed(uow, merchants.c.name.in_(names))


def subjects_of_alert(
    uow: UnitOfWork, alert_id: str, kinds: Sequence[SubjectKind]
) -> list[AlertSubject]:
    """The subjects of some kinds of an alert."""
    columns = alert_subjects.c
    question = sa.select(columns.kind, columns.subject_id, columns.name).where(
        uow.scope(alert_subjects), columns.alert_id == alert_id, columns.kind.in_(kinds)
    )
    return uow.fetch_all(question, AlertSubject)


def _printed(uow: UnitOfWork, which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition that a payment is to one of some merchants, however they are printed."""
    return transactions.c.merchant.in_(
        sa.select(merchants.c.printed).where(uow.scope(merchants), which)
    )


def _matches_text(uow: UnitOfWork, text: str) -> sa.ColumnElement[bool]:
    """The condition that a payment's cardholder, merchant, unit or reference has some words.

    Professional standards search cardholders by the pseudonyms that they are shown.
    """
    term = text.strip().lower()
    columns = transactions.c

    def has(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return sa.func.lower(column).contains(term, autoescape=True)

    by_holder: sa.ColumnElement[bool]
    if uow.actor.role == PSD:
        holder = holder_column()
        question = sa.select(holder.label("holder_id")).where(uow.scope(transactions), is_visible())
        people = (
            row["holder_id"] for row in uow.fetch_all(question.distinct()) if row["holder_id"]
        )
        by_holder = holder.in_(
            [person for person in people if term in pseudonym(uow, person).lower()]
        )
    else:
        by_holder = sa.or_(*(has(columns[key]) for key in HOLDER_KEYS))
    by_merchant = _printed(uow, has(merchants.c.printed) | has(merchants.c.name))
    return sa.or_(
        by_holder,
        by_merchant,
        has(columns.unit),
        has(columns.cost_centre),
        has(columns.transaction_id),
    )


def alerts_of_payment(uow: UnitOfWork, statement_id: str, number: int) -> list[PaymentAlert]:
    """The alerts that the actor may see and a payment is evidence of, the newest first."""
    same = (alert_transactions.c.lane == alerts.c.lane) & (
        alert_transactions.c.alert_id == alerts.c.alert_id
    )
    question = (
        sa.select(alerts.c.alert_id, alerts.c.lane, alerts.c.state, alerts.c.last_on)
        .join(alert_transactions, uow.scope(alert_transactions) & same)
        .where(uow.scope(alerts), not_about(uow, alerts))
        .where(
            alert_transactions.c.statement_id == statement_id, alert_transactions.c.row == number
        )
        .order_by(alerts.c.last_on.desc(), alerts.c.alert_id)
    )
    return uow.fetch_all(question, PaymentAlert)


def is_alert_visible(uow: UnitOfWork, alert_id: str) -> bool:
    """Whether there is an alert of an id that the actor may see."""
    question = sa.select(alerts.c.alert_id).where(
        uow.scope(alerts), not_about(uow, alerts), alerts.c.alert_id == alert_id
    )
    return uow.fetch_one(question) is not None


def alert_places(uow: UnitOfWork, lane: str, alert_id: str) -> dict[str, str]:
    """Where the payments of an alert are kept: `label:row` to the id of their statement."""
    its = (alert_transactions.c.lane == lane) & (alert_transactions.c.alert_id == alert_id)
    question = (
        sa.select(statements.c.label, alert_transactions.c.row, alert_transactions.c.statement_id)
        .join(
            alert_transactions,
            uow.scope(alert_transactions)
            & (alert_transactions.c.statement_id == statements.c.statement_id),
        )
        .where(uow.scope(statements), its)
    )
    return {f"{row['label']}:{row['row']}": row["statement_id"] for row in uow.fetch_all(question)}
