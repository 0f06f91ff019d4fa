"""Stores alerts and the decisions about them.

An alert as raised never changes. Beside it stands its state, which is that of its last decision;
every decision has a reason, and whoever decides says which decision they have seen as the last.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.alerts import without_alerts
from cardwatch.alerts.answered import person_key
from cardwatch.casebook.histories import neighbours
from cardwatch.casebook.people import check_assignee, who
from cardwatch.casebook.suppressions import day_of, may_decide
from cardwatch.casebook.tables import STATES, alert_subjects, alerts, decisions, lists, raised
from cardwatch.errors import CardwatchError, Changed, NotFound, about_field
from cardwatch.records import Alert, AlertCard, AlertList, EntryShown, Payment, Reason
from cardwatch.vocabulary import AUTOMATIC, PERSON_KINDS, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cardwatch.casebook.work import Row, Work

LEFT = ("assigned_to", "due_on", "snoozed_until", "tags")
"""Fields that a decision leaves unchanged by default."""
LONGEST_WAIT_DAYS = 366
ASKED_ABOUT = (SubjectKind.HOLDER, SubjectKind.APPROVER)
"""Kinds of the people an alert asks about."""
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
class Said:
    """A decision on an alert.

    Attributes:
        reason: why, or a note; never empty.
        state: the new state; empty to leave it.
        assigned_to: email of who is to see to it; empty for nobody; none to leave it.
        due_on: day by which; empty for none; none to leave it.
        snoozed_until: last day on which lists leave it out; empty for none; none to leave it.
        tags: words of one's own, with spaces between; none to leave them.
        seen: number of the last decision they have seen, if they say.
    """

    reason: str
    state: str = ""
    assigned_to: str | None = None
    due_on: str | None = None
    snoozed_until: str | None = None
    tags: str | None = None
    seen: int | None = None


def get_alert(work: Work, alert_id: str) -> dict[str, Any]:
    """Return an alert by its id or the beginning of it: its state, how it was raised, decisions.

    Raises:
        NotFound: there is none the actor may see, or there are several.
    """
    fits = alerts.c.alert_id.startswith(alert_id, autoescape=True)
    found = work.rows(
        sa.select(alerts).where(work.mine(alerts), not_about(work, alerts), fits).limit(2)
    )
    if len(found) != 1:
        raise NotFound(f"There is no alert '{alert_id}'.")
    row = dict(found[0])
    at = {name: row[name] for name in ("lane", "statement_id", "alert_id")}
    content = work.one(
        sa.select(raised.c.content).where(
            work.mine(raised), *(raised.c[name] == value for name, value in at.items())
        )
    )
    done = work.rows(
        sa.select(decisions)
        .where(
            work.mine(decisions),
            decisions.c.lane == row["lane"],
            decisions.c.alert_id == row["alert_id"],
        )
        .order_by(decisions.c.version)
    )
    hidden = {"organisation_id", "lane", "alert_id"}
    names = who(work)
    del row["organisation_id"]
    made = work.one(
        sa.select(lists.c.content).where(
            work.mine(lists),
            lists.c.lane == row["lane"],
            lists.c.statement_id == row["statement_id"],
        )
    )
    add_subjects(work, [row])
    return row | {
        "raised": _as_ranked(work, at, json.loads(content["content"])) if content else None,
        "made_by": json.loads(made["content"])["made_by"] if made else None,
        "related": _related(work, row),
        "neighbours": neighbours(work, row["lane"], row["alert_id"]),
        "decisions": [
            {
                k: names.get(v, v) if k == "decided_by" else v
                for k, v in one.items()
                if k not in hidden
            }
            for one in done
        ],
    }


def _as_ranked(work: Work, at: Mapping[str, str], snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return an alert as raised, ranked as if no alert before it had been about the actor."""
    before = sa.select(sa.func.count().label("hidden")).where(
        work.mine(raised),
        raised.c.lane == at["lane"],
        raised.c.statement_id == at["statement_id"],
        raised.c.rank < snapshot["rank"],
        ~not_about(work, raised),
    )
    found = work.one(before)
    return snapshot | {"rank": snapshot["rank"] - (found["hidden"] if found else 0)}


def _related(work: Work, row: Mapping[str, Any]) -> list[Row]:
    """The newest other alerts that the actor may see and that share a person or a merchant.

    Each has `decided_at`, the moment of its last decision, if there is one.
    """
    mine = alerts.c
    shown = ("alert_id", "lane", "state", "rule", "tier", "last_on", "at_stake_pence")
    same = shares_subject(work, row["alert_id"], (*ASKED_ABOUT, SubjectKind.MERCHANT))
    last = [decisions.c[name] == mine[name] for name in ("lane", "alert_id", "version")]
    question = (
        sa.select(*(mine[name] for name in shown), decisions.c.decided_at)
        .outerjoin(decisions, sa.and_(work.mine(decisions), *last))
        .where(work.mine(alerts), not_about(work, alerts), same)
        .where(mine.alert_id != row["alert_id"])
        .order_by(mine.last_on.desc(), mine.alert_id)
        .limit(MOST_BESIDE)
    )
    related = work.rows(question)
    add_subjects(work, related)
    return related


def shares_subject(
    work: Work, alert_id: str, kinds: Sequence[SubjectKind]
) -> sa.ColumnElement[bool]:
    """The condition that a row of `alerts` has a person or merchant in common with an alert.

    Args:
        work: the work it is done in.
        alert_id: whole id of that alert.
        kinds: of subjects that count, in both alerts: a person is not compared with a merchant.
    """
    theirs, own = alert_subjects.alias(), alert_subjects.alias()
    return sa.exists().where(
        work.mine(theirs, own),
        theirs.c.lane == alerts.c.lane,
        theirs.c.alert_id == alerts.c.alert_id,
        theirs.c.kind.in_(kinds),
        theirs.c.subject_id == own.c.subject_id,
        (theirs.c.kind == SubjectKind.MERCHANT) == (own.c.kind == SubjectKind.MERCHANT),
        own.c.alert_id == alert_id,
        own.c.kind.in_(kinds),
    )


def add_subjects(work: Work, rows: Sequence[Row]) -> None:
    """Add the holders, approvers, merchants and cost centres of alerts to their rows, in one order.

    Args:
        work: the work it is done in.
        rows: each with `lane` and `alert_id`; changed in place.
    """
    subjects = alert_subjects.c
    question = (
        sa.select(subjects.lane, subjects.alert_id, subjects.kind, subjects.name)
        .where(work.mine(alert_subjects), subjects.alert_id.in_({row["alert_id"] for row in rows}))
        .order_by(subjects.subject_id)
    )
    names: dict[tuple[str, str, str], list[str]] = {}
    for subject in work.rows(question):
        key = (subject["lane"], subject["alert_id"], subject["kind"])
        names.setdefault(key, []).append(subject["name"])
    for row in rows:
        for field, kind in SUBJECT_FIELDS.items():
            row[field] = names.get((row["lane"], row["alert_id"], kind), [])


def read_list(
    work: Work, lane: str, statement_id: str, only: Collection[str] | None = None
) -> AlertList:
    """Return a statement's list of one lane as if no alert had been raised about the actor.

    Args:
        work: the work it is done in.
        lane: of the list.
        statement_id: whose list.
        only: ids of the alerts that are wanted; all without them.

    Raises:
        NotFound: the statement made no list for the actor.
    """
    at = (lists.c.lane == lane) & (lists.c.statement_id == statement_id)
    made = work.one(sa.select(lists.c.content).where(work.mine(lists), at))
    if made is None:
        raise NotFound(f"There is no list of statement '{statement_id}'.")
    found = work.rows(
        sa.select(raised.c.content)
        .where(work.mine(raised))
        .where(raised.c.lane == lane, raised.c.statement_id == statement_id)
        .order_by(raised.c.rank)
    )
    content = json.loads(made["content"])
    content["notes"] = tuple(content["notes"])
    content["alerts"] = tuple(alert_from(json.loads(row["content"])) for row in found)
    shown = without_alerts(AlertList(**content), hidden_ids(work, statement_id))
    wanted = [one for one in shown.alerts if only is None or one.alert_id in only]
    return replace(shown, alerts=tuple(wanted))


def kept_texts(work: Work, lane: str, statement_id: str) -> tuple[str, dict[str, str], str]:
    """Return a statement's list of one lane as it is kept, for it to be compared byte for byte.

    Returns:
        The text of the list without its alerts; the text of each alert by its id; the hash of all.
    """
    at = (lists.c.lane == lane) & (lists.c.statement_id == statement_id)
    made = work.one(sa.select(lists).where(work.mine(lists), at))
    if made is None:
        return "", {}, ""
    found = work.rows(
        sa.select(raised.c.alert_id, raised.c.content)
        .where(work.mine(raised), raised.c.lane == lane, raised.c.statement_id == statement_id)
        .order_by(raised.c.rank)
    )
    texts = {row["alert_id"]: row["content"] for row in found}
    return made["content"], texts, made["alerts_sha256"]


def hidden_ids(work: Work, statement_id: str) -> set[str]:
    """Return the ids of a statement's alerts that the actor may not know of: about themselves."""
    its = (raised.c.statement_id == statement_id) & ~not_about(work, raised)
    question = sa.select(raised.c.alert_id).where(work.mine(raised), its)
    return {row["alert_id"] for row in work.rows(question)}


def alert_from(content: dict[str, Any]) -> Alert:
    """An alert from its kept JSON content."""
    lists_of: dict[str, type] = {
        "payments": Payment, "reasons": Reason, "weakened_by": Reason, "cards": AlertCard,
    }  # fmt: skip
    content["entries"] = tuple(
        EntryShown(**(one | {"facts": tuple((name, text) for name, text in one["facts"])}))
        for one in content.get("entries", ())
    )
    for name, kind in lists_of.items():
        content[name] = tuple(kind(**_tuples(one)) for one in content[name])
    return Alert(**_tuples(content))


def _tuples(content: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}


def decide(work: Work, alert_id: str, said: Said) -> dict[str, Any]:
    """Record a decision, a note, an assignment or a due day; return the alert as it is then.

    Raises:
        NotAllowed: the role decides nothing.
        NotFound: there is no such alert for the actor.
        Changed: somebody has decided since.
        CardwatchError: no reason, no such state, no such day or one past, no such person.
    """
    by_hand = [name for name in STATES if name not in AUTOMATIC]
    if said.state and said.state not in by_hand:
        sentence = f"Choose a state: {', '.join(by_hand)}, not '{said.state}'."
        raise CardwatchError(sentence, field="state")
    row = get_alert(work, alert_id)
    for field in ("due_on", "snoozed_until"):
        day = getattr(said, field)
        if not day or day == row[field]:  # one that has passed since does not stand in the way
            continue
        if not 0 <= (day_of(day, field) - day_of(work.today)).days <= LONGEST_WAIT_DAYS:
            raise CardwatchError("Enter a date from today to a year from now.", field=field)
    if said.assigned_to and said.assigned_to != row["assigned_to"]:
        with about_field("assigned_to"):
            check_assignee(work, said.assigned_to, row["lane"])
    may_decide(work, row["lane"], said.reason)
    if said.seen not in {None, row["version"]}:
        raise Changed("Somebody else has changed this alert. Read it again before you decide.")
    work.event.object_id = row["alert_id"]
    changes = {
        "state": said.state or row["state"],
        "reason": said.reason,
    }
    tags = None if said.tags is None else _tags(said.tags)
    for name in LEFT:
        given = tags if name == "tags" else getattr(said, name)
        changes[name] = row[name] if given is None else given
    record_decision(work, row["lane"], row, changes)
    return get_alert(work, row["alert_id"])


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


def reconcile(work: Work) -> dict[str, int]:
    """The number of alerts in each state, and in none.

    Every alert raised has exactly one state, and the state is that of its last decision, or open;
    `unreconciled` counts those of which it is not so.
    """
    latest = (
        sa.select(decisions.c.lane, decisions.c.alert_id, decisions.c.version, decisions.c.state)
        .where(work.mine(decisions))
        .subquery()
    )
    same = (latest.c.lane == raised.c.lane) & (latest.c.alert_id == raised.c.alert_id)
    question = (
        sa.select(
            raised.c.lane,
            raised.c.alert_id,
            alerts.c.state,
            alerts.c.version,
            latest.c.state.label("decided"),
        )
        .outerjoin(
            alerts,
            work.mine(alerts)
            & (alerts.c.lane == raised.c.lane)
            & (alerts.c.alert_id == raised.c.alert_id),
        )
        .outerjoin(latest, same & (latest.c.version == alerts.c.version))
        .where(work.mine(raised), not_about(work, raised))
        .distinct()
    )
    counts = dict.fromkeys([*STATES, "unreconciled"], 0)
    for row in work.rows(question):
        begun = row["version"] == 0 and row["state"] == "open"
        fits = row["state"] is not None and (begun or row["decided"] == row["state"])
        counts[row["state"] if fits else "unreconciled"] += 1
    return counts


def not_about(work: Work, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that an alert is not about the actor, nor about whose card they approve.

    It is active for every role: nobody sees the question that is asked about them.
    """
    if not work.actor.holder_id:
        return sa.true()
    return ~sa.exists().where(
        work.mine(alert_subjects),
        alert_subjects.c.lane == table.c.lane,
        alert_subjects.c.alert_id == table.c.alert_id,
        alert_subjects.c.kind.in_(PERSON_KINDS),
        alert_subjects.c.subject_id == person_key(work.actor.holder_id),
    )


def record_decision(
    work: Work, lane: str, row: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """Write a decision down, and what the alert's own row says since.

    Args:
        work: the work it is done in.
        lane: of the alert.
        row: `alert_id`, and the `version` of its last decision.
        changes: columns of the decision, and of the alert.

    Raises:
        Changed: somebody has decided in the meantime.
    """
    version = row["version"] + 1
    kept = ("state", *LEFT, "is_second_look")
    own = {name: changes[name] for name in kept if name in changes} | {"version": version}
    same = is_alert(alerts, lane, row["alert_id"]) & (alerts.c.version == row["version"])
    if not work.change(alerts, same, own):
        raise Changed("Somebody else has changed this alert. Read it again before you decide.")
    made = new_decision(work, lane, row["alert_id"], version)
    row = made | {name: changes[name] for name in made if name in changes}
    work.add_sealed(decisions, [row])


def new_decision(work: Work, lane: str, alert_id: str, version: int) -> dict[str, Any]:
    """Return a decision of the actor's, before what it says."""
    return {
        "lane": lane,
        "alert_id": alert_id,
        "version": version,
        "state": "open",
        "reason": "",
        **dict.fromkeys(LEFT, ""),
        "decided_by": work.actor.actor_id,
        "decided_at": work.now,
    }


def is_alert(table: sa.Table, lane: str, alert_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that a row is about an alert."""
    return (table.c.lane == lane) & (table.c.alert_id == alert_id)
