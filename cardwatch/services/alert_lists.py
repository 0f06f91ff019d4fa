"""Lists of alerts: how many fit, which are next to one, units and assignees, and many decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, alert_queries, alerts, people
from cardwatch.errors import CardwatchError
from cardwatch.services.authority import check_decision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.alerts import DecisionInput
    from cardwatch.casebook.rows import Assignee
    from cardwatch.services.context import ServiceContext

MAX_DECIDED_TOGETHER = 50


def count_alerts(context: ServiceContext, filters: alert_queries.AlertFilter) -> tuple[int, int]:
    """How many alerts the actor may see fit some filters, and the pence at stake in them."""
    with context.snapshot() as uow:
        return alert_queries.count_alerts(uow, filters)


def adjacent_alerts(
    context: ServiceContext, filters: alert_queries.AlertFilter, alert_id: str
) -> tuple[str, str]:
    """The ids of the alerts before and after one in a filtered list, each empty without one."""
    with context.snapshot() as uow:
        return alert_queries.adjacent_alerts(uow, filters, alert_id)


def list_units(context: ServiceContext) -> list[str]:
    """The units that bear the cost in alerts the actor may see."""
    with context.snapshot() as uow:
        return alert_queries.list_units(uow)


def list_assignees(context: ServiceContext) -> list[Assignee]:
    """The `name` and `email` of the people of the actor's role, to whom an alert is assigned."""
    with context.snapshot(()) as uow:
        return people.list_assignees(uow)


def decide_together(
    context: ServiceContext, versions: Mapping[str, int], decision: DecisionInput
) -> int:
    """Record one decision on several alerts, on all of them or on none; return how many.

    Args:
        context: who decides.
        versions: of each alert by its id, the number of the last decision they have seen.
        decision: what is recorded on each; its own `seen` is not used.

    Raises:
        NotAllowed: the role does not decide one of them.
        NotFound: there is no such alert that the actor may see.
        Changed: somebody has decided on one of them since.
        CardwatchError: no alert, too many, no state or no reason.
    """
    if not 1 <= len(versions) <= MAX_DECIDED_TOGETHER:
        sentence = f"Select 1 to {MAX_DECIDED_TOGETHER} alerts."
        raise CardwatchError(sentence, field="alert")
    if not decision.state:
        raise CardwatchError("Choose a decision", field="state")
    event = AuditEvent("alteration", "alerts", counts={"alerts": len(versions)})
    with context.work(event) as uow:
        decide_each(uow, versions, decision)
        event.object_id = ""
    return len(versions)


def decide_each(uow: UnitOfWork, versions: Mapping[str, int], decision: DecisionInput) -> None:
    """Record one decision on several alerts, each with its event; see `decide_together`."""
    for alert_id, version in versions.items():
        check_decision(uow, alert_id, decision)
        decided = alerts.decide(uow, alert_id, replace(decision, seen=version))
        uow.extra_events.append(AuditEvent("alteration", "alert", decided["alert_id"]))
