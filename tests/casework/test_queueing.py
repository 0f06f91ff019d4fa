"""Jobs: done once by whichever process is free, tried again where one dies, and never for ever."""

from __future__ import annotations

import base64
import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import NOW, SEAL, SPLIT, month, second_person
from cryptography.fernet import Fernet, MultiFernet

from cardwatch import services
from cardwatch.casebook import LANES, Actor, AuditEvent, jobs, tables
from cardwatch.casebook.jobs import LEASE_SECONDS, MOST_TRIES
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, CasebookBusy, CasebookFailed, NotFound
from cardwatch.services import imports
from cardwatch.services import jobs as job_services
from cardwatch.services.answers import ImportOptions
from cardwatch.services.rekeying import seal_anew
from cardwatch.services.scoring_inputs import pack_read

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
        return jobs.claim_job(uow, job_services.JOB_KINDS, SEAL)


def test_a_statement_waits_as_it_was_read(at: Context, read: Read) -> None:
    finance = at()
    brought = read(*month(10), *SPLIT)
    job = services.queue_import(finance, brought, SEAL)
    assert (job["state"], job["percent"]) == ("queued", 0)
    assert services.do_next_job(finance.casebook, _clock(), SEAL)
    assert not services.do_next_job(finance.casebook, _clock(), SEAL)
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
        made.append(services.queue_import(finance, brought, SEAL)["job_id"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(made) == 8
    assert len(set(made)) == 1


def test_several_processes_take_several_jobs_and_none_twice(at: Context, read: Read) -> None:
    finance = at()
    wanted = {services.queue_import(finance, read(*month(n)), SEAL)["job_id"] for n in (8, 9, 10)}
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
    name = services.queue_import(finance, read(*month(10)), SEAL)["job_id"]
    for number in range(MOST_TRIES):
        begun = number * (LEASE_SECONDS + 1)
        assert _claim(book, owner, begun) is not None
        assert _claim(book, owner, begun + LEASE_SECONDS) is None
    assert _claim(book, owner, MOST_TRIES * (LEASE_SECONDS + 1)) is None
    job = services.get_job(finance, name)
    assert (job["state"], job["answer"]["code"]) == ("failed", "broken_off")
    again = services.queue_import(finance, read(*month(10)), SEAL)
    assert services.do_next_job(book, _clock(1000), SEAL)
    assert services.get_job(finance, again["job_id"])["state"] == "done"


def test_the_names_of_files_that_wait_are_told_without_reading_what_is_in_them(
    at: Context, read: Read
) -> None:
    """The page of fifty large statements that wait asks anew every few seconds."""
    finance = at()
    names = [
        services.queue_import(finance, read(*month(number), name=f"{number}.csv"), SEAL)["job_id"]
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
    while services.do_next_job(finance.casebook, _clock(), SEAL):
        pass
    assert services.file_names(finance, names) == {}


def test_a_job_that_goes_on_is_left_to_its_process(at: Context, read: Read) -> None:
    finance = at()
    book, owner = finance.casebook, finance.actor.organisation_id
    name = services.queue_import(finance, read(*month(10)), SEAL)["job_id"]
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
    job = services.queue_import(finance, read(*month(10)), SEAL)
    services.end_person(at("admin"), "finance@saltmarsh-vale.example")
    assert services.do_next_job(finance.casebook, _clock(), SEAL)
    done = services.get_job(finance, job["job_id"])
    assert (done["state"], done["answer"]["code"]) == ("failed", "not_allowed")
    assert services.list_statements(at("admin")) == []


def test_a_refusal_on_the_way_is_the_answer(at: Context, read: Read) -> None:
    finance = at()
    job = services.queue_import(finance, read(*month(10)), SEAL, corrects="none-such")
    services.do_next_job(finance.casebook, _clock(), SEAL)
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
        "statement": lambda: services.queue_import(finance, read(*month(10)), SEAL),
        "back-test": lambda: services.queue_back_test(finance, "policy", b"", 1, SEAL),
        "evaluation": lambda: services.queue_evaluation(finance, SEAL),
    }[kind]()

    def fail(*_: Any, **__: Any) -> None:
        raise error

    for name in ("receive", "back_test", "evaluate_own"):
        monkeypatch.setattr(job_services, name, fail)
    with caplog.at_level("ERROR", logger="cardwatch"):
        assert services.do_next_job(finance.casebook, _clock(), SEAL)
    assert not services.do_next_job(finance.casebook, _clock(1000), SEAL)
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
    services.queue_import(finance, read(*month(10)), SEAL)

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(imports, "_keep_alerts", fail)
    services.do_next_job(finance.casebook, _clock(), SEAL)
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
    job = services.queue_import(finance, read(*month(10)), SEAL)

    def fail(*_: Any, **__: Any) -> None:
        raise CasebookBusy("locked")

    with monkeypatch.context() as changed:
        changed.setattr(job_services, "receive", fail)
        assert services.do_next_job(finance.casebook, _clock(), SEAL)
    assert services.get_job(finance, job["job_id"])["state"] == "running"
    assert services.do_next_job(finance.casebook, _clock(LEASE_SECONDS + 1), SEAL)
    assert services.get_job(finance, job["job_id"])["state"] == "done"


def test_many_back_tests_keep_nothing_else_waiting(at: Context) -> None:
    """One person cannot put off for days the look at a register that psd wait for."""
    finance, book = at(), at().casebook
    owner = finance.actor.organisation_id
    for pounds in range(jobs_of_one := job_services.MOST_BACK_TESTS):
        policy = f"materiality_pounds = {10 + pounds}.0\n".encode()
        services.queue_back_test(finance, "policy", policy, 1, SEAL)
    with pytest.raises(CardwatchError, match="back-tests wait already"):
        services.queue_back_test(finance, "policy", b"", 1, SEAL)
    assert services.queue_back_test(at("auditor"), "policy", b"", 1, SEAL), (
        "others' are not counted"
    )
    itself = services.ServiceContext(book, Actor(owner, SYSTEM, "admin"), NOW)
    with itself.work(AuditEvent("access", "test"), LANES) as uow:
        jobs.put_own_job(uow, job_services.REGISTER_CHECK, b"{}")
    taken = [_claim_of(book, owner, job_services.LONG_JOBS) for _ in range(jobs_of_one + 2)]
    assert taken == ["register-check", *["back-test"] * (jobs_of_one + 1)]


def _claim_of(book: Casebook, owner: str, kinds: tuple[str, ...]) -> str:
    with book.unaudited(Actor(owner, SYSTEM, "admin"), _clock(1)()) as uow:
        job = jobs.claim_job(uow, kinds, SEAL)
    return job.kind if job else ""


def _change(book: Casebook, owner: str, job_id: str, values: dict[str, object]) -> None:
    """Change a job as whoever can write in the database does."""
    with book.unaudited(Actor(owner, SYSTEM, "admin"), NOW) as uow:
        uow.update(tables.jobs, tables.jobs.c.job_id == job_id, values)


def _row(book: Casebook, owner: str, job_id: str) -> dict[str, Any]:
    with book.unaudited(Actor(owner, SYSTEM, "admin"), NOW) as uow:
        question = sa.select(tables.jobs).where(uow.scope(tables.jobs))
        return uow.fetch_one(question.where(tables.jobs.c.job_id == job_id)) or {}


@pytest.mark.parametrize("what", ["content", "options", "made_by", "role", "file", "kind", "mark"])
def test_what_waits_is_not_done_once_it_was_changed_by_hand(
    at: Context, read: Read, what: str
) -> None:
    finance, auditor = at(), at("auditor")
    book, owner = finance.casebook, finance.actor.organisation_id
    brought = read(*month(10), *SPLIT)
    job_id = services.queue_import(finance, brought, SEAL)["job_id"]
    clean = read(*month(10), name=brought[1].file)[0]
    changed: dict[str, object] = {
        "content": pack_read(clean, brought[1], ImportOptions(corrects=None, is_history=False)),
        "options": pack_read(*brought, ImportOptions(corrects=None, is_history=True)),
        "made_by": at("psd").actor.actor_id,
        "role": "psd",
        "file": "other.csv",
        "kind": "evaluation",
        "mark": SEAL.encrypt(b"[]").decode(),
    }  # fmt: skip
    column = "content" if what == "options" else what
    _change(book, owner, job_id, {column: changed[what]})
    assert services.do_next_job(book, _clock(), SEAL)
    row = _row(book, owner, job_id)
    assert (row["state"], row["content"]) == ("failed", b"")
    assert "changed in the database" in row["answer"]
    assert services.list_statements(finance) == []
    reader = at("psd") if what == "role" else auditor
    lane = "psd" if what == "role" else "finance"
    event = services.audit_events(reader, lane=lane, last=100, object="job", outcome="failed")[0]
    assert (event["actor"], event["id"]) == (SYSTEM, job_id), "nobody is said to have done it"
    _change(book, owner, job_id, {"made_by": finance.actor.actor_id, "role": "finance"})
    assert services.queue_import(finance, brought, SEAL)["state"] == "queued", "asked for again"
    assert services.do_next_job(book, _clock(), SEAL)
    assert [row["transactions"] for row in services.list_statements(finance)] == [len(brought[0])]


def test_nobody_asks_in_the_name_of_others_by_writing_in_the_database(
    at: Context, read: Read
) -> None:
    """A correction needs two people, whose jobs somebody with the database could write."""
    finance, second = at(), second_person(at())
    book, owner = finance.casebook, finance.actor.organisation_id
    first = services.receive(finance, read(*month(10), *SPLIT))
    less = read(*month(10), name="less.csv")
    options = ImportOptions(corrects=first.statement_id, is_history=False)
    asked = services.queue_import(finance, less, SEAL, corrects=first.statement_id)["job_id"]
    planted = _row(book, owner, asked) | {"content": pack_read(*less, options)}
    same = {name: value for name, value in planted.items() if name != "organisation_id"}
    with book.unaudited(Actor(owner, SYSTEM, "admin"), NOW) as uow:
        for job_id, more in (
            ("0" * 12, {"made_by": second.actor.actor_id}),  # with the mark of the first
            ("1" * 12, {}),  # the same, once more
            ("2" * 12, {"made_by": second.actor.actor_id, "mark": ""}),
            ("3" * 12, {"kind": jobs.OWN_KIND, "content": b"{}", "mark": ""}),
        ):
            uow.insert(tables.jobs, [same | more | {"job_id": job_id}])
    while services.do_next_job(book, _clock(), SEAL):
        pass
    states = [_row(book, owner, f"{number}" * 12)["state"] for number in range(4)]
    assert states == ["failed"] * 4
    assert _row(book, owner, asked)["state"] == "done"
    (left,) = services.list_statements(finance)
    assert left["statement_id"] == first.statement_id, "the second person has not asked"
    assert not services.do_next_job(book, _clock(), None), "what is the casebook's own is done"


def test_what_waits_is_done_once_the_key_was_replaced(at: Context, read: Read) -> None:
    finance = at()
    old, new = (Fernet(base64.urlsafe_b64encode(bytes([n]) * 32)) for n in (1, 2))
    services.queue_import(finance, read(*month(10)), MultiFernet([old]))
    seal_anew(finance.casebook, [new, old], NOW)
    assert services.do_next_job(finance.casebook, _clock(), MultiFernet([new]))
    assert len(services.list_statements(finance)) == 1


def test_a_job_that_is_over_has_no_mark_to_copy_or_to_seal_anew(at: Context, read: Read) -> None:
    finance = at()
    job_id = services.queue_import(finance, read(*month(10)), SEAL)["job_id"]
    assert services.do_next_job(finance.casebook, _clock(), SEAL)
    assert not _row(finance.casebook, finance.actor.organisation_id, job_id)["mark"]
    assert seal_anew(finance.casebook, [Fernet(Fernet.generate_key())], NOW) == (0, 0)
