"""The pages, as a browser without scripts goes through them; every journey by forms and links."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from books import month, needs_pdf
from services import OCTOBER, OWN, PASSWORD, Running, activate_account, sign_in, text

from api.downloads import content_disposition
from api.middleware import HEADERS
from api.templating import PAGE_POLICY
from api.web.base import DONE
from cardwatch import services
from cardwatch.errors import FileRefused
from cardwatch.services.refused_files import ArrivedFile, refuse_arrival
from cardwatch.statements import FIELDS, profile_toml

if TYPE_CHECKING:
    from collections.abc import Callable

WEB = Path(__file__).parents[2] / "api" / "web"
FEEDS = Path(__file__).parents[1] / "tabular" / "feeds"
SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


class Browser:
    """A browser of somebody who has signed in."""

    def __init__(self, running: Running, role: str) -> None:
        self.running, self.client = running, running.client
        secret = activate_account(running, role)
        self.client.cookies.clear()
        assert sign_in(running, role, secret).status_code == 204

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path, headers=SITE)
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def post(self, path: str, data: dict[str, Any], **more: Any) -> Any:
        return self.client.post(path, data=data, headers=SITE, **more)

    def upload(self, *files: tuple[str, str], **data: str) -> Any:
        sent = [("files", (name, content)) for name, content in files]
        return self.post("/statements/new", data, files=sent)

    def until_done(self, answer: Any) -> str:
        """Look until everything that was uploaded is scored; return the page that says so."""
        assert answer.status_code == 200, answer.text
        place, page = str(answer.url), str(answer.text)
        while "are being scored" in page:
            page = self.get(place)
        return page


@pytest.fixture
def browse(running: Running) -> Callable[[str], Browser]:
    """Give a browser of somebody of a role."""
    return lambda role: Browser(running, role)


def _first_alert(page: str) -> str:
    found = re.search(r'href="/alerts/([0-9a-f]{12})["?]', page)
    assert found is not None, page
    return found[1]


def _received(browser: Browser, *files: tuple[str, str], **said: str) -> str:
    """Upload, and look until everything is scored."""
    return browser.until_done(browser.upload(*files, **said))


def test_a_month_from_sign_in_to_a_recorded_answer(browse: Callable[[str], Browser]) -> None:
    browser = browse("finance")
    assert "No statement has been uploaded yet, so there are no alerts" in browser.get("/alerts")
    assert "Set up cardwatch" in browser.get("/")
    page = _received(browser, ("october.csv", OCTOBER), ("september.csv", text(*month(9))))
    assert page.count("payments were received") == 2
    inbox = browser.get("/alerts")
    name = _first_alert(inbox)
    page = browser.get(f"/alerts/{name}")
    assert "£1,850.00" in page
    assert "Record the answer" in page
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    sent = {"seen": seen[1], "state": "explained", "reason": "two sites"}
    done = browser.post(f"/alerts/{name}/decision", sent)
    assert done.status_code == 200
    assert "two sites" in done.text
    late = browser.post(f"/alerts/{name}/decision", sent)
    assert late.status_code == 422
    assert "Somebody else has changed this alert" in late.text
    assert "<title>Error: " in late.text
    assert "No alert matches the filters" in browser.get("/alerts?state=open")


def test_a_form_that_is_wrong_is_shown_again_with_what_is_wrong(
    browse: Callable[[str], Browser],
) -> None:
    browser = browse("finance")
    _received(browser, ("october.csv", OCTOBER))
    name = _first_alert(browser.get("/alerts"))
    for sent, told in (
        ({"seen": "0", "state": "explained", "reason": " "}, "Enter a reason"),
        ({"seen": "0", "reason": "x", "due_on": "soon"}, "is not a date"),
        ({"seen": "0", "reason": "x", "tags": "no!"}, "Enter at most 8 tags"),
        ({"seen": "0", "reason": "x", "recovered_pence": "ten"}, "Enter a sum in pounds"),
        ({"seen": "0", "reason": "x", "assigned_to": "nobody@x.example"}, "Nobody with that email"),
    ):
        answer = browser.post(f"/alerts/{name}/decision", sent)
        assert answer.status_code == 422, sent
        assert told in answer.text
        assert 'class="govuk-error-summary"' in answer.text
    nothing = browser.upload(("", ""))
    assert nothing.status_code == 422
    assert "Select a statement" in nothing.text
    wrong = browser.upload(("x.pdf", "%PDF"))
    assert "name ends in" in wrong.text


def test_money_recovered_is_recorded_on_the_alert_and_in_the_quarterly_report(
    browse: Callable[[str], Browser],
) -> None:
    browser = browse("finance")
    _received(browser, ("october.csv", OCTOBER))
    name = _first_alert(browser.get("/alerts"))
    sent = {"seen": "0", "reason": "card refund seen", "state": "confirmed",
            "recovered_pence": "£1,850"}  # fmt: skip
    assert browser.post(f"/alerts/{name}/decision", sent).status_code == 200
    page = browser.get(f"/alerts/{name}")
    assert "Money recovered so far: £1,850.00." in page
    assert 'value="1850.00"' in page
    (alert,) = browser.running.ask("GET", "/v1/alerts?state=confirmed").json()["alerts"]
    assert alert["recovered_pence"] == 185_000
    report = re.sub(r"<[^>]+>", " ", browser.get("/governance?quarter=2026-Q4"))
    assert re.search(r"Money recovered\s+£1,850\b", report)


def _waiting(page: str) -> dict[str, str]:
    """The hidden fields of Check columns: which file waits, and what came with it."""
    return dict(re.findall(r'type="hidden" name="(uploads|jobs)" value="([^"]*)"', page))


def test_columns_are_checked_once_and_then_known(browse: Callable[[str], Browser]) -> None:
    browser = browse("finance")
    strange = "Wann,Wer,Wo,Wieviel\n2026-10-01,E1,SHOP,5.00\n2026-10-02,E2,SHOP,6.00\n"
    asked = browser.upload(("strange.csv", strange))
    assert "Check columns" in asked.text
    assert "Not readable yet: choose the column for cardholder" in asked.text
    chosen = _preselected(asked.text)
    assert (chosen["date"], chosen["merchant"], chosen["amount"]) == ("Wann", "Wo", "Wieviel")
    assert asked.text.count("Guessed by content") == 3
    form = _waiting(asked.text) | chosen | {"employee_id": "Wer", "action": "preview"}
    for gone in ("date", "employee_id"):
        wrong = browser.post("/statements/columns", form | {gone: ""})
        assert wrong.status_code == 422
    shown = browser.post("/statements/columns", form)
    assert shown.status_code == 200
    for words in ("SHOP", "1 Oct 2026", "£11.00", "Charge", "Columns not used"):
        assert words in shown.text
    done = browser.post("/statements/columns", form | {"action": "read"})
    assert "2 payments were received" in browser.until_done(done)
    gone = browser.post("/statements/columns", form)
    assert gone.status_code == 404, "the file was erased once it was read"
    later = strange.replace("2026-10", "2026-11")
    assert "2 payments were received" in _received(browser, ("later.csv", later))


def test_files_of_several_layouts_are_asked_about_one_after_the_other(
    browse: Callable[[str], Browser],
) -> None:
    browser = browse("finance")
    first = "Wann,Wer,Wo,Wieviel\n2026-10-01,E1,SHOP,5.00\n2026-10-02,E2,SHOP,6.00\n"
    second = "Dag;Navn;Sted;Sum\n01/10/2026;E1;SHOP;7,00\n02/10/2026;E2;SHOP;8,00\n"
    files = {"a.csv": first, "b.csv": second, "c.csv": first.replace("-10-", "-09-")}
    page = browser.upload(*files.items(), ("known.csv", OCTOBER)).text
    assert "1 other file was read" in page
    assert "Next: b.csv, c.csv" in page
    form = _waiting(page) | _preselected(page) | {"employee_id": "Wer", "action": "read"}
    page = browser.post("/statements/columns", form).text
    assert "b.csv has a layout that we do not know yet" in page
    assert "3 other files were read" in page
    assert "Next:" not in page
    chosen = {"merchant": "Sted", "employee_id": "Navn"}
    form = _waiting(page) | _preselected(page) | chosen | {"action": "read"}
    unclear = browser.post("/statements/columns", form | {"date": "Dag", "date_order": "decide"})
    assert unclear.status_code == 422
    assert 'href="#date_order"' in unclear.text
    done = browser.post("/statements/columns", form | {"date_order": "day-first"})
    told = browser.until_done(done)
    assert told.count("2 payments were received") == 3


def test_an_unclear_file_is_settled_without_a_second_upload(
    browse: Callable[[str], Browser],
) -> None:
    browser = browse("finance")
    lines = OCTOBER.splitlines()
    unclear = [re.sub(r"^2026-(\d\d)-(\d\d)", r"\1/03/2026", line) for line in lines]
    page = browser.upload(("unclear.csv", "\n".join(unclear))).text
    assert "do not show whether days or months come first" in page
    form = _waiting(page) | _preselected(page) | {"date_order": "month-first", "action": "read"}
    assert "were received" in browser.until_done(browser.post("/statements/columns", form))


def _person(running: Running, role: str) -> services.ServiceContext:
    """Return the service context of the person who has a role, whose browser it is."""
    now = running.clock()
    actor = services.actor_of_person(running.book, OWN, f"{role}@{OWN}.example", now)
    return services.ServiceContext(running.book, actor, now)


def test_a_colleagues_profile_is_checked_and_saved_by_a_second_person(
    browse: Callable[[str], Browser], running: Running
) -> None:
    browser, colleague = browse("finance"), running.context("finance")
    chosen = {"date": "Wann", "merchant": "Wo", "amount": "Wieviel", "employee_id": "Wer"}
    profile = services.profile_of_form(["Wann", "Wer", "Wo", "Wieviel"], chosen, {"name": "Ours"})
    services.save_profile(colleague, profile_toml(profile))
    page = browser.get("/statements/profiles")
    assert "A colleague&#39;s files" in page
    assert "Remove Ours" not in page
    (waiting,) = services.list_profiles(_person(running, "finance"))
    page = browser.get(f"/statements/profiles/{waiting.profile_id}")
    browser.post(f"/statements/profiles/{waiting.profile_id}", _preselected(page) | {"name": "O"})
    page = browser.get("/statements/profiles")
    assert "Everybody&#39;s files" in page
    assert "A colleague" not in page
    assert services.list_profiles(colleague)[0].is_shared


def test_profiles_are_listed_changed_and_removed(
    browse: Callable[[str], Browser], running: Running
) -> None:
    browser, context = browse("finance"), _person(running, "finance")
    chosen = {"date": "Wann", "merchant": "Wo", "amount": "Wieviel", "employee_id": "Wer"}
    profile = services.profile_of_form(["Wann", "Wer", "Wo", "Wieviel"], chosen, {"name": "Ours"})
    services.save_profile(context, profile_toml(profile))
    (remembered,) = services.list_profiles(context)
    profile_id = remembered.profile_id
    assert "Ours" in browser.get("/statements/profiles")
    page = browser.get(f"/statements/profiles/{profile_id}")
    form = _preselected(page) | {"name": "Theirs", "date_order": "month-first"}
    assert form["merchant"] == "wo"
    wrong = browser.post(f"/statements/profiles/{profile_id}", form | {"merchant": ""})
    assert wrong.status_code == 422
    assert browser.post(f"/statements/profiles/{profile_id}", form).status_code == 200
    kept = services.get_column_profile(context, profile_id)
    assert (kept.name, kept.date_order) == ("Theirs", "month-first")
    assert kept.map(["Wann", "Wer", "Wo", "Wieviel"]) == profile.map(["Wann", "Wer", "Wo",
                                                                      "Wieviel"])  # fmt: skip
    assert "Remove the profile Theirs?" in browser.get(f"/statements/profiles/{profile_id}/removal")
    browser.post(f"/statements/profiles/{profile_id}/removal", {})
    assert not services.list_profiles(context)


def test_a_bank_feed_is_uploaded_and_one_cut_off_is_listed(
    browse: Callable[[str], Browser],
) -> None:
    browser = browse("finance")
    feed = (FEEDS / "small.vcf").read_text(encoding="utf-8")
    assert "3 payments were received" in _received(browser, ("october.vcf", feed))
    half = browser.upload(("november.vcf", feed[:900]), ("december.vcf", feed[:800]))
    assert half.status_code == 200
    page = browser.get("/statements")
    assert "Uploads refused in the last 30 days" in page
    assert "november.vcf: read as Visa VCF" in page
    assert "Visa VCF 4.4" in page


def test_a_refused_file_of_the_folder_is_dealt_with_on_pages(
    browse: Callable[[str], Browser], running: Running, tmp_path: Path
) -> None:
    browser, context = browse("finance"), running.context("finance")
    seal = running.client.app.state.service.seal  # type: ignore[attr-defined]
    content = b"Wann,Wer,Wo,Wieviel\n2026-10-01,E1,SHOP,5.00\n2026-10-02,E2,SHOP,6.00\n"
    for code, reason in (("columns_unknown", "no column for date"), ("damaged", "it is damaged")):
        data = content if code == "columns_unknown" else b"x"
        source = tmp_path / f"{code}.csv"
        source.write_bytes(data)
        file = ArrivedFile(source.name, hashlib.sha256(data).hexdigest(), len(data), source)
        refuse_arrival(context, file, FileRefused(file.name, code, reason), seal)
    for place in ("/", "/statements"):
        page = browser.get(place)
        assert "Files that were refused or could not be fetched" in page
        assert "damaged.csv: it is damaged" in page
        assert page.count("State the columns<") == 1
        assert "SHOP" not in page
    rows = {row["code"]: row for row in running.ask("GET", "/v1/refused-files").json()}
    assert rows["columns_unknown"]["has_content"]
    place = f"/statements/refused/{rows['columns_unknown']['refusal_id']}"
    page = str(browser.post(f"{place}/columns", {}).text)
    form = _waiting(page) | _preselected(page) | {"employee_id": "Wer", "action": "read"}
    done = browser.until_done(browser.post("/statements/columns", form))
    assert "2 payments were received" in done
    page = browser.get("/statements")
    assert "columns_unknown.csv: no column" not in page
    assert "damaged.csv: it is damaged" in page
    place = f"/v1/refused-files/{rows['damaged']['refusal_id']}/settlement"
    assert running.ask("POST", place).status_code == 204
    assert running.ask("POST", place).status_code == 404
    assert "Files that were refused or could not be fetched" not in browser.get("/")


def _preselected(page: str) -> dict[str, str]:
    """The heading that stands chosen in each box of Check columns, as a browser would send it."""
    boxes = re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL)
    chosen = {name: re.search(r'value="([^"]*)" selected', box) for name, box in boxes}
    return {name: found[1] if found else "" for name, found in chosen.items()}


KNOWN = "Transaction Date,Posting Date,Merchant,Amount,MCC,Cost Centre,Description"
RECOGNISED = {"date": "Transaction Date", "posting_date": "Posting Date", "merchant": "Merchant",
              "amount": "Amount", "mcc": "MCC", "cost_centre": "Cost Centre",
              "description": "Description"}  # fmt: skip


def test_columns_that_are_recognised_are_preselected_and_kept(
    browse: Callable[[str], Browser], running: Running
) -> None:
    browser = browse("finance")
    strange = f"{KNOWN},Wer\n2026-10-01,2026-10-02,SHOP,5.00,5411,CC1,paper,E1\n"
    strange += "2026-10-03,2026-10-04,SHOP,6.00,5411,CC1,paper,E2\n"
    asked = browser.upload(("strange.csv", strange)).text
    chosen = _preselected(asked)
    fields = {field: heading for field, heading in chosen.items() if heading and field in FIELDS}
    assert fields == RECOGNISED
    form = _waiting(asked) | {"action": "read"}
    wrong = browser.post("/statements/columns", form | chosen)
    assert wrong.status_code == 422, "nobody has said who pays"
    assert _preselected(wrong.text) == chosen
    done = browser.post("/statements/columns", form | chosen | {"employee_id": "Wer", "mcc": ""})
    assert "2 payments were received" in browser.until_done(done)
    assert not services.list_column_profiles(running.context("finance")), "it is theirs alone"
    kept = services.list_column_profiles(_person(running, "finance"))[0]
    headings = strange.splitlines()[0].split(",")
    found = {field: headings[place] for field, place in kept.map(headings).items()}
    expected = RECOGNISED | {"employee_id": "Wer"}
    del expected["mcc"]  # somebody said that it is not in the file
    assert found == expected
    assert "transaction_id" in kept.map([*headings, "Reference"]), "a later file has more"


def test_columns_not_asked_about_keep_their_guess(running: Running) -> None:
    at, headings = running.context("finance"), [*KNOWN.split(","), "Wer"]
    needed = {"date": "Transaction Date", "merchant": "Merchant", "amount": "Amount"}
    profile = services.profile_of_form(headings, needed | {"employee_id": "Wer"}, {})
    services.save_profile(at, profile_toml(profile))
    found = services.list_column_profiles(at)[0].map(headings)
    assert {field: headings[place] for field, place in found.items()} == RECOGNISED | {
        "employee_id": "Wer"
    }


def test_a_heading_of_two_lines_is_known_the_next_time(browse: Callable[[str], Browser]) -> None:
    browser = browse("finance")
    strange = '"Kauf\nTag",Wer,Wo,Wieviel\n2026-10-01,E1,SHOP,5.00\n2026-10-02,E1,SHOP,6.00\n'
    asked = browser.upload(("strange.csv", strange)).text
    assert _preselected(asked)["date"] == "Kauf Tag"
    chosen = {"date": "Kauf Tag", "employee_id": "Wer", "merchant": "Wo", "amount": "Wieviel"}
    done = browser.post("/statements/columns", _waiting(asked) | chosen | {"action": "read"})
    assert "2 payments were received" in browser.until_done(done)
    later = strange.replace("2026-10", "2026-11")
    assert "2 payments were received" in _received(browser, ("later.csv", later))


def test_professional_standards_see_no_name_until_they_ask(
    browse: Callable[[str], Browser], running: Running
) -> None:
    running.send(OCTOBER)
    browser = browse("psd")
    inbox = browser.get("/alerts")
    assert "Inbox" in inbox
    names = set(re.findall(r'href="/alerts/([0-9a-f]{12})["?]', inbox))
    assert len(names) == 2
    lane = {one["alert_id"]: one["lane"] for one in
            running.ask("GET", "/v1/alerts", "psd").json()["alerts"]}  # fmt: skip
    own = next(name for name in names if lane[name] == "psd")
    for path in ("/alerts", "/review", f"/alerts/{own}", f"/alerts/{own}/holder",
                 f"/alerts/{own}/merchant"):  # fmt: skip
        assert not re.search(r"\bE\d\b", browser.get(path)), path
    refused = browser.post(f"/alerts/{own}/name", {"why": ""})
    assert (refused.status_code, "Enter a reason" in refused.text) == (422, True)
    shown = browser.post(f"/alerts/{own}/name", {"why": "case 12"})
    assert re.search(r"\bE\d\b", shown.text)
    assert "Who has seen this" in shown.text
    services.get_history(running.context("psd"), own)
    seen = browser.get(f"/alerts/{own}")
    assert f"psd@{OWN}.example</td>" in seen
    assert "key &#39;psd&#39;</td>" in seen
    assert re.search(r"Who asked to see the name.*psd@.*case 12", seen, re.DOTALL)
    finance = next(name for name in names if lane[name] == "finance")
    assert "Record the answer" not in browser.get(f"/alerts/{finance}")
    assert services.get_history(running.context("finance"), finance)["seen"] == []


@pytest.mark.parametrize(
    ("role", "paths"),
    [
        ("finance", ["/governance", "/impact"]),
        ("auditor", ["/governance", "/alerts", "/statements", "/rules", "/rules/split-same-day",
                     "/settings", "/audit"]),
        ("admin", ["/statements", "/audit", "/people"]),
        ("psd", ["/rules", "/settings", "/audit", "/statements/new"]),
    ],
)  # fmt: skip
def test_each_role_has_its_pages(
    browse: Callable[[str], Browser], running: Running, role: str, paths: list[str]
) -> None:
    running.send(OCTOBER)
    browser = browse(role)
    for path in ["/", *paths, "/help", "/accessibility", "/privacy", "/reference"]:
        page = browser.get(path)
        assert "<h1" in page
        assert 'aria-label="Menu"' in page, path
    browser.client.cookies.clear()
    for cookie in ("", "__Host-cardwatch=nobody.s"):
        help_page = browser.client.get("/help", headers=SITE | {"Cookie": cookie})
        assert help_page.status_code == 200
        assert 'aria-label="Menu"' not in help_page.text


@pytest.mark.parametrize(
    ("role", "path"),
    [("auditor", "/statements/jobs?job=none"), ("admin", "/alerts"), ("finance", "/people"),
     ("finance", "/alerts/000000000000"), ("finance", "/rules/none"), ("finance", "/none")],
)  # fmt: skip
def test_what_is_not_theirs_is_a_page_that_says_so(
    browse: Callable[[str], Browser], role: str, path: str
) -> None:
    answer = browse(role).client.get(path, headers=SITE)
    assert answer.status_code in {403, 404}
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1" in answer.text


def test_whoever_has_not_signed_in_is_sent_to_sign_in(running: Running) -> None:
    answer = running.client.get("/alerts", headers=SITE, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/alerts")
    page = running.client.get("/sign-in", headers=SITE)
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == PAGE_POLICY
    for name in HEADERS.keys() - {"Content-Security-Policy"}:
        assert page.headers[name] == HEADERS[name]
    wrong = running.client.post(
        "/sign-in", headers=SITE, data={"organisation": OWN, "email": "x@y", "password": "p"}
    )
    assert (wrong.status_code, "<title>Error: Sign in" in wrong.text) == (401, True)


def test_an_account_is_taken_on_pages(running: Running) -> None:
    import pyotp  # noqa: PLC0415  beside its use

    people = running.ask("GET", "/v1/people", "admin").json()
    person = next(one["person_id"] for one in people if one["role"] == "finance")
    made = running.ask("POST", f"/v1/people/{person}/invitation", "admin").json()
    client = running.client
    wrong = client.post("/account", headers=SITE, data={"token": "none"})
    assert wrong.status_code == 422
    page = client.post("/account", headers=SITE, data={"token": made["token"]}).text
    secret = re.search(r'by key: <strong class="cw-hash">([A-Z2-7]+)</strong>', page)
    assert secret is not None
    code = pyotp.TOTP(secret[1]).at(running.clock())
    sent = {"token": made["token"], "email": "x", "secret": secret[1], "code": code}
    short = client.post("/account/password", headers=SITE, data=sent | {"password": "short"})
    assert (short.status_code, "15 to 128" in short.text) == (422, True)
    taken = client.post("/account/password", headers=SITE, data=sent | {"password": PASSWORD})
    assert "Sign in" in taken.text
    running.clock.go(seconds=60)
    code = pyotp.TOTP(secret[1]).at(running.clock())
    entered = client.post(
        "/sign-in", headers=SITE,
        data={"organisation": OWN, "email": f"finance@{OWN}.example", "password": PASSWORD,
              "code": code},
    )  # fmt: skip
    assert "Alerts" in entered.text
    out = client.post("/sign-out", headers=SITE, data={})
    assert "Sign in" in out.text
    assert client.get("/alerts", headers=SITE, follow_redirects=False).status_code == 303


def test_a_proposal_is_agreed_to_by_another(
    browse: Callable[[str], Browser], running: Running
) -> None:
    sent = {"kind": "policy", "reason": "fewer", "policy": "alerts_per_1000 = 1\n"}
    made = running.ask("POST", "/v1/proposals", json=sent).json()
    browser = browse("finance")
    place = f"/settings/proposals/{made['proposal_id']}"
    assert place in browser.get("/settings")
    assert "Approve and activate" in browser.get(place)
    done = browser.post(f"/settings/proposals/{made['proposal_id']}/agreement", {})
    assert done.status_code == 200
    assert DONE["approved"] in done.text
    again = browser.post(f"/settings/proposals/{made['proposal_id']}/agreement", {})
    assert again.status_code == 409
    assert running.ask("GET", "/v1/policy").json()["sha256"] == made["sha256"]


def test_a_page_confirms_in_sentences_of_its_own_alone(browse: Callable[[str], Browser]) -> None:
    browser = browse("finance")
    assert "govuk-notification-banner" not in browser.get("/settings?done=You+have+won")
    assert DONE["withdrawn"] in browser.get("/settings?done=withdrawn")
    web = "".join(path.read_text(encoding="utf-8") for path in WEB.glob("*.py"))
    assert [name for name in DONE if web.count(f'"{name}"') < 2] == []


def test_a_correction_is_brought_on_a_page(browse: Callable[[str], Browser]) -> None:
    browser = browse("finance")
    _received(browser, ("october.csv", OCTOBER))
    found = re.search(r'value="([0-9a-f]{12})"', browser.get("/statements/new"))
    assert found is not None
    for changed in ("900.00", "901.00"):
        lines = OCTOBER.replace("900.00", changed) + "2026-10-28,E3,SHOP 1,9.00,Z1\n"
        sent = browser.upload(("new.csv", lines), corrects=found[1])
        page = str(sent.text)
        while "are being scored" in page:
            page = browser.get(str(sent.url))
        assert ("A second person is needed" in page) == (changed == "901.00")
        found = re.search(r'value="([0-9a-f]{12})"', browser.get("/statements/new"))
        assert found is not None
    found = re.search(r"/statements/([0-9a-f]{12})", browser.get("/statements"))
    assert found is not None
    assert "Superseded" in browser.get("/statements")
    assert "What happened to every row" in browser.get(f"/statements/{found[1]}")


def test_a_copy_among_the_files_of_one_upload_is_named(browse: Callable[[str], Browser]) -> None:
    page = _received(browse("finance"), ("october.csv", OCTOBER), ("copy.csv", OCTOBER))
    assert page.count("payments were received") == 1
    assert "copy.csv: the same file as another of these" in page


@needs_pdf
def test_what_is_handed_over_comes_as_a_file_and_says_why(
    browse: Callable[[str], Browser], running: Running
) -> None:
    running.send(OCTOBER)
    browser = browse("finance")
    name = _first_alert(browser.get("/alerts"))
    statement = re.search(r'href="/statements/([0-9a-f]{12})"', browser.get("/statements"))
    assert statement is not None
    why = {"purpose": "finance-assurance", "recipient": "CFO"}
    for place, begins in ((f"/alerts/{name}", b"PK"), (f"/statements/{statement[1]}", b"%PDF-")):
        path = f"{place}/hand-over"
        assert "Purpose" in browser.get(path)
        for missing in ("purpose", "recipient", "form"):
            sent = why | {"form": "pdf"} | {missing: ""}
            wrong = browser.post(path, sent)
            assert (wrong.status_code, f'id="{missing}-error"' in wrong.text) == (422, True), (
                missing
            )
        form = "zip" if begins == b"PK" else "pdf"
        given = browser.post(path, why | {"form": form})
        assert given.content.startswith(begins)
        named = f"case {name}.zip" if form == "zip" else "2026-10 alerts.pdf"
        assert given.headers["content-disposition"] == content_disposition(named)
    questions = f"/alerts/{name}/questions"
    assert "E1" in browser.get(questions)
    wrong = browser.post(questions, {"recipient": "E1"})
    assert (wrong.status_code, "goes to their line manager" in wrong.text) == (422, True)
    given = browser.post(questions, {"recipient": "Them"})
    assert given.content.startswith(b"%PDF-")
    named = content_disposition(f"questions {name}.pdf")
    assert given.headers["content-disposition"] == named
    for path, named in (
        ("/governance.pdf?quarter=2026-Q4", "2026-Q4 report.pdf"),
        ("/impact.pdf", "impact assessment.pdf"),
    ):
        given = browser.client.get(path, headers=SITE)
        assert given.content.startswith(b"%PDF-")
        assert given.headers["content-disposition"] == content_disposition(named)
    assert "£1,850" not in browser.get("/governance")
    assert "is not a quarter" in browser.get("/governance?quarter=x", 422)


def test_professional_standards_hand_a_case_over_once_they_see_it_by_name(
    browse: Callable[[str], Browser], running: Running
) -> None:
    running.send(OCTOBER)
    browser = browse("psd")
    name = _first_alert(browser.get("/alerts?lane=psd"))
    path, sent = f"/alerts/{name}/hand-over", {"purpose": "misconduct", "recipient": "x"}
    assert "give a reason to see the names" in browser.get(path)
    assert browser.post(path, sent | {"form": "json"}).status_code == 403
    browser.post(f"/alerts/{name}/name", {"why": "case 12"})
    assert name in browser.post(path, sent | {"form": "json"}).text


def test_statements_have_pages_that_keep_the_filter(
    browse: Callable[[str], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.web.statements.STATEMENTS_PER_PAGE", 1)
    browser = browse("finance")
    for number in (7, 8, 9):
        _received(browser, (f"month{number}.csv", text(*month(number))), history="on")
    page = browser.get("/statements?state=history&since=2026-08-01")
    assert "Statements 1 to 1 of 2, the newest first" in page
    assert set(re.findall(r"month\d\.csv", page)) == {"month9.csv"}
    following = re.search(r'href="([^"]+)" rel="next"', page)
    assert following is not None
    page = browser.get(following[1].replace("&amp;", "&"))
    assert set(re.findall(r"month\d\.csv", page)) == {"month8.csv"}
    assert 'rel="next"' not in page


def test_the_list_of_statements_is_narrowed_by_source_period_and_state(
    browse: Callable[[str], Browser],
) -> None:
    browser = browse("finance")
    _received(browser, ("october.csv", OCTOBER))
    _received(browser, ("september.csv", text(*month(9))), history="on")
    page = browser.get("/statements")
    source = re.findall(r'<option value="([^"]+)">', page.partition('name="layout"')[2])[0]
    for asked, shown in (
        ("", {"october", "september"}), (f"layout={source}", {"october", "september"}),
        ("layout=another", set()), ("state=scored", {"october"}), ("state=history", {"september"}),
        ("state=superseded", set()), ("since=2026-10-12", {"october"}),
        ("until=2026-09-30", {"september"}), ("since=2026-09-13&until=2026-09-30", set()),
        ("since=2026-09-12&until=2026-10-01", {"october", "september"}),
    ):  # fmt: skip
        page = browser.get(f"/statements?{asked}")
        assert set(re.findall(r">(\w+)\.csv</a>", page)) == shown, asked
        assert ("No statement matches" in page) == (not shown), asked
    chosen = browser.get("/statements?state=scored&until=2026-10-31")
    assert re.search(r'href="/statements\?state=scored">.*Days to: 31 October 2026</a>', chosen)
    wrong = browser.get("/statements?since=soon", status=422)
    assert "is not a date" in wrong


def test_the_privacy_notice_is_whole(serve: Callable[..., Running]) -> None:
    contact, basis = "dpo@saltmarsh.example", "our own basis"
    running = serve(privacy_contact=contact, privacy_basis=basis)
    page = running.client.get("/privacy").text
    for words in (contact, basis, "within 30 days", "within one month", "copy of the data",
                  "You can object", "ico.org.uk", "2,557 days"):  # fmt: skip
        assert words in page, words
    assert "CARDWATCH_PRIVACY_CONTACT" not in page
