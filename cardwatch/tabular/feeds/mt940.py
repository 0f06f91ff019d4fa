"""Reads MT940 statements of an account: entries that the balances of each page have to prove."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.tabular.encoding import decode
from cardwatch.tabular.feeds.accounts import (
    account_label,
    direction,
    follow,
    follow_on,
    note_account,
    plain_money,
    read_money,
    signed,
)
from cardwatch.tabular.feeds.layout import load_layout
from cardwatch.tabular.feeds.rows import FeedRows, cut_off, doubled, out_of_sequence

if TYPE_CHECKING:
    from cardwatch.tabular.limits import Limits
    from cardwatch.tabular.table import Found

FIELD = re.compile(r":(\d\d[A-Z]?):(.*)", re.DOTALL)
BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})([\d,]+)")
ENTRY = re.compile(
    r"(?P<value>\d{6})(?:(?P<entry>\d{4})|\s{4})?(?P<mark>RC|RD|C|D)[A-Z]?(?P<amount>[\d,]+)"
    r"(?P<type>[A-Z][A-Z0-9]{3})(?P<reference>[^\n]*?)(?://(?P<bank>[^\n]*))?(?:\n.*)?",
    re.DOTALL,
)
"""Field 61: value date, entry date, mark, perhaps a letter of funds, amount, type, references."""
SEQUENCE = re.compile(r"(\d{1,5})(?:/(\d{1,5}))?")
CREDIT_MARKS = ("C", "RD")
REVERSALS = ("RC", "RD")
CENTURY = 2000


@dataclass
class _Page:
    """One message: a page of a statement."""

    account: str = ""
    sequence: tuple[int, int] | None = None
    opening: Decimal | None = None
    closing: Decimal | None = None
    currency: str = ""
    is_opened: bool = False
    has_entries: bool = False
    moved: Decimal = field(default_factory=Decimal)
    content: list[str] = field(default_factory=list)


def read_mt940(data: bytes, file: str, limits: Limits) -> Found:
    """Return the entries of an MT940 file as payments.

    Raises:
        FileRefused: it is cut off, doubled or out of sequence, or its balances are not what its
            entries come to.
    """
    text, _ = decode(data, file)
    layout = load_layout("mt940")
    feed = FeedRows(file, layout, layout.name)
    pages: list[_Page] = []
    for line, tag, value in _fields(text):
        if tag == "20":
            pages.append(_Page())
        if not pages:
            raise out_of_sequence(file, "field", expected=":20:", seen=f":{tag}:")
        _take_field(feed, pages[-1], tag, value, line)
    _check_pages(feed, pages)
    note_account(feed)
    sentence = f"the closing balance follows from the entries of {quantity(len(pages), 'page')}"
    feed.passed("control totals", sentence)
    return feed.found(limits)


def _fields(text: str) -> list[tuple[int, str, str]]:
    """Return each field with its line, tag and value, which may go on over lines."""
    fields: list[tuple[int, str, str]] = []
    for number, line in enumerate(text.replace("\r", "").split("\n"), 1):
        plain = re.sub(r"^\{1:.*\{4:", "", line).rstrip()
        if match := FIELD.fullmatch(plain):
            fields.append((number, match[1], match[2]))
        elif plain in {"-", "-}"} or plain.startswith(("-}", "{")):
            fields.append((number, "", ""))
        elif plain and fields:
            first_line, tag, value = fields[-1]
            fields[-1] = (first_line, tag, f"{value}\n{plain}")
    return [tagged_field for tagged_field in fields if tagged_field[1]]


def _take_field(feed: FeedRows, page: _Page, tag: str, value: str, line: int) -> None:
    """Take one field of a page."""
    page.content.append(f"{tag}:{value}" if tag != "20" else "")
    if tag == "25":
        page.account = account_label(value)
    elif tag in {"28C", "28"} and (match := SEQUENCE.fullmatch(value.strip())):
        page.sequence = int(match[1]), int(match[2] or 1)
    elif tag in {"60F", "60M", "62F", "62M"}:
        _take_balance(feed, page, tag, value)
    elif tag == "61":
        _take_entry(feed, page, value, line)
    elif tag == "86" and page.closing is None and page.has_entries:
        feed.rows[-1]["merchant"] = " ".join(value.split())


def _take_balance(feed: FeedRows, page: _Page, tag: str, value: str) -> None:
    """Take an opening or closing balance.

    Raises:
        FileRefused: it cannot be read.
    """
    match = BALANCE.fullmatch(value.strip())
    amount = _money(match[4]) if match else None
    if match is None or amount is None:
        reason = f"its balance (:{tag}:) cannot be read. Ask the bank to send it again"
        raise FileRefused(feed.file, "incomplete", reason)
    balance = signed(amount, is_credit=match[1] == "C")
    if tag.startswith("60"):
        page.opening, page.currency, page.is_opened = balance, match[3], tag == "60F"
    else:
        page.closing = balance


def _money(text: str) -> Decimal | None:
    """Return an amount, of which a comma divides pounds from pence."""
    return read_money(text.replace(",", ".", 1)) if "," in text else None


def _take_entry(feed: FeedRows, page: _Page, value: str, line: int) -> None:
    """Take an entry (field 61).

    Raises:
        FileRefused: it cannot be read, so the balance could not follow.
    """
    match = ENTRY.fullmatch(value)
    amount = _money(match["amount"]) if match else None
    if match is None or amount is None:
        reason = f"its entry (:61:) on line {line} cannot be read. Ask the bank to send it again"
        raise FileRefused(feed.file, "damaged", reason)
    is_credit = match["mark"] in CREDIT_MARKS
    page.has_entries = True
    page.moved += signed(amount, is_credit=is_credit)
    reference = (match["bank"] or match["reference"]).strip()
    feed.add(
        {
            "date": _value_day(match["value"]),
            "posting_date": _entry_day(match["value"], match["entry"] or ""),
            "transaction_id": "" if reference == "NONREF" else reference,
            "merchant": "",
            "unit": page.account,
            "amount": plain_money(amount),
            "debit_credit": direction(is_credit=is_credit),
            "currency": page.currency,
            "kind": "payment" if is_credit and match["mark"] not in REVERSALS else "",
        },
        line,
    )


def _value_day(text: str) -> str:
    return f"{CENTURY + int(text[:2])}-{text[2:4]}-{text[4:]}"


def _entry_day(value: str, entry: str) -> str:
    """Return the day of booking: its year is the value date's, or one beside it at New Year."""
    if not entry:
        return ""
    year, month = CENTURY + int(value[:2]), int(value[2:4])
    turn = {(12, 1): 1, (1, 12): -1}.get((month, int(entry[:2])), 0)
    return f"{year + turn}-{entry[:2]}-{entry[2:]}"


def _check_pages(feed: FeedRows, pages: list[_Page]) -> None:
    """Check each page's balance, and that pages and statements follow each other.

    Raises:
        FileRefused: they do not.
    """
    last: dict[str, _Page] = {}
    for page in pages:
        if page.opening is None:
            raise cut_off(feed.file, "opening balance (:60F:) of a page")
        if page.closing is None:
            raise cut_off(feed.file, "closing balance (:62F:) of its last page")
        follow(feed, page.opening, page.moved, page.closing)
        before = last.get(page.account)
        if before is not None:
            _check_follows(feed, before, page)
        last[page.account] = page


def _check_follows(feed: FeedRows, before: _Page, page: _Page) -> None:
    """Check that a page goes on from the page before it.

    Raises:
        FileRefused: it is the same page, or another is missing between.
    """
    if page.content == before.content:
        raise doubled(feed.file, "page", count=2)
    if before.sequence and page.sequence:
        statement, number = before.sequence
        expected = (statement + 1, 1) if page.is_opened else (statement, number + 1)
        if page.sequence != expected:
            raise out_of_sequence(
                feed.file,
                "page",
                expected=f"{expected[0]}/{expected[1]}",
                seen=f"{page.sequence[0]}/{page.sequence[1]}",
            )
    assert before.closing is not None
    assert page.opening is not None
    follow_on(feed, before.closing, page.opening)
