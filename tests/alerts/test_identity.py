"""Alert ids: the same question has the same id, and no two alerts of a list share one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cardwatch.alerts import holders_label, merchants_label, scope_note
from cardwatch.policy import parse_policy
from cardwatch.registers import read_cards
from cardwatch.scoring import score
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    import random
    from pathlib import Path

    import pytest

    from cardwatch.scoring import ScoringResult

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..", "day-first")
LIMITS = """
[[single_purchase]]
from = 2025-04-01
pounds = 1000
[[holder_month]]
from = 2025-04-01
pounds = 5000
"""
HEADINGS = "date,holder_id,card_number,merchant,amount,mcc\n"
REGISTER = "Card Number,Employee No,Approver No,Single Limit (£),Monthly Limit (£),Opened,Closed\n"
OVER_MONTH_LIMIT = "".join(
    f"2026-11-{2 + 3 * n:02},NEW1,4929 **** **** 9911,SHOP {n} LTD,{700 + n}.00,5200\n"
    for n in range(8)
)
"""Over the monthly limit, on a card that no register lists: two questions, the same payments."""


def score_text(folder: Path, rows: str, cards: str = "", policy: str = LIMITS) -> ScoringResult:
    (folder / "statement.csv").write_text(HEADINGS + rows, encoding="utf-8")
    register = None
    if cards:
        (folder / "cards.csv").write_text(REGISTER + cards, encoding="utf-8")
        register = read_cards(folder / "cards.csv", CHOICES)
    transactions = read_statements([folder / "statement.csv"], CHOICES).transactions
    return score(transactions, parse_policy(policy, "policy.toml"), cards=register)


def every_id(scoring: ScoringResult) -> list[str]:
    return [alert.alert_id for made in scoring.lists.values() for alert in made.alerts]


def test_two_rules_about_the_same_payments_have_two_ids(tmp_path: Path) -> None:
    scoring = score_text(
        tmp_path, OVER_MONTH_LIMIT, "************5660,SV1,SV9,1000,2000,08/06/2018,\n"
    )
    by_rule = {alert.reasons[0].rule: alert for alert in scoring.lists["finance"].alerts}
    over, unlisted = by_rule["over-month-limit"], by_rule["card-not-in-register"]
    assert over.payments == unlisted.payments
    assert over.alert_id != unlisted.alert_id
    assert len(set(every_id(scoring))) == len(every_id(scoring))


def test_payments_alike_in_everything_have_alerts_of_their_own(tmp_path: Path) -> None:
    """A statement without references: two equal charges on one day, each over the limit."""
    twice = 2 * "2026-11-02,E1,4929 **** **** 9911,SHOP LTD,1200.00,5200\n"
    other = "2026-11-09,E1,4929 **** **** 9911,SHOP LTD,1200.00,5200\n"
    ids = every_id(score_text(tmp_path, twice + other))
    assert len(set(ids)) == len(ids)


PAYMENTS = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from(["E1", "E2", "E3"]),
        st.sampled_from(["1111", "2222", "3333"]),
        st.sampled_from(["SHOP ONE", "AMAZON GIFT CARDS", "BET LTD"]),
        st.sampled_from(["480.00", "900.00", "1200.00", "-900.00"]),
        st.sampled_from(["5200", "7995", "6011"]),
    ),
    min_size=1,
    max_size=40,
)
CARDS = st.lists(
    st.tuples(
        st.sampled_from(["1111", "2222"]),
        st.sampled_from(["E1", "E2"]),
        st.sampled_from(["E1", "A9"]),
        st.sampled_from(["", "01/11/2026", "05/11/2026"]),
        st.sampled_from(["", "07/11/2026"]),
    ),
    max_size=3,
    unique_by=lambda card: card[0],
)


@settings(max_examples=20, deadline=None)
@given(payments=PAYMENTS, cards=CARDS, order=st.randoms(use_true_random=False))
def test_ids_are_unique_and_do_not_depend_on_the_order_of_rows(
    tmp_path_factory: pytest.TempPathFactory,
    payments: list[tuple[int, str, str, str, str, str]],
    cards: list[tuple[str, str, str, str, str]],
    order: random.Random,
) -> None:
    # A statement most of whose amounts have a minus is refused: its direction is not clear.
    assume(2 * sum(amount.startswith("-") for *_, amount, _ in payments) <= len(payments))
    folder = tmp_path_factory.mktemp("ids")
    rows = [
        f"2026-11-{day:02},{holder},************{card},{merchant},{amount},{mcc}\n"
        for day, holder, card, merchant, amount, mcc in payments
    ]
    register = "".join(
        f"************{card},{holder},{approver},1000,5000,{opened},{closed}\n"
        for card, holder, approver, opened, closed in cards
    )
    ids = every_id(score_text(folder, "".join(rows), register))
    assert len(set(ids)) == len(ids)
    order.shuffle(rows)
    assert sorted(every_id(score_text(folder, "".join(rows), register))) == sorted(ids)


def test_labels_are_made_from_ids_and_never_read_back(tmp_path: Path) -> None:
    """A cardholder whose id reads like a label is a person like any other."""
    rows = "".join(
        f"2026-11-02,2 cardholders,************1111,SHOP {n},{700 + n}.00,5200\n" for n in range(8)
    )
    scoring = score_text(tmp_path, rows)
    alert = next(a for a in scoring.lists["finance"].alerts if len(a.merchants) > 1)
    assert alert.holders == ("2 cardholders",)
    assert holders_label(alert) == "2 cardholders"
    assert merchants_label(alert) == f"{len(alert.merchants)} merchants"


def test_a_fact_about_one_of_several_payments_is_told_with_the_whole(tmp_path: Path) -> None:
    rows = "".join(f"2026-11-02,E1,************1111,SHOP {n},{700 + n}.00,5200\n" for n in range(8))
    alerts = score_text(tmp_path, rows).lists["finance"].alerts
    alert = next(a for a in alerts if len(a.merchants) == 8)

    def scope(fact: str) -> str:
        return scope_note(replace(alert, reasons=(replace(alert.reasons[0], fact=fact),)))

    assert scope("£700.00 was paid.") == "In all, this alert is about 8 payments at 8 merchants."
    for whole in ("8 payments", "8 merchants", "£5,628.00"):
        assert scope(f"It is {whole}, in all.") == ""
        assert scope(f"It is 1{whole} in part.") or whole.startswith("£")
