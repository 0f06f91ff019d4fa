"""Recognises what a file is from its bytes, never from its name."""

import io
import re
import stat
import zipfile

from cardwatch.errors import FileRefused
from cardwatch.tabular.encoding import BOMS
from cardwatch.tabular.feeds import recognise_feed
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.table import EXCEL_XML

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
TEXT_HEAD_BYTES = 512
"""A text shows what it is in its first bytes."""
EXPORT_AGAIN = "Ask the issuer's portal for the same payments as CSV or XLSX"
FOREIGN_FORMATS = (
    (rb"%PDF", "pdf", "this is a PDF. Ask the issuer or the portal for the data export"),
    (rb"-----BEGIN PGP|\x85[\x01-\x04]", "encrypted", "this file is encrypted. Decrypt it first"),
    (rb"\s*!(?:Type|Account|Option):", "bank_feed", f"this is a QIF file. {EXPORT_AGAIN}"),
    (
        rb"(?s)\s*(?:<\?xml[^>]*>\s*)?<[^>]*Document[^>]*camt\.05",
        "bank_feed",
        f"this is a CAMT message, and no camt.053 statement. {EXPORT_AGAIN}",
    ),
    (
        rb"[68]\t\d{6,}\t\d+\t\d{6,8}\t\d\d\t",
        "bank_feed",
        (
            "this is a Visa VCF feed of a version that is not read, or without its set header. "
            f"{EXPORT_AGAIN}"
        ),
    ),
    (
        rb"0[^\n]{26}GL1080",
        "bank_feed",
        (
            "this is American Express GL1080, the lines of hotel bills. It declares no totals and "
            "its amounts have no known decimals, so it is not read. Send the GL1025 or KR1025 file "
            "of the same payments"
        ),
    ),
    (
        rb"0[^\n]{26}GL1205",
        "bank_feed",
        (
            "this is American Express GL1205, a list of card accounts without payments. Export the "
            "accounts as CSV or XLSX and import them as the card register"
        ),
    ),
    (
        rb"FH[^\n]{64}GL1076",
        "bank_feed",
        (
            "this is American Express GL1076, the line items of payments. Its amounts have no "
            "known decimals, so it is not read. Send the GL1025 file of the same payments"
        ),
    ),
    (
        rb"[^\n]{0,120}\b(?:KR|GL)[ -]?1(?:025|076|080|205)\b",
        "bank_feed",
        f"this is an American Express feed that is not read, or without its header. {EXPORT_AGAIN}",
    ),
    (
        rb"\"?EXTRACT\"?[|,\t;]\"?\d{4}-?\d\d-?\d\d\"?[|,\t;]|\"?DETAIL\"?[|\t]\"?\d+\"?[|\t]",
        "bank_feed",
        (
            "this is an extract of SAP Concur, whose columns differ from one organisation to "
            "another and have no headings. Export the card payments from SAP Concur as CSV or XLSX "
            "with headings, or send the issuer's own file"
        ),
    ),
    (
        (
            rb"(?s)\s*(?:(?:(?:--|#)[^\n]*\n|/\*(?:(?!\*/).)*\*/;?)\s*)*"
            rb"(?:(?:BEGIN|START|PRAGMA)\b[^\n;,]*;\s*)*"
            rb"(?:CREATE\s+(?:TEMP\w*\s+)?(?:TABLE|DATABASE)\b|DROP\s+(?:TABLE|DATABASE)\b|"
            rb"INSERT\s+INTO\s+\S|USE\s+[^\s;,]+(?:;[^\S\n]*(?:\n|$)|\s+GO\b)|"
            rb"SET\s+(?:[@\w]+\s*=|NAMES\s|\w+\s+(?:ON|OFF)\s+GO\b))"
        ),
        "not_a_table",
        (
            "these are commands that fill a database, as a dump has them. Export the table of "
            "payments as CSV"
        ),
    ),
    (rb"\s*<", "xml", "XML files are not read yet. Export the statement as CSV or XLSX"),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh", "archive", "this is a packed archive. Unpack it first"),
)
TEXT_FORMS = (
    (
        "html",
        (
            rb"(?s)\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html|head|body|"
            rb"meta|style|title|script|link|table|div|center|form|font|span|p|b|h\d)\b"
        ),
    ),
    (
        EXCEL_XML,
        rb"(?s)\s*<(?:\?xml.{0,200}(?:Excel\.Sheet|office:spreadsheet)|(?:\w+:)?Workbook\b)",
    ),
    ("mime", rb"MIME-Version:|From:.*\nMIME"),
    ("json", rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\]])"),
)
"""Forms of text that are no delimited one, by how they begin."""


def recognise(data: bytes, file: str, limits: Limits) -> str:
    """Return the form of a workbook, text or bank feed; `csv` is any delimited text.

    Raises:
        FileRefused: the file is empty, encrypted, something else, or over a limit.
    """
    if not re.search(rb"[^\s\x00\xef\xbb\xbf\xff\xfe]", data):
        raise FileRefused(file, "empty", "the file is empty")
    if data.startswith(ZIP):
        return _inside_zip(data, file, limits)
    if data.startswith(OLE):
        return _inside_ole(data, file)
    if feed := recognise_feed(data):
        return feed
    head = _head(data)
    for form, pattern in TEXT_FORMS:
        if re.match(pattern, head, re.IGNORECASE):
            return form
    for pattern, code, reason in FOREIGN_FORMATS:
        if re.match(pattern, head, re.IGNORECASE):
            raise FileRefused(file, code, reason)
    if b"\x00" in data and not any(data.startswith(bom) for bom in BOMS):
        reason = "it has zero bytes, so it is not text. Export it again as CSV or XLSX"
        raise FileRefused(file, "zero_bytes", reason)
    return "csv"


def _head(data: bytes) -> bytes:
    """Return the first bytes of a text, without its byte-order mark and in letters of one byte."""
    mark = next((mark for mark in BOMS if data.startswith(mark)), b"")
    head = data[: 4 * TEXT_HEAD_BYTES] if mark else data[:TEXT_HEAD_BYTES]
    return head.decode(BOMS[mark], "ignore").encode()[:TEXT_HEAD_BYTES] if mark else head


def _inside_ole(data: bytes, file: str) -> str:
    """Tell an old workbook from what else the container may hold; stream names are UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        reason = "it is password protected. Save a copy without a password"
        raise FileRefused(file, "password_protected", reason)
    if "_VBA_PROJECT".encode("utf-16-le") in data:
        raise FileRefused(file, "macros", "it has macros. Save it as a workbook without macros")
    if any(name.encode("utf-16-le") in data for name in ("Workbook", "Book")):
        return "xls"
    raise FileRefused(file, "not_a_table", "it is an Office file but not a workbook")


def _inside_zip(data: bytes, file: str, limits: Limits) -> str:
    """Check the archive against the limits before anything is unpacked from it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        reason = "the workbook is damaged or cut short. Save or download it again"
        raise FileRefused(file, "damaged", reason) from error
    names = {entry.filename.replace("\\", "/") for entry in entries}
    unpacked = sum(entry.file_size for entry in entries)
    steepest = max((e.file_size / max(e.compress_size, 1) for e in entries), default=0)
    if (
        len(entries) > limits.archive_entries
        or unpacked > limits.archive_bytes
        or steepest > limits.archive_ratio
    ):
        reason = "the workbook unpacks into more than is allowed. Save the data as CSV"
        raise FileRefused(file, "unpacks_too_large", reason)
    if any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries):
        reason = "it has a link to another file. Save the data as CSV"
        raise FileRefused(file, "not_a_table", reason)
    if any(entry.flag_bits & 1 for entry in entries):
        reason = "it is password protected. Save a copy without a password"
        raise FileRefused(file, "password_protected", reason)
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileRefused(file, "macros", "it has macros. Save it as a workbook without macros")
    return _workbook_form(names, file)


def _workbook_form(names: set[str], file: str) -> str:
    """Return which form of workbook an archive is, by the names of its parts.

    Raises:
        FileRefused: the format is not one that is read.
    """
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        reason = "it is a binary workbook (.xlsb). Save it as XLSX"
        raise FileRefused(file, "binary_workbook", reason)
    if "content.xml" in names and "mimetype" in names:
        return "ods"
    raise FileRefused(file, "not_a_table", "this is a packed archive, not a workbook. Unpack it")
