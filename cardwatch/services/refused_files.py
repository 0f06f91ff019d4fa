"""Files that a watched folder refused: listed until somebody has dealt with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.casebook import FINANCE, LANES, AuditEvent, Casebook, outbox
from cardwatch.casebook import refused_files as stored
from cardwatch.casebook.tables import RECEIVES
from cardwatch.casebook.uploads import WAITING_BYTES
from cardwatch.services.columns import SETTLED_BY_COLUMNS
from cardwatch.services.notifications import due_notices

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cryptography.fernet import MultiFernet

    from cardwatch.casebook import UnitOfWork
    from cardwatch.errors import CardwatchError
    from cardwatch.services.answers import RefusedArrival
    from cardwatch.services.context import ServiceContext

SEND_AGAIN = "Ask the sender for the whole file again. It is received when it arrives."
STATE_COLUMNS = "State its columns. If it is read with them, this entry goes."
CORRECT = (
    "Correct the file as the reason says and put it into the folder again, or upload it. Then mark "
    "this entry as dealt with."
)
NOT_FETCHED = "not_fetched"
"""The code of an entry about a server from which files cannot be fetched."""
MEND_CONNECTION = (
    "Ask your administrator to check the connection and its settings, or the bank whether its "
    "server has changed. This entry goes once files are fetched again."
)
ADVICE = dict.fromkeys(("incomplete", "doubled", "out_of_sequence", "empty"), SEND_AGAIN)
ADVICE[NOT_FETCHED] = MEND_CONNECTION
"""Advice about a refused file, by the code of its refusal; `CORRECT` for any other."""


@dataclass(frozen=True)
class ArrivedFile:
    """A file of a watched folder: its name as it may be shown, and where its bytes are."""

    name: str
    sha256: str
    size_bytes: int
    source: Path


def refuse_arrival(
    context: ServiceContext, file: ArrivedFile, refusal: CardwatchError, seal: MultiFernet
) -> None:
    """Store that a file was refused, and announce it to the webhook of the lane and by e-mail.

    The same bytes are stored and announced once, until somebody has dealt with them. Where stating
    the columns may be enough, the bytes are kept for a month, sealed.

    Args:
        context: who received it.
        file: what arrived.
        refusal: why it is refused.
        seal: keeps its cells unreadable in the database.

    Raises:
        NotAllowed: the role receives no statements.
    """
    is_kept = refusal.code in SETTLED_BY_COLUMNS and file.size_bytes <= WAITING_BYTES
    facts = {"file": file.name, "sha256": file.sha256, "size_bytes": file.size_bytes}
    facts |= {"code": refusal.code, "reason": str(refusal)}
    _announce(context, facts, (file.source.read_bytes(), seal) if is_kept else None)


def report_fetching(context: ServiceContext, host: str, trouble: str) -> None:
    """Store and announce that files cannot be fetched from a server, as for a refused file.

    Args:
        context: who receives the files.
        host: the server.
        trouble: what is wrong; empty once files are fetched again, which settles it.

    Raises:
        NotAllowed: the role receives no statements.
    """
    sha256 = hashlib.sha256(f"fetched from {host}".encode()).hexdigest()
    if trouble:
        facts = {"file": f"Files on {host}", "sha256": sha256, "size_bytes": 0}
        _announce(context, facts | {"code": NOT_FETCHED, "reason": trouble})
        return
    with context.work(AuditEvent("alteration", "refused-file")) as uow:
        _may_receive(context)
        stored.settle_received(uow, sha256)


def _announce(
    context: ServiceContext,
    facts: Mapping[str, object],
    content: tuple[bytes, MultiFernet] | None = None,
) -> None:
    """Store what was refused, and announce it once to the webhook of the lane and by e-mail.

    Raises:
        NotAllowed: the role receives no statements.
    """
    with context.work(AuditEvent("collection", "refused-file", outcome="failed")) as uow:
        _may_receive(context)
        if stored.put_refused_file(uow, facts, content):
            lane = context.actor.chain
            name = f"{uow.event.object_id} {uow.now}"
            outbox.put_notice(uow, lane, name, "refused")
            if lane == FINANCE:
                outbox.put_notice(uow, lane, f"mail {name}", outbox.MAIL)


def list_refused_files(context: ServiceContext) -> list[RefusedArrival]:
    """Return the refused files that nobody of the actor's role has dealt with, the newest first.

    Raises:
        NotAllowed: the role receives no statements.
    """
    with context.work(AuditEvent("consultation", "refused-files")) as uow:
        _may_receive(context)
        return refused_arrivals(uow)


def refused_arrivals(uow: UnitOfWork) -> list[RefusedArrival]:
    """Return the refused files of the actor's lane, each with what to do about it."""
    return [
        {
            **row,
            "advice": STATE_COLUMNS if row["has_content"] else ADVICE.get(row["code"], CORRECT),
        }
        for row in stored.list_refused_files(uow)
    ]


def open_refused_file(context: ServiceContext, refusal_id: str, seal: MultiFernet) -> str:
    """Let a refused file wait for the actor until its columns are checked; return the upload's id.

    Raises:
        NotAllowed: the role receives no statements.
        NotFound: it is not open any more, or its bytes are not kept.
        CardwatchError: too much waits for this person already.
        FileRefused: it is not as it was kept.
    """
    with context.work(AuditEvent("consultation", "refused-file")) as uow:
        _may_receive(context)
        return stored.open_refused_file(uow, refusal_id, seal)


def settle_refused_file(context: ServiceContext, refusal_id: str) -> None:
    """Mark a refused file as dealt with; the bytes that were kept of it are erased.

    Raises:
        NotAllowed: the role receives no statements.
        NotFound: it is not open any more.
    """
    with context.work(AuditEvent("alteration", "refused-file")) as uow:
        _may_receive(context)
        stored.settle_refused_file(uow, refusal_id)


def mail_refusals(
    casebook: Casebook, clock: Callable[[], dt.datetime], send: Callable[[int], bool]
) -> None:
    """Announce by e-mail the files of finance that were refused, those of an organisation together.

    Args:
        casebook: whose they are.
        clock: what tells the moment.
        send: sends a message that so many files were refused; whether the mail server took it.
    """
    due = due_notices(casebook, clock, outbox.is_any_mail_due, outbox.take_mail_due)
    for actor, notices in due:
        mark = outbox.mark_sent if send(len(notices)) else outbox.mark_failed
        with casebook.unaudited(actor, clock(), lanes=LANES) as uow:
            for notice in notices:
                mark(uow, notice)


def _may_receive(context: ServiceContext) -> None:
    """Refuse who receives no statements; within a piece of work only."""
    context.allow(RECEIVES, "upload statements")
