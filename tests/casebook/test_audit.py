"""The audit chains: whatever is done to past events is found, or an outside checkpoint finds it."""

from __future__ import annotations

import hashlib
import json
import random
import time
from typing import TYPE_CHECKING

import pytest
from books import NOW
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cardwatch import services
from cardwatch.casebook import FINANCE, PSD, Actor, AuditEvent, Casebook
from cardwatch.casebook.audit import verify_chain
from cardwatch.casebook.checkpoints import check_checkpoints, sign_checkpoint
from cardwatch.casebook.unit_of_work import UnitOfWork, canonical, first_hash, next_hash
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.transparency import (
    COSIGNATURE,
    VerifierKey,
    cosign_note,
    cosign_request,
    parse_checkpoint,
    parse_notes,
    parse_request,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cardwatch.transparency import Note

    Context = Callable[..., services.ServiceContext]

EVENTS = 200
VERIFIED, MOST_WRITTEN = 25, 500
"""How often a chain is verified while others write, and how much they write at most."""
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[services.ServiceContext]:
    """An auditor's context of a casebook whose triggers are gone, as a tamperer has it."""
    book = Casebook(f"sqlite:///{tmp_path / 'book.db'}", checkpoints=tmp_path / "elsewhere")
    owner = services.add_organisation(book, "Force", NOW)
    at = services.ServiceContext(book, Actor(owner, "someone", "auditor"), NOW)
    for number in range(EVENTS):
        with at.work(AuditEvent("consultation", "alert", f"a{number}")):
            pass
    with book.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_events_no_update")
        connection.exec_driver_sql("DROP TRIGGER audit_events_no_delete")
    yield at
    book.close()


def _rows(at: services.ServiceContext) -> list[tuple[int, str, str]]:
    with at.casebook.engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT seq, body, hash FROM audit_events WHERE lane = 'finance' ORDER BY seq"
        )
        return [tuple(row) for row in found]  # type: ignore[misc]


def _put(at: services.ServiceContext, rows: list[tuple[int, str, str]]) -> None:
    """Write a chain as somebody with the database file could."""
    owner = at.actor.organisation_id
    with at.casebook.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit_events WHERE lane = 'finance'")
        connection.exec_driver_sql(
            "INSERT INTO audit_events (organisation_id, lane, seq, body, hash) "
            "VALUES (?, 'finance', ?, ?, ?)",
            [(owner, *row) for row in rows],
        )


def _tampered(
    rows: list[tuple[int, str, str]], chance: random.Random
) -> tuple[list[tuple[int, str, str]], int]:
    """Return a chain with one past event changed, and the number of the first that is not right."""
    rows = list(rows)
    at = chance.randrange(len(rows) - 1)  # the newest is what only a checkpoint can show
    seq, body, kept = rows[at]
    way = chance.choice(["body", "hash", "both", "removed", "swapped", "inserted", "number"])
    if way == "body":
        place = chance.randrange(len(body))
        new = chance.choice([c for c in "0123456789abcdef,:{}" if c != body[place]])
        rows[at] = seq, body[:place] + new + body[place + 1 :], kept
    elif way == "hash":
        rows[at] = seq, body, kept[:-1] + ("0" if kept[-1] != "0" else "1")
    elif way == "both":
        before = rows[at - 1][2] if at else first_hash("force", FINANCE)
        body = body.replace("done", "none")
        rows[at] = seq, body, next_hash(before, body)
        return rows, seq + 1
    elif way == "removed":
        del rows[at]
        if chance.random() < 0.5:
            rows = [(number, *row[1:]) for number, row in enumerate(rows, 1)]
    elif way == "swapped":
        rows[at], rows[at + 1] = (seq, *rows[at + 1][1:]), (seq + 1, body, kept)
    elif way == "inserted":
        rows.insert(at, (seq, body.replace("done", "gone"), kept))
        rows = [(number, *row[1:]) for number, row in enumerate(rows, 1)]
    else:
        rows[at] = seq + 10**6, body, kept
    return rows, seq


@pytest.mark.parametrize("times", [200, pytest.param(10_000, marks=pytest.mark.prove)])
def test_every_tampering_with_a_past_event_is_found_at_its_place(
    plain: services.ServiceContext, times: int
) -> None:
    rows, chance = _rows(plain), random.Random(4)
    assert verify_now(plain) == (EVENTS + 1, 0)
    for _ in range(times):
        wrong, place = _tampered(rows, chance)
        _put(plain, wrong)
        assert verify_now(plain)[1] == place
    _put(plain, rows)
    assert verify_now(plain)[1] == 0


def verify_now(at: services.ServiceContext) -> tuple[int, int]:
    """Return how many events follow each other and where the chain breaks, leaving no event."""
    with at.casebook.engine.connect() as connection:
        uow = UnitOfWork(connection, at.actor, (FINANCE,), "", AuditEvent("access", "test"))
        found = verify_chain(uow, FINANCE)
        return found.events, found.broken_at


def test_cutting_off_the_newest_events_is_found_by_a_checkpoint_only(
    plain: services.ServiceContext,
) -> None:
    path = services.checkpoint(plain.casebook, plain.actor.organisation_id, KEY, NOW)[0]
    left = _rows(plain)[:-20]
    _put(plain, left)
    assert [one.fault for one in services.verify_audit(plain)] == [""]
    _put(plain, left)
    found = services.verify_checkpoints(plain, KEY.public_key(), path)
    assert found.broken_at == len(left) + 1
    assert "checkpoint" in found.fault


def test_a_chain_written_anew_is_found_by_a_checkpoint_only(plain: services.ServiceContext) -> None:
    path = services.checkpoint(plain.casebook, plain.actor.organisation_id, KEY, NOW)[0]
    before, anew = first_hash(plain.actor.organisation_id, FINANCE), []
    for seq, body, _ in _rows(plain):
        changed = body.replace('"a7"', '"a8"')
        before = next_hash(before, changed)
        anew.append((seq, changed, before))
    _put(plain, anew)
    assert [one.fault for one in services.verify_audit(plain)] == [""]
    assert services.verify_checkpoints(plain, KEY.public_key(), path).fault


def test_checkpoints_that_still_hold_are_found_good_and_a_changed_one_is_not(
    plain: services.ServiceContext,
) -> None:
    owner = plain.actor.organisation_id
    for _ in range(3):
        path = services.checkpoint(plain.casebook, owner, KEY, NOW)[0]
    good = services.verify_checkpoints(plain, KEY.public_key(), path)
    assert (good.fault, good.events) == ("", EVENTS + 3)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"\n{EVENTS + 1}\n", f"\n{EVENTS}\n"), encoding="utf-8")
    assert "not signed by" in services.verify_checkpoints(plain, KEY.public_key(), path).fault
    other = Ed25519PrivateKey.generate().public_key()
    services.checkpoint(plain.casebook, owner, KEY, NOW)
    assert services.verify_checkpoints(plain, other, path).fault


def test_checkpoints_of_another_organisation_are_refused(plain: services.ServiceContext) -> None:
    path = services.checkpoint(plain.casebook, plain.actor.organisation_id, KEY, NOW)[0]
    services.add_organisation(plain.casebook, "Other", NOW)
    other = services.ServiceContext(plain.casebook, Actor("other", "x", "auditor"), NOW)
    with pytest.raises(CardwatchError, match="another chain"):
        services.verify_checkpoints(other, KEY.public_key(), path)


def test_both_chains_of_ordinary_work_are_found_good(at: Context) -> None:
    finance, psd = at(), at("psd")
    services.list_alerts(finance)
    checks = {one.lane: one for one in services.verify_audit(psd)}
    assert [one.fault for one in checks.values()] == ["", ""]


def test_the_hash_of_a_chain_is_what_it_was_in_every_casebook_there_is() -> None:
    # By the shell: printf 'cardwatch chain 1\nforce\nfinance' | sha256sum, and so on.
    first = hashlib.sha256(b"cardwatch chain 1\nforce\nfinance").hexdigest()
    assert first_hash("force", FINANCE) == first
    after = hashlib.sha256(f"cardwatch event 1\n{first}\n{{}}".encode()).hexdigest()
    assert next_hash(first, "{}") == after


@pytest.mark.parametrize("role", ["finance", "auditor", "admin"])
def test_only_professional_standards_read_their_own_chain(at: Context, role: str) -> None:
    with pytest.raises(NotAllowed):
        services.audit_events(at(role), lane=PSD, last=1)
    assert [one.lane for one in services.verify_audit(at(role))] == [FINANCE]


def _rewritten(
    rows: list[tuple[int, str, str]], owner: str, chance: random.Random
) -> list[tuple[int, str, str]]:
    """Return a whole chain with another past, as somebody with database and key can make it."""
    bodies = [body for _, body, _ in rows]
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(bodies))
        way = chance.choice(["changed", "removed", "inserted", "moved", "cut"])
        if way == "changed":
            bodies[place] = bodies[place].replace('"done"', '"denied"')
        elif way == "removed":
            del bodies[place]
        elif way == "inserted":
            bodies.insert(place, bodies[place].replace("alert", "person"))
        elif way == "moved":
            bodies.insert(chance.randrange(len(bodies)), bodies.pop(place))
        else:
            bodies = bodies[: max(place, 1)]
    before, chain = first_hash(owner, FINANCE), []
    for seq, body in enumerate(bodies, 1):
        content = json.loads(body) | {"seq": seq}
        before = next_hash(before, canonical(content))
        chain.append((seq, canonical(content), before))
    return chain


@pytest.mark.parametrize("times", [50, pytest.param(1_000, marks=pytest.mark.prove)])
def test_a_history_rewritten_with_database_and_key_is_found_by_one_cosigned_note(
    plain: services.ServiceContext, tmp_path: Path, times: int
) -> None:
    owner, chance, witness = plain.actor.organisation_id, random.Random(38), tmp_path / "w.json"
    rows, log_keys = _rows(plain), services.chain_keys(plain, KEY.public_key())
    request = parse_request(services.witness_request(plain, KEY, lane=FINANCE))
    cosigned = cosign_request(
        request, ("audit.example", WITNESS), log_keys=log_keys, state=witness, moment=1
    )
    keys = [VerifierKey("audit.example", WITNESS.public_key(), COSIGNATURE)]
    found = attacks = 0
    while attacks < times:
        chain = _rewritten(rows, owner, chance)
        if [row[2] for row in chain] == [row[2] for row in rows]:
            continue  # what was removed was put back
        attacks += 1
        _put(plain, chain)
        with plain.casebook.engine.connect() as connection:
            uow = UnitOfWork(connection, plain.actor, (FINANCE,), "", AuditEvent("access", "test"))
            assert verify_chain(uow, FINANCE).broken_at == 0  # the chain alone shows nothing
            signed_anew = sign_checkpoint(uow, KEY, FINANCE)
            assert signed_anew is not None
            assert not check_checkpoints(uow, [signed_anew], log_keys, "new").fault
            found += bool(check_checkpoints(uow, [cosigned], keys, "note").fault)
    assert found == times
    _put(plain, rows)
    path = tmp_path / "cosigned.note"
    path.write_text(str(cosigned), encoding="utf-8")
    assert not services.verify_checkpoints(plain, KEY.public_key(), path, keys).fault


def test_a_witness_refuses_what_was_rewritten_and_cosigns_what_has_grown(
    plain: services.ServiceContext, tmp_path: Path
) -> None:
    def cosign(since: int) -> Note:
        text = services.witness_request(plain, KEY, lane=FINANCE, since=since)
        return cosign_request(
            parse_request(text), ("audit.example", WITNESS),
            log_keys=services.chain_keys(plain, KEY.public_key()),
            state=tmp_path / "w.json", moment=1,
        )  # fmt: skip

    first = parse_checkpoint(cosign(0).text).size
    second = parse_checkpoint(cosign(first).text).size
    assert second > first
    with pytest.raises(CardwatchError, match=f"--since {second}"):
        cosign(first)
    rows = _rows(plain)
    _put(plain, _rewritten(rows[:60], plain.actor.organisation_id, random.Random(1)))
    with pytest.raises(CardwatchError, match="has"):  # there is no proof from what is not there
        cosign(second)
    with pytest.raises(CardwatchError, match="Entries were removed"):
        cosign(1)
    body = rows[5][1].replace('"done"', '"denied"')
    before, chain = first_hash(plain.actor.organisation_id, FINANCE), []
    for seq, kept_body, _ in rows:
        before = next_hash(before, body if seq == 6 else kept_body)
        chain.append((seq, body if seq == 6 else kept_body, before))
    _put(plain, chain)
    with pytest.raises(CardwatchError, match="history was rewritten"):
        cosign(second)
    _put(plain, rows)
    assert parse_checkpoint(cosign(second).text).size >= second


def test_a_signature_by_the_installation_alone_does_not_stand_for_a_witness(
    plain: services.ServiceContext,
) -> None:
    path = services.checkpoint(plain.casebook, plain.actor.organisation_id, KEY, NOW)[0]
    keys = [VerifierKey("audit.example", WITNESS.public_key(), COSIGNATURE)]
    assert not services.verify_checkpoints(plain, KEY.public_key(), path).fault
    fault = services.verify_checkpoints(plain, KEY.public_key(), path, keys).fault
    assert fault == "checkpoint 1 is not signed by audit.example"
    note = parse_notes(path.read_text(encoding="utf-8"))[0]
    forged = cosign_note(note, "audit.example", KEY, 1)  # by a key of the same name
    path.write_text(str(forged), encoding="utf-8")
    assert services.verify_checkpoints(plain, KEY.public_key(), path, keys).fault
    with pytest.raises(NotAllowed):
        services.witness_request(plain, KEY, lane=PSD)
    assert [key.name for key in services.chain_keys(plain, KEY.public_key())] == [
        f"cardwatch/{plain.actor.organisation_id}/finance"
    ]


@pytest.mark.prove
def test_a_million_events_are_verified_in_seconds(plain: services.ServiceContext) -> None:
    before, rows = first_hash(plain.actor.organisation_id, FINANCE), []
    body = canonical({**dict.fromkeys(("actor", "role", "action", "id"), "x" * 12), "seq": 0})
    for seq in range(1, 1_000_001):
        text = body.replace('"seq":0', f'"seq":{seq}')
        before = next_hash(before, text)
        rows.append((seq, text, before))
    _put(plain, rows)
    start = time.perf_counter()
    assert verify_now(plain) == (1_000_000, 0)
    print(f"\na million events verified in {time.perf_counter() - start:.1f} s")  # noqa: T201
    start = time.perf_counter()
    path = services.checkpoint(plain.casebook, plain.actor.organisation_id, KEY, NOW)[0]
    assert not services.verify_checkpoints(plain, KEY.public_key(), path).fault
    print(f"signed and compared in {time.perf_counter() - start:.1f} s")  # noqa: T201


def test_events_of_two_workers_at_once_follow_each_other(at: Context) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  beside its use

    finance = at()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: services.list_statements(finance), range(40)))
    assert [one.fault for one in services.verify_audit(at("auditor"))] == [""]


def test_verifying_while_others_write_finds_no_fault(at: Context) -> None:
    """Chain and rows are read as of one moment, however long that takes and whoever writes."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  beside its use
    from threading import Event  # noqa: PLC0415

    admin, auditor, is_over = at("admin"), at("auditor"), Event()

    def write(writer: int) -> int:
        count = 0
        while not is_over.is_set() and count < MOST_WRITTEN:
            email = f"p{writer}-{count}@x.example"
            services.add_person(admin, name="n", email=email, role="auditor")
            services.end_person(admin, email)
            count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write, number) for number in range(2)]
        faults = {one.fault for _ in range(VERIFIED) for one in services.verify_audit(auditor)}
        is_over.set()
    assert sum(one.result() for one in writing) > 2
    assert faults == {""}
