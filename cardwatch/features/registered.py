"""Joins payments to the entries of registers: by holder, approver or unit, and by merchant.

Everything is as the register stood on the payment's day: an entry counts from the day on which it
was both true and known. Where a statement is looked at again, what was known by then counts from
the day on which it was true (`Ledger.known_by`). What each feature counted is kept, so that an
alert can show the entry.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.features.ledger import DAYS_APART
from cardwatch.merchants import canonical_name
from cardwatch.registers import (
    SECOND_FACTS,
    STATED,
    STRONG,
    OrganisationMatcher,
    compared,
    keys_by_name_and_fact,
    person_keys,
    register_kind,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features.ledger import Codes, Flags, Ledger, Numbers, Whole
    from cardwatch.registers import OrganisationMatch

CERTAIN_BANDS = (STATED, STRONG)
"""Bands on which a rule may rest that also needs the person."""
NONE = -1
MOST_CHANCE = 0.02
"""A strong match ties a person to a merchant by itself while chance would tie at most one entry in
fifty: where ten register rows in a hundred name a merchant that is paid, that is 0.2 of a hundred
(decision 0056). Beyond it a person confirms the match first."""
TEXTS_OF_PAIRS = ("person_key", "unit", "decision", "status", "panel")
"""Texts of an entry that features read; to join its other texts would take longer."""
BEARS_DAYS = 365
"""Those who paid the merchant are counted in the year before at most."""


PAIR_COLUMNS = {"row": NONE, "entry": NONE, "match": NONE, "payer_count": 0, "known_count": 0}
"""Columns of a payment with one entry that was counted for it, each with its value where none is
known; `Hits` says what they are."""


@dataclass(frozen=True)
class Hits:
    """Counts of a feature: entries for each payment, and which these are.

    Attributes:
        kind: the register.
        count: entries that hold, a payment each.
        entry: position of the latest of them in the register's entries, -1 without one.
        pairs: each payment with each entry, in the order of payments, then of time: `row` and
            `entry`; `match`, its position in the register's links, -1 where no name was matched;
            `payer_count`, people who would fit it in place of its own by then, 0 where none is
            counted; `known_count`, people known by then.
    """

    kind: str
    count: Numbers
    entry: Whole
    pairs: pd.DataFrame

    def entries_of(self, row: int) -> list[tuple[int, ...]]:
        """Return the pairs of one payment without `row`, the latest entry first."""
        first, last = self.pairs["row"].searchsorted([row, row + 1])
        values = self.pairs.iloc[first:last, 1:].to_numpy()[::-1]
        return [tuple(map(int, pair)) for pair in values]


def no_hits(ledger: Ledger, kind: str) -> Hits:
    """Return the hits of a register that was not given."""
    nowhere = np.full(len(ledger), NONE, dtype="int64")
    return Hits(kind, np.zeros(len(ledger)), nowhere, shown_pairs(pd.DataFrame()))


def shown_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of payments and entries with the columns of `Hits.pairs`."""
    columns = {
        name: pairs[name].to_numpy() if name in pairs else np.full(len(pairs), none)
        for name, none in PAIR_COLUMNS.items()
    }
    return pd.DataFrame(columns, dtype="int64")


def hits(ledger: Ledger, kind: str, pairs: pd.DataFrame) -> Hits:
    """Return pairs of payments and entries as counts, with the entries of each payment."""
    result = no_hits(ledger, kind)
    if pairs.empty:
        return result
    pairs = pairs.sort_values(["row", "true_day", "entry"], kind="stable")
    pairs = pairs.drop_duplicates(["row", "entry"], keep="last")
    rows, entries = (pairs[name].to_numpy() for name in ("row", "entry"))
    np.add.at(result.count, rows, 1)
    result.entry[rows] = entries  # in the order of time: the last stays
    return replace(result, pairs=shown_pairs(pairs))


def has_register(ledger: Ledger, kind: str) -> bool:
    """Return whether a register was given and has any entry."""
    return kind in ledger.registers and len(ledger.registers[kind].entries) > 0


def hits_of(
    kind: str, *others: str
) -> Callable[[Callable[[Ledger], pd.DataFrame]], Callable[[Ledger], Hits]]:
    """Decorate a function that joins payments to entries: it counts them, once for each ledger.

    Where one of the registers was not given, or has no entry, nothing is joined and counted.

    Args:
        kind: the register whose entries are counted.
        others: registers that the function needs besides.
    """

    def decorate(join: Callable[[Ledger], pd.DataFrame]) -> Callable[[Ledger], Hits]:
        @wraps(join)
        def count(ledger: Ledger) -> Hits:
            def make() -> Hits:
                if all(has_register(ledger, name) for name in (kind, *others)):
                    return hits(ledger, kind, join(ledger))
                return no_hits(ledger, kind)

            return ledger.once(f"{join.__module__}.{join.__qualname__}", make)

        return count

    return decorate


def days_since(ledger: Ledger, match: Hits, column: str) -> Numbers:
    """Days from a day of the entry shown to the payment; 0 without an entry.

    Args:
        ledger: the payments.
        match: which entry each shows.
        column: of the register's entries, with days counted from 1970.
    """
    if not match.count.any():
        return np.zeros(len(ledger))
    days = register_entries(ledger, match.kind)[column].to_numpy()
    return np.where(match.count > 0, ledger.day - days[np.maximum(match.entry, 0)], 0.0)


def register_entries(ledger: Ledger, kind: str) -> pd.DataFrame:
    """Return the entries of a register with days counted from 1970 and the key of each person."""

    def make() -> pd.DataFrame:
        entries = ledger.registers[kind].entries.reset_index(drop=True)
        entries = entries.drop(columns=["file", "row"])  # their names are those of payments
        days = {f"{name.removesuffix('_on')}_day": entries[name] for name in _days_of(entries)}
        counted = {name: _counted(values) for name, values in days.items()}
        true_day, recorded_day = (_counted(entries[name]) for name in ("true_from", "known_on"))
        is_known = recorded_day <= ledger.known_by
        more: dict[str, Any] = {
            "entry": np.arange(len(entries)),
            "true_day": true_day,
            "until_day": _counted(entries["true_until"]),
            "recorded_day": recorded_day,
            "known_day": np.where(is_known, np.fmin(recorded_day, true_day), recorded_day),
        }
        if "employee_id" in entries:
            more["person_key"] = person_keys(entries, lambda: _keys_by_name(ledger))
        return entries.assign(**(counted | more))

    return ledger.once(f"entries of {kind}", make)


def _days_of(entries: pd.DataFrame) -> list[str]:
    names = [str(name) for name in entries]
    return [n for n in names if n.endswith("_on") and entries[n].dtype.kind == "M"]


def _counted(days: pd.Series[Any]) -> Numbers:
    """Return days counted from 1970, nan where there is none."""
    values = days.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(values), np.nan, values.astype("int64").astype("float64"))


def _keys_by_name(ledger: Ledger) -> dict[str, dict[tuple[str, str], str]]:
    """Return the keys of people by full name and a second fact."""
    return ledger.once("keys by name", lambda: keys_by_name_and_fact(_people(ledger)))


def _people(ledger: Ledger) -> pd.DataFrame:
    """Return whom names can be looked up among: the people register, else holders by their name."""
    columns = ["key", "person", "former_names", *SECOND_FACTS]
    if "people" in ledger.registers:
        people = ledger.registers["people"].entries
        return people.assign(key=people["employee_id"]).reindex(columns=columns, fill_value="")
    holders = ledger.frame[["holder_id", "cost_centre"]].drop_duplicates()
    return pd.DataFrame(
        {
            "key": compared(holders["holder_id"]),
            "person": holders["holder_id"],
            "former_names": "",
            "unit": holders["cost_centre"],
        }
    ).reindex(columns=columns, fill_value="")


def approvers(ledger: Ledger) -> pd.Series[str]:
    """Return who approved each payment, or approves its card: as keys are compared, or empty."""

    def make() -> pd.Series[str]:
        by_card = compared(ledger.frame["card_approver_id"])
        if not has_register(ledger, "approvals"):
            return by_card
        pairs = approval_pairs(ledger)
        by_payment = np.full(len(ledger), "", dtype=object)
        by_payment[pairs["row"]] = pairs["approver_id"]  # the latest is written last
        approver = pd.Series(by_payment, by_card.index, dtype="str")
        return approver.where(approver != "", by_card)

    return ledger.once("approvers", make)


def approval_pairs(ledger: Ledger) -> pd.DataFrame:
    """Return each approval of a payment in the order of time: `row`, `approver_id`, `approved_at`.

    With `entry` and `true_day`; rows are the ledger's.
    """

    def make() -> pd.DataFrame:
        entries = register_entries(ledger, "approvals")
        approved = entries[["entry", "payment", "approver_id", "approved_at", "true_day"]]
        payments = pd.DataFrame({"row": np.arange(len(ledger)), "payment": ledger.reference})
        pairs = payments[payments["payment"] != ""].merge(approved, on="payment")
        return pairs.sort_values(["approved_at", "entry"], kind="stable").drop(columns="payment")

    return ledger.once("approvals of payments", make)


def keys_of_payments(ledger: Ledger) -> pd.DataFrame:
    """Return of each purchase what entries are joined by: holder, approver, unit, merchant, day."""

    def make() -> pd.DataFrame:
        rows = np.flatnonzero(ledger.is_purchase)
        codes, holders = ledger.texts("holder_id")
        keys = compared(pd.Series(holders, dtype="str")).to_numpy()
        return pd.DataFrame(
            {
                "row": rows,
                "holder_key": keys[codes[rows]],
                "approver_key": approvers(ledger).to_numpy()[rows],
                "unit_key": compared(ledger.frame["cost_centre"]).to_numpy()[rows],
                "merchant_code": ledger.texts("merchant_id")[0][rows],
                "day": ledger.day[rows],
            }
        )

    return ledger.once("keys of payments", make)


def links(ledger: Ledger, kind: str) -> tuple[pd.DataFrame, list[OrganisationMatch]]:
    """Return which merchants the entries of a register name: `entry`, `merchant_code`, `match`.

    Finance's registers are matched without what professional standards decided about names: it
    would show in finance's list.
    """

    def make() -> tuple[pd.DataFrame, list[OrganisationMatch]]:
        lane = register_kind(kind).lane
        is_decided = lane == "psd" and has_register(ledger, "matches")
        matcher = ledger.once(
            f"matcher, decided: {is_decided}", lambda: _matcher(ledger, is_decided=is_decided)
        )
        codes = {name: code for code, name in enumerate(ledger.texts("merchant_id")[1].tolist())}
        entries = ledger.registers[kind].entries
        stated = _stated_names(ledger, kind)
        texts = entries["organisation"]
        if "details" in entries:
            texts = texts.where(texts != "", entries["details"])
        link_rows: list[tuple[int, int, int, str]] = []
        matches: list[OrganisationMatch] = []
        cells = texts.tolist()
        for entry in sorted({*matcher.rows_to_match(cells).tolist(), *stated}):
            text = cells[entry]
            for match in matcher.match(text, stated.get(entry, ())) if text else ():
                link_rows.append((entry, codes[match.merchant], len(matches), match.band))
                matches.append(match)
        columns = ["entry", "merchant_code", "match", "band"]
        return pd.DataFrame(link_rows, columns=columns), matches

    return ledger.once(f"links of {kind}", make)


def _matcher(ledger: Ledger, *, is_decided: bool) -> OrganisationMatcher:
    """Return the matcher over the merchants of the ledger, with what a person decided or without.

    Both lanes share the one without: to know merchants by their words takes a while.
    """
    aliases = ledger.policy.merchant_aliases.items()
    decided = {}
    if is_decided:
        rows = ledger.registers["matches"].entries
        decided = {
            (canonical_name(name).name, merchant): decision
            for name, merchant, decision in zip(
                rows["organisation"], rows["merchant"], rows["decision"], strict=True
            )
        }
    return OrganisationMatcher(
        ledger.texts("merchant_id")[1].tolist(),
        {canonical_name(name).name: alias for name, alias in aliases},
        decided,
        _first_printed(ledger),
    )


def _first_printed(ledger: Ledger) -> dict[str, str]:
    """Return the names with which each merchant was first printed, which stay as they are."""
    (codes, merchants), (printed_codes, printed) = map(ledger.texts, ("merchant_id", "merchant"))
    pairs = pd.DataFrame({"merchant": codes, "printed": printed_codes, "day": ledger.day})
    pairs = pairs.drop_duplicates(["merchant", "printed"])  # the first days: rows are in order
    first = pairs[pairs["day"] == pairs.groupby("merchant")["day"].transform("min")]
    texts: dict[str, str] = {}
    names = zip(merchants[first["merchant"]], printed[first["printed"]], strict=True)
    for merchant, text in names:
        texts[merchant] = f"{texts[merchant]} {text}" if merchant in texts else text
    return texts


def _stated_names(ledger: Ledger, kind: str) -> dict[int, tuple[str, ...]]:
    """Return the names stated to be the same organisation's, by entry; few entries have any."""
    entries = ledger.registers[kind].entries
    names_by_entry: dict[int, list[str]] = defaultdict(list)
    if "trading_names" in entries:
        for entry, text in enumerate(entries["trading_names"].tolist()):
            if text:
                names_by_entry[entry] += text.split(";")
    if "company_number" in entries and has_register(ledger, "companies") and kind != "companies":
        numbers = entries["company_number"].tolist()
        names_by_number: dict[str, list[str]] = {}
        companies = ledger.registers["companies"].entries
        companies = companies[companies["company_number"].isin(set(numbers) - {""})]
        columns = ("company_number", "organisation", "trading_names")
        rows = zip(*(companies[c].tolist() for c in columns), strict=True)
        for number, name, trading_names in rows:
            names_by_number.setdefault(number, []).extend([name, *trading_names.split(";")])
        for entry, number in enumerate(numbers):
            if number in names_by_number:
                names_by_entry[entry] += names_by_number[number]
    return {
        entry: tuple(dict.fromkeys(name.strip() for name in spellings if name.strip()))
        for entry, spellings in names_by_entry.items()
    }


def with_payers(ledger: Ledger, pairs: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return pairs with how many people would fit the entry in place of its own by that day.

    `payer_count` people had paid the merchant from the day from which the entry is true, at most a
    year before, to the payment's day, its own person among them; `known_count` were known by then.
    Their quotient is the chance that the entry ties to payments where who declared what has nothing
    to do with who paid whom: the probability of a permutation test, (b + 1) / (n + 1).

    Args:
        ledger: the payments.
        pairs: of payments and entries, of which the person has paid.
        by: `holder_key`, or `approver_key` where those who approve are counted.
    """
    if pairs.empty:
        return pairs.assign(payer_count=0, known_count=0)
    payers = _payers_by_merchant(ledger, by)
    days = pairs["day"].to_numpy()
    known = np.searchsorted(payers.known_days, days, "right")
    starts = np.fmax(pairs["true_day"].to_numpy(), days - BEARS_DAYS)
    codes = pairs["merchant_code"].to_numpy()
    order = np.lexsort((starts, codes))
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (np.diff(codes[order]) != 0) | (np.diff(starts[order]) != 0)
    counts = np.zeros(len(pairs), dtype="int64")
    for rows in np.split(order, np.flatnonzero(is_first)[1:]):
        of_merchant = payers.of_merchant(codes[rows[0]])
        counts[rows] = _payers_since(*of_merchant, starts[rows[0]], days[rows])
    return pairs.assign(payer_count=counts, known_count=known)


@dataclass(frozen=True)
class _Payers:
    """The payments of people whose key is known, by merchant and then by day.

    Attributes:
        known_days: the first day of each person, in order.
        codes: the merchant of each payment, in order.
        days: of each payment.
        before: the day of the same person's payment to the merchant before it.
    """

    known_days: Codes
    codes: Codes
    days: Codes
    before: Codes

    def of_merchant(self, code: int) -> tuple[Codes, Codes]:
        """Return the days of a merchant's payments in order, and for each the day before it."""
        rows = slice(*np.searchsorted(self.codes, [code, code + 1]))
        return self.days[rows], self.before[rows]


def _payers_by_merchant(ledger: Ledger, by: str) -> _Payers:
    """Return the payments of people by merchant, where people are known by one kind of key."""

    def make() -> _Payers:
        payments = keys_of_payments(ledger)
        payments = payments[payments[by] != ""]  # in order of days, and so are a merchant's
        first_days = payments.drop_duplicates(by)["day"].to_numpy()
        payments = payments.sort_values("merchant_code", kind="stable")
        before = payments.groupby(["merchant_code", by])["day"].shift(fill_value=-DAYS_APART)
        columns = (payments["merchant_code"], payments["day"], before)
        return _Payers(np.sort(first_days), *(column.to_numpy() for column in columns))

    return ledger.once(f"payers by merchant and {by}", make)


def _payers_since(days: Codes, before: Codes, start: float, ends: Numbers) -> Whole:
    """Count the people who paid a merchant from one day to each of some others, all included.

    Args:
        days: of the merchant's payments, in order.
        before: for each, the day of the same person's payment before it.
        start: the first day.
        ends: the last days.
    """
    first = int(days.searchsorted(start))
    people = np.zeros(len(days) - first + 1, dtype="int64")
    np.cumsum(before[first:] < start, out=people[1:])  # each at their first payment
    counts: Whole = people[days[first:].searchsorted(ends, "right")]
    return counts


def is_telling(pairs: pd.DataFrame) -> Flags:
    """Return which pairs tie a person to a merchant by themselves.

    A match that is stated does; a strong one where nobody else had paid the merchant, or so few of
    those known that chance ties no more than `MOST_CHANCE`.

    Args:
        pairs: of payments and entries, with what `with_payers` counts.
    """
    few = pairs["payer_count"] <= np.fmax(1, MOST_CHANCE * pairs["known_count"])
    flags: Flags = ((pairs["band"] == STATED) | ((pairs["band"] == STRONG) & few)).to_numpy()
    return flags


def telling_pairs(ledger: Ledger, kind: str, by: str) -> pd.DataFrame:
    """Return the payments of entries' persons to the merchants named that tie the two.

    Args:
        ledger: the payments.
        kind: the register.
        by: who has to be the entry's person: `holder_key` or `approver_key`.
    """

    def make() -> pd.DataFrame:
        pairs = with_payers(ledger, pairs_by_merchant(ledger, kind, by), by)
        return pairs[is_telling(pairs)]

    return ledger.once(f"telling pairs of {kind} by {by}", make)


def pairs_by_merchant(
    ledger: Ledger, kind: str, by: str = "", bands: tuple[str, ...] = CERTAIN_BANDS
) -> pd.DataFrame:
    """Return the payments to merchants that entries name, each with its entry.

    Args:
        ledger: the payments.
        kind: the register.
        by: what has to be the entry's person or unit besides: `holder_key`, `approver_key` or
            `unit_key`; empty for any payment.
        bands: how sure the match of the names has to be.
    """
    linked = ledger.once(f"linked entries of {kind}", lambda: _linked_entries(ledger, kind))
    linked = linked[linked["band"].isin(bands)]
    payments = keys_of_payments(ledger)
    if by:
        column = compared(linked["unit"]) if by == "unit_key" else linked["person_key"]
        linked = linked.assign(**{by: column.to_numpy()})
        linked = linked[(linked[by] != "") & linked[by].isin(payments[by].unique())]
    payments = payments[payments["merchant_code"].isin(linked["merchant_code"].unique())]
    return payments.merge(linked, on=["merchant_code", by] if by else "merchant_code")


def _linked_entries(ledger: Ledger, kind: str) -> pd.DataFrame:
    """Return the entries that name a merchant, with its code and what features read of a pair."""
    entries = register_entries(ledger, kind)
    days = [name for name in entries if str(name).endswith("_day")]
    texts = [name for name in TEXTS_OF_PAIRS if name in entries]
    return links(ledger, kind)[0].merge(entries[["entry", *days, *texts]], on="entry")


def during_entries(
    events: pd.DataFrame, person: str, day: str, entries: pd.DataFrame
) -> pd.DataFrame:
    """Return events on days from the first to the last of an entry of their person, with its entry.

    They are looked up by day, not joined by person: a force has many absences of each, of which
    few hold any payment.

    Args:
        events: payments or approvals.
        person: their column of whom an entry has to be about.
        day: their column of days counted from 1970.
        entries: of a register, as `register_entries` gives them.
    """
    people = pd.Index(events[person].unique())
    numbers = _positions(people, entries["person_key"])
    is_about = (numbers >= 0) & (entries["person_key"] != "").to_numpy()
    is_about &= (entries["until_day"].notna() & entries["true_day"].notna()).to_numpy()
    entries, numbers = entries.loc[is_about, ["entry", "true_day", "until_day"]], numbers[is_about]
    if events.empty or entries.empty:
        return events.iloc[:0].assign(entry=[], true_day=[])
    first = events[day].min()
    span = events[day].max() - first + 3  # a day before the first and one after the last

    def places(numbers: Whole, days: pd.Series[Any]) -> Numbers:
        return numbers * span + np.clip(days.to_numpy() - first + 1, 0, span - 1)

    at = places(_positions(people, events[person]), events[day])
    order = np.argsort(at, kind="stable")
    start = np.searchsorted(at[order], places(numbers, entries["true_day"]))
    end = np.searchsorted(at[order], places(numbers, entries["until_day"]), "right")
    counts = np.maximum(end - start, 0)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    within = events.iloc[order[np.repeat(start, counts) + offsets]].reset_index(drop=True)
    held = entries.iloc[np.repeat(np.arange(len(entries)), counts)]
    return within.assign(entry=held["entry"].to_numpy(), true_day=held["true_day"].to_numpy())


def _positions(index: pd.Index[Any], texts: pd.Series[str]) -> Whole:
    """Return where in an index each text is, -1 where it is not; looked up once if it is equal."""
    codes, distinct = pd.factorize(texts)
    return index.get_indexer(distinct)[codes]


def as_known(pairs: pd.DataFrame) -> Flags:
    """Return which entries were known and true on the day of the payment or before it."""
    flags: Flags = (
        (pairs["known_day"] <= pairs["day"]) & (pairs["true_day"] <= pairs["day"])
    ).to_numpy()
    return flags
