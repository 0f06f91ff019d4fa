"""A sheet to be read blind says nothing of who asks, and is scored as it was filled."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from cardwatch.errors import CardwatchError
from cardwatch.evaluation.reading import (
    HEADINGS,
    OURS,
    SOURCES,
    agreements,
    make_items,
    read_answers,
    shares_of,
    sheet_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.evaluation.reading import Item
    from cardwatch.scoring import ScoringResult

COUNT = 6


@pytest.fixture(scope="module")
def items(scored_month: Callable[[str], ScoringResult]) -> list[Item]:
    return make_items(scored_month("2026-10"), COUNT)


def _filled(items: list[Item], answers: list[str]) -> str:
    rows = list(csv.reader(io.StringIO(sheet_text(items).removeprefix("\ufeff"))))
    for row, answer in zip(rows[1:], answers, strict=False):
        row[-1] = answer
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def test_a_sheet_has_so_many_of_each_source_and_names_none(items: list[Item]) -> None:
    for source in SOURCES:
        assert sum(source in item.sources for item in items) <= COUNT
    assert sum(OURS in item.sources for item in items) == COUNT
    text = sheet_text(items).casefold()
    assert not any(source in text for source in SOURCES)
    assert len({item.item_id for item in items}) == len(items)


def test_a_sheet_is_in_no_order_of_its_sources_and_the_same_again(
    items: list[Item], scored_month: Callable[[str], ScoringResult]
) -> None:
    assert make_items(scored_month("2026-10"), COUNT) == items
    own = [at for at, item in enumerate(items) if OURS in item.sources]
    assert own != list(range(COUNT)), "ours do not come first"


def test_a_sheet_of_one_lane_has_the_questions_of_that_list(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scoring = scored_month("2026-10")

    def asked_in(lane: str) -> set[str]:
        return {i.item_id for i in make_items(scoring, 1_000, lane) if OURS in i.sources}

    finance, psd = asked_in("finance"), asked_in("psd")
    assert psd
    assert psd != finance
    assert finance | psd == asked_in("all")


def test_a_filled_sheet_is_scored_by_source_with_an_exact_interval(items: list[Item]) -> None:
    answers = read_answers(items, _filled(items, ["Yes"] * len(items)), "a.csv")
    for share in shares_of(items, {"a.csv": answers}):
        assert share.worth == share.read == sum(share.source in item.sources for item in items)
        assert share.high == 1
        assert 0 < share.low < 1
    for share in shares_of(items, {"a.csv": {}}):
        assert (share.read, share.low, share.high) == (0, 0, 1), "nothing is known of it"


def test_readers_are_compared_on_what_both_answered(items: list[Item]) -> None:
    one = read_answers(items, _filled(items, ["yes", "no", "yes", "no", ""]), "a.csv")
    two = read_answers(items, _filled(items, ["yes", "no", "no", "no", "yes"]), "b.csv")
    (agreed,) = agreements({"a.csv": one, "b.csv": two})
    assert (agreed.both, agreed.same) == (4, 3)
    assert agreed.kappa == pytest.approx(0.5)
    (same,) = agreements({"a.csv": dict.fromkeys(one, True), "b.csv": dict.fromkeys(one, True)})
    assert same.kappa is None


def test_another_sheet_and_another_answer_are_refused(items: list[Item]) -> None:
    with pytest.raises(CardwatchError, match=r"a\.csv, line 3: enter yes or no"):
        read_answers(items, _filled(items, ["yes", "perhaps"]), "a.csv")
    with pytest.raises(CardwatchError, match="line 2: the sheet was written from other statements"):
        read_answers(items[1:], _filled(items, ["yes"]), "a.csv")
    with pytest.raises(CardwatchError, match="line 2"):
        read_answers(items, "Something\nelse\n", "a.csv")


def test_a_formula_in_a_merchants_name_is_none_in_the_sheet(items: list[Item]) -> None:
    cells = ("=HYPERLINK(1)", *items[0].cells[1:])
    text = sheet_text([type(items[0])(items[0].item_id, items[0].sources, cells)])
    assert "'=HYPERLINK" in text
    assert HEADINGS[-1] in text
