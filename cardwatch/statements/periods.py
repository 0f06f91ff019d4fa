"""The period that a line above the headings states, and days that lie in it."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import TYPE_CHECKING

import numpy as np

from cardwatch.statements.dates import MONTH_NAMES, month_number, possible_orders, read_date

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.statements.sheet import ParsedSheet

MONTH_WORD = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
NAMED_DAY = rf"\d{{1,2}}(?:st|nd|rd|th)?[ -]{MONTH_WORD}[ -]\d{{4}}"
PRINTED_DAY = r"\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}"
TO = r"\W{1,3}(?:(?:to|until|through|and)\W{1,3})?"
RANGE = re.compile(
    rf"(?<![\w/.-])({NAMED_DAY}|{PRINTED_DAY}){TO}({NAMED_DAY}|{PRINTED_DAY})(?![\w/.-])",
    re.IGNORECASE,
)
"""Two days with what stands between the ends of a period."""
DAYS_OF_A_MONTH = re.compile(
    rf"(?<![\w/.-])(\d{{1,2}}) ?(?:-|\u2013|to) ?(\d{{1,2}}) ({MONTH_WORD}) (\d{{4}})\b",
    re.IGNORECASE,
)
MONTH_AND_YEAR = re.compile(
    rf"(?<!\d )(?<!\d-)(?<!\d[a-z][a-z] )\b({MONTH_WORD}) (\d{{4}})\b", re.IGNORECASE
)
"""A month and year without a day before it."""
NO_MONTH = re.compile(
    r"\b(?:(?:year|quarter) end(?:ed|ing)?|since|from|to|until|till|before|after|by|version|"
    rf"effective|approved)\W+{MONTH_WORD} \d{{4}}\b",
    re.IGNORECASE,
)
"""A line in which a month and year are not all the days of which it is: `Year to March 2026`."""
OTHER_DAYS = re.compile(
    r"\b(?:print|export|run|produc|creat|generat|publish|issu|due|expir)", re.IGNORECASE
)
"""A line that says when the file was made, or what is due, and not of which days it is."""


def stated_period(sheet: ParsedSheet) -> tuple[dt.date, dt.date] | None:
    """Return the first and last day of the one period that lines above the headings state."""
    lines = {line for line, _ in sheet.titles() if not OTHER_DAYS.search(line)}
    periods = {period for line in lines if (period := read_period(line))}
    return next(iter(periods)) if len(periods) == 1 else None


def read_period(line: str) -> tuple[dt.date, dt.date] | None:
    """Return the first and last day of the period that a line states; none where it states none."""
    if match := RANGE.search(line):
        order = _order(match.groups())
        days = [read_date(text, order, serial=False) for text in match.groups()] if order else []
        first, last = days or (None, None)
        return (first, last) if first and last and first <= last else None
    if match := DAYS_OF_A_MONTH.search(line):
        days = [read_date(f"{day} {match[3]} {match[4]}", "day-first", serial=False)
                for day in match.groups()[:2]]  # fmt: skip
        first, last = days
        return (first, last) if first and last and first <= last else None
    matches = MONTH_AND_YEAR.findall(line)
    months = {(month, int(year)) for name, year in matches if (month := month_number(name))}
    if len(months) != 1 or NO_MONTH.search(line):
        return None
    ((month, year),) = months
    return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])


def _order(texts: Iterable[str]) -> str:
    """Return the only order of day and month in which two days can be read; empty if both do."""
    votes = possible_orders(texts)
    possible = [order for order in ("day-first", "month-first") if votes[order]]
    if len(possible) > 1 or (not possible and votes["either"]):
        return ""
    return possible[0] if possible else "day-first"


def order_by_period(sheet: ParsedSheet, orders: Iterable[str]) -> str:
    """Return the one order in which every date of the file lies in the stated period; else empty.

    Args:
        sheet: the file.
        orders: day-first and month-first, as far as they are possible.
    """
    period = stated_period(sheet)
    if period is None:
        return ""
    texts = [text for text in sheet.column("date").used if text.strip()]

    def lie_inside(order: str) -> bool:
        days = [day for text in texts if (day := read_date(text, order, serial=False))]
        return len(days) > 0 and all(period[0] <= day <= period[1] for day in days)

    fitting = [order for order in orders if lie_inside(order)]
    return fitting[0] if len(fitting) == 1 else ""


def check_period(
    sheet: ParsedSheet, dates: np.ndarray[tuple[int], np.dtype[np.datetime64]]
) -> None:
    """Say that no payment lies in the period that a line above the headings states.

    Args:
        sheet: the file.
        dates: days of its payments.
    """
    period = stated_period(sheet)
    if period is None or not len(dates):
        return
    first, last = map(np.datetime64, period)
    if not ((dates >= first) & (dates <= last)).any():
        in_words = " to ".join(
            f"{day.day} {MONTH_NAMES[day.month - 1].title()} {day.year}" for day in period
        )
        sheet.notes.append(
            f"a line above the headings says {in_words}, and no payment is of these days. Check "
            "that it is the right file"
        )
