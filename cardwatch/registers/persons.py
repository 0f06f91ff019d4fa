"""Finds the person whom an entry names: by employee number, or by full name and a second fact.

An initial with a surname names nobody, and a full name alone names nobody: two officers share it.
The second fact is the unit; dates of birth and National Insurance numbers are not used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.registers.cards import compared

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLES = re.compile(
    r"\b(?:mr|mrs|ms|miss|mx|dr|prof|sir|dame|pc|dc|ps|ds|di|dci|dsu|pcso|sgt|sergeant|insp|inspector"
    r"|ch(?:ief)?|supt|superintendent|constable|detective|acting|temp|t/|a/|acc|dcc|cc|qpm|obe|mbe)\b\.?",
    re.IGNORECASE,
)
"""Titles, ranks and honours, which are no part of a name."""


def full_name(text: str) -> str:
    """Return a person's name as names are compared, or nothing if it has no whole forename.

    `Roe, Ann`, `PC Ann Roe` and `Ann M Roe` are all `ann roe`; `A Roe` and `Roe` name nobody.
    """
    plain = TITLES.sub(" ", text)
    if "," in plain:
        last, _, first = plain.partition(",")
        plain = f"{first} {last}"
    words = re.findall(r"[^\W\d_][\w'-]*", plain.casefold())
    whole = [word for word in words if len(word.strip("'-")) > 1]
    if len(whole) < 2 or len(words[0]) < 2:
        return ""
    return f"{whole[0]} {whole[-1]}"


def person_keys(entries: pd.DataFrame, people: pd.DataFrame) -> pd.Series[str]:
    """Return for each entry the key of its person; empty where it names nobody for certain.

    Args:
        entries: with `employee_id`, and perhaps `person` and `unit`.
        people: `key`, `person`, `former_names` and `unit`, a row a person and post.
    """
    keys = entries["employee_id"]
    if "person" not in entries or "unit" not in entries:
        return keys
    name_table = pd.DataFrame(_name_rows(people), columns=["name", "unit", "key"]).drop_duplicates()
    several = name_table.groupby(["name", "unit"])["key"].transform("nunique") > 1
    columns = (name_table.loc[~several, name] for name in ("name", "unit", "key"))
    by_both = {(name, unit): key for name, unit, key in zip(*columns, strict=True)}
    pairs = zip(entries["person"].map(full_name), compared(entries["unit"]), strict=True)
    matched_keys = [by_both.get(both, "") for both in pairs]
    return keys.where(keys != "", pd.Series(matched_keys, entries.index, dtype="str"))


def _name_rows(people: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Give each name and unit of each person with their key."""
    rows = zip(
        people["key"], people["person"], people["former_names"], compared(people["unit"]),
        strict=True,
    )  # fmt: skip
    for key, person, former, unit in rows:
        for name in (person, *former.split(";")):
            if unit and (whole_name := full_name(name)):
                yield whole_name, unit, key
