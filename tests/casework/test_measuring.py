"""An evaluation of an organisation's own payments: apart from the casebook, and of one's lanes."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from books import NOW, SEAL, lively_month, month

from api.schemas.jobs import Job
from cardwatch import services
from cardwatch.casebook import documents
from cardwatch.errors import CasebookFailed, NothingToScore
from cardwatch.services import evaluation_runner

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

FOUR = [
    f"2026-{number:02}-{1 + n % 27:02},H{n % 9},SHOP {n % 7},{20 + n % 61}.{n % 83:02},Y{number}{n}"
    for number in (6, 7, 8, 9)
    for n in range(210)
]
"""Four months of nine holders: just enough to be evaluated."""


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Give one database: what is measured is not asked of it."""
    return f"sqlite:///{tmp_path / 'casebook.db'}"


def _clock() -> dt.datetime:
    return NOW


def test_an_evaluation_is_done_apart_and_leaves_nothing_but_its_answer(
    at: Context, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation_runner, "SEEDS", 1)
    book, auditor = at().casebook, at("auditor")
    with pytest.raises(NothingToScore, match="No statement has been uploaded"):
        evaluation_runner.evaluate_own(auditor)
    services.receive(at(), read(*lively_month(10)))
    first = services.queue_evaluation(auditor, SEAL)["job_id"]
    assert services.do_next_job(book, _clock, SEAL, services.TRIALS)
    early = services.get_job(auditor, first)
    assert (early["state"], early["answer"]["code"]) == ("failed", "nothing_to_score")
    assert "An evaluation needs at least" in early["answer"]["detail"]
    services.receive(at(), read(*FOUR), is_history=True)
    before = _kept(auditor)
    later = at("auditor", days=1)
    asked = services.queue_evaluation(later, SEAL)["job_id"]
    assert services.queue_evaluation(later, SEAL)["job_id"] == asked, "one at a time"
    assert services.do_next_job(book, lambda: later.now, SEAL, services.TRIALS, lambda: True)
    assert services.get_job(later, asked)["state"] == "running", "broken off as the service ended"
    after = at("auditor", days=2)
    assert services.do_next_job(book, lambda: after.now, SEAL, services.TRIALS)
    done = services.get_job(after, asked)
    assert (done["state"], done["percent"]) == ("done", 100), done["answer"]
    assert _kept(auditor) == before
    assert [one["job_id"] for one in services.list_trials(after)] == [asked, first]
    told = done["answer"]
    answered = Job.model_validate(done).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert answered["answer"] == told, "the API tells all of it"
    assert {row["ranker"] for row in told["rows"]} >= {"cardwatch", "same-day rule"}
    assert "psd_per_1000" not in told["volume"][0]
    facts = told["facts"]
    assert (facts["holders"], facts["holders_of"], facts["seeds"]) == (13, 13, [11])


def test_an_evaluation_counts_no_alerts_about_whoever_asks(
    at: Context, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how many alerts unchanged payments raise: one more than the reader sees."""
    orders: list[bytes] = []

    def note(order: bytes, *_: object) -> dict[str, Any]:
        orders.append(order)
        return {"facts": {}}

    monkeypatch.setattr(evaluation_runner, "_apart", note)
    services.receive(at(), read(*lively_month(10)))
    for asks in (at(), at(person="subject", holder_id="e 1")):
        evaluation_runner.evaluate_own(asks)
    holders = [
        set(pd.read_parquet(io.BytesIO(documents.unpack(order)["rows.parquet"]))["holder_id"])
        for order in orders
    ]
    assert holders == [{"E0", "E1", "E2", "E3"}, {"E0", "E2", "E3"}]


def _kept(at: services.ServiceContext) -> list[Any]:
    """Return everything that the casebook holds of statements, alerts and settings."""
    with at.casebook.snapshot() as connection:
        names = (
            "statements",
            "transactions",
            "alerts",
            "alert_snapshots",
            "alert_lists",
            "documents",
        )
        return [connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names]  # noqa: S608


def test_no_statement_waits_for_a_trial(at: Context, read: Read) -> None:
    trial = services.queue_evaluation(at(), SEAL)
    brought = services.queue_import(at(), read(*month(10)), SEAL)
    assert services.do_next_job(at().casebook, _clock, SEAL, (services.STATEMENT,))
    assert not services.do_next_job(at().casebook, _clock, SEAL, (services.STATEMENT,))
    assert services.get_job(at(), brought["job_id"])["state"] == "done"
    assert services.get_job(at(), trial["job_id"])["state"] == "queued"


def test_a_failure_in_between_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "import sys; sys.stdin.read()\nwhile True: print('{\"percent\": 1}', flush=True)"
    monkeypatch.setattr(evaluation_runner, "SERVE", endless)

    def fail(_: int) -> None:
        raise CasebookFailed("percent cannot be written")

    last = time.monotonic() + 20
    with pytest.raises(CasebookFailed, match="percent"):
        evaluation_runner._apart(b"", fail, lambda: time.monotonic() > last)
    assert time.monotonic() < last


def test_of_very_many_payments_those_of_whole_holders_are_taken(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cardwatch.statements import name_holders  # noqa: PLC0415  beside its use

    every, _ = name_holders([read(*FOUR)[0]])
    monkeypatch.setattr(evaluation_runner, "MOST_PAYMENTS", 200)
    fewer = evaluation_runner._fewer(every)
    assert 100 < len(fewer) <= 200
    whole = every["holder_id"].value_counts()
    assert fewer["holder_id"].value_counts().to_dict() == {
        name: whole[name] for name in fewer["holder_id"].unique()
    }
