"""Reads American Express GL1025 and KR1025: fixed-width lines, with counts and totals."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.tabular.feeds.layout import (
    Unreadable,
    as_pounds,
    currency_code,
    fixed_amount,
    fixed_number,
    fixed_text,
    iso_date,
    load_layout,
    pounds_text,
)
from cardwatch.tabular.feeds.rows import (
    CHARGE,
    REFUND,
    FeedRows,
    cut_off,
    doubled,
    incomplete,
    out_of_sequence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardwatch.tabular.feeds.layout import Layout, Place
    from cardwatch.tabular.limits import Limits
    from cardwatch.tabular.table import Found

FEE_INDUSTRY = "FE"
AMEX_TEXT_FIELDS = ("card_number", "cardholder", "cardholder_first", "employee_id", "cost_centre",
               "transaction_id", "mcc", "merchant")  # fmt: skip
HEADER, TRANSACTION, TRAILER = "0", "1", "9"
GL_CARD, GL_PRE_AUTHORISATION, GL_MARKET = "2", "3", "8"
KR_CARD, KR_CONTROL_ACCOUNT, KR_TOTAL = "2", "3", "4"


@dataclass
class _Sums:
    """Charges and refunds of a card, an account or a file, in minor units."""

    debits: int = 0
    credits: int = 0
    debit_count: int = 0
    credit_count: int = 0

    def add(self, amount: int) -> None:
        """Add a signed amount."""
        if amount < 0:
            self.credits += amount
            self.credit_count += 1
        else:
            self.debits += amount
            self.debit_count += 1


@dataclass
class _Amex:
    """The state of reading one file.

    Attributes:
        kinds: how many lines there are of each type.
        cards, accounts: sums of the payments by card and by control account.
        whole: sums of all payments.
        neutral: sum of the payments in the currency of the file's totals.
    """

    feed: FeedRows
    kinds: Counter[str] = field(default_factory=Counter)
    cards: dict[str, _Sums] = field(default_factory=lambda: defaultdict(_Sums))
    accounts: dict[str, _Sums] = field(default_factory=lambda: defaultdict(_Sums))
    whole: _Sums = field(default_factory=_Sums)
    neutral: int = 0
    markets: list[dict[str, int]] = field(default_factory=list)
    summaries: list[tuple[str, str, dict[str, int]]] = field(default_factory=list)


def read_gl1025(data: bytes, file: str, limits: Limits) -> Found:
    """Return the payments of a GL1025 file.

    Raises:
        FileRefused: it is cut off, doubled or out of sequence, or its counts or totals are not what
            it declares.
    """
    return _by_encoding(data, file, lambda text: _read_gl(text, file, limits))


def read_kr1025(data: bytes, file: str, limits: Limits) -> Found:
    """Return the payments of a KR1025 file.

    Raises:
        FileRefused: as for `read_gl1025`.
    """
    return _by_encoding(data, file, lambda text: _read_kr(text, file, limits))


def _by_encoding(data: bytes, file: str, read: Callable[[str], Found]) -> Found:
    """Read a text whose columns are characters: UTF-8 if its totals then agree, else one byte each.

    Raises:
        FileRefused: it is refused either way.
    """
    try:
        return read(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        pass
    except FileRefused:
        if data.isascii():
            raise
    try:
        return read(data.decode("cp1252"))
    except UnicodeDecodeError:
        raise FileRefused(file, "encoding", "its text encoding is not known") from None


def _lines(text: str, layout: Layout, file: str) -> list[str]:
    """Return the lines, filled to their length, with a header first and a trailer last.

    Raises:
        FileRefused: there is no trailer, or there are two of either.
    """
    width = layout.settings["line_length"]
    lines = [line.rstrip("\r").ljust(width) for line in text.rstrip("\r\n\x1a ").split("\n")]
    if lines[-1][:1] != TRAILER:
        raise cut_off(file, "trailer (9) on its last line")
    for mark in (HEADER, TRAILER):
        count = sum(line[:1] == mark for line in lines)
        if count > 1:
            raise doubled(file, "header" if mark == HEADER else "trailer", count=count)
    return lines


def _take_payment(amex: _Amex, line: str, number: int) -> None:
    """Take a line of type 1."""
    feed = amex.feed
    places = feed.layout.records["transaction"]
    row = {name: fixed_text(line, places[name]) for name in AMEX_TEXT_FIELDS if name in places}
    for name in ("date", "posting_date"):
        row[name] = iso_date(fixed_text(line, places[name]), places[name].type)
    for name in ("currency", "original_currency"):
        row[name] = currency_code(fixed_text(line, places[name]))
    _take_amounts(amex, line, row)
    texts = [fixed_text(line, places[name]) for name in ("charge_text", "charge_text_2")]
    if "industry" in places and fixed_text(line, places["industry"]) == FEE_INDUSTRY:
        row["kind"] = "fee"
        row["merchant"] = row["merchant"] or texts[0] or "American Express fee"
    row["description"] = "; ".join(text for text in texts if text and text != row["merchant"])
    feed.add(row, number)


def _take_amounts(amex: _Amex, line: str, row: dict[str, str]) -> None:
    """Add the amounts of a line of type 1 to its row and to the sums."""
    places = amex.feed.layout.records["transaction"]
    amount = _amount(amex, line, places["amount"])
    if amount is None:
        amex.feed.fault("amount_unreadable")
    original = _amount(amex, line, places["original_amount"])
    minor, decimals = amount or (0, 2)
    for sums in (amex.cards[row["card_number"]], amex.whole):
        sums.add(minor)
    if "neutral_amount" in places:
        amex.neutral += (_amount(amex, line, places["neutral_amount"]) or (0, 0))[0]
    else:
        amex.accounts[fixed_text(line, places["control_account"])].add(minor)
    row["amount"] = as_pounds(abs(minor), decimals) if amount else ""
    row["original_amount"] = as_pounds(abs(original[0]), original[1]) if original else ""
    vat = _amount(amex, line, places["vat"])
    row["vat"] = as_pounds(*vat) if vat and vat[0] else ""
    row["debit_credit"] = REFUND if minor < 0 else CHARGE


def _amount(amex: _Amex, line: str, place: Place) -> tuple[int, int] | None:
    """Return an amount in minor units and its decimals; none, and a problem, if unreadable."""
    try:
        return fixed_amount(line, place)
    except Unreadable:
        amex.feed.fault("amount_unreadable")
        return None


def _declared(feed: FeedRows, line: str, record: str, names: Sequence[str]) -> dict[str, int]:
    """Return what a control record declares.

    Raises:
        FileRefused: a count or total of it cannot be read.
    """
    declared = {}
    for name in names:
        place = feed.layout.records[record][name]
        try:
            amount = fixed_amount(line, place) if place.type == "amount" else None
            declared[name] = amount[0] if amount else 0
            if place.type == "number":
                declared[name] = fixed_number(line, place)
        except Unreadable:
            reason = f"a count or total in its {record} record is no number. Ask for it again"
            raise FileRefused(feed.file, "incomplete", reason) from None
    return declared


def _check_money(feed: FeedRows, subject: str, declared: int, counted: int) -> None:
    """Refuse the file if a total is not what the payments come to.

    Raises:
        FileRefused: they differ.
    """
    if declared != counted:
        raise incomplete(
            feed.file, f"in {subject}", declared=pounds_text(declared), counted=pounds_text(counted)
        )


def _check_sums(feed: FeedRows, subject: str, declared: dict[str, int], sums: _Sums) -> bool:
    """Compare what a summary declares with the payments; return whether it declares anything.

    Raises:
        FileRefused: they differ.
    """
    if not any(declared.values()):
        return False
    feed.compare(f"charges of {subject}", declared["debit_count"], sums.debit_count)
    feed.compare(f"refunds of {subject}", declared["credit_count"], sums.credit_count)
    _check_money(feed, f"charges of {subject}", declared["debits"], sums.debits)
    _check_money(feed, f"refunds of {subject}", declared["credits"], sums.credits)
    return True


# GL1025 -----------------------------------------------------------------------------------------


def _read_gl(text: str, file: str, limits: Limits) -> Found:
    """Return the payments of a GL1025 file's text."""
    layout = load_layout("gl1025")
    amex = _Amex(FeedRows(file, layout, layout.name))
    feed = amex.feed
    lines = _lines(text, layout, file)
    names = ("lines", "amount", "transactions")
    for number, line in enumerate(lines, 1):
        kind = line[:1]
        amex.kinds[kind] += 1
        if kind == GL_MARKET:
            amex.markets.append(
                _declared(feed, line, "market", names) | {"rows": 0, "sum": 0, "count": 0}
            )
        elif kind in {TRANSACTION, GL_CARD, GL_PRE_AUTHORISATION}:
            before = amex.neutral
            _take_gl(amex, line, number)
            market = amex.markets[-1]
            market["rows"] += kind != GL_PRE_AUTHORISATION
            market["count"] += kind == TRANSACTION
            market["sum"] += amex.neutral - before
        elif kind not in {HEADER, TRAILER}:
            raise FileRefused(file, "damaged", f"line {number} is of a type that is not known")
    for line, record in ((lines[0], "header"), (lines[-1], "trailer")):
        _check_gl_file(amex, _declared(feed, line, "file", names), record, len(lines))
    _check_gl_parts(amex)
    if amex.kinds[GL_PRE_AUTHORISATION]:
        feed.notes.append(
            f"{amex.kinds[GL_PRE_AUTHORISATION]} authorisations (type 3) are not read"
        )
    return feed.found(limits)


def _take_gl(amex: _Amex, line: str, number: int) -> None:
    """Take a line of a market.

    Raises:
        FileRefused: it stands before any market header.
    """
    if not amex.markets:
        raise out_of_sequence(amex.feed.file, "a market header (8)", expected="", seen=line[:1])
    if line[:1] == TRANSACTION:
        _take_payment(amex, line, number)
    elif line[:1] == GL_CARD:
        _keep_summary(amex, line, "card")


def _keep_summary(amex: _Amex, line: str, record: str) -> None:
    """Keep what a summary declares, to be compared at the end."""
    names = ("debits", "debit_count", "credits", "credit_count")
    account = fixed_text(line, amex.feed.layout.records[record]["account"])
    amex.summaries.append((record, account, _declared(amex.feed, line, record, names)))


def _check_gl_file(amex: _Amex, declared: dict[str, int], record: str, lines: int) -> None:
    """Compare the header or trailer of a GL1025 file with the file."""
    feed = amex.feed
    feed.compare(f"lines in its {record}", declared["lines"], lines)
    count = amex.kinds[TRANSACTION]
    feed.compare(f"payments in its {record}", declared["transactions"], count)
    _check_money(feed, f"its {record}", declared["amount"], amex.neutral)


def _check_gl_parts(amex: _Amex) -> None:
    """Compare market headers and card summaries of a GL1025 file with the payments."""
    feed = amex.feed
    for market in amex.markets:
        feed.compare("payments of a market", market["transactions"], market["count"])
        feed.compare("lines of a market", market["lines"], market["rows"])
        _check_money(feed, "a market", market["amount"], market["sum"])
    summary_count = _check_summaries(amex)
    feed.passed(
        "control totals",
        f"the {len(feed.rows):,} payments and {pounds_text(amex.neutral)} are what the file, its "
        f"{quantity(len(amex.markets), 'market')} and {summary_count} card summaries declare",
    )


def _check_summaries(amex: _Amex) -> int:
    """Compare the summaries with the payments; return how many declare anything."""
    summary_count = 0
    for record, account, declared in amex.summaries:
        sums = (amex.cards if record == "card" else amex.accounts)[account]
        subject = "a card" if record == "card" else "a control account"
        summary_count += _check_sums(amex.feed, subject, declared, sums)
    return summary_count


# KR1025 -----------------------------------------------------------------------------------------


def _read_kr(text: str, file: str, limits: Limits) -> Found:
    """Return the payments of a KR1025 file's text."""
    layout = load_layout("kr1025")
    amex = _Amex(FeedRows(file, layout, layout.name))
    feed, total = amex.feed, None
    lines = _lines(text, layout, file)
    for number, line in enumerate(lines, 1):
        kind = line[:1]
        amex.kinds[kind] += 1
        if kind == TRANSACTION:
            _take_payment(amex, line, number)
        elif kind in {KR_CARD, KR_CONTROL_ACCOUNT}:
            _keep_summary(amex, line, "card" if kind == KR_CARD else "control_account")
        elif kind == KR_TOTAL:
            if total is not None:
                raise doubled(file, "total (type 4)", count=amex.kinds[KR_TOTAL])
            names = ("debits", "debit_count", "credits", "credit_count")
            total = _declared(feed, line, "total", names)
        elif kind not in {HEADER, TRAILER}:
            raise FileRefused(file, "damaged", f"line {number} is of a type that is not known")
    if total is None:
        raise cut_off(file, "total (type 4)")
    _check_kr(amex, total, lines)
    return feed.found(limits)


def _check_kr(amex: _Amex, total: dict[str, int], lines: list[str]) -> None:
    """Compare the counts and totals of a KR1025 file with its payments.

    Whether its count of lines has header and trailer in it is not known: each way is taken.
    """
    feed, count = amex.feed, len(lines)
    declared = _declared(feed, lines[-1], "file", ("lines",))["lines"]
    if declared not in {count, count - 1, count - 2}:
        feed.compare("lines", declared, count)
    _check_sums(feed, "the file", total, amex.whole)
    summary_count = _check_summaries(amex)
    net = pounds_text(amex.whole.debits + amex.whole.credits)
    feed.passed(
        "control totals",
        f"the {len(feed.rows):,} payments and {net} are what the file and {summary_count} "
        "summaries of cards and accounts declare",
    )
