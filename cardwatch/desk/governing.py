"""The quarterly report and the impact assessment, which name no person."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch.casebook import FINANCE, Event, governing, people, retention, suppressions
from cardwatch.casebook import statements as kept
from cardwatch.casebook.counting import is_counting
from cardwatch.desk.recipe import read_model, read_recipe, recipe_of, shipped_sha256
from cardwatch.errors import CardwatchError
from cardwatch.features import purchase_rows, refund_rows
from cardwatch.merchants import canonical_name
from cardwatch.records import TRANSACTION_COLUMNS
from cardwatch.registers import cards_in_force
from cardwatch.reports import (
    Controls,
    Coverage,
    Document,
    Figures,
    Installation,
    OpenCards,
    Span,
    governance_document,
    impact_document,
    quarter_figures,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.casebook import Work
    from cardwatch.casebook.work import Row
    from cardwatch.desk.desk import Desk
    from cardwatch.records import CardRegister

QUARTER = re.compile(r"(20\d\d)-Q([1-4])")


def last_quarter(today: dt.date) -> str:
    """Return the calendar quarter that was over last, such as `2026-Q3`."""
    over = (today.month - 1) // 3
    return f"{today.year}-Q{over}" if over else f"{today.year - 1}-Q4"


def report_governance(desk: Desk, quarter: str, *, marking: str) -> Document:
    """Return the report on a quarter: figures and no names, from finance's lane alone.

    Args:
        desk: who makes it.
        quarter: such as `2026-Q3`.
        marking: protective marking.

    Raises:
        NotAllowed: the role sees no alerts.
        CardwatchError: that is no quarter, or it has not begun.
    """
    span = _span(quarter, desk.now.date())
    with desk.work(Event("combination", "report", quarter)):
        desk.sees_alerts()
    # Apart: a year takes seconds to read, and on SQLite whoever leaves an event lets others wait.
    with desk.casebook.quiet(desk.actor, desk.now, lanes=desk.actor.lanes, reads=True) as work:
        figures = _figures(work, span)
        organisation = people.organisation_name(work)
        made_on = work.today
    return governance_document(figures, marking=marking, organisation=organisation, made_on=made_on)


def assess_impact(desk: Desk, facts: Sequence[tuple[str, str]], *, marking: str) -> Document:
    """Return the template of a data protection impact assessment, with what is so here in it.

    Args:
        desk: who makes it; anybody may.
        facts: names, each with how the service is set.
        marking: protective marking.
    """
    with desk.work(Event("consultation", "impact assessment"), ()) as work:
        keeps, organisation = retention.keeps_days(work), people.organisation_name(work)
        made_on = work.today
    held = Installation(keeps, tuple(TRANSACTION_COLUMNS.values()), tuple(facts))
    return impact_document(held, marking=marking, organisation=organisation, made_on=made_on)


def _span(quarter: str, today: dt.date) -> Span:
    """The days of a quarter, up to today.

    Raises:
        CardwatchError: that is no quarter, or it has not begun.
    """
    parts = QUARTER.fullmatch(quarter)
    if parts is None:
        raise CardwatchError(
            f"'{quarter}' is not a quarter. Use the form 2026-Q3.", field="quarter"
        )
    year, month = int(parts[1]), 3 * int(parts[2]) - 2
    first = dt.date(year, month, 1)
    if first > today:
        raise CardwatchError(
            f"{quarter} has not begun. Choose an earlier quarter.", field="quarter"
        )
    last = (pd.Timestamp(first) + pd.DateOffset(months=3, days=-1)).date()
    return Span(quarter, str(first), str(min(last, today)), is_over=last < today)


def _span_before(span: Span, today: dt.date) -> Span:
    """The quarter before one."""
    return _span(last_quarter(dt.date.fromisoformat(span.first_on)), today)


def _figures(work: Work, span: Span) -> Figures:
    """Gather what the report is made of."""
    today = dt.date.fromisoformat(work.today)
    before = _span_before(span, today)
    year_first = pd.Timestamp(span.last_on) - pd.DateOffset(years=1) + pd.DateOffset(days=1)
    year_first_on = str(year_first.date())
    payments = governing.read_spending(work, min(year_first_on, before.first_on), span.last_on)
    names = {name: canonical_name(name).name for name in payments["merchant"].unique()}
    payments = payments.assign(merchant=payments["merchant"].map(names))
    counted = payments[purchase_rows(payments) | refund_rows(payments)]
    alerts = governing.read_alerts(work)
    held = [row for row in kept.list_statements(work) if is_counting(row)]
    held = [row for row in held if row["erased_at"] is None]
    quarter, earlier = (
        quarter_figures(one, payments, alerts, _coverage(held, one)) for one in (span, before)
    )
    return Figures(
        quarter=quarter,
        before=earlier if earlier.has_records else None,
        year=counted[counted["date"] >= year_first_on],
        year_first_on=year_first_on,
        year_uncovered_days=_coverage(held, replace(span, first_on=year_first_on)).uncovered_days,
        controls=_controls(work, span.last_on),
    )


def _controls(work: Work, day: str) -> Controls:
    """The active policy, rules, model, cards and suppressions on a day."""
    recipe = recipe_of(work, day)
    used = read_recipe(work, replace(recipe, model=""))
    model = "none, rules alone"
    if recipe.model:
        status = "refused" if read_model(work, recipe)[1] else "loaded"
        model = f"{recipe.model[:12]}, {status}"
    return Controls(
        on=day,
        policy=used.policy,
        policy_sha256=recipe.policy or shipped_sha256("policy"),
        rules=dict(sorted(Counter(r.kind for r in used.rules if r.lane == FINANCE).items())),
        model=model,
        cards=_open_cards(used.cards, day),
        suppressions=suppressions.count_active(work, FINANCE, day),
    )


def _open_cards(register: CardRegister | None, day: str) -> OpenCards | None:
    """Counts of the cards that a register says were open on a day; nothing without one."""
    if register is None:
        return None
    cards = cards_in_force(register, pd.Timestamp(day))
    has_limit = (cards[["single_limit_pence", "month_limit_pence"]] > 0).any(axis=1)
    return OpenCards(
        count=len(cards),
        holders=int(cards["key_holder"].nunique()),
        with_limit=int(has_limit.sum()),
        with_approver=int((cards["key_approver"] != "").sum()),
    )


def _coverage(statements: Sequence[Row], span: Span) -> Coverage:
    """How many days of a quarter no statement covers, and how many of their rows were not read."""
    first, last = (dt.date.fromisoformat(day) for day in (span.first_on, span.last_on))
    uncovered = {str(first + dt.timedelta(n)) for n in range((last - first).days + 1)}
    rows_not_read = 0
    for row in statements:
        if row["first_on"] <= span.last_on and row["last_on"] >= span.first_on:
            uncovered = {day for day in uncovered if not row["first_on"] <= day <= row["last_on"]}
            report: dict[str, Any] = json.loads(row["report"])
            rows_not_read += len(report.get("problems", ()))
    return Coverage(uncovered_days=len(uncovered), rows_not_read=rows_not_read)
