"""The page of one alert and of the rules behind it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest
from books import SPLIT, month

from cardwatch import services
from cardwatch.casebook.alerts import DecisionInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from services import Running

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


POLICY = '[clauses]\nsplit = "4.2 A purchase must not be divided."\n'


@pytest.fixture
def held(serve: Callable[..., Running], read: Callable[..., Any]) -> Running:
    """Give a service with October's statement, in which there is a split purchase."""
    running = serve(chores=False)
    document = services.pack_policy(POLICY, "policy.toml")
    services.activate_document(running.context("finance"), "policy", document, "2026-01-01")
    services.receive(running.context("finance"), read(*month(10, 40), *SPLIT))
    return running


def _get(running: Running, path: str, role: str = "finance") -> str:
    answer = running.ask("GET", path, role, headers=SITE)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def _alert_id(running: Running) -> str:
    return str(services.list_alerts(running.context("finance"))[0]["alert_id"])


def test_reasons_come_first_and_link_to_rules(held: Running) -> None:
    alert_id = _alert_id(held)
    page = _get(held, f"/alerts/{alert_id}")
    raised = services.get_alert(held.context("finance"), alert_id)["raised"]
    assert page.index(raised.reasons[0].fact) < page.index("At stake")
    for reason in raised.reasons:
        assert reason.fact in page
        assert f'href="/rules/{reason.rule}"' in page


def test_pages_of_queries_say_that_email_is_not_set_up(held: Running) -> None:
    for place in ("/queries", f"/alerts/{_alert_id(held)}/questions"):
        assert "Email is not set up here" in _get(held, place)


def test_one_chart_shows_the_year(held: Running) -> None:
    page = _get(held, f"/alerts/{_alert_id(held)}")
    assert page.count('<figure class="cw-chart">') == 1
    assert "Figures of this chart as a table" in page


def test_a_month_without_a_statement_is_no_month_without_spending(
    held: Running, read: Callable[..., Any]
) -> None:
    services.receive(held.context("finance"), read(*month(8, 40), name="august.csv"))
    alert_id = _alert_id(held)
    for place in ("", "/holder", "/merchant"):
        page = _get(held, f"/alerts/{alert_id}{place}")
        figures = re.findall(r'scope="row"[^>]*>(\w{3} 2026)</th>\s*<td[^>]*>([^<]*)<', page)
        assert [name for name, _ in figures] == ["Aug 2026", "Sep 2026", "Oct 2026"]
        assert figures[1][1] == "No statement"
        assert figures[2][1].startswith("£")


@pytest.mark.parametrize("role", ["finance", "psd"])
def test_an_alert_is_shown_beside_a_statement_that_names_cardholders_otherwise(
    held: Running, role: str
) -> None:
    """Its page failed, where another bank's statement has a payment to the merchant that day."""
    lines = [f"2026-10-{day},************1111,NEW FIRM,{day}.50" for day in range(10, 13)]
    other = "\n".join(["Date,Card Number,Merchant,Amount", *lines, ""])
    held.send(other, name="other.csv")
    while services.do_next_job(held.book, held.clock, held.seal):
        pass
    alert_id = _alert_id(held)
    assert "NEW FIRM" in _get(held, f"/alerts/{alert_id}", role)
    answer = held.ask("GET", f"/v1/alerts/{alert_id}", role)
    (beside,) = (row for row in answer.json()["neighbours"] if row["shares"] == "merchant")
    assert (beside["holder_id"] == "card ending 1111") is (role == "finance")


def test_a_decision_is_chosen_before_it_is_saved(held: Running) -> None:
    page = _get(held, f"/alerts/{_alert_id(held)}")
    assert page.count('type="radio"') == 6
    assert 'name="state" type="radio" value="" checked' in " ".join(page.split())


def test_a_rule_page_has_words_figures_and_code(held: Running) -> None:
    page = _get(held, "/rules/split-same-day")
    assert "£1,000 (default: your policy states none)" in page
    assert "(default: your policy states none)" in page
    assert page.index("The rule applies when") < page.index("The conditions as code")
    assert "[[when]]" in page
    answer = held.ask("GET", "/v1/rules/split-same-day", "finance").json()
    assert answer["conditions"]
    assert answer["figures"][0]["label"] == "Single-purchase limit"


def test_an_alert_names_the_clause_it_rests_on(held: Running) -> None:
    alert_id, clause = _alert_id(held), "4.2 A purchase must not be divided."
    assert clause in _get(held, f"/alerts/{alert_id}")
    assert held.ask("GET", f"/v1/alerts/{alert_id}", "finance").json()["clause"] == clause
    assert clause in _get(held, "/rules/split-same-day")
    assert "No clause is given" in _get(held, "/rules/new-and-rare")


def test_what_was_entered_for_an_assignment_is_still_seen_after_a_refusal(held: Running) -> None:
    alert_id = _alert_id(held)
    page = _get(held, f"/alerts/{alert_id}")
    more = "Assign, set a due date"
    assert " open" not in page[page[: page.index(more)].rindex("<details") : page.index(more)]
    sent = {"state": "", "reason": "", "due_on": "2026-12-24", "seen": "0"}
    refused = held.ask("POST", f"/alerts/{alert_id}/decision", "finance", headers=SITE, data=sent)
    assert refused.status_code == 422
    begins = refused.text[: refused.text.index(more)].rindex("<details")
    assert " open" in refused.text[begins : refused.text.index(more)]
    assert 'value="2026-12-24"' in refused.text


def test_a_query_leads_to_one_decision_on_its_alerts(held: Running) -> None:
    alert_id = _alert_id(held)
    page = _get(held, f"/alerts/{alert_id}")
    assert page.count(f'href="/alerts/{alert_id}/questions"') == 1
    assert page.index("What to ask") < page.index("/questions") < page.index("Possible explan")
    query = _get(held, f"/alerts/{alert_id}/questions")
    assert f'href="/alerts/decisions?alert={alert_id}' in query
    decisions = _get(held, f"/alerts/decisions?alert={alert_id}")
    assert 'value="asked"' in decisions
    assert 'value="open"' not in decisions
    services.decide(held.context("finance"), alert_id, DecisionInput("asked both", "asked"))
    assert 'value="open"' in _get(held, f"/alerts/decisions?alert={alert_id}")
    assert "/alerts/decisions" not in _get(held, f"/alerts/{alert_id}/questions")


def test_what_to_ask_is_found_below_many_payments(
    serve: Callable[..., Running], read: Callable[..., Any]
) -> None:
    running = serve(chores=False)
    many = [f"2026-10-11,E1,NEW FIRM,{100 + n}.00,S{n}" for n in range(21)]
    services.receive(running.context("finance"), read(*month(10, 40), *many))
    alerts = services.list_alerts(running.context("finance"))
    alert_id = max(alerts, key=lambda one: one["at_stake_pence"])["alert_id"]
    page = _get(running, f"/alerts/{alert_id}")
    begins = page.index("All 21 payments")
    assert "<details" in page[page.index("Assigned to") : begins]
    assert begins < page.index(">S20<") < page.index("</details>", begins)


def test_what_is_done_from_an_alert_comes_back_to_its_list(held: Running) -> None:
    here, query = f"/alerts/{_alert_id(held)}", "tier=A&order=money"
    page = _get(held, f"{here}?{query}")
    for part in ("hold", "suppression", "holder", "merchant", "hand-over", "questions"):
        assert f'href="{here}/{part}?{query}"' in page
        back = f'href="{here}?{query}" class="govuk-back-link"'
        assert back in _get(held, f"{here}/{part}?{query}")
    answer = held.client.post(
        f"{here}/hold?{query}&done=referred&next=//elsewhere", headers=held.of("finance") | SITE,
        data={"reason": "case 12"}, follow_redirects=False,
    )  # fmt: skip
    assert answer.headers["location"] == f"{here}?{query}&done=held"


def test_events_are_found_by_what_the_list_calls_their_object(held: Running) -> None:
    _get(held, "/impact")
    events = _get(held, "/audit/events?object=Impact assessment", "auditor")
    assert "No event matches the filters" not in events
