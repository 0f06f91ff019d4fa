"""Limits failed attempts to sign in, by account and by address; successes cost nothing."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute, storage, strategies

from cardwatch.errors import CardwatchError, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW_MINUTES = 15
ACCOUNT_FAILURES = RateLimitItemPerMinute(10, WINDOW_MINUTES)
"""For one account, from wherever they come."""
ADDRESS_FAILURES = RateLimitItemPerMinute(50, WINDOW_MINUTES)
"""For one address: a whole office may stand behind it."""
MOST_USUAL_ADDRESSES = 10_000


class TooManyAttempts(CardwatchError):
    """Too many attempts have failed; the same words whether or not the account exists."""

    code = "too_many"

    def __init__(self) -> None:
        """Say when to try again."""
        super().__init__(f"Too many attempts. Try again in {WINDOW_MINUTES} minutes.")


class SignInLimit:
    """Failed attempts of the last quarter of an hour, in one process.

    An attempt counts from its begin until it is known to have succeeded, so that many at the same
    time get no more tries than one after the other. A refused attempt is not counted: nobody is
    kept out for longer than the window. From an address where an account has signed in before,
    it has failures of its own, so that strangers elsewhere do not keep its owner out.
    """

    def __init__(self) -> None:
        """Begin without any failure."""
        self._failures = strategies.MovingWindowRateLimiter(storage.MemoryStorage())
        self._pending: Counter[str] = Counter()
        self._usual: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def attempt(self, address: str, account: str) -> Iterator[None]:
        """Let one attempt be made, and count it if it ends in `NotAllowed`.

        Raises:
            TooManyAttempts: the account or the address has too many failures.
        """
        account_name, pair = _name("account", account), _name("account from", account, address)
        with self._lock:
            counted = {
                pair if pair in self._usual else account_name: ACCOUNT_FAILURES,
                _name("address", address): ADDRESS_FAILURES,
            }
            if any(self._is_used_up(name, limit) for name, limit in counted.items()):
                raise TooManyAttempts
            self._pending.update(counted.keys())
        has_failed = False
        try:
            yield
        except NotAllowed:
            has_failed = True
            raise
        else:
            self._remember(pair)
        finally:
            with self._lock:
                self._pending.subtract(counted.keys())
                self._pending += Counter()  # drops what is at nought
                for name, limit in counted.items() if has_failed else ():
                    self._failures.hit(limit, name)

    def _is_used_up(self, name: str, limit: RateLimitItemPerMinute) -> bool:
        """Whether failures and attempts under way leave no further one."""
        remaining: int = self._failures.get_window_stats(limit, name).remaining
        return remaining <= self._pending[name]

    def _remember(self, pair: str) -> None:
        """Remember that an account has signed in from an address."""
        with self._lock:
            self._usual[pair] = None
            self._usual.move_to_end(pair)
            if len(self._usual) > MOST_USUAL_ADDRESSES:
                self._usual.popitem(last=False)


def _name(*parts: str) -> str:
    """Return a name of one length, whatever somebody sends as an account."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()
