"""Guesses of columns: by heading first, by content where that shows one column alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardwatch.statements import (
    BY_CONTENT,
    ReadingChoices,
    preview_statement,
    shipped_profiles,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cardwatch.statements import StatementPreview

KEY = b"k" * 32


def _preview(tmp_path: Path, text: str) -> StatementPreview:
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    return preview_statement(path, ReadingChoices(shipped_profiles(), KEY))


HOLDERS = {
    "staff number": (("AB1234", "AB1235"), "employee_id"),
    "masked card": (("**** **** **** 1234", "**** **** **** 9876"), "card_number"),
    "name": (("Roe, A", "Poe, B"), "cardholder"),
}


@pytest.mark.parametrize(("holders", "field"), HOLDERS.values(), ids=HOLDERS)
def test_columns_without_known_headings_are_guessed_by_content(
    tmp_path: Path, holders: tuple[str, str], field: str
) -> None:
    rows = [f'ref{n},2026-10-{n:02},"{holders[n % 2]}",Shop number {n},{n}.50' for n in range(1, 9)]
    preview = _preview(tmp_path, "\n".join(["q,w,e,r,t", *rows]))
    guesses = {name: guess.heading for name, guess in preview.guesses.items()}
    assert guesses == {"date": "w", field: "e", "merchant": "r", "amount": "t"}
    assert {guess.reason for guess in preview.guesses.values()} == {BY_CONTENT}
    assert preview.is_guessed
    assert preview.unused == ("q",)
    assert [row.merchant for row in preview.rows] == [f"Shop number {n}" for n in range(1, 6)]
    assert (preview.charges.payments, preview.charges.pence) == (8, 4_000)


def test_two_columns_alike_are_not_guessed(tmp_path: Path) -> None:
    rows = [f"2026-10-{n:02},E1,Shop number {n},{n}.50,{n}.75" for n in range(1, 9)]
    preview = _preview(tmp_path, "\n".join(["w,e,r,t,y", *rows]))
    assert "amount" not in preview.guesses
    assert preview.refusal is not None
    assert preview.refusal.code == "columns_unknown"
    assert preview.rows == ()


def test_distinct_numbers_are_no_cardholders(tmp_path: Path) -> None:
    rows = [f"2026-10-{n:02},E{n},Shop number {n},{n}.50" for n in range(1, 9)]
    assert "employee_id" not in _preview(tmp_path, "\n".join(["w,e,r,t", *rows])).guesses


def test_refunds_are_counted_apart_in_a_preview(tmp_path: Path) -> None:
    rows = [f"2026-10-{n:02},E1,SHOP,{-1 if n == 8 else 1}.00" for n in range(1, 9)]
    preview = _preview(tmp_path, "\n".join(["date,employee number,merchant,amount", *rows]))
    assert not preview.is_guessed
    assert (preview.charges.pence, preview.refunds.pence) == (700, -100)
    assert preview.refunds.payments == 1
