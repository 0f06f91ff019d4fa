"""Which columns of a file are those of days, merchants and holders, where its headings mislead."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural
from cardwatch.statements.cells import FILLED, TextColumn
from cardwatch.statements.dates import is_day, read_date
from cardwatch.statements.holders import holders_elsewhere, labelled_holders, name_words
from cardwatch.statements.narratives import narrative_column
from cardwatch.statements.profiles import (
    DATE_ORDERS,
    HOLDER_FIELDS,
    Profile,
    choose_profile,
    missing_fields,
)
from cardwatch.statements.words import word_set
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from cardwatch.statements.sheet import ParsedSheet

ONE_COLUMN_FIELDS = ("date", "merchant", *HOLDER_FIELDS)
"""Fields of which a file may not have two columns with the same heading that differ."""
AMOUNT_COLUMNS = ("amount", "debit", "credit", "original_amount")
"""Fields of which a payment has one."""
NAMED_SHARE = 0.1
"""A column of which fewer texts have letters is one of numbers."""
ONE_DAY_ROWS = 5
"""Fewer payments than this may well be of one day."""
SAMPLE_ROWS = 1000
"""Number of rows that show whether a column repeats the merchants."""
MOST_DAYS = 20
"""A column with more distinct texts has more than one day."""
EFFECTIVE = "effective date"
TIME_ALONE = re.compile(
    r"\d{1,2}[:.]\d\d(?:[:.]\d\d(?:[.,]\d{1,9})?)?\s*(?:[ap]\.?m\.?)?", re.IGNORECASE
)
"""A time of the day without a day."""


def choose_columns(sheet: ParsedSheet) -> tuple[Profile, list[str]]:
    """Return the layout and what the file lacks of the four needs.

    Where no column names the merchants, a bank's texts are taken for these.
    """
    profile, missing = choose_profile(sheet.headings, sheet.choices.profiles)
    profile, missing = _without_other_names(sheet, profile, missing)
    profile, missing = _without_times(sheet, profile, missing)
    profile = _without_one_day(sheet, _without_codes(sheet, profile))
    if "date" in missing and profile.is_general:
        profile, missing = _with_posting_days(sheet, profile, missing)
    is_open = "merchant" in missing and profile.is_general
    position = narrative_column(_narratives(sheet)) if is_open else None
    if position is None:
        return profile, missing
    heading = sheet.headings[position]
    sheet.notes.append(
        f"no column is headed merchant, so the texts in '{heading}' are taken for the "
        "merchants, as a bank prints them. If they say what was bought, name the column of "
        "merchants in a column profile"
    )
    with_merchant = replace(profile, columns=profile.columns | {"merchant": (heading,)})
    return with_merchant, [need for need in missing if need != "merchant"]


def _without_other_names(
    sheet: ParsedSheet, profile: Profile, missing: list[str]
) -> tuple[Profile, list[str]]:
    """Return a layout in which `Name` is no cardholder, where labels name others; what it lacks.

    The names are then those of the merchants, if no other column has them.

    Raises:
        FileRefused: one label names a cardholder, `Name` others, and the merchants stand apart.
    """
    places = profile.map(sheet.headings)
    position = places.get("cardholder")
    if not profile.is_general or position is None:
        return profile, missing
    heading = sheet.headings[position]
    if normalise_heading(heading) != "name" or sheet.table.feed:
        return profile, missing
    dated = np.zeros(len(sheet.table.rows), dtype=bool)
    if "date" in places:
        dated = sheet.column_at(places["date"]).each(is_day, "bool")
    holders, sections = labelled_holders(sheet.table, dated)
    labels = [of_name for holder in holders if (of_name := name_words(holder))]
    texts = sheet.column_at(position).kept(dated).used
    placeholders = word_set("placeholders", "words")
    words = {word for text in texts if text.strip().casefold() not in placeholders
             for word in name_words(text)}  # fmt: skip
    if not labels or not words or any(map(words.intersection, labels)):
        return profile, missing
    if sections < 2 and "merchant" not in missing:
        reason = (
            f"a line names the cardholder, and '{heading}' others. If these are the cardholders, "
            "name it as 'cardholder' in a column profile; if not, leave 'cardholder' out of it"
        )
        raise FileRefused(sheet.table.file, "columns_unclear", reason)
    columns = dict(profile.columns)
    columns["cardholder"] = tuple(
        h for h in columns["cardholder"] if normalise_heading(h) != "name"
    )
    sheet.decisions.append(f"'{heading}' names no cardholder, since labels name others")
    if "merchant" in missing:
        columns["merchant"] = (heading, *columns["merchant"])
    profile = replace(profile, columns=columns)
    return profile, missing_fields(profile.map(sheet.headings))


def _narratives(sheet: ParsedSheet) -> dict[int, list[str]]:
    """Return the distinct texts of each column whose heading may be of a bank's texts."""
    known_names = word_set("narratives", "headings")
    return {
        position: [text for text in sheet.column_at(position).used if text.strip()]
        for position, heading in enumerate(sheet.headings)
        if normalise_heading(heading) in known_names
    }


def _without_codes(sheet: ParsedSheet, profile: Profile) -> Profile:
    """Return a layout that takes names for the merchants where its column has only numbers.

    Accounting systems head the number of a supplier `Vendor`, beside `Vendor Name`.
    """
    position = profile.map(sheet.headings).get("merchant")
    if not profile.is_general or position is None or _is_named(sheet, position):
        return profile
    heading = sheet.headings[position]
    other = [name if i != position else "" for i, name in enumerate(sheet.headings)]
    better = profile.map(other).get("merchant")
    if better is None or not _is_named(sheet, better):
        better = narrative_column(_narratives(sheet))
    if better is None:
        sheet.notes.append(
            f"the merchants in '{heading}' are numbers. If their names stand in another "
            "column, name it as 'merchant' in a column profile"
        )
        return profile
    sheet.decisions.append(
        f"merchants from '{sheet.headings[better]}' and not from '{heading}', which are numbers"
    )
    columns = profile.columns | {"merchant": (sheet.headings[better],)}
    return replace(profile, columns=columns)


def _without_times(
    sheet: ParsedSheet, profile: Profile, missing: list[str]
) -> tuple[Profile, list[str]]:
    """Return a layout without a column of times or of effective days, beside days of another.

    Effective is what the days of posting are where these have a column of their own.
    """
    position = profile.map(sheet.headings).get("date")
    if not profile.is_general or position is None:
        return profile, missing
    heading = sheet.headings[position]
    texts = [text for cell in sheet.column_at(position).used if (text := cell.strip())]
    are_times = bool(texts) and all(map(TIME_ALONE.fullmatch, texts))
    if not are_times and normalise_heading(heading) != EFFECTIVE:
        return profile, missing
    other = profile.map([name if i != position else "" for i, name in enumerate(sheet.headings)])
    if "date" not in other and "posting_date" not in other:
        return profile, missing
    days = (sheet.headings[other["date"]],) if "date" in other else ()
    profile = replace(profile, columns=profile.columns | {"date": days})
    return profile, [*missing, *(["date"] if not days else [])]


def _without_one_day(sheet: ParsedSheet, profile: Profile) -> Profile:
    """Return a layout without a column of days that has one day for all its payments.

    It is that of the bill where another column has several days, none of them later.
    """
    position = profile.map(sheet.headings).get("date")
    if not profile.is_general or position is None or len(sheet.table.rows) < ONE_DAY_ROWS:
        return profile
    cell_texts = sheet.column_at(position).used
    printed = set(filter(is_day, cell_texts)) if len(cell_texts) <= MOST_DAYS else set()
    (day,) = printed if len(printed) == 1 else ("",)
    other = [name if i != position else "" for i, name in enumerate(sheet.headings)]
    better = profile.map(other).get("date")
    if not day or better is None:
        return profile
    texts = list(filter(is_day, sheet.column_at(better).used))
    for order in DATE_ORDERS[1:]:
        bill = read_date(day, order, serial=False)
        days = [read_date(text, order, serial=False) for text in texts]
        if bill and len(days) > 1 and all(d is not None and d <= bill for d in days):
            heading = sheet.headings[better]
            sheet.decisions.append(
                f"days are those of '{heading}', since '{sheet.headings[position]}' has the "
                "same one for every payment"
            )
            return replace(profile, columns=profile.columns | {"date": (heading,)})
    return profile


def _is_named(sheet: ParsedSheet, position: int) -> bool:
    """Return whether a tenth of the distinct texts of a column or more have letters."""
    texts = pa.array([text for text in sheet.column_at(position).used if text.strip()], pa.string())
    with_letters = pc.sum(pc.match_substring_regex(texts, r"\p{L}")).as_py() or 0
    return bool(with_letters >= NAMED_SHARE * len(texts))


def _with_posting_days(
    sheet: ParsedSheet, profile: Profile, missing: list[str]
) -> tuple[Profile, list[str]]:
    """Return a layout whose days are those of posting, where the file has no others."""
    position = profile.map(sheet.headings).get("posting_date")
    if position is None:
        return profile, missing
    heading = sheet.headings[position]
    sheet.decisions.append(f"days are those of '{heading}', since no column has others")
    columns = profile.columns | {"date": (heading,), "posting_date": ()}
    return replace(profile, columns=columns), [need for need in missing if need != "date"]


def drop_shops(sheet: ParsedSheet) -> list[str]:
    """Take no merchants for cardholders under the heading `Name`; return what is then missing.

    Banks head the name of the other side `Name`, beside a text of their own. The next heading
    of a cardholder is taken in its place, such as `Employee`.
    """
    place = sheet.positions.get("cardholder")
    is_name = place is not None and normalise_heading(sheet.headings[place]) == "name"
    if place is None or not is_name or not sheet.profile.is_general:
        return []
    merchant = sheet.column("merchant")
    sample = np.linspace(0, len(merchant.codes) - 1, min(len(merchant.codes), SAMPLE_ROWS))
    rows = np.unique(sample.astype(int))
    shops = list(map(str.casefold, merchant.picked(rows)))
    holders = list(map(str.casefold, sheet.columns["cardholder"].picked(rows)))
    pairs = [(h.strip(), s) for h, s in zip(holders, shops, strict=True) if h.strip()]
    same = sum(h == s or s.startswith(f"{h} ") for h, s in pairs)
    if len(set(pairs)) <= 1 or same <= len(pairs) / 2:
        return []
    sheet.dropped = (
        f"'{sheet.sources['cardholder']}' names no cardholder, since it has the merchants again"
    )
    sheet.decisions.append(sheet.dropped)
    sheet.drop("cardholder")
    other_headings = [name if i != place else "" for i, name in enumerate(sheet.headings)]
    better = sheet.profile.map(other_headings).get("cardholder")
    if better is not None and better not in sheet.positions.values():
        sheet.take("cardholder", better)
    return [] if any(name in sheet.columns for name in HOLDER_FIELDS) else ["holder"]


def drop_empty_holders(sheet: ParsedSheet) -> list[str]:
    """Take no cardholders from columns that name nobody; return what is then missing.

    Their cells are empty, or say that names are withheld. The next heading of a cardholder is taken
    in their place.
    """
    names = [name for name in HOLDER_FIELDS if name in sheet.positions]
    is_dated = sheet.column("date").matches(r"\d").any()
    if (
        sheet.table.feed
        or not names
        or any(sheet.column(name).matches(FILLED).any() for name in names)
        or not is_dated
    ):
        return []
    headings = " and ".join(f"'{sheet.sources[name]}'" for name in names)
    name_nobody = plural(len(names), "names nobody: its", "name nobody: their")
    sheet.dropped = f"{headings} {name_nobody} cells are empty, or say that names are withheld"
    places = [sheet.drop(name) for name in names]
    other_headings = [name if i not in places else "" for i, name in enumerate(sheet.headings)]
    better = sheet.profile.map(other_headings)
    filled = [
        (name, better[name])
        for name in HOLDER_FIELDS
        if name in better and sheet.column_at(better[name]).matches(FILLED).any()
    ]
    for name, place in filled[:1]:
        sheet.take(name, place)
        sheet.decisions.append(f"cardholders from '{sheet.headings[place]}', since {sheet.dropped}")
    return [] if filled else ["holder"]


def take_holders_elsewhere(sheet: ParsedSheet) -> list[str]:
    """Take holders from above the headings, from section rows or from the names of sheets.

    Returns what is still missing.
    """
    paid = [sheet.column(name).matches(r"\d") for name in AMOUNT_COLUMNS]
    dated = sheet.column("date").each(is_day, "bool")
    columns, source = holders_elsewhere(sheet.table, dated & np.logical_or.reduce(paid))
    if sheet.profile.holders == "none" and not columns:
        unit = next((sheet.columns[n] for n in ("unit", "cost_centre") if n in sheet.columns), None)
        absent = TextColumn.absent(len(sheet.table.rows)) if unit is None else unit
        columns = {"holder_id": absent.mapped(lambda text: f"no holder: {text or 'all units'}")}
        teller = "its form" if sheet.table.feed else "the profile"
        source = f"{teller}, which says that the file names no holder"
        sheet.notes.append(
            f"the file names no holder, as {teller} says: payments stand by unit, and what "
            "is usual for a person is not known"
        )
    elif columns:
        sheet.decisions.append(f"holders from {source}")
    sheet.columns |= columns
    sheet.sources |= dict.fromkeys(columns, source)
    return [] if columns else ["holder"]


def check_twins(sheet: ParsedSheet) -> None:
    """Refuse two columns with the same heading for a needed field that differ.

    Raises:
        FileRefused: there are two; or, whatever a profile says, a second day, merchant and amount.
    """
    names = [normalise_heading(heading) for heading in sheet.table.headings]
    _check_second_table(sheet, names)
    for field in ONE_COLUMN_FIELDS:
        position = sheet.positions.get(field)
        twins = [
            i for i, name in enumerate(names) if position is not None and name == names[position]
        ]
        for twin in twins[1:] if sheet.profile.is_shipped else ():
            if sheet.column_at(twins[0]).texts().ne(sheet.column_at(twin).texts()).any():
                heading = sheet.headings[twins[0]]
                reason = (
                    f"columns {twins[0] + 1} and {twin + 1} are both headed '{heading}' and "
                    f"differ. Name '{heading}' or '{sheet.headings[twin]}' in a column profile"
                )
                raise FileRefused(sheet.table.file, "columns_unclear", reason)


def _check_second_table(sheet: ParsedSheet, names: list[str]) -> None:
    """Refuse a file whose columns of days, merchants and amounts all stand again beside them.

    Raises:
        FileRefused: they do, with other texts, as two tables beside each other have them.
    """
    amount = next((name for name in AMOUNT_COLUMNS if name in sheet.positions), "amount")
    for field in ("date", "merchant", amount):
        position = sheet.positions.get(field)
        again = [
            i
            for i, name in enumerate(names)
            if position not in {None, i} and name == names[position]
        ]
        first = "" if position is None else sheet.column_at(position).texts()
        if not any(sheet.column_at(i).texts().ne(first).any() for i in again):
            return
    reason = (
        "its days, merchants and amounts stand twice under the same headings, as in two tables "
        "beside each other. Put the rows of the second below those of the first"
    )
    raise FileRefused(sheet.table.file, "columns_unclear", reason)
