"""The order of alerts: by evidence, or first by how often people upheld such alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Double

from cardwatch.casebook.alert_rows import AnsweredAlert
from cardwatch.casebook.alerts import not_about
from cardwatch.casebook.documents import active_sha256, read_document
from cardwatch.casebook.precision import PRIOR_SHARE, unpack_order
from cardwatch.casebook.tables import ORDER_KINDS, alerts, decisions
from cardwatch.vocabulary import ANSWERED, RAISED_BY_HAND

if TYPE_CHECKING:
    from cardwatch.casebook.unit_of_work import UnitOfWork


def expected_precision(uow: UnitOfWork) -> sa.ColumnElement[float]:
    """How often alerts like each are upheld by the active order, else as assumed for any."""
    rate_cases: list[tuple[sa.ColumnElement[bool], sa.ColumnElement[float]]] = [
        (
            (alerts.c.lane == lane) & (alerts.c.rule == rule) & (alerts.c.band == band),
            sa.literal(rate, Double()),
        )
        for lane in uow.lanes
        for (rule, band), rate in order_in_force(uow, lane).items()
    ]
    prior: sa.ColumnElement[float] = sa.literal(PRIOR_SHARE, Double())
    return sa.case(*rate_cases, else_=prior) if rate_cases else prior


def order_in_force(uow: UnitOfWork, lane: str) -> dict[tuple[str, str], float]:
    """Return the rates by which a lane's alerts are ordered, by rule and band; none by evidence."""
    sha256 = active_sha256(uow, ORDER_KINDS[lane], uow.now[:10])
    return unpack_order(read_document(uow, sha256)) if sha256 else {}


def answered_alerts(uow: UnitOfWork, lane: str) -> list[AnsweredAlert]:
    """Return a lane's answered alerts, without those about the actor."""
    last = (
        sa.select(sa.func.max(decisions.c.decided_at))
        .where(
            uow.scope(decisions),
            decisions.c.lane == alerts.c.lane,
            decisions.c.alert_id == alerts.c.alert_id,
        )
        .scalar_subquery()
    )
    columns = [alerts.c[name] for name in ("alert_id", "rule", "band", "strength", "state")]
    question = (
        sa.select(*columns, sa.func.coalesce(last, alerts.c.raised_at).label("decided_at"))
        .where(uow.scope(alerts), not_about(uow, alerts))
        .where(alerts.c.lane == lane, alerts.c.state.in_(ANSWERED))
        .where(alerts.c.rule != RAISED_BY_HAND)
    )
    return uow.fetch_all(question, AnsweredAlert)
