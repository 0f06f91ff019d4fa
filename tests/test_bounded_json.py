"""Files and texts in JSON, notes and filters: none takes much memory or time, however built."""

from __future__ import annotations

import sys

import pytest
from bounded import parse_within_bounds

SIZE = 1024 * 1024
HOSTILE = {
    "nested lists": "[" * SIZE,
    "closed lists": "[" * (SIZE // 2) + "]" * (SIZE // 2),
    "nested objects": '{"a":' * (SIZE // 5),
    "many lists": "[" + ",".join(["[]"] * (SIZE // 3)) + "]",
    "many objects": "[" + ",".join(['{"a":1}'] * (SIZE // 8)) + "]",
    "many keys": "{" + ",".join(f'"{n}":0' for n in range(SIZE // 11)) + "}",
    "digits": "9" * SIZE,
    "exponent": "1e" + "9" * SIZE,
    "escapes": '"' + "\\u0000" * (SIZE // 6) + '"',
    "text that does not end": '"' + "\\\\" * (SIZE // 2),
    "lines": "\n" * SIZE,
    "dashes": "— a b\n" * (SIZE // 8),
    "brackets": "(" * SIZE,
    "conditions": 'userName eq "' + "a" * 900 + '" or ' * 200,
    "spaces": " " * SIZE + "x",
}
SETUP = """
import base64
from api.deps import read_cursor
from api.scim import Group, ScimRefused, User, page_of
from cardwatch.errors import CardwatchError
from cardwatch.policy_pack import open_pack
from cardwatch.reports.aggregate import read_aggregate
from cardwatch.transparency.notes import parse_notes, parse_verifier_keys

refusals = (CardwatchError, ScimRefused)
data = text.encode()
cursor = base64.urlsafe_b64encode(data[:60_000]).decode()
parsers = {
    "pack": lambda: open_pack("x", data),
    "aggregate": lambda: read_aggregate("x", data),
    "short aggregate": lambda: read_aggregate("x", data[: 256 * 1024]),
    "cursor": lambda: read_cursor(cursor),
    "notes": lambda: parse_notes(text),
    "keys": lambda: parse_verifier_keys(text),
    "filter": lambda: page_of(User, [], {"filter": text}),
    "short filter": lambda: page_of(User, [], {"filter": text[:500]}),
    "sorting": lambda: page_of(Group, [], {"sortBy": text[:60_000]}),
}
page_of(User, [], {"filter": 'userName eq "x"'})  # what is loaded once
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits address space, which Linux alone does")
def test_no_other_parser_takes_much_memory_or_time_for_a_hostile_text() -> None:
    parse_within_bounds(SETUP, HOSTILE, must_refuse=False)
