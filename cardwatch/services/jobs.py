"""Queues and runs jobs: imports, back-tests and evaluations."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import threading
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, Casebook, documents, jobs
from cardwatch.casebook.api_keys import actor_now
from cardwatch.casebook.statements import find_statement
from cardwatch.casebook.tables import RECEIVES
from cardwatch.casebook.unit_of_work import SYSTEM, canonical
from cardwatch.errors import CardwatchError, CasebookBusy, CasebookFailed, stack_of
from cardwatch.services.answers import ImportOptions
from cardwatch.services.back_tests import back_test, check_trial, unpack_trial
from cardwatch.services.context import ServiceContext
from cardwatch.services.evaluation_runner import evaluate_own
from cardwatch.services.imports import Receipt, receive
from cardwatch.services.register_checks import REGISTER_CHECK, run_checks
from cardwatch.services.scoring_inputs import pack_read, unpack_read

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd
    from cryptography.fernet import MultiFernet

    from cardwatch.casebook.rows import FailedJob, JobAnswer, JobState
    from cardwatch.records import ReadingReport

log = logging.getLogger("cardwatch.jobs")
STATEMENT, BACK_TEST, EVALUATION = "statement", "back-test", "evaluation"
JOB_KINDS = (STATEMENT, BACK_TEST, EVALUATION, REGISTER_CHECK)
TRIALS = (BACK_TEST, EVALUATION)
"""Kinds of job that take minutes and change nothing."""
UNDER_WAY = {jobs.QUEUED, jobs.RUNNING}
MOST_BACK_TESTS = 3
"""Back-tests of one person that wait or go on at once: each takes minutes."""
LONG_JOBS = (REGISTER_CHECK, *TRIALS)
"""Kinds of job that no statement waits for."""
NOT_AS_ASKED = (
    "What waited was changed in the database, and was not done. Ask for it again, and tell your "
    "administrator."
)
BEAT_SECONDS = 10
"""Seconds between renewals of a job's lease: a third of the lease."""


def queue_import(  # noqa: PLR0913  one for each way in which a statement comes
    context: ServiceContext,
    read: tuple[pd.DataFrame, ReadingReport],
    seal: MultiFernet,
    *,
    corrects: str | None = None,
    is_history: bool = False,
    once: str = "",
) -> JobAnswer:
    """Queue a parsed statement for import; return the job.

    Args:
        read: its transactions and reading report, as `read_each` gives them.
        seal: of the installation, which marks what is asked for.
        corrects: the statement in whose place it comes.
        is_history: whether it is only kept.
        once: what the sender calls this request, to be known when it comes again.

    Raises:
        NotAllowed: the role receives no statements.
        CardwatchError: a correction is to be kept without being scored; the actor has used `once`
            for another statement.
    """
    if corrects and is_history:
        raise CardwatchError(
            "A corrected statement is always scored. It cannot be stored as history only.",
            field="history",
        )
    frame, report = read
    options = ImportOptions(corrects=corrects, is_history=is_history)
    fingerprint = _sha256(report.sha256, canonical(options))
    with context.work(AuditEvent("collection", "job"), ()) as uow:
        context.allow(RECEIVES, "upload statements")
        once = once or fingerprint
        existing = find_statement(uow, report.sha256, is_scored=False)
        is_new = existing or corrects or is_history  # may have another answer than the last time
        if is_new and once == fingerprint:  # and no key says that it is the same request
            once = _sha256(once, uow.now)
        content = pack_read(frame, report, options)
        new = jobs.NewJob(STATEMENT, content, fingerprint, report.file)
        return jobs.put_job(uow, new, once=once, seal=seal)


def receive_now(context: ServiceContext, read: tuple[pd.DataFrame, ReadingReport]) -> Receipt:
    """Receive a statement at once, for whoever has others to go on with, whatever this one does.

    Raises:
        CardwatchError: it is refused, or failed for a reason that nobody foresaw: then the sentence
            has the number under which the log has it.
    """
    try:
        return receive(context, read, is_by_hand=False)
    except CardwatchError:
        raise
    except Exception as error:  # noqa: BLE001  the others are not to wait for this one
        number = secrets.token_hex(4)
        fault = {"number": number, "stack": stack_of(error)}
        log.error("statement failed, error %(number)s: %(stack)s", fault)  # noqa: TRY400  no values
        sentence = (
            f"We could not process {read[1].file} (error {number}). Contact your administrator."
        )
        raise CardwatchError(sentence) from None


def note_refusal(context: ServiceContext, refusal: CardwatchError, seal: MultiFernet) -> JobAnswer:
    """Keep what was said of a file that cannot be read, as a job that failed; return the job.

    So it stands beside what became of the files that came with it, however often that is read.

    Args:
        refusal: why it cannot be read.
        seal: of the installation.

    Raises:
        NotAllowed: the role receives no statements.
    """
    with context.work(AuditEvent("collection", "job", outcome="failed"), ()) as uow:
        context.allow(RECEIVES, "upload statements")
        fingerprint = _sha256(str(refusal), uow.now)
        new = jobs.NewJob(STATEMENT, b"", fingerprint)
        job = jobs.put_job(uow, new, once=fingerprint, seal=seal)
        answer = {"code": refusal.code, "detail": str(refusal)}
        jobs.finish_job(uow, job["job_id"], answer, failed=True)
        return job


def list_refused_uploads(context: ServiceContext) -> list[FailedJob]:
    """Return the files of the last 30 days that the actor's role uploaded and that were refused.

    Each has `made_at` and the sentence that was said of it, the newest first.

    Raises:
        NotAllowed: the role receives no statements.
    """
    with context.snapshot(()) as uow:
        context.allow(RECEIVES, "upload statements")
        return jobs.list_failed(uow, STATEMENT)


def queue_back_test(
    context: ServiceContext, kind: str, content: bytes, months: int, seal: MultiFernet
) -> JobAnswer:
    """Put a back-test in the queue; return the job; see `services.back_tests.back_test`.

    The seal of the installation marks what is asked for.

    Raises:
        NotAllowed: the role sees no alerts.
        FileFaulty: the document has faults.
        CardwatchError: it is of another kind, the months are too many, or as many of the actor's
            back-tests wait already as may.
    """
    check_trial(kind, months)
    unpack_trial(kind, content)
    options = canonical({"kind": kind, "months": months}).encode()
    packed = documents.pack({"said.json": options, "content": content})
    with context.work(AuditEvent("consultation", "job"), ()) as uow:
        context.require_alert_access()
        if jobs.count_waiting(uow, BACK_TEST) >= MOST_BACK_TESTS:
            raise CardwatchError(
                f"{MOST_BACK_TESTS} of your back-tests wait already. Try again when one is done."
            )
        fingerprint = hashlib.sha256(packed).hexdigest()
        once = _sha256(fingerprint, uow.now)
        new = jobs.NewJob(BACK_TEST, packed, fingerprint)
        return jobs.put_job(uow, new, once=once, seal=seal)


def queue_evaluation(context: ServiceContext, seal: MultiFernet) -> JobAnswer:
    """Put an evaluation in the queue; return the job, or the one that waits or goes on already.

    The seal of the installation marks it.

    Raises:
        NotAllowed: the role sees no alerts.
    """
    with context.work(AuditEvent("consultation", "job"), ()) as uow:
        context.require_alert_access()
        for job in jobs.list_jobs(uow, (EVALUATION,)):
            if job["state"] in UNDER_WAY:
                uow.event.object_id = job["job_id"]
                return jobs.get_job(uow, job["job_id"])
        once = _sha256(EVALUATION, uow.now)
        new = jobs.NewJob(EVALUATION, b"", once)
        return jobs.put_job(uow, new, once=once, seal=seal)


def list_trials(context: ServiceContext) -> list[JobState]:
    """Return the actor's own back-tests and evaluations, without their answers, newest first."""
    with context.snapshot(()) as uow:
        return jobs.list_jobs(uow, TRIALS)


def get_job(context: ServiceContext, job_id: str) -> JobAnswer:
    """Return one of the actor's jobs.

    Raises:
        NotFound: they have none of that id.
    """
    with context.snapshot(()) as uow:
        return jobs.get_job(uow, job_id)


def file_names(context: ServiceContext, job_ids: Sequence[str]) -> dict[str, str]:
    """The name of the file of each of the actor's jobs that waits or goes on, by their ids."""
    with context.snapshot(()) as uow:
        return jobs.file_names(uow, job_ids)


def do_next_job(
    casebook: Casebook,
    clock: Callable[[], dt.datetime],
    seal: MultiFernet | None,
    kinds: Sequence[str] = JOB_KINDS,
    is_over: Callable[[], bool] = lambda: False,
) -> bool:
    """Do one job that waits, of any organisation; return whether there was one.

    Several processes and threads may do this at once: each takes another job.

    Args:
        casebook: whose jobs.
        clock: what tells the moment.
        seal: of the installation: a job without its mark fails. None where the casebook's own jobs
            alone are done.
        kinds: those of jobs to be done.
        is_over: whether a long job is to be broken off; it is taken up again later.
    """
    for actor in casebook.system_actors():
        with casebook.unaudited(actor, clock(), reads=True) as uow:
            waits = jobs.is_any_waiting(uow, kinds)
        if not waits:
            continue
        with casebook.unaudited(actor, clock()) as uow:
            job = jobs.claim_job(uow, kinds, seal)
        if job is not None:
            _do(casebook, job, clock, is_over)
            return True
    return False


def check_registers_now(context: ServiceContext) -> None:
    """Do the comparisons with registers that wait, where no service does: for the command."""
    while do_next_job(context.casebook, lambda: context.now, None, (REGISTER_CHECK,)):
        pass


def _do(
    casebook: Casebook,
    job: jobs.Job,
    clock: Callable[[], dt.datetime],
    is_over: Callable[[], bool],
) -> None:
    """Do one job, and keep what came of it."""
    if not job.is_as_asked:  # nobody is said to have done it: it may not have been them
        job = replace(job, actor=replace(job.actor, actor_id=SYSTEM), file="")
        _fail(casebook, job, clock, _failure(job, CardwatchError(NOT_AS_ASKED)))
        return

    def tell(percent: int | None = None) -> None:
        with casebook.unaudited(job.actor, clock()) as uow:
            jobs.tell_job(uow, job.job_id, percent)

    try:
        with casebook.unaudited(job.actor, clock(), reads=True) as uow:
            context = ServiceContext(casebook, actor_now(uow, job.actor), clock())
        with _beating(tell):
            answer = _act(context, job, tell, is_over)
    except CasebookBusy:
        return  # it is tried again once its lease is over
    except CardwatchError as refusal:
        answer = _failure(job, refusal)
        _fail(casebook, job, clock, answer)
    except Exception as error:  # noqa: BLE001  it would fail again: once is enough
        answer = _failure(job, error)
        _fail(casebook, job, clock, answer)
    else:
        with casebook.unaudited(job.actor, clock()) as uow:
            jobs.finish_job(uow, job.job_id, answer)


def _failure(job: jobs.Job, error: Exception) -> dict[str, object]:
    """Return the answer of a job that failed; log the stack of an unforeseen error.

    The log holds the type of the error and where it arose, never its words: they may hold cells.
    """
    if isinstance(error, CardwatchError) and not isinstance(error, CasebookFailed):
        return {"code": error.code, "detail": str(error), "file": job.file}
    number = secrets.token_hex(4)
    fault = {"kind": job.kind, "number": number, "stack": stack_of(error)}
    log.error("%(kind)s job failed, error %(number)s: %(stack)s", fault)
    subject = job.file or jobs.SUBJECTS[job.kind]
    detail = f"We could not process {subject} (error {number}). Contact your administrator."
    return {"code": "internal", "detail": detail, "file": job.file, "error_number": number}


def _fail(
    casebook: Casebook,
    job: jobs.Job,
    clock: Callable[[], dt.datetime],
    answer: Mapping[str, object],
) -> None:
    """Keep that a job failed, with an audit event that says so."""
    action = "collection" if job.kind == STATEMENT else "consultation"
    event = AuditEvent(action, "job", job.job_id, outcome="failed")
    with casebook.work(job.actor, event, clock(), lanes=()) as uow:
        jobs.finish_job(uow, job.job_id, answer, failed=True)


def _act(
    context: ServiceContext,
    job: jobs.Job,
    report_percent: Callable[[int], None],
    is_over: Callable[[], bool],
) -> Mapping[str, object]:
    """Do what a job asks for; return its answer."""
    if job.kind == REGISTER_CHECK:
        return run_checks(context, job.content, report_percent, is_over)
    if job.kind == EVALUATION:
        return evaluate_own(context, tell=report_percent, is_over=is_over)
    if job.kind == STATEMENT:
        frame, report, options = unpack_read(job.content)
        return asdict(receive(context, (frame, report), **options, tell=report_percent))
    files = documents.unpack(job.content)
    options = json.loads(files["said.json"])
    return back_test(
        context, options["kind"], files["content"], months=options["months"], tell=report_percent
    )


@contextmanager
def _beating(extend_lease: Callable[[], None]) -> Iterator[None]:
    """Say every few seconds that a job goes on, until it ends."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            with suppress(CasebookBusy):  # others write: it is said again in a moment
                extend_lease()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _sha256(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
