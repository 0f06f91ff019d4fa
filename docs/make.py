"""Makes what is made from the code: the page of rules, the picture in the README, and tables."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from cardwatch.cli import output
from cardwatch.features.bank_holidays import BANK_HOLIDAYS_FILE, table_text
from cardwatch.features.novelty import TRADE_STEMS_FILE, described_stems
from cardwatch.policy import load_policy
from cardwatch.registers import layouts_page, read_cards
from cardwatch.rules import load_rules, rules_page
from cardwatch.scoring import score
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "sample_data"
FEATURES = HERE.parent / "cardwatch" / "features"
WIDTH, FIRST = 108, 3


def make_picture() -> str:
    """Return the first alerts of the demonstration as an SVG that loads nothing from outside."""
    choices = ReadingChoices(shipped_profiles(), b"demonstration")
    sample = read_statements([SAMPLE / "statements"], choices)
    policy = load_policy(SAMPLE / "policy.toml")
    cards = read_cards(SAMPLE / "cards.csv", choices)
    scoring = score(sample.transactions, policy, cards=cards, asked_files=["2026-10.csv"])
    made = scoring.lists["finance"]
    picture = Console(width=WIDTH, record=True, highlight=False, file=io.StringIO())
    output.out = picture
    output.print_list("finance", replace(made, alerts=made.alerts[:FIRST]), show_all=False)
    without_fonts = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return picture.export_svg(
        title="cardwatch demo", code_format=without_fonts, unique_id="cardwatch"
    )


def main() -> None:
    """Write every page, picture and table."""
    stems = "".join(f"{stem}\n" for stem in sorted(described_stems()))
    (FEATURES / TRADE_STEMS_FILE).write_text(stems, encoding="utf-8")
    (FEATURES / BANK_HOLIDAYS_FILE).write_text(table_text(), encoding="utf-8")
    (HERE / "rules.md").write_text(rules_page(load_rules()), encoding="utf-8")
    (HERE / "register-layouts.md").write_text(layouts_page(), encoding="utf-8")
    (HERE / "demo.svg").write_text(make_picture(), encoding="utf-8")
    print("docs/rules.md docs/register-layouts.md docs/demo.svg")


if __name__ == "__main__":
    main()
