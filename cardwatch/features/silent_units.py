"""Features of units that record no gifts: how many entries the other units' rate would give them.

Where no register of gifts is given, they are all 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.features.registered import has_register, keys_of_payments, register_entries
from cardwatch.registers import compared

if TYPE_CHECKING:
    from cardwatch.features.ledger import Codes, Flags, Ledger, Numbers

SILENT_DAYS = 365
SILENT_FROM = 7
"""A unit with nothing recorded is silent where as many entries would be expected: by chance alone
(a Poisson count of 0) it would record none in 1 of 1,100 years. Offers come together, so that the
true chance is larger: hence not 1 in 100."""


def _recorded(ledger: Ledger) -> pd.DataFrame:
    """Return the gifts with the unit that each is of: as it says, else its person's newest."""
    entries = register_entries(ledger, "gifts")
    payments = keys_of_payments(ledger)
    units = payments[payments["unit_key"] != ""].drop_duplicates("holder_key", keep="last")
    by_person = dict(zip(units["holder_key"], units["unit_key"], strict=True))
    stated = compared(entries["unit"]).tolist()
    people = zip(stated, entries["person_key"].tolist(), strict=True)
    unit = [text or by_person.get(person, "") for text, person in people]
    return entries.assign(unit_key=unit)[["unit_key", "known_day", "true_day"]]


def _expected(ledger: Ledger) -> Numbers:
    """Entries that the other units' rate would give a unit that has none; 0 where it has any."""

    def make() -> Numbers:
        expected = np.zeros(len(ledger))
        if not has_register(ledger, "gifts"):
            return expected
        gifts, payments = _recorded(ledger), keys_of_payments(ledger)
        payments = payments[payments["unit_key"] != ""]
        first_payments = payments.drop_duplicates(
            ["unit_key", "holder_key"]
        )  # payments are in order
        known_days = np.fmax(gifts["known_day"].to_numpy(), gifts["true_day"].to_numpy())
        heard = {"".join(unit.casefold().split()) for unit in ledger.registers["gifts"].nil_units}
        codes, units = pd.factorize(payments["unit_key"].array)
        unit_of_gift = pd.Index(units).get_indexer(pd.Index(gifts["unit_key"]))
        first_codes = codes[np.isin(payments["row"], first_payments["row"])]
        first_days = first_payments["day"].to_numpy()
        all_days, all_rows = payments["day"].to_numpy(), payments["row"].to_numpy()
        for code, unit in enumerate(units):
            if unit in heard:
                continue
            is_unit = codes == code
            day = all_days[is_unit]
            own_holders = np.searchsorted(first_days[first_codes == code], day, "right")
            other_holders = np.searchsorted(first_days, day, "right") - own_holders
            rate = _recorded_by(known_days, day) / np.maximum(other_holders, 1)
            is_silent = _recorded_by(known_days[unit_of_gift == code], day) == 0
            expected[all_rows[is_unit]] = np.where(is_silent, own_holders * rate, 0.0)
        return expected

    return ledger.once("expected gifts of silent units", make)


def _recorded_by(known_days: Numbers, day: Codes) -> Codes:
    """Count the entries that became known in the year up to each day."""
    days = np.sort(known_days)
    until, since = (np.searchsorted(days, end, "right") for end in (day, day - SILENT_DAYS))
    counts: Codes = until - since
    return counts


def unit_gift_expected_count(ledger: Ledger) -> Numbers:
    """Gifts that a unit which recorded none in a year would have recorded as others do; else 0."""
    return np.round(_expected(ledger))


def is_unit_silent(ledger: Ledger) -> Flags:
    """Whether it is a unit's first payment in a year of which no gift was recorded before it.

    That is told where so many entries would be expected that chance is a poor explanation.
    """
    silent = _expected(ledger) >= SILENT_FROM
    first = np.zeros(len(ledger), dtype=bool)
    if not silent.any():
        return first
    payments = keys_of_payments(ledger)
    last: dict[str, float] = {}
    flagged = payments[silent[payments["row"].to_numpy()]]
    for row, unit, day in zip(flagged["row"], flagged["unit_key"], flagged["day"], strict=True):
        if day - last.get(unit, -np.inf) > SILENT_DAYS - 1:
            first[row] = True
            last[unit] = day
    return first
