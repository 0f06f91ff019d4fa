"""Requests that need two people: shown, approved and rejected."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from cardwatch.casebook import AuditEvent, approvals
from cardwatch.casebook.register_content import unpack_content
from cardwatch.casebook.registers import list_versions
from cardwatch.errors import Conflict, NotAllowed, NotFound
from cardwatch.registers import known_no_earlier
from cardwatch.services.people import KEEPERS
from cardwatch.services.register_changes import (
    Comparison,
    find_changes,
    split_own,
    versions_until,
)
from cardwatch.vocabulary import ApprovalKind, ApprovalState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import Approval, EntryChangeRow
    from cardwatch.services.context import ServiceContext


def _lanes(context: ServiceContext) -> tuple[str, ...]:
    """Return the lanes that the actor sees and the chain they write in, where requests stand."""
    return tuple(dict.fromkeys((*context.actor.lanes, context.actor.chain)))


@contextmanager
def _work(context: ServiceContext, event: AuditEvent) -> Iterator[UnitOfWork]:
    """Begin a piece of work on the requests of the actor's chain.

    Raises:
        NotAllowed: the role does nothing that needs two people.
    """
    with context.work(event, _lanes(context)) as uow:
        context.allow(KEEPERS, "see requests for an approval")
        yield uow


def list_approvals(context: ServiceContext) -> list[Approval]:
    """Return the requests that the actor may know of, the newest first."""
    with _work(context, AuditEvent("consultation", "approvals")) as uow:
        approvals.clear_expired(uow)
        return approvals.list_approvals(uow)


def get_approval(context: ServiceContext, approval_id: str) -> Approval:
    """Return a request; see `casebook.approvals.get_approval`.

    Of a register it has what the version would do, until it is settled; nothing about the actor.
    """
    event = AuditEvent("consultation", "approval")
    with _work(context, event) as uow:
        approvals.clear_expired(uow)
        approval = approvals.get_approval(uow, approval_id)
        event.object_id = approval["approval_id"]
    if approval["kind"] == ApprovalKind.REGISTER:
        with context.snapshot() as uow:
            comparison = _register_changes(uow, approval)
            if comparison is not None:
                shown = comparison.shown(split_own(uow, comparison.all_changes())[0])
                approval["change_counts"] = shown.counts
                approval["changes"] = [
                    cast("EntryChangeRow", asdict(change)) for change in shown.changes
                ]
    return approval


def is_about_register(context: ServiceContext, approval_id: str) -> bool:
    """Return whether a request is about a register, so that showing it takes a comparison."""
    with (
        suppress(NotFound),
        context.snapshot(_lanes(context)) as uow,
    ):
        return approvals.get_approval(uow, approval_id)["kind"] == ApprovalKind.REGISTER
    return False


def decide_approval(context: ServiceContext, approval_id: str, *, agrees: bool) -> Approval:
    """Approve a request or reject it; see `casebook.approvals.decide_approval`.

    Raises:
        NotAllowed: it leaves out or changes an entry about the actor.
        Conflict: it is about a register of which a newer version has come since, or whose content
            is not kept any more, so that nobody saw what it does.
    """
    event = AuditEvent("access", "approval", outcome="approved" if agrees else "rejected")
    with _work(context, event) as uow:
        if agrees:
            _check_register(uow, approvals.get_approval(uow, approval_id))
        return approvals.decide_approval(uow, approval_id, agrees=agrees)


def _register_changes(uow: UnitOfWork, approval: Approval) -> Comparison | None:
    """Return what the register that a request asks for would do; None where nothing waits.

    It is read from the bytes that are approved, and compared with the version that they follow.
    """
    if approval["kind"] != ApprovalKind.REGISTER:
        return None
    content = approvals.approval_content(uow, approval)
    if content is None:
        return None
    scope = approval["scope"]
    versions = versions_until(uow, scope["register"], scope["follows"])
    register = unpack_content(scope["register"], content)
    day = scope["known_from"] or approval["made_at"][:10]
    if versions:  # as `import_register` takes it
        register = known_no_earlier(register, dt.date.fromisoformat(day))
    return find_changes(uow, versions, register, replaces=scope["replaces"])


def _check_register(uow: UnitOfWork, approval: Approval) -> None:
    """Refuse to approve a register whose changes are about the actor, or are not those shown.

    The people register is about everybody, the actor included.

    Raises:
        NotAllowed, Conflict: see `decide_approval`.
    """
    is_open = approval["state"] == ApprovalState.OPEN and approval["expires_at"] > uow.now
    if approval["kind"] != ApprovalKind.REGISTER or not is_open:
        return
    scope, comparison = approval["scope"], _register_changes(uow, approval)
    if comparison is None:
        raise Conflict("What this request asks for is not kept any more. It has to be made again.")
    newest = [row["version_id"] for row in list_versions(uow, scope["register"])][-1:]
    if newest != [name for name in (scope["follows"],) if name]:
        raise Conflict("A newer version of this register was uploaded. Make the request again.")
    if scope["register"] != "people" and split_own(uow, comparison.lost())[1]:
        raise NotAllowed(
            "It leaves out or changes an entry about you, or somebody whose card you approve. "
            "Somebody else must approve."
        )
