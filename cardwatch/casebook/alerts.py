"""Stores alerts and the decisions about them.

An alert as raised never changes. Beside it stands its state, which is that of its last decision;
every decision has a reason, and whoever decides says which decision they have seen as the last.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from cardwatch.alerts import BY_CHANCE, with_later, without_alerts
from cardwatch.casebook.alert_context import neighbours, referrals_of_alert
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.casebook.people import check_assignee, display_names
from cardwatch.casebook.permissions import may_decide
from cardwatch.casebook.registers import parse_registers
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import (
    STATES,
    alert_lists,
    alert_snapshots,
    alert_subjects,
    alerts,
    decisions,
)
from cardwatch.errors import CardwatchError, Changed, NotFound, about_field
from cardwatch.records import (
    Alert,
    AlertCard,
    AlertList,
    EntryShown,
    LineItem,
    Payment,
    Reason,
)
from cardwatch.vocabulary import ASKED_ABOUT, AUTOMATIC, PERSON_KINDS, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, MutableMapping, Sequence

    from cardwatch.casebook.alert_rows import AlertDetail, DecidedAlert, NewDecision, RelatedAlert
    from cardwatch.casebook.unit_of_work import UnitOfWork

NO_LIST: dict[str, Any] = {"organisation": "", "payments_count": 0, "first_on": "", "last_on": "",
           "expected": None, "notes": (), "made_by": {}}  # fmt: skip
"""Everything of a list but its alerts, for a statement that was kept as history and made none."""
LEFT = ("assigned_to", "due_on", "snoozed_until", "tags", "recovered_pence")
"""Fields that a decision leaves unchanged by default."""
LONGEST_WAIT_DAYS = 366
MOST_RECOVERED_PENCE = 10**12
SUBJECT_FIELDS = {
    "holders": SubjectKind.HOLDER,
    "approvers": SubjectKind.APPROVER,
    "merchants": SubjectKind.MERCHANT,
    "cost_centres": SubjectKind.COST_CENTRE,
}
MOST_TAGS = 8
TAG = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
MOST_BESIDE = 20
"""Maximum number of related alerts shown with one."""


@dataclass(frozen=True)
class DecisionInput:
    """A decision on an alert.

    Attributes:
        reason: why, or a note; never empty.
        state: the new state; empty to leave it.
        assigned_to: email of who is to see to it; empty for nobody; none to leave it.
        due_on: day by which; empty for none; none to leave it.
        snoozed_until: last day on which lists leave it out; empty for none; none to leave it.
        tags: words of one's own, with spaces between; none to leave them.
        recovered_pence: money recovered so far, by refund or repayment; none to leave it.
        seen: number of the last decision they have seen, if they say.
    """

    reason: str
    state: str = ""
    assigned_to: str | None = None
    due_on: str | None = None
    snoozed_until: str | None = None
    tags: str | None = None
    recovered_pence: int | None = None
    seen: int | None = None


def versions_of(uow: UnitOfWork, alert_ids: Sequence[str]) -> list[int]:
    """Return how many decisions and notes each alert has, in the order of its id here."""
    columns = alerts.c
    question = sa.select(columns.alert_id, columns.version).where(
        uow.scope(alerts), columns.alert_id.in_(alert_ids)
    )
    version_of = {row["alert_id"]: int(row["version"]) for row in uow.fetch_all(question)}
    return [version_of[alert_id] for alert_id in alert_ids]


def get_alert(uow: UnitOfWork, alert_id: str) -> AlertDetail:
    """Return an alert by its id or the beginning of it: its state, how it was raised, decisions.

    Raises:
        NotFound: there is none the actor may see, or there are several.
    """
    fits = alerts.c.alert_id.startswith(alert_id, autoescape=True)
    matching_rows = uow.fetch_all(
        sa.select(alerts).where(uow.scope(alerts), not_about(uow, alerts), fits).limit(2)
    )
    if len(matching_rows) != 1:
        raise NotFound(f"There is no alert '{alert_id}'.")
    row = dict(matching_rows[0])
    raised_key = {name: row[name] for name in ("lane", "statement_id", "alert_id")}
    content = uow.fetch_one(
        sa.select(alert_snapshots.c.content, alert_snapshots.c.list_seq).where(
            uow.scope(alert_snapshots),
            *(alert_snapshots.c[name] == value for name, value in raised_key.items()),
        )
    )
    decision_rows = uow.fetch_all(
        sa.select(decisions)
        .where(
            uow.scope(decisions),
            decisions.c.lane == row["lane"],
            decisions.c.alert_id == row["alert_id"],
        )
        .order_by(decisions.c.version)
    )
    hidden = {"lane", "alert_id"}
    assert content is not None  # it goes with the alert
    names = display_names(uow)
    list_row = uow.fetch_one(
        sa.select(alert_lists.c.content, alert_lists.c.registers).where(
            uow.scope(alert_lists),
            alert_lists.c.lane == row["lane"],
            alert_lists.c.statement_id == row["statement_id"],
            alert_lists.c.seq == content["list_seq"],
        )
    )
    add_subjects(uow, [row])
    whole = row | {
        "raised": _as_ranked(
            uow,
            raised_key | {"list_seq": content["list_seq"]},
            alert_from(json.loads(content["content"])),
        ),
        "made_by": json.loads(list_row["content"])["made_by"] if list_row else None,
        "registers": _versions(list_row["registers"]) if list_row else [],
        "related": _related(uow, row),
        "neighbours": neighbours(uow, row["lane"], row["alert_id"]),
        "referrals": referrals_of_alert(uow, row["lane"], row["alert_id"], names),
        "decisions": [
            {
                k: names.get(v, v) if k == "decided_by" else v
                for k, v in decision.items()
                if k not in hidden
            }
            for decision in decision_rows
        ],
    }
    return cast("AlertDetail", whole)


def _versions(registers: str) -> list[dict[str, str]]:
    """Return the versions of registers in what is kept of a list."""
    return [asdict(version) for version in parse_registers(registers).versions]


def _as_ranked(uow: UnitOfWork, row: Mapping[str, Any], alert: Alert) -> Alert:
    """Return an alert as raised, ranked as if no alert before it had been about the actor."""
    before = sa.select(sa.func.count().label("hidden")).where(
        uow.scope(alert_snapshots),
        alert_snapshots.c.lane == row["lane"],
        alert_snapshots.c.statement_id == row["statement_id"],
        alert_snapshots.c.list_seq == row["list_seq"],
        alert_snapshots.c.rank.between(1, alert.rank - 1),  # 0 is raised by hand
        ~not_about(uow, alert_snapshots),
    )
    count_row = uow.fetch_one(before)
    return replace(alert, rank=alert.rank - (count_row["hidden"] if count_row else 0))


def _related(uow: UnitOfWork, row: Mapping[str, Any]) -> list[RelatedAlert]:
    """The newest other alerts that the actor may see and that share a person or a merchant.

    Each has `decided_at`, the moment of its last decision, if there is one.
    """
    columns = alerts.c
    column_names = ("alert_id", "lane", "state", "rule", "tier", "last_on", "at_stake_pence")
    same = shares_subject(uow, row["alert_id"], (*ASKED_ABOUT, SubjectKind.MERCHANT))
    last = [decisions.c[name] == columns[name] for name in ("lane", "alert_id", "version")]
    question = (
        sa.select(*(columns[name] for name in column_names), decisions.c.decided_at)
        .outerjoin(decisions, sa.and_(uow.scope(decisions), *last))
        .where(uow.scope(alerts), not_about(uow, alerts), same)
        .where(columns.alert_id != row["alert_id"])
        .order_by(columns.last_on.desc(), columns.alert_id)
        .limit(MOST_BESIDE)
    )
    related = uow.fetch_all(question)
    add_subjects(uow, related)
    return cast("list[RelatedAlert]", related)


def shares_subject(
    uow: UnitOfWork, alert_id: str, kinds: Sequence[SubjectKind]
) -> sa.ColumnElement[bool]:
    """The condition that a row of `alerts` has a person or merchant in common with an alert.

    Args:
        alert_id: whole id of that alert.
        kinds: of subjects that count, in both alerts: a person is not compared with a merchant.
    """
    theirs, this_alert = alert_subjects.alias(), alert_subjects.alias()
    return sa.exists().where(
        uow.scope(theirs, this_alert),
        theirs.c.lane == alerts.c.lane,
        theirs.c.alert_id == alerts.c.alert_id,
        theirs.c.kind.in_(kinds),
        theirs.c.subject_id == this_alert.c.subject_id,
        (theirs.c.kind == SubjectKind.MERCHANT) == (this_alert.c.kind == SubjectKind.MERCHANT),
        this_alert.c.alert_id == alert_id,
        this_alert.c.kind.in_(kinds),
    )


def add_subjects(uow: UnitOfWork, rows: Sequence[MutableMapping[str, object]]) -> None:
    """Add the holders, approvers, merchants and cost centres of alerts to their rows, in one order.

    Args:
        rows: each with `lane` and `alert_id`; changed in place.
    """
    subjects = alert_subjects.c
    question = (
        sa.select(subjects.lane, subjects.alert_id, subjects.kind, subjects.name)
        .where(uow.scope(alert_subjects), subjects.alert_id.in_({row["alert_id"] for row in rows}))
        .order_by(subjects.subject_id)
    )
    names: dict[tuple[str, str, str], list[str]] = {}
    for subject in uow.fetch_all(question):
        key = (subject["lane"], subject["alert_id"], subject["kind"])
        names.setdefault(key, []).append(subject["name"])
    for row in rows:
        for field, kind in SUBJECT_FIELDS.items():
            row[field] = names.get((str(row["lane"]), str(row["alert_id"]), kind), [])


def read_list(
    uow: UnitOfWork, lane: str, statement_id: str, only: Collection[str] | None = None
) -> AlertList:
    """Return a statement's list of one lane as if no alert had been raised about the actor.

    What was raised after a register was received later follows the others, which keep their places.
    What was raised by hand has no place, and is not counted: it comes first where it is wanted.

    Args:
        lane: of the list.
        statement_id: whose list.
        only: ids of the alerts that are wanted; all without them.

    Raises:
        NotFound: the statement made no list for the actor.
    """
    list_row = uow.fetch_one(
        sa.select(alert_lists.c.content).where(uow.scope(alert_lists), is_list(lane, statement_id))
    )
    if list_row is None and only is None:
        raise NotFound(f"There is no list of statement '{statement_id}'.")
    least_rank = 1 if only is None else 0  # what was raised by hand belongs to no list
    raised_rows = uow.fetch_all(
        sa.select(alert_snapshots.c.content, alert_snapshots.c.list_seq)
        .where(uow.scope(alert_snapshots), alert_snapshots.c.rank >= least_rank)
        .where(alert_snapshots.c.lane == lane, alert_snapshots.c.statement_id == statement_id)
        .order_by(alert_snapshots.c.list_seq, alert_snapshots.c.rank, alert_snapshots.c.alert_id)
    )
    raised = [(alert_from(json.loads(row["content"])), row["list_seq"]) for row in raised_rows]
    content = json.loads(list_row["content"]) if list_row else dict(NO_LIST)
    content["notes"] = tuple(content["notes"])
    content["alerts"] = tuple(alert for alert, seq in raised if not seq and alert.rank)
    hidden = hidden_ids(uow, statement_id)
    visible_list = without_alerts(AlertList(**content), hidden)
    later = [alert for alert, seq in raised if seq and alert.alert_id not in hidden]
    visible_list = with_later(visible_list, later, note_by_chance(uow, lane, statement_id))
    by_hand = [alert for alert, seq in raised if not seq and not alert.rank]
    visible_alerts = (alert for alert in by_hand if alert.alert_id not in hidden)
    selected = [
        alert
        for alert in (*visible_alerts, *visible_list.alerts)
        if only is None or alert.alert_id in only
    ]
    return replace(visible_list, alerts=tuple(selected))


def note_by_chance(uow: UnitOfWork, lane: str, statement_id: str) -> str:
    """Return what the newest list of a statement says of matches by chance; empty for nothing."""
    of_statement = (alert_lists.c.lane == lane) & (alert_lists.c.statement_id == statement_id)
    newest = uow.fetch_one(
        sa.select(alert_lists.c.content)
        .where(uow.scope(alert_lists), of_statement)
        .order_by(alert_lists.c.seq.desc())
        .limit(1)
    )
    notes = json.loads(newest["content"])["notes"] if newest else []
    return next((note for note in notes if note.startswith(BY_CHANCE)), "")


def is_list(lane: str, statement_id: str, seq: int = 0) -> sa.ColumnElement[bool]:
    """Condition that a row of `alert_lists` is one list of a statement; see its column `seq`."""
    columns = alert_lists.c
    return (columns.lane == lane) & (columns.statement_id == statement_id) & (columns.seq == seq)


def kept_texts(
    uow: UnitOfWork, lane: str, statement_id: str, seq: int = 0
) -> tuple[str, dict[str, str], str]:
    """Return a statement's list of one lane as it is kept, for it to be compared byte for byte.

    Returns:
        The text of the list without its alerts; the text of each alert by its id; the hash of all.
    """
    which = is_list(lane, statement_id, seq)
    list_row = uow.fetch_one(sa.select(alert_lists).where(uow.scope(alert_lists), which))
    if list_row is None:
        return "", {}, ""
    raised_rows = uow.fetch_all(
        sa.select(alert_snapshots.c.alert_id, alert_snapshots.c.content)
        .where(
            uow.scope(alert_snapshots),
            alert_snapshots.c.lane == lane,
            alert_snapshots.c.statement_id == statement_id,
            alert_snapshots.c.list_seq == seq,
            alert_snapshots.c.rank > 0,  # what was raised by hand is not made again
        )
        .order_by(alert_snapshots.c.rank)
    )
    texts = {row["alert_id"]: row["content"] for row in raised_rows}
    return list_row["content"], texts, list_row["alerts_sha256"]


def hidden_ids(uow: UnitOfWork, statement_id: str) -> set[str]:
    """Return the ids of a statement's alerts that the actor may not know of: about themselves."""
    its = (alert_snapshots.c.statement_id == statement_id) & ~not_about(uow, alert_snapshots)
    question = sa.select(alert_snapshots.c.alert_id).where(uow.scope(alert_snapshots), its)
    return {row["alert_id"] for row in uow.fetch_all(question)}


def alert_from(content: Mapping[str, object]) -> Alert:
    """An alert from its kept JSON content."""
    lists_of: dict[str, type] = {
        "payments": Payment, "reasons": Reason, "weakened_by": Reason, "cards": AlertCard,
    }  # fmt: skip
    fields_of: dict[str, Any] = dict(content)
    fields_of["entries"] = tuple(
        EntryShown(**(fields | {"facts": tuple((name, text) for name, text in fields["facts"])}))
        for fields in fields_of.get("entries", ())
    )
    fields_of["payments"] = [
        fields | {"line_items": tuple(LineItem(**item) for item in fields.get("line_items", ()))}
        for fields in fields_of["payments"]
    ]
    for name, kind in lists_of.items():
        fields_of[name] = tuple(kind(**_tuples(fields)) for fields in fields_of[name])
    return Alert(**_tuples(fields_of))


def _tuples(content: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}


def decide(uow: UnitOfWork, alert_id: str, decision: DecisionInput) -> AlertDetail:
    """Record a decision, a note, an assignment or a due day; return the alert as it is then.

    Raises:
        NotAllowed: the role decides nothing.
        NotFound: there is no such alert for the actor.
        Changed: somebody has decided since.
        CardwatchError: no reason, no such state, no such day or one past, no such person, no such
            sum.
    """
    row = get_alert(uow, alert_id)
    before = cast("dict[str, Any]", row)
    _check_decision(uow, before, decision)
    may_decide(uow, row["lane"], decision.reason)
    if decision.seen not in {None, row["version"]}:
        raise Changed("Somebody else has changed this alert. Read it again before you decide.")
    uow.event.object_id = row["alert_id"]
    changes = {
        "state": decision.state or row["state"],
        "reason": decision.reason,
    }
    tags = None if decision.tags is None else _tags(decision.tags)
    for name in LEFT:
        value = tags if name == "tags" else getattr(decision, name)
        changes[name] = before[name] if value is None else value
    record_decision(uow, row["lane"], row, changes)
    return get_alert(uow, row["alert_id"])


def _check_decision(uow: UnitOfWork, before: Mapping[str, Any], decision: DecisionInput) -> None:
    """Refuse a decision on an alert that has a field which cannot be.

    Raises:
        CardwatchError: no such state, day, person or sum.
    """
    by_hand = [name for name in STATES if name not in AUTOMATIC]
    if decision.state and decision.state not in by_hand:
        sentence = f"Choose a state: {', '.join(by_hand)}, not '{decision.state}'."
        raise CardwatchError(sentence, field="state")
    for field in ("due_on", "snoozed_until"):
        day: str | None = getattr(decision, field)
        if not day or day == before[field]:  # one that has passed since does not stand in the way
            continue
        check_due(uow, day, field)
    if decision.assigned_to and decision.assigned_to != before["assigned_to"]:
        with about_field("assigned_to"):
            check_assignee(uow, decision.assigned_to, before["lane"])
    if not 0 <= (decision.recovered_pence or 0) <= MOST_RECOVERED_PENCE:
        sentence = "Enter the money recovered so far as a sum of 0 or more."
        raise CardwatchError(sentence, field="recovered_pence")


def check_due(uow: UnitOfWork, day: str, field: str = "due_on") -> None:
    """Refuse a day that is past, or further off than a year; an empty text is no day.

    Raises:
        CardwatchError: it is, or it is no day.
    """
    if day and not 0 <= (day_of(day, field) - day_of(uow.today)).days <= LONGEST_WAIT_DAYS:
        raise CardwatchError("Enter a date from today to a year from now.", field=field)


def _tags(text: str) -> str:
    """Return tags in one order, each once.

    Raises:
        CardwatchError: one of them is none, or they are too many.
    """
    tags = sorted(set(text.casefold().split()))
    if len(tags) > MOST_TAGS or not all(map(TAG.fullmatch, tags)):
        sentence = f"Enter at most {MOST_TAGS} tags of letters, digits and hyphens, up to 20 each."
        raise CardwatchError(sentence, field="tags")
    return " ".join(tags)


def reconcile(uow: UnitOfWork) -> dict[str, int]:
    """The number of alerts in each state, and in none.

    Every alert raised has exactly one state, and the state is that of its last decision, or open;
    `unreconciled` counts those of which it is not so.
    """
    latest = (
        sa.select(decisions.c.lane, decisions.c.alert_id, decisions.c.version, decisions.c.state)
        .where(uow.scope(decisions))
        .subquery()
    )
    same = (latest.c.lane == alert_snapshots.c.lane) & (
        latest.c.alert_id == alert_snapshots.c.alert_id
    )
    question = (
        sa.select(
            alert_snapshots.c.lane,
            alert_snapshots.c.alert_id,
            alerts.c.state,
            alerts.c.version,
            latest.c.state.label("decided"),
        )
        .outerjoin(
            alerts,
            uow.scope(alerts)
            & (alerts.c.lane == alert_snapshots.c.lane)
            & (alerts.c.alert_id == alert_snapshots.c.alert_id),
        )
        .outerjoin(latest, same & (latest.c.version == alerts.c.version))
        .where(uow.scope(alert_snapshots), not_about(uow, alert_snapshots))
        .distinct()
    )
    counts = dict.fromkeys([*STATES, "unreconciled"], 0)
    for row in uow.fetch_all(question):
        is_new = row["version"] == 0 and row["state"] == "open"
        fits = row["state"] is not None and (is_new or row["decided"] == row["state"])
        counts[row["state"] if fits else "unreconciled"] += 1
    return counts


def not_about(uow: UnitOfWork, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that an alert is not about the actor, nor about whose card they approve.

    It is active for every role: nobody sees the question that is asked about them.
    """
    if not uow.actor.holder_id:
        return sa.true()
    return not_about_keys(uow, table, hidden_keys(uow))


def not_about_keys(
    uow: UnitOfWork, table: sa.FromClause, keys: Collection[str]
) -> sa.ColumnElement[bool]:
    """Return the condition that an alert is about nobody of some keys; see `PERSON_KINDS`."""
    return ~sa.exists().where(
        uow.scope(alert_subjects),
        alert_subjects.c.lane == table.c.lane,
        alert_subjects.c.alert_id == table.c.alert_id,
        alert_subjects.c.kind.in_(PERSON_KINDS),
        alert_subjects.c.subject_id.in_(keys),
    )


def record_decision(
    uow: UnitOfWork, lane: str, row: DecidedAlert, changes: Mapping[str, object]
) -> None:
    """Write a decision down, and what the alert's own row says since.

    Args:
        lane: of the alert.
        row: `alert_id`, and the `version` of its last decision.
        changes: columns of the decision, and of the alert.

    Raises:
        Changed: somebody has decided in the meantime.
    """
    version = row["version"] + 1
    state_fields = ("state", *LEFT, "is_second_look")
    new_values = {name: changes[name] for name in state_fields if name in changes} | {
        "version": version
    }
    same = is_alert(alerts, lane, row["alert_id"]) & (alerts.c.version == row["version"])
    if not uow.update(alerts, same, new_values):
        raise Changed("Somebody else has changed this alert. Read it again before you decide.")
    decision = new_decision(uow, lane, row["alert_id"], version)
    changed = {name: changes[name] for name in decision if name in changes}
    uow.insert(decisions, [{**decision, **changed}])


def new_decision(uow: UnitOfWork, lane: str, alert_id: str, version: int) -> NewDecision:
    """Return a decision of the actor's, before what it says."""
    return {
        "lane": lane,
        "alert_id": alert_id,
        "version": version,
        "state": "open",
        "reason": "",
        "assigned_to": "",
        "due_on": "",
        "snoozed_until": "",
        "tags": "",
        "recovered_pence": 0,
        "decided_by": uow.actor.actor_id,
        "decided_at": uow.now,
    }


def is_alert(table: sa.Table, lane: str, alert_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that a row is about an alert."""
    return (table.c.lane == lane) & (table.c.alert_id == alert_id)
