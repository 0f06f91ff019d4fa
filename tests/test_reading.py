"""Help is in plain English: what pages, the guide and alerts say asks for nine years of school.

Of a page it is all but headings, labels, buttons and the cells of tables: measured whole, and each
text by itself that is long enough for one name not to decide its grade.
"""

from __future__ import annotations

import ast
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from reading import WORD, grade, syllables

from cardwatch.casebook import STATES
from cardwatch.rules import load_rules

ROOT = Path(__file__).parents[1]
HARDEST = 9
LONG_WORDS = 12
TEXTS = re.compile(
    r'<p class="govuk-body(?:-[ls])?">(.*?)</p>'
    r"|<li>(.*?)</li>"
    r'|hint(?:=|": )"([^"]*)"'
    r'|parts\.(?:inset|warning|banner)\("([^"]*)"'
    r'|^  \("[^"]*", "([^"]*\.)"\),$',
    re.DOTALL | re.MULTILINE,
)


def texts_of(template: str) -> list[str]:
    """Return the sentences of a template; what is filled in is a word."""
    found = (next(filter(None, one), "") for one in TEXTS.findall(template))
    words = (re.sub(r'\{\{ parts\.link\("([^"]*)".*?\}\}', r"\1", one) for one in found)
    plain = (re.sub(r"\{\{.*?\}\}", "it", re.sub(r"\{%.*?%\}|<.*?>", " ", one)) for one in words)
    texts = (" ".join(html.unescape(one).split()) for one in plain)
    return [one for one in texts if one.endswith((".", "?")) and len(WORD.findall(one)) > 3]


def sections(guide: str) -> dict[str, str]:
    """Return the prose of a document by heading; commands and addresses left out."""
    told = {}
    for part in re.split(r"^## ", guide, flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        text = re.sub(r"```.*?```|`[^`]*`|https?://\S+", "it", text, flags=re.DOTALL)
        told[title] = re.sub(r"\]\([^)]*\)|[*\[\]]|^\d+\. |^- ", "", text, flags=re.MULTILINE)
    return told


def spoken(module: str) -> list[str]:
    """Return the sentences that a module says, which are no docstrings."""
    tree = ast.parse(module)
    docs = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    said = [
        one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in docs
    ]
    return [one for one in said if one.endswith((".", "?")) and len(WORD.findall(one)) > 3]


GUIDE = sections((ROOT / "docs" / "using.md").read_text(encoding="utf-8"))
PAGES = {
    path.name: path.read_text(encoding="utf-8")
    for path in (ROOT / "api" / "templates").glob("*.html")
}
MODULES = {
    f"{path.parent.name}/{path.name}": path.read_text(encoding="utf-8")
    for path in (ROOT / "api" / "web").glob("*.py")
}
SAID = {name: texts_of(text) for name, text in PAGES.items()}
SAID |= {name: spoken(text) for name, text in MODULES.items()}
SAID |= {f"using.md: {title}": [text] for title, text in GUIDE.items()}
SAID["states"] = [". ".join(STATES.values()) + "."]
SAID |= {f"rule {one.id}": [" ".join([one.why, *one.ask, *one.innocent])] for one in load_rules()}
SAMPLE = json.loads((ROOT / "tests" / "golden" / "sample-2026-10.json").read_text(encoding="utf-8"))
ALERTS = [one for made in SAMPLE["lists"].values() for one in made["alerts"]]


@pytest.mark.parametrize(
    ("word", "count"),
    [("same", 1), ("asked", 1), ("named", 1), ("payment", 2), ("statement", 2), ("merchant", 2),
     ("question", 2), ("decided", 3), ("usual", 3), ("single", 2), ("people", 2), ("period", 3),
     ("evaluation", 5), ("professional", 4)],
)  # fmt: skip
def test_the_measure_counts_syllables_as_they_are_spoken(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_measure_tells_plain_words_from_hard_ones() -> None:
    assert grade("Ask the holder. Then say what you were told.") < 2
    hard = "Notwithstanding organisational considerations, documentation is obligatory."
    assert grade(hard) > 20


def test_texts_are_found_in_most_pages_and_whole() -> None:
    empty = {name for name, texts in SAID.items() if not texts}
    assert "base.html" in empty
    assert len([name for name in empty if name.endswith(".html")]) < len(PAGES) / 4
    assert "Your role cannot see cases." in SAID["web/cases.py"]
    assert (
        "Under Alerts, open the first one. The list is in order: start at the top."
        in (SAID["help.html"])
    )


@pytest.mark.parametrize("name", sorted(name for name, texts in SAID.items() if texts))
def test_help_is_plain(name: str) -> None:
    texts = SAID[name]
    for text in (*texts, " ".join(texts)):
        assert len(WORD.findall(text)) < LONG_WORDS or grade(text) <= HARDEST, text


@pytest.mark.parametrize("alert", ALERTS, ids=lambda one: one["alert_id"])
def test_an_alert_explains_itself_plainly(alert: dict[str, Any]) -> None:
    lead = alert["reasons"][0]
    told = [one["fact"] for one in (*alert["reasons"], *alert["weakened_by"])]
    assert grade(" ".join([*told, lead["why"], *lead["ask"], *lead["innocent"]])) <= HARDEST
