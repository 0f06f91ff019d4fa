"""Facts without names: their sums are the casebook's, and nobody is named in any file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest
from books import lively_month, month
from typer.testing import CliRunner

from cardwatch import services
from cardwatch.casebook import FINANCE
from cardwatch.casebook.report_queries import read_spending
from cardwatch.cli import app
from cardwatch.errors import CardwatchError, NotAllowed, NothingToScore
from cardwatch.reports.facts import (
    FACT_ALERT_COLUMNS,
    FACT_PAYMENT_COLUMNS,
    facts_files,
    make_facts,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

GIVEN = {"purpose": "finance-assurance", "recipient": "Finance dashboard"}
TABLES = ("alerts", "categories", "dates", "payments", "units")


def _all(folder: Path, question: str, form: str = "parquet") -> list[tuple[Any, ...]]:
    """Return what duckdb answers; `payments` in braces is the table of that name."""
    files = {name: f"'{folder}/{name}.{form}'" for name in TABLES}
    with duckdb.connect() as connection:
        return connection.execute(question.format(**files)).fetchall()


@pytest.fixture
def exported(at: Context, read: Read, tmp_path: Path) -> Path:
    """Give the facts of two months that overlap, and of no other force."""
    refund = "2026-10-13,E1,NEW FIRM,-50.00,S3"
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(9)[:4], *lively_month(10), refund))
    services.receive(at(organisation="Other Force"), read(*lively_month(8)))
    folder = tmp_path / "facts"
    services.export_facts(at(), str(folder), **GIVEN)
    return folder


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_sums_are_the_casebooks(at: Context, exported: Path, form: str) -> None:
    by_month = _all(
        exported,
        "SELECT d.month, sum(cast(p.amount_pounds AS DECIMAL(14, 2)) * 100)::BIGINT, count(*) "
        "FROM {payments} p JOIN {dates} d USING (date) JOIN {categories} USING (category_key) "
        "JOIN {units} USING (unit_key) GROUP BY 1 ORDER BY 1",
        form,
    )
    person = at()
    with person.casebook.unaudited(person.actor, person.now, lanes=(FINANCE,), reads=True) as uow:
        payments = read_spending(uow, "0001-01-01", "9999-12-31")
    kept = payments.groupby(payments["date"].str[:7])["amount_pence"].agg(["sum", "count"])
    assert by_month == [(name, row["sum"], row["count"]) for name, row in kept.iterrows()]
    assert len(by_month) == 2
    listed = services.list_alerts(at(), services.AlertFilter(lane=FINANCE))
    (sums,) = _all(
        exported,
        "SELECT count(*), sum(cast(at_stake_pounds AS DECIMAL(14, 2)) * 100)::BIGINT FROM {alerts}",
        form,
    )
    assert sums == (len(listed), sum(alert["at_stake_pence"] for alert in listed))
    assert listed


def test_nobody_and_no_merchant_is_named(exported: Path) -> None:
    content = b"".join(path.read_bytes() for path in sorted(exported.glob("*.csv")))
    for name in (b"E1", b"NEW FIRM", b"SHOP", b"TRAINING", b"S101", b"R91"):
        assert name not in content, name
    (keys,) = _all(exported, "SELECT count(DISTINCT cardholder_key), count(DISTINCT merchant_key) "
                             "FROM {payments}")  # fmt: skip
    assert keys == (4, 5)
    assert sorted(path.name for path in exported.iterdir()) == sorted(
        f"{name}.{form}" for name in TABLES for form in ("csv", "parquet")
    )


def test_nothing_of_professional_standards(exported: Path, at: Context) -> None:
    psd = [
        alert["alert_id"]
        for alert in services.list_alerts(at("psd"), services.AlertFilter(lane="psd"))
    ]
    content = (exported / "alerts.csv").read_text(encoding="utf-8-sig")
    assert psd
    assert not [alert_id for alert_id in psd if alert_id in content]


def test_an_export_of_facts_is_written_down(at: Context, exported: Path) -> None:
    assert exported.exists()
    (row,) = services.list_exports(at())
    assert (row["recipient"], row["purpose"]) == ("Finance dashboard", "finance-assurance")
    events = services.audit_events(at("auditor"), lane="finance", last=5)
    assert [e["counts"]["payments"] for e in events if e["object"] == "facts"] == [31]


def test_no_alert_about_oneself(at: Context, read: Read, tmp_path: Path) -> None:
    services.receive(at(), read(*lively_month(10)))
    own = at(person=5, holder_id="E1")
    services.export_facts(own, str(tmp_path / "own"), **GIVEN)
    assert services.export_facts(at(), str(tmp_path / "all"), **GIVEN).alerts
    (count,) = _all(tmp_path / "own", "SELECT count(*) FROM {alerts}")
    assert count == (len(services.list_alerts(own, services.AlertFilter(lane=FINANCE))),)
    assert count < (len(services.list_alerts(at(), services.AlertFilter(lane=FINANCE))),)


@pytest.mark.parametrize("role", ["psd", "admin"])
def test_other_roles_export_no_facts(at: Context, read: Read, tmp_path: Path, role: str) -> None:
    services.receive(at(), read(*month(9)))
    with pytest.raises(NotAllowed):
        services.export_facts(at(role), str(tmp_path / "facts"), **GIVEN)
    assert not (tmp_path / "facts").exists()


def test_facts_need_a_purpose_and_payments(at: Context, tmp_path: Path) -> None:
    with pytest.raises(CardwatchError, match="purpose"):
        services.export_facts(at(), str(tmp_path), purpose="", recipient="X")
    with pytest.raises(NothingToScore):
        services.export_facts(at(), str(tmp_path), **GIVEN)


PAID = dict.fromkeys(FACT_PAYMENT_COLUMNS, "") | {
    "date": "2026-03-31", "kind": "purchase", "amount_pence": 1, "cardholder_key": "a",
    "merchant_key": "b",
}  # fmt: skip


def test_no_text_of_a_statement_is_a_formula() -> None:
    hostile = [PAID | {"unit": "=HYPERLINK(1)", "category": "+44", "amount_pence": -1205},
               PAID | {"cost_centre": 'C",=1', "date": "2026-04-01"}]  # fmt: skip
    files = dict(
        facts_files(make_facts(pd.DataFrame(hostile), pd.DataFrame(columns=FACT_ALERT_COLUMNS)))
    )
    rows = {
        name: list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        for name, content in files.items()
        if name.endswith(".csv")
    }
    assert {row["unit"] for row in rows["units.csv"]} == {"'=HYPERLINK(1)", "Not recorded"}
    assert {row["cost_centre"] for row in rows["units.csv"]} == {'C",=1', "Not recorded"}
    assert {row["category"] for row in rows["categories.csv"]} == {"'+44", "Not recorded"}
    assert [row["amount_pounds"] for row in rows["payments.csv"]] == ["-12.05", "0.01"]
    assert rows["alerts.csv"] == []


def test_the_calendar_is_whole() -> None:
    paid = [PAID, PAID | {"date": "2026-04-02"}]
    dates = make_facts(pd.DataFrame(paid), pd.DataFrame(columns=FACT_ALERT_COLUMNS))["dates"]
    assert (len(dates), str(dates["date"].iloc[0]), str(dates["date"].iloc[-1])) == (
        61, "2026-03-01", "2026-04-30",
    )  # fmt: skip
    by_day = dates.set_index(dates["date"].astype("str"))
    assert by_day.loc["2026-03-31", ["financial_year", "quarter", "weekday"]].to_list() == [
        "2025/26", "2026-Q1", 2,
    ]  # fmt: skip
    assert by_day.loc["2026-04-01", "financial_year"] == "2026/27"


def test_same_payments_same_files(at: Context, read: Read, tmp_path: Path) -> None:
    services.receive(at(), read(*lively_month(10)))
    for name in ("a", "b"):
        services.export_facts(at(), str(tmp_path / name), **GIVEN)
    first, again = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab"
    )
    assert first == again
    frame = pd.DataFrame([PAID | {"cardholder_key": key, "mcc": mcc} for key, mcc in
                          (("c", "5811"), ("a", "5812"), ("b", ""))])  # fmt: skip
    none = pd.DataFrame(columns=FACT_ALERT_COLUMNS)
    assert dict(facts_files(make_facts(frame, none))) == dict(
        facts_files(make_facts(frame[::-1], none))
    )


@pytest.mark.usefixtures("received_january")
def test_the_command_writes_facts(tmp_path: Path) -> None:
    command = ["casebook", "export", str(tmp_path / "facts"), "--purpose", "finance-assurance",
               "--to", "Finance dashboard", "--facts"]  # fmt: skip
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0, ran.output
    assert len(list((tmp_path / "facts").iterdir())) == 10
    assert CliRunner().invoke(app, [*command, "--parquet"]).exit_code == 2
