"""A column profile that one person has saved hides no payment from a colleague's file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from books import HEADINGS, SPLIT, month

from cardwatch import services
from cardwatch.casebook import column_profiles
from cardwatch.casebook.api_keys import actor_of_key
from cardwatch.errors import NotAllowed
from cardwatch.statements import profile_toml, read_each

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]

COLUMNS = {
    "date": "Date", "employee_id": "Employee ID", "merchant": "Merchant", "amount": "Amount",
}  # fmt: skip
LINES = [*month(10), *SPLIT]


def _profile(name: str = "ours", **settings: str) -> str:
    """Return a profile for the headings of the statements of these tests."""
    profile = services.profile_of_form(HEADINGS.split(","), COLUMNS, {"name": name} | settings)
    return profile_toml(profile)


HIDING = {"positive": "refund"}
"""What makes refunds of all payments, about which nobody is asked."""


@pytest.fixture
def pence(tmp_path: Path, choices: ReadingChoices) -> Callable[[services.ServiceContext], int]:
    """Give the sum of a statement as it is read for somebody."""
    path = tmp_path / "october.csv"
    path.write_text("\n".join([HEADINGS, *LINES, ""]), encoding="utf-8")

    def total(context: services.ServiceContext) -> int:
        profiles = (*services.list_column_profiles(context), *choices.profiles)
        (outcome,) = read_each([path], replace(choices, profiles=profiles))
        assert isinstance(outcome, tuple), outcome
        return int(outcome[0]["amount_pence"].sum())

    return total


def test_a_profile_is_used_for_whoever_saved_it_until_a_colleague_saves_the_same(
    at: Context, pence: Callable[[services.ServiceContext], int]
) -> None:
    whole = pence(at())
    services.save_profile(at(), _profile(**HIDING))
    assert pence(at()) == -whole
    assert pence(at(person=2)) == pence(at("psd")) == whole
    services.save_profile(at(person=2), _profile(name="mine", **HIDING))
    assert pence(at(person=3)) == -whole, "two people have said so"
    assert pence(at("psd")) == whole, "professional standards are other people"


def test_who_agreed_to_a_profile_changes_it_for_nobody_else(
    at: Context, pence: Callable[[services.ServiceContext], int]
) -> None:
    whole = pence(at())
    for person in ("", 2):
        services.save_profile(at(person=person), _profile(positive="charge"))
    (shared,) = services.list_profiles(at(person=3))
    assert shared.is_shared
    for context in (at(), at(person=3)):
        with pytest.raises(NotAllowed):
            services.remove_profile(context, shared.profile_id)
    services.change_profile(at(), shared.profile_id, COLUMNS, HIDING)
    assert pence(at()) == -whole
    assert pence(at(person=2)) == pence(at(person=3)) == whole
    (waiting,) = [one for one in services.list_profiles(at(person=2)) if not one.is_shared]
    with pytest.raises(NotAllowed):
        services.remove_profile(at(person=2), waiting.profile_id)
    services.remove_profile(at(), waiting.profile_id)
    assert pence(at()) == whole


def test_of_many_profiles_of_one_person_the_newest_are_remembered(
    at: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who saves thousands would slow each upload of their colleagues."""
    monkeypatch.setattr(column_profiles, "MOST_PROFILES", 3)
    chosen = dict(zip(COLUMNS, "ABCD", strict=True))
    services.save_profile(at(person=2), _profile())
    for number in range(5):
        profile = services.profile_of_form([*"ABCD", f"X{number}"], chosen, {"name": str(number)})
        services.save_profile(at(days=number), profile_toml(profile))
    names = [remembered.profile.name for remembered in services.list_profiles(at())]
    assert names == ["4", "3", "2", "ours"]


def test_an_administrators_key_is_no_first_person_and_neither_is_who_has_left(
    at: Context, pence: Callable[[services.ServiceContext], int]
) -> None:
    whole, admin = pence(at()), at("admin")
    secret = services.create_key(admin, name="k", role="finance", days=3)
    key = replace(at(), actor=actor_of_key(at().casebook, secret, at().now))
    services.save_profile(key, _profile(**HIDING))
    assert pence(key) == -whole
    services.save_profile(at(), _profile(**HIDING))
    assert pence(at(person=2)) == whole
    services.end_person(admin, "finance@saltmarsh-vale.example")
    services.save_profile(at(person=2), _profile(**HIDING))
    assert pence(at(person=3)) == whole
