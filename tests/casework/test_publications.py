"""The publication of a quarter from a casebook: payments that count, by finance, recorded."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from books import KEY, lively_month, month
from typer.testing import CliRunner

from cardwatch import services
from cardwatch.cli import app
from cardwatch.errors import CardwatchError, FileFaulty, NotAllowed
from cardwatch.reports.pack import check_pack
from cardwatch.reports.publication import Redactions, read_redactions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

NONE = Redactions({})


def _publish(context: services.ServiceContext, quarter: str = "2026-Q3") -> Any:
    return services.publish_quarter(context, quarter, NONE, threshold_pounds=500)


def test_payments_that_count_are_published_once(at: Context, read: Read) -> None:
    services.receive(at(), read(*lively_month(8)), is_history=True)
    services.receive(at(), read(*lively_month(8)[:-2], *month(9)))
    services.receive(at(organisation="Other Force"), read(*lively_month(9)), is_history=True)
    publication = _publish(at())
    assert [row[3] for row in publication.rows] == ["900.00", "950.00"]
    event = services.audit_events(at(), lane="finance", last=1)[0]
    assert (event["action"], event["object"], event["id"], event["counts"]) == (
        "disclosure", "publication", "2026-Q3", {"payments": 2, "redacted": 0},
    )  # fmt: skip


def test_what_cannot_be_published_is_refused(at: Context, read: Read) -> None:
    services.receive(at(), read(*lively_month(10)), is_history=True)
    for role in ("auditor", "psd", "admin"):
        with pytest.raises(NotAllowed):
            _publish(at(role))
    for quarter, words in (
        ("2026-Q4", "not over"), ("2026-Q3", "No payment"), ("soon", "not a period"),
    ):  # fmt: skip
        with pytest.raises(CardwatchError, match=words):
            _publish(at(), quarter)


def test_the_command_refuses_a_faulty_list_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDWATCH_HOME", str(tmp_path / "home"))
    (tmp_path / "r.toml").write_text("redact = 1", encoding="utf-8")
    out = str(tmp_path / "q3.csv")
    arguments = ["publish", "2026-Q3", "--redactions", str(tmp_path / "r.toml"), "--out", out]
    with pytest.raises(FileFaulty):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert not (tmp_path / "q3.csv").exists()


@pytest.mark.usefixtures("received_january")
def test_the_command_writes_the_file(tmp_path: Path) -> None:
    answers = tmp_path / "q1.zip"
    ran = CliRunner().invoke(app, ["publish", "2026-Q1", "--out", str(answers)])
    assert ran.exit_code == 0, ran.output
    assert zipfile.is_zipfile(answers)
    assert CliRunner().invoke(app, ["publish", "2026-Q1", "--out", "x.pdf"]).exit_code == 2
    out, listed = tmp_path / "q1.csv", tmp_path / "r.toml"
    listed.write_text('[[leave_out]]\ncard_last4 = "9999"\n', encoding="utf-8")
    command = ["publish", "2026-Q1", "--redactions", str(listed), "--out", str(out)]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0, ran.output
    assert "Fits no payment of 2026-Q1: 9999" in ran.output
    assert "Read it before you publish it" in ran.output
    assert out.read_text(encoding="utf-8-sig").startswith('"Date","Department"')


def test_answers_leave_operational_payments_out(at: Context, read: Read, tmp_path: Path) -> None:
    """Totals with and without a card would tell what was bought with it."""
    shops = ("AXLE LTD", "BIRCH LTD", "CORN LTD")
    rows = [
        f"2026-08-{1 + n % 28:02},E{n % 11},{shops[n % 3]},{200 + n}.00,R{n}" for n in range(120)
    ]
    covert = [f"2026-08-{1 + n:02},COVERT1,SAFE HOUSE LETS,40000.00,C{n}" for n in range(12)]
    services.receive(at(), read(*rows, *covert), is_history=True)
    listed = read_redactions(
        '[[leave_out]]\nholder = "COVERT1"\n[[redact]]\nmerchant = "BIRCH"\nreason = "safety"\n',
        "r.toml",
    )
    publication, pack = services.answer_requests(
        at(), "2026-Q3", listed, threshold_pounds=250, key=KEY
    )
    (tmp_path / "answers.zip").write_bytes(pack)
    assert check_pack(tmp_path / "answers.zip", KEY.public_key())["period"] == "2026-Q3"
    with zipfile.ZipFile(io.BytesIO(pack)) as files:
        text = files.read("answers.txt").decode()
        everything = b"".join(map(files.read, files.namelist()))
    assert publication.withheld == 12
    assert "About 120 purchases came to about £31,000." in text
    assert "About 10 cardholders" in text
    assert "Redacted: safety\t40\t" in text
    for secret in (b"SAFE HOUSE", b"COVERT1", b"BIRCH", b"E10"):
        assert secret not in everything, secret
    event = services.audit_events(at(), lane="finance", last=1)[0]
    assert (event["action"], event["object"], event["id"]) == (
        "disclosure", "answer pack", "2026-Q3",
    )  # fmt: skip


def test_few_people_are_in_no_figure(at: Context, read: Read) -> None:
    services.receive(at(), read(*lively_month(8)), is_history=True)
    _, pack = services.answer_requests(at(), "2026-Q3", NONE, threshold_pounds=500, key=KEY)
    with zipfile.ZipFile(io.BytesIO(pack)) as files:
        text = files.read("answers.txt").decode()
    assert "cardholders made" not in text
    assert text.count("too few") >= 4


def test_a_financial_year_is_published(at: Context, read: Read) -> None:
    services.receive(at(days=200), read(*lively_month(3), *lively_month(4)), is_history=True)
    rows = _publish(at(days=200), "2026/27").rows
    assert {row[0][:7] for row in rows} == {"2026-04"}
    assert {row[0][:7] for row in _publish(at(), "2025/26").rows} == {"2026-03"}
    for period, words in (("2025/27", "not a period"), ("2026/27", "not over")):
        with pytest.raises(CardwatchError, match=words):
            _publish(at(), period)


@pytest.mark.parametrize("pounds", [-1, 1_000_001])
def test_a_sum_out_of_bounds_is_refused(at: Context, read: Read, pounds: int) -> None:
    services.receive(at(), read(*lively_month(8)), is_history=True)
    with pytest.raises(CardwatchError, match="whole pounds"):
        services.publish_quarter(at(), "2026-Q3", NONE, threshold_pounds=pounds)
