"""Names of downloads: what they hold, safe everywhere, and about nobody."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from api.downloads import content_disposition
from cardwatch.records import AlertList
from cardwatch.reports import (
    alerts_filename,
    case_filename,
    questions_filename,
    report_filename,
    safe_filename,
    sample_filename,
)
from cardwatch.reports.filenames import LONGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

OCTOBER = AlertList("Force", (), 3, "2026-10-01", "2026-10-31", None, None, (), {})
IDS = ("ba0e12345678", "3f2a12345678", "77aa12345678")


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("2026-10-01", "2026-10-31", "2026-10 alerts.xlsx"),
        ("2026-09-29", "2026-10-31", "2026-10 alerts.xlsx"),
        ("2026-09-29", "2026-11-03", "2026-10 alerts.xlsx"),
        ("2026-09-16", "2026-10-15", "2026-09 to 2026-10 alerts.xlsx"),
        ("2025-12-01", "2026-02-28", "2025-12 to 2026-02 alerts.xlsx"),
        ("2026-10-05", "2026-10-05", "2026-10 alerts.xlsx"),
        ("2026-09-30", "2026-10-02", "2026-09 to 2026-10 alerts.xlsx"),
        ("", "", "alerts.xlsx"),
    ],
)
def test_a_list_is_named_for_its_months(first: str, last: str, name: str) -> None:
    made = dataclasses.replace(OCTOBER, first_on=first, last_on=last)
    assert alerts_filename({"finance": made}, ["finance"], ".xlsx") == name


@pytest.mark.parametrize(
    ("lanes", "name"),
    [(["finance"], "2026-10 alerts.pdf"), (["psd"], "2026-10 psd alerts.pdf"),
     (["finance", "psd"], "2026-10 alerts.pdf")],
)  # fmt: skip
def test_a_list_of_professional_standards_alone_says_so(lanes: Sequence[str], name: str) -> None:
    assert alerts_filename(dict.fromkeys(lanes, OCTOBER), lanes, ".pdf") == name


def test_a_case_is_named_by_its_alerts_and_a_report_by_its_quarter() -> None:
    assert case_filename(IDS[:1], ["finance"], ".zip") == "case ba0e12345678.zip"
    assert case_filename(IDS, ["finance"], ".zip") == "case ba0e12345678 and 2 more.zip"
    assert case_filename(IDS, ["finance", "psd"], ".zip") == "psd case ba0e12345678 and 2 more.zip"
    assert questions_filename(IDS[:2]) == "questions ba0e12345678 and 1 more.pdf"
    assert report_filename("2026-Q4") == "2026-Q4 report.pdf"
    assert sample_filename("closed-alerts", "7") == "sample of closed-alerts 7.csv"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("2026-10 alerts.xlsx", "2026-10 alerts.xlsx"),
        ('a"; filename="b.exe\r\nSet-Cookie: x.pdf', "a- filename- b.exe-Set-Cookie- x.pdf"),
        ("../../etc/passwd.csv", "etc-passwd.csv"),
        ("..\\x\x00y.csv", "x-y.csv"),
        (".hidden.csv", "hidden.csv"),
        ("Café \u202egnp.pdf", "Cafe gnp.pdf"),
        ("no ending", "no ending"),
        ("\u4e2d.pdf", "pdf"),
    ],
)
def test_a_name_is_ascii_on_one_line_without_folders(name: str, safe: str) -> None:
    clean = safe_filename(name)
    assert clean.isascii()
    assert not set(clean) & set('/\\":;\r\n\x00')
    assert not clean.startswith(".")
    assert ".." not in clean
    assert clean.replace("-", "").replace(" ", "") == safe.replace("-", "").replace(" ", "")


def test_a_long_name_keeps_its_ending() -> None:
    name = safe_filename("a" * 500 + ".xlsx")
    assert len(name) == LONGEST
    assert name.endswith(".xlsx")


def test_a_download_has_its_name_in_both_forms_and_no_second_header() -> None:
    header = content_disposition("2026-10 alerts.xlsx")
    assert header == (
        "attachment; filename=\"2026-10 alerts.xlsx\"; filename*=UTF-8''2026-10%20alerts.xlsx"
    )
    hostile = content_disposition('a"\r\nX: y.pdf')
    assert not set(hostile) & set("\r\n")
    assert hostile.count('"') == 2
    assert unquote(hostile.partition("''")[2]) == hostile.split('"')[1]
