"""The publication of a quarter from a casebook: payments that count, by finance, recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import lively_month, month
from typer.testing import CliRunner

from cardwatch import services
from cardwatch.cli import app
from cardwatch.errors import CardwatchError, FileFaulty, NotAllowed
from cardwatch.reports.publication import Redactions

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
        ("2026-Q4", "not over"), ("2026-Q3", "No payment"), ("soon", "not a quarter"),
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


def test_the_command_writes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Read
) -> None:
    monkeypatch.setenv("CARDWATCH_HOME", str(tmp_path / "home"))
    new = ["people", "a@x.example", "--name", "a", "--role", "finance", "--no-card",
           "--new-organisation", "Saltmarsh Vale"]  # fmt: skip
    assert CliRunner().invoke(app, new).exit_code == 0
    read(*lively_month(1), name="january.csv")
    received = CliRunner().invoke(app, ["receive", str(tmp_path / "january.csv"), "--history"])
    assert received.exit_code == 0, received.output
    out = tmp_path / "q1.csv"
    ran = CliRunner().invoke(app, ["publish", "2026-Q1", "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    assert "Read it before you publish it" in ran.output
    assert out.read_text(encoding="utf-8-sig").startswith('"Date","Department"')
