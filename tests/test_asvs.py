"""The table of OWASP's requirements is whole, and whatever it names is there."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
with (ROOT / "docs" / "asvs.csv").open(encoding="utf-8", newline="") as table:
    ROWS = list(csv.DictReader(table))
REQUIREMENTS = {"1": 70, "2": 183}
"""How many version 5.0.0 has of the levels that are mapped whole."""
GIST_WORDS = 15
NOT_MET = "Not met: "


def _tests(path: Path) -> set[str]:
    """Return the names of the tests in a file."""
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def _is_there(evidence: str) -> bool:
    """Return whether a test, a document with its anchor, or a file exists."""
    place, _, test = evidence.partition("::")
    place, _, anchor = place.partition("#")
    path = ROOT / place
    if not path.is_file() or (test and test not in _tests(path)):
        return False
    return not anchor or anchor in _anchors(path)


def test_every_requirement_of_both_levels_is_there_once() -> None:
    names = [row["requirement"] for row in ROWS]
    assert len(names) == len(set(names))
    counts = Counter(row["level"] for row in ROWS)
    assert {level: counts[level] for level in REQUIREMENTS} == REQUIREMENTS
    assert counts.keys() <= {"1", "2", "3"}


@pytest.mark.parametrize("row", ROWS, ids=[row["requirement"] for row in ROWS])
def test_an_answer_is_shown_or_says_why_it_does_not_apply(row: dict[str, str]) -> None:
    assert len(row["gist"].split()) <= GIST_WORDS
    assert row["answer"]
    assert row["applies"] in {"yes", "no"}
    evidence = row["evidence"].split("; ") if row["evidence"] else []
    assert bool(evidence) == (row["applies"] == "yes")
    assert not [one for one in evidence if not _is_there(one)]


def test_the_page_says_how_many_are_not_met() -> None:
    missing = [row for row in ROWS if row["answer"].startswith(NOT_MET)]
    assert all(row["applies"] == "yes" for row in missing)
    assert f"**{len(missing)} requirements that apply are not met**" in PAGE


def test_every_link_and_file_that_the_page_names_is_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    for link in links:
        place, _, anchor = link.partition("#")
        path = ROOT / "docs" / (place or "security.md")
        assert path.is_file(), link
        assert not anchor or anchor in _anchors(path), link
    for name in re.findall(r"`((?:api|cardwatch|deploy|tests|docs)/[\w./]+\.\w+)`", PAGE):
        assert (ROOT / name).is_file(), name
