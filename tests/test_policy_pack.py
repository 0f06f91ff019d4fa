"""Policy packs: signed content, its faults, and own figures on top of it."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace

import pytest
from books import PACK_KEY, policy_pack

from cardwatch.errors import CardwatchError, FileFaulty
from cardwatch.policy import default_policy_text, parse_policy
from cardwatch.policy_pack import MAX_POLICY_PACK_BYTES, compose_policy, make_pack, open_pack

PACK = policy_pack()


def test_a_pack_is_read_as_it_was_made() -> None:
    content = make_pack(PACK, PACK_KEY)
    opened = open_pack("pack.json", content)
    assert replace(opened, public_key="") == PACK
    assert len(opened.fingerprint) == 16
    assert make_pack(PACK, PACK_KEY) == content


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c | {"version": "9"}, "changed after it was signed"),
        (lambda c: c | {"policy": c["policy"] + "#"}, "changed after it was signed"),
        (lambda c: c | {"format": 2}, "another format"),
        (lambda c: c | {"rules": {"a": 1}}, "changed after it was signed"),
        (lambda c: {k: v for k, v in c.items() if k != "signature"}, "not a policy pack"),
        (lambda _: [], "not a policy pack"),
        (lambda c: c | {"owner": "x" * MAX_POLICY_PACK_BYTES}, "too large"),
    ],
)
def test_a_changed_pack_is_refused(change, words) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    content = json.loads(make_pack(PACK, PACK_KEY))
    with pytest.raises(CardwatchError, match=words):
        open_pack("pack.json", json.dumps(change(content)).encode())


def test_every_fault_of_a_pack_is_listed() -> None:
    faulty = replace(
        PACK,
        name=" ",
        review_on="soon",
        policy="materiality_pounds = -1\n",
        rules={"a.toml": "id = 'a'"},
    )
    with pytest.raises(FileFaulty) as refusal:
        make_pack(faulty, PACK_KEY)
    listed = "\n".join(refusal.value.faults)
    for words in ("review_on must be a day", "name must be", "materiality_pounds", "a.toml: "):
        assert words in listed


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ('organisation = "Force"', "must not state 'organisation'"),
        ('[pack]\nname="a"\nowner="b"\nversion="c"\nsha256="d"', "must not state 'pack'"),
        ("[[step]]\nfrom = 2026-01-01\npounds = 9\nholders = ['E1']", "step must be for everybody"),
    ],
)
def test_a_pack_states_nothing_of_one_force(policy: str, words: str) -> None:
    with pytest.raises(FileFaulty, match=words):
        make_pack(replace(PACK, policy=policy), PACK_KEY)


def test_own_figures_stay_on_top_and_the_rest_is_the_packs() -> None:
    stated = 'materiality_pounds = 77.0\norganisation = "Force"\n[[step]]\nfrom = 2026-01-01\npounds = 9\n'  # noqa: E501  one text
    policy = parse_policy(compose_policy(PACK, "ab", stated, ""), "policy.toml")
    assert (policy.materiality_pounds, policy.near_limit_payments) == (77.0, 3)
    assert [limit.pence for limit in policy.step] == [900]
    assert [limit.pence for limit in policy.single_purchase] == [50_000]
    assert policy.pack_name == "Pack (invented), version 2027.1"
    assert policy.organisation == "Force"


def test_a_policy_copied_from_the_defaults_leaves_the_pack_its_figures() -> None:
    policy = parse_policy(compose_policy(PACK, "ab", default_policy_text(), ""), "policy.toml")
    pack = parse_policy(PACK.policy, "policy.toml")
    assert replace(policy, pack={}) == pack


def test_an_upgrade_carries_own_figures_and_no_old_ones_of_the_pack() -> None:
    first = compose_policy(PACK, "ab", "materiality_pounds = 77.0\n", "")
    newer = replace(PACK, version="2027.2", policy="near_limit_payments = 2\n")
    text = compose_policy(newer, "cd", first, PACK.policy)
    assert tomllib.loads(text) == {
        "near_limit_payments": 2,
        "materiality_pounds": 77.0,
        "pack": {"name": PACK.name, "owner": PACK.owner, "version": "2027.2", "sha256": "cd"},
    }


@pytest.mark.parametrize(
    "pack",
    ["{ name = 'a' }", "{ name = 'a', owner = 'b', version = 'c\\n', sha256 = 'd', more = 'e' }"],
)
def test_a_policy_names_its_pack_whole(pack: str) -> None:
    with pytest.raises(FileFaulty, match="pack must state name, owner, version, sha256"):
        parse_policy(f"pack = {pack}", "policy.toml")
