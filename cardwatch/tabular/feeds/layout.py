"""Layouts of bank feeds: which field stands where, declared as data files."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

DATE_FORMS = {
    "CCYYMMDD": (re.compile(r"(\d{4})(\d\d)(\d\d)"), (1, 2, 3)),
    "CCYY-MM-DD": (re.compile(r"(\d{4})-(\d\d)-(\d\d)"), (1, 2, 3)),
    "MMDDCCYY": (re.compile(r"(\d\d)(\d\d)(\d{4})"), (3, 1, 2)),
}
"""Forms of dates: a pattern, and which of its groups are year, month and day."""
NO_DATE = ("9999", "0000")
"""Years that stand for no date."""


class Unreadable(ValueError):
    """A cell of a feed that is not what its layout says; carries a problem code, no content."""

    def __init__(self, code: str) -> None:
        """Take the problem code."""
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Place:
    """Where a field stands in a record, of what type it is, and where that is known from.

    Attributes:
        start, length: columns of a fixed-width record, counted from 1.
        index: field of a separated record, counted from 0.
        path: element of an XML record, or tag.
        type: text, number, amount, pence, currency, or a form of dates.
        sign, decimals: columns of an amount's sign and of how many decimals it has.
        source: what shows that it stands there.
    """

    type: str = "text"
    start: int = 0
    length: int = 0
    index: int = -1
    path: str = ""
    sign: int = 0
    decimals: int = 0
    source: str = ""

    @property
    def label(self) -> str:
        """Where it stands, for people."""
        if self.path:
            return self.path
        if self.start:
            return f"columns {self.start} to {self.start + self.length - 1}"
        return f"field {self.index}"


@dataclass(frozen=True)
class Layout:
    """One declared layout.

    Attributes:
        name: the form's name, for people.
        records: for each kind of record its fields by name.
        settings: what else the data file declares.
    """

    name: str
    records: dict[str, dict[str, Place]]
    settings: dict[str, Any]


@cache
def load_layout(form: str) -> Layout:
    """Return the layout of a form of feeds, from its data file."""
    path = resources.files("cardwatch.tabular.feeds") / "layouts" / f"{form}.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    records = {
        record: {name: Place(**place) for name, place in fields.items()}
        for record, fields in content.pop("records").items()
    }
    return Layout(content.pop("name"), records, content)


@cache
def _currencies() -> dict[str, Any]:
    path = resources.files("cardwatch.tabular.feeds") / "currencies.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def currency_code(text: str) -> str:
    """Return a currency by its three letters; one given by an unknown number stays that number."""
    plain = text.strip()
    if not plain.isdecimal():
        return plain.upper()
    number = f"{int(plain):03d}"
    return "" if number == "000" else _currencies()["codes"].get(number, number)


def has_two_decimals(currency: str) -> bool:
    """Return whether a currency is known to have two decimals."""
    return currency in {*_currencies()["codes"].values(), ""} - {
        *_currencies()["decimals"]["other"]
    }


def iso_date(text: str, form: str) -> str:
    """Return a date as 2026-10-31; empty where it is not a date."""
    pattern, order = DATE_FORMS[form]
    match = pattern.fullmatch(text.strip())
    if match is None or match[order[0]] in NO_DATE:
        return ""
    return "-".join(match[group] for group in order)


def as_pounds(minor: int, decimals: int = 2) -> str:
    """Return an amount in minor units as text with a point, exactly."""
    return format(Decimal(minor).scaleb(-decimals), "f")


def pounds_text(pence: int) -> str:
    """Return an amount as people read it, with thousands commas."""
    return f"£{Decimal(pence).scaleb(-2):,}"


def fixed_text(line: str, place: Place) -> str:
    """Return one field of a fixed-width record, trimmed."""
    return line[place.start - 1 : place.start - 1 + place.length].strip()


def fixed_number(line: str, place: Place) -> int:
    """Return a number of a fixed-width record; an empty one is zero.

    Raises:
        Unreadable: it has other characters than digits.
    """
    text = fixed_text(line, place)
    if text and not (text.isascii() and text.isdigit()):
        raise Unreadable("bad_amount")
    return int(text or 0)


def fixed_amount(line: str, place: Place) -> tuple[int, int] | None:
    """Return a signed amount of a fixed-width record and its decimals; none where it is unused.

    The digit for the decimals belongs to this amount alone. A sign may also precede the digits.

    Raises:
        Unreadable: it has no number, or digits without decimals.
    """
    text = fixed_text(line, place)
    sign = line[place.sign - 1 : place.sign]
    decimals = line[place.decimals - 1 : place.decimals].strip()
    match = re.fullmatch(r"([+-]?)(\d*)", text, re.ASCII)
    if match is None or sign not in {"+", "-", " "} or (decimals and decimals not in "0123456"):
        raise Unreadable("bad_amount")
    value = int(match[2] or 0)
    if not decimals:
        if value:
            raise Unreadable("bad_amount")
        return None
    return (-value if (sign == "-") != (match[1] == "-") else value), int(decimals)


def separated_text(fields: Sequence[str], place: Place) -> str:
    """Return one field of a separated record, trimmed; empty where the record ends before it."""
    return fields[place.index].strip() if place.index < len(fields) else ""
