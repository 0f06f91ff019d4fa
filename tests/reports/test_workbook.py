"""The workbook read back: its sheets, its nine columns, and how it prints."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from cardwatch.records import AlertCard, Payment, Statements
from cardwatch.reports import ExportCover, write_alerts
from cardwatch.reports.as_xlsx import HIGHEST_ROW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import AlertList
    from cardwatch.scoring import ScoringResult

    ScoringContext = Callable[[str], ScoringResult]

SHEETS = ["About this list", "Alerts", "Payments", "Evidence", "How it was read", "Rows not read",
          "Versions"]  # fmt: skip
HEADINGS = ("No.", "Tier", "Alert", "Days", "Cardholder", "Merchant", "At stake (£)",
            "Why the alert was raised", "Alert id")  # fmt: skip
WIDEST = 165
"""Characters that stand legibly beside each other on A4 landscape."""
LONG = "INTERNATIONALELEKTRONIKVERTRIEBSGESELLSCHAFT*MARKETPLACE EU SARL LUXEMBOURG"


def _handed(**case: Any) -> ExportCover:
    return ExportCover("OFFICIAL & MORE", "Force", "finance-assurance", "CFO", "a@force.example",
                    "2026-11-02T10:00:00+00:00", "1 ab", **case)  # fmt: skip


@pytest.fixture
def book(scored_month: ScoringContext, sample: Statements, tmp_path: Path) -> Callable[..., Any]:
    """Return a workbook read back."""

    def write(lists: dict[str, AlertList] | None = None, handed: ExportCover | None = None) -> Any:
        finance = {"finance": scored_month("2026-10").lists["finance"]}
        write_alerts(tmp_path / "x.xlsx", lists or finance, sample, handed)
        return openpyxl.load_workbook(tmp_path / "x.xlsx")

    return write


def test_what_the_list_is_comes_first_and_its_alerts_in_nine_columns(
    book: Callable[..., Any], scored_month: ScoringContext
) -> None:
    read = book(handed=_handed())
    made = scored_month("2026-10").lists["finance"]
    names = [name for name in read.sheetnames if name != "Beyond the budget"]
    assert names == SHEETS
    about = list(read["About this list"].values)
    reminder = "An alert is a question, not a finding. Most have a good answer."
    assert ("How to read it", reminder) in about
    assert ("Date", "2 November 2026, 10:00am") in about
    assert ("Policy", f"SHA-256 {made.made_by['policy']}") in about
    assert any(what == "Statement" for what, _ in about)
    (summary,) = (note for what, note in about if what == "List")
    assert f"{made.payments_count:,} payments" in summary
    assert "October 2026" in summary
    rows = list(read["Alerts"].values)
    assert rows[0] == HEADINGS
    assert [row[8] for row in rows[1:]] == [alert.alert_id for alert in made.shown]
    evidence = {(row[0], row[2]) for row in read["Evidence"].values}
    assert {(one.alert_id, "Figure") for one in made.alerts} <= evidence
    versions = {(row[1], row[2]) for row in read["Versions"].values}
    assert set(made.made_by.items()) <= versions


@pytest.mark.parametrize("handed", [None, _handed()])
def test_every_sheet_prints_on_a4_landscape(
    book: Callable[..., Any], handed: ExportCover | None
) -> None:
    for sheet in book(handed=handed):
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.freeze_panes == "A2"
        assert "&P of &N" in str(sheet.oddFooter.right.text).replace("&[Page]", "&P").replace(
            "&[Pages]", "&N"
        )
        widths = [one.width * (one.max - one.min + 1) for one in sheet.column_dimensions.values()]
        assert sum(widths) < WIDEST, sheet.title
        assert all(
            cell.alignment.wrap_text
            for row in sheet.iter_rows()
            for cell in row
            if isinstance(cell.value, str)
        )
        if handed:
            assert "OFFICIAL" in str(sheet.oddHeader.center.text)


def test_a_row_is_as_high_as_its_longest_text_needs(
    book: Callable[..., Any], scored_month: ScoringContext
) -> None:
    made = scored_month("2026-10").lists["finance"]
    alert = made.alerts[0]
    fact = "Nine words that say why this is asked now. " * 9
    lead = dataclasses.replace(alert.reasons[0], fact=fact)
    paid = dataclasses.replace(alert.payments[-1], merchant=LONG)
    long = dataclasses.replace(
        alert, payments=(paid,), merchants=alert.merchants[:1], reasons=(lead,)
    )
    endless = dataclasses.replace(alert, reasons=(dataclasses.replace(lead, fact="word " * 9000),))
    read = book({"finance": dataclasses.replace(made, alerts=(alert, long, endless))})["Alerts"]
    heights = [read.row_dimensions[row].height for row in (2, 3, 4)]
    assert heights[0] < heights[1] < heights[2] <= HIGHEST_ROW


def test_each_lane_has_its_sheet_and_what_is_beyond_the_budget_stands_apart(
    book: Callable[..., Any], scored_month: ScoringContext
) -> None:
    lists = scored_month("2026-10").lists
    read = book(dict(lists))
    for name, lane in (("Alerts", "finance"), ("Alerts psd", "psd")):
        assert [row[8] for row in list(read[name].values)[1:]] == [
            alert.alert_id for alert in lists[lane].shown
        ]
    hidden = [one.alert_id for made in lists.values() for one in made.alerts if not one.shown]
    beyond = list(read["Beyond the budget"].values)[1:] if hidden else []
    assert [row[8] for row in beyond] == hidden


def test_an_alert_about_cards_has_no_payment_and_one_about_several_holders_has_all(
    book: Callable[..., Any], scored_month: ScoringContext
) -> None:
    made = scored_month("2026-10").lists["finance"]
    alert = made.alerts[0]
    payments = tuple(
        dataclasses.replace(alert.payments[0], holder_id=f"E{number}") for number in range(3)
    )
    several = dataclasses.replace(alert, alert_id="aaaaaaaaaaaa", payments=payments)
    cards = (AlertCard("c1", "1234", "E1"),)
    of_cards = dataclasses.replace(
        alert, alert_id="bbbbbbbbbbbb", merchants=(), payments=(), cards=cards
    )
    read = book({"finance": dataclasses.replace(made, alerts=(several, of_cards))})
    payment_rows = [(row[0], row[3]) for row in list(read["Payments"].values)[1:]]
    assert payment_rows == [(several.alert_id, f"E{number}") for number in range(3)]
    assert [row[8] for row in list(read["Alerts"].values)[1:]] == ["a" * 12, "b" * 12]
    named = [(row[0], row[4]) for row in read["Evidence"].values if row[2] == "Card"]
    assert named == [(of_cards.alert_id, "card ending 1234, cardholder E1")]


def test_no_cell_of_any_sheet_of_a_case_is_a_formula(
    book: Callable[..., Any], scored_month: ScoringContext
) -> None:
    made = scored_month("2026-10").lists["finance"]
    bad = "=1+1"
    alert = dataclasses.replace(
        made.alerts[0], holders=(bad,), merchants=(bad,), cost_centres=(bad,),
        cards=(AlertCard(bad, bad, bad),),
        payments=(Payment(bad, bad, 3, "2026-10-05", bad, bad, 100),),
    )  # fmt: skip
    case = {
        "alert_id": alert.alert_id, "lane": "finance",
        "decisions": [{"decided_at": bad, "state": bad, "reason": bad, "decided_by": bad}],
        "neighbours": [{"date": bad, "holder_id": bad, "merchant": bad, "amount_pence": 1,
                        "statement_id": bad, "row": 1}],
        "related": [{"alert_id": bad, "rule": bad, "holders": [bad], "approvers": [],
                     "at_stake_pence": 1, "last_on": bad, "state": bad}],
        "seen": [{"at": bad, "actor": bad, "role": bad, "action": bad}],
    }  # fmt: skip
    read = book({bad: dataclasses.replace(made, alerts=(alert,), notes=(bad,))},
                _handed(cases=(case,)))  # fmt: skip
    about = list(read["About this list"].values)
    assert ("List", f"{bad}: 1 alert in this file.") in about
    assert not any(what == "Note" and note == f"{bad}." for what, note in about)
    cells = [cell for sheet in read for row in sheet.iter_rows() for cell in row]
    assert sum(cell.value == bad for cell in cells) > 15
    assert all(cell.data_type != "f" and cell.hyperlink is None for cell in cells)
