"""The file of card payments that a public body publishes: seven fields, redactions in place.

The fields are those that the Local Government Transparency Code 2015 names for procurement-card
transactions: date, department, beneficiary, amount, VAT that cannot be recovered, summary of the
purpose, and merchant category. A payment is published if it exceeds the threshold, a refund if the
money that came back does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardwatch.bounded import read_toml
from cardwatch.errors import FileFaulty
from cardwatch.features import purchase_rows, refund_rows
from cardwatch.merchants import canonical_name, category_name
from cardwatch.reports.as_csv import csv_text, safe_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

PUBLICATION_HEADINGS = (
    "Date", "Department", "Beneficiary", "Amount", "VAT that cannot be recovered",
    "Summary of purpose", "Merchant category",
)  # fmt: skip
PUBLICATION_COLUMNS = (
    "date", "merchant", "amount_pence", "kind", "mcc", "category", "cost_centre", "unit",
    "card_last4", "holder_id",
)  # fmt: skip
"""Columns of payments that a publication reads."""
USUAL_POUNDS = 500
NOT_RECORDED = "Not recorded"
WITHHELD_BY = {"card_last4": "card_last4", "holder": "holder_id", "cost_centre": "cost_centre",
               "unit": "unit"}  # fmt: skip
"""Keys that name payments to leave out whole, and the column each is compared with."""


@dataclass(frozen=True)
class Redactions:
    """Redactions of a publication.

    Attributes:
        merchants: the reason by the name under which a merchant is compared; the payment is
            published, the name is not.
        withheld: columns and values; payments that have one are left out whole.
    """

    merchants: dict[str, str]
    withheld: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Publication:
    """A publication, with what is left out.

    Attributes:
        rows: one a payment, in the order of `PUBLICATION_HEADINGS`.
        redacted: number of redacted rows by reason.
        withheld: number of payments that were left out; it is not for the published file.
        unused: entries of the list of redactions that fit no payment.
    """

    rows: tuple[tuple[str, ...], ...]
    redacted: dict[str, int]
    withheld: int
    unused: tuple[str, ...]


def read_redactions(text: str, file: str) -> Redactions:
    """Return the redactions that a TOML text lists.

    Raises:
        FileFaulty: with every fault found.
    """
    content = read_toml(text, file)
    faults = [f"unknown table '{key}'" for key in sorted(content.keys() - {"redact", "leave_out"})]
    redact, leave_out = content.get("redact", []), content.get("leave_out", [])
    faults += _entry_faults("redact", redact, lambda entry: entry.keys() == {"merchant", "reason"},
                            "state 'merchant' and 'reason'")  # fmt: skip
    faults += _entry_faults(
        "leave_out", leave_out,
        lambda entry: len(entry) == 1 and entry.keys() <= WITHHELD_BY.keys(),
        f"state one of {', '.join(WITHHELD_BY)}",
    )  # fmt: skip
    if faults:
        raise FileFaulty(file, faults)
    return Redactions(
        {canonical_name(entry["merchant"]).name: entry["reason"].strip() for entry in redact},
        tuple((WITHHELD_BY[key], text) for entry in leave_out for key, text in entry.items()),
    )


def make_publication(
    payments: pd.DataFrame, redactions: Redactions, threshold_pounds: int
) -> Publication:
    """Return the publication of some payments.

    Args:
        payments: each once, with `PUBLICATION_COLUMNS`; days as text.
        redactions: what is not published.
        threshold_pounds: a payment is published if it exceeds this.
    """
    counted = payments[purchase_rows(payments) | refund_rows(payments)]
    counted = counted[counted["amount_pence"].abs() > 100 * threshold_pounds]
    is_withheld, unused = withheld_rows(counted, redactions)
    public = counted[~is_withheld].sort_values(["date", "merchant", "amount_pence"], kind="stable")
    rows, redacted, fitting = [], dict.fromkeys(redactions.merchants.values(), 0), set()
    for payment in public[list(PUBLICATION_COLUMNS)].fillna("").to_dict("records"):
        name = canonical_name(str(payment["merchant"])).name
        reason = redactions.merchants.get(name, "")
        if reason:
            redacted[reason] += 1
            fitting.add(name)
        rows.append(_row(payment, reason))
    unused += sorted(redactions.merchants.keys() - fitting)
    return Publication(tuple(rows), redacted, int(is_withheld.sum()), tuple(unused))


def withheld_rows(
    payments: pd.DataFrame, redactions: Redactions
) -> tuple[pd.Series[bool], list[str]]:
    """Return which payments are left out whole, and the entries that fit none.

    Args:
        payments: with `PUBLICATION_COLUMNS`.
        redactions: what is not published.
    """
    is_withheld = payments["date"] != payments["date"]
    unused = []
    for column, value in redactions.withheld:
        fits = payments[column].fillna("").astype(str) == value
        is_withheld |= fits
        if not fits.any():
            unused.append(value)
    return is_withheld, unused


def publication_csv(publication: Publication) -> str:
    """Return a publication as CSV: its rows under their headings."""
    return csv_text([PUBLICATION_HEADINGS, *publication.rows])


def _row(payment: dict[Any, Any], reason: str) -> tuple[str, ...]:
    """Return a payment's seven fields.

    What a statement says of a purpose may name people, so the purpose is the category.
    """
    code = str(payment["mcc"])
    category = category_name(code) or str(payment["category"])
    cells = (
        payment["unit"] or payment["cost_centre"] or NOT_RECORDED,
        f"Redacted: {reason}" if reason else payment["merchant"],
    )
    pence = int(payment["amount_pence"])
    return (
        str(payment["date"]),
        *(safe_text(str(cell)) for cell in cells),
        f"{pence / 100:.2f}",
        NOT_RECORDED,
        safe_text(category or NOT_RECORDED),
        safe_text(f"{code} {category}".strip() or NOT_RECORDED),
    )


def _entry_faults(
    table: str,
    entries: object,
    is_whole: Callable[[dict[str, Any]], bool],
    words: str,
) -> Iterable[str]:
    """Say what is wrong with the entries of one table."""
    if not isinstance(entries, list):
        return [f"write [[{table}]]"]
    return [
        f"{table}, entry {number}: {words}, as text"
        for number, entry in enumerate(entries, start=1)
        if not isinstance(entry, dict)
        or not is_whole(entry)
        or not all(isinstance(text, str) and text.strip() for text in entry.values())
    ]
