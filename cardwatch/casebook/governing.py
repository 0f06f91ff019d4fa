"""Queries for the quarterly report: payments that count, and finance's alerts.

Nothing here reads professional standards' lane, whoever asks, and no person is named.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.alerts import not_about
from cardwatch.casebook.counting import counting_payments, each_once
from cardwatch.casebook.tables import FINANCE, HOLDER_KEYS, alerts, decisions, transactions
from cardwatch.casebook.work import SYSTEM
from cardwatch.records import AlertRecord, StateChange
from cardwatch.statements import HOLDER_FIELDS, holder_ids

if TYPE_CHECKING:
    import pandas as pd

    from cardwatch.casebook.work import Work

SPENDING = ("date", "merchant", "amount_pence", "kind", "mcc", "card_token")


def read_spending(work: Work, first_on: str, last_on: str) -> pd.DataFrame:
    """The payments of some days that count, each once, with columns `SPENDING` and `holder_id`."""
    names = ("identity", "statement_id", *SPENDING, *HOLDER_KEYS)
    question = counting_payments(work, [transactions.c[name] for name in names])
    table = each_once(work, question.where(transactions.c.date.between(first_on, last_on)))
    keys = table[list(HOLDER_KEYS)].notna().groupby(table["statement_id"]).any().all()
    common = [name for name in HOLDER_FIELDS if keys[f"key_{name}"]]
    return table[list(SPENDING)].assign(holder_id=holder_ids(table, common))


def read_alerts(work: Work) -> list[AlertRecord]:
    """Finance's alerts that the actor may see, with the history of the state of each."""
    names = ("alert_id", "kind", "rule", "last_on", "raised_at", "state",
             "is_second_look")  # fmt: skip
    question = (
        sa.select(*(alerts.c[name] for name in names))
        .where(work.mine(alerts), not_about(work, alerts), alerts.c.lane == FINANCE)
        .order_by(alerts.c.alert_id)
    )
    changes = _state_changes(work)
    return [
        AlertRecord(
            kind=row["kind"],
            rule=row["rule"],
            last_on=row["last_on"],
            raised_on=row["raised_at"][:10],
            state=row["state"],
            is_second_look=bool(row["is_second_look"]),
            changes=tuple(changes[row["alert_id"]]),
        )
        for row in work.rows(question)
    ]


def _state_changes(work: Work) -> defaultdict[str, list[StateChange]]:
    """The changes of state of finance's alerts, by alert; notes and assignments are none."""
    mine = decisions.c
    question = (
        sa.select(mine.alert_id, mine.state, mine.decided_by, mine.decided_at)
        .where(work.mine(decisions), mine.lane == FINANCE)
        .order_by(mine.alert_id, mine.version)
    )
    changes: defaultdict[str, list[StateChange]] = defaultdict(list)
    for row in work.rows(question):
        earlier = changes[row["alert_id"]]
        if row["state"] != (earlier[-1].state if earlier else "open"):
            by_person = row["decided_by"] != SYSTEM
            earlier.append(StateChange(row["decided_at"][:10], row["state"], by_person))
    return changes
