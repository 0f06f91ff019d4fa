"""Tables that ship in place of libraries say what the libraries say."""

from __future__ import annotations

import pytest

from cardwatch.features.bank_holidays import TABLE_YEARS, bank_holidays, library_holidays
from cardwatch.features.novelty import described_stems, trade_stems
from cardwatch.policy import COUNTRIES

FIRST, LAST = TABLE_YEARS[0], TABLE_YEARS[-1]


@pytest.mark.parametrize("country", COUNTRIES)
def test_bank_holidays_are_the_librarys(country: str) -> None:
    """A new bank holiday that the library knows is in the table: `make docs` makes it again."""
    for year in TABLE_YEARS:
        years = range(year, year + 1)
        assert bank_holidays(country, years) == library_holidays(country, years), year
    assert bank_holidays(country, TABLE_YEARS) == library_holidays(country, TABLE_YEARS)


@pytest.mark.parametrize("years", [(FIRST - 1, FIRST + 1), (LAST, LAST + 2), (1980, 1981)])
def test_years_outside_the_table_are_asked_of_the_library(years: tuple[int, int]) -> None:
    days = bank_holidays("ENG", range(*years))
    assert days == library_holidays("ENG", range(*years))
    assert {int(day[:4]) for day in days} == set(range(*years))


def test_trade_stems_are_the_librarys() -> None:
    assert trade_stems() == described_stems()
