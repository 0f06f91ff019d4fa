"""What needs two people: whoever tries to do it alone, as two, or again, does not."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from books import EQUAL, KEY, NOW, SPLIT, approved, month, needs_pdf, second_person
from cryptography.fernet import Fernet

from cardwatch import services
from cardwatch.casebook import PSD, AuditEvent, tables
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.cases import CaseUpdate
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import Conflict, NotAllowed, NotFound, SecondPersonNeeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.services import ServiceContext

    Context = Callable[..., ServiceContext]
    Act = Callable[[ServiceContext], Any]

PASSWORD = "orchard gravel violin seven"  # noqa: S105  of nobody


@pytest.fixture
def force(at: Context, read: Callable[..., Any]) -> Context:
    """A force with alerts in both lanes."""
    services.receive(at(), read("october.csv", *month(10), *SPLIT, *EQUAL))
    return at


def _later(context: ServiceContext, **by: float) -> ServiceContext:
    return replace(context, now=context.now + dt.timedelta(**by))


def _alerts(force: Context, lane: str = PSD) -> list[str]:
    return [
        row["alert_id"] for row in services.list_alerts(force(PSD), services.AlertFilter(lane=lane))
    ]


def _export(recipient: str = "Counsel", **wanted: Any) -> Act:
    request = services.ExportRequest("misconduct", recipient, "OFFICIAL", KEY, **wanted)
    return lambda context: services.export_alerts(context, request, ".csv")


def _act(force: Context, name: str) -> tuple[ServiceContext, Act]:
    """Return an act that needs two people, and who does it."""
    psd, admin = force(PSD), force("admin")
    statement = services.list_statements(psd)[0]["statement_id"]
    if name == "names":
        alert_ids = (*_alerts(force), *_alerts(force, "finance"))
        case = services.open_case(psd, services.NewCase("a case", "so", alert_ids))["case_id"]
        return psd, lambda one: services.reveal_case(one, case, reason="interview")
    if name == "end":
        new = services.list_people(second_person(psd, 7))[-1]["person_id"]
        return psd, lambda one: services.end_person(one, new)
    if name == "cardholder":
        new = services.list_people(second_person(psd, 7))[-1]["person_id"]
        return psd, lambda one: services.set_link(one, new, holder_id="E1")
    new = {"name": "x", "email": "x@x.example", "role": PSD, "holds_no_card": True}
    return {
        "list": (psd, _export(statement_id=statement, lane=PSD)),
        "list of finance": (psd, _export(statement_id=statement, lane="finance")),
        "alerts": (psd, _export(alert_ids=tuple(_alerts(force)))),
        "add": (psd, lambda one: services.add_person(one, **new)),
        "retention": (admin, lambda one: services.retention_periods(one, kind="alerts", days=900)),
        "erasure": (_later(admin, days=3_000), services.erase),
    }[name]


ACTS = ("list", "list of finance", "alerts", "names", "add", "end", "cardholder", "retention",
        "erasure")  # fmt: skip


def _asked(context: ServiceContext, act: Act) -> str:
    with pytest.raises(SecondPersonNeeded) as needed:
        act(context)
    return needed.value.approval_id


def _by_key(context: ServiceContext) -> ServiceContext:
    role = context.actor.role
    key = services.create_key(context, name="k", role=role, days=9, can_decide=True)
    return replace(context, actor=services.actor_of_key(context.casebook, key, context.now))


@pytest.mark.parametrize("name", ACTS)
def test_what_needs_two_people_is_done_once_after_another_has_approved_it(
    force: Context, name: str
) -> None:
    person, act = _act(force, name)
    request = _asked(person, act)
    assert _asked(person, act) == request, "the same again is the same request"
    for own in (person, _by_key(person)):
        with pytest.raises(NotAllowed):
            services.decide_approval(own, request, agrees=True)
    assert _asked(person, act) == request
    assert services.decide_approval(second_person(person), request, agrees=True)["used_at"] is None
    act(person)
    assert services.get_approval(person, request)["state"] == "used"
    if name not in {"add", "end", "retention"}:  # there it stays done
        assert _asked(person, act) != request


def test_an_approval_is_of_one_act_of_one_person_alone(force: Context) -> None:
    psd, other = force(PSD), second_person(force(PSD))
    statement = services.list_statements(psd)[0]["statement_id"]
    act = _export(statement_id=statement, lane=PSD)
    request = _asked(psd, act)
    services.decide_approval(other, request, agrees=True)
    for changed in (
        _export("Somebody else", statement_id=statement, lane=PSD),
        _export(statement_id=statement, lane="finance"),
        _export(alert_ids=tuple(_alerts(force))),
    ):
        assert _asked(psd, changed) != request
    assert _asked(other, act) != request
    assert _asked(second_person(psd, 3), act) != request
    act(psd)


def test_a_case_that_has_changed_since_is_approved_again(force: Context) -> None:
    psd = force(PSD)
    (first, *_), (other, *_) = _alerts(force, "finance"), _alerts(force)
    case_id = services.open_case(psd, services.NewCase("a case", "so", (first, other)))["case_id"]

    def show(person: ServiceContext) -> None:
        services.reveal_case(person, case_id, reason="interview")

    request = _asked(psd, show)
    services.decide_approval(second_person(psd), request, agrees=True)
    services.remove_case_alert(psd, case_id, first, reason="so")
    services.add_case_alert(psd, case_id, first, reason="so")
    show(psd)
    services.remove_case_alert(psd, case_id, first, reason="so")
    services.reveal_case(psd, case_id, reason="of one alert")


@needs_pdf
def test_a_pack_is_sent_as_it_was_agreed_to(force: Context) -> None:
    psd = force(PSD)
    case_id = services.open_case(psd, services.NewCase("a case", "so", (_alerts(force)[0],)))[
        "case_id"
    ]
    services.reveal_case(psd, case_id, reason="so")
    wanted = services.ExportRequest("misconduct", "Counsel", "OFFICIAL", KEY)

    def share(person: ServiceContext) -> object:
        return services.export_case(person, case_id, wanted)

    alert_id, other = _alerts(force)[0], _alerts(force, "finance")[0]

    def add_alert() -> None:
        services.add_case_alert(psd, case_id, other, reason="so")
        approved(psd, lambda one: services.reveal_case(one, case_id, reason="so"))

    update = CaseUpdate("so", title="Another title")
    changes: list[Callable[[], object]] = [
        lambda: services.attach_file(psd, case_id, "a.txt", b"x"),
        lambda: services.add_case_note(psd, case_id, "Phoned the shop"),
        lambda: services.change_case(psd, case_id, update),
        lambda: services.decide(psd, alert_id, DecisionInput("so", state="asked")),
        lambda: services.decide(psd, alert_id, DecisionInput("a note alone")),
        add_alert,
    ]
    for change in changes:
        request = _asked(psd, share)
        services.decide_approval(second_person(psd), request, agrees=True)
        change()
        assert _asked(psd, share) != request
    request = _asked(psd, share)
    reader = second_person(psd, 3)
    approved(reader, lambda one: services.reveal_case(one, case_id, reason="to approve"))
    assert _asked(psd, share) == request, "who has seen the names is no part of it"
    assert approved(psd, share)


def test_alerts_are_sent_as_they_were_agreed_to(force: Context) -> None:
    psd, alert_id = force(PSD), _alerts(force)[0]
    share = _export(alert_ids=(alert_id,))
    request = _asked(psd, share)
    services.decide_approval(second_person(psd), request, agrees=True)
    services.decide(psd, alert_id, DecisionInput("a note that nobody else has read"))
    assert _asked(psd, share) != request


def test_nobody_of_professional_standards_is_uncoupled_from_their_alerts_by_one_person(
    force: Context,
) -> None:
    """Nor by two, of whom one is that person: then whoever runs the installation does it."""
    psd, other = force(PSD), second_person(force(PSD))

    def uncouple(person: ServiceContext) -> None:
        services.set_link(person, other.actor.actor_id, holds_no_card=True)

    request = _asked(psd, uncouple)
    with pytest.raises(NotAllowed):
        services.decide_approval(psd, request, agrees=True)
    for ask in (
        lambda: services.decide_approval(other, request, agrees=True),
        lambda: services.get_approval(_by_key(other), request),
    ):
        with pytest.raises(NotFound):
            ask()
    assert services.list_approvals(other) == services.list_approvals(_by_key(other)) == []
    uncouple(force(SYSTEM))
    third = second_person(psd, 3)
    with pytest.raises(NotAllowed):
        uncouple(force(SYSTEM))
    services.decide_approval(third, request, agrees=True)
    uncouple(psd)


def test_a_request_expires_whether_it_was_approved_or_not(force: Context) -> None:
    psd, act = _act(force, "list")
    other, request = second_person(psd), _asked(psd, act)
    with pytest.raises(Conflict, match="expired"):
        services.decide_approval(_later(other, days=7), request, agrees=True)
    services.decide_approval(_later(other, days=7, seconds=-1), request, agrees=True)
    assert _asked(_later(psd, days=7), act) != request
    act(_later(psd, days=7, seconds=-1))


def test_nobody_asks_or_approves_what_is_about_them(force: Context) -> None:
    psd, leaver = force(PSD), second_person(force(PSD))

    def end(person: ServiceContext) -> None:
        services.end_person(person, leaver.actor.actor_id)

    with pytest.raises(NotAllowed, match="about you"):
        end(leaver)
    with pytest.raises(NotAllowed):
        end(_by_key(leaver))
    request = _asked(psd, end)
    for own in (leaver, _by_key(leaver)):
        for agrees in (True, False):
            with pytest.raises(NotFound):
                services.decide_approval(own, request, agrees=agrees)
    services.decide_approval(second_person(psd, 3), request, agrees=True)
    end(psd)


@pytest.mark.parametrize("name", ["list", "alerts", "names"])
def test_whom_an_alert_is_about_is_not_told_that_its_export_waits(
    force: Context, name: str
) -> None:
    psd, act = _act(force, name)
    request = _asked(psd, act)
    subject = second_person(psd)
    subject = replace(subject, actor=replace(subject.actor, holder_id="E1"))
    assert services.list_approvals(subject) == []
    for ask in (
        lambda: services.get_approval(subject, request),
        lambda: services.decide_approval(subject, request, agrees=True),
    ):
        with pytest.raises(NotFound, match="There is no request"):
            ask()
    assert services.show_home(subject).approvals == []
    assert len(services.show_home(second_person(psd, 3)).approvals) == 1


def _join(context: ServiceContext, giver: ServiceContext, number: int) -> ServiceContext:
    """Add a person of the giver's role, whom the giver invites, and let them take their account."""
    person = second_person(context, number)
    seal = Fernet(Fernet.generate_key())
    token = services.invite(giver, person.actor.actor_id)
    secret = services.start_account(giver.casebook, token, giver.now, seal)[1]
    code = pyotp.TOTP(secret).at(giver.now)
    services.activate_account(
        giver.casebook, token, password=PASSWORD, code=code, now=giver.now, seal=seal
    )
    return person


@pytest.mark.parametrize("role", ["admin", PSD])
def test_somebody_whom_the_asker_let_in_is_no_second_person(force: Context, role: str) -> None:
    asker, act = _act(force, "retention" if role == "admin" else "add")
    puppet = _join(asker, asker, 2)
    puppet_of_puppet = _join(asker, puppet, 3)
    by_key = _join(asker, _by_key(asker), 4)
    request = _asked(asker, act)
    for puppet_context in (puppet, puppet_of_puppet, by_key):
        with pytest.raises(NotAllowed, match="invited"):
            services.decide_approval(puppet_context, request, agrees=True)
    theirs = _asked(puppet, act)
    for other in (asker, puppet_of_puppet, by_key):
        with pytest.raises(NotAllowed, match="invited"):
            services.decide_approval(other, theirs, agrees=True)
    _end(puppet)
    with pytest.raises(NotAllowed, match="invited"):
        services.decide_approval(puppet_of_puppet, request, agrees=True)


def test_whom_one_has_invited_agrees_to_no_proposal_and_confirms_no_correction(
    force: Context, read: Callable[..., Any]
) -> None:
    asker, bystander = force(PSD), second_person(force(PSD), 9)
    puppet = _join(asker, asker, 2)
    other_puppet = _join(asker, puppet, 3)
    policy = services.pack_policy("alerts_per_1000 = 10\n", "policy.toml")
    for one, other in ((asker, puppet), (puppet, asker), (puppet, _by_key(other_puppet))):
        made = services.propose(one, "policy", policy, effective_from="", reason="so")
        with pytest.raises(NotAllowed, match="invited"):
            services.decide_proposal(other, made["proposal_id"], agrees=True)
    services.decide_proposal(puppet, made["proposal_id"], agrees=False)
    statement_id = services.list_statements(asker)[0]["statement_id"]
    corrected = read("october.csv", *month(10), *EQUAL)
    for one in (asker, puppet, other_puppet):
        receipt = services.receive(one, corrected, corrects=statement_id)
        assert receipt.outcome == "second-person"
    assert services.receive(bystander, corrected, corrects=statement_id).outcome == "received"


def test_who_was_invited_a_month_ago_or_by_the_command_is_independent(force: Context) -> None:
    admin, act = _act(force, "retention")
    old, operators = _join(admin, admin, 2), _join(admin, force(SYSTEM), 3)
    request = _asked(admin, act)
    services.decide_approval(operators, request, agrees=True)
    act(admin)
    for by, is_allowed in (({"days": 30}, False), ({"days": 30, "seconds": 1}, True)):
        later = _later(admin, **by)
        request = _asked(
            later, lambda one: services.retention_periods(one, kind="alerts", days=850)
        )
        if is_allowed:
            services.decide_approval(_later(old, **by), request, agrees=True)
        else:
            with pytest.raises(NotAllowed, match="invited"):
                services.decide_approval(_later(old, **by), request, agrees=True)


def test_other_roles_and_the_other_lane_know_nothing_of_a_request(force: Context) -> None:
    psd_request, admin_request = _asked(*_act(force, "list")), _asked(*_act(force, "retention"))
    for role in ("finance", "auditor"):
        with pytest.raises(NotAllowed):
            services.list_approvals(force(role))
        with pytest.raises(NotAllowed):
            services.decide_approval(force(role), admin_request, agrees=True)
    for role, theirs, others in (
        ("admin", admin_request, psd_request),
        (PSD, psd_request, admin_request),
    ):
        assert [row["approval_id"] for row in services.list_approvals(force(role))] == [theirs]
        with pytest.raises(NotFound):
            services.decide_approval(second_person(force(role)), others, agrees=True)
    events = services.audit_events(force("auditor"), lane="finance", last=10**6)
    assert psd_request not in str(events)
    assert ("approval", "asked") in {(row["object"], row["outcome"]) for row in events}


def test_a_request_and_an_approval_end_with_the_access_of_whoever_made_them(
    force: Context,
) -> None:
    psd, act = _act(force, "list")
    approver, third = second_person(psd), second_person(psd, 3)
    request = _asked(psd, act)
    services.decide_approval(approver, request, agrees=True)
    _end(approver)
    assert _asked(psd, act) != request, "whoever approved it has left"
    of_leaver = _asked(third, act)
    _end(third)
    with pytest.raises(NotAllowed, match="no longer has access"):
        services.decide_approval(psd, of_leaver, agrees=True)


def _end(context: ServiceContext) -> None:
    """End somebody's access and account, as professional standards do with two people."""
    actor = context.actor
    with context.casebook.work(actor, AuditEvent("access", "person"), NOW, lanes=()) as uow:
        this = tables.people.c.person_id == actor.actor_id
        uow.update(tables.people, this, {"ended_at": uow.now})
        uow.delete(tables.accounts, tables.accounts.c.person_id == actor.actor_id)


def test_a_key_that_no_person_made_does_nothing_that_needs_two(force: Context) -> None:
    key = services.create_key(force(SYSTEM), name="k", role="admin", days=9, can_decide=True)
    by_key = replace(force("admin"), actor=services.actor_of_key(force().casebook, key, NOW))
    with pytest.raises(NotAllowed, match="No person answers for this key"):
        services.retention_periods(by_key, kind="alerts", days=900)
    request = _asked(*_act(force, "retention"))
    with pytest.raises(NotAllowed, match="No person answers for this key"):
        services.decide_approval(by_key, request, agrees=True)


def test_whoever_runs_the_installation_acts_where_nobody_could_approve(force: Context) -> None:
    itself = force(SYSTEM)
    force(PSD)
    services.retention_periods(itself, kind="alerts", days=900)
    services.erase(itself)
    services.add_person(itself, name="x", email="x@x.example", role=PSD, holds_no_card=True)
    services.end_person(itself, "x@x.example")
    actors = {event["actor"] for event in services.audit_events(force(PSD), lane=PSD, last=3)}
    assert SYSTEM in actors


def test_a_rejected_request_is_made_anew_and_a_withdrawn_one_is_decided(force: Context) -> None:
    psd, act = _act(force, "list")
    other, request = second_person(psd), _asked(psd, act)
    assert services.decide_approval(other, request, agrees=False)["state"] == "refused"
    with pytest.raises(Conflict, match="already been decided"):
        services.decide_approval(other, request, agrees=True)
    again = _asked(psd, act)
    assert again != request
    services.decide_approval(psd, again, agrees=False)
    with pytest.raises(Conflict):
        services.decide_approval(other, again, agrees=True)


def test_one_approval_is_used_once_by_whoever_asks_at_the_same_moment(force: Context) -> None:
    psd, act = _act(force, "list")
    services.decide_approval(second_person(psd), _asked(psd, act), agrees=True)

    def use(_: int) -> bool:
        try:
            act(psd)
        except SecondPersonNeeded:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(4))) == 1
    states = [row["state"] for row in services.list_approvals(psd)]
    assert states.count("used") == 1
    assert "agreed" not in states
    assert [check.fault for check in services.verify_audit(psd)] == ["", ""]
