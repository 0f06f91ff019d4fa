"""Columns taken for what their cells are, whatever their headings; placeholders emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from cardwatch.statements.cells import TextColumn, plain_cell
from cardwatch.statements.currencies import currency_column
from cardwatch.statements.dates import is_day, lack_nought, utc_midnights
from cardwatch.statements.profiles import HOLDER_FIELDS
from cardwatch.statements.words import word_set
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from cardwatch.statements.sheet import ParsedSheet


def take_by_content(sheet: ParsedSheet) -> None:
    """Take columns of codes for what they are, whatever their heading; empty placeholders."""
    _take_codes(sheet)
    _take_currency(sheet)
    _take_postings(sheet)
    _blank_placeholders(sheet)
    _pad_days(sheet)
    _tell_midnights(sheet)


def _pad_days(sheet: ParsedSheet) -> None:
    """Give days of eight digits the nought that a spreadsheet has cut in front."""
    for name in ("date", "posting_date"):
        column = sheet.column(name)
        if lack_nought(column.used):
            sheet.columns[name] = column.mapped(
                lambda text: plain_cell(text).zfill(8) if text.strip() else ""
            )
            sheet.decisions.append(f"days in '{sheet.sources[name]}' with the nought in front")


def _take_codes(sheet: ParsedSheet) -> None:
    """Take a column of categories whose every cell is four digits for the codes they are."""
    category = sheet.columns.get("category")
    if category is None or "mcc" in sheet.columns:
        return
    filled = [text.strip() for text in category.used if text.strip()]
    if filled and all(text.isdecimal() and 3 <= len(text) <= 4 for text in filled):
        sheet.take("mcc", sheet.drop("category"))
        sheet.decisions.append(f"merchant category codes from '{sheet.sources['mcc']}', by content")


def _take_currency(sheet: ParsedSheet) -> None:
    """Take a column whose every cell is a currency's code, where none has such a heading."""
    names = ("currency", "original_currency")
    is_named = any(name in sheet.columns for name in names)
    position = currency_column(sheet) if sheet.profile.is_general and not is_named else None
    if position is not None:
        name = names["original_amount" in sheet.columns]
        sheet.take(name, position)
        sheet.decisions.append(f"currencies from '{sheet.sources[name]}', by content")


def _take_postings(sheet: ParsedSheet) -> None:
    """Take a column such as `Posted` for the days of posting, if every filled cell is a day."""
    if "posting_date" in sheet.columns or not sheet.profile.is_general:
        return
    postings = word_set("heading_words", "posting")
    for position in sheet.unused:
        if normalise_heading(sheet.headings[position]) in postings:
            texts = [text for text in sheet.column_at(position).used if text.strip()]
            if texts and all(map(is_day, texts)):
                sheet.take("posting_date", position)
                return


def _blank_placeholders(sheet: ParsedSheet) -> None:
    """Empty the cells of holders and merchants that say only that something is missing."""
    words = pa.array(sorted(word_set("placeholders", "words")))
    for name in ("merchant", *HOLDER_FIELDS):
        if name in sheet.columns:
            column = sheet.columns[name]
            plain = pc.utf8_trim_whitespace(pc.utf8_lower(column.distinct))
            hidden = pc.is_in(plain, value_set=words)
            if pc.any(hidden).as_py():
                sheet.columns[name] = TextColumn(
                    column.codes, pc.if_else(hidden, "", column.distinct)
                )


def _tell_midnights(sheet: ParsedSheet) -> None:
    """Say that days are the ones after those printed, or may be, since all times are 23:00."""
    late, are_utc = utc_midnights(sheet.column("date").used)
    heading = sheet.sources["date"]
    if late and are_utc:
        sheet.decisions.append(
            f"days of '{heading}' printed with 23:00 UTC are the next, which begins then in "
            "British summer time"
        )
    elif late:
        sheet.notes.append(
            f"the times in '{heading}' are 23:00, as days that begin in British summer time "
            "are in UTC. If they are such, every day is one too early"
        )
