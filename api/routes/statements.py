"""Routes of statements: upload, list, show and verify."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, File, Form, Header, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from api.deps import AppStateDep, Context, require_code
from api.downloads import as_file
from api.errors import STATUS_OF_CODE, problem
from api.schemas.base import DateOrder, Id, Short
from api.schemas.jobs import Job
from api.schemas.statements import (
    IndependentCheck,
    Receipt,
    StatementDetail,
    StatementPreview,
    shown_preview,
)
from api.state import UPLOAD_BYTES
from api.uploads import preview_upload, read_upload
from cardwatch import services
from cardwatch.casebook import rows
from cardwatch.reports import csv_text, safe_text, unread_rows_filename
from cardwatch.services import answers
from cardwatch.vocabulary import SECOND_PERSON

router = APIRouter(tags=["statements"])
WAIT_SECONDS, LONGEST_WAIT = 10.0, 30.0
ANSWER_POLL_SECONDS = 0.1
LINKS: dict[str, Any] = {
    "statement": {"operationId": "get_statement",
                  "parameters": {"statement_id": "$response.body#/statement_id"}},
    "alerts": {"operationId": "list_alerts",
               "parameters": {"statement_id": "$response.body#/statement_id"}},
}  # fmt: skip
JOB_LINK = {"operationId": "get_job", "parameters": {"job_id": "$response.body#/job_id"}}
RECEIPT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": Receipt, "description": "It is already stored.", "links": LINKS},
    201: {"model": Receipt, "description": "It is kept and scored.", "links": LINKS},
    202: {
        "model": Job | Receipt,
        "links": {"job": JOB_LINK},
        "description": "It is being scored, or waits for a second person.",
    },
}


@router.post(
    "/statements", status_code=201, responses=RECEIPT_RESPONSES, max_body_size=UPLOAD_BYTES
)
async def receive_statement(
    request: Request,
    context: Context,
    service: AppStateDep,
    file: Annotated[UploadFile, File(description="A statement: CSV, XLS, XLSX or ODS.")],
    corrects: Annotated[Short, Form()] = "",
    history: Annotated[
        bool, Form(description="Store only, to compare later statements with it.")
    ] = False,
    columns: Annotated[str, Form(max_length=20_000, description="A column profile, TOML.")] = "",
    date_order: Annotated[DateOrder, Form(examples=["day-first"])] = "decide",
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
    prefer: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    """Upload a statement: it is read at once, then scored and stored with its alerts.

    What takes longer than ten seconds (`Prefer: wait=30` for thirty, `respond-async` for none) is
    answered 202 with a job to follow. The same bytes again give the same statement; the same
    `Idempotency-Key` the same job.
    """

    def ask() -> rows.JobAnswer:
        if corrects:
            require_code(request, context)
        read = read_upload(service, context, file, columns, date_order)
        return services.queue_import(
            context,
            read,
            service.seal,
            corrects=corrects or None,
            is_history=history,
            once=idempotency_key,
        )

    job = await anyio.to_thread.run_sync(ask)
    service.wake.set()
    until = time.monotonic() + _wait(prefer)
    while job["state"] in {"queued", "running"} and time.monotonic() < until:
        await anyio.sleep(ANSWER_POLL_SECONDS)
        job = await anyio.to_thread.run_sync(services.get_job, context, job["job_id"])
    return _answer(request, job)


@router.post("/statements/preview", response_model=StatementPreview, max_body_size=UPLOAD_BYTES)
def preview_statement(
    context: Context,
    service: AppStateDep,
    file: Annotated[UploadFile, File(description="A statement: CSV, XLS, XLSX or ODS.")],
    columns: Annotated[str, Form(max_length=20_000, description="A column profile, TOML.")] = "",
    date_order: Annotated[DateOrder, Form(examples=["day-first"])] = "decide",
) -> StatementPreview:
    """Show how a statement would be read, storing nothing: columns, first payments and totals.

    Where the layout is not known, columns are guessed by heading or by content, and `refusal` says
    what is missing.
    """
    return shown_preview(preview_upload(service, context, file, columns, date_order))


def _wait(prefer: str) -> float:
    """Return for how many seconds a sender wants to wait (RFC 7240)."""
    if "respond-async" in prefer:
        return 0.0
    wait_match = re.search(r"wait=(\d{1,4})", prefer)
    return min(float(wait_match[1]), LONGEST_WAIT) if wait_match else WAIT_SECONDS


def _answer(request: Request, job: rows.JobAnswer) -> Response:
    """The result of an import, or the job to follow."""
    if job["state"] == "failed":
        answer = job["answer"]
        return problem(STATUS_OF_CODE.get(answer["code"], 422), answer["code"], answer["detail"])
    if job["state"] != "done":
        place = request.url_for("get_job", job_id=job["job_id"]).path
        return JSONResponse(job, 202, {"Location": place, "Retry-After": "1"})
    answer = job["answer"]
    if answer["outcome"] == SECOND_PERSON:
        return JSONResponse(answer, 202)
    place = request.url_for("get_statement", statement_id=answer["statement_id"]).path
    status = 201 if answer["outcome"] == "received" else 200
    return JSONResponse(answer, status, {"Location": place})


@router.get("/jobs/{job_id}", response_model=Job)
def get_job(job_id: Id, context: Context) -> rows.JobAnswer:
    """Show a job of the caller's: its state, how many per cent are done, its answer."""
    return services.pseudonymise(context, services.get_job(context, job_id))


@router.get("/statements")
def list_statements(context: Context) -> list[answers.ImportedStatement]:
    """List statements in the order received."""
    return services.list_statements(context)


@router.get("/refused-files")
def list_refused_files(context: Context) -> list[answers.RefusedArrival]:
    """List the files that a watched folder refused and that nobody of the caller's role dealt with.

    The newest comes first. A file that is received later leaves the list by itself.
    """
    return services.list_refused_files(context)


@router.post("/refused-files/{refusal_id}/settlement", status_code=204)
def settle_refused_file(refusal_id: Id, context: Context) -> None:
    """Mark a refused file as dealt with; the bytes that were kept of it are erased."""
    services.settle_refused_file(context, refusal_id)


@router.get("/statements/{statement_id}", response_model=StatementDetail)
def get_statement(statement_id: Id, context: Context) -> answers.StatementDetail:
    """Show one statement with its reading report: what happened to every row."""
    return services.get_statement(context, statement_id)


@router.get(
    "/statements/{statement_id}/problems.csv",
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
def get_problems(statement_id: Id, context: Context) -> Response:
    """Download the rows that could not be read as CSV: row, column, code and message."""
    statement = services.get_statement(context, statement_id)
    names = ("file", "row", "column", "code", "message")
    report = statement["report"]
    rows = [
        [problem.row if name == "row" else safe_text(getattr(problem, name)) for name in names]
        for problem in (report.problems if report else ())
    ]
    return as_file(csv_text([names, *rows]), unread_rows_filename(statement["statement_id"]))


@router.post("/statements/{statement_id}/verification")
def verify_statement(
    statement_id: Id, context: Context, service: AppStateDep
) -> services.StatementCheck:
    """Verify that a statement's rows are unchanged and its alerts can be reproduced."""
    with service.scoring():
        name = services.get_statement(context, statement_id)["statement_id"]
        return services.verify_statement(context, name)


@router.post("/statements/{statement_id}/verification/independent")
def verify_independently(
    statement_id: Id, context: Context, service: AppStateDep
) -> IndependentCheck:
    """Find a statement's limits, splits and duplicates again by a second program."""
    with service.scoring():
        name = services.get_statement(context, statement_id)["statement_id"]
        check = services.verify_independently(context, name)
    return IndependentCheck(
        statement_id=check.statement_id,
        label=check.label,
        agrees=check.agrees,
        rules=services.agreement_rows(check),
    )
