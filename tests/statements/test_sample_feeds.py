"""The sample force's October as every bank feed: the same payments, the same alerts."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from cardwatch.errors import FileRefused
from cardwatch.scoring import score
from cardwatch.statements import ReadingChoices, name_holders, read_each, shipped_profiles
from cardwatch.tabular import ReaderPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardwatch.policy import Policy
    from cardwatch.records import ReadingReport

    Outcome = FileRefused | tuple[pd.DataFrame, ReadingReport]
    Read = Callable[[Path], Outcome]

SAMPLE = Path(__file__).parents[2] / "sample_data"
CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, of no other use")
FEEDS = {
    ".vcf": (),
    ".cdf.xml": ("unit",),
    ".gl1025": ("unit",),
    ".kr1025": ("unit", "mcc"),
    ".camt053.xml": ("mcc", "cost_centre", "key_employee_id", "original"),
    ".ofx": ("mcc", "cost_centre", "unit", "key_employee_id", "original"),
    ".sta": ("mcc", "cost_centre", "key_employee_id", "original", "card"),
}
"""Ending of each feed and what its form does not carry of the CSV's fields."""
ACCOUNT = "account ending SH01"
HISTORY_MONTHS = 6
MUTATIONS, ALL_MUTATIONS = 15, 300
"""So many flips and dropped lines of each feed in the suite, and under `make prove`."""


@pytest.fixture(scope="module")
def readers() -> Iterator[ReaderPool]:
    with ReaderPool(2) as running:
        yield running


@pytest.fixture(scope="module")
def history() -> list[pd.DataFrame]:
    paths = sorted((SAMPLE / "statements").iterdir())[-1 - HISTORY_MONTHS : -1]
    return [one[0] for one in read_each(paths, CHOICES) if not isinstance(one, FileRefused)]


@pytest.fixture(scope="module")
def csv_month() -> pd.DataFrame:
    return read(SAMPLE / "statements" / "2026-10.csv")[0]


def read(path: Path, readers: ReaderPool | None = None) -> tuple[pd.DataFrame, ReadingReport]:
    (outcome,) = read_each([path], CHOICES, readers=readers)
    assert not isinstance(outcome, FileRefused), outcome
    return outcome


def without(frame: pd.DataFrame, absent: tuple[str, ...]) -> pd.DataFrame:
    """Return the CSV's payments without the fields that a feed does not carry."""
    plain = frame.copy()
    for name in absent:
        if name.startswith("key_"):
            plain = plain.drop(columns=name)
        elif name == "original":
            plain["original_amount"], plain["original_currency"] = "", "GBP"
        elif name == "card":
            plain["card_last4"] = plain["card_token"] = ""
            plain = plain.drop(columns="key_card_number")
            plain["key_holder_id"] = f"no holder: {ACCOUNT}"
        else:
            plain[name] = ""
    if "cost_centre" in absent and "unit" not in absent:
        plain["unit"] = plain["cost_centre"] = ACCOUNT
    return plain


def payments(frame: pd.DataFrame) -> pd.DataFrame:
    plain = frame.drop(columns=["file", "row"]).sort_values("transaction_id", ignore_index=True)
    plain["original_amount"] = plain["original_amount"].str.replace(",", "")
    return plain[sorted(plain)]


def alerts(month: pd.DataFrame, history: list[pd.DataFrame], policy: Policy) -> str:
    """Return a month's alerts as JSON, but for the names of its files and numbers of its rows."""
    named = month.assign(file="october " + month["file"].str[:10])
    together, _ = name_holders([*history, named])
    lists = score(together, policy, asked_files=sorted(set(named["file"]))).lists
    text = json.dumps(
        {lane: dataclasses.asdict(made) for lane, made in lists.items()}, sort_keys=True
    )
    return re.sub(r'"file": "october [^"]*"', '"file": ""', re.sub(r'"row": \d+', '"row": 0', text))


def wanted_month(ending: str, csv_month: pd.DataFrame) -> pd.DataFrame:
    wanted = without(csv_month, FEEDS[ending])
    if ending == ".cdf.xml":  # a unit's number is the cost centre here
        wanted["unit"] = wanted["cost_centre"]
    if ending == ".kr1025":
        wanted["mcc"] = ""
    return wanted


@pytest.mark.parametrize("ending", FEEDS)
def test_each_feed_gives_the_payments_and_alerts_of_the_csv(
    ending: str, csv_month: pd.DataFrame, history: list[pd.DataFrame], sample_policy: Policy
) -> None:
    month, report = read(SAMPLE / "feeds" / f"2026-10{ending}")
    wanted = wanted_month(ending, csv_month)
    pd.testing.assert_frame_equal(payments(month), payments(wanted))
    assert (report.pence, report.problems) == (5_526_773, ())
    assert alerts(month, history, sample_policy) == alerts(wanted, history, sample_policy)


@pytest.mark.parametrize("ending", [".vcf", ".cdf.xml", ".gl1025"])
def test_daily_feeds_of_a_month_give_what_the_monthly_one_gives(
    ending: str,
    tmp_path: Path,
    readers: ReaderPool,
    history: list[pd.DataFrame],
    sample_policy: Policy,
) -> None:
    month, _ = read(SAMPLE / "feeds" / f"2026-10{ending}")
    days = [read(path, readers)[0] for path in write_daily(ending, tmp_path)]
    assert len(days) > 20
    together = pd.concat(days, ignore_index=True)
    pd.testing.assert_frame_equal(payments(together), payments(month))
    assert alerts(together, history, sample_policy) == alerts(month, history, sample_policy)


def write_daily(ending: str, folder: Path) -> list[Path]:
    """Write October as one feed for each day of booking."""
    sys.path.insert(0, str(SAMPLE))
    try:
        import feeds  # noqa: PLC0415  the generator's own module
        import generate  # noqa: PLC0415  the same
    finally:
        sys.path.remove(str(SAMPLE))
    write = next(write for end, write in feeds.FORMS.values() if end == ending)
    rows = generate.october()
    paths = []
    for day in sorted({row.posted for row in rows}):
        path = folder / f"{day}{ending}"
        path.write_bytes(write([row for row in rows if row.posted == day]))
        paths.append(path)
    return paths


# Mutations --------------------------------------------------------------------------------------


def mutated(data: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Return a feed with one byte changed, or one line dropped or doubled."""
    kind = ("flip", "flip", "drop", "double")[int(rng.integers(4))]
    if kind == "flip":
        place = int(rng.integers(len(data)))
        old = data[place]
        new = int(rng.integers(0x20, 0x7F))
        if 0x30 <= old <= 0x39:  # a digit becomes another one, which nothing but a total can show
            new = 0x30 + (old - 0x30 + int(rng.integers(1, 10))) % 10
        return kind, data[:place] + bytes([new if new != old else new ^ 1]) + data[place + 1 :]
    lines = data.splitlines(keepends=True)
    line = int(rng.integers(len(lines)))
    doubled = [lines[line], lines[line]] if kind == "double" else []
    return kind, b"".join([*lines[:line], *doubled, *lines[line + 1 :]])


def fate(outcome: Outcome, whole: tuple[pd.DataFrame, ReadingReport]) -> str:
    """Return what a mutation came to: refused, shown, nothing of it read, a text, or money."""
    if isinstance(outcome, FileRefused):
        return "refused"
    frame, report = outcome
    if report.problems or report.notes != whole[1].notes:
        return "shown"
    if any(not check.passed for check in report.checks):
        return "shown"
    columns = [name for name in sorted(whole[0]) if name not in {"file", "row"}]
    if set(columns) == set(frame) - {"file", "row"} and frame[columns].equals(whole[0][columns]):
        return "not read"
    money = ["amount_pence", "kind"]
    same = len(frame) == len(whole[0]) and (frame[money].equals(whole[0][money]))
    return "another text or day" if same else "MONEY"


def try_mutations(
    ending: str, count: int, folder: Path, readers: ReaderPool
) -> Counter[tuple[str, str]]:
    data = (SAMPLE / "feeds" / f"2026-10{ending}").read_bytes()
    whole = read(SAMPLE / "feeds" / f"2026-10{ending}", readers)
    rng = np.random.default_rng(20261129)
    fates: Counter[tuple[str, str]] = Counter()
    path = folder / "feed.dat"
    for _ in range(count):
        kind, changed = mutated(data, rng)
        path.write_bytes(changed)
        (outcome,) = read_each([path], CHOICES, readers=readers)
        fates[kind, fate(outcome, whole)] += 1
    return fates


COUNTED = [ending for ending in FEEDS if ending != ".ofx"]
"""OFX declares nothing, and says so in each report."""


@pytest.mark.parametrize("ending", COUNTED)
def test_no_changed_byte_or_line_gives_other_money_unseen(
    ending: str, tmp_path: Path, readers: ReaderPool
) -> None:
    fates = try_mutations(ending, MUTATIONS, tmp_path, readers)
    assert not [key for key in fates if key[1] == "MONEY"], fates


@pytest.mark.prove
@pytest.mark.parametrize("ending", COUNTED)
def test_hundreds_of_changed_bytes_and_lines_give_no_other_money(
    ending: str, tmp_path: Path, readers: ReaderPool
) -> None:
    fates = try_mutations(ending, ALL_MUTATIONS, tmp_path, readers)
    print(f"\n{ending}: {dict(sorted(fates.items()))}")  # noqa: T201  figures for the record
    assert not [key for key in fates if key[1] == "MONEY"], fates


def test_ofx_says_that_a_changed_payment_would_not_be_noticed() -> None:
    _, report = read(SAMPLE / "feeds" / "2026-10.ofx")
    assert any("would not be noticed" in note for note in report.notes)
    assert all(check.name != "control totals" for check in report.checks)
    assert report.checks[0] is not None
