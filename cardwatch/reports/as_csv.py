"""Alerts as CSV, safe to open in a spreadsheet: one row a payment, its alert beside it.

An alert about cards, which has no payment, is one row with those cells empty.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

from cardwatch.line_items import line_item_label
from cardwatch.reports.columns import (
    ALERT_HEADINGS,
    PAYMENT_HEADINGS,
    Cell,
    alert_cells,
    payment_cells,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from cardwatch.records import AlertList, Payment
    from cardwatch.reports.handover import ExportCover

FORMULA_STARTS = tuple("=+-@\t\r\n\x00'\uff1d\uff0b\uff0d\uff20")
"""Characters that a spreadsheet can read as the start of a formula (CWE-1236)."""


def safe_text(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula: an apostrophe goes before it."""
    plain = text.replace("\x00", "")
    return "'" + plain if plain.lstrip(" ").startswith(FORMULA_STARTS) else plain


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV (RFC 4180) with a byte order mark, by which spreadsheets know UTF-8.

    Texts that came from elsewhere have been through `safe_text`.
    """
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n").writerows(rows)
    return "\ufeff" + out.getvalue()


def _written(cell: Cell) -> str | float:
    if isinstance(cell, str):
        return safe_text(cell)
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return f"{cell:.2f}" if isinstance(cell, float) else cell


def write_csv(path: Path, lists: dict[str, AlertList], handed: ExportCover | None = None) -> None:
    """Write alerts as CSV (RFC 4180, UTF-8 with mark): each payment with its alert's columns.

    What is handed over says its marking in every row, as it has no other place.
    """
    path.write_text(csv_text(_rows(lists, handed)), encoding="utf-8", newline="")


def _rows(
    lists: dict[str, AlertList], handed: ExportCover | None
) -> Iterator[Sequence[str | float]]:
    heading, mark = (["Marking"], [safe_text(handed.marking)]) if handed else ([], [])
    alerts = [alert for alert_list in lists.values() for alert in alert_list.alerts]
    has_items = any(paid.line_items for alert in alerts for paid in alert.payments)
    items_heading = ["Line items"] if has_items else []
    yield [*ALERT_HEADINGS, *PAYMENT_HEADINGS[3:], *items_heading, *heading]
    empty = ("",) * len(PAYMENT_HEADINGS)
    for alert in alerts:
        first = [_written(cell) for cell in alert_cells(alert)]
        items = [_items_text(paid) for paid in alert.payments] or [""]
        for payment, text in zip([*payment_cells(alert)] or [empty], items, strict=True):
            yield [*first, *map(_written, payment[3:]), *([text] if has_items else []), *mark]


def _items_text(payment: Payment) -> str:
    """Return the line items of a payment in one cell, a line each."""
    return safe_text("\n".join(map(line_item_label, payment.line_items)))
