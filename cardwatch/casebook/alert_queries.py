"""Queries of alerts with filters, order and pages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from cardwatch.alerts import merchants_label, scope_note
from cardwatch.casebook.alert_order import expected_precision
from cardwatch.casebook.alert_rows import AlertTitle, Answered, ListedAlert
from cardwatch.casebook.alert_search import has_subject, matches_text
from cardwatch.casebook.alerts import (
    add_subjects,
    alert_from,
    not_about,
    not_about_keys,
    shares_subject,
)
from cardwatch.casebook.own_keys import keys_of_readers
from cardwatch.casebook.tables import Pence, alert_snapshots, alert_subjects, alerts, decisions
from cardwatch.errors import CardwatchError
from cardwatch.vocabulary import ANSWERED, ASKED_ABOUT, RAISED_BY_HAND, UNANSWERED, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cardwatch.casebook.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class AlertFilter:
    """Which alerts somebody asks for, and in which order; empty is any.

    Attributes:
        same_holder_as, same_merchant_as: id of an alert with which they share a person, or a
            merchant.
        assigned_to: email of who is to see to it.
        tag: one of its tags.
        awake_on: day on which lists leave out what is snoozed.
        since, until: first and last day on which their last payment lies.
        due_by: last day by which they are due.
        at_least_pence: least that is at stake.
        unanswered: whether only those are asked for that are open, or asked and not answered yet.
        besides: statement whose alerts are left out.
        unit: code of a unit that bears the cost.
        people, merchants, units: ids of subjects as alerts keep them, of which they have one.
        text: words of a cardholder, merchant or unit, or the beginning of an alert's id.
        order: evidence, money (the most first) or age (the oldest first).
    """

    lane: str = ""
    state: str = ""
    statement_id: str = ""
    tier: str = ""
    kind: str = ""
    rule: str = ""
    same_holder_as: str = ""
    same_merchant_as: str = ""
    assigned_to: str = ""
    tag: str = ""
    awake_on: str = ""
    since: str = ""
    until: str = ""
    due_by: str = ""
    at_least_pence: int = 0
    unanswered: bool = False
    besides: str = ""
    unit: str = ""
    people: tuple[str, ...] = ()
    merchants: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    text: str = ""
    order: str = "evidence"

    def conditions(self, uow: UnitOfWork) -> list[sa.ColumnElement[bool]]:
        """The conditions that a row of alerts fulfils."""
        columns = alerts.c
        same = ("lane", "state", "statement_id", "tier", "kind", "rule", "assigned_to")
        clauses = [columns[name] == value for name in same if (value := getattr(self, name))]
        clauses += (
            [(" " + columns.tags + " ").contains(f" {self.tag} ", autoescape=True)]
            if self.tag
            else []
        )
        if self.same_holder_as:
            clauses.append(shares_subject(uow, self.same_holder_as, ASKED_ABOUT))
        if self.same_merchant_as:
            clauses.append(shares_subject(uow, self.same_merchant_as, (SubjectKind.MERCHANT,)))
        clauses += [columns.snoozed_until < self.awake_on] if self.awake_on else []
        clauses += [columns.last_on >= self.since] if self.since else []
        clauses += [columns.last_on <= self.until] if self.until else []
        clauses += [columns.state.in_(UNANSWERED)] if self.unanswered else []
        clauses += [columns.statement_id != self.besides] if self.besides else []
        clauses += [columns.due_on.between("1", self.due_by)] if self.due_by else []
        if self.unit:
            clauses.append(has_subject(uow, SubjectKind.COST_CENTRE, [self.unit]))
        if self.people:
            clauses.append(sa.or_(*(has_subject(uow, kind, self.people) for kind in ASKED_ABOUT)))
        if self.merchants:
            clauses.append(has_subject(uow, SubjectKind.MERCHANT, self.merchants))
        if self.units:
            clauses.append(has_subject(uow, SubjectKind.COST_CENTRE, self.units))
        clauses += [matches_text(uow, self.text)] if self.text.strip() else []
        return (
            [*clauses, columns.at_stake_pence >= self.at_least_pence]
            if self.at_least_pence
            else clauses
        )


def find_alerts(
    uow: UnitOfWork,
    alert_filter: AlertFilter,
    *,
    after: Sequence[float | str] = (),
    offset: int = 0,
    limit: int | None = None,
) -> list[ListedAlert]:
    """Return the alerts the actor may see, in the order asked for, each with its state.

    The order by evidence is that in which they were ranked, facts against the policy last; once a
    rule has had twenty answers in a band of evidence, its precision there comes before the evidence
    (docs/casebook.md).

    Args:
        alert_filter: which of them.
        after: the `place` of the alert after which they begin.
        offset: how many are left out before them.
        limit: the most that are given.

    Raises:
        CardwatchError: there is no such order, or no such place in it.
    """
    by, expected = _order(uow, alert_filter.order)
    question = (
        sa.select(alerts, expected.label("expected_precision"))
        .where(uow.scope(alerts), not_about(uow, alerts), *alert_filter.conditions(uow))
        .order_by(*by)
        .offset(offset)
        .limit(limit)
    )
    for index, part in enumerate(by):
        question = question.add_columns(part.label(f"by_{index}"))
    if after:
        texts = [part is by[-1] or part is alerts.c.last_on for part in by]
        if [type(value) is str for value in after] != texts:
            raise CardwatchError("Invalid cursor. Begin at the first page.", field="cursor")
        question = question.where(sa.tuple_(*by) > sa.tuple_(*(sa.literal(item) for item in after)))
    rows = [dict(row) for row in uow.fetch_all(question)]
    for row in rows:
        row["place"] = [row.pop(f"by_{index}") for index in range(len(by))]
    add_subjects(uow, rows)
    return cast("list[ListedAlert]", rows)


def _order(
    uow: UnitOfWork, order: str
) -> tuple[list[sa.ColumnElement[Any]], sa.ColumnElement[float]]:
    """The columns that an order sorts by, the last one unique, and the expected precision."""
    expected, columns = expected_precision(uow), alerts.c
    is_fact = sa.type_coerce(columns.is_fact, Pence)  # a place in the list has numbers and texts
    orders: dict[str, list[sa.ColumnElement[Any]]] = {
        "evidence": [is_fact, -expected, -columns.strength, columns.alert_id],
        "money": [-columns.at_stake_pence, columns.alert_id],
        "age": [columns.last_on, columns.alert_id],
    }
    if order not in orders:
        sentence = f"Choose an order: {', '.join(orders)}, not '{order}'."
        raise CardwatchError(sentence, field="order")
    return orders[order], expected


def adjacent_alerts(uow: UnitOfWork, alert_filter: AlertFilter, alert_id: str) -> tuple[str, str]:
    """The ids of the alerts before and after one in a list, each empty where there is none.

    The alert itself need not fit the filters: one that has just been decided keeps its place.

    Args:
        alert_filter: filters and order of the list.
        alert_id: whole id of the alert.

    Raises:
        CardwatchError: there is no such order.
    """
    by, _ = _order(uow, alert_filter.order)
    visible = sa.and_(uow.scope(alerts), not_about(uow, alerts))
    columns = [part.label(f"by_{number}") for number, part in enumerate(by)]
    place_row = uow.fetch_one(sa.select(*columns).where(visible, alerts.c.alert_id == alert_id))
    if place_row is None:
        return "", ""
    place = sa.tuple_(*(sa.literal(place_row[column.name]) for column in columns))
    listed = sa.select(alerts.c.alert_id).where(visible, *alert_filter.conditions(uow)).limit(1)
    before = listed.where(sa.tuple_(*by) < place).order_by(*(part.desc() for part in by))
    after = listed.where(sa.tuple_(*by) > place).order_by(*by)
    neighbours = (uow.fetch_one(before), uow.fetch_one(after))
    previous_id, next_id = (row["alert_id"] if row else "" for row in neighbours)
    return previous_id, next_id


def list_units(uow: UnitOfWork) -> list[str]:
    """The codes of the units of the alerts that the actor may see, in order."""
    units = alert_subjects.alias()
    same = (alerts.c.lane == units.c.lane) & (alerts.c.alert_id == units.c.alert_id)
    question = (
        sa.select(units.c.name)
        .join(alerts, uow.scope(alerts) & same)
        .where(uow.scope(units), units.c.kind == SubjectKind.COST_CENTRE, not_about(uow, alerts))
        .distinct()
    )
    return sorted(row["name"] for row in uow.fetch_all(question) if row["name"])


def count_alerts(uow: UnitOfWork, alert_filter: AlertFilter) -> tuple[int, int]:
    """The number of matching alerts that the actor may see, and the pence at stake."""
    question = sa.select(
        sa.func.count().label("alerts"),
        sa.func.coalesce(sa.func.sum(alerts.c.at_stake_pence), 0).label("pence"),
    ).where(uow.scope(alerts), not_about(uow, alerts), *alert_filter.conditions(uow))
    totals = uow.fetch_one(question)
    assert totals is not None
    return int(totals["alerts"]), int(totals["pence"])


def count_by_state(uow: UnitOfWork, alert_filter: AlertFilter) -> dict[str, int]:
    """The number of matching alerts that the actor may see, by state."""
    question = (
        sa.select(alerts.c.state, sa.func.count().label("alerts"))
        .where(uow.scope(alerts), not_about(uow, alerts), *alert_filter.conditions(uow))
        .group_by(alerts.c.state)
        .order_by(alerts.c.state)
    )
    return {row["state"]: int(row["alerts"]) for row in uow.fetch_all(question)}


def decided_days(uow: UnitOfWork, ids: Collection[str]) -> dict[str, str]:
    """The days of the last decisions on alerts, by their ids; none for those nobody decided."""
    question = (
        sa.select(decisions.c.alert_id, sa.func.max(decisions.c.decided_at).label("decided_at"))
        .where(uow.scope(decisions), decisions.c.alert_id.in_(ids))
        .group_by(decisions.c.alert_id)
    )
    return {row["alert_id"]: row["decided_at"][:10] for row in uow.fetch_all(question)}


def alert_titles(uow: UnitOfWork, ids: Collection[str]) -> dict[str, AlertTitle]:
    """Titles of alerts as they were raised, by their ids.

    Returns:
        The `title` and the leading `fact`; `scope`, what an alert about several cardholders is
        about in all; a label of the merchants as printed, and how many payments there are;
        `authority` is empty, since the policy says who it is.
    """
    same = [
        alert_snapshots.c[name] == alerts.c[name] for name in ("lane", "statement_id", "alert_id")
    ]
    question = (
        sa.select(alerts.c.alert_id, alert_snapshots.c.content)
        .join(alert_snapshots, sa.and_(uow.scope(alert_snapshots), *same))
        .where(uow.scope(alerts), not_about(uow, alerts), alerts.c.alert_id.in_(ids))
    )
    raised = [alert_from(json.loads(row["content"])) for row in uow.fetch_all(question)]
    return {
        alert.alert_id: {
            "title": alert.title,
            "fact": alert.reasons[0].fact,
            "scope": scope_note(alert),
            "payments_count": len(alert.payments),
            "merchant": merchants_label(alert),
            "authority": "",
        }
        for alert in raised
    }


def answers(
    uow: UnitOfWork, lane: str, *, by_month: bool = False, for_readers: bool = False
) -> list[Answered]:
    """The number of a lane's answered alerts by rule, band and state.

    Those about the actor are left out: a count tells what was decided of them.

    Args:
        lane: whose alerts.
        by_month: whether `band` is the month of an alert's last day in place of its evidence.
        for_readers: whether what is made of them is shown to all who see the lane, so that alerts
            about any of them are left out.
    """
    is_told = not_about(uow, alerts)
    if for_readers:
        is_told = not_about_keys(uow, alerts, keys_of_readers(uow, lane))
    band = sa.func.substr(alerts.c.last_on, 1, 7).label("band") if by_month else alerts.c.band
    of = (alerts.c.rule, band, alerts.c.state)
    question = (
        sa.select(*of, sa.func.count().label("count"))
        .where(uow.scope(alerts), is_told)
        .where(alerts.c.lane == lane, alerts.c.state.in_(ANSWERED))
        .where(alerts.c.rule != RAISED_BY_HAND)
        .group_by(*of)
    )
    return uow.fetch_all(question, Answered)
