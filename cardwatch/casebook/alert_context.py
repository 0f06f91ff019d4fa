"""The context of an alert: other payments, its holder's year and its merchant's year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import sqlalchemy as sa

from cardwatch.casebook.alert_rows import (
    ComparedMonth,
    HolderYear,
    MerchantYear,
    Month,
    Neighbour,
)
from cardwatch.casebook.case_rows import AlertReferral
from cardwatch.casebook.counting import counting_payments, each_once, statement_counts
from cardwatch.casebook.statements import DAY
from cardwatch.casebook.tables import (
    HOLDER_KEYS,
    PSD,
    alert_transactions,
    merchants,
    referrals,
    statements,
    transactions,
)
from cardwatch.merchants import canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cardwatch.casebook.unit_of_work import Row, UnitOfWork

MOST_NEIGHBOURS, MOST_LISTED = 100, 20


def referrals_of_alert(
    uow: UnitOfWork, lane: str, alert_id: str, names: Mapping[str, str]
) -> list[AlertReferral]:
    """Return when an alert was referred to professional standards, by whom and why; no more.

    Args:
        lane: of the alert.
        alert_id: whole id of the alert.
        names: the name of whoever acts, by id.
    """
    columns = referrals.c
    question = sa.select(columns.reason, columns.made_by, columns.made_at).where(
        uow.scope(referrals), columns.lane == lane, columns.alert_id == alert_id
    )
    rows = uow.fetch_all(question.order_by(columns.made_at, columns.version), AlertReferral)
    return [{**row, "made_by": names.get(row["made_by"], row["made_by"])} for row in rows]


def neighbours(uow: UnitOfWork, lane: str, alert_id: str) -> list[Neighbour]:
    """Return other payments of the days of an alert: to its merchants, or by its holders.

    Returns:
        The day, holder, merchant and pence of each, where it stands, and `shares`: merchant, holder
        or both; at most `MOST_NEIGHBOURS`.
    """
    payments, key = _own(uow, lane, alert_id)
    if not key:
        return []
    holders, days = ({row[name] for row in payments} for name in (key, "date"))
    beside = _to_same(uow, payments) | transactions.c[key].in_(holders)
    candidates = _rows(uow, key, beside & transactions.c.date.in_(days))
    names = _names(payments)
    places = {(row["statement_id"], row["row"]) for row in payments}
    listed: list[Neighbour] = []
    for row in candidates.to_dict("records"):
        if (row["statement_id"], row["row"]) not in places:
            by = row["holder_id"] in holders
            to = canonical_name(row["merchant"]).name in names
            shares = "both" if by and to else "holder" if by else "merchant"
            if by or to:
                listed.append(cast("Neighbour", row | {"shares": shares}))
    return listed[:MOST_NEIGHBOURS]


def holder_year(uow: UnitOfWork, lane: str, alert_id: str) -> HolderYear:
    """Return an alert's holders' thirteen months up to its last: by month, and by merchant.

    Months before the first statement are left out.
    """
    payments, key = _own(uow, lane, alert_id)
    if not key:
        return {"months": [], "merchants": []}
    holders = {row[key] for row in payments}
    year_frame = _rows(
        uow, key, transactions.c[key].in_(holders) & _year(payments, transactions.c.date)
    )
    return {
        "months": _months(uow, year_frame, payments),
        "merchants": _summed(year_frame, "merchant"),
    }


def merchant_year(uow: UnitOfWork, lane: str, alert_id: str) -> MerchantYear:
    """Return the same months of its merchants, however they are printed: by month, by holder.

    Returns:
        The months, each with `own_pence` that the alert's holders paid; the holders who paid most;
        and how many holders and payments there were in all.
    """
    payments, key = _own(uow, lane, alert_id)
    if not key:
        return {"months": [], "holders": [], "holders_count": 0, "payments_count": 0}
    holders = {row[key] for row in payments}
    year_frame = _rows(uow, key, _to_same(uow, payments) & _year(payments, DAY))
    theirs = _months(uow, year_frame[year_frame["holder_id"].isin(holders)], payments)
    months = [
        ComparedMonth(**all_, own_pence=holder_month["pence"])
        for all_, holder_month in zip(_months(uow, year_frame, payments), theirs, strict=True)
    ]
    return {
        "months": months,
        "holders": _summed(year_frame, "holder_id"),
        "holders_count": year_frame["holder_id"].nunique(dropna=False),
        "payments_count": len(year_frame),
    }


def _names(payments: Iterable[Row]) -> set[str]:
    """Return the names by which an alert's merchants are compared."""
    return {canonical_name(row["merchant"]).name for row in payments}


def _to_same(uow: UnitOfWork, payments: Iterable[Row]) -> sa.ColumnElement[bool]:
    """Return the condition that a payment is to an alert's merchants, however they are printed."""
    is_same_name = uow.scope(merchants) & merchants.c.name.in_(_names(payments))
    return transactions.c.merchant.in_(sa.select(merchants.c.printed).where(is_same_name))


def _own(uow: UnitOfWork, lane: str, alert_id: str) -> tuple[list[Row], str]:
    """Return the payments of an alert, and the best key that names the holder of each."""
    its = (alert_transactions.c.lane == lane) & (alert_transactions.c.alert_id == alert_id)
    same = (alert_transactions.c.statement_id == transactions.c.statement_id) & (
        alert_transactions.c.row == transactions.c.row
    )
    names = ("statement_id", "row", "date", "merchant", *HOLDER_KEYS)
    payments = uow.fetch_all(
        sa.select(*(transactions.c[name] for name in names))
        .join(alert_transactions, uow.scope(alert_transactions) & its & same)
        .where(uow.scope(transactions))
    )
    return payments, next(
        (k for k in HOLDER_KEYS if payments and all(row[k] for row in payments)), ""
    )


def _rows(uow: UnitOfWork, key: str, which: sa.ColumnElement[bool]) -> pd.DataFrame:
    """Return payments that count, each once, in the order of their days, with `holder_id`.

    Where their statement names no cardholder by the key, it is what it names them by.
    """
    keys = (key, *(name for name in HOLDER_KEYS if name != key))
    holder = sa.func.coalesce(*(sa.func.nullif(transactions.c[name], "") for name in keys), "")
    names = ("statement_id", "row", "date", "merchant", "amount_pence", "identity")
    columns = [transactions.c[name] for name in names]
    question = counting_payments(
        uow,
        [*columns, holder.label("holder_id")],
        with_psd_holds=uow.actor.role == PSD,
    )
    order = (DAY, statements.c.seq, transactions.c.row)
    table = each_once(uow, question.where(which).order_by(None).order_by(*order))
    return table.drop(columns="identity")


def _year(payments: Iterable[Row], day: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a payment lies in the thirteen whole months of `_months`."""
    months = _last_months(payments)
    return sa.func.substr(day, 1, 7).between(months[0], months[-1])


def _months(
    uow: UnitOfWork, transactions_frame: pd.DataFrame, payments: Iterable[Row]
) -> list[Month]:
    """Return the pence and payments of the months of `_last_months`, from the first statement's on.

    A month has a statement where one covers its middle: a few late payments are not enough. One
    whose payments were deleted at the end of their time does not count.
    """
    question = sa.select(*(statements.c[name] for name in ("first_on", "last_on", "erased_at")))
    spans = uow.fetch_all(question.where(uow.scope(statements), statement_counts()))
    first_month = min(span["first_on"] for span in spans)[:7]
    by = transactions_frame.groupby(transactions_frame["date"].str[:7])["amount_pence"].agg(
        ["sum", "size"]
    )
    every = by.reindex(_last_months(payments), fill_value=0)
    return [
        {
            "month": month,
            "pence": int(pence),
            "payments": int(size),
            "has_statement": any(
                span["first_on"] <= f"{month}-15" <= span["last_on"]
                for span in spans
                if not span["erased_at"]
            ),
        }
        for month, pence, size in every.itertuples()
        if month >= first_month
    ]


def _last_months(payments: Iterable[Row]) -> list[str]:
    """Return the thirteen months that end with an alert's last."""
    last = max(row["date"] for row in payments)[:7]
    return [str(period) for period in pd.period_range(end=last, periods=13, freq="M")]


def _summed(frame: pd.DataFrame, name: str) -> list[Any]:
    """Return the pence, payments and first day of each merchant or holder, the most pence first.

    Merchants stand under the names by which they are compared.
    """
    if name == "merchant":
        frame = frame.assign(
            merchant=[canonical_name(printed_name).name for printed_name in frame[name]]
        )
    by = frame.groupby(name).agg(
        pence=("amount_pence", "sum"), payments=("amount_pence", "size"), since=("date", "min")
    )
    by = by.reset_index().sort_values(["pence", name], ascending=[False, True])
    return by.head(MOST_LISTED).to_dict("records")
