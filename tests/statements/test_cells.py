"""Dates, amounts and card numbers are read exactly, or not at all."""

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwatch.statements import cells, dates

KEY = b"a key for tests, of no other use"
OTHER_KEY = b"another key for tests, as useless"
CARD = "4111111111111111"
AMEX = "378282246310005"


@pytest.mark.parametrize(
    ("text", "mark", "pence"),
    [
        ("9.99", ".", 999),
        ("9,999.99", ".", 999_999),
        ("1,234,567.89", ".", 123_456_789),
        ("£9.99", ".", 999),
        ("£ 1,234.5", ".", 123_450),
        ("GBP 12.00", ".", 1200),
        ("12.00 GBP", ".", 1200),
        ("(9.99)", ".", -999),
        ("(£1,200.00)", ".", -120_000),
        ("£(9.99)", ".", -999),
        ("-9.99", ".", -999),
        ("- 9.99", ".", -999),
        ("-£9.99", ".", -999),
        ("£-9.99", ".", -999),
        ("\u22129.99", ".", -999),
        ("9.99-", ".", -999),
        ("9.99 -", ".", -999),
        ("9.99 CR", ".", -999),
        ("9.99cr", ".", -999),
        ("9.99 DR", ".", 999),
        ("9.99DR", ".", 999),
        ("9.99 dr", ".", 999),
        (".99", ".", 99),
        ("-.50", ".", -50),
        ("+5.00", ".", 500),
        ("208.37 ", ".", 20_837),
        ("\xa0208.37\xa0", ".", 20_837),
        ("1 234.56", ".", 123_456),
        ("1\xa0234.56", ".", 123_456),
        ("1'234.56", ".", 123_456),
        ("5.", ".", 500),
        ("25.5", ".", 2550),
        ("60", ".", 6000),
        ("-72", ".", -7200),
        ("0", ".", 0),
        ("-0.00", ".", 0),
        ("1,234", ".", 123_400),
        ("007.10", ".", 710),
        ("31.6800", ".", 3168),
        ("31.680000000000003", ".", 3168),
        ("403000", ".", 40_300_000),
        ("521,65", ",", 52_165),
        ("1.083,65", ",", 108_365),
        ("£1.083,65", ",", 108_365),
        ("-1.083,65", ",", -108_365),
        ("1.083", ",", 108_300),
        ("1.234.567,89", ",", 123_456_789),
        (",50", ",", 50),
        ("12", ",", 1200),
    ],
)
def test_every_accepted_spelling_of_an_amount_is_read_to_the_penny(
    text: str, mark: str, pence: int
) -> None:
    assert cells.read_pence(text, mark) == pence


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("", "."),
        (" ", "."),
        ("-", "."),
        ("£", "."),
        ("()", "."),
        (".", "."),
        ("n/a", "."),
        ("NaN", "."),
        ("inf", "."),
        ("1e5", "."),
        ("1e9999", "."),
        ("1.5E+3", "."),
        ("1,2.5", "."),
        ("12,34.50", "."),
        ("1,23", "."),
        ("1,2345", "."),
        ("1.2.3", "."),
        ("1.083", "."),
        ("9.999", "."),
        ("0.005", "."),
        ("1.0830", ","),
        ("1.08", ","),
        ("1,083.65", ","),
        ("--5.00", "."),
        ("(-5.00)", "."),
        ("-5.00-", "."),
        ("5.00 5.00", "."),
        ("12.00 each", "."),
        ("0x10", "."),
        ("99999999999999999999", "."),
        ("-99999999999999999999", "."),
        ("9" * 20_000, "."),
        ("=1+1", "."),
        ("12/05/2026", "."),
    ],
    ids=lambda text: text[:20] or "nothing",
)
def test_what_is_no_amount_in_whole_pence_is_refused_and_never_guessed(
    text: str, mark: str
) -> None:
    assert cells.read_pence(text, mark) is None


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1,234"], "."),
        (["1,234", "9.99"], "."),
        (["1,234.56"], "."),
        (["1,234,567"], "."),
        (["£12", "60"], "."),
        ([""], "."),
        (["521,65"], ","),
        (["1.083,65"], ","),
        (["1.083", "521,65"], ","),
        (["1,234", "12,5"], ","),
        (["9.99", "8.50", "12,5"], "."),
        (["(1,234.00)", "1.083"], "."),
        (["1.234.567,89"], ","),
    ],
    ids=str,
)
def test_the_decimal_mark_is_decided_over_the_whole_column(texts: list[str], mark: str) -> None:
    assert cells.decimal_mark(texts) == mark


LARGEST = 10**11
PENCE = st.integers(-LARGEST, LARGEST)


@given(PENCE)
def test_any_amount_reads_back_exactly_however_it_is_written(pence: int) -> None:
    pounds, rest = divmod(abs(pence), 100)
    minus = "-" * (pence < 0)
    grouped = f"{pounds:,}.{rest:02}"
    continental = grouped.translate(str.maketrans(",.", ".,"))
    spellings = {
        f"{minus}{pounds}.{rest:02}": ".",
        f"{minus}{grouped}": ".",
        f"{minus}£{grouped}": ".",
        f"£{minus}{grouped} ": ".",
        f"{grouped}{minus}": ".",
        f"{grouped} {'CR' if minus else 'DR'}": ".",
        (f"({grouped})" if minus else grouped): ".",
        f"{minus}{pounds}.{rest:02}0000": ".",
        f"{minus}{grouped.replace(',', ' ')}": ".",
        f"{minus}{continental}": ",",
        f"{minus}{pounds},{rest:02}": ",",
    }
    for text, mark in spellings.items():
        assert cells.read_pence(text, mark) == pence, text


@given(st.text(max_size=30), st.sampled_from([".", ","]))
def test_no_text_makes_the_amount_reader_fail(text: str, mark: str) -> None:
    assert cells.read_pence(text, mark) is None or isinstance(cells.read_pence(text, mark), int)


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-01-05", "day-first", (2026, 1, 5)),
        ("2026-1-5", "month-first", (2026, 1, 5)),
        ("2026-01-05T09:30:00", "day-first", (2026, 1, 5)),
        ("2026-01-05 09:30:00.000", "day-first", (2026, 1, 5)),
        ("20260105", "month-first", (2026, 1, 5)),
        ("05/01/2026", "day-first", (2026, 1, 5)),
        ("05/01/2026", "month-first", (2026, 5, 1)),
        ("5/1/2026", "day-first", (2026, 1, 5)),
        ("05-01-26", "day-first", (2026, 1, 5)),
        ("05.01.2026", "day-first", (2026, 1, 5)),
        ("05/01/2026 00:00:00", "day-first", (2026, 1, 5)),
        (" 05/01/2026 ", "day-first", (2026, 1, 5)),
        ("5 January 2026", "month-first", (2026, 1, 5)),
        ("05-Jan-26", "month-first", (2026, 1, 5)),
        ("05JAN2026", "day-first", (2026, 1, 5)),
        ("29/02/2024", "day-first", (2024, 2, 29)),
    ],
)
def test_a_date_is_read_as_the_day_it_names(
    text: str, order: str, day: tuple[int, int, int]
) -> None:
    assert dates.read_date(text, order, serial=False) == dt.date(*day)


@pytest.mark.parametrize(
    "text",
    ["", "0000-00-00", "9999-01-01", "2026-02-30", "29/02/2025", "31/13/2026", "13/13/2026",
     "05/01-2026", "Jan", "05-Foo-26", "45662", "12.50", "total", "20261301", "1/2"],
)  # fmt: skip
def test_what_is_no_day_is_refused_and_never_guessed(text: str) -> None:
    assert dates.read_date(text, "day-first", serial=False) is None


def test_a_bare_number_is_a_day_only_in_a_workbook() -> None:
    assert dates.read_date("46027", "day-first", serial=True) == dt.date(2026, 1, 5)
    assert dates.read_date("46027.5", "day-first", serial=True) == dt.date(2026, 1, 5)
    assert dates.read_date("46027", "day-first", serial=False) is None
    assert dates.read_date("2958466", "day-first", serial=True) is None
    assert dates.read_date("12", "day-first", serial=True) is None


@given(st.dates(dt.date(1970, 1, 1), dt.date(2099, 12, 31)))
def test_every_day_reads_back_in_every_spelling(day: dt.date) -> None:
    for text in (f"{day:%d/%m/%Y}", f"{day.day}-{day.month}-{day.year}", f"{day:%d %B %Y}"):
        assert dates.read_date(text, "day-first", serial=False) == day
    assert dates.read_date(f"{day:%m/%d/%Y}", "month-first", serial=False) == day
    assert dates.read_date(day.isoformat(), "month-first", serial=False) == day


def test_only_dates_that_allow_one_order_count_as_evidence() -> None:
    texts = ["13/01/2026", "1/13/2026", "02/03/2026", "2026-01-14", "14 Jan 2026", "", "x"]
    assert dates.possible_orders(texts) == {"day-first": 1, "month-first": 1, "either": 1}


# Card numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("digits", "good"), [(CARD, True), (AMEX, True), ("4111111111111112", False)]
)
def test_the_check_digit_tells_card_numbers_from_other_runs(digits: str, *, good: bool) -> None:
    assert cells.passes_luhn(digits) == good


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        f"paid with {CARD}, thanks",
        f"({CARD})",
        f"x{CARD}x",
        f"no.{CARD}.",
        f"{CARD}/{AMEX}",
        f"{CARD}, {AMEX}",
        f"{CARD} {AMEX}",
        f"{CARD} 12/27",
        f"{CARD} 05 items",
        f"order 22 {CARD}",
        f"order 22-{CARD}",
        f"2026-01-05 {CARD}",
        AMEX,
        "3782 822463 10005",
    ],
)
def test_a_card_number_is_cut_wherever_it_stands_in_free_text(text: str) -> None:
    cut = cells.redact_cards(text, KEY)
    bare = cut.replace(" ", "").replace("-", "")
    assert CARD not in bare
    assert AMEX not in bare
    assert "card ending" in cut


@pytest.mark.parametrize(
    "text",
    [
        "74111111111111111111111",
        "41111111111111111111111",
        "4111111111111112",
        "1111111111111117",
        "invoice 20260105-17",
        "tel 0161 496 0000",
        "411111111111",
        "",
    ],
    ids=[
        "23-digit reference",
        "23 digits from 4",
        "check digit",
        "from 1",
        "dash",
        "tel",
        "12",
        "",
    ],
)
def test_references_and_other_numbers_are_left_as_they_are(text: str) -> None:
    assert cells.redact_cards(text, KEY) == text


def test_two_cards_with_the_same_last_digits_stay_apart_and_one_card_stays_one() -> None:
    other = "4242424242421111"
    assert cells.read_card(CARD, KEY)[0] == cells.read_card(other, KEY)[0] == "1111"
    assert cells.read_card(CARD, KEY)[1] != cells.read_card(other, KEY)[1]
    assert cells.read_card("4111 1111 1111 1111", KEY) == cells.read_card(CARD, KEY)
    assert cells.read_card("4111-1111-1111-1111", KEY) == cells.read_card(CARD, KEY)


def test_the_same_card_under_another_key_cannot_be_joined() -> None:
    assert cells.card_token(CARD, KEY) != cells.card_token(CARD, OTHER_KEY)
    assert len(cells.card_token(CARD, KEY)) == 16


@pytest.mark.parametrize(
    ("text", "last", "whole"),
    [
        ("4111111111111112", "1112", True),
        ("************5770", "5770", False),
        ("XXXX-XXXX-XXXX-5770", "5770", False),
        ("5770", "5770", False),
        ("card ending 5770.", "5770", False),
        ("4.11111E+15", "", False),
        ("4.111111e15", "", False),
        ("", "", False),
        ("****", "", False),
    ],
)
def test_a_card_column_gives_four_digits_and_a_token(text: str, last: str, *, whole: bool) -> None:
    found = cells.read_card(text, KEY)
    assert (found[0], found[2]) == (last, whole)
    assert text not in found[1] or not text


@pytest.mark.parametrize(
    ("text", "shape"),
    [("12/AB-3", "99/aa-9"), ("£1,2.5", "£9,9.9"), ("é", "a"), ("x" * 40, "a" * 30 + "...")],
)
def test_a_shape_tells_how_a_cell_looks_and_nothing_of_what_it_says(text: str, shape: str) -> None:
    assert cells.shape_of(text) == shape


def test_zero_bytes_are_no_part_of_a_text() -> None:
    column = cells.TextColumn.of(
        pa.chunked_array([pa.array(["A\0 B\0", "A B"]).dictionary_encode()])
    )
    assert column.tidied(b"key").values == ["A B", "A B"]
