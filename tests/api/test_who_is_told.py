"""Names and roles are told to whoever needs them: pseudonyms in the API, psd to psd alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from book_fixtures import database_url  # noqa: F401  both databases
from books import month
from services import OCTOBER, OWN, Running, text

from api.notifications import check_address
from api.settings import Settings
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Callable

HOLDERS = [f'"E{number}"' for number in range(4)]


def _names_a_holder(answer: str) -> bool:
    return any(holder in answer for holder in HOLDERS)


def test_the_api_names_nobody_to_psd_before_they_say_why(running: Running) -> None:
    running.send(OCTOBER)
    policy = {"kind": "policy", "policy": "alerts_per_1000 = 1\n", "months": 1}
    job = running.ask("POST", "/v1/back-tests", "psd", json=policy).json()["job_id"]
    while running.ask("GET", f"/v1/jobs/{job}", "psd").json()["state"] in {"queued", "running"}:
        pass
    listed = running.ask("GET", "/v1/alerts", "psd")
    alerts = {one["lane"]: one["alert_id"] for one in listed.json()["alerts"]}
    path = f"/v1/alerts/{alerts['psd']}"
    draw = {"count": 5, "seed": 7, "since": "2026-10-01", "until": "2026-10-31"}
    sampled = running.ask("POST", "/v1/samples", "psd", json=draw)
    assert sampled.status_code == 200
    whole = running.ask("GET", path, "psd")
    answers = [listed, sampled, whole, running.ask("GET", f"/v1/jobs/{job}", "psd")]
    for answer in answers:
        names = answer.text.replace('"holders_newly_asked"', "")  # a count
        assert "Person " in names or "holder" not in names
        assert not _names_a_holder(answer.text)
    finance = running.ask("GET", f"/v1/alerts/{alerts['finance']}")
    assert _names_a_holder(finance.text)
    assert running.ask("POST", f"{path}/names", "psd", json={"reason": "case 7"}).status_code == 204
    assert _names_a_holder(running.ask("GET", path, "psd").text)
    other = running.ask("GET", f"/v1/alerts/{alerts['finance']}", "psd")
    assert not _names_a_holder(other.text)


@pytest.mark.parametrize("role", ["psd", "admin", "auditor"])
def test_assigning_tells_nobody_who_is_in_psd(running: Running, role: str) -> None:
    running.send(OCTOBER)
    alert = running.ask("GET", "/v1/alerts").json()["alerts"][0]
    path = f"/v1/alerts/{alert['alert_id']}/decisions"
    answers = []
    for email in (f"{role}@{OWN}.example", "stranger@force.example"):
        said = {"reason": "so", "assigned_to": email}
        headers = {"If-Match": f'"{alert["version"]}"'}
        answer = running.ask("POST", path, json=said, headers=headers)
        answers.append((answer.status_code, answer.json()["detail"]))
    assert answers[0] == answers[1]
    said = {"reason": "so", "assigned_to": f"finance@{OWN}.example"}
    assert running.ask("POST", path, json=said, headers=headers).status_code == 201


def test_admin_is_told_of_nobody_in_psd(running: Running) -> None:
    people = running.ask("GET", "/v1/people", "psd").json()
    psd = next(one for one in people if one["role"] == "psd")
    assert psd["email"] not in running.ask("GET", "/v1/people", "admin").text
    for method, path in (("DELETE", ""), ("POST", "/invitation")):
        answers = [
            running.ask(method, f"/v1/people/{person}{path}", "admin")
            for person in (psd["person_id"], "0" * 12)
        ]
        assert {one.status_code for one in answers} == {404}


def test_a_statement_that_psd_upload_tells_nobody_who_they_are(running: Running) -> None:
    people = running.ask("GET", "/v1/people", "psd").json()
    keys = running.ask("GET", "/v1/keys", "psd").json()
    theirs = [one["person_id"] for one in people if one["role"] == "psd"]
    theirs += [one["key_id"] for one in keys if one["role"] == "psd"]
    running.send(text(*month(9)), role="psd")
    told = [running.ask("GET", path).text for path in ("/v1/statements", "/v1/audit/events")]
    assert "received_by" in told[0]
    for answer in told:
        assert not any(one in answer for one in theirs)
    assert not [one for one in json.loads(told[1]) if one["role"] == "psd"]


def test_pages_mark_who_holds_no_card_and_is_named_like_a_cardholder(running: Running) -> None:
    new = {"name": "Ann Roe", "email": "desk@x.example", "role": "finance", "holds_no_card": True}
    made = running.ask("POST", "/v1/people", "admin", json=new).json()["person_id"]
    statement = "Date,Cardholder,Merchant,Amount\n" + "".join(
        f'2026-10-0{day},"ROE, ANN",SHOP,{day}.00\n' for day in range(1, 9)
    )
    answers = []
    for is_there in (False, True):
        if is_there:
            assert running.send(statement).status_code == 201
        people = running.ask("GET", "/v1/people", "admin").json()
        marks = [one["person_id"] for one in people if one["is_like_cardholder"]]
        pages = [running.ask("GET", path, "admin").text for path in ("/people", f"/people/{made}")]
        answers.append((marks, "Check</strong>" in pages[0], "a name like theirs" in pages[1]))
    assert answers == [([], False, False), ([made], True, True)]


def test_signing_in_names_no_organisation(running: Running) -> None:
    page = running.client.get("/sign-in").text
    for name in (OWN, "Saltmarsh", "Another"):
        assert name not in page


@pytest.mark.parametrize(
    "address",
    ["https://ok.example/a\r\nX: y", "https://ok.example/a%0d%0aX:y", "https://ok.example:8443/",
     "https://ok.example:22/", "https://ok.example/a b", "https://ok.example/\x00",
     "https://ok.example:x/", "https://ok.example@other.example/", "http://ok.example/",
     "https://ok.example/\u00e9"],
)  # fmt: skip
def test_a_webhook_has_no_other_port_and_no_line_feed(address: str) -> None:
    with pytest.raises(CardwatchError):
        check_address(Settings(webhook_hosts="ok.example"), address)


def test_a_port_that_is_listed_is_a_webhooks() -> None:
    settings = Settings(webhook_hosts="ok.example, ok.example:8443")
    for address in ("https://ok.example/a", "https://ok.example:443/", "https://ok.example:8443/b"):
        check_address(settings, address)


@pytest.mark.parametrize("organisation", ["", " ", "Saltmarsh Vale", "SALTMARSH-VALE ", OWN])
def test_the_organisation_is_entered_by_its_name(
    serve: Callable[..., Running], organisation: str
) -> None:
    from services import PASSWORD, activate_account  # noqa: PLC0415  beside its use

    running = serve()
    secret = activate_account(running, "finance")
    import pyotp  # noqa: PLC0415

    sent = {"organisation": organisation, "email": f" FINANCE@{OWN}.example ",
            "password": PASSWORD, "code": pyotp.TOTP(secret).at(running.clock())}  # fmt: skip
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = running.client.post("/sign-in", data=sent, headers=headers, follow_redirects=False)
    assert answer.status_code == (303 if organisation.strip() else 401)  # of two organisations
