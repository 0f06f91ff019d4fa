"""Daily quotas of one person: counts the files of their requests, and their exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from api.deps import AppStateDep, VerifiedContext
from cardwatch.casebook.quotas import BYTES_PER_MIB, QUOTA_WORDS, use_quota, used_today
from cardwatch.services import ServiceContext
from cardwatch.vocabulary import QuotaKind

if TYPE_CHECKING:
    from api.state import Service
    from cardwatch.casebook import Actor


async def count_files(request: Request, form: FormData) -> None:
    """Count the files of a form against the quota of who sends it.

    Raises:
        QuotaReached: they have sent as many today, or as much, as they may.
    """
    actor: Actor | None = request.state.actor
    sizes = [
        part.size or 0
        for _, part in form.multi_items()
        if isinstance(part, UploadFile) and part.filename
    ]
    if actor is None or not sizes:
        return
    service: Service = request.app.state.service
    amounts = {QuotaKind.UPLOADS: len(sizes), QuotaKind.UPLOAD_MIB: sum(sizes)}
    await anyio.to_thread.run_sync(
        use_quota, service.casebook, actor, amounts, service.settings.quotas, service.clock()
    )


async def count_uploads(request: Request) -> None:
    """Count the files that a request to the API brings; see `count_files`."""
    await count_files(request, await request.form())  # as the operation reads it; none of JSON


def export_context_of(context: VerifiedContext, service: AppStateDep) -> ServiceContext:
    """Count an export, once its code has been given; return the caller's context.

    Raises:
        QuotaReached: they have exported as often today as they may.
    """
    amounts = {QuotaKind.EXPORTS: 1}
    use_quota(context.casebook, context.actor, amounts, service.settings.quotas, context.now)
    return context


ExportContext = Annotated[ServiceContext, Depends(export_context_of)]
"""The context of what answers with payments, alerts, a publication, a case or one of its files."""


def uses_of(service: Service, actor: Actor) -> list[tuple[str, str]]:
    """Return each quota in words, with what somebody has used of it today."""
    used = used_today(service.casebook, actor, service.clock())
    used[QuotaKind.UPLOAD_MIB] = -(-used.get(QuotaKind.UPLOAD_MIB, 0) // BYTES_PER_MIB)
    used[QuotaKind.REQUESTS] = service.requests.used(actor.responsible_id)
    return [
        (
            QUOTA_WORDS[kind][0].upper() + QUOTA_WORDS[kind][1:],
            f"{used.get(kind, 0):,} of {limit:,}",
        )
        for kind, limit in service.settings.quotas.items()
    ]
