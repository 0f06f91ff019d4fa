"""Names of downloads: by contents, never by person.

A name is ASCII without characters that a file system or an HTTP header treats specially. It holds
no cardholder, merchant, card number or recipient. Professional standards' files say whose they
are: only professional standards can make them.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cardwatch.records import AlertList

PSD = "psd"
LONGEST = 120
"""Characters of a file name, its ending included."""
WEEK = dt.timedelta(days=7)
LABEL_CHARACTERS = 100
HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Characters that are not seen, or turn the reading direction."""
ODD = re.compile(r"[^A-Za-z0-9 ._-]+")


def safe_filename(name: str) -> str:
    """Return a file name that every system takes: ASCII, without separators, one line, not hidden.

    Letters with accents lose them; whatever else is odd becomes a hyphen.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, ending = ODD.sub("-", plain).strip(" .-").rpartition(".")
    if not dot:
        stem, ending = ending, ""
    stem = re.sub(r"\.{2,}", ".", stem)[: LONGEST - len(dot + ending)].strip(" .-")
    return f"{stem or 'file'}{dot}{ending}"


def upload_label(name: str, otherwise: str) -> str:
    """Return the name of an uploaded file as it may be shown: no folder, one line, not too long.

    Args:
        name: as it was sent.
        otherwise: what it is called if nothing is left of its name.
    """
    bare = PureWindowsPath(PurePosixPath(name.replace("\x00", "")).name).name
    label = HIDDEN.sub("", bare).encode("utf-8", "replace").decode()
    return label[-LABEL_CHARACTERS:].strip() or otherwise


def alerts_filename(lists: Mapping[str, AlertList], lanes: Iterable[str], ending: str) -> str:
    """Return the name of a file of alert lists: `2026-10 alerts.xlsx`.

    Args:
        lists: the lists in it.
        lanes: their lanes; where all of them are professional standards', the name says so.
        ending: of the file, with its dot.
    """
    days = [
        day
        for alert_list in lists.values()
        for day in (alert_list.first_on, alert_list.last_on)
        if day
    ]
    months = _months(days)
    owner = f"{PSD} " if set(lanes) == {PSD} else ""
    return safe_filename(f"{months}{owner}alerts{ending}")


def payments_filename(days: Iterable[str]) -> str:
    """Return the name of a file of payments by their days: `2026-10 payments.csv`."""
    return safe_filename(f"{_months(days)}payments.csv")


def case_filename(alert_ids: Sequence[str], lanes: Iterable[str], ending: str) -> str:
    """Return the name of a case by its alerts: `case ba0e1f2a3b4c and 2 more.zip`."""
    owner = f"{PSD} " if PSD in set(lanes) else ""
    more = f" and {len(alert_ids) - 1} more" if len(alert_ids) > 1 else ""
    return safe_filename(f"{owner}case {alert_ids[0]}{more}{ending}")


def questions_filename(alert_ids: Sequence[str]) -> str:
    """Return the name of questions for a line manager: `questions ba0e1f2a3b4c and 1 more.pdf`."""
    more = f" and {len(alert_ids) - 1} more" if len(alert_ids) > 1 else ""
    return safe_filename(f"questions {alert_ids[0]}{more}.pdf")


def equality_filename(quarter: str) -> str:
    """Return the name of the report on equality up to a quarter: `2026-Q4 equality.pdf`."""
    return safe_filename(f"{quarter} equality.pdf")


def benchmark_filename(quarter: str, ending: str) -> str:
    """Return the name of a comparison of forces: `2026-Q3 comparison of forces.xlsx`."""
    return safe_filename(f"{quarter} comparison of forces{ending}")


def publication_filename(period: str) -> str:
    """Return the name of the file that is published: `2026-Q3 payments.csv`."""
    return safe_filename(f"{period.replace('/', '-')} payments.csv")


def answers_filename(period: str) -> str:
    """Return the name of answers to requests for information: `2025-26 answers.zip`."""
    return safe_filename(f"{period.replace('/', '-')} answers.zip")


def report_filename(quarter: str) -> str:
    """Return the name of a quarterly report: `2026-Q4 report.pdf`."""
    return safe_filename(f"{quarter} report.pdf")


def register_report_filename(quarter: str) -> str:
    """Return the name of a quarter's report on registers: `2026-Q4 registers.pdf`."""
    return safe_filename(f"{quarter} registers.pdf")


def sample_filename(population: str, seed: str) -> str:
    """Return the name of a sample by what it is of and its seed: `sample of payments 42.csv`."""
    return safe_filename(f"sample of {population} {seed}.csv")


def unread_rows_filename(statement_id: str) -> str:
    """Return the name of the rows of a statement that were not read."""
    return safe_filename(f"statement {statement_id} rows not read.csv")


IMPACT_FILENAME = "impact assessment.pdf"


def _months(days: Iterable[str]) -> str:
    """Return the months from the first of some days to the last, with a space after.

    A month at either end of which a week or less is covered does not count, as periods of
    statements begin and end a few days beside the month's: `2026-10 ` for 29 September to 31
    October.
    """
    dates = sorted(map(dt.date.fromisoformat, days))
    if not dates:
        return ""
    first, last = dates[0], dates[-1]
    start, ends = first + WEEK, last - WEEK
    if start <= ends:
        first, last = start, ends
    return f"{' to '.join(dict.fromkeys((f'{first:%Y-%m}', f'{last:%Y-%m}')))} "
