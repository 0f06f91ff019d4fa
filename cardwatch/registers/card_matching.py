"""Finds each transaction's card in a register, as the register stood on the transaction's day.

What holds from a later day never matters to an earlier transaction: a row is looked at only from
its own first day on, and until the next row of its card begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.registers.cards import compared

if TYPE_CHECKING:
    from cardwatch.records import CardRegister

    Rows = np.ndarray[Any, np.dtype[np.int64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]

EVER, NEVER = -(10**6), 10**6
"""Days before and after all others, counted from 1970."""
NO_CARD = -1
CARD_HOLDER_KEYS = ("key_employee_id", "key_cardholder", "key_account", "key_holder")


def match_cards(transactions: pd.DataFrame, register: CardRegister) -> pd.DataFrame:
    """Return transactions with what the register says of the card of each on its day.

    A card is found by the hash of its whole number; else by its holder and last four digits; else
    by its holder alone where one of the two gives no digits; else by its last four digits or
    masked number, if only one card has them and the register does not know the holder. Of several
    cards of a holder the one that was open is meant; if several were, none is taken.

    Args:
        transactions: a frame with `TRANSACTION_COLUMNS`.
        register: the cards.

    Returns:
        The same rows with `MATCH_COLUMNS` added; `holder_id` is the register's where it knows the
        holder, and `cost_centre` its unit where the statement gives none.
    """
    rows = _history(register.cards)
    lookup = pd.DataFrame(
        {
            "day": _days(transactions["date"], EVER),
            "token": transactions["card_token"].to_numpy(),
            "last4": transactions["card_last4"].to_numpy(),
            "holder": compared(transactions["holder_id"]).to_numpy(),
        }
    )
    person = _find_person(lookup, rows)
    lookup["person"] = _of(rows["key_holder"], person)
    row = _find_card(lookup, rows)
    person = np.where(row != NO_CARD, row, person)
    matched_cards = rows.take(np.maximum(row, 0)).reset_index(drop=True)
    is_found = pd.Series(row != NO_CARD)
    holder_id = _of(rows["holder_id"], person)
    printed = transactions["holder_id"].reset_index(drop=True)
    is_known = (row != NO_CARD) | _is_one_of_several(lookup, rows)
    speaks = lookup["day"].to_numpy() >= rows["since"].min()
    own_unit = transactions["cost_centre"].to_numpy()
    unit = matched_cards["unit"].where(is_found, "").to_numpy()

    def text(values: object) -> pd.Series[str]:
        return pd.Series(values, index=transactions.index, dtype="str")

    values = {
        "holder_id": text(holder_id.where(holder_id != "", printed).to_numpy()),
        "cost_centre": text(np.where(own_unit == "", unit, own_unit)),
        "card_id": text(matched_cards["card_id"].where(is_found, "").to_numpy()),
        "is_card_known": is_known | ~speaks,
        "card_single_limit_pence": matched_cards["single_limit_pence"]
        .where(is_found, 0)
        .to_numpy(),
        "card_limit_before_pence": matched_cards["limit_before_pence"]
        .where(is_found, 0)
        .to_numpy(),
        "card_limit_since": matched_cards["limit_since"].where(is_found).to_numpy(),
        "cards_month_limit_pence": _month_limits(
            lookup["day"], rows, np.where(is_known, person, NO_CARD), row
        ),
        "card_opened_on": matched_cards["opened_on"].where(is_found).to_numpy(),
        "card_closed_on": matched_cards["closed_on"].where(is_found).to_numpy(),
        "card_replaced_on": _replaced_on(lookup["day"], rows, row),
        "card_approver_id": text(matched_cards["approver_id"].where(is_found, "").to_numpy()),
    }
    return transactions.assign(**values)


def cards_in_force(register: CardRegister, on: pd.Timestamp) -> pd.DataFrame:
    """Return one row a card that was open on a day, as the register stood on it.

    Rows are in the order of holder and card; `key_holder` and `key_approver` are added, as keys
    of people are compared.
    """
    rows = _history(register.cards)
    day = np.full(len(rows), _days(pd.Series([on]), EVER)[0])
    open_rows = rows[_in_force(rows, day) & _is_open(rows, day)]
    return open_rows.sort_values(["holder_id", "card_last4", "card_id"], ignore_index=True)


def _days(dates: pd.Series[pd.Timestamp], missing: int) -> Rows:
    """Return days counted from 1970, and another number where there is none."""
    days = dates.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), missing, days.astype("int64"))


def _history(cards: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a register with the days on which each holds, and the limit before."""
    rows = cards.assign(since=_days(cards["effective_from"], EVER))
    rows = rows.sort_values(["card_id", "since"], kind="stable", ignore_index=True)
    card, limit = rows["card_id"], rows["single_limit_pence"]
    rows["until"] = rows.groupby("card_id")["since"].shift(-1, fill_value=NEVER)
    rows["opened"] = _days(rows["opened_on"], EVER)
    rows["closed"] = _days(rows["closed_on"], NEVER)
    rows["key_holder"] = compared(rows["holder_id"])
    rows["key_approver"] = compared(rows["approver_id"])
    # A run of rows with one limit is that limit, whatever else changed within it.
    run = ((card != card.shift()) | (limit != limit.shift())).cumsum()
    starts = rows[~run.duplicated()]
    before = starts.groupby("card_id")["single_limit_pence"].shift(fill_value=0)
    rows["limit_since"] = starts["effective_from"].to_numpy()[run - 1]
    rows["limit_before_pence"] = before.to_numpy()[run - 1]
    return rows


def _in_force(rows: pd.DataFrame, day: Rows) -> Flags:
    """Return whether each row held on a day."""
    return ((rows["since"] <= day) & (day < rows["until"])).to_numpy()


def _is_open(rows: pd.DataFrame, day: Rows) -> Flags:
    """Return whether each row's card was open on a day; closed without a day is closed."""
    closed = (rows["status"] != "open") & (rows["closed"] == NEVER)
    return ((rows["opened"] <= day) & (day <= rows["closed"]) & ~closed).to_numpy()


def _pairs(keys: pd.Series[str], days: pd.Series[int], rows: pd.DataFrame) -> pd.DataFrame:
    """Return every row of a register that held under a key on a day: `asked` and `row`.

    Args:
        keys: what each transaction is looked up by; empty for not at all.
        days: day of each.
        rows: `key` and `row` of the register beside its columns.
    """
    sought = pd.DataFrame({"key": keys, "day": days, "asked": np.arange(len(keys))})
    pairs = sought[sought["key"] != ""].merge(rows[rows["key"] != ""], on="key")
    return pairs[_in_force(pairs, pairs["day"].to_numpy())].drop_duplicates(["asked", "row"])


def _choose(pairs: pd.DataFrame, size: int) -> Rows:
    """Return for each transaction the one row that fits, of several the one open; else none."""
    is_open = _is_open(pairs, pairs["day"].to_numpy())
    several = pairs.duplicated("asked", keep=False)
    pairs = pairs[~several | is_open]
    pairs = pairs[~pairs.duplicated("asked", keep=False)]
    chosen = np.full(size, NO_CARD, dtype="int64")
    chosen[pairs["asked"].to_numpy()] = pairs["row"].to_numpy()
    return chosen


def _of(column: pd.Series[str], row: Rows) -> pd.Series[str]:
    """Return a column's text at each row found; empty where none was."""
    return pd.Series(np.where(row != NO_CARD, column.to_numpy()[row], ""), dtype="str")


def _find_person(lookup: pd.DataFrame, rows: pd.DataFrame) -> Rows:
    """Return for each transaction a row of its holder, where its key names one person only."""
    numbered = rows.assign(row=np.arange(len(rows)))
    by_key = pd.concat([numbered.assign(key=numbered[name]) for name in CARD_HOLDER_KEYS])
    pairs = _pairs(lookup["holder"], lookup["day"], by_key)
    people = pairs.groupby("asked")["key_holder"].nunique()
    pairs = pairs[pairs["asked"].map(people) == 1].drop_duplicates("asked")
    person_rows = np.full(len(lookup), NO_CARD, dtype="int64")
    person_rows[pairs["asked"].to_numpy()] = pairs["row"].to_numpy()
    return person_rows


def _find_card(lookup: pd.DataFrame, rows: pd.DataFrame) -> Rows:
    """Return for each transaction the row of its card on its day, by the best key that finds one.

    Args:
        lookup: day, token, last four digits and person of each transaction; the person is empty
            where the register does not know the holder.
        rows: the register's history.
    """
    numbered = rows.assign(row=np.arange(len(rows)))
    by_holder = numbered.assign(key=rows["key_holder"])
    both = numbered.assign(key=rows["key_holder"] + "/" + rows["card_last4"])
    tokens = numbered.assign(key=rows["card_token"])
    whole = tokens[tokens["card_id"] == tokens["card_token"]]
    last = numbered.assign(key=rows["card_last4"])
    person, last4 = lookup["person"], lookup["last4"]
    strange, undigited = person == "", last4 == ""
    steps: list[tuple[pd.Series[str], pd.DataFrame, bool]] = [  # key, rows, one card at most
        (lookup["token"], whole, True),
        ((person + "/" + last4).where(~strange & ~undigited, ""), both, False),
        (lookup["token"].where(strange | undigited, ""), tokens, True),
        (person.where(undigited, ""), by_holder, False),
        (person.where(~undigited, ""), by_holder[by_holder["card_last4"] == ""], False),
        (last4.where(strange, ""), last, True),
    ]
    card_rows = np.full(len(lookup), NO_CARD, dtype="int64")
    for keys, among, only in steps:
        pairs = _pairs(keys, lookup["day"], among)
        if only:
            pairs = pairs[~pairs.duplicated("asked", keep=False)]
        card_rows = np.where(card_rows == NO_CARD, _choose(pairs, len(lookup)), card_rows)
    return card_rows


def _is_one_of_several(lookup: pd.DataFrame, rows: pd.DataFrame) -> Flags:
    """Return whether a card of the holder, if the register knows them, could have paid."""
    by_holder = rows.assign(key=rows["key_holder"], row=np.arange(len(rows)))
    pairs = _pairs(lookup["person"], lookup["day"], by_holder)
    last = lookup["last4"].to_numpy()[pairs["asked"].to_numpy()]
    fits = (last == "") | (pairs["card_last4"] == "").to_numpy()
    could_pay = np.zeros(len(lookup), dtype=bool)
    could_pay[pairs["asked"].to_numpy()[fits]] = True
    return could_pay


def _month_limits(days: pd.Series[int], rows: pd.DataFrame, person: Rows, row: Rows) -> Rows:
    """Return what the holder may spend in a month with all open cards; 0 if one does not say.

    A card that was closed gives way to those open; where none is, its own limit stands.
    """
    limits = rows["month_limit_pence"].to_numpy()
    card_limits = np.where(row != NO_CARD, limits[np.maximum(row, 0)], 0)
    by_holder = rows.assign(key=rows["key_holder"], row=np.arange(len(rows)))
    pairs = _pairs(_of(rows["key_holder"], person), days, by_holder)
    pairs = pairs[_is_open(pairs, pairs["day"].to_numpy())]
    summed = pairs.groupby("asked")["month_limit_pence"].agg(["sum", "min"])
    together = summed["sum"].where(summed["min"] > 0, 0).reindex(np.arange(len(days)))
    return together.fillna(pd.Series(card_limits)).to_numpy("int64")


def _replaced_on(days: pd.Series[int], rows: pd.DataFrame, row: Rows) -> pd.Series[Any]:
    """Return the last day before each on which another card of its holder was lost."""
    lost = rows[(rows["status"] == "lost") & rows["closed_on"].notna()]
    by_holder = lost.assign(key=lost["key_holder"], row=lost.index)
    pairs = _pairs(_of(rows["key_holder"], row), days, by_holder)
    card = rows["card_id"].to_numpy()[row[pairs["asked"].to_numpy()]]
    pairs = pairs[(pairs["card_id"] != card) & (pairs["closed"] < pairs["day"])]
    latest = pairs.groupby("asked")["closed_on"].max()
    return latest.reindex(np.arange(len(days))).to_numpy("datetime64[s]")
