"""Looks at scored statements again after a register came: what is known now raises new alerts.

Alerts that were raised stay as they are. Each lane is looked at apart, for what happened in it:
what professional standards receive starts nothing in finance's lane.
"""

from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.alerts import BY_CHANCE, as_raised_later
from cardwatch.casebook import LANES, PSD, Actor, AuditEvent, alert_store, jobs
from cardwatch.casebook import statements as kept
from cardwatch.casebook.counting import is_counting
from cardwatch.casebook.later_alerts import new_alerts, received_on, statements_to_check
from cardwatch.casebook.registers import UsedRegisters, used_registers
from cardwatch.casebook.tables import outbox
from cardwatch.casebook.unit_of_work import SYSTEM, canonical, short_id
from cardwatch.errors import CasebookBusy, NothingToScore
from cardwatch.registers import register_kind
from cardwatch.services.register_inputs import load_registers, split_unreadable
from cardwatch.services.scoring_inputs import (
    LoadedInputs,
    ScoringInputs,
    active_inputs,
    keep_shipped_rules,
    load_inputs,
    score_window,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import LaterList, Statement
    from cardwatch.records import AlertList, Register
    from cardwatch.services.context import ServiceContext

REGISTER_CHECK = jobs.OWN_KIND
CHECKED_DAYS = 366
"""Statements that ended so many days ago at most are looked at again."""


@dataclass(frozen=True)
class _Check:
    """One statement to be looked at again in one lane, with everything it is scored with."""

    lane: str
    statement: Statement
    table: pd.DataFrame
    recipe: ScoringInputs
    loaded: LoadedInputs
    registers: UsedRegisters
    received: dict[str, str]


def queue_check(uow: UnitOfWork, lanes: Iterable[str], statement_id: str = "") -> None:
    """Queue that statements are looked at again, if any is; the job is the casebook's and nobody's.

    Args:
        uow: the work in which a register, a decision about names or a statement came.
        lanes: those in which it counts.
        statement_id: the only statement; without it all of the last twelve months.
    """
    lanes = [lane for lane in LANES if lane in lanes]
    options = {"lanes": lanes, "statement_id": statement_id, "day": uow.today}
    if lanes and (statement_id or statements_to_check(uow, _first_checked(uow.today))):
        jobs.put_own_job(uow, REGISTER_CHECK, canonical(options).encode())


def _first_checked(day: str) -> str:
    """The first day on which a statement that is looked at again on a day may end."""
    return str(dt.date.fromisoformat(day) - dt.timedelta(CHECKED_DAYS))


def lanes_with_later_entries(registers: Iterable[Register], rows: pd.DataFrame) -> set[str]:
    """Return the lanes of registers with entries that became known after payments of theirs.

    The scoring of a statement leaves these out. What counts for finance counts in both lanes.
    """
    lanes: set[str] = set()
    first, last = pd.Timestamp(rows["date"].min()), pd.Timestamp(rows["date"].max())
    for register in registers:
        entries = register.entries
        if ((entries["known_on"] > first) & (entries["true_from"] <= last)).any():
            lanes |= {PSD, register_kind(register.kind).lane}
    return lanes


def run_checks(
    context: ServiceContext,
    content: bytes,
    tell: Callable[[int], None] = lambda _: None,
    is_over: Callable[[], bool] = lambda: False,
) -> dict[str, object]:
    """Look at statements again, as a job asks for it; what is done already is not done twice.

    Args:
        context: of the casebook itself.
        content: what the job asks for; see `queue_check`.
        tell: called with how many per cent are done.
        is_over: whether to break it off; it is taken up again later.

    Raises:
        CasebookBusy: it was broken off.
    """
    options = json.loads(content)
    since = _first_checked(options["day"])
    with context.snapshot(LANES) as uow:
        names = [row["statement_id"] for row in statements_to_check(uow, since)]
    names = [name for name in names if options["statement_id"] in {"", name}]
    pairs = [(lane, name) for lane in options["lanes"] for name in names]
    for number, (lane, name) in enumerate(pairs):
        if is_over():
            raise CasebookBusy("It was interrupted and will be taken up again.")
        with suppress(NothingToScore):
            _check_statement(context, lane, name, options["day"])
        tell(100 * (number + 1) // len(pairs))
    return {}


def _check_statement(context: ServiceContext, lane: str, name: str, day: str) -> None:
    """Look at one statement again in one lane, and keep what is new, completely or not at all."""
    check = _load(context, lane, name, day)
    if check is None:
        return
    raised = _raised_by_entries(check.table, check.statement["label"], check.loaded, lane)
    if not raised.alerts:
        return
    rows = check.table["row"].astype(int)
    read, stored = (zip(check.table[n], rows, strict=True) for n in ("label", "statement_id"))
    source = alert_store.Source(
        lane=lane,
        statement_id=name,
        places=dict(zip(read, stored, strict=True)),
        approvers=check.loaded.approvers,
        registers=check.registers,
        known_by=day,
        made_with=canonical(asdict(check.recipe)),
    )
    with context.casebook.import_lock(context.actor.organisation_id):
        _keep(context, check, source, raised)


def _load(context: ServiceContext, lane: str, name: str, day: str) -> _Check | None:
    """Return what a statement is looked at again with; none where no register is held."""
    with context.snapshot(LANES) as uow:
        versions = used_registers(uow, lane)
        if lane == PSD:  # one that cannot be read is reported with each statement scored
            versions, _ = split_unreadable(uow, versions)
        if not versions.versions:
            return None
        row = kept.get_statement(uow, name)
        recipe = active_inputs(uow, row["last_on"])
        table = kept.read_window(uow, row["seq"], str(row["window_from"]), row["last_on"])
        loaded = load_inputs(uow, recipe)
        loaded = replace(loaded, registers=load_registers(uow, versions), known_by=day)
        return _Check(lane, row, table, recipe, loaded, versions, received_on(uow))


def _raised_by_entries(
    table: pd.DataFrame, label: str, loaded: LoadedInputs, lane: str
) -> AlertList:
    """Return the alerts of one lane that rest on an entry of a register, as a list of their own.

    That there is no entry is no news of a register. No sentence says how many alerts to expect;
    one says how many entries would match by chance.
    """
    rules = tuple(rule for rule in loaded.rules if rule.role != "raises" or rule.registers)
    alert_list = score_window(table, label, replace(loaded, rules=rules), [lane]).lists[lane]
    alerts = tuple(alert for alert in alert_list.alerts if alert.entries)
    notes = tuple(note for note in alert_list.notes if note.startswith(BY_CHANCE))
    return replace(alert_list, alerts=alerts, expected=None, notes=notes)


def made_again(  # noqa: PLR0913, PLR0917  what it was made with, and which of it is stored
    table: pd.DataFrame,
    label: str,
    loaded: LoadedInputs,
    later: LaterList,
    received: Mapping[str, str],
    ids: Collection[str],
) -> AlertList:
    """Return a list that was raised later, made again from what it was made with.

    Args:
        table: as the scoring of the statement read it.
        label: of the statement.
        loaded: the documents and registers that the list names.
        later: the list.
        received: the day on which each file of a register was received, by its hash.
        ids: of its alerts.
    """
    day = later["known_by"]
    raised = _raised_by_entries(table, label, replace(loaded, known_by=day), later["lane"])
    alerts = [alert for alert in raised.alerts if alert.alert_id in ids]
    return replace(raised, alerts=as_raised_later(alerts, day, received))


def _keep(
    context: ServiceContext, check: _Check, source: alert_store.Source, raised: AlertList
) -> None:
    """Keep those alerts that ask something new, with a notice of them."""
    lane, name = check.lane, source.statement_id
    itself = Actor(context.actor.organisation_id, SYSTEM, lane)
    event = AuditEvent("collection", "alerts", name, chain=lane)
    rules = {rule.id for rule in check.loaded.rules if rule.role == "raises"}
    with context.casebook.unaudited(itself, context.now, lanes=(lane,), reads=True) as uow:
        is_current = is_counting(kept.get_statement(uow, name))
        alerts = new_alerts(uow, lane, raised.alerts, source.places, rules) if is_current else []
    if not alerts:
        return
    new_list = replace(raised, alerts=as_raised_later(alerts, source.known_by, check.received))
    with context.casebook.work(itself, event, context.now, lanes=(lane,)) as uow:
        keep_shipped_rules(uow, check.recipe)
        event.counts = asdict(alert_store.keep_list(uow, source, new_list))
        uow.tell(AuditEvent("collection", "alerts", name), {PSD} - {lane})
        notice = {"lane": lane, "notice_id": short_id(lane, name, uow.now), "kind": "list"}
        uow.insert(outbox, [notice | {"made_at": uow.now, "next_attempt_at": uow.now, "tries": 0}])
