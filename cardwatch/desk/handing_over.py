"""Exports: a statement's list, a case, and a query to a line manager."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from cardwatch.alerts.answered import person_key
from cardwatch.casebook import FINANCE, PSD, Event, naming, people
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.audit import checkpoint_line
from cardwatch.casebook.finding import Asked, find_alerts
from cardwatch.casebook.statements import get_statement
from cardwatch.casebook.tables import disclosures
from cardwatch.desk.answering import people_of
from cardwatch.desk.desk import shown
from cardwatch.desk.recipe import report_of
from cardwatch.errors import CardwatchError, NotAllowed, about_field
from cardwatch.records import Statements
from cardwatch.reports import (
    HANDED,
    PURPOSES,
    Document,
    HandOver,
    alerts_filename,
    case_filename,
    check_drawing,
    pack_alerts,
    questions_document,
    questions_filename,
    write_alerts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.casebook import Work
    from cardwatch.desk.desk import Desk
    from cardwatch.records import AlertList

PACK = ".zip"
FORMS = (*HANDED, PACK)
"""Forms in which alerts are handed over; a pack has all of the others, and a signed manifest."""
MOST_IN_CASE = 50
MAX_SELECTED = 1_000
"""Alerts that one file of filtered alerts has at most."""


@dataclass(frozen=True)
class ExportFile:
    """A file that is handed over.

    Attributes:
        filename: what it holds and of when, never about whom.
        alert_count: how many alerts it has.
    """

    filename: str
    content: bytes
    alert_count: int


@dataclass(frozen=True)
class Wanted:
    """A request for an export: object, purpose, recipient, marking and key.

    Attributes:
        statement_id, lane: whose list, as it was made; or
        alert_ids: alerts that make a case, with everything that is kept of them; or
        filters: alerts that fit, as they were raised.
        key: signs the checkpoint in it, and the manifest of a pack.
    """

    purpose: str
    recipient: str
    marking: str
    key: Ed25519PrivateKey
    statement_id: str = ""
    lane: str = FINANCE
    alert_ids: tuple[str, ...] = ()
    filters: Asked | None = None


def hand_over(desk: Desk, wanted: Wanted, form: str) -> ExportFile:
    """Hand alerts over as a file.

    Args:
        desk: who hands over.
        wanted: what, why and to whom.
        form: one of `FORMS`.

    Raises:
        NotAllowed: the lane is not the actor's, or they have not asked to see its names.
        NotFound: there is no such statement, list or alert.
        CardwatchError: no such purpose or form, nobody is named, a case has too many
            alerts.
    """
    _check(wanted, form)
    event = Event("disclosure", "list", purpose=wanted.purpose)
    with desk.work(event) as work:
        desk.sees_alerts()
        if wanted.alert_ids:
            event.object_kind = "case"
        cases, made = _chosen(desk, work, wanted)
        lists, read = _called(work, made, of_case=not wanted.statement_id)
        handed = HandOver(
            marking=wanted.marking,
            organisation=people.organisation_name(work),
            purpose=wanted.purpose,
            recipient=wanted.recipient.strip(),
            made_by=people.email_of(work),
            made_at=work.now,
            checkpoint=checkpoint_line(work, wanted.key, desk.actor.chain),
            cases=cases,
            is_selection=wanted.filters is not None,
        )
        _disclose(work, handed, next(name for _, name in made))
        count = sum(len(made.alerts) for made in lists.values())
        event.counts = {"alerts": count}
    filename = _filename(lists, {lane for lane, _ in made}, cases, form)
    if form == PACK:
        return ExportFile(filename, pack_alerts(lists, read, handed, wanted.key), count)
    with tempfile.TemporaryDirectory(prefix="cardwatch-") as folder:
        path = Path(folder) / f"alerts{form}"
        write_alerts(path, lists, read, handed)
        return ExportFile(filename, path.read_bytes(), count)


def _chosen(
    desk: Desk, work: Work, wanted: Wanted
) -> tuple[tuple[dict[str, Any], ...], dict[tuple[str, str], AlertList]]:
    """Return what is kept of the alerts of a case, and the lists by lane and statement."""
    if wanted.alert_ids:
        cases = _cases(work, wanted)
        return cases, _lists(work, cases)
    if wanted.filters is not None:
        return (), _lists(work, _selection(work, wanted))
    desk.sees_lane(wanted.lane)
    name = get_statement(work, wanted.statement_id)["statement_id"]
    return (), {(wanted.lane, name): kept.read_list(work, wanted.lane, name)}


def _selection(work: Work, wanted: Wanted) -> list[dict[str, Any]]:
    """Return the alerts that fit the filters, and write down that each leaves.

    Raises:
        NotAllowed: professional standards have not asked to see the names in one of them.
        CardwatchError: none fits, or too many.
    """
    assert wanted.filters is not None
    rows = find_alerts(work, wanted.filters, limit=MAX_SELECTED + 1)
    if not 1 <= len(rows) <= MAX_SELECTED:
        raise CardwatchError(f"Choose filters that 1 to {MAX_SELECTED:,} alerts fit.")
    for row in rows:
        if work.actor.role == PSD and not naming.is_unmasked(work, row["alert_id"]):
            raise NotAllowed(
                "A list names people. On each alert's page, ask first to see the name, or share "
                "the list of a statement."
            )
        work.also.append(Event("disclosure", "alert", row["alert_id"], purpose=wanted.purpose))
    return rows


def _filename(
    lists: Mapping[str, AlertList],
    lanes: set[str],
    cases: Sequence[Mapping[str, Any]],
    form: str,
) -> str:
    """Return what the file is called: a case by its alerts, a list by its months."""
    if cases:
        return case_filename([case["alert_id"] for case in cases], lanes, form)
    return alerts_filename(lists, lanes, form)


def _check(wanted: Wanted, form: str) -> None:
    """Refuse what cannot be handed over, before anything is written down."""
    if wanted.purpose not in PURPOSES:
        known = ", ".join(PURPOSES)
        sentence = f"Choose a purpose: {known}, not '{wanted.purpose}'."
        raise CardwatchError(sentence if wanted.purpose else "Choose a purpose", field="purpose")
    if not wanted.recipient.strip():
        raise CardwatchError("Enter the recipient", field="recipient")
    if form not in FORMS:
        known = ", ".join(FORMS)
        sentence = f"'{form}' is not a list format. Use a file name that ends in {known}."
        raise CardwatchError(sentence, field="form")
    if len(wanted.alert_ids) > MOST_IN_CASE:
        raise CardwatchError(
            f"Choose at most {MOST_IN_CASE} alerts for one case.", field="alert_ids"
        )
    if form in {".pdf", PACK}:
        with about_field("form"):
            check_drawing()


def _cases(work: Work, wanted: Wanted) -> tuple[dict[str, Any], ...]:
    """Return everything that is kept of the alerts of a case, and write down that each leaves."""
    told = ("alert_id", "lane", "statement_id", "state", "assigned_to", "due_on", "tags",
            "decisions", "neighbours", "related")  # fmt: skip
    alerts = {one["alert_id"]: one for one in (kept.get_alert(work, n) for n in wanted.alert_ids)}
    cases = []
    for alert_id, found in alerts.items():
        cases.append({one: found[one] for one in told} | {"seen": naming.seen_by(work, alert_id)})
        work.also.append(Event("disclosure", "alert", alert_id, purpose=wanted.purpose))
    return tuple(cases)


def _lists(work: Work, alerts: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], AlertList]:
    """Return some alerts as they were raised: by lane and statement, in that order."""
    only = {one["alert_id"] for one in alerts}
    places = dict.fromkeys((one["lane"], one["statement_id"]) for one in alerts)
    return {place: kept.read_list(work, *place, only=only) for place in places}


def _called(
    work: Work, made: Mapping[tuple[str, str], AlertList], *, of_case: bool
) -> tuple[dict[str, AlertList], Statements]:
    """Return lists by what they are called, and how their statements were read."""
    rows = {name: get_statement(work, name) for _, name in made}
    lists = {
        f"{lane} list of {rows[name]['label']}" if of_case else lane: one
        for (lane, name), one in made.items()
    }
    reports = (report_of(row["report"]) for row in rows.values())
    return lists, Statements(pd.DataFrame(), tuple(one for one in reports if one))


def _disclose(work: Work, handed: HandOver, statement_id: str) -> None:
    """Write down that something is handed over; the same again within a second is one."""
    said = {"statement_id": statement_id, "purpose": handed.purpose,
            "recipient": handed.recipient, "lane": work.actor.chain,
            "made_by": work.actor.actor_id, "made_at": work.now}  # fmt: skip
    work.event.object_id = work.keyed("disclosure", *said.values(), *map(str, handed.cases))[:12]
    same = disclosures.c.disclosure_id == work.event.object_id
    if work.one(sa.select(disclosures.c.lane).where(work.mine(disclosures), same)) is None:
        work.add_sealed(disclosures, [said | {"disclosure_id": work.event.object_id}])


def list_disclosures(desk: Desk) -> list[dict[str, Any]]:
    """Return what was handed over, as far as the actor may know: why, to whom."""
    with desk.work(Event("consultation", "disclosures")) as work:
        desk.sees_alerts()
        question = sa.select(disclosures).where(work.mine(disclosures))
        if desk.actor.holder_id:  # others may have exported alerts about them
            question = question.where(disclosures.c.made_by == desk.actor.actor_id)
        order = (disclosures.c.made_at, disclosures.c.disclosure_id)
        return [shown(row) for row in work.rows(question.order_by(*order))]


def list_questions(desk: Desk, alert_id: str) -> list[dict[str, Any]]:
    """The open alerts of finance about the same people as an alert, and nobody else.

    Raises:
        NotAllowed: the role is not finance.
        NotFound: there is no such alert that the actor may see.
    """
    with desk.work(Event("consultation", "alerts")) as work:
        desk.allow((FINANCE,), "send queries to a line manager")
        return _open_questions(work, kept.get_alert(work, alert_id))


def _open_questions(work: Work, alert: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The open alerts of finance about the same people as an alert, and nobody else."""
    filters = Asked(lane=FINANCE, same_holder_as=alert["alert_id"], unanswered=True)
    same_people = people_of([alert])
    return [row for row in find_alerts(work, filters) if people_of([row]) == same_people]


def ask_manager(desk: Desk, alert_id: str, *, recipient: str, marking: str) -> tuple[str, Document]:
    """The name and content of finance's open questions about the people of an alert.

    They are about the same people and nobody else: an alert that also asks about another person,
    or about one of several alone, is left out.

    Args:
        desk: who asks; of finance.
        alert_id: one of finance's alerts.
        recipient: the line manager; never one of the people asked about.
        marking: protective marking.

    Raises:
        NotAllowed: the role is not finance.
        NotFound: there is no such alert that the actor may see.
        CardwatchError: nobody is named, somebody asked about is, or nothing is left to ask.
    """
    event = Event("disclosure", "questions", purpose="finance-assurance")
    with desk.work(event) as work:
        desk.allow((FINANCE,), "send queries to a line manager")
        found = kept.get_alert(work, alert_id)
        if not recipient.strip():
            raise CardwatchError("Enter the line manager's name", field="recipient")
        event.object_id = found["alert_id"]
        asked = _open_questions(work, found)
        if person_key(recipient) in map(person_key, people_of([found])):
            sentence = "Choose somebody else. A query about a person goes to their line manager."
            raise CardwatchError(sentence, field="recipient")
        lists = _lists(work, asked)
        raised = {one.alert_id: one for made in lists.values() for one in made.alerts}
        alerts = [raised[one["alert_id"]] for one in asked if one["alert_id"] in raised]
        if not alerts:
            raise CardwatchError("There are no open alerts about this cardholder.")
        work.also += [
            Event("disclosure", "alert", one.alert_id, purpose=event.purpose) for one in alerts
        ]
        filename = questions_filename([one.alert_id for one in alerts])
        return filename, questions_document(
            alerts,
            marking=marking,
            organisation=people.organisation_name(work),
            recipient=recipient.strip(),
            day=work.today,
        )
