"""Scores without storing: single statements, and back-tests with changed settings."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, TypedDict, cast

from cardwatch.alerts import merchants_label, without_alerts
from cardwatch.casebook import AuditEvent, documents
from cardwatch.casebook import statements as kept
from cardwatch.casebook.alert_store import is_about
from cardwatch.casebook.counting import is_counting
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.casebook.tables import POLICY_PACK
from cardwatch.errors import CardwatchError, NotFound
from cardwatch.services.history_window import table_of, window_from
from cardwatch.services.packs import pack_documents, read_pack
from cardwatch.services.register_inputs import actor_registers
from cardwatch.services.scoring_inputs import (
    LoadedInputs,
    ScoringInputs,
    active_inputs,
    load_inputs,
    score_read,
    score_window,
    unpack_policy,
    unpack_rules,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import Statement
    from cardwatch.casebook.statements import IncomingStatement
    from cardwatch.policy import Policy
    from cardwatch.records import Alert, AlertList, ReadingReport
    from cardwatch.rules import Rule
    from cardwatch.scoring import ScoringResult
    from cardwatch.services.answers import (
        BackTest,
        ChangedAlert,
        ListChange,
        Scores,
        StatementChange,
        UnitChange,
    )
    from cardwatch.services.context import ServiceContext

ACTIVE, NONE = "in-force", "none"
"""Values in place of a document's hash: the active document; the defaults, or no model."""
MOST_MONTHS = 24
WAYS = ("newly_asked", "no_longer_asked")
TRIED = ("policy", "rules", POLICY_PACK)
"""Kinds of document that can be tried on past statements."""


class TrialChange(TypedDict, total=False):
    """Replacements of active documents by a document that is tested."""

    policy: Policy
    rules: tuple[Rule, ...]


def score_only(
    context: ServiceContext,
    read: tuple[pd.DataFrame, ReadingReport],
    *,
    policy: str = ACTIVE,
    model: str = ACTIVE,
    with_history: bool = True,
) -> Scores:
    """Score a statement and keep nothing but the event that it was done.

    Args:
        context: who asks; they get the lists of the lanes they see, without alerts about
            themselves.
        read: the statement, as `read_each` gives it.
        policy: `in-force`, `none` for the defaults, or the beginning of a kept policy's hash.
        model: `in-force`, `none`, or the beginning of a kept model's hash.
        with_history: whether it is compared with the casebook's statements.

    Returns:
        The lists by lane, the reading report, and the hashes of what was used.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: there is no such policy or model.
        NothingToScore: none of its transactions can be scored.
    """
    frame, report = read
    with context.work(AuditEvent("consultation", "score")) as uow:
        context.require_alert_access()
        recipe = active_inputs(uow, report.last_on)
        recipe = replace(recipe, policy=_named(uow, recipe, "policy", policy))
        recipe = replace(recipe, model=_named(uow, recipe, "model", model))
        loaded = load_inputs(uow, recipe)
        label, frames, digest = report.file, [frame], report.sha256
        if with_history:
            arrival = kept.compare(uow, frame, report, None)
            table = _with_history(uow, arrival)
            label, frames, digest = arrival.label, kept.as_read(table), kept.rows_sha256(table)
    loaded = replace(loaded, registers=actor_registers(context))
    scoring = score_read(frames, label, loaded, context.actor.lanes)
    made_with = asdict(recipe) | {"input": digest}
    if context.actor.lanes == ("finance",):  # rules of professional standards leave no mark there
        made_with["rules"] = scoring.lists["finance"].made_by["rules"]
    return {
        "lists": {lane: _list(context, scoring, loaded, lane) for lane in context.actor.lanes},
        "report": report,
        "made_with": made_with,
    }


def _with_history(uow: UnitOfWork, arrival: IncomingStatement) -> pd.DataFrame:
    """Return a statement with what it is compared with.

    Each of its rows is asked about, even one that the casebook holds already.
    """
    since, until = window_from(arrival.rows), str(arrival.rows["date"].max())
    history = kept.read_window(uow, arrival.seq, since, until)
    return table_of(arrival, history[~history["identity"].isin(arrival.rows["identity"])])


def back_test(
    context: ServiceContext,
    kind: str,
    content: bytes,
    *,
    months: int,
    tell: Callable[[int], None] = lambda _: None,
) -> BackTest:
    """Score past statements as they would be scored today, and with a changed policy or rules.

    Args:
        context: who asks; they are told of the lanes they see.
        kind: policy, rules or pack.
        content: the changed document, as it would be activated.
        months: how many of the newest scored statements to try, one a month as a rule.
        tell: called with how many per cent are done.

    Returns:
        For each statement and lane: alerts newly asked, alerts no longer asked, and how many both;
        and what was tried, so that it can be proposed.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: no statement was scored yet.
        FileFaulty: the document has faults.
        CardwatchError: it is of another kind, or the months are too many.
    """
    check_trial(kind, months)
    unpack_trial(kind, content)
    with context.work(AuditEvent("consultation", "back-test"), ()) as uow:
        context.require_alert_access()
        scored_statements = [row for row in kept.list_statements(uow) if _is_tried(row)][-months:]
        if not scored_statements and kind != POLICY_PACK:  # nothing but a back-test proposes a pack
            raise NotFound("No statement has been scored yet.")
        changed = unpack_trial(kind, content)
        if kind == POLICY_PACK:
            policy, rules = pack_documents(uow, content, uow.today)
            changed = {"policy": unpack_policy(policy), "rules": unpack_rules(rules)}
    comparisons = []
    for number, row in enumerate(scored_statements):
        comparisons.append(_try(context, row, changed))
        tell(100 * (number + 1) // len(scored_statements))
    sha256 = documents.document_sha256(kind, content)
    return {
        "kind": kind,
        "sha256": sha256,
        "document": content.decode(),
        "statements": comparisons,
        "units": {lane: _by_unit(comparisons, lane) for lane in context.actor.lanes},
    }


def unpack_trial(kind: str, content: bytes) -> TrialChange:
    """Return what a document that is tried puts in place of what is active; of a pack nothing yet.

    Raises:
        CardwatchError: it has faults; all are listed.
    """
    if kind == POLICY_PACK:
        read_pack(content)
        return {}
    if kind == "policy":
        return {"policy": unpack_policy(content)}
    return {"rules": unpack_rules(content)}


def _by_unit(comparisons: Sequence[StatementChange], lane: str) -> list[UnitChange]:
    """Count what a change adds and removes: in all units together, then in each by its code.

    An alert about several units counts in each of them.
    """
    alerts: dict[str, dict[str, list[ChangedAlert]]] = {"": {way: [] for way in WAYS}}
    for row in comparisons:
        change = cast("dict[str, ListChange]", row)[lane]
        for way, changed in zip(
            WAYS, (change["newly_asked"], change["no_longer_asked"]), strict=True
        ):
            for alert in changed:
                for unit in ("", *alert["cost_centres"]):
                    alerts.setdefault(unit, {name: [] for name in WAYS})[way].append(alert)
    return [
        {
            "unit": unit,
            "newly_asked": len(ways["newly_asked"]),
            "no_longer_asked": len(ways["no_longer_asked"]),
            "holders_newly_asked": len(
                {h for alert in ways["newly_asked"] for h in alert["holders"]}
            ),
        }
        for unit, ways in sorted(alerts.items())
    ]


def check_trial(kind: str, months: int) -> None:
    """Refuse what cannot be tried on past statements.

    Raises:
        CardwatchError: it cannot.
    """
    if kind not in TRIED:
        sentence = f"Choose what to test: {', '.join(TRIED)}, not '{kind}'."
        raise CardwatchError(sentence, field="kind")
    if not 1 <= months <= MOST_MONTHS:
        raise CardwatchError(f"Enter a number from 1 to {MOST_MONTHS}.", field="months")


def _try(context: ServiceContext, row: Statement, changed: TrialChange) -> StatementChange:
    """Score one past statement as it would be today, and with the change."""
    with context.work(AuditEvent("consultation", "statement", row["statement_id"]), ()) as uow:
        assert row["window_from"] is not None  # it was scored
        table = kept.read_window(uow, row["seq"], row["window_from"], row["last_on"])
        loaded = load_inputs(uow, active_inputs(uow, row["last_on"]))
    loaded = replace(loaded, registers=actor_registers(context))
    before = score_window(table, row["label"], loaded, context.actor.lanes)
    after = score_window(table, row["label"], replace(loaded, **changed), context.actor.lanes)
    lists: dict[str, ListChange] = {}
    for lane in context.actor.lanes:
        old, new = (_asked(context, scoring, loaded, lane) for scoring in (before, after))
        lists[lane] = {
            "before": len(old),
            "after": len(new),
            "newly_asked": [_short(new[name]) for name in sorted(new.keys() - old.keys())],
            "no_longer_asked": [_short(old[name]) for name in sorted(old.keys() - new.keys())],
        }
    names = {name: row[name] for name in ("statement_id", "label", "last_on")}
    return cast("StatementChange", names | lists)


def _is_tried(row: Statement) -> bool:
    """Return whether a statement was scored, counts still, and has its rows."""
    return row["is_scored"] and is_counting(row) and not row["erased_at"]


def _named(uow: UnitOfWork, recipe: ScoringInputs, kind: str, name: str) -> str:
    """Return the hash of a document that is named, or nothing for the default."""
    if name == ACTIVE:
        return str(getattr(recipe, kind))
    return "" if name == NONE else documents.find_document(uow, kind, name)


def _list(
    context: ServiceContext, scoring: ScoringResult, loaded: LoadedInputs, lane: str
) -> AlertList:
    """Return one lane's list as it is shown to the actor."""
    alert_list = scoring.lists[lane]
    visible_ids = {alert.alert_id for alert in visible_alerts(context, alert_list.alerts, loaded)}
    hidden_ids = {alert.alert_id for alert in alert_list.alerts} - visible_ids
    return without_alerts(alert_list, hidden_ids)


def _asked(
    context: ServiceContext, scoring: ScoringResult, loaded: LoadedInputs, lane: str
) -> dict[str, Alert]:
    """Return the alerts of a lane that would be asked about, by their ids."""
    shown = visible_alerts(context, scoring.lists[lane].shown, loaded)
    return {alert.alert_id: alert for alert in shown}


def visible_alerts(
    context: ServiceContext, alerts: tuple[Alert, ...], loaded: LoadedInputs
) -> tuple[Alert, ...]:
    """Return alerts without those about the actor or about whose payments they approve."""
    if not context.actor.holder_id:
        return alerts
    with context.snapshot(()) as uow:
        keys = hidden_keys(uow, loaded.approvers)
    return tuple(alert for alert in alerts if not is_about(alert, keys))


def _short(alert: Alert) -> ChangedAlert:
    """The summary of an alert that a change adds or removes."""
    return {
        "alert_id": alert.alert_id,
        "title": alert.title,
        "holders": alert.holders,
        "approvers": alert.approvers,
        "last_on": alert.last_on,
        "at_stake_pence": alert.at_stake_pence,
        "tier": alert.tier,
        "merchant": merchants_label(alert),
        "fact": alert.reasons[0].fact,
        "cost_centres": alert.cost_centres,
    }
