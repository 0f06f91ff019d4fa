"""Imports statements: each is stored, scored and its alerts kept, all of it or nothing."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cardwatch.casebook import FINANCE, LANES, PSD, AuditEvent, UnitOfWork, alert_store, documents
from cardwatch.casebook import statements as kept
from cardwatch.casebook.import_requests import REQUEST_DAYS, confirm_import, who_confirms
from cardwatch.casebook.refused_files import settle_received
from cardwatch.casebook.registers import UsedRegisters, used_registers
from cardwatch.casebook.shared_names import row_of_others
from cardwatch.casebook.tables import RECEIVES, outbox
from cardwatch.casebook.unit_of_work import canonical, short_id
from cardwatch.errors import CardwatchError, CasebookBusy, CasebookFailed, NotAllowed, NotFound
from cardwatch.quantities import plural
from cardwatch.services.history_window import begins_on, history_before, table_of, window_from
from cardwatch.services.register_checks import lanes_with_later_entries, queue_check
from cardwatch.services.register_inputs import (
    load_registers,
    split_unreadable,
)
from cardwatch.services.scoring_inputs import (
    LoadedInputs,
    ScoringInputs,
    active_inputs,
    keep_shipped_rules,
    load_inputs,
    pack_forest,
    score_window,
)
from cardwatch.services.statement_list import future_notes, gap_notes, share_notes
from cardwatch.vocabulary import SECOND_PERSON, StatementOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

    from cardwatch.casebook.rows import Statement
    from cardwatch.casebook.statements import IncomingStatement
    from cardwatch.records import ReadingReport
    from cardwatch.scoring import ScoringResult
    from cardwatch.services.context import ServiceContext

SET_UP_DAYS = 30
"""Days after scoring began in which one person may still bring the history of before it."""

READ_OTHERWISE = (
    "the same file is stored, but it was read with other columns or settings, and has other "
    "payments; if they are right now, upload it as a correction of that statement"
)


@dataclass(frozen=True)
class Receipt:
    """The result of an import; the same words whatever was found in the statement.

    Attributes:
        statement_id: the statement, this one or the one that holds its rows already; empty while
            a second person is waited for.
        outcome: received; held, the same bytes; rows-held, the same rows in another file; or
            second-person, which waits for another person to ask for the same.
        transactions: rows that are transactions.
        duplicate_count: those of them that other statements hold, counted once.
        holders: labels of these statements with how many each holds.
        late: transactions from days that earlier statements are about.
        notes: what a person should know, each a sentence.
    """

    statement_id: str
    label: str
    outcome: StatementOutcome
    transactions: int = 0
    duplicate_count: int = 0
    holders: dict[str, int] = field(default_factory=dict)
    late: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scored:
    """The result of scoring a statement, and its inputs.

    Attributes:
        table: everything the scoring read, as `read_window` will give it once it is kept.
        since: first day of it.
        registers: the versions of registers that the list of each lane was made with.
        unreadable: ids of versions of professional standards' that could not be used.
    """

    scoring: ScoringResult
    table: pd.DataFrame
    since: str
    recipe: ScoringInputs
    used: LoadedInputs
    registers: dict[str, UsedRegisters]
    unreadable: tuple[str, ...]


def receive(  # noqa: PLR0913  one for each way in which a statement comes
    context: ServiceContext,
    read: tuple[pd.DataFrame, ReadingReport],
    *,
    corrects: str | None = None,
    is_history: bool = False,
    is_by_hand: bool = True,
    tell: Callable[[int], None] = lambda _: None,
) -> Receipt:
    """Import one statement: store it, score it and store its alerts, completely or not at all.

    The same bytes again, by however many at once, make one statement and give the same answer.

    Args:
        read: its transactions and reading report, as `read_each` gives them.
        corrects: the statement in whose place it comes.
        is_history: whether it is only kept, for later ones to be compared with.
        is_by_hand: whether a person brings it, and so may be one of two whom it needs.
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
    with (
        context.casebook.import_lock(context.actor.organisation_id),
        _failure_recorded(context, read[1]),
    ):
        tell(10)
        receipt, arrival, scored = _prepare(
            context, read, corrects, is_history=is_history, is_by_hand=is_by_hand
        )
        if arrival is not None:
            tell(80)
            _keep(context, arrival, scored)
    return receipt


@contextmanager
def _failure_recorded(context: ServiceContext, report: ReadingReport) -> Iterator[None]:
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
            name = short_id(context.actor.organisation_id, report.sha256)
            event = AuditEvent("collection", "statement", name, outcome="failed")
            with suppress(CasebookFailed), context.work(event, ()):  # the first error is to be seen
                pass


def _prepare(
    context: ServiceContext,
    read: tuple[pd.DataFrame, ReadingReport],
    corrects: str | None,
    *,
    is_history: bool,
    is_by_hand: bool,
) -> tuple[Receipt, IncomingStatement | None, _Scored | None]:
    """Compare a statement with stored ones and score it; None if it is already stored."""
    frame, report = read
    event = AuditEvent(
        "combination", "statement", short_id(context.actor.organisation_id, report.sha256)
    )
    with context.work(event, ()) as uow:
        context.allow(RECEIVES, "upload statements")
        existing = kept.find_statement(uow, report.sha256, is_scored=not is_history)
        if existing and (stored_receipt := _stored_receipt(existing, frame, corrects)):
            event.outcome = stored_receipt.outcome
            return stored_receipt, None, None
        arrival = kept.compare(uow, frame, report, corrects, is_history=is_history)
        receipt = _receipt(uow, arrival)
        why = _needs_second_person(uow, arrival, is_history=is_history)
        if why and not (
            is_by_hand
            and confirm_import(
                uow,
                report.sha256,
                _choices(arrival, is_history=is_history),
                kept.rows_sha256(arrival.rows),  # the same bytes can be read in several ways
            )
        ):
            receipt = Receipt("", arrival.label, SECOND_PERSON, len(arrival.rows), notes=(why,))
        if receipt.outcome != "received":
            event.outcome = receipt.outcome
            return receipt, None, None
        if is_history:
            event.outcome = "begun"
            return receipt, arrival, None
        since = window_from(arrival.rows)
        recipe = active_inputs(uow, str(arrival.rows["date"].max()))
        loaded = load_inputs(uow, recipe)
        table = table_of(arrival, history_before(uow, arrival, since))
        event.outcome = "begun"  # the statement exists once `_keep` says so
    loaded, registers, unreadable = _with_registers(context, loaded)
    scoring = score_window(table, arrival.label, loaded)
    scored = _Scored(scoring, table, since, recipe, loaded, registers, unreadable)
    return receipt, arrival, scored


def _stored_receipt(
    statement: Statement, frame: pd.DataFrame, corrects: str | None
) -> Receipt | None:
    """Return what is said of a file that is stored; None for one that corrects how it was read.

    Its payments in place of another statement's would count twice, in two readings.

    Args:
        statement: the one that is stored.
        frame: the payments of the file as it is read now.
        corrects: the beginning of an id, of the statement in whose place it comes.
    """
    notes: tuple[str, ...] = ()
    if kept.is_read_otherwise(statement, frame):
        if corrects and statement["statement_id"].startswith(corrects):
            return None
        notes = (READ_OTHERWISE,)
    return Receipt(statement["statement_id"], statement["label"], "held", notes=notes)


def _with_registers(
    context: ServiceContext, loaded: LoadedInputs
) -> tuple[LoadedInputs, dict[str, UsedRegisters], tuple[str, ...]]:
    """Return what to score with, and the registers held in both lanes, whoever has the statement.

    The casebook reads them by itself; nothing of them is in what the importer is told. The third
    answer is ids of versions that could not be used: see `split_unreadable`.
    """
    with context.snapshot(LANES) as uow:
        by_lane: dict[str, UsedRegisters] = {lane: used_registers(uow, lane) for lane in LANES}
        by_lane[PSD], unreadable = split_unreadable(uow, by_lane[PSD])
        return replace(loaded, registers=load_registers(uow, by_lane[PSD])), by_lane, unreadable


def _choices(arrival: IncomingStatement, *, is_history: bool) -> str:
    """Return as what a statement comes, which a second person has to choose too."""
    return arrival.corrects or ("history" if is_history else "")


def _needs_second_person(uow: UnitOfWork, arrival: IncomingStatement, *, is_history: bool) -> str:
    """Return why an import needs two people, as a sentence; empty where it needs one.

    It depends on payments alone and never on alerts: who brings a statement may not know of those.
    """
    first_on, began_at = kept.first_scored(uow) if is_history else ("", "")
    if arrival.is_any_left_out:
        why = "the correction leaves out or changes a payment of the statement it corrects"
    elif first_on and arrival.rows["date"].max() >= first_on:
        why = "history after the first scored day can hide what is unusual"
    elif began_at and _days_since(uow, began_at) > SET_UP_DAYS:
        why = (
            f"history more than {SET_UP_DAYS} days after the first statement was scored can hide "
            "what is unusual"
        )
    elif row := row_of_others(uow, arrival.rows):
        why = (
            f"row {row} gives one cardholder the name or number of another, so that neither would "
            "be shown alerts about the other"
        )
    else:
        return ""
    return (
        f"A second person is needed: {why}. {who_confirms(uow.actor.role)} has to upload the same "
        f"file with the same choices within {REQUEST_DAYS} days."
    )


def _days_since(uow: UnitOfWork, moment: str) -> int:
    """Return how many whole days have passed since a moment."""
    return (dt.datetime.fromisoformat(uow.now) - dt.datetime.fromisoformat(moment)).days


def _keep(context: ServiceContext, arrival: IncomingStatement, scored: _Scored | None) -> None:
    """Keep a statement with everything made of it, in one transaction."""
    event = AuditEvent("collection", "statement", arrival.statement_id, chain=FINANCE)
    facts: dict[str, Any] = {"is_scored": scored is not None}
    if scored is not None:
        facts["window_from"] = scored.since
        facts["input_sha256"] = kept.rows_sha256(scored.table)
        facts["made_with"] = canonical(asdict(scored.recipe))
    with context.work(event, LANES) as uow:
        kept.keep_statement(uow, arrival, facts)
        settle_received(uow, arrival.report.sha256)
        event.counts = {"transactions": len(arrival.rows)}
        if scored is not None:
            keep_shipped_rules(uow, scored.recipe)
            lanes = lanes_with_later_entries(scored.used.registers, arrival.rows)
            queue_check(uow, lanes, arrival.statement_id)
            _keep_model(uow, arrival, scored)
            _keep_alerts(uow, arrival, scored)
            uow.extra_events += [
                AuditEvent("combination", "register", version_id, outcome="failed", chain=PSD)
                for version_id in scored.unreadable
            ]


def _keep_model(uow: UnitOfWork, arrival: IncomingStatement, scored: _Scored) -> None:
    """Activate the first trained forest: from then on it changes only by hand."""
    forest = scored.scoring.scored.forest
    if scored.used.forest is None and forest is not None:
        day = str(arrival.rows["date"].max())
        name = documents.activate_document(uow, "model", pack_forest(forest, day), day)
        uow.extra_events.append(AuditEvent("alteration", "model", name))


def _keep_alerts(uow: UnitOfWork, arrival: IncomingStatement, scored: _Scored) -> None:
    """Keep both lanes' lists and a notice of each."""
    table = scored.table
    rows = table["row"].astype(int)
    read = zip(table["label"], rows, strict=True)
    stored_places = zip(table["statement_id"], rows, strict=True)
    places = dict(zip(read, stored_places, strict=True))
    approvers = scored.used.approvers
    name = arrival.statement_id
    for lane in LANES:
        registers = scored.registers[lane]
        source = alert_store.Source(lane, name, places, approvers, arrival.corrects, registers)
        counts = asdict(alert_store.keep_list(uow, source, scored.scoring.lists[lane]))
        uow.extra_events.append(AuditEvent("collection", "alerts", name, counts=counts, chain=lane))
        notice = {"lane": lane, "notice_id": short_id(lane, name), "kind": "list"}
        uow.insert(outbox, [notice | {"made_at": uow.now, "next_attempt_at": uow.now, "tries": 0}])


def _receipt(uow: UnitOfWork, arrival: IncomingStatement) -> Receipt:
    """Return what becomes of a statement that was compared with those held."""
    statements = kept.list_statements(uow)
    labels = {row["statement_id"]: row["label"] for row in statements}
    holders = {labels[name]: count for name, count in arrival.holders.items()}
    duplicates, count = int(arrival.duplicate_count.sum()), len(arrival.rows)
    notes = share_notes(holders) + _of_others(arrival, labels)
    if duplicates == count:
        name = next(iter(arrival.holders))
        return Receipt(name, labels[name], "rows-held", count, duplicates, holders, 0, tuple(notes))
    if duplicates > count // 2 and not arrival.corrects:
        notes.append("if this is a corrected statement, upload it as a correction")
    start = begins_on(arrival.rows)
    notes += future_notes(arrival.rows["date"].max(), uow.now) + gap_notes(start, statements)
    before = max((row["last_on"] for row in statements if row["last_on"] < start), default="")
    late = int((arrival.rows["date"] <= before).sum())
    all_notes = (*arrival.report.decisions, *arrival.report.notes, *notes)
    return Receipt(
        arrival.statement_id, arrival.label, "received", count, duplicates, holders, late, all_notes
    )


def _of_others(arrival: IncomingStatement, labels: Mapping[str, str]) -> list[str]:
    """Return a sentence on each statement that holds payments with another cardholder.

    Whoever brings a statement first could give payments to somebody else, so that they are not
    asked about once the true one comes.
    """
    return [
        f"{count:,} of its transactions {plural(count, 'is', 'are')} in {labels[name]} with "
        f"another cardholder, and {plural(count, 'stays', 'stay')} with them. If this statement "
        "is right, upload it as a "
        f"correction of {labels[name]}"
        for name, count in arrival.of_others.items()
    ]
