"""However alike names are built to be, each is compared with a bounded number of others."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest
from rapidfuzz import process

from cardwatch import merchants
from cardwatch.candidates import LONGEST_NAME, CandidateIndex
from cardwatch.merchants import canonical_name, link_aliases, link_merchants

ALIKE = {
    "one first word": lambda rng: "HOTEL " + "".join(rng.choices("BCDFGHJKLM", k=6)),
    "two letters": lambda rng: "HOTEL " + "".join(rng.choices("AB", k=20)),
    "one ending": lambda rng: "".join(rng.choices("BCDFGHJKLM", k=6)) + " HOTEL",
    "many short words": lambda rng: "HOTEL " + " ".join(rng.choices("AB", k=20)),
}


def _alike(kind: str, count: int = 2_000) -> list[str]:
    rng = random.Random(1)
    return list(dict.fromkeys(ALIKE[kind](rng) for _ in range(count)))


def _dates(count: int) -> pd.Series[pd.Timestamp]:
    return pd.Series(pd.date_range("2024-01-01", periods=count))


@pytest.mark.parametrize("kind", ALIKE)
def test_like_names_have_few_candidates(kind: str) -> None:
    index = CandidateIndex(100, 20)
    for name in _alike(kind):
        assert len(index.near(name)) <= 100
        index.add(name, name)
    assert len(index.near("HOTEL AAAABBBB")) <= 20


@pytest.mark.parametrize("kind", ALIKE)
def test_alias_comparisons_are_bounded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = pd.Series(_alike(kind), dtype="str")
    compared = 0
    may_be_one = merchants._may_be_one

    def count(*args: object) -> bool:
        nonlocal compared
        compared += 1
        return may_be_one(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(merchants, "_may_be_one", count)
    holders = pd.Series("E1", index=names.index, dtype="str")
    link_aliases(holders, names, _dates(len(names)))
    assert 0 < compared <= len(names) * 2 * merchants.OWN_COMPARED


def test_like_comparisons_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    extract = process.extractOne

    def count(name: str, candidates: list[str], **options: Any) -> object:
        sizes.append(len(candidates))
        return extract(name, candidates, **options)

    monkeypatch.setattr(process, "extractOne", count)
    names = pd.Series(_alike("one first word"), dtype="str")
    link_merchants(names, _dates(len(names)))
    assert max(sizes) <= merchants.MOST_COMPARED
    assert max(sizes[-100:]) <= merchants.COMPARED_BY_PARTS


def test_a_misspelt_name_is_found_among_thousands() -> None:
    names = _alike("one first word", 3_000)
    whole = names[1_234]
    misspelt = whole[:-3] + "X" + whole[-3:]
    linked = link_merchants(pd.Series([*names, misspelt], dtype="str"), _dates(len(names) + 1))
    assert linked["merchant_id"].iloc[-1] == whole


def test_a_cut_name_is_found_among_thousands() -> None:
    names = [f"{name} GARDENS" for name in _alike("one first word", 3_000)]
    cut = names[1_234][:-4]
    linked = link_merchants(pd.Series([*names, cut], dtype="str"), _dates(len(names) + 1))
    assert linked["merchant_id"].iloc[-1] == names[1_234]


def test_the_first_of_many_whole_forms_is_taken() -> None:
    ends = ["ZULU", "ALPHA", "MIKE"]
    names = pd.Series([f"NORTHGATE HOTELS {end}" for end in ends] + ["NORTHGATE HOTELS"])
    linked = link_merchants(names.astype("str"), _dates(4))["merchant_id"]
    assert linked.tolist()[-1] == "NORTHGATE HOTELS ZULU"


def test_candidates_keep_the_order_they_came_in() -> None:
    index = CandidateIndex(2, 5)
    for name in ("HOTEL C", "HOTEL A", "HOTEL B"):
        index.add(name, name)
    assert index.near("HOTEL A") == ["HOTEL C", "HOTEL A", "HOTEL B"]
    assert len(index) == 3


def test_few_printed_names_are_kept() -> None:
    cache = merchants._cached_canonical_name
    before = cache.cache_info().currsize
    canonical_name("A" * LONGEST_NAME + "B")
    assert cache.cache_info().currsize == before
    assert cache.cache_info().maxsize == merchants.MOST_CACHED
