"""Counts how complete finance's registers are, without names, for figures that are shared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import FINANCE
from cardwatch.casebook.registers import used_registers
from cardwatch.registers import incomplete_entries, match_cards, register_quality
from cardwatch.services.governance_report import open_cards
from cardwatch.services.register_inputs import load_registers
from cardwatch.services.scoring_inputs import active_inputs, load_inputs

if TYPE_CHECKING:
    from cardwatch.casebook import UnitOfWork
    from cardwatch.records import CardRegister, Register
    from cardwatch.reports.quarter import Quarter

CARDS = "cards"


@dataclass(frozen=True)
class RegisterCounts:
    """One register as it is counted, before anything is suppressed.

    Attributes:
        name: `cards`, or the register's kind.
        entries: how many it has; of cards those that are open.
        shares: counts out of totals, by the name of the figure.
    """

    name: str
    entries: int
    shares: dict[str, tuple[int, int]] = field(default_factory=dict)


def read_register_counts(
    uow: UnitOfWork, quarter: Quarter, purchases: pd.DataFrame
) -> list[RegisterCounts]:
    """Return the counts of finance's registers: those of professional standards are not read.

    Cards are counted as they were on the quarter's last day, other registers as they stand today.

    Args:
        quarter: the quarter.
        purchases: its purchases, as `read_spending` gives them, with `card_last4` and
            `cost_centre`.
    """
    recipe = replace(active_inputs(uow, quarter.last_on), model="")
    cards = load_inputs(uow, recipe).cards
    counts = [_card_counts(cards, purchases, quarter.last_on)] if cards else []
    registers = load_registers(uow, used_registers(uow, FINANCE))
    return counts + [_register_counts(register, uow.today) for register in registers]


def _card_counts(register: CardRegister, purchases: pd.DataFrame, day: str) -> RegisterCounts:
    """Count open cards with a limit and an approver, and purchases on cards that it has."""
    cards = open_cards(register, day)
    dated = purchases.assign(date=pd.to_datetime(purchases["date"]))
    is_known = match_cards(dated, register)["is_card_known"] if len(dated) else ()
    shares = {
        "cards_known": (int(sum(is_known)), len(purchases)),
        "cards_with_limit": (cards.with_limit, cards.count),
        "cards_with_approver": (cards.with_approver, cards.count),
    }
    return RegisterCounts(CARDS, cards.count, shares)


def _register_counts(register: Register, today: str) -> RegisterCounts:
    """Count the entries of a register that lack nothing, and those that were recorded late."""
    entries = len(register.entries)
    complete = entries - int(incomplete_entries(register).sum())
    late = register_quality(register, pd.Timestamp(today)).late_entries
    shares = {
        f"{register.kind}_complete": (complete, entries),
        f"{register.kind}_late": (late, entries),
    }
    return RegisterCounts(register.kind, entries, shares)
