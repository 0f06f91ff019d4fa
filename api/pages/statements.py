"""Pages of statements: upload, check columns, and the report of every row."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import At, Serving
from api.pages.page import (
    MOST_FILES,
    Fields,
    Files,
    Sent,
    chips,
    day_faults,
    field_errors,
    filled,
    go,
    render,
)
from api.service import UPLOAD_BYTES
from api.uploads import read_upload
from cardwatch import desk
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, ColumnsUnknown, NotAllowed
from cardwatch.reports.words import day
from cardwatch.statements import FIELDS, guess_columns, shipped_profiles

router = APIRouter()
KEPT = ("corrects", "history", "date_order", "jobs")
"""Form fields that are kept while columns are checked."""
NEEDED = ("date", "merchant", "amount", "employee_id", "cardholder", "card_number", "holder_id")
"""Fields that nearly every file has, asked for first."""
UNCLEAR_DATES = {"date_order_unknown", "date_order_mixed"}
"""Codes of refusals that end once somebody says which order the dates have."""
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

    may_receive = at.actor.role in RECEIVES
    return render(
        request, "statements.html", errors=errors, held=held, chosen=chosen,
        refused=desk.list_refused_files(at) if may_receive else [],
        statements=[(one, STATES[_state(one)]) for one in shown], states=STATES,
        sources={one["layout"]: _source(one["layout"]) for one in held if one["layout"]},
        chips=chips(chosen, words, lambda rest: f"/statements?{urlencode(rest)}"),
        may_receive=may_receive,
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
        raise NotAllowed("Your role cannot upload statements.")
    return _upload_page(request, at, {})


def _upload_page(
    request: Request,
    at: At,
    errors: dict[str, str],
    sent: dict[str, str] | None = None,
    *,
    is_open: bool = False,
) -> Response:
    """Show the form for uploading statements; `is_open` shows the choices that few files need."""
    held = [{"value": "", "label": "None: these are new"}]
    held += [
        {"value": row["statement_id"], "label": row["label"]}
        for row in reversed(desk.list_statements(at))
        if row["superseded_by"] is None
    ]
    return render(
        request, "statements_new.html", held=held, errors=errors, sent=sent or {},
        is_open=is_open or not errors.keys() <= {"files", ""},
    )  # fmt: skip


@router.post("/statements/new", max_body_size=MOST_FILES * UPLOAD_BYTES)
def receive(request: Request, at: At, service: Serving, files: Files, said: Sent) -> Response:
    """Take statements: each is read at once and put in the queue; say what became of each."""
    if not files:
        return _upload_page(request, at, {"files": "Select a statement"})
    if said.get("corrects") and len(files) > 1:
        return _upload_page(
            request, at, {"files": "Choose one file to correct one statement"}, said, is_open=True
        )
    jobs = said.get("jobs", "").split()
    unknown: list[ColumnsUnknown] = []
    for file in files:
        try:
            read = read_upload(service, at, file, "", said.get("date_order", "decide"))
            job = desk.ask_receive(
                at, read, corrects=said.get("corrects"), is_history="history" in said
            )
            jobs.append(job["job_id"])
        except ColumnsUnknown as refusal:
            unknown.append(refusal)
        except CardwatchError as refusal:
            errors = field_errors(refusal, {"file": "files"})
            if len(files) == 1 and not jobs:
                is_open = refusal.code in UNCLEAR_DATES
                return _upload_page(request, at, errors, said, is_open=is_open)
            jobs.append(desk.note_refusal(at, refusal)["job_id"])
    service.wake.set()
    if unknown:
        return _columns_page(request, at, unknown, said | {"jobs": " ".join(jobs)}, {})
    return go("/statements/jobs?" + "&".join(f"job={name}" for name in jobs))


@router.get("/statements/jobs")
def show_jobs(request: Request, at: At) -> Response:
    """Say what became of statements: the same words whatever was found in them."""
    names = request.query_params.getlist("job")[:MOST_FILES]
    told = [desk.get_job(at, name) for name in names]
    waits = any(one["state"] in {"queued", "running"} for one in told)
    failed = [job for job in told if job["state"] == "failed" or _is_waiting(job)]
    if waits:
        heading = "Statements are being scored"
    elif len(failed) == len(told):
        heading = "Statements not uploaded"
    else:
        heading = "Some statements were not uploaded" if failed else "Statements uploaded"
    return render(request, "statements_jobs.html", jobs=told, waits=waits, heading=heading)


def _is_waiting(job: dict[str, Any]) -> bool:
    """Return whether a statement waits for a second person."""
    return bool(job["answer"]) and job["answer"].get("outcome") == "second-person"


def _columns_page(
    request: Request,
    at: At,
    unknown: list[ColumnsUnknown],
    sent: dict[str, str],
    errors: dict[str, str],
) -> Response:
    """Show which heading may hold which field, to be checked once; the first file is asked about.

    What was said of the files, and became of others that came with them, goes on with the form.
    """
    first = unknown[0]
    headings = [" ".join(heading.split()) for heading in first.headings]
    guesses = {} if errors else guess_columns(headings, shipped_profiles())
    same = [one.file for one in unknown if one.headings == first.headings]
    return render(
        request, "statements_columns.html", status=422,
        fields=FIELDS, headings=[heading for heading in headings if heading], needed=NEEDED,
        files=same, others=[one.file for one in unknown if one.file not in same],
        jobs=[desk.get_job(at, name) for name in sent.get("jobs", "").split()],
        sent=guesses | sent, kept=KEPT, errors=errors,
    )  # fmt: skip


@router.post("/statements/columns", max_body_size=MOST_FILES * UPLOAD_BYTES)
def keep_columns(
    request: Request, at: At, service: Serving, files: Files, sent: Fields
) -> Response:
    """Remember which heading holds which field; take the files that come with it."""
    headings = [one.strip() for one in sent.get("headings", "").split("\n")]
    chosen = {field: heading for field, heading in sent.items() if field in FIELDS}
    try:
        desk.keep_columns(at, headings=headings, chosen=chosen)
    except CardwatchError as refusal:
        errors = field_errors(refusal)
        names = sent.get("file", "statement").split("\n")
        unknown = [ColumnsUnknown(one.strip(), headings, [], []) for one in names]
        return _columns_page(request, at, unknown, filled(sent), errors)
    if not files:
        return go("/statements/new")
    kept = {name: sent[name] for name in KEPT if sent.get(name)}
    return receive(request, at, service, files, kept)


@router.get("/statements/{statement_id}")
def show_statement(request: Request, at: At, statement_id: str) -> Response:
    """Show one statement with its reading report."""
    found = desk.get_statement(at, statement_id)
    return render(request, "statement.html", found=found, report=found["report"])
