"""How the sheets of an XLSX workbook look, from its parts. Runs in the limited child only."""

import html
import io
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cached_property

from cardwatch.tabular.cell_formats import UNSTYLED, CellStyle, Counted, is_beside_others

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
ROOT_PREFIX = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?<(\w+:)")
SHEET = re.compile(r"<sheet\b[^>]*>")
RELATION = re.compile(r"<Relationship\b[^>]*>")
FROM_1904 = re.compile(r"<workbookPr\b[^>]*\bdate1904=\"(?:1|true)\"")
HIDDEN_COLUMNS = re.compile(rb"<col\b(?=[^>]*\bhidden=\"(?:1|true)\")[^>]*>")
MOST_HIDDEN = 256
"""A sheet that hides all columns after its last names thousands of them."""
STRING = re.compile(rb"<si\b[^>]*/>|<si\b.*?</si>", re.DOTALL)
STRUCK_RUN = re.compile(rb"<strike\b(?![^>]*\bval=\"(?:0|false)\")")
CELL_ELEMENT = re.compile(rb"<c\b([^>]*[^/])>(.*?)</c>", re.DOTALL)
COLUMN = re.compile(rb"\br=\"([A-Z]+)")
SHARED_STRING = re.compile(rb"<v>(\d+)</v>")
BUILT_IN = {"9": "0%", "10": "0.00%"}
"""Number formats that have no text in the file."""


class XlsxLook:
    """One sheet of an XLSX workbook."""

    def __init__(
        self, text: bytes, styles: Mapping[int, CellStyle], struck_strings: Collection[int]
    ) -> None:
        """Take a sheet's XML, the styles that show something, and the texts struck through."""
        self._text, self._styles, self._struck_strings = text, styles, struck_strings
        self.hidden_columns = frozenset(
            i
            for tag in HIDDEN_COLUMNS.findall(text)
            for i in range(_number(tag, "min") - 1, min(_number(tag, "max"), MOST_HIDDEN))
        )

    @cached_property
    def hidden_rows(self) -> int:
        """How many filled rows are not shown."""
        return sum(map(bool, map(WITH_VALUE.search, HIDDEN_ROW.findall(self._text))))

    @cached_property
    def without_value(self) -> bool:
        """Whether a formula in a row of several cells was never worked out."""
        return _lacks_values(self._text)

    def amounts(self, columns: Collection[int]) -> Counted:
        """Count the numbers in some columns by their styles."""
        if not self._styles:
            return Counter()
        letters = {_letters(column): column for column in columns}
        return Counter(
            (
                letters[cell[1]],
                self._styles.get(int(cell[2] or 0), UNSTYLED),
                cell[3].startswith(b"-"),
            )
            for cell in STYLED_NUMBER.finditer(self._text)
            if cell[1] in letters and cell[3].strip(b"-0.")
        )

    def struck_rows(self, columns: Collection[int]) -> int:
        """Count the rows with a text, or an amount above zero in some columns, struck through."""
        struck = {number for number, style in self._styles.items() if style.is_struck}
        if not struck and not self._struck_strings and not STRUCK_RUN.search(self._text):
            return 0
        letters = set(map(_letters, columns))

        def is_struck(cell: re.Match[bytes]) -> bool:
            attributes, value = cell[1], cell[2]
            shared = SHARED_STRING.search(value)
            if b't="s"' in attributes and shared and int(shared[1]) in self._struck_strings:
                return True
            if STRUCK_RUN.search(value):
                return True
            if _number(attributes, "s") not in struck or not WITH_VALUE.search(value):
                return False
            place = COLUMN.search(attributes)
            column = place[1] if place else b""
            return b't="' in attributes or (column in letters and b"<v>-" not in value)

        return sum(
            any(map(is_struck, CELL_ELEMENT.finditer(row))) for row in ROW.findall(self._text)
        )


def xlsx_looks(data: bytes) -> tuple[dict[str, XlsxLook], bool]:
    """Return how each sheet of a workbook looks, by its name, and whether it counts from 1904.

    Which part holds a sheet is what the relations of the workbook say, not the part's name.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name.replace("\\", "/").lower(): name for name in archive.namelist()}

        def part(name: str) -> bytes:
            known = parts.get(name.lower())
            return _without_prefix(archive.read(known)) if known else b""

        book = part("xl/workbook.xml").decode("utf-8", "replace")
        relations = part("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
        targets = {
            _attribute(tag, "Id"): posixpath.normpath(
                posixpath.join("/xl", html.unescape(_attribute(tag, "Target")))
            ).lstrip("/")
            for tag in RELATION.findall(relations)
        }
        styles = _styles(part("xl/styles.xml").decode("utf-8", "replace"))
        texts = STRING.findall(part("xl/sharedStrings.xml"))
        struck = frozenset(i for i, text in enumerate(texts) if STRUCK_RUN.search(text))
        looks = {
            html.unescape(_attribute(tag, "name")): XlsxLook(
                part(targets.get(_attribute(tag, r"\w+:id"), "")), styles, struck
            )
            for tag in SHEET.findall(book)
        }
    return looks, FROM_1904.search(book) is not None


def _without_prefix(text: bytes) -> bytes:
    """Return XML without the prefix that some programs write before the names of elements."""
    prefix = ROOT_PREFIX.match(text)
    if prefix is None:
        return text
    return text.replace(b"<" + prefix[1], b"<").replace(b"</" + prefix[1], b"</")


def _letters(position: int) -> bytes:
    """Return the letters by which a workbook names the column at a position, from 0."""
    letters = ""
    while position >= 0:
        position, letter = divmod(position, 26)
        letters, position = chr(ord("A") + letter) + letters, position - 1
    return letters.encode()


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
    for index, tag in enumerate(tags):
        font = _attribute(tag, "fontId")
        number = _attribute(tag, "numFmtId")
        number_format = formats.get(number) or BUILT_IN.get(number, "")
        styles[index] = CellStyle(number_format, font in red, font in struck)
    return {index: style for index, style in styles.items() if style.is_notable}


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf"\b{name}=\"([^\"]*)\"", tag)
    return match[1] if match else ""


def _number(tag: bytes, name: str) -> int:
    """Return an attribute that is a number; 0 where there is none."""
    text = _attribute(tag.decode("ascii", "replace"), name)
    return int(text) if text.isdecimal() and len(text) < 10 else 0
