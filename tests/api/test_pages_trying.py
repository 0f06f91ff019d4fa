"""Pages on which a change is tried, proposed and agreed to, an evaluation read, a sample drawn."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, EVALUATED, SPLIT, month
from services import OWN, Running

from cardwatch import services
from cardwatch.casebook import Actor
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.rules import rule_texts

if TYPE_CHECKING:
    from collections.abc import Callable

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
STRICT = "[[single_purchase]]\r\nfrom = 2020-01-01\r\npounds = 5000\r\n"
CARDS = ("cards.csv", "card_last4,employee_id,single_limit\n1234,E1,500\n")


@pytest.fixture
def held(serve: Callable[..., Running], read: Callable[..., Any]) -> Running:
    """Give a service that does no chores by itself, with October's statement."""
    running = serve(chores=False)
    services.receive(running.context("finance"), read(*month(9)), is_history=True)
    october = (*month(10, 40), *SPLIT, *EQUAL, "2026-10-09,=E1+1,SHOP 9,3.00,F1")
    services.receive(running.context("finance"), read(*october, name="october.csv"))
    return running


def _get(running: Running, path: str, role: str, status: int = 200) -> str:
    answer = running.ask("GET", path, role, headers=SITE)
    assert answer.status_code == status, answer.text
    return str(answer.text)


def _post(
    running: Running, path: str, role: str, status: int = 200, **more: Any
) -> tuple[str, str]:
    """Send a form; return the page that comes of it, and where it is."""
    answer = running.ask("POST", path, role, headers=SITE, **more)
    assert answer.status_code == status, answer.text
    return str(answer.text), answer.url.path


def _tried(running: Running, role: str, **more: Any) -> tuple[str, str]:
    """Try a change; return what came of it, and where it is."""
    waits, place = _post(running, "/settings/try", role, **more)
    assert "In progress" in waits
    assert "Refresh" in waits
    assert services.do_next_job(running.book, running.clock, running.seal, services.TRIALS)
    return _get(running, place, role), place


def test_a_change_is_tried_proposed_and_agreed_to_on_pages(held: Running) -> None:
    assert "alerts_per_1000 = " in _get(held, "/settings/try", "finance")
    wrong, _ = _post(held, "/settings/try", "finance", 422,
                     data={"policy": "alerts = 1\nnothing", "months": "3"})  # fmt: skip
    assert "<title>Error: Test a change" in wrong
    assert 'id="policy-error"' in wrong
    assert "alerts = 1\nnothing</textarea>" in wrong, "what was sent is kept"
    wrong, _ = _post(held, "/settings/try", "finance", 422, data={"policy": STRICT, "months": "x"})
    assert 'id="months-error"' in wrong
    page, place = _tried(held, "finance", data={"policy": STRICT, "months": "2"})
    assert "Alerts removed: 1 with £1,850.00 at stake" in page
    assert "New alerts: none." in page
    assert "professional standards" not in page
    assert place in _get(held, "/settings/try", "finance"), "it is found again"
    form = _get(held, f"/settings/propose?job={place.split('/')[-1]}", "finance")
    assert re.search(r"Removed</td>\s*<td[^>]*>alerts_per_1000 = ", form)
    assert "alerts_per_1000: " not in form, "what a text leaves out keeps its figure"
    assert re.search(r"Added</td>\s*<td[^>]*>single_purchase: .*500000", form)
    assert re.search(r"Added</td>\s*<td[^>]*>from = 2020-01-01<", form)
    sent = {"job": place.split("/")[-1]}
    for more, name in (
        ({}, "reason"),
        ({"reason": "fewer", "effective_from": "soon"}, "effective_from"),
    ):
        wrong, _ = _post(held, "/settings/propose", "finance", 422, data=sent | more)
        assert f'id="{name}-error"' in wrong
    made, place = _post(held, "/settings/propose", "finance", data=sent | {"reason": "fewer"})
    place = place.partition("?")[0]
    assert "Your change is proposed" in made
    assert "Another person in your role must approve it" in made
    assert "Approve and activate" not in made
    _post(held, f"{place}/agreement", "finance", 403)
    itself = services.ServiceContext(held.book, Actor(OWN, SYSTEM, "admin"), held.clock())
    held.keys[OWN, "second"] = services.create_key(
        itself, name="second", role="finance", days=9, can_decide=True
    )
    assert "Approve and activate" in _get(held, place, "second")
    _post(held, f"{place}/agreement", "second")
    assert services.get_policy(held.context("finance"))["text"] == STRICT.replace("\r\n", "\n")
    assert "Nothing differs from what is active." in _get(held, place, "auditor")


def test_a_policy_is_proposed_untried_where_there_is_nothing_to_try_it_on(
    serve: Callable[..., Running],
) -> None:
    running = serve(chores=False)
    sent = {"policy": STRICT, "months": "3"}
    failed, place = _post(running, "/settings/try", "finance", data=sent)
    services.do_next_job(running.book, running.clock, running.seal, services.TRIALS)
    assert "No statement has been scored yet" in _get(running, place, "finance")
    assert failed
    form, _ = _post(running, "/settings/try", "finance", data=sent | {"propose": "yes"})
    assert "Propose this policy" in form
    _post(running, "/settings/try", "auditor", 403, data=sent | {"propose": "yes"})
    made, _ = _post(running, "/settings/propose", "finance",
                    data={"policy": STRICT, "reason": "our limits"})  # fmt: skip
    assert "our limits" in made


def test_psd_alone_in_its_role_is_told_whom_to_ask(serve: Callable[..., Running]) -> None:
    running = serve(chores=False)
    form, _ = _post(running, "/settings/try", "psd", data={"policy": STRICT, "propose": "yes"})
    cards = _get(running, "/settings/propose/cards", "psd")
    made, _ = _post(running, "/settings/propose", "psd",
                    data={"policy": STRICT, "reason": "our limits"})  # fmt: skip
    for page in (form, cards, made, _get(running, "/", "psd")):
        assert (
            "Nobody else has your role. Ask the people who run cardwatch to add somebody." in page
        )
        assert "administrator" not in page


def test_professional_standards_try_rules_on_both_lists(held: Running) -> None:
    rule = ("split-same-day.toml", rule_texts()["split-same-day.toml"])
    wrong, _ = _post(held, "/settings/try", "psd", 422, data={"months": "1"},
                     files={"files": (rule[0], "nothing")})  # fmt: skip
    assert 'id="files-error"' in wrong
    page, place = _tried(held, "psd", data={"months": "1"}, files={"files": rule})
    assert "Alerts by statement, Professional standards" in page
    job = place.split("/")[-1]
    page = _get(held, f"/settings/propose?job={job}", "psd")
    assert "Nothing differs from what is active" in page
    page, _ = _tried(held, "psd", data={"months": "1", "policy": STRICT})
    assert "Alerts removed, Finance" in page
    assert not re.search(r"\bE\d\b", page), "holders stand under other names"
    _post(held, "/settings/try", "finance", 403, data={"months": "1"}, files={"files": rule})


def test_a_register_is_proposed_from_a_file(held: Running) -> None:
    why = {"reason": "new cards"}
    wrong, _ = _post(held, "/settings/propose/cards", "finance", 422, data=why)
    assert "Select a card register" in wrong
    wrong, _ = _post(held, "/settings/propose/cards", "finance", 422, data=why,
                     files={"files": ("cards.csv", "nothing\n")})  # fmt: skip
    assert 'id="files-error"' in wrong
    page, _ = _post(held, "/settings/propose/cards", "finance", data=why, files={"files": CARDS})
    assert "Cards: 1<" in page
    assert "Rows with a single-purchase limit: 1<" in page
    assert not re.search(r"\bE1\b", page)
    odd = ("our cards.csv", "Card,Name,Most at once,Opened\n1234,A B,5,31/1/2026\n5678,C D,5,x\n")
    page, _ = _post(held, "/settings/propose/cards", "finance", data=why, files={"files": odd})
    assert "File: our cards.csv<" in page
    assert "Note: not used: " in page
    assert "Row 3, column " in page
    few, _ = _post(held, "/settings/propose/model", "finance", 422, data=why)
    assert "The anomaly model needs at least" in few
    assert "There is no model yet" in _get(held, "/settings/model", "auditor")


def test_a_sample_is_drawn_printed_and_downloaded(held: Running) -> None:
    form = _get(held, "/samples", "auditor")
    assert re.search(r'name="seed"[^>]*value="\d+"', form)
    days = "since=2026-10-01&until=2026-10-31"
    page = _get(held, f"/samples?{days}&count=59&seed=7", "auditor")
    assert "Seed 7" in page
    assert "fewer than 6.4% of these payments" in page, "45 were drawn: all there are"
    assert "NEW FIRM" not in page
    assert page == _get(held, f"/samples?{days}&count=59&seed=7", "auditor")
    file = _get(held, f"/samples.csv?{days}&count=59&seed=7", "auditor")
    assert file == _get(held, f"/samples.csv?{days}&count=59&seed=7", "auditor")
    rows = list(csv.reader(io.StringIO(file.removeprefix("\ufeff"))))
    assert (rows[0][-1], len(rows)) == ("Result of the check", 46)
    assert "'=E1+1" in {row[1] for row in rows}, "no cell is a formula"
    theirs = _get(held, f"/samples?{days}&count=59&seed=7", "psd")
    assert not re.search(r"\bE\d\b", theirs)
    assert "TRAINING HALL" in page
    assert "TRAINING HALL" not in theirs
    for wrong, name in (("seed=x", "seed"), (f"seed=1&count=900&{days}", "count"),
                        ("seed=1", "since"), ("seed=1&since=x&until=y", "since"),
                        ("seed=1&since=2020-01-01&until=2020-01-02", "since"),
                        (f"seed=1&by_money=yes&of=closed-alerts&{days}", "by_money")):  # fmt: skip
        assert f'id="{name}-error"' in _get(held, f"/samples?{wrong}", "auditor", 422), wrong


def test_what_was_answered_is_counted_by_rule_and_month(held: Running) -> None:
    assert "No alert has been answered yet" in _get(held, "/precision", "auditor")
    name = services.list_alerts(held.context("finance"))[0]["alert_id"]
    services.decide(held.context("finance"), name, DecisionInput("two sites", "explained"))
    page = _get(held, "/precision", "auditor")
    assert "Oct 2026" in page
    assert "professional standards" not in page.lower()


def test_an_evaluation_is_read_on_a_page(held: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from cardwatch.services import jobs  # noqa: PLC0415  beside its use

    monkeypatch.setattr(jobs, "evaluate_own", lambda *_, **__: EVALUATED)
    page, place = _post(held, "/evaluations", "auditor")
    assert "In progress" in page
    assert place in _get(held, "/evaluations", "auditor")
    services.do_next_job(held.book, held.clock, held.seal, services.TRIALS)
    page = _get(held, place, "auditor")
    for said in ("Split, equal", "50% (25% to 50%)", "of 9 of your 12 cardholders",
                 "stroke-dasharray", "not installed here: ECOD on surprises", "Weekly supplier",
                 "A: cardwatch", "B: same-day rule", "1.50"):  # fmt: skip
        assert said in page, said
    assert "style=" not in page
    letters = [float(y) for y in re.findall(r'x="90%" y="([\d.]+)"', page)]
    assert abs(letters[0] - letters[1]) >= 15, "letters do not lie on each other"
    _get(held, place, "psd", 404)
