"""Formats of cells that show another currency than the pound. Runs in the limited child only."""

import io
import re
import zipfile
from collections.abc import Sequence

from cardwatch.tabular.detect_format import ZIP

FOREIGN_FORMAT = re.compile(r"[€¥]|\[\$(?:\$|EUR|USD)|(?:\"|\\)\$|\b(?:EUR|USD)\b")
"""A number format that prints euros, yen or dollars."""
NUMBER_FORMAT = re.compile(r"<numFmt\b[^>]*>")
CELL_FORMATS = re.compile(r"<cellXfs\b.*?</cellXfs>", re.DOTALL)
CELL_STYLE = re.compile(rb"<c\b[^>]*\bs=\"(\d+)\"[^>/]*>")
ODS_CURRENCY = re.compile(rb"office:currency=\"([A-Z]{3})\"")


def foreign_cells(data: bytes, sheets: Sequence[int]) -> int:
    """Count the cells of a workbook that are printed with the sign of another currency.

    Args:
        data: the file.
        sheets: the numbers of the sheets that are read, from 1.
    """
    if not data.startswith(ZIP):
        return 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name.replace("\\", "/"): name for name in archive.namelist()}
        if "content.xml" in parts:
            currencies = ODS_CURRENCY.findall(archive.read(parts["content.xml"]))
            return sum(currency != b"GBP" for currency in currencies)
        if "xl/styles.xml" not in parts:
            return 0
        styles = _foreign_styles(archive.read(parts["xl/styles.xml"]).decode("utf-8", "replace"))
        names = [parts.get(f"xl/worksheets/sheet{number}.xml") for number in sheets]
        texts = [archive.read(name) for name in names if name and styles]
    return sum(int(style) in styles for text in texts for style in CELL_STYLE.findall(text))


def _foreign_styles(styles: str) -> set[int]:
    """Return the numbers of the cell styles whose number format shows another currency."""
    foreign = set()
    for tag in NUMBER_FORMAT.findall(styles):
        number, code = _attribute(tag, "numFmtId"), _attribute(tag, "formatCode")
        if FOREIGN_FORMAT.search(code.replace("&quot;", '"')):
            foreign.add(number)
    cell_formats = CELL_FORMATS.search(styles)
    tags = re.findall(r"<xf\b[^>]*>", cell_formats[0]) if cell_formats else []
    return {i for i, tag in enumerate(tags) if _attribute(tag, "numFmtId") in foreign}


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf"\b{name}=\"([^\"]*)\"", tag)
    return match[1] if match else ""
