"""Suppliers, cardholders and units: what professional standards alone are shown of them."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from books import approved, month

from cardwatch import services
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.registers import read_register

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.services.subject_rows import TimelineRow
    from cardwatch.statements import ReadingChoices

    At = Callable[..., services.ServiceContext]
    Bring = Callable[..., services.RegisterReceipt]

HEADINGS = "Employee No,Department,Date of offer,Donor,Details,Accepted or declined,Registered\n"
LUNCH = "E1,Fleet,05/09/2026,Osprey Joinery Ltd,Lunch for Ann Roe,Accepted,06/09/2026\n"
CUP = "E2,Fleet,07/09/2026,Osprey Joinery Ltd,Cup,Declined,09/09/2026\n"
SIMILAR = "E2,Fleet,08/09/2026,Osprey Kennels,Cup,Declined,09/09/2026\n"
OTHER = "E2,Fleet,08/09/2026,Kittiwake Forge,Cup,Declined,09/09/2026\n"
APPROVAL_HEADINGS = "Payment reference,Approver No,Approved at\n"
BY_E2, BY_E1 = "P1,E2,16/10/2026 09:00\n", "P2,E1,17/10/2026 09:00\n"
APPROVALS = APPROVAL_HEADINGS + BY_E2 + BY_E1
CONTRACT = (
    "Supplier,Contract reference,Start date,Value,Contract manager\n"
    "Osprey Joinery Ltd,C1,01/01/2026,900,Ann Roe\n"
)
INTEREST = (
    "Employee No,Department,Business name,Nature of business,Relationship,Date applied,Decision\n"
    "E1,Fleet,Osprey Joinery Ltd,Joiner (Ann Roe),Ann Roe is a sister,01/02/2026,Approved\n"
)
ASSOCIATION = (
    "Employee No,Department,Organisation,Nature of association,Date declared\n"
    "E1,Fleet,Osprey Joinery Ltd,Married to Ann Roe,01/02/2026\n"
)
PAID = ["2026-10-15,E1,OSPREY JOINERY LTD,420.00,P1", "2026-10-16,E2,OSPREY JOINERY LTD,99.00,P2"]
UNIT = "Date,Employee ID,Merchant,Amount,Reference,Cost Centre\n"


@pytest.fixture
def bring(tmp_path: Path, choices: ReadingChoices) -> Bring:
    """Return a function that uploads some text as a register."""

    def upload(context: services.ServiceContext, text: str, name: str = "gifts.csv") -> Any:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        register = read_register(path, choices)
        return approved(context, lambda by: services.import_register(by, register))

    return upload


@pytest.fixture
def october(at: At, read: Callable[..., Any], bring: Bring) -> services.ServiceContext:
    """Give professional standards with a gifts register, approvals and a month that was scored."""
    bring(at("psd"), HEADINGS + LUNCH + CUP + OTHER)
    bring(at("psd"), APPROVALS, "approvals.csv")
    services.receive(at(), read(*month(10), *PAID))
    return at("psd")


def links_to(context: services.ServiceContext, merchant: str = "OSPREY") -> services.SubjectLinks:
    """Return the links of the newest payment to a merchant."""
    filters = PaymentFilters(text=merchant)
    payment = services.list_payments(context, filters, limit=1)[0]
    return services.subject_links(context, [f"{payment['statement_id']}:{payment['row']}"])


def entries(rows: tuple[TimelineRow, ...], kind: str = "gifts") -> list[TimelineRow]:
    """Return the rows of a timeline that are entries of a register."""
    return [row for row in rows if row.kind == kind]


def as_text(answer: Any) -> str:
    """Return an answer as text, without the ids of register versions."""
    return json.dumps(_without_versions(dataclasses.asdict(answer)), sort_keys=True)


def _without_versions(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_versions(v) for k, v in value.items() if k != "version_id"}
    return [_without_versions(one) for one in value] if isinstance(value, list | tuple) else value


def test_a_supplier_has_payments_approvers_entries_and_alerts_in_one_timeline(
    october: services.ServiceContext,
) -> None:
    supplier = services.get_supplier(october, links_to(october).suppliers[0].id)
    assert (supplier.totals.payments, supplier.totals.pence, supplier.cardholders) == (2, 51_900, 2)
    kinds = {row.kind for row in supplier.timeline.rows}
    assert kinds == {"payment", "gifts", "approvals", "alert"}
    days = [row.on for row in supplier.timeline.rows]
    assert days == sorted(days, reverse=True)
    declined, accepted = entries(supplier.timeline.rows)
    assert (accepted.on, accepted.true_on, accepted.known_on) == (
        "2026-09-05", "2026-09-05", "2026-09-06",
    )  # fmt: skip
    version = services.get_register(october, "gifts").versions[0]
    assert (accepted.version_id, accepted.source) == (version.version_id, "gifts.csv, row 2")
    assert {accepted.match, declined.match} == {"strong"}
    tied = {(r.how, r.count, r.match) for r in supplier.relations}
    assert tied == {("gifts", 1, "strong"), ("paid", 1, ""), ("approved", 1, "")}
    (gifts,) = supplier.registers
    assert (gifts.kind, gifts.entries, gifts.matched) == ("gifts", 3, 2)
    assert "Contracts" in supplier.missing


def test_a_match_that_is_only_possible_says_so_and_nothing_found_is_counted(
    october: services.ServiceContext, bring: Bring
) -> None:
    bring(october, HEADINGS + SIMILAR, "more gifts.csv")
    supplier = services.get_supplier(october, links_to(october).suppliers[0].id)
    assert {row.match for row in entries(supplier.timeline.rows)} == {"strong", "possible"}
    shop = services.get_supplier(october, links_to(october, "SHOP 1").suppliers[0].id)
    assert shop.registers[0].matched == 0
    assert not entries(shop.timeline.rows)


def test_a_cardholder_has_entries_approvals_both_ways_and_alerts(
    october: services.ServiceContext,
) -> None:
    link = next(one for one in links_to(october).cardholders)
    person = services.get_cardholder(october, link.id)
    assert person.cardholder == link
    assert link.name.startswith("Person ")
    assert link.id.upper().startswith(link.name.removeprefix("Person "))
    cup, forge = sorted(entries(person.timeline.rows), key=lambda row: row.on)
    assert (cup.supplier is not None, forge.supplier) == (True, None)
    assert {r.how for r in person.relations} == {"gifts", "paid", "approved-by", "approver-of"}
    assert person.approvals_given == 1
    given = next(r for r in person.timeline.rows if r.text == "Approved a payment of theirs")
    assert (given.amount_pence, given.kind) == (42_000, "approvals")
    assert given.place
    only = services.get_cardholder(october, link.id, kind="registers").timeline
    assert {row.kind for row in only.rows} == {"gifts"}


def test_names_and_free_text_are_hidden_until_a_reason_is_given(
    october: services.ServiceContext,
) -> None:
    alert = next(
        one
        for one in services.list_alerts(october, services.AlertFilter(lane="psd"))
        if one["rule"].startswith("gift-")
    )
    links = services.subject_links(october, [alert["alert_id"]])
    pages = (services.get_cardholder, services.get_supplier)
    ids = (links.cardholders[0].id, links.suppliers[0].id)
    for page, one in zip(pages, ids, strict=True):
        text = as_text(page(october, one))
        assert "Ann Roe" not in text
        assert '"E1"' not in text
        assert "Employee No: Person " in text
    services.reveal_identity(october, alert["alert_id"], reason="case 12")
    assert services.get_cardholder(october, ids[0]).cardholder.name == "E1"
    supplier = services.get_supplier(october, ids[1])
    assert "Lunch for Ann Roe" in as_text(supplier)
    assert {r.cardholder.name[:6] for r in supplier.relations if r.cardholder} == {"E1", "Person"}


@pytest.mark.parametrize(
    ("name", "text"),
    [("contracts.csv", CONTRACT), ("interests.csv", INTEREST), ("associations.csv", ASSOCIATION)],
)  # fmt: skip
def test_no_text_of_a_register_names_people_before_a_reason_is_given(
    october: services.ServiceContext, bring: Bring, name: str, text: str
) -> None:
    bring(october, text, name)
    links = links_to(october)
    shown = as_text(services.get_supplier(october, links.suppliers[0].id, kind="registers"))
    assert name.removesuffix(".csv") in shown
    assert "Ann Roe" not in shown


def test_a_unit_is_summed(at: At, bring: Bring, tmp_path: Path, choices: ReadingChoices) -> None:
    from cardwatch.statements import read_each  # noqa: PLC0415

    lines = "".join(f"{one},CC1\n" for one in PAID)
    path = tmp_path / "october.csv"
    path.write_text(UNIT + lines + "2026-10-16,E3,SHOP 1,5.00,P3,CC2\n", encoding="utf-8")
    statement = read_each([path], choices)[0]
    assert isinstance(statement, tuple)
    bring(at("psd"), HEADINGS + LUNCH.replace("Fleet", "CC1"))
    services.receive(at(), statement)
    (link,) = links_to(at("psd")).units
    unit = services.get_unit(at("psd"), link.id)
    assert (unit.unit.name, unit.totals.payments, unit.cardholders_count) == ("CC1", 2, 2)
    (supplier,) = unit.suppliers
    assert (supplier.pence, supplier.entries, supplier.match) == (51_900, {"gifts": 1}, "strong")
    (gifts,) = unit.coverage
    assert (gifts.entries, gifts.silent_units) == (1, ())
    alerts = services.list_alerts(at("psd"), services.AlertFilter(units=("CC1",)))
    assert unit.alerts == {"open": len(alerts)}
    other = services.get_unit(at("psd"), links_to(at("psd"), "SHOP 1").units[0].id)
    assert other.coverage[0].silent_units == ("CC2",)


def test_a_timeline_is_given_a_page_at_a_time(at: At, read: Callable[..., Any]) -> None:
    lines = [f"2026-10-{1 + n % 27:02},E{n % 4},SHOP 1,{10 + n}.50,R{n}" for n in range(120)]
    services.receive(at(), read(*lines), is_history=True)
    supplier_id = links_to(at("psd"), "SHOP 1").suppliers[0].id
    pages = [services.get_supplier(at("psd"), supplier_id, page=n).timeline for n in (1, 2, 3, 4)]
    assert [len(page.rows) for page in pages] == [50, 50, 20, 20], "past the end is the last page"
    assert {(page.total, page.pages) for page in pages} == {(120, 3)}
    places = [row.place for page in pages for row in page.rows]
    assert len(set(places)) == 120
    with pytest.raises(CardwatchError):
        services.get_supplier(at("psd"), supplier_id, kind="gifts")


def test_only_professional_standards_look_and_each_look_is_an_event(
    at: At, october: services.ServiceContext
) -> None:
    links = links_to(october)
    pages = (
        (services.get_supplier, links.suppliers[0].id, "supplier"),
        (services.get_cardholder, links.cardholders[0].id, "cardholder"),
        (services.get_unit, "000000000000", "unit"),
    )
    for page, one, kind in pages:
        for role in ("finance", "auditor", "admin"):
            with pytest.raises(NotAllowed):
                page(at(role), one)
        with pytest.raises(NotFound):
            page(october, "000000000000")
        events = services.audit_events(october, lane="psd", last=99, object=kind)
        assert [(e["id"], e["outcome"]) for e in events] == [("", "not-found")]
        if kind != "unit":
            page(october, one)
            events = services.audit_events(october, lane="psd", last=99, object=kind)
            assert sorted(e["id"] for e in events) == ["", one]
    with pytest.raises(NotAllowed):
        services.subject_links(at(), ["000000000000"])
    assert not services.audit_events(at(), lane="finance", last=99, object="supplier", id="x")


def test_nobody_is_shown_what_registers_say_of_themselves(
    at: At, read: Callable[..., Any], bring: Bring
) -> None:
    """The worlds before and after a register names the reader give them the same pages."""
    psd = at("psd")
    actor = dataclasses.replace(psd.actor, actor_id="another", holder_id="E1")
    reader = dataclasses.replace(psd, actor=actor)
    bring(psd, HEADINGS + CUP)
    bring(psd, APPROVAL_HEADINGS + BY_E2.replace("P1", "P9"), "approvals.csv")
    services.receive(at(), read(*month(10), *PAID))
    supplier_id = links_to(psd).suppliers[0].id
    relations = services.get_supplier(psd, supplier_id).relations
    ids = {r.pence: r.cardholder.id for r in relations if r.cardholder}

    third = links_to(psd, "R103").cardholders[0].id  # the reader is to approve their payment

    def pages() -> list[str]:
        supplier = services.get_supplier(reader, supplier_id)
        others = (services.get_cardholder(reader, one) for one in (ids[9_900], third))
        return [as_text(supplier), *map(as_text, others)]

    before = pages()
    bring(psd, HEADINGS + LUNCH, "own.csv")
    bring(psd, APPROVAL_HEADINGS + BY_E1.replace("P2", "R103"), "more approvals.csv")
    services.check_registers_now(psd)
    alerts = services.list_alerts(psd, services.AlertFilter(people=("e1",), lane="psd"))
    assert any(one["rule"].startswith("gift-") for one in alerts)
    after = pages()
    assert not re.search(r"\bE1\b", after[0])
    assert after == before
    assert as_text(services.get_supplier(psd, supplier_id)) != after[0]
    assert services.get_cardholder(psd, ids[42_000]).totals.payments
    with pytest.raises(NotFound):
        services.get_cardholder(reader, ids[42_000])
