"""Reads cells: amounts and card numbers, each distinct text of a column once."""

from __future__ import annotations

import hashlib
import hmac
import html
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Self

    Codes = np.ndarray[Any, np.dtype[np.int32]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]

CURRENCY_MARKS = re.compile(
    r"[£\uffe1]|&(?:pound|#163|#xa3);|(?<![A-Z])(?:GBP|pounds?|sterling)(?![A-Z])", re.IGNORECASE
)
NO_PENCE = re.compile(r"(?<=\d)[.,]\s?-{1,2}$")
"""A dash in place of the pence, as in `120.-`: no minus."""
PENCE_MARK = re.compile(r"^(\d{1,3}) ?p$")
"""Pence alone, as in `99p`; a capital letter may be a code, as of a purchase."""
GROUPED = {
    ".": re.compile(r"\d{1,3}(?:[, ']\d{3})+(?:\.\d*)?|\d*\.?\d+|\d+\."),
    ",": re.compile(r"\d{1,3}(?:[. ']\d{3})+(?:,\d*)?|\d*,?\d+|\d+,"),
}
NOISE = Decimal("0.000001")
LARGEST_PENCE = 10**12
TOKEN_START = 6
"""Hex digits of a card's hash that its name shows."""
CARD_NAME = re.compile(r"card ending \d{4} \(([0-9a-f]{6})\)")
DIGIT_RUNS = re.compile(r"[0-9]+(?:[ ./-][0-9]+)*")
CARD_LENGTHS = range(13, 20)
UNTIDY = r"^['=]|^\s|\s$|\s\s|[^\S ]|[^\x01-\x7f]|&[#a-z]|[2-6][0-9](?:[ ./-]?[0-9]){11}"
"""Matches cells that need cleaning; most do not."""
FILLED, BLANK = r"[^\s\p{Z}]", r"^[\s\p{Z}]*$"
PLAIN = re.compile(r"-?\d{1,10}\.\d\d")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
ENTITY = re.compile(r"&(?:amp|apos|quot|lt|gt|nbsp|pound|#39|#x27);")
"""What a web page writes for a character, and programs copy."""
FORMULA = re.compile(r'="(.*)"', re.DOTALL)
"""A text that a spreadsheet was made to leave alone."""
HYPHENS = str.maketrans(dict.fromkeys("\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\uff0d", "-"))
"""Characters that programs print for a minus; the soft hyphen is one in an amount."""
MARKED = re.compile(
    r"(?:(?P<before>CR|DR)[.:]?\s*)?(?P<body>.*?)\s*(?:\(?(?P<after>CR|DR|C|D)\.?\)?)?",
    re.IGNORECASE | re.DOTALL,
)
"""An amount with a mark of credit or debit before or after it."""
MINUS = re.compile(r"\((.*)\)|(.*?)\s*-|-\s*(.*)", re.DOTALL)
CREDIT_OR_DEBIT = r"(?i)^\W*(?:CR|DR)\b|[0-9.)]\s*\(?(?:CR|DR|C|D)\.?\)?\s*$"
NIL = r"^[\s\p{Z}]*(?:£?[\s\p{Z}]*[-\x{2010}-\x{2014}\x{2212}]+)?[\s\p{Z}]*$"
"""An amount cell with nothing in it, or a dash for nothing, perhaps with the sign of pounds."""
THREE_AFTER = re.compile(r"\D*\d{1,3}[.,]\d{3}\D*")
"""An amount whose only mark may divide thousands or pounds from pence."""
LABEL = re.compile(r"[^\W\d_xX]{3}")
MASKED = re.compile(r"\d{4}|[*•#]|[xX]{3}")
SCIENTIFIC_NUMBER = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.IGNORECASE)


@cache
def _empty() -> pa.StringArray:
    """Return the distinct values of a column that is absent: of twenty fields fourteen are, mostly.

    It is made when it is needed: with its first array Arrow takes a gibibyte of address space, and
    a process of the service may have a limit (`api.memory`).
    """
    return pa.array([""])


def _found(texts: pa.StringArray, pattern: str) -> Flags:
    """Return in which texts a pattern (RE2) is found."""
    return pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)


@lru_cache(256)
def _found_in_empty(pattern: str) -> Flags:
    """Return whether a pattern is found in an empty text, as `_found` does: it is asked often."""
    found = _found(_empty(), pattern)
    found.flags.writeable = False
    return found


@lru_cache(2)
def _repeated(text: str, rows: int) -> pa.LargeStringArray:
    """Return one text for every row: the columns that a file lacks share it, a dozen in a frame."""
    return pa.repeat(pa.scalar(text, pa.large_string()), rows)


@dataclass(frozen=True)
class TextColumn:
    """A column of text as its distinct values and, for each row, which of them stands there."""

    codes: Codes
    distinct: pa.StringArray

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> TextColumn:
        """Take a dictionary-encoded column."""
        whole = column.combine_chunks()
        return cls(whole.indices.to_numpy().astype(np.int32, copy=False), whole.dictionary)

    @classmethod
    def absent(cls, rows: int) -> TextColumn:
        """Return a column of empty text."""
        return cls(np.zeros(rows, dtype=np.int32), _empty())

    @classmethod
    def of_one(cls, text: str, rows: int) -> TextColumn:
        """Return a column that says the same on every row."""
        return cls(np.zeros(rows, dtype=np.int32), pa.array([text], pa.string()))

    @cached_property
    def values(self) -> list[str]:
        """Return the distinct values as text."""
        return self.distinct.to_pylist()

    @cached_property
    def used(self) -> list[str]:
        """Return the distinct values that stand in any row; `values` may hold more."""
        counts = np.bincount(self.codes, minlength=len(self.distinct))
        return [text for text, count in zip(self.values, counts, strict=True) if count]

    def picked(self, rows: np.ndarray[Any, np.dtype[np.int64]]) -> list[str]:
        """Return the texts of some rows."""
        return self.distinct.take(pa.array(self.codes[rows])).to_pylist()

    def each(self, read: Callable[[str], Any], dtype: str) -> np.ndarray[Any, Any]:
        """Return `read` of every row as an array of a type; each distinct text is read once."""
        return np.array([read(text) for text in self.values], dtype=dtype)[self.codes]

    def mapped(self, change: Callable[[str], str]) -> TextColumn:
        """Return the column with every text changed."""
        return TextColumn(self.codes, pa.array(map(change, self.values), pa.string()))

    def matches(self, pattern: str) -> Flags:
        """Return for every row whether a pattern (RE2) is found in its text."""
        return self._found(pattern)[self.codes]

    def _found(self, pattern: str) -> Flags:
        """Return for every distinct text whether a pattern is found; each is looked for once."""
        if pattern not in self._searched:
            self._searched[pattern] = (
                _found_in_empty(pattern)
                if self.distinct is _empty()
                else _found(self.distinct, pattern)
            )
        return self._searched[pattern]

    @cached_property
    def _searched(self) -> dict[str, Flags]:
        """Result of each search, by its pattern."""
        return {}

    def tidied(self, key: bytes) -> TextColumn:
        """Return the column with spaces collapsed and card numbers cut."""
        wanting = np.flatnonzero(self._found(UNTIDY))
        if not len(wanting):
            return self
        values = self.distinct.to_numpy(zero_copy_only=False).copy()
        values[wanting] = [tidy(text, key) for text in values[wanting]]
        return TextColumn(self.codes, pa.array(values, pa.string()))

    def kept(self, where: Flags) -> TextColumn:
        """Return only the rows in which `where` is true."""
        return self if where.all() else TextColumn(self.codes[where], self.distinct)

    def filled(self, other: TextColumn) -> TextColumn:
        """Return the column with the other's text where this one's is empty."""
        codes = np.where(self.matches(FILLED), self.codes, other.codes + len(self.distinct))
        return TextColumn(codes, pa.concat_arrays([self.distinct, other.distinct]))

    def texts(self) -> pd.Series[str]:
        """Return every row's text."""
        return pd.Series(self.text_array())

    def text_array(self) -> pd.api.extensions.ExtensionArray:
        """Return every row's text as an array: a frame of arrays is made sooner than of series."""
        distinct = self.distinct.cast(pa.large_string())  # as pandas keeps it: few texts are cast
        rows = len(self.codes)
        if len(distinct) == 1:
            return pd.array(_repeated(self.values[0], rows), dtype="str")
        is_whole = 0 < rows <= len(distinct)  # as references are, each on one row
        if is_whole and (self.codes == np.arange(self.codes[0], self.codes[0] + rows)).all():
            return pd.array(distinct.slice(self.codes[0], rows), dtype="str")
        return pd.array(distinct.take(pa.array(self.codes)), dtype="str")


def plain_cell(text: str) -> str:
    """Return a cell without what programs add to it: invisible marks, `="..."`, an apostrophe.

    Spaces of every kind become plain ones, and a letter and its accent one character.
    """
    plain = text.strip()
    if not text.isascii():
        plain = " ".join(unicodedata.normalize("NFC", INVISIBLE.sub("", text)).split())
    if match := FORMULA.fullmatch(plain):
        plain = match[1].strip()
    return plain[1:].strip("'") if plain.startswith("'") else plain


def tidy(text: str, key: bytes) -> str:
    """Return a text cell trimmed, spaces and zero bytes collapsed, card numbers cut."""
    plain = ENTITY.sub(lambda mark: html.unescape(mark[0]), text.replace("\0", " "))
    return redact_cards(" ".join(plain_cell(plain).split()), key)


def read_reference(text: str) -> str:
    """Return a reference, or nothing where a spreadsheet has cut its digits short."""
    return "" if SCIENTIFIC_NUMBER.fullmatch(text) else text


def shape_of(text: str) -> str:
    """The shape of a cell without its contents: letters as a, digits as 9."""
    shape = re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "a", text[:30]))
    return shape + ("..." if len(text) > 30 else "")


# Amounts ----------------------------------------------------------------------------------------


def decimal_mark(texts: Iterable[str]) -> str:
    """Return which mark divides pounds from pence in a column: the point unless commas must.

    A comma divides where it comes after a point in the same amount, or is followed by one or two
    digits at the end of an amount in which nothing else does. `1,234` alone decides nothing.
    """
    texts = list(texts)
    if not any("," in text for text in texts):
        return "."
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


def decimal_unclear(texts: Iterable[str], separator: str) -> bool:
    """Return whether nothing shows if a mark before three digits divides thousands or pence.

    `1.250` may be either. `1,250` is thousands, save in a file separated by semicolons, which is
    written where commas divide pounds from pence.

    Args:
        texts: the amounts of a file.
        separator: what separates its cells.
    """
    marks = ".," if separator == ";" else "."
    unclear = False
    for text in texts:
        if "." in text or "," in text:
            if not THREE_AFTER.fullmatch(text):
                return False
            unclear = unclear or any(mark in text for mark in marks)
    return unclear


def read_pence(text: str, mark: str) -> int | None:
    """Return an amount in pence, exactly, or none if the text is no amount in whole pence.

    Accepts `(9.99)`, `9.99-`, `-.50`, `£1,234.5`, `1.083,65` with a comma as `mark`, CR and DR
    before or after. A minus and a mark of credit together are refused.
    """
    if mark == "." and PLAIN.fullmatch(text):
        return int(text.replace(".", ""))
    plain = CURRENCY_MARKS.sub("", plain_cell(text.translate(HYPHENS))).strip()
    plain = PENCE_MARK.sub(lambda pence: f"{int(pence[1]) / 100:.2f}".replace(".", mark), plain)
    marked = MARKED.fullmatch(NO_PENCE.sub("", plain))
    if marked is None or (marked["before"] and marked["after"]):
        return None
    plain, mark_text = marked["body"], (marked["before"] or marked["after"] or "").upper()
    negative, match = mark_text.startswith("C"), MINUS.fullmatch(plain)
    if match:
        negative = True
        plain = next(group for group in match.groups() if group is not None).strip()
    plain = plain.removeprefix("+")
    if (match and mark_text) or not GROUPED[mark].fullmatch(plain):
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


class CardKey(bytes):
    """A secret for card numbers that has replaced others: a card keeps the hash it is known by.

    Attributes:
        older: the secrets it has replaced, the oldest first.
        known: the beginnings (`TOKEN_START`) of the hashes that a casebook has.
    """

    older: tuple[bytes, ...]
    known: Collection[str]

    def __new__(cls, secret: bytes, older: Iterable[bytes], known: Collection[str]) -> Self:
        """Return a secret beside those it has replaced."""
        key = super().__new__(cls, secret)
        key.older, key.known = tuple(older), known
        return key

    def __getnewargs__(self) -> tuple[bytes, tuple[bytes, ...], Collection[str]]:  # type: ignore[override]
        """Its parts, for another process."""
        return bytes(self), self.older, self.known


def card_token(text: str, key: bytes) -> str:
    """Return the keyed hash under which a card is known: 16 hex digits of HMAC-SHA256."""
    if isinstance(key, CardKey):
        for secret in key.older:
            token = _keyed_hash(text, secret)
            if token[:TOKEN_START] in key.known:
                return token
    return _keyed_hash(text, key)


def _keyed_hash(text: str, secret: bytes) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:16]


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
    return f"card ending {digits[-4:]} ({card_token(digits, key)[:TOKEN_START]})"


def read_card(text: str, key: bytes) -> tuple[str, str, bool]:
    """Return a card's last four digits, its token, and whether the whole number was there.

    In a column of cards every run of 13 to 19 digits is a card number, check digit or not. Digits
    are the last four only at the end: a card that is masked there shows those of its issuer.
    """
    plain = re.sub(r"[ -]", "", plain_cell(text))
    if re.fullmatch(r"\d{13,19}", plain):
        return plain[-4:], card_token(plain, key), True
    if SCIENTIFIC_NUMBER.fullmatch(plain):
        return "", "", False
    last = re.search(r"(\d{4})[^\w*#•.]*\.?$", plain)
    return (last[1] if last else ""), card_token(plain, key) if plain else "", False


def card_name(text: str, key: bytes) -> str:
    """The name of a card whose holder is not named.

    A card without digits is known by its label, such as `Ops card`. Empty where the digits shown
    are not the last four, or a spreadsheet has cut them.
    """
    last, token, whole = read_card(text, key)
    if last:
        return f"card ending {last}" + (f" ({token[:TOKEN_START]})" if whole else "")
    plain = tidy(text, key)
    return plain if LABEL.search(plain) and not MASKED.search(plain) else ""
