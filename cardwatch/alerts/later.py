"""Alerts that a register raises which was received after their statement was scored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cardwatch.alerts.wording import prose_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.records import Alert, EntryShown


def as_raised_later(
    alerts: Sequence[Alert], raised_on: str, received: Mapping[str, str]
) -> tuple[Alert, ...]:
    """Return alerts numbered from 1, each with sentences on what came after its payments.

    Args:
        alerts: in their order, each with the entries on which it rests.
        raised_on: the day by which their entries were known.
        received: day on which each file of a register was received, by its hash.
    """
    return tuple(
        replace(alert, rank=rank, later=(_raised(alert, raised_on, received), *_known_after(alert)))
        for rank, alert in enumerate(alerts, start=1)
    )


def _raised(alert: Alert, raised_on: str, received: Mapping[str, str]) -> str:
    """Return the sentence on when an alert was raised, and after which registers came."""
    registers = [
        f"the {entry.register} register of {prose_day(received[entry.sha256])}"
        for entry in alert.entries
        if entry.sha256 in received
    ]
    registers = list(dict.fromkeys(registers)) or ["a register"]
    was = "was" if len(registers) == 1 else "were"
    text = f"{', '.join(registers[:-1])} and {registers[-1]}" if registers[1:] else registers[0]
    return f"Raised on {prose_day(raised_on)}, after {text} {was} received."


def _known_after(alert: Alert) -> list[str]:
    """Return a sentence on each entry that was not known yet on the day of the first payment."""
    return [
        f"{_place(entry)} became known on {prose_day(entry.known_on)}, after {_payments(alert)}."
        for entry in {(e.register, e.file, e.row): e for e in alert.entries}.values()
        if entry.known_on > alert.first_on
    ]


def _place(entry: EntryShown) -> str:
    return f"The entry in row {entry.row} of {entry.file}"


def _payments(alert: Alert) -> str:
    if len(alert.payments) == 1:
        return "the payment"
    return "the first of the payments"
