"""Published council statements are read to the penny: every known fact about them holds.

The files are not part of the project; the facts are those of the page that comes with them.
"""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from cardwatch.errors import ColumnsUnknown
from cardwatch.policy import load_policy
from cardwatch.records import ReadingReport, Statements
from cardwatch.scoring import score
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

DATA = Path(__file__).parents[2].parent / "shared" / "data"
CHOICES = ReadingChoices(profiles=shipped_profiles(), card_key=b"a key for tests, of no other use")
pytestmark = [
    pytest.mark.xdist_group("published"),  # what they share is read once
    pytest.mark.skipif(
        not DATA.is_dir(), reason="the published statements are not in ../shared/data"
    ),
]
DEVON = "ProcurementCardTransactions_"
DOUBLED = f"{DEVON}20170424to20170723.csv"
CITY = "cusersfinainmndesktoppublish-"

DEVON_FILES = {
    "20140401to20150122": (3372, 21_628_215, "2014-03-12", "2015-01-22"),
    "20150123to20150722": (1950, 13_075_890, "2015-01-23", "2015-07-22"),
    "20150723to20151023": (746, 5_227_724, "2015-07-23", "2015-10-22"),
    "20151024to20160121": (774, 4_493_905, "2015-07-01", "2016-01-21"),
    "20160122to20160421": (628, 3_422_299, "2016-01-22", "2016-04-21"),
    "20160422to20160723": (849, 5_569_018, "2016-04-08", "2016-07-21"),
    "20160724to20161023": (582, 4_287_829, "2016-07-21", "2016-10-20"),
    "20161024to20170123": (813, 5_552_908, "2016-10-19", "2017-01-22"),
    "20170124to20170423": (1008, 6_990_825, "2017-01-13", "2017-04-20"),
    "20170724to20171023": (2955, 17_492_213, "2016-12-21", "2017-10-22"),
    "20171024to20180123": (3701, 21_384_606, "2017-10-03", "2018-01-22"),
}
"""For each quarter its rows, pence, first and last date."""
RUN_FILES = {
    "publishspendjanuary2016.xls": (5019, 73_683_365, "2015-06-25", "2016-02-03"),
    "publishspendfebruary2016.xls": (4623, 76_281_461, "2015-09-18", "2016-03-03"),
    "publishspendmarch2016.xls": (3611, 55_839_809, "2016-01-07", "2016-03-31"),
    "publish-spend-april-2016.xls": (3862, 47_571_179, "2016-03-10", "2016-05-03"),
    "publish-spend-may-2016.xls": (4701, 73_248_623, "2016-03-22", "2016-06-03"),
    "publish-spend-june-2016.xls": (4889, 77_242_007, "2016-03-08", "2016-07-01"),
    "publish-spend-july-2016.xls": (5248, 96_011_265, "2016-04-07", "2016-08-03"),
    "publish-spend-august-2016.xls": (2534, 69_299_072, "2016-08-01", "2016-09-01"),
    "publish-spend-september-2016.xls": (5184, 77_892_096, "2016-05-15", "2016-10-03"),
    "publish-spend-october-2016.xls": (4629, 69_486_620, "2016-08-19", "2016-11-03"),
    "publishing-spend-november-2016.xls": (5152, 86_207_346, "2016-08-05", "2016-12-02"),
    "publish-spend-december-2016.xls": (3002, 50_367_076, "2016-10-25", "2017-01-02"),
    f"{CITY}copy-january-2017.xls": (5227, 58_889_069, "2016-12-15", "2017-02-03"),
    f"{CITY}spend-march-2017.xls": (4261, 86_249_592, "2017-02-22", "2017-04-03"),
    f"{CITY}spend-april-2017.xls": (3163, 62_203_465, "2016-12-21", "2017-05-03"),
    f"{CITY}spend-may-2017.xls": (5255, 27_454_122, "2016-12-21", "2017-06-02"),
    f"{CITY}spend-june--2017.xls": (4942, 87_631_300, "2017-05-29", "2017-07-03"),
    f"{CITY}spend-july-2017.xls": (5141, 114_413_898, "2017-05-22", "2017-08-02"),
    f"{CITY}spend-august-2017-all-directorates.xls": (2306, 90_501_759, "2017-07-25", "2017-08-31"),
    f"{CITY}spend-sept-2017.xls": (4598, 122_953_921, "2017-06-23", "2017-10-03"),
    f"{CITY}spend-october-2017-all-directorates.xls": (
        4655,
        129_657_749,
        "2017-06-09",
        "2017-11-03",
    ),
    f"{CITY}spend-november-2017-all-directorates.xls": (
        5205,
        120_610_272,
        "2017-10-02",
        "2017-12-01",
    ),
}
"""The run: the billed amount in 2017, the gross one in 2016."""
CARDS = [704, 690, 640, 672, 688, 682, 702, 480, 673, 671, 659, 611, 675, 646, 587, 744, 638, 642,
         427, 579, 591, 608]  # fmt: skip
SINGLE_FILES = {
    "publishspendpurchasecardsfebruary.xls": (3959, 73_597_549, "2015-01-09", "2015-03-03"),
    "purchase-card-transactions-september-2018.xlsx": (
        4460,
        37_527_945,
        "2018-05-14",
        "2018-10-02",
    ),
    "purchase-card-transactions-august-2021.xls": (2048, 21_807_348, "2021-07-28", "2021-09-02"),
    "purchase-card-transactions-august-2022.xls": (2311, 44_830_067, "2022-08-02", "2022-09-02"),
    "purchasecardtransactionsjune2014.xls": (4573, 60_279_192, "2014-05-07", "2014-07-03"),
}
NO_MERCHANTS = "purchase-card-transactions-january-2020.xls"
TWICE = {
    "purchase-card-transactions-201705.csv": f"{CITY}spend-may-2017.xls",
    "purchase-card-transactions-201706.csv": f"{CITY}spend-june--2017.xls",
    "purchasecardtransactionsmay2014.xls": "purchasecardtransactionsjune2014.xls",
}


@pytest.fixture(scope="module")
def devon() -> Statements:
    return read_statements([DATA / "devon"], CHOICES)


@pytest.fixture(scope="module")
def city() -> Statements:
    return read_statements([DATA / "birmingham"], CHOICES)


@pytest.fixture(scope="module")
def run() -> Statements:
    return read_statements([DATA / "birmingham" / name for name in RUN_FILES], CHOICES)


def of(statements: Statements, file: str) -> ReadingReport:
    return next(report for report in statements.reports if report.file == file)


def facts(report: ReadingReport) -> tuple[int, int, str, str]:
    return report.transactions, report.pence, report.first_on, report.last_on


def test_every_row_of_every_published_file_is_accounted_for(
    devon: Statements, city: Statements
) -> None:
    reports = devon.reports + city.reports
    assert len(reports) == 43
    assert all(report.reconciles for report in reports)
    assert not any(report.totals or report.ended for report in reports)


@pytest.mark.parametrize("period", DEVON_FILES)
def test_each_devon_file_has_its_rows_pence_and_days(period: str, devon: Statements) -> None:
    report = of(devon, f"{DEVON}{period}.csv")
    assert facts(report) == DEVON_FILES[period]
    assert (report.layout, report.form, report.problems, report.blank) == ("Devon", "csv", (), 0)
    assert any("day-first" in decision for decision in report.decisions)


def test_devon_as_a_whole_leaves_the_doubled_file_out_and_says_so(devon: Statements) -> None:
    frame = devon.transactions
    assert [report.file for report in devon.reports if report.refused] == [DOUBLED]
    assert "byte for byte" in of(devon, DOUBLED).refused
    assert (len(frame), frame["amount_pence"].sum()) == (17_378, 109_125_432)
    assert ((frame["amount_pence"] < 0).sum(), (frame["amount_pence"] == 0).sum()) == (590, 201)
    assert frame["holder_id"].nunique() == 171
    assert any(note.startswith(("2017-05 has 0", "2017-06 has 2")) for note in devon.notes)


def test_devon_overlap_of_eight_charges_is_reported_and_dropped_on_request(
    devon: Statements,
) -> None:
    assert any(note.startswith("8 rows ") for note in devon.notes)
    paths = [
        DATA / "devon" / f"{DEVON}{p}.csv" for p in ("20160122to20160421", "20160422to20160723")
    ]
    once = read_statements(paths, CHOICES, overlap="once")
    assert len(once.transactions) == 628 + 849 - 8


def test_devon_bank_entries_are_adjustments_and_nothing_else_is(devon: Statements) -> None:
    frame = devon.transactions
    booked = frame[frame["kind"] == "adjustment"]
    rows = Counter(
        f"{file[len(DEVON) :][:8]}:{row}"
        for file, row in zip(booked["file"], booked["row"], strict=True)
    )
    assert rows == Counter(
        [f"20150123:{row}" for row in (10, 13)]
        + ["20151024:436"]
        + [f"20170724:{r}" for r in (81, 534, 535, 1617, 1618, 1621, 1622, 1634, 1635, 1986)]
    )


@pytest.mark.parametrize("name", RUN_FILES)
def test_each_workbook_of_the_run_has_its_rows_pence_and_days(
    name: str, run: Statements, city: Statements
) -> None:
    for report in (of(run, name), of(city, name)):
        assert facts(report) == RUN_FILES[name]
        assert (report.layout, report.form, report.problems) == ("TRANS", "xls", ())
        assert report.blank == (name == "publish-spend-april-2016.xls")
        unstated = any("currency is not stated" in note for note in report.notes)
        assert unstated == ("2016" in name)


def test_the_run_as_a_whole_has_its_rows_pence_cards_and_signs(run: Statements) -> None:
    frame = run.transactions
    assert (len(frame), frame["amount_pence"].sum()) == (97_207, 1_753_695_066)
    assert frame["holder_id"].nunique() == 1195
    assert ((frame["amount_pence"] > 0).sum(), (frame["amount_pence"] < 0).sum()) == (93_838, 3369)
    assert (frame["amount_pence"] > 500_000).sum() == 136
    assert [frame[frame["file"] == name]["holder_id"].nunique() for name in RUN_FILES] == CARDS
    overlaps = [note for note in run.notes if "--overlap once" in note]
    assert sum(int(note.split()[0]) for note in overlaps) == 3


def test_bank_entries_of_the_run_are_payments_fees_and_adjustments(run: Statements) -> None:
    frame = run.transactions
    payments = frame[frame["kind"] == "payment"].groupby("file")["amount_pence"]
    april, may = "publish-spend-april-2016.xls", f"{CITY}spend-may-2017.xls"
    assert (payments.size()[april], payments.sum()[april]) == (13, -21_170_455)
    assert (payments.size()[may], payments.sum()[may]) == (36, -65_625_389)
    assert payments.min()[may] == -48_698_009
    fees = frame[frame["kind"] == "fee"]
    assert fees["merchant"].str.contains("cash advance fee").sum() == 300
    assert len(fees) == 302, "a card fee and a membership fee beside them"
    assert (frame["kind"] == "adjustment").sum() == 13


@pytest.mark.parametrize("name", SINGLE_FILES)
def test_each_single_month_has_its_rows_pence_and_days(name: str, city: Statements) -> None:
    report = of(city, name)
    assert facts(report) == SINGLE_FILES[name]
    assert report.headings == ("september-2018" in name)
    assert report.form == name.rpartition(".")[2]


def test_foreign_payments_without_a_billed_amount_are_kept_out_of_august_2021(
    city: Statements,
) -> None:
    report = of(city, "purchase-card-transactions-august-2021.xls")
    assert Counter(problem.code for problem in report.problems) == {"no_billed_amount": 19}
    frame = city.transactions[city.transactions["file"] == report.file]
    assert frame["mcc"].str.fullmatch(r"\d{4}").all()
    assert 120 <= frame["mcc"].nunique() <= 130


def test_a_month_without_merchants_is_refused_and_never_given_one_blank_merchant(
    city: Statements,
) -> None:
    assert "no column for merchant" in of(city, NO_MERCHANTS).refused
    assert (city.transactions["merchant"] != "").all()
    with pytest.raises(ColumnsUnknown) as caught:
        read_statements([DATA / "birmingham" / NO_MERCHANTS], CHOICES)
    assert list(caught.value.missing) == ["merchant"]


def test_one_statement_under_two_names_or_forms_is_counted_once(city: Statements) -> None:
    assert {r.file for r in city.reports if r.refused} == {*TWICE, NO_MERCHANTS}
    for name, first in TWICE.items():
        assert first in of(city, name).refused


@pytest.mark.parametrize("name", [name for name in TWICE if name.endswith(".csv")])
def test_the_text_and_the_workbook_of_a_month_hold_the_same_payments(name: str) -> None:
    columns = ["date", "amount_pence", "merchant", "holder_id"]
    forms = [
        read_statements([DATA / "birmingham" / file], CHOICES).transactions[columns]
        for file in (name, TWICE[name])
    ]
    text, book = (Counter(form.itertuples(index=False, name=None)) for form in forms)
    assert text == book


def test_a_blank_last_row_and_an_odd_byte_do_not_spoil_the_text_of_may_2017() -> None:
    (report,) = read_statements(
        [DATA / "birmingham" / "purchase-card-transactions-201705.csv"], CHOICES
    ).reports
    assert facts(report) == RUN_FILES[TWICE[report.file]]
    assert report.blank == 1
    assert {"text encoding cp1252", "cells separated by semicolons"} <= set(report.decisions)


def test_a_weekend_loaded_twice_is_marked_and_kept(run: Statements) -> None:
    frame = run.transactions
    days = ["2017-11-17", "2017-11-18", "2017-11-19"]
    marked = frame[frame["day_doubled"]]
    assert sorted({str(day.date()) for day in marked["date"]}) == days
    assert len(marked) == 541
    notes = of(run, f"{CITY}spend-november-2017-all-directorates.xls").notes
    assert any(all(day in note for day in days) for note in notes)


# A count to check a first split rule against ----------------------------------------------------


def group_counts(frame: pd.DataFrame, pounds: list[int]) -> list[int]:
    """Count the groups of one holder, merchant and day that pass a limit only together."""
    charges = frame[frame["amount_pence"] > 0]
    merchant = charges["merchant"].str.upper().str.split().str.join(" ")
    groups = charges["amount_pence"].groupby([charges["holder_id"], merchant, charges["date"]])
    found = groups.agg(["size", "max", "sum"])
    return [
        int(((found["size"] > 1) & (found["max"] <= limit) & (found["sum"] > limit)).sum())
        for limit in (100 * pound for pound in pounds)
    ]


def test_same_day_groups_come_to_the_known_counts(devon: Statements, run: Statements) -> None:
    frame = run.transactions
    equal = frame.groupby(["date", "merchant", "amount_pence", "holder_id"])["row"]
    half = frame["day_doubled"] & (equal.cumcount() < equal.transform("size") // 2)
    once = frame[~half]
    assert (half.sum(), frame["amount_pence"][half].sum()) == (266, 4_481_899)
    summer = frame[
        frame["file"].isin([f"{CITY}spend-{m}-2017.xls" for m in ("may", "june-", "july")])
    ]
    assert group_counts(devon.transactions, [250, 500, 1000, 2500]) == [75, 34, 8, 1]
    assert group_counts(frame, [250, 500, 1000, 2500, 5000]) == [642, 389, 233, 457, 519]
    assert group_counts(once, [250, 500, 1000, 2500, 5000]) == [618, 382, 230, 457, 518]
    assert group_counts(summer, [500, 1000, 2500, 5000]) == [57, 18, 79, 98]


def test_same_day_groups_of_june_2014_are_not_doubled_by_its_copy(city: Statements) -> None:
    june = city.transactions[city.transactions["date"].dt.year == 2014]
    assert group_counts(june, [500, 1000, 2500, 5000]) == [25, 5, 7, 1]


def test_the_same_months_as_workbooks_and_as_text_give_the_same_alerts() -> None:
    workbooks = [f"{CITY}spend-may-2017.xls", f"{CITY}spend-june--2017.xls"]
    texts = ["purchase-card-transactions-201705.csv", "purchase-card-transactions-201706.csv"]
    lists = []
    for names in (workbooks, texts):
        read = read_statements([DATA / "birmingham" / name for name in names], CHOICES)
        made = score(read.transactions, load_policy()).lists
        alerts = [alert for lane in ("finance", "psd") for alert in made[lane].alerts]
        lists.append(
            [(a.alert_id, a.rank, a.tier, a.at_stake_pence, a.reasons[0].fact) for a in alerts]
        )
    assert len(lists[0]) > 20
    assert lists[0] == lists[1]
