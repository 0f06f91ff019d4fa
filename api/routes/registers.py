"""Routes of registers: upload, list, show versions and quality, and review names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from pydantic import BaseModel, Field

from api.deps import AppStateDep, Context
from api.schemas.base import DateOrder, Day, Id, Name, Reason, RequestModel, Short
from api.state import UPLOAD_BYTES
from api.uploads import read_register_file
from cardwatch import services
from cardwatch.vocabulary import SECOND_PERSON, RegisterOutcome

router = APIRouter(tags=["registers"])
REGISTER_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": services.RegisterReceipt, "description": "It is the newest version already."},
    201: {"description": "It is the newest version now; or its decisions are kept."},
    202: {"model": services.RegisterReceipt, "description": "It waits for a second person."},
}
STATUS_OF_OUTCOME: dict[RegisterOutcome, int] = {"received": 201, "held": 200, SECOND_PERSON: 202}


class UnreadableRow(BaseModel):
    """One row of a register that could not be read: where and why, nothing of what it says."""

    row: int
    column: str
    code: str
    message: str


class VersionDetail(BaseModel):
    """One version of a register with what happened to every row of its file."""

    version: services.StoredVersion
    columns: dict[str, str] = Field(description="Field to the heading it was read from.")
    dropped: dict[str, str] = Field(description="Headings that are never taken, with the reason.")
    unused: list[str] = Field(description="Headings that no field of the register has.")
    notes: list[str]
    rows: int
    nil_returns: int = Field(description="Rows that say there is nothing to declare.")
    problems: list[UnreadableRow]
    changes: list[services.EntryChange] = Field(
        description="Entries in use that it leaves out or changes, without those about the caller; "
        "the first 500."
    )
    change_counts: dict[str, int] = Field(description="How many there are of each.")


class MatchDecision(RequestModel):
    """A decision about a name in a register and a merchant; `undecided` takes one back."""

    organisation: Name
    merchant: Name
    decision: Literal["same", "not-the-same", "cannot-tell", "undecided"]
    reason: Reason


@router.get("/registers")
def list_registers(context: Context) -> list[services.RegisterSummary]:
    """List the registers that the caller may see, with how much of each is held."""
    return services.list_registers(context)


@router.post(
    "/registers", status_code=201, responses=REGISTER_RESPONSES, max_body_size=UPLOAD_BYTES
)
def import_register(
    response: Response,
    context: Context,
    service: AppStateDep,
    file: Annotated[UploadFile, File(description="A register: CSV, XLS, XLSX or ODS.")],
    kind: Annotated[
        Short, Form(description="Which register it is; by its name and headings if not given.")
    ] = "",
    known_from: Annotated[Day | None, Form()] = None,
    replaces: Annotated[
        bool, Form(description="Use entries of earlier versions only if this file has them too.")
    ] = False,
    date_order: Annotated[DateOrder, Form(examples=["day-first"])] = "decide",
    columns: Annotated[
        str,
        Form(
            max_length=20_000,
            description="A column profile, TOML, as a refusal of unknown headings gives it.",
        ),
    ] = "",
) -> services.RegisterReceipt:
    """Upload a register: the file is its newest version, and later scorings use it.

    Contracts and companies are finance's; all others belong to professional standards. One that
    waits for a second person is not kept: `notes` says what it does, and `version_id` is empty.

    Unknown headings are answered 422 with the headings seen and a `profile` to be filled in; send
    it as `columns`. It is remembered for your files with the same headings, and for your
    colleagues' once a second person has sent the same.
    """
    register = read_register_file(service, context, file, kind, date_order, columns)
    receipt = services.import_register(
        context, register, known_from=known_from or "", replaces=replaces
    )
    response.status_code = STATUS_OF_OUTCOME[receipt.outcome]
    return receipt


@router.get("/registers/{kind}")
def get_register(kind: Id, context: Context, service: AppStateDep) -> services.RegisterDetail:
    """Show one register: its versions, its quality, and the names that match no merchant."""
    with service.scoring():
        return services.get_register(context, kind)


@router.get("/register-versions/{version_id}")
def get_register_version(version_id: Id, context: Context, service: AppStateDep) -> VersionDetail:
    """Show one version of a register with every row that could not be read."""
    version, report = services.get_version(context, version_id)
    with service.scoring():
        shown = services.version_changes(context, version_id)
    return VersionDetail(
        version=version,
        columns=report.columns,
        dropped=report.dropped,
        unused=list(report.unused),
        notes=[*report.decisions, *report.notes],
        rows=report.rows,
        nil_returns=report.nil_returns,
        problems=[
            UnreadableRow(row=p.row, column=p.column, code=p.code, message=p.message)
            for p in report.problems
        ],
        changes=list(shown.changes),
        change_counts=shown.counts,
    )


@router.get("/matches")
def list_matches(
    context: Context,
    service: AppStateDep,
    *,
    undecided: Annotated[bool, Query(examples=[True])] = False,
) -> list[services.MatchToReview]:
    """List names in registers beside merchants, the surest first, with what was decided."""
    with service.scoring():
        return services.list_matches(context, undecided=undecided)


@router.post("/matches/decisions", status_code=204)
def decide_match(body: MatchDecision, context: Context) -> None:
    """Decide whether a name in a register and a merchant are one; it is remembered for the pair."""
    services.decide_match(
        context,
        organisation=body.organisation,
        merchant=body.merchant,
        decision=body.decision,
        reason=body.reason,
    )
