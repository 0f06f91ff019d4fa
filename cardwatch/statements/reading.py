"""Turns one table into transactions, with every row accounted for."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural
from cardwatch.records import Problem, ReadingReport, Total
from cardwatch.statements import cells
from cardwatch.statements.amounts import (
    AMOUNT_FAULTS,
    FAULTLESS,
    HOME,
    Amounts,
    read_amounts,
    read_currency,
)
from cardwatch.statements.cells import Coded, card_name, read_card
from cardwatch.statements.profiles import FIELDS, HOLDER_FIELDS, Profile, choose_profile
from cardwatch.tabular import Table, normalise_heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]
    Days = np.ndarray[Any, np.dtype[np.datetime64]]

TEXT_FIELDS = ("transaction_id", "merchant", "category", "cost_centre", "unit", "currency",
               "original_amount", "original_currency", "description", "holder_id", "employee_id",
               "account", "cardholder", "cardholder_first")  # fmt: skip
DOUBLED_DAY_ROWS, DOUBLED_DAY_SHARE = 20, 0.8
"""A day looks loaded twice when it has this many rows and this share of them in equal groups."""
REFERENCE_SHARE = 0.9
"""A column is a reference if at least this share of its filled cells are distinct."""
MESSAGES = {
    "bad_date": "the date is missing or is no day",
    "bad_amount": "the amount is missing or is not an amount in whole pence",
    "no_billed_amount": "paid in another currency, and no billed amount in pounds is given",
    "two_amounts": "both the charge and the refund are filled",
    "no_direction": "nothing says whether it is a charge or a refund",
    "no_merchant": "the merchant is missing",
    "no_holder": "nothing says who paid",
    "not_in_pounds": "the billed amount is not in pounds",
}
"""Problem codes of rows, each with its sentence."""
ROW, BLANK, HEADING, TOTALS, ENDED = range(5)
"""The places a row of a file can have."""
DAMAGED = r"^\d(?:\.\d+)?[Ee]\+?\d+$"
TOTAL = r"(?i)\b(?:sub-?|grand )?total\b"
SAY_ORDER = (
    "Say which: with 'Order of the dates' on the page, '--date-order' of the command, 'date_order' "
    "of the service"
)
POSTING_LAG_DAYS = 45
"""Issuers book a payment on or after its day and rarely more than a month later."""


@dataclass(frozen=True)
class ReadingChoices:
    """What a person may say about statements before they are read.

    Attributes:
        profiles: layouts to try, in order.
        card_key: secret under which card numbers are hashed.
        date_order: decide, day-first or month-first; said here it beats the profile.
    """

    profiles: Sequence[Profile]
    card_key: bytes
    date_order: str = "decide"


class Reading:
    """One file on its way: the table, where its columns are, and what has been found out."""

    def __init__(self, table: Table, choices: ReadingChoices) -> None:
        """Choose the layout and take the columns it names."""
        self.table, self.choices = table, choices
        self.headings = tuple(cells.redact_cards(h, choices.card_key) for h in table.headings)
        self.profile, self.at = choose_profile(table.file, self.headings, choices.profiles)
        self.decisions, self.notes = list(table.decisions), list(table.notes)
        self.columns = {name: Coded.of(table.cells[str(at)]) for name, at in self.at.items()}

    def column(self, name: str) -> Coded:
        """Return one field as printed; empty text where the file has no such column."""
        return self.columns.get(name) or Coded.absent(len(self.table.rows))

    def tidy(self, name: str) -> Coded:
        """Return one field with spaces collapsed and card numbers cut."""
        return self.column(name).tidied(self.choices.card_key)

    def days(self, name: str, order: str) -> Days:
        """Return one field as days; not a day where it is none."""
        serial = self.table.is_workbook
        return self.column(name).each(
            lambda text: cells.read_date(text, order, serial=serial), "datetime64[D]"
        )


def read_statement(table: Table, choices: ReadingChoices) -> tuple[pd.DataFrame, ReadingReport]:
    """Return one file's transactions and its reading report.

    The frame has the columns of a transactions frame except `holder_id`, and in its place one
    column for each way the file names its holder (`key_employee_id` and so on), since the best
    key is chosen over all files read.

    Raises:
        FileRefused: its columns or its dates cannot be made out, or no row is a transaction.
    """
    reading = Reading(table, choices)
    order = _decide_date_order(reading)
    dates, amounts = reading.days("date", order), read_amounts(reading)
    place = _place_rows(reading, amounts)
    problems = _find_problems(reading, place == ROW, dates, amounts)
    good = place == ROW
    good[[problem.row - table.rows.start for problem in problems]] = False
    if not good.any():
        what = "no row of it is a transaction"
        if problems:
            first = problems[0]
            what += f". The first, row {first.row}, column {first.column}: {first.message}"
        raise FileRefused(table.file, "no_transactions", what)
    frame = _frame(reading, good, order, amounts)
    report = ReadingReport(
        file=table.file,
        sha256=table.sha256,
        form=table.form,
        layout=reading.profile.name,
        columns={name: reading.headings[i] for name, i in reading.at.items()},
        decisions=tuple(reading.decisions),
        notes=tuple(reading.notes),
        rows=len(table.rows),
        transactions=len(frame),
        blank=int((place == BLANK).sum()),
        headings=int((place == HEADING).sum()),
        ended=int((place == ENDED).sum()),
        totals=_check_totals(table, place == TOTALS, good, amounts.pence),
        problems=tuple(problems),
        pence=int(frame["amount_pence"].sum()),
        first_on=str(frame["date"].min().date()),
        last_on=str(frame["date"].max().date()),
    )
    return frame, report


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
    named = [name for name in FIELDS if any(name in row for row in rows)]
    columns = [[row.get(name, "") for row in rows] for name in named]
    cells = pa.table(
        [pa.array(column, pa.string()).dictionary_encode() for column in columns],
        [str(at) for at in range(len(named))],
    )
    text = json.dumps([list(row.items()) for row in rows], ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    table = Table(file, digest, "csv", tuple(named), 0, cells, range(1, len(rows) + 1))
    fields = Profile("fields", {name: (name,) for name in FIELDS})
    return read_statement(table, replace(choices, profiles=(fields,)))


def _decide_date_order(reading: Reading) -> str:
    """Decide once for the file whether days or months come first, and say how.

    Evidence in this order: what a person said; dates that only one order allows; the order under
    which no payment is booked before its day or long after it.

    Raises:
        FileRefused: the dates contradict each other or decide nothing.
    """
    said = reading.choices.date_order
    said = reading.profile.date_order if said == "decide" else said
    if said != "decide":
        reading.decisions.append(f"dates {said}, as told")
        return said
    texts = [*reading.column("date").values, *reading.column("posting_date").values]
    order, decision = order_by_dates(texts, reading.table.file)
    if not order:
        fitting = [order for order in ("day-first", "month-first") if _lags_fit(reading, order)]
        if len(fitting) != 1:
            raise order_unknown(reading.table.file)
        order, decision = fitting[0], f"dates {fitting[0]}: only so does no booking precede its day"
    reading.decisions.append(decision)
    return order


def order_by_dates(texts: Iterable[str], file: str) -> tuple[str, str]:
    """Return the order that some dates allow, with how that was decided; empty if they do not say.

    Raises:
        FileRefused: some allow one order only and some only the other.
    """
    votes = cells.possible_orders(texts)
    day, month = votes["day-first"], votes["month-first"]
    if day and month:
        what = f"{day} of its dates can only be day-first and {month} only month-first. {SAY_ORDER}"
        raise FileRefused(file, "date_order_mixed", what)
    if day or month:
        order = "day-first" if day else "month-first"
        return order, f"dates {order}: {day or month} distinct dates allow nothing else"
    return ("", "") if votes["either"] else ("day-first", "dates state their order")


def order_unknown(file: str) -> FileRefused:
    """Return the refusal of a file whose dates do not say whether days or months come first."""
    what = f"its dates do not show whether days or months come first. {SAY_ORDER}"
    return FileRefused(file, "date_order_unknown", what)


def _lags_fit(reading: Reading, order: str) -> bool:
    """Return whether every booking follows its payment soon under this order."""
    lag = (reading.days("posting_date", order) - reading.days("date", order)).astype("float")
    known = lag[np.isfinite(lag)]
    return len(known) > 0 and bool(((known >= 0) & (known <= POSTING_LAG_DAYS)).all())


def _place_rows(reading: Reading, amounts: Amounts) -> Codes:
    """Return for every row what it is: one of the places a row can have."""
    table, date = reading.table, reading.column("date")
    everything = [Coded.of(column) for column in table.cells.columns]
    heading = normalise_heading(table.headings[reading.at["date"]])
    place = np.full(len(table.rows), ROW)
    undated = date.matches(cells.BLANK) | date.matches(TOTAL)
    if undated.any():  # most files have a day in every row, and need not be searched further
        named = ("merchant", "date", *HOLDER_FIELDS, "cost_centre", "description")
        totals = np.logical_or.reduce([reading.column(name).matches(TOTAL) for name in named])
        totals |= reading.column("merchant").matches(cells.BLANK)
        place[undated & amounts.in_total & totals] = TOTALS
        place[np.logical_and.reduce([c.matches(cells.BLANK) for c in everything])] = BLANK
    place[date.each(lambda text: normalise_heading(text) == heading, "bool")] = HEADING
    if mark := reading.profile.end_mark:
        pattern = rf"^\s*{re.escape(mark)}\s*$"
        marked = np.logical_or.reduce([column.matches(pattern) for column in everything])
        if marked.any():
            place[int(marked.argmax()) :] = ENDED
    return place


def _find_problems(reading: Reading, rows: Flags, dates: Days, amounts: Amounts) -> list[Problem]:
    """Return the first fault of each row that cannot be a transaction."""
    held = [reading.column(name).matches(cells.FILLED) for name in HOLDER_FIELDS[:-1]]
    key = reading.choices.card_key
    held.append(reading.column("card_number").each(lambda t: bool(read_card(t, key)[0]), "bool"))
    checks: list[tuple[str, str, Flags]] = [
        ("date", "bad_date", np.isnat(dates)),
        ("amount", "bad_amount", ~amounts.given),
        *(("amount", c, amounts.fault == n) for n, c in enumerate(AMOUNT_FAULTS) if n != FAULTLESS),
        ("merchant", "no_merchant", reading.column("merchant").matches(cells.BLANK)),
        ("holder_id", "no_holder", ~np.logical_or.reduce(held)),
        ("currency", "not_in_pounds", ~reading.column("currency").matches(HOME)),
    ]
    found: dict[int, Problem] = {}
    for field, code, where in checks:
        among = HOLDER_FIELDS if field == "holder_id" else (field,)
        at = next((reading.at[name] for name in among if name in reading.at), None)
        heading = reading.headings[at] if at is not None else field
        for i in map(int, np.flatnonzero(rows & where)):
            message = MESSAGES[code] + _looks(reading, field, i)
            row = reading.table.rows[i]
            found.setdefault(i, Problem(reading.table.file, row, heading, code, message))
    return [found[i] for i in sorted(found)]


def _looks(reading: Reading, field: str, index: int) -> str:
    """Say what shape a faulty date or amount has, without what it says."""
    column = reading.column(field)
    text = column.values[column.codes[index]].strip()
    seen = field in {"date", "amount"} and text
    return f" (it looks like '{cells.shape_of(text)}')" if seen else ""


def _check_totals(table: Table, totals: Flags, good: Flags, pence: Pence) -> tuple[Total, ...]:
    """Compare each total with the rows since the last one and with all the rows above it."""
    running = np.cumsum(np.where(good, pence, 0))
    found, before = [], 0
    for i in map(int, np.flatnonzero(totals)):
        declared, whole = int(pence[i]), int(running[i])
        found.append(Total(table.rows[i], declared, whole if declared == whole else whole - before))
        before = whole
    return tuple(found)


def _frame(reading: Reading, good: Flags, order: str, amounts: Amounts) -> pd.DataFrame:
    """Put the good rows together as a frame."""
    text = {name: reading.tidy(name).kept(good) for name in TEXT_FIELDS}
    merchant, key = text["merchant"], reading.choices.card_key
    card = reading.column("card_number").kept(good)
    pence = amounts.pence[good]
    kinds = merchant.each(kind_by_words, "object")
    kinds = np.where(kinds != "", kinds, np.where(pence < 0, "refund", "purchase"))
    currency = text["currency"].mapped(read_currency)
    own_words = int((~np.isin(kinds, ["purchase", "refund"])).sum())
    if own_words:
        rows = plural(own_words, "row is", "rows are")
        reading.notes.append(f"{own_words} {rows} the bank's own bookings and no purchases")
    frame = pd.DataFrame(
        {
            "transaction_id": _references(reading, text["transaction_id"]).texts(),
            "date": reading.days("date", order)[good].astype("datetime64[s]"),
            "posting_date": reading.days("posting_date", order)[good].astype("datetime64[s]"),
            "card_last4": card.mapped(lambda t: read_card(t, key)[0]).texts(),
            "card_token": card.mapped(lambda t: read_card(t, key)[1]).texts(),
            "merchant": merchant.texts(),
            "mcc": reading.column("mcc").kept(good).mapped(read_mcc).texts(),
            "category": text["category"].texts(),
            "cost_centre": text["cost_centre"].filled(text["unit"]).texts(),
            "unit": text["unit"].texts(),
            "amount_pence": pence,
            "currency": currency.texts(),
            "original_amount": text["original_amount"].texts(),
            "original_currency": text["original_currency"].mapped(read_currency).texts(),
            "kind": pd.Series(kinds, dtype="str"),
            "description": text["description"].texts(),
            "file": reading.table.file,
            "row": np.arange(reading.table.rows.start, reading.table.rows.stop)[good],
        }
    )
    for name in HOLDER_FIELDS:
        if name in reading.at:
            holder = card if name == "card_number" else text[name]
            frame[f"key_{name}"] = _holder_keys(reading, name, holder, text["cardholder_first"])
    frame["day_doubled"] = _doubled_days(reading, frame)
    return frame


def _references(reading: Reading, column: Coded) -> Coded:
    """Return the issuer's references, or none where the column does not tell payments apart."""
    column = column.mapped(cells.read_reference) if column.matches(DAMAGED).any() else column
    if len(column.distinct) < REFERENCE_SHARE * column.matches(cells.FILLED).sum():
        heading = reading.headings[reading.at["transaction_id"]]
        reading.notes.append(f"'{heading}' repeats, so it is not used as a reference")
        return Coded.absent(len(column.codes))
    return column


def _holder_keys(reading: Reading, name: str, holder: Coded, first: Coded) -> pd.Series[str]:
    """Return who paid, by one of the columns that say so."""
    if name == "card_number":
        return holder.mapped(lambda text: card_name(text, reading.choices.card_key)).texts()
    strip = reading.profile.holder_strip
    keys = holder.mapped(lambda t: re.sub(strip, "", t) if strip else t).texts()
    if name == "cardholder" and "cardholder_first" in reading.at:
        return (first.texts() + " " + keys).str.strip()
    return keys


def _doubled_days(reading: Reading, frame: pd.DataFrame) -> pd.Series[bool]:
    """Mark the days of which most rows stand in groups of equal rows: loaded twice, perhaps."""
    if (frame["transaction_id"] != "").all():  # each payment has a reference of its own
        return pd.Series(data=False, index=frame.index)
    keys = [column for column in map(str, frame) if column.startswith("key_")]
    repeated = frame.duplicated(["date", "merchant", "amount_pence", *keys], keep=False)
    days = repeated.groupby(frame["date"]).agg(["size", "mean"])
    doubled = days.index[(days["size"] >= DOUBLED_DAY_ROWS) & (days["mean"] >= DOUBLED_DAY_SHARE)]
    if len(doubled):
        listed = ", ".join(str(day.date()) for day in doubled)
        reading.notes.append(f"these days look loaded twice: {listed}; equal rows on them are kept")
    return frame["date"].isin(doubled)


@cache
def _booking_words() -> dict[str, re.Pattern[str]]:
    text = (resources.files("cardwatch.statements") / "bookings.toml").read_text(encoding="utf-8")
    words = {kind: "|".join(patterns) for kind, patterns in tomllib.loads(text).items()}
    words["any"] = "|".join(words.values())
    return {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in words.items()}


def kind_by_words(merchant: str) -> str:
    """Return payment, fee, adjustment or cash where the merchant text is the bank's own words."""
    tidy = " ".join(merchant.split())
    if not _booking_words()["any"].search(tidy):
        return ""
    return next((kind for kind, words in _booking_words().items() if words.search(tidy)), "")


def read_mcc(text: str) -> str:
    """Return a merchant category code as four digits, or empty; 0000 means unknown."""
    digits = text.strip().removesuffix(".0")
    if not re.fullmatch(r"\d{1,4}", digits) or not int(digits):
        return ""
    return digits.zfill(4)
