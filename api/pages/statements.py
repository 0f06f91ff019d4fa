"""Pages of statements: bring some, check columns once, read what happened to every row."""

from __future__ import annotations

import tomllib
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from api.deps import At, Serving
from api.pages.page import Sent, filled, go, render
from api.service import UPLOAD_BYTES
from api.uploads import read_upload
from cardwatch import desk
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, ColumnsUnknown, NotAllowed
from cardwatch.statements import FIELDS, profile_text, shipped_profiles

router = APIRouter()
MOST_FILES = 24


@router.get("/statements")
def list_statements(request: Request, at: At) -> Response:
    """List the statements held, the newest first."""
    held = list(reversed(desk.list_statements(at)))
    may = at.actor.role in RECEIVES
    return render(request, "statements.html", statements=held, may_receive=may)


@router.get("/statements/new")
def show_upload(request: Request, at: At) -> Response:
    """Show the form for bringing statements."""
    if at.actor.role not in RECEIVES:
        raise NotAllowed("This role receives no statements.")
    return _upload_page(request, at, {})


def _upload_page(request: Request, at: At, errors: dict[str, str]) -> Response:
    held = [{"value": "", "label": "None: these are new"}]
    held += [
        {"value": row["statement_id"], "label": row["label"]}
        for row in reversed(desk.list_statements(at))
        if row["superseded_by"] is None
    ]
    return render(request, "statements_new.html", held=held, errors=errors)


@router.post("/statements/new", max_body_size=MOST_FILES * UPLOAD_BYTES)
async def receive(request: Request, at: At, service: Serving) -> Response:
    """Take statements: each is read at once and put in the queue; say what became of each."""
    async with request.form(max_files=MOST_FILES) as form:
        given = form.getlist("files")
        files = [one for one in given if isinstance(one, UploadFile) and one.filename]
        said = filled(form)
        return await anyio.to_thread.run_sync(_receive_all, request, at, service, files, said)


def _receive_all(
    request: Request, at: At, service: Serving, files: list[UploadFile], said: dict[str, str]
) -> Response:
    """Read each file and put it in the queue; show what became of each."""
    if not files:
        return _upload_page(request, at, {"files": "Select a statement"})
    if said.get("corrects") and len(files) > 1:
        return _upload_page(request, at, {"files": "One statement corrects one other"})
    jobs: list[str] = []
    refused: list[str] = []
    for file in files:
        try:
            read = read_upload(service, at, file, "", said.get("date_order", "decide"))
            job = desk.ask_receive(
                at, read, corrects=said.get("corrects"), is_history="history" in said
            )
            jobs.append(job["job_id"])
        except ColumnsUnknown as unknown:
            return _columns_page(request, unknown, {}, {})
        except NotAllowed:
            raise
        except CardwatchError as refusal:
            refused.append(str(refusal))
    service.wake.set()
    if not jobs and len(files) == 1:
        return _upload_page(request, at, {"files": refused[0]})
    if not refused:
        return go("/statements/jobs?" + "&".join(f"job={name}" for name in jobs))
    told = _told(at, jobs)
    return render(request, "statements_jobs.html", jobs=told, refused=refused, waits=_waits(told))


@router.get("/statements/jobs")
def show_jobs(request: Request, at: At) -> Response:
    """Say what became of statements: the same words whatever was found in them."""
    names = request.query_params.getlist("job")[:MOST_FILES]
    told = _told(at, names)
    return render(request, "statements_jobs.html", jobs=told, refused=[], waits=_waits(told))


def _told(at: At, names: list[str]) -> list[dict[str, Any]]:
    return [desk.get_job(at, name) for name in names]


def _waits(jobs: list[dict[str, Any]]) -> bool:
    return any(one["state"] in {"queued", "running"} for one in jobs)


def _columns_page(
    request: Request, unknown: ColumnsUnknown, chosen: dict[str, str], errors: dict[str, str]
) -> Response:
    """Show which heading may hold which field, to be checked once."""
    guess = tomllib.loads(profile_text(unknown.headings, shipped_profiles())).get("columns", {})
    chosen = chosen or {field: found[0] for field, found in guess.items() if found}
    return render(
        request, "statements_columns.html", status=422,
        fields=FIELDS, headings=[h for h in unknown.headings if h],
        file=unknown.file, chosen=chosen, errors=errors,
    )  # fmt: skip


@router.post("/statements/columns")
def keep_columns(request: Request, at: At, sent: Sent) -> Response:
    """Remember which heading holds which field, for files with the same headings."""
    headings = sent.get("headings", "").split("\n")
    name = sent.get("file", "statement")
    chosen = {field: heading for field, heading in sent.items() if field in FIELDS}
    try:
        desk.keep_columns(at, headings=[h.strip() for h in headings], chosen=chosen)
    except NotAllowed:
        raise
    except CardwatchError as refusal:
        unknown = ColumnsUnknown(name, [h.strip() for h in headings], [], [])
        return _columns_page(request, unknown, chosen, {"date": str(refusal)})
    return go("/statements/new")


@router.get("/statements/{statement_id}")
def show_statement(request: Request, at: At, statement_id: str) -> Response:
    """Show one statement with its reading report."""
    found = desk.get_statement(at, statement_id)
    return render(request, "statement.html", found=found, report=found["report"])
