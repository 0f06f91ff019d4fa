"""The words in which journeys through the pages are told: what somebody does, and what they see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyotp
import pytest
from playwright.sync_api import expect
from services import PASSWORD
from sites import OWN, WIDER, Site, Visit

from cardwatch import services

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator

WAYS = ((320, False), (1280, True), (320, True), (1280, False))
"""Width of the screen, and whether scripts run."""


def _ways(each_time: int) -> pytest.MarkDecorator:
    """Let a journey be gone in every way: the first ones each time, the others when proved."""
    proved = [pytest.param(one, marks=pytest.mark.prove) for one in WAYS[each_time:]]
    return pytest.mark.parametrize("visit", [*WAYS[:each_time], *proved], indirect=True, ids=str)


in_every_way = _ways(2)
in_every_way_once_proved = _ways(1)
FOCUS = """() => {
  const one = document.activeElement;
  const named = one.getAttribute("aria-label") || (one.labels && one.labels[0]?.innerText)
    || one.innerText || one.value || "";
  const seen = [one, one.closest("label"), one.nextElementSibling].filter(Boolean).some(it => {
    for (const part of [null, "::before"]) {
      const style = getComputedStyle(it, part);
      if (style.outlineStyle !== "none" || style.boxShadow !== "none") return true;
    }
    return false;
  });
  const box = one.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const isSeen = one.type === "date" || (one.matches(":focus-visible") && seen);
  return [named.trim().replace(/\\s+/g, " "), isSeen && inside];
}"""
"""What has the focus, and whether that can be seen on the screen; parts of a date are drawn by the
browser."""


class Steps(Visit):
    """A visit of which each step is one of these words; what somebody has to do is counted.

    A link or button pressed, a choice made, a field typed and files selected are an action each.
    After each page the visit is looked over: nothing may stand out of the screen.
    """

    def __init__(self, browser: Browser, site: Site, width: int, *, scripts: bool) -> None:
        super().__init__(browser, site, width=width, scripts=scripts)
        self.page.set_default_timeout(15_000)  # a pack with its PDF takes a busy machine longer
        self.actions = 0
        self.page.on("response", self._answered)

    def _answered(self, response: object) -> None:
        status = int(getattr(response, "status", 0))
        if status >= 500:
            self.faults.append(f"{status} of {getattr(response, 'url', '')}")

    def activate_account(self, role: str) -> str:
        """Take somebody's account; return their email address."""
        site, email = self.site, f"{role}@{OWN}.example"
        token = services.invite(site.context("psd" if role == "psd" else "admin"), email)
        secret = services.start_account(site.book, token, site.clock(), site.seal)[1]
        code = pyotp.TOTP(secret).at(site.clock())
        services.activate_account(
            site.book, token, password=PASSWORD, code=code, now=site.clock(), seal=site.seal
        )
        site.clock.go(seconds=60)
        self.secret = secret
        return email

    def sign_in(self, role: str) -> None:
        """Come in by the front door: with a password and the code of a phone."""
        email = self.activate_account(role)
        self.page.goto("/")
        self.type("Email address", email)
        self.type("Password", PASSWORD)
        self.type("Code from your authenticator app", self.code())
        self.press("Sign in")

    def take_up(self, token: str) -> None:
        """Take an account on the pages, as somebody does who was invited."""
        self.page.goto("/sign-in")
        self.press("Set up your account")
        self.type("Invitation", token)
        self.press("Continue")
        self.secret = self.page.locator(".cw-hash").inner_text()
        self.type("Password", PASSWORD)
        self.type("Code from your authenticator app", self.code())
        self.press("Set up account")
        self.site.clock.go(seconds=60)

    def code(self) -> str:
        """Return what the phone shows."""
        return pyotp.TOTP(self.secret).at(self.site.clock())

    def enter(self, role: str, place: str = "/alerts") -> None:
        """Begin as somebody who has signed in."""
        self.come_as(role)
        self.page.goto(place)

    def press(self, name: str, nth: int = 0) -> None:
        """Press a link, a button, or what opens a part of the page."""
        self._named(name).nth(nth).click()
        self.actions += 1
        self.look()

    def _named(self, name: str) -> Locator:
        """Return the control of a name: whole in the page, its beginning, or on the way back."""
        main = self.page.locator("main")
        exact = main.get_by_role("button", name=name, exact=True).or_(
            main.get_by_role("link", name=name, exact=True)
        )
        summary = main.locator("summary").filter(has_text=name)
        back = self.page.get_by_role("navigation", name="Back").get_by_role("link", name=name)
        found = (exact, main.get_by_role("link", name=name), summary, back)
        return next((one for one in found if one.count()), exact)

    def go(self, name: str) -> None:
        """Go by the menu, which on a narrow screen is opened first where scripts run."""
        menu = self.page.get_by_role("button", name="Menu")
        if menu.is_visible():
            menu.click()
            self.actions += 1
        self.page.get_by_role("navigation", name="Menu").get_by_role("link", name=name).click()
        self.actions += 1
        self.look()

    def type(self, label: str, text: str) -> None:
        """Type into a field, in place of what stands there."""
        self.page.get_by_label(label, exact=True).fill(text)
        self.actions += 1

    def choose(self, label: str, option: str = "") -> None:
        """Choose an option of a list, or a radio button or box."""
        if option:
            self.page.get_by_label(label, exact=True).select_option(option)
        else:
            self.page.get_by_label(label, exact=True).check()
        self.actions += 1

    def chosen(self, label: str) -> str:
        """The value that stands chosen in a list."""
        return self.page.get_by_label(label, exact=True).input_value()

    def select(self, *files: Path) -> None:
        """Select files."""
        self.page.locator("input[type=file]").set_input_files(files)
        self.actions += 1

    def download(self, name: str) -> bytes:
        """Press what gives a file; return what is in it."""
        with self.page.expect_download() as coming:
            self._named(name).first.click()
        self.actions += 1
        return coming.value.path().read_bytes()

    def until_scored(self) -> None:
        """Refresh until the statements that were brought are scored or refused."""
        self.until("uploaded")

    def until(self, heading: str) -> None:
        """Refresh until there is a page of a heading: one action, however slow the machine is."""
        before = self.actions
        for _ in range(6_000):
            if heading in self.page.inner_text("h1"):
                return
            self.page.wait_for_timeout(100)
            self.press("Refresh")
            self.actions = before + 1
        raise AssertionError(self.said())

    def said(self) -> str:
        """Return the words of the page."""
        return self.page.inner_text("main")

    def sees(self, *words: str) -> None:
        """Be shown all of these."""
        for one in words:
            expect(self.page.locator("main")).to_contain_text(one, use_inner_text=True)

    def sees_none(self, *words: str) -> None:
        """Be shown none of these."""
        said = self.said()
        assert not [one for one in words if one in said], said

    def rows(self, caption: str) -> list[str]:
        """Return the rows of a table."""
        table = self.page.get_by_role("table", name=caption)
        return table.locator("tbody tr").all_inner_texts()

    def look(self) -> None:
        """Note what stands out of the screen."""
        self.page.wait_for_load_state()
        width = (self.page.viewport_size or {})["width"]
        self.faults += [f"{width}: {self.page.url}: {one}" for one in self.page.evaluate(WIDER)]

    def leave_by(self, key: str) -> None:
        """Go to another page by a key."""
        with self.page.expect_navigation():
            self.page.keyboard.press(key)
        self.look()

    def tab_to(self, name: str) -> None:
        """Go on with the Tab key to what has a name; wherever the focus comes, it can be seen.

        It has no name while it is in the browser itself, not in the page.
        """
        passed: list[str] = []
        for _ in range(120):
            self.page.keyboard.press("Tab")
            named, is_seen = self.page.evaluate(FOCUS)
            passed.append(named)
            assert is_seen or not named, f"the focus cannot be seen: {passed}"
            if named == name or named.startswith(name):
                return
        raise AssertionError(passed)


def write(folder: Path, name: str, content: str) -> Path:
    """Write a statement; return its file."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path
