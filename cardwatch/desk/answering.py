"""Alerts for the people who may see them, and their decisions."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from cardwatch.alerts import compared
from cardwatch.casebook import (
    FINANCE,
    PSD,
    Event,
    finding,
    histories,
    naming,
    payment_queries,
    retention,
    suppressions,
)
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.learning import precision_by_rule
from cardwatch.casebook.statements import get_statement, list_statements, newest_scored
from cardwatch.desk.desk import shown
from cardwatch.desk.recipe import Recipe, read_recipe, recipe_of
from cardwatch.rules import rules_sha256

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cardwatch.casebook.work import Work
    from cardwatch.desk.desk import Desk


PERSON_FIELDS = ("holder_id", "approver_id")
PEOPLE_FIELDS = ("holders", "approvers")
"""Fields of answers that name cardholders and approvers: one, or several."""


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
        people = {payment["holder_id"] for payment in found["neighbours"]}
        people |= {payment["holder_id"] for payment in found["raised"]["payments"]}
        people |= {card["holder_id"] for card in found["raised"]["cards"]}
        people |= {holder["holder_id"] for holder in told["merchant"]["holders"]}
        people |= people_of([found, *found["related"]])
        shown_names = naming.holder_names(work, people) if is_named else {}
        names = {
            one: shown_names.get(one, one) if is_named else naming.masked(work, one)
            for one in people
            if one
        }
        told["compared"] = _compared(work, found)
        told["versions"] = _versions(work, found["statement_id"])
        told["places"] = payment_queries.alert_places(work, lane, name)
        told["hold"] = retention.current_hold(work, name, lane)
        told["suppression"] = suppressions.current_suppression(work, found)
        told["answer"] = suppressions.current_answer(work, found)
        return found | told | {"is_named": is_named, "names": names}


def _compared(work: Work, found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what the leading rule of an alert compared; nothing once its statement is erased."""
    statement = get_statement(work, found["statement_id"])
    if not statement["made_with"]:
        return []
    recipe = Recipe(**json.loads(statement["made_with"]))
    used = read_recipe(work, replace(recipe, model="", cards=""))
    lead = found["raised"]["reasons"][0]
    rule = next((one for one in used.rules if one.id == lead["rule"]), None)
    return compared(rule, lead["figures"], used.policy) if rule else []


def _versions(work: Work, statement_id: str) -> list[dict[str, Any]]:
    """The documents that made an alert, by the hashes that Settings shows, and if each is active.

    Empty once the statement is erased. Whoever may not see the rules of professional standards is
    told of the others alone: those may change without a trace here.
    """
    statement = get_statement(work, statement_id)
    if not statement["made_with"]:
        return []
    recipe = Recipe(**json.loads(statement["made_with"]))
    made, active = (_told(work, one) for one in (recipe, recipe_of(work, work.today)))
    return [
        {"kind": kind, "sha256": sha256, "is_active": sha256 == active[kind]}
        for kind, sha256 in made.items()
    ]


def _told(work: Work, recipe: Recipe) -> dict[str, str]:
    """Return a recipe as the actor may know it: the rules by the hash of those of their lanes."""
    rules = read_recipe(work, replace(recipe, model="", cards="")).rules
    lanes = (*work.actor.lanes, FINANCE)
    return asdict(recipe) | {"rules": rules_sha256([one for one in rules if one.lane in lanes])}


def people_of(alerts: Iterable[Mapping[str, Any]]) -> set[str]:
    """The cardholders and approvers that rows of alerts name."""
    return {name for alert in alerts for name in (*alert["holders"], *alert["approvers"])}


def headlines(desk: Desk, ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Return what alerts are called in lists: see `casebook.finding.headlines`."""
    with desk.casebook.quiet(desk.actor, desk.now, lanes=desk.actor.lanes, reads=True) as work:
        return finding.headlines(work, ids)


def overview(desk: Desk) -> dict[str, Any]:
    """Return what stands around a list of alerts, as far as the actor may see it.

    Returns:
        `alerts` that wait for an answer, without snoozed ones, and their `pence`; `earlier`, how
        many of these are not of the newest statement that was scored; `answered_before`, how many
        of its alerts ask what was explained before; `statement_id` and `label`
        of that one, empty where there is none; titles of `rules` and labels of `statements`, by id.
    """
    with desk.casebook.quiet(desk.actor, desk.now, lanes=desk.actor.lanes, reads=True) as work:
        asked = finding.Asked(unanswered=True, awake_on=work.today)
        count, pence = finding.count_alerts(work, asked)
        newest = newest_scored(work)
        earlier, _ = finding.count_alerts(work, replace(asked, besides=newest["statement_id"]))
        held = finding.Asked(state="answered-before", statement_id=newest["statement_id"])
        lanes = (*desk.actor.lanes, FINANCE)
        rules = read_recipe(work, replace(recipe_of(work, work.today), model="", cards="")).rules
        return {
            "alerts": count,
            "pence": pence,
            "earlier": earlier,
            "answered_before": finding.count_alerts(work, held)[0] if held.statement_id else 0,
            "rules": {rule.id: rule.title for rule in rules if rule.lane in lanes},
            "statements": {one["statement_id"]: one["label"] for one in list_statements(work)},
        } | newest


def mask(desk: Desk, holders: set[str]) -> dict[str, str]:
    """Return the names under which holders are shown in lists to the actor."""
    with desk.casebook.quiet(desk.actor, desk.now, reads=True) as work:
        hides = desk.actor.role == PSD
        names = {} if hides else naming.holder_names(work, holders)
        return {one: naming.masked(work, one) if hides else names.get(one, one) for one in holders}


def pseudonymise(desk: Desk, content: Any, *, alert_id: str = "") -> Any:  # noqa: ANN401  JSON
    """Convert an answer for machines to one that shows people under other names to psd.

    Args:
        desk: who asks; others than professional standards get the answer as it is.
        content: what is answered.
        alert_id: the alert it is about: once the actor has given a reason to see the names in it,
            they are shown.
    """
    if desk.actor.role != PSD:
        return content
    with desk.casebook.quiet(desk.actor, desk.now, lanes=desk.actor.lanes, reads=True) as work:
        if alert_id and naming.is_unmasked(work, alert_id):
            return content
        return _with_pseudonyms(work, content)


def _with_pseudonyms(work: Work, content: Any) -> Any:  # noqa: ANN401  JSON
    """Replace every person in some JSON, wherever a field names one."""
    if isinstance(content, dict):
        return {
            name: naming.masked(work, value)
            if name in PERSON_FIELDS and isinstance(value, str) and value
            else [naming.masked(work, one) for one in value]
            if name in PEOPLE_FIELDS and isinstance(value, list | tuple)
            else _with_pseudonyms(work, value)
            for name, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [_with_pseudonyms(work, one) for one in content]
    return content


def unmask(desk: Desk, alert_id: str, *, reason: str) -> None:
    """Let the actor see by name whom an alert is about, from now on; see `casebook.naming`.

    Raises:
        NotAllowed: the role is shown no other names.
        NotFound: there is no such alert that the actor may see.
        CardwatchError: no reason is given.
    """
    with desk.work(Event("consultation", "name")) as work:
        desk.allow((PSD,), "ask for names: it already sees them")
        found = kept.get_alert(work, alert_id)
        naming.unmask(work, found["alert_id"], reason)


def decide(desk: Desk, alert_id: str, said: kept.Said) -> dict[str, Any]:
    """Record a decision, note, assignment or due day; see `casebook.alerts.decide`.

    What was explained is not asked again while it stays the same, for as long as the policy says;
    any other state ends that.
    """
    with desk.work(Event("alteration", "alert")) as work:
        decided = kept.decide(work, alert_id, said)
        policy = read_recipe(work, replace(recipe_of(work, work.today), model="", cards="")).policy
        if said.state == "explained" and policy.answered_days:
            until = desk.now.date() + dt.timedelta(policy.answered_days)
            most = round(decided["at_stake_pence"] * policy.answered_times)
            suppressions.keep_answer(work, decided, until=str(until), most_pence=most)
        elif said.state and said.state != "explained":
            suppressions.drop_answer(work, decided)
        return decided


def suppress(desk: Desk, alert_id: str, *, until: str, reason: str) -> dict[str, Any]:
    """Let alerts like one be closed unasked until a day; see `casebook.suppressions`."""
    with desk.work(Event("alteration", "suppression")) as work:
        found = kept.get_alert(work, alert_id)
        return suppressions.suppress(work, found, until=until, reason=reason)


def check_suppression(desk: Desk, alert_id: str, *, until: str, reason: str) -> None:
    """Refuse a suppression that cannot be made; see `casebook.suppressions.check_suppression`."""
    with desk.work(Event("consultation", "alert")) as work:
        found = kept.get_alert(work, alert_id)
        work.event.object_id = found["alert_id"]
        suppressions.check_suppression(work, found, until=until, reason=reason)


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
    """The number of alerts in each state, and in none."""
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
