"""Grouping, ranking and wording of alerts."""

from cardwatch.alerts.ranking import Scored, alert_order, alert_strength, rank_alerts
from cardwatch.alerts.words import (
    card_label,
    compared,
    cost_centres_label,
    expected_words,
    holders_label,
    merchants_label,
    one_in,
    people_label,
    pounds,
)

__all__ = [
    "Scored",
    "alert_order",
    "alert_strength",
    "card_label",
    "compared",
    "cost_centres_label",
    "expected_words",
    "holders_label",
    "merchants_label",
    "one_in",
    "people_label",
    "pounds",
    "rank_alerts",
]
