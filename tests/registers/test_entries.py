"""Registers of nine kinds are read as forces keep them, row by row, and nothing forbidden stays."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from cardwatch.errors import CardwatchError, FileFaulty, FileRefused, RegisterUnknown
from cardwatch.registers import (
    FIELD_TYPES,
    chosen_profile,
    guessed_columns,
    parse_register_profile,
    read_register,
    read_registers,
    register_kind,
    register_kinds,
    register_profile_text,
    register_profile_toml,
    register_quality,
    template_text,
)
from cardwatch.registers.entries import choice_in, clock_seconds, company_number, pence_in
from cardwatch.statements import ReadingChoices, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import Register

    Read = Callable[..., Register]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
GIFTS = "Employee No,Department,Date of offer,Donor,Details,Accepted or declined,Value,Registered\n"
MESSY = (
    "Gifts register 2026,,,,,,,\n"
    + GIFTS
    + "E 1,Fleet,03/10/2026,Osprey Joinery Ltd,Lunch,Accepted,£40,2026-10-05\n"
    + 'E2,Fleet,14/10/2026,,"lunch with Osprey plc, est. £30, declined",Declined,est. £30,\n'
    + ",Stores,,Nil return,,,,\n"
    + "E3,Stores,31/13/2026,Foo Ltd,Cup,No,Value Unknown,\n"
    + "E4,Stores,20/10/2026,,,Yes,£5,\n"
    + ",,,,,,,\n"
)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that writes a text and reads it as a register."""

    def read_text(text: str, name: str = "gifts.csv", **options: Any) -> Register:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return read_register(path, CHOICES, **options)

    return read_text


def test_an_entry_that_no_day_lets_count_is_noted(read: Read) -> None:
    """A refused interest without a day was read, and never compared with a payment."""
    rows = "E1,Osprey,Refused,\nE2,Kestrel,Refused,2026-01-02\n"
    text = f"Employee No,Business,Decision,Date applied\n{rows}"
    notes = read(text, "interests.csv").reports[0].notes
    assert "1 row is not used by any rule: no day says since when" in notes


def test_a_card_statement_is_no_register_of_people(read: Read) -> None:
    """Its cardholders and cost centres would be taken for staff and their units."""
    with pytest.raises(FileRefused) as refused:
        read(
            "Date,Employee ID,Cost Centre,Merchant,Amount\n2026-10-01,E1,Fleet,SHOP,5.00\n",
            "october.csv",
        )
    assert refused.value.code == "statement"


def test_every_row_of_a_messy_register_is_in_one_place(read: Read) -> None:
    register = read(MESSY)
    report = register.reports[0]
    assert report.reconciles
    assert (report.rows, report.entries, report.nil_returns, report.blank) == (6, 2, 1, 1)
    assert [(p.row, p.column, p.code) for p in report.problems] == [
        (6, "Date of offer", "bad_day"),
        (7, "Donor", "missing"),
    ]
    assert register.nil_units == ("Stores",)
    entries = register.entries
    assert entries["employee_id"].tolist() == ["e1", "e2"]
    assert entries["decision"].tolist() == ["accepted", "declined"]
    assert entries["value"].tolist() == [4_000, 3_000]
    assert [str(day.date()) for day in entries["true_from"]] == ["2026-10-03", "2026-10-14"]
    assert [str(day.date()) for day in entries["known_on"]] == ["2026-10-05", "2026-10-14"]


def test_an_entry_without_a_day_of_recording_is_known_from_its_version_on(read: Read) -> None:
    register = read(MESSY, known_from=dt.date(2026, 11, 2))
    assert [str(day.date()) for day in register.entries["known_on"]] == ["2026-10-05", "2026-11-02"]


def test_an_entry_in_two_versions_is_known_from_the_earlier(tmp_path: Path) -> None:
    row = "E1,Fleet,03/10/2026,Osprey Ltd,Lunch,Accepted,£40,"
    for name, day in (("gifts 1.csv", "05/10/2026"), ("gifts 2.csv", "06/11/2026")):
        text = GIFTS.replace("Registered", "Date entered") + row + day + "\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    [register] = read_registers(sorted(tmp_path.iterdir()), CHOICES)
    assert len(register.reports) == 2
    assert len(register.entries) == 2, "the days of recording differ, so these are two entries"
    later = GIFTS + row.replace("£40", "£45") + "\n"
    (tmp_path / "gifts 2.csv").write_text(GIFTS + row + "\n" + later.split("\n")[1] + "\n")
    (tmp_path / "gifts 1.csv").write_text(GIFTS + row + "\n")
    [register] = read_registers(sorted(tmp_path.iterdir()), CHOICES)
    assert register.entries["value"].tolist() == [4_000, 4_500]
    assert register.entries["file"].tolist() == ["gifts 1.csv", "gifts 2.csv"]


@pytest.mark.parametrize(
    "heading",
    ["National Insurance No", "NI Number", "Date of Birth", "DOB", "Gross pay to date", "Sort code",
     "Bank account", "Passport number", "Sex", "Home telephone number", "Post code", "D.O.B.",
     "N.I. No"],
)  # fmt: skip
def test_no_register_takes_a_forbidden_column(read: Read, heading: str) -> None:
    text = f"Employee No,Name,{heading},Unit,Date started\nE1,Ann Roe,SECRET,Fleet,01/02/2020\n"
    register = read(text, "people.csv")
    assert heading in register.reports[0].dropped
    assert "SECRET" not in register.entries.to_csv()
    assert "SECRET" not in repr(register.reports)


@pytest.mark.parametrize("heading", ["Absence reason", "Type of absence", "Comments", "Diagnosis"])
def test_the_reason_of_an_absence_is_dropped_and_said_so(read: Read, heading: str) -> None:
    text = f"Employee No,From,To,{heading}\nE1,01/10/2026,03/10/2026,SECRET\n"
    register = read(text, "absence.csv")
    assert register.reports[0].dropped == {
        heading: "only the days of an absence are used, never the reason"
    }
    assert "SECRET" not in register.entries.to_csv()


def test_problems_name_the_place_and_never_the_person(read: Read) -> None:
    with pytest.raises(RegisterUnknown, match="Donor"):
        read("Employee No,Date of offer\nE1,01/10/2026\n", kind="gifts")
    report = read(MESSY).reports[0]
    assert "Foo" not in repr(report.problems)


def test_a_file_that_is_no_register_or_not_there_is_refused(read: Read, tmp_path: Path) -> None:
    with pytest.raises(RegisterUnknown, match="say which it is") as refused:
        read("Colour,Shape\nred,round\n", "shapes.csv")
    assert "docs/register-layouts.md" in str(refused.value)
    with pytest.raises(FileRefused, match="no such file"):
        read_register(tmp_path / "none.csv", CHOICES)
    with pytest.raises(CardwatchError, match="Choose one of absence"):
        register_kind("pets")


def test_last_day_before_the_first_is_a_problem(read: Read) -> None:
    text = "Employee No,From,To\nE1,03/10/2026,01/10/2026\nE2,01/10/2026,31/10/2026\n"
    report = read(text, "absence.csv").reports[0]
    assert [(p.row, p.code) for p in report.problems] == [(2, "turned")]


@pytest.mark.parametrize("kind", register_kinds().values(), ids=lambda kind: kind.kind)
def test_a_filled_template_is_read_as_its_register(read: Read, kind: Any) -> None:
    values = {"day": "02/03/2026", "moment": "02/03/2026 10:15", "money": "£5", "code": "E1"}
    values |= {"company": "1234567", "choice": "Approved", "organisation": "Osprey Joinery Ltd"}
    row = ",".join(values.get(field.kind, "Ann Roe") for field in kind.fields)
    register = read(template_text(kind) + row + "\n", f"{kind.file_names[0]}.csv")
    assert register.kind == kind.kind
    assert len(register.entries) == 1, register.reports[0].problems
    assert register.reports[0].unused == ()


def test_workbooks_give_days_and_times(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Payment reference", "Approver No", "Approved at"])
    sheet.append(["T1", "E9", dt.datetime(2026, 10, 31, 17, 58, 4)])  # noqa: DTZ001  a cell
    book.save(tmp_path / "approvals.xlsx")
    register = read_register(tmp_path / "approvals.xlsx", CHOICES)
    assert str(register.entries["approved_at"][0]) == "2026-10-31 17:58:04"


def test_every_field_has_a_type_and_no_heading_stands_in_two_fields_of_a_register() -> None:
    for kind in register_kinds().values():
        headings = [h.casefold() for field in kind.fields for h in field.headings]
        assert all(field.kind in FIELD_TYPES and field.meaning for field in kind.fields)
        assert len(headings) == len(set(headings)), kind.kind
        assert kind.lane in {"finance", "psd"}
        assert not any(kind.dropped_because(heading) for heading in headings), kind.kind


@pytest.mark.parametrize(
    ("text", "pence"),
    [("£50", 5_000), ("50", 5_000), ("£15.00", 1_500), ("Value Unknown", 0), ("£10 - £20", 2_000),
     ("est. £30", 3_000), ("approx 12.50 each", 1_250), ("", 0), ("Above limit", 0)],
)  # fmt: skip
def test_values_are_read_as_people_write_them(text: str, pence: int) -> None:
    assert pence_in(text, ".") == pence


def test_small_readers_of_cells() -> None:
    assert company_number("123456") == "00123456"
    assert company_number("sc 123456") == "SC123456"
    assert company_number("n/a") == ""
    assert clock_seconds("31/10/2026 5:58 pm") == 17 * 3600 + 58 * 60
    assert clock_seconds("45961.5") == 43_200
    assert clock_seconds("31/10/2026") == 0
    choices = register_kind("gifts").field("decision").choices
    told = ["Not accepted", "Accepted", "N", "", "see letter"]
    assert [choice_in(text, choices) for text in told] == [
        "declined", "accepted", "declined", "", "unknown",
    ]  # fmt: skip


def test_quality_counts_gaps_late_entries_overdue_reviews_and_silent_units(read: Read) -> None:
    register = read(MESSY)
    on = register.entries["known_on"].max()
    quality = register_quality(register, on, ["Fleet", "Stores", "Dogs"])
    assert quality.gaps == {"organisation": 1}
    assert quality.silent_units == ("Dogs",)
    assert (quality.nil_returns, quality.rows_unreadable) == (1, 2)
    text = "Staff Number,Business,Decision,Date applied,Review due,Date recorded\n"
    rows = "E1,Yoga,Approved,01/01/2025,01/01/2026,01/06/2025\nE2,Bees,Refused,01/02/2025,,\n"
    interests = read(text + rows, "interests.csv")
    quality = register_quality(interests, on)
    assert (quality.reviews_overdue, quality.late_entries) == (1, 1)


def test_a_nil_return_in_the_column_of_the_decision_is_one(read: Read) -> None:
    register = read(GIFTS + "E9,Fleet,,,,Nil return,,\nE8,Fleet,03/10/2026,Osprey Ltd,,None,,\n")
    assert (register.reports[0].nil_returns, register.reports[0].entries) == (1, 1)
    assert register.nil_units == ("Fleet",)


@pytest.mark.parametrize(
    ("text", "is_nil"),
    [
        ("Nil return - nothing to declare", True),
        ("NIL", True),
        ("Nothing to declare this quarter.", True),
        ("No declarations", True),
        ("No gifts or hospitality received", True),
        ("None to report", True),
        ("No gifts accepted", True),
        ("No gifts or hospitality offered or accepted this quarter", True),
        ("No offers of gifts or hospitality", True),
        ("No interests to register", True),
        ("Nil cost lunch with Osprey plc", False),
        ("No gift accepted, lunch with Osprey plc declined", False),
        ("None Such Antiques Ltd", False),
        ("Nothing But Cakes Ltd", False),
    ],
)
def test_a_nil_return_is_told_from_an_offer(read: Read, text: str, *, is_nil: bool) -> None:
    register = read(GIFTS + f'E1,Fleet,03/10/2026,"{text}",,,,\n')
    assert register.reports[0].nil_returns == is_nil
    assert len(register.entries) == (not is_nil)


def test_a_heading_of_two_lines_is_printed_in_one(read: Read) -> None:
    register = read(
        'Employee No,"Date\nof offer",Donor\nE1,,Osprey Ltd\nE2,03/10/2026,Osprey Ltd\n'
    )
    assert register.reports[0].columns["offered_on"] == "Date of offer"
    assert [problem.column for problem in register.reports[0].problems] == ["Date of offer"]


STRANGE = (
    "Force register,,,,,\n"
    "Ref,Who was it,When made,By whom,Taken or not,D.O.B.\n"
    "1,E1,03/10/2026,Osprey Ltd,Accepted,SECRET\n"
)
CHOSEN = {"employee_id": "Who was it", "offered_on": "When made", "organisation": "By whom",
          "decision": "Taken or not"}  # fmt: skip
HEADINGS = STRANGE.splitlines()[1].split(",")


def test_columns_that_somebody_states_are_used_for_exactly_those_headings(read: Read) -> None:
    with pytest.raises(RegisterUnknown) as refused:
        read(STRANGE)
    assert (refused.value.kind, refused.value.headings) == ("gifts", tuple(HEADINGS))
    profile = chosen_profile("gifts", HEADINGS, CHOSEN)
    profile = parse_register_profile(register_profile_toml(profile), "columns")
    register = read(STRANGE, "anything.csv", profiles=[profile])
    assert register.kind == "gifts"
    assert register.entries["organisation"].tolist() == ["Osprey Ltd"]
    assert register.entries["decision"].tolist() == ["accepted"]
    assert "SECRET" not in register.entries.to_csv()
    with pytest.raises(RegisterUnknown):
        read(STRANGE.replace("Ref,", "Reference,"), profiles=[profile])
    with pytest.raises(RegisterUnknown):
        read(STRANGE, kind="interests", profiles=[profile])


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        (STRANGE.replace("Ref,", "Reference,"), "", "the file has no 'ref'; it does not know"),
        (STRANGE, "interests", "for the register of gifts, not of interests"),
        # Its headings are known, so that it could be read; not by the columns that were stated.
        (
            "Employee No,Date of offer,Donor,Decision\nE1,03/10/2026,Osprey,No\n",
            "",
            "the file has no",
        ),
    ],
)
def test_a_profile_that_was_given_and_fits_no_file_is_told_of(
    read: Read, text: str, kind: str, why: str
) -> None:
    profile = chosen_profile("gifts", HEADINGS, CHOSEN)
    with pytest.raises(FileRefused, match=why) as refused:
        read(text, kind=kind, profiles=[profile], given_count=1)
    assert refused.value.code == "profile_unused"


def test_of_several_files_a_profile_has_to_fit_one(tmp_path: Path) -> None:
    profile = chosen_profile("gifts", HEADINGS, CHOSEN)
    (tmp_path / "gifts.csv").write_text(STRANGE, encoding="utf-8")
    (tmp_path / "absence.csv").write_text("Employee No,From,To\n", encoding="utf-8")
    paths = [tmp_path / "absence.csv", tmp_path / "gifts.csv"]
    read_both = read_registers(paths, CHOICES, profiles=[profile], given_count=1)
    assert [register.kind for register in read_both] == ["absence", "gifts"]
    with pytest.raises(FileRefused, match=r"absence\.csv"):
        read_registers(paths[:1], CHOICES, profiles=[profile], given_count=1)


def test_a_remembered_profile_that_nearly_fits_is_told_of(read: Read) -> None:
    """Of a file that is read by known headings: a column was added to it."""
    headings = ["Employee No", "Date of offer", "Donor", "Decision", "Remark"]
    chosen = {"employee_id": "Employee No", "offered_on": "Date of offer", "organisation": "Donor",
              "decision": "Remark"}  # fmt: skip
    profile = chosen_profile("gifts", headings, chosen)
    register = read(",".join([*headings, "Seen"]) + "\nE1,03/10/2026,Osprey,No,x,y\n",
                    profiles=[profile])  # fmt: skip
    assert [d for d in register.reports[0].decisions if "it does not know 'Seen'" in d]
    far = chosen_profile("gifts", HEADINGS, CHOSEN)
    register = read(",".join(headings) + "\nE1,03/10/2026,Osprey,No,x\n", profiles=[far])
    assert not [d for d in register.reports[0].decisions if "not used" in d]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"offered_on": ""}, "Choose the column for 'Date offered'"),
        ({"decision": "By whom"}, "already chosen"),
        ({"decision": "Colour"}, "no column 'Colour'"),
        ({"value": "D.O.B."}, "never taken"),
        ({"salary": "Ref"}, "no field 'salary'"),
    ],
)
def test_columns_that_cannot_be_are_refused(change: dict[str, str], told: str) -> None:
    with pytest.raises(CardwatchError, match=told):
        chosen_profile("gifts", HEADINGS, CHOSEN | change)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("register = 'pets'\nrecognise = []\n[columns]\n", "register must be one of"),
        ("register = 'gifts'\nrecognise = 1\n[columns]\n", "recognise must be"),
        ("register = 'gifts'\nrecognise = []\ncolumns = 1\n", "must be a table"),
        ("register = 'gifts'\nrecognise = []\nx = 1\n[columns]\n", "unknown setting 'x'"),
        ("register = 'gifts'\nrecognise = ['A']\n[columns]\nperson = 'B'\n", "no column 'B'"),
        ("register = [", "not valid TOML"),
    ],
)
def test_a_profile_with_faults_names_them(text: str, told: str) -> None:
    with pytest.raises(FileFaulty, match=told):
        parse_register_profile(text, "columns")


def test_columns_are_guessed_by_like_headings_and_none_twice() -> None:
    headings = ["Ref", "Staff member", "Dept.", "Date Offer Made",
                "Details of Offer / Organisation", "Accepted or Declined?", "Approx Value",
                "Bank account"]  # fmt: skip
    guesses = guessed_columns(register_kind("gifts"), headings)
    assert guesses["offered_on"] == "Date Offer Made"
    assert guesses["details"] == "Details of Offer / Organisation"
    assert guesses["value"] == "Approx Value"
    assert len(set(guesses.values())) == len(guesses)
    assert "Bank account" not in guesses.values()
    text = register_profile_text(register_kind("gifts"), headings)
    assert 'Headings not used yet: "Ref"' in text
