"""The policy: defaults, an organisation's own figures, every fault at once, limits by date."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from cardwatch.errors import FileFaulty
from cardwatch.merchants import PROCESSORS
from cardwatch.policy import (
    LIMIT_KINDS,
    Limit,
    Policy,
    default_policy_text,
    in_categories,
    load_policy,
    parse_policy,
)

if TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = tomllib.loads(default_policy_text())


def _faults(text: str) -> tuple[str, ...]:
    with pytest.raises(FileFaulty) as caught:
        parse_policy(text, "policy.toml")
    return caught.value.faults


def test_the_defaults_load_and_state_no_limit_of_the_organisations_own() -> None:
    policy = load_policy()
    assert policy.country == "ENG"
    assert policy.unusual_share == 1 / policy.unusual_one_in
    assert policy.materiality_pence == 2_500
    assert not any(limit.stated for name in LIMIT_KINDS for limit in getattr(policy, name))


def test_every_documented_setting_is_a_field_of_the_policy_and_every_field_is_documented() -> None:
    assert DEFAULTS.keys() == {field.name for field in fields(Policy)}


def test_the_documented_defaults_copied_whole_change_no_figure() -> None:
    own = parse_policy(default_policy_text(), "policy.toml")
    limits = {
        name: tuple(replace(e, stated=False) for e in getattr(own, name)) for name in LIMIT_KINDS
    }
    assert replace(own, **limits) == load_policy()


def test_a_file_overrides_only_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(
        'country = "SCT"\nround_pounds = 50\n[[step]]\nfrom = 2026-04-01\npounds = 2500.50\n',
        encoding="utf-8",
    )
    step = (Limit(dt.date(2026, 4, 1), 250_050),)
    wanted = replace(load_policy(), country="SCT", round_pounds=50, step=step)
    assert load_policy(path) == wanted


def test_only_the_limits_that_a_file_states_are_called_stated() -> None:
    policy = parse_policy("[[step]]\nfrom = 2026-04-01\npounds = 2500\n", "policy.toml")
    assert policy.step[0].stated
    assert not policy.single_purchase[0].stated


def test_a_card_is_never_far_above_a_use_that_reaches_its_limit() -> None:
    assert load_policy().limit_use_share == 0.2
    assert _faults("limit_times_use = 0.5\n") == ("limit_times_use must be at least 1",)


EIGHT_FAULTS = """
contry = "ENG"
country = "FRA"
working_days = ["Monday"]
split_windows_days = [0, 40]
unusual_one_in = 0
near_limit_share = 1.5
blocked_categories = ["799"]
[[single_purchase]]
from = "1 April"
pounds = 1000
"""


def test_eight_faults_are_all_listed_at_once() -> None:
    faults = _faults(EIGHT_FAULTS)
    assert len(faults) == 8
    named = (
        "'contry'",
        "country",
        "working_days",
        "split_windows_days",
        "unusual_one_in",
        "near_limit_share",
        "blocked_categories",
        "single_purchase, entry 1: 'from'",
    )
    for name in named:
        assert any(name in fault for fault in faults), name


def test_every_fault_of_every_entry_of_a_limit_is_listed_with_its_number() -> None:
    faults = _faults(
        "[[step]]\nfrom = 2026-04-01\npounds = 5000\n[[step]]\nfrom = 2026-04-01T10:00:00\n"
        'pounds = -1\nvat = "net"\nholders = "chief"\nsince = 1\n'
    )
    assert len(faults) == 5
    assert all("step, entry 2" in fault for fault in faults)


@pytest.mark.parametrize(
    "text",
    [
        "habit_windows = 2.5",
        "habit_windows = true",
        'habit_windows = "3"',
        "habit_windows = -1",
        "materiality_pounds = nan",
        "alerts_per_1000 = inf",
        "round_pounds = 0",
        "organisation = 5",
        'working_days = "Mon"',
        "working_days = [1]",
        "split_windows_days = []",
        "split_windows_days = [true]",
        "split_windows_days = [-1]",
        "split_windows_days = [1.5]",
        'watched_categories = ["59000"]',
        "watched_categories = [5921]",
        "gift_card_words = [1]",
        'gift_card_words = ["voucher", ""]',
        'watched_merchants = [" "]',
        'payment_processors = ["*"]',
        '[merchant_aliases]\n"" = "Alpha"',
        '[merchant_aliases]\n"Alpha" = " "',
        "watched_merchants = [1]",
        'watched_merchants = "ACE"',
        "hospitality_cap_pounds = -1",
        'large_payment_pounds = "off"',
        "merchant_aliases = []",
        '[clauses]\n"Split purchases" = "4.2"',
        f'[clauses]\nsplit = "{"x" * 501}"',
        "[merchant_aliases]\nA = 1",
        "single_purchase = 1000",
        "single_purchase = [1000]",
        "single_purchase = []",
        "[[single_purchase]]\npounds = 1000",
        "[[single_purchase]]\nfrom = 2026-04-01",
        "[[single_purchase]]\nfrom = 2026-04-01\npounds = true",
        "[[single_purchase]]\nfrom = 2026-04-01\npounds = nan",
        "[[single_purchase]]\nfrom = 2026-04-01\npounds = 0",
        "[[single_purchase]]\nfrom = 2026-04-01\npounds = 5\nvat = 1",
        "[[single_purchase]]\nfrom = 2026-04-01\npounds = 5\nholders = [1]",
    ],
)
def test_a_figure_that_makes_no_sense_is_one_fault_that_names_its_setting(text: str) -> None:
    faults = _faults(text)
    assert len(faults) == 1
    assert text.strip("[").split()[0].strip("]") in faults[0].replace("(", " ")


@pytest.mark.parametrize("code", ["3999-3000", "3000-3999-4000", "3000-", "-3999"])
def test_a_range_of_categories_that_can_hold_nothing_is_a_fault(code: str) -> None:
    assert any("blocked_categories" in f for f in _faults(f'blocked_categories = ["{code}"]'))


def test_what_is_not_toml_or_not_there_is_said_with_the_files_name(tmp_path: Path) -> None:
    with pytest.raises(FileFaulty, match=r"policy\.toml.*\n.*not valid TOML"):
        parse_policy("country = ", "policy.toml")
    for endless, fault in (("[" * 20_000, "nested more than"), ("9" * 5_000, "longer than 200")):
        with pytest.raises(FileFaulty, match=fault):
            parse_policy(f"country = {endless}", "policy.toml")
    with pytest.raises(FileFaulty, match=r"none\.toml.*\n.*cannot be read"):
        load_policy(tmp_path / "none.toml")
    path = tmp_path / "latin.toml"
    path.write_bytes('organisation = "Café"'.encode("latin-1"))
    with pytest.raises(FileFaulty, match=r"latin\.toml.*\n.*cannot be read"):
        load_policy(path)


def test_a_file_saved_with_a_byte_order_mark_is_read_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "notepad.toml"
    path.write_text('country = "SCT"\r\n', encoding="utf-8-sig")
    assert load_policy(path).country == "SCT"


OTHER_FIGURES = {
    "organisation": '"Force"',
    "country": '"SCT"',
    "working_days": '["Mon"]',
    "split_windows_days": "[0, 3]",
    "merchant_aliases": '{ "A" = "B" }',
    "pack": '{ name = "P", owner = "O", version = "1", sha256 = "ab" }',
    "clauses": '{ split = "4.2 No splitting." }',
    "chief_officers": '{ authority = "PCC", people = ["a@b.example"], units = ["C1"] }',
} | dict.fromkeys(LIMIT_KINDS, "[{ from = 2000-01-01, pounds = 77 }]")


@pytest.mark.parametrize("key", DEFAULTS)
def test_the_hash_by_which_a_result_names_its_policy_changes_with_any_figure(key: str) -> None:
    default = DEFAULTS[key]
    if key in OTHER_FIGURES:
        other = OTHER_FIGURES[key]
    elif key.endswith("_categories"):
        other = '["1234"]'
    elif isinstance(default, list):
        other = '["word"]'
    else:
        other = str(default / 2 if key == "near_limit_share" else default + 1)
    policy = parse_policy(f"{key} = {other}", "policy.toml")
    assert policy.sha256 != load_policy().sha256
    assert policy.sha256 == parse_policy(f"{key} = {other}", "another.toml").sha256


def test_the_hash_changes_with_every_part_of_a_limit() -> None:
    entry = {"from": "2026-04-01", "pounds": "100", "vat": '"included"', "holders": '["chief"]'}
    others = {"from": "2026-04-02", "pounds": "101", "vat": '"excluded"', "holders": '["clerk"]'}

    def sha256(parts: dict[str, str]) -> str:
        lines = "\n".join(f"{key} = {value}" for key, value in parts.items())
        return parse_policy(f"[[step]]\n{lines}\n", "policy.toml").sha256

    hashes = {sha256(entry), *(sha256(entry | {key: others[key]}) for key in entry)}
    assert len(hashes) == 5


def _in_force(policy: Policy, *asked: tuple[str, str]) -> pd.DataFrame:
    holders = pd.Series([holder for holder, _ in asked], dtype="str")
    days = pd.to_datetime(pd.Series([day for _, day in asked]))
    return pd.DataFrame(policy.limits_in_force("single_purchase", holders, days))


def _entry(since: str, pounds: float, more: str = "") -> str:
    return f"[[single_purchase]]\nfrom = {since}\npounds = {pounds}\n{more}\n"


def test_an_entry_that_names_the_holder_beats_one_for_all_and_then_the_latest_counts() -> None:
    entries = [
        _entry("2026-06-01", 300, 'holders = ["chief", "deputy"]'),
        _entry("2026-09-01", 50),
        _entry("2026-01-01", 100),
        _entry("2026-03-01", 200, 'holders = ["chief"]'),
    ]
    asked = [(h, f"2026-{m}-01") for m in ("02", "03", "06", "09") for h in ("chief", "clerk")]
    wanted = [100, 100, 200, 100, 300, 100, 300, 50]
    for order in (entries, entries[::-1]):
        policy = parse_policy("".join(order), "policy.toml")
        assert (_in_force(policy, *asked)["pence"] / 100).tolist() == wanted


def test_a_limit_holds_from_its_very_day_and_none_is_in_force_before_the_first() -> None:
    policy = parse_policy(_entry("2026-04-01", 100), "policy.toml")
    found = _in_force(policy, ("h", "2026-03-31"), ("h", "2026-04-01"))
    assert found["pence"].tolist() == [0, 10_000]
    assert found["sure_pence"].tolist() == [0, 12_000]
    assert found["stated"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("vat", "pence", "sure"),
    [("included", 10_000, 10_000), ("excluded", 12_000, 12_000), ("unknown", 10_000, 12_000)],
)
def test_a_limit_is_told_as_a_sum_with_vat(vat: str, pence: int, sure: int) -> None:
    policy = parse_policy(_entry("2026-04-01", 100, f'vat = "{vat}"'), "policy.toml")
    found = _in_force(policy, ("h", "2026-04-01"))
    assert found[["pence", "sure_pence"]].to_numpy().tolist() == [[pence, sure]]


def test_pounds_and_pence_of_a_limit_are_kept_to_the_penny() -> None:
    assert parse_policy(_entry("2026-04-01", 1000.29), "p").single_purchase[0].pence == 100_029


def test_a_category_is_in_a_list_by_code_or_by_range_and_none_is_in_no_list() -> None:
    codes = pd.Series(["2999", "3000", "3999", "4000", "7995", ""])
    found = in_categories(codes, ("3000-3999", "7995"))
    assert found.tolist() == [False, True, True, False, True, False]
    assert not in_categories(codes, ()).any()


def test_names_are_hidden_by_the_same_services_with_and_without_a_policy() -> None:
    assert load_policy().payment_processors == PROCESSORS


def test_a_sum_of_0_is_allowed_and_asks_about_nothing() -> None:
    policy = parse_policy("hospitality_cap_pounds = 0", "policy.toml")
    assert policy.hospitality_cap_pounds == 0
    assert load_policy().large_payment_pounds == load_policy().holder_year_pounds == 0
    assert load_policy().watched_merchants == ()


def test_a_rule_rests_on_its_own_clause_or_its_kinds() -> None:
    text = '[clauses]\nsplit = "4.2 No splitting."\nstep-split = "5.1 Quotations."\n'
    policy = parse_policy(text, "policy.toml")
    assert policy.clause_of("step-split", "split") == "5.1 Quotations."
    assert policy.clause_of("split-same-day", "split") == "4.2 No splitting."
    assert policy.clause_of("new-and-rare", "merchant") == ""


def test_a_policy_without_clauses_keeps_its_hash() -> None:
    assert parse_policy("[clauses]", "policy.toml").sha256 == load_policy().sha256


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ('authority = "PCC"\nunits = ["C1"]', "'people' must name at least one email address"),
        ('authority = "PCC"\npeople = ["a@b.example"]', "name chief officers by 'holders'"),
        ('people = ["a@b.example"]\nunits = ["C1"]', "'authority' must name the authority"),
        ('authority = "PCC"\npeople = "a@b.example"', "'people' must be a list of texts"),
        ('authority = "PCC"\nranks = ["Chief"]', "unknown setting 'ranks'"),
    ],
)
def test_a_table_of_chief_officers_names_everything_or_is_refused(table: str, fault: str) -> None:
    with pytest.raises(FileFaulty, match=re.escape(fault)):
        parse_policy(f"[chief_officers]\n{table}\n", "policy.toml")
