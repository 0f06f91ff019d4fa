"""Reviews of names: a name in a register beside a merchant, decided by a person and remembered."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import PSD, AuditEvent
from cardwatch.casebook import registers as kept
from cardwatch.casebook import statements as kept_statements
from cardwatch.casebook.authority import officer_keys
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.casebook.people import email_of
from cardwatch.errors import NotAllowed
from cardwatch.features import Ledger
from cardwatch.features.chance_pairs import declared_chances
from cardwatch.features.name_matches import (
    NameMatch,
    compared_pair,
    matched_names,
    name_matches,
)
from cardwatch.registers import match_cards, register_kind
from cardwatch.services.authority import chief_officers
from cardwatch.services.history_window import HISTORY_WINDOW_DAYS
from cardwatch.services.own_entries import compared_organisations, organisations_of
from cardwatch.services.register_checks import queue_check
from cardwatch.services.register_inputs import current_matches, load_registers
from cardwatch.services.scoring_inputs import active_inputs, load_inputs
from cardwatch.statements import name_holders, no_transactions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import MatchDecision
    from cardwatch.features.chance_pairs import ChancePairs
    from cardwatch.records import Register
    from cardwatch.services.context import ServiceContext
    from cardwatch.services.scoring_inputs import LoadedInputs


@dataclass(frozen=True)
class MatchToReview:
    """One name in a register beside a merchant, with what was decided.

    Attributes:
        match: how the names match; none where they do not, or no longer do.
        decision: same, not-the-same or cannot-tell; empty where nobody has decided.
        reason, decided_by, decided_at: of the decision that counts.
    """

    organisation: str
    merchant: str
    match: NameMatch | None
    decision: str
    reason: str
    decided_by: str
    decided_at: str


@dataclass(frozen=True)
class NamesToReview:
    """Names in registers beside merchants, and how often entries match payments by chance.

    Attributes:
        matches: those for which payments wait come first; see `NameMatch`.
        chances: for each register in which people declare.
    """

    matches: tuple[MatchToReview, ...]
    chances: tuple[ChancePairs, ...]


def list_matches(context: ServiceContext, *, undecided: bool = False) -> list[MatchToReview]:
    """Return names in registers beside merchants, with what was decided; see `names_to_review`.

    Args:
        undecided: whether only those are wanted about which nobody has decided.

    Raises:
        NotAllowed: the role is not professional standards'.
    """
    matches = names_to_review(context).matches
    return [match for match in matches if not (undecided and match.decision)]


def names_to_review(context: ServiceContext) -> NamesToReview:
    """Return names in registers beside merchants, with what was decided and what chance explains.

    Raises:
        NotAllowed: the role is not professional standards'.
    """
    with context.work(AuditEvent("consultation", "matches")) as uow:
        context.allow((PSD,), "review names in registers")
        rows = kept.list_matches(uow)
        registers = _psd_registers(uow)
        ledger = payments_beside(uow, registers) if registers else None
        loaded = load_inputs(uow, replace(active_inputs(uow, uow.today), model=""))
        hidden = hidden_keys(uow)
        own = _own_organisations(loaded, registers, hidden)
    decided = current_matches(rows)
    by_pair: dict[tuple[str, str], NameMatch] = {}
    for match in name_matches(ledger, hidden) if ledger is not None else ():
        by_pair.setdefault(compared_pair(match.organisation, match.merchant), match)
    pairs = [_to_review(match, decided.get(pair)) for pair, match in by_pair.items()]
    gone = [_to_review(None, row) for pair, row in decided.items() if pair not in by_pair]
    everything = [*pairs, *(review for review in gone if review.decision)]
    return NamesToReview(
        matches=tuple(
            review
            for review in everything
            if not compared_organisations([review.organisation]) & own
        ),
        chances=tuple(declared_chances(ledger, hidden)) if ledger is not None else (),
    )


def hidden_people(uow: UnitOfWork) -> frozenset[str]:
    """Return the keys of the actor and of whom they approve, of whom they are shown nothing."""
    return hidden_keys(uow)


def count_names_to_review(uow: UnitOfWork) -> int:
    """Count the names beside merchants about which nobody has decided, as `list_matches` lists.

    Which names match depends on the merchants alone, so one payment of each is enough.
    """
    registers = _psd_registers(uow)
    if not registers:
        return 0
    table = kept_statements.read_merchants(uow, _first_day(uow), uow.today)
    loaded = load_inputs(uow, replace(active_inputs(uow, uow.today), model=""))
    hidden = hidden_keys(uow)
    own = _own_organisations(loaded, registers, hidden) if hidden else frozenset()
    decided = {
        pair
        for pair, row in current_matches(kept.list_matches(uow)).items()
        if row["decision"] != kept.UNDECIDED
    }
    if table.empty:
        return 0
    names = matched_names(ledger_of(table, replace(loaded, cards=None), registers))
    pairs = {compared_pair(*pair) for pair in names if not compared_organisations(pair[:1]) & own}
    return len(pairs - decided)


def _psd_registers(uow: UnitOfWork) -> dict[str, Register]:
    """Return the registers of professional standards by kind, whatever was decided about names."""
    used = replace(kept.used_registers(uow, PSD), matches=0)  # else what was decided is hidden
    theirs = [v for v in used.versions if register_kind(v.kind).lane == PSD]
    return {r.kind: r for r in load_registers(uow, replace(used, versions=tuple(theirs)))}


def _own_organisations(
    loaded: LoadedInputs, registers: Mapping[str, Register], hidden: AbstractSet[str]
) -> frozenset[str]:
    """Return the organisations in entries about the actor, or about whom they approve.

    What is decided about these is not for them to read: it tells what may be asked about them.
    """
    return organisations_of(ledger_of(pd.DataFrame(), loaded, registers if hidden else {}), hidden)


def own_organisations(uow: UnitOfWork) -> frozenset[str]:
    """Return the organisations in entries about the actor, or about whom they approve."""
    loaded = load_inputs(uow, replace(active_inputs(uow, uow.today), model=""))
    hidden = hidden_keys(uow)
    return _own_organisations(loaded, _psd_registers(uow) if hidden else {}, hidden)


def _authoritys_organisations(
    uow: UnitOfWork, loaded: LoadedInputs, registers: Mapping[str, Register]
) -> tuple[frozenset[str], str]:
    """Return the organisations in entries about chief officers, and whose they are to decide.

    None where the actor is one of the authority's people, or the policy names no authority.
    """
    officers = chief_officers(uow)
    theirs = {email.casefold() for email in officers.people}
    if not officers.authority or email_of(uow).casefold() in theirs:
        return frozenset(), ""
    ledger = ledger_of(pd.DataFrame(), loaded, registers)
    return organisations_of(ledger, officer_keys(uow, officers)), officers.authority


def record_matches(uow: UnitOfWork, decisions: Iterable[tuple[str, str, str, str]]) -> None:
    """Record decisions about names: organisation, merchant, decision and reason of each.

    Raises:
        NotAllowed: one is about an organisation in an entry about the actor, or about somebody
            whose payments they approve; or about a chief officer, and they are none of the
            authority's people; or they decide nothing for professional standards.
        CardwatchError: no reason is given, or there is no such decision.
    """
    loaded = load_inputs(uow, replace(active_inputs(uow, uow.today), model=""))
    registers, hidden = _psd_registers(uow), hidden_keys(uow)
    own = _own_organisations(loaded, registers, hidden)
    of_officers, authority = _authoritys_organisations(uow, loaded, registers)
    for organisation, merchant, decision, reason in decisions:
        names = compared_organisations([organisation])
        if names & of_officers:
            sentence = (
                "An entry of a register with this name is about a chief officer: only the people "
                f"of {authority} decide it."
            )
            raise NotAllowed(sentence, field="organisation")
        if names & own:
            sentence = (
                "Somebody else has to decide this: an entry of a register with this name is about "
                "you, or about somebody whose payments you approve."
            )
            raise NotAllowed(sentence, field="organisation")
        kept.record_match(
            uow, organisation=organisation, merchant=merchant, decision=decision, reason=reason
        )


def decide_match(
    context: ServiceContext, *, organisation: str, merchant: str, decision: str, reason: str
) -> None:
    """Decide whether a name in a register and a merchant are one; see `casebook.registers`.

    Raises:
        NotAllowed: the role is not professional standards', or see `record_matches`.
        CardwatchError: no reason is given, or there is no such decision.
    """
    with (
        context.casebook.import_lock(context.actor.organisation_id),
        context.work(AuditEvent("alteration", "match")) as uow,
    ):
        context.allow((PSD,), "review names in registers")
        record_matches(uow, [(organisation, merchant, decision, reason)])
        queue_check(uow, (PSD,))


def _to_review(match: NameMatch | None, row: MatchDecision | None) -> MatchToReview:
    """One pair to review, as it matches today or else as it was decided."""
    is_decided = row is not None and row["decision"] != kept.UNDECIDED
    facts = {name: str(row[name]) if row is not None and is_decided else ""
             for name in ("decision", "reason", "decided_by", "decided_at")}  # fmt: skip
    names = (match.organisation, match.merchant) if match is not None else ("", "")
    if match is None and row is not None:
        names = row["organisation"], row["merchant"]
    return MatchToReview(*names, match, **facts)


def _first_day(uow: UnitOfWork) -> str:
    """The first day of the payments whose merchants are matched with names."""
    return str(dt.date.fromisoformat(uow.today) - dt.timedelta(HISTORY_WINDOW_DAYS))


def payments_beside(uow: UnitOfWork, registers: Mapping[str, Register]) -> Ledger | None:
    """Return the payments of the last 13 months beside some registers; none without a payment."""
    last_seq = kept_statements.last_seq(uow)
    table = kept_statements.read_window(uow, last_seq, _first_day(uow), uow.today)
    if table.empty:
        return None
    loaded = load_inputs(uow, replace(active_inputs(uow, uow.today), model=""))
    return ledger_of(table, loaded, registers)


def ledger_of(
    table: pd.DataFrame, loaded: LoadedInputs, registers: Mapping[str, Register]
) -> Ledger:
    """Return payments that the casebook read, with their cards, beside some registers."""
    transactions = no_transactions()
    if not table.empty:
        transactions, _ = name_holders(kept_statements.as_read(table))
    if loaded.cards is not None:
        transactions = match_cards(transactions, loaded.cards)
    return Ledger(transactions, loaded.policy, registers)
