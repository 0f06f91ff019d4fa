"""Joins what rules found with how unusual it is, groups it, ranks it and says why."""

from cardwatch.alerts.ranking import Scored, alert_order, alert_strength, rank_alerts
from cardwatch.alerts.words import compared, expected_words, one_in, pounds

__all__ = [
    "Scored",
    "alert_order",
    "alert_strength",
    "compared",
    "expected_words",
    "one_in",
    "pounds",
    "rank_alerts",
]
