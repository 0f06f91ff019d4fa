"""The list of alerts on pages and in the API: search, filters, decisions, export, neighbours."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from books import SPLIT, crowd, month, second_person
from services import Running, text

from api.web import alerts
from cardwatch import services

if TYPE_CHECKING:
    from collections.abc import Callable

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
STATEMENT = text(*month(10), *SPLIT, *crowd(4))


@pytest.fixture
def page(running: Running) -> Callable[..., Any]:
    """Ask for a page as a role, following where it sends on."""
    running.send(STATEMENT)

    def ask(path: str, role: str = "finance", **data: Any) -> Any:
        method = "POST" if data else "GET"
        return running.client.request(
            method, path, headers=running.of(role) | SITE, data=data or None
        )

    return ask


def _rows(answer: Any) -> list[str]:
    """Return the ids of the alerts that a page lists."""
    body = answer.text.partition("<tbody")[2].partition("</tbody>")[0]
    return re.findall(r'<th scope="row".*?href="/alerts/([0-9a-f]{12})', body, re.DOTALL)


def test_a_line_says_the_fact(page: Callable[..., Any]) -> None:
    listed = page("/alerts").text
    assert "2 payments to one merchant on one day, £1,850.00 in total" in listed
    assert "Split purchase: payments on one day exceed" not in listed.partition("<table")[2]
    assert "NEW FIRM" in listed


def test_an_alert_about_two_people_says_what_it_is_about_in_all(
    page: Callable[..., Any], running: Running
) -> None:
    boxes = re.findall(r'value="(\w{12}:\d+)".*?same_holder_as=\1[^>]*>(\w+)<',
                       page("/payments").text, re.DOTALL)  # fmt: skip
    of_two = list({holder: place for place, holder in boxes}.values())[:2]
    page("/alerts/new", payment=of_two, question="Was it bought once?")
    (alert_id,) = _rows(page("/alerts?kind=by-hand"))
    scope = "In all, this alert is about 2 payments by 2 cardholders."
    for path in (
        "/alerts?kind=by-hand",
        f"/alerts/{alert_id}",
        f"/alerts/decisions?alert={alert_id}",
        "/review?kind=by-hand",
    ):
        assert scope in page(path).text, path
    assert scope not in page("/alerts?kind=split").text
    asked = services.ask_manager(
        running.context("finance"), alert_id, recipient="Their manager", marking="OFFICIAL"
    )[1]
    assert scope in str(asked)


def test_search_leaves_no_name_in_an_address(page: Callable[..., Any]) -> None:
    found = page("/alerts/search", text="new firm", state="unanswered")
    assert "firm" not in str(found.url).casefold()
    assert len(_rows(found)) == 1
    assert "1 alert fits these filters, with £1,850.00 at stake" in found.text
    assert "Search: new firm" in found.text
    assert 'value="new firm"' in found.text
    token = re.search(r"search=([^&]+)", str(found.url))
    assert token is not None
    assert page(f"/alerts?search={token[1]}", "auditor").status_code == 422
    assert page("/alerts?search=nonsense").status_code == 422
    assert page("/alerts/search", text="x" * 101).status_code == 422
    assert not _rows(page("/alerts/search", text="<b>nobody</b>"))


def test_totals_and_neighbours_follow_the_filter(page: Callable[..., Any]) -> None:
    everything, some = _rows(page("/alerts")), _rows(page("/alerts?kind=split&order=money"))
    assert 1 < len(some) <= len(everything)
    second = page(f"/alerts/{some[1]}?kind=split&order=money")
    around = re.findall(
        r'href="/alerts/(\w+)\?kind=split&amp;order=money" rel="(\w+)"', second.text
    )
    assert around[0] == (some[0], "prev")
    assert (around[1] == (some[2], "next")) if len(some) > 2 else len(around) == 1


def test_a_saved_decision_is_confirmed_and_undone(page: Callable[..., Any]) -> None:
    (alert_id, *_) = _rows(page("/alerts?kind=split"))
    decided = page(f"/alerts/{alert_id}/decision?kind=split", reason="two sites", state="explained",
                   seen="0")  # fmt: skip
    assert "Saved: explained" in decided.text
    assert "kind=split" in str(decided.url)
    assert "Undo by reopening" in decided.text
    assert "Saved" not in page(f"/alerts/{alert_id}").text
    assert "Saved" not in page(f"/alerts/{alert_id}?saved=7").text
    undone = page(f"/alerts/{alert_id}/decision", reason="by mistake", state="open", seen="1")
    assert "Saved: open" in undone.text
    assert "Undo by reopening" not in undone.text


def test_several_alerts_are_decided_once(page: Callable[..., Any], running: Running) -> None:
    chosen = _rows(page("/alerts"))[:2]
    form = page(f"/alerts/decisions?alert={chosen[0]}&alert={chosen[1]}")
    assert "Decide on 2 alerts" in form.text
    sent = [f"{one}:0" for one in chosen]
    wrong = page("/alerts/decisions", alert=sent, reason=" ", state="explained")
    assert wrong.status_code == 422
    assert "Enter a reason" in wrong.text
    unchosen = page("/alerts/decisions", alert=sent, reason="so")
    assert "Choose a decision" in unchosen.text
    done = page("/alerts/decisions", alert=sent, reason="one contract", state="explained")
    assert "Decision recorded on 2 alerts" in done.text
    assert not set(chosen) & set(_rows(done))
    for one in chosen:
        assert running.ask("GET", f"/v1/alerts/{one}").json()["state"] == "explained"
    assert "Select 1 to 50 alerts" in page("/alerts/decisions").text
    assert page(f"/alerts/decisions?alert={chosen[0]}", "auditor").status_code == 403


def test_the_filtered_list_is_shared_as_a_file(page: Callable[..., Any]) -> None:
    some = _rows(page("/alerts?kind=split"))
    form = page("/alerts/export?kind=split")
    assert f"{len(some)} alert" in form.text
    assert "Kind: Split purchase" in form.text
    wanted = {"purpose": "finance-assurance", "recipient": "Chief", "form": "csv"}
    answer = page("/alerts/export?kind=split", **wanted)
    assert answer.headers["content-disposition"].startswith('attachment; filename="2026-10 alerts')
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert {row["Alert id"] for row in rows} == set(some)
    assert page("/alerts/export?kind=split", recipient="x").status_code == 422
    nothing = page("/alerts/export?since=2030-01-01", **wanted)
    assert nothing.status_code == 422


def test_psd_shares_no_names_it_has_not_asked_to_see(
    page: Callable[..., Any], running: Running
) -> None:
    wanted = {"purpose": "misconduct", "recipient": "Chief", "form": "csv"}
    assert page("/alerts/export?lane=psd", "psd", **wanted).status_code == 403
    for one in running.ask("GET", "/v1/alerts?lane=psd", "psd").json()["alerts"]:
        page(f"/alerts/{one['alert_id']}/name", "psd", why="case 12")
    assert page("/alerts/export?lane=psd", "psd", **wanted).status_code == 200


def test_rows_of_the_api_carry_title_and_fact(running: Running) -> None:
    running.send(STATEMENT)
    for row in running.ask("GET", "/v1/alerts").json()["alerts"]:
        whole = running.ask("GET", f"/v1/alerts/{row['alert_id']}").json()["raised"]
        lead = whole["reasons"][0]
        assert (row["title"], row["fact"]) == (lead["title"], lead["fact"])
        assert row["payments_count"] == len(whole["payments"])
        assert row["merchant"] == whole["payments"][-1]["merchant"]


def test_search_and_one_decision_on_several_in_the_api(running: Running) -> None:
    running.send(STATEMENT)
    found = running.ask("POST", "/v1/alerts/search", json={"text": "firm", "limit": 2}).json()
    assert len(found["alerts"]) == 2
    assert found["next"]
    alerts = [{"alert_id": one["alert_id"], "version": 0} for one in found["alerts"]]
    sent = {"alerts": alerts, "reason": "one contract", "state": "explained"}
    done = running.ask("POST", "/v1/alerts/decisions", json=sent)
    assert (done.status_code, done.json()) == (201, {"alerts": 2})
    assert running.ask("POST", "/v1/alerts/decisions", json=sent).status_code == 412


def test_what_to_ask_is_printed_page_by_page(
    page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "ALERTS_PER_PAGE", 2)
    first = page("/review?state=unanswered").text
    total = re.search(r"Alerts 1 to 2 of (\d+)", first)
    assert total is not None
    seen, following = re.findall(r">(\d+)\. ", first), first
    while link := re.search(r'href="(/review[^"]+)" rel="next"', following):
        following = page(html.unescape(link[1])).text
        seen += re.findall(r">(\d+)\. ", following)
    assert seen == [str(number + 1) for number in range(int(total[1]))]
    assert "print each page" in following
    beyond = page("/review?state=unanswered&page=999").text
    assert re.findall(r">(\d+)\. ", beyond) == re.findall(r">(\d+)\. ", following)


def test_pages_are_numbered_and_every_alert_is_on_one(
    page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = _rows(page("/alerts"))
    monkeypatch.setattr(alerts, "ALERTS_PER_PAGE", 1)
    first = page("/alerts").text
    assert f"Alerts 1 to 1 of {len(everything)}" in first
    assert f'aria-label="Page {len(everything)}"' in first
    pages = [_rows(page(f"/alerts?page={n + 1}")) for n in range(len(everything))]
    assert [alert_id for rows in pages for alert_id in rows] == everything
    for beyond in ("999", "0", "-1", "x", "1" * 40):
        assert _rows(page(f"/alerts?page={beyond}")) in (pages[0], pages[-1])


def test_what_is_ticked_stays_from_page_to_page(
    page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = _rows(page("/alerts"))
    monkeypatch.setattr(alerts, "ALERTS_PER_PAGE", 2)
    ticked = f"alert={everything[0]}&alert={everything[2]}"
    second = page(f"/alerts?{ticked}&page=2&alert=%22%3E%3Cscript%3E").text
    assert "1 more alert is selected on other pages" in second
    assert f'type="hidden" name="alert" value="{everything[0]}"' in second
    assert re.search(rf'type="checkbox" value="{everything[2]}" checked', second)
    assert "<script>" not in second
    form = page(f"/alerts/decisions?{ticked}&page=2").text
    assert "Decide on 2 alerts" in form
    back = re.search(r'<a href="(/alerts[^"]*)" class="govuk-back-link"', form)
    assert back is not None
    assert page(html.unescape(back[1])).text == page(f"/alerts?{ticked}&page=2").text
    too_many = page("/alerts/decisions?page=2&" + "&".join(f"alert={n:012x}" for n in range(51)))
    assert "Select 1 to 50 alerts" in too_many.text
    assert "51 more alerts are selected on other pages" in too_many.text


def test_an_alert_leads_back_to_its_page_of_the_list(
    page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "ALERTS_PER_PAGE", 1)
    (second,) = _rows(page("/alerts?page=2"))
    link = re.search(rf'href="(/alerts/{second}[^"]*)"', page("/alerts?page=2").text)
    assert link is not None
    assert 'href="/alerts?page=2" class="govuk-back-link"' in page(html.unescape(link[1])).text


def test_a_list_says_how_many_are_more_than_the_budget(running: Running) -> None:
    at = running.context("finance")
    few = "alerts_per_holder_month = 1\nalerts_per_1000 = 0\nalerts_at_least = 1\n"
    policy = services.pack_policy(few, "policy.toml")
    made = services.propose(at, "policy", policy, effective_from="", reason="few")
    services.decide_proposal(second_person(at), made["proposal_id"], agrees=True)
    more = [f"2026-10-{day:02},E{who},FIRM {'ABCDEFGH'[who]}{day},{pounds}.00,X{who}{day}{pounds}"
            for who in (1, 2, 3) for day in range(2, 30, 3) for pounds in (900, 950)]  # fmt: skip
    running.send(text(*month(10), *SPLIT, *more))
    listed = running.ask("GET", "/alerts", headers=SITE).text
    told = re.search(r">(\d+) more alerts? of october.csv</a> (is|are) closed as not asked", listed)
    assert told is not None
    rest = running.ask("GET", "/alerts?state=not-asked", headers=SITE).text
    assert f"{told[1]} alert" in rest
