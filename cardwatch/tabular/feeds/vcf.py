"""Reads Visa VCF 4: sets of blocks of tab-separated records, each with its count and total."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardwatch.errors import FileRefused
from cardwatch.tabular.encoding import decode
from cardwatch.tabular.feeds.layout import (
    as_pounds,
    currency_code,
    has_two_decimals,
    iso_date,
    load_layout,
    pounds_text,
    separated_text,
)
from cardwatch.tabular.feeds.rows import (
    FeedRows,
    cut_off,
    doubled,
    incomplete,
    out_of_sequence,
)

if TYPE_CHECKING:
    from cardwatch.tabular.limits import Limits
    from cardwatch.tabular.table import Found

SET, SET_END, BLOCK, BLOCK_END = "6", "7", "8", "9"
ACCOUNT, CARDHOLDER, TRANSACTION = 3, 4, 5
MARKER_FIELDS = 16
SEQUENCE, KIND, COUNT, AMOUNT, VERSION = 2, 4, 5, 6, 7
"""Fields of a marker, counted from 0."""
TRAILER_SUMS = ("with credits subtracted", "with credits added")
"""Public sources leave open how totals treat credits; a file is held to one way throughout."""


@dataclass
class _Sums:
    """Records and amounts counted between two markers, in hundredths, both ways."""

    records: int = 0
    net: int = 0
    gross: int = 0

    def add(self, other: _Sums) -> None:
        """Add what a part holds."""
        self.records += other.records
        self.net += other.net
        self.gross += other.gross


@dataclass
class _Reader:
    """The state of reading one file."""

    feed: FeedRows
    accounts: dict[str, dict[str, str]] = field(default_factory=dict)
    people: dict[str, dict[str, str]] = field(default_factory=dict)
    block: list[str] | None = None
    opened: list[str] | None = None
    set_lines: list[str] = field(default_factory=list)
    sets: list[tuple[list[str], str]] = field(default_factory=list)
    block_sums: _Sums = field(default_factory=_Sums)
    set_sums: _Sums = field(default_factory=_Sums)
    all_sums: _Sums = field(default_factory=_Sums)
    ways: set[str] = field(default_factory=lambda: set(TRAILER_SUMS))
    unfilled: int = 0
    memo_posts: int = 0
    unread_types: dict[int, int] = field(default_factory=dict)


def read_vcf(data: bytes, file: str, limits: Limits) -> Found:
    """Return the payments of a VCF 4 file.

    Raises:
        FileRefused: it is of another version, cut off, doubled or out of sequence, or its counts or
            totals are not what it declares.
    """
    text, _ = decode(data, file)
    layout = load_layout("vcf")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    version = lines[0].split("\t")[VERSION].strip()
    if not re.fullmatch(r"4\.\d", version):
        raise FileRefused(
            file, "bank_feed", "this is a Visa VCF feed of a version that is not read"
        )
    reader = _Reader(FeedRows(file, layout, f"{layout.name} {version}"))
    if version not in layout.settings["versions"]:
        reader.feed.notes.append(f"VCF {version} is read as {layout.settings['versions'][-1]}")
    for number, line in enumerate(lines, 1):
        if line.strip():
            _take(reader, line, number)
    if reader.opened is not None or reader.block is not None:
        raise cut_off(file, "trailer of its last set or block")
    _finish(reader)
    return reader.feed.found(limits)


def _take(reader: _Reader, line: str, number: int) -> None:
    """Take one line: a marker or a record of the block around it."""
    fields = line.split("\t")
    mark, file = fields[0].strip(), reader.feed.file
    if mark in {SET, SET_END, BLOCK, BLOCK_END} and len(fields) > MARKER_FIELDS:
        raise incomplete(file, "fields in a marker", declared=MARKER_FIELDS, counted=len(fields))
    if mark == SET:
        if reader.opened is not None:
            raise cut_off(file, "trailer of a set before the next set")
        reader.opened, reader.set_sums, reader.set_lines = fields, _Sums(), []
    elif reader.opened is None:
        raise out_of_sequence(file, "a set header (6)", expected="", seen="another record")
    elif mark == SET_END:
        _end_set(reader, fields)
    else:
        reader.set_lines.append(line)
        reader.set_sums.records += 1
        _take_inside(reader, fields, number)


def _take_inside(reader: _Reader, fields: list[str], number: int) -> None:
    """Take a line of a set: a marker of a block or a record in one."""
    mark, file = fields[0].strip(), reader.feed.file
    if mark == BLOCK:
        if reader.block is not None:
            raise cut_off(file, "trailer of a block before the next block")
        reader.block, reader.block_sums = fields, _Sums()
    elif reader.block is None:
        raise out_of_sequence(file, "a block header (8)", expected="", seen="another record")
    elif mark == BLOCK_END:
        _end_block(reader, fields)
    else:
        reader.block_sums.records += 1
        _take_record(reader, _number(reader, reader.block, KIND), fields, number)


def _number(reader: _Reader, fields: list[str], index: int) -> int:
    """Return a number of a marker; an empty one is zero.

    Raises:
        FileRefused: it is no number.
    """
    text = fields[index].strip() if index < len(fields) else ""
    if not re.fullmatch(r"-?\d*", text, re.ASCII) or text == "-":
        reason = (
            "a marker that counts records or money has no number. Ask the issuer to send it again"
        )
        raise FileRefused(reader.feed.file, "incomplete", reason)
    return int(text or 0)


def _end_block(reader: _Reader, fields: list[str]) -> None:
    """Compare a block with its trailer."""
    assert reader.block is not None
    feed, sums = reader.feed, reader.block_sums
    kind, header_kind = _number(reader, fields, KIND), _number(reader, reader.block, KIND)
    if kind != header_kind:
        raise out_of_sequence(feed.file, "the trailer of block", expected=header_kind, seen=kind)
    feed.compare(f"records in a block of type {kind}", _number(reader, fields, COUNT), sums.records)
    if kind == TRANSACTION:
        _compare_money(reader, _number(reader, fields, AMOUNT), sums, "a block")
    reader.set_sums.add(_Sums(0, sums.net, sums.gross))
    reader.block = None


def _end_set(reader: _Reader, fields: list[str]) -> None:
    """Compare a set with its trailer, and with the sets before it."""
    assert reader.opened is not None
    feed, sums = reader.feed, reader.set_sums
    if reader.block is not None:
        raise cut_off(feed.file, "trailer of the last block of a set")
    count, amount = _number(reader, fields, COUNT), _number(reader, fields, AMOUNT)
    if count or amount or not sums.records:
        feed.compare("records in a set", count, sums.records)
        _compare_money(reader, amount, sums, "a set")
    else:
        reader.unfilled += 1
    if len(fields) <= VERSION or fields[VERSION].strip() != reader.opened[VERSION].strip():
        raise cut_off(feed.file, "whole trailer of a set")
    if [text.strip() for text in fields[1:3]] != [text.strip() for text in reader.opened[1:3]]:
        actual = " ".join(text.strip() for text in fields[1:3])
        expected = " ".join(text.strip() for text in reader.opened[1:3])
        raise out_of_sequence(feed.file, "the trailer of set", expected=expected, seen=actual)
    content = "\n".join(reader.set_lines)
    count = 1 + sum(content == other for _, other in reader.sets)
    if count > 1 and sums.net:
        raise doubled(feed.file, "set of records", count=count)
    reader.sets.append((reader.opened, content))
    reader.all_sums.add(sums)
    reader.opened = None


def _compare_money(reader: _Reader, declared: int, sums: _Sums, subject: str) -> None:
    """Compare a declared total with what stands there, credits subtracted or added throughout.

    Raises:
        FileRefused: it is neither.
    """
    values = dict(zip(TRAILER_SUMS, (sums.net, sums.gross), strict=True))
    reader.ways &= {way for way, value in values.items() if value == declared}
    if not reader.ways:
        raise incomplete(
            reader.feed.file,
            f"in {subject}",
            declared=pounds_text(declared),
            counted=f"{pounds_text(sums.net)} ({pounds_text(sums.gross)} {TRAILER_SUMS[1]})",
        )


def _take_record(reader: _Reader, kind: int, fields: list[str], number: int) -> None:
    """Take a record of a block by the block's type."""
    layout = reader.feed.layout
    limit = layout.settings["field_counts"].get(str(kind))
    records = {ACCOUNT: "account", CARDHOLDER: "cardholder", TRANSACTION: "transaction"}
    if kind not in records:
        reader.unread_types[kind] = reader.unread_types.get(kind, 0) + 1
        return
    texts = {
        name: separated_text(fields, place) for name, place in layout.records[records[kind]].items()
    }
    if kind == ACCOUNT:
        reader.accounts[texts["card_number"]] = texts
    elif kind == CARDHOLDER:
        reader.people[texts["cardholder_id"]] = texts
    else:
        _take_payment(reader, texts, number, is_too_long=len(fields) > limit)


def _take_payment(
    reader: _Reader, texts: dict[str, str], number: int, *, is_too_long: bool
) -> None:
    """Take a record of type 5."""
    feed, places = reader.feed, reader.feed.layout.records["transaction"]
    direction, kind = feed.layout.settings["type_codes"].get(texts["type_code"], ("", ""))
    if is_too_long:
        feed.fault("long_record")
    elif not direction:
        feed.fault("type_unknown")
    is_number = re.fullmatch(r"\d+", texts["amount"], re.ASCII)
    if is_number is None:
        feed.fault("amount_unreadable")
    minor = int(texts["amount"]) if is_number else 0
    reader.block_sums.add(_Sums(0, -minor if direction == "refund" else minor, minor))
    reader.memo_posts += texts["memo_post"] not in {"", "0"}
    foreign = currency_code(texts["original_currency"])
    original = texts["original_amount"]
    is_readable = original.isascii() and original.isdigit() and has_two_decimals(foreign)
    user_data = [texts[name] for name in ("user_data", "user_data_2", "user_data_3")]
    feed.add(
        {
            "date": iso_date(texts["date"], places["date"].type),
            "posting_date": iso_date(texts["posting_date"], places["posting_date"].type),
            "transaction_id": texts["transaction_id"].lstrip("0") and texts["transaction_id"],
            "card_number": texts["card_number"],
            "merchant": texts["merchant"],
            "mcc": texts["mcc"],
            "amount": as_pounds(minor) if is_number else "",
            "debit_credit": direction,
            "kind": kind,
            "currency": currency_code(texts["currency"]),
            "original_amount": as_pounds(int(original)) if is_readable else "",
            "original_currency": foreign,
            "vat": _tax(texts["vat"], direction),
            "description": "; ".join(filter(None, user_data)),
        },
        number,
    )


def _tax(text: str, direction: str) -> str:
    """Return the VAT of a payment in pounds; empty where there is none, or no number."""
    if not (text.isascii() and text.isdigit() and int(text)):
        return ""
    return as_pounds(-int(text) if direction == "refund" else int(text))


def _finish(reader: _Reader) -> None:
    """Name the holders, and say what was checked."""
    feed, sums = reader.feed, reader.all_sums
    _check_sequence(reader)
    for row in feed.rows:
        account = reader.accounts.get(row["card_number"], {})
        person = reader.people.get(account.get("cardholder_id", ""), {})
        row |= {name: account.get(name, "") for name in ("unit", "cost_centre")}
        row |= {
            name: person.get(name, "") for name in ("employee_id", "cardholder", "cardholder_first")
        }
    nameless = sum(row["card_number"] not in reader.accounts for row in feed.rows)
    if nameless and reader.accounts:
        feed.notes.append(f"{nameless} payments are on cards whose accounts are not in the file")
    if reader.memo_posts:
        feed.notes.append(f"{reader.memo_posts} payments are marked as posted for information only")
    if reader.unread_types:
        count = sum(reader.unread_types.values())
        kinds = ", ".join(map(str, sorted(reader.unread_types)))
        feed.notes.append(f"{count} records of types {kinds} are counted and not read")
    if reader.unfilled:
        feed.not_declared(f"no totals for {reader.unfilled} of its sets")
    way = "" if sums.net == sums.gross else f", {next(w for w in TRAILER_SUMS if w in reader.ways)}"
    amount = sums.net if TRAILER_SUMS[0] in reader.ways else sums.gross
    feed.passed(
        "control totals",
        f"the {len(feed.rows):,} payments and {pounds_text(amount)} are what its blocks "
        f"declare{way}",
    )


def _check_sequence(reader: _Reader) -> None:
    """Check that the sets of each company are numbered one after the other.

    Raises:
        FileRefused: they are not. Where every set has the same number, numbers are not used.
    """
    numbers: dict[str, list[int]] = {}
    for header, _ in reader.sets:
        numbers.setdefault(header[1].strip(), []).append(_number(reader, header, SEQUENCE))
    for sequence in numbers.values():
        for before, after in itertools.pairwise(sequence):
            if len(set(sequence)) > 1 and after != before + 1:
                raise out_of_sequence(reader.feed.file, "set", expected=before + 1, seen=after)
