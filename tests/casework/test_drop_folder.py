"""A folder that is watched: never half a file, each once, nothing lost whatever is killed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from books import HEADINGS, SEAL, month

from cardwatch import services
from cardwatch.casebook import uploads
from cardwatch.errors import CardwatchError, CasebookBusy, FileRefused, NotAllowed, NotFound
from cardwatch.services import drop_folder as watching
from cardwatch.statements import parse_profile, read_each
from cardwatch.tabular import LIMITS, ReaderPool, load_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardwatch.casebook import Casebook
    from cardwatch.services import Delivery, DropFolder, ServiceContext
    from cardwatch.statements import ReadingChoices

    Context = Callable[..., ServiceContext]

FEED = Path(__file__).parents[1] / "tabular" / "feeds" / "small.vcf"
POUND, FACE = "\N{POUND SIGN}", "\N{GRINNING FACE}"
STEPS = ("read_bytes", "receive_now", "refuse_arrival", "write_text", "replace", "rename")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def readers() -> Iterator[ReaderPool]:
    with ReaderPool() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    (tmp_path / "in").mkdir()
    return services.DropFolder(tmp_path / "in", settle_seconds=30)


@pytest.fixture
def take(
    at: Context, folder: DropFolder, choices: ReadingChoices, readers: ReaderPool
) -> Callable[..., list[Delivery]]:
    """Look into the folder twice, a minute apart, and receive what is complete."""

    def take(role: str = "finance") -> list[Delivery]:
        folder.take_complete(0)
        reader = services.ArrivalReader(choices, SEAL, readers)
        return services.receive_folder(at(role), folder, reader, 60)

    return take


def statement(number: int) -> str:
    return "\n".join([HEADINGS, *month(number), ""])


def names(folder: DropFolder, place: str) -> list[str]:
    files = (folder.path / place).iterdir() if place else folder.path.iterdir()
    return sorted(p.name for p in files if p.is_file() and not p.name.startswith("."))


def receipt(folder: DropFolder, place: str, name: str) -> dict[str, object]:
    text = (folder.path / place / f"{name}.receipt.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def test_a_feed_and_a_statement_are_received_with_a_receipt(
    folder: DropFolder, take: Callable[..., list[Delivery]], at: Context
) -> None:
    (folder.path / "feed.vcf").write_bytes(FEED.read_bytes())
    (folder.path / "october.csv").write_text(statement(10), encoding="utf-8")
    assert [one.outcome for one in take()] == ["received", "received"]
    assert names(folder, "") == names(folder, ".taking") == names(folder, "refused") == []
    told = receipt(folder, "received", "feed.vcf")
    assert told["transactions"] == 3
    assert told["sha256"] == hashlib.sha256(FEED.read_bytes()).hexdigest()
    assert any("declare" in text for text in told["checks"])  # type: ignore[attr-defined]
    assert len(services.list_statements(at())) == 2


def test_a_file_is_taken_only_once_it_has_not_changed_for_a_while(folder: DropFolder) -> None:
    path = folder.path / "october.csv"
    path.write_text(statement(10)[:100], encoding="utf-8")
    assert folder.take_complete(0) == folder.take_complete(29) == []
    path.write_text(statement(10), encoding="utf-8")
    assert folder.take_complete(31) == folder.take_complete(60) == []
    assert [p.name for p in folder.take_complete(61)] == ["october.csv"]


def test_a_file_that_is_still_open_to_be_written_waits(folder: DropFolder) -> None:
    with (folder.path / "october.csv").open("w", encoding="utf-8") as file:
        file.write(statement(10)[:100])
        file.flush()
        folder.take_complete(0)
        assert folder.take_complete(1000) == []
    folder.take_complete(1001)
    assert folder.take_complete(2000)


@pytest.mark.parametrize("name", [".october.csv", "october.csv.part", "october.csv.filepart"])
def test_names_of_unfinished_files_are_left_alone(name: str, folder: DropFolder) -> None:
    (folder.path / name).write_text(statement(10), encoding="utf-8")
    folder.take_complete(0)
    assert folder.take_complete(1000) == []


@pytest.mark.parametrize(
    ("name", "taken"),
    [(b"oct\xff.csv", "oct?.csv"), (b"a" * 250 + b".csv", f"{'a' * 96}.csv"),
     (POUND.encode() * 120 + b".csv", f"{POUND * 96}.csv"),
     (FACE.encode() * 60 + b".csv", f"{FACE * 49}.csv"),
     (b"a\n\x1b[31m\xe2\x80\xaevsc.csv", "a[31mvsc.csv"), (b"\x1b..csv", "csv")],
)  # fmt: skip
@pytest.mark.parametrize("text", ["x", statement(10)])
def test_a_name_that_is_no_text_stops_nobody(
    name: bytes,
    taken: str,
    text: str,
    folder: DropFolder,
    take: Callable[..., list[Delivery]],
    at: Context,
) -> None:
    path = os.path.join(os.fsencode(folder.path), name)  # noqa: PTH118  no text
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123  the same
        file.write(text)
    (folder.path / "feed.vcf").write_bytes(FEED.read_bytes())
    deliveries = {one.file: one.outcome for one in take()}
    assert deliveries == {taken: "refused" if text == "x" else "received", "feed.vcf": "received"}
    place = "refused" if text == "x" else "received"
    assert receipt(folder, place, taken)["file"] == taken
    assert names(folder, "") == names(folder, ".taking") == []
    assert [row["file"] for row in services.list_refused_files(at())] == [taken] * (text == "x")


def _as_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service be another account than the one that made the folders."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)


@pytest.mark.parametrize("name", ["received", "refused", ".taking"])
def test_who_may_write_in_the_folder_writes_no_receipts_and_moves_nothing_elsewhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may rename what is in it, and put a folder or link of theirs in its place."""
    path, elsewhere = tmp_path / "in", tmp_path / "elsewhere"
    (path / name).mkdir(parents=True)
    (path / name).chmod(0o777)
    elsewhere.mkdir()
    folder = services.DropFolder(path, settle_seconds=30)
    assert {(path / one).stat().st_mode & 0o022 for one in ("received", "refused", ".taking")} == {
        0
    }
    with monkeypatch.context() as patch:
        _as_another(patch)
        for act in (lambda: services.DropFolder(path, 30), lambda: folder.take_complete(0)):
            with pytest.raises(CardwatchError, match="another account's"):
                act()
    (path / name).rename(path / "theirs")
    (path / name).symlink_to(elsewhere)
    for act in (lambda: services.DropFolder(path, 30), lambda: folder.take_complete(0)):
        with pytest.raises(CardwatchError, match="is a link"):
            act()


def test_a_folder_that_is_swapped_while_a_file_is_received_gets_nothing(
    folder: DropFolder,
    take: Callable[..., list[Delivery]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder.path / "october.csv").write_text(statement(10), encoding="utf-8")
    real = watching.receive_now

    def swapping(*given: Any) -> Any:
        (folder.path / "received").rename(folder.path / "theirs")
        (folder.path / "received").symlink_to(elsewhere)
        return real(*given)

    monkeypatch.setattr(watching, "receive_now", swapping)
    with pytest.raises(CardwatchError, match="is a link"):
        take()
    assert list(elsewhere.iterdir()) == []
    assert names(folder, ".taking") == ["october.csv"]


def test_a_link_in_place_of_a_file_is_not_followed(
    folder: DropFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "card.key").write_text("secret", encoding="utf-8")
    path = folder.path / "october.csv"
    path.write_text(statement(10), encoding="utf-8")

    def swapped(*_: object) -> bool:
        path.unlink()
        path.symlink_to(tmp_path / "card.key")
        return True

    monkeypatch.setattr(services.DropFolder, "_is_complete", swapped)
    assert folder.take_complete(0) == []


def test_a_file_that_is_too_large_is_refused_without_taking_its_size_in_memory(
    folder: DropFolder, take: Callable[..., list[Delivery]]
) -> None:
    with (folder.path / "october.csv").open("wb") as file:
        file.truncate(LIMITS.text_bytes + 1)
    tracemalloc.start()
    try:
        (delivery,) = take()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (delivery.outcome, delivery.size_bytes) == ("refused", LIMITS.text_bytes + 1)
    assert most < LIMITS.text_bytes / 8


def test_with_a_marker_a_file_waits_for_it(tmp_path: Path) -> None:
    folder = services.DropFolder(tmp_path, 0, ".done")
    (tmp_path / "a.csv").write_text(statement(10), encoding="utf-8")
    assert folder.take_complete(0) == folder.take_complete(1000) == []
    (tmp_path / "a.csv.done").touch()
    assert [p.name for p in folder.take_complete(1001)] == ["a.csv"]
    assert names(folder, "") == []


def test_the_same_bytes_under_any_name_are_one_statement(
    folder: DropFolder, take: Callable[..., list[Delivery]], at: Context
) -> None:
    for name in ("october.csv", "copy.csv", "october.csv"):
        (folder.path / name).write_text(statement(10), encoding="utf-8")
        take()
    assert len(services.list_statements(at())) == 1
    assert receipt(folder, "received", "copy.csv")["outcome"] == "held"
    assert len(names(folder, "received")) == 6, "three files, each with its receipt"


def test_a_refused_file_is_listed_until_it_is_dealt_with(
    folder: DropFolder, take: Callable[..., list[Delivery]], at: Context
) -> None:
    (folder.path / "half.vcf").write_bytes(FEED.read_bytes()[:900])
    (delivery,) = take()
    assert (delivery.outcome, delivery.code) == ("refused", "incomplete")
    assert names(folder, "refused") == ["half.vcf", "half.vcf.receipt.json"]
    (refused,) = services.list_refused_files(at())
    assert (refused["file"], refused["size_bytes"]) == ("half.vcf", 900)
    assert "half.vcf: read as Visa VCF" in refused["reason"]
    assert "whole file again" in refused["advice"]
    assert services.show_home(at()).arrivals == [refused]
    assert services.list_refused_files(at("psd")) == [], "another lane's"
    assert services.show_home(at("auditor")).arrivals == []
    with pytest.raises(NotFound):
        services.settle_refused_file(at("psd"), refused["refusal_id"])
    with pytest.raises(NotAllowed):
        services.list_refused_files(at("auditor"))
    with pytest.raises(NotFound, match="not kept any more"):
        services.open_refused_file(at(), refused["refusal_id"], SEAL)
    services.settle_refused_file(at(), refused["refusal_id"])
    assert services.list_refused_files(at()) == services.show_home(at()).arrivals == []
    with pytest.raises(NotFound):
        services.settle_refused_file(at(), refused["refusal_id"])
    (folder.path / "again.vcf").write_bytes(FEED.read_bytes()[:900])
    take()
    assert [row["file"] for row in services.list_refused_files(at())] == ["again.vcf"]
    (folder.path / "half.vcf").write_bytes(FEED.read_bytes())
    assert [one.outcome for one in take()] == ["received"], "the whole one comes later"


def test_a_server_from_which_nothing_comes_is_announced_once_until_files_come_again(
    at: Context, casebook: Casebook
) -> None:
    sent: list[int] = []
    services.report_fetching(at(), "sftp.bank.example", "sftp.bank.example did not accept our key.")
    services.report_fetching(at(), "sftp.bank.example", "The connection broke off.")
    (entry,) = services.list_refused_files(at())
    assert (entry["file"], entry["code"]) == ("Files on sftp.bank.example", "not_fetched")
    assert entry["reason"] == "sftp.bank.example did not accept our key."
    assert "administrator" in entry["advice"]
    assert services.show_home(at()).arrivals == [entry]
    services.mail_refusals(casebook, lambda: at().now, lambda count: not sent.append(count))
    assert sent == [1]
    services.report_fetching(at(), "sftp.bank.example", "")
    assert services.list_refused_files(at()) == []


def test_a_refused_file_can_be_read_with_its_columns_stated(
    folder: DropFolder,
    take: Callable[..., list[Delivery]],
    at: Context,
    choices: ReadingChoices,
    casebook: Casebook,
) -> None:
    text = "A,B,C,D\n2026-10-01,SHOP,5.00,E1\n"
    (folder.path / "unknown.csv").write_text(text, encoding="utf-8")
    take("psd")
    assert services.list_refused_files(at()) == []
    (refused,) = services.list_refused_files(at("psd"))
    assert refused["has_content"]
    assert "State its columns" in refused["advice"]
    assert "SHOP" not in str(refused)
    waiting = services.open_refused_file(at("psd"), refused["refusal_id"], SEAL)
    upload = services.open_upload(at("psd"), waiting, SEAL)
    assert (upload.file, upload.content.decode()) == ("unknown.csv", text)
    profile = parse_profile(
        'name = "own"\n[columns]\ndate = "A"\nmerchant = "B"\namount = "C"\nemployee_id = "D"\n',
        "x",
    )
    given = replace(choices, profiles=(profile, *choices.profiles), given_count=1)
    path = folder.path / "received" / "unknown.csv"
    path.write_bytes(upload.content)
    (read,) = read_each([path], given)
    assert not isinstance(read, FileRefused)
    services.receive(at("psd"), read, is_history=True)
    assert services.list_refused_files(at("psd")) == [], "it was received"
    with casebook.unaudited(at("psd").actor, at().now, reads=True) as uow:
        assert uploads.list_refused(uow) == set()


def test_what_is_kept_of_a_refused_file_is_erased_after_a_month(
    folder: DropFolder, take: Callable[..., list[Delivery]], at: Context, casebook: Casebook
) -> None:
    (folder.path / "unknown.csv").write_text("A,B,C,D\n2026-10-01,SHOP,5.00,E1\n", encoding="utf-8")
    take()
    later = at(days=30)
    assert services.erase_expired_uploads(casebook, lambda: at(days=29).now) == 0
    assert services.erase_expired_uploads(casebook, lambda: later.now) == 1
    (refused,) = services.list_refused_files(later)
    assert not refused["has_content"]
    assert "put it into the folder again" in refused["advice"]


def test_refusals_are_mailed_together_and_only_those_of_finance(
    folder: DropFolder, take: Callable[..., list[Delivery]], at: Context, casebook: Casebook
) -> None:
    counts: list[int] = []

    def send(count: int) -> bool:
        counts.append(count)
        return len(counts) > 1

    for number, role in enumerate(("finance", "finance", "psd")):
        (folder.path / f"{number}.vcf").write_bytes(FEED.read_bytes()[: 900 + number])
        take(role)
    services.mail_refusals(casebook, lambda: at().now, send)
    services.mail_refusals(casebook, lambda: at().now, send)
    assert counts == [2], "the server did not take it, and is asked again later"
    services.mail_refusals(casebook, lambda: at(days=1).now, send)
    services.mail_refusals(casebook, lambda: at(days=2).now, send)
    assert counts == [2, 2]


def test_who_receives_no_statements_refuses_none(
    folder: DropFolder, take: Callable[..., list[Delivery]]
) -> None:
    (folder.path / "feed.vcf").write_bytes(FEED.read_bytes())
    with pytest.raises(CardwatchError, match="Your role cannot upload statements"):
        take("auditor")
    assert names(folder, ".taking") == ["feed.vcf"]


def test_a_busy_casebook_leaves_the_file_for_the_next_pass(
    folder: DropFolder, take: Callable[..., list[Delivery]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.path / "feed.vcf").write_bytes(FEED.read_bytes())

    def busy(*_: object) -> None:
        raise CasebookBusy("busy")

    with monkeypatch.context() as patch:
        patch.setattr(watching, "receive_now", busy)
        assert take() == []
    assert names(folder, ".taking") == ["feed.vcf"]
    assert [one.outcome for one in take()] == ["received"]


def test_a_statement_that_needs_two_people_is_refused(
    folder: DropFolder, take: Callable[..., list[Delivery]], at: Context
) -> None:
    """Here one that names together two cardholders whom the months before name apart."""
    (folder.path / "october.csv").write_text(statement(10), encoding="utf-8")
    take()
    attack = "Date,Employee ID,Cardholder ID,Merchant,Amount\n2026-10-20,E3,E1,SHOP 1,1.00\n"
    (folder.path / "november.csv").write_text(attack, encoding="utf-8")
    (refused,) = take()
    assert (refused.outcome, refused.code) == ("refused", "conflict")
    assert "row 2 gives one cardholder" in refused.refused
    assert names(folder, "refused") == ["november.csv", "november.csv.receipt.json"]
    assert len(services.list_statements(at())) == 1


@pytest.mark.parametrize("is_folder_first", [True, False])
def test_the_folder_is_nobodys_second_person(
    folder: DropFolder,
    take: Callable[..., list[Delivery]],
    at: Context,
    choices: ReadingChoices,
    tmp_path: Path,
    *,
    is_folder_first: bool,
) -> None:
    (folder.path / "october.csv").write_text(statement(10), encoding="utf-8")
    take()
    attack = "Date,Employee ID,Cardholder ID,Merchant,Amount\n2026-10-20,E3,E1,SHOP 1,1.00\n"
    by_hand = tmp_path / "by hand.csv"
    by_hand.write_text(attack, encoding="utf-8")

    def upload() -> str:
        (read,) = read_each([by_hand], choices)
        assert isinstance(read, tuple)
        return services.receive(at("finance", person="other"), read).outcome

    if not is_folder_first:
        assert upload() == "second-person"
    (folder.path / "november.csv").write_text(attack, encoding="utf-8")
    assert [one.outcome for one in take()] == ["refused"]
    if is_folder_first:
        assert upload() == "second-person"
    assert len(services.list_statements(at())) == 1


def test_a_second_watcher_of_the_folder_is_refused(folder: DropFolder) -> None:
    with folder.locked(), pytest.raises(CardwatchError, match="by another process"):  # noqa: SIM117
        with services.DropFolder(folder.path, 30).locked():
            pass


@pytest.mark.each_database
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", ["feed.vcf", "half.vcf"])
def test_killed_at_any_step_nothing_is_lost_or_doubled(
    name: str,
    step: str,
    when: str,
    folder: DropFolder,
    take: Callable[..., list[Delivery]],
    at: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = FEED.read_bytes()
    (folder.path / name).write_bytes(whole if name == "feed.vcf" else whole[:900])
    owner = watching if step in {"receive_now", "refuse_arrival"} else Path
    real, watcher = getattr(owner, step), threading.current_thread()

    def killed(*given: object, **named: object) -> object:
        if threading.current_thread() is not watcher:
            return real(*given, **named)
        if when == "after":
            real(*given, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, killed)
        with contextlib.suppress(Killed):
            take()
    take()
    place = "received" if name == "feed.vcf" else "refused"
    assert names(folder, place) == [name, f"{name}.receipt.json"]
    assert names(folder, "") == names(folder, ".taking") == []
    assert len(services.list_statements(at())) == (name == "feed.vcf")
    assert len(services.list_refused_files(at())) == (name == "half.vcf")


def test_transfers_broken_at_random_end_refused_and_whole_once_sent_again(
    folder: DropFolder, take: Callable[..., list[Delivery]], at: Context
) -> None:
    rng, whole = random.Random(20261129), FEED.read_bytes()
    end = whole.rindex(b"4.4") + 2  # only empty fields and the processor's own follow
    for number, length in enumerate(rng.sample(range(1, end), 50)):
        (folder.path / f"{number}.vcf").write_bytes(whole[:length])
    assert {one.outcome for one in take()} == {"refused"}
    assert services.list_statements(at()) == []
    (folder.path / "0.vcf").write_bytes(whole)
    assert [one.outcome for one in take()] == ["received"]
    assert [one["transactions"] for one in services.list_statements(at())] == [3]


@pytest.mark.prove
def test_a_watcher_killed_again_and_again_receives_every_feed_once(tmp_path: Path) -> None:
    kills, rng = int(os.environ.get("CARDWATCH_KILLS", "200")), random.Random(20261129)
    environment = os.environ | {"CARDWATCH_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "cardwatch"]

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments], env=environment, capture_output=True, check=True
        )
        return done.stdout.decode()

    run(
        "people",
        "f@x.example",
        "--name",
        "F",
        "--role",
        "finance",
        "--no-card",
        "--new-organisation",
        "X",
    )
    folder, whole = tmp_path / "in", FEED.read_bytes()
    folder.mkdir()
    watch = [
        "statements",
        "watch",
        str(folder),
        "--every",
        "0.1",
        "--settle",
        "0.1",
        "--as",
        "f@x.example",
    ]
    for number in range(kills):
        data = whole.replace(b"TEST000", f"T{number:05}A".encode())
        (folder / f"{number}.vcf").write_bytes(data[:900] if number % 4 == 3 else data)
        process = subprocess.Popen([*command, *watch], env=environment, stderr=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL)  # fmt: skip
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(1.0, 6.0))
        process.kill()
        process.wait()
    run("statements", "watch", str(folder), "--once", "--settle", "0.5", "--as", "f@x.example")
    left = [p for p in (*folder.iterdir(), *(folder / ".taking").iterdir()) if p.is_file()]
    assert [p.name for p in left] == [".lock"]
    statements = json.loads(run("statements", "--json", "--as", "f@x.example"))
    assert sorted(one["transactions"] for one in statements) == [3] * (kills - kills // 4)
    for place, count in (("received", kills - kills // 4), ("refused", kills // 4)):
        files = sorted(p.name for p in (folder / place).glob("*.vcf"))
        assert len(files) == count
        assert all((folder / place / f"{name}.receipt.json").is_file() for name in files)
    print(f"\n{kills} kills, {len(statements)} statements, none lost or doubled")  # noqa: T201


def test_an_encrypted_file_is_received_once_however_often_it_is_encrypted(
    folder: DropFolder,
    at: Context,
    choices: ReadingChoices,
    readers: ReaderPool,
    tmp_path: Path,
) -> None:
    pysequoia = pytest.importorskip("pysequoia")
    bank, force = (pysequoia.Tsk.generate(f"{name} <{name}@x.example>") for name in "bf")
    (tmp_path / "keys").mkdir(mode=0o700)
    for name, text in (("force.asc", str(force)), ("bank.asc", str(bank.extract_certificate()))):
        (tmp_path / "keys" / name).write_text(text, encoding="utf-8")
        (tmp_path / "keys" / name).chmod(0o600)
    keys = load_keys(tmp_path / "keys", None)
    reader = services.ArrivalReader(choices, SEAL, readers, keys)
    feed, to_us = FEED.read_bytes(), [force.extract_certificate()]
    unknown = b"A,B,C,D\n2026-10-01,SHOP,5.00,E1\n"
    for name, data, signer in (
        ("a.vcf.pgp", feed, bank), ("b.vcf", feed, bank), ("c.vcf.pgp", feed, None),
        ("d.csv.gpg", unknown, bank),
    ):  # fmt: skip
        message = pysequoia.encrypt(data, to_us, signer and signer.signer(), armor=False)
        (folder.path / name).write_bytes(message)
    folder.take_complete(0)
    services.receive_folder(at(), folder, reader, 60)
    outcomes = {name: receipt(folder, place, name) for place, name in (
        ("received", "a.vcf.pgp"), ("received", "b.vcf"), ("refused", "c.vcf.pgp"),
        ("refused", "d.csv.gpg"),
    )}  # fmt: skip
    assert {outcomes[name]["outcome"] for name in ("a.vcf.pgp", "b.vcf")} == {"received", "held"}
    assert outcomes["a.vcf.pgp"]["sha256"] == hashlib.sha256(feed).hexdigest()
    assert outcomes["c.vcf.pgp"]["code"] == "pgp_signature"
    refused = {row["code"]: row for row in services.list_refused_files(at())}
    assert "public key" in refused["pgp_signature"]["reason"]
    upload = services.open_refused_file(at(), refused["columns_unknown"]["refusal_id"], SEAL)
    assert services.open_upload(at(), upload, SEAL).content == unknown
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"SHOP" not in path.read_bytes()
