"""Equality monitoring from a casebook: a planted bias is named, and no file and no psd shows."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, month

from cardwatch import services
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.errors import CardwatchError, FileRefused, NotAllowed
from cardwatch.registers import read_groups
from cardwatch.statements import ReadingChoices, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.registers import GroupFile
    from cardwatch.reports import Document

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
POLICY = b"[[single_purchase]]\nfrom = 2020-01-01\npounds = 1000\n"
OFFICERS = 60
"""The first of 120 cardholders, each with as many payments as the others."""


def _statement() -> list[str]:
    """Return a month in which half of the officers, and a fifth of the others, pass the limit."""
    ordinary = [
        f"2026-10-{1 + (7 * n + k) % 27:02},H{n:03},SHOP {k % 5},"
        f"{20 + (n + k) % 9}.{(n + 13 * k) % 100:02},O{n}x{k}"
        for n in range(2 * OFFICERS)
        for k in range(8)
    ]
    over = [
        f"2026-10-{3 + n % 20:02},H{n:03},SUPPLIER {n},{1200 + n}.00,S{n}"
        for n in (*range(0, OFFICERS, 2), *range(OFFICERS, 2 * OFFICERS, 5))
    ]
    return [*ordinary, *over, *EQUAL]


def _groups(path: Path, *, is_random: bool = False) -> GroupFile:
    """Return a file of groups: post, which goes with the splits, and sex, which does not."""
    posts = ["Officer"] * OFFICERS + ["Staff"] * OFFICERS
    if is_random:
        random.Random(3).shuffle(posts)
    lines = [f"h{n:03},{post},{'FM'[(n // 2) % 2]},Surname{n}" for n, post in enumerate(posts)]
    path.write_text("\n".join(["Staff Number,Post,Sex,Surname", *lines]), encoding="utf-8")
    return read_groups(path, CHOICES)


def _words(document: Document) -> str:
    return json.dumps(asdict(document), ensure_ascii=False)


@pytest.fixture
def year(at: Context, read: Read) -> Context:
    """Give a casebook with a month in which half of the officers are asked about."""
    services.activate_document(at(), "policy", POLICY, effective_from="2020-01-01")
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*_statement(), name="october.csv"))
    return at


def test_a_planted_bias_is_named_and_no_person(year: Context, tmp_path: Path) -> None:
    document = services.report_equality(
        year("auditor"), "2026-Q4", _groups(tmp_path / "groups.csv"), marking="OFFICIAL"
    )
    short = document.sections[0].points
    assert any(point.startswith("Post, Officer: more than others") for point in short), short
    assert not any(point.startswith("Sex") and "than others" in point for point in short)
    words = _words(document).casefold()
    for name in ("h000", "surname1", "supplier 1", "shop"):
        assert name not in words.replace("the column 'surname' was not used", "")


def test_groups_dealt_at_random_show_no_difference(year: Context, tmp_path: Path) -> None:
    groups = _groups(tmp_path / "groups.csv", is_random=True)
    document = services.report_equality(year("auditor"), "2026-Q4", groups, marking="OFFICIAL")
    assert any("No difference beyond chance" in one for one in document.sections[0].points)
    _check_not_kept(year, groups, tmp_path)


def _check_not_kept(year: Context, groups: GroupFile, folder: Path) -> None:
    """Check that of a file the newest event keeps hash and headings, and nothing keeps a group."""
    event = services.audit_events(year("auditor"), lane="finance", last=1)[0]
    assert (event["object"], event["id"]) == ("equality", groups.sha256)
    assert event["purpose"] == "2026-Q4; Staff Number; Post; Sex"
    year().casebook.checkpoint_wal()
    for file in folder.glob("casebook.db*"):
        assert b"Officer" not in file.read_bytes(), file


def _check_roles(year: Context, groups: GroupFile) -> None:
    """Check that the auditor alone compares groups of people."""
    for role in ("finance", "psd", "admin"):
        with pytest.raises(NotAllowed):
            services.report_equality(year(role), "2026-Q4", groups, marking="OFFICIAL")
    units = services.report_equality(year("finance"), "2026-Q4", marking="OFFICIAL")
    assert "Unit" in _words(units)
    with pytest.raises(NotAllowed):
        services.report_equality(year("admin"), "2026-Q4", marking="OFFICIAL")


def test_nothing_of_professional_standards_is_in_it(year: Context, tmp_path: Path) -> None:
    """A pair of worlds: psd's alerts are confirmed in one and untouched in the other."""
    groups = _groups(tmp_path / "groups.csv")
    _check_roles(year, groups)

    def answers() -> list[Document]:
        return [
            services.report_equality(year(role), "2026-Q4", file, marking="OFFICIAL")
            for role, file in (("auditor", groups), ("auditor", None), ("psd", None))
        ]

    before = answers()
    alerts = services.list_alerts(year("psd"), services.AlertFilter(lane="psd"))
    assert alerts
    for alert in alerts:
        services.decide(year("psd"), alert["alert_id"], DecisionInput("seen", "confirmed"))
    assert answers() == before


def test_queries_and_answers_are_counted(year: Context, tmp_path: Path) -> None:
    for n, alert in enumerate(services.list_alerts(year("finance"))):
        services.decide(year(), alert["alert_id"], DecisionInput("so", "asked"))
        state = "policy-breach" if n % 2 else "explained"
        services.decide(year(), alert["alert_id"], DecisionInput("so", state))
    groups = _groups(tmp_path / "groups.csv", is_random=True)
    document = services.report_equality(year("auditor"), "2026-Q4", groups, marking="OFFICIAL")
    tables = {table.caption: table for section in document.sections for table in section.tables}
    upheld = tables["Answered alerts that were upheld, by sex"]
    assert upheld.rows == () or all("%" in row[3] for row in upheld.rows)
    assert "Alerts about which somebody was asked, by post" in tables


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Badge,Sex\n1,F\n2,M\n", "no_cardholder_column"),
        ("Staff Number,Sex\nE1,F\nE2,F\n", "no_group_column"),
    ],
)
def test_a_file_without_people_or_groups_is_refused(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        read_groups(path, CHOICES)
    assert refused.value.code == code


def test_contradicting_rows_state_no_group(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("Staff Number,Sex\nE1,F\ne1,M\nE2,F\nE3,M\n", encoding="utf-8")
    read = read_groups(path, CHOICES)
    assert read.groups["Sex"].to_dict() == {"e1": "", "e2": "F", "e3": "M"}
    assert "contradict" in read.notes[0]


def test_a_quarter_to_come_is_refused(at: Context) -> None:
    with pytest.raises(CardwatchError, match="has not begun"):
        services.report_equality(at("auditor"), "2027-Q1", marking="OFFICIAL")
