"""What a report on a time is made of: what was paid, and what became of finance's questions.

Nothing here reads professional standards' lane, and no person is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from cardwatch.casebook.alerts import not_about
from cardwatch.casebook.statements import same_statement
from cardwatch.casebook.tables import (
    ANSWERED,
    FINANCE,
    HOLDER_KEYS,
    UNANSWERED,
    alerts,
    decisions,
    statements,
    transactions,
)
from cardwatch.casebook.work import SYSTEM

if TYPE_CHECKING:
    from cardwatch.casebook.work import Row, Work

DECIDED = (*ANSWERED, "data-error")
SPENDING = ("date", "merchant", "amount_pence", "mcc", "card_token", "holder_id")


def read_spending(work: Work, since: str, until: str) -> pd.DataFrame:
    """Return the payments of some days that count, each once, with columns `SPENDING`."""
    holder = sa.func.coalesce(*(transactions.c[key] for key in HOLDER_KEYS), "")
    columns = [holder if n == "holder_id" else transactions.c[n] for n in SPENDING]
    question = (
        sa.select(transactions.c.identity, *columns)
        .join(statements, same_statement(work))
        .where(work.mine(transactions), statements.c.superseded_seq.is_(None))
        .where(transactions.c.is_kept_for_psd == 0, transactions.c.date.between(since, until))
        .order_by(statements.c.seq, transactions.c.row)
    )
    found = pd.DataFrame(
        work.connection.execute(question).fetchall(), columns=["identity", *SPENDING]
    )
    return found.drop_duplicates("identity", ignore_index=True).drop(columns="identity")


def count_alerts(work: Work, since: str, until: str) -> list[Row]:
    """Return finance's alerts whose last day lies in some days, counted by kind and state."""
    mine = alerts.c
    sums = (sa.func.count().label("count"), sa.func.sum(mine.at_stake_pence).label("pence"))
    question = (
        sa.select(mine.kind, mine.state, *sums)
        .where(*_of_days(work, since, until))
        .group_by(mine.kind, mine.state)
        .order_by(mine.kind, mine.state)
    )
    return work.rows(question)


def answer_days(work: Work, since: str, until: str) -> list[Row]:
    """Return when each of finance's alerts of some days was raised, and first answered by somebody.

    Returns:
        `raised_at` and `answered_at`, which is missing where nobody has answered.
    """
    mine = alerts.c
    same = work.mine(decisions) & (decisions.c.lane == mine.lane)
    same &= decisions.c.alert_id == mine.alert_id
    same &= decisions.c.state.in_(DECIDED) & (decisions.c.decided_by != SYSTEM)
    question = (
        sa.select(mine.raised_at, sa.func.min(decisions.c.decided_at).label("answered_at"))
        .outerjoin(decisions, same)
        .where(*_of_days(work, since, until), mine.state.in_((*UNANSWERED, *DECIDED)))
        .group_by(mine.alert_id, mine.raised_at)
    )
    return work.rows(question)


def second_looks(work: Work, since: str, until: str) -> list[Row]:
    """Return finance's alerts of some days that were opened again by chance, counted by state."""
    question = (
        sa.select(alerts.c.state, sa.func.count().label("count"))
        .where(*_of_days(work, since, until), alerts.c.is_second_look == 1)
        .group_by(alerts.c.state)
    )
    return work.rows(question)


def _of_days(work: Work, since: str, until: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of finance's alerts of some days that the actor may see."""
    within = alerts.c.last_on.between(since, until)
    return work.mine(alerts), not_about(work, alerts), alerts.c.lane == FINANCE, within
