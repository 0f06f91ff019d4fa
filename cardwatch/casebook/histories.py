"""The context of an alert: other payments, its holder's year and its merchant's year."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from cardwatch.casebook.counting import counting_payments, each_once
from cardwatch.casebook.statements import DAY
from cardwatch.casebook.tables import (
    HOLDER_KEYS,
    PSD,
    evidence,
    merchants,
    statements,
    transactions,
)
from cardwatch.merchants import canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.casebook.work import Row, Work

MOST_NEIGHBOURS, MOST_LISTED = 100, 20
YEAR_DAYS = 366


def neighbours(work: Work, lane: str, alert_id: str) -> list[dict[str, Any]]:
    """Return other payments of the days of an alert: to its merchants, or by its holders.

    Returns:
        The day, holder, merchant and pence of each, where it stands, and `shares`: merchant, holder
        or both; at most `MOST_NEIGHBOURS`.
    """
    own, key = _own(work, lane, alert_id)
    if not key:
        return []
    holders, days = ({row[name] for row in own} for name in (key, "date"))
    beside = _to_same(work, own) | transactions.c[key].in_(holders)
    found = _rows(work, key, beside & transactions.c.date.in_(days))
    names = _names(own)
    places = {(row["statement_id"], row["row"]) for row in own}
    told = []
    for row in found.to_dict("records"):
        if (row["statement_id"], row["row"]) not in places:
            by = row["holder_id"] in holders
            to = canonical_name(row["merchant"]).name in names
            shares = "both" if by and to else "holder" if by else "merchant"
            told += [{str(k): v for k, v in row.items()} | {"shares": shares}] if by or to else []
    return told[:MOST_NEIGHBOURS]


def holder_year(work: Work, lane: str, alert_id: str) -> dict[str, Any]:
    """Return the year of an alert's holders up to its last day: by month, and by merchant."""
    own, key = _own(work, lane, alert_id)
    if not key:
        return {"months": [], "merchants": []}
    holders = {row[key] for row in own}
    found = _rows(work, key, transactions.c[key].in_(holders) & _year(own, transactions.c.date))
    return {"months": _months(found, own), "merchants": _summed(found, "merchant")}


def merchant_year(work: Work, lane: str, alert_id: str) -> dict[str, Any]:
    """Return the year of an alert's merchants, however they are printed: by month, by holder.

    Returns:
        The months, each with `own_pence` that the alert's holders paid; the holders who paid most;
        and how many holders and payments there were in all.
    """
    own, key = _own(work, lane, alert_id)
    if not key:
        return {"months": [], "holders": [], "holders_count": 0, "payments_count": 0}
    holders = {row[key] for row in own}
    found = _rows(work, key, _to_same(work, own) & _year(own, DAY))
    theirs = _months(found[found["holder_id"].isin(holders)], own)
    months = [
        all_ | {"own_pence": mine["pence"]}
        for all_, mine in zip(_months(found, own), theirs, strict=True)
    ]
    return {
        "months": months,
        "holders": _summed(found, "holder_id"),
        "holders_count": found["holder_id"].nunique(dropna=False),
        "payments_count": len(found),
    }


def _names(own: Iterable[Row]) -> set[str]:
    """Return the names by which an alert's merchants are compared."""
    return {canonical_name(row["merchant"]).name for row in own}


def _to_same(work: Work, own: Iterable[Row]) -> sa.ColumnElement[bool]:
    """Return the condition that a payment is to an alert's merchants, however they are printed."""
    named = work.mine(merchants) & merchants.c.name.in_(_names(own))
    return transactions.c.merchant.in_(sa.select(merchants.c.printed).where(named))


def _own(work: Work, lane: str, alert_id: str) -> tuple[list[Row], str]:
    """Return the payments of an alert, and the best key that names the holder of each."""
    its = (evidence.c.lane == lane) & (evidence.c.alert_id == alert_id)
    same = (evidence.c.statement_id == transactions.c.statement_id) & (
        evidence.c.row == transactions.c.row
    )
    names = ("statement_id", "row", "date", "merchant", *HOLDER_KEYS)
    own = work.rows(
        sa.select(*(transactions.c[name] for name in names))
        .join(evidence, work.mine(evidence) & its & same)
        .where(work.mine(transactions))
    )
    return own, next((k for k in HOLDER_KEYS if own and all(row[k] for row in own)), "")


def _rows(work: Work, key: str, which: sa.ColumnElement[bool]) -> pd.DataFrame:
    """Return payments that count, each once, in the order of their days, with `holder_id`."""
    names = ("statement_id", "row", "date", "merchant", "amount_pence", "identity")
    columns = [transactions.c[name] for name in names]
    question = counting_payments(
        work,
        [*columns, transactions.c[key].label("holder_id")],
        with_psd_holds=work.actor.role == PSD,
    )
    order = (DAY, statements.c.seq, transactions.c.row)
    table = each_once(work, question.where(which).order_by(None).order_by(*order))
    return table.drop(columns="identity")


def _year(own: Iterable[Row], day: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a payment lies in the year up to an alert's last day."""
    last = max(row["date"] for row in own)
    first = dt.date.fromisoformat(last) - dt.timedelta(YEAR_DAYS)
    return day.between(str(first), last)


def _months(found: pd.DataFrame, own: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the pence and payments of each of the thirteen months up to an alert's last."""
    by = found.groupby(found["date"].str[:7])["amount_pence"].agg(["sum", "size"])
    last = max(row["date"] for row in own)[:7]
    months = [str(one) for one in pd.period_range(end=last, periods=13, freq="M")]
    every = by.reindex(months, fill_value=0)
    return [
        {"month": month, "pence": int(pence), "payments": int(size)}
        for month, pence, size in every.itertuples()
    ]


def _summed(found: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    """Return the pence, payments and first day of each merchant or holder, the most pence first.

    Merchants stand under the names by which they are compared.
    """
    if name == "merchant":
        found = found.assign(merchant=[canonical_name(one).name for one in found[name]])
    by = found.groupby(name).agg(
        pence=("amount_pence", "sum"), payments=("amount_pence", "size"), since=("date", "min")
    )
    by = by.reset_index().sort_values(["pence", name], ascending=[False, True])
    return [{str(k): v for k, v in row.items()} for row in by.head(MOST_LISTED).to_dict("records")]
