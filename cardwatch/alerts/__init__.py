"""Grouping, ranking and wording of alerts."""

from cardwatch.alerts.entries import entry_shown
from cardwatch.alerts.later import as_raised_later
from cardwatch.alerts.lists import (
    BY_CHANCE,
    chance_notes,
    count_notes,
    with_later,
    without_alerts,
)
from cardwatch.alerts.ranking import ScoringContext, alert_order, alert_strength, rank_alerts
from cardwatch.alerts.reasons import joined_facts
from cardwatch.alerts.wording import (
    alert_content,
    card_label,
    compared,
    cost_centres_label,
    entry_evidence,
    entry_label,
    fact,
    holders_label,
    merchants_label,
    one_in,
    people_label,
    pounds,
    prose_day,
    scope_note,
)

__all__ = [
    "BY_CHANCE",
    "ScoringContext",
    "alert_content",
    "alert_order",
    "alert_strength",
    "as_raised_later",
    "card_label",
    "chance_notes",
    "compared",
    "cost_centres_label",
    "count_notes",
    "entry_evidence",
    "entry_label",
    "entry_shown",
    "fact",
    "holders_label",
    "joined_facts",
    "merchants_label",
    "one_in",
    "people_label",
    "pounds",
    "prose_day",
    "rank_alerts",
    "scope_note",
    "with_later",
    "without_alerts",
]
