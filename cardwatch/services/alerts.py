"""Alerts for the people who may see them, and their decisions."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cardwatch.alerts import compared, joined_facts
from cardwatch.casebook import (
    PSD,
    AuditEvent,
    alert_context,
    alert_queries,
    payment_queries,
    pseudonyms,
    retention,
    suppressions,
)
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.precision import precision_by_rule
from cardwatch.casebook.statements import get_statement, list_statements, newest_scored
from cardwatch.errors import CardwatchError
from cardwatch.quantities import money
from cardwatch.records import Alert
from cardwatch.rules import rules_sha256
from cardwatch.services.authority import authorities, check_alerts, check_decision
from cardwatch.services.entry_masks import masked_entry, masked_item
from cardwatch.services.scoring_inputs import (
    ScoringInputs,
    active_inputs,
    active_settings,
    load_inputs,
)
from cardwatch.statements.cells import LARGEST_PENCE, read_pence

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cardwatch.casebook.alert_rows import (
        AlertDetail,
        AlertRow,
        AlertTitle,
        Hold,
        ListedAlert,
        Suppression,
    )
    from cardwatch.casebook.precision import Precision
    from cardwatch.casebook.unit_of_work import UnitOfWork
    from cardwatch.services.answers import (
        AlertHistory,
        DocumentVersion,
        InboxSummary,
        ShownAlert,
    )
    from cardwatch.services.context import ServiceContext
    from cardwatch.services.scoring_inputs import LoadedInputs
    from cardwatch.vocabulary import Lane


PERSON_FIELDS = ("holder_id", "approver_id")
PEOPLE_FIELDS = ("holders", "approvers")
"""Fields of answers that name cardholders and approvers: one, or several."""


def list_alerts(
    context: ServiceContext,
    alert_filter: alert_queries.AlertFilter = alert_queries.AlertFilter(),  # noqa: B008  frozen
    *,
    after: Sequence[float | str] = (),
    offset: int = 0,
    limit: int | None = None,
) -> list[ListedAlert]:
    """Return the alerts the actor may see, in the order asked for; see `find_alerts`."""
    with context.work(AuditEvent("consultation", "alerts")) as uow:
        context.require_alert_access()
        return alert_queries.find_alerts(uow, alert_filter, after=after, offset=offset, limit=limit)


def get_alert(context: ServiceContext, alert_id: str) -> ShownAlert:
    """Return one alert whole, with its decisions.

    Raises:
        NotFound: there is none that the actor may see.
    """
    event = AuditEvent("consultation", "alert")
    with context.work(event) as uow:
        context.require_alert_access()
        alert = kept.get_alert(uow, alert_id)
        event.object_id = alert["alert_id"]
        return {**alert, "clause": clause_behind(uow, alert), "authority": _authority(uow, alert)}


def _authority(uow: UnitOfWork, alert: AlertRow) -> str:
    """Who alone decides an alert, being about a chief officer; empty for any other."""
    return authorities(uow, [alert["alert_id"]]).get(alert["alert_id"], "")


def get_history(context: ServiceContext, alert_id: str) -> AlertHistory:
    """Return the year behind an alert: of its holder, of its merchant, and who looked at it.

    For professional standards holders stand under another name until they ask, with a reason, to
    see them by their own: `names` gives the one shown for each.

    Raises:
        NotFound: there is no such alert that the actor may see.
    """
    event = AuditEvent("consultation", "alert")
    with context.work(event) as uow:
        context.require_alert_access()
        alert = kept.get_alert(uow, alert_id)
        lane, name = alert["lane"], alert["alert_id"]
        event.object_id = name
        is_named = context.actor.role != PSD or pseudonyms.is_revealed(uow, name)
        merchant = alert_context.merchant_year(uow, lane, name)
        people = {payment["holder_id"] or "" for payment in alert["neighbours"]}
        people |= {payment.holder_id for payment in alert["raised"].payments}
        people |= {card.holder_id for card in alert["raised"].cards}
        people |= {holder["holder_id"] for holder in merchant["holders"]}
        people |= people_of([alert, *alert["related"]])
        if not is_named:
            alert["raised"] = _masked(uow, alert["raised"])
        recipe, loaded = _made_with(uow, alert["statement_id"])
        return {
            **alert,
            "holder": alert_context.holder_year(uow, lane, name),
            "merchant": merchant,
            "seen": pseudonyms.access_log(uow, name),
            "identity_reveals": pseudonyms.list_reveals(uow, name),
            "facts": joined_facts(alert["raised"].reasons),
            "clause": _clause(alert, loaded),
            "authority": _authority(uow, alert),
            "compared": _compared(alert, loaded),
            "versions": _versions(uow, recipe, loaded),
            "places": payment_queries.alert_places(uow, lane, name),
            "hold": retention.current_hold(uow, name, lane),
            "suppression": suppressions.current_suppression(uow, alert),
            "answer": suppressions.current_answer(uow, alert),
            "is_named": is_named,
            "names": pseudonyms.shown_names(uow, people - {""}, people if is_named else ()),
        }


def _made_with(
    uow: UnitOfWork, statement_id: str
) -> tuple[ScoringInputs, LoadedInputs] | tuple[None, None]:
    """The documents that made a statement's alerts, without model and cards as they were read.

    Nothing once the statement is erased.
    """
    made_with = get_statement(uow, statement_id)["made_with"]
    if not made_with:
        return None, None
    recipe = ScoringInputs(**json.loads(made_with))
    return recipe, load_inputs(uow, replace(recipe, model="", cards=""))


def _compared(alert: AlertDetail, loaded: LoadedInputs | None) -> list[tuple[str, str, str]]:
    """Return what the leading rule of an alert compared; nothing once its statement is erased."""
    if loaded is None:
        return []
    lead = alert["raised"].reasons[0]
    rule = next((candidate for candidate in loaded.rules if candidate.id == lead.rule), None)
    return compared(rule, lead.figures, loaded.policy) if rule else []


def clause_behind(uow: UnitOfWork, alert: AlertRow) -> str:
    """The clause of the card policy that an alert rests on, as the policy had it that raised it.

    Empty where the policy gives none, or once the statement is erased.
    """
    return _clause(alert, _made_with(uow, alert["statement_id"])[1])


def _clause(alert: AlertRow, loaded: LoadedInputs | None) -> str:
    """The clause of a policy that an alert rests on; empty where there is none."""
    return loaded.policy.clause_of(alert["rule"], alert["kind"]) if loaded else ""


def _versions(
    uow: UnitOfWork, recipe: ScoringInputs | None, loaded: LoadedInputs | None
) -> list[DocumentVersion]:
    """The documents that made an alert, by the hashes that Settings shows, and if each is active.

    Empty once the statement is erased. Whoever may not see the rules of professional standards is
    told of the others alone: those may change without a trace here.
    """
    if recipe is None or loaded is None:
        return []
    now = active_inputs(uow, uow.today)
    active = _told(uow, now, load_inputs(uow, replace(now, model="", cards="")))
    return [
        {"kind": kind, "sha256": sha256, "is_active": sha256 == active[kind]}
        for kind, sha256 in _told(uow, recipe, loaded).items()
        if kind != "pack" or sha256
    ]


def _told(uow: UnitOfWork, recipe: ScoringInputs, loaded: LoadedInputs) -> dict[str, str]:
    """Return a recipe as the actor may know it: the rules by the hash of those of their lanes."""
    rules = [rule for rule in loaded.rules if rule.lane in uow.actor.rule_lanes]
    return asdict(recipe) | {"rules": rules_sha256(rules), "pack": loaded.policy.pack_name}


def people_of(alerts: Iterable[Mapping[str, object]]) -> set[str]:
    """The cardholders and approvers that rows of alerts name."""
    fields = (alert[field] for alert in alerts for field in PEOPLE_FIELDS)
    return {name for names in fields for name in cast("Sequence[str]", names)}


def alert_titles(context: ServiceContext, ids: Collection[str]) -> dict[str, AlertTitle]:
    """Return what alerts are called in lists: see `casebook.alert_queries.alert_titles`."""
    with context.snapshot() as uow:
        titles = alert_queries.alert_titles(uow, ids)
        for alert_id, name in authorities(uow, ids).items():
            if alert_id in titles:
                titles[alert_id]["authority"] = name
        return titles


def inbox_summary(context: ServiceContext) -> InboxSummary:
    """Return what stands around a list of alerts, as far as the actor may see it.

    Returns:
        `alerts` that wait for an answer, without snoozed ones, and their `pence`; `earlier`, how
        many of these are not of the newest statement that was scored; `by_chance`, what its list
        says of entries of registers that match by chance; `answered_before` and
        `not_asked`, how many of its alerts ask what was explained before or are more than the
        policy's budget; `statement_id` and `label` of that one, empty where there is none; titles
        of `rules` and labels of `statements`, by id.
    """
    with context.snapshot() as uow:
        alert_filter = alert_queries.AlertFilter(unanswered=True, awake_on=uow.today)
        count, pence = alert_queries.count_alerts(uow, alert_filter)
        newest = newest_scored(uow)
        earlier, _ = alert_queries.count_alerts(
            uow, replace(alert_filter, besides=newest["statement_id"])
        )

        def closed(state: str) -> int:
            """How many alerts of the newest statement closed by themselves in a state."""
            if not newest["statement_id"]:
                return 0
            of_newest = alert_queries.AlertFilter(state=state, statement_id=newest["statement_id"])
            return alert_queries.count_alerts(uow, of_newest)[0]

        rules = active_settings(uow).rules
        return {
            **newest,
            "by_chance": kept.note_by_chance(uow, uow.actor.role, newest["statement_id"]),
            "alerts": count,
            "pence": pence,
            "earlier": earlier,
            "answered_before": closed("answered-before"),
            "not_asked": closed("not-asked"),
            "rules": {r.id: r.title for r in rules if r.lane in context.actor.rule_lanes},
            "statements": {
                statement["statement_id"]: statement["label"] for statement in list_statements(uow)
            },
        }


def names_for_display(context: ServiceContext, holders: set[str]) -> dict[str, str]:
    """Return the names under which holders are shown in lists to the actor."""
    with context.snapshot(()) as uow:
        return pseudonyms.shown_names(uow, holders)


def pseudonymise(context: ServiceContext, content: T, *, alert_id: str = "") -> T:
    """Convert an answer for machines to one that shows people under other names to psd.

    Args:
        context: who asks; others than professional standards get the answer as it is.
        content: what is answered.
        alert_id: the alert it is about: once the actor has given a reason to see the names in it,
            they are shown.
    """
    if context.actor.role != PSD:
        return content
    with context.snapshot() as uow:
        if alert_id and pseudonyms.is_revealed(uow, alert_id):
            return content
        return cast("T", _with_pseudonyms(uow, content))


def _masked(uow: UnitOfWork, alert: Alert) -> Alert:
    """Return an alert without the people in entries of registers and the texts of line items."""
    return replace(
        alert,
        entries=tuple(masked_entry(uow, entry) for entry in alert.entries),
        payments=tuple(
            replace(payment, line_items=tuple(map(masked_item, payment.line_items)))
            for payment in alert.payments
        ),
    )


def _with_pseudonyms(uow: UnitOfWork, content: Any) -> Any:  # noqa: ANN401  any answer
    """Replace every person in an answer, wherever a field names one."""
    if isinstance(content, Alert):
        content = asdict(_masked(uow, content))
    if isinstance(content, dict):
        return {
            name: pseudonyms.pseudonym(uow, value)
            if name in PERSON_FIELDS and isinstance(value, str) and value
            else [pseudonyms.pseudonym(uow, person) for person in value]
            if name in PEOPLE_FIELDS and isinstance(value, list | tuple)
            else _with_pseudonyms(uow, value)
            for name, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [_with_pseudonyms(uow, element) for element in content]
    return content


def reveal_identity(context: ServiceContext, alert_id: str, *, reason: str) -> None:
    """Let the actor see by name whom an alert is about, from now on; see `casebook.pseudonyms`.

    Raises:
        NotAllowed: the role is shown no other names.
        NotFound: there is no such alert that the actor may see.
        CardwatchError: no reason is given.
    """
    with context.work(AuditEvent("consultation", "name")) as uow:
        context.allow((PSD,), "ask for names: it already sees them")
        alert = kept.get_alert(uow, alert_id)
        pseudonyms.reveal_identity(uow, alert["alert_id"], reason)


def pence_recovered(text: str | None) -> int | None:
    """Return the money that somebody says was recovered, in pence; 0 if they leave it empty.

    Args:
        text: pounds, such as `120`, `£1,204.50`; none where nothing is said of it.

    Raises:
        CardwatchError: it is no sum.
    """
    if text is None:
        return None
    if not text.strip():
        return 0
    pence = read_pence(text, ".")
    digits = re.sub(r"[£, ]", "", text).partition(".")[0]
    if pence is None and digits.isdecimal() and int(digits) * 100 > LARGEST_PENCE:
        sentence = f"Enter at most {money(LARGEST_PENCE)}, not '{text}'."
        raise CardwatchError(sentence, field="recovered_pence")
    if pence is None or pence < 0:
        sentence = f"Enter a sum in pounds, such as 120.50, not '{text}'."
        raise CardwatchError(sentence, field="recovered_pence")
    return pence


def decide(
    context: ServiceContext, alert_id: str, decision_input: kept.DecisionInput
) -> ShownAlert:
    """Record a decision, note, assignment or due day; see `casebook.alerts.decide`.

    What was explained is not asked again while it stays the same, for as long as the policy says;
    any other state ends that.
    """
    with context.work(AuditEvent("alteration", "alert")) as uow:
        check_decision(uow, alert_id, decision_input)
        decided = kept.decide(uow, alert_id, decision_input)
        policy = active_settings(uow).policy
        if decision_input.state == "explained" and policy.answered_days:
            until = context.now.date() + dt.timedelta(policy.answered_days)
            most = round(decided["at_stake_pence"] * policy.answered_times)
            suppressions.keep_answer(uow, decided, until=str(until), most_pence=most)
        elif decision_input.state and decision_input.state != "explained":
            suppressions.drop_answer(uow, decided)
        return {
            **decided,
            "clause": clause_behind(uow, decided),
            "authority": _authority(uow, decided),
        }


def suppress(context: ServiceContext, alert_id: str, *, until: str, reason: str) -> Suppression:
    """Close later alerts like one automatically until a day; see `casebook.suppressions`."""
    with context.work(AuditEvent("alteration", "suppression")) as uow:
        alert = kept.get_alert(uow, alert_id)
        check_alerts(uow, [alert["alert_id"]], decides=True)
        return suppressions.suppress(uow, alert, until=until, reason=reason)


def check_suppression(context: ServiceContext, alert_id: str, *, until: str, reason: str) -> None:
    """Refuse a suppression that cannot be made; see `casebook.suppressions.check_suppression`."""
    with context.work(AuditEvent("consultation", "alert")) as uow:
        alert = kept.get_alert(uow, alert_id)
        uow.event.object_id = alert["alert_id"]
        suppressions.check_suppression(uow, alert, until=until, reason=reason)


def end_suppression(context: ServiceContext, suppression_id: str) -> None:
    """End a suppression before its day; see `casebook.suppressions`."""
    with context.work(AuditEvent("alteration", "suppression")) as uow:
        suppressions.end_suppression(uow, suppression_id)


def list_suppressions(context: ServiceContext) -> list[Suppression]:
    """Return the suppressions of the actor's lanes."""
    with context.work(AuditEvent("consultation", "suppressions")) as uow:
        context.require_alert_access()
        return suppressions.list_suppressions(uow)


def rule_precision(
    context: ServiceContext, *, by_month: bool = False
) -> dict[Lane, list[Precision]]:
    """Return for each of the actor's lanes how often each rule's alerts were upheld.

    It is told by band of evidence, or by month, which then stands in place of the band.
    """
    with context.work(AuditEvent("consultation", "precision")) as uow:
        context.require_alert_access()
        answers = {
            lane: alert_queries.answers(uow, lane, by_month=by_month)
            for lane in context.actor.lanes
        }
    return {lane: precision_by_rule(rows) for lane, rows in answers.items()}


def state_counts(context: ServiceContext) -> dict[str, int]:
    """The number of alerts in each state, and in none."""
    with context.work(AuditEvent("consultation", "alerts")) as uow:
        context.require_alert_access()
        return kept.reconcile(uow)


def place_hold(context: ServiceContext, alert_id: str, *, reason: str) -> str:
    """Keep an alert and its payments beyond their time; return the hold's id."""
    with context.work(AuditEvent("alteration", "hold")) as uow:
        context.require_alert_access()
        alert = kept.get_alert(uow, alert_id)
        return retention.hold(uow, alert["alert_id"], alert["lane"], reason)


def end_hold(context: ServiceContext, hold_id: str) -> None:
    """End a hold; see `casebook.retention.end_hold`."""
    with context.work(AuditEvent("alteration", "hold")) as uow:
        retention.end_hold(uow, hold_id)


def list_holds(context: ServiceContext) -> list[Hold]:
    """Return the holds of the actor's lanes."""
    with context.work(AuditEvent("consultation", "holds")) as uow:
        context.require_alert_access()
        return retention.list_holds(uow)
