"""Writes lists of alerts, evidence packs and documents; one module per format."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardwatch.errors import CardwatchError
from cardwatch.reports.alert_document import list_document, questions_document
from cardwatch.reports.as_csv import csv_text, safe_text, write_csv
from cardwatch.reports.as_json import as_json
from cardwatch.reports.as_pdf import check_drawing, pdf_of
from cardwatch.reports.as_xlsx import write_xlsx
from cardwatch.reports.document import Document
from cardwatch.reports.filenames import (
    IMPACT_FILENAME,
    alerts_filename,
    answers_filename,
    benchmark_filename,
    case_filename,
    equality_filename,
    payments_filename,
    publication_filename,
    questions_filename,
    register_report_filename,
    report_filename,
    safe_filename,
    sample_filename,
    unread_rows_filename,
    upload_label,
)
from cardwatch.reports.governance import Figures, governance_document
from cardwatch.reports.handover import PURPOSES, ExportCover
from cardwatch.reports.impact import Installation, impact_document
from cardwatch.reports.pack import PACK, check_pack, pack_of
from cardwatch.reports.quarter import Coverage, Span, quarter_figures
from cardwatch.reports.self_assessment import Controls, FinanceRegisters, OpenCards

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.records import AlertList, Statements

FORMATS = (".csv", ".xlsx", ".json")
HANDED = (*FORMATS, ".pdf")
"""Forms of a list, and of one that is handed over."""


def write_alerts(
    path: Path,
    lists: dict[str, AlertList],
    statements: Statements,
    handed: ExportCover | None = None,
) -> None:
    """Write the alerts of some lists to a file whose ending says the form.

    Args:
        path: the file.
        lists: by what each is called, the lane for instance.
        statements: how they were read.
        handed: why and to whom, if they are handed over; a PDF needs it.

    Raises:
        CardwatchError: the ending is unknown or the file cannot be written.
    """
    try:
        match path.suffix.lower():
            case ".csv":
                write_csv(path, lists, handed)
            case ".xlsx":
                write_xlsx(path, lists, statements, handed)
            case ".json":
                path.write_text(as_json(lists, statements, handed), encoding="utf-8")
            case ".pdf" if handed is not None:
                path.write_bytes(pdf_of(list_document(lists, handed)))
            case other:
                endings = ", ".join(HANDED if handed else FORMATS)
                raise CardwatchError(
                    f"'{other}' is not a list format. Use a file name that ends in {endings}."
                )
    except OSError as error:
        raise CardwatchError(f"{path} cannot be written. Check that its folder exists.") from error


def alert_files(
    lists: dict[str, AlertList], statements: Statements, handed: ExportCover
) -> dict[str, bytes]:
    """Return the alerts of some lists in every form, by file name; see `write_alerts`."""
    files = {}
    with tempfile.TemporaryDirectory(prefix="cardwatch-") as folder:
        for ending in HANDED:
            path = Path(folder) / f"alerts{ending}"
            write_alerts(path, lists, statements, handed)
            files[path.name] = path.read_bytes()
    return files


def pack_alerts(
    lists: dict[str, AlertList],
    files: Mapping[str, bytes],
    handed: ExportCover,
    key: Ed25519PrivateKey,
) -> bytes:
    """Return the files of some lists as a pack, which says what made the lists; see `pack_of`."""
    made_by = {name: alert_list.made_by for name, alert_list in lists.items()}
    facts: dict[str, Any] = {**handed.said, "made_by_lists": made_by}
    if entries := register_rows(lists.values()):
        facts["register_rows"] = entries
    return pack_of(files, facts, key)


def register_rows(lists: Iterable[AlertList]) -> list[dict[str, str | int]]:
    """Return the rows of registers on which alerts rest, each once, with the hash of its file."""
    rows = {
        (entry.register, entry.file, entry.row, entry.sha256)
        for alert_list in lists
        for alert in alert_list.alerts
        for entry in alert.entries
    }
    return [
        {"register": register, "file": file, "row": row, "sha256": sha256}
        for register, file, row, sha256 in sorted(rows)
    ]
