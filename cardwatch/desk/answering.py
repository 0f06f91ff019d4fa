"""Shows alerts to those who may see them, and records what they decide."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cardwatch.casebook import (
    PSD,
    Event,
    finding,
    histories,
    naming,
    retention,
    suppressions,
)
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.learning import precision_by_rule
from cardwatch.desk.desk import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.desk.desk import Desk


def list_alerts(
    desk: Desk,
    *,
    after: Sequence[float | str] = (),
    limit: int | None = None,
    **asked: Any,  # noqa: ANN401  the fields of `Asked`
) -> list[dict[str, Any]]:
    """Return the alerts the actor may see, in the order to be asked in; see `find_alerts`.

    Args:
        desk: who asks.
        after: the `place` of the alert after which they begin.
        limit: the most that are given.
        **asked: which of them: the fields of `casebook.finding.Asked`.
    """
    with desk.work(Event("consultation", "alerts")) as work:
        desk.sees_alerts()
        return finding.find_alerts(work, finding.Asked(**asked), after=after, limit=limit)


def get_alert(desk: Desk, alert_id: str) -> dict[str, Any]:
    """Return one alert whole, with its decisions.

    Raises:
        NotFound: there is none that the actor may see.
    """
    event = Event("consultation", "alert")
    with desk.work(event) as work:
        desk.sees_alerts()
        found = kept.get_alert(work, alert_id)
        event.object_id = found["alert_id"]
        return found


def get_history(desk: Desk, alert_id: str) -> dict[str, Any]:
    """Return the year behind an alert: of its holder, of its merchant, and who looked at it.

    For professional standards holders stand under another name until they ask, with a reason, to
    see them by their own: `names` gives the one shown for each.

    Raises:
        NotFound: there is no such alert that the actor may see.
    """
    event = Event("consultation", "alert")
    with desk.work(event) as work:
        desk.sees_alerts()
        found = kept.get_alert(work, alert_id)
        lane, name = found["lane"], found["alert_id"]
        event.object_id = name
        told: dict[str, Any] = {
            "holder": histories.holder_year(work, lane, name),
            "merchant": histories.merchant_year(work, lane, name),
            "seen": naming.seen_by(work, name),
            "unmaskings": [shown(row) for row in naming.list_unmaskings(work, name)],
        }
        is_named = desk.actor.role != PSD or naming.is_unmasked(work, name)
        held = {found["holder_id"], *(one["holder_id"] for one in found["neighbours"])}
        held |= {one["holder_id"] for one in told["merchant"]["holders"]}
        held |= {one["holder_id"] for one in found["related"]}
        names = {one: one if is_named else naming.masked(work, one) for one in held if one}
        return found | told | {"is_named": is_named, "names": names}


def mask(desk: Desk, holders: set[str]) -> dict[str, str]:
    """Return the names under which holders are shown in lists to the actor."""
    with desk.casebook.quiet(desk.actor, desk.now, reads=True) as work:
        hides = desk.actor.role == PSD
        return {one: naming.masked(work, one) if hides else one for one in holders}


def unmask(desk: Desk, alert_id: str, *, reason: str) -> None:
    """Let the actor see by name whom an alert is about, from now on; see `casebook.naming`.

    Raises:
        NotAllowed: the role is shown no other names.
        NotFound: there is no such alert that the actor may see.
        CardwatchError: no reason is given.
    """
    with desk.work(Event("consultation", "name")) as work:
        desk.allow((PSD,), "is shown names as they are")
        found = kept.get_alert(work, alert_id)
        naming.unmask(work, found["alert_id"], reason)


def decide(desk: Desk, alert_id: str, said: kept.Said) -> dict[str, Any]:
    """Record a decision, note, assignment or due day; see `casebook.alerts.decide`."""
    with desk.work(Event("alteration", "alert")) as work:
        return kept.decide(work, alert_id, said)


def suppress(desk: Desk, alert_id: str, *, until: str, reason: str) -> dict[str, Any]:
    """Let alerts like one be closed unasked until a day; see `casebook.suppressions`."""
    with desk.work(Event("alteration", "suppression")) as work:
        found = kept.get_alert(work, alert_id)
        return suppressions.suppress(work, found, until=until, reason=reason)


def end_suppression(desk: Desk, suppression_id: str) -> None:
    """End a suppression before its day; see `casebook.suppressions`."""
    with desk.work(Event("alteration", "suppression")) as work:
        suppressions.end_suppression(work, suppression_id)


def list_suppressions(desk: Desk) -> list[dict[str, Any]]:
    """Return the suppressions of the actor's lanes."""
    with desk.work(Event("consultation", "suppressions")) as work:
        desk.sees_alerts()
        return [shown(row) for row in suppressions.list_suppressions(work)]


def learned(desk: Desk, *, by_month: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Return for each of the actor's lanes how often each rule's alerts were upheld.

    It is told by band of evidence, or by month, which then stands in place of the band.
    """
    with desk.work(Event("consultation", "precision")) as work:
        desk.sees_alerts()
        told = {lane: finding.answers(work, lane, by_month=by_month) for lane in work.lanes}
    return {lane: [asdict(one) for one in precision_by_rule(rows)] for lane, rows in told.items()}


def reconciled(desk: Desk) -> dict[str, int]:
    """Return how many of the alerts ever raised stand in each state, and how many in none."""
    with desk.work(Event("consultation", "alerts")) as work:
        desk.sees_alerts()
        return kept.reconcile(work)


def hold(desk: Desk, alert_id: str, *, reason: str) -> str:
    """Keep an alert and its payments beyond their time; return the hold's id."""
    with desk.work(Event("alteration", "hold")) as work:
        desk.sees_alerts()
        found = kept.get_alert(work, alert_id)
        return retention.hold(work, found["alert_id"], found["lane"], reason)


def end_hold(desk: Desk, hold_id: str) -> None:
    """End a hold; see `casebook.retention.end_hold`."""
    with desk.work(Event("alteration", "hold")) as work:
        retention.end_hold(work, hold_id)


def list_holds(desk: Desk) -> list[dict[str, Any]]:
    """Return the holds of the actor's lanes."""
    with desk.work(Event("consultation", "holds")) as work:
        desk.sees_alerts()
        return [shown(row) for row in retention.list_holds(work)]
