"""Exports an organisation's payments and alerts as facts without names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import FINANCE, report_queries
from cardwatch.casebook.alert_queries import AlertFilter, decided_days, find_alerts
from cardwatch.casebook.tables import OVERSEES
from cardwatch.errors import NothingToScore
from cardwatch.merchants import canonical_name
from cardwatch.partitions import FileStore
from cardwatch.registers import person_key
from cardwatch.reports.facts import (
    FACT_ALERT_COLUMNS,
    FACT_PAYMENT_COLUMNS,
    facts_files,
    make_facts,
)
from cardwatch.services.exports import whole_export

if TYPE_CHECKING:
    from cardwatch.casebook import UnitOfWork
    from cardwatch.services.context import ServiceContext

FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
IDS_AT_ONCE = 10_000
"""SQLite takes 32,766 values in one question."""


@dataclass(frozen=True)
class FactsExport:
    """Result of an export: numbers of payments, alerts and files."""

    payments: int
    alerts: int
    files: int


def export_facts(
    context: ServiceContext, root: str, *, purpose: str, recipient: str
) -> FactsExport:
    """Write all payments that count and finance's alerts as a star of facts without names.

    Args:
        context: who exports: finance or an auditor, each without the alerts about themselves.
        root: folder or address for the files.
        purpose: one of `PURPOSES`.
        recipient: to whom the files are given.

    Raises:
        NotAllowed: the role is another.
        NothingToScore: the casebook has no payment that counts.
        CardwatchError: there is no such purpose or no recipient, or a file cannot be written.
    """
    with whole_export(context, "facts", purpose=purpose, recipient=recipient) as uow:
        context.allow((FINANCE, *OVERSEES), "export facts")
        payments, alerts = _payments(uow), _alerts(uow)
        if payments.empty:
            raise NothingToScore("The casebook has no payments to export.")
        uow.event.counts = {"payments": len(payments), "alerts": len(alerts)}
    store, count = FileStore(root), 0
    for name, content in facts_files(make_facts(payments, alerts)):
        store.write(name, content)
        count += 1
    return FactsExport(len(payments), len(alerts), count)


def _payments(uow: UnitOfWork) -> pd.DataFrame:
    """Return all payments that count, people and merchants by keys of the organisation's own."""
    more = ("category", "unit", "cost_centre")
    rows = report_queries.read_spending(uow, FIRST_DAY, LAST_DAY, more)
    holders = {name: uow.keyed("facts", "cardholder", person_key(name))
               for name in rows["holder_id"].unique()}  # fmt: skip
    merchants = {name: uow.keyed("facts", "merchant", canonical_name(name).name)
                 for name in rows["merchant"].fillna("").unique()}  # fmt: skip
    return rows.assign(
        cardholder_key=rows["holder_id"].map(holders),
        merchant_key=rows["merchant"].fillna("").map(merchants),
    )[list(FACT_PAYMENT_COLUMNS)]


def _alerts(uow: UnitOfWork) -> pd.DataFrame:
    """Return finance's alerts that the actor may see."""
    found = find_alerts(uow, AlertFilter(lane=FINANCE))
    ids = [alert["alert_id"] for alert in found]
    decided: dict[str, str] = {}
    for first in range(0, len(ids), IDS_AT_ONCE):
        decided |= decided_days(uow, ids[first : first + IDS_AT_ONCE])
    rows = [
        {
            **alert,
            "raised_on": alert["raised_at"][:10],
            "decided_on": decided.get(alert["alert_id"], ""),
        }
        for alert in found
    ]
    return pd.DataFrame(rows, columns=list(FACT_ALERT_COLUMNS))
