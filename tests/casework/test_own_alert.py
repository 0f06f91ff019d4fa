"""Somebody who holds a card learns nothing of an alert about themselves, whatever they ask."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import sqlalchemy as sa
from books import EQUAL, NOW, SPLIT, activate_cards, approved, crowd, export_alerts, month

from cardwatch import services
from cardwatch.alerts import without_alerts
from cardwatch.casebook import LANES, AuditEvent, card_approvers, tables
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.alert_store import alert_text, list_text
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.own_keys import hidden_keys, keep_names, keep_names_anew, own_keys
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.casebook.tables import (
    alert_lists,
    alert_snapshots,
    alert_subjects,
    alert_transactions,
    alerts,
    decisions,
    legal_holds,
)
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound
from cardwatch.registers import (
    is_written_like,
    key_letters,
    person_key,
    persons,
    read_cards,
    read_register,
)
from cardwatch.services.back_tests import back_test
from cardwatch.services.queries import Query
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardwatch.casebook import UnitOfWork
    from cardwatch.services import ServiceContext
    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

WITH_ALERTS = (alert_snapshots, alerts, alert_transactions, alert_subjects, decisions, legal_holds)


def _subject(at: Context) -> services.ServiceContext:
    return at(person="subject", holder_id="E1")


def _hidden(at: Context, subject: services.ServiceContext) -> str:
    """Return the alert about the subject."""
    seen = {one["alert_id"] for one in services.list_alerts(subject)}
    (hidden,) = (
        one["alert_id"] for one in services.list_alerts(at()) if one["alert_id"] not in seen
    )
    return str(hidden)


def _answers(subject: services.ServiceContext, statement_id: str, hidden: str) -> list[Any]:
    """Return what the subject is answered, whatever they ask."""
    shown = [one["alert_id"] for one in services.list_alerts(subject)]
    found: list[Any] = [
        ask(subject)
        for ask in (services.list_alerts, services.rule_precision, services.state_counts,
                    services.inbox_summary, services.list_holds,
                    services.list_suppressions, services.list_statements)
    ]  # fmt: skip
    found += [export_alerts(subject, statement_id, form) for form in (".csv", ".json")]
    found.append(export_alerts(subject, alert_ids=(shown[-1],))[1])
    found += [services.get_alert(subject, name) for name in shown]
    found.append(
        services.draw_sample(subject, services.SampleRequest(statement_id=statement_id, count=3))
    )
    for ask_one in (services.get_alert, services.get_history):
        with pytest.raises(NotFound) as refusal:
            ask_one(subject, hidden)
        found.append(str(refusal.value))
    return found


def _forget(at: Context, statement_id: str, hidden: str) -> None:
    """Make the casebook one in which an alert was never raised."""
    system = at("cardwatch")
    event = AuditEvent("erasure", "alert")
    with system.casebook.work(system.actor, event, system.now, lanes=LANES) as uow:
        left = without_alerts(kept.read_list(uow, "finance", statement_id), {hidden})
        uow.update(alert_lists, alert_lists.c.lane == "finance", {"content": list_text(left)})
        for table in WITH_ALERTS:
            uow.delete(table, table.c.alert_id == hidden)
        of_list = (alert_snapshots.c.lane == "finance") & (alert_snapshots.c.rank > 0)
        uow.delete(alert_snapshots, of_list)
        owned = {"lane": "finance", "statement_id": statement_id, "list_seq": 0}
        for one in left.alerts:
            row = {"alert_id": one.alert_id, "rank": one.rank, "content": alert_text(one)}
            uow.insert(alert_snapshots, [owned | row])


def test_worlds_with_and_without_an_alert_about_the_reader_are_the_same_to_them(
    at: Context, read: Read
) -> None:
    received = services.receive(at(), read(*month(10), *SPLIT, *EQUAL, *crowd(3)))
    subject = _subject(at)
    hidden = _hidden(at, subject)
    services.decide(at(), hidden, DecisionInput("seen the receipts", "asked"))
    services.place_hold(at(), hidden, reason="case")
    export_alerts(at(), alert_ids=(hidden,))
    with_alert = _answers(subject, received.statement_id, hidden)
    _forget(at, received.statement_id, hidden)
    without = _answers(subject, received.statement_id, hidden)
    for one, other in zip(with_alert, without, strict=True):
        assert one == other


def test_ranks_and_counts_have_no_gap_where_an_alert_about_the_reader_is(
    at: Context, read: Read
) -> None:
    received = services.receive(at(), read(*month(10), *SPLIT, *EQUAL, *crowd(3)))
    subject = _subject(at)
    whole = json.loads(export_alerts(at(), received.statement_id)[0])["lists"]["finance"]
    shown = json.loads(export_alerts(subject, received.statement_id)[0])["lists"]["finance"]
    count = len(whole["alerts"])
    assert [one["rank"] for one in shown["alerts"]] == list(range(1, count))
    ranks = {services.get_alert(subject, one["alert_id"])["raised"].rank for one in shown["alerts"]}
    assert ranks == set(range(1, count))
    assert any(f"{count} alerts" in note for note in whole["notes"])
    assert not any(f"{count} alerts" in note for note in shown["notes"])
    assert any(f"{count - 1} alerts" in note for note in shown["notes"])


def test_an_order_by_answers_tells_nothing_of_an_answer_about_a_reader(
    at: Context, read: Read
) -> None:
    """Somebody who saw 20 answers of a rule, and its rate by 21, knew of one about themselves."""
    text = "alerts_at_least = 100\n"
    services.activate_document(at(), "policy", services.pack_policy(text, "p.toml"), "2026-01-01")
    lines = [
        f"2026-10-{1 + n:02},E{n},{chr(65 + n) * 5} WORKS,{pounds}.00,X{n}{pounds}"
        for n in range(25)
        for pounds in (900, 950)
    ]
    services.receive(at(), read(*month(10), *lines))
    subject = at(person="subject", holder_id="E20")
    hidden = _hidden(at, subject)
    of_rule = [a for a in services.list_alerts(at()) if a["rule"] == "split-usual"]
    others = [a for a in of_rule if a["band"] == "more usual" and a["alert_id"] != hidden][:20]
    assert len(others) == 20
    assert hidden in {a["alert_id"] for a in of_rule if a["band"] == "more usual"}
    seen = []
    for state in ("explained", "policy-breach", "open"):
        services.decide(at(), hidden, DecisionInput("so", state))
        for number, alert in enumerate(others):
            answer = "explained" if number < 17 else "policy-breach"  # 4 of 27 is near a step
            services.decide(at(), alert["alert_id"], DecisionInput("so", answer))
        proposal = services.propose(at(), "order-by-answers", None, effective_from="", reason="so")
        told = services.get_proposal(subject, proposal["proposal_id"])
        for person in (subject, at()):
            order = services.alert_orders(person)["finance"]
            seen.append((told["sha256"], told["changes"], order["by_answers"]))
    assert all(one == seen[0] for one in seen)


def test_what_was_raised_by_hand_tells_nothing_of_an_alert_about_the_reader(
    at: Context, read: Read
) -> None:
    """It has no rank and is counted nowhere, whatever is hidden beside it."""
    received = services.receive(at(), read(*month(10), *SPLIT, *EQUAL, *crowd(3)))
    subject = _subject(at)
    hidden = _hidden(at, subject)
    payments = services.list_payments(at(), PaymentFilters(), limit=200)
    place = next((row["statement_id"], row["row"]) for row in payments if row["holder"] == "E2")
    by_hand = services.raise_by_hand(at(), [place], question="What for?")
    shown = tuple(one["alert_id"] for one in services.list_alerts(subject))
    assert by_hand in shown
    told = []
    for is_hidden in (True, False):
        if not is_hidden:
            _forget(at, received.statement_id, hidden)
        content = json.loads(export_alerts(subject, alert_ids=shown)[0])
        (alert_list,) = content["lists"].values()
        ranks = {alert["alert_id"]: alert["rank"] for alert in alert_list["alerts"]}
        told.append((ranks, alert_list["notes"]))
    assert told[0] == told[1]
    assert sorted(told[0][0].values()) == list(range(len(shown)))
    assert told[0][0][by_hand] == 0


def test_the_chain_tells_a_reader_who_holds_a_card_of_their_own_acts_alone(
    at: Context, read: Read
) -> None:
    services.receive(at(), read(*month(10), *SPLIT))
    subject = _subject(at)
    hidden = services.list_alerts(at())[0]["alert_id"]
    services.decide(at(), hidden, DecisionInput("seen", "asked"))
    services.receive(subject, read(*month(11)))
    services.list_alerts(subject)
    told = services.audit_events(subject, lane="finance", last=100)
    assert {one["actor"] for one in told} == {subject.actor.actor_id}
    assert [one["seq"] for one in told] == list(range(len(told), 0, -1))
    assert not any({"counts", "sealed"} & one.keys() for one in told)
    assert hidden not in json.dumps(told)
    assert services.count_audit_events(subject, lane="finance", before=3) == (2, 2)
    assert told[-2:] == services.audit_events(subject, lane="finance", last=2, before=3)
    with pytest.raises(NotAllowed, match="holds no card"):
        services.verify_audit(subject)
    assert [one.fault for one in services.verify_audit(at("auditor"))] == [""]


@pytest.mark.parametrize("role", ["finance", "psd"])
def test_who_decides_is_a_cardholder_or_stated_to_hold_no_card(at: Context, role: str) -> None:
    giver = at("psd" if role == "psd" else "admin")
    given = {"name": "New", "email": "new@x.example", "role": role}
    for link in ({}, {"holder_id": "E1", "holds_no_card": True}):
        with pytest.raises(CardwatchError, match="hold no card") as refusal:
            services.add_person(giver, **given, **link)
        assert refusal.value.field == "holder_id"
    approved(giver, lambda one: services.add_person(one, **given, holds_no_card=True))
    approved(giver, lambda one: services.set_link(one, "new@x.example", holder_id="E1"))
    (found,) = (one for one in services.list_people(giver) if one["email"] == "new@x.example")
    assert (found["holder_id"], found["holds_no_card"]) == ("E1", 0)


@pytest.mark.each_database
@pytest.mark.parametrize(
    ("printed", "is_like"),
    [
        ("Name Baker", True),
        ("BAKER, NAME B", True),
        ("Baker/N", True),
        ("N B Baker", True),
        ("NAME QUINTUS BAKER", True),
        ("MR NAME BAKER", True),
        ("Nora Baker", False),
        ("Name Bakerson", False),
        ("Baker", False),
    ],
)
def test_who_is_stated_to_hold_no_card_and_is_named_like_a_cardholder_is_marked(
    at: Context, tmp_path: Path, choices: ReadingChoices, printed: str, *, is_like: bool
) -> None:
    """Or they would see alerts about themselves, until somebody notices."""
    admin = at("admin")
    given = {"name": "Name Baker", "email": "desk@x.example", "role": "finance"}
    services.add_person(admin, **given, holds_no_card=True)
    more = given | {"name": "Desk", "email": "name.baker@x.example"}
    services.add_person(admin, **more, holds_no_card=True)

    def marked() -> set[str]:
        return {one["email"] for one in services.list_people(admin) if one["is_like_cardholder"]}

    assert marked() == set()
    path = tmp_path / "october.csv"
    rows = [f'2026-10-0{day},"{printed}",SHOP,{day}.00' for day in range(1, 9)]
    path.write_text("\n".join(["Date,Cardholder,Merchant,Amount", *rows, ""]), encoding="utf-8")
    (read,) = read_each([path], choices)
    assert isinstance(read, tuple), read
    services.receive(at(), read)
    assert marked() == ({given["email"], more["email"]} if is_like else set())
    services.set_link(admin, more["email"], holder_id=printed)
    assert more["email"] not in marked()


@pytest.mark.parametrize("printed", ["DE LA CRUZ M", "De La Cruz/Maria", "MARIA DE LA CRUZ"])
def test_a_surname_of_several_words_is_found(printed: str) -> None:
    cardholders = {key_letters(person_key(printed))}
    assert is_written_like(cardholders, "Maria de la Cruz")
    assert not is_written_like(cardholders, "Olga de la Cruz")


def test_each_of_thousands_of_cardholders_is_looked_at_by_their_surname_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page of people took twenty seconds for hundreds, when each was taken apart for each."""
    calls: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., Any]:
        whole = getattr(persons, name)

        def call(*given: str) -> Any:
            calls[name] += 1
            return whole(*given)

        return call

    cardholders = {key_letters(person_key(f"Surname{n:04} Ann")) for n in range(5_000)}
    for name in ("key_letters", "_is_given_like"):
        monkeypatch.setattr(persons, name, counted(name))
    assert not any(is_written_like(cardholders, f"Bob Surname{n:04}") for n in range(200))
    assert calls["key_letters"] == 2 * 200, "the words of each person"
    assert calls["_is_given_like"] <= 2 * 200, "cardholders whose letters begin or end so"


@pytest.mark.parametrize("names", ["Baker N,E5", "E1,Baker N"])
def test_who_is_in_the_card_register_alone_is_compared_too(
    at: Context, tmp_path: Path, choices: ReadingChoices, names: str
) -> None:
    text = f"employee_id,approver_id,card_number,single_limit\n{names},1111,500\n"
    activate_cards(at(), tmp_path, choices, text)
    given = {"name": "Name Baker", "email": "desk@x.example", "role": "finance"}
    services.add_person(at("admin"), **given, holds_no_card=True)
    (row,) = (one for one in services.list_people(at("admin")) if one["email"] == given["email"])
    assert row["is_like_cardholder"]


def test_nobody_sets_who_they_are_themselves(at: Context) -> None:
    with pytest.raises(NotAllowed):
        services.set_link(at("psd"), at("psd").actor.actor_id, holds_no_card=True)
    with pytest.raises(NotAllowed):
        services.set_link(at(), at().actor.actor_id, holds_no_card=True)


def test_a_cardholder_is_chosen_from_the_register_in_force(
    at: Context, choices: ReadingChoices
) -> None:
    admin = at("admin")
    given = {"name": "New", "email": "new@x.example", "role": "finance"}
    cards = read_cards(Path(__file__).parent / "house-cards.csv", choices)
    services.activate_document(at(), "cards", services.pack_cards(cards), "2026-01-01")
    known = services.list_cardholders(admin)
    with pytest.raises(CardwatchError, match="from the card register"):
        services.add_person(admin, **given, holder_id="nobody of the register")
    services.add_person(admin, **given, holder_id=f" {known[0].upper()} ")
    (found,) = (one for one in services.list_people(admin) if one["email"] == "new@x.example")
    assert found["holder_id"] == known[0]


NAMES = {f"E{number}": f"Name {letter} Baker" for number, letter in enumerate("ABCDEFGHIJ")}


def _read_as(tmp_path: Path, choices: ReadingChoices, headings: str, *lines: str, file: str) -> Any:
    """Read a statement that names cardholders by number, name or both, as its headings say."""
    rows = []
    for line in lines:
        day, holder, *rest = line.split(",")
        cells = {"Employee ID": holder, "Cardholder": NAMES.get(holder, holder)}
        rows.append(",".join([day, *(cells[one] for one in headings.split(",")), *rest]))
    path = tmp_path / file
    whole = f"Date,{headings},Merchant,Amount,Reference"
    path.write_text("\n".join([whole, *rows, ""]), encoding="utf-8")
    (read,) = read_each([path], choices)
    assert isinstance(read, tuple), read
    return read


@pytest.mark.parametrize("holder_id", ["E1", "e 1", "Name B Baker"])
@pytest.mark.parametrize("named", ["Cardholder", "Employee ID"])
@pytest.mark.parametrize("order", ["both first", "both later"])
def test_a_statement_that_names_the_reader_otherwise_shows_them_no_alert_either(
    at: Context, tmp_path: Path, choices: ReadingChoices, holder_id: str, named: str, order: str
) -> None:
    def read(headings: str, *lines: str, file: str) -> Any:
        return _read_as(tmp_path, choices, headings, *lines, file=file)

    both = read("Employee ID,Cardholder", *month(9), file="september.csv")
    one = read(named, *month(10), *SPLIT, *EQUAL, *crowd(3), file="october.csv")
    for statement in (both, one) if order == "both first" else (one, both):
        services.receive(at(), statement)
    subject = at(person="subject", holder_id=holder_id)
    whole = {row["alert_id"]: row["holders"] for row in services.list_alerts(at())}
    hidden = {name for name, holders in whole.items() if holders in (["E1"], [NAMES["E1"]])}
    assert hidden
    assert {row["alert_id"] for row in services.list_alerts(subject)} == whole.keys() - hidden
    for name in hidden:
        with pytest.raises(NotFound):
            services.get_alert(subject, name)
    for row in services.list_payments(subject, PaymentFilters(), limit=100):
        own = row["holder"] in {"E1", NAMES["E1"], f"{NAMES['E1']} (E1)"}
        if own and row["merchant"] == "NEW FIRM":
            assert services.explain_payment(subject, row["statement_id"], row["row"]) == []


@pytest.mark.parametrize(
    ("holder_id", "printed"),
    [
        ("000123", "123"),
        ("123", "00123"),
        ("Ann Baker", "BAKER, ANN"),
        ("Ann Baker", "Baker/Ann"),
        ("MR ANN BAKER", "Baker Ann"),
        ("Baker, Ann", "ann baker"),
    ],
)
def test_a_number_without_its_zeros_or_a_name_the_other_way_round_is_the_readers_own(
    at: Context, read: Read, holder_id: str, printed: str
) -> None:
    """Excel drops the zeros, and each bank prints names in its own order."""
    lines = [line.replace(",E1,", f",{quoted},") for line in [*month(10), *SPLIT, *EQUAL]
             for quoted in [f'"{printed}"']]  # fmt: skip
    services.receive(at(), read(*lines))
    assert any("NEW FIRM" in row["merchants"] for row in services.list_alerts(at()))
    subject = at(person="subject", holder_id=holder_id)
    assert not any("NEW FIRM" in row["merchants"] for row in services.list_alerts(subject))
    other = at(person="other", holder_id="Ann Bakerson" if holder_id > "A" else "1230")
    assert any("NEW FIRM" in row["merchants"] for row in services.list_alerts(other))


CARDS = """employee_id,card_number,single_limit,opened_on,approver_id
E1,************1111,500,2026-01-20,E5
E2,************2222,500,2026-01-20,E5
"""


@pytest.mark.parametrize("reader", ["E1", "E5"])
@pytest.mark.parametrize("named", ["Card Number", "Cardholder"])
def test_the_card_register_says_whose_payment_it_is_whatever_the_statement_calls_them(
    at: Context, tmp_path: Path, choices: ReadingChoices, reader: str, named: str
) -> None:
    activate_cards(at(), tmp_path, choices, CARDS)
    both = _read_as(tmp_path, choices, "Employee ID,Cardholder", *month(9), file="september.csv")
    services.receive(at(), both)
    names = {"E1": "************1111", "E2": "************2222"}
    calls = names if named == "Card Number" else NAMES
    lines = [f"2026-10-{day},{calls['E2']},SHOP,{day}.50,R{day}" for day in range(10, 20)]
    lines += [line.replace(",E1,", f",{calls['E1']},") for line in SPLIT]
    path = tmp_path / "october.csv"
    headings = f"Date,{named},Merchant,Amount,Reference"
    path.write_text("\n".join([headings, *lines, ""]), encoding="utf-8")
    (read,) = read_each([path], choices)
    assert isinstance(read, tuple), read
    services.receive(at(), read)
    subject = at(person="subject", holder_id=reader)
    assert any("NEW FIRM" in row["merchants"] for row in services.list_alerts(at()))
    assert not any("NEW FIRM" in row["merchants"] for row in services.list_alerts(subject))
    own = [
        row
        for row in services.list_payments(subject, PaymentFilters(), limit=100)
        if row["merchant"] == "NEW FIRM"
    ]
    assert own
    for row in own:
        assert services.explain_payment(subject, row["statement_id"], row["row"]) == []


def test_whom_the_reader_approves_is_hidden_in_what_is_scored_for_them_too(
    at: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    """The statement says a name alone, and only one of long ago says whose number it is."""
    activate_cards(at(), tmp_path, choices, CARDS)
    old = [line.replace("2026-09", "2019-09") for line in month(9)]
    both = _read_as(tmp_path, choices, "Employee ID,Cardholder", *old, file="2019.csv")
    services.receive(at(), both, is_history=True)
    read = _read_as(tmp_path, choices, "Cardholder", *month(10), *SPLIT, file="october.csv")
    services.receive(at(), read)
    subject, tried = at(person="subject", holder_id="E5"), b"alerts_per_1000 = 900\n"
    assert any("NEW FIRM" in row["merchants"] for row in services.list_alerts(at()))
    assert not any("NEW FIRM" in row["merchants"] for row in services.list_alerts(subject))
    counts = {}
    for reader in (at(), subject):
        scored = services.score_only(reader, read)
        asked = scored["lists"]["finance"].alerts
        change = back_test(reader, "policy", tried, months=1)["statements"][0]
        (again,) = services.verify_all_independently(reader)
        firings = sum(rule.firings for rule in again.rules)
        before = cast("Any", change)["finance"]["before"]
        counts[reader.actor.actor_id] = len(asked), before, firings
    colleague, own = counts.values()
    assert all(fewer < more for fewer, more in zip(own, colleague, strict=True)), counts
    place = next(
        (row["statement_id"], row["row"])
        for row in services.list_payments(subject, PaymentFilters(), limit=100)
        if row["merchant"] == "NEW FIRM"
    )
    assert services.explain_payment(at(), *place)
    assert services.explain_payment(subject, *place) == []
    with pytest.raises(NotAllowed, match="those you approve"):
        services.raise_by_hand(subject, [place], question="What for?")


def test_whom_the_reader_approves_is_hidden_where_the_people_register_alone_says_their_number(
    at: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    """The card register has an initial, the statement a number."""
    by_initial = CARDS.replace("employee_id", "cardholder").replace("E1,", "A Baker,")
    activate_cards(at(), tmp_path, choices, by_initial)
    names = "Employee No,Name,Start date\nE1,Ann Baker,2020-01-01\nE2,Bob Cole,2020-01-01\n"
    (tmp_path / "people.csv").write_text(names, encoding="utf-8")
    people = read_register(tmp_path / "people.csv", choices, kind="people")
    services.import_register(at("psd"), people)
    read = _read_as(tmp_path, choices, "Employee ID", *month(10), *SPLIT, file="october.csv")
    services.receive(at(), read)
    subject = at("psd", person="subject", holder_id="E5")
    places = [
        (row["statement_id"], row["row"])
        for row in services.list_payments(subject, PaymentFilters(), limit=100)
        if row["merchant"] == "NEW FIRM"
    ]
    assert places
    for place in places:
        assert services.explain_payment(at("psd"), *place)
        assert services.explain_payment(subject, *place) == []
    with pytest.raises(NotAllowed, match="those you approve"):
        services.raise_by_hand(subject, places, question="What for?")


BY_NAME = CARDS.replace("employee_id", "cardholder").replace("E1,", "Ann Baker,")
BY_INITIAL = BY_NAME.replace("Ann Baker", "A Baker")
TWO_CARDS = CARDS.replace("E2,", "E1,************3333,500,2026-01-20,E6\nE2,")
HISTORY = f"""effective_from,{CARDS.splitlines()[0]}
2026-01-20,E1,************1111,500,2026-01-20,E5
2026-10-25,E1,************1111,500,2026-01-20,E6
2026-01-20,E2,************2222,500,2026-01-20,E6
"""


@pytest.mark.parametrize(
    ("role", "person", "cards", "statement", "later"),
    [
        ("psd", "E5", BY_NAME, "Employee ID", False),
        ("psd", "E5", BY_INITIAL, "Employee ID", False),
        ("psd", "E5", BY_INITIAL, "Former name", False),
        ("psd", "A Baker", BY_INITIAL, "Employee ID", False),
        ("finance", "E5", BY_NAME, "Employee ID", True),
        ("finance", "E5", TWO_CARDS, "Employee ID", False),
        ("finance", "E5", HISTORY, "Employee ID", False),
    ],
)
def test_no_alert_about_whom_the_reader_approves_is_shown_however_they_are_named(
    at: Context,
    tmp_path: Path,
    choices: ReadingChoices,
    *,
    role: str,
    person: str,
    cards: str,
    statement: str,
    later: bool,
) -> None:
    """The card register, the statement and the people register each say another name of them."""
    activate_cards(at(), tmp_path, choices, cards)
    people = "Employee No,Name,Former names,Start date\nE1,Ann Baker,Carter,2020-01-01\n"
    people += "E2,Bob Cole,,2020-01-01\nE5,Eve Dale,,2020-01-01\n"
    (tmp_path / "people.csv").write_text(people, encoding="utf-8")
    if role == "psd":
        kept_people = read_register(tmp_path / "people.csv", choices, kind="people")
        services.import_register(at("psd"), kept_people)
    lines, heading = [*month(10), *SPLIT, *EQUAL], statement
    if statement == "Former name":
        lines = [line.replace(",E1,", ",Ann Carter,") for line in lines]
        heading = "Cardholder"
    path = tmp_path / "october.csv"
    headings = f"Date,{heading},Merchant,Amount,Reference"
    path.write_text("\n".join([headings, *lines, ""]), encoding="utf-8")
    (read,) = read_each([path], choices)
    assert isinstance(read, tuple), read
    statement_id = services.receive(at(), read).statement_id
    if later:
        path = tmp_path / "september.csv"
        path.write_text(
            "Date,Employee ID,Cardholder,Merchant,Amount,Reference\n"
            "2026-09-02,E1,Ann Baker,SHOP,9.50,S1\n",
            encoding="utf-8",
        )
        (both,) = read_each([path], choices)
        assert isinstance(both, tuple), both
        services.receive(at(), both, is_history=True)
    subject, colleague = at(role, person="subject", holder_id=person), at(role)
    hidden = [
        row["alert_id"]
        for row in services.list_alerts(colleague)
        if not {"E1", "Ann Carter"}.isdisjoint(row["holders"])
    ]
    others = {row["alert_id"] for row in services.list_alerts(colleague)} - set(hidden)
    assert hidden
    assert others
    assert {row["alert_id"] for row in services.list_alerts(subject)} == others
    assert sum(services.state_counts(subject).values()) == len(others)
    for alert_id in hidden:
        with pytest.raises(NotFound):
            services.get_alert(subject, alert_id)
    told = export_alerts(subject, statement_id)[0].decode()
    assert not [alert_id for alert_id in hidden if alert_id in told]


def test_a_damaged_card_register_shows_its_approvers_nothing_rather_than_everything(
    at: Context,
    tmp_path: Path,
    choices: ReadingChoices,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was raised before it came does not say that they approve anybody."""
    (tmp_path / "cards.csv").write_text(CARDS, encoding="utf-8")
    register = services.pack_cards(read_cards(tmp_path / "cards.csv", choices))
    subject = at(person="subject", holder_id="E5")
    services.receive(at(), read(*month(10), *SPLIT))
    assert services.list_alerts(subject), "nothing says yet whose cards they approve"
    services.activate_document(at(), "cards", register, "2026-01-01")
    assert services.list_alerts(subject) == []
    kinds = tables.documents.c.kind == "cards"
    event = AuditEvent("alteration", "cards")
    with at(SYSTEM).casebook.work(at(SYSTEM).actor, event, NOW) as uow:
        uow.update(tables.documents, kinds, {"content": b"damaged"})
    monkeypatch.setattr(card_approvers, "_read", {})  # as in a process that begins
    with pytest.raises(Conflict, match="uploaded again"):
        services.list_alerts(subject)
    assert services.list_alerts(at()), "who holds no card approves none"
    services.activate_document(at(), "cards", register, "2026-01-01")
    assert services.list_alerts(subject) == []


@pytest.mark.each_database
def test_who_uploads_a_statement_does_not_tell_finance_what_psd_know_of_names(
    at: Context, tmp_path: Path, choices: ReadingChoices, read: Read
) -> None:
    """The people register alone says that E1 is the cardholder whom E5 approves."""
    (tmp_path / "cards.csv").write_text(BY_NAME, encoding="utf-8")
    register = services.pack_cards(read_cards(tmp_path / "cards.csv", choices))
    (tmp_path / "people.csv").write_text("Employee No,Name\nE1,Ann Baker\n", encoding="utf-8")
    people = read_register(tmp_path / "people.csv", choices, kind="people")
    told = []
    for force in ("Saltmarsh Vale", "Another Force"):
        services.activate_document(at("finance", force), "cards", register, "2026-01-01")
        if not told:
            services.import_register(at("psd", force), people)
        services.receive(at("psd", force), read(*month(10), *SPLIT))
        subject = at("finance", force, person="subject", holder_id="E5")
        told.append([(row["rule"], row["holders"]) for row in services.list_alerts(subject)])
    assert told[0] == told[1]


def test_no_query_goes_to_whom_it_is_about_by_another_name(
    at: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    for headings, lines, file in (
        ("Employee ID,Cardholder", month(9), "september.csv"),
        ("Cardholder", [*month(10), *SPLIT], "october.csv"),
    ):
        services.receive(at(), _read_as(tmp_path, choices, headings, *lines, file=file))
    at(person="subject", holder_id="E1")
    alert_id = services.list_alerts(at())[0]["alert_id"]
    email = "financesubject@saltmarsh-vale.example"
    for query in (Query("E1", "m@saltmarsh-vale.example"), Query("Their manager", email)):
        with pytest.raises(CardwatchError, match="Choose somebody else"):
            services.send_query(at(), alert_id, query, pytest.fail, marking="OFFICIAL")


def test_a_name_that_appears_later_hides_what_was_seen_before(
    at: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    one = _read_as(tmp_path, choices, "Cardholder", *month(10), *SPLIT, file="october.csv")
    services.receive(at(), one)
    subject = at(person="subject", holder_id="E1")
    assert services.list_alerts(subject), "nothing says yet that it is about them"
    both = _read_as(tmp_path, choices, "Employee ID,Cardholder", *month(9), file="september.csv")
    services.receive(at(), both)
    assert services.list_alerts(subject) == []


MOST_QUESTIONS = 12
"""The most that finding out whom a reader may not know of asks the database."""


@contextmanager
def _asking(context: ServiceContext) -> Iterator[tuple[UnitOfWork, list[str]]]:
    """Give work of somebody's that reads, and the statements that it sends."""
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    engine = context.casebook.engine
    actor = context.actor
    with context.casebook.unaudited(actor, context.now, lanes=actor.lanes, reads=True) as uow:
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            yield uow, sent
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)


@contextmanager
def _own_keys_of(context: ServiceContext, person: str) -> Iterator[tuple[set[str], list[str]]]:
    """Give the names that are hidden from a person, and the statements that finding them took."""
    with _asking(context) as (uow, sent):
        yield set(own_keys(uow, person)), sent


def test_whose_alerts_are_hidden_is_found_without_looking_through_payments(
    at: Context, read: Read
) -> None:
    """Or the first request after a statement takes the longer, the more is held."""
    services.receive(at(), read("october.csv", *month(10), *SPLIT, *EQUAL))
    with _own_keys_of(at(), "E1") as (keys, sent):
        assert keys == {person_key("E1")}
    assert sent
    assert not [statement for statement in sent if "transactions" in statement]


@pytest.mark.parametrize("cards_count", [1, 1_000])
def test_whom_the_reader_approves_takes_no_more_questions_the_more_cards_they_approve(
    at: Context, tmp_path: Path, choices: ReadingChoices, read: Read, cards_count: int
) -> None:
    """It is asked for each list, and somebody may approve every card."""
    numbers = [f"E{number}" for number in range(100, 100 + cards_count)]
    rows = "".join(f"{n},************{n[1:]:0>4},500,2026-01-20,E5\n" for n in numbers)
    activate_cards(at(), tmp_path, choices, CARDS.splitlines()[0] + "\n" + rows)
    lines = [f"2026-10-{1 + int(n[1:]) % 27:02},{n},SHOP,9.50" for n in numbers]
    services.receive(at(), read("october.csv", *lines))
    subject = at(person="subject", holder_id="E5")
    with _asking(subject) as (uow, sent):
        assert len(hidden_keys(uow)) == 1 + cards_count
        assert len(sent) <= MOST_QUESTIONS
    assert services.count_approved(subject) == cards_count, "their account page says how many"


def test_names_are_kept_as_long_as_payments_that_have_them(
    at: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    """Those of what only professional standards see hide from them alone."""
    lines = ["Date,Employee ID,Cardholder,Merchant,Amount", *(
        f"2026-10-{day:02},E{day},PERSONNUMBER{day},SHOP,{day}.00" for day in range(1, 9)
    )]  # fmt: skip
    path = tmp_path / "october.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    arrived = read_each([path], choices)[0]
    assert isinstance(arrived, tuple), arrived
    services.receive(at(), arrived)

    def names(role: str, person: str) -> set[str]:
        with _own_keys_of(at(role), person) as (keys, _):
            return keys

    both = {person_key("E3"), person_key("PERSON NUMBER3")}
    assert names("finance", "E3") == names("psd", "personnumber3") == both
    itself = at(SYSTEM)
    with itself.casebook.work(itself.actor, AuditEvent("erasure", "data"), NOW, lanes=LANES) as uow:
        third = tables.transactions.c.row == 4
        columns = [tables.transactions.c[name] for name in tables.HOLDER_KEYS]
        payments = uow.fetch_all(sa.select(*columns).where(uow.scope(tables.transactions), third))
        uow.update(tables.transactions, third, {"visible_to_psd_only": 1})
        uow.delete(tables.transactions, tables.transactions.c.row == 5)
        keep_names_anew(uow)
    assert names("psd", "E3") == both
    assert names("finance", "E3") == {person_key("E3")}
    assert names("psd", "E4") == {person_key("E4")}
    assert len(names("finance", "E5")) == 2
    with itself.casebook.work(itself.actor, AuditEvent("collection", "x"), NOW, lanes=LANES) as uow:
        keep_names(uow, payments)
    assert names("finance", "E3") == both, "they are in a payment again"
