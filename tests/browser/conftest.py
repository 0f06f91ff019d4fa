"""The pages in Debian's Chromium: a force with a year of statements, served over loopback."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from books import crowd, leave_out, lively_month
from services import text
from sites import (
    Site,
    browser_here,
    browsing,
    fill_cases,
    fill_jobs,
    fill_long,
    fill_months,
    fill_people,
    listening,
    make_force,
    open_office,
)
from steps import Steps, write

from cardwatch import services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give the browser; it is closed soon, as no test may run an event loop while it is open."""
    path = browser_here()
    if path is None:
        leave_out("BROWSER", "chromium")
    with browsing(path) as browser:
        yield browser


@pytest.fixture(scope="session")
def force(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a casebook of the invented force, to be copied: as `make try` makes it."""
    home = tmp_path_factory.mktemp("force") / "home"
    invitations = make_force(home)
    (home / "invitations").write_text("\n".join(invitations), encoding="utf-8")
    return home


@pytest.fixture(scope="session")
def served(force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a service in which every page has something to show; nothing in its queue is done."""
    with ExitStack() as running:
        home = tmp_path_factory.mktemp("served") / "home"
        site = running.enter_context(listening(shutil.copytree(force, home), chores=False))
        fill_months(site)
        fill_long(site)
        fill_jobs(site)
        fill_people(site)
        fill_cases(site)
        yield site


@pytest.fixture(scope="session")
def working(force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a service as it is after `make try`: nobody has an account yet."""
    home = tmp_path_factory.mktemp("working") / "home"
    with listening(shutil.copytree(force, home), chores=True) as site:
        yield site


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Give the service of a force that has brought nothing yet; October where a test uses that."""
    home = tmp_path / "home"
    if "october" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("october"), home)
    else:
        open_office(home)
    with listening(home, chores=True) as site:
        yield site


@pytest.fixture(scope="session")
def october(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of an office with October, to be copied: five questions in either lane."""
    folder = tmp_path_factory.mktemp("october")
    with listening(open_office(folder / "home"), chores=False) as site:
        path = write(folder, "october.csv", text(*crowd(4), *lively_month(10)))
        services.receive(site.context("finance"), site.read(path))
    return folder / "home"


@pytest.fixture
def visit(
    request: pytest.FixtureRequest, chromium: Browser, office: Site
) -> Iterator[Callable[[], Steps]]:
    """Give new browser windows, of a width, with scripts or without; nothing goes wrong in one."""
    width, scripts = getattr(request, "param", (1280, True))
    with ExitStack() as closing:

        def begun() -> Steps:
            made = Steps(chromium, office, width, scripts=scripts)
            closing.callback(made.close)
            return made

        yield begun
