"""State of parsing one file: its table, the columns of its fields, decisions, notes and checks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cardwatch.errors import FileRefused
from cardwatch.statements import cells
from cardwatch.statements.cells import TextColumn, plain_cell
from cardwatch.statements.currencies import check_unread_amounts, currency_column
from cardwatch.statements.dates import (
    DAY_ZERO,
    DAY_ZERO_1904,
    is_serial,
    lack_nought,
    read_date,
    utc_midnights,
)
from cardwatch.statements.holders import holders_elsewhere
from cardwatch.statements.money_columns import MoneyColumns, money_columns
from cardwatch.statements.narratives import narrative_column
from cardwatch.statements.profiles import (
    DATE_ORDERS,
    HOLDER_FIELDS,
    Profile,
    choose_profile,
    columns_unknown,
    known_headings,
    missing_fields,
    needed_headings,
    unused_profile,
)
from cardwatch.statements.words import MOST_LINE_CHARACTERS, word_set
from cardwatch.tabular import Headings, Table, normalise_heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cardwatch.records import Check

    Days = np.ndarray[Any, np.dtype[np.datetime64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]

ONE_COLUMN_FIELDS = ("date", "merchant", *HOLDER_FIELDS)
"""Fields of which a file may not have two columns with the same heading that differ."""
AMOUNT_COLUMNS = ("amount", "debit", "credit", "original_amount")
"""Fields of which a payment has one."""
NAMED_SHARE = 0.1
"""A column of which fewer texts have letters is one of numbers."""
SHOWN_ROWS = 20
"""Number of rows read to tell headings from a first payment."""
ONE_DAY_ROWS = 5
"""Fewer payments than this may well be of one day."""
MOST_LINES = 20
"""Notes stand in no more than this many lines of text above or below the payments."""
SAMPLE_ROWS = 1000
"""So many rows show whether a column has the merchants again."""


@dataclass(frozen=True)
class ReadingChoices:
    """Choices for reading statements.

    Attributes:
        profiles: layouts to try, in order.
        card_key: secret under which card numbers are hashed.
        date_order: decide, day-first or month-first; said here it beats the profile.
        given_count: how many of the profiles, the first, were given for these very files.
    """

    profiles: Sequence[Profile]
    card_key: bytes
    date_order: str = "decide"
    given_count: int = 0


class ParsedSheet:
    """One file on its way: the table, where its columns are, and what was decided."""

    dropped = ""
    """Why the column that has the heading of cardholders is not theirs, where it is not."""

    def __init__(self, table: Table, choices: ReadingChoices) -> None:
        """Choose the layout and take the columns it names.

        Raises:
            FileRefused: it has no headings, or lacks a column that a statement needs.
        """
        self.table, self.choices = _first_table(table, choices.profiles), choices
        self.headings = distinct_headings(self.table, choices.card_key)
        self.decisions, self.notes = list(self.table.decisions), list(self.table.notes)
        self.checks: list[Check] = []
        check_headings(self.table, choices.profiles)
        self.profile, missing = self._choose_profile()
        self.positions = self.profile.map(self.headings)
        self.columns = {name: self.column_at(position) for name, position in self.positions.items()}
        self.sources = {name: self.headings[position] for name, position in self.positions.items()}
        self.money: MoneyColumns | None = (
            money_columns(self.headings) if self.profile.is_general else None
        )
        missing = missing or self._drop_shops()
        if missing == ["holder"]:
            missing = self._take_holders_elsewhere()
        self._tell_unused_profiles(is_refused=bool(missing))
        if missing:
            raise self._lacks(missing)
        if self.table.feed:
            self.sources |= self.table.feed.sources
            self.checks += self.table.feed.checks
        if not self.profile.is_shipped:
            self.decisions.append(f"columns by the profile '{self.profile.name}'")
        self._check_twins()
        self._take_by_content()
        self.serial, self.from_1904 = self.table.is_workbook or self._has_serial_days(), False

    @cached_property
    def line_amounts(self) -> int | None:
        """The column that says what part of a payment its row is."""
        return money_columns(self.headings).part

    def _lacks(self, missing: list[str]) -> FileRefused:
        """Return the refusal of a file without a needed column, with why if a heading says it."""
        if "amount" in missing:
            check_unread_amounts(self)
        why = self.dropped if "holder" in missing else ""
        return columns_unknown(self.table.file, self.headings, self.profile, missing, why)

    def _tell_unused_profiles(self, *, is_refused: bool) -> None:
        """Say which profiles that somebody wrote are not used for the file, and why.

        Raises:
            FileRefused: the file is refused, and one of them was given for it.
        """
        for number, profile in enumerate(self.choices.profiles):
            is_given = number < self.choices.given_count
            if why := unused_profile(profile, self.headings, is_given=is_given):
                if is_refused and is_given:
                    raise FileRefused(self.table.file, "profile_unused", why)
                self.notes.append(why)

    def column(self, name: str) -> TextColumn:
        """Return one field as printed; empty text where the file has no such column."""
        return self.columns.get(name) or TextColumn.absent(len(self.table.rows))

    def column_at(self, position: int) -> TextColumn:
        """Return the column at a position as printed."""
        return TextColumn.of(self.table.cells[str(position)])

    def take(self, name: str, position: int) -> None:
        """Take the column at a position for a field."""
        self.positions[name] = position
        self.columns[name] = self.column_at(position)
        self.sources[name] = self.headings[position]

    def drop(self, name: str) -> int:
        """Take the column of a field from it; return its position."""
        del self.columns[name], self.sources[name]
        return self.positions.pop(name)

    @property
    def unused(self) -> list[int]:
        """Positions of the columns with a heading that serve no field."""
        used_positions = set(self.positions.values())
        return [
            i
            for i, heading in enumerate(self.headings)
            if heading.strip() and i not in used_positions
        ]

    def tidy(self, name: str) -> TextColumn:
        """Return one field with spaces collapsed and card numbers cut."""
        return self.column(name).tidied(self.choices.card_key)

    def parts(self) -> list[tuple[str, slice]]:
        """Return the name of each sheet that the table was read from, and its rows."""
        starts = [part.index for part in self.table.parts]
        ends = [*starts[1:], len(self.table.rows)]
        return [
            (part.name, slice(part.index, end))
            for part, end in zip(self.table.parts, ends, strict=True)
        ]

    def lines_above(self) -> list[str]:
        """Return the rows above the headings of every sheet, each as one line."""
        return [line for lines, _ in self.titles() for line in lines]

    def titles(self) -> list[tuple[list[str], slice]]:
        """Return the lines above the headings of each sheet or table, and its rows."""
        return [
            ([_line(row) for row in part.above], rows)
            for part, (_, rows) in zip(self.table.parts, self.parts(), strict=True)
        ]

    def lines(self, rows: Flags) -> list[str]:
        """Return the last of some rows, each as one line of its filled cells."""
        return [
            _line(str(column[row]) for column in self.table.cells.columns)
            for row in np.flatnonzero(rows)[-MOST_LINES:].tolist()
        ]

    def days(self, name: str, order: str, *, from_1904: bool | None = None) -> Days:
        """Return one field as days; not a day where it is none.

        Args:
            name: of the field.
            order: day-first, month-first or year-day.
            from_1904: whether bare numbers count from 1904; none for what was decided.
        """
        column = self.column(name)
        days = column.each(lambda text: read_date(text, order, serial=self.serial), "datetime64[D]")
        if self.from_1904 if from_1904 is None else from_1904:
            days += column.each(is_serial, "timedelta64[D]") * (DAY_ZERO_1904 - DAY_ZERO).days
        late, are_utc = utc_midnights(column.used)
        if late and are_utc:
            days += column.each(late.__contains__, "timedelta64[D]")
        return days

    def _tell_midnights(self) -> None:
        """Say that days are the ones after those printed, or may be, since all times are 23:00."""
        late, are_utc = utc_midnights(self.column("date").used)
        heading = self.sources["date"]
        if late and are_utc:
            self.decisions.append(
                f"days of '{heading}' printed with 23:00 UTC are the next, which begins then in "
                "British summer time"
            )
        elif late:
            self.notes.append(
                f"the times in '{heading}' are 23:00, as days that begin in British summer time "
                "are in UTC. If they are such, every day is one too early"
            )

    def _has_serial_days(self) -> bool:
        """Return whether every date of a text file is the number that a spreadsheet keeps."""
        texts = [text for text in self.column("date").used if text.strip()]
        if texts and all(map(is_serial, texts)):
            self.decisions.append("dates are the numbers that a spreadsheet keeps for days")
            return True
        return False

    def _choose_profile(self) -> tuple[Profile, list[str]]:
        """Return the layout and what the file lacks of the four needs.

        Where no column names the merchants, a bank's texts are taken for these.
        """
        profile, missing = choose_profile(self.headings, self.choices.profiles)
        profile = self._without_one_day(self._without_codes(profile))
        if "date" in missing and profile.is_general:
            profile, missing = self._with_posting_days(profile, missing)
        is_open = "merchant" in missing and profile.is_general
        position = narrative_column(self._narratives()) if is_open else None
        if position is None:
            return profile, missing
        heading = self.headings[position]
        self.notes.append(
            f"no column is headed merchant, so the texts in '{heading}' are taken for the "
            "merchants, as a bank prints them. If they say what was bought, name the column of "
            "merchants in a column profile"
        )
        named = replace(profile, columns=profile.columns | {"merchant": (heading,)})
        return named, [need for need in missing if need != "merchant"]

    def _narratives(self) -> dict[int, list[str]]:
        """Return the distinct texts of each column whose heading may be of a bank's texts."""
        known_names = word_set("narratives", "headings")
        return {
            position: [text for text in self.column_at(position).used if text.strip()]
            for position, heading in enumerate(self.headings)
            if normalise_heading(heading) in known_names
        }

    def _without_codes(self, profile: Profile) -> Profile:
        """Return a layout that takes names for the merchants where its column has only numbers.

        Accounting systems head the number of a supplier `Vendor`, beside `Vendor Name`.
        """
        position = profile.map(self.headings).get("merchant")
        if not profile.is_general or position is None or self._is_named(position):
            return profile
        heading = self.headings[position]
        other = [name if i != position else "" for i, name in enumerate(self.headings)]
        better = profile.map(other).get("merchant")
        if better is None or not self._is_named(better):
            better = narrative_column(self._narratives())
        if better is None:
            self.notes.append(
                f"the merchants in '{heading}' are numbers. If their names stand in another "
                "column, name it as 'merchant' in a column profile"
            )
            return profile
        self.decisions.append(
            f"merchants from '{self.headings[better]}' and not from '{heading}', which are numbers"
        )
        columns = profile.columns | {"merchant": (self.headings[better],)}
        return replace(profile, columns=columns)

    def _without_one_day(self, profile: Profile) -> Profile:
        """Return a layout without a column of days that has one day for all its payments.

        It is that of the bill where another column has several days, none of them later.
        """
        position = profile.map(self.headings).get("date")
        if not profile.is_general or position is None or len(self.table.rows) < ONE_DAY_ROWS:
            return profile
        used = self.column_at(position).used
        printed = set(filter(_is_day, used)) if len(used) <= MOST_LINES else set()
        (day,) = printed if len(printed) == 1 else ("",)
        other = [name if i != position else "" for i, name in enumerate(self.headings)]
        better = profile.map(other).get("date")
        if not day or better is None:
            return profile
        texts = list(filter(_is_day, self.column_at(better).used))
        for order in DATE_ORDERS[1:]:
            bill = read_date(day, order, serial=False)
            days = [read_date(text, order, serial=False) for text in texts]
            if bill and len(days) > 1 and all(d is not None and d <= bill for d in days):
                heading = self.headings[better]
                self.decisions.append(
                    f"days are those of '{heading}', since '{self.headings[position]}' has the "
                    "same one for every payment"
                )
                return replace(profile, columns=profile.columns | {"date": (heading,)})
        return profile

    def _is_named(self, position: int) -> bool:
        """Return whether a tenth of the distinct texts of a column or more have letters."""
        texts = pa.array(
            [text for text in self.column_at(position).used if text.strip()], pa.string()
        )
        named = pc.sum(pc.match_substring_regex(texts, r"\p{L}")).as_py() or 0
        return bool(named >= NAMED_SHARE * len(texts))

    def _with_posting_days(self, profile: Profile, missing: list[str]) -> tuple[Profile, list[str]]:
        """Return a layout whose days are those of posting, where the file has no others."""
        position = profile.map(self.headings).get("posting_date")
        if position is None:
            return profile, missing
        heading = self.headings[position]
        self.decisions.append(f"days are those of '{heading}', since no column has others")
        columns = profile.columns | {"date": (heading,), "posting_date": ()}
        return replace(profile, columns=columns), [need for need in missing if need != "date"]

    def _drop_shops(self) -> list[str]:
        """Take no merchants for cardholders under the heading `Name`; return what is then missing.

        Banks head the name of the other side `Name`, beside a text of their own. The next heading
        of a cardholder is taken in its place, such as `Employee`.
        """
        place = self.positions.get("cardholder")
        is_name = place is not None and normalise_heading(self.headings[place]) == "name"
        if place is None or not is_name or not self.profile.is_general:
            return []
        merchant = self.column("merchant")
        sample = np.linspace(0, len(merchant.codes) - 1, min(len(merchant.codes), SAMPLE_ROWS))
        rows = np.unique(sample.astype(int))
        shops = list(map(str.casefold, merchant.picked(rows)))
        holders = list(map(str.casefold, self.columns["cardholder"].picked(rows)))
        pairs = [(h.strip(), s) for h, s in zip(holders, shops, strict=True) if h.strip()]
        same = sum(h == s or s.startswith(f"{h} ") for h, s in pairs)
        if len(set(pairs)) <= 1 or same <= len(pairs) / 2:
            return []
        self.dropped = (
            f"'{self.sources['cardholder']}' names no cardholder, since it has the merchants again"
        )
        self.decisions.append(self.dropped)
        self.drop("cardholder")
        others = [name if i != place else "" for i, name in enumerate(self.headings)]
        better = self.profile.map(others).get("cardholder")
        if better is not None and better not in self.positions.values():
            self.take("cardholder", better)
        return [] if any(name in self.columns for name in HOLDER_FIELDS) else ["holder"]

    def _take_holders_elsewhere(self) -> list[str]:
        """Take holders from above the headings, from section rows or from the names of sheets.

        Returns what is still missing.
        """
        paid = [self.column(name).matches(r"\d") for name in AMOUNT_COLUMNS]
        dated = self.column("date").each(_is_day, "bool")
        columns, source = holders_elsewhere(self.table, dated & np.logical_or.reduce(paid))
        if self.profile.holders == "none" and not columns:
            unit = next(
                (self.columns[n] for n in ("unit", "cost_centre") if n in self.columns), None
            )
            absent = TextColumn.absent(len(self.table.rows)) if unit is None else unit
            columns = {"holder_id": absent.mapped(lambda text: f"no holder: {text or 'all units'}")}
            teller = "its form" if self.table.feed else "the profile"
            source = f"{teller}, which says that the file names no holder"
            self.notes.append(
                f"the file names no holder, as {teller} says: payments stand by unit, and what "
                "is usual for a person is not known"
            )
        elif columns:
            self.decisions.append(f"holders from {source}")
        self.columns |= columns
        self.sources |= dict.fromkeys(columns, source)
        return [] if columns else ["holder"]

    def _check_twins(self) -> None:
        """Refuse two columns with the same heading for a needed field that differ.

        Raises:
            FileRefused: there are two.
        """
        names = [normalise_heading(heading) for heading in self.table.headings]
        for field in ONE_COLUMN_FIELDS:
            position = self.positions.get(field)
            twins = [
                i
                for i, name in enumerate(names)
                if position is not None and name == names[position]
            ]
            for twin in twins[1:] if self.profile.is_shipped else ():
                if self.column_at(twins[0]).texts().ne(self.column_at(twin).texts()).any():
                    heading = self.headings[twins[0]]
                    reason = (
                        f"columns {twins[0] + 1} and {twin + 1} are both headed '{heading}' and "
                        f"differ. Name '{heading}' or '{self.headings[twin]}' in a column profile"
                    )
                    raise FileRefused(self.table.file, "columns_unclear", reason)

    def _take_by_content(self) -> None:
        """Take columns of codes for what they are, whatever their heading; empty placeholders."""
        self._take_codes()
        self._take_currency()
        self._blank_placeholders()
        self._pad_days()
        self._tell_midnights()

    def _pad_days(self) -> None:
        """Give days of eight digits the nought that a spreadsheet has cut in front."""
        for name in ("date", "posting_date"):
            column = self.column(name)
            if lack_nought(column.used):
                self.columns[name] = column.mapped(
                    lambda text: plain_cell(text).zfill(8) if text.strip() else ""
                )
                self.decisions.append(f"days in '{self.sources[name]}' with the nought in front")

    def _take_codes(self) -> None:
        """Take a column of categories whose every cell is four digits for the codes they are."""
        category = self.columns.get("category")
        if category is None or "mcc" in self.columns:
            return
        filled = [text.strip() for text in category.used if text.strip()]
        if filled and all(text.isdecimal() and 3 <= len(text) <= 4 for text in filled):
            self.take("mcc", self.drop("category"))
            self.decisions.append(
                f"merchant category codes from '{self.sources['mcc']}', by content"
            )

    def _take_currency(self) -> None:
        """Take a column whose every cell is a currency's code, where none has such a heading."""
        names = ("currency", "original_currency")
        known = any(name in self.columns for name in names)
        position = currency_column(self) if self.profile.is_general and not known else None
        if position is not None:
            name = names["original_amount" in self.columns]
            self.take(name, position)
            self.decisions.append(f"currencies from '{self.sources[name]}', by content")

    def _blank_placeholders(self) -> None:
        """Empty the cells of holders and merchants that say only that something is missing."""
        words = pa.array(sorted(word_set("placeholders", "words")))
        for name in ("merchant", *HOLDER_FIELDS):
            if name in self.columns:
                column = self.columns[name]
                plain = pc.utf8_trim_whitespace(pc.utf8_lower(column.distinct))
                hidden = pc.is_in(plain, value_set=words)
                if pc.any(hidden).as_py():
                    self.columns[name] = TextColumn(
                        column.codes, pc.if_else(hidden, "", column.distinct)
                    )


def _first_table(table: Table, profiles: Sequence[Profile]) -> Table:
    """Return a table without another beside it, and with a note that one is not read.

    An empty column parts them, and fields of the first would be taken from the second, or a heading
    stands in both and the second has no payments of its own.
    """
    for gap, heading in enumerate(table.headings):
        if (
            heading.strip()
            or gap == 0
            or TextColumn.of(table.cells[str(gap)]).matches(cells.FILLED).any()
        ):
            continue
        profile, _ = choose_profile(table.headings, profiles)
        whole, first = profile.map(table.headings), profile.map(table.headings[:gap])
        is_mixed = any(whole.get(name) != first[name] for name in first)
        if not missing_fields(first) and (is_mixed or _is_summary(table, gap, first, profile)):
            note = (
                f"the columns after the empty one, number {gap + 1}, stand apart and are not read"
            )
            columns = table.cells.select(list(map(str, range(gap))))
            notes = (*table.notes, note)
            return replace(table, headings=table.headings[:gap], cells=columns, notes=notes)
    return table


def _is_summary(table: Table, gap: int, first: Mapping[str, int], profile: Profile) -> bool:
    """Return whether the columns after an empty one repeat a heading and hold no payments."""
    used = {normalise_heading(table.headings[position]) for position in first.values()}
    beside = table.headings[gap:]
    missing = missing_fields(profile.map(beside))
    return bool({"date", "amount"} & set(missing)) and not used.isdisjoint(
        map(normalise_heading, beside)
    )


def distinct_headings(table: Table, card_key: bytes) -> tuple[str, ...]:
    """Return a table's headings without card numbers; a second `Amount` is `Amount (2)`."""
    name_counts: dict[str, int] = {}
    headings = []
    for heading in (cells.redact_cards(printed, card_key) for printed in table.headings):
        name = normalise_heading(heading)
        name_counts[name] = name_counts.get(name, 0) + 1
        headings.append(
            f"{heading} ({name_counts[name]})" if name and name_counts[name] > 1 else heading
        )
    return tuple(headings)


def check_headings(table: Table, profiles: Sequence[Profile]) -> None:
    """Refuse a table whose first row is no heading row, so that nothing of it is shown.

    A heading row has a known heading, or a heading above a column of days or amounts. One with a
    day or an amount in it is a payment, unless it has every needed heading.

    Raises:
        FileRefused: there is no heading row.
    """
    headings = Headings(known_headings(profiles), needed_headings(profiles))
    names = list(map(normalise_heading, table.headings))
    first = table.cells.slice(0, SHOWN_ROWS)
    is_known = any(map(headings.knows, filter(None, names))) or any(
        _is_value(text)
        for column, name in zip(first.columns, names, strict=False)
        if name
        for text in column.to_pylist()
    )
    is_payment = any(map(_is_value, table.headings)) and not headings.is_whole(names)
    if is_payment or not is_known:
        reason = (
            "its first row looks like a payment, not headings. Export it again with a heading row"
        )
        raise FileRefused(table.file, "no_headings", reason)
    _check_above(table, profiles)


def _check_above(table: Table, profiles: Sequence[Profile]) -> None:
    """Refuse a table with another one above its headings, which would be left out.

    Raises:
        FileRefused: a row above has a heading for date, merchant and amount, and payments follow.
    """
    needed = needed_headings(profiles)
    for part in table.parts:
        rows = [set(map(normalise_heading, row)) for row in part.above]
        starts = [i for i, names in enumerate(rows) if all(names & field for field in needed)]
        below = part.above[starts[0] + 1 :] if starts else ()
        if any(sum(map(_is_value, row)) > 1 for row in below):
            reason = (
                f"payments with other headings stand above row {part.row - 1}. Save each table as "
                "a file of its own"
            )
            raise FileRefused(table.file, "headings_change", reason)


def _is_value(text: str) -> bool:
    """Return whether a cell is a day or an amount."""
    return _is_day(text) or bool(cells.read_pence(text, "."))


def _line(row: Iterable[str]) -> str:
    """Return the filled cells of a row as one line, no longer than a person writes."""
    return " ".join(filter(None, map(str.strip, row)))[:MOST_LINE_CHARACTERS]


def _is_day(text: str) -> bool:
    """Return whether a cell is a day in either order."""
    return any(read_date(text, order, serial=False) for order in DATE_ORDERS[1:])
