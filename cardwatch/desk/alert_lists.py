"""Lists of alerts: how many fit, which are next to one, units and assignees, and many decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cardwatch.casebook import Event, alerts, finding, people
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook.alerts import Said
    from cardwatch.desk.desk import Desk

MAX_DECIDED_TOGETHER = 50


def count_alerts(desk: Desk, filters: finding.Asked) -> tuple[int, int]:
    """How many alerts the actor may see fit some filters, and the pence at stake in them."""
    with desk.casebook.quiet(desk.actor, desk.now, lanes=desk.actor.lanes, reads=True) as work:
        return finding.count_alerts(work, filters)


def adjacent_alerts(desk: Desk, filters: finding.Asked, alert_id: str) -> tuple[str, str]:
    """The ids of the alerts before and after one in a filtered list, each empty without one."""
    with desk.casebook.quiet(desk.actor, desk.now, lanes=desk.actor.lanes, reads=True) as work:
        return finding.adjacent_alerts(work, filters, alert_id)


def list_units(desk: Desk) -> list[str]:
    """The units that bear the cost in alerts the actor may see."""
    with desk.casebook.quiet(desk.actor, desk.now, lanes=desk.actor.lanes, reads=True) as work:
        return finding.list_units(work)


def list_assignees(desk: Desk) -> list[dict[str, Any]]:
    """The `name` and `email` of the people of the actor's role, to whom an alert is assigned."""
    with desk.casebook.quiet(desk.actor, desk.now, reads=True) as work:
        return people.list_assignees(work)


def decide_together(desk: Desk, versions: Mapping[str, int], decision: Said) -> int:
    """Record one decision on several alerts, on all of them or on none; return how many.

    Args:
        desk: who decides.
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
    event = Event("alteration", "alerts", counts={"alerts": len(versions)})
    with desk.work(event) as work:
        for alert_id, version in versions.items():
            decided = alerts.decide(work, alert_id, replace(decision, seen=version))
            work.also.append(Event("alteration", "alert", decided["alert_id"]))
        event.object_id = ""
    return len(versions)
