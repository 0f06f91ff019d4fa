"""Models of requests that need two people."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.base import Lane, Role
from cardwatch.services import EntryChange
from cardwatch.vocabulary import ApprovalKind, ApprovalState


class ApprovalScope(BaseModel):
    """The one act that is asked for; which fields it has depends on the kind."""

    model_config = ConfigDict(extra="forbid")

    export_of: str | None = Field(None, description="case, list or alerts.")
    case_id: str | None = None
    case_version: int | None = Field(None, description="The version of the case that leaves.")
    alert_id: str | None = Field(None, description="The alert that was exported first.")
    alert_ids: list[str] | None = None
    alert_versions: list[int] | None = Field(
        None, description="The version of each of these alerts, in their order."
    )
    attachment_ids: list[str] | None = None
    statement_ids: list[str] | None = None
    lanes: list[Lane] | None = None
    purpose: str | None = None
    recipient: str | None = None
    reason: str | None = None
    person_id: str | None = None
    email: str | None = None
    name: str | None = None
    role: Role | None = None
    holder_id: str | None = None
    holds_no_card: bool | None = None
    ends: bool | None = Field(None, description="Whether the person's access is to end.")
    retention: str | None = Field(None, description="The class of data to keep for `days`.")
    days: int | None = None
    keeps: dict[str, int] | None = Field(None, description="Days by class of data.")
    file: str | None = None
    sha256: str | None = Field(None, description="The hash of the file.")
    rows: list[int] | None = Field(
        None, description="Rows that give somebody the name of somebody else."
    )
    register_kind: str | None = Field(None, alias="register", description="Which register it is.")
    content_sha256: str | None = Field(None, description="The hash of the register as it was read.")
    known_from: str | None = None
    replaces: bool | None = Field(
        None, description="Whether entries that the file lacks are used no more."
    )
    follows: str | None = Field(None, description="The version that was the newest.")


class Approval(BaseModel):
    """A request that another person has to approve before it can be done, once."""

    approval_id: str
    lane: Lane
    kind: ApprovalKind
    scope: ApprovalScope
    state: ApprovalState
    made_by: str
    made_at: str
    expires_at: str
    decided_by: str | None
    decided_at: str | None
    used_at: str | None
    changes: list[EntryChange] | None = Field(
        None,
        description="Of a register that waits: entries it leaves out, changes and adds, without "
        "those about the caller; the first 500.",
    )
    change_counts: dict[str, int] | None = Field(None, description="How many there are of each.")
