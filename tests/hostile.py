"""Hostile and broken files, each built by a few lines; what reads them has to refuse them."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from typing import TYPE_CHECKING

import openpyxl

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

MIB = 1024 * 1024
GOOD = b"Date,Holder,Merchant,Amount\n2026-01-05,H1,A shop,12.00\n2026-01-06,H1,B shop,3.50\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LAUGHS = "<!DOCTYPE l [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {name} '{f'&{inner};' * 10}'>"
    for inner, name in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip


def zipped(
    members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED, copies: int = 1
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for copy in range(copies):
            for name, content in members.items():
                archive.writestr(name if not copy else f"{copy}/{name}", content)
    return out.getvalue()


def xlsx(rows: list[list[object]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows or [["Date", "Holder", "Merchant", "Amount"], ["2026-01-05", "H1", "A", 12]]:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(change: dict[str, bytes | str]) -> bytes:
    """Return a good workbook of which some members are replaced or added."""
    with zipfile.ZipFile(io.BytesIO(xlsx())) as archive:
        members: dict[str, bytes | str] = {n: archive.read(n) for n in archive.namelist()}
    return zipped({**members, **change})


def sheet_xml(cells: str, prolog: str = "") -> str:
    head = f'<?xml version="1.0"?>{prolog}<worksheet xmlns="{SHEET}"><sheetData>'
    return f"{head}{cells}</sheetData></worksheet>"


def far_cell() -> bytes:
    cells = (
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    )
    return repacked({"xl/worksheets/sheet1.xml": sheet_xml(cells)})


def laughing_workbook() -> bytes:
    cell = f"<si><t>{'&i;' * 10}</t></si>"
    strings = f'<?xml version="1.0"?>{LAUGHS}<sst xmlns="{SHEET}" count="1">{cell}</sst>'
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    types = (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    change = {"xl/sharedStrings.xml": strings, "xl/worksheets/sheet1.xml": sheet_xml(cells)}
    return repacked({**change, "[Content_Types].xml": types})


def repeating_ods(rows: int, columns: int) -> bytes:
    """Return a workbook of one cell that says how often it is repeated."""
    return ods(
        f'<table:table-row table:number-rows-repeated="{rows}">'
        f'<table:table-cell table:number-columns-repeated="{columns}" '
        'office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>'
    )


def ods_of(rows: list[list[str]]) -> bytes:
    """Return a workbook of LibreOffice's with some rows of text."""
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    lines = ("".join(cell.format(text) for text in row) for row in rows)
    return ods("".join(f"<table:table-row>{line}</table:table-row>" for line in lines))


def ods(table_rows: str) -> bytes:
    """Return a workbook of LibreOffice's with rows as they stand in it."""
    names = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    names += 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    names += 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="S">{table_rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return out.getvalue()


SECTOR, END, FREE = 512, 0xFFFFFFFE, 0xFFFFFFFF
"""Of the old container: the size of its sectors, the end of a chain, and what is in none."""


def old_workbook(rows: list[list[str]]) -> bytes:
    """Return a workbook as Excel 97 wrote it: records of cells in a container with sectors."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def opening(kind: int) -> bytes:
        return record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 0))

    cells = b"".join(
        record(0x204, struct.pack("<HHHHB", at, column, 0, len(text), 0) + text.encode("latin-1"))
        for at, row in enumerate(rows)
        for column, text in enumerate(row)
    )
    name = struct.pack("<BB", 1, 0) + b"S"
    before = len(opening(5)) + 4 + 6 + len(name) + 4
    sheet = record(0x85, struct.pack("<IBB", before, 0, 0) + name)
    stream = opening(5) + sheet + record(0xA, b"") + opening(0x10) + cells + record(0xA, b"")
    return container("Workbook", stream)


def container(name: str, stream: bytes) -> bytes:
    """Return a container as Office 97 wrote it, with one stream in it."""
    count = max(-(-len(stream) // SECTOR), 8)  # a stream under 4,096 bytes would lie elsewhere
    chains = [0xFFFFFFFD, END, *range(3, count + 2), END]
    header = OLE + struct.pack("<16xHHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096,
                               END, 0, END, 0)  # fmt: skip
    header += struct.pack("<109I", 0, *[FREE] * 108)
    table = struct.pack("<128I", *chains, *[FREE] * (128 - len(chains)))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<BBIII", kind, 1, FREE, FREE, child)
        return (text.ljust(64, b"\0") + struct.pack("<H", len(text)) + links + b"\0" * 36
                + struct.pack("<IQ", start, size))  # fmt: skip

    folder = entry("Root Entry", 5, 1, END, 0) + entry(name, 2, FREE, 2, count * SECTOR)
    return header + table + folder.ljust(SECTOR, b"\0") + stream.ljust(count * SECTOR, b"\0")


def locked() -> bytes:
    """Return a workbook whose entries say that they are encrypted."""
    data = bytearray(xlsx())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def understated() -> bytes:
    """Return a workbook whose directory says that a sheet of 300 MB unpacks into 100 bytes."""
    row = "<row><c t='inlineStr'><is><t>" + "x" * 30_000 + "</t></is></c></row>"
    name = "xl/worksheets/sheet1.xml"
    data = bytearray(repacked({name: sheet_xml(row * 10_000)}))
    at = data.rfind(name.encode()) - 46 + 24
    data[at : at + 4] = (100).to_bytes(4, "little")
    return bytes(data)


def named(word: str) -> bytes:
    return OLE + b"\0" * 504 + word.encode("utf-16-le") + b"\0" * 512


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a file cut, flipped, doubled, shuffled or with a hostile piece put in."""
    place, kind = int(rng.integers(0, len(data))), int(rng.integers(0, 6))
    if kind == 0:
        return data[:place]
    if kind == 1:
        flipped = bytearray(data)
        for at in rng.integers(0, len(data), 20):
            flipped[at] ^= int(rng.integers(1, 256))
        return bytes(flipped)
    if kind == 2:
        return data[:place] + data[max(place - 5_000, 0) :]
    if kind == 3:
        pieces = [b'"', b"\x00", b"\xff\xfe", b";" * 300, b"\r", b"9" * 4_000, b"<x>", b"=1+1"]
        return data[:place] + pieces[int(rng.integers(0, len(pieces)))] + data[place:]
    if kind == 4:
        return data[place:] + data[:place]
    return bytes(rng.integers(0, 256, int(rng.integers(0, 2_000)), dtype="uint8"))


HEADINGS = b"Date,Holder,Merchant,Amount\n"
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nothing": ("empty", lambda: b""),
    "white space": ("empty", lambda: b" \r\n\t\n" * 1000),
    "only a byte-order mark": ("empty", lambda: b"\xff\xfe"),
    "zero bytes": ("zero_bytes", lambda: GOOD.replace(b"A shop", b"A\0shop")),
    "PDF": ("pdf", lambda: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"),
    "PGP": ("encrypted", lambda: b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n"),
    "web page named xls": ("web_page", lambda: b"\r\n<html><table><tr><td>Date</td></tr></table>"),
    "web page with a byte-order mark": ("web_page", lambda: b"\xef\xbb\xbf<!DOCTYPE html><p>x"),
    "entities in XML": ("xml", f'<?xml version="1.0"?>{LAUGHS}<l>&i;</l>'.encode),
    "gzip": ("archive", lambda: gzip.compress(GOOD)),
    "zip": ("not_a_table", lambda: zipped({"statement.csv": GOOD})),
    "zip in a zip": ("not_a_table", lambda: zipped({"a.xlsx": zipped({"b.xlsx": xlsx()})})),
    "document": ("not_a_table", lambda: zipped({"word/document.xml": "<w/>", "x.rels": "<r/>"})),
    "old document": ("not_a_table", lambda: named("WordDocument")),
    "cut workbook": ("damaged", lambda: xlsx()[:2000]),
    "workbook without its sheet": ("damaged", lambda: repacked({"xl/workbook.xml": "<x"})),
    "cut old workbook": ("damaged", lambda: named("Workbook") + b"\x5a" * 5000),
    "zip that swells": ("unpacks_too_large", lambda: repacked({"xl/x.xml": b"\0" * 20 * MIB})),
    "zip of many files": (
        "unpacks_too_large",
        lambda: zipped({"xl/workbook.xml": "x"}, copies=201),
    ),
    "names that climb": (
        "not_a_table",
        lambda: zipped({"../../climbed.txt": "x", "/climbed.txt": "x"}),
    ),
    "encrypted entries": ("password_protected", locked),
    "encrypted package": ("password_protected", lambda: named("EncryptedPackage")),
    "macros": ("macros", lambda: repacked({"xl/vbaProject.bin": OLE})),
    "old macros": ("macros", lambda: named("Workbook") + named("_VBA_PROJECT_CUR")),
    "far cell": ("too_costly", far_cell),
    "sizes that lie": ("damaged", understated),
    "rows repeated": ("too_costly", lambda: repeating_ods(4_000_000_000, 4)),
    "columns repeated": ("too_wide too_costly", lambda: repeating_ods(2, 4_000_000_000)),
    "rows and columns repeated": ("too_costly damaged", lambda: repeating_ods(1_048_576, 16_384)),
    "one endless line": ("cell_too_long", lambda: b"x" * 40_000_000),
    "one endless line of cells": ("too_wide", lambda: b"1," * 20_000_000),
    "endless cell": (
        "cell_too_long",
        lambda: GOOD + b'2026-01-07,H1,"' + b"x" * 200_000 + b'",1\n',
    ),
    "quotation never closed": (
        "cell_too_long",
        lambda: HEADINGS + b'2026-01-05,"H1,' + GOOD * 1000,
    ),
    "quotation never closed, from the first cell": ("cell_too_long", lambda: b'"' + GOOD * 1000),
    "two million columns": ("too_wide", lambda: b",".join([b"a"] * 2_000_000) + b"\n1,2,3\n"),
    "300 columns": ("too_wide", lambda: (b",".join([b"a"] * 300) + b"\n") * 20),
    "300 columns late": ("too_wide", lambda: GOOD + GOOD * 60 + b"," * 300 + b"\n"),
}
"""Each file's description, the refusals it may end in, and the code that builds it."""
