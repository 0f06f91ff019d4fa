"""Reads CAMT.053 statements of an account: entries that its balances and counts have to prove."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
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
from cardwatch.tabular.feeds.layout import iso_date, load_layout
from cardwatch.tabular.feeds.rows import FeedRows, doubled, incomplete, out_of_sequence
from cardwatch.tabular.feeds.xml import parse_xml, text_at, texts_at

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from cardwatch.tabular.limits import Limits
    from cardwatch.tabular.table import Found

CREDIT, DEBIT = "CRDT", "DBIT"
CARD_FAMILY = "CCRD"
"""ISO 20022's family of bank transactions made by a customer's card."""
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
DATE_LENGTH = 10
DETAILS = "NtryDtls/TxDtls"
"""Where the details of each payment of an entry stand."""
TRUE = frozenset({"true", "1"})


@dataclass
class _Camt:
    """The state of reading one file."""

    feed: FeedRows
    ids: set[str] = field(default_factory=set)
    sequence: dict[str, int] = field(default_factory=dict)
    closing: dict[str, Decimal] = field(default_factory=dict)
    proved: int = 0
    statements: int = 0
    not_booked: int = 0


def read_camt(data: bytes, file: str, limits: Limits) -> Found:
    """Return the entries of a CAMT.053 file as payments.

    Raises:
        FileRefused: it is cut off, doubled or out of sequence, or its balances or counts are not
            what its entries come to.
    """
    root, layout = parse_xml(data, file), load_layout("camt053")
    camt = _Camt(FeedRows(file, layout, layout.name))
    feed = camt.feed
    for statement in root.iterfind("BkToCstmrStmt/Stmt"):
        _take_statement(camt, statement)
    if camt.not_booked:
        entries = quantity(camt.not_booked, "entry is", "entries are")
        feed.notes.append(f"{entries} not booked, and no {plural(camt.not_booked, 'purchase')} yet")
    note_account(feed)
    if camt.proved == camt.statements:
        sentence = (
            f"the closing balance follows from the entries of {quantity(camt.proved, 'statement')}"
        )
        feed.passed("control totals", sentence)
    else:
        feed.not_declared(f"no balances for {camt.statements - camt.proved} of its statements")
    return feed.found(limits)


def _take_statement(camt: _Camt, statement: Element) -> None:
    """Take one Stmt, and check it against its balances, its counts and the one before it."""
    feed, name = camt.feed, text_at(statement, "Id")
    camt.statements += 1
    if name in camt.ids:
        raise doubled(feed.file, "statement", count=2)
    camt.ids.add(name)
    number = text_at(statement, "Acct/Id/IBAN") or text_at(statement, "Acct/Id/Othr/Id")
    _check_sequence(camt, number, text_at(statement, "ElctrncSeqNb"))
    moved, booked, others = Decimal(0), 0, 0
    for entry in statement.iterfind("Ntry"):
        status = text_at(entry, "Sts/Cd") or text_at(entry, "Sts")
        if status not in {"BOOK", ""}:
            others += 1
            continue
        booked += 1
        moved += _take_entry(camt, entry, account_label(number))
    declared = text_at(statement, "TxsSummry/TtlNtries/NbOfNtries")
    if declared:
        if not declared.isdigit():
            raise incomplete(feed.file, "entries", declared="no number of", counted=booked + others)
        counted = booked if int(declared) == booked else booked + others
        feed.compare("entries", int(declared), counted)
    camt.not_booked += others
    _check_balance(camt, statement, number, moved)


def _check_sequence(camt: _Camt, account: str, text: str) -> None:
    """Check that the statements of an account are numbered one after the other.

    Raises:
        FileRefused: they are not.
    """
    if not text.isdigit():
        return
    before = camt.sequence.get(account)
    if before is not None and int(text) != before + 1:
        raise out_of_sequence(camt.feed.file, "statement", expected=before + 1, seen=int(text))
    camt.sequence[account] = int(text)


def _check_balance(camt: _Camt, statement: Element, account: str, moved: Decimal) -> None:
    """Check that the closing balance follows, and the opening one is the last one's closing.

    Raises:
        FileRefused: it does not.
    """
    balances: dict[str, Decimal] = {}
    for balance in statement.iterfind("Bal"):
        amount = read_money(text_at(balance, "Amt"))
        if amount is None:
            reason = "a balance cannot be read. Ask the bank to send it again"
            raise FileRefused(camt.feed.file, "incomplete", reason)
        is_credit = text_at(balance, "CdtDbtInd") == CREDIT
        balances.setdefault(
            text_at(balance, "Tp/CdOrPrtry/Cd"), signed(amount, is_credit=is_credit)
        )
    opening = next((balances[code] for code in OPENING if code in balances), None)
    closing = next((balances[code] for code in CLOSING if code in balances), None)
    if opening is None or closing is None:
        return
    before = camt.closing.get(account)
    if before is not None:
        follow_on(camt.feed, before, opening)
    follow(camt.feed, opening, moved, closing)
    camt.closing[account] = closing
    camt.proved += 1


def _take_entry(camt: _Camt, entry: Element, account: str) -> Decimal:
    """Take a booked Ntry; return what the balance changes by.

    An entry of several payments is each of them, if they come to its amount; else it is a problem.
    """
    feed, mark = camt.feed, text_at(entry, "CdtDbtInd")
    amount = read_money(text_at(entry, "Amt"))
    moved = signed(amount or Decimal(0), is_credit=mark == CREDIT)
    details = entry.findall(DETAILS)
    parts = [_Part(entry, one, mark) for one in details]
    count = text_at(entry, "NtryDtls/Btch/NbOfTxs")
    is_batch = len(details) > 1 or (count.isdigit() and int(count) > 1)
    if amount is None:
        feed.fault("amount_unreadable")
    elif mark not in {CREDIT, DEBIT}:
        feed.fault("type_unknown")
    elif is_batch and sum((part.moved for part in parts), Decimal(0)) == moved:
        for part in parts:
            _add(camt, part, account)
        return moved
    elif is_batch:
        feed.fault("payments_together")
    whole = _Part(entry, details[0] if details else None, mark)
    whole.mark, whole.amount, whole.reference = mark, amount, text_at(entry, "AcctSvcrRef")
    _add(camt, whole, account)
    return moved


class _Part:
    """One payment of an entry."""

    def __init__(self, entry: Element, details: Element | None, mark: str) -> None:
        """Read what its own details say of its amount, direction and reference."""
        self.entry, self.details = entry, details
        own_amount = text_at(details, "Amt") or text_at(details, "AmtDtls/TxAmt/Amt")
        self.amount = read_money(own_amount)
        self.mark = text_at(details, "CdtDbtInd") or mark
        self.reference = text_at(details, "Refs/AcctSvcrRef")

    @property
    def moved(self) -> Decimal:
        """Amount by which the balance changes."""
        return signed(self.amount or Decimal(0), is_credit=self.mark == CREDIT)


def _add(camt: _Camt, part: _Part, account: str) -> None:
    """Add one payment of an entry."""
    feed, entry, is_credit = camt.feed, part.entry, part.mark == CREDIT
    booked, value = (_day(entry, name) for name in ("BookgDt", "ValDt"))
    money, card = entry.find("Amt"), feed.layout.records["transaction"]["card_number"]
    feed.add(
        {
            "date": value or booked,
            "posting_date": booked,
            "transaction_id": part.reference,
            "card_number": text_at(part.details, card.path.removeprefix(f"{DETAILS}/")),
            "unit": account,
            "merchant": _counterparty(entry, part.details, is_credit=is_credit),
            "amount": "" if part.amount is None else plain_money(part.amount),
            "debit_credit": direction(is_credit=is_credit) if part.mark in {CREDIT, DEBIT} else "",
            "currency": money.get("Ccy", "") if money is not None else "",
            "kind": "payment" if is_credit and not _is_card_payment(entry) else "",
        }
    )


def _day(entry: Element, name: str) -> str:
    text = text_at(entry, f"{name}/Dt") or text_at(entry, f"{name}/DtTm")[:DATE_LENGTH]
    return iso_date(text, "CCYY-MM-DD")


def _is_card_payment(entry: Element) -> bool:
    """Return whether an entry is a payment by card, or reverses another entry."""
    family = text_at(entry, "BkTxCd/Domn/Fmly/Cd")
    has_card = entry.find(f"{DETAILS}/CardTx") is not None
    return has_card or family == CARD_FAMILY or _is_reversal(entry)


def _is_reversal(entry: Element) -> bool:
    """Return whether an entry takes another one back."""
    return text_at(entry, "RvslInd") in TRUE


def _counterparty(entry: Element, details: Element | None, *, is_credit: bool) -> str:
    """Return who was paid or paid, else what the bank says of the entry.

    ISO 20022: of a reversal debtor and creditor stay those of the payment that it takes back.
    """
    party = "Dbtr" if is_credit != _is_reversal(entry) else "Cdtr"
    paths = (f"RltdPties/{party}/Nm", f"RltdPties/{party}/Pty/Nm")
    counterparty = next((text for path in paths if (text := text_at(details, path))), "")
    if counterparty:
        return counterparty
    remittance = list(texts_at(details, "RmtInf/Ustrd")) if details is not None else []
    return " ".join(remittance) or text_at(details, "AddtlTxInf") or text_at(entry, "AddtlNtryInf")
