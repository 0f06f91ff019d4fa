"""What cells of workbooks show and their values do not say. Runs in the limited child only."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from cardwatch.tabular.detect_format import ZIP

FOREIGN_FORMAT = re.compile(
    r"[€¥]|\[\$(?:\$|(?!GBP)[A-Z]{3})|(?:\"|\\)\$|\b(?:EUR|USD)\b|^Euro Currency$"
)
"""A number format that prints euros, yen or dollars."""
CREDIT_FORMAT = re.compile(
    r"\"[^\"]*\b(?:CR|credit|refund)\b[^\"]*\"|\\C\\R|[-(]\"?[^\")]*[0#]", re.IGNORECASE
)
"""A part of a number format that prints a mark of credit, a minus or brackets."""
NOT_PRINTED = re.compile(r"_.|\*.|\[[^\]]*\]")
"""What a number format has for a space of a width, a filling, a colour or a country."""
IS_DAY = re.compile(r"[dmyhs]", re.IGNORECASE)
SCALED_FORMAT = re.compile(r"[0#](?:\"\.\"|\\\.)0|[0#]\s*\"\s*(?:k|m|mn|000s?)\"", re.IGNORECASE)
"""A number format that prints a point where the value has none, or thousands."""
NUMBER_FORMAT = re.compile(r"<numFmt\b[^>]*>")
FONTS = re.compile(r"<fonts\b.*?</fonts>", re.DOTALL)
FONT_ELEMENT = re.compile(r"<font\b[^>]*/>|<font\b.*?</font>", re.DOTALL)
RED = re.compile(r"<color\b[^>]*\b(?:rgb=\"..(?:FF0000|C00000)\"|indexed=\"(?:2|10)\")")
STRUCK = re.compile(r"<strike\b(?![^>]*\bval=\"(?:0|false)\")")
HIDDEN_ROW = re.compile(rb"<row\b[^>]*\bhidden=\"(?:1|true)\"[^>]*(?<!/)>(.*?)</row>", re.DOTALL)
CELL_FORMATS = re.compile(r"<cellXfs\b.*?</cellXfs>", re.DOTALL)
CELL_STYLE = re.compile(rb"<c\b[^>]*\bs=\"(\d+)\"[^>/]*>")
NUMBER_CELL = re.compile(
    rb"<c\b(?![^>]*\bt=\"(?:s|str|inlineStr|b|e|d)\")(?=[^>]*\br=\"([A-Z]+))"
    rb"(?:(?=[^>]*\bs=\"(\d+)))?[^>/]*>(?:<f\b[^>]*/>|<f\b.*?</f>)?\s*<v>(\d[^<]*)</v>"
)
"""A cell with a number of zero or more: its column, its style and its value."""
WITHOUT_VALUE = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
"""A formula in a sheet's XML with no value after it."""
WITH_VALUE = re.compile(rb"<v>[^<]|<is>")
ROW = re.compile(rb"<row\b[^>]*>.*?</row>", re.DOTALL)
MOST_BESIDE_SUM = 2
"""More filled cells than this do not stand beside a sum."""
ODS_CURRENCY = re.compile(rb"office:currency=\"([A-Z]{3})\"")


def shows_credit(code: str) -> bool:
    """Return whether a number format prints a mark of credit beside amounts above zero."""
    above_zero = code.partition(";")[0]
    printed = NOT_PRINTED.sub("", above_zero)
    is_day = IS_DAY.search(re.sub(r"\"[^\"]*\"|\\.", "", printed)) is not None
    return CREDIT_FORMAT.search(printed) is not None and "[<" not in above_zero and not is_day


@dataclass(frozen=True)
class ShownCells:
    """Counts of cells that show more than their values say.

    Attributes:
        foreign: those printed with the sign of another currency than the pound.
        credits: amounts above zero printed with a mark of credit.
        red: amounts above zero in red letters, where others are not.
        scaled: numbers printed with a point that they do not have, or as thousands.
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


@dataclass(frozen=True)
class _Styles:
    """The numbers of the cell styles that say something of their own."""

    foreign: frozenset[int]
    credits: frozenset[int]
    red: frozenset[int]
    struck: frozenset[int]
    scaled: frozenset[int]


def shown_cells(data: bytes, sheets: Sequence[int]) -> ShownCells:
    """Return what the cells of a workbook show; nothing of a form whose styles are not read.

    Args:
        data: the file.
        sheets: the numbers of the sheets that are read, from 1.
    """
    if not data.startswith(ZIP):
        return ShownCells()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name.replace("\\", "/"): name for name in archive.namelist()}
        if "content.xml" in parts:
            currencies = ODS_CURRENCY.findall(archive.read(parts["content.xml"]))
            return ShownCells(foreign=sum(currency != b"GBP" for currency in currencies))
        names = [parts.get(f"xl/worksheets/sheet{number}.xml") for number in sheets]
        texts = [archive.read(name) for name in names if name]
        styles = archive.read(parts["xl/styles.xml"]) if "xl/styles.xml" in parts else b""
    own = _styles(styles.decode("utf-8", "replace"))
    foreign = credit = red = struck = scaled = 0
    if own.foreign:
        foreign = sum(int(s) in own.foreign for text in texts for s in CELL_STYLE.findall(text))
    if own.credits or own.red or own.struck or own.scaled:
        numbers = [number for text in texts for number in NUMBER_CELL.findall(text)]
        with_pence = {column for column, _, value in numbers if b"." in value}
        above = [int(s or 0) for column, s, v in numbers if v.strip(b"0.") and column in with_pence]
        credit = sum(style in own.credits for style in above)
        red = apart(sum(style in own.red for style in above), len(above))
        struck = sum(style in own.struck for style in above)
        scaled = sum(int(style or 0) in own.scaled for _, style, _ in numbers)
    hidden = sum(
        WITH_VALUE.search(row) is not None for text in texts for row in HIDDEN_ROW.findall(text)
    )
    without = any(map(_lacks_values, texts))
    return ShownCells(foreign, credit, red, scaled, struck, hidden, without)


def apart(red: int, amounts: int) -> int:
    """Return how many amounts are in red letters; none where all are, as red then says nothing."""
    return 0 if red == amounts else red


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


def _styles(text: str) -> _Styles:
    """Return which cell styles show another currency, a mark of credit, or red letters."""
    foreign, credit, scaled = set(), set(), set()
    for tag in NUMBER_FORMAT.findall(text):
        number = _attribute(tag, "numFmtId")
        code = _attribute(tag, "formatCode").replace("&quot;", '"')
        if FOREIGN_FORMAT.search(code):
            foreign.add(number)
        if shows_credit(code):
            credit.add(number)
        if SCALED_FORMAT.search(code):
            scaled.add(number)
    fonts = FONTS.search(text)
    elements = FONT_ELEMENT.findall(fonts[0]) if fonts else []
    red = {str(i) for i, font in enumerate(elements) if RED.search(font)}
    struck = {str(i) for i, font in enumerate(elements) if STRUCK.search(font)}
    cell_formats = CELL_FORMATS.search(text)
    tags = re.findall(r"<xf\b[^>]*>", cell_formats[0]) if cell_formats else []

    def having(name: str, values: set[str]) -> frozenset[int]:
        return frozenset(i for i, tag in enumerate(tags) if _attribute(tag, name) in values)

    return _Styles(
        having("numFmtId", foreign),
        having("numFmtId", credit),
        having("fontId", red),
        having("fontId", struck),
        having("numFmtId", scaled),
    )


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf"\b{name}=\"([^\"]*)\"", tag)
    return match[1] if match else ""
