"""Imports statements and the settings they are scored with."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.casebook import FINANCE, LANES, Event, Work, documents, raising
from cardwatch.casebook import statements as kept
from cardwatch.casebook.counting import is_counting
from cardwatch.casebook.import_requests import REQUEST_DAYS, confirm_import
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import RECEIVES, outbox
from cardwatch.casebook.work import canonical, short_id
from cardwatch.desk.recipe import (
    Ingredients,
    Recipe,
    keep_shipped_rules,
    pack_forest,
    read_recipe,
    recipe_of,
    score_window,
)
from cardwatch.errors import CardwatchError, CasebookBusy, CasebookFailed, NotAllowed, NotFound
from cardwatch.quantities import plural
from cardwatch.scoring import Scoring, train
from cardwatch.statements import name_holders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cardwatch.casebook.statements import Arrival
    from cardwatch.casebook.work import Row
    from cardwatch.desk.desk import Desk
    from cardwatch.forest import Forest
    from cardwatch.records import ReadingReport

WINDOW_DAYS = 400
"""Days of history that a scoring reads, so that its cost does not grow with the years kept. It is
thirteen months: what comes yearly is seen again; detection was measured with twelve."""
GAP_DAYS = 10
"""Days without a payment between two statements after which one is reported missing."""
LATE_SHARE = 0.05
"""A statement begins on the day before which this share of its payments lie; these are late."""


@dataclass(frozen=True)
class Receipt:
    """The result of an import; the same words whatever was found in the statement.

    Attributes:
        statement_id: the statement, this one or the one that holds its rows already; empty while
            a second person is waited for.
        outcome: received; held, the same bytes; rows-held, the same rows in another file; or
            second-person, which waits for another person to ask for the same.
        transactions: rows that are transactions.
        held_before: those of them that other statements hold, counted once.
        holders: labels of these statements with how many each holds.
        late: transactions from before the days the statement is about.
        notes: what a person should know, each a sentence.
    """

    statement_id: str
    label: str
    outcome: str
    transactions: int = 0
    held_before: int = 0
    holders: dict[str, int] = field(default_factory=dict)
    late: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scored:
    """The result of scoring a statement, and its inputs.

    Attributes:
        table: everything the scoring read, as `read_window` will give it once it is kept.
        since: first day of it.
    """

    scoring: Scoring
    table: pd.DataFrame
    since: str
    recipe: Recipe
    used: Ingredients


def receive(
    desk: Desk,
    read: tuple[pd.DataFrame, ReadingReport],
    *,
    corrects: str | None = None,
    is_history: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Receipt:
    """Import one statement: store it, score it and store its alerts, completely or not at all.

    The same bytes again, by however many at once, make one statement and give the same answer.

    Args:
        desk: who brings it.
        read: its transactions and reading report, as `read_each` gives them.
        corrects: the statement in whose place it comes.
        is_history: whether it is only kept, for later ones to be compared with.
        tell: called with how many per cent are done.

    Raises:
        NotAllowed: the role receives no statements.
        NotFound: there is no statement to be corrected.
        NothingToScore: none of its transactions can be scored.
        CardwatchError: a correction is to be kept without being scored.
    """
    if corrects and is_history:
        raise CardwatchError(
            "A corrected statement is always scored. Import it without '--history'.",
            field="history",
        )
    with desk.casebook.turn(desk.actor.organisation_id), _failure_recorded(desk, read[1]):
        tell(10)
        receipt, arrival, scored = _prepare(desk, read, corrects, is_history=is_history)
        if arrival is not None:
            tell(80)
            _keep(desk, arrival, scored)
    return receipt


@contextmanager
def _failure_recorded(desk: Desk, report: ReadingReport) -> Iterator[None]:
    """Write an audit event that a statement failed, unless the refusal has one of its own."""
    is_recorded = False
    try:
        yield
        is_recorded = True
    except (NotAllowed, NotFound, CasebookBusy):
        is_recorded = True
        raise
    finally:
        if not is_recorded:
            name = short_id(desk.actor.organisation_id, report.sha256)
            event = Event("collection", "statement", name, outcome="failed")
            with suppress(CasebookFailed), desk.work(event, ()):  # the first error is to be seen
                pass


def put_in_force(desk: Desk, kind: str, content: bytes, holds_from: str) -> str:
    """Store a policy, card register or model and activate it from a day; return its hash.

    Raises:
        NotAllowed: the role changes no settings.
        CardwatchError: the day is none.
    """
    day_of(holds_from, "holds_from")
    event = Event("alteration", kind)
    with desk.casebook.turn(desk.actor.organisation_id), desk.work(event, ()) as work:
        desk.allow(RECEIVES, "change settings")
        event.object_id = documents.put_in_force(work, kind, content, holds_from)
        return event.object_id


def renew_model(desk: Desk) -> str:
    """Train a forest on the last 13 months and activate it from today; return its hash.

    Raises:
        NotAllowed, NotFound, NothingToScore: see `newest_forest`.
    """
    today = str(desk.now.date())
    return put_in_force(desk, "model", pack_forest(newest_forest(desk), today), today)


def newest_forest(desk: Desk) -> Forest:
    """Return a forest fitted to the last thirteen months.

    Raises:
        NotAllowed: the role changes no settings.
        NotFound: no statement of these months is held.
        NothingToScore: there are too few payments or holders for a forest.
    """
    today = desk.now.date()
    with desk.work(Event("combination", "model"), ()) as work:
        desk.allow(RECEIVES, "change settings")
        since = str(today - dt.timedelta(WINDOW_DAYS))
        table = kept.read_window(work, kept.last_seq(work), since, str(today))
        used = read_recipe(work, replace(recipe_of(work, str(today)), model=""))
    if table.empty:
        raise NotFound("No statement of the last 13 months has been uploaded.")
    together, _ = name_holders(kept.as_read(table))
    return train(together, used.policy, cards=used.cards)


def list_statements(desk: Desk) -> list[dict[str, Any]]:
    """Return the statements held, in the order received, with what is known of their reading."""
    with desk.work(Event("consultation", "statements"), ()) as work:
        found = kept.list_statements(work)
    return [_told(row, found) for row in found]


def get_statement(desk: Desk, statement_id: str) -> dict[str, Any]:
    """Return one statement with its reading report: what happened to every row.

    `beside` says in sentences which days before it no statement covers, and what others hold too.

    Raises:
        NotFound: there is no such statement.
    """
    event = Event("consultation", "statement")
    with desk.work(event, ()) as work:
        row = kept.get_statement(work, statement_id)
        event.object_id = row["statement_id"]
        found = kept.list_statements(work)
        beside = _beside(work, row, found)
    return _told(row, found) | {"report": json.loads(row["report"]), "beside": beside}


def _beside(work: Work, row: Row, found: list[Row]) -> list[str]:
    """Return sentences on how a statement that is kept lies beside the others."""
    start = kept.day_at(work, row["statement_id"], LATE_SHARE)
    others = [one for one in found if one["seq"] != row["seq"] and is_counting(one)]
    labels = {one["statement_id"]: one["label"] for one in others}
    shared = kept.shared_with(work, row["statement_id"])
    notes = _shares({labels[name]: count for name, count in shared.items() if name in labels})
    return notes + (_gap(start, others) if start else [])


def _told(row: Row, others: list[Row]) -> dict[str, Any]:
    """The result of an import in words for people."""
    shown = ("statement_id", "label", "sha256", "received_at", "received_by", "corrects",
             "first_on", "last_on", "transactions", "pence", "held_before", "is_scored",
             "erased_at")  # fmt: skip
    taken = {one["seq"]: one["statement_id"] for one in others}
    return {name: row[name] for name in shown} | {
        "superseded_by": taken.get(row["superseded_seq"]),
        "layout": json.loads(row["report"]).get("layout", ""),
    }


def _prepare(
    desk: Desk,
    read: tuple[pd.DataFrame, ReadingReport],
    corrects: str | None,
    *,
    is_history: bool,
) -> tuple[Receipt, Arrival | None, _Scored | None]:
    """Compare a statement with stored ones and score it; None if it is already stored."""
    frame, report = read
    event = Event("combination", "statement", short_id(desk.actor.organisation_id, report.sha256))
    with desk.work(event, ()) as work:
        desk.allow(RECEIVES, "receives no statements")
        known = kept.find_statement(work, report.sha256, is_scored=not is_history)
        if known is not None:
            event.outcome = "held"
            return Receipt(known["statement_id"], known["label"], "held"), None, None
        arrival = kept.compare(work, frame, report, corrects, is_history=is_history)
        receipt = _receipt(work, arrival)
        why = _needs_second_person(work, arrival, is_history=is_history)
        if why and not confirm_import(work, report.sha256, arrival.corrects or "history"):
            receipt = Receipt("", arrival.label, "second-person", len(arrival.rows), notes=(why,))
        if receipt.outcome != "received":
            event.outcome = receipt.outcome
            return receipt, None, None
        if is_history:
            event.outcome = "begun"
            return receipt, arrival, None
        since = window_from(arrival.rows)
        recipe = recipe_of(work, str(arrival.rows["date"].max()))
        used = read_recipe(work, recipe)
        table = table_of(arrival, _history(work, arrival, since))
        event.outcome = "begun"  # the statement exists once `_keep` says so
    scoring = score_window(table, arrival.label, used)
    return receipt, arrival, _Scored(scoring, table, since, recipe, used)


def _needs_second_person(work: Work, arrival: Arrival, *, is_history: bool) -> str:
    """Return why an import needs two people, as a sentence; empty where it needs one.

    It depends on payments alone and never on alerts: who brings a statement may not know of those.
    """
    if arrival.is_any_left_out:
        why = "the correction leaves out or changes a payment of the statement it corrects"
    else:
        first = kept.first_scored_on(work) if is_history else ""
        if not first or arrival.rows["date"].max() < first:
            return ""
        why = "history after the first scored day can hide what is unusual"
    return (
        f"A second person is needed: {why}. Another person with your role has to upload the same "
        f"file with the same choices within {REQUEST_DAYS} days."
    )


def _keep(desk: Desk, arrival: Arrival, scored: _Scored | None) -> None:
    """Keep a statement with everything made of it, in one transaction."""
    event = Event("collection", "statement", arrival.statement_id, chain=FINANCE)
    facts: dict[str, Any] = {"is_scored": int(scored is not None)}
    if scored is not None:
        facts["window_from"] = scored.since
        facts["input_sha256"] = kept.rows_sha256(scored.table)
        facts["made_with"] = canonical(asdict(scored.recipe))
    with desk.work(event, LANES) as work:
        kept.keep_statement(work, arrival, facts)
        event.counts = {"transactions": len(arrival.rows)}
        if scored is not None:
            keep_shipped_rules(work, scored.recipe)
            _keep_model(work, arrival, scored)
            _keep_alerts(work, arrival, scored)


def _keep_model(work: Work, arrival: Arrival, scored: _Scored) -> None:
    """Activate the first trained forest: from then on it changes only by hand."""
    forest = scored.scoring.scored.forest
    if scored.used.forest is None and forest is not None:
        day = str(arrival.rows["date"].max())
        name = documents.put_in_force(work, "model", pack_forest(forest, day), day)
        work.also.append(Event("alteration", "model", name))


def _keep_alerts(work: Work, arrival: Arrival, scored: _Scored) -> None:
    """Keep both lanes' lists and a notice of each; what was only in a corrected one is closed."""
    table = scored.table
    rows = table["row"].astype(int)
    read = zip(table["label"], rows, strict=True)
    held = zip(table["statement_id"], rows, strict=True)
    places = dict(zip(read, held, strict=True))
    approvers = scored.used.approvers
    name = arrival.statement_id
    for lane in LANES:
        source = raising.Source(lane, name, places, approvers, arrival.corrects)
        done = asdict(raising.keep_list(work, source, scored.scoring.lists[lane]))
        work.also.append(Event("collection", "alerts", name, counts=done, chain=lane))
        notice = {"lane": lane, "notice_id": short_id(lane, name), "kind": "list"}
        work.add(outbox, [notice | {"made_at": work.now, "next_at": work.now, "tries": 0}])


def _receipt(work: Work, arrival: Arrival) -> Receipt:
    """Return what becomes of a statement that was compared with those held."""
    others = kept.list_statements(work)
    labels = {row["statement_id"]: row["label"] for row in others}
    holders = {labels[name]: count for name, count in arrival.holders.items()}
    held, count = int(arrival.held_before.sum()), len(arrival.rows)
    notes = _shares(holders)
    if held == count:
        name = next(iter(arrival.holders))
        return Receipt(name, labels[name], "rows-held", count, held, holders, 0, tuple(notes))
    if held > count // 2 and not arrival.corrects:
        notes.append("if this is a corrected statement, upload it as a correction")
    start = _first_on(arrival.rows)
    notes += _gap(start, others)
    late = int((arrival.rows["date"] < start).sum())
    said = (*arrival.report.decisions, *arrival.report.notes, *notes)
    return Receipt(
        arrival.statement_id, arrival.label, "received", count, held, holders, late, said
    )


def _shares(holders: Mapping[str, int]) -> list[str]:
    """Return a sentence on each other statement, by label, that holds so many of a statement's."""
    return [
        f"{shared:,} of its transactions {plural(shared, 'is', 'are')} also in {label}, "
        "and counted once"
        for label, shared in holders.items()
    ]


def _gap(start: str, others: list[Row]) -> list[str]:
    """Return a sentence on the days that no statement covers before one begins."""
    ends = [row["last_on"] for row in others if row["last_on"] < start]
    if not ends or any(row["first_on"] <= start <= row["last_on"] for row in others):
        return []
    day = dt.timedelta(days=1)
    last, first = dt.date.fromisoformat(max(ends)), dt.date.fromisoformat(start)
    if first - last <= GAP_DAYS * day:
        return []
    return [f"no statement covers {last + day} to {first - day}: is one missing?"]


def _first_on(rows: pd.DataFrame) -> str:
    """Return the day on which a statement begins, late payments left aside."""
    days = rows["date"].sort_values(ignore_index=True)
    return str(days.iloc[int(LATE_SHARE * len(days))])


def window_from(rows: pd.DataFrame) -> str:
    """Return the first day of the history that a statement is compared with."""
    start = dt.date.fromisoformat(_first_on(rows)) - dt.timedelta(WINDOW_DAYS)
    return min(str(start), str(rows["date"].min()))


def table_of(arrival: Arrival, before: pd.DataFrame) -> pd.DataFrame:
    """Return what the scoring of a statement reads, as `read_window` will give it once kept.

    Args:
        arrival: the statement.
        before: history that it is compared with, as `read_window` gives it.
    """
    new = arrival.rows.astype({"day_doubled": bool})
    new = new.assign(seq=arrival.seq, label=arrival.label, statement_id=arrival.statement_id)
    new = new.assign(is_scored=1)
    table = pd.concat([before, new[list(before.columns)]], ignore_index=True)
    order = np.lexsort([table["seq"], table["is_scored"] != 1])  # as `counting_payments` has them
    return table.iloc[order].drop_duplicates("identity", ignore_index=True)


def _history(work: Work, arrival: Arrival, since: str) -> pd.DataFrame:
    """Return what a statement is compared with: what counts before it, without what it corrects."""
    before = kept.read_window(work, arrival.seq - 1, since, str(arrival.rows["date"].max()))
    return before[before["statement_id"] != arrival.corrects]
