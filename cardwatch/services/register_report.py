"""The quarterly report on registers, which professional standards alone may make."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import PSD, AuditEvent, people, report_queries
from cardwatch.casebook import registers as kept
from cardwatch.casebook.later_alerts import received_on
from cardwatch.features.name_matches import compared_pair
from cardwatch.features.registered import CERTAIN_BANDS, links, pairs_by_merchant
from cardwatch.registers import incomplete_entries, register_kinds, register_quality
from cardwatch.reports.registers import (
    DECISION_WORDS,
    UNIT_REGISTERS,
    RegisterFigures,
    RegisterState,
    Reviews,
    UnitState,
    registers_document,
)
from cardwatch.rules import load_rules
from cardwatch.services.governance_report import quarter_span
from cardwatch.services.own_entries import compared_organisations
from cardwatch.services.register_inputs import MATCHES, current_matches, load_registers
from cardwatch.services.register_matches import own_organisations, payments_beside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook import UnitOfWork
    from cardwatch.features import Ledger
    from cardwatch.records import Register
    from cardwatch.registers import RegisterKind
    from cardwatch.reports import Document
    from cardwatch.reports.quarter import Span
    from cardwatch.services.context import ServiceContext

CONCENTRATION_RULES = ("sole-holder-merchant", "merchant-concentration")
"""Rules about a merchant that one cardholder or one unit relies on."""
SUPPLIER_REGISTERS = ("gifts", "interests", "associations", "contracts", "tenders")


def report_registers(context: ServiceContext, quarter: str, *, marking: str) -> Document:
    """Return the report on registers: figures and no names, for professional standards.

    Registers are as they stand today; reviews and alerts are the quarter's.

    Args:
        quarter: such as `2026-Q3`.
        marking: protective marking.

    Raises:
        NotAllowed: the role is not professional standards'.
        CardwatchError: that is no quarter, or it has not begun.
    """
    with context.work(AuditEvent("combination", "report on registers", quarter)):
        context.allow((PSD,), "see the report on registers")
    span = quarter_span(quarter, context.now.date())
    # Apart: a year takes seconds to read, and on SQLite whoever leaves an event lets others wait.
    with context.snapshot() as uow:
        figures = _figures(uow, span)
        organisation, made_on = people.organisation_name(uow), uow.today
    return registers_document(figures, marking=marking, organisation=organisation, made_on=made_on)


def _figures(uow: UnitOfWork, span: Span) -> RegisterFigures:
    """Gather what the report is made of."""
    used = kept.used_registers(uow, PSD)
    received = {
        kind: max(row["received_at"][:10] for row in kept.list_versions(uow, kind))
        for kind in {version.kind for version in used.versions}
    }
    registers = {register.kind: register for register in load_registers(uow, used)}
    ledger = payments_beside(uow, registers)
    states = {
        name: _state(kind, registers.get(name), ledger, pd.Timestamp(uow.today), received)
        for name, kind in register_kinds().items()
        if name != MATCHES
    }
    by_rule = report_queries.count_by_rule(uow, span.first_on, span.last_on)
    alerts: Counter[frozenset[str]] = Counter()
    for rule in load_rules():
        alerts[frozenset(rule.registers)] += by_rule.get(rule.id, 0)
    return RegisterFigures(
        span=span,
        registers=states,
        units=_units(registers, ledger) if ledger is not None else (),
        reviews=_reviews(uow, span),
        alerts=alerts,
        concentrated=sum(by_rule.get(rule, 0) for rule in CONCENTRATION_RULES),
        suppliers=_suppliers(ledger) if ledger is not None else {},
    )


def _state(
    kind: RegisterKind,
    register: Register | None,
    ledger: Ledger | None,
    today: pd.Timestamp,
    received: Mapping[str, str],
) -> RegisterState:
    """One register as it stands today, beside the payments of the last thirteen months."""
    state = RegisterState(kind.kind, kind.title, kind.owner)
    if register is None:
        return state
    entries = register.entries
    columns = {name for report in register.reports for name in report.columns}
    columns |= {"organisation"} if "details" in columns else set()
    state = replace(
        state,
        quality=register_quality(register, today),
        received_on=received[kind.kind],
        missing=tuple(name for name in kind.expects if name not in columns),
    )
    if "decision" in entries:
        counts = entries["decision"].replace("", "not stated").value_counts()
        decisions = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        state = replace(state, decisions=tuple((str(name), int(n)) for name, n in decisions))
    if ledger is None or kind.kind not in UNIT_REGISTERS or entries.empty:
        return state
    linked = links(ledger, kind.kind)[0]
    texts = entries["organisation"]
    if "details" in entries:
        texts = texts.where(texts != "", entries["details"])
    by_holder, by_approver = (
        pairs_by_merchant(ledger, kind.kind, by)["entry"].nunique()
        for by in ("holder_key", "approver_key")
    )
    return replace(
        state,
        named=int((texts != "").sum()),
        paid=linked.loc[linked["band"].isin(CERTAIN_BANDS), "entry"].nunique(),
        by_holder=by_holder,
        by_approver=by_approver,
    )


def _units(registers: Mapping[str, Register], ledger: Ledger) -> list[UnitState]:
    """Entries recorded by each unit that spends; the register names units as statements do."""
    holders = ledger.frame[["cost_centre", "holder_id"]].drop_duplicates()
    holders = holders[(holders["cost_centre"] != "") & (holders["holder_id"] != "")]
    counts = holders.groupby(holders["cost_centre"].str.casefold())["holder_id"].nunique()
    names = dict(zip(holders["cost_centre"].str.casefold(), holders["cost_centre"], strict=True))
    entries: dict[str, Counter[str]] = {}
    incomplete: dict[str, Counter[str]] = {}
    nil: dict[str, set[str]] = {}
    for kind in (kind for kind in UNIT_REGISTERS if kind in registers):
        register = registers[kind]
        units = register.entries["unit"].str.casefold()
        entries[kind] = Counter(units.tolist())
        incomplete[kind] = Counter(units[incomplete_entries(register)].tolist())
        nil[kind] = {unit.casefold() for unit in register.nil_units}
    return [
        UnitState(
            unit=names[unit],
            holders=int(count),
            entries={kind: counted[unit] for kind, counted in entries.items()},
            incomplete={kind: counted[unit] for kind, counted in incomplete.items()},
            nil={kind: unit in units for kind, units in nil.items()},
        )
        for unit, count in zip(map(str, counts.index), counts, strict=True)
    ]


def _suppliers(ledger: Ledger) -> Counter[int]:
    """How many merchants paid are named by one register, by two, and so on."""
    named = Counter(
        code
        for kind in SUPPLIER_REGISTERS
        if kind in ledger.registers
        for code in _certain_merchants(ledger, kind)
    )
    return Counter(named.values())


def _certain_merchants(ledger: Ledger, kind: str) -> set[int]:
    """Codes of the merchants that a register names, strongly or as stated."""
    linked = links(ledger, kind)[0]
    return set(linked.loc[linked["band"].isin(CERTAIN_BANDS), "merchant_code"].tolist())


def _reviews(uow: UnitOfWork, span: Span) -> Reviews:
    """Names decided in the quarter, and those that wait today, with how long they waited."""
    own = own_organisations(uow)

    def is_own(pair: tuple[str, str]) -> bool:
        return bool(compared_organisations([pair[0]]) & own)

    since = {pair: day for pair, day in _waiting_since(uow).items() if not is_own(pair)}
    decided = {
        pair: row
        for pair, row in current_matches(kept.list_matches(uow)).items()
        if row["decision"] != kept.UNDECIDED and not is_own(pair)
    }
    of_quarter = {
        pair: row
        for pair, row in decided.items()
        if span.first_on <= row["decided_at"][:10] <= span.last_on
    }
    counts = Counter(row["decision"] for row in of_quarter.values())
    return Reviews(
        decided={name: counts[name] for name in DECISION_WORDS},
        decided_days=tuple(
            _days(since[pair], row["decided_at"])
            for pair, row in of_quarter.items()
            if pair in since
        ),
        waiting_days=tuple(
            _days(first, uow.today) for pair, first in since.items() if pair not in decided
        ),
    )


def _waiting_since(uow: UnitOfWork) -> dict[tuple[str, str], str]:
    """The day from which each name beside a merchant could be decided: the upload of its file."""
    used = replace(kept.used_registers(uow, PSD), matches=0)  # else what was decided is hidden
    theirs = tuple(v for v in used.versions if register_kinds()[v.kind].lane == PSD)
    registers = load_registers(uow, replace(used, versions=theirs))
    ledger = payments_beside(uow, {register.kind: register for register in registers})
    received, since = received_on(uow), dict[tuple[str, str], str]()
    if ledger is None:
        return since
    for register in registers:
        entries = register.entries
        if "organisation" not in entries:
            continue
        linked, matches = links(ledger, register.kind)
        first = register.reports[0].sha256
        files = entries["sha256"].tolist() if "sha256" in entries else [first] * len(entries)
        for entry, number in zip(linked["entry"].tolist(), linked["match"].tolist(), strict=True):
            pair = compared_pair(matches[number].organisation, matches[number].merchant)
            uploaded_on = received[files[entry]]
            since[pair] = min(since.get(pair, uploaded_on), uploaded_on)
    return since


def _days(first: str, last: str) -> int:
    """Days from one day to another, or to a moment; 0 if the second is earlier."""
    return max((pd.Timestamp(last[:10]) - pd.Timestamp(first)).days, 0)
