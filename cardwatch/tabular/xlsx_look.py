"""How the sheets of an XLSX workbook look, from its parts. Runs in the limited child only."""

import html
import io
import posixpath
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping

from cardwatch.tabular.cell_formats import UNSTYLED, CellStyle, SheetLook, is_beside_others

NUMBER_FORMAT = re.compile(r"<numFmt\b[^>]*>")
FONTS = re.compile(r"<fonts\b.*?</fonts>", re.DOTALL)
FONT_ELEMENT = re.compile(r"<font\b[^>]*/>|<font\b.*?</font>", re.DOTALL)
RED = re.compile(r"<color\b[^>]*\b(?:rgb=\"..(?:FF0000|C00000)\"|indexed=\"(?:2|10)\")")
HIDDEN_ROW = re.compile(rb"<row\b[^>]*\bhidden=\"(?:1|true)\"[^>]*(?<!/)>(.*?)</row>", re.DOTALL)
CELL_FORMATS = re.compile(r"<cellXfs\b.*?</cellXfs>", re.DOTALL)
STYLED_NUMBER = re.compile(
    rb"<c\b(?![^>]*\bt=\"(?:s|str|inlineStr|b|e|d)\")(?:(?=[^>]*\br=\"([A-Z]{1,3})\d))?"
    rb"(?:(?=[^>]*\bs=\"(\d+)))?[^>/]*>(?:<f\b[^>]*/>|<f\b.*?</f>)?\s*<v>(-?\d[^<]*)</v>"
)
"""A cell with a number: its column, its style and its value."""
ANY_CELL = re.compile(rb"<c\b[^>]*/>|<c\b.*?</c>", re.DOTALL)
ADDRESS = re.compile(rb"<c\b[^>]*\br=\"([A-Z]{1,3})\d")
WITHOUT_ADDRESS = re.compile(rb"<c\b(?![^>]*\br=\")")
"""A cell that stands after the one before it, as it does not say where."""
WITHOUT_VALUE = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
"""A formula in a sheet's XML with no value after it."""
WITH_VALUE = re.compile(rb"<v>[^<]|<is>")
ROW = re.compile(rb"<row\b[^>]*(?<!/)>.*?</row>", re.DOTALL)
ROOT_PREFIX = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?<(\w+:)")
SHEET = re.compile(r"<sheet\b[^>]*>")
RELATION = re.compile(r"<Relationship\b[^>]*>")
FROM_1904 = re.compile(r"<workbookPr\b[^>]*\bdate1904=\"(?:1|true)\"")
HIDDEN_COLUMNS = re.compile(rb"<col\b(?=[^>]*\bhidden=\"(?:1|true)\")[^>]*>")
MOST_HIDDEN = 256
"""A sheet that hides all columns after its last names thousands of them."""
STRING = re.compile(rb"<si\b[^>]*/>|<si\b.*?</si>", re.DOTALL)
STRUCK = re.compile(rb"<strike\b(?![^>]*\bval=\"(?:0|false)\")")
TEXT_CELL = re.compile(rb"<c\b(?=[^>]*\bt=\"(s|str|inlineStr)\")([^>]*[^/])>(.*?)</c>", re.DOTALL)
SHARED_STRING = re.compile(rb"<v>(\d+)</v>")
BUILT_IN = {"9": "0%", "10": "0.00%"}
"""Number formats that have no text in the file."""


def xlsx_looks(data: bytes, names: Collection[str]) -> tuple[dict[str, SheetLook], bool]:
    """Return how some sheets of a workbook look, by their names, and whether it counts from 1904.

    Which part holds a sheet is what the relations of the workbook say, not the part's name.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name.replace("\\", "/").lower(): name for name in archive.namelist()}

        def part(name: str) -> bytes:
            return _without_prefix(archive.read(parts[name.lower()]))

        def part_if_any(name: str) -> bytes:
            return part(name) if name.lower() in parts else b""

        book = part("xl/workbook.xml").decode("utf-8", "replace")
        relations = part("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
        targets = {
            _attribute(tag, "Id"): posixpath.normpath(
                posixpath.join("/xl", html.unescape(_attribute(tag, "Target")))
            ).lstrip("/")
            for tag in RELATION.findall(relations)
        }
        sheets = {
            html.unescape(_attribute(tag, "name")): targets.get(_attribute(tag, r"\w+:id"), "")
            for tag in SHEET.findall(book)
        }
        styles = _styles(part_if_any("xl/styles.xml").decode("utf-8", "replace"))
        struck = _struck_strings(part_if_any("xl/sharedStrings.xml"))
        looks = {name: _look(part(sheets[name]), styles, struck) for name in names}
    return looks, FROM_1904.search(book) is not None


def _struck_strings(text: bytes) -> frozenset[int]:
    """Return the numbers of the texts that are struck through in part."""
    if not STRUCK.search(text):
        return frozenset()
    return frozenset(i for i, one in enumerate(STRING.finditer(text)) if STRUCK.search(one[0]))


def _look(
    text: bytes, styles: Mapping[int, CellStyle], struck_strings: Collection[int]
) -> SheetLook:
    """Return how a sheet looks by its XML, the styles that show something, and struck texts."""
    look = SheetLook(
        hidden_columns=frozenset(
            i
            for tag in HIDDEN_COLUMNS.findall(text)
            for i in range(max(_number(tag, "min") - 1, 0), min(_number(tag, "max"), MOST_HIDDEN))
        ),
        hidden_rows=sum(map(bool, map(WITH_VALUE.search, HIDDEN_ROW.findall(text)))),
        without_value=_lacks_values(text),
    )
    struck_styles = {number for number, style in styles.items() if style.is_struck}
    has_struck = struck_styles or struck_strings or STRUCK.search(text)

    def is_struck(cell: re.Match[bytes]) -> bool:
        kind, attributes, value = cell.groups()
        if _number(attributes, "s") in struck_styles and WITH_VALUE.search(value):
            return True
        shared = SHARED_STRING.search(value) if kind == b"s" else None
        is_named = shared is not None and int(shared[1]) in struck_strings
        return is_named or STRUCK.search(value) is not None

    is_addressed = WITHOUT_ADDRESS.search(text) is None
    for i, row in enumerate(ROW.finditer(text) if styles or has_struck else ()):
        for position, style, value in _numbers(row[0], is_addressed) if styles else ():
            look.take_number(i, position, styles.get(int(style or 0), UNSTYLED), float(value))
        if has_struck and any(map(is_struck, TEXT_CELL.finditer(row[0]))):
            look.take_struck_text(i)
    return look


def _numbers(row: bytes, is_addressed: bool) -> Iterator[tuple[int, bytes, bytes]]:  # noqa: FBT001
    """Give the column, the style and the value of each number in a row.

    Args:
        row: its XML.
        is_addressed: whether every cell of the sheet says where it stands.
    """
    if is_addressed:
        for letters, style, value in STYLED_NUMBER.findall(row):
            yield _position(letters), style, value
        return
    position = -1
    for cell in ANY_CELL.findall(row):
        address = ADDRESS.match(cell)
        position = _position(address[1]) if address else position + 1
        if number := STYLED_NUMBER.match(cell):
            yield position, number[2], number[3]


def _without_prefix(text: bytes) -> bytes:
    """Return XML without the prefix that some programs write before the names of elements."""
    prefix = ROOT_PREFIX.match(text)
    if prefix is None:
        return text
    return text.replace(b"<" + prefix[1], b"<").replace(b"</" + prefix[1], b"</")


def _position(letters: bytes) -> int:
    """Return the position, from 0, of the column that a workbook names by letters."""
    position = 0
    for letter in letters:
        position = position * 26 + letter - ord("A") + 1
    return position - 1


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
    struck = {str(i) for i, font in enumerate(elements) if STRUCK.search(font.encode())}
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
