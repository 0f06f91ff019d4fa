"""Every key of the installation is replaced while nothing of what was written with it is lost."""

from __future__ import annotations

import datetime as dt
import json
import os
import pickle
import re
import shutil
import signal
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyrage
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from typer.testing import CliRunner

from cardwatch import installation, key_files, key_rotation, services
from cardwatch.casebook import FINANCE, LANES, PSD, Actor, AuditEvent, Casebook, tables
from cardwatch.casebook.checkpoints import sign_checkpoint
from cardwatch.casebook.jobs import NewJob, put_job
from cardwatch.casebook.outbox import set_webhook
from cardwatch.casebook.tables import accounts, statements, transactions
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.cli import app
from cardwatch.errors import CardwatchError
from cardwatch.services import backup, rekeying
from cardwatch.services.backup import back_up_encrypted
from cardwatch.statements import cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
LATER = NOW + dt.timedelta(hours=1)
CARD_HEADINGS = "Date,Card Number,Merchant,Amount,Reference"
CARD = "4929000000000"
PEOPLE = 3 * rekeying.ROWS_PER_STEP


def _run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output + str(result.exception)
    return result


@pytest.fixture
def book(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Casebook]:
    """Give the casebook of an installation with an organisation, on either database."""
    monkeypatch.setenv("CARDWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CARDWATCH_DATABASE", database_url)
    named = ("--name", "F", "--role", "finance", "--no-card", "--new-organisation", "Force")
    _run("people", "f@force.example", *named)
    opened = Casebook(database_url)
    yield opened
    opened.close()


def _receive(path: Path, number: int, cards: tuple[int, ...], **names: str) -> None:
    """Receive a month of payments of some cards, two of them a split purchase."""
    lines = [
        f"2026-{number:02}-{1 + day % 27:02},{CARD}{cards[day % len(cards)]:03},SHOP {day % 3},"
        f"{10 + day}.50,{names.get('reference', 'R')}{number}{day}"
        for day in range(12)
    ]
    lines += [
        f"2026-{number:02}-11,{CARD}{cards[0]:03},NEW FIRM,{p}.00,S{number}{p}" for p in (900, 950)
    ]
    path.write_text("\n".join([CARD_HEADINGS, *lines]) + "\n", encoding="utf-8")
    _run("statements", "import", str(path))


def _alerts() -> list[dict[str, Any]]:
    """The alerts of the casebook in full, as the command prints them."""
    rows = json.loads(_run("alerts", "--json").stdout)
    return [json.loads(_run("alerts", row["alert_id"], "--json").stdout) for row in rows]


def _work(book: Casebook) -> Any:
    """Begin a piece of work of the casebook's own."""
    return book.work(
        Actor("force", SYSTEM, "admin"), AuditEvent("access", "test"), NOW, lanes=LANES
    )


def _seal_values(book: Casebook, count: int) -> None:
    """Seal seeds of authenticator apps and a webhook's secret of either lane."""
    with _work(book) as uow:
        seeds = [installation.seal().encrypt(f"seed {n}".encode()).decode() for n in range(count)]
        rows = [
            {"person_id": f"p{n}", "totp": seed, "totp_step": 0} for n, seed in enumerate(seeds)
        ]
        uow.insert(accounts, rows)
    for lane in LANES:
        with _work(book) as uow:
            set_webhook(uow, lane, "https://hooks.force.example/", installation.seal())


def _sealed(book: Casebook) -> list[bytes]:
    """Everything that is sealed in the casebook."""
    with book.snapshot() as connection:
        book.set_tenant(connection, "force", LANES)
        texts = [
            *connection.exec_driver_sql("SELECT totp FROM accounts ORDER BY person_id").scalars(),
            *connection.exec_driver_sql("SELECT secret FROM webhooks ORDER BY lane").scalars(),
        ]
    return [text.encode() for text in texts if text]


def _opened_by(book: Casebook, key: bytes) -> int:
    """How many sealed values a key opens."""
    count = 0
    for token in _sealed(book):
        try:
            Fernet(key).decrypt(token)
        except InvalidToken:
            continue
        count += 1
    return count


def test_every_value_is_sealed_with_the_new_key(book: Casebook) -> None:
    installation.seal()
    _seal_values(book, PEOPLE)
    old = (installation.home() / "seal.key").read_bytes()
    assert _opened_by(book, old) == PEOPLE + 2
    done = key_rotation.rotate(book, "seal", NOW)
    new = (installation.home() / "seal.key").read_bytes()
    assert _opened_by(book, old) == 0
    assert _opened_by(book, new) == PEOPLE + 2
    assert done[0] == f"{PEOPLE + 2} values sealed with the new key."
    assert "is kept until" in done[1]
    assert installation.check_keys(book) == []
    with pytest.raises(CardwatchError, match="secrets finish"):
        key_rotation.rotate(book, "seal", NOW)


def test_a_rotation_tells_finance_of_no_value_that_was_sealed(book: Casebook) -> None:
    installation.seal()
    _seal_values(book, PEOPLE)
    auditor = services.ServiceContext(book, Actor("force", "test", "auditor"), NOW)

    def events() -> int:
        wanted = {"object": rekeying.KEY_OBJECT, "id": "seal"}
        return len(services.audit_events(auditor, lane=FINANCE, last=100, **wanted))

    steps = -(-PEOPLE // rekeying.ROWS_PER_STEP)
    key_rotation.rotate(book, "seal", NOW)
    assert events() == 1 + steps, "the key's own, and those of accounts that are not psd's"
    key_rotation.finish(book, LATER)
    assert events() == 2 + steps, "its end"


def test_an_old_seal_key_outlasts_a_request_under_way(book: Casebook) -> None:
    installation.seal()
    _seal_values(book, 2)
    slow = installation.seal()
    key_rotation.rotate(book, "seal", NOW)
    with _work(book) as uow:  # a request that began before ends after it
        uow.update(accounts, accounts.c.person_id == "p1", {"totp": slow.encrypt(b"late").decode()})
    almost = NOW + key_rotation.WAIT - dt.timedelta(seconds=1)
    assert "is kept until" in key_rotation.finish(book, almost)[-1]
    assert key_rotation.finish(book, NOW + key_rotation.WAIT)[-1] == "The old key is destroyed."
    assert not key_files.older_path(installation.home() / "seal.key").exists()
    assert b"late" in [installation.seal().decrypt(token) for token in _sealed(book)]
    assert installation.check_keys(book) == []
    assert key_rotation.finish(book, LATER) == []


@pytest.mark.each_database
@pytest.mark.parametrize(("place", "number", "done"), [
    ("file", 1, None),  # nothing has begun
    ("file", 2, None),  # the old key is kept, the new one is not there yet
    ("row", 150, rekeying.ROWS_PER_STEP),
    ("row", PEOPLE + 1, PEOPLE),
])  # fmt: skip
def test_a_rotation_that_is_killed_is_taken_up(
    book: Casebook, database_url: str, place: str, number: int, done: int | None
) -> None:
    installation.seal()
    _seal_values(book, PEOPLE)
    path = installation.home() / "seal.key"
    old = path.read_bytes()
    book.close()
    child = os.fork()
    if not child:
        _rotate_until_killed(database_url, place, number)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len([installation.seal().decrypt(token) for token in _sealed(book)]) == PEOPLE + 2
    assert installation.check_keys(book) == []
    if done is None:
        assert path.read_bytes() == old
        key_rotation.rotate(book, "seal", NOW)
    else:
        assert _opened_by(book, old) == PEOPLE + 2 - done
    key_rotation.finish(book, LATER)
    assert _opened_by(book, old) == 0
    assert len([installation.seal().decrypt(token) for token in _sealed(book)]) == PEOPLE + 2
    assert not key_files.older_path(path).exists()
    psd = services.ServiceContext(book, Actor("force", "test", PSD), NOW)
    assert [check.fault for check in services.verify_audit(psd)] == ["", ""]


def _rotate_until_killed(url: str, place: str, number: int) -> None:
    """Replace the seal's key; this process kills itself at its so many-th file or row."""
    module, name = (key_files, "_write") if place == "file" else (rekeying, "_seal_row")
    whole, count = getattr(module, name), 0

    def counted(*parts: Any) -> Any:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*parts)

    setattr(module, name, counted)
    key_rotation.rotate(Casebook(url), "seal", NOW)


def test_a_backup_from_before_is_opened_by_the_older_key(book: Casebook, tmp_path: Path) -> None:
    installation.seal()
    _seal_values(book, 2)
    installation.note_keys(book)
    services.back_up(book, tmp_path / "backup.db", NOW)
    key_rotation.rotate(book, "seal", NOW)
    restored = Casebook(f"sqlite:///{tmp_path / 'restored.db'}")
    services.restore(tmp_path / "backup.db", restored, NOW)
    assert installation.check_keys(restored) == []
    key_rotation.finish(book, LATER)
    assert "seal.key" in " ".join(installation.check_keys(restored))
    restored.close()


@pytest.mark.parametrize("name", ["card", "organisation"])
def test_the_same_alerts_come_after_a_rotation(
    book: Casebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Twice the same two months, once with a rotation between: every byte of the alerts is equal.

    But for moments. Ids of alerts, payments, holders and cards are the same.
    """
    _receive(tmp_path / "september.csv", 9, (1, 2, 3))
    before = _alerts()
    services.back_up(book, tmp_path / "backup.db", NOW)
    first_key = (installation.home() / "card.key").read_bytes()
    _run("secrets", "rotate", name)
    assert _alerts() == before
    _receive(tmp_path / "october.csv", 10, (1, 2, 3))
    rotated = _alerts()
    assert len(rotated) > len(before)
    _run("casebook", "verify")
    _run("audit", "verify")
    monkeypatch.setenv("CARDWATCH_DATABASE", f"sqlite:///{tmp_path / 'again.db'}")
    installation.home().joinpath("card.key").write_bytes(first_key)
    key_files.older_path(installation.home() / "card.key").unlink(missing_ok=True)
    _run("casebook", "restore", str(tmp_path / "backup.db"))
    _receive(tmp_path / "october.csv", 10, (1, 2, 3))
    assert _timeless(_alerts()) == _timeless(rotated)


def _timeless(alerts: list[dict[str, Any]]) -> str:
    """Alerts as text without the moments at which they were raised."""
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "MOMENT", json.dumps(alerts))


def _tokens(book: Casebook, first_on: str) -> set[str]:
    """The hashes of the cards of payments from a day on."""
    with _work(book) as uow:
        question = sa.select(transactions.c.card_token).where(uow.scope(transactions))
        return {
            row["card_token"]
            for row in uow.fetch_all(question.where(transactions.c.date >= first_on))
        }


def test_a_new_card_is_hashed_with_the_new_key(book: Casebook, tmp_path: Path) -> None:
    _receive(tmp_path / "september.csv", 9, (1, 2))
    old = installation.card_key()
    key_rotation.rotate(book, "card", NOW)
    _receive(tmp_path / "october.csv", 10, (2, 3))
    new = installation.card_secrets()[0]
    assert new != old
    assert _tokens(book, "2026-10-01") == {
        cells.card_token(f"{CARD}002", old), cells.card_token(f"{CARD}003", new)
    }  # fmt: skip
    waiting = pickle.loads(pickle.dumps(installation.card_key()))  # noqa: S301  our own
    assert cells.card_token(f"{CARD}001", waiting) == cells.card_token(f"{CARD}001", old)


def test_an_old_card_key_goes_with_the_last_of_its_payments(book: Casebook, tmp_path: Path) -> None:
    _receive(tmp_path / "september.csv", 9, (1, 2))
    path = installation.home() / "card.key"
    assert "until the last" in key_rotation.rotate(book, "card", NOW)[-1]
    assert "until the last" in key_rotation.finish(book, LATER)[-1]
    with book.engine.begin() as connection:  # as if their time had come
        book.set_tenant(connection, "force", LANES)
        connection.execute(sa.delete(transactions).where(transactions.c.organisation_id == "force"))
    assert key_rotation.finish(book, LATER) == ["1 old card key destroyed."]
    assert not key_files.older_path(path).exists()
    assert installation.check_keys(book) == []


def test_the_card_key_waits_for_statements_in_the_queue(book: Casebook) -> None:
    installation.card_key()
    with _work(book) as uow:
        put_job(uow, NewJob("statement", b"", "f"), once="1", seal=installation.seal())
    with pytest.raises(CardwatchError, match="Statements wait"):
        key_rotation.rotate(book, "card", NOW)


def test_what_an_old_key_signed_is_still_verified(book: Casebook, tmp_path: Path) -> None:
    old = installation.signing_key()
    with _work(book) as uow:
        notes = [sign_checkpoint(uow, old, "finance")]
    path = tmp_path / "before.checkpoints"
    path.write_text(f"{notes[0]}\n", encoding="utf-8")
    key_rotation.rotate(book, "signing", NOW)
    assert b"PRIVATE" not in key_files.older_path(installation.home() / "signing.key").read_bytes()
    assert installation.signing_key().public_key() != old.public_key()
    auditor = services.ServiceContext(book, Actor("force", "test", "auditor"), NOW)
    keys = installation.verifying_keys()
    assert not services.verify_checkpoints(auditor, keys, path).fault
    with _work(book) as uow:
        forged = sign_checkpoint(uow, old, "finance")
    path.write_text(f"{forged}\n", encoding="utf-8")
    fault = services.verify_checkpoints(auditor, keys, path).fault
    assert "is not signed by" in fault, "an old key cannot sign what came after it"
    with _work(book) as uow:
        current = sign_checkpoint(uow, installation.signing_key(), "finance")
    path.write_text(f"{current}\n", encoding="utf-8")
    assert not services.verify_checkpoints(auditor, keys, path).fault


def test_a_changed_row_is_not_sealed_anew(book: Casebook, tmp_path: Path) -> None:
    _receive(tmp_path / "september.csv", 9, (1, 2))
    with book.engine.begin() as connection:
        book.set_tenant(connection, "force", LANES)
        theirs = statements.c.organisation_id == "force"
        connection.execute(sa.update(statements).where(theirs).values(pence=1))
    with pytest.raises(CardwatchError, match="a row of statements is not as it was written"):
        rekeying.replace_organisation_secret(book, "force", NOW)


def test_a_rotated_secret_is_needed_by_nothing(book: Casebook, tmp_path: Path) -> None:
    _receive(tmp_path / "september.csv", 9, (1, 2))
    _run("people", "b@force.example", "--name", "B", "--role", "auditor")
    _run("people", "b@force.example", "--end")
    assert rekeying.replace_organisation_secret(book, "force", NOW) > 3
    _run("people", "b@force.example", "--name", "B", "--role", "auditor")  # comes back
    psd = services.ServiceContext(book, Actor("force", "test", PSD), NOW)
    assert [check.fault for check in services.verify_audit(psd)] == ["", ""]
    rows = json.loads(_run("secrets", "list", "--json").stdout)
    made_at = {row["name"]: row["made_at"] for row in rows}
    assert made_at["organisation"] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.usefixtures("book")
def test_a_list_of_keys_shows_none() -> None:
    for make in (installation.card_key, installation.seal, installation.signing_key):
        make()
    _run("secrets", "rotate", "seal")
    shown = _run("secrets", "list", "--json").stdout
    rows = {row["name"]: row for row in json.loads(shown)}
    assert {name: row["older"] for name, row in rows.items()} == {
        "card": 0, "seal": 1, "signing": 0, "organisation": 0
    }  # fmt: skip
    assert {row["age_days"] for row in rows.values()} == {0}
    for path in installation.home().glob("*.key*"):
        assert path.stat().st_mode & 0o77 == 0
        for text in re.findall(rb"[A-Za-z0-9+/_-]{20,}", path.read_bytes()):
            assert text.decode() not in shown


def test_every_sealed_column_is_sealed_anew() -> None:
    marks = Path(str(tables.__file__)).read_text(encoding="utf-8").count("sealed with a key")
    assert marks == len(rekeying.SEALED_COLUMNS)


def test_an_encrypted_backup_is_for_the_holder_of_its_key(
    book: Casebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _receive(tmp_path / "september.csv", 9, (1, 2))
    before, copy = _alerts(), tmp_path / "backup.age"
    keys = [
        _run("secrets", "backup-key", str(tmp_path / f"{n}.key")).stdout.strip() for n in (1, 2)
    ]
    _run("casebook", "backup", str(copy), "--encrypt-to", keys[0])
    assert b"NEW FIRM" not in copy.read_bytes()
    assert b"SQLite" not in copy.read_bytes()
    assert [path.stat().st_mode & 0o77 for path in (copy, tmp_path / "1.key")] == [0, 0]
    assert not list(installation.home().glob("tmp*")), "a copy that is not encrypted is left"
    monkeypatch.setenv("CARDWATCH_DATABASE", f"sqlite:///{tmp_path / 'restored.db'}")
    refused = [_run("casebook", "restore", str(copy), code=1)]
    refused.append(_run("casebook", "restore", str(copy), "--key", str(tmp_path / "2.key"), code=1))
    changed = bytearray(copy.read_bytes())
    changed[-100] ^= 1
    (tmp_path / "changed.age").write_bytes(changed)
    key = str(tmp_path / "1.key")
    refused.append(_run("casebook", "restore", str(tmp_path / "changed.age"), "--key", key, code=1))
    sentences = [str(result.exception) for result in refused]
    assert "Give the file of its key" in sentences[0]
    assert all("cannot be opened with this key" in sentence for sentence in sentences[1:])
    _run("casebook", "restore", str(copy), "--key", key)
    assert _alerts() == before
    _run("casebook", "verify")
    assert book.organisations()


def test_whenever_it_is_killed_no_copy_that_is_not_encrypted_lies_in_a_file(
    book: Casebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has no name goes with the process; so it is looked for at every step."""
    _receive(tmp_path / "september.csv", 9, (1, 2))
    (places := tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(places))
    copied, steps = backup.copy_casebook, []

    def look(step: str) -> None:
        steps.append(step)
        folders = [*places.iterdir(), *installation.home().glob("tmp*")]
        assert [file for folder in folders for file in folder.rglob("*")] == [], step

    def copy(*casebooks: Casebook) -> int:
        look("before it is copied")
        count = copied(*casebooks)
        look("after it is copied")
        return count

    def cipher(name: str) -> Any:
        real = getattr(pyrage, name)

        def do(*given: Any) -> Any:
            look(name)
            real(*given)
            look(f"after {name}")

        return do

    monkeypatch.setattr(backup, "copy_casebook", copy)
    changed = SimpleNamespace(**vars(pyrage) | {n: cipher(n) for n in ("encrypt_io", "decrypt_io")})
    monkeypatch.setattr(backup, "_age", lambda: changed)
    private, public = backup.new_backup_key()
    back_up_encrypted(book, tmp_path / "b.age", [public], installation.home(), NOW)
    restored = Casebook(f"sqlite:///{tmp_path / 'restored.db'}")
    assert backup.restore(tmp_path / "b.age", restored, NOW, private) > 40
    restored.close()
    assert len(steps) == 8


def test_half_a_backup_has_never_the_name_of_one(
    book: Casebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed while it copies leaves a file that is restored by nobody."""
    _receive(tmp_path / "september.csv", 9, (1, 2))
    path = tmp_path / "b.db"
    part = tmp_path / "b.db.partial"

    def killed(*_: Casebook) -> int:
        shutil.copy(part, tmp_path / "left.db")
        assert not path.exists()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(backup, "copy_casebook", killed)
        with pytest.raises(KeyboardInterrupt):
            backup.back_up(book, path, NOW)
    assert not path.exists()
    with pytest.raises(CardwatchError, match="half of one"):
        backup.restore(tmp_path / "left.db", Casebook(f"sqlite:///{tmp_path / 'new.db'}"), NOW)
    part.write_bytes(b"of a process that was killed")
    assert backup.back_up(book, path, NOW) > 40
    assert not part.exists()


def test_a_backup_is_encrypted_to_keys_alone(book: Casebook, tmp_path: Path) -> None:
    with pytest.raises(CardwatchError, match="begins with age1"):
        back_up_encrypted(book, tmp_path / "b.age", ["no key"], tmp_path, NOW)
    assert not (tmp_path / "b.age").exists()
