"""How the sheets of an ODS workbook look: it keeps what every cell prints beside its value.

Runs in the limited child only.
"""

import io
import re
import zipfile
from xml.parsers import expat

from cardwatch.tabular.cell_formats import RED_COLOURS, CellStyle, SheetLook

CELL_TAGS = frozenset({"table:table-cell", "table:covered-table-cell"})
NUMBER_TYPES = frozenset({"float", "currency", "percentage"})
PRINTED_NUMBER = re.compile(r"\d[\d,. \u00a0\u202f']*")
LITERAL = re.compile(r"[^\d\s,.()+\u2212\u2013-]+")
MOST_REPEATED = 256
"""A row is filled with one empty cell that is repeated to the end of the sheet."""
THOUSAND_DIGITS, FACTOR = 3, 5
"""Digits after a mark of thousands; a number that is so many times another is no rounded one."""


class _Reader:
    """Reads the content of a workbook from its beginning to its end."""

    def __init__(self) -> None:
        self.looks: dict[str, SheetLook] = {}
        self._look = SheetLook()
        self._styles: dict[str, CellStyle] = {}
        self._style = self._row_style = ""
        self._column_styles: dict[int, str] = {}
        self._attributes: dict[str, str] = {}
        self._shown: list[str] = []
        self._inside: list[str] | None = None
        self._column = self._row = self._rows = 0
        self._is_hidden = self._is_filled = self._is_run_struck = False

    @property
    def _is_printed(self) -> bool:
        """Whether it reads what a cell prints: a paragraph of its own, of no comment or drawing."""
        inside = self._inside or [""]
        return inside[0] == "text:p" and "office:annotation" not in inside

    def open(self, tag: str, attributes: dict[str, str]) -> None:
        """Start an element."""
        if self._inside is not None:
            self._inside.append(tag)
            if tag == "text:span" and self._is_printed:
                self._is_run_struck |= self._named(attributes.get("text:style-name", "")).is_struck
        elif tag in CELL_TAGS:
            self._attributes, self._shown, self._is_run_struck = attributes, [], False
            self._inside = []
        elif tag == "table:table-row":
            self._row += 1
            self._rows = int(attributes.get("table:number-rows-repeated", "1"))
            self._is_hidden = attributes.get("table:visibility", "visible") != "visible"
            self._column, self._is_filled = 0, False
            self._row_style = attributes.get("table:default-cell-style-name", "")
        elif tag == "table:table":
            self._look = self.looks[attributes.get("table:name", "")] = SheetLook()
            self._column = self._row = 0
            self._column_styles = {}
        elif tag == "table:table-column":
            self._open_column(attributes)
        elif tag == "style:style":
            self._style = attributes.get("style:name", "")
            self._styles[self._style] = self._named(attributes.get("style:parent-style-name", ""))
        elif tag == "style:text-properties" and self._style:
            self._open_letters(attributes)

    def _open_letters(self, attributes: dict[str, str]) -> None:
        """Take how the letters of a style look; what it does not say is as in its parent."""
        style = self._styles[self._style]
        names = [f"style:text-line-through-{k}" for k in ("style", "type")]
        lines = [attributes[name] for name in names if name in attributes]
        is_struck = any(line != "none" for line in lines) if lines else style.is_struck
        colour = attributes.get("fo:color")
        is_red = style.is_red if colour is None else colour.upper() in RED_COLOURS
        self._styles[self._style] = CellStyle("", is_red, is_struck)

    def _open_column(self, attributes: dict[str, str]) -> None:
        """Start an element that stands for one column or several."""
        count = int(attributes.get("table:number-columns-repeated", "1"))
        if attributes.get("table:visibility", "visible") != "visible":
            hidden = range(self._column, min(self._column + count, MOST_REPEATED))
            self._look.hidden_columns |= frozenset(hidden)
        if style := attributes.get("table:default-cell-style-name", ""):
            columns = range(self._column, min(self._column + count, MOST_REPEATED))
            self._column_styles |= dict.fromkeys(columns, style)
        self._column += count

    def text(self, text: str) -> None:
        """Take what a cell prints."""
        if self._is_printed:
            self._shown.append(text)

    def close(self, tag: str) -> None:
        """End an element."""
        if self._inside:
            self._inside.pop()
        elif tag in CELL_TAGS:
            self._take_cell("".join(self._shown).strip())
            self._inside = None
        elif tag == "table:table-row":
            self._look.hidden_rows += self._rows * (self._is_hidden and self._is_filled)
        elif tag == "style:style":  # formats of numbers have letters too, which are no cell's
            self._style = ""

    def _named(self, name: str) -> CellStyle:
        return self._styles.get(name, CellStyle())

    def _take_cell(self, shown: str) -> None:
        attributes = self._attributes
        count = int(attributes.get("table:number-columns-repeated", "1"))
        kind = attributes.get("office:value-type", "")
        default = self._row_style or self._column_styles.get(self._column, "")
        style = self._named(attributes.get("table:style-name", default))
        is_struck = style.is_struck or self._is_run_struck
        self._is_filled |= bool(kind)
        if kind in NUMBER_TYPES:
            value = float(attributes.get("office:value", "0"))
            printed = _printed(value, shown, attributes.get("office:currency", ""))
            own = CellStyle(printed.number_format, style.is_red, is_struck, printed.prints_other)
            for column in range(self._column, min(self._column + count, MOST_REPEATED)):
                self._look.take_number(self._row, column, own, value, self._rows)
        elif kind == "string" and is_struck:
            self._look.take_struck_text(self._row)
        self._column += count


def _printed(value: float, shown: str, currency: str) -> CellStyle:
    """Return as a style what a cell prints beside its value, and whether it prints another one.

    `CR 12.30` is of the format `"CR" 00.00`; rounded numbers are the same.
    """
    number_format = LITERAL.sub(lambda text: f'"{text[0]}"', re.sub(r"\d", "0", shown))
    if currency not in {"", "GBP"}:
        number_format += f'"{currency}"'
    match = PRINTED_NUMBER.search(shown)
    if match is None or abs(value) < 1:
        return CellStyle(number_format)
    decimals = re.search(r"[.,](\d+)$", match[0].strip())
    digits = float(re.sub(r"\D", "", match[0]))
    places = len(decimals[1]) if decimals else 0
    numbers = {digits / 10**places} | ({digits} if places == THOUSAND_DIGITS else set())
    is_other = all(not 1 / FACTOR < number / abs(value) < FACTOR for number in numbers)
    return CellStyle(number_format, prints_other=is_other)


def _refuse(*_: object) -> None:
    """Refuse a document type, which no workbook has."""
    raise ValueError


def ods_looks(data: bytes) -> dict[str, SheetLook]:
    """Return how each sheet of a workbook looks, by its name.

    Whoever writes it writes the value of a formula.
    """
    reader = _Reader()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [name for name in ("styles.xml", "content.xml") if name in archive.namelist()]
        texts = [archive.read(name) for name in parts]
    for text in texts:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = reader.open, reader.close
        parser.CharacterDataHandler = reader.text
        parser.StartDoctypeDeclHandler = _refuse
        parser.Parse(text, True)  # noqa: FBT003  expat takes no names
    return reader.looks
