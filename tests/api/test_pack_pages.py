"""A policy pack on pages and by the API: tested, proposed by one, approved by another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from books import PACK_KEY, lively_month, policy_pack

from cardwatch import services
from cardwatch.policy_pack import make_pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from services import Running

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
CONTENT = make_pack(
    replace(policy_pack(), policy="large_payment_pounds = 80\n"), PACK_KEY
).decode()  # fmt: skip


@pytest.fixture
def running(serve: Callable[..., Running], read: Callable[..., Any]) -> Running:
    """Give a service with October's statement and a second key of professional standards."""
    served = serve(chores=False)
    services.receive(served.context("finance"), read(*lively_month(10)))
    served.keys["saltmarsh-vale", "second"] = services.create_key(
        served.context("psd"), name="second", role="psd", days=9, can_decide=True
    )
    return served


def _page(running: Running, method: str, path: str, role: str, **more: Any) -> Any:
    answer = running.ask(method, path, role, headers=SITE, **more)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_pack_is_tested_and_proposed_on_pages(running: Running) -> None:
    files = {"files": ("pack.json", CONTENT)}
    assert "not taken from a pack" in _page(running, "GET", "/settings/pack", "auditor").text
    waits = _page(running, "POST", "/settings/pack", "psd", files=files, data={"months": "1"})
    assert services.do_next_job(running.book, running.clock, running.seal, services.TRIALS)
    trial = _page(running, "GET", waits.url.path, "psd").text
    for words in ("Pack (invented)", "Cardholders who would newly be asked, Finance", "All units",
                  "Confirm the key", "Propose this change",
                  "Ask about every payment of this"):  # fmt: skip
        assert words in trial
    job = waits.url.path.rpartition("/")[2]
    assert (
        "Propose this policy pack"
        in _page(running, "GET", f"/settings/propose?job={job}", "psd").text
    )
    wrong = running.ask("POST", "/settings/propose", "psd", headers=SITE, data={"job": job})
    assert wrong.status_code == 422
    assert 'id="reason-error"' in wrong.text
    made = _page(
        running, "POST", "/settings/propose", "psd", data={"job": job, "reason": "national"}
    )
    assert "Ask about every payment of this much" in made.text
    # A key stands for whoever made it, so another person has to approve.
    agreed = running.ask("POST", f"{made.url.path}/agreement", "second", headers=SITE)
    assert agreed.status_code == 403


def test_finance_tests_a_pack_and_does_not_propose_it(running: Running) -> None:
    files = {"files": ("pack.json", CONTENT)}
    waits = _page(running, "POST", "/settings/pack", "finance", files=files, data={"months": "1"})
    services.do_next_job(running.book, running.clock, running.seal, services.TRIALS)
    trial = _page(running, "GET", waits.url.path, "finance").text
    assert "Cardholders who would newly be asked" in trial
    assert "Propose this change" not in trial


def test_the_api_takes_a_pack(running: Running) -> None:
    assert running.ask("GET", "/v1/pack").status_code == 404
    shown = running.ask("POST", "/v1/pack/preview", "psd", json={"pack": CONTENT})
    assert shown.status_code == 200, shown.text
    assert shown.json()["pack"]["version"] == "2027.1"
    changed = CONTENT.replace("2027.1", "2028.1")
    refused = running.ask("POST", "/v1/pack/preview", "psd", json={"pack": changed})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "pack")
    sent = {"kind": "pack", "months": 1, "pack": CONTENT}
    job = running.ask("POST", "/v1/back-tests", "psd", json=sent).json()["job_id"]
    services.do_next_job(running.book, running.clock, running.seal, services.TRIALS)
    answer = running.ask("GET", f"/v1/jobs/{job}", "psd").json()["answer"]
    assert answer["units"]["finance"][0]["newly_asked"] > 0
    asked = {"job_id": job, "reason": "national"}
    assert running.ask("POST", "/v1/pack/proposals", "finance", json=asked).status_code == 403
    made = running.ask("POST", "/v1/pack/proposals", "psd", json=asked)
    assert (made.status_code, made.json()["kind"]) == (201, "pack")
