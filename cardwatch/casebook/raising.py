"""Keeps alerts as they were raised: never changed, and each with a state to begin with."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from cardwatch.alerts import alert_strength
from cardwatch.casebook.alerts import is_alert, new_decision, person_key, record_decision
from cardwatch.casebook.learning import band_of
from cardwatch.casebook.suppressions import closed_by
from cardwatch.casebook.tables import (
    ANSWERED,
    AUTOMATIC,
    alerts,
    decisions,
    evidence,
    lists,
    raised,
    subjects,
)
from cardwatch.casebook.work import SYSTEM, canonical
from cardwatch.merchants import canonical_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.casebook.work import Work
    from cardwatch.records import Alert, AlertList

SECOND_LOOK_SHARE, SECOND_LOOK_LEAST = 0.01, 5
"""Of what was closed unasked, so much is opened again at random with each statement: the only
unbiased look at what is missed (US Army, AFARS 11-4; docs/casebook.md)."""


@dataclass(frozen=True)
class Kept:
    """What keeping a list of alerts came to.

    Attributes:
        new: alerts not known before.
        again: alerts that were known: an earlier statement, since corrected, raised them.
        suppressed, not_asked: those of the new that were closed by themselves.
        second_look: alerts closed before, or now, that were opened again at random.
    """

    new: int
    again: int
    suppressed: int
    not_asked: int
    second_look: int


@dataclass(frozen=True)
class Source:
    """Where a list of alerts comes from.

    Attributes:
        lane: finance or psd.
        statement_id: the statement that raised them.
        places: file and row of each payment to its statement's id and row.
        approvers: holder to whoever approves what they pay.
    """

    lane: str
    statement_id: str
    places: Mapping[tuple[str, int], tuple[str, int]]
    approvers: Mapping[str, str]


def alert_text(alert: Alert) -> str:
    """Return an alert as the text that is kept: one form only, byte for byte."""
    return canonical(asdict(alert))


def list_text(made: AlertList) -> str:
    """Return everything of a list but its alerts as the text that is kept."""
    return canonical(asdict(replace(made, alerts=())))


def texts_sha256(texts: Sequence[str]) -> str:
    """Return a hash of the alerts of a list, in their order."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def keep_list(work: Work, source: Source, made: AlertList) -> Kept:
    """Keep a statement's alerts of one lane, as they were raised, each with a state."""
    lane, owned = source.lane, {"lane": source.lane, "statement_id": source.statement_id}
    texts = [alert_text(alert) for alert in made.alerts]
    row = {"content": list_text(made), "alerts_sha256": texts_sha256(texts)}
    work.add(lists, [owned | row])
    named = zip(made.alerts, texts, strict=True)
    work.add(
        raised,
        [owned | {"alert_id": a.alert_id, "rank": a.rank, "content": text} for a, text in named],
    )
    question = sa.select(alerts.c.alert_id).where(work.mine(alerts), alerts.c.lane == lane)
    known = {row["alert_id"] for row in work.rows(question)}
    for alert in made.alerts:
        if alert.alert_id in known:  # raised anew, of a corrected statement: its state stays
            work.change(alerts, is_alert(alerts, lane, alert.alert_id), owned)
            for table in (evidence, subjects):
                work.remove(table, is_alert(table, lane, alert.alert_id))
    new = [(a, *closed_by(work, lane, a)) for a in made.alerts if a.alert_id not in known]
    work.add(alerts, [owned | _row(work, alert, state) for alert, state, _ in new])
    work.add(evidence, [row for alert in made.alerts for row in _evidence(source, alert)])
    work.add(subjects, [row for alert in made.alerts for row in _subjects(source, alert)])
    closed = [one for one in new if one[1] in AUTOMATIC]
    work.add(
        decisions,
        [new_decision(work, lane, alert.alert_id, 1) | {"state": state, "reason": why,
                                                    "decided_by": SYSTEM}
         for alert, state, why in closed],
    )  # fmt: skip
    states = [state for _, state, _ in new]
    return Kept(
        new=len(new),
        again=len(made.alerts) - len(new),
        suppressed=states.count("suppressed"),
        not_asked=states.count("not-asked"),
        second_look=_look_again(work, source),
    )


def close_corrected(work: Work, lane: str, corrected: str) -> int:
    """Close the open alerts that only a statement since corrected raised; return how many."""
    which = (alerts.c.statement_id == corrected) & (alerts.c.lane == lane)
    gone = work.rows(
        sa.select(alerts.c.alert_id, alerts.c.version).where(
            work.mine(alerts), which, alerts.c.state.not_in(ANSWERED)
        )
    )
    reason = "The statement was corrected, and the question does not arise any more."
    for row in gone:
        changes = {"state": "data-error", "reason": reason, "decided_by": SYSTEM}
        record_decision(work, lane, row, changes)
    return len(gone)


def _row(work: Work, alert: Alert, state: str) -> dict[str, Any]:
    """Return what the table of alerts says of an alert that is new."""
    return {
        "alert_id": alert.alert_id,
        "raised_at": work.now,
        "tier": alert.tier,
        "kind": alert.kind,
        "rule": alert.reasons[0].rule,
        "band": band_of(alert.chance),
        "holder_id": alert.holder_id,
        "merchant_id": canonical_name(alert.merchant).name,
        "first_on": alert.first_on,
        "last_on": alert.last_on,
        "at_stake_pence": alert.at_stake_pence,
        "strength": alert_strength(alert),
        "state": state,
        "version": int(state in AUTOMATIC),
        "is_second_look": 0,
        "assigned_to": "",
        "due_on": "",
    }


def _look_again(work: Work, source: Source) -> int:
    """Open some alerts again, by chance, that closed by themselves; return how many."""
    question = (
        sa.select(alerts.c.alert_id, alerts.c.version)
        .where(work.mine(alerts), alerts.c.lane == source.lane, alerts.c.state.in_(AUTOMATIC))
        .order_by(alerts.c.alert_id)
    )
    pool = work.rows(question)
    count = min(max(SECOND_LOOK_LEAST, math.ceil(SECOND_LOOK_SHARE * len(pool))), len(pool))
    digest = hashlib.sha256(f"{source.lane}\n{source.statement_id}".encode()).digest()
    random = np.random.default_rng(list(digest))
    for at in sorted(random.permutation(len(pool))[:count].tolist()):
        changes = {
            "state": "open",
            "is_second_look": 1,
            "reason": "Opened again by chance, for a second look.",
            "decided_by": SYSTEM,
        }
        record_decision(work, source.lane, pool[at], changes)
    return count


def _evidence(source: Source, alert: Alert) -> list[dict[str, Any]]:
    """Return where the payments of an alert are kept."""
    at = [source.places[payment.file, payment.row] for payment in alert.payments]
    owned = {"lane": source.lane, "alert_id": alert.alert_id}
    return [owned | {"statement_id": name, "row": row} for name, row in at]


def _subjects(source: Source, alert: Alert) -> list[dict[str, str]]:
    """Return whom an alert is about: its holders, and who approves what they pay."""
    holders = {payment.holder_id for payment in alert.payments}
    holders = holders or {alert.holder_id.removeprefix("approver ")}  # about a card
    about = {person_key(name) for name in holders}
    about |= {person_key(by) for name in holders if (by := source.approvers.get(name))}
    owned = {"lane": source.lane, "alert_id": alert.alert_id}
    return [owned | {"person": person} for person in sorted(about)]
