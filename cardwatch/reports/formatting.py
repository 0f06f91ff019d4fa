"""Days, moments and sentences as people read them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from cardwatch.rarity import exact_interval

UK = ZoneInfo("Europe/London")
FEWEST_FOR_PERCENT = 20
"""Below this total a share is stated as a count alone: a percentage would say too much."""


def day(text: str | dt.date) -> str:
    """Return a day, or the day of a moment by British clocks, as `11 October 2026`."""
    when = british_day(text)
    return f"{when.day} {when:%B %Y}"


def british_day(text: str | dt.date) -> dt.date:
    """Return a day, or the day of a moment by British clocks."""
    when = dt.datetime.fromisoformat(text) if isinstance(text, str) else text
    if isinstance(when, dt.datetime) and when.tzinfo is not None:
        return when.astimezone(UK)
    return when


def days(first: str, last: str) -> str:
    """Return one day, or two with what lies between."""
    return day(first) if first == last else f"{day(first)} to {day(last)}"


def short_days(first: str, last: str) -> str:
    """Return one day, or two, as a table shows them: `7 to 9 Oct 2026`."""
    start, ends = (dt.date.fromisoformat(text) for text in (first, last))
    until = f"{ends.day} {ends:%b %Y}"
    if start == ends:
        return until
    same_month = (start.year, start.month) == (ends.year, ends.month)
    return f"{start.day}{'' if same_month else f' {start:%b %Y}'} to {until}"


def month(text: str) -> str:
    """Return a month such as `2026-10` as `Oct 2026`."""
    return f"{dt.date.fromisoformat(text + '-01'):%b %Y}"


def quarter_title(name: str) -> str:
    """Return a quarter such as `2026-Q3` as `Q3 2026`."""
    year, number = name.split("-")
    return f"{number} {year}"


def moment(text: str | dt.datetime) -> str:
    """Return a moment, which has a zone, by British clocks: `11 October 2026, 2:05pm`."""
    return f"{day(text)}, {clock(text)}"


def short_moment(text: str) -> str:
    """Return a moment as a table shows it: `11 Oct 2026, 2:05pm`."""
    when = british_day(text)
    return f"{when.day} {when:%b %Y}, {clock(text)}"


def clock(text: str | dt.datetime) -> str:
    """Return the time of day of a moment, which has a zone, by British clocks: `2:05pm`."""
    instant = text if isinstance(text, dt.datetime) else dt.datetime.fromisoformat(text)
    when = instant.astimezone(UK)
    return f"{when.hour % 12 or 12}:{when:%M}{'am' if when.hour < 12 else 'pm'}"


def sentence(text: str) -> str:
    """Return a text that begins with a capital and ends as a sentence does."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def title(word: str) -> str:
    """Return a state or kind as it stands alone: `policy-breach` is `Policy breach`."""
    return word.replace("-", " ").capitalize()


def out_of(count: int, total: int) -> str:
    """A share as a count: `1 of 1`, and `12 of 40 (30%)` once there are enough for a percentage."""
    if not total:
        return "No answers"
    percent = f" ({count / total:.0%})" if total >= FEWEST_FOR_PERCENT else ""
    return f"{count:,} of {total:,}{percent}"


def interval(count: int, total: int) -> str:
    """The exact 95% interval of a share: `3% to 100%`."""
    low, high = exact_interval(count, total)
    return f"{low:.0%} to {high:.0%}"
