"""The steps of the document that tells a newcomer what to do, taken one by one in a browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyotp
from services import PASSWORD
from sites import Site, Visit

from cardwatch import services
from cardwatch.cli.demo import sample_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

USING = (Path(__file__).parents[2] / "docs" / "using.md").read_text(encoding="utf-8")
TYPED = {"Invitation", "Password", "Code from your authenticator app", "Email address", "Reason"}
"""What the steps of the document have somebody enter; anything else in bold is chosen."""


def _go(page: Page, name: str) -> None:
    """Go by the menu, which on a narrow screen is opened first where scripts run."""
    menu = page.get_by_role("button", name="Menu")
    if menu.is_visible():
        menu.click()
    page.get_by_role("navigation", name="Menu").get_by_role("link", name=name).click()


def _until_scored(page: Page) -> None:
    for _ in range(600):
        if not page.get_by_role("button", name="Refresh").count():
            return
        page.get_by_role("button", name="Refresh").click()
        page.wait_for_timeout(100)
    raise AssertionError(page.inner_text("main"))


def steps(title: str) -> list[list[str]]:
    """Return what stands in bold in each numbered step under a heading of the document."""
    part = USING.partition(f"## {title}\n")[2].partition("\n## ")[0]
    told = re.split(r"^\d+\. ", part, flags=re.MULTILINE)[1:]
    return [re.findall(r"\*\*(.+?)\*\*", re.sub(r"\s+", " ", one)) for one in told]


def test_a_newcomer_comes_from_make_try_to_a_recorded_answer_by_the_document(
    chromium: Browser, working: Site
) -> None:
    visit = Visit(chromium, working)
    page = visit.page
    page.goto("/")
    invitation = (working.home / "invitations").read_text(encoding="utf-8").splitlines()
    secret = ""
    for bold in steps("Try it with an invented force"):
        entered = False
        for name in bold:
            if found := re.search(r"by key: ([A-Z2-7]{16,})", page.inner_text("main")):
                secret = found[1]
            if name in TYPED:
                code = pyotp.TOTP(secret).at(working.clock()) if secret else ""
                values = {
                    "Invitation": next(one for one in invitation if one),
                    "Password": PASSWORD,
                    "Code from your authenticator app": code,
                    "Email address": "finance@saltmarsh-vale-police.example",
                    "Reason": "two sites, two orders",
                }
                page.get_by_label(name, exact=True).fill(values[name])
                entered = True
            elif name == "first alert":
                page.locator("main tbody a").first.click()
            elif name == "Statements" and page.locator("input[type=file]").count():
                newest = max((sample_folder() / "statements").iterdir())
                page.locator("input[type=file]").set_input_files(newest)
            elif name == "Refresh":
                _until_scored(page)
            elif name == "Statements":
                _go(page, name)
            elif page.get_by_role("radio", name=name).count():
                page.get_by_role("radio", name=name).check()
            else:
                page.get_by_role("button", name=name).or_(
                    page.get_by_role("link", name=name)
                ).first.click()
        working.clock.go(seconds=60 if entered else 0)
    assert "two sites, two orders" in page.inner_text("main")
    assert page.get_by_role("heading", name="History").count() == 1
    visit.close()


def test_whoever_tries_it_as_psd_finds_registers_names_and_alerts(
    chromium: Browser, working: Site
) -> None:
    visit = Visit(chromium, working)
    visit.come_as("psd")
    page = visit.page
    page.goto("/registers")
    entries = page.locator("main tbody tr td:nth-of-type(3)").all_inner_texts()
    assert len(entries) == 9
    assert all(int(count) for count in entries)
    for lane in ("finance", "psd"):
        page.goto(f"/alerts?state=unanswered&lane={lane}")
        assert page.locator("main tbody a").count()
    page.goto("/")
    review = page.get_by_role("link", name=re.compile("^[0-9]+ names to review$"))
    count = review.inner_text().split()[0]
    review.click()
    assert f"{count} names to decide, 3 decided" in page.inner_text("main")
    visit.close()


def test_whoever_tries_it_has_a_second_person_who_approves(
    chromium: Browser, working: Site
) -> None:
    context = working.context("finance")
    policy = services.pack_policy("alerts_per_1000 = 4\n", "policy.toml")
    services.propose(context, "policy", policy, effective_from="", reason="fewer alerts")
    visit = Visit(chromium, working)
    visit.come_as("second-finance")
    visit.page.goto("/")
    visit.page.get_by_role("link", name="Policy: fewer alerts").click()
    assert visit.page.get_by_role("button", name="Approve and activate").count()
    visit.close()
