"""Audit events in the form of the Open Cybersecurity Schema Framework (OCSF), which a SIEM reads.

Schema 1.6.0, class Entity Management (3004): https://schema.ocsf.io/1.6.0/classes/entity_management
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from cardwatch import __version__
from cardwatch.casebook.audit import read_events
from cardwatch.casebook.tables import FINANCE
from cardwatch.casebook.unit_of_work import AuditEvent
from cardwatch.services.checkpoints import check_verifies

if TYPE_CHECKING:
    from cardwatch.casebook.rows import Event
    from cardwatch.services.context import ServiceContext

OCSF_VERSION = "1.6.0"
CATEGORY, ENTITY_MANAGEMENT = 3, 3004
"""Identity & Access Management, and its class."""
CREATE, READ, UPDATE, DELETE, OTHER = 1, 2, 3, 4, 99
ACTIVITIES = {
    "collection": CREATE,
    "consultation": READ,
    "alteration": UPDATE,
    "erasure": DELETE,
}
"""By kind of audit event; the schema has none for disclosure, combination and access."""
SUCCESS, FAILURE = 1, 2
INFORMATIONAL, LOW = 1, 2
NOT_DONE = frozenset({"failed", "denied", "not-found"})
"""Outcomes of an attempt."""
OcsfEvent = dict[str, Any]
"""An event as the OCSF schema has it: objects in objects."""
MAX_SIEM_EVENTS = 10_000
"""Events of one answer; the next one goes on."""


def siem_events(context: ServiceContext, since: int) -> list[OcsfEvent]:
    """Return events of finance's chain as OCSF events, the oldest first.

    The chain of professional standards goes to no SIEM: its administrators would read it.

    Args:
        context: who reads; nobody who holds a card.
        since: number of the event after which they lie (`metadata.sequence`); 0 for the first.

    Raises:
        NotAllowed: the actor holds a card.
    """
    event = AuditEvent("consultation", "audit", purpose="for a SIEM")
    with context.work(event, (FINANCE,)) as uow:
        check_verifies(context)
        events = read_events(uow, FINANCE, after=since, before=since + MAX_SIEM_EVENTS + 1)
        owner = context.actor.organisation_id
        return [_ocsf_event(event, owner) for event in reversed(list(events))]


def _ocsf_event(event: Event, organisation_id: str) -> OcsfEvent:
    """Return an audit event as an OCSF event: ids alone, as the chain has them."""
    activity = ACTIVITIES.get(event["action"], OTHER)
    has_failed = event["outcome"] in NOT_DONE
    user: dict[str, Any] = {"uid": event["actor"]}
    if event["role"]:
        user["groups"] = [{"name": event["role"]}]
    entity = {"name": event["object"], "type": event["object"]}
    if event["id"]:
        entity["uid"] = event["id"]
    return {
        "activity_id": activity,
        "activity_name": event["action"].capitalize(),
        "actor": {"user": user},
        "category_uid": CATEGORY,
        "class_uid": ENTITY_MANAGEMENT,
        "entity": entity,
        "message": f"{event['action']} of {event['object']}: {event['outcome']}",
        "metadata": {
            "product": {"name": "cardwatch", "version": __version__},
            "sequence": event["seq"],
            "tenant_uid": organisation_id,
            "uid": f"{organisation_id}:{event['seq']}",
            "version": OCSF_VERSION,
        },
        "severity_id": LOW if has_failed else INFORMATIONAL,
        "status": event["outcome"],
        "status_id": FAILURE if has_failed else SUCCESS,
        "time": round(dt.datetime.fromisoformat(event["at"]).timestamp() * 1000),
        "type_uid": ENTITY_MANAGEMENT * 100 + activity,
    }
