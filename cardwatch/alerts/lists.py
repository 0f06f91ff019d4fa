"""The sentences that count a list's alerts, and a list without some of them or with later ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cardwatch.alerts.wording import drift_notes, expected_words
from cardwatch.quantities import plural
from cardwatch.registers import register_kind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cardwatch.features.chance_pairs import ChancePairs
    from cardwatch.records import Alert, AlertList

BY_CHANCE = "By chance alone"
"""How the sentence begins that says how often names in registers match payments by chance."""


def without_alerts(alert_list: AlertList, hidden: Collection[str]) -> AlertList:
    """Convert a list to what it would be if some of its alerts had not been raised.

    Args:
        alert_list: the whole list.
        hidden: ids of the alerts. Ranks and the sentences that count alerts are made anew.
    """
    remaining = [alert for alert in alert_list.alerts if alert.alert_id not in hidden]
    if len(remaining) == len(alert_list.alerts):
        return alert_list
    alerts = tuple(replace(alert, rank=rank) for rank, alert in enumerate(remaining, start=1))
    first, last = count_notes(alert_list.alerts, alert_list.expected, alert_list.usual_most)
    notes = alert_list.notes[len(first) : len(alert_list.notes) - len(last)]
    first, last = count_notes(alerts, alert_list.expected, alert_list.usual_most)
    return replace(alert_list, alerts=alerts, notes=(*first, *notes, *last))


def with_later(alert_list: AlertList, later: Sequence[Alert], by_chance: str = "") -> AlertList:
    """Return a list with alerts that registers raised later, after the others; a note counts them.

    Args:
        alert_list: the list as it was made when its statement was scored.
        later: the alerts, in their order.
        by_chance: the note of the newest list that says how many entries would match by chance.
    """
    if not later:
        return alert_list
    first = len(alert_list.alerts) + 1
    alerts = (replace(alert, rank=rank) for rank, alert in enumerate(later, start=first))
    were = plural(len(later), "alert was", "alerts were")
    note = f"{len(later):,} {were} raised later, after a register was received."
    others = [note for note in alert_list.notes if not note.startswith(BY_CHANCE)]
    notes = (*others, note, *filter(None, [by_chance]))
    return replace(alert_list, alerts=(*alert_list.alerts, *alerts), notes=notes)


def chance_notes(registers: Sequence[ChancePairs]) -> tuple[str, ...]:
    """A note on how many entries would match payments by chance, for each 100 of a register.

    Args:
        registers: the figures of each register in which people declare; none without any.
    """
    registers = [pairs for pairs in registers if pairs.entries]
    if not registers:
        return ()
    rates = "; ".join(map(_chance_words, registers))
    return (f"{BY_CHANCE}, this many of every 100 entries would match a payment: {rates}.",)


def _chance_words(pairs: ChancePairs) -> str:
    """How many of 100 entries of one register would match payments by chance."""
    words = f"{register_kind(pairs.kind).title.lower()} {pairs.per_hundred:.2f}"
    if not pairs.stated_per_hundred:
        return words
    return f"{words} ({pairs.stated_per_hundred:.2f} with confirmed names)"


def count_notes(
    alerts: Sequence[Alert], expected: float | None, usual_most: int | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sentences that count a list's alerts: those at its start, those at its end."""
    questions = [alert for alert in alerts if not alert.is_fact]
    shown_count = sum(alert.shown for alert in questions)
    of_cards = sum(not alert.payments for alert in alerts)
    first = (
        expected_words(shown_count, len(questions), expected, usual_most),
        *drift_notes(len(questions) - of_cards, expected, usual_most),
        *_fact_notes(alerts),
    )
    if not of_cards:
        return first, ()
    are = plural(of_cards, "alert is about a card", "alerts are about cards")
    note = f"{of_cards} {are} of the register and no payment; none are expected of those."
    return first, (note,)


def _fact_notes(alerts: Sequence[Alert]) -> tuple[str, ...]:
    """A note on the number of facts against policy, which are listed separately."""
    facts = sum(alert.is_fact for alert in alerts)
    if not facts:
        return ()
    alert = "1 alert states a fact" if facts == 1 else f"{facts:,} alerts state facts"
    return (
        (
            f"Apart from these, {alert} against your policy (over a limit, a listed category or "
            "merchant, a closed card): all are shown, and none is ranked."
        ),
    )
