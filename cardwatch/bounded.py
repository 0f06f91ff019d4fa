"""Reads TOML that people send, within bounds that are checked before it is parsed.

A parser may need memory with the square of a dotted key's parts: 16 kB of `a.a.a...` took 258 MiB.
So size, depth, number and length of keys are counted first, in one pass and little memory.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from cardwatch.errors import FileFaulty

MAX_TEXT_BYTES = 200_000
MOST_DEPTH = 8
"""Brackets within brackets, and parts of one dotted key."""
MOST_KEYS = 2_000
MOST_KEY_CHARACTERS = 200
_TOKEN = re.compile(
    r'"""(?:\\?.)*?(?:"{3,5}|\Z)'
    r"|'''.*?(?:'{3,5}|\Z)"
    r'|"(?:\\[^\n]|[^"\\\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*"
    r"|[^\s\"'#\[\]{}=,.]+"
    r"|[\[\]{}=,.\n]",
    re.DOTALL,
)
"""Strings that do not end go on to where the parser would refuse them, so nothing hides in them."""


def read_toml(text: str, file: str) -> dict[str, Any]:
    """Return what a TOML text holds.

    Args:
        text: as it was sent.
        file: its name, for the refusal.

    Raises:
        FileFaulty: it is too large, too deep or has too many keys, or is not TOML.
    """
    if fault := _bounds_fault(text):
        raise FileFaulty(file, [fault])
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of numbers with too many digits
        raise FileFaulty(file, [f"it is not valid TOML: {error}"]) from error


def _bounds_fault(text: str) -> str:
    """Return which bound a text exceeds, empty where it keeps to all of them."""
    if len(text) > MAX_TEXT_BYTES or len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
        return f"it is larger than {MAX_TEXT_BYTES:,} bytes"
    counts = _Counts()
    for match in _TOKEN.finditer(text):
        if not match[0].startswith("#") and (fault := counts.add(match[0])):
            return fault
    return ""


@dataclass
class _Counts:
    """The size of a text's tokens so far.

    Attributes:
        parts: of the dotted key, or number, that the text is at.
        longest: characters of the longest of these parts.
        is_header: whether the line began with a bracket.
    """

    depth: int = 0
    keys: int = 0
    parts: int = 1
    longest: int = 0
    is_header: bool = False
    previous: str = "\n"

    def add(self, token: str) -> str:
        """Take one token; return which bound is exceeded, empty where none is."""
        first = token[0]
        starts_header = first == "[" and self.previous == "\n"
        self.is_header = (self.is_header or starts_header) and first != "\n"
        self.depth = max(self.depth + (first in "[{") - (first in "]}"), 0)
        self.parts += first == "."
        if first not in "[]{}=,.\n":
            self.longest = max(self.longest, len(token))
        is_key = first == "=" or (first == "]" and self.is_header)
        self.keys += is_key
        fault = self._fault(token, is_key=is_key)
        if first in "[]{}=,\n":
            self.parts, self.longest = 1, 0
        self.previous = first
        return fault

    def _fault(self, token: str, *, is_key: bool) -> str:
        """Return which bound is exceeded, empty where none is."""
        is_word = token[0] not in "\"'"
        if is_word and len(token) > MOST_KEY_CHARACTERS:
            return f"a word in it is longer than {MOST_KEY_CHARACTERS} characters"
        if is_key and self.longest > MOST_KEY_CHARACTERS + 2:  # with its quotation marks
            return f"a key in it is longer than {MOST_KEY_CHARACTERS} characters"
        if max(self.depth, self.parts) > MOST_DEPTH:
            return f"it is nested more than {MOST_DEPTH} levels deep"
        return f"it has more than {MOST_KEYS:,} keys" if self.keys > MOST_KEYS else ""
