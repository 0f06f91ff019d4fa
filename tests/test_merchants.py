"""One merchant from many spellings, hidden sellers kept apart, and nothing changed afterwards."""

from __future__ import annotations

import datetime as dt
import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardwatch.merchants import (
    canonical_name,
    category_name,
    link_aliases,
    link_merchants,
    listed_merchants,
)

NAMES = [
    # order and reference numbers
    ("AMZN Mktp UK*2K4AB12C3", "AMAZON"),
    ("AMAZON.CO.UK*M12AB34CD", "AMAZON"),
    ("AMAZON* 204-1234567", "AMAZON"),
    ("Amazon Web Services", "AMAZON WEB SERVICES"),
    ("AMAZON PRIME*AB1CD2", "AMAZON PRIME"),
    ("HARBOUR RAIL* 12AB34", "HARBOUR RAIL"),
    ("NORTHGATE LODGE GB0000123", "NORTHGATE LODGE"),
    ("EBAY O*12-34567-89012", "EBAY O"),
    ("KERB PARKING*AB12 CDE", "KERB PARKING"),
    # store numbers
    ("WIDGET STORES 3241", "WIDGET STORES"),
    ("WIDGET STORES #3241", "WIDGET STORES"),
    ("WIDGET STORES 6012 LEEDS", "WIDGET STORES LEEDS"),
    ("1234 CORNER CAFE", "CORNER CAFE"),
    ("PETROL KINGSWAY 418", "PETROL KINGSWAY"),
    # figures that are the name
    ("CITY PARKING ZONE 1", "CITY PARKING ZONE 1"),
    ("O2 RETAIL", "O2 RETAIL"),
    ("A1 TAXIS", "A1 TAXIS"),
    ("3M UK PLC", "3M"),
    ("7-ELEVEN", "7 ELEVEN"),
    ("12345", "12345"),
    # readers and checkouts
    ("SQ *THE COFFEE HUT", "THE COFFEE HUT"),
    ("SumUp  *Harbour Cafe", "HARBOUR CAFE"),
    ("IZ *Toms Taxis", "TOMS TAXIS"),
    ("ZETTLE_*GREEN GROCER", "GREEN GROCER"),
    ("SP * WOODLAND CRAFT", "WOODLAND CRAFT"),
    ("SP SERVICES", "SP SERVICES"),
    ("TST* PIZZA PLACE", "PIZZA PLACE"),
    # legal forms, countries, marketplaces
    ("Widget World Ltd", "WIDGET WORLD"),
    ("WIDGET WORLD LIMITED", "WIDGET WORLD"),
    ("WIDGET WORLD INC.", "WIDGET WORLD"),
    ("Widget World (UK) Ltd", "WIDGET WORLD"),
    ("WIDGET WORLD ONLINE", "WIDGET WORLD"),
    ("LTD", "LTD"),
    ("GB CARS", "GB CARS"),
    # web addresses
    ("WWW.WIDGETS.COM", "WIDGETS"),
    ("https://www.widgets.com/orders/1", "WIDGETS"),
    ("WIDGETS.CO.UK", "WIDGETS"),
    ("WIDGETS.EXAMPLE", "WIDGETS"),
    # case, spaces, apostrophes, doubled words, width
    ("  widget   world  ", "WIDGET WORLD"),
    ("Tom's Tools", "TOMS TOOLS"),
    ("WIDGET WIDGET LTD", "WIDGET"),
    ("ＷＩＤＧＥＴ", "WIDGET"),  # noqa: RUF001  full width, as some exports print it
    ("*", "*"),
]
HIDDEN = [
    ("PAYPAL *JOHNSMITH", "PAYPAL: JOHNSMITH"),
    ("PP *Northgate Books", "PAYPAL: NORTHGATE BOOKS"),
    ("PAYPAL", "PAYPAL"),
    ("PAYPAL *A1B2C3", "PAYPAL"),
    ("GOOGLE *VIDEO", "GOOGLE: VIDEO"),
    ("KLARNA*SHOES", "KLARNA: SHOES"),
    ("AMAZON PAY *WIDGETS", "AMAZON PAY: WIDGETS"),
]


@pytest.mark.parametrize(("raw", "name"), NAMES, ids=[raw for raw, _ in NAMES])
def test_a_printed_name_is_compared_by_its_merchant_alone(raw: str, name: str) -> None:
    found = canonical_name(raw)
    assert (found.name, found.seller_hidden) == (name, False)


@pytest.mark.parametrize(("raw", "name"), HIDDEN, ids=[raw for raw, _ in HIDDEN])
def test_a_seller_behind_a_payment_service_is_hidden_and_kept_apart(raw: str, name: str) -> None:
    found = canonical_name(raw)
    assert (found.name, found.seller_hidden) == (name, True)


@pytest.mark.parametrize(
    ("raw", "name"),
    [("Café Nord", "CAFE NORD"), ("MÜLLER TOOLS", "MULLER TOOLS"), ("Łódź Bakery", "LODZ BAKERY"),
     ("Smørrebrød Ltd", "SMORREBROD"), ("Œuf & Æbler", "OEUF&AEBLER")],
)  # fmt: skip
def test_an_accent_does_not_make_another_merchant(raw: str, name: str) -> None:
    assert canonical_name(raw).name == name


@pytest.mark.parametrize("raw", [raw for raw, _ in NAMES + HIDDEN])
def test_every_change_of_a_name_is_a_step_that_can_be_read(raw: str) -> None:
    found = canonical_name(raw)
    names = [raw, *(name for _, name in found.steps)]
    assert names[-1] == found.name
    assert all(earlier != later for earlier, later in itertools.pairwise(names))
    assert all(what for what, _ in found.steps)


@pytest.mark.parametrize("raw", [raw for raw, _ in NAMES])
def test_a_canonical_name_is_its_own_canonical_name(raw: str) -> None:
    name = canonical_name(raw).name
    assert canonical_name(name).name == name


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_no_printed_name_becomes_nothing(raw: str) -> None:
    assert canonical_name(raw).name or not raw


def _linked(*names: str, aliases: dict[str, str] | None = None) -> list[str]:
    """Return the merchants of names that first appear one day after the other."""
    dates = pd.Series(pd.date_range("2026-01-01", periods=len(names)))
    return link_merchants(pd.Series(names, dtype="str"), dates, aliases)["merchant_id"].tolist()


@pytest.mark.parametrize("letters", [22, 25])
def test_a_name_cut_off_by_the_bank_is_the_merchant_it_was_cut_from(letters: int) -> None:
    whole = "NORTHGATE LOCKSMITHS AND SAFES"
    assert _linked(whole, whole[:letters]) == [whole, whole]
    cut = whole[:letters].strip()
    assert _linked(whole[:letters], whole) == [cut, cut]


def test_a_slip_of_the_pen_in_a_long_name_is_the_same_merchant() -> None:
    name = "HARBOUR STATIONERY SUPPLIES"
    assert _linked(name, "HARBOUR STATIONARY SUPPLIES") == [name, name]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CITY CENTRE PARKING ZONE 1", "CITY CENTRE PARKING ZONE 2"),
        ("CITY CENTRE PARKING ZONE 1", "CITY CENTRE PARKYNG ZONE 3"),
        ("NORTHGATE TOOLS", "SOUTHGATE TOOLS"),
        ("JONES", "JONAS"),
        ("TESTCO", "TESTCO EXPRESS"),
    ],
)
def test_names_that_differ_in_figures_or_much_else_stay_two_merchants(one: str, other: str) -> None:
    assert len(set(_linked(one, other))) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PAYPAL *JONES", "PAYPAL *JONAS"),
        ("PAYPAL *DAVIES", "PAYPAL *DAVIESON BOOKS"),
        ("AMAZON PAY *A", "AMAZON PAY *B"),
        ("PAYPAL *40293577", "PAYPAL *40293578"),
        ("PAYPAL *SMITH", "KLARNA *SMITH"),
        ("PAYPAL *WIDGETS", "WIDGETS"),
    ],
)
def test_the_payment_services_name_does_not_make_two_hidden_sellers_alike(
    one: str, other: str
) -> None:
    assert len(set(_linked(one, other))) == 2


def test_an_alias_wins_over_what_the_names_say() -> None:
    aliases = {"Kerb App Ltd": "City Parking", "PAYPAL *TOMS": "TOMS TOOLS"}
    found = _linked("KERB APP", "kerb app 4471", "CITY PARKING", "PAYPAL *TOMS", aliases=aliases)
    assert found == ["CITY PARKING"] * 3 + ["TOMS TOOLS"]


def test_an_alias_holds_for_the_spellings_that_join_its_name() -> None:
    aliases = {"HARBOUR STATIONERY SUPPLIES": "OFFICE SHOP"}
    names = ("HARBOUR STATIONERY SUPPLIES", "HARBOUR STATIONARY SUPPLIES")
    for order in (names, names[::-1]):
        assert set(_linked(*order, aliases=aliases)) == {"OFFICE SHOP"}


def _aliases(
    raw: pd.Series[str], dates: pd.Series[pd.Timestamp], holders: pd.Series[str] | None = None
) -> pd.Series[str]:
    """Return what printed names are joined to more freely, of one holder if none is named."""
    holders = pd.Series("h", raw.index, dtype="str") if holders is None else holders
    return link_aliases(holders, link_merchants(raw, dates)["merchant_id"], dates)


def _freely(*names: str, holders: tuple[str, ...] = ()) -> list[str]:
    """Return what names that first appear one day after the other are joined to more freely."""
    dates = pd.Series(pd.date_range("2026-01-01", periods=len(names)))
    who = pd.Series(holders or ["h"] * len(names), dtype="str")
    return _aliases(pd.Series(names, dtype="str"), dates, who).tolist()


ONE_MERCHANT = [
    ("WIDGET STORES", "WIDGET STORES LEEDS"),
    ("WIDGET STORES 3241", "WIDGET STORES 88 YORK"),
    ("WIDGET STORES", "WIDGET STORES LTD HALIFAX"),
    ("NORTHGATE LOCKSMITHS AND SAFES", "NORTHGATE LOC"),
    ("NORTHGATE LOCKSMITHS AND SAFES", "NORTHGATE"),
    ("TOOLBARN", "TOOLBARM"),
    ("TOM HARBOUR CAFE", "TOMS HARBOUR CAFE"),
    ("PAYPAL *HARBOURCAFE", "HARBOUR CAFE"),
    ("THE HARBOUR CAFE", "HARBOUR CAFE LTD"),
    ("THE HARBOUR CAFE", "THEHARBOURCAFE.CO.UK"),
    ("WIDGETS.CO.UK", "WWW WIDGETS CO UK"),
    ("QED", "QED LEEDS"),
    ("QED TRAINING", "QED ADVANCED TRAINING"),
    ("NORTHGATE LOCKSMITHS", "NORTHGATE LOCK AND SAFES"),
    ("KERB TELEPHONE PAYMENTS", "KERB TELE PAYM"),
]
TWO_MERCHANTS = [
    ("BLUE SKY TRAVEL", "BLUE MOON TOOLS"),
    ("CITY TAXIS", "CITY PLUMBING"),
    ("QED LEEDS", "QED YORK"),
    ("QE", "QE LEEDS"),
    ("CARD TELEPHONE", "KERB TELEPHONE"),
    ("A1 TAXIS", "A1 TOOLS"),
    ("O2 RETAIL", "O2 REPAIRS"),
    ("BRITISH AIRWAYS", "BRITISH GAS"),
    ("KENT COUNTY COUNCIL", "YORK COUNTY COUNCIL"),
    ("PAYPAL *SMITHSON", "PAYPAL *JOHNSTONE"),
    ("12345 67", "23456 78"),
]


@pytest.mark.parametrize(("one", "other"), ONE_MERCHANT)
def test_spellings_of_one_merchant_are_joined_freely_whichever_comes_first(
    one: str, other: str
) -> None:
    for names in ((one, other), (other, one)):
        assert len(set(_freely(*names))) == 1, names


@pytest.mark.parametrize(("one", "other"), TWO_MERCHANTS)
def test_firms_that_share_a_short_first_word_or_a_last_one_stay_apart_however_freely(
    one: str, other: str
) -> None:
    for names in ((one, other), (other, one)):
        assert len(set(_freely(*names))) == 2, names


def test_a_word_with_which_many_names_begin_says_nothing_alone() -> None:
    firms = [f"CITY {end}" for end in ("TAXIS", "TOOLS", "PAINT", "BOOKS", "CAFE", "GLASS")]
    firms += [f"CITY {end}" for end in ("SIGNS", "FUELS", "DOORS", "PRINT", "HIRE", "SHOES")]
    others = tuple("other" for _ in firms)
    few = _freely(*firms[:5], "CITY", firms[0], holders=(*others[:5], "h", "h"))
    many = _freely(*firms, "CITY", firms[0], holders=(*others, "h", "h"))
    assert few[-2] == few[-1]
    assert many[-2] != many[-1]


def test_one_name_is_joined_to_the_nearest_of_those_that_its_holder_paid_before() -> None:
    names = ("KERB FARM FOUNDATION", "KERB FARM CLUB", "KERB FARM")
    assert _freely(*names) == [names[0], names[1], names[1]]
    assert _freely(*names, holders=("h", "i", "h")) == [names[0], names[1], names[0]]


def test_a_chain_of_names_keeps_the_first_one_whatever_joins_it_later() -> None:
    names = ("WIDGET STORES LEEDS", "WIDGET STORES LEED", "WIDGET", "WIDGETSTORE", "WIDGET YORK")
    for known in range(1, 6):
        assert _freely(*names[:known]) == ["WIDGET STORES LEEDS"] * known


SPELLINGS = st.sampled_from(
    [
        "NORTHGATE LOCKSMITHS AND SAFES",
        "NORTHGATE LOCKSMITHS AN",
        "NORTHGATE LOCKSMITHS A",
        "NORTHGATE LOCKSMITH",
        "NORTHGATE LOCKSMYTHS",
        "NORTHGATE LOCKSMITHS 2",
        "Northgate Locksmiths Ltd",
        "PAYPAL *NORTHGATE",
        "PAYPAL *NORTHGATES",
        "AMZN MKTP UK*AB12C",
        "NORTHGATE",
        "NORTHERN LOCKSMITHS AND SAFES",
        "THE NORTHGATE",
        "NORTH 12",
        "12 34",
    ]
)
PAYMENTS = st.lists(st.tuples(st.integers(0, 6), SPELLINGS), min_size=1, max_size=14)


@settings(derandomize=True, max_examples=120, deadline=None)
@given(PAYMENTS, st.integers(0, 6))
def test_a_later_payment_never_changes_the_merchant_of_an_earlier_one(
    payments: list[tuple[int, str]], last: int
) -> None:
    start = dt.datetime(2026, 1, 1)  # noqa: DTZ001  days have no zone
    frame = pd.DataFrame(payments, columns=["day", "raw"]).astype({"raw": "str"})
    dates = pd.Series([start + dt.timedelta(days=day) for day in frame["day"]])
    earlier = frame["day"] <= last
    whole = link_merchants(frame["raw"], dates)[earlier]
    upto = link_merchants(frame["raw"][earlier], dates[earlier])
    assert whole["merchant_id"].tolist() == upto["merchant_id"].tolist()
    freely = _aliases(frame["raw"], dates)[earlier]
    assert freely.tolist() == _aliases(frame["raw"][earlier], dates[earlier]).tolist()


@settings(derandomize=True, max_examples=60, deadline=None)
@given(PAYMENTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_merchant(
    payments: list[tuple[int, str]], random: object
) -> None:
    order = list(range(len(payments)))
    random.shuffle(order)  # type: ignore[attr-defined]
    raw = pd.Series([name for _, name in payments], dtype="str")
    dates = pd.Timestamp("2026-01-01") + pd.to_timedelta([d for d, _ in payments], unit="D")
    straight = link_merchants(raw, pd.Series(dates))
    shuffled = link_merchants(raw.iloc[order], pd.Series(dates).iloc[order])
    pd.testing.assert_frame_equal(straight, shuffled.sort_index())
    freely = _aliases(raw.iloc[order], pd.Series(dates).iloc[order]).sort_index()
    pd.testing.assert_series_equal(_aliases(raw, pd.Series(dates)), freely)


def test_a_category_has_its_published_name_and_an_unknown_one_none() -> None:
    assert "Betting" in category_name("7995")
    assert category_name("0001") == ""
    assert category_name("") == ""
    assert category_name("Osprey's trade") == ""


def test_a_list_without_a_name_lists_no_merchant() -> None:
    assert not listed_merchants(["SHOP", "INN"], ("",)).any()
