"""The policy as a form: in pounds, faults by field, and a second person who sees each change."""

from __future__ import annotations

import datetime as dt
import html
import tomllib
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwatch import services
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.policy import ALWAYS, LIMIT_KINDS, Policy, load_policy, parse_policy
from cardwatch.services.policy_figures import LIST_LABELS, policy_changes
from cardwatch.services.policy_form import changed_policy, policy_form_of, policy_values
from cardwatch.toml_text import policy_toml

if TYPE_CHECKING:
    from collections.abc import Callable

    from services import Running

TODAY = dt.date(2026, 11, 29)
SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
TEXT = """materiality_pounds = 40.0
watched_merchants = ["ACE", 'SHOP "ONE"']
[merchant_aliases]
"Alpha Ltd" = "ALPHA"
[[single_purchase]]
from = 2020-01-01
pounds = 1000
[[single_purchase]]
from = 2021-01-01
pounds = 5000
holders = ["E1"]
"""


def test_a_form_sent_as_it_is_changes_nothing() -> None:
    with pytest.raises(CardwatchError, match="Change a figure"):
        changed_policy(TEXT, policy_values(TEXT, TODAY), TODAY)


def test_the_sum_that_is_assumed_can_be_stated() -> None:
    shown = policy_form_of("", TODAY)
    assert shown.assumed["single_purchase"] == "£1,000"
    form = shown.values | {"single_purchase_pounds": "£1,000", "holder_month_vat": "unknown"}
    (limit,) = parse_policy(changed_policy("", form, TODAY), "policy.toml").single_purchase
    assert (limit.pence, limit.stated) == (100_000, True)
    after = changed_policy("", form, TODAY)
    assert "single_purchase" not in policy_form_of(after, TODAY).assumed
    with pytest.raises(CardwatchError, match="Change a figure"):
        changed_policy(after, policy_values(after, TODAY), TODAY)


def test_a_first_limit_holds_for_payments_made_before_it_was_stated() -> None:
    october = (pd.Series(["E1"]), pd.Series(pd.to_datetime(["2026-10-05"])))
    first = changed_policy("", {"step_pounds": "7500"}, TODAY)
    policy = parse_policy(first, "policy.toml")
    assert policy.limits_in_force("step", *october)["pence"].tolist() == [750_000]
    later = parse_policy(changed_policy(first, {"step_pounds": "9000"}, TODAY), "policy.toml")
    assert later.limits_in_force("step", *october)["pence"].tolist() == [750_000]
    assert [entry.pence for entry in later.entries_in_force("step", TODAY)] == [900_000]


def test_assumed_limits_apply_to_every_payment() -> None:
    for name in LIMIT_KINDS:
        assert [limit.since for limit in getattr(load_policy(), name)] == [ALWAYS]
        assert load_policy().no_limit_before(name) is None


def test_a_first_limit_from_a_day_says_that_none_is_known_before() -> None:
    form = {"step_pounds": "7500", "step_from": "2026-04-01"}
    after = parse_policy(changed_policy("", form, TODAY), "policy.toml")
    (change,) = policy_changes(parse_policy("", "policy.toml"), after)
    assert change.after == "£7,500 since 1 April 2026; none before 1 April 2026"


def test_a_figure_a_limit_and_a_list_are_changed() -> None:
    form = policy_values(TEXT, TODAY) | {
        "materiality_pounds": "£1,050.50",
        "single_purchase_pounds": "750",
        "single_purchase_from": "2027-01-01",
        "single_purchase_vat": "included",
        "watched_merchants": "ACE\nBETA",
    }
    after = parse_policy(changed_policy(TEXT, form, TODAY), "policy.toml")
    assert after.materiality_pounds == 1050.5
    assert after.watched_merchants == ("ACE", "BETA")
    assert [entry.pence for entry in after.single_purchase] == [100_000, 500_000, 75_000]
    assert after.merchant_aliases == {"Alpha Ltd": "ALPHA"}
    told = {one.label: (one.before, one.after) for one in
            policy_changes(parse_policy(TEXT, "policy.toml"), after)}  # fmt: skip
    assert told["Smallest payment to ask about on its own"] == ("£40", "£1,050.50")
    assert "£750 since 1 January 2027, including VAT" in told["Single-purchase limit"][1]
    assert told["Merchants to ask about at every payment"][1] == "Includes BETA"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("materiality_pounds", "many"),
        ("materiality_pounds", "nan"),
        ("near_limit_share", "2"),
        ("alerts_at_least", "1.5"),
        ("blocked_categories", "59000"),
        ("split_windows_days", "99"),
        ("split_windows_days", "x"),
        ("single_purchase_pounds", ""),
        ("single_purchase_pounds", "inf"),
        ("step_from", "soon"),
        ("step_vat", "some"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: str) -> None:
    with pytest.raises(CardwatchError) as refusal:
        form = policy_values(TEXT, TODAY) | {"step_pounds": "5000", field: value}
        changed_policy(TEXT, form, TODAY)
    assert refusal.value.field == field


def test_every_list_of_the_policy_has_a_label() -> None:
    lists = {n for n, kind in Policy.__annotations__.items() if kind.startswith("tuple[")}
    assert set(LIST_LABELS) == lists - {"single_purchase", "holder_month", "step"}


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=3))
def test_any_text_is_written_so_that_it_is_read_again(texts: list[str]) -> None:
    settings = {"a": texts, "b": {text: text for text in texts}}
    assert tomllib.loads(policy_toml(settings)) == settings


def test_it_is_proposed_and_the_second_person_reads_it(
    serve: Callable[..., Running],
) -> None:
    running = serve(chores=False)
    page = _post(running, "/settings/policy", {"single_purchase_pounds": "750"})
    assert "£1,000 (default: your policy states none)" in page
    assert "£750" in page
    assert "Propose change" in page
    wrong = _post(running, "/settings/policy", {"near_limit_share": "2"}, status=422)
    assert "must be a share of the limit" in wrong
    policy = services.change_policy(running.context("finance"), {"materiality_pounds": "30"})
    made = services.propose(
        running.context("finance"), "policy", policy.encode(), effective_from="", reason="so"
    )
    answer = running.ask("GET", f"/settings/proposals/{made['proposal_id']}", "finance",
                         headers=SITE)  # fmt: skip
    assert "Smallest payment to ask about on its own" in answer.text
    assert "£30" in answer.text


def test_who_changes_no_settings_gets_no_form(serve: Callable[..., Running]) -> None:
    running = serve(chores=False)
    for role in ("auditor", "admin"):
        with pytest.raises(NotAllowed):
            services.policy_form(running.context(role))
    assert load_policy().clauses == {}


def _post(running: Running, path: str, data: dict[str, Any], status: int = 200) -> str:
    answer = running.ask("POST", path, "finance", headers=SITE, data=data)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def test_clauses_of_the_card_policy_are_changed_by_kind() -> None:
    text = TEXT + '[clauses]\nsplit = "4.2"\nlimit = "4.1"\n"gift-card" = "5.5"\n'
    before = parse_policy(text, "policy.toml")
    assert policy_values(text, TODAY)["clause_split"] == "4.2"
    form = policy_values(text, TODAY)
    form |= {
        "clause_split": " 4.3 A purchase is not divided. ",
        "clause_limit": "",
        "clause_card": "7",
    }
    after = parse_policy(changed_policy(text, form, TODAY), "policy.toml")
    assert after.clauses == {
        "split": "4.3 A purchase is not divided.", "gift-card": "5.5", "card": "7",
    }  # fmt: skip
    assert after.single_purchase == before.single_purchase
    told = {change.label: change.after for change in policy_changes(before, after)}
    assert told == {
        "Clause of the card policy: Split purchase": "4.3 A purchase is not divided.",
        "Clause of the card policy: Over a limit": "None",
        "Clause of the card policy: Card": "7",
    }


def test_a_clause_of_several_lines_stays_as_it_is_unless_it_is_changed() -> None:
    """A field of one line comes back without the ends of lines; that is no change."""
    text = TEXT + '[clauses]\nsplit = """4.2\nNo purchase\n  over £1,000 is divided."""\n'
    form = policy_values(text, TODAY)
    assert form["clause_split"] == "4.2 No purchase over £1,000 is divided."
    changed = changed_policy(text, form | {"clause_card": "7"}, TODAY)
    assert parse_policy(changed, "policy.toml").clauses == {
        "split": "4.2\nNo purchase\n  over £1,000 is divided.", "card": "7",
    }  # fmt: skip


@pytest.mark.parametrize("clause", ["...", "x" * 501])
def test_a_clause_that_is_none_is_refused_at_its_field(clause: str) -> None:
    form = policy_values(TEXT, TODAY) | {"clause_split": clause}
    with pytest.raises(CardwatchError, match="number or words of the clause") as refusal:
        changed_policy(TEXT, form, TODAY)
    assert refusal.value.field == "clause_split"
