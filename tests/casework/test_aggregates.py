"""A quarter's aggregate from a casebook: its figures, no names, and nothing of psd's lane."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from books import PACK_KEY, SEAL, activate_cards, lively_month, policy_pack, second_person
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from cardwatch import services
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.cli import app
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.policy_pack import make_pack
from cardwatch.registers import read_register
from cardwatch.reports.aggregate import COUNT_STEP, read_aggregate
from cardwatch.rules import rule_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.reports.aggregate import Aggregate
    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PACK = make_pack(policy_pack(), PACK_KEY)
"""A common policy with a limit of £500."""
LENIENT = b"[[single_purchase]]\nfrom = 2020-01-01\npounds = 9000\n"
SPLITTERS = 12


def crowded_month(number: int) -> list[str]:
    """Return a month in which twelve people pay often, and one alone pays a rare merchant."""
    ordinary = [
        f"2026-{number:02}-{1 + n % 27:02},H{n % 12},SHOP {n % 3},{20 + n}.00,C{number}{n}"
        for n in range(60)
    ]
    rare = f"2026-{number:02}-09,H1,RARE CLINIC,431.17,X{number}"
    return [*ordinary, rare, *lively_month(number)]


def split_quarter(splitters: int = SPLITTERS) -> list[str]:
    """Return a quarter of thirty cardholders, some of whom split £700 at a firm of their own.

    Nobody's total exceeds a limit of £9,000; by the common policy, of £500, each is a split.
    """
    ordinary = [
        f"2026-{7 + n // 60:02}-{1 + n % 27:02},H{n % 30},SHOP {n % 3},{20 + n % 40}.00,C{n}"
        for n in range(180)
    ]
    split = [
        f"2026-{7 + n % 3:02}-{5 + n:02},H{n},{chr(65 + n) * 5} FIRM,{amount}.00,S{n}{amount}"
        for n in range(splitters)
        for amount in (340, 360)
    ]
    return [*ordinary, *split]


@pytest.fixture
def splits(at: Context, read: Read) -> Context:
    """Give a casebook whose own policy finds no split in a quarter, with two cases of a split."""
    services.activate_document(at(), "policy", LENIENT, "2020-01-01")
    services.receive(at(days=-60), read(*split_quarter()))
    return at


def _with_pack(at: Context, role: str = "finance", pack: bytes = PACK) -> Aggregate:
    return read_aggregate("a.json", _make(at, role, pack=pack, threshold=5))


def test_payments_are_scored_by_the_common_policy_too(splits: Context) -> None:
    made = _with_pack(splits)
    assert made.common_policy is not None
    assert (made.common_policy.name, made.common_policy.version) == ("Pack (invented)", "2027.1")
    common = made.shares["common_split_alerts"]
    assert abs(common.count - SPLITTERS) < COUNT_STEP
    assert common.total == made.purchases
    assert "split_alerts" not in made.shares, "by the own limit of £9,000 there is none"


def test_without_a_pack_there_are_no_figures_by_one(splits: Context) -> None:
    made = read_aggregate("a.json", _make(splits, threshold=5))
    assert made.common_policy is None
    assert not any(name.startswith("common_") for name in made.shares)


def test_the_common_policy_leaves_nothing_in_the_casebook(splits: Context) -> None:
    before = services.list_alerts(splits())
    _with_pack(splits)
    assert services.list_alerts(splits()) == before


def test_own_cards_and_registers_do_not_move_the_common_figures(
    splits: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    """A force whose cards have limits of £50 is not made to look worse than others by them."""
    before = _with_pack(splits).shares
    _activate_cards(splits, tmp_path, choices)
    after = _with_pack(splits).shares
    assert {n: p for n, p in after.items() if n.startswith("common_")} == {
        n: p for n, p in before.items() if n.startswith("common_")
    }


def test_rules_of_professional_standards_do_not_move_the_common_figures(splits: Context) -> None:
    """A pair of packs: one has rules of professional standards, the other has none of them."""
    texts = {name: text for name, text in rule_texts().items()
             if 'lane     = "psd"' not in text or name.startswith("split-across-")}  # fmt: skip
    assert len(texts) < len(rule_texts())
    other = make_pack(replace(policy_pack(), rules=texts), PACK_KEY)
    assert _with_pack(splits, pack=other).shares == _with_pack(splits).shares


@pytest.mark.parametrize("pack", [b"{}", PACK.replace(b"500", b"400", 1)])
def test_what_is_no_pack_is_refused(splits: Context, pack: bytes) -> None:
    with pytest.raises(CardwatchError, match="pack"):
        _with_pack(splits, pack=pack)


def test_one_person_more_moves_each_figure_by_a_step(at: Context, read: Read) -> None:
    """A pair of worlds that differ in one person's split; whoever has both files compares them."""
    files = []
    for force, splitters in (("Vale", SPLITTERS), ("Fen", SPLITTERS - 1)):

        def context(role: str = "finance", force: str = force, **given: Any) -> Any:
            return at(role, organisation=force, **given)

        services.activate_document(context(), "policy", LENIENT, "2020-01-01")
        services.receive(context(days=-60), read(*split_quarter(splitters)))
        files.append(_with_pack(context))
    assert files[0].shares.keys() == files[1].shares.keys()
    assert "common_split_alerts" in files[0].shares
    for name, pair in files[0].shares.items():
        other = files[1].shares[name]
        assert abs(pair.count - other.count) in {0, COUNT_STEP}, name
        assert abs(pair.total - other.total) in {0, COUNT_STEP}, name


def test_a_late_payment_moves_each_figure_by_a_step(splits: Context, read: Read) -> None:
    """The attack: the quarter's file is made again after one more payment came."""
    before = _with_pack(splits)
    services.receive(splits(days=-50), read("2026-09-17,H1,BBBBB FIRM,450.00,LATE"))
    after = _with_pack(splits)
    assert before.shares.keys() == after.shares.keys()
    for name, pair in before.shares.items():
        assert abs(pair.count - after.shares[name].count) in {0, COUNT_STEP}, name
        assert abs(pair.total - after.shares[name].total) in {0, COUNT_STEP}, name


def _activate_cards(at: Context, folder: Path, choices: ReadingChoices) -> None:
    """Give a force a register of thirty cards: each has a limit, twenty have an approver."""
    rows = [f"H{n},{1000 + n},50,01/01/2026,open,{'H29' if n < 20 else ''}" for n in range(30)]
    text = "employee_id,card_last4,single_limit,opened_on,status,approver_id\n" + "\n".join(rows)
    activate_cards(at(), folder, choices, text + "\n")


def _import(at: Context, role: str, folder: Path, name: str, text: str, read_as: Any) -> None:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    services.import_register(at(role), read_register(path, read_as))


CONTRACTS = "Supplier,Reference,Start date,End date,Value,Contract owner,Date recorded\n" + "".join(
    f"Supplier {n} Ltd,C{n},01/01/2026,31/12/2026,£900,{'Fleet' if n < 12 else ''},"
    f"{'01/01/2026' if n < 9 else '01/06/2026'}\n"
    for n in range(20)
)  # fmt: skip
GIFTS = "Employee No,Unit,Date of offer,Donor,Accepted or declined,Value,Registered\n" + "".join(
    f"H{n},Fleet,0{1 + n % 9}/09/2026,Osprey Joinery Ltd,Accepted,£40,09/09/2026\n"
    for n in range(20)
)  # fmt: skip


def test_quality_of_finances_registers_is_counted(
    splits: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    _activate_cards(splits, tmp_path, choices)
    _import(splits, "finance", tmp_path, "contracts.csv", CONTRACTS, choices)
    made = _with_pack(splits)
    assert made.registers == {"cards": 30, "contracts": 20}
    figures = {name: (pair.count, pair.total) for name, pair in made.shares.items()}
    assert figures["cards_with_approver"] == (20, 30)
    assert figures["contracts_complete"] == (10, 20), "12 of 20, to the nearest 5"
    assert figures["contracts_late"] == (10, 20), "11 of 20, to the nearest 5"
    assert "cards_with_limit" not in figures, "all have one, which says of each that it has"


def test_registers_of_professional_standards_leave_no_trace(
    splits: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    """A pair of worlds: in one, professional standards have a register of gifts."""
    before = {role: _make(splits, role, pack=PACK) for role in ("finance", "psd")}
    _import(splits, "psd", tmp_path, "gifts.csv", GIFTS, choices)
    assert {role: _make(splits, role, pack=PACK) for role in before} == before
    assert before["finance"] == before["psd"]


def test_small_registers_are_hidden(
    splits: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    few = "".join(CONTRACTS.splitlines(keepends=True)[:5])
    _import(splits, "finance", tmp_path, "contracts.csv", few, choices)
    made = _with_pack(splits)
    assert made.registers == {}
    assert not any(name.startswith("contracts") for name in made.shares)


def test_no_name_of_a_register_or_alert_is_in_the_file(
    splits: Context, tmp_path: Path, choices: ReadingChoices
) -> None:
    _activate_cards(splits, tmp_path, choices)
    _import(splits, "finance", tmp_path, "contracts.csv", CONTRACTS, choices)
    content = json.loads(_make(splits, pack=PACK))
    for name in ("public_key", "signature"):
        del content[name]
    text = json.dumps(content).lower()
    for name in ('"h1"', "h29", "firm", "shop", "supplier", "fleet", "c12", "1005"):
        assert name not in text, name


@pytest.fixture
def quarter(at: Context, read: Read) -> Context:
    """Give a casebook with the three months of a quarter that is over."""
    for number in (7, 8, 9):
        services.receive(at(days=-60), read(*crowded_month(number)))
    return at


def _make(at: Context, role: str = "finance", **given: Any) -> bytes:
    chosen = {"threshold": 10, "key": KEY} | given
    return services.make_aggregate(at(role), "2026-Q3", **chosen)


def test_figures_are_those_of_the_lines(quarter: Context) -> None:
    made = read_aggregate("a.json", _make(quarter))
    pence = [round(float(line.split(",")[3]) * 100) for n in (7, 8, 9) for line in crowded_month(n)]
    assert abs(made.purchases - len(pence)) < 5
    assert abs(made.pounds - sum(pence) / 100) <= 500
    assert [cell.name for cell in made.months] == ["2026-07", "2026-08", "2026-09"]
    assert made.quarter == "2026-Q3"


def test_no_person_or_merchant_is_in_it(quarter: Context) -> None:
    text = _make(quarter).decode().lower()
    for name in ('h1"', 'e1"', "shop", "rare clinic", "431", "new firm", "training"):
        assert name not in text, name


def test_nothing_of_professional_standards_is_in_it(quarter: Context) -> None:
    """A pair of worlds: psd's alerts are confirmed in one and untouched in the other."""
    before = _make(quarter)
    alerts = services.list_alerts(quarter("psd"), services.AlertFilter(lane="psd"))
    assert alerts
    for alert in alerts:
        services.decide(quarter("psd"), alert["alert_id"], DecisionInput("seen", "confirmed"))
    assert _make(quarter) == before
    assert _make(quarter, "psd") == before


def test_an_admin_makes_none(quarter: Context) -> None:
    with pytest.raises(NotAllowed):
        _make(quarter, "admin")


def test_a_quarter_that_is_not_over_is_refused(quarter: Context) -> None:
    with pytest.raises(CardwatchError, match="not over"):
        services.make_aggregate(quarter(), "2026-Q4", threshold=10, key=KEY)
    with pytest.raises(CardwatchError, match="No statement covers 2020-Q1"):
        services.make_aggregate(quarter(), "2020-Q1", threshold=10, key=KEY)
    with pytest.raises(CardwatchError, match="5 or more"):
        _make(quarter, threshold=2)


def test_the_command_needs_a_casebook(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDWATCH_HOME", str(tmp_path))
    ran = CliRunner().invoke(app, ["aggregate", "2026-Q3", "--out", str(tmp_path / "a.json")])
    assert isinstance(ran.exception, CardwatchError)
    assert not (tmp_path / "a.json").exists()


@pytest.mark.usefixtures("received_january")
def test_the_command_scores_by_a_pack(tmp_path: Path) -> None:
    pack, out = tmp_path / "pack.json", tmp_path / "a.json"
    pack.write_bytes(PACK)
    command = ["aggregate", "2026-Q1", "--threshold", "5", "--out", str(out)]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 0, ran.output
    assert "Give one with --pack" in ran.output.replace("\n", " ")
    assert read_aggregate("a.json", out.read_bytes()).common_policy is None
    ran = CliRunner().invoke(app, [*command, "--pack", str(pack)])
    assert ran.exit_code == 0, ran.output
    assert "--pack" not in ran.output
    policy = read_aggregate("a.json", out.read_bytes()).common_policy
    assert policy is not None
    assert policy.name == "Pack (invented)"


def test_the_pack_of_the_own_policy_is_taken_without_one(splits: Context) -> None:
    """A force that took the pack is scored by it, though its own figures stay on top of it."""
    job = services.queue_back_test(splits("psd"), "pack", PACK, 1, SEAL)
    assert services.do_next_job(splits().casebook, lambda: splits().now, SEAL, services.TRIALS)
    proposed = services.propose_pack(
        splits("psd"), job["job_id"], reason="national", effective_from="2026-07-01"
    )
    services.decide_proposal(second_person(splits("psd")), proposed["proposal_id"], agrees=True)
    made = read_aggregate("a.json", _make(splits, threshold=5))
    assert made.common_policy is not None
    assert made.common_policy.version == "2027.1"
    assert made.shares == _with_pack(splits).shares


def test_alerts_about_whoever_makes_the_file_are_left_out(at: Context, read: Read) -> None:
    """As of the own figures: thirteen splits are shared as 15, and without one's own as 10."""
    services.activate_document(at(), "policy", LENIENT, "2020-01-01")
    services.receive(at(days=-60), read(*split_quarter(13)))
    counts = []
    for holder_id in ("", "H3"):
        maker = at(person=f"of {holder_id or 'no card'}".replace(" ", ""), holder_id=holder_id)
        made = services.make_aggregate(maker, "2026-Q3", threshold=5, key=KEY, pack=PACK)
        counts.append(read_aggregate("a.json", made).shares["common_split_alerts"].count)
    assert counts == [15, 10]
