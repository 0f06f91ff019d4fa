"""Keys are the person who made them: they end with their access, and see what that person may."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from books import EQUAL, NOW, SPLIT, approved, month
from cryptography.fernet import Fernet, MultiFernet

from cardwatch import services
from cardwatch.casebook import PSD
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.sessions import ProviderSignIn
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import NotAllowed, NotFound
from cardwatch.services import ServiceContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.casebook import Casebook

    Context = Callable[..., ServiceContext]

LATER = NOW + dt.timedelta(minutes=5)
EMAIL = "new@force.example"


def _new(
    giver: ServiceContext, role: str, holder_id: str = "", now: dt.datetime = NOW
) -> ServiceContext:
    """Add a person of a role; return their service context."""
    at_now = ServiceContext(giver.casebook, giver.actor, now)
    new = {"name": "New", "email": EMAIL, "role": role, "holder_id": holder_id}
    approved(at_now, lambda one: services.add_person(one, **new, holds_no_card=not holder_id))
    owner = giver.actor.organisation_id
    return ServiceContext(
        giver.casebook, services.actor_of_person(giver.casebook, owner, EMAIL, now), now
    )


def _key(giver: ServiceContext, role: str, now: dt.datetime = NOW) -> str:
    return services.create_key(
        ServiceContext(giver.casebook, giver.actor, now),
        name="k",
        role=role,
        days=9,
        can_decide=True,
    )


def _by(casebook: Casebook, key: str, now: dt.datetime = NOW) -> ServiceContext:
    """Return the service context of a key."""
    return ServiceContext(casebook, services.actor_of_key(casebook, key, now), now)


def _is_refused(casebook: Casebook, key: str) -> bool:
    try:
        services.actor_of_key(casebook, key, LATER)
    except NotAllowed:
        return True
    return False


@pytest.mark.parametrize("role", ["admin", PSD])
def test_a_key_and_what_was_made_with_it_end_with_their_maker(
    casebook: Casebook, at: Context, role: str
) -> None:
    giver = at(role)
    maker = _new(giver, role)
    keys = [_key(maker, role)]
    keys.append(_key(_by(casebook, keys[0]), role))
    assert not any(_is_refused(casebook, key) for key in keys)
    approved(giver, lambda one: services.end_person(one, EMAIL))
    assert all(_is_refused(casebook, key) for key in keys)
    assert all(row["ended_at"] for row in services.list_keys(giver))


def test_a_key_of_before_stays_ended_when_its_maker_comes_back(
    casebook: Casebook, at: Context
) -> None:
    admin = at("admin")
    key = _key(_new(admin, "admin"), "finance")
    services.end_person(admin, EMAIL)
    _new(admin, "admin", now=LATER)
    assert _is_refused(casebook, key)


def test_a_key_is_refused_though_the_table_says_that_it_goes_on(
    casebook: Casebook, at: Context
) -> None:
    """A casebook of before holds keys whose makers left without them."""
    admin = at("admin")
    key = _key(_new(admin, "admin"), "finance")
    for changed in ("ended_at = '2026-11-24T09:30:00Z'", "role = 'auditor'", "role = 'psd'"):
        with casebook.engine.begin() as connection:
            casebook.set_tenant(connection, admin.actor.organisation_id, ())
            connection.exec_driver_sql(f"UPDATE people SET {changed} WHERE email = '{EMAIL}'")  # noqa: S608
        assert _is_refused(casebook, key), changed


def test_a_key_ends_with_the_key_that_made_it_and_there_is_no_third(
    casebook: Casebook, at: Context
) -> None:
    admin = at("admin")
    first = _key(admin, "admin")
    second = _key(_by(casebook, first), "admin")
    with pytest.raises(NotAllowed):
        _key(_by(casebook, second), "admin")
    services.revoke_key(admin, first.split("_")[2])
    assert _is_refused(casebook, second)


def test_a_key_of_the_installation_answers_to_nobodys_access(
    casebook: Casebook, at: Context
) -> None:
    assert not _is_refused(casebook, _key(at(SYSTEM), "finance"))


def test_a_key_neither_sees_nor_decides_what_is_asked_about_its_maker(
    casebook: Casebook, at: Context, read: Callable[..., tuple[object, object]]
) -> None:
    psd = at(PSD)
    services.receive(psd, read("october.csv", *month(10), *SPLIT, *EQUAL))
    maker = _new(psd, PSD, holder_id="E1")
    own_key = _by(casebook, _key(maker, PSD))
    second_key = _by(casebook, _key(own_key, PSD))
    everything = {one["alert_id"] for one in services.list_alerts(psd)}
    shown = {one["alert_id"] for one in services.list_alerts(maker)}
    hidden = everything - shown
    assert hidden
    answer = DecisionInput("seen", "explained")
    for by_key in (own_key, second_key):
        assert by_key.actor.holder_id == "E1"
        assert {one["alert_id"] for one in services.list_alerts(by_key)} == shown
        for alert_id in hidden:
            with pytest.raises(NotFound):
                services.get_alert(by_key, alert_id)
            with pytest.raises(NotFound):
                services.decide(by_key, alert_id, answer)


def test_what_somebody_proposed_is_not_agreed_to_once_their_access_has_ended(
    casebook: Casebook, at: Context
) -> None:
    psd = at(PSD)
    leaver = _new(psd, PSD)
    policy = services.pack_policy("alerts_per_1000 = 10\n", "policy.toml")
    by_key = _by(casebook, _key(leaver, PSD))
    ids = [
        services.propose(one, "policy", policy, effective_from="", reason=reason)["proposal_id"]
        for one, reason in ((leaver, "by hand"), (by_key, "by key"))
    ]
    approved(psd, lambda one: services.end_person(one, EMAIL))
    for proposal_id in ids:
        with pytest.raises(NotAllowed, match="no longer has access"):
            services.decide_proposal(psd, proposal_id, agrees=True)
        assert services.decide_proposal(psd, proposal_id, agrees=False)["state"] == "refused"


def test_an_invitation_ends_with_the_access_of_whoever_made_it(
    casebook: Casebook, at: Context
) -> None:
    """Else a leaver sets the password of somebody whom they invited again, and is them."""
    admin, seal = at("admin"), Fernet(Fernet.generate_key())
    leaver = _new(admin, "admin")
    at("finance")
    email = f"finance@{admin.actor.organisation_id}.example"
    tokens = [services.invite(leaver, email)]
    assert services.start_account(casebook, tokens[0], NOW, seal)[0] == email
    tokens.append(services.invite(_by(casebook, _key(leaver, "admin")), email))
    assert services.start_account(casebook, tokens[1], NOW, seal)[0] == email
    services.end_person(admin, EMAIL)
    for token in tokens:
        with pytest.raises(NotAllowed):
            services.start_account(casebook, token, NOW, seal)
    assert services.start_account(casebook, services.invite(admin, email), NOW, seal)[0] == email


def test_an_account_elsewhere_of_somebody_who_left_does_not_open_a_later_persons(
    casebook: Casebook, at: Context
) -> None:
    admin = at("admin")
    _new(admin, "finance")
    bind = {"is_enough": lambda _: True, "browser": "", "held": "", "provider": ProviderSignIn(),
            "seal": MultiFernet([Fernet(Fernet.generate_key())])}  # fmt: skip
    owner = admin.actor.organisation_id
    services.sign_in_with_provider(casebook, owner, identity="iss a", email=EMAIL, now=NOW, **bind)
    services.end_person(admin, EMAIL)
    _new(admin, "finance", now=LATER)
    with pytest.raises(NotAllowed):
        services.sign_in_with_provider(
            casebook, owner, identity="iss a", email="", now=LATER, **bind
        )
    assert services.sign_in_with_provider(
        casebook, owner, identity="iss b", email=EMAIL, now=LATER, **bind
    )


def test_a_key_that_decides_nothing_ends_no_hold_and_no_suppression(
    casebook: Casebook, at: Context, read: Callable[..., tuple[object, object]]
) -> None:
    """Or expired payments could be deleted by whoever has a key for uploads."""
    services.receive(at(), read("october.csv", *month(10), *SPLIT))
    alert_id = services.list_alerts(at())[0]["alert_id"]
    hold = services.place_hold(at(), alert_id, reason="appeal")
    suppression = services.suppress(at(), alert_id, until="2027-03-31", reason="known")
    plain = _by(casebook, services.create_key(at("admin"), name="uploads", role="finance", days=9))
    for act in (
        lambda who: services.end_hold(who, hold),
        lambda who: services.end_suppression(who, suppression["suppression_id"]),
    ):
        with pytest.raises(NotAllowed, match="records no decisions"):
            act(plain)
        act(at())
