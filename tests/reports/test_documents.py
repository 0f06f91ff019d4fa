"""Documents: counts with their nouns, and columns in which words stay whole."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from books import needs_pdf

from cardwatch.records import AlertCard, LineItem
from cardwatch.reports import ExportCover, pdf_of, questions_document
from cardwatch.reports.alert_document import list_document
from cardwatch.reports.as_pdf import BOLD, CAPITAL, PADDING, PAGE_SIZE, column_widths
from cardwatch.reports.document import Document, Section, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.scoring import ScoringResult

HANDED = ExportCover("OFFICIAL", "Force", "finance-assurance", "CFO", "a@force.example",
                  "2026-11-02T10:00:00+00:00", "1 ab")  # fmt: skip
LONG = "INTERNATIONALELEKTRONIKVERTRIEBSGESELLSCHAFT*MARKETPLACE EU SARL LUXEMBOURG"
WITHOUT = """
import sys
from cffi import FFI
from cardwatch.errors import CardwatchError
from cardwatch.reports import check_drawing

dlopen = FFI.dlopen


def dlopen_others(ffi, name, flags=0):
    if sys.argv[1] in name:
        raise OSError(name)
    return dlopen(ffi, name, flags)


FFI.dlopen = dlopen_others
for _ in range(2):
    try:
        check_drawing()
    except CardwatchError as error:
        print(error)
"""
"""A process that looks twice for what draws a PDF where one library is not installed."""


def _text(document: Document) -> str:
    """Return all sentences of a document."""
    lines = [text for one in document.sections for text in (one.title, *one.text, *one.points)]
    return "\n".join(lines + [t.caption for one in document.sections for t in one.tables])


@pytest.mark.parametrize(("count", "words"), [(1, "; 1 alert"), (2, "; 2 alerts")])
def test_a_list_counts_its_alerts_with_the_right_noun(
    scored_month: Callable[[str], ScoringResult], count: int, words: str
) -> None:
    made = scored_month("2026-10").lists["finance"]
    one = dataclasses.replace(made, alerts=made.alerts[:count], payments_count=1)
    text = _text(list_document({"finance": one}, HANDED))
    assert f"{words}" in text
    assert "finance: 1 payment," in text
    assert "1 alerts" not in text
    assert "1 payments" not in text


def test_an_alert_about_cards_lists_its_cards_and_no_empty_table(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    made = scored_month("2026-10").lists["finance"]
    cards = (AlertCard("c1", "1234", "E1"),)
    alert = dataclasses.replace(made.alerts[0], merchants=(), payments=(), cards=cards)
    listed = list_document({"finance": dataclasses.replace(made, alerts=(alert,))}, HANDED)
    asked = questions_document(
        [(alert, "")],
        marking="OFFICIAL",
        parties=("Force", "Them"),
        people="E1",
        day="2026-11-02",
    )
    for document in (listed, asked):
        assert "card ending 1234, cardholder E1" in _text(document)
        assert not any(one.tables for one in document.sections)
        assert ("Merchant", "") not in [fact for one in document.sections for fact in one.facts]


@pytest.mark.parametrize("merchant", ["shop", "SOME MERCHANT LTD", LONG])
def test_headings_days_and_amounts_have_room_for_their_longest_word(merchant: str) -> None:
    headings = ("Day", "Cardholder", "Merchant", "Amount", "Reference, file and row")
    row = ("7\N{NO-BREAK SPACE}Oct\N{NO-BREAK SPACE}2026", "SV1003", merchant, "£12,480.00",
           "7261011894; 2026-10.csv, row 113")  # fmt: skip
    widths = column_widths(Table("x", headings, (row,), numeric=(3,)))
    assert sum(widths) == pytest.approx(100, abs=0.1)
    for heading, width in zip(headings, widths, strict=True):
        word = max(heading.split(), key=len)
        assert width * PAGE_SIZE / 100 >= BOLD * (len(word) - 1 + CAPITAL)
    assert widths[0] * PAGE_SIZE / 100 >= len(row[0])
    assert widths[3] * PAGE_SIZE / 100 >= len(row[3]) + PADDING - 0.1


@pytest.mark.parametrize("rows", [(), (("", ""),)])
def test_an_empty_table_has_widths(rows: tuple[tuple[str, ...], ...]) -> None:
    assert sum(column_widths(Table("x", ("", ""), rows))) == pytest.approx(100)


@pytest.mark.parametrize("library", ["gobject-2", "pango-1", "pangoft2", "harfbuzz-subset"])
def test_without_a_library_a_pdf_is_refused_with_its_package(library: str) -> None:
    """As on a machine without it: no warning, none of WeasyPrint's advice, one sentence a try."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT, library],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0" in done.stdout
    first, second = done.stdout.splitlines()
    assert first == second


@needs_pdf
def test_a_document_with_long_words_and_no_rows_is_drawn() -> None:
    table = Table("x", ("Day", "Merchant"), (("1 Oct 2026", LONG),))
    sections = (Section("One", tables=(table, Table("none", ("A",), ()))),)
    assert pdf_of(Document("X", "OFFICIAL", (), sections)).startswith(b"%PDF-")


def test_a_document_lists_the_line_items(scored_month: Callable[[str], ScoringResult]) -> None:
    made = scored_month("2026-10").lists["finance"]
    paid = dataclasses.replace(
        made.alerts[0].payments[0], line_items=(LineItem("<i>Toner", 1_250),)
    )
    alert = dataclasses.replace(made.alerts[0], payments=(paid,))
    listed = list_document({"finance": dataclasses.replace(made, alerts=(alert,))}, HANDED)
    points = [point for section in listed.sections for point in section.points]
    assert any(point.endswith(": <i>Toner, £12.50") for point in points)
    assert "Toner" not in _text(list_document({"finance": made}, HANDED))
