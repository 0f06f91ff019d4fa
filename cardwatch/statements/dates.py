"""Reads days from every spelling that banks, people and spreadsheets give them."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from cardwatch.statements.cells import plain_cell
from cardwatch.statements.words import foreign_months

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY_ZERO = dt.date(1899, 12, 30)
"""Day 0 of a workbook's serial days, as every spreadsheet counts from March 1900 on."""
SERIAL_DAYS = range(25_569, 73_051)
"""Serial days that are dates from 1970 to 2099."""
DAY_ZERO_1904 = dt.date(1904, 1, 1)
"""Day 0 of the calendar in which Excel for Macintosh once counted."""
YEAR_FIRST = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})")
NUMERIC = re.compile(r"(\d{1,2})([/.\- ])(\d{1,2})\2(\d{4}|\d{2})")
COMPACT = re.compile(r"\d{8}")
STAMP = re.compile(r"((?:19|20)\d{6})T?(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?")
"""A day and its time in figures alone, 20261031143000, perhaps with a T between them."""
CUT_COMPACT = re.compile(r"\d{7}")
TYPED = re.compile(r"(\d{1,2})\s*([/.-])\2?\s*(\d{1,2})\s*\2{1,2}\s*(\d{4})\.?")
"""A day as people mistype it, with blanks, a mark or a full stop too many."""
NAMED = re.compile(
    r"(\d{1,2})(?:[ \-/]|\. ?)?(?:de )?([^\W\d_]{3,10})(?: de)?[ \-/.,]*['\u2019]?(\d{4}|\d{2})"
)
NAMED_FIRST = re.compile(r"([^\W\d_]{3,10})[ \-/.]*(\d{1,2})[ \-/.,]+['\u2019]?(\d{4}|\d{2})")
NAMED_LAST = re.compile(r"(\d{4})[ \-/.]?([A-Za-z]{3,9})[ \-/.]?(\d{1,2})")
WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
WEEKDAY_STARTS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er)\b", re.IGNORECASE)
TIME = re.compile(
    r"(?:T|,? +|,)\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[ap]\.?m\.?)?"
    r"\s*(?:Z|(?:[+-]\d{2}:?(?:\d{2})?)?\s*(?:UTC|GMT|BST)?)",
    re.IGNORECASE,
)
"""The time of day after a date, with its zone: the day printed is the day taken."""
MOST_DAY_CHARACTERS = 100
"""No day with its time is longer; a text that is says none."""
HAS_DIGIT = re.compile(r"\d")
TIME_AT_END = re.compile(TIME.pattern + r"$", re.IGNORECASE)
MIDNIGHT = re.compile(
    r"(?P<day>.*\d)(?:T|,? +)"
    r"(?:(?P<late>23:00(?::00(?:\.0+)?)?|11:00(?::00)? ?PM)"
    r"|00:00(?::00(?:\.0+)?)?|12:00(?::00)? ?AM)\s*(?P<zone>Z|\+00:?00|UTC|GMT)?",
    re.IGNORECASE,
)
"""The time at which a day begins in the United Kingdom, as a clock of UTC shows it."""
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
SUMMER_MONTHS = range(3, 11)
"""British summer time holds from the end of March to the end of October."""
MONTH_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august",
               "september",
          "october", "november", "december")  # fmt: skip
LAST_CENTURY = 70
"""Years of two digits from here on are of the last century, as most systems read them."""


@lru_cache(1 << 14)
def plain_day(text: str) -> str:
    """Return a date without weekday, ordinal ending and time of day."""
    plain = ORDINAL.sub("", WEEKDAY.sub("", plain_cell(text), count=1))
    match = TIME_AT_END.search(plain) if len(plain) <= MOST_DAY_CHARACTERS else None
    plain = plain[: match.start()].strip() if match and match.start() > 5 else plain
    if stamp := STAMP.fullmatch(plain):
        return stamp[1]
    typed = None if NUMERIC.fullmatch(plain) else TYPED.fullmatch(plain)
    return "/".join(typed.group(1, 3, 4)) if typed else plain


def weekday_fits(text: str, order: str) -> bool | None:
    """Return whether the day of the week before a date is its own in an order; none without one."""
    match = WEEKDAY.match(plain_cell(text))
    day = read_date(text, order, serial=False) if match else None
    if match is None or day is None:
        return None
    return match[0][:3].casefold() == WEEKDAY_STARTS[day.weekday()]


def lack_nought(texts: Iterable[str]) -> bool:
    """Return whether days of eight digits have lost the nought in front, as spreadsheets cut it.

    Some have eight digits and begin with the day, and the others seven.
    """
    filled = [plain_cell(text) for text in texts if HAS_DIGIT.search(text)]
    whole = [text for text in filled if COMPACT.fullmatch(text) and not _year_month_day(text)]
    cut = [text for text in filled if CUT_COMPACT.fullmatch(text)]
    return bool(whole and cut) and len(whole) + len(cut) == len(filled)


def utc_midnights(texts: Iterable[str]) -> tuple[frozenset[str], bool]:
    """Return the texts that are the midnight before their day, and whether they all say UTC.

    Programs write a day without a time as its midnight, and some in UTC: 23:00 of the day before in
    British summer. None is returned where any text has another time of day; one without a time, as
    a line of text or a total is, says nothing of the others. Only a day that states its month in
    figures of its own, as 2026-10-31, can say UTC.
    """
    late, zoned = set(), True
    for text in texts:
        plain = plain_cell(text)
        if len(plain) > MOST_DAY_CHARACTERS:
            continue
        match = MIDNIGHT.fullmatch(plain)
        if match is None:
            if TIME_AT_END.search(plain):
                return frozenset(), False
            continue
        if match["late"] and not _may_be_summer(match["day"]):
            return frozenset(), False
        iso = ISO_DAY.fullmatch(match["day"])
        zoned = zoned and iso is not None and match["zone"] is not None
        late |= {text} if match["late"] else set()
    return frozenset(late), zoned


def _may_be_summer(text: str) -> bool:
    """Return whether a day lies in British summer time in either order of day and month."""
    orders = (_parts(plain_day(text), order) for order in ("day-first", "month-first"))
    months = {parts[1] for parts in orders if parts and 1 <= parts[1] <= len(MONTH_NAMES)}
    return not months or not months.isdisjoint(SUMMER_MONTHS)


def possible_orders(texts: Iterable[str]) -> Counter[str]:
    """Count the dates that only one order of day and month allows."""
    votes: Counter[str] = Counter()
    for text in map(plain_day, texts):
        if match := NUMERIC.fullmatch(text):
            first, second = int(match[1]), int(match[3])
        elif COMPACT.fullmatch(text) and not _year_month_day(text):
            first, second = int(text[:2]), int(text[2:4])
        else:
            continue
        if 31 >= first > 12 >= second >= 1:
            votes["day-first"] += 1
        elif 31 >= second > 12 >= first >= 1:
            votes["month-first"] += 1
        elif max(first, second) <= 12 and first != second:
            votes["either"] += 1
    return votes


def year_first_orders(texts: Iterable[str]) -> Counter[str]:
    """Count the dates with the year in front by the order of day and month that they allow."""
    votes: Counter[str] = Counter()
    for text in map(plain_day, texts):
        if match := YEAR_FIRST.fullmatch(text):
            second, third = int(match[3]), int(match[4])
            votes["year-day"] += 31 >= second > 12 >= third >= 1
            votes["year-month"] += 31 >= third > 12 >= second >= 1
            votes["either"] += max(second, third) <= 12
    return votes


def year_before(text: str) -> dt.date | None:
    """Return the day of a date such as 25-10-13 if its year comes first; none of another form."""
    match = NUMERIC.fullmatch(text)
    if match is None or len(match[1] + match[3] + match[4]) != 6:
        return None
    try:
        return dt.date(2000 + int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None


def is_serial(text: str) -> bool:
    """Return whether a text may be the number that a spreadsheet keeps for a day."""
    number = plain_cell(text).split(".")[0]
    return len(number) == 5 and number.isdecimal() and int(number) in SERIAL_DAYS


def read_date(text: str, order: str, *, serial: bool) -> dt.date | None:
    """Return the day that a text names, or none.

    Args:
        text: a cell.
        order: day-first, month-first, or year-day where the day follows the year.
        serial: whether a bare number counts the days of a spreadsheet.
    """
    parts = _parts(plain_day(text), order)
    if parts is None:
        if serial and is_serial(text):
            return DAY_ZERO + dt.timedelta(days=int(plain_cell(text).split(".")[0]))
        return None
    try:
        day = dt.date(*parts)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 2099 else None


def is_day(text: str) -> bool:
    """Return whether a cell is a day in either order."""
    return any(read_date(text, order, serial=False) for order in ("day-first", "month-first"))


def _parts(text: str, order: str) -> tuple[int, int, int] | None:
    """Return year, month and day as a text names them; none where it names no day."""
    if match := YEAR_FIRST.fullmatch(text):
        second, third = int(match[3]), int(match[4])
        return (
            (int(match[1]), third, second)
            if order == "year-day"
            else (int(match[1]), second, third)
        )
    if match := NUMERIC.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), _full_year(match[4])
        return (year, first, second) if order == "month-first" else (year, second, first)
    if COMPACT.fullmatch(text):
        if parts := _year_month_day(text):
            return parts
        first, second, year = int(text[:2]), int(text[2:4]), int(text[4:])
        return (year, first, second) if order == "month-first" else (year, second, first)
    for pattern, (year_at, month_at, day_at) in (
        (NAMED, (3, 2, 1)),
        (NAMED_FIRST, (3, 1, 2)),
        (NAMED_LAST, (1, 2, 3)),
    ):
        if match := pattern.fullmatch(text):
            month = month_number(match[month_at])
            return (_full_year(match[year_at]), month, int(match[day_at])) if month else None
    return None


def _year_month_day(text: str) -> tuple[int, int, int] | None:
    """Return year, month and day of eight digits that begin with the year; none if they do not."""
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    return (year, month, day) if 1900 <= year <= 2099 and 1 <= month <= 12 and day <= 31 else None


def month_number(name: str) -> int:
    """Return the number of a month by its name or the start of it; 0 for another word.

    Names in other languages are those of `words.toml`.
    """
    word = name.casefold()
    english = next((i for i, month in enumerate(MONTH_NAMES, 1) if month.startswith(word)), 0)
    return english or foreign_months().get(word, 0)


def _full_year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (1900 if int(text) >= LAST_CENTURY else 2000)
