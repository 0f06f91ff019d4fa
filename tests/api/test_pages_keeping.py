"""Pages of people, keys, times, holds and the audit: what is done there, and asked once more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from books import EQUAL, SPLIT, crowd, month
from services import OWN, PASSWORD, Running, activate_account, approve_all, sign_in

from cardwatch import services

if TYPE_CHECKING:
    from collections.abc import Callable

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@pytest.fixture
def held(serve: Callable[..., Running], read: Callable[..., Any]) -> Running:
    """Give a service that does no chores by itself, with October's statement."""
    running = serve(chores=False, webhook_hosts="127.0.0.1")
    services.receive(
        running.context("finance"), read(*month(10), *SPLIT, *EQUAL, name="october.csv")
    )
    return running


def _ask(running: Running, method: str, path: str, who: str, status: int = 200, **sent: str) -> str:
    more: dict[str, Any] = {"data": sent} if method == "POST" else {}
    answer = running.ask(method, path, who, headers=SITE, **more)
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    return str(answer.text)


def test_somebody_is_added_invited_and_ended(held: Running) -> None:
    for sent, name in (({"email": "new@x.example", "role": "finance"}, "name"),
                       ({"name": "New", "email": "new", "role": "finance"}, "email"),
                       ({"name": "New", "email": "new@x.example"}, "role"),
                       ({"name": "New", "email": f"finance@{OWN}.example", "role": "finance",
                         "holds_no_card": "yes"}, "email")):  # fmt: skip
        page = _ask(held, "POST", "/people", "admin", 422, **sent)
        assert f'id="{name}-error"' in page
    page = _ask(held, "POST", "/people", "admin", name="New", email="new@x.example",
                role="finance", holder_id="E1")  # fmt: skip
    place = re.search(r'action="(/people/[0-9a-f]{12})/invitation"', page)
    assert place is not None
    page = _ask(held, "POST", f"{place[1]}/invitation", "admin")
    token = re.search(rf"<strong>({OWN}_[\w-]+)</strong>", page)
    assert token is not None
    begun = held.client.post("/v1/account/secret", json={"token": token[1]})
    assert begun.json()["email"] == "new@x.example"
    assert token[1] not in _ask(held, "GET", place[1], "admin"), "it is shown once"
    assert "End New&#39;s access?" in _ask(held, "GET", f"{place[1]}/end", "admin")
    _ask(held, "POST", f"{place[1]}/end", "admin")
    assert "Ended" in _ask(held, "GET", place[1], "admin")
    assert held.client.post("/v1/account/secret", json={"token": token[1]}).status_code == 403
    assert not re.search(r'href="/people/[0-9a-f]{12}">psd<', _ask(held, "GET", "/people", "admin"))
    everybody = held.ask("GET", "/v1/people", "psd").json()
    psd = next(one["person_id"] for one in everybody if one["role"] == "psd")
    for path in (f"/people/{psd}", f"/people/{psd}/end"):
        _ask(held, "GET", path, "admin", 404)


def test_a_key_is_made_shown_once_and_ended(held: Running) -> None:
    for sent, name in (({"role": "auditor"}, "name"), ({"name": "k"}, "role"),
                       ({"name": "k", "role": "auditor", "days": "400"}, "days")):  # fmt: skip
        assert f'id="{name}-error"' in _ask(held, "POST", "/keys", "admin", 422, **sent)
    page = _ask(held, "POST", "/keys", "admin", name="ledger", role="auditor", days="9")
    key = re.search(r"<strong>(cw_[\w-]+)</strong>", page)
    assert key is not None
    bearer = {"Authorization": f"Bearer {key[1]}"}
    assert held.client.get("/v1/session", headers=bearer).json()["role"] == "auditor"
    page = _ask(held, "GET", "/keys", "admin")
    assert key[1] not in page
    place = f"/keys/{key[1].split('_')[2]}/end"
    assert place in page
    assert "Revoke the key &#39;ledger&#39;?" in _ask(held, "GET", place, "admin")
    _ask(held, "POST", place, "admin")
    assert held.client.get("/v1/session", headers=bearer).status_code == 401


def test_what_is_held_or_closed_unasked_is_listed_and_ended(held: Running) -> None:
    finance = held.context("finance")
    name = services.list_alerts(finance)[0]["alert_id"]
    ids = {"holds": services.place_hold(finance, name, reason="case 12"),
           "suppressions": services.suppress(
               finance, name, until="2027-01-31", reason="contract 17"
           )["suppression_id"]}  # fmt: skip
    theirs = services.list_alerts(held.context("psd"), services.AlertFilter(lane="psd"))[0][
        "alert_id"
    ]
    hidden = services.place_hold(held.context("psd"), theirs, reason="their case")
    for kind, reason in (("holds", "case 12"), ("suppressions", "contract 17")):
        place = f"/{kind}/{ids[kind]}/end"
        page = _ask(held, "GET", f"/{kind}", "auditor")
        assert reason in page
        assert place not in page, "an auditor ends nothing"
        assert "their case" not in page
        assert place in _ask(held, "GET", f"/{kind}", "finance")
        assert reason in _ask(held, "GET", place, "finance")
        _ask(held, "GET", place, "auditor", 403)
        _ask(held, "POST", place, "finance")
        assert "Ended" in _ask(held, "GET", f"/{kind}", "auditor")
    assert not re.search(r"\bE\d\b", _ask(held, "GET", "/suppressions", "psd"))
    _ask(held, "GET", f"/holds/{hidden}/end", "finance", 404)


def test_an_alert_is_put_on_legal_hold_on_its_page(held: Running) -> None:
    name = services.list_alerts(held.context("finance"))[0]["alert_id"]
    place = f"/alerts/{name}/hold"
    link = f'href="{place}"'
    assert link in _ask(held, "GET", f"/alerts/{name}", "finance")
    assert link not in _ask(held, "GET", f"/alerts/{name}", "auditor")
    assert link not in _ask(held, "GET", f"/alerts/{name}", "psd"), "finance decides on it"
    for role in ("auditor", "psd"):
        _ask(held, "GET", place, role, 403)
        _ask(held, "POST", place, role, 403, reason="case 12")
    assert "until somebody ends it" in _ask(held, "GET", place, "finance")
    page = _ask(held, "POST", place, "finance", reason="case 12")
    assert "Legal hold" in page
    assert "Since 24 November 2026" in page
    ending = re.search(r'href="(/holds/\w+/end)"', page)
    assert ending is not None
    assert "case 12" in _ask(held, "GET", "/holds", "auditor")
    assert ending[1] in _ask(held, "GET", place, "finance"), "it is not made twice"
    again = _ask(held, "POST", place, "finance", 422, reason="case 12")
    assert "already on legal hold" in again
    _ask(held, "POST", ending[1], "finance")
    assert link in _ask(held, "GET", f"/alerts/{name}", "finance")


def test_alerts_are_suppressed_once_it_was_shown_which(
    held: Running, read: Callable[..., Any]
) -> None:
    name = services.list_alerts(held.context("finance"))[0]["alert_id"]
    place = f"/alerts/{name}/suppression"
    sent = {"until": "2027-03-01", "reason": "contract 17"}
    assert place in _ask(held, "GET", f"/alerts/{name}", "finance")
    for role in ("auditor", "psd"):
        _ask(held, "GET", place, role, 403)
        _ask(held, "POST", place, role, 403, **sent)
        _ask(held, "POST", place, role, 403, confirmed="yes", **sent)
    check = _ask(held, "POST", place, "finance", **sent)
    words = ("Alerts of this rule about this cardholder at this merchant will close automatically "
             "until 1 March 2027.")  # fmt: skip
    assert words in check
    assert services.list_suppressions(held.context("finance")) == [], (
        "nothing is done before the answer"
    )
    page = _ask(held, "POST", place, "finance", confirmed="yes", **sent)
    assert "contract 17" in page
    alert = _ask(held, "GET", f"/alerts/{name}", "finance")
    assert "Suppressed until 1 March 2027" in alert
    ending = re.search(r'href="(/suppressions/\w+/end)"', alert)
    assert ending is not None
    again = _ask(held, "POST", place, "finance", 422, **sent)
    assert "already suppressed" in again
    later = read(*[line.replace("2026-10", "2026-11") for line in SPLIT], name="november.csv")
    services.receive(held.context("finance"), later)
    (one,) = services.list_alerts(held.context("finance"), services.AlertFilter(since="2026-11-01"))
    decisions = services.get_alert(held.context("finance"), one["alert_id"])["decisions"]
    assert decisions[0]["state"] == "suppressed", "it may be open again, at random, for review"
    _ask(held, "POST", ending[1], "finance")
    assert place in _ask(held, "GET", f"/alerts/{name}", "finance")


def test_professional_standards_suppress_without_seeing_a_name(
    held: Running, read: Callable[..., Any]
) -> None:
    services.receive(held.context("finance"), read(*crowd(4), name="crowd.csv"))
    listed = services.list_alerts(held.context("psd"), services.AlertFilter(lane="psd"))
    several = [one["alert_id"] for one in listed if len(one["holders"]) != 1]
    alone = [one["alert_id"] for one in listed if len(one["holders"]) == 1 and one["merchants"]]
    sent = {"until": "2027-03-01", "reason": "x"}
    place = f"/alerts/{several[0]}/suppression"
    assert f'href="{place}"' not in _ask(held, "GET", f"/alerts/{several[0]}", "psd")
    page = _ask(held, "GET", place, "psd")
    assert "Only alerts about one cardholder" in page
    assert f'action="{place}"' not in page, "there is nothing to send"
    _ask(held, "POST", place, "psd", 422, confirmed="yes", **sent)
    place = f"/alerts/{alone[0]}/suppression"
    for page in (
        _ask(held, "GET", place, "psd"),
        _ask(held, "POST", place, "psd", 422, until="", reason="x"),
        _ask(held, "POST", place, "psd", **sent),
        _ask(held, "POST", place, "psd", confirmed="yes", **sent),
    ):
        assert not re.search(r"\b[EPZ]\d\b", page), page
        assert re.search(r"Person [0-9A-F]{6}", page)
    _ask(held, "GET", place, "finance", 404)
    assert services.list_suppressions(held.context("finance")) == []


def test_times_are_set_and_what_is_past_them_is_erased_once_somebody_has_said_so(
    held: Running,
) -> None:
    page = _ask(held, "POST", "/retention", "admin", 422, transactions="9", alerts="2557",
                registers="2557", notices="90", complaints="2557", cases="2557")  # fmt: skip
    assert 'id="transactions-error"' in page
    assert 'value="9"' in page, "what was sent is kept"
    sent = {
        "transactions": "800",
        "alerts": "2557",
        "cases": "2557",
        "registers": "2557",
        "notices": "90",
        "complaints": "2557",
    }
    assert "Keep transactions for 800 days" in _ask(held, "POST", "/retention", "admin", **sent)
    approve_all(held, "admin")
    assert 'value="800"' in _ask(held, "POST", "/retention", "admin", **sent)
    assert "800 days" in _ask(held, "GET", "/retention", "auditor")
    held.clock.go(days=900)
    admin = services.actor_of_person(held.book, OWN, f"admin@{OWN}.example", held.clock())
    asked = services.ServiceContext(held.book, admin, held.clock())
    assert services.retention_periods(asked)["transactions"] == 800
    key = services.create_key(asked, name="later", role="admin", days=9, can_decide=True)
    held.keys[OWN, "later"] = key
    assert "october.csv" in _ask(held, "GET", "/retention", "later")
    page = _ask(held, "GET", "/retention/erasure", "later")
    assert "1 statement with 18 payments" in page
    assert "Delete expired data for good" in _ask(held, "POST", "/retention/erasure", "later")
    approve_all(held, "later")
    assert "18 payments were deleted" in _ask(held, "POST", "/retention/erasure", "later")
    assert "No statement has expired." in _ask(held, "GET", "/retention", "later")


def test_notices_are_sent_to_an_address_and_no_more(held: Running) -> None:
    for url in ("https://elsewhere.example/", "http://[broken", ""):
        page = _ask(held, "POST", "/webhook", "admin", 422, url=url)
        assert 'id="url-error"' in page, url
    page = _ask(held, "POST", "/webhook", "admin", url="http://127.0.0.1:9/finance")
    secret = re.search(r"<strong>(whsec_[\w+/=-]+)</strong>", page)
    assert secret is not None, page
    page = _ask(held, "GET", "/webhook", "admin")
    assert "http://127.0.0.1:9/finance" in page
    assert secret[1] not in page
    assert "No notices are sent." in _ask(held, "GET", "/webhook", "psd")
    assert "Stop sending notices?" in _ask(held, "GET", "/webhook/end", "admin")
    assert "No notices are sent." in _ask(held, "POST", "/webhook/end", "admin")


def test_ones_own_password_and_sessions(held: Running) -> None:
    secret = activate_account(held, "auditor")

    def code() -> str:
        held.clock.go(seconds=60)
        return pyotp.TOTP(secret).at(held.clock())

    assert sign_in(held, "auditor", secret).status_code == 204
    elsewhere = dict(held.client.cookies)
    held.client.cookies.clear()
    assert sign_in(held, "auditor", secret, code=code()).status_code == 204
    page = held.client.get("/account/mine", headers=SITE).text
    assert f"auditor@{OWN}.example" in page
    assert page.count("This session.") == 1
    other = re.search(r'action="(/account/mine/sessions/\w+/end)">\s*<p[^>]*>(?:(?!This s).)*?'
                      r"<button", page, re.DOTALL)  # fmt: skip
    assert other is not None
    ended = held.client.post(other[1], headers=SITE)
    assert ended.text.count("Since ") == 1
    cookie = "; ".join(f"{k}={v}" for k, v in elsewhere.items())
    assert held.client.get("/v1/session", headers={"Cookie": cookie}).status_code == 401
    place, new = "/account/mine/password", "orchard gravel violin eight"
    wrong = held.client.post(place, headers=SITE, data={"password": "x", "code": "1", "new": new})
    assert (wrong.status_code, 'id="password-error"' in wrong.text) == (403, True)
    assert "The current password or the code is incorrect" in wrong.text
    sent = {"password": PASSWORD, "code": code()}
    short = held.client.post(place, headers=SITE, data=sent | {"new": "short"})
    assert (short.status_code, 'id="new-error"' in short.text) == (422, True)
    done = held.client.post(place, headers=SITE, data=sent | {"code": code(), "new": new})
    assert "Your password has been changed" in done.text
    assert sign_in(held, "auditor", secret, password=new, code=code()).status_code == 204


def test_an_auditor_verifies_and_goes_through_the_events(held: Running) -> None:
    page = _ask(held, "GET", "/audit", "auditor")
    assert "Finance: the log is complete" in page
    assert "BEGIN PUBLIC KEY" in page
    assert "The psd log" not in page
    assert "All alerts by state" in page
    assert "All alerts by state" not in _ask(held, "GET", "/audit", "admin")
    place = re.search(r'action="(/audit/statements/\w+/verification)"', page)
    assert place is not None
    told = _ask(held, "POST", place[1], "auditor")
    assert "october.csv is as it was received" in told
    assert "1 alert was made again exactly as before" in told
    assert "alerts were made" not in _ask(held, "POST", place[1], "admin")
    statement = _ask(
        held, "GET", place[1].removeprefix("/audit").removesuffix("/verification"), "auditor"
    )
    assert f'action="{place[1]}/independent"' in statement
    again = _ask(held, "POST", f"{place[1]}/independent", "auditor")
    assert "A second program found the same limits, splits and duplicates" in again
    assert "Split purchase: payments on one day exceed the single-purchase limit" in again
    assert "Not agreed" not in again
    for _ in range(55):
        services.list_alerts(held.context("auditor"))
    page = _ask(held, "GET", "/audit/events?object=alerts&role=auditor", "auditor")
    assert page.count("> Alerts<") == 50
    assert re.search(r"Events 1 to 50 of \d\d, the newest first", page)
    assert 'value="psd">Professional standards<' in page
    older = re.search(r'href="([^"]+)" rel="next"', page)
    assert older is not None
    page = _ask(held, "GET", older[1].replace("&amp;", "&"), "auditor")
    assert 5 <= page.count("> Alerts<") < 50
    page = _ask(held, "GET", "/audit/events?action=x%22%25", "auditor")
    assert "No event matches the filters." in page
    collected = _ask(held, "GET", "/audit/events?action=collection", "auditor")
    assert "> Collection<" in collected
    _ask(held, "GET", "/audit/events?lane=psd", "auditor", 403)
    assert "Audit log: Professional standards" in _ask(held, "GET", "/audit/events?lane=psd", "psd")


def test_who_tries_the_audit_log_of_another_lane_leaves_an_event(held: Running) -> None:
    """Once, the page counted the events first, and refused without a trace."""
    _ask(held, "GET", "/audit/events?lane=psd", "finance", 403)
    wanted = {"object": "audit", "role": "finance", "outcome": "denied"}
    events = held.ask("GET", "/v1/audit/events", "auditor", params=wanted).json()
    assert len(events) == 1


def test_looking_at_events_moves_no_event_to_another_page(held: Running) -> None:
    for _ in range(120):
        services.list_alerts(held.context("auditor"))
    seen: list[int] = []
    place = "/audit/events"
    while place:
        page = _ask(held, "GET", place, "auditor")
        seen += [int(text) for text in re.findall(r'rowheader" [^>]*>(\d+)</th>', page)]
        following = re.search(r'href="([^"]+)" rel="next"', page)
        place = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) > 120
    assert seen == list(range(seen[0], 0, -1))
    assert "Show the newest events" in page


def test_health_says_what_the_casebook_stands_on(held: Running) -> None:
    page = _ask(held, "GET", "/health", "admin")
    assert "journal" in page.casefold()
    assert ">Integrity<" not in page, "nothing that reads the whole file"
    _ask(held, "GET", "/health", "auditor", 403)
