"""Bank holidays by country of the United Kingdom.

The library `holidays` loads every country of the world to tell those of one, which takes as long as
scoring ten rows. The days of `TABLE_YEARS` are therefore read from a table that `make docs` makes
of the library; for other years the library is asked.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

BANK_HOLIDAYS_FILE = "bank_holidays.txt"
TABLE_YEARS = range(2000, 2050)


def bank_holidays(country: str, years: range) -> list[str]:
    """Return the bank holidays of some years, as days in ISO form.

    Args:
        country: ENG, SCT, WLS or NIR.
        years: the years; there has to be one.
    """
    if years[0] in TABLE_YEARS and years[-1] in TABLE_YEARS:
        return [day for day in _table()[country] if int(day[:4]) in years]
    return library_holidays(country, years)


def library_holidays(country: str, years: range) -> list[str]:
    """Return the same from the library."""
    import holidays  # noqa: PLC0415  it takes long to load

    return sorted(map(str, holidays.country_holidays("GB", subdiv=country, years=years)))


@cache
def _table() -> dict[str, list[str]]:
    """Return the days of the table by country; each of its lines is a day and its countries."""
    by_country: dict[str, list[str]] = {}
    table = resources.files("cardwatch.features") / BANK_HOLIDAYS_FILE
    for line in table.read_text(encoding="utf-8").splitlines():
        day, *countries = line.split()
        for country in countries:
            by_country.setdefault(country, []).append(day)
    return by_country


def table_text() -> str:
    """Return the table, made of the library."""
    countries: dict[str, list[str]] = {}
    for country in ("ENG", "NIR", "SCT", "WLS"):
        for day in library_holidays(country, TABLE_YEARS):
            countries.setdefault(day, []).append(country)
    return "".join(f"{day} {' '.join(countries[day])}\n" for day in sorted(countries))
