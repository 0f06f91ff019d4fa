"""State of a running service: casebook, keys, readers, limits and clock."""

from __future__ import annotations

import datetime as dt
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from anyio import CapacityLimiter
from limits import RateLimitItemPerMinute, storage, strategies

from api.request_quota import RequestQuota
from api.sign_in_limit import SignInLimit
from cardwatch import installation
from cardwatch.casebook.key_renewal import renew_person_keys
from cardwatch.errors import CardwatchError, about_field
from cardwatch.statements import ReadingChoices, shipped_profiles
from cardwatch.tabular import Limits, ReaderPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cryptography.fernet import MultiFernet
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from api.settings import Settings
    from cardwatch.casebook import Casebook
    from cardwatch.statements import Profile

MIB = 1024 * 1024
UPLOAD_BYTES, BODY_BYTES, ROWS_BYTES = 25 * MIB, 256 * 1024, 8 * MIB
"""The largest file, the largest body elsewhere, and the largest list of transactions."""
PACK_BYTES = 4 * MIB
"""The largest body with a policy pack, whose own limit is 1 MiB before JSON escapes its text."""
READING = Limits(text_bytes=UPLOAD_BYTES, workbook_bytes=UPLOAD_BYTES, rows=250_000)
SWITCH_SECONDS = 0.001
"""Thread switch interval (s): the default 5 ms delays requests while a scoring runs."""
WAITING_SECONDS = 5.0
"""Seconds a person waits while others write, before being asked to try again."""
HEALTH_THREADS = 2
"""Threads for health alone: it answers while all others wait."""
READER_PROCESSES = 2
"""Number of files read at once in one process."""
WAIT_SECONDS = 20
"""One scoring runs at a time in one process, as two would only slow each other down; others wait
for a while, then are told to."""


class Busy(CardwatchError):
    """Too much is being scored at this moment."""

    code = "busy"


class Service:
    """A running service; one for each process."""

    def __init__(self, settings: Settings, clock: Callable[[], dt.datetime] | None = None) -> None:
        """Open the casebook and start the readers.

        Raises:
            CardwatchError: there is no casebook, or it cannot be opened, or not with these keys.
        """
        casebook = installation.open_casebook(busy_seconds=WAITING_SECONDS)
        background = installation.open_casebook()
        if casebook is None or background is None:
            raise CardwatchError(
                "There is no casebook yet. 'cardwatch people' creates one, and 'make try' serves "
                "an invented force's."
            )
        faults = installation.check_keys(casebook)
        if faults:
            raise CardwatchError(" ".join(faults))
        sys.setswitchinterval(SWITCH_SECONDS)
        self.settings = settings
        self.casebook: Casebook = casebook
        self.background: Casebook = background  # for jobs, which may wait, and for health
        self.health_threads = CapacityLimiter(HEALTH_THREADS)
        self.home = installation.home()
        _prepare_keys(background)
        self.clock = clock or (lambda: dt.datetime.now(dt.UTC))
        renew_person_keys(background, self.clock())
        self.readers = ReaderPool(READER_PROCESSES)
        self.wake = threading.Event()
        self._names: dict[str, str] = {}
        self._scoring = threading.Lock()
        self._limits = strategies.MovingWindowRateLimiter(storage.MemoryStorage())
        self.sign_in_limit = SignInLimit()
        self._rate = RateLimitItemPerMinute(settings.rate)
        self.requests = RequestQuota(settings.quota_requests, self.clock)

    @property
    def seal(self) -> MultiFernet:
        """The seal; read each time, as it can be replaced while the service runs."""
        return installation.seal(self.home)

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """The key for checkpoints and packs; read each time, as it can be replaced."""
        return installation.signing_key(self.home)

    @property
    def card_secrets(self) -> list[bytes]:
        """The secrets for card numbers, the newest first; see `card_key`."""
        return installation.card_secrets(self.home)

    @property
    def card_key(self) -> bytes:
        """The secret for card numbers; read each time, as it can be replaced."""
        return installation.card_key(self.casebook, self.home)

    def close(self) -> None:
        """End the readers and close the casebook."""
        self.readers.close()
        self.casebook.close()
        self.background.close()

    def name_of(self, organisation_id: str) -> str:
        """Return the name of an organisation."""
        if organisation_id not in self._names:
            organisations = self.casebook.organisations()
            self._names = {row["organisation_id"]: row["name"] for row in organisations}
        return self._names[organisation_id]

    def allows(self, caller: str) -> bool:
        """Count one request of somebody; return whether it is within their limit."""
        return self._limits.hit(self._rate, caller)

    def check_texts(self, texts: Mapping[str, str], field: str) -> None:
        """Parse settings that somebody sent in one limited child, before anything else reads them.

        Args:
            texts: TOML by file name.
            field: the field in which they were sent.

        Raises:
            FileFaulty: one is no TOML, or exceeds a bound.
        """
        with about_field(field):
            self.readers.check_toml(texts)

    @contextmanager
    def scoring(self) -> Iterator[None]:
        """Wait for a place in which to score.

        Raises:
            Busy: none came free in time.
        """
        if not self._scoring.acquire(timeout=WAIT_SECONDS):
            raise Busy("Too many statements are being scored now. Try again in a minute.")
        try:
            yield
        finally:
            self._scoring.release()

    def choices(self, own_profiles: Sequence[Profile], date_order: str) -> ReadingChoices:
        """The choices for reading statements, with the organisation's profiles first."""
        return ReadingChoices((*own_profiles, *shipped_profiles()), self.card_key, date_order)


def _prepare_keys(casebook: Casebook) -> None:
    """Make the installation's keys that are missing, and note in the casebook which it needs."""
    for make_key in (installation.seal, installation.signing_key, installation.card_secrets):
        make_key()
    installation.note_keys(casebook)
