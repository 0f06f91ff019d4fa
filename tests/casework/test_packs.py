"""Taking a policy pack: tested, proposed, approved by another person, named by its alerts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from books import PACK_KEY, SEAL, lively_month, policy_pack, second_person
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from cardwatch import services
from cardwatch.cli import app
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.policy_pack import make_pack
from cardwatch.rules import rule_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

CONTENT = make_pack(policy_pack(), PACK_KEY)
THEIRS = next(name for name, text in rule_texts().items() if 'id       = "sole-holder' in text)


def _tested(context: services.ServiceContext, content: bytes = CONTENT) -> Any:
    job = services.queue_back_test(context, "pack", content, 1, SEAL)
    assert services.do_next_job(context.casebook, lambda: context.now, SEAL, services.TRIALS)
    return services.get_job(context, job["job_id"])


def _take(at: Context, content: bytes = CONTENT, **given: str) -> Any:
    """Test, propose and approve a pack as two people of professional standards."""
    job = _tested(at("psd"), content)
    made = services.propose_pack(
        at("psd"), job["job_id"], reason="national", **{"effective_from": ""} | given
    )
    return services.decide_proposal(second_person(at("psd")), made["proposal_id"], agrees=True)


def test_two_people_take_a_pack_and_alerts_name_it(at: Context, read: Read) -> None:
    services.activate_document(at(), "policy", b"materiality_pounds = 77.0\n", "2026-01-01")
    assert services.get_pack(at()) is None
    job = _tested(at("psd"))
    assert job["answer"]["statements"] == []
    made = services.propose_pack(
        at("psd"), job["job_id"], effective_from="2026-10-01", reason="national"
    )
    seen = services.get_proposal(second_person(at("psd")), made["proposal_id"])
    assert "Single-purchase limit" in [change.label for change in seen["before_after"]]
    assert "near-limit-habit.toml" not in [change["file"] for change in seen["changes"]]
    with pytest.raises(NotAllowed, match="Another person"):
        services.decide_proposal(at("psd"), made["proposal_id"], agrees=True)
    services.decide_proposal(second_person(at("psd")), made["proposal_id"], agrees=True)
    active = services.get_pack(at())
    assert active is not None
    assert (active["pack"]["version"], active["is_review_due"]) == ("2027.1", False)
    assert [(change.label, change.before, change.after) for change in active["own_figures"]] == [
        ("Smallest payment to ask about on its own", "£30", "£77")
    ]
    assert active["own_rules"] == {"added": [], "removed": [], "changed": []}
    services.receive(at(), read(*lively_month(10)))
    alert = services.list_alerts(at())[0]["alert_id"]
    versions = {v["kind"]: v for v in services.get_history(at(), alert)["versions"]}
    assert versions["pack"] == {
        "kind": "pack", "sha256": "Pack (invented), version 2027.1", "is_active": True,
    }  # fmt: skip
    kinds = {row["kind"] for row in services.list_active(at("psd"))}
    assert kinds == {"pack", "policy", "rules"}
    assert all(check.fault == "" for check in services.verify(at("psd"), again=True))


def test_a_back_test_counts_by_unit_and_list(at: Context, read: Read) -> None:
    services.activate_document(
        at(), "policy", b"[[single_purchase]]\nfrom = 2020-01-01\npounds = 9000\n", "2020-01-01"
    )
    services.receive(at(), read(*lively_month(10)))
    strict = replace(policy_pack(), policy="large_payment_pounds = 900\nmateriality_pounds = 10\n")
    answer = _tested(at("psd"), make_pack(strict, PACK_KEY))["answer"]
    (statement,) = answer["statements"]
    for lane in ("finance", "psd"):
        whole = answer["units"][lane][0]
        asked = statement[lane]["newly_asked"]
        assert whole["unit"] == ""
        assert whole["newly_asked"] == len(asked)
        assert whole["holders_newly_asked"] == len({h for a in asked for h in a["holders"]})
    assert answer["units"]["finance"][0]["newly_asked"] > 0
    assert "psd" not in _tested(at())["answer"]["units"], "finance sees its own list"


def test_an_upgrade_keeps_own_figures_and_takes_rules_whole(at: Context) -> None:
    _take(at)
    own = services.get_policy(at())["text"].replace(
        "near_limit_payments = 3", "near_limit_payments = 9"
    )
    services.activate_document(at(), "policy", own.encode(), str(at().now.date()))
    rules = rule_texts()
    own_rule = rules[THEIRS].replace('title    = "', 'title    = "Own: ')
    changed = services.propose(
        at("psd"), "rules", services.pack_rules(rules | {THEIRS: own_rule}), effective_from="",
        reason="own",
    )  # fmt: skip
    services.decide_proposal(second_person(at("psd")), changed["proposal_id"], agrees=True)
    assert services.get_pack(at("psd"))["own_rules"]["changed"] == [THEIRS.removesuffix(".toml")]  # type: ignore[index]
    assert services.get_pack(at())["own_rules"]["changed"] == [], "psd's own rule is not finance's"  # type: ignore[index]
    newer = replace(policy_pack(), version="2027.2", policy="materiality_pounds = 12.0\n")
    change = services.preview_pack(at("psd"), make_pack(newer, PACK_KEY))
    assert change["notes"] == []
    assert change["rules"]["changed"] == [THEIRS.removesuffix(".toml")]
    assert services.preview_pack(at(), make_pack(newer, PACK_KEY))["rules"]["changed"] == []
    _take(at, make_pack(newer, PACK_KEY))
    figures = services.get_policy(at())["figures"]
    assert (figures.materiality_pounds, figures.near_limit_payments) == (12.0, 9)
    assert services.get_pack(at("psd"))["own_rules"]["changed"] == []  # type: ignore[index]


def test_what_to_look_at_is_said(at: Context) -> None:
    _take(at)
    other = replace(policy_pack(), published_on="2025-01-01", review_on="2026-01-01")
    key = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    notes = " ".join(services.preview_pack(at("psd"), make_pack(other, key))["notes"])
    for words in ("review date has passed", "another key", "older than the active"):
        assert words in notes


def test_a_pack_from_a_later_day_changes_nothing_before(at: Context) -> None:
    _take(at, effective_from="2027-04-01")
    assert services.get_pack(at()) is None
    assert services.get_policy(at())["figures"].near_limit_payments == 4
    assert not services.get_policy(at())["figures"].single_purchase[0].stated
    later = services.get_policy(at(), "2027-04-01")["figures"]
    assert (later.near_limit_payments, later.pack["version"]) == (3, "2027.1")


def test_nobody_else_proposes_and_nothing_untested(at: Context) -> None:
    job = _tested(at())
    with pytest.raises(NotAllowed, match="professional standards"):
        services.propose_pack(at(), job["job_id"], effective_from="", reason="so")
    with pytest.raises(NotFound):
        services.propose_pack(at("psd"), job["job_id"], effective_from="", reason="so")
    waits = services.queue_back_test(at("psd"), "pack", CONTENT, 1, SEAL)
    with pytest.raises(CardwatchError, match="Test the pack"):
        services.propose_pack(at("psd"), waits["job_id"], effective_from="", reason="so")
    with pytest.raises(CardwatchError, match="Choose what to propose"):
        services.propose(at("psd"), "pack", CONTENT, effective_from="", reason="so")


@pytest.mark.parametrize("way", ["propose", "put"])
def test_a_policy_names_no_pack_that_was_not_approved(at: Context, way: str) -> None:
    _take(at)
    text = services.get_policy(at())["text"]
    for wrong in (text.replace("2027.1", "2099.1"), text.replace('sha256 = "', 'sha256 = "0')):
        with pytest.raises(CardwatchError, match="not approved here"):
            if way == "put":
                services.activate_document(at(), "policy", wrong.encode(), "2026-01-01")
            else:
                services.propose(at(), "policy", wrong.encode(), effective_from="", reason="so")
    assert services.activate_document(at(), "policy", text.encode(), "2026-01-01")


def test_the_command_takes_a_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDWATCH_HOME", str(tmp_path / "home"))
    root = Path(__file__).parents[2]

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    new = ("--role", "psd", "--no-card", "--new-organisation", "Saltmarsh Vale")
    run("people", "a@x.example", "--name", "a", *new)
    run("people", "b@x.example", "--name", "b", *new[:3])
    pack = str(tmp_path / "pack.json")
    made = run("pack", "make", str(root / "sample_data" / "national-pack.toml"), "--out", pack)
    assert "fingerprint" in made
    shown = run("pack", "show", pack, "--as", "a@x.example")
    assert "Confirm the key" in shown
    assert "Removed: none" in shown
    digest = hashlib.sha256(b"pack\n" + Path(pack).read_bytes())  # as docs/forces.md says
    assert f"sha256: {digest.hexdigest()}\n" in shown
    assert f"fingerprint: {made.split()[-1].rstrip('.')}\n" in shown  # whole: it is compared
    tested = run("pack", "test", pack, "--months", "1", "--as", "a@x.example")
    job = tested.rpartition("pack propose ")[2].split()[0]
    proposed = run("pack", "propose", job, "--reason", "so", "--as", "a@x.example")
    name = proposed.splitlines()[-1].split()[0]
    assert "agreed" in run("pack", "approve", name, "--as", "b@x.example")
