"""How an alert names whom and what it is about, for every form: one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardwatch.records import Alert


def holder_label(alert: Alert) -> str:
    """Return the cardholder of an alert, or how many they are."""
    return alert.holder_id


def merchant_label(alert: Alert) -> str:
    """Return the merchant of an alert, or how many they are; empty for one about cards."""
    return alert.merchant


def cost_centre_label(alert: Alert) -> str:
    """Return the cost centre of an alert, or how many they are."""
    return alert.cost_centre
