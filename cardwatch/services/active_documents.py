"""Activates policies, card registers and models, and trains the model anew."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, documents
from cardwatch.casebook import statements as kept
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import NotFound
from cardwatch.scoring import train
from cardwatch.services.history_window import HISTORY_WINDOW_DAYS
from cardwatch.services.packs import check_named_pack
from cardwatch.services.scoring_inputs import (
    active_inputs,
    load_inputs,
    pack_forest,
    unpack_policy,
)
from cardwatch.statements import name_holders

if TYPE_CHECKING:
    from cardwatch.forest import Forest
    from cardwatch.services.context import ServiceContext


def activate_document(
    context: ServiceContext, kind: str, content: bytes, effective_from: str
) -> str:
    """Store a policy, card register or model and activate it from a day; return its hash.

    Raises:
        NotAllowed: the role changes no settings.
        CardwatchError: the day is none.
    """
    day_of(effective_from, "effective_from")
    event = AuditEvent("alteration", kind)
    with (
        context.casebook.import_lock(context.actor.organisation_id),
        context.work(event, ()) as uow,
    ):
        context.allow(RECEIVES, "change settings")
        if kind == "policy":
            check_named_pack(uow, unpack_policy(content))
        event.object_id = documents.activate_document(uow, kind, content, effective_from)
        return event.object_id


def retrain_model(context: ServiceContext) -> str:
    """Train a forest on the last 13 months and activate it from today; return its hash.

    Raises:
        NotAllowed, NotFound, NothingToScore: see `newest_forest`.
    """
    today = str(context.now.date())
    return activate_document(context, "model", pack_forest(newest_forest(context), today), today)


def newest_forest(context: ServiceContext) -> Forest:
    """Return a forest fitted to the last thirteen months.

    Raises:
        NotAllowed: the role changes no settings.
        NotFound: no statement of these months is held.
        NothingToScore: there are too few payments or holders for a forest.
    """
    today = context.now.date()
    with context.work(AuditEvent("combination", "model"), ()) as uow:
        context.allow(RECEIVES, "change settings")
        since = str(today - dt.timedelta(HISTORY_WINDOW_DAYS))
        table = kept.read_window(uow, kept.last_seq(uow), since, str(today))
        loaded = load_inputs(uow, replace(active_inputs(uow, str(today)), model=""))
    if table.empty:
        raise NotFound("No statement of the last 13 months has been uploaded.")
    together, _ = name_holders(kept.as_read(table))
    return train(together, loaded.policy, cards=loaded.cards)
