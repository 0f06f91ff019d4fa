"""Fetching from a real SFTP server on this machine: whole, once, whatever breaks."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import threading
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT

from cardwatch import services
from cardwatch.errors import CardwatchError
from cardwatch.services.arrivals import PGP_SETTINGS, SFTP_SETTINGS
from cardwatch.services.drop_folder import DropFolder
from cardwatch.services.sftp import SftpPull, SftpSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

asyncssh = pytest.importorskip("asyncssh")
FILE = bytes(range(256)) * 1_000


class Server:
    """An SFTP server over a folder, which can break off after so many bytes."""

    def __init__(self, root: Path) -> None:
        self.root, self.key = root, asyncssh.generate_private_key("ssh-ed25519")
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.port, self.break_after, self.served = 0, -1, 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.listener = self.run(self._listen())

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    async def _listen(self) -> Any:
        allowed = asyncssh.import_authorized_keys(self.client_key.export_public_key().decode())
        listener = await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[self.key], authorized_client_keys=allowed,
            sftp_factory=lambda channel: Breaking(channel, self), allow_scp=False,
        )  # fmt: skip
        self.port = listener.get_port()
        return listener

    def close(self) -> None:
        async def end() -> None:
            self.listener.close()
            await self.listener.wait_closed()

        self.run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Breaking(asyncssh.SFTPServer):  # type: ignore[misc, name-defined]
    """Serves a folder; aborts the connection once so many bytes were read."""

    def __init__(self, channel: Any, server: Server) -> None:
        self.server = server
        super().__init__(channel, chroot=str(server.root).encode())

    def read(self, file_obj: Any, offset: int, size: int) -> Any:
        self.server.served += size
        if 0 <= self.server.break_after < offset + size:
            self.server.break_after = -1
            self.channel.get_connection().abort()
        return super().read(file_obj, offset, size)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "bank" / "out").mkdir(parents=True)
    running = Server(tmp_path / "bank")
    yield running
    running.close()


@pytest.fixture
def source(server: Server, tmp_path: Path) -> SftpSource:
    key = tmp_path / "id"
    server.client_key.write_private_key(str(key))
    key.chmod(0o600)
    host_key = server.key.export_public_key().decode()
    return SftpSource("127.0.0.1", "force", host_key, server.port, key, folder="/out",
                      pattern="*.csv")  # fmt: skip


@pytest.fixture
def start(source: SftpSource, tmp_path: Path) -> Callable[..., SftpPull]:
    (tmp_path / "in").mkdir()

    def start(**changed: Any) -> SftpPull:
        fields = {name: getattr(source, name) for name in source.__dataclass_fields__}
        return SftpPull(SftpSource(**fields | changed), DropFolder(tmp_path / "in", 30))

    return start


def arrived(pull: SftpPull) -> dict[str, bytes]:
    taking = pull.folder.path / ".taking"
    return {p.name: p.read_bytes() for p in taking.iterdir() if not p.name.startswith(".")}


def test_a_file_is_fetched_once_it_has_settled_and_only_once(
    server: Server, start: Callable[..., SftpPull]
) -> None:
    pull, out = start(), server.root / "out"
    (out / "october.csv").write_bytes(FILE)
    (out / "other.txt").write_bytes(b"no")
    (out / "november.csv.part").write_bytes(b"no")
    assert pull.look(0) == []
    assert arrived(pull) == {}
    assert pull.look(100) == []
    assert arrived(pull) == {}, "it is not time to look again"
    assert pull.look(300) == []
    assert arrived(pull) == {"october.csv": FILE}
    (pull.folder.path / ".taking" / "october.csv").unlink()
    (out / "october.csv").rename(out / "copy.csv")
    again = start()
    assert again.look(0) == again.look(300) == again.look(600) == []
    assert arrived(again) == {}, "the same content under another name"


def test_a_file_that_grows_meanwhile_waits(server: Server, start: Callable[..., SftpPull]) -> None:
    pull, path = start(), server.root / "out" / "october.csv"
    for number in range(3):
        path.write_bytes(FILE[: 100 * (number + 1)])
        pull.look(number * 300)
    assert arrived(pull) == {}
    pull.look(900)
    assert arrived(pull) == {"october.csv": FILE[:300]}


@pytest.mark.parametrize("afterwards", ["keep", "remove", "move"])
def test_a_fetched_file_is_left_removed_or_moved(
    server: Server, start: Callable[..., SftpPull], afterwards: str
) -> None:
    (server.root / "done").mkdir()
    (server.root / "done" / "october.csv").write_bytes(b"of before")
    (server.root / "out" / "october.csv").write_bytes(FILE)
    moved_to = "/done" if afterwards == "move" else ""
    pull = start(afterwards=afterwards, moved_to=moved_to)
    assert [pull.look(0), pull.look(300)] == [[], []]
    assert arrived(pull) == {"october.csv": FILE}
    assert (server.root / "out" / "october.csv").exists() == (afterwards == "keep")
    moved = f"october {hashlib.sha256(FILE).hexdigest()[:8]}.csv"
    assert (server.root / "done" / moved).exists() == (afterwards == "move")


def test_another_host_key_or_a_key_of_strangers_fetches_nothing(
    server: Server, start: Callable[..., SftpPull], tmp_path: Path
) -> None:
    (server.root / "out" / "october.csv").write_bytes(FILE)
    other = asyncssh.generate_private_key("ssh-ed25519")
    pull = start(host_key=other.export_public_key().decode())
    (problem,) = pull.look(0)
    assert "another host key" in problem
    assert "next try is in 5 seconds" in problem
    assert pull.look(4) == []
    assert "in 10 seconds" in pull.look(5)[0]
    other.write_private_key(str(tmp_path / "other"))
    pull = start(key_file=tmp_path / "other")
    assert "did not accept our key" in pull.look(0)[0]
    assert server.served == 0
    assert arrived(pull) == {}


def test_what_another_try_mends_is_announced_after_the_third_and_once(
    server: Server, start: Callable[..., SftpPull]
) -> None:
    (server.root / "out" / "october.csv").write_bytes(FILE)
    pull = start()
    pull.look(0)
    assert pull.change() == "", "all is well"
    pull.announced = ""
    for count in range(1, 5):
        server.break_after = 0
        pull.look(60.0 * count, is_due=True)
        assert "broke off" in str(pull.change(is_last=True)) or pull.announced
        change = pull.change()
        assert bool(change) == (count == 3)
        pull.announced = change or pull.announced
    server.break_after = -1
    assert pull.look(600, is_due=True) == []
    assert pull.change() == "", "it is well again"


def test_a_strange_host_key_is_announced_at_once(start: Callable[..., SftpPull]) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    pull = start(host_key=other.export_public_key().decode())
    pull.look(0)
    assert "another host key" in str(pull.change())
    pull.announced = pull.change()
    assert pull.change() is None


def _broken(server: Server, start: Callable[..., SftpPull], count: int) -> None:
    """Break one transfer of each of some files at a random point; all arrive whole, each once."""
    rng, now = random.Random(20261129), 0.0
    pull, out = start(afterwards="remove"), server.root / "out"
    expected = {}
    for number in range(count):
        name, content = f"{number}.csv", rng.randbytes(rng.randrange(1, 300_000))
        expected[name] = content
        (out / name).write_bytes(content)
        pull.look(now, is_due=True)
        now += 60
        server.break_after = rng.randrange(len(content))
        (problem,) = pull.look(now, is_due=True)
        assert "broke off" in problem
        assert name not in arrived(pull)
        now += 60
        assert pull.look(now, is_due=True) == []
        assert arrived(pull)[name] == content
        (pull.folder.path / ".taking" / name).rename(pull.folder.path / "received" / name)
    received = pull.folder.path / "received"
    assert {p.name: p.read_bytes() for p in received.iterdir()} == expected
    assert list(out.iterdir()) == []


def test_a_transfer_that_breaks_off_is_begun_again(
    server: Server, start: Callable[..., SftpPull]
) -> None:
    _broken(server, start, 3)


@pytest.mark.prove
def test_fifty_transfers_broken_at_random_points_arrive_whole(
    server: Server, start: Callable[..., SftpPull]
) -> None:
    _broken(server, start, int(os.environ.get("CARDWATCH_BREAKS", "50")))


class Killed(BaseException):
    """The process ends here."""


def _killed(
    server: Server, start: Callable[..., SftpPull], patch: pytest.MonkeyPatch, count: int
) -> None:
    """End the process at a random call of the file system; every file arrives whole, each once."""
    rng, out = random.Random(20261129), server.root / "out"
    steps = [(os, "fsync"), (DropFolder, "begin_delivery"), (DropFolder, "deliver"),
             (SftpPull, "_write_fetched"), (SftpPull, "_finish")]  # fmt: skip
    contents: dict[str, int] = {}
    for number in range(count):
        content = rng.randbytes(rng.randrange(1, 3_000))
        (out / f"{number}.csv").write_bytes(content)
        owner, name = rng.choice(steps)
        real, is_after = getattr(owner, name), rng.random() < 0.5

        def killed(*given: Any, real: Any = real, is_after: bool = is_after, **named: Any) -> None:
            if is_after and not asyncio.iscoroutinefunction(real):
                real(*given, **named)
            raise Killed

        pull = start(afterwards="remove")
        pull.look(0)
        with patch.context() as context, contextlib.suppress(Killed):
            context.setattr(owner, name, killed)
            pull.look(60, is_due=True)
        pull = start(afterwards="remove")
        assert pull.look(0) == pull.look(60, is_due=True) == []
        for path in (pull.folder.path / ".taking").iterdir():
            if not path.name.startswith("."):
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                contents[digest] = contents.get(digest, 0) + 1
                path.unlink()
        assert hashlib.sha256(content).hexdigest() in contents
    assert len(contents) == count, "no other bytes than those that were sent"
    assert list(out.iterdir()) == []


def test_killed_at_any_step_nothing_is_lost_or_half_read(
    server: Server, start: Callable[..., SftpPull], monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed(server, start, monkeypatch, 6)


@pytest.mark.prove
def test_killed_two_hundred_times_nothing_is_lost_or_half_read(
    server: Server, start: Callable[..., SftpPull], monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed(server, start, monkeypatch, int(os.environ.get("CARDWATCH_KILLS", "200")))


def test_a_file_without_a_size_is_left_and_the_others_are_fetched(
    server: Server, start: Callable[..., SftpPull], monkeypatch: pytest.MonkeyPatch
) -> None:
    pull, readdir = start(), asyncssh.SFTPClient.readdir
    for name in ("a.csv", "b.csv"):
        (server.root / "out" / name).write_bytes(FILE)

    async def without_size(client: Any, folder: str) -> Any:
        entries = await readdir(client, folder)
        for entry in entries:
            if entry.filename == "a.csv":
                entry.attrs.size = None
        return entries

    monkeypatch.setattr(asyncssh.SFTPClient, "readdir", without_size)
    pull.look(0)
    (problem,) = pull.look(1000)
    assert problem.startswith("1 file on 127.0.0.1 cannot be fetched")
    assert list(arrived(pull)) == ["b.csv"]


def test_the_settings_are_read_and_their_faults_are_listed(
    source: SftpSource, tmp_path: Path
) -> None:
    path = tmp_path / "arrivals.toml"
    path.write_text(
        f'[sftp]\nhost = "{source.host}"\nuser = "force"\nport = {source.port}\n'
        f'host_key = "{source.host_key.strip()}"\nkey_file = "id"\nfolder = "/out"\n'
        'pattern = "*.csv"\n',
        encoding="utf-8",
    )
    loaded = services.load_arrivals(path).source
    assert loaded is not None
    assert loaded.key_file == source.key_file
    example = (ROOT / "deploy" / "arrivals" / "arrivals.toml.example").read_text(encoding="utf-8")
    content = tomllib.loads(example)
    assert content["pgp"].keys() <= PGP_SETTINGS.keys()
    assert content["sftp"].keys() <= SFTP_SETTINGS.keys()
    path.write_text('[sftp]\nport = "x"\ncolour = 1\n[other]\n[pgp]\nsignature = "maybe"\n')
    with pytest.raises(CardwatchError) as refusal:
        services.load_arrivals(path)
    for word in ("sftp.port", "sftp.colour", "[other]", "pgp.keys", "pgp.signature", "sftp.host"):
        assert word in str(refusal.value)
    (tmp_path / "id").chmod(0o644)
    with pytest.raises(CardwatchError, match="Others may read 'id'"):
        source.check()
