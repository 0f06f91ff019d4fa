"""What cells of workbooks show and their values do not say. Runs in the limited child only."""

import html
import io
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cardwatch.tabular.detect_format import ZIP
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
NUMBER_FORMAT = re.compile(r"<numFmt\b[^>]*>")
FONTS = re.compile(r"<fonts\b.*?</fonts>", re.DOTALL)
FONT_ELEMENT = re.compile(r"<font\b[^>]*/>|<font\b.*?</font>", re.DOTALL)
RED = re.compile(r"<color\b[^>]*\b(?:rgb=\"..(?:FF0000|C00000)\"|indexed=\"(?:2|10)\")")
STRUCK = re.compile(r"<strike\b(?![^>]*\bval=\"(?:0|false)\")")
HIDDEN_ROW = re.compile(rb"<row\b[^>]*\bhidden=\"(?:1|true)\"[^>]*(?<!/)>(.*?)</row>", re.DOTALL)
CELL_FORMATS = re.compile(r"<cellXfs\b.*?</cellXfs>", re.DOTALL)
STYLED_NUMBER = re.compile(
    rb"<c\b(?![^>]*\bt=\"(?:s|str|inlineStr|b|e|d)\")(?=[^>]*\br=\"([A-Z]+))"
    rb"(?:(?=[^>]*\bs=\"(\d+)))?[^>/]*>(?:<f\b[^>]*/>|<f\b.*?</f>)?\s*<v>(-?\d[^<]*)</v>"
)
"""A cell with a number: its column, its style and its value."""
WITHOUT_VALUE = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
"""A formula in a sheet's XML with no value after it."""
WITH_VALUE = re.compile(rb"<v>[^<]|<is>")
ROW = re.compile(rb"<row\b[^>]*>.*?</row>", re.DOTALL)
MOST_BESIDE_SUM = 2
"""More filled cells than this do not stand beside a sum."""
ODS_CURRENCY = re.compile(rb"office:currency=\"([A-Z]{3})\"")


def shows_credit(number_format: str) -> bool:
    """Return whether a number format prints a mark of credit beside amounts above zero."""
    parts = number_format.split(";")
    above_zero = next((part for part in parts if not NOT_ABOVE_ZERO.search(part)), "")
    printed = EXPONENT.sub("", _printed(above_zero))
    is_day = IS_DAY.search(QUOTED.sub("", printed)) is not None
    own_digits = QUOTED.sub(lambda text: PLACE_OF_DIGIT.sub("1", text[0]), printed)
    return CREDIT_FORMAT.search(own_digits) is not None and not is_day


def shows_scaled(number_format: str) -> bool:
    """Return whether a number format prints a point where the value has none, or thousands."""
    printed = _printed(number_format)
    texts = map(PRINTED_THOUSANDS.search, QUOTED.findall(printed))
    return PRINTED_POINT.search(printed) is not None or (
        any(texts) and DIVIDED.search(QUOTED.sub("", printed)) is None
    )


def _printed(number_format: str) -> str:
    """Return a number format with its texts in quotes, and without what prints nothing."""

    def quoted(token: re.Match[str]) -> str:
        text = (token[1] or token[2] or "").replace('"', "")
        return f'"{text}"' if text else ""

    return FORMAT_TOKEN.sub(quoted, number_format).replace('""', "")


@dataclass(frozen=True)
class CellStyle:
    """What a style says of the cells that have it."""

    number_format: str = ""
    is_red: bool = False
    is_struck: bool = False

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
        """Whether it prints a point that the value does not have, or thousands."""
        return shows_scaled(self.number_format)

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
        foreign: amounts printed with the sign of another currency than the pound.
        credits: amounts above zero printed with a mark of credit.
        red: amounts above zero in red letters, where others are not.
        scaled: amounts printed with a point that they do not have, or as thousands.
        struck: amounts above zero that are struck through.
        hidden_rows: filled rows that are not shown.
        without_value: whether a formula in a row of several cells was never worked out.
    """

    foreign: int = 0
    credits: int = 0
    red: int = 0
    scaled: int = 0
    struck: int = 0
    hidden_rows: int = 0
    without_value: bool = False


def shown_cells(data: bytes, sheets: Sequence[Sheet]) -> ShownCells:
    """Return what the cells of a workbook show; nothing of a form whose styles are not read.

    Args:
        data: the file.
        sheets: those that are read.
    """
    if not data.startswith(ZIP):
        return ShownCells()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name.replace("\\", "/"): name for name in archive.namelist()}
        if "content.xml" in parts:
            currencies = ODS_CURRENCY.findall(archive.read(parts["content.xml"]))
            return ShownCells(foreign=sum(currency != b"GBP" for currency in currencies))
        read = [
            (sheet, archive.read(parts[name]))
            for sheet in sheets
            if (name := f"xl/worksheets/sheet{sheet.number}.xml") in parts
        ]
        own = archive.read(parts["xl/styles.xml"]) if "xl/styles.xml" in parts else b""
    styles = _styles(own.decode("utf-8", "replace"))
    amounts: Counter[tuple[CellStyle, bool]] = Counter()
    for sheet, text in read if styles else ():
        columns = {_letters(position) for position in sheet.amount_columns}
        amounts.update(
            (styles.get(int(cell[2] or 0), UNSTYLED), cell[3].startswith(b"-"))
            for cell in STYLED_NUMBER.finditer(text)
            if cell[1] in columns and cell[3].strip(b"-0.")
        )
    texts = [text for _, text in read]
    return replace(
        shown_amounts(amounts),
        hidden_rows=sum(
            WITH_VALUE.search(row) is not None for text in texts for row in HIDDEN_ROW.findall(text)
        ),
        without_value=any(map(_lacks_values, texts)),
    )


def shown_amounts(amounts: Mapping[tuple[CellStyle, bool], int]) -> ShownCells:
    """Return what amounts show by their styles.

    Args:
        amounts: how many amounts other than zero have a style, those below zero (true) apart.
    """
    above = {style: count for (style, is_below), count in amounts.items() if not is_below}
    red = sum(count for style, count in above.items() if style.is_red)
    return ShownCells(
        foreign=sum(count for (style, _), count in amounts.items() if style.is_foreign),
        credits=sum(count for style, count in above.items() if style.is_credit),
        red=red_beside_others(red, sum(above.values())),
        scaled=sum(count for (style, _), count in amounts.items() if style.is_scaled),
        struck=sum(count for style, count in above.items() if style.is_struck),
    )


def red_beside_others(red: int, amounts: int) -> int:
    """Return how many amounts are in red letters; none where all are, as red then says nothing."""
    return 0 if red == amounts else red


def _letters(position: int) -> bytes:
    """Return the letters by which a workbook names the column at a position, from 0."""
    letters = ""
    while position >= 0:
        position, letter = divmod(position, 26)
        letters, position = chr(ord("A") + letter) + letters, position - 1
    return letters.encode()


def is_beside_others(filled: int) -> bool:
    """Return whether a row with so many filled cells has more than a sum beside its words."""
    return filled > MOST_BESIDE_SUM


def _lacks_values(text: bytes) -> bool:
    """Return whether a row of a sheet's XML has a formula without a value beside several cells.

    One beside a word alone is a sum, which is no payment.
    """
    return WITHOUT_VALUE.search(text) is not None and any(
        WITHOUT_VALUE.search(row) and is_beside_others(len(WITH_VALUE.findall(row)))
        for row in ROW.findall(text)
    )


def _styles(text: str) -> dict[int, CellStyle]:
    """Return the cell styles that show what the values do not say, by their numbers."""
    formats = {
        _attribute(tag, "numFmtId"): html.unescape(_attribute(tag, "formatCode"))
        for tag in NUMBER_FORMAT.findall(text)
    }
    fonts = FONTS.search(text)
    elements = FONT_ELEMENT.findall(fonts[0]) if fonts else []
    red = {str(i) for i, font in enumerate(elements) if RED.search(font)}
    struck = {str(i) for i, font in enumerate(elements) if STRUCK.search(font)}
    cell_formats = CELL_FORMATS.search(text)
    tags = re.findall(r"<xf\b[^>]*>", cell_formats[0]) if cell_formats else []
    styles = {}
    for number, tag in enumerate(tags):
        font = _attribute(tag, "fontId")
        number_format = formats.get(_attribute(tag, "numFmtId"), "")
        styles[number] = CellStyle(number_format, font in red, font in struck)
    return {number: style for number, style in styles.items() if style.is_notable}


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf"\b{name}=\"([^\"]*)\"", tag)
    return match[1] if match else ""
