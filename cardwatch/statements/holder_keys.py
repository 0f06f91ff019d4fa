"""One key for the holders of several files: the best that all have, each person under one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.records import TRANSACTION_COLUMNS
from cardwatch.statements.holders import fold_name
from cardwatch.statements.profiles import HOLDER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

HOLDER_WORDS = {
    "holder_id": "the cardholder column",
    "employee_id": "employee number",
    "account": "card account",
    "cardholder": "cardholder name",
    "card_number": "card number",
}
MORE_PEOPLE = 2
"""A key under which there are this many times as many holders tells people apart better."""


def name_holders(frames: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, list[str]]:
    """Return several files' transactions as one, by the best holder key that all have; and notes.

    Args:
        frames: as `read_each` gives them.

    Returns:
        A frame with `TRANSACTION_COLUMNS`, and sentences about the key.
    """
    alone = len(frames) == 1  # putting one frame together with nothing takes a while
    together = frames[0].reset_index(drop=True) if alone else pd.concat(frames, ignore_index=True)
    notes = _choose_holder_key(together, frames)
    return together[list(TRANSACTION_COLUMNS)], notes


def no_transactions() -> pd.DataFrame:
    """Return a frame of no transactions, as `name_holders` gives it."""
    types = {"date": "datetime64[s]", "posting_date": "datetime64[s]"}
    types |= {"amount_pence": "int64", "row": "int64", "day_doubled": "bool"}
    return pd.DataFrame(
        {name: pd.Series(dtype=types.get(name, "str")) for name in TRANSACTION_COLUMNS}
    )


def fold_key(key: str, texts: pd.Series[str]) -> pd.Series[str]:
    """Return holders or merchants as they are compared: names without case and comma."""
    change = (
        fold_name if key == "key_cardholder" else lambda text: " ".join(text.casefold().split())
    )
    codes, distinct = pd.factorize(texts)
    folded = pd.Series([change(str(text)) for text in distinct], dtype="str")
    return pd.Series(folded.to_numpy()[codes], index=texts.index, dtype="str")


def _choose_holder_key(together: pd.DataFrame, frames: Sequence[pd.DataFrame]) -> list[str]:
    """Set `holder_id` by the best key that all files have; say which, and what it cannot do."""
    having = [{c for c in HOLDER_FIELDS if f"key_{c}" in frame} for frame in frames]
    common = set.intersection(*having)
    key = _most_telling(together, common)
    if key is not None:
        notes = [f"cardholders are identified by {HOLDER_WORDS[key]}"]
    else:
        notes = [
            "the files name cardholders in different ways, so one cardholder may have two names"
        ]
    together["holder_id"] = _ids_by_key(together, common, key)
    if key == "card_number" and together["holder_id"].str.fullmatch(r"card ending \d{4}").any():
        notes.append("only the last four digits are known: two cards can share them")
    return notes


def holder_ids(together: pd.DataFrame, common: Collection[str]) -> pd.Series[str]:
    """The id of each payment's holder: by the best key that all files have, else its best own.

    Args:
        together: payments of several files, with a column `key_...` for each key that any has.
        common: those of `HOLDER_FIELDS` that all files have.
    """
    return _ids_by_key(together, common, _most_telling(together, common))


def _ids_by_key(together: pd.DataFrame, common: Collection[str], key: str | None) -> pd.Series[str]:
    """Return the id of each payment's holder by a key, none where no key is common."""
    names = [name for name in HOLDER_FIELDS if f"key_{name}" in together]
    shared = [name for name in HOLDER_FIELDS if name in common]
    passed = shared[: shared.index(key)] if key is not None else []
    ordered = [key] if key is not None else []
    ordered += [name for name in names if name not in (key, *passed)]
    holder = pd.Series("", index=together.index, dtype="str")
    for name in (*ordered, *passed):
        unnamed = (holder == "").to_numpy(bool)
        if not unnamed.any():
            break
        own = together[f"key_{name}"].fillna("")
        holder = own if unnamed.all() else holder.where(~unnamed, own)
    return _one_spelling(holder, key or "")


def _most_telling(together: pd.DataFrame, keys: Collection[str]) -> str | None:
    """Return the best key that tells people apart: a force's name on every row does not.

    A later key is taken in place of one under which all are one holder, or in place of an account
    under which there are several people.
    """
    common = [name for name in HOLDER_FIELDS if name in keys]
    counts = {name: together[f"key_{name}"].nunique() for name in common}
    for i, name in enumerate(common):
        finer = [other for other in common[i + 1 :] if other != "card_number" or counts[name] <= 1]
        most = max((counts[other] for other in finer), default=0)
        one_for_all = counts[name] <= 1 and most > 1
        shared = name == "account" and most >= MORE_PEOPLE * counts[name]
        if not (one_for_all or shared):
            return name
    return common[-1] if common else None


def _one_spelling(holder: pd.Series[str], key: str) -> pd.Series[str]:
    """Return holders each under one spelling: that which most of their payments have.

    Where two are as usual, the one with small letters, then the first in the alphabet, is taken.
    """
    distinct = pd.Series(holder.unique(), dtype="str")
    if fold_key(f"key_{key}", distinct).is_unique:
        return holder
    counts = holder.value_counts().rename_axis("holder").reset_index(name="count")
    counts["folded"] = fold_key(f"key_{key}", counts["holder"])
    counts["capitals"] = counts["holder"].str.isupper()
    order = counts.sort_values(["count", "capitals", "holder"], ascending=[False, True, True])
    spelling = order.drop_duplicates("folded").set_index("folded")["holder"]
    folded = pd.Series(counts["folded"].to_numpy(), index=counts["holder"])
    return holder.map(folded.map(spelling))
