"""What a row says: one row an alert, one row a payment, for every tabular form."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cardwatch.alerts import card_label, cost_centres_label, holders_label, merchants_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.records import Alert

Cell = str | float | dt.date
ALERT_HEADINGS = (
    "Rank", "Tier", "Lane", "Kind", "Alert", "First day", "Last day", "Holder", "Merchant",
    "Cost centre", "At stake (£)", "Payments", "What was found", "All reasons", "Weakened by",
    "Comparisons", "What raised the forest's score",
    "History with the merchant", "Why it matters", "What to ask", "It can be innocent",
    "Shown", "Alert id", "Cards",
)  # fmt: skip
PAYMENT_HEADINGS = (
    "Alert id", "Rank", "Lane", "Reference", "File", "Row", "Date", "Holder", "Merchant",
    "Amount (£)",
)  # fmt: skip


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
        "\n".join(f"{name}: +{value:.3f}" for name, value in alert.contributions.items()),
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
