"""Finds the person whom an entry names: by employee number, or by full name and a second fact.

An initial with a surname names nobody, and a full name alone names nobody: two officers share it.
The second fact is the work email, the unit or the post; dates of birth and National Insurance
numbers are not used.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.registers.cards import compared, person_key, plain_letters

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

SECOND_FACTS = ("email", "unit", "post")
"""What names a person together with their full name, the most certain first."""
MOST_INITIALS = 3
LONGEST_NUMBER = 8
"""Of a person's number."""
BETWEEN_NAMES = ("", ",", "/")
"""Between a surname and the forename after it."""
TITLES = re.compile(
    r"\b(?:mr|mrs|ms|miss|mx|dr|prof|sir|dame|pc|dc|ps|ds|di|dci|dsu|pcso|sgt|sergeant|insp|inspector"
    r"|ch(?:ief)?|supt|superintendent|constable|detective|acting|temp|t/|a/|acc|dcc|cc|qpm|obe|mbe)\b\.?",
    re.IGNORECASE,
)
"""Titles, ranks and honours, which are no part of a name."""


@lru_cache(maxsize=100_000)  # the names of a register are read again with each statement
def full_name(text: str) -> str:
    """Return a person's name as names are compared, or nothing if it has no whole forename.

    `Roe, Ann`, `PC Ann Roe` and `Ann M Roe` are all `ann roe`; `A Roe` and `Roe` name nobody.
    """
    words = _name_words(text)
    whole = [word for word in words if len(word.strip("'-")) > 1]
    if len(whole) < 2 or len(words[0]) < 2:
        return ""
    return f"{whole[0]} {whole[-1]}"


def _name_words(text: str) -> list[str]:
    """Return the words of a name without titles and accents, forenames first."""
    plain = TITLES.sub(" ", text if text.isascii() else plain_letters(text))
    if "," in plain:
        last, _, first = plain.partition(",")
        plain = f"{first} {last}"
    return re.findall(r"[^\W\d_][\w'-]*", plain.casefold())


def name_forms(text: str) -> tuple[str, ...]:
    """Return the forms in which a name is compared to find out whom an entry may name.

    That is looser than what a rule rests on: `A Roe` may be Ann Roe, and then not for her to see.

    Returns:
        The whole name (`full_name`); else the initial with the surname; nothing for a surname.
    """
    if whole := full_name(text):
        return (whole,)
    words = _name_words(text)
    return (f"{words[0][0]} {words[-1]}",) if len(words) > 1 else ()


def spellings(text: str) -> set[str]:
    """Return the keys by which one person's number or name may be printed, as `person_key`.

    A number of digits loses its leading zeros in Excel, and a name is printed surname first.
    """
    key = person_key(text)
    if key.isdecimal():
        return number_spellings(key)
    first, _, last = full_name(text).partition(" ")
    turned = {f"{last}{mark}{first}" for mark in BETWEEN_NAMES} if last else set()
    return {key, f"{first}{last}", *turned} - {""}


def number_spellings(key: str) -> set[str]:
    """Return the keys of a number of digits, with and without leading zeros; of another its own."""
    if not key.isdecimal() or len(key) > LONGEST_NUMBER:
        return {key}
    digits = key.lstrip("0")
    return {digits.zfill(count) for count in range(max(len(digits), 1), LONGEST_NUMBER + 1)}


def is_written_like(cardholders: Collection[str], text: str) -> bool:
    """Whether one of some cardholders may be somebody, written otherwise; for a person to look.

    Args:
        cardholders: the letters and digits of each one's key, as `key_letters` gives them.
        text: the name, forename and surname at least; one word is like nobody. The surname may
            have several words, as `de la Cruz` has.
    """
    words = [key_letters(word) for word in _name_words(text)]
    if len(words) < 2 or len(words[-1]) < 2:
        return False
    for number in range(1, len(words)):
        last = "".join(words[number:])
        givens = [letters[len(last) :] for letters in cardholders if letters.startswith(last)]
        givens += [letters[: -len(last)] for letters in cardholders if letters.endswith(last)]
        if any(_is_given_like(given, words[0]) for given in givens):
            return True
    return False


def key_letters(key: str) -> str:
    """The letters and digits of a cardholder's key, as `person_key` gives it, or of a word."""
    return "".join(filter(str.isalnum, key))


def _is_given_like(given: str, first: str) -> bool:
    """Whether what is written beside a surname may be a first name, or initials of it."""
    is_whole = len(first) > 1 and (given.startswith(first) or given.endswith(first))
    return is_whole or (given[:1] == first[0] and len(given) <= MOST_INITIALS)


@lru_cache(maxsize=100_000)
def names_of(person: str, former_names: str) -> tuple[str, ...]:
    """Return every name of a person, as `full_name` gives it.

    Args:
        person: the name now.
        former_names: those before, with semicolons between them; a surname alone, as of a maiden
            name, goes with the forename of now.
    """
    whole = full_name(person)
    names = [whole] if whole else []
    for former in filter(None, former_names.split(";")):
        words = _name_words(former)
        name = f"{whole.split()[0]} {words[0]}" if whole and len(words) == 1 else full_name(former)
        names += [name] if name else []
    return tuple(dict.fromkeys(names))


def person_keys(
    entries: pd.DataFrame, keys_by_name: Callable[[], Mapping[str, Mapping[tuple[str, str], str]]]
) -> pd.Series[str]:
    """Return for each entry the key of its person; empty where it names nobody for certain.

    The first of `SECOND_FACTS` that an entry states decides, of those that the people register has.

    Args:
        entries: with `employee_id`, and perhaps `person` and second facts.
        keys_by_name: gives what `keys_by_name_and_fact` makes; called where an entry needs it.
    """
    keys = entries["employee_id"]
    facts = [fact for fact in SECOND_FACTS if fact in entries]
    if "person" not in entries or not facts:
        return keys
    is_unnumbered = ((keys == "") & (entries["person"] != "")).to_numpy()
    unnumbered = entries.loc[is_unnumbered, ["person", *facts]]
    if unnumbered.empty:
        return keys
    by_fact, names = keys_by_name(), [full_name(name) for name in unnumbered["person"].tolist()]
    matched_keys: dict[int, str] = {}
    for fact in facts:
        known = by_fact[fact]
        for row, value in enumerate(compared(unnumbered[fact]).tolist() if known else ()):
            if value:
                matched_keys.setdefault(row, known.get((names[row], value), ""))
    named = keys.to_numpy(object, copy=True)
    named[is_unnumbered] = [matched_keys.get(row, "") for row in range(len(names))]
    return pd.Series(named, keys.index, dtype="str", name=keys.name)


def keys_by_name_and_fact(people: pd.DataFrame) -> dict[str, dict[tuple[str, str], str]]:
    """Return for each second fact the key of each person by full name and that fact.

    Where two people have both in common, they name neither.

    Args:
        people: `key`, `person`, `former_names` and each of `SECOND_FACTS`, a row a person and post.
    """
    return {fact: _keys_by_both(people, fact) for fact in SECOND_FACTS}


def _keys_by_both(people: pd.DataFrame, fact: str) -> dict[tuple[str, str], str]:
    """Return the key of each person by full name and one fact, where these are theirs alone."""
    keys: dict[tuple[str, str], str] = {}
    shared: set[tuple[str, str]] = set()
    columns = (people["key"], people["person"], people["former_names"], compared(people[fact]))
    for key, person, former, value in zip(*(c.tolist() for c in columns), strict=True):
        for name in names_of(person, former) if value else ():
            if keys.setdefault((name, value), key) != key:
                shared.add((name, value))
    return {both: key for both, key in keys.items() if both not in shared}
