"""Runs parsers on hostile texts in processes of little memory."""

from __future__ import annotations

import json
import subprocess
import sys

SECONDS = 2
"""Processor time that one parser may take for one text."""
PROGRAM = f"""
import json, os, resource, sys, time, traceback

def parse_all(must_refuse):
    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + 64 * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for name, parse in parsers.items():
        begun, is_refused = time.process_time(), False
        try:
            parse()
        except refusals:
            is_refused = True
        assert time.process_time() - begun < {SECONDS}, name
        assert is_refused or not must_refuse, f"{{name}} took it"

setup, must_refuse = json.loads(sys.stdin.readline())
for line in sys.stdin:
    called, text = json.loads(line)
    exec(setup)
    if child := os.fork():
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(f"{{called}}: ended with {{ended}}\\n" if ended else "", end="", flush=True)
        continue
    try:
        parse_all(must_refuse)
    except BaseException:
        print(traceback.format_exc()[-900:], end="", flush=True)
        os._exit(1)
    os._exit(0)
"""
"""Loads everything once, and forks a child for each text."""


def parse_within_bounds(setup: str, texts: dict[str, str], *, must_refuse: bool) -> None:
    """Check that no parser takes over 64 MiB or two seconds for any of some texts.

    Args:
        setup: what loads everything and sets `parsers`, by name, and `refusals`, their errors; it
            has the text as `text`.
        texts: what is parsed, by what it is called.
        must_refuse: whether every parser has to refuse each.
    """
    orders = [(setup, must_refuse), *texts.items()]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input="".join(f"{json.dumps(order)}\n" for order in orders),
        text=True,
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr[-900:]
