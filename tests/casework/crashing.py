"""A process that receives statements until it is killed; run by `test_crash`, never by itself.

It forks one child a round from a parent that has everything loaded, so that a round takes a second.
A child reads one line (what to kill at), receives statement after statement, and writes each
acknowledged one's name to its output; or it does the check that waits after a register came.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from books import NOW

from cardwatch import services
from cardwatch.casebook import Actor, Casebook

if TYPE_CHECKING:
    from collections.abc import Callable


def act_until_killed(
    url: str, owner: str, act: Callable[[services.ServiceContext], None], kill_at: int
) -> None:
    """Do something; kill this very process at its so many-th call of the database."""
    book = Casebook(url)
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        sa.event.listen(book.engine, name, count)
    act(services.ServiceContext(book, Actor(owner, "bringer", "finance"), NOW))
    os.write(1, f"calls {calls}\n".encode())
    book.close()


def main() -> None:
    """Serve rounds: a line names the database, the organisation, when to die, and the act."""
    statements = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301  made by the test

    def receive_all(at: services.ServiceContext) -> None:
        for statement in statements:
            os.write(1, f"{services.receive(at, statement).statement_id}\n".encode())

    acts = {"receive": receive_all, "check": services.check_registers_now}
    for line in sys.stdin:
        url, owner, kill_at, act = line.split()
        child = os.fork()
        if not child:
            act_until_killed(url, owner, acts[act], int(kill_at))
            os._exit(0)
        os.write(1, f"child {child}\n".encode())
        _, status = os.waitpid(child, 0)
        os.write(1, f"ended {status}\n".encode())


if __name__ == "__main__":
    main()
