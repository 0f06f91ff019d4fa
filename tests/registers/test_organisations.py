"""Organisations out of free text, matched to merchants in bands; people by number or two facts."""

from __future__ import annotations

import csv
import itertools
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from cardwatch.alerts.entries import match_words
from cardwatch.evaluation.register_matches import labelled_names, measure_names
from cardwatch.registers import (
    OrganisationMatcher,
    compared,
    judge_names,
    keys_by_name_and_fact,
    person_keys,
)
from cardwatch.registers.cards import person_key
from cardwatch.registers.organisations import names_in, word_weight
from cardwatch.registers.persons import full_name

LABELLED = Path(__file__).parents[3] / "shared" / "data" / "registers" / "donations_2025.csv"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Osprey Joinery Ltd", ("Osprey Joinery Ltd",)),
        ("lunch with Osprey Joinery plc, est. £30, declined", ("Osprey Joinery plc",)),
        ("two tickets from the Wrenhollow Theatre for the gala", ("Wrenhollow Theatre",)),
        ("Dinner hosted by Quillmere Stationers (approx £40)", ("Quillmere Stationers",)),
        ("Best for Britain Limited", ("Best for Britain Limited",)),
        ("A Roe t/a Osprey Joinery", ("A Roe", "Osprey Joinery")),
        ("Babylon Bars (London)", ("Babylon Bars",)),
        ("£30", ()),
        ("", ()),
        ("Osprey (UK) Co Ltd", ("Osprey (UK) Co Ltd",)),
        ("lunch with Osprey (Northern) Trading Ltd, declined", ("Osprey (Northern) Trading Ltd",)),
    ],
)
def test_the_organisation_is_taken_out_of_a_sentence(text: str, names: tuple[str, ...]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("one", "other", "band"),
    [
        ("Plankwold Timber Merchants Ltd", "PLANKWOLD TIMBER", "possible"),
        ("Plankwold Timber Merchants Ltd", "PLANKWOLD TIMBER MERCH", "strong"),
        ("Osprey Joinery Limited", "OSPREY JOINERY", "strong"),
        ("Osprey Joinery plc", "JOINERY OSPREY", "strong"),
        ("Osprey Joinery Group plc", "OSPREY JOINERY", "possible"),
        ("Osprey Joinery (Holdings) Ltd", "OSPREY JOINERY", "possible"),
        ("Osprey Joinery Holdings", "OSPREY JOINERY HOLDINGS LTD", "strong"),
        ("Osprey Joinery", "OSPREY JOINERY SERVICES", "possible"),
        ("Osprey Joinery International", "OSPREY JOINERY", "possible"),
        ("Osprey Joinery (Scotland) Ltd", "OSPREY JOINERY", "possible"),
        ("Robin Osprey Joinery Ltd", "OSPREY JOINERY", "possible"),
        ("Quillmere Stationers", "QUILLMERESTATIONERS", "strong"),
        ("Stationers Quillmere", "QUILLMERE STATIO", "strong"),
        ("Quilmere Stationers", "QUILLMERE STATIONERS", "strong"),
        ("Ospery Joinery Ltd", "OSPREY JOINERY", "strong"),
        ("Golden Cricle Catering", "GOLDEN CIRCLE CATERING", "strong"),
        ("City Training Centr", "CITY TRAINING CENTRE", "strong"),
        ("City Burton Homes", "CITY BARTON HOMES", ""),
        ("Area5 Catering Ltd", "AREA15 CATERING", ""),
        ("City Trian", "CITY TRAIN", ""),
        ("A.B. Produce Ltd", "AB PRODUCE", "strong"),
        ("A B Produce Ltd", "AB PRODUCE", "strong"),
        ("Quillmere (Northern) Timber Co.Ltd", "QUILLMERE NORTHERN TIMBER", "strong"),
        ("Yarrowwick Hardware Ltd", "YARROWWICK STORES", "possible"),
        ("Withyholt Bridge Regatta", "WITHYHOLT CONSULTING", "possible"),
        ("Harrowmere Golf Club", "FENLARK GOLF CLUB", ""),
        ("National Training Services Ltd", "NATIONAL TRAINING SUPPLIES", ""),
        ("Birmingham City Council", "BIRMINGHAM CITY FOOTBALL", ""),
        ("The Group Ltd", "THE COMPANY LTD", ""),
        ("£30", "OSPREY JOINERY", ""),
    ],
)
def test_names_match_by_the_rare_words_that_they_share(one: str, other: str, band: str) -> None:
    assert judge_names(one, other) == band


def test_words_of_trades_places_and_firms_say_little() -> None:
    assert word_weight("OSPREYWICK") > word_weight("CASTLE") > word_weight("CATERING")
    assert word_weight("CATERING") >= word_weight("BIRMINGHAM") >= word_weight("SERVICES")
    assert word_weight("THE") == word_weight("LIMITED") == 0


def test_a_match_shows_the_words_shared_and_those_left_over() -> None:
    matcher = OrganisationMatcher(["PLANKWOLD TIMBER", "FENLARK RAIL", "PAYPAL: PLANKWOLD TIMBER"])
    first, second = matcher.match("Plankwold Timber Merchants Ltd")
    assert {first.merchant, second.merchant} == {"PLANKWOLD TIMBER", "PAYPAL: PLANKWOLD TIMBER"}
    assert [word for word, _ in first.shared] == ["PLANKWOLD", "TIMBER"]
    assert first.only_register == ("MERCHANTS",)
    assert first.only_merchant == ()
    assert matcher.match("Kelpside Sailing") == ()


def test_stated_names_and_decisions_of_people_come_first() -> None:
    merchants = ["MARLSPIKE PRINT WORKS", "LANTERNHOUSE INN", "WITHYHOLT CONSULTING"]
    matcher = OrganisationMatcher(
        merchants,
        aliases={"MPW": "MARLSPIKE PRINT WORKS"},
        decided={
            ("LANTERNHOUSE HOSPITALITY GROUP", "LANTERNHOUSE INN"): "same",
            ("WITHYHOLT REGATTA", "WITHYHOLT CONSULTING"): "not-the-same",
        },
    )
    assert [m.band for m in matcher.match("MPW Ltd")] == ["stated"]
    assert [m.band for m in matcher.match("X Holdings", ["Marlspike Print Works Ltd"])] == [
        "stated"
    ]
    assert [m.band for m in matcher.match("Lanternhouse Hospitality Group")] == ["stated"]
    assert matcher.match("Withyholt Regatta") == ()
    assert [m.band for m in matcher.match("Withyholt Rowing Regatta")] == ["possible"]


def test_matches_do_not_hang_on_the_order_of_merchants() -> None:
    merchants = ["PLANKWOLD TIMBER", "PLANKWOLD TIMBER YARD", "PLANKWOLD", "FENLARK RAIL"]
    text = "Plankwold Timber Ltd"
    forward = OrganisationMatcher(merchants).match(text)
    assert forward == OrganisationMatcher(reversed(merchants)).match(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [("Roe, Ann", "ann roe"), ("PC Ann Roe", "ann roe"), ("Ann M. Roe", "ann roe"), ("A Roe", ""),
     ("Roe", ""), ("A. B. Roe", ""), ("Det Sgt Ann O'Roe", "ann o'roe"),
     ("Róe, Änn", "ann roe"), ("Łuka O\u2019Røe", "luka o'roe")],
)  # fmt: skip
def test_an_initial_and_a_surname_name_nobody(text: str, name: str) -> None:
    assert full_name(text.replace("Det Sgt", "DS")) == name


def test_a_person_is_found_by_number_or_by_full_name_and_a_second_fact_and_never_by_less() -> None:
    people = pd.DataFrame(
        [
            ("e1", "Ann Roe", "Ann Poe", "Fleet", "Driver", "ann.roe@force.example"),
            ("e2", "Bob Doe", "", "Fleet", "Driver", "bob.doe@force.example"),
            ("e3", "Bob Doe", "", "Fleet", "Clerk", "bob.doe2@force.example"),
            ("e4", "Cay Foe", "", "Dogs", "", ""),
        ],
        columns=["key", "person", "former_names", "unit", "post", "email"],
    )
    cases = [
        ("e9", "Ann Roe", "Fleet", "", "", "e9"),
        ("", "Roe, Ann", "fleet", "", "", "e1"),
        ("", "Ann Poe", "Fleet", "", "", "e1"),
        ("", "Ann Roe", "", "", "", ""),
        ("", "A Roe", "Fleet", "Driver", "ann.roe@force.example", ""),
        ("", "Bob Doe", "Fleet", "", "", ""),
        ("", "Cay Foe", "Fleet", "", "", ""),
        ("", "Bob Doe", "", "clerk", "", "e3"),
        ("", "Bob Doe", "Fleet", "", "Bob.Doe2@force.example", "e3"),
        ("", "Ann Roe", "Dogs", "Driver", "", ""),  # another unit: the post does not mend it
        ("", "Ann Roe", "Fleet", "", "bob.doe@force.example", ""),
    ]
    columns = ["employee_id", "person", "unit", "post", "email", "found"]
    entries = pd.DataFrame(cases, columns=columns)
    found = person_keys(entries, lambda: keys_by_name_and_fact(people))
    assert found.tolist() == entries["found"].tolist()
    people["email"] = ""  # a people register without: the unit decides then
    found = person_keys(entries, lambda: keys_by_name_and_fact(people))
    assert found.tolist()[-1] == "e1"


@pytest.mark.skipif(not LABELLED.is_file(), reason="the labelled names are not beside the project")
def test_the_strong_band_keeps_its_precision_on_names_with_company_numbers() -> None:
    with LABELLED.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pairs = [
        {"name": row[column], "number": row["donor_company_identifier"]}
        for row in rows
        for column in ("donor_name", "donor_company_name")
    ]
    strong, _, *rivals = measure_names(labelled_names(pairs))
    assert strong.precision is not None
    assert strong.recall is not None
    assert strong.precision >= 0.9
    assert strong.recall >= 0.6
    assert len(rivals) >= 3


def test_nomenklatura_is_a_rival_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Company:
        id, name = "", ""

        def add(self, _: str, value: str) -> None:
            self.name = value

    class LogicV2:
        default_config = staticmethod(dict)

        @staticmethod
        def compare(left: Company, right: Company, _: object) -> SimpleNamespace:
            assert left.id != right.id
            return SimpleNamespace(score=0.7 if left.name[0] == right.name[0] else 0.69)

    model = SimpleNamespace(make_entity=lambda _: Company())
    names = labelled_names([
        {"name": "Osprey Ltd", "number": "1"}, {"name": "OSPREY", "number": "1"},
        {"name": "Oxbarrow Ltd", "number": "2"}, {"name": "Heron", "number": "3"},
    ])  # fmt: skip
    monkeypatch.setitem(sys.modules, "followthemoney", SimpleNamespace(model=model))
    monkeypatch.setitem(sys.modules, "nomenklatura", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "nomenklatura.matching", SimpleNamespace(LogicV2=LogicV2))
    rival = measure_names(names)[-1]
    assert rival.method == "nomenklatura's logic-v2, 0.7 or more"
    assert (rival.true_pairs, rival.false_pairs, rival.all_pairs) == (1, 2, 1)


@pytest.mark.parametrize("decided", [{}, {("CITY SERVICES", "CITY SERVICES"): "same"}])
def test_a_register_looked_through_at_once_misses_no_match(
    decided: dict[tuple[str, str], str],
) -> None:
    merchants = ["PLANKWOLD TIMBER", "FENLARK'S RAIL", "CITY SERVICES", "CAFÉ ZÉPHYR", "B&Q"]
    matcher = OrganisationMatcher(merchants, {"PTY": "PLANKWOLD TIMBER"}, decided)
    parts = ["", "plankwold", "Plankw", "FENLARKS", "fenl'arks", "City", "services", "ltd", "PTY",
             "café", "zéphyr", "B&Q", "b", "1", ".", "nobody at all", "courtesy of"]  # fmt: skip
    cells = [
        mark.join((first, second, third))
        for first in parts
        for second in parts
        for third in parts
        for mark in (" ", "-", "\t")
    ]
    rows = matcher.rows_to_match(cells).tolist()
    assert rows == sorted(set(rows))
    matched = [row for row, cell in enumerate(cells) if matcher.match(cell)]
    assert matched
    assert set(matched) <= set(rows)
    assert len(rows) < len(cells)
    assert matcher.rows_to_match([]).tolist() == []


@pytest.mark.parametrize(
    ("name", "merchant", "words"),
    [
        (
            "Golden Cricle Catering",
            "GOLDEN CIRCLE CATERING",
            "The names have the same letters but for one left out or added, or two swapped.",
        ),
        ("IM Properties Ltd", "I M PROPERTIES", "Words in both names: PROPERTIES."),
        ("I M Properties Ltd", "IM PROPERTIES", "Words in both names: PROPERTIES."),
    ],
)
def test_names_with_nearly_the_same_letters_are_found_and_told(
    name: str, merchant: str, words: str
) -> None:
    matcher = OrganisationMatcher([merchant, "HERONSWICK BOATS"])
    assert matcher.rows_to_match(["Fenlark Rail", name]).tolist() == [1]
    [match] = matcher.match(name)
    assert (match.merchant, match.band) == (merchant, "strong")
    assert match_words(match) == words


def test_a_column_of_people_is_compared_as_each_of_them_is() -> None:
    letters = [*"aB -", "\t", "\n", "\x1f", "\x7f", "é", "ß", "\u00a0", "\uff11", "\u2013"]
    names = ["".join(name) for name in itertools.product(letters, repeat=3)]
    keys = compared(pd.Series(["", *names, *names], dtype="str"))
    assert keys.tolist() == list(map(person_key, ["", *names, *names]))
    assert compared(keys[:0]).tolist() == []


def test_a_country_or_number_that_a_register_alone_has_makes_a_match_possible() -> None:
    printed = {"OSPREY JOINERY": "OSPREY JOINERY UK 0417", "HERONSWICK BOATS": "HERONSWICK BOATS"}
    matcher = OrganisationMatcher(printed, printed=printed)
    bands = {
        name: [match.band for match in matcher.match(name)]
        for name in ("Osprey Joinery (U.K.) Ltd", "Osprey Joinery", "Heronswick Boats UK Ltd",
                     "Heronswick Boats 1991 Ltd", "Heronswick Boats Ltd")
    }  # fmt: skip
    assert list(bands.values()) == [["strong"], ["strong"], ["possible"], ["possible"], ["strong"]]
    [match] = matcher.match("Heronswick Boats UK Ltd")
    assert match.only_register == ("UK",)
    assert judge_names("Osprey Joinery", "Osprey Joinery UK") == "possible"


def test_a_firm_is_not_told_by_one_letter() -> None:
    assert judge_names("E Ltd", "E ON") == "possible"


def test_a_seller_behind_a_payment_service_is_matched_by_its_own_name() -> None:
    [match] = OrganisationMatcher(["PAYPAL: OSPREY JOINERY"]).match("Osprey Joinery Ltd")
    assert (match.band, match.only_merchant) == ("strong", ())
