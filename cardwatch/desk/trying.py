"""Scores without storing: single statements, and back-tests with changed settings."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from cardwatch.alerts import merchants_label, without_alerts
from cardwatch.casebook import Event, documents
from cardwatch.casebook import statements as kept
from cardwatch.casebook.counting import is_counting
from cardwatch.casebook.raising import is_about
from cardwatch.desk.receiving import table_of, window_from
from cardwatch.desk.recipe import (
    Ingredients,
    Recipe,
    read_recipe,
    recipe_of,
    score_read,
    score_window,
    unpack_policy,
    unpack_rules,
)
from cardwatch.errors import CardwatchError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from cardwatch.casebook import Work
    from cardwatch.casebook.statements import Arrival
    from cardwatch.casebook.work import Row
    from cardwatch.desk.desk import Desk
    from cardwatch.records import Alert, ReadingReport
    from cardwatch.scoring import Scoring

IN_FORCE, NONE = "in-force", "none"
"""Values in place of a document's hash: the active document; the defaults, or no model."""
MOST_MONTHS = 24
TRIED = ("policy", "rules")
"""Kinds of document that can be tried on past statements."""


def score_only(
    desk: Desk,
    read: tuple[pd.DataFrame, ReadingReport],
    *,
    policy: str = IN_FORCE,
    model: str = IN_FORCE,
    with_history: bool = True,
) -> dict[str, Any]:
    """Score a statement and keep nothing but the event that it was done.

    Args:
        desk: who asks; they get the lists of the lanes they see, without alerts about themselves.
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
    with desk.work(Event("consultation", "score")) as work:
        desk.sees_alerts()
        recipe = recipe_of(work, report.last_on)
        recipe = replace(recipe, policy=_named(work, recipe, "policy", policy))
        recipe = replace(recipe, model=_named(work, recipe, "model", model))
        used = read_recipe(work, recipe)
        label, frames, digest = report.file, [frame], report.sha256
        if with_history:
            arrival = kept.compare(work, frame, report, None)
            table = _with_history(work, arrival)
            label, frames, digest = arrival.label, kept.as_read(table), kept.rows_sha256(table)
    scoring = score_read(frames, label, used, desk.actor.lanes)
    made_with = asdict(recipe) | {"input": digest}
    if desk.actor.lanes == ("finance",):  # rules of professional standards leave no mark there
        made_with["rules"] = scoring.lists["finance"].made_by["rules"]
    return {
        "lists": {lane: _list(desk, scoring, used, lane) for lane in desk.actor.lanes},
        "report": asdict(report) | {"reconciles": report.reconciles},
        "made_with": made_with,
    }


def _with_history(work: Work, arrival: Arrival) -> pd.DataFrame:
    """Return a statement with what it is compared with.

    Each of its rows is asked about, even one that the casebook holds already.
    """
    since, until = window_from(arrival.rows), str(arrival.rows["date"].max())
    history = kept.read_window(work, arrival.seq, since, until)
    return table_of(arrival, history[~history["identity"].isin(arrival.rows["identity"])])


def back_test(
    desk: Desk,
    kind: str,
    content: bytes,
    *,
    months: int,
    tell: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Score past statements as they would be scored today, and with a changed policy or rules.

    Args:
        desk: who asks; they are told of the lanes they see.
        kind: policy or rules.
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
    changed = unpack_policy(content) if kind == "policy" else unpack_rules(content)
    with desk.work(Event("consultation", "back-test"), ()) as work:
        desk.sees_alerts()
        held = [row for row in kept.list_statements(work) if _is_tried(row)][-months:]
        if not held:
            raise NotFound("No statement has been scored yet.")
    told = []
    for number, row in enumerate(held):
        told.append(_try(desk, row, {kind: changed}))
        tell(100 * (number + 1) // len(held))
    sha256 = documents.document_sha256(kind, content)
    return {"kind": kind, "sha256": sha256, "document": content.decode(), "statements": told}


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


def _try(desk: Desk, row: Row, changed: dict[str, Any]) -> dict[str, Any]:
    """Score one past statement as it would be today, and with the change."""
    with desk.work(Event("consultation", "statement", row["statement_id"]), ()) as work:
        table = kept.read_window(work, row["seq"], row["window_from"], row["last_on"])
        used = read_recipe(work, recipe_of(work, row["last_on"]))
    before = score_window(table, row["label"], used, desk.actor.lanes)
    after = score_window(table, row["label"], replace(used, **changed), desk.actor.lanes)
    told: dict[str, Any] = {name: row[name] for name in ("statement_id", "label", "last_on")}
    for lane in desk.actor.lanes:
        old, new = (_asked(desk, scoring, used, lane) for scoring in (before, after))
        told[lane] = {
            "before": len(old),
            "after": len(new),
            "newly_asked": [_short(new[name]) for name in new.keys() - old.keys()],
            "no_longer_asked": [_short(old[name]) for name in old.keys() - new.keys()],
        }
        for some in ("newly_asked", "no_longer_asked"):
            told[lane][some].sort(key=lambda one: one["alert_id"])
    return told


def _is_tried(row: Row) -> bool:
    """Return whether a statement was scored, counts still, and has its rows."""
    return bool(row["is_scored"]) and is_counting(row) and not row["erased_at"]


def _named(work: Work, recipe: Recipe, kind: str, name: str) -> str:
    """Return the hash of a document that is named, or nothing for the default."""
    if name == IN_FORCE:
        return str(getattr(recipe, kind))
    return "" if name == NONE else documents.find_document(work, kind, name)


def _list(desk: Desk, scoring: Scoring, used: Ingredients, lane: str) -> dict[str, Any]:
    """Return one lane's list as it is shown to the actor."""
    made = scoring.lists[lane]
    seen = {alert.alert_id for alert in _seen(desk, made.alerts, used)}
    return asdict(without_alerts(made, {one.alert_id for one in made.alerts} - seen))


def _asked(desk: Desk, scoring: Scoring, used: Ingredients, lane: str) -> dict[str, Alert]:
    """Return the alerts of a lane that would be asked about, by their ids."""
    return {one.alert_id: one for one in _seen(desk, scoring.lists[lane].shown, used)}


def _seen(desk: Desk, alerts: tuple[Alert, ...], used: Ingredients) -> tuple[Alert, ...]:
    """Return alerts without those about the actor or about whose payments they approve."""
    if not desk.actor.holder_id:
        return alerts
    own, approvers = desk.actor.holder_id, used.approvers
    return tuple(alert for alert in alerts if not is_about(alert, approvers, own))


def _short(alert: Alert) -> dict[str, Any]:
    """The summary of an alert that a change adds or removes."""
    shown = ("alert_id", "title", "holders", "approvers", "last_on", "at_stake_pence", "tier")
    return {name: getattr(alert, name) for name in shown} | {
        "merchant": merchants_label(alert),
        "fact": alert.reasons[0].fact,
    }
