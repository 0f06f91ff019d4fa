"""Finds payments that stand on several rows, by coding line or item, and counts each once."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cardwatch.errors import FileRefused
from cardwatch.line_items import write_line_items
from cardwatch.quantities import quantity
from cardwatch.records import LineItem
from cardwatch.statements import cells
from cardwatch.statements.amounts import FAULTLESS, read_column
from cardwatch.statements.cells import FILLED, TextColumn
from cardwatch.statements.money_columns import money_columns
from cardwatch.statements.profiles import HOLDER_FIELDS
from cardwatch.statements.words import plain_word, words_with_meaning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.sheet import ParsedSheet

    Codes = np.ndarray[Any, np.dtype[np.integer[Any]]]
    Days = np.ndarray[Any, np.dtype[np.datetime64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

ITEM_FIELDS = ("description", "category", "cost_centre", "unit")
"""Fields that may say what a line item is, the best first."""
MOST_KINDS = 25
"""A column that says what a row is has no more distinct texts than this."""
FEW_SUMS = 2
"""So many payments with several parts each do not come to the sums above them by chance."""
SAME_PAYMENT = 0.99
"""A column of references names payments if so large a share of them have one day, merchant and
amount each; otherwise it names an account or a batch."""


def further_lines(sheet: ParsedSheet, good: Flags, dates: Days, pence: Pence) -> Pence:
    """Return for every row which row before has its payment, where it is a part or item; else -1.

    Proved by a column that says which rows are parts, or of parts that come to the amount; or by a
    reference that stands on several rows with the same day, merchant and amount and other cells
    that differ.

    Raises:
        FileRefused: parts do not come to their payment, or VAT has rows of its own.
    """
    part = sheet.line_amounts
    if (kinds := _line_kinds(sheet, good)) is not None:
        lines = _by_kind(sheet, good, kinds, pence)
    elif part is not None and part not in sheet.positions.values():
        lines = _by_parts(sheet, good, _payments(sheet, dates, pence), part)
    else:
        lines = _by_reference(sheet, good, dates, pence)
        lines |= _by_sums(sheet, good, _payments(sheet, dates, pence))
        if not lines.any():
            lines = _beside_sums(sheet, good, dates, pence)
    if count := int(lines.sum()):
        rows = quantity(count, "row is a further line", "rows are further lines")
        sheet.notes.append(f"{rows} of a payment that is counted once with its whole amount")
    return _owners(sheet, good, lines)


def _owners(sheet: ParsedSheet, good: Flags, lines: Flags) -> Pence:
    """Return for every further line the row of its payment, and -1 for all other rows.

    That is the last payment above it, or where it has a reference, the last one with the same; the
    next one below where the first line stands above all payments.
    """
    rows = np.arange(len(good))
    owners = np.maximum.accumulate(np.where(good & ~lines, rows, 0))
    if lines.any() and not (good & ~lines)[: lines.argmax()].any():  # their sums stand below them
        owners = np.minimum.accumulate(np.where(good & ~lines, rows, rows[-1])[::-1])[::-1]
    if "transaction_id" in sheet.columns and lines.any():
        column = sheet.columns["transaction_id"]
        first = dict(zip(*np.unique(column.codes[good & ~lines], return_index=True), strict=True))
        rows = np.flatnonzero(good & ~lines)
        for row in np.flatnonzero(lines & column.matches(FILLED)).tolist():
            if (code := column.codes[row]) in first:
                owners[row] = rows[first[code]]
    return np.where(lines, owners, -1)


def line_items(sheet: ParsedSheet, good: Flags, lines: Pence, pence: Pence) -> dict[int, str]:
    """Return for each payment on several rows its line items, as they are kept.

    Args:
        sheet: the file.
        good: which rows are payments or further lines of them.
        lines: for every row the row that has its payment, or -1; see `further_lines`.
        pence: amount of every row.
    """
    if not (lines >= 0).any():
        return {}
    has_own = _line_kinds(sheet, good) is not None or _are_parts(lines, pence)
    place = sheet.line_amounts
    part = None if place is None else read_column(sheet.column_at(place), ".")
    vat = _vat(sheet)
    columns = [sheet.tidy(name) for name in ITEM_FIELDS if name in sheet.columns]
    rows: dict[int, list[int]] = {}
    for row in np.flatnonzero(lines >= 0).tolist():
        owner = int(lines[row])
        rows.setdefault(owner, [] if has_own else [owner]).append(row)

    def item(row: int) -> LineItem:
        texts = (column.values[column.codes[row]] for column in columns)
        amount = int(pence[row]) if has_own else _pence_at(part, row)
        return LineItem(next(filter(None, texts), ""), amount, _pence_at(vat, row))

    return {owner: write_line_items([item(row) for row in own]) for owner, own in rows.items()}


def _are_parts(lines: Pence, pence: Pence) -> bool:
    """Return whether the amounts of further lines are those of parts, which come to the payment."""
    rows = np.flatnonzero(lines >= 0)
    owners, group, sizes = np.unique(lines[rows], return_inverse=True, return_counts=True)
    sums = np.bincount(group, weights=pence[rows])
    return bool(sizes.max() > 1 and (sums == pence[owners]).all())


def read_vat(sheet: ParsedSheet, good: Flags) -> pd.Series[str]:
    """Return the VAT of each payment in pounds, as a feed or a column of it says; else empty."""
    column = _vat_column(sheet)
    if column is None:
        return sheet.column("vat").kept(good).texts()
    texts = [cells.read_pence(text, ".") if text.strip() else None for text in column.values]
    pounds = ["" if value is None else f"{value / 100:.2f}" for value in texts]
    return TextColumn(column.codes, pa.array(pounds, pa.string())).kept(good).texts()


def _vat_column(sheet: ParsedSheet) -> TextColumn | None:
    """Return the column of VAT; none where there is no such column, or it serves another field."""
    position = None if sheet.table.feed else money_columns(sheet.headings).tax
    used = position is None or position in sheet.positions.values()
    return None if position is None or used else sheet.column_at(position)


def _vat(sheet: ParsedSheet) -> Amounts | None:
    """Return the amounts of VAT; none without a column of it."""
    column = _vat_column(sheet)
    return None if column is None else read_column(column, ".")


def _pence_at(amounts: Amounts | None, row: int) -> int | None:
    """Return the pence of a row; none where nothing that can be read stands there."""
    readable = amounts is not None and amounts.given[row] and amounts.fault[row] == FAULTLESS
    return int(amounts.pence[row]) if amounts is not None and readable else None


def _line_kinds(sheet: ParsedSheet, good: Flags) -> tuple[str, Flags] | None:
    """Return the column that says which rows are parts of a payment, and these; none without one.

    Raises:
        FileRefused: one says that VAT has rows of its own.
    """
    meanings = words_with_meaning("lines")
    texts = [sheet.positions[n] for n in ("category", "description") if n in sheet.positions]
    for position in [*sheet.unused, *texts]:
        column = sheet.column_at(position)
        if len(column.distinct) > MOST_KINDS:
            continue
        kinds = np.array([meanings.get(plain_word(text), "") for text in column.values])
        used = set(kinds[np.flatnonzero(np.bincount(column.codes[good]))].tolist())
        heading = sheet.headings[position]
        if used == {"net", "tax"}:
            reason = (
                f"column '{heading}' puts VAT on rows of its own, so a payment is on two rows. "
                "Export it with a row for each payment, VAT in a column"
            )
            raise FileRefused(sheet.table.file, "tax_rows", reason)
        is_expense = used == {"net", "part"} and position in sheet.unused
        if used == {"payment", "part"} or is_expense:
            return heading, good & (kinds == "part")[column.codes]
    return None


def _by_kind(sheet: ParsedSheet, good: Flags, kinds: tuple[str, Flags], pence: Pence) -> Flags:
    """Return the rows that a column calls parts, which come to the payment above them.

    Raises:
        FileRefused: those of a payment do not.
    """
    heading, parts = kinds
    payment = np.cumsum(good & ~parts)
    sums = np.bincount(payment[parts], weights=pence[parts], minlength=int(payment[-1]) + 1)
    whole = np.bincount(payment[good & ~parts], weights=pence[good & ~parts], minlength=len(sums))
    divided = np.unique(payment[parts])
    if (sums[divided] != whole[divided]).any():
        reason = (
            f"column '{heading}' says which rows are parts of a payment, and some do not come to "
            "it. Export it with a row for each payment"
        )
        raise FileRefused(sheet.table.file, "lines_unclear", reason)
    return parts


def _payments(sheet: ParsedSheet, dates: Days, pence: Pence) -> dict[str, Codes]:
    """Return for every row what tells its payment from another."""
    names = ("transaction_id", "posting_date", "merchant", *HOLDER_FIELDS)
    codes = {name: sheet.columns[name].codes for name in names if name in sheet.columns}
    return {"date": dates.astype("int64"), "pence": pence, **codes}


def _by_parts(sheet: ParsedSheet, good: Flags, payments: Mapping[str, Codes], part: int) -> Flags:
    """Return the further lines whose parts, row by row, come to the amount that each repeats.

    The parts may be without VAT, which stands beside them.
    """
    parts, vat = read_column(sheet.column_at(part), ".").pence, _vat(sheet)
    good_payments = pd.DataFrame(payments)[good]
    group = (good_payments != good_payments.shift()).any(axis=1).cumsum()

    def compare(parts: Pence) -> tuple[int, pd.Series[bool]]:
        """Return how many rows are not explained, and which are parts of a payment."""
        frame = pd.DataFrame(
            {"part": np.abs(parts[good]), "amount": good_payments["pence"].abs(), "group": group}
        )
        sums = frame.groupby("group")["part"].transform("sum")
        several = frame.groupby("group")["part"].transform("size") > 1
        differs = frame["part"] != frame["amount"]
        proved = differs & several & (sums == frame["amount"])
        return int((differs & ~proved & (frame["part"] > 0)).sum()), proved

    unproved, proved = compare(parts)
    if unproved and vat is not None:
        unproved, proved = min((unproved, proved), compare(parts + vat.pence), key=itemgetter(0))
    if unproved:
        heading = sheet.headings[part]
        sheet.notes.append(
            f"'{heading}' does not add up to the amount in {unproved} rows; all are kept"
        )
    lines = np.zeros(len(good), dtype=bool)
    lines[good] = (proved & group.duplicated()).to_numpy()
    return lines


def _by_sums(sheet: ParsedSheet, good: Flags, payments: Mapping[str, Codes]) -> Flags:
    """Return the further lines of payments on rows one below the other, alike but for their parts.

    The column of parts may have any heading. It has to come to the amount of every payment on
    several rows, and be that amount where another has anything there, so that two equal payments
    beside a column of VAT or of pieces are not taken for one.
    """
    lines = np.zeros(len(good), dtype=bool)
    rows = np.flatnonzero(good)
    alike = [values[rows] for name, values in payments.items() if name != "transaction_id"]
    repeats = np.zeros(len(rows), dtype=bool)
    repeats[1:] = np.logical_and.reduce([values[1:] == values[:-1] for values in alike])
    if not repeats.any():
        return lines
    group = np.cumsum(~repeats)
    several = np.bincount(group)[group] > 1
    whole = np.abs(payments["pence"][rows])
    for position in sheet.unused:
        column = sheet.column_at(position)
        if not column.kept(good).kept(several).matches(r"\d").all():
            continue
        part = read_column(column, cells.decimal_mark(column.used))
        is_part = part.given[rows]
        sums = np.bincount(group, weights=np.abs(part.pence[rows]))[group]
        if (part.fault[rows] == FAULTLESS).all() and (sums == whole)[is_part].all():
            heading = sheet.headings[position]
            sheet.decisions.append(f"payments on several rows by the amounts in '{heading}'")
            sheet.line_amounts = position
            lines[rows] = repeats
            break
    return lines


def _beside_sums(sheet: ParsedSheet, good: Flags, dates: Days, pence: Pence) -> Flags:
    """Return the further lines of rows that sum them: a payment, and below or above it its parts.

    Rows one below the other have the same day, merchant and holder. Every such run begins with the
    sum of its others, or every one ends with it, and at least two have several others: chance does
    not do that.
    """
    lines = np.zeros(len(good), dtype=bool)
    rows = np.flatnonzero(good)
    names = [name for name in ("merchant", *HOLDER_FIELDS) if name in sheet.columns]
    codes = [dates[rows].astype("int64"), *(sheet.columns[name].codes[rows] for name in names)]
    repeats = np.zeros(len(rows), dtype=bool)
    repeats[1:] = np.logical_and.reduce([values[1:] == values[:-1] for values in codes])
    starts = np.flatnonzero(~repeats)
    sizes = np.diff(np.append(starts, len(rows)))
    if (sizes > 2).sum() < FEW_SUMS:
        return lines
    totals, several = np.add.reduceat(pence[rows], starts), sizes > 1
    for places in (starts, starts + sizes - 1):
        whole = pence[rows[places]]
        if (2 * whole == totals)[several].all() and whole[several].all():
            lines[rows] = True
            lines[rows[places]] = False
            break
    return lines


def _by_reference(sheet: ParsedSheet, good: Flags, dates: Days, pence: Pence) -> Flags:
    """Return the further lines of a reference whose rows have the same day, merchant and amount."""
    lines = np.zeros(len(good), dtype=bool)
    column = sheet.column("transaction_id")
    referred = good & column.matches(FILLED)
    count = int((np.bincount(column.codes[referred]) > 0).sum())
    if count == int(referred.sum()):
        return lines
    merchant = sheet.columns["merchant"].codes
    frame = pd.DataFrame(
        {
            "reference": column.codes,
            "date": dates.astype("int64"),
            "merchant": merchant,
            "pence": pence,
        }
    )[referred]
    payments = len(frame.drop_duplicates(["reference", "date", "merchant"]))
    if count < SAME_PAYMENT * payments:
        return lines
    if len(frame.drop_duplicates()) > payments:
        sheet.notes.append("some payments are on several rows, each with a part of the amount")
        return lines
    every = pd.DataFrame(
        {i: TextColumn.of(c).codes for i, c in enumerate(sheet.table.cells.columns)}
    )
    equal = every[referred].duplicated(keep=False)
    lines[referred] = (frame.duplicated() & ~equal).to_numpy()
    return lines
