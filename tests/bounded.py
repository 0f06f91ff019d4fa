"""Runs parsers on a hostile text in a process of little memory."""

from __future__ import annotations

import subprocess
import sys

SECONDS = 2
"""Processor time that one parser may take for one text."""
PROGRAM = """
import resource, sys, time
text = sys.stdin.read()
{setup}
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 64 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for name, parse in parsers.items():
    begun, is_refused = time.process_time(), False
    try:
        parse()
    except refusals:
        is_refused = True
    assert time.process_time() - begun < {seconds}, name
    assert is_refused or not {must_refuse}, f"{{name}} took it"
"""


def parse_within_bounds(setup: str, text: str, *, must_refuse: bool) -> None:
    """Check that no parser takes over 64 MiB or two seconds for a text.

    Args:
        setup: what loads everything and sets `parsers`, by name, and `refusals`, their errors; it
            has the text as `text`.
        text: what is parsed.
        must_refuse: whether every parser has to refuse it.
    """
    program = PROGRAM.format(setup=setup, seconds=SECONDS, must_refuse=must_refuse)
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=text,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-900:]
