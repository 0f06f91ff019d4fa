"""Text in columns below each other is read where its columns are certain, and refused elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardwatch.errors import FileRefused
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from pathlib import Path

    from cardwatch.records import ReadingReport

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, of no other use")
WIDTHS = (16, 12, 24)


def line(holder: str, day: str, merchant: str, amount: str) -> str:
    cells = zip((holder, day, merchant), WIDTHS, strict=True)
    return "".join(cell.ljust(width) for cell, width in cells) + amount.rjust(12) + "\n"


HEAD = line("Cardholder", "Date", "Merchant", "Amount")
RULE = f"{'-' * 15} {'-' * 11} {'-' * 23} {'-' * 12}\n"
PAYMENTS = (
    line("ANN ROE", "13/10/2025", "ALPHA STORES", "1,857.00")
    + line("BOB POE", "14/10/2025", "BETA AND SONS LTD 0417", "8.50 CR")
    + line("ANN ROE", "15/10/2025", "GAMMA", "20.00")
)
LONG = "BOB POE         16/10/2025  A MERCHANT OF A VERY LONG NAME INDEED   "


def report_of(folder: Path, text: str) -> ReadingReport:
    (folder / "a.txt").write_text(text, encoding="cp1252", newline="")
    (report,) = read_statements([folder / "a.txt"], CHOICES).reports
    assert report.reconciles
    return report


@pytest.mark.parametrize("rule", ["", RULE])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_below_each_other_are_read(tmp_path: Path, rule: str, end: str) -> None:
    text = (HEAD + rule + PAYMENTS).replace("\n", end)
    report = report_of(tmp_path, text)
    assert (report.transactions, report.pence, report.problems) == (3, 186_850, ())
    assert "columns of a fixed width" in report.decisions


def test_pages_of_a_print_are_read_with_their_total(tmp_path: Path) -> None:
    title = (
        "NORTHMERE FORCE          CARD LISTING OF ALL UNITS       PAGE {}\nRUN DATE 03/11/2025\n\n"
    )
    page = HEAD + RULE + PAYMENTS
    other = PAYMENTS.replace("/10/", "/11/")
    total = line("", "", "REPORT TOTAL", "3,737.00")
    text = f"{title.format(1)}{page}\f{title.format(2)}{HEAD}{RULE}{other}\n{total}"
    report = report_of(tmp_path, text)
    assert (report.transactions, report.pence, report.problems) == (6, 373_700, ())
    assert [total.agrees for total in report.totals] == [True]


def test_a_name_of_the_next_line_is_no_payment(tmp_path: Path) -> None:
    report = report_of(tmp_path, HEAD + RULE + PAYMENTS + "continued from last month by the bank\n")
    assert (report.transactions, report.text_lines) == (3, 1)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + PAYMENTS + LONG + "9.00\n",
        HEAD + RULE + PAYMENTS + LONG + "9.00\n",
        HEAD + RULE + PAYMENTS + LONG + "9\n",
        HEAD + PAYMENTS + LONG.replace("A MERCHANT", "A PRINTED PAGE") + "950.00\n",
        HEAD + PAYMENTS + LONG.replace("16/10/2025", " " * 10) + "950.00\n",
        HEAD.replace("Date", "Date  Time") + PAYMENTS,
        HEAD.replace("Merchant", "") + PAYMENTS,
    ],
    ids=[
        "overrun",
        "overrun below a rule",
        "without pence",
        "a page in a name",
        "no day",
        "a heading more",
        "a heading less",
    ],
)
def test_columns_that_are_not_certain_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileRefused):
        report_of(tmp_path, text)


def test_a_print_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    text = HEAD + PAYMENTS + line("BOB POE", "16/10/2025", "DELTA", "37.50")
    with pytest.raises(FileRefused) as refused:
        report_of(tmp_path, text.replace(" CR", "").rstrip()[:-1])
    assert refused.value.code == "damaged"


def test_a_rule_of_dashes_that_payments_do_not_keep_to_gives_way(tmp_path: Path) -> None:
    short = RULE.replace("-" * 12, "-" * 6)
    report = report_of(tmp_path, HEAD + short + PAYMENTS)
    assert (report.transactions, report.pence) == (3, 185_700 - 850 + 2_000)
