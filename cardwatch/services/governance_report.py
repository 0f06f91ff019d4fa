"""The quarterly report and the impact assessment, which name no person."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import FINANCE, AuditEvent, people, report_queries, retention, suppressions
from cardwatch.casebook import statements as kept
from cardwatch.casebook.counting import is_counting
from cardwatch.casebook.registers import used_registers
from cardwatch.errors import CardwatchError
from cardwatch.features import purchase_rows, refund_rows
from cardwatch.merchants import canonical_name
from cardwatch.records import TRANSACTION_COLUMNS
from cardwatch.registers import cards_in_force, register_kinds, register_quality
from cardwatch.reports import (
    Controls,
    Coverage,
    Document,
    Figures,
    FinanceRegisters,
    Installation,
    OpenCards,
    Span,
    governance_document,
    impact_document,
    quarter_figures,
)
from cardwatch.rules import load_rules
from cardwatch.services.register_inputs import load_registers
from cardwatch.services.scoring_inputs import (
    active_inputs,
    load_inputs,
    read_model,
    report_of,
    shipped_sha256,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import Statement
    from cardwatch.records import AlertRecord, CardRegister
    from cardwatch.reports.quarter import Quarter
    from cardwatch.services.context import ServiceContext

FINANCIAL_YEAR = re.compile(r"(20\d\d)/(\d\d)")
QUARTER = re.compile(r"(20\d\d)-Q([1-4])")


def last_quarter(today: dt.date) -> str:
    """Return the calendar quarter that was over last, such as `2026-Q3`."""
    over = (today.month - 1) // 3
    return f"{today.year}-Q{over}" if over else f"{today.year - 1}-Q4"


def report_governance(context: ServiceContext, quarter: str, *, marking: str) -> Document:
    """Return the report on a quarter: figures and no names, from finance's lane alone.

    Args:
        quarter: such as `2026-Q3`.
        marking: protective marking.

    Raises:
        NotAllowed: the role sees no alerts.
        CardwatchError: that is no quarter, or it has not begun.
    """
    span = quarter_span(quarter, context.now.date())
    with context.work(AuditEvent("combination", "report", quarter)):
        context.require_alert_access()
    # Apart: a year takes seconds to read, and on SQLite whoever leaves an event lets others wait.
    with context.snapshot() as uow:
        figures = _figures(uow, span)
        organisation = people.organisation_name(uow)
        made_on = uow.today
    return governance_document(figures, marking=marking, organisation=organisation, made_on=made_on)


def assess_impact(
    context: ServiceContext, facts: Sequence[tuple[str, str]], *, marking: str
) -> Document:
    """Return the template of a data protection impact assessment, with what is so here in it.

    Args:
        context: who makes it; anybody may.
        facts: names, each with how the service is set.
        marking: protective marking.
    """
    with context.work(AuditEvent("consultation", "impact assessment"), ()) as uow:
        keeps, organisation = retention.keeps_days(uow), people.organisation_name(uow)
        made_on = uow.today
    installation = Installation(keeps, tuple(TRANSACTION_COLUMNS.values()), tuple(facts))
    return impact_document(
        installation, marking=marking, organisation=organisation, made_on=made_on
    )


def read_quarter(uow: UnitOfWork, name: str) -> Quarter:
    """Return the figures of one quarter, such as `2026-Q3`.

    Raises:
        CardwatchError: that is no quarter, or it has not begun.
    """
    span = quarter_span(name, dt.date.fromisoformat(uow.today))
    payments = report_queries.read_spending(uow, span.first_on, span.last_on)
    alerts = report_queries.read_alerts(uow)
    return quarter_figures(span, payments, alerts, read_coverage(uow, span))


def read_coverage(uow: UnitOfWork, span: Span) -> Coverage:
    """How far the statements that count cover some days."""
    statements = [row for row in kept.list_statements(uow) if is_counting(row)]
    return _coverage([row for row in statements if row["erased_at"] is None], span)


def quarter_span(quarter: str, today: dt.date) -> Span:
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


def period_span(period: str, today: dt.date) -> Span:
    """The days of a quarter, such as `2026-Q3`, or financial year, such as `2025/26`, that is over.

    Raises:
        CardwatchError: it is neither, or not over.
    """
    parts = FINANCIAL_YEAR.fullmatch(period)
    if parts and int(parts[2]) == (int(parts[1]) + 1) % 100:
        first, last = dt.date(int(parts[1]), 4, 1), dt.date(int(parts[1]) + 1, 3, 31)
        span = Span(period, str(first), str(last), is_over=last < today)
    elif QUARTER.fullmatch(period):
        span = quarter_span(period, today)
    else:
        sentence = f"'{period}' is not a period. Use the form 2026-Q3 or 2025/26."
        raise CardwatchError(sentence, field="period")
    if not span.is_over:
        raise CardwatchError(f"{period} is not over. Choose an earlier one.", field="period")
    return span


def _span_before(span: Span, today: dt.date) -> Span:
    """The quarter before one."""
    return quarter_span(last_quarter(dt.date.fromisoformat(span.first_on)), today)


def _figures(uow: UnitOfWork, span: Span) -> Figures:
    """Gather what the report is made of."""
    today = dt.date.fromisoformat(uow.today)
    before = _span_before(span, today)
    year_first = pd.Timestamp(span.last_on) - pd.DateOffset(years=1) + pd.DateOffset(days=1)
    year_first_on = str(year_first.date())
    payments = report_queries.read_spending(uow, min(year_first_on, before.first_on), span.last_on)
    names = {name: canonical_name(name).name for name in payments["merchant"].unique()}
    payments = payments.assign(merchant=payments["merchant"].map(names))
    counted = payments[purchase_rows(payments) | refund_rows(payments)]
    alerts = report_queries.read_alerts(uow)
    held_statements = [row for row in kept.list_statements(uow) if is_counting(row)]
    held_statements = [row for row in held_statements if row["erased_at"] is None]
    quarter, earlier = (
        quarter_figures(period, payments, alerts, _coverage(held_statements, period))
        for period in (span, before)
    )
    return Figures(
        quarter=quarter,
        before=earlier if earlier.has_records else None,
        year=counted[counted["date"] >= year_first_on],
        year_first_on=year_first_on,
        year_uncovered_days=_coverage(
            held_statements, replace(span, first_on=year_first_on)
        ).uncovered_days,
        controls=_controls(uow, span, alerts),
    )


def _controls(uow: UnitOfWork, span: Span, alerts: Sequence[AlertRecord]) -> Controls:
    """The active policy, rules, model, cards and suppressions on a quarter's last day."""
    day = span.last_on
    recipe = active_inputs(uow, day)
    loaded = load_inputs(uow, replace(recipe, model=""))
    model = "none, rules alone"
    if recipe.model:
        status = "refused" if read_model(uow, recipe)[1] else "loaded"
        model = f"{recipe.model[:12]}, {status}"
    return Controls(
        on=day,
        policy=loaded.policy,
        policy_sha256=recipe.policy or shipped_sha256("policy"),
        rules=dict(sorted(Counter(r.kind for r in loaded.rules if r.lane == FINANCE).items())),
        model=model,
        cards=open_cards(loaded.cards, day) if loaded.cards else None,
        suppressions=suppressions.count_active(uow, FINANCE, day),
        registers=_registers(uow, span, alerts),
    )


def _registers(uow: UnitOfWork, span: Span, alerts: Sequence[AlertRecord]) -> FinanceRegisters:
    """Finance's own registers: those of professional standards are in no report but theirs."""
    registers = load_registers(uow, used_registers(uow, FINANCE))
    kinds = [kind for kind in register_kinds().values() if kind.lane == FINANCE]
    by_register = {rule.id for rule in load_rules() if rule.registers and rule.lane == FINANCE}
    uploaded_kinds = {register.kind for register in registers}
    return FinanceRegisters(
        figures=tuple(
            register_quality(register, pd.Timestamp(uow.today)) for register in registers
        ),
        missing=tuple(kind.title for kind in kinds if kind.kind not in uploaded_kinds),
        alerts=sum(
            alert.rule in by_register and span.first_on <= alert.last_on <= span.last_on
            for alert in alerts
        ),
    )


def open_cards(register: CardRegister, day: str) -> OpenCards:
    """Counts of the cards that a register says were open on a day."""
    cards = cards_in_force(register, pd.Timestamp(day))
    has_limit = (cards[["single_limit_pence", "month_limit_pence"]] > 0).any(axis=1)
    return OpenCards(
        count=len(cards),
        holders=int(cards["key_holder"].nunique()),
        with_limit=int(has_limit.sum()),
        with_approver=int((cards["key_approver"] != "").sum()),
    )


def _coverage(statements: Sequence[Statement], span: Span) -> Coverage:
    """How many days of a quarter no statement covers, and how many of their rows were not read."""
    first, last = (dt.date.fromisoformat(day) for day in (span.first_on, span.last_on))
    uncovered = {str(first + dt.timedelta(n)) for n in range((last - first).days + 1)}
    rows_not_read = 0
    for row in statements:
        if row["first_on"] <= span.last_on and row["last_on"] >= span.first_on:
            uncovered = {day for day in uncovered if not row["first_on"] <= day <= row["last_on"]}
            report = report_of(row["report"])
            rows_not_read += len(report.problems) if report else 0
    return Coverage(uncovered_days=len(uncovered), rows_not_read=rows_not_read)
