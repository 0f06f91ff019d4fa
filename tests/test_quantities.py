"""Counts with their nouns, and that nothing joins them in another way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cardwatch.quantities import plural, quantity

ROOT = Path(__file__).parents[1]
BY_HAND = re.compile(
    r"""['"]s?['"]\s*\*\s*\(|['"]s['"]\s+if\b|['"]s (?:are|were|have)['"]\s+if\b"""
)
"""An s that is put after a noun by a condition or a product."""


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [(0, ("alert",), "0 alerts"), (1, ("alert",), "1 alert"), (2, ("alert",), "2 alerts"),
     (1, ("person", "people"), "1 person"), (1204, ("person", "people"), "1,204 people"),
     (1, ("payment was", "payments were"), "1 payment was")],
)  # fmt: skip
def test_a_count_goes_with_its_noun(count: int, words: tuple[str, ...], text: str) -> None:
    assert quantity(count, *words) == text


def test_a_verb_goes_with_its_count() -> None:
    assert [plural(count, "is", "are") for count in (0, 1, 2)] == ["are", "is", "are"]


def test_no_plural_is_made_by_hand() -> None:
    by_hand = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("cardwatch", "api")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".html"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if BY_HAND.search(line)
    ]
    assert by_hand == []
