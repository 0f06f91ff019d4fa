"""The answers for staff, forces and the public: each row has evidence that is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from cardwatch.features import FEATURES, meaning_of, name_of

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("responsible-ai.md", "transparency-record.md", "staff.md")
PRINCIPLES = {"Lawful", "Transparent", "Explainable", "Responsible", "Accountable", "Robust"}


def _rows(page: str) -> list[list[str]]:
    """Return the rows of the tables of a page, without headings."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for above, line in zip(["", *lines], lines, strict=False)
        if line.startswith("| ") and above.startswith("|")
    ]


def _anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}


def _is_there(evidence: str, folder: Path = DOCS.parent) -> bool:
    """Return whether a file, and the heading named in it, is there."""
    place, _, anchor = evidence.partition("#")
    path = folder / place
    return path.is_file() and (not anchor or anchor in _anchors(path))


@pytest.mark.parametrize("page", PAGES)
def test_every_claim_names_evidence_that_is_there(page: str) -> None:
    rows = _rows(page)
    assert len(rows) >= 10
    for row in rows:
        evidence = re.findall(r"`([^`]+)`", row[-1])
        links = re.findall(r"\]\(([^)]+)\)", row[-1])
        assert evidence or links, row
        assert all(map(_is_there, evidence)), row
        assert all(_is_there(link, DOCS) for link in links), row


def test_every_principle_of_the_covenant_is_answered() -> None:
    assert {row[0] for row in _rows("responsible-ai.md")} == PRINCIPLES


@pytest.mark.parametrize("page", [*PAGES, "people.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert all(_is_there(link, DOCS) for link in re.findall(r"\]\(([^)]+)\)", text))


def test_no_feature_reads_what_somebody_is() -> None:
    words = " ".join(f"{name_of(one)} {meaning_of(one)}" for one in FEATURES)
    assert len(words) > 1_000
    assert not re.search(r"\b(?:age|sex|gender|ethnic\w*|religio\w*|belief|birth)\b", words)
    dropped = (DOCS.parent / "cardwatch/registers/dropped.toml").read_text(encoding="utf-8")
    patterns = [one["pattern"] for one in tomllib.loads(dropped)["dropped"]]
    for heading in ("sex", "gender", "ethnicity", "religion", "date of birth", "disability"):
        assert any(re.search(pattern, heading) for pattern in patterns), heading


def test_figures_are_those_that_were_measured() -> None:
    measured = (DOCS / "measurements.md").read_text(encoding="utf-8")
    assert "named in 97" in measured
    for page in ("responsible-ai.md", "staff.md"):
        assert "named in 97 of 100" in (DOCS / page).read_text(encoding="utf-8")
