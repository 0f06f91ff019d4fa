"""Reads OFX and QFX, 1.x and 2.x: payments of card or bank accounts, without any control total."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardwatch.tabular.encoding import decode
from cardwatch.tabular.feeds.accounts import (
    account_label,
    direction,
    note_account,
    plain_money,
    read_money,
)
from cardwatch.tabular.feeds.layout import iso_date, load_layout
from cardwatch.tabular.feeds.rows import FeedRows, cut_off, doubled

if TYPE_CHECKING:
    from decimal import Decimal

    from cardwatch.tabular.limits import Limits
    from cardwatch.tabular.table import Found

OFX_TAG = re.compile(r"<(/?)([A-Za-z0-9_.]+)>([^<]*)")
PAYMENT, CARD, BANK = "STMTTRN", "CCSTMTRS", "STMTRS"
GROUPS = frozenset({PAYMENT, CARD, BANK, "CCACCTFROM", "BANKACCTFROM", "PAYEE", "LEDGERBAL",
                    "AVAILBAL", "CURRENCY", "ORIGCURRENCY", "BANKACCTTO", "CCACCTTO"})  # fmt: skip
"""Elements that hold others; every other one holds a text, and 1.x may not close it."""
CONTRADICTED = {True: "CREDIT", False: "DEBIT"}
"""By whether money was spent the type that says the other."""
OFX_KINDS = {"FEE": "fee", "SRVCHG": "fee", "INT": "fee", "ATM": "cash", "CASH": "cash"}


@dataclass
class _Ofx:
    """The state of reading one file: the account, the open elements, the texts of a payment."""

    feed: FeedRows
    groups: list[str] = field(default_factory=list)
    account: dict[str, str] = field(default_factory=dict)
    payment: dict[str, str] = field(default_factory=dict)
    ids: Counter[tuple[str, str]] = field(default_factory=Counter)
    is_card: bool = False


def read_ofx(data: bytes, file: str, limits: Limits) -> Found:
    """Return the payments of an OFX file.

    Raises:
        FileRefused: it is cut off, or holds a payment twice.
    """
    text, _ = decode(data, file)
    layout = load_layout("ofx")
    if not re.search(r"</OFX>\s*$", text, re.IGNORECASE):
        raise cut_off(file, "end (</OFX>)")
    ofx = _Ofx(FeedRows(file, layout, layout.name))
    for closes, tag, value in OFX_TAG.findall(text):
        _take_tag(ofx, tag.upper(), html.unescape(value).strip(), closes=bool(closes))
    count = max(ofx.ids.values(), default=1)
    if count > 1:
        raise doubled(file, "payment, by its FITID,", count=count)
    feed = ofx.feed
    note_account(feed)
    feed.not_declared()
    return feed.found(limits)


def _take_tag(ofx: _Ofx, tag: str, value: str, *, closes: bool) -> None:
    """Take the start or end of an element, with the text after its start."""
    if tag in GROUPS:
        if closes:
            if tag == PAYMENT:
                _take_payment(ofx)
            while ofx.groups and ofx.groups.pop() != tag:
                pass
            return
        ofx.groups.append(tag)
        if tag == PAYMENT:
            ofx.payment = {}
        elif tag in {CARD, BANK}:
            ofx.account, ofx.is_card = {}, tag == CARD
    elif value and not closes:
        group = ofx.groups[-1] if ofx.groups else ""
        if PAYMENT in ofx.groups:
            name = tag if group == PAYMENT else f"{group}/{tag}"
            ofx.payment.setdefault(name, value)
        else:
            ofx.account.setdefault(tag, value)


def _amount(text: str) -> tuple[Decimal | None, bool]:
    """Return an amount without its sign, and whether it was below zero: money spent."""
    plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    return read_money(plain.lstrip("+-")), plain.startswith("-")


def _take_payment(ofx: _Ofx) -> None:
    """Take a STMTTRN that has ended."""
    feed, texts = ofx.feed, ofx.payment
    amount, is_spent = _amount(texts.get("TRNAMT", ""))
    if amount is None:
        feed.fault("amount_unreadable")
    elif texts.get("TRNTYPE", "") == CONTRADICTED[is_spent]:
        feed.fault("type_unknown")
    if texts.get("CORRECTFITID"):
        feed.fault("taken_back")
    kind = OFX_KINDS.get(texts.get("TRNTYPE", ""), "") if is_spent else ""
    if not is_spent and (not ofx.is_card or texts.get("TRNTYPE") == "PAYMENT"):
        kind = "payment"
    number = ofx.account.get("ACCTID", "")
    posted = iso_date(texts.get("DTPOSTED", "")[:8], "CCYYMMDD")
    bought = iso_date(texts.get("DTUSER", "")[:8], "CCYYMMDD")
    if reference := texts.get("FITID", ""):
        ofx.ids[number, reference] += 1
    merchant = texts.get("NAME") or texts.get("PAYEE/NAME") or texts.get("MEMO", "")
    memo = texts.get("MEMO", "")
    feed.add(
        {
            "date": bought or posted,
            "posting_date": posted,
            "transaction_id": reference,
            "card_number": number if ofx.is_card else "",
            "unit": "" if ofx.is_card else account_label(number),
            "merchant": merchant,
            "description": memo if memo != merchant else "",
            "amount": "" if amount is None else plain_money(amount),
            "debit_credit": direction(is_credit=not is_spent),
            "currency": texts.get("CURRENCY/CURSYM") or ofx.account.get("CURDEF", ""),
            "kind": kind,
        }
    )
