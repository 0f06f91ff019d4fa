"""The quarterly report on registers: counted by hand, no name, and for nobody but psd."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from books import month

from cardwatch import services
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.registers import read_register
from cardwatch.reports.quarter import Span
from cardwatch.reports.registers import (
    RegisterFigures,
    RegisterState,
    Reviews,
    UnitState,
    few,
    registers_document,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.reports import Document
    from cardwatch.statements import ReadingChoices

    At = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]
    Bring = Callable[..., services.RegisterReceipt]

GIFTS = "Employee No,Unit,Date of offer,Donor,Accepted or declined,Value,Registered\n" + "".join(
    f"E{n % 7},Fleet,0{n}/09/2026,Osprey Joinery Ltd,{'Accepted' if n % 2 else ''},£40,09/09/2026\n"
    for n in range(1, 9)
) + ",Custody,nil return,Nil return,,,\n"  # fmt: skip
INTERESTS = (
    "Employee No,Unit,Business,Date applied,Status,Review date\n"
    "E1,Fleet,Osprey Joinery,01/02/2024,Refused,\n"
    "E2,Fleet,Nobody Known Ltd,01/02/2024,Approved,01/02/2025\n"
)
CONTRACTS = "Supplier,Reference,Start date,End date\nOsprey Joinery Ltd,C1,01/01/2026,31/12/2026\n"
PAID = [f"2026-10-{10 + n},E{n},OSPREY JOINERY LTD,4{n}.00,P{n}" for n in range(1, 7)]
QUARTER = "2026-Q4"


@pytest.fixture
def bring(at: At, tmp_path: Path, choices: ReadingChoices) -> Bring:
    """Return a function that imports some text as a register."""

    def import_text(role: str, text: str, name: str, *, days: int = 0) -> Any:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return services.import_register(at(role, days=days), read_register(path, choices))

    return import_text


def report(at: At, role: str = "psd", quarter: str = QUARTER, days: int = 0) -> Document:
    return services.report_registers(at(role, days=days), quarter, marking="OFFICIAL-SENSITIVE")


def words(document: Document) -> str:
    return json.dumps([asdict(section) for section in document.sections], ensure_ascii=False)


def points(document: Document, question: str) -> str:
    return " ".join(
        point
        for section in document.sections
        if section.title.startswith(question)
        for point in section.points
    )


def rows(document: Document, caption: str) -> dict[str, tuple[str, ...]]:
    tables = [table for section in document.sections for table in section.tables]
    return {row[0]: row[1:] for t in tables if t.caption == caption for row in t.rows}


def test_what_is_missing_is_said_by_register(at: At, read: Read) -> None:
    services.receive(at(), read(*month(9), *month(10)))
    made = report(at)
    for question in ("3.5", "3.7", "3.8", "4.6", "5.6", "5.8", "6.8"):
        assert "It cannot be answered. This register has not been uploaded: " in points(
            made, question
        ), question
    assert "Interests" not in points(made, "3.5")
    assert "Gifts and hospitality" in points(made, "3.5")
    assert rows(made, "Registers")["Gifts and hospitality"][1] == "Not uploaded"


def test_questions_are_answered_with_figures_counted_by_hand(
    at: At, read: Read, bring: Bring
) -> None:
    services.receive(at(), read(*month(9), *month(10), *PAID))
    bring("psd", GIFTS, "gifts.csv")
    bring("psd", INTERESTS, "interests.csv")
    bring("finance", CONTRACTS, "contracts.csv")
    services.check_registers_now(at())
    made = report(at)
    assert rows(made, "Registers")["Gifts and hospitality"][1:4] == (
        "24 November 2026", "8", "fewer than 5",
    )  # fmt: skip
    assert rows(made, "Entries that lack a value")["Gifts and hospitality"] == (
        "Decision", "fewer than 5",
    )  # fmt: skip
    assert "name an organisation: 8." in points(made, "3.5")
    # E1 to E6 and E1 again are paid for; the gift of nobody, E0, is not.
    assert "paid by card: 8; by the person of the entry: 7" in points(made, "3.5")
    assert "a column for donor, date, value and decision" in points(made, "3.7")
    assert "Entries without decision: fewer than 5." in points(made, "3.8")
    assert "Past their review: fewer than 5" in points(made, "5.6")
    assert "This register has not been uploaded: Absence and roster" in points(made, "5.8")
    assert "that several registers name: fewer than 5" in points(made, "6.8")
    for name in ("E1", "E2", "Osprey", "OSPREY", "Nobody Known"):
        assert name not in words(made)


def test_names_reviewed_and_waiting_are_counted_with_their_days(
    at: At, read: Read, bring: Bring
) -> None:
    services.receive(at(), read(*month(9), *month(10), *PAID))
    bring("psd", GIFTS, "gifts.csv")
    assert "have waited 10 days or less" in words(report(at, days=10))
    pair = {"organisation": "Osprey Joinery Ltd", "merchant": "OSPREY JOINERY"}
    services.decide_match(at("psd", days=4), **pair, decision="same", reason="seen the invoice")
    made = report(at, days=10)
    names = rows(made, "Names in registers beside merchants")
    assert names["Same"] == ("fewer than 5",)
    assert names["Waiting for a decision"] == ("0",)
    assert "decided in the quarter had waited 4 days or less" in words(made)
    services.decide_match(at("psd", days=5), **pair, decision="undecided", reason="by mistake")
    names = rows(report(at, days=10), "Names in registers beside merchants")
    assert (names["Same"], names["Waiting for a decision"]) == (("0",), ("fewer than 5",))
    assert rows(report(at, quarter="2026-Q3"), "Names in registers beside merchants")["Same"] == (
        "0",
    )


def test_small_units_are_counted_together_and_small_counts_are_not_shown() -> None:
    assert [few(n) for n in (0, 1, 4, 5, 1_000)] == ["0", *["fewer than 5"] * 2, "5", "1,000"]
    units = [
        UnitState(name, holders, {"gifts": gifts}, {"gifts": 1}, {"gifts": name == "Custody"})
        for name, holders, gifts in (("Fleet", 9, 7), ("Custody", 6, 0), ("Traffic", 2, 4))
    ]
    span = Span(QUARTER, "2026-10-01", "2026-11-24", is_over=False)
    kinds = ("gifts", "interests", "tenders", "contracts", "absence", "associations", "people")
    registers = {kind: RegisterState(kind, kind.title(), "Somebody") for kind in kinds}
    figures = RegisterFigures(span, registers, units, Reviews({}, (), ()), {}, 0, {})
    made = registers_document(
        figures, marking="OFFICIAL", organisation="Force", made_on="2026-11-24"
    )
    table = rows(made, "What units have recorded")
    assert table["Fleet"][:3] == ("7", "fewer than 5", "No")
    assert "Traffic" not in table
    # With two cardholders of one unit go those of the smallest other, so that they are eight.
    assert table["All others (2 units)"][:3] == ("fewer than 5", "fewer than 5", "fewer than 5")


@pytest.mark.parametrize("role", ["finance", "auditor", "admin"])
def test_nobody_else_may_make_it(at: At, role: str) -> None:
    with pytest.raises(NotAllowed):
        report(at, role)


def test_what_is_no_quarter_is_refused(at: At) -> None:
    with pytest.raises(CardwatchError, match="2026-Q3"):
        report(at, quarter="soon")


def test_finance_sees_its_own_registers_and_no_trace_of_others(
    at: At, read: Read, bring: Bring
) -> None:
    def finance_report(role: str = "finance") -> Document:
        return services.report_governance(at(role), QUARTER, marking="OFFICIAL")

    services.receive(at(), read(*month(9), *month(10), *PAID))
    before = finance_report()
    assert "This register has not been uploaded: Contracts." in points(before, "4.6")
    bring("psd", GIFTS, "gifts.csv")
    bring("psd", INTERESTS, "interests.csv")
    services.check_registers_now(at("psd"))
    assert finance_report() == finance_report("psd") == before
    bring("finance", CONTRACTS, "contracts.csv")
    services.check_registers_now(at())
    assert "Contracts: 1 entry" in points(finance_report(), "4.6")
