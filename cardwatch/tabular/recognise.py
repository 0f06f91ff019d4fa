"""Recognises what a file is from its bytes, never from its name."""

import io
import re
import stat
import zipfile

from cardwatch.errors import FileRefused
from cardwatch.tabular.limits import Limits

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
WORKBOOKS = ("xls", "xlsx", "ods")
BOMS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
FOREIGN = (
    (rb"%PDF", "pdf", "this is a PDF. Ask the issuer or the portal for the data export"),
    (rb"-----BEGIN PGP|\x85[\x01-\x04]", "encrypted", "this file is encrypted. Decrypt it first"),
    (
        rb"\s*<(?:!doctype\s+html|html|table)",
        "web_page",
        "this is a web page saved as a table. Export it as CSV or XLSX",
    ),
    (rb"\s*<", "xml", "XML files are not read yet. Export the statement as CSV or XLSX"),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh", "archive", "this is a packed archive. Unpack it first"),
)


def recognise(data: bytes, file: str, limits: Limits) -> str:
    """Return `csv` (any delimited text), `xls`, `xlsx` or `ods`.

    Raises:
        FileRefused: the file is empty, encrypted, something else, or over a limit.
    """
    if not re.search(rb"[^\s\x00\xef\xbb\xbf\xff\xfe]", data):
        raise FileRefused(file, "empty", "the file is empty")
    if data.startswith(ZIP):
        return _inside_zip(data, file, limits)
    if data.startswith(OLE):
        return _inside_ole(data, file)
    for pattern, code, what in FOREIGN:
        if re.match(pattern, data[:512].lstrip(b"\xef\xbb\xbf"), re.IGNORECASE):
            raise FileRefused(file, code, what)
    if b"\x00" in data and not any(data.startswith(bom) for bom in BOMS):
        what = "it holds zero bytes, so it is not text. Export it again as CSV or XLSX"
        raise FileRefused(file, "zero_bytes", what)
    return "csv"


def _inside_ole(data: bytes, file: str) -> str:
    """Tell an old workbook from what else the container may hold; stream names are UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        what = "it is password protected. Save a copy without a password"
        raise FileRefused(file, "password_protected", what)
    if "_VBA_PROJECT".encode("utf-16-le") in data:
        raise FileRefused(file, "macros", "it holds macros. Save it as a workbook without macros")
    if any(name.encode("utf-16-le") in data for name in ("Workbook", "Book")):
        return "xls"
    raise FileRefused(file, "not_a_table", "it is an Office file but not a workbook")


def _inside_zip(data: bytes, file: str, limits: Limits) -> str:
    """Check the archive against the limits before anything is unpacked from it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        what = "the workbook is damaged or cut short. Save or download it again"
        raise FileRefused(file, "damaged", what) from error
    names = {entry.filename for entry in entries}
    unpacked = sum(entry.file_size for entry in entries)
    steepest = max((e.file_size / max(e.compress_size, 1) for e in entries), default=0)
    if (
        len(entries) > limits.archive_entries
        or unpacked > limits.archive_bytes
        or steepest > limits.archive_ratio
    ):
        what = "the workbook unpacks into more than is allowed. Save the data as CSV"
        raise FileRefused(file, "unpacks_too_large", what)
    if any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries):
        what = "it holds a link to another file, as no workbook does. Save the data as CSV"
        raise FileRefused(file, "not_a_table", what)
    if any(entry.flag_bits & 1 for entry in entries):
        what = "it is password protected. Save a copy without a password"
        raise FileRefused(file, "password_protected", what)
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileRefused(file, "macros", "it holds macros. Save it as a workbook without macros")
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names and "mimetype" in names:
        return "ods"
    raise FileRefused(file, "not_a_table", "this is a packed archive, not a workbook. Unpack it")
