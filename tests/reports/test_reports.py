"""Lists as files: every text stays text, every number a number, everything reopens."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from cardwatch.errors import CardwatchError
from cardwatch.records import LineItem, Payment, Statements
from cardwatch.reports import write_alerts
from cardwatch.reports.as_csv import FORMULA_STARTS
from cardwatch.reports.columns import ALERT_HEADINGS, PAYMENT_HEADINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.records import AlertList
    from cardwatch.scoring import ScoringResult

HOSTILE = [
    '=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1",
    "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201", "'=1", 'a,b"c;d', " =1", "https://example.org",
    "007", "1e5", "<b>x</b>", "\u202eabc",
]  # fmt: skip


@pytest.fixture
def hostile(scored_month: Callable[[str], ScoringResult]) -> dict[str, AlertList]:
    """Give a list in which every text a file can bring is hostile."""
    made = scored_month("2026-10").lists["finance"]
    alerts = tuple(
        dataclasses.replace(
            made.alerts[0],
            holders=(text,),
            merchants=(text,),
            cost_centres=(text,),
            payments=(Payment(text, text, 3, "2026-10-05", text, text, -1250),),
        )
        for text in HOSTILE
    )
    return {"finance": dataclasses.replace(made, alerts=alerts)}


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(
    hostile: dict[str, AlertList], sample: Statements, tmp_path: Path
) -> None:
    write_alerts(tmp_path / "x.xlsx", hostile, sample)
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert cell.hyperlink is None
    seen = [row[4].value for row in book["Alerts"].iter_rows(min_row=2)]
    assert [str(text).replace("_x000D_", "").strip() for text in seen] == [
        text.replace("\x00", "").strip() for text in HOSTILE
    ]


def test_numbers_and_days_of_a_workbook_are_numbers_and_days(
    scored_month: Callable[[str], ScoringResult], sample: Statements, tmp_path: Path
) -> None:
    lists = scored_month("2026-10").lists
    write_alerts(tmp_path / "x.xlsx", lists, sample)
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    first, alert = book["Alerts"][2], lists["finance"].alerts[0]
    assert first[6].value == alert.at_stake_pence / 100
    assert first[8].value == alert.alert_id
    assert book["Payments"][2][2].value.date().isoformat() == alert.payments[0].date
    total = sum(len(a.payments) for made in lists.values() for a in made.alerts)
    assert book["Payments"].max_row == total + 1
    assert book["How it was read"].max_row == len(sample.reports) + 1


def test_no_cell_of_a_csv_starts_as_a_formula_and_amounts_stay_numbers(
    hostile: dict[str, AlertList], sample: Statements, tmp_path: Path
) -> None:
    write_alerts(tmp_path / "x.csv", hostile, sample)
    data = (tmp_path / "x.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in data
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(HOSTILE)
    for row in rows:
        assert float(row["Amount (£)"]) == -12.5
        for name in ("Cardholder", "Merchant", "Cost centre", "Reference", "File"):
            start = row[name].lstrip(" ")
            assert not start.startswith(FORMULA_STARTS) or start.startswith("'")
            assert "\x00" not in row[name]


def test_a_json_list_holds_everything_and_reads_back(
    scored_month: Callable[[str], ScoringResult], sample: Statements, tmp_path: Path
) -> None:
    lists = scored_month("2026-10").lists
    write_alerts(tmp_path / "x.json", lists, sample)
    content = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert len(content["lists"]["finance"]["alerts"]) == len(lists["finance"].alerts)
    assert all(file["reconciles"] for file in content["reading"]["files"])
    alert = content["lists"]["finance"]["alerts"][0]
    assert {"reasons", "payments", "chance", "merchant_history"} <= alert.keys()


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".json"])
def test_the_same_list_gives_the_same_bytes(
    scored_month: Callable[[str], ScoringResult], sample: Statements, tmp_path: Path, ending: str
) -> None:
    lists = scored_month("2026-10").lists
    for name in ("a", "b"):
        write_alerts(tmp_path / f"{name}{ending}", lists, sample)
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_an_unknown_form_and_an_unwritable_place_are_refused_in_a_sentence(
    scored_month: Callable[[str], ScoringResult], sample: Statements, tmp_path: Path
) -> None:
    lists = scored_month("2026-10").lists
    with pytest.raises(CardwatchError, match="not a list format"):
        write_alerts(tmp_path / "x.pdf", lists, sample)
    for ending in (".csv", ".json", ".xlsx"):
        with pytest.raises(CardwatchError, match="cannot be written"):
            write_alerts(tmp_path / "absent" / f"x{ending}", lists, sample)


def test_every_column_of_a_csv_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    table = text.partition("## CSV")[2].partition("## JSON")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    named = {name.strip() for cell in cells for name in cell.split(", ")}
    assert {*ALERT_HEADINGS, *PAYMENT_HEADINGS, "Marking"} - {"column"} == named - {"column"}


# Line items -------------------------------------------------------------------------------------


@pytest.fixture
def with_items(scored_month: Callable[[str], ScoringResult]) -> dict[str, AlertList]:
    """Give a list whose first payment has a hostile line item and one with an amount."""
    made = scored_month("2026-10").lists["finance"]
    items = (LineItem("=1+1 toner"), LineItem("Paper", 1_250, 208))
    paid = dataclasses.replace(made.alerts[0].payments[0], line_items=items)
    first = dataclasses.replace(made.alerts[0], payments=(paid, *made.alerts[0].payments[1:]))
    return {"finance": dataclasses.replace(made, alerts=(first, *made.alerts[1:]))}


def test_line_items_are_in_every_form(
    with_items: dict[str, AlertList], sample: Statements, tmp_path: Path
) -> None:
    for form in ("csv", "json", "xlsx"):
        write_alerts(tmp_path / f"x.{form}", with_items, sample)
    rows = list(
        csv.DictReader((tmp_path / "x.csv").read_text("utf-8-sig").splitlines(keepends=True))
    )
    assert rows[0]["Line items"] == "'=1+1 toner\nPaper, £12.50, VAT £2.08"
    content = json.loads((tmp_path / "x.json").read_text("utf-8"))
    paid = content["lists"]["finance"]["alerts"][0]["payments"][0]
    assert [item["amount_pence"] for item in paid["line_items"]] == [None, 1_250]
    evidence = openpyxl.load_workbook(tmp_path / "x.xlsx")["Evidence"]
    shown = [row[4].value for row in evidence.iter_rows() if row[2].value == "Line item"]
    assert shown == ["=1+1 toner", "Paper, £12.50, VAT £2.08"]


def test_without_line_items_nothing_names_them(
    scored_month: Callable[[str], ScoringResult], sample: Statements, tmp_path: Path
) -> None:
    for form in ("csv", "json"):
        write_alerts(tmp_path / f"x.{form}", scored_month("2026-10").lists, sample)
        text = (tmp_path / f"x.{form}").read_text("utf-8-sig")
        assert "Line items" not in text.splitlines()[0]
        assert '"line_items"' not in text
