"""Reads cells: dates, amounts and card numbers, each distinct text of a column once."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Codes = np.ndarray[Any, np.dtype[np.int32]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]

DAY_ZERO = dt.date(1899, 12, 30)
"""Day 0 of a workbook's serial days, as every spreadsheet counts from March 1900 on."""
SERIAL_DAYS = range(25_569, 73_051)
"""Serial days that are dates from 1970 to 2099."""
ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ][\d:.]+Z?)?")
COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
NUMERIC = re.compile(r"(\d{1,2})([/.\- ])(\d{1,2})\2(\d{4}|\d{2})(?: [\d:]+)?")
NAMED = re.compile(r"(\d{1,2})[ \-/.]?([A-Za-z]{3,9})[ \-/.,]*(\d{4}|\d{2})")
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
CURRENCY_MARKS = re.compile(r"£|\bGBP\b", re.IGNORECASE)
GROUPED = {
    ".": re.compile(r"\d{1,3}(?:[, ']\d{3})+(?:\.\d*)?|\d*\.?\d+|\d+\."),
    ",": re.compile(r"\d{1,3}(?:[. ']\d{3})+(?:,\d*)?|\d*,?\d+|\d+,"),
}
NOISE = Decimal("0.000001")
LARGEST_PENCE = 10**12
DIGIT_RUNS = re.compile(r"[0-9]+(?:[ ./-][0-9]+)*")
CARD_LENGTHS = range(13, 20)
UNTIDY = r"^\s|\s$|\s\s|[^\S ]|[^\x01-\x7f]|[2-6][0-9](?:[ ./-]?[0-9]){11}"
"""What a text that has to be looked at closely has in it; most have nothing of it."""
FILLED, BLANK = r"[^\s\p{Z}]", r"^[\s\p{Z}]*$"
PLAIN = re.compile(r"-?\d{1,10}\.\d\d")
DAMAGED = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Coded:
    """A column of text as its distinct values and, for each row, which of them stands there."""

    codes: Codes
    distinct: pa.StringArray

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Coded:
        """Take a dictionary-encoded column."""
        whole = column.combine_chunks()
        return cls(whole.indices.to_numpy(), whole.dictionary)

    @classmethod
    def absent(cls, rows: int) -> Coded:
        """Return a column of empty text."""
        return cls(np.zeros(rows, dtype=np.int32), pa.array([""]))

    @cached_property
    def values(self) -> list[str]:
        """Return the distinct values as text."""
        return self.distinct.to_pylist()

    def each(self, read: Callable[[str], Any], dtype: str) -> np.ndarray[Any, Any]:
        """Return `read` of every row as an array of a type; each distinct text is read once."""
        return np.array([read(text) for text in self.values], dtype=dtype)[self.codes]

    def mapped(self, change: Callable[[str], str]) -> Coded:
        """Return the column with every text changed."""
        return Coded(self.codes, pa.array(map(change, self.values), pa.string()))

    def matches(self, pattern: str) -> Flags:
        """Return for every row whether a pattern (RE2) is found in its text."""
        return self._found(pattern)[self.codes]

    def _found(self, pattern: str) -> Flags:
        found = pc.match_substring_regex(self.distinct, pattern)
        return found.to_numpy(zero_copy_only=False)

    def tidied(self, key: bytes) -> Coded:
        """Return the column with spaces collapsed and card numbers cut."""
        wanting = np.flatnonzero(self._found(UNTIDY))
        if not len(wanting):
            return self
        values = self.distinct.to_numpy(zero_copy_only=False).copy()
        values[wanting] = [tidy(text, key) for text in values[wanting]]
        return Coded(self.codes, pa.array(values, pa.string()))

    def kept(self, where: Flags) -> Coded:
        """Return only the rows in which `where` is true."""
        return self if where.all() else Coded(self.codes[where], self.distinct)

    def filled(self, other: Coded) -> Coded:
        """Return the column with the other's text where this one's is empty."""
        codes = np.where(self.matches(FILLED), self.codes, other.codes + len(self.distinct))
        return Coded(codes, pa.concat_arrays([self.distinct, other.distinct]))

    def texts(self) -> pd.Series[str]:
        """Return every row's text."""
        return pd.Series(pd.array(self.distinct.take(pa.array(self.codes)), dtype="str"))


def tidy(text: str, key: bytes) -> str:
    """Return a text cell trimmed, spaces and zero bytes collapsed, card numbers cut."""
    return redact_cards(" ".join(text.replace("\0", " ").split()), key)


def read_reference(text: str) -> str:
    """Return a reference, or nothing where a spreadsheet has cut its digits short."""
    return "" if DAMAGED.fullmatch(text) else text


def shape_of(text: str) -> str:
    """Return how a cell looks without what it says: letters as a, digits as 9."""
    shape = re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "a", text[:30]))
    return shape + ("..." if len(text) > 30 else "")


# Dates ------------------------------------------------------------------------------------------


def possible_orders(texts: Iterable[str]) -> Counter[str]:
    """Count the dates that only one order of day and month allows."""
    votes: Counter[str] = Counter()
    for text in texts:
        if match := NUMERIC.fullmatch(text.strip()):
            first, second = int(match[1]), int(match[3])
            if first > 12 >= second:
                votes["day-first"] += 1
            elif second > 12 >= first:
                votes["month-first"] += 1
            elif max(first, second) <= 12 and first != second:
                votes["either"] += 1
    return votes


def read_date(text: str, order: str, *, serial: bool) -> dt.date | None:
    """Return the day that a text names, or none.

    Args:
        text: a cell.
        order: day-first or month-first, for days written in figures.
        serial: whether a bare number counts the days of a spreadsheet.
    """
    text = text.strip()
    if match := ISO.fullmatch(text) or COMPACT.fullmatch(text):
        year, month, day = map(int, match.groups()[:3])
    elif match := NUMERIC.fullmatch(text):
        day, month = int(match[1]), int(match[3])
        if order == "month-first":
            day, month = month, day
        year = _full_year(match[4])
    elif match := NAMED.fullmatch(text):
        name = match[2][:3].lower()
        if name not in MONTHS:
            return None
        day, month, year = int(match[1]), MONTHS.index(name) + 1, _full_year(match[3])
    elif serial and text.split(".")[0].isdecimal() and int(text.split(".")[0]) in SERIAL_DAYS:
        return DAY_ZERO + dt.timedelta(days=int(text.split(".")[0]))
    else:
        return None
    try:
        found = dt.date(year, month, day)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 2099 else None


def _full_year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


# Amounts ----------------------------------------------------------------------------------------


def decimal_mark(texts: Iterable[str]) -> str:
    """Return which mark divides pounds from pence in a column: the point unless commas must.

    A comma divides where it comes after a point in the same amount, or is followed by one or two
    digits at the end of an amount in which nothing else does. `1,234` alone decides nothing.
    """
    votes: Counter[str] = Counter()
    for text in texts:
        if "," not in text and text.count(".") < 2:
            votes["."] += "." in text and text[-4:-3] != "."
            continue
        marks = re.sub(r"[^\d.,]", "", text)
        last = max(marks.rfind("."), marks.rfind(","))
        if last < 0:
            continue
        both = "." in marks and "," in marks
        if both or len(marks) - last - 1 != 3:
            votes[marks[last]] += marks.count(marks[last]) == 1
    return "," if votes[","] > votes["."] else "."


def read_pence(text: str, mark: str) -> int | None:
    """Return an amount in pence, exactly, or none if the text is no amount in whole pence.

    Accepts `(9.99)`, `9.99-`, `-.50`, `£1,234.5`, `1.083,65` with a comma as `mark`, CR and DR.
    """
    if mark == "." and PLAIN.fullmatch(text):
        return int(text.replace(".", ""))
    plain = CURRENCY_MARKS.sub("", text).replace("\u2212", "-").replace("\xa0", " ").strip()
    negative = False
    if match := re.fullmatch(r"\((.*)\)|(.*?)\s*(?:-|CR)|-\s*(.*)", plain, re.IGNORECASE):
        negative = True
        plain = next(group for group in match.groups() if group is not None).strip()
    plain = re.sub(r"\s*DR$", "", plain, flags=re.IGNORECASE).removeprefix("+")
    if not GROUPED[mark].fullmatch(plain):
        return None
    digits = re.sub(r"[ ']", "", plain).replace("." if mark == "," else ",", "").replace(",", ".")
    try:
        pence = Decimal(digits) * 100
        whole = pence.to_integral_value()
        if abs(pence - whole) > NOISE * 100 or whole > LARGEST_PENCE:
            return None
    except InvalidOperation:
        return None
    return -int(whole) if negative else int(whole)


# Card numbers -----------------------------------------------------------------------------------


def passes_luhn(digits: str) -> bool:
    """Return whether a run of digits has a card number's check digit (ISO/IEC 7812-1)."""
    doubled = [d * 2 - 9 * (d > 4) if i % 2 else d for i, d in enumerate(map(int, digits[::-1]))]
    return sum(doubled) % 10 == 0


def card_token(text: str, key: bytes) -> str:
    """Return the keyed hash under which a card is known: 16 hex digits of HMAC-SHA256."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]


def redact_cards(text: str, key: bytes) -> str:
    """Return a text with every full card number cut to its last four digits and a keyed hash.

    A run of 13 to 19 digits, single spaces, dots, slashes or dashes allowed, that starts with 2 to
    6 and passes the check digit is taken for a card number, whatever figures stand beside it; parts
    of a longer unbroken run, such as an acquirer's reference, are not.
    """

    def cut(match: re.Match[str]) -> str:
        parts = re.split(r"([ ./-])", match[0])  # runs of digits and, between them, what parts them
        for first in range(0, len(parts), 2):
            for last in range(len(parts) - 1, first - 1, -2):
                digits = "".join(parts[first : last + 1 : 2])
                if len(digits) in CARD_LENGTHS and digits[0] in "23456" and passes_luhn(digits):
                    rest = [*parts[:first], _last_four(digits, key), *parts[last + 1 :]]
                    return DIGIT_RUNS.sub(cut, "".join(rest)) if len(rest) > 1 else rest[0]
        return match[0]

    return DIGIT_RUNS.sub(cut, text)


def _last_four(digits: str, key: bytes) -> str:
    return f"card ending {digits[-4:]} ({card_token(digits, key)[:6]})"


def read_card(text: str, key: bytes) -> tuple[str, str, bool]:
    """Return a card's last four digits, its token, and whether the whole number was there.

    In a column of cards every run of 13 to 19 digits is a card number, check digit or not.
    """
    plain = re.sub(r"[ -]", "", text)
    if re.fullmatch(r"\d{13,19}", plain):
        return plain[-4:], card_token(plain, key), True
    if DAMAGED.fullmatch(plain):
        return "", "", False
    last = re.search(r"(\d{4})\D*$", plain)
    return (last[1] if last else ""), card_token(plain, key) if plain else "", False


def card_name(text: str, key: bytes) -> str:
    """Return how a card is named where nothing else names its holder; empty without four digits."""
    last, token, whole = read_card(text, key)
    return f"card ending {last}" + (f" ({token[:6]})" if whole else "") if last else ""
