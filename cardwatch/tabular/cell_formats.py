"""Formats of workbook cells, which show what values do not say. Runs in the limited child only."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cardwatch.tabular.headings import without_pound_mark
from cardwatch.tabular.sheets import Sheet

FOREIGN_FORMAT = re.compile(
    r"\[\$(?!\s*(?:£|GBP)?\s*[-\]])|(?<![\[_])\$|[€¥\u20a0-\u20a3\u20a5-\u20cf]|"
    r"\b(?:EUR|USD|CHF|SEK|NOK|DKK|PLN|CZK|HUF|JPY|CNY|INR|AUD|CAD|NZD|ZAR|AED|HKD|SGD)\b|"
    r"\"\s*(?:kr|zł|Kč|Fr|Ft|Rs)\.?\s*\"|^Euro Currency$"
)
"""A number format that prints the sign of another currency than the pound."""
CREDIT_FORMAT = re.compile(
    r"\"[^\"]*(?<![a-z])(?:CR|credit|refund)(?![a-z])[^\"]*\"|"
    r"[-\u2013\u2212(][^\d#?)]*[0#?]|[0#?][^-\u2013\u2212\d#?]*[-\u2013\u2212]\W*$",
    re.IGNORECASE,
)
"""A part of a number format that prints a mark of credit, a minus or brackets."""
FORMAT_TOKEN = re.compile(r"\"([^\"]*)\"|\\(.)|_.|\*.|\[[^\]]*\]")
"""Text that a number format prints as it stands; or a space of a width, a filling, a colour or a
country."""
PLACE_OF_DIGIT = re.compile(r"[0#?]")
QUOTED = re.compile(r"\"[^\"]*\"")
EXPONENT = re.compile(r"(?<=[0#?])E[-+]")
NOT_ABOVE_ZERO = re.compile(r"\[\s*[<=]")
IS_DAY = re.compile(r"[dmyhs]", re.IGNORECASE)
PRINTED_POINT = re.compile(r"[0#?]\"\s*(?:\.\s*\"0|,\s*\"00?(?![0#?]))")
"""A point, or a comma before pence, that stands in a number format as text."""
PRINTED_THOUSANDS = re.compile(
    r"(?<![^\W\d_])(?:k|mn?|bn|thousands?|millions?|(?<!\d)000s?)(?!\w)", re.IGNORECASE
)
DIVIDED = re.compile(r"[0#?],+(?![0#?,])")
"""A comma after the last digit: the number is printed divided by a thousand."""
PER_CENT = re.compile(r"%|\b(?:per ?cent(?:age)?|pct)\b", re.IGNORECASE)
MOST_BESIDE_SUM = 2
"""More filled cells than this do not stand beside a sum."""


def shows_credit(number_format: str) -> bool:
    """Return whether a number format prints a mark of credit beside amounts above zero."""
    parts = number_format.split(";")
    above_zero = next((part for part in parts if not NOT_ABOVE_ZERO.search(part)), "")
    printed = EXPONENT.sub("", _printed(above_zero))
    is_day = IS_DAY.search(QUOTED.sub("", printed)) is not None
    own_digits = QUOTED.sub(lambda text: PLACE_OF_DIGIT.sub("1", text[0]), printed)
    return CREDIT_FORMAT.search(own_digits) is not None and not is_day


def shows_scaled(number_format: str) -> bool:
    """Return whether a number format prints another number than the value.

    That is a point where the value has none; thousands, unless it says so beside a number that it
    divides; or a percentage.
    """
    printed = _printed(number_format)
    says_thousands = any(map(PRINTED_THOUSANDS.search, QUOTED.findall(printed)))
    bare = QUOTED.sub("", printed)
    divides = DIVIDED.search(bare) is not None
    return PRINTED_POINT.search(printed) is not None or says_thousands != divides or "%" in bare


def _printed(number_format: str) -> str:
    """Return a number format with its texts in quotes, and without what prints nothing."""

    def quoted(token: re.Match[str]) -> str:
        text = (token[1] or token[2] or "").replace('"', "")
        return f'"{text}"' if text else ""

    return FORMAT_TOKEN.sub(quoted, number_format).replace('""', "")


@dataclass(frozen=True)
class CellStyle:
    """Properties of the cells that have a style.

    Attributes:
        number_format: as Excel writes it.
        prints_other: whether the number printed is many times the value, or a part of it.
    """

    number_format: str = ""
    is_red: bool = False
    is_struck: bool = False
    prints_other: bool = False

    @cached_property
    def is_foreign(self) -> bool:
        """Whether it prints the sign of another currency."""
        return FOREIGN_FORMAT.search(self.number_format) is not None

    @cached_property
    def is_credit(self) -> bool:
        """Whether it prints a mark of credit beside amounts above zero."""
        return shows_credit(self.number_format)

    @cached_property
    def is_scaled(self) -> bool:
        """Whether it prints a point that the value does not have, thousands or a percentage."""
        return self.prints_other or shows_scaled(self.number_format)

    @property
    def is_notable(self) -> bool:
        """Whether it shows anything that the values do not say."""
        is_printed = self.is_foreign or self.is_credit or self.is_scaled
        return self.is_red or self.is_struck or is_printed


UNSTYLED = CellStyle()


@dataclass(frozen=True)
class ShownCells:
    """Counts of cells that show more than their values say.

    Attributes:
        amounts: amounts other than zero.
        foreign: those printed with the sign of another currency than the pound.
        credits: amounts above zero printed with a mark of credit, by the names of their columns.
        red: amounts above zero in red letters, where others are not.
        scaled: amounts printed as another number, with a point that they do not have, as thousands
            or as a percentage, by the names of their columns.
        struck: rows with an amount above zero or a text that is struck through.
        hidden_rows: filled rows that are not shown.
        without_value: whether a formula in a row of several cells was never worked out.
    """

    amounts: int = 0
    foreign: int = 0
    credits: Mapping[str, int] = field(default_factory=dict)
    red: int = 0
    scaled: Mapping[str, int] = field(default_factory=dict)
    struck: int = 0
    hidden_rows: int = 0
    without_value: bool = False


Counted = Counter[tuple[int, CellStyle, bool]]
"""How many numbers other than zero a column has of a style, those below zero (true) apart."""


RED_COLOURS = frozenset({"#FF0000", "#C00000"})
ANY = -1
"""In place of a column: a text, in whichever."""


@dataclass
class SheetLook:
    """How one sheet of a workbook looks, whatever its form.

    Attributes:
        hidden_columns: positions of the columns that are not shown.
        hidden_rows: how many filled rows are not shown.
        without_value: whether a formula in a row of several cells was never worked out.
        numbers: how many numbers other than zero stand in each column, by their styles.
        struck: for each row with something struck through, the columns of its numbers above zero,
            or `ANY` for a text.
    """

    hidden_columns: frozenset[int] = frozenset()
    hidden_rows: int = 0
    without_value: bool = False
    numbers: Counted = field(default_factory=Counter)
    struck: dict[int, set[int]] = field(default_factory=dict)

    def take_number(
        self, row: int, column: int, style: CellStyle, value: float, rows: int = 1
    ) -> None:
        """Count a number that stands in a row, and perhaps in more that are the same."""
        if value:
            self.numbers[column, style, value < 0] += rows
        if style.is_struck and value > 0:
            self.struck.setdefault(row, set()).add(column)

    def take_struck_text(self, row: int) -> None:
        """Note that a text in a row is struck through."""
        self.struck.setdefault(row, set()).add(ANY)

    def amounts(self, columns: Collection[int]) -> Counted:
        """Count the numbers in some columns by their styles."""
        return Counter({key: count for key, count in self.numbers.items() if key[0] in columns})

    def struck_rows(self, columns: Collection[int]) -> int:
        """Count the rows with a text, or an amount above zero in some columns, struck through."""
        return sum(not row.isdisjoint({ANY, *columns}) for row in self.struck.values())


def shown_cells(looks: Mapping[str, SheetLook], sheets: Sequence[Sheet]) -> ShownCells:
    """Return what the cells of some sheets show.

    Args:
        looks: how each sheet looks, by its name.
        sheets: those that are read.
    """
    read = [(sheet, looks[sheet.name]) for sheet in sheets if sheet.name in looks]
    above: Counter[tuple[str, CellStyle]] = Counter()
    scaled: Counter[str] = Counter()
    amounts = foreign = 0
    for sheet, look in read:
        main = _main_columns(sheet)
        for (column, style, is_below), count in look.amounts(sheet.amount_columns).items():
            name = _column_name(sheet, column)
            amounts += count
            foreign += count * style.is_foreign
            above[name, style] += count * (not is_below)
            scaled[name] += count * (style.is_scaled and column in main)
    credit: Counter[str] = Counter()
    for (name, style), count in above.items():
        credit[name] += count * style.is_credit
    return ShownCells(
        amounts=amounts,
        foreign=foreign,
        credits=+credit,
        red=sum(
            red_beside_others(
                sum(n for (other, style), n in above.items() if other == name and style.is_red),
                sum(n for (other, _), n in above.items() if other == name),
            )
            for name in credit
        ),
        scaled=+scaled,
        struck=sum(look.struck_rows(sheet.amount_columns) for sheet, look in read),
        hidden_rows=sum(look.hidden_rows for _, look in read),
        without_value=any(look.without_value for _, look in read),
    )


def _main_columns(sheet: Sheet) -> frozenset[int]:
    """Return the columns that may be the amount: by a heading known as such, or else all of them.

    A share in per cent stands beside amounts and is none.
    """
    names, printed = sheet.names, sheet.found.names
    columns = frozenset(
        i for i in sheet.amount_columns if i >= len(names) or not PER_CENT.search(printed[i])
    )
    known = sheet.headings.needed[-1] if sheet.headings.needed else frozenset()
    return (
        frozenset(
            i
            for i in columns
            if i < len(names) and not known.isdisjoint({names[i], without_pound_mark(names[i])})
        )
        or columns
    )


def _column_name(sheet: Sheet, column: int) -> str:
    """Return how people are told of a column: by its heading, or its place from 1."""
    heading = sheet.found.names[column] if column < len(sheet.names) else ""
    return f"'{' '.join(heading.split())}'" if heading.strip() else str(column + 1)


def red_beside_others(red: int, amounts: int) -> int:
    """Return how many amounts are in red letters; none where all are, as red then says nothing."""
    return 0 if red == amounts else red


def is_beside_others(filled: int) -> bool:
    """Return whether a row with so many filled cells has more than a sum beside its words."""
    return filled > MOST_BESIDE_SUM
