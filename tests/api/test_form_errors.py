"""Every form with each field wrong: the message is at its field, and the summary links to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from services import OCTOBER, OWN, Running, serving, text

from cardwatch import services
from cardwatch.statements import ReadingChoices, profile_toml, read_each, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
CARDS = "card_last4,employee_id,single_limit\n1234,E1,500\n"
STRANGE = "Wann,Wer,Wo,Wieviel\n2026-10-01,E1,SHOP,5.00\n"
COLUMNS = {"uploads": "{upload}", "date": "Wann", "merchant": "Wo", "amount": "Wieviel",
           "employee_id": "Wer"}  # fmt: skip
PROFILE = {"name": "ours", "date": "a", "merchant": "b", "amount": "c", "employee_id": "d"}
DECISION = {"seen": "0", "reason": "two sites"}
SHARE = {"purpose": "misconduct", "recipient": "Audit", "form": "json"}
PERSON = {"name": "New", "email": "new@x.example", "role": "finance"}
KEY = {"name": "ledger", "role": "auditor", "days": "9"}
TIMES = {"transactions": "2557", "alerts": "2557", "cases": "2557", "registers": "2557",
         "notices": "90", "complaints": "2557"}  # fmt: skip
SAMPLE = {"seed": "7", "since": "2026-10-01", "until": "2026-10-31"}
SUPPRESSION = {"until": "2027-03-01", "reason": "contract 17"}

FORMS: tuple[tuple[str, str, dict[str, str], str, str], ...] = (
    ("/alerts/{alert}/decision", "finance", DECISION | {"reason": ""}, "reason", "Enter a reason"),
    ("/alerts/{alert}/decision", "finance", DECISION | {"state": "guilty"}, "state", "Choose"),
    ("/alerts/{alert}/decision", "finance", DECISION | {"tags": "no!"}, "tags", "Enter at most 8"),
    ("/alerts/{alert}/decision", "finance", DECISION | {"due_on": "soon"}, "due_on", "not a date"),
    ("/alerts/{alert}/decision", "finance", DECISION | {"due_on": "2020-01-01"}, "due_on",
     "from today"),
    ("/alerts/{alert}/decision", "finance",
     DECISION | {"due_on": "2026-12-01", "snoozed_until": "2020-01-01"}, "snoozed_until",
     "from today"),
    ("/alerts/{alert}/decision", "finance", DECISION | {"assigned_to": "reason@x.example"},
     "assigned_to", "Nobody with that email"),
    ("/alerts/{psd_alert}/name", "psd", {}, "why", "Enter a reason"),
    ("/alerts/{alert}/hold", "finance", {}, "reason", "Enter a reason"),
    ("/alerts/{psd_alert}/hold", "psd", {}, "reason", "Enter a reason"),
    ("/alerts/{alert}/suppression", "finance", SUPPRESSION | {"reason": ""}, "reason", "Enter a"),
    ("/alerts/{alert}/suppression", "finance", SUPPRESSION | {"until": ""}, "until",
     "Enter a date"),
    ("/alerts/{alert}/suppression", "finance", SUPPRESSION | {"until": "reason"}, "until",
     "not a date"),
    ("/alerts/{alert}/suppression", "finance", SUPPRESSION | {"until": "2026-11-24"}, "until",
     "after today"),
    ("/alerts/{alert}/suppression", "finance",
     SUPPRESSION | {"until": "2029-01-01", "confirmed": "yes"}, "until", "within a year"),
    ("/alerts/{alert}/hand-over", "finance", SHARE | {"purpose": ""}, "purpose", "Choose"),
    ("/alerts/{alert}/hand-over", "finance", SHARE | {"purpose": "form of"}, "purpose", "purpose"),
    ("/alerts/{alert}/hand-over", "finance", SHARE | {"recipient": ""}, "recipient", "Enter"),
    ("/alerts/{alert}/hand-over", "finance", SHARE | {"form": "purpose"}, "form", "not a list"),
    ("/statements/{statement}/hand-over", "finance", SHARE | {"purpose": ""}, "purpose", "Choose"),
    ("/statements/{statement}/hand-over", "finance", SHARE | {"recipient": ""}, "recipient", "E"),
    ("/statements/{statement}/hand-over", "finance", SHARE | {"form": "doc"}, "form", "not a"),
    ("/alerts/{alert}/questions", "finance", {}, "recipient", "Enter the line manager"),
    ("/alerts/{alert}/questions", "finance", {"recipient": "{holder}"}, "recipient", "goes to"),
    ("/settings/propose", "finance", {"policy": "alerts_per_1000 = 9"}, "reason", "Enter a reason"),
    ("/settings/propose", "finance",
     {"policy": "alerts_per_1000 = 9", "reason": "x", "effective_from": "day such as"},
     "effective_from",
     "not a date"),
    ("/settings/propose/model", "finance", {"reason": "x", "effective_from": "soon"},
     "effective_from",
     "not a date"),
    ("/settings/propose/cards", "finance", {"reason": "x"}, "files", "Select a card register"),
    ("/settings/propose/cards", "finance", {"files": CARDS}, "reason", "Enter a reason"),
    ("/settings/propose/cards", "finance", {"files": CARDS, "reason": "x",
                                              "effective_from": "soon"},
     "effective_from", "not a date"),
    ("/settings/propose/cards", "finance", {"files": "nothing", "reason": "x"}, "files", "csv: "),
    ("/settings/pack", "finance", {"months": "1"}, "files", "Select a policy pack"),
    ("/settings/pack", "finance", {"files": "nothing", "months": "1"}, "files", "policy pack"),
    ("/settings/try", "finance", {"policy": "nothing", "months": "1"}, "policy", "TOML"),
    ("/settings/try", "finance", {"policy": "alerts_per_1000 = 9", "months": "statements"},
     "months", "Enter a number"),
    ("/settings/try", "psd", {"files": "statements", "months": "1"}, "files", "not a rule file"),
    ("/statements/new", "finance", {}, "files", "Select a statement"),
    ("/statements/new", "finance", {"files": "2026-10-01,E1,SHOP,5.00\n"}, "files", "csv: "),
    ("/statements/new", "finance",
     {"files": OCTOBER, "corrects": "{statement}", "history": "true"}, "history", "always"),
    ("/statements/columns", "finance", COLUMNS | {"date": ""}, "date", "date of the purchase"),
    ("/statements/columns", "finance", COLUMNS | {"merchant": ""}, "merchant", "the merchant"),
    ("/statements/columns", "finance", COLUMNS | {"amount": ""}, "amount", "the amount"),
    ("/statements/columns", "finance", COLUMNS | {"employee_id": ""}, "employee_id",
     "names the cardholder"),
    ("/statements/columns", "finance", COLUMNS | {"mcc": "Wo"}, "mcc", "already chosen"),
    ("/statements/columns", "finance", COLUMNS | {"decimal": "dash"}, "decimal", "Choose one"),
    ("/statements/profiles/{profile}", "finance", PROFILE | {"name": ""}, "name", "Enter a name"),
    ("/statements/profiles/{profile}", "finance", PROFILE | {"name": "x" * 101}, "name", "at most"),
    ("/statements/profiles/{profile}", "finance", PROFILE | {"amount": ""}, "amount", "the amount"),
    ("/people", "admin", PERSON | {"name": ""}, "name", "Enter their name"),
    ("/people", "admin", PERSON | {"email": "role is"}, "email", "email address in the correct"),
    ("/people", "admin", PERSON | {"email": f"finance@{OWN}.example", "holds_no_card": "yes"},
     "email", "already exists"),
    ("/people", "admin", PERSON | {"role": ""}, "role", "Choose a role"),
    ("/people", "admin", PERSON | {"role": "king"}, "role", "Choose a role"),
    ("/keys", "admin", KEY | {"name": ""}, "name", "Enter what the key is for"),
    ("/keys", "admin", KEY | {"role": ""}, "role", "Choose a role"),
    ("/keys", "admin", KEY | {"days": "role is"}, "days", "from 1 to 365"),
    ("/retention", "admin", TIMES | {"transactions": "9"}, "transactions", "at least 800"),
    ("/retention", "admin", TIMES | {"alerts": "x"}, "alerts", "at least 800"),
    ("/retention", "admin", TIMES | {"notices": "0"}, "notices", "at least 1"),
    ("/webhook", "admin", {}, "url", "Enter an address without spaces"),
    ("/webhook", "admin", {"url": "http://[broken"}, "url", "begins with https://"),
    ("/webhook", "admin", {"url": "ftp://127.0.0.1/"}, "url", "begins with https://"),
    ("GET /samples", "auditor", SAMPLE | {"of": "seed"}, "of", "Choose a sample of"),
    ("GET /samples", "auditor", SAMPLE | {"count": "0"}, "count", "1 to 500"),
    ("GET /samples", "auditor", SAMPLE | {"seed": "day"}, "seed", "from 0 to"),
    ("GET /samples", "auditor", SAMPLE | {"since": "seed"}, "since", "not a date"),
    ("GET /samples", "auditor", SAMPLE | {"until": "soon"}, "until", "not a date"),
    ("GET /samples", "auditor", {"seed": "7", "since": "2026-10-01"}, "until", "Choose a"),
    ("GET /samples", "auditor", {"seed": "7"}, "since", "Choose a statement"),
    ("GET /samples", "auditor", SAMPLE | {"of": "closed-alerts", "by_money": "yes"}, "by_money",
     "equal chances"),
    ("GET /samples", "auditor", {"seed": "7", "since": "2020-01-01", "until": "2020-01-02"},
     "since", "There are no alerts or payments"),
    ("GET /governance", "finance", {"quarter": "soon"}, "quarter", "not a quarter"),
    ("GET /alerts", "finance", {"since": "soon"}, "since", "not a date"),
    ("GET /alerts", "finance", {"at_least": "much"}, "at_least", "whole pounds"),
    ("GET /statements", "finance", {"until": "soon"}, "until", "not a date"),
)  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with one statement, which no form of these tests changes."""
    folder = tmp_path_factory.mktemp("forms")
    url = f"sqlite:///{folder / 'casebook.db'}"
    with serving(folder / "home", url, chores=False, webhook_hosts="127.0.0.1") as service:
        _receive(service, folder)
        yield service


def _receive(service: Running, folder: Path) -> None:
    path = folder / "october.csv"
    path.write_text(OCTOBER, encoding="utf-8")
    read = read_each([path], ReadingChoices(shipped_profiles(), b"k" * 32))[0]
    assert isinstance(read, tuple), read
    services.receive(service.context("finance"), read)


@pytest.fixture(scope="module")
def words(running: Running) -> dict[str, str]:
    """What stands in addresses and forms for the ids of this service."""
    seal = running.client.app.state.service.seal  # type: ignore[attr-defined]
    finance, psd = running.context("finance"), running.context("psd")
    alert = next(one for one in services.list_alerts(finance) if len(one["holders"]) == 1)
    return {
        "alert": alert["alert_id"],
        "holder": alert["holders"][0],
        "psd_alert": services.list_alerts(psd, services.AlertFilter(lane="psd"))[0]["alert_id"],
        "statement": services.list_statements(finance)[0]["statement_id"],
        "upload": services.keep_upload(finance, "strange.csv", STRANGE.encode(), {}, seal),
        "profile": _remember(finance),
    }


def _remember(context: services.ServiceContext) -> str:
    """Remember a column profile; return its id."""
    chosen = {"date": "A", "merchant": "B", "amount": "C", "employee_id": "D"}
    services.save_profile(context, profile_toml(services.profile_of_form([*"ABCD"], chosen, {})))
    return services.list_profiles(context)[0].profile_id


def _send(
    running: Running, words: dict[str, str], path: str, role: str, sent: dict[str, str]
) -> Any:
    """Send a form: as a query for `GET`, else as a body, with the text of `files` as a file."""
    method, _, address = path.rpartition(" ")
    fields = {name: value.format_map(words) for name, value in sent.items() if name != "files"}
    more: dict[str, Any] = {"params": fields} if method else {"data": fields}
    if "files" in sent:
        more["files"] = {"files": ("files.csv", sent["files"])}
    return running.ask(method or "POST", address.format_map(words), role, headers=SITE, **more)


@pytest.mark.parametrize(("path", "role", "sent", "field", "message"), FORMS)
def test_a_message_is_at_its_field(
    running: Running,
    words: dict[str, str],
    path: str,
    role: str,
    sent: dict[str, str],
    field: str,
    message: str,
) -> None:
    answer = _send(running, words, path, role, sent)
    page = str(answer.text)
    assert answer.status_code == 422, page
    assert re.search(rf'<li><a href="#{field}">[^<]*{re.escape(message)}', page), page
    at_field = re.search(rf'<p id="{field}-error"[^>]*>(.*?)</p>', page, re.DOTALL)
    assert at_field is not None, page
    assert message in at_field[1]
    assert len(re.findall(r'<p id="[\w-]+-error"', page)) == 1, "at no other field"
    for target in re.findall(r'<li><a href="#([\w-]+)"', page):
        assert f'id="{target}"' in page, "the link of the summary leads to its field"


def test_a_message_about_no_field_is_in_the_summary(
    running: Running, words: dict[str, str]
) -> None:
    answer = _send(
        running, words, "/alerts/{alert}/decision", "finance", {"reason": "x", "seen": "99"}
    )
    assert answer.status_code == 422, answer.text
    assert "<li>Somebody else has changed this alert" in answer.text
    assert not re.findall(r'<p id="[\w-]+-error"', answer.text)


@pytest.mark.parametrize(
    ("path", "role", "sent"),
    [
        ("/people", "finance", {}),
        ("/keys", "finance", {}),
        ("/settings/propose/model", "auditor", {"effective_from": "soon"}),
        ("/statements/{statement}/hand-over", "admin", SHARE | {"purpose": ""}),
        ("/cases/{statement}/notes", "psd", {}),
    ],
)
def test_who_may_not_see_a_form_is_told_so_alone(
    running: Running, words: dict[str, str], path: str, role: str, sent: dict[str, str]
) -> None:
    answer = _send(running, words, path, role, sent)
    assert answer.status_code in {403, 404}, answer.text
    assert "There is a problem" not in answer.text, "no link leads to a field that is not there"
    assert "<title>Error" not in answer.text


def test_a_list_that_is_not_shared_is_looked_at_once(
    running: Running, words: dict[str, str]
) -> None:
    before = running.ask("GET", "/v1/audit/events", "psd").json()[0]["seq"]
    _send(running, words, "/statements/{statement}/hand-over", "finance", SHARE | {"purpose": ""})
    events = running.ask("GET", "/v1/audit/events", "psd").json()
    told = [event["object"] for event in events if event["seq"] > before]
    assert told.count("statement") == 1, told


def test_the_api_names_the_field(running: Running, words: dict[str, str]) -> None:
    decided = {"reason": "x", "due_on": "2020-01-01"}
    answer = running.ask("POST", f"/v1/alerts/{words['alert']}/decisions", json=decided,
                         headers={"If-Match": '"0"'})  # fmt: skip
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["errors"] == [{"field": "due_on", "detail": problem["detail"]}]
    invalid = running.ask("POST", f"/v1/alerts/{words['alert']}/holds", json={"why": "x"}).json()
    assert {one["field"] for one in invalid["errors"]} == {"reason", "why"}
    unread = running.send("Date\n")
    assert unread.json()["errors"][0]["field"] == "file"
    policy = {"kind": "policy", "policy": "nothing", "reason": "x"}
    assert (
        running.ask("POST", "/v1/proposals", json=policy).json()["errors"][0]["field"] == "policy"
    )


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"password": "short"}, "password"), ({"code": "000000"}, "code")],
)
def test_a_wrong_invitation_form(running: Running, sent: dict[str, str], field: str) -> None:
    admin = running.context("admin")
    person = services.add_person(
        admin, name="n", email=f"{field}@x.example", role="finance", holds_no_card=True
    )
    token = services.invite(admin, person)
    secret = running.client.post("/v1/account/secret", json={"token": token}).json()["secret"]
    form = {"token": token, "email": "x", "secret": secret, "password": "orchard gravel violin",
            "code": "000000"} | sent  # fmt: skip
    page = running.client.post("/account/password", data=form, headers=SITE).text
    assert f'id="{field}-error"' in page, page
    assert re.findall(r'<p id="([\w-]+)-error"', page) == [field]


def test_unclear_dates_open_their_choice(running: Running, words: dict[str, str]) -> None:
    unclear = text("01/02/2026,E1,SHOP,5.00,R1", "02/03/2026,E2,SHOP,6.00,R2")
    page = _send(running, words, "/statements/new", "finance", {"files": unclear}).text
    assert '<details class="govuk-details" open>' in page, page
