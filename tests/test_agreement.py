"""The independent run agrees with the rules on every firing, and finds faults put into them."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from worlds import make_bills, make_worlds

from cardwatch import agreement, independent
from cardwatch.errors import CardwatchError
from cardwatch.features import FEATURES, Ledger, amount, repeat, split
from cardwatch.policy import Policy, load_policy
from cardwatch.registers import match_cards
from cardwatch.rules import load_rules
from cardwatch.statements import ReadingChoices, read_statements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from cardwatch.agreement import RuleAgreement
    from cardwatch.records import CardRegister, Statements

DATA = Path(__file__).parents[1].parent / "shared" / "data"
WORLDS_TOGETHER = 100


def compared(ledger: Ledger) -> list[RuleAgreement]:
    return agreement.compare(ledger)


def assert_agreed(results: list[RuleAgreement]) -> Counter[str]:
    """Assert that both sides have every firing; return how many there are, by rule."""
    assert [result for result in results if not result.agrees or result.note] == []
    return Counter({result.rule: result.firings for result in results})


@pytest.mark.parametrize(
    "batches", [4, pytest.param(100, marks=pytest.mark.prove)], ids=["400", "10,000"]
)
def test_every_firing_of_small_worlds_agrees(batches: int) -> None:
    firings = Counter[str]()
    payments = 0
    for seed in range(batches):
        frame, policy = make_worlds(seed, WORLDS_TOGETHER)
        payments += len(frame)
        firings += assert_agreed(compared(Ledger(frame, policy)))
    worlds = batches * WORLDS_TOGETHER
    print(f"{worlds:,} worlds, {payments:,} payments, {dict(firings)}")  # noqa: T201  for make prove
    assert set(agreement.REPERFORMED) - firings.keys() <= {"many-parts-several-names"}


def test_every_firing_of_the_sample_force_agrees(
    sample: Statements, sample_policy: Policy, sample_cards: CardRegister
) -> None:
    assert_agreed(compared(Ledger(sample.transactions, sample_policy)))
    matched = match_cards(sample.transactions, sample_cards)
    firings = assert_agreed(compared(Ledger(matched, sample_policy)))
    assert firings["split-same-day"]
    assert firings["exact-duplicate"]


@pytest.mark.parametrize("council", ["devon", pytest.param("birmingham", marks=pytest.mark.prove)])
def test_every_firing_of_a_council_agrees(council: str, choices: ReadingChoices) -> None:
    if not (DATA / council).is_dir():
        pytest.skip(f"the published statements of {council} are not here")
    files = read_statements([DATA / council], choices).transactions
    stated = load_policy()
    stated = dataclasses.replace(
        stated,
        single_purchase=tuple(dataclasses.replace(e, stated=True) for e in stated.single_purchase),
        holder_month=tuple(dataclasses.replace(e, stated=True) for e in stated.holder_month),
    )
    firings = assert_agreed(compared(Ledger(files, stated)))
    print(council, len(files), dict(firings))  # noqa: T201  for make prove
    assert min(firings[rule] for rule in ("split-same-day", "split-few-days", "exact-duplicate"))


FAULTS: tuple[tuple[ModuleType, str, str], ...] = (
    (amount, "(over > 0), over, 0)", "(over >= 0), over + 1, 0)"),
    (amount, "(amount_pence(ledger) <= sure)", "(amount_pence(ledger) < sure)"),
    (amount, "ledger.moved_pence",
     "np.where(ledger.is_purchase, ledger.pence, 0)"),
    (amount, '("holder_id", "month")', '("holder_id",)'),
    (split, "(ledger.pence <= limit)", "(ledger.pence < limit)"),
    (split, "& (limit > 0)", "& (limit > 60_000)"),
    (split, 'parts &= ~ledger.column("day_doubled")', "pass"),
    (split, "[ledger.is_blank(name) for name in search.by]", "[np.zeros(len(ledger), bool)]"),
    (split, "np.maximum.reduceat(limit[rows], starts)", "np.minimum.reduceat(limit[rows], starts)"),
    (split, "sorted(set(ledger.policy.split_windows_days))",
     "sorted({max(d - 1, 0) for d in ledger.policy.split_windows_days})"),
    (split, "- sums[first] > tops", "- sums[first] >= tops + 1_000"),
    (split, "(refunded_on(ledger)[part] <= closed[window])",
     "(refunded_on(ledger)[part] < closed[window])"),
    (split, "(refunded_on(ledger)[part] <= closed[window])",
     "(refunded_on(ledger)[part] <= np.inf)"),
    (split, "qualifies = ~(refunded_on(ledger)[part] <= closed[window])",
     "qualifies = np.ones(len(part), bool)"),
    (split, 'before - before[starts][window] <= windows["limit_pence"][window]',
     'before - before[starts][window] < windows["limit_pence"][window]'),
    (split, '(figures["total_pence"] > figures["limit_pence"])',
     '(figures["total_pence"] > figures["limit_pence"] + 1)'),
    (split, "& (count > 1)", "& (count > 2)"),
    (split, 'windows["several_count"] > 1', 'windows["several_count"] > 2'),
    (split, "key + end - HISTORY_DAYS", "key + end - 30"),
    (split, "carries = ~(refunded_on(ledger)[rows] <= ledger.day[rows])",
     "carries = np.ones(len(rows), bool)"),
    (split, "charges.pop()", "charges.pop(0)"),
    (split, "(refund[rows], ledger.day[rows])", "(~refund[rows], ledger.day[rows])"),
    (split, "(total <= ledger.column(limit))", "(total < ledger.column(limit))"),
    (repeat, "& ~(back == 0)", "& ~(back <= 1)"),
    (repeat, "& ~doubled", ""),
    (repeat, "range(1, SOON_DAYS + 1)", "range(1, SOON_DAYS)"),
    (repeat, "standing & ~(back <= days)", "standing"),
    (repeat, 'ledger.count(standing, ("merchant_id", "amount_pence"), days)',
     'ledger.count(standing, ("merchant_id", "amount_pence"), days - 1)'),
)  # fmt: skip
"""Faults that are put into the code that computes: a text and what takes its place."""


@pytest.fixture
def put_in(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let every function of a module do what it would with one text of its file changed."""
    module, text, other = request.param
    source = Path(module.__file__).read_text(encoding="utf-8")
    assert text in source
    changed: dict[str, object] = {"__name__": module.__name__}
    exec(compile(source.replace(text, other), module.__file__, "exec"), changed)  # noqa: S102
    codes = {}
    for name, function in vars(module).items():
        new = changed.get(name)
        if isinstance(function, FunctionType) and isinstance(new, FunctionType):
            codes[function] = function.__code__
            function.__code__ = new.__code__
    yield
    for function, code in codes.items():
        function.__code__ = code


WORLDS_SEARCHED = 3
SAME_ANYHOW = {"month_limit_pence > 0"}
"""Conditions whose edge another condition of the rule leaves out: no limit is none stated."""


def disagreeing() -> set[str]:
    """The rules on which the two sides differ in some worlds."""
    found = set[str]()
    worlds = [make_worlds(seed, WORLDS_TOGETHER) for seed in range(WORLDS_SEARCHED)]
    for frame, policy in [*worlds, make_bills(1_000)]:
        results = compared(Ledger(frame, policy))
        found |= {result.rule for result in results if not result.agrees}
    return found


@pytest.mark.prove
@pytest.mark.parametrize("put_in", FAULTS, indirect=True, ids=lambda fault: fault[2][:60])
@pytest.mark.usefixtures("put_in")
def test_a_fault_put_into_the_code_is_found() -> None:
    assert disagreeing()


@pytest.mark.prove
def test_a_rule_with_another_comparison_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each condition that is compared, with its comparison changed by the value on the edge."""
    others = {">=": ">", ">": ">=", "<=": "<", "<": "<="}
    rules = {rule.id: rule for rule in load_rules()}
    unfound = []
    for rule_id in agreement.REPERFORMED:
        rule = rules[rule_id]
        for number, condition in enumerate(rule.when):
            skipped = condition.feature in agreement.NOT_REPERFORMED
            if skipped or condition.comparison not in others or str(condition) in SAME_ANYHOW:
                continue
            when = list(rule.when)
            other = others[condition.comparison]
            when[number] = dataclasses.replace(condition, comparison=other)
            wrong = dataclasses.replace(rule, when=tuple(when))
            changed = [wrong if one.id == rule_id else one for one in rules.values()]
            monkeypatch.setattr(agreement, "load_rules", lambda changed=changed: changed)
            if rule_id not in disagreeing():
                unfound.append(f"{rule_id}: {condition}")
    assert unfound == []


def test_a_rule_of_the_organisation_is_said_not_to_be_compared() -> None:
    ledger = Ledger(*make_worlds(1, 3))
    rules = [rule for rule in load_rules() if rule.id != "near-duplicate"]
    own = [
        dataclasses.replace(rule, when=rule.when[:1]) if rule.id == "exact-duplicate" else rule
        for rule in rules
    ]
    results = agreement.compare(ledger, own)
    assert {result.rule: result.note for result in results if result.note} == {
        "near-duplicate": "the rule is not in use",
        "exact-duplicate": "its conditions are the organisation's own",
    }


def test_without_its_database_it_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(independent, "find_spec", lambda _: None)
    with pytest.raises(CardwatchError, match=re.escape("pip install 'cardwatch[evidence]'")):
        compared(Ledger(*make_worlds(1, 1)))


def test_its_query_reaches_no_file_and_no_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A query that reads a file, loads code or lifts a limit is refused by the database."""
    duckdb = pytest.importorskip("duckdb")
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    frame = pd.DataFrame(columns=independent.INPUT_COLUMNS)
    arguments = {"split_windows_days": [0], "materiality_pence": 0, "habit_days": 0}
    (tmp_path / "firings.sql").write_text("SELECT 1", encoding="utf-8")
    monkeypatch.setattr(independent.resources, "files", lambda _: tmp_path)
    independent.reperform(frame, [], **arguments)
    for query in (
        f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')",  # noqa: S608
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
        f"ATTACH '{tmp_path / 'other.db'}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '64GB'",
        "SET enable_external_access = true",
        "SELECT * FROM frame",
    ):
        (tmp_path / "firings.sql").write_text(query, encoding="utf-8")
        with pytest.raises(duckdb.Error):
            independent.reperform(frame, [], **arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["firings.sql", "secret.csv"]


def test_every_feature_it_compares_exists() -> None:
    names = {feature.__name__ for feature in FEATURES}
    assert {name for facts in agreement.FACTS.values() for name in facts.values()} <= names
