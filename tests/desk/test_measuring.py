"""An evaluation of an organisation's own payments: apart from the casebook, and of one's lanes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from books import NOW, lively_month, month

from cardwatch import desk
from cardwatch.desk import measuring
from cardwatch.errors import CasebookFailed, NothingToScore

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    At = Callable[..., desk.Desk]
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
    at: At, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "SEEDS", 1)
    book, auditor = at().casebook, at("auditor")
    with pytest.raises(NothingToScore, match="No statement has been uploaded"):
        measuring.evaluate_own(auditor)
    desk.receive(at(), read(*lively_month(10)))
    first = desk.ask_evaluation(auditor)["job_id"]
    assert desk.do_next_job(book, _clock, desk.TRIALS)
    early = desk.get_job(auditor, first)
    assert (early["state"], early["answer"]["code"]) == ("failed", "nothing_to_score")
    assert "An evaluation needs at least" in early["answer"]["detail"]
    desk.receive(at(), read(*FOUR), is_history=True)
    before = _kept(auditor)
    later = at("auditor", days=1)
    asked = desk.ask_evaluation(later)["job_id"]
    assert desk.ask_evaluation(later)["job_id"] == asked, "one at a time"
    assert desk.do_next_job(book, lambda: later.now, desk.TRIALS, lambda: True)
    assert desk.get_job(later, asked)["state"] == "running", "broken off as the service ended"
    after = at("auditor", days=2)
    assert desk.do_next_job(book, lambda: after.now, desk.TRIALS)
    done = desk.get_job(after, asked)
    assert (done["state"], done["percent"]) == ("done", 100), done["answer"]
    assert _kept(auditor) == before
    assert [one["job_id"] for one in desk.list_trials(after)] == [asked, first]
    told = done["answer"]
    assert {row["ranker"] for row in told["rows"]} >= {"cardwatch", "same-day rule"}
    assert "psd_per_1000" not in told["volume"][0]
    facts = told["facts"]
    assert (facts["holders"], facts["holders_of"], facts["seeds"]) == (13, 13, [11])


def _kept(at: desk.Desk) -> list[Any]:
    """Return everything that the casebook holds of statements, alerts and settings."""
    with at.casebook.snapshot() as connection:
        names = ("statements", "transactions", "alerts", "raised", "lists", "documents")
        return [connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names]  # noqa: S608


def test_no_statement_waits_for_a_trial(at: At, read: Read) -> None:
    trial = desk.ask_evaluation(at())
    brought = desk.ask_receive(at(), read(*month(10)))
    assert desk.do_next_job(at().casebook, _clock, (desk.STATEMENT,))
    assert not desk.do_next_job(at().casebook, _clock, (desk.STATEMENT,))
    assert desk.get_job(at(), brought["job_id"])["state"] == "done"
    assert desk.get_job(at(), trial["job_id"])["state"] == "queued"


def test_a_failure_in_between_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "import sys; sys.stdin.read()\nwhile True: print('{\"percent\": 1}', flush=True)"
    monkeypatch.setattr(measuring, "SERVE", endless)

    def fail(_: int) -> None:
        raise CasebookFailed("percent cannot be written")

    last = time.monotonic() + 20
    with pytest.raises(CasebookFailed, match="percent"):
        measuring._apart(b"", fail, lambda: time.monotonic() > last)
    assert time.monotonic() < last


def test_of_very_many_payments_those_of_whole_holders_are_taken(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cardwatch.statements import name_holders  # noqa: PLC0415  beside its use

    every, _ = name_holders([read(*FOUR)[0]])
    monkeypatch.setattr(measuring, "MOST_PAYMENTS", 200)
    fewer = measuring._fewer(every)
    assert 100 < len(fewer) <= 200
    whole = every["holder_id"].value_counts()
    assert fewer["holder_id"].value_counts().to_dict() == {
        name: whole[name] for name in fewer["holder_id"].unique()
    }
