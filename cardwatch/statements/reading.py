"""Turns one table into transactions, with every row accounted for and every invariant checked."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.records import Check, Problem, ReadingReport
from cardwatch.statements import cells, checks
from cardwatch.statements.amounts import (
    AMOUNT_FAULTS,
    FAULTLESS,
    Amounts,
    is_home_currency,
    read_amounts,
    read_currency,
)
from cardwatch.statements.bookings import kind_by_words
from cardwatch.statements.cells import TextColumn, card_name, read_card
from cardwatch.statements.completeness import check_length
from cardwatch.statements.currencies import check_unit
from cardwatch.statements.date_orders import decide_date_order
from cardwatch.statements.direction import sign_amounts
from cardwatch.statements.groups import fill_days, fill_holders
from cardwatch.statements.holders import whole_name
from cardwatch.statements.legends import tell_unpaid_marks
from cardwatch.statements.lines import further_lines, line_items, read_vat
from cardwatch.statements.periods import check_period
from cardwatch.statements.places import (
    APART,
    BLANK,
    CONTROL,
    ENDED,
    HEADING,
    LINE,
    ROW,
    TEXT,
    TOTALS,
    check_totals,
    footnotes,
    place_rows,
)
from cardwatch.statements.printed_signs import described_as_refunds
from cardwatch.statements.profiles import FIELDS, HOLDER_FIELDS, Profile
from cardwatch.statements.sheet import ParsedSheet, ReadingChoices
from cardwatch.statements.states import tell_described, tell_paid_otherwise
from cardwatch.statements.sums import tell_other_amounts, without_sums
from cardwatch.statements.whole_list import check_levels, check_list
from cardwatch.tabular import Part, Table, normalise_heading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Kinds = np.ndarray[Any, np.dtype[np.object_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]
    Days = np.ndarray[Any, np.dtype[np.datetime64]]

TEXT_FIELDS = ("transaction_id", "merchant", "category", "cost_centre", "unit", "currency",
               "original_amount", "original_currency", "description", "holder_id", "employee_id",
               "account", "cardholder", "cardholder_first")  # fmt: skip
DOUBLED_DAY_ROWS, DOUBLED_DAY_SHARE = 20, 0.8
"""A day looks loaded twice when it has this many rows and this share of them in equal groups."""
REFERENCE_SHARE = 0.9
"""A column is a reference if at least this share of its filled cells are distinct."""
PROBLEM_MESSAGES = {
    "long_record": "the record has more fields than its form has",
    "type_unknown": "its code does not say whether it is a charge or a refund",
    "amount_unreadable": "its amount is no number, or says nothing of its decimals",
    "payments_together": "it is several payments, which the feed does not state one by one",
    "taken_back": "the feed takes back or corrects another payment, which is left to a person",
    "too_many_cells": "the row has more cells than headings, as an unquoted comma makes them",
    "bad_date": "the date is missing or is not a date",
    "date_implausible": "the date is before 2000 or years away from the others",
    "bad_amount": "the amount is missing, too large, or not an amount in whole pence",
    "no_billed_amount": "paid in a foreign currency without a billed amount in pounds",
    "two_amounts": "both the charge and the refund have an amount",
    "no_direction": "it is not clear whether it is a charge or a refund",
    "no_merchant": "the merchant is missing, or the file withholds it",
    "card_digits_lost": "a spreadsheet has cut the digits of the card number",
    "card_end_hidden": "the card number does not show its last four digits",
    "no_holder": "the cardholder is missing",
    "not_in_pounds": "the billed amount is not in pounds",
}
"""Problem codes of rows, each with its sentence."""
DAMAGED_REFERENCE = r"^\d(?:\.\d+)?[Ee]\+?\d+$"


def read_statement(table: Table, choices: ReadingChoices) -> tuple[pd.DataFrame, ReadingReport]:
    """Return one file's transactions and its reading report.

    The frame has the columns of a transactions frame except `holder_id`, and in its place one
    column for each way the file names its holder (`key_employee_id` and so on), since the best
    key is chosen over all files read.

    Raises:
        FileRefused: its columns, its dates or the direction of its amounts cannot be made out, or
            no row is a transaction.
    """
    if table.feed:
        choices = replace(choices, profiles=(feed_profile(table),), date_order="decide")
    sheet = without_sums(ParsedSheet(table, choices))
    order = decide_date_order(sheet)
    printed = read_amounts(sheet)
    dates = fill_days(sheet, printed, sheet.days("date", order))
    kinds = _kinds(sheet)
    place, outside = _places(sheet, printed, dates, kinds)
    check_unit(sheet, footnotes(sheet, place, dates))
    paid = (place == ROW) & ~outside & ~np.isnat(dates)
    pence, kinds = sign_amounts(sheet, printed, paid, kinds)
    amounts = replace(printed, pence=pence)
    place[_named_by_nobody(sheet) & (place == ROW) & (kinds == "payment")] = CONTROL
    if not table.feed:
        fill_holders(sheet, (place == ROW) & (kinds != "payment"), ~np.isnat(dates))
    problems = _find_problems(sheet, place == ROW, dates, amounts, outside)
    good = place == ROW
    good[[problem.row - table.rows.start for problem in problems]] = False
    items = {} if table.feed else _take_lines(sheet, place, good, dates, pence)
    _check_any(sheet, good, problems, place)
    frame = _frame(sheet, good, order, amounts, kinds)
    frame = frame.assign(vat=read_vat(sheet, good), line_items=_line_items(sheet, good, items))
    _check_invariants(sheet, place, good, order, pence)
    return frame, _report(sheet, place, good, problems, amounts, frame)


def _check_invariants(
    sheet: ParsedSheet, place: Codes, good: Flags, order: str, pence: Pence
) -> None:
    """Compare the payments with what else the file says of them; outcomes are in its report."""
    dates = sheet.days("date", order)
    tell_described(sheet, good)
    tell_paid_otherwise(sheet, good)
    tell_unpaid_marks(sheet, footnotes(sheet, place, dates), good)
    checks.tell_month_starts(sheet, dates, good)
    checks.tell_one_day(sheet, dates, good)
    checks.tell_other_year(sheet, dates, good)
    checks.tell_sum_of_others(sheet, good, pence)
    check_period(sheet, dates[good])
    checks.tell_other_holder(sheet, good)
    checks.check_bookings(sheet, dates, sheet.days("posting_date", order), good)
    check_length(sheet, place == TEXT, place == ROW, good, pence)
    checks.tell_sums(sheet, good)
    checks.tell_noughts(sheet, good, pence)
    check_levels(sheet, good, place == CONTROL, pence)
    checks.check_holders(sheet, good)


def _take_lines(
    sheet: ParsedSheet, place: Codes, good: Flags, dates: Days, pence: Pence
) -> dict[int, str]:
    """Set the place of further lines, which are no good rows; return the items of each payment.

    Raises:
        FileRefused: payments stand twice, parts do not come to theirs, or VAT has rows of its own.
    """
    check_list(sheet, place, good, dates, pence)
    checks.check_tax_rows(sheet, good, pence)
    lines = further_lines(sheet, good, dates, pence)
    items = line_items(sheet, good, lines, pence)
    place[lines >= 0], good[lines >= 0] = LINE, False
    return items


def _line_items(sheet: ParsedSheet, good: Flags, items: Mapping[int, str]) -> pd.Series[str]:
    """Return the line items of each good row: a feed's own, or those of further lines."""
    if sheet.table.feed or not items:
        return sheet.column("line_items").kept(good).texts()
    rows = np.flatnonzero(good).tolist()
    return pd.Series([items.get(row, "") for row in rows], dtype="str")


def _places(sheet: ParsedSheet, amounts: Amounts, dates: Days, kinds: Kinds) -> tuple[Codes, Flags]:
    """Return what every row is, and which have cells outside the columns.

    A bank feed's rows are payments: its other records are counted before.
    """
    if sheet.table.feed:
        rows = len(sheet.table.rows)
        return np.full(rows, ROW), np.zeros(rows, dtype=bool)
    place = place_rows(sheet, amounts, dates, kinds)
    return place, checks.cells_outside(sheet, amounts)


def _find_problems(
    sheet: ParsedSheet, rows: Flags, dates: Days, amounts: Amounts, outside: Flags
) -> list[Problem]:
    """Return the problem of each row that cannot be a transaction, the plainest cause first."""
    wrong = checks.days_implausible(sheet, dates, rows)
    faults = _feed_faults(sheet.table) | {
        "too_many_cells": ("", outside),
        "date_implausible": ("date", wrong),
    }
    return _problems(sheet, rows, faults | _find_faults(sheet, dates, amounts))


def feed_profile(table: Table) -> Profile:
    """Return the profile of a bank feed: its headings are fields, and nothing of it is decided."""
    assert table.feed is not None
    return Profile(
        table.feed.name,
        {heading: (heading,) for heading in table.headings},
        recognise=frozenset(map(normalise_heading, table.headings)),
        positive="charge",
        decimal="point",
        holders=table.feed.holders,
        is_shipped=True,
    )


def _kinds(sheet: ParsedSheet) -> Kinds:
    """Return what a bank feed says each row is, else what the merchant's words say."""
    by_words = sheet.column("merchant").each(kind_by_words, "object")
    if not sheet.table.feed:
        return by_words
    declared = sheet.column("kind").each(str, "object")
    return np.where(declared != "", declared, by_words)


def _feed_faults(table: Table) -> dict[str, tuple[str, Flags]]:
    """Return for each problem code of a bank feed the rows that have it."""
    faults: dict[str, tuple[str, Flags]] = {}
    for code, rows in (table.feed.faults if table.feed else {}).items():
        where = np.zeros(len(table.rows), dtype=bool)
        where[rows] = True
        faults[code] = ("", where)
    return faults


def _report(  # noqa: PLR0913, PLR0917  all that was found out about a file
    sheet: ParsedSheet,
    place: Codes,
    good: Flags,
    problems: Sequence[Problem],
    amounts: Amounts,
    frame: pd.DataFrame,
) -> ReadingReport:
    """Return what happened to every row of a file."""
    table = sheet.table
    tell_other_amounts(sheet, amounts)
    checks.tell_same_text(sheet, good)
    totals = check_totals(sheet, place == TOTALS, good, amounts.pence)
    turned = described_as_refunds(sheet) & (amounts.pence > 0)
    if (turned & good).any() and any(not total.agrees for total in totals):
        signed = np.where(turned, -amounts.pence, amounts.pence)
        checks.check_turned(sheet, check_totals(sheet, place == TOTALS, good, signed))
    checks.tell_totals(sheet, totals, good)
    counts: dict[str, Any] = {
        name: int((place == code).sum())
        for name, code in (
            ("blank", BLANK),
            ("headings", HEADING),
            ("ended", ENDED),
            ("text_lines", TEXT),
            ("balances", CONTROL),
            ("not_booked", APART),
            ("further_lines", LINE),
        )
    }
    if counts["not_booked"]:
        rows = quantity(counts["not_booked"], "row is", "rows are")
        sheet.notes.append(f"{rows} pending, declined, reversed or void, and not counted")
    return ReadingReport(
        file=table.file,
        sha256=table.sha256,
        form=table.form,
        layout=sheet.profile.name,
        columns=dict(sheet.sources),
        decisions=tuple(sheet.decisions),
        notes=tuple(sheet.notes),
        rows=len(table.rows),
        transactions=len(frame),
        totals=totals,
        problems=tuple(problems),
        pence=int(frame["amount_pence"].sum()),
        first_on=str(frame["date"].min().date()),
        last_on=str(frame["date"].max().date()),
        checks=tuple(sheet.checks),
        **counts,
    )


def _check_any(sheet: ParsedSheet, good: Flags, problems: Sequence[Problem], place: Codes) -> None:
    """Refuse a file of which no row is a transaction.

    Raises:
        FileRefused: there is none; the first problem is named.
    """
    if good.any():
        return
    reason = "it has no transactions that could be read"
    if problems:
        first = problems[0]
        reason += f". The first fault is in row {first.row}, column {first.column}: {first.message}"
    elif (place == APART).any():
        reason += ": none is posted"
    raise FileRefused(sheet.table.file, "no_transactions", reason)


def read_rows(
    file: str, rows: Sequence[Mapping[str, str]], choices: ReadingChoices
) -> tuple[pd.DataFrame, ReadingReport]:
    """Return transactions that are given field by field, and their reading report.

    Args:
        file: a name for them.
        rows: for each transaction the fields it has, named as in `FIELDS`.
        choices: the card key is taken from it; fields need no profile.

    Raises:
        FileRefused: a field is missing in all of them, or no row is a transaction.
    """
    field_names = [name for name in FIELDS if any(name in row for row in rows)]
    columns = [[row.get(name, "") for row in rows] for name in field_names]
    table_cells = pa.table(
        [pa.array(column, pa.string()).dictionary_encode() for column in columns],
        [str(index) for index in range(len(field_names))],
    )
    text = json.dumps([list(row.items()) for row in rows], ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    table = Table(
        file,
        digest,
        "csv",
        tuple(field_names),
        0,
        table_cells,
        range(1, len(rows) + 1),
        parts=(Part("", 0, 1),),
    )
    fields = Profile("fields", {name: (name,) for name in FIELDS}, positive="charge")
    return read_statement(table, replace(choices, profiles=(fields,)))


def _named_by_nobody(sheet: ParsedSheet) -> Flags:
    """Return which rows name no holder in any way."""
    key = sheet.choices.card_key
    filled_cells = [sheet.column(name).matches(cells.FILLED) for name in HOLDER_FIELDS[:-1]]
    filled_cells.append(
        sheet.column("card_number").each(lambda text: bool(card_name(text, key)), "bool")
    )
    return ~np.logical_or.reduce(filled_cells)


def _find_faults(sheet: ParsedSheet, dates: Days, amounts: Amounts) -> dict[str, tuple[str, Flags]]:
    """Return for each problem code the field it is about and the rows that have it."""
    nobody, card = _named_by_nobody(sheet), sheet.column("card_number")
    lost = card.each(
        lambda text: bool(cells.SCIENTIFIC_NUMBER.fullmatch(cells.plain_cell(text))), "bool"
    )
    hidden = card.matches(r"\d")
    return {
        "bad_date": ("date", np.isnat(dates)),
        "bad_amount": ("amount", ~amounts.given),
        "bad_amount_form": ("amount", amounts.fault == AMOUNT_FAULTS.index("bad_amount")),
        **{
            code: ("amount", amounts.fault == number)
            for number, code in enumerate(AMOUNT_FAULTS)
            if number != FAULTLESS and code != "bad_amount"
        },
        "no_merchant": ("merchant", sheet.column("merchant").matches(cells.BLANK)),
        "card_digits_lost": ("holder_id", nobody & lost),
        "card_end_hidden": ("holder_id", nobody & hidden),
        "no_holder": ("holder_id", nobody),
        "not_in_pounds": ("currency", ~sheet.column("currency").each(is_home_currency, "bool")),
    }


def _problems(
    sheet: ParsedSheet, rows: Flags, faults: Mapping[str, tuple[str, Flags]]
) -> list[Problem]:
    """Return the first fault of each row that cannot be a transaction."""
    problems: dict[int, Problem] = {}
    for name, (field, where) in faults.items():
        code = name.removesuffix("_form")
        among = HOLDER_FIELDS if field == "holder_id" else (field,)
        heading = next((sheet.sources[f] for f in reversed(among) if f in sheet.sources), field)
        for i in map(int, np.flatnonzero(rows & where)):
            place = sheet.table.place(i)
            message = (
                PROBLEM_MESSAGES[code] + _looks(sheet, field, i) + (f", {place}" if place else "")
            )
            row = sheet.table.rows[i]
            problems.setdefault(i, Problem(sheet.table.file, row, heading, code, message))
    return [problems[i] for i in sorted(problems)]


def _looks(sheet: ParsedSheet, field: str, index: int) -> str:
    """Say what shape a faulty date or amount has, without what it says."""
    column = sheet.column(field)
    text = column.values[column.codes[index]].strip()
    is_described = field in {"date", "amount"} and text
    return f" (written as '{cells.shape_of(text)}', with 9 for any digit)" if is_described else ""


def _frame(
    sheet: ParsedSheet, good: Flags, order: str, amounts: Amounts, kinds: Kinds
) -> pd.DataFrame:
    """Put the good rows together as a frame."""
    text = {name: sheet.tidy(name).kept(good) for name in TEXT_FIELDS}
    merchant, key = text["merchant"], sheet.choices.card_key
    card = sheet.column("card_number").kept(good)
    pence = amounts.pence[good]
    kind = _kind_column(kinds[good], pence)
    currency = text["currency"].mapped(read_currency)
    own_words = int((~kind.matches("^(?:purchase|refund)$")).sum())
    if own_words:
        rows = quantity(own_words, "row is an entry", "rows are entries")
        sheet.notes.append(
            f"{rows} of the bank and not {plural(own_words, 'a purchase', 'purchases')}"
        )
    frame = pd.DataFrame(
        {
            "transaction_id": _references(sheet, text["transaction_id"]).text_array(),
            "date": sheet.days("date", order)[good].astype("datetime64[s]"),
            "posting_date": sheet.days("posting_date", order)[good].astype("datetime64[s]"),
            "card_last4": card.mapped(lambda t: read_card(t, key)[0]).text_array(),
            "card_token": card.mapped(lambda t: read_card(t, key)[1]).text_array(),
            "merchant": merchant.text_array(),
            "mcc": sheet.column("mcc").kept(good).mapped(read_mcc).text_array(),
            "category": text["category"].text_array(),
            "cost_centre": text["cost_centre"].filled(text["unit"]).text_array(),
            "unit": text["unit"].text_array(),
            "amount_pence": pence,
            "currency": currency.text_array(),
            "original_amount": text["original_amount"].text_array(),
            "original_currency": text["original_currency"].mapped(read_currency).text_array(),
            "kind": kind.text_array(),
            "description": text["description"].text_array(),
            "file": TextColumn.of_one(sheet.table.file, len(pence)).text_array(),
            "row": np.arange(sheet.table.rows.start, sheet.table.rows.stop)[good],
        }
    )
    for name in HOLDER_FIELDS:
        if name in sheet.columns:
            holder = card if name == "card_number" else text[name]
            frame[f"key_{name}"] = _holder_keys(sheet, name, holder, text["cardholder_first"])
    frame["day_doubled"] = _doubled_days(sheet, good, frame)
    return frame


def _kind_column(kinds: Kinds, pence: Pence) -> TextColumn:
    """Return the kind of each row; one that nothing names is by the sign of its amount."""
    codes, words = pd.factorize(kinds)
    by_sign = (words == "")[codes]
    distinct = pa.array([*words, "purchase", "refund"])
    return TextColumn(np.where(by_sign, len(words) + (pence < 0), codes), distinct)


def _references(sheet: ParsedSheet, column: TextColumn) -> TextColumn:
    """Return the issuer's references, or none where the column does not tell payments apart."""
    column = (
        column.mapped(cells.read_reference) if column.matches(DAMAGED_REFERENCE).any() else column
    )
    if len(column.distinct) < REFERENCE_SHARE * column.matches(cells.FILLED).sum():
        heading = sheet.sources["transaction_id"]
        sheet.notes.append(f"'{heading}' has repeated values, so it is not used as a reference")
        return TextColumn.absent(len(column.codes))
    return column


def _holder_keys(
    sheet: ParsedSheet, name: str, holder: TextColumn, first: TextColumn
) -> pd.Series[str]:
    """Return who paid, by one of the columns that say so."""
    if name == "card_number":
        return holder.mapped(lambda text: card_name(text, sheet.choices.card_key)).texts()
    strip = sheet.profile.holder_strip
    keys = holder.mapped(lambda t: re.sub(strip, "", t) if strip else t).texts()
    if name == "cardholder" and "cardholder_first" in sheet.columns:
        pairs = pd.DataFrame({"first": first.texts(), "name": keys})
        distinct = pairs.drop_duplicates()
        named = distinct.assign(whole=list(map(whole_name, distinct["first"], distinct["name"])))
        return pairs.merge(named, how="left", on=["first", "name"])["whole"].astype("str")
    return keys


def _doubled_days(sheet: ParsedSheet, good: Flags, frame: pd.DataFrame) -> pd.Series[bool]:
    """Mark the days of which most rows stand in groups of equal rows: loaded twice, perhaps."""
    if (frame["transaction_id"] != "").all():  # most payments have a reference of their own
        codes = sheet.column("transaction_id").codes[good]
        checks.tell_equal_rows(sheet, good, np.bincount(codes)[codes] > 1, own=True)
        return pd.Series(data=False, index=frame.index)
    keys = [column for column in map(str, frame) if column.startswith("key_")]
    repeated = frame.duplicated(["date", "merchant", "amount_pence", *keys], keep=False)
    checks.tell_equal_rows(sheet, good, repeated.to_numpy(), own=False)
    days = repeated.groupby(frame["date"]).agg(["size", "mean"])
    doubled = days.index[(days["size"] >= DOUBLED_DAY_ROWS) & (days["mean"] >= DOUBLED_DAY_SHARE)]
    if len(doubled):
        listed = ", ".join(str(day.date()) for day in doubled)
        sheet.notes.append(f"these days look loaded twice: {listed}; equal rows on them are kept")
    sentence = (
        f"{len(doubled)} days look loaded twice" if len(doubled) else "no day looks loaded twice"
    )
    sheet.checks.append(Check("repeats", not len(doubled), sentence))
    return frame["date"].isin(doubled)


def read_mcc(text: str) -> str:
    """Return a merchant category code as four digits, or empty; 0000 means unknown."""
    digits = text.strip().removesuffix(".0")
    if not re.fullmatch(r"\d{1,4}", digits) or not int(digits):
        return ""
    return digits.zfill(4)
