"""People and keys: who may give which role, and that access ends at once."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from books import NOW, approved

from cardwatch import services
from cardwatch.casebook import FINANCE, AuditEvent
from cardwatch.casebook.api_keys import actor_now
from cardwatch.casebook.directory import ProvidedGroup, ProvidedUser
from cardwatch.casebook.tables import people
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.casebook.rows import Event

    Context = Callable[..., services.ServiceContext]

DAY = dt.timedelta(days=1)


def _add(at: services.ServiceContext, role: str, email: str = "new@force.example") -> str:
    return services.add_person(at, name="New", email=email, role=role, holds_no_card=True)


def test_an_admin_gives_every_role_but_that_of_professional_standards(at: Context) -> None:
    for role in ("finance", "auditor", "admin"):
        assert _add(at("admin"), role, f"{role}2@force.example")
    with pytest.raises(NotAllowed):
        _add(at("admin"), "psd")


def test_the_installation_adds_the_first_two_of_professional_standards_and_no_other(
    at: Context,
) -> None:
    """Two are needed before one can ask and another approve."""
    assert _add(at(SYSTEM), "psd")
    assert _add(at(SYSTEM), "psd", "second@force.example")
    with pytest.raises(NotAllowed):
        _add(at(SYSTEM), "psd", "third@force.example")
    for giver in (at("admin"), at("finance")):
        with pytest.raises(NotAllowed):
            _add(giver, "psd", "third@force.example")
    services.end_person(at(SYSTEM), "second@force.example")
    assert _add(at(SYSTEM), "psd", "third@force.example")


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_finance_and_auditors_keep_no_people_and_no_keys(at: Context, role: str) -> None:
    for refused in (
        lambda: _add(at(role), "finance"),
        lambda: services.list_people(at(role)),
        lambda: services.create_key(at(role), name="x", role="finance", days=1),
        lambda: services.list_keys(at(role)),
    ):
        with pytest.raises(NotAllowed):
            refused()


def test_one_email_address_is_one_person_whatever_its_capitals(at: Context) -> None:
    _add(at("admin"), "finance")
    with pytest.raises(CardwatchError, match="already"):
        _add(at("admin"), "auditor", "NEW@force.example")


@pytest.mark.parametrize(("role", "email"), [("chief", "a@b.example"), ("finance", "nobody")])
def test_a_role_there_is_not_or_a_missing_address_is_refused(
    at: Context, role: str, email: str
) -> None:
    with pytest.raises(CardwatchError):
        _add(at("admin"), role, email)
    assert len(services.list_people(at("admin"))) == 1


def test_whoever_is_ended_has_no_access_any_more(at: Context) -> None:
    admin = at("admin")
    _add(admin, "finance")
    services.end_person(admin, "new@force.example")
    with pytest.raises(NotFound):
        services.actor_of_person(
            admin.casebook, admin.actor.organisation_id, "new@force.example", NOW
        )


def test_a_key_speaks_for_its_role_until_its_last_day_or_its_end(at: Context) -> None:
    admin = at("admin")
    key = services.create_key(admin, name="ledger", role="auditor", days=2)
    book = admin.casebook
    assert services.actor_of_key(book, key, NOW).role == "auditor"
    assert services.actor_of_key(book, key, NOW + 2 * DAY).role == "auditor"
    with pytest.raises(NotAllowed):
        services.actor_of_key(book, key, NOW + 3 * DAY)
    services.revoke_key(admin, services.list_keys(admin)[0]["key_id"])
    with pytest.raises(NotAllowed):
        services.actor_of_key(book, key, NOW)


def test_a_key_changed_in_any_place_is_refused_with_the_same_words(at: Context) -> None:
    admin = at("admin")
    key = services.create_key(admin, name="ledger", role="auditor", days=2)
    end = "A" if key[-1] != "A" else "B"
    wrong = [key[:-1] + end, key.replace("saltmarsh", "elsewhere"), "", "cw_x", key + "x"]
    told = set()
    for text in wrong:
        with pytest.raises(NotAllowed) as refusal:
            services.actor_of_key(admin.casebook, text, NOW)
        told.add(str(refusal.value))
    assert len(told) == 1


def test_the_secret_of_a_key_is_kept_nowhere(at: Context) -> None:
    admin = at("admin")
    secret = services.create_key(admin, name="ledger", role="auditor", days=2)[-43:]
    assert secret not in repr(services.list_keys(admin))
    with admin.casebook.snapshot() as connection:
        admin.casebook.set_tenant(connection, admin.actor.organisation_id, ("finance", "psd"))
        rows = connection.exec_driver_sql("SELECT * FROM keys").fetchall()
        events = connection.exec_driver_sql("SELECT * FROM audit_events").fetchall()
    assert rows
    assert events
    assert secret not in repr(rows) + repr(events)


def test_an_admin_neither_makes_nor_sees_nor_ends_keys_of_professional_standards(
    at: Context,
) -> None:
    admin, psd = at("admin"), at("psd")
    with pytest.raises(NotAllowed):
        services.create_key(admin, name="theirs", role="psd", days=2)
    services.create_key(psd, name="theirs", role="psd", days=2)
    assert services.list_keys(admin) == []
    with pytest.raises(NotFound):
        services.revoke_key(admin, services.list_keys(psd)[0]["key_id"])


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_key_holds_for_a_year_at_most(at: Context, days: int) -> None:
    with pytest.raises(CardwatchError, match="365"):
        services.create_key(at("admin"), name="x", role="auditor", days=days)


def test_an_organisation_needs_letters_and_a_name_of_its_own(at: Context) -> None:
    book = at("admin").casebook
    for name in ("Saltmarsh Vale", "saltmarsh  vale", "??"):
        with pytest.raises(CardwatchError):
            services.add_organisation(book, name, NOW)


def test_a_key_ends_with_the_access_of_its_maker_and_does_not_come_back(at: Context) -> None:
    admin = at("admin")
    key = services.create_key(admin, name="k", role="finance", days=9)
    by_key = services.ServiceContext(
        admin.casebook,
        services.actor_of_key(
            admin.casebook, services.create_key(admin, name="a", role="admin", days=9), NOW
        ),
        NOW,
    )
    child = services.create_key(by_key, name="child", role="auditor", days=9)
    assert services.actor_of_key(admin.casebook, child, NOW).role == "auditor"
    email = services.email_of(admin)
    itself = at(SYSTEM)
    services.end_person(itself, email)
    for again in (False, True):
        if again:
            services.add_person(itself, name="Back", email=email, role="admin", holds_no_card=True)
        for text in (key, child):
            with pytest.raises(NotAllowed):
                services.actor_of_key(admin.casebook, text, NOW)


def test_a_key_has_no_more_than_the_present_role_of_its_maker(at: Context) -> None:
    admin = at("admin")
    key = services.create_key(admin, name="k", role="finance", days=9)
    with admin.casebook.work(at(SYSTEM).actor, AuditEvent("access", "person"), NOW) as uow:
        uow.update(people, people.c.person_id == admin.actor.actor_id, {"role": "auditor"})
    with pytest.raises(NotAllowed):
        services.actor_of_key(admin.casebook, key, NOW)


def test_a_key_carries_who_its_maker_is_in_statements(at: Context) -> None:
    psd = at("psd")
    event = AuditEvent("access", "person", chain="psd")
    with psd.casebook.work(at(SYSTEM).actor, event, NOW) as uow:
        uow.update(people, people.c.person_id == psd.actor.actor_id, {"holder_id": "E1"})
    key = services.create_key(psd, name="own", role="psd", days=9)
    actor = services.actor_of_key(psd.casebook, key, NOW)
    assert actor.holder_id == "E1"
    with psd.casebook.unaudited(actor, NOW, reads=True) as uow:
        assert actor_now(uow, actor).holder_id == "E1"


@pytest.mark.parametrize(
    "email", [" NEW@force.example ", "\uff2eew@force.example", "new@force.example\t"]
)
def test_one_email_address_is_one_person_in_whatever_form(at: Context, email: str) -> None:
    _add(at("admin"), "finance")
    with pytest.raises(CardwatchError, match="already"):
        _add(at("admin"), "auditor", email)


@pytest.mark.parametrize(
    "email",
    ["n\u0435w@force.example", "new@force.example.", "ne\u00adw@force.example",
     "new\u200b@force.example", "new@force.example\u2060", "n\u0435\u200dw@force.example"],
)  # fmt: skip
def test_no_address_looks_like_another_persons(at: Context, email: str) -> None:
    """One person would be two who approve, and nobody would see that by their addresses."""
    _add(at("admin"), "finance")
    with pytest.raises(CardwatchError, match="correct format"):
        _add(at("admin"), "auditor", email)


def _finance_events(at: Context, act: Callable[[], object]) -> list[dict[str, object]]:
    """Return what finance's chain says of an act, with the numbers of seals in place of them."""
    auditor = at("auditor")

    def events() -> list[Event]:
        return list(reversed(services.audit_events(auditor, lane=FINANCE, last=30)))

    before = {event["seq"] for event in events()}
    act()
    return [
        {name: value for name, value in event.items() if name not in {"seq", "at", "id", "hash"}}
        | {name: len(event.get(name, ())) for name in ("sealed", "unsealed")}
        for event in events()
        if event["seq"] not in before and event["object"] != "audit"
    ]


def _leave_psd(at: Context, email: str) -> None:
    """Let somebody be of professional standards, and be so no more."""
    _add(at(SYSTEM), "psd", email)
    at("psd")
    services.end_person(at(SYSTEM), email)


def test_finance_reads_of_whoever_leaves_professional_standards_what_it_reads_of_a_stranger(
    at: Context,
) -> None:
    """Before, the address of somebody who had been in professional standards was refused."""
    admin = at("admin")
    _leave_psd(at, "left@force.example")
    of_stranger, of_former = (
        _finance_events(at, lambda email=email: _add(admin, "auditor", email))  # type: ignore[misc]
        for email in ("stranger@force.example", "left@force.example")
    )
    assert of_former == of_stranger
    assert [event["sealed"] for event in of_former] == [1]
    assert [check.fault for check in services.verify_audit(at("psd"))] == ["", ""]


@pytest.mark.parametrize("giver", [SYSTEM, "psd"])
def test_whoever_had_access_joins_professional_standards_and_finance_is_not_told_who(
    at: Context, giver: str
) -> None:
    """Before, nobody could join who had had another role: the act failed."""
    person_id = _add(at("admin"), "finance")
    services.end_person(at("admin"), "new@force.example")
    giver_context, auditor = at(giver), at("auditor")
    approved(giver_context, lambda context: _add(context, "psd"))
    email = next(
        person["email"]
        for person in services.list_people(at("psd"))
        if person["person_id"] == person_id and person["role"] == "psd"
    )
    assert email == "new@force.example"
    newest = next(
        event
        for event in services.audit_events(auditor, lane=FINANCE, last=9)
        if event["object"] == "person"
    )
    assert (newest["actor"], newest["id"]) == (SYSTEM, "")
    assert [check.fault for check in services.verify_audit(at("psd"))] == ["", ""]


def test_a_group_tells_finance_the_same_of_whoever_was_in_professional_standards(
    at: Context,
) -> None:
    """Before, the one without an event of their own was of professional standards once."""
    admin = at("admin")
    _leave_psd(at, "left@force.example")
    key = services.create_key(admin, name="idp", role="admin", days=9, scope="directory")
    actor = services.actor_of_key(admin.casebook, key, NOW)
    provider, groups = services.ServiceContext(admin.casebook, actor, NOW), []
    for number, email in enumerate(("stranger@force.example", "left@force.example")):
        name = f"u{number}"
        provided = ProvidedUser(name, email, name, "", is_active=True, content="{}")
        user = services.add_provided_user(provider, provided)
        group = ProvidedGroup(f"G{number}", f"e{number}", (user["user_id"],))
        groups.append(services.add_provided_group(provider, group)["group_id"])
    of_stranger, of_former = (
        _finance_events(at, lambda group=group: services.set_group_role(admin, group, "auditor"))  # type: ignore[misc]
        for group in groups
    )
    assert of_former == of_stranger
    assert [event["object"] for event in of_former][-1] == "person"
    assert [check.fault for check in services.verify_audit(at("psd"))] == ["", ""]
