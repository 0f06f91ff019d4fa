"""Ends the process in time once it is told to stop, whatever still runs in it."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

log = logging.getLogger("cardwatch.service")
STOP_SECONDS = 15.0
"""After this a stop does not wait any longer. Threads of Python cannot be broken off; what they do
is kept whole or not at all, so that the process may end at any moment."""


def end_in_time() -> None:
    """Let the process end soon after it is told to stop; does nothing outside the main thread.

    The server's own handler does the orderly part: it is called as before.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # signals are not this thread's, as in tests
    before = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        timer = threading.Timer(STOP_SECONDS, _end)
        timer.daemon = True
        timer.start()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, stop)


def _end() -> None:
    log.warning("stopped while work was going on: it is taken up again after the next start")
    os._exit(0)
