"""Writes the golden files again, after a change of detection or of the API that is meant."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cardwatch.policy import load_policy
from cardwatch.reports import Coverage, Span, as_json
from cardwatch.reports.information_request import answers_document, document_text
from cardwatch.reports.publication import (
    USUAL_POUNDS,
    Redactions,
    make_publication,
    publication_csv,
    read_redactions,
)
from cardwatch.scoring import score
from cardwatch.services.publications import request_figures
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    import pandas as pd

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_data"


def third_quarter(transactions: pd.DataFrame) -> pd.DataFrame:
    """The payments of July to September 2026, their days as text."""
    days = transactions["date"].dt.strftime("%Y-%m-%d")
    return transactions.assign(date=days)[days.between("2026-07-01", "2026-09-30")]


def sample_redactions() -> Redactions:
    """What the invented force does not publish."""
    path = SAMPLE / "redactions.toml"
    return read_redactions(path.read_text(encoding="utf-8"), path.name)


def sample_answers(transactions: pd.DataFrame) -> str:
    """Answers to the usual questions about the invented force's third quarter."""
    span = Span("2026-Q3", "2026-07-01", "2026-09-30", is_over=True)
    figures = request_figures(
        span, third_quarter(transactions), ((), Coverage(0, 0)), sample_redactions(), USUAL_POUNDS
    )
    document = answers_document(figures, organisation="Invented force", made_on="2026-11-24")
    return document_text(document)


def main() -> None:
    """Score October 2026, describe the API, and write what the tests compare."""
    sys.path.insert(0, str(HERE.parents[1]))
    from api.main import create_app  # noqa: PLC0415  beside the package, not in it
    from api.settings import Settings  # noqa: PLC0415  the same

    choices = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
    sample = read_statements([SAMPLE / "statements"], choices)
    policy = load_policy(SAMPLE / "policy.toml")
    scoring = score(sample.transactions, policy, asked_files=["2026-10.csv"])
    plain = {lane: dataclasses.replace(m, made_by={}) for lane, m in scoring.lists.items()}
    text = as_json(plain, dataclasses.replace(sample, reports=()))
    (HERE / "sample-2026-10.json").write_text(text, encoding="utf-8")
    (HERE / "answers-2026-Q3.txt").write_text(sample_answers(sample.transactions), encoding="utf-8")
    rows = make_publication(third_quarter(sample.transactions), sample_redactions(), USUAL_POUNDS)
    (HERE / "publication-2026-Q3.csv").write_text(
        publication_csv(rows), encoding="utf-8", newline=""
    )
    document = json.dumps(create_app(Settings()).openapi(), indent=1, ensure_ascii=False)
    (HERE / "openapi.json").write_text(document + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
