"""Hostile and broken files end in a named refusal, and never harm the file read next to them."""

import gzip
import io
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest

from cardwatch.errors import FileRefused
from cardwatch.tabular import Limits, Table, read_tables

MIB = 1024 * 1024
KNOWN = frozenset({"date", "holder", "merchant", "amount"})
SMALL = Limits(memory_bytes=512 * MIB, cpu_seconds=10, wall_seconds=30)
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
    names = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    names += 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    names += 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="S"><table:table-row table:number-rows-repeated="{rows}">'
        f'<table:table-cell table:number-columns-repeated="{columns}" '
        'office:value-type="string"><text:p>x</text:p></table:table-cell>'
        "</table:table-row></table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return out.getvalue()


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
    "names that climb": ("not_a_table", lambda: zipped({"../../climbed.txt": "x", "/tmp/c": "x"})),  # noqa: S108  a name in an archive
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


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[Table | FileRefused, Table | FileRefused]]]:
    """Read every bomb, and in the same process after each of them a good file."""
    folder = tmp_path_factory.mktemp("hostile") / "deep" / "inside"
    folder.mkdir(parents=True)
    names = list(BOMBS)
    lanes = os.cpu_count() or 1
    order: list[tuple[str, Path]] = []
    for start in range(0, len(names), lanes):
        group = (names[start : start + lanes] * lanes)[:lanes]  # the last group is filled up
        for kind in ("bomb", "good"):
            for lane, name in enumerate(group):
                path = folder / f"{start}-{lane}-{kind}.xls"
                path.write_bytes(BOMBS[name][1]() if kind == "bomb" else GOOD)
                order.append((name, path))
    began = time.monotonic()
    found = read_tables([path for _, path in order], KNOWN, SMALL)
    assert time.monotonic() - began < 60, "hostile files kept the reader busy"
    result: dict[str, tuple[Table | FileRefused, Table | FileRefused]] = {}
    for start in range(0, len(order), 2 * lanes):
        for lane in range(lanes):
            pair = found[start + lane], found[start + lanes + lane]
            result[order[start + lane][0]] = pair
    yield result
    assert not list(folder.parents[1].glob("*.txt")), "an archive wrote outside its folder"


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_file_is_refused_by_name_and_the_next_file_is_read(
    name: str, outcomes: dict[str, tuple[Table | FileRefused, Table | FileRefused]]
) -> None:
    bomb, good = outcomes[name]
    assert isinstance(good, Table)
    assert good.headings == ("Date", "Holder", "Merchant", "Amount")
    assert good.cells.num_rows == 2
    assert isinstance(bomb, FileRefused), "it was read"
    assert bomb.code in BOMBS[name][0].split(), str(bomb)
    assert str(bomb).startswith(bomb.file)
    assert len(str(bomb)) < 300


def refusal(folder: Path, data: bytes, limits: Limits) -> FileRefused:
    (folder / "a").write_bytes(data)
    (found,) = read_tables([folder / "a"], KNOWN, limits)
    assert isinstance(found, FileRefused), "it was read"
    return found


def test_entities_inside_a_workbook_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "laughs.xlsx").write_bytes(laughing_workbook())
    (found,) = read_tables([tmp_path / "laughs.xlsx"], KNOWN, SMALL)
    if isinstance(found, Table):
        assert sum(map(len, found.headings)) < 1000
    else:
        assert found.code == "damaged"


def test_a_workbook_that_repeats_a_few_rows_and_columns_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.ods").write_bytes(repeating_ods(3, 2))
    (found,) = read_tables([tmp_path / "a.ods"], KNOWN, SMALL)
    assert isinstance(found, Table)
    assert (found.form, found.headings, found.cells.num_rows) == ("ods", ("x", "x"), 2)


@pytest.mark.parametrize("data", [GOOD * 3, xlsx([["Date", "Amount"]] * 9)], ids=["csv", "xlsx"])
def test_a_file_with_too_many_rows_is_refused_and_not_cut(tmp_path: Path, data: bytes) -> None:
    assert refusal(tmp_path, data, Limits(rows=3)).code == "too_long"


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        (GOOD, Limits(text_bytes=len(GOOD) - 1)),
        (xlsx(), Limits(workbook_bytes=1000)),
    ],
    ids=["csv", "xlsx"],
)
def test_a_file_over_the_size_limit_is_refused(tmp_path: Path, data: bytes, limits: Limits) -> None:
    assert refusal(tmp_path, data, limits).code == "too_large"


def test_an_archive_over_the_size_limit_is_refused_before_its_names_are_listed(
    tmp_path: Path,
) -> None:
    data = zipped({"xl/workbook.xml": "x"}, copies=300)
    assert refusal(tmp_path, data, Limits(workbook_bytes=1000)).code == "too_large"


def test_a_workbook_with_a_cell_over_the_limit_is_refused(tmp_path: Path) -> None:
    data = xlsx([["Date", "Merchant"], ["2026-01-05", "x" * 2000]])
    assert refusal(tmp_path, data, Limits(cell_characters=1000)).code == "cell_too_long"


def test_a_file_that_takes_too_long_is_stopped_and_the_next_is_read(tmp_path: Path) -> None:
    slow, good = tmp_path / "slow.xlsx", tmp_path / "good.csv"
    row = "<row><c><v>1</v></c></row>"
    change = {"xl/worksheets/sheet1.xml": sheet_xml(row * 1_500_000)}
    slow.write_bytes(repacked(change))
    good.write_bytes(GOOD)
    lanes = os.cpu_count() or 1
    limits = Limits(archive_ratio=10_000, cpu_seconds=1)
    found = read_tables([slow] * lanes + [good], KNOWN, limits)
    assert isinstance(found[0], FileRefused)
    assert found[0].code == "too_slow"
    assert isinstance(found[-1], Table)


def test_a_missing_file_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_bytes(GOOD)
    missing, good = read_tables([tmp_path / "gone.csv", tmp_path / "good.csv"], KNOWN, SMALL)
    assert isinstance(missing, FileRefused)
    assert missing.code == "unreadable"
    assert "gone.csv" in str(missing)
    assert str(tmp_path) not in str(missing)
    assert isinstance(good, Table)


def test_a_quotation_never_closed_does_not_swallow_rows_in_silence(tmp_path: Path) -> None:
    rows = [f"2026-01-0{day},H1,A shop,{day}.00,for the office" for day in range(1, 8)]
    rows[2] = rows[2].replace("for the", '"for the')
    text = "Date,Holder,Merchant,Amount,Description\n" + "\n".join(rows) + "\n"
    assert refusal(tmp_path, text.encode(), SMALL).code in {"cell_too_long", "quotes"}


def test_no_files_at_all_give_no_tables() -> None:
    assert read_tables([], KNOWN, SMALL) == []
