"""Lists of alerts that registers raise after their statement was scored, beside its first list."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.counting import is_counting
from cardwatch.casebook.rows import LaterList
from cardwatch.casebook.statements import list_statements
from cardwatch.casebook.tables import (
    alert_lists,
    alert_snapshots,
    alert_transactions,
    alerts,
    register_versions,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cardwatch.casebook.rows import Statement
    from cardwatch.casebook.unit_of_work import UnitOfWork
    from cardwatch.records import Alert

Places = frozenset[tuple[str, int]]
"""Statements and rows of some payments."""


def statements_to_check(uow: UnitOfWork, since: str) -> list[Statement]:
    """Return the statements that count, were scored and end on a day or after it, the newest last.

    Args:
        since: that day.
    """
    return [
        row
        for row in list_statements(uow)
        if is_counting(row)
        and row["is_scored"]
        and not row["erased_at"]
        and row["last_on"] >= since
    ]


def new_alerts(
    uow: UnitOfWork,
    lane: str,
    raised: Sequence[Alert],
    places: Mapping[tuple[str, int], tuple[str, int]],
    rules: Collection[str],
) -> list[Alert]:
    """Return the alerts that ask about what no alert of the lane asks yet.

    One asks nothing new where each rule by which it is raised is a reason of an alert about the
    same payments. An alert of a statement that was corrected since asks no more.

    Args:
        lane: of the alerts.
        raised: the alerts.
        places: file and row of each payment to its statement's id and row.
        rules: ids of the rules that raise alerts; others only add to them.
    """
    about = {
        alert.alert_id: frozenset(places[payment.file, payment.row] for payment in alert.payments)
        for alert in raised
    }
    earlier = _earlier_alerts(uow, lane, {name for rows in about.values() for name, _ in rows})
    ids = {alert_id for alert_id, _, _ in earlier}

    def is_new(alert: Alert) -> bool:
        unasked = {reason.rule for reason in alert.reasons} & set(rules)
        for _, reasons, payments in earlier:
            if about[alert.alert_id] <= payments:
                unasked -= reasons
        return bool(unasked) and alert.alert_id not in ids

    return [alert for alert in raised if is_new(alert)]


def _earlier_alerts(
    uow: UnitOfWork, lane: str, statement_ids: Collection[str]
) -> list[tuple[str, frozenset[str], Places]]:
    """Return the alerts of a lane with payments of some statements: id, rules, and payments."""
    evidence, columns = alert_transactions.c, alerts.c
    same = (evidence.lane == columns.lane) & (evidence.alert_id == columns.alert_id)
    is_asked = (columns.lane == lane) & columns.source_corrected_by.is_(None)
    payments: dict[str, set[tuple[str, int]]] = defaultdict(set)
    question = (
        sa.select(evidence.alert_id, evidence.statement_id, evidence.row)
        .join(alerts, uow.scope(alerts) & same & is_asked)
        .where(uow.scope(alert_transactions), evidence.statement_id.in_(statement_ids))
    )
    for row in uow.fetch_all(question):
        payments[row["alert_id"]].add((row["statement_id"], row["row"]))
    raised = alert_snapshots.c
    same = (raised.lane == columns.lane) & (raised.alert_id == columns.alert_id)
    contents = uow.fetch_all(
        sa.select(raised.alert_id, raised.content)
        .join(
            alerts,
            uow.scope(alerts) & same & is_asked & (raised.statement_id == columns.statement_id),
        )
        .where(uow.scope(alert_snapshots), raised.alert_id.in_(payments))
    )
    return [
        (
            row["alert_id"],
            frozenset(reason["rule"] for reason in json.loads(row["content"])["reasons"]),
            frozenset(payments[row["alert_id"]]),
        )
        for row in contents
    ]


def later_lists(uow: UnitOfWork, statement_id: str) -> list[LaterList]:
    """Return the lists of a statement that were made after registers came, without their alerts."""
    columns = alert_lists.c
    names = ("lane", "seq", "registers", "known_by", "made_with")
    question = sa.select(*(columns[name] for name in names)).where(
        uow.scope(alert_lists), columns.statement_id == statement_id, columns.seq > 0
    )
    return uow.fetch_all(question.order_by(columns.lane, columns.seq), LaterList)


def received_on(uow: UnitOfWork) -> dict[str, str]:
    """Return the day on which each file of a register was first received, by its hash."""
    columns = register_versions.c
    question = sa.select(columns.sha256, sa.func.min(columns.received_at).label("at"))
    rows = uow.fetch_all(question.where(uow.scope(register_versions)).group_by(columns.sha256))
    return {row["sha256"]: row["at"][:10] for row in rows}
