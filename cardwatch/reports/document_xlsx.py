"""A document as a workbook: its sentences on one sheet, each table on a sheet of its own."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from cardwatch.reports.as_xlsx import SWITCHES, WORKBOOK_CREATED

if TYPE_CHECKING:
    from cardwatch.reports.document import Document

SHEET_NAME_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
LONGEST_SHEET_NAME = 26


def document_xlsx(document: Document) -> bytes:
    """Return a document as a workbook in which every text is text."""
    import xlsxwriter  # noqa: PLC0415  a list that is printed does not need it

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, SWITCHES | {"in_memory": True}) as book:
        book.set_properties({"title": document.title, "created": WORKBOOK_CREATED})
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True})
        sheet = book.add_worksheet("About")
        sheet.set_column(0, 0, 100)
        lines = [document.title, document.marking]
        lines += [f"{name}: {fact}" for name, fact in document.facts]
        for section in document.sections:
            lines += ["", section.title, *section.text, *section.points]
        for number, line in enumerate(lines):
            sheet.write_string(number, 0, line, bold if number == 0 else wrapped)
        tables = [table for section in document.sections for table in section.tables]
        for number, table in enumerate(tables, 1):
            name = SHEET_NAME_FORBIDDEN.sub(" ", table.caption)[:LONGEST_SHEET_NAME].strip()
            sheet = book.add_worksheet(f"{number} {name}")
            sheet.set_column(0, 0, 34)
            sheet.set_column(1, len(table.headings), 16)
            for row, cells in enumerate((table.headings, *table.rows)):
                for column, cell in enumerate(cells):
                    sheet.write_string(row, column, cell, bold if row == 0 else None)
    return out.getvalue()
