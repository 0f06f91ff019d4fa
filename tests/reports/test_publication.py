"""The published file: seven fields, redactions in place, operational cards out."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from cardwatch.errors import FileFaulty
from cardwatch.reports.publication import (
    PUBLICATION_HEADINGS,
    USUAL_POUNDS,
    Redactions,
    make_publication,
    publication_csv,
    read_redactions,
)
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "publication-2026-Q3.csv"
NONE = Redactions({})


def _payments(*rows: tuple[str, int, str]) -> pd.DataFrame:
    """Return payments by merchant, pence and kind."""
    same = {"date": "2026-08-01", "mcc": "5943", "category": "", "cost_centre": "C1", "unit": "",
            "card_last4": "1234", "holder_id": "E1"}  # fmt: skip
    return pd.DataFrame(
        [same | {"merchant": m, "amount_pence": p, "kind": kind} for m, p, kind in rows]
    )


def test_the_publication_of_the_invented_force_is_the_golden_file() -> None:
    sys.path.insert(0, str(GOLDEN.parent))
    import write  # noqa: PLC0415  it stands beside the golden files

    folder = ROOT / "sample_data" / "statements"
    paths = [folder / f"2026-{number:02}.csv" for number in (7, 8, 9, 10)]
    sample = read_statements(paths, ReadingChoices(shipped_profiles(), b"k" * 32))
    quarter = write.third_quarter(sample.transactions)
    publication = make_publication(quarter, write.sample_redactions(), USUAL_POUNDS)
    assert publication_csv(publication).encode() == GOLDEN.read_bytes()
    assert (publication.redacted, publication.withheld) == ({"personal data": 1}, 1)
    assert publication.unused == ()
    text = GOLDEN.read_text(encoding="utf-8").casefold()
    for secret in ("withyholt", "podwick", "sv1", "9388", "7819"):
        assert secret not in text


def test_the_answers_of_the_invented_force_are_the_golden_file() -> None:
    sys.path.insert(0, str(GOLDEN.parent))
    import write  # noqa: PLC0415  it stands beside the golden files

    folder = ROOT / "sample_data" / "statements"
    paths = [folder / f"2026-{number:02}.csv" for number in (7, 8, 9, 10)]
    sample = read_statements(paths, ReadingChoices(shipped_profiles(), b"k" * 32))
    text = write.sample_answers(sample.transactions)
    assert text == GOLDEN.with_name("answers-2026-Q3.txt").read_text(encoding="utf-8")
    for secret in ("withyholt", "podwick", "sv1", "9388", "7819"):
        assert secret not in text.casefold()


def test_what_exceeds_the_threshold_is_published_and_refunds_too() -> None:
    payments = _payments(
        ("A", 50_000, "purchase"), ("B", 50_001, "purchase"), ("C", -50_001, "refund"),
        ("D", -49_999, "refund"), ("E", 90_000, "fee"),
    )  # fmt: skip
    rows = make_publication(payments, NONE, USUAL_POUNDS).rows
    assert [(row[2], row[3]) for row in rows] == [("B", "500.01"), ("C", "-500.01")]
    assert all(len(row) == len(PUBLICATION_HEADINGS) for row in rows)
    assert rows[0][1] == "C1", "the cost centre stands where no unit is given"


def test_a_merchant_is_redacted_however_it_is_printed() -> None:
    payments = _payments(("ACME CLINIC 0122", 60_000, "purchase"), ("Other", 60_000, "purchase"))
    redactions = read_redactions(
        '[[redact]]\nmerchant = "acme clinic"\nreason = "personal data"\n'
        '[[redact]]\nmerchant = "nobody"\nreason = "personal data"\n', "r.toml"
    )  # fmt: skip
    publication = make_publication(payments, redactions, USUAL_POUNDS)
    assert [row[2] for row in publication.rows] == ["Redacted: personal data", "Other"]
    assert publication.redacted == {"personal data": 1}
    assert publication.unused == ("NOBODY",)


@pytest.mark.parametrize(
    ("key", "value"),
    [("card_last4", "1234"), ("holder", "E1"), ("cost_centre", "C1"), ("unit", "Covert")],
)
def test_operational_payments_are_out(key: str, value: str) -> None:
    payments = _payments(("A", 60_000, "purchase"), ("B", 60_000, "purchase"))
    payments.loc[0, "unit"] = "Covert"
    if key != "unit":
        payments.loc[1, ["card_last4", "holder_id", "cost_centre"]] = "9"
    redactions = read_redactions(f'[[leave_out]]\n{key} = "{value}"\n', "r.toml")
    publication = make_publication(payments, redactions, USUAL_POUNDS)
    assert [row[2] for row in publication.rows] == ["B"]
    assert (publication.withheld, publication.unused) == (1, ())


def test_no_cell_is_a_formula() -> None:
    payments = _payments(("=1+1", 60_000, "purchase"))
    payments["unit"] = "@SUM(A1)"
    text = publication_csv(make_publication(payments, NONE, USUAL_POUNDS))
    assert '"\'=1+1"' in text
    assert '"\'@SUM(A1)"' in text


def test_every_fault_of_a_list_is_named() -> None:
    text = """leave = 1
[[redact]]
merchant = "A"
[[leave_out]]
card_last4 = 1234
[[leave_out]]
card = "1"
"""
    with pytest.raises(FileFaulty) as refusal:
        read_redactions(text, "r.toml")
    listed = "\n".join(refusal.value.faults)
    for words in ("unknown table 'leave'", "redact, entry 1", "leave_out, entry 1",
                  "leave_out, entry 2"):  # fmt: skip
        assert words in listed
    with pytest.raises(FileFaulty, match=r"write \[\[redact\]\]"):
        read_redactions("redact = 1", "r.toml")
