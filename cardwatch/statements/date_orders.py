"""Decides once per file whether days or months come first, from its own dates."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import numpy as np

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.statements import dates
from cardwatch.statements.periods import order_by_period
from cardwatch.tabular import DATE_MARKS, normalise_heading

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from cardwatch.statements.sheet import ParsedSheet

WHERE_STATED = (
    "with 'Order of the dates' on the page, '--date-order' of the command, 'date_order' of the "
    "service"
)
SAY_ORDER = f"Say which: {WHERE_STATED}"
DAY_ORDERS = ("day-first", "month-first")
NEAR_DAYS, FAR_DAYS = 100, 200
"""Days from the first to the last that suit a statement, and that do not beside such ones."""
NEAR_YEARS = 2
"""Two digits in front may be the year if it is so near the year that they are otherwise of."""
MARGIN_DAYS, FEW_DAYS = 31, 3
"""Days around those that one order alone allows; and how many others outside them look turned."""
YEAR_NAMED = re.compile(r"\b((?:19|20)\d\d)(?:[/\u2013-](\d\d)\b)?")
"""A year in a line above the headings, perhaps with the two digits of the next: 2026/27."""
YEAR_DAY_SHARE = 0.25
"""Of dates with the day behind the year three in five have a day above 12."""
POSTING_LAG_DAYS = 45
"""Issuers book a payment on or after its day and rarely more than a month later."""


def decide_date_order(sheet: ParsedSheet) -> str:
    """Decide once for the file whether days or months come first, and say how.

    Evidence in this order: what a person said; dates that only one order allows; the order under
    which no payment is booked before its day or long after it; the period that a line above the
    headings states.

    Raises:
        FileRefused: the dates contradict each other, decide nothing, or were turned by a program.
    """
    if sheet.table.feed:  # its layout says, and days are given as 2026-10-31
        return "day-first"
    order = _decide_order(sheet)
    if _stated_order(sheet) == "decide":
        _check_spread(sheet, order)
    if sheet.serial and not sheet.table.is_workbook:
        _decide_calendar(sheet, order)
    return order


def _stated_order(sheet: ParsedSheet) -> str:
    """Return the order that a person stated, or else the profile; `decide` where neither did."""
    stated = sheet.choices.date_order
    return sheet.profile.date_order if stated == "decide" else stated


def _decide_order(sheet: ParsedSheet) -> str:
    texts = [*sheet.column("date").used, *sheet.column("posting_date").used]
    _check_turned(sheet)
    stated = _stated_order(sheet)
    if stated != "decide":
        _check_stated(texts, stated, sheet.table.file)
        sheet.decisions.append(f"dates {stated}, as told")
        return stated
    if order := _year_first(sheet, texts):
        return order
    _check_short_years(texts, sheet.table.file)
    order, decision = order_by_dates(texts, sheet.table.file)
    if not order:
        fitting = [order for order in DAY_ORDERS if _lags_fit(sheet, order)]
        by_weekday = [order for order in DAY_ORDERS if _weekdays_fit(texts, order)]
        if len(fitting) == 1:
            why = "otherwise some payments would be posted before their date"
        elif len(by_weekday) == 1:
            fitting, why = by_weekday, "only so are the days of the week beside them right"
        elif by_heading := _order_of_heading(sheet.sources["date"]):
            fitting, why = [by_heading], f"'{sheet.sources['date']}' says so"
        elif by_period := order_by_period(sheet, fitting or DAY_ORDERS):
            fitting = [by_period]
            why = "only so do they lie in the period that a line above the headings states"
        else:
            raise order_unknown(sheet.table.file)
        order, decision = fitting[0], f"dates {fitting[0]}: {why}"
    sheet.decisions.append(decision)
    return order


def _weekdays_fit(texts: list[str], order: str) -> bool:
    """Return whether dates stand beside days of the week, and all are right in an order."""
    fits = [fit for text in texts if (fit := dates.weekday_fits(text, order)) is not None]
    return bool(fits) and all(fits)


def _order_of_heading(heading: str) -> str:
    """Return the order that a heading states, such as `Date (DD/MM/YYYY)`; empty if it does not."""
    marks = " ".join(word for word in normalise_heading(heading).split() if word in DATE_MARKS)
    words = marks.replace("hh mm", "").split()  # those are minutes
    if {"dd", "mm"} <= set(words):
        return "day-first" if words.index("dd") < words.index("mm") else "month-first"
    return ""


def _check_stated(texts: list[str], stated: str, file: str) -> None:
    """Refuse an order of the dates that somebody stated and no date of the file has.

    The dates that fit both orders would be turned, beside others that are no dates at all.

    Raises:
        FileRefused: some dates can only have the other order, and none only the stated one.
    """
    votes = dates.possible_orders(texts)
    other = "month-first" if stated == "day-first" else "day-first"
    if votes[other] and not votes[stated]:
        reason = f"{votes[other]} of its dates can only be {other}, though {stated} was stated"
        raise FileRefused(file, "date_order_wrong", f"{reason}. State {other}, or no order")


def _year_first(sheet: ParsedSheet, texts: list[str]) -> str:
    """Return year-day where dates have the year, then the day; nothing where they do not.

    A year in front is followed by the month nearly everywhere, so that a single date, or fewer than
    `YEAR_DAY_SHARE` of them, is taken for a slip, and is no date.

    Raises:
        FileRefused: some do and some cannot.
    """
    votes = dates.year_first_orders(texts)
    if votes["year-day"] < max(2, YEAR_DAY_SHARE * votes.total()):
        return ""
    if votes["year-month"]:
        reason = (
            f"{votes['year-day']} of its dates can only be year, day, month and "
            f"{votes['year-month']} only year, month, day. Export it with dates like 2026-10-31"
        )
        raise FileRefused(sheet.table.file, "date_order_mixed", reason)
    count = votes["year-day"]
    sheet.decisions.append(f"dates year, day, month: {count} distinct dates allow nothing else")
    return "year-day"


def _check_short_years(texts: list[str], file: str) -> None:
    """Refuse dates such as 25-10-13 that lie as near each other if the year comes first.

    Raises:
        FileRefused: every date is of that form, and they do.
    """
    filled = [dates.plain_day(text) for text in texts if text.strip()]
    turned = [dates.year_before(text) for text in filled]
    days = [dates.read_date(text, "day-first", serial=False) for text in filled]
    if not filled or None in turned or None in days or turned == days:
        return
    spans = [(max(d) - min(d)).days for d in (list(filter(None, turned)), list(filter(None, days)))]
    years = [{day.year for day in filter(None, d)} for d in (turned, days)]
    are_near = max(abs(y - x) for y in years[0] for x in years[1]) <= NEAR_YEARS
    if (spans[0] <= NEAR_DAYS and spans[1] > FAR_DAYS) or (are_near and 0 < spans[0] <= spans[1]):
        reason = (
            "its dates have years of two digits, and perhaps in front: so they are within "
            f"{quantity(spans[0], 'day')}, with the day in front {quantity(spans[1], 'day')} "
            "apart. Export it with dates "
            "like 2026-10-31. If the day is in front, say so: state day-first, "
            f"{WHERE_STATED}"
        )
        raise FileRefused(file, "date_order_unknown", reason)


def _check_turned(sheet: ParsedSheet) -> None:
    """Refuse a file in which a spreadsheet took days for months where it could.

    Then every typed date has a day up to 12, and every date left as text one above 12. This holds
    under the order in which the texts can be read. Text that was saved from such a workbook may
    have the typed dates with the year in front.

    Raises:
        FileRefused: it looks so.
    """
    for name in ("date", "posting_date"):
        texts = [text.strip() for text in sheet.column(name).used if text.strip()]
        typed = [m for text in texts if (m := dates.YEAR_FIRST.fullmatch(dates.plain_day(text)))]
        votes = dates.possible_orders(texts)
        stated = votes["day-first"] + votes["month-first"]
        if typed and stated and not votes["either"] and all(int(m[4]) <= 12 for m in typed):
            reason = (
                f"a spreadsheet seems to have taken days for months: its {len(typed)} distinct "
                f"typed dates all have a day up to 12, the {stated} left as text one above. Export "
                "the statement again and do not open it before the upload"
            )
            raise FileRefused(sheet.table.file, "dates_flipped", reason)


def _check_spread(sheet: ParsedSheet, order: str) -> None:
    """Refuse dates that lie near the others only if days and months change places.

    A spreadsheet that takes days for months turns those up to the twelfth and leaves the others, so
    a month of payments is spread over a year.

    Payments of every month on one day to one merchant, as for a subscription, are as they stand.
    Rows below headings that come again, and each sheet, are looked at by themselves too: joined
    exports may have either order.

    Raises:
        FileRefused: some dates allow one order only, and of those that allow both most lie further
            away than a month and none does the other way round.
    """
    texts = sheet.column("date").used
    sure = [day for day, turned in _both_ways(texts, order) if turned is None]
    if sure:
        for part in [texts, *_parts(sheet)]:
            _check_near(sheet, order, part, sure)


def _both_ways(texts: Iterable[str], order: str) -> list[tuple[dt.date, dt.date | None]]:
    """Return each day with the one that it is if days and months change places, if that is one."""
    other = "day-first" if order == "month-first" else "month-first"
    days = []
    for text in {dates.plain_day(text) for text in texts}:
        day, turned = (dates.read_date(text, way, serial=False) for way in (order, other))
        if day:
            days.append((day, turned))
    return days


def _parts(sheet: ParsedSheet) -> list[list[str]]:
    """Return the distinct dates of each sheet and below each heading row, if there are several."""
    column = sheet.column("date")
    heading = normalise_heading(sheet.table.headings[sheet.positions["date"]])
    starts = {part.index for part in sheet.table.parts} | {0}
    if any(normalise_heading(text) == heading for text in column.used):
        is_heading = column.each(lambda text: normalise_heading(text) == heading, "bool")
        starts |= set(np.flatnonzero(is_heading).tolist())
    bounds = [*sorted(starts), len(column.codes)]
    if len(bounds) <= 2:
        return []
    rows = np.arange(len(column.codes))
    return [column.kept((rows >= i) & (rows < j)).used for i, j in itertools.pairwise(bounds)]


def _check_near(sheet: ParsedSheet, order: str, texts: list[str], sure: list[dt.date]) -> None:
    """Refuse dates of which most lie far from sure ones, and near them the other way round."""
    both = [(day, turned) for day, turned in _both_ways(texts, order) if turned not in {None, day}]
    read, turned = [day for day, _ in both], [day for _, day in both]
    if len(read) < FEW_DAYS:
        return
    first, last = np.datetime64(min(sure)) - MARGIN_DAYS, np.datetime64(max(sure)) + MARGIN_DAYS
    far, far_turned = (
        int(((days < first) | (days > last)).sum())
        for days in (np.array(read, "datetime64[D]"), np.array(turned, "datetime64[D]"))
    )
    if far > len(read) / 2 and not far_turned and not _are_monthly(sheet, order, read):
        reason = (
            f"{far} of its dates lie near the others only if days and months change places, as "
            "when a spreadsheet takes days for months. Export the statement again and do not open "
            f"it before the upload. If the dates are right, state {order}: {WHERE_STATED}"
        )
        raise FileRefused(sheet.table.file, "dates_flipped", reason)


def _are_monthly(sheet: ParsedSheet, order: str, read: list[dt.date]) -> bool:
    """Return whether days are those of payments of each month to one merchant, by its first word.

    Days of one month that were taken for months leave some months out, or have several merchants.
    The fourth of April is in neither list, since it is the same day either way.
    """
    months = {day.year * 12 + day.month for day in read}
    gaps = {*range(min(months), max(months) + 1)} - months
    is_run = len(months) == len(read) and {(m - 1) % 12 + 1 for m in gaps} <= {read[0].day}
    if not is_run or len({day.day for day in read}) > 1:
        return False
    rows = np.isin(sheet.days("date", order), np.array(read, "datetime64[D]"))
    merchants = sheet.column("merchant").kept(rows).used
    return len({words[0] for text in merchants if (words := text.split())}) == 1


def _decide_calendar(sheet: ParsedSheet, order: str) -> None:
    """Decide from which day the day numbers of a text file count, by its other dates.

    Workbooks count from 1900, or from 1904 where an Excel for Macintosh made them, and text does
    not say: the same number names two days, four years apart. A person who knows the year of the
    statement states it in a profile.

    Raises:
        FileRefused: neither the days of booking nor a year in a line above the headings says it.
    """
    if (stated := sheet.profile.day_numbers) != "decide":
        sheet.from_1904 = stated == "1904"
        sheet.decisions.append(f"day numbers counted from {stated}, as told")
        return
    years = {
        year
        for line in [*(title for title, _ in sheet.titles()), *(p.name for p in sheet.table.parts)]
        for match in YEAR_NAMED.finditer(line)
        for year in (int(match[1]), int(match[1][:2] + (match[2] or match[1][2:])))
    }
    by_lags, by_years, read_as = [], [], []
    for from_1904 in (False, True):
        days = sheet.days("date", order, from_1904=from_1904)
        has_years = set(days[~np.isnat(days)].astype("datetime64[Y]").astype(int) + 1970)
        read_as.append(" and ".join(map(str, sorted(has_years))))
        if _lags_fit(sheet, order, from_1904=from_1904):
            by_lags.append(from_1904)
        if has_years <= years:
            by_years.append(from_1904)
    if len({*by_lags, *by_years}) != 1:
        reason = (
            "its days are numbers as a spreadsheet keeps them, and nothing says from which year "
            f"they count: from 1900 they are of {read_as[0]}, from 1904 of {read_as[1]}. Write "
            'day_numbers = "1900" or "1904" in a column profile, or give the cells the format of '
            "a date and export it again"
        )
        raise FileRefused(sheet.table.file, "date_order_unknown", reason)
    (sheet.from_1904,) = {*by_lags, *by_years}
    teller = "the days of posting follow then" if by_lags else "a line above the headings says"
    sheet.decisions.append(
        f"day numbers counted from {1904 if sheet.from_1904 else 1900}, as {teller}"
    )


def order_by_dates(texts: Iterable[str], file: str) -> tuple[str, str]:
    """Return the order that some dates allow, with how that was decided; empty if they do not say.

    Raises:
        FileRefused: some allow one order only and some only the other.
    """
    votes = dates.possible_orders(texts)
    day, month = votes["day-first"], votes["month-first"]
    if day and month:
        reason = (
            f"{day} of its dates can only be day-first and {month} only month-first. {SAY_ORDER}"
        )
        raise FileRefused(file, "date_order_mixed", reason)
    if day or month:
        order = "day-first" if day else "month-first"
        return order, f"dates {order}: {day or month} distinct dates allow nothing else"
    return ("", "") if votes["either"] else ("day-first", "dates cannot be read in another order")


def order_unknown(file: str) -> FileRefused:
    """Return the refusal of a file whose dates do not say whether days or months come first."""
    reason = f"its dates do not show whether days or months come first. {SAY_ORDER}"
    return FileRefused(file, "date_order_unknown", reason)


def _lags_fit(sheet: ParsedSheet, order: str, *, from_1904: bool = False) -> bool:
    """Return whether every booking follows its payment soon under this order and calendar."""
    posted, paid = (
        sheet.days(name, order, from_1904=from_1904) for name in ("posting_date", "date")
    )
    lag = (posted - paid).astype("float")
    finite_lags = lag[np.isfinite(lag)]
    return len(finite_lags) > 0 and bool(
        ((finite_lags >= 0) & (finite_lags <= POSTING_LAG_DAYS)).all()
    )
