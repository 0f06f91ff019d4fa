"""What tests share: the sample force, read once, and scored months."""

from __future__ import annotations

import faulthandler
import functools
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from hypothesis import Phase, settings

from cardwatch.policy import load_policy
from cardwatch.registers import read_cards
from cardwatch.scoring import ScoringResult, score
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles
from cardwatch.tabular import ReaderPool

pytest_plugins = ["book_fixtures", "service_fixtures"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardwatch.policy import Policy
    from cardwatch.records import CardRegister, Statements

settings.register_profile("ci", phases=[Phase.explicit, Phase.generate], deadline=None)
if "CI" in os.environ:  # a property that fails is not made smaller there: it fails at once
    settings.load_profile("ci")
MEMORY, ROOM_BYTES = Path("/dev/shm"), 2**31  # noqa: S108  folders of our own are made there
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES:  # a disk makes SQLite wait
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data"
CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")


@pytest.hookimpl(tryfirst=True)  # before cases are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave all cases of a test but the first to SQLite, unless its cases are of the database."""
    begun: set[str] = set()
    for item in items:
        if (
            isinstance(item, pytest.Function)
            and getattr(item, "callspec", None)
            and item.callspec.params.get("database_url") == "postgresql"
            and not any(map(item.get_closest_marker, ("each_database", "prove")))
            and item.path.parent.name != "casebook"
        ):
            test = item.nodeid.partition("[")[0]
            if test in begun:
                item.add_marker(pytest.mark.prove)
            begun.add(test)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse tests of one name: of those that share one, xdist runs the first alone."""
    shared = [name for name, count in Counter(i.nodeid for i in session.items).items() if count > 1]
    if shared:
        raise pytest.UsageError(f"more than one test has the name {', '.join(shared)}")


class KeptReaders(ReaderPool):
    """Readers that stay when whoever has started them is done, as starting takes 0.2 s."""

    def close(self) -> None:
        """Leave them for the next test."""


@pytest.fixture(autouse=True)
def _no_timeout(request: pytest.FixtureRequest) -> None:
    """Let a proof take longer than what hangs may."""
    if request.node.get_closest_marker("prove"):
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session", autouse=True)
def kept_readers() -> Iterator[None]:
    """Let tests share their reader processes; those of `ReaderPool` itself start their own."""
    readers = KeptReaders(2)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("cardwatch.tabular.reader_pool", "api.state"):
            patch.setattr(f"{module}.ReaderPool", lambda _: readers)
        yield
    ReaderPool.close(readers)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Let a password cost a test less than the 0.1 s that it costs whoever guesses one."""
    quick = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cardwatch.casebook.accounts._hasher", quick)
        yield


@pytest.fixture(scope="session")
def choices() -> ReadingChoices:
    return CHOICES


@pytest.fixture(scope="session")
def sample_policy() -> Policy:
    return load_policy(SAMPLE / "policy.toml")


@pytest.fixture(scope="session")
def sample() -> Statements:
    return read_statements([SAMPLE / "statements"], CHOICES)


@pytest.fixture(scope="session")
def sample_cards() -> CardRegister:
    return read_cards(SAMPLE / "cards.csv", CHOICES)


@pytest.fixture(scope="session")
def scored_with_cards(
    sample: Statements, sample_policy: Policy, sample_cards: CardRegister
) -> Callable[[str], ScoringResult]:
    """Give a month of the sample force, as `scored_month` does, with the card register."""

    @functools.cache
    def scored(month: str) -> ScoringResult:
        file = next(f for f in sample.transactions["file"].unique() if f.startswith(month))
        known = sample.transactions[sample.transactions["file"] <= file]
        return score(known, sample_policy, cards=sample_cards, asked_files=[file])

    return scored


@pytest.fixture(scope="session")
def scored_month(sample: Statements, sample_policy: Policy) -> Callable[[str], ScoringResult]:
    """Give a month of the sample force, scored against the months before it."""

    @functools.cache
    def scored(month: str) -> ScoringResult:
        file = next(f for f in sample.transactions["file"].unique() if f.startswith(month))
        known = sample.transactions[sample.transactions["file"] <= file]
        return score(known, sample_policy, asked_files=[file])

    return scored
