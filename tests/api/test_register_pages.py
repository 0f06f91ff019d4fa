"""Registers on pages and in the API: from an upload to a reviewed name and an alert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from books import month
from services import Running, approve_all, text

if TYPE_CHECKING:
    from collections.abc import Callable

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
GIFTS = (
    "Employee No,Department,Date of offer,Donor,Details,Accepted or declined,Registered\n"
    "E1,Fleet,05/09/2026,Osprey Joinery Ltd,Lunch for Ann Roe,Accepted,06/09/2026\n"
    "E2,Fleet,31/13/2026,Kittiwake Forge,Cup,Declined,\n"
    "E2,Fleet,01/09/2026,Kittiwake Forge,Cup,Declined,02/09/2026\n"
)
PAID = "2026-10-15,E1,OSPREY JOINERY LTD,420.00,P1"


@pytest.fixture
def page(running: Running) -> Callable[..., Any]:
    """Ask for a page as a role, following where it sends on."""

    def ask(path: str, role: str = "psd", files: Any = None, **data: Any) -> Any:
        method = "POST" if data or files else "GET"
        return running.client.request(
            method, path, headers=running.of(role) | SITE, data=data or None, files=files
        )

    return ask


def gifts() -> dict[str, Any]:
    return {"files": ("gifts.csv", GIFTS)}


def test_from_an_upload_to_a_reviewed_name_and_an_alert(
    running: Running, page: Callable[..., Any]
) -> None:
    running.send(text(*month(9), PAID.replace("10-15", "09-15")))
    uploaded = page("/registers/new", files=gifts(), kind="gifts")
    assert "Register uploaded" in uploaded.text
    assert "a day that the register needs cannot be read" in uploaded.text
    register = page("/registers/gifts").text
    assert "Without value" in register
    assert "1 name without a merchant of a similar name" in register
    review = page("/registers/matches").text
    assert "Is “Osprey Joinery Ltd” the merchant" in review
    merchant = re.search(r'name="merchant" value="([^"]+)"', review)
    assert merchant is not None
    pair = {"organisation": "Osprey Joinery Ltd", "merchant": merchant[1]}
    assert "Enter a reason" in page("/registers/matches", **pair, decision="same").text
    assert "Select what you decide" in page("/registers/matches", **pair, reason="so").text
    saved = page("/registers/matches", **pair, decision="same", reason="seen the invoice").text
    assert "Decision saved" in saved
    assert "seen the invoice" not in saved
    assert "The same organisation" in page("/registers/matches?show=decided").text
    running.send(text(*month(10), PAID))
    alerts = running.ask("GET", "/v1/alerts", role="psd").json()["alerts"]
    alert = next(a for a in alerts if a["rule"].startswith("gift-"))
    shown = page(f"/alerts/{alert['alert_id']}").text
    assert "In the registers" in shown
    assert "A person has confirmed that the two are one" in shown
    assert "5 Sep 2026" in shown
    assert "6 Sep 2026" in shown


def test_every_decision_about_a_name_can_be_found_again(
    page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, those beyond the first hundred could not be, and so not be taken back."""
    monkeypatch.setattr("api.web.registers.MATCHES_PER_PAGE", 2)
    names = [f"{word} Joinery" for word in ("Osprey", "Kittiwake", "Dunlin", "Curlew", "Godwit")]
    for name in names:
        pair = {"organisation": name, "merchant": name.upper()}
        page("/registers/matches", **pair, decision="same", reason="seen the invoice")
    pages = [page(f"/registers/matches?show=decided&page={n}").text for n in (1, 2, 3)]
    tables = [text.partition("<tbody")[2] for text in pages]
    assert [sum(name in table for name in names) for table in tables] == [2, 2, 1]
    assert 'href="/registers/matches?show=decided&amp;page=3"' in pages[0]


STRANGE = (
    "Ref,Who was it,When made,By whom,Taken or not,D.O.B.\n"
    "1,E1,05/09/2026,Osprey Joinery Ltd,Accepted,01/02/1980\n"
)
COLUMNS = {"employee_id": "Who was it", "offered_on": "When made", "organisation": "By whom",
           "decision": "Taken or not"}  # fmt: skip


def test_columns_with_other_headings_are_stated_once(page: Callable[..., Any]) -> None:
    asked = page("/registers/new", files={"files": ("gifts.csv", STRANGE)})
    assert "State the columns" in asked.text
    assert "D.O.B.: dates of birth are not used" in asked.text
    upload = re.search(r'name="upload" value="([^"]+)"', asked.text)
    assert upload is not None
    form = {"upload": upload[1], "action": "read"} | COLUMNS
    wrong = page("/registers/columns", **(form | {"organisation": ""}))
    assert "Choose the column for" in wrong.text
    assert '<option value="Who was it" selected>' in wrong.text
    assert page("/registers/columns", "finance", **form).status_code == 404
    assert "Register uploaded" in page("/registers/columns", **form).text
    assert page("/registers/columns", **form).status_code == 404
    again = STRANGE.replace("05/09", "06/09")
    approved = page("/registers/new", files={"files": ("gifts2.csv", again)})
    assert "State the columns" not in approved.text
    assert "<title>Approval" in approved.text
    waiting = page("/statements/new").text
    assert "gifts.csv" not in waiting


def _upload_id(text: str) -> str:
    found = re.search(r'name="upload" value="([^"]+)"', text)
    assert found is not None, text
    return found[1]


def test_columns_that_were_stated_wrongly_are_removed_and_asked_for_again(
    page: Callable[..., Any],
) -> None:
    """Once nothing showed them, and every later file was read by them."""
    asked = page("/registers/new", files={"files": ("gifts.csv", STRANGE)})
    wrong = COLUMNS | {"organisation": "Ref"}
    page("/registers/columns", upload=_upload_id(asked.text), action="read", **wrong)
    listed = page("/statements/profiles").text
    assert "Register of gifts and hospitality" in listed
    assert "Donor: Ref" in listed
    assert "gifts and hospitality" not in page("/statements/profiles", "finance").text
    (removal,) = re.findall(r'href="(/statements/profiles/[^"]+/removal)"', listed)
    assert page(removal.removesuffix("/removal")).status_code == 404  # has no form of its own
    assert page(removal, "finance").status_code == 404
    assert "Remove the profile Register of gifts" in page(removal).text
    page(removal, sure="yes")
    again = page("/registers/new", files={"files": ("gifts.csv", STRANGE)})
    assert "State the columns" in again.text


def test_a_register_that_waits_is_found_again(page: Callable[..., Any]) -> None:
    first, later = (
        _upload_id(page("/registers/new", files={"files": (name, STRANGE)}).text)
        for name in ("gifts-a.csv", "gifts-b.csv")
    )
    assert f"/registers/columns?upload={first}" in page("/registers/new").text
    assert "gifts-a.csv" not in page("/registers/new", "finance").text
    for attempt in ({}, {"uploads": first, "action": "discard"}):  # it is no statement
        place = "/statements/columns" if attempt else f"/statements/columns?upload={first}"
        assert page(place, **attempt).status_code == 404
    page("/registers/columns", upload=first, action="read", **COLUMNS)
    known = page(f"/registers/columns?upload={later}").text
    assert "The columns of gifts-b.csv are known by now" in known
    assert "gifts-a.csv" not in page("/registers/new").text
    page("/registers/columns", upload=later, action="discard")
    assert page("/registers/columns", upload=later, action="discard").status_code == 404
    assert "Waiting for their columns" not in page("/registers/new").text


def test_where_too_much_waits_the_form_says_so(
    page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cardwatch.casebook.uploads.WAITING_BYTES", len(STRANGE))
    page("/registers/new", files={"files": ("gifts-a.csv", STRANGE)})
    full = page("/registers/new", files={"files": ("gifts-b.csv", STRANGE)})
    assert full.status_code == 422
    assert "too many files are waiting" in full.text
    assert "State the columns of gifts-a.csv" in full.text


@pytest.mark.parametrize("is_ticked", [False, True])
def test_a_refused_form_ticks_nothing_that_was_not_ticked(
    page: Callable[..., Any], *, is_ticked: bool
) -> None:
    """Once it said that the file is the whole register, and sent again it replaced the others."""
    form = {"known_from": "soon"} | ({"replaces": "true"} if is_ticked else {})
    for name, content in (("gifts.csv", GIFTS), ("strange.csv", STRANGE)):
        answer = page("/registers/new", files={"files": (name, content)}, kind="gifts", **form)
        upload = re.search(r'name="upload" value="([^"]+)"', answer.text)
        if upload:
            answer = page("/registers/columns", upload=upload[1], action="read", **COLUMNS)
        assert "is not a date" in answer.text
        box = re.search(r'<input[^>]*name="replaces"[^>]*>', answer.text)
        assert box is not None
        assert ("checked" in box[0]) == is_ticked


def test_a_heading_with_a_card_number_is_stated_as_it_is_shown(page: Callable[..., Any]) -> None:
    """Once the page asked for such columns again and again."""
    strange = STRANGE.replace("Ref", "Card 4111 1111 1111 1111").replace("By whom", "Von  wem")
    asked = page("/registers/new", files={"files": ("gifts.csv", strange)})
    assert "4111 1111" not in asked.text
    upload = re.search(r'name="upload" value="([^"]+)"', asked.text)
    assert upload is not None
    form = COLUMNS | {"organisation": "Von wem"}
    done = page("/registers/columns", upload=upload[1], action="read", **form)
    assert "Register uploaded" in done.text


def test_a_register_of_unknown_headings_is_not_finances_to_state(
    page: Callable[..., Any],
) -> None:
    refused = page("/registers/new", "finance", files={"files": ("gifts.csv", STRANGE)})
    assert refused.status_code == 403
    assert "State the columns" not in refused.text
    unclear = page("/registers/new", "finance", files={"files": ("some.csv", STRANGE)})
    assert "Choose which register it is" in unclear.text


def test_the_api_takes_the_columns_that_its_refusal_asks_for(running: Running) -> None:
    def send(**data: str) -> Any:
        return running.ask("POST", "/v1/registers", role="psd", data=data,
                           files={"file": ("some.csv", STRANGE)})  # fmt: skip

    assert send().json()["profile"] == ""
    refusal = send(kind="gifts")
    assert refusal.status_code == 422
    profile = refusal.json()["profile"]
    assert 'register = "gifts"' in profile
    for name, heading in COLUMNS.items():
        profile = re.sub(
            rf'^{name} = "[^"]*"', f'{name} = "{heading}"', profile, flags=re.MULTILINE
        )
    faulty = send(columns="register = 'pets'")
    assert faulty.status_code == 422
    assert faulty.json()["errors"][0]["field"] == "columns"
    assert send(columns=profile).status_code == 201
    assert send().json()["outcome"] == "held"
    statement = running.ask("POST", "/v1/statements", role="psd",
                            files={"file": ("s.csv", STRANGE)})  # fmt: skip
    assert statement.status_code == 422  # a register's columns are no statement's
    assert running.ask("GET", "/statements/profiles", role="psd").status_code == 200


def test_names_to_decide_have_pages(
    running: Running, page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.web.registers.MATCHES_PER_PAGE", 1)
    paid = PAID.replace("10-15", "09-15")
    running.send(text(*month(9), paid, paid.replace("OSPREY JOINERY", "KITTIWAKE FORGE")))
    page("/registers/new", files=gifts(), kind="gifts")
    listed = re.compile(r"rowheader[^>]*>(?:<a[^>]*>)([^<]+)</a>")
    first = page("/registers/matches").text
    (following,) = set(re.findall(r'href="([^"]+)" rel="next"', first))
    last = page(following.replace("&amp;", "&")).text
    names = [*listed.findall(first), *listed.findall(last)]
    assert sorted(names) == ["Kittiwake Forge", "Osprey Joinery Ltd"]
    assert 'rel="next"' not in last
    assert re.search(rf'href="[^"]+page=2"[^>]*>{names[1]}', last), "a choice keeps its page"


def test_people_in_an_entry_are_hidden_until_somebody_asks(
    running: Running, page: Callable[..., Any]
) -> None:
    page("/registers/new", files=gifts())
    running.send(text(*month(10), PAID))
    alerts = running.ask("GET", "/v1/alerts", role="psd").json()["alerts"]
    alert_id = next(a["alert_id"] for a in alerts if a["rule"].startswith("gift-"))
    told = running.ask("GET", f"/v1/alerts/{alert_id}", role="psd").text
    shown = page(f"/alerts/{alert_id}").text
    for answer in (told, shown):
        assert "Ann Roe" not in answer
        assert "Not shown until you ask for the name" in answer
    assert "Ann Roe" in page(f"/alerts/{alert_id}/name", why="a case").text


def test_finance_sees_nothing_of_what_psd_holds(running: Running, page: Callable[..., Any]) -> None:
    running.send(text(*month(10), PAID))
    before = [page(path, role).text for path, role in finance_pages()]
    page("/registers/new", files=gifts())
    assert [page(path, role).text for path, role in finance_pages()] == before
    refused = page("/registers/new", "finance", files=gifts())
    assert refused.status_code == 403
    assert page("/registers/gifts", "finance").status_code == 404
    assert page("/registers/matches", "finance").status_code == 403


def finance_pages() -> list[tuple[str, str]]:
    """Return pages about registers that others than professional standards see."""
    paths = ("/registers", "/registers/new", "/registers/contracts")
    return [(path, "finance") for path in paths] + [("/registers", "auditor")]


def test_a_form_that_is_wrong_says_so_at_its_field(page: Callable[..., Any]) -> None:
    assert "Select a register" in page("/registers/new", kind="gifts").text
    answer = page("/registers/new", files=gifts(), known_from="soon")
    assert answer.status_code == 422
    assert 'href="#known_from"' in answer.text
    answer = page("/registers/new", files={"files": ("x.csv", "A,B\n1,2\n")})
    assert 'href="#files"' in answer.text
    assert page("/registers/gifts/template.csv").text.startswith("Employee")


def test_the_api_does_the_same(running: Running) -> None:
    psd = running.of("psd")
    receipt = running.client.post(
        "/v1/registers", headers=psd, files={"file": ("gifts.csv", GIFTS)}
    )
    assert receipt.status_code == 201
    version = receipt.json()["version_id"]
    detail = running.client.get(f"/v1/register-versions/{version}", headers=psd).json()
    assert [p["code"] for p in detail["problems"]] == ["bad_day"]
    running.send(text(*month(10), PAID))
    (match,) = running.client.get("/v1/matches", headers=psd).json()
    pair = {name: match[name] for name in ("organisation", "merchant")}
    decided = running.client.post(
        "/v1/matches/decisions", headers=psd, json=pair | {"decision": "same", "reason": "seen"}
    )
    assert decided.status_code == 204
    params = {"undecided": "true"}
    assert running.client.get("/v1/matches", headers=psd, params=params).json() == []
    assert running.client.get("/v1/registers/gifts", headers=psd).json()["matched"] == 1


def test_a_file_with_a_very_long_name_is_read(page: Callable[..., Any]) -> None:
    """A hundred characters are up to 400 bytes, more than a file system takes."""
    long_name = "\N{CARD INDEX}" * 120 + ".csv"
    uploaded = page("/registers/new", files={"files": (long_name, GIFTS)}, kind="gifts")
    assert "Register uploaded" in uploaded.text


def test_a_people_register_that_needs_two_people_leads_to_its_request(running: Running) -> None:
    head = "Employee Number,Name,Former names\n"
    first = {"files": {"files": ("people.csv", f"{head}E1,Bob Baker,\nE3,Cat Dove,\n")}}
    assert running.ask("POST", "/registers/new", "psd", **first).status_code in {200, 303}
    attack = ("people.csv", f"{head}E1,Bob Baker,Cat Dove\n")
    asked = running.ask(
        "POST", "/registers/new", "psd", files={"files": attack}, follow_redirects=False,
        headers=SITE,
    )  # fmt: skip
    assert asked.status_code == 303
    page = running.ask("GET", asked.headers["location"], "psd", headers=SITE).text
    for words in (
        "Version of a register",
        "people.csv",
        "Rows with the name",
        "Former names: nothing → Cat Dove",
    ):
        assert words in page
    sent = {"files": {"file": attack}, "data": {"kind": "people"}}
    assert running.ask("POST", "/v1/registers", "psd", **sent).json()["code"] == "second_person"
    approve_all(running, "psd")
    assert running.ask("POST", "/v1/registers", "psd", **sent).status_code == 201


CONTRACTS = "Supplier,Reference,Start date,End date\n"
KITE = "Kite Ltd,C3,01/01/2026,31/12/2026\n"


def test_the_first_of_two_people_reads_what_the_file_does(
    running: Running, page: Callable[..., Any]
) -> None:
    """Before, one sentence had it all: how the file was read, and what it does not do."""
    first, later = CONTRACTS + KITE, CONTRACTS + KITE.replace("2026\n", "2029\n")
    uploaded = page("/registers/new", "finance", files={"files": ("contracts.csv", first)})
    assert "Register uploaded" in uploaded.text
    waiting = page("/registers/new", "finance", files={"files": ("contracts2.csv", later)})
    assert waiting.status_code == 422
    assert "payments from alerts, as it adds 1 entry. Another person" in waiting.text
    assert "<li>Added: Kite Ltd, c3</li>" in waiting.text
    assert "day-first" not in waiting.text.partition("<form")[0]
    sent = {"files": {"file": ("contracts2.csv", later)}}
    asked = running.ask("POST", "/v1/registers", **sent)
    assert (asked.status_code, asked.json()["outcome"]) == (202, "second-person")
    assert (asked.json()["version_id"], asked.json()["notes"][1:]) == ("", ["Added: Kite Ltd, c3"])
    same = running.ask("POST", "/v1/registers", files={"file": ("contracts.csv", first)})
    assert (same.status_code, same.json()["outcome"]) == (200, "held")
