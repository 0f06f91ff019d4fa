"""Jobs: work too long for a request, done by any free process.

Each that is done for a person bears a mark of what they asked for, which only the seal of this
installation makes: whoever can write in the database can neither exchange what waits nor ask in
somebody's name. The casebook's own jobs have none; what they do anybody may have it do.

A process that takes a job holds it for a short time and says again and again that it is alive; if
it dies, another takes the job. What a job does is itself whole or not at all, so it may be tried
again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from cardwatch.casebook.api_keys import person_behind
from cardwatch.casebook.marks import is_marked, mark_of
from cardwatch.casebook.rows import FailedJob, JobAnswer, JobState
from cardwatch.casebook.tables import PSD, jobs
from cardwatch.casebook.unit_of_work import SYSTEM, Actor, as_text, canonical
from cardwatch.errors import CardwatchError, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.fernet import MultiFernet

    from cardwatch.casebook.unit_of_work import UnitOfWork

LEASE_SECONDS, MOST_TRIES = 30, 3
KEPT_DAYS = 30
FAILED_SHOWN = 20
ASKED_FIELDS = ("job_id", "kind", "made_by", "role", "file")
"""Fields of a job in its mark, with the organisation and a hash of its content."""
OWN_KIND = "register-check"
"""Kind of the casebook's own jobs: what is done already they do not do twice."""
PUBLIC_COLUMNS = ("job_id", "kind", "made_at", "state", "percent")
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
INITIAL_VALUES: dict[str, object] = {
    "state": QUEUED,
    "percent": 0,
    "tries": 0,
    "answer": None,
    "leased_until": None,
}


SUBJECTS = {
    "statement": "the statement",
    "back-test": "the back-test",
    "evaluation": "the evaluation",
    OWN_KIND: "the comparison with registers",
}
"""How a job is named to people where it has no file."""


@dataclass(frozen=True)
class Job:
    """Work to be done for somebody.

    Attributes:
        actor: for whom; the role they have by now is to be looked up.
        kind: statement, back-test, evaluation or register-check.
        content: what it is done with.
        file: name of the file that it is about; empty where it is about none.
        is_as_asked: whether it is the casebook's own, or bears the mark of what the actor asked.
    """

    job_id: str
    actor: Actor
    kind: str
    content: bytes
    file: str
    is_as_asked: bool


@dataclass(frozen=True)
class NewJob:
    """Work that somebody asks for.

    Attributes:
        kind: statement, back-test or evaluation.
        content: what it is done with.
        fingerprint: of what is asked for.
        file: name of the file that it is about, if any.
    """

    kind: str
    content: bytes
    fingerprint: str
    file: str = ""


def put_job(uow: UnitOfWork, new: NewJob, *, once: str, seal: MultiFernet) -> JobAnswer:
    """Put a job in the queue, unless the actor has asked for the same; return it as shown.

    Args:
        new: the job.
        once: by which the same request is known when it comes again.
        seal: of the installation, which marks it.

    Raises:
        CardwatchError: the actor has used `once` for something else.
    """
    name = uow.keyed("job", uow.actor.actor_id, once)[:12]
    uow.lock("job", name)
    existing = uow.fetch_one(sa.select(jobs).where(uow.scope(jobs), jobs.c.job_id == name))
    if existing and existing["fingerprint"] != new.fingerprint:
        raise CardwatchError("This Idempotency-Key was used for another request. Use a new one.")
    asked = INITIAL_VALUES | {"kind": new.kind, "content": new.content, "file": new.file}
    asked |= {"made_by": uow.actor.actor_id, "role": uow.actor.role, "job_id": name}
    asked["mark"] = mark_of(seal, *_marked(uow, asked))
    if existing and existing["state"] == FAILED:  # asked for again
        uow.update(jobs, jobs.c.job_id == name, asked)
    elif not existing:
        uow.insert(jobs, [asked | {"made_at": uow.now, "fingerprint": new.fingerprint}])
    uow.event.object_id = name
    _delete_old(uow)
    return get_job(uow, name)


def put_own_job(uow: UnitOfWork, kind: str, content: bytes) -> None:
    """Put a job of the casebook's own in the queue, unless the same waits already.

    No person's list of jobs names it. What becomes of it is recorded with professional standards:
    nobody else may know that they received something.
    """
    fingerprint = uow.keyed("own job", kind, content.decode())
    same = (jobs.c.fingerprint == fingerprint) & (jobs.c.state == QUEUED)
    if uow.fetch_one(sa.select(jobs.c.job_id).where(uow.scope(jobs), same)):
        return
    earlier = sa.select(sa.func.count().label("count")).where(uow.scope(jobs))
    count = uow.fetch_one(earlier.where(jobs.c.fingerprint == fingerprint))
    name = uow.keyed("job", SYSTEM, fingerprint, str(count and count["count"]))[:12]
    row = {"job_id": name, "kind": kind, "file": "", "content": content, "made_at": uow.now}
    row["mark"] = ""
    owner = {"made_by": SYSTEM, "role": PSD, "fingerprint": fingerprint}
    uow.insert(jobs, [INITIAL_VALUES | row | owner])
    _delete_old(uow)


def _delete_old(uow: UnitOfWork) -> None:
    """Delete the jobs that ended a month ago."""
    oldest = dt.datetime.fromisoformat(uow.now) - dt.timedelta(KEPT_DAYS)
    uow.delete(jobs, (jobs.c.made_at < as_text(oldest)) & jobs.c.state.in_((DONE, FAILED)))


def get_job(uow: UnitOfWork, job_id: str) -> JobAnswer:
    """Return a job of the actor's: its state, how far it has come, and its answer.

    Raises:
        NotFound: they have none of that id.
    """
    is_own_job = (jobs.c.job_id == job_id) & (jobs.c.made_by == uow.actor.actor_id)
    job_columns = [jobs.c[name] for name in (*PUBLIC_COLUMNS, "answer")]
    row = uow.fetch_one(sa.select(*job_columns).where(uow.scope(jobs), is_own_job))
    if row is None:
        raise NotFound(f"There is no job '{job_id}'.")
    answer = json.loads(row["answer"]) if row["answer"] else None
    return cast("JobAnswer", row | {"answer": answer})


def file_names(uow: UnitOfWork, job_ids: Sequence[str]) -> dict[str, str]:
    """The name of the file that each job of the actor's which is not over was asked for, by id."""
    is_own_job = jobs.c.job_id.in_(job_ids) & (jobs.c.made_by == uow.actor.actor_id)
    question = sa.select(jobs.c.job_id, jobs.c.file).where(
        uow.scope(jobs), is_own_job, jobs.c.state.in_((QUEUED, RUNNING))
    )
    return {row["job_id"]: row["file"] for row in uow.fetch_all(question)}


def count_waiting(uow: UnitOfWork, kind: str) -> int:
    """Return how many jobs of a kind wait or are done for the person behind the actor."""
    person = person_behind(uow, uow.actor.actor_id)
    question = sa.select(jobs.c.made_by).where(
        uow.scope(jobs), jobs.c.kind == kind, jobs.c.state.in_((QUEUED, RUNNING))
    )
    return sum(person_behind(uow, row["made_by"]) == person for row in uow.fetch_all(question))


def list_jobs(uow: UnitOfWork, kinds: Sequence[str]) -> list[JobState]:
    """Return the jobs of the actor's of some kinds, without their answers, the newest first."""
    is_own_job = (jobs.c.made_by == uow.actor.actor_id) & jobs.c.kind.in_(kinds)
    question = sa.select(*(jobs.c[name] for name in PUBLIC_COLUMNS)).where(
        uow.scope(jobs), is_own_job
    )
    return uow.fetch_all(question.order_by(jobs.c.made_at.desc(), jobs.c.job_id), JobState)


def list_failed(uow: UnitOfWork, kind: str) -> list[FailedJob]:
    """Return the newest jobs of a kind and of the actor's role that failed, with what was said."""
    failed = (jobs.c.kind == kind) & (jobs.c.state == FAILED) & (jobs.c.role == uow.actor.role)
    oldest = as_text(dt.datetime.fromisoformat(uow.now) - dt.timedelta(KEPT_DAYS))
    question = sa.select(jobs.c.made_at, jobs.c.answer).where(
        uow.scope(jobs), failed, jobs.c.made_at >= oldest
    )
    rows = uow.fetch_all(
        question.order_by(jobs.c.made_at.desc(), jobs.c.job_id).limit(FAILED_SHOWN)
    )
    return [
        cast("FailedJob", {"made_at": row["made_at"]} | json.loads(row["answer"])) for row in rows
    ]


def claim_job(uow: UnitOfWork, kinds: Sequence[str], seal: MultiFernet | None) -> Job | None:
    """Take a job that waits, or whose process has died, if there is one.

    Those of an earlier kind come first, so that many of a later one keep none of them waiting; of
    one kind the oldest does.

    Args:
        uow: the work it is done in.
        kinds: those of jobs to be taken.
        seal: of the installation; None where the casebook's own alone are done.
    """
    waiting = sa.select(jobs).where(uow.scope(jobs), _waits(uow, kinds))
    precedence = sa.case({kind: place for place, kind in enumerate(kinds)}, value=jobs.c.kind)
    question = waiting.order_by(precedence, jobs.c.made_at, jobs.c.job_id).limit(1)
    claimed = uow.fetch_one(question.with_for_update(skip_locked=True))
    if claimed is None:
        return None
    this = jobs.c.job_id == claimed["job_id"]
    if claimed["tries"] >= MOST_TRIES:
        file = claimed["file"]
        detail = (
            f"We could not process {file or SUBJECTS[claimed['kind']]}: it was interrupted "
            f"{MOST_TRIES} times. Try again, or contact your administrator."
        )
        answer = {"code": "broken_off", "detail": detail, "file": file}
        finish_job(uow, claimed["job_id"], answer, failed=True)
        return None
    row = {"state": RUNNING, "tries": claimed["tries"] + 1, "leased_until": _lease(uow)}
    uow.update(jobs, this, row)
    actor = Actor(uow.actor.organisation_id, claimed["made_by"], claimed["role"])
    is_own = claimed["made_by"] == SYSTEM and claimed["kind"] == OWN_KIND
    is_as_asked = is_own or (
        seal is not None and is_marked(seal, claimed["mark"], *_marked(uow, claimed))
    )
    content, kind, file = bytes(claimed["content"]), claimed["kind"], claimed["file"]
    return Job(claimed["job_id"], actor, kind, content, file, is_as_asked)


def _marked(uow: UnitOfWork, job: Mapping[str, Any]) -> list[str]:
    """Return what the mark of a job is made of."""
    asked = [str(job[name]) for name in ASKED_FIELDS]
    return [uow.actor.organisation_id, *asked, hashlib.sha256(job["content"]).hexdigest()]


def is_any_waiting(uow: UnitOfWork, kinds: Sequence[str]) -> bool:
    """Return whether there is a job of some kinds to be taken."""
    question = sa.select(jobs.c.job_id).where(uow.scope(jobs), _waits(uow, kinds))
    return uow.fetch_one(question.limit(1)) is not None


def tell_job(uow: UnitOfWork, job_id: str, percent: int | None = None) -> None:
    """Say that a job goes on, and how far it has come."""
    row: dict[str, Any] = {"leased_until": _lease(uow)}
    row |= {} if percent is None else {"percent": percent}
    uow.update(jobs, (jobs.c.job_id == job_id) & (jobs.c.state == RUNNING), row)


def finish_job(
    uow: UnitOfWork, job_id: str, answer: Mapping[str, object], *, failed: bool = False
) -> None:
    """Keep what came of a job; what it was done with is not needed any more."""
    row = {"state": FAILED if failed else DONE, "percent": 100, "answer": canonical(answer)}
    over = {"content": b"", "file": "", "mark": "", "leased_until": None}
    uow.update(jobs, jobs.c.job_id == job_id, row | over)


def _waits(uow: UnitOfWork, kinds: Sequence[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a job waits, or that the process that had it has died."""
    dead = (jobs.c.state == RUNNING) & (jobs.c.leased_until < uow.now)
    return jobs.c.kind.in_(kinds) & ((jobs.c.state == QUEUED) | dead)


def _lease(uow: UnitOfWork) -> str:
    """Return until when a job is held by whoever takes it now."""
    until = dt.datetime.fromisoformat(uow.now) + dt.timedelta(seconds=LEASE_SECONDS)
    return as_text(until)
