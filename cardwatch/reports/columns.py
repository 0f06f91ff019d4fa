"""Columns of every tabular format: alerts, payments, evidence and files.

CSV has the `HEADINGS`, in an order that stays; the workbook has `COLUMNS`, each with its width in
characters, which together fit the width of A4 landscape.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cardwatch.alerts import (
    card_label,
    cost_centres_label,
    entry_evidence,
    holders_label,
    merchants_label,
)
from cardwatch.alerts.wording import figure
from cardwatch.line_items import line_item_label
from cardwatch.reports.formatting import short_days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.records import Alert, ReadingReport

Cell = str | float | dt.date
Columns = tuple[tuple[str, float], ...]
"""Headings, each with its column's width in characters."""
ALERT_COLUMNS: Columns = (
    ("No.", 6), ("Tier", 7), ("Alert", 25), ("Days", 14), ("Cardholder", 17), ("Merchant", 22),
    ("At stake (£)", 13), ("Why the alert was raised", 34), ("Alert id", 16),
)  # fmt: skip
PAYMENT_COLUMNS: Columns = (
    ("Alert id", 16), ("No.", 6), ("Date", 13), ("Cardholder", 20), ("Merchant", 32),
    ("Amount (£)", 12), ("Reference", 20), ("File", 22), ("Row", 8),
)  # fmt: skip
EVIDENCE_COLUMNS: Columns = (
    ("Alert id", 15),
    ("No.", 5),
    ("What", 22),
    ("Name", 34),
    ("Value", 70),
)
READING_COLUMNS: Columns = (
    ("File", 24), ("Format", 16), ("Rows", 8), ("Payments or cards", 11), ("Not read", 8),
    ("Other rows", 18), ("Sum (£)", 14), ("Days", 14), ("Notes", 36),
)  # fmt: skip
ALERT_HEADINGS = (
    "Rank", "Tier", "Lane", "Kind", "Alert", "First day", "Last day", "Cardholder", "Merchant",
    "Cost centre", "At stake (£)", "Payments", "Main reason", "All reasons", "Weakened by",
    "Comparisons", "What raised the model's score",
    "History with the merchant", "Why it matters", "What to ask", "Possible explanations",
    "Shown", "Alert id", "Cards",
)  # fmt: skip
PAYMENT_HEADINGS = (
    "Alert id", "Rank", "Lane", "Reference", "File", "Row", "Date", "Cardholder", "Merchant",
    "Amount (£)",
)  # fmt: skip


def _raised_by(alert: Alert) -> list[tuple[str, str]]:
    """What raised the forest's score, with its unit; see `Forest.contributions`."""
    return [(name, f"{value:.1f} splits sooner") for name, value in alert.contributions.items()]


def alert_cells(alert: Alert) -> tuple[Cell, ...]:
    """Return one alert as cells, in the order of `ALERT_HEADINGS`."""
    lead = alert.reasons[0]
    return (
        alert.rank,
        alert.tier,
        alert.lane,
        alert.kind,
        alert.title,
        dt.date.fromisoformat(alert.first_on),
        dt.date.fromisoformat(alert.last_on),
        holders_label(alert),
        merchants_label(alert),
        cost_centres_label(alert),
        alert.at_stake_pence / 100,
        len(alert.payments),
        lead.fact,
        "\n".join(f"{reason.rule}: {reason.fact}" for reason in alert.reasons),
        "\n".join(f"{reason.rule}: {reason.fact}" for reason in alert.weakened_by),
        "\n".join(alert.unusual),
        "\n".join(f"{name}: {told}" for name, told in _raised_by(alert)),
        alert.merchant_history,
        lead.why,
        "\n".join(lead.ask),
        "\n".join(lead.innocent),
        "yes" if alert.shown else "no",
        alert.alert_id,
        "\n".join(map(card_label, alert.cards)),
    )


def payment_cells(alert: Alert) -> Iterator[tuple[Cell, ...]]:
    """Return each payment of an alert as cells, in the order of `PAYMENT_HEADINGS`."""
    for payment in alert.payments:
        yield (
            alert.alert_id,
            alert.rank,
            alert.lane,
            payment.reference,
            payment.file,
            payment.row,
            dt.date.fromisoformat(payment.date),
            payment.holder_id,
            payment.merchant,
            payment.amount_pence / 100,
        )


def short_alert_cells(alert: Alert) -> tuple[Cell, ...]:
    """Return one alert as cells, in the order of `ALERT_COLUMNS`."""
    return (
        alert.rank,
        alert.tier,
        alert.title,
        short_days(alert.first_on, alert.last_on),
        holders_label(alert),
        merchants_label(alert),
        alert.at_stake_pence / 100,
        alert.reasons[0].fact,
        alert.alert_id,
    )


def payment_sheet_cells(alert: Alert) -> Iterator[tuple[Cell, ...]]:
    """Return each payment of an alert as cells, in the order of `PAYMENT_COLUMNS`."""
    for payment in alert.payments:
        yield (
            alert.alert_id,
            alert.rank,
            dt.date.fromisoformat(payment.date),
            payment.holder_id,
            payment.merchant,
            payment.amount_pence / 100,
            payment.reference,
            payment.file,
            payment.row,
        )


def evidence_cells(alert: Alert) -> Iterator[tuple[Cell, ...]]:
    """Return what is known of an alert, a line a row, in the order of `EVIDENCE_COLUMNS`."""
    for evidence_kind, name, value in _evidence(alert):
        if value:
            yield alert.alert_id, alert.rank, evidence_kind, name, value


def _reasons(alert: Alert) -> Iterator[tuple[str, str, str]]:
    for reason in alert.reasons:
        yield "Reason", reason.rule, reason.fact
        for name, value in reason.figures.items():
            yield "Figure", name, value if isinstance(value, str) else figure(name, value)


def _line_items(alert: Alert) -> Iterator[tuple[str, str, str]]:
    for payment in alert.payments:
        name = payment.reference or f"{payment.file}, row {payment.row}"
        for item in payment.line_items:
            yield "Line item", name, line_item_label(item)


def _evidence(alert: Alert) -> Iterator[tuple[str, str, str]]:
    lead = alert.reasons[0]
    yield from _reasons(alert)
    for reason in alert.weakened_by:
        yield "Weakened by", reason.rule, reason.fact
    for comparison in alert.unusual:
        yield "Comparison", "", comparison
    for name, told in _raised_by(alert):
        yield "Raised the model's score", name, told
    yield "Raised later", "", " ".join(alert.later)
    for entry in alert.entries:
        facts = "; ".join(f"{heading}: {value}" for heading, value in entry.facts)
        yield "Register entry", entry.rule, f"{entry_evidence(entry)} {facts}"
    yield "History with the merchant", "", alert.merchant_history
    yield from _line_items(alert)
    for card in alert.cards:
        yield "Card", "", card_label(card)
    yield "Cost centre", "", cost_centres_label(alert)
    yield "Why it matters", "", lead.why
    for question in lead.ask:
        yield "What to ask", "", question
    for explanation in lead.innocent:
        yield "Possible explanation", "", explanation


def reading_cells(report: ReadingReport) -> tuple[Cell, ...]:
    """Return what happened to every row of one file, in the order of `READING_COLUMNS`."""
    other_counts = {
        "total": len(report.totals), "blank": report.blank, "heading": report.headings,
        "after the end": report.ended, "in an earlier file": report.elsewhere,
        "balance": report.balances, "not posted": report.not_booked,
        "further line": report.further_lines, "line of text": report.text_lines,
    }  # fmt: skip
    notes = [report.refused, *report.decisions, *report.notes, f"SHA-256 {report.sha256}"]
    return (
        report.file,
        ", ".join(filter(None, (report.form, report.layout))),
        report.rows,
        report.transactions + report.cards,
        len(report.problems),
        ", ".join(f"{count:,} {name}" for name, count in other_counts.items() if count) or "none",
        report.pence / 100,
        short_days(report.first_on, report.last_on) if report.first_on else "",
        "\n".join(note for note in notes if note),
    )
