"""Verification of statements, alerts and audit chains; and deletion."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from cardwatch import __version__
from cardwatch.casebook import (
    FINANCE,
    LANES,
    PSD,
    Actor,
    AuditEvent,
    Casebook,
    retention,
)
from cardwatch.casebook import statements as kept
from cardwatch.casebook.alerts import hidden_ids, kept_texts
from cardwatch.casebook.approvals import require_approval
from cardwatch.casebook.audit import ChainCheck, count_events, own_events, read_events, verify_chain
from cardwatch.casebook.health import examine
from cardwatch.casebook.registers import is_any_erased, registers_of_list, visible_lane
from cardwatch.casebook.rows import ApprovalScope
from cardwatch.casebook.tables import MANAGES
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.services.answers import CasebookHealth, ExpiredStatement
from cardwatch.services.checkpoints import check_verifies
from cardwatch.services.context import ServiceContext
from cardwatch.services.later_verification import differs, later_differs, stored_later
from cardwatch.services.register_inputs import registers_then
from cardwatch.services.scoring_inputs import (
    ScoringInputs,
    active_inputs,
    load_inputs,
    read_model,
    score_window,
)
from cardwatch.vocabulary import ApprovalKind

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import Event, Statement
    from cardwatch.records import Register


@dataclass(frozen=True)
class StatementCheck:
    """The result of verifying one statement; `fault` is empty where nothing has changed.

    Attributes:
        alerts: how many of those the actor may see were made again, byte for byte.
        note: why none could be, where that is no fault.
    """

    statement_id: str
    label: str
    fault: str
    alerts: int = 0
    note: str = ""


def verify(context: ServiceContext, *, again: bool = True) -> Iterator[StatementCheck]:
    """Check every statement against what was received, and make its alerts again, one by one.

    Args:
        context: who checks: alerts of the lanes they see are compared.
        again: whether alerts are made again; otherwise rows, sums and hashes alone are checked.
    """
    event = AuditEvent("consultation", "statements", purpose="verification")
    with context.work(event, ()) as uow:
        names = [row["statement_id"] for row in kept.list_statements(uow)]
    for name in names:
        yield verify_statement(context, name, again=again)


def verify_statement(
    context: ServiceContext, statement_id: str, *, again: bool = True
) -> StatementCheck:
    """Check one statement by its id, and make its alerts again; see `verify`."""
    try:
        return _verify_one(context, statement_id, again=again)
    except (CardwatchError, TypeError, KeyError, ValueError) as error:
        fault = f"the settings it was scored with cannot be read ({type(error).__name__})"
        return StatementCheck(statement_id, statement_id, fault)


def verify_audit(context: ServiceContext) -> list[ChainCheck]:
    """Verify the audit chains that the actor may see: their own, and for psd both.

    Chains and rows are those of one moment, whoever writes meanwhile and keeps nobody waiting.

    Raises:
        NotAllowed: the actor holds a card.
    """
    with context.work(AuditEvent("consultation", "audit", purpose="verification"), ()):
        check_verifies(context)
    lanes = context.chains
    with context.snapshot(lanes) as uow:
        return [verify_chain(uow, lane) for lane in lanes]


def chain_faults(casebook: Casebook, now: dt.datetime) -> list[str]:
    """Verify every chain of every organisation, for who runs the installation.

    Returns:
        What is wrong with each that does not verify, in a sentence; of psd's not more than that.
    """
    faults = []
    for row in casebook.organisations():
        itself = Actor(row["organisation_id"], SYSTEM, "admin")
        for lane in LANES:
            with casebook.unaudited(itself, now, lanes=LANES, reads=True) as uow:
                if fault := verify_chain(uow, lane).fault:
                    faults.append(
                        f"The audit chain {lane} of {row['name']} does not verify: {fault}"
                    )
    return faults


def audit_events(
    context: ServiceContext,
    *,
    lane: str,
    last: int,
    skip: int = 0,
    before: int = 0,
    **wanted: str,
) -> list[Event]:
    """Return events of a chain, the newest first; their own alone to somebody who holds a card.

    Args:
        lane: whose chain.
        last: how many at most.
        skip: how many of the newest are left out.
        before: number of the event before which they lie; 0 for the newest.
        **wanted: what they have to be: `action`, `object`, `role`, `actor`, `id`, `outcome`.

    Raises:
        NotAllowed: the chain is not the actor's.
    """
    with context.work(AuditEvent("consultation", "audit"), context.chains) as uow:
        if lane not in uow.lanes:
            raise NotAllowed("Your role cannot read this audit chain.")
        if context.actor.holder_id:
            return own_events(uow, lane, before=before, wanted=wanted)[skip : skip + last]
        return list(read_events(uow, lane, last=last, skip=skip, before=before, wanted=wanted))


def count_audit_events(
    context: ServiceContext, *, lane: str, before: int = 0, **wanted: str
) -> tuple[int, int]:
    """Return how many events of a chain fit, and the number of the newest of them; 0 without any.

    Arguments as of `audit_events`, which shows them, and which refuses a chain that is not the
    actor's: nothing is counted of it here, as only there the attempt leaves an event.
    """
    lanes = context.chains
    with context.snapshot(lanes) as uow:
        if lane not in uow.lanes:
            return 0, 0
        if context.actor.holder_id:
            events = own_events(uow, lane, before=before, wanted=wanted)
            return len(events), events[0]["seq"] if events else 0
        return count_events(uow, lane, before=before, wanted=wanted)


def retention_periods(
    context: ServiceContext, *, kind: str | None = None, days: int | None = None
) -> dict[str, int]:
    """Return for how many days each class of data is kept, once one is set if it is named.

    Raises:
        NotAllowed: the role sets nothing.
        SecondPersonNeeded: it would be shorter than now.
        CardwatchError: there is no such class, or it would be too short.
    """
    event = AuditEvent("alteration" if kind else "access", "retention")
    with context.work(event, (context.actor.chain,)) as uow:
        if kind is not None and days is not None:
            before = retention.keeps_days(uow)
            retention.set_keeps(uow, kind, days)
            if days < before[kind]:
                require_approval(uow, ApprovalKind.RETENTION, {"retention": kind, "days": days})
        return retention.keeps_days(uow)


def list_expired(context: ServiceContext) -> list[ExpiredStatement]:
    """Return `label`, `last_on` and `transactions` of the statements that are past their time."""
    with context.work(AuditEvent("consultation", "statements"), ()) as uow:
        rows = retention.list_expired(uow)
    return [
        ExpiredStatement(
            label=row["label"], last_on=row["last_on"], transactions=row["transactions"]
        )
        for row in rows
    ]


def health(context: ServiceContext) -> CasebookHealth:
    """Quick health checks, and whether the model loads.

    Raises:
        NotAllowed: the role keeps no installation.
    """
    with context.work(AuditEvent("consultation", "health"), ()) as uow:
        context.allow(MANAGES, "manage the installation")
        recipe = active_inputs(uow, str(context.now.date()))
        status = (read_model(uow, recipe)[1] or "loaded") if recipe.model else "none"
    findings = [asdict(finding) for finding in examine(context.casebook, quickly=True)]
    kind = "SQLite" if context.casebook.is_sqlite else "PostgreSQL"
    return {"cardwatch": __version__, "tables": context.casebook.tables_version, "database": kind,
            "model": status, "findings": findings}  # fmt: skip


def erase(context: ServiceContext) -> int:
    """Delete expired data and not held; return how many transactions went.

    Nothing else is said: how many alerts went would tell of professional standards' own.

    Raises:
        NotAllowed: the role erases nothing.
        SecondPersonNeeded: another administrator has not approved it.
    """
    event = AuditEvent("erasure", "expired", chain=FINANCE)
    with (
        context.casebook.import_lock(context.actor.organisation_id),
        context.work(event, LANES) as uow,
    ):
        context.allow(MANAGES, "delete data")
        expired = sorted(row["statement_id"] for row in retention.list_expired(uow))
        scope = ApprovalScope(keeps=retention.keeps_days(uow), statement_ids=expired)
        require_approval(uow, ApprovalKind.ERASURE, scope)
        uow.extra_events.append(AuditEvent("erasure", "expired", chain=PSD))
        count = retention.erase(uow)
        event.counts = {"transactions": count}
    context.casebook.checkpoint_wal()
    return count


def purge_due(casebook: Casebook, clock: Callable[[], dt.datetime]) -> None:
    """Delete expired data of each organisation, unless that was done today already."""
    for actor in casebook.system_actors():
        itself = ServiceContext(casebook, actor, clock())
        with casebook.unaudited(itself.actor, itself.now, lanes=(FINANCE,), reads=True) as uow:
            erasures = read_events(uow, FINANCE, last=1, wanted={"action": "erasure"})
            last_at = next((erasure["at"] for erasure in erasures), "")
        if last_at < str(itself.now.date()):
            erase(itself)


def _verify_one(context: ServiceContext, statement_id: str, *, again: bool) -> StatementCheck:
    """Check one statement, and make its alerts again."""
    event = AuditEvent("consultation", "statement", statement_id, purpose="verification")
    with context.work(event) as uow:
        row = kept.get_statement(uow, statement_id)
        label = row["label"]
        fault = kept.check_rows(uow, row)
        if fault or row["erased_at"]:
            note = "deleted when it expired" if row["erased_at"] else ""
            return StatementCheck(statement_id, label, fault, note=note)
        if not again or not row["is_scored"] or not uow.lanes:
            return StatementCheck(statement_id, label, "")
        assert row["made_with"] is not None
        recipe = ScoringInputs(**json.loads(row["made_with"]))
        if recipe.cardwatch != __version__:
            note = f"its alerts were made by cardwatch {recipe.cardwatch}; use that version"
            return StatementCheck(statement_id, label, "", note=note)
        table = kept.read_window(uow, row["seq"], str(row["window_from"]), row["last_on"])
        registers = _registers_then(uow, statement_id)
        if kept.rows_sha256(table) != row["input_sha256"]:
            return _changed_input(uow, row)
        if registers is None:
            return _changed_registers(uow, statement_id, label)
        loaded = replace(load_inputs(uow, recipe, fresh=True), registers=registers)
        stored_lists = {lane: kept_texts(uow, lane, statement_id) for lane in uow.lanes}
        hidden, later = hidden_ids(uow, statement_id), stored_later(uow, statement_id)
    lists = score_window(table, label, loaded).lists
    faults = [differs(lists[lane], lane, *stored, hidden) for lane, stored in stored_lists.items()]
    faults += [later_differs(table, label, later_list, hidden) for later_list in later]
    stored_texts = [*stored_lists.values(), *(later_list.stored for later_list in later)]
    count = sum(len(texts.keys() - hidden) for _, texts, _ in stored_texts)
    return StatementCheck(statement_id, label, "; ".join(filter(None, faults)), count)


def _registers_then(uow: UnitOfWork, statement_id: str) -> tuple[Register, ...] | None:
    """The registers that a statement was scored with; None if one is not as it was kept."""
    try:
        return registers_then(uow, statement_id, fresh=True)
    except NotFound:
        return None


def _changed_registers(uow: UnitOfWork, statement_id: str, label: str) -> StatementCheck:
    """Check of a statement whose registers cannot be read as they were."""
    if is_any_erased(uow, registers_of_list(uow, visible_lane(uow), statement_id)):
        note = "a version of a register it was scored with has been deleted"
        return StatementCheck(statement_id, label, "", note=note)
    return StatementCheck(
        statement_id, label, "a version of a register it was scored with has changed"
    )


def _changed_input(uow: UnitOfWork, row: Statement) -> StatementCheck:
    """Check of a statement whose history is not what it was scored with."""
    if kept.is_any_erased(uow, row["seq"], str(row["window_from"])):
        note = "some of the history it was scored with has been deleted"
        return StatementCheck(row["statement_id"], row["label"], "", note=note)
    fault = "the settings it was scored with have changed"
    return StatementCheck(row["statement_id"], row["label"], fault)
