"""Writes lists of alerts: CSV, XLSX and JSON, a file a format."""

from pathlib import Path

from xlsxwriter.exceptions import FileCreateError

from cardwatch.errors import CardwatchError
from cardwatch.records import AlertList, Statements
from cardwatch.reports.as_csv import safe_text, write_csv
from cardwatch.reports.as_json import as_json
from cardwatch.reports.as_xlsx import write_xlsx

FORMATS = (".csv", ".xlsx", ".json")


def write_alerts(path: Path, lists: dict[str, AlertList], statements: Statements) -> None:
    """Write the alerts of some lanes to a file whose ending says the form.

    Raises:
        CardwatchError: the ending is unknown or the file cannot be written.
    """
    try:
        match path.suffix.lower():
            case ".csv":
                write_csv(path, lists)
            case ".xlsx":
                write_xlsx(path, lists, statements)
            case ".json":
                path.write_text(as_json(lists, statements), encoding="utf-8")
            case other:
                raise CardwatchError(
                    f"'{other}' is no form of list; the file has to end in {', '.join(FORMATS)}."
                )
    except (OSError, FileCreateError) as error:
        raise CardwatchError(f"{path} cannot be written. Does its folder exist?") from error


__all__ = ["as_json", "safe_text", "write_alerts"]
