"""Reads Mastercard CDF 3.0: XML in which every record has a number, and a trailer counts them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from cardwatch.errors import FileRefused
from cardwatch.line_items import write_line_items
from cardwatch.quantities import quantity
from cardwatch.records import LineItem
from cardwatch.tabular.feeds.layout import as_pounds, currency_code, iso_date, load_layout
from cardwatch.tabular.feeds.rows import (
    CHARGE,
    REFUND,
    FeedRows,
    cut_off,
    incomplete,
    out_of_sequence,
)
from cardwatch.tabular.feeds.xml import parse_xml, text_at, texts_at

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from cardwatch.tabular.limits import Limits
    from cardwatch.tabular.table import Found

HEADER, TRAILER = "TransmissionHeader_1000", "TransmissionTrailer_9999"
RECORD = re.compile(r"\w+_\d{4}")
CDF_SIDES = {"D": CHARGE, "C": REFUND}
ADD, REPLACE = "A", "U"
MOST_DECIMALS = 6


@dataclass
class _Cdf:
    """The state of reading one file: payments by their id, and amounts as they are printed."""

    feed: FeedRows
    by_id: dict[str, dict[str, str]] = field(default_factory=dict)
    raw: dict[str, list[tuple[int, int, bool]]] = field(
        default_factory=lambda: {CHARGE: [], REFUND: []}
    )
    replaced: int = 0
    unmatched: int = 0
    signs_differ: int = 0


def read_cdf(data: bytes, file: str, limits: Limits) -> Found:
    """Return the payments of a CDF 3.0 file.

    Raises:
        FileRefused: it is a test file, cut off, doubled or out of sequence, or its counts or totals
            are not what it declares.
    """
    root, layout = parse_xml(data, file), load_layout("cdf")
    header, trailer = root.find(HEADER), root.find(TRAILER)
    if header is None or not text_at(header, "CDFVersionNum").startswith("3"):
        reason = "this is a Mastercard CDF feed of a version that is not read"
        raise FileRefused(file, "bank_feed", reason)
    if text_at(header, "RunModeIndicator") not in {"P", ""}:
        reason = "the issuer marks it as a test file, so its payments are not read"
        raise FileRefused(file, "test_file", reason)
    if trailer is None:
        raise cut_off(file, "trailer (9999)")
    cdf = _Cdf(FeedRows(file, layout, layout.name))
    _check_sequence(root, trailer, file)
    _walk(cdf, root, {})
    _check_totals(cdf, trailer)
    for count, note in (
        (cdf.replaced, "payments replace others in the file, which are left out"),
        (cdf.unmatched, "payments correct others that are not in the file: see earlier statements"),
        (cdf.signs_differ, "amounts have a sign against their debit or credit, which is followed"),
    ):
        if count:
            cdf.feed.notes.append(f"{count} {note}")
    return cdf.feed.found(limits)


def _check_sequence(root: Element, trailer: Element, file: str) -> None:
    """Check that the records are numbered from 1 without a gap and that the trailer counts them.

    One public generator leaves the trailer out of the count.

    Raises:
        FileRefused: they are not, or it does not.
    """
    records = sum(RECORD.fullmatch(element.tag) is not None for element in root.iter())
    numbers = [_integer(element, file) for element in root.iter("SequenceNum")]
    for expected, number in enumerate(numbers, 1):
        if number != expected:
            raise out_of_sequence(file, "record", expected=expected, seen=number)
    declared = _integer(trailer.find("RecordCount"), file)
    if declared not in {records, records - 1}:
        raise incomplete(file, "records", declared=declared, counted=records)
    if len(numbers) not in {records, 0}:
        raise incomplete(file, "numbered records", declared=records, counted=len(numbers))


def _integer(element: Element | None, file: str) -> int:
    """Return the number in an element; zero where there is none.

    Raises:
        FileRefused: it is no number.
    """
    text = ((element.text if element is not None else "") or "").strip()
    if text and not (text.isascii() and text.isdigit()):
        reason = "a number that orders or counts its records cannot be read. Ask for it again"
        raise FileRefused(file, "incomplete", reason)
    return int(text or 0)


def _walk(cdf: _Cdf, element: Element, context: dict[str, str]) -> None:
    """Take every payment below an element; accounts stand at any depth below units."""
    if element.tag == "OrganizationPointEntity":
        context = context | {"unit": element.get("OrganizationPointNumber", "").strip()}
    elif element.tag == "AccountEntity":
        places = cdf.feed.layout.records["account"]
        context = context | {"card_number": element.get("AccountNumber", "").strip()}
        context |= {name: text_at(element, place.path) for name, place in places.items()}
    for child in element:
        if child.tag == "FinancialTransactionEntity":
            _take_payment(cdf, child, context)
        elif child.tag == "FinancialAdjustmentRecord_5900":
            _take_adjustment(cdf, child, context)
        else:
            _walk(cdf, child, context)


def _amount(element: Element | None) -> tuple[int, int] | None:
    """Return an amount in minor units and how many decimals these are; none if it is unreadable."""
    text = ((element.text if element is not None else "") or "").strip()
    exponent = element.get("CurrencyExponent", "").strip() if element is not None else ""
    try:
        fine = text.isascii() and text.isdigit() and 0 <= int(exponent) <= MOST_DECIMALS
    except ValueError:
        fine = False
    return (int(text), int(exponent)) if fine else None


def _pounds(amount: tuple[int, int]) -> str:
    """Return an amount as text, without the zeros of decimals that no currency has."""
    exact = Decimal(as_pounds(*amount))
    try:
        return (
            format(exact.quantize(Decimal("0.01")), "f") if exact == round(exact, 2) else str(exact)
        )
    except InvalidOperation:
        return str(exact)


def _take_payment(cdf: _Cdf, element: Element, context: dict[str, str]) -> None:
    """Take a FinancialTransactionEntity."""
    feed, record = cdf.feed, element.find("FinancialTransaction_5000")
    if record is None:
        return
    places = feed.layout.records["transaction"]
    posted = element.find(places["amount"].path)
    original = element.find(places["original_amount"].path)
    printed, foreign = _amount(posted), _amount(original)
    row = context | {
        name: text_at(element, places[name].path) for name in ("transaction_id", "merchant", "mcc")
    }
    for name in ("date", "posting_date"):
        row[name] = iso_date(text_at(element, places[name].path), places[name].type)
    row["debit_credit"] = _direction(cdf, text_at(element, places["direction"].path), posted)
    if printed is None:
        feed.fault("amount_unreadable")
    elif row["debit_credit"]:
        cdf.raw[row["debit_credit"]].append((*printed, True))
    row["amount"] = _pounds(printed) if printed else ""
    row["currency"] = _currency(posted)
    row["original_amount"] = _pounds(foreign) if foreign else ""
    row["original_currency"] = _currency(original)
    row["vat"] = _tax(element.find(places["vat"].path), row["debit_credit"])
    items = list(texts_at(element, places["item"].path))
    row["description"] = "; ".join(items)
    row["line_items"] = write_line_items(list(map(LineItem, items)))
    _keep(cdf, row, text_at(record, "FinancialRecordHeader/MaintenanceCode"))


def _tax(element: Element | None, direction: str) -> str:
    """Return the VAT of a payment; empty where there is none, or it does not say its decimals."""
    tax = _amount(element)
    if tax is None or not tax[0]:
        return ""
    return f"{'-' if direction == REFUND else ''}{_pounds(tax)}"


def _currency(amount: Element | None) -> str:
    return currency_code(amount.get("CurrencyCode", "")) if amount is not None else ""


def _direction(cdf: _Cdf, mark: str, amount: Element | None) -> str:
    """Return charge or refund by the indicator; the sign of the amount is only compared with it."""
    direction = CDF_SIDES.get(mark, "")
    if not direction:
        cdf.feed.fault("type_unknown")
    sign = amount.get("CurrencySign", "").strip() if amount is not None else ""
    cdf.signs_differ += bool(direction and sign and sign != mark)
    return direction


def _keep(cdf: _Cdf, row: dict[str, str], maintenance: str) -> None:
    """Keep a payment; one that replaces another of the file stands in its place."""
    feed, name = cdf.feed, row["transaction_id"]
    if maintenance == REPLACE and name in cdf.by_id and not feed.is_next_faulty:
        cdf.by_id[name].update(row)
        cdf.replaced += 1
        return
    if maintenance == REPLACE:
        cdf.unmatched += 1
    elif maintenance not in {ADD, ""}:
        feed.fault("taken_back")
    feed.add(row)
    if name:
        cdf.by_id.setdefault(name, feed.rows[-1])


def _take_adjustment(cdf: _Cdf, element: Element, context: dict[str, str]) -> None:
    """Take a fee or adjustment (5900).

    Its elements are not public: it is read where it has those of a payment, else it is a problem.
    """
    amount, mark = (
        element.find("AmountInPostedCurrency"),
        text_at(element, "DebitOrCreditIndicator"),
    )
    printed = _amount(amount)
    direction = _direction(cdf, mark, amount)
    if printed is None:
        cdf.feed.fault("amount_unreadable")
    elif direction:
        cdf.raw[direction].append((*printed, False))
    row = context | {
        "transaction_id": text_at(element, "ProcessorTransactionId"),
        "date": iso_date(text_at(element, "PostingDate"), "CCYY-MM-DD"),
        "posting_date": iso_date(text_at(element, "PostingDate"), "CCYY-MM-DD"),
        "merchant": "Adjustment by the issuer",
        "amount": _pounds(printed) if printed else "",
        "debit_credit": direction,
        "currency": _currency(amount),
        "kind": "adjustment",
    }
    _keep(cdf, row, text_at(element, "FinancialRecordHeader/MaintenanceCode"))


def _check_totals(cdf: _Cdf, trailer: Element) -> None:
    """Compare counts and totals of the trailer with the payments.

    Whether fees and adjustments are in them is not known, and totals are of the digits as printed
    or, where decimals differ, of the same decimals: each way is taken. Totals are left out if zero.

    Raises:
        FileRefused: they differ.
    """
    file = cdf.feed.file
    for side, suffix in ((CHARGE, "Debits"), (REFUND, "Credits")):
        count = _integer(trailer.find(f"NumOf{suffix}"), file)
        total = _integer(trailer.find(f"TotalAmountOf{suffix}"), file)
        ways = [_sums(cdf.raw[side], is_whole=whole) for whole in (False, True)]
        fitting = [sums for number, sums in ways if number == count]
        if not fitting:
            raise incomplete(file, f"{side}s", declared=count, counted=ways[0][0])
        if not any(total in sums for sums in fitting):
            counted = min(fitting[0])
            raise incomplete(file, f"minor units of {side}s", declared=total, counted=counted)
    charges, refunds = len(cdf.raw[CHARGE]), len(cdf.raw[REFUND])
    cdf.feed.passed(
        "control totals",
        f"{quantity(charges, 'charge')} and {quantity(refunds, 'refund')}, and their sums, are "
        "what the trailer declares; no record's number is missing",
    )


def _sums(amounts: list[tuple[int, int, bool]], *, is_whole: bool) -> tuple[int, set[int]]:
    """Return how many amounts there are and what they may come to, adjustments with them or not."""
    selected = [(minor, places) for minor, places, is_payment in amounts if is_whole or is_payment]
    most = max((places for _, places in selected), default=0)
    scaled = sum(minor * 10 ** (most - places) for minor, places in selected)
    return len(selected), {sum(minor for minor, _ in selected), scaled}
