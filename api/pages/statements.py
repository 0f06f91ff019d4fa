"""Pages of statements: bring some, check columns once, read what happened to every row."""

from __future__ import annotations

import tomllib
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from api.deps import At, Serving
from api.pages.page import Sent, chips, day_faults, filled, go, render
from api.service import UPLOAD_BYTES
from api.uploads import read_upload
from cardwatch import desk
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, ColumnsUnknown, NotAllowed
from cardwatch.reports.words import day
from cardwatch.statements import FIELDS, profile_text, shipped_profiles

router = APIRouter()
MOST_FILES = 24
STATES = {"scored": "Scored", "history": "History", "superseded": "Superseded"}
FILTERS = {"state": "State", "layout": "Source", "since": "Days from", "until": "Days to"}


@router.get("/statements")
def list_statements(request: Request, at: At) -> Response:
    """List the statements held that were chosen, the newest first."""
    held = list(reversed(desk.list_statements(at)))
    chosen = {k: v for k, v in filled(request.query_params).items() if k in FILTERS}
    errors = day_faults(chosen, ("since", "until"))
    shown = [] if errors else [one for one in held if _fits(one, chosen)]

    def words(name: str, value: str) -> str:
        told = {"state": STATES.get(value, value), "layout": _source(value)}.get(name, value)
        is_day = name in {"since", "until"} and name not in errors
        return f"{FILTERS[name]}: {day(value) if is_day else told}"

    return render(
        request, "statements.html", errors=errors, held=held, chosen=chosen,
        statements=[(one, STATES[_state(one)]) for one in shown], states=STATES,
        sources={one["layout"]: _source(one["layout"]) for one in held if one["layout"]},
        chips=chips(chosen, words, lambda rest: f"/statements?{urlencode(rest)}"),
        may_receive=at.actor.role in RECEIVES,
    )  # fmt: skip


def _state(one: dict[str, Any]) -> str:
    """Return what a statement is kept for."""
    if one["superseded_by"]:
        return "superseded"
    return "scored" if one["is_scored"] else "history"


def _source(layout: str) -> str:
    """Return what a column profile is called; one for whatever no other fits has no name."""
    return "Other" if layout == "any" else layout


def _fits(one: dict[str, Any], chosen: dict[str, str]) -> bool:
    """Return whether a statement fits the filters; of a period, whether it has a day in it."""
    return (
        chosen.get("state", _state(one)) == _state(one)
        and chosen.get("layout", one["layout"]) == one["layout"]
        and chosen.get("since", "") <= one["last_on"]
        and one["first_on"] <= chosen.get("until", one["first_on"])
    )


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
