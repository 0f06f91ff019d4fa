"""Queries for the quarterly reports: payments that count, and alerts.

Nothing but `count_by_rule` reads professional standards' lane, whoever asks; no person is named.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.alerts import not_about
from cardwatch.casebook.counting import counting_payments, each_once
from cardwatch.casebook.rows import HolderAlert
from cardwatch.casebook.tables import (
    FINANCE,
    HOLDER_KEYS,
    alert_subjects,
    alerts,
    decisions,
    transactions,
)
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.records import AlertRecord, StateChange
from cardwatch.statements import HOLDER_FIELDS, holder_ids
from cardwatch.vocabulary import AUTOMATIC, RAISED_BY_HAND, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cardwatch.casebook.unit_of_work import UnitOfWork

SPENDING = ("date", "merchant", "amount_pence", "kind", "mcc", "card_token")


def read_spending(
    uow: UnitOfWork, first_on: str, last_on: str, more: Sequence[str] = ()
) -> pd.DataFrame:
    """The payments of some days that count, each once, with columns `SPENDING` and `holder_id`.

    Args:
        first_on: first day.
        last_on: last day.
        more: further columns of a transaction.
    """
    names = dict.fromkeys(("identity", "statement_id", *SPENDING, *HOLDER_KEYS, *more))
    question = counting_payments(uow, [transactions.c[name] for name in names])
    table = each_once(uow, question.where(transactions.c.date.between(first_on, last_on)))
    keys = table[list(HOLDER_KEYS)].notna().groupby(table["statement_id"]).any().all()
    common = [name for name in HOLDER_FIELDS if keys[f"key_{name}"]]
    return table[[*SPENDING, *more]].assign(holder_id=holder_ids(table, common))


def read_holder_alerts(uow: UnitOfWork, first_on: str, last_on: str) -> list[HolderAlert]:
    """Finance's alerts of some days that people were asked to look at, a row a cardholder.

    Those that were closed automatically are left out: nobody asks anything because of them.
    """
    subjects = alert_subjects.alias()  # `not_about` looks among the same
    same = (subjects.c.lane == alerts.c.lane) & (subjects.c.alert_id == alerts.c.alert_id)
    is_query = sa.exists().where(
        uow.scope(decisions),
        decisions.c.lane == alerts.c.lane,
        decisions.c.alert_id == alerts.c.alert_id,
        decisions.c.state == "asked",
    )
    question = (
        sa.select(alerts.c.alert_id, alerts.c.state, subjects.c.subject_id,
                  is_query.label("is_queried"))
        .join(subjects, uow.scope(subjects) & same)
        .where(uow.scope(alerts), not_about(uow, alerts), alerts.c.lane == FINANCE)
        .where(alerts.c.rule != RAISED_BY_HAND)
        .where(alerts.c.last_on.between(first_on, last_on), alerts.c.state.not_in(AUTOMATIC))
        .where(subjects.c.kind == SubjectKind.HOLDER)
        .order_by(alerts.c.alert_id, subjects.c.subject_id)
    )  # fmt: skip
    return uow.fetch_all(question, HolderAlert)


def count_by_rule(uow: UnitOfWork, first_on: str, last_on: str) -> dict[str, int]:
    """Return how many alerts of the work's lanes have their last payment in some days, by rule."""
    question = (
        sa.select(alerts.c.rule, sa.func.count().label("count"))
        .where(uow.scope(alerts), not_about(uow, alerts))
        .where(alerts.c.last_on.between(first_on, last_on))
        .group_by(alerts.c.rule)
    )
    return {row["rule"]: row["count"] for row in uow.fetch_all(question)}


def read_alerts(uow: UnitOfWork) -> list[AlertRecord]:
    """Finance's alerts that the actor may see, with the history of the state of each."""
    names = ("alert_id", "kind", "rule", "last_on", "raised_at", "state",
             "is_second_look")  # fmt: skip
    question = (
        sa.select(*(alerts.c[name] for name in names))
        .where(uow.scope(alerts), not_about(uow, alerts), alerts.c.lane == FINANCE)
        .where(alerts.c.rule != RAISED_BY_HAND)
        .order_by(alerts.c.alert_id)
    )
    changes, recovered = _changes(uow)
    return [
        AlertRecord(
            kind=row["kind"],
            rule=row["rule"],
            last_on=row["last_on"],
            raised_on=row["raised_at"][:10],
            state=row["state"],
            is_second_look=row["is_second_look"],
            changes=tuple(changes[row["alert_id"]]),
            recovered=tuple(recovered[row["alert_id"]]),
        )
        for row in uow.fetch_all(question)
    ]


def _changes(
    uow: UnitOfWork,
) -> tuple[defaultdict[str, list[StateChange]], defaultdict[str, list[tuple[str, int]]]]:
    """The changes of state of finance's alerts and of the money recovered, by alert."""
    columns = decisions.c
    question = (
        sa.select(columns.alert_id, columns.state, columns.recovered_pence, columns.decided_by,
                  columns.decided_at)
        .where(uow.scope(decisions), columns.lane == FINANCE)
        .order_by(columns.alert_id, columns.version)
    )  # fmt: skip
    changes: defaultdict[str, list[StateChange]] = defaultdict(list)
    recovered: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in uow.fetch_all(question):
        day, earlier, sums = (
            row["decided_at"][:10],
            changes[row["alert_id"]],
            recovered[row["alert_id"]],
        )
        if row["state"] != (earlier[-1].state if earlier else "open"):
            earlier.append(StateChange(day, row["state"], row["decided_by"] != SYSTEM))
        if more := row["recovered_pence"] - sum(pence for _, pence in sums):
            sums.append((day, more))
    return changes, recovered
