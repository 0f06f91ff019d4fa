"""Jobs: done once by whichever process is free, tried again where one dies, and never for ever."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import NOW, SPLIT, month

from cardwatch import services
from cardwatch.casebook import LANES, Actor, AuditEvent, jobs
from cardwatch.casebook.jobs import LEASE_SECONDS, MOST_TRIES
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, CasebookBusy, CasebookFailed, NotFound
from cardwatch.services import imports
from cardwatch.services import jobs as job_services

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.casebook import Casebook

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]


def _clock(seconds: float = 0) -> Callable[[], dt.datetime]:
    return lambda: NOW + dt.timedelta(seconds=seconds)


def _claim(book: Casebook, owner: str, seconds: float) -> jobs.Job | None:
    """Take a job and do nothing about it, as a process does that dies."""
    with book.unaudited(Actor(owner, SYSTEM, "admin"), _clock(seconds)()) as uow:
        return jobs.claim_job(uow, job_services.JOB_KINDS)


def test_a_statement_waits_as_it_was_read(at: Context, read: Read) -> None:
    finance = at()
    brought = read(*month(10), *SPLIT)
    job = services.queue_import(finance, brought)
    assert (job["state"], job["percent"]) == ("queued", 0)
    assert services.do_next_job(finance.casebook, _clock())
    assert not services.do_next_job(finance.casebook, _clock())
    done = services.get_job(finance, job["job_id"])
    assert (done["state"], done["answer"]["outcome"]) == ("done", "received")
    assert [one.fault for one in services.verify(finance)] == [""]
    other = at(organisation="Another Force")
    assert services.receive(other, brought).transactions == done["answer"]["transactions"]
    kept = [services.get_statement(one, services.list_statements(one)[0]["statement_id"])["report"]
            for one in (finance, other)]  # fmt: skip
    assert kept[0] == kept[1]


def test_what_was_asked_for_at_once_by_many_is_one_job(at: Context, read: Read) -> None:
    finance, brought = at(), read(*month(10))
    made: list[str] = []

    def ask() -> None:
        made.append(services.queue_import(finance, brought)["job_id"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(made) == 8
    assert len(set(made)) == 1


def test_several_processes_take_several_jobs_and_none_twice(at: Context, read: Read) -> None:
    finance = at()
    wanted = {services.queue_import(finance, read(*month(n)))["job_id"] for n in (8, 9, 10)}
    taken: list[str] = []

    def take() -> None:
        while (job := _claim(finance.casebook, finance.actor.organisation_id, 0)) is not None:
            taken.append(job.job_id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(taken) == sorted(wanted)


def test_a_job_of_a_process_that_died_is_taken_by_another_and_given_up_in_the_end(
    at: Context, read: Read
) -> None:
    finance = at()
    book, owner = finance.casebook, finance.actor.organisation_id
    name = services.queue_import(finance, read(*month(10)))["job_id"]
    for number in range(MOST_TRIES):
        begun = number * (LEASE_SECONDS + 1)
        assert _claim(book, owner, begun) is not None
        assert _claim(book, owner, begun + LEASE_SECONDS) is None
    assert _claim(book, owner, MOST_TRIES * (LEASE_SECONDS + 1)) is None
    job = services.get_job(finance, name)
    assert (job["state"], job["answer"]["code"]) == ("failed", "broken_off")
    again = services.queue_import(finance, read(*month(10)))
    assert services.do_next_job(book, _clock(1000))
    assert services.get_job(finance, again["job_id"])["state"] == "done"


def test_the_names_of_files_that_wait_are_told_without_reading_what_is_in_them(
    at: Context, read: Read
) -> None:
    """The page of fifty large statements that wait asks anew every few seconds."""
    finance = at()
    names = [
        services.queue_import(finance, read(*month(number), name=f"{number}.csv"))["job_id"]
        for number in (9, 10)
    ]
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    sa.event.listen(finance.casebook.engine, "before_cursor_execute", note)
    try:
        files = services.file_names(finance, names)
    finally:
        sa.event.remove(finance.casebook.engine, "before_cursor_execute", note)
    assert sorted(files.values()) == ["10.csv", "9.csv"]
    assert any("jobs" in statement for statement in sent)
    assert not [statement for statement in sent if "content" in statement]
    assert services.file_names(at(person=2), names) == {}
    while services.do_next_job(finance.casebook, _clock()):
        pass
    assert services.file_names(finance, names) == {}


def test_a_job_that_goes_on_is_left_to_its_process(at: Context, read: Read) -> None:
    finance = at()
    book, owner = finance.casebook, finance.actor.organisation_id
    name = services.queue_import(finance, read(*month(10)))["job_id"]
    _claim(book, owner, 0)
    with book.unaudited(finance.actor, _clock(20)()) as uow:
        jobs.tell_job(uow, name, 40)
    assert _claim(book, owner, LEASE_SECONDS + 1) is None
    assert services.get_job(finance, name)["percent"] == 40


def test_a_job_goes_on_to_say_so_after_others_have_written_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or another process takes it up as well, and it is given up as broken off."""
    monkeypatch.setattr(job_services, "BEAT_SECONDS", 0.01)
    said, is_said = [], threading.Event()

    def extend_lease() -> None:
        said.append(len(said))
        if len(said) < 3:
            raise CasebookBusy("database is locked")
        is_said.set()

    with job_services._beating(extend_lease):
        assert is_said.wait(10)


def test_whoever_has_lost_access_gets_nothing_done(at: Context, read: Read) -> None:
    finance = at()
    job = services.queue_import(finance, read(*month(10)))
    services.end_person(at("admin"), "finance@saltmarsh-vale.example")
    assert services.do_next_job(finance.casebook, _clock())
    done = services.get_job(finance, job["job_id"])
    assert (done["state"], done["answer"]["code"]) == ("failed", "not_allowed")
    assert services.list_statements(at("admin")) == []


def test_a_refusal_on_the_way_is_the_answer(at: Context, read: Read) -> None:
    finance = at()
    job = services.queue_import(finance, read(*month(10)), corrects="none-such")
    services.do_next_job(finance.casebook, _clock())
    assert services.get_job(finance, job["job_id"])["answer"]["code"] == "not_found"
    with pytest.raises(NotFound):
        services.get_job(at("auditor"), job["job_id"])


@pytest.mark.parametrize("error", [ZeroDivisionError("canary"), CasebookFailed("canary")])
@pytest.mark.parametrize("kind", [job_services.STATEMENT, *job_services.TRIALS])
def test_a_fault_that_does_not_pass_fails_the_job_at_once(
    at: Context,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    error: Exception,
) -> None:
    finance = at()
    job = {
        "statement": lambda: services.queue_import(finance, read(*month(10))),
        "back-test": lambda: services.queue_back_test(finance, "policy", b"", 1),
        "evaluation": lambda: services.queue_evaluation(finance),
    }[kind]()

    def fail(*_: Any, **__: Any) -> None:
        raise error

    for name in ("receive", "back_test", "evaluate_own"):
        monkeypatch.setattr(job_services, name, fail)
    with caplog.at_level("ERROR", logger="cardwatch"):
        assert services.do_next_job(finance.casebook, _clock())
    assert not services.do_next_job(finance.casebook, _clock(1000))
    stored = services.get_job(finance, job["job_id"])
    answer = stored["answer"]
    assert (stored["state"], answer["code"]) == ("failed", "internal")
    assert answer["error_number"] in answer["detail"]
    assert answer["error_number"] in caplog.text
    assert "test_queueing.py" in caplog.text
    assert "canary" not in caplog.text + answer["detail"]
    if kind == "statement":
        assert answer["file"] in answer["detail"]
        assert answer["file"]
    outcomes = [
        one["outcome"]
        for one in services.audit_events(finance, lane="finance", last=99)
        if one["id"] == job["job_id"]
    ]
    assert outcomes == ["failed", "done"]


def test_a_statement_that_fails_has_no_event_that_it_was_done(
    at: Context, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    finance = at()
    services.queue_import(finance, read(*month(10)))

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(imports, "_keep_alerts", fail)
    services.do_next_job(finance.casebook, _clock())
    outcomes = [
        one["outcome"]
        for one in services.audit_events(finance, lane="finance", last=99)
        if one["object"] == "statement"
    ]
    assert outcomes == ["failed", "begun"]


def test_a_locked_database_lets_the_job_be_tried_again(
    at: Context, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    finance = at()
    job = services.queue_import(finance, read(*month(10)))

    def fail(*_: Any, **__: Any) -> None:
        raise CasebookBusy("locked")

    with monkeypatch.context() as changed:
        changed.setattr(job_services, "receive", fail)
        assert services.do_next_job(finance.casebook, _clock())
    assert services.get_job(finance, job["job_id"])["state"] == "running"
    assert services.do_next_job(finance.casebook, _clock(LEASE_SECONDS + 1))
    assert services.get_job(finance, job["job_id"])["state"] == "done"


def test_many_back_tests_keep_nothing_else_waiting(at: Context) -> None:
    """One person cannot put off for days the look at a register that psd wait for."""
    finance, book = at(), at().casebook
    owner = finance.actor.organisation_id
    for pounds in range(jobs_of_one := job_services.MOST_BACK_TESTS):
        policy = f"materiality_pounds = {10 + pounds}.0\n".encode()
        services.queue_back_test(finance, "policy", policy, 1)
    with pytest.raises(CardwatchError, match="back-tests wait already"):
        services.queue_back_test(finance, "policy", b"", 1)
    assert services.queue_back_test(at("auditor"), "policy", b"", 1), "others' are not counted"
    itself = services.ServiceContext(book, Actor(owner, SYSTEM, "admin"), NOW)
    with itself.work(AuditEvent("access", "test"), LANES) as uow:
        jobs.put_own_job(uow, job_services.REGISTER_CHECK, b"{}")
    taken = [_claim_of(book, owner, job_services.LONG_JOBS) for _ in range(jobs_of_one + 2)]
    assert taken == ["register-check", *["back-test"] * (jobs_of_one + 1)]


def _claim_of(book: Casebook, owner: str, kinds: tuple[str, ...]) -> str:
    with book.unaudited(Actor(owner, SYSTEM, "admin"), _clock(1)()) as uow:
        job = jobs.claim_job(uow, kinds)
    return job.kind if job else ""
